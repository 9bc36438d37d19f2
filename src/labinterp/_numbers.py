"""A column of values as printed -> numbers, comparators, and a reason where there is none.

The engine's own cast takes the plain numbers, gated by the written grammar; a comparator before a plain number and a
decimal comma are next; everything else is read by `read_value`, once for each distinct text.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from labinterp._quantity import MAY_BE_NUMBER, PLAIN_TEXT, ReadValue, Unreadable, read_value

OPS = ("", "<", "<=", ">", ">=", "~")
READ, UNREADABLE, AMBIGUOUS, ALONE = 0, 1, 2, 3
REASONS = {"unreadable_value": UNREADABLE, "ambiguous_number": AMBIGUOUS}
DIGITS = 15  # so many digits a float keeps; a longer number is compared exactly, on its own
_MEMO = 50_000  # odd texts that are remembered


class Numbers(NamedTuple):
    """A column of values.

    Attributes:
        number: As a float; NaN where there is none.
        op: Place of the comparator in `OPS`.
        state: READ, UNREADABLE, AMBIGUOUS, or ALONE: the row is read on its own.
        rest: Class of the text behind the number, or 0 for all.
        short: Whether each number has at most 15 digits as printed.
    """

    number: npt.NDArray[np.float64]
    op: Any
    state: npt.NDArray[np.int8]
    rest: Any
    short: bool


class ValueReader:
    """Reads columns of values.

    Args:
        decimal: The decimal mark of the source, if known.
        rest_class: Text behind a number -> its class.
    """

    def __init__(self, decimal: str | None, rest_class: Callable[[str | None], int]) -> None:
        self.decimal, self._rest_class = decimal, rest_class
        self._nothing = rest_class(None)
        self._memo: dict[str, tuple[float, int, int, int]] = {}

    def read(self, column: pl.Series) -> Numbers:
        """Read a column of any type."""
        dtype = column.dtype
        if dtype == pl.String:
            return self._texts(column, self.decimal)
        if dtype in (pl.Categorical, pl.Enum):
            return self._texts(column.cast(pl.String), self.decimal)
        if dtype == pl.Float32:  # 0.7 is meant by the float nearest to 0.7
            return self._floats(column.cast(pl.String).cast(pl.Float64), True)
        if dtype == pl.Float64:
            return self._floats(column, False)
        if dtype.is_integer():
            return self._floats(column.cast(pl.Float64), True)
        if dtype.is_decimal():
            return self._texts(column.cast(pl.String), ".")
        if dtype == pl.Object:
            return self._texts(pl.Series(column.name, [written(value) for value in column.to_list()], dtype=pl.String), self.decimal)
        size = len(column)
        return Numbers(np.full(size, np.nan), np.int32(0), np.full(size, UNREADABLE, np.int8), np.int32(self._nothing), True)

    def _floats(self, column: pl.Series, short: bool) -> Numbers:
        number = column.to_numpy()
        state = np.where(np.isfinite(number), np.int8(READ), np.int8(UNREADABLE))
        return Numbers(number, np.int32(0), state, np.int32(self._nothing), short)

    def _texts(self, column: pl.Series, decimal: str | None) -> Numbers:
        number = np.full(len(column), np.nan) if decimal == "," else column.cast(pl.Float64, strict=False).to_numpy()
        length = column.str.len_bytes().fill_null(0).to_numpy()
        with np.errstate(invalid="ignore"):
            plain = np.isfinite(number) & (number >= 0) & (length <= DIGITS)
            if decimal is None:  # three digits behind the mark may part thousands: "1.060" (or "+1.060") goes the longer way
                behind = length - (number >= 10) - (number >= 100)
                plain &= ~((number >= 1) & (number < 1000) & ((behind == 5) | (behind == 6)))
        state = np.where(plain, np.int8(READ), np.int8(UNREADABLE))
        places = np.flatnonzero(~plain)
        if not places.size:
            return Numbers(number, np.int32(0), state, np.int32(self._nothing), True)
        number = number.copy()
        number[places] = np.nan
        op, rest = np.zeros(len(column), np.int32), np.full(len(column), self._nothing, np.int32)
        self._odd(column.gather(places), places, decimal, number, op, state, rest)
        return Numbers(number, op, state, rest, True)

    def _odd(self, texts: pl.Series, places: Any, decimal: str | None, number: Any, op: Any, state: Any, rest: Any) -> None:
        """Read the texts that are no plain number, and put what they say into their places."""
        texts = texts.alias("v")
        bare = pl.col("v").str.strip_chars_start("<>= ")
        marked = pl.col("v").str.starts_with("<"), pl.col("v").str.starts_with(">"), pl.col("v").str.slice(1, 1) == "="
        found = texts.to_frame().select(
            plain=pl.col("v").str.contains(PLAIN_TEXT[decimal]) & (bare.str.len_bytes() <= DIGITS),
            number=bare.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False),
            op=marked[0].cast(pl.Int32) + 3 * marked[1].cast(pl.Int32) + (marked[2] & (marked[0] | marked[1])).cast(pl.Int32),
        )
        plain = found["plain"].fill_null(False).to_numpy()
        here = places[plain]
        number[here], op[here], state[here] = found["number"].to_numpy()[plain], found["op"].to_numpy()[plain], READ
        left = np.flatnonzero(~plain)
        if not left.size:
            return
        texts, places = texts.gather(left), places[left]
        may = np.flatnonzero(texts.str.contains(MAY_BE_NUMBER).fill_null(False).to_numpy())
        if may.size:
            read = [self._one(text, decimal) for text in texts.gather(may)]
            here = places[may]
            number[here], op[here], state[here], rest[here] = zip(*read, strict=True)

    def _one(self, text: str, decimal: str | None) -> tuple[float, int, int, int]:
        found = self._memo.get(text)
        if found is None:
            found = self._read(read_value(text, decimal))
            if len(self._memo) < _MEMO:
                self._memo[text] = found
        return found

    def _read(self, read: ReadValue | Unreadable) -> tuple[float, int, int, int]:
        if isinstance(read, Unreadable):
            return (np.nan, 0, REASONS[read.reason], self._nothing)
        number = float(read.value)
        long = len(read.value.as_tuple().digits) > DIGITS or (number in (0.0, np.inf, -np.inf) and read.value != number)
        state = ALONE if long or read.high is not None else READ
        return (number, OPS.index(read.comparator), state, self._rest_class(read.rest or None))


def written(value: Any) -> str | None:
    """A value of an object column as text that reads back to the same number; a number in it never reads two ways."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return "no number"
    try:
        number = value if isinstance(value, (int, Decimal)) else Decimal(str(value) if hasattr(value, "dtype") else repr(float(value)))
        sign, digits, exponent = Decimal(number).as_tuple()
    except (TypeError, ValueError, ArithmeticError, OverflowError):
        return "no number"
    if not isinstance(exponent, int):
        return None if number != number else "no number"
    return f"{'-' if sign else ''}{''.join(map(str, digits))}e{exponent}"
