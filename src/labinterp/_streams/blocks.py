"""Text of a delimited file, piece by piece -> frames of its rows, none lost and none made up.

polars reads a piece wherever it can be trusted: every quote opens or closes a cell, every line ends the same way, no row is
longer than the header, and it finds as many rows as the text has line ends outside quotes. Every other piece is read with
Python's csv by the rules of `_table`. Both give the same rows; the one is fast.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from labinterp._delimited import long_cells
from labinterp._streams.pieces import cut_line, decoded, lines_of
from labinterp._streams.quoting import closed_rows
from labinterp.errors import InputError

STATE = "labinterp: state of the row"  # a column beside the caller's own, on the way from here to the answers
WHOLE, TORN, BLANK = 0, 1, 2
_LONGEST = 64 << 20  # bytes of one row
_OPEN = 1 << 20  # a quoted cell as long as this is taken for a quote that is never closed
_MANY = 100  # lines of one row
_FAULTS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)


class _Ends(NamedTuple):
    """Where the last whole row of a text ends, how many rows there are, and whether two quotes stand side by side."""

    cut: int
    rows: int
    doubled: bool


class Blocks:
    """Turns pieces of text into frames of texts: the columns of the header, and `STATE`.

    Args:
        names: Of the columns.
        delimiter: Between cells.

    Attributes:
        rows: How many the text had so far.
    """

    def __init__(self, names: Sequence[str], delimiter: str) -> None:
        self.rows = 0
        self._names, self._delimiter = list(names), delimiter
        self._width = len(self._names)
        edge = np.zeros(256, bool)  # what may stand beside a quoted cell: another quote is one that was doubled
        edge[[ord(delimiter) if ord(delimiter) < 128 else 10, 10, 34]] = True
        self._before, self._after = edge, edge.copy()
        self._after[13] = True

    def frames(self, pieces: Iterable[bytes]) -> Iterator[pl.DataFrame]:
        """Frames of rows in order; what is left of a piece begins the next.

        Args:
            pieces: Text in UTF-8, or Windows-1252 where it is not UTF-8.

        Raises:
            InputError: A row has no end, or a cell is too long.
        """
        rest = b""
        for piece in chain(pieces, [None]):
            data = rest + (piece or b"")
            frame, rest = self._next(data, piece is None)
            if len(rest) > _LONGEST:
                raise InputError(f"row {self.rows + 1} does not end within 64 MB; accepted: CSV and TSV with one result a line")
            if frame is not None:
                self.rows += frame.height
                yield frame

    def _next(self, data: bytes, last: bool) -> tuple[pl.DataFrame | None, bytes]:
        """The rows that are whole, and the rest."""
        if not data:
            return None, data
        found = self._ends(data, last)
        if found is not None:
            cut, rows, doubled = found
            if not cut:
                return None, data
            frame = self._trusted(data[:cut], rows, doubled)
            if frame is None:
                frame = self._read(lines_of(decoded(data[:cut])))
            return frame, data[cut:]
        cut = len(data) if last else cut_line(data)
        lines = lines_of(decoded(data[:cut]))
        whole, used = closed_rows(lines, self._delimiter, self._width - 1, last=last)
        if not whole:
            return None, data
        return self._read(lines_of("".join(whole))), "".join(lines[used:]).encode() + data[cut:]

    def _ends(self, data: bytes, last: bool) -> _Ends | None:
        """Where the last whole row ends, and how many rows there are; None where quotes or returns stand in odd places."""
        if b"\r" in data and data.count(b"\r") - (data[-1:] == b"\r" and not last) != data.count(b"\r\n"):
            return None
        raw = np.frombuffer(data, np.uint8)
        total = int(np.count_nonzero(raw == 10)) + (last and data[-1:] != b"\n")
        if b'"' not in data:
            return _Ends(len(data) if last else data.rfind(b"\n") + 1, total, False)
        quotes = np.flatnonzero(raw == 34)
        if quotes.size % 2 and last:
            return None
        # beyond the text stands nothing: there, `wrap` and `clip` give a byte that is no fault
        before, after = raw.take(quotes[0::2] - 1, mode="wrap"), raw.take(quotes[1::2] + 1, mode="clip")
        if not (self._before[before[int(quotes[0] == 0) :]].all() and self._after[after].all()):
            return None
        if _over_lines(data, raw, quotes):
            return self._over_lines(data, raw, quotes, last)
        cut = len(data) if last else data.rfind(b"\n", 0, int(quotes[-1]) if quotes.size % 2 else len(data)) + 1
        if len(data) - cut > _OPEN and quotes.size % 2:
            return None
        return _Ends(cut, total - data.count(b"\n", cut), bool((np.diff(quotes) == 1).any()))

    def _over_lines(self, data: bytes, raw: Any, quotes: Any, last: bool) -> _Ends | None:
        """The same where quoted cells run over lines."""
        lines = np.flatnonzero(raw == 10)
        inside = np.searchsorted(quotes, lines) % 2 == 1
        ends = np.append(lines[~inside] + 1, len(data)) if last and raw[-1] != 10 else lines[~inside] + 1
        cut = int(ends[-1]) if ends.size else 0
        if quotes.size % 2 and len(data) - cut > _OPEN:
            return None
        rows = self._doubted(data, raw, quotes, lines, np.flatnonzero(inside), np.searchsorted(ends, lines[inside]))
        for row in rows[: np.searchsorted(rows, ends.size)].tolist():
            text = lines_of(decoded(data[ends[row - 1] if row else 0 : ends[row]]))
            if len(closed_rows(text, self._delimiter, self._width - 1)[0]) > 1:
                return None
        return _Ends(cut, ends.size, True)

    def _doubted(self, data: bytes, raw: Any, quotes: Any, lines: Any, inside: Any, rows: Any) -> Any:
        """Rows of several lines in which a quote that is never closed may have swallowed rows: the rules are to be asked.

        There a line has as many delimiters as a row, a quote of the cell touches one from within, or the lines are many.
        """
        mark, cells = ord(self._delimiter), np.searchsorted(quotes, lines[inside])
        after, before = quotes.take(cells - 1) + 1, quotes.take(cells, mode="clip") - 1
        doubted = np.isin(raw.take(after, mode="clip"), (mark, 34)) | np.isin(raw.take(before), (mark, 34))
        doubted |= (raw.take(after - 2, mode="wrap") == 34) | (raw.take(before + 2, mode="clip") == 34)  # parts of a cell, about a quote
        ends = np.append(lines, len(data))[inside + 1].tolist()
        most = self._width - 2
        doubted |= np.array([data.count(mark, start, end) > most for start, end in zip(lines[inside].tolist(), ends, strict=True)])
        long = np.flatnonzero(np.bincount(rows) >= _MANY)
        return np.union1d(rows[doubted], long)

    def _trusted(self, data: bytes, rows: int, doubled: bool) -> pl.DataFrame | None:
        """The rows as polars reads them, if it finds that many.

        All columns are read, whatever is asked for: of some of them, polars does not see that a row is too long, and takes cells that
        are not theirs.
        """
        frame, ragged = self._by_polars(data), False
        if frame is None:
            frame, ragged = self._by_polars(data, truncate_ragged_lines=True), True
        if frame is None or frame.height != rows:
            return None
        if doubled:  # an empty cell is nothing, quoted or not
            frame = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
        if ragged or (min(column.null_count() for column in frame) and frame.select(pl.all_horizontal(pl.all().is_null()).any()).item()):
            return self._with_odd_rows(frame, data)
        return frame.with_columns(pl.lit(WHOLE, pl.Int8).alias(STATE))

    def _by_polars(self, data: bytes, **options: Any) -> pl.DataFrame | None:
        schema, quote = dict.fromkeys(self._names, pl.String), '"' if b'"' in data else None
        try:
            return pl.read_csv(data, has_header=False, schema=schema, separator=self._delimiter, quote_char=quote, **options)
        except _FAULTS:
            return None

    def _with_odd_rows(self, frame: pl.DataFrame, data: bytes) -> pl.DataFrame | None:
        """Blank lines, and rows that are longer than the header, which polars has cut off: they are read again, one by one."""
        raw = np.frombuffer(data, np.uint8)
        quotes, marks, ends = (np.flatnonzero(raw == byte) for byte in (34, ord(self._delimiter), 10))
        marks, ends = (places[np.searchsorted(quotes, places) % 2 == 0] if quotes.size else places for places in (marks, ends))
        starts = np.append(0, ends + 1)[: frame.height]
        ends = np.append(ends, len(data))[: frame.height]
        state = np.full(frame.height, WHOLE, np.int8)
        state[(ends == starts) | ((ends == starts + 1) & (raw.take(starts, mode="clip") == 13))] = BLANK
        cells = np.bincount(np.searchsorted(ends, marks), minlength=frame.height) + 1
        last = {}
        for at in np.flatnonzero(cells > self._width).tolist():
            row = self._cells(lines_of(decoded(data[starts[at] : ends[at]])))[0]
            state[at] = self._fitted(row)
            last[at] = row[-1] or None
        if last:
            name = self._names[-1]
            frame = frame.with_columns(frame[name].scatter(list(last), pl.Series(list(last.values()), dtype=pl.String)))
        return frame.with_columns(pl.Series(STATE, state))

    def _read(self, lines: list[str]) -> pl.DataFrame:
        """The rows as Python's csv reads them; one of another length than the header is brought to it."""
        read = self._cells(lines)
        state = np.full(len(read), WHOLE, np.int8)
        for number, row in enumerate(read):
            if len(row) != self._width:
                state[number] = self._fitted(row)
        columns: dict[str, Any] = {
            name: pl.Series(name, [cell or None for cell in cells], dtype=pl.String)
            for name, cells in zip(self._names, zip(*read, strict=True), strict=True)
        }
        return pl.DataFrame({**columns, STATE: pl.Series(state)})

    def _cells(self, lines: list[str]) -> list[list[str]]:
        try:
            with long_cells(sum(map(len, lines)) + 1):
                return list(csv.reader(lines, delimiter=self._delimiter))
        except csv.Error as error:
            raise InputError(
                f"a row behind row {self.rows}: this is not a table that can be read ({error}); accepted: CSV and TSV with a header line"
            ) from None

    def _fitted(self, row: list[str]) -> int:
        """Bring a row to the width of the header. What stands behind its last cell is kept in that cell, as it was parted."""
        if not row:
            row.extend([""] * self._width)
            return BLANK
        extra = row[self._width :]
        del row[self._width :]
        row.extend([""] * (self._width - len(row)))
        if any(cell.strip() for cell in extra):
            row[-1] = self._delimiter.join([row[-1], *extra])
            return TORN
        return WHOLE


def _over_lines(data: bytes, raw: Any, quotes: Any) -> bool:
    """Whether a quoted cell runs over lines; the last quote of an odd number closes nothing."""
    closes = quotes[1::2]
    opens = quotes[0::2][: closes.size]
    lengths = closes - opens
    if closes.size and int(lengths.sum()) > len(data) // 16:
        places = np.searchsorted(quotes, np.flatnonzero(raw == 10))
        return bool((places[places < quotes.size] % 2).any())
    starts = np.cumsum(lengths) - lengths
    inside = np.arange(int(lengths.sum())) + np.repeat(opens - starts, lengths)
    return bool((raw.take(inside) == 10).any())
