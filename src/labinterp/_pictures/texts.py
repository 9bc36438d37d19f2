"""Texts as a picture shows them: printable, short enough, and never read as anything but text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from textwrap import wrap

from labinterp._quantity import Quantity

LONGEST = 60  # characters of a text that came from a report
_DIGITS = 14  # characters of a number; no laboratory prints more, and a longer one would lie over its neighbours


def shown(text: object, longest: int = LONGEST) -> str:
    """A text of a report: one line, no control characters, cut where it is too long.

    Args:
        text: As it stands in the report.
        longest: Characters.

    Example:
        >>> shown("Ferritin\\x07 \\n(S)"), shown("abcdef", 4)
        ('Ferritin (S)', 'abc…')
    """
    raw = str(text)[: 20 * longest]  # a bound keeps hostile input cheap
    spaced = "".join(" " if c.isspace() else c for c in raw)
    kept = " ".join("".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn")).split())
    return kept if len(kept) <= longest else kept[: longest - 1].rstrip() + "…"


def literal(text: str) -> str:
    """The same text for a place that would read what stands between two dollar signs as a formula.

    Example:
        >>> print(literal("$x$"))
        \\$x\\$
    """
    return text.replace("$", "\\$")


def number(value: float) -> str:
    """A number as people write it: six digits, no exponent where one can do without.

    Example:
        >>> number(50.0), number(0.52), number(133.12345), number(12000.0)
        ('50', '0.52', '133.123', '12000')
    """
    text = f"{value:.6g}"
    return f"{value:.0f}" if "e+" in text and value < 1e12 else text


def unit_words(unit: str) -> str:
    """A unit as people write it; UCUM's own form stays in the data."""
    return unit.replace("{1.73_m2}", "1.73 m²")


def quantity_words(quantity: Quantity, digits: int | None = None) -> str:
    """A quantity as people write it.

    Args:
        quantity: Value, unit, comparator.
        digits: Significant digits, for a number that was converted; default: every printed digit.
    """

    def one(value: object) -> str:
        text = str(value)
        if digits is None:
            return text if len(text) <= _DIGITS else f"{text[: _DIGITS - 1]}…"
        return number(float(f"{float(text):.{digits}g}"))

    if quantity.comparator == "~":
        return f"{one(quantity.value)} to {one(quantity.high)} {unit_words(quantity.unit)}"
    return f"{quantity.comparator}{one(quantity.value)} {unit_words(quantity.unit)}"


def paragraph(sentences: Iterable[str], width: int) -> str:
    """Lines of at most so many characters; each sentence starts a line of its own. A word that is too long is broken."""
    return "\n".join("\n".join(wrap(sentence, width)) for sentence in sentences if sentence)


def words(key: str) -> str:
    """A key of the data in words."""
    return key.replace("_", " ")
