"""`labinterp interpret`: files of results, their draws read together, or any number of rows one by one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console  # noqa: TC002

from labinterp import __version__
from labinterp._commands.options import (
    AgeOption,
    AsOfOption,
    AuthorityOption,
    Columns,
    DecimalOption,
    From,
    LimitsOption,
    PregnantOption,
    ResearchOption,
    SexOption,
    To,
    authority_of,
    catalog_of,
    pairs,
    stated,
)
from labinterp._commands.output import Incomplete, write, write_json, write_shown
from labinterp._documents import answered, document
from labinterp._flagged import flagged, no_clash
from labinterp._formats.forms_out import FORMS, written
from labinterp._streams.pieces import given
from labinterp._streams.ways import way
from labinterp._summary import summary_line
from labinterp.errors import InputError
from labinterp.readers import read_bytes, read_files


def interpret(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="CSV, TSV, JSON or Parquet, also packed; a folder; - for standard input.")
    ],
    from_: Annotated[From | None, typer.Option("--from", help="Form of the input. Default: recognised by its content.")] = None,
    to: Annotated[To | None, typer.Option("--to", help="Form of the output. Default: by the name of the output, else a table.")] = None,
    out: Annotated[
        str | None, typer.Option("-o", "--output", help="A file, or FOLDER/ with a file for each. Default: standard output.")
    ] = None,
    column: Annotated[list[str] | None, typer.Option("--column", help="Role and column, such as value=RESULT. May be repeated.")] = None,
    unit: Annotated[
        list[str] | None, typer.Option("--unit", help="Test or column and its unit, where the file does not say it: ferritin=ug/L.")
    ] = None,
    columns: Annotated[Columns, typer.Option("--columns", help="Row by row: all columns, or person, day, test and results.")] = Columns.all,
    stream: Annotated[bool | None, typer.Option("--stream/--no-stream", help="Row by row. Default: for big, packed or many files.")] = None,
    summary: Annotated[Path | None, typer.Option("--summary", help="Row by row: write the closing summary here, as JSON.")] = None,
    source_column: Annotated[str | None, typer.Option("--source-column", help="Row by row: a column that names the file.")] = None,
    authority: AuthorityOption = None,
    as_of: AsOfOption = None,
    decimal: DecimalOption = None,
    delimiter: Annotated[str | None, typer.Option("--delimiter", help="Default: found in the header line.")] = None,
    encoding: Annotated[str | None, typer.Option("--encoding", help="Default: found.")] = None,
    limits: LimitsOption = None,
    sex: SexOption = None,
    age: AgeOption = None,
    pregnant: PregnantOption = None,
    research: ResearchOption = False,
    strict: Annotated[bool, typer.Option("--strict", help="End with code 2 when a row could not be assessed.")] = False,
) -> None:
    """Interpret files of results, of one or many people: one file with its draws together, or any number of rows one by one.

    \b
    labinterp interpret labs.csv
    labinterp interpret labs.csv --to csv -o flagged.csv
    labinterp interpret export.tsv --column value=RESULT --decimal , --to json
    labinterp interpret big.csv.gz -o flagged.parquet
    """
    sources = given(files)
    how = way(sources, to, out, stream, from_)
    catalog = catalog_of(limits)
    roles, units = pairs(column or [], "--column", "value=RESULT"), pairs(unit or [], "--unit", "ferritin=ug/L")
    options: dict[str, Any] = {"authority": authority_of(authority, catalog), "as_of": as_of, "catalog": catalog, "decimal": decimal}
    if how.streamed:
        if research:
            raise InputError("--research goes with draws that are read together, not with rows one by one")
        from labinterp._streams.streams import streamed

        reading: dict[str, Any] = {"columns": roles, "delimiter": delimiter, "encoding": encoding, "source_column": source_column}
        done, lines = streamed(sources, how, columns.value, reading, {"sex": sex, "age": age, "pregnant": pregnant}, options)
        typer.echo("\n".join(lines), err=True)
        if summary:
            write(summary, json.dumps({"labinterp": __version__, "catalog": catalog.version, **done}, ensure_ascii=False, indent=2) + "\n")
        if strict and done["not_assessed"]:
            raise Incomplete
        return
    if summary or source_column or columns is Columns.results:
        raise InputError("--columns, --summary and --source-column go with rows one by one; add --stream")
    reading = {"columns": roles, "delimiter": delimiter, "encoding": encoding, "units": units}
    source = (
        read_bytes(sys.stdin.buffer.read(), format=from_, **reading)
        if files[0] == "-"
        else read_files([one.address or one.path or "" for one in sources], format=from_, **reading)
    )
    if how.form == "csv":
        no_clash(source)
    options["research"] = research
    reports = [answered(panel, stated(panel.patient, sex, age, pregnant), options) for panel in source.panels]
    if how.form == "json":
        write_json(how.out, document(catalog, reports))
    elif how.form == "csv":
        write(how.out, flagged(source, reports))
    elif how.form in FORMS:
        write(how.out, written(how.form, source, reports, catalog))
    else:
        from labinterp._render import show_report

        def show(console: Console) -> None:
            for report in reports:
                show_report(console, report, catalog)

        write_shown(how.out, show)
    for note in source.notes:
        typer.echo(note, err=True)
    typer.echo(summary_line(reports), err=True)
    if strict and any(report.not_assessed for report in reports):
        raise Incomplete
