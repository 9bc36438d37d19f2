"""Read the value a laboratory printed: exact decimals, comparators, flags; never a guess, never a silent zero.

The grammar is closed and small. What it does not cover comes back as `Unreadable` with the reason; what reads
two ways ("1,060") comes back as `ambiguous_number` unless the decimal mark is given.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, NamedTuple

from labinterp._comparator_words import COMPARATOR_WORDS
from labinterp._lazy import pattern
from labinterp._no_number import why_no_number

LONGEST = 80  # characters; a longer text is no number, and a bound keeps hostile input cheap


class Quantity(NamedTuple):
    """A value with its unit, as reported.

    Attributes:
        value: Exact decimal; for a range (`comparator == "~"`) its lower end.
        unit: UCUM code.
        comparator: "", "<", "<=", ">", ">=" or "~" (a range from `value` to `high`).
        high: Upper end of a range, else None.

    Example:
        >>> print(Quantity(Decimal("20"), "ng/mL"), "and", Quantity(Decimal("4"), "ng/mL", "<"))
        20 ng/mL and <4 ng/mL
    """

    value: Decimal
    unit: str
    comparator: str = ""
    high: Decimal | None = None

    def __str__(self) -> str:
        return f"{self.number} {self.unit}".rstrip()

    @property
    def number(self) -> str:
        """The value as text that reads back to the same value."""
        if self.comparator == "~":
            return f"{self.value}~{self.high}"
        return f"{self.comparator}{self.value}"

    def to_pint(self, registry: Any = None) -> Any:
        """The same quantity as a `pint.Quantity`.

        Args:
            registry: A `pint.UnitRegistry`; default: pint's application registry.

        Returns:
            pint.Quantity: magnitude as float.

        Raises:
            ValueError: The quantity is censored ("<4"), a range, or in a unit pint has no exact word for.

        Example:
            >>> print(Quantity(Decimal("20"), "ng/mL").to_pint())
            20.0 nanogram / milliliter
        """
        from labinterp import _units

        return _units.to_pint(self, registry)


class ReadValue(NamedTuple):
    """What was read from a value text; `rest` is the text behind the number, perhaps a unit."""

    value: Decimal
    comparator: str = ""
    high: Decimal | None = None
    flag: str = ""
    rest: str = ""

    def __str__(self) -> str:
        return f"{self.comparator}{self.value}" if self.high is None else f"{self.value}~{self.high}"


class Unreadable(NamedTuple):
    """Why a value text is no number: a reason of the closed list, one sentence, and the text where a reader gave up on it."""

    reason: str
    message: str
    text: str = ""

    def __str__(self) -> str:
        return self.text


# the form nearly every value has: no sign, no thousands, no reading in two ways
_PLAIN = r"(?:(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,2}|\.[0-9]{4,12})?|0\.[0-9]{3})"
PLAIN = pattern(_PLAIN).fullmatch
_WITH_UNIT = pattern(rf"({_PLAIN}) ?([A-Za-zµμ]+/[A-Za-z]+)")
# The same form for columns of texts, by the decimal mark of the source: a comparator, one number, nothing else. Written so
# that other engines' regular expressions read it, too; what it matches reads as the number it shows.
_PLAIN_COMMA = _PLAIN.replace("\\.", ",")
PLAIN_TEXT = {
    None: rf"^(?:<=|>=|<|>)? ?(?:{_PLAIN}|{_PLAIN_COMMA})$",
    ".": r"^(?:<=|>=|<|>)? ?[0-9]{1,12}(?:\.[0-9]{1,12})?$",
    ",": r"^(?:<=|>=|<|>)? ?[0-9]{1,12}(?:,[0-9]{1,12})?$",
}
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u200a\u202f\u2002\u2003\t\r\n"), " ") | {0xFEFF: None, 0x200B: None}
_SIGNS = {
    ord("\u2212"): "-",
    ord("\u2013"): "-",
    ord("\u2014"): "-",
    ord("\u00b7"): ".",
    ord("\u2019"): "'",
    ord("\u00b4"): "'",
    ord("\u00d7"): "x",
}
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")

# A text that does not begin like this is no number: before the first digit stand only marks and words of a comparator or a flag.
_LEADING = "|".join([*(words for _, words in COMPARATOR_WORDS), "hh", "ll", "h", "l", "n", "&[lg][te];"])
MAY_BE_NUMBER = rf"(?i)^(?:[\W_]|{_LEADING})*[0-9]|[^\x00-\x7f]|[\t\r\n]"  # other letters and odd spaces are left to `read_value`
_COMPARATOR = pattern("|".join(f"(?P<c{i}>{words})" for i, (_, words) in enumerate(COMPARATOR_WORDS)), re.IGNORECASE)
_NUMBER = r"[+-]?(?:[0-9](?:[0-9.,]|['\s](?=[0-9]{3}(?![0-9])))*|[.,][0-9]+)(?:[eE][+-]?0*[0-9]{1,3}|\s*[xX*]\s*10\s*\^?\s*\(?[+-]?[0-9]{1,3}\)?)?"
_RANGE = pattern(rf"(?P<low>{_NUMBER})\s*(?:~|-|\bto\b|\bbis\b|\bà\b|\ba\b|\btot\b)\s*(?P<high>{_NUMBER})(?![0-9.,-])", re.IGNORECASE)
_VALUE = pattern(_NUMBER)
# A bare plus or minus is a flag only behind a space: "5+" may be a dipstick's grade, "12-" half a range.
_FLAG_WORDS = "HH|LL|HU|LU|H\\*|L\\*|H|L|N|A|\\*{1,3}|!{1,2}|↑{1,2}|↓{1,2}|(?<=\\s)(?:\\+{1,3}|-{1,3})|high|low|normal|abnormal|critical"
_FLAG_AFTER = pattern(rf"\s*(?:[\[(]\s*(?P<in>{_FLAG_WORDS})\s*[\])]|(?P<out>{_FLAG_WORDS}))(?=\s|$)", re.IGNORECASE)
_FLAG_BEFORE = pattern(r"(?P<flag>\*{1,3}|!{1,2}|↑{1,2}|↓{1,2}|(?:HH|LL|H|L|N)(?=\s))\s*")
_POWER = pattern(r"\s*[xX*]\s*10\s*\^?\s*\(?([+-]?[0-9]{1,3})\)?$")
_GROUPED = {mark: pattern(rf"[1-9][0-9]{{0,2}}(?:{re.escape(mark)}[0-9]{{3}})+") for mark in ".,' "}
TWO_WAYS = r"^[1-9][0-9]{0,2}[.,][0-9]{3}$"  # "1,060"; written so that other engines read it, too
_TWO_WAYS = pattern(TWO_WAYS)


def read_value(raw: object, decimal: str | None = None) -> ReadValue | Unreadable:
    """Read one reported value.

    Args:
        raw: The text of the report, or a number (which is never ambiguous).
        decimal: The decimal mark of the source, "." or ","; None when it is not known.

    Returns:
        ReadValue: value, comparator, range end, flag and the text behind the number.
        Unreadable: reason `unreadable_value` or `ambiguous_number`, and one sentence.

    Example:
        >>> read_value("< 4,5 L").value, read_value("<4.5").comparator
        (Decimal('4.5'), '<')
        >>> read_value("1,060").reason, read_value("1,060", decimal=".").value
        ('ambiguous_number', Decimal('1060'))
    """
    if type(raw) is str:
        if decimal != "," and PLAIN(raw):
            return ReadValue(Decimal(raw))
        plain = None if decimal == "," else _WITH_UNIT.fullmatch(raw)
        if plain:
            return ReadValue(Decimal(plain[1]), rest=plain[2])
        return _read_text(raw, decimal)
    return _read_object(raw)


def _read_object(raw: object) -> ReadValue | Unreadable:
    """Numbers that are not text: exact for int and Decimal, shortest decimal for float (of numpy's own width, too); what a reader has read."""
    if isinstance(raw, (Unreadable, ReadValue)):
        return raw
    if isinstance(raw, bool) or raw is None or type(raw).__name__ in ("bool_", "bool"):
        return Unreadable("unreadable_value", "There is no number here.")
    if isinstance(raw, (int, Decimal)):
        value = Decimal(raw)
    else:
        try:
            number = float(raw)  # type: ignore[arg-type]
            value = Decimal(str(raw) if hasattr(raw, "dtype") else repr(number))
        except (TypeError, ValueError, OverflowError, ArithmeticError):
            return Unreadable("unreadable_value", "This is neither a text nor a number.")
    if not value.is_finite():
        return Unreadable("unreadable_value", "This is not a finite number.")
    return ReadValue(value)


def _read_text(raw: str, decimal: str | None) -> ReadValue | Unreadable:
    if len(raw) > LONGEST:
        return Unreadable("unreadable_value", f"The text is longer than {LONGEST} characters; it is no plain value.")
    text = raw.translate(_SPACES).strip().strip('"').strip()
    if "&" in text:
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&le;", "<=").replace("&ge;", ">=")
    if not text:
        return Unreadable("unreadable_value", "The value is empty.")
    text = re.sub("[·×]\\s*10(?=[⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹^*])", "x10", text).translate(_SIGNS)
    if any(c in text for c in "⁰¹²³⁴⁵⁶⁷⁸⁹"):
        text = re.sub(r"10([⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: "10^" + m[1].translate(_SUPERSCRIPT), text)
    if text[0] == "(" and text[-1] == ")":
        text = text[1:-1].strip()
    flag, comparator, at = "", "", 0
    before = _FLAG_BEFORE.match(text)
    if before:
        flag, at = before["flag"], before.end()
    sign = _COMPARATOR.match(text, at)
    if sign:
        comparator, at = COMPARATOR_WORDS[int((sign.lastgroup or "c0")[1:])][0], sign.end()
        while at < len(text) and text[at] in " ^":  # HL7 SN writes ">^100"
            at += 1
    pair = None if comparator else _RANGE.match(text, at)
    if pair:
        return _read_range(pair, text, flag, decimal)
    found = _VALUE.match(text, at)
    if not found:
        return Unreadable("unreadable_value", why_no_number(text))
    value = _number(found[0], decimal)
    if isinstance(value, Unreadable):
        return value
    return _with_rest(ReadValue(value, comparator, None, flag), text[found.end() :])


def _read_range(pair: re.Match[str], text: str, flag: str, decimal: str | None) -> ReadValue | Unreadable:
    low, high = _number(pair["low"], decimal), _number(pair["high"], decimal)
    if isinstance(low, Unreadable):
        return low
    if isinstance(high, Unreadable):
        return high
    if not low < high:
        return Unreadable("unreadable_value", "The text looks like a range, and its first number is not the smaller one.")
    return _with_rest(ReadValue(low, "~", high, flag), text[pair.end() :])


def _with_rest(read: ReadValue, rest: str) -> ReadValue | Unreadable:
    """Take a flag off the text behind the number; what is left may be a unit, and must not be another number."""
    after = _FLAG_AFTER.match(rest)
    if after:
        read = read._replace(flag=after["in"] or after["out"])
        rest = rest[after.end() :]
    rest = rest.strip()
    if not rest:
        return read
    if rest[0] in "0123456789.,-+'~^:_" or (rest[0] == "/" and rest[1:2].isdigit()):
        return Unreadable("unreadable_value", "The text is not one plain number.")
    tail = re.search(rf"\s(?:[\[(]\s*)?({_FLAG_WORDS})\s*[\])]?$", rest)
    if tail and not read.flag and not re.search(r"(?:/|\bper)\s*$", rest[: tail.start()], re.IGNORECASE):  # "umol / L" ends in a litre
        return read._replace(flag=tail[1], rest=rest[: tail.start()].strip())
    return read._replace(rest=rest)


def _number(text: str, decimal: str | None) -> Decimal | Unreadable:
    """One number in any of the notations laboratories print. No notation is tried that the text does not prove."""
    sign = text[0] if text[0] in "+-" else ""
    body, exponent = text[len(sign) :], ""
    power = _POWER.search(body)
    if power:
        body, exponent = body[: power.start()], power[1]
    elif "e" in body or "E" in body:
        body, exponent = re.split("[eE]", body)
    mantissa = _plain(body.strip(), decimal, exact=bool(exponent))
    if isinstance(mantissa, Unreadable):
        return mantissa
    return Decimal(f"{sign.replace('+', '')}{mantissa}{'E' + exponent if exponent else ''}")


def _plain(body: str, decimal: str | None, *, exact: bool) -> str | Unreadable:
    """Digits with one decimal point, from digits with marks."""
    odd = Unreadable("unreadable_value", "The digits are not grouped as one number.")
    if "'" in body or " " in body:
        whole, mark, part = body, "", ""
        for candidate in ".,":
            if candidate in body:
                whole, mark, part = body.rpartition(candidate)
        if mark and mark in whole:
            return odd
        grouped = _GROUPED["'"].fullmatch(whole) or _GROUPED[" "].fullmatch(whole)
        groups = re.split("[' ]", whole)
        # "120 080" may be two numbers; "250 000" is one: nobody prints a number "000"
        if grouped and len(groups[0]) == 3 and " " in whole and not mark and "000" not in groups:
            return Unreadable("ambiguous_number", "The digits may be one number or two. Write it without spaces.")
        if not grouped or (mark and not part.isdigit()) or (decimal and mark and mark != decimal):
            return odd
        return re.sub("[' ]", "", whole) + ("." + part if mark else "")
    dots, commas = body.count("."), body.count(",")
    if not dots and not commas:
        return body
    if dots and commas:
        mark = "." if body.rfind(".") > body.rfind(",") else ","
    elif dots + commas == 1:
        mark = "." if dots else ","
        if decimal is None and not exact and _TWO_WAYS.match(body):
            return Unreadable(
                "ambiguous_number",
                f"The number reads two ways: {body.replace(mark, '')} or {body.replace(mark, '.')}. "
                "Give the decimal mark of the file (decimal='.' or ','; --decimal on the command line).",
            )
        if decimal and mark != decimal:
            return body.replace(mark, "") if _GROUPED[mark].fullmatch(body) else odd
    else:  # several of one mark: they can only part thousands
        mark = "," if dots else "."
        if decimal and mark != decimal:
            return odd
        other = "." if dots else ","
        return body.replace(other, "") if _GROUPED[other].fullmatch(body) else odd
    if decimal and mark != decimal:
        return odd
    whole, _, part = body.rpartition(mark)
    other = "," if mark == "." else "."
    if mark in whole or other in part or (other in whole and not _GROUPED[other].fullmatch(whole)):
        return odd
    return (whole.replace(other, "") or "0") + ("." + part if part else "")
