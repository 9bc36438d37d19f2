"""Fields of an OBX -> name and code, value, unit, range, flag, status; or why the value is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from labinterp._catalog import Catalog
from labinterp._formats.hl7_decimals import exact_number
from labinterp._formats.hl7_segments import Segment
from labinterp._formats.hl7_text import Marks, part, plain
from labinterp._quantity import Unreadable

SHOWN = 200  # characters of a text that is no number which are carried on
_LOINC = re.compile(r"[0-9]{1,7}-[0-9]")
_LOINC_NAMES = ("LN", "LOINC", "LNC", "LN2")
_TENS = re.compile(r"(?:x\s*|\*\s*)?10", re.IGNORECASE)
_CODED = ("CE", "CWE", "CNE", "CF", "CNN")
_DOCUMENTS = {"RP": "a reference to a document or picture", "ED": "a document or picture"}
_NO_NUMBERS = {
    **dict.fromkeys(("DT", "TM", "TS", "DTM", "DR"), "a date or time"),
    **dict.fromkeys(("AD", "XAD"), "an address"), **dict.fromkeys(("PN", "XPN", "XCN", "CN"), "a name"),
    **dict.fromkeys(("TN", "XTN"), "a telephone number"), **dict.fromkeys(("CX", "CK", "EI", "XON"), "an identifier"),
    **dict.fromkeys(("NA", "MA"), "a list of numbers"), **dict.fromkeys(("MO", "CP"), "a price"),
}  # fmt: skip
_DIRECTIONS = ("HH", "LL", "HU", "LU", "H", "L", "N", "<", ">")

# What an observation result status says of the result (HL7 table 0085).
NO_RESULT = {
    "D": "The laboratory deleted this result (OBX-11 D).",
    "I": "The result was not ready: the specimen was in the laboratory (OBX-11 I).",
    "N": "This was not asked for (OBX-11 N).",
    "O": "This describes an order and holds no result (OBX-11 O).",
    "W": "The laboratory says that this result is wrong, for example of another patient (OBX-11 W).",
    "X": "The laboratory could not get this result (OBX-11 X).",
}
NOT_FINAL = {"P": "preliminary (OBX-11 P)", "R": "entered and not verified (OBX-11 R)", "S": "a part of the results (OBX-11 S)"}


class Named(NamedTuple):
    """What an OBX-3 names."""

    test: str
    loinc: str | None
    key: str


class Read(NamedTuple):
    """A value as far as the fields tell it.

    Attributes:
        value: Text, an exact number, or why there is none.
        comparator: Where it stands apart from the value.
        unit: Where the value brings it along.
    """

    value: Any
    comparator: str | None = None
    unit: str | None = None


def named(raw: str, marks: Marks) -> Named:
    """Name and LOINC code of an observation identifier: code, text and system, twice, and the original text.

    Example:
        >>> named("FER^Ferritin^L^2276-4^Ferritin [Mass/volume] in Serum or Plasma^LN", Marks())[:2]
        ('Ferritin', '2276-4')
    """
    fields = [part(raw, number, marks) for number in range(1, 10)]
    loinc = None
    for code, system in ((fields[0], fields[2]), (fields[3], fields[5])):
        stated = system.upper() in _LOINC_NAMES or system in ("2.16.840.1.113883.6.1", "http://loinc.org")
        if loinc is None and _LOINC.fullmatch(code) and (stated or (not system and _checks(code))):
            loinc = code
    text = fields[1] or fields[4] or fields[8]
    code = fields[0] or fields[3]
    if not text and loinc and code == loinc:
        return Named("", loinc, code)
    return Named(" ".join((text or code).split())[:300], loinc, f"{code}|{'' if code else text}")


def _checks(code: str) -> bool:
    """Whether the last digit of a LOINC code is the check digit of those before it (mod 10, as LOINC defines it)."""
    digits = [int(digit) for digit in code[:-2]][::-1]
    doubled = [digit * 2 if at % 2 == 0 else digit for at, digit in enumerate(digits)]
    return (-sum(sum(divmod(digit, 10)) for digit in doubled)) % 10 == int(code[-1])


def value_of(kind: str, raw: str, marks: Marks, decimal: str | None = None) -> Read:
    """The value of an OBX-5.

    Args:
        kind: OBX-2.
        raw: OBX-5, escaped.
        marks: Separators.
        decimal: The decimal mark of the sender, where it is known.

    Example:
        >>> [value_of("SN", text, Marks()).value for text in ("<^5", "^10^-^20", "^7.1")]
        ['<5', '10-20', '7.1']
        >>> value_of("SN", "^1^:^128", Marks()).value.message
        'The value is a ratio or titre, not one number.'
    """
    kind = kind.strip().upper()
    shown = " ".join(plain(raw[: SHOWN * 2], marks).split())[:SHOWN]
    if kind in _DOCUMENTS or kind in _NO_NUMBERS:
        return _none(f"The value is {_DOCUMENTS.get(kind) or _NO_NUMBERS[kind]} (OBX-2 {kind}), not a number.", shown)
    if not raw.strip():
        return _none("The value (OBX-5) is empty.", "")
    if raw.strip() == '""':
        return _none("The laboratory sent the mark for no value (two quotes).", shown)
    repeats = [one.strip() for one in raw.split(marks.repeat)]
    given = [one for one in repeats if one and one != '""']
    if not given:
        return _none("The value (OBX-5) is empty.", "")
    if not repeats[0] or len(set(given)) > 1:
        return _none(f"OBX-5 holds {len(repeats)} values where one number is needed.", shown)
    one = given[0]
    if kind == "SN":
        return _structured(one, marks, shown, decimal)
    if kind in _CODED:
        return _coded(one, marks, shown)
    if kind == "NR":
        low, high = part(one, 1, marks), part(one, 2, marks)
        return Read(f"{low}-{high}" if low and high else _unreadable("The range has one end.", shown))
    if kind == "CQ":
        return _number(part(one, 1, marks), decimal)._replace(unit=part(one, 2, marks) or None)
    text = plain(one.rstrip(marks.component) if kind == "NM" else one, marks).strip()
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1:
        return _none("The value is a text of several lines; they were not joined into a number.", shown)
    if len(text) > SHOWN:
        return _none("The value is a long text, not a number.", shown)
    return _number(text, decimal)


def _structured(raw: str, marks: Marks, shown: str, decimal: str | None) -> Read:
    """SN: comparator, number, separator, number."""
    if marks.component not in raw:
        return _number(plain(raw, marks).strip(), decimal)
    sign, first, between, second = (part(raw, number, marks) for number in range(1, 5))
    if sign in ("<>", "><"):
        return _none("The value is stated as not equal to a number.", shown)
    if second or between:
        if between == "-" and second and sign in ("", "="):
            return Read(f"{first}-{second}") if first else _none("The range has one end.", shown)
        said = "a ratio or titre" if between in (":", "/") else "a grade" if between == "+" else "made of several parts"
        return _none(f"The value is {said}, not one number.", shown)
    if not first:
        return _none("The value has no number (OBX-5.2 is empty).", shown)
    return _number(f"{'' if sign == '=' else sign}{first}", decimal)


def _coded(raw: str, marks: Marks, shown: str) -> Read:
    code, text, system, _, other, _, _, _, original = (part(raw, number, marks) for number in range(1, 10))
    said = text or original or other
    if not said and system:
        return _none("The value is a code without its text.", shown)
    said = said or code
    if "\n" in said or len(said) > SHOWN:
        return _none("The value is a text, not a number.", shown)
    return Read(said)


def _number(text: str, decimal: str | None) -> Read:
    exact = exact_number(text, decimal)
    return Read(text) if exact is None else Read(*exact)


def _unreadable(message: str, shown: str) -> Unreadable:
    return Unreadable("unreadable_value", message, shown)


def _none(message: str, shown: str) -> Read:
    return Read(_unreadable(message, shown))


def unit_of(raw: str, marks: Marks, catalog: Catalog) -> str | Unreadable | None:
    """The unit of an OBX-6 as printed: its code, or its text where the code is none that is known.

    Example:
        >>> [unit_of(text, Marks(), Catalog.default()) for text in ("mg/dL^milligram per deciliter^UCUM", "^ug/l", "10^9/L", "")]
        ['mg/dL', 'ug/l', '10^9/L', None]
    """
    repeats = {one.strip() for one in raw.split(marks.repeat) if one.strip(f" {marks.component}")}
    if len(repeats) > 1:
        return " ".join(raw.split())[:SHOWN]
    one = next(iter(repeats), "")
    first, mark, rest = one.partition(marks.component)
    if mark and re.match(r"-?[0-9]", rest) and (_TENS.fullmatch(first.strip()) or catalog.units.read(plain(one, marks))):
        whole = rest.split(marks.component, 1)
        return plain(f"{first}^{whole[0]}", marks).strip()  # "10^9/L": the sign of a power, not of a component
    code, text, other, alternative = (part(one, number, marks) for number in (1, 2, 4, 5))
    given = [unit for unit in (code, text, other, alternative) if unit]
    if not given:
        return None
    known = {unit: read for unit in given if (read := catalog.units.read(unit)) is not None}
    if len(set(known.values())) > 1:
        said = " and ".join(unit[:40] for unit in known)
        return Unreadable("conflicting_code", f"OBX-6 names two units that are not the same: {said}.")
    return (next(iter(known)) if known else given[0])[:SHOWN]


def text_of(raw: str, marks: Marks) -> str | None:
    """A field that is carried on as text: repeats and empty components kept apart by spaces."""
    text = "" if raw.strip() == '""' else plain(raw.rstrip(marks.component), marks)
    return " ".join(text.split())[: SHOWN * 10] or None


def flag_of(raw: str, marks: Marks) -> tuple[str | None, str | None]:
    """The flag of an OBX-8, and "<" or ">" where it says that the value lies off the scale.

    Example:
        >>> flag_of("A^Abnormal^HL70078~H", Marks()), flag_of("<", Marks())
        (('H', None), ('<', '<'))
    """
    codes = [code for one in raw.split(marks.repeat) if (code := part(one, 1, marks))]
    directions = [code for code in codes if code.upper() in _DIRECTIONS]
    scale = codes[0] if len(codes) == 1 and codes[0] in ("<", ">") else None
    if len({code[0].upper() for code in directions}) == 1:
        return max(directions, key=len), scale
    return "~".join(codes) or None, scale


def off_scale(sign: str, either: bool) -> tuple[str, str]:
    """The comparator of a number whose flag is "<" or ">", and what a reader should know.

    Args:
        sign: The flag.
        either: Whether it may also mean no more than "below its range" or "above": then the number itself is not left out.

    Example:
        >>> off_scale("<", False)[0], off_scale("<", True)[0]
        ('<', '<=')
    """
    if either:
        side = "below" if sign == "<" else "above"
        return f"{sign}=", (
            f"OBX-8 is {sign}: in HL7 the value lies off the scale of the instrument, with some laboratories it lies {side} its range. "
            f"It is read as {sign}=, which holds either way."
        )
    return sign, f"OBX-8 is {sign}, which in HL7 means that the value lies off the scale of the instrument; it is read as {sign}."


def status_of(segment: Segment, marks: Marks) -> str:
    """The status of an OBX, one letter; empty where there is none."""
    return next(iter(part(segment.raw(11), 1, marks).upper().split()), "")[:1]


def cut_off(segment: Segment, lengths: Sequence[int]) -> bool:
    """Whether an OBX at the very end of a file, with no line end behind it, may have lost its end.

    Args:
        segment: The OBX.
        lengths: How many fields the other OBX of the file have.
    """
    fields = len(segment.fields)
    return not segment.whole and (fields <= 6 or (fields < 12 and any(length != fields for length in lengths)))
