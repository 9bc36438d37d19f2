"""Kinds of rows, each with its edges and answers as arrays: what a batch of numbers is placed in.

A case is an analyte in a unit for a kind of person (and, where it can matter, with one printed range). Cases are
learned when rows first show them; their edges lie in one matrix, padded, so that a band is found by a few comparisons.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labinterp._frames.classes import Names, Numbered, Pair, People
from labinterp._frames.numbers import AMBIGUOUS, OPS, UNREADABLE
from labinterp._frames.stretches import NO_RANGE, Answer, Stretched, Stretches
from labinterp._frames.texts import LOCK, Ints
from labinterp._inputs import Patient

Floats = npt.NDArray[np.float64]


class Case(NamedTuple):
    """One kind of row."""

    pair: Pair
    patient: Patient
    printed: tuple[Any, Any, Any] = NO_RANGE


class Tables(NamedTuple):
    """All stretches known so far, as arrays.

    Attributes:
        edges: One row of padded edges after the other, 2 ** levels - 1 each.
        levels: How many comparisons find a stretch.
        first: Where the answers of each row of edges begin.
        answers: Number of the answer of each stretch.
        below: The nearest line at or below, of each stretch.
        above: The nearest line above.
    """

    edges: Floats
    levels: int
    first: Ints
    answers: Ints
    below: Floats
    above: Floats


class Cases:
    """What is known of kinds of rows.

    Args:
        names: Classes of names and units.
        people: Classes of persons.
        stretched: Where answers are learned.
    """

    def __init__(self, names: Names, people: People, stretched: Stretched) -> None:
        self._names, self._people, self._stretched = names, people, stretched
        self.cases: Numbered[Case] = Numbered()
        self.ranges: Numbered[tuple[Any, Any, Any]] = Numbered()
        self.answers: Numbered[Answer] = Numbered()
        self._stretches: Numbered[Stretches] = Numbered()
        self._tables: tuple[int, Tables] | None = None
        self.nothing = {
            UNREADABLE: self.answer(Answer(reason="unreadable_value", read=False)),
            AMBIGUOUS: self.answer(Answer(reason="ambiguous_number", read=False)),
        }

    def case(self, pair: int, person: int) -> int:
        """The case of a pair and a person."""
        of, patient = self._names.pairs.things[pair], self._people.persons.things[person]
        if of.reason is not None or of.analyte is None:
            return self.cases.number(of, Case(of, patient))
        contexts = patient.contexts if self._stretched.asks_laboratory(of.analyte) else None
        return self.cases.number((of, self._stretched.rule_key(of.analyte, patient), contexts), Case(of, patient))

    def with_range(self, case: int, printed: int) -> int:
        """The case of rows beside which the laboratory printed a range."""
        plain = self.cases.things[case]
        if plain.pair.unit is None:
            return case
        found = self._stretched.printed(self.ranges.things[printed], plain.pair.unit)
        return case if found is None else self.cases.number((case, found), plain._replace(printed=self.ranges.things[printed]))

    def stretch(self, case: int, op: int) -> int:
        """The row of edges of a case and a comparator."""
        pair, patient, printed = self.cases.things[case]
        if pair.reason is not None or pair.analyte is None or pair.unit is None:
            found = Stretches((), (Answer(reason=pair.reason, read=False),))
        elif OPS[op] == "~":  # read on its own: any answer will do here
            found = Stretches((), (Answer(),))
        else:
            found = self._stretched.of(pair.analyte, pair.unit, OPS[op], patient, printed)
        return self._stretches.number(found, found)

    def answer(self, answer: Answer) -> int:
        """The number of an answer."""
        return self.answers.number(answer._replace(below=0.0, above=0.0), answer)

    def tables(self) -> Tables:
        """Everything known as arrays; made anew only after something was learned."""
        known = self._stretches.things
        tables = self._tables
        if tables is None or tables[0] != len(known):
            with LOCK:
                tables = self._tables = (len(known), self._built(list(known)))
        return tables[1]

    def _built(self, known: list[Stretches]) -> Tables:
        levels = max((len(one.edges) for one in known), default=0).bit_length()
        edges = np.full((len(known), 2**levels - 1), np.nan)  # no number passes the padding
        first: list[int] = []
        answers: list[int] = []
        below: list[float] = []
        above: list[float] = []
        for row, one in enumerate(known):
            edges[row, : len(one.edges)] = one.edges
            first.append(len(answers))
            answers.extend(self.answer(answer) for answer in one.answers)
            below.extend(answer.below for answer in one.answers)
            above.extend(answer.above for answer in one.answers)
        return Tables(
            edges.ravel(), levels, np.array(first, np.int64), np.array(answers, np.int64),
            np.array(below, np.float64), np.array(above, np.float64),
        )  # fmt: skip


def place(tables: Tables, rows: Ints, numbers: Floats) -> Ints:
    """In which stretch of its row of edges each number lies: how many edges it has passed."""
    width = 2**tables.levels - 1
    start = rows * width
    at = start.copy()
    for level in reversed(range(tables.levels)):
        step = 2**level
        at += (numbers >= tables.edges.take(at + (step - 1))) * step
    placed: Ints = at - start
    return placed
