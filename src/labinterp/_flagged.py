"""A file as read and what came of it -> the file as CSV, with the answers beside its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labinterp._formats.answer_rows import STATED, answer_rows
from labinterp._formats.wide_tables import Wide
from labinterp._intake import Source
from labinterp._report import Report
from labinterp._results import Finding, NotAssessed
from labinterp._summary import ADDED, cells
from labinterp._table import Table, write_table
from labinterp.errors import InputError

_ADDED = [f"li_{name}" for name in ADDED]
WIDE_ADDED = ("code", "band", "limits", "reason")  # behind the header of each column of results


def no_clash(source: Source) -> None:
    """Check that the answers can stand beside a file's own columns.

    Raises:
        InputError: A column has the name of one of them.
    """
    header, added = (source.table.header, _ADDED) if source.table else ([], _ADDED)
    if isinstance(source.original, Wide):
        header, added = source.original.table.header, _wide_names(source.original)
    clash = sorted(set(added) & {name.strip() for name in header})
    if clash:
        raise InputError(f"the file already has the column {clash[0]!r}; rename it, or use --to json")


def flagged(source: Source, reports: Sequence[Report]) -> str:
    """Every row and column in order, and the answers behind them; what was no table becomes a plain one."""
    answers = {answer.row: answer for report in reports for answer in report.rows()}
    if isinstance(source.original, Wide):
        wide = source.original
        return write_table(wide.table, _wide_names(wide), _wide_cells(wide, answers))
    if source.table is not None:
        table = source.table
        return write_table(table, _ADDED, (cells(answers.get(number)) for number in range(1, len(table.rows) + 1)))
    listed = list(answer_rows(source, reports))
    plain = Table(list(STATED), [list(one.stated) for one in listed], {}, ",", "utf-8")
    return write_table(plain, _ADDED, (cells(one.answer) for one in listed))


def _wide_names(wide: Wide) -> list[str]:
    return [f"{column.header} li_{name}" for column in wide.results for name in WIDE_ADDED]


def _wide_cells(wide: Wide, answers: dict[int, Finding | NotAssessed]) -> Iterator[list[str]]:
    by_cell = {place: answers.get(number) for number, place in wide.places.items()}
    for row in range(len(wide.table.rows)):
        yield [text for column in wide.results for text in _answer(by_cell.get((row, column.at)))]


def _answer(answer: Finding | NotAssessed | None) -> list[str]:
    if answer is None:
        return [""] * len(WIDE_ADDED)
    if isinstance(answer, Finding):
        return [answer.code, answer.band or "", answer.limits, ""]
    return ["", "", "", answer.reason]
