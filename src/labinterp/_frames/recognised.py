"""Texts of a row, seen before -> what they mean, told by 128 bits of hash instead of text by text.

Looking a text up in a dictionary costs several times what hashing it does. So what was read once is found again by two hashes
with seeds of their own: that two different texts share both is less likely than 1 in 10**20 for a billion texts. Where the hashes
are not known, the texts are read. The tables are bounded: what comes after is read each time.
"""

from __future__ import annotations

from functools import cache, reduce
from operator import xor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from labinterp._frames.texts import LOCK, Ints

Hashes = npt.NDArray[np.uint64]
_SEEDS = (0x9E37_79B9, 0x85EB_CA6B)  # any two; each column of a row adds its place


class Table(NamedTuple):
    """What is known, as it is looked up.

    Attributes:
        ways: For each of the two hashes: how far it is shifted, and the place of what is known in each slot.
        first: The first hash of what is known; at the end one more place, of what is not.
        second: The second hash.
        read: What was read, one record for each place.
        parts: The same, field by field.
    """

    ways: tuple[tuple[np.uint64, Ints], ...]
    first: Hashes
    second: Hashes
    read: npt.NDArray[Any]
    parts: dict[str, npt.NDArray[Any]]


class Recognised:
    """What was read of rows of texts, by their hashes.

    Args:
        record: The numpy type of what is read of a row.
        nothing: The record of a row that is not known.
        room: How many rows are remembered.
    """

    def __init__(self, record: Any, nothing: Any, room: int) -> None:
        self._room, self._new, self._missed = room, dict[tuple[int, int], Any](), 0
        self.table = _built(np.zeros(0, np.uint64), np.zeros(0, np.uint64), np.zeros(0, record), np.array([nothing], record))

    @property
    def room(self) -> int:
        """How many more can be remembered."""
        return self._room - len(self.table.read) + 1 - len(self._new)

    def find(self, first: Hashes, second: Hashes) -> tuple[Table, Ints, Ints]:
        """What is known, the place of each row in it, and which rows are not known; theirs is the last place."""
        table = self.table
        missing = len(table.read) - 1
        (shift, slots), other = table.ways
        places = slots.take((first >> shift).view(np.int64))
        same = (table.first.take(places) == first) & (table.second.take(places) == second)
        if same.all():
            return table, places, np.empty(0, np.int64)
        left = np.flatnonzero(~same)
        shift, slots = other
        again = slots.take((second.take(left) >> shift).view(np.int64))
        same = (table.first.take(again) == first.take(left)) & (table.second.take(again) == second.take(left))
        places[left] = np.where(same, again, missing)
        return table, places, left[places.take(left) == missing]

    def learn(self, first: Hashes, second: Hashes, read: npt.NDArray[Any]) -> None:
        """Remember what was read of rows that were not known."""
        if self.room <= 0:
            return
        _, at = np.unique(first[: 20 * self.room], return_index=True)
        with LOCK:
            at = at[: max(self.room, 0)]
            self._new |= zip(zip(first[at].tolist(), second[at].tolist(), strict=True), read[at].tolist(), strict=True)
            known, self._missed = self.table, self._missed + len(first)
            if self._new and self._missed > len(known.read) // 20:  # building anew takes its time, and so does reading again
                hashes = np.array(list(self._new), np.uint64).reshape(-1, 2)
                self.table = _built(
                    np.concatenate([known.first[:-1], hashes[:, 0]]),
                    np.concatenate([known.second[:-1], hashes[:, 1]]),
                    np.concatenate([known.read[:-1], np.array(list(self._new.values()), known.read.dtype)]),
                    known.read[-1:],
                )
                self._new, self._missed = {}, 0


def _built(first: Hashes, second: Hashes, read: npt.NDArray[Any], nothing: npt.NDArray[Any]) -> Table:
    bits = max(len(read) * 4, 2).bit_length()
    shift, ways = np.uint64(64 - bits), []
    for hashes in (first, second):
        slots = np.full(1 << bits, len(read), np.int64)
        slots[(hashes >> shift).view(np.int64)] = np.arange(len(read))
        ways.append((shift, slots))
    end = np.zeros(1, np.uint64)
    read = np.concatenate([read, nothing])
    parts = {name: np.ascontiguousarray(read[name]) for name in read.dtype.names or ()}
    return Table(tuple(ways), np.append(first, end), np.append(second, end), read, parts)


@cache
def hashed(names: tuple[str, ...], alias: str) -> list[pl.Expr]:
    """The two hashes of the columns of a row, taken together."""
    made = []
    for number, seed in enumerate(_SEEDS):
        parts = [pl.col(name).hash(seed + 7 * place) for place, name in enumerate(names)]
        made.append(reduce(xor, parts).alias(f"{alias}_{number}"))
    return made
