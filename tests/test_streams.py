"""Files of any size on the command line, row by row: nothing lost, nothing left behind, and what came of them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from labinterp import Catalog
from labinterp._streams import pieces as _pieces
from labinterp._streams.blocks import BLANK, STATE, TORN, WHOLE, Blocks
from labinterp._streams.heads import head
from labinterp._streams.pieces import decoded, given, lines_of
from labinterp._streams.progress import Progress, told
from labinterp._streams.quoting import closed_rows
from labinterp._streams.stated import Stated
from labinterp._streams.tally import Spellings, Tally
from labinterp._streams.ways import LONG, way
from labinterp._streams.written import appearing
from labinterp.dataframes import interpret_frame
from labinterp.errors import InputError

Cli = Callable[..., Any]
HEADER = "id,Test,Result,Unit,Sex,Age,note\n"
ROLES = {"patient_id": "id", "test": "Test", "value": "Result", "unit": "Unit", "sex": "Sex", "age_years": "Age"}
NAMES = ("Ferritin", "25(OH)D", "B12", "Mg", "CRP", "Zonulin", "MMA")
UNITS = ("ug/L", "ng/mL", "pg/mL", "mmol/L", "mg/L", "umol/L", "furlong", "")
VALUES = ("12", "18.5", "210", "0,8", "<5", "pending", "", "1.060", "007")
ADDED = [f"li_{n}" for n in ("analyte", "comparator", "value", "unit", "si_value", "si_unit", "code", "band", "limits", "reason")]


def some_rows(count: int, seed: int = 1) -> str:
    rng = random.Random(seed)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for number in range(count):
        note = rng.choice(("", "so, so", 'a "word"', "two\nlines", "Größe"))
        cells = (rng.choice(of) for of in (NAMES, VALUES, UNITS, ("F", "M", ""), ("34", "6 months", "")))
        writer.writerow([f"{number:03}", *cells, note])
    return out.getvalue()


TEXT = HEADER + some_rows(400)


def plain_frame(text: str = TEXT) -> pl.DataFrame:
    """The rows as Python's csv reads them; an empty cell is nothing."""
    header, *rows = list(csv.reader(io.StringIO(text, newline="")))
    return pl.DataFrame([[cell or None for cell in row] for row in rows], schema=dict.fromkeys(header, pl.String), orient="row")


def expected(text: str = TEXT, **options: Any) -> pl.DataFrame:
    return interpret_frame(plain_frame(text), **{**ROLES, **options})


def save(path: Path, data: str | bytes) -> str:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return str(path)


def packed(data: bytes, ending: str, path: Path) -> bytes:
    if ending == ".gz":
        middle = data.index(b"\n", len(data) // 2) + 1
        return gzip.compress(data[:middle]) + gzip.compress(data[middle:])  # as `cat a.gz b.gz` makes it
    pl.DataFrame({"x": [data.decode().removesuffix("\n")]}).lazy().sink_csv(
        path, include_header=False, quote_style="never", compression="zstd", check_extension=False
    )
    return path.read_bytes()


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read in pieces of a few rows, as big ones are in pieces of 4 MB."""
    monkeypatch.setattr(_pieces, "PIECE", 300)


# --- the same answers, whatever the file is -------------------------------------------------------------------


def test_rows_are_those_of_interpret_frame(cli: Cli, tmp_path: Path, small_pieces: None) -> None:
    """CSV to Parquet: the caller's columns as they stood, in order, and the answers of `interpret_frame` behind them."""
    done = cli("interpret", save(tmp_path / "in.csv", TEXT), "-o", str(tmp_path / "out.parquet"))
    assert (done.code, done.out) == (0, "")
    found = pl.read_parquet(tmp_path / "out.parquet")
    assert found.equals(expected())
    assert found["id"][7] == "007"
    assert "007" in found["Result"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", "out.parquet"]


@pytest.mark.parametrize("pieces", [60, 300, 1 << 20])
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("cp1252"),
        lambda text: text.replace(",", ";").replace("so; so", "so, so").encode(),
        lambda text: text.removesuffix("\n").encode(),
        lambda text: b"\n ,,\n" + text.encode(),
    ],
    ids=["utf-8", "with mark", "utf-16", "windows", "semicolons", "no end", "blank lines first"],
)
def test_the_form_of_the_text_does_not_matter(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[str], bytes], pieces: int
) -> None:
    """Encodings, marks and delimiters are found, in pieces of any size."""
    monkeypatch.setattr(_pieces, "PIECE", pieces)
    text = HEADER + some_rows(60).replace("0,8", "0.8")
    cli("interpret", save(tmp_path / "in.csv", change(text)), "-o", str(tmp_path / "out.parquet"))
    changed = text.replace('"0;8"', "0.8")
    assert pl.read_parquet(tmp_path / "out.parquet").equals(expected(changed))


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_the_ends_of_lines_do_not_matter(cli: Cli, tmp_path: Path, small_pieces: None, end: str) -> None:
    """Ends of other systems part rows; within a quoted cell they stay."""
    text = TEXT.replace("\n", end)
    cli("interpret", save(tmp_path / "in.csv", text), "-o", str(tmp_path / "out.parquet"))
    found = pl.read_parquet(tmp_path / "out.parquet")
    assert found.equals(expected(text))
    assert f"two{end}lines" in found["note"]


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_packed_files_are_read(cli: Cli, tmp_path: Path, small_pieces: None, ending: str) -> None:
    """gzip (also several members one behind the other) and zstd, recognised by their first bytes."""
    save(tmp_path / "in.csv.bin", packed(TEXT.encode(), ending, tmp_path / "packed"))
    done = cli("interpret", str(tmp_path / "in.csv.bin"), "-o", str(tmp_path / "out.parquet"))
    assert done.code == 0
    assert pl.read_parquet(tmp_path / "out.parquet").equals(expected())


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_csv_comes_out_packed_or_plain(cli: Cli, tmp_path: Path, ending: str) -> None:
    """The same columns, with the delimiter of the input; cells that look like formulas are made harmless."""
    text = TEXT.replace('"so, so"', '"=1+1"').replace("Größe", "-5")
    out = tmp_path / f"out.csv{ending}"
    done = cli("interpret", save(tmp_path / "in.csv", text), "--stream", "--to", "csv", "-o", str(out))
    assert done.code == 0
    want = expected(text).with_columns(pl.col("note").replace("=1+1", "'=1+1"))
    found = pl.read_csv(out, infer_schema=False)
    assert found.columns == want.columns
    assert found.drop("li_value", "li_si_value").equals(want.drop("li_value", "li_si_value").cast(pl.String))
    assert found["li_value"].cast(pl.Float64).equals(want["li_value"])
    assert "-5" in found["note"]


def test_csv_goes_to_standard_output(cli: Cli, tmp_path: Path) -> None:
    """Without -o the rows are printed; standard input is read when it is asked for."""
    done = cli("interpret", "-", "--stream", "--to", "csv", stdin=TEXT.encode())
    assert len(list(csv.reader(io.StringIO(done.out)))) == 401
    again = cli("interpret", save(tmp_path / "in.csv.gz", gzip.compress(TEXT.encode())), "--to", "csv")
    assert (again.out, again.err) == (done.out, done.err)


def test_a_packed_pipe_is_read(cli: Cli) -> None:
    """gzip through a pipe."""
    done = cli("interpret", "-", "--stream", "--to", "csv", stdin=gzip.compress(TEXT.encode()))
    assert done.err.startswith("400 rows: ")


def test_parquet_keeps_its_types(cli: Cli, tmp_path: Path) -> None:
    """Numbers, truth values and times go in and come out as what they are."""
    frame = pl.DataFrame(
        {
            "test": ["Ferritin", "Ferritin", "B12"], "value": [12.5, None, 210.0], "unit": pl.Series(["ug/L", "ug/L", "pg/mL"], dtype=pl.Categorical),
            "sex": ["F", "M", None], "age": pl.Series([34, 50, 71], dtype=pl.Int8), "pregnant": [False, None, None],
            "collected_at": pl.Series([0, 1, 2]).cast(pl.Datetime("us")), "more": [[1], [], [2, 3]],
        }
    )  # fmt: skip
    frame.write_parquet(tmp_path / "in.parquet")
    assert cli("interpret", str(tmp_path / "in.parquet"), "-o", str(tmp_path / "out.parquet")).code == 0
    found = pl.read_parquet(tmp_path / "out.parquet")
    assert found.equals(interpret_frame(frame, age_years="age"))
    done = cli("interpret", str(tmp_path / "in.parquet"), "--to", "csv")
    assert (done.code, done.out) == (1, "")
    assert "'more'" in done.err
    done = cli("interpret", str(tmp_path / "in.parquet"), "--to", "csv", "--columns", "results")
    assert done.out.splitlines()[0] == ",".join(["collected_at", "test", *ADDED])
    assert done.err.startswith("3 rows: ")


# --- odd files ------------------------------------------------------------------------------------------------


def read_back(cli: Cli, tmp_path: Path, text: str | bytes, *options: str) -> pl.DataFrame:
    done = cli("interpret", save(tmp_path / "in.csv", text), "-o", str(tmp_path / "out.parquet"), *options)
    assert done.code == 0, done.err
    return pl.read_parquet(tmp_path / "out.parquet")


GOOD = "Ferritin,12,ug/L,F,34\n"


@pytest.mark.parametrize("before", [0, 5000])
def test_a_row_with_more_cells_than_the_header_has_no_value(cli: Cli, tmp_path: Path, small_pieces: None, before: int) -> None:
    """A decimal comma without quotes moves what follows it: the row is refused, all of it is kept, and the others are answered."""
    found = read_back(
        cli, tmp_path, "test,value,unit,sex,age\n" + before * GOOD + "Ferritin,12,5,ug/L,F,34\nFerritin,12,ug/L,F,34, ,\n" + GOOD
    )
    assert found.height == before + 3
    torn, blank, last = found.tail(3).rows(named=True)
    assert (torn["li_analyte"], torn["li_reason"], torn["age"]) == ("ferritin", "unreadable_value", "F,34")
    assert (torn["value"], torn["unit"], torn["li_value"]) == ("12", "5", None)
    assert [row["li_band"] for row in (blank, last)] == ["deficient"] * 2
    assert blank["age"] == "34"


@pytest.mark.parametrize("before", [0, 5000])
def test_a_quote_that_is_never_closed_swallows_nothing(cli: Cli, tmp_path: Path, small_pieces: None, before: int) -> None:
    """It is a plain mark; every row below it is there."""
    text = (
        "test,value,unit,sex,age\n"
        + before * GOOD
        + 'Ferritin,"12,ug/L,F,34\n'
        + 300 * GOOD
        + 'Mg,5" tall,mmol/L,F,34\nCRP,",mg/L,,\n'
        + 3 * GOOD
    )
    found = read_back(cli, tmp_path, text)
    assert found.height == before + 306
    assert found["li_band"].to_list().count("deficient") == before + 303
    assert found.filter(pl.col("test") == "CRP")["li_reason"].to_list() == ["unreadable_value"]
    assert found["value"][before] == "''12"


def test_blank_lines_are_kept_and_not_counted(cli: Cli, tmp_path: Path, small_pieces: None) -> None:
    """A line with nothing in it is an empty row without an answer; a row of empty cells is refused."""
    done = cli(
        "interpret",
        save(tmp_path / "in.csv", "test,value,unit,sex,age\n" + GOOD + "\n,,,,\n" + GOOD + "\n"),
        "-o",
        str(tmp_path / "o.parquet"),
    )
    assert pl.read_parquet(tmp_path / "o.parquet")["li_reason"].to_list() == [None, None, "unknown_analyte", None, None]
    assert done.err.startswith("3 rows: 2 flagged, 0 normal, 0 indeterminate, 1 not assessed (unknown_analyte 1)\n")
    assert "2 blank lines" in done.err


def test_short_rows_and_names_that_stand_twice(cli: Cli, tmp_path: Path) -> None:
    """Missing cells are empty; in CSV the header is as it was, in Parquet the second of a name has a number."""
    text = "test,value,unit,note,note,\n" + "Ferritin,12,ug/L\n" + "Ferritin,12,ug/L,a,b,c\n"
    found = read_back(cli, tmp_path, text, "--age", "34", "--sex", "F")
    assert found.columns[:6] == ["test", "value", "unit", "note", "note_2", ""]
    assert found["li_band"].to_list() == ["deficient"] * 2
    done = cli("interpret", str(tmp_path / "in.csv"), "--stream", "--to", "csv")
    assert done.out.splitlines()[0] == ",".join(["test,value,unit,note,note,", *ADDED])


def test_a_line_that_is_not_utf_8_is_read_as_windows_1252(cli: Cli, tmp_path: Path, small_pieces: None) -> None:
    """Also where it stands late in a file that is UTF-8 otherwise: the other lines are not touched."""
    lines = 500 * "Ferritin,12,µg/L,F,34\n"
    found = read_back(cli, tmp_path, b"test,value,unit,sex,age\n" + lines.encode() + "Folsäure,12,µg/L,F,34\n".encode("cp1252"))
    assert found["unit"].unique().to_list() == ["µg/L"]
    assert found["test"][-1] == "Folsäure"
    assert found["li_analyte"][-1] == "folate"


def test_a_zero_byte_is_a_character(cli: Cli, tmp_path: Path, small_pieces: None) -> None:
    """In the first 4 kB it means that this is no text; later it is part of a cell."""
    text = "test,value,unit,sex,age\n" + 300 * GOOD
    found = read_back(cli, tmp_path, text + "Ferr\0itin,12,ug/L,F,34\n" + GOOD)
    assert (found.height, found["test"][300]) == (302, "Ferr\0itin")
    assert "binary" in cli("interpret", save(tmp_path / "in.csv", "test,value\0\n"), "-o", str(tmp_path / "x.parquet")).err


def random_text(rng: random.Random, delimiter: str, end: str, *, odd: bool) -> str:
    """A table of well quoted cells, or of anything."""

    def cell() -> str:
        if odd and rng.random() < 0.2:
            return rng.choice(('5" tall', '"open', 'a"b"c', '"x"y', "\r", '"'))
        quoted = ("a", "", f"a{delimiter}b", 'q""q', f"l1{end}l2", '""', "\n", '5"" tall')
        return f'"{rng.choice(quoted)}"' if rng.random() < 0.4 else rng.choice(("a", "5", "µg", "", "  ", "x y", "\u00a0", "\u2028"))

    rows = [
        delimiter.join(cell() for _ in range(3 if not odd or rng.random() < 0.9 else rng.randint(0, 5))) for _ in range(rng.randint(0, 30))
    ]
    return end.join([delimiter.join(("test", "value", "unit")), *rows]) + rng.choice(("", end))


@pytest.mark.parametrize("odd", [False, True], ids=["well quoted", "odd"])
def test_pieces_of_any_size_give_the_rows_of_the_whole(odd: bool) -> None:
    """Well quoted text is read as Python's csv reads it, odd text by the rules for odd text; where it is cut makes no difference."""
    rng = random.Random(odd)
    for _ in range(150):
        delimiter, end = rng.choice(",;\t|"), rng.choice(("\n", "\r\n", "\r"))
        text = random_text(rng, delimiter, end, odd=odd)
        lines = lines_of(text)
        if odd or end == "\r":
            lines = lines_of("".join(closed_rows(lines, delimiter, 2)[0]))
        want = list(csv.reader(lines, delimiter=delimiter))[1:]
        data, size = text.encode(), rng.choice((1, 5, 20, 60, 10_000))
        found = head(iter([data]), {}, delimiter, None)
        body = b"".join(found.pieces)
        blocks = Blocks(found.names, delimiter)
        got = [row for frame in blocks.frames(body[at : at + size] for at in range(0, len(body), size)) for row in frame.rows()]
        assert blocks.rows == len(got) == len(want), text
        for row, cells in zip(got, want, strict=True):
            extra = any(cell.strip() for cell in cells[3:])
            fitted = [*cells, "", "", ""][:3]
            fitted[2] = delimiter.join(cells[2:]) if extra else fitted[2]
            assert row == (*(cell or None for cell in fitted), TORN if extra else WHOLE if cells else BLANK), text


def test_what_polars_reads_wrong_is_read_with_care() -> None:
    """polars alone would drop quotes, fail, or tell a blank line from a row of empty cells by nothing."""
    for text, want in (
        ('"a "b" c",5,u\n', ('a b" c"', "5", "u")),
        ('a,5" tall,u\n', ("a", '5" tall', "u")),
        ('"a"x,5,u\n', ("ax", "5", "u")),
        ("a\rb,5,u\n", ("a", None, None)),
        ('"",5,u\n', (None, "5", "u")),
    ):
        frame = next(Blocks(["test", "value", "unit"], ",").frames([text.encode(), b"c,1,u\n"]))
        assert frame.drop(STATE).row(0) == want


# --- several files --------------------------------------------------------------------------------------------


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    folder.mkdir()
    save(folder / "b.csv", "test,value,unit,sex,age\nB12,180,ng/L,F,40\n")
    save(folder / "a.csv.gz", gzip.compress(b"value,test,unit,sex,age\n12,Ferritin,ug/L,F,34\n"))
    save(folder / "c.tsv", "test\tvalue\tunit\tsex\tage\nMg\t0.8\tmmol/L\tF\t40\n")
    for name in ("_SUCCESS", ".hidden.csv", "readme.md"):
        save(folder / name, "nothing")
    return folder


@pytest.mark.parametrize("how", ["folder", "pattern", "names"])
def test_files_become_one_output_in_the_order_of_their_names(cli: Cli, tmp_path: Path, parts: Path, how: str) -> None:
    """A folder, a pattern or several names; columns are found by name in each; a column may say which file a row is from."""
    named = {
        "folder": [str(parts)],
        "pattern": [str(parts / "*.[ct]s*")],
        "names": [str(parts / n) for n in ("a.csv.gz", "b.csv", "c.tsv")],
    }
    done = cli("interpret", *named[how], "-o", str(tmp_path / "out.parquet"), "--source-column", "file")
    assert done.code == 0, done.err
    found = pl.read_parquet(tmp_path / "out.parquet")
    assert found.columns[:6] == ["value", "test", "unit", "sex", "age", "file"]
    assert found.select("test", "file", "li_band").rows() == [
        ("Ferritin", "a.csv.gz", "deficient"), ("B12", "b.csv", "indeterminate"), ("Mg", "c.tsv", "normal"),
    ]  # fmt: skip


def test_parquet_files_become_one(cli: Cli, tmp_path: Path) -> None:
    """Their columns may stand in any order, and must have one type."""
    a = pl.DataFrame({"test": ["B12"], "value": [180.0], "unit": ["ng/L"]})
    for name, frame in (("a", a), ("b", a.select("value", "unit", "test")), ("c", a.cast({"value": pl.String}))):
        frame.write_parquet(tmp_path / f"{name}.parquet")
    done = cli("interpret", str(tmp_path / "[ab].parquet"), "-o", str(tmp_path / "out.parquet"), "--age", "40", "--source-column", "f")
    assert done.code == 0
    assert pl.read_parquet(tmp_path / "out.parquet").select("f", "li_band").rows() == [(f"{n}.parquet", "indeterminate") for n in "ab"]
    done = cli("interpret", str(tmp_path / "[abc].parquet"), "-o", str(tmp_path / "out2.parquet"))
    assert done.code == 1
    assert "different types in the column 'value'" in done.err


def test_each_file_into_a_folder(cli: Cli, tmp_path: Path, parts: Path) -> None:
    """An output that ends in a slash is a folder, with a file for each input; it must be new or empty."""
    save(parts / "d.csv", "Test,Wert\nB12,180 ng/L\n")  # columns may differ: there is an output for each
    out = f"{tmp_path / 'out'}/"
    assert cli("interpret", str(parts), "-o", out).code == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [f"{n}.parquet" for n in "abcd"]
    assert pl.read_parquet(tmp_path / "out" / "c.parquet")["li_band"].to_list() == ["normal"]
    done = cli("interpret", str(parts), "-o", out)
    assert done.code == 1
    assert "not empty" in done.err
    assert cli("interpret", str(parts), "--to", "csv", "-o", f"{tmp_path / 'csv'}/").code == 0
    assert sorted(p.name for p in (tmp_path / "csv").iterdir()) == [f"{n}.csv" for n in "abcd"]
    assert (tmp_path / "csv" / "c.csv").read_text().startswith("test\tvalue\t")


def test_files_that_do_not_go_together(cli: Cli, tmp_path: Path, parts: Path) -> None:
    """Different columns, text beside Parquet, nothing to read: one message each, and nothing is written."""
    pl.DataFrame({"test": ["B12"], "value": ["180"]}).write_parquet(tmp_path / "p.parquet")
    other = save(tmp_path / "other.csv", "test,value,unit,sex,weight\nB12,180,ng/L,F,60\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "in").mkdir()
    before = sorted(p.name for p in tmp_path.iterdir())
    for names, message in (
        ([str(parts / "b.csv"), other], "different columns ('age' is in one of them)"),
        ([str(parts / "b.csv"), str(tmp_path / "p.parquet")], "one kind at a time"),
        ([str(tmp_path / "empty")], "/**/*.csv"),
        ([str(tmp_path / "no*.csv")], "no file matches"),
        ([str(parts / "b.csv"), "nosuch.csv"], "there is no file 'nosuch.csv'; check its name"),
    ):
        done = cli("interpret", *names, "-o", str(tmp_path / "out.parquet"))
        assert (done.code, done.out, message in done.err) == (1, "", True), done.err
    assert sorted(p.name for p in tmp_path.iterdir()) == before


# --- options ----------------------------------------------------------------------------------------------------


def bands(cli: Cli, tmp_path: Path, text: str, *options: str) -> list[str]:
    found = read_back(cli, tmp_path, text, *options)
    return [row["li_band"] or row["li_reason"] for row in found.iter_rows(named=True)]


def test_facts_of_the_command_line_fill_what_a_row_does_not_say(cli: Cli, tmp_path: Path) -> None:
    """As when a file is read whole: what a row states goes first, what nobody can read counts as nothing."""
    text = (
        "test,value,unit,sex,age,dob,collected at,pregnant\nFerritin,160,ug/L,,,,,\nFerritin,160,ug/L,M,50,,,\n"
        "Ferritin,160,ug/L,x,old,,,maybe\nFerritin,160,ug/L,M,,1974-01-01,2024-06-01,\nFerritin,160,ug/L,M,,1974-01-01,,\n"
    )
    for options in (
        [],
        ["--sex", "female"],
        ["--sex", "female", "--age", "3", "--not-pregnant"],
        ["--age", "34", "--sex", "F", "--pregnant"],
    ):
        whole = cli("interpret", save(tmp_path / "one.csv", text), "--no-stream", "--to", "csv", *options)
        want = [row["li_band"] or row["li_reason"] for row in csv.DictReader(io.StringIO(whole.out))]
        assert bands(cli, tmp_path, text, *options) == want, options


def test_ages_of_any_type_are_filled() -> None:
    """Numbers, decimals and texts; a known age stays."""
    stated = Stated(Catalog.default(), age="34")
    for column in (
        pl.Series(["3", None, "old", "200"]),
        pl.Series([3, None, -1, 200]),
        pl.Series([3.0, None, -1, 200.0], dtype=pl.Float32),
        pl.Series(["3.00", None, "-1.00", "200.00"]).cast(pl.Decimal(10, 2)),
    ):
        filled = stated.filled({"age_years": column}, 4)["age_years"]
        assert filled.cast(pl.Float64).to_list() == [3, 34, 34, 34]


def test_a_trimester_is_read(cli: Cli, tmp_path: Path) -> None:
    """It says that there is a pregnancy, in which the limits may differ."""
    text = "test,value,unit,sex,age,trimester,pregnant,context\nFerritin,12,ug/L,F,30,,no,\nFerritin,12,ug/L,F,30,1,,\nFerritin,12,ug/L,F,30,T3,no,inflammation\nFerritin,12,ug/L,F,30,2,T1,\n"
    whole = cli("interpret", save(tmp_path / "one.csv", text), "--to", "csv")
    rows = list(csv.DictReader(io.StringIO(whole.out)))
    found = read_back(cli, tmp_path, text)
    assert [row["li_limits"] or None for row in rows] == found["li_limits"].cast(pl.String).to_list()
    assert bands(cli, tmp_path, text) == [row["li_band"] or row["li_reason"] for row in rows]


def test_blank_cells_are_no_cells(cli: Cli, tmp_path: Path) -> None:
    """Spaces in a cell of a fact say nothing."""
    names = ("loinc", "specimen", "comparator", "ref low", "ref high", "reference range", "pregnant", "context")
    text = f"test,value,unit,sex,age,{','.join(names)}\nFerritin,12,ug/L,F,34{',  ' * len(names)}\n"
    assert bands(cli, tmp_path, text) == ["deficient"]


def test_authority_decimal_limits_and_columns(cli: Cli, tmp_path: Path) -> None:
    """The options of a small file hold for a big one."""
    text = 'id,date,analysis,RESULT,unit,sex,age\n1,2024-01-01,vitamin D,55,nmol/L,F,40\n2,x,B12,"1,060",pg/mL,F,40\n'
    roles = ["--column", "test=analysis", "--column", "value=RESULT"]
    found = read_back(
        cli,
        tmp_path,
        text,
        *roles,
        "--authority",
        "25(OH)D=endocrine-society",
        "--as-of",
        "2020-01-01",
        "--decimal",
        ".",
        "--columns",
        "results",
    )
    assert found.columns == ["id", "date", "analysis", *ADDED]
    assert found["li_limits"][0] == "vitamin_d/endocrine-2011"
    assert found["li_value"].to_list() == [55, 1060]
    done = cli("interpret", save(tmp_path / "in.csv", text.replace("RESULT", "li_band")), "--column", "test=analysis", "--column", "value=li_band",
               "-o", str(tmp_path / "x.parquet"))  # fmt: skip
    assert done.code == 1
    assert "already has the column 'li_band'" in done.err


@pytest.mark.parametrize(
    ("to", "out", "stream", "form", "streamed"),
    [
        (None, None, None, "table", False),
        (None, "x.csv", None, "csv", False),
        (None, "x.tsv", True, "csv", True),
        (None, "x.json", None, "json", False),
        (None, "x.txt", None, "table", False),
        (None, "x.PARQUET", None, "parquet", True),
        (None, "x.csv.gz", None, "csv", True),
        (None, "x.csv.zst", None, "csv", True),
        (None, "x/", None, "parquet", True),
        ("csv", "x/", None, "csv", True),
        ("csv", "x.txt", None, "csv", False),
        ("csv", None, True, "csv", True),
        ("parquet", "x", None, "parquet", True),
        ("csv", "x.parquet", None, "do not go together", None),
        ("parquet", "x.csv", None, "do not go together", None),
        ("json", "x.csv.gz", None, "for CSV only", None),
        (None, "x.parquet.gz", None, "for CSV only", None),
        (None, None, True, "row by row there is no table", None),
        ("json", "x/", None, "row by row there is no json", None),
        ("parquet", None, None, "goes to a file", None),
        (None, "x.parquet", False, "parquet", False),
        (None, "x.jsonl", None, "jsonl", False),
        (None, "x.xlsx", None, "xlsx", False),
        ("csv", "x.xlsx", None, "do not go together", None),
        ("xlsx", None, None, "goes to a file", None),
        (None, "x/", False, "leave it out", None),
    ],
)
def test_the_way_is_chosen_by_what_is_asked_for(
    to: str | None, out: str | None, stream: bool | None, form: str, streamed: bool | None
) -> None:
    """A small plain file is read whole, unless its output or --stream says otherwise."""
    if streamed is None:
        with pytest.raises(InputError, match=form):
            way([], to, out, stream)
    else:
        assert way([], to, out, stream)[:2] == (form, streamed)


def test_long_and_packed_inputs_are_streamed(tmp_path: Path) -> None:
    """What is big, packed, Parquet or many."""
    with (tmp_path / "big.csv").open("wb") as file:
        file.truncate(LONG + 1)
    save(tmp_path / "small.csv", TEXT)
    save(tmp_path / "x.gz", gzip.compress(b"x"))
    big, small, zipped = ([one] for one in given([str(tmp_path / n) for n in ("big.csv", "small.csv", "x.gz")]))
    assert way(big, None, "x.csv", None).streamed
    assert not way(big, None, "x.csv", False).streamed
    assert not way(big, "csv", None, None).streamed
    assert not way(small, None, "x.csv", None).streamed
    assert way(zipped, None, "x.csv", None).streamed
    assert way([*small, *small], None, "x.csv", None).streamed
    assert not way(zipped, None, None, None).streamed
    assert not way([*small, *small], "json", None, None).streamed
    save(tmp_path / "panel.json", '{"results": {"B12": "5 ng/L"}}')
    panel = given([str(tmp_path / "panel.json")])
    assert way(panel, None, "x.parquet", None)[:2] == ("parquet", False)
    assert not way([*small, *panel], "csv", None, None).streamed


@pytest.mark.parametrize("option", [["--summary", "s.json"], ["--columns", "results"], ["--source-column", "file"]])
def test_options_of_the_streamed_way_say_so(cli: Cli, tmp_path: Path, option: list[str]) -> None:
    """They mean nothing for a file that is read whole."""
    done = cli("interpret", save(tmp_path / "in.csv", TEXT), *option)
    assert (done.code, "--stream" in done.err) == (1, True)


# --- what came of it ----------------------------------------------------------------------------------------------


def test_the_summary_counts_bands_and_spellings(cli: Cli, tmp_path: Path, small_pieces: None) -> None:
    """On standard error, and as JSON: the same counts as the rows of the output have."""
    done = cli(
        "interpret", save(tmp_path / "in.csv", TEXT), "-o", str(tmp_path / "o.parquet"), "--summary", str(tmp_path / "s.json"), "--strict"
    )
    assert done.code == 2
    found = pl.read_parquet(tmp_path / "o.parquet")
    document = json.loads((tmp_path / "s.json").read_text("utf-8"))
    assert document["catalog"] == Catalog.default().version
    assert document["rows"] == 400
    assert document["not_assessed"] == found["li_reason"].count()
    assert (
        document["reasons"] == {str(w): n for w, n in found["li_reason"].drop_nulls().value_counts(sort=True).rows()} | document["reasons"]
    )
    answered = (
        found.filter(pl.col("li_code").is_not_null())
        .group_by("li_analyte", pl.coalesce(pl.col("li_band", "li_code").cast(pl.String)))
        .len()
    )
    assert {(str(a), b): n for a, b, n in answered.rows()} == {(a, b): n for a, of in document["bands"].items() for b, n in of.items()}
    refused = found.filter(pl.col("li_reason") == "unknown_analyte")["Test"].value_counts(sort=True).rows()
    told_of = document["spellings"]["unknown_analyte"]
    assert (told_of["of"], told_of["too_low_by_at_most"]) == ("test", 0)
    assert [(one["text"], one["rows"]) for one in told_of["most_frequent"]] == refused == [("Zonulin", refused[0][1])]
    assert {one["text"] for one in document["spellings"]["unreadable_value"]["most_frequent"]} == {"pending", ""}
    assert {one["text"] for one in document["spellings"]["unknown_unit"]["most_frequent"]} == {"furlong"}
    lines = done.err.splitlines()
    assert lines[0].startswith(f"400 rows: {document['flagged']} flagged, ")
    assert "one by one" in lines[1]
    assert any(line.split()[0] == "unknown_analyte" and "test: 'Zonulin'" in line for line in lines)
    assert "two" not in done.err


def test_spellings_are_bounded_and_printable() -> None:
    """A file of nothing but different texts does not fill the memory; the frequent ones are still found, counts say what they lack."""
    counted = Spellings()
    for batch in range(8):
        texts = [f"x{batch}-{number}" for number in range(9_000)] + ["often"]
        counted.add(pl.DataFrame({"text": texts, "len": [1] * 9_000 + [50]}))
    assert len(counted.counts) <= 20_000
    assert counted.counts.most_common(1) == [("often", 400)]
    assert 1 <= counted.short <= 8
    tally = Tally()
    answers = interpret_frame(pl.DataFrame({"test": ["\x1b[31mred\n", "y" * 500, None], "value": ["1"] * 3})).select(
        pl.selectors.starts_with("li_")
    )
    tally.add(
        {name.removeprefix("li_"): answers[name] for name in answers.columns}, {"test": pl.Series(["\x1b[31mred\n", "y" * 500, None])}
    )
    shown = [one["text"] for one in tally.document()["spellings"]["unknown_analyte"]["most_frequent"]]
    assert sorted(shown) == ["", " [31mred ", "y" * 59 + "…"]


def test_progress_is_drawn_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, rows per second and time left, from the second second on; the line is gone at the end."""
    from rich.console import Console

    assert told(25, 100, 5_000_000, 10.0) == "5,000,000 rows, 500,000 a second, 0:30 left"
    assert told(1, 1000, 10, 10.0) == "10 rows, 1 a second, 2:46:30 left"
    assert told(0, None, 10, 10.0) == "10 rows, 1 a second"
    for terminal, waited, drawn in ((True, 2.0, True), (True, 0.1, False), (False, 2.0, False)):
        out = io.StringIO()
        progress = Progress(Console(file=out, force_terminal=terminal, width=80))
        clock = SimpleNamespace(monotonic=lambda waited=waited, begun=progress._start: begun + waited)
        monkeypatch.setattr("labinterp._streams.progress.time", clock)
        progress.show(25, 100, 1000)
        progress.close()
        assert ("a second" in out.getvalue()) is drawn
        assert drawn or not out.getvalue()


# --- all or nothing -----------------------------------------------------------------------------------------------


def left(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("out", ["out.parquet", "out.csv.gz", "out/"])
@pytest.mark.parametrize("bad", ["cut.csv.gz", "bad.csv.gz", "cut.csv.zst", "latin.csv.zst", "cut.parquet", "bad.parquet", "empty.csv"])
def test_a_broken_input_leaves_nothing(cli: Cli, tmp_path: Path, bad: str, out: str) -> None:
    """A file that breaks off, or is none: one message that names it, and an older output stays."""
    text = HEADER + some_rows(20_000)
    if bad.endswith(".gz"):
        data = gzip.compress(text.encode())
        data = data[: len(data) // 2] if bad.startswith("cut") else data[:-6] + b"\xff" + data[-5:]
    elif bad.endswith(".zst"):
        data = packed(text.encode(), ".zst", tmp_path / "packed")
        data = data[: len(data) // 2]
        if bad.startswith("latin"):
            frame = pl.DataFrame({"x": [b"test,value\nFols\xe4ure,5\n"]})
            pytest.importorskip("pyarrow")
            import pyarrow as pa

            sink = pa.BufferOutputStream()
            with pa.CompressedOutputStream(sink, "zstd") as stream:
                stream.write(frame["x"][0])
            data = sink.getvalue().to_pybytes()
        (tmp_path / "packed").unlink()
    elif bad.endswith(".parquet"):
        plain_frame(text).write_parquet(tmp_path / bad, compression="uncompressed")
        data = (tmp_path / bad).read_bytes()
        data = data[: len(data) // 2] if bad.startswith("cut") else data[:1000] + b"\xff" * 5000 + data[6000:]
    else:
        data = b"\n \n"
    save(tmp_path / bad, data)
    if not out.endswith("/"):
        save(tmp_path / out, "old")
    before = left(tmp_path)
    done = cli("interpret", str(tmp_path / bad), "-o", f"{tmp_path}/{out}")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("labinterp: ")
    assert "Traceback" not in done.err
    assert "Ferritin" not in done.err
    assert left(tmp_path) == before
    assert out.endswith("/") or (tmp_path / out).read_text() == "old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_full_disk_is_told(cli: Cli, tmp_path: Path, form: str) -> None:
    """What the system says, in one line."""
    done = cli("interpret", save(tmp_path / "in.csv", HEADER + some_rows(20_000)), "--stream", "--to", form, "-o", "/dev/full")
    assert (done.code, done.err) == (1, "labinterp: the output cannot be written: No space left on device\n")


def test_an_output_may_take_the_place_of_its_input(cli: Cli, tmp_path: Path) -> None:
    """It is written beside it first."""
    frame = plain_frame()
    frame.write_parquet(tmp_path / "x.parquet")
    assert cli("interpret", str(tmp_path / "x.parquet"), "-o", str(tmp_path / "x.parquet")).code == 0
    assert pl.read_parquet(tmp_path / "x.parquet").equals(expected())


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_lost_row_is_an_error(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """Rows read, answered and written are counted apart; where they differ, nothing is kept."""
    monkeypatch.setattr(Tally, "add", lambda self, answers, *_: setattr(self, "rows", self.rows + len(answers["code"]) - 1))
    done = cli("interpret", save(tmp_path / "in.csv", TEXT), "--stream", "--to", form, "-o", str(tmp_path / "out"))
    assert (done.code, "nothing was kept" in done.err) == (1, True)
    assert left(tmp_path) == ["in.csv"]


# The command as it is; it says on standard output when it was told to stop.
STOPPING = """
import os
from labinterp._streams.watch import Watch
stop = Watch.stop
def stopping(self):
    stop(self)
    os.write(1, b"stopping")
Watch.stop = stopping
from labinterp.__main__ import main
main()
"""


@pytest.mark.skipif(os.name != "posix", reason="pipes and signals are posix")
@pytest.mark.parametrize(
    ("how", "out"),
    [
        (signal.SIGINT, "out.parquet"),
        (signal.SIGINT, "out/"),
        (signal.SIGTERM, "out.csv.gz"),
        (signal.SIGKILL, "out.parquet"),
        (signal.SIGKILL, "out.csv.gz"),
    ],
)
def test_a_run_that_is_broken_off_leaves_nothing(tmp_path: Path, how: signal.Signals, out: str) -> None:
    """Ctrl-C, a polite and a rude end of the process while it works on a pipe: no output, no remains."""
    if how is signal.SIGKILL and not hasattr(os, "O_TMPFILE"):
        pytest.skip("a killed process leaves a hidden file where files cannot be nameless")
    (tmp_path / "work").mkdir()
    os.mkfifo(tmp_path / "pipe")
    command = [sys.executable, "-c", STOPPING, "interpret", str(tmp_path / "pipe"), "--stream", "-o", f"{tmp_path / 'work'}/{out}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    rows = b"test,value,unit,sex,age\n" + 300_000 * GOOD.encode()
    with (tmp_path / "pipe").open("wb") as pipe:
        pipe.write(rows)  # more than a pipe and a piece hold: the run is under way
        pipe.flush()
        process.send_signal(how)
        assert process.stdout
        assert os.read(process.stdout.fileno(), 100) == (b"" if how is signal.SIGKILL else b"stopping")  # before the pipe ends
    said = process.communicate(timeout=30)[1].decode()
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[how], said
    assert "Traceback" not in said
    assert left(tmp_path / "work") == []


def test_without_nameless_files_there_is_a_hidden_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On systems that cannot, the file has a hidden name until it is whole, and none if it never is."""
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    with appearing(tmp_path / "x") as place:
        place.write_text("new")
        assert left(tmp_path) == [f".x.{os.getpid()}.part"]
    assert (left(tmp_path), (tmp_path / "x").read_text()) == (["x"], "new")

    def break_off() -> None:
        with appearing(tmp_path / "x") as place:
            place.write_text("half")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        break_off()
    assert (left(tmp_path), (tmp_path / "x").read_text()) == (["x"], "new")


def test_without_the_extra_one_line_says_which() -> None:
    """Where polars is missing, the streamed way says what to install; the other way needs none of it."""
    code = "import sys; sys.modules['polars'] = None; sys.argv = ['labinterp', 'interpret', '-', *sys.argv[1:]]; from labinterp.cli import app; app()"
    for options, code_back in ((["--to", "csv"], 0), (["--to", "csv", "--stream"], 1)):
        done = subprocess.run(
            [sys.executable, "-c", code, *options], input=f"test,value,unit\n{GOOD}".encode(), capture_output=True, check=False
        )
        assert done.returncode == code_back
    assert done.stderr.decode() == "labinterp: this needs the extra 'dataframes':  pip install \"labinterp[dataframes]\"\n"


def test_decoded_reads_each_line_as_what_it_is() -> None:
    """UTF-8 where it can be, else Windows-1252."""
    assert decoded("µ\nä\n".encode()) == "µ\nä\n"
    assert decoded("µ\n".encode() + b"\xe4\x81\n") == "µ\nä\ufffd\n"
