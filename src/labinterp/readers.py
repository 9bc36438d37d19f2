"""Files and text in: long tables (CSV, TSV) and JSON, one or many people, to panels of results.

A panel is what was drawn together: one person, one day of sampling. A row that cannot be read is never
dropped: it comes back with its reason. A fact of a person that cannot be read is unknown, and a note says so.

Example:
    >>> panels = read_rows([{"test": "Ferritin", "value": "12", "unit": "ug/L", "sex": "F", "age": "34"}])
    >>> panels[0].patient.sex, panels[0].results[0].test
    ('female', 'Ferritin')
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from labinterp._catalog import Catalog
from labinterp._draws import Facts, filled, person
from labinterp._facts import read_age, read_date, read_pregnancy, read_trimester
from labinterp._facts import read_contexts as _read_contexts
from labinterp._inputs import LabResult, Patient, read_sex
from labinterp._quantity import Unreadable
from labinterp._table import COLUMN_NAMES, Table, decode, find_columns, read_table, roles_of
from labinterp.errors import InputError


class PanelIn(NamedTuple):
    """Results drawn together, ready for `interpret`.

    Attributes:
        patient: Whose.
        results: As reported.
        rows: Their numbers in the source, from 1.
        notes: Facts of the person that could not be read.
    """

    patient: Patient
    results: list[LabResult]
    rows: list[int]
    notes: list[str]


class Source(NamedTuple):
    """A file as read: its panels, and its table where it is one."""

    panels: list[PanelIn]
    table: Table | None


def read_file(
    path: str | Path, *, columns: Mapping[str, str] | None = None, delimiter: str | None = None, encoding: str | None = None
) -> Source:
    """Read a file of results; the form is recognised by its content.

    Args:
        path: A CSV, TSV or JSON file.
        columns: Role -> column name where the usual names do not find it.
        delimiter: Default: found.
        encoding: Default: found.

    Returns:
        Source: panels in the order of their first row.

    Raises:
        InputError: The file cannot be read, with what is accepted and one next step.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}") from None
    return read_bytes(data, columns=columns, delimiter=delimiter, encoding=encoding)


def read_bytes(
    data: bytes, *, columns: Mapping[str, str] | None = None, delimiter: str | None = None, encoding: str | None = None
) -> Source:
    """Like `read_file`, from bytes (such as standard input)."""
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    head = data[:64].decode("utf-16", "ignore") if wide else data[:64].decode("utf-8-sig", "ignore")
    if head.lstrip()[:1] in ("{", "["):
        return Source(read_json(decode(data, encoding)[0], columns), None)
    table = read_table(data, columns, delimiter, encoding)
    return Source(_panels(table), table)


def read_rows(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str] | None = None) -> list[PanelIn]:
    """Panels from records, one result each, with the same column names as a table.

    Raises:
        InputError: No column for test or value.
    """
    listed = list(rows)
    header = list(dict.fromkeys(str(key) for row in listed for key in row))
    found = find_columns(header, columns or {})
    texts = [["" if row.get(name) is None else str(row[name]) for name in header] for row in listed]
    plain = {header[at] for role, at in found.items() if role in ("value", "ref_low", "ref_high")}
    numbers = {
        n: {k: v for k, v in row.items() if k in plain and isinstance(v, (int, float, Decimal)) and not isinstance(v, bool)}
        for n, row in enumerate(listed)
    }
    return _panels(Table(header, texts, found, ",", "utf-8"), numbers)


def read_json(text: str, columns: Mapping[str, str] | None = None) -> list[PanelIn]:
    """Panels from JSON: one panel, a list of panels, a list of rows, a plain mapping, or JSON Lines of rows.

    Raises:
        InputError: It is not JSON, or not of one of these forms.

    Example:
        >>> read_json('{"patient": {"sex": "female", "age_years": 71}, "results": {"B12": "210 pg/mL"}}')[0].results[0].test
        'B12'
    """
    try:
        data = _loads(text)
    except RecursionError:
        raise InputError("the JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            data = [_loads(line) for line in lines]
        except (json.JSONDecodeError, RecursionError):
            raise InputError(f"this is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    if isinstance(data, Mapping) and "resourceType" in data:
        raise InputError("this is FHIR, which this version does not read; give a long table or the JSON described in docs/json.md")
    if isinstance(data, Mapping):
        data = data.get("panels", [data]) if "results" not in data else [data]
    if not data or not isinstance(data, list) or not all(isinstance(item, Mapping) for item in data):
        raise InputError(
            'accepted JSON: {"patient": {...}, "results": [...]}, a list of these, or a list of rows with test, value and unit'
        )
    if all("results" in item for item in data) and data:
        return _json_panels(data)
    if len(data) == 1 and not {"test", "value"} & roles_of(data[0]) and all(not isinstance(v, (list, Mapping)) for v in data[0].values()):
        return _json_panels([{"results": data[0]}])
    return read_rows(data, columns)


def _loads(text: str) -> Any:
    """JSON with exact numbers, and no key twice: of two results under one name the first would be lost."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise InputError("a key stands twice in one object; give repeated results as a list")
        return found

    return json.loads(text, parse_float=Decimal, parse_int=_whole_number, object_pairs_hook=once)


def _whole_number(text: str) -> int | Decimal:
    return int(text) if len(text) < 30 else Decimal(text)


def _json_panels(items: Sequence[Mapping[str, Any]]) -> list[PanelIn]:
    from labinterp._border import read_panels

    panels, row = [], 0
    for patient, results, notes in read_panels(items):
        panels.append(PanelIn(patient, results, list(range(row + 1, row + 1 + len(results))), notes))
        row += len(results)
    return panels


# --- rows to panels -----------------------------------------------------------------------------------------


def _panels(table: Table, numbers: Mapping[int, Mapping[str, Any]] | None = None) -> list[PanelIn]:
    facts, notes = [], []
    for number, row in enumerate(table.rows):
        read, said = _facts(table, row)
        facts.append(read)
        notes.append([f"Row {number + 1}: {text}" for text in said])
    facts = filled(facts)
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
        panel.results.append(_result(table, row, fact, (numbers or {}).get(number, {})))
        panel.rows.append(number + 1)
        panel.notes.extend(notes[number])
    return list(groups.values())


def _result(table: Table, row: Sequence[str], fact: Facts, plain: Mapping[str, Any]) -> LabResult:
    def cell(role: str) -> Any:
        at = table.columns.get(role, -1)
        if 0 <= at < len(table.header) and table.header[at] in plain:
            return plain[table.header[at]]
        return table.cell(row, role) or None

    day = fact.day if isinstance(fact.day, date) else None
    value = cell("value")
    if any(extra.strip() for extra in row[len(table.header) :]):  # an unquoted decimal comma moves what follows it
        value = Unreadable("unreadable_value", "The row has more cells than the header; a cell with the delimiter in it must be quoted.")
    return LabResult(
        table.cell(row, "test"), value, cell("unit"), loinc=cell("loinc"), specimen=cell("specimen"), collected_at=day,
        comparator=cell("comparator"), ref_low=cell("ref_low"), ref_high=cell("ref_high"), ref_text=cell("ref_text"), flag=cell("flag"),
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


__all__ = [
    "COLUMN_NAMES",
    "PanelIn",
    "Source",
    "read_age",
    "read_bytes",
    "read_contexts",
    "read_date",
    "read_file",
    "read_json",
    "read_rows",
]
