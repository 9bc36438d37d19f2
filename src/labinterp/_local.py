"""Frames that live on this machine, through polars: polars itself (eager, lazy, streamed), pandas and pyarrow by Arrow, Dask by partition."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from labinterp._asked import READ, Asked

_SMALL = 100_000  # rows that are answered in one go; more are answered in parts, side by side


def lazy(frame: pl.LazyFrame, asked: Asked) -> pl.LazyFrame:
    """A lazy frame whose plan answers each batch as it streams by."""
    names = list(frame.collect_schema())
    reader, read = asked.reader(), [role for role in READ if role in asked.columns]
    types = {f"{asked.prefix}{name}": dtype for name, dtype in reader.schema().items()}

    def answer(batch: pl.Series) -> pl.Series:
        fields = {role: batch.struct.field(role) for role in read}
        return pl.DataFrame(list(reader.answer(fields, len(batch)).values()), schema=types).to_struct()

    rows = pl.struct([pl.col(asked.columns[role]).alias(role) for role in read])
    answers = rows.map_batches(answer, return_dtype=pl.Struct(types), is_elementwise=True).alias("_answers")
    return frame.select(*map(pl.col, asked.kept_columns(names)), answers).unnest("_answers")


def eager(frame: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """The same for a frame in memory."""
    kept = frame.select(asked.kept_columns(frame.columns))
    return pl.concat([kept, answers(frame, asked)], how="horizontal")


def answers(frame: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """The answer columns alone."""
    read = {role: asked.columns[role] for role in READ if role in asked.columns}
    columns = frame.select(**{role: pl.col(name) for role, name in read.items()})
    if frame.height > _SMALL and not any(dtype == pl.Object for dtype in columns.dtypes):
        alone = asked._replace(columns={role: role for role in read}, kept="results")
        return lazy(columns.lazy(), alone).select(pl.exclude(*read)).collect(engine="streaming")
    found = asked.reader().answer({role: columns[role] for role in read}, frame.height)
    return pl.DataFrame({f"{asked.prefix}{name}": column for name, column in found.items()})


def arrow(table: Any, asked: Asked) -> Any:
    """A `pyarrow.Table` with the answer columns behind its own."""
    import pyarrow as pa

    needed = {role: asked.columns[role] for role in READ if role in asked.columns}
    made = answers(pl.DataFrame({name: pl.Series(name, table.column(name)) for name in needed.values()}), asked)
    kept = table.select(asked.kept_columns(table.column_names))
    for name in made.columns:
        column = made[name]
        kept = kept.append_column(name, column.to_arrow() if not isinstance(column.dtype, pl.Enum) else _strings(column, pa.string()))
    return kept


def pandas(frame: Any, asked: Asked) -> Any:
    """A `pandas.DataFrame` with the answer columns behind its own, its index as it is."""
    needed = {role: asked.columns[role] for role in READ if role in asked.columns}
    made = answers(
        pl.DataFrame({role: _from_pandas(frame[name], role) for role, name in needed.items()}),
        asked._replace(columns={r: r for r in needed}),
    )
    like = frame[asked.columns.get("test", asked.columns["value"])].dtype
    out = frame[asked.kept_columns(list(frame.columns))] if asked.kept != "all" else frame
    import pandas as pd

    columns = {name: _to_pandas(made[name], like) for name in made.columns}
    return pd.concat([out, pd.DataFrame(columns, index=frame.index)], axis=1)


def dask(frame: Any, asked: Asked) -> Any:
    """A Dask frame that answers each partition when it is computed."""
    return frame.map_partitions(ByPartition(asked), meta=pandas(frame._meta, asked))


class ByPartition:
    """Answers one partition; travels to a worker as what was asked, and learns there."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def __call__(self, part: Any) -> Any:
        """The partition with its answers."""
        return pandas(part, self._asked)


def _strings(column: pl.Series, dtype: Any) -> Any:
    """A column of closed words as Arrow strings: each word is written once and repeated by its number."""
    import pyarrow as pa

    words = pa.array(column.dtype.categories.to_list(), dtype)  # type: ignore[attr-defined]
    return words.take(column.to_physical().cast(pl.Int32).to_arrow())


def _from_pandas(column: Any, name: str) -> pl.Series:
    import pyarrow as pa

    try:
        return pl.Series(name, pa.Array.from_pandas(column))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError, OverflowError):
        values = [None if value is None or value is getattr(value, "NA", ...) else value for value in column.tolist()]
        return pl.Series(name, values, dtype=pl.Object)


def _to_pandas(column: pl.Series, like: Any) -> Any:
    """An answer column in the kind of type the caller's text has."""
    import pandas as pd
    import pyarrow as pa

    if isinstance(like, pd.ArrowDtype):
        arrow = _strings(column, pa.string()) if isinstance(column.dtype, pl.Enum) else column.to_arrow()
        return pd.array(arrow, dtype=pd.ArrowDtype(arrow.type))
    if not isinstance(column.dtype, pl.Enum):
        return column.to_pandas().array
    if isinstance(like, pd.StringDtype) and like.storage == "pyarrow":
        return like.__from_arrow__(_strings(column, pa.large_string()))
    words = np.array([*column.dtype.categories.to_list(), None], dtype=object)
    numbers = column.to_physical().cast(pl.Int32).fill_null(len(words) - 1).to_numpy()
    return pd.array(words.take(numbers), dtype=like if isinstance(like, pd.StringDtype) else object)
