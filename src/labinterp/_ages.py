"""Columns that tell an age -> arrays of age classes: years as numbers or text, or a birth date and the day of sampling.

Dates are looked at only in rows whose age is not given. Unknown, unreadable and impossible ages are class 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from labinterp._classes import People, first_years
from labinterp._facts import read_date
from labinterp._inputs import Age, age_from_years
from labinterp._texts import LOCK, Ints, Meet, Texts, Together, as_text
from labinterp.errors import InputError

_NO_DAY = np.iinfo(np.int32).min
_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?$"
_OLDEST = 130


class AgeReader:
    """Reads the ages of rows.

    Args:
        people: The classes.
    """

    def __init__(self, people: People) -> None:
        self._people = people
        self._whole = np.array([people.age(age_from_years(years)) for years in range(_OLDEST + 1)], np.int32)
        starts, classes = first_years(people)
        self._starts, self._exact = np.array(starts), np.array([0, *classes], np.int32)
        self._texts = Texts(people.age_text)
        self._days = Texts(_day_number)
        # completed months and completed days decide; of the days, only between which bounds they lie
        marks = sorted({round(bound) + near for bound in people.bounds for near in (-2, -1, 0, 1, 2)})
        self._marks = np.array([mark for mark in marks if mark >= 0])
        self._lived = Meet(Together())  # (months, stretch of days); the class of one is learned with the first that is met
        self._classes: dict[int, int] = {}

    def read(self, years: pl.Series | None, born: pl.Series | None, at: pl.Series | None) -> Any:
        """The class of each row's age; a single 0 where no column tells it."""
        known: Any = self._of_years(years) if years is not None else np.int32(0)
        if born is None or at is None:
            return known
        places = np.flatnonzero(known == 0) if years is not None else np.arange(len(born))
        if not places.size:
            return known
        found = self._of_dates(born.gather(places), at.gather(places))
        if years is None:
            return found
        known = known.copy()
        known[places] = found
        return known

    def _of_years(self, column: pl.Series) -> Ints:
        if not column.dtype.is_numeric():
            if column.dtype == pl.Object:
                column = pl.Series(column.name, [None if v is None or v != v else str(v) for v in column.to_list()], dtype=pl.String)
            return self._texts(as_text(column))
        if column.dtype == pl.Float32 or column.dtype.is_decimal():
            column = column.cast(pl.String)
        years = column.cast(pl.Float64).fill_null(-1.0).to_numpy()
        with np.errstate(invalid="ignore"):
            given = (years >= 0) & (years <= _OLDEST)
        years = np.where(given, years, 0.0)
        whole = years.astype(np.int32)
        classes: Ints = self._whole.take(whole)
        fractions = np.flatnonzero(given & (years != whole))
        if fractions.size:
            classes = classes.copy()
            classes[fractions] = self._exact.take(np.searchsorted(self._starts, years[fractions], side="right"))
        return np.where(given, classes, np.int32(0)).astype(np.int32, copy=False)

    def _of_dates(self, born: pl.Series, at: pl.Series) -> Ints:
        first, last = self._ordinals(born), self._ordinals(at)
        # 719163 is the ordinal of 1970-01-01; numpy's calendar gives year, month and day
        known = (first != _NO_DAY) & (last != _NO_DAY) & (last >= first)
        days = np.where(known, last.astype(np.int64) - first, 0)
        known &= days <= _OLDEST * 366
        start, end = (np.where(known, days_, 0).astype("datetime64[D]") for days_ in (first, last))
        months = (end.astype("datetime64[M]") - start.astype("datetime64[M]")).astype(np.int64)
        within = (end - end.astype("datetime64[M]")).astype(np.int64) < (start - start.astype("datetime64[M]")).astype(np.int64)
        months -= within
        stretch = np.searchsorted(self._marks, days, side="right").astype(np.int32)
        keys = self._lived(months.astype(np.int32), stretch)
        return np.where(known, self._learned(keys, months, days), np.int32(0)).astype(np.int32, copy=False)

    def _learned(self, keys: Ints, months: Any, days: Any) -> Ints:
        distinct, where, back = np.unique(keys, return_index=True, return_inverse=True)
        with LOCK:
            for key, row in zip(distinct.tolist(), where.tolist(), strict=True):
                if key not in self._classes:
                    self._classes[key] = self._people.age(_age(int(months[row]), int(days[row])))
        return np.array([self._classes[key] for key in distinct.tolist()], np.int32)[back]

    def _ordinals(self, column: pl.Series) -> Any:
        """Days since 1970-01-01, or `_NO_DAY`."""
        dtype = column.dtype
        if dtype == pl.Date:
            return column.to_physical().fill_null(_NO_DAY).to_numpy()
        if isinstance(dtype, pl.Datetime):  # the day as the time zone of the column shows it
            return column.dt.date().to_physical().fill_null(_NO_DAY).to_numpy()
        texts = as_text(column)
        iso = texts.str.contains(_ISO).fill_null(False)
        days = texts.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).to_physical()
        out = days.fill_null(_NO_DAY).to_numpy().copy()
        odd = np.flatnonzero(~iso.to_numpy() | (out == _NO_DAY) | (out < -719_162))
        if odd.size:
            out[odd] = self._days(texts.gather(odd))
        return out


def _age(months: int, days: int) -> Age:
    years = months // 12
    return Age((years, years + 1), (months, months + 1), (days, days + 1))


def _day_number(text: str | None) -> int:
    """A day as text -> days since 1970-01-01."""
    try:
        return read_date(text).toordinal() - 719_163 if text else int(_NO_DAY)
    except InputError:
        return int(_NO_DAY)
