"""The same blood in every form a laboratory may send it: the answers are the same, and each says where its result stood."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labinterp import interpret
from labinterp.readers import Source, read_files

BORN, DRAWN = "1953-03-04", "2024-05-06"
# name, LOINC, value, unit, low, high, flag of the laboratory
BLOOD = [
    ("25-OH vitamin D", "62292-8", "18", "ng/mL", "20", "50", "L"),
    ("Vitamin B12", "2132-9", "210", "pg/mL", "197", "771", "N"),
    ("Ferritin", "2276-4", "12.5", "ng/mL", "15", "150", "L"),
    ("Magnesium", "19123-9", "1.6", "mg/dL", "1.7", "2.4", "L"),
    ("Calcium", "17861-6", "9.4", "mg/dL", "8.6", "10.2", "N"),
    ("Creatinine", "2160-0", "0.9", "mg/dL", "0.5", "1.1", "N"),
    ("C-reactive protein", "1988-5", "<0.6", "mg/L", "", "5", "N"),
    ("Sodium", "2951-2", "140", "mmol/L", "136", "145", "N"),
]


def expected() -> list[tuple[Any, ...]]:
    """The answers as they are without any file."""
    from labinterp import LabResult, Patient

    results = [
        LabResult(name, value, unit, loinc=code, ref_low=low or None, ref_high=high or None, flag=flag)
        for name, code, value, unit, low, high, flag in BLOOD
    ]
    from datetime import date

    person = Patient(sex="female", birth_date=date.fromisoformat(BORN), at=date.fromisoformat(DRAWN))
    return shown(interpret(results, person))


def shown(report: Any) -> list[tuple[Any, ...]]:
    """What must not depend on the form."""
    found = [
        (f.analyte, f.code, f.band, f.limits, f.quantity.comparator, float(f.value), f.unit, f.reported and f.reported.code)
        for f in report.findings
    ]
    return [*sorted(found), *sorted((n.analyte, n.reason) for n in report.not_assessed)]


# --- the forms ------------------------------------------------------------------------------------------------


def long_table(folder: Path, mark: str = ",") -> list[Path]:
    lines = ["patient_id,sex,birth date,date,test,loinc,value,unit,ref low,ref high,flag".replace(",", mark)]
    lines += [
        mark.join(("p1", "F", BORN, DRAWN, name, code, value, unit, low, high, flag)) for name, code, value, unit, low, high, flag in BLOOD
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


def own_json(folder: Path) -> list[Path]:
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
        for name, code, value, unit, low, high, flag in BLOOD
    ]
    path = folder / "labs.json"
    path.write_text(json.dumps({"patient": {"id": "p1", "sex": "female", "birth_date": BORN}, "results": results}), "utf-8")
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


def bundle() -> list[dict[str, Any]]:
    """The resources, as FHIR R4."""
    resources: list[dict[str, Any]] = [{"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": BORN}]
    for number, (name, code, value, unit, low, high, flag) in enumerate(BLOOD):
        quantity: dict[str, Any] = {"value": float(value.lstrip("<")), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
        if value[0] == "<":
            quantity["comparator"] = "<"
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


def fhir(folder: Path) -> list[Path]:
    path = folder / "bundle.json"
    entries = [{"fullUrl": f"{one['resourceType']}/{one['id']}", "resource": one} for one in bundle()]
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}), "utf-8")
    return [path]


def bulk(folder: Path) -> list[Path]:
    people, results = folder / "Patient.ndjson", folder / "Observation.ndjson"
    resources = bundle()
    people.write_text(json.dumps(resources[0]) + "\n", "utf-8")
    results.write_text("".join(json.dumps(one) + "\n" for one in resources[1:]), "utf-8")
    return [results, people]  # the order of the files does not matter


def hl7v2(folder: Path) -> list[Path]:
    pytest.importorskip("hl7")
    segments = [
        f"MSH|^~\\&|LAB|H|APP|H|{DRAWN.replace('-', '')}0900||ORU^R01|1|P|2.5.1|||||||UNICODE UTF-8",
        f"PID|1||p1||Doe^Jane||{BORN.replace('-', '')}|F",
        f"OBR|1||A1|PANEL|||{DRAWN.replace('-', '')}0830",
    ]
    for number, (name, code, value, unit, low, high, flag) in enumerate(BLOOD, 1):
        kind, text = ("SN", f"<^{value[1:]}") if value[0] == "<" else ("NM", value)
        printed = f"{low}-{high}" if low else f"<={high}"
        segments.append(f"OBX|{number}|{kind}|{code}^{name}^LN||{text}|{unit}|{printed}|{flag}|||F")
    path = folder / "labs.hl7"
    path.write_bytes("\r".join(segments).encode() + b"\r")
    return [path]


def omop(folder: Path) -> list[Path]:
    person, measurement = folder / "PERSON.csv", folder / "MEASUREMENT.csv"
    year, month, day = BORN.split("-")
    person.write_text(
        f"person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth\n1,8532,{year},{int(month)},{int(day)}\n", "utf-8"
    )
    lines = [
        (
            "measurement_id,person_id,measurement_concept_id,measurement_date,operator_concept_id,value_as_number,unit_concept_id,range_low,range_high,"
            "measurement_source_value,unit_source_value,value_source_value"
        )
    ]
    for number, (_name, code, value, unit, low, high, _flag) in enumerate(BLOOD, 1):
        operator = "4171756" if value[0] == "<" else ""
        lines.append(f"{number},1,0,{DRAWN},{operator},{value.lstrip('<')},0,{low},{high},{code},{unit},{value}")
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
