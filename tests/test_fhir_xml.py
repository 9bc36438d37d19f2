"""FHIR as XML: the same answers as its JSON, from the same places; XML as the standard prints it; other XML, broken and hostile XML."""

from __future__ import annotations

import gzip
import importlib
import inspect
import io
import json
import random
import re
import typing
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from tests import fuzz, test_fhir_in, test_fhir_of_guides, test_fhir_out
from tests.as_xml import FHIR, NoXml, as_xml
from tests.test_bundles_of_four_languages import CASES
from tests.test_fhir_in import WOMAN, bundle, concept, observation, quantity
from tests.test_real_data import DATA, SHARED, needs_shared

import labinterp as li
from labinterp import fhir
from labinterp._formats.fhir_elements import REPEATING, is_primitive, may_repeat, stands_once, typed
from labinterp._formats.fhir_xml import xml_documents
from labinterp._quantity import Unreadable
from labinterp.errors import InputError
from labinterp.readers import Source, answers, read_bytes, read_file, read_files


def told(source: Source) -> Any:
    """All that a source says."""
    return source.panels, source.notes, source.original


def held_alike(text: str | bytes) -> bool:
    """That the XML of a resource is read as its JSON is, and answered alike, from the same places; False where it has no XML."""
    try:
        xml = as_xml(text)
        prefixed = as_xml(text, "f")
    except NoXml:
        return False
    data = text.encode() if isinstance(text, str) else text
    expected = read_bytes(data, format="fhir")
    found = read_bytes(xml)
    assert found.format == "fhir"
    assert told(found) == told(expected)
    assert told(read_bytes(prefixed)) == told(expected)
    assert [report.to_dict() for report in answers(found)] == [report.to_dict() for report in answers(expected)]
    return True


# --- the same answers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(DATA.glob("fhir*.json")), ids=lambda path: path.stem)
def test_a_kept_file_gives_the_same_answers(path: Path) -> None:
    """Bundles that lie beside the tests, in XML."""
    assert held_alike(path.read_bytes())


@pytest.mark.parametrize("name", CASES)
def test_bundles_of_four_languages_give_the_same_answers(name: str) -> None:
    """Names, units, flags and ranges as laboratories print them."""
    code, value, interpretation, reference, _ = CASES[name]
    parts = {"interpretation": [interpretation]} if interpretation else {}
    parts |= {"referenceRange": [reference]} if reference else {}
    assert held_alike(json.dumps(bundle(WOMAN, observation(code, valueQuantity=value, **parts))))


def documents_of(tests: Any) -> Iterator[bytes]:
    """What the tests of the JSON reader read: every document of every test that needs nothing and is quick."""
    kept: list[bytes] = []

    def reading(data: bytes, **how: Any) -> Source:
        kept.append(data)
        return read_bytes(data, **how)

    patched = pytest.MonkeyPatch()
    patched.setattr(test_fhir_in, "read_bytes", reading)  # the tests of guides read by way of it
    try:
        for name, test in vars(tests).items():
            if not name.startswith("test_") or "linear" in name or "hostile" in name or "shared" in inspect.getsource(test):
                continue
            for given_ in arguments(test):
                test(**given_)
    finally:
        patched.undo()
    yield from dict.fromkeys(data for data in kept if len(data) < 100_000)


def arguments(test: Any) -> list[dict[str, Any]]:
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    if not marks:
        return [] if inspect.signature(test).parameters else [{}]
    if len(marks) > 1:
        return []
    names, rows = marks[0].args
    listed = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    return [dict(zip(listed, row if len(listed) > 1 else [row], strict=True)) for row in rows]


def test_what_the_tests_of_json_read_gives_the_same_answers() -> None:
    """Every resource that the tests of the JSON reader make, clean and dirty, is read alike from XML."""
    alike = 0
    for data in (*documents_of(test_fhir_in), *documents_of(test_fhir_of_guides)):
        try:
            parsed = json.loads(data.decode("utf-8-sig"))
        except ValueError:
            continue
        if isinstance(parsed, dict) and not twice(data):
            alike += held_alike(data)
    assert alike > 150


def twice(data: bytes) -> bool:
    found: list[int] = []
    json.loads(data, object_pairs_hook=lambda pairs: found.append(len(pairs) - len(dict(pairs))) or dict(pairs))  # type: ignore[func-returns-value]
    return any(found)


@settings(settings.get_profile("fhir"))
@given(test_fhir_out.bundles())
def test_generated_bundles_give_the_same_answers(data: dict[str, Any]) -> None:
    """Generated panels, and what is written of their answers."""
    assert held_alike(fhir.to_json(data))
    source = fhir.read(data)
    assert held_alike(fhir.to_json(fhir.bundle(answers(source), source)))


def without_null(one: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if value is not None}


def test_made_up_resources_give_the_same_answers() -> None:
    """What the fuzzing makes up: ids that stand twice, members, contained results, odd days, units, statuses and ranges."""
    alike = 0
    for number in range(300):
        (data,) = fuzz._resources(random.Random(number))
        if b"\n" not in data:
            plain = json.loads(data.replace(b'"value": "12"', b'"value": 12'), object_hook=without_null)  # XML has neither
            alike += held_alike(json.dumps(plain))
    assert alike > 200


@needs_shared("seventeen real files of FHIR in XML")
@pytest.mark.parametrize("folder", ["fhir-hl7be-lab", "fhir-smart-stu3", "fhir-spec-r4", "fhir-synthea-r4"])
def test_real_files_give_the_same_answers(folder: str) -> None:
    """Real files of four versions and four makers."""
    files = [path for path in sorted((SHARED / folder).glob("*.json")) if path.name != "package.json"]
    assert files
    assert all(held_alike(path.read_text("utf-8-sig")) for path in files)


# --- the tables beside the models of the standard ------------------------------------------------------------------------

MODELS = {
    "bundle": ("Bundle", "BundleEntry", "BundleLink"),
    "observation": ("Observation", "ObservationComponent", "ObservationReferenceRange", "ObservationRelated", "ObservationTriggeredBy"),
    "diagnosticreport": ("DiagnosticReport", "DiagnosticReportMedia", "DiagnosticReportImage", "DiagnosticReportSupportingInfo"),
    "specimen": ("Specimen", "SpecimenCollection", "SpecimenContainer", "SpecimenProcessing", "SpecimenFeature"),
    "composition": ("Composition", "CompositionSection"),
    "parameters": ("Parameters", "ParametersParameter"),
    "patient": ("Patient", "PatientContact", "PatientLink", "PatientCommunication"),
    **{
        name.lower(): (name,)
        for name in (
            "Quantity", "Range", "Ratio", "Period", "CodeableConcept", "Coding", "Reference", "Identifier", "Meta", "Extension", "HumanName",
            "Address", "ContactPoint", "Annotation", "Attachment", "SampledData", "CodeableReference",
        )
    },
    "timing": ("Timing", "TimingRepeat"),
}  # fmt: skip
# The names under which the models stand in the resources that are read.
NAMES = {
    "ParametersParameter": ["parameter", "part"], "CompositionSection": ["section"], "BundleEntry": ["entry"], "BundleLink": ["link"], "ObservationComponent": ["component"], "ObservationReferenceRange": ["referenceRange"],
    "ObservationRelated": ["related"], "ObservationTriggeredBy": ["triggeredBy"], "DiagnosticReportMedia": ["media"],
    "DiagnosticReportImage": ["image"], "DiagnosticReportSupportingInfo": ["supportingInfo"], "SpecimenCollection": ["collection"],
    "SpecimenContainer": ["container"], "SpecimenProcessing": ["processing"], "SpecimenFeature": ["feature"], "PatientContact": ["contact"],
    "PatientCommunication": ["communication"], "Quantity": ["valueQuantity", "low", "high", "numerator", "denominator", "origin"],
    "Range": ["valueRange", "age"], "Ratio": ["valueRatio"], "Period": ["valuePeriod", "effectivePeriod", "collectedPeriod"],
    "CodeableConcept": ["code", "valueCodeableConcept", "interpretation", "category", "method", "appliesTo", "meaning", "dataAbsentReason"],
    "Coding": ["coding", "tag", "security"], "Reference": ["subject", "specimen", "encounter", "context", "result", "hasMember", "target"],
    "Identifier": ["identifier"], "Meta": ["meta"], "Extension": ["extension"], "HumanName": ["name"], "Address": ["address"],
    "ContactPoint": ["telecom"], "Annotation": ["note"], "Attachment": ["presentedForm", "valueAttachment"], "SampledData": ["valueSampledData"],
    "CodeableReference": ["bodyStructure"], "Timing": ["effectiveTiming"], "TimingRepeat": ["repeat"],
}  # fmt: skip
LENIENT = {("Observation", "interpretation"), ("ObservationComponent", "interpretation"), ("DiagnosticReport", "category"),
           ("Composition", "identifier"), ("Composition", "subject")}  # once in STU3, or until R5; # fmt: skip


def fields() -> Iterator[tuple[str, str, str, bool, str]]:
    """Version, model, field, whether it may repeat, and its type, of every model that is read."""
    for version in ("STU3.", "R4B.", ""):
        for module, models in MODELS.items():
            try:
                loaded = importlib.import_module(f"fhir.resources.{version}{module}")
            except ImportError:
                continue
            for model in (getattr(loaded, name) for name in models if hasattr(loaded, name)):
                for name, field in model.model_fields.items():
                    if name == "fhir_comments" or name.endswith("__ext"):
                        continue
                    said = str(field.annotation)
                    assert typing.get_args(field.annotation) or said.startswith("<class"), said
                    yield version, model.__name__, field.alias or name, "List[" in said, said


def test_what_may_repeat_is_what_the_models_say() -> None:
    """STU3, R4B and R5: every element of what is read is a list where a version lets it repeat, and none where no version does."""
    pytest.importorskip("fhir.resources")
    repeats: dict[tuple[str, str], set[bool]] = {}
    for _, model, name, many, _ in fields():
        repeats.setdefault((model, name), set()).add(many)
    assert len(repeats) > 300
    assert {key for key, said in repeats.items() if len(said) > 1} == LENIENT
    for (model, name), said in repeats.items():
        for parent in NAMES.get(model, [model]):
            assert may_repeat(parent, name) == (True in said), (parent, name)
    known = {parent for model in {model for model, _ in repeats} for parent in NAMES.get(model, [model])}
    assert set(REPEATING) - known == {"signature"}


def test_what_stands_once_never_repeats() -> None:
    """An element that is read once may not repeat in any of the versions, where it is read."""
    pytest.importorskip("fhir.resources")
    read = {
        "Bundle",
        "BundleEntry",
        "Observation",
        "ObservationComponent",
        "ObservationReferenceRange",
        "Quantity",
        "CodeableConcept",
        "Coding",
    }
    found = {(model, name) for _, model, name, many, _ in fields() if model in read and not many and stands_once(name)}
    for wanted in ("code", "status", "subject", "specimen", "dataAbsentReason", "method", "valueQuantity", "effectiveDateTime"):
        assert ("Observation", wanted) in found
    assert {("Quantity", name) for name in ("value", "comparator", "unit", "system", "code")} <= found
    assert {("ObservationReferenceRange", name) for name in ("low", "high", "text", "type", "age")} <= found


def test_numbers_and_truth_values_are_what_the_models_say() -> None:
    """The value of a quantity, an integer, a decimal, a truth value; the value of an identifier is a text, whatever it looks like."""
    pytest.importorskip("fhir.resources")
    read = {
        "Observation",
        "ObservationComponent",
        "Quantity",
        "Identifier",
        "ContactPoint",
        "Extension",
        "Coding",
        "CodeableConcept",
        "Reference",
    }
    numbers = {"valueInteger", "valueDecimal", "valuePositiveInt", "valueUnsignedInt"}
    for version, model, name, _, said in fields():
        if model not in read or not (name.startswith("value") or model in ("Quantity", "Identifier")):
            continue
        is_number = name in numbers or (model == "Quantity" and name == "value")
        if name != "valueInteger64":  # JSON of R5 has it as a text
            assert ("Decimal" in said or "int," in said or "'int'" in said) == is_number, (version, model, name, said)
        for parent in NAMES.get(model, [model]):
            assert (type(typed(parent, name, "5")) is int) == is_number, (parent, name)
            assert (typed(parent, name, "true") is True) == (name == "valueBoolean"), (parent, name)


def test_primitives_are_what_the_models_say() -> None:
    """An empty element of those that hold a reason or whose presence is asked for: an object where the models have one."""
    pytest.importorskip("fhir.resources")
    asked = {
        "subject",
        "specimen",
        "encounter",
        "context",
        "dataAbsentReason",
        "low",
        "high",
        "age",
        "comparator",
        "birthDate",
        "gender",
        "status",
    }
    for _, model, name, _, said in fields():
        if model in ("Observation", "ObservationComponent", "ObservationReferenceRange", "Patient", "Quantity", "Extension") and (
            name in asked or name.startswith(("value", "effective"))
        ):
            assert is_primitive(name) == ("abc." not in said), (model, name, said)


@pytest.mark.parametrize("text", ["1.10", "0.0", "-3", "1e2", "12E-1", "100000000000000000000.5"])
def test_a_number_keeps_its_digits(text: str) -> None:
    """As the JSON reader has it."""
    as_json = read_bytes(f'{{"resourceType":"Observation","code":{{"text":"CRP"}},"valueQuantity":{{"value":{text}}}}}'.encode())
    value = one(f'<code><text value="CRP"/></code><valueQuantity><value value=" {text} "/></valueQuantity>').value
    assert value == as_json.panels[0].results[0].value
    assert str(value) == str(as_json.panels[0].results[0].value)


@pytest.mark.parametrize("text", ["12,5", "<5", "+5", "1_000", "\u0661\u0662", "NaN", "Infinity", "0x10", "12 500", ""])
def test_what_is_no_number_of_fhir_stays_a_text(text: str) -> None:
    """Nothing is made of it that is not printed: it is read, or refused, as a printed value is."""
    assert one(f"<valueQuantity><value value={quoteattr(text)}/></valueQuantity>").value == text


# --- as the standard prints it ---------------------------------------------------------------------------------------------


def parsed(inner: str, kind: str = "Observation") -> dict[str, Any]:
    (((_, found),), notes) = xml_documents(f'<{kind} xmlns="{FHIR}">{inner}</{kind}>'.encode())
    assert notes == []
    return dict(found)


def one(inner: str) -> li.LabResult:
    (panel,) = read_bytes(f'<Observation xmlns="{FHIR}">{inner}</Observation>'.encode()).panels
    (result,) = panel.results
    return result


GLUCOSE = """<?xml version="1.0" encoding="UTF-8"?>

<Observation xmlns="http://hl7.org/fhir">
  <id value="f001"/>
  <text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p><b>Generated Narrative</b> 6.3 <i>mmol/l</i>, ferritin 900 ug/L</p></div></text>
  <contained>
    <Specimen>
      <id value="s1"/>
      <type><coding><system value="http://snomed.info/sct"/><code value="119364003"/><display value="Serum"/></coding></type>
      <collection><collectedDateTime value="2013-04-02T09:30:10+01:00"/></collection>
    </Specimen>
  </contained>
  <identifier><use value="official"/><system value="http://www.bmc.nl/zorgportal/identifiers/observations"/><value value="0006323"/></identifier>
  <status value="final"/>
  <code><coding><system value="http://loinc.org"/><code value="2276-4"/><display value="Ferritin [Mass/volume] in Serum or Plasma"/></coding></code>
  <subject><reference value="Patient/f001"/><display value="P. van de Heuvel"/></subject>
  <issued value="2013-04-03T15:30:10+01:00"/>
  <valueQuantity>
    <value value="6.30"/>
    <comparator value="&lt;"/>
    <unit value="&#956;g/L"/>
    <system value="http://unitsofmeasure.org"/>
    <code value="ug/L"/>
  </valueQuantity>
  <interpretation>
    <coding><system value="http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"/><code value="L"/><display value="Low"/></coding>
  </interpretation>
  <specimen><reference value="#s1"/></specimen>
  <referenceRange><low><value value="15"/><unit value="ug/L"/></low><high><value value="150.0"/><unit value="ug/L"/></high></referenceRange>
</Observation>
"""


def test_an_observation_as_the_standard_prints_it() -> None:
    """Each part of it where the JSON reader has it; the narrative is not read."""
    (panel,) = read_bytes(GLUCOSE.encode()).panels
    (result,) = panel.results
    assert (result.test, result.loinc) == ("Ferritin [Mass/volume] in Serum or Plasma", "2276-4")
    assert (result.value, str(result.value), result.comparator, result.unit) == (Decimal("6.30"), "6.30", "<", "ug/L")
    assert (result.ref_low, str(result.ref_high), result.flag) == (15, "150.0", "L")
    assert (result.specimen, str(result.collected_at), result.source) == ("Serum", "2013-04-02", "Observation")
    assert panel.patient.id == "f001"


def test_a_prefix_names_the_same() -> None:
    """`f:` is as good as no prefix; the narrative has its own namespace."""
    prefixed = re.sub(r"<(/?)([A-Za-z])", r"<\1f:\2", GLUCOSE.replace("xmlns=", "xmlns:f=", 1))
    prefixed = re.sub(r"<f:(div|p|b|i)\b", r"<\1", re.sub(r"</f:(div|p|b|i)>", r"</\1>", prefixed))
    assert told(read_bytes(prefixed.encode())) == told(read_bytes(GLUCOSE.encode()))


def test_values_of_other_kinds_and_components() -> None:
    """A coded answer, a reason for none, a text as range, a value in each component."""
    coded = one('<valueCodeableConcept><coding><display value="Positive"/></coding></valueCodeableConcept>').value
    assert isinstance(coded, Unreadable)
    assert coded.text == "Positive"
    absent = one('<dataAbsentReason><coding><code value="unknown"/></coding></dataAbsentReason>').value
    assert isinstance(absent, Unreadable)
    assert "unknown" in absent.message
    ranged = one(
        '<code><text value="CRP"/></code><valueString value="3 mg/L"/><referenceRange><text value="&lt; 5 mg/L"/></referenceRange>'
    )
    assert (ranged.value, ranged.ref_text) == ("3 mg/L", "< 5 mg/L")
    parts = '<component><code><text value="{}"/></code><valueQuantity><value value="{}"/><unit value="{}"/></valueQuantity></component>'
    (panel,) = read_bytes(
        f'<Observation xmlns="{FHIR}"><code><text value="Panel"/></code>{parts.format("CRP", "8.0", "mg/L")}{parts.format("Ferritin", "12", "ug/L")}</Observation>'.encode()
    ).panels
    assert [(part.test, str(part.value), part.source) for part in panel.results] == [
        ("CRP", "8.0", "Observation.component[0]"),
        ("Ferritin", "12", "Observation.component[1]"),
    ]


def test_the_structure_is_that_of_json() -> None:
    """Lists, ids, extensions of primitives and of objects, truth values, resources in their wrappers."""
    person = parsed(
        '<id value="p"/><identifier><value value="007"/></identifier><name id="n"><given value="A"/><given id="g"/><given value="B"/></name>'
        '<birthDate value="1950" id="b"><extension url="u"><valueBoolean value="true"/></extension></birthDate>'
        '<gender><extension url="v"><valueCode value="masked"/></extension></gender>',
        "Patient",
    )
    assert person == {
        "resourceType": "Patient", "id": "p", "identifier": [{"value": "007"}],
        "name": [{"id": "n", "given": ["A", None, "B"], "_given": [None, {"id": "g"}]}],
        "birthDate": "1950", "_birthDate": {"id": "b", "extension": [{"url": "u", "valueBoolean": True}]},
        "_gender": {"extension": [{"url": "v", "valueCode": "masked"}]},
    }  # fmt: skip
    made = parsed(
        '<entry><fullUrl value="urn:uuid:1"/><resource><Observation><contained><Specimen><id value="s"/></Specimen></contained></Observation>'
        "</resource></entry><entry/>",
        "Bundle",
    )
    inner = {"resourceType": "Observation", "contained": [{"resourceType": "Specimen", "id": "s"}]}
    assert made == {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:1", "resource": inner}, {}]}
    assert parsed("<parameter><resource><Patient/></resource></parameter>", "Parameters") == {
        "resourceType": "Parameters", "parameter": [{"resource": {"resourceType": "Patient"}}],
    }  # fmt: skip


def test_a_reason_for_no_value_stands_in_the_value() -> None:
    """As the standard has it where a value is masked: in the place of the value, or of its number."""
    said = '<extension url="http://hl7.org/fhir/StructureDefinition/data-absent-reason"><valueCode value="masked"/></extension>'
    for inner in (
        f"<valueQuantity>{said}</valueQuantity>",
        f"<valueString>{said}</valueString>",
        f"<valueQuantity><value>{said}</value></valueQuantity>",
    ):
        value = one(inner).value
        assert isinstance(value, Unreadable)
        assert "masked" in value.message


@pytest.mark.parametrize(
    "inner",
    [
        '<valueQuantity><value value="12"/></valueQuantity><valueQuantity><value value="300"/></valueQuantity>',
        '<valueQuantity><value value="12"/><value value="300"/></valueQuantity>',
        '<valueQuantity><value value="12"/><unit value="ug/L"/><unit value="mg/L"/></valueQuantity>',
        '<valueQuantity><value value="12"/></valueQuantity><valueString value="300"/>',
        '<status value="final"/><status value="entered-in-error"/><valueQuantity><value value="12"/></valueQuantity>',
        '<code><text value="CRP"/></code><code><text value="Ferritin"/></code><valueQuantity><value value="12"/></valueQuantity>',
    ],
)
def test_what_stands_twice_is_not_used(inner: str) -> None:
    """As a key that stands twice in JSON: which of the two is meant cannot be told."""
    assert isinstance(one(f"{inner}").value, Unreadable)


def test_an_element_of_a_version_to_come_may_repeat() -> None:
    """What is not read may stand as often as it likes."""
    assert one('<news value="1"/><news value="2"/><news value="3"/><valueQuantity><value value="12"/></valueQuantity>').value == 12
    assert parsed('<news value="1"/><news value="2"/><news value="3"/>')["news"] == ["1", "2", "3"]
    assert parsed('<role value="1"/><role value="2"/><role value="3"/>', "Practitioner")["role"] == ["1", "2", "3"]


# --- the door --------------------------------------------------------------------------------------------------------------

TWO = as_xml(json.dumps(bundle(WOMAN, observation(), observation("CRP", valueQuantity=quantity(8, "mg/L"), code=concept("CRP é µ")))))


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.xml", content)
    return out.getvalue()


def values(source: Source) -> list[Any]:
    return [result.value for panel in source.panels for result in panel.results]


def test_it_comes_through_every_door(tmp_path: Path, cli: Callable[..., Any]) -> None:
    """Packed, in an archive, as a file, with `--from fhir`, as text, on the command line; other files complete it."""
    expected = told(read_bytes(TWO))
    assert values(read_bytes(TWO)) == [12, 8]
    assert told(read_bytes(gzip.compress(TWO))) == expected
    assert values(read_bytes(zipped(a=TWO, b=TWO), name="z.zip")) == [12, 8, 12, 8]
    assert read_bytes(zipped(a=TWO), name="z.zip").panels[0].results[0].source == "z.zip/a.xml, entry[1].resource"
    assert told(fhir.read(TWO)) == told(fhir.read(TWO.decode())) == expected
    assert told(fhir.read(TWO.decode().replace("UTF-8", "ISO-8859-1"))) == expected
    (tmp_path / "labs.xml").write_bytes(TWO)
    assert values(read_file(tmp_path / "labs.xml", format="fhir")) == [12, 8]
    done = cli("interpret", str(tmp_path / "labs.xml"), "--to", "json")
    assert done.code == 0
    assert '"source": "labs.xml, entry[1].resource"' in done.out
    (tmp_path / "person.json").write_text(json.dumps({**WOMAN, "id": "x"}), "utf-8")
    (tmp_path / "result.xml").write_bytes(as_xml(json.dumps(observation(subject="Patient/x"))))
    assert read_files([tmp_path / "person.json", tmp_path / "result.xml"]).panels[0].patient.sex == "female"
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "labs.xml").write_bytes(TWO)
    assert cli("interpret", str(folder), "--to", "json").code == 0


def test_zstd_is_unpacked() -> None:
    """As any other file."""
    packed = pytest.importorskip("zstandard").ZstdCompressor().compress(TWO)
    assert told(read_bytes(packed)) == told(read_bytes(TWO))


ENCODINGS = {
    "UTF-8 with a mark": ("UTF-8", "utf-8-sig"), "UTF-16 with a mark": ("UTF-16", "utf-16"), "UTF-16 without a mark": ("UTF-16", "utf-16-le"),
    "UTF-16 of the other order": ("UTF-16BE", "utf-16-be"), "UTF-32": ("UTF-32", "utf-32"), "UTF-32 without a mark": ("UTF-32", "utf-32-be"),
    "Latin-1": ("ISO-8859-1", "latin-1"), "Windows": ("windows-1252", "cp1252"), "UTF-16 said, UTF-8 written": ("utf-16", "utf-8"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENCODINGS)
def test_an_encoding_is_the_one_that_is_declared_or_marked(name: str) -> None:
    """Every letter arrives, in every encoding XML may have."""
    declared, written = ENCODINGS[name]
    data = TWO.decode().replace('encoding="UTF-8"', f'encoding="{declared}"').encode(written)
    assert told(read_bytes(data)) == told(read_bytes(TWO))
    assert read_bytes(data).panels[0].results[1].test == "CRP é µ"


def test_a_comment_a_blank_or_an_instruction_may_come_first() -> None:
    """What may stand before the first element, and blanks that may not."""
    bare = TWO.partition(b"?>")[2]
    for head in (
        b"",
        b"<!-- <Patient/> -->",
        b'<?xml version="1.0"?><?xml-stylesheet href="a.xsl"?><!-- a -->',
        b"\r\n  <?xml version='1.0'?>",
    ):
        assert told(read_bytes(head + bare)) == told(read_bytes(TWO))


OTHERS = {
    "CDA": (
        b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><id/></ClinicalDocument>',
        "CDA document.*FHIR, HL7 v2 or a table",
    ),
    "HL7 v2 as XML": (b'<ORU_R01 xmlns="urn:hl7-org:v2xml"/>', "HL7 v2 written as XML.*with bars"),
    "a workbook": (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', "save it as .xlsx"),
    "a web page": (b'<?xml version="1.0"?>\n<!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"/>', "web page"),
    "XHTML": (b'<?xml version="1.0"?><a:html xmlns:a="http://www.w3.org/1999/xhtml"/>', "web page"),
    "HTML": (b"<html><body>XQZCANARY</body></html>", "web page"),
    "no namespace": (b"<Bundle><entry/></Bundle>", "has no namespace; that of FHIR is http://hl7.org/fhir"),
    "another namespace": (b'<Bundle xmlns="http://example.org/fhir"/>', "XML, which is not read unless it is FHIR"),
    "another prefix": (b'<f:Bundle xmlns="http://hl7.org/fhir" xmlns:f="urn:x"/>', "XML, which is not read unless it is FHIR"),
    "anything": (b"<labs><result/></labs>", "XML, which is not read unless it is FHIR"),
    "no element": (b"<?xml version='1.0'?><!-- XQZCANARY -->", "first element cannot be read"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_xml_is_refused_by_name(name: str) -> None:
    """What it is, and the next step; with `--from fhir`, too."""
    data, said = OTHERS[name]
    with pytest.raises(InputError, match=f"^labs.xml: .*{said}"):
        read_bytes(data, name="labs.xml")
    with pytest.raises(InputError, match=r"^labs.xml: ") as raised:
        read_bytes(data, format="fhir", name="labs.xml")
    assert "XQZCANARY" not in str(raised.value)


# --- broken and hostile ------------------------------------------------------------------------------------------------------


def test_a_file_that_breaks_off_gives_what_stands_before() -> None:
    """Cut anywhere: whole entries are read, a note says that the file is truncated, and nothing is made up."""
    data = as_xml(json.dumps(bundle(WOMAN, *(observation(id=f"o{n}", valueQuantity=quantity(n + 10, "µg/L")) for n in range(20)))))
    whole = values(read_bytes(data))
    found = []
    for at in range(len(data) // 5, len(data) - 12, 97):
        source = read_bytes(data[:at])
        found = values(source)
        assert found == whole[: len(found)]
        assert any("truncated or damaged: its XML ends at line" in note for note in source.notes)
    assert len(found) >= 19
    packed = read_bytes(gzip.compress(data)[:-40])
    assert values(packed) == whole[: len(values(packed))]
    assert any("truncated" in note for note in packed.notes)


def test_a_bundle_within_a_bundle_that_breaks_off_gives_its_whole_entries() -> None:
    """As in JSON: entries of the inner bundle, at their places."""
    inner = bundle(observation(), observation("CRP"))
    data = as_xml(json.dumps(bundle(WOMAN, observation("B12"), inner)))
    source = read_bytes(data[: data.rindex(b"<code>")])
    assert [result.source for panel in source.panels for result in panel.results] == [
        "entry[1].resource",
        "entry[2].resource.entry[0].resource",
    ]


def test_damage_in_the_midst_ends_the_reading() -> None:
    """A tag that closes another, a NUL, a control character: what stands before is read, and it is said."""
    for damage in (b"</entry>", b"\0", b"\x01", b"<", b"&"):
        at = TWO.rindex(b"<valueQuantity>")
        source = read_bytes(TWO[:at] + damage + TWO[at:])
        assert values(source) == [12]
        assert any("truncated or damaged" in note for note in source.notes)


def test_what_follows_the_end_is_said() -> None:
    """Two documents in one file are no XML: the second one is not passed over in silence."""
    source = read_bytes(TWO + TWO.partition(b"?>")[2])
    assert values(source) == [12, 8]
    assert any("goes on after the end of its XML" in note for note in source.notes)
    assert read_bytes(TWO + b"\n\n<!-- end -->\n").notes == read_bytes(TWO).notes


def test_one_resource_that_breaks_off_is_refused() -> None:
    """Half an Observation is none; where it breaks is told, and none of its text."""
    for data in (GLUCOSE.encode()[:900], b'<Bundle xmlns="http://hl7.org/fhir"><entry><resource><Observation>', b"<Bundle"):
        with pytest.raises(InputError, match=r"line [0-9]+, column [0-9]+: ") as raised:
            read_bytes(data, format="fhir")
        assert "Heuvel" not in str(raised.value)


def test_parts_of_another_namespace_are_counted() -> None:
    """They are not FHIR, whatever their names are; and they are not passed over in silence."""
    inner = '<x:valueQuantity xmlns:x="urn:x"><value value="5"/></x:valueQuantity><valueQuantity><value value="12"/></valueQuantity><status xmlns="">a</status>'
    source = read_bytes(f'<Observation xmlns="{FHIR}">{inner}</Observation>'.encode())
    assert values(source) == [12]
    assert "Parts of the XML that are not of FHIR's namespace and were passed over: 2." in source.notes


ENTITIES = '<!DOCTYPE x [<!ENTITY a "XQZCANARY"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
NO_FHIR = {
    "entities": (f'<?xml version="1.0"?>{ENTITIES}<Patient xmlns="{FHIR}"><id value="&b;"/></Patient>', "declares a document type or entities"),
    "a file": (f'<!DOCTYPE x SYSTEM "file:///etc/passwd"><Patient xmlns="{FHIR}"/>', "declares a document type or entities"),
    "an outside entity": (f'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Patient xmlns="{FHIR}"><id value="a"/>&a;</Patient>', "declares a document"),
    "entities within": (f'<Patient xmlns="{FHIR}">{ENTITIES}</Patient>', "declares a document type or entities"),
    "an entity of HTML": (f'<Patient xmlns="{FHIR}"><id value="a&nbsp;b"/></Patient>', "an entity that XML does not define, in line 1"),
    "deep": (f'<Patient xmlns="{FHIR}">{"<extension>" * 100_000}', "nested too deeply"),
    "deep narrative": (f'<Patient xmlns="{FHIR}"><text><div xmlns="http://www.w3.org/1999/xhtml">{"<p>" * 100_000}', "nested too deeply"),
    "deep elsewhere": (f'<Patient xmlns="{FHIR}"><a xmlns="urn:x">{"<p>" * 100_000}', "nested too deeply"),
    "a long namespace first": (f'<Patient xmlns="{FHIR}" xmlns:a="urn:{"a" * 10_000_000}">{"<a:b/>" * 1000}</Patient>', "namespace of more than 1,000|first element cannot be read"),
    "a long namespace": (f'<Patient xmlns="{FHIR}"><x xmlns:a="urn:{"a" * 1_000_000}"/></Patient>', "namespace of more than 1,000"),
    "texts": (f'<Observation xmlns="{FHIR}"><status>XQZCANARY</status></Observation>', "is none: a text stands between the elements.*line 1"),
    "a resource in an entry": (f'<Bundle xmlns="{FHIR}"><entry><Observation/></entry></Bundle>', "is none: a resource stands where FHIR has none"),
    "a resource in a resource": (f'<Bundle xmlns="{FHIR}">\n<Observation/></Bundle>', "is none: a resource stands.*line 2"),
    "two resources": (f'<Bundle xmlns="{FHIR}"><entry><resource><Observation/><Patient/></resource></entry></Bundle>', "two resources stand"),
    "no resource": (f'<entry xmlns="{FHIR}"><resource><Patient/></resource></entry>', "the first element is no resource"),
    "another encoding": (f'<?xml version="1.0" encoding="UTF-8"?><Patient xmlns="{FHIR}"><id value="\udce9"/></Patient>', "not UTF-8 text"),
    "an unknown encoding": (f'<?xml version="1.0" encoding="XQZCANARY"?><Patient xmlns="{FHIR}"/>', "encoding that is not known"),
    "an encoding that is none": (f'<?xml version="1.0" encoding="unicode_escape"?><Patient xmlns="{FHIR}"/>', "encoding that is not known"),
    "an encoding that hides": ('<?xml version="1.0" encoding="utf-7"?>+ADw-!DOCTYPE x+AD4-<Patient/>', "encoding that is not known|first element cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("form", [None, "fhir"])
@pytest.mark.parametrize("name", NO_FHIR)
def test_harmful_xml_and_xml_that_is_no_fhir_is_refused(name: str, form: str | None) -> None:
    """In one sentence, without a text of the file."""
    text, said = NO_FHIR[name]
    with pytest.raises(InputError, match=said) as raised:
        read_bytes(text.encode("utf-8", "surrogateescape"), format=form)
    assert "XQZCANARY" not in str(raised.value)
    assert len(str(raised.value)) < 200


def test_another_encoding_can_be_said() -> None:
    """What declares the wrong encoding, or none, is read as it is told."""
    wrong = TWO.decode().encode("cp1252")
    with pytest.raises(InputError, match="not UTF-8 text, as it declares or as XML is by default; save it as UTF-8, or give --encoding"):
        read_bytes(wrong)
    assert told(read_bytes(wrong, encoding="cp1252")) == told(read_bytes(TWO))


def test_an_entity_is_found_in_utf_16() -> None:
    """Where the bytes do not show it."""
    for encoding in ("utf-16", "utf-16-be", "utf-32"):
        with pytest.raises(InputError, match="declares a document type"):
            read_bytes(NO_FHIR["entities"][0].encode(encoding))


def test_long_and_many() -> None:
    """Ten megabytes in one attribute, a million elements, a hundred thousand attributes: an answer for each result."""
    long = one(f'<code><text value="Ferritin"/></code><valueString value="{"9" * 10_000_000}"/>').value
    assert isinstance(long, str)
    assert len(long) == 10_000_000
    assert one(f'{"<note/>" * 200_000}{"<news/>" * 200_000}<valueQuantity><value value="12"/></valueQuantity>').value == 12
    many = " ".join(f'a{n}="1"' for n in range(100_000))
    assert one(f'<valueQuantity {many}><value value="12"/></valueQuantity>').value == 12


def test_a_tag_without_an_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser would look at it from its start again and again."""
    monkeypatch.setattr("labinterp._formats.xml_elements.LONGEST", 2 << 20)
    with pytest.raises(InputError, match="longer than 2 MB"):
        read_bytes(f'<Patient xmlns="{FHIR}"><id value="{"9" * 5_000_000}'.encode())
    with pytest.raises(InputError, match="longer than 2 MB"):
        read_bytes(f'<Patient xmlns="{FHIR}"><!-- {"<" * 5_000_000}'.encode())
    assert read_bytes(f'<Patient xmlns="{FHIR}">{"<note/>" * 400_000}</Patient>'.encode()).panels == []


def test_too_many_elements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small packed file may hold millions of empty elements, each of which takes more memory than its letters."""
    monkeypatch.setattr("labinterp._formats.xml_elements.MOST", 1000)
    with pytest.raises(InputError, match="more than 1,000 elements; split it"):
        read_bytes(gzip.compress(f'<Bundle xmlns="{FHIR}">{"<entry/>" * 2000}</Bundle>'.encode()))


def test_any_damage_ends_in_an_answer_or_a_reason() -> None:
    """Two thousand damaged files, always the same: never another error, and never a value that does not stand there."""
    chance = random.Random(20260101)
    words = [
        b"<",
        b">",
        b"/>",
        b"&",
        b"\0",
        b"\xff",
        b'"',
        b"<!--",
        b"]]>",
        b"<![CDATA[",
        b"<?xml ?>",
        b"<entry>",
        b"</entry>",
        b' xmlns="x"',
        b"<resource>",
    ]
    seen = set()
    for _ in range(2000):
        data = bytearray(TWO if chance.random() < 0.5 else GLUCOSE.encode())
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            data[at : at + chance.choice([0, 0, 1, 20])] = chance.choice([*words, bytes([chance.randrange(256)])])
        try:
            source = read_bytes(bytes(data), format="fhir")
        except InputError as error:
            seen.add(str(error)[:20])
            continue
        for panel in source.panels:
            report = li.interpret(panel.results, panel.patient, rows=panel.rows)
            assert len(report.findings) + len(report.not_assessed) == len(panel.results)
    assert len(seen) > 3
