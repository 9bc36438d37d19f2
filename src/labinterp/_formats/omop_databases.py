"""A database in the OMOP Common Data Model -> its tables as texts. Nothing but SELECT is sent, and only for the columns that are needed.

What a server says of an address, a user or a password never becomes part of a message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from labinterp._intake import Piece
from labinterp.errors import InputError, MissingExtraError

DUCKDB: Final = b"DUCK"
_AT_ONCE: Final = 5_000  # rows that are fetched together
MEASUREMENT: Final = (
    "measurement_id", "person_id", "measurement_concept_id", "measurement_date", "measurement_datetime", "operator_concept_id", "value_as_number",
    "value_as_concept_id", "unit_concept_id", "range_low", "range_high", "measurement_source_value", "measurement_source_concept_id",
    "unit_source_value", "value_source_value",
)  # fmt: skip
# The columns that are read of each table; those of a table that are not there are done without.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "measurement": MEASUREMENT,
    "person": ("person_id", "gender_concept_id", "gender_source_value", "year_of_birth", "month_of_birth", "day_of_birth"),
    "concept": ("concept_id", "concept_name", "vocabulary_id", "concept_code"),
}
_ORDER: Final = ("person_id", "measurement_id")  # of measurements: a person's rows stand together
# Only rows that belong to a measurement; CONCEPT alone has millions.
_ONLY: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "person": (("person_id", "person_id"),),
    "concept": (
        ("concept_id", "measurement_concept_id"),
        ("concept_id", "measurement_source_concept_id"),
        ("concept_id", "unit_concept_id"),
    ),
}


class CdmTable(NamedTuple):
    """A table as texts.

    Attributes:
        name: Of its file, or of the table in a database.
        header: Column names as they stand.
        rows: Cells; "" where there is nothing.
        delimiter: Of a table of text.
        encoding: Of a table of text.
        stored: Whether it comes from a database, where a row is found by its id and not by its number.
    """

    name: str
    header: list[str]
    rows: list[list[str]]
    delimiter: str = ","
    encoding: str = "utf-8"
    stored: bool = False

    @property
    def at(self) -> dict[str, int]:
        """Column name in lower case -> its number."""
        return {name.strip().strip("\ufeff").casefold(): number for number, name in reversed(list(enumerate(self.header)))}


class Stored(NamedTuple):
    """A table of a database while it is open.

    Attributes:
        name: As for `CdmTable`.
        header: As for `CdmTable`.
        rows: To come, once; those of MEASUREMENT person by person.
    """

    name: str
    header: list[str]
    rows: Iterator[list[str]]

    def whole(self) -> CdmTable:
        """All of it."""
        return CdmTable(self.name, self.header, list(self.rows), stored=True)


class _Found(NamedTuple):
    """A table of a database: schema, name and columns as they are spelled there."""

    schema: str
    name: str
    columns: Mapping[str, str]


def tables_in(piece: Piece, schema: str | None = None) -> Iterator[Stored]:
    """The tables of a database one by one, MEASUREMENT last; each is to be read before the next is asked for.

    Args:
        piece: A DuckDB file where it lies, or the address of a database.
        schema: Of a database.

    Raises:
        InputError: As for `read_duckdb` and `read_address`.
    """
    return _address(piece.path, schema) if isinstance(piece.path, str) and "://" in piece.path else _duckdb(piece, schema)


def read_duckdb(piece: Piece, schema: str | None = None) -> Iterator[CdmTable]:
    """The tables of a DuckDB file, opened for reading only and without a way to other files.

    Raises:
        InputError: It cannot be opened, or has no table of measurements.
    """
    return (table.whole() for table in _duckdb(piece, schema))


def _duckdb(piece: Piece, schema: str | None) -> Iterator[Stored]:
    try:
        import duckdb
    except ImportError:
        raise MissingExtraError("omop") from None
    if piece.path is None:
        raise InputError("a DuckDB file is read where it lies, unpacked; give its name")

    @contextmanager
    def told() -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            said = "was written by another version, is in use by another program, or is damaged"
            raise InputError(f"{piece.name}: the DuckDB file cannot be read ({type(error).__name__}); perhaps it {said}") from None

    settings = {"enable_external_access": "false", "autoload_known_extensions": "false", "lock_configuration": "true"}
    with told(), duckdb.connect(str(piece.path), read_only=True, config=settings) as connection:
        listed = connection.execute("SELECT table_schema, table_name, column_name FROM information_schema.columns").fetchall()
        tables = _chosen(listed, schema, "main")
        for table in reversed(tables.values()):
            sql, columns = _select(table, tables["measurement"])
            yield Stored(piece.name, columns, _texts(_fetched(connection.execute(sql)), told))


def _fetched(cursor: Any) -> Iterator[Sequence[Any]]:
    while rows := cursor.fetchmany(_AT_ONCE):
        yield from rows


def _select(table: _Found, measurement: _Found) -> tuple[str, list[str]]:
    """A SELECT of DuckDB that gives texts (a float as its shortest), and the names of its columns."""
    columns = [name for name in COLUMNS[table.name.casefold()] if name in table.columns]
    shown = ", ".join(f"CAST({_quoted(table.columns[name])} AS VARCHAR)" for name in columns)
    sql = f"SELECT {shown} FROM {_quoted(table.schema)}.{_quoted(table.name)}"  # noqa: S608 - names come from the database's own list
    source = f"{_quoted(measurement.schema)}.{_quoted(measurement.name)}"
    used = [
        f"{_quoted(table.columns[here])} IN (SELECT {_quoted(measurement.columns[there])} FROM {source})"  # noqa: S608
        for here, there in _ONLY.get(table.name.casefold(), ())
        if here in table.columns and there in measurement.columns
    ]
    if used:
        sql += f" WHERE {' OR '.join(used)}"
    by = [_quoted(table.columns[name]) for name in _ORDER if name in table.columns]
    if table is measurement and by:
        sql += f" ORDER BY {', '.join(by)}"
    return sql, columns


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def read_address(address: str, schema: str | None = None) -> Iterator[CdmTable]:
    """The tables of a database that SQLAlchemy knows, in one transaction that can only read.

    Args:
        address: Such as `postgresql+psycopg://user@host/database?schema=cdm`.
        schema: Where it does not stand in the address.

    Raises:
        InputError: It cannot be reached, or has no table of measurements. The address is not part of the message.
    """
    return (table.whole() for table in _address(address, schema))


def _address(address: str, schema: str | None) -> Iterator[Stored]:
    try:
        import sqlalchemy as sa
    except ImportError:
        raise MissingExtraError("omop") from None
    with _told():
        url = sa.make_url(address)
        schema = schema or str(url.query.get("schema") or "") or None
        url = url.difference_update_query(["schema"])
        sqlite = url.get_backend_name() == "sqlite"
        if sqlite and url.database and not Path(url.database.removeprefix("file:").partition("?")[0]).exists():
            raise InputError("there is no such SQLite file; nothing was made")
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool, hide_parameters=True)
        if url.get_backend_name() == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with engine.connect() as connection:
            if sqlite:
                connection.execute(sa.text("PRAGMA query_only = ON"))
            yield from _tables(connection, schema)


@contextmanager
def _told() -> Iterator[None]:
    """Errors of a database and of its driver, without what they say of an address."""
    import sqlalchemy as sa

    try:
        yield
    except InputError:
        raise
    except ModuleNotFoundError as error:
        raise InputError(
            f"the driver {error.name!r} of this kind of database is not installed: pip install {error.name}, "
            "or name another in the address, such as postgresql+psycopg://"
        ) from None
    except sa.exc.SQLAlchemyError as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        raise InputError(
            f"the database cannot be read ({kind}); check the address, the user and the password, and that the user may SELECT"
        ) from None
    except (OSError, ValueError, TypeError) as error:  # a port that is no number, a name that is none
        raise InputError(f"the address of the database cannot be used ({type(error).__name__})") from None


def _tables(connection: Any, schema: str | None) -> Iterator[Stored]:
    import sqlalchemy as sa

    look = sa.inspect(connection)
    usual = look.default_schema_name or ""
    listed: list[tuple[str, str, str]] = []
    for one in [schema] if schema else [usual, *(s for s in look.get_schema_names() if s not in (usual, "information_schema"))]:
        names = [*look.get_table_names(one or None), *look.get_view_names(one or None)] if one in (*look.get_schema_names(), "") else []
        listed += [
            (one, name, column["name"]) for name in names if name.casefold() in COLUMNS for column in look.get_columns(name, one or None)
        ]
    tables = _chosen(listed, schema, usual)

    def held(table: _Found) -> Any:
        return sa.table(table.name, *(sa.column(name) for name in table.columns.values()), schema=table.schema or None)

    measurement, stored = held(tables["measurement"]), tables["measurement"]
    for kind, table in reversed(tables.items()):
        names = [name for name in COLUMNS[kind] if name in table.columns]
        source = measurement if table is stored else held(table)
        query = sa.select(*(source.c[table.columns[name]] for name in names))
        used = [
            source.c[table.columns[here]].in_(sa.select(measurement.c[stored.columns[there]]))
            for here, there in _ONLY.get(kind, ())
            if here in table.columns and there in stored.columns
        ]
        if used:
            query = query.where(sa.or_(*used))
        if table is stored:
            query = query.order_by(*(source.c[table.columns[name]] for name in _ORDER if name in table.columns))
        rows = connection.execution_options(stream_results=True, yield_per=_AT_ONCE).execute(query)  # a cursor on the server
        yield Stored(table.name, names, _texts(rows, _told))


def _chosen(listed: Iterable[Sequence[Any]], schema: str | None, usual: str) -> dict[str, _Found]:
    """The tables of one schema, MEASUREMENT first: the schema that was named, the usual one, or the only one that has them.

    Raises:
        InputError: There is none, or several.
    """
    found: dict[str, dict[str, tuple[str, dict[str, str]]]] = {}
    for where, name, column in listed:
        if (schema is None or where == schema) and name.casefold() in COLUMNS:
            found.setdefault(where, {}).setdefault(name.casefold(), (name, {}))[1][column.casefold()] = column
    fit = [where for where, tables in found.items() if "measurement_concept_id" in tables.get("measurement", ("", {}))[1]]
    if not fit:
        raise InputError("the database has no table measurement that can be seen" + (" in this schema" if schema else ""))
    if len(fit) > 1 and usual not in fit:
        raise InputError(f"{len(fit)} schemas have a table measurement: {', '.join(sorted(fit)[:8])}; name one: ?schema={sorted(fit)[0]}")
    where = usual if usual in fit else fit[0]
    return {kind: _Found(where, *found[where][kind]) for kind in COLUMNS if kind in found[where]}


def _texts(rows: Iterable[Sequence[Any]], told: Callable[[], AbstractContextManager[None]]) -> Iterator[list[str]]:
    with told():  # whoever takes the rows is not within the `with` of the table
        for row in rows:
            yield [text_of(cell) for cell in row]


def text_of(cell: Any) -> str:
    """A value of a database as text: nothing is "", a number its shortest form.

    Example:
        >>> text_of(None), text_of(48.1), text_of(Decimal("48.1000")), text_of(float("nan")), text_of(date(2024, 1, 31))
        ('', '48.1', '48.1', '', '2024-01-31')
    """
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, Decimal):
        return format(cell.normalize(), "f") if cell.is_finite() else ""
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)
