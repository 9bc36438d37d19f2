"""A report as JSON text, from parts that were rendered before: the same text as `json.dumps(report.to_dict())` parses to."""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any

from labinterp._results import Finding, Report, reach

# ASCII keeps the text one byte a character: half the memory to move. One encoder: making one costs more than a short text.
_encode = json.JSONEncoder().encode


_REACH = [reach(decimals) for decimals in range(16)]


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
    text, quantity, notes = finding.value_text, finding.quantity, finding.notes
    if quantity.comparator or finding.reported is not None or not text.isascii() or not text.replace(".", "", 1).isdigit():
        return _encode(finding.to_dict())
    memo = finding.basis.memo
    parts = memo.get(finding.code)  # of one basis, the code tells the band
    if parts is None:
        factor, unit = finding.basis.catalog.si_factor(finding.analyte, quantity.unit)
        after = f'"value_high": null, "unit": {_encode(quantity.unit)}, "si": {{"value": '
        close = f', "unit": {_encode(unit)}}}, "near_limit": '
        parts = memo[finding.code] = (1.0 if factor is None else factor, finding.lines(), after, close, _inner(finding.settled()) + "}")
    factor, lines, after, close, settled = parts
    point, number, near = text.find("."), float(text), "false"
    reach = _REACH[len(text) - point - 1 if point >= 0 else 0]
    for line in lines:
        if -reach <= number - line <= reach:
            near = "true"
            break
    value = text if point < 0 and (text[0] != "0" or text == "0") else repr(number)
    said = _encode(notes) if notes else "[]"
    return (
        f'{{"row": {finding.row}, "source_name": {_quoted(finding.source_name)}, "value_text": "{text}", "comparator": null, '
        f'"value": {value}, {after}{number * factor!r}{close}{near}, "reported": null, "notes": {said}, {settled}'
    )


def _inner(value: dict[str, Any]) -> str:
    """An object's text without its braces."""
    return _encode(value)[1:-1]
