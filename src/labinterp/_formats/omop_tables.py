"""Files and databases of the OMOP Common Data Model -> its tables as texts. Which table a file holds is told by its columns."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from labinterp._formats.omop_databases import DUCKDB, CdmTable, read_address, read_duckdb
from labinterp._formats.parquet_ends import END, damaged, whole
from labinterp._intake import Piece, Wanted
from labinterp._table import read_cells
from labinterp.errors import InputError, MissingExtraError

_PARQUET: Final = b"PAR1"


class Cdm(NamedTuple):
    """The tables that matter here.

    Attributes:
        measurements: One for each file of them.
        persons: PERSON.
        concepts: CONCEPT.
        relations: CONCEPT_RELATIONSHIP.
        passed: Names of files with other tables.
    """

    measurements: list[CdmTable]
    persons: list[CdmTable]
    concepts: list[CdmTable]
    relations: list[CdmTable]
    passed: list[str]


def tables_of(pieces: Sequence[Piece], wanted: Wanted, schema: str | None = None) -> Cdm:
    """Sort files and databases into the tables they hold.

    Args:
        pieces: CSV, TSV, Parquet, a DuckDB file, or the address of a database.
        wanted: Delimiter and encoding of tables of text.
        schema: Of a database.

    Raises:
        InputError: One of them cannot be read, or there is no table of measurements.
    """
    found = Cdm([], [], [], [], [])
    for table in _read(pieces, wanted, schema):
        into = {"measurement": found.measurements, "person": found.persons, "concept": found.concepts, "relation": found.relations}
        into.get(kind_of_table(table.at), []).append(table)
        if not kind_of_table(table.at):
            found.passed.append(table.name)
    if not found.measurements:
        raise InputError(
            "there is no table of measurements: none of the files has a column measurement_concept_id; "
            "name MEASUREMENT with PERSON, or the folder they are in"
        )
    return found


def kind_of_table(columns: Mapping[str, int]) -> str:
    """ "measurement", "person", "concept", "relation", or "" for any other table, by its columns in lower case."""
    if "measurement_concept_id" in columns:
        return "measurement"
    if "person_id" in columns and ("year_of_birth" in columns or "gender_concept_id" in columns):
        return "person"
    if "concept_id" in columns and "concept_code" in columns:
        return "concept"
    return "relation" if "concept_id_1" in columns else ""


def _read(pieces: Sequence[Piece], wanted: Wanted, schema: str | None) -> Iterator[CdmTable]:
    for piece in pieces:
        if isinstance(piece.path, str) and "://" in piece.path:
            yield from read_address(piece.path, schema)
        elif piece.data[8:12] == DUCKDB:
            yield from read_duckdb(piece, schema)
        elif piece.data.startswith(_PARQUET):
            yield _parquet(piece)
        else:
            yield _text(piece, wanted)


def _text(piece: Piece, wanted: Wanted) -> CdmTable:
    delimiter = wanted.delimiter
    head = piece.data[:4096].splitlines()[0] if piece.data.strip() else b""
    if delimiter is None and head.count(b"\t") > head.count(b","):
        delimiter = "\t"
    lines, mark, encoding = read_cells(piece.data, delimiter, wanted.encoding)
    return CdmTable(piece.name, lines[0], [line for line in lines[1:] if any(line)], mark, encoding)


def _parquet(piece: Piece) -> CdmTable:
    try:
        import polars as pl
    except ImportError:
        raise MissingExtraError("dataframes") from None
    whole(piece.data[-END:], len(piece.data), piece.name)
    with damaged(piece.name):
        frame = pl.read_parquet(io.BytesIO(piece.data))
    plain = frame.select(pl.col(name) for name, kind in frame.schema.items() if not kind.is_nested() and kind != pl.Binary)
    texts = plain.select(pl.all().cast(pl.String, strict=False).fill_null(""))  # a float becomes its shortest text
    return CdmTable(piece.name, texts.columns, list(map(list, texts.rows())))


def records(table: CdmTable) -> Iterator[dict[str, str]]:
    """The rows by column name in lower case; a cell that is not there is empty."""
    names: list[tuple[str, Any]] = list(table.at.items())
    for row in table.rows:
        yield {name: row[at] if at < len(row) else "" for name, at in names}
