"""Wide tables, a column for each analyte: what a column is, where its unit is found, what comes back where there is none."""

from __future__ import annotations

import csv
import gzip
import io
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labinterp import interpret
from labinterp._intake import Source
from labinterp._quantity import Unreadable
from labinterp.errors import InputError, MissingExtraError
from labinterp.readers import read_bytes, read_file

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not here")
Cli = Callable[..., Any]


def wide(*lines: str, **how: Any) -> Source:
    return read_bytes("\n".join([*lines, ""]).encode(), name="labs.csv", **how)


def results(source: Source) -> list[tuple[str, Any, str | None, str]]:
    return [(r.test, r.value, r.unit, r.source) for panel in source.panels for r in panel.results]


def answers(source: Source) -> list[str]:
    """Band or reason of each result, in order."""
    found = []
    for panel in source.panels:
        report = interpret(panel.results, panel.patient, rows=panel.rows)
        found += [getattr(answer, "reason", None) or answer.band for answer in report.rows()]
    return found


# --- headers and units --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "analyte", "unit"),
    [
        ("Ferritin (ug/L)", "ferritin", "ug/L"),
        ("Ferritin [µg/L]", "ferritin", "ug/L"),
        ("ferritin_ug_l", "ferritin", "ug/L"),
        ("Ferritin ng/mL", "ferritin", "ng/mL"),
        ("Ferritin, ug/L", "ferritin", "ug/L"),
        ("25(OH)D nmol/L", "vitamin_d", "nmol/L"),
        ("vitamin_d_ng_ml", "vitamin_d", "ng/mL"),
        ("hb_g_dl", "hemoglobin", "g/dL"),
        ("Serum Magnesium (mmol/L)", "magnesium", "mmol/L"),
        ("2276-4 ug/L", "ferritin", "ug/L"),
    ],
)
def test_a_header_may_hold_the_unit(header: str, analyte: str, unit: str) -> None:
    """In brackets, behind the name, with underscores; a code may stand for the name."""
    number = {"ferritin": "90", "vitamin_d": "35", "hemoglobin": "13", "magnesium": "0.8"}[analyte]
    source = wide(f'id,sex,age,"{header}"', f"7,F,34,{number}")
    (panel,) = source.panels
    (answer,) = interpret(panel.results, panel.patient).rows()
    assert (answer.analyte, answer.quantity.unit if answer.quantity else None) == (analyte, unit)
    assert (panel.patient.id, panel.patient.sex, panel.patient.age_years) == ("7", "female", 34)


def test_a_row_of_units_stands_below_the_header() -> None:
    """It is one only if each of its cells under a column of results is a unit; it is no row of results."""
    source = wide("id,Ferritin,B12,note", ",ug/L,ng/L,", "7,12,200,x")
    assert results(source) == [
        ("Ferritin", "12", "ug/L", "labs.csv, row 2, column Ferritin"),
        ("B12", "200", "ng/L", "labs.csv, row 2, column B12"),
    ]
    numbers = wide("id,Ferritin,B12", "7,1,1", "8,12,200")
    assert [value for _, value, *_ in results(numbers)] == ["1", "1", "12", "200"]
    mixed = wide("id,Ferritin,B12", ",ug/L,pending", "8,12,200")
    assert answers(mixed) == ["unreadable_value", "unreadable_value", "missing_unit", "missing_unit"]


def test_a_column_of_units_stands_beside() -> None:
    """Under the name of the test, or called a unit right beside it."""
    for header in ("Ferritin,Ferritin unit,CRP,unit", "Ferritin,CRP,Ferritin_units,CRP unit"):
        cells = {"Ferritin": "12", "CRP": "3", "Ferritin unit": "ug/L", "Ferritin_units": "ug/L", "CRP unit": "mg/L", "unit": "mg/L"}
        source = wide(header, ",".join(cells[name] for name in header.split(",")))
        assert [(test, unit) for test, _, unit, _ in results(source)] == [("Ferritin", "ug/L"), ("CRP", "mg/L")]
        assert source.notes == ()


@pytest.mark.parametrize("key", ["ferritin", "Ferritin", "SF level", "sf_level", "serum ferritin"])
def test_a_unit_is_given_once(key: str) -> None:
    """By the id of the analyte, one of its names, or the header."""
    source = wide("id,SF level,CRP (mg/L)", "7,12,3", columns={"ferritin": "SF level"}, units={key: "ug/L"})
    assert [(test, unit) for test, _, unit, _ in results(source)] == [("ferritin", "ug/L"), ("CRP (mg/L)", "mg/L")]
    assert results(source)[0][3] == "labs.csv, row 1, column SF level"


def test_without_a_unit_each_value_says_so() -> None:
    """A unit is never guessed."""
    source = wide("id,Ferritin,B12", "7,12,200", "8,13 ug/L,")
    assert answers(source) == ["missing_unit", "missing_unit", "age_unknown"]


def test_what_may_be_two_analytes_or_is_another_comes_back() -> None:
    """Each value with its reason; a column of nobody is named."""
    source = wide("id,Ferritin (ug/L),B12 (ng/L),sTfR,TS,Urine iron,Shoe size", "7,90,400,4,30,5,41", "8,,,,31,,")
    assert [test for test, *_ in results(source)][2:] == ["sTfR", "TS", "Urine iron", "TS"]
    assert answers(source)[2:] == ["unknown_analyte", "ambiguous_analyte", "wrong_specimen", "ambiguous_analyte"]
    assert source.notes == ("labs.csv: columns that are no results known here, and were not read: Shoe size.",)


def test_two_units_for_one_value_are_a_conflict() -> None:
    """The header says one, the column beside it another."""
    source = wide("Ferritin (ug/L),Ferritin unit,CRP (mg/L)", "12,mg/L,3", "12,ng/mL,3", "12,,3")
    values = [value for test, value, *_ in results(source) if test.startswith("Ferritin")]
    assert isinstance(values[0], Unreadable)
    assert values[0].reason == "conflicting_code"
    # ng/mL and ug/L are the same size and still two units: what is written twice is written once
    assert isinstance(values[1], Unreadable)
    assert values[2] == "12"


def test_a_unit_that_is_not_known_is_told() -> None:
    """In the header: each value says so. Given: the run does."""
    assert answers(wide("Ferritin (foo/L),CRP (mg/L)", "12,3"))[0] == "unknown_unit"
    with pytest.raises(InputError, match="the unit 'foo' of --unit is not known"):
        wide("Ferritin,CRP", "12,3", units={"ferritin": "foo"})
    with pytest.raises(InputError, match="no result is called 'sf'"):
        wide("Ferritin,CRP,sf", "12,3,5", units={"sf": "ug/L"})
    with pytest.raises(InputError, match="fits the columns 'Ferritin' and '2276-4'; name the column"):
        wide("Ferritin,2276-4", "12,3", units={"serum ferritin": "ug/L"})


def test_a_unit_of_the_file_goes_first() -> None:
    """The one that was given is for values without, and a note says that it was not used."""
    source = wide("Ferritin (ug/L),CRP", "12,3", units={"ferritin": "ng/mL", "CRP": "mg/L"})
    assert [unit for *_, unit, _ in results(source)] == ["ug/L", "mg/L"]
    assert source.notes == ("labs.csv: the unit given for Ferritin (ug/L) was not used: the table says one.",)


def test_units_are_given_for_long_tables_too() -> None:
    """Where a row has none."""
    source = wide("test,value", "Ferritin,12", "CRP,3", units={"ferritin": "ug/L", "CRP": "mg/L"})
    assert [unit for *_, unit, _ in results(source)] == ["ug/L", "mg/L"]
    source = wide("test,value,unit", "Ferritin,12,", "Ferritin,12,ng/mL", units={"ferritin": "ug/L"})
    assert [unit for *_, unit, _ in results(source)] == ["ug/L", "ng/mL"]


# --- rows -----------------------------------------------------------------------------------------------------------


def test_a_row_is_a_draw() -> None:
    """Also where two rows say the same of the same person; a fact told once holds for all rows of a person."""
    source = wide("id,sex,age,date,Ferritin (ug/L),CRP (mg/L)", "7,F,34,2024-01-01,12,3", "7,,34,2024-01-01,13,4", "8,M,50,,,", "9,,,,,5")
    assert [(p.patient.id, p.patient.sex, p.rows) for p in source.panels] == [
        ("7", "female", [1, 2]),
        ("7", "female", [3, 4]),
        ("9", None, [5]),
    ]
    assert str(source.panels[0].results[0].collected_at) == "2024-01-01"
    assert source.notes == ("labs.csv: 1 row holds no value.",)


def test_a_row_with_more_cells_than_the_header_has_no_value() -> None:
    """An unquoted decimal comma moves what follows it."""
    assert answers(wide("Ferritin (ug/L),CRP (mg/L)", "12,5,3", "90,3")) == [
        "unreadable_value",
        "unreadable_value",
        "adequate",
        "not_raised",
    ]


def test_a_fact_that_cannot_be_read_is_told() -> None:
    """As in long tables."""
    source = wide("id,sex,Ferritin (ug/L),CRP (mg/L)", "7,1,12,3")
    assert source.panels[0].patient.sex is None
    assert "the sex could not be read" in source.panels[0].notes[0]


@pytest.mark.parametrize(
    "header",
    ["Analysis,RESULT,unit", "name,value2,unit", "test,b", "Analyte,Konzentration", "id,Ferritin", "a,b", "Ferritin"],
)
def test_a_broken_long_table_is_no_wide_one(header: str) -> None:
    """Its message says what a long table needs."""
    with pytest.raises(InputError, match=r"no column was found for|a header line is needed"):
        wide(header, ",".join(["Ferritin", "12", "ug/L"][: header.count(",") + 1]), "B12,200,ng/L")
    if "Ferritin" in header:
        with pytest.raises(InputError, match="give its unit: --unit 'Ferritin=UNIT'"):
            wide(header, "12,13"[: 3 * header.count(",") + 2])
        assert len(wide(header, "7,12" if "," in header else "12", units={"Ferritin": "ug/L"}).panels) == 1


NO_HEADER: dict[str, str] = {
    # the first line is a row of a long table that looks like the header of a wide one
    "two tests in its first row": "Ferritin,CRP,mg/L\nFerritin,12,ug/L\n",
    "comments that name tests": "p1,Ferritin,pending,CRP\np2,CRP,pending,Ferritin\n",
    "a unit behind the test": "Ferritin ug/L,low\nCRP mg/L,low\n",
    "a vitamin below": "Ferritin (ug/L),x\n25(OH)D,x\n",
    "a group and a test": "Ferritin;serum ferritin;12;ug/L\nCRP;CRP;3;mg/L\n",
    "codes for names": "p1;Ferritin (ug/L);34\np1;30522;3\n",
    "turned round": "Ferritin (ug/L),12,13\nCRP (mg/L),3,4\n",
}


@pytest.mark.parametrize("case", NO_HEADER)
def test_a_long_table_without_its_header_is_no_wide_one(case: str) -> None:
    """The number of one test would be read as that of another; a header line is asked for."""
    with pytest.raises(InputError, match=r"a header line is needed|its header to be missing or damaged"):
        wide(*NO_HEADER[case].splitlines())


def test_a_wide_table_may_have_words_and_numbers_of_years() -> None:
    """Words that are no test are values that cannot be read; a number heads a column where the person's columns are named."""
    found = wide("id,sex,age,Ferritin (ug/L),CRP (mg/L),2004", "1,F,34,12,neg,x", "2,F,34,haemolysed,3,y")
    assert [[str(result.value) for result in panel.results] for panel in found.panels] == [["12", "neg"], ["haemolysed", "3"]]


def test_a_row_that_ran_into_the_header_is_told() -> None:
    """Its line end is lost: the other rows are read, and that one may be lost is said."""
    found = wide("patient_id,test,value,unit,sex,agep1,Ferritin,12,ug/L,F,34", "p1,CRP,3,mg/L,F,34")
    assert [result.test for panel in found.panels for result in panel.results] == ["CRP"]
    assert any("may have run into it and be lost" in note for note in found.notes)


# --- headers further down, odd beginnings ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "titles",
    [
        "Results of January\n",
        "Results, final\nDr. Smith; ward 7\n\n",
        '"a ""title"" of\ntwo lines"\n',
        "sep=;\n",
        "Name;Jane\nDate;2024-01-01\n",
    ],
)
@pytest.mark.parametrize("header", ["id;Ferritin (ug/L);CRP (mg/L)\n7;12;3\n", "id;test;value;unit\n7;Ferritin;12;ug/L\n7;CRP;3;mg/L\n"])
def test_titles_may_stand_above_the_header(cli: Cli, tmp_path: Path, titles: str, header: str) -> None:
    """They are passed over and counted; streamed files have the same rows."""
    source = wide(titles + header)
    assert [(value, unit) for _, value, unit, _ in results(source)] == [("12", "ug/L"), ("3", "mg/L")]
    assert [note for note in source.notes if "above the header" in note] or titles == "sep=;\n"
    if "test" in header:
        (tmp_path / "in.csv").write_text(titles + header)
        done = cli("interpret", str(tmp_path / "in.csv"), "--stream", "--to", "csv")
        assert [row[:4] for row in csv.reader(io.StringIO(done.out), delimiter=";")] == [line.split(";") for line in header.splitlines()]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_encodings_are_found(encoding: str) -> None:
    """By their marks."""
    source = read_bytes("id,Ferritin (µg/L),CRP (mg/L)\n7,12,3\n".encode(encoding))
    assert [unit for *_, unit, _ in results(source)] == ["ug/L", "mg/L"]


def test_a_file_that_stops_half_way_is_told() -> None:
    """What was read is kept, half a number is none."""
    source = read_bytes(b"id,Ferritin (ug/L),CRP (mg/L)\n7,12,3\n8,1", name="labs.csv")
    assert answers(source)[2] == "unreadable_value"
    assert "may be cut off there" in source.notes[0]
    rows = "".join(f"Ferritin,{n * n % 9973},ug/L\n" for n in range(3000))
    packed = gzip.compress(("test,value,unit\n" + rows).encode())
    source = read_bytes(packed[: len(packed) // 2], name="labs.csv.gz")
    kept = [value for _, value, *_ in results(source)]
    assert 100 < len(kept) < 3000
    assert kept == [str(n * n % 9973) for n in range(len(kept))]
    assert source.notes == ("labs.csv.gz: the packed file breaks off; what came before that was read, to its last whole line.",)
    with pytest.raises(InputError, match="breaks off or is damaged"):
        read_bytes(packed[:-6] + b"\xff" + packed[-5:], name="labs.csv.gz")
    source = read_bytes(
        b'{"test": "Ferritin", "value": 12, "unit": "ug/L"}\n{"test": "CRP", "value": 1, "unit": "mg/L"}\n{"test": "CR', name="x"
    )
    assert (len(results(source)), "breaks off" in source.notes[0]) == (2, True)


# --- out ------------------------------------------------------------------------------------------------------------


def test_csv_keeps_every_row_and_column(cli: Cli, tmp_path: Path) -> None:
    """Four columns for each column of results; a row of units and a row without values stay."""
    text = "id,sex,age,Ferritin,note,TS\n,,,ug/L,,%\n7,F,34,12,=1+1,\n8,M,50,,x,31\n9,M,50,,,\n"
    (tmp_path / "in.csv").write_text(text)
    done = cli("interpret", str(tmp_path / "in.csv"), "--to", "csv")
    rows = list(csv.reader(io.StringIO(done.out)))
    assert rows[0] == [
        "id",
        "sex",
        "age",
        "Ferritin",
        "note",
        "TS",
        *(f"{c} li_{n}" for c in ("Ferritin", "TS") for n in ("code", "band", "limits", "reason")),
    ]
    assert [row[:6] for row in rows[1:]] == [
        ["", "", "", "ug/L", "", "%"],
        ["7", "F", "34", "12", "'=1+1", ""],
        ["8", "M", "50", "", "x", "31"],
        ["9", "M", "50", "", "", ""],
    ]
    assert rows[2][6:] == ["L", "deficient", "ferritin/who-2020", "", "", "", "", ""]
    assert rows[3][6:] == ["", "", "", "", "", "", "", "ambiguous_analyte"]
    again = cli("interpret", "-", "--to", "csv", stdin=done.out.encode())
    assert (again.code, "already has the column 'Ferritin li_band'" in again.err) == (1, True)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_wide_files_of_any_form_are_read_together(cli: Cli, tmp_path: Path, ending: str) -> None:
    """Although others of these forms stream by."""
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"id": [7, 8], "Ferritin (ug/L)": [12.0, 90.5], "CRP": ["3", "<5"]})
    path = tmp_path / f"in{ending}"
    if ending == ".parquet":
        frame.write_parquet(path)
    else:
        path.write_bytes(gzip.compress(frame.write_csv().encode()) if ending == ".csv.gz" else frame.write_csv().encode())
    done = cli("interpret", str(path), "--unit", "crp=mg/L", "--sex", "F", "--age", "34", "-o", str(tmp_path / "out.csv.gz"))
    assert done.code == 0, done.err
    rows = list(csv.reader(io.StringIO(gzip.decompress((tmp_path / "out.csv.gz").read_bytes()).decode())))
    assert [row[4] for row in rows[1:]] == ["deficient", "adequate"]
    done = cli("interpret", str(path), "--unit", "crp=mg/L", "--to", "csv", "--stream")
    assert (done.code, "leave --stream" in done.err) == (1, True)
    done = cli("interpret", str(path), "-o", f"{tmp_path}/folder/")
    assert (done.code, "a column for each analyte is read as a whole" in done.err) == (1, True)


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["F", "M", ""]), st.sampled_from(["34", "71", "3", ""]), *[st.sampled_from(["", "5", "12", "29.9", "30", "<4", "150", "0.7", "x"])] * 4),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_wide_and_long_give_the_same_answers(people: list[tuple[str, ...]]) -> None:
    """The same results in a row and one below the other."""
    tests = [("Ferritin", "ug/L"), ("CRP", "mg/L"), ("25(OH)D", "ng/mL"), ("Magnesium", "mmol/L")]
    header = ",".join(["id", "sex", "age", *(f"{name} ({unit})" for name, unit in tests)])
    rows = [",".join([str(n), *person]) for n, person in enumerate(people)]
    listed = [
        ",".join([str(n), *person[:2], name, value, unit])
        for n, person in enumerate(people)
        for (name, unit), value in zip(tests, person[2:], strict=True)
        if value
    ]
    if not listed:
        return
    one, other = wide(header, *rows), wide("id,sex,age,test,value,unit", *listed)
    assert answers(one) == answers(other)
    assert [p.patient for p in one.panels] == [p.patient for p in other.panels]


# --- real tables ----------------------------------------------------------------------------------------------------


def reasons(source: Source, most: int = 300) -> Counter[tuple[str, str]]:
    counted: Counter[tuple[str, str]] = Counter()
    for panel in source.panels[:most]:
        report = interpret(panel.results, panel.patient, rows=panel.rows)
        assert len(list(report.rows())) == len(panel.results)
        counted.update((answer.analyte or answer.source_name, getattr(answer, "reason", "answered")) for answer in report.rows())
    return counted


@needs_data
def test_the_brinda_sample_is_read() -> None:
    """Columns have the names of its package; the units are in its documentation."""
    how: dict[str, Any] = {"columns": {"ferritin": "sf"}, "units": {"ferritin": "ug/L", "crp": "mg/L", "agp": "g/L"}}
    source = read_file(SHARED / "brinda-sample" / "sample_data.csv", **how)
    with (SHARED / "brinda-sample" / "sample_data.csv").open() as file:
        rows = list(csv.DictReader(file))
    for test, column in (("ferritin", "sf"), ("crp", "crp"), ("agp", "agp")):
        assert [v for t, v, *_ in results(source) if t == test] == [row[column] for row in rows if row[column]]
    counted = reasons(source)
    assert counted["crp", "answered"] == counted["agp", "answered"] == counted["stfr", "unknown_analyte"] == 74
    assert "rbp, zinc, sr" in source.notes[0]


@needs_data
def test_a_magnesium_without_a_unit_is_refused() -> None:
    """NHANES I: nothing tells whether it is mEq/L or mg/dL."""
    units = {"Serum Iron": "ug/dL", "TIBC": "ug/dL", "albumin": "g/dL"}
    source = read_file(SHARED / "nhanes-1971-1975-magnesium" / "nhanesi_subset_row_even.csv", units=units)
    counted = reasons(source)
    assert len(source.panels) == 4966
    assert counted["magnesium", "missing_unit"] == 300
    assert counted["albumin", "answered"] == counted["tibc", "answered"] == 300
    assert counted["TS", "ambiguous_analyte"] == 300
    assert ("magnesium", "answered") not in counted


@needs_data
def test_surveys_of_one_row_a_person_are_read() -> None:
    """Vitamin D with calcium, and a women's iron panel whose columns are named by hand."""
    source = read_file(SHARED / "nhanes-2009-2010-vitd" / "vitd_calcium_seqn_even.csv", units={"vit_d": "nmol/L", "calcium": "mg/dL"})
    assert len(source.panels) == 2557
    assert set(reasons(source)) == {("vitamin_d", "answered"), ("calcium", "answered")}
    columns = {
        "ferritin": "LBXFER",
        "hemoglobin": "LBXHGB",
        "iron": "LBXIRN",
        "tibc": "LBXTIB",
        "transferrin_saturation": "LBDPCT",
        "age_years": "RIDAGEYR",
    }
    units = {"ferritin": "ng/mL", "hemoglobin": "g/dL", "iron": "ug/dL", "tibc": "ug/dL", "LBDPCT": "%"}
    source = read_file(SHARED / "nhanes-2005-2008-iron" / "women_18_45_2005_2006_iron_hb.csv", format="csv", columns=columns, units=units)
    assert len(source.panels) == 1134
    assert len(results(source)) == 5 * 1134
    assert not [reason for _, reason in reasons(source) if reason not in ("answered", "sex_unknown", "pregnancy_unknown")]


# --- hostile --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n" + b",".join([b"1"] * 1_000_000), "1,000,000 columns"),
        (b"\0" * 100_000, "binary"),
        (b"x" * 10_000_000, "a header line is needed"),
        (b'"' * 1_000_000, "header line is needed|empty"),
        (b"Ferritin,CRP\n" * 3, None),
        (b'id,test,value\n7,Ferritin,"' + b"x" * 10_000_000 + b'"\n7,B12,5 ng/L\n', None),
        (b'id,test,value\n7,Ferritin,"' + b"x" * 10_000_000 + b"\n7,B12,5 ng/L\n", None),
        (b"\xff" * 1_000_000, "header line is needed"),
    ],
)
def test_hostile_tables_end_in_a_clear_reason(data: bytes, says: str | None) -> None:
    """Soon, and without text of the file."""
    start = time.process_time()
    if says is None:
        assert read_bytes(data).panels
    else:
        with pytest.raises(InputError, match=says) as caught:
            read_bytes(data)
        assert len(str(caught.value)) < 1000
    assert time.process_time() - start < 30  # a hang, not a speed


SECONDS = float(os.environ.get("LABINTERP_FUZZ_SECONDS", "0"))
CANARY = "XQZCANARY"
_NAMES = st.sampled_from(
    [
        "id",
        "sex",
        "age",
        "Ferritin (ug/L)",
        "CRP mg/L",
        "B12",
        "B12 unit",
        "unit",
        "TS",
        "date",
        "note",
        "test",
        "value",
        "25(OH)D nmol/L",
        "",
    ]
)
_CELLS = st.one_of(
    st.sampled_from(
        [
            "",
            "12",
            "<5",
            "1,060",
            "F",
            "2024-01-01",
            "ug/L",
            "ng/L",
            f"{CANARY} 5",
            '"',
            "=1+1",
            "NaN",
            "1e999",
            "\u200b",
            "12 ug/L",
            CANARY,
        ]
    ),
    st.text(max_size=6),
)
_TABLES = st.lists(_NAMES, min_size=1, max_size=8).flatmap(
    lambda header: st.lists(st.lists(_CELLS, min_size=0, max_size=len(header) + 1), max_size=6).map(lambda rows: [header, *rows])
)


@settings(max_examples=max(60, int(SECONDS * 100)), derandomize=not SECONDS, deadline=None, database=None)
@given(_TABLES, st.sampled_from(",;\t|"), st.booleans(), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4))
def test_any_table_is_read_or_refused(lines: list[list[str]], mark: str, quoted: bool, changes: list[tuple[int, int]]) -> None:
    """Each result that is read is answered; an error shows nothing of a row."""
    file = io.StringIO()
    if quoted:
        csv.writer(file, delimiter=mark).writerows(lines)
    else:
        file.write("\n".join(mark.join(line) for line in lines))
    data = bytearray(file.getvalue().encode("utf-8", "replace"))
    for at, byte in changes:
        if at < len(data):
            data[at] = byte
    try:
        source = read_bytes(bytes(data), units={} if len(lines) % 2 else {"B12": "ng/L"})
    except (InputError, MissingExtraError) as error:
        said = str(error)
    else:
        said = " ".join(source.notes)
        _all_are_answered(source)
    assert CANARY not in said


def _all_are_answered(source: Source) -> None:
    for panel in source.panels:
        report = interpret(panel.results, panel.patient, rows=panel.rows)
        assert [answer.row for answer in report.rows()] == panel.rows
