"""The short way for what has been seen before: a plain number under a known name and unit, for a known kind of person.

A lane is learned from an answer of the long way (`measure`, `assess_measured`) and cannot say anything else: its
edges are every line that matters for the analyte, and its answers are the long way's, one for each stretch between
them. Whatever is not plain (a comparator, a printed range, an odd spelling) goes the long way.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._assess import Book, Rule, assess_measured
from labinterp._measure import Measured, believed
from labinterp._quantity import PLAIN, Quantity
from labinterp._results import Finding
from labinterp._spans import span_edges

if TYPE_CHECKING:
    from labinterp._catalog import Catalog
    from labinterp._inputs import LabResult

_NOTHING = (None, None, None, None, None)
_NUMBERS = (int, Decimal)
_MOST = 2000  # lanes of one book; hostile names must not fill the memory


class Lane(NamedTuple):
    """Everything a plain number needs: where it is believed, the edges, and the answer of each stretch."""

    analyte: str
    unit: str
    low: float
    high: float
    edges: list[float]
    answers: list[tuple[Any, ...]]


def quick(book: Book, result: LabResult, row: int) -> tuple[Finding, tuple[str, str, int]] | None:
    """The finding and the stretch its number lies in; None where the long way is needed."""
    if type(result[0]) is not str or type(result[2]) is not str:
        return None
    lane: Lane | None = book.lanes.get((result[0], result[2]))
    if lane is None or result[3] is not None or result[4] is not None or result[6:11] != _NOTHING:
        return None
    text = result[1]
    if type(text) is not str:
        text = str(text) if type(text) in _NUMBERS else ""
    if len(text) > 15 or not PLAIN(text):
        return None
    number = float(text)
    if not lane.low <= number <= lane.high:
        return None
    cell = bisect_right(lane.edges, number)
    quantity = tuple.__new__(Quantity, (Decimal(text), lane.unit, "", None))
    finding = tuple.__new__(Finding, (row, lane.analyte, result[0], text, quantity, *lane.answers[cell]))
    return finding, (lane.analyte, lane.unit, cell)


def learn(book: Book, result: LabResult, measured: Measured) -> None:
    """Make a lane of a result that went the long way, if it was a plain one."""
    if type(result.test) is not str or type(result.unit) is not str:
        return
    key = (result.test, result.unit)
    if key in book.lanes or len(book.lanes) >= _MOST:
        return
    if not PLAIN(measured.value_text) or measured.reported is not None or measured.high is not None:
        return
    if result[3] is not None or result[4] is not None or result[6:11] != _NOTHING:
        return
    unit = measured.quantity.unit
    rule = book.find(measured.analyte, unit)
    entry = book.catalog.table["analytes"][measured.analyte]
    span = believed(book.catalog, entry, unit)
    if not isinstance(rule, Rule) or not span.ordinary_low <= measured.number <= span.ordinary_high:
        return
    edges = sorted({*rule.edges, *_other_edges(book, measured.analyte, unit)})
    answers = [_answer_at(book, measured, number) for number in (edges[0] - 1 if edges else 1.0, *edges)]
    book.lanes[key] = Lane(measured.analyte, unit, span.ordinary_low, span.ordinary_high, edges, answers)


def _answer_at(book: Book, measured: Measured, number: float) -> tuple[Any, ...]:
    """What the long way says of a number: the fields of a finding behind its quantity."""
    # the number alone decides: the decimal beside it is only carried through, and a short one keeps it so
    answer = assess_measured(book, measured._replace(number=number, quantity=measured.quantity._replace(value=Decimal(0))))
    if not isinstance(answer, Finding):  # a rule was found, so there is an answer
        raise AssertionError(answer.reason)
    return tuple(answer[5:])


def _other_edges(book: Book, analyte: str, unit: str) -> Iterator[float]:
    """The lines of critical values, alerts and gates: between two of them, everything said of a number is the same."""
    catalog = book.catalog
    entry = catalog.table["analytes"][analyte]
    for span in (*entry["critical"], *entry["alerts"], *gate_spans(catalog).get(analyte, ())):
        yield from span_edges(catalog, analyte, span, unit)[0]
    for limits in gate_sets(catalog).get(analyte, ()):
        found = book.rules_of(catalog.limit_set(limits), unit)
        for rule in (found,) if isinstance(found, Rule) else (r for _, r in found):
            if rule is not None:
                yield from rule.edges


def gate_sets(catalog: Catalog) -> Mapping[str, list[str]]:
    """Analyte -> limit sets that gates refer to."""
    found: Mapping[str, list[str]] | None = catalog.memo.get("gate sets")
    if found is None:
        made: dict[str, list[str]] = {}
        for gate in _gates(catalog):
            if "limits" in gate:
                made.setdefault(catalog.table["limits"][gate["limits"]]["analyte"], []).append(gate["limits"])
        found = catalog.remember("gate sets", made)
    return found


def gate_spans(catalog: Catalog) -> Mapping[str, list[Any]]:
    """Analyte -> spans that gates name themselves."""
    found: Mapping[str, list[Any]] | None = catalog.memo.get("gate spans")
    if found is None:
        made: dict[str, list[Any]] = {}
        for gate in _gates(catalog):
            if "span" in gate:
                made.setdefault(gate["analyte"], []).append(gate["span"])
        found = catalog.remember("gate spans", made)
    return found


def _gates(catalog: Catalog) -> Iterator[Mapping[str, Any]]:
    table = catalog.table
    yield from _inside([table["conditions"], table["patterns"], table["policy"]["derived"]])


def _inside(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from _inside(part)
    elif isinstance(value, list):
        for part in value:
            yield from _inside(part)
