"""Files of one kind -> one lazy frame of all their rows, which is read as it is worked on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import polars as pl
from polars.io.plugins import register_io_source

from labinterp._formats.parquet_ends import damaged, whole_file
from labinterp._streams.blocks import STATE, Blocks
from labinterp._streams.heads import Head, head
from labinterp._streams.pieces import PARQUET, TEXT, Given
from labinterp._streams.plain import plain_rows, read_plainly
from labinterp._streams.watch import Watch, ahead
from labinterp._table import find_columns
from labinterp.errors import InputError

_APART = "run them one by one, or each into a file of its own: -o FOLDER/"


class How(NamedTuple):
    """How files are to be read.

    Attributes:
        columns: Role -> column name, where the usual names do not find it.
        delimiter: Default: found.
        encoding: Default: found.
        source_column: Name of a column that says which file a row is from.
    """

    columns: Mapping[str, str]
    delimiter: str | None
    encoding: str | None
    source_column: str | None


class Scan(NamedTuple):
    """Rows to come.

    Attributes:
        frame: Lazy; text has the column `STATE` besides the caller's.
        names: The caller's columns, each once.
        header: The same as they are printed.
        roles: Role -> name.
        delimiter: Of the first file.
    """

    frame: pl.LazyFrame
    names: list[str]
    header: list[str]
    roles: dict[str, str]
    delimiter: str


def scan(given: Sequence[Given], how: How, watch: Watch, plainly: bool = False) -> Scan:
    """All rows of some files, in order.

    Args:
        given: Files of one kind.
        how: How to read them.
        watch: Is told what is read.
        plainly: Whether polars may read plain files of text itself; all their columns have to be asked for then.

    Raises:
        InputError: A file is no table, or their columns differ.
    """
    made = _parquet(given, how, watch) if given[0].kind == PARQUET else (plainly and _plain(given, how, watch)) or _text(given, how, watch)
    if made.names.count(how.source_column or "") > 1:
        raise InputError(f"the files already have the column {how.source_column!r}; give --source-column another name")
    return made


def _plain(given: Sequence[Given], how: How, watch: Watch) -> Scan | None:
    """The same of files that are all plain; None where one is not."""
    if how.encoding is not None or any(one.kind != TEXT or one.size is None for one in given):
        return None
    heads = [_head(one, how) for one in given]
    for one, its in zip(given[1:], heads[1:], strict=True):
        _same(given[0], heads[0].names, one, its.names)
    parted = {its.table.delimiter for its in heads}
    counts = [
        plain_rows(one.path or Path(), its.table.header, its.table.delimiter) if len(parted) == 1 else None
        for one, its in zip(given, heads, strict=True)
    ]
    if any(count is None for count in counts):
        return None
    found = sum(count or 0 for count in counts)
    watch.rows += found
    watch.total = None if watch.total is None else watch.total + found
    extra = [how.source_column] if how.source_column else []
    frames = [
        read_plainly(one.path or Path(), its.names, its.table.delimiter).select(*heads[0].names, *(pl.lit(label).alias(n) for n in extra))
        for one, its, label in zip(given, heads, _labels(given), strict=True)
    ]
    table, names = heads[0].table, heads[0].names
    roles = {role: names[at] for role, at in table.columns.items()}
    return Scan(_joined(frames), [*names, *extra], [*table.header, *extra], roles, table.delimiter)


def _joined(frames: list[pl.LazyFrame]) -> pl.LazyFrame:
    return frames[0] if len(frames) == 1 else pl.concat(frames)


def _text(given: Sequence[Given], how: How, watch: Watch) -> Scan:
    if watch.total is not None and all(one.size is not None for one in given):
        watch.total += sum(one.size or 0 for one in given)
    else:
        watch.total = None
    first = _head(given[0], how)
    for one in given[1:]:
        _same(given[0], first.names, one, _head(one, how).names)
    names, said = [*first.names], _labels(given)
    extra = [how.source_column] if how.source_column else []

    def rows(columns: list[str] | None, predicate: Any, most: Any, size: Any) -> Iterator[pl.DataFrame]:
        frames = (
            frame.with_columns(pl.lit(label).alias(name) for name in extra).select(columns or [*names, *extra, STATE])
            for one, label in zip(given, said, strict=True)
            for frame in ahead(_frames(one, how, watch), watch)
        )
        while True:
            try:
                with watch.busy():
                    frame = next(frames, None)
            except BaseException as error:
                watch.failed(error)
                raise
            if frame is None:
                return
            yield frame

    schema = {**dict.fromkeys([*names, *extra], pl.String), STATE: pl.Int8}
    roles = {role: names[at] for role, at in first.table.columns.items()}
    frame = register_io_source(rows, schema=schema)
    return Scan(frame, [*names, *extra], [*first.table.header, *extra], roles, first.table.delimiter)


def _head(one: Given, how: How, watch: Watch | None = None) -> Head:
    """The beginning of a file; a pipe is read once, and what was looked at for its header is kept."""
    if one.looked is not None:
        return cast("Head", one.looked)
    before = watch.done if watch else 0

    def moved(at: int) -> None:
        if watch:
            watch.done = before + at

    pieces = one.pieces(moved) if watch or one.size is None else one.pieces(size=1 << 18)
    found = head(_waiting(pieces, watch) if watch else pieces, dict(how.columns), how.delimiter, how.encoding)
    if one.size is None:
        one.looked = found
    return found


def _waiting(pieces: Iterator[bytes], watch: Watch) -> Iterator[bytes]:
    """Pieces of a file, for which a thread may wait long."""
    while True:
        with watch.busy(-1):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _frames(one: Given, how: How, watch: Watch) -> Iterator[pl.DataFrame]:
    found = _head(one, how, watch)
    for frame in Blocks(found.names, found.table.delimiter).frames(found.pieces):
        watch.check()
        watch.rows += frame.height
        yield frame


def _parquet(given: Sequence[Given], how: How, watch: Watch) -> Scan:
    frames, schemas = [], []
    for one in given:
        whole_file(one.path or Path(), one.name)
        with damaged(one.name):
            frame = pl.scan_parquet(one.path or "", glob=False, hive_partitioning=False)
            schemas.append(frame.collect_schema())
            rows = int(frame.select(pl.len()).collect().item())
        frames.append(frame)
        watch.rows += rows
        watch.total = None if watch.total is None else watch.total + rows
        _same(given[0], schemas[0].names(), one, schemas[-1].names())
        other = [name for name, dtype in schemas[-1].items() if dtype != schemas[0][name]]
        if other:
            raise InputError(f"{given[0].name} and {one.name} have different types in the column {other[0]!r}; {_APART}")
    names, extra = schemas[0].names(), [how.source_column] if how.source_column else []
    labelled = [
        frame.select(*names, *(pl.lit(label).alias(name) for name in extra)) for frame, label in zip(frames, _labels(given), strict=True)
    ]
    roles = {role: names[at] for role, at in find_columns(names, how.columns).items()}
    return Scan(_joined(labelled), [*names, *extra], [*names, *extra], roles, ",")


def _same(first: Given, names: Sequence[str], other: Given, its: Sequence[str]) -> None:
    if set(names) != set(its):
        odd = sorted(set(names) ^ set(its))[0][:30]
        raise InputError(f"{first.name} and {other.name} have different columns ({odd!r} is in one of them); {_APART}")


def _labels(given: Sequence[Given]) -> list[str]:
    """Names of files for the rows; their paths where a name stands twice."""
    twice = Counter(one.name for one in given).most_common(1)[0][1] > 1
    return [str(one.path) if twice else one.name for one in given]
