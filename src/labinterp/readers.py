"""Files and text in, panels of results out: tables, JSON, FHIR, HL7 v2, OMOP, workbooks, Parquet, SAS transport.

A panel is what was drawn together: one person, one day of sampling. The form is recognised by its content. A row that cannot be
read is never dropped: it comes back with its reason. A fact of a person that cannot be read is unknown, and a note says so.

Example:
    >>> panels = read_rows([{"test": "Ferritin", "value": "12", "unit": "ug/L", "sex": "F", "age": "34"}])
    >>> panels[0].patient.sex, panels[0].results[0].test
    ('female', 'Ferritin')
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from labinterp._documents import answered
from labinterp._facts import read_age, read_date
from labinterp._formats.archives import is_workbook, is_zip, members_of, no_tar, opened_zip
from labinterp._formats.kinds import CSV, FHIR, FORMATS, HL7V2, JSON, LOOK, OMOP, PARQUET, XLSX, XPT, kind_of
from labinterp._formats.own_json import read_json
from labinterp._formats.tables import read_contexts, read_rows
from labinterp._formats.units_given import with_units
from labinterp._formats.unpacked import MOST, taken, unpacked_part
from labinterp._intake import PanelIn, Piece, Source, Wanted, renumbered
from labinterp._report import Report
from labinterp._table import COLUMN_NAMES
from labinterp.errors import InputError

# Where the reader of each form lives: `read(pieces, wanted) -> list[Source]`. Loaded at first use.
_READERS = {
    CSV: "text_tables",
    JSON: "own_json",
    FHIR: "fhir_in",
    HL7V2: "hl7_results",
    OMOP: "omop_in",
    XLSX: "workbooks",
    PARQUET: "parquet_files",
    XPT: "xpt",
}


def read_file(
    path: str | Path,
    *,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    units: Mapping[str, str] | None = None,
    sheet: str | None = None,
) -> Source:
    """Read a file of results; the form is recognised by its content.

    Args:
        path: A file: CSV, TSV, JSON, FHIR, HL7 v2, OMOP, a workbook, Parquet or SAS transport; also packed with gzip or zstd.
        format: One of `FORMATS`, where the content does not tell it.
        columns: Role -> column name where the usual names do not find it.
        delimiter: Default: found.
        encoding: Default: found.
        units: Test or column -> unit, where the file does not say it.
        sheet: Of a workbook. Default: every sheet that is a table of results.

    Returns:
        Source: panels in the order of their first row.

    Raises:
        InputError: The file cannot be read, with what is accepted and one next step.
    """
    return read_files(
        [path], format=format, columns=columns, delimiter=delimiter, encoding=encoding, units=units, sheet=sheet
    )  # fmt: skip


def read_files(paths: Sequence[str | Path], *, format: str | None = None, **how: Any) -> Source:
    """Like `read_file`, for files that belong together: tables of OMOP, a bulk export of FHIR, files of one survey.

    Args:
        paths: Files, of one form or several; the address of a database for OMOP.
        format: As for `read_file`.
        how: As for `read_file`.

    Returns:
        Source: the rows of all files are numbered through, in the order of the files.

    Raises:
        InputError: A file cannot be read.
    """
    return read_pieces([piece for path in paths for piece in _opened(path)], Wanted(**_given(how)), format)


def read_bytes(data: bytes, *, format: str | None = None, name: str = "", **how: Any) -> Source:
    """Like `read_file`, from bytes such as standard input or the body of a request.

    Args:
        data: The content of a file.
        format: As for `read_file`.
        name: For messages and for where each result stood.
        how: As for `read_file`.

    Raises:
        InputError: As for `read_file`.
        TypeError: It is text, whose encoding is the caller's to say.
    """
    if hasattr(data, "encode"):
        raise TypeError("read_bytes takes bytes, and this is text; give text.encode(), or the file itself to read_file")
    return read_pieces(_pieces(data, name), Wanted(**_given(how)), format)


def read_pieces(pieces: Sequence[Piece], wanted: Wanted, format: str | None = None) -> Source:
    """Like `read_files`, from files that have been opened.

    Raises:
        InputError: There is no such form, or a file is not of it.
    """
    if format is not None and format not in FORMATS:
        raise InputError(f"there is no form {format!r}; accepted: {', '.join(FORMATS)}")
    kinds = [format or _kind(piece) for piece in pieces]
    if OMOP in kinds:  # PERSON as Parquet has no column that tells it apart from any other table of people
        kinds = [OMOP if kind == PARQUET else kind for kind in kinds]
    sources: list[Source] = []
    missing = next((kind for kind in kinds if kind not in _READERS), None)
    if missing is not None:
        raise InputError(f"this is {missing}, which this version does not read")
    if wanted.sheet is not None and XLSX not in kinds:
        raise InputError(f"a sheet is of a workbook (.xlsx, .xls, .ods), and this is {' and '.join(dict.fromkeys(kinds))}; leave it out")
    for kind in dict.fromkeys(kinds):  # files of one form are read together: they may complete each other
        reader = import_module(f"labinterp._formats.{_READERS[kind]}").read
        sources += reader([piece for piece, one in zip(pieces, kinds, strict=True) if one == kind], wanted)
    source = renumbered(sources)
    source = source._replace(notes=(*(note for piece in pieces for note in piece.notes), *source.notes))
    return with_units(source, wanted.units) if wanted.units else source


def _kind(piece: Piece) -> str:
    """The form of a file; of one that is not read, what it is and the next step, with its name."""
    try:
        return kind_of(piece.data[:LOOK], str(piece.path or piece.name), piece.data[-LOOK:])
    except InputError as error:
        raise InputError(f"{piece.name}: {error}" if piece.name else str(error)) from None


def answers(source: Source, **options: Any) -> list[Report]:
    """A report for each panel of a source, in order; what its reader noted of the person stands first among its notes.

    Args:
        source: From `read_file` and its like, `fhir.read`, `hl7v2.read` or `omop.read`.
        options: As for `interpret`: authority, as_of, catalog, decimal, research.

    Returns:
        list: one report for each of `source.panels`.

    Raises:
        UnknownAuthorityError: Nobody of that name draws lines in the catalog.
        InputError: An option that cannot be used.

    Example:
        >>> source = read_bytes(b"test,value,unit,sex,age\\nFerritin,12,ug/L,F,34\\n")
        >>> [finding.band for report in answers(source) for finding in report.findings]
        ['deficient']
    """
    return [answered(panel, panel.patient, options) for panel in source.panels]


def _opened(path: str | Path) -> list[Piece]:
    if "://" in str(path):
        return [Piece("", b"", str(path))]
    try:
        with Path(path).open("rb") as file:
            head = file.read(16)
            if head[8:12] == b"DUCK":  # a database is read where it lies
                return [Piece(Path(path).name, head, Path(path))]
            if Path(path).is_file():
                if os.fstat(file.fileno()).st_size > MOST:
                    raise InputError(
                        f"{Path(path).name}: more than {MOST >> 20:,} MB are not read as a whole; read it row by row: --stream"
                    )
                data = head + file.read()
            else:  # a pipe or a device
                data = head + taken(file, Path(path).name)
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}") from None
    return _pieces(data, Path(path).name, Path(path))


def _pieces(data: bytes, name: str, path: Path | None = None) -> list[Piece]:
    """The files in some bytes: one, unpacked, or those of a plain zip archive."""
    content, whole = unpacked_part(data, name)
    no_tar(content, name)
    if is_zip(content) and not is_workbook(opened_zip(content, name)):
        return [_piece(*unpacked_part(inner, called), f"{name}/{called}", None) for called, inner in members_of(content, name)]
    return [_piece(content, whole, name, path)]


def _piece(content: bytes, whole: bool, name: str, path: Path | None) -> Piece:
    if whole:
        return Piece(name, content, path)
    kept = content[: content.rfind(b"\n") + 1] or content  # half a line may hold half a number
    return Piece(
        name, kept, path, (f"{name or 'the file'}: the packed file breaks off; what came before that was read, to its last whole line.",)
    )


def _given(how: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(how) - set(Wanted._fields))
    if unknown:
        raise TypeError(f"there is no option {unknown[0]!r}; accepted: {', '.join(Wanted._fields)}")
    return {name: value for name, value in how.items() if value is not None}


__all__ = [
    "COLUMN_NAMES",
    "FORMATS",
    "PanelIn",
    "Source",
    "answers",
    "read_age",
    "read_bytes",
    "read_contexts",
    "read_date",
    "read_file",
    "read_files",
    "read_json",
    "read_rows",
]
