"""Reports -> a workbook: the results, what was not assessed and why, and what it all rests on. Texts are never formulas."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from labinterp._catalog import Catalog
from labinterp._formats.answer_rows import STATED, AnswerRow, answer_rows
from labinterp._intake import Source
from labinterp._quantity import PLAIN
from labinterp._report import Report
from labinterp._results import Finding, NotAssessed
from labinterp.errors import InputError, MissingExtraError

_MOST_ROWS: Final = 1_000_000  # a sheet ends at 1,048,576
_LONGEST: Final = 32_000  # characters of a cell; a sheet ends at 32,767
_RESULTS: Final = (*STATED, "analyte", "comparator", "number", "UCUM unit", "code", "meaning", "band", "limits", "kind", "near a line")
_REFUSED: Final = (*STATED, "analyte", "reason", "why")
_ACROSS: Final = ("patient_id", "what", "name", "certainty", "rows", "text")
_SOURCES: Final = ("limits", "source", "where in it", "checked", "address")


def write(source: Source, reports: Sequence[Report], catalog: Catalog) -> bytes:
    """A workbook with the sheets Results, Not assessed, Read together, Sources, About.

    Args:
        source: What was read.
        reports: One for each of its panels.
        catalog: The data they were made with.

    Raises:
        InputError: There are more rows than a sheet holds.
        MissingExtraError: xlsxwriter is not there.
    """
    try:
        import xlsxwriter
    except ImportError:
        raise MissingExtraError("tables") from None
    listed = list(answer_rows(source, reports))
    if len(listed) > _MOST_ROWS:
        raise InputError(f"{len(listed):,} results do not go into a sheet; use -o NAME.parquet or NAME.csv")
    file = io.BytesIO()
    safe = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    book = xlsxwriter.Workbook(file, safe)
    bold = book.add_format({"bold": True})

    def sheet(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        page = book.add_worksheet(name)
        page.freeze_panes(1, 0)
        for at, text in enumerate(header):
            page.write_string(0, at, text, bold)
        for number, row in enumerate(rows, 1):
            for at, cell in enumerate(row):
                if isinstance(cell, (int, float, Decimal)) and not isinstance(cell, bool):
                    page.write_number(number, at, float(cell))
                elif cell:
                    page.write_string(number, at, _printable(str(cell)))
        page.set_column(0, 0, 28)
        page.set_column(1, len(header), 15)

    sheet("Results", _RESULTS, (_result(one, one.answer) for one in listed if isinstance(one.answer, Finding)))
    sheet("Not assessed", _REFUSED, (_refused(one, one.answer) for one in listed if isinstance(one.answer, NotAssessed)))
    sheet("Read together", _ACROSS, (row for report in reports for row in _together(report)))
    sheet("Sources", _SOURCES, _sources(reports))
    sheet("About", ("about",), [[text] for text in _about(source, reports, catalog)])
    book.close()
    return file.getvalue()


def _result(one: AnswerRow, finding: Finding) -> list[Any]:
    exact = finding.quantity.high is None
    return [
        *_stated(one), finding.analyte, finding.comparator, finding.value if exact else finding.quantity.number, finding.unit, finding.code,
        finding.label, finding.band or "", finding.limits, finding.kind.replace("_", " "), "yes" if finding.near_limit else "",
    ]  # fmt: skip


def _refused(one: AnswerRow, refused: NotAssessed) -> list[Any]:
    return [*_stated(one), refused.analyte or "", refused.reason, refused.message]


def _stated(one: AnswerRow) -> list[Any]:
    """What was read; a value that is a plain number as a number."""
    cells: list[Any] = list(one.stated)
    at = STATED.index("value")
    if PLAIN(cells[at]) and len(cells[at]) < 15 and Decimal(cells[at]) == Decimal(repr(float(cells[at]))):
        cells[at] = float(cells[at])
    return cells


def _together(report: Report) -> Iterable[list[Any]]:
    who = report.patient.id or ""
    for alert in report.alerts:
        yield [who, "needs attention", alert.tier, "", str(alert.row), alert.text]
    for match in report.patterns:
        yield [who, "pattern", match.name, match.certainty, ", ".join(map(str, match.because)), match.text]
    for effect in report.effects:
        yield [who, "muscle effect", effect.name, effect.certainty, ", ".join(map(str, effect.because)), effect.text]
    for note in report.notes:
        yield [who, "note", "", "", "", note]


def _sources(reports: Sequence[Report]) -> Iterable[list[Any]]:
    """Each limit set that answered, and where it is printed."""
    seen: dict[str, Finding] = {}
    for report in reports:
        for finding in (*report.findings, *report.derived):
            seen.setdefault(finding.limits, finding)
    for limits in sorted(seen):
        for cite in seen[limits].citations:
            yield [
                limits,
                *(str(cite.get(key) or "") for key in ("source", "locator", "checked")),
                str(cite.get("url") or cite.get("doi") or ""),
            ]


def _about(source: Source, reports: Sequence[Report], catalog: Catalog) -> list[str]:
    from labinterp import __version__

    said = list(dict.fromkeys(text for report in reports for text in (report.disclaimer, *report.standing)))
    said = said or [catalog.table["policy"]["disclaimer"], *catalog.standing]
    return [f"labinterp {__version__}", f"catalog {catalog.version}", f"read as {source.format}", *said, *source.notes]


def _printable(text: str) -> str:
    """A text a sheet can hold: XML has no control characters."""
    return "".join(c if c >= " " or c in "\t\n\r" else "\ufffd" for c in text)[:_LONGEST].encode("utf-8", "replace").decode("utf-8")
