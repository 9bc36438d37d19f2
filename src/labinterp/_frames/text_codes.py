"""The distinct texts of a frame -> codes, as small tables that an engine joins on the texts as they stand.

Each text is read by the classes, which read it as that of a single result. Codes are counted from 0 for one frame, so
that the tables joined later are small.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import polars as pl

from labinterp._facts import read_date
from labinterp._frames.asked import Asked
from labinterp._frames.carried import Rows
from labinterp._frames.cases import Cases
from labinterp._frames.classes import Names, Numbered, People
from labinterp._frames.numbers import ALONE, OPS, ValueReader
from labinterp._frames.numbers import AMBIGUOUS as READS_TWO_WAYS
from labinterp._frames.numbers import UNREADABLE as NOT_READ
from labinterp._frames.row_keys import AMBIGUOUS, NAMES, NOTHING, PLAIN, RANGES, Marks, RowKeys
from labinterp._frames.stretches import Stretched
from labinterp._frames.texts import as_text
from labinterp._frames.words import Written
from labinterp._quantity import ReadValue, Unreadable, read_value
from labinterp._reported import merge
from labinterp.errors import InputError

NONE = -1  # no code


class Learned(NamedTuple):
    """What is learned for one question, and serves the next frame, too."""

    names: Names
    people: People
    stretched: Stretched
    cases: Cases
    marks: Marks


def learned(asked: Asked) -> Learned:
    """The same question gets the same classes."""
    authority = tuple(sorted(asked.authority.items())) if isinstance(asked.authority, Mapping) else asked.authority
    key = ("engine", authority, asked.as_of, asked.decimal)
    made: Learned = asked.catalog.learn(key, lambda: _nothing_yet(asked))
    return made


def _nothing_yet(asked: Asked) -> Learned:
    names, people = Names.of(asked.catalog), People.of(asked.catalog)
    stretched = Stretched(asked.catalog, asked.authority, asked.as_of, asked.decimal)
    return Learned(names, people, stretched, Cases(names, people, stretched, Written(asked.catalog)), Marks(people))


class TextCodes:
    """Codes of what was seen in a frame.

    Args:
        known: The classes.
        keys: What is looked up of a row.
        seen: The distinct rows of each part of `keys.layout`.

    Attributes:
        nil: The text that stands for a missing one.
        pairs: What names and units mean: code -> pair of the classes.
        kinds: Persons that no answer of this frame tells apart: code -> a person of the classes.
        rests: Texts behind a number: code -> unit of the classes; 0 is none.
        ranges: Printed ranges that can change an answer: code -> range of the classes; 0 is none.
        alone: Values that are compared on their own, as they are read; the code is their place.
        ops: Comparators that occur.
    """

    def __init__(self, known: Learned, keys: RowKeys, seen: Mapping[str, Rows]) -> None:
        self._known, self._keys, self._seen = known, keys, seen
        self.nil = self._unused_text()
        self.rests: Numbered[int] = Numbered()
        self.rests.number(known.names.unit(None), known.names.unit(None))
        self.alone: list[ReadValue] = []
        self.values = self._values()
        self.ops = {op for op, *_ in self._ops_seen()} | {0}
        self.comparators = self._comparators()
        self._kept: Numbered[tuple[int, int]] = Numbered()
        self.pairs: Numbered[int] = Numbered()
        self.names = self._names()
        self.with_rests = self._with_rests()
        self.kinds: Numbered[int] = Numbered()
        self.facts = self._facts()
        self.ranges: Numbered[int] = Numbered()
        self.printed = self._printed()

    # --- tables ----------------------------------------------------------------------------------------------

    def _columns(self, part: str) -> dict[str, list[Any]]:
        """What was seen of one part, column by column."""
        layout, rows = self._keys.layout.get(part, []), self._seen.get(part, [])
        return dict(zip(layout, map(list, zip(*rows, strict=True)), strict=True)) if rows else {name: [] for name in layout}

    def _unused_text(self) -> str:
        nil = "(null)"
        while any(isinstance(cell, str) and cell.startswith(nil) for rows in self._seen.values() for row in rows for cell in row):
            nil += ")"
        return nil

    def _as_texts(self, columns: Mapping[str, list[Any]], role: str) -> list[str | None]:
        raw = columns.get(f"raw_{role}")
        return columns[role] if raw is None else as_text(pl.Series(raw, strict=False)).to_list()

    def _keyed(self, columns: Mapping[str, list[Any]], roles: Iterable[str], more: Mapping[str, Any]) -> pl.DataFrame:
        """A table whose keys are texts, as the engine writes them: one row for each."""
        made = {f"key_{role}": pl.Series([self.nil if text is None else text for text in columns[role]], dtype=pl.String) for role in roles}
        return self.table({**made, **more}).unique([self._keys.name(name) for name in made], keep="any")

    def lacking(self, roles: Iterable[str]) -> list[str]:
        """The roles whose texts are missing in some rows."""
        parts = [self._columns(part) for part in self._keys.layout]
        return [role for role in roles if any(None in part[role] for part in parts if role in part)]

    def table(self, columns: Mapping[str, Any]) -> pl.DataFrame:
        """A table of columns that begin as all columns made for this frame do."""
        return pl.DataFrame({self._keys.name(name): column for name, column in columns.items()})

    # --- what a row is of --------------------------------------------------------------------------------------

    def _names(self) -> pl.DataFrame:
        """Names, codes, specimens and units -> their pair, or what they mean so far where a text behind the number may add to it."""
        names, columns, roles = self._known.names, self._columns("names"), self._keys.here(NAMES)
        readers = {"test": names.test, "loinc": names.code, "specimen": names.specimen, "unit": names.unit}
        size = len(columns[roles[0]])
        read = {role: list(map(_once(readers[role]), self._as_texts(columns, role))) for role in roles}
        classes = [read.get(role) or [readers[role](None)] * size for role in NAMES]
        meaning = _once(lambda of: names.meaning(*of))
        found = [(meaning((test, code, specimen)), unit) for test, code, specimen, unit in zip(*classes, strict=True)]
        kept = [self._kept.number(one, one) for one in found]
        if len(self.rests.things) == 1:
            pair = _once(lambda of: names.pair(of[0], of[1], self.rests.things[0]))
            return self._keyed(columns, roles, {"pair": pl.Series([self._pair(pair(one)) for one in found], dtype=pl.Int64)})
        return self._keyed(columns, roles, {"kept": pl.Series(kept, dtype=pl.Int64)})

    def _with_rests(self) -> pl.DataFrame:
        """What is meant, with each text behind the number -> the pair."""
        names, rests = self._known.names, self.rests.things
        pairs = [self._pair(names.pair(kept[0], kept[1], rest)) for kept in self._kept.things for rest in rests] if len(rests) > 1 else []
        return self.table({"key_meant": pl.Series(range(len(pairs)), dtype=pl.Int64), "pair": pl.Series(pairs, dtype=pl.Int64)})

    def _pair(self, pair: int) -> int:
        return self.pairs.number(pair, pair)

    # --- what the value is --------------------------------------------------------------------------------------

    def _values(self) -> pl.DataFrame:
        """Texts of values that are not plainly numbers -> how they read."""
        columns = self._columns("values")
        texts = sorted({text for text in columns.get("odd", []) if text is not None})
        reader = ValueReader(self._keys.decimal, self._known.names.unit)
        read = reader.read(pl.Series(texts, dtype=pl.String))
        made: dict[str, list[Any]] = {"number": [], "op": [], "how": [], "rest": [], "alone": []}
        for row, text in enumerate(texts):
            state = 0 if read.state is None else int(read.state[row])
            number, op, rest = float(read.number[row]), _at(read.op, row), _at(read.rest, row)
            how = {READS_TWO_WAYS: AMBIGUOUS, NOT_READ: NOTHING}.get(state, PLAIN)
            made["number"].append(number if how == PLAIN else None)
            made["op"].append(op)
            made["how"].append(how)
            made["rest"].append(self.rests.number(rest, rest))
            value = read_value(text, self._keys.decimal) if state == ALONE else None
            made["alone"].append(NONE if value is None or isinstance(value, Unreadable) else len(self.alone))
            if isinstance(value, ReadValue):
                self.alone.append(value)
        types = {"number": pl.Float64}
        more = {f"odd_{name}": pl.Series(column, dtype=types.get(name, pl.Int64)) for name, column in made.items()}
        return self.table({"key_odd": pl.Series(texts, dtype=pl.String), **more})

    def _ops_seen(self) -> list[tuple[int, str | None]]:
        columns = self._columns("values")
        found = set(zip(columns["op"], columns["odd"], strict=True)) if columns else set()
        by_text = dict(zip(self.values[self._keys.name("key_odd")], self.values[self._keys.name("odd_op")], strict=True))
        return [(op if odd is None else by_text[odd], odd) for op, odd in found]

    def _comparators(self) -> pl.DataFrame:
        """A comparator printed in its own column, and one printed with the value -> what holds, or none where they disagree."""
        columns = self._columns("comparators")
        if not columns:
            return self.table({})
        texts, ops = self._as_texts(columns, "comparator"), sorted(self.ops)
        both = [(key, text, op) for key, text in zip(columns["comparator"], texts, strict=True) for op in ops]
        merged = _once(lambda of: _merged(*of))
        becomes = [merged((text, op)) for _, text, op in both]
        self.ops |= {op for op in becomes if op != NONE}
        made = {"key_op": pl.Series([op for *_, op in both], dtype=pl.Int64), "merged": pl.Series(becomes, dtype=pl.Int64)}
        keys = pl.Series([self.nil if key is None else key for key, *_ in both], dtype=pl.String)
        table = self.table({"key_comparator": keys, **made})
        return table.unique([self._keys.name("key_comparator"), self._keys.name("key_op")], keep="any")

    # --- whom it is of ---------------------------------------------------------------------------------------------

    def _facts(self) -> pl.DataFrame:
        """Facts of persons -> kinds of persons."""
        people, columns = self._known.people, self._columns("facts")
        readers = {"sex": people.sex, "pregnant": people.pregnancy, "context": people.context, "age_years": people.age_text}
        size = max(map(len, columns.values()), default=1)
        classes: dict[str, list[int]] = {role: [reader(None)] * size for role, reader in readers.items()}
        for role in self._keys.facts:
            classes[role] = list(map(_once(readers[role]), self._as_texts(columns, role)))
        if "age" in columns:  # an age that is given comes first
            keyed = map(_once(self._known.marks.age_class), columns["age"])
            classes["age_years"] = [given or age for given, age in zip(classes["age_years"], keyed, strict=True)]
        person, kind = _once(lambda of: people.person(*of)), _once(self._kind)
        kinds = [kind(person(of)) for of in zip(*(classes[role] for role in readers), strict=True)]
        more = {"kind": pl.Series(kinds, dtype=pl.Int64)}
        if "age" in columns:
            more = {"key_age": pl.Series(columns["age"], dtype=pl.Int64), **more}
        if not self._keys.facts:
            return self.table(more)
        made = {
            f"key_{role}": pl.Series([self.nil if t is None else t for t in columns[role]], dtype=pl.String) for role in self._keys.facts
        }
        return self.table({**made, **more})

    def _kind(self, person: int) -> int:
        """Persons for whom every analyte of this frame has the same lines are of one kind."""
        names, cases = self._known.names.pairs.things, self._known.cases
        by_analyte = {names[pair].analyte: pair for pair in self.pairs.things if names[pair].unit is not None}
        return self.kinds.number(tuple(cases.case(pair, person) for pair in by_analyte.values()), person)

    # --- what the laboratory printed beside it -------------------------------------------------------------------------

    def _printed(self) -> pl.DataFrame:
        """Ranges as printed -> ranges that are read alike in every unit of this frame."""
        columns, known = self._columns("ranges"), self._known
        self.ranges.number((), NONE)
        if not columns:
            return self.table({})
        pairs = [known.names.pairs.things[pair] for pair in self.pairs.things]
        units = sorted({p.unit for p in pairs if p.unit and p.analyte and known.stretched.asks_laboratory(p.analyte)})
        roles = self._keys.here(RANGES)
        raw = {role: columns.get(f"raw_{role}", columns[role]) for role in roles}
        codes = []
        for ends in zip(*(raw[role] for role in roles), strict=True):
            of = dict(zip(roles, ends, strict=True))
            printed = (of.get("ref_low"), of.get("ref_high"), of.get("ref_text"))
            read = tuple(known.stretched.printed(printed, unit) for unit in units)
            key = read if any(one is not None for one in read) else ()
            codes.append(self.ranges.number(key, known.cases.ranges.number(tuple((type(end), end) for end in printed), printed)))
        return self._keyed(columns, roles, {"range": pl.Series(codes, dtype=pl.Int64)})


def days_read(own: str, role: str, texts: Iterable[str]) -> pl.DataFrame:
    """Texts of days -> months since the year 0, day of the month, and the number of the day; nothing where they are no day."""
    texts = list(texts)
    days = [_day(text) for text in texts]
    found = {
        "month": [day and day.year * 12 + day.month for day in days],
        "day": [day and day.day for day in days],
        "number": [day and day.toordinal() for day in days],
    }
    made = {f"{own}{role}_{of}": pl.Series(column, dtype=pl.Int64) for of, column in found.items()}
    return pl.DataFrame({f"{own}key_{role}": pl.Series(texts, dtype=pl.String), **made})


def _day(text: str) -> Any:
    try:
        return read_date(text)
    except InputError:
        return None


def _merged(text: str | None, op: int) -> int:
    """What becomes of a comparator printed with the value beside one in its own column; as for a single result."""
    read = read_value({OPS.index("~"): "1-2"}.get(op, f"{OPS[op]}1"))
    merged = merge(read, text) if text and isinstance(read, ReadValue) else read
    return NONE if not isinstance(merged, ReadValue) else OPS.index(merged.comparator)


def _once(function: Any) -> Any:
    """A function that is asked once for each argument."""
    known: dict[Any, Any] = {}

    def ask(argument: Any) -> Any:
        found = known.get(argument, known)
        if found is known:
            found = known[argument] = function(argument)
        return found

    return ask


def _at(part: Any, row: int) -> int:
    return int(part[row]) if hasattr(part, "__getitem__") else int(part)
