"""A file as read and what came of it -> the file as CSV, with the answers beside its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from labinterp._inputs import LabResult
from labinterp._intake import Source
from labinterp._quantity import Unreadable
from labinterp._report import Report
from labinterp._summary import ADDED, cells
from labinterp._table import Table, write_table
from labinterp.errors import InputError

_ADDED = [f"li_{name}" for name in ADDED]


def no_clash(source: Source) -> None:
    """Check that the answers can stand beside a file's own columns.

    Raises:
        InputError: A column has the name of one of them.
    """
    clash = sorted(set(_ADDED) & {name.strip() for name in source.table.header}) if source.table else []
    if clash:
        raise InputError(f"the file already has the column {clash[0]!r}; rename it, or use --to json")


def flagged(source: Source, reports: Sequence[Report]) -> str:
    """Every row and column in order, and the answers behind them."""
    answers = {answer.row: answer for report in reports for answer in report.rows()}
    table = source.table or _table_of(source)
    return write_table(table, _ADDED, _cells(table, answers))


def _cells(table: Table, answers: dict[int, Any]) -> Iterator[list[str]]:
    for number in range(1, len(table.rows) + 1):
        yield cells(answers.get(number))


def _table_of(source: Source) -> Table:
    """A plain table for results that came as JSON, in the order of the file."""
    rows = {
        row: [panel.patient.id or "", r.test, _printed(r), r.unit or ""]
        for panel in source.panels
        for row, r in zip(panel.rows, panel.results, strict=True)
    }
    listed = [rows.get(number, []) for number in range(1, max(rows, default=0) + 1)]
    return Table(["patient_id", "test", "value", "unit"], listed, {}, ",", "utf-8")


def _printed(result: LabResult) -> str:
    """A value as its reader found it; what it gave up on, as it stood there."""
    if isinstance(result.value, Unreadable):
        return result.value.text
    return "" if result.value is None else f"{result.comparator or ''}{result.value}"
