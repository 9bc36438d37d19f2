"""FHIR in the shapes of national guides, found by reading their examples as a stranger: who a range is for, whose a result is, which version counts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.test_fhir_in import WOMAN, answer, bundle, concept, observation, panel, quantity, ranged, read, result

from labinterp import Finding, NotAssessed
from labinterp._quantity import Unreadable

ENDS = {"low": quantity(10), "high": quantity(33)}
SNOMED = "http://snomed.info/sct"
MAN = {**WOMAN, "gender": "male"}
CHILD = {**WOMAN, "birthDate": "2018-03-01"}


# --- who a range is for --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    ["Männer", "Männer: 10 - 33", "für Männer", "Hommes", "homme :", "Mannen", "Uomini", "Hombres", "Men 10-33", "adult male", "Mænd"],
)
def test_the_text_beside_the_ends_may_name_other_people(words: str) -> None:
    """A range for men is used for a man, and not for a woman, whichever part of the range says so; the ends stay visible."""
    low, high, text, _ = ranged({**ENDS, "text": words})
    assert (low, high) == (None, None)
    assert text is not None
    assert "33" in text
    assert ranged({**ENDS, "text": words}, person=MAN)[:2] == (10, 33)


@pytest.mark.parametrize(
    "words",
    ["Kinder 1-5 Jahre", "Enfants", "kinderen", "Bambini", "Niños", "Säuglinge", "nouveau-nés", "Children", "< 18 Jahre", "Jugendliche"],
)
def test_a_range_of_children_is_not_a_grown_persons(words: str) -> None:
    """It is not used, and of a child it cannot be told whether it is of that age."""
    assert ranged({**ENDS, "text": words})[:2] == (None, None)
    low, _, _, notes = ranged({**ENDS, "text": words}, person=CHILD)
    assert low is None
    assert "particular people" in notes[0]


@pytest.mark.parametrize(
    "words", ["Schwangere", "femmes enceintes", "zwangeren", "gravidanza", "embarazadas", "Pregnant women", "2. Trimenon", "SSW 12-20"]
)
def test_a_range_of_pregnancy_needs_a_pregnancy(words: str) -> None:
    """Nothing is known of a pregnancy of this woman; a man has none."""
    young = {**WOMAN, "birthDate": "1994-03-01"}
    assert ranged({**ENDS, "text": words}, person=young)[:2] == (None, None)
    assert ranged({**ENDS, "text": words}, person=MAN)[:2] == (None, None)


@pytest.mark.parametrize(
    "words",
    [
        "M: 10 - 33",
        "10 - 33 (m)",
        "V: 10 - 33",
        "postmenopausal",
        "Follikelphase",
        "nach der Menopause",
        "phase lutéale",
        "> 60 ans",
        "18-40 años",
    ],
)
def test_a_range_of_a_phase_or_an_age_in_words_is_not_used(words: str) -> None:
    """Whether this person is one of them is not known."""
    assert ranged({**ENDS, "text": words})[:2] == (None, None)


@pytest.mark.parametrize(
    "words",
    ["10 - 33", "10 - 33 ug/L", "Normalbereich", "Referenzbereich: 10 - 33", "Erwachsene: 10 - 33", "Adultes", "Frauen", "Femmes : 10 - 33",
     "Männer und Frauen", "m/w: 10 - 33", "(m/f) 10 - 33", "Volwassenen", "gemäss Hersteller", "Vrouwen", "F: 10 - 33", "(w)", "10 - 33 mm/h",
     "10 - 33 mg/24 h", "an Methode angepasst", "10 - 33 (mg/24 h)", "ne pas diluer"],
)  # fmt: skip
def test_a_text_that_names_nobody_else_does_no_harm(words: str) -> None:
    """The woman is grown up."""
    assert ranged({**ENDS, "text": words})[:2] == (10, 33)


def test_a_long_comment_beside_the_ends_is_no_label() -> None:
    """Criteria for a diagnosis, with years and pregnancy in them, leave the ends what they are."""
    comment = "Criteria voor de diagnose: herhaald boven 126 na acht uur vasten. In de zwangerschap en onder 18 jaar gelden andere waarden."
    assert ranged({**ENDS, "text": comment})[:2] == (10, 33)


@pytest.mark.parametrize(
    ("hers", "his"),
    [("Frauen", "Männer"), ("Weiblich", "Männlich"), ("Femmes", "Hommes"), ("Vrouwen", "Mannen"), ("Donne", "Uomini"), ("Mujeres", "Hombres"),
     ("Kvinder", "Mænd"), ("Kvinnor", "Män"), ("Females", "Males"), ("Women", "Men"), ("Féminin", "Masculin")],
)  # fmt: skip
def test_people_in_words_of_many(hers: str, his: str) -> None:
    """`appliesTo` in words, in the plural."""
    men, women = {"low": quantity(30), "high": quantity(400)}, ENDS
    assert ranged({**men, "appliesTo": [{"text": his}]}, {**women, "appliesTo": [{"text": hers}]})[:2] == (10, 33)


def test_a_range_of_pregnancy_is_not_a_mans() -> None:
    """The general range is left for him; of a woman whose pregnancy nobody stated, which of the two is hers cannot be told."""
    pregnant = {"low": quantity(6), "high": quantity(20), "appliesTo": [concept(code="77386006", system=SNOMED, display="Pregnant")]}
    assert ranged(pregnant, ENDS, person=MAN)[:2] == (10, 33)
    assert ranged(pregnant, ENDS, person={**WOMAN, "birthDate": "1994-03-01"})[:2] == (None, None)


@pytest.mark.parametrize("unit", ["Jahre", "Jahr", "ans", "années", "jaar", "anni", "años", "år", "years"])
def test_an_age_in_words(unit: str) -> None:
    """Years in the words of a language, without a code."""
    old, young = {"low": {"value": 18, "unit": unit}}, {"high": {"value": 17, "unit": unit}}
    assert ranged({**ENDS, "age": old}, {"low": quantity(1), "high": quantity(2), "age": young})[:2] == (10, 33)


def test_an_age_in_weeks() -> None:
    """UCUM's wk: a woman of 71 years is older than six weeks."""
    assert ranged({**ENDS, "age": {"low": {"value": 6, "unit": "Wochen", "code": "wk"}}})[:2] == (10, 33)
    assert ranged({**ENDS, "age": {"high": {"value": 6, "code": "wk"}}})[:2] == (None, None)


@pytest.mark.parametrize(
    "words",
    ["Referenzbereich", "Normbereich", "Valeurs de référence", "Intervalle de référence", "Referentiewaarden", "Intervallo di riferimento",
     "Valori di riferimento", "Valores de referencia", "Reference range", "Normal Range", "Referenceinterval", "Referensintervall"],
)  # fmt: skip
def test_a_reference_range_may_be_called_so(words: str) -> None:
    """In any language it is the normal range; a recommended or a treatment range is not."""
    assert ranged({**ENDS, "type": {"text": words}})[:2] == (10, 33)
    assert ranged({**ENDS, "type": concept(code="recommended", display="Recommended Range")})[:2] == (None, None)
    assert ranged({**ENDS, "type": {"text": "Therapeutischer Bereich"}})[:2] == (None, None)


def test_a_range_that_stands_twice_with_and_without_its_text_is_one() -> None:
    """The same ends for the same people."""
    assert ranged({**ENDS, "text": "10 - 33"}, ENDS)[:2] == (10, 33)
    assert ranged({**ENDS, "text": "Frauen"}, {**ENDS, "text": "Männer"})[:2] == (10, 33)


# --- whose a result is, and where it stands ------------------------------------------------------------------------


def test_results_within_parameters_are_read() -> None:
    """An operation such as $document or $lastn answers with Parameters: a resource in one of them is not passed over."""
    source = read({"resourceType": "Parameters", "parameter": [{"name": "return", "resource": bundle(WOMAN, observation())}]})
    assert (source.panels[0].patient.sex, source.panels[0].results[0].value) == ("female", 12)
    assert str(source.panels[0].results[0].source) == "parameter[0].resource.entry[1].resource"
    parts = [{"name": "patient", "resource": WOMAN}, {"name": "result", "resource": observation()}]
    assert panel({"resourceType": "Parameters", "parameter": [{"name": "x", "part": parts}]}).patient.sex == "female"
    assert not any("hold no results" in note for note in source.notes)


def test_the_subject_of_a_document_is_that_of_its_results() -> None:
    """A Composition names the person once; its sections, also those within sections, name the results."""
    mine = {"resourceType": "Composition", "id": "c", "subject": {"reference": "Patient/w"}}
    sections = [{"title": "Labor", "section": [{"entry": [{"reference": "Observation/a"}, {"reference": "Medication/none"}]}]}]
    source = read(bundle({**mine, "section": sections}, WOMAN, observation(id="a", subject=None), type="document"))
    assert (source.panels[0].patient.id, source.panels[0].patient.sex) == ("w", "female")
    assert not any("not here" in note for note in source.notes)
    listed = {**mine, "subject": [{"reference": "Patient/w"}], "section": sections}  # as R5 has it
    assert panel(bundle(listed, WOMAN, observation(id="a", subject=None), type="document")).patient.sex == "female"
    two = {**listed, "subject": [{"reference": "Patient/w"}, {"reference": "Patient/v"}]}
    assert panel(bundle(two, WOMAN, {**MAN, "id": "v"}, observation(id="a", subject=None), type="document")).patient.sex is None


def test_a_subject_may_be_named_by_its_identifier() -> None:
    """A logical reference: the Patient with that identifier; of two that differ, none."""
    number = {"system": "http://fhir.de/sid/gkv/kvid-10", "value": "A123456780"}
    mine, his = {**WOMAN, "identifier": [number]}, {**MAN, "id": "m", "identifier": [number]}
    one = observation(subject=None)
    one["subject"] = {"type": "Patient", "identifier": number}
    assert panel(bundle(mine, one)).patient.sex == "female"
    assert panel(bundle(mine, his, one)).patient.sex is None
    one["subject"] = {"identifier": {"value": "A123456780"}}  # a number without its system is anybody's
    assert panel(bundle(mine, one)).patient.sex is None


# --- which version counts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"meta": {"versionId": "1"}}, {"meta": {"versionId": "2"}}),
        ({"meta": {"versionId": "9"}}, {"meta": {"versionId": "10"}}),
        ({"meta": {"lastUpdated": "2021-06-01T09:00:00Z"}}, {"meta": {"lastUpdated": "2021-06-01T10:00:00Z"}}),
        ({"status": "preliminary"}, {"status": "final"}),
        ({"status": "final"}, {"status": "corrected"}),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_of_two_versions_the_later_counts(first: dict[str, Any], second: dict[str, Any], turned: bool) -> None:
    """One id, one test, one person, in a bundle that is no history: the earlier version is listed, and not assessed."""
    pair = [observation(id="a", **first), observation(id="a", valueQuantity=quantity(90), **second)]
    source = read(bundle(WOMAN, *(pair[::-1] if turned else pair)))
    values = [one.value for one in source.panels[0].results]
    assert 90 in values
    (older,) = [value for value in values if value != 90]
    assert isinstance(older, Unreadable)
    assert (older.reason, older.text) == ("unreadable_value", "12")
    assert not any("all kept" in note for note in source.notes)


def test_a_withdrawn_version_withdraws_the_earlier_one() -> None:
    """Neither is a result then."""
    source = read(
        bundle(WOMAN, observation(id="a", meta={"versionId": "1"}), observation(id="a", meta={"versionId": "2"}, status="entered-in-error"))
    )
    assert all(isinstance(one.value, Unreadable) for part in source.panels for one in part.results)


def test_a_corrected_result_replaces_the_one_with_its_identifier() -> None:
    """A laboratory sends a correction as a resource of its own, with the same identifier; another test or time is another result."""
    mine = {"identifier": [{"system": "urn:lab", "value": "7"}]}
    old, new = observation(id="x", **mine), observation(id="y", status="corrected", valueQuantity=quantity(90), **mine)
    values = [one.value for one in panel(bundle(WOMAN, old, new)).results]
    assert values[1] == 90
    assert isinstance(values[0], Unreadable)
    other = observation("Magnesium", id="z", status="corrected", valueQuantity=quantity(0.8, "mmol/L"), **mine)
    assert [one.value for one in panel(bundle(WOMAN, old, other)).results] == [12, Decimal("0.8")]


def test_a_result_that_is_contained_and_an_entry_is_one() -> None:
    """A report that carries a copy of a result of the same bundle."""
    report = {
        "resourceType": "DiagnosticReport", "id": "d", "status": "final", "subject": {"reference": "Patient/w"},
        "contained": [observation(id="a")], "result": [{"reference": "#a"}],
    }  # fmt: skip
    assert len(panel(bundle(WOMAN, observation(id="a"), report)).results) == 1
    assert len(panel(bundle(WOMAN, observation(id="a", valueQuantity=quantity(90)), report)).results) == 2


def test_a_status_in_capitals_is_that_status() -> None:
    """A withdrawn result stays withdrawn."""
    assert isinstance(result(bundle(WOMAN, observation(status="Entered-In-Error"))).value, Unreadable)


# --- values and specimens ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "not-performed"}]},
        {
            "_value": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "not-performed"}]},
            "unit": "ug/L",
        },
    ],
)
def test_the_reason_why_a_quantity_is_empty_is_told(value: dict[str, Any]) -> None:
    """The extension may stand at the value or at its number."""
    found = answer(observation(valueQuantity=value))
    assert isinstance(found, NotAssessed)
    assert "not-performed" in found.message


def test_a_ratio_in_braces_is_a_number() -> None:
    """{ratio} is a comment to the unit 1."""
    found = answer(observation(concept("Transferrinsättigung", "2502-3"), valueQuantity=quantity(0.15, "{ratio}", "1")))
    assert isinstance(found, Finding)
    assert (found.analyte, found.quantity.unit) == ("transferrin_saturation", "1")


@pytest.mark.parametrize(
    ("code", "reason"),
    [("119364003", ""), ("119361006", ""), ("122555007", ""), ("446272009", ""), ("122554006", ""), ("123038009", ""), ("67922002", ""),
     ("278020009", "wrong_specimen"), ("168139001", "wrong_specimen"), ("119360007", "wrong_specimen"), ("122556008", "wrong_specimen"),
     ("309051001", "wrong_specimen"), ("258459007", "wrong_specimen"), ("472881004", "wrong_specimen"), ("708048008", "wrong_specimen")],
)  # fmt: skip
def test_a_specimen_by_its_code_alone(code: str, reason: str) -> None:
    """SNOMED CT without words: blood and what is made of it; a fluid, a swab or a code that is not known here is no serum."""
    specimen = {"resourceType": "Specimen", "id": "s", "type": concept(code=code, system=SNOMED)}
    potassium = observation(concept("Kalium", "2823-3"), valueQuantity=quantity(4.1, "mmol/L"), specimen={"reference": "Specimen/s"})
    found = panel(bundle(WOMAN, specimen, potassium))
    from labinterp import interpret

    (one,) = interpret(found.results, found.patient).rows()
    assert (one.reason if isinstance(one, NotAssessed) else "") == reason


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (
            {
                "condition": [
                    {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0493", "code": "HEM", "display": "Hemolyzed"}]}
                ]
            },
            "Hemolyzed",
        ),
        ({"condition": [{"text": "lipämisch"}]}, "lipämisch"),
        ({"status": "unsatisfactory"}, "unsatisfactory"),
        ({"status": "entered-in-error"}, "entered-in-error"),
    ],
)
def test_what_is_wrong_with_a_specimen_is_told(parts: dict[str, Any], words: str) -> None:
    """Potassium of a haemolysed specimen reads high: the laboratory's word of it goes with the result."""
    specimen = {"resourceType": "Specimen", "id": "s", "type": concept("Serum"), **parts}
    found = panel(bundle(WOMAN, specimen, observation(specimen={"reference": "Specimen/s"})))
    assert any(note.startswith("Row 1:") and words in note for note in found.notes)
    sound = {"resourceType": "Specimen", "id": "s", "type": concept("Serum"), "status": "available"}
    assert panel(bundle(WOMAN, sound, observation(specimen={"reference": "Specimen/s"}))).notes == []


@pytest.mark.parametrize(
    ("words", "pregnant"),
    [("schwanger", True), ("nicht schwanger", False), ("Enceinte", True), ("non enceinte", False), ("zwanger", True), ("niet zwanger", False),
     ("incinta", True), ("non incinta", False), ("embarazada", True), ("no embarazada", False), ("gravid", True), ("unbekannt", None)],
)  # fmt: skip
def test_pregnancy_in_words(words: str, pregnant: bool | None) -> None:
    """As a text, or as the text of a code."""
    for value in ({"valueString": words}, {"valueCodeableConcept": {"text": words}}):
        stated = observation(concept(loinc="82810-3"), **value)
        assert panel(bundle(WOMAN, stated, observation())).patient.pregnant is pregnant


# --- what changes the meaning of a whole result --------------------------------------------------------------------


def test_a_modifier_of_an_observation_holds_for_its_components() -> None:
    """It may say that none of them was found."""
    parts = [{"code": concept("Ferritin"), "valueQuantity": quantity()}]
    one = {
        "resourceType": "Observation",
        "status": "final",
        "code": concept("Panel"),
        "component": parts,
        "subject": {"reference": "Patient/w"},
    }
    assert result(bundle(WOMAN, one)).value == 12
    value = result(bundle(WOMAN, {**one, "modifierExtension": [{"url": "http://example.org/not", "valueBoolean": True}]})).value
    assert isinstance(value, Unreadable)
    assert "modifier" in value.message


def test_a_result_with_a_focus_is_about_somebody_else() -> None:
    """`focus` is what a result is about where it is not its subject: a child before birth, a donor. The subject itself changes nothing."""
    for node in (observation(), observation("Panel", component=[{"code": concept("Ferritin"), "valueQuantity": quantity()}])):
        value = result(bundle(WOMAN, {**node, "focus": [{"reference": "RelatedPerson/donor"}]})).value
        assert isinstance(value, Unreadable)
        assert "focus" in value.message
        assert result(bundle(WOMAN, {**node, "focus": [{"reference": "Patient/w"}]})).value == 12


def test_two_versions_of_a_person_that_agree_are_one() -> None:
    """The same id, sex, birth date and identifiers: another address does not make her unknown; another sex does."""
    moved = {**WOMAN, "meta": {"versionId": "2"}, "address": [{"city": "Bern"}]}
    assert panel(bundle(WOMAN, moved, observation())).patient.sex == "female"
    assert panel(bundle(WOMAN, {**moved, "gender": "male"}, observation())).patient.sex is None


@pytest.mark.parametrize("value", ["9 ug/L", [quantity()], 9, True])
def test_a_quantity_that_is_none_is_not_called_empty(value: Any) -> None:
    """What stands there is kept as text where it is one."""
    found = answer(observation(valueQuantity=value))
    assert isinstance(found, NotAssessed)
    assert found.message == "The value is not written as a quantity."
    inner = answer(observation(valueQuantity={"value": {"amount": 9}, "unit": "ug/L"}))
    assert isinstance(inner, NotAssessed)
    assert inner.message == "The value is not written as a number."


def test_a_day_that_cannot_be_read_is_told() -> None:
    """Not ISO 8601: the day and with it the age are unknown, and a note says so."""
    found = panel(bundle(WOMAN, observation(effectiveDateTime="02.01.2024")))
    assert (found.results[0].collected_at, found.patient.age) == (None, None)
    assert any("day of sampling could not be read" in note for note in found.notes)
    assert panel(bundle(WOMAN, observation())).notes == []


@pytest.mark.parametrize(
    ("words", "code"),
    [("Above reference range", "H"), ("Below reference range", "L"), ("Within reference range", "N"), ("Elevé", "H"), ("trop haut", "H"), ("trop bas", "L"),
     ("te hoog", "H"), ("te laag", "L"), ("sterk verlaagd", "L"), ("leicht erniedrigt", "L"), ("nella norma", "N"), ("fuori norma", "A"),
     ("dans les normes", "N"), ("hors norme", "A"), ("dentro del rango", "N"), ("fuera de rango", "A"), ("im Referenzbereich", "N"),
     ("außerhalb des Referenzbereichs", "A"), ("Ligeramente elevado", "H"), ("grenzwertig", None)],
)  # fmt: skip
def test_a_flag_in_words(words: str, code: str | None) -> None:
    """An interpretation that is a display or a text, in the languages of reports; where it stands on the line is no side."""
    for said in ({"text": words}, {"coding": [{"system": "http://local.example", "display": words}]}):
        found = answer(observation(interpretation=[said]))
        assert (found.reported.flag_code if found.reported else None) == code


@pytest.mark.parametrize(
    "parts",
    [
        {"status": "entered-in-error"},
        {"modifierExtension": [{"url": "http://example.org/x"}]},
        {"focus": [{"reference": "Patient/x"}]},
        {"code": {"coding": [{"system": "http://loinc.org", "code": code} for code in ("2276-4", "1988-5")]}},
    ],
)
def test_what_is_not_used_keeps_its_comparator_and_its_unit_once(parts: dict[str, Any]) -> None:
    """ "<9 ug/L" is neither 9 nor "<9 ug/L ug/L"."""
    found = answer(observation(valueQuantity=quantity(9, "ug/L", "ug/L", comparator="<"), **parts))
    assert isinstance(found, NotAssessed)
    assert (found.value_text, found.unit_text) == ("<9", "ug/L")
    versions = [observation(id="a", status="preliminary", valueQuantity=quantity(9, comparator="<")), observation(id="a")]
    older = panel(bundle(WOMAN, *versions)).results[0].value
    assert isinstance(older, Unreadable)
    assert older.text == "<9"
