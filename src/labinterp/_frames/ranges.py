"""Ranges that laboratories printed beside values -> kinds of rows with a range, and rows that are answered one by one.

A laboratory has few ranges, so each is learned as a kind of row of its own. Where a file shows ranges without end (every row
another), those that stand in few rows are not learned: their rows are answered alone, and the tables stay small.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from labinterp._frames.cases import Cases
from labinterp._frames.classes import Names
from labinterp._frames.numbers import written
from labinterp._frames.stretches import Stretched
from labinterp._frames.texts import LOCK, Ints

ROLES = ("ref_low", "ref_high", "ref_text")
Printed = tuple[Any, Any, Any]
_LEARNED, _MOST = 300, 3000  # kinds of rows that are learned whatever they are, and in all
_OFTEN = 50  # rows of one batch for which it pays to learn a kind
_KNOWN = 20_000
_APART = -1


class Ranges:
    """Finds the kinds of rows with a printed range.

    Args:
        names: Classes of names and units.
        cases: Kinds of rows.
        stretched: Reads ranges, and tells which analytes they can matter for.
    """

    def __init__(self, names: Names, cases: Cases, stretched: Stretched) -> None:
        self._names, self._cases, self._stretched = names, cases, stretched
        self._known: dict[Any, int] = {}
        self.learned = 0

    def of(self, columns: Mapping[str, pl.Series], pair: Ints, case: Ints) -> tuple[Ints, dict[int, Printed]]:
        """The kinds of rows with their ranges, and the rows that are to be answered alone, with the range each has.

        Args:
            columns: Role -> column.
            pair: What name and unit of each row mean.
            case: The kind of each row without its range.
        """
        given = [columns[role] for role in ROLES if role in columns]
        if not given:
            return case, {}
        asks = np.array([bool(p.unit and p.analyte and self._stretched.asks_laboratory(p.analyte)) for p in self._names.pairs.things])
        printed = np.zeros(len(case), bool)
        for column in given:
            printed |= column.is_not_null().to_numpy()
        places = np.flatnonzero(asks.take(pair) & printed)
        if not places.size:
            return case, {}
        ends = {role: _plain(columns[role].gather(places)) for role in ROLES if role in columns}
        rows = pl.DataFrame({"case": case[places], **ends})
        distinct = rows.group_by(rows.columns, maintain_order=True).len("rows")
        with LOCK:
            kinds = [self._kind(row) for row in distinct.iter_rows(named=True)]
        found = rows.join(
            distinct.with_columns(kind=pl.Series(kinds, dtype=pl.Int64)), on=rows.columns, how="left", nulls_equal=True, maintain_order="left"
        )  # fmt: skip
        kind = found["kind"].to_numpy()
        case = case.copy()
        case[places] = np.where(kind == _APART, case[places], kind)
        apart = np.flatnonzero(kind == _APART)
        alone = rows[apart].select(*ends).iter_rows(named=True) if apart.size else iter(())
        return case, dict(zip(places[apart].tolist(), map(_printed, alone), strict=True))

    def _kind(self, row: Mapping[str, Any]) -> int:
        case, printed = row["case"], _printed(row)
        key = (case, *((type(end), end) for end in printed))
        found = self._known.get(key)
        if found is not None:
            return found
        pair = self._cases.cases.things[case].pair
        if pair.unit is None or self._stretched.printed(printed, pair.unit) is None:
            found = case
        elif self.learned < _LEARNED or (row["rows"] >= _OFTEN and self.learned < _MOST):
            found = self._cases.with_range(case, self._cases.ranges.number(key[1:], printed))
            self.learned += 1
        else:
            return _APART
        if len(self._known) < _KNOWN:
            self._known[key] = found
        return found


def _printed(row: Mapping[str, Any]) -> Printed:
    return (row.get("ref_low"), row.get("ref_high"), row.get("ref_text"))


def _plain(column: pl.Series) -> pl.Series:
    """A column of range ends as numbers or texts that Python reads as they are printed."""
    if column.dtype in (pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    if column.dtype == pl.Float32:
        return column.cast(pl.String).cast(pl.Float64)
    if column.dtype == pl.Object:  # a number among texts stays a number that reads one way
        return pl.Series(column.name, [written(value) for value in column.to_list()], dtype=pl.String)
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        return pl.Series(column.name, [None] * len(column), dtype=pl.String)
    return column
