"""Figures as files that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labinterp._pictures.rendered import png, svg
from labinterp._streams.written import appearing
from labinterp.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(figure: Figure, path: str | Path, dpi: float) -> Path:
    """Write a figure by the name of its file, whole or not at all.

    Raises:
        InputError: Another kind of file, a figure without alt text, or the file cannot be written.
    """
    place = Path(path)
    kind = place.suffix.casefold()
    if kind == ".svg":
        data = svg(figure).encode("utf-8")
    elif kind == ".png":
        data = png(figure, dpi)
    else:
        raise InputError("a picture is written as .svg or .png; name the file so")
    try:
        with appearing(place) as part:
            part.write_bytes(data)
    except OSError as error:
        raise InputError(f"the picture cannot be written: {error.strerror}") from None
    return place
