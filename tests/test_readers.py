"""Files as people have them: forms, encodings, delimiters, columns, people and draws."""

from __future__ import annotations

import csv
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from labinterp import Finding, LabResult, NotAssessed, assess, interpret
from labinterp._delimited import long_cells
from labinterp._inputs import Patient, read_sex, read_yes_no
from labinterp.errors import InputError, LabInterpError
from labinterp.readers import PanelIn, read_age, read_bytes, read_contexts, read_date, read_file, read_json, read_rows

HEADER, ROW = ["test", "value", "unit", "sex", "age"], ["Vitamin D (Ã)", "18,5", "ng/mL", "F", "71"]


def one(panels: list[PanelIn]) -> PanelIn:
    (panel,) = panels
    return panel


def table(*lines: str) -> list[PanelIn]:
    return read_bytes("\n".join(lines).encode()).panels


# --- long cells ----------------------------------------------------------------------------------------------


def test_long_cells_are_read_in_several_threads_at_once_and_nothing_is_left_changed() -> None:
    """How long a cell `csv` reads is one setting of the whole process: whoever ends first must not lower it for the others."""
    before = csv.field_size_limit()
    entered, left = threading.Event(), threading.Event()

    def first() -> None:
        with long_cells(before + 1_000):
            entered.set()
            left.wait(10)

    thread = threading.Thread(target=first)
    thread.start()
    assert entered.wait(10)
    with long_cells(before + 500):  # the longer one holds for both
        assert csv.field_size_limit() == before + 1_000
    with long_cells(before + 9_000):
        left.set()
        thread.join()
        assert csv.field_size_limit() == before + 9_000  # the other has ended, and this one reads on
        assert len(next(csv.reader(["x" * (before + 5)]))[0]) == before + 5
    assert csv.field_size_limit() == before


def test_a_limit_that_somebody_else_sets_meanwhile_stays() -> None:
    before = csv.field_size_limit()
    try:
        with long_cells(before + 1_000):
            csv.field_size_limit(before + 7)
        assert csv.field_size_limit() == before + 7
    finally:
        csv.field_size_limit(before)


def test_tables_with_long_cells_are_read_by_many_threads() -> None:
    long = "x" * 300_000
    data = f"test,value,unit,note\nFerritin,12,ug/L,{long}\nCRP,3,mg/L,\n".encode()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: [len(panel.results) for panel in read_bytes(data).panels], range(12)))
    assert found == [[2]] * 12
    assert csv.field_size_limit() < 300_000


@pytest.mark.parametrize(
    "row", ["Ferritin,12,ug/L,{long}", 'Ferritin,12,ug/L,"{long}"', 'Ferritin,12,ug/L,"a\n{long}"', 'Ferr"itin,12,ug/L,"{long}"']
)
def test_long_cells_stream_by(tmp_path: Path, row: str) -> None:
    """As they are read whole: the row is answered."""
    pytest.importorskip("polars")
    from labinterp._streams.blocks import Blocks

    text = row.replace("{long}", "x" * 300_000) + "\nCRP,3,mg/L,\n"
    frames = list(Blocks(["test", "value", "unit", "note"], ",").frames([text.encode()]))
    assert [value for frame in frames for value in frame["value"]] == ["12", "3"]


# --- forms ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_is_read_whatever_its_delimiter_and_line_ends(mark: str, end: str) -> None:
    """Comma, semicolon, tab and bar, and the line ends of three systems, are found."""
    quoted = [f'"{cell}"' if mark in cell else cell for cell in ["Ferritin", "12,5", "ug/L", "F", "71"]]
    source = read_bytes((end.join([mark.join(HEADER), mark.join(quoted)]) + end).encode())
    assert source.table is not None
    assert source.table.delimiter == mark
    panel = one(source.panels)
    assert (panel.patient, panel.results, panel.rows) == (Patient(sex="female", age_years=71), [LabResult("Ferritin", "12,5", "ug/L")], [1])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_an_encoding_is_found(encoding: str) -> None:
    """UTF-8 with and without its mark, UTF-16 with its mark, and Windows-1252 are read without being asked for."""
    panel = one(
        read_bytes("Prüfung;Wert;Einheit\nVitamin B12 ☐ä;210;µg/L\n".replace("☐", "").encode(encoding), columns={"test": "Prüfung"}).panels
    )
    assert panel.results == [LabResult("Vitamin B12 ä", "210", "µg/L")]


def test_an_encoding_can_be_given() -> None:
    """What cannot be found can be said, and what is said wrongly is an error with the next step."""
    assert one(read_bytes("test,value\nÄther,5\n".encode("cp850"), encoding="cp850").panels).results[0].test == "Äther"
    for wrong in ("utf-8", "no-such-encoding", "rot13"):
        with pytest.raises(InputError, match="--encoding"):
            read_bytes("test,value\nÄther,5\n".encode("cp850"), encoding=wrong)


@pytest.mark.parametrize("delimiter", ["\\t", ""])
def test_a_delimiter_of_another_length_is_an_input_error(delimiter: str) -> None:
    """A delimiter is one character; anything else is told, not a crash."""
    with pytest.raises(InputError):
        read_bytes(b"test,value\nB12,5\n", delimiter=delimiter)


RESULTS = [LabResult("B12", "210 pg/mL"), LabResult("Mg", "0.8 mmol/L")]
WHO = {"id": "A", "sex": "female", "age_years": 71}
MAPPING = {"B12": "210 pg/mL", "Mg": "0.8 mmol/L"}
LISTED = [{"test": "B12", "value": "210 pg/mL"}, {"test": "Mg", "value": "0.8 mmol/L"}]


@pytest.mark.parametrize(
    ("data", "patient"),
    [
        ({"patient": WHO, "results": MAPPING}, Patient(**WHO)),
        ({"patient": WHO, "results": LISTED}, Patient(**WHO)),
        ([{"patient": WHO, "results": LISTED}], Patient(**WHO)),
        ({"panels": [{"patient": WHO, "results": LISTED}]}, Patient(**WHO)),
        ({"results": LISTED}, Patient()),
        (MAPPING, Patient()),
        ([{**row, "patient_id": "A", "sex": "F", "age": 71} for row in LISTED], Patient(**WHO)),
    ],
    ids=["mapping", "list", "list-of-panels", "panels", "nobody", "plain-mapping", "rows"],
)
def test_json_is_read_in_each_of_its_forms(data: Any, patient: Patient) -> None:
    """A panel, a list of panels, a mapping from test to value, and a list of rows are one and the same."""
    panel = one(read_bytes(json.dumps(data).encode()).panels)
    assert (panel.patient, panel.results, panel.rows) == (patient, RESULTS, [1, 2])


def test_json_lines_are_read() -> None:
    """One row of JSON on each line is a list of rows."""
    assert one(read_json("\n".join(map(json.dumps, LISTED)) + "\n")).results == RESULTS


def test_a_number_in_json_is_exact_and_never_ambiguous() -> None:
    """1.234 as a JSON number is 1.234; as a text it reads two ways."""
    panel = one(
        read_json('{"results": [{"test": "MMA", "value": 1.234, "unit": "umol/L"}, {"test": "MMA", "value": "1.234", "unit": "umol/L"}]}')
    )
    assert panel.results[0].value == Decimal("1.234")
    number, text = interpret(panel.results, Patient(age_years=40)).rows()
    assert isinstance(number, Finding)
    assert isinstance(text, NotAssessed)
    assert text.reason == "ambiguous_number"


def test_a_truth_value_in_json_is_no_number() -> None:
    """A JSON true is no result."""
    panel = one(read_json('{"results": [{"test": "B12", "value": true, "unit": "pg/mL"}]}'))
    assert "unreadable_value" in [a.reason for a in interpret(panel.results).not_assessed]


def test_json_in_utf_16_is_json() -> None:
    """The form is found after the encoding."""
    assert one(read_bytes(json.dumps(MAPPING).encode("utf-16")).panels).results == RESULTS


def test_records_are_read_like_a_table() -> None:
    """Rows of a program are read by the same column names, and their numbers stay numbers."""
    panel = one(read_rows([{"Analyte": "MMA", "Result": 1.234, "Units": "umol/L", "Gender": "m", "Age": 40, "Low": 0.1, "High": None}]))
    assert (panel.patient, panel.results) == (Patient(sex="male", age_years=40), [LabResult("MMA", 1.234, "umol/L", ref_low=0.1)])


# --- columns -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "Test Name,Result Value,Unit of Measure,Gender,Patient Age",
        "Analyt,Messwert,Einheit,Geschlecht,Alter",
        "analyse,résultat,unité,sexe,âge",
        "bepaling,uitslag,eenheid,geslacht,leeftijd",
        "prueba,resultado,unidad,sexo,edad",
        "esame,risultato,unità,sesso,età",
        " TEST ,VALUE,UNITS,SEX,AGE (years)",
        "lab_test,lab-value,UOM,patient_sex,age_in_years",
    ],
)
def test_columns_are_found_by_their_usual_names(header: str) -> None:
    """Case, accents, spaces and punctuation of a column's name do not matter, and six languages are known."""
    panel = one(table(header, "Ferritin,12,ug/L,F,71"))
    assert (panel.patient, panel.results) == (Patient(sex="female", age_years=71), [LabResult("Ferritin", "12", "ug/L")])


def test_every_role_is_read() -> None:
    """Each thing a row may say arrives in its place."""
    header = "patient_id,test,value,unit,loinc,specimen,comparator,ref low,ref high,reference range,flag,collected at,sex,dob,pregnant,trimester,context"
    row = "A7,Mg,0.8,mmol/L,2601-3,serum,<,0.7,1.0,0.7 - 1.0,L,2024-01-31 08:00,F,31.12.1990,yes,2,CKD; heart failure"
    panel = one(table(header, row))
    assert panel.results == [
        LabResult("Mg", "0.8", "mmol/L", loinc="2601-3", specimen="serum", comparator="<", ref_low="0.7", ref_high="1.0", ref_text="0.7 - 1.0",
                  flag="L", collected_at=date(2024, 1, 31)),
    ]  # fmt: skip
    who = panel.patient
    assert (who.id, who.sex, who.age_years, who.pregnant, sorted(who.contexts)) == (
        "A7",
        "female",
        33,
        True,
        ["ckd", "heart_failure", "trimester_2"],
    )


def test_the_plainest_name_wins() -> None:
    """Of two columns that could be the test, the one with the plainer name is it, wherever it stands."""
    assert one(table("name,test,value", "Smith,Ferritin,12")).results[0].test == "Ferritin"
    assert one(table("test,name,value", "Ferritin,Smith,12")).results[0].test == "Ferritin"


def test_a_column_that_is_named_wins() -> None:
    """What the caller says goes before what is found, and a column has one role."""
    source = read_bytes(b"test,value,RESULT,unit\nFerritin,old,12,ug/L\n", columns={"value": "RESULT"})
    assert one(source.panels).results[0].value == "12"
    source = read_bytes(b"code,value,unit\nFerritin,12,ug/L\n", columns={"test": "code"})
    assert one(source.panels).results[0].test == "Ferritin"


def test_a_table_of_codes_needs_no_names() -> None:
    """A LOINC column is enough to tell the test."""
    (answer,) = interpret(one(table("loinc,value,unit", "2276-4,12,ug/L")).results, Patient(sex="male", age_years=40)).findings
    assert answer.analyte == "ferritin"


@pytest.mark.parametrize(
    ("data", "columns", "says"),
    [
        (b"", {}, "empty"),
        (b"\n \n\n", {}, "empty"),
        (b"a,b\n1,2\n", {}, "a header line is needed"),
        (b"test,b\nB12,2\n", {}, "no column was found for value"),
        (b"test,value\nB12,2\n", {"value": "RESULT"}, "there is no column 'RESULT'; this file has: test, value"),
        (b"test,value\nB12,2\n", {"vlaue": "value"}, "there is no role 'vlaue'; accepted: test, value"),
        (b"{", {}, "this is not JSON: line 1"),
        (b"[1, 2]", {}, "accepted JSON"),
        (b"[]", {}, "accepted|columns"),
        (b'{"results": {"B12": "5"}, "patiens": {}}', {}, r"panel 0\.patiens: Extra inputs are not permitted"),
        (b"[" * 100_000, {}, "nested too deeply"),
        (b"test,value\0\0\0\nB12,2\n", {}, "binary"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_to_do(data: bytes, columns: dict[str, str], says: str) -> None:
    """An unusable file is one InputError with what was found and what is accepted."""
    with pytest.raises(InputError) as caught:
        read_bytes(data, columns=columns)
    assert re.search(says, str(caught.value))


def test_a_missing_file_is_an_input_error(tmp_path: Any) -> None:
    """A path that leads nowhere, or to a directory, is told."""
    for path in (tmp_path / "nothing.csv", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_file(path)


@pytest.mark.parametrize(
    "data",
    [
        b'{"patient": {"sex": 17, "id": "Smith-SECRET"}, "results": {"B12": "5"}}',
        b'{"results": [{"test": "SECRET", "value": [1]}]}',
        b'{"results": [{"test": "SECRET", }]}',
    ],
)
def test_an_error_never_shows_what_stands_in_a_row(data: bytes) -> None:
    """The text of an error holds the place, never a patient's data."""
    with pytest.raises(LabInterpError) as caught:
        read_bytes(data)
    assert "SECRET" not in str(caught.value)


# --- rows are never lost -------------------------------------------------------------------------------------


def test_odd_rows_stay_in_their_place() -> None:
    """Short rows, long rows, blank lines and rows of nothing keep the others' numbers."""
    panels = table("test,value,unit", "B12,210,pg/mL", "", "Mg", "Ferritin,12,ug/L,more,and more", ",,", "CRP,<5,mg/L")
    assert one(panels).rows == [1, 3, 4, 5, 6]
    assert [r.test for r in one(panels).results] == ["B12", "Mg", "Ferritin", "", "CRP"]


def test_a_quoted_cell_may_hold_anything() -> None:
    """Delimiters, quotes and line ends inside quotes belong to the cell."""
    panel = one(table("test,value,comment", '"Vitamin D, 25-OH",18,"said ""low"", ', 'see below"', "B12,210,"))
    assert [r.test for r in panel.results] == ["Vitamin D, 25-OH", "B12"]


def test_an_open_quote_does_not_swallow_the_rows_below() -> None:
    """A row that begins with a stray quote costs no other row its answer (or the file is refused)."""
    try:
        panels = table("test,value,unit", '"Vitamin D,18,ng/mL', "B12,120,pg/mL", "Ferritin,5,ug/L")
    except InputError:
        return
    assert sum(len(panel.results) for panel in panels) == 3


def test_two_open_quotes_do_not_swallow_the_rows_between() -> None:
    """The same holds for two such rows."""
    try:
        panels = table("test,value,unit", '"Vitamin D,18,ng/mL', "B12,120,pg/mL", '"Ferritin,5,ug/L', "CRP,1,mg/L")
    except InputError:
        return
    assert sum(len(panel.results) for panel in panels) == 4


def test_an_inch_mark_tears_no_other_row() -> None:
    """A quote inside a cell (5" tall) leaves a quoted cell of two lines elsewhere whole."""
    panel = one(table("test,value,note", 'Vitamin D,18,5" tall', 'B12,120,"two', 'lines"', "CRP,1,x"))
    assert [r.test for r in panel.results] == ["Vitamin D", "B12", "CRP"]


# --- people and draws ----------------------------------------------------------------------------------------


def test_rows_of_one_person_and_day_are_a_panel() -> None:
    """Results drawn together are read together: one person, one day."""
    panels = table("id,date,test,value", "A,2024-01-31,B12,210", "B,2024-01-31,B12,500", "A,31.01.2024,MMA,0.5", "A,2024-03-01,B12,300")
    assert [(p.patient.id, p.rows) for p in panels] == [("A", [1, 3]), ("B", [2]), ("A", [4])]


def test_a_fact_given_once_holds_for_all_rows_of_a_person() -> None:
    """Sex and age in the first row of a person are those of the person's other rows."""
    panels = table("id,sex,age,test,value", "A,F,71,B12,210", "A,,,MMA,0.5", "B,M,40,B12,210", "B,F,,MMA,0.5")
    assert [(p.patient.sex, p.patient.age_years, p.rows) for p in panels] == [
        ("female", 71, [1, 2]),
        ("male", 40, [3]),
        ("female", 40, [4]),
    ]


def test_rows_without_an_id_are_not_mixed() -> None:
    """Where nobody is named, rows with other facts are other people."""
    panels = table("sex,age,test,value", "F,71,B12,210", "M,40,B12,210", "F,71,MMA,0.5")
    assert [p.rows for p in panels] == [[1, 3], [2]]


def test_a_fact_that_cannot_be_read_is_unknown_and_told() -> None:
    """An odd sex, age, date of birth or pregnancy is not guessed: it is unknown, and a note names the row."""
    panel = one(table("test,value,sex,age,dob,pregnant,context", "B12,210,1,seventy,01/02/1990,perhaps,unlucky"))
    assert panel.patient == Patient()
    assert [note.split(" could not")[0] for note in panel.notes] == [
        f"Row 1: the {fact}" for fact in ("pregnant", "context", "sex", "age years", "birth date")
    ]


def test_a_fact_that_cannot_be_read_in_json_is_unknown_and_told() -> None:
    """The same holds for JSON: one odd word for sex does not cost all people their answers."""
    panels = read_json(json.dumps([{"patient": {"sex": "1"}, "results": MAPPING}, {"patient": {"sex": "F"}, "results": MAPPING}]))
    assert [p.patient.sex for p in panels] == [None, "female"]
    assert panels[0].notes


def test_a_birth_date_and_a_day_give_the_age() -> None:
    """The age is that on the day of sampling: it changes on the birthday."""
    panels = table(
        "dob,collected,test,value", "1990-06-15,2024-06-14,B12,210", "1990-06-15,2024-06-15,B12,210", "1990-06-15,1980-01-01,B12,210"
    )
    assert [p.patient.age_years for p in panels] == [33, 34, None]
    assert "do not belong to one life" in panels[2].notes[0]


# --- words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "years"),
    [("34", 34), ("34.5", 34.5), ("34,5", 34.5), ("34 y", 34), ("71 Jahre", 71), ("85+", 85), ("0", 0), ("6 months", 0.5), ("18 Monate", 1.5), ("> 89", 89)],
)  # fmt: skip
def test_an_age_is_read(text: str, years: float) -> None:
    """Years, months, weeks and days in several languages."""
    assert read_age(text) == years


@pytest.mark.parametrize("text", ["", "old", "-1", "131", "1000", "34 x", "12/2", "1e1", "nan"])
def test_an_odd_age_is_refused(text: str) -> None:
    """What is no age, or no person's age, is an InputError."""
    with pytest.raises(InputError):
        read_age(text)


@pytest.mark.parametrize(("unit", "field"), [("months", "months"), ("d", "days")])
def test_an_age_in_its_own_unit_is_not_rounded_down(unit: str, field: str) -> None:
    """Someone of 14 days belongs to "from 14 days", and someone of 7 months to "from 7 months"."""
    wrong = [n for n in range(400) if getattr(Patient(age_years=read_age(f"{n} {unit}")).age, field)[1] < n]
    assert not wrong


@pytest.mark.parametrize(
    "text", ["2024-01-31", "2024-1-31", "2024-01-31T08:00:00Z", "2024/01/31", "20240131", "202401310815", "31.01.2024", "31/01/2024", "01/31/2024", "31.1.2024 08:00"]
)  # fmt: skip
def test_a_date_is_read(text: str) -> None:
    """ISO, HL7 and written dates, where only one reading is possible."""
    assert read_date(text) == date(2024, 1, 31)


@pytest.mark.parametrize("text", ["01/02/2024", "2024", "31.02.2024", "2024-13-01", "yesterday", ""])
def test_an_odd_date_is_refused(text: str) -> None:
    """A date that reads two ways, or is none, is an InputError."""
    with pytest.raises(InputError):
        read_date(text)


def test_a_day_and_month_that_are_the_same_read_one_way() -> None:
    """02/02/2024 is the second of February either way."""
    assert read_date("02/02/2024") == date(2024, 2, 2)


@pytest.mark.parametrize(
    ("texts", "sex"),
    [(["female", "F", "f", "w", "Weiblich", "FRAU", "femme", "v", "vrouw", "mujer", "donna"], "female"), (["male", "M", "m", "männlich", "Homme", "hombre", "uomo", "maschio", "man"], "male"),
     (["", "unknown", "Other", "divers", "X", "n/a"], None)],
)  # fmt: skip
def test_a_word_for_sex_is_read(texts: list[str], sex: str | None) -> None:
    """Words of six languages; "other" and "unknown" leave it unknown."""
    assert {read_sex(text) for text in texts} == {sex}


@pytest.mark.parametrize("text", ["1", "2", "0", "mf", "fem ale", "yes"])
def test_a_number_for_sex_is_refused(text: str) -> None:
    """Files disagree on what 1 and 2 mean."""
    with pytest.raises(InputError):
        read_sex(text)


def test_yes_no_and_nothing_are_told_apart() -> None:
    """Pregnancy that is not stated is not a no."""
    assert [read_yes_no(t) for t in ("yes", "JA", "1", "no", "Nein", "0", "", "unknown", "?")] == [
        True,
        True,
        True,
        False,
        False,
        False,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("cell", "pregnant", "contexts"), [("2nd trimester", True, ["trimester_2"]), ("T3", True, ["trimester_3"]), ("no", False, [])]
)
def test_a_trimester_is_a_pregnancy(cell: str, pregnant: bool, contexts: list[str]) -> None:
    """A trimester in the column for pregnancy says both."""
    who = one(table("test,value,pregnant", f"Ferritin,12,{cell}")).patient
    assert (who.pregnant, sorted(who.contexts)) == (pregnant, contexts)


def test_circumstances_are_read_from_a_closed_list() -> None:
    """Names of circumstances in several languages lead to the catalog's own; another word is refused."""
    assert read_contexts("Dialyse | CKD; Entzündung") == {"haemodialysis", "ckd", "inflammation"}
    with pytest.raises(InputError, match=r"accepted: .*anaemia"):
        read_contexts("unlucky")


# --- arguments of a program ----------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["collected_at", "birth_date"])
def test_a_time_of_day_does_no_harm(at: str) -> None:
    """A datetime is accepted where a date is: programs have them from databases."""
    from datetime import datetime

    days: dict[str, Any] = {"collected_at": date(2024, 1, 31), "birth_date": date(1990, 1, 1)}
    days[at] = datetime(days[at].year, 1, 31, 8, 15)
    answer = assess(
        LabResult("ferritin", "5", "ug/L", collected_at=days["collected_at"]), Patient(sex="male", birth_date=days["birth_date"])
    )
    assert isinstance(answer, Finding)


def test_each_day_of_sampling_has_its_own_age() -> None:
    """A person asked about without a day is not taken to be without an age for good."""
    born = Patient(sex="female", birth_date=date(1990, 1, 1))
    days = [None, date(1995, 1, 1), date(2020, 1, 1), None]
    answers = [assess(LabResult("ferritin", "22", "ug/L", collected_at=day), born) for day in days]
    ages = [a.basis.patient.age and a.basis.patient.age.years[0] for a in answers if isinstance(a, Finding)]
    assert ages == [None, 5, 30, None]


@pytest.mark.parametrize("as_of", ["yesterday", "2024-13-01", "01.02.2024"])
def test_a_day_that_is_none_is_an_input_error(as_of: str) -> None:
    """`as_of` that is no day is told like every other argument."""
    with pytest.raises(InputError):
        interpret({"B12": "210 pg/mL"}, as_of=as_of)


def test_an_authority_for_one_analyte_leaves_the_others_alone() -> None:
    """Asking whose limits are used for vitamin D does not change the answer for homocysteine."""
    result = LabResult("homocysteine", "16", "umol/L", ref_text="< 20")
    person = Patient(sex="female", age_years=71)
    plain, asked = assess(result, person), assess(result, person, authority={"vitamin_d": "nam"})
    assert isinstance(plain, Finding)
    assert isinstance(asked, Finding)
    assert (asked.limits, asked.code) == (plain.limits, plain.code) == ("reported", "N")


def test_an_authority_is_given_by_any_name_of_the_analyte() -> None:
    """`authority={"vitamin D": ...}` is used, or refused; it is not passed over."""
    answer = assess({"vitamin D": "60 nmol/L"}, authority={"vitamin D": "endocrine-society"}, as_of="2020-01-01")
    assert isinstance(answer, Finding)
    assert answer.limits == "vitamin_d/endocrine-2011"


@pytest.mark.parametrize(
    "text",
    [
        '{"patient": {"birth_date": 0}, "results": {}}',
        '{"results": [{"test": "ferritin", "value": "12 ug/L", "collected_at": 86400}]}',
        '{"patient": {"id": false}, "results": {}}',
    ],
)
def test_json_of_another_type_is_not_taken_for_a_day_or_a_label(text: str) -> None:
    """A number is no day (0 would be 1970, and the person of another age), and a truth value is no label ("0" for false)."""
    with pytest.raises(InputError, match="panel 0"):
        read_bytes(text.encode())


@pytest.mark.parametrize(
    "data",
    [
        b'NARY"}, "code": {"coding": [{"id": "7", "name": "Anna Muster"}, "results": 1\n',  # a JSON document without its beginning
        b"7,Anna Muster,test,1953-03-04,Ferritin\n8,Bert Muster,Ferritin,1950-01-01,12\n",  # a table without its header
    ],
)
def test_a_line_of_data_is_not_told_as_names_of_columns(data: bytes) -> None:
    """What stands where the header should be may be a person's, even if a word in it is the usual name of a column."""
    with pytest.raises(InputError) as error:
        read_bytes(data, format="csv")
    assert "Muster" not in str(error.value)
    with pytest.raises(InputError) as error:
        read_bytes(data, format="csv", columns={"value": "wert"})
    assert "Muster" not in str(error.value)


@pytest.mark.parametrize("number", ["9e99999999999999999999", "1e-99999999999999999999"])
@pytest.mark.parametrize(
    "form",
    ['{"results": {"Ferritin": %s, "B12": "210 pg/mL"}}', '[{"test": "Ferritin", "value": %s}, {"test": "B12", "value": "210 pg/mL"}]'],
)
def test_a_number_whose_exponent_no_number_has_is_a_row_with_its_reason(number: str, form: str) -> None:
    """The others are read, and its text is kept."""
    (panel,) = read_bytes((form % number).encode()).panels
    first, second = interpret(panel.results, Patient(age_years=40)).rows()
    assert isinstance(first, NotAssessed)
    assert (first.reason, first.value_text) == ("unreadable_value", number)
    assert isinstance(second, Finding)


def test_text_instead_of_bytes_is_told() -> None:
    """The encoding of text is not guessed."""
    with pytest.raises(TypeError, match=r"read_bytes takes bytes, and this is text; give text.encode\(\)"):
        read_bytes("test,value")  # type: ignore[arg-type]
