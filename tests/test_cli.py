"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import labinterp
from labinterp import Catalog
from labinterp._codes import REASONS

ROOT = Path(__file__).resolve().parents[1]
PANEL = str(ROOT / "docs" / "examples" / "panel.csv")
Cli = Callable[..., Any]
ONE = b"test,value,unit,sex,age\nFerritin,5,ug/L,F,34\n"
ADDED = [f"li_{n}" for n in ("analyte", "comparator", "value", "unit", "si_value", "si_unit", "code", "band", "limits", "reason")]

# The JSON document of design section 5, and what is there beyond it.
DESIGN = {
    "document": {"labinterp", "catalog", "reports"},
    "report": {"patient", "findings", "not_assessed", "patterns", "effects", "alerts"},
    "patient": {"id", "sex", "age_years", "pregnant"},
    "finding": {"row", "analyte", "source_name", "value_text", "comparator", "value", "unit", "si", "code", "band", "limits", "kind",
                "authority", "reported", "citations"},
    "si": {"value", "unit"},
    "reported": {"low", "high", "text", "flag", "code"},
    "citation": {"source", "locator", "checked"},
    "not_assessed": {"row", "analyte", "source_name", "value_text", "unit_text", "reason", "message"},
    "pattern": {"id", "certainty", "because", "missing", "text"},
    "effect": {"id", "name", "hpo", "conditions", "relation", "certainty", "reversibility", "text", "citations"},
    "alert": {"tier", "row", "text", "citations"},
    "analyte": {"id", "name", "units", "loinc", "limits", "no_limit"},
}  # fmt: skip
MORE = {
    "document": {"summary"},
    "report": {"derived", "open_questions", "advice", "notes", "catalog", "disclaimer", "standing"},
    "patient": {"contexts"},
    "finding": {"value_high", "label", "near_limit", "possible_bands", "notes", "caveats", "source"},
    "not_assessed": {"source"},
    "citation": {"organisation", "title", "year", "doi", "pmid", "url"},
    "pattern": {"name", "settled_by", "next_test", "citations"},
    "effect": {"recovery", "treatment", "mechanisms", "because"},
    "alert": {"id"},
}


def rows(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


# --- what a stranger gives it ---------------------------------------------------------------------------------

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def document_of_text() -> bytes:
    """A file of a word processor, as far as it can be told by its parts."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("[Content_Types].xml", "<a/>")
        archive.writestr("word/document.xml", "<a/>")
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "what", "step"),
    [
        ("names.csv", b"foo,bar,baz\n1,2,3\n", "3 columns and none of the usual names", "--column value=NAME"),
        ("mark.csv", b"test#value#unit\nFerritin#12#ug/L\n", "one column and none of the usual names", "--delimiter"),
        ("scan.pdf", b"%PDF-1.4\n", "this is a PDF", "type them into a table"),
        ("photo.png", PNG, "this is a picture", "type them into a table"),
        ("photo.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(range(256)), "this is a picture", "type them into a table"),
        ("photo.heic", b"\0\0\0\x18ftypheic" + bytes(range(256)), "this is a picture", "type them into a table"),
        ("letter.docx", document_of_text(), "this is a document of text or slides", "CSV file"),
        ("page.html", b"<!DOCTYPE html>\n<html><body>x</body></html>", "this is a web page", "save the results as CSV"),
        ("empty.csv", b"", "the file is empty", "accepted: CSV"),
        ("what.bin", b"\1\0\2\0" * 900, "this is a binary file", "accepted: CSV, TSV, Excel"),
    ],
)
def test_a_file_that_is_no_table_gets_one_calm_paragraph(cli: Cli, tmp_path: Path, name: str, data: bytes, what: str, step: str) -> None:
    """Its name, what it is and one next step, on standard error; code 1, nothing on standard output, no traceback."""
    path = tmp_path / name
    path.write_bytes(data)
    done = cli("interpret", str(path))
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"labinterp: {name}: ")
    assert what in done.err
    assert step in done.err
    assert done.err.count("\n") == 1


def test_a_fact_that_cannot_be_read_is_told_even_where_the_file_states_it(cli: Cli) -> None:
    """A word given on the command line is never passed over in silence."""
    for given in (("--sex", "xx"), ("--age", "old")):
        done = cli("interpret", "-", *given, stdin=ONE)
        assert (done.code, done.out) == (1, "")
        assert "accepted: " in done.err


def test_no_id_of_the_catalog_is_cut_at_80_columns(cli: Cli) -> None:
    """`labinterp analytes` shows each id whole: it is what the other commands take."""
    text = piped("analytes", COLUMNS="80")
    assert "…" not in text
    assert set(Catalog.default().analytes) <= set(text.split())
    assert max(map(len, text.splitlines())) <= 80


def test_an_output_folder_that_is_not_there_is_told(cli: Cli, tmp_path: Path) -> None:
    """The folder is named, and what to do."""
    done = cli("interpret", "-", "-o", str(tmp_path / "nowhere" / "out.csv"), stdin=ONE)
    assert (done.code, done.out) == (1, "")
    assert "there is no folder" in done.err


def test_options_that_do_not_go_together_are_told_at_once(cli: Cli, tmp_path: Path) -> None:
    """--summary and --unit: what to leave out, not one advice that leads to the next error."""
    path = tmp_path / "in.csv"
    path.write_bytes(ONE)
    done = cli("interpret", str(path), "-o", str(tmp_path / "out.csv"), "--summary", str(tmp_path / "s.json"), "--unit", "ferritin=ug/L")
    assert (done.code, done.out) == (1, "")
    assert "leave one of them out" in done.err


def test_a_name_that_is_unknown_leads_on(cli: Cli) -> None:
    """Near names are told, never a wall of all; without any, the command that lists them."""
    done = cli("interpret", PANEL, "--authority", "nhs")
    assert done.code == 1
    assert "closest: " in done.err
    assert "`labinterp limits ANALYTE`" in done.err
    assert len(done.err) < 200
    assert cli("limits", "zinc").err == "labinterp: no analyte called 'zinc'\n  `labinterp analytes` lists them all\n"
    assert cli("limits", "ferritn").err == "labinterp: no analyte called 'ferritn'\n  closest: ferritin\n"


def test_a_file_that_is_not_there_is_told_with_what_to_do(cli: Cli) -> None:
    """Its name, and where to look; no word of the operating system."""
    assert cli("interpret", "nowhere.csv").err == "labinterp: there is no file 'nowhere.csv'; check its name and the folder you are in\n"


def test_a_result_that_cannot_be_read_is_not_offered_limits(cli: Cli) -> None:
    """The list of limit sets helps where none could be chosen, not where the unit is unknown."""
    assert "to choose from" not in cli("explain", "ferritin", "40 furlongs").out
    assert "to choose from" in cli("explain", "ferritin", "160 ug/L", "--age", "40").out


# --- interpret: forms of output ------------------------------------------------------------------------------


def test_the_example_panel_is_read_whole(cli: Cli) -> None:
    """The messy example prints a table, what needs attention and the disclaimer; the summary goes to standard error."""
    done = cli("interpret", PANEL)
    assert done.code == 0
    assert done.err == "9 rows: 4 flagged, 2 normal, 1 indeterminate, 2 not assessed (authority_gives_no_limit 1, unreadable_value 1)\n"
    for text in ("Patient, female, 71 years", "vitamin_d/nam-2011", "Needs attention", "Not assessed", "Read together", "Linked to muscle"):
        assert text in done.out
    assert "No clinician has" in done.out
    assert "\x1b" not in done.out


def piped(*args: str, start: tuple[str, ...] = ("-m", "labinterp"), **env: str) -> str:
    """What a process of its own writes into a pipe, with no width and no colour asked for but those given."""
    base = {name: text for name, text in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM")}
    paths = {"PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, *start, *args], env={**base, **paths, **env}, capture_output=True, check=True)
    return done.stdout.decode()


def test_a_pipe_is_as_wide_as_a_page_and_has_no_colour() -> None:
    """Where there is no terminal the table has 120 columns; a width that is set is taken."""
    text = piped("interpret", PANEL)
    assert "\x1b" not in text
    assert 100 < max(map(len, text.splitlines())) <= 120
    assert max(map(len, piped("interpret", PANEL, COLUMNS="80").splitlines())) <= 80


@pytest.mark.parametrize("width", ["60", "80", "100", "120"])
def test_every_source_is_named_where_it_counts(width: str) -> None:
    """With --sources each number of the list below stands behind a sentence or a limit set above; none is cut off."""
    above, below = piped("interpret", PANEL, "--sources", COLUMNS=width).split("\nSources")
    listed = {int(one) for one in re.findall(r"^  \[(\d+)\] ", below, re.MULTILINE)}
    named = {int(one) for one in re.findall(r"(?<=[\[ ])(\d+)(?=[,\]])", above)}
    assert len(listed) > 20
    assert listed <= named


@pytest.mark.parametrize("width", ["60", "80", "120"])
def test_a_long_comment_hides_no_answer(tmp_path: Path, width: str) -> None:
    """A laboratory's comment in place of one value leaves name, code and meaning of every other row to be read."""
    comment = "see comment: the sample was haemolysed and was sent to the reference laboratory in another town"
    path = tmp_path / "labs.csv"
    path.write_text(f"test,value,unit,sex,age\nVitamin B12,{comment},pmol/L,F,44\nMagnesium,0.64,mmol/L,F,44\n", "utf-8")
    table = piped("interpret", str(path), COLUMNS=width).split("Not assessed")[0]
    (row,) = [line for line in table.splitlines() if re.match(r" +2 ", line)]
    assert "0.64 mmol/L" in row
    assert re.search(r"\bL\b.*\blow\b", row)
    assert "haemolysed" in table
    assert max(map(len, table.splitlines())) <= int(width)


def test_what_runs_over_hangs_under_its_first_word() -> None:
    """Below a heading each line begins an item or stands under the words of one."""
    text = piped("interpret", PANEL, COLUMNS="80")
    attention = text.split("Needs attention")[1].split("Linked to muscle")[0].splitlines()
    inside = [line for line in attention if line.startswith(" ") and line.strip()]
    assert len(inside) > 10
    assert all(line.startswith(("  - ", "    ")) for line in inside)


def test_a_narrow_terminal_parts_no_word(cli: Cli) -> None:
    """At 80 columns each name, value and limit set can be read; an id is parted at its stroke and nowhere else."""
    words = set(piped("interpret", PANEL, COLUMNS="80").split())
    for word in (
        "Methylmalonsäure",
        "umol/L",
        "indeterminate,",
        "vitamin_d/",
        "nam-2011",
        "vitamin_b12/",
        "nice-ng239-2024",
        "brinda-inflammation",
    ):
        assert word in words


def test_sources_are_numbered_where_they_are_asked_for(cli: Cli) -> None:
    """--sources puts a number behind each line and sentence and its source below; without it the way to them is said."""
    text = cli("interpret", PANEL, "--sources").out
    body, _, listed = text.partition("\nSources\n")
    marks = {int(n) for found in re.findall(r"\[([\d,\s]+)\]", body) for n in found.split(",")}
    numbers = [int(n) for n in re.findall(r"^  \[(\d+)\] ", listed, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert marks <= set(numbers)  # a cell of the table may part its numbers
    assert max(marks) == len(numbers)
    assert "p. 14, summary of serum 25OHD levels" in " ".join(listed.split())
    assert "vitamin_d/nam-2011 [1" in body
    plain = cli("interpret", PANEL).out
    assert "add --sources" in plain
    assert "[1" not in plain


def test_the_sources_of_many_people_stand_once(cli: Cli) -> None:
    """Two people share one list below the last."""
    stdin = b"id,test,value,unit,age\nA,Ferritin,5,ug/L,40\nB,Ferritin,6,ug/L,41\n"
    text = cli("interpret", "-", "--sources", stdin=stdin).out
    assert text.count("\nSources\n") == 1
    assert text.count("cut-off values, as reported by") == 1


def test_json_has_the_published_keys(cli: Cli) -> None:
    """The document has each key of the published form, and beyond them only those that are known."""
    document = json.loads(cli("interpret", PANEL, "--to", "json").out)
    reports = document["reports"]
    findings = [f for r in reports for f in r["findings"]]
    cites = [c for f in findings for c in f["citations"]] + [c for r in reports for e in r["effects"] for c in e["citations"]]
    parts = {
        "document": [document], "report": reports, "patient": [r["patient"] for r in reports], "finding": findings, "si": [f["si"] for f in findings],
        "reported": [f["reported"] for f in findings if f["reported"]], "citation": cites,
        "not_assessed": [n for r in reports for n in r["not_assessed"]], "pattern": [p for r in reports for p in r["patterns"]],
        "effect": [e for r in reports for e in r["effects"]], "alert": [a for r in reports for a in r["alerts"]],
    }  # fmt: skip
    for kind, items in parts.items():
        assert items, kind
        for item in items:
            assert set(item) >= DESIGN[kind], kind
            assert set(item) <= DESIGN[kind] | MORE.get(kind, set()), kind
    assert (document["labinterp"], document["catalog"]) == (labinterp.__version__, Catalog.default().version)


def test_json_values_have_the_published_types(cli: Cli) -> None:
    """Numbers are numbers, kinds and reasons are of their closed lists, rows are those of the file, nothing is NaN or Infinity."""

    def refuse(word: str) -> Any:
        raise AssertionError(word)

    report = json.loads(cli("interpret", PANEL, "--to", "json").out, parse_constant=refuse)["reports"][0]
    for finding in report["findings"]:
        assert isinstance(finding["value"], (int, float))
        assert isinstance(finding["si"]["value"], (int, float))
        assert finding["kind"] in ("decision_limit", "reference_interval")
        assert finding["comparator"] in (None, "<", "<=", ">", ">=", "~")
        assert all(cite["checked"] in ("primary", "secondary") for cite in finding["citations"])
    assert {n["reason"] for n in report["not_assessed"]} <= set(REASONS)
    assert sorted(x["row"] for x in (*report["findings"], *report["not_assessed"])) == list(range(1, 10))
    assert {e["relation"] for e in report["effects"]} <= {"proposed", "associated_with", "contributes_to", "causes"}
    assert {p["certainty"] for p in report["patterns"]} <= {"likely", "possible"}
    assert report["patient"] == {"id": None, "sex": "female", "age_years": 71, "pregnant": None, "contexts": []}


def test_csv_keeps_every_row_and_column(cli: Cli, tmp_path: Path) -> None:
    """The columns and rows of the input come back in order, as they stood, with the added columns behind them."""
    text = 'id;Test;Wert;Einheit;Bemerkung\nA;Ferritin;5;ug/L;"so; so"\n\nB;Zaubertest;3;;\nA;CRP;<5;mg/L;zwei\n;;;;\n'
    path = tmp_path / "in.csv"
    path.write_text(text, "utf-8")
    done = cli("interpret", str(path), "--to", "csv")
    given, back = list(csv.reader(io.StringIO(text), delimiter=";")), list(csv.reader(io.StringIO(done.out), delimiter=";"))
    assert back[0] == [*given[0], *ADDED]
    assert [row[:5] for row in back[1:]] == [row or [""] * 5 for row in given[1:]]
    assert [row[5:] for row in back[1:]] == [
        ["ferritin", "", "5", "ug/L", "5.0", "ug/L", "L", "deficient", "ferritin/who-2020", ""],
        [""] * 10,
        [*[""] * 9, "unknown_analyte"],
        ["crp", "<", "5", "mg/L", "5.0", "mg/L", "N", "not_raised", "crp/brinda-inflammation", ""],
        [*[""] * 9, "unknown_analyte"],
    ]


def test_rows_of_many_people_keep_their_place_in_csv(cli: Cli) -> None:
    """Rows of two people that alternate each have their own answer beside them."""
    done = cli("interpret", "-", "--to", "csv", stdin=b"id,test,value,unit\nA,Ferritin,5,ug/L\nB,CRP,1,mg/L\nA,CRP,20,mg/L\n")
    assert [(r["test"].lower(), r["li_analyte"]) for r in rows(done.out)] == [("ferritin", "ferritin"), ("crp", "crp"), ("crp", "crp")]
    assert [r["li_band"] for r in rows(done.out)] == ["deficient", "not_raised", "raised"]


def test_rows_of_many_people_keep_their_place_in_csv_from_json(cli: Cli) -> None:
    """The same rows as JSON give the same table."""
    data = [
        {"patient_id": who, "test": test, "value": value, "unit": unit}
        for who, test, value, unit in (("A", "Ferritin", "5", "ug/L"), ("B", "CRP", "1", "mg/L"), ("A", "Mg", "0.8", "mmol/L"))
    ]
    done = cli("interpret", "-", "--to", "csv", stdin=json.dumps(data).encode())
    assert [(r["patient_id"], r["test"], r["li_analyte"]) for r in rows(done.out)] == [
        ("A", "Ferritin", "ferritin"), ("B", "CRP", "crp"), ("A", "Mg", "magnesium"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "+cmd|x", "-2+3", "@SUM(A1)", "\t=1"])
def test_a_formula_in_a_cell_is_made_harmless(cli: Cli, text: str) -> None:
    """A text a spreadsheet would run gets an apostrophe, in the cells, the header and the added columns."""
    out = io.StringIO()
    csv.writer(out).writerows([["test", "value", "unit", text], [text, "5", "ug/L", text], ["Ferritin", "5", "ug/L", text]])
    back = list(csv.reader(io.StringIO(cli("interpret", "-", "--to", "csv", stdin=out.getvalue().encode()).out, newline="")))
    assert not [
        cell for row in back for cell in row if cell[:1] in ("=", "+", "@", "\t", "\r") or (cell[:1] == "-" and not cell[1:].isdigit())
    ]
    assert back[2][3] == "'" + text


def test_a_carriage_return_in_a_cell_breaks_no_row(cli: Cli) -> None:
    """What stood in one cell is read back from one cell."""
    done = cli("interpret", "-", "--to", "csv", stdin=b'test,value,note\nFerritin,5 ug/L,"ok\r=1+1"\nCRP,1 mg/L,x\n')
    assert [row[0] for row in csv.reader(io.StringIO(done.out, newline=""))] == ["test", "Ferritin", "CRP"]


def test_plain_numbers_are_not_touched(cli: Cli) -> None:
    """A negative number and a number with a sign are data, not formulas."""
    done = cli("interpret", "-", "--to", "csv", stdin=b'test,value,delta,note\nFerritin,5 ug/L,-3.5,"+1,5"\n')
    assert rows(done.out)[0]["delta"] == "-3.5"
    assert rows(done.out)[0]["note"] == "+1,5"


def test_a_file_with_our_columns_is_refused(cli: Cli, tmp_path: Path) -> None:
    """An output read again does not get two columns of one name."""
    first = cli("interpret", "-", "--to", "csv", stdin=ONE).out
    done = cli("interpret", "-", "--to", "csv", stdin=first.encode())
    assert (done.code, done.out) == (1, "")
    assert "li_analyte" in done.err


# --- interpret: input ----------------------------------------------------------------------------------------


def test_standard_input_is_read(cli: Cli) -> None:
    """A dash reads standard input, of every form."""
    for data in (
        ONE,
        ONE.replace(b",", b"\t"),
        b'{"results": {"Ferritin": "5 ug/L"}, "patient": {"sex": "F", "age_years": 34}}',
        ONE.decode().encode("utf-16"),
    ):
        document = json.loads(cli("interpret", "-", "--to", "json", stdin=data).out)
        assert [f["band"] for f in document["reports"][0]["findings"]] == ["deficient"]


def test_columns_delimiter_and_encoding_can_be_given(cli: Cli) -> None:
    """What is not found can be said."""
    data = "Größe:RESULT:u\nFerritin:5:µg/L\n".encode("cp850")
    options = ["--column", "test=Größe", "--column", "value=RESULT", "--column", "unit=u", "--delimiter", ":", "--encoding", "cp850"]
    assert rows(cli("interpret", "-", "--to", "csv", *options, stdin=data).out, ":")[0]["li_value"] == "5"


def test_facts_of_the_command_line_fill_what_the_file_does_not_say(cli: Cli) -> None:
    """Sex, age and pregnancy given as options hold where the file is silent, and not where it speaks."""
    data = b"id,test,value,unit,sex,age\nA,Ferritin,160,ug/L,,\nB,Ferritin,160,ug/L,M,50\n"
    silent = rows(cli("interpret", "-", "--to", "csv", stdin=data).out)
    told = rows(cli("interpret", "-", "--to", "csv", "--sex", "female", "--age", "34", "--not-pregnant", stdin=data).out)
    assert [r["li_band"] or r["li_reason"] for r in silent] == ["age_unknown", "adequate"]
    assert [r["li_band"] for r in told] == ["overload_risk", "adequate"]


def test_the_decimal_mark_settles_what_reads_two_ways(cli: Cli) -> None:
    """1,060 is refused, or read as the mark says."""
    data = b"test;value;unit;age\nB12;1,060;pg/mL;40\n"
    got = [
        rows(cli("interpret", "-", "--to", "csv", *mark, stdin=data).out, ";")[0] for mark in ([], ["--decimal", "."], ["--decimal", ","])
    ]
    assert [r["li_reason"] or r["li_value"] for r in got] == ["ambiguous_number", "1060", "implausible"]


def test_authority_and_day_choose_the_limits(cli: Cli) -> None:
    """Whose limits, and of which day, can be asked for: for all analytes, for one, or a set by its id."""
    data = b"test,value,unit,sex,age\nvitamin D,55,nmol/L,F,40\n"
    asked = [
        [], ["--authority", "vitamin_d/ros-2018"], ["--authority", "endocrine-society", "--as-of", "2020-01-01"],
        ["--authority", "25(OH)D=endocrine-society"],
    ]  # fmt: skip
    got = [rows(cli("interpret", "-", "--to", "csv", *options, stdin=data).out)[0] for options in asked]
    assert [r["li_limits"] or r["li_reason"] for r in got] == [
        "vitamin_d/nam-2011", "vitamin_d/ros-2018", "vitamin_d/endocrine-2011", "authority_gives_no_limit",
    ]  # fmt: skip


def test_a_sites_own_limits_are_used(cli: Cli) -> None:
    """--limits adds a hospital's files."""
    done = cli("interpret", "-", "--to", "csv", "--limits", str(ROOT / "docs" / "examples" / "our_limits"), "--not-pregnant", stdin=ONE)
    assert rows(done.out)[0]["li_limits"] == "ferritin/example-hospital-2026"


def test_half_a_character_does_no_harm(cli: Cli) -> None:
    """JSON may hold what is no character; it is printed in some way or refused."""
    done = cli("interpret", "-", "--to", "json", stdin=b'{"results": {"B12 \\ud800": "210 pg/mL"}}')
    assert done.code in (0, 1)


def test_output_does_not_depend_on_the_terminal(tmp_path: Path) -> None:
    """What is written to a pipe is UTF-8, whatever the terminal of the day is."""
    env, data = {**os.environ, "PYTHONIOENCODING": "cp1252"}, "test,value,unit\nферритин,5,ug/L\n".encode()
    command = [sys.executable, "-m", "labinterp", "interpret", "-", "--to", "csv"]
    done = subprocess.run(command, input=data, capture_output=True, env=env, cwd=tmp_path, check=False)
    assert (done.returncode, "ферритин" in done.stdout.decode("utf-8", "replace")) == (0, True)


# --- exit codes ----------------------------------------------------------------------------------------------


def test_exit_codes_of_interpret(cli: Cli) -> None:
    """0 when done, 2 when --strict and a row has no answer; the output is written all the same."""
    assert cli("interpret", "-", "--strict", stdin=ONE).code == 0
    odd = ONE + b"Zaubertest,3,,F,34\n"
    assert cli("interpret", "-", stdin=odd).code == 0
    done = cli("interpret", "-", "--strict", "--to", "csv", stdin=odd)
    assert done.code == 2
    assert len(rows(done.out)) == 2
    assert "1 not assessed (unknown_analyte 1)" in done.err


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["nosuch"],
        ["interpret"],
        ["interpret", "nosuch.csv"],
        ["interpret", "-", "--to", "xml"],
        ["interpret", "-", "--nosuch"],
        ["interpret", "-", "--column", "value"],
        ["interpret", "-", "--column", "value=nosuch"],
        ["interpret", "-", "--column", "nosuch=value"],
        ["interpret", "-", "--authority", "nobody"],
        ["interpret", "-", "--authority", "nosuch=nam"],
        ["interpret", "-", "--decimal", "x"],
        ["interpret", "-", "--sex", "1"],
        ["interpret", "-", "--age", "old"],
        ["interpret", "-", "--encoding", "nosuch"],
        ["interpret", "-", "--limits", "nosuch"],
        ["interpret", "-", "--to", "csv", "-o", "no/such/folder.csv"],
        ["interpret", "-", "--as-of", "2024-13-01"],
        ["interpret", "-", "--delimiter", "\\t"],
        ["explain", "nosuch", "5 ug/L"],
        ["explain", "ferritin"],
        ["explain", "nosuch", "--muscle"],
        ["effects", "toothache"],
        ["interpret", "-", "--stream", "--research", "--to", "csv"],
        ["explain", "ferritin", "5 ug/L", "--context", "unlucky"],
        ["convert", "ferritin", "5 ug/L", "nosuch"],
        ["convert", "ferritin", "5", "ug/L"],
        ["convert", "vitamin_d", "5 IU/L", "nmol/L"],
        ["limits", "nosuch"],
        ["check", "nosuch"],
    ],
    ids=" ".join,
)
def test_a_usage_error_is_exit_code_1_and_one_message(cli: Cli, args: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be done ends with 1 and a message on standard error; no answer is printed, nothing crashes."""
    monkeypatch.chdir(tmp_path)
    done = cli(*args, stdin=b"test,value,unit\nFerritin,5,ug/L\n")
    assert done.code == 1
    assert (done.err or done.out).strip()
    assert "Traceback" not in done.err
    assert "Ferritin" not in done.out
    assert not list(tmp_path.iterdir())


def test_a_process_ends_with_these_codes(tmp_path: Path) -> None:
    """`python -m labinterp` itself ends with 2 and 1, and prints no traceback."""
    for args, data, code in ((["-", "--strict"], ONE + b"x,1,,,\n", 2), (["nosuch.csv"], b"", 1)):
        command = [sys.executable, "-m", "labinterp", "interpret", *args, "--to", "csv"]
        done = subprocess.run(command, input=data, capture_output=True, cwd=tmp_path, check=False)
        assert (done.returncode, b"Traceback" in done.stderr) == (code, False), done.stderr


def test_without_the_extra_the_command_line_says_which(tmp_path: Path) -> None:
    """Where typer is missing, one line says what to install."""
    code = "import sys; sys.modules['typer'] = None; from labinterp.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "this needs the extra 'cli':  pip install \"labinterp[cli]\"\n"


# --- writing to a file ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_output_goes_to_a_file_whole(cli: Cli, tmp_path: Path, form: str) -> None:
    """-o writes what would have been printed, replaces what was there, and leaves nothing else."""
    path = tmp_path / "out.txt"
    path.write_text("old")
    done = cli("interpret", "-", "--to", form, "-o", str(path), stdin=ONE)
    assert (done.code, done.out) == (0, "")
    assert path.read_text("utf-8").split() == cli("interpret", "-", "--to", form, stdin=ONE).out.split()
    assert [p.name for p in tmp_path.iterdir()] == ["out.txt"]


def test_a_failed_run_leaves_the_old_file(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where writing fails, the old file stays as it was."""
    path = tmp_path / "out.csv"
    path.write_text("old")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    done = cli("interpret", "-", "--to", "csv", "-o", str(path), stdin=ONE)
    assert done.code == 1
    assert "No space left on device" in done.err
    assert path.read_text() == "old"


def test_a_failed_run_leaves_no_other_file(cli: Cli, tmp_path: Path) -> None:
    """Where the output is a directory, the error is told and nothing is left."""
    (tmp_path / "out").mkdir()
    assert cli("interpret", "-", "--to", "csv", "-o", str(tmp_path / "out"), stdin=ONE).code == 1
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_pipe_is_written_to_and_not_replaced(cli: Cli, tmp_path: Path) -> None:
    """An output that is not a plain file (a pipe, /dev/stdout, /dev/null) stays what it is."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        cli("interpret", "-", "--to", "csv", "-o", str(path), stdin=ONE)
        assert stat.S_ISFIFO(path.stat().st_mode)
    finally:
        os.close(reader)


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="there is no /dev/stdout")
def test_the_standard_output_may_be_named(tmp_path: Path) -> None:
    """-o /dev/stdout writes to standard output, also where that is a pipe."""
    command = [sys.executable, "-m", "labinterp", "interpret", "-", "--to", "csv", "-o", "/dev/stdout"]
    done = subprocess.run(command, input=ONE, capture_output=True, cwd=tmp_path, check=False)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)


def test_a_link_is_followed(cli: Cli, tmp_path: Path) -> None:
    """An output that is a link is written where the link leads."""
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    cli("interpret", "-", "--to", "csv", "-o", str(tmp_path / "link.csv"), stdin=ONE)
    assert (tmp_path / "real.csv").read_text().startswith("test,")


@pytest.mark.skipif(os.name != "posix", reason="modes of files are posix")
def test_an_output_has_the_usual_mode(cli: Cli, tmp_path: Path) -> None:
    """A new file has the mode that any program's new file has."""
    (tmp_path / "other").touch()
    cli("interpret", "-", "--to", "csv", "-o", str(tmp_path / "out.csv"), stdin=ONE)
    assert (tmp_path / "out.csv").stat().st_mode == (tmp_path / "other").stat().st_mode


# --- the other commands --------------------------------------------------------------------------------------


def test_explain_shows_every_step(cli: Cli) -> None:
    """From the printed text to the page: what was read, each limit considered, the answer and its source."""
    out = cli("explain", "ferritin", "40 ug/L", "--sex", "male", "--age", "50", "--context", "inflammation").out
    for step in ("read", "unit", "limits", "population", "rejected", "lines", "considered", "answer", "source"):
        assert f"\n{step:>11}  " in "\n" + out
    assert "ferritin/who-2020" in out
    assert "Checked: secondary" in out


def test_explain_json_has_the_trace(cli: Cli) -> None:
    """The same as data, beside the document of `interpret`."""
    document = json.loads(cli("explain", "vitamin_d", "18 ng/mL", "--to", "json").out)
    assert set(document) == DESIGN["document"] | MORE["document"] | {"trace"}
    assert {"step", "text"} == set(document["trace"][0][0])


@pytest.mark.parametrize(
    ("args", "out"),
    [
        (["vitamin_d", "20 ng/mL", "nmol/L"], "49.9193 nmol/L"),
        (["25(OH)D", "<4 ng/mL", "ug/L"], "<4 ug/L"),
        (["magnesium", "1.6 mg/dL", "meq/L"], "1.3166 meq/L"),
        (["2276-4", "12~15 ng/mL", "mcg/L"], "12~15 ug/L"),
        (["magnesium", "0,80 mmol/L", "mg/dL"], "1.9444 mg/dL"),
    ],
)
def test_convert_prints_the_value(cli: Cli, args: list[str], out: str) -> None:
    """A value in another unit of its analyte, with its comparator."""
    assert cli("convert", *args).out == f"{out}\n"


def test_analytes_json_has_the_published_keys(cli: Cli) -> None:
    """Each analyte with its units, codes and sets; the ids are those of the catalog."""
    listed = json.loads(cli("analytes", "--to", "json").out)
    assert [set(item) for item in listed] == [DESIGN["analyte"]] * len(Catalog.default().analytes)
    assert {item["id"] for item in listed} == set(Catalog.default().analytes)
    ids = {id for item in listed for id in (*item["limits"], *item["no_limit"])}
    assert ids == {*Catalog.default().table["limits"], *Catalog.default().table["no_limit"]}


def test_limits_shows_each_authority_with_dates_and_source(cli: Cli) -> None:
    """Who draws which line for vitamin D, since when, for whom, and where it is printed; and who draws none."""
    out = " ".join(cli("limits", "vitamin_d").out.split())
    for id in (*Catalog.default().table["analytes"]["vitamin_d"]["limits"], "vitamin_d/endocrine-2024"):
        assert id in out
    for text in (
        "in force 2011-06-06 to 2024-06-03",
        "superseded by vitamin_d/endocrine-2024",
        "Checked: primary",
        "gives no limit",
        "p. 14",
    ):
        assert text in out
    listed = json.loads(cli("limits", "vitamin_d", "--to", "json").out)
    assert [row["id"] for row in listed if row["default"]] == ["vitamin_d/nam-2011"]
    assert all(row["citations"] and row["name"] for row in listed)


def test_check_tells_every_problem_and_ends_with_1(cli: Cli, tmp_path: Path) -> None:
    """A good folder is 0, a folder with problems is 1, each problem on a line of standard output."""
    good = ROOT / "docs" / "examples" / "our_limits"
    assert cli("check", str(good)) == (0, "", "0 problems in our_limits\n")
    text = (
        (good / "ferritin.toml")
        .read_text("utf-8")
        .replace("[authorities.", "[authorities.x", 1)
        .replace('checked = "', 'checked = "ter', 1)
    )
    (tmp_path / "ferritin.toml").write_text(text, "utf-8")
    done = cli("check", str(tmp_path))
    assert done.code == 1
    assert done.out.startswith("ferritin.toml > ")
    assert done.err == f"{len(done.out.splitlines())} problem{'s' if len(done.out.splitlines()) > 1 else ''} in {tmp_path.name}\n"


def test_check_of_a_whole_catalog(cli: Cli) -> None:
    """A copy of the whole data is recognised as one."""
    assert cli("check", str(ROOT / "reference_ranges")) == (0, "", "0 problems in reference_ranges\n")


def test_the_versions_are_told(cli: Cli) -> None:
    """--version names the program's and the data's."""
    assert cli("--version") == (0, f"labinterp {labinterp.__version__}, catalog {Catalog.default().version}\n", "")


# --- the muscle graph ----------------------------------------------------------------------------------------


def test_effects_lists_every_effect(cli: Cli) -> None:
    listed = json.loads(cli("effects", "--to", "json").out)
    assert [one["id"] for one in listed] == list(Catalog.default().table["effects"])
    keys = {"id", "name", "kind", "system", "hpo", "text", "words", "states", "relation", "certainty"}
    assert all(set(one) == keys for one in listed)
    assert all((one["states"] > 0) is (one["relation"] is not None) for one in listed)
    shown = cli("effects").out
    assert all(one["id"] in shown for one in listed)


@pytest.mark.parametrize(
    ("word", "id"),
    [
        ("cramps", "muscle_cramp"), ("muscle_cramp", "muscle_cramp"), ("Cramp or spasm", "muscle_cramp"), ("leg cramps", "muscle_cramp"),
        ("cramping", "muscle_cramp"), ("HP:0003394", "muscle_cramp"), ("weakness", "muscle_weakness"), ("pins and needles", "paraesthesia"),
        ("NUMBNESS", "paraesthesia"), ("tired", "fatigue"), ("unsteady", "sensory_ataxia"), ("muscle loss", "muscle_atrophy"),
    ],
)  # fmt: skip
def test_an_effect_is_found_by_id_name_or_everyday_word(cli: Cli, word: str, id: str) -> None:
    assert json.loads(cli("effects", word, "--to", "json").out)["id"] == id


def test_every_word_leads_to_its_effect() -> None:
    from labinterp._story import effect_id

    catalog = Catalog.default()
    for id, effect in catalog.table["effects"].items():
        for text in (id, effect["name"], *effect["words"]):
            assert effect_id(catalog, text) == id, text


def test_a_word_that_leads_nowhere_gets_the_closest_effects(cli: Cli) -> None:
    done = cli("effects", "muscle crammp")
    assert (done.code, done.out) == (1, "")
    assert "closest: muscle_cramp (Cramp or spasm)" in done.err
    assert "labinterp effects` lists them all" in cli("effects", "toothache").err
    two = cli("effects", "pain").err  # of two effects neither is guessed
    assert "myalgia (Muscle pain)" in two
    assert "bone_pain (Bone pain)" in two


def test_the_states_behind_an_effect_are_ranked(cli: Cli) -> None:
    """By relation, then certainty; each with what is measured, its sources and what is deliberately not said."""
    from labinterp._codes import CERTAINTIES, RELATIONS

    for id in Catalog.default().table["effects"]:
        effect = json.loads(cli("effects", id, "--to", "json").out)
        strength = [(RELATIONS.index(s["relation"]), CERTAINTIES.index(s["certainty"])) for s in effect["states"]]
        assert strength == sorted(strength, reverse=True)
        assert all(
            s["citations"] and s["when"] and s["text"] and (s["analytes"] or s["patterns"] or s["contexts"]) for s in effect["states"]
        )
        assert {"catalog", "disclaimer"} <= set(effect)
    cramps = json.loads(cli("effects", "cramps", "--to", "json").out)
    assert cramps["states"][0]["relation"] == "causes"
    assert "vitamin_d_deficiency" in {one["condition"] for one in cramps["not_said"]}
    assert "vitamin_d_deficiency" not in {one["condition"] for one in cramps["states"]}


def test_the_story_of_a_nutrient(cli: Cli) -> None:
    """States, mechanisms, effects with certainty, who is at risk, what is done, recovery, patterns, sources; no value is needed."""
    story = json.loads(cli("explain", "B12", "--muscle", "--to", "json").out)
    assert story["analyte"] == "vitamin_b12"
    assert {"b12_deficiency", "b12_functional_deficiency"} <= {state["condition"] for state in story["states"]}
    assert "functional_b12_deficiency" in [pattern["id"] for pattern in story["patterns"]]
    state = next(state for state in story["states"] if state["condition"] == "b12_deficiency")
    assert all(state[key] for key in ("about", "at_risk", "usually_done", "next_step", "links", "citations"))
    assert all(link["reversibility"] and link["citations"] and link["certainty"] for link in state["links"])
    assert any(link["mechanisms"] for link in state["links"])
    out = cli("explain", "B12", "--muscle").out
    for text in ("Vitamin B12, total and muscle", "Who is at risk", "What is usually done", "How it is thought to come about", "Recovery:", "Sources", "[1]", "No clinician"):  # fmt: skip
        assert text in out
    assert "\x1b" not in out
    both = json.loads(cli("explain", "B12", "210 pg/mL", "--muscle", "--to", "json").out)
    assert {"reports", "trace", "story"} <= set(both)


@pytest.mark.parametrize("analyte", list(Catalog.default().table["analytes"]))
def test_every_analyte_has_a_story(cli: Cli, analyte: str) -> None:
    assert cli("explain", analyte, "--muscle").code == 0


@pytest.mark.parametrize("width", ["80", "120"])
@pytest.mark.parametrize("args", [["effects"], ["effects", "cramps"], ["explain", "vitamin_d", "--muscle"], ["explain", "creatinine", "2.1 mg/dL", "--sex", "male", "--age", "71"]])  # fmt: skip
def test_tables_fit_the_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch, args: list[str], width: str) -> None:
    """Nothing is wider than the terminal, and nothing but a source's address is cut."""
    setenv = monkeypatch.setenv
    monkeypatch.setattr(monkeypatch, "setenv", lambda name, value: setenv(name, width if name == "COLUMNS" else value))
    lines = cli(*args).out.splitlines()
    assert max(map(len, lines)) <= int(width)
    assert not [line for line in lines if "\u2026" in line]


def test_research_links_are_asked_for(cli: Cli) -> None:
    data = b"test,value,unit,sex,age\n25(OH)D,40,nmol/L,M,50\n"
    plain, asked = (json.loads(cli("interpret", "-", "--to", "json", *more, stdin=data).out)["reports"][0] for more in ([], ["--research"]))
    assert (plain["effects"], [e["id"] for e in asked["effects"]]) == ([], ["low_grip_strength"])
    assert "low_grip_strength" in cli("explain", "vitamin_d", "40 nmol/L", "--sex", "male", "--age", "50", "--research", "--to", "json").out


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.hl7", "MSH|^~\\&|LIS\rPID|1||7||||19500101|F\rOBX|1|NM|Ferritin||12|ug/L\r"),
        ("b.ndjson", '{"resourceType": "Observation", "code": {"text": "Ferritin"}, "valueQuantity": {"value": 12, "unit": "ug/L"}}\n'),
    ],
)
def test_a_folder_of_messages_or_resources_is_read(cli: Cli, tmp_path: Path, name: str, text: str) -> None:
    """A folder without tables is read for what it has; beside tables, other files are left alone, as they always were."""
    (tmp_path / name).write_bytes(text.encode())
    (tmp_path / "notes.md").write_text("none", "utf-8")
    done = cli("interpret", str(tmp_path), "--to", "csv")
    assert done.code == 0, done.err
    assert "ferritin" in done.out
    (tmp_path / "labs.csv").write_text("test,value,unit\nMagnesium,0.8,mmol/L\n", "utf-8")
    assert "ferritin" not in cli("interpret", str(tmp_path), "--to", "json").out
