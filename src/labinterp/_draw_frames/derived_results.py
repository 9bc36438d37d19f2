"""What the results of each panel let one compute, as further results: by the way a single panel goes, once for each combination.

A computed result stands behind the others in the row of its first input; for each further row it rests on it stands once more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from labinterp._codes import CODES
from labinterp._computed import Computed, Person, assessed, computed
from labinterp._derived import FUNCTIONS
from labinterp._draw_frames.persons import NO_DAY, Floats, Ints, PersonFacts, key, numbered
from labinterp._draw_frames.statements import DERIVED, Statement
from labinterp._frames.texts import as_text
from labinterp._frames.words import Vocabulary
from labinterp._inputs import age_from_dates
from labinterp._measure import Measured
from labinterp._quantity import Quantity
from labinterp._results import Finding
from labinterp.errors import InputError

if TYPE_CHECKING:
    from labinterp._draw_frames.statements import Statements, World

MEASURED, COMPUTED, AGAIN = 0, 1, 2  # how a result came about; AGAIN: a computed one, for a further row it rests on


class Results(NamedTuple):
    """Results that were read, one a row; computed ones stand behind the others.

    Attributes:
        row: Of the frame.
        panel: Its panel.
        analyte: Place in the catalog's list.
        unit: Place in the vocabulary's list.
        op: Place in `OPS`.
        number: The value.
        code: Place in the vocabulary's list of codes from 1, 0 for none.
        band: Place in that of bands from 1, 0 for none.
        day: The day of the sample, or `NO_DAY`.
        made: `MEASURED`, `COMPUTED` or `AGAIN`.
    """

    row: Ints
    panel: Ints
    analyte: Ints
    unit: Ints
    op: Ints
    number: Any
    code: Ints
    band: Ints
    day: Ints
    made: Ints

    def at(self, places: Any) -> Results:
        """The results at some places."""
        return Results(*(part[places] for part in self))

    def with_more(self, more: Results) -> Results:
        """These results and others behind them."""
        return Results(*(np.concatenate(both) for both in zip(self, more, strict=True)))


class Made(NamedTuple):
    """One quantity computed from one combination of inputs; nothing where it is refused.

    Attributes:
        number: The value, or NaN.
        code: As in `Results`.
        band: As in `Results`; 1 for any.
        statement: Number of what is said of it, or -1 where nobody draws a line for it.
    """

    number: float = np.nan
    code: int = 0
    band: int = 0
    statement: int = -1


def days_of(own: Ints, columns: Mapping[str, pl.Series]) -> Ints:
    """The day of each row's sample; a text that is no day is a day of its own."""
    if "collected_at" not in columns or not (own == NO_DAY).any():
        return own
    texts = key(as_text(columns["collected_at"]))
    unread = np.flatnonzero((own == NO_DAY) & texts.is_not_null().to_numpy())
    days = own.copy()
    days[unread] = numbered([texts.gather(unread)])[0] + np.iinfo(np.int32).max
    return days


def with_derived(
    found: Results, statements: Statements, facts: PersonFacts, worlds: Sequence[World], world: Ints
) -> tuple[Results, list[tuple[int, Ints, Ints]]]:
    """The results with all that can be computed from them, and what is said of it: place in the order, panels, statements.

    Args:
        found: The results that were read.
        statements: For the catalog, and where statements get their numbers.
        facts: Of the person of each panel.
        worlds: Kinds of persons in their circumstances.
        world: That of each panel.
    """
    said, units = [], Vocabulary(statements.catalog).words["unit"]
    for order, derive in enumerate(statements.catalog.table["derive"]):
        analyte = statements.analytes.index(derive["analyte"])
        left = np.ones(len(world), bool)
        left[found.panel[found.analyte == analyte]] = False
        for block in derive["blocks"]:
            taken = [statements.analytes.index(name) for name, _ in block["inputs"]]
            panel, inputs = usable(found, taken, left)
            if not panel.size:
                continue
            asks = "age_years" in FUNCTIONS[block["function"]].person
            years = years_of(facts.at(panel)) if asks else np.full(len(panel), np.nan)
            kind, first = numbered(
                [
                    *(pl.Series(part) for one in inputs for part in (one.number, one.unit)),
                    pl.Series(years, nan_to_null=True),
                    pl.Series(world[panel]),
                ]
            )
            made = [
                _made(
                    statements,
                    derive["analyte"],
                    block,
                    tuple((float(one.number[n]), units[one.unit[n]]) for one in inputs),
                    None if np.isnan(years[n]) else float(years[n]),
                    worlds[world[panel[n]]],
                )
                for n in first.tolist()
            ]
            number = np.array([one.number for one in made])[kind]
            done = ~np.isnan(number)
            left[panel[done]] = False
            unit = units.index(block["unit"])
            code, band, statement = (np.array([one[at] for one in made], np.int64)[kind] for at in (1, 2, 3))
            of = [part[done] for part in (panel, number, code, band)]
            found = found.with_more(_behind(found, taken, [one.at(done) for one in inputs], of, analyte, unit))
            told = done & (statement >= 0)
            said.append((order, panel[told], statement[told]))
    return found, said


def usable(found: Results, analytes: list[int], left: Any) -> tuple[Ints, list[Results]]:
    """The panels that have one plain result of each analyte, of one day as far as days are known; and those results."""
    places, may = [], left.copy()
    for analyte in analytes:
        at = np.flatnonzero((found.analyte == analyte) & (found.made != AGAIN))
        count = np.bincount(found.panel[at], minlength=len(left))
        place = np.zeros(len(left), np.int64)
        place[found.panel[at]] = at
        may &= count == 1
        may[found.panel[at[found.op[at] != 0]]] = False
        places.append(place)
    panel = np.flatnonzero(may)
    inputs = [found.at(place[panel]) for place in places]
    days = np.array([one.day for one in inputs]).reshape(len(inputs), len(panel))
    known = np.where(days == NO_DAY, days.max(axis=0, initial=NO_DAY), days)
    same = (known == known[0]).all(axis=0) if len(inputs) else np.ones(0, bool)
    return panel[same], [one.at(same) for one in inputs]


def _made(
    statements: Statements, analyte: str, block: Mapping[str, Any], inputs: tuple[tuple[float, str], ...], years: float | None, world: World
) -> Made:
    """What one combination of numbers, in their units, comes to for one kind of person; worked out once."""
    key = (block["id"], inputs, years, world.book.patient.facts)
    found: Made | None = statements.made.get(key)
    if found is None:
        found = statements.made[key] = _computed(statements, analyte, block, inputs, years, world)
    return found


def _computed(
    statements: Statements, analyte: str, block: Mapping[str, Any], inputs: tuple[tuple[float, str], ...], years: float | None, world: World
) -> Made:
    """The way a single panel goes."""
    catalog, patient = statements.catalog, world.book.patient
    taken = [
        Measured(n, name, "", "", "", Quantity(Decimal(repr(number)), unit), number, None, None, ())
        for n, ((name, _), (number, unit)) in enumerate(zip(block["inputs"], inputs, strict=True))
    ]
    if block["only_these_units"] and any(one.quantity.unit != unit for one, (_, unit) in zip(taken, block["inputs"], strict=True)):
        return Made()
    made = computed(catalog, analyte, block, taken, Person(patient.sex, years, patient.pregnant))
    if isinstance(made, str):
        return Made()
    ((_, answer),) = assessed(world.book, Computed([made], {made.row: block}, [], True), taken)
    if not isinstance(answer, Finding):
        return Made(made.number)
    place = statements.analytes.index(analyte)
    statement = statements.number(Statement(DERIVED, analyte, text=str(answer), analytes=(place,)))
    return Made(made.number, CODES.index(answer.code) + 1, int(answer.band is not None), statement)


def _behind(found: Results, taken: list[int], inputs: list[Results], of: list[Any], analyte: int, unit: int) -> Results:
    """Computed results: one in the row of the first input, one more for each further row of the inputs."""
    panel, number, code, band = of
    at = np.full(int(found.panel.max(initial=-1)) + 1, -1, np.int64)
    at[panel] = np.arange(len(panel))
    places, rows, made = [np.arange(len(panel))], [inputs[0].row], [np.full(len(panel), COMPUTED)]
    for n, one in enumerate(taken):
        own = np.flatnonzero((found.analyte == one) & (at[found.panel] >= 0))
        own = own[found.made[own] == AGAIN] if n == 0 else own
        places.append(at[found.panel[own]])
        rows.append(found.row[own])
        made.append(np.full(len(own), AGAIN))
    place = np.concatenate(places)
    day = np.array([one.day for one in inputs]).max(axis=0, initial=NO_DAY)
    size, nothing = len(place), np.zeros(len(place), np.int64)
    return Results(
        np.concatenate(rows), panel[place], np.full(size, analyte), np.full(size, unit), nothing, number[place], code[place], band[place],
        day[place], np.concatenate(made),
    )  # fmt: skip


def years_of(facts: PersonFacts) -> Floats:
    """The age of each person in years, of a birth date the completed ones; NaN where it is not known."""
    given = ~np.isnan(facts.age)
    born, day = np.where(given, NO_DAY, facts.born), np.where(given, NO_DAY, facts.day)
    lived, at = numbered([pl.Series(born), pl.Series(day)])
    return np.asarray(np.where(given, facts.age, np.array([_completed(int(born[n]), int(day[n])) for n in at])[lived]))


def _completed(born: int, day: int) -> float:
    """Completed years between two days; NaN where they do not belong to one life."""
    if NO_DAY in (born, day):
        return np.nan
    try:
        return age_from_dates(*(date.fromordinal(one + 719_163) for one in (born, day))).years[0]
    except InputError:
        return np.nan
