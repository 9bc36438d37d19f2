"""HL7 v2 messages -> panels: every OBX is one result, whatever the type of its message.

The day of sampling is that of OBX-14 (the time that the observation is true of: for a specimen the time it was taken), else OBR-7, else
SPM-17. The time of the message (MSH-7) is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from labinterp._catalog import Catalog
from labinterp._draws import Facts, filled, person
from labinterp._flag_words import flag_code
from labinterp._formats.hl7_decimals import Marked, range_of
from labinterp._formats.hl7_marks import stripped
from labinterp._formats.hl7_orders import Order, Row, replaced
from labinterp._formats.hl7_people import Person, day_of, not_blood, person_of, pregnancy_of, specimen_of
from labinterp._formats.hl7_segments import Message, Segment, as_plain, read_messages
from labinterp._formats.hl7_text import part, plain
from labinterp._formats.hl7_values import (  # fmt: skip
    NO_RESULT,
    NOT_FINAL,
    Read,
    cut_off,
    flag_of,
    named,
    off_scale,
    status_of,
    text_of,
    unit_of,
    value_of,
)
from labinterp._inputs import LabResult
from labinterp._intake import PanelIn, Piece, Source, Wanted, stood
from labinterp._quantity import Unreadable
from labinterp._reported import beside_refusal
from labinterp.errors import InputError

_KIND = re.compile(r"[A-Z]{3}\^[A-Z][A-Z0-9]{2}")
_MOST_PLACES = 10
_COMMENT = 2000  # characters of one comment


class Heard(NamedTuple):
    """Messages as they came, for annotating them.

    Attributes:
        data: The bytes, without earlier annotations of ours.
        rows: For each result, in order, its message and the number of its segment there.
        plain: False where the bytes are not those of the file (UTF-16).
    """

    data: bytes
    rows: list[tuple[Message, int]]
    plain: bool


def read(pieces: Sequence[Piece], wanted: Wanted) -> list[Source]:
    """Files of messages.

    Args:
        pieces: The files.
        wanted: Encoding; units of tests that are sent without one.

    Returns:
        list: one source for each file.

    Raises:
        InputError: A file holds no message.
    """
    return [_Reading(piece, wanted).source() for piece in pieces]


class _Reading:
    """One file as it is read: whose results, of which order, and what was said of them."""

    def __init__(self, piece: Piece, wanted: Wanted) -> None:
        self.name, self.wanted = piece.name, wanted
        self.data = stripped(as_plain(piece.data))
        self.plain = piece.data[:2] not in (b"\xff\xfe", b"\xfe\xff")
        self.messages, self.notes = read_messages(self.data, wanted.encoding)
        if not self.messages:
            called = f"{piece.name}: " if piece.name else ""
            raise InputError(f"{called}there is no HL7 v2 message here; a message begins with a line such as MSH|^~\\&|")
        self.catalog = Catalog.default()
        self.rows: list[Row] = []
        self.people = self.loose = 0
        self.empty: list[str] = []
        listed = [(segment, message) for message in self.messages for segment in message.segments if segment.name == "OBX"]
        self.lengths = [len(segment.fields) for segment, _ in listed[:-1]]
        self.marked: dict[Any, Marked] = {}
        self.lettered: set[Any] = set()  # senders whose flags are letters
        for segment, message in listed:
            if flag_code(text_of(segment.raw(8), message.marks)) in ("L", "H"):
                self.lettered.add(_sender(message))
            self.marked.setdefault(_sender(message), Marked()).see(segment.raw(2), segment.raw(5), segment.raw(7))

    def source(self) -> Source:
        for message in self.messages:
            self.message(message)
        if self.empty:
            shown = "; ".join(self.empty[:_MOST_PLACES]) + ("; ..." if len(self.empty) > _MOST_PLACES else "")
            said = "1 message holds" if len(self.empty) == 1 else f"{len(self.empty)} messages hold"
            self.notes.append(f"{said} no result (OBX): {shown}.")
        if self.loose:
            self.notes.append(f"Comments (NTE) that belong to no result were passed over: {self.loose}.")
        replaced(self.rows)
        return Source(
            self.panels(), None, "hl7v2", tuple(self.notes), Heard(self.data, [(row.message, row.at) for row in self.rows], self.plain)
        )

    def message(self, message: Message) -> None:
        marks = message.marks
        forward = message.kind.endswith(("^R22", "^R23"))  # in these a specimen comes before its orders, elsewhere behind them
        whose, before, number = self.nobody(), len(self.rows), 0
        common, order, heading = "", Order(None), None
        specimens: list[Segment] = []
        waiting: list[str] = []  # comments on what comes before a result: the person, the order
        last: Row | None = None
        for at, segment in enumerate(message.segments):
            if segment.name == "PID":
                self.people += 1
                whose, common, order, heading, specimens, last = person_of(segment, message, self.people), "", Order(None), None, [], None
            elif segment.name == "ORC":
                common, last = segment.raw(3) or segment.raw(2), None
            elif segment.name == "OBR":
                order, heading, last = self.order(segment, message, common, at, specimens), None, None
            elif segment.name == "SPM":
                if forward or order.at is None:
                    following = message.segments[at - 1].name == "SPM"
                    specimens = [*specimens, segment] if following else [segment]
                    order = Order(None, specimens=list(specimens))
                else:
                    order.specimens.append(segment)
                last = None
            elif segment.name == "OBX":
                number += 1
                last = self.row(segment, message, at, number, whose, order, heading)
                heading = last.heading = self.heading(last, heading)
                last.comments, waiting = waiting, []
                self.rows.append(last)
            elif segment.name == "NTE":
                text = " ".join(plain(segment.raw(3).replace(marks.repeat, " "), marks).split())[:_COMMENT]
                if text and text != '""':
                    (waiting if last is None else last.comments).append(text)
        self.loose += len(waiting)
        if len(self.rows) == before:
            kind = message.kind if _KIND.fullmatch(message.kind) else "of another kind"
            self.empty.append(f"message {message.number} ({kind})")

    def nobody(self) -> Person:
        """Whose the results of a message without a PID are."""
        self.people += 1
        return Person(("unnamed", self.people), None, None, None)

    def order(self, segment: Segment, message: Message, common: str, at: int, specimens: list[Segment]) -> Order:
        marks = message.marks
        number = segment.raw(3) or segment.raw(2) or common
        names = (part(segment.raw(4), 2, marks), part(segment.raw(4), 5, marks), part(segment.raw(4), 1, marks))
        return Order(
            at, number.strip() if part(number, 1, marks) else "", day_of(part(segment.raw(7), 1, marks)), segment.raw(15), list(specimens),
            not_blood(*names), part(segment.raw(25), 1, marks).upper() == "C",
        )  # fmt: skip

    def row(self, segment: Segment, message: Message, at: int, number: int, whose: Person, order: Order, heading: str | None) -> Row:
        """One OBX; its specimen and its day wait until the whole order was read."""
        marks, kind, raw = message.marks, segment.raw(2), segment.raw(5)
        name, status = named(segment.raw(3), marks), status_of(segment, marks)
        sender = self.marked[_sender(message)]
        read = value_of(kind, raw, marks, sender.decimal(kind, segment.raw(7)))
        unit = unit_of(segment.raw(6), marks, self.catalog)
        flag, scale = flag_of(segment.raw(8), marks)
        said = [f"the result is {NOT_FINAL[status]}."] if status in NOT_FINAL else []
        if isinstance(unit, Unreadable):
            read, unit = _refused(read, unit), None
        unit = unit or read.unit
        printed = text_of(segment.raw(7), marks)
        low, high = range_of(printed, sender.decimal("range"))
        if scale and not isinstance(read.value, Unreadable) and not read.comparator and str(read.value)[:1] not in ("<", ">"):
            beside = beside_refusal(read.value, unit or "", "", low, high, printed, None, self.catalog.units, None)
            outside = beside is not None and beside.code == {"<": "L", ">": "H"}[scale]
            sign, note = off_scale(scale, outside and _sender(message) not in self.lettered)
            read = read._replace(comparator=sign)
            said.append(note)
        if status in NO_RESULT:
            read = _refused(read, Unreadable("unreadable_value", NO_RESULT[status]))
        if cut_off(segment, self.lengths):
            read = _refused(
                read,
                Unreadable("unreadable_value", "The file ends in this result, without a line end: its value, unit or status may be cut."),
            )
            self.notes.append(
                f"The file ends in message {message.number}, OBX {number}, without a line end: it may break off there. What stands before it was read."
            )
        result = LabResult(
            name.test, read.value, unit, loinc=name.loinc, comparator=read.comparator, ref_low=low, ref_high=high, ref_text=printed, flag=flag,
            source=stood(self.name, f"message {message.number}, OBX {number}"),
        )  # fmt: skip
        return Row(
            message, at, f"message {message.number}, OBX {number}", whose, order, result, (name.key, segment.raw(4).strip()), status,
            day_of(part(segment.raw(14), 1, marks)), heading, [], said,
        )  # fmt: skip

    @staticmethod
    def heading(row: Row, before: str | None) -> str | None:
        """What a title among the results ("URIN") says of the specimen of those below it, until the next title."""
        value = row.result.value
        if (
            not isinstance(value, Unreadable)
            or value.text
            or row.result.unit
            or row.result.loinc
            or row.status in ("D", "I", "N", "X", "W")
        ):
            return before
        return not_blood(row.result.test) if row.result.test else before

    # --- results -> panels --------------------------------------------------------------------------------------

    def panels(self) -> list[PanelIn]:
        notes: list[list[str]] = []
        facts: list[Facts] = []
        specimens: dict[int, str | None] = {}
        for row in self.rows:
            marks, order = row.message.marks, row.order
            day = row.day or order.day or next((found for one in order.specimens if (found := day_of(part(one.raw(17), 1, marks)))), None)
            if id(order) not in specimens:
                fields = [one.raw(4) for one in order.specimens if one.raw(4)] or [order.source]
                specimens[id(order)] = specimen_of([(field, marks) for field in fields if field], self.catalog)
            specimen = specimens[id(order)]
            if specimen is None and (row.heading or order.hint):
                specimen = (row.heading or order.hint or "").replace("_", " ")
                row.said.append(f"the title above it names {specimen}, so the specimen is taken to be that.")
            elif isinstance(day, str):
                row.said.append("the day of sampling could not be read and counts as unknown.")
            row.result = row.result._replace(specimen=specimen, collected_at=day if isinstance(day, date) else None)
            raw = row.message.segments[row.at].raw(5)
            pregnant, contexts = pregnancy_of(row.result, raw, marks) if row.result.loinc else (None, frozenset())
            facts.append(Facts(row.whose.key, day, row.whose.sex, None, row.whose.born, pregnant, contexts))
            notes.append([*row.whose.said, *row.said, *_remarks(row)])
        facts = filled(facts)
        known: dict[Any, set[str | None]] = {}
        for fact in facts:
            known.setdefault(fact.id, set()).add(fact.sex)
        panels: dict[Facts, PanelIn] = {}
        for number, (row, fact, told) in enumerate(zip(self.rows, facts, notes, strict=True), 1):
            panel = panels.get(fact)
            if panel is None:
                whose, wrong = person(fact._replace(id=row.whose.id), fact.day if isinstance(fact.day, date) else None)
                said = [*told, *wrong]
                if len(known[fact.id] - {None}) > 1:
                    said.append("messages on this patient contradict each other on sex; they are read as different people.")
                panel = panels[fact] = PanelIn(whose, [], [], [])
            else:
                said = [text for text in told if text not in row.whose.said]
            panel.results.append(row.result)
            panel.rows.append(number)
            panel.notes.extend(f"Row {number}: {text}" for text in said)
        return list(panels.values())


def _sender(message: Message) -> tuple[str, str]:
    return message.segments[0].raw(3), message.segments[0].raw(4)


def _refused(read: Read, why: Unreadable) -> Read:
    """The value with a stronger reason against it than its own; its text stays."""
    text = read.value.text if isinstance(read.value, Unreadable) else f"{read.comparator or ''}{read.value}"
    return Read(why._replace(text=text), None, read.unit)


def _remarks(row: Row) -> list[str]:
    return [f"the laboratory remarks: {' '.join(row.comments)}"] if row.comments else []
