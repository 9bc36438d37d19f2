"""Workbooks (.xlsx, .xls, .ods) -> panels: every sheet that is a table of results, long or wide.

What a cell holds is read, nothing is computed: of a formula, the value that the program which wrote the file kept with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib.util import find_spec
from typing import Any, Final

from labinterp._formats.apart import told_by_another
from labinterp._formats.archives import called, is_zip
from labinterp._formats.cell_texts import ERROR
from labinterp._formats.grids import Grid, source_of
from labinterp._formats.kinds import XLSX
from labinterp._formats.workbook_parts import NO_VALUE, Parts, parts_of
from labinterp._intake import Piece, Source, Wanted, stood
from labinterp._quantity import Unreadable
from labinterp.errors import InputError, MissingExtraError

_FORMULA: Final = Unreadable(
    "unreadable_value", "The cell holds a formula whose value is not in the file; open it in a spreadsheet and save it."
)


def read(pieces: Sequence[Piece], wanted: Wanted) -> list[Source]:
    """Workbooks.

    Args:
        pieces: The files.
        wanted: Columns, units, and the sheet.

    Returns:
        list: one source for each sheet that is a table of results.

    Raises:
        InputError: A file is damaged, harmful, protected, or has no such table.
        MissingExtraError: python-calamine is not there.
    """
    return [source for piece in pieces for source in _read(piece, wanted)]


def _read(piece: Piece, wanted: Wanted) -> list[Source]:
    if find_spec("python_calamine") is None:
        raise MissingExtraError("tables")
    parts = parts_of(piece.data, piece.name) if is_zip(piece.data) else Parts({}, {}, ())
    sheets = told_by_another("labinterp._formats.sheets", "tell", piece.data, piece.name)
    names = [one["name"] for one in sheets]
    if wanted.sheet is not None and wanted.sheet not in names:
        raise InputError(f"there is no sheet {wanted.sheet!r}; this workbook has: {', '.join(name[:30] for name in names[:12])}")
    found: list[Source] = []
    wrong: list[tuple[str, str]] = []
    for one in sheets:
        name = one["name"]
        if wanted.sheet not in (None, name):
            continue
        try:
            lines, exact = _cells(one, parts)
            if not any(cell.strip() for line in lines for cell in line):
                continue
            source = source_of(Grid(piece.name, lines, exact, XLSX, f"sheet {name}", counted=True), wanted)
        except InputError as error:
            wrong.append((name, str(error)))
            continue
        place = stood(piece.name, f"sheet {name}")
        said = (f"{place}: the sheet is hidden; it was read like the others.",) if one["hidden"] else ()
        found.append(source._replace(notes=(*source.notes, *said)))
    if not found:
        if wrong:
            raise InputError(f"{called(piece.name)}no sheet is a table of results; {wrong[0][0][:30]!r}: {wrong[0][1]}")
        raise InputError(
            f"{called(piece.name)}the workbook is empty; accepted: a sheet with one result a row, or a column for each analyte"
        )
    passed = [f"{stood(piece.name, f'sheet {name}')}: not read: {why}" for name, why in wrong]
    found[0] = found[0]._replace(notes=(*found[0].notes, *passed, *parts.notes))
    return found


def _cells(told: Mapping[str, Any], parts: Parts) -> tuple[list[list[str]], dict[tuple[int, int], Any]]:
    """The texts of a sheet, and its cells that are numbers or cannot be; with what was seen in the parts of the file."""
    if told["wrong"]:
        raise InputError(told["wrong"])
    lines: list[list[str]] = told["lines"]
    exact: dict[tuple[int, int], Any] = {
        (line, at): Decimal(kept[0]) if len(kept) == 1 else Unreadable(*kept) for line, at, *kept in told["exact"]
    }
    for place in parts.percent.get(told["name"], frozenset()):
        number = exact.get(place)
        if isinstance(number, Decimal):  # 0.25, which is shown as 25 %
            lines[place[0]][place[1]] = f"{(number * 100).normalize():f}%"
            del exact[place]
    for (row, at), text in parts.errors.get(told["name"], {}).items():
        if row < len(lines) and at < len(lines[row]) and not lines[row][at]:
            lines[row][at], exact[row, at] = text, (_FORMULA if text == NO_VALUE else ERROR)._replace(text=text)
    width = max((at + 1 for line in lines for at, cell in enumerate(line) if cell.strip()), default=0)
    return [line[:width] if any(cell.strip() for cell in line) else [] for line in lines], exact
