"""A source and its reports -> rows of a plain long table: what was read, where it stood, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from labinterp._inputs import LabResult
from labinterp._intake import PanelIn, Source
from labinterp._quantity import Unreadable
from labinterp._report import Report
from labinterp._results import Finding, NotAssessed

STATED = ("source", "patient_id", "collected_at", "test", "value", "unit", "reference_range", "flag")


class AnswerRow(NamedTuple):
    """One result and its answer.

    Attributes:
        row: Its number in the source; 0 for what was computed from others.
        stated: What was read, under the names in `STATED`.
        value: As it was read: a text or a number.
        answer: What came of it.
    """

    row: int
    stated: tuple[str, ...]
    value: Any
    answer: Finding | NotAssessed | None


def answer_rows(source: Source, reports: Sequence[Report]) -> Iterator[AnswerRow]:
    """Every result in the order of the source, then what was computed from them.

    Args:
        source: What was read.
        reports: One for each of its panels, in order.
    """
    answers = {answer.row: answer for report in reports for answer in report.rows()}
    listed = sorted(
        ((row, panel, result) for panel in source.panels for row, result in zip(panel.rows, panel.results, strict=True)),
        key=lambda one: one[0],
    )
    for row, panel, result in listed:
        yield AnswerRow(row, _stated(row, panel, result), result.value, answers.get(row))
    for panel, report in zip(source.panels, reports, strict=True):
        for finding in report.derived:
            behind = finding.derived_from.rows if finding.derived_from else ()
            said = f"computed from {'row' if len(behind) == 1 else 'rows'} {', '.join(map(str, behind))}"
            day = next((_text(r.collected_at) for r in panel.results if r.collected_at is not None), "")
            yield AnswerRow(
                0, (said, panel.patient.id or "", day, finding.name, finding.value_text, finding.unit, "", ""), finding.value, finding
            )


def _stated(row: int, panel: PanelIn, result: LabResult) -> tuple[str, ...]:
    text = result.ref_text or ""
    if not text and (result.ref_low is not None or result.ref_high is not None):
        text = f"{_text(result.ref_low)}-{_text(result.ref_high)}"
    value = result.value.text if isinstance(result.value, Unreadable) else _text(result.value)
    if result.comparator:
        value = f"{result.comparator}{value}"
    place = f"row {row}" if result.source is None else str(result.source)
    return (
        place,
        _text(panel.patient.id),
        _text(result.collected_at),
        _text(result.test),
        value,
        _text(result.unit),
        _text(text),
        _text(result.flag),
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)
