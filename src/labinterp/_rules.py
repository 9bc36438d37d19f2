"""Limits as compiled rows: which population a person belongs to, and between which lines a value lies.

The one predicate of the library is "how many edges has the value passed". An edge is the first float of the
band above it, computed exactly and rounded once: `at_least 30` is 30.0, `above 125` is the next float after
125.0. So one comparison form serves single values and columns, in whatever unit the value was reported.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import inf, nextafter
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._inputs import Age

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


class World(NamedTuple):
    """One possible answer to the unknown facts: an age class, a sex, a state of pregnancy ("no", 1, 2 or 3)."""

    age: int
    sex: str
    pregnancy: Any


class LimitSet:
    """The lines one authority draws for one analyte: populations, bands, edges per unit.

    Args:
        data: The compiled set.
        factors: Unit -> how many of the analyte's SI unit are one of it, as "n/d".
        kinds: Unit -> kind.
    """

    __slots__ = ("_factors", "_kinds", "authority", "data", "edges", "id", "kind", "populations")

    def __init__(self, data: Mapping[str, Any], factors: Mapping[str, str], kinds: Mapping[str, str]) -> None:
        self.data = data
        self.id: str = data["id"]
        self.authority: str = data["authority"]
        self.kind: str = data["kind"]
        self.populations: list[Mapping[str, Any]] = data["populations"]
        self.edges: list[dict[str, list[float]]] = [dict(p["edges"]) for p in self.populations]
        self._factors, self._kinds = factors, kinds

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LimitSet) and self.data == other.data

    def __hash__(self) -> int:
        return hash(self.id)

    def bands(self, population: int) -> list[Band]:
        """The bands of one population, lowest first."""
        return [Band(*band) for band in self.populations[population]["bands"]]

    def edges_in(self, population: int, unit: str) -> list[float]:
        """The edges of one population in one unit; computed exactly at first use for units seldom reported."""
        try:
            return self.edges[population][unit]
        except KeyError:
            edges = edge_floats(self.data, self.populations[population], unit, self._factors, self._kinds)
            self.edges[population][unit] = edges
            return edges

    def exact_lines(self, population: int, unit: str) -> list[Fraction]:
        """The lines of one population in one unit, exactly."""
        lines = self.populations[population]["lines"]
        return [line_in(self.data, Decimal(number), unit, self._factors, self._kinds) for number, _ in lines]

    def in_force(self, day: str) -> bool:
        """Whether the set is in force on a day (ISO text)."""
        return (self.data["from"] or "") <= day < (self.data["until"] or "9999")


def line_in(data: Mapping[str, Any], line: Decimal, unit: str, factors: Mapping[str, str], kinds: Mapping[str, str]) -> Fraction:
    """Where a line lies in a unit: the source's own printed figure for that family of units, else the exact conversion."""
    from fractions import Fraction

    def scaled(number: Decimal | str, printed_in: str) -> Fraction:
        return Fraction(number) * Fraction(factors[printed_in]) / Fraction(factors[unit])

    own: str = data["unit"]
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
    data: Mapping[str, Any], population: Mapping[str, Any], unit: str, factors: Mapping[str, str], kinds: Mapping[str, str]
) -> list[float]:
    """The edges of a population in a unit: exact, rounded once."""
    edges = []
    for number, word in population["lines"]:
        edge = float(line_in(data, Decimal(number), unit, factors, kinds))
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


# --- whom the bands are for -------------------------------------------------------------------------------


def in_span(age: Age, span: Sequence[Any] | None) -> bool | None:
    """Whether an age lies in a half-open span [unit, at_least, below]; None when it is not known exactly enough."""
    if span is None:
        return True
    unit, lo, hi = span
    low, high = getattr(age, unit)
    lo, hi = (0 if lo is None else lo), (inf if hi is None else hi)
    if low == high:
        return bool(lo <= low < hi)
    if low >= lo and high <= hi:
        return True
    return False if high <= lo or low >= hi else None


def worlds(limit_set: LimitSet, facts: tuple[Any, ...], pregnancy_years: Sequence[float]) -> list[tuple[World, int | None]]:
    """Every possible answer to the unknown facts, with the population it leads to (None: the set has no line there).

    Args:
        limit_set: Whose populations.
        facts: `Patient.facts`.
        pregnancy_years: Ages between which pregnancy is possible, [at_least, below].

    Returns:
        list: one entry when everything that matters is known.
    """
    sex, age, pregnant, contexts = facts
    ages = list(_ages(limit_set, age, pregnancy_years))
    declared = any(f"trimester_{n}" in contexts for n in (1, 2, 3))
    found: list[tuple[World, int | None]] = []
    for number, one_age in enumerate(ages):
        possible = in_span(one_age, ("years", *pregnancy_years)) is not False
        for one_sex in (sex,) if sex else ("female",) if pregnant or (pregnant is None and declared) else ("female", "male"):
            for state in _pregnancies(pregnant, one_sex, possible, contexts):
                world = World(number, one_sex, state)
                found.append((world, _population(limit_set, one_sex, one_age, state, contexts)))
    if age is None:
        found = _without_gaps(found)
    if pregnant is None:  # where the authority draws no line for pregnancy, its general line answers (told as a caveat)
        found = [(w, p) for w, p in found if w.pregnancy == "no" or p is not None] or found
    return found


def _without_gaps(found: list[tuple[World, int | None]]) -> list[tuple[World, int | None]]:
    """Without the ages the print skips between two that it covers (1 to 10 and 12 to 17 years): a skipped year contradicts nothing."""
    covered = {w.age for w, p in found if p is not None}
    return [(w, p) for w, p in found if p is not None or not covered or not min(covered) < w.age < max(covered)] or found


def _pregnancies(pregnant: bool | None, sex: str, possible: bool, contexts: frozenset[str]) -> tuple[Any, ...]:
    trimesters = tuple(n for n in (1, 2, 3) if f"trimester_{n}" in contexts) or (1, 2, 3)
    if pregnant or (pregnant is None and len(trimesters) == 1):
        return trimesters if sex == "female" else ("no",)
    if pregnant is False or sex == "male" or not possible:
        return ("no",)
    return ("no", *trimesters)


def _ages(limit_set: LimitSet, age: Age | None, pregnancy_years: Sequence[float]) -> Iterator[Age]:
    """The age as known, where that decides every span; else one age of each class it may belong to."""
    spans = [p["age"] for p in limit_set.populations if p["age"]]
    if any(p["pregnant"] == "yes" for p in limit_set.populations):  # somebody who may be pregnant is an age of its own
        spans.append(["years", *pregnancy_years])
    if age is not None and all(in_span(age, span) is not None for span in spans):
        yield age
        return
    low, high = age.days if age is not None else (0.0, inf)
    bounds = sorted({b * DAYS[unit] for unit, *ends in spans for b in ends if b is not None})
    inner = [b for b in bounds if low < b < high]
    if not spans:
        inner = []
    for start, end in zip([low, *inner], [*inner, high], strict=True):
        day = (start + end) / 2 if end < inf else start + 400
        yield Age(*((day / DAYS[unit],) * 2 for unit in ("years", "months", "days")))


def _population(limit_set: LimitSet, sex: str, age: Age, state: Any, contexts: frozenset[str]) -> int | None:
    """The most specific population that holds; they stand most specific first (compiled so)."""
    own = [p["requires"] for p in limit_set.populations]
    # a set that draws separate lines for a circumstance does not apply its general lines to a person in it
    needed = {c for requires in own for c in requires if c in contexts}
    for number, population in enumerate(limit_set.populations):
        if why_not(population, sex, age, state, contexts) is None and needed <= set(population["requires"]):
            return number
    return None


def why_not(population: Mapping[str, Any], sex: str | None, age: Age | None, state: Any, contexts: frozenset[str]) -> str | None:
    """Why a population does not hold for a person, in words; None when it holds."""
    missing = [c for c in population["requires"] if c not in contexts]
    if missing:
        return f"it is for people with {', '.join(missing)}, which is neither declared nor shown by the panel"
    if population["sex"] != "any" and population["sex"] != sex:
        return f"it is for {population['sex']} sex"
    if population["pregnant"] == "no" and state != "no":
        return "it does not cover pregnancy"
    if population["pregnant"] == "yes" and state == "no":
        return "it is for pregnancy"
    if population["trimester"] and state not in population["trimester"]:
        return f"it is for trimester {', '.join(map(str, population['trimester']))}"
    if age is not None and in_span(age, population["age"]) is not True:
        return "the age is outside it" if in_span(age, population["age"]) is False else "the age is not known exactly enough"
    return None


def deciding_fact(answers: Sequence[tuple[World, Any]]) -> str:
    """Which unknown fact makes the answers differ: "age", "sex" or "pregnancy", in this order."""
    for name, others in (("age", ("sex", "pregnancy")), ("sex", ("age", "pregnancy")), ("pregnancy", ("age", "sex"))):
        seen: dict[tuple[Any, ...], set[Any]] = {}
        for world, answer in answers:
            seen.setdefault(tuple(getattr(world, o) for o in others), set()).add(answer)
        if any(len(group) > 1 for group in seen.values()):
            return name
    return "pregnancy" if len({w.pregnancy for w, _ in answers}) > 1 else "sex" if len({w.sex for w, _ in answers}) > 1 else "age"
