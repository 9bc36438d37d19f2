"""Rows whose unit their own panel contradicts, by the way a single panel goes.

Whether a measured quantity goes together with its inputs is worked out once for each combination of numbers. The few panels in which one
does not are then read one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from labinterp._betrayed import Check, betrayed, beyond, how_far
from labinterp._computed import Person
from labinterp._derived import FUNCTIONS
from labinterp._draw_frames.derived_results import Results, usable, years_of
from labinterp._draw_frames.persons import NO_DAY, Floats, Ints, PersonFacts, numbered
from labinterp._frames.numbers import OPS
from labinterp._frames.words import Vocabulary
from labinterp._measure import Measured
from labinterp._quantity import Quantity

if TYPE_CHECKING:
    from labinterp._draw_frames.statements import Statements
    from labinterp._inputs import Patient


class People:
    """What functions may ask of the person of each panel.

    Args:
        facts: Of the person of each panel.
        patients: The persons met.
        who: That of each panel.
    """

    def __init__(self, facts: PersonFacts, patients: Sequence[Patient], who: Ints) -> None:
        self._facts, self._patients, self.who = facts, patients, who

    def years(self, panel: Ints) -> Floats:
        """The completed years of the persons of some panels; NaN where they are not known."""
        return years_of(self._facts.at(panel))

    def person(self, panel: int, years: float) -> Person:
        """The person of a panel, at an age."""
        patient = self._patients[self.who[panel]]
        return Person(patient.sex, None if np.isnan(years) else float(years), patient.pregnant)


def betrayed_rows(found: Results, statements: Statements, people: People) -> Ints:
    """The rows that a single panel would not assess, because the others contradict their unit.

    Args:
        found: The results that were read.
        statements: For the catalog, and what was learned.
        people: The persons of the panels.
    """
    suspect = np.zeros(len(people.who), bool)
    for derive in statements.catalog.table["derive"]:
        own = statements.analytes.index(derive["analyte"])
        there = np.zeros(len(people.who), bool)
        there[found.panel[found.analyte == own]] = True
        for block in derive["blocks"]:
            if block["measured"] is None:
                continue
            taken = [statements.analytes.index(name) for name, _ in block["inputs"]]
            panel, results = usable(found, [*taken, own], there)
            suspect[panel[_apart(statements, derive["analyte"], block, panel, results, people)]] = True
            if block["measured"]["at_most"] is not None:
                panel, results = usable(found, taken, ~there)
                suspect[panel[_apart(statements, derive["analyte"], block, panel, results, people)]] = True
    return _each(found, statements, people, suspect)


def _apart(statements: Statements, analyte: str, block: Mapping[str, Any], panel: Ints, results: Sequence[Results], people: People) -> Any:
    """Whether the results of each panel do not go together; worked out once for each combination."""
    if not panel.size:
        return np.zeros(0, bool)
    asks = FUNCTIONS[block["function"]].person
    years = people.years(panel) if "age_years" in asks else np.full(len(panel), np.nan)
    who = people.who[panel] if asks else np.zeros(len(panel), np.int64)
    parts = [*(pl.Series(part) for one in results for part in (one.number, one.unit)), pl.Series(years, nan_to_null=True), pl.Series(who)]
    kind, first = numbered(parts)
    units = Vocabulary(statements.catalog).words["unit"]
    names = [*(name for name, _ in block["inputs"]), analyte]
    apart = []
    for n in first.tolist():
        person = people.person(panel[n], years[n])
        read = tuple((float(one.number[n]), units[one.unit[n]]) for one in results)
        key = ("apart", block["id"], read, *(person if asks else ()))
        known = statements.made.get(key)
        if known is None:
            taken = [_measured(at, names[at], number, unit, "") for at, (number, unit) in enumerate(read)]
            inputs, measured = taken[: len(block["inputs"])], taken[len(block["inputs"]) :]
            check = Check(block, analyte, tuple(inputs), measured[0] if measured else None)
            known = statements.made[key] = beyond(block, how_far(statements.catalog, check, person))
        apart.append(known)
    return np.array(apart, bool)[kind]


def _each(found: Results, statements: Statements, people: People, suspect: Any) -> Ints:
    """Panels with a contradiction, read one by one."""
    place = np.flatnonzero(suspect[found.panel])
    if not place.size:
        return np.zeros(0, np.int64)
    place = place[np.argsort(found.panel[place], kind="stable")]
    units, rows = Vocabulary(statements.catalog).words["unit"], list[int]()
    for own in np.split(place, np.flatnonzero(np.diff(found.panel[place])) + 1):
        panel = found.panel[own[:1]]
        measured, days = [], dict[int, int]()
        for n in own.tolist():
            row, unit = int(found.row[n]), units[found.unit[n]]
            measured.append(_measured(row, statements.analytes[found.analyte[n]], float(found.number[n]), unit, OPS[found.op[n]]))
            if found.day[n] != NO_DAY:
                days[row] = int(found.day[n])
        person = people.person(int(panel[0]), float(people.years(panel)[0]))
        rows.extend(betrayed(statements.catalog, measured, person, days).refused)
    return np.array(sorted(rows), np.int64)


def _measured(row: int, analyte: str, number: float, unit: str, comparator: str) -> Measured:
    return Measured(row, analyte, "", "", "", Quantity(Decimal(repr(number)), unit, comparator), number, None, None, ())
