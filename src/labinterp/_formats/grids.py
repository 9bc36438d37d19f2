"""A grid of cells, as text files, sheets and Parquet hold it -> panels: a long table, or a wide one with a column for each analyte."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from labinterp._catalog import Catalog
from labinterp._delimited import cells_of, delimiter_of, text_of
from labinterp._formats.tables import panels_of
from labinterp._formats.wide_tables import Wide, wide_panels, wide_table
from labinterp._intake import Source, Wanted, stood
from labinterp._quantity import PLAIN
from labinterp._table import TITLES, Table, header_of, roles_in
from labinterp.errors import InputError


class Grid(NamedTuple):
    """Cells, before it is known what they are.

    Attributes:
        name: Of the file.
        lines: Texts of the cells, line by line.
        exact: (line, column) -> a number, or `Unreadable` for a cell that is no number whatever its text.
        format: Name of the form.
        where: What stands before the number of a row: a sheet.
        delimiter: Of the table that is written from it.
        encoding: As found.
        counted: Whether a row has the number of its line, as sheets print it; else the first below the header is 1.
    """

    name: str
    lines: list[list[str]]
    exact: Mapping[tuple[int, int], Any]
    format: str
    where: str = ""
    delimiter: str = ","
    encoding: str = "utf-8"
    counted: bool = False


def source_of(grid: Grid, wanted: Wanted) -> Source:
    """The panels of a grid.

    Args:
        grid: The cells.
        wanted: Columns and units.

    Raises:
        InputError: It is neither a long nor a wide table of results.
    """
    wide: Wide | None = None
    try:
        above, columns = header_of(grid.lines, wanted.columns)
    except InputError as error:
        wide = wide_table(grid.lines, wanted, Catalog.default(), error)
        above, columns = wide.table.above, wide.table.columns
    rows = grid.lines[above + 1 :]
    exact = {(line - above - 1, column): value for (line, column), value in grid.exact.items() if line > above}
    table = Table(grid.lines[above], rows, columns, grid.delimiter, grid.encoding, above)
    name, first = stood(grid.name, grid.where) if grid.where else grid.name, above + 2 if grid.counted else 1
    notes = [_passed_over(grid, above)] if any(cell.strip() for line in grid.lines[:above] for cell in line) else []
    if wide is None:
        notes += _run_into(table, grid)
        return Source(panels_of(table, exact, name, first), table, grid.format, tuple(notes))
    wide = wide._replace(table=table)
    panels, answers, said = wide_panels(wide, exact, name, first)
    return Source(panels, None, grid.format, (*notes, *said), wide._replace(places=answers))


def wide_by_its_beginning(data: bytes, wanted: Wanted) -> bool:
    """Whether the first bytes of a text file are those of a wide table."""
    try:
        text, _ = text_of(data, wanted.encoding)
        text = text[: text.rfind("\n") + 1] or text
        lines, _ = cells_of(text, delimiter_of(text, roles_in) if wanted.delimiter is None else wanted.delimiter)
    except InputError:
        return False
    return is_wide(lines[: TITLES + 1], wanted)


def is_wide(lines: list[list[str]], wanted: Wanted) -> bool:
    """Whether some lines begin a wide table: they begin no long one."""
    try:
        header_of(lines, wanted.columns)
    except InputError as error:
        try:
            wide_table(lines, wanted, Catalog.default(), error)
        except InputError:
            return False
        return True
    return False


def _run_into(table: Table, grid: Grid) -> list[str]:
    """What is to be said of a header that holds numbers and is longer than every row: a row may have run into it."""
    numbers = [cell.strip() for cell in table.header if PLAIN(cell.strip())]
    if not numbers or not table.rows or max(map(len, table.rows)) >= len(table.header):
        return []
    place = stood(grid.name, grid.where) if grid.where else grid.name
    return [
        f"{place or 'the table'}: the header holds numbers and is longer than every row; a row of results may have run into it and be lost."
    ]


def _passed_over(grid: Grid, above: int) -> str:
    count = sum(any(cell.strip() for cell in line) for line in grid.lines[:above])
    place = stood(grid.name, grid.where) if grid.where else grid.name
    return (
        f"{place or 'the table'}: {count} {'lines' if count > 1 else 'line'} above the header {'were' if count > 1 else 'was'} passed over."
    )
