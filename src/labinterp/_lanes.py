"""The short way for what has been seen before: a plain number under a known name and unit, for a known kind of person.

A lane is learned from an answer of the long way (`measure`, `assess_measured`) and cannot say anything else: its
edges are every line that matters for the analyte, and its answers are the long way's, one for each stretch between
them. Whatever is not plain (a comparator, a printed range, an odd spelling) goes the long way.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from labinterp._assess import assess_measured
from labinterp._book import Book, Rule
from labinterp._catalog import Silence
from labinterp._measure import Measured, believed
from labinterp._plain import LONGEST, plain
from labinterp._quantity import Quantity
from labinterp._results import Finding
from labinterp._spans import span_edges

if TYPE_CHECKING:
    from labinterp._catalog import Catalog
    from labinterp._inputs import LabResult
    from labinterp._worlds import World

Cell = tuple[str, str, int]  # analyte, unit, number of the stretch

_NOTHING = (None, None, None, None, None)
_NUMBERS = (int, Decimal)
_make = tuple.__new__  # past the constructor of a NamedTuple, which costs as much as all the rest of a line
_MOST = 2000  # lanes of one book; hostile names must not fill the memory


class Lane:
    """Everything a plain number needs: where it is believed, the edges, and the name and the answer of each stretch between them.

    A stretch without an answer (a fact of the person is missing there) takes the long way, which says why.
    """

    __slots__ = ("analyte", "answers", "cells", "edges", "high", "low", "unit")

    def __init__(self, analyte: str, unit: str, low: float, high: float, edges: list[float], answers: list[tuple[Any, ...] | None]) -> None:
        self.analyte, self.unit, self.low, self.high, self.edges, self.answers = analyte, unit, low, high, edges, answers
        self.cells: list[Cell] = [(analyte, unit, number) for number in range(len(answers))]


def quick(book: Book, result: LabResult, row: int) -> tuple[Finding, Cell] | None:
    """The finding and the stretch its number lies in; None where the long way is needed."""
    test, text, unit, loinc, specimen, _, comparator, low, high, printed, flag, _ = result
    if type(test) is not str or type(unit) is not str:
        return None
    lane: Lane | None = book.lanes.get((test, unit))
    if lane is None or not (loinc is specimen is comparator is low is high is printed is flag is None):
        return None
    if type(text) is not str:
        text = str(text) if type(text) in _NUMBERS else ""
    found = _place(lane, text) if len(text) <= LONGEST else None
    if found is None:
        return None
    quantity, answer, cell = found
    return _make(Finding, (row, cell[0], test, text, quantity) + answer), cell  # noqa: RUF005 - twice as fast


@lru_cache(maxsize=16384)  # some megabytes at most; the numbers that are printed are few
def _place(lane: Lane, text: str) -> tuple[Quantity, tuple[Any, ...], Cell] | None:
    """The quantity a text shows, with the answer and the name of its stretch; None where the long way is needed."""
    read = plain(text)
    if read is None or not lane.low <= read.number <= lane.high:
        return None
    stretch = bisect_right(lane.edges, read.number)
    answer = lane.answers[stretch]
    return None if answer is None else (Quantity(read.value, lane.unit), answer, lane.cells[stretch])


def learn(book: Book, result: LabResult, measured: Measured) -> None:
    """Make a lane of a result that went the long way, if it was a plain one."""
    if type(result.test) is not str or type(result.unit) is not str:
        return
    key = (result.test, result.unit)
    if key in book.lanes or len(book.lanes) >= _MOST:
        return
    text = measured.value_text
    if len(text) > LONGEST or plain(text) is None or measured.reported is not None or measured.high is not None:
        return
    if result[3] is not None or result[4] is not None or result[6:11] != _NOTHING:
        return
    unit = measured.quantity.unit
    rule = book.find(measured.analyte, unit)
    entry = book.catalog.table["analytes"][measured.analyte]
    span = believed(book.catalog, entry, unit)
    if isinstance(rule, Silence) or not span.ordinary_low <= measured.number <= span.ordinary_high:
        return
    edges = sorted({*edges_of(rule), *_other_edges(book, measured.analyte, unit)})
    answers = [_answer_at(book, measured, number) for number in (edges[0] - 1 if edges else 1.0, *edges)]
    book.lanes[key] = Lane(measured.analyte, unit, span.ordinary_low, span.ordinary_high, edges, answers)


def edges_of(rules: Rule | list[tuple[World, Rule | None]]) -> list[float]:
    """The lines of a rule, or of every rule that may be the person's."""
    return rules.edges if isinstance(rules, Rule) else [edge for _, rule in rules if rule is not None for edge in rule.edges]


def _answer_at(book: Book, measured: Measured, number: float) -> tuple[Any, ...] | None:
    """What the long way says of a number: the fields of a finding behind its quantity; None where it refuses."""
    # the number alone decides: the decimal beside it is only carried through, and a short one keeps it so
    answer = assess_measured(book, measured._replace(number=number, quantity=measured.quantity._replace(value=Decimal(0))))
    return tuple(answer[5:]) if isinstance(answer, Finding) else None


def _other_edges(book: Book, analyte: str, unit: str) -> Iterator[float]:
    """The lines of critical values, alerts and gates: between two of them, everything said of a number is the same."""
    catalog = book.catalog
    entry = catalog.table["analytes"][analyte]
    for span in (*entry["critical"], *entry["alerts"], *gate_spans(catalog).get(analyte, ())):
        yield from span_edges(catalog, analyte, span, unit)[0]
    for limits in gate_sets(catalog).get(analyte, ()):
        yield from edges_of(book.rules_of(catalog.limit_set(limits), unit))


def gate_sets(catalog: Catalog) -> Mapping[str, list[str]]:
    """Analyte -> limit sets that gates refer to."""
    found: Mapping[str, list[str]] | None = catalog.memo.get("gate sets")
    if found is None:
        made: dict[str, list[str]] = {}
        for gate in gates(catalog):
            if "limits" in gate:
                made.setdefault(catalog.table["limits"][gate["limits"]]["analyte"], []).append(gate["limits"])
        found = catalog.remember("gate sets", made)
    return found


def gate_spans(catalog: Catalog) -> Mapping[str, list[Any]]:
    """Analyte -> spans that gates name themselves."""
    found: Mapping[str, list[Any]] | None = catalog.memo.get("gate spans")
    if found is None:
        made: dict[str, list[Any]] = {}
        for gate in gates(catalog):
            if "span" in gate:
                made.setdefault(gate["analyte"], []).append(gate["span"])
        found = catalog.remember("gate spans", made)
    return found


def gates(catalog: Catalog) -> Iterator[Mapping[str, Any]]:
    """Every part of the data that a gate may be."""
    table = catalog.table
    yield from within([table["conditions"], table["patterns"], table["policy"]["derived"], table["policy"]["single_mild"]])


def within(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every mapping inside a part of the data, the part itself among them."""
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from within(part)
    elif isinstance(value, list):
        for part in value:
            yield from within(part)
