"""What passes between Python and an engine: distinct rows out of it, small tables into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from labinterp.errors import InputError

MOST = 2_000_000  # distinct rows that are read in Python; they are held in memory
Rows = list[tuple[Any, ...]]


def fetched(frame: nw.LazyFrame[Any], sets: Sequence[Sequence[str]], only: Mapping[int, nw.Expr] | None = None) -> list[Rows]:
    """The distinct rows of each set of columns.

    Args:
        frame: Where they are.
        sets: Names of columns; no column stands in two of them.
        only: Place of a set -> which of its rows are worth fetching, where that is quicker than to fetch all.

    Raises:
        InputError: There are more than can be held here.
    """
    if not sets:
        return []
    kind = frame.implementation
    if kind.is_duckdb():
        found = _at_once(frame.to_native(), sets)
    else:
        chosen = [frame.filter(only[number]) if only and number in only else frame for number in range(len(sets))]
        parts = [part.select(*columns).to_native() for part, columns in zip(chosen, sets, strict=True)]
        found = _united(parts, sets) if kind.is_pyspark() or kind.is_pyspark_connect() else [_distinct(part, kind) for part in parts]
    if sum(map(len, found)) > MOST:
        raise InputError(
            f"this frame has more than {MOST:,} different names, persons or odd values; they are read in Python, one by one. "
            "Use lane='local', or answer the frame in parts"
        )
    return found


def _distinct(native: Any, kind: nw.Implementation) -> Rows:
    """The engine's own word for distinct rows; narwhals' sorts them."""
    if kind.is_ibis():
        return _by_column(native.distinct().limit(MOST + 1).to_pyarrow())
    rows: Rows = native.unique().head(MOST + 1).collect().rows()
    return rows


def _united(parts: Sequence[Any], sets: Sequence[Sequence[str]]) -> list[Rows]:
    """All sets in one job of Spark."""
    from pyspark.sql import functions

    types = {field.name: field.dataType for part in parts for field in part.schema.fields}
    united: Any = None
    for number, (part, columns) in enumerate(zip(parts, sets, strict=True)):
        filled = [functions.col(name) if name in columns else functions.lit(None).cast(dtype).alias(name) for name, dtype in types.items()]
        one = part.distinct().select(functions.lit(number).alias("labinterp_set"), *filled)
        united = one if united is None else united.unionAll(one)
    return _sorted_out([(row[1:], row[0]) for row in united.limit(MOST + 1).collect()], sets)


def _sorted_out(rows: Iterable[tuple[Sequence[Any], int]], sets: Sequence[Sequence[str]]) -> list[Rows]:
    """Rows that hold the columns of all sets, each with the place of its own set -> the rows of each set."""
    found: list[Rows] = [[] for _ in sets]
    starts = [sum(map(len, sets[:number])) for number in range(len(sets))]
    for row, number in rows:
        found[number].append(tuple(row[starts[number] : starts[number] + len(sets[number])]))
    return found


def _by_column(table: Any) -> Rows:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _at_once(relation: Any, sets: Sequence[Sequence[str]]) -> list[Rows]:
    """All sets in one reading of the source."""
    names = [name for columns in sets for name in columns]
    which = ", ".join(f"grouping({_quoted(columns[0])})" for columns in sets)
    groups = ", ".join(f"({', '.join(map(_quoted, columns))})" for columns in sets)
    query = f"select {', '.join(map(_quoted, names))}, {which} from labinterp_keys group by grouping sets ({groups}) limit {MOST + 1}"  # noqa: S608 - names made here
    width = sum(map(len, sets))
    return _sorted_out(((row[:width], row[width:].index(0)) for row in relation.query("labinterp_keys", query).fetchall()), sets)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _enum(dtype: pl.Enum) -> str:
    words = ", ".join("'" + word.replace("'", "''") + "'" for word in dtype.categories)
    return f"enum({words})"


class Offered:
    """A small table that an engine reads as a stream of Arrow batches, as often as it likes.

    Args:
        table: The table.
    """

    def __init__(self, table: pl.DataFrame) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The batches. Their number is not told, so that DuckDB takes this for the small side of a join, whatever it thinks of the other."""
        return self._table.__arrow_c_stream__(requested_schema)


def apart(frame: nw.LazyFrame[Any], name: str) -> nw.LazyFrame[Any]:
    """The same frame, whose columns are computed before anything that rests on them.

    Ibis and PostgreSQL write the columns of one step into the next, and each again wherever it is used, so that the query
    grows without end. They do not where a step holds a random number.

    Args:
        frame: Where the columns are.
        name: Of the column with the random number.
    """
    if not frame.implementation.is_ibis():
        return frame
    import ibis

    found: nw.LazyFrame[Any] = nw.from_native(frame.to_native().mutate(**{name: ibis.random()})).lazy()
    return found


def carried(frame: nw.LazyFrame[Any], table: pl.DataFrame) -> nw.LazyFrame[Any]:
    """A small table where a frame lives, to be joined with it."""
    native, kind = frame.to_native(), frame.implementation
    if not kind.is_duckdb():
        table = table.with_columns(pl.col(pl.Enum).cast(pl.String))
    made: Any
    if kind.is_duckdb():
        small = Offered(table)  # noqa: F841 - found by its name
        columns = (
            f"{_quoted(name)}::{_enum(dtype)}" if isinstance(dtype, pl.Enum) else _quoted(name) for name, dtype in table.schema.items()
        )
        named = ", ".join(f"{column} as {_quoted(name)}" for column, name in zip(columns, table.columns, strict=True))
        made = native.query("labinterp_rows", f"select {named} from small")  # noqa: S608 - names made here
    elif kind.is_pyspark() or kind.is_pyspark_connect():
        types = {pl.String: "string", pl.Int64: "bigint", pl.Float64: "double"}
        schema = ", ".join(f"`{name}` {types[dtype.base_type()]}" for name, dtype in table.schema.items())
        made = native.sparkSession.createDataFrame(table.rows(), schema, verifySchema=False).hint("broadcast")
    elif kind.is_ibis():
        import ibis

        made, backend = ibis.memtable(table), native.get_backend()
        if backend.name == "postgres":  # without figures it takes a join with a few rows for millions, and plans for those
            backend.execute(made.count())
            backend.raw_sql(f"analyze {_quoted(made.get_name())}")
    else:
        made = table.lazy()
    found: nw.LazyFrame[Any] = nw.from_native(made).lazy()
    return found
