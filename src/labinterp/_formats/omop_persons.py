"""Rows of PERSON -> who they are on a day. A birth date of which only the year is known gives an age of a span, never one that is made up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from labinterp._formats.omop_concepts import sex_of, whole
from labinterp._inputs import Age, Patient, age_from_dates, read_sex
from labinterp.errors import InputError

_MANY = 8551, 8521, 8570, 0  # unknown, other, ambiguous, none: the words of the source may still tell


class Person(NamedTuple):
    """What PERSON says of somebody.

    Attributes:
        sex: "female", "male" or None.
        earliest: First day they may have been born; None where nothing is known.
        latest: Last day.
    """

    sex: str | None
    earliest: date | None = None
    latest: date | None = None


def people_of(rows: Iterable[Mapping[str, str]]) -> tuple[dict[str, Person], list[str]]:
    """Persons by id, and what could not be believed.

    Args:
        rows: Of PERSON, by column name in lower case.

    Example:
        >>> people_of([{"person_id": "1", "gender_concept_id": "8532", "year_of_birth": "1953"}])[0]["1"].sex
        'female'
    """
    found: dict[str, Person] = {}
    twice: set[str] = set()
    for row in rows:
        id = person_id(row.get("person_id", ""))
        one = Person(_sex(row), *_born(row))
        if id in found and found[id] != one:
            twice.add(id)
        found[id] = one
    for id in twice:
        found[id] = Person(None)
    notes = [f"PERSON contradicts itself on {len(twice)} of its ids; sex and age of these people are unknown."] if twice else []
    return found, notes


def person_id(text: str) -> str:
    """The id as it is written out: "17.0" of an export is 17; an id that is no number stays as it is."""
    return str(whole(text) or text.strip())


def _sex(row: Mapping[str, str]) -> str | None:
    concept = whole(row.get("gender_concept_id", ""))
    sex = sex_of(concept)
    if sex is None and concept in _MANY:
        try:
            sex = read_sex(row.get("gender_source_value", ""))
        except InputError:
            return None
    return sex


def _born(row: Mapping[str, str]) -> tuple[date | None, date | None]:
    """The first and the last day of birth that year, month and day allow. `birth_datetime` is not asked: where they are empty, it is filled up."""
    year, month, day = (whole(row.get(name, "")) for name in ("year_of_birth", "month_of_birth", "day_of_birth"))
    try:
        if not year:
            return None, None
        if not month:
            return date(year, 1, 1), date(year, 12, 31)
        if not day:
            following = date(year + month // 12, month % 12 + 1, 1)
            return date(year, month, 1), following - timedelta(days=1)
        return date(year, month, day), date(year, month, day)
    except (ValueError, OverflowError):
        return None, None


def patient_on(id: str, person: Person, day: date | None) -> tuple[Patient, list[str]]:
    """The person on a day of sampling, and what must be known of the age.

    Args:
        id: As `person_id` gives it.
        person: From `people_of`.
        day: None where it is not known: then the age is not, either.

    Example:
        >>> patient, notes = patient_on("1", Person("female", date(1953, 1, 1), date(1953, 12, 31)), date(2023, 6, 30))
        >>> patient.age.years, notes
        ((69, 71), ['the birth date is known to the year only; the age is 69 or 70 years.'])
    """
    known = id or None
    if person.earliest is None or person.latest is None or day is None:
        return Patient(id=known, sex=person.sex), []
    if person.earliest == person.latest:
        try:
            return Patient(id=known, sex=person.sex, birth_date=person.earliest, at=day), []
        except InputError as error:
            return Patient(id=known, sex=person.sex), [f"the age is unknown: {error}."]
    try:
        young, old = age_from_dates(min(person.latest, day), day), age_from_dates(person.earliest, day)
    except InputError as error:
        return Patient(id=known, sex=person.sex), [f"the age is unknown: {error}."]
    age = Age((young.years[0], old.years[1]), (young.months[0], old.months[1]), (young.days[0], old.days[1]))
    low, high = int(age.years[0]), int(age.years[1]) - 1
    part = "year" if (person.latest - person.earliest).days > 31 else "month"
    said = f"the birth date is known to the {part} only; the age is {f'{low} or {high}' if high > low else low} years."
    return Patient.of_facts(person.sex, age, None, frozenset(), known), [said]
