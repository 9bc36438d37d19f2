"""The answers to every number a result of one kind may have: the lines it may pass, and what holds between two of them.

Nothing is decided here. The stretches are learned from the way a single result goes (`weigh`, `assess_measured`):
every number that anything is compared with on that way is a possible edge, each stretch between two of them is asked
once, and neighbours with the same answer are one. So a column of numbers can only get the answers of single results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import inf, isfinite, nextafter
from typing import Any, NamedTuple

from labinterp._assess import assess_measured
from labinterp._book import Book, Rule, book_for
from labinterp._catalog import Catalog, Silence
from labinterp._inputs import LabResult, Patient
from labinterp._measure import AsPrinted, believed, weigh
from labinterp._printed_ranges import Range, printed_range
from labinterp._quantity import Quantity
from labinterp._results import Finding, NotAssessed
from labinterp._spans import span_edges

NO_RANGE = (None, None, None)


class Answer(NamedTuple):
    """What the columns of a row say.

    Attributes:
        code: HL7 interpretation code, or None.
        band: Key of the band, or None.
        limits: Id of the limit set, "reported" for the laboratory's own range, or None.
        reason: Why there is no answer, or None.
        read: Whether the quantity itself was read and may be shown.
        below: Where asked for: the nearest line of that set at or below, in the reported unit; -inf where there is none.
        above: The nearest line above; inf where there is none.
    """

    code: str | None = None
    band: str | None = None
    limits: str | None = None
    reason: str | None = None
    read: bool = True
    below: float = -inf
    above: float = inf


class Stretches(NamedTuple):
    """Ascending edges, and one answer more than there are edges: `answers[number of edges <= value]`."""

    edges: tuple[float, ...]
    answers: tuple[Answer, ...]


class Stretched:
    """The stretches of one catalog, one choice of authority and one day; each kind is learned once.

    Args:
        catalog: The data.
        authority: Whose limits, by the catalog's names.
        as_of: ISO day.
        decimal: The decimal mark of the source.
        near: Whether the nearest lines are asked for.
    """

    def __init__(
        self, catalog: Catalog, authority: str | Mapping[str, str] | None, as_of: str, decimal: str | None = None, near: bool = False
    ) -> None:
        self.catalog, self.authority, self.as_of, self.decimal, self.near = catalog, authority, as_of, decimal, near
        self._rules: dict[tuple[str, Any], Any] = {}
        self._known: dict[Any, Stretches] = {}

    def book(self, patient: Patient) -> Book:
        """The rules for a person."""
        return book_for(self.catalog, patient, self.authority, self.as_of)

    def asks_laboratory(self, analyte: str) -> bool:
        """Whether the laboratory's own range can change the answer for an analyte."""
        wanted = self.authority.get(analyte) if isinstance(self.authority, Mapping) else self.authority
        return bool(self.catalog.table["analytes"][analyte]["lab_range"]["first"]) and wanted is None

    def printed(self, printed: tuple[Any, Any, Any], unit: str) -> Range | None:
        """A laboratory's range beside a value in a unit, where it is plain."""
        return printed_range(*printed, unit, self.catalog.units, self.decimal)

    def of(self, analyte: str, unit: str, comparator: str, patient: Patient, printed: tuple[Any, Any, Any] = NO_RANGE) -> Stretches:
        """The stretches for a kind of result.

        Args:
            analyte: Id.
            unit: UCUM code, one of the analyte's.
            comparator: "", "<", "<=", ">" or ">=".
            patient: A person of the class.
            printed: The laboratory's range as printed (low, high, text); its numbers have at most 15 digits.
        """
        contexts = patient.contexts if printed is not NO_RANGE else frozenset()
        key = (analyte, unit, comparator, self.rule_key(analyte, patient), contexts, self.printed(printed, unit))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._learn(analyte, unit, comparator, patient, printed)
        return found

    def one(self, analyte: str, quantity: Quantity, patient: Patient, printed: tuple[Any, Any, Any] = NO_RANGE) -> Answer:
        """The answer for one quantity, however it is written."""
        result = LabResult("", ref_low=printed[0], ref_high=printed[1], ref_text=printed[2])
        return self._answer(self.book(patient), analyte, quantity, result, None)

    def rule_key(self, analyte: str, patient: Patient) -> Any:
        """What of a person the lines of an analyte depend on."""
        key = (analyte, patient.facts)
        found = self._rules.get(key)
        if found is None:
            rules = self.book(patient).find(analyte, self.catalog.table["analytes"][analyte]["si"])
            if isinstance(rules, Rule):
                found = (rules.limit_set.key, rules.population)
            elif isinstance(rules, Silence):
                found = rules
            else:  # which answers are asked depends on what was stated, too
                found = (patient.pregnant, *((world, rule and (rule.limit_set.key, rule.population)) for world, rule in rules))
            self._rules[key] = found
        return found

    def _learn(self, analyte: str, unit: str, comparator: str, patient: Patient, printed: tuple[Any, Any, Any]) -> Stretches:
        book = self.book(patient)
        result = LabResult("", ref_low=printed[0], ref_high=printed[1], ref_text=printed[2])
        marks = self._marks(book, analyte, unit, self.printed(printed, unit))
        # a comparator may count a mark with the number below or above it: each neighbour is asked
        edges = sorted({near for mark in marks if isfinite(mark) for near in (nextafter(mark, -inf), mark, nextafter(mark, inf))})
        asked = [nextafter(edges[0], -inf), *edges]
        answers = [self._answer(book, analyte, Quantity(Decimal(repr(x)), unit, comparator), result, x) for x in asked]
        kept = [n for n in range(len(edges)) if answers[n + 1] != answers[n]]
        return Stretches(tuple(edges[n] for n in kept), (answers[0], *(answers[n + 1] for n in kept)))

    def _marks(self, book: Book, analyte: str, unit: str, printed: Range | None) -> set[float]:
        """Every number that a value of this kind is compared with."""
        catalog, entry = self.catalog, self.catalog.table["analytes"][analyte]
        span = believed(catalog, entry, unit)
        marks = {0.0, span.low, span.high}
        found = book.find(analyte, unit)
        for rule in [found] if isinstance(found, Rule) else [] if isinstance(found, Silence) else [r for _, r in found if r is not None]:
            marks |= {*rule.edges, *(map(float, rule.limit_set.exact_lines(rule.population, unit)) if self.near else ())}
        for one in (*entry["critical"], *(entry["alerts"] if printed else ())):
            marks |= set(span_edges(catalog, analyte, one, unit)[0])
        if printed is not None:
            marks |= {float(end) for end in (printed.low, printed.high) if end is not None}
        return marks

    def _answer(self, book: Book, analyte: str, quantity: Quantity, result: LabResult, number: float | None) -> Answer:
        """Ask the way of a single result; `number` where the number alone stands for every way of writing it."""
        weighed = weigh(self.catalog, analyte, quantity, AsPrinted(1), result, decimal=self.decimal)
        if isinstance(weighed, NotAssessed):
            return Answer(reason=weighed.reason, read=weighed.quantity is not None)
        if number is not None:  # as `_lanes` does: a short decimal beside the number keeps the number deciding
            weighed = weighed._replace(quantity=quantity._replace(value=Decimal(0)))
        answer = assess_measured(book, weighed)
        if not isinstance(answer, Finding):
            return Answer(reason=answer.reason)
        value = float(quantity.value) if number is None else number
        lines = nearest(answer.lines(), value) if self.near else ()
        return Answer(answer.code, answer.band, answer.limits, None, True, *lines)


def nearest(lines: Sequence[float], value: float) -> tuple[float, float]:
    """The lines on both sides of a value: the last at or below it, the first above it."""
    return max((line for line in lines if line <= value), default=-inf), min((line for line in lines if line > value), default=inf)
