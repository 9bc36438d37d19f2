"""Checks of lines: bands tile, populations do not overlap, printed pairs agree, units convert, dates run forward."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, pairwise

from labinterp._compile import age_span
from labinterp._files import Files, Problem
from labinterp._rules import DAYS
from labinterp._schema_analyte import Analyte, Band, InForce, LimitSet, Population
from labinterp._schema_parts import Span
from labinterp._units import Physics

_ORDER = {"LU": 0, "L": 1, "N": 2, "IND": 2, "H": 3, "HU": 4}


def check_limits(files: Files) -> Iterator[Problem]:
    """Every problem in the limits of every analyte."""
    kinds: dict[str, str] = {u.ucum: u.kind for u in files.units.unit}
    physics = Physics({u.ucum: u.pint for u in files.units.unit}, kinds)
    sets = {s.id for a in files.analytes.values() for s in a.limits} | {n.id for a in files.analytes.values() for n in a.no_limit}
    for analyte in files.analytes.values():
        file = f"analytes/{analyte.id}.toml"
        yield from _units(analyte, file, kinds, physics)
        if analyte.default is not None and analyte.default not in sets:
            yield Problem(
                file, "default", f"{analyte.default!r} is no limit set of this catalog.", "Name one of its limits or no_limit ids."
            )
        for limits in analyte.limits:
            place = f"limits {limits.id!r}"
            yield from _force(file, place, limits.in_force)
            if limits.superseded_by is not None and limits.superseded_by not in sets:
                yield Problem(
                    file, f"{place} > superseded_by", f"{limits.superseded_by!r} is no limit set of this catalog.", "Correct the id."
                )
            if limits.unit not in kinds:
                yield Problem(file, f"{place} > unit", f"{limits.unit!r} is not in units.toml.", "Use a UCUM code of that list.")
                continue
            yield from _pairs(analyte, limits, file, kinds, physics)
            for population in limits.populations:
                yield from _tiling(file, f"{place} > {population.who!r}", population.bands)
            yield from _overlaps(file, limits)
            yield from _shifts(file, place, limits)
        for none in analyte.no_limit:
            yield from _force(file, f"no_limit {none.id!r}", none.in_force)
        yield from _rivals(file, analyte)


def _units(analyte: Analyte, file: str, kinds: dict[str, str], physics: Physics) -> Iterator[Problem]:
    units, moiety = analyte.units, analyte.units.moiety
    refused = {r.kind for r in units.refuse}
    wanted = {
        "units > si": [units.si],
        "units > usual": units.usual,
        "units > plausible": [units.plausible.unit],
        "units > ordinary": [units.ordinary.unit],
    }
    wanted |= {f"limits {s.id!r} > unit": [s.unit, *s.also_in] for s in analyte.limits}
    wanted |= {f"critical {c.id!r}": [c.unit] for c in analyte.critical} | {
        f"alerts {a.id!r}": [a.unit, *a.also_in] for a in analyte.alerts
    }
    for place, listed in wanted.items():
        for unit in listed:
            if unit not in kinds:
                yield Problem(file, place, f"{unit!r} is not in units.toml.", "Use a UCUM code of that list, or add the unit there.")
            elif kinds[unit] in refused:
                yield Problem(file, place, f"{unit!r} is of a kind this file refuses.", "Take it out of one of the two.")
            elif physics.factor(unit, units.si, moiety.molar_mass, moiety.valence) is None:
                yield Problem(
                    file, place, f"{unit!r} does not convert to {units.si!r}.", "Give the molar mass or the valence, or use another unit."
                )


def _tiling(file: str, place: str, bands: Sequence[Band]) -> Iterator[Problem]:
    keys = [b.key for b in bands]
    if len(set(keys)) != len(keys):
        yield Problem(file, f"{place} > bands", "a band key stands twice.", "Give each band its own key.")
    if not bands:
        yield Problem(file, f"{place} > bands", "there is no band.", "Add at least one.")
        return
    if _lower(bands[0]) is not None:
        yield Problem(
            file, f"{place} > bands", f"nothing covers the values below {bands[0].key!r}.", "Start the first band without a lower end."
        )
    if _upper(bands[-1]) is not None:
        yield Problem(
            file, f"{place} > bands", f"nothing covers the values above {bands[-1].key!r}.", "End the last band without an upper end."
        )
    for here, there in pairwise(bands):
        upper, lower = _upper(here), _lower(there)
        if upper is None or lower is None:
            yield Problem(
                file,
                f"{place} > bands",
                f"{here.key!r} and {there.key!r} do not meet.",
                "Give the upper end of the one and the lower end of the other.",
            )
        elif upper[0] < lower[0] or (upper[0] == lower[0] and (upper[1], lower[1]) == ("below", "above")):
            yield Problem(
                file, f"{place} > bands",
                f"values between {here.key!r} ({upper[1]} {upper[0]}) and {there.key!r} ({lower[1]} {lower[0]}) belong to no band.",
                "Let one end where the next starts. If the source prints a gap, say in `judgement` how you read it.",
            )  # fmt: skip
        elif upper[0] > lower[0] or (upper[1], lower[1]) == ("at_most", "at_least"):
            yield Problem(
                file, f"{place} > bands", f"{here.key!r} ({upper[1]} {upper[0]}) and {there.key!r} ({lower[1]} {lower[0]}) overlap.",
                "Let one end where the next starts.",
            )  # fmt: skip
        if _ORDER[here.code] > _ORDER[there.code]:
            yield Problem(
                file,
                f"{place} > bands",
                f"{there.key!r} lies higher than {here.key!r} and has a lower code.",
                "Order the bands from low to high.",
            )
    for band in bands:
        lower, upper = _lower(band), _upper(band)
        if lower and upper and lower[0] > upper[0]:
            yield Problem(file, f"{place} > bands > {band.key!r}", "it ends before it starts.", "Exchange the two numbers.")


def _lower(span: Span) -> tuple[Decimal, str] | None:
    return (span.at_least, "at_least") if span.at_least is not None else (span.above, "above") if span.above is not None else None


def _upper(span: Span) -> tuple[Decimal, str] | None:
    return (span.below, "below") if span.below is not None else (span.at_most, "at_most") if span.at_most is not None else None


# --- printed pairs ------------------------------------------------------------------------------------------


def _pairs(analyte: Analyte, limits: LimitSet, file: str, kinds: dict[str, str], physics: Physics) -> Iterator[Problem]:
    lines = {end[0] for p in limits.populations for b in p.bands for end in (_lower(b), _upper(b)) if end is not None}
    for unit, pairs in limits.also_in.items():
        place = f"limits {limits.id!r} > also_in > {unit!r}"
        if unit not in kinds:
            continue  # told by the unit check
        printed = {here for here, _ in pairs}
        for line in sorted(lines - printed):
            yield Problem(
                file, place, f"the line {line} {limits.unit} has no pair here.", "Give every line its printed pair, or leave this unit out."
            )
        for line in sorted(printed - lines):
            yield Problem(file, place, f"{line} {limits.unit} is no line of this set.", "Take the pair out or correct it.")
        factor = physics.factor(limits.unit, unit, analyte.units.moiety.molar_mass, analyte.units.moiety.valence)
        if factor is None:
            continue
        for here, there in pairs:
            exact = Fraction(here) * factor
            half = Fraction(10) ** int(there.as_tuple().exponent) / 2
            if abs(Fraction(there) - exact) > max(half, abs(exact) / (5 if limits.pairs_differ else 50)):
                yield Problem(
                    file, place, f"{here} {limits.unit} is {float(exact):.4g} {unit} by the molar mass, not {there}.",
                    "A slip of typing, or another moiety? If the source really prints it so, say why in `pairs_differ`.",
                )  # fmt: skip


# --- lines that move ----------------------------------------------------------------------------------------


def _shifts(file: str, place: str, limits: LimitSet) -> Iterator[Problem]:
    """Shifts that move nothing, stand twice, or carry a line below zero."""
    seen: set[frozenset[str]] = set()
    lines = [end[0] for p in limits.populations for b in p.bands for end in (_lower(b), _upper(b)) if end is not None]
    for shift in limits.shifts:
        there = f"{place} > shifts {' + '.join(shift.requires)}"
        if frozenset(shift.requires) in seen:
            yield Problem(file, there, "these circumstances already move the lines.", "Put the whole amount into one shift.")
        seen.add(frozenset(shift.requires))
        if shift.add == 0:
            yield Problem(file, there, "it moves nothing.", "Take it out, or give the amount the source prints.")
        if lines and min(lines) > 0 >= min(lines) + shift.add:
            yield Problem(
                file, there, f"{shift.add} moves the line {min(lines)} to zero or below.", "Check the sign and the unit of `add`."
            )
        if not shift.cite:
            yield Problem(file, there, "no citation.", "Say where the amount is printed.")
    if limits.shifts and not lines:
        yield Problem(file, f"{place} > shifts", "the set has no line to move.", "Take the shifts out.")


# --- populations and dates ----------------------------------------------------------------------------------


def _overlaps(file: str, limits: LimitSet) -> Iterator[Problem]:
    for one, other in combinations(limits.populations, 2):
        if _rank(one) == _rank(other) and _meet(one, other):
            yield Problem(
                file, f"limits {limits.id!r}", f"the populations {one.who!r} and {other.who!r} overlap.",
                "Give them ages, sexes or circumstances that exclude each other.",
            )  # fmt: skip


def _rivals(file: str, analyte: Analyte) -> Iterator[Problem]:
    """One authority, one day: only one set may speak for a person, unless an `aspect` tells them apart."""
    for one, other in combinations(analyte.limits, 2):
        if one.authority != other.authority or one.aspect != other.aspect or not _same_time(one.in_force, other.in_force):
            continue
        if any(_rank(p) == _rank(q) and _meet(p, q) for p in one.populations for q in other.populations):
            yield Problem(
                file, f"limits {one.id!r}", f"{other.id!r} is of the same authority, at the same time, for the same people.",
                "End one with in_force.until, or give each its `aspect`.",
            )  # fmt: skip


def _rank(population: Population) -> tuple[object, ...]:
    return (
        tuple(sorted(population.requires)),
        population.pregnant == "yes",
        bool(population.trimester),
        population.sex == "any",
        _days(population) is None,
    )


def _days(population: Population) -> tuple[float, float] | None:
    span = age_span(population)
    if span is None:
        return None
    unit, low, high = span
    return (low or 0) * DAYS[unit], float("inf") if high is None else high * DAYS[unit]


def _meet(one: Population, other: Population) -> bool:
    ages, others = _days(one) or (0, float("inf")), _days(other) or (0, float("inf"))
    if ages[0] >= others[1] or others[0] >= ages[1]:
        return False
    if "any" not in (one.sex, other.sex) and one.sex != other.sex:
        return False
    if {one.pregnant, other.pregnant} == {"yes", "no"}:
        return False
    return not (one.trimester and other.trimester and not set(one.trimester) & set(other.trimester))


def _same_time(one: InForce, other: InForce) -> bool:
    first, second = (((f.from_ or date.min), (f.until or date.max)) for f in (one, other))
    return first[0] < second[1] and second[0] < first[1]


def _force(file: str, place: str, in_force: InForce) -> Iterator[Problem]:
    if in_force.from_ and in_force.until and in_force.from_ >= in_force.until:
        yield Problem(file, f"{place} > in_force", "it ends before it starts.", "`until` is the first day on which it is not in force.")
