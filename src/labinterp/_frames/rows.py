"""A batch of rows as columns -> the columns of their answers.

Every text becomes a class (`texts`, `classes`), classes meet in small tables (`cases`), and a number is placed by
counting the edges it has passed. What is looked up was learned from the way a single result goes: nothing is decided
here.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from labinterp._catalog import Catalog
from labinterp._frames.ages import AgeReader
from labinterp._frames.cases import Cases, Tables, place
from labinterp._frames.classes import Names, Numbered, People
from labinterp._frames.columns import Writer
from labinterp._frames.numbers import ALONE, AMBIGUOUS, DIGITS, OPS, UNREADABLE, Numbers, ValueReader, written
from labinterp._frames.stretches import Answer, Stretched
from labinterp._frames.texts import LOCK, Coded, Ints, Meet, Screen, Texts, as_text
from labinterp._measure import NO_UNIT, merge
from labinterp._quantity import Quantity, ReadValue, Unreadable, read_value
from labinterp._results import reach

Columns = Mapping[str, pl.Series]


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
        self.names, self.people = Names(catalog), People(catalog)
        self._stretched = Stretched(catalog, authority, as_of, decimal, near)
        self.cases = Cases(self.names, self.people, self._stretched)
        self._near, self._decimal = near, decimal
        self._writer = Writer(catalog, self.names, self.cases, near, decimal)
        self.schema = self._writer.schema
        names, people = self.names, self.people
        self._merged: Numbered[tuple[int, ...]] = Numbered()
        self._texts = {
            role: Texts(role, read, screen)
            for role, read, screen in (
                ("test", names.test, Screen(names.pieces, names.unknown_test())),
                ("loinc", names.code, None),
                ("specimen", names.specimen, None),
                ("unit", names.unit, Screen(catalog.units.pieces(NO_UNIT), names.unknown_unit())),
                ("sex", people.sex, None),
                ("pregnant", people.pregnancy, None),
                ("context", people.context, None),
                ("age_years", people.age_text, None),
                ("comparator", self._comparator, None),
            )
        }
        self._values, self._ages = ValueReader(decimal, names.unit), AgeReader(people)
        self._meaning = Meet(names.meaning)
        self._pair = Meet(names.pair)
        self._person = Meet(people.person)
        self._case = Meet(self.cases.case)
        self._ranged = Meet(self.cases.with_range)
        self._stretch = Meet(self.cases.stretch)

    # --- what each row is of, and of whom --------------------------------------------------------------------

    def _read(self, columns: Columns, height: int) -> tuple[dict[str, Any], Numbers]:
        """The classes of all texts, and the numbers; what the engine can look up is looked up in one go."""
        texts = {role: as_text(columns[role]) for role in self._texts if role in columns and not _is_years(role, columns[role])}
        value = self._values.as_texts(columns["value"]) if "value" in columns else None
        lookups = {role: self._texts[role].lookup() for role in texts}
        asked = [expression.alias(role) for role, (expression, _) in lookups.items()]
        frame = pl.DataFrame([*(column.alias(role) for role, column in texts.items()), *([] if value is None else [value.alias("value")])])
        found = frame.select_seq(*asked, *([] if value is None else self._values.lookup("value")))
        classes: dict[str, Any] = {role: reader.nothing for role, reader in self._texts.items()}
        classes |= {role: self._texts[role].coded(texts[role], found[role], lookups[role][1]) for role in texts}
        if value is not None:
            return classes, self._values.texts(value, found["number"], found["length"])
        return classes, self._values.read(columns["value"] if "value" in columns else pl.Series([None] * height))

    def _cases_of(self, columns: Columns, classes: Mapping[str, Any], rest: Any) -> tuple[Any, Any]:
        meaning = self._meaning(classes["test"], classes["loinc"], classes["specimen"])
        pair = self._pair(meaning, classes["unit"], rest)
        years = columns.get("age_years")
        age = self._ages.years(years) if years is not None and _is_years("age_years", years) else classes["age_years"]
        age = self._ages.read(age, columns.get("birth_date"), columns.get("collected_at"))
        person = self._person(classes["sex"], classes["pregnant"], classes["context"], age)
        return pair, self._case(pair, person)

    def _with_ranges(self, columns: Columns, pair: Ints, case: Ints) -> Ints:
        """The cases of rows beside which a laboratory printed a range that can change the answer."""
        given = [columns[role] for role in ("ref_low", "ref_high", "ref_text") if role in columns]
        if not given:
            return case
        asks = np.array([bool(p.unit and p.analyte and self._stretched.asks_laboratory(p.analyte)) for p in self.names.pairs.things])
        printed = np.zeros(len(case), bool)
        for column in given:
            printed |= column.is_not_null().to_numpy()
        places = np.flatnonzero(asks.take(pair) & printed)
        if not places.size:
            return case
        chosen = pl.DataFrame(
            {role: _plain(columns[role].gather(places)) for role in ("ref_low", "ref_high", "ref_text") if role in columns}
        )
        distinct = chosen.unique(maintain_order=True)
        with LOCK:
            numbers = [self._range(row) for row in distinct.iter_rows(named=True)]
        joined = chosen.join(
            distinct.with_columns(_n=pl.Series(numbers, dtype=pl.Int32)),
            on=chosen.columns,
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )
        case = case.copy()
        case[places] = self._ranged(case[places], joined["_n"].to_numpy())
        return case

    def _range(self, row: Mapping[str, Any]) -> int:
        printed = (row.get("ref_low"), row.get("ref_high"), row.get("ref_text"))
        return self.cases.ranges.number(tuple((type(part), part) for part in printed), printed)

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

    def answer(self, columns: Columns, height: int) -> dict[str, pl.Series]:
        """The answer columns of a batch, by their names without a prefix.

        Args:
            columns: Role -> column; roles that are missing are unknown.
            height: How many rows there are.
        """
        if not height:
            return {name: pl.Series(name, [], dtype=dtype) for name, dtype in self.schema().items()}
        columns = {role: column.alias(role) for role, column in columns.items()}  # "^x$" is a pattern to the engine
        classes, values = self._read(columns, height)
        values = self._merge(classes, values)
        pair, case = (_each_row(part, height) for part in self._cases_of(columns, classes, values.rest))
        case = self._with_ranges(columns, pair, case)
        rows = _each_row(self._stretch(case, values.op), height)
        tables = self.cases.tables()
        stretch = tables.first.take(rows) + place(tables, rows, values.number)
        answers = tables.answers.take(stretch)
        answers = self._refused(values, pair, answers)
        answers, near = self._alone(columns, values, case, tables, rows, stretch, answers)
        out = self._writer.written(values, pair, answers)
        if self._near:
            out["near_limit"] = self._writer.near_limit(columns["value"], values, stretch, answers, tables, near)
        return out

    def _refused(self, values: Numbers, pair: Ints, answers: Ints) -> Ints:
        """A value that cannot be read is the reason, unless the name was not understood."""
        if values.state is None:
            return answers
        odd = np.flatnonzero(values.state)
        named = np.array([p.named for p in self.names.pairs.things]).take(pair[odd])
        answers = answers.copy()
        for state, number in self.cases.nothing.items():
            answers[odd[named & (values.state[odd] == state)]] = number
        return answers

    def _alone(
        self, columns: Columns, values: Numbers, case: Ints, tables: Tables, rows: Ints, stretch: Ints, answers: Ints
    ) -> tuple[Ints, dict[int, bool]]:
        """Rows whose number says more than a float: ranges, and long decimals that end beside a line."""
        places = np.flatnonzero(values.state == ALONE) if values.state is not None else np.empty(0, np.int64)
        if not values.short:  # a float column: its number as printed may have 17 digits and lie on one side of a line it equals
            places = np.union1d(places, self._on_a_line(values, tables, rows, stretch))
        if not places.size:
            return answers, {}
        answers = answers.copy()
        texts = columns["value"].gather(places).to_list()
        ops = np.broadcast_to(values.op, answers.shape)
        known: dict[Any, Answer | None] = {}
        near: dict[int, bool] = {}
        for at, raw in zip(places.tolist(), texts, strict=True):
            key = (type(raw), raw, int(case[at]), int(ops[at]))  # equal numbers of two types may mean two
            if key not in known:
                known[key] = self._single(*key[1:])
            answer = known[key]
            if answer is not None:
                answers[at] = self.cases.answer(answer)
                near[at] = self._beside(answer, raw)
        return answers, near

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
        at = stretch - tables.first.take(rows)
        last = np.minimum(at, width - 1)
        above = tables.edges.take(rows * width + last)
        below = np.where(at > 0, tables.edges.take(rows * width + np.maximum(at - 1, 0)), -np.inf)
        return np.flatnonzero((values.number == below) | (np.nextafter(values.number, np.inf) == above))

    def _single(self, raw: Any, case: int, op: int) -> Answer | None:
        """The answer for one value as printed; None where the row has one already."""
        pair, patient, printed = self.cases.cases.things[case]
        if pair.analyte is None or pair.unit is None:
            return None
        read = self._value_of(raw)
        if isinstance(read, Unreadable) or (isinstance(raw, float) and len(read.value.as_tuple().digits) <= DIGITS):
            return None
        comparator = "~" if read.high is not None else OPS[op]
        with LOCK:
            return self._stretched.one(pair.analyte, Quantity(read.value, pair.unit, comparator, read.high), patient, printed)


def _is_years(role: str, column: pl.Series) -> bool:
    """Whether a column holds ages as numbers, which need no dictionary."""
    return role == "age_years" and (column.dtype.is_numeric() or column.dtype == pl.Object)


def _each_row(part: Any, height: int) -> Any:
    """One class for each row."""
    if isinstance(part, Coded):
        return part.rows()
    return part if isinstance(part, np.ndarray) else np.full(height, part, np.int64)


def _plain(column: pl.Series) -> pl.Series:
    """A column of range ends as numbers or texts that Python reads as they are printed."""
    if column.dtype in (pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    if column.dtype == pl.Float32:
        return column.cast(pl.String).cast(pl.Float64)
    if column.dtype == pl.Object:  # a number among texts stays a number that reads one way
        return pl.Series(column.name, [written(value) for value in column.to_list()], dtype=pl.String)
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        return pl.Series(column.name, [None] * len(column), dtype=pl.String)
    return column
