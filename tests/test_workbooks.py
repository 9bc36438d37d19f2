"""Workbooks, Parquet and archives: what a cell holds is what is read, and nothing in a file does harm."""

from __future__ import annotations

import datetime as dt
import io
import os
import random
import time
import zipfile
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labinterp import interpret
from labinterp._formats import apart, archives, workbook_parts
from labinterp._intake import Source
from labinterp._quantity import Unreadable
from labinterp.errors import InputError, MissingExtraError
from labinterp.readers import read_bytes

openpyxl = pytest.importorskip("openpyxl")
pytest.importorskip("python_calamine")
Cli = Callable[..., Any]
LONG = [["test", "value", "unit", "sex", "age"], ["Ferritin", 18.0, "ug/L", "F", 34], ["B12", 1.061, "pg/mL", "F", 34]]
WIDE = [["id", "Ferritin (ug/L)", "CRP mg/L"], [7, 12.5, 3], [8, None, 4]]


def book(**sheets: Sequence[Sequence[Any]]) -> Any:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        page = made.create_sheet(name)
        for row in rows:
            page.append(list(row))
    return made


def saved(made: Any) -> bytes:
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def read(data: bytes, **how: Any) -> Source:
    return read_bytes(data, name="labs.xlsx", **how)


def results(source: Source) -> list[tuple[str, Any, str | None, str]]:
    return [(r.test, r.value, r.unit, r.source) for panel in source.panels for r in panel.results]


def changed(data: bytes, **parts: Callable[[bytes], bytes]) -> bytes:
    """A workbook with its first sheet (or what is named) changed, or with further members."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, parts["sheet"](content) if "sheet" in parts and name == "xl/worksheets/sheet1.xml" else content)
        for name, make in parts.items():
            if name != "sheet":
                new.writestr(name, make(b""))
    return file.getvalue()


# --- sheets -------------------------------------------------------------------------------------------------------


def test_long_and_wide_sheets_are_read() -> None:
    """Every sheet that is a table of results, each result with its sheet, row and column as the program shows them."""
    source = read(saved(book(Long=LONG, Empty=[], Notes=[["hello"]], Wide=WIDE)))
    assert results(source) == [
        ("Ferritin", Decimal(18), "ug/L", "labs.xlsx, sheet Long, row 2"),
        ("B12", Decimal("1.061"), "pg/mL", "labs.xlsx, sheet Long, row 3"),
        ("Ferritin (ug/L)", Decimal("12.5"), "ug/L", "labs.xlsx, sheet Wide, row 2, column Ferritin (ug/L)"),
        ("CRP", Decimal(3), "mg/L", "labs.xlsx, sheet Wide, row 2, column CRP mg/L"),
        ("CRP", Decimal(4), "mg/L", "labs.xlsx, sheet Wide, row 3, column CRP mg/L"),
    ]
    assert [row for panel in source.panels for row in panel.rows] == [1, 2, 3, 4, 5]
    assert source.notes == (
        "labs.xlsx, sheet Notes: not read: the first line has one column and none of the usual names; a header line is needed, such as test,value,unit. Other names are told with --column value=NAME, another mark between cells with --delimiter",
    )
    assert source.panels[0].patient.age_years == 34


def test_titles_above_the_header_and_empty_rows_and_columns() -> None:
    """Merged titles, a table that does not begin in the first cell; the row is the program's own number."""
    made = book(Labs=[[], ["", "Results of Jane"], [], *(["", *row] for row in LONG)])
    made["Labs"].merge_cells("B2:F2")
    source = read(saved(made))
    assert [place for *_, place in results(source)] == ["labs.xlsx, sheet Labs, row 5", "labs.xlsx, sheet Labs, row 6"]
    assert source.notes == ("labs.xlsx, sheet Labs: 1 line above the header was passed over.",)


def test_a_hidden_sheet_is_read_and_said() -> None:
    """What is hidden from the eye is still in the file."""
    made = book(Labs=LONG, Old=WIDE)
    made["Old"].sheet_state = "hidden"
    source = read(saved(made))
    assert len(results(source)) == 5
    assert source.notes == ("labs.xlsx, sheet Old: the sheet is hidden; it was read like the others.",)


def test_one_sheet_can_be_named(cli: Cli, tmp_path: Path) -> None:
    """Others are left alone; a name that is not there is told."""
    data = saved(book(Labs=LONG, More=WIDE))
    assert len(results(read(data, sheet="Labs"))) == 2
    with pytest.raises(InputError, match="there is no sheet 'labs'; this workbook has: Labs, More"):
        read(data, sheet="labs")
    with pytest.raises(InputError, match="a sheet is of a workbook"):
        read_bytes(b"test,value\nFerritin,5 ug/L\n", sheet="Labs")
    (tmp_path / "labs.xlsx").write_bytes(data)
    done = cli("interpret", str(tmp_path / "labs.xlsx"), "--sheet", "Labs", "--to", "csv")
    assert [line.split(",")[:2] for line in done.out.splitlines()] == [["test", "value"], ["Ferritin", "18"], ["B12", "1.061"]]
    done = cli("interpret", str(tmp_path / "labs.xlsx"))
    assert (done.code, "5 rows" in done.err) == (0, True)


# --- cells --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (18.0, Decimal(18)), (18, Decimal(18)), (0.1 + 0.2, Decimal("0.3")), (1.061, Decimal("1.061")), (1060.0, Decimal(1060)),
        (41.800000000000004, Decimal("41.8")), ("18,5", "18,5"), ("<0.5", "<0.5"), ("0012", "0012"), (0.00001, Decimal("0.00001")),
    ],
)  # fmt: skip
def test_a_number_is_what_the_program_shows(cell: Any, value: Any) -> None:
    """15 digits, none of the noise behind them; texts stay texts."""
    ((_, found, *_),) = results(read(saved(book(Labs=[["test", "value"], ["Ferritin", cell]]))))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("cell", "text", "says"),
    [
        (dt.date(2024, 10, 5), "2024-10-05", "holds a day"), (dt.datetime(2024, 10, 5, 12, 30), "2024-10-05 12:30:00", "holds a day"),
        (dt.time(5, 10), "05:10:00", "holds a day"), (True, "true", "truth value"),
    ],
)  # fmt: skip
def test_a_day_or_a_truth_value_is_no_number(cell: Any, text: str, says: str) -> None:
    """A spreadsheet makes a day of the text 5-10: what was typed is lost, and not made up."""
    for rows in ([["test", "value", "unit"], ["Ferritin", cell, "ug/L"]], [["Ferritin (ug/L)", "CRP (mg/L)"], [cell, ""]]):
        ((_, found, *_),) = results(read(saved(book(Labs=rows))))
        assert isinstance(found, Unreadable)
        assert (found.reason, found.text, says in found.message) == ("unreadable_value", text, True)


def test_errors_and_formulas() -> None:
    """An error is told; of a formula the kept value is read, and nothing is computed."""
    rows = [["Ferritin (ug/L)", "CRP (mg/L)", "B12 (ng/L)"], ["#N/A", "=1+1", 200], ["=1/0", 3, 200]]
    made = book(Labs=rows)
    made["Labs"]["A2"].data_type = "e"
    kept = changed(
        saved(made),
        sheet=lambda xml: xml.replace(b"<f>1/0</f><v />", b"<f>1/0</f><v>12</v>").replace(b"<f>1/0</f><v></v>", b"<f>1/0</f><v>12</v>"),
    )
    found = [value for _, value, *_ in results(read(kept))]
    assert [(v.text, v.message.split(";")[0]) for v in found[:2]] == [
        ("#N/A", "The cell holds an error of the spreadsheet, not a number."),
        ("(formula)", "The cell holds a formula whose value is not in the file"),
    ]
    assert found[2:] == [Decimal(200), Decimal(12), Decimal(3), Decimal(200)]


def test_a_cell_that_shows_percent_is_percent() -> None:
    """A saturation of 25 % is kept as 0.25; what is shown is what is read."""
    rows = [["Transferrin saturation (%)", "Ferritin (ug/L)"], [0.25, 12], [0.071, 12], [25, 0.9]]
    made = book(Labs=rows)
    made["Labs"]["A2"].number_format, made["Labs"]["A3"].number_format, made["Labs"]["B4"].number_format = "0%", '0.0 ""%', "0.00%"
    source = read(saved(made))
    assert [value for _, value, *_ in results(source)] == ["25%", Decimal(12), "7.1%", Decimal(12), Decimal(25), "90%"]
    found = [interpret(p.results, p.patient).rows() for p in source.panels]
    assert [getattr(answer, "reason", None) for some in found for answer in some][-1] == "conflicting_code"
    page = open_document([["Transferrin saturation (%)", "Ferritin (ug/L)"], ["HERE", 12]])
    with zipfile.ZipFile(io.BytesIO(page)) as archive:
        content = archive.read("content.xml").replace(
            b'<table:table-cell office:value-type="string"><text:p>HERE</text:p></table:table-cell>',
            b'<table:table-cell office:value-type="percentage" office:value="0.25"><text:p>25%</text:p></table:table-cell>',
        )
        again = zipped(*((name, content if name == "content.xml" else archive.read(name)) for name in archive.namelist()))
    assert [value for _, value, *_ in results(read_bytes(again, name="labs.ods"))] == ["25%", Decimal(12)]


def test_days_of_sampling_and_birth_are_days() -> None:
    """In columns where a day is meant."""
    rows = [["test", "value", "unit", "date", "birth date"], ["Ferritin", 12, "ug/L", dt.date(2024, 1, 31), dt.datetime(1990, 1, 31)]]
    (panel,) = read(saved(book(Labs=rows))).panels
    assert (str(panel.results[0].collected_at), panel.patient.age_years) == ("2024-01-31", 34)


# --- harmful files ------------------------------------------------------------------------------------------------

BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


def far(made: Any) -> bytes:
    made["Labs"]["XFD1048576"] = 1
    return saved(made)


def zipped(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda data: changed(data, sheet=lambda _: BOMB), "declares entities"),
        (lambda data: changed(data, sheet=lambda _: OUTSIDE), "declares entities"),
        (lambda data: changed(data, sheet=lambda _: BOMB.decode().encode("utf-16")), "declares entities"),
        (lambda data: changed(data, bomb=lambda _: b"\0" * (64 << 20)), "times its size"),
        (lambda data: far(book(Labs=LONG)), "row 1,048,576 and column 16,384"),
        (lambda data: data[: len(data) // 2], "breaks off or is damaged"),
        (lambda data: b"PK\x03\x04" + b"x" * 100, "breaks off or is damaged"),
        (lambda data: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000, "no workbook that can be read"),
        (lambda data: changed(data, sheet=lambda _: b"<worksheet><sheetData><row><c"), "no sheet is a table|no workbook|empty"),
        (lambda data: saved(book(Labs=[])), "the workbook is empty"),
        (lambda data: saved(book(Labs=[["XQZCANARY", 5], ["Jane", 7]])), "no sheet is a table of results; 'Labs'"),
        (lambda data: changed(data, **{"xl/workbook.bin": lambda _: b"x"}), "binary workbook"),
        (lambda data: zipped(("inner.zip", zipped(("a.csv", b"x")))), "an archive within the archive"),
        (lambda data: zipped(("folder/", b"")), "holds no file"),
        (lambda data: zipped(*((f"{n}.csv", b"") for n in range(10_001))), "10,001 members"),
        (lambda data: b"labs.csv" + b"\0" * 249 + b"ustar  \0" + b"\0" * 1000, "tar archive"),
    ],
)
def test_harmful_files_end_in_a_clear_reason(make: Callable[[bytes], bytes], says: str) -> None:
    """Before a library opens them, soon, and without a word of what is in them."""
    start = time.process_time()
    with pytest.raises(InputError, match=says) as caught:
        read(make(saved(book(Labs=LONG))))
    assert "XQZCANARY" not in str(caught.value)
    assert time.process_time() - start < 30  # a hang, not a speed


def test_an_archive_that_declares_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sum of its members is bounded, whatever each of them is."""
    monkeypatch.setattr(archives, "MOST", 1000)
    with pytest.raises(InputError, match="unpacks to more than"):
        read(zipped(("a.csv", os.urandom(600)), ("b.csv", os.urandom(600))))


def test_a_repeated_row_of_open_document_is_bounded() -> None:
    """One row that says it stands there a million times, with cells that say the same."""
    page = b'<table:table-row table:number-rows-repeated="1000000"><table:table-cell office:value="1" table:number-columns-repeated="16384"/></table:table-row>'
    data = zipped(("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", page))
    with pytest.raises(InputError, match="repeats its cells"):
        workbook_parts.parts_of(data, "x.ods")


def test_a_plain_archive_is_read_file_by_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory: its paths lead nowhere, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    data = zipped(
        ("../../etc/labs.csv", b"test,value,unit\nFerritin,12,ug/L\n"), ("/abs/more.csv", b"Ferritin (ug/L),CRP (mg/L)\n90,3\n"),
        ("__MACOSX/._labs.csv", b"x"), (".hidden", b"x"), ("C:\\x\\labs.xlsx", saved(book(Labs=LONG))),
    )  # fmt: skip
    source = read_bytes(data, name="labs.zip")
    assert [place for *_, place in results(source)] == [
        "labs.zip/labs.csv, row 1", "labs.zip/more.csv, row 1, column Ferritin (ug/L)", "labs.zip/more.csv, row 1, column CRP (mg/L)",
        "labs.zip/labs.xlsx, sheet Labs, row 2", "labs.zip/labs.xlsx, sheet Labs, row 3",
    ]  # fmt: skip
    assert list(tmp_path.iterdir()) == []


# --- other programs -----------------------------------------------------------------------------------------------


def open_document(rows: Sequence[Sequence[Any]]) -> bytes:
    """A small .ods as office programs write it."""

    def cell(value: Any) -> str:
        if isinstance(value, (int, float)):
            return f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:table-cell>'
        if isinstance(value, dt.date):
            return f'<table:table-cell office:value-type="date" office:date-value="{value}"><text:p>{value}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    lines = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text"))
    content = f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} office:version="1.2"><office:body><office:spreadsheet><table:table table:name="Labs">{lines}</table:table></office:spreadsheet></office:body></office:document-content>'
    manifest = '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/><manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", manifest)
    return file.getvalue()


def test_open_document_is_read() -> None:
    """Numbers and days."""
    source = read_bytes(open_document([*LONG, ["CRP", dt.date(2024, 10, 5), "mg/L", "F", 34]]), name="labs.ods")
    found = results(source)
    assert found[:2] == [
        ("Ferritin", Decimal(18), "ug/L", "labs.ods, sheet Labs, row 2"),
        ("B12", Decimal("1.061"), "pg/mL", "labs.ods, sheet Labs, row 3"),
    ]
    assert found[2][1].text == "2024-10-05"


OLD = Path(__file__).resolve().parent / "data" / "labs.xls"


def test_an_old_workbook_is_read() -> None:
    """Its cells as those of the newer ones."""
    source = read_bytes(OLD.read_bytes(), name="labs.xls")
    assert source.notes == ("labs.xls, sheet Labs: 1 line above the header was passed over.",)
    found = results(source)
    assert found[:2] == [
        ("Ferritin", Decimal(18), "ug/L", "labs.xls, sheet Labs, row 3"), ("B12", Decimal("1.061"), "pg/mL", "labs.xls, sheet Labs, row 4"),
    ]  # fmt: skip
    assert [(value.text, value.reason) for _, value, *_ in found[2:4]] == [("2024-10-05", "unreadable_value"), ("true", "unreadable_value")]


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_old_workbook_ends_no_process(seed: int) -> None:
    """The library that opens it may stop at once, or ask for all the memory there is: it does so alone."""
    data, chance = bytearray(OLD.read_bytes()), random.Random(seed)
    for _ in range(seed * 3 + 1):
        data[chance.randrange(8, 600 if seed % 2 else len(data))] = chance.randrange(256)
    try:
        read_bytes(bytes(data), name="labs.xls")
    except InputError as error:
        said = str(error)
    else:
        said = "labs.xls: read"
    assert said.startswith("labs.xls: ")


def test_a_workbook_that_is_never_done_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library that opens it has so much time and no more."""
    monkeypatch.setattr(apart, "_SECONDS", 0.001)
    with pytest.raises(InputError, match=r"labs\.xlsx: the file is damaged, or larger than can be read"):
        read(saved(book(Labs=LONG)))


def test_parquet_is_read_together(cli: Cli, tmp_path: Path) -> None:
    """Numbers of any type are exact, days are days; what streams by elsewhere makes a report here."""
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {
            "test": ["Ferritin", "CRP", "B12", "Mg"], "value": [12.1, 0.1, None, float("nan")], "unit": ["ug/L", "mg/L", "ng/L", "mmol/L"],
            "sex": ["F"] * 4, "age": [34] * 4, "date": [dt.date(2024, 1, 31)] * 4, "more": [[1]] * 4,
        }
    ).with_columns(pl.col("value").cast(pl.Float32))  # fmt: skip
    frame.write_parquet(tmp_path / "in.parquet")
    source = read_bytes((tmp_path / "in.parquet").read_bytes(), name="in.parquet")
    (panel,) = source.panels
    assert [r.value for r in panel.results] == [Decimal("12.1"), Decimal("0.1"), None, None]
    assert str(panel.results[0].collected_at) == "2024-01-31"
    done = cli("interpret", str(tmp_path / "in.parquet"))
    assert (done.code, "deficien" in done.out) == (0, True)
    exact = pl.DataFrame({"test": ["Ferritin"] * 2, "value": pl.Series(["12.10", "90.00"]).cast(pl.Decimal(10, 2))})
    exact.write_parquet(tmp_path / "exact.parquet")
    assert [str(v) for _, v, *_ in results(read_bytes((tmp_path / "exact.parquet").read_bytes()))] == ["12.10", "90.00"]
    truth = pl.DataFrame({"test": ["Ferritin"], "value": [True]})
    truth.write_parquet(tmp_path / "truth.parquet")
    assert results(read_bytes((tmp_path / "truth.parquet").read_bytes()))[0][1].reason == "unreadable_value"
    data = (tmp_path / "in.parquet").read_bytes()
    for bad in (data[: len(data) // 2], data[:200] + b"\xff" * 200 + data[400:], b"PAR1"):
        with pytest.raises(InputError, match="not a whole Parquet file"):
            read_bytes(bad)


# --- anything -----------------------------------------------------------------------------------------------------

SECONDS = float(os.environ.get("LABINTERP_FUZZ_SECONDS", "0"))
CANARY = "XQZCANARY"
_VALUES = st.one_of(
    st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.integers(-10**9, 10**9), st.dates(dt.date(1950, 1, 1)),
    st.sampled_from(["Ferritin", "12", "<5", "ug/L", "F", f"{CANARY} 5", CANARY, "test", "value", "Ferritin (ug/L)", "CRP mg/L", "#N/A"]),
)  # fmt: skip
_ROWS = st.lists(st.lists(_VALUES, max_size=5), max_size=5)
_HEADS = st.sampled_from([LONG[0], WIDE[0], ["Ferritin (ug/L)", "B12 unit", "CRP"], ["a"]])


@settings(max_examples=max(40, int(SECONDS * 60)), derandomize=not SECONDS, deadline=None, database=None)
@given(_HEADS, _ROWS, st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 255)), max_size=3), st.booleans())
def test_any_workbook_is_read_or_refused(head: list[str], rows: list[list[Any]], changes: list[tuple[int, int]], within: bool) -> None:
    """Cells of any kind, and bytes of the file (or of its sheet) changed: each result is answered, no error shows a cell."""
    data = saved(book(Labs=[head, *rows]))

    def mutated(old: bytes) -> bytes:
        new = bytearray(old)
        for at, byte in changes:
            new[at % len(new)] = byte
        return bytes(new)

    try:
        source = read(changed(data, sheet=mutated) if within else mutated(data))
    except (InputError, MissingExtraError) as error:
        said = str(error)
    else:
        said = ""
        for panel in source.panels:
            report = interpret(panel.results, panel.patient, rows=panel.rows)
            assert [answer.row for answer in report.rows()] == panel.rows
    assert CANARY not in said
