"""How bands are told apart: by lightness, by hatching and by their names; hue is only the third hint.

Lightness falls with distance from normal, so that a picture printed in grey says the same. Blue is low, amber is high: people
with any of the usual colour-vision deficiencies see two hues there. The greys were chosen in CIELAB; a test measures them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from labinterp._codes import LOW_CODES

INK, QUIET, FAINT, PAPER = "#1d1f21", "#55595e", "#c9ccd0", "#ffffff"
APART = 5.0  # steps of lightness (of 100) between neighbours


class Shade(NamedTuple):
    """One fill: its colour, the colour of its hatching, the hatching, the colour of text on it."""

    fill: str
    edge: str
    hatch: str
    ink: str = INK


# Several for each code, ever darker: the next where a neighbour is too much like the one before.
_SHADES: dict[str, tuple[Shade, ...]] = {
    "N": (Shade("#f2f8f3", "#dfe8e0", ""), Shade("#dfe8e0", "#c4cfc6", "")),
    "IND": (Shade("#dedae3", "#bbb6c0", "--"), Shade("#cfcad5", "#bbb6c0", "--")),
    "L": (Shade("#a6c4e5", "#809ebe", "//"), Shade("#93b1d1", "#6e8cab", "//"), Shade("#7ea0c3", "#597b9d", "//")),
    "LU": (Shade("#77a2cb", "#527da5", "////"), Shade("#6792bb", "#426e95", "////")),
    "LL": (Shade("#366f9c", "#004d77", "//////", PAPER), Shade("#22608c", "#004068", "//////", PAPER)),
    "H": (Shade("#e7b88e", "#be936a", "\\\\"), Shade("#d2a57c", "#ab8159", "\\\\"), Shade("#c39366", "#9b6f44", "\\\\")),
    "HU": (Shade("#c9935f", "#a16f3d", "\\\\\\\\"), Shade("#b78350", "#90602f", "\\\\\\\\")),
    "HH": (Shade("#935f28", "#6c3e05", "\\\\\\\\\\\\", PAPER), Shade("#82511a", "#5c3100", "\\\\\\\\\\\\", PAPER)),
}


def lightness(colour: str) -> float:
    """CIE lightness of a colour, 0 (black) to 100 (white): what is left of it in grey.

    Example:
        >>> round(lightness("#ffffff")), round(lightness("#000000"))
        (100, 0)
    """
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return 116 * luminance ** (1 / 3) - 16 if luminance > 0.008856 else 903.3 * luminance


def shades(codes: Iterable[str]) -> list[Shade]:
    """A shade for each band of a strip, lowest band first: neighbours differ in lightness.

    Args:
        codes: HL7 codes of the bands.

    Example:
        >>> len({shade.fill for shade in shades(["H", "HU", "HU"])})
        3
    """
    listed = list(codes)
    normal = next((n for n, code in enumerate(listed) if code not in LOW_CODES), max(len(listed) - 1, 0))
    found: dict[int, Shade] = {}
    # from normal outwards: of two bands with one code the one farther away is the darker
    for number, inner in [*((n, n - 1) for n in range(normal, len(listed))), *((n, n + 1) for n in range(normal - 1, -1, -1))]:
        found[number] = _beside(listed[number], found.get(inner), inner in found and listed[inner] == listed[number])
    return [found[number] for number in range(len(listed))]


def _beside(code: str, inner: Shade | None, same: bool) -> Shade:
    """The first shade of a code that can be told from its inner neighbour; a darker one than a neighbour of the same code."""
    own = _SHADES[code]
    if inner is None:
        return own[0]
    lit = lightness(inner.fill)
    apart = [shade for shade in own if (lit - lightness(shade.fill) if same else abs(lit - lightness(shade.fill))) >= APART]
    return apart[0] if apart else own[-1]
