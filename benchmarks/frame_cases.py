"""What is measured beside what. Each case prepares (imports, sessions, frames in memory: not timed) and gives back what is timed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.files import paths

WARM = 120_000  # rows of the file with which Spark is warmed up


class Job(NamedTuple):
    """What a case works on; `out` is a path that does not exist yet."""

    data: Path
    kind: str
    rows: int
    out: Path

    @property
    def csv(self) -> Path:
        """The CSV file."""
        return paths(self.data, self.kind, self.rows)[0]

    @property
    def parquet(self) -> Path:
        """The Parquet file."""
        return paths(self.data, self.kind, self.rows)[1]


Run = Callable[[], object]  # an int that comes back says how many rows were done: the time is extrapolated from them


class Case(NamedTuple):
    """One line of the table.

    Attributes:
        label: As printed.
        size: Which of the sizes it takes: "full", "big" (five times full), "cluster" or "small".
        prepare: Gives what is timed.
        base: The case its time is divided by.
        needs: Modules without which it prints "not installed".
        aim: Of the ratio, from the issue; None: nothing was aimed at.
        poor: The ratio above which it is called poor; below which, where the aim is larger.
        kind: Of the file.
    """

    label: str
    size: str
    prepare: Callable[[Job], Run]
    base: str | None = None
    needs: tuple[str, ...] = ()
    aim: float | None = None
    poor: float | None = None
    kind: str = "normal"


OURS = ("labinterp.dataframes", "polars")


# --- polars: the floor, and the same with results ------------------------------------------------------------------------


def floor(source: str, *, typed: bool = False) -> Callable[[Job], Run]:
    """Read and write the same columns, nothing else."""

    def prepare(job: Job) -> Run:
        return lambda: _scan(job, source, typed=typed).sink_parquet(job.out)

    return prepare


def ours(source: str, *, keys: bool = False) -> Callable[[Job], Run]:
    """Read, interpret, write; with `keys` the patient, the draw, the test and the results only."""

    def prepare(job: Job) -> Run:
        import polars.selectors as cs

        from labinterp.dataframes import interpret_frame

        def run() -> None:
            found = interpret_frame(_scan(job, source))
            if keys:
                found = found.select("patient_id", "collected_at", "test", cs.starts_with("li_"))
            found.sink_parquet(job.out)

        return run

    return prepare


def _scan(job: Job, source: str, *, typed: bool = False) -> Any:
    import polars as pl

    if source == "parquet":
        return pl.scan_parquet(job.parquet)
    return pl.scan_csv(job.csv) if typed else pl.scan_csv(job.csv, infer_schema=False)


def command_line(*options: str) -> Callable[[Job], Run]:
    """A whole process of its own, start and imports with it."""

    def prepare(job: Job) -> Run:
        command = [sys.executable, "-m", "labinterp", "interpret", str(job.csv), "-o", str(job.out), *options]

        def run() -> None:
            ended = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            if ended.returncode:
                raise RuntimeError(f"exit {ended.returncode}: {' '.join(ended.stderr.encode('ascii', 'ignore').decode().split())[-160:]}")

        return run

    return prepare


# --- frames in memory -------------------------------------------------------------------------------------------------------


def in_memory(form: str) -> Callable[[Job], Run]:
    """A frame in, the same type out; only the call is timed, after one on a few rows."""

    def prepare(job: Job) -> Run:
        from labinterp.dataframes import interpret_frame

        frame = _loaded(job.parquet, form)
        interpret_frame(frame[:1000])  # a frame in memory is seldom the first: the catalog has been read
        return lambda: interpret_frame(frame)

    return prepare


def _loaded(path: Path, form: str) -> Any:
    if form == "polars":
        import polars as pl

        return pl.read_parquet(path)
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    if form == "pyarrow":
        return table
    import pandas as pd

    if form == "pandas-pyarrow":
        return table.to_pandas(types_mapper=pd.ArrowDtype)
    frame = table.to_pandas()
    return frame.astype(dict.fromkeys(frame.select_dtypes("str").columns, object)) if form == "pandas-object" else frame


# --- engines that keep their data ---------------------------------------------------------------------------------------------


def duckdb_copy(job: Job) -> Run:
    """DuckDB's own way from CSV to Parquet."""
    import duckdb

    con = duckdb.connect()
    return lambda: con.read_csv(str(job.csv), all_varchar=True).write_parquet(str(job.out), compression="zstd")


def duckdb_ours(job: Job) -> Run:
    """The same with results, in DuckDB."""
    import duckdb

    from labinterp.dataframes import interpret_frame

    con = duckdb.connect()

    def run() -> None:
        found = interpret_frame(con.read_csv(str(job.csv), all_varchar=True), lane="engine")
        found.write_parquet(str(job.out), compression="zstd")

    return run


def spark(*, results: bool) -> Callable[[Job], Run]:
    """Spark's own read and write, with results or without; the same plan has run once on a small file before."""

    def prepare(job: Job) -> Run:
        from pyspark.sql import SparkSession

        if results:
            from labinterp.dataframes import interpret_frame
        settings = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.memory": "4g"}
        builder = SparkSession.builder.master("local[2]").appName("benchmarks")
        for key, value in {**settings, "spark.sql.session.timeZone": "UTC", "spark.sql.shuffle.partitions": "4"}.items():
            builder = builder.config(key, value)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")

        def through(source: Path, target: Path) -> None:
            frame = session.read.parquet(str(source))
            found = interpret_frame(frame, lane="engine") if results else frame
            found.write.mode("overwrite").option("compression", "zstd").parquet(str(target))

        through(paths(job.data, "normal", WARM)[1], job.out)
        return lambda: through(job.parquet, job.out)

    return prepare


def dask(*, results: bool) -> Callable[[Job], Run]:
    """Dask's own read and write, a partition for each row group, with results or without."""

    def prepare(job: Job) -> Run:
        import dask.dataframe as dd

        if results:
            from labinterp.dataframes import interpret_frame

        def run() -> None:
            frame = dd.read_parquet(job.parquet, split_row_groups=True)
            found = interpret_frame(frame) if results else frame
            found.to_parquet(job.out, compression="zstd", write_index=False)

        return run

    return prepare


# --- the same by other means ----------------------------------------------------------------------------------------------------


def by_hand(job: Job) -> Run:
    """`by_hand.file_to_file`."""
    from benchmarks.by_hand import file_to_file

    return lambda: file_to_file(job.csv, job.out)


def other(name: str) -> Callable[[Job], Run]:
    """A function of `other_libraries`."""

    def prepare(job: Job) -> Run:
        from benchmarks import other_libraries

        run: Run = getattr(other_libraries, name)(job.parquet)
        return run

    return prepare


def _hostile(kind: str, label: str) -> Case:
    return Case(f"ours, {label}", "small", ours("csv"), "ours-small", OURS, 1.5, 3, f"adversarial-{kind}")


CASES: dict[str, Case] = {
    "floor-csv": Case("floor: polars, CSV to Parquet, all text", "full", floor("csv"), None, ("polars",)),
    "floor-csv-typed": Case("floor, inferred types", "full", floor("csv", typed=True), "floor-csv", ("polars",)),
    "ours-csv": Case("ours, CSV to Parquet, all columns", "full", ours("csv"), "floor-csv", OURS, 1.5, 2.0),
    "ours-csv-keys": Case("ours, keys and results only", "full", ours("csv", keys=True), "floor-csv", OURS, 1.2, 1.5),
    "ours-cli": Case("ours, command line, all columns", "full", command_line(), "floor-csv", (*OURS, "typer")),
    "ours-cli-results": Case(
        "ours, command line, results only", "full", command_line("--columns", "results"), "floor-csv", (*OURS, "typer")
    ),
    "floor-parquet": Case("floor: polars, Parquet to Parquet", "full", floor("parquet"), None, ("polars",)),
    "ours-parquet": Case("ours, Parquet to Parquet, all columns", "full", ours("parquet"), "floor-parquet", OURS, 2.0, 2.6),
    "floor-big": Case("floor, five times the rows", "big", floor("csv"), "floor-csv", ("polars",)),
    "ours-big": Case("ours, five times the rows", "big", ours("csv"), "ours-csv", OURS),
    "floor-small": Case("floor, CSV to Parquet, fewer rows", "small", floor("csv"), None, ("polars",)),
    "ours-small": Case("ours, CSV to Parquet, fewer rows", "small", ours("csv"), "floor-small", OURS),
    "ours-values": _hostile("values", "every number another"),
    "ours-names": _hostile("names", "every test name another, none known"),
    "ours-units": _hostile("units", "every unit another, none known"),
    "ours-garbage": _hostile("garbage", "every value another text without a number"),
    "ours-censored": _hostile("censored", "every value censored at another number"),
    "ours-commas": _hostile("commas", "every number with a decimal comma"),
    "polars": Case("ours, polars in and out", "small", in_memory("polars"), None, OURS),
    "pyarrow": Case("ours, pyarrow in and out", "small", in_memory("pyarrow"), "polars", (*OURS, "pyarrow"), 1.8, 3),
    "pandas-str": Case("ours, pandas in and out", "small", in_memory("pandas-str"), "polars", (*OURS, "pandas"), 1.8, 3),
    "pandas-pyarrow": Case(
        "ours, pandas on Arrow in and out", "small", in_memory("pandas-pyarrow"), "polars", (*OURS, "pandas", "pyarrow"), 1.8, 3
    ),
    "pandas-object": Case(
        "ours, pandas of Python objects in and out", "small", in_memory("pandas-object"), "polars", (*OURS, "pandas"), 1.8, 3
    ),
    "floor-duckdb": Case("DuckDB's COPY, CSV to Parquet", "full", duckdb_copy, None, ("duckdb",)),
    "duckdb": Case("ours in DuckDB", "full", duckdb_ours, "floor-duckdb", (*OURS, "duckdb", "narwhals"), 2.1, 3),
    "floor-spark": Case("Spark, Parquet to Parquet", "cluster", spark(results=False), None, ("pyspark",)),
    "spark": Case("ours in Spark", "cluster", spark(results=True), "floor-spark", (*OURS, "pyspark", "narwhals"), 3.0, 3.6),
    "floor-dask": Case("Dask, Parquet to Parquet", "cluster", dask(results=False), None, ("dask", "pandas", "pyarrow")),
    "dask": Case("ours in Dask", "cluster", dask(results=True), "floor-dask", (*OURS, "dask", "pandas", "pyarrow"), 2.2, 3),
    "by-hand": Case("pandas by hand, CSV to Parquet", "cluster", by_hand, "ours-csv", ("pandas", "pyarrow"), 12, 8),
    "pint-group": Case("pint for each group, conversion alone", "small", other("pint_groups"), "polars", ("pint", "polars")),
    "pint-row": Case("pint for each row, conversion alone, from 2,000 rows", "small", other("pint_rows"), "ours-csv", ("pint", "polars"), 400, 200),
    "labunits": Case("labunits for each row it covers, conversion alone", "small", other("labunits_rows"), "polars", ("labunits", "polars")),
}  # fmt: skip
