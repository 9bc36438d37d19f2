"""Delimited text as people export it -> its cells: encoding and delimiter are found, an open quote swallows nothing."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from labinterp._lazy import pattern
from labinterp.errors import InputError

_LINE = pattern(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_DELIMITERS = ("\t", ";", ",", "|")
_SEP = pattern(r"\"?sep=(?P<mark>[^\"\r\n])\"?[ ]*(?:\r\n|\n|\r|$)", 2)  # Excel's own first line
_LOOK = 20  # lines
_LONG = 1 << 20  # characters of a row that is looked through for its closing quote


def text_of(data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """The text of a file and its encoding.

    Raises:
        InputError: It is no text, or not in the encoding that was asked for.
    """
    text, found = decode(data, encoding)
    if b"\0" in data[:4096] and not found.startswith(("utf-16", "utf-32", "utf_16", "utf_32")):
        raise InputError(
            "this is a binary file of a form that is not known here; accepted: CSV, TSV, Excel, JSON, FHIR, HL7 v2, Parquet and SAS transport"
        )
    return text, found


def cells_of(text: str, delimiter: str) -> tuple[list[list[str]], str]:
    """The cells of a text, line by line, and the delimiter. Empty lines at its beginning are dropped, and `sep=` is.

    Raises:
        InputError: The delimiter cannot part cells, the text is empty, or is no table.
    """
    if len(delimiter) != 1 or delimiter in '\r\n"':
        raise InputError("the delimiter is one character, such as ; or , (a tab: $'\\t')")
    text = text.removeprefix(separator_line(text))
    if '"' in text:
        text = _quotes_closed(text, delimiter)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        with long_cells(len(text) + 1):  # one long cell is no reason to lose the others
            lines = list(reader)
    except csv.Error as error:
        raise InputError(
            f"line {reader.line_num}: this is not a table that can be read ({error}); accepted: CSV and TSV with a header line"
        ) from None
    first = next((n for n, line in enumerate(lines) if any(cell.strip() for cell in line)), None)
    if first is None:
        raise InputError("the file is empty; accepted: CSV, TSV or JSON with one result a row")
    return lines[first:], delimiter


class _Limit:
    """The longest cell that `csv` reads, which is one for the whole process: raised while anybody here reads, in whatever threads, then put back."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.readers = self.before = self.raised = 0


_LIMIT = _Limit()


@contextmanager
def long_cells(longest: int) -> Iterator[None]:
    """Within it, cells of so many characters are read. Whoever reads a short text changes nothing; what somebody else has set meanwhile stays."""
    with _LIMIT.lock:
        if not _LIMIT.readers:
            _LIMIT.before = _LIMIT.raised = csv.field_size_limit()
        _LIMIT.readers += 1
        if longest > csv.field_size_limit():
            csv.field_size_limit(longest)
            _LIMIT.raised = longest
    try:
        yield
    finally:
        with _LIMIT.lock:
            _LIMIT.readers -= 1
            if not _LIMIT.readers and csv.field_size_limit() == _LIMIT.raised:
                csv.field_size_limit(_LIMIT.before)


def separator_line(text: str) -> str:
    """The first line `sep=;` of a text that Excel wrote; empty where there is none."""
    said = _SEP.match(text)
    return said[0] if said else ""


def stops_half_way(text: str, lines: Sequence[Sequence[str]], width: int) -> bool:
    """Whether a text seems to break off: its last line has no end and fewer cells than the header, or a quote is left open in it."""
    if not lines or not text or text[-1] in "\r\n":
        return False
    return 0 < len(lines[-1]) < width or any(cell.startswith("''") for cell in lines[-1])


def decode(data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """Text and the encoding that was found.

    Raises:
        InputError: The bytes are not text in the encoding that was asked for.
    """
    if encoding is None:
        if data[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
            encoding = "utf-32"
        elif data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            encoding = "utf-16"
        else:
            try:
                return data.decode("utf-8-sig"), "utf-8"
            except UnicodeDecodeError as error:
                if error.reason == "unexpected end of data" and not error.object[: error.start].isascii():
                    return data.decode("utf-8-sig", "replace"), "utf-8"  # cut within a letter: all letters before it are UTF-8
                encoding = "cp1252"
    try:
        return data.decode(encoding, "replace" if encoding == "cp1252" else "strict"), encoding
    except (UnicodeDecodeError, LookupError):
        raise InputError(f"the file is not {encoding} text; give --encoding") from None


def _quotes_closed(text: str, delimiter: str) -> str:
    """The text with quotes that are never closed turned into plain marks: one of them would swallow the rows below it.

    A line with an odd number of quotes opens a cell of several lines only if a later line closes it before a whole
    row has come by.
    """
    lines, kept, at = _LINE.findall(text), [], 0  # a line separator of Unicode ends no row
    width = (lines[0].count(delimiter) or max(line.count(delimiter) for line in lines[:_LOOK])) if lines else 0
    while at < len(lines):
        end, joined = at + 1, lines[at]
        while _left_open(joined, delimiter) and end < len(lines) and end - at <= 100 and len(joined) < _LONG:
            following = lines[end]
            if width and following.count(delimiter) >= width and following.count('"') % 2 == 0:
                break
            joined, end = joined + following, end + 1
        if _left_open(joined, delimiter):
            joined, end = lines[at].replace('"', "''"), at + 1
        kept.append(joined)
        at = end
    return "".join(kept)


def _left_open(text: str, delimiter: str) -> bool:
    """Whether a quoted cell is still open at the end. A quote inside a cell that has none at its start (5" tall) opens nothing."""
    if '"' not in text:
        return False
    quoted, start, at = False, True, 0
    while at < len(text):
        mark = text[at]
        if quoted and mark == '"':
            if text[at + 1 : at + 2] == '"':
                at += 1
            else:
                quoted = False
        elif not quoted:
            quoted = start and mark == '"'
            start = mark == delimiter or mark in "\r\n"
        at += 1
    return quoted


def delimiter_of(text: str, alike: Callable[[Sequence[str]], int]) -> str:
    """What parts the cells of a text: by its first line `sep=;`, by the line that looks most like a header, else by the first line.

    Args:
        text: Of the file.
        alike: How much the cells of a line look like a header.
    """
    said = _SEP.match(text)
    if said:
        return said["mark"]
    lines = _first_lines(text)
    if not lines:
        return ","
    best = max(_DELIMITERS, key=lambda mark: (lines[0].count(mark), -_DELIMITERS.index(mark)))
    if alike(lines[0].split(best)):
        return best
    ranked = [
        (alike([cell.strip(' "') for cell in line.split(mark)]), line.count(mark), mark)
        for line in lines
        for mark in _DELIMITERS
        if mark in line
    ]
    found = max(ranked, key=lambda one: one[:2], default=(0, 0, best))
    if found[0]:
        return found[2]
    if (len(lines) > 1 and lines[0].count(best) < lines[1].count(best)) or best not in lines[0]:  # a title
        return max(_DELIMITERS, key=lambda mark: (sum(line.count(mark) for line in lines), -_DELIMITERS.index(mark)))
    return best


def _first_lines(text: str) -> list[str]:
    """The first lines with something in them, as far as they are needed to tell the delimiter."""
    found: list[str] = []
    for line in _LINE.finditer(text):
        if line[0].strip():
            found.append(line[0][:_LONG])
        if len(found) == _LOOK:
            break
    return found
