"""Rows and what they say of their person -> the panel of each row, and the facts of each panel's person.

The rules are those of `_draws`, where files find them too. Draws whose rows all say the same need no rule; the others are
filled one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from labinterp._draw_frames.persons import NO_DAY, YEAR, Floats, Ints, PersonFacts, key, numbered
from labinterp._draws import OF_THE_DRAW, OF_THE_PERSON, Facts, person, told_once
from labinterp._frames.texts import as_text

_NO_AGE = -1.0


class Panels(NamedTuple):
    """Rows in panels.

    Attributes:
        of_row: Number of the panel of each row, in the order of the panels' first rows.
        first: The first row of each panel.
        day_row: A row of the first day of each panel's draw.
        facts: Of the person of each panel, on that day.
        changed: Whether a row's panel knows another person than the row alone does.
    """

    of_row: Ints
    first: Ints
    day_row: Ints
    facts: PersonFacts
    changed: npt.NDArray[np.bool_]


class By(NamedTuple):
    """What makes a draw.

    Attributes:
        person: The column with the person's label; None where the draw is told in other ways.
        others: Further columns that part draws.
        by_day: Whether each day is a draw of its own.
        within: How far from the first draw later ones are read with it, or None.
        by_clock: Whether the time of day counts for that.
    """

    person: pl.Series | None
    others: list[pl.Series]
    by_day: bool
    within: timedelta | None
    by_clock: bool


def panels(own: PersonFacts, columns: Mapping[str, pl.Series], by: By) -> Panels:
    """Put rows together.

    Args:
        own: Facts of the rows.
        columns: Role -> column.
        by: What makes a draw.
    """
    height = len(own.sex)
    keys = [key(column) for column in ([by.person] if by.person is not None else []) + by.others]
    owner = numbered(keys)[0] if keys else np.zeros(height, np.int64)
    who = numbered(keys[:1])[0] if by.person is not None else owner.copy()
    if keys:  # rows without any label are not known to be of one person
        nobody = pl.DataFrame([k.alias(str(n)) for n, k in enumerate(keys[:1] if by.person is not None else keys)])
        who[nobody.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()] = -1
    day, parts = own.day, [pl.Series(owner)]
    if by.by_day:
        if by.within is not None:
            day = _first_days(np.where(who < 0, -1, owner), own.day, columns["collected_at"], by.within, by.by_clock)
        texts = key(as_text(columns["collected_at"])) if (own.day == NO_DAY).any() else None
        unread = [] if texts is None else [pl.select(pl.when(pl.Series(own.day == NO_DAY)).then(texts)).to_series()]
        parts += [pl.Series(day), *unread]
    draw, _ = numbered(parts)
    if not by.by_day:
        day = np.where(who < 0, own.day, _least(draw, own.day)[draw])
    later = own.day > day
    facts = own._replace(age=_on_first_days(own, later, draw, who) if later.any() else own.age, day=day)
    facts = _filled(facts, draw, who)
    panel, first = numbered([pl.Series(draw), *(pl.Series(part, nan_to_null=True) for part in facts)])
    panel_facts = _agreeing(facts.at(first))
    day_row = _firsts(draw, skip=later)[draw[first]]
    return Panels(panel, first, day_row, panel_facts, _changed(own, panel_facts.at(panel)))


def _filled(facts: PersonFacts, draw: Ints, who: Ints) -> PersonFacts:
    """The facts of rows, with those that other rows of the person or the draw give."""
    nothing = PersonFacts(0, _NO_AGE, NO_DAY, None, 0, 0)  # type: ignore[arg-type]
    columns = facts._replace(age=np.where(np.isnan(facts.age), _NO_AGE, facts.age))._asdict()
    for names, groups in ((OF_THE_PERSON, who), (OF_THE_DRAW, np.where(who < 0, -1, draw))):
        for name in names:
            columns[name] = _told_once(groups, columns[name], getattr(nothing, name))
    columns["age"] = np.where(columns["age"] == _NO_AGE, np.nan, columns["age"])
    return PersonFacts(**columns)


def _told_once(groups: Ints, values: Any, empty: Any) -> Any:
    """`told_once` for a column; only groups with a gap and something to fill it are looked at."""
    gap, size = values == empty, int(groups.max(initial=-1)) + 2
    told, open_ = np.zeros(size, bool), np.zeros(size, bool)
    told[groups[~gap]], open_[groups[gap]] = True, True
    mixed = told & open_
    mixed[-1] = False  # rows of nobody
    places = np.flatnonzero(mixed[groups]) if mixed.any() else np.empty(0, np.int64)
    if not places.size:
        return values
    values = values.copy()
    values[places] = told_once(groups[places].tolist(), values[places].tolist(), empty)
    return values


def _firsts(numbers: Ints, skip: Any = None) -> Ints:
    """The first row of each number; rows to skip count only where there are no others."""
    rows = np.arange(len(numbers))
    out = np.full(int(numbers.max(initial=-1)) + 1, -1, np.int64)
    for left in (rows,) if skip is None else (rows[skip], rows[~skip]):
        out[numbers[left[::-1]]] = left[::-1]
    return out


def _least(numbers: Ints, days: Ints) -> Ints:
    """The first day of each number; `NO_DAY` where none is known."""
    out = np.full(int(numbers.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    known = days != NO_DAY
    np.minimum.at(out, numbers[known], days[known])
    return np.where(out == np.iinfo(np.int64).max, NO_DAY, out)


def _first_days(owner: Ints, day: Ints, column: pl.Series, within: timedelta, by_clock: bool) -> Ints:
    """The first day of the window of each row: a window starts with the first draw that no earlier window reaches."""
    places = np.flatnonzero((owner >= 0) & (day != NO_DAY))
    if by_clock and isinstance(column.dtype, pl.Datetime):
        moment, reach = column.dt.epoch("us").fill_null(0).to_numpy()[places], within // timedelta(microseconds=1)
    else:
        moment, reach = day[places], within.days
    draws = pl.DataFrame({"owner": owner[places], "day": day[places], "moment": moment}).with_columns(
        draw=pl.struct("owner", "day").rank("dense").cast(pl.Int64) - 1
    )
    each_draw = draws.group_by("draw", "owner", "day").agg(pl.col("moment").min()).sort("owner", "moment")
    starts, last, begun, start = list[int](), -1, 0, 0
    for one, own_day, when in each_draw.select("owner", "day", "moment").iter_rows():
        if one != last or when - begun > reach:
            last, begun, start = one, when, own_day
        starts.append(start)
    first = np.empty(each_draw.height, np.int64)
    first[each_draw["draw"].to_numpy()] = starts
    out = day.copy()
    out[places] = first[draws["draw"].to_numpy()]
    return out


def _on_first_days(own: PersonFacts, later: Any, draw: Ints, who: Ints) -> Floats:
    """Ages said on the first day of a draw; those said later count only where neither that day nor a birth date tells the age."""
    told = np.zeros(int(draw.max(initial=-1)) + 1, bool)
    told[draw[~later & ~np.isnan(own.age)]] = True
    born = np.zeros(int(who.max(initial=-1)) + 2, bool)
    born[who[own.born != NO_DAY]] = True
    known = told[draw] | np.where(who >= 0, born[who], own.born != NO_DAY)
    return np.where(later & known, np.nan, own.age)


def _agreeing(facts: PersonFacts) -> PersonFacts:
    """The same without an age and a birth date that do not agree."""
    both = ~np.isnan(facts.age) & (facts.born != NO_DAY) & (facts.day != NO_DAY)
    # a whole age within this of the time that was lived agrees whatever the calendar; all others are asked one by one
    lived = (facts.day - facts.born) / YEAR
    with np.errstate(invalid="ignore"):
        both &= ~((np.abs(lived - facts.age - 0.5) < 1.3) & (facts.age == np.floor(facts.age)) & (facts.born <= facts.day))
    places = np.flatnonzero(both)
    if not places.size:
        return facts
    number, first = numbered([pl.Series(part[places]) for part in (facts.age, facts.born, facts.day)])
    wrong = np.array([_disagree(*(part[places[n]].item() for part in (facts.age, facts.born, facts.day))) for n in first])[number]
    age, born = facts.age.copy(), facts.born.copy()
    age[places[wrong]], born[places[wrong]] = np.nan, NO_DAY
    return facts._replace(age=age, born=born)


def _disagree(age: float, born: int, day: int) -> bool:
    first, last = (date.fromordinal(one + 719_163) for one in (born, day))
    return person(Facts(None, last, None, age, first, None, frozenset()), last)[0].age is None


def _changed(own: PersonFacts, now: PersonFacts) -> npt.NDArray[np.bool_]:
    """Whether a row's person is another one now: birth date and day count where no age is given."""
    unknown = np.isnan(now.age)
    dates = (own.born != now.born) | ((own.day != now.day) & (now.born != NO_DAY))
    same_age = (own.age == now.age) | (np.isnan(own.age) & unknown & ~dates)
    same = (own.sex == now.sex) & (own.pregnant == now.pregnant) & (own.contexts == now.contexts) & same_age
    return np.asarray(~same, np.bool_)
