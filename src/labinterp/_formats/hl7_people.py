"""PID, SPM and OBR -> whose a result is, when its specimen was taken, and what specimen it was."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from labinterp._catalog import Catalog
from labinterp._facts import read_date
from labinterp._formats.hl7_segments import Message, Segment
from labinterp._formats.hl7_text import Marks, part, plain
from labinterp._identify import specimen_key
from labinterp._inputs import LabResult, read_sex
from labinterp._quantity import ReadValue, read_value
from labinterp.errors import InputError

_DAY = re.compile(r"(\d{4})(\d{2})?(\d{2})?(?:\d{2,8})?(?:\.\d+)?(?:[+-]\d{2,4})?")
# HL7 table 0001: ambiguous and not applicable, beside what `read_sex` knows; both leave the sex for reference purposes unknown.
_SEX_UNKNOWN = {"a", "n", "c"}
_BLOODS = {"serum", "plasma", "blood"}
# Names of panels that say that what follows is no blood: "42^Urin", "Sammelurin", "Urinstatus"; but urea is Harnstoff.
_NO_BLOOD = (
    ("urine", re.compile(r"\burin|(?:sammel|spot|spontan|morgen|mittelstrahl)urin|\bharn(?!s(?:t|(?:ä|ae)u))|\borina\b", re.IGNORECASE)),
    ("csf", re.compile(r"\bliquor|\bcsf\b|\bcerebrospinal|\bLCR\b", re.IGNORECASE)),
    ("stool", re.compile(r"\bstuhl|\bstool|\bf(?:a)?ec(?:es|al|i)\b|\bselles\b|\bontlasting", re.IGNORECASE)),
    ("other_fluid", re.compile(r"punktat|\bpunctat|\bdialysa[ts]|\bascites|\baszites|\bpleura|\bdrain", re.IGNORECASE)),
    ("saliva", re.compile(r"\bspeichel|\bsaliva|\bsalive", re.IGNORECASE)),
)
_PREGNANT = {"LA15173-0": True, "LA26683-5": False, "77386006": True, "60001007": False, "pregnant": True, "not pregnant": False,
             "schwanger": True, "nicht schwanger": False, "enceinte": True, "non enceinte": False, "zwanger": True, "niet zwanger": False}  # fmt: skip
_STATUS_CODES, _WEEK_CODES, _DUE_CODE = ("82810-3", "11449-6"), ("11884-4", "11885-1", "18185-9", "49051-6"), "11778-8"
_WEEKS = ("wk", "weeks", "week", "w", "wo", "wochen", "semaines", "weken", "ssw")


class Person(NamedTuple):
    """A person as a PID names them.

    Attributes:
        key: Who is the same: number and who gave it; without a number each PID is somebody else.
        id: The number.
        sex: "female", "male" or None.
        born: Birth date, or None.
        said: Facts that could not be read.
    """

    key: Any
    id: str | None
    sex: str | None
    born: date | None
    said: tuple[str, ...] = ()


def person_of(segment: Segment, message: Message, number: int) -> Person:
    """The person of a PID.

    Args:
        segment: The PID.
        message: Where it stands.
        number: Of the PID in the whole source.
    """
    marks, header = message.marks, message.segments[0]
    said: list[str] = []
    key: Any = ("unnamed", number)
    shown = None
    for field in (3, 2, 4):
        one = next((one for one in segment.raw(field).split(marks.repeat) if part(one, 1, marks)), "")
        if one:
            shown = part(one, 1, marks)[:100]
            # numbers of two laboratories may be the same: whoever gave it belongs to it
            giver = part(one, 4, marks) or part(one, 6, marks) or f"{part(header.raw(3), 1, marks)}|{part(header.raw(4), 1, marks)}"
            key = (field, shown, giver)
            break
    return Person(key, shown, _sex(part(segment.raw(8), 1, marks), said), _born(part(segment.raw(7), 1, marks), said), tuple(said))


def _sex(text: str, said: list[str]) -> str | None:
    if text.casefold() in _SEX_UNKNOWN:
        return None
    try:
        return read_sex(text)
    except InputError:
        said.append("the sex (PID-8) could not be read and counts as unknown.")
        return None


def _born(text: str, said: list[str]) -> date | None:
    found = day_of(text)
    if found is None:
        return None
    if isinstance(found, date):
        return found
    partly = _DAY.fullmatch(text)
    said.append(
        "the birth date (PID-7) is only a year or a month, and the age counts as unknown."
        if partly and partly[3] in (None, "00")
        else "the birth date (PID-7) could not be read and counts as unknown."
    )
    return None


def day_of(text: str) -> date | str | None:
    """The day of a timestamp; its text where it is none; None where there is nothing.

    Example:
        >>> day_of("201410060627+0700"), day_of("2014"), day_of("")
        (datetime.date(2014, 10, 6), '2014', None)
    """
    text = text.strip()
    if not text or not text.strip("0"):
        return None
    found = _DAY.fullmatch(text)
    if found and not (found[2] and found[3]):
        return text[:40]
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else read_date(text)
    except (ValueError, InputError):
        return text[:40]


# --- specimen ------------------------------------------------------------------------------------------------


def specimen_of(fields: Iterable[tuple[str, Marks]], catalog: Catalog) -> str | None:
    """The specimen as printed, from an SPM-4 or OBR-15: the word that is known, the more exact one of several.

    Args:
        fields: Escaped, with their separators; several specimens of one order are told apart.
        catalog: Whose words.
    """
    chosen: list[str] = []
    for raw, marks in fields:
        words = []
        for one in raw.split(marks.repeat):
            listed = one.split(marks.component)
            texts = (*listed[1:2], *listed[8:9], *listed[4:5], listed[0])  # a text before its code
            subs = [sub for text in texts for sub in text.split(marks.sub)[1::-1]]
            words += [text for sub in subs if (text := " ".join(plain(sub, marks).split())) and text != '""']
        known = {word: key for word in words if (key := specimen_key(catalog, word)) is not None}
        exact = [word for word, key in known.items() if key not in _BLOODS] or [word for word, key in known.items() if key != "blood"]
        if words:
            chosen.append(next(iter(exact or known), words[0]))
    return ", ".join(dict.fromkeys(chosen))[:200] or None


def not_blood(*names: str) -> str | None:
    """What a panel's name says of its specimen, where that is not blood.

    Example:
        >>> not_blood("Urinstatus"), not_blood("Harnstoff"), not_blood("Klinische Chemie")
        ('urine', None, None)
    """
    return next((key for name in names for key, words in _NO_BLOOD if words.search(name)), None)


# --- pregnancy -----------------------------------------------------------------------------------------------


def pregnancy_of(result: LabResult, raw: str, marks: Marks) -> tuple[bool | None, frozenset[str]]:
    """Whether a result says that the person is pregnant, and the trimester; only where its LOINC code makes it certain.

    Args:
        result: As read.
        raw: Its OBX-5, for the code of a coded answer.
        marks: Separators.

    Source:
        LOINC 82810-3 and 11449-6 (pregnancy status), 18185-9 and its kin (gestational age), 11778-8 (estimated delivery date).
    """
    nothing: tuple[bool | None, frozenset[str]] = (None, frozenset())
    if result.loinc in _STATUS_CODES:
        answers = {_PREGNANT.get(part(raw, number, marks), _PREGNANT.get(part(raw, number, marks).casefold())) for number in (1, 2, 4)}
        answers -= {None}
        return (answers.pop(), frozenset()) if len(answers) == 1 else nothing
    if result.loinc in _WEEK_CODES and (result.unit or "").casefold().strip(". ") in _WEEKS:
        read = read_value(result.value)
        if isinstance(read, ReadValue) and not read.comparator and not read.rest and 1 <= read.value <= 43:
            return True, frozenset((f"trimester_{1 if read.value < 14 else 2 if read.value < 28 else 3}",))
    if result.loinc == _DUE_CODE and isinstance(result.collected_at, date):
        due = day_of(part(raw, 1, marks))
        if isinstance(due, date) and 0 <= (due - result.collected_at).days <= 280:
            return True, frozenset()
    return nothing
