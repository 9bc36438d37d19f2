"""The laboratory's own range and flag: read when they are plain, kept as text when they are not, never half-read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from labinterp._flag_words import flag_code
from labinterp._printed_ranges import Range, printed_range
from labinterp._quantity import Quantity
from labinterp._units import UnitTable

_NOTHING = ("nan", "<na>", "nat", "none")  # how Python prints that a column has no end


class Reported(NamedTuple):
    """What the laboratory printed beside the value.

    Attributes:
        low: Lower end of its range, in the unit of the value; None if there is none or it is not plain.
        high: Upper end.
        text: The range as printed.
        flag: The flag as printed.
        code: What the laboratory's range says of the value: "L", "N", "H", or None where the range is not plain
            or a censored value straddles it.
        flag_code: What the printed flag says, where it is one that is known: "L", "N", "H", or "A" for abnormal without a side.
    """

    low: Decimal | None
    high: Decimal | None
    text: str | None
    flag: str | None
    code: str | None
    flag_code: str | None = None

    def as_text(self) -> Reported:
        """The same range, kept as text and not used."""
        shown = self.text or " - ".join("" if end is None else str(end) for end in (self.low, self.high))
        return Reported(None, None, shown, self.flag, None, self.flag_code)

    def to_dict(self) -> dict[str, Any]:
        """low, high, text, flag, code."""
        return {
            "low": None if self.low is None else float(self.low),
            "high": None if self.high is None else float(self.high),
            "text": self.text,
            "flag": self.flag,
            "code": self.code,
        }


def read_reported(
    quantity: Quantity, low: Any, high: Any, text: str | None, flag: str | None, units: UnitTable, decimal: str | None
) -> Reported | None:
    """Read the laboratory's range and flag; None when it printed neither.

    Args:
        quantity: The value, in whose unit the range is.
        low: Lower end, as printed.
        high: Upper end, as printed.
        text: The range as text.
        flag: The flag as printed.
        units: To tell whether a unit in the range text is the unit of the value.
        decimal: The decimal mark of the source.
    """
    text = text.strip() or None if isinstance(text, str) else None
    flag = flag.strip() or None if isinstance(flag, str) else None
    found = printed_range(low, high, text, quantity.unit, units, decimal)
    if found is None:
        ends = [str(end).strip() for end in (low, high) if end is not None]
        printed = " - ".join(end for end in ends if end and end.casefold() not in _NOTHING)
        text = "; ".join(part for part in (printed, text) if part) or None
        if text is None and flag is None:
            return None
    code = None if found is None else _code(quantity, found)
    return Reported(found and found.low, found and found.high, text, flag, code, flag_code(flag))


def _code(quantity: Quantity, found: Range) -> str | None:
    """L, N or H if every value the quantity may stand for says so. Below "<0.6" a concentration ends at zero."""
    value, comparator = quantity.value, quantity.comparator
    least = Decimal(0) if value > 0 else None
    bottom, top = {"": (value, value), "~": (value, quantity.high)}.get(
        comparator, (least, value) if comparator[:1] == "<" else (value, None)
    )
    bottom_open, top_open = comparator == ">", comparator == "<"

    def under(end: Decimal | None, open_end: bool) -> bool:
        if found.low is None or end is None:
            return False
        return end < found.low or (end == found.low and (open_end or not found.low_counts))

    def over(end: Decimal | None, open_end: bool) -> bool:
        if found.high is None or end is None:
            return False
        return end > found.high or (end == found.high and (open_end or not found.high_counts))

    if under(top, top_open):
        return "L"
    if over(bottom, bottom_open):
        return "H"
    low_known = found.low is None or (bottom is not None and not under(bottom, False))
    high_known = found.high is None or (top is not None and not (over(top, False) and not (top_open and top == found.high)))
    return "N" if low_known and high_known else None
