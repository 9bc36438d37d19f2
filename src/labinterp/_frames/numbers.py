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

from labinterp._frames.recognised import Hashes, Recognised, hashed
from labinterp._frames.texts import Ints, is_nothing
from labinterp._quantity import MAY_BE_NUMBER, TWO_WAYS, ReadValue, Unreadable, read_value

OPS = ("", "<", "<=", ">", ">=", "~")
READ, UNREADABLE, AMBIGUOUS, ALONE = 0, 1, 2, 3
REASONS = {"unreadable_value": UNREADABLE, "ambiguous_number": AMBIGUOUS}
REASON_OF = {state: reason for reason, state in REASONS.items()}
DIGITS = 15  # so many digits a float keeps; a longer number is compared exactly, on its own
# what may stand before a plain number, and the comparator it is; the last is anything else
_MARKS = pl.Enum(["", *(op + space for op in OPS[1:5] for space in ("", " "))])
_MARK_OPS = np.array([0, *(OPS.index(op) for op in OPS[1:5] for _ in range(2)), 0])
_MEMO = 50_000  # texts read one by one that are remembered
FEW = 64  # so few texts are read sooner one by one than by the engine
KNOWN_VALUES = 50_000  # texts of values that are recognised
_READ = np.dtype([("number", np.float64), ("op", np.int64), ("state", np.int8), ("rest", np.int64), ("odd", np.bool_)])


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
        self._recognised = Recognised(_READ, (np.nan, 0, UNREADABLE, self._nothing, True), KNOWN_VALUES)
        self._other: ValueReader | None = None
        number = pl.lit(None, pl.Float64) if decimal == "," else pl.col("v").cast(pl.Float64, strict=False)
        self._plainly = [number.alias("number"), pl.col("v").str.len_bytes().fill_null(0).alias("length")]
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
        """What the engine finds out about a column of strings."""
        return hashed((name,), "value")

    def texts(self, column: pl.Series, found: pl.DataFrame) -> Numbers:
        """Read a column of strings, with what the engine found of it."""
        first, second = (found[f"value_{number}"].to_numpy() for number in (0, 1))
        table, places, new = self._recognised.find(first, second)
        read = table.parts
        number, odd = read["number"].take(places), np.flatnonzero(read["odd"].take(places))
        op: Any = 0
        state: Any = None
        rest: Any = self._nothing
        if odd.size:
            at = places.take(odd)
            op, state = np.zeros(len(column), np.int64), np.zeros(len(column), np.int8)
            op[odd], state[odd] = read["op"].take(at), read["state"].take(at)
            rests = read["rest"].take(at)
            if (rests != self._nothing).any():
                rest = np.full(len(column), self._nothing, np.int64)
                rest[odd] = rests
        known = Numbers(number, op, state, rest, True)
        return self._with_new(column, (first, second), new, known) if new.size else known

    def _with_new(self, column: pl.Series, hashes: tuple[Hashes, Hashes], new: Ints, known: Numbers) -> Numbers:
        """The same where some texts are not known: they are read."""
        read = self._read_few([column[at] for at in new.tolist()]) if len(new) <= FEW else self._read_texts(column.gather(new))
        op, state, rest = (np.broadcast_to(part, len(new)) for part in (read.op, 0 if read.state is None else read.state, read.rest))
        made = np.empty(len(new), _READ)
        made["number"], made["op"], made["state"], made["rest"] = read.number, op, state, rest
        made["odd"] = (op != 0) | (state != 0) | (rest != self._nothing)
        self._recognised.learn(hashes[0][new], hashes[1][new], made)
        known.number[new] = read.number
        if not made["odd"].any() and known.state is None:
            return known
        size = len(column)
        ops = known.op if isinstance(known.op, np.ndarray) else np.zeros(size, np.int64)
        states = np.zeros(size, np.int8) if known.state is None else known.state
        rests = known.rest
        ops[new], states[new] = op, state
        if isinstance(rests, np.ndarray) or (rest != self._nothing).any():
            rests = rests if isinstance(rests, np.ndarray) else np.full(size, self._nothing, np.int64)
            rests[new] = rest
        return Numbers(known.number, ops, states, rests, True)

    def _read_few(self, texts: list[str | None]) -> Numbers:
        """The same for a few texts, one by one."""
        nothing = (np.nan, 0, UNREADABLE, self._nothing)
        number, op, state, rest = zip(*(nothing if text is None else self._one(text) for text in texts), strict=True)
        return Numbers(np.array(number), np.array(op), np.array(state, np.int8), np.array(rest), True)

    def _read_texts(self, column: pl.Series) -> Numbers:
        """Read texts that were not seen before."""
        size, found = len(column), column.alias("v").to_frame().select_seq(self._plainly)
        numbers = found["number"].to_numpy()
        plain = self._plain(numbers, found["length"].to_numpy(), self.decimal)
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
        reader = self if decimal == self.decimal else self._in_another_mark(decimal)
        return reader.texts(column, column.alias("v").to_frame().select_seq(reader.lookup("v")))

    def _in_another_mark(self, decimal: str | None) -> ValueReader:
        """The reader of numbers that a program wrote, whose decimal mark is known."""
        if self._other is None:
            self._other = ValueReader(decimal, self._rest_class)
        return self._other

    @staticmethod
    def _plain(number: Any, length: Any, decimal: str | None) -> Any:
        """Which numbers, as the engine read them, are the numbers that `read_value` reads."""
        with np.errstate(invalid="ignore"):
            plain = (number >= 0) & (number < np.inf)
            long = np.flatnonzero(length > 4)
            if not long.size:
                return plain
            number, length = number.take(long), length.take(long)
            # a long text that comes to 0 may be a number too small for a float
            fits = (length <= DIGITS) & (number > 0)
            if decimal is None:  # three digits behind the mark may part thousands: "1.060" (or "+1.060") goes the longer way
                behind = length - (number >= 10).view(np.int8) - (number >= 100).view(np.int8)
                fits &= ~((behind >= 5) & (behind <= 6) & (number >= 1) & (number < 1000))
            plain[long] &= fits
        return plain

    def _odd(self, texts: pl.Series, places: Any, number: Any, op: Any, state: Any) -> Any:
        """Read texts that are no plain number, and put what they say into their places.

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
