"""Statements about panels as columns, and the results of each analyte of each panel that they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from labinterp._draw_frames.persons import Ints, numbered

if TYPE_CHECKING:
    from labinterp._draw_frames.derived_results import Results
    from labinterp._draw_frames.sights import Sights


class Said(NamedTuple):
    """Statements about panels.

    Attributes:
        panel: Whose.
        order: Among those of one kind.
        statement: Its number.
        row: The row it is about, or -1 where its analytes tell the rows.
    """

    panel: Ints
    order: Ints
    statement: Ints
    row: Ints


class Slots(NamedTuple):
    """The results of each analyte of each panel.

    Attributes:
        views: For each panel and analyte, what is seen of its results; 0 for none.
        place: For each panel and analyte, where its rows are; -1 for none.
        start: Where the rows of each place begin.
        size: How many there are.
        row: The rows, ascending within a place.
    """

    views: Ints
    place: Ints
    start: Ints
    size: Ints
    row: Ints


def slots_of(found: Results, sight: Ints, height: int, sights: Sights) -> Slots:
    """The results of each analyte of each of so many panels, and what is seen of them together."""
    width = len(sights.analytes)
    slot = found.panel * width + found.analyte
    order = np.argsort(slot, kind="stable")
    slot, sight = slot[order], sight[order]
    start = np.flatnonzero(np.diff(slot, prepend=-1))
    size = np.diff(np.append(start, len(slot)))
    views: Ints = np.zeros(height * width, np.int64)
    place = np.full(height * width, -1, np.int64)
    place[slot[start]] = np.arange(len(start))
    if start.size:
        least, most = np.minimum.reduceat(sight, start), np.maximum.reduceat(sight, start)
        kind, first = numbered([pl.Series(least), pl.Series(most)])
        together = sights.together
        view = np.array([together(sorted({int(least[n]), int(most[n])})) for n in first], np.int64)[kind]
        for n in np.flatnonzero((least != most) & (size > 2)).tolist():
            view[n] = together(sorted(set(sight[start[n] : start[n] + size[n]].tolist())))
        views[slot[start]] = view
    return Slots(views.reshape(height, width), place.reshape(height, width), start, size, found.row[order])


def nothing() -> Said:
    """No statement at all."""
    none = np.empty(0, np.int64)
    return Said(none, none, none, none)


def flat(kinds: Ints, lists: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    """For each place of `kinds` the members of the list of its kind: the places, repeated, and the members."""
    sizes = np.array([len(one) for one in lists], np.int64)
    members = np.array([member for one in lists for member in one], np.int64)
    starts = np.cumsum(sizes) - sizes
    size = sizes[kinds] if len(kinds) else np.empty(0, np.int64)
    place = np.repeat(np.arange(len(kinds)), size)
    within = np.arange(len(place)) - np.repeat(np.cumsum(size) - size, size)
    return place, members[starts[kinds[place]] + within] if len(place) else np.empty(0, np.int64)
