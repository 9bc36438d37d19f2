"""Results of the same observation of the same order -> which of them still counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from labinterp._formats.hl7_people import Person
from labinterp._formats.hl7_segments import Message, Segment
from labinterp._inputs import LabResult
from labinterp._quantity import Unreadable

_BY = {
    "C": "Replaced by a corrected result at {}.", "D": "Deleted by the laboratory at {}.", "F": "Replaced by a final result at {}.",
    "W": "Withdrawn as wrong by the laboratory at {}.", "X": "Withdrawn by the laboratory at {}: the result could not be got.",
}  # fmt: skip
_UNFINISHED = ("P", "R", "S", "I")


@dataclass(slots=True, eq=False)
class Order:
    """One OBR, and what holds for its results.

    Attributes:
        at: Number of the segment in its message; None where results stand without an OBR.
        number: The filler's number of the order, else the placer's, escaped.
        day: Of OBR-7.
        source: OBR-15, escaped.
        specimens: SPM segments.
        hint: What its name says of the specimen, where that is not blood.
        corrected: Whether the order as a whole is a correction (OBR-25).
    """

    at: int | None
    number: str = ""
    day: date | str | None = None
    source: str = ""
    specimens: list[Segment] = field(default_factory=list)
    hint: str | None = None
    corrected: bool = False


@dataclass(slots=True, eq=False)
class Row:
    """One OBX.

    Attributes:
        message: Where it stands.
        at: Number of its segment there.
        place: In words.
        whose: The person.
        order: The order.
        result: As far as it was read.
        key: What was observed: identifier (OBX-3) and part (OBX-4).
        status: OBX-11.
        day: Of OBX-14.
        heading: What a title above it says of the specimen.
        comments: Of the laboratory (NTE).
        said: What a reader should know.
    """

    message: Message
    at: int
    place: str
    whose: Person
    order: Order
    result: LabResult
    key: tuple[str, str]
    status: str
    day: date | str | None
    heading: str | None
    comments: list[str]
    said: list[str]

    @property
    def replaces(self) -> str:
        """The status by which earlier results are replaced; empty where they are not."""
        return "C" if self.order.corrected and self.status in ("F", "") else self.status if self.status in ("C", "D", "W", "X", "F") else ""


def replaced(rows: list[Row]) -> None:
    """Take the value from every result that a later one replaces, and say which did.

    The same observation is that of the same person, order number, OBX-3 and OBX-4; without an order number, of the same OBR. Later is
    what the time of the message says, else what stands behind. A final result replaces only what was not final.
    """
    same: dict[Any, list[Row]] = {}
    for row in rows:
        if row.key[0]:
            order = row.order.number or (row.message.number, row.order.at)
            same.setdefault((row.whose.key, order, row.key), []).append(row)
    for found in same.values():
        if len(found) > 1 and any(row.replaces for row in found):
            _settle(_in_time(found))


def _in_time(rows: list[Row]) -> list[Row]:
    times = [row.message.segments[0].raw(7)[:12] for row in rows]
    if not all(len(time) == 12 and time.isdigit() for time in times):
        return rows
    return [row for _, row in sorted(zip(times, rows, strict=True), key=lambda pair: pair[0])]


def _settle(rows: list[Row]) -> None:
    """Results of one observation, the earliest first."""
    unfinished: list[Row] = []
    counting: dict[tuple[int, str], list[Row]] = {}  # by order and status: lines of one text are not corrections of each other
    for row in rows:
        by, own = row.replaces, (id(row.order), row.status)
        if by:
            gone, unfinished = unfinished, []
            if by != "F":
                gone += [earlier for key, listed in counting.items() if key != own for earlier in listed]
                counting = {own: counting[own]} if own in counting else {}
            for earlier in gone:
                _replace(earlier, row, by)
        if row.status in _UNFINISHED:
            unfinished.append(row)
        else:
            counting.setdefault(own, []).append(row)


def _replace(earlier: Row, row: Row, by: str) -> None:
    value = earlier.result.value
    text = value.text if isinstance(value, Unreadable) else f"{earlier.result.comparator or ''}{value}"
    why = Unreadable("unreadable_value", _BY[by].format(row.place), text)
    earlier.result = earlier.result._replace(value=why, comparator=None)
