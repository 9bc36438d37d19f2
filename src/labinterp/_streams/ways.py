"""What the command line says of inputs and outputs -> which form the output has, and whether files are read whole or as they stream by."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from labinterp._formats.kinds import LOOK, kind_of
from labinterp._formats.kinds import PARQUET as PARQUET_IN
from labinterp._streams.pieces import GZIP, TEXT, ZSTD, Given
from labinterp.errors import InputError

PARQUET, CSV, JSON, TABLE, JSONL, XLSX = "parquet", "csv", "json", "table", "jsonl", "xlsx"
LONG = 64 << 20  # bytes; a CSV output of more text than this is streamed
_BY_NAME = {
    ".parquet": PARQUET,
    ".pq": PARQUET,
    ".csv": CSV,
    ".tsv": CSV,
    ".json": JSON,
    ".jsonl": JSONL,
    ".ndjson": JSONL,
    ".xlsx": XLSX,
    ".hl7": "hl7v2",
    ".html": "html",
    ".htm": "html",
}


class Way(NamedTuple):
    """How a run goes.

    Attributes:
        form: "table", "json", "csv", "parquet", or another form that can be written.
        streamed: Row by row; else the files are read whole and their draws together.
        out: The output; None for standard output.
        folder: Whether it is a folder, in which each file gets one of its own.
        packed: "", ".gz" or ".zst".
        delimiter: A tab if the output is called .tsv.
    """

    form: str
    streamed: bool
    out: Path | None
    folder: bool
    packed: str
    delimiter: str | None


def way(given: Sequence[Given], to: str | None, out: str | None, stream: bool | None, from_: str | None = None) -> Way:
    """Choose.

    Args:
        given: The inputs.
        to: The form, if it was named.
        out: The output as it was named; a folder ends in a slash.
        stream: Whether to stream, if it was said.
        from_: The form of the inputs, if it was named.

    Raises:
        InputError: What was asked for does not go together.

    Example:
        >>> way([], None, "flagged.csv.gz", None)[:2]
        ('csv', True)
    """
    folder = out is not None and out.endswith(("/", os.sep))
    name = "" if out is None or folder else out.casefold()
    packed = next((ending for ending in (".gz", ".zst") if name.endswith(ending)), "")
    ending = Path(name.removesuffix(packed)).suffix
    named = _BY_NAME.get(ending)
    form = to or named or (PARQUET if folder else CSV if packed else TABLE)
    if named and form != named and {PARQUET, XLSX} & {form, named}:
        raise InputError(
            f"-o with the ending {ending} and --to {form} do not go together; leave --to out, or give the output another ending"
        )
    if packed and form != CSV:
        raise InputError(f"{packed} is written for CSV only; use -o NAME.parquet, which is packed, or -o NAME.csv{packed}")
    rows = form in (PARQUET, CSV)
    if stream is None:
        many = len(given) > 1 or any(one.size is not None and one.kind != TEXT for one in given)
        long = form == CSV and out is not None and sum(one.size or 0 for one in given) > LONG
        wanted = form == PARQUET or bool(packed) or many or long
        streamed = folder or (rows and wanted and from_ in (None, CSV, PARQUET) and all(map(_by_rows, given)))
    else:
        streamed = stream
    if folder and not streamed:
        raise InputError("--no-stream reads all files together, and a folder gets one for each; leave it out, or give -o NAME.csv")
    if streamed and (from_ not in (None, CSV, PARQUET) or not all(map(_by_rows, given))):
        raise InputError("files of this form are read together: leave --stream out, and name a file for the output, such as -o NAME.csv")
    if streamed and not rows:
        raise InputError(
            f"row by row there is no {form}; use -o NAME.parquet, -o NAME.csv.gz or --to csv. Draws are read together without --stream"
        )
    if form in (PARQUET, XLSX) and out is None:
        raise InputError(f"{'Parquet' if form == PARQUET else 'a workbook'} goes to a file: -o NAME.{form}")
    return Way(form, streamed, None if out is None else Path(out), folder, packed, "\t" if ending == ".tsv" else None)


def _by_rows(one: Given) -> bool:
    """Whether a file can be answered row by row as it streams by: a delimited table or Parquet. Pipes are taken for such."""
    if one.size is None:
        return not one.address
    try:
        return kind_of(beginning(one, LOOK), one.name) in (CSV, PARQUET_IN)
    except InputError:
        return False  # whoever reads it says why it cannot be read


def beginning(one: Given, size: int) -> bytes:
    """The first bytes of a file on the disk, unpacked; of one that is damaged, none."""
    import zlib

    if one.path is None or one.size is None:
        return b""
    with one.path.open("rb") as file:
        data = file.read(size)
    if one.kind == GZIP:
        try:
            return zlib.decompressobj(31).decompress(data, size)
        except zlib.error:
            return b""
    if one.kind == ZSTD:
        try:
            import zstandard

            with zstandard.ZstdDecompressor().stream_reader(data) as stream:
                return bytes(stream.read(size))
        except (ImportError, OSError, ValueError):
            return b""
        except Exception as error:
            if type(error).__name__ != "ZstdError":
                raise
            return b""
    return data
