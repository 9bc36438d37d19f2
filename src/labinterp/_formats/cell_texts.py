"""Cells as programs keep them -> the text a person sees, and the exact number or the reason why it is none."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from labinterp._quantity import Unreadable

ERROR: Final = Unreadable("unreadable_value", "The cell holds an error of the spreadsheet, not a number.")
_A_DAY: Final = Unreadable(
    "unreadable_value", "The cell holds a day, as spreadsheets make of texts such as 5-10; what was typed is not in the file."
)
NESTED: Final = Unreadable("unreadable_value", "The cell holds several values, not one.")
_TRUTH: Final = Unreadable("unreadable_value", "The cell holds a truth value, not a number.")
_DAY: Final = Unreadable("unreadable_value", "The cell holds a day or a time, not a number.")


def cell_of(value: Any) -> tuple[str, Any]:
    """The text of a cell, and what it is where that is no text: an exact number, or why it is none.

    Example:
        >>> from datetime import date
        >>> cell_of(18.0), cell_of(True)[0], cell_of(date(2024, 10, 5))[0]
        (('18', Decimal('18')), 'true', '2024-10-05')
    """
    if value is None:
        return "", None
    if isinstance(value, str):
        return value, None
    if isinstance(value, bool):
        return ("true" if value else "false"), _TRUTH._replace(text="true" if value else "false")
    if isinstance(value, Unreadable):
        return "", value
    if isinstance(value, float):
        number = Decimal(repr(value))
        if not number.is_finite():
            return ("", None) if value != value else (repr(value), Decimal(repr(value)))
        text = repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        return text, Decimal(text)
    if isinstance(value, (int, Decimal)):
        return str(value), value
    text = value.date().isoformat() if isinstance(value, datetime) and not (value.hour or value.minute or value.second) else str(value)
    return text, _DAY._replace(text=text)


def sheet_cell(value: Any) -> tuple[str, Any]:
    """The text of a cell and its exact number: 15 digits, as a spreadsheet shows them; what lies behind them is noise of computing."""
    if isinstance(value, float):
        number = Decimal(format(value, ".15g"))
        text = str(int(number)) if number == number.to_integral_value() and abs(number) < 10**15 else str(number)
        return text, Decimal(text)
    if isinstance(value, (date, datetime, time, timedelta)):
        text = cell_of(value)[0]
        return text, _A_DAY._replace(text=text)
    if isinstance(value, str) and value[:1] == "#" and value.rstrip("!?").isupper():
        return value, ERROR._replace(text=value)
    return cell_of(value)
