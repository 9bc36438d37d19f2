"""Where numbers lie on an axis: every line and every value has room, and the scale is logarithmic only where it must be."""

from __future__ import annotations

from collections.abc import Iterable
from math import log10
from typing import NamedTuple

_SPREAD = 30.0  # from the lowest to the highest number; beyond it, a plain scale squeezes the low lines together
_ROOM = 0.16  # of the whole, on either side


class Scale(NamedTuple):
    """The two ends of an axis, and whether it is logarithmic."""

    low: float
    high: float
    log: bool

    def share(self, number: float) -> float:
        """How far along the axis a number lies: 0 at its low end, 1 at its high end, not beyond either."""
        if self.log:
            at = (log10(number) - log10(self.low)) / (log10(self.high) - log10(self.low)) if number > 0 else 0.0
        else:
            at = (number - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, at))

    def at(self, share: float) -> float:
        """The number at a share of the axis."""
        if self.log:
            return float(10 ** (log10(self.low) + share * (log10(self.high) - log10(self.low))))
        return self.low + share * (self.high - self.low)


def scale_of(numbers: Iterable[float], room: float = _ROOM) -> Scale:
    """A scale with room for all of some numbers; a plain one starts at zero where that is near.

    Args:
        numbers: Lines and values, all in one unit.
        room: Share of the spread that is left free on either side.

    Example:
        >>> scale_of([30.0, 50.0, 125.0]).log, scale_of([4.0, 500.0]).log
        (False, True)
    """
    listed = sorted(numbers)
    low, high = (listed[0], listed[-1]) if listed else (0.0, 1.0)
    if low > 0 and high / low > _SPREAD:
        away = (high / low) ** room
        return Scale(low / away, high * away, True)
    away = (high - low) * room or abs(high) * 0.5 or 1.0
    start = low - away
    if low >= 0 and start < 0.12 * high:
        start = 0.0
    if start == low:  # a value on the axis itself is half hidden
        start = low - away
    return Scale(start, high + away, False)
