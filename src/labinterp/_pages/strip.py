"""A value on its bands, as places on a strip: to scale, open where the bands are open, an interval where the value is one.

Example:
    >>> from labinterp import assess
    >>> drawn = strip(assess({"vitamin D": "18 ng/mL"}))
    >>> [band.key for band in drawn.bands], drawn.start, drawn.end
    (['deficient', 'inadequate', 'adequate', 'high'], 0.0, 63.3)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from labinterp._quantity import Quantity
from labinterp._reported import Reported
from labinterp._results import Finding
from labinterp._trace import spans

WIDTH, EDGE = 320.0, 10.0  # of the drawing, and of the room at each side of it
_MARGIN = 0.35  # of the distance between the outermost lines, drawn on each side of them
_REACH = 1.5  # as many distances away a value is still drawn to scale; beyond them it is an arrow at the end
_CHARACTER = 6.4  # width of a digit under the strip


class DrawnBand(NamedTuple):
    """One band: what it is called, its stretch in words, and where it is drawn."""

    key: str
    code: str
    label: str
    text: str
    x: float
    width: float
    holds: bool


class Tick(NamedTuple):
    """A line between two bands, with its number on the first or second row below; `anchor` says which end of it stands at the line."""

    x: float
    text: str
    row: int
    number: float
    anchor: str = "middle"


class Stretch(NamedTuple):
    """From where to where something reaches; an open side has no end. `low_open` and `high_open` say that it goes on."""

    low: float
    high: float
    low_open: bool
    high_open: bool


class Strip(NamedTuple):
    """Everything that is drawn.

    Attributes:
        start: What the left end of the scale stands for, in the unit of the value.
        end: What its right end stands for.
        bands: Lowest first.
        ticks: The lines between them.
        point: Where an exact value lies; None for an interval, and for a value beyond the drawing.
        stretch: Where a censored value or a range may lie, else None.
        beyond: "low" or "high" where the value lies outside the drawing, else an empty text.
        own: The laboratory's own range, where it is plain.
    """

    start: float
    end: float
    bands: tuple[DrawnBand, ...]
    ticks: tuple[Tick, ...]
    point: float | None
    stretch: Stretch | None
    beyond: str
    own: Stretch | None


def strip(finding: Finding) -> Strip | None:
    """The strip of a finding; None where there are no lines to draw.

    Args:
        finding: Any.
    """
    lines, named = _bands(finding)
    if not lines or lines[-1] <= 0:
        return None
    quantity, reported = finding.quantity, finding.reported
    low, high = _ends(quantity)
    start, end = _scale(lines, [n for n in (low, high) if n is not None])

    def at(number: float) -> float:
        return round(EDGE + (min(max(number, start), end) - start) / (end - start) * (WIDTH - 2 * EDGE), 2)

    places = [EDGE, *map(at, lines), WIDTH - EDGE]
    bands = tuple(
        DrawnBand(key, code, label, text, left, round(right - left, 2), _holds(finding, key))
        for (key, code, label, text), left, right in zip(named, places[:-1], places[1:], strict=True)
    )
    point = stretch = None
    beyond = "low" if high is not None and high < start else "high" if low is not None and low > end else ""
    if not beyond and quantity.comparator:
        stretch = _stretch(low, high, start, end, at)
    elif not beyond and low is not None:
        point = at(low)
    own = None if reported is None or finding.limits == "reported" else _own(reported, start, end, at)
    return Strip(start, end, bands, _ticks(lines, at), point, stretch, beyond, own)


def _bands(finding: Finding) -> tuple[list[float], list[tuple[str, str, str, str]]]:
    """The lines, and the key, code, name and stretch of each band between them."""
    basis, reported = finding.basis, finding.reported
    if finding.limits == "reported":
        if reported is None:
            return [], []
        low, high = (None if end is None else float(end) for end in (reported.low, reported.high))
        sides = ([("L", low)] if low is not None else []) + [("N", None)] + ([("H", high)] if high is not None else [])
        words = {"L": "below the laboratory's range", "N": "within the laboratory's range", "H": "above the laboratory's range"}
        return [end for _, end in sides if end is not None], [(code, code, words[code], "") for code, _ in sides]
    if basis.limit_set is None or basis.population is None:
        return [], []
    texts = spans(basis.limit_set, basis.population, finding.unit)
    bands = basis.limit_set.bands(basis.population)
    return finding.lines(), [(*band, text) for band, text in zip(bands, texts, strict=True)]


def _holds(finding: Finding, key: str) -> bool:
    """Whether a band is the one the value lies in, or one of those it may lie in."""
    if finding.limits == "reported":
        return key == finding.code
    return key == finding.band or (finding.band is None and key in finding.basis.possible)


def _ends(quantity: Quantity) -> tuple[float | None, float | None]:
    """The lowest and the highest number a value may stand for; None where it has no end."""
    number = float(quantity.value)
    if quantity.comparator in ("<", "<="):
        return None, number
    if quantity.comparator in (">", ">="):
        return number, None
    return number, number if quantity.high is None else float(quantity.high)


def _scale(lines: Sequence[float], numbers: Sequence[float]) -> tuple[float, float]:
    """What the ends of the drawing stand for: the lines with a margin, and the value where it is not far away."""
    distance = lines[-1] - lines[0] or lines[-1]
    start, end = lines[0] - _MARGIN * distance, lines[-1] + _MARGIN * distance
    if len(lines) == 1:
        start, end = 0.0, 2 * distance
    for number in numbers:
        if lines[0] - _REACH * distance <= number <= lines[-1] + _REACH * distance:
            start, end = min(start, number - 0.1 * distance), max(end, number + 0.1 * distance)
    return max(0.0, start), end


def _stretch(low: float | None, high: float | None, start: float, end: float, at: Callable[[float], float]) -> Stretch:
    return Stretch(
        EDGE if low is None else at(low), WIDTH - EDGE if high is None else at(high),
        (low is None and start > 0) or (low is not None and low < start), high is None or high > end,
    )  # fmt: skip


def _own(reported: Reported, start: float, end: float, at: Callable[[float], float]) -> Stretch | None:
    """The laboratory's own range; None where it is not plain, or lies beyond the drawing."""
    low, high = (None if end is None else float(end) for end in (reported.low, reported.high))
    if (low is None and high is None) or (low is not None and low > end) or (high is not None and high < start):
        return None
    return _stretch(low, high, start, end, at)


def _ticks(lines: Sequence[float], at: Callable[[float], float]) -> tuple[Tick, ...]:
    """The lines with their numbers; one that would touch its neighbour goes to the second row."""
    ticks: list[Tick] = []
    free, before = [0.0, 0.0], 0.0  # from where a number may stand, on each row; and on the first row, before the last number
    for line in lines:
        x, text = at(line), f"{line:.6g}"
        half = len(text) * _CHARACTER / 2
        row = 0 if x - half >= free[0] or x - half < free[1] else 1
        if row and ticks and not ticks[-1].row and ticks[-1].x - len(ticks[-1].text) * _CHARACTER >= before:
            ticks[-1] = ticks[-1]._replace(anchor="end")  # out of the way of the longer line down
        if not row:
            before = free[0]
        free[row] = x + half + 4
        ticks.append(Tick(x, text, row, line))
    return tuple(ticks)
