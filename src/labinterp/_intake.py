"""What every reader of files yields: panels of results, where each result stood, and what must be known of the file as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from labinterp._inputs import LabResult, Patient
from labinterp._table import Table

_NOTHING: Mapping[str, str] = {}


class PanelIn(NamedTuple):
    """Results drawn together, ready for `interpret`.

    Attributes:
        patient: Whose.
        results: As reported. `source` of each says where it stood: file, and row, segment or path within it.
        rows: Their numbers in the source, from 1; over all files that were read together.
        notes: Facts of the person that could not be read.
    """

    patient: Patient
    results: list[LabResult]
    rows: list[int]
    notes: list[str]


class Piece(NamedTuple):
    """One file before it is read.

    Attributes:
        name: For messages and for `LabResult.source`; "" where the bytes have no name.
        data: Its bytes, unpacked; empty where `path` has to be opened by a library of its own.
        path: Where it lies, or the address of a database; None for bytes.
        notes: What is known of the file before it is read: that it breaks off.
    """

    name: str
    data: bytes
    path: Path | str | None = None
    notes: tuple[str, ...] = ()


class Wanted(NamedTuple):
    """How files are to be read.

    Attributes:
        columns: Role -> column name where the usual names do not find it.
        delimiter: Of tables of text; None: found.
        encoding: Of text; None: found.
        units: Test or column name -> unit, where the file does not say it.
        sheet: Of a workbook; None: every sheet that is a table of results.
    """

    columns: Mapping[str, str] = _NOTHING
    delimiter: str | None = None
    encoding: str | None = None
    units: Mapping[str, str] = _NOTHING
    sheet: str | None = None


class Source(NamedTuple):
    """What was read: panels, and what the way back into the same form needs.

    Attributes:
        panels: In the order of their first row.
        table: The table, where the source is one table with one result a row.
        format: Name of the form, as `--from` takes it.
        notes: What a reader must know of the file as a whole: that it breaks off, what of it was passed over and why.
        original: What the writer of the same form annotates (parsed messages, a parsed bundle); nobody else looks at it.
    """

    panels: list[PanelIn]
    table: Table | None
    format: str = "csv"
    notes: tuple[str, ...] = ()
    original: Any = None


def stood(name: str, place: str) -> str:
    """The text of `LabResult.source`.

    Example:
        >>> stood("labs.hl7", "message 2, OBX 3"), stood("", "row 7")
        ('labs.hl7, message 2, OBX 3', 'row 7')
    """
    return f"{name}, {place}" if name else place


def renumbered(sources: list[Source]) -> Source:
    """Several sources as one: their rows are numbered on, their panels stay apart.

    Example:
        >>> renumbered([Source([], None, "fhir"), Source([], None, "fhir")]).format
        'fhir'
    """
    if len(sources) == 1:
        return sources[0]
    panels: list[PanelIn] = []
    last = 0
    for source in sources:
        panels += [panel._replace(rows=[row + last for row in panel.rows]) for panel in source.panels]
        last = max(
            [last, *(row for panel in source.panels for row in panel.rows), *([last + len(source.table.rows)] if source.table else [])]
        )
    formats = {source.format for source in sources}
    notes = tuple(note for source in sources for note in source.notes)
    return Source(panels, None, formats.pop() if len(formats) == 1 else "mixed", notes, [source.original for source in sources])
