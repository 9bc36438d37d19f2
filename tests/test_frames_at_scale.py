"""What frames remember: it is the same answer with and without it, and it has an end."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from labinterp import Catalog, LabResult, Patient, assess, interpret
from labinterp._frames import rows as frame_rows
from labinterp._frames.asked import asked
from labinterp._frames.numbers import ValueReader
from labinterp._frames.recognised import Recognised, hashed
from labinterp.dataframes import interpret_frame
from labinterp.errors import InputError


@pytest.fixture
def catalog() -> Catalog:
    """A catalog that has not learned anything yet."""
    return Catalog(Catalog.default().table)


def reader(catalog: Catalog, *names: str) -> Any:
    return asked(names, {name: name for name in names}, catalog=catalog).reader()


# --- texts that were read before ------------------------------------------------------------------------------------


def test_what_was_read_is_found_by_both_hashes() -> None:
    """A row is another one when either hash is; where two rows meet in the slot of the first hash, the second finds them."""
    known = Recognised(np.dtype([("class", np.int64)]), (0,), 10)
    top = np.uint64(1 << 63)
    a, near_a, b = top, top + np.uint64(1), np.uint64(5)  # the first two lie in one slot, whatever the size of the table
    x, y, z = np.uint64(1 << 62), np.uint64(3 << 62), np.uint64(7)
    known.learn(np.array([a, near_a, b], np.uint64), np.array([x, y, z], np.uint64), np.array([(4,), (5,), (6,)], known.table.read.dtype))
    asked_for = [(a, x, 4), (near_a, y, 5), (b, z, 6), (a, y, 0), (near_a, x, 0), (b, x, 0), (np.uint64(9), z, 0)]
    first, second = (np.array([row[at] for row in asked_for], np.uint64) for at in (0, 1))
    table, places, new = known.find(first, second)
    assert table.parts["class"].take(places).tolist() == [row[2] for row in asked_for]
    assert new.tolist() == [at for at, row in enumerate(asked_for) if not row[2]]


def test_what_is_remembered_has_an_end() -> None:
    """Of more rows than there is room for, the rest is read each time."""
    known = Recognised(np.dtype([("class", np.int64)]), (0,), 100)
    for start in range(0, 1000, 50):
        hashes = np.arange(start, start + 50, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        known.learn(hashes, hashes, np.array([(1,)] * 50, known.table.read.dtype))
    assert len(known.table.read) <= 101


def test_the_columns_of_a_row_do_not_stand_for_each_other() -> None:
    """A name under the units and a unit under the names are another row than the two in their places."""
    frame = pl.DataFrame({"a": ["x", "y", "x", "xy", None], "b": ["y", "x", None, None, "x"]})
    for one in hashed(("a", "b"), "h"):
        assert frame.select(one).to_series().n_unique() == 5


def test_batches_answer_alike_whatever_came_before(catalog: Catalog) -> None:
    """The same rows get the same answers first, second, and after very many others."""
    draw = random.Random(7)
    names, units = ["Ferritin", "25(OH)D", "Mg", "B12", "nonsense", "", None], ["ug/L", "ng/mL", "nmol/L", "mmol/L", "?", None]
    values = ["12", "<4", "1,5", "1.250", "hemolysed", ">1500", "0.7", None, "5-9", "20"]
    sexes, ages = ["F", "M", "x", None], ["34", "6 months", "71", None, "old"]

    def made(count: int) -> pl.DataFrame:
        rows = [(draw.choice(names), draw.choice(values), draw.choice(units), draw.choice(sexes), draw.choice(ages)) for _ in range(count)]
        return pl.DataFrame(rows, schema=dict.fromkeys(("test", "value", "unit", "sex", "age_years"), pl.String), orient="row")

    frame = made(400)
    first = interpret_frame(frame, catalog=catalog)
    for _ in range(3):
        interpret_frame(made(2_000), catalog=catalog)
        odd = pl.DataFrame({"test": [f"test {draw.random()}" for _ in range(3_000)], "value": [f"{draw.random()}" for _ in range(3_000)]})
        interpret_frame(odd, catalog=catalog)
    assert interpret_frame(frame, catalog=catalog).equals(first)
    for row, code, reason in zip(frame.rows(named=True), first["li_code"], first["li_reason"], strict=True):
        facts = {
            "sex": {"F": "female", "M": "male"}.get(row["sex"] or ""),
            "age_years": {"34": 34, "71": 71, "6 months": 0.5}.get(row["age_years"] or ""),
        }
        (answer,) = interpret([LabResult(row["test"] or "", row["value"], row["unit"])], Patient(**facts)).rows()
        if row["age_years"] != "6 months":
            assert (getattr(answer, "code", None), getattr(answer, "reason", None)) == (code, reason), row


def test_a_reader_outlasts_the_memo(catalog: Catalog) -> None:
    """What frames learned is not lost when single results of very many people have filled the memo."""
    made = reader(catalog, "test", "value")
    catalog.memo.clear()
    assert reader(catalog, "test", "value") is made
    for number in range(40):
        asked(["test", "value"], {"test": "test", "value": "value"}, catalog=catalog, as_of=f"2020-01-{1 + number % 28:02d}").reader()
    assert sum(isinstance(key, tuple) for key in catalog.learned) <= 24


def test_values_that_are_all_different_do_not_fill_the_memory(catalog: Catalog) -> None:
    """Numbers and odd texts without end: the tables stop growing."""
    made = reader(catalog, "test", "value", "unit")
    for part in range(4):
        values = [f"{part}.{number:06d}" for number in range(20_000)]
        made.answer({"test": pl.Series(["Ferritin"] * 20_000), "value": pl.Series(values), "unit": pl.Series(["ug/L"] * 20_000)}, 20_000)
    values_read: ValueReader = made._values
    assert len(values_read._recognised.table.read) <= 50_001


# --- printed ranges without end ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["numbers", "text"])
def test_ranges_without_end_are_answered_and_not_learned(catalog: Catalog, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Every row another printed range: the answers are those of single results, and the tables stay small."""
    from labinterp._frames import ranges

    monkeypatch.setattr(ranges, "_LEARNED", 20)
    draw = random.Random(3)
    size = 600
    low = [round(draw.uniform(0.5, 0.9), 6) for _ in range(size)]
    high = [round(one + draw.uniform(0.05, 0.5), 6) for one in low]
    values = [draw.choice(["0.7", "0.85", "1.0", "<0.7", "0,91", "hemolysed", "0.30", "0.7-0.8"]) for _ in range(size)]
    printed: dict[str, Any] = (
        {"ref_low": low, "ref_high": high} if kind == "numbers" else {"ref_text": [f"{a}-{b}" for a, b in zip(low, high, strict=True)]}
    )
    frame = pl.DataFrame(
        {"test": ["Magnesium"] * size, "value": values, "unit": ["mmol/L"] * size, "sex": ["M"] * size, "age_years": [40] * size, **printed}
    )
    found = interpret_frame(frame, catalog=catalog)
    made = reader(catalog, *frame.columns)
    assert made._ranges.learned <= 20
    for row, answer in zip(frame.rows(named=True), found.rows(named=True), strict=True):
        result = LabResult(
            "Magnesium", row["value"], "mmol/L", ref_low=row.get("ref_low"), ref_high=row.get("ref_high"), ref_text=row.get("ref_text")
        )
        single = assess(result, Patient(sex="male", age_years=40))
        told = (
            getattr(single, "code", None),
            getattr(single, "band", None),
            getattr(single, "limits", None),
            getattr(single, "reason", None),
        )
        assert told == (answer["li_code"], answer["li_band"], answer["li_limits"], answer["li_reason"]), row


def test_a_range_that_stands_in_many_rows_is_learned(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A laboratory's own range is one kind of row however many came before it."""
    from labinterp._frames import ranges

    monkeypatch.setattr(ranges, "_LEARNED", 0)
    frame = pl.DataFrame(
        {"test": ["Magnesium"] * 60, "value": ["0.72"] * 60, "unit": ["mmol/L"] * 60, "ref_low": [0.75] * 60, "ref_high": [1.0] * 60}
    )
    assert interpret_frame(frame, catalog=catalog)["li_limits"].unique().to_list() == ["reported"]
    assert reader(catalog, *frame.columns)._ranges.learned == 1


# --- odd types --------------------------------------------------------------------------------------------------------


def test_types_of_arrow_that_polars_does_not_have() -> None:
    """A decimal of 256 bits is a number, and runs are the values they stand for."""
    table = pa.table(
        {
            "test": pc.run_end_encode(pa.array(["Ferritin", "Ferritin"])),
            "value": pa.array([Decimal("12"), None], pa.decimal256(50, 3)),
            "unit": ["ug/L", "ug/L"],
            "sex": ["F", "F"],
            "age_years": [30, 30],
        }
    )
    found = interpret_frame(table)
    assert found.column("li_band").to_pylist() == ["deficient", None]
    assert found.column("li_reason").to_pylist() == [None, "unreadable_value"]
    assert found.schema.field("test").type == table.schema.field("test").type


def test_a_lazy_frame_of_objects_says_what_to_do() -> None:
    """The engine cannot pass Python objects on; the message names the column and the way out."""
    lazy = pl.LazyFrame({"test": ["Ferritin"], "value": pl.Series([12], dtype=pl.Object)})
    with pytest.raises(InputError, match=r"'value'.*collect\(\)"):
        interpret_frame(lazy)


def test_what_a_pandas_frame_carries_stays_with_it() -> None:
    """The attrs of a frame come back with it."""
    frame = pd.DataFrame({"test": ["Ferritin"], "value": ["12"], "unit": ["ug/L"]})
    frame.attrs["source"] = "ward 7"
    assert interpret_frame(frame).attrs == {"source": "ward 7"}


def test_groups_name_every_text_that_is_looked_up() -> None:
    """A role whose texts are read belongs to a group, or its column would never be looked at."""
    made = reader(Catalog.default(), "test", "value")
    assert {role for roles in frame_rows._GROUPS.values() for role in roles} == set(made._texts)
