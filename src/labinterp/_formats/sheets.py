"""A workbook -> its sheets as plain data. Runs in a process of its own: a damaged file may end it, or keep it for ever."""

from __future__ import annotations

import io
from typing import Any, Final

from labinterp._formats.cell_texts import sheet_cell
from labinterp._quantity import Unreadable
from labinterp.errors import InputError

MOST_CELLS: Final = 20_000_000  # of a sheet, from its first cell to its last, the empty ones too


def tell(data: bytes) -> list[dict[str, Any]]:
    """The sheets of a workbook: name, hidden, lines of texts, exact cells, and what is wrong with the sheet.

    Args:
        data: The file.

    Raises:
        InputError: It is protected or damaged.
    """
    import python_calamine as calamine

    try:
        workbook = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        listed = [one for one in workbook.sheets_metadata if one.typ == calamine.SheetTypeEnum.WorkSheet]
    except calamine.PasswordError:
        raise InputError("the workbook is protected by a password; save it without one") from None
    except BaseException as error:
        if not _of_the_file(error):
            raise
        raise InputError("this is no workbook that can be read (.xlsx, .xls, .ods), or it is damaged; save it again, or as CSV") from None
    told = []
    for one in listed:
        sheet: dict[str, Any] = {"name": one.name, "hidden": one.visible != calamine.SheetVisibleEnum.Visible}
        try:
            lines, exact = _cells(workbook.get_sheet_by_name(one.name))
            told.append({**sheet, "lines": lines, "exact": exact, "wrong": ""})
        except BaseException as error:
            if not _of_the_file(error):
                raise
            told.append(
                {**sheet, "lines": [], "exact": [], "wrong": str(error) if isinstance(error, InputError) else "the sheet is damaged"}
            )
    return told


def _cells(sheet: Any) -> tuple[list[list[str]], list[list[Any]]]:
    """Texts, line by line, and (line, column, number) or (line, column, reason, message, text)."""
    if sheet.start is None:
        return [], []
    if (sheet.end[0] + 1) * (sheet.end[1] + 1) > MOST_CELLS:
        raise InputError("the sheet has too many cells to be read; delete empty rows and columns, or save it as CSV")
    lines: list[list[str]] = []
    exact: list[list[Any]] = []
    for number, row in enumerate(sheet.to_python(skip_empty_area=False)):
        cells = [sheet_cell(value) for value in row]
        lines.append([text for text, _ in cells])
        for at, (_, plain) in enumerate(cells):
            if plain is not None:
                exact.append([number, at, *(plain if isinstance(plain, Unreadable) else [str(plain)])])
    return lines, exact


def _of_the_file(error: BaseException) -> bool:
    """Whether an error is one of reading a damaged file; those of Rust say so by their names only."""
    rust = ("python_calamine", "python_calamine._python_calamine", "pyo3_runtime")
    return isinstance(error, (ValueError, OverflowError, OSError)) or type(error).__module__ in rust
