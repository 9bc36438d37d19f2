"""The rules for one person: whose limits are asked for, and which line of each set holds, as far as the facts settle it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._inputs import Patient
from labinterp._rules import Band, LimitSet
from labinterp._worlds import World, worlds
from labinterp.errors import InputError

if TYPE_CHECKING:
    from labinterp._catalog import Catalog, Silence


class Rule(NamedTuple):
    """One population's edges in one unit."""

    limit_set: LimitSet
    population: int
    edges: list[float]
    bands: list[Band]


class Book:
    """The rules for one person's facts, one choice of authority and one day; filled as analytes are met.

    Args:
        catalog: The data.
        patient: Whose facts.
        authority: An authority, a limit set, or None for the defaults; or one per analyte.
        as_of: ISO day.
    """

    __slots__ = (
        "as_of", "authority", "catalog", "edges", "lanes", "patient", "person", "rules", "scales", "sets", "shown", "silences", "wholes", "worlds",
    )  # fmt: skip

    def __init__(self, catalog: Catalog, patient: Patient, authority: str | Mapping[str, str] | None, as_of: str) -> None:
        self.catalog, self.authority, self.as_of = catalog, authority, as_of
        self.patient = patient.nameless()  # a book serves everybody with these facts
        self.rules: dict[tuple[str, str], Rule | Silence | list[tuple[World, Rule | None]]] = {}
        self.silences: dict[tuple[str, str], str] = {}
        self.edges: dict[tuple[str, str], list[float]] = {}  # every line that matters, by analyte and unit
        self.lanes: dict[Any, Any] = {}
        self.wholes: dict[Any, Any] = {}
        self.worlds: dict[str, list[tuple[World, int | None]]] = {}
        self.sets: dict[tuple[str, str], Rule | list[tuple[World, Rule | None]]] = {}
        # what is kept for meanings: what was said between the lines of gates, by analyte and unit; circumstances, the facts gates ask for
        self.scales: dict[tuple[str, str], Any] = {}
        self.shown: dict[Any, Any] = {}
        self.person: tuple[Any, ...] | None = None

    def find(self, analyte: str, unit: str) -> Rule | Silence | list[tuple[World, Rule | None]]:
        """One rule where the person's facts settle it, else one for each possible answer, or why there is none."""
        found = self.rules.get((analyte, unit))
        if found is None:
            drawn = self.catalog.drawn_by(analyte, self.wanted(analyte), self.as_of)
            found = self._most_specific(drawn, unit) if isinstance(drawn, list) else drawn
            self.rules[analyte, unit] = found
        return found

    def wanted(self, analyte: str) -> str | None:
        """Whose limits were asked for, for one analyte."""
        return self.authority.get(analyte) if isinstance(self.authority, Mapping) else self.authority

    def _most_specific(self, drawn: list[LimitSet], unit: str) -> Rule | list[tuple[World, Rule | None]]:
        """Of several sets of one authority, the one drawn for the circumstances of this person; else the first."""

        def needs(rules: Rule | list[tuple[World, Rule | None]]) -> int:
            own = [rules] if isinstance(rules, Rule) else [r for _, r in rules if r is not None]
            return max((len(r.limit_set.populations[r.population]["requires"]) for r in own), default=-1)

        return max((self.rules_of(limit_set, unit) for limit_set in drawn), key=needs)

    def rules_of(self, limit_set: LimitSet, unit: str) -> Rule | list[tuple[World, Rule | None]]:
        """The rule or the possible rules of one limit set for this person; none where declared circumstances contradict each other."""
        found = self.sets.get((limit_set.id, unit))
        if found is None:
            found = self.sets[limit_set.id, unit] = self._rules_of(limit_set, unit)
        return found

    def _rules_of(self, limit_set: LimitSet, unit: str) -> Rule | list[tuple[World, Rule | None]]:
        possible = self.worlds.get(limit_set.id)
        if possible is None:
            years = self.catalog.table["policy"]["pregnancy_possible_years"]
            possible = self.worlds[limit_set.id] = worlds(limit_set, self.patient.facts, years)
        if limit_set.data["shifts"]:
            if limit_set.contradiction(self.patient.contexts):
                return [(world, None) for world, _ in possible]
            limit_set = limit_set.moved(self.patient.contexts)
        made = {p: _rule(limit_set, p, unit) for _, p in possible if p is not None}
        numbers = {p for _, p in possible}
        if len(numbers) == 1:
            only = numbers.pop()
            if only is not None:
                return made[only]
        return [(world, None if p is None else made[p]) for world, p in possible]


def _rule(limit_set: LimitSet, population: int, unit: str) -> Rule:
    return Rule(limit_set, population, limit_set.edges_in(population, unit), limit_set.bands(population))


def book_for(catalog: Catalog, patient: Patient, authority: str | Mapping[str, str] | None, as_of: str) -> Book:
    """The rules for a person; the same facts get the same book."""
    key = ("book", patient.facts, authority if not isinstance(authority, Mapping) else tuple(sorted(authority.items())), as_of)
    found: Book | None = catalog.memo.get(key)
    if found is None:
        found = catalog.remember(key, Book(catalog, patient, authority, as_of))
    return found


def chosen(catalog: Catalog, authority: str | Mapping[str, str] | None) -> str | Mapping[str, str] | None:
    """Whose limits are asked for, by the catalog's names.

    Raises:
        UnknownAuthorityError: Nobody of that name draws lines in the catalog.
        InputError: It is neither a name nor a mapping.
    """
    if isinstance(authority, str) and authority in catalog.table["limits"]:  # a set's id names its own analyte
        authority = {catalog.table["limits"][authority]["analyte"]: authority}
    elif authority is not None and not isinstance(authority, (str, Mapping)):
        raise InputError("authority is a name such as 'nam', a limit set's id, or a mapping from analyte to one of them")
    elif isinstance(authority, Mapping):
        authority = {catalog.analyte_id(name): who for name, who in authority.items()}
    for one in () if authority is None else authority.values() if isinstance(authority, Mapping) else (authority,):
        catalog.check_authority(one)
    return authority
