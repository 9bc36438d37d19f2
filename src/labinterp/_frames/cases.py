"""Kinds of rows, each with its edges and answers as arrays: what a batch of numbers is placed in.

A case is an analyte in a unit for a kind of person (and, where it can matter, with one printed range). Cases are
learned when rows first show them; their edges lie in one matrix, padded, so that a band is found by a few comparisons.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labinterp._frames.classes import Names, Numbered, Pair, People
from labinterp._frames.numbers import OPS, REASON_OF
from labinterp._frames.stretches import NO_RANGE, Answer, Stretched, Stretches
from labinterp._frames.texts import LOCK, Ints
from labinterp._frames.words import Written
from labinterp._inputs import Patient

Floats = npt.NDArray[np.float64]


class Case(NamedTuple):
    """One kind of row."""

    pair: Pair
    patient: Patient
    printed: tuple[Any, Any, Any] = NO_RANGE


class Row(NamedTuple):
    """The stretches of one kind of row with one comparator."""

    edges: tuple[float, ...]
    outs: Ints
    below: tuple[float, ...]
    above: tuple[float, ...]


class Tables(NamedTuple):
    """All stretches known so far, as arrays.

    Attributes:
        edges: One row of padded edges after the other, 2 ** levels - 1 each.
        levels: How many comparisons find a stretch.
        first: Where the stretches of each row of edges begin.
        outs: The line of words that is written of each stretch.
        below: The nearest line at or below, of each stretch.
        above: The nearest line above.
    """

    edges: Floats
    levels: int
    first: Ints
    outs: Ints
    below: Floats
    above: Floats


class Cases:
    """What is known of kinds of rows.

    Args:
        names: Classes of names and units.
        people: Classes of persons.
        stretched: Where answers are learned.
        written: The lines that are written.
    """

    def __init__(self, names: Names, people: People, stretched: Stretched, written: Written) -> None:
        self._names, self._people, self._stretched, self._written = names, people, stretched, written
        self.cases: Numbered[Case] = Numbered()
        self.ranges: Numbered[tuple[Any, Any, Any]] = Numbered()
        self._rows: Numbered[Row] = Numbered()
        self._tables: tuple[int, Tables] | None = None
        self._refused: dict[int, Ints] = {}

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
        pair, found = self.cases.things[case].pair, self.stretches(case, op)
        known = self._rows.numbers.get((pair, op, found))
        if known is not None:
            return known
        outs = np.array([self._written.number(pair, op, answer) for answer in found.answers], np.int64)
        lines = zip(*((answer.below, answer.above) for answer in found.answers), strict=True)
        return self._rows.number((pair, op, found), Row(found.edges, outs, *lines))

    def stretches(self, case: int, op: int) -> Stretches:
        """The edges and answers of a case and a comparator."""
        pair, patient, printed = self.cases.things[case]
        if pair.reason is not None or pair.analyte is None or pair.unit is None:
            return Stretches((), (Answer(reason=pair.reason, read=False),))
        if OPS[op] == "~":  # read on its own: any answer will do here
            return Stretches((), (Answer(),))
        return self._stretched.of(pair.analyte, pair.unit, OPS[op], patient, printed)

    def refused(self, state: int) -> Ints:
        """For each pair the line that is written where the value cannot be read; -1 where the name was not understood, which comes first."""
        known, pairs = self._refused.get(state), self._names.pairs.things
        if known is None or len(known) != len(pairs):
            with LOCK:
                answer = Answer(reason=REASON_OF[state], read=False)
                lines = [self._written.number(pair, 0, answer) if pair.named else -1 for pair in list(pairs)]
                known = self._refused[state] = np.array(lines, np.int64)
        return known

    def line(self, case: int, op: int, answer: Answer) -> int:
        """The line that is written of one answer to a row of a case."""
        return self._written.number(self.cases.things[case].pair, op, answer)

    def tables(self) -> Tables:
        """Everything known as arrays; made anew only after something was learned."""
        known = self._rows.things
        tables = self._tables
        if tables is None or tables[0] != len(known):
            with LOCK:
                tables = self._tables = (len(known), self._built(list(known)))
        return tables[1]

    def _built(self, known: list[Row]) -> Tables:
        levels = max((len(row.edges) for row in known), default=0).bit_length()
        edges = np.full((len(known), 2**levels - 1), np.nan)  # no number passes the padding
        for number, row in enumerate(known):
            edges[number, : len(row.edges)] = row.edges
        sizes = np.array([len(row.outs) for row in known], np.int64)
        outs = np.concatenate([row.outs for row in known]) if known else np.empty(0, np.int64)
        below, above = (np.fromiter(chain.from_iterable(side), np.float64) for side in ((r.below for r in known), (r.above for r in known)))
        return Tables(edges.ravel(), levels, np.cumsum(sizes) - sizes, outs, below, above)


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
