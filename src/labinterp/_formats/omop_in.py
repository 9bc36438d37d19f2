"""MEASUREMENT and PERSON of the OMOP Common Data Model -> panels: what one person had drawn on one day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from labinterp._catalog import Catalog
from labinterp._facts import read_date
from labinterp._formats.omop_concepts import Concepts
from labinterp._formats.omop_databases import CdmTable, tables_in
from labinterp._formats.omop_persons import Person, patient_on, people_of, person_id
from labinterp._formats.omop_results import Reader
from labinterp._formats.omop_tables import Cdm, records, tables_of
from labinterp._intake import PanelIn, Piece, Source, Wanted, stood
from labinterp._table import Table
from labinterp.errors import InputError

_NOBODY: Final = Person(None)
MANY: Final = 5_000  # rows of a piece of a database


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
    asked = _Asked.of(cdm)
    sources = [asked.source(table) for table in cdm.measurements]
    notes = asked.notes()
    return [source._replace(notes=(*notes, *source.notes)) if number == 0 else source for number, source in enumerate(sources)]


def by_persons(piece: Piece, rows: int | None = None, *, through: bool = True) -> Iterator[Source]:
    """Tables of a database in pieces: each holds all measurements of some people.

    Args:
        piece: A DuckDB file where it lies, or the address of a database.
        rows: About so many measurements make a piece, default `MANY`; all of one person stay together.
        through: Whether rows are numbered through; else those of each piece begin at 1, as its table does.

    Returns:
        Iterator: one source for each piece, in the order in which the whole is read. What must be known of the whole is among the notes
        of the last one.

    Raises:
        InputError: It cannot be read, or its people are not written in one way.
    """
    cdm = Cdm([], [], [], [], [])
    for table in tables_in(piece):
        empty = CdmTable(table.name, table.header, [], stored=True)
        if "measurement_concept_id" not in empty.at:
            (cdm.persons if "person_id" in empty.at else cdm.concepts).append(table.whole())
            continue
        asked = _Asked.of(cdm)
        first = 1
        for some in _pieces(table.rows, empty.at.get("person_id"), rows or MANY):
            yield asked.source(empty._replace(rows=some), first)
            first += len(some) if through else 0
        yield Source([], Table(empty.header, [], {}, ",", "utf-8"), "omop", tuple(asked.notes()))


def _pieces(rows: Iterator[list[str]], at: int | None, most: int) -> Iterator[list[list[str]]]:
    """The rows, parted where the person changes."""
    some: list[list[str]] = []
    for row in rows:
        id = row[at] if at is not None else ""
        if id != person_id(id):  # the database tells apart what is one person here: their rows may stand in two places
            raise InputError("person_id is not written in one way; read the database as a whole: --to json")
        if len(some) >= most and (not id or at is None or id != some[-1][at]):
            yield some
            some = []
        some.append(row)
    if some:
        yield some


class _Asked:
    """Makes panels of rows of MEASUREMENT, and keeps what is to be said of all of them.

    Args:
        people: By id.
        reader: Of rows.
        said: What is to be said of the other tables.
    """

    def __init__(self, people: dict[str, Person], reader: Reader, said: list[str]) -> None:
        self._people, self._reader, self._said = people, reader, said
        self._strangers: set[str] = set()
        self._nobody = 0

    @classmethod
    def of(cls, cdm: Cdm) -> _Asked:
        """With the people and concepts of some tables."""
        people, notes = people_of(row for table in cdm.persons for row in records(table))
        if not cdm.persons:
            notes.append("There is no PERSON table: sex and age are unknown. Name it beside MEASUREMENT.")
        if cdm.passed:
            notes.append(f"{len(cdm.passed)} other tables were passed over: {', '.join(sorted(cdm.passed)[:8])}.")
        concepts = Concepts(
            (row for table in cdm.concepts for row in records(table)), (row for table in cdm.relations for row in records(table))
        )
        return cls(people, Reader(Catalog.default(), concepts), notes)

    def notes(self) -> list[str]:
        """What is to be said of all rows so far."""
        notes = [*self._said]
        if self._strangers:
            notes.append(f"{len(self._strangers)} of the people measured are not in PERSON; their sex and age are unknown.")
        if self._nobody:
            notes.append(f"{self._nobody} rows name no person; each stands for itself.")
        return notes

    def source(self, table: CdmTable, first: int = 1) -> Source:
        """The panels of some rows.

        Args:
            table: MEASUREMENT, or a part of it.
            first: Number of its first row.
        """
        groups: dict[tuple[str, str], PanelIn] = {}
        for number, row in enumerate(records(table), first):
            id = person_id(row.get("person_id", ""))
            day_text = row.get("measurement_date", "").strip() or row.get("measurement_datetime", "").strip()
            day = _day(day_text)
            key = id or f" {number}", day_text if day is None else day.isoformat()
            panel = groups.get(key)
            if panel is None:
                panel = groups[key] = self._panel(id, number, day, day_text)
            place = row.get("measurement_id", "").strip()
            where = f"measurement_id {place}" if table.stored and place else f"row {number}"
            panel.results.append(self._reader.result(row, day)._replace(source=stood(table.name, where)))
            panel.rows.append(number)
        notes = []
        if table.rows and len(table.rows[-1]) < len(table.header):
            notes.append(f"{table.name}: the last row has fewer cells than the header; the file seems to break off.")
        plain = Table(table.header, table.rows, {}, table.delimiter, table.encoding)
        return Source(list(groups.values()), plain, "omop", tuple(notes))

    def _panel(self, id: str, number: int, day: date | None, day_text: str) -> PanelIn:
        person = self._people.get(id) if id else None
        if person is None and id and self._people:
            self._strangers.add(id)
        self._nobody += not id
        patient, said = patient_on(id, person or _NOBODY, day)
        if day_text and day is None:
            said.append("the day of sampling could not be read; the age is unknown.")
        return PanelIn(patient, [], [], [f"Row {number}: {text}" for text in said])


def _day(text: str) -> date | None:
    try:
        return read_date(text)
    except InputError:
        return None
