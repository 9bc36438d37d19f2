"""A report as JSON text, from parts that were rendered before: the same text as `json.dumps(report.to_dict())` parses to."""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import Any

from labinterp._results import Finding, Report, plain_number

_encode = json.JSONEncoder(ensure_ascii=False).encode  # one encoder: making one costs more than a short text


def report_json(report: Report) -> str:
    """JSON text of a report, equal in content to `report.to_dict()`."""
    whole, patient = report.whole, report.patient
    together = whole.memo.get("json")
    if together is None:
        together = whole.memo["json"] = _inner(whole.to_dict())
    frame = whole.memo.get("frame") if report.notes is whole.notes else None
    if frame is None:
        frame = _inner({"notes": report.notes, "catalog": report.catalog, "disclaimer": report.disclaimer, "standing": report.standing})
        if report.notes is whole.notes:
            whole.memo["frame"] = frame
    who = patient.memo.get("json")
    if who is None:
        who = patient.memo["json"] = _encode(patient.to_dict())
    findings = ", ".join(map(finding_json, report.findings))
    refused = _encode([r.to_dict() for r in report.not_assessed]) if report.not_assessed else "[]"
    return f'{{"patient": {who}, "findings": [{findings}], "not_assessed": {refused}, {together}, {frame}}}'


def finding_json(finding: Finding) -> str:
    """JSON text of a finding, equal in content to `finding.to_dict()`."""
    memo = finding.basis.memo
    key = f"json {finding.code} {finding.band} {finding.limits}"
    settled = memo.get(key)
    if settled is None:
        settled = memo[key] = _inner(finding.settled())
    quantity = finding.quantity
    if quantity.comparator or finding.reported is not None:
        return _encode(finding.to_dict())
    number, unit = finding.si
    text = finding.value_text
    shown = text if text.isdigit() and text[0] != "0" else repr(plain_number(quantity.value))
    return (
        f'{{"row": {finding.row}, "source_name": {encode_basestring(finding.source_name)}, "value_text": {encode_basestring(text)}, '
        f'"comparator": null, "value": {shown}, "value_high": null, "unit": {encode_basestring(quantity.unit)}, '
        f'"si": {{"value": {number!r}, "unit": {encode_basestring(unit)}}}, "near_limit": {"true" if finding.near_limit else "false"}, '
        f'"reported": null, "notes": {_encode(finding.notes) if finding.notes else "[]"}, {settled}}}'
    )


def _inner(value: dict[str, Any]) -> str:
    """An object's text without its braces."""
    return _encode(value)[1:-1]
