"""Panels of frames that stay in an engine: rows are fetched, whole persons at a time, and the statements are put back.

A statement needs the texts of its rows and all rows of its person, so the rows themselves are fetched: only the columns that
are needed and, where rows have labels of their own (`row_id`), no more at once than is held in memory well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import polars as pl

from labinterp._draw_frames.persons import key
from labinterp.errors import InputError

if TYPE_CHECKING:
    from labinterp._draw_frames.asked_draws import Drawn


def said(frame: Any, drawn_of: Callable[[Sequence[Any]], Drawn], read: Callable[[pl.DataFrame, Drawn], pl.DataFrame], most: int) -> Any:
    """The statements about a frame, as a frame of its engine.

    Args:
        frame: DuckDB relation, PySpark or Ibis frame.
        drawn_of: Column names -> what is asked.
        read: Rows -> statements.
        most: How many rows are fetched at once.

    Raises:
        InputError: A frame that is not read here.
    """
    try:
        lazy = nw.from_native(frame).lazy()
    except TypeError:
        raise InputError(
            f"a frame of {type(frame).__module__}.{type(frame).__qualname__} is not read here; "
            "accepted: polars, pandas, pyarrow.Table, Dask, DuckDB, PySpark, Ibis"
        ) from None
    drawn = drawn_of(list(lazy.collect_schema()))
    label = [] if drawn.row_id is None else [drawn.row_id]
    lazy = lazy.select(*dict.fromkeys([*drawn.by, *drawn.needed.values(), *label]))
    made = pl.concat([read(rows, drawn) for rows in _persons(lazy, drawn, most)])
    return _given_back(lazy, made, drawn)


def _persons(lazy: nw.LazyFrame[Any], drawn: Drawn, most: int) -> Iterator[pl.DataFrame]:
    """The rows, whole persons at a time; rows without labels are numbered as they come, in one go."""
    name = drawn.labels[0] if drawn.labels and drawn.row_id is not None else None
    if name is not None and int(_fetched(lazy.select(nw.len().alias("rows")))["rows"][0]) > most:
        sizes = _fetched(lazy.group_by(name).agg(nw.len().alias("_li_rows")).sort(name, nulls_last=True))
        known = sizes.filter(pl.col(name).is_not_null())
        if key(known[name]).n_unique() == known.height:  # else one person is written in two ways, and may stand in two parts
            parts = known.group_by(pl.col("_li_rows").cum_sum() // most, maintain_order=True)
            for first, last in parts.agg(first=pl.col(name).first(), last=pl.col(name).last()).select("first", "last").iter_rows():
                yield _fetched(lazy.filter((nw.col(name) >= first) & (nw.col(name) <= last)))
            if known.height < sizes.height:
                yield _fetched(lazy.filter(nw.col(name).is_null()))
            return
    yield _fetched(lazy)


def _fetched(lazy: nw.LazyFrame[Any]) -> pl.DataFrame:
    native, kind = lazy.to_native(), lazy.implementation
    if kind.is_pyspark() or kind.is_pyspark_connect():
        rows = native.collect()
        types = {name: _type(dtype) for name, dtype in lazy.collect_schema().items()}
        return pl.DataFrame([tuple(row) for row in rows], schema=types, orient="row")
    if kind.is_ibis():
        made = pl.from_arrow(native.to_pyarrow())
        return made if isinstance(made, pl.DataFrame) else made.to_frame()
    frame: pl.DataFrame = lazy.collect(backend="polars").to_native()
    return frame


def _type(dtype: Any) -> Any:
    """The type of a column of rows that an engine hands over as Python values; None: as they are."""
    plain = {nw.String: pl.String, nw.Boolean: pl.Boolean, nw.Date: pl.Date, nw.Float64: pl.Float64, nw.Float32: pl.Float32}
    return next((own for one, own in plain.items() if dtype == one), pl.Int64 if dtype.is_integer() else None)


def _given_back(lazy: nw.LazyFrame[Any], made: pl.DataFrame, drawn: Drawn) -> Any:
    """The statements where the frame lives."""
    native, kind = lazy.to_native(), lazy.implementation
    if kind.is_duckdb():
        labinterp_said = made.to_arrow()  # noqa: F841 - found by its name
        return native.query("labinterp_rows", "select * from labinterp_said")
    if kind.is_pyspark() or kind.is_pyspark_connect():
        from pyspark.sql import types

        own = [native.schema[name] for name in drawn.by]
        added = [types.StructField(name, types.StringType()) for name in made.columns[len(own) :]]
        return native.sparkSession.createDataFrame(made.rows(), types.StructType([*own, *added]))
    if kind.is_ibis():
        import ibis

        return ibis.memtable(made.to_arrow())
    return made
