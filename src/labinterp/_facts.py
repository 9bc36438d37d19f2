"""Facts of a person as tables and JSON write them: ages, days, pregnancy, declared circumstances."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from labinterp._inputs import read_yes_no
from labinterp._names import squash
from labinterp.errors import InputError

_AGE = re.compile(r"[>≥]?\s*(?P<number>\d{1,3}(?:[.,]\d{1,4})?)\s*\+?\s*(?P<unit>[a-zäöüàéèñ]*)\.?$", re.IGNORECASE)
_AGE_UNIT = {
    **dict.fromkeys(("", "y", "yr", "yrs", "year", "years", "yo", "j", "jahre", "jahr", "ans", "an", "años", "anni", "jaar"), Decimal(1)),
    **dict.fromkeys(("m", "mo", "mos", "month", "months", "monate", "mois", "meses", "mesi", "maanden"), Decimal(1) / 12),
    **dict.fromkeys(("w", "wk", "week", "weeks", "wochen", "semaines", "semanas", "settimane", "weken"), Decimal(7) / Decimal("365.25")),
    **dict.fromkeys(("d", "day", "days", "tage", "jours", "días", "giorni", "dagen"), Decimal(1) / Decimal("365.25")),
}
_DATES = (
    (re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?:[T ].*)?$"), False),
    (re.compile(r"(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})(?: .*)?$"), False),
    (re.compile(r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})(?:\d{2,6})?$"), False),
    (re.compile(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})(?: .*)?$"), False),
    (re.compile(r"(?P<d>\d{1,2})[/-](?P<m>\d{1,2})[/-](?P<y>\d{4})(?: .*)?$"), True),
)
_TRIMESTER = re.compile(r"(?:^|\D)([123])(?:\D|$)")


def read_age(text: str) -> float | int:
    """Years from "34", "34 y", "6 months", "10 d", "85+".

    Raises:
        InputError: Anything else, or an age outside 0 to 130 years.

    Example:
        >>> read_age("34"), read_age("6 months")
        (34, 0.5)
    """
    found = _AGE.fullmatch(text.strip())
    factor = _AGE_UNIT.get(found["unit"].casefold()) if found else None
    if found is None or factor is None:
        raise InputError("accepted: a number of years, or with a unit such as '6 months' or '10 d'")
    years = Decimal(found["number"].replace(",", ".")) * factor
    if years > 130:
        raise InputError("an age lies between 0 and 130 years")
    return int(years) if years == int(years) and (factor == 1 or years > 0) else float(years)


def read_date(text: str) -> date:
    """A day from ISO text, "20240131", "31.01.2024", or "31/01/2024" where only one reading is possible.

    Raises:
        InputError: Anything else; "01/02/2024" reads two ways.
    """
    for pattern, two_ways in _DATES:
        found = pattern.match(text.strip())
        if not found:
            continue
        day, month = int(found["d"]), int(found["m"])
        if two_ways and day <= 12 and month <= 12 and day != month:
            raise InputError("this date reads two ways; write it as YYYY-MM-DD")
        if two_ways and month > 12:
            day, month = month, day
        try:
            return date(int(found["y"]), month, day)
        except ValueError:
            break
    raise InputError("accepted dates: YYYY-MM-DD, YYYYMMDD, DD.MM.YYYY")


def read_pregnancy(text: str) -> tuple[bool | None, frozenset[str]]:
    """Whether pregnant, and the trimester as a circumstance where the text names one ("T2", "2nd trimester").

    Raises:
        InputError: Another word.
    """
    if "trim" in text.casefold() or re.fullmatch(r"[tT][123]", text):
        return True, read_trimester(text)
    return read_yes_no(text), frozenset()


def read_trimester(text: str) -> frozenset[str]:
    """The trimester as a circumstance.

    Raises:
        InputError: A text without 1, 2 or 3.
    """
    for number, words in enumerate(
        (
            ("first", "erstes", "premier", "primer", "primo", "eerste"),
            ("second", "zweites", "deuxi", "segundo", "tweede"),
            ("third", "drittes", "troisi", "tercer", "terzo", "derde"),
        ),
        1,
    ):
        if any(word in text.casefold() for word in words):
            return frozenset((f"trimester_{number}",))
    found = _TRIMESTER.search(text)
    if not found:
        raise InputError("accepted: 1, 2 or 3")
    return frozenset((f"trimester_{found[1]}",))


def read_contexts(text: str, names: Mapping[str, str]) -> frozenset[str]:
    """Declared circumstances from a list in one cell, parted by ; , or |.

    Args:
        text: As it stands in the cell.
        names: The catalog's words for them, squashed, and their ids.

    Raises:
        InputError: One that is not on the catalog's closed list.
    """
    parts = [part.strip() for part in re.split(r"[;,|]", text) if part.strip()]
    unknown = [part for part in parts if squash(part) not in names]
    if unknown:
        raise InputError(f"accepted: {', '.join(sorted(set(names.values())))}")
    return frozenset(names[squash(part)] for part in parts)
