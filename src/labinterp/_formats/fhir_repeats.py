"""Results of FHIR that stand more than once: the same result is counted once, different results that share an id are all kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

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
        older: Whether a later version of it is here.
    """

    place: Place
    person: Hashable
    resolved: bool
    when: str
    content: Hashable
    reports: Sequence[Place]
    older: bool = False


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
        names = [((told.older, name), own) for name, own in _names(told.place, told.when)]
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


def _names(place: Place, when: str) -> Iterable[tuple[Hashable, bool]]:
    """The names of a result, and whether each is meant to be its own alone."""
    if place.id and "T" in when:  # a report may carry a copy of a result of its bundle; the time of day has to be told
        yield ("copy", place.scopes[-1], place.id), False
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


def superseded(results: Iterable[tuple[Place, Hashable]]) -> set[int]:
    """The results that a later version replaces, by `id()`.

    Versions are of one id in a history; elsewhere they are of one id or identifier, one test and one person, and their number, their time or their
    status says which is the later. Where none of them does, different results share a name, and all are kept.

    Args:
        results: Observations, each with the key of its person.
    """
    groups: dict[tuple[Hashable, ...], list[Place]] = {}
    for place, person in results:
        test = _frozen(place.resource.get("code"))
        if place.history and place.id and place.within is None:
            groups.setdefault(("history", place.scopes, place.id), []).append(place)
        elif place.within is None:
            if place.id:
                groups.setdefault(("id", person, test, place.url if "://" in place.url else "", place.id), []).append(place)
            moment = tuple(_frozen(place.resource.get(name)) for name in _MOMENTS)
            for one in _identifiers(place.resource) if any(moment) else ():
                groups.setdefault(("identifier", person, test, moment, one), []).append(place)
    older: set[int] = set()
    for (kind, *_), group in groups.items():
        newest = group[0]
        for place in group[1:]:
            newest = place if _later(place, newest, kind) else newest
        older |= {id(one.resource) for one in group if kind == "history" or _later(newest, one, kind)} - {id(newest.resource)}
    return older


_MOMENTS: Final = ("effectiveDateTime", "effectiveInstant", "effectivePeriod")
_RANKS: Final = {
    "registered": 0,
    "preliminary": 0,
    "final": 1,
    "corrected": 2,
    "amended": 2,
    "appended": 2,
    "cancelled": 3,
    "entered-in-error": 3,
}


def _later(one: Place, other: Place, kind: Hashable) -> bool:
    """Whether one version is later than another: by its number, its time, or its status; two resources of one identifier by their status alone."""
    for said in () if kind == "identifier" else (_updated, _numbered) if kind == "history" else (_numbered, _updated):
        mine, theirs = said(one), said(other)
        if mine is not None and theirs is not None and mine != theirs:
            return bool(mine > theirs)
    ranks = [_RANKS.get(text_of(place.resource.get("status")).casefold()) for place in (one, other)]
    return kind != "history" and ranks[0] is not None and ranks[1] is not None and ranks[0] > ranks[1]


def _numbered(place: Place) -> Any:
    meta = place.resource.get("meta")
    number = text_of(meta.get("versionId")) if isinstance(meta, dict) else ""
    return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None


def _updated(place: Place) -> Any:
    meta = place.resource.get("meta")
    return (text_of(meta.get("lastUpdated")) if isinstance(meta, dict) else "") or None


def _frozen(part: Any) -> str:
    """A part of a resource as a text that is the same where the part is."""
    try:
        return repr(part) if part is not None else ""
    except RecursionError:
        return ""
