"""FHIR as it comes: every resource that may hold results, in four versions, clean and dirty, and what hostile files do."""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from tests.test_real_data import DATA, SHARED, needs_shared

from labinterp import Catalog, Finding, LabResult, NotAssessed, Patient, Report, interpret
from labinterp._quantity import Quantity, Unreadable
from labinterp._reported import read_reported
from labinterp.errors import InputError
from labinterp.readers import PanelIn, Source, read_bytes, read_files

UCUM = "http://unitsofmeasure.org"
WOMAN = {"resourceType": "Patient", "id": "w", "gender": "female", "birthDate": "1950-03-01"}


def concept(text: str | None = None, loinc: str | None = None, **coding: str) -> dict[str, Any]:
    codings = ([{"system": "http://loinc.org", "code": loinc}] if loinc else []) + ([coding] if coding else [])
    return {"coding": codings, **({"text": text} if text else {})}


def quantity(value: Any = 12, unit: str | None = "ug/L", code: str | None = None, **more: Any) -> dict[str, Any]:
    return {"value": value, **({"unit": unit} if unit else {}), **({"code": code, "system": UCUM} if code else {}), **more}


def observation(
    name: str | dict[str, Any] = "Ferritin", id: str | None = None, subject: str | None = "Patient/w", **parts: Any
) -> dict[str, Any]:
    made: dict[str, Any] = {"resourceType": "Observation", "status": "final", "code": concept(name) if isinstance(name, str) else name}
    if id:
        made["id"] = id
    if subject:
        made["subject"] = {"reference": subject}
    if not any(key.startswith(("value", "component", "hasMember", "dataAbsent", "related", "_value")) for key in parts):
        made["valueQuantity"] = quantity()
    return {**made, "effectiveDateTime": "2021-06-01T08:00:00+02:00", **parts}


def bundle(*resources: dict[str, Any], urls: bool = False, **more: Any) -> dict[str, Any]:
    entries = [{"resource": one, **({"fullUrl": f"urn:uuid:{one['id']}"} if urls else {})} for one in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries, **more}


def read(*data: Any) -> Source:
    """Several documents as files that are read together."""
    if len(data) == 1:
        return read_bytes(data[0] if isinstance(data[0], bytes) else json.dumps(data[0]).encode())
    from labinterp._intake import Piece, Wanted
    from labinterp.readers import read_pieces

    pieces = [Piece(f"{n}.json", one if isinstance(one, bytes) else json.dumps(one).encode()) for n, one in enumerate(data)]
    return read_pieces(pieces, Wanted())


def panel(*data: Any) -> PanelIn:
    (only,) = read(*data).panels
    return only


def result(*data: Any) -> LabResult:
    (only,) = panel(*data).results
    return only


def places(source: Source) -> list[str]:
    return [str(one.source) for part in source.panels for one in part.results]


def answer(data: dict[str, Any]) -> Finding | NotAssessed:
    found = panel(bundle(WOMAN, data))
    (only,) = interpret(found.results, found.patient).rows()
    return only


# --- the resources that may hold results ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["collection", "document", "transaction", "searchset", "batch-response", "message", None])
def test_a_bundle_of_any_type_is_read(kind: str | None) -> None:
    """What a bundle is for changes nothing about the results in it; the person is found, and the age at sampling with it."""
    found = panel(bundle(WOMAN, observation(), type=kind))
    assert found.patient == Patient(id="w", sex="female", birth_date="1950-03-01", at="2021-06-01")
    assert found.patient.age_years == 71
    assert found.results[0].source == "entry[1].resource"
    assert (found.results[0].test, found.results[0].value, found.results[0].unit) == ("Ferritin", 12, "ug/L")
    assert str(found.results[0].collected_at) == "2021-06-01"


def test_bundles_lie_within_bundles() -> None:
    """Each result keeps its path through the bundles; a person of the outer bundle is found from the inner one."""
    inner = bundle(bundle(observation("B12", valueQuantity=quantity(200, "ng/L"))), observation())
    source = read(bundle(WOMAN, inner))
    assert places(source) == ["entry[1].resource.entry[0].resource.entry[0].resource", "entry[1].resource.entry[1].resource"]
    assert {one.patient.sex for one in source.panels} == {"female"}


def test_one_observation_alone_is_read() -> None:
    """A single resource is a file, too; nobody is known."""
    found = panel(observation(subject=None))
    assert found.results[0].source == "Observation"
    assert found.patient == Patient()


def test_a_list_of_resources_is_read() -> None:
    """A JSON list, as a program may write it."""
    assert places(read([WOMAN, observation()])) == ["[1]"]


@pytest.mark.parametrize("contained", [True, False], ids=["contained", "referenced"])
def test_a_report_lends_its_results_what_they_leave_out(contained: bool) -> None:
    """Subject, day and specimen of a DiagnosticReport hold for its results, contained or referenced."""
    bare = {"resourceType": "Observation", "id": "o1", "status": "final", "code": concept("Ferritin"), "valueQuantity": quantity()}
    specimen = {"resourceType": "Specimen", "id": "s", "type": {"text": "Serum"}}
    report = {
        "resourceType": "DiagnosticReport", "id": "d", "status": "final", "subject": {"reference": "Patient/w"},
        "effectiveDateTime": "2021-06-01", "specimen": [{"reference": "#s" if contained else "Specimen/s"}],
        "result": [{"reference": "#o1" if contained else "Observation/o1"}],
    }  # fmt: skip
    data = bundle(WOMAN, {**report, "contained": [bare, specimen]}) if contained else bundle(WOMAN, report, bare, specimen)
    found = panel(data)
    assert (found.patient.age_years, found.results[0].specimen, str(found.results[0].collected_at)) == (71, "Serum", "2021-06-01")
    assert found.results[0].source == ("entry[1].resource.contained[0]" if contained else "entry[2].resource")


def test_a_report_alone_with_contained_results_is_read() -> None:
    """A DiagnosticReport that carries everything it needs."""
    report = {
        "resourceType": "DiagnosticReport",
        "contained": [WOMAN, {**observation(id="o"), "subject": {"reference": "#w"}}],
        "result": [{"reference": "#o"}],
    }
    found = panel(report)
    assert (found.patient.sex, found.results[0].source) == ("female", "DiagnosticReport.contained[1]")


def test_a_bulk_export_is_read_together() -> None:
    """Files of NDJSON complete each other; operations are passed over and counted."""
    people = [{**WOMAN, "id": f"p{n}", "gender": sex} for n, sex in enumerate(("female", "male"))]
    results = [observation(id=f"o{n}", subject=f"Patient/p{n}", specimen={"reference": "Specimen/s"}) for n in range(2)]
    others = [{"resourceType": "Parameters"}, {"resourceType": "OperationOutcome"}, {"resourceType": "OperationOutcome"}]
    files = [people, results, [{"resourceType": "Specimen", "id": "s", "type": {"text": "serum"}}], others]
    source = read(*("\n".join(map(json.dumps, lines)).encode() + b"\n" for lines in files))
    assert [(one.patient.sex, one.results[0].specimen, one.results[0].source) for one in source.panels] == [
        ("female", "serum", "1.json, line 1"),
        ("male", "serum", "1.json, line 2"),
    ]
    assert source.notes == ("Passed over, as they hold no results: 2 OperationOutcome, 1 Parameters.",)


def test_a_packed_export_is_read() -> None:
    """A bulk export comes packed."""
    assert read_bytes(gzip.compress(json.dumps(observation()).encode())).format == "fhir"


@pytest.mark.parametrize("reference", ["Patient/w", "https://a.example/fhir/Patient/w", "urn:uuid:w", "Patient/w/_history/3"])
def test_a_reference_is_followed(reference: str) -> None:
    """Relative, absolute and URN references, with or without a version, lead to the person."""
    person = {"fullUrl": {"h": "https://a.example/fhir/Patient/w", "u": "urn:uuid:w"}.get(reference[0], ""), "resource": WOMAN}
    data = {"resourceType": "Bundle", "entry": [person, {"resource": observation(subject=reference)}]}
    assert panel(data).patient.sex == "female"


def test_a_reference_to_another_server_is_not_followed() -> None:
    """Patient/w of one server is not Patient/w of another."""
    person = {"fullUrl": "https://a.example/fhir/Patient/w", "resource": WOMAN}
    source = read({"resourceType": "Bundle", "entry": [person, {"resource": observation(subject="https://b.example/fhir/Patient/w")}]})
    assert source.panels[0].patient.sex is None
    assert source.notes == ("Results of a person whose resource is not here, so that sex and age are unknown: 1.",)


# --- panels ------------------------------------------------------------------------------------------------------


def test_components_are_results_and_their_panel_is_none() -> None:
    """A panel in `component`: each component is a result with the day, person and specimen of the whole."""
    parts = [{"code": concept("Ferritin"), "valueQuantity": quantity()}, {"code": concept("CRP"), "valueQuantity": quantity(8, "mg/L")}]
    source = read(bundle(WOMAN, observation("Iron panel", component=parts)))
    assert places(source) == ["entry[1].resource.component[0]", "entry[1].resource.component[1]"]
    assert source.panels[0].results[1].test == "CRP"
    assert "Panel headings without a value of their own, which are no results: 1." in source.notes


def test_members_are_counted_once() -> None:
    """A panel in `hasMember`, also of panels: members are results of their own, headings are none, and STU3's `related` is the same."""
    members = [{"reference": "Observation/a"}]
    listed = [
        observation("Panel", id="p", hasMember=[{"reference": "Observation/q"}]),
        observation("Part", id="q", hasMember=members),
        observation("Old", id="r", related=[{"type": "has-member", "target": members[0]}]),
        observation(id="a"),
    ]
    assert places(read(bundle(WOMAN, *listed))) == ["entry[4].resource"]


def test_members_that_are_not_here_are_counted() -> None:
    """A report or a panel that names results the file does not hold: a note says how many."""
    report = {"resourceType": "DiagnosticReport", "result": [{"reference": "Observation/gone"}, {"reference": "Observation/a"}]}
    source = read(bundle(report, observation(id="a"), observation("Panel", hasMember=[{"reference": "Observation/lost"}])))
    assert "Results that panels or reports name and that are not here: 2." in source.notes


def test_a_value_beside_members_is_a_result() -> None:
    """A sum with its parts: all are results."""
    whole = observation(
        "Iron", valueQuantity=quantity(10, "umol/L"), component=[{"code": concept("TIBC"), "valueQuantity": quantity(60, "umol/L")}]
    )
    assert [one.test for one in panel(bundle(WOMAN, whole)).results] == ["Iron", "TIBC"]


def test_members_take_what_they_leave_out_from_their_panel() -> None:
    """The day and the person of a panel hold for its members, however panels refer to each other in a circle."""
    loop = [{"reference": "Observation/p"}, {"reference": "Observation/a"}]
    bare = {
        "resourceType": "Observation",
        "id": "a",
        "status": "final",
        "code": concept("Ferritin"),
        "valueQuantity": quantity(),
        "hasMember": loop,
    }
    found = panel(bundle(WOMAN, observation("Panel", id="p", hasMember=loop), bare))
    assert (found.patient.sex, str(found.results[0].collected_at)) == ("female", "2021-06-01")


# --- the same result twice -----------------------------------------------------------------------------------------


def test_a_repeated_result_is_counted_once() -> None:
    """The same id, fullUrl or identifier with the same content is the same result, in whatever bundle it stands."""
    twice = observation(id="a")
    named = [observation(identifier=[{"system": "urn:lab", "value": "7"}], id=id) for id in ("x", "y")]
    source = read(bundle(WOMAN, bundle(twice), bundle(WOMAN, twice), *named))
    assert len(places(source)) == 2
    assert "Results that stand more than once, counted once: 2." in source.notes


def test_different_results_that_share_an_id_are_kept() -> None:
    """Two results with one id: both are kept, and a note says so."""
    source = read(bundle(WOMAN, observation(id="a"), observation(id="a", valueQuantity=quantity(90))))
    assert [one.value for one in source.panels[0].results] == [12, 90]
    assert "Results whose id another, different result has, too, all kept: 1." in source.notes


def test_two_equal_results_without_a_name_are_two() -> None:
    """Nothing says that they are one."""
    assert len(panel(bundle(WOMAN, observation(), observation())).results) == 2


def reissued(number: int, subject: str, *, when: str = "2021-06-01T08:00:00Z") -> list[dict[str, Any]]:
    report = {
        "resourceType": "DiagnosticReport", "id": f"d{number}", "identifier": [{"system": "urn:lab", "value": "77"}],
        "effectiveDateTime": when, "subject": {"reference": subject}, "result": [{"reference": f"Observation/o{number}"}],
    }  # fmt: skip
    return [report, {**observation(id=f"o{number}", subject=subject), "effectiveDateTime": when}]


def test_a_report_that_was_issued_again_is_counted_once() -> None:
    """One report identifier, one moment, one content: one result, though the ids differ. Without a time of day two draws stay two."""
    again = read(bundle(*reissued(1, "Patient/w"), *reissued(2, "Patient/w")))
    assert len(places(again)) == 1
    assert any("another report with the same identifier has" in note for note in again.notes)
    assert len(places(read(bundle(*reissued(1, "Patient/w", when="2021-06-01"), *reissued(2, "Patient/w", when="2021-06-01"))))) == 2


def test_two_people_that_are_known_are_never_taken_for_one() -> None:
    """The same report identifier for two known people: both results are kept."""
    other = {**WOMAN, "id": "m", "gender": "male"}
    assert len(places(read(bundle(WOMAN, other, *reissued(1, "Patient/w"), *reissued(2, "Patient/m"))))) == 2


def test_an_older_version_in_a_history_is_not_assessed() -> None:
    """Of the versions of a resource only the newest counts; the others come back with their reason."""
    old = observation(id="a", meta={"lastUpdated": "2021-06-01T00:00:00Z"})
    new = observation(id="a", meta={"lastUpdated": "2021-06-02T00:00:00Z"}, valueQuantity=quantity(90))
    values = [one.value for one in panel(bundle(WOMAN, old, new, type="history")).results]
    assert values == [Unreadable("unreadable_value", "A later version of this result stands in the same history.", "12"), 90]


# --- values ----------------------------------------------------------------------------------------------------------


def test_a_number_keeps_its_digits() -> None:
    """18.0 stays 18.0, and 1.060 is a number that reads one way."""
    text = (
        json.dumps(bundle(observation(), observation())).replace('"value": 12', '"value": 18.0', 1).replace('"value": 12', '"value": 1.060')
    )
    values = [one.value for one in panel(text.encode()).results]
    assert [str(value) for value in values] == ["18.0", "1.060"]
    assert all(isinstance(value, Decimal) for value in values)


@pytest.mark.parametrize("comparator", ["<", "<=", ">=", ">"])
def test_a_comparator_is_kept(comparator: str) -> None:
    """A censored value is an interval."""
    found = answer(observation(valueQuantity=quantity(5, comparator=comparator)))
    assert isinstance(found, Finding)
    assert (found.comparator, found.value) == (comparator, 5)


UNITS = [
    ("ug/L", "ug/L", "ug/L"), ("µg/l", "ug/L", "ug/L"), (None, "ug/L", "ug/L"), ("ng/mL", None, "ng/mL"),
    ("ng/mL", "ug/L", "ug/L"),  # one and the same amount
    ("Mikrogramm je Liter", "ug/L", "ug/L"),  # a text that is not known: the code counts
    ("ng/mL", "zz/L", "zz/L"),  # a UCUM code that is not known may mean anything
]  # fmt: skip


@pytest.mark.parametrize(("unit", "code", "read_as"), UNITS)
def test_code_and_text_of_a_unit(unit: str | None, code: str | None, read_as: str) -> None:
    """The UCUM code counts; the text where there is no code."""
    assert result(observation(valueQuantity=quantity(12, unit, code))).unit == read_as


def test_a_unit_whose_text_and_code_differ_is_refused() -> None:
    """12 mg/dL coded as mmol/L is neither."""
    found = answer(observation("Magnesium", valueQuantity=quantity(1.6, "mg/dL", "mmol/L")))
    assert isinstance(found, NotAssessed)
    assert (found.reason, found.value_text) == ("conflicting_code", "1.6 mg/dL [mmol/L]")


def test_a_local_code_of_a_unit_does_not_count_against_its_text() -> None:
    """A code of another system than UCUM is not read as UCUM."""
    local = {"value": 12, "unit": "ng/mL", "code": "g", "system": "urn:oid:1.2.3"}
    assert result(observation(valueQuantity=local)).unit == "ng/mL"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<15 ug/L", ("<15 ug/L", "L")),
        ("12.3 ng/mL", ("12.3 ng/mL", "L")),
        ("see comment", "unreadable_value"),
        ("1,060 ug/L", "ambiguous_number"),
        ("", "unreadable_value"),
    ],
)
def test_a_value_may_be_a_text(text: str, expected: Any) -> None:
    """`valueString` is read like any printed value."""
    found = answer(observation(valueString=text))
    assert (found.reason if isinstance(found, NotAssessed) else (found.value_text, found.code)) == expected


def test_an_integer_has_no_unit() -> None:
    """`valueInteger` carries no unit, and none is guessed."""
    found = answer(observation(valueInteger=12))
    assert isinstance(found, NotAssessed)
    assert found.reason == "missing_unit"


def test_a_unit_can_be_said_for_a_file_that_leaves_it_out() -> None:
    """`--unit Ferritin=ug/L` holds where the file has none, and never against one it has."""
    bare = [observation(valueQuantity={"value": 12}), observation(valueQuantity=quantity(13, "mg/L")), observation(valueString="12 mg/L")]
    units = [one.unit for one in read_bytes(json.dumps(bundle(*bare)).encode(), units={"Ferritin": "ug/L"}).panels[0].results]
    assert units == ["ug/L", "mg/L", None]


def test_a_range_is_a_value() -> None:
    """`valueRange` is read as a range; with one end as a censored value; with ends in two units as neither."""
    ends = {"low": quantity(5), "high": quantity(8)}
    found = answer(observation(valueRange=ends))
    assert isinstance(found, Finding)
    assert (str(found.quantity), found.code) == ("5~8 ug/L", "L")
    assert result(observation(valueRange={"low": quantity(5)})).comparator == ">="
    odd = answer(observation(valueRange={"low": quantity(5), "high": quantity(8, "mg/L")}))
    assert isinstance(odd, NotAssessed)
    assert odd.reason == "conflicting_code"


MASKED = [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]
NO_NUMBERS = [
    ({"valueCodeableConcept": {"text": "Negative"}}, "Negative", "coded answer"),
    ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}}, "1:128", "ratio"),
    ({"valueSampledData": {"origin": {"value": 0}, "period": 1, "dimensions": 1, "data": "1 2 3"}}, "1 2 3", "series"),
    ({"valueBoolean": True}, "True", "yes or no"),
    ({"valueTime": "08:00"}, "08:00", "time"),
    ({"valuePeriod": {"start": "2021"}}, "2021", "period"),
    ({"valueAttachment": {"url": "x"}}, "", "document"),
    ({"valueQuantity": {"unit": "ug/L"}}, "", "empty"),
    ({"valueQuantity": quantity(5, comparator="ad")}, "5", "comparator"),
    ({"valueQuantity": quantity(), "valueString": "13"}, "12 ug/L; 13", "more than one value"),
    ({"dataAbsentReason": concept(code="error", display="Error")}, "", "Error"),
    ({"_valueQuantity": {"extension": MASKED}}, "", "masked"),
    ({"valueQuantity": {"_value": {"extension": MASKED}}}, "", "is: masked"),
    ({"valueQuantity": {"extension": MASKED, **quantity()}}, "12", "a value and a reason why it has none, so neither was used. There is"),
    ({"dataAbsentReason": concept(code="unknown"), "valueQuantity": quantity()}, "12", "a value and a reason why it has none"),
    ({"modifierExtension": [{"url": "urn:x"}], "valueQuantity": quantity()}, "12", "modifier"),
    ({"status": "entered-in-error", "valueQuantity": quantity()}, "12", "withdrawn"),
    ({"status": "cancelled", "dataAbsentReason": concept(code="x")}, "", "cancelled"),
    ({"status": "registered", "related": []}, "", "not there yet"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "text", "words"), NO_NUMBERS, ids=[words for _, _, words in NO_NUMBERS])
def test_what_is_no_quantity_comes_back_with_its_reason(parts: dict[str, Any], text: str, words: str) -> None:
    """Nothing is dropped, nothing is guessed: the reason is true and the text is kept."""
    found = answer(observation(**parts))
    assert isinstance(found, NotAssessed)
    assert (found.reason, found.value_text) == ("unreadable_value", text)
    assert words in found.message
    assert found.unit_text == ("ug/L" if text == "12" else found.unit_text)  # the unit stands beside it, and once


def test_a_modifier_holds_for_the_parts_of_what_it_modifies() -> None:
    """FHIR: a modifier extension changes the meaning of its element and of what is in it. Components and ranges are in it."""
    modified = {"modifierExtension": [{"url": "urn:x", "valueBoolean": True}]}
    part = {"code": concept("Ferritin"), "valueQuantity": quantity()}
    source = read(observation("Panel", component=[part, {**part, **modified}], **modified))
    assert [value.message for value in (one.value for one in source.panels[0].results) if isinstance(value, Unreadable)] == [
        "A modifier that is not known here may change its meaning."
    ] * 2
    assert [one.value for one in read(observation("Panel", component=[part, part])).panels[0].results] == [12, 12]
    for parts, text in ((PLAIN, "10 ug/L - 33 ug/L (not used)"), ({"text": "10 - 33"}, "10 - 33 (not used)")):
        *found, notes = ranged({**parts, **modified})
        assert found == [None, None, text]
        assert "modifier" in notes[0]


def test_a_report_that_was_withdrawn_withdraws_its_results() -> None:
    """A DiagnosticReport entered in error takes its results with it."""
    report = {"resourceType": "DiagnosticReport", "status": "entered-in-error", "result": [{"reference": "Observation/a"}]}
    assert isinstance(result(bundle(WOMAN, report, observation(id="a"))).value, Unreadable)


@pytest.mark.parametrize(
    ("status", "words"), [("preliminary", "preliminary"), ("registered", "registered"), ("amended", "changed"), ("corrected", "corrected")]
)
def test_a_status_that_matters_is_said(status: str, words: str) -> None:
    """A preliminary or changed result is assessed, and the report says what it is."""
    found = panel(bundle(WOMAN, observation(status=status)))
    assert found.results[0].value == 12
    assert [words in note for note in found.notes] == [True]


def test_a_key_that_stands_twice_is_not_used() -> None:
    """Of two values under one key neither counts."""
    text = json.dumps(observation())[:-1] + ', "valueQuantity": {"value": 90, "unit": "ug/L"}}'
    assert isinstance(result(text.encode()).value, Unreadable)


# --- the laboratory's range and flag ---------------------------------------------------------------------------------


def ranged(*ranges: dict[str, Any], person: dict[str, Any] = WOMAN, **parts: Any) -> tuple[Any, Any, str | None, list[str]]:
    found = panel(bundle(person, observation(referenceRange=list(ranges), **parts)))
    one = found.results[0]
    return one.ref_low, one.ref_high, one.ref_text, found.notes


PLAIN = {"low": quantity(10), "high": quantity(33)}
MEN = concept(code="248153007", display="Male")
NORMAL, CRITICAL = concept(code="normal"), concept(code="critical", display="Critical")


def test_a_plain_range_is_used() -> None:
    """Both ends, one end, ends without a unit, a repeated range: the range of the value's unit."""
    assert ranged(PLAIN)[:3] == (10, 33, None)
    assert ranged({"high": {"value": 33}})[:3] == (None, 33, None)
    assert ranged(PLAIN, PLAIN)[:3] == (10, 33, None)
    assert ranged({**PLAIN, "text": "10 - 33", "type": NORMAL})[:3] == (10, 33, "10 - 33")


def test_nought_to_nought_is_no_range() -> None:
    """0 - 0 means that there is none."""
    assert ranged({"low": quantity(0), "high": quantity(0)})[:3] == (None, None, None)


def test_an_end_in_another_unit_is_not_used() -> None:
    """A range in mg/L beside a value in ug/L is kept as text; in ng/mL it is the same range."""
    low, high, text, notes = ranged({"low": quantity(0.01, "mg/L"), "high": quantity(0.033, "mg/L")})
    assert (low, high, text) == (None, None, "0.01 mg/L - 0.033 mg/L")
    assert "another unit" in notes[0]
    assert ranged({"low": quantity(10, "ng/mL"), "high": quantity(33, "ng/mL")})[:2] == (10, 33)


def test_only_a_normal_range_is_the_laboratorys_range() -> None:
    """A critical or therapeutic range stands beside the normal one and is not it."""
    assert ranged({**PLAIN, "type": NORMAL}, {"low": quantity(2), "type": CRITICAL})[:2] == (10, 33)
    assert ranged({"low": quantity(2), "type": CRITICAL})[:3] == (None, None, "Critical: 2 ug/L -")
    assert ranged({"text": "2 - 900", "type": CRITICAL})[2] == "Critical: 2 - 900"


def test_a_range_for_other_people_is_not_used() -> None:
    """A range for men is not this woman's; of two only hers is left."""
    women = concept("female")
    assert ranged({**PLAIN, "appliesTo": [MEN]}, {"low": quantity(5), "high": quantity(20), "appliesTo": [women]})[:2] == (5, 20)
    assert ranged({**PLAIN, "appliesTo": [MEN]})[:2] == (None, None)


def test_a_range_for_an_age_is_used_where_the_age_is_known() -> None:
    """71 lies within 60 to 80 years, not below 18; where the age is not known it is not used."""
    old, young = ({"low": {"value": low, "code": "a"}, "high": {"value": high, "code": "a"}} for low, high in ((60, 80), (0, 18)))
    assert ranged({**PLAIN, "age": old}, {"low": quantity(1), "high": quantity(2), "age": young})[:2] == (10, 33)
    nobody = {"resourceType": "Patient", "id": "w"}
    low, _, text, notes = ranged({**PLAIN, "age": old}, person=nobody)
    assert (low, text) == (None, "age 60 a - 80 a: 10 ug/L - 33 ug/L")
    assert "particular people" in notes[0]


def test_several_ranges_that_may_hold_are_kept_as_text() -> None:
    """Which of two is meant cannot be told."""
    low, high, text, notes = ranged(PLAIN, {"low": quantity(5), "high": quantity(20)})
    assert (low, high, text) == (None, None, "10 ug/L - 33 ug/L; 5 ug/L - 20 ug/L")
    assert "Several ranges" in notes[0]


def test_a_text_alone_is_left_to_the_library() -> None:
    """A plain text is a range; another is text. A text that the ends contradict makes both unused."""
    assert ranged({"text": "10 - 33"})[:3] == (None, None, "10 - 33")
    assert ranged({"text": "Menstruating: 10 - 140"})[:3] == (None, None, "Menstruating: 10 - 140")
    low, high, text, notes = ranged({**PLAIN, "text": "12 - 40"})
    assert (low, high, text) == (None, None, "10 ug/L - 33 ug/L; 12 - 40")
    assert "differ" in notes[0]


def test_an_end_that_does_not_count_is_told_by_the_text() -> None:
    """The ends say 33, the text says below 33: 33 itself is high."""
    found = answer(observation(valueQuantity=quantity(33), referenceRange=[{"high": quantity(33), "text": "<33"}]))
    assert isinstance(found, Finding)
    assert found.reported is not None
    assert found.reported.code == "H"


@pytest.mark.parametrize(
    ("interpretation", "flag"),
    [
        ([concept(code="H")], "H"), (concept(code="L"), "L"), ([concept(code="LL", system="x")], "LL"), ([concept("High")], "High"),
        ([concept(code="H"), concept(code="U")], "H"), ([concept(code="H"), concept(code="L")], "H, L"), ([], None), (None, None),
    ],
)  # fmt: skip
def test_the_flag_is_the_code_of_the_side(interpretation: Any, flag: str | None) -> None:
    """A list (R4), one concept (STU3), a text; what is no side is not taken for one."""
    assert result(observation(interpretation=interpretation)).flag == flag


# --- names and specimens ------------------------------------------------------------------------------------------


def test_a_name_is_the_text_else_a_display() -> None:
    """Text first, then the words of a code; the LOINC code stands beside it."""
    both = {
        "coding": [
            {"system": "http://loinc.org", "code": "2276-4", "display": "Ferritin [Mass/volume]"},
            {"code": "FER", "display": "Ferritine"},
        ]
    }
    assert result(observation({**both, "text": "Ferritine"}))[:1] == ("Ferritine",)
    assert (result(observation(both)).test, result(observation(both)).loinc) == ("Ferritin [Mass/volume]", "2276-4")
    assert result(observation({"coding": [{"code": "FER"}]})).test == "FER"
    assert result(observation(concept(loinc="2276-4"))).test == ""


@pytest.mark.parametrize("name", ["Ferritine", "ferritine", "Ferritin", "ferritina", "フェリチン"])
def test_names_in_other_languages(name: str) -> None:
    """The catalog's names are the names of FHIR, too."""
    found = answer(observation(name))
    assert isinstance(found, Finding)
    assert found.analyte == "ferritin"


def test_codes_that_mean_different_tests_are_refused() -> None:
    """Two LOINC codes of two analytes, or a text that its own code's words contradict."""
    two = {"coding": [{"system": "http://loinc.org", "code": code} for code in ("2276-4", "2132-9")]}
    words = {"coding": [{"code": "U1", "display": "Magnesium in urine"}], "text": "Magnesium"}
    for code, unit in ((two, "ug/L"), (words, "mmol/L")):
        found = answer(observation(code, valueQuantity=quantity(1, unit)))
        assert isinstance(found, NotAssessed)
        assert found.reason == "conflicting_code"


SPECIMENS = [
    ({"text": "Serum"}, "Serum"),
    ({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0487", "code": "SER"}]}, "SER"),
    ({"coding": [{"system": "http://snomed.info/sct", "code": "122575003"}]}, "urine"),
    ({"coding": [{"display": "Blood venous"}], "text": "Fluoride nuchter"}, "Blood venous"),
    ({"coding": [{"display": "Urine"}], "text": "Serum"}, "Serum, Urine"),
    ({"text": "Purple tube"}, "Purple tube"),
    ({}, None),
]


@pytest.mark.parametrize(("kind", "words"), SPECIMENS)
def test_a_specimen_is_read(kind: dict[str, Any], words: str | None) -> None:
    """Text, display or a known code; a specimen with two kinds keeps both."""
    specimen = {"resourceType": "Specimen", "id": "s", "type": kind}
    assert result(bundle(specimen, observation(specimen={"reference": "Specimen/s"}))).specimen == words


def test_a_result_of_urine_is_refused() -> None:
    """The specimen is looked at."""
    specimen = {"resourceType": "Specimen", "id": "s", "type": {"text": "Urine"}}
    found = panel(
        bundle(WOMAN, specimen, observation("Magnesium", specimen={"reference": "Specimen/s"}, valueQuantity=quantity(4, "mmol/L")))
    )
    assert [one.reason for one in interpret(found.results, found.patient).not_assessed] == ["wrong_specimen"]


# --- days and people ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "day"),
    [
        ({"effectiveDateTime": "2021-06-01T23:30:00-08:00"}, "2021-06-01"),
        ({"effectivePeriod": {"start": "2021-06-01T08:00:00Z", "end": "2021-06-01T09:00:00Z"}}, "2021-06-01"),
        ({"effectivePeriod": {"start": "2021-06-01", "end": "2021-06-03"}}, None),
        ({"effectiveInstant": "2021-06-01T08:00:00Z"}, "2021-06-01"),
        ({"effectiveTiming": {"event": ["2021-06-01"]}}, "2021-06-01"),
        ({"effectiveTiming": {"event": ["2021-06-01", "2021-06-02"]}}, None),
        ({"effectiveDateTime": "2021-06"}, None),
        ({"effectiveDateTime": "soon"}, None),
        ({"issued": "2021-06-01T08:00:00Z"}, None),
        ({"specimen": {"reference": "Specimen/s"}, "issued": "2021-07-01T08:00:00Z"}, "2021-06-01"),
    ],
)  # fmt: skip
def test_the_day_of_sampling(parts: dict[str, Any], day: str | None) -> None:
    """`effective[x]`, else the specimen's collection; the day of issue is not the day of sampling."""
    specimen = {"resourceType": "Specimen", "id": "s", "collection": {"collectedDateTime": "2021-06-01T07:00:00Z"}}
    made = {key: value for key, value in observation().items() if key != "effectiveDateTime"} | parts
    found = result(bundle(specimen, made)).collected_at
    assert (None if found is None else str(found)) == day


def test_results_of_one_day_are_one_panel() -> None:
    """A person and a day are a panel; another day or another person is another."""
    other = {**WOMAN, "id": "m", "gender": "male"}
    listed = [
        observation(), observation("CRP"), observation(effectiveDateTime="2021-06-01T17:00:00+02:00"),
        observation(effectiveDateTime="2021-06-02"), observation(subject="Patient/m"),
    ]  # fmt: skip
    assert [len(one.results) for one in read(bundle(WOMAN, other, *listed)).panels] == [3, 1, 1]


@pytest.mark.parametrize(
    ("born", "day", "years", "note"),
    [
        ("1950-03-01", "2021-06-01", ((71, 72)), False),
        ("1950", "2021-06-01", (70, 72), True),
        ("1950-03", "2021-06-01", (71, 72), True),
        ("1950-03-01", "2021", (70, 72), True),
        ("1950", "", None, True),
        ("19500301", "2021-06-01", None, True),
        ("2030-01-01", "2021-06-01", None, True),
    ],
)  # fmt: skip
def test_an_age_is_as_exact_as_its_dates(born: str, day: str, years: Any, note: bool) -> None:
    """A birth date known to the month or the year gives an age between two bounds, and a note says so."""
    found = panel(bundle({**WOMAN, "birthDate": born}, observation(effectiveDateTime=day)))
    assert (None if found.patient.age is None else found.patient.age.years) == years
    assert bool(found.notes) is note
    assert found.patient.sex == "female"


def test_an_age_between_bounds_decides_where_both_bounds_say_the_same() -> None:
    """Born in 1950, drawn in 2021: the same band at 70 and at 71, so it is given."""
    found = panel(bundle({**WOMAN, "birthDate": "1950"}, observation()))
    assert [one.band for one in interpret(found.results, found.patient).findings] == ["deficient"]


@pytest.mark.parametrize(
    ("gender", "sex"), [("female", "female"), ("male", "male"), ("other", None), ("unknown", None), ("XQZ", None), (None, None)]
)
def test_gender_is_the_sex_where_it_is_one(gender: str | None, sex: str | None) -> None:
    """Other and unknown are unknown."""
    assert panel(bundle({**WOMAN, "gender": gender}, observation())).patient.sex == sex


def test_an_id_is_one_persons_within_a_file_only() -> None:
    """Patient/w of two files may be two people; with an identifier, or in a bulk export, they are one."""
    ferritin, crp = observation(), observation("CRP", valueQuantity=quantity(8, "mg/L"))
    assert len(read(bundle(ferritin), bundle(crp)).panels) == 2
    assert len(read(bundle(WOMAN, ferritin), bundle(WOMAN, crp)).panels) == 2
    named = {**WOMAN, "identifier": [{"system": "urn:hospital", "value": "77"}]}
    assert len(read(bundle(named, ferritin), bundle(named, crp)).panels) == 1
    exported = [json.dumps(one).encode() + b"\n" + json.dumps({"resourceType": "Basic"}).encode() for one in (ferritin, crp)]
    assert len(read(*exported).panels) == 1


def test_two_people_with_one_id_are_nobody() -> None:
    """Which of two different Patient resources is meant cannot be told."""
    source = read(bundle(WOMAN, {**WOMAN, "gender": "male"}, observation()))
    assert (source.panels[0].patient.sex, source.panels[0].patient.age) == (None, None)
    assert "Results of a person of whom different resources are given, so that sex and age are unknown: 1." in source.notes


def pregnancy(code: str = "LA15173-0", **parts: Any) -> dict[str, Any]:
    return observation(concept(loinc="82810-3"), valueCodeableConcept={"coding": [{"code": code}]}, **parts)


SAME = {"effectiveDateTime": "2021-06-01"}
LATER = {"effectiveDateTime": "2021-06-20"}


@pytest.mark.parametrize(
    ("stated", "parts", "pregnant"),
    [
        ([pregnancy(**SAME)], {}, True),
        ([pregnancy("LA26683-5", **SAME)], {}, False),
        ([pregnancy("77386006", **SAME)], {}, True),
        ([pregnancy("LA4489-6", **SAME)], {}, None),  # unknown
        ([pregnancy(**LATER)], {}, None),
        ([pregnancy(**LATER, encounter={"reference": "Encounter/1"})], {"encounter": {"reference": "Encounter/1"}}, True),
        ([pregnancy(effectiveDateTime=None, effectivePeriod={"start": "2021-05-01", "end": "2021-09-01"})], {}, True),
        ([pregnancy(effectiveDateTime=None, effectivePeriod={"start": "2021-05-01", "end": "2021-05-30"})], {}, None),
        ([pregnancy(**SAME), pregnancy("LA26683-5", **SAME)], {}, None),
        ([pregnancy(**SAME, status="entered-in-error")], {}, None),
        ([observation(concept(loinc="11449-6"), valueString="pregnant", **SAME)], {}, True),
        ([pregnancy(**SAME, subject="Patient/other")], {}, None),
    ],
)  # fmt: skip
def test_pregnancy_holds_for_the_draw_it_was_stated_for(stated: list[dict[str, Any]], parts: dict[str, Any], pregnant: bool | None) -> None:
    """The same day, the same encounter, or a period that covers the day; a status of another day says nothing of this one."""
    young = {**WOMAN, "birthDate": "1990-01-01"}
    source = read(bundle(young, *stated, observation(**parts)))
    assert source.panels[0].patient.pregnant is pregnant
    assert f"Observations of pregnancy, read as facts of the person: {len(stated)}." in source.notes


# --- hostile and broken files -------------------------------------------------------------------------------------------


def test_a_file_that_breaks_off_gives_what_stands_before() -> None:
    """Cut anywhere: whole entries are read, a note says that the file is truncated, and nothing is made up."""
    text = json.dumps(bundle(WOMAN, *(observation(id=f"o{n}", valueQuantity=quantity(n + 10)) for n in range(20))), indent=1)
    whole = [one.value for one in panel(text.encode()).results]
    for at in range(len(text) // 5, len(text) - 3, 997):
        source = read(text[:at].encode())
        values = [one.value for part in source.panels for one in part.results]
        assert values == whole[: len(values)]
        assert any("truncated" in note for note in source.notes)
    assert len(values) >= 18


def test_a_file_that_breaks_off_within_a_letter_keeps_its_letters() -> None:
    """The bytes of a micro sign are two: cut between them, the whole entries before are still UTF-8."""
    data = json.dumps(
        bundle(*(observation("Ferritin é", valueQuantity=quantity(12, "µg/L")) for _ in range(3))), ensure_ascii=False
    ).encode()
    source = read(data[: data.rindex("µ".encode()) + 1])
    assert [(one.test, one.unit) for part in source.panels for one in part.results] == [("Ferritin é", "µg/L")] * 2
    assert any("truncated" in note for note in source.notes)
    assert result(json.dumps(observation("Ferritin"))[:-1].encode() + ', "note": "é"}'.encode("cp1252")).test == "Ferritin"


def test_a_bulk_export_that_breaks_off_gives_its_whole_lines() -> None:
    """The last line of NDJSON is cut: a note says which, and the others are read."""
    lines = "\n".join(json.dumps(observation(id=f"o{n}")) for n in range(5))
    source = read(lines[:-40].encode())
    assert len(places(source)) == 4
    assert [note for note in source.notes if "ine" in note.split()[0] or "breaks" in note] == [
        "Lines that are not JSON and were passed over: 5.",
        "The file breaks off in its last line; what stands before it was read.",
    ]


def test_deep_nesting_ends_in_a_reason() -> None:
    """A hundred thousand brackets, bundles within bundles, objects within objects: a reason or an answer, never a crash."""
    with pytest.raises(InputError, match="nested too deeply"):
        read(b'{"resourceType": "Bundle", "entry": ' + b"[" * 100_000)
    nested = observation()
    for _ in range(60):
        nested = bundle(nested)
    assert len(places(read(nested))) <= 1
    inner: Any = {}
    for _ in range(300):
        inner = {"x": inner}
    deep = [{**WOMAN, "extension": [inner]}, {**WOMAN, "extension": [inner], "active": True}]
    assert len(places(read(bundle(*deep, observation())))) == 1


HOSTILE = [
    {"valueQuantity": quantity("9" * 10_000_000)},
    {"valueString": "<" * 10_000_000},
    {"code": {"text": "F" * 10_000_000}},
    {"valueQuantity": [1]}, {"valueQuantity": {"value": {"value": 1}}}, {"valueQuantity": {"value": True, "unit": "ug/L"}},
    {"code": "Ferritin"}, {"code": [None]}, {"subject": "Patient/w"}, {"subject": {"reference": {"a": 1}}}, {"specimen": {"reference": "#"}},
    {"referenceRange": {"low": 5}}, {"referenceRange": [[1]], "interpretation": "H"}, {"referenceRange": [{"low": {"value": [1]}, "high": {"value": {}}}]},
    {"component": [None, 5, {"code": None}, {"valueQuantity": None}]}, {"hasMember": [{"reference": "Observation/self"}], "id": "self"},
    {"effectiveDateTime": 5}, {"effectivePeriod": {"start": "9999-12-31", "end": "0001-01-01"}}, {"status": ["final"]}, {"id": {"a": 1}},
    {"contained": [{"resourceType": "Observation"}, "x"]}, {"valueString": "\0" * 50}, {"identifier": [{"value": {"a": []}}]}, {"meta": 5},
    {"interpretation": [{"coding": [{"code": {"a": 1}}]}]}, {"extension": "x", "method": {"coding": [5]}}, {"status": {"a": 1}},
]  # fmt: skip


@pytest.mark.parametrize("parts", HOSTILE, ids=[f"{n}-{'-'.join(parts)}" for n, parts in enumerate(HOSTILE)])
def test_hostile_parts_end_in_an_answer(parts: dict[str, Any]) -> None:
    """Whatever stands where something else belongs, every result gets an answer, in bounded time."""
    begun = time.process_time()
    for part in read(bundle(WOMAN, {**observation(), **parts})).panels:
        report = interpret(part.results, part.patient, rows=part.rows)
        assert len(report.findings) + len(report.not_assessed) == len(part.results)
    assert time.process_time() - begun < 10


@pytest.mark.parametrize("number", ["1e999999999", "-1e-999999999", "9" * 200, "NaN", "Infinity", "1" + "0" * 5000, "0.000000001e500"])
def test_numbers_no_laboratory_prints(number: str) -> None:
    """Numbers beyond all bounds are refused with a reason."""
    text = json.dumps(bundle(WOMAN, observation())).replace('"value": 12', f'"value": {number}')
    found = panel(text.encode())
    (refused,) = interpret(found.results, found.patient).not_assessed
    assert refused.reason in ("unreadable_value", "implausible")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_an_encoding_is_found(encoding: str) -> None:
    """FHIR is UTF-8; what comes otherwise is read where it can be."""
    text = json.dumps(observation("Ferritin é", valueQuantity=quantity(12, "µg/L")), ensure_ascii=False)
    assert result(text.encode(encoding)).unit == "µg/L"


@pytest.mark.parametrize("data", [b'{"resourceType"', b'{"resourceType": "Bundle", "entry": [{"fullUrl": "', b'{"resourceType": tru'])
def test_what_is_no_json_is_told(data: bytes) -> None:
    """With the place, and without the text."""
    with pytest.raises(InputError, match="not JSON"):
        read(data)
    with pytest.raises(InputError, match=r"^b.json: .*not JSON"):  # of several files, the one that is meant
        read_bytes(data, format="fhir", name="b.json")


def test_json_without_a_resource_is_told() -> None:
    """`--from fhir` on other JSON says what is accepted."""
    with pytest.raises(InputError, match=r"^labs.json: .*resourceType"):
        read_bytes(b'{"a": 1}', format="fhir", name="labs.json")


def test_reading_is_linear() -> None:
    """Ten times the results take about ten times as long, whatever refers to what."""

    def seconds(size: int) -> float:
        ring = [
            observation(id=f"o{n}", hasMember=[{"reference": f"Observation/o{(n + 1) % size}"}], valueQuantity=quantity(n))
            for n in range(size)
        ]
        same = [observation(id="same", valueQuantity=quantity(n)) for n in range(size)]
        people = [{**WOMAN, "active": n} for n in range(size)]
        data = json.dumps(bundle(*people, *ring, *same)).encode()
        begun = time.process_time()
        read(data)
        return time.process_time() - begun

    seconds(50)
    few, many = (min(seconds(count) for _ in range(3)) for count in (400, 4000))  # what else the machine does only adds to a time
    assert many < 30 * max(few, 0.02)


def test_a_patients_text_reaches_no_message() -> None:
    """Names, ids and values of a patient never stand in an exception or in a note."""
    person = {**WOMAN, "id": "XQZCANARY", "name": [{"text": "XQZCANARY"}], "gender": "XQZCANARY", "birthDate": "XQZCANARY"}
    one = observation(
        "XQZCANARY",
        subject="Patient/XQZCANARY",
        valueString="XQZCANARY",
        status="preliminary",
        referenceRange=[PLAIN, {"low": quantity(1), "text": "XQZCANARY"}],
    )
    source = read(bundle(person, one))
    assert "XQZCANARY" not in " ".join([*source.notes, *(note for part in source.panels for note in part.notes)])
    for data in (b'{"resourceType": "XQZCANARY', b'[{"resourceType": "XQZCANARY"}, XQZCANARY'):
        try:
            read(data)
        except InputError as error:
            assert "XQZCANARY" not in str(error)  # noqa: PT017


# --- what real systems send ------------------------------------------------------------------------------------------


def shared(folder: str, name: str) -> tuple[Source, list[Report]]:
    source = read_files([SHARED / folder / name])
    return source, [interpret(part.results, part.patient, rows=part.rows) for part in source.panels]


def assert_all_answered(source: Source, reports: list[Report]) -> None:
    for part, report in zip(source.panels, reports, strict=True):
        assert sorted(row.row for row in report.rows()) == part.rows


def values_of(source: Source, loinc: str) -> list[str]:
    return sorted(str(one.value) for part in source.panels for one in part.results if one.loinc == loinc)


def test_an_example_of_the_specification() -> None:
    """f005 as HL7 prints it: 7.5 to 10 is a range in mmol/L and no range of haemoglobin in g/dL, so it is kept as text."""
    source = read_files([DATA / "fhir_spec_f005.json"])
    (one,) = source.panels[0].results
    assert (one.ref_low, one.ref_high, one.flag, one.loinc, str(one.collected_at)) == (Decimal("7.5"), 10, "L", "718-7", "2013-04-05")
    (answer,) = interpret([one], Patient(sex="female", age_years=40, pregnant=False)).findings
    assert answer.reported is not None
    assert (str(answer.quantity), answer.reported.low, answer.reported.text, answer.reported.code) == ("7.2 g/dL", None, "7.5 - 10", None)
    assert answer.notes == ("The laboratory's range does not seem to be in g/dL; it was kept as text and not used.",)


@needs_shared("five bundles of Belgian laboratories")
def test_belgian_laboratories() -> None:
    """Dutch names, panels in `hasMember`, texts and empty values: 131 results of 162 Observations, 31 are headings; the traps are refused."""
    folder, counts = "fhir-hl7be-lab", Counter[str]()
    found: dict[str, NotAssessed | Finding] = {}
    for path in sorted((SHARED / folder).glob("*.json")):
        source, reports = shared(folder, path.name)
        assert_all_answered(source, reports)
        counts["results"] += len(places(source))
        counts["headings"] += sum(int(note.rstrip(".").split()[-1]) for note in source.notes if "Panel headings" in note)
        found |= {f"{row.source_name} {row.value_text}": row for report in reports for row in report.rows()}
    assert counts == {"results": 131, "headings": 31}
    analytes = Counter(row.analyte for row in found.values() if isinstance(row, Finding))
    assert analytes == {
        "hemoglobin": 2, "mcv": 2, "iron": 1, "transferrin": 1, "transferrin_saturation": 1, "crp": 1, "tsh": 1, "creatinine": 1,
        "potassium": 1, "phosphate": 1, "magnesium": 1,
    } or analytes - Counter({"creatinine": 1})  # fmt: skip
    flagged = {
        row.analyte: row.reported.flag_code for row in found.values() if isinstance(row, Finding) and row.reported and row.reported.flag
    }
    assert (flagged["crp"], flagged["phosphate"]) == ("H", "H")
    reasons = {name: row.reason for name, row in found.items() if isinstance(row, NotAssessed)}
    assert reasons["Creatinine 1.09"] == "wrong_specimen"  # urine
    assert reasons["Magnesium erytrocytair 2.45"] == "conflicting_code"  # red cells, beside 0.89 in serum
    assert reasons["INR (Voorlopig) geen citraattube ontvangen"] == "unknown_analyte"
    assert [row.value_text for row in found.values() if isinstance(row, Finding) and row.analyte == "magnesium"] == ["0.89"]


@needs_shared("three Belgian laboratories' own flags")
def test_belgian_flags_are_reproduced() -> None:
    """Where a Belgian laboratory printed a plain range, our reading of it gives its own flag: H and L where it says so, N where it says nothing."""
    agreed, differing, units = 0, [], Catalog.default().units
    for path in sorted((SHARED / "fhir-hl7be-lab").glob("*.json")):
        for part in read_files([path]).panels:
            for one in part.results:
                if not isinstance(one.value, (int, Decimal)) or (one.ref_low is None and one.ref_high is None):
                    continue
                value = Quantity(Decimal(one.value), "", one.comparator or "")
                read = read_reported(value, one.ref_low, one.ref_high, None, one.flag, units, None)
                assert read is not None
                if read.code == (read.flag_code or "N"):
                    agreed += 1
                else:
                    differing.append(f"{one.test} {one.value}")
    assert agreed == 76
    assert differing == ["SSA/Ro 239.1"]  # printed without a flag by the one system that flags normal results, too


@needs_shared("the examples of the FHIR specification")
def test_the_examples_of_the_specification() -> None:
    """A cumulative report that repeats its results, LL against L, creatinine in mmol/L, a range as text, a withdrawn result."""
    source, reports = shared("fhir-spec-r4", "Bundle-72ac8493-52ac-41bd-8d5d-7258c289b5ea.json")
    assert_all_answered(source, reports)
    assert values_of(source, "14798-3") == sorted(["3", "5", "5", "8", "11", "17", "39"])
    assert len(places(source)) == 365 - 171
    iron = {(str(f.value), f.reported.flag, f.reported.code) for r in reports for f in r.findings if f.analyte == "iron" and f.reported}
    assert iron == {("3", "LL", "L"), ("5", "LL", "L"), ("8", "L", "L"), ("11", None, "N"), ("17", None, "N"), ("39", "H", "H")}
    assert all(f.code not in ("LL", "HH") for r in reports for f in r.findings if f.analyte == "iron")
    assert {f.unit for r in reports for f in r.findings if f.analyte == "creatinine"} == {"mmol/L"}
    source, reports = shared("fhir-spec-r4", "Bundle-101.json")
    assert len(places(source)) == 17
    mcv = reports[0].finding("mcv")
    assert mcv is not None
    assert mcv.reported is not None
    assert (mcv.value, mcv.reported.low, mcv.reported.high, mcv.reported.flag) == (99, 80, 98, "H")
    withdrawn, _ = shared("fhir-spec-r4", "Observation-f202.json")
    assert isinstance(withdrawn.panels[0].results[0].value, Unreadable)
    texts, _ = shared("fhir-spec-r4", "Observation-f004.json")
    assert "18-64 y Female: 4.0 - 4.8" in str(texts.panels[0].results[0].ref_text)


@needs_shared("STU3 bundles of SMART")
def test_stu3_is_read_leniently() -> None:
    """Two patients of SMART in STU3: every result is read, and 0 - 0 is no range."""
    counts, zero = Counter[str](), 0
    for name, results in (("patient-8888804.fhir-bundle.01.json", 199), ("patient-1796238.fhir-bundle.03.json", 200)):
        source, reports = shared("fhir-smart-stu3", name)
        assert_all_answered(source, reports)
        assert len(places(source)) == results
        ids = (row.analyte for report in reports for row in report.rows() if row.analyte)
        counts.update(ids)
        zero += sum(one.ref_low == 0 and one.ref_high == 0 for part in source.panels for one in part.results)
    expected = {"vitamin_d": 3, "magnesium": 1, "phosphate": 1, "calcium": 11, "creatinine": 11, "hemoglobin": 6, "mcv": 10, "albumin": 5}
    assert {name: counts[name] for name in expected} == expected
    assert zero == 0


@needs_shared("two patients of Synthea")
def test_synthea_is_read() -> None:
    """Two synthetic patients among claims and encounters: the results, their people and their ages."""
    counts = Counter[str]()
    for name in ("Tom_Goodwin_e20de9eb-6f2d-4871-a43f-bbede53293ed.json", "Angelic_Mueller_29d755a6-32fa-482e-8fdd-081300209df8.json"):
        source, reports = shared("fhir-synthea-r4", name)
        assert_all_answered(source, reports)
        assert all(part.patient.sex and part.patient.age_years for part in source.panels)
        counts.update(row.analyte for report in reports for row in report.rows() if row.analyte)
        counts["results"] += len(places(source))
    expected = {"hemoglobin": 5, "mcv": 5, "calcium": 5, "creatinine": 5, "albumin": 2}
    assert {name: counts[name] for name in expected} == expected
    assert counts["results"] == 86 + 131


def test_the_catalog_is_the_one_that_ships() -> None:
    """Reading asks the catalog for names and units; it is not changed by it."""
    before = len(Catalog.default().table["analytes"])
    read(observation())
    assert len(Catalog.default().table["analytes"]) == before
