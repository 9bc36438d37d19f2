"""A report as JSON text, from parts that were rendered before: the same text as `json.dumps(report.to_dict())` parses to."""

from __future__ import annotations

import json
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from sys import intern  # people of other ages are told the same: one text for all stays in the processor's cache
from typing import TYPE_CHECKING, Any

from labinterp._plain import LONGEST, plain
from labinterp._report import Report, Whole
from labinterp._results import Finding, NotAssessed, reach

if TYPE_CHECKING:
    from decimal import Decimal

    from labinterp._inputs import Patient

# ASCII keeps the text one byte a character: half the memory to move. One encoder: making one costs more than a short text.
_encode = json.JSONEncoder().encode

_REACH = [reach(decimals) for decimals in range(LONGEST + 1)]
_TRUTH = {None: "null", True: "true", False: "false"}


def report_json(report: Report) -> str:
    """JSON text of a report, equal in content to `report.to_dict()`."""
    patient, findings, refused, derived, whole, notes, *_ = report
    memo = whole.memo
    together = memo.get("json")
    if together is None:
        together = memo["json"] = _together_json(whole)
    frame = memo.get("frame") if notes is whole.notes else None
    if frame is None:
        frame = _inner({"notes": notes, "catalog": report.catalog, "disclaimer": report.disclaimer, "standing": report.standing}) + "}"
        if notes is whole.notes:
            frame = memo["frame"] = intern(frame)
    # joined once: the text is long, and copying it takes longer than finding its parts
    pieces = ['{"patient": ', _patient_json(patient), ', "findings": [']
    for finding in findings:
        pieces += _finding_pieces(finding)
    if findings:
        pieces.pop()  # the last comma
    pieces += ('], "not_assessed": ', f"[{', '.join(map(_refused_json, refused))}]" if refused else "[]", ', "derived": ')
    pieces += (_encode([one.to_dict() for one in derived]) if derived else "[]", together, frame)
    return "".join(pieces)


def _together_json(whole: Whole) -> str:
    """JSON text of what is said of the results together, equal in content to `whole.to_dict()`."""
    meaning = whole.memo.get("meaning")
    if meaning is None:
        return f", {_inner(whole.to_dict())}, "
    alerts = _encode([alert.to_dict() for alert in whole.alerts]) if whole.alerts else "[]"
    text = f', {meaning.json(whole.memo["rows"])}, "alerts": {alerts}, '
    return intern(text) if whole.rows and whole.rows[0] == 1 else text  # a panel on its own; in a file every draw has other rows


def _patient_json(patient: Patient) -> str:
    """JSON text of a person, equal in content to `patient.to_dict()`."""
    label, age, sex = patient.id, patient.age_years, patient.sex
    if (label is not None and type(label) is not str) or (age is not None and type(age) is not int):
        return _encode(patient.to_dict())
    name = "null" if label is None else _quoted(label)
    said = "null" if sex is None else f'"{sex}"'
    contexts = _encode(sorted(patient.contexts)) if patient.contexts else "[]"
    years = "null" if age is None else age
    return f'{{"id": {name}, "sex": {said}, "age_years": {years}, "pregnant": {_TRUTH[patient.pregnant]}, "contexts": {contexts}}}'


def _refused_json(refused: NotAssessed) -> str:
    """JSON text of a refusal, equal in content to `refused.to_dict()`."""
    row, analyte, name, text, unit, reason, message, _, reported, source = refused
    if type(row) is not int:
        return _encode(refused.to_dict())
    stood = "" if reported is None else f', "reported": {_encode(reported.to_dict())}'
    stood += "" if source is None else f', "source": {_quoted(source)}'
    return (
        f'{{"row": {row}, "analyte": {"null" if analyte is None else _quoted(analyte)}, "source_name": {_quoted(name)}, '
        f'"value_text": {_quoted(text)}, "unit_text": {_quoted(unit)}, "reason": "{reason}", "message": {_quoted(message)}{stood}}}'
    )


def _finding_pieces(finding: Finding) -> tuple[str, ...]:
    """JSON text of a finding, equal in content to `finding.to_dict()`: what is its own, and what is the same for others."""
    row, _, name, text, (value, _, comparator, _), code, _, _, _, _, reported, notes, basis, derived, source = finding
    if comparator or derived is not None or len(text) > LONGEST or not (source is None or type(source) is str):
        return (_encode(finding.to_dict()), ", ")
    parts = basis.memo.get(code)  # of one basis, the code tells the band
    if parts is None or parts[1] != name or parts[3] is not notes or parts[5] is not reported:
        printed = "null" if reported is None else _encode(reported.to_dict())
        said = intern(f'"reported": {printed}, "notes": {_encode(notes) if notes else "[]"}, {_inner(finding.settled())}')
        parts = basis.memo[code] = (_scale(finding), name, f', "source_name": {_quoted(name)}, ', notes, said, reported)
    scale, _, named, _, said, _ = parts
    read = _number_json(scale, text)
    if read is None or (read[0] is not value and read[0] != value):  # "1.234" is 1234 where the comma is the mark
        return (_encode(finding.to_dict()), ", ")
    return f'{{"row": {row}{named}', read[1], said, "}" if source is None else f', "source": {_quoted(source)}}}', ", "


class _Scale:
    """What numbers of one analyte in one unit are written with: the way to the SI unit, and the lines they may be near to."""

    __slots__ = ("factor", "lines", "si", "unit")

    def __init__(self, unit: str, factor: float | None, si: str, lines: list[float]) -> None:
        self.unit, self.factor, self.si, self.lines = _quoted(unit), 1.0 if factor is None else factor, _quoted(si), lines


def _scale(finding: Finding) -> _Scale:
    """The scale of a finding: one for all with the same lines, so that numbers written before are found again."""
    basis, analyte, unit = finding.basis, finding.analyte, finding.unit
    key = ("scale", analyte, unit, None if basis.limit_set is None else basis.limit_set.key, basis.population)
    found: _Scale | None = basis.catalog.memo.get(key)
    if found is None:
        found = basis.catalog.remember(key, _Scale(unit, *basis.catalog.si_factor(analyte, unit), finding.lines()))
    return found


@lru_cache(maxsize=8192)
def _number_json(scale: _Scale, text: str) -> tuple[Decimal, str] | None:
    """The number a plain text shows, and all that is written of it; None where the text is not plain."""
    read = plain(text)
    if read is None:
        return None
    number, half = read.number, _REACH[read.decimals]
    near = "true" if any(-half <= number - line <= half for line in scale.lines) else "false"
    return read.value, (
        f'"value_text": "{text}", "comparator": null, "value": {read.json}, "value_high": null, "unit": {scale.unit}, '
        f'"si": {{"value": {number * scale.factor!r}, "unit": {scale.si}}}, "near_limit": {near}, '
    )


def _inner(value: dict[str, Any]) -> str:
    """An object's text without its braces."""
    return _encode(value)[1:-1]
