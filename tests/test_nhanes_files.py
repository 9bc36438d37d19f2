"""SAS transport and NHANES: zeros and missing values, two units of one result, detection limits, people; every file at hand read whole."""

from __future__ import annotations

import csv
import io
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.test_real_data import SHARED, needs_shared, nhanes, rows_of

from labinterp import Catalog, Finding, LabResult, NotAssessed, interpret
from labinterp._formats.nhanes import known_columns
from labinterp._formats.nhanes_people import Participant, participants_of
from labinterp._identify import Identified, identify
from labinterp._quantity import Unreadable
from labinterp.errors import InputError, LabInterpError, MissingExtraError
from labinterp.readers import PanelIn, Source, read_bytes, read_files

pyreadstat = pytest.importorskip("pyreadstat")
CANARY = "XQZCANARY"
DEMO = "SEQN,RIAGENDR,RIDAGEYR,RIDEXPRG\n1,2,40,2\n2,1,40,\n3,2,30,1\n"
NONE = float("nan")


def transport(
    folder: Path, name: str, columns: Mapping[str, Sequence[Any]], labels: Mapping[str, str] | None = None, version: int = 5
) -> Path:
    """A SAS transport file."""
    import pandas as pd

    path = folder / name
    pyreadstat.write_xport(
        pd.DataFrame(dict(columns)), str(path), column_labels=dict(labels or {}), table_name=path.stem[:8], file_format_version=version
    )
    return path


@pytest.fixture
def survey(tmp_path: Path) -> Callable[..., Source]:
    """Read columns as a transport file, with demographics beside it."""

    def read(
        columns: Mapping[str, Sequence[Any]], *, name: str = "L06_B.XPT", labels: Mapping[str, str] | None = None, demo: str = DEMO
    ) -> Source:
        (tmp_path / "demo.csv").write_text(demo, "utf-8")
        return read_files([transport(tmp_path, name, columns, labels), tmp_path / "demo.csv"])

    return read


def results(source: Source) -> list[LabResult]:
    return [result for panel in source.panels for result in panel.results]


def answers(panels: Sequence[PanelIn]) -> list[Finding | NotAssessed]:
    return [one for panel in panels for one in interpret(panel.results, panel.patient, rows=panel.rows).rows()]


# --- transport files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [5, 8])
def test_zeros_missing_values_and_decimals_are_as_they_were_written(tmp_path: Path, version: int) -> None:
    """A zero is zero (and not 5.4e-79), nothing is nothing, 0.1 is 0.1."""
    path = transport(
        tmp_path, "L06_B.XPT", {"SEQN": [1, 2, 3, 4], "LBXMMA": [0.0, NONE, 0.1, 0.52], "LBDHCY": [9.3, 10, NONE, NONE]}, version=version
    )
    found = read_files([path])
    assert [(p.patient.id, [(r.test, str(r.value)) for r in p.results]) for p in found.panels] == [
        ("1", [("Methylmalonic acid", "0"), ("Homocysteine", "9.3")]), ("2", [("Homocysteine", "10")]),
        ("3", [("Methylmalonic acid", "0.1")]), ("4", [("Methylmalonic acid", "0.52")]),
    ]  # fmt: skip
    assert found.format == "xpt"
    assert found.panels[0].results[1].source == "L06_B.XPT, SEQN 1, LBDHCY"
    assert [panel.rows for panel in found.panels] == [[1, 2], [3], [4], [5]]
    assert "no demographics" in found.notes[0]


def test_a_missing_value_with_a_letter_is_missing(tmp_path: Path) -> None:
    """SAS has 28 missing values: ".A" is no result, as "." is none."""
    path = transport(tmp_path, "L06_B.XPT", {"SEQN": [1.0, 2.0, 3.0], "LBXFER": [12.0, NONE, NONE]})
    data = path.read_bytes()
    at = data.rindex(b"\x2e" + b"\0" * 7)  # the "." of the last row
    for letter in b"A_Z":
        found = read_bytes(data[:at] + bytes([letter]) + data[at + 1 :], name="L06_B.XPT")
        assert [result.value for result in results(found)] == [12]


def test_files_are_joined_on_the_participant(tmp_path: Path, cli: Callable[..., Any]) -> None:
    """Laboratory files and demographics of one survey give one panel a participant, on the command line, too."""
    first = transport(tmp_path, "L06_B.XPT", {"SEQN": [1, 2, 3], "LBXFER": [12, 300, 20]})
    second = transport(tmp_path, "L40_B.XPT", {"SEQN": [2, 1, 9], "LBXSIR": [100, 40, 60]})
    (tmp_path / "demo_b.csv").write_text(DEMO + "77,1,50,\n", "utf-8")
    found = read_files([first, second, tmp_path / "demo_b.csv"])
    assert [(p.patient.id, p.patient.sex, p.patient.pregnant, len(p.results)) for p in found.panels] == [
        ("1", "female", False, 2), ("2", "male", None, 2), ("3", "female", True, 1), ("9", None, None, 1),
    ]  # fmt: skip
    assert any("1 of the participants are not in the demographics" in note for note in found.notes)
    done = cli("interpret", str(first), str(tmp_path / "demo_b.csv"), "--to", "csv")
    assert done.code == 0, done.err
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [(row["patient_id"], row["li_code"], row["li_limits"]) for row in rows[:2]] == [
        ("1", "L", "ferritin/who-2020"),
        ("2", "H", "ferritin/who-2020"),
    ]


def test_a_folder_of_a_survey_is_read(tmp_path: Path, cli: Callable[..., Any]) -> None:
    """The folder as CDC's files lie in it."""
    transport(tmp_path, "L06_B.XPT", {"SEQN": [1], "LBXFER": [12]})
    transport(tmp_path, "DEMO_B.XPT", {"SEQN": [1], "RIAGENDR": [2], "RIDAGEYR": [40], "RIDEXPRG": [2]})
    done = cli("interpret", str(tmp_path))
    assert done.code == 0, done.err
    assert "1 row: 1 flagged" in done.err


def test_a_table_of_csv_with_the_names_of_cdc_is_a_survey() -> None:
    """A cut of the columns, with results and people in one table; other columns are no results."""
    (panel,) = read_bytes(
        b"SEQN,cycle_year,RIAGENDR,RIDAGEYR,RIDEXPRG,LBXFER,LBXHGB,LBDPCT\n31131,2005-2006,2,44,2,89.0,12.5,16.8\n"
    ).panels
    assert (panel.patient.id, panel.patient.sex, panel.patient.age_years, panel.patient.pregnant) == ("31131", "female", 44, False)
    assert [(r.test, str(r.value), r.unit) for r in panel.results] == [
        ("Ferritin", "89", "ng/mL"), ("Hemoglobin", "12.5", "g/dL"), ("Transferrin saturation", "16.8", "%"),
    ]  # fmt: skip


# --- columns --------------------------------------------------------------------------------------------------


def test_two_units_of_one_result_are_one_result(survey: Callable[..., Source]) -> None:
    """The first is read, the other is compared; where the first is missing the other is read."""
    found = results(survey({"SEQN": [1, 2, 3], "LBXB12": [400, NONE, 300], "LBDB12SI": [295.2, 221.4, NONE]}))
    assert [(str(r.value), r.unit) for r in found] == [("400", "pg/mL"), ("221.4", "pmol/L"), ("300", "pg/mL")]
    alone = results(survey({"SEQN": [1], "LBDB12SI": [221.4]}))
    assert [(str(r.value), r.unit) for r in alone] == [("221.4", "pmol/L")]


def test_two_units_that_do_not_agree_are_not_used(survey: Callable[..., Source]) -> None:
    """A column in another unit than its name says betrays itself by its twin."""
    found = survey({"SEQN": [1, 2], "LBXSCA": [9.4, 2.35], "LBDSCASI": [2.35, 2.35]}, name="L40_B.XPT")
    right, wrong = answers(found.panels)
    assert isinstance(right, Finding)
    assert isinstance(wrong, NotAssessed)
    assert (wrong.reason, wrong.value_text) == ("conflicting_code", "2.35")


def test_a_label_that_says_another_unit_is_not_used(survey: Callable[..., Source]) -> None:
    """MMA is in umol/L as LBXMMA: a file whose label says nmol/L contradicts the codebook."""
    (found,) = answers(survey({"SEQN": [1], "LBXMMA": [0.52]}, labels={"LBXMMA": "Methylmalonic acid (nmol/L)"}).panels)
    assert isinstance(found, NotAssessed)
    assert found.reason == "conflicting_code"
    first, second = answers(
        survey({"SEQN": [1], "LBXMMA": [0.52], "LBXMMASI": [520.0]}, labels={"LBXMMASI": "Methylmalonic Acid (nmol/L)"}).panels
    )
    assert isinstance(first, Finding)
    assert isinstance(second, Finding)
    assert (first.unit, second.unit) == ("umol/L", "nmol/L")
    assert first.code == second.code


def test_other_columns_go_by_their_label(survey: Callable[..., Source]) -> None:
    """A column no codebook here knows is named by the file itself; comment codes are no results, weights are none."""
    columns = {"SEQN": [1], "LBXBPB": [2.1], "LBDBPBSI": [0.1], "LBDBPBLC": [0], "LBXTSH1": [2.5], "WTMEC2YR": [1000.5], "URXUCR": [90]}
    labels = {
        "LBXBPB": "Lead (ug/dL)",
        "LBDBPBSI": "Lead (umol/L)",
        "LBXTSH1": "Thyroid stimulating hormone (uIU/mL)",
        "URXUCR": "Creatinine, urine (mg/dL)",
    }
    found = survey(columns, labels=labels)
    assert [(r.test, r.unit) for r in results(found)] == [
        ("Lead", "ug/dL"), ("Thyroid stimulating hormone", "u[IU]/mL"), ("Creatinine, urine", "mg/dL"),
    ]  # fmt: skip
    (only,) = results(survey({**columns, "LBXBPB": [NONE], "LBXTSH1": [NONE], "URXUCR": [NONE]}, labels=labels))
    assert (only.test, only.value, only.unit) == ("Lead", Decimal("0.1"), "umol/L")  # the SI column where the other is empty
    lead, tsh, urine = answers(found.panels)
    assert isinstance(lead, NotAssessed)
    assert isinstance(urine, NotAssessed)
    assert (lead.reason, tsh.analyte, urine.reason) == ("unknown_analyte", "tsh", "wrong_specimen")


@pytest.mark.parametrize(
    ("columns", "name", "shown"),
    [
        ({"LBXVIC": [0.0212], "LBDVICLC": [1]}, "VIC_J.XPT", "0.03"),  # LLOD 0.03 of the codebook, over the root of 2
        ({"LBXHSCRP": [0.11], "LBDHRPLC": [1]}, "HSCRP_J.XPT", "0.15"),
        ({"LBXUIB": [12], "LBDUIBLC": [1]}, "FETIB_J.XPT", "17"),
        ({"LBXMMASI": [15.6], "LBDMMALC": [1]}, "MMA_H.XPT", "22.1"),
        ({"LBXVIDMS": [3.0], "LBDVIDLC": [1]}, "VID_X.XPT", "4.95"),  # none is named: the most that rounds to 3, times the root of 2
        ({"LBXFER": [2]}, "FERTIN_D.XPT", "3.54"),  # "2: below detection limit fill value"
        ({"LBXCRP": [0.01]}, "CRP_D.XPT", "0.0213"),
        ({"LBXVIC": [0.01]}, "L06VIT_C.XPT", "0.0213"),
    ],
)
def test_what_lay_below_the_limit_of_detection_is_a_value_below_it(
    survey: Callable[..., Source], columns: dict[str, Sequence[Any]], name: str, shown: str
) -> None:
    """CDC fills in the limit over the root of 2: it is not that number, but somewhere below the limit, and a note says so."""
    found = survey({"SEQN": [1], **columns}, name=name)
    (result,) = results(found)
    assert (result.comparator, str(result.value)) == ("<", shown)
    assert any("below the limit of detection" in note for note in found.panels[0].notes)


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"LBXVIC": [0.0212], "LBDVICLC": [0]}, "VIC_J.XPT"),
        ({"LBXFER": [2]}, "FERTIN_E.XPT"),
        ({"LBXFER": [3]}, "FERTIN_D.XPT"),
        ({"LBXVIC": [0.01]}, "VIC_D.XPT"),
    ],
)
def test_what_was_measured_stays_a_number(survey: Callable[..., Source], columns: dict[str, Sequence[Any]], name: str) -> None:
    """The same number in another file, or with the comment code 0, was measured."""
    (result,) = results(survey({"SEQN": [1], **columns}, name=name))
    assert result.comparator is None


def test_a_comment_code_that_is_not_known_is_told(survey: Callable[..., Source]) -> None:
    """What CDC may mean by it is not guessed."""
    (found,) = answers(survey({"SEQN": [1], "LBXVIC": [0.5], "LBDVICLC": [3]}, name="VIC_J.XPT").panels)
    assert isinstance(found, NotAssessed)
    assert (found.reason, found.value_text) == ("unreadable_value", "0.5")


def test_every_column_that_ships_is_a_test_and_a_unit_of_the_catalog() -> None:
    """The names are known, the units are those of the analyte, and both units have an exact factor."""
    catalog = Catalog.default()
    for name, one in known_columns().items():
        found = identify(catalog, one["test"])
        assert isinstance(found, Identified), name
        for unit in (one["unit"], one.get("twin_unit")):
            assert unit is None or unit in catalog.table["analytes"][found.analyte]["factors"], (name, unit)
        assert "twin" not in one or catalog.factor(found.analyte, one["unit"], one["twin_unit"]) is not None
        assert one["codebooks"]


@needs_shared("26 codebooks of CDC")
def test_every_column_that_ships_stands_in_its_codebooks() -> None:
    """Name and unit are in the label of the codebook; limits and fill values stand in its text."""
    catalog = Catalog.default()
    for name, one in known_columns().items():
        here = [
            book for book in one["codebooks"] if (SHARED / "nhanes-codebooks" / f"{book}.md").exists()
        ]  # labels of all: test_nhanes_cycles
        for codebook in here:
            text = (SHARED / "nhanes-codebooks" / f"{codebook}.md").read_text("utf-8")
            for column, unit in ((name, one["unit"]), (one.get("twin"), one.get("twin_unit"))):
                label = next((line for line in text.splitlines() if column and line.startswith(f"### {column} - ")), None)
                if column != name and label is None:
                    continue
                assert label is not None, (codebook, column)
                printed = label[label.rindex("(") + 1 : label.rindex(")")].removesuffix(" RBC").strip()
                assert catalog.units.read(printed) == unit, (codebook, label)
        text = "".join((SHARED / "nhanes-codebooks" / f"{c}.md").read_text("utf-8") for c in here)
        assert not here or all(limit in text for limit in one.get("llod", ()))
        for file, fill in one.get("fill", {}).items():
            if file not in here:
                continue
            own = (SHARED / "nhanes-codebooks" / f"{file}.md").read_text("utf-8").split(f"### {name} - ")[1].split("###")[0]
            assert any(line.startswith(f"{fill} | ") and "elow" in line for line in own.splitlines()), (name, file)


def test_answers_stand_beside_what_was_read(tmp_path: Path, cli: Callable[..., Any]) -> None:
    """As CSV each result is a row, with the value as it stood, whether it was believed or not; as OMOP it has the model's columns."""
    path = transport(tmp_path, "VIC_J.XPT", {"SEQN": [1, 2], "LBXVIC": [0.0212, 0.9], "LBDVICLC": [1, 7]})
    rows = list(csv.DictReader(io.StringIO(cli("interpret", str(path), "--to", "csv", "--sex", "female", "--age", "40").out)))
    assert [(row["value"], row["li_comparator"], row["li_reason"]) for row in rows] == [("<0.03", "<", ""), ("0.9", "", "unreadable_value")]
    first, second = csv.DictReader(io.StringIO(cli("interpret", str(path), "--to", "omop").out))
    assert (first["person_id"], first["operator_concept_id"], first["value_as_number"], first["unit_concept_id"]) == (
        "1",
        "4171756",
        "0.03",
        "8840",
    )
    assert (second["person_id"], second["value_as_number"], second["value_source_value"]) == ("2", "", "0.9")


def test_without_the_reader_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line with the command that installs it; CSV needs no reader."""
    path = transport(tmp_path, "L06_B.XPT", {"SEQN": [1], "LBXFER": [12]})
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    with pytest.raises(MissingExtraError, match=r'pip install "labinterp\[surveys\]"'):
        read_files([path])
    assert results(read_bytes(b"SEQN,LBXFER\n1,12\n"))[0].test == "Ferritin"


# --- people ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "years"),
    [
        ({"RIDAGEYR": ["39"]}, (39, 40)),
        ({"RIDAGEYR": ["39.0"]}, (39, 40)),
        ({"RIDAGEYR": ["85"]}, (85, 131)),
        ({"RIDAGEYR": ["80"]}, (80, 131)),
        ({"RIDAGEYR": ["0"], "RIDAGEMN": ["7"]}, (0, 1)),
        ({"RIDAGEYR": ["131"]}, None),
        ({"RIDAGEYR": [""]}, None),
        ({"RIDAGEYR": ["-3"]}, None),
    ],
)
def test_ages_are_spans(cells: dict[str, list[str]], years: tuple[int, int] | None) -> None:
    """Completed years are one year; the top of the scale is that or more."""
    found, _ = participants_of([{"SEQN": ["1"], **cells}])
    patient, notes = found.get("1", Participant()).patient("1")
    assert (patient.age and patient.age.years) == years
    assert bool(notes) == (years is not None and years[1] == 131)


def test_eighty_is_eighty_where_the_file_knows_older_people() -> None:
    """Ages were cut off at 85 up to 2005-2006 and at 80 since."""
    found, _ = participants_of([{"SEQN": ["1", "2"], "RIDAGEYR": ["80", "83"]}])
    assert [one.or_more for one in found.values()] == [False, False]


def test_months_of_a_child_are_used() -> None:
    """Seven months: not six, not twelve."""
    found, _ = participants_of([{"SEQN": ["1"], "RIDAGEYR": ["0"], "RIDAGEMN": ["7"]}])
    age = found["1"].patient("1")[0].age
    assert age is not None
    assert age.months == (7, 8)
    assert age.days[0] <= 7 * 30.4375 < age.days[1]


@pytest.mark.parametrize(("code", "pregnant"), [("1", True), ("2", False), ("3", None), ("", None), ("1.0", True)])
def test_pregnancy_is_what_cdc_says(code: str, pregnant: bool | None) -> None:
    """What could not be ascertained is not known."""
    found, _ = participants_of([{"SEQN": ["1"], "RIAGENDR": ["2"], "RIDEXPRG": [code]}])
    assert found["1"].pregnant is pregnant


def test_files_that_contradict_each_other_leave_the_fact_unknown() -> None:
    """Two sexes for one number: neither."""
    found, notes = participants_of(
        [{"SEQN": ["1"], "RIAGENDR": ["2"], "RIDAGEYR": ["40"]}, {"SEQN": ["1"], "RIAGENDR": ["1"], "RIDAGEYR": ["40"]}]
    )
    assert (found["1"].sex, found["1"].years) == (None, 40)
    assert "contradict each other on 1" in notes[0]


# --- files that are no survey, and hostile ones ---------------------------------------------------------------


def test_a_transport_file_with_one_result_a_row_is_a_table(tmp_path: Path) -> None:
    """Any transport file with the usual names of columns is read as such a table."""
    path = transport(
        tmp_path, "LABS.XPT", {"PID": ["A", "A"], "TEST": ["Ferritin", "B12"], "RESULT": [12.0, 210.0], "UNITS": ["ug/L", "ng/L"]}
    )
    (panel,) = read_files([path]).panels
    assert [(r.test, r.value, r.unit) for r in panel.results] == [("Ferritin", "12", "ug/L"), ("B12", "210", "ng/L")]


def test_another_transport_file_is_told_with_its_columns(tmp_path: Path) -> None:
    """Neither a survey nor one result a row: the message names the columns and the next step."""
    with pytest.raises(InputError, match=r"FERR, IRON\. Name them"):
        read_files([transport(tmp_path, "WIDE.XPT", {"FERR": [12.0], "IRON": [60.0]})])
    with pytest.raises(InputError, match="no laboratory results"):
        read_bytes(DEMO.encode())


@cache
def sample() -> bytes:
    """A small survey as a transport file, with a text column."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        columns = {
            "SEQN": [1, 2, 3],
            "LBXFER": [12, NONE, 300],
            "LBDFERSI": [12, NONE, 300],
            "LBXVIC": [0.5, 0.0, NONE],
            "WHO": [CANARY, "b", "c"],
        }
        return transport(Path(folder), "L06_B.XPT", columns, {"LBXFER": "Ferritin (ng/mL)"}).read_bytes()


def held(data: bytes, name: str = "L06_B.XPT") -> None:
    """What must be true of any bytes: an answer for each result, or a clear error that shows no cell."""
    told, counts = "", (0, 0)
    try:
        found = read_bytes(data, name=name, format="xpt")
        counts = (len(answers(found.panels)), len(results(found)))
    except LabInterpError as error:
        told = str(error)
    assert CANARY not in told
    assert counts[0] == counts[1]


def test_a_transport_file_that_breaks_off_or_is_changed_is_answered_or_told() -> None:
    """Cut anywhere and bytes changed at random. LABINTERP_FUZZ_SECONDS lets it run longer."""
    data, dice = sample(), random.Random(7)
    for cut in range(0, len(data), 97):
        held(data[:cut])
    until, runs = time.monotonic() + float(os.environ.get("LABINTERP_FUZZ_SECONDS", "0")), 0
    while runs < 150 or time.monotonic() < until:
        runs += 1
        changed = bytearray(data)
        for _ in range(dice.randrange(1, 10)):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        held(bytes(changed))


@pytest.mark.parametrize("offset", [0, 1])
def test_a_column_whose_name_is_no_text_is_told(offset: int) -> None:
    """Found by fuzzing: the reader of transport files gives such a name as None, or fails on it."""
    data = bytearray(sample())
    at = data.index(b"LBXVIC") + offset
    for odd in (b"\xff", b"\xc3", b"\xe9"):
        data[at : at + 1] = odd
        held(bytes(data))
        with pytest.raises(InputError, match="damaged"):
            read_bytes(bytes(data), name="L06_B.XPT")


_CELL = st.sampled_from(
    ["", "0", "1", "2", "3", "85", "80", "12", "0.5", "-1", "nan", "inf", "1e999999999", "<5", "x", CANARY, "=1+1", "1.0", "9" * 300]
)


@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(st.lists(_CELL, min_size=9, max_size=9), max_size=4))
def test_any_cells_of_a_survey_are_answered(rows: list[list[str]]) -> None:
    """Cells in any order: every cell with something in it gets an answer."""
    out = io.StringIO()
    csv.writer(out).writerows([["SEQN", "RIAGENDR", "RIDAGEYR", "RIDEXPRG", "LBXFER", "LBDFERSI", "LBXVIC", "LBDVICLC", "LBXODD"], *rows])
    held(out.getvalue().encode(), "VIC_J.csv")


def test_odd_text_files_are_told() -> None:
    """A binary file, a field of 10 MB, a file that stops inside a row."""
    held(b"SEQN,LBXFER\n1," + b"9" * 10_000_000)
    held(b"SEQN,LBXFER\n1,\0\n")
    held(b"SEQN,LBXFER,LBXB12\n1,12\n2")
    held(b"")
    assert [r.value for r in results(read_bytes(b"SEQN,LBXFER,LBXB12\n1,12\n2"))] == [12]


# --- real data ------------------------------------------------------------------------------------------------

# Results of each analyte, as the surveys' own counts of values say.
SURVEYS: dict[str, tuple[tuple[str, ...], dict[str, int]]] = {
    "2001-2002": (
        ("nhanes-2001-2002/L06_B.XPT", "nhanes-2001-2002/L40_B.XPT", "nhanes-2001-2002/demo_b_age_sex.csv"),
        {"vitamin_b12": 8390, "ferritin": 8807, "folate": 8386, "rbc_folate": 8488, "homocysteine": 8472, "mma": 8451, "albumin": 6891,
         "calcium": 6891, "creatinine": 6891, "phosphate": 6891, "iron": 6890},
    ),
    "2003-2004": (
        ("nhanes-2003-2004/L25_C.XPT", "nhanes-2003-2004/L40_C.XPT", "nhanes-2003-2004/demo_c_age_sex.csv"),
        {"hemoglobin": 8384, "mcv": 8384, "albumin": 6492, "calcium": 6492, "creatinine": 6492, "phosphate": 6491, "iron": 6486},
    ),
    "2005-2008": (
        ("nhanes-2005-2008-iron/FERTIN_D.XPT", "nhanes-2005-2008-iron/FERTIN_E.XPT", "nhanes-2005-2008-iron/TFR_D.XPT",
         "nhanes-2005-2008-iron/demo_d_age_sex.csv", "nhanes-2005-2008-iron/demo_e_age_sex.csv"),
        {"ferritin": 3031 + 2491},
    ),
    "women": (
        ("nhanes-2005-2008-iron/women_18_45_2005_2006_iron_hb.csv",),
        {"ferritin": 1134, "hemoglobin": 1134, "iron": 1134, "tibc": 1134, "transferrin_saturation": 1134},
    ),
}  # fmt: skip


@cache
def read_survey(name: str) -> Source:
    return read_files([SHARED / file for file in SURVEYS[name][0]])


@needs_shared("30,000 participants of NHANES")
@pytest.mark.parametrize("name", SURVEYS)
def test_a_survey_is_read_whole(name: str) -> None:
    """Every value of the files is a result; missing cells are none; nobody is without sex and age; no two units disagree."""
    source, expected = read_survey(name), SURVEYS[name][1]
    catalog = Catalog.default()
    found: Counter[str | None] = Counter()
    for result in results(source):
        said = identify(catalog, result.test, result.loinc, result.specimen)
        found[said.analyte if isinstance(said, Identified) else None] += 1
        assert not isinstance(result.value, Unreadable), result.source
    assert {analyte: found[analyte] for analyte in expected} == expected
    assert source.notes == ()
    assert all(panel.patient.sex and panel.patient.age for panel in source.panels)


@needs_shared("the transferrin receptor of 3,025 people")
def test_another_protein_is_not_transferrin() -> None:
    """The soluble receptor comes back as unknown, and the eleven ferritins below detection are below 3.54."""
    source = read_survey("2005-2008")
    assert Counter(r.test for r in results(source)) == {"Ferritin": 5522, "Transferrin Receptor": 3025}
    assert Counter(str(r.value) for r in results(source) if r.comparator) == {"3.54": 11}
    assert not isinstance(identify(Catalog.default(), "Transferrin Receptor"), Identified)


@needs_shared("two readers of one transport file")
@pytest.mark.parametrize("file", ["nhanes-2003-2004/L40_C.XPT", "nhanes-2001-2002/L06_B.XPT"])
def test_the_values_are_those_of_another_reader(file: str) -> None:
    """The example's own reader of the format, written apart from this one, gives the same decimals for every result."""
    plain = nhanes().plain
    other = {int(row["SEQN"]): row for row in nhanes().read_xpt(SHARED / file)}
    checked = 0
    for panel in read_files([SHARED / file]).panels:
        for result in panel.results:
            column = str(result.source).rpartition(", ")[2]
            assert Decimal(plain(other[int(panel.patient.id or 0)][column])) == result.value
            checked += 1
    assert checked > 80_000


@needs_shared("1,134 women with iron panels")
def test_the_women_are_the_people_of_their_ferritin_file() -> None:
    """The cut holds the ferritin of FERTIN_D for each woman, and her age in the demographics."""
    whole = {panel.patient.id: panel for panel in read_survey("2005-2008").panels}
    for panel in read_survey("women").panels:
        twin = whole[panel.patient.id]
        ferritin = next(r for r in twin.results if r.test == "Ferritin")
        own = next(r for r in panel.results if r.test == "Ferritin")
        assert ferritin.value == own.value or ferritin.comparator == "<"
        assert (twin.patient.sex, twin.patient.age_years) == (panel.patient.sex, panel.patient.age_years)
    assert len(rows_of(SHARED / "nhanes-2005-2008-iron" / "women_18_45_2005_2006_iron_hb.csv")) == len(read_survey("women").panels)
