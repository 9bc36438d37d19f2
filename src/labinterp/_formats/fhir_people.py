"""Patients and days in FHIR -> the facts of a draw. What is not known stays unknown; a birth date known to the year is an age between bounds."""

from __future__ import annotations

import calendar
import re
from collections.abc import Hashable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from labinterp._formats.fhir_json import Place, dict_of, dicts_of, text_of
from labinterp._formats.fhir_terms import FACTS, LABELS
from labinterp._inputs import Age, Patient, age_from_dates, read_sex
from labinterp.errors import InputError

_DATE: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ].*)?)?)?$")


class Days(NamedTuple):
    """A date that may be known to the month or the year only: the first and the last day it may mean."""

    first: date
    last: date

    @property
    def day(self) -> date | None:
        """The day itself, where it is known."""
        return self.first if self.first == self.last else None


class Drawn(NamedTuple):
    """When something was drawn or stated.

    Attributes:
        days: The day, or the bounds of it; None where nothing is said or it cannot be read.
        text: As printed.
        end: Last day of a period.
    """

    days: Days | None = None
    text: str = ""
    end: Days | None = None

    @property
    def day(self) -> date | None:
        """The day of sampling, where it is known."""
        return self.days.day if self.days else None


NEVER: Final = Drawn()


class Facts(NamedTuple):
    """What is said of a person at a draw beyond the Patient resource: written so by this library."""

    age_years: Any = None
    pregnant: bool | None = None
    contexts: frozenset[str] = frozenset()


@lru_cache(maxsize=4096)
def days_of(text: str) -> Days | None:
    """The days an ISO date means; None where it is none.

    Example:
        >>> days_of("1980-05").last, days_of("2021-12-01T00:00:00+01:00").day, days_of("yesterday")
        (datetime.date(1980, 5, 31), datetime.date(2021, 12, 1), None)
    """
    found = _DATE.match(text.strip())
    if not found:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
        last = date(year or 0, month or 12, day or calendar.monthrange(year or 1, month or 12)[1])
    except ValueError:
        return None
    return Days(first, last)


def drawn(resource: Mapping[str, Any]) -> Drawn:
    """When an Observation or a report holds: `effective[x]`. `issued` is the day of the paper, and is not used.

    Args:
        resource: An Observation, a DiagnosticReport, or `Specimen.collection`.
    """
    period = dict_of(resource.get("effectivePeriod")) or dict_of(resource.get("collectedPeriod"))
    events = dict_of(resource.get("effectiveTiming")).get("event")
    texts = [text_of(resource.get(name)) for name in ("effectiveDateTime", "effectiveInstant", "collectedDateTime")]
    if isinstance(events, list) and len(events) == 1:
        texts.append(text_of(events[0]))
    if period:
        start, end = text_of(period.get("start")), text_of(period.get("end"))
        begun, over = days_of(start), days_of(end)
        if begun and over and begun.first > over.last:
            return Drawn(None, f"{start} to {end}")
        if begun or over:
            bounds = Days(begun.first, begun.last if over is None else over.last) if begun else over
            return Drawn(bounds, f"{start} to {end}", over)
    text = next((text for text in texts if text), "")
    return Drawn(days_of(text), text) if text else NEVER


def own_facts(resource: Mapping[str, Any]) -> Facts:
    """Facts that this library wrote to a report of its own.

    Args:
        resource: A DiagnosticReport.
    """
    found: dict[str, Any] = {}
    contexts = set()
    for extension in dicts_of(resource.get("extension")):
        for part in dicts_of(extension.get("extension")) if extension.get("url") == FACTS else ():
            age, pregnant = dict_of(part.get("valueQuantity")).get("value"), part.get("valueBoolean")
            if part.get("url") == "age" and isinstance(age, (int, Decimal)) and not isinstance(age, bool):
                found["age_years"] = age
            elif part.get("url") == "pregnant" and isinstance(pregnant, bool):
                found["pregnant"] = pregnant
            elif part.get("url") == "context" and text_of(part.get("valueCode")):
                contexts.add(text_of(part.get("valueCode")))
    return Facts(**found, contexts=frozenset(contexts))


def label_of(patient: Place | None, reference: Mapping[str, Any]) -> str | None:
    """What a person is called: this library's own label, the id of the resource, or the reference itself.

    Args:
        patient: The Patient, where it was found.
        reference: What the result names as its subject.
    """
    if patient is not None:
        own = [text_of(one.get("value")) for one in dicts_of(patient.resource.get("identifier")) if one.get("system") == LABELS]
        if own or patient.id:
            return own[0] if own else patient.id
    said = text_of(reference.get("reference")) or text_of(dict_of(reference.get("identifier")).get("value"))
    return said.removeprefix("Patient/").removeprefix("urn:uuid:") or None


def who_is(patient: Place) -> tuple[Hashable, ...]:
    """What tells a Patient from others: sex, birth date and identifiers."""
    identifiers = dicts_of(patient.resource.get("identifier"))
    own = frozenset((text_of(one.get("system")), text_of(one.get("value"))) for one in identifiers)
    return (text_of(patient.resource.get("gender")), text_of(patient.resource.get("birthDate")), own)


def person(
    patient: Place | None, label: str | None, when: Drawn, facts: Facts, pregnant: bool | None, contexts: Sequence[str]
) -> tuple[Patient, list[str]]:
    """The person of a draw, and what of the facts could not be read.

    Args:
        patient: The Patient resource, where there is one.
        label: What the person is called.
        when: The draw.
        facts: From a report of this library.
        pregnant: From Observations of the draw.
        contexts: Circumstances the catalog knows.
    """
    notes = ["The day of sampling could not be read and counts as unknown."] if when.text and when.days is None else []
    resource = patient.resource if patient else {}
    sex = None
    try:
        sex = read_sex(text_of(resource.get("gender")))
    except InputError:
        notes.append("The sex could not be read and counts as unknown.")
    known: dict[str, Any] = {
        "id": label, "sex": sex, "pregnant": facts.pregnant if pregnant is None else pregnant, "contexts": frozenset(contexts),
    }  # fmt: skip
    said = text_of(resource.get("birthDate"))
    born = days_of(said) if said else None
    if said and born is None:
        notes.append("The birth date could not be read and counts as unknown.")
    try:
        if born is not None and (born.day is None or (when.days is not None and when.day is None)):
            return _between(known, born, when, notes)
        return Patient(**known, age_years=facts.age_years, birth_date=born.day if born else None, at=when.day), notes
    except InputError as error:
        return Patient(**known), [*notes, f"The age is unknown: {error}."]


def _between(known: Mapping[str, Any], born: Days, when: Drawn, notes: list[str]) -> tuple[Patient, list[str]]:
    """Somebody whose birth or draw is known to the month or the year only."""
    if when.days is None:
        return Patient(**known), [*notes, "The birth date is not known to the day, and there is no day of sampling: the age is unknown."]
    youngest, oldest = age_from_dates(born.last, when.days.first), age_from_dates(born.first, when.days.last)
    age = Age(*((low[0], high[1]) for low, high in zip(youngest, oldest, strict=True)))
    at_most = int(age.years[1]) - 1
    years = f"{int(age.years[0])}" if at_most == age.years[0] else f"{int(age.years[0])} to {at_most}"
    note = f"The birth date or the day of sampling is not known to the day: the age is {years} years."
    return Patient.of_facts(known["sex"], age, known["pregnant"], known["contexts"], known["id"]), [*notes, note]
