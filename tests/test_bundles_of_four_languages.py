"""FHIR results in the shapes of five profiles and five languages: what is recognised, in which unit, and what the laboratory says of it.

The bundles are made here, after the published profiles: German (MII, ISiK), French, Dutch (zib), Spanish and Italian, US Core.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from labinterp import Finding, NotAssessed, interpret
from labinterp.readers import read_bytes

UCUM, LOINC, SNOMED = "http://unitsofmeasure.org", "http://loinc.org", "http://snomed.info/sct"
CODE = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def amount(value: float, unit: str, code: str = "", comparator: str = "") -> dict[str, Any]:
    coded = {"system": UCUM, "code": code} if code else {}
    return {"value": value, "unit": unit, **coded, **({"comparator": comparator} if comparator else {})}


def between(low: float | None, high: float | None, unit: str = "", code: str = "", text: str = "") -> dict[str, Any]:
    ends = {
        end: amount(value, unit, code) if unit else {"value": value} for end, value in (("low", low), ("high", high)) if value is not None
    }
    return {**ends, **({"text": text} if text else {})}


def flag(code: str = "", display: str = "", text: str = "", system: str = CODE) -> dict[str, Any]:
    coded = {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]} if code else {}
    return {**coded, **({"text": text} if text else {})}


def name(text: str = "", loinc: str = "", display: str = "", local: str = "") -> dict[str, Any]:
    codings = [{"system": "https://labor.example/codes", "code": local}] if local else []
    codings += [{"system": LOINC, "code": loinc, **({"display": display} if display else {})}] if loinc else []
    return {**({"coding": codings} if codings else {}), **({"text": text} if text else {})}


Case = tuple[
    dict[str, Any], dict[str, Any], dict[str, Any] | None, dict[str, Any] | None, tuple[str | None, str | None, str | None, str | None]
]
# code, value, interpretation, range -> analyte, UCUM, what the range says, what the flag says
CASES: dict[str, Case] = {
    "German, both codes": (
        name("Ferritin", "2276-4", "Ferritin [Mass/volume] in Serum or Plasma", "FERR"), amount(9, "ng/ml", "ng/mL"),
        flag("L", "Niedrig", "Niedrig"), between(15, 150, "ng/ml", "ng/mL"), ("ferritin", "ng/mL", "L", "L"),
    ),
    "German, no code": (name("Natrium"), amount(146, "mmol/l", "mmol/L"), flag(text="erhöht"), between(135, 145), (None, None, "H", "H")),
    "German, below the assay": (
        name("CRP", "1988-5"), amount(5, "mg/l", "mg/L", "<"), flag("N"), between(None, 5, "mg/l", "mg/L", "< 5"), ("crp", "mg/L", "N", "N"),
    ),
    "German, range as text": (
        name("25-OH-Vitamin D"), amount(40, "nmol/l", "nmol/L"), flag("L"), between(None, None, text="50 - 125 nmol/l"),
        ("vitamin_d", "nmol/L", "L", "L"),
    ),
    "French, micro sign": (
        name("Ferritine", "2276-4"), amount(9, "µg/L", "ug/L"), flag("L", "Bas"), between(None, None, text="15 à 150"),
        ("ferritin", "ug/L", "L", "L"),
    ),
    "French, no code": (
        name("Vitamine B12"), amount(130, "pmol/L", "pmol/L"), flag(text="Bas"), between(None, None, text="145 - 637 pmol/L"),
        ("vitamin_b12", "pmol/L", "L", "L"),
    ),
    "French, another test": (
        name("Glycémie à jeun"), amount(6.5, "mmol/L", "mmol/L"), flag(text="Élevé"), between(3.9, 6.1, "mmol/L"), (None, None, "H", "H"),
    ),
    "French, a range for women": (
        name("Magnésium"), amount(0.6, "mmol/L", "mmol/L"), flag("L"), between(None, None, text="Femme : 0,66 à 1,07"),
        ("magnesium", "mmol/L", None, "L"),
    ),
    "Dutch, interpretation in SNOMED CT": (
        name("Vitamine B12", "14685-2"), amount(130, "pmol/l", "pmol/L"), flag("281300000", "Below reference range", system=SNOMED),
        between(145, 637, "pmol/l", "pmol/L"), ("vitamin_b12", "pmol/L", "L", "L"),
    ),
    "Dutch, another test": (
        name("Glucose", "14749-6"), amount(7.1, "mmol/l", "mmol/L"), flag("281302008", system=SNOMED), between(4, 6, "mmol/l"),
        (None, None, "H", "H"),
    ),
    "Dutch, decimal comma": (
        name("Kalium"), amount(4.1, "mmol/l", "mmol/L"), None, between(None, None, text="3,5 - 5,1"), ("potassium", "mmol/L", "N", None),
    ),
    "Spanish": (name("Ferritina"), amount(9, "ng/mL"), flag(text="Bajo"), between(None, None, text="15-150 ng/mL"), ("ferritin", "ng/mL", "L", "L")),
    "Spanish, a star": (name("Glucosa"), amount(126, "mg/dL"), flag(text="*"), between(None, None, text="70-105"), (None, None, "H", "A")),
    "Italian": (name("Ferritina"), amount(9, "mcg/L"), flag(text="Basso"), between(None, None, text="15-150"), ("ferritin", "ug/L", "L", "L")),
    "Italian, another test": (name("Sodio"), amount(146, "mEq/L", "meq/L"), flag(text="Alto"), between(135, 145), (None, None, "H", "H")),
    "US Core": (
        name("Ferritin", "2276-4"), amount(9, "ng/mL", "ng/mL"), flag("L", "Low", "Low"), between(11, 307, "ng/mL", "ng/mL", "11 - 307 ng/mL"),
        ("ferritin", "ng/mL", "L", "L"),
    ),
    "US Core, another test": (
        name("", "2951-2", "Sodium SerPl-sCnc"), amount(140, "mmol/L", "mmol/L"), None, between(135, 145, "mmol/L", "mmol/L", "135 - 145 mmol/L"),
        (None, None, "N", None),
    ),
    "a range in another unit": (
        name("", "2345-7", "Glucose"), amount(0.25, "g/dL", "g/dL"), flag("H"), between(70, 99, "mg/dL", "mg/dL"), (None, None, None, "H"),
    ),
}  # fmt: skip


def answer(case: str) -> Finding | NotAssessed:
    code, value, said, printed, _ = CASES[case]
    one = {
        "resourceType": "Observation", "id": "o", "status": "final", "code": code, "valueQuantity": value,
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
        "subject": {"reference": "Patient/p"}, "specimen": {"reference": "Specimen/s"}, "effectiveDateTime": "2024-01-02T08:00:00+01:00",
        **({"interpretation": [said]} if said else {}), **({"referenceRange": [printed]} if printed else {}),
    }  # fmt: skip
    serum = {"coding": [{"system": SNOMED, "code": "119364003", "display": "Serum specimen"}]}
    parts = [
        {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1970-01-01"},
        {"resourceType": "Specimen", "id": "s", "type": serum, "subject": {"reference": "Patient/p"}},
        one,
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": part} for part in parts]}
    source = read_bytes(json.dumps(bundle).encode(), name="bundle.json")
    (found,) = [a for panel in source.panels for a in interpret(panel.results, panel.patient, rows=panel.rows).rows()]
    return found


@pytest.mark.parametrize("case", CASES)
def test_a_result_in_the_shape_of_a_profile(case: str) -> None:
    found, expected = answer(case), CASES[case][-1]
    reported = found.reported
    assert (
        found.analyte,
        found.quantity.unit if found.quantity else None,
        reported.code if reported else None,
        reported.flag_code if reported else None,
    ) == expected
