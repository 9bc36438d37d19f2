"""Where the output of a command goes: standard output, a pipe, or a file that appears whole or not at all."""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from labinterp import __version__
from labinterp._catalog import Catalog
from labinterp._render_plain import PlainConsole
from labinterp._report import Report
from labinterp._streams.written import appearing
from labinterp.errors import InputError, MissingExtraError

PRINTED = 120  # columns, where there is no terminal


class Incomplete(Exception):
    """Some rows could not be assessed, and --strict asks to be told."""


def report_text(report: Report) -> str:
    """One report as it stands in the document."""
    return json.dumps(report.to_dict(), ensure_ascii=False, indent=2).replace("\n", "\n    ")


def document_text(catalog: Catalog, reports: Sequence[str], counted: Mapping[str, Any]) -> str:
    """The JSON document of reports that are texts already."""
    shell = json.dumps(
        {"labinterp": __version__, "catalog": catalog.version, "reports": ["HERE"], "summary": counted}, ensure_ascii=False, indent=2
    )
    before, _, after = shell.partition('"HERE"')
    return f"{before}{f',{chr(10)}    '.join(reports)}{after}\n"


def write_json(path: Path | None, data: Any) -> None:
    """Data as JSON, for people to read, too."""
    write(path, json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def write(path: Path | None, text: str | bytes) -> None:
    """To standard output, to a pipe or device as it is, or to a file that appears whole or not at all.

    Args:
        path: None for standard output.
        text: Text is written as UTF-8.

    Raises:
        InputError: The file cannot be written.
    """
    write_pieces(path, [text.encode("utf-8", "replace") if isinstance(text, str) else text])


def write_pieces(path: Path | None, pieces: Iterable[bytes]) -> None:
    """The same of what comes piece by piece: none is kept. On standard output what came before an error stays.

    Args:
        path: None for standard output.
        pieces: Made while they are written.

    Raises:
        InputError: The file cannot be written.
    """
    if path is None:
        sys.stdout.flush()
        for piece in pieces:
            sys.stdout.buffer.write(piece)  # whatever the terminal can show: files and pipes get UTF-8
            sys.stdout.buffer.flush()
        return
    try:
        with appearing(path) as place, place.open("wb") as file:
            file.writelines(pieces)
    except FileNotFoundError:
        raise InputError(f"the output cannot be written: there is no folder {str(path.parent)!r}; make it, or name another") from None
    except OSError as error:
        raise InputError(f"the output cannot be written: {error.strerror}") from None


def packed(data: bytes, ending: str) -> bytes:
    """Data as a file with an ending holds it: "", ".gz" or ".zst".

    Raises:
        MissingExtraError: zstandard is not there.
    """
    if ending == ".gz":
        return gzip.compress(data, mtime=0)
    if ending == ".zst":
        try:
            import zstandard
        except ImportError:
            raise MissingExtraError("tables") from None
        return zstandard.compress(data)
    return data


def console() -> Console:
    """Standard output. What is no terminal, and has no width of its own, is as wide as a page of print: a pipe, a file, a pager."""
    return Console(width=None if sys.stdout.isatty() or os.environ.get("COLUMNS") else PRINTED)


def plain_width(path: Path | None) -> int | None:
    """How wide plain text for an output is; None where it is a terminal, or whatever else has colours or no UTF-8."""
    if path is not None:
        return PRINTED
    here = console()
    return None if here.is_terminal or here.color_system or not here.encoding.startswith("utf") else here.width


def write_shown(path: Path | None, show: Callable[[Console | PlainConsole], None]) -> None:
    """What is shown on a console: on the terminal, or as plain text in a file or a pipe."""
    width = plain_width(path)
    if width is None:
        show(console())
        return
    plain = PlainConsole(width)
    show(plain)
    try:
        write(path, plain.taken())
    except BrokenPipeError:  # whoever reads has seen enough
        console().on_broken_pipe()
