"""Frames that live on this machine, through polars: polars itself (eager, lazy, streamed), pandas and pyarrow by Arrow, Dask by partition."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import polars as pl
import polars.selectors as cs

from labinterp._frames.asked import READ, Asked
from labinterp.errors import InputError

_SMALL = 100_000  # rows that are answered in one go; more are answered in parts, side by side


def lazy(frame: pl.LazyFrame, asked: Asked) -> pl.LazyFrame:
    """A lazy frame whose plan answers each batch as it streams by.

    Raises:
        InputError: A column holds Python objects, of which no plan can be made.
    """
    schema = frame.collect_schema()
    names = list(schema)
    odd = [name for role, name in asked.columns.items() if role in READ and schema[name] == pl.Object]
    if odd:
        raise InputError(f"the column {odd[0]!r} holds Python objects, which a lazy frame cannot pass on; call frame.collect() first")
    kept = asked.kept_columns(names)
    answers = "_answers"
    while answers in names or answers in asked.added():
        answers += "_"
    return frame.select(cs.by_name(*kept), answered_rows(asked).alias(answers)).unnest(answers)


def answered_rows(asked: Asked) -> pl.Expr:
    """The answers of the rows of a polars frame, as one column of structs."""
    reader, read = asked.reader(), [role for role in READ if role in asked.columns]
    types = {f"{asked.prefix}{name}": dtype for name, dtype in reader.schema().items()}
    names = list(types)

    def answer(batch: pl.Series) -> pl.Series:
        fields = batch.struct.unnest()
        made = reader.answer(dict(zip(read, fields.get_columns(), strict=True)), len(batch))
        made.columns = names
        return made.to_struct()

    # by_name takes a name as it is; a plain col reads "^x$" as a pattern
    rows = pl.struct([cs.by_name(asked.columns[role]).as_expr().alias(role) for role in read])
    return rows.map_batches(answer, return_dtype=pl.Struct(types), is_elementwise=True)


def eager(frame: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """The same for a frame in memory."""
    kept = frame.select(cs.by_name(*asked.kept_columns(frame.columns)))
    return pl.concat([kept, answers(frame, asked)], how="horizontal")


def answers(frame: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """The answer columns alone."""
    read = [role for role in READ if role in asked.columns]
    columns = {role: frame.get_column(asked.columns[role]) for role in read}
    if frame.height > _SMALL and not any(column.dtype == pl.Object for column in columns.values()):
        alone = pl.DataFrame([column.alias(role) for role, column in columns.items()]).lazy()
        rows = answered_rows(asked._replace(columns={role: role for role in read})).alias("answers")
        return alone.select(rows).unnest("answers").collect(engine="streaming")
    found = asked.reader().answer(columns, frame.height)
    found.columns = [f"{asked.prefix}{name}" for name in found.columns]
    return found


def arrow(table: Any, asked: Asked) -> Any:
    """A `pyarrow.Table` with the answer columns behind its own."""
    import pyarrow as pa

    needed = {role: asked.columns[role] for role in READ if role in asked.columns}
    made = answers(pl.DataFrame([_from_arrow(table, name) for name in needed.values()]), asked)
    kept = table if asked.kept == "all" else table.select(asked.kept_columns(table.column_names))
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

    columns = {name: _to_pandas(made[name], like, frame.index) for name in made.columns}
    both = pd.concat([out, pd.DataFrame(columns, index=frame.index)], axis=1)
    both.attrs = frame.attrs
    return both


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

    coded = column.to_arrow()
    return pa.DictionaryArray.from_arrays(coded.indices, coded.dictionary.cast(dtype)).dictionary_decode()


def _from_arrow(table: Any, name: str) -> pl.Series:
    """A column of a table; types that polars does not have come as texts or Python objects."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table.column(name)
    if pa.types.is_decimal256(column.type):  # one is asked beforehand: polars would break down
        return pl.Series(name, column.to_pylist(), dtype=pl.Object)
    if pa.types.is_run_end_encoded(column.type):
        column = pa.chunked_array([pc.run_end_decode(chunk) for chunk in column.chunks], column.type.value_type)
    try:
        return cast("pl.DataFrame", pl.from_arrow(pa.table({name: column}), rechunk=False)).to_series()
    except (pl.exceptions.PolarsError, pa.ArrowException, TypeError, ValueError):
        return pl.Series(name, column.to_pylist(), dtype=pl.Object)


def _from_pandas(column: Any, name: str) -> pl.Series:
    import pyarrow as pa

    try:
        return pl.Series(name, pa.Array.from_pandas(column))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError, OverflowError):
        values = [None if value is None or value is getattr(value, "NA", ...) else value for value in column.tolist()]
        return pl.Series(name, values, dtype=pl.Object)


def _to_pandas(column: pl.Series, like: Any, index: Any) -> Any:
    """An answer column in the kind of type the caller's text has."""
    import pandas as pd
    import pyarrow as pa

    if isinstance(like, pd.ArrowDtype):
        arrow = _strings(column, pa.string()) if isinstance(column.dtype, pl.Enum) else column.to_arrow()
        return pd.Series(pd.array(arrow, dtype=pd.ArrowDtype(arrow.type)), index=index)
    if not isinstance(column.dtype, pl.Enum):
        return pd.Series(column.to_pandas().array, index=index)
    if isinstance(like, pd.StringDtype) and like.storage == "pyarrow":
        return pd.Series(like.__from_arrow__(_strings(column, pa.large_string())), index=index)
    words = np.array([*column.dtype.categories.to_list(), None], dtype=object)
    numbers = column.to_physical().cast(pl.Int32).fill_null(len(words) - 1).to_numpy()
    return pd.Series(words.take(numbers), index=index, dtype=like if isinstance(like, pd.StringDtype) else object)
