"""The laboratory's own range beside ours: first where the guideline defers to it, its disagreement told everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labinterp._codes import direction
from labinterp._measure import Measured
from labinterp._results import Basis, Finding, NotAssessed

if TYPE_CHECKING:
    from labinterp._assess import Book


def with_laboratory(book: Book, measured: Measured, entry: Mapping[str, Any], result: Finding | NotAssessed) -> Finding | NotAssessed:
    """The laboratory's range first where the guideline defers to it; its disagreement told everywhere."""
    reported = measured.reported
    code = reported.code if reported else None
    own = result if isinstance(result, Finding) else None
    if reported is not None and code is not None and entry["lab_range"]["first"] and book.wanted(measured.analyte) is None:
        severe = own is not None and own.code in ("LU", "HU")  # the fixed severe lines hold whatever the laboratory prints
        if not severe:
            band = entry["lab_range"][direction(code) or "normal"]
            basis = (
                own.basis._replace(possible=(), memo={}) if own else Basis(book.catalog, book.patient, None, None, book.as_of, None, (), {})
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
    if isinstance(result, Finding) and reported is not None and reported.flag_code and code and reported.flag_code != code:
        said = f"The laboratory's flag ({reported.flag_code}) and its printed range ({code}) do not agree."
        result = result._replace(notes=(*result.notes, said))
    return result
