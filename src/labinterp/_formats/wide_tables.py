"""Wide tables, a column for each analyte and a draw in each row -> panels.

What a column is, its header says, with its unit in it or not; the unit may also stand in a row below the header, in a column beside it, or
be given. Where there is none, each value comes back without an answer: a unit is never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from labinterp._catalog import Catalog
from labinterp._draws import person
from labinterp._formats.headers import read_header, unit_column_of, unit_in, without_notes
from labinterp._formats.tables import Exact, facts_of, torn
from labinterp._inputs import LabResult
from labinterp._intake import PanelIn, Wanted, stood
from labinterp._names import squash
from labinterp._quantity import Unreadable
from labinterp._table import COLUMN_NAMES, MOST_COLUMNS, ROLES, TITLES, Table, known_columns, listed, role_of
from labinterp.errors import InputError

_PERSON = ("patient_id", "sex", "age_years", "birth_date", "pregnant", "collected_at", "context", "trimester", "specimen")


class Column(NamedTuple):
    """A column of results.

    Attributes:
        at: Its number, from 0.
        header: As printed.
        test: The name of the test in it.
        analyte: Id; None where the name is refused, and each value with it.
        units: Every unit that the table says for the whole column.
        unit_at: Number of the column with its units; -1: there is none.
        given: The unit the caller gave, for values without one.
    """

    at: int
    header: str
    test: str
    analyte: str | None
    units: tuple[str, ...] = ()
    unit_at: int = -1
    given: str | None = None


class Wide(NamedTuple):
    """A wide table.

    Attributes:
        table: All of it; `columns` are those of the person.
        results: The columns of results.
        others: Headers of the columns that are neither.
        units_row: Whether the first row holds units.
        places: Number of each result -> its row and column.
    """

    table: Table
    results: list[Column]
    others: list[str]
    units_row: bool = False
    places: Mapping[int, tuple[int, int]] = {}


def wide_table(lines: Sequence[Sequence[str]], wanted: Wanted, catalog: Catalog, otherwise: InputError) -> Wide:
    """The wide table in some lines; titles may stand above its header.

    Args:
        lines: Cells, line by line.
        wanted: Columns and units that were given.
        catalog: Whose names and units.
        otherwise: Why it is no long table.

    Raises:
        InputError: It is no wide table either, or what was given does not fit it.
    """
    looked, almost = 0, ""
    for number, line in enumerate(lines[:TITLES]):
        looked += len(line)
        if looked > MOST_COLUMNS:
            break
        numbers = any(cell.strip()[:1].isdigit() and cell.strip().replace(".", "").replace(",", "").isdigit() for cell in line)
        if numbers and (number or not any(role_of(cell) in _PERSON for cell in line)):
            continue  # a row of numbers is no header
        found = _columns(line, lines[number + 1] if number + 1 < len(lines) else [], wanted, catalog)
        known = [one for one in found.results if one.analyte]
        if len(known) > 1 or any(one.units or one.unit_at >= 0 or one.given for one in known):
            _no_tests_below(line, lines[number + 1 :], found, catalog)
            persons = _persons(line, wanted)
            return found._replace(table=Table(list(line), [], persons, ",", "", number))
        almost = almost or next((one.header for one in known), "")
    if almost:
        raise InputError(f"{otherwise}; or, if {almost[:30]!r} is a column of results, give its unit: --unit '{almost[:30]}=UNIT'")
    raise otherwise


def _columns(header: Sequence[str], below: Sequence[str], wanted: Wanted, catalog: Catalog) -> Wide:
    """Which columns are what, if a line is a header."""
    names = [name.strip() for name in header]
    mapped = {name: role for role, name in wanted.columns.items() if not _is_role(role)}
    for name, test in mapped.items():
        if name in names and not read_header(catalog, test).known:
            raise InputError(f"there is no role {test!r}; accepted: {', '.join(ROLES)}, or an analyte such as ferritin")
    taken = {name for role, name in wanted.columns.items() if _is_role(role)}
    found: dict[int, Column] = {}
    rest: list[int] = []
    for at, name in enumerate(names):
        if name in mapped:
            named = read_header(catalog, mapped[name])
            unit = unit_in(catalog, name)
            found[at] = Column(at, name, mapped[name], named.analyte, (unit,) if unit else ())
        elif name in taken or role_of(name) in _PERSON:
            continue
        else:
            named = read_header(catalog, name)
            if named.known or named.refused:
                found[at] = Column(at, name, named.test, named.analyte, (named.unit,) if named.unit else ())
            elif name:
                rest.append(at)
    beside = dict(_unit_columns(names, found, rest))
    for at, unit_at in beside.items():
        found[at] = found[at]._replace(unit_at=unit_at)
    units_row = _is_units(below, found, catalog)
    if units_row:
        for at, one in found.items():
            if at < len(below) and below[at].strip():
                found[at] = one._replace(units=(*one.units, below[at].strip()))
    results = _given(list(found.values()), wanted.units, catalog)
    others = [names[at] for at in rest if at not in beside.values()]
    return Wide(Table([], [], {}, ",", ""), results, others, units_row)


_TESTS = 200  # different texts that are looked at


def _no_tests_below(header: Sequence[str], rows: Sequence[Sequence[str]], found: Wide, catalog: Catalog) -> None:
    """A table with a result in each row whose header is gone begins with a row that names tests, too; but so do those below it.

    Raises:
        InputError: A cell in a column of results is the name of a test: which number belongs to which test is not known.
    """
    looked: set[str] = set()
    for row in rows:
        if row == header:  # two exports, one behind the other
            continue
        for column in found.results:
            cell = row[column.at].strip() if column.at < len(row) else ""
            if not cell[:1].isalpha() and not (cell[:1].isdigit() and "(" in cell):  # a value; 25(OH)D is none
                continue
            if cell in looked or len(looked) == _TESTS:
                continue
            looked.add(cell)
            if read_header(catalog, cell).known:
                raise InputError(
                    f"the cells below {column.header[:30]!r} are names of tests, so the first line seems to be a row of a table with one "
                    "result a row, and its header to be missing or damaged; put one above it, such as test,value,unit"
                )


def _is_role(name: str) -> bool:
    return name in COLUMN_NAMES or role_of(name) is not None


def _persons(header: Sequence[str], wanted: Wanted) -> dict[str, int]:
    asked = {role: name for role, name in wanted.columns.items() if _is_role(role)}
    names = [name.strip() for name in header]
    return known_columns([name if role_of(name) in _PERSON or name in asked.values() else "" for name in names], asked)


def _unit_columns(names: Sequence[str], found: Mapping[int, Column], rest: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Columns of results, each with the column that holds its units."""
    by_name = {squash(name): at for at, one in found.items() for name in (without_notes(one.header), one.test)}
    by_name |= {squash(one.header): at for at, one in found.items()}
    for at in rest:
        of = unit_column_of(names[at])
        if of is None:
            continue
        if of and of in by_name:
            yield by_name[of], at
        elif not of and at - 1 in found:
            yield at - 1, at


def _is_units(below: Sequence[str], found: Mapping[int, Column], catalog: Catalog) -> bool:
    """Whether the line below the header holds units: each of its cells under a column of results is one, or empty."""
    cells = [below[at].strip() for at in found if at < len(below)]
    written = [cell for cell in cells if cell]
    return bool(written) and all(not cell[:1].isdigit() and catalog.units.read(cell) is not None for cell in written)


def _given(columns: list[Column], units: Mapping[str, str], catalog: Catalog) -> list[Column]:
    """The columns with the units that were given for them."""
    kept = list(columns)
    for key, unit in units.items():
        if catalog.units.read(unit) is None:
            raise InputError(f"the unit {unit!r} of --unit is not known; write it as on a report, such as ug/L or nmol/L")
        fitting = [n for n, one in enumerate(kept) if key == one.header] or [
            n for n, one in enumerate(kept) if squash(key) == squash(one.header)
        ]
        if not fitting:
            analyte = read_header(catalog, key).analyte
            fitting = [n for n, one in enumerate(kept) if analyte and one.analyte == analyte]
        if len(fitting) > 1:
            both = " and ".join(repr(kept[n].header[:30]) for n in fitting[:2])
            raise InputError(f"--unit {key} fits the columns {both}; name the column: --unit '{kept[fitting[0]].header[:30]}={unit}'")
        for n in fitting:
            kept[n] = kept[n]._replace(given=unit)
    return kept


# --- panels -------------------------------------------------------------------------------------------------------


def wide_panels(wide: Wide, exact: Exact, name: str, first: int) -> tuple[list[PanelIn], dict[int, tuple[int, int]], list[str]]:
    """A panel for each row that has results, where each result stands, and what is to be said of the table as a whole.

    Args:
        wide: As found.
        exact: Cells that are numbers already, or cannot be.
        name: Of the file, and of the sheet in it, for `LabResult.source`.
        first: Number of the first row where it stood.
    """
    table, catalog = wide.table, Catalog.default()
    facts, notes = facts_of(table)
    panels: list[PanelIn] = []
    places: dict[int, tuple[int, int]] = {}
    empty = 0
    for number in range(1 if wide.units_row else 0, len(table.rows)):
        row, fact = table.rows[number], facts[number]
        day = fact.day if isinstance(fact.day, date) else None
        results: list[LabResult] = []
        for column in wide.results:
            value = exact.get((number, column.at), row[column.at].strip() if column.at < len(row) else "")
            if value == "":
                continue
            places[len(places) + 1] = number, column.at
            value, unit = _value_and_unit(column, row, torn(table, row) or value, catalog)
            place = stood(name, f"row {number + first}, column {column.header}")
            results.append(
                LabResult(column.test, value, unit, collected_at=day, specimen=table.cell(row, "specimen") or None, source=place)
            )
        if results:
            patient, wrong = person(fact, day)
            said = [*notes[number], *(f"Row {number + 1}: {text}" for text in wrong)]
            panels.append(PanelIn(patient, results, list(range(len(places) - len(results) + 1, len(places) + 1)), said))
        elif any(cell.strip() for cell in row):
            empty += 1
    return panels, places, _said(wide, name, empty)


def _value_and_unit(column: Column, row: Sequence[str], value: Any, catalog: Catalog) -> tuple[Any, str | None]:
    beside = row[column.unit_at].strip() if 0 <= column.unit_at < len(row) else ""
    stated = [*column.units, *([beside] if beside else [])]
    if not stated:
        return value, column.given
    if len({catalog.units.read(unit) or unit for unit in stated}) > 1:
        text = value.text if isinstance(value, Unreadable) else str(value)
        return Unreadable("conflicting_code", f"The table says two units for this value: {' and '.join(stated[:2])}.", text), stated[-1]
    return value, stated[-1]


def _said(wide: Wide, name: str, empty: int) -> list[str]:
    notes, file = [], name or "the table"
    if wide.others:
        notes.append(f"{file}: columns that are no results known here, and were not read: {listed(wide.others)}.")
    if empty:
        notes.append(f"{file}: {empty} {'rows hold' if empty > 1 else 'row holds'} no value.")
    unused = [one.header for one in wide.results if one.given and one.units]
    if unused:
        notes.append(f"{file}: the unit given for {listed(unused)} was not used: the table says one.")
    return notes
