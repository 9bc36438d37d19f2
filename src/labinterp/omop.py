"""OMOP Common Data Model in, OMOP out: MEASUREMENT with PERSON, from files, DuckDB or a database, and the answers as MEASUREMENT.

Example:
    >>> import labinterp as li
    >>> measurement = b"person_id,measurement_concept_id,measurement_date,value_as_number,unit_concept_id\\n7,3001122,2024-01-31,12,8842\\n"
    >>> person = b"person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth\\n7,8532,1953,5,2\\n"
    >>> source = read([measurement, person])
    >>> source.panels[0].patient, source.panels[0].results[0].loinc
    (Patient(id='7', sex='female', age_years=70, birth_date=datetime.date(1953, 5, 2)), '2276-4')
    >>> write(source, li.readers.answers(source)).decode().splitlines()[1]
    '7,3001122,2024-01-31,12,8842,15,150,ferritin,,12,ng/mL,12.0,ug/L,L,deficient,ferritin/who-2020,,ferritin/who-2020'

Source:
    Tables and columns: OMOP CDM 5.3 and 5.4, MEASUREMENT and PERSON (https://ohdsi.github.io/CommonDataModel/).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labinterp._catalog import Catalog
from labinterp._formats.omop_in import sources_of
from labinterp._formats.omop_out import write as _written
from labinterp._formats.omop_tables import tables_of
from labinterp._formats.unpacked import unpacked
from labinterp._intake import Piece, Source, Wanted, renumbered
from labinterp._report import Report
from labinterp.errors import InputError


def read(
    source: str | Path | bytes | Sequence[str | Path | bytes],
    *,
    schema: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> Source:
    """Read measurements and the people they are of.

    Args:
        source: Files (CSV, TSV, Parquet, a DuckDB file), a folder of them, bytes of them, or the address of a database for SQLAlchemy.
            MEASUREMENT is needed; PERSON, CONCEPT and CONCEPT_RELATIONSHIP are used where they are there.
        schema: Of a database, where the tables are not in its usual one.
        delimiter: Of tables of text. Default: found.
        encoding: Of tables of text. Default: found.

    Returns:
        Source: panels of what one person had drawn on one day, and the table.

    Raises:
        InputError: There is no table of measurements, or one of the tables cannot be read. An address is never part of the message.
        MissingExtraError: DuckDB or SQLAlchemy is not installed.
    """
    listed: list[Any] = [source] if isinstance(source, (str, Path, bytes)) else list(source)
    pieces = [piece for one in listed for piece in _pieces(one)]
    return renumbered(sources_of(tables_of(pieces, Wanted(delimiter=delimiter, encoding=encoding), schema)))


def write(source: Source, reports: Sequence[Report], *, catalog: Catalog | None = None) -> bytes:
    """A MEASUREMENT table as CSV, with the answers in columns that begin with `li_`.

    `unit_concept_id`, `range_low` and `range_high` are filled where a row has none; nothing that is there is changed. Where a range is
    ours, `li_range_of` names the limits: their normal band, which may be a decision limit and no reference interval.

    Args:
        source: From `read`, or from any reader of `labinterp.readers`.
        reports: One for each panel of the source, in order.
        catalog: The data they were made with.
    """
    return _written(source, reports, catalog or Catalog.default())


def _pieces(one: str | Path | bytes) -> list[Piece]:
    if isinstance(one, bytes):
        return [Piece("", unpacked(one))]
    if "://" in str(one):
        return [Piece("", b"", str(one))]
    path = Path(one)
    if path.is_dir():
        endings = (".csv", ".tsv", ".txt", ".gz", ".zst", ".parquet", ".pq")
        inside = sorted(p for p in path.iterdir() if p.is_file() and p.name.casefold().endswith(endings))
        if not inside:
            raise InputError("the folder has no table that is read: CSV, TSV or Parquet")
        return [piece for p in inside for piece in _pieces(p)]
    try:
        with path.open("rb") as file:
            head = file.read(16)
            return [Piece(path.name, head if head[8:12] == b"DUCK" else unpacked(head + file.read(), path.name), path)]
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}") from None
