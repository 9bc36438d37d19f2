"""Columns of texts -> class numbers, each distinct text read once.

Needs polars and numpy, which come with the extra "dataframes".
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import accumulate
from operator import is_, mul
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
KNOWN_TEXTS = 5000  # texts of one column that the engine looks up itself; what comes after is looked up batch by batch
_FEW = 300  # different texts that are read sooner than they are screened
LOCK = threading.RLock()  # what is learned is learned by one thread at a time; looking up needs no lock


class Coded(NamedTuple):
    """A column of classes: a short code for each row, and the class that each code stands for."""

    codes: npt.NDArray[Any]
    classes: Ints

    def rows(self) -> Ints:
        """The class of each row."""
        return self.classes.take(self.codes)


class Screen:
    """Tells texts that no look-up can know, by the engine: their first or last run of letters or digits begins as no known word does.

    Args:
        pieces: What the runs of a known text begin with, up to four characters.
        unknown: The class of all texts that are told.
    """

    def __init__(self, pieces: frozenset[str], unknown: int) -> None:
        self.unknown = unknown
        known, lower = pl.Enum(sorted(pieces)), pl.col("v").str.to_lowercase()
        first = lower.str.extract(r"^[^a-z0-9]*([a-z]{1,4}|[0-9]{1,4})", 1)
        last = lower.str.extract(r"([a-z]+|[0-9]+)[^a-z0-9]*$", 1).str.head(4)
        may = first.cast(known, strict=False).is_not_null() & last.cast(known, strict=False).is_not_null()
        # brackets, escapes and other alphabets may hold anything; so may what has the form of a code
        plain = ~pl.col("v").str.contains(r"[^ !\"#$%'*+,\-./0-9:;<=>?@A-Z_`a-z|}~]|^\s*[0-9]{1,6}-[0-9]\s*$")
        short = pl.col("v").str.len_bytes() <= 200  # a longer text is refused as such
        self._strange = (plain & short & ~may & first.is_not_null()).fill_null(False)  # made once: a large dictionary is slow to hand over

    def strange(self, texts: pl.Series) -> npt.NDArray[np.bool_]:
        """Which of the texts are told."""
        return texts.alias("v").to_frame().select_seq(self._strange).to_series().to_numpy()


class Texts:
    """The classes of the texts of one column.

    Args:
        name: Of the column, where it is looked up.
        read: Text (or None) -> class.
        screen: Makes what tells texts of which nothing can be known; asked for when there are many different ones.
    """

    def __init__(self, name: str, read: Callable[[str | None], int], screen: Callable[[], Screen] | None = None) -> None:
        self._name, self._read, self._screen = name, read, screen
        self.nothing = read(None)
        self._known: dict[str, int] = {}
        self._state = self._stated()

    def _stated(self) -> tuple[pl.Expr, Ints]:
        """How the engine finds the codes of known texts, and the class of each code; the last is that of no text."""
        known = pl.Enum(list(self._known))
        codes = pl.col(self._name).cast(known, strict=False).to_physical().cast(pl.UInt32).fill_null(len(self._known))
        return codes, np.array([*self._known.values(), self.nothing])

    def lookup(self) -> tuple[pl.Expr, Ints]:
        """An expression that finds the codes of a column of strings, and the classes they stand for."""
        return self._state

    def coded(self, column: pl.Series, found: pl.Series, classes: Ints) -> Coded:
        """The classes of a column whose codes were found with `lookup`."""
        codes = found.to_numpy()
        missing = np.count_nonzero(codes == len(classes) - 1)
        return Coded(codes, classes) if missing == column.null_count() else self._with_unknown(column, codes, classes)

    def __call__(self, column: pl.Series) -> Ints:
        """The class of each text."""
        column = as_text(column).alias(self._name)
        expression, classes = self.lookup()
        return self.coded(column, column.to_frame().select_seq(expression).to_series(), classes).rows()

    def _with_unknown(self, column: pl.Series, codes: npt.NDArray[Any], classes: Ints) -> Coded:
        """Read the texts that are not in the dictionary; they get codes of this batch behind the known ones."""
        places = np.flatnonzero((codes == len(classes) - 1) & column.is_not_null().to_numpy())
        texts = column.gather(places)
        codes = codes.copy()
        if self._screen is not None and texts.head(1000).n_unique() > _FEW:
            screen = self._screen()
            strange = screen.strange(texts)
            codes[places[strange]] = len(classes)
            if len(self._known) < KNOWN_TEXTS // 2:  # those that come again and again are worth knowing as unknown
                often = texts.filter(pl.Series(strange)).head(500).unique().to_list()
                self._learn(often, [screen.unknown] * len(often))
            texts, places = texts.filter(pl.Series(~strange)), places[~strange]
            classes = np.append(classes, screen.unknown)
        if not places.size:
            return Coded(codes, classes)
        distinct = texts.unique()
        with LOCK:
            numbers = np.fromiter((self._read(text) for text in distinct), np.int64, len(distinct))
            self._learn(distinct.to_list(), numbers.tolist())
        order = pl.Series(np.arange(len(distinct), dtype=np.uint32) + len(classes))
        codes[places] = texts.replace_strict(distinct, order, return_dtype=pl.UInt32).to_numpy()
        return Coded(codes, np.concatenate([classes, numbers]))

    def _learn(self, texts: list[str], numbers: list[int]) -> None:
        with LOCK:
            room = KNOWN_TEXTS - len(self._known)
            if texts and room > 0:
                self._known |= dict(list(zip(texts, numbers, strict=True))[:room])
                self._state = self._stated()


def as_text(column: pl.Series) -> pl.Series:
    """A column of any type as texts, as its values are printed; a float that is whole is printed as a whole number."""
    dtype = column.dtype
    if dtype == pl.String:
        return column
    if dtype.is_float():
        texts = column.fill_nan(None).cast(pl.Float64).cast(pl.String)
        return texts.str.strip_suffix(".0")
    if isinstance(dtype, pl.Array):
        column, dtype = column.arr.to_list(), pl.List(pl.String)
    if isinstance(dtype, pl.List):
        return column.cast(pl.List(pl.String)).list.join(";")
    if dtype == pl.Object:
        return pl.Series(column.name, [None if is_nothing(v) else _listed(v) for v in column.to_list()], dtype=pl.String)
    if dtype != pl.Null and (dtype.is_nested() or dtype == pl.Binary):
        return pl.Series(column.name, [None] * len(column), dtype=pl.String)
    return column.cast(pl.String)


def _listed(value: object) -> str:
    """A value of an object column as text; of several, a list in one cell."""
    return ";".join(sorted(map(str, value))) if isinstance(value, (list, tuple, set, frozenset)) else str(value)


def is_nothing(value: object) -> bool:
    """Whether a value of an object column stands for a missing one: None, NaN, pandas' NA and NaT."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)


class Meet:
    """Classes of a row -> the class of all of them together, learned when they first meet.

    Args:
        learn: One class of each kind -> theirs together.
    """

    def __init__(self, learn: Callable[..., int]) -> None:
        self._learn = learn
        self._table: npt.NDArray[np.int64] = np.full((0,), -1, np.int64)
        self._last: tuple[tuple[Any, ...], Any] = ((), None)

    def __call__(self, *parts: Any) -> Any:
        """The class of each row.

        Args:
            parts: Of each kind: coded columns, arrays of classes, or one number for all rows.

        Returns:
            Coded where all parts are coded alike, or are numbers; one number where all are; else an array.
        """
        coded = [part for part in parts if isinstance(part, Coded)]
        arrays = any(isinstance(part, np.ndarray) for part in parts)
        if coded and not arrays and all(one.codes is coded[0].codes for one in coded):  # few codes, not many rows
            return Coded(coded[0].codes, self._of_few(tuple(part.classes if isinstance(part, Coded) else part for part in parts)))
        if not coded and not arrays:
            return int(self._of_few(parts)[0])
        return self._of_rows(parts)

    def _of_few(self, parts: tuple[Any, ...]) -> Ints:
        """Classes of codes; those of the batch before are mostly those of this one."""
        known, found = self._last
        if len(known) != len(parts) or not all(map(is_, known, parts)):
            found = self._of_rows(tuple(part if isinstance(part, np.ndarray) else np.array([part]) for part in parts))
            self._last = (parts, found)
        return found  # type: ignore[no-any-return]

    def _of_rows(self, parts: tuple[Any, ...]) -> Any:
        table = self._room([int((part.classes if isinstance(part, Coded) else np.asarray(part)).max(initial=0)) for part in parts])
        keys = self._keys(parts, table.shape)
        found = table.ravel().take(keys)
        if found.size and found.min() < 0:
            shape = table.shape
            for key in np.unique(keys[found < 0]):
                self._learned([int(at) for at in np.unravel_index(key, shape)])
            table = self._table  # it may have grown meanwhile
            found = table.ravel().take(self._keys(parts, table.shape))
        return found

    def _keys(self, parts: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
        keys: Any = 0
        strides = list(accumulate(reversed(shape[1:]), mul, initial=1))
        for part, stride in zip(parts, reversed(strides), strict=True):
            keys = keys + ((part.classes * stride).take(part.codes) if isinstance(part, Coded) else part if stride == 1 else part * stride)
        return keys

    def _learned(self, parts: list[int]) -> None:
        with LOCK:
            place = tuple(parts)
            if self._room(parts)[place] < 0:
                learned = self._learn(*parts)
                self._table[place] = learned  # the table of now: learning may have made room

    def _room(self, tops: list[int]) -> npt.NDArray[np.int64]:
        """The table, with room for these classes."""
        table = self._table
        if len(table.shape) == len(tops) and all(top < size for top, size in zip(tops, table.shape, strict=True)):
            return table
        with LOCK:
            table = self._table
            shape = table.shape if table.size else (1,) * len(tops)
            larger = np.full([max(size, 2 ** (top + 1).bit_length()) for top, size in zip(tops, shape, strict=True)], -1, np.int64)
            if table.size:
                larger[tuple(slice(0, size) for size in shape)] = table
            self._table = larger
            return larger
