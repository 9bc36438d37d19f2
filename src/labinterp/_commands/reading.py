"""`labinterp interpret`: files of results, their draws read together, or any number of rows one by one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console  # noqa: TC002

from labinterp import __version__
from labinterp._commands.options import (
    READING,
    ROWS,
    AgeOption,
    AsOfOption,
    AuthorityOption,
    ColumnOption,
    Columns,
    DecimalOption,
    DelimiterOption,
    EncodingOption,
    From,
    FromOption,
    LimitsOption,
    PregnantOption,
    ResearchOption,
    SexOption,
    StrictOption,
    To,
    UnitOption,
    authority_of,
    catalog_of,
    pairs,
    stated,
)
from labinterp._commands.output import Incomplete, document_text, packed, plain_width, write, write_json, write_pieces, write_shown
from labinterp._commands.piecewise import Told, answers, by_pieces, in_lines
from labinterp._commands.reports import Stated, reports_of, texts_of, worth_it
from labinterp._documents import document
from labinterp._flagged import flagged, no_clash
from labinterp._formats.forms_out import FORMS, written
from labinterp._formats.parquet_files import parquet_names
from labinterp._formats.unpacked import taken
from labinterp._intake import Source, Wanted
from labinterp._render_plain import PlainConsole
from labinterp._streams.pieces import PARQUET, Given, given
from labinterp._streams.ways import Way, beginning, way
from labinterp._summary import counts, told
from labinterp.errors import InputError
from labinterp.readers import read_bytes, read_files

_MORE = "Where each line and sentence is printed: add --sources."
_BEGINNING = 1 << 20  # bytes of a file in which its header is looked for


def interpret(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="CSV, TSV, Excel, JSON, Parquet, ..., also packed; a folder; - for standard input."),
    ],
    to: Annotated[
        To | None, typer.Option("--to", metavar="FORM", help=f"{', '.join(To)}. Default: by the name of the output, else table.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="A file, or FOLDER/ with a file for each. Default: standard output."),
    ] = None,
    sources: Annotated[
        bool, typer.Option("--sources", metavar="", help="The table with numbers behind its sentences, and each source below.")
    ] = False,
    strict: StrictOption = False,
    research: ResearchOption = False,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", min=1, help="Processes or threads that work at once. Default: row by row all cores, else one."),
    ] = None,
    sex: SexOption = None,
    age: AgeOption = None,
    pregnant: PregnantOption = None,
    from_: FromOption = None,
    column: ColumnOption = None,
    unit: UnitOption = None,
    decimal: DecimalOption = None,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = None,
    sheet: Annotated[
        str | None,
        typer.Option(
            "--sheet", metavar="NAME", rich_help_panel=READING, help="Of a workbook. Default: every sheet that is a table of results."
        ),
    ] = None,
    authority: AuthorityOption = None,
    as_of: AsOfOption = None,
    limits: LimitsOption = None,
    columns: Annotated[
        Columns, typer.Option("--columns", rich_help_panel=ROWS, help="All columns, or person, day, test and results.")
    ] = Columns.all,
    stream: Annotated[
        bool | None,
        typer.Option(
            "--stream/--no-stream",
            metavar="",
            rich_help_panel=ROWS,
            help="Row by row, or as a whole. Default: row by row for Parquet, and for big, packed or many tables that become CSV.",
        ),
    ] = None,
    summary: Annotated[
        Path | None, typer.Option("--summary", metavar="FILE", rich_help_panel=ROWS, help="Write the closing summary here, as JSON.")
    ] = None,
    source_column: Annotated[
        str | None, typer.Option("--source-column", metavar="NAME", rich_help_panel=ROWS, help="A column that names the file.")
    ] = None,
) -> None:
    """Interpret files of results, of one or many people: one file with its draws together, or any number of rows one by one.

    \b
    labinterp interpret labs.csv
    labinterp interpret labs.csv --to csv -o flagged.csv
    labinterp interpret export.tsv --column value=RESULT --decimal , --to json
    labinterp interpret big.csv.gz -o flagged.parquet
    """
    if jobs is not None:
        os.environ["POLARS_MAX_THREADS"] = str(jobs)  # is read when polars is first imported
    inputs = given(files)
    how = way(inputs, to, out, stream, from_)
    catalog = catalog_of(limits)
    roles, units = pairs(column or [], "--column", "value=RESULT"), pairs(unit or [], "--unit", "ferritin=ug/L")
    options: dict[str, Any] = {"authority": authority_of(authority, catalog), "as_of": as_of, "catalog": catalog, "decimal": decimal}
    wanted = Wanted(roles, delimiter, encoding, units, sheet)
    if how.streamed:
        wide = _wide(inputs, wanted)
        if (wide or _together(from_, wanted)) and stream is None and not how.folder and not source_column:
            how = how._replace(streamed=False)
        elif wide:
            raise InputError(
                "a table with a column for each analyte is read as a whole: leave --stream and --source-column out, and give -o a file"
            )
    if how.streamed:
        if research:
            raise InputError("--research goes with draws that are read together, not with rows one by one")
        if _together(from_, wanted):
            raise InputError("--unit, --sheet and --from go with files that are read together; leave --stream and folders out")
        from labinterp._streams.streams import streamed

        reading: dict[str, Any] = {"columns": roles, "delimiter": delimiter, "encoding": encoding, "source_column": source_column}
        done, lines = streamed(inputs, how, columns.value, reading, {"sex": sex, "age": age, "pregnant": pregnant}, options)
        typer.echo("\n".join(lines), err=True)
        if summary:
            write(summary, json.dumps({"labinterp": __version__, "catalog": catalog.version, **done}, ensure_ascii=False, indent=2) + "\n")
        if strict and done["not_assessed"]:
            raise Incomplete
        return
    if summary or source_column or columns is Columns.results:
        if _together(from_, wanted):
            raise InputError(
                "--columns, --summary and --source-column go with rows one by one, --unit, --sheet and --from do not; leave one of them out"
            )
        raise InputError("--columns, --summary and --source-column go with rows one by one; add --stream")
    options["research"] = research
    told_of = partial(stated, sex=sex, age=age, pregnant=pregnant)
    pieces = None if jobs else by_pieces(inputs, how, wanted, from_)
    if pieces is not None:
        _end(*_piecewise(pieces, how, told_of, options), strict)
        return
    reading = wanted._asdict()
    source = (
        read_bytes(taken(sys.stdin.buffer, "standard input"), format=from_, **reading)
        if files[0] == "-"
        else read_files([one.address or one.path or "" for one in inputs], format=from_, **reading)
    )
    if how.form == "csv":
        no_clash(source)
    width = plain_width(how.out) if how.form == "table" and not sources else 0
    if jobs and width is not None and not sources and worth_it(source.panels, how.form, jobs):
        texts, counted = texts_of(source.panels, told_of, options, how.form, jobs, width)
        if how.form == "table":
            write_shown(how.out, partial(_show_texts, texts))
        else:
            write(how.out, document_text(catalog, texts, counted) if how.form == "json" else "".join(f"{text}\n" for text in texts))
        _end(source.notes, counted, strict)
        return
    if in_lines(how):
        _end(*_piecewise(iter([source]), how, told_of, options), strict)
        return
    reports = reports_of(source.panels, told_of, options)
    if how.form == "json":
        write_json(how.out, document(catalog, reports))
    elif how.form == "csv":
        write(how.out, packed(flagged(source, reports).encode("utf-8", "replace"), how.packed))
    elif how.form in FORMS:
        write(how.out, written(how.form, source, reports, catalog))
    else:
        from labinterp._render import show_report
        from labinterp._render_sources import Sources

        def show(console: Console | PlainConsole) -> None:
            gathered = Sources() if sources else None
            for report in reports:
                show_report(console, report, catalog, gathered)
            if gathered:
                gathered.show(console)
            elif reports:
                console.print(_MORE)

        write_shown(how.out, show)
    _end(source.notes, counts(reports), strict)


def _piecewise(pieces: Iterator[Source], how: Way, told_of: Stated, options: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Write an output while its sources are read.

    Returns:
        tuple: the notes of the sources, and what came of all rows.
    """
    said = Told([], [])
    write_pieces(how.out, answers(pieces, how, told_of, options, options["catalog"], said))
    return said.notes, said.summary()


def _show_texts(texts: Sequence[str], console: Console | PlainConsole) -> None:
    """Print what is plain text already."""
    for text in texts:
        console.write(text) if isinstance(console, PlainConsole) else console.out(text, end="", highlight=False)
    console.print(_MORE)


def _end(notes: Sequence[str], counted: dict[str, Any], strict: bool) -> None:
    """What there is to say of the files and of the answers, on standard error.

    Raises:
        Incomplete: A row was not assessed, and that is an error.
    """
    for note in notes:
        typer.echo(note, err=True)
    typer.echo(told(counted), err=True)
    if strict and counted["not_assessed"]:
        raise Incomplete


def _together(from_: str | None, wanted: Wanted) -> bool:
    """Whether something was asked for that rows one by one do not have."""
    return bool(wanted.units) or wanted.sheet is not None or from_ not in (None, From.csv, From.parquet)


def _wide(sources: list[Given], wanted: Wanted) -> bool:
    """Whether one of some files is a table with a column for each analyte: it has no result a row."""
    from labinterp._formats.grids import is_wide, wide_by_its_beginning

    for one in sources:
        if one.path is None or one.size is None:
            continue
        if one.kind == PARQUET:
            names = parquet_names(one.path)
            if names and is_wide([names], wanted):
                return True
        elif wide_by_its_beginning(beginning(one, _BEGINNING), wanted):
            return True
    return False
