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

from labinterp._frames.texts import is_nothing
from labinterp._quantity import MAY_BE_NUMBER, TWO_WAYS, ReadValue, Unreadable, read_value

OPS = ("", "<", "<=", ">", ">=", "~")
READ, UNREADABLE, AMBIGUOUS, ALONE = 0, 1, 2, 3
REASONS = {"unreadable_value": UNREADABLE, "ambiguous_number": AMBIGUOUS}
DIGITS = 15  # so many digits a float keeps; a longer number is compared exactly, on its own
# what may stand before a plain number, and the comparator it is; the last is anything else
_MARKS = pl.Enum(["", *(op + space for op in OPS[1:5] for space in ("", " "))])
_MARK_OPS = np.array([0, *(OPS.index(op) for op in OPS[1:5] for _ in range(2)), 0])
_MEMO = 50_000  # odd texts that are remembered


class Numbers(NamedTuple):
    """A column of values.

    Attributes:
        number: As a float; NaN where there is none.
        op: Place of the comparator in `OPS`.
        state: READ, UNREADABLE, AMBIGUOUS, or ALONE: the row is read on its own; None where all are READ.
        rest: Class of the text behind the number, or 0 for all.
        short: Whether each number has at most 15 digits as printed.
    """

    number: npt.NDArray[np.float64]
    op: Any
    state: npt.NDArray[np.int8] | None
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
        self._bared, self._told = _bared(decimal), _told(decimal)
        self._bared, self._told = _bared(decimal), _told(decimal)

    @staticmethod
    def as_texts(column: pl.Series) -> pl.Series | None:
        """A column of texts as strings; None for any other."""
        if column.dtype in (pl.Categorical, pl.Enum):
            return column.cast(pl.String)
        return column if column.dtype == pl.String else None

    def read(self, column: pl.Series) -> Numbers:
        """Read a column of any type."""
        dtype, texts = column.dtype, self.as_texts(column)
        if texts is not None:
            return self._texts(texts, self.decimal)
        if dtype.is_float() and dtype not in (pl.Float32, pl.Float64):  # half the width again: numpy prints what was meant
            return self._floats(
                pl.Series([None if v is None else float(str(np.float16(v))) for v in column.to_list()], dtype=pl.Float64), True
            )
        if dtype == pl.Float32:  # 0.7 is meant by the short float nearest to 0.7
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
        return Numbers(np.full(size, np.nan), 0, np.full(size, UNREADABLE, np.int8), self._nothing, True)

    def _floats(self, column: pl.Series, short: bool) -> Numbers:
        number = column.to_numpy()
        finite = np.isfinite(number)
        return Numbers(number, 0, None if finite.all() else np.where(finite, np.int8(READ), np.int8(UNREADABLE)), self._nothing, short)

    def lookup(self, name: str) -> list[pl.Expr]:
        """What the engine finds out about a column of strings: its own reading as a number, and the length."""
        number = pl.lit(None, pl.Float64) if self.decimal == "," else pl.col(name).cast(pl.Float64, strict=False)
        return [number.alias("number"), pl.col(name).str.len_bytes().alias("length")]

    def texts(self, column: pl.Series, number: pl.Series, length: pl.Series) -> Numbers:
        """Read a column of strings, with what the engine found of it."""
        size, numbers = len(column), number.to_numpy()
        plain = self._plain(numbers, length.to_numpy() if not length.null_count() else length.fill_null(0).to_numpy(), self.decimal)
        if plain.all():
            return Numbers(numbers, 0, None, self._nothing, True)
        places = np.flatnonzero(~plain)
        numbers = numbers.copy()
        numbers[places] = np.nan
        state, op = np.zeros(size, np.int8), np.zeros(size, np.int64)
        state[places] = UNREADABLE
        rest = self._odd(column.gather(places).alias("v"), places, numbers, op, state)
        return Numbers(numbers, op, state, rest, True)

    def _texts(self, column: pl.Series, decimal: str | None) -> Numbers:
        reader = self if decimal == self.decimal else ValueReader(decimal, self._rest_class)
        found = column.alias("v").to_frame().select_seq(reader.lookup("v"))
        return reader.texts(column, found["number"], found["length"])

    @staticmethod
    def _plain(number: Any, length: Any, decimal: str | None) -> Any:
        """Which numbers, as the engine read them, are the numbers that `read_value` reads."""
        with np.errstate(invalid="ignore"):
            # a long text that comes to 0 may be a number too small for a float
            plain = (number >= 0) & (number < np.inf) & (length <= DIGITS) & ((number > 0) | (length <= 4))
            if decimal is None:  # three digits behind the mark may part thousands: "1.060" (or "+1.060") goes the longer way
                behind = length - (number >= 10).view(np.int8) - (number >= 100).view(np.int8)
                plain &= ~((behind >= 5) & (behind <= 6) & (number >= 1) & (number < 1000))
        return plain

    def _odd(self, texts: pl.Series, places: Any, number: Any, op: Any, state: Any) -> Any:
        """Read the texts that are no plain number, and put what they say into their places.

        A comparator and a decimal comma before what is a plain number are taken off here; the rest is read one by one.
        """
        found = texts.to_frame().select_seq(self._bared)
        marks = found["op"].to_numpy()
        numbers = found["number"].to_numpy()
        plain = self._plain(numbers, found["length"].to_numpy(), self.decimal) & (marks < len(_MARK_OPS) - 1)
        here = places[plain]
        number[here], op[here], state[here] = numbers[plain], _MARK_OPS.take(marks[plain]), READ
        left = np.flatnonzero(~plain)
        return self._one_by_one(texts.gather(left), places[left], number, op, state) if left.size else self._nothing

    def _one_by_one(self, texts: pl.Series, places: Any, number: Any, op: Any, state: Any) -> Any:
        told = texts.to_frame().select_seq(self._told)
        two = told["two"].to_numpy()
        state[places[two]] = AMBIGUOUS
        may = np.flatnonzero(told["may"].to_numpy() & ~two)
        if not may.size:
            return self._nothing
        here = places[may]
        read = [self._one(text) for text in texts.gather(may)]
        number[here], op[here], state[here], rests = zip(*read, strict=True)
        if all(one == self._nothing for one in rests):
            return self._nothing
        rest = np.full(len(number), self._nothing, np.int64)
        rest[here] = rests
        return rest

    def _one(self, text: str) -> tuple[float, int, int, int]:
        found = self._memo.get(text)
        if found is None:
            found = self._read(read_value(text, self.decimal))
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


def _bared(decimal: str | None) -> list[pl.Expr]:
    """Of texts "v": the number without a comparator before it and with its decimal mark, its length, and the comparator."""
    text = pl.col("v")
    bare = text.str.strip_chars_start("<>= ")
    marked = bare.str.replace(",", ".", literal=True) if decimal != "." else bare
    if decimal == ",":  # a point is no decimal mark here
        marked = pl.when(~bare.str.contains(".", literal=True)).then(marked)
    before = text.str.head(text.str.len_bytes().cast(pl.Int64) - bare.str.len_bytes())
    return [
        marked.cast(pl.Float64, strict=False).alias("number"),
        bare.str.len_bytes().fill_null(0).alias("length"),
        before.cast(_MARKS, strict=False).to_physical().fill_null(len(_MARK_OPS) - 1).alias("op"),
    ]


def _told(decimal: str | None) -> list[pl.Expr]:
    """Of texts "v": whether it may be a number at all, and whether it reads two ways."""
    text = pl.col("v")
    two = text.str.contains(TWO_WAYS).fill_null(False) if decimal is None else pl.lit(False)
    return [text.str.contains(MAY_BE_NUMBER).fill_null(False).alias("may"), two.alias("two")]


def written(value: Any) -> str | None:
    """A value of an object column as text that reads back to the same number; a number in it never reads two ways."""
    if isinstance(value, str) or is_nothing(value):
        return value if isinstance(value, str) else None
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return "no number"
    try:
        number = value if isinstance(value, (int, Decimal)) else Decimal(str(value) if hasattr(value, "dtype") else repr(float(value)))
        sign, digits, exponent = Decimal(number).as_tuple()
    except (TypeError, ValueError, ArithmeticError, OverflowError):
        return "no number"
    if not isinstance(exponent, int):
        return "no number"
    return f"{'-' if sign else ''}{''.join(map(str, digits))}e{exponent}"
