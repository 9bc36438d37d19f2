"""Whom the bands of a set are for: every person that somebody may be as far as is known, and the population each belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._inputs import Age
from labinterp._rules import DAYS

if TYPE_CHECKING:
    from labinterp._rules import LimitSet


class World(NamedTuple):
    """One possible answer to the unknown facts: an age class, a sex, a state of pregnancy ("no", 1, 2 or 3)."""

    age: int
    sex: str
    pregnancy: Any


def in_span(age: Age, span: Sequence[Any] | None) -> bool | None:
    """Whether an age lies in a half-open span [unit, at_least, below]; None when it is not known exactly enough."""
    if span is None:
        return True
    unit, *ends = span
    begun, over = (None if end is None else _reached(age, unit, end) for end in ends)
    if begun is False or over is True:
        return False
    return True if (ends[0] is None or begun) and (ends[1] is None or over is False) else None


def _reached(age: Age, unit: str, end: float) -> bool | None:
    """Whether an age has reached an end of a span; None when it is not known exactly enough."""
    if unit == "days" and end % DAYS["years"] == 0:  # a birthday is one, however many leap days came before it
        unit, end = "years", end / DAYS["years"]
    low, high = getattr(age, unit)
    if low >= end:
        return True
    return False if low == high or high <= end else None


def worlds(limit_set: LimitSet, facts: tuple[Any, ...], pregnancy_years: Sequence[float]) -> list[tuple[World, int | None]]:
    """Every possible answer to the unknown facts, with the population it leads to (None: the set has no line there).

    Args:
        limit_set: Whose populations.
        facts: `Patient.facts`.
        pregnancy_years: Ages between which pregnancy is possible, [at_least, below].

    Returns:
        list: one entry when everything that matters is known.
    """
    sex, age, pregnant, contexts = facts
    ages = list(_ages(limit_set, age, pregnancy_years))
    declared = any(f"trimester_{n}" in contexts for n in (1, 2, 3))
    found: list[tuple[World, int | None]] = []
    for number, one_age in enumerate(ages):
        possible = in_span(one_age, ("years", *pregnancy_years)) is not False
        for one_sex in (sex,) if sex else ("female",) if pregnant or (pregnant is None and declared) else ("female", "male"):
            for state in _pregnancies(pregnant, one_sex, possible, contexts):
                world = World(number, one_sex, state)
                found.append((world, _population(limit_set, one_sex, one_age, state, contexts)))
    if age is None:
        found = _without_gaps(found)
    if pregnant is None:  # where the authority draws no line for pregnancy, its general line answers (told as a caveat)
        found = [(w, p) for w, p in found if w.pregnancy == "no" or p is not None] or found
    return found


def _without_gaps(found: list[tuple[World, int | None]]) -> list[tuple[World, int | None]]:
    """Without the ages the print skips between two that it covers (1 to 10 and 12 to 17 years): a skipped year contradicts nothing."""
    covered = {w.age for w, p in found if p is not None}
    return [(w, p) for w, p in found if p is not None or not covered or not min(covered) < w.age < max(covered)] or found


def _pregnancies(pregnant: bool | None, sex: str, possible: bool, contexts: frozenset[str]) -> tuple[Any, ...]:
    trimesters = tuple(n for n in (1, 2, 3) if f"trimester_{n}" in contexts) or (1, 2, 3)
    if pregnant or (pregnant is None and len(trimesters) == 1):
        return trimesters if sex == "female" else ("no",)
    if pregnant is False or sex == "male" or not possible:
        return ("no",)
    return ("no", *trimesters)


def _ages(limit_set: LimitSet, age: Age | None, pregnancy_years: Sequence[float]) -> Iterator[Age]:
    """The age as known, where that decides every span; else one age of each class it may belong to."""
    spans = [p["age"] for p in limit_set.populations if p["age"]]
    if any(p["pregnant"] == "yes" for p in limit_set.populations):  # somebody who may be pregnant is an age of its own
        spans.append(["years", *pregnancy_years])
    if age is not None and all(in_span(age, span) is not None for span in spans):
        yield age
        return
    low, high = age.days if age is not None else (0.0, inf)
    bounds = sorted({b * DAYS[unit] for unit, *ends in spans for b in ends if b is not None})
    inner = [b for b in bounds if low < b < high]
    if not spans:
        inner = []
    for start, end in zip([low, *inner], [*inner, high], strict=True):
        day = (start + end) / 2 if end < inf else start + 400
        yield Age(*((day / DAYS[unit],) * 2 for unit in ("years", "months", "days")))


def _population(limit_set: LimitSet, sex: str, age: Age, state: Any, contexts: frozenset[str]) -> int | None:
    """The most specific population that holds; they stand most specific first (compiled so)."""
    own = [p["requires"] for p in limit_set.populations]
    # a set that draws separate lines for a circumstance does not apply its general lines to a person in it
    needed = {c for requires in own for c in requires if c in contexts}
    for number, population in enumerate(limit_set.populations):
        if why_not(population, sex, age, state, contexts) is None and needed <= set(population["requires"]):
            return number
    return None


def why_not(population: Mapping[str, Any], sex: str | None, age: Age | None, state: Any, contexts: frozenset[str]) -> str | None:
    """Why a population does not hold for a person, in words; None when it holds."""
    missing = [c for c in population["requires"] if c not in contexts]
    if missing:
        return f"it is for people with {', '.join(missing)}, which is neither declared nor shown by the panel"
    if population["sex"] != "any" and population["sex"] != sex:
        return f"it is for {population['sex']} sex"
    if population["pregnant"] == "no" and state != "no":
        return "it does not cover pregnancy"
    if population["pregnant"] == "yes" and state == "no":
        return "it is for pregnancy"
    if population["trimester"] and state not in population["trimester"]:
        return f"it is for trimester {', '.join(map(str, population['trimester']))}"
    if age is not None and in_span(age, population["age"]) is not True:
        return "the age is outside it" if in_span(age, population["age"]) is False else "the age is not known exactly enough"
    return None


def deciding_fact(answers: Sequence[tuple[World, Any]]) -> str:
    """Which unknown fact makes the answers differ: "age", "sex" or "pregnancy", in this order."""
    for name, others in (("age", ("sex", "pregnancy")), ("sex", ("age", "pregnancy")), ("pregnancy", ("age", "sex"))):
        seen: dict[tuple[Any, ...], set[Any]] = {}
        for world, answer in answers:
            seen.setdefault(tuple(getattr(world, o) for o in others), set()).add(answer)
        if any(len(group) > 1 for group in seen.values()):
            return name
    return "pregnancy" if len({w.pregnancy for w, _ in answers}) > 1 else "sex" if len({w.sex for w, _ in answers}) > 1 else "age"
