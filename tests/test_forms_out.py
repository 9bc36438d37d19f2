"""Forms that come out of draws: JSON Lines, workbooks, Parquet, CSV of what was no table; whole or not at all."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labinterp import Catalog, __version__
from labinterp._summary import ADDED

pl = pytest.importorskip("polars")
Cli = Callable[..., Any]

TEXT = (
    "id,sex,age,date,test,value,unit,reference range,flag\n"
    "A,F,34,2024-01-31,Ferritin,5,ug/L,13 - 150,L\nA,F,34,2024-01-31,Iron,30,ug/dL,,\nA,F,34,2024-01-31,TIBC,450,ug/dL,,\n"
    "B,M,50,2024-02-01,CRP,<5,mg/L,,\nB,M,50,2024-02-01,=1+1,7,ug/L,,\n"
)  # fmt: skip
PANELS: list[dict[str, Any]] = [
    {
        "patient": {"id": "A", "sex": "female", "age_years": 34},
        "results": [
            {"test": "Ferritin", "value": 5, "unit": "ug/L", "ref_low": 13, "ref_high": 150, "flag": "L"},
            {"test": "Iron", "value": 30, "unit": "ug/dL"}, {"test": "TIBC", "value": 450, "unit": "ug/dL"},
        ],
    },
    {"patient": {"id": "B"}, "results": [{"test": "CRP", "value": "<5", "unit": "mg/L"}, {"test": "=1+1", "value": 7, "unit": "ug/L"}]},
]  # fmt: skip


@pytest.fixture
def panel(tmp_path: Path) -> str:
    """Two panels as JSON."""
    (tmp_path / "panels.json").write_text(json.dumps(PANELS))
    return str(tmp_path / "panels.json")


@pytest.fixture
def table(tmp_path: Path) -> str:
    """The same as a table."""
    (tmp_path / "in.csv").write_text(TEXT)
    return str(tmp_path / "in.csv")


def sheets(path: Path) -> dict[str, list[list[Any]]]:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(path)
    return {page.title: [[cell.value for cell in row] for row in page.iter_rows()] for page in book.worksheets}


# --- JSON Lines ---------------------------------------------------------------------------------------------------


def test_json_lines_hold_one_report_a_line(cli: Cli, tmp_path: Path, table: str) -> None:
    """The same reports as the document has; by --to or by the name."""
    whole = json.loads(cli("interpret", table, "--to", "json").out)["reports"]
    lines = cli("interpret", table, "--to", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == whole
    assert cli("interpret", table, "-o", str(tmp_path / "out.jsonl")).code == 0
    assert (tmp_path / "out.jsonl").read_text("utf-8").splitlines() == lines
    assert [f["source"] for f in whole[0]["findings"]] == [f"in.csv, row {n}" for n in (1, 2, 3)]


# --- workbooks ----------------------------------------------------------------------------------------------------


def test_a_workbook_has_results_refusals_and_what_they_rest_on(cli: Cli, tmp_path: Path, table: str) -> None:
    """Numbers are numbers, texts are never formulas, the standing sentences are there."""
    assert cli("interpret", table, "-o", str(tmp_path / "out.xlsx")).code == 0
    pages = sheets(tmp_path / "out.xlsx")
    assert list(pages) == ["Results", "Not assessed", "Read together", "Sources", "About"]
    rows = [dict(zip(pages["Results"][0], row, strict=True)) for row in pages["Results"][1:]]
    assert [(r["source"], r["patient_id"], r["test"], r["number"], r["UCUM unit"], r["code"], r["band"]) for r in rows[:1]] == [
        ("in.csv, row 1", "A", "Ferritin", 5, "ug/L", "L", "deficient")
    ]
    assert (rows[0]["value"], rows[0]["reference_range"], rows[0]["flag"], str(rows[0]["collected_at"])) == (
        5,
        "13 - 150",
        "L",
        "2024-01-31",
    )
    assert (rows[3]["value"], rows[3]["comparator"], rows[3]["number"]) == ("<5", "<", 5)
    derived = [r for r in rows if r["analyte"] == "transferrin_saturation"]
    assert [r["source"] for r in derived] == ["computed from rows 2, 3"]
    assert abs(derived[0]["number"] - 100 * 30 / 450) < 0.05
    refused = [dict(zip(pages["Not assessed"][0], row, strict=True)) for row in pages["Not assessed"][1:]]
    assert [(r["test"], r["reason"]) for r in refused] == [("=1+1", "unknown_analyte")]
    with zipfile.ZipFile(tmp_path / "out.xlsx") as archive:
        parts = [archive.read(name) for name in archive.namelist() if "worksheets/" in name]
    assert not [part for part in parts if b"<f>" in part or b"<f " in part or b"<hyperlink" in part]
    about = [row[0] for row in pages["About"]]
    catalog = Catalog.default()
    assert about[1:3] == [f"labinterp {__version__}", f"catalog {catalog.version}"]
    assert catalog.table["policy"]["disclaimer"] in about
    assert set(catalog.standing) <= set(about)
    assert "ferritin/who-2020" in [row[0] for row in pages["Sources"]]
    assert "pattern" in [row[1] for row in pages["Read together"]]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "@SUM(A1)", "{=1+1}", "http://example.org", "file:///etc/passwd", "a\x00\x08b", "x" * 40_000]
)
def test_any_text_goes_into_a_workbook(cli: Cli, tmp_path: Path, text: str) -> None:
    """As a text, cut where a cell ends."""
    (tmp_path / "in.json").write_text(json.dumps([{"test": "Ferritin", "value": "5 ug/L", "flag": text}, {"test": text, "value": text}]))
    assert cli("interpret", str(tmp_path / "in.json"), "-o", str(tmp_path / "out.xlsx")).code == 0
    with zipfile.ZipFile(tmp_path / "out.xlsx") as archive:
        assert not [name for name in archive.namelist() if b"<f>" in archive.read(name) or b"TargetMode" in archive.read(name)]
    row = sheets(tmp_path / "out.xlsx")["Not assessed"][1]
    assert row[3] == "".join(c if c >= " " else "\ufffd" for c in text)[:32_000]


# --- Parquet ------------------------------------------------------------------------------------------------------


def test_parquet_of_draws_is_typed(cli: Cli, tmp_path: Path, table: str, panel: str) -> None:
    """A table keeps its columns, what was none becomes a plain one; the answers have the types of rows one by one."""
    cli("interpret", table, "-o", str(tmp_path / "rows.parquet"))
    cli("interpret", table, "--no-stream", "-o", str(tmp_path / "draws.parquet"))
    rows, draws = pl.read_parquet(tmp_path / "rows.parquet"), pl.read_parquet(tmp_path / "draws.parquet")
    assert draws.columns == rows.columns
    assert {name for name, dtype in draws.schema.items() if dtype == pl.Float64} == {"li_value", "li_si_value"}
    words = [name for name, dtype in rows.schema.items() if dtype != pl.Float64]
    assert draws.equals(rows.with_columns(pl.col(words).cast(pl.String)))  # no row of these changes the answer of another
    assert cli("interpret", panel, "-o", str(tmp_path / "panel.parquet")).code == 0
    plain = pl.read_parquet(tmp_path / "panel.parquet")
    assert plain.columns[:8] == ["source", "patient_id", "collected_at", "test", "value", "unit", "reference_range", "flag"]
    assert plain.columns[8:] == [f"li_{name}" for name in ADDED]
    assert plain.schema["collected_at"] == pl.Date
    assert plain["li_value"].to_list()[:5] == [5.0, 30.0, 450.0, 5.0, None]
    assert plain["source"].to_list()[5:] == ["computed from rows 2, 3"]
    assert plain["li_reason"].to_list()[4] == "unknown_analyte"


# --- CSV ----------------------------------------------------------------------------------------------------------


def test_csv_of_what_was_no_table(cli: Cli, panel: str, tmp_path: Path) -> None:
    """A plain long table with where each result stood; it can be read again."""
    done = cli("interpret", panel, "--to", "csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [(r["source"], r["patient_id"], r["test"], r["value"], r["unit"], r["reference_range"], r["flag"]) for r in rows[:2]] == [
        ("panels.json, result 1", "A", "Ferritin", "5", "ug/L", "13-150", "L"), ("panels.json, result 2", "A", "Iron", "30", "ug/dL", "", ""),
    ]  # fmt: skip
    assert (rows[4]["test"], rows[4]["li_reason"]) == ("'=1+1", "unknown_analyte")
    assert (rows[5]["source"], rows[5]["li_analyte"], rows[5]["li_band"] != "") == (
        "computed from rows 2, 3",
        "transferrin_saturation",
        True,
    )
    kept = [{name: cell for name, cell in row.items() if not name.startswith("li_")} for row in rows[:5]]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(kept[0]))
    writer.writeheader()
    writer.writerows(kept)
    again = list(
        csv.DictReader(
            io.StringIO(cli("interpret", "-", "--sex", "female", "--age", "34", "--to", "csv", stdin=out.getvalue().encode()).out)
        )
    )
    assert [r["li_code"] for r in again[:3]] == [r["li_code"] for r in rows[:3]]


def test_several_files_become_one_answer(cli: Cli, table: str, panel: str, tmp_path: Path) -> None:
    """Of one form or several; the rows are numbered through."""
    (tmp_path / "more.csv.gz").write_bytes(gzip.compress(b"test,value,unit\nFerritin,90,ug/L\n"))
    done = cli("interpret", table, str(tmp_path / "more.csv.gz"), panel, "--to", "json")
    reports = json.loads(done.out)["reports"]
    rows = sorted(one["row"] for report in reports for one in report["findings"] + report["not_assessed"])
    assert rows == list(range(1, 12))
    assert cli("interpret", table, panel).code == 0
    done = cli("interpret", table, panel, "--to", "csv")
    assert len(list(csv.reader(io.StringIO(done.out)))) == 1 + 10 + 2
    done = cli("interpret", str(tmp_path / "more.csv.gz"), "--to", "json")
    assert json.loads(done.out)["reports"][0]["findings"][0]["analyte"] == "ferritin"


def test_processes_give_the_same_answers(tmp_path: Path) -> None:
    """In the same order, whatever the number of processes, and with the same summary."""
    rows = "".join(f"{n},F,{20 + n % 60},{'?' if n % 50 == 7 else 'Ferritin'},{n % 97},ug/L\n" for n in range(1_050))
    (tmp_path / "in.csv").write_text("id,sex,age,test,value,unit\n" + rows)

    def run(form: str, jobs: str) -> tuple[str, str]:
        command = [sys.executable, "-m", "labinterp", "interpret", str(tmp_path / "in.csv"), "--to", form, "--jobs", jobs]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        return done.stdout, done.stderr

    one, two, whole = run("jsonl", "1"), run("jsonl", "2"), run("json", "2")
    assert one == two
    assert one[1] == whole[1]
    document = json.loads(whole[0])
    assert document["reports"] == [json.loads(line) for line in one[0].splitlines()]
    assert whole[0] == json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    assert document["summary"]["rows"] == 1_050
    assert one[1].startswith("1050 rows: ")
    shown = run("table", "1")
    assert shown == run("table", "2")
    assert shown[0].count("Patient ") == 1_050


def test_rows_one_by_one_take_so_many_threads(table: str) -> None:
    """The engine is told before it starts."""
    code = f"""
import sys
sys.argv = ["labinterp", "interpret", {table!r}, "--stream", "--to", "csv", "--jobs", "1"]
from labinterp.cli import app
try:
    app()
except SystemExit:
    import polars
    print("threads", polars.thread_pool_size())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.endswith("threads 1\n")
    assert len(done.stdout.splitlines()) == 7


# --- whole or not at all ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "xlsx", "parquet"])
def test_a_failed_run_leaves_the_old_file(cli: Cli, tmp_path: Path, table: str, form: str) -> None:
    """A file that cannot be read, after one that can."""
    out = tmp_path / ("out.txt" if form == "table" else f"out.{form}")
    out.write_text("old")
    (tmp_path / "bad.xlsx").write_bytes(b"PK\x03\x04bad")
    before = sorted(p.name for p in tmp_path.iterdir())
    done = cli("interpret", table, str(tmp_path / "bad.xlsx"), "-o", str(out))
    assert (done.code, done.out, out.read_text()) == (1, "", "old")
    assert sorted(p.name for p in tmp_path.iterdir()) == before


# The command as it is; it says on standard output when the first reports are made: the work of most of them is still to be done.
TELLING = """
import os, sys
from labinterp._streams.progress import Progress
show, told = Progress.show, []
def telling(self, *seen):
    if not told:
        told.append(os.write(1, b"at work"))
    show(self, *seen)
Progress.show = telling
from labinterp.__main__ import main
main()
"""


@pytest.mark.skipif(os.name != "posix", reason="pipes and signals are posix")
@pytest.mark.parametrize(
    ("form", "jobs"),
    [*((form, "1") for form in ("txt", "json", "jsonl", "csv", "csv.gz", "xlsx", "parquet")), ("json", "2"), ("jsonl", "2")],
)
def test_ctrl_c_leaves_nothing(tmp_path: Path, form: str, jobs: str) -> None:
    """A real process, stopped while it works: an older output stays, nothing half-written is there, no other process goes on."""
    (tmp_path / "work").mkdir()
    rows = "".join(
        f"{n},F,{20 + n % 60},{t},{n % 97 + 20},{u}\n"
        for n in range(20_000)
        for t, u in (("Iron", "ug/dL"), ("TIBC", "ug/dL"), ("CRP", "mg/L"))
    )
    os.mkfifo(tmp_path / "pipe")
    out = tmp_path / "work" / f"out.{form}"
    out.write_text("old")
    command = [sys.executable, "-c", TELLING, "interpret", str(tmp_path / "pipe"), "--no-stream", "--jobs", jobs, "-o", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    with (tmp_path / "pipe").open("w") as pipe:  # opens when the process reads
        pipe.write("id,sex,age,test,value,unit\n" + rows)
    assert process.stdout
    assert os.read(process.stdout.fileno(), 100) == b"at work"
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of its processes
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert out.read_text() == "old"
    assert [p.name for p in (tmp_path / "work").iterdir()] == [out.name]
    for _ in range(50):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.1)
    else:
        pytest.fail("a process goes on")
