"""Limits as compiled rows: the lines of a set in every unit, and between which of them a value lies.

The one predicate of the library is "how many edges has the value passed". An edge is the first float of the
band above it, computed exactly and rounded once: `at_least 30` is 30.0, `above 125` is the next float after
125.0. So one comparison form serves single values and columns, in whatever unit the value was reported.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import inf, nextafter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from fractions import Fraction

DAYS = {"years": 365.25, "months": 30.4375, "days": 1.0}
# mEq/L is an exact multiple of mmol/L, so a line printed in one is a line printed in the other.
FAMILY = {"equivalent": "substance"}


class Band(NamedTuple):
    """A named stretch between two lines."""

    key: str
    code: str
    label: str


class LimitSet:
    """The lines one authority draws for one analyte: populations, bands, edges per unit.

    Args:
        data: The compiled set.
        factors: Unit -> how many of the analyte's SI unit are one of it, as "n/d".
        kinds: Unit -> kind.
    """

    __slots__ = (
        "_bands",
        "_factors",
        "_kinds",
        "_lines",
        "_moved",
        "authority",
        "data",
        "edges",
        "id",
        "key",
        "kind",
        "moved_by",
        "populations",
    )

    def __init__(
        self, data: Mapping[str, Any], factors: Mapping[str, str], kinds: Mapping[str, str], moved_by: tuple[Mapping[str, Any], ...] = ()
    ) -> None:
        self.data = data
        self.id: str = data["id"]
        self.authority: str = data["authority"]
        self.kind: str = data["kind"]
        self.populations: list[Mapping[str, Any]] = data["populations"]
        self.moved_by = moved_by
        self.key: tuple[str, Decimal] = (self.id, sum((Decimal(shift["add"]) for shift in moved_by), Decimal(0)))
        self.edges: list[dict[str, list[float]]] = [{} if moved_by else dict(p["edges"]) for p in self.populations]
        self._factors, self._kinds = factors, kinds
        self._moved: dict[tuple[int, ...], LimitSet] = {}
        self._bands: dict[int, list[Band]] = {}
        self._lines: dict[tuple[int, str], list[float]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LimitSet) and (self.key, self.moved_by, self.data) == (other.key, other.moved_by, other.data)

    def __hash__(self) -> int:
        return hash(self.id)

    def moved(self, contexts: frozenset[str]) -> LimitSet:
        """The same set with its lines moved by every shift whose circumstances are all among these."""
        shifts = self.data["shifts"]
        apply = tuple(n for n, shift in enumerate(shifts) if contexts.issuperset(shift["requires"])) if shifts else ()
        if not apply:
            return self
        found = self._moved.get(apply)
        if found is None:
            found = self._moved[apply] = LimitSet(self.data, self._factors, self._kinds, tuple(shifts[n] for n in apply))
        return found

    def contradiction(self, contexts: frozenset[str]) -> tuple[str, ...]:
        """Declared circumstances of which only one can be true, where the lines move with them."""
        return next((both for group in self.data["one_of"] if len(both := tuple(c for c in group if c in contexts)) > 1), ())

    def bands(self, population: int) -> list[Band]:
        """The bands of one population, lowest first."""
        found = self._bands.get(population)
        if found is None:
            found = self._bands[population] = [Band(*band) for band in self.populations[population]["bands"]]
        return found

    def edges_in(self, population: int, unit: str) -> list[float]:
        """The edges of one population in one unit; computed exactly at first use for units seldom reported."""
        try:
            return self.edges[population][unit]
        except KeyError:
            edges = edge_floats(self.data, self.populations[population], unit, self._factors, self._kinds, self.key[1])
            self.edges[population][unit] = edges
            return edges

    def exact_lines(self, population: int, unit: str) -> list[Fraction]:
        """The lines of one population in one unit, exactly."""
        lines = self.populations[population]["lines"]
        return [line_in(self.data, Decimal(number), unit, self._factors, self._kinds, self.key[1]) for number, _ in lines]

    def lines_in(self, population: int, unit: str) -> list[float]:
        """The same, rounded once."""
        found = self._lines.get((population, unit))
        if found is None:
            found = self._lines[population, unit] = [float(line) for line in self.exact_lines(population, unit)]
        return found

    def in_force(self, day: str) -> bool:
        """Whether the set is in force on a day (ISO text)."""
        return (self.data["from"] or "") <= day < (self.data["until"] or "9999")


def line_in(
    data: Mapping[str, Any], line: Decimal, unit: str, factors: Mapping[str, str], kinds: Mapping[str, str], moved: Decimal | None = None
) -> Fraction:
    """Where a line lies in a unit: the source's own printed figure for that family of units, else the exact conversion.

    Args:
        data: The set or span.
        line: One of its lines.
        unit: UCUM code.
        factors: Of the analyte.
        kinds: Unit -> kind.
        moved: By how much the line is moved, in the set's unit.
    """
    from fractions import Fraction

    def scaled(number: Decimal | str, printed_in: str) -> Fraction:
        return Fraction(number) * Fraction(factors[printed_in]) / Fraction(factors[unit])

    own: str = data["unit"]
    if moved:
        return line_in(data, line, unit, factors, kinds) + scaled(moved, own)
    also: Mapping[str, Sequence[Sequence[str]]] = data["also_in"]
    family = FAMILY.get(kinds[unit], kinds[unit])
    printed_in = [u for u in also if u == unit] or [
        u for u in also if FAMILY.get(kinds[u], kinds[u]) == family and FAMILY.get(kinds[own], kinds[own]) != family
    ]
    for other in printed_in:
        for here, there in also[other]:
            if Decimal(here) == line:
                return scaled(there, other)
    return scaled(line, own)


def edge_floats(
    data: Mapping[str, Any],
    population: Mapping[str, Any],
    unit: str,
    factors: Mapping[str, str],
    kinds: Mapping[str, str],
    moved: Decimal | None = None,
) -> list[float]:
    """The edges of a population in a unit: exact, rounded once; `moved` as for `line_in`."""
    edges = []
    for number, word in population["lines"]:
        edge = float(line_in(data, Decimal(number), unit, factors, kinds, moved))
        edges.append(nextafter(edge, inf) if word == "above" else edge)
    return edges


def span_ends(span: Mapping[str, str], unit: str, factors: Mapping[str, str]) -> tuple[float, float]:
    """The lowest and the highest float inside a span of the data, in a unit."""
    from fractions import Fraction

    low, high = -inf, inf
    for word in ("at_least", "above", "at_most", "below"):
        if word not in span:
            continue
        end = float(Fraction(span[word]) * Fraction(factors[span["unit"]]) / Fraction(factors[unit]))
        if word in ("at_least", "above"):
            low = nextafter(end, inf) if word == "above" else end
        else:
            high = nextafter(end, -inf) if word == "below" else end
    return low, high


def place(edges: Sequence[float], value: float, comparator: str, high: float | None) -> tuple[int, int]:
    """The lowest and the highest band in which a value may lie.

    Args:
        edges: Ascending.
        value: As reported; the lower end of a range.
        comparator: "", "<", "<=", ">", ">=" or "~".
        high: Upper end of a range.

    Returns:
        tuple[int, int]: band numbers; equal when the answer is certain.

    Example:
        >>> place([30.0, 50.0], 50.0, "", None), place([30.0, 50.0], 25.0, "<", None), place([30.0, 50.0], 50.0, "<", None)
        ((2, 2), (0, 0), (0, 1))
    """
    if not comparator:
        at = bisect_right(edges, value)
        return at, at
    if comparator == "<":
        return 0, bisect_left(edges, value)
    if comparator == "<=":
        return 0, bisect_right(edges, value)
    if comparator == ">":
        return bisect_right(edges, nextafter(value, inf)), len(edges)
    if comparator == ">=":
        return bisect_right(edges, value), len(edges)
    return bisect_right(edges, value), bisect_right(edges, inf if high is None else high)


def beside(value: Decimal, lines: Sequence[Fraction]) -> float:
    """The float of a value with more digits than a float holds, on the right side of every line."""
    from fractions import Fraction

    number, exact = float(value), Fraction(value)
    for line in lines:
        if float(line) == number and line != exact:
            return nextafter(number, inf if exact > line else -inf)
    return number
