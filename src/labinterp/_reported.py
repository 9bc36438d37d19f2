"""The laboratory's own range and flag: read when they are plain, kept as text when they are not, never half-read."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, NamedTuple

from labinterp._lazy import pattern
from labinterp._quantity import Quantity, ReadValue, Unreadable, read_value
from labinterp._units import UnitTable

_FLAGS = {
    "h": "H", "high": "H", "hoch": "H", "↑": "H", "+": "H", "above": "H", "hh": "H", "↑↑": "H", "++": "H", "hu": "H", "haut": "H", "élevé": "H",
    "l": "L", "low": "L", "niedrig": "L", "↓": "L", "-": "L", "below": "L", "ll": "L", "↓↓": "L", "--": "L", "lu": "L", "bas": "L",
    "n": "N", "normal": "N", "norm": "N", "within range": "N", "ok": "N",
}  # fmt: skip
_BETWEEN = pattern(
    r"^[(\[]?\s*(?P<low>[0-9][0-9.,']*)\s*(?:-|–|—|−|~|to|bis|à|a|tot|\.\.)\s*(?P<high>[0-9][0-9.,']*)\s*[)\]]?\s*(?P<unit>.*)$",
    re.IGNORECASE,
)
_ONE_SIDED = pattern(
    r"^(?P<word><=|>=|≤|≥|<|>|up to|bis|less than|below|greater than|above|at least|at most)\s*(?P<end>[0-9][0-9.,']*)\s*(?P<unit>.*)$",
    re.IGNORECASE,
)
_UPPER_IN = {"<=", "≤", "up to", "bis", "at most"}
_UPPER_OUT = {"<", "less than", "below"}
_LOWER_IN = {">=", "≥", "at least"}


class Reported(NamedTuple):
    """What the laboratory printed beside the value.

    Attributes:
        low: Lower end of its range, in the unit of the value; None if there is none or it is not plain.
        high: Upper end.
        text: The range as printed.
        flag: The flag as printed.
        code: What the laboratory's range says of the value: "L", "N", "H", or None where the range is not plain
            or a censored value straddles it.
        flag_code: What the printed flag says, where it is one that is known.
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


class Range(NamedTuple):
    """Both ends, and whether each belongs to the range."""

    low: Decimal | None
    low_counts: bool
    high: Decimal | None
    high_counts: bool


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
    if found is None and text is None and flag is None:
        printed = [str(end).strip() for end in (low, high) if end is not None and str(end).strip()]
        if not printed:
            return None
        text = " - ".join(printed)
    code = None if found is None else _code(quantity, found)
    flag_code = _FLAGS.get((flag or "").strip("()[] ").casefold())
    return Reported(found and found.low, found and found.high, text, flag, code, flag_code)


def printed_range(low: Any, high: Any, text: Any, unit: str, units: UnitTable, decimal: str | None) -> Range | None:
    """The range itself, where what was printed is plain; None where there is none.

    Args:
        low: Lower end, as printed.
        high: Upper end, as printed.
        text: The range as text.
        unit: UCUM code of the value's unit.
        units: To read a unit in the text.
        decimal: The decimal mark of the source.
    """
    text = text.strip() or None if isinstance(text, str) else None
    return _from_ends(low, high, decimal) or _from_text(text, unit, units, decimal)


def _from_ends(low: Any, high: Any, decimal: str | None) -> Range | None:
    """Two columns. 0-0 means that there is none, and a range that runs backwards is not one."""
    bottom, top = _end(low, decimal), _end(high, decimal)
    if bottom is None and top is None:
        return None
    low_value = bottom[0] if bottom else None
    high_value = top[0] if top else None
    if high_value is not None and (high_value <= 0 or (low_value is not None and low_value >= high_value)):
        return None
    return Range(low_value, bottom[1] if bottom else True, high_value, top[1] if top else True)


def _end(raw: Any, decimal: str | None) -> tuple[Decimal, bool] | None:
    """One end, and whether it belongs to the range itself ("<15" does not)."""
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    read = read_value(raw, decimal)
    if isinstance(read, Unreadable) or read.comparator == "~" or read.rest:
        return None
    return read.value, read.comparator not in ("<", ">")


def _from_text(text: str | None, unit: str, units: UnitTable, decimal: str | None) -> Range | None:
    if not text or len(text) > 80:
        return None
    between = _BETWEEN.match(text)
    if between and _same_unit(between["unit"], unit, units):
        low, high = (read_value(between[end], decimal) for end in ("low", "high"))
        if isinstance(low, ReadValue) and isinstance(high, ReadValue) and low.value < high.value:
            return Range(low.value, True, high.value, True)
        return None
    one = _ONE_SIDED.match(text)
    if not one or not _same_unit(one["unit"], unit, units):
        return None
    end, word = read_value(one["end"], decimal), one["word"].casefold()
    if isinstance(end, Unreadable) or end.value <= 0:
        return None
    if word in _UPPER_IN or word in _UPPER_OUT:
        return Range(None, True, end.value, word in _UPPER_IN)
    return Range(end.value, word in _LOWER_IN, None, True)


def _same_unit(text: str, unit: str, units: UnitTable) -> bool:
    text = text.strip(" )]")
    return not text or units.read(text) == unit


def _code(quantity: Quantity, found: Range) -> str | None:
    """L, N or H if every value the quantity may stand for says so."""
    value, comparator = quantity.value, quantity.comparator
    bottom, top = {"": (value, value), "~": (value, quantity.high)}.get(
        comparator, (None, value) if comparator[:1] == "<" else (value, None)
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
