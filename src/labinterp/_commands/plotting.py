"""`labinterp plot`: a picture of a file of results."""

from __future__ import annotations

import sys
from enum import StrEnum
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
    LimitsOption,
    PregnantOption,
    ResearchOption,
    SexOption,
    authority_of,
    catalog_of,
    pairs,
    stated,
)
from labinterp._formats.unpacked import taken
from labinterp._interpret import interpret as interpret_panel
from labinterp._report import Report
from labinterp._results import Finding, NotAssessed
from labinterp.errors import InputError
from labinterp.readers import PanelIn, read_bytes, read_date, read_file


class Kind(StrEnum):
    """Which picture."""

    panel = "panel"
    value = "value"
    trend = "trend"
    story = "story"


def plot(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file of any form that interpret reads; - for standard input.")],
    out: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The picture: a name that ends in .svg or .png.")],
    kind: Annotated[
        Kind | None,
        typer.Option("--kind", metavar="KIND", help="panel, value, trend or story. Default: value where an analyte is named, else panel."),
    ] = None,
    analyte: Annotated[str | None, typer.Option("--analyte", metavar="NAME", help="Id, name or LOINC code; for value and trend.")] = None,
    unit: Annotated[str | None, typer.Option("--unit", metavar="UNIT", help="Unit to show; for value and trend.")] = None,
    patient: Annotated[str | None, typer.Option("--patient", metavar="ID", help="Whose draw, where the file has several people.")] = None,
    day: Annotated[str | None, typer.Option("--day", metavar="YYYY-MM-DD", help="Which draw, where a person has several.")] = None,
    dpi: Annotated[int, typer.Option("--dpi", metavar="N", help="Dots an inch, for .png.")] = 150,
    research: ResearchOption = False,
    sex: SexOption = None,
    age: AgeOption = None,
    pregnant: PregnantOption = None,
    column: ColumnOption = None,
    decimal: DecimalOption = None,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = None,
    authority: AuthorityOption = None,
    as_of: AsOfOption = None,
    limits: LimitsOption = None,
) -> None:
    """Draw a file of results: a panel, one value beside everybody's lines, a trend, or the way to muscle effects.

    \b
    labinterp plot labs.csv -o panel.svg
    labinterp plot labs.csv -o ferritin.png --analyte ferritin
    labinterp plot labs.csv -o trend.svg --kind trend --analyte ferritin
    """
    from labinterp import plots

    kind = kind or (Kind.value if analyte else Kind.panel)
    if kind in (Kind.value, Kind.trend) and analyte is None:
        raise InputError(f"a picture of kind {kind.value} is of one analyte; name it, for example --analyte ferritin")
    if out.suffix.casefold() not in (".svg", ".png"):
        raise InputError("a picture is written as .svg or .png; name the output so")
    catalog = catalog_of(limits)
    options: dict[str, Any] = {"authority": authority_of(authority, catalog), "as_of": as_of, "decimal": decimal, "catalog": catalog}
    roles = pairs(column or [], "--column", "value=RESULT")
    reading: dict[str, Any] = {"columns": roles, "delimiter": delimiter, "encoding": encoding}
    source = read_bytes(taken(sys.stdin.buffer, "standard input"), **reading) if file == "-" else read_file(file, **reading)
    panels = [one._replace(patient=stated(one.patient, sex, age, pregnant)) for one in source.panels]
    panels = _of_patient(panels, patient)
    if kind is Kind.trend:
        figure = plots.trend(panels, analyte or "", unit=unit, **options)
    else:
        report = _report(_one(panels, day), {**options, "research": research})
        if kind is Kind.value:
            figure = plots.value(_answer(report, catalog.analyte_id(analyte or "")), unit=unit, patient=report.patient, catalog=catalog)
        else:
            figure = plots.panel(report) if kind is Kind.panel else plots.story(report, catalog=catalog)
    plots.save(figure, out, dpi=dpi)
    typer.echo(f"{kind.value} picture written to {out.name}", err=True)


def _of_patient(panels: list[PanelIn], patient: str | None) -> list[PanelIn]:
    """The draws of one person."""
    if patient is not None:
        panels = [one for one in panels if one.patient.id == patient]
        if not panels:
            raise InputError("the file has no patient of that name")
    people = len({one.patient.id for one in panels})
    if people > 1:
        raise InputError(f"the file has the results of {people} people; a picture is of one. Name one with --patient")
    return panels


def _one(panels: list[PanelIn], day: str | None) -> PanelIn:
    """The draw to show."""
    if day is not None:
        wanted = read_date(day)
        panels = [one for one in panels if any(result.collected_at == wanted for result in one.results)]
    if not panels:
        raise InputError("the file has no results" if day is None else "the file has no results of that day")
    if len(panels) > 1:
        raise InputError(f"the file has {len(panels)} draws of this person; name one with --day, or ask for --kind trend")
    return panels[0]


def _report(panel: PanelIn, options: dict[str, Any]) -> Report:
    report = interpret_panel(panel.results, panel.patient, rows=panel.rows, **options)
    return report._replace(notes=(*panel.notes, *report.notes)) if panel.notes else report


def _answer(report: Report, analyte: str) -> Finding | NotAssessed:
    """The result of an analyte; a refusal only where there is no finding."""
    answers: list[Finding | NotAssessed] = [*report.findings, *report.derived, *report.not_assessed]
    found = next((answer for answer in answers if answer.analyte == analyte), None)
    if found is None:
        raise InputError(f"the results have no {analyte}")
    return found
