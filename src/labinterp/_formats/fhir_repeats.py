"""Results of FHIR that stand more than once: the same result is counted once, different results that share an id are all kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from labinterp._formats.fhir_json import Place, dicts_of, text_of


class Told(NamedTuple):
    """One Observation as it was read, for comparing it with others.

    Attributes:
        place: Where it stands.
        person: Key of the person.
        resolved: Whether the person's resource was found.
        when: The time as printed.
        content: Its results and its status.
        reports: Reports that name it.
    """

    place: Place
    person: Hashable
    resolved: bool
    when: str
    content: Hashable
    reports: Sequence[Place]


class Repeats:
    """What was seen so far.

    Attributes:
        counts: How often what was found: "repeated", "reissued" (in a report with the same identifier), "shared id".
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._named: dict[Hashable, set[Hashable]] = {}
        self._reported: dict[Hashable, tuple[int, bool, Hashable]] = {}
        self._nth: Counter[Hashable] = Counter()

    def again(self, told: Told) -> bool:
        """Whether a result was read before: under the same id, address or identifier, or in another issue of the same report."""
        whole = (told.person, told.when, told.content)
        names = list(_names(told.place))
        if any(whole in self._named.get(name, ()) for name, _ in names):
            self.counts["repeated"] += 1
            return True
        shared = any(own and name in self._named for name, own in names)
        for name, _ in names:
            self._named.setdefault(name, set()).add(whole)
        if self._reissued(told):
            self.counts["reissued"] += 1
            return True
        self.counts["shared id"] += shared
        return False

    def _reissued(self, told: Told) -> bool:
        """Whether another report with the same identifier has the same result of the same moment.

        Two people that were both found are never taken for one; the time of day has to be told, so that two draws of a day stay two.
        """
        if "T" not in told.when:
            return False
        found = False
        for report in told.reports:
            identifiers = frozenset(_identifiers(report.resource))
            if not identifiers:
                continue
            own = id(report.resource)
            key: Hashable = (identifiers, told.when, told.content)
            self._nth[own, key] += 1
            first = self._reported.setdefault((key, self._nth[own, key]), (own, told.resolved, told.person))
            different = first[1] and told.resolved and first[2] != told.person
            found = found or (first[0] != own and not different)
        return found


def _names(place: Place) -> Iterable[tuple[Hashable, bool]]:
    """The names of a result, and whether each is meant to be its own alone."""
    if place.within is not None:
        if place.within.id and place.id:
            yield ("contained", place.within.type, place.within.id, place.id), True
    else:
        if "://" in place.url or place.url.startswith("urn:"):
            yield ("url", place.url), True
        if place.id:
            yield ("id", place.id), True
    yield from ((("identifier", *one), False) for one in _identifiers(place.resource))


def _identifiers(resource: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for one in dicts_of(resource.get("identifier")):
        if text_of(one.get("value")):
            yield text_of(one.get("system")), text_of(one.get("value"))


def superseded(places: Iterable[Place]) -> set[int]:
    """The resources of a history that a later version replaces, by `id()`."""
    newest: dict[Hashable, tuple[str, Place]] = {}
    older: set[int] = set()
    for place in places:
        if not place.history or not place.id or place.within is not None:
            continue
        meta = place.resource.get("meta")
        updated = text_of(meta.get("lastUpdated")) if isinstance(meta, dict) else ""
        key = (place.scopes, place.type, place.id)
        if key not in newest:
            newest[key] = (updated, place)
        elif updated > newest[key][0]:
            older.add(id(newest[key][1].resource))
            newest[key] = (updated, place)
        else:
            older.add(id(place.resource))
    return older
