"""Delimited text -> panels: CSV, TSV and their kin, long or wide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labinterp._delimited import cells_of, delimiter_of, stops_half_way, text_of
from labinterp._formats.grids import Grid, source_of
from labinterp._formats.kinds import CSV
from labinterp._intake import Piece, Source, Wanted
from labinterp._quantity import Unreadable
from labinterp._table import TITLES, roles_in
from labinterp.errors import InputError

_CUT = Unreadable("unreadable_value", "The file stops in this row; the number may go on.")


def read(pieces: Sequence[Piece], wanted: Wanted) -> list[Source]:
    """Delimited tables of text.

    Args:
        pieces: The files.
        wanted: Columns, units, delimiter, encoding.

    Returns:
        list: one source for each file.

    Raises:
        InputError: A file is no table with a header line, with the next step.
    """
    return [_named(piece, wanted) for piece in pieces]


def _named(piece: Piece, wanted: Wanted) -> Source:
    """One file; what is wrong with it is told with its name."""
    try:
        return _read(piece, wanted)
    except InputError as error:
        if not piece.name or str(error).startswith(piece.name):
            raise
        raise InputError(f"{piece.name}: {error}") from None


def _read(piece: Piece, wanted: Wanted) -> Source:
    text, encoding = text_of(piece.data, wanted.encoding)
    lines, delimiter = cells_of(text, delimiter_of(text, roles_in) if wanted.delimiter is None else wanted.delimiter)
    exact: dict[tuple[int, int], Any] = {}
    notes: tuple[str, ...] = ()
    if stops_half_way(text, lines, max(map(len, lines[:TITLES]))) and len(lines) > 1:
        last = len(lines) - 1, len(lines[-1]) - 1
        exact[last] = _CUT._replace(text=lines[-1][-1][:80])
        notes = (f"{piece.name or 'the table'}: the last row has fewer cells than the header and no end; the file may be cut off there.",)
    source = source_of(Grid(piece.name, lines, exact, CSV, delimiter=delimiter, encoding=encoding), wanted)
    return source._replace(notes=(*source.notes, *notes))
