"""The laboratory's own range and flag: read when they are plain, kept as text when they are not, never half-read."""

from __future__ import annotations

from decimal import Decimal
from math import isinf
from typing import Any, NamedTuple

from labinterp._codes import COMPARATORS
from labinterp._flag_words import flag_code
from labinterp._printed_ranges import Range, Spellings, printed_range
from labinterp._quantity import Quantity, ReadValue, read_value
from labinterp._units import UnitTable, fold

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
    quantity: Quantity | None,
    low: Any,
    high: Any,
    text: str | None,
    flag: str | None,
    units: Spellings,
    decimal: str | None,
    unit: str = "",
) -> Reported | None:
    """Read the laboratory's range and flag; None when it printed neither.

    Args:
        quantity: The value, in whose unit the range is; None where it could not be read.
        low: Lower end, as printed.
        high: Upper end, as printed.
        text: The range as text.
        flag: The flag as printed.
        units: To tell whether a unit in the range text is the unit of the value.
        decimal: The decimal mark of the source.
        unit: The unit of the range where there is no value.
    """
    text = text.strip() or None if isinstance(text, str) else None
    flag = flag.strip() or None if isinstance(flag, str) else None
    found = printed_range(low, high, text, quantity.unit if quantity else unit, units, decimal)
    if found is not None and any(end is not None and isinf(float(end)) for end in (found.low, found.high)):
        found = None  # beyond any number a laboratory prints, and beyond JSON's
    if found is None:
        ends = [str(end).strip() for end in (low, high) if end is not None]
        printed = " - ".join(end for end in ends if end and end.casefold() not in _NOTHING)
        text = "; ".join(part for part in (printed, text) if part) or None
        if text is None and flag is None:
            return None
    code = None if found is None or quantity is None else _code(quantity, found)
    return Reported(found and found.low, found and found.high, text, flag, code, flag_code(flag))


def beside_refusal(
    value: Any, unit: str, comparator: str, low: Any, high: Any, text: str | None, flag: str | None, units: UnitTable, decimal: str | None
) -> Reported | None:
    """What the laboratory printed beside a result that has no answer here; None when it printed neither range nor flag.

    Its own range is compared with its own number, as both stand: nothing is converted, and nothing is known of the test.

    Args:
        value: As printed.
        unit: As printed; need not be one that is known. A range that names another one is not plain.
        comparator: As printed in a column of its own.
        low: Lower end, as printed.
        high: Upper end, as printed.
        text: The range as text.
        flag: The flag as printed.
        units: The catalog's spellings.
        decimal: The decimal mark of the source.
    """
    found = _beside(value, unit, comparator, (low, high, text, flag), units, decimal)
    if found is None or found.code is not None or decimal is not None:
        return found
    # "1.015" beside "1.001 - 1.035" reads two ways, and lies within its range both ways
    both = [_beside(value, unit, comparator, (low, high, text, flag), units, mark) for mark in ".,"]
    codes = {None if one is None else one.code for one in both}
    return found._replace(code=codes.pop()) if len(codes) == 1 else found


def _beside(
    value: Any, unit: str, comparator: str, said: tuple[Any, Any, str | None, str | None], units: UnitTable, decimal: str | None
) -> Reported | None:
    """The same with one decimal mark."""
    low, high, text, flag = said
    number = read_value(value, decimal)
    read = merge(number, comparator) if isinstance(number, ReadValue) else None
    own = _AsPrinted(units, unit or (read.rest if read else ""))
    if read is not None and read.rest and own.read(read.rest) != own.unit:  # a note behind the number, or a second unit
        read = None
    quantity = None if read is None else Quantity(read.value, own.unit, read.comparator, read.high)
    return read_reported(quantity, low, high, text, flag or (read.flag if read else None), own, decimal, own.unit)


class _AsPrinted:
    """Spellings of units where the printed one need not be known: it is the same where it is written the same."""

    def __init__(self, units: UnitTable, printed: str) -> None:
        self._units, self._fold = units, fold(printed) if len(printed) <= 64 else ""
        self.unit = (units.read(printed) or self._fold) if printed else ""

    def read(self, text: str) -> str | None:
        found = self._units.read(text)
        if found is None and self._fold and len(text) <= 64 and fold(text) == self._fold:
            return self.unit
        return found


def merge(read: ReadValue, comparator: str) -> ReadValue | None:
    """Value and separate comparator column: they may say the same, or one of them nothing."""
    text = {"≤": "<=", "≥": ">=", "=<": "<=", "=>": ">=", "=": "", "": ""}.get(comparator.strip(), comparator.strip())
    if not text:
        return read
    if text == "~" or text not in COMPARATORS or read.high is not None or read.comparator not in ("", text):
        return None
    return read._replace(comparator=text)


def _code(quantity: Quantity, found: Range) -> str | None:
    """L, N or H if every value the quantity may stand for says so. Below "<0.6" a concentration ends at zero."""
    value, comparator = quantity.value, quantity.comparator
    least = None if value <= 0 or (found.low is not None and found.low < 0) else Decimal(0)
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
    low_known = found.low is None or (bottom is not None and not (under(bottom, False) and not (bottom_open and bottom == found.low)))
    high_known = found.high is None or (top is not None and not (over(top, False) and not (top_open and top == found.high)))
    return "N" if low_known and high_known else None
