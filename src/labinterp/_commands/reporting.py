"""`labinterp report`: files of results as one page of HTML, for one person or for many."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from labinterp._commands.options import (
    AgeOption,
    AsOfOption,
    AuthorityOption,
    DecimalOption,
    LimitsOption,
    PregnantOption,
    ResearchOption,
    SexOption,
    authority_of,
    catalog_of,
    pairs,
    stated,
)
from labinterp._commands.output import Incomplete, write
from labinterp._formats.unpacked import taken
from labinterp._interpret import interpret as interpret_panel
from labinterp._report import Report
from labinterp._summary import summary_line
from labinterp.errors import InputError
from labinterp.readers import PanelIn, read_bytes, read_file


def report(
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV, TSV or JSON; - for standard input.")],
    out: Annotated[Path | None, typer.Option("-o", "--output", help="The page. Default: standard output.")] = None,
    language: Annotated[str, typer.Option("--language", help="Of the page: en, de or fr.")] = "en",
    column: Annotated[list[str] | None, typer.Option("--column", help="Role and column, such as value=RESULT. May be repeated.")] = None,
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
    """Write one page of HTML about the results of a file: for one person, or with a list of everybody in front for many.

    \b
    labinterp report labs.csv -o report.html
    labinterp report labs.csv -o report.html --language de
    labinterp report labs.csv --sex female --age 71 > report.html
    """
    from labinterp.html import languages, page

    if language not in languages():
        raise InputError(f"there are no words for the language {language!r}; accepted: {', '.join(languages())}")
    catalog = catalog_of(limits)
    reading: dict[str, Any] = {"columns": pairs(column or [], "--column", "value=RESULT"), "delimiter": delimiter, "encoding": encoding}
    source = read_bytes(taken(sys.stdin.buffer, "standard input"), **reading) if file == "-" else read_file(file, **reading)
    if not source.panels:
        raise InputError("the file holds no results; a page needs at least one row under the header")
    options: dict[str, Any] = {
        "authority": authority_of(authority, catalog), "as_of": as_of, "catalog": catalog, "decimal": decimal, "research": research,
    }  # fmt: skip
    reports = [_report(panel, sex, age, pregnant, options) for panel in source.panels]
    days = [next((one.collected_at for one in panel.results if one.collected_at is not None), None) for panel in source.panels]
    write(out, page(reports, catalog, language=language, days=days))
    typer.echo(summary_line(reports), err=True)
    if strict and any(one.not_assessed for one in reports):
        raise Incomplete


def _report(panel: PanelIn, sex: str | None, age: str | None, pregnant: bool | None, options: dict[str, Any]) -> Report:
    report = interpret_panel(panel.results, stated(panel.patient, sex, age, pregnant), rows=panel.rows, **options)
    return report._replace(notes=(*panel.notes, *report.notes)) if panel.notes else report
