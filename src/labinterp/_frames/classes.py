"""Texts and facts of rows -> classes: all that an answer depends on, and nothing more.

There are millions of rows and few things they can mean. A class is the number of one meaning ("a name of ferritin",
"34 completed years"); it is found by the functions that read a single result, once for each distinct text. The
classes are closed sets: they grow with the catalog, never with a file.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property
from math import inf, nextafter
from threading import Lock
from typing import Any, Generic, NamedTuple, TypeVar

from labinterp._catalog import Catalog
from labinterp._facts import read_age, read_contexts, read_pregnancy
from labinterp._frames.screen import may_be_known, name_pieces
from labinterp._identify import Identified, Refused, code_key, name_key, of_specimen, specimen_key, which
from labinterp._inputs import Age, Patient, age_from_years, read_sex, whole_years
from labinterp._measure import NO_UNIT, unit_of
from labinterp._rules import DAYS
from labinterp._worlds import in_span
from labinterp.errors import InputError

T = TypeVar("T")
NO_SUCH_NAME = "no such test"
_MANY = 1000  # names after which it pays to know beforehand which cannot be known


class Numbered(Generic[T]):
    """Classes in the order in which they were met: each has a key that tells it, and one thing that stands for it."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}
        self.things: list[T] = []
        self._lock = Lock()

    def number(self, key: Hashable, thing: T) -> int:
        """The number of a class."""
        found = self.numbers.get(key)
        if found is None:
            with self._lock:  # batches are read side by side
                found = self.numbers.get(key)
                if found is None:
                    found = len(self.things)
                    self.things.append(thing)
                    self.numbers[key] = found
        return found


class Pair(NamedTuple):
    """What a name, a code, a specimen and a unit mean together.

    Attributes:
        analyte: Id, where it could be told.
        unit: UCUM code, where it could be told.
        reason: Why there is no answer, or None.
        named: Whether name, code and specimen were understood; if not, nothing else of the row matters.
    """

    analyte: str | None
    unit: str | None
    reason: str | None
    named: bool


class Names:
    """Classes of test names, codes, specimens and units, and what they mean together.

    Args:
        catalog: Whose names.

    Example:
        >>> names = Names(Catalog.default())
        >>> meaning = names.meaning(names.test("25(OH)D"), names.code(None), names.specimen("Serum"))
        >>> names.pairs.things[names.pair(meaning, names.unit("ng/mL"), names.unit(None))].analyte
        'vitamin_d'
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._asked = 0
        self.tests: Numbered[str] = Numbered()
        self.codes: Numbered[str] = Numbered()
        self.specimens: Numbered[str] = Numbered()
        self.units: Numbered[str] = Numbered()
        self.meanings: Numbered[Identified | Refused] = Numbered()
        self.pairs: Numbered[Pair] = Numbered()

    @classmethod
    def of(cls, catalog: Catalog) -> Names:
        """The classes of a catalog; every question has the same."""
        made: Names = catalog.learn("names", lambda: cls(catalog))
        return made

    @cached_property
    def pieces(self) -> frozenset[str]:
        """What the words of known names begin with."""
        return name_pieces(self.catalog.table)

    def test(self, text: str | None) -> int:
        """The class of a test's name."""
        text = text or ""
        self._asked += 1
        if self._asked > _MANY and len(text) <= 200 and not may_be_known(self.pieces, text):
            text = NO_SUCH_NAME
        return self.tests.number(name_key(self.catalog, text) if text != NO_SUCH_NAME else text, text)

    def code(self, text: str | None) -> int:
        """The class of a LOINC code as printed."""
        return self.codes.number(code_key(self.catalog, text or ""), text or "")

    def specimen(self, text: str | None) -> int:
        """The class of a specimen as printed."""
        return self.specimens.number((bool(text), text and specimen_key(self.catalog, text)), text or "")

    def unknown_test(self) -> int:
        """The class of names that nobody knows."""
        return self.test(NO_SUCH_NAME)

    def unknown_unit(self) -> int:
        """The class of unit texts that nobody knows."""
        return self.unit("no such unit")

    def unit(self, text: str | None) -> int:
        """The class of a unit as printed, or of a text behind a number."""
        text = text or ""
        known = (self.catalog.units.read(text), text.strip() in NO_UNIT, bool(text.strip()), bool(text))
        return self.units.number(known, text)

    def meaning(self, test: int, code: int, specimen: int) -> int:
        """What the classes of a name, a code and a specimen mean."""
        found = which(self.catalog, self.tests.things[test], self.codes.things[code])
        found = of_specimen(self.catalog, found, self.specimens.things[specimen])
        key = found[:3:2] if isinstance(found, Refused) else (found.analyte, found.kind, found.unit, True)
        return self.meanings.number(key, found)

    def pair(self, meaning: int, unit: int, rest: int) -> int:
        """What a meaning and a unit come to; `rest` is the class of the text behind the number."""
        found = self.meanings.things[meaning]
        if isinstance(found, Refused):
            made = Pair(found.analyte, None, found.reason, False)
        else:
            code = unit_of(self.catalog, found, self.units.things[unit] or None, self.units.things[rest])
            made = Pair(found.analyte, code, None, True) if isinstance(code, str) else Pair(found.analyte, None, code[0], True)
        return self.pairs.number(made, made)


class People:
    """Classes of the facts of a row's person.

    Args:
        catalog: Whose populations.

    Example:
        >>> people = People(Catalog.default())
        >>> number = people.person(people.sex("F"), people.pregnancy("no"), people.context(None), people.age_text("34 y"))
        >>> people.persons.things[number].sex, people.persons.things[number].pregnant
        ('female', False)
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.sexes: Numbered[str | None] = Numbered()
        self.pregnancies: Numbered[tuple[bool | None, frozenset[str]]] = Numbered()
        self.contexts: Numbered[frozenset[str]] = Numbered()
        self.ages: Numbered[Age | None] = Numbered()
        self.persons: Numbered[Patient] = Numbered()
        populations = [p for limits in catalog.table["limits"].values() for p in limits["populations"]]
        spans = {tuple(p["age"]) for p in populations if p["age"]} | {("years", *catalog.table["policy"]["pregnancy_possible_years"])}
        self._spans = sorted(spans, key=str)
        self.bounds = sorted({end * DAYS[unit] for unit, *ends in spans for end in ends if end is not None})
        alerts = [alert for entry in catalog.table["analytes"].values() for alert in entry["alerts"]]
        shifts = [shift for limits in catalog.table["limits"].values() for shift in limits["shifts"]]
        alternatives = [{"requires": group} for limits in catalog.table["limits"].values() for group in limits["one_of"]]
        self._asked = frozenset(c for one in (*populations, *alerts, *shifts, *alternatives) for c in one["requires"])
        self.age(None)

    @classmethod
    def of(cls, catalog: Catalog) -> People:
        """The classes of a catalog; every question has the same."""
        made: People = catalog.learn("people", lambda: cls(catalog))
        return made

    def sex(self, text: str | None) -> int:
        """The class of a sex as printed; a word that is not known is an unknown sex."""
        try:
            sex = read_sex(text)
        except InputError:
            sex = None
        return self.sexes.number(sex, sex)

    def pregnancy(self, text: str | None) -> int:
        """The class of a state of pregnancy as printed; a word that is not known is not stated."""
        try:
            stated = read_pregnancy(text.strip()) if text else (None, frozenset[str]())
        except InputError:
            stated = (None, frozenset())
        return self.pregnancies.number(stated, stated)

    def context(self, text: str | None) -> int:
        """The class of declared circumstances as printed; of those no limit asks for, nothing is kept."""
        try:
            declared = read_contexts(text, self.catalog.table["policy"]["context_names"]) if text and text.strip() else frozenset[str]()
        except InputError:
            declared = frozenset()
        kept = frozenset(c for c in declared if c in self._asked or c.startswith("trimester_"))
        return self.contexts.number(kept, kept)

    def age_text(self, text: str | None) -> int:
        """The class of an age as printed; a text that is none is an unknown age."""
        try:
            return self.age(age_from_years(whole_years(read_age(text)))) if text and text.strip() else self.age(None)
        except InputError:
            return self.age(None)

    def age_value(self, value: Any) -> int:
        """The class of an age as a program holds it: a number, or a text."""
        try:
            return self.age_text(value) if isinstance(value, str) else self.age(age_from_years(whole_years(value)))
        except InputError:
            return self.age(None)

    def age(self, age: Age | None) -> int:
        """The class of an age: those that no limit tells apart. The unknown age is 0."""
        if age is None:
            return self.ages.number(None, None)
        inner = tuple(b for b in self.bounds if age.days[0] < b < age.days[1])
        return self.ages.number((tuple(in_span(age, span) for span in self._spans), inner), age)

    def ending(self, low: float, high: float) -> list[tuple[Any, ...]]:
        """The spans of the data that begin or end between two ages in years."""
        return [
            (unit, *ends)
            for unit, *ends in self._spans
            if any(end is not None and low <= end * DAYS[unit] / DAYS["years"] <= high for end in ends)
        ]

    def person(self, sex: int, pregnancy: int, context: int, age: int) -> int:
        """The class of a person of these facts."""
        pregnant, trimester = self.pregnancies.things[pregnancy]
        contexts = self.contexts.things[context] | trimester
        facts = (self.sexes.things[sex], self.ages.things[age], pregnant, contexts)
        return self.persons.number((sex, age, pregnant, contexts), Patient.of_facts(*facts))


def first_years(people: People, low: float = 0.0, high: float = 130.0) -> tuple[list[float], list[int]]:
    """Where the class of an exact age changes: the first float of each class from 0 to 130 years, and the classes.

    An age given as a fraction of a year is taken as exact. The ends are found by halving, so that rounding on the way
    from years to months and days falls out the same for a column as for a single value.
    """
    starts = {low}
    for mark in sorted({b / 365.25 for b in people.bounds if low < b / 365.25 <= high}):
        below, above = max(low, mark - 0.01), min(high, mark + 0.01)
        spans = people.ending(below, above)  # of the others, nothing changes here
        while True:  # every change between the two, one after the other
            changed = _change(spans, below, above)
            if changed is None:
                break
            starts.add(changed)
            below = changed
    found = sorted(starts)
    return found, [people.age(age_from_years(float(start))) for start in found]


def _change(spans: Sequence[tuple[Any, ...]], below: float, above: float) -> float | None:
    """The first float above `below` that lies in other spans than `below`, up to `above`; None where there is none."""

    def inside(years: float) -> list[bool | None]:
        age = age_from_years(float(years))
        return [in_span(age, span) for span in spans]

    here = inside(below)
    if inside(above) == here:
        return None
    while nextafter(below, inf) < above:
        middle = (below + above) / 2
        if inside(middle) == here:
            below = middle
        else:
            above = middle
    return above
