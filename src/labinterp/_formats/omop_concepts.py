"""Concept ids of the OMOP vocabularies -> what they mean: a CONCEPT table of the data first, the small table that ships second.

An id that neither knows stays unknown; nothing is guessed from it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from labinterp._lazy import pattern
from labinterp._names import LOINC

_TABLE = Path(__file__).with_name("omop_concepts.toml")
_IS_LOINC = pattern(LOINC).fullmatch


class Meant(NamedTuple):
    """What a concept of a measurement means, as far as it is known.

    Attributes:
        loinc: Code; "" where it is not known.
        test: Name; "" where only the code is known.
        specimen: Where the concept is known by a laboratory's label and fluid.
    """

    loinc: str = ""
    test: str = ""
    specimen: str = ""


@cache
def shipped() -> Mapping[str, Any]:
    """The table that ships, as it stands in its file."""
    return tomllib.loads(_TABLE.read_text("utf-8"))


class Concepts:
    """What concept ids mean.

    Args:
        rows: Rows of a CONCEPT table, by column name; those of other domains do no harm.
        relations: Rows of a CONCEPT_RELATIONSHIP table, by column name: "Maps to" leads from a source's concept to the standard one.

    Example:
        >>> Concepts().measurement(3001122), Concepts().unit(8842), Concepts().operator(4171756)
        (Meant(loinc='2276-4', test='', specimen=''), 'ng/mL', '<')
    """

    def __init__(self, rows: Iterable[Mapping[str, str]] = (), relations: Iterable[Mapping[str, str]] = ()) -> None:
        self._measurements = {
            **{int(id): Meant(one["loinc"]) for id, one in shipped()["measurement"].items()},
            **{int(id): Meant("", one["test"], one["specimen"]) for id, one in shipped()["label"].items()},
        }
        self._units: dict[int, str] = {int(id): one["ucum"] for id, one in shipped()["unit"].items()}
        self._operators: dict[int, str] = {int(id): one["sign"] for id, one in shipped()["operator"].items()}
        for row in rows:
            id = whole(row.get("concept_id", ""))
            code, vocabulary = row.get("concept_code", "").strip(), row.get("vocabulary_id", "").strip().casefold()
            if not id:
                continue
            if vocabulary == "ucum":
                self._units[id] = code
            elif vocabulary == "loinc" and _IS_LOINC(code):
                self._measurements[id] = Meant(code, row.get("concept_name", "").strip())
            elif id not in self._measurements:  # SNOMED and others: the name is all that is understood here
                self._measurements[id] = Meant("", row.get("concept_name", "").strip())
        self._maps: dict[int, set[int]] = {}
        for row in relations:
            if row.get("relationship_id", "").strip().casefold() == "maps to" and not row.get("invalid_reason", "").strip():
                self._maps.setdefault(whole(row.get("concept_id_1", "")), set()).add(whole(row.get("concept_id_2", "")))

    def measurement(self, id: int) -> Meant | None:
        """What is measured; None for an id that is not known. One without a LOINC code is followed to what it maps to, if that is one."""
        found = self._measurements.get(id)
        if (found is None or not found.loinc) and len(self._maps.get(id, ())) == 1:
            standard = self._measurements.get(next(iter(self._maps[id])))
            if standard is not None and standard.loinc:
                return standard
        return found

    def unit(self, id: int) -> str | None:
        """The unit's text, which the spelling table reads; "" for the concept that says there is none; None where it is not known."""
        return self._units.get(id)

    def operator(self, id: int) -> str | None:
        """The comparison sign; None where it is not known."""
        return self._operators.get(id)


def sex_of(id: int) -> str | None:
    """ "female", "male", or None for every other concept."""
    found = shipped()["gender"].get(str(id))
    return None if found is None else str(found["sex"])


@cache
def unit_ids() -> Mapping[str, int]:
    """UCUM code -> the concept that is written for it; units with several concepts and no choice are left out."""
    ids: dict[str, list[int]] = {}
    chosen: dict[str, int] = {}
    for id, one in shipped()["unit"].items():
        ids.setdefault(one["ucum"], []).append(int(id))
        if one.get("written"):
            chosen[one["ucum"]] = int(id)
    return {ucum: found[0] for ucum, found in ids.items() if len(found) == 1 and ucum} | chosen


@cache
def measurement_ids() -> Mapping[str, int]:
    """LOINC code -> its concept."""
    return {one["loinc"]: int(id) for id, one in shipped()["measurement"].items()}


@cache
def operator_ids() -> Mapping[str, int]:
    """Comparison sign -> its concept."""
    return {one["sign"]: int(id) for id, one in shipped()["operator"].items()}


def whole(text: str) -> int:
    """A whole number from a cell; 0, which means "no concept", for everything else ("3001122.0" is what some exports make of it).

    Example:
        >>> whole("3001122"), whole("3001122.0"), whole(""), whole("x")
        (3001122, 3001122, 0, 0)
    """
    text = text.strip()
    head, _, tail = text.partition(".")
    if not (head.isascii() and head.isdigit() and len(head) <= 18) or tail.strip("0"):
        return 0
    return int(head)
