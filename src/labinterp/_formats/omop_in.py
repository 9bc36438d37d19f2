"""MEASUREMENT and PERSON of the OMOP Common Data Model -> panels: what one person had drawn on one day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from labinterp._catalog import Catalog
from labinterp._facts import read_date
from labinterp._formats.omop_concepts import Concepts
from labinterp._formats.omop_databases import CdmTable
from labinterp._formats.omop_persons import Person, patient_on, people_of, person_id
from labinterp._formats.omop_results import Reader
from labinterp._formats.omop_tables import Cdm, records, tables_of
from labinterp._intake import PanelIn, Piece, Source, Wanted, stood
from labinterp._table import Table
from labinterp.errors import InputError

_NOBODY: Final = Person(None)


def read(pieces: Sequence[Piece], wanted: Wanted) -> list[Source]:
    """Tables of OMOP: files, or a database.

    Args:
        pieces: MEASUREMENT, PERSON and perhaps CONCEPT and CONCEPT_RELATIONSHIP as CSV, TSV or Parquet; a DuckDB file; an address.
        wanted: Delimiter and encoding.

    Returns:
        list: one source for each table of measurements.

    Raises:
        InputError: There is no table of measurements, or one of the tables cannot be read.
    """
    return sources_of(tables_of(pieces, wanted))


def sources_of(cdm: Cdm) -> list[Source]:
    """The same, from tables that have been read."""
    people, notes = people_of(row for table in cdm.persons for row in records(table))
    if not cdm.persons:
        notes.append("There is no PERSON table: sex and age are unknown. Name it beside MEASUREMENT.")
    if cdm.passed:
        notes.append(f"{len(cdm.passed)} other tables were passed over: {', '.join(sorted(cdm.passed)[:8])}.")
    concepts = Concepts(
        (row for table in cdm.concepts for row in records(table)), (row for table in cdm.relations for row in records(table))
    )
    reader = Reader(Catalog.default(), concepts)
    return [_source(table, people, reader, notes if number == 0 else []) for number, table in enumerate(cdm.measurements)]


def _source(table: CdmTable, people: dict[str, Person], reader: Reader, notes: list[str]) -> Source:
    groups: dict[tuple[str, str], PanelIn] = {}
    strangers: set[str] = set()
    nobody = 0
    for number, row in enumerate(records(table), 1):
        id = person_id(row.get("person_id", ""))
        day_text = row.get("measurement_date", "").strip() or row.get("measurement_datetime", "").strip()
        day = _day(day_text)
        panel = groups.get((id or f" {number}", day_text if day is None else day.isoformat()))
        if panel is None:
            person = people.get(id) if id else None
            if person is None and id and people:
                strangers.add(id)
            nobody += not id
            patient, said = patient_on(id, person or _NOBODY, day)
            if day_text and day is None:
                said.append("the day of sampling could not be read; the age is unknown.")
            panel = PanelIn(patient, [], [], [f"Row {number}: {text}" for text in said])
            groups[id or f" {number}", day_text if day is None else day.isoformat()] = panel
        place = row.get("measurement_id", "").strip()
        where = f"measurement_id {place}" if table.stored and place else f"row {number}"
        panel.results.append(reader.result(row, day)._replace(source=stood(table.name, where)))
        panel.rows.append(number)
    if strangers:
        notes.append(f"{len(strangers)} of the people measured are not in PERSON; their sex and age are unknown.")
    if nobody:
        notes.append(f"{nobody} rows name no person; each stands for itself.")
    if table.rows and len(table.rows[-1]) < len(table.header):
        notes.append(f"{table.name}: the last row has fewer cells than the header; the file seems to break off.")
    plain = Table(table.header, table.rows, {}, table.delimiter, table.encoding)
    return Source(list(groups.values()), plain, "omop", tuple(notes))


def _day(text: str) -> date | None:
    try:
        return read_date(text)
    except InputError:
        return None
