"""FHIR as it is written: valid, exact, cited, and read back to the same answers."""

from __future__ import annotations

import importlib
import json
import os
import random
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.test_fhir_in import CRITICAL, MEN, NORMAL, WOMAN, bundle, concept, observation, pregnancy, quantity
from tests.test_real_data import DATA, SHARED, needs_shared

import labinterp as li
from labinterp import Catalog, Finding, LabResult, NotAssessed, Patient, Report, fhir
from labinterp._formats.fhir_terms import RANGE_ORIGIN, SAID
from labinterp._intake import PanelIn, Source
from labinterp.errors import InputError, MissingExtraError
from labinterp.readers import read_bytes, read_file, read_files

settings.register_profile("fhir", max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
FUZZ_SECONDS = float(os.environ.get("LABINTERP_FUZZ_SECONDS", "0"))


def interpreted(source: Source) -> list[Report]:
    return [li.interpret(part.results, part.patient, rows=part.rows) for part in source.panels]


def resources(made: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in made["entry"] if entry["resource"]["resourceType"] == kind]


def of(results: Any, **patient: Any) -> dict[str, Any]:
    return fhir.bundle([li.interpret(results, Patient(**patient))])


def validated(made: dict[str, Any]) -> None:
    """Valid for fhir.resources as R4B and as R5; ids are unique, and every reference leads to an entry."""
    text = fhir.to_json(made)
    for module in ("fhir.resources.R4B.bundle", "fhir.resources.bundle"):
        importlib.import_module(module).Bundle.model_validate_json(text)
    urls = [entry["fullUrl"] for entry in made["entry"]]
    assert len(urls) == len(set(urls))
    references = (
        json.loads(text, object_hook=lambda part: seen.append(part["reference"]) or part if "reference" in part else part)
        if (seen := []) is not None
        else []
    )
    assert references
    assert set(seen) <= set(urls)
    for one in resources(made, "Observation"):  # obs-6: a value or a reason why there is none
        assert ("dataAbsentReason" in one) != any(key.startswith("value") for key in one)


def meaning(finding: Finding) -> tuple[Any, ...]:
    own = finding.reported
    reported = own and (own.low, own.high, own.flag, own.code)
    return (finding.analyte, finding.source_name, str(finding.quantity), finding.code, finding.band, finding.limits, finding.kind, finding.authority, reported, finding.notes)  # fmt: skip


def refusal(refused: NotAssessed) -> tuple[str | None, str, str, str]:
    return refused.analyte, refused.source_name, refused.reason, refused.message


def said(report: Report) -> list[Any]:
    """What is said of a draw, without the numbers of its rows."""
    whole = report.whole
    return [[(one.id, one.text) for one in part] for part in (whole.patterns, whole.open_questions, whole.effects, whole.alerts)]


def same_answers(first: list[Report], again: list[Report]) -> None:
    assert [[meaning(one) for one in report.findings] for report in again] == [
        [meaning(one) for one in report.findings] for report in first
    ]
    assert [[refusal(one) for one in r.not_assessed] for r in again] == [[refusal(one) for one in r.not_assessed] for r in first]
    assert [[meaning(one) for one in report.derived] for report in again] == [[meaning(one) for one in report.derived] for report in first]
    assert [said(report) for report in again] == [said(report) for report in first]


def there_and_back(source: Source) -> None:
    """Written and read again: the same answers, the same bundle each time it is written."""
    first = interpreted(source)
    made = fhir.bundle(first, source)
    assert fhir.to_json(fhir.bundle(interpreted(source), source)) == fhir.to_json(made)
    again = fhir.read(fhir.to_json(made))
    same_answers(first, interpreted(again))


# --- what comes out --------------------------------------------------------------------------------------------


def test_a_finding_is_an_observation() -> None:
    """Value with its digits and UCUM, our reading, our lines with their source, the laboratory's range and flag as its own."""
    one = LabResult(
        "25(OH)D", "18.0", "ng/mL", loinc="62292-8", specimen="Serum", ref_low="20", ref_high="50", flag="L", source="a.csv, row 1"
    )
    panel = PanelIn(
        Patient(id="A7", sex="female", birth_date="1950-03-01", at="2021-06-01"), [one._replace(collected_at=_day("2021-06-01"))], [1], []
    )
    source = Source([panel], None)
    made = fhir.bundle(interpreted(source), source)
    validated(made)
    (found,) = resources(made, "Observation")
    assert found["status"] == "final"
    assert found["effectiveDateTime"] == "2021-06-01"
    assert found["specimen"] == {"display": "Serum"}
    assert found["code"]["text"] == "25(OH)D"
    assert [(c["system"], c["code"]) for c in found["code"]["coding"]] == [
        ("http://loinc.org", "62292-8"),
        ("https://w3id.org/labinterp/fhir/CodeSystem/analyte", "vitamin_d"),
    ]
    assert found["valueQuantity"] == {"value": Decimal("18.0"), "unit": "ng/mL", "system": "http://unitsofmeasure.org", "code": "ng/mL"}
    assert '"value": 18.0,' in fhir.to_json(made)
    ours, flag = found["interpretation"]
    assert [c["code"] for c in ours["coding"]] == ["L", "vitamin_d/nam-2011#inadequate"]
    assert [c["code"] for c in flag["coding"]] == ["L"]
    limits, laboratory = found["referenceRange"]
    assert [limits["extension"][0]["valueCode"], laboratory["extension"][0]["valueCode"]] == ["labinterp", "laboratory"]
    assert (limits["low"]["value"], limits["high"]["value"]) == (20, 50)
    assert "deficient <12; inadequate 12 to <20; adequate 20 to 50; high >50" in limits["text"]
    assert "doi:10.17226/13050" in limits["text"]
    assert (laboratory["low"]["value"], laboratory["high"]["value"]) == (20, 50)
    (person,) = resources(made, "Patient")
    assert (person["gender"], person["birthDate"], person["identifier"][0]["value"]) == ("female", "1950-03-01", "A7")


def _day(text: str) -> Any:
    from datetime import date

    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ({"magnesium": "0.35 mmol/L"}, "LL"), ({"25(OH)D": "20 nmol/L"}, "LU"), ({"25(OH)D": "60 nmol/L"}, "N"), ({"CRP": "80 mg/L"}, "H"),
        ({"homocysteine": "150 umol/L"}, "HU"), ({"25(OH)D": "<40 nmol/L"}, "IND"),
    ],
)  # fmt: skip
def test_codes_are_hl7s(results: dict[str, str], code: str) -> None:
    """Each code of ours stands in HL7 v3 ObservationInterpretation."""
    (found,) = resources(of(results, sex="female", age_years=71), "Observation")
    coding = found["interpretation"][0]["coding"][0]
    assert (coding["system"], coding["code"]) == ("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", code)


@pytest.mark.parametrize(
    ("text", "value"), [("<5", {"comparator": "<", "value": 5}), (">=5.0", {"comparator": ">=", "value": Decimal("5.0")})]
)
def test_a_censored_value_keeps_its_comparator(text: str, value: dict[str, Any]) -> None:
    """What was below the assay's limit stays so."""
    (found,) = resources(of({"ferritin": f"{text} ug/L"}, sex="male", age_years=40), "Observation")
    assert found["valueQuantity"].items() >= value.items()


def test_a_range_is_a_range() -> None:
    """5~8 is a valueRange."""
    (found,) = resources(of({"ferritin": "5~8 ug/L"}, sex="male", age_years=40), "Observation")
    assert (found["valueRange"]["low"]["value"], found["valueRange"]["high"]["value"]) == (5, 8)


def test_loinc_is_given_where_one_code_can_be_meant() -> None:
    """Iron in umol/L has one code in the catalog; vitamin D has several, and none is chosen."""
    iron, vitamin = resources(of({"iron": "5 umol/L", "25(OH)D": "60 nmol/L"}, sex="female", age_years=71), "Observation")
    assert iron["code"]["coding"][0] == {"system": "http://loinc.org", "code": "14798-3"}
    assert [c["code"] for c in vitamin["code"]["coding"]] == ["vitamin_d"]


def test_a_line_that_is_no_exact_number_stands_in_the_text_alone() -> None:
    """35 ug/dL of iron is no round number of umol/L: no low or high that is not the line itself."""
    (found,) = resources(of({"iron": "5 umol/L"}, sex="female", age_years=71), "Observation")
    assert not {"low", "high"} & set(found["referenceRange"][0])


def test_a_computed_quantity_names_what_it_comes_from() -> None:
    """Transferrin saturation from iron and TIBC: derivedFrom leads to both, method says how, with its citation."""
    made = of({"iron": "5 umol/L", "TIBC": "80 umol/L"}, sex="female", age_years=71)
    validated(made)
    *measured, computed = resources(made, "Observation")
    assert [r["reference"] for r in computed["derivedFrom"]] == [f"urn:uuid:{one['id']}" for one in measured]
    assert computed["method"]["coding"][0]["system"] == "https://w3id.org/labinterp/fhir/CodeSystem/derivation"
    assert computed["method"]["extension"]


REFUSED = [
    (LabResult("Sodium", "140", "mmol/L"), {"valueQuantity": {"value": 140, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"}}),
    (LabResult("Ferritin", "12", "ug/xL"), {"valueQuantity": {"value": 12, "unit": "ug/xL"}}),
    (LabResult("Ferritin", "12"), {"valueQuantity": {"value": 12}}),
    (LabResult("Ferritin", "990000", "ug/L"), {"valueQuantity": {"value": 990000, "unit": "ug/L", "system": "http://unitsofmeasure.org", "code": "ug/L"}}),
    (LabResult("Bartonella IgG", "Negatief"), {"valueString": "Negatief"}),
]  # fmt: skip


@pytest.mark.parametrize(("one", "value"), REFUSED)
def test_a_result_that_was_not_assessed_keeps_its_value(one: LabResult, value: dict[str, Any]) -> None:
    """What is missing is our answer, not the number: value, reason and sentence stand in the Observation, and no interpretation."""
    made = of([one], sex="female", age_years=71)
    validated(made)
    (found,) = resources(made, "Observation")
    assert {key: found[key] for key in found if key.startswith("value")} == value
    assert "interpretation" not in found
    assert "dataAbsentReason" not in found
    assert found["note"][0]["text"].startswith("Not assessed: ")


@pytest.mark.parametrize("with_source", [False, True])
def test_a_result_that_was_not_assessed_keeps_the_laboratorys_range(with_source: bool) -> None:
    """What the laboratory's own range says of a test that the catalog does not know is the same when the bundle is read back."""
    results = [
        LabResult("Sodium", "150", "mmol/L", ref_low="135", ref_high="145"),
        LabResult("Selen", "0.5", "umol/L", ref_text="0.7 - 1.2"),
    ]
    report = li.interpret(results, Patient())
    source = Source([PanelIn(Patient(), results, [1, 2], [])], None) if with_source else None
    (back,) = interpreted(fhir.read(fhir.to_json(fhir.bundle([report], source))))
    told = [one.reported for one in (*report.not_assessed, *back.not_assessed)]
    assert [(one.low, one.high, one.code) for one in told if one] == 2 * [(135, 145, "H"), (Decimal("0.7"), Decimal("1.2"), "L")]


@pytest.mark.parametrize(("text", "code"), [("", "unknown"), ("1,060", "error"), ("no result", "error")])
def test_a_result_without_a_value_says_so(text: str, code: str) -> None:
    """No value that can be stated: dataAbsentReason, and what was printed in an extension."""
    made = of([LabResult("Ferritin", text, "ug/L")], sex="female", age_years=71)
    validated(made)
    (found,) = resources(made, "Observation")
    assert found["dataAbsentReason"]["coding"][0]["code"] == code
    assert [e["valueString"] for e in found["extension"] if e["url"].endswith("value-as-printed")] == ([text] if text else [])


def test_a_withdrawn_result_stays_withdrawn() -> None:
    """A status that says more than final is kept, and so is the reason."""
    source = fhir.read(
        bundle(WOMAN, observation(status="entered-in-error"), observation("CRP", status="preliminary", valueQuantity=quantity(8, "mg/L")))
    )
    made = fhir.bundle(interpreted(source), source)
    validated(made)
    assert [one["status"] for one in resources(made, "Observation")] == ["entered-in-error", "preliminary"]
    assert resources(made, "DiagnosticReport")[0]["status"] == "preliminary"
    there_and_back(source)


def test_a_status_outlives_other_files_beside_it(tmp_path: Path) -> None:
    """A table and a bundle read together: what the bundle calls preliminary is not written as final."""
    (tmp_path / "a.csv").write_text("test,value,unit\nFerritin,12,ug/L\n", "utf-8")
    (tmp_path / "b.json").write_text(json.dumps(bundle(WOMAN, observation(status="preliminary"))), "utf-8")
    source = read_files([tmp_path / "a.csv", tmp_path / "b.json"])
    made = fhir.bundle(interpreted(source), source)
    assert [one["status"] for one in resources(made, "Observation")] == ["final", "preliminary"]


def test_a_birth_date_known_to_the_year_is_written_so() -> None:
    """1950 stays 1950."""
    source = fhir.read(bundle({**WOMAN, "birthDate": "1950"}, observation()))
    made = fhir.bundle(interpreted(source), source)
    validated(made)
    assert resources(made, "Patient")[0]["birthDate"] == "1950"
    there_and_back(source)


def test_the_report_concludes_with_citations() -> None:
    """Conclusion with alerts, patterns and effects in the catalog's words, HPO codes, statements with citations, versions, and what this is not."""
    report = li.interpret(
        {"25(OH)D": "10 ng/mL", "B12": "120 pg/mL", "MMA": "0.9 umol/L", "Mg": "0.35 mmol/L"}, Patient(sex="female", age_years=71)
    )
    made = fhir.bundle([report])
    validated(made)
    (found,) = resources(made, "DiagnosticReport")
    assert len(found["result"]) == len(resources(made, "Observation"))
    for text in (*(one.text for one in (*report.alerts, *report.patterns, *report.effects)), report.disclaimer, *report.standing):
        assert text in found["conclusion"]
    codes = {c["code"] for one in found["conclusionCode"] for c in one["coding"] if c["system"] == "http://human-phenotype-ontology.org"}
    assert codes == {effect.hpo for effect in report.effects if effect.hpo}
    statements = [e["extension"] for e in found["extension"] if e["url"] == SAID]
    assert len(statements) == sum(
        map(len, (report.alerts, report.patterns, report.open_questions, report.effects, report.advice, report.notes))
    )
    kinds = {part["valueCode"] for one in statements for part in one if part["url"] == "kind"}
    assert {"alert", "effect", "advice"} <= kinds
    cited = [one for one in statements if any(part["url"].endswith("citation") for part in one)]
    assert len(cited) >= len(report.alerts) + len(report.effects)
    made_with = next(e["extension"] for e in found["extension"] if e["url"].endswith("made-with"))
    assert [part["valueString"] for part in made_with] == [li.__version__, report.catalog]


def test_no_birth_date_is_made_from_an_age() -> None:
    """An age alone stands as a fact of the draw and is read back; so are pregnancy and circumstances."""
    made = of({"ferritin": "12 ug/L"}, sex="female", age_years=0.5)
    assert "birthDate" not in resources(made, "Patient")[0]
    assert fhir.read(fhir.to_json(made)).panels[0].patient.age_years == 0.5
    made = of({"ferritin": "12 ug/L"}, sex="female", age_years=30, pregnant=True, contexts=["ckd"])
    back = fhir.read(fhir.to_json(made)).panels[0].patient
    assert (back.age_years, back.pregnant, back.contexts) == (30, True, frozenset({"ckd"}))


def test_nobody_is_no_patient() -> None:
    """Where nothing is known of the person there is no Patient."""
    assert resources(of({"ferritin": "12 ug/L"}), "Patient") == []


def test_draws_of_one_person_share_the_patient() -> None:
    """Two days, one person: one Patient, two reports."""
    source = fhir.read(bundle(WOMAN, observation(), observation(effectiveDateTime="2022-01-01")))
    made = fhir.bundle(interpreted(source), source)
    assert (len(resources(made, "Patient")), len(resources(made, "DiagnosticReport"))) == (1, 2)


def test_reports_and_panels_have_to_match() -> None:
    """A report for each panel, in order."""
    source = fhir.read(observation())
    with pytest.raises(InputError, match="one for each panel"):
        fhir.bundle([], source)


def test_a_name_that_needs_its_specimen_is_written_out() -> None:
    """Without the source, "Magnesium" of red cells would be read back as magnesium in serum: the full name stands there, and the printed one beside it."""
    report = li.interpret([LabResult("Magnesium", "2.1", "mmol/L", specimen="red cells")])
    made = fhir.bundle([report])
    found = resources(made, "Observation")[0]
    assert found["code"]["text"] == Catalog.default().analytes["rbc_magnesium"].name
    assert found["code"]["extension"][0]["valueString"] == "Magnesium"
    (back,) = interpreted(fhir.read(fhir.to_json(made)))
    assert [one.analyte for one in back.rows()] == ["rbc_magnesium"]


def test_plain_data_must_be_plain() -> None:
    """A circle, or an object FHIR does not know, is told."""
    circle: dict[str, Any] = {"resourceType": "Bundle"}
    circle["entry"] = [circle]
    for odd in (circle, {"resourceType": "Observation", "valueQuantity": {"value": object()}}):
        with pytest.raises(InputError, match="plain data"):
            fhir.read(odd)


def test_plain_data_with_decimals_keeps_its_digits() -> None:
    """`Decimal` in, `Decimal` out."""
    assert str(fhir.read(observation(valueQuantity=quantity(Decimal("18.0")))).panels[0].results[0].value) == "18.0"


# --- the command line ------------------------------------------------------------------------------------------------


def test_the_command_line_writes_fhir(cli: Callable[..., Any], tmp_path: Path) -> None:
    """`labinterp interpret x.json --to fhir -o out.json`: recognised, read, written; what was passed over is said."""
    path, out = tmp_path / "x.json", tmp_path / "out.json"
    path.write_text(json.dumps(bundle(WOMAN, observation(), {"resourceType": "Encounter"})), "utf-8")
    done = cli("interpret", str(path), "--to", "fhir", "-o", str(out))
    assert done.code == 0, done.err
    assert "Passed over, as they hold no results: 1 Encounter." in done.err
    made = json.loads(out.read_text("utf-8"))
    assert [entry["resource"]["resourceType"] for entry in made["entry"]] == ["Patient", "Observation", "DiagnosticReport"]
    table = cli("interpret", str(out))
    assert table.code == 0
    assert "Ferritin" in table.out
    assert "1 result" in table.err or "1 assessed" in table.err or "assessed" in table.err


def test_fhir_comes_out_as_csv(cli: Callable[..., Any], tmp_path: Path) -> None:
    """FHIR in, CSV out: what was printed stands in the table, for a value that cannot be used, too."""
    path = tmp_path / "x.json"
    path.write_text(json.dumps(bundle(WOMAN, observation(valueQuantity=quantity(1.6, "mg/dL", "mmol/L")))), "utf-8")
    assert ",Ferritin,1.6 mg/dL [mmol/L],,,,ferritin," in cli("interpret", str(path), "--to", "csv").out


def test_a_table_comes_out_as_fhir(cli: Callable[..., Any], tmp_path: Path) -> None:
    """CSV in, FHIR out."""
    path = tmp_path / "labs.csv"
    path.write_text("test,value,unit,sex,age,date\nFerritin,12,ug/L,F,71,2021-06-01\nSodium,140,mmol/L,F,71,2021-06-01\n", "utf-8")
    done = cli("interpret", str(path), "--to", "fhir")
    made = json.loads(done.out)
    assert [one["effectiveDateTime"] for one in resources(made, "Observation")] == ["2021-06-01"] * 2
    there_and_back(read_file(path))


# --- there and back ---------------------------------------------------------------------------------------------------

ANALYTES = sorted(Catalog.default().analytes.values(), key=lambda one: one.id)
NAMES = {key: name for key, (name, *_) in ((one.id, (one.name,)) for one in ANALYTES)}
NUMBERS = st.one_of(
    st.decimals(min_value="0.01", max_value="500", places=2), st.decimals(min_value="0.1", max_value="3", places=1),
    st.integers(min_value=0, max_value=2000), st.sampled_from([Decimal("18.0"), Decimal("1.060"), Decimal("0.85"), Decimal("1E+2")]),
)  # fmt: skip
UNKNOWN = st.sampled_from(["Sodium", "Bartonella henselae IgG", "XYZ", "", "Glucose [Mass/volume] in Blood"])


@st.composite
def quantities(draw: Any, unit: str) -> dict[str, Any]:
    made = {
        "value": draw(NUMBERS),
        **draw(
            st.sampled_from(
                [{"unit": unit}, {"code": unit, "system": "http://unitsofmeasure.org"}, {"unit": unit, "code": unit}, {"unit": "zz"}, {}]
            )
        ),
    }
    if draw(st.booleans()):
        made["comparator"] = draw(st.sampled_from(["<", "<=", ">", ">=", "ad"]))
    return made


@st.composite
def ranges_of(draw: Any, unit: str) -> dict[str, Any]:
    low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
    own = draw(st.sampled_from([unit, unit, unit, "mg/dL"]))
    made: dict[str, Any] = {}
    if draw(st.booleans()):
        made["low"] = {"value": low, "unit": own}
    if draw(st.booleans()):
        made["high"] = {"value": high, "unit": own}
    if draw(st.integers(0, 3)) == 0 or not made:
        made["text"] = draw(st.sampled_from([f"{low} - {high}", f"<{high}", "see report", f"up to {high}", "(0.70-1.10)"]))
    if draw(st.integers(0, 4)) == 0:
        made["type"] = draw(st.sampled_from([NORMAL, CRITICAL]))
    if draw(st.integers(0, 5)) == 0:
        made["appliesTo"] = [MEN]
    return made


@st.composite
def observations(draw: Any) -> dict[str, Any]:
    analyte = draw(st.sampled_from(ANALYTES))
    unit = draw(st.sampled_from(analyte.units))
    name = draw(st.one_of(st.just(analyte.name), st.just(analyte.name), UNKNOWN))
    loinc = draw(st.one_of(st.none(), st.sampled_from(analyte.loinc or ("2951-2",)), st.just("2951-2")))
    parts: dict[str, Any] = {}
    value = draw(st.integers(0, 11))
    if value <= 7:
        parts["valueQuantity"] = draw(quantities(unit))
    elif value == 8:
        parts["valueString"] = draw(st.sampled_from(["<5", f"12.3 {unit}", "see comment", "1,060", "Negatief", f">2 {unit}", ""]))
    elif value == 9:
        low, high = draw(NUMBERS), draw(NUMBERS)
        parts["valueRange"] = {"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}
    elif value == 10:
        parts["dataAbsentReason"] = concept(code="error")
    else:
        parts["valueCodeableConcept"] = {"text": "Positive"}
    if draw(st.booleans()):
        parts["referenceRange"] = draw(st.lists(ranges_of(unit), min_size=1, max_size=2))
    if draw(st.booleans()):
        parts["interpretation"] = [concept(code=draw(st.sampled_from(["H", "L", "N", "LL", "HH", "A", "U"])))]
    parts["status"] = draw(st.sampled_from(["final"] * 6 + ["preliminary", "corrected", "entered-in-error", "registered", "unknown"]))
    parts["effectiveDateTime"] = draw(st.sampled_from(["2021-06-01", "2021-06-01T08:00:00Z", "2022-02-03"]))
    specimen = draw(st.sampled_from([None, None, "Serum", "Urine", "EDTA whole blood", "red cells"]))
    if specimen:
        parts["specimen"] = {"display": specimen}
    return observation(concept(name, loinc), **parts)


@st.composite
def bundles(draw: Any) -> dict[str, Any]:
    person = {
        **WOMAN,
        **draw(
            st.sampled_from(
                [{}, {"gender": "male"}, {"birthDate": "1990-05-05"}, {"birthDate": "1950"}, {"birthDate": None}, {"gender": "unknown"}]
            )
        ),
    }
    found = draw(st.lists(observations(), min_size=1, max_size=6))
    more = draw(st.sampled_from([[], [pregnancy(effectiveDateTime="2021-06-01")]]))
    return bundle(person, *more, *found)


@settings(settings.get_profile("fhir"))
@given(bundles())
def test_fhir_in_out_in_gives_the_same_answers(data: dict[str, Any]) -> None:
    """Generated panels: written and read again, every finding, refusal, computed quantity and statement is the same, and the bundle is valid."""
    source = fhir.read(data)
    there_and_back(source)
    validated(fhir.bundle(interpreted(source), source))


RESULTS = st.builds(
    LabResult,
    st.sampled_from([*(one.name for one in ANALYTES), "Sodium", "Mg", "XYZ", ""]),
    st.one_of(NUMBERS, NUMBERS.map(str), st.sampled_from(["<5", "see comment", "1,060", "12 H", "5-8", "", None, ">= 3.0", 12.5])),
    st.sampled_from(["ug/L", "ng/mL", "mmol/L", "mg/dL", "umol/L", "nmol/L", "g/dL", "qq", "", None]),
    loinc=st.sampled_from([None, None, "2276-4", "2601-3", "garbage", "99999-9"]),
    specimen=st.sampled_from([None, None, "Serum", "urine", "tube 7"]),
    comparator=st.sampled_from([None, None, "<", ">=", "?"]),
    ref_low=st.sampled_from([None, "10", 0, "1,060", Decimal("0.7")]),
    ref_high=st.sampled_from([None, "33", "<33", 50, "n/a"]),
    ref_text=st.sampled_from([None, None, "10 - 33", "<20", "adults: 5"]),
    flag=st.sampled_from([None, "H", "L", "*", "low", "HH"]),
).filter(lambda one: one.ref_low != 0 or one.ref_high not in (None, "n/a"))  # 0 alone says nothing, and FHIR is read so
PEOPLE = st.builds(
    Patient, id=st.sampled_from([None, "A7", "Ä 7/b"]), sex=st.sampled_from([None, "female", "male"]), age_years=st.sampled_from([None, 0.5, 7, 34, 71]),
    pregnant=st.sampled_from([None, None, True, False]), contexts=st.sampled_from([(), ("ckd",), ("inflammation", "smoking")]),
)  # fmt: skip


@settings(settings.get_profile("fhir"))
@given(st.lists(RESULTS, min_size=1, max_size=5), PEOPLE)
def test_any_report_is_valid_and_read_back_safely(results: list[LabResult], patient: Patient) -> None:
    """Reports of any input, with and without their source: valid, nothing lost, and no refusal turns into a finding on the way back."""
    report = li.interpret(results, patient)
    source = Source([PanelIn(patient, results, list(range(1, len(results) + 1)), [])], None)
    for made in (fhir.bundle([report]), fhir.bundle([report], source)):
        validated(made)
        assert len(resources(made, "Observation")) == len(results) + len(report.derived)
        again = interpreted(fhir.read(fhir.to_json(made)))
        found = [(one.analyte, str(one.quantity)) for back in again for one in back.findings]
        assert len(found) == len(report.findings)
        assert found == [(one.analyte, str(one.quantity)) for one in report.findings]
    assert [meaning(one)[:8] for back in again for one in back.findings] == [meaning(one)[:8] for one in report.findings]


@needs_shared("the way there and back of sixteen real files")
def test_real_files_there_and_back() -> None:
    """Every FHIR file of the shared data: written, valid as R4B and R5, and read back to the same answers."""
    files = [path for path in sorted(SHARED.glob("fhir-*/*.json")) if path.name != "package.json"]
    assert len(files) == 17
    for path in files:
        source = read_file(path)
        there_and_back(source)
        validated(fhir.bundle(interpreted(source), source))


@pytest.mark.parametrize("low", ["see our page", "1,060", "12a"])
def test_a_range_with_one_end_that_cannot_be_read_is_not_opened(low: str) -> None:
    """Found by fuzzing: the other end alone came back as a range without a lower end, and its "normal" answered."""
    result = LabResult("MCV", 79, "fL", loinc="30428-7", ref_low=low, ref_high=94)
    report = li.interpret([result])
    source = Source([PanelIn(Patient(), [result], [1], [])], None)
    back = fhir.read(fhir.to_json(fhir.bundle([report], source))).panels[0]
    assert (back.results[0].ref_low, back.results[0].ref_high) == (None, None)
    same_answers([report], [li.interpret(back.results, back.patient, rows=back.rows)])


# --- fuzz ------------------------------------------------------------------------------------------------------------


def samples() -> list[bytes]:
    """Small bundles with one of everything, and the smaller files of the shared data where they are there."""
    canary = {**WOMAN, "name": [{"text": "XQZCANARY"}], "id": "XQZCANARY"}
    whole = bundle(
        canary,
        observation("XQZCANARY", id="a", subject="Patient/XQZCANARY", referenceRange=[{"low": quantity(1), "text": "XQZCANARY"}]),
        observation(
            "Panel",
            id="p",
            component=[{"code": concept("CRP"), "valueQuantity": quantity(8, "mg/L")}],
            hasMember=[{"reference": "Observation/a"}],
        ),
        {"resourceType": "Specimen", "id": "s", "type": {"text": "XQZCANARY"}, "collection": {"collectedDateTime": "2021-06-01"}},
        {"resourceType": "DiagnosticReport", "id": "d", "result": [{"reference": "Observation/a"}], "contained": [observation(id="c")]},
        pregnancy(),
    )
    listed = [
        (DATA / "fhir_spec_f005.json").read_bytes(),
        json.dumps(whole).encode(),
        "\n".join(json.dumps(entry["resource"]) for entry in whole["entry"]).encode(),
    ]
    files = list(SHARED.glob("fhir-spec-r4/Observation-*.json")) if SHARED.is_dir() else []
    return listed + [path.read_bytes() for path in sorted(files)]


PIECES = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b":",
    b",",
    b"null",
    b"1e999",
    b"-0",
    b"\x00",
    b"\xff",
    b'"#"',
    b"[[[[[[",
    b'"value":',
    b'"reference":"#p"',
    b"\xed\xa0\x80",
    b"9" * 90,
]


def mutated(data: bytes, random_: random.Random) -> bytes:
    for _ in range(random_.randint(1, 4)):
        at, other = random_.randrange(len(data) + 1), random_.randrange(len(data) + 1)
        low, high = min(at, other), min(max(at, other), min(at, other) + random_.choice((1, 8, 400)))
        data = (
            random_.choice(
                (
                    data[:low] + data[high:],
                    data[:low] + random_.choice(PIECES) + data[low:],
                    data[:low] + random_.choice(PIECES) + data[high:],
                    data[:high] + data[low:high] + data[high:],
                    data[:low],
                )
            )
            or b"{}"
        )
    return data


def test_mutated_files_end_in_answers() -> None:
    """Bytes of real files, cut, doubled and replaced: only told errors, an answer for every result, and no patient's text in a message.

    LABINTERP_FUZZ_SECONDS lets it run longer.
    """
    random_, until, seeds, rounds = random.Random(5), time.monotonic() + FUZZ_SECONDS, samples(), 0
    while rounds < 3000 or time.monotonic() < until:
        rounds += 1
        data = mutated(random_.choice(seeds), random_)
        try:
            source = read_bytes(data, format="fhir")
        except (InputError, MissingExtraError) as error:
            assert "XQZCANARY" not in str(error)  # noqa: PT017
            continue
        assert "XQZCANARY" not in " ".join((*source.notes, *(note for part in source.panels for note in part.notes)))
        for part in source.panels:
            report = li.interpret(part.results, part.patient, rows=part.rows)
            assert sorted(row.row for row in report.rows()) == part.rows


def test_ours_is_never_read_as_the_laboratorys() -> None:
    """Our lines and our codes stand in the bundle, marked as ours, and are not read back as printed by the laboratory."""
    made = of({"25(OH)D": "18 ng/mL"}, sex="female", age_years=71)
    marks = [
        e["valueCode"] for one in resources(made, "Observation")[0]["referenceRange"] for e in one["extension"] if e["url"] == RANGE_ORIGIN
    ]
    assert marks == ["labinterp"]
    back = fhir.read(fhir.to_json(made)).panels[0].results[0]
    assert (back.ref_low, back.ref_high, back.ref_text, back.flag) == (None, None, None, None)
