"""Bands and values as they are drawn: open ends as points, lines with their numbers, censored values as intervals with an arrow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.patches import Polygon

from labinterp._pictures.figures import SMALL, write
from labinterp._pictures.scales import Scale
from labinterp._pictures.shades import FAINT, INK, PAPER, Shade, shades
from labinterp._pictures.strips import Stretch, Strip, possible_span
from labinterp._pictures.texts import number, words
from labinterp._quantity import Quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LETTER = 0.0078  # inches a letter takes, for each point of its size: DejaVu Sans on average
_POINT = 0.09  # inches


class Ground:
    """Where a strip is drawn: axes, the scale of its numbers, and how many inches the scale takes.

    Args:
        ax: The axes.
        scale: Of the numbers.
        inches: Length of the scale, to tell which names fit.
        at: From a share of the scale to the axes' own x; default: the axes have the scale itself.
        upright: The scale is the y axis.
    """

    def __init__(self, ax: Axes, scale: Scale, inches: float, at: Callable[[float], float] | None = None, upright: bool = False) -> None:
        self.ax, self.scale, self.inches, self.upright = ax, scale, inches, upright
        self.at, self._own = at or scale.at, at is None

    def plot(self, along: Sequence[float], across: Sequence[float], **style: Any) -> None:
        """Draw a line or a marker, along the scale and across it."""
        self.ax.plot(*((across, along) if self.upright else (along, across)), **style)

    def x(self, value: float) -> float:
        """The axes' x of a number: where the axes have the scale, the number itself."""
        return value if self._own else self.at(self.scale.share(value))

    def between(self, low: float | None, high: float | None) -> tuple[float, float]:
        """The shares of the scale between which a stretch lies; a stretch without an end goes to the end of the scale."""
        return (0.0 if low is None else self.scale.share(low)), (1.0 if high is None else self.scale.share(high))

    def reach(self, low: float | None, high: float | None) -> tuple[float, float]:
        """The same on the axes' own x."""
        return (self.at(0.0) if low is None else self.x(low)), (self.at(1.0) if high is None else self.x(high))


def draw_strip(ground: Ground, strip: Strip, y: float, height: float, over: Quantity | None = None) -> None:
    """Draw the bands of a strip around a height; names and numbers stand where there is room.

    Args:
        ground: Where.
        strip: The bands.
        y: Middle of the strip.
        height: Of the strip, in the axes' own y.
        over: A value that will be drawn on the strip; no name stands under it.
    """
    taken = [] if over is None else [ground.between(*possible_span(over))]
    half = height / 2
    point = _POINT / ground.inches
    for stretch, shade in zip(strip.stretches, shades(s.code for s in strip.stretches), strict=True):
        start, end = ground.between(stretch.low, stretch.high)
        ground.ax.add_patch(_band(ground, stretch, y, half, point, shade))
        text = words(stretch.key)
        middle, reach = (start + end) / 2, len(text) * _LETTER * SMALL * 0.58 / ground.inches
        fits = 2 * reach * ground.inches < (end - start) * ground.inches - 0.1
        if fits and not any(a - reach - 0.02 < middle < b + reach + 0.02 for a, b in taken):
            write(
                ground.ax, ground.at(middle), y, text, SMALL, ha="center", va="center_baseline", zorder=4, color=shade.ink,
                bbox={"boxstyle": "square,pad=0.15", "facecolor": shade.fill, "edgecolor": "none"},
            )  # fmt: skip
    last = -1.0
    for line in strip.lines:
        at = ground.scale.share(line)
        ground.ax.plot(
            [ground.x(line)] * 2, [y - half, y + half], color=INK, linewidth=0.9, zorder=3, solid_capstyle="butt", gid=f"line {line!r}"
        )
        text = number(float(f"{line:.4g}"))
        width = len(text) * _LETTER * SMALL / ground.inches
        if at - width / 2 > last:
            write(ground.ax, ground.at(at), y - half * 1.12, text, SMALL, ha="center", va="bottom")
            last = at + width / 2 + 0.008


def _band(ground: Ground, stretch: Stretch, y: float, half: float, point: float, shade: Shade) -> Polygon:
    """One band, exactly between its lines; where it has none it runs out in a point."""
    start, end = ground.between(stretch.low, stretch.high)
    left, right = ground.reach(stretch.low, stretch.high)
    point = min(point, (end - start) / 2)
    corners = [(left, y + half), (left, y - half)]
    if stretch.low is None:
        inner = ground.at(start + point)
        corners = [(inner, y + half), (left, y), (inner, y - half)]
    if stretch.high is None:
        inner = ground.at(end - point)
        corners += [(inner, y - half), (right, y), (inner, y + half)]
    else:
        corners += [(right, y - half), (right, y + half)]
    return Polygon(
        corners, closed=True, facecolor=shade.fill, edgecolor=shade.edge, hatch=shade.hatch or None, linewidth=0.6, zorder=2,
        gid=f"band {stretch.key}",
    )  # fmt: skip


def draw_value(ground: Ground, quantity: Quantity, across: float, size: float = 7.0, marker: str = "D", hollow: bool = False) -> None:
    """Draw a value: a point where it is known, an interval with an arrow towards its open end where it is not.

    Args:
        ground: Where; the value lies along its scale.
        quantity: In the unit of the scale.
        across: Where on the other axis.
        size: Of the marker. [points]
        marker: matplotlib's marker of a plain value.
        hollow: Whether the value got no answer.
    """
    low, high = possible_span(quantity)
    inner = PAPER if hollow else INK
    if low is not None and low == high:
        edge = INK if hollow else PAPER
        ground.plot(
            [ground.x(low)],
            [across],
            marker=marker,
            markersize=size,
            color=inner,
            markeredgecolor=edge,
            markeredgewidth=1.1,
            zorder=6,
            gid="value",
        )
        return
    reach = ground.reach(low, high)
    ground.plot(reach, [across] * 2, color=PAPER, linewidth=4.2, zorder=5.5, solid_capstyle="butt", gid="")
    style = (0, (2, 1)) if hollow else "-"
    ground.plot(
        reach,
        [across] * 2,
        color=INK,
        linewidth=2.0,
        linestyle=style,
        zorder=6,
        solid_capstyle="butt",
        gid="interval",
    )
    for place, known, arrow in ((reach[0], low, "v" if ground.upright else "<"), (reach[1], high, "^" if ground.upright else ">")):
        if known is None:
            ground.plot([place], [across], marker=arrow, markersize=size, color=INK, zorder=6, clip_on=False, gid="open end")
        else:
            filled = quantity.comparator in ("<=", ">=", "~") and not hollow
            ground.plot(
                [place], [across], marker="o", markersize=size * 0.85, color=INK, markerfacecolor=INK if filled else PAPER,
                markeredgewidth=1.4, zorder=6.5, gid="end",
            )  # fmt: skip


def guide(ground: Ground, quantity: Quantity, top: float, strips: Sequence[tuple[float, float]]) -> None:
    """Thin lines where the value, or an end of it, lies: quiet between the strips, plain through them.

    Args:
        ground: Where.
        quantity: In the unit of the scale.
        top: Where the lines begin.
        strips: Upper and lower side of each strip.
    """
    for value in dict.fromkeys(end for end in possible_span(quantity) if end is not None):
        at = ground.x(value)
        ground.plot([at, at], [top, strips[-1][1]], color=FAINT, linewidth=0.9, zorder=1, gid="guide")
        for above, below in strips:
            ground.plot([at, at], [above, below], color=INK, linewidth=1.5, linestyle=(0, (1.6, 1.2)), zorder=3.5, gid="guide")
