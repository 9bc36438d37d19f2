"""The short way for what has been seen before: a plain number under known texts, for a known kind of person.

A reading is learned from `measure` and holds for everybody; a lane is learned from `assess_measured` and holds for one book. Neither
can say anything else than the long way said: their edges are every line that matters for the analyte and both ends of a printed range,
and what they say of a number was said of another one between the same two edges. Whatever is not plain (a comparator, an odd spelling)
goes the long way.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from math import inf, nextafter
from typing import TYPE_CHECKING, Any

from labinterp._assess import assess_measured
from labinterp._book import Book, Rule
from labinterp._catalog import Silence
from labinterp._measure import Measured, believed, measure
from labinterp._plain import LONGEST, plain
from labinterp._quantity import Quantity
from labinterp._results import Finding, NotAssessed
from labinterp._spans import span_edges

if TYPE_CHECKING:
    from labinterp._catalog import Catalog
    from labinterp._inputs import LabResult
    from labinterp._reported import Reported
    from labinterp._worlds import World

Cell = tuple[str, str, int]  # analyte, unit, number of the stretch
Key = tuple[Any, ...]

_NUMBERS = (int, Decimal)
_TEXTS = (type(None), str)
_make = tuple.__new__  # past the constructor of a NamedTuple, which costs as much as all the rest of a line
_MOST = 2000  # lanes of one book without anything beside name and unit; hostile names must not fill the memory
_MOST_WITH_MORE = 4096  # readings of one catalog, and its lanes with a code, a specimen, a range or a flag
_LONGEST_TEXT = 200
_UNMET: Any = object()


class Reading:
    """What texts beside a plain number mean, whoever the person is: the analyte, its unit, and where a number is believed.

    `cuts` are the ends of the printed range, `forms` what was printed as it reads between them; `_UNMET` where no number was met yet.
    """

    __slots__ = ("analyte", "cuts", "forms", "high", "low", "notes", "unit", "unit_text")

    def __init__(self, measured: Measured, low: float, high: float, cuts: list[float]) -> None:
        self.analyte, self.unit, self.unit_text = measured.analyte, measured.quantity.unit, measured.unit_text
        self.low, self.high, self.notes, self.cuts = low, high, measured.notes, cuts
        self.forms: list[Reported | None] = [_UNMET] * (len(cuts) + 1)


class Ruler:
    """Where numbers of one unit are believed, and their edges. It knows no catalog, so that the memo of places keeps none alive."""

    __slots__ = ("edges", "high", "low", "unit")

    def __init__(self, reading: Reading, edges: list[float]) -> None:
        self.unit, self.low, self.high, self.edges = reading.unit, reading.low, reading.high, edges


class Lane:
    """A reading for one book: the edges, and the name and the answer of each stretch between them.

    A stretch without an answer takes the long way: no number in it was met yet, or a fact of the person is missing there.
    """

    __slots__ = ("analyte", "answers", "cells", "ruler")

    def __init__(self, reading: Reading, edges: list[float]) -> None:
        self.analyte, self.ruler = reading.analyte, Ruler(reading, edges)
        self.answers: list[tuple[Any, ...] | None] = [None] * (len(edges) + 1)
        # with a range the stretches are other ones, and the range may have decided
        self.cells: list[Cell | None] = [
            (self.analyte, reading.unit, number) if reading.forms == [None] else None for number in range(len(self.answers))
        ]


def key_of(result: LabResult, decimal: str | None) -> Key | None:
    """The texts that a reading depends on beside the number; None for what is not read the short way."""
    test, _, unit, loinc, specimen, _, comparator, low, high, printed, flag, _ = result
    if type(test) is not str or type(unit) not in _TEXTS:
        return None
    if loinc is specimen is comparator is low is high is printed is flag is None:
        return (test, unit)
    if comparator or not (type(loinc) in _TEXTS and type(specimen) in _TEXTS and type(printed) in _TEXTS and type(flag) in _TEXTS):
        return None
    low, high = _end(low), _end(high)
    if low is _UNMET or high is _UNMET:
        return None
    return (test, unit, loinc, specimen, low, high, printed, flag, decimal)


def _end(end: Any) -> Any:
    """An end of a range as part of a key: 1, 1.0 and "1" are read apart."""
    if type(end) in _TEXTS:
        return end
    if type(end) is int:
        return (int, end) if abs(end) < 10**LONGEST else _UNMET
    text = str(end) if type(end) in (float, Decimal) else ""
    return (type(end), text) if 0 < len(text) <= _LONGEST_TEXT else _UNMET


def quick(book: Book, result: LabResult, row: int, decimal: str | None = None) -> tuple[Finding, Cell | None] | None:
    """The finding and the stretch its number lies in; None where the long way is needed."""
    test, text, unit, loinc, specimen, _, comparator, low, high, printed, flag, _ = result
    lane: Lane | None
    if loinc is specimen is comparator is low is high is printed is flag is None and type(test) is type(unit) is str:
        lane = book.lanes.get((test, unit))
    else:
        key = key_of(result, decimal)
        lane = None if key is None else book.lanes.get(key) if len(key) == 2 else _others(book.catalog).get((book, key))
    if lane is None:
        return None
    if type(text) is not str:
        text = str(text) if type(text) in _NUMBERS else ""
    found = _place(lane.ruler, text) if len(text) <= LONGEST else None
    if found is None:
        return None
    quantity, stretch = found
    known = lane.answers[stretch]
    if known is None:
        return None
    return _make(Finding, (row, lane.analyte, test, text, quantity) + known), lane.cells[stretch]  # noqa: RUF005 - twice as fast


@lru_cache(maxsize=16384)  # some megabytes at most; the numbers that are printed are few
def _place(ruler: Ruler, text: str) -> tuple[Quantity, int] | None:
    """The quantity a text shows, and its stretch; None where the long way is needed."""
    read = plain(text)
    if read is None or not ruler.low <= read.number <= ruler.high:
        return None
    return Quantity(read.value, ruler.unit), bisect_right(ruler.edges, read.number)


def _others(catalog: Catalog) -> dict[Any, Lane]:
    """Lanes with more beside the number than name and unit, by book and texts."""
    found: dict[Any, Lane] = catalog.learned.get("lanes") or catalog.learn("lanes", dict)
    return found


def read(catalog: Catalog, result: LabResult, row: int, decimal: str | None) -> Measured | NotAssessed:
    """What `measure` says of a result, the short way where its texts were read before."""
    key = None if decimal == "," else key_of(result, decimal)
    text = result[1]
    if type(text) is not str:
        text = str(text) if type(text) in _NUMBERS else ""
    number = plain(text) if key is not None and len(text) <= LONGEST else None
    if key is None or number is None:
        return measure(catalog, result, row, decimal)
    known = readings(catalog)
    reading = known.get(key)
    if reading is not None and reading.low <= number.number <= reading.high:
        form = reading.forms[bisect_right(reading.cuts, number.number)]
        if form is not _UNMET:
            quantity = Quantity(number.value, reading.unit)
            return Measured(
                row, reading.analyte, key[0], text, reading.unit_text, quantity, number.number, None, form, reading.notes
            )  # fmt: skip
    found = measure(catalog, result, row, decimal)
    if isinstance(found, Measured):
        _learn_reading(catalog, known, key, found)
    return found


def _learn_reading(catalog: Catalog, known: dict[Key, Reading], key: Key, measured: Measured) -> None:
    """Make a reading of a result that `measure` read, if its number is an ordinary one and its texts are short."""
    reading = known.get(key)
    if reading is None:
        span = believed(catalog, catalog.table["analytes"][measured.analyte], measured.quantity.unit)
        cuts = _cuts(measured.reported)
        if cuts is None or not span.ordinary_low <= measured.number <= span.ordinary_high:
            return
        if any(type(text) is str and len(text) > _LONGEST_TEXT for text in key):
            return
        if len(known) >= _MOST_WITH_MORE:
            known.clear()
        reading = known[key] = Reading(measured, span.ordinary_low, span.ordinary_high, cuts)
    if reading.low <= measured.number <= reading.high:
        reading.forms[bisect_right(reading.cuts, measured.number)] = measured.reported


def _cuts(reported: Reported | None) -> list[float] | None:
    """The edges that the ends of a range make: below, on and above each; None where an end has more digits than a float."""
    ends = [] if reported is None else [end for end in (reported.low, reported.high) if end is not None]
    if any(len(end.as_tuple()[1]) > LONGEST for end in ends):
        return None
    return sorted({edge for end in map(float, ends) for edge in (end, nextafter(end, inf))})


def answer(book: Book, result: LabResult, measured: Measured, decimal: str | None) -> Finding | NotAssessed:
    """What `assess_measured` says of a result, the short way where another number of its stretch was assessed before."""
    found = None if decimal == "," else quick(book, result, measured.row, decimal)
    if found is not None:
        return found[0]
    made = assess_measured(book, measured)
    if decimal != "," and isinstance(made, Finding):
        learn(book, result, measured, made, decimal)
    return made


def learn(book: Book, result: LabResult, measured: Measured, made: Finding, decimal: str | None) -> None:
    """Keep an answer of the long way for all numbers of its stretch, if the result was a plain one."""
    key = key_of(result, decimal)
    reading = None if key is None else readings(book.catalog).get(key)
    text = measured.value_text
    if key is None or reading is None or len(text) > LONGEST or plain(text) is None or not reading.low <= measured.number <= reading.high:
        return
    lanes, name, most = (book.lanes, key, _MOST) if len(key) == 2 else (_others(book.catalog), (book, key), _MOST_WITH_MORE)
    lane: Lane | None = lanes.get(name)
    if lane is None:
        edges = _all_edges(book, reading.analyte, reading.unit)
        if len(lanes) >= most:
            lanes.clear()
        lane = lanes[name] = Lane(reading, sorted({*edges, *reading.cuts}) if reading.cuts else edges)
    lane.answers[bisect_right(lane.ruler.edges, measured.number)] = tuple(made[5:])


def readings(catalog: Catalog) -> dict[Key, Reading]:
    """The readings of a catalog, by the texts beside the number."""
    found: dict[Key, Reading] = catalog.learned.get("readings") or catalog.learn("readings", dict)
    return found


def _all_edges(book: Book, analyte: str, unit: str) -> list[float]:
    """Every line that matters for a number."""
    found = book.edges.get((analyte, unit))
    if found is None:
        rule = book.find(analyte, unit)
        own = [] if isinstance(rule, Silence) else edges_of(rule)
        found = book.edges[analyte, unit] = sorted({*own, *_other_edges(book, analyte, unit)})
    return found


def rules_in(rules: Rule | list[tuple[World, Rule | None]]) -> list[Rule | None]:
    """A rule, or every rule that may be the person's; None where one draws no line."""
    return [rules] if isinstance(rules, Rule) else [rule for _, rule in rules]


def edges_of(rules: Rule | list[tuple[World, Rule | None]]) -> list[float]:
    """The lines of a rule, or of every rule that may be the person's."""
    return [edge for rule in rules_in(rules) if rule is not None for edge in rule.edges]


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


def within(value: Any) -> list[Mapping[str, Any]]:
    """Every mapping inside a part of the data that may be a gate, the part itself among them, in the order in which they stand."""
    found, left = list[Mapping[str, Any]](), [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            found.append(one)
            one = [part for name, part in one.items() if name != "cite"]
        left += [part for part in reversed(one) if isinstance(part, (dict, list))]
    return found
