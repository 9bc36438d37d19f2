"""The same blood in every form a laboratory may send it: the answers are the same, and each says where its result stood."""

from __future__ import annotations

import io
import json
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.as_xml import as_xml

from labinterp import Catalog, interpret
from labinterp.readers import Source, read_files

BORN, DRAWN = "1953-03-04", "2024-05-06"
Row = tuple[str, str, str, str, str, str, str]
Blood = Sequence[Row]
# name, LOINC, value, unit, low, high, flag of the laboratory
BLOOD: list[Row] = [
    ("25-OH vitamin D", "62292-8", "18", "ng/mL", "20", "50", "L"),
    ("Vitamin B12", "2132-9", "210", "pg/mL", "197", "771", "N"),
    ("Ferritin", "2276-4", "12.5", "ng/mL", "15", "150", "L"),
    ("Magnesium", "19123-9", "1.6", "mg/dL", "1.7", "2.4", "L"),
    ("Calcium", "17861-6", "9.4", "mg/dL", "8.6", "10.2", "N"),
    ("Creatinine", "2160-0", "0.9", "mg/dL", "0.5", "1.1", "N"),
    ("C-reactive protein", "1988-5", "<0.6", "mg/L", "", "5", "N"),
    ("Sodium", "2951-2", "140", "mmol/L", "136", "145", "N"),
]


def expected(blood: Blood = BLOOD, sex: str = "female") -> list[tuple[Any, ...]]:
    """The answers as they are without any file."""
    from labinterp import LabResult, Patient

    results = [
        LabResult(name, value, unit, loinc=code, ref_low=low or None, ref_high=high or None, flag=flag)
        for name, code, value, unit, low, high, flag in blood
    ]
    from datetime import date

    person = Patient(sex=sex, birth_date=date.fromisoformat(BORN), at=date.fromisoformat(DRAWN))
    return shown(interpret(results, person))


def shown(report: Any) -> list[tuple[Any, ...]]:
    """What must not depend on the form."""
    found = [
        (f.analyte, f.code, f.band, f.limits, f.quantity.comparator, float(f.value), f.unit, f.reported and f.reported.code)
        for f in report.findings
    ]
    return [*sorted(found), *sorted(((n.analyte, n.reason) for n in report.not_assessed), key=str)]


def parted(value: str) -> tuple[str, str]:
    """The sign before a number, and the number."""
    found = re.fullmatch(r"([<>]=?|)(.*)", value)
    assert found
    return found[1], found[2]


OPERATORS = {"": "", "<": "4171756", "<=": "4171754", ">": "4172704", ">=": "4171755"}  # concepts of OMOP
GENDERS = {"female": "8532", "male": "8507", "unknown": "0"}


# --- the forms ------------------------------------------------------------------------------------------------


def long_table(folder: Path, mark: str = ",", blood: Blood = BLOOD, sex: str = "female") -> list[Path]:
    lines = ["patient_id,sex,birth date,date,test,loinc,value,unit,ref low,ref high,flag".replace(",", mark)]
    lines += [
        mark.join(("p1", sex[0].upper(), BORN, DRAWN, f'"{name}"' if mark in name else name, code, value, unit, low, high, flag))
        for name, code, value, unit, low, high, flag in blood
    ]
    path = folder / ("labs.csv" if mark == "," else "labs.tsv")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return [path]


def workbook(folder: Path) -> list[Path]:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    path = folder / "labs.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Labor")
        lines = long_table(folder)[0].read_text("utf-8").splitlines()
        for row, line in enumerate(lines):
            for column, cell in enumerate(line.split(",")):
                number = row and column in (6, 8, 9) and cell and cell[0] != "<"
                (sheet.write_number if number else sheet.write_string)(row, column, float(cell) if number else cell)
    return [path]


def parquet(folder: Path) -> list[Path]:
    pl = pytest.importorskip("polars")
    path = folder / "labs.parquet"
    pl.read_csv(long_table(folder)[0], infer_schema=False).write_parquet(path)
    return [path]


def packed(folder: Path) -> list[Path]:
    import gzip

    path = folder / "labs.csv.gz"
    path.write_bytes(gzip.compress(long_table(folder)[0].read_bytes()))
    return [path]


def own_json(folder: Path, blood: Blood = BLOOD, sex: str = "female") -> list[Path]:
    results = [
        {
            "test": name,
            "loinc": code,
            "value": value,
            "unit": unit,
            "ref_low": low or None,
            "ref_high": high or None,
            "flag": flag,
            "collected_at": DRAWN,
        }
        for name, code, value, unit, low, high, flag in blood
    ]
    path = folder / "labs.json"
    path.write_text(json.dumps({"patient": {"id": "p1", "sex": sex, "birth_date": BORN}, "results": results}), "utf-8")
    return [path]


def json_lines(folder: Path) -> list[Path]:
    rows = [
        {
            "patient_id": "p1",
            "sex": "F",
            "birth date": BORN,
            "date": DRAWN,
            "test": name,
            "loinc": code,
            "value": value,
            "unit": unit,
            "ref low": low,
            "ref high": high,
            "flag": flag,
        }
        for name, code, value, unit, low, high, flag in BLOOD
    ]
    path = folder / "labs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return [path]


def bundle(blood: Blood = BLOOD, sex: str = "female") -> list[dict[str, Any]]:
    """The resources, as FHIR R4."""
    resources: list[dict[str, Any]] = [{"resourceType": "Patient", "id": "p1", "gender": sex, "birthDate": BORN}]
    for number, (name, code, value, unit, low, high, flag) in enumerate(blood):
        sign, number_ = parted(value)
        quantity: dict[str, Any] = {"value": float(number_), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
        if sign:
            quantity["comparator"] = sign
        ends = {side: {"value": float(end), "unit": unit} for side, end in (("low", low), ("high", high)) if end}
        resources.append(
            {
                "resourceType": "Observation", "id": f"o{number}", "status": "final", "subject": {"reference": "Patient/p1"},
                "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": name}], "text": name},
                "effectiveDateTime": DRAWN, "valueQuantity": quantity, "referenceRange": [ends],
                "interpretation": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": flag}]}],
            }
        )  # fmt: skip
    return resources


def fhir(folder: Path, blood: Blood = BLOOD, sex: str = "female") -> list[Path]:
    path = folder / "bundle.json"
    entries = [{"fullUrl": f"{one['resourceType']}/{one['id']}", "resource": one} for one in bundle(blood, sex)]
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}), "utf-8")
    return [path]


def fhir_xml(folder: Path, blood: Blood = BLOOD, sex: str = "female") -> list[Path]:
    (path,) = fhir(folder, blood, sex)
    made = folder / "bundle.xml"
    made.write_bytes(as_xml(path.read_bytes()))
    path.unlink()
    return [made]


def bulk(folder: Path) -> list[Path]:
    people, results = folder / "Patient.ndjson", folder / "Observation.ndjson"
    resources = bundle()
    people.write_text(json.dumps(resources[0]) + "\n", "utf-8")
    results.write_text("".join(json.dumps(one) + "\n" for one in resources[1:]), "utf-8")
    return [results, people]  # the order of the files does not matter


def hl7v2(folder: Path, blood: Blood = BLOOD, sex: str = "female") -> list[Path]:
    pytest.importorskip("hl7")
    segments = [
        f"MSH|^~\\&|LAB|H|APP|H|{DRAWN.replace('-', '')}0900||ORU^R01|1|P|2.5.1|||||||UNICODE UTF-8",
        f"PID|1||p1||Doe^Jane||{BORN.replace('-', '')}|{sex[0].upper()}",
        f"OBR|1||A1|PANEL|||{DRAWN.replace('-', '')}0830",
    ]
    for number, (name, code, value, unit, low, high, flag) in enumerate(blood, 1):
        sign, number_ = parted(value)
        kind, text = ("SN", f"{sign}^{number_}") if sign else ("NM", value)
        printed = f"{low}-{high}" if low and high else f">={low}" if low else f"<={high}" if high else ""
        segments.append(f"OBX|{number}|{kind}|{code}^{name}^LN||{text}|{unit}|{printed}|{flag}|||F")
    path = folder / "labs.hl7"
    path.write_bytes("\r".join(segments).encode() + b"\r")
    return [path]


def omop(folder: Path, blood: Blood = BLOOD, sex: str = "female") -> list[Path]:
    person, measurement = folder / "PERSON.csv", folder / "MEASUREMENT.csv"
    year, month, day = BORN.split("-")
    person.write_text(
        f"person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth\n1,{GENDERS[sex]},{year},{int(month)},{int(day)}\n", "utf-8"
    )
    lines = [
        (
            "measurement_id,person_id,measurement_concept_id,measurement_date,operator_concept_id,value_as_number,unit_concept_id,range_low,range_high,"
            "measurement_source_value,unit_source_value,value_source_value"
        )
    ]
    for number, (_name, code, value, unit, low, high, _flag) in enumerate(blood, 1):
        sign, number_ = parted(value)
        lines.append(f"{number},1,0,{DRAWN},{OPERATORS[sign]},{number_},0,{low},{high},{code},{unit},{value}")
    measurement.write_text("\n".join(lines) + "\n", "utf-8")
    return [measurement, person]


def wide(folder: Path) -> list[Path]:
    header = ["id", "sex", "birth date", "date", *(f"{name} ({unit})" for name, _, _, unit, *_ in BLOOD)]
    path = folder / "wide.csv"
    path.write_text(",".join(header) + "\n" + ",".join(["p1", "F", BORN, DRAWN, *(value for _, _, value, *_ in BLOOD)]) + "\n", "utf-8")
    return [path]


FORMS: dict[str, Callable[[Path], list[Path]]] = {
    "csv": long_table,
    "tsv": lambda folder: long_table(folder, "\t"),
    "gzip": packed,
    "workbook": workbook,
    "parquet": parquet,
    "json": own_json,
    "json lines": json_lines,
    "fhir": fhir,
    "fhir xml": fhir_xml,
    "fhir bulk": bulk,
    "hl7 v2": hl7v2,
    "omop": omop,
}


def read(form: str, folder: Path) -> Source:
    return read_files(FORMS[form](folder))


@pytest.mark.parametrize("form", FORMS)
def test_the_same_blood_has_the_same_answers(form: str, tmp_path: Path) -> None:
    """Every form gives what the results give without a file."""
    panels = read(form, tmp_path).panels
    assert len(panels) == 1
    report = interpret(panels[0].results, panels[0].patient, rows=panels[0].rows)
    assert shown(report) == expected()
    assert report.patient.sex == "female"
    assert report.patient.age_years in (71, None)


@pytest.mark.parametrize("form", FORMS)
def test_each_result_says_where_it_stood(form: str, tmp_path: Path) -> None:
    """The place names the file and something within it, and no two results stand at one place."""
    panels = read(form, tmp_path).panels
    places = [result.source for panel in panels for result in panel.results]
    assert all(isinstance(place, str) and "," in place for place in places)
    assert len(set(places)) == len(BLOOD)


def test_a_wide_table_has_the_same_answers_but_for_what_it_cannot_say(tmp_path: Path) -> None:
    """A wide table has no ranges and no flags; the rest is the same. A column of a test we do not know is named, not lost."""
    source = read_files(wide(tmp_path))
    report = interpret(source.panels[0].results, source.panels[0].patient)
    bare = {(f[0], *f[4:7]) for f in expected() if len(f) > 2}
    assert {(f.analyte, f.quantity.comparator, float(f.value), f.unit) for f in report.findings} >= bare - {
        ("creatinine", "", 0.9, "mg/dL")
    }
    named = {one.source_name for one in report.not_assessed} | set(source.notes)
    assert any("Sodium" in text for text in named)


def test_the_json_of_every_form_can_be_read_again(tmp_path: Path) -> None:
    """What `--to json` writes of a file is JSON of the published form, with the place of each result."""
    panels = read("fhir", tmp_path).panels
    document = json.loads(interpret(panels[0].results, panels[0].patient).to_json())
    assert all("bundle.json" in finding["source"] for finding in document["findings"])
    assert io.StringIO(json.dumps(document)).read()


# --- any blood --------------------------------------------------------------------------------------------------

PLAIN: dict[str, Callable[..., list[Path]]] = {
    "csv": lambda folder, blood, sex: long_table(folder, ",", blood, sex),
    "json": own_json,
    "hl7 v2": hl7v2,
    "fhir": fhir,
    "omop": omop,
}
KNOWN = [(one.name, one.loinc[0], one.units) for one in Catalog.default().analytes.values() if one.loinc]
OTHERS = [("Sodium", "2951-2", ("mmol/L",)), ("Chloride", "2075-0", ("mmol/L",)), ("Zinc", "5763-8", ("ug/dL",))]
NUMBER = st.one_of(
    st.integers(0, 400).map(str), st.integers(1, 9999).map(lambda n: f"{n / 100:.2f}"), st.sampled_from(["0.4", "15", "30.5"])
)


@st.composite
def results(draw: st.DrawFn) -> Row:
    """One result as a laboratory may print it: a sign, a unit of the analyte or another, one end of a range or two, a flag or none."""
    name, code, units = draw(st.sampled_from(KNOWN) if draw(st.integers(0, 4)) else st.sampled_from(OTHERS))
    low, high = draw(NUMBER), draw(NUMBER)
    ends = draw(st.sampled_from([("", ""), (low, high) if float(low) < float(high) else (high, low), (low, ""), ("", high), ("0", "0")]))
    sign = draw(st.sampled_from(["", "", "", "<", "<=", ">", ">="]))
    unit = draw(st.sampled_from([*units, "mg/dL", "mmol/L", "qq"]))
    return name, code, f"{sign}{draw(NUMBER)}", unit, *ends, draw(st.sampled_from(["", "H", "L", "N", "HH", "A"]))


@settings(max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(results(), min_size=1, max_size=6, unique_by=lambda row: row[0]), st.sampled_from(["female", "male", "unknown"]))
def test_any_blood_has_the_same_answers_in_every_form(blood: list[Row], sex: str) -> None:
    """Values, units, signs, ranges, flags and other tests by chance: CSV, JSON, HL7 v2, FHIR and OMOP give what the results give alone."""
    alone = expected(blood, sex)
    assert len(alone) == len(blood)
    for form, make in PLAIN.items():
        with tempfile.TemporaryDirectory() as folder:
            (panel,) = read_files(make(Path(folder), blood=blood, sex=sex)).panels
        assert shown(interpret(panel.results, panel.patient, rows=panel.rows)) == alone, form
