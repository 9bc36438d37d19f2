"""A unit that the panel itself betrays: what is refused and said, what is not, and that frames do as single panels do.

The cases themselves are in tests/cases/betrayed.toml.
"""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests import rows
from tests.test_panel_frame import expected, frame_of, given

from labinterp import Catalog, LabResult, Patient, Report, interpret
from labinterp.dataframes import panel_frame

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
WOMAN = Patient(sex="female", age_years=40)
JUDGED = {"Iron": "85 ug/L", "TIBC": "350 ug/dL", "Transferrin saturation": "24 %"}


def refused(report: Report) -> dict[str | None, str]:
    return {one.analyte: one.message for one in report.not_assessed if one.reason == "implausible"}


def contradictions(report: Report) -> list[str]:
    return [note for note in report.notes if "do not go together" in note]


def test_what_is_said() -> None:
    """The message names what was printed, what the inputs would give, and the unit that would mend it; the report has a note."""
    report = interpret(JUDGED, WOMAN)
    said = (
        "Iron 85 ug/L, Total iron-binding capacity 350 ug/dL and Transferrin saturation 24 % do not go together "
        "(computed: Transferrin saturation 2.43 %); they would if Iron were in ug/dL."
    )
    assert refused(report) == {"iron": f"The panel contradicts this unit: {said} Check the unit."}
    assert contradictions(report) == [f"The panel contradicts a unit, and what may be wrong was not used: {said}"]
    assert [(f.analyte, str(f.quantity)) for f in report.findings] == [("tibc", "350 ug/dL"), ("transferrin_saturation", "24 %")]
    (one,) = report.not_assessed
    assert (one.row, one.source_name, one.value_text, one.unit_text, str(one.quantity)) == (1, "Iron", "85 ug/L", "", "85 ug/L")


def test_every_unit_that_would_explain_it_is_named() -> None:
    report = interpret({"Iron": "50 umol/L", "TIBC": "100 ug/dL", "Transferrin saturation": "50 %"}, WOMAN)
    assert set(refused(report)) == {"iron", "tibc"}
    assert all(
        "they would if Iron were in ug/dL, or Total iron-binding capacity were in umol/L" in said for said in refused(report).values()
    )
    report = interpret({"Vitamin E": "10 umol/L", "Cholesterol": "5 mmol/L", "Vitamin E/cholesterol ratio": "4.6 umol/mmol"}, WOMAN)
    assert "(alpha-tocopherol) were in mg/L or ug/mL. Check the unit." in refused(report)["vitamin_e"]


def test_a_far_contradiction_that_no_unit_explains_is_a_note() -> None:
    """Beyond the tolerance but not far: nothing. Far: a note, and every result is kept."""
    near = interpret({"Iron": "20 umol/L", "TIBC": "100 umol/L", "Transferrin saturation": "38 %"}, WOMAN)
    assert not contradictions(near)
    far = interpret({"Iron": "20 umol/L", "TIBC": "100 umol/L", "Transferrin saturation": "42 %"}, WOMAN)
    (note,) = contradictions(far)
    assert note.endswith("and no unit explains it; all were kept. Check them.")
    assert not refused(near)
    assert not refused(far)


def test_only_results_of_one_day_speak_against_each_other() -> None:
    def drawn(*days: int | None) -> Report:
        read = [
            LabResult(name, *text.split(), collected_at=day and date(2026, 3, day))
            for (name, text), day in zip(JUDGED.items(), days, strict=True)
        ]
        return interpret(read, WOMAN)

    assert refused(drawn(1, 1, 1))
    assert refused(drawn(1, None, 1))
    assert not refused(drawn(1, 1, 2))


def test_a_result_printed_twice_is_not_compared() -> None:
    listed = [LabResult(name, *text.split()) for name, text in JUDGED.items()]
    assert not refused(interpret([*listed, LabResult("Iron", "15", "umol/L")], WOMAN))


def test_a_refused_result_is_not_used() -> None:
    """Neither for a pattern nor for a quantity that is computed from it; the next panel of the same kind is judged by its own numbers."""
    with_uibc = {"Iron": "85 ug/L", "TIBC": "350 ug/dL", "UIBC": "265 ug/dL"}
    assert refused(interpret(with_uibc, WOMAN))
    assert not interpret(with_uibc, WOMAN).derived
    for saturation, wrong in (("24 %", True), ("2.4 %", False), ("24 %", True)):
        assert bool(refused(interpret(JUDGED | {"Transferrin saturation": saturation}, WOMAN))) is wrong


def test_the_tolerances_are_data() -> None:
    """Each block that can be checked says by how much, and why."""
    blocks = [block for derive in Catalog.default().table["derive"] for block in derive["blocks"]]
    assert sum(block["measured"] is not None for block in blocks) == 6
    assert all(block["measured"]["judgement"].startswith("Ours") for block in blocks if block["measured"])
    assert all(block["measured"] is None for block in blocks if block["only_these_units"])


# --- frames ---------------------------------------------------------------------------------------------------------

PRINTED = {
    "Iron": (("umol/L", ("8", "15.2", "50", "85", "15-20", "<5")), ("ug/dL", ("45", "85", "15", "850")), ("ug/L", ("85", "850", "450"))),
    "TIBC": (("umol/L", ("62.7", "50", "100", ">60")), ("ug/dL", ("350", "280", "100"))),
    "UIBC": (("umol/L", ("47.5",)), ("ug/dL", ("265",))),
    "Transferrin": (("g/L", ("2.5", "2.8")), ("mg/dL", ("280",))),
    "Transferrin saturation": (("%", ("24", "24.3", "2.4", "12", "50", ">20", "pending")),),
    "Calcium": (("mmol/L", ("2.40", "4.8", "2.0")), ("mg/dL", ("9.6",))),
    "Albumin": (("g/L", ("40", "30", "18")), ("g/dL", ("4.0",))),
    "Corrected calcium": (("mmol/L", ("2.40", "2.2")), ("mg/dL", ("9.6",))),
    "Creatinine": (("mg/dL", ("0.9", "9", "1.0")), ("umol/L", ("80",))),
    "eGFR": (("mL/min/1.73m2", ("95", "79", "8")),),
    "CRP": (("mg/L", ("12", "1")),),
    "Ferritin": (("ug/L", ("40", "12")),),
}  # fmt: skip
GROUPS = (
    ("Iron", "TIBC", "Transferrin saturation"), ("Iron", "UIBC", "TIBC", "Transferrin saturation"), ("Iron", "Transferrin", "Transferrin saturation"),
    ("Iron", "TIBC"), ("Calcium", "Albumin", "Corrected calcium"), ("Creatinine", "eGFR"),
)  # fmt: skip


def draws(patients: int, seed: int) -> list[dict[str, Any]]:
    """Draws in which what was measured stands beside its inputs, in the right and the wrong unit, sometimes twice or of two days."""
    rng, made = random.Random(seed), []
    for number in range(patients):
        facts = {
            "sex": rng.choice(("F", "M", None)),
            "age_years": rng.choice(("34", "71", "12", None)),
            "pregnant": rng.choice((None, "no")),
        }
        tests = [*rng.choice(GROUPS), *rng.sample(("CRP", "Ferritin", "Iron", "TIBC"), rng.choice((0, 0, 1, 2)))]
        for test in tests:
            unit, values = rng.choice(PRINTED[test])
            day = rng.choice(("2026-03-01", "2026-03-01", "2026-03-01", None, "2026-03-02")) if rng.random() < 0.2 else "2026-03-01"
            told = facts if rng.random() < 0.8 else facts | {"sex": None}
            made.append(told | {"test": test, "value": rng.choice(values), "unit": unit, "patient_id": f"P{number}", "collected_at": day})
    rng.shuffle(made)
    return [{name: row.get(name) for name in rows.COLUMNS} for row in made]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_frame_refuses_what_a_panel_refuses(seed: int) -> None:
    """`panel_frame` says "not assessed, implausible" of exactly the rows that `interpret` does not assess, and nothing else rests on them."""
    records = draws(500, seed)
    want, got = expected(records), given(panel_frame(frame_of(records)))
    assert got == want
    kinds = Counter((row[2], "In this draw: not assessed, implausible." in row[9]) for row in want if row[1] == "finding")
    assert kinds["iron", True] >= 20
    assert kinds["tibc", True] >= 1
    assert kinds["calcium", True] >= 3


def test_a_frame_with_a_window_reads_days_apart() -> None:
    """Results of two days in one window do not speak against each other, as in a single panel."""
    listed = [
        {"test": name, "value": text.split()[0], "unit": text.split()[1], "patient_id": "a", "sex": "F", "age_years": "40"}
        for name, text in JUDGED.items()
    ]
    for days, wrong in ((("01", "01", "01"), True), (("01", "01", "02"), False)):
        records = [
            {name: (row | {"collected_at": f"2026-03-{day}"}).get(name) for name in rows.COLUMNS}
            for row, day in zip(listed, days, strict=True)
        ]
        said = panel_frame(frame_of(records), within="7d")["li_text"].to_list()
        assert any("not assessed, implausible" in text for text in said) is wrong


# --- real and made-up panels -------------------------------------------------------------------------------------------


needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="../shared/data is absent: iron panels of a survey and made-up draws not checked"
)


def surveyed() -> list[tuple[Patient, float, float, float]]:
    """NHANES 2005-2006, women of 18 to 45 years: iron and TIBC in ug/dL, saturation in percent."""
    path, names = SHARED / "nhanes-2005-2008-iron" / "women_18_45_2005_2006_iron_hb.csv", ("LBXIRN", "LBXTIB", "LBDPCT")
    with path.open(encoding="utf-8", newline="") as file:
        listed = [row for row in csv.DictReader(file) if all(row[name] for name in names)]
    return [(Patient(sex="female", age_years=int(row["RIDAGEYR"])), *(float(row[name]) for name in names)) for row in listed]


@needs_shared
@pytest.mark.parametrize("units", [("ug/dL", "ug/dL"), ("umol/L", "ug/dL"), ("ug/dL", "umol/L"), ("umol/L", "umol/L"), ("ug/L", "ug/dL")])
def test_a_real_survey_is_never_refused(units: tuple[str, str]) -> None:
    """1,134 women, in the survey's units, in SI and mixed: no refusal, no note. The survey prints SI with two decimals of iron, one of TIBC."""
    scale = {"ug/dL": 1.0, "umol/L": 0.1791, "ug/L": 10.0}
    for patient, iron, tibc, saturation in surveyed():
        printed = {"Iron": f"{iron * scale[units[0]]:.2f} {units[0]}", "TIBC": f"{tibc * scale[units[1]]:.2f} {units[1]}"}
        report = interpret(printed | {"Transferrin saturation": f"{saturation} %"}, patient)
        assert not refused(report)
        assert not contradictions(report)


@needs_shared
@pytest.mark.parametrize(("wrong", "contradicted"), [("ug/L", 1131), ("umol/L", 1133)])
def test_a_wrong_unit_of_iron_is_caught_in_a_real_survey(wrong: str, contradicted: int) -> None:
    """The same numbers with another unit of iron: no row is used silently, and never is the other result blamed alone."""
    caught = 0
    for patient, iron, tibc, saturation in surveyed():
        report = interpret({"Iron": f"{iron} {wrong}", "TIBC": f"{tibc} ug/dL", "Transferrin saturation": f"{saturation} %"}, patient)
        doubted = [one for one in report.not_assessed if one.analyte == "iron" and one.reason == "implausible"]
        assert doubted, (iron, tibc, saturation)
        caught += "contradicts" in doubted[0].message
    assert caught == contradicted  # the others are not believed in this unit, whatever stands beside them


@needs_shared
def test_a_made_up_export_has_nothing_to_say() -> None:
    """All 909 draws of an OMOP export made by Synthea: no refusal of this kind, no note."""
    folder, listed = SHARED / "omop-synthea27nj", defaultdict[tuple[str, str], list[LabResult]](list)
    with (folder / "PERSON.csv").open(encoding="utf-8", newline="") as file:
        people = {row["person_id"]: (row["gender_source_value"], int(row["year_of_birth"])) for row in csv.DictReader(file)}
    with (folder / "MEASUREMENT.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            result = LabResult("", row["value_as_number"], row["unit_source_value"], loinc=row["measurement_source_value"])
            listed[row["person_id"], row["measurement_date"]].append(result)
    assert len(listed) == 909
    for (person, day), results in listed.items():
        sex, born = people[person]
        report = interpret(results, Patient(sex=sex, age_years=max(int(day[:4]) - born - 1, 0)))
        assert not any("contradicts" in said for said in refused(report).values())
        assert not contradictions(report)


def test_values_by_chance_are_not_refused() -> None:
    """Synthea draws creatinine and eGFR each by chance: no unit of creatinine explains any of it, and nothing is refused."""
    rng, told = random.Random(5), 0
    for _ in range(1000):
        report = interpret({"Creatinine": f"{rng.uniform(0.5, 7):.1f} mg/dL", "eGFR": f"{rng.uniform(5, 150):.0f} mL/min/1.73m2"}, WOMAN)
        assert not refused(report)
        told += len(contradictions(report))
    assert 0 < told < 500
