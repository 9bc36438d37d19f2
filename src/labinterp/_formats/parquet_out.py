"""Reports -> Parquet: the rows as they were read, and the columns that `interpret_frame` adds, typed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from labinterp._catalog import Catalog
from labinterp._formats.answer_rows import STATED, answer_rows
from labinterp._intake import Source
from labinterp._report import Report
from labinterp._results import Finding, NotAssessed
from labinterp._summary import ADDED, cells
from labinterp.errors import InputError, MissingExtraError

_NUMBERS = ("value", "si_value")


def write(source: Source, reports: Sequence[Report], catalog: Catalog) -> bytes:
    """A long table keeps its own columns, as texts; anything else becomes a plain table with one result a row.

    Args:
        source: What was read.
        reports: One for each of its panels.
        catalog: The data they were made with.

    Raises:
        InputError: The table has a column of such a name already.
        MissingExtraError: polars is not there.
    """
    try:
        import polars as pl
    except ImportError:
        raise MissingExtraError("dataframes") from None
    answers: list[Finding | NotAssessed | None]
    if source.table is not None:
        by_row = {answer.row: answer for report in reports for answer in report.rows()}
        answers = [by_row.get(number) for number in range(1, len(source.table.rows) + 1)]
        width = max([len(source.table.header), *map(len, source.table.rows)])
        names = [*source.table.header, *[""] * (width - len(source.table.header))]
        rows: list[Sequence[str]] = [[*row, *[""] * (width - len(row))] for row in source.table.rows]
    else:
        listed = list(answer_rows(source, reports))
        names, rows, answers = list(STATED), [one.stated for one in listed], [one.answer for one in listed]
    names = _distinct(names)
    clash = sorted({f"li_{name}" for name in ADDED} & set(names))
    if clash:
        raise InputError(f"the file already has the column {clash[0]!r}; rename it, or use --to json")
    columns: dict[str, Any] = {name: pl.Series(name, [row[at] or None for row in rows], dtype=pl.String) for at, name in enumerate(names)}
    if source.table is None:
        columns["collected_at"] = columns["collected_at"].str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    added = [cells(answer) for answer in answers]
    for at, name in enumerate(ADDED):
        texts = [row[at] for row in added]
        if name in _NUMBERS:
            columns[f"li_{name}"] = pl.Series(f"li_{name}", [_number(answer, name) for answer in answers], dtype=pl.Float64)
        else:
            columns[f"li_{name}"] = pl.Series(f"li_{name}", [text or None for text in texts], dtype=pl.String)
    file = io.BytesIO()
    pl.DataFrame(list(columns.values())).write_parquet(file)
    return file.getvalue()


def _number(answer: Finding | NotAssessed | None, name: str) -> float | None:
    if answer is None or answer.quantity is None:
        return None
    if name == "value":
        return float(answer.quantity.value)
    return answer.si[0] if isinstance(answer, Finding) else None


def _distinct(names: Sequence[str]) -> list[str]:
    """Names of columns, each once; one that stands twice gets a number behind it."""
    kept: list[str] = []
    for name in names:
        number, free = 2, name
        while free in kept:
            free, number = f"{name}_{number}", number + 1
        kept.append(free)
    return kept
