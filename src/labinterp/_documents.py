"""The documents that leave the program, in the form docs/json.md publishes: the same from the command line and the web service."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from labinterp import __version__
from labinterp._catalog import Catalog
from labinterp._inputs import Patient
from labinterp._intake import PanelIn
from labinterp._interpret import interpret
from labinterp._report import Report
from labinterp._summary import counts

_OF_A_SET = ("aspect", "unit", "also_in", "printed", "judgement", "caveat", "populations")


def answered(panel: PanelIn, patient: Patient, options: Mapping[str, Any]) -> Report:
    """The report of one panel as it was read, with the notes of the reader first.

    Args:
        panel: As read.
        patient: Whose; the panel's own, or with facts that were stated elsewhere.
        options: As for `interpret`.
    """
    report = interpret(panel.results, patient, rows=panel.rows, **options)
    return report._replace(notes=(*panel.notes, *report.notes)) if panel.notes else report


def document(catalog: Catalog, reports: Sequence[Report]) -> dict[str, Any]:
    """The JSON document of reports, as plain data."""
    return {"labinterp": __version__, "catalog": catalog.version, "reports": [r.to_dict() for r in reports], "summary": counts(reports)}


def document_json(catalog: Catalog, reports: Sequence[Report]) -> str:
    """The same as text, put together from the text of each report: quicker than plain data on the way."""
    head = json.dumps({"labinterp": __version__, "catalog": catalog.version})
    written = ", ".join([report.to_json() for report in reports])
    return f'{head[:-1]}, "reports": [{written}], "summary": {json.dumps(counts(reports))}}}'


def limits_document(catalog: Catalog, id: str) -> list[dict[str, Any]]:
    """Every limit set of an analyte with its populations, and every record of silence."""
    return [
        {**row, **{name: data[name] for name in _OF_A_SET if name in data}}
        for row in catalog.authorities(id)
        for data in (catalog.table["limits"].get(row["id"], {}),)
    ]
