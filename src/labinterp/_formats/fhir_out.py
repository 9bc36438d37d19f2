"""Reports -> a FHIR R4 Bundle: for each draw a Patient, an Observation for every result, and a DiagnosticReport.

R4 is written, in parts that R4B and R5 read the same. Ids are made from the content: the same reports give the same bundle.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from labinterp._catalog import Catalog
from labinterp._formats.fhir_observations import Around, of_finding, of_refused
from labinterp._formats.fhir_reports import patient_resource, report_resource
from labinterp._formats.fhir_terms import AsRead
from labinterp._formats.fhir_words import exact_json
from labinterp._inputs import LabResult
from labinterp._intake import Source
from labinterp._report import Report
from labinterp._results import Finding
from labinterp.errors import InputError


def write(source: Source, reports: Sequence[Report], catalog: Catalog) -> bytes:
    """A Bundle as JSON.

    Args:
        source: What was read.
        reports: One for each panel of the source, in order.
        catalog: The data they were made with.
    """
    return (exact_json(bundle_of(reports, source, catalog)) + "\n").encode("utf-8")


def bundle_of(reports: Sequence[Report], source: Source | None, catalog: Catalog) -> dict[str, Any]:
    """The Bundle as plain data with exact decimals.

    Args:
        reports: Of one draw each.
        source: What they were made of: with it days, specimens, LOINC codes and ranges stand as they were reported.
        catalog: The data they were made with.

    Raises:
        InputError: There are not as many reports as the source has panels.
    """
    if source is not None and len(source.panels) != len(reports):
        raise InputError("reports are one for each panel of the source, in order")
    made = _as_read(source)
    entries: list[dict[str, Any]] = []
    people: dict[Any, str] = {}

    def add(resource: dict[str, Any]) -> str:
        entries.append({"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource})
        return f"urn:uuid:{resource['id']}"

    for number, report in enumerate(reports):
        panel = source.panels[number] if source is not None else None
        results: Mapping[int, LabResult] = dict(zip(panel.rows, panel.results, strict=True)) if panel else {}
        key = f"{number} {hashlib.sha256(report.to_json().encode()).hexdigest()}"
        born = (
            ""
            if report.patient.birth_date is not None or not panel or not panel.results
            else made.births.get(str(panel.results[0].source), "")
        )
        statuses = {row: made.statuses.get(str(result.source), "final") for row, result in results.items()}
        who = (report.patient.id, report.patient.sex, report.patient.birth_date, born)
        if who not in people or report.patient.id is None:
            person = patient_resource(report.patient, _id("patient", key), born)
            people[who] = add(person) if person else ""
        subject = people[who] or None
        day = _day(results)
        references: dict[int, str] = {}
        for answer in report.rows():
            around = Around(_id("row", key, answer.row), subject, day, statuses.get(answer.row, "final"), results.get(answer.row))
            resource = of_finding(answer, around, {}) if isinstance(answer, Finding) else of_refused(answer, around, catalog)
            references[answer.row] = add(resource)
        computed = [
            add(of_finding(one, Around(_id("computed", key, place), subject, day, "final", None), references))
            for place, one in enumerate(report.derived)
        ]
        add(report_resource(report, _id("report", key), subject, day, references, computed, statuses.values()))
    return {"resourceType": "Bundle", "id": _id("bundle", *(entry["fullUrl"] for entry in entries)), "type": "collection", "entry": entries}


def _as_read(source: Source | None) -> AsRead:
    """What the reader of FHIR kept for the way back; of several sources that were read together, all of it."""
    originals = [] if source is None else source.original if isinstance(source.original, list) else [source.original]
    kept = [one for one in originals if isinstance(one, AsRead)]
    return AsRead({k: v for one in kept for k, v in one.statuses.items()}, {k: v for one in kept for k, v in one.births.items()})


def _id(*parts: Any) -> str:
    """An id made from what it is of."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "labinterp " + " ".join(map(str, parts))))


def _day(results: Mapping[int, LabResult]) -> str:
    """The day of sampling of a draw, where all its results say the same."""
    days = {one.collected_at for one in results.values()}
    day = days.pop() if len(days) == 1 else None
    return day.isoformat()[:10] if isinstance(day, date) else ""
