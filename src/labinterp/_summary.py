"""What came of a file: counts of rows by answer and by reason, and the row-by-row columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from labinterp._quantity import Quantity
from labinterp._report import Report
from labinterp._results import Finding, NotAssessed

ADDED = ("analyte", "comparator", "value", "unit", "si_value", "si_unit", "code", "band", "limits", "reason")


def counts(reports: Iterable[Report]) -> dict[str, object]:
    """Rows in all, flagged, normal, indeterminate, not assessed, and the reasons."""
    flagged = normal = indeterminate = 0
    reasons: Counter[str] = Counter()
    for report in reports:
        for finding in report.findings:
            if finding.code == "N":
                normal += 1
            elif finding.code == "IND":
                indeterminate += 1
            else:
                flagged += 1
        reasons.update(refused.reason for refused in report.not_assessed)
    refused = sum(reasons.values())
    return {
        "rows": flagged + normal + indeterminate + refused,
        "flagged": flagged,
        "normal": normal,
        "indeterminate": indeterminate,
        "not_assessed": refused,
        "reasons": dict(reasons.most_common()),
    }


def summary_line(reports: Iterable[Report]) -> str:
    """One line for standard error.

    Example:
        >>> summary_line([])
        '0 rows: 0 flagged, 0 normal, 0 indeterminate, 0 not assessed'
    """
    return told(counts(reports))


def summed(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts of several lots of reports as those of all of them.

    Example:
        >>> told(summed([counts([]), counts([])]))
        '0 rows: 0 flagged, 0 normal, 0 indeterminate, 0 not assessed'
    """
    reasons: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for part in parts:
        totals.update({name: count for name, count in part.items() if name != "reasons"})
        reasons.update(part["reasons"])
    names = ("rows", "flagged", "normal", "indeterminate", "not_assessed")
    return {**{name: totals[name] for name in names}, "reasons": dict(reasons.most_common())}


def told(found: Mapping[str, Any]) -> str:
    """Counts in one line."""
    line = f"{found['rows']} row{'' if found['rows'] == 1 else 's'}: {found['flagged']} flagged, {found['normal']} normal, {found['indeterminate']} indeterminate, {found['not_assessed']} not assessed"
    reasons = found["reasons"]
    return line + (f" ({', '.join(f'{name} {count}' for name, count in reasons.items())})" if isinstance(reasons, dict) and reasons else "")


def cells(answer: Finding | NotAssessed | None) -> list[str]:
    """The added columns of one row, as text; empty where there is nothing to say. A value that was read is given even without an answer."""
    if answer is None:
        return [""] * len(ADDED)
    if isinstance(answer, Finding):
        return [answer.analyte, *_number(answer.quantity), *_si(answer), answer.code, answer.band or "", answer.limits, ""]
    number = ["", "", ""] if answer.quantity is None else _number(answer.quantity)
    return [answer.analyte or "", *number, "", "", "", "", "", answer.reason]


def _number(quantity: Quantity) -> list[str]:
    return [quantity.comparator, str(quantity.value) if quantity.high is None else quantity.number, quantity.unit]


def _si(finding: Finding) -> list[str]:
    number, unit = finding.si
    return [repr(number), unit]
