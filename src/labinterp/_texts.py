"""Columns of texts -> arrays of class numbers, each distinct text read once.

Needs polars and numpy, which come with the extra "dataframes".
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int32]
KNOWN_TEXTS = 5000  # texts of one column that are looked up by the engine; what comes after is looked up batch by batch
LOCK = threading.RLock()  # what is learned is learned by one thread at a time; looking up needs no lock


class Texts:
    """The classes of the texts of one column.

    Args:
        read: Text (or None) -> class.
    """

    def __init__(self, read: Callable[[str | None], int]) -> None:
        self._read = read
        nothing = read(None)
        self._known: list[str] = []
        # the engine's dictionary of known texts, and the class of each; the last entry is that of no text
        self._state: tuple[pl.Enum, Ints] = (pl.Enum([]), np.array([nothing], np.int32))

    def __call__(self, column: pl.Series) -> Ints:
        """The class of each text."""
        if column.dtype != pl.String:
            column = as_text(column)
        enum, classes = self._state
        found = column.cast(enum, strict=False).to_physical()
        missing = found.null_count()
        if missing:
            unknown = missing - column.null_count()
            found = found.cast(pl.UInt32).fill_null(len(classes) - 1)
            if unknown:
                return self._with_unknown(column, classes.take(found.to_numpy()), classes)
        return classes.take(found.to_numpy())

    def _with_unknown(self, column: pl.Series, out: Ints, classes: Ints) -> Ints:
        enum = self._state[0]
        mask = column.cast(enum, strict=False).is_null() & column.is_not_null()
        texts = column.filter(mask)
        distinct = texts.unique()
        read = self._read
        with LOCK:
            numbers = np.fromiter((read(text) for text in distinct), np.int32, len(distinct))
            self._learn(distinct.to_list(), numbers)
        places = np.flatnonzero(mask.to_numpy())
        out = out.copy()
        out[places] = texts.replace_strict(distinct, pl.Series(numbers), return_dtype=pl.Int32).to_numpy()
        return out

    def _learn(self, texts: list[str], numbers: Ints) -> None:
        known, classes = set(self._known), self._state[1]
        new = [n for n, text in enumerate(texts) if text not in known][: KNOWN_TEXTS - len(known)]
        if not new:
            return
        self._known = [*self._known, *(texts[n] for n in new)]
        self._state = (pl.Enum(self._known), np.concatenate([classes[:-1], numbers[new], classes[-1:]]))


def as_text(column: pl.Series) -> pl.Series:
    """A column of any type as texts, as its values are printed; a float that is whole is printed as a whole number."""
    dtype = column.dtype
    if dtype == pl.String:
        return column
    if dtype.is_float():
        whole = column.is_finite() & (column == column.round())
        texts = column.cast(pl.String)
        return pl.select(pl.when(whole).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(texts)).to_series()
    if isinstance(dtype, pl.List):
        return column.cast(pl.List(pl.String)).list.join(";")
    if dtype == pl.Object:
        return pl.Series(column.name, [None if v is None or v != v else str(v) for v in column.to_list()], dtype=pl.String)
    if dtype == pl.Null:
        return column.cast(pl.String)
    if dtype.is_nested() or dtype == pl.Binary:
        return pl.Series(column.name, [None] * len(column), dtype=pl.String)
    return column.cast(pl.String)


class Meet:
    """Two classes of a row -> the class of both together, learned when two first meet.

    Args:
        learn: The two classes -> theirs together.
    """

    def __init__(self, learn: Callable[[int, int], int]) -> None:
        self._learn = learn
        self._table = np.full((8, 8), -1, np.int32)

    def __call__(self, one: Any, other: Any) -> Any:
        """The class of each row; a plain number stands for a whole column of it."""
        table = self._table
        width = table.shape[1]
        if not isinstance(one, np.ndarray) and not isinstance(other, np.ndarray):
            return self._learned(int(one), int(other))
        high_one, high_other = int(np.max(one, initial=0)), int(np.max(other, initial=0))
        if high_one >= table.shape[0] or high_other >= width:
            table = self._grown(high_one, high_other)
            width = table.shape[1]
        keys = one * np.int32(width) + other
        found: Ints = table.ravel().take(keys)
        if found.size and found.min() < 0:
            for key in np.unique(keys[found < 0]):
                self._learned(*divmod(int(key), width))
            table = self._table  # another thread may have made it larger meanwhile
            found = table.ravel().take(one * np.int32(table.shape[1]) + other)
        return found

    def _learned(self, one: int, other: int) -> int:
        with LOCK:
            table = self._grown(one, other)
            if table[one, other] < 0:
                table[one, other] = self._learn(one, other)
            return int(table[one, other])

    def _grown(self, one: int, other: int) -> Ints:
        with LOCK:
            table = self._table
            rows, columns = table.shape
            if one >= rows or other >= columns:
                larger = np.full((max(rows, _room(one)), max(columns, _room(other))), -1, np.int32)
                larger[:rows, :columns] = table
                self._table = table = larger
            return table


def _room(number: int) -> int:
    return int(2 ** int(number + 1).bit_length())


class Together:
    """Numbers pairs of classes in the order in which they are met: the key of a longer chain."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self.parts: list[tuple[int, int]] = []

    def __call__(self, one: int, other: int) -> int:
        """The number of a pair."""
        found = self._numbers.get((one, other))
        if found is None:
            found = self._numbers[one, other] = len(self.parts)
            self.parts.append((one, other))
        return found
