"""A value as text and the number a program made of it, in two columns of one row -> the value; never one of two different ones.

Hospitals export both: `value` and `valuenum`, `ord_value` and `ord_num_value`, `labresulttext` and `labresult`. The text is what the
laboratory printed, with its comparator; the number beside it proves how the text reads.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from labinterp._lazy import pattern
from labinterp._quantity import ReadValue, Unreadable, read_value

_NO_NUMBER = pattern(r"9{6,}(?:\.0*)?|nan|null|none|na|n/a|<na>", re.IGNORECASE)  # 9999999 stands in exports where the text is no number
_DIFFERENT = "The columns of the value and of its number hold different numbers, and nothing tells which is right."


def one_value(text: Any, number: Any) -> tuple[Any, str | None]:
    """The value of a row.

    Args:
        text: The cell of the value, as it stands.
        number: The cell of its number.

    Returns:
        tuple: The text where it says the same as the number or is no number; the number where the text is blank; a `ReadValue` where
        only the number tells how the text reads, with the decimal mark that this proves; `Unreadable` where they hold different numbers.

    Example:
        >>> one_value("<5", "5")[0], one_value("", "7.2")[0], str(one_value("1.015", "1.015")[0])
        ('<5', '7.2', '1.015')
        >>> one_value("72", "7.2")[0].reason
        'unreadable_value'
    """
    if number is None or (isinstance(number, str) and (not number.strip() or _NO_NUMBER.fullmatch(number.strip()))):
        return text, None
    if not isinstance(number, (str, Unreadable)) and _NO_NUMBER.fullmatch(str(number)):
        return text, None
    if text is None or (isinstance(text, str) and not text.strip()):
        return number, None
    reads = _reads(text, (".", ","))
    marks = (".", ",") if isinstance(number, str) and "," in number else (".",)
    numbers = {read.value for read in _reads(number, marks).values()}
    if not reads:
        return text, None  # a word: whoever reads it says so
    same = {mark: read for mark, read in reads.items() if _holds(read, numbers)}
    if not same:
        return Unreadable("unreadable_value", _DIFFERENT, str(text)), None
    if len(same) == 1 and isinstance(read_value(text), Unreadable):
        mark, read = next(iter(same.items()))
        return read, mark
    return text, None


def end_of(raw: Any, mark: str) -> Any:
    """An end of the range in the same row, where it reads as one number by the decimal mark that the value proved."""
    read = read_value(raw, mark) if isinstance(raw, str) else None
    return read.value if isinstance(read, ReadValue) and read == ReadValue(read.value) else raw


def _reads(raw: Any, marks: tuple[str, ...]) -> dict[str, ReadValue]:
    found = {mark: read_value(raw, mark if isinstance(raw, str) else None) for mark in marks}
    return {mark: read for mark, read in found.items() if isinstance(read, ReadValue)}


def _holds(read: ReadValue, numbers: set[Decimal]) -> bool:
    return any(read.value == one if read.high is None else read.value <= one <= read.high for one in numbers)
