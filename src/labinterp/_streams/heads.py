"""The beginning of a delimited file -> its header, and the text behind it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from labinterp._delimited import long_cells, separator_line
from labinterp._streams.pieces import as_utf8, cut_line, decoded, lines_of
from labinterp._streams.quoting import closed_rows
from labinterp._table import Table, read_table
from labinterp.errors import InputError

_HEAD = 1 << 16  # bytes in which the header is looked for


class Head(NamedTuple):
    """The beginning of a file.

    Attributes:
        table: Header, columns of the roles, delimiter; without rows.
        names: The header, with no name twice.
        pieces: The text behind the header line.
    """

    table: Table
    names: list[str]
    pieces: Iterator[bytes]


def head(pieces: Iterator[bytes], columns: dict[str, str], delimiter: str | None, encoding: str | None) -> Head:
    """Read the header of a file.

    Args:
        pieces: Its bytes.
        columns: Role -> column name where the usual names do not find it.
        delimiter: Default: found in the header line.
        encoding: Default: found.

    Raises:
        InputError: As `read_table`; or this is JSON.
    """
    pieces = as_utf8(pieces, encoding)
    data, piece = b"", b""
    for piece in pieces:
        data += piece
        if len(data) >= _HEAD and cut_line(data):
            break
    else:
        piece = b""
    text = decoded(data[: cut_line(data[:_HEAD]) or cut_line(data)] if piece else data)
    if text.lstrip()[:1] in ("{", "["):
        raise InputError("JSON is read as a whole and its draws together: use --to csv, json or table, without --stream")
    table = read_table(text.encode(), columns, delimiter)
    lines, used = lines_of(text), len(lines_of(separator_line(text)))
    above, width = table.above, len(table.header) - 1
    begun = False
    for row in closed_rows(lines[used : used + 200], table.delimiter, width)[0]:
        used += len(lines_of(row))
        with long_cells(len(row) + 1):
            begun = begun or any(cell.strip() for cells in csv.reader(lines_of(row), delimiter=table.delimiter) for cell in cells)
        if begun and above == 0:
            break
        above -= begun
    start = sum(map(len, data.splitlines(keepends=True)[:used]))
    return Head(table._replace(rows=[]), distinct(table.header), chain([data[start:]], pieces))


def distinct(header: Sequence[str]) -> list[str]:
    """Names of columns as they stand; one that stands twice gets a number behind it."""
    names: list[str] = []
    for name in header:
        number, free = 2, name
        while free in names:
            free, number = f"{name}_{number}", number + 1
        names.append(free)
    return names
