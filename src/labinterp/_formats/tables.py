"""Long tables, one result a row -> panels: what one person had drawn on one day.

A row that cannot be read is never dropped: it comes back with its reason. A fact of a person that cannot be read is unknown, and a
note says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from labinterp._catalog import Catalog
from labinterp._draws import Facts, filled, person
from labinterp._facts import read_age, read_date, read_pregnancy, read_trimester
from labinterp._facts import read_contexts as _read_contexts
from labinterp._formats.numbers_beside import end_of, one_value
from labinterp._inputs import LabResult, read_sex
from labinterp._intake import PanelIn, stood
from labinterp._quantity import Unreadable
from labinterp._table import NUMBER, Table, find_columns
from labinterp.errors import InputError

Exact = Mapping[tuple[int, int], Any]  # (row, column) from 0 -> a number, or why the cell is none
_TORN = "The row has more cells than the header; a cell with the delimiter in it must be quoted."


def read_rows(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str] | None = None) -> list[PanelIn]:
    """Panels from records, one result each, with the same column names as a table.

    Raises:
        InputError: No column for test or value.
    """
    listed = list(rows)
    header = list(dict.fromkeys(str(key) for row in listed for key in row))
    found = find_columns(header, columns or {})
    texts = [["" if row.get(name) is None else str(row[name]) for name in header] for row in listed]
    exact = {
        (n, at): row[name]
        for n, row in enumerate(listed)
        for at, name in enumerate(header)
        if isinstance(row.get(name), (int, float, Decimal)) and not isinstance(row[name], bool)
    }
    return panels_of(Table(header, texts, found, ",", "utf-8"), exact)


def panels_of(table: Table, exact: Exact | None = None, name: str = "", first: int = 1) -> list[PanelIn]:
    """Panels of a long table.

    Args:
        table: As read.
        exact: Cells that are numbers already, or cannot be.
        name: Of the file, and of the sheet in it, for `LabResult.source`; nothing for records of a program.
        first: Number of the first row where it stood.
    """
    facts, notes = facts_of(table)
    known: dict[str, set[str | None]] = {}
    for fact in facts:
        known.setdefault(fact.id, set()).add(fact.sex)
    for number, fact in enumerate(facts):
        if fact.id and len(known[fact.id] - {None}) > 1:
            notes[number].append(f"Row {number + 1}: rows of this patient contradict each other on sex; they are read as different people.")
    groups: dict[Facts, PanelIn] = {}
    for number, (row, fact) in enumerate(zip(table.rows, facts, strict=True)):
        if not row:
            continue
        panel = groups.get(fact)
        if panel is None:
            day = fact.day if isinstance(fact.day, date) else None
            patient, wrong = person(fact, day)
            panel = groups[fact] = PanelIn(patient, [], [], [f"Row {number + 1}: {text}" for text in wrong])
        result = _result(table, number, fact, exact or {})
        panel.results.append(result._replace(source=stood(name, f"row {number + first}")) if name else result)
        panel.rows.append(number + 1)
        panel.notes.extend(notes[number])
    return list(groups.values())


def facts_of(table: Table) -> tuple[list[Facts], list[list[str]]]:
    """What each row says of its person, with what the person's other rows say; and what of it could not be read."""
    nobody, silent = _facts(table, [])
    places, facts, notes = [], [], [silent] * len(table.rows)  # a file of nothing but line ends takes little
    for number, row in enumerate(table.rows):
        if row:
            read, said = _facts(table, row)
            places.append(number)
            facts.append(read)
            notes[number] = [f"Row {number + 1}: {text}" for text in said]
    found = [nobody] * len(table.rows)
    for number, fact in zip(places, filled(facts), strict=True):
        found[number] = fact
    return found, notes


def torn(table: Table, row: Sequence[str]) -> Unreadable | None:
    """Why no cell of a row can be trusted: an unquoted decimal comma moves what follows it."""
    return Unreadable("unreadable_value", _TORN) if any(extra.strip() for extra in row[len(table.header) :]) else None


def _result(table: Table, number: int, fact: Facts, exact: Exact) -> LabResult:
    row = table.rows[number]

    def cell(role: str) -> Any:
        plain = exact.get((number, table.columns.get(role, -1)))
        if plain is not None and (role in ("value", NUMBER) or (role in ("ref_low", "ref_high") and not isinstance(plain, Unreadable))):
            return plain
        return table.cell(row, role) or None

    day = fact.day if isinstance(fact.day, date) else None
    value, low, high, mark = cell("value"), cell("ref_low"), cell("ref_high"), None
    if NUMBER in table.columns:
        value, mark = one_value(value, cell(NUMBER))
    if mark is not None:
        low, high = end_of(low, mark), end_of(high, mark)
    return LabResult(
        table.cell(row, "test"), torn(table, row) or value, cell("unit"), loinc=cell("loinc"), specimen=cell("specimen"),
        collected_at=day, comparator=cell("comparator"), ref_low=low, ref_high=high, ref_text=cell("ref_text"),
        flag=cell("flag"),
    )  # fmt: skip


def _facts(table: Table, row: Sequence[str]) -> tuple[Facts, list[str]]:
    said: list[str] = []

    def read(role: str, reader: Any) -> Any:
        text = table.cell(row, role)
        if not text:
            return None
        try:
            return reader(text)
        except InputError as error:
            said.append(f"the {role.replace('_', ' ')} could not be read and counts as unknown: {error}.")
            return None

    raw_day = table.cell(row, "collected_at")
    day: date | str | None = None
    if raw_day:
        try:
            day = read_date(raw_day)
        except InputError:
            day = raw_day
    pregnancy = read("pregnant", read_pregnancy)
    pregnant, contexts = pregnancy if pregnancy else (None, frozenset())
    trimester = read("trimester", read_trimester)
    if trimester:
        pregnant, contexts = True, contexts | trimester
    declared = read("context", read_contexts)
    return (
        Facts(
            table.cell(row, "patient_id"), day, read("sex", read_sex), read("age_years", read_age), read("birth_date", read_date),
            pregnant, contexts | (declared or frozenset()),
        ),
        said,
    )  # fmt: skip


def read_contexts(text: str) -> frozenset[str]:
    """Declared circumstances from a list in one cell, parted by ; , or |.

    Raises:
        InputError: One that is not on the catalog's closed list.
    """
    return _read_contexts(text, Catalog.default().table["policy"]["context_names"])
