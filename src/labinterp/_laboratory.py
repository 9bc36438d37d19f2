"""The laboratory's own range beside ours: first where the guideline defers to it, its disagreement told everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labinterp._codes import direction
from labinterp._flag_words import agrees
from labinterp._measure import Measured
from labinterp._reported import Reported
from labinterp._results import Basis, Finding, Memo, NotAssessed
from labinterp._spans import holds

if TYPE_CHECKING:
    from labinterp._book import Book


def _alerted(book: Book, measured: Measured, entry: Mapping[str, Any]) -> bool:
    spans = [alert for alert in entry["alerts"] if set(alert["requires"]) <= book.patient.contexts]
    return any(holds(book.catalog, measured, span) is True for span in (*entry["critical"], *spans))


def in_this_unit(reported: Reported, rule_edges: Sequence[float], codes: Sequence[str]) -> bool:
    """Whether a printed range can be in the unit of the value: it must overlap what our own limits call normal.

    "0.70 - 1.00" beside a magnesium in mg/dL is the range in mmol/L; used as it stands it would turn low into high.
    """
    normal = [n for n, code in enumerate(codes) if code == "N"]
    if not normal:
        return True
    bottom = rule_edges[normal[0] - 1] if normal[0] else 0.0
    top = rule_edges[normal[-1]] if normal[-1] < len(rule_edges) else float("inf")
    low = 0.0 if reported.low is None else float(reported.low)
    high = float("inf") if reported.high is None else float(reported.high)
    return low < top and high > bottom


def with_laboratory(book: Book, measured: Measured, entry: Mapping[str, Any], result: Finding | NotAssessed) -> Finding | NotAssessed:
    """The laboratory's range first where the guideline defers to it; its disagreement told everywhere."""
    reported = measured.reported
    code = reported.code if reported else None
    own = result if isinstance(result, Finding) else None
    if reported is not None and code is not None and entry["lab_range"]["first"] and book.wanted(measured.analyte) is None:
        same_side = own is not None and direction(own.code) == direction(code)
        # a severe band keeps its grade within the laboratory's "low" or "high", and stands against its "normal" where an alert is raised
        severe = own is not None and own.code in ("LU", "HU") and (same_side or _alerted(book, measured, entry))
        if not severe:
            band = entry["lab_range"][direction(code) or "normal"]
            basis = (
                own.basis._replace(possible=(), memo=Memo())
                if own
                else Basis(book.catalog, book.patient, None, None, book.as_of, None, (), Memo())
            )
            result = Finding(
                measured.row, measured.analyte, measured.source_name, measured.value_text, measured.quantity, code, band,
                "reported", "reference_interval", "laboratory", reported, measured.notes, basis,
            )  # fmt: skip
        if severe and own is not None and direction(own.code) != direction(code):
            result = own._replace(
                notes=(*own.notes, f"The laboratory's own range says {code}; {own.limits} says {own.code}, which is kept.")
            )
        elif own is not None and direction(own.code) != direction(code) and own.code != "IND":
            said = f"The laboratory's own range came first. By {own.limits} the value is {(own.band or '').replace('_', ' ')} ({own.code})."
            result = result._replace(notes=(*result.notes, said)) if isinstance(result, Finding) else result
    elif own is not None and code is not None and direction(own.code) not in (None, direction(code)):
        said = f"The laboratory's own range says {code}; {own.limits} says {own.code}."
        result = own._replace(notes=(*own.notes, said))
    if isinstance(result, Finding) and reported is not None and not agrees(reported.flag_code, code):
        said = f"The laboratory's flag ({reported.flag_code}) and its printed range ({code}) do not agree."
        result = result._replace(notes=(*result.notes, said))
    return result
