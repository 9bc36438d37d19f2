"""What a figure shows in words, kept with its axes: it goes where the figure goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from labinterp.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SAID = "_labinterp_alt_text"


def describe(ax: Axes, text: str) -> None:
    """Keep with some axes what they show in words."""
    setattr(ax, _SAID, text)


def alt_text(figure: Figure | Axes) -> str:
    """What a figure of this package shows, in words.

    Raises:
        InputError: It is no such figure.
    """
    each = [figure] if isinstance(figure, Axes) else getattr(figure, "axes", ())
    said = [getattr(ax, _SAID) for ax in each if hasattr(ax, _SAID)]
    if not said:
        raise InputError("this figure has no alt text: it was not made by labinterp.plots")
    return " ".join(said)
