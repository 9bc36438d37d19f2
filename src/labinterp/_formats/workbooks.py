"""Workbooks (.xlsx, .xls, .ods) -> panels: every sheet that is a table of results, long or wide.

What a cell holds is read, nothing is computed: of a formula, the value that the program which wrote the file kept with it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

from labinterp._formats.apart import told_by_another
from labinterp._formats.archives import called, is_zip
from labinterp._formats.grids import Grid, source_of
from labinterp._formats.kinds import XLSX
from labinterp._formats.parquet_files import cell_of
from labinterp._formats.workbook_parts import MOST_CELLS, NO_VALUE, Parts, parts_of
from labinterp._intake import Piece, Source, Wanted, stood
from labinterp._quantity import Unreadable
from labinterp.errors import InputError, MissingExtraError

Cells = tuple[list[list[str]], dict[tuple[int, int], Any]]
_A_DAY: Final = Unreadable(
    "unreadable_value", "The cell holds a day, as spreadsheets make of texts such as 5-10; what was typed is not in the file."
)
_FORMULA: Final = Unreadable(
    "unreadable_value", "The cell holds a formula whose value is not in the file; open it in a spreadsheet and save it."
)
_ERROR: Final = Unreadable("unreadable_value", "The cell holds an error of the spreadsheet, not a number.")


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


class Sheet(NamedTuple):
    """A sheet, before its cells are looked at."""

    name: str
    hidden: bool
    cells: Callable[[], Cells]


def _read(piece: Piece, wanted: Wanted) -> list[Source]:
    parts = parts_of(piece.data, piece.name) if is_zip(piece.data) else Parts({}, {}, ())
    sheets = sheets_of(piece.data, piece.name, parts) if is_zip(piece.data) else _old_sheets(piece)
    names = [one.name for one in sheets]
    if wanted.sheet is not None and wanted.sheet not in names:
        raise InputError(f"there is no sheet {wanted.sheet!r}; this workbook has: {', '.join(name[:30] for name in names[:12])}")
    found: list[Source] = []
    wrong: list[tuple[str, str]] = []
    for one in sheets:
        if wanted.sheet not in (None, one.name):
            continue
        try:
            lines, exact = one.cells()
            if not any(cell.strip() for line in lines for cell in line):
                continue
            source = source_of(Grid(piece.name, lines, exact, XLSX, f"sheet {one.name}", counted=True), wanted)
        except InputError as error:
            wrong.append((one.name, str(error)))
            continue
        place = stood(piece.name, f"sheet {one.name}")
        said = (f"{place}: the sheet is hidden; it was read like the others.",) if one.hidden else ()
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


def sheets_of(data: bytes, name: str, parts: Parts) -> list[Sheet]:
    """The sheets of a workbook, opened in this process.

    Args:
        data: The file.
        name: For messages.
        parts: What was seen in it.

    Raises:
        InputError: It is protected or damaged.
        MissingExtraError: python-calamine is not there.
    """
    try:
        import python_calamine as calamine
    except ImportError:
        raise MissingExtraError("tables") from None
    try:
        workbook = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        listed = [one for one in workbook.sheets_metadata if one.typ == calamine.SheetTypeEnum.WorkSheet]
    except calamine.PasswordError:
        raise InputError(f"{called(name)}the workbook is protected by a password; save it without one") from None
    except BaseException as error:
        if not _of_the_file(error):
            raise
        raise InputError(
            f"{called(name)}this is no workbook that can be read (.xlsx, .xls, .ods), or it is damaged; save it again, or as CSV"
        ) from None

    def cells(sheet: str) -> Cells:
        try:
            return _cells(workbook.get_sheet_by_name(sheet), parts.errors.get(sheet, {}), parts.percent.get(sheet, frozenset()))
        except BaseException as error:
            if isinstance(error, InputError) or not _of_the_file(error):
                raise
            raise InputError("the sheet is damaged") from None

    return [Sheet(one.name, one.visible != calamine.SheetVisibleEnum.Visible, partial(cells, one.name)) for one in listed]


def _old_sheets(piece: Piece) -> list[Sheet]:
    """The sheets of a .xls, opened in a process of its own: a damaged one can end the process that reads it."""
    if find_spec("python_calamine") is None:
        raise MissingExtraError("tables")
    return [
        Sheet(one["name"], one["hidden"], partial(_told, one["lines"], one["exact"], one["wrong"]))
        for one in told_by_another("labinterp._formats.workbooks", "tell", piece.data, piece.name)
    ]


def _told(lines: list[list[str]], exact: list[list[Any]], wrong: str) -> Cells:
    if wrong:
        raise InputError(wrong)
    return lines, {(line, at): Decimal(kept[0]) if len(kept) == 1 else Unreadable(*kept) for line, at, *kept in exact}


def tell(data: bytes) -> list[dict[str, Any]]:
    """The sheets of a workbook as plain data, for the process that asked for them.

    Raises:
        InputError: As `sheets_of`.
    """
    told = []
    for sheet in sheets_of(data, "", Parts({}, {}, ())):
        lines: list[list[str]] = []
        exact: dict[tuple[int, int], Any] = {}
        wrong = ""
        try:
            lines, exact = sheet.cells()
        except InputError as error:
            wrong = str(error)
        kept = [[*place, *([str(plain)] if not isinstance(plain, Unreadable) else plain)] for place, plain in exact.items()]
        told.append({"name": sheet.name, "hidden": sheet.hidden, "lines": lines, "exact": kept, "wrong": wrong})
    return told


def _of_the_file(error: BaseException) -> bool:
    """Whether an error is one of reading a damaged file; those of Rust say so by their names only."""
    rust = ("python_calamine", "python_calamine._python_calamine", "pyo3_runtime")
    return isinstance(error, (ValueError, OverflowError, OSError)) or type(error).__module__ in rust


def _cells(sheet: Any, errors: Mapping[tuple[int, int], str], percent: frozenset[tuple[int, int]]) -> Cells:
    lines: list[list[str]] = []
    exact: dict[tuple[int, int], Any] = {}
    if sheet.start is None or (sheet.end[0] + 1) * (sheet.end[1] + 1) > MOST_CELLS:
        if sheet.start is None:
            return [], {}
        raise InputError("the sheet has too many cells to be read; delete empty rows and columns, or save it as CSV")
    for number, row in enumerate(sheet.to_python(skip_empty_area=False)):
        line = []
        for at, value in enumerate(row):
            text, plain = _cell(value)
            if isinstance(plain, Decimal) and (number, at) in percent:  # 0.25, which is shown as 25 %
                text, plain = f"{(plain * 100).normalize():f}%", None
            if plain is not None:
                exact[number, at] = plain
            line.append(text)
        lines.append(line)
    for (number, at), text in errors.items():
        if number < len(lines) and at < len(lines[number]) and not lines[number][at]:
            lines[number][at], exact[number, at] = text, (_FORMULA if text == NO_VALUE else _ERROR)._replace(text=text)
    width = max((len(line) for line in lines), default=0)
    while (
        width
        and all(len(line) < width or not line[width - 1].strip() for line in lines[:40])
        and not any(len(line) >= width and line[width - 1].strip() for line in lines)
    ):
        width -= 1
    return [line[:width] if any(cell.strip() for cell in line) else [] for line in lines], exact


def _cell(value: Any) -> tuple[str, Any]:
    """The text of a cell and its exact number: 15 digits, as a spreadsheet shows them; what lies behind them is noise of computing."""
    if isinstance(value, float):
        number = Decimal(format(value, ".15g"))
        text = str(int(number)) if number == number.to_integral_value() and abs(number) < 10**15 else str(number)
        return text, Decimal(text)
    if isinstance(value, (date, datetime, time, timedelta)):
        text = cell_of(value)[0]
        return text, _A_DAY._replace(text=text)
    if isinstance(value, str) and value[:1] == "#" and value.rstrip("!?").isupper():
        return value, _ERROR._replace(text=value)
    return cell_of(value)
