"""Columns that tell an age -> arrays of age classes: years as numbers or text, or a birth date and the day of sampling.

Dates are looked at only in rows whose age is not given. Unknown, unreadable and impossible ages are class 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from labinterp._facts import read_date
from labinterp._frames.classes import People, first_years
from labinterp._frames.texts import LOCK, Coded, Texts, as_text, is_nothing
from labinterp._inputs import Age, age_from_years
from labinterp.errors import InputError

_NO_DAY = np.iinfo(np.int32).min
_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?$"
_OLDEST = 130


class AgeReader:
    """Reads the ages of rows.

    Args:
        people: The classes.
    """

    @classmethod
    def of(cls, people: People) -> AgeReader:
        """The reader of a catalog's people; every question has the same."""
        made: AgeReader = people.catalog.learn("ages", lambda: cls(people))
        return made

    def __init__(self, people: People) -> None:
        self._people = people
        self._whole = np.array([people.age(age_from_years(years)) for years in range(_OLDEST + 1)], np.int64)
        starts, classes = first_years(people)
        self._starts, self._exact = np.array(starts), np.array([0, *classes], np.int64)
        self._days = Texts("day", _day_number)
        # completed months and completed days decide; of the days, only between which bounds they lie
        marks = sorted({round(bound) + near for bound in people.bounds for near in (-2, -1, 0, 1, 2)})
        self._marks = np.array([mark for mark in marks if mark >= 0])
        self._lived: dict[int, int] = {}  # (months, stretch of days) -> class

    def read(self, known: Any, born: pl.Series | None, at: pl.Series | None) -> Any:
        """The class of each row's age.

        Args:
            known: Its class as far as an age is given: an array, a coded column, or 0 where no column gives it.
            born: Birth dates.
            at: Days of sampling.
        """
        if born is None or at is None:
            return known
        if isinstance(known, int):
            return self._of_dates(born, at)
        known = known.rows() if isinstance(known, Coded) else known
        places = np.flatnonzero(known == 0)
        if places.size:
            known = known.copy()
            known[places] = self._of_dates(born.gather(places), at.gather(places))
        return known

    def years(self, column: pl.Series) -> Any:
        """The class of each age in a column of numbers; a fraction of a year is taken as exact."""
        if column.dtype == pl.Object:  # numbers and texts side by side
            with LOCK:
                return np.array([0 if is_nothing(value) else self._people.age_value(value) for value in column.to_list()], np.int64)
        if (column.dtype.is_float() and column.dtype != pl.Float64) or column.dtype.is_decimal():
            column = column.cast(pl.String)
        years = column.cast(pl.Float64).fill_null(-1.0).to_numpy()
        with np.errstate(invalid="ignore"):
            given = (years >= 0) & (years <= _OLDEST)
        years = np.where(given, years, 0.0)
        whole = years.astype(np.int64)
        classes = self._whole.take(whole)
        fractions = np.flatnonzero(years != whole)
        classes[fractions] = self._exact.take(np.searchsorted(self._starts, years[fractions], side="right"))
        return np.where(given, classes, 0)

    def _of_dates(self, born: pl.Series, at: pl.Series) -> Any:
        first, last = self._ordinals(born), self._ordinals(at)
        # 719163 is the ordinal of 1970-01-01; numpy's calendar gives year, month and day
        known = (first != _NO_DAY) & (last != _NO_DAY) & (last >= first)
        days = np.where(known, last.astype(np.int64) - first, 0)
        known &= days <= _OLDEST * 366
        start, end = (np.where(known, days_, 0).astype("datetime64[D]") for days_ in (first, last))
        months = (end.astype("datetime64[M]") - start.astype("datetime64[M]")).astype(np.int64)
        within = (end - end.astype("datetime64[M]")).astype(np.int64) < (start - start.astype("datetime64[M]")).astype(np.int64)
        months -= within
        keys = months * (len(self._marks) + 1) + np.searchsorted(self._marks, days, side="right")
        return np.where(known, self._learned(keys, months, days), 0)

    def _learned(self, keys: Any, months: Any, days: Any) -> Any:
        distinct, where, back = np.unique(keys, return_index=True, return_inverse=True)
        with LOCK:
            for key, row in zip(distinct.tolist(), where.tolist(), strict=True):
                if key not in self._lived:
                    self._lived[key] = self._people.age(_age(int(months[row]), int(days[row])))
        return np.array([self._lived[key] for key in distinct.tolist()], np.int64)[back]

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
