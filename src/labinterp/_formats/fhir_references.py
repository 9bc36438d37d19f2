"""Resources with their places -> which resource a reference means, and which report or panel a result belongs to.

A reference is looked for in its own bundle first, then in those around it, then in the rest of what was read together. Where several different
resources answer to it, it means none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from labinterp._formats.fhir_json import Place, dict_of, dicts_of, text_of

_LOGICAL: Final = "identifier "  # before a reference that names no place
EVERYWHERE: Final = -1  # the scope of all that was read together
_HAS_MEMBER: Final = ("has-member", "has-component")  # STU3


class References:
    """Where references lead.

    Args:
        listed: Every resource that was read, in order.

    Attributes:
        holders: `id()` of a resource -> the panels and reports that name it.
        missing: How many members panels and reports name that are not here.
    """

    def __init__(self, listed: Sequence[Place]) -> None:
        self._named: dict[tuple[int, str], list[Place]] = {}
        self._inside: dict[tuple[int, str], Place] = {}
        self._found: dict[tuple[tuple[int, ...], str], list[Place]] = {}
        self._same: dict[int, bool] = {}
        for place in listed:
            if place.within is not None:
                self._inside.setdefault((id(place.within.resource), place.id), place)
                continue
            names = [name for name in (place.url, f"{place.type}/{place.id}" if place.id else "") if name]
            if place.type == "Patient":
                names += [name for name in map(_identified, dicts_of(place.resource.get("identifier"))) if name]
            for scope in (*place.scopes, EVERYWHERE):
                for name in names:
                    self._named.setdefault((scope, name), []).append(place)
        self.missing = 0
        self.holders = self._holders(listed)

    def all(self, reference: Any, origin: Place) -> list[Place]:
        """The resources a reference may mean; more than one where an id is used twice.

        Args:
            reference: A Reference as it stands.
            origin: The resource it stands in.
        """
        said = text_of(dict_of(reference).get("reference")) or _identified(dict_of(dict_of(reference).get("identifier")))
        if said.startswith("#"):
            own = origin.within or origin
            found = self._inside.get((id(own.resource), said[1:]))
            return [found] if found else [own] if said == "#" else []
        key = (origin.scopes, said)
        if key not in self._found:
            self._found[key] = self._looked_up(origin.scopes, said.split("/_history/")[0].split("|")[0])
        return self._found[key]

    def one(self, reference: Any, origin: Place) -> Place | None:
        """The resource a reference means; None where there is none, or several that differ."""
        found = self.all(reference, origin)
        if len(found) < 2:
            return found[0] if found else None
        key = id(found)
        if key not in self._same:
            self._same[key] = all(same(place.resource, found[0].resource) for place in found[1:])
        return found[0] if self._same[key] else None

    def _looked_up(self, scopes: tuple[int, ...], said: str) -> list[Place]:
        short = "/".join(said.rsplit("/", 2)[-2:]) if "://" in said and not said.startswith(_LOGICAL) else said
        for scope in (*scopes, EVERYWHERE):
            for name in dict.fromkeys((said, short)):
                places = self._named.get((scope, name), []) if name else []
                if name != said:  # an address: what has another address of its own is not meant
                    places = [place for place in places if "://" not in place.url]
                if places:
                    return places
        return []

    def above(self, place: Place) -> Iterator[Place]:
        """The reports and panels a result belongs to, nearest first; each once, however they refer to each other."""
        seen, waiting = {id(place.resource)}, [place]
        while waiting:
            for holder in self.holders.get(id(waiting.pop(0).resource), ()):
                if id(holder.resource) not in seen:
                    seen.add(id(holder.resource))
                    waiting.append(holder)
                    yield holder

    def _holders(self, listed: Iterable[Place]) -> dict[int, list[Place]]:
        """Each member, and the panels and reports that name it; the number of names bounds the work."""
        held: dict[int, list[Place]] = {}
        for place in listed:
            for reference in _members(place.type, place.resource):
                members = self.all(reference, place)[:2]
                self.missing += not members and place.type != "Composition"  # whose sections name more than results
                for member in members:
                    held.setdefault(id(member.resource), []).append(place)
            if place.within is not None and place.type == "Observation":
                held.setdefault(id(place.resource), []).append(place.within)
        return held


def _identified(identifier: Mapping[str, Any]) -> str:
    """An identifier as a name to look for; nothing without its system, as a number alone is anybody's."""
    system, value = text_of(identifier.get("system")), text_of(identifier.get("value"))
    return f"{_LOGICAL}{system} {value}" if system and value else ""


def same(one: Any, other: Any) -> bool:
    """Whether two resources say the same; no where they are nested too deeply to tell."""
    try:
        return bool(one == other)
    except RecursionError:
        return False


def has_members(resource: Mapping[str, Any]) -> bool:
    """Whether an Observation stands for others."""
    return bool(_members("Observation", resource)) or bool(dicts_of(resource.get("component")))


def _members(kind: str, resource: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if kind == "DiagnosticReport":
        return dicts_of(resource.get("result"))
    if kind == "Composition":
        return list(_entries(resource))
    if kind != "Observation":
        return []
    related = [dict_of(one.get("target")) for one in dicts_of(resource.get("related")) if one.get("type") in _HAS_MEMBER]
    return dicts_of(resource.get("hasMember")) + related


def _entries(composition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What the sections of a document name, those within sections included."""
    waiting = dicts_of(composition.get("section"))
    while waiting:
        section = waiting.pop()
        yield from dicts_of(section.get("entry"))
        waiting += dicts_of(section.get("section"))
