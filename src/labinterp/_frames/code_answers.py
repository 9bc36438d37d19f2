"""Codes -> answers, as small tables that an engine joins: kinds of rows, their edges, and the words of each stretch."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from math import inf, nextafter
from typing import Any

import polars as pl

from labinterp._frames.cases import Case
from labinterp._frames.classes import Numbered, Pair
from labinterp._frames.numbers import DIGITS, OPS
from labinterp._frames.stretches import Answer, Stretches
from labinterp._frames.text_codes import NONE, Learned, TextCodes
from labinterp._frames.words import WORDS, Written
from labinterp._quantity import Quantity, Unreadable, read_value

NUMBERS = ("read", "factor")
FEW_CASES = 5_000  # so many combinations of pairs and kinds each get their own edges; of more, those that are one case share them
UNSEEN = "changed_since_planned"


class CodeAnswers:
    """The answers to all codes of a frame.

    Args:
        known: The classes.
        codes: The codes.
        exact: Whether values are floats, whose last digits may lie on one side of a line which the float equals.

    Attributes:
        unseen: The line of rows that were not there when the plan was made.
        shared: Table: pair and kind of person -> the code of their case; None where each combination is a code of its own.
        size: How many codes of cases there are at first, without printed ranges.
    """

    def __init__(self, known: Learned, codes: TextCodes, exact: bool) -> None:
        self._known, self._codes, self._exact = known, codes, exact
        self._firsts: dict[Any, int] = {}
        self._lines: list[tuple[Pair, int, Answer]] = []
        self.unseen = self._first(Pair(None, None, None, False), 0, (Answer(reason=UNSEEN, read=False),))
        kinds, cases = codes.kinds.things, known.cases
        # the case of each code: those of pairs and kinds first, in order; behind them those with a range
        self._cases = [cases.case(pair, person) for pair in codes.pairs.things for person in kinds]
        self.shared: pl.DataFrame | None = None
        if len(self._cases) > FEW_CASES:
            distinct = {case: code for code, case in enumerate(dict.fromkeys(self._cases))}
            own = pl.Series([distinct[case] for case in self._cases], dtype=pl.Int64)
            self.shared = codes.table({"key_case": pl.Series(range(len(own)), dtype=pl.Int64), "case": own})
            self._cases = list(distinct)
        self.size = len(self._cases)
        self._ranged: Numbered[int] = Numbered()
        self._written = Written(known.names.catalog)
        types = self._written.vocabulary.types
        self._types = {**{name: types[name] for name in WORDS}, "reason": pl.Enum([*types["reason"].categories, UNSEEN])}

    @property
    def codes(self) -> int:
        """How many codes of cases there are by now."""
        return len(self._cases)

    def case_key(self, pair: Any, kind: Any) -> Any:
        """The code of a case, or where codes are shared the key of its code, from numbers or expressions."""
        return pair * len(self._codes.kinds.things) + kind

    def _first(self, pair: Pair, op: int, answers: tuple[Answer, ...]) -> int:
        """Where the lines of these answers stand, one after the other."""
        key = (pair.analyte, pair.unit, op, answers)
        if key not in self._firsts:
            self._firsts[key] = len(self._lines)
            self._lines.extend((pair, op, answer) for answer in answers)
        return self._firsts[key]

    def _refused(self, pair: Pair) -> int:
        """Where the lines of values stand that cannot be read, and that read two ways. That a name is not understood comes first."""
        reasons = ("unreadable_value", "ambiguous_number") if pair.named else (pair.reason, pair.reason)
        return self._first(pair, 0, tuple(Answer(reason=reason, read=False) for reason in reasons))

    def asking(self) -> pl.DataFrame:
        """Table: the cases in which a printed range can change the answer."""
        found = [code for code in range(self.size) if self._asks(self._of(code))]
        return self._codes.table({"key_asking": pl.Series(found, dtype=pl.Int64), "asks": pl.Series([1] * len(found), dtype=pl.Int64)})

    def _of(self, code: int) -> Case:
        return self._known.cases.cases.things[self._cases[code]]

    def _asks(self, case: Case) -> bool:
        pair = case.pair
        return bool(pair.unit and pair.analyte and self._known.stretched.asks_laboratory(pair.analyte))

    # --- combinations that are asked only where they occur ---------------------------------------------------------------

    def moved(self, found: Iterable[tuple[int, int]]) -> pl.DataFrame:
        """Table: case and range -> the case with that range.

        Args:
            found: The combinations that occur.
        """
        cases, ranges, made = self._known.cases, self._codes.ranges.things, sorted(set(found))
        moved = []
        for case, number in made:
            ranged = cases.with_range(self._cases[case], ranges[number])
            if ranged == self._cases[case]:  # it is not read in this unit
                moved.append(case)
                continue
            code = self.size + self._ranged.number((case, ranged), ranged)
            if code == len(self._cases):
                self._cases.append(ranged)
            moved.append(code)
        keys = [self.range_key(*one) for one in made]
        return self._codes.table({"key_moved": pl.Series(keys, dtype=pl.Int64), "moved": pl.Series(moved, dtype=pl.Int64)})

    def range_key(self, case: Any, number: Any) -> Any:
        """The key of a case and a range, as numbers or as expressions."""
        return case * len(self._codes.ranges.things) + number

    def alone(self, found: Iterable[tuple[int, int, int]]) -> pl.DataFrame:
        """Table: case, comparator and value that is compared alone -> its own stretch; none where the case needs no number.

        Args:
            found: The combinations that occur.
        """
        made = sorted(set(found))
        keys, alone = [self.alone_key(*one) for one in made], [self._single(*one) for one in made]
        return self._codes.table({"key_alone": pl.Series(keys, dtype=pl.Int64), "alone": pl.Series(alone, dtype=pl.Int64)})

    def alone_key(self, case: Any, op: Any, value: Any) -> Any:
        """The key of a case, a comparator and a value, as numbers or as expressions."""
        return (case * len(OPS) + op) * len(self._codes.alone) + value

    def _single(self, case: int, op: int, value: int) -> int:
        pair, patient, printed = self._of(case)
        if pair.analyte is None or pair.unit is None:
            return NONE
        read = self._codes.alone[value]
        quantity = Quantity(read.value, pair.unit, "~" if read.high is not None else OPS[op], read.high)
        return self._first(pair, op, (self._known.stretched.one(pair.analyte, quantity, patient, printed),))

    # --- edges and words -----------------------------------------------------------------------------------------------------

    def edges(self) -> pl.DataFrame:
        """Table: case and comparator -> edges, and where the lines of the answers begin. To be asked after `moved`."""
        rows = [(case, op) for case in range(len(self._cases)) for op in sorted(self._codes.ops)]
        made = [self._stretches(case, op) for case, op in rows]
        pairs = [self._of(case).pair for case, _ in rows]
        width = max((len(one.edges) for one in made), default=0)
        first = [self._first(pair, op, one.answers) for pair, (_, op), one in zip(pairs, rows, made, strict=True)]
        return self._codes.table(
            {
                "key_row": pl.Series([self.row_key(case, op) for case, op in rows], dtype=pl.Int64),
                "first": pl.Series(first, dtype=pl.Int64),
                "refused": pl.Series([self._refused(pair) for pair in pairs], dtype=pl.Int64),
                **{
                    f"edge{n}": pl.Series([one.edges[n] if n < len(one.edges) else None for one in made], dtype=pl.Float64)
                    for n in range(width)
                },
            }
        )

    @staticmethod
    def row_key(case: Any, op: Any) -> Any:
        """The key of a case and a comparator, as numbers or as expressions."""
        return case * len(OPS) + op

    def _stretches(self, case: int, op: int) -> Stretches:
        found = self._known.cases.stretches(self._cases[case], op)
        return self._refined(self._of(case), op, found) if self._exact and found.edges else found

    def _refined(self, case: Case, op: int, found: Stretches) -> Stretches:
        """The same where a number has more digits than a float keeps: beside a line it is compared as it is printed."""
        pair, patient, printed = case
        own: dict[float, Answer] = {}
        for x in {near for edge in found.edges for near in (nextafter(edge, -inf), edge)}:
            read = read_value(x)
            if isinstance(read, Unreadable) or len(read.value.as_tuple().digits) <= DIGITS or pair.analyte is None or pair.unit is None:
                continue
            own[x] = self._known.stretched.one(pair.analyte, Quantity(read.value, pair.unit, OPS[op]), patient, printed)
        edges = sorted({*found.edges, *own, *(nextafter(x, inf) for x in own)})
        answers = [found.answers[0], *(own.get(x, found.answers[bisect_right(found.edges, x)]) for x in edges)]
        kept = [n for n in range(len(edges)) if answers[n + 1] != answers[n]]
        return Stretches(tuple(edges[n] for n in kept), (answers[0], *(answers[n + 1] for n in kept)))

    def words(self) -> pl.DataFrame:
        """Table: place -> what is written, 1 where the number is shown, and the factor where there is a finding ("said_..."). To be asked last."""
        lines = [self._written.line(*one) for one in self._lines]
        types = self._types | dict.fromkeys(NUMBERS, pl.Float64())
        columns = zip(*((*line.words, line.read, line.factor) for line in lines), strict=True)
        made = {f"said_{name}": pl.Series(part, dtype=dtype) for (name, dtype), part in zip(types.items(), columns, strict=True)}
        shown = pl.DataFrame(made).with_columns(pl.col(pl.Float64).fill_nan(None))
        return self._codes.table({"key_words": pl.Series(range(len(lines)), dtype=pl.Int64), **shown.to_dict()})
