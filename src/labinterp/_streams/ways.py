"""What the command line says of inputs and outputs -> which form the output has, and whether rows are read whole or as they stream by."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from labinterp._streams.pieces import TEXT, Given
from labinterp.errors import InputError

PARQUET, CSV, JSON, TABLE = "parquet", "csv", "json", "table"
LONG = 64 << 20  # bytes; a CSV output of more text than this is streamed
_BY_NAME = {".parquet": PARQUET, ".pq": PARQUET, ".csv": CSV, ".tsv": CSV, ".json": JSON, ".hl7": "hl7v2"}


class Way(NamedTuple):
    """How a run goes.

    Attributes:
        form: "table", "json", "csv" or "parquet".
        streamed: Row by row; else the file is read whole and its draws together.
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
    if named and form != named and PARQUET in (form, named):
        raise InputError(
            f"-o with the ending {ending} and --to {form} do not go together; leave --to out, or give the output another ending"
        )
    if packed and form != CSV:
        raise InputError(f"{packed} is written for CSV only; use -o NAME.parquet, which is packed, or -o NAME.csv{packed}")
    if _read_whole(given, from_):
        if form == PARQUET or packed or folder or stream:
            raise InputError("files of this form are read together and written as a table, JSON or CSV: --to csv -o NAME.csv")
        return Way(form, False, None if out is None else Path(out), folder, packed, "\t" if ending == ".tsv" else None)
    must = form == PARQUET or bool(packed) or folder or len(given) > 1 or any(one.size is not None and one.kind != TEXT for one in given)
    streamed = must or (form == CSV and out is not None and sum(one.size or 0 for one in given) > LONG) if stream is None else stream
    if must and not streamed:
        raise InputError("--no-stream reads one plain CSV, TSV or JSON file and prints a table, JSON or CSV; leave it out")
    if streamed and form not in (PARQUET, CSV):
        raise InputError(
            f"row by row there is no {form}; use -o NAME.parquet, -o NAME.csv.gz or --to csv. Draws are read together in one plain file"
        )
    if form == PARQUET and out is None:
        raise InputError("Parquet goes to a file: -o NAME.parquet")
    return Way(form, streamed, None if out is None else Path(out), folder, packed, "\t" if ending == ".tsv" else None)


def _read_whole(given: Sequence[Given], from_: str | None) -> bool:
    """Whether the inputs are of a form whose files belong together: tables are read row by row, and JSON has a way of its own."""
    return any((from_ or one.form) not in (CSV, PARQUET, JSON) for one in given)
