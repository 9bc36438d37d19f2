"""OMOP CDM: measurements and people from files, DuckDB and PostgreSQL; what concepts and the source's own words say; and the way back."""

from __future__ import annotations

import csv
import gzip
import io
import os
import random
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import engines
from tests.test_real_data import SHARED, needs_shared, rows_of

from labinterp import Catalog, Finding, LabResult, NotAssessed, Patient, Report, interpret, omop, readers
from labinterp._flagged import flagged
from labinterp._formats import omop_in
from labinterp._formats.forms_out import written
from labinterp._formats.omop_concepts import Concepts, Meant, shipped
from labinterp._formats.omop_in import by_persons
from labinterp._formats.omop_persons import Person, patient_on, people_of
from labinterp._formats.omop_results import Reader
from labinterp._identify import Identified, identify
from labinterp._intake import Piece
from labinterp._quantity import Unreadable
from labinterp.errors import InputError, LabInterpError, MissingExtraError
from labinterp.readers import PanelIn, Source, answers, read_bytes, read_file, read_files

CANARY = "XQZCANARY"
MEASUREMENT = """measurement_id,person_id,measurement_concept_id,measurement_date,operator_concept_id,value_as_number,value_as_concept_id,unit_concept_id,range_low,range_high,measurement_source_value,measurement_source_concept_id,unit_source_value,value_source_value
11,1,3001122,2024-01-31,0,12.0,0,8842,15,150,2276-4,3001122,ng/mL,12
12,1,3000593,2024-01-31,4171756,150,0,8845,,,B12,0,pg/mL,<150
13,2,3001420,2023-06-30,,1.6,,8840,0,0,,,,
14,2,0,2023-06-30,,55,,0,,,Cadmium,,ug/L,55
"""
PERSON = """person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,birth_datetime,gender_source_value
1,8532,1953,5,2,1953-05-02 00:00:00,F
2,8507,1990,,,1990-01-01 00:00:00,M
"""


def row(**cells: Any) -> LabResult:
    """The result of one row of MEASUREMENT."""
    return Reader(Catalog.default(), Concepts()).result({name: str(cell) for name, cell in cells.items()}, None)


def answer(result: LabResult, patient: Patient | None = None) -> Finding | NotAssessed:
    (found,) = interpret([result], patient or Patient(sex="female", age_years=40, pregnant=False)).rows()
    return found


def reason(result: LabResult) -> str:
    found = answer(result)
    return found.reason if isinstance(found, NotAssessed) else found.code


def panels(*texts: str) -> list[PanelIn]:
    return omop.read([text.encode() for text in texts]).panels


# --- tables ---------------------------------------------------------------------------------------------------


def expected(found: Source) -> None:
    """The four rows above, as anybody reads them."""
    first, second = found.panels
    assert (first.patient.id, first.patient.sex, first.patient.birth_date, first.patient.age_years) == ("1", "female", date(1953, 5, 2), 70)
    assert (second.patient.id, second.patient.sex) == ("2", "male")
    assert second.patient.age is not None
    assert second.patient.age.years == (32, 34)
    assert [(r.value, r.unit, r.loinc, r.comparator) for r in first.results] == [
        ("12", "ng/mL", "2276-4", None), ("<150", "pg/mL", "2132-9", "<"),
    ]  # fmt: skip
    assert [(r.test, r.value, r.unit, r.loinc) for r in second.results] == [
        ("19123-9", Decimal("1.6"), "mg/dL", "19123-9"), ("Cadmium", "55", "ug/L", None),
    ]  # fmt: skip
    assert [r.collected_at for p in found.panels for r in p.results] == [date(2024, 1, 31)] * 2 + [date(2023, 6, 30)] * 2
    assert (first.rows, second.rows) == ([1, 2], [3, 4])
    assert found.format == "omop"


@pytest.mark.parametrize("change", [str.lower, str.upper], ids=["lower", "upper"])
@pytest.mark.parametrize("mark", [",", "\t"])
def test_measurement_and_person_are_read(change: Callable[[str], str], mark: str) -> None:
    """Column names of either case, commas or tabs; the panel is a person and a day."""

    def written(text: str) -> bytes:
        header, _, rest = text.partition("\n")
        return f"{change(header)}\n{rest}".replace(",", mark).encode()

    expected(omop.read([written(MEASUREMENT), written(PERSON)]))


def test_parquet_is_read_with_its_own_types(tmp_path: Path) -> None:
    """Numbers, dates and nulls of Parquet give the same rows; a float of 32 bits is its shortest text."""
    frame = pl.read_csv(io.StringIO(MEASUREMENT), try_parse_dates=True, infer_schema_length=None)
    frame.write_parquet(tmp_path / "measurement.parquet")
    pl.read_csv(io.StringIO(PERSON), try_parse_dates=True).write_parquet(tmp_path / "person.parquet")
    expected(read_files([tmp_path / "measurement.parquet", tmp_path / "person.parquet"]))
    frame.select(
        "person_id", "measurement_concept_id", "unit_concept_id", pl.lit(5.04, dtype=pl.Float32).alias("value_as_number")
    ).write_parquet(tmp_path / "narrow.parquet")
    assert read_file(tmp_path / "narrow.parquet").panels[0].results[0].value == Decimal("5.04")


def test_a_folder_is_read_and_says_what_it_passed_over(tmp_path: Path, cli: Callable[..., Any]) -> None:
    """The tables of a folder belong together; others than the known ones are named."""
    (tmp_path / "MEASUREMENT.csv").write_text(MEASUREMENT, "utf-8")
    (tmp_path / "PERSON.csv").write_text(PERSON, "utf-8")
    (tmp_path / "VISIT_OCCURRENCE.csv").write_text("visit_occurrence_id,person_id,visit_type_concept_id\n1,1,0\n", "utf-8")
    found = omop.read(tmp_path)
    expected(found)
    assert found.notes == ("1 other tables were passed over: VISIT_OCCURRENCE.csv.",)
    assert found.panels[0].results[1].source == "MEASUREMENT.csv, row 2"
    done = cli("interpret", str(tmp_path), "--to", "json")
    assert done.code == 0
    assert "4 rows: " in done.err
    assert "VISIT_OCCURRENCE.csv" in done.err


def test_a_measurement_alone_says_that_people_are_unknown() -> None:
    """Without PERSON nothing is assumed of anybody, and a note says so; PERSON alone is no table of results."""
    found = omop.read(MEASUREMENT.encode())
    assert {panel.patient.sex for panel in found.panels} == {None}
    assert "no PERSON table" in found.notes[0]
    with pytest.raises(InputError, match="no table of measurements"):
        read_bytes(PERSON.encode())


def test_a_concept_table_tells_what_ids_mean() -> None:
    """Concepts that come with the data are asked first, from Athena's file with tabs and loose quotes, too."""
    concept = 'concept_id\tconcept_name\tdomain_id\tvocabulary_id\tconcept_class_id\tstandard_concept\tconcept_code\n9000001\tMagnesium 5" [Moles/volume] in Serum or Plasma\tMeasurement\tLOINC\tLab Test\tS\t2601-3\n9000002\tmillimole per liter\tUnit\tUCUM\tUnit\tS\tmmol/L\n'
    measurement = "person_id,measurement_concept_id,measurement_date,value_as_number,unit_concept_id\n1,9000001,2024-01-31,0.65,9000002\n"
    (panel,) = panels(measurement, PERSON, concept)
    assert panel.results[0][2:4] == ("mmol/L", "2601-3")
    found = answer(panel.results[0])
    assert isinstance(found, Finding)
    assert (found.analyte, found.code) == ("magnesium", "L")
    assert reason(panels(measurement, PERSON)[0].results[0]) == "unknown_analyte"


def test_a_source_concept_is_followed_to_the_standard_one() -> None:
    """CONCEPT_RELATIONSHIP: a hospital's own concept that maps to ferritin is ferritin; one that maps to two is not known."""
    relation = "concept_id_1,concept_id_2,relationship_id,invalid_reason\n2000000001,3001122,Maps to,\n2000000002,3001122,Maps to,\n2000000002,3001420,Maps to,\n"
    header = "person_id,measurement_concept_id,measurement_source_concept_id,measurement_source_value,value_as_number,unit_concept_id\n"
    one = panels(f"{header}1,0,2000000001,77,12,8842\n1,0,2000000002,77,12,8842\n", relation)[0].results
    assert [result.loinc for result in one] == ["2276-4", None]
    assert reason(one[1]) == "unknown_analyte"


# --- which test -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "analyte"),
    [
        ({"measurement_concept_id": 3001122}, "ferritin"),
        ({"measurement_concept_id": "3001122.0"}, "ferritin"),
        ({"measurement_concept_id": 3001122, "measurement_source_value": "50924"}, "ferritin"),
        ({"measurement_concept_id": 0, "measurement_source_value": "2276-4"}, "ferritin"),
        ({"measurement_concept_id": 0, "measurement_source_value": "Ferritin"}, "ferritin"),
        ({"measurement_concept_id": 0, "measurement_source_value": "Ferritin|Blood|Chemistry"}, "ferritin"),
        ({"measurement_concept_id": 3036987}, "folate"),  # no code was seen for it: known by a laboratory's label
        ({"measurement_concept_id": 3036987, "measurement_source_value": "50925"}, "folate"),
        ({"measurement_concept_id": 46236952, "measurement_source_value": "2276-4"}, "ferritin"),  # the source's own code is known
    ],
)
def test_a_test_is_known_by_concept_code_or_name(cells: dict[str, Any], analyte: str) -> None:
    """Each way the table has to say which test it is."""
    found = answer(row(**cells, value_as_number=60, unit_concept_id=8842))
    assert found.analyte == analyte


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"measurement_concept_id": 3001122, "measurement_source_value": "19123-9"}, "conflicting_code"),  # ferritin, and magnesium's code
        ({"measurement_concept_id": 3001122, "measurement_source_value": "Magnesium"}, "conflicting_code"),
        ({"measurement_concept_id": 3036987, "measurement_source_value": "Vitamin B12"}, "conflicting_code"),
        ({"measurement_concept_id": 3001122, "measurement_source_value": "Ferritin|Urine|Chemistry"}, "wrong_specimen"),
        ({"measurement_concept_id": 0, "measurement_source_value": "Magnesium, Urine|Urine|Chemistry"}, "wrong_specimen"),
        ({"measurement_concept_id": 3016723, "measurement_source_value": "2161-8"}, "conflicting_code"),  # serum's concept, urine's code
        ({"measurement_concept_id": 3001122, "measurement_source_value": "99999-1"}, "conflicting_code"),  # the source's own code is not
        ({"measurement_concept_id": 3016038}, "wrong_specimen"),  # potassium in urine
        ({"measurement_concept_id": 0, "measurement_source_value": ""}, "unknown_analyte"),
        ({"measurement_concept_id": 99}, "unknown_analyte"),
    ],
)
def test_what_is_another_test_or_two_tests_is_refused(cells: dict[str, Any], why: str) -> None:
    """A concept and the source's own words that contradict each other are not used, and urine is not serum."""
    assert reason(row(**cells, value_as_number=60, unit_concept_id=8842)) == why


# --- which unit -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "unit"),
    [
        ({"unit_concept_id": 8842}, "ng/mL"),
        ({"unit_concept_id": 8842, "unit_source_value": "NG/ML"}, "NG/ML"),
        ({"unit_concept_id": 0, "unit_source_value": "ug/L"}, "ug/L"),
        ({"unit_source_value": "ug/L"}, "ug/L"),
        ({"unit_concept_id": 8842, "unit_source_value": "ug/L"}, "ug/L"),  # one size by two names
        ({"unit_concept_id": 8842, "unit_source_value": "units of our own"}, "ng/mL"),
        ({"unit_concept_id": 777, "unit_source_value": "ug/L"}, "ug/L"),
    ],
)
def test_a_unit_is_known_by_concept_or_text(cells: dict[str, Any], unit: str) -> None:
    """The laboratory's own text where it is known and does not contradict the concept."""
    result = row(measurement_concept_id=3001122, value_as_number=12, **cells)
    assert result.unit == unit
    assert reason(result) == "L"


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"unit_concept_id": 8842, "unit_source_value": "ug/dL"}, "conflicting_code"),
        ({"unit_concept_id": 8840, "unit_source_value": "ng/mL"}, "conflicting_code"),
        ({"unit_concept_id": 777}, "unknown_unit"),
        ({"unit_concept_id": 0, "unit_source_value": ""}, "missing_unit"),
        ({"unit_concept_id": 4124462, "unit_source_value": ""}, "missing_unit"),  # the concept for "no unit"
        ({"unit_concept_id": 8753}, "conflicting_code"),  # a mass by its code, mmol/L by its unit
    ],
)
def test_a_unit_that_is_not_known_or_contradicted_is_not_used(cells: dict[str, Any], why: str) -> None:
    """No unit is guessed."""
    assert reason(row(measurement_concept_id=3001122, value_as_number=12, **cells)) == why


# --- which number ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        ({"value_as_number": "12.50", "value_source_value": ""}, "12.5"),  # a float has no printed zeros
        ({"value_as_number": "12.5", "value_source_value": "12.50"}, "12.50"),
        ({"value_as_number": "12.5", "value_source_value": "12,5"}, "12.5"),
        ({"value_as_number": "1.234", "value_source_value": "1,234"}, "1.234"),  # the stored number tells how it reads
        ({"value_as_number": "1234", "value_source_value": "1,234"}, "1234"),
        ({"value_as_number": "5.039999961853027", "value_source_value": "5.04"}, "5.04"),  # a float of 32 bits
        ({"value_as_number": "", "value_source_value": "12"}, "12"),
        ({"value_as_number": "1.2e1", "value_source_value": ""}, "12"),
        ({"value_as_number": "1.234", "value_source_value": ""}, "1.234"),  # a number of a database is never ambiguous
    ],
)
def test_the_number_as_printed_is_used_where_it_is_the_stored_one(cells: dict[str, Any], shown: str) -> None:
    """Its digits say how exact it is."""
    found = answer(row(measurement_concept_id=3001122, unit_concept_id=8842, **cells))
    assert isinstance(found, Finding)
    assert str(found.value) == shown


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"value_as_number": "12", "value_source_value": "120"}, "conflicting_code"),
        ({"value_as_number": "0", "value_source_value": "hemolyzed"}, "conflicting_code"),
        ({"value_as_number": "12", "value_source_value": "10-12"}, "conflicting_code"),
        ({"value_as_concept_id": 9191}, "unreadable_value"),
        ({"value_as_number": ""}, "unreadable_value"),
        ({"value_as_number": "nan"}, "unreadable_value"),
        ({"value_as_number": "inf"}, "unreadable_value"),
        ({"value_as_number": "", "value_source_value": "pending"}, "unreadable_value"),
        ({"value_as_number": "12", "operator_concept_id": 99}, "unreadable_value"),
        ({"value_as_number": "12", "value_source_value": ">12", "operator_concept_id": 4171756}, "unreadable_value"),
    ],
)
def test_two_numbers_or_none_are_refused(cells: dict[str, Any], why: str) -> None:
    """A stored number that is not the printed one is not used, and neither is the printed one."""
    assert reason(row(measurement_concept_id=3001122, unit_concept_id=8842, **cells)) == why


@pytest.mark.parametrize(
    ("concept", "sign"),
    [(4171756, "<"), (4171754, "<="), (4172703, ""), (4172704, ">"), (4171755, ">="), (0, ""), ("", "")],
)
def test_the_comparator_is_a_concept(concept: Any, sign: str) -> None:
    """The five signs of the vocabulary; equality and nothing are none."""
    found = answer(row(measurement_concept_id=3001122, unit_concept_id=8842, value_as_number=5000, operator_concept_id=concept))
    quantity = found.quantity
    assert quantity is None or quantity.comparator == sign
    assert row(measurement_concept_id=3001122, operator_concept_id=concept, value_as_number=4).comparator == (sign or None)


def test_the_laboratorys_range_is_kept_and_zero_to_zero_is_none() -> None:
    """`range_low` and `range_high` are the laboratory's own."""
    with_range = answer(row(measurement_concept_id=3001122, unit_concept_id=8842, value_as_number=12, range_low="10.0", range_high=150))
    without = answer(row(measurement_concept_id=3001122, unit_concept_id=8842, value_as_number=12, range_low=0, range_high="0.0"))
    assert isinstance(with_range, Finding)
    assert isinstance(without, Finding)
    assert with_range.reported is not None
    assert (with_range.reported.low, with_range.reported.high, with_range.reported.code) == (Decimal(10), Decimal(150), "N")
    assert without.reported is None or without.reported.low is None


# --- people ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "sex"),
    [
        (("8532", ""), "female"), (("8507", ""), "male"), (("0", "F"), "female"), (("8551", ""), None), (("8521", "other"), None),
        (("", "m"), "male"), (("8507.0", ""), "male"), (("12345", "F"), None), (("0", "9"), None),
    ],
)  # fmt: skip
def test_sex_is_a_concept_or_the_sources_word(cells: tuple[str, str], sex: str | None) -> None:
    """Only the two concepts of the model, or the words where there is no concept."""
    found, _ = people_of([{"person_id": "1", "gender_concept_id": cells[0], "gender_source_value": cells[1]}])
    assert found["1"].sex == sex


@pytest.mark.parametrize(
    ("born", "day", "years"),
    [
        (("1953", "5", "2"), date(2024, 5, 1), (70, 71)),
        (("1953", "5", "2"), date(2024, 5, 2), (71, 72)),
        (("1953", "5", ""), date(2024, 5, 15), (70, 72)),
        (("1953", "5", ""), date(2024, 6, 1), (71, 72)),
        (("1953", "", ""), date(2024, 6, 1), (70, 72)),
        (("2023", "", ""), date(2024, 1, 1), (0, 2)),
        (("2024", "", ""), date(2024, 3, 1), (0, 1)),
        (("2025", "", ""), date(2024, 3, 1), None),
        (("1753", "", ""), date(2024, 3, 1), None),
        (("", "", ""), date(2024, 3, 1), None),
        (("1953", "13", "1"), date(2024, 3, 1), None),
        (("1953", "2", "30"), date(2024, 3, 1), None),
    ],
)
def test_a_birth_date_that_is_known_in_part_gives_a_span_of_ages(
    born: tuple[str, str, str], day: date, years: tuple[int, int] | None
) -> None:
    """A year alone may be two ages; neither is chosen."""
    cells = dict(zip(("year_of_birth", "month_of_birth", "day_of_birth"), born, strict=True))
    found, _ = people_of([{"person_id": "1", "birth_datetime": "1953-01-01 00:00:00", **cells}])
    patient, _ = patient_on("1", found["1"], day)
    assert (patient.age and patient.age.years) == years


def test_an_age_of_a_span_answers_where_both_ages_have_one_answer() -> None:
    """64 or 65 years decides a line of MMA and not one of ferritin."""
    patient, notes = patient_on("1", Person("female", date(1958, 1, 1), date(1958, 12, 31)), date(2023, 6, 30))
    assert "64 or 65" in notes[0]
    mma, ferritin = (answer(LabResult(*r), patient) for r in (("MMA", "0.43", "umol/L"), ("ferritin", "12", "ug/L")))
    assert isinstance(mma, NotAssessed)
    assert mma.reason == "age_unknown"
    assert isinstance(ferritin, Finding)


def test_people_that_contradict_themselves_or_are_not_there_are_unknown() -> None:
    """A second row that says otherwise leaves sex and age unknown; a row of nobody stands for itself."""
    found = omop.read([MEASUREMENT.encode(), (PERSON + "1,8507,1953,5,2,,\n").encode()])
    assert (found.panels[0].patient.sex, found.panels[0].patient.age) == (None, None)
    assert "contradicts itself on 1" in found.notes[0]
    stranger = omop.read([MEASUREMENT.replace("13,2,", "13,5,").replace("14,2,", "14,,").encode(), PERSON.encode()])
    assert [panel.patient.id for panel in stranger.panels] == ["1", "5", None]
    assert any("1 of the people measured are not in PERSON" in note for note in stranger.notes)
    assert any("1 rows name no person" in note for note in stranger.notes)


# --- databases ------------------------------------------------------------------------------------------------


def test_a_duckdb_file_is_read(tmp_path: Path) -> None:
    """Opened for reading only, rows in the order of their ids, each with its id as its place."""
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "cdm.duckdb"
    with duckdb.connect(str(path)) as made:
        for name, text in (("MEASUREMENT", MEASUREMENT), ("person", PERSON)):
            frame = pl.read_csv(io.StringIO(text), try_parse_dates=True)  # noqa: F841 - DuckDB finds it by its name
            made.execute(f'create table "{name}" as select * from frame')
        made.execute("create table visit_occurrence (visit_occurrence_id integer)")
    found = read_file(path)
    expected(found)
    assert found.panels[0].results[0].source == "cdm.duckdb, measurement_id 11"
    with pytest.raises(InputError, match="where it lies"):
        read_bytes(b"\0" * 8 + b"DUCK" + b"\0" * 5000, name="x.duckdb")
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"broken\.duckdb: the DuckDB file cannot be read"):
        read_file(broken)


def test_a_view_of_a_duckdb_file_cannot_read_other_files(tmp_path: Path) -> None:
    """A file that somebody sent must not show what lies beside it."""
    duckdb = pytest.importorskip("duckdb")
    (tmp_path / "secret.csv").write_text("measurement_concept_id,value_as_number,person_id\n3001122,12,1\n", "utf-8")
    with duckdb.connect(str(tmp_path / "cdm.duckdb")) as made:
        made.execute(f"create view measurement as select * from read_csv('{tmp_path}/secret.csv')")
    with pytest.raises(InputError, match="cannot be read"):
        read_file(tmp_path / "cdm.duckdb")


@cache
def postgres() -> str:
    """The address of a PostgreSQL with the tables in a schema `cdm`, and a user who may only SELECT there."""
    if not engines.REQUIRED:
        pytest.importorskip("psycopg")
    import psycopg

    port = engines.postgres_port()
    with psycopg.connect(host="127.0.0.1", port=port, user="labinterp", dbname="postgres", autocommit=True) as made:
        made.execute("create schema cdm")
        numbers = "integer"
        kinds = {
            "measurement_date": "date",
            "birth_datetime": "timestamp",
            "value_as_number": "numeric(20, 4)",
            "range_low": "double precision",
        }
        for name, text in (("measurement", MEASUREMENT), ("person", PERSON)):
            rows = list(csv.reader(io.StringIO(text)))
            columns = ", ".join(
                f"{c} {kinds.get(c, 'text' if c.endswith('_source_value') else 'numeric' if c == 'range_high' else numbers)}"
                for c in rows[0]
            )
            made.execute(f"create table cdm.{name} ({columns})")
            for one in rows[1:]:
                made.execute(f"insert into cdm.{name} values ({', '.join(['%s'] * len(one))})", [cell or None for cell in one])
        made.execute("create table cdm.concept (concept_id integer, concept_name text, vocabulary_id text, concept_code text)")
        made.execute(
            "insert into cdm.concept values (3001122, 'Ferritin [Mass/volume] in Serum or Plasma', 'LOINC', '2276-4'), (5, 'other', 'LOINC', '1-1')"
        )
        made.execute("create role reader login password 'GEHEIM'")
        made.execute("grant usage on schema cdm to reader")
        made.execute("grant select on all tables in schema cdm to reader")
    return f"postgresql+psycopg://reader:GEHEIM@127.0.0.1:{port}/postgres"


def test_postgresql_is_read_by_its_address(cli: Callable[..., Any]) -> None:
    """The schema is found where only one has the tables, or named in the address; the command line reads it, too."""
    for address in (postgres(), f"{postgres()}?schema=cdm"):
        found = read_file(address)
        expected(found)
    assert found.panels[0].results[0].source == "measurement, measurement_id 11"
    assert omop.read(postgres(), schema="cdm").panels == found.panels
    done = cli("interpret", postgres(), "--from", "omop", "--to", "omop")
    assert done.code == 0, done.err
    assert done.out.startswith("measurement_id,person_id,")
    assert cli("interpret", postgres(), "--to", "json").code == 0


def test_postgresql_is_only_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every statement is a SELECT, in a transaction that can do nothing else, through a cursor on the server."""
    import sqlalchemy as sa
    from sqlalchemy.engine import Engine

    address, said, modes, streamed = postgres(), [], [], []

    def listen(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool) -> None:
        said.append(statement.strip())
        if "FROM cdm.measurement" in statement:
            streamed.append(type(cursor).__name__)
            modes.append(connection.connection.dbapi_connection.read_only)

    sa.event.listen(Engine, "before_cursor_execute", listen)
    try:
        read_file(address)
    finally:
        sa.event.remove(Engine, "before_cursor_execute", listen)
    assert {statement.split()[0].upper() for statement in said} <= {"SELECT", "SHOW", "WITH"}
    assert set(modes) == {True}
    assert any("ServerCursor" in name for name in streamed)
    asked = next(statement for statement in said if "FROM cdm.measurement" in statement)
    assert "provider_id" not in asked


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg://reader:GEHEIM@127.0.0.1:1/postgres",
        "postgresql+psycopg://reader:GEHEIM@127.0.0.1:notaport/postgres",
        "nosuchdatabase://reader:GEHEIM@127.0.0.1/x",
        "postgresql+nodriver://reader:GEHEIM@127.0.0.1/x",
        "mysql+nodriver://reader:GEHEIM@127.0.0.1/x",
        "://reader:GEHEIM@x",
    ],
)
def test_no_message_shows_a_password(address: str, cli: Callable[..., Any]) -> None:
    """An address that cannot be used is told without the address."""
    with pytest.raises(LabInterpError) as caught:
        read_files([address], format="omop")
    done = cli("interpret", address, "--from", "omop")
    for text in (str(caught.value), done.out, done.err):
        assert "GEHEIM" not in text
        assert "reader" not in text
    assert done.code != 0
    assert caught.value.__cause__ is None


def test_a_database_without_the_table_or_with_several_is_told(tmp_path: Path) -> None:
    """A wrong schema is an error with the next step; a missing SQLite file is not made."""
    with pytest.raises(InputError, match="no table measurement"):
        read_file(f"{postgres()}?schema=public")
    with pytest.raises(InputError, match="no such SQLite file"):
        read_file(f"sqlite:///{tmp_path}/none.db")
    assert not (tmp_path / "none.db").exists()


def test_any_database_of_sqlalchemy_is_read(tmp_path: Path) -> None:
    """SQLite stands for the others; nothing can be written through the connection."""
    pytest.importorskip("sqlalchemy")
    with sqlite3.connect(tmp_path / "cdm.db") as made:
        for name, text in (("measurement", MEASUREMENT), ("PERSON", PERSON)):
            header, *rows = csv.reader(io.StringIO(text))
            made.execute(f"create table {name} ({', '.join(f'{c} text' if c.endswith('_value') else f'{c} numeric' for c in header)})")
            made.executemany(
                f"insert into {name} values ({', '.join('?' * len(header))})", [[cell or None for cell in one] for one in rows]
            )
    made.close()
    expected(read_file(f"sqlite:///{tmp_path}/cdm.db"))


# --- databases in pieces ---------------------------------------------------------------------------------------

MANY = [
    # measurement, person, concept, day: out of the order of persons, a draw of two rows, a person of two days, rows of nobody
    (1, 3, 3001122, "2024-01-01"), (2, 1, 3001420, "2024-01-01"), (3, 2, 3001122, "2024-01-02"), (4, 1, 3001122, "2024-01-01"),
    (5, None, 3001122, "2024-01-01"), (6, 3, 3001420, "2024-02-01"), (7, 2, 3001122, "2024-01-02"), (8, None, 3001420, "2024-01-01"),
    (9, 7, 3001122, "2024-01-01"), (10, 1, 3001122, "2024-03-01"),
]  # fmt: skip


def many(path: Path, kind: str, ids: str = "integer") -> str:
    """A database with these measurements, and who 1, 2 and 3 are; and how it is named."""
    connect: Any = sqlite3.connect if kind == "sqlite" else pytest.importorskip("duckdb").connect
    made = connect(str(path))
    made.execute(
        f"create table measurement (measurement_id integer, person_id {ids}, measurement_concept_id integer, measurement_date date, "
        "value_as_number double precision, unit_concept_id integer)"
    )
    made.execute(
        "create table person (person_id integer, gender_concept_id integer, year_of_birth integer, month_of_birth integer, day_of_birth integer)"
    )
    for number, person, concept, day in MANY:
        unit = 8842 if concept == 3001122 else 8840
        made.execute("insert into measurement values (?, ?, ?, ?, ?, ?)", (number, person, concept, day, number * 1.5, unit))
    for person in (1, 2, 3):
        made.execute("insert into person values (?, 8532, ?, 5, 4)", (person, 1950 + person))
    made.commit()
    made.close()
    return str(path) if kind == "duckdb" else f"sqlite:///{path}"


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_a_database_in_pieces_is_the_whole(tmp_path: Path, kind: str, rows: int) -> None:
    """The same panels, in the same order, with the same numbers: pieces are parted between two people. What is to be said comes last."""
    pytest.importorskip("sqlalchemy")
    address = many(tmp_path / f"cdm.{kind}", kind)
    piece = Piece("", b"", address) if kind == "sqlite" else Piece("cdm.duckdb", b"", Path(address))
    *found, last = by_persons(piece, rows)
    whole = read_file(address)
    assert [panel for source in found for panel in source.panels] == whole.panels
    assert [row for source in found for row in source.table.rows] == whole.table.rows  # type: ignore[union-attr]
    assert last.notes == whole.notes
    assert last.notes == (
        "1 of the people measured are not in PERSON; their sex and age are unknown.", "2 rows name no person; each stands for itself."
    )  # fmt: skip
    assert len(found) == {1: 6, 2: 5, 3: 3, 100: 1}[rows]
    people = [{panel.patient.id for panel in source.panels} - {None} for source in found]
    assert sum(map(len, people)) == len(set().union(*people)) == 4
    assert [row for source in by_persons(piece, rows, through=False) for panel in source.panels for row in panel.rows].count(1) == len(
        found
    )


@pytest.mark.parametrize("form", ["jsonl", "csv", "omop"])
def test_the_command_line_writes_a_database_piece_by_piece(
    cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """The output is that of the whole; the table has one header."""
    address = many(tmp_path / "cdm.duckdb", "duckdb")
    monkeypatch.setattr(omop_in, "MANY", 2)
    done = cli("interpret", address, "--to", form)
    assert done.code == 0, done.err
    source = read_file(address)
    reports = answers(source)
    whole = flagged(source, reports) if form == "csv" else written(form, source, reports, Catalog.default()).decode()
    assert done.out == whole
    assert "10 rows: " in done.err
    assert "2 rows name no person" in done.err
    out = tmp_path / "out.csv.gz"
    if form == "csv":
        assert cli("interpret", address, "-o", str(out)).code == 0
        assert gzip.decompress(out.read_bytes()).decode() == whole
    if form == "jsonl":  # processes are given all of it
        assert cli("interpret", address, "--to", form, "--jobs", "2").out == whole


def test_people_that_are_written_in_two_ways_are_not_read_in_pieces(cli: Callable[..., Any], tmp_path: Path) -> None:
    """The database has 01 and 1 in two places, and here they are one person."""
    pytest.importorskip("sqlalchemy")
    address = many(tmp_path / "cdm.db", "sqlite", "text")
    with sqlite3.connect(tmp_path / "cdm.db") as made:
        made.execute("update measurement set person_id = '01' where measurement_id = 10")
    made.close()
    out = tmp_path / "out.jsonl"
    done = cli("interpret", address, "-o", str(out))
    assert (done.code, out.exists()) == (1, False)
    assert "person_id is not written in one way" in " ".join(done.err.split())
    assert cli("interpret", address, "--to", "json").code == 0


def test_postgresql_in_pieces_is_the_whole(cli: Callable[..., Any]) -> None:
    """Through one cursor on the server."""
    *found, _ = by_persons(Piece("", b"", postgres()), 1)
    assert [panel for source in found for panel in source.panels] == read_file(postgres()).panels
    done = cli("interpret", postgres(), "--to", "jsonl")
    assert (done.code, len(done.out.splitlines())) == (0, len(read_file(postgres()).panels))


def test_a_database_that_breaks_off_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error while rows come by is said as one of the opening, without the words of the database."""
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "cdm.duckdb"
    with duckdb.connect(str(path)) as made:
        made.execute("create table numbers as select i from range(3) t(i)")
        made.execute(
            "create view measurement as select i as measurement_id, 1 as person_id, 3001122 as measurement_concept_id, "
            "case when i < 2 then i else error('SECRET') end as value_as_number from numbers"
        )
    for read in (read_file, lambda path: list(by_persons(Piece("cdm.duckdb", b"", path)))):
        with pytest.raises(InputError, match="cannot be read") as told:
            read(path)
        assert "SECRET" not in str(told.value)


def test_without_the_packages_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line with the command that installs it; tables of text need neither."""
    (tmp_path / "cdm.duckdb").write_bytes(b"\0" * 8 + b"DUCK" + b"\0" * 20)
    for name in ("duckdb", "sqlalchemy"):
        monkeypatch.setitem(sys.modules, name, None)
    for source in (tmp_path / "cdm.duckdb", "postgresql+psycopg://reader:GEHEIM@127.0.0.1/x"):
        with pytest.raises(MissingExtraError, match=r'pip install "labinterp\[omop\]"'):
            read_file(source)
    expected(omop.read([MEASUREMENT.encode(), PERSON.encode()]))


# --- the way back ---------------------------------------------------------------------------------------------


def back(source: Source) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(omop.write(source, readers.answers(source)).decode())))


def test_rows_come_back_as_they_were_with_what_was_missing() -> None:
    """Unit concept and range are filled where there were none; nothing that stood there is changed."""
    source = omop.read(
        [
            MEASUREMENT.replace("12,1,3000593,2024-01-31,4171756,150,0,8845", "12,1,3000593,2024-01-31,4171756,150,0,0").encode(),
            PERSON.encode(),
        ]
    )
    first, second, third, fourth = back(source)
    before = list(csv.DictReader(io.StringIO(MEASUREMENT)))
    for old, new in zip(before, (first, second, third, fourth), strict=True):
        assert {k: v for k, v in old.items() if k not in ("unit_concept_id", "range_low", "range_high")}.items() <= new.items()
    assert (first["range_low"], first["range_high"], first["li_range_of"], first["li_code"]) == ("15", "150", "", "L")
    assert second["unit_concept_id"] == "8845"
    # 0.70 to 1.00 mmol/L of magnesium, in mg/dL by its molar mass 24.305
    assert (third["range_low"], third["range_high"], third["li_range_of"]) == ("1.70135", "2.4305", third["li_limits"])
    assert (third["unit_concept_id"], third["li_code"]) == ("8840", "L")
    assert (fourth["range_low"], fourth["unit_concept_id"], fourth["li_reason"]) == ("", "0", "unknown_analyte")


def test_the_answers_read_back_are_the_same() -> None:
    """What was written is a table of measurements again, with the same findings."""
    source = omop.read([MEASUREMENT.encode(), PERSON.encode()])
    again = omop.read([omop.write(source, readers.answers(source)), PERSON.encode()])

    def said(reports: list[Report]) -> list[Any]:
        return [
            (r.row, getattr(r, "analyte", None), getattr(r, "code", None), getattr(r, "reason", None))
            for one in reports
            for r in one.rows()
        ]

    assert said(readers.answers(again)) == said(readers.answers(source))
    with pytest.raises(InputError, match="already has the column"):
        omop.write(again, readers.answers(again))


def test_rows_of_other_sources_get_the_columns_of_the_table_and_no_invented_ids() -> None:
    """Known codes become concepts; what is not known is 0 or empty, and a person's own label is kept beside."""
    table = "patient_id,test,loinc,value,unit,sex,age,date,low,high\nA7,Ferritin,2276-4,<12.5,ug/L,F,40,2024-01-31,10,150\n42,Unheard of,,5,bananas,F,40,,,\n42,B12,,pending,ng/L,F,40,,,\n"
    first, second, third = back(read_bytes(table.encode()))
    assert list(first)[:23] == [
        "measurement_id", "person_id", "measurement_concept_id", "measurement_date", "measurement_datetime", "measurement_time",
        "measurement_type_concept_id", "operator_concept_id", "value_as_number", "value_as_concept_id", "unit_concept_id", "range_low", "range_high",
        "provider_id", "visit_occurrence_id", "visit_detail_id", "measurement_source_value", "measurement_source_concept_id", "unit_source_value",
        "unit_source_concept_id", "value_source_value", "measurement_event_id", "meas_event_field_concept_id",
    ]  # fmt: skip
    assert {k: first[k] for k in ("person_id", "li_patient", "measurement_concept_id", "operator_concept_id", "value_as_number", "unit_concept_id")} == {
        "person_id": "", "li_patient": "A7", "measurement_concept_id": "3001122", "operator_concept_id": "4171756", "value_as_number": "12.5",
        "unit_concept_id": "8748",
    }  # fmt: skip
    assert (first["measurement_date"], first["range_low"], first["range_high"], first["li_range_of"]) == ("2024-01-31", "10", "150", "")
    assert (second["person_id"], second["measurement_concept_id"], second["unit_concept_id"]) == ("42", "0", "0")
    assert (second["measurement_source_value"], second["unit_source_value"], second["value_source_value"]) == ("Unheard of", "bananas", "5")
    assert (third["value_as_number"], third["value_source_value"], third["li_reason"]) == ("", "pending", "unreadable_value")


def test_no_range_is_put_where_the_limits_call_nothing_normal() -> None:
    """A result that was not assessed gets no range, and neither does one that the laboratory's own range answered."""
    header = "person_id,measurement_concept_id,measurement_date,value_as_number,unit_concept_id,range_low,range_high\n"
    (mma,) = back(omop.read([(header + "1,3016724,2024-01-31,12,8749,5,20\n").encode(), PERSON.encode()]))
    assert (mma["range_low"], mma["range_high"], mma["li_limits"], mma["li_range_of"]) == ("5", "20", "reported", "")


# --- hostile files --------------------------------------------------------------------------------------------


def test_a_file_that_breaks_off_keeps_what_was_read() -> None:
    """The rows before the break are answered, and a note says that the file seems to break off."""
    cut = MEASUREMENT[: MEASUREMENT.index("14,2,0,2023-06-30") + 12]
    found = omop.read([cut.encode(), PERSON.encode()])
    assert sum(len(panel.results) for panel in found.panels) == 4
    assert any("break off" in note for note in found.notes)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("Cadmium", "C" * 10_000_000),
        lambda text: text.replace("Cadmium", "Cad\0mium"),
        lambda text: text.replace("2024-01-31", "31/31/9999"),
        lambda text: text.replace("12.0", "1e999999999"),
        lambda text: text.replace("12.0", "9" * 5000),
        lambda text: text.replace("3001122", "9" * 400),
        lambda text: text.replace("Cadmium", '"Cadmium'),
        lambda text: text.replace("Cadmium", "=cmd()"),
        lambda text: text + text.split("\n", 1)[1] * 3,
        lambda text: text.replace(",1,", f",{CANARY},"),
    ],
    ids=["10-MB", "NUL", "no-day", "exponent", "digits", "id", "quote", "formula", "twice", "name"],
)
def test_hostile_cells_are_answered_or_told(spoil: Callable[[str], str]) -> None:
    """Each odd file ends in answers or in a clear error, soon and without text of the file."""
    began = time.process_time()
    try:
        found = omop.read([spoil(MEASUREMENT).encode(), PERSON.encode()])
    except InputError as error:
        told = str(error)
    else:
        told, reports = "", readers.answers(found)
        assert sum(len(list(report.rows())) for report in reports) == sum(len(panel.results) for panel in found.panels)
        omop.write(found, reports)
    assert CANARY not in told
    assert time.process_time() - began < 20


def test_another_encoding_is_read() -> None:
    """UTF-16 and Windows-1252 exports are read; a binary file is told."""
    text = MEASUREMENT.replace("Cadmium", "Kadmium äµ")
    for encoding in ("utf-16", "cp1252", "utf-8-sig"):
        assert omop.read(text.encode(encoding)).panels[1].results[1].test == "Kadmium äµ"
    with pytest.raises(InputError):
        omop.read(b"measurement_concept_id\0" * 100)
    with pytest.raises(InputError, match="Parquet"):
        omop.read(b"PAR1 measurement_concept_id" + b"\0" * 100)


_CELL = st.sampled_from(
    ["", "0", "1", "-1", "8842", "8840", "3001122", "3016723", "12", "12.5", "1e5", "nan", "<5", "1,234", "2024-01-31", "x", "None", "ng/mL", "mg/dL",
     "Ferritin", "Ferritin|Urine|Chemistry", "2276-4", "4171756", CANARY, f"{CANARY}|{CANARY}|x", "\u00b5g/L", "=1+1", '"', "\x0b", "1953"]
)  # fmt: skip


def _held(data: bytes, person: bytes) -> None:
    """What must be true of any bytes."""
    told, answered, read = "", 0, 0
    try:
        found = omop.read([data, person])
        reports = readers.answers(found)
        omop.write(found, reports)
        answered, read = sum(len(list(report.rows())) for report in reports), sum(len(panel.results) for panel in found.panels)
    except LabInterpError as error:
        told = str(error)
    assert CANARY not in told
    assert answered == read


@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(st.lists(_CELL, min_size=14, max_size=14), max_size=4),
    people=st.lists(st.lists(_CELL, min_size=7, max_size=7), max_size=3),
)
def test_any_cells_are_answered(rows: list[list[str]], people: list[list[str]]) -> None:
    """Cells from the words of the model in any order: every row gets an answer, and no error shows a cell."""

    def written(header: str, listed: list[list[str]]) -> bytes:
        out = io.StringIO()
        csv.writer(out).writerows([header.split(","), *listed])
        return out.getvalue().encode()

    _held(written(MEASUREMENT.split("\n")[0], rows), written(PERSON.split("\n")[0], people))


def test_any_bytes_are_answered() -> None:
    """Bytes changed at random: answers or a clear error. LABINTERP_FUZZ_SECONDS lets it run longer."""
    seconds, dice = float(os.environ.get("LABINTERP_FUZZ_SECONDS", "0")), random.Random(5)
    data = bytearray(MEASUREMENT.replace("Cadmium", CANARY).encode())
    until, runs = time.monotonic() + seconds, 0
    while runs < 60 or time.monotonic() < until:
        runs += 1
        changed = bytearray(data)
        for _ in range(dice.randrange(1, 12)):
            at = dice.randrange(len(changed))
            match dice.randrange(4):
                case 0:
                    changed[at] = dice.randrange(256)
                case 1:
                    del changed[at : at + dice.randrange(1, 40)]
                case 2:
                    changed[at:at] = bytes([dice.choice(b',"\n\r\t\0|')]) * dice.randrange(1, 4)
                case _:
                    changed[at:at] = changed[at : at + dice.randrange(60)]
            changed = changed or bytearray(b",")
        _held(bytes(changed), PERSON.encode())


# --- the table that ships -------------------------------------------------------------------------------------


def test_every_concept_that_ships_has_a_source_and_a_meaning_here() -> None:
    """No id without where it was seen; every unit is one of ours, every code one that is known or turned down by name."""
    catalog, table = Catalog.default(), shipped()
    for part in ("gender", "operator", "unit", "measurement", "label"):
        for one in table[part].values():
            assert one["sources"]
            assert set(one["sources"]) <= set(table["sources"])
    assert all(source["checked"] in ("primary", "secondary") for source in table["sources"].values())
    assert all(catalog.units.read(one["ucum"]) == one["ucum"] for one in table["unit"].values() if one["ucum"])
    codes = {one["loinc"] for one in table["measurement"].values()}
    assert codes <= set(catalog.table["loinc"]) | set(catalog.table["never_loinc"])
    assert len(codes) == len(table["measurement"])


# --- real data ------------------------------------------------------------------------------------------------

SYNTHEA = SHARED / "omop-synthea27nj"
COUNTS = {
    "calcium": 241,
    "hemoglobin": 108,
    "mcv": 107,
    "albumin": 52,
    "ferritin": 12,
    "iron": 12,
    "tibc": 12,
    "transferrin_saturation": 12,
    "magnesium": 12,
}


@needs_shared("10,040 rows of OMOP")
@pytest.mark.parametrize("concepts", [False, True])
def test_ten_thousand_rows_of_synthea(concepts: bool) -> None:
    """Every row is read and answered; the analytes are those the source counts, with and without its concepts."""
    files = ["MEASUREMENT.csv", "PERSON.csv", *(["CONCEPT_used.csv"] if concepts else [])]
    source = read_files([SYNTHEA / name for name in files])
    answers = [one for report in readers.answers(source) for one in report.rows()]
    assert len(answers) == 10_040
    found = Counter(one.analyte for one in answers if one.analyte)
    assert {name: found[name] for name in COUNTS} == COUNTS
    units = {row["concept_id"]: row["concept_code"] for row in rows_of(SYNTHEA / "CONCEPT_used.csv") if row["vocabulary_id"] == "UCUM"}
    rows = rows_of(SYNTHEA / "MEASUREMENT.csv")
    for one in answers:
        if isinstance(one, Finding):
            concept = rows[one.row - 1]["unit_concept_id"]
            assert concept == "0" or one.unit == units[concept]
            assert float(one.value) == float(rows[one.row - 1]["value_as_number"])


@needs_shared("the concepts of 152 ids")
def test_the_table_that_ships_agrees_with_the_vocabulary() -> None:
    """Each id that the vocabulary's own rows hold means here what it means there."""
    ours, units = Concepts(), Catalog.default().units
    for one in rows_of(SYNTHEA / "CONCEPT_used.csv"):
        id = int(one["concept_id"])
        if one["vocabulary_id"] == "LOINC":
            assert ours.measurement(id) in (None, Meant(one["concept_code"])) or not ours.measurement(id).loinc  # type: ignore[union-attr]
        elif one["vocabulary_id"] == "UCUM" and ours.unit(id) is not None:
            assert ours.unit(id) == units.read(one["concept_code"])


@needs_shared("89 unit strings of MIMIC")
def test_each_known_spelling_of_mimic_is_the_unit_of_its_concept() -> None:
    """Text and concept of one row never contradict each other, and the concept alone gives the unit of the text."""
    catalog, checked = Catalog.default(), 0
    for one in rows_of(SHARED / "omop-mimic-mapping" / "gcpt_meas_unit.csv"):
        text, concept = one["concept_code"], one["target_concept_id"]
        unit = catalog.units.read(text)
        both = row(measurement_concept_id=3001122, value_as_number=12, unit_concept_id=concept, unit_source_value=text)
        assert not isinstance(both.value, Unreadable), (text, concept)
        if unit is not None and concept != "8510":  # "unit": it has no spelling of its own
            alone = row(measurement_concept_id=3001122, value_as_number=12, unit_concept_id=concept)
            assert catalog.units.read(alone.unit or "") == unit, (text, concept)
            checked += 1
    assert checked > 40


@needs_shared("1,401 label and fluid pairs of MIMIC")
def test_each_label_and_fluid_of_mimic_is_the_test_of_its_concept_or_refused() -> None:
    """What the label alone says in its fluid is what label and concept say together; urine is never serum."""
    catalog, seen = Catalog.default(), Counter[str]()
    for one in rows_of(SHARED / "omop-mimic-mapping" / "gcpt_meas_lab_loinc_mod.csv"):
        if one["concept_name"].count("|") != 2 or one["target_concept_id"] in ("", "0"):
            continue
        label, fluid, _ = one["concept_name"].split("|")
        result = row(
            measurement_concept_id=one["target_concept_id"],
            measurement_source_value=one["concept_name"],
            value_as_number=1,
            unit_concept_id=8840,
        )
        assert (result.specimen, isinstance(result.value, Unreadable)) == (fluid, False), one["concept_name"]
        together = identify(catalog, result.test, result.loinc, result.specimen)
        plain = identify(catalog, label, None, fluid)
        if isinstance(plain, Identified):
            assert isinstance(together, Identified), (one["concept_name"], together)
            assert together.analyte == plain.analyte
            seen[plain.analyte] += 1
        if fluid not in ("Blood",):
            assert not isinstance(together, Identified) or together.analyte not in COUNTS, one["concept_name"]
    assert set(seen) >= {
        "vitamin_d",
        "vitamin_b12",
        "ferritin",
        "iron",
        "tibc",
        "magnesium",
        "folate",
        "homocysteine",
        "pth",
        "phosphate",
        "calcium",
    }


@needs_shared("10,040 rows of OMOP and the way back")
def test_synthea_goes_out_as_it_came_in() -> None:
    """Every column of every row that was filled is unchanged."""
    source = read_files([SYNTHEA / "MEASUREMENT.csv", SYNTHEA / "PERSON.csv"])
    written = list(csv.DictReader(io.StringIO(omop.write(source, readers.answers(source)).decode())))
    before = rows_of(SYNTHEA / "MEASUREMENT.csv")
    assert len(written) == len(before) == 10_040
    filled = 0
    for old, new in zip(before, written, strict=True):
        assert all(new[name] == cell for name, cell in old.items() if cell not in ("", "0"))
        filled += bool(new["li_range_of"])
    assert filled > 500


@needs_shared("PERSON of Synthea")
def test_the_people_of_synthea_have_the_sex_that_stands_beside_the_concept() -> None:
    """M is 8507 and F is 8532 in the source's own words."""
    found, notes = people_of(rows_of(SYNTHEA / "PERSON.csv"))
    assert notes == []
    assert {id: one.sex for id, one in found.items()} == {
        row["person_id"]: {"M": "male", "F": "female"}[row["gender_source_value"]] for row in rows_of(SYNTHEA / "PERSON.csv")
    }
