"""A value as text with its number in a column beside it: row by row as files stream by, the same answers as read whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labinterp._streams.paired import Paired
from labinterp._table import NUMBER

Cli = Callable[..., Any]
HEADER = ["subject_id", "label", "value", "valuenum", "valueuom", "ref_range_lower", "ref_range_upper", "flag", "sex", "age"]
TESTS = [("Ferritin", "ug/L"), ("Transferrin", "g/L"), ("Magnesium", "mmol/L"), ("25(OH)D", "nmol/L"), ("Zonulin", "ng/mL")]

# --- what becomes of a pair: the value as text, or nothing where it can be none ---------------------------------

PAIRS: dict[str, tuple[Any, Any, str | None]] = {
    "the same": ("8.0", "8", "8.0"),
    "a sign before the number": (">200", "200", ">200"),
    "nothing but the number": ("", "7.2", "7.2"),
    "blanks and the number": ("  ", "7.2", "7.2"),
    "nothing but the text": ("8.0", None, "8.0"),
    "no number made of the text": ("8.0", "9999999", "8.0"),
    "two numbers": ("8.0", "80", None),
    "thousands": ("1,060", "1060", "1060e0"),
    "three decimals": ("1.060", "1.06", "1060e-3"),
    "three decimals, twice": ("1.015", "1.015", "1015e-3"),
    "below three decimals": ("<1.060", "1.06", "<1060e-3"),
    "a span of three decimals": ("1.060-2.000", "1.5", "1060e-3~2000e-3"),
    "three decimals with a unit": ("1.060 ug/L", "1.06", "1060e-3 ug/L"),
    "a decimal comma": ("8,5", "8.5", "8,5"),
    "a word": ("pending", "8", "pending"),
    "neither": (None, None, None),
}


@pytest.mark.parametrize("case", PAIRS)
def test_a_pair_of_texts_is_one_value(case: str) -> None:
    """What a number proves is written so that it reads in one way."""
    value, number, expected = PAIRS[case]
    columns = {"value": pl.Series([value], dtype=pl.String), NUMBER: pl.Series([number], dtype=pl.String)}
    found = Paired(None).of(columns)
    assert list(found) == ["value"]
    assert found["value"].to_list() == [expected]


@pytest.mark.parametrize(
    ("value", "number", "expected"),
    [
        (pl.Series(["1.060", "8.0", "", "9"]), pl.Series([1.06, 8.0, 7.2, None]), ["1060e-3", "8.0", "72e-1", "9"]),
        (pl.Series(["0.7", "7"]), pl.Series([0.7, 0.7], dtype=pl.Float32), ["0.7", None]),
        (pl.Series([8.5, None, 8.0]), pl.Series([8.5, 1.125, 80.0]), ["85e-1", "1125e-3", None]),
        (pl.Series(["12", ""]), pl.Series([12, 1060]), ["12", "1060e0"]),
        (pl.Series(["1.50"]), pl.Series([Decimal("1.500")]), ["1.50"]),
        (pl.Series(["<5", "8"], dtype=pl.Categorical), pl.Series(["5", "9"], dtype=pl.Categorical), ["<5", None]),
        (pl.Series(["8", ""]), pl.Series([[8.0], [8.0]]), [None, "[several values]"]),
        (pl.Series(["8", ""]), pl.Series([True, True]), [None, None]),
        (pl.Series(["8", "9"]), pl.Series([float("nan"), None]), ["8", "9"]),
        (pl.Series(["2"]), pl.Series([2], dtype=pl.Int64), ["2"]),
    ],
    ids=["floats", "short floats", "two floats", "whole numbers", "decimals", "categories", "several", "truth values", "no number", "int"],
)
def test_columns_of_every_type_are_paired(value: pl.Series, number: pl.Series, expected: list[str | None]) -> None:
    """A number is what it shows; a cell that is no number proves nothing, and beside a number is no second one."""
    assert Paired(None).of({"value": value, NUMBER: number})["value"].to_list() == expected


def test_the_ends_of_the_range_are_read_by_the_mark_that_the_number_proved() -> None:
    columns = {
        "value": pl.Series(["1.015", "9.0"]), NUMBER: pl.Series(["1.015", "9"]), "ref_low": pl.Series(["1.001", "1.001"]),
        "ref_high": pl.Series(["n/a", None], dtype=pl.String),
    }  # fmt: skip
    found = Paired(None).of(columns)
    assert found["ref_low"].to_list() == ["1001e-3", "1.001"]
    assert found["ref_high"].to_list() == ["n/a", None]


# --- the same answers as read whole --------------------------------------------------------------------------

CELLS = st.one_of(
    st.sampled_from(
        ["", " ", "8", "8.0", " 8.0 ", "08", "8,0", "80", "1.060", "1,060", "1060", "<5", "< 5", ">1.060", "5-10", "1.060-2.000", "8 L", "8.0 H",
         "GREATER THAN 200", "200", "pending", "___", "9999999", "999999.0", "NaN", "null", "1.060 H H", "-1,060", "1e3", "1.060e1", "12 345",
         "0.7", "0,7", "1.001", "1.999", "12.34567890123456789", "0", "-3", "2.5 mmol/L", "1.060 g/L", "1.5.6", "5+", "=8", '"8"']
    ),
    st.decimals(0, 3000, places=1, allow_nan=False).map(str),
    st.decimals(0, 9, places=3, allow_nan=False).map(str),
    st.decimals(0, 9, places=3, allow_nan=False).map(lambda one: str(one).replace(".", ",")),
)  # fmt: skip
ENDS = st.one_of(st.sampled_from(["", "13", "150", "1.001", "2.000", "1,500", "< 5", "x", "13.0"]), CELLS)


@st.composite
def rows(draw: st.DrawFn) -> list[list[str]]:
    found = []
    for number in range(draw(st.integers(6, 12))):
        test, unit = draw(st.sampled_from(TESTS))
        value = draw(CELLS)
        beside = draw(st.one_of(CELLS, st.just(value), st.just(value.strip("<> "))))
        found.append([str(number), test, value, beside, draw(st.sampled_from([unit, unit, ""])), draw(ENDS), draw(ENDS), "", "F", "44"])
    return found


def answers(text: str) -> list[tuple[Any, ...]]:
    """The columns of the answers, a number as a number."""
    wanted = [f"li_{name}" for name in ("analyte", "comparator", "value", "unit", "code", "band", "limits", "reason")]
    return [tuple(_plain(row[name]) for name in wanted) for row in csv.DictReader(io.StringIO(text, newline=""))]


def _plain(cell: str) -> Any:
    try:
        return float(cell.partition("~")[0])  # row by row, a span shows where it begins
    except ValueError:
        return cell


def as_csv(table: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *table])
    return out.getvalue()


def both_ways(cli: Cli, source: Path, *how: str) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    found = []
    for way in ("--stream", "--no-stream"):
        done = cli("interpret", str(source), way, "--to", "csv", *how)
        assert done.code == 0, done.err
        found.append(answers(done.out))
    return found[0], found[1]


@pytest.mark.parametrize("decimal", [(), ("--decimal", "."), ("--decimal", ",")], ids=["unknown", "point", "comma"])
@settings(max_examples=10, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=rows())
def test_dirty_rows_get_the_same_answers_as_read_whole(cli: Cli, tmp_path: Path, decimal: tuple[str, ...], table: list[list[str]]) -> None:
    """Each row is a person of its own, so that nothing is read together."""
    source = tmp_path / "labs.csv"
    source.write_text(as_csv(table), "utf-8")
    streamed, whole = both_ways(cli, source, *decimal)
    assert streamed == whole


NUMBERS = st.one_of(
    st.none(), st.floats(0, 3000), st.sampled_from([8.0, 1.06, 1060.0, 200.0, 5.0, 9999999.0, float("nan"), float("inf"), 0.7])
)


@settings(max_examples=20, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=rows(), numbers=st.lists(NUMBERS, min_size=12, max_size=12), ends=st.lists(NUMBERS, min_size=12, max_size=12), data=st.data())
def test_dirty_rows_of_parquet_get_the_same_answers_as_read_whole(
    cli: Cli, tmp_path: Path, table: list[list[str]], numbers: list[float | None], ends: list[float | None], data: st.DataObject
) -> None:
    """Numbers are floats there, in one of the two columns or in both."""
    frame = pl.DataFrame(table, schema=dict.fromkeys(HEADER, pl.String), orient="row")
    dtype = data.draw(st.sampled_from([pl.Float64, pl.Float32, pl.String]))
    beside = pl.Series("valuenum", numbers[: frame.height], dtype=pl.Float64).cast(dtype)
    frame = frame.with_columns(beside, pl.Series("ref_range_lower", ends[: frame.height], dtype=pl.Float64))
    if data.draw(st.booleans()):
        frame = frame.with_columns(pl.col("value").cast(pl.Float64, strict=False))
    source = tmp_path / "labs.parquet"
    frame.write_parquet(source)
    streamed, whole = both_ways(cli, source)
    assert streamed == whole


def test_a_range_in_two_columns_answers_in_both_ways(cli: Cli, tmp_path: Path) -> None:
    """The laboratory's own range, where nobody else is to be asked: transferrin has no cited line of its own in the catalog."""
    source = tmp_path / "labs.csv"
    source.write_text(as_csv([["1", "Transferrin", "1.060", "1.06", "g/L", "2.000", "3.600", "", "F", "44"]]))
    streamed, whole = both_ways(cli, source)
    assert streamed == whole
    assert [one[4] for one in streamed] == ["L"]


def test_it_needs_no_word_of_the_caller(cli: Cli, tmp_path: Path) -> None:
    """The table comes back as it stood, with the answers beside it."""
    source, out = tmp_path / "labs.csv", tmp_path / "out.parquet"
    source.write_text(
        as_csv(
            [
                ["1", "Ferritin", "8.0", "8", "ug/L", "13", "150", "", "F", "44"],
                ["2", "Ferritin", "8.0", "80", "ug/L", "", "", "", "F", "44"],
            ]
        )
    )
    done = cli("interpret", str(source), "-o", str(out))
    assert done.code == 0, done.err
    found = pl.read_parquet(out)
    assert found.columns[: len(HEADER)] == HEADER
    assert found["valuenum"].to_list() == ["8", "80"]
    assert found["li_code"].to_list() == ["L", None]
    assert found["li_reason"].to_list() == [None, "unreadable_value"]


def test_one_that_is_named_is_taken_alone(cli: Cli, tmp_path: Path) -> None:
    source = tmp_path / "labs.csv"
    source.write_text(as_csv([["1", "Ferritin", "8.0", "80", "ug/L", "", "", "", "F", "44"]]))
    done = cli("interpret", str(source), "--stream", "--to", "csv", "--column", "value=valuenum")
    assert answers(done.out)[0][2] == 80.0
