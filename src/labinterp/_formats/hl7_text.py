"""Text of HL7 v2: its character set, its separators, its escapes."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

_WESTERN = {"utf-8", "cp1252", "ascii", "iso8859-15"}  # in these, text that is UTF-8 by its bytes is UTF-8
_NAMED = {
    "unicode": "utf-8", "ascii": "ascii", "isoir6": "ascii", "isoir100": "cp1252", "latin1": "cp1252", "8859": "cp1252", "ansi": "cp1252",
    "gb18030": "gb18030", "gb180302000": "gb18030", "big5": "big5", "ksx1001": "euc_kr", "koi8r": "koi8_r", "ibm850": "cp850",
}  # fmt: skip
_CHARSET = re.compile(r"(?:windows|cp|win)(\d{3,4})|(?:iso)?8859(\d{1,2})")


class Marks(NamedTuple):
    """The separators of a message, as its MSH gives them."""

    field: str = "|"
    component: str = "^"
    repeat: str = "~"
    escape: str = "\\"
    sub: str = "&"


def charset_of(declared: str) -> str | None:
    """The character set a message declares, as Python calls it; None for one that is not known.

    Example:
        >>> [charset_of(name) for name in ("UNICODE UTF-8", "8859/1", "8859/15", "ASCII", "")]
        ['utf-8', 'cp1252', 'iso8859-15', 'ascii', None]
    """
    name = re.sub(r"[^a-z0-9]", "", declared.casefold())
    if "utf8" in name:
        return "utf-8"
    found = _CHARSET.fullmatch(name)
    if found:
        number = found[1] or found[2]
        if found[1]:
            return f"cp{number}" if number in ("1250", "1251", "1252", "1253", "1254", "1257", "437", "850", "852") else None
        return (
            "cp1252" if number == "1" else f"iso8859-{number}" if number in map(str, (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)) else None
        )
    return _NAMED.get(name)


def decoded(data: bytes, charset: str | None) -> str:
    """Text of one segment: laboratories declare one set and send another, so bytes that prove to be UTF-8 are read as that."""
    if charset is None or charset in _WESTERN:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            charset = charset if charset == "iso8859-15" else "cp1252"
    return data.decode(charset, "replace")


def parts(raw: str, marks: Marks) -> list[str]:
    """Components of a field or of one of its repeats, unescaped.

    Example:
        >>> parts("718-7^H\\\\T\\\\H^LN", Marks())
        ['718-7', 'H&H', 'LN']
    """
    return [plain(part, marks) for part in raw.split(marks.component)]


def part(raw: str, number: int, marks: Marks) -> str:
    """One component, from 1, unescaped and without outer space; empty for none and for the null of HL7."""
    listed = raw.split(marks.component, number)
    text = plain(listed[number - 1], marks).strip() if number <= len(listed) else ""
    return "" if text == '""' else text


def plain(text: str, marks: Marks) -> str:
    """Text without its escapes; what is no escape that is known stays as it is.

    Example:
        >>> plain("5\\\\S\\\\3 \\\\XC2B5\\\\g\\\\.br\\\\a\\\\dL", Marks())
        '5^3 µg\\na\\\\dL'
    """
    if marks.escape not in text:
        return text
    found, by = _escapes(marks)
    return found.sub(by, text)


@lru_cache(maxsize=64)
def _escapes(marks: Marks) -> tuple[re.Pattern[str], Callable[[re.Match[str]], str]]:
    mark = re.escape(marks.escape)
    known = {"F": marks.field, "S": marks.component, "T": marks.sub, "R": marks.repeat, "E": marks.escape, "H": "", "N": ""}

    def by(match: re.Match[str]) -> str:
        inner = match[1]
        if inner in known:
            return known[inner]
        if inner[0] == "X":
            return _hex(inner[1:])
        return "\n" if inner[1:3] in ("br", "sp", "ce") else " "

    return re.compile(rf"{mark}([FSTREHN]|X(?:[0-9A-Fa-f]{{2}}){{1,64}}|\.(?:br|sp|ce|sk|in|ti|fi|nf)[+-]?[0-9]{{0,4}}){mark}"), by


def _hex(digits: str) -> str:
    data = bytes.fromhex(digits)
    text = data.decode("utf-16-be", "replace") if len(data) % 2 == 0 and data[0] == 0 and len(data) > 1 else decoded(data, None)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def escaped(text: str, marks: Marks) -> str:
    """Text for a field: separators as escapes, line breaks as spaces.

    Example:
        >>> escaped("5|3^2 & c\\\\d", Marks())
        '5\\\\F\\\\3\\\\S\\\\2 \\\\T\\\\ c\\\\E\\\\d'
    """
    by = {mark: f"{marks.escape}{letter}{marks.escape}" for mark, letter in zip(marks, "FSRET", strict=True)}
    return "".join(by.get(sign, sign) for sign in " ".join(text.split()))
