"""`labinterp report`: files of results as one page of HTML, for one person or for many."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from labinterp._commands.options import (
    AgeOption,
    AsOfOption,
    AuthorityOption,
    ColumnOption,
    DecimalOption,
    DelimiterOption,
    EncodingOption,
    FromOption,
    LimitsOption,
    PregnantOption,
    ResearchOption,
    SexOption,
    StrictOption,
    UnitOption,
    authority_of,
    catalog_of,
    pairs,
    stated,
)
from labinterp._commands.output import Incomplete, write
from labinterp._commands.reports import reports_of
from labinterp._formats.unpacked import taken
from labinterp._streams.pieces import given
from labinterp._summary import summary_line
from labinterp.errors import InputError
from labinterp.readers import read_bytes, read_files


def report(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Files of any form that interpret reads; - for standard input.")],
    out: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="The page. Default: standard output.")] = None,
    language: Annotated[str, typer.Option("--language", metavar="CODE", help="Of the page: en, de or fr.")] = "en",
    strict: StrictOption = False,
    research: ResearchOption = False,
    sex: SexOption = None,
    age: AgeOption = None,
    pregnant: PregnantOption = None,
    from_: FromOption = None,
    column: ColumnOption = None,
    unit: UnitOption = None,
    decimal: DecimalOption = None,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = None,
    authority: AuthorityOption = None,
    as_of: AsOfOption = None,
    limits: LimitsOption = None,
) -> None:
    """Write one page of HTML about the results of a file: for one person, or with a list of everybody in front for many.

    \b
    labinterp report labs.csv -o report.html
    labinterp report labs.csv -o report.html --language de
    labinterp report bundle.json -o report.html
    labinterp report labs.csv --sex female --age 71 > report.html
    """
    from labinterp._formats.html_out import write as page
    from labinterp.html import languages

    if language not in languages():
        raise InputError(f"there are no words for the language {language!r}; accepted: {', '.join(languages())}")
    catalog = catalog_of(limits)
    reading: dict[str, Any] = {
        "format": from_, "columns": pairs(column or [], "--column", "value=RESULT"), "delimiter": delimiter, "encoding": encoding,
        "units": pairs(unit or [], "--unit", "ferritin=ug/L"),
    }  # fmt: skip
    source = (
        read_bytes(taken(sys.stdin.buffer, "standard input"), **reading)
        if files[0] == "-"
        else read_files([one.address or one.path or "" for one in given(files)], **reading)
    )
    options: dict[str, Any] = {
        "authority": authority_of(authority, catalog), "as_of": as_of, "catalog": catalog, "decimal": decimal, "research": research,
    }  # fmt: skip
    reports = reports_of(source.panels, partial(stated, sex=sex, age=age, pregnant=pregnant), options)
    write(out, page(source, reports, catalog, language))
    for note in source.notes:
        typer.echo(note, err=True)
    typer.echo(summary_line(reports), err=True)
    if strict and any(one.not_assessed for one in reports):
        raise Incomplete
