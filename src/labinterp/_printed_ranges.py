"""Ranges as laboratories print them -> both ends, where what is printed is plain; never half of it.

The grammar is closed: two numbers with a dash or a word between them, or one number with a sign or a word in front, each with the
unit of the value or none. Anything else is no range here: another unit, a sex, an age, a season, several bands, a footnote mark.
Both ends of "3.5 - 5.1" belong to it; "<5" does not hold 5, and "<=5" does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from labinterp._lazy import pattern
from labinterp._quantity import ReadValue, Unreadable, read_value
from labinterp._range_words import BETWEEN_WORDS, END_WORDS, FRAMING_WORDS, MARKUP, ONE_SIGN, RANGE_LABELS

LONGEST = 80  # characters; a longer text is no plain range, and a bound keeps hostile input cheap

_ONE = {word.strip(): end for end, words in END_WORDS.items() for first in words.split(" ", 1) for word in first.split("|")}
_SIDES = {word.casefold(): end for word, end in _ONE.items()}  # "ß" folds, and a dotless i is none of these words
_NUMBER = r"(?:[0-9]|[.,](?=[0-9]))(?:[0-9.,]|[' ](?=[0-9]{3}(?![0-9])))*"
_SIGNED_NUMBER = rf"(?:[+-]?{_NUMBER}|\([+-]{_NUMBER}\))"  # "(-2) - (+3)": brackets keep a sign apart from the dash
_UNIT = r"(?:[A-Za-zµμ%][A-Za-zµμ%.]*(?:/[A-Za-z0-9._{}]+)?)"


def _any(words: Iterator[str] | tuple[str, ...] | list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_SEPARATOR = rf"\s*(?:-|~|÷|…|\.{{2,3}})\s*|\s+(?:{_any(BETWEEN_WORDS)})\s+"
_TWO = pattern(
    rf"(?P<low_sign>>=?)?\s*(?P<low>{_SIGNED_NUMBER})\s*(?P<low_unit>{_UNIT}??)(?P<between>{_SEPARATOR})"
    rf"(?P<high_sign><=?)?\s*(?P<high>{_SIGNED_NUMBER})\s*(?P<unit>.*)",
    re.IGNORECASE,
)
_SIGNED = pattern(  # a sign at each end needs no more than a word, or nothing, between them
    rf"(?P<low_sign>>=?)\s*(?P<low>{_NUMBER})(?P<low_unit>)(?:\s+(?:and|und|et|y|e|en|och|og)\s+|\s+)(?P<high_sign><=?)\s*(?P<high>{_NUMBER})\s*(?P<unit>.*)",
    re.IGNORECASE,
)
_FRAME = pattern(
    rf"(?P<frame>{_any(tuple(FRAMING_WORDS))})\s+(?P<low>[+-]?{_NUMBER})(?P<between>\s+\S+\s+)(?P<high>[+-]?{_NUMBER})\s*(?P<unit>.*)",
    re.IGNORECASE,
)
_PAIR = pattern(rf"(?P<low>[+-]?{_NUMBER})\s*;\s*(?P<high>[+-]?{_NUMBER})")
_PARTS = pattern(rf"\^?(?P<low>-?{_NUMBER})\s*(?:\^-\^|\^|&)\s*(?P<high>-?{_NUMBER})")  # HL7 v2: NR, and SN with a dash
_ONE_SIDED = pattern(rf"(?P<word>{_any(list(_ONE))})(?P<gap>\s*\^?\s*)(?P<end>{_NUMBER})\s*(?P<unit>.*)", re.IGNORECASE)
_HALF = pattern(rf"(?P<none>-\s+)?(?P<end>{_NUMBER})(?P<open>\s*-)?")
_LABEL = pattern(rf"(?:{_any(tuple(RANGE_LABELS.split('|')))})(?:\s*:\s*|\s+)", re.IGNORECASE)
_POWER = pattern(r"x?\s*10\^[0-9]{1,2}/[a-zµμ]+", re.IGNORECASE)  # the only place where a "^" is no mark of HL7
_UNIT_FIRST = pattern(rf"(?P<unit>{_UNIT})\s*:?\s*(?=[0-9<>(\[+-])")
_END = pattern(rf"(?P<sign><=?|>=?)?\s*(?P<end>[+-]?{_NUMBER}(?:e-?[0-9]{{1,3}})?)\s*(?P<unit>.*)")
NO_END = {"", "-", "--", "n/a", "na", "null", "none", "nan", "<na>", "nat", "."}  # a column that says that this end is open


class Spellings(Protocol):
    """What reads a unit in a range: the catalog's table, or what was printed with the value."""

    def read(self, text: str, /) -> str | None:
        """The unit a text shows; None where it is none that is known."""
        ...


class Range(NamedTuple):
    """Both ends, and whether each belongs to the range."""

    low: Decimal | None
    low_counts: bool
    high: Decimal | None
    high_counts: bool


def printed_range(low: Any, high: Any, text: Any, unit: str, units: Spellings, decimal: str | None) -> Range | None:
    """The range itself, where what was printed is plain; None where there is none.

    Args:
        low: Lower end, as printed.
        high: Upper end, as printed.
        text: The range as text. Beside ends it may add an end or say that one does not belong to the range; where it is a plain range
            with another number, neither is used.
        unit: UCUM code of the value's unit.
        units: To read a unit in the text.
        decimal: The decimal mark of the source.
    """
    said = text.strip() or None if isinstance(text, str) else None
    ends = _from_ends(low, high, unit, units, decimal)
    if ends is _UNCLEAR:
        return None
    written = _from_text(said, unit, units, decimal) if said else None
    return ends if written is None else written if ends is None else _together(ends, written)


_UNCLEAR = Range(None, False, None, False)  # ends are printed and cannot be read


def _from_ends(low: Any, high: Any, unit: str, units: Spellings, decimal: str | None) -> Range | None:
    """Two columns. 0-0 means that there is none; an end that cannot be read makes the other one half a range."""
    bottom, top = _end(low, ">", unit, units), _end(high, "<", unit, units)
    if bottom is None and top is None:
        return None
    if _UNREAD in (bottom, top):
        return _UNCLEAR
    numbers = _numbers(bottom and bottom[0], top and top[0], decimal)
    if numbers is None:
        return None if _nothing(bottom, top) else _UNCLEAR
    return _range(*numbers, bottom[1] if bottom else True, top[1] if top else True)


_UNREAD: tuple[Any, bool] = ("", False)


def _nothing(*ends: tuple[Any, bool] | None) -> bool:
    """Whether all that stands in both columns is zero."""
    reads = [read_value(end[0]) for end in ends if end is not None]
    return all(isinstance(read, ReadValue) and read.value == 0 for read in reads)


def _end(raw: Any, away: str, unit: str, units: Spellings) -> tuple[Any, bool] | None:
    """One end, and whether it belongs to the range itself ("<15" does not); None where there is none."""
    text = _clean(str(raw))
    if len(text) > LONGEST:
        return _UNREAD
    if text.casefold() in NO_END:
        return None
    if not isinstance(raw, str):
        read = read_value(raw)
        return _UNREAD if isinstance(read, Unreadable) else (read.value, True)
    found = _END.fullmatch(text)
    if not found or not _same_unit(found["unit"], unit, units) or (found["sign"] or away)[0] != away:
        return _UNREAD
    return found["end"], found["sign"] not in ("<", ">")


def _together(ends: Range, written: Range) -> Range | None:
    """Ends in columns and a plain text: each may have an end that the other lacks, and no number may be another one."""
    low = ends.low if written.low is None else written.low
    high = ends.high if written.high is None else written.high
    if (ends.low not in (None, low) and not (ends.low == 0 and written.low is None)) or ends.high not in (None, high):
        return None
    return _range(low, high, ends.low_counts and written.low_counts, ends.high_counts and written.high_counts)


def _range(low: Decimal | None, high: Decimal | None, low_counts: bool, high_counts: bool) -> Range | None:
    """A range that says something: not backwards, not one number, and not "up from zero" or "below zero"."""
    if high is None:
        return None if low is None or low <= 0 else Range(low, low_counts, None, True)
    if low is None:
        return None if high <= 0 else Range(None, True, high, high_counts)
    return Range(low, low_counts, high, high_counts) if low < high else None


# --- the text ----------------------------------------------------------------------------------------------------


def _clean(text: str) -> str:
    """One way to write spaces, dashes and signs."""
    text = text.translate(ONE_SIGN)
    for written, sign in MARKUP:
        text = text.replace(written, sign) if written in text else text
    return text.strip(" ")


def _from_text(text: str, unit: str, units: Spellings, decimal: str | None) -> Range | None:
    if len(text) > LONGEST:
        return None
    text = _clean(text)
    label = _LABEL.match(text)
    text = text[label.end() :] if label else text
    text = text.rstrip("^")
    first = _UNIT_FIRST.match(text)
    if first and first["unit"].casefold() not in _SIDES and units.read(first["unit"]) is not None:
        if units.read(first["unit"]) != unit:
            return None
        text = text[first.end() :].strip()
    text, closed = _unwrapped(text, unit, units)
    pair = _PAIR.fullmatch(text) if closed else None
    pair = pair or _PARTS.fullmatch(text)
    if pair:
        return _ascending(pair["low"], pair["high"], decimal)
    two = _TWO.fullmatch(text) or _SIGNED.fullmatch(text)
    if two:
        if not _same_unit(two["unit"], unit, units) or not _same_unit(two["low_unit"], unit, units):
            return None
        return _ascending(two["low"], two["high"], decimal, two["low_sign"] != ">", two["high_sign"] != "<")
    frame = _FRAME.fullmatch(text)
    if frame:
        fits = frame["between"].strip().casefold() in FRAMING_WORDS.get(frame["frame"].casefold(), "").split("|")
        return _ascending(frame["low"], frame["high"], decimal) if fits and _same_unit(frame["unit"], unit, units) else None
    one = _ONE_SIDED.fullmatch(text)
    if one and (one["gap"] or one["word"][-1] in "<>=.") and _same_unit(one["unit"], unit, units):
        found = _SIDES.get(one["word"].casefold())
        return _one_end(one["end"], *found, decimal) if found else None
    half = _HALF.fullmatch(text)
    if half and bool(half["none"]) != bool(half["open"]):
        return _one_end(half["end"], "high" if half["none"] else "low", True, decimal)
    return None


def _unwrapped(text: str, unit: str, units: Spellings) -> tuple[str, bool]:
    """The text without one pair of brackets around the range, behind which the unit may stand."""
    close = {"(": ")", "[": "]", "{": "}"}.get(text[:1])
    if close is None or close not in text:
        return text, False
    inside, behind = text[1:].split(close, 1)
    if not _same_unit(behind, unit, units):
        return text, False
    return inside.strip(), True


def _same_unit(text: str, unit: str, units: Spellings) -> bool:
    """Whether a text is the unit of the value, or nothing. What stands behind "^" is read too, not dropped."""
    text = text.strip().removeprefix("^").strip()
    inner = text[1:-1].strip() if text[:1] + text[-1:] in ("()", "[]") else text
    if not inner or ("^" in text and _POWER.fullmatch(inner) is None):
        return not inner
    return unit in (units.read(text), units.read(inner))


def _one_end(text: str, side: str, counts: bool, decimal: str | None) -> Range | None:
    read = read_value(text, decimal)
    if isinstance(read, Unreadable):
        return None
    return _range(None, read.value, True, counts) if side == "high" else _range(read.value, None, counts, True)


def _ascending(low: str, high: str, decimal: str | None, low_counts: bool = True, high_counts: bool = True) -> Range | None:
    numbers = _numbers(low, high, decimal)
    return None if numbers is None else _range(*numbers, low_counts, high_counts)


def _numbers(low: Any, high: Any, decimal: str | None) -> tuple[Decimal | None, Decimal | None] | None:
    """Both ends as numbers, where they read one way.

    "1.200 - 3.400" reads two ways. The other end settles it where it proves the same mark ("0,935 - 1,060"), has both marks
    ("1.200,5 - 3.400"), or leaves one order that ascends ("800 - 1.200"). A mark is never settled by the other mark alone ("4,5 - 11.000"):
    where marks are mixed, one of them is a slip. The value itself settles nothing: that would be a guess by size.
    """
    alone = [None if end is None else _read(end, decimal) for end in (low, high)]
    if all(read is not None for read, end in zip(alone, (low, high), strict=True) if end is not None):
        return alone[0], alone[1]
    texts = [end for end in (low, high) if isinstance(end, str)]
    marks = [{mark for mark in ".," if mark in text} for text in texts]
    if decimal is not None or len(texts) < 2 or (len(set().union(*marks)) == 2 and all(len(one) < 2 for one in marks)):
        return None
    found = set()
    for mark in ".,":
        bottom, top = _read(low, mark), _read(high, mark)
        if bottom is not None and top is not None and bottom < top:
            found.add((bottom, top))
    return found.pop() if len(found) == 1 else None


def _read(end: Any, decimal: str | None) -> Decimal | None:
    read = read_value(end, decimal if isinstance(end, str) else None)
    return read.value if isinstance(read, ReadValue) and not (read.rest or read.flag or read.comparator) else None
