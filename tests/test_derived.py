"""Quantities computed from measured ones: the functions, when one is used, and what a report says of it."""

from __future__ import annotations

import json
from datetime import date, datetime
from math import inf, nan
from typing import Any

import pytest
from tests import small

from labinterp import Catalog, LabResult, Patient, Report, _derived, interpret
from labinterp._check_derive import check_derive
from labinterp._derived import FUNCTIONS
from labinterp.errors import InputError

MAN = Patient(sex="male", age_years=50)


def made(report: Report) -> dict[str, str]:
    """The derived values of a report, as shown."""
    return {finding.analyte: str(finding.quantity) for finding in report.derived}


def small_panel(results: Any, patient: Patient = MAN, **how: Any) -> Report:
    return interpret(results, patient, catalog=small.catalog(), **how)


# --- the functions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sex", "age", "creatinine", "expected"),
    [
        ("female", 30, 0.7, 119.245), ("male", 30, 0.9, 117.831), ("female", 25, 0.5, 133.401), ("male", 40, 0.6, 125.149),
        ("female", 55, 0.9, 75.499), ("male", 50, 1.0, 91.691), ("female", 50, 1.0, 68.633), ("male", 70, 1.5, 49.774),
        ("female", 65, 2.0, 27.214), ("male", 80, 5.0, 11.029),
    ],
)  # fmt: skip
def test_egfr(sex: str, age: int, creatinine: float, expected: float) -> None:
    """The vectors of the evidence sheet, worked out from the equation as the US National Kidney Foundation prints it."""
    assert _derived.egfr_ckd_epi_2021(creatinine, age, sex) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "pregnant"),
    [(0.9, 17, "male", None), (0.9, None, "male", None), (0.9, 30, None, None), (0.9, 30, "female", True), (0.0, 30, "male", None), (nan, 30, "male", None)],
)  # fmt: skip
def test_egfr_refuses_what_is_outside_its_domain(creatinine: float, age: int | None, sex: str | None, pregnant: bool | None) -> None:
    with pytest.raises(InputError):
        _derived.egfr_ckd_epi_2021(creatinine, age, sex, pregnant)


@pytest.mark.parametrize(
    ("function", "inputs", "expected"),
    [
        ("tibc_from_uibc", (15, 45), 60),
        ("tibc_from_uibc", (15, 0), 15),
        ("transferrin_saturation_from_tibc", (12, 60), 20),
        ("transferrin_saturation_from_tibc", (70, 60), 116.667),  # free iron: not capped
        ("transferrin_saturation_from_transferrin", (12.5, 2.5), 19.9),  # 3.98 x 12.5 / 2.5
        ("adjusted_calcium_uk", (2.10, 32), 2.26),
        ("adjusted_calcium_uk", (2.40, 40), 2.40),
        ("adjusted_calcium_uk", (2.60, 48), 2.44),
        ("adjusted_calcium_us", (8.4, 3.0), 9.2),
        ("adjusted_calcium_us", (10.0, 4.5), 9.6),
        ("vitamin_e_cholesterol_ratio", (22, 5), 4.4),
    ],
)
def test_the_other_functions(function: str, inputs: tuple[float, ...], expected: float) -> None:
    assert FUNCTIONS[function].compute(*inputs) == pytest.approx(expected, abs=5e-4)


def test_the_two_forms_of_adjusted_calcium_have_one_slope() -> None:
    """0.8 mg/dL for each g/dL is 0.01996 mmol/L for each g/L."""
    mmol = (_derived.adjusted_calcium_us(9.0, 2.5) - 9.0) * 10 / 40.078
    assert mmol / 15 == pytest.approx(0.01996, abs=5e-6)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@pytest.mark.parametrize("bad", [0.0, -1.0, nan, inf])
def test_no_function_takes_a_number_that_cannot_be(name: str, bad: float) -> None:
    function = FUNCTIONS[name]
    facts = {"age_years": 50, "sex": "male", "pregnant": None}
    for n in range(len(function.inputs)):
        if (name, n, bad) == ("tibc_from_uibc", 1, 0.0):
            continue
        inputs = [bad if n == at else 2.0 for at in range(len(function.inputs))]
        with pytest.raises(InputError):
            function.compute(*inputs, **{fact: facts[fact] for fact in function.person})


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_says_what_it_is(name: str) -> None:
    """Named as it is called, with its units, what it refuses, an example and its source."""
    function = FUNCTIONS[name]
    text = function.compute.__doc__ or ""
    assert function.compute.__name__ == name
    assert all(f"    {word}:" in text for word in ("Args", "Returns", "Raises", "Caveats", "Example", "Source"))
    assert all(f"[{unit}]" in text for unit in function.inputs.values())
    assert "[mL/min/1.73 m2]" in text if function.unit.startswith("mL/min") else f"[{function.unit}]" in text


# --- when a quantity is computed -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ({"Iron": "12 umol/L", "TIBC": "60 umol/L"}, {"transferrin_saturation": "20.0 %"}),
        ({"Iron": "67.0 ug/dL", "TIBC": "60 umol/L"}, {"transferrin_saturation": "20.0 %"}),  # 67.0 / 5.5845 = 11.998
        ({"Iron": "50 ug/dL", "TIBC": "250 ug/dL"}, {"transferrin_saturation": "20.0 %"}),
        ({"Iron": "12.5 umol/L", "Transferrin": "2.5 g/L"}, {"transferrin_saturation": "19.9 %"}),
        ({"Iron": "12.5 umol/L", "Transferrin": "250 mg/dL"}, {"transferrin_saturation": "19.9 %"}),
        # the first block whose inputs are there: TIBC before transferrin
        ({"Iron": "12 umol/L", "Transferrin": "2.5 g/L", "TIBC": "60 umol/L"}, {"transferrin_saturation": "20.0 %"}),
        # one derived quantity feeds another
        ({"Iron": "15 umol/L", "UIBC": "45 umol/L"}, {"tibc": "", "transferrin_saturation": "25.0 %"}),
        ({"Calcium": "2.10 mmol/L", "Albumin": "32 g/L"}, {"adjusted_calcium": "2.260 mmol/L"}),
        ({"Calcium": "8.4 mg/dL", "Albumin": "3.0 g/dL"}, {"adjusted_calcium": "9.20 mg/dL"}),
        # a mixed report gets the form that takes every unit: 8.4 mg/dL = 2.0959 mmol/L
        ({"Calcium": "8.4 mg/dL", "Albumin": "30 g/L"}, {"adjusted_calcium": "2.296 mmol/L"}),
        ({"Vitamin E": "22 umol/L", "Cholesterol": "5.0 mmol/L"}, {"vitamin_e_cholesterol_ratio": "4.40 umol/mmol"}),
        ({"Creatinine": "1.0 mg/dL"}, {"egfr": "91.7 mL/min/{1.73_m2}"}),
        ({"Creatinine": "88.42 umol/L"}, {"egfr": "91.7 mL/min/{1.73_m2}"}),
        ({"Iron": "12 umol/L"}, {}),
        ({"Albumin": "32 g/L", "TIBC": "60 umol/L"}, {}),
    ],
)  # fmt: skip
def test_what_is_computed(results: dict[str, str], expected: dict[str, str]) -> None:
    report = small_panel(results)
    assert made(report) == {analyte: value for analyte, value in expected.items() if value}
    for analyte in expected:
        if not expected[analyte]:  # computed, and nobody draws a line for it
            assert any(f"{small.catalog().table['analytes'][analyte]['name']} of 60.0 umol/L was computed" in note for note in report.notes)
    assert not {finding.analyte for finding in report.findings} & set(expected)


@pytest.mark.parametrize(
    ("results", "because"),
    [
        ({"Iron": "<5 umol/L", "TIBC": "60 umol/L"}, "the result for Iron is not one plain number"),
        ({"Iron": "10-12 umol/L", "TIBC": "60 umol/L"}, "the result for Iron is not one plain number"),
        ({"Calcium": "2.10 mmol/L", "Albumin": "19 g/L"}, "Albumin of 19 g/L is outside the values for which it may be (at least 20 g/L)"),
        ({"Calcium": "8.4 mg/dL", "Albumin": "1.9 g/dL"}, "Albumin of 1.9 g/dL is outside"),
        ({"Iron": "50 umol/L", "TIBC": "1 umol/L"}, "the results do not go together, they would give 5000.0 %"),
        ([LabResult("Iron", "12 umol/L"), LabResult("Iron", "12 umol/L"), LabResult("TIBC", "60 umol/L")], "more than one result for Iron"),
    ],
)  # fmt: skip
def test_what_is_refused_is_told(results: Any, because: str) -> None:
    report = small_panel(results)
    assert made(report) == {}
    (note,) = report.notes
    assert "was not computed: " in note
    assert because in note


@pytest.mark.parametrize(
    ("patient", "because"),
    [
        (Patient(sex="male", age_years=17), "18 years"), (Patient(age_years=40), "sex"), (Patient(sex="male"), "age"),
        (Patient(sex="female", age_years=30, pregnant=True), "pregnancy"),
    ],
)  # fmt: skip
def test_a_person_outside_the_domain_is_told(patient: Patient, because: str) -> None:
    report = interpret({"creatinine": "0.9 mg/dL"}, patient)
    assert report.derived == ()
    assert because in report.notes[0]


def test_a_measured_quantity_is_never_replaced() -> None:
    """The laboratory's own value is kept, also where it cannot be put into a function."""
    for own in ("18 %", "<25 %"):
        report = small_panel({"Iron": "12 umol/L", "TIBC": "60 umol/L", "Transferrin saturation": own})
        assert (made(report), report.notes) == ({}, ())
    report = small_panel({"Calcium": "2.10 mmol/L", "Albumin": "32 g/L", "Adjusted calcium": "2.31 mmol/L"})
    assert made(report) == {}
    # one that could not be read is no measurement
    report = small_panel({"Iron": "12 umol/L", "TIBC": "60 umol/L", "Transferrin saturation": "pending"})
    assert made(report) == {"transferrin_saturation": "20.0 %"}


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (date(2026, 3, 1), date(2026, 3, 1), True), (date(2026, 3, 1), date(2026, 3, 2), False), (date(2026, 3, 1), None, True), (None, None, True),
        (datetime(2026, 3, 1, 7), date(2026, 3, 1), True), (datetime(2026, 3, 1, 7), datetime(2026, 3, 2, 7), False),
        ("2026-03-01", date(2026, 3, 1), True), ("2026-03-01 07:30", "2026-03-01 09:00", True), ("2026-03-01", "2026-03-02", False),
    ],
)  # fmt: skip
def test_nothing_is_computed_across_days(one: Any, other: Any, together: bool) -> None:
    results = [LabResult("Iron", "12", "umol/L", collected_at=one), LabResult("TIBC", "60", "umol/L", collected_at=other)]
    report = small_panel(results)
    assert bool(report.derived) is together
    assert any("of different days" in note for note in report.notes) is not together


def test_a_derived_input_keeps_the_days_of_its_own() -> None:
    """A TIBC of two samples is none, and a saturation across days is none either."""
    days = [date(2026, 3, 1), date(2026, 3, 1), date(2026, 3, 2)]
    results = [
        LabResult(n, v, "umol/L", collected_at=d) for n, v, d in zip(("UIBC", "Iron", "Iron"), ("45", "15", "15"), days, strict=True)
    ]
    assert small_panel(results[:2]).derived
    assert not small_panel([results[0], results[2]]).derived


def test_a_block_that_is_refused_leaves_the_place_to_the_next() -> None:
    report = small_panel({"Iron": "12.5 umol/L", "Transferrin": "2.5 g/L", "TIBC": ">60 umol/L"})
    assert made(report) == {"transferrin_saturation": "19.9 %"}
    assert report.derived[0].derived_from is not None
    assert report.derived[0].derived_from.id == "transferrin_saturation/from-transferrin"
    assert report.notes == ()


# --- what is said of it ----------------------------------------------------------------------------------------


def test_a_derived_finding_says_where_it_comes_from() -> None:
    report = small_panel({"UIBC": "45 umol/L", "Albumin": "28 g/L", "Iron": "8 umol/L", "Calcium": "2.3 mmol/L"}, rows=[7, 3, 9, 4])
    calcium, saturation = sorted(report.derived, key=lambda f: f.analyte)
    assert (saturation.code, saturation.band, saturation.limits, saturation.row) == ("L", "low", "transferrin_saturation/made-up", 9)
    derivation = saturation.derived_from
    assert derivation is not None
    assert (derivation.id, derivation.function) == ("transferrin_saturation/from-tibc", "transferrin_saturation_from_tibc")
    assert derivation.rows == (9, 7)
    assert [(i.analyte, i.rows, str(i.quantity)) for i in derivation.inputs] == [
        ("iron", (9,), "8 umol/L"),
        ("tibc", (9, 7), "53.0 umol/L"),
    ]
    assert calcium.notes == ("Albumin under 30 g/L makes the estimate poor.",)
    assert str(saturation) == "Transferrin saturation 15.1 %: L, low (transferrin_saturation/made-up); computed from Iron and TIBC"
    assert "computed from Iron 8 umol/L (row 9) and TIBC 53.0 umol/L (rows 9, 7)" in saturation.trace()[0]["text"]
    document = report.to_dict()
    assert json.loads(report.to_json()) == json.loads(json.dumps(document))
    assert [one["analyte"] for one in document["derived"]] == [f.analyte for f in report.derived]
    assert document["derived"][0]["derived_from"].keys() == {"id", "function", "rows", "inputs", "note", "citations"}
    assert all("derived_from" not in finding for finding in document["findings"])
    assert report.finding("transferrin_saturation") is None


def test_gates_alerts_and_links_see_it() -> None:
    """Every row behind a derived value is named, and a gate on codes looks at the derived answer."""
    report = small_panel({"Calcium": "2.00 mmol/L", "Albumin": "46 g/L", "Iron": "8 umol/L", "TIBC": "60 umol/L"})
    assert made(report) == {"adjusted_calcium": "1.880 mmol/L", "transferrin_saturation": "13.3 %"}
    (match,) = report.patterns
    assert (match.id, match.certainty, match.because) == ("iron_short", "likely", (1, 2, 3, 4))
    assert [(alert.id, alert.row) for alert in report.alerts] == [("adjusted_calcium/very-low", 1)]
    assert [(effect.id, effect.because) for effect in report.effects] == [("fatigue", (3, 4))]


# --- what the checks say ---------------------------------------------------------------------------------------


def problems(*more: str) -> list[str]:
    return [str(problem) for problem in check_derive(small.files(*more))]


def test_the_blocks_of_the_tests_have_no_problem() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("id", "name", "unit", "mass", "more", "place", "text"),
    [
        ("adjusted_calcium", "Adjusted calcium", "mmol/L", "40.078", small.CALCIUM.replace(small.WITHIN, ""), "derive 'adjusted_calcium/us' > within", "needs the values of albumin"),
        ("adjusted_calcium", "Adjusted calcium", "mmol/L", "40.078", small.CALCIUM.replace('{ unit = "g/L", at_least', '{ unit = "%", at_least', 1), "derive 'adjusted_calcium/us' > within", "'%' does not convert to 'g/L'"),
        ("adjusted_calcium", "Adjusted calcium", "mmol/L", "40.078", small.CALCIUM.replace("{ albumin = { unit", "{ protein = { unit", 1), "derive 'adjusted_calcium/us' > within", "'protein' is no input"),
        ("transferrin_saturation", "Transferrin saturation", "g/L", "", small.SATURATION, "derive 'transferrin_saturation/from-tibc' > function", "gives '%', which does not convert to 'g/L'"),
        ("tibc", "TIBC", "umol/L", "55.845", small.derive("tibc/x", "tibc_from_uibc", '{ iron = "umol/L", uibc = "ug/dL" }', 1), "derive 'tibc/x' > inputs", "takes uibc in umol/L, not 'ug/dL'"),
        ("iron", "Iron", "umol/L", "55.845", small.derive("iron/x", "tibc_from_uibc", '{ iron = "umol/L", uibc = "umol/L" }', 1), "derive 'iron/x'", "iron is derived from iron: a circle"),
        ("uibc", "UIBC", "umol/L", "55.845", small.derive("uibc/x", "transferrin_saturation_from_tibc", '{ iron = "umol/L", tibc = "umol/L" }', 1), "derive 'uibc/x'", "uibc is derived from tibc is derived from uibc: a circle"),
        ("uibc", "UIBC", "g/L", "", "", "derive 'tibc/from-uibc' > inputs", "'umol/L' does not convert to 'g/L' of uibc"),
    ],
)  # fmt: skip
def test_a_slip_in_a_block_is_told(id: str, name: str, unit: str, mass: str, more: str, place: str, text: str) -> None:
    told = problems(small.analyte(id, name, unit, [unit], mass, more))
    assert [one for one in told if place in one and text in one], told
    assert all(one.startswith("analytes/") for one in told)


def test_an_input_that_is_not_in_the_catalog_is_told() -> None:
    files = small.files()
    without = files._replace(analytes={id: one for id, one in files.analytes.items() if id != "cholesterol"})
    (problem,) = check_derive(without)
    assert "'cholesterol' is no analyte of this catalog" in str(problem)


def test_what_is_remembered_changes_nothing() -> None:
    """A panel with something to compute is worked out each time, whatever was met before."""
    catalog = Catalog(small.catalog().table)
    for iron, expected in (("12", "20.0 %"), ("12.6", "21.0 %"), ("12.3", "20.5 %"), ("6", "10.0 %")):
        for _ in range(2):
            report = interpret({"Iron": f"{iron} umol/L", "TIBC": "60 umol/L"}, MAN, catalog=catalog)
            assert made(report) == {"transferrin_saturation": expected}
    plain = [LabResult("Iron", "12", "umol/L"), LabResult("TIBC", "60", "umol/L")]
    for day in (1, 2, 1):
        dated = [plain[0]._replace(collected_at=date(2026, 3, 1)), plain[1]._replace(collected_at=date(2026, 3, day))]
        assert bool(interpret(dated, MAN, catalog=catalog).derived) is (day == 1)
