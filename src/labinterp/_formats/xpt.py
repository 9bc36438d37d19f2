"""SAS transport files, and surveys of NHANES as SAS transport or CSV -> panels.

Files that belong together (laboratory and demographics of one survey) are joined on their sequence number.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import PurePath

from labinterp._formats.nhanes import SEQN, Survey, panels_of_surveys
from labinterp._formats.tables import panels_of
from labinterp._intake import Piece, Source, Wanted
from labinterp._table import Table, find_columns, read_cells
from labinterp.errors import InputError, MissingExtraError

_XPT = b"HEADER RECORD*******LIB"
_ZERO = re.compile(r"5\.3976053469\d*[eE]-79")  # 16 to the power of -65: how pandas reads a zero of a transport file
_LONGEST = 12  # names that are listed in a message


def read(pieces: Sequence[Piece], wanted: Wanted) -> list[Source]:
    """SAS transport (XPT) of version 5 or 8, and CSV with the column names of NHANES.

    Args:
        pieces: The files; those with a column SEQN are read together.
        wanted: Columns, delimiter and encoding.

    Returns:
        list: one source for the survey, one for each other file that is a table with one result a row.

    Raises:
        InputError: A file cannot be read, or its columns are not known; they are named.
    """
    tables = [_opened(piece, wanted) for piece in pieces]
    surveys = [table for table in tables if SEQN in table.names]
    sources = [_long(table, wanted) for table in tables if SEQN not in table.names]
    return sources + ([panels_of_surveys(surveys)] if surveys else [])


def _opened(piece: Piece, wanted: Wanted) -> Survey:
    dataset = PurePath(piece.name).stem.upper()
    if not piece.data.startswith(_XPT):
        lines, _, _ = read_cells(piece.data, wanted.delimiter, wanted.encoding)
        names = [name.strip().upper() for name in lines[0]]
        columns = {name: [_cell(line[at]) if at < len(line) else "" for line in lines[1:] if line] for at, name in enumerate(names)}
        return Survey(piece.name, dataset, columns, {}, dict(zip(names, lines[0], strict=True)))
    try:
        import pyreadstat
    except ImportError:
        raise MissingExtraError("surveys") from None
    try:
        found, about = pyreadstat.read_xport(io.BytesIO(piece.data), output_format="dict", disable_datetime_conversion=True)
        if any(name is None for name in about.column_names):  # bytes that are no text in its encoding
            raise ValueError
    except (
        pyreadstat.ReadstatError,
        pyreadstat.PyreadstatError,
        OSError,
        ValueError,
        OverflowError,
        TypeError,
    ):  # TypeError: a name that is no text
        raise InputError(f"{piece.name}: the SAS transport file breaks off or is damaged; get it again") from None
    labels = {name.upper(): label or "" for name, label in zip(about.column_names, about.column_labels, strict=True)}
    columns = {name.upper(): [_text(cell) for cell in cells] for name, cells in found.items()}
    return Survey(piece.name, (about.table_name or dataset).upper(), columns, labels, {name.upper(): name for name in found})


def _cell(text: str) -> str:
    """A cell of a table that may have been made of a transport file."""
    return "0" if _ZERO.fullmatch(text.strip()) else text.strip()


def _text(cell: object) -> str:
    """A cell as its shortest text; a missing value of any kind is ""."""
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, float):
        return repr(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return str(cell).strip()


def _long(table: Survey, wanted: Wanted) -> Source:
    """A table that is no survey of NHANES: read where it has one result a row."""
    header = [table.names[name] for name in table.columns]
    try:
        found = find_columns(header, wanted.columns)
    except InputError:
        listed = ", ".join(header[:_LONGEST]) + (", ..." if len(header) > _LONGEST else "")
        raise InputError(
            f"{table.file}: this is no laboratory file of NHANES (it has no column SEQN) and no table with one result a row; "
            f"its columns are: {listed}. Name them, for example --column value=NAME"
        ) from None
    plain = Table(header, [list(row) for row in zip(*table.columns.values(), strict=True)], found, ",", "utf-8")
    return Source(panels_of(plain, name=table.file), plain, "xpt")
