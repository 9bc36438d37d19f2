"""Lines of a delimited file -> the texts of its rows: a quoted cell may run over lines, a quote that is never closed is a plain mark."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from functools import lru_cache

from labinterp._delimited import long_cells

_MOST_LINES = 100  # of one row


def closed_rows(lines: Sequence[str], delimiter: str, width: int, *, last: bool = True) -> tuple[list[str], int]:
    """Rows whose quotes are closed. One quote left open would swallow the rows below it, so it is turned into a plain mark.

    A line that leaves a quote open begins a row of several lines only if a later line closes it at the end of a cell, before a
    whole row has come by.

    Args:
        lines: With their ends, the first of them the beginning of a row.
        delimiter: Between cells.
        width: How many delimiters the header line has.
        last: Whether nothing follows these lines; if something does, a row that is still open is left for later.

    Returns:
        tuple: the rows, and how many lines they are.

    Example:
        >>> closed_rows(['a,"two\\n', 'lines"\\n', '5" tall,"never closed\\n', 'b,1\\n'], ",", 1)
        (['a,"two\\nlines"\\n', "5'' tall,''never closed\\n", 'b,1\\n'], 4)
    """
    rows: list[str] = []
    at = 0
    while at < len(lines):
        end, joined = at + 1, lines[at]
        while _left_open(joined, delimiter) and end - at <= _MOST_LINES:
            if end == len(lines):
                if last:
                    break
                return rows, at
            if _whole_row(lines[end], delimiter, width):
                break
            joined, end = joined + lines[end], end + 1
        if _left_open(joined, delimiter) or (end - at > 1 and _patterns(delimiter)[1].fullmatch(joined) is None):
            joined, end = lines[at].replace('"', "''"), at + 1
        rows.append(joined)
        at = end
    return rows, at


def _left_open(text: str, delimiter: str) -> bool:
    """Whether a quoted cell is still open at the end. A quote inside a cell that has none at its start (5" tall) opens nothing."""
    return '"' in text and _patterns(delimiter)[0].fullmatch(text) is None


def _whole_row(line: str, delimiter: str, width: int) -> bool:
    """Whether a line that may belong to a quoted cell is a row of its own."""
    if not width or line.count(delimiter) < width:
        return False
    if '"' not in line:
        return True
    if _left_open(line, delimiter) or line.count('"') % 2:
        return False
    with long_cells(len(line) + 1):
        return len(next(csv.reader([line], delimiter=delimiter))) > width


@lru_cache
def _patterns(delimiter: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Text without an open quote, and a row of several lines: there a quote that touches a delimiter from within is no quote."""
    mark = re.escape(delimiter)
    end, plain, quoted = rf"[{mark}\r\n]", rf"[^{mark}\r\n]*+", r'"(?:[^"]|"")*+"'
    cell = rf"(?:{quoted}|(?!\")){plain}"
    sound = rf'(?:"(?:[^"\r\n]|"")*+"(?={end}|\Z)|"(?!{mark})(?:[^"]|"")*+(?<!{mark})"(?={end}|\Z)|(?!"){plain})'
    return re.compile(rf"(?:{cell}{end})*+{cell}"), re.compile(rf"(?:{sound}{end})*+{sound}")
