"""What the OBX of one sender show -> its decimal mark; numbers that read two ways -> exact numbers, where that mark is known."""

from __future__ import annotations

import re
from decimal import Decimal

from labinterp._quantity import TWO_WAYS

_LONGEST = 200  # characters of a value that is looked at
_ONE = r"[0-9]{1,12}(?:[.,][0-9]{1,12})?"
_ALONE = re.compile(rf"(?P<sign>[<>]=?)?\s*(?P<number>[+-]?{_ONE})")
_PAIR = re.compile(rf"[(\[]?\s*(?P<low>{_ONE})\s*[-\u2013]\s*(?P<high>{_ONE})\s*[)\]]?")
_PROOF = re.compile(r"0(?P<zero>[.,])[0-9]+|[0-9]+(?P<mark>[.,])(?:[0-9]{1,2}|[0-9]{4,})")  # no thousands look like this
_TWO_WAYS = re.compile(TWO_WAYS)


class Marked:
    """The decimal marks that one sender proves to write: in its numbers (NM), in other values, and in ranges.

    A number in NM has a point by the standard, while texts and ranges of the same sender may have commas: each is proved by its own
    kind, and by the others only where its own proves nothing.

    Example:
        >>> sender = Marked()
        >>> sender.see("NM", "13.5", "12,0-16,0")
        >>> sender.decimal("NM"), sender.decimal("range"), sender.decimal("ST")
        ('.', ',', None)
    """

    def __init__(self) -> None:
        self._shown: dict[str, set[str]] = {"NM": set(), "text": set(), "range": set()}

    def see(self, kind: str, value: str, printed: str) -> None:
        """One OBX: its type, value and range, escaped."""
        kind = kind.strip()
        if kind not in ("NM", "SN", "ST", "TX", "") or len(value) > _LONGEST:
            return
        alone = _ALONE.fullmatch(value.strip(" ^"))
        self._shown["NM" if kind == "NM" else "text"] |= _proofs([alone["number"]] if alone else [])
        self._shown["range"] |= _proofs(_ends(printed))

    def decimal(self, kind: str, printed: str = "") -> str | None:
        """The mark of numbers (NM), of ranges ("range"), or of any other kind; None where it is not known.

        Args:
            kind: What is to be read.
            printed: The range beside a value, which settles it where the sender writes values with both marks.
        """
        kind = kind.strip()
        own = self._shown[kind if kind in ("NM", "range") else "text"]
        shown = own or set().union(*self._shown.values())
        if kind == "NM" and not shown:
            return "."  # HL7 v2.5.1, chapter 2A
        if len(own) == 2:
            shown = _proofs(_ends(printed))
        return next(iter(shown)) if len(shown) == 1 else None


def _ends(printed: str) -> list[str]:
    """The numbers of a plain range."""
    pair, end = _PAIR.fullmatch(printed.strip()), _ALONE.fullmatch(printed.strip(" ^"))
    return [pair["low"], pair["high"]] if pair else [end["number"]] if end else []


def _proofs(numbers: list[str]) -> set[str]:
    """The decimal marks that numbers prove."""
    return {found["zero"] or found["mark"] for text in numbers if (found := _PROOF.fullmatch(text.lstrip("+-")))}


def range_of(text: str | None, decimal: str | None) -> tuple[Decimal | None, Decimal | None]:
    """Both ends of a plain range whose numbers would read two ways, where the sender's decimal mark is known.

    Example:
        >>> range_of("0.332-4.490", "."), range_of("10-50", ".")
        ((Decimal('0.332'), Decimal('4.490')), (None, None))
    """
    found = _PAIR.fullmatch(text.strip()) if text and decimal else None
    if not found or not (_TWO_WAYS.match(found["low"]) or _TWO_WAYS.match(found["high"])):
        return None, None
    ends = [_exact(found[end], decimal) for end in ("low", "high")]
    return (ends[0], ends[1]) if None not in ends else (None, None)


def exact_number(text: str, decimal: str | None) -> tuple[Decimal, str | None] | None:
    """A number with its comparator, where the text alone would read two ways and the sender's decimal mark is known; else None.

    Example:
        >>> exact_number("<1.060", "."), exact_number("1.06", ".")
        ((Decimal('1.060'), '<'), None)
    """
    found = _ALONE.fullmatch(text) if decimal else None
    if not found or not _TWO_WAYS.match(found["number"].lstrip("+-")):
        return None
    exact = _exact(found["number"], decimal)
    return None if exact is None else (exact, found["sign"])


def _exact(text: str, decimal: str | None) -> Decimal | None:
    """A number whose only mark is the decimal mark."""
    other = {".": ",", ",": "."}.get(decimal or "", ".")
    return None if other in text else Decimal(text.replace(",", "."))
