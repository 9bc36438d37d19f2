"""Figures that carry what they show in words, and are made without the state that a process shares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from labinterp._pictures.rendered import svg
from labinterp._pictures.shades import INK, PAPER, QUIET
from labinterp._pictures.texts import literal, number, paragraph
from labinterp.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.text import Text

SMALL, PLAIN, LARGE = 7.2, 8.6, 11.0  # points


class Picture(Figure):
    """A matplotlib figure that a notebook shows as SVG with its alt text."""

    def _repr_svg_(self) -> str:
        return svg(self)


def sheet(width: float, height: float, constrained: bool = True) -> Picture:
    """An empty white figure, in inches; constrained: matplotlib finds room for every text beside the axes."""
    return Picture(figsize=(width, height), layout="constrained" if constrained else None, facecolor=PAPER)


def axes_on(ax: Axes | None, width: float, height: float) -> tuple[Figure, Axes]:
    """The user's axes and their figure, or new ones.

    Raises:
        InputError: It is no Axes.
    """
    if ax is None:
        made = sheet(width, height)
        return made, plain(made.add_subplot())
    if not isinstance(ax, Axes):
        raise InputError(f"ax is a matplotlib Axes, not {type(ax).__name__}")
    figure = ax.figure
    while isinstance(figure, SubFigure):
        figure = figure.figure
    return figure, plain(ax)


def plain(ax: Axes) -> Axes:
    """The axes without what a style may have put there: the colours here are made for paper."""
    ax.set_facecolor(PAPER)
    ax.grid(False)
    return ax


def page(width: float, height: float, ax: Axes | None) -> tuple[Figure, Axes]:
    """Axes that are a page: inches from the upper left corner, no frame, no numbers."""
    if ax is None:
        figure: Figure = sheet(width, height, constrained=False)
        ax = plain(figure.add_axes((0.0, 0.0, 1.0, 1.0)))
    else:
        figure, ax = axes_on(ax, width, height)
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.set_xticks([])
    ax.set_yticks([])
    bare(ax)
    return figure, ax


def write(ax: Axes, x: float, y: float, text: str, size: float = PLAIN, **more: object) -> Text:
    """A text at a place in data coordinates; it is never read as a formula, nor by TeX where the user has it on."""
    return ax.text(x, y, literal(text), fontsize=size, **{"color": INK, "usetex": False, **more})  # type: ignore[arg-type]


def title(ax: Axes, text: str, below: str = "", away: float = 7) -> None:
    """The title of some axes, flush left, and a quieter line below it, so many points above the axes."""
    ax.set_title(literal(text), loc="left", fontsize=LARGE, color=INK, fontweight="bold", usetex=False, pad=away + (15 if below else 1))
    if below:
        ax.annotate(
            literal(below),
            (0, 1),
            xytext=(0, away),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=PLAIN,
            color=QUIET,
            usetex=False,
        )


def small_print(ax: Axes, sentences: Iterable[str], width: int, below: float = 36) -> None:
    """Sentences under some axes.

    Args:
        ax: The axes.
        sentences: Each starts a line.
        width: Characters a line.
        below: Points under the axes.
    """
    text = paragraph(sentences, width)
    if text:
        ax.annotate(
            literal(text), (0, 0), xytext=(0, -below), xycoords="axes fraction", textcoords="offset points",
            va="top", fontsize=SMALL, color=QUIET, usetex=False, linespacing=1.35,
        )  # fmt: skip


def bare(ax: Axes, sides: Iterable[str] = ("top", "right", "left", "bottom")) -> None:
    """Take away the frame of some axes, or some sides of it."""
    for side in sides:
        ax.spines[side].set_visible(False)


def _tick(value: float, _: object) -> str:
    """A number on an axis."""
    return number(value)


def numbered(axis: Axis, label: str, log: bool) -> None:
    """The numbers and the label of an axis; a logarithmic one says so."""
    if log:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(_tick))
        axis.set_minor_formatter(NullFormatter())
    axis.set_tick_params(labelsize=SMALL, color=QUIET, labelcolor=QUIET)
    axis.set_label_text(literal(f"{label}, logarithmic scale" if log else label), fontsize=PLAIN, color=INK, usetex=False)
