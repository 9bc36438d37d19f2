"""Bytes of HL7 v2 -> messages, segments, fields; where each segment stood, so that a message can be given back as it came.

Our own: of the parser that exists (python-hl7, which the tests compare this one with) segments end at marks that are letters of Latin-1,
the bytes as they came are lost, an escape may ask for a text of any length, and log lines hold text of the patient.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from labinterp.errors import InputError

_LINE = re.compile(rb"([^\r\n\x0b\x1c]*)(\r\n|\r|\n|[\x0b\x1c]|\Z)")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}\Z")
_BOM = b"\xef\xbb\xbf"
_WESTERN = {"utf-8", "cp1252", "ascii", "iso8859-15"}  # in these, text that is UTF-8 by its bytes is UTF-8
_NAMED = {
    "unicode": "utf-8", "ascii": "ascii", "isoir6": "ascii", "isoir100": "cp1252", "latin1": "cp1252", "8859": "cp1252", "ansi": "cp1252",
    "gb18030": "gb18030", "gb180302000": "gb18030", "big5": "big5", "ksx1001": "euc_kr", "koi8r": "koi8_r", "ibm850": "cp850",
}  # fmt: skip
_CHARSET = re.compile(r"(?:windows|cp|win)(\d{3,4})|(?:iso)?8859(\d{1,2})")
_FILE, _MOST_PLACES = ("FHS", "BHS", "BTS", "FTS"), 10


class Marks(NamedTuple):
    """The separators of a message, as its MSH gives them."""

    field: str = "|"
    component: str = "^"
    repeat: str = "~"
    escape: str = "\\"
    sub: str = "&"


class Segment(NamedTuple):
    """One segment.

    Attributes:
        name: Three letters.
        fields: Escaped, as they stand; `fields[5]` is field 5 (of MSH, too).
        start: Of its bytes in the data.
        end: Behind the last of them, before the line end.
        whole: False for the last one of data that has no line end behind it.
    """

    name: str
    fields: list[str]
    start: int
    end: int
    whole: bool = True

    def raw(self, number: int) -> str:
        """A field, escaped; empty where there is none."""
        return self.fields[number] if number < len(self.fields) else ""


class Message(NamedTuple):
    """One message.

    Attributes:
        number: From 1.
        marks: Its separators.
        charset: Of its text.
        line_end: Behind its MSH.
        segments: MSH first.
    """

    number: int
    marks: Marks
    charset: str
    line_end: bytes
    segments: list[Segment]

    @property
    def kind(self) -> str:
        """Type and event: "ORU^R01"."""
        return "^".join(parts(self.segments[0].raw(9), self.marks)[:2])


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
        return "cp1252" if number == "1" else f"iso8859-{number}" if number in map(str, (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)) else None
    return _NAMED.get(name)


def decoded(data: bytes, charset: str | None) -> str:
    """Text of one segment: laboratories declare one set and send another, so bytes that prove to be UTF-8 are read as that."""
    if charset is None or charset in _WESTERN:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            charset = charset if charset == "iso8859-15" else "cp1252"
    return data.decode(charset, "replace")


def as_plain(data: bytes) -> bytes:
    """UTF-16 as UTF-8; all else as it is."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data[: len(data) // 2 * 2].decode("utf-16", "replace").encode("utf-8", "replace")
    return data


def read_messages(data: bytes, encoding: str | None = None) -> tuple[list[Message], list[str]]:
    """Messages, and what has to be known of the data as a whole.

    Args:
        data: Messages one behind the other: bare, framed (MLLP) or in batches; lines end in CR, LF or both.
        encoding: Of the text, whatever the messages say.

    Raises:
        InputError: There is no such encoding.

    Example:
        >>> found, notes = read_messages(b"MSH|^~\\\\&|LAB\\rPID|1||77\\r")
        >>> found[0].segments[1].fields, notes
        (['PID', '1', '', '77'], [])
    """
    if encoding is not None:
        try:
            "".encode(encoding)
        except LookupError:
            raise InputError("there is no such encoding; leave --encoding out, or give utf-8, cp1252, latin-1") from None
    return _Reading(data, encoding).result()


class _Reading:
    """The messages as they are found, and what is odd about the lines."""

    def __init__(self, data: bytes, encoding: str | None) -> None:
        self.data, self.encoding = data, encoding
        self.messages: list[Message] = []
        self.open: Message | None = None
        self.odd: dict[str, list[str]] = {}
        self.batch: tuple[int, str] | None = None  # messages before it, its field separator
        self.file = self.framed = False
        self.last: bytes = b""

    def result(self) -> tuple[list[Message], list[str]]:
        for start, end, line_end in self.lines():
            self.line(start, end, line_end)
        notes = [_listed(what, places) for what, places in self.odd.items()]
        if self.batch is not None:
            notes.append("The batch has no BTS segment at its end: the file may break off.")
        if self.file:
            notes.append("The file has no FTS segment at its end: it may break off.")
        if self.framed:
            notes.append("The last message is framed (MLLP) and its frame is not closed: the file may break off.")
        return self.messages, notes

    def lines(self) -> Iterator[tuple[int, int, bytes]]:
        for found in _LINE.finditer(self.data):
            if found[2] == b"\x0b":
                self.framed = True
            elif found[2] == b"\x1c":
                self.framed = False
            start, end = found.span(1)
            if self.data.startswith(_BOM, start, end):
                start += len(_BOM)
            while start < end and self.data[start] in b" \t\0":
                start += 1
            if start < end:
                yield start, end, found[2]

    def line(self, start: int, end: int, line_end: bytes) -> None:
        name = self.data[start : start + 3]
        mark = self.data[start + 3 : start + 4]
        if name == b"MSH" and mark and not mark.isalnum() and not mark.isspace() and mark < b"\x80":
            self.begin(start, end, line_end)
        elif name.decode("latin-1") in _FILE and (not mark or not mark.isalnum()):
            self.around(name.decode("latin-1"), start, end)
        elif self.open is None:
            self.note("{} stand outside of a message and were passed over", f"byte {start + 1}")
        else:
            self.segment(self.open, start, end, line_end)

    def begin(self, start: int, end: int, line_end: bytes) -> None:
        head = decoded(self.data[start:end], self.encoding)
        marks = _marks(head)
        fields = ["MSH", marks.field, *head[4:].split(marks.field)]
        charset = self.encoding
        if charset is None and len(fields) > 18:
            charset = charset_of(re.split(re.escape(marks.repeat), fields[18])[0])
            if charset is not None:
                fields = ["MSH", marks.field, *decoded(self.data[start:end], charset)[4:].split(marks.field)]
        self.open = Message(
            len(self.messages) + 1, marks, charset or "", line_end, [Segment("MSH", fields, start, end, bool(line_end))]
        )
        self.messages.append(self.open)

    def around(self, name: str, start: int, end: int) -> None:
        """Headers and trailers of batches and files."""
        text = decoded(self.data[start:end], self.encoding)
        if name == "BHS":
            self.batch = (len(self.messages), text[3:4] or "|")
        elif name == "BTS" and self.batch is not None:
            before, mark = self.batch
            told = (text.split(text[3:4] or mark) + [""])[1].strip()
            here = len(self.messages) - before
            if told.isascii() and told.isdigit() and len(told) < 10 and int(told) != here:
                self.note("The batch tells of another number of messages than it holds ({} batch): it may not be whole", f"{int(told)}, {here}")
            self.batch = None
        elif name == "FHS":
            self.file = True
        elif name == "FTS":
            self.file = False
        self.open = None

    def segment(self, message: Message, start: int, end: int, line_end: bytes) -> None:
        text = decoded(self.data[start:end], message.charset or None)
        fields = text.split(message.marks.field)
        name = fields[0].strip()
        if _NAME.match(name):
            message.segments.append(Segment(name, fields, start, end, bool(line_end)))
            return
        # a line break inside a field, or a line that is no segment: neither may end up in another field's number
        last = message.segments[-1]
        place = f"message {message.number}, behind segment {len(message.segments)} ({last.name})"
        if not line_end and len(text) < 4 and text.isalnum():
            self.note("The file breaks off within {}", place)
            return
        self.note("{} do not begin with the name of a segment; they were read as more text of the segment before", place)
        if last.name != "MSH":
            joined = [*last.fields[:-1], f"{last.fields[-1]}\n{fields[0]}", *fields[1:]]
            message.segments[-1] = last._replace(fields=joined, end=end, whole=bool(line_end))

    def note(self, what: str, place: str) -> None:
        self.odd.setdefault(what, []).append(place)


def _listed(what: str, places: list[str]) -> str:
    if not what.startswith("{}"):
        return f"{what.format(places[0] if len(places) == 1 else len(places))}."
    lines = "1 line" if len(places) == 1 else f"{len(places)} lines"
    more = ", ..." if len(places) > _MOST_PLACES else ""
    return f"{what.format(lines)}: {'; '.join(places[:_MOST_PLACES])}{more}."


def _marks(head: str) -> Marks:
    field = head[3]
    given = head[4:].split(field, 1)[0]
    if len(given) == 3 and given[2] == "&":  # "^~&": on its way the backslash was lost
        given = f"{given[:2]}\\&"
    usual = Marks(field)
    return Marks(field, *(given[n : n + 1] or usual[n + 1] for n in range(4)))


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
