"""Sources, one after another -> the bytes of an output while they are read: no report is kept, and of a database no more than some people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from labinterp._catalog import Catalog
from labinterp._commands.output import packed
from labinterp._commands.reports import Stated
from labinterp._documents import answered
from labinterp._flagged import flagged
from labinterp._formats.forms_out import written
from labinterp._formats.kinds import OMOP
from labinterp._formats.omop_databases import DUCKDB
from labinterp._formats.omop_in import by_persons
from labinterp._intake import Piece, Source, Wanted
from labinterp._streams.pieces import Given
from labinterp._streams.progress import Progress
from labinterp._streams.ways import Way, beginning
from labinterp._summary import counts, summed

_LINES, _TABLES = ("jsonl",), ("csv", "omop")  # forms that need not be known whole to be written; a table has one header
_CHUNK = 250  # panels whose reports are held


class Told(NamedTuple):
    """What is to be said at the end.

    Attributes:
        notes: Of the sources.
        counted: What came of all rows, chunk by chunk.
    """

    notes: list[str]
    counted: list[dict[str, Any]]

    def summary(self) -> dict[str, Any]:
        """What came of all rows."""
        return summed(self.counted)


def by_pieces(given: list[Given], way: Way, wanted: Wanted, from_: str | None) -> Iterator[Source] | None:
    """A database in pieces, where it is one and the output may be written so; None for what is read whole."""
    if len(given) != 1 or wanted.units or wanted.sheet is not None or from_ not in (None, OMOP) or way.form not in (*_LINES, *_TABLES):
        return None
    (one,) = given
    if one.address:  # its kind is not asked: a pipe can be looked at only once
        piece = Piece("", b"", one.address)
    elif one.path is not None and beginning(one, 12)[8:] == DUCKDB:
        piece = Piece(one.name, b"", one.path)
    else:
        return None
    return by_persons(piece, through=way.form in _LINES)


def in_lines(way: Way) -> bool:
    """Whether an output has a line for each person and need not be known whole."""
    return way.form in _LINES


def answers(sources: Iterable[Source], way: Way, stated: Stated, options: dict[str, Any], catalog: Catalog, told: Told) -> Iterator[bytes]:
    """The output, piece by piece.

    Args:
        sources: In order.
        way: The form.
        stated: As for `reports_of`.
        options: For `interpret`.
        catalog: The data.
        told: Is filled.
    """
    progress, rows, header = Progress(), 0, False
    try:
        for source in chain.from_iterable(map(_chunks if way.form in _LINES else lambda one: [one], sources)):
            reports = [answered(panel, stated(panel.patient), options) for panel in source.panels]
            told.counted.append(counts(reports))
            told.notes.extend(source.notes)
            if way.form == "csv":
                data = flagged(source, reports).encode("utf-8", "replace")
            else:
                data = written(way.form, source, reports, catalog)
            if way.form in _TABLES and header:
                data = data.partition(b"\n")[2]  # the columns of these tables are a closed list, without a line end in a name
            header = True
            yield packed(data, way.packed)
            rows += sum(len(panel.results) for panel in source.panels)
            progress.show(rows, None, rows)
    finally:
        progress.close()


def _chunks(source: Source) -> Iterator[Source]:
    """A source as several, of some people each; the last has its notes."""
    for at in range(0, len(source.panels), _CHUNK):
        yield Source(source.panels[at : at + _CHUNK], None, source.format)
    yield Source([], None, source.format, source.notes)
