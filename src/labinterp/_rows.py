"""A batch of rows as columns -> the columns of their answers.

Every text becomes a class (`_texts`, `_classes`), classes meet in small tables (`_cases`), and a number is placed by
counting the edges it has passed. What is looked up was learned from the way a single result goes: nothing is decided
here.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from labinterp._ages import AgeReader
from labinterp._cases import Cases, Ints, Tables, place
from labinterp._catalog import Catalog
from labinterp._classes import Names, Numbered, People
from labinterp._codes import CODES, REASONS
from labinterp._measure import merge
from labinterp._numbers import ALONE, AMBIGUOUS, DIGITS, OPS, READ, UNREADABLE, Numbers, ValueReader, written
from labinterp._quantity import Quantity, ReadValue, Unreadable, read_value
from labinterp._results import reach
from labinterp._stretches import Stretched
from labinterp._texts import LOCK, Meet, Texts, Together, as_text

Columns = Mapping[str, pl.Series]


class Vocabulary:
    """The closed lists the answer columns take their words from."""

    def __init__(self, catalog: Catalog) -> None:
        table = catalog.table
        bands = [band[0] for limits in table["limits"].values() for p in limits["populations"] for band in p["bands"]]
        own = [band for entry in table["analytes"].values() for name, band in entry["lab_range"].items() if name != "first"]
        units = dict.fromkeys(unit for entry in table["analytes"].values() for unit in (entry["si"], *entry["factors"]))
        self.words: dict[str, list[str]] = {
            "analyte": list(table["analytes"]),
            "comparator": list(OPS[1:]),
            "unit": list(units),
            "si_unit": list(units),
            "code": list(CODES),
            "band": list(dict.fromkeys([*bands, *own])),
            "limits": ["reported", *table["limits"]],
            "reason": list(REASONS),
        }
        self.types: dict[str, Any] = {name: pl.Enum(words) for name, words in self.words.items()}
        # each word at its number, and nothing at the end
        self.series = {name: pl.Series([*words, None], dtype=self.types[name]) for name, words in self.words.items()}
        self._at = {name: {word: number for number, word in enumerate(words)} for name, words in self.words.items()}

    def number(self, name: str, word: str | None) -> int:
        """Where a word stands; the end for None."""
        return len(self.words[name]) if word is None else self._at[name][word]


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
        self.vocabulary = Vocabulary(catalog)
        names, people = self.names, self.people
        self._texts = {
            "test": Texts(names.test), "loinc": Texts(names.code), "specimen": Texts(names.specimen), "unit": Texts(names.unit),
            "sex": Texts(people.sex), "pregnant": Texts(people.pregnancy), "context": Texts(people.context),
        }  # fmt: skip
        self._values, self._ages = ValueReader(decimal, names.unit), AgeReader(people)
        self._merged: Numbered[tuple[int, ...]] = Numbered()
        self._texts["comparator"] = Texts(self._comparator)
        coded, kept, sexed, declared = Together(), Together(), Together(), Together()
        self._coded = Meet(coded)
        self._meaning = Meet(lambda both, specimen: names.meaning(*coded.parts[both], specimen))
        self._kept = Meet(kept)
        self._pair = Meet(lambda both, rest: names.pair(*kept.parts[both], rest))
        self._sexed, self._declared = Meet(sexed), Meet(declared)
        self._person = Meet(lambda both, age: people.person(*sexed.parts[declared.parts[both][0]], declared.parts[both][1], age))
        self._case = Meet(self.cases.case)
        self._ranged = Meet(self.cases.with_range)
        self._stretch = Meet(self.cases.stretch)

    # --- what each row is of, and of whom --------------------------------------------------------------------

    def _class(self, columns: Columns, role: str) -> Any:
        column = columns.get(role)
        return self._texts[role](column) if column is not None else np.int32(self._texts[role](pl.Series([None], dtype=pl.String))[0])

    def _cases_of(self, columns: Columns, rest: Any) -> tuple[Any, Any]:
        meaning = self._meaning(self._coded(self._class(columns, "test"), self._class(columns, "loinc")), self._class(columns, "specimen"))
        pair = self._pair(self._kept(meaning, self._class(columns, "unit")), rest)
        age = self._ages.read(columns.get("age_years"), columns.get("birth_date"), columns.get("collected_at"))
        both = self._declared(self._sexed(self._class(columns, "sex"), self._class(columns, "pregnant")), self._class(columns, "context"))
        return pair, self._case(pair, self._person(both, age))

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

    def _merge(self, columns: Columns, values: Numbers) -> Numbers:
        """Values and their comparator column."""
        if "comparator" not in columns:
            return values
        stated = self._texts["comparator"](columns["comparator"])
        op = np.array(self._merged.things, np.int32)[stated, values.op]
        state = np.where((op < 0) & (values.state != AMBIGUOUS), np.int8(UNREADABLE), values.state)
        return values._replace(op=np.maximum(op, 0).astype(np.int32), state=state)

    # --- answers ----------------------------------------------------------------------------------------------

    def answer(self, columns: Columns, height: int) -> dict[str, pl.Series]:
        """The answer columns of a batch, by their names without a prefix.

        Args:
            columns: Role -> column; roles that are missing are unknown.
            height: How many rows there are.
        """
        if not height:
            return {name: pl.Series(name, [], dtype=dtype) for name, dtype in self.schema().items()}
        values = self._values.read(columns["value"]) if "value" in columns else self._values.read(pl.Series([None] * height))
        values = self._merge(columns, values)
        pair, case = (np.broadcast_to(np.asarray(part, np.int32), (height,)) for part in self._cases_of(columns, values.rest))
        case = self._with_ranges(columns, pair, case)
        rows = np.broadcast_to(np.asarray(self._stretch(case, values.op), np.int32), (height,))
        tables = self.cases.tables()
        stretch = tables.first.take(rows) + place(tables, rows, values.number)
        answers = tables.answers.take(stretch)
        answers = self._refused(values, pair, answers)
        answers = self._alone(columns, values, pair, case, tables, rows, stretch, answers)
        out = self._written(values, pair, answers)
        if self._near:
            out["near_limit"] = self._near_limit(columns["value"], values, stretch, answers, tables)
        return out

    def schema(self) -> dict[str, Any]:
        """Names and types of the answer columns."""
        types, number = self.vocabulary.types, pl.Float64()
        order = {
            "analyte": types["analyte"], "comparator": types["comparator"], "value": number, "unit": types["unit"], "si_value": number,
            "si_unit": types["si_unit"], "code": types["code"], "band": types["band"], "limits": types["limits"], "reason": types["reason"],
        }  # fmt: skip
        return {**order, "near_limit": pl.Boolean()} if self._near else order

    def _refused(self, values: Numbers, pair: Ints, answers: Ints) -> Ints:
        """A value that cannot be read is the reason, unless the name was not understood."""
        odd = np.flatnonzero(values.state != READ)
        if not odd.size:
            return answers
        named = np.array([p.named for p in self.names.pairs.things]).take(pair[odd])
        answers = answers.copy()
        for state, number in self.cases.nothing.items():
            answers[odd[named & (values.state[odd] == state)]] = number
        return answers

    def _alone(
        self, columns: Columns, values: Numbers, pair: Ints, case: Ints, tables: Tables, rows: Ints, stretch: Ints, answers: Ints
    ) -> Ints:
        """Rows whose number says more than a float: ranges, and long decimals that end beside a line."""
        places = np.flatnonzero(values.state == ALONE)
        if not values.short:  # a float column: its number as printed may have 17 digits and lie on one side of a line it equals
            places = np.union1d(places, self._on_a_line(values, tables, rows, stretch))
        if not places.size:
            return answers
        answers = answers.copy()
        texts = columns["value"].gather(places).to_list()
        ops = np.broadcast_to(values.op, answers.shape)
        known: dict[Any, int] = {}
        for at, raw in zip(places.tolist(), texts, strict=True):
            key = (raw, int(case[at]), int(ops[at]))
            if key not in known:
                known[key] = self._single(*key)
            if known[key] >= 0:
                answers[at] = known[key]
        return answers

    def _on_a_line(self, values: Numbers, tables: Tables, rows: Ints, stretch: Ints) -> Any:
        width = 2**tables.levels - 1
        at = stretch - tables.first.take(rows)
        last = np.minimum(at, width - 1)
        above = tables.edges.take(rows * width + last)
        below = np.where(at > 0, tables.edges.take(rows * width + np.maximum(at - 1, 0)), -np.inf)
        return np.flatnonzero((values.number == below) | (np.nextafter(values.number, np.inf) == above))

    def _single(self, raw: Any, case: int, op: int) -> int:
        """The answer for one value as printed; -1 where the row has one already."""
        pair, patient, printed = self.cases.cases.things[case]
        if pair.analyte is None or pair.unit is None:
            return -1
        read = read_value(written(raw) if isinstance(raw, Decimal) else raw, self._decimal)
        if isinstance(read, Unreadable) or (isinstance(raw, float) and len(read.value.as_tuple().digits) <= DIGITS):
            return -1
        comparator = "~" if read.high is not None else OPS[op]
        quantity = Quantity(read.value, pair.unit, comparator, read.high)
        with LOCK:
            return self.cases.answer(self._stretched.one(pair.analyte, quantity, patient, printed))

    def _written(self, values: Numbers, pair: Ints, answers: Ints) -> dict[str, pl.Series]:
        """Answers and numbers as columns of words and numbers."""
        words = self.vocabulary
        pairs, known = self.names.pairs.things, self.cases.answers.things

        def of_pairs(name: str, chosen: Any) -> Any:
            return np.array([words.number(name, chosen(p)) for p in pairs], np.uint32)

        def of_answers(name: str) -> Any:
            return np.array([words.number(name, getattr(a, name)) for a in known], np.uint32)

        entries = self._stretched.catalog.table["analytes"]
        factors = np.array([self._factor(p.analyte, p.unit) for p in pairs])
        read = np.array([a.read for a in known]).take(answers)
        found = np.array([a.code is not None for a in known]).take(answers)
        op = np.broadcast_to(values.op, answers.shape)
        columns = {
            "analyte": of_pairs("analyte", lambda p: p.analyte).take(pair),
            "comparator": np.where(read & (op > 0), op - 1, len(OPS) - 1),
            "unit": np.where(read, of_pairs("unit", lambda p: p.unit).take(pair), len(words.words["unit"])),
            "si_unit": np.where(found, of_pairs("si_unit", lambda p: p.analyte and entries[p.analyte]["si"]).take(pair), len(words.words["si_unit"])),
            **{name: of_answers(name).take(answers) for name in ("code", "band", "limits", "reason")},
        }  # fmt: skip
        out = {name: words.series[name].gather(pl.Series(numbers.astype(np.uint32, copy=False))) for name, numbers in columns.items()}
        out["value"] = pl.Series(np.where(read, values.number, np.nan), nan_to_null=True)
        out["si_value"] = pl.Series(np.where(found, values.number * factors.take(pair), np.nan), nan_to_null=True)
        return {name: out[name].alias(name) for name in self.schema() if name in out}

    def _factor(self, analyte: str | None, unit: str | None) -> float:
        if analyte is None or unit is None:
            return 1.0
        return self._stretched.catalog.si_factor(analyte, unit)[0] or 1.0

    def _near_limit(self, column: pl.Series, values: Numbers, stretch: Ints, answers: Ints, tables: Tables) -> pl.Series:
        """Whether each value lies within half of its last printed digit of a line; nothing where there is no answer."""
        found = np.array([a.code is not None for a in self.cases.answers.things]).take(answers)
        half = np.array([reach(decimals) for decimals in range(-30, 330)]).take(self._decimals(column) + 30)
        number = values.number
        near = (number - tables.below.take(stretch) <= half) | (tables.above.take(stretch) - number <= half)
        near &= np.broadcast_to(values.op, near.shape) != OPS.index("~")
        return pl.Series("near_limit", near).set(pl.Series(~found), None)

    def _decimals(self, column: pl.Series) -> Any:
        """How many decimals each value was printed with."""
        texts = column if column.dtype == pl.String else pl.Series([written(v) for v in column.to_list()], dtype=pl.String)
        distinct = texts.unique()
        counted = [self._decimals_of(text) for text in distinct]
        return texts.replace_strict(distinct, pl.Series(counted, dtype=pl.Int32), return_dtype=pl.Int32).fill_null(0).to_numpy()

    def _decimals_of(self, text: str | None) -> int:
        read = Unreadable("", "") if text is None else read_value(text, self._decimal)
        if isinstance(read, Unreadable):
            return 0
        exponent = read.value.as_tuple().exponent
        return max(-30, min(329, -exponent)) if isinstance(exponent, int) else 0


def _plain(column: pl.Series) -> pl.Series:
    """A column of range ends as numbers or texts that Python reads as they are printed."""
    if column.dtype in (pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    if column.dtype == pl.Float32:
        return column.cast(pl.String).cast(pl.Float64)
    if column.dtype == pl.Object:
        return as_text(column)
    return column
