"""Which files of text polars may read by itself: no quotes, no returns, no blank lines, one line a row.

Such a file needs no rules of ours, and polars reads it on every core. That no row is longer than the header, and that the text is
UTF-8, polars says itself while it reads; then the file is read again by the rules of `blocks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

_PIECE = 4 << 20


class NotPlainError(Exception):
    """A file that was taken for a plain one is none."""


def plain_rows(path: Path, header: Sequence[str], delimiter: str) -> int | None:
    """How many rows a file has behind its header; None where it is no plain one.

    Args:
        path: A file of text on the disk.
        header: Its columns, as printed.
        delimiter: Between cells.
    """
    if len(delimiter.encode()) != 1:
        return None
    rows, last = 0, b"\n"
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            if rows == 0 and last == b"\n" and not _begins(piece, header, delimiter):
                return None
            if b'"' in piece or b"\r" in piece:
                return None
            ends = np.frombuffer(last + piece, np.uint8) == 10
            if (ends[1:] & ends[:-1]).any():
                return None
            rows += int(np.count_nonzero(ends[1:]))
            last = piece[-1:]
    return rows - 1 + (last != b"\n")


def _begins(piece: bytes, header: Sequence[str], delimiter: str) -> bool:
    line, _, _ = piece.partition(b"\n")
    try:
        return line.decode("ascii").split(delimiter) == list(header)
    except UnicodeDecodeError:
        return False


def read_plainly(path: Path, names: Sequence[str], delimiter: str) -> pl.LazyFrame:
    """All rows of a plain file, as texts."""
    schema = dict.fromkeys(names, pl.String)
    return pl.scan_csv(path, has_header=False, skip_lines=1, schema=schema, separator=delimiter, quote_char=None, glob=False)
