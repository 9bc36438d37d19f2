"""Observations of pregnancy -> whether somebody was pregnant at a draw.

A status holds for a draw of the same day, of the same encounter, or within the period it was stated for. A status of another day says nothing
of this one: how long it holds is a clinical question, and pregnancy changes which limits apply.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date
from typing import Any, Final

from labinterp._formats.fhir_json import dict_of, dicts_of, text_of
from labinterp._formats.fhir_people import Drawn
from labinterp._inputs import read_yes_no
from labinterp.errors import InputError

_CODES: Final = ("82810-3", "11449-6")  # LOINC: pregnancy status, reported pregnancy status
_PREGNANT: Final = {"LA15173-0": True, "LA26683-5": False, "77386006": True, "60001007": False}
_PREGNANT_WORDS: Final = {
    **dict.fromkeys(("pregnant", "currently pregnant", "schwanger", "enceinte", "zwanger", "incinta", "embarazada", "gravid", "gravida"), True),
    **dict.fromkeys(
        ("not pregnant", "not currently pregnant", "nicht schwanger", "non enceinte", "pas enceinte", "niet zwanger", "non incinta", "no embarazada",
         "ikke gravid", "inte gravid"), False,
    ),
}  # fmt: skip

_MOST: Final = 64  # periods of one person that are looked through


class Pregnancies:
    """What was said of pregnancy, by person: for a day, an encounter, or a period."""

    def __init__(self) -> None:
        self._said: dict[Hashable, set[bool]] = {}
        self._periods: dict[Hashable, list[tuple[date, date, bool]]] = {}
        self._people: set[Hashable] = set()

    def add(self, person: Hashable, encounter: str, when: Drawn, resource: Mapping[str, Any], status: str) -> None:
        """Take in one Observation.

        Args:
            person: Whose.
            encounter: Reference of its encounter, or nothing.
            when: When it holds.
            resource: The Observation.
            status: Of it.
        """
        told = pregnancy_of(resource)
        if told is None or status in ("entered-in-error", "cancelled"):
            return
        self._people.add(person)
        if encounter:
            self._said.setdefault((person, "encounter", encounter), set()).add(told)
        if when.day is not None:
            self._said.setdefault((person, "day", when.day), set()).add(told)
        elif when.days is not None and when.end is not None and when.end.day is not None:
            self._periods.setdefault(person, []).append((when.days.first, when.end.day, told))

    def at(self, person: Hashable, encounter: str, day: date | None) -> tuple[bool | None, list[str]]:
        """Whether pregnant at a draw, as far as it was said of this draw, and what the reader should know."""
        if person not in self._people:
            return None, []
        said = set(self._said.get((person, "encounter", encounter), ())) if encounter else set()
        if day is not None:
            said |= self._said.get((person, "day", day), set())
            said |= {told for first, last, told in self._periods.get(person, [])[:_MOST] if first <= day <= last}
        if len(said) == 1:
            return said.pop(), []
        if said:
            return None, ["Pregnancy is both stated and denied for this draw; it counts as not stated."]
        return None, ["Pregnancy is stated for another day than this draw; it counts as not stated."]


def is_pregnancy(resource: Mapping[str, Any]) -> bool:
    """Whether an Observation is one of pregnancy."""
    return any(text_of(coding.get("code")) in _CODES for coding in dicts_of(dict_of(resource.get("code")).get("coding")))


def pregnancy_of(resource: Mapping[str, Any]) -> bool | None:
    """Whether a pregnancy Observation says pregnant; None where it says neither."""
    concept = dict_of(resource.get("valueCodeableConcept"))
    codings = dicts_of(concept.get("coding"))
    said = {_PREGNANT[text_of(c.get("code"))] for c in codings if text_of(c.get("code")) in _PREGNANT}
    if isinstance(resource.get("valueBoolean"), bool):
        said.add(resource["valueBoolean"])
    words = [text_of(concept.get("text")), text_of(resource.get("valueString")), *(text_of(c.get("display")) for c in codings)]
    for word in words if not said else ():
        told = _PREGNANT_WORDS.get(word.casefold())
        if told is None and word == text_of(resource.get("valueString")):
            try:
                told = read_yes_no(word)
            except InputError:
                told = None
        said |= {told} if told is not None else set()
    return said.pop() if len(said) == 1 else None
