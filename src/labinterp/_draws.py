"""Facts of rows -> whose draw each row belongs to: what is given once holds for all rows, what contradicts itself is read apart.

Files and frames both read draws by these rules.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._inputs import Patient
from labinterp.errors import InputError

if TYPE_CHECKING:
    from datetime import date


OF_THE_PERSON = ("sex", "born")
OF_THE_DRAW = ("age", "pregnant", "contexts")
NOT_TOLD: dict[str, Any] = {"contexts": frozenset()}  # None for all others


class Facts(NamedTuple):
    """The facts of one row, as far as they could be read. Rows with the same facts are one panel.

    Attributes:
        id: Label of the person; nothing where there is none.
        day: Day of sampling, or its text where that is no day.
        sex: "female", "male" or None.
        age: Years, or None.
        born: Birth date, or None.
        pregnant: True, False or None.
        contexts: Declared circumstances.
    """

    id: Any
    day: Any
    sex: Any
    age: float | int | None
    born: Any
    pregnant: bool | None
    contexts: frozenset[str]


def filled(facts: Sequence[Facts]) -> list[Facts]:
    """A fact given once for a person holds for all their rows, where the rows do not contradict each other.

    Sex and birth date hold for the person, all else for the draw. Without an id nothing is known to be of one person.
    """
    people = [fact.id or None for fact in facts]
    draws = [(fact.id, fact.day) if fact.id else None for fact in facts]
    columns = {
        **{name: told_once(people, [getattr(fact, name) for fact in facts]) for name in OF_THE_PERSON},
        **{name: told_once(draws, [getattr(fact, name) for fact in facts], NOT_TOLD.get(name)) for name in OF_THE_DRAW},
    }
    return [fact._replace(**{name: column[n] for name, column in columns.items()}) for n, fact in enumerate(facts)]


def told_once(groups: Iterable[Hashable], values: Sequence[Any], empty: Any = None) -> list[Any]:
    """The values with the gaps of each group filled, where its other values are all the same.

    Args:
        groups: The group of each value; None: of no group.
        values: Of one fact.
        empty: What stands where the fact is not given.

    Example:
        >>> told_once("aaabbbb", [34, None, 34, 50, None, 51, 50])
        [34, 34, 34, 50, None, 51, 50]
    """
    groups, told = list(groups), dict[Hashable, Any]()
    for group, value in zip(groups, values, strict=True):
        if value != empty and told.setdefault(group, value) != value:
            told[group] = empty
    told[None] = empty
    return [told.get(group, empty) if value == empty else value for group, value in zip(groups, values, strict=True)]


def person(fact: Facts, day: date | None) -> tuple[Patient, list[str]]:
    """The person of a panel on its day, and what of the facts cannot be: an age and a birth date that do not agree are both unknown."""
    known: dict[str, Any] = {"id": fact.id or None, "sex": fact.sex, "pregnant": fact.pregnant, "contexts": fact.contexts}
    try:
        return Patient(age_years=fact.age, birth_date=fact.born, at=day, **known), []
    except InputError as error:
        return Patient(**known), [f"the age is unknown: {error}."]
