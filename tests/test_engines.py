"""Every engine says of a row what `interpret` says of it, in the engine's own types, by equality joins and CASE.

Each test runs in every engine of `tests.engines`. The rows, the measure and the cases are those of the other frames
(`tests.rows`, `test_agreement`), and so are the draws (`test_panel_frame`).
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from datetime import UTC, date, datetime, timedelta
from functools import cache
from math import inf, nan, nextafter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests import engines, rows
from tests.engines import ENGINES, Engine
from tests.test_agreement import (
    BOUNDS,
    CASES,
    FEW,
    PERSONS,
    Cells,
    Row,
    cases,
    differences,
    numbers,
    numbers_of,
    parted,
    scalar,
    single,
    telling,
    told,
)  # fmt: skip
from tests.test_panel_frame import expected as panels_by_interpret
from tests.test_panel_frame import export, frame_of, given, windowed

from labinterp._frames.code_answers import UNSEEN
from labinterp._summary import ADDED
from labinterp.dataframes import interpret_frame, panel_frame
from labinterp.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore")  # the engines warn of each other's versions
LI = [f"li_{name}" for name in ADDED]
MANY = 300 if FEW else 1500  # rows of each kind
QUESTIONS = 2 if FEW else 100
MARKS = (None, ",") if FEW else (None, ".", ",")
KEEP_THEIR_DATA = [name for name in ENGINES if name != "polars"]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return engines.engine(request.param)


def texts_of(listed: Sequence[Row], **types: Any) -> pl.DataFrame:
    """Rows as a table: columns in which something stands, of texts where no other type is given; `n` counts them."""
    said = [name for name in rows.COLUMNS if any(row.get(name) is not None for row in listed) or name in ("test", "value", "unit")]
    columns = {name: pl.Series(name, [row.get(name) for row in listed], dtype=types.get(name, pl.String), strict=False) for name in said}
    return pl.DataFrame({"n": range(len(listed)), **columns}, schema_overrides={"n": pl.Int64})


def in_order(engine: Engine, frame: Any) -> pl.DataFrame:
    """The rows of an engine's frame, by their numbers."""
    return engine.table(frame).sort("n")


def answered(engine: Engine, table: pl.DataFrame, **options: Any) -> pl.DataFrame:
    """The answers to the rows of a table, in their order."""
    found = in_order(engine, interpret_frame(engine.frame(table), lane="engine", **options))
    assert found["n"].to_list() == list(range(table.height)), "rows were lost or came twice"
    return found.select(LI)


def agree(engine: Engine, table: pl.DataFrame, listed: Sequence[Row] | None = None, **options: Any) -> None:
    """The engine says of each row what `interpret` says; `listed` has the rows as a single result would be given."""
    listed = table.to_dicts() if listed is None else listed
    told(differences(listed, answered(engine, table, **options).rows(), [scalar(row, **options) for row in listed]))


# --- the answers -----------------------------------------------------------------------------------------------------


def sampled(seed: str, many: int) -> list[Row]:
    """Rows on lines and beside them, random ones, and dirty ones."""
    chance = random.Random(seed)
    first = chance.randrange(10**6)
    found = [*chance.sample(rows.boundary_rows(), many), *rows.random_rows(many, first), *rows.dirty_rows(many, first + 1)]
    return [{name: row[name] for name in rows.COLUMNS} for row in found]


@pytest.mark.parametrize("decimal", MARKS)
def test_every_row_is_answered_as_by_interpret(engine: Engine, decimal: str | None) -> None:
    """Every kind of row in every column there is: on each line and one float beside it, censored, dirty, of known and unknown people."""
    listed = sampled(f"{engine.name} {decimal}", MANY if decimal is None else MANY // 6)
    agree(engine, texts_of(listed), listed, decimal=decimal)


Asked = tuple[str, Row, Cells, Mapping[str, Any] | None]  # place of a case, its row, the answer, and what its source says


@cache
def questions() -> list[tuple[dict[str, Any], list[Asked]]]:
    """All cases, in few questions: one authority for each analyte at a time. Those with the most cases come first."""
    found: dict[tuple[Any, ...], list[Asked]] = {}
    for asked, listed in cases().items():
        for number, (place, row, says) in enumerate(listed):
            cells = single(number, asked)
            # what no analyte can be told of, no authority answers; a set of another analyte is asked of nobody
            its_own = asked[0] and cells[0] and ("/" not in asked[0] or asked[0].startswith(f"{cells[0]}/"))
            whose = (cells[0], asked[0]) if its_own else (None, None)
            found.setdefault((*asked[1:], *whose), []).append((place, row, cells, says))
    turns: dict[tuple[Any, ...], tuple[dict[str, Any], list[Asked]]] = {}
    for (as_of, decimal, analyte, authority), listed in sorted(found.items(), key=lambda one: -len(one[1])):
        turn = 0
        while analyte and analyte in turns.get((as_of, decimal, turn), ({},))[0]:
            turn += 1
        whose, every = turns.setdefault((as_of, decimal, turn if analyte else None), ({}, []))
        whose.update({analyte: authority} if analyte else {})
        every.extend(listed)
    made = [({"authority": w or None, "as_of": as_of, "decimal": mark}, listed) for (as_of, mark, _), (w, listed) in turns.items()]
    return sorted(made, key=lambda one: -len(one[1]))


def test_every_case_is_answered_as_by_interpret_and_as_its_source_says(engine: Engine) -> None:
    """All results of all case files, each alone; on CI those of the most frequent questions, which are of all files."""
    wrong, files = [], set()
    for options, listed in questions()[:QUESTIONS]:
        results = [row for _, row, _, _ in listed]
        got = answered(engine, texts_of(results, age_years=pl.Float64), **options).rows()
        wrong += differences(results, got, [cells for _, _, cells, _ in listed])
        for (place, _, _, says), found in zip(listed, got, strict=True):
            answer = dict(zip(ADDED, found, strict=True))
            said = {name: value for name, value in (says or {}).items() if name in answer and name not in ("value", "comparator")}
            wrong += [f"{place}: {name} is {answer[name]!r}, not {value!r}" for name, value in said.items() if answer[name] != value]
        files |= {place.split()[0] for place, _, _, _ in listed}
    told(wrong)
    assert files >= {path.stem for path in CASES}


# --- columns of the engine's own types -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["Float64", "Float32", "Decimal", "Int64"])
def test_columns_of_numbers(engine: Engine, dtype: str) -> None:
    """Numbers with up to 17 digits, of half the width, exact decimals and whole ones; and what is no number is null, never NaN."""
    chance = random.Random(dtype + engine.name)
    listed: list[dict[str, Any]] = [{"test": t, "unit": u, "value": n, **chance.choice(PERSONS)} for t, u, n in numbers(chance, "usual")]
    listed = chance.sample(listed, 100 if FEW else 600)
    listed += [{**listed[0], "value": odd} for odd in (0.0, -0.0, -1.5, inf, -inf, nan, 5e-324, 1e300, None)]
    made, as_read = numbers_of(dtype, [row["value"] for row in listed], chance)
    for row, value in zip(listed, as_read, strict=True):
        row["value"] = value
    table = texts_of([{**row, "value": ""} for row in listed]).with_columns(made.alias("value"))
    found = answered(engine, table)
    told(differences(listed, found.rows(), [scalar(row) for row in listed]))
    assert found.select(pl.col("li_value", "li_si_value").is_nan().any()).row(0) == (False, False)
    assert found["li_value"].null_count() >= 1


ZONED = pl.Datetime("us", "UTC")
BORN = date(2019, 6, 1)


def people() -> list[dict[str, Any]]:
    """Ages on and beside every bound, and what is none; dates around a fifth birthday; pregnancies."""
    near = [age for mark in BOUNDS for age in (mark, nextafter(mark, 0), nextafter(mark, inf))]
    ages = [4.0, 5.0, 34.0, *near, 130.5, -0.0, -0.1, nan, inf, None]
    days = [(BORN, BORN + timedelta(days=n)) for n in (-1, 0, 1825, 1826, 1827, 1828)] + [(None, BORN), (BORN, None)]
    facts: list[dict[str, Any]] = [{"age_years": age} for age in ages]
    facts += [{"age_years": age, "birth_date": born, "collected_at": at} for born, at in days for age in (None, 40.0, -1.0)]
    return facts + [{"age_years": 30.0, "pregnant": pregnant} for pregnant in (True, False, None)]


PEOPLE: dict[str, dict[str, Any]] = {
    "float and date": {"age_years": pl.Float64, "birth_date": pl.Date, "collected_at": pl.Date, "pregnant": pl.Boolean},
    "float32 and texts": {"age_years": pl.Float32, "birth_date": pl.String, "collected_at": pl.String},
    "whole and times": {"age_years": pl.Int64, "birth_date": pl.Datetime("us"), "collected_at": ZONED},
    "decimal and date": {"age_years": pl.Decimal(20, 12), "birth_date": pl.Date, "collected_at": pl.Datetime("us")},
    "numbers": {"birth_date": pl.Int64, "collected_at": ZONED, "pregnant": pl.Boolean},
}


@pytest.mark.parametrize("kind", PEOPLE)
def test_columns_of_people(engine: Engine, kind: str) -> None:
    """Ages as numbers of any type, days as dates, times, numbers and texts, pregnancy as truth values: each line that tells ages apart."""
    types = PEOPLE[kind]
    facts = [{name: typed(fact.get(name), dtype) for name, dtype in types.items()} for fact in people()]
    table = texts_of(telling(facts), **types)
    read = table.to_dicts()
    if types.get("age_years") == pl.Float32:
        read = [{**row, "age_years": row["age_years"] and float(str(np.float32(row["age_years"])))} for row in read]  # as it is printed
    agree(engine, table, read)


def typed(value: Any, dtype: Any) -> Any:
    """A fact as a column of some type holds it; nothing where there is no such column, or where it cannot be held."""
    if dtype is None or value is None:
        return None
    if isinstance(value, date):
        if dtype == pl.Int64:
            return int(value.strftime("%Y%m%d"))
        if isinstance(dtype, pl.Datetime):
            return datetime(value.year, value.month, value.day, 23, 59, 59, tzinfo=UTC if dtype.time_zone else None)
        return value.isoformat() if dtype == pl.String else value
    if isinstance(value, float) and dtype not in (pl.Float64, pl.Float32):
        if value != value or abs(value) == inf:
            return None
        return round(value, 12) if isinstance(dtype, pl.Decimal) else int(value)
    return value


@pytest.mark.parametrize(("low", "high"), [(pl.Float64, pl.Decimal(10, 3)), (pl.Float32, pl.Int64)])
def test_columns_of_ranges(engine: Engine, low: Any, high: Any) -> None:
    """The laboratory's range as numbers of any type, where it comes first; half of it missing, or the wrong way round."""
    ends = [(0.95, 1.1), (None, 0.85), (None, None), (0.5, None), (0.9, 0.9), (5.0, 1.0), (0.7, 1.0)]
    base = {"test": "Magnesium", "unit": "mmol/L", "sex": "M", "age_years": 40}
    listed = [
        {**base, "value": v, "ref_low": first, "ref_high": last} for first, last in ends for v in ("0.9", "0.7", "<0.9", "0.4", "1.0")
    ]
    table = texts_of(listed, ref_low=low, ref_high=high, age_years=pl.Int64)
    read = [{**row, "ref_low": row["ref_low"] and float(f"{row['ref_low']:.7g}")} for row in table.to_dicts()]
    agree(engine, table, read)


def test_columns_that_are_not_there(engine: Engine) -> None:
    """What has no column is unknown; a code is enough in place of a name."""
    agree(engine, pl.DataFrame({"n": [0, 1], "test": ["Ferritin", "CRP"], "value": ["13 ug/L", "12"]}))
    coded = pl.DataFrame({"n": [0, 1], "loinc": ["2276-4", "1988-5"], "value": [13.0, 12.0], "unit": ["ug/L", "mg/L"]})
    agree(engine, coded, [{**row, "test": ""} for row in coded.to_dicts()])
    with pytest.raises(InputError, match=r"no column 'value' \(did you mean 'Value'\?\)"):
        interpret_frame(engine.frame(coded.rename({"value": "Value"})), lane="engine")


# --- the frame that comes back -------------------------------------------------------------------------------------------


def some(**more: Any) -> pl.DataFrame:
    """Six rows: found, censored, nothing known, unknown, unreadable, on the edge of a band."""
    columns: dict[str, list[Any]] = {
        "n": list(range(6)), "patient_id": ["p1", "p2", None, "p4", "p5", "p6"], "test": ["CRP", "Ferritin", None, "nonsense", "Magnesium", "25(OH)D"],
        "value": ["12", "<5", None, "1,5", "hemolysed", "29.9"], "unit": ["mg/L", "ug/L", "x", None, "mmol/L", "nmol/L"],
        "sex": ["F", "M", None, "m", "w", "female"], "age_years": [34, 40, 5, 70, 1, 33],
    }  # fmt: skip
    return pl.DataFrame(columns | more)


def test_the_columns_of_the_caller_are_theirs(engine: Engine) -> None:
    """Whatever they are called and hold; the answers stand behind them, in the same type of frame."""
    odd = {
        "_li_how": list("abcdef"),
        "Key": [1.5, None, 2.5, nan, inf, -0.0],
        "a b": [True, None, False, True, None, None],
        "LI": ["é\u00a0", "'", '"', "`", "%s", ""],
    }
    own = some(**odd)
    frame = engine.frame(own)
    got = interpret_frame(frame, lane="engine")
    assert type(got) is type(frame)
    back = in_order(engine, got)
    assert back.columns == [*own.columns, *LI]
    assert_frame_equal(back.select(own.columns), own, check_dtypes=False)
    assert back["li_code"].to_list() == ["H", "L", None, None, None, "LU"]
    words = {"duckdb": {pl.Categorical, pl.Enum}}.get(engine.name, {pl.String})  # DuckDB holds them as enumerations
    for name in LI:
        assert back[name].dtype.base_type() in ({pl.Float64} if name.endswith("value") else words), name


def test_no_rows_and_one_row(engine: Engine) -> None:
    """Both have all columns, of the types of a longer frame."""
    none, one, longer = (engine.table(interpret_frame(engine.frame(some().head(length)), lane="engine")) for length in (0, 1, 6))
    assert (none.height, one.height) == (0, 1)
    assert none.schema == one.schema == longer.schema
    assert one["li_code"].to_list() == ["H"]


def test_results_only_and_a_prefix(engine: Engine) -> None:
    """What does not come back, and what has another prefix, cannot clash."""
    got = engine.table(interpret_frame(engine.frame(some(li_code=[1] * 6, x_code=[1] * 6)), lane="engine", columns="results", prefix="x_"))
    assert got.columns == ["patient_id", "test", *(f"x_{name}" for name in ADDED)]
    assert set(got["x_code"]) == {"H", "L", "LU", None}


def test_a_name_that_is_taken(engine: Engine) -> None:
    """Also by one that is the same to the engine."""
    with pytest.raises(InputError, match="already has the column 'li_code'; rename it, or give another prefix"):
        interpret_frame(engine.frame(some(li_code=[1] * 6)), lane="engine")
    shouted = engine.frame(some(LI_Code=[1] * 6))
    if engine.name == "polars":  # tells capitals apart
        assert {"LI_Code", "li_code"} <= set(engine.table(interpret_frame(shouted, lane="engine")).columns)
        return
    for frame, prefix in ((shouted, "li_"), (engine.frame(some(li_code=[1] * 6)), "LI_")):
        with pytest.raises(InputError, match=r"(?i)already has the column 'li_code'; rename it, or give another prefix"):
            interpret_frame(frame, lane="engine", prefix=prefix)


def test_near_limit_is_refused(engine: Engine) -> None:
    with pytest.raises(InputError, match="near_limit needs the printed digits of every value; use lane='local', or leave near_limit out"):
        interpret_frame(engine.frame(some()), lane="engine", near_limit=True)


def test_a_stream_of_spark_is_refused() -> None:
    engines.engine("spark")
    stream = engines.spark_session().readStream.format("rate").load().selectExpr("'CRP' as test", "'12' as value", "'mg/L' as unit")
    with pytest.raises(InputError, match=r"a stream of Spark cannot be read beforehand; answer its batches: .*foreachBatch"):
        interpret_frame(stream)


@pytest.mark.parametrize("name", KEEP_THEIR_DATA)
def test_frames_stay_in_their_engine_without_being_asked(name: str) -> None:
    """The lane need not be named; the local lane says what it takes."""
    engine = engines.engine(name)
    frame = engine.frame(some().head(1))
    assert type(interpret_frame(frame)) is type(frame)
    with pytest.raises(InputError, match="leave lane out for DuckDB, PySpark and Ibis"):
        interpret_frame(frame, lane="local")


# --- the plan --------------------------------------------------------------------------------------------------------------


def every_kind(many: int = 100) -> pl.DataFrame:
    """Rows in which everything occurs that is joined: ranges, comparators, units behind numbers, long decimals, days."""
    return texts_of(sampled("plan", many))


def test_the_plan_of_spark_broadcasts_small_tables_and_nothing_else() -> None:
    """No Python in it, no row leaves its place, no table is sorted; and all joins are of the small tables."""
    engine, shown = engines.engine("spark"), io.StringIO()
    with redirect_stdout(shown):
        interpret_frame(engine.frame(every_kind())).explain("formatted")
    tree = shown.getvalue().partition("\n\n")[0]
    found = [one.strip() for one in re.findall(r"^[\s:+-]*(\w.*?)\s*\(\d+\)$", tree, re.MULTILINE)]
    small = {"BroadcastExchange", "Scan ExistingRDD", "LocalTableScan"}  # the tables that go to every worker
    assert set(found) <= {"AdaptiveSparkPlan", "Project", "Filter", "Scan parquet", "BroadcastHashJoin LeftOuter BuildRight", *small}
    assert found.count("Scan parquet") == 1, "the frame is read once"
    assert found.count("BroadcastHashJoin LeftOuter BuildRight") == found.count("BroadcastExchange") >= 10


def operators(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan["children"]:
        yield from operators(child)


def test_the_plan_of_duckdb_joins_by_equality_with_the_small_side_built() -> None:
    engine = engines.engine("duckdb")
    frame = engine.frame(every_kind())
    ((_, told_of),) = interpret_frame(frame).query("answered", "explain (format json) select * from answered").fetchall()
    (plan,) = json.loads(told_of)
    found = list(operators(plan))
    kinds = {one["name"].strip() for one in found}
    scans = {"ARROW_SCAN", "PYTHON_ARROW_SCAN"}  # of the small tables: Arrow batches, read without Python
    assert kinds <= {"HASH_JOIN", "PROJECTION", "SEQ_SCAN", *scans}
    joins = [one for one in found if one["name"].strip() == "HASH_JOIN"]
    assert len(joins) >= 10
    for join in joins:
        assert join["extra_info"]["Join Type"] == "LEFT"
        conditions = join["extra_info"]["Conditions"]
        assert all(" = " in one and not re.search("[<>]", one) for one in ([conditions] if isinstance(conditions, str) else conditions))
        _, built = join["children"]
        assert {one["name"].strip() for one in operators(built)} <= {"PROJECTION", *scans}, "the frame itself is the side that is built"


# What the compiled SQL calls: words of the language, and functions that the engines bring.
CALLS = parted(
    "AS|AND|OR|NOT|ON|IN|CASE|WHEN|THEN|ELSE|END|SELECT|FROM|WHERE|CAST|TRY_CAST|COALESCE|NULLIF|REGEXP_MATCHES|REGEXP_REPLACE|REPLACE|LENGTH|"
    "STARTS_WITH|LEFT|SUBSTRING|RANDOM|DECIMAL|VARCHAR|BTRIM|ISFINITE|ISNAN|ISINF|ROUND"
)


def compiled(expression: Any, dialect: str | None = None) -> str:
    """The SQL of an Ibis expression, on one line."""
    import ibis

    return re.sub(r"\s+", " ", str(ibis.to_sql(expression, dialect=dialect) if dialect else ibis.to_sql(expression)))


@pytest.mark.parametrize("name", ["ibis-duckdb", "postgres"])
def test_the_sql_of_ibis_calls_no_function_of_its_own_and_does_not_grow(name: str) -> None:
    """Each column is computed once: written into the next, and those into the next, the query would double with every step."""
    engine = engines.engine(name)
    few, sql = (compiled(interpret_frame(engine.frame(every_kind(many)))) for many in (60, 120))
    assert len(sql) < 1.1 * len(few) < 66_000
    assert sql.count("höchstens") == 1, "the pattern of values is written out again"
    unquoted = re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"", "", sql)
    assert {call.upper() for call in re.findall(r"\b([A-Za-z_]+)\(", unquoted)} <= set(CALLS)
    conditions = re.findall(r"LEFT OUTER JOIN \S+ AS \S+ ON (.*?)(?= \) AS | LEFT OUTER JOIN |$)", sql)
    assert len(conditions) == len(re.findall(r"\bJOIN\b", unquoted)) >= 10
    assert all(re.fullmatch(r"\S+ = \S+(?: AND \S+ = \S+)*", condition) for condition in conditions)


def test_postgresql_computes_each_column_once() -> None:
    """Nor does its planner write columns into each other: left alone, it tries the pattern of values dozens of times for every row."""
    answered = interpret_frame(engines.engine("postgres").frame(every_kind()))
    with answered.get_backend().con.cursor() as cursor:
        cursor.execute("explain (verbose) " + compiled(answered).replace("%", "%%"))
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert plan.count("höchstens") == 1
    assert "Nested Loop" not in plan


@pytest.mark.parametrize("dialect", ["bigquery", "snowflake", "databricks", "trino"])
def test_the_plan_compiles_for_warehouses_which_do_not_run_here(dialect: str) -> None:
    """Compiled only: whether a warehouse answers alike is not shown here."""
    sql = compiled(interpret_frame(engines.engine("ibis-duckdb").frame(every_kind())), dialect)
    assert sql.count("LEFT OUTER JOIN") >= 10
    assert sql.count("höchstens") + sql.count("h\\xf6chstens") == 1


# --- whole draws -------------------------------------------------------------------------------------------------------------


def statements(said: pl.DataFrame, *but: str) -> list[tuple[str, ...]]:
    """What is said, in an order of its own."""
    return sorted(tuple(map(str, row)) for row in said.drop(but).rows())


@pytest.mark.parametrize("within", [None, "7d"])
def test_draws_are_read_as_by_interpret_and_on_this_machine(engine: Engine, within: str | None) -> None:
    """Some people with several draws: with labels of the rows, and with numbers as the engine hands the rows over."""
    records = [row for row in export(25, 11, 0.2) if row["age_years"] not in ("x", "130+") and "." not in (row["collected_at"] or "")]
    table = frame_of(records).with_columns(id=pl.Series(range(1, len(records) + 1)))
    want = panel_frame(table, row_id="id", within=within)
    assert given(want) == panels_by_interpret(records, windowed(records, 7) if within else None)
    assert set(want["li_kind"]) >= {"pattern", "effect", "alert", "context", "finding"}
    frame = engine.frame(table)
    labelled = panel_frame(frame, row_id="id", within=within)
    assert type(labelled) is type(frame)
    assert statements(engine.table(labelled)) == statements(want)
    numbered = engine.table(panel_frame(frame, within=within))
    assert statements(numbered, "li_because") == statements(want, "li_because")
    counted = [sorted(said["li_because"].str.count_matches(";").to_list()) for said in (numbered, want)]
    assert counted[0] == counted[1]


# --- rows that come after the plan ---------------------------------------------------------------------------------------------

FIRST: list[Row] = [
    {"test": "Ferritin", "value": "13", "unit": "ug/L", "sex": "F", "age_years": "34"},
    {"test": "Magnesium", "value": "0.9", "unit": "mmol/L", "sex": "F", "age_years": "34", "ref_low": "0.7", "ref_high": "1.0"},
    {"test": "CRP", "value": "<5", "unit": "mg/L", "sex": "M", "age_years": "70", "comparator": "<"},
    {"test": "25(OH)D", "value": "20 ng/mL", "unit": None, "sex": "M", "age_years": "70"},
]
# Each differs from those before in one thing; whether that is seen to be new, or known to make no difference, is the plan's affair.
LATER: list[Row] = [
    {**FIRST[0], "value": "14"}, {**FIRST[0], "value": "200"}, {**FIRST[0], "test": "Ferritin ", "value": "13"}, {**FIRST[0], "unit": "ng/dL"},
    {**FIRST[0], "sex": "M"}, {**FIRST[0], "age_years": "3"}, {**FIRST[0], "value": ">13"}, {**FIRST[0], "value": "13 H"}, {**FIRST[0], "value": "1,060"},
    {**FIRST[0], "value": "hemolysed"}, {**FIRST[0], "value": "10-13"}, {**FIRST[0], "comparator": ">="}, {**FIRST[0], "ref_low": "50", "ref_high": "60"},
    {**FIRST[1], "ref_low": "0.95"}, {**FIRST[1], "value": "<0.9"}, {**FIRST[1], "sex": "M", "age_years": "70"}, {**FIRST[2], "value": "<=5"},
    {**FIRST[2], "comparator": None}, {**FIRST[3], "value": "20 nmol/L"}, {**FIRST[3], "value": "20"}, {**FIRST[3], "unit": "ng/mL"}, {**FIRST[3], "test": None},
]  # fmt: skip
NEW = (2, 3, 5, 7)  # a text that was not there: the plan cannot know what it means


def kept_open(name: str) -> tuple[Any, Callable[[], None]]:
    """A frame of the first rows, and how the others come to it."""
    engine, first = engines.engine(name), texts_of(FIRST)
    later = texts_of([*FIRST, *LATER])[len(FIRST) :]
    if name == "spark":  # it remembers how long a file is
        path, session = engines._folder() / f"{engines._fresh()}.csv", engines.spark_session()
        every = pl.concat([first, later]).write_csv(quote_style="always", null_value="")
        short = first.write_csv(quote_style="always", null_value="")
        path.write_text(short + "\n" * (len(every.encode()) - len(short.encode())))
        frame = session.read.csv(str(path), schema="n bigint, " + ", ".join(f"{c} string" for c in first.columns[1:]), header=True)
        return frame, lambda: [path.write_text(every), None][1]
    frame = engine.frame(first)
    if name == "duckdb":
        connection, table = engines.duckdb_connection(), frame.alias
    else:
        backend, table = frame.get_backend(), frame.get_name()
        connection = backend.con

    def arrive() -> None:
        names, marks = ", ".join(first.columns), ", ".join("%s" if name == "postgres" else "?" for _ in first.columns)
        with connection.cursor() as cursor:
            cursor.executemany(f"insert into {table} ({names}) values ({marks})", later.rows())
        if name == "postgres":
            connection.commit()

    return frame, arrive


@pytest.mark.parametrize("name", KEEP_THEIR_DATA)
def test_a_row_that_comes_after_the_plan_says_so(name: str) -> None:
    """It has the answer of `interpret`, or the reason that the frame has changed; never another answer."""
    frame, arrive = kept_open(name)
    engine, planned = engines.engine(name), interpret_frame(frame, lane="engine")
    before = in_order(engine, planned)
    assert before.height == len(FIRST)
    told(differences(FIRST, before.select(LI).rows(), [scalar(row) for row in FIRST]))
    arrive()
    after = in_order(engine, planned)
    assert after["n"].to_list() == list(range(len(FIRST) + len(LATER)))
    assert after.head(len(FIRST)).equals(before)
    changed = after["li_reason"].to_list()[len(FIRST) :]
    assert {changed[place] for place in NEW} == {UNSEEN}
    assert changed[0] != UNSEEN, "a plain number of a kind that is known needs no new plan"
    for row, cells in zip(LATER, after.select(LI).rows()[len(FIRST) :], strict=True):
        if cells[-1] == UNSEEN:
            assert not any(cells[6:9]), row
        else:
            told(differences([row], [cells], [scalar(row)]))
    agree(engine, after.select(texts_of(FIRST).columns))  # asked anew, all is known


def test_polars_plans_each_batch_when_it_comes(tmp_path: Path) -> None:
    path, every = tmp_path / "rows.csv", texts_of([*FIRST, *LATER])
    every[: len(FIRST)].write_csv(path)
    planned = interpret_frame(pl.scan_csv(path, schema=every.schema), lane="engine")
    every.write_csv(path)
    told(differences([*FIRST, *LATER], planned.collect().select(LI).rows(), [scalar(row) for row in (*FIRST, *LATER)]))


# --- engines that are not there --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("variable", "value", "required"), [("CI", "1", True), ("LABINTERP_ENGINES", "required", True), ("X", "1", False)])
def test_an_engine_that_is_missing_is_never_passed_over_where_all_are_required(variable: str, value: str, required: bool) -> None:
    """Read when the tests start."""
    others = {name: text for name, text in os.environ.items() if name not in ("CI", "LABINTERP_ENGINES")}
    asking = "import sys; sys.path.insert(0, '.'); from tests import engines; print(engines.REQUIRED)"
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", asking], env={**others, variable: value}, cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(required)


@pytest.mark.parametrize("required", [True, False])
def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, required: bool) -> None:
    """Without Java there is no Spark, without its programs no PostgreSQL."""
    monkeypatch.setattr(engines, "REQUIRED", required)
    monkeypatch.setattr(engines.shutil, "which", lambda program: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(Path, "glob", lambda folder, pattern: iter(()))
    outcome = pytest.fail.Exception if required else pytest.skip.Exception
    with pytest.raises(outcome, match="Spark needs Java 17 or newer"):
        engines.spark_session.__wrapped__()
    with pytest.raises(outcome, match="PostgreSQL's server is not installed"):
        engines.postgres_port.__wrapped__()
