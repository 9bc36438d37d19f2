"""Bytes of HL7 v2 -> messages, segments, fields; where each segment stood, so that a message can be given back as it came.

Our own: of the parser that exists (python-hl7, which the tests compare this one with) lines of a batch end at
marks such as U+0085, the bytes as they came are lost, an escape may ask for a text of any length, and log lines hold text of the patient.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from labinterp._formats.hl7_text import Marks, charset_of, decoded, parts
from labinterp.errors import InputError

_LINE = re.compile(rb"([^\r\n\x0b\x1c]*)(\r\n|\r|\n|[\x0b\x1c]|\Z)")
# within a word: ü, é, ä, ö of code page 850, which are quotes or nothing in the western set, and no letters of UTF-8
_CP850 = re.compile(rb"[A-Za-z][\x81\x82\x84\x94][a-z]")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}\Z")
_BOM = b"\xef\xbb\xbf"
_FILE, _MOST_PLACES = ("FHS", "BHS", "BTS", "FTS"), 10


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
        self.undeclared = "cp850" if encoding is None and _CP850.search(data) else None

    def result(self) -> tuple[list[Message], list[str]]:
        for start, end, line_end in self.lines():
            self.line(start, end, line_end)
        notes = [_listed(what, places) for what, places in self.odd.items()]
        if self.batch is not None:
            notes.append("The batch has no BTS segment at its end: the file may break off.")
        if self.file:
            notes.append("The file has no FTS segment at its end: it may break off.")
        if self.undeclared and any(message.charset == self.undeclared for message in self.messages):
            notes.append("Letters of code page 850 were found where no character set is declared; they were read as that.")
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
        mark = self.data[start + 3 : min(start + 4, end)]
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
        charset = charset or self.undeclared
        if charset is not None and self.encoding is None:
            fields = ["MSH", marks.field, *decoded(self.data[start:end], charset)[4:].split(marks.field)]
        self.open = Message(len(self.messages) + 1, marks, charset or "", line_end, [Segment("MSH", fields, start, end, bool(line_end))])
        self.messages.append(self.open)

    def around(self, name: str, start: int, end: int) -> None:
        """Headers and trailers of batches and files."""
        text = decoded(self.data[start:end], self.encoding)
        if name == "BHS":
            self.batch = (len(self.messages), text[3:4] or "|")
        elif name == "BTS" and self.batch is not None:
            before, mark = self.batch
            told = [*text.split(text[3:4] or mark), ""][1].strip()
            here = len(self.messages) - before
            if told.isascii() and told.isdigit() and len(told) < 10 and int(told) != here:
                self.note(
                    "The batch tells of another number of messages than it holds ({} batch): it may not be whole", f"{int(told)}, {here}"
                )
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
    return Marks(
        field, *(given[n : n + 1] if "!" <= given[n : n + 1] <= "~" and not given[n].isalnum() else usual[n + 1] for n in range(4))
    )
