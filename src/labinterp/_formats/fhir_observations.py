"""An answer -> an Observation: the value as reported, our reading of it, and both ranges, each with its owner.

A result that was not assessed keeps its value where it has one: what is missing is our answer, not the laboratory's number. Only a result
without a value that can be stated gets a `dataAbsentReason`; what was printed then stands in an extension.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from labinterp._catalog import Catalog
from labinterp._formats.fhir_ranges_out import LABORATORY_MARK, OURS_MARK, laboratory_range, our_range
from labinterp._formats.fhir_terms import (
    ABSENT,
    ABSENT_REASON,
    ANALYTES,
    BANDS,
    CATEGORY,
    CITATION,
    DERIVATIONS,
    INTERPRETATION,
    LOINC,
    NAME_TEXT,
    REASON,
    REASON_TEXT,
    STOOD,
    UNIT_TEXT,
    VALUE_TEXT,
)
from labinterp._formats.fhir_words import amount, coding, concept, extension, notes_of, number, string, value_of, without_empty
from labinterp._identify import Identified, which
from labinterp._inputs import LabResult
from labinterp._quantity import ReadValue, Unreadable, read_value
from labinterp._reported import Reported
from labinterp._results import Finding, NotAssessed
from labinterp._rules import FAMILY
from labinterp._trace import cited

_FLAGS: Final = ("LL", "L", "LU", "N", "H", "HH", "HU", "L*", "H*")
# Reasons for which what was printed cannot be stated as a value.
_ANSWERABLE: Final = ("sex_unknown", "age_unknown", "pregnancy_unknown", "no_limit_for_population", "authority_gives_no_limit")
_NO_VALUE: Final = ("unreadable_value", "ambiguous_number", "conflicting_code")


class Around(NamedTuple):
    """What all Observations of a draw share, and what was reported for one.

    Attributes:
        id: Of the resource.
        subject: Reference of the Patient, if there is one.
        day: Of sampling, ISO text, or nothing.
        status: Of the Observation.
        reported: The result as it was read, where the source is at hand.
    """

    id: str
    subject: str | None
    day: str
    status: str
    reported: LabResult | None


def of_finding(finding: Finding, around: Around, others: Mapping[int, str]) -> dict[str, Any]:
    """The Observation of a finding.

    Args:
        finding: Measured or computed.
        around: Of its draw.
        others: Row -> reference of its Observation, for what it was computed from.
    """
    catalog, reported = finding.basis.catalog, around.reported
    unit = reported.unit if reported and isinstance(reported.unit, str) and catalog.units.read(reported.unit) == finding.unit else None
    derivation = finding.derived_from
    limits = [our_range(finding)] if finding.basis.population is not None and finding.limits != "reported" else []
    caveats = [f"{caveat['text']}" for caveat in finding.caveats]
    return without_empty(
        {
            **_head(around),
            "extension": _stood(finding.source),
            "code": _code_of_finding(finding, reported),
            **value_of(finding.quantity, unit),
            "interpretation": [_ours(finding), *_flags(finding.reported)],
            "note": notes_of([*finding.notes, *([derivation.note] if derivation else []), *caveats]),
            "specimen": _specimen(reported),
            "method": _method(finding),
            "referenceRange": [*limits, *laboratory_range(finding.reported, finding.quantity, unit, reported)],
            "derivedFrom": [{"reference": others[row]} for row in derivation.rows if row in others] if derivation else None,
        }
    )


def of_refused(refused: NotAssessed, around: Around, catalog: Catalog) -> dict[str, Any]:
    """The Observation of a result that was not assessed.

    Args:
        refused: Why.
        around: Of its draw.
        catalog: To read units.
    """
    reported = around.reported
    stated = _stated(refused, reported, catalog)
    reasons = [extension(REASON, valueCode=refused.reason), extension(REASON_TEXT, valueString=string(refused.message))]
    absent: dict[str, Any] = {}
    if not stated:
        printed = [(VALUE_TEXT, refused.value_text), (UNIT_TEXT, refused.unit_text)]
        reasons += [extension(url, valueString=string(text)) for url, text in printed if string(text)]
        code = "error" if string(refused.value_text) else "unknown"
        absent = {"dataAbsentReason": concept(refused.message, [coding(ABSENT, code)])}
    elif "valueString" in stated and string(refused.unit_text):
        reasons.append(extension(UNIT_TEXT, valueString=string(refused.unit_text)))
    own = coding(ANALYTES, refused.analyte, catalog.table["analytes"][refused.analyte]["name"]) if refused.analyte else None
    loinc = reported.loinc if reported and isinstance(reported.loinc, str) else None
    nameless = not string(refused.source_name) and coding(LOINC, loinc) is None and own is None
    marked: dict[str, Any] = {"extension": [extension(ABSENT_REASON, valueCode="unknown")]} if nameless else {}
    name = refused.source_name
    if refused.analyte and refused.reason in _ANSWERABLE and not (reported and reported.specimen):
        name, marked = _clear_name(catalog, name, loinc, refused.analyte)
    shown = None if stated and "valueString" in stated else refused.quantity
    range_of = _as_printed(reported) if reported else refused.reported
    return without_empty(
        {
            **_head(around),
            "extension": [*_stood(refused.source), *reasons],
            "code": {**marked, **concept(name, [coding(LOINC, loinc), own])},
            **stated,
            **absent,
            "interpretation": _flags(range_of),
            "note": notes_of([f"Not assessed: {refused.reason.replace('_', ' ')}. {refused.message}"]),
            "specimen": _specimen(reported),
            "referenceRange": laboratory_range(range_of, shown, reported.unit if reported else refused.unit_text, reported),
        }
    )


def _head(around: Around) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": around.id,
        "status": around.status,
        "category": [concept(None, [coding(CATEGORY, "laboratory", "Laboratory")])],
        "subject": {"reference": around.subject} if around.subject else None,
        "effectiveDateTime": around.day,
    }


def _stood(source: str | None) -> list[dict[str, Any]]:
    return [extension(STOOD, valueString=string(source))] if source and string(source) else []


def _specimen(reported: LabResult | None) -> dict[str, Any] | None:
    text = string(reported.specimen) if reported and reported.specimen else ""
    return {"display": text} if text else None


# --- what it is of -------------------------------------------------------------------------------------------


def _code_of_finding(finding: Finding, reported: LabResult | None) -> dict[str, Any]:
    """The name as printed, LOINC where it was reported or only one code can be meant, and the catalog's own id."""
    catalog = finding.basis.catalog
    given = reported.loinc if reported else None
    own = coding(ANALYTES, finding.analyte, finding.name)
    if finding.derived_from is not None:
        return concept(finding.name, [own])
    loinc = given if isinstance(given, str) and given else (None if reported else _only_loinc(catalog, finding))
    marked: dict[str, Any] = {}
    name = finding.source_name
    if not reported or not reported.specimen:  # else the specimen tells the twin apart
        name, marked = _clear_name(catalog, name, loinc, finding.analyte)
    return {**marked, **concept(name, [coding(LOINC, loinc), own])}


def _clear_name(catalog: Catalog, name: str, loinc: str | None, analyte: str) -> tuple[str, dict[str, Any]]:
    """The printed name where it means the analyte by itself; else the catalog's, with the printed one in an extension."""
    found = which(catalog, name, loinc)
    if not name or (isinstance(found, Identified) and found.analyte == analyte):
        return name, {}
    return catalog.table["analytes"][analyte]["name"], {"extension": [extension(NAME_TEXT, valueString=string(name))]}


def _only_loinc(catalog: Catalog, finding: Finding) -> str | None:
    """The LOINC code of an analyte in its kind of unit; None where several may be meant."""
    kind = catalog.units.kinds[finding.unit]
    codes = [
        code
        for code, (analyte, means) in catalog.table["loinc"].items()
        if analyte == finding.analyte and FAMILY.get(means, means) == FAMILY.get(kind, kind)
    ]
    return codes[0] if len(codes) == 1 else None


def _method(finding: Finding) -> dict[str, Any] | None:
    derivation = finding.derived_from
    if derivation is None:
        return None
    cites = [extension(CITATION, valueString=string(cited(cite))) for cite in derivation.cite]
    made = concept(f"computed: {derivation.function}", [coding(DERIVATIONS, derivation.id, derivation.function.replace("_", " "))])
    return {**({"extension": cites} if cites else {}), **made}


# --- how it is read --------------------------------------------------------------------------------------------


def _ours(finding: Finding) -> dict[str, Any]:
    band = f"{finding.limits}#{finding.band}" if finding.band else None
    return {"extension": [OURS_MARK], **concept(finding.label, [coding(INTERPRETATION, finding.code), coding(BANDS, band, finding.label)])}


def _flags(reported: Reported | None) -> list[dict[str, Any]]:
    """The laboratory's own flag beside our reading, marked as its own."""
    if reported is None or not reported.flag:
        return []
    made = concept(None, [coding(INTERPRETATION, reported.flag)]) if reported.flag in _FLAGS else concept(reported.flag)
    return [{"extension": [LABORATORY_MARK], **made}]


# --- a value that was not assessed -------------------------------------------------------------------------------


def _stated(refused: NotAssessed, reported: LabResult | None, catalog: Catalog) -> dict[str, Any]:
    """`value[x]` of what was printed; nothing where it cannot be stated."""
    if refused.quantity is not None:
        return value_of(refused.quantity, refused.unit_text if catalog.units.read(refused.unit_text) == refused.quantity.unit else None)
    value: Any = refused.value_text
    comparator = ""
    if reported is not None:
        value, comparator = reported.value, str(reported.comparator or "").strip()
    elif refused.reason in _NO_VALUE:
        return {}
    if value is None or isinstance(value, Unreadable) or (isinstance(value, str) and not string(value)):
        return {}
    read = read_value(value)
    unit, code = refused.unit_text, catalog.units.read(refused.unit_text) if refused.unit_text else None
    if isinstance(read, ReadValue) and not read.rest and number(read.value) is not None and not read.flag:
        if read.high is not None:
            return {"valueRange": {"low": amount(read.value, unit, code), "high": amount(read.high, unit, code)}}
        sign = comparator or read.comparator
        if sign in ("", "<", "<=", ">", ">=") and (not comparator or read.comparator in ("", comparator)):
            return {"valueQuantity": amount(read.value, unit, code, sign)}
    return {"valueString": string(f"{comparator}{value}")} if string(str(value)) else {}


def _as_printed(result: LabResult) -> Reported | None:
    """What the laboratory printed beside a result that was not assessed."""
    flag = result.flag if isinstance(result.flag, str) else None
    if result.ref_low is None and result.ref_high is None and not result.ref_text and not flag:
        return None
    return Reported(None, None, None, flag, None)
