"""A batch of rows as columns -> the columns of their answers.

Every text becomes a class (`texts`, `classes`), classes meet in small tables (`cases`), and a number is placed by
counting the edges it has passed. What is looked up was learned from the way a single result goes: nothing is decided
here.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from labinterp._catalog import Catalog
from labinterp._frames.ages import AgeReader
from labinterp._frames.cases import Cases, Tables, place
from labinterp._frames.classes import Names, Numbered, People
from labinterp._frames.columns import Writer
from labinterp._frames.numbers import ALONE, AMBIGUOUS, DIGITS, OPS, READ, REASON_OF, UNREADABLE, Numbers, ValueReader, written
from labinterp._frames.ranges import Printed, Ranges
from labinterp._frames.recognised import Hashes, Recognised, hashed
from labinterp._frames.stretches import Answer, Stretched
from labinterp._frames.texts import LOCK, Coded, Ints, Meet, Screen, Texts, as_text
from labinterp._frames.words import Written
from labinterp._measure import NO_UNIT
from labinterp._quantity import Quantity, ReadValue, Unreadable, read_value
from labinterp._reported import merge
from labinterp._results import reach

Columns = Mapping[str, pl.Series]
# columns that are looked up together: few different rows of them stand in a file
_GROUPS = {"names": ("test", "loinc", "specimen", "unit"), "facts": ("sex", "pregnant", "context", "age_years"), "marks": ("comparator",)}
KNOWN_ROWS = 20_000


class RowReader:
    """Answers batches of rows; what it learns from one batch serves the next.

    Args:
        catalog: The data.
        authority: Whose limits, by the catalog's names.
        as_of: ISO day.
        decimal: The decimal mark of the source.
        near: Whether to tell which values lie within half of their last digit of a line.
    """

    def __init__(self, catalog: Catalog, authority: Any, as_of: str, decimal: str | None, near: bool = False) -> None:
        self.names, self.people = Names.of(catalog), People.of(catalog)
        self._stretched = Stretched(catalog, authority, as_of, decimal, near)
        lines = Written(catalog)
        self.cases = Cases(self.names, self.people, self._stretched, lines)
        self._near, self._decimal = near, decimal
        self._writer = Writer(lines, near, decimal)
        self.schema = self._writer.schema
        names, people = self.names, self.people
        self._merged: Numbered[tuple[int, ...]] = Numbered()
        self._texts = {
            role: Texts(role, read, screen)
            for role, read, screen in (
                ("test", names.test, cache(lambda: Screen(names.pieces, names.unknown_test()))),
                ("loinc", names.code, None),
                ("specimen", names.specimen, None),
                ("unit", names.unit, cache(lambda: Screen(catalog.units.pieces(NO_UNIT), names.unknown_unit()))),
                ("sex", people.sex, None),
                ("pregnant", people.pregnancy, None),
                ("context", people.context, None),
                ("age_years", people.age_text, None),
                ("comparator", self._comparator, None),
            )
        }
        self._recognised: dict[Any, Recognised] = {}
        self._values, self._ages = ValueReader(decimal, names.unit), AgeReader.of(people)
        self._meaning = Meet(names.meaning)
        self._pair = Meet(names.pair)
        self._person = Meet(people.person)
        self._case = Meet(self.cases.case)
        self._ranges = Ranges(names, self.cases, self._stretched)
        self._stretch = Meet(self.cases.stretch)

    # --- what each row is of, and of whom --------------------------------------------------------------------

    def _read(self, columns: Columns, height: int) -> tuple[dict[str, Any], Numbers]:
        """The classes of all texts, and the numbers; what the engine can look up is looked up in one go."""
        texts = {role: _hashable(columns[role]) for role in self._texts if role in columns and not _is_years(role, columns[role])}
        value = self._values.as_texts(columns["value"]) if "value" in columns else None
        groups = {name: there for name, roles in _GROUPS.items() if (there := tuple(role for role in roles if role in texts))}
        frame = pl.DataFrame([*texts.values(), *([] if value is None else [value])])
        asked = [expression for name, roles in groups.items() for expression in hashed(roles, name)]
        found = frame.select_seq(*asked, *([] if value is None else self._values.lookup("value")))
        classes: dict[str, Any] = {role: reader.nothing for role, reader in self._texts.items()}
        for name, roles in groups.items():
            classes |= self._classes(roles, texts, *(found[f"{name}_{number}"].to_numpy() for number in (0, 1)))
        if value is not None:
            return classes, self._values.texts(value, found)
        return classes, self._values.read(columns["value"] if "value" in columns else pl.Series([None] * height))

    def _classes(self, roles: tuple[str, ...], texts: Columns, first: Hashes, second: Hashes) -> dict[str, Coded]:
        """The classes of columns that are looked up together: rows that were seen before are recognised, the others are read."""
        key = tuple((role, texts[role].dtype) for role in roles)
        known = self._recognised.get(key)
        if known is None:
            with LOCK:
                record = np.dtype([(role, np.int64) for role in roles])
                nothing = tuple(self._texts[role].nothing for role in roles)
                known = self._recognised.setdefault(key, Recognised(record, nothing, KNOWN_ROWS))
        table, places, new = known.find(first, second)
        if not new.size:
            return {role: Coded(places, table.parts[role]) for role in roles}
        made = np.empty(len(new), table.read.dtype)
        for role in roles:
            made[role] = self._texts[role](texts[role].gather(new))
        places[new] = np.arange(len(table.read), len(table.read) + len(new))
        known.learn(first[new], second[new], made)
        return {role: Coded(places, np.concatenate([table.parts[role], made[role]])) for role in roles}

    def _cases_of(self, columns: Columns, classes: Mapping[str, Any], rest: Any) -> tuple[Any, Any]:
        meaning = self._meaning(classes["test"], classes["loinc"], classes["specimen"])
        pair = self._pair(meaning, classes["unit"], rest)
        years = columns.get("age_years")
        age = self._ages.years(years) if years is not None and _is_years("age_years", years) else classes["age_years"]
        age = self._ages.read(age, columns.get("birth_date"), columns.get("collected_at"))
        person = self._person(classes["sex"], classes["pregnant"], classes["context"], age)
        return pair, self._case(pair, person)

    def _comparator(self, text: str | None) -> int:
        """The class of a comparator column's text: what becomes of each comparator printed with the value."""
        becomes = []
        for op in OPS:
            read = ReadValue(Decimal(1), op, Decimal(2) if op == "~" else None)
            merged = merge(read, text) if text else read
            becomes.append(-1 if merged is None else OPS.index(merged.comparator))
        return self._merged.number(tuple(becomes), tuple(becomes))

    def _merge(self, classes: Mapping[str, Any], values: Numbers) -> Numbers:
        """Values and their comparator column."""
        stated = classes["comparator"]
        if not isinstance(stated, Coded):
            return values
        op = np.array(self._merged.things, np.int64)[stated.rows(), values.op]
        state = np.zeros(len(op), np.int8) if values.state is None else values.state
        state = np.where((op < 0) & (state != AMBIGUOUS), np.int8(UNREADABLE), state)
        return values._replace(op=np.maximum(op, 0), state=state)

    # --- answers ----------------------------------------------------------------------------------------------

    def answer(self, columns: Columns, height: int) -> pl.DataFrame:
        """The answer columns of a batch, by their names without a prefix.

        Args:
            columns: Role -> column; roles that are missing are unknown.
            height: How many rows there are.
        """
        if not height:
            return pl.DataFrame(schema=self.schema())
        columns = {role: column.alias(role) for role, column in columns.items()}  # "^x$" is a pattern to the engine
        classes, values = self._read(columns, height)
        values = self._merge(classes, values)
        pair, case = (_each_row(part, height) for part in self._cases_of(columns, classes, values.rest))
        case, ranged = self._ranges.of(columns, pair, case)
        rows = _each_row(self._stretch(case, values.op), height)
        tables = self.cases.tables()
        stretch = tables.first.take(rows) + place(tables, rows, values.number)
        outs = self._refused(values, pair, tables.outs.take(stretch))
        outs, near = self._alone(columns.get("value"), values, case, (tables, rows, stretch), outs, ranged)
        made = self._writer.columns(values, outs)
        if self._near:
            made.append(self._writer.near_limit(columns["value"], values, stretch, outs, tables, near))
        return pl.DataFrame(made)

    def _refused(self, values: Numbers, pair: Ints, outs: Ints) -> Ints:
        """A value that cannot be read is the reason, unless the name was not understood."""
        if values.state is None:
            return outs
        odd = np.flatnonzero(values.state)
        states, pairs = values.state.take(odd), pair.take(odd)
        for state in REASON_OF:
            here = states == state
            lines = self.cases.refused(state).take(pairs[here])
            understood = lines >= 0
            outs[odd[here][understood]] = lines[understood]
        return outs

    def _alone(
        self,
        column: pl.Series | None,
        values: Numbers,
        case: Ints,
        placed: tuple[Tables, Ints, Ints],
        outs: Ints,
        ranged: Mapping[int, Printed],
    ) -> tuple[Ints, dict[int, bool]]:
        """Rows whose number says more than a float (ranges, long decimals beside a line), or with a range of their own."""
        places = np.flatnonzero(values.state == ALONE) if values.state is not None else np.empty(0, np.int64)
        if not values.short:  # a float column: its number as printed may have 17 digits and lie on one side of a line it equals
            places = np.union1d(places, self._on_a_line(values, *placed))
        if ranged:
            read = values.state is None or np.isin(values.state, (READ, ALONE))
            places = np.union1d(places, np.array([at for at in ranged if read is True or read[at]], np.int64))
        if not places.size or column is None:
            return outs, {}
        texts = column.gather(places).to_list()
        ops = np.broadcast_to(values.op, outs.shape)
        known: dict[Any, Answer | None] = {}
        near: dict[int, bool] = {}
        for at, raw in zip(places.tolist(), texts, strict=True):
            key = (type(raw), raw, int(case[at]), int(ops[at]), ranged.get(at))  # equal numbers of two types may mean two
            if key not in known:
                known[key] = self._single(*key[1:])
            answer = known[key]
            if answer is not None:
                with LOCK:
                    outs[at] = self.cases.line(key[2], key[3], answer)
                near[at] = self._beside(answer, raw)
        return outs, near

    def _beside(self, answer: Answer, raw: Any) -> bool:
        read = self._value_of(raw)
        if not self._near or isinstance(read, Unreadable) or read.high is not None:
            return False
        exponent, number = read.value.as_tuple().exponent, float(read.value)
        half = reach(-exponent if isinstance(exponent, int) else 0)
        return number - answer.below <= half or answer.above - number <= half

    def _value_of(self, raw: Any) -> ReadValue | Unreadable:
        return read_value(written(raw) if isinstance(raw, Decimal) else raw, self._decimal)

    def _on_a_line(self, values: Numbers, tables: Tables, rows: Ints, stretch: Ints) -> Any:
        width = 2**tables.levels - 1
        if not width:  # no kind of row so far has a line
            return np.empty(0, np.int64)
        at = stretch - tables.first.take(rows)
        last = np.minimum(at, width - 1)
        above = tables.edges.take(rows * width + last)
        below = np.where(at > 0, tables.edges.take(rows * width + np.maximum(at - 1, 0)), -np.inf)
        return np.flatnonzero((values.number == below) | (np.nextafter(values.number, np.inf) == above))

    def _single(self, raw: Any, case: int, op: int, own: Printed | None) -> Answer | None:
        """The answer for one value as printed, beside a range of its own if it has one; None where the row has an answer already."""
        pair, patient, printed = self.cases.cases.things[case]
        if pair.analyte is None or pair.unit is None:
            return None
        read = self._value_of(raw)
        if isinstance(read, Unreadable) or (own is None and isinstance(raw, float) and len(read.value.as_tuple().digits) <= DIGITS):
            return None
        comparator = "~" if read.high is not None else OPS[op]
        with LOCK:
            return self._stretched.one(pair.analyte, Quantity(read.value, pair.unit, comparator, read.high), patient, own or printed)


def _is_years(role: str, column: pl.Series) -> bool:
    """Whether a column holds ages as numbers, which need no dictionary."""
    return role == "age_years" and (column.dtype.is_numeric() or column.dtype == pl.Object)


def _hashable(column: pl.Series) -> pl.Series:
    """A column whose values tell its texts apart: as it is where that is so, else as texts."""
    return column if column.dtype in (pl.String, pl.Boolean) else as_text(column)


def _each_row(part: Any, height: int) -> Any:
    """One class for each row."""
    if isinstance(part, Coded):
        return part.rows()
    return part if isinstance(part, np.ndarray) else np.full(height, part, np.int64)
