"""A report -> a Patient and a DiagnosticReport: the conclusion in words, effects by HPO code, and every statement with its citations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from labinterp import __version__
from labinterp._formats.fhir_terms import CITATION, EFFECTS, FACTS, HPO, LABELS, LOINC, SAID, SERVICE, VERSIONS
from labinterp._formats.fhir_words import amount, coding, concept, extension, is_code, number, string, without_empty
from labinterp._inputs import Patient
from labinterp._report import Report
from labinterp._trace import cited

_PRELIMINARY: Final = ("preliminary", "registered")


def patient_resource(patient: Patient, id: str, born: str) -> dict[str, Any] | None:
    """The Patient; None where neither a label, a sex nor a birth date is known. A birth date is never made from an age.

    Args:
        patient: As read.
        id: Of the resource.
        born: Birth date as printed, where it is known to the month or the year only.
    """
    known = born or (patient.birth_date.isoformat()[:10] if isinstance(patient.birth_date, date) else "")
    label = string(patient.id) if patient.id is not None else ""
    if not label and not patient.sex and not known:
        return None
    return without_empty(
        {
            "resourceType": "Patient",
            "id": id,
            "identifier": [{"system": LABELS, "value": label}] if label else [],
            "gender": patient.sex,
            "birthDate": known,
        }
    )


def report_resource(
    report: Report, id: str, subject: str | None, day: str, results: Mapping[int, str], computed: Sequence[str], statuses: Iterable[str]
) -> dict[str, Any]:
    """The DiagnosticReport.

    Args:
        report: Of one draw.
        id: Of the resource.
        subject: Reference of the Patient, if there is one.
        day: Of sampling, ISO text, or nothing.
        results: Row -> reference of its Observation.
        computed: References of what was computed.
        statuses: Of its Observations.
    """
    early = any(status in _PRELIMINARY for status in statuses)
    return without_empty(
        {
            "resourceType": "DiagnosticReport",
            "id": id,
            "extension": [*_facts(report.patient, day), _made_with(report), *_statements(report, results)],
            "status": "preliminary" if early else "final",
            "category": [concept(None, [coding(SERVICE, "LAB", "Laboratory")])],
            "code": concept("Interpretation of laboratory results", [coding(LOINC, "11502-2", "Laboratory report")]),
            "subject": {"reference": subject} if subject else None,
            "effectiveDateTime": day,
            "result": [{"reference": reference} for reference in (*results.values(), *computed)],
            "conclusion": conclusion(report),
            "conclusionCode": [_effect_code(effect) for effect in report.effects],
        }
    )


def conclusion(report: Report) -> str:
    """What is said of the results together, red flags first; what this is not stands at the end."""
    said = [f"{alert.tier}: {alert.text}" for alert in report.alerts]
    said += [match.text for match in report.patterns]
    said += [effect.text for effect in report.effects]
    return "\n".join(string(text) for text in (*dict.fromkeys(said), *report.standing, report.disclaimer) if string(text))


def _effect_code(effect: Any) -> dict[str, Any]:
    """An effect that the findings are linked to; the sentence says how, so that the code is not read as a finding of its own."""
    return concept(effect.text, [coding(HPO, effect.hpo, effect.name), coding(EFFECTS, effect.id, effect.name)])


def _facts(patient: Patient, day: str) -> list[dict[str, Any]]:
    """What limits depended on and a Patient resource has no place for: an age without a birth date, pregnancy, circumstances."""
    parts: list[dict[str, Any]] = []
    if patient.age_years is not None and (patient.birth_date is None or not day):
        age = number(patient.age_years)
        if age is not None:
            parts.append(extension("age", valueQuantity=amount(age, "years", "a")))
    if patient.pregnant is not None:
        parts.append(extension("pregnant", valueBoolean=patient.pregnant))
    parts += [extension("context", valueCode=context) for context in sorted(patient.contexts) if is_code(context)]
    return [{"url": FACTS, "extension": parts}] if parts else []


def _made_with(report: Report) -> dict[str, Any]:
    """Which version of the library and of the data made the answers."""
    parts = [extension("labinterp", valueString=__version__), extension("catalog", valueString=string(report.catalog))]
    return {"url": VERSIONS, "extension": parts}


def _statements(report: Report, results: Mapping[int, str]) -> Iterator[dict[str, Any]]:
    """Alerts, patterns, effects, advice and notes, each with the Observations behind it and its citations."""
    for alert in report.alerts:
        yield _said("alert", alert.id, alert.text, [("tier", alert.tier)], (alert.row,), alert.citations, results)
    for kind, matches in (("pattern", report.patterns), ("open-question", report.open_questions)):
        for match in matches:
            more = [
                ("name", match.name),
                ("certainty", match.certainty),
                *(("missing", one) for one in match.missing),
                ("next-test", match.next_test),
            ]
            yield _said(kind, match.id, match.text, more, match.because, match.citations, results)
    for effect in report.effects:
        more = [("name", effect.name), ("hpo", effect.hpo or ""), ("relation", effect.relation), ("certainty", effect.certainty),
                ("reversibility", effect.reversibility), *(("condition", one) for one in effect.conditions)]  # fmt: skip
        yield _said("effect", effect.id, effect.text, more, effect.because, effect.citations, results)
    for advice in report.advice:
        more = [
            ("name", advice.name),
            *(("at-risk", one) for one in advice.at_risk),
            *(("usually-done", one) for one in advice.usually_done),
            ("next-step", advice.next_step),
        ]
        yield _said("advice", advice.condition, advice.about, more, advice.because, (), results)
    for note in report.notes:
        yield _said("note", "", note, [], (), (), results)


def _said(
    kind: str, id: str, text: str, more: Iterable[tuple[str, str]], because: Iterable[int], cites: Iterable[Mapping[str, Any]],
    results: Mapping[int, str],
) -> dict[str, Any]:  # fmt: skip
    parts = [extension("kind", valueCode=kind)]
    parts += [extension(url, valueString=string(value)) for url, value in (("id", id), ("text", text), *more) if string(value)]
    parts += [extension("because", valueReference={"reference": results[row]}) for row in because if row in results]
    parts += [extension(CITATION, valueString=string(cited(cite))) for cite in cites]
    return {"url": SAID, "extension": parts}
