"""What must hold of every local frame: its type, its rows and their order, its own columns, and what a column may be made of."""

from __future__ import annotations

import math
import pickle
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dask
import dask.dataframe as dd
import narwhals as nw
import narwhals.stable.v1 as nw_v1
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from labinterp import Catalog, LabResult, Patient, interpret
from labinterp._frames.asked import asked
from labinterp._frames.local import ByPartition
from labinterp._summary import ADDED, cells
from labinterp.dataframes import interpret_frame
from labinterp.errors import InputError, UnknownAuthorityError

LI = [f"li_{name}" for name in ADDED]
ROWS: dict[str, list[Any]] = {
    "id": ["p1", "p2", "p3", "p4", "p5", "p6"],
    "test": ["CRP", "Ferritin", None, "nonsense", "Magnesium", "25(OH)D"],
    "value": ["12", "<5", None, "1,5", "hemolysed", "29.9"],
    "unit": ["mg/L", "ug/L", "x", None, "mmol/L", "nmol/L"],
    "sex": ["F", "M", None, "m", "w", "female"],
    "age_years": [34, 40, 5, 70, 1, 33],
}
ANSWERS = [
    ("crp", None, 12.0, "mg/L", 12.0, "mg/L", "H", "raised", "crp/brinda-inflammation", None),
    ("ferritin", "<", 5.0, "ug/L", 5.0, "ug/L", "L", "deficient", "ferritin/who-2020", None),
    (None, None, None, None, None, None, None, None, None, "unknown_analyte"),
    (None, None, None, None, None, None, None, None, None, "unknown_analyte"),
    ("magnesium", None, None, None, None, None, None, None, None, "unreadable_value"),
    ("vitamin_d", None, 29.9, "nmol/L", 29.9, "nmol/L", "LU", "deficient", "vitamin_d/nam-2011", None),
]


def frame(**columns: Any) -> pl.DataFrame:
    """One row, or as many as a column has: a magnesium of 0.9 mmol/L of a man of 40 where nothing else is said."""
    base: dict[str, Any] = {"test": "Magnesium", "value": "0.9", "unit": "mmol/L", "sex": "M", "age_years": 40} | columns
    size = (
        max(len(v) for v in base.values() if isinstance(v, (list, pl.Series)))
        if any(isinstance(v, (list, pl.Series)) for v in base.values())
        else 1
    )
    return pl.DataFrame({name: v if isinstance(v, (list, pl.Series)) else [v] * size for name, v in base.items()})


def ferritin(**columns: Any) -> pl.DataFrame:
    """A ferritin of 13 ug/L, which is low from five years of age on, and not before."""
    return frame(**({"test": "Ferritin", "value": "13", "unit": "ug/L"} | columns))


def codes(native: pl.DataFrame, **options: Any) -> list[str | None]:
    """Code or reason of each row."""
    return [code or reason for code, reason in interpret_frame(native, **options).select("li_code", "li_reason").rows()]


def objects(*values: Any) -> pl.Series:
    return pl.Series(list(values), dtype=pl.Object)


def nothing(value: Any) -> Any:
    return None if pd.isna(value) else value


def pandas_answers(native: pd.DataFrame) -> list[tuple[Any, ...]]:
    return [tuple(map(nothing, row)) for row in native[LI].itertuples(index=False)]


# --- the type, the rows, the caller's own columns --------------------------------------------------------------------


def test_polars_in_memory_lazy_and_streamed_are_one() -> None:
    """The three ways of polars give the same frame, the caller's columns first."""
    own = pl.DataFrame(ROWS)
    got = interpret_frame(own)
    assert got.columns == [*own.columns, *LI]
    assert got.select(LI).rows() == ANSWERS
    assert_frame_equal(got.select(own.columns), own)
    lazy = interpret_frame(own.lazy())
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect_schema() == got.schema
    assert_frame_equal(lazy.collect(), got)
    assert_frame_equal(lazy.collect(engine="streaming"), got)


def test_a_lazy_frame_stays_lazy() -> None:
    """Nothing is read before it is collected."""
    seen: list[int] = []

    def look(batch: pl.DataFrame) -> pl.DataFrame:
        seen.append(batch.height)
        return batch

    lazy = interpret_frame(pl.LazyFrame(ROWS).map_batches(look, schema=pl.LazyFrame(ROWS).collect_schema()))
    assert not seen
    assert lazy.collect().height == sum(seen) == 6


def test_only_the_columns_that_are_needed_are_read(tmp_path: Path) -> None:
    """A file's other columns are not touched where only answers are taken."""
    path = tmp_path / "rows.parquet"
    pl.DataFrame(ROWS).with_columns(extra=pl.lit("x"), more=pl.lit(1)).write_parquet(path)
    lazy = interpret_frame(pl.scan_parquet(path)).select("li_code")
    assert "PROJECT 5/8 COLUMNS" in lazy.explain()
    assert lazy.collect()["li_code"].to_list() == [answer[6] for answer in ANSWERS]


def test_rows_are_filtered_before_or_after_with_the_same_answers() -> None:
    own = pl.DataFrame(ROWS)
    assert_frame_equal(
        interpret_frame(own.lazy()).filter(pl.col("sex") == "M").collect(), interpret_frame(own).filter(pl.col("sex") == "M")
    )
    assert_frame_equal(interpret_frame(own.lazy()).filter(pl.col("li_code") == "L").head(1).collect(), interpret_frame(own)[1:2])


@pytest.mark.parametrize("streamed", [True, False])
def test_a_large_frame_is_answered_as_its_parts_are(streamed: bool) -> None:
    """300,000 rows, which are answered side by side, in order."""
    part = pl.DataFrame(ROWS)
    many = pl.concat([part] * 50_000).with_row_index("n")
    got = interpret_frame(many.lazy()).collect(engine="streaming") if streamed else interpret_frame(many)
    assert got["n"].equals(many["n"])
    once = interpret_frame(part).select(LI)
    assert_frame_equal(got.select(LI), pl.concat([once] * 50_000))


PANDAS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "str": lambda f: f,
    "object": lambda f: f.astype(dict.fromkeys(("test", "value", "unit", "sex"), object)),
    "pyarrow": lambda f: f.convert_dtypes(dtype_backend="pyarrow"),
    "nullable": lambda f: f.convert_dtypes(),
    "string python": lambda f: f.astype(dict.fromkeys(("test", "value", "unit", "sex"), pd.StringDtype("python"))),
    "category": lambda f: f.astype(dict.fromkeys(("test", "value", "unit", "sex"), "category")),
    "float32 age": lambda f: f.astype({"age_years": "float32"}),
    "NA": lambda f: f.astype(object).where(f.notna(), pd.NA),
}


@pytest.mark.parametrize("backing", PANDAS)
def test_pandas_of_every_backing(backing: str) -> None:
    """The caller's columns and index are theirs, and what is added is of the kind their text is."""
    own = PANDAS[backing](pd.DataFrame(ROWS))
    kept = own.copy(deep=True)
    got = interpret_frame(own)
    assert type(got) is pd.DataFrame
    assert pandas_answers(got) == ANSWERS
    pd.testing.assert_frame_equal(got[list(kept.columns)], kept)
    pd.testing.assert_frame_equal(own, kept)
    for name in LI:
        if name in ("li_value", "li_si_value"):
            assert got[name].dtype in (np.dtype("float64"), pd.ArrowDtype(pa.float64()))
        elif own["test"].dtype != "category":
            assert got[name].dtype == own["test"].dtype or (pd.ArrowDtype(pa.string()), backing) == (got[name].dtype, "pyarrow")


INDEXES: dict[str, Any] = {
    "shuffled": pd.Index([5, 3, 1, 0, 2, 4]),
    "duplicate": pd.Index([1, 1, 2, 2, 2, 1]),
    "missing": pd.Index([np.nan, 1, np.nan, 2, 3, 4]),
    "named as a column": pd.Index(list("abcdef"), name="test"),
    "days": pd.date_range("2024-01-01", periods=6, tz="Europe/Berlin"),
    "multi": pd.MultiIndex.from_arrays([[1, 1, 2, 2, 3, 3], list("abcdef")], names=["x", "y"]),
    "multi duplicate": pd.MultiIndex.from_arrays([[1, 1, 2, 2, 2, 2], list("aabbbb")]),
}


@pytest.mark.parametrize("index", INDEXES)
def test_the_index_of_pandas_is_kept(index: str) -> None:
    """Whatever it is, and rows stay in their order."""
    own = pd.DataFrame(ROWS).set_axis(INDEXES[index])
    got = interpret_frame(own)
    pd.testing.assert_index_equal(got.index, own.index)
    assert pandas_answers(got) == ANSWERS


def test_columns_of_pandas_need_not_be_named_by_texts() -> None:
    """Numbers, and levels of names, are names."""
    own = pd.DataFrame(ROWS).rename(columns={"test": 0, "value": 1})
    got = interpret_frame(own, test=0, value=1)  # type: ignore[arg-type]
    assert list(got.columns) == [*own.columns, *LI]
    assert pandas_answers(got) == ANSWERS
    levels = pd.DataFrame(ROWS)
    levels.columns = pd.MultiIndex.from_tuples([("a", name) for name in levels.columns])
    roles: Any = {name: ("a", name) for name in ("test", "value", "unit", "sex", "age_years")}
    assert len(interpret_frame(levels, **roles).columns) == len(levels.columns) + len(LI)


def test_columns_that_stand_twice() -> None:
    """They are carried through; only a column that is asked for must be one."""
    own = pd.DataFrame(ROWS)
    twice = pd.concat([own, own[["id"]]], axis=1)
    got = interpret_frame(twice)
    assert list(got.columns) == [*twice.columns, *LI]
    with pytest.raises(InputError, match="the column 'unit' stands 2 times in the frame; the unit must be one column"):
        interpret_frame(pd.concat([own, own[["unit"]]], axis=1))
    table = pa.table(ROWS).append_column("id", pa.array(list("abcdef")))
    told = interpret_frame(table)
    assert told.column_names == [*table.column_names, *LI]
    assert told.select(range(table.num_columns)).equals(table)


ARROW: dict[str, Callable[[pa.ChunkedArray], pa.ChunkedArray]] = {
    "string": lambda c: c,
    "large_string": lambda c: c.cast(pa.large_string()),
    "string_view": lambda c: c.cast(pa.string_view()),
    "dictionary": lambda c: c.dictionary_encode(),
    "large dictionary": lambda c: c.cast(pa.large_string()).dictionary_encode(),
    "chunks": lambda c: pa.chunked_array([*c.slice(0, 2).chunks, *c.slice(2, 0).chunks, *c.slice(2).chunks], c.type),
}


@pytest.mark.parametrize("strings", ARROW)
def test_pyarrow_with_strings_of_every_kind(strings: str) -> None:
    """A table comes back, its own columns and their metadata as they were."""
    table = pa.table(
        {name: ARROW[strings](c) if pa.types.is_string(c.type) else c for name, c in zip(ROWS, pa.table(ROWS).columns, strict=True)}
    )
    table = table.append_column("own", pa.array([[("a", 1)]] * 6, pa.map_(pa.string(), pa.int32()))).replace_schema_metadata(
        {"made": "here"}
    )
    got = interpret_frame(table)
    assert isinstance(got, pa.Table)
    assert got.select(table.column_names).equals(table, check_metadata=True)
    assert [tuple(row.values()) for row in got.select(LI).to_pylist()] == ANSWERS
    assert {str(got.schema.field(name).type) for name in LI} == {"string", "double"}


@pytest.mark.parametrize("backing", ["str", "object", "pyarrow"])
def test_dask_answers_when_it_is_computed(backing: str) -> None:
    """Partition by partition, with the types it promised, on threads as in other processes."""
    own = PANDAS[backing](pd.DataFrame(ROWS))
    with dask.config.set({"dataframe.convert-string": False}):
        parted = dd.from_pandas(own, npartitions=3)
        got = interpret_frame(parted)
        assert type(got) is type(parted)
        assert got.divisions == parted.divisions
        done = got.compute(scheduler="threads")
    pd.testing.assert_frame_equal(done[list(own.columns)], own)
    assert pandas_answers(done) == ANSWERS
    assert list(got.dtypes) == list(done.dtypes)


def test_what_dask_sends_is_small_and_arrives(own_limits: Catalog) -> None:
    """The shipped catalog is found again where a task runs; another is sent along."""
    own = pd.DataFrame(ROWS)
    roles = {name: name for name in ROWS if name != "id"}
    sent = pickle.dumps(ByPartition(asked(own.columns, roles)))
    assert len(sent) < 2_000
    assert pandas_answers(pickle.loads(sent)(own)) == ANSWERS
    here = ferritin(value="20").to_pandas()
    other = ByPartition(asked(here.columns, {name: name for name in here.columns}, catalog=own_limits))
    assert pickle.loads(pickle.dumps(other))(here)["li_limits"].tolist() == ["ferritin/example-hospital-2026"]


def test_frames_of_narwhals_come_back_as_they_were() -> None:
    """Its own frame around the same native one."""
    for library in (nw, nw_v1):
        for native in (pl.DataFrame(ROWS), pl.LazyFrame(ROWS), pd.DataFrame(ROWS)):
            given = library.from_native(native)  # type: ignore[attr-defined]
            assert type(interpret_frame(given)) is type(given)


@pytest.mark.parametrize("thing", [None, {"test": ["CRP"]}, [1], "x", np.zeros(2), pl.Series(["CRP"]), pd.Series(["CRP"])])
def test_what_is_no_frame(thing: Any) -> None:
    with pytest.raises(InputError, match="is not read here"):
        interpret_frame(thing)


TYPED: dict[str, Callable[[pa.Table], Any]] = {
    "polars": pl.from_arrow,
    "lazy": lambda table: pl.from_arrow(table).lazy(),  # type: ignore[union-attr]
    "pandas": pa.Table.to_pandas,
    "pyarrow": lambda table: table,
}


@pytest.mark.parametrize("kind", TYPED)
def test_no_rows_and_one_row(kind: str) -> None:
    """Both have all columns, of the types of a longer frame."""
    table = pa.table(ROWS)
    for size in (0, 1):
        got, longer = (interpret_frame(TYPED[kind](table.slice(0, length))) for length in (size, 6))
        got, longer = (one.collect() if kind == "lazy" else one for one in (got, longer))
        assert got.shape == (size, table.num_columns + len(LI))
        assert list(getattr(got, "column_names", got.columns)) == [*ROWS, *LI]
        types = (lambda one: one.schema) if kind != "pandas" else (lambda one: list(one.dtypes))
        assert types(got) == types(longer)


# --- arguments -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [pl.DataFrame, pl.LazyFrame, pd.DataFrame, pa.table])
def test_results_only(make: Callable[[Any], Any]) -> None:
    """The person, the day, the test and the answers."""
    got = interpret_frame(make(ROWS | {"collected_at": ["2024-01-01"] * 6}), columns="results", patient_id="id")
    names = got.collect_schema().names() if make is pl.LazyFrame else got.column_names if make is pa.table else list(got.columns)
    assert names == ["id", "collected_at", "test", *LI]


def test_a_prefix() -> None:
    """Another one, or none where the caller's columns have other names; in a large frame, too."""
    own = pl.DataFrame(ROWS)
    assert interpret_frame(own, prefix="x.").columns == [*own.columns, *(f"x.{name}" for name in ADDED)]
    other: dict[str, Any] = {"test": "T", "value": "V", "unit": "U"}
    renamed = own.rename(other)
    for height in (6, 120_000):
        got = interpret_frame(pl.concat([renamed] * (height // 6)), prefix="", **other)
        assert got.columns == [*renamed.columns, *ADDED]
        assert got.head(6).select(ADDED).rows() == ANSWERS


def test_a_name_that_is_taken() -> None:
    """A column of the caller with the name of an answer is an error that says so."""
    for make in (pl.DataFrame, pl.LazyFrame, pd.DataFrame, pa.table):
        with pytest.raises(InputError, match="already has the column 'li_code'; rename it, or give another prefix"):
            interpret_frame(make(ROWS | {"li_code": ["x"] * 6}))
    got = interpret_frame(pl.DataFrame(ROWS | {"li_code": ["x"] * 6}), columns="results")
    assert got.columns == ["test", *LI]  # what does not come back cannot clash
    assert "li_other" in interpret_frame(pl.DataFrame(ROWS | {"li_other": ["x"] * 6})).columns


@pytest.mark.parametrize("name", ["*", "^x$", "^.*$", "_answers", "", "a.b", "value ", "n", "texts", "v", "literal"])
def test_no_name_of_a_column_means_more_than_itself(name: str) -> None:
    """Signs of a pattern, and names used within, are names like others."""
    own = pl.DataFrame(ROWS).with_columns(pl.Series(name, list("abcdef")))
    for got in (interpret_frame(own), interpret_frame(own.lazy()).collect()):
        assert_frame_equal(got.select(pl.nth(range(own.width))), own)
        assert got.select(LI).rows() == ANSWERS
    renamed = pl.DataFrame(ROWS).rename({"value": name})
    assert interpret_frame(renamed, value=name).select(LI).rows() == ANSWERS
    assert interpret_frame(renamed.lazy(), value=name).collect().select(LI).rows() == ANSWERS


def test_a_column_that_is_not_there() -> None:
    """One that was named, or one that cannot be missing; the message says what to type."""
    own = pl.DataFrame(ROWS)
    with pytest.raises(InputError, match=r"no column 'Sex' for sex \(did you mean 'sex'\?\); this frame has: id, test, value"):
        interpret_frame(own, sex="Sex")
    with pytest.raises(InputError, match=r"no column 'value' \(did you mean 'Value'\?\); name it, such as value='RESULT'"):
        interpret_frame(own.rename({"value": "Value"}))
    with pytest.raises(InputError, match="no column 'test'"):
        interpret_frame(own.drop("test"))
    with pytest.raises(InputError, match="no column 'value'") as no_value:
        interpret_frame(own, value=None)
    assert "did you mean 'value'" not in str(no_value.value)


def test_missing_optional_columns_are_unknown_facts() -> None:
    """No unit, no sex, no age: as for a single result that says nothing of them."""
    least = pl.DataFrame({"test": ["Ferritin", "CRP"], "value": ["13 ug/L", "12"]})
    assert codes(least) == ["age_unknown", "missing_unit"]
    by_code = pl.DataFrame({"loinc": ["2276-4", "1988-5"], "value": ["13", "12"], "unit": ["ug/L", "mg/L"]})
    assert codes(by_code) == ["age_unknown", "H"]
    assert interpret_frame(by_code, columns="results").columns == LI
    assert codes(pl.DataFrame(ROWS), age_years=None, sex=None, unit=None)[1] == "missing_unit"


def test_one_column_may_play_two_roles() -> None:
    assert codes(frame(loinc="2276-4"), loinc="test") == codes(frame())
    assert codes(frame(test="1988-5", unit="mg/L"), loinc="test") == ["N"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decimal": ";"}, "decimal is"), ({"columns": "some"}, "columns is"), ({"lane": "fast"}, "lane is"), ({"as_of": "soon"}, "as_of is"), ({"authority": 5}, "authority is"),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_used(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        interpret_frame(pl.DataFrame(ROWS), **options)


@pytest.fixture(scope="module")
def own_limits() -> Catalog:
    """The shipped catalog with the limits of a made-up hospital, and a test that only it has."""
    return Catalog.default().with_files(Path(__file__).resolve().parents[1] / "docs" / "examples" / "our_limits")


def test_whose_limits(own_limits: Catalog) -> None:
    """An authority, a limit set, one for each analyte, another day, another catalog."""
    own = frame(test=["25(OH)D", "25(OH)D", "B12"], value=["45", "60", "200"], unit=["nmol/L", "nmol/L", "ng/L"])
    for options in (
        {},
        {"authority": "endocrine-society", "as_of": "2015-01-01"},
        {"authority": "vitamin_d/ros-2018"},
        {"authority": {"25(OH)D": "nam"}},
    ):
        got = interpret_frame(own, **options)  # type: ignore[arg-type]
        for row, band, limits in zip(own.to_dicts(), got["li_band"], got["li_limits"], strict=True):
            (answer,) = interpret([LabResult(row["test"], row["value"], row["unit"])], Patient(sex="M", age_years=40), **options).rows()  # type: ignore[arg-type]
            assert ([None, band, limits][1:]) == [cell or None for cell in cells(answer)[7:9]]
    with pytest.raises(UnknownAuthorityError):
        interpret_frame(own, authority="nobody")
    here = frame(test=["Ferritin", "Zink"], unit=["ug/L", "umol/L"], value=["20", "20"])
    assert interpret_frame(here, catalog=own_limits)["li_limits"].to_list() == [
        "ferritin/example-hospital-2026",
        "zinc/example-hospital-2026",
    ]
    assert interpret_frame(here)["li_limits"].to_list() == ["ferritin/who-2020", None]


def test_the_decimal_mark() -> None:
    """Where a number reads two ways it is refused, unless the mark is known."""
    own = frame(test="CRP", unit="mg/L", value=["1,060", "1.060", "1,06", "1.06", "12"])
    values = {mark: interpret_frame(own, decimal=mark)["li_value"].to_list() for mark in (None, ".", ",")}
    assert values == {None: [None, None, 1.06, 1.06, 12], ".": [1060, 1.06, None, 1.06, 12], ",": [1.06, 1060, 1.06, None, 12]}
    assert codes(own)[:2] == ["ambiguous_number", "ambiguous_number"]


def test_a_number_column_does_not_teach_how_texts_read() -> None:
    """-1.060 as a number is one thing, "-1.060" reads two ways, in whichever order they come."""
    number, text = frame(value=pl.Series([Decimal("-1.060")])), frame(value="-1.060")
    for first, second in ((number, text), (text, number)):
        catalog = Catalog(Catalog.default().table, Catalog.default().root)
        found = {codes(first, catalog=catalog)[0], codes(second, catalog=catalog)[0]}
        assert found == {"implausible", "ambiguous_number"}
        assert codes(text, catalog=catalog) == ["ambiguous_number"]


# --- values ----------------------------------------------------------------------------------------------------


def test_null_and_never_nan() -> None:
    """What is not there is null, in numbers and in words."""
    own = frame(test="CRP", unit="mg/L", value=pl.Series([1.5, None, float("nan"), math.inf, -math.inf, 0.0, -1.0]))
    got = interpret_frame(own)
    assert got["li_value"].to_list() == [1.5, None, None, None, None, 0.0, -1.0]
    assert got["li_si_value"].to_list() == [1.5, None, None, None, None, 0.0, None]
    assert got.select(pl.col("li_value", "li_si_value").is_nan().any()).row(0) == (False, False)
    assert got["li_comparator"].null_count() == own.height
    assert codes(own) == ["N", *["unreadable_value"] * 4, "N", "implausible"]
    assert own["value"].is_nan().sum() == 1
    assert interpret_frame(own, near_limit=True)["li_near_limit"].to_list() == [False, None, None, None, None, False, None]


NUMBERS: dict[str, pl.Series] = {
    "float64": pl.Series([12.5, None], dtype=pl.Float64),
    "float32": pl.Series([12.5, None], dtype=pl.Float32),
    "decimal": pl.Series([Decimal("12.5"), None]),
    "text": pl.Series(["12.5", None]),
    "categorical": pl.Series(["12.5", None], dtype=pl.Categorical),
    "enum": pl.Series(["12.5", None], dtype=pl.Enum(["1", "12.5"])),
    "object": objects(12.5, None),
    "numpy objects": objects(np.float32(12.5), np.nan),
    "object texts": objects("12,5", pd.NA),
    "decimal objects": objects(Decimal("12.50"), Decimal("NaN")),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_value_column_of_any_type(kind: str) -> None:
    got = interpret_frame(frame(test="CRP", unit="mg/L", value=NUMBERS[kind])).select("li_value", "li_code", "li_reason").rows()
    assert got == [(12.5, "H", None), (None, None, "unreadable_value")]


def test_half_precision_is_read_or_refused_aloud() -> None:
    """A column of 16-bit floats must not be taken for a column without numbers."""
    own = pd.DataFrame({"test": ["CRP"] * 3, "value": np.array([12.5, 1.1, np.nan], "float16"), "unit": ["mg/L"] * 3})
    assert [nothing(value) for value in interpret_frame(own)["li_value"]] == [12.5, 1.1, None]


def test_whole_numbers_of_every_size() -> None:
    for dtype in (pl.Int8, pl.UInt8, pl.Int16, pl.UInt32, pl.Int64, pl.UInt64, pl.Int128):
        assert codes(frame(test="CRP", unit="mg/L", value=pl.Series([12, 3, None], dtype=dtype))) == ["H", "N", "unreadable_value"]
    assert codes(frame(test="CRP", unit="mg/L", value=pl.Series([2**63], dtype=pl.UInt64))) == ["implausible"]


def test_float32_means_the_number_it_is_printed_as() -> None:
    """0.7 stored in half the width is the 0.7 of the line, not 0.699999988."""
    assert interpret_frame(frame(value=pl.Series([0.7, 1.06], dtype=pl.Float32)))["li_value"].to_list() == [0.7, 1.06]


def test_columns_that_hold_no_values() -> None:
    """Truth, days, lists and bytes are no laboratory values; nothing is made of them."""
    odd = [pl.Series([True]), pl.Series([date(2024, 1, 1)]), pl.Series([datetime(2024, 1, 1)]), pl.Series([timedelta(1)]), pl.Series([[1.0]]),
           pl.Series([{"a": 1}]), pl.Series([None]), objects(object()), objects(True), objects(1j), objects(Decimal("sNaN"))]  # fmt: skip
    for column in odd:
        assert codes(frame(value=column)) == ["unreadable_value"], column.dtype


def test_a_mixture_of_numbers_and_texts() -> None:
    values = [12, 12.5, Decimal("1.060"), "1.060", "<5", "12,5", True, None, float("nan"), np.int64(3), np.float64(3.5), "x", 10**30]
    native = pd.DataFrame({"test": ["CRP"] * len(values), "value": pd.Series(values, dtype=object), "unit": ["mg/L"] * len(values)})
    got = interpret_frame(native)
    assert list(map(nothing, got["li_value"])) == [12, 12.5, 1.06, None, 5, 12.5, None, None, None, 3, 3.5, None, 1e30]
    assert list(map(nothing, got["li_comparator"])) == [None] * 4 + ["<"] + [None] * 8
    reasons = {
        3: "ambiguous_number",
        6: "unreadable_value",
        7: "unreadable_value",
        8: "unreadable_value",
        11: "unreadable_value",
        12: "implausible",
    }
    assert {n: reason for n, reason in enumerate(map(nothing, got["li_reason"])) if reason} == reasons


def test_equal_numbers_that_mean_different_ones() -> None:
    """A float means the decimal it is printed as, a Decimal all its digits, and this line lies between the two."""
    near = 0.002880065830076116
    for values in ((near, Decimal(near)), (Decimal(near), near)):
        got = interpret_frame(frame(test="RBC magnesium", unit="mol/L", value=objects(*values)), authority="rbc_magnesium/labcorp")[
            "li_code"
        ]
        assert dict(zip(map(type, values), got, strict=True)) == {float: "N", Decimal: "H"}


def test_texts_and_units_as_categories() -> None:
    """Categoricals and enums in every role, with categories that do not occur."""
    own = pl.DataFrame(ROWS).with_columns(
        pl.col("test", "unit").cast(pl.Categorical), pl.col("sex").cast(pl.Enum(["F", "M", "m", "w", "female", "other"]))
    )
    assert interpret_frame(own).select(LI).rows() == ANSWERS
    assert interpret_frame(own.lazy()).collect(engine="streaming").select(LI).rows() == ANSWERS


def test_the_comparator_column() -> None:
    """It says the same as the value, or one of them says nothing; else the row cannot be read."""
    own = frame(test="CRP", unit="mg/L", value=["3", "<3", "3", "<3", ">3", "3", "3", "2-4", "x", "3"],
                comparator=["<", "<", None, None, "<", "≤", "?", "<", "<", "="])  # fmt: skip
    got = interpret_frame(own)
    assert got["li_comparator"].to_list() == ["<", "<", None, "<", None, "<=", None, None, None, None]
    assert codes(own) == ["N", "N", "N", "N", "unreadable_value", "N", "unreadable_value", "unreadable_value", "unreadable_value", "N"]
    assert codes(frame(test="CRP", unit="mg/L", value=pl.Series([3.0]), comparator="<")) == ["N"]


def test_every_row_says_a_code_or_a_reason() -> None:
    """Whatever stands in the comparator column and the value: no row is left without either."""
    marks = ["", "<", "<=", ">", ">=", "~", "≈", "=", "?", "<>", " < ", None]
    values = ["0.9", "<0.9", "0.7-0.9", "0.7~0.9", "~0.9", "x", "", "1.060", "0.90000000000000001", "1e-400"]
    own = frame(value=[v for v in values for _ in marks], comparator=marks * len(values))
    for code in codes(own):
        assert code is not None


def test_near_a_line() -> None:
    """Within half of the last printed digit; nothing where there is no answer."""
    own = frame(test="25(OH)D", unit="nmol/L", value=["29.9", "30", "30.4", "30.6", "30.50", "31", "x", "<30", "29-31", "30.0"])
    got = interpret_frame(own, near_limit=True)
    assert got.columns[-1] == "li_near_limit"
    for text, near in zip(own["value"], got["li_near_limit"], strict=True):
        report = interpret([LabResult("25(OH)D", text, "nmol/L")], Patient(sex="M", age_years=40))
        assert near == (report.findings[0].near_limit if report.findings else None), text
    long = ferritin(unit="umol/dL", sex=None, age_years=None, value=pl.Series([2.696629213483146e-06]), pregnant="no", context="ckd")
    assert interpret_frame(long, near_limit=True)["li_near_limit"].to_list() == [True]


# --- persons ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (pl.Series([4, 5, None]), ["N", "L", "age_unknown"]),
        (pl.Series([4.99, 5.0, float("nan")]), ["N", "L", "age_unknown"]),
        (pl.Series([4.99, 5.0, 131.0], dtype=pl.Float32), ["N", "L", "age_unknown"]),
        (pl.Series([4, 5, 131], dtype=pl.UInt8), ["N", "L", "age_unknown"]),
        (pl.Series([Decimal("4.99"), Decimal("5"), None]), ["N", "L", "age_unknown"]),
        (pl.Series(["59 months", "5 y", "old"]), ["N", "L", "age_unknown"]),
        (pl.Series(["4", "85+", ""], dtype=pl.Categorical), ["N", "L", "age_unknown"]),
        (pl.Series([None, None, None]), ["age_unknown"] * 3),
        (pl.Series([True, False, None]), ["age_unknown"] * 3),
        (objects(4.123456789, 5, "x"), ["N", "L", "age_unknown"]),
        (objects(14 / 365.25, Decimal("5.123456789"), None), ["N", "L", "age_unknown"]),
        (objects("4", np.int64(5), pd.NA), ["N", "L", "age_unknown"]),
        (objects(1e-5, "5", float("nan")), ["N", "L", "age_unknown"]),
    ],
)
def test_ages_of_any_type(age: pl.Series, expected: list[str]) -> None:
    """Whole years, fractions, texts; what is none is unknown."""
    assert codes(ferritin(age_years=age)) == expected


DAY = date(2024, 5, 31)
BORN = [date(2019, 5, 31), date(2019, 6, 1), None]
DAYS: dict[str, Callable[[list[date | None]], pl.Series]] = {
    "date": pl.Series,
    "datetime": lambda days: pl.Series(days).cast(pl.Datetime("us")),
    "milliseconds": lambda days: pl.Series(days).cast(pl.Datetime("ms")),
    "nanoseconds in a zone": lambda days: pl.Series(days).cast(pl.Datetime("ns")).dt.replace_time_zone("America/New_York"),
    "text": lambda days: pl.Series([d and d.isoformat() for d in days], dtype=pl.String),
    "text with time": lambda days: pl.Series([d and f"{d}T23:59:59+02:00" for d in days], dtype=pl.String),
    "german": lambda days: pl.Series([d and d.strftime("%d.%m.%Y") for d in days], dtype=pl.String),
    "number": lambda days: pl.Series([d and int(d.strftime("%Y%m%d")) for d in days], dtype=pl.Int64),
    "category": lambda days: pl.Series([d and d.isoformat() for d in days], dtype=pl.Categorical),
    "objects": lambda days: objects(*days),
}


@pytest.mark.parametrize("born", DAYS)
@pytest.mark.parametrize("at", DAYS)
def test_days_of_any_type(born: str, at: str) -> None:
    """The fifth birthday, the day before it, and an unknown birth date."""
    own = ferritin(age_years=None, birth_date=DAYS[born](BORN), collected_at=DAYS[at]([DAY] * 3))
    assert codes(own.drop("age_years")) == codes(own) == ["L", "N", "age_unknown"]


def test_the_day_is_the_one_that_the_time_zone_of_the_column_shows() -> None:
    """23:30 in London is the next day in Berlin: there the child is five."""
    late = pl.Series([datetime(2024, 5, 30, 22, 30, tzinfo=UTC)] * 3)
    own = ferritin(birth_date=pl.Series(BORN), collected_at=late).drop("age_years")
    assert codes(own)[0] == "N"
    assert codes(own.with_columns(pl.col("collected_at").dt.convert_time_zone("Europe/Berlin")))[0] == "L"


def test_an_age_comes_before_the_dates() -> None:
    """Dates speak in rows without an age; sampled before birth, they say nothing."""
    own = ferritin(
        age_years=[4, 40, None, None, None],
        birth_date=["1950-01-01", "2020-01-01", "2020-01-01", "1950-01-01", "2025-01-01"],
        collected_at="2024-01-01",
    )
    assert codes(own) == ["N", "L", "N", "L", "age_unknown"]
    assert codes(own.with_columns(age_years=pl.Series(["4 y", "forty", None, "", "x"]))) == ["N", "N", "N", "L", "age_unknown"]
    assert codes(own.drop("collected_at"))[2:] == ["age_unknown"] * 3


YES_NO_UNKNOWN: dict[str, pl.Series] = {
    "boolean": pl.Series([True, False, None]),
    "text": pl.Series(["yes", "no", None]),
    "category": pl.Series(["Ja", "Nein", "?"], dtype=pl.Categorical),
    "number": pl.Series([1, 0, None]),
    "float": pl.Series([1.0, 0.0, None]),
    "objects": objects(True, False, None),
    "numpy objects": objects(np.True_, np.False_, float("nan")),
    "mixed objects": objects("yes", False, pd.NA),
}


@pytest.mark.parametrize("kind", YES_NO_UNKNOWN)
def test_pregnancy_of_any_type(kind: str) -> None:
    """A ferritin of 14 depends on the trimester, is low without a pregnancy, and where nothing is said."""
    own = ferritin(value="14", sex="F", age_years=30, pregnant=YES_NO_UNKNOWN[kind])
    assert codes(own) == codes(ferritin(value="14", sex="F", age_years=30, pregnant=["yes", "no", None]))
    trimester = ferritin(value="14", sex="F", age_years=30, pregnant=["T1", "second trimester"])
    assert codes(trimester) == codes(ferritin(value="14", sex="F", age_years=30, pregnant="yes", context=["trimester_1", "trimester_2"]))


CONTEXTS: dict[str, pl.Series] = {
    "text": pl.Series(["Inflammation; ckd", None]),
    "category": pl.Series(["inflammation", None], dtype=pl.Categorical),
    "list": pl.Series([["ckd", "inflammation"], []], dtype=pl.List(pl.String)),
    "list with nothing": pl.Series([["inflammation", None], [None]], dtype=pl.List(pl.String)),
    "list of categories": pl.Series([["inflammation"], None], dtype=pl.List(pl.Categorical)),
    "array": pl.Series([["inflammation"], [None]], dtype=pl.Array(pl.String, 1)),
    "objects": objects("inflammation", None),
    "tuples": objects(("inflammation",), ()),
    "sets": objects(frozenset(["inflammation"]), set()),
}


@pytest.mark.parametrize("kind", CONTEXTS)
def test_circumstances_of_any_type(kind: str) -> None:
    """A ferritin of 60 is low in inflammation, and normal else."""
    assert codes(ferritin(value="60", context=CONTEXTS[kind])) == ["L", "N"]


def test_circumstances_in_columns_of_objects() -> None:
    for value in (
        ["inflammation"],
        ("inflammation",),
        {"inflammation"},
        frozenset(["inflammation"]),
        np.array(["inflammation"]),
        "inflammation",
    ):
        native = ferritin(value="60").to_pandas()
        native["context"] = pd.Series([value], dtype=object)
        assert interpret_frame(native)["li_code"].tolist() == ["L"], type(value)


def test_sexes_that_are_not_known_are_unknown() -> None:
    own = ferritin(value="180", sex=["M", "F", "X", "1", None, " Frau ", ""])
    assert codes(own) == ["N", "H", "sex_unknown", "sex_unknown", "sex_unknown", "H", "sex_unknown"]
    assert codes(ferritin(value="180", sex=pl.Series([1, 2, None]))) == ["sex_unknown"] * 3


@pytest.mark.parametrize("dtype", [pl.Null, pl.String, pl.Float64, pl.Categorical, pl.Date, pl.Object])
def test_columns_of_nothing(dtype: Any) -> None:
    """A column of nulls is as good as none, whatever its type."""
    roles = [
        "sex",
        "age_years",
        "loinc",
        "specimen",
        "pregnant",
        "birth_date",
        "collected_at",
        "comparator",
        "ref_low",
        "ref_high",
        "ref_text",
        "flag",
        "context",
    ]
    own = pl.DataFrame({"test": ["Ferritin", "Magnesium"], "value": ["13", "0.9"], "unit": ["ug/L", "mmol/L"]})
    empty = own.with_columns(pl.Series(role, [None, None], dtype=dtype) for role in roles)
    assert interpret_frame(empty).select(LI).rows() == interpret_frame(own).select(LI).rows()
    assert (
        codes(own.with_columns(pl.Series(role, [None, None], dtype=dtype) for role in ("test", "value", "unit"))) == ["unknown_analyte"] * 2
    )


# --- the laboratory's own range ----------------------------------------------------------------------------------

RANGES: dict[str, Mapping[str, Any]] = {
    "texts": {"ref_low": pl.Series(["0.95", None, "", "0.5"]), "ref_high": pl.Series(["1.1", "0.85", "", None])},
    "floats": {"ref_low": pl.Series([0.95, None, float("nan"), 0.5]), "ref_high": pl.Series([1.1, 0.85, None, math.nan])},
    "float32": {"ref_low": pl.Series([0.95, None, None, 0.5], dtype=pl.Float32), "ref_high": pl.Series([1.1, 0.85, None, None], dtype=pl.Float32)},
    "decimals": {"ref_low": pl.Series([Decimal("0.95"), None, None, Decimal("0.5")]), "ref_high": pl.Series([Decimal("1.1"), Decimal("0.85"), None, None])},
    "objects": {"ref_low": objects(0.95, None, float("nan"), Decimal("0.5")), "ref_high": objects("1.1", 0.85, pd.NA, None)},
    "categories": {"ref_low": pl.Series(["0.95", None, "x", "0.5"], dtype=pl.Categorical), "ref_high": pl.Series(["1.1", "0.85", "x", None], dtype=pl.Categorical)},
    "text": {"ref_text": pl.Series(["0.95 - 1.1", "< 0.85", "see note", "≥0.5 mmol/L"])},
}  # fmt: skip


@pytest.mark.parametrize("kind", RANGES)
def test_a_printed_range_of_any_type(kind: str) -> None:
    """Where the guideline defers to the laboratory, its range comes first; where there is none, the line does."""
    got = interpret_frame(frame(**RANGES[kind])).select("li_code", "li_limits").rows()
    assert got == [("L", "reported"), ("H", "reported"), ("N", "magnesium/uk-harmony"), ("N", "reported")]


def test_a_range_of_numbers_never_reads_two_ways() -> None:
    """5.125 as a number is 5.125, also in a column with texts; as a text it may be 5125, but for an upper end that leaves one order."""

    def with_low(low: Any, high: str | None = "15") -> list[str | None]:
        return codes(frame(test="Homocysteine", unit="umol/L", value="5", ref_low=low, ref_high=objects(high)))

    for low in (pl.Series([5.125]), objects(5.125), objects(Decimal("5.125")), objects(np.float64(5.125)), objects(np.float32(5.125))):
        assert with_low(low) == ["L"]
    assert with_low("5.125") == with_low(objects("5.125")) == ["L"]
    for high in ("15.125", None):
        assert with_low("5.125", high) == with_low(objects("5.125"), high) == ["N"]


def test_ranges_with_whole_numbers_and_of_odd_types() -> None:
    assert codes(frame(test="Homocysteine", unit="umol/L", value="12", ref_low=pl.Series([5]), ref_high=pl.Series([10]))) == ["H"]
    for column in (pl.Series([True]), pl.Series([date(2024, 1, 1)]), pl.Series([[0.5]]), pl.Series([{"a": 1}]), pl.Series([b"x"])):
        for role in ("ref_low", "ref_text"):
            assert codes(frame(**{role: column})) == ["N"], column.dtype


# --- threads ---------------------------------------------------------------------------------------------------


def test_threads_that_learn_at_once() -> None:
    """Frames answered side by side by one catalog that knows nothing yet get the answers they get alone."""
    names, units = (
        ["CRP", "Ferritin", "25(OH)D", "B12", "MMA", *map("odd {}".format, range(200))],
        ["mg/L", "ug/L", "nmol/L", "ng/L", *map("u{}".format, range(200))],
    )
    own = pl.DataFrame(
        [
            {"test": names[n * 7 % len(names)], "value": f"{'<' * (n % 5 == 0)}{n % 97 + 0.5}", "unit": units[n * 11 % len(units)], "sex": "FMX"[n % 3], "age_years": f"{n % 99} y"}
            for n in range(3_000)
        ]
    )  # fmt: skip
    alone = interpret_frame(own)
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for _ in range(4):
            catalog = Catalog(Catalog.default().table, Catalog.default().root)
            got: dict[int, Any] = {}

            def answer(part: int, catalog: Catalog = catalog, got: dict[int, Any] = got) -> None:
                got[part] = interpret_frame(own.slice(part * 400, 1_000), catalog=catalog)

            threads = [threading.Thread(target=answer, args=(part,)) for part in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for part in range(6):
                assert_frame_equal(got[part], alone.slice(part * 400, 1_000))
    finally:
        sys.setswitchinterval(switch)
