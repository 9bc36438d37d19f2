"""Parquet -> panels, long or wide: numbers stay what they are, days are days."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from labinterp._formats.cell_texts import NESTED, cell_of
from labinterp._formats.grids import Grid, source_of
from labinterp._formats.kinds import PARQUET
from labinterp._formats.parquet_ends import END, damaged, whole, whole_file
from labinterp._intake import Piece, Source, Wanted
from labinterp.errors import InputError, MissingExtraError

MOST_CELLS: Final = 20_000_000  # what is larger is read row by row, as it streams by


def read(pieces: Sequence[Piece], wanted: Wanted) -> list[Source]:
    """Parquet files.

    Args:
        pieces: The files.
        wanted: Columns and units.

    Returns:
        list: one source for each file.

    Raises:
        InputError: A file is damaged, too large to be read as a whole, or no table of results.
        MissingExtraError: polars is not there.
    """
    return [_read(piece, wanted) for piece in pieces]


def parquet_names(path: Path) -> list[str]:
    """The columns of a Parquet file; none of one that is damaged."""
    try:
        import polars as pl
    except ImportError:
        raise MissingExtraError("dataframes") from None
    try:
        whole_file(path)
        with damaged():
            return list(pl.read_parquet_schema(path))
    except InputError:
        return []


def _read(piece: Piece, wanted: Wanted) -> Source:
    try:
        import polars as pl
    except ImportError:
        raise MissingExtraError("dataframes") from None
    called = f"{piece.name}: " if piece.name else ""
    whole(piece.data[-END:], len(piece.data), piece.name)
    with damaged(piece.name):
        lazy = pl.scan_parquet(io.BytesIO(piece.data))
        width, height = len(lazy.collect_schema()), int(lazy.select(pl.len()).collect().item())
        if width * height > MOST_CELLS:
            raise InputError(f"{called}{height:,} rows are too many to be read together; read them row by row: -o NAME.parquet")
        frame = lazy.collect()
    texts: list[list[str]] = []
    exact: dict[tuple[int, int], Any] = {}
    for at, column in enumerate(frame.get_columns()):
        if column.dtype == pl.Float32:  # its own shortest text, not that of the double beside it
            values: list[Any] = [None if text is None else float(text) for text in column.cast(pl.String).to_list()]
        elif column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
            values = [None if empty else NESTED for empty in column.is_null().to_list()]
        else:
            values = column.to_list()
        cells = [cell_of(value) for value in values]
        texts.append([text for text, _ in cells])
        exact.update({(line, at): plain for line, (_, plain) in enumerate(cells, 1) if plain is not None})
    lines = [list(frame.columns), *([*row] for row in zip(*texts, strict=True))]
    return source_of(Grid(piece.name, lines, exact, PARQUET), wanted)
