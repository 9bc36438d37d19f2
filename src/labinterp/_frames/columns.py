"""Numbers of lines -> the columns of words and numbers that a frame gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from labinterp._frames.cases import Tables
from labinterp._frames.numbers import OPS, Numbers, written
from labinterp._frames.texts import Ints
from labinterp._frames.words import WORDS, Written
from labinterp._quantity import Unreadable, read_value
from labinterp._results import reach

_NUMBERS = ("value", "si_value")
_NUMBERS_OR_NOTHING = [pl.col(name).fill_nan(None) for name in _NUMBERS]
ORDER = ("analyte", "comparator", "value", "unit", "si_value", "si_unit", "code", "band", "limits", "reason")
_PLACES = [[*WORDS, *_NUMBERS].index(name) for name in ORDER]


class Writer:
    """Writes the answer columns of batches.

    Args:
        written: The lines that are written.
        near: Whether to tell which values lie near a line of the limits.
        decimal: The decimal mark of the source.
    """

    def __init__(self, written: Written, near: bool, decimal: str | None) -> None:
        self._written, self._near, self._decimal = written, near, decimal

    def schema(self) -> dict[str, Any]:
        """Names and types of the answer columns."""
        types = {**self._written.vocabulary.types, **dict.fromkeys(_NUMBERS, pl.Float64())}
        order = {name: types[name] for name in ORDER}
        return {**order, "near_limit": pl.Boolean()} if self._near else order

    def columns(self, values: Numbers, outs: Ints) -> list[pl.Series]:
        """The answer columns.

        Args:
            values: The numbers of the rows.
            outs: The line of each row.
        """
        lines = self._written.lines()
        value, si_value = values.number * lines.read.take(outs), values.number * lines.factor.take(outs)
        rows = pl.DataFrame([pl.Series("line", outs.astype(np.uint32)), pl.Series("value", value), pl.Series("si_value", si_value)])
        words, *numbers = rows.select_seq(lines.picked, *_NUMBERS_OR_NOTHING).get_columns()
        made = [*words.struct.unnest().get_columns(), *numbers]
        return [made[at] for at in _PLACES]

    def near_limit(
        self, column: pl.Series, values: Numbers, stretch: Ints, outs: Ints, tables: Tables, alone: Mapping[int, bool]
    ) -> pl.Series:
        """Whether each value lies within half of its last printed digit of a line; nothing where there is no answer."""
        found = ~np.isnan(self._written.lines().factor.take(outs))
        half = np.array([reach(decimals) for decimals in range(-30, 330)]).take(self._decimals(column) + 30)
        number = values.number
        with np.errstate(invalid="ignore"):  # an infinite number is near nothing
            near = (number - tables.below.take(stretch) <= half) | (tables.above.take(stretch) - number <= half)
        near &= np.broadcast_to(values.op, near.shape) != OPS.index("~")
        near[list(alone)] = list(alone.values())
        return pl.Series("near_limit", near).set(pl.Series(~found), None)

    def _decimals(self, column: pl.Series) -> Any:
        """How many decimals each value was printed with."""
        if column.dtype == pl.Float32:  # 0.7, not the double nearest to it
            column = column.cast(pl.String).cast(pl.Float64)
        texts = column if column.dtype == pl.String else pl.Series([written(v) for v in column.to_list()], dtype=pl.String)
        distinct = texts.unique()
        counted = [self._decimals_of(text) for text in distinct]
        return texts.replace_strict(distinct, pl.Series(counted, dtype=pl.Int32), return_dtype=pl.Int32).fill_null(0).to_numpy()

    def _decimals_of(self, text: str | None) -> int:
        read = Unreadable("", "") if text is None else read_value(text, self._decimal)
        if isinstance(read, Unreadable):
            return 0
        exponent = read.value.as_tuple().exponent
        return max(-30, min(329, -exponent)) if isinstance(exponent, int) else 0
