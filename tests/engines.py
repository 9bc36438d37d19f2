"""The engines that the tests run: started at first use, on this machine, and stopped when Python ends.

An engine that is not there is never passed over in silence: with CI or LABINTERP_ENGINES=required set the test fails, otherwise
it is skipped with what is missing.
"""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

REQUIRED = bool(os.environ.get("CI")) or os.environ.get("LABINTERP_ENGINES") == "required"
_NUMBERS = itertools.count()


class Engine(NamedTuple):
    """An engine.

    Attributes:
        name: As pytest shows it.
        frame: A table -> a frame of the engine.
        table: A frame of the engine -> a table, its rows in any order.
    """

    name: str
    frame: Callable[[pl.DataFrame], Any]
    table: Callable[[Any], pl.DataFrame]


def missing(what: str) -> Any:
    """Say that an engine is not there."""
    if REQUIRED:
        pytest.fail(f"{what}, and CI or LABINTERP_ENGINES=required is set")
    pytest.skip(what)


def engine(name: str) -> Engine:
    """An engine by its name, started."""
    return _STARTERS[name]()


def _fresh() -> str:
    return f"t{next(_NUMBERS)}"


@cache
def _folder() -> Path:
    """A folder that any user may look into, gone when Python ends."""
    made = Path(tempfile.mkdtemp(prefix="labinterp-"))
    made.chmod(0o755)
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


# --- DuckDB ----------------------------------------------------------------------------------------------------


@cache
def duckdb_connection() -> Any:
    """A database in memory."""
    duckdb = pytest.importorskip("duckdb") if not REQUIRED else __import__("duckdb")
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    return connection


def _duckdb() -> Engine:
    connection = duckdb_connection()

    def frame(table: pl.DataFrame) -> Any:
        name = _fresh()
        connection.register("rows", table.to_arrow())
        connection.execute(f"create table {name} as select * from rows")
        connection.unregister("rows")
        return connection.table(name)

    return Engine("duckdb", frame, lambda relation: pl.DataFrame(relation.to_arrow_table()))


# --- Spark -----------------------------------------------------------------------------------------------------


@cache
def spark_session() -> Any:
    """Spark in this process, on two threads, without its web page and without Arrow."""
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        missing("Spark needs Java 17 or newer")
    if not REQUIRED:
        pytest.importorskip("pyspark")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of packages newer than itself
        from pyspark.sql import SparkSession

        settings = {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.log.level": "ERROR",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": "1g",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.execution.arrow.pyspark.enabled": "false",
            "spark.sql.warehouse.dir": str(_folder() / "warehouse"),
        }
        builder = SparkSession.builder.master("local[2]").appName("labinterp")
        for name, value in settings.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
    atexit.register(session.stop)
    return session


def _spark() -> Engine:
    session = spark_session()

    def frame(table: pl.DataFrame) -> Any:
        folder = _folder() / _fresh()
        folder.mkdir()
        half = (table.height + 1) // 2
        for number, part in enumerate((table[:half], table[half:])):
            part.write_parquet(folder / f"{number}.parquet")
        return session.read.parquet(str(folder))

    def table(frame: Any) -> pl.DataFrame:
        types = {name: dtype for name, dtype in _SPARK.items() if dtype is not None}
        schema = {name: types.get(kind) for name, kind in frame.dtypes}
        return pl.DataFrame([tuple(row) for row in frame.collect()], schema=schema, orient="row", infer_schema_length=None)

    return Engine("spark", frame, table)


_SPARK: dict[str, Any] = {"string": pl.String, "double": pl.Float64, "bigint": pl.Int64, "boolean": pl.Boolean}


# --- Ibis: DuckDB and PostgreSQL -----------------------------------------------------------------------------------


@cache
def _ibis_duckdb() -> Engine:
    if not REQUIRED:
        pytest.importorskip("ibis")
    import ibis

    backend = ibis.duckdb.connect()

    def frame(table: pl.DataFrame) -> Any:
        name = _fresh()
        backend.con.register("rows", table.to_arrow())
        backend.con.execute(f"create table {name} as select * from rows")
        return backend.table(name)

    return Engine("ibis-duckdb", frame, lambda expression: pl.DataFrame(expression.to_pyarrow()))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


@cache
def postgres_port() -> int:
    """A server of PostgreSQL on loopback, with a database of its own in a folder of its own."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), default=None)
    if programs is None:
        missing("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
    data = _folder() / "postgres"
    data.mkdir()
    user = None
    if os.getuid() == 0:  # the server does not run as root
        import pwd

        user = next(name for name in ("postgres", "nobody") if name in {entry.pw_name for entry in pwd.getpwall()})
        shutil.chown(data, user)
    quiet: dict[str, Any] = {"user": user, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": data}
    setting_up = [programs / "initdb", "-D", data / "db", "-U", "labinterp", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(setting_up, check=True, **quiet)
    options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": str(data), "fsync": "off", "timezone": "UTC"}
    running = [programs / "postgres", "-D", data / "db", *(part for name, value in options.items() for part in ("-c", f"{name}={value}"))]
    until = time.monotonic() + 120  # a bound on hangs
    while time.monotonic() < until:
        port = _free_port()
        server = subprocess.Popen([*running, "-c", f"port={port}"], **quiet)
        atexit.register(_stop, server)
        while server.poll() is None and time.monotonic() < until:  # one that ends found that another has taken its port meanwhile
            if _is_ready(data / "db"):
                return port
            time.sleep(0.05)
    raise RuntimeError("PostgreSQL does not answer")


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.send_signal(2)  # its word for: stop now, in order
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def _is_ready(data: Path) -> bool:
    """Whether the server of a folder, and no other one, takes connections: it says so in the last line of its own file."""
    try:
        said = (data / "postmaster.pid").read_text("utf-8").splitlines()
    except OSError:
        return False
    return len(said) > 7 and said[7].strip() == "ready"


@cache
def _postgres() -> Engine:
    port = postgres_port()
    if not REQUIRED:
        pytest.importorskip("psycopg")
    import ibis

    backend = ibis.postgres.connect(host="127.0.0.1", port=port, user="labinterp", database="postgres")
    atexit.register(backend.disconnect)

    def frame(table: pl.DataFrame) -> Any:
        name = _fresh()
        columns = ", ".join(f'"{column}" {_postgres_type(dtype)}' for column, dtype in table.schema.items())
        with backend.con.cursor() as cursor:
            cursor.execute(f"create table {name} ({columns})")
            with cursor.copy(f"copy {name} from stdin") as copy:
                for row in table.rows():
                    copy.write_row(row)
        backend.con.commit()
        return backend.table(name)

    return Engine("postgres", frame, lambda expression: pl.DataFrame(expression.to_pyarrow()))


def _postgres_type(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.Decimal):
        return f"numeric({dtype.precision}, {dtype.scale})"
    if isinstance(dtype, pl.Datetime):
        return "timestamptz" if dtype.time_zone else "timestamp"
    names: dict[Any, str] = {
        pl.Float64: "double precision", pl.Float32: "real", pl.Int64: "bigint", pl.Int32: "integer", pl.Boolean: "boolean", pl.Date: "date",
    }  # fmt: skip
    return names.get(dtype.base_type(), "text")


# --- frames of this machine, answered by the plan of the engines -----------------------------------------------------


def _here() -> Engine:
    return Engine("polars", pl.DataFrame.lazy, lambda frame: frame.collect())


_STARTERS: dict[str, Callable[[], Engine]] = {
    "duckdb": _duckdb, "spark": _spark, "ibis-duckdb": _ibis_duckdb, "postgres": _postgres, "polars": _here,
}  # fmt: skip
ENGINES = tuple(_STARTERS)
