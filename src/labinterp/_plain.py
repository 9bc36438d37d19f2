"""Texts of plain numbers, read once: what is decided with, what is kept, and what is written.

Laboratories print few different numbers, so most texts were read before. The memo is bounded: hostile texts push each other out,
and who asks looks at the length first, so that no long text is kept.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from labinterp._quantity import PLAIN

LONGEST = 15  # characters; so many digits a float carries there and back


class Plain(NamedTuple):
    """One plain number.

    Attributes:
        number: What it is compared as.
        value: Exactly what was printed.
        decimals: Printed digits behind the point.
        json: The number as JSON text, as `json.dumps` writes it.
    """

    number: float
    value: Decimal
    decimals: int
    json: str


@lru_cache(maxsize=8192)
def plain(text: str) -> Plain | None:
    """A text that is a number and nothing else, and that reads one way only; None for every other text.

    Args:
        text: Not longer than `LONGEST`.

    Returns:
        Plain: the number in its forms.

    Example:
        >>> plain("18.50").json, plain("<18"), plain("1.234")
        ('18.5', None, None)
    """
    if not PLAIN(text):
        return None
    point, number = text.find("."), float(text)
    if point < 0:
        return Plain(number, Decimal(text), 0, text)
    return Plain(number, Decimal(text), len(text) - point - 1, repr(number))


def plain_number(value: Decimal) -> int | float:
    """A JSON number: whole where the text was whole."""
    exponent = value.as_tuple().exponent
    return int(value) if isinstance(exponent, int) and 0 <= exponent < 30 else float(value)
