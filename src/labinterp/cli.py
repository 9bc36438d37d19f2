"""The command line: interpret, explain, convert, analytes, limits, check."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from labinterp import __version__
from labinterp._catalog import Catalog
from labinterp._convert import convert as convert_quantity
from labinterp._flagged import flagged, no_clash
from labinterp._inputs import LabResult, Patient, read_sex
from labinterp._interpret import interpret as interpret_panel
from labinterp._report import Report
from labinterp._streams.pieces import given
from labinterp._streams.ways import way
from labinterp._streams.written import appearing
from labinterp._summary import counts, summary_line
from labinterp.errors import InputError, LabInterpError
from labinterp.readers import PanelIn, read_age, read_bytes, read_file

_app = typer.Typer(
    name="labinterp",
    help="Check blood results against cited, dated limits. Not a diagnosis; no clinician has reviewed the catalog.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class _Incomplete(Exception):
    """Some rows could not be assessed, and --strict asks to be told."""


class To(StrEnum):
    table = "table"
    json = "json"
    csv = "csv"
    parquet = "parquet"


class Columns(StrEnum):
    all = "all"
    results = "results"


class ToPlain(StrEnum):
    table = "table"
    json = "json"


LimitsOption = Annotated[
    Path | None, typer.Option("--limits", help="Your own limits: a TOML file or a folder of them, added to the catalog.")
]
AuthorityOption = Annotated[
    list[str] | None,
    typer.Option(
        "--authority", help="Whose limits: nam, vitamin_d/ros-2018, or for one analyte vitamin_d=endocrine-society. May be repeated."
    ),
]
AsOfOption = Annotated[str | None, typer.Option("--as-of", help="Day whose limits are used, YYYY-MM-DD. Default: the catalog's own day.")]
DecimalOption = Annotated[str | None, typer.Option("--decimal", help="Decimal mark of the source, . or , where 1,060 reads two ways.")]
SexOption = Annotated[str | None, typer.Option("--sex", help="female or male, where the file does not say it.")]
AgeOption = Annotated[str | None, typer.Option("--age", help="Age at sampling: 34, '6 months', where the file does not say it.")]
PregnantOption = Annotated[bool | None, typer.Option("--pregnant/--not-pregnant", help="Where the file does not say it.")]


def _version(value: bool) -> None:
    if value:
        typer.echo(f"labinterp {__version__}, catalog {Catalog.default().version}")
        raise typer.Exit


@_app.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the versions and stop.")] = False,
) -> None:
    pass


@_app.command()
def interpret(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="CSV, TSV, JSON or Parquet, also packed; a folder; - for standard input.")
    ],
    to: Annotated[To | None, typer.Option("--to", help="Form of the output. Default: by the name of the output, else a table.")] = None,
    out: Annotated[
        str | None, typer.Option("-o", "--output", help="A file, or FOLDER/ with a file for each. Default: standard output.")
    ] = None,
    column: Annotated[list[str] | None, typer.Option("--column", help="Role and column, such as value=RESULT. May be repeated.")] = None,
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
    how = way(sources, to, out, stream)
    catalog = _catalog(limits)
    roles = _pairs(column or [], "--column", "value=RESULT")
    options: dict[str, Any] = {"authority": _authority(authority, catalog), "as_of": as_of, "catalog": catalog, "decimal": decimal}
    if how.streamed:
        from labinterp._streams.streams import streamed

        reading = {"columns": roles, "delimiter": delimiter, "encoding": encoding, "source_column": source_column}
        done, lines = streamed(sources, how, columns.value, reading, {"sex": sex, "age": age, "pregnant": pregnant}, options)
        typer.echo("\n".join(lines), err=True)
        if summary:
            _write(summary, json.dumps({"labinterp": __version__, "catalog": catalog.version, **done}, ensure_ascii=False, indent=2) + "\n")
        if strict and done["not_assessed"]:
            raise _Incomplete
        return
    if summary or source_column or columns is Columns.results:
        raise InputError("--columns, --summary and --source-column go with rows one by one; add --stream")
    source = (
        read_bytes(sys.stdin.buffer.read(), columns=roles, delimiter=delimiter, encoding=encoding)
        if files[0] == "-"
        else read_file(sources[0].path or "", columns=roles, delimiter=delimiter, encoding=encoding)
    )
    if how.form == "csv":
        no_clash(source)
    reports = [_report(panel, _stated(panel.patient, sex, age, pregnant), options) for panel in source.panels]
    if how.form == "json":
        _write(how.out, json.dumps(_document(catalog, reports), ensure_ascii=False, indent=2) + "\n")
    elif how.form == "csv":
        _write(how.out, flagged(source, reports))
    else:
        from labinterp._render import show_report

        def show(console: Console) -> None:
            for report in reports:
                show_report(console, report, catalog)

        _console_write(how.out, show)
    typer.echo(summary_line(reports), err=True)
    if strict and any(report.not_assessed for report in reports):
        raise _Incomplete


@_app.command()
def explain(
    analyte: Annotated[str, typer.Argument(help="Id, name or LOINC code.")],
    value: Annotated[str, typer.Argument(help='Value with its unit, such as "18 ng/mL".')],
    sex: SexOption = None,
    age: AgeOption = None,
    pregnant: PregnantOption = None,
    context: Annotated[
        list[str] | None, typer.Option("--context", help="Declared circumstance, such as inflammation. May be repeated.")
    ] = None,
    authority: AuthorityOption = None,
    as_of: AsOfOption = None,
    decimal: DecimalOption = None,
    limits: LimitsOption = None,
    to: Annotated[ToPlain, typer.Option("--to", help="Form of the output.")] = ToPlain.table,
) -> None:
    """Show how one answer comes about: what was read, every limit considered, the source and the page.

    \b
    labinterp explain vitamin_d "18 ng/mL" --sex female --age 71
    labinterp explain ferritin "40 ug/L" --sex male --age 50 --context inflammation
    """
    patient = Patient(sex=read_sex(sex), age_years=None if age is None else read_age(age), pregnant=pregnant, contexts=context or ())
    catalog = _catalog(limits)
    name = catalog.analyte_id(analyte)
    options: dict[str, Any] = {"authority": _authority(authority, catalog), "as_of": as_of, "catalog": catalog, "decimal": decimal}
    report = interpret_panel([LabResult(catalog.table["analytes"][name]["name"], value)], patient, **options)
    if to is ToPlain.json:
        traces = [finding.trace() for finding in report.findings]
        _write(None, json.dumps({**_document(catalog, [report]), "trace": traces}, ensure_ascii=False, indent=2) + "\n")
        return
    from labinterp._render import show_candidates, show_report, show_trace

    console = Console()
    for finding in report.findings:
        show_trace(console, finding)
        console.print()
    if report.not_assessed:
        show_candidates(console, catalog, name)
    show_report(console, report, catalog)


@_app.command()
def convert(
    analyte: Annotated[str, typer.Argument(help="Id, name or LOINC code: the factor depends on it.")],
    value: Annotated[str, typer.Argument(help='Value with its unit, such as "20 ng/mL".')],
    unit: Annotated[str, typer.Argument(help="Target unit.")],
    decimal: DecimalOption = None,
) -> None:
    """Convert one value to another unit of its analyte.

    \b
    labinterp convert vitamin_d "20 ng/mL" nmol/L
    """
    quantity = convert_quantity(value, unit, analyte=analyte, decimal=decimal)
    mark = "" if quantity.comparator == "~" else quantity.comparator
    high = "" if quantity.high is None else f"~{float(quantity.high):.6g}"
    typer.echo(f"{mark}{float(quantity.value):.6g}{high} {quantity.unit}")


@_app.command()
def analytes(to: Annotated[ToPlain, typer.Option("--to", help="Form of the output.")] = ToPlain.table, limits: LimitsOption = None) -> None:
    """List the analytes with their units, LOINC codes and limit sets.

    \b
    labinterp analytes --to json
    """
    catalog = _catalog(limits)
    if to is ToPlain.json:
        _write(None, json.dumps([a.to_dict() for a in catalog.analytes.values()], ensure_ascii=False, indent=2) + "\n")
        return
    from labinterp._render import show_analytes

    show_analytes(Console(), catalog)


@_app.command("limits")
def limits_command(
    analyte: Annotated[str, typer.Argument(help="Id, name or LOINC code.")],
    to: Annotated[ToPlain, typer.Option("--to", help="Form of the output.")] = ToPlain.table,
    limits: LimitsOption = None,
) -> None:
    """Show who draws which line for an analyte, since when, for whom, and where it is printed.

    \b
    labinterp limits vitamin_d
    """
    catalog = _catalog(limits)
    id = catalog.analyte_id(analyte)
    if to is ToPlain.json:
        _write(None, json.dumps(_limits_document(catalog, id), ensure_ascii=False, indent=2) + "\n")
        return
    from labinterp._render import show_limits

    show_limits(Console(), catalog, id)


@_app.command()
def check(
    directory: Annotated[Path, typer.Argument(help="A folder of your own limits, or a whole copy of reference_ranges/.")],
) -> None:
    """Check data files: every problem at once, each with file, place and next step.

    \b
    labinterp check our_limits/
    """
    from labinterp._catalog import data_root
    from labinterp._checks import check_directory

    whole = (directory / "analytes").is_dir() or (directory / "VERSION").is_file()
    problems = check_directory(directory, None if whole else data_root())
    for problem in problems:
        typer.echo(str(problem))
    typer.echo(f"{len(problems)} problem{'' if len(problems) == 1 else 's'} in {directory.name}", err=True)
    if problems:
        raise typer.Exit(1)


# --- pieces -------------------------------------------------------------------------------------------------


def _catalog(limits: Path | None) -> Catalog:
    return Catalog.default() if limits is None else Catalog.default().with_files(limits)


def _pairs(texts: list[str], option: str, example: str) -> dict[str, str]:
    pairs = {}
    for text in texts:
        left, mark, right = text.partition("=")
        if not mark or not left or not right:
            raise InputError(f"{option} takes NAME=NAME, such as {example}")
        pairs[left.strip()] = right.strip()
    return pairs


def _authority(texts: list[str] | None, catalog: Catalog) -> str | dict[str, str] | None:
    if not texts:
        return None
    if len(texts) == 1 and "=" not in texts[0]:
        return texts[0]
    named = _pairs(texts, "--authority", "vitamin_d=endocrine-society")
    return {catalog.analyte_id(name): who for name, who in named.items()}


def _stated(patient: Patient, sex: str | None, age: str | None, pregnant: bool | None) -> Patient:
    """Facts given on the command line, where the file does not say them."""
    if sex is None and age is None and pregnant is None:
        return patient
    years = patient.age_years if patient.age is not None or age is None else read_age(age)
    return Patient(
        id=patient.id, sex=patient.sex or read_sex(sex), age_years=years, birth_date=patient.birth_date if years is None else None,
        pregnant=patient.pregnant if patient.pregnant is not None else pregnant, contexts=patient.contexts,
    )  # fmt: skip


def _report(panel: PanelIn, patient: Patient, options: dict[str, Any]) -> Report:
    report = interpret_panel(panel.results, patient, rows=panel.rows, **options)
    return report._replace(notes=(*panel.notes, *report.notes)) if panel.notes else report


def _document(catalog: Catalog, reports: list[Report]) -> dict[str, Any]:
    return {"labinterp": __version__, "catalog": catalog.version, "reports": [r.to_dict() for r in reports], "summary": counts(reports)}


def _limits_document(catalog: Catalog, id: str) -> list[dict[str, Any]]:
    rows = []
    for row in catalog.authorities(id):
        data = catalog.table["limits"].get(row["id"], {})
        rows.append(
            {**row, **{k: data[k] for k in ("aspect", "unit", "also_in", "printed", "judgement", "caveat", "populations") if k in data}}
        )
    return rows


def _write(path: Path | None, text: str) -> None:
    """To standard output, to a pipe or device as it is, or to a file that appears whole or not at all."""
    if path is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))  # whatever the terminal can show: files and pipes get UTF-8
        sys.stdout.buffer.flush()
        return
    try:
        with appearing(path) as place:
            place.write_bytes(text.encode("utf-8", "replace"))
    except OSError as error:
        raise InputError(f"the output cannot be written: {error.strerror}") from None


def _console_write(path: Path | None, show: Callable[[Console], None]) -> None:
    if path is None:
        show(Console())
        return
    console = Console(file=io.StringIO(), record=True, width=120)
    show(console)
    _write(path, console.export_text())


def app() -> NoReturn:
    """Run the command line; exit codes: 0 done, 1 usage or file error, 2 some rows not assessed (--strict)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        _app()
    except SystemExit as stop:  # 2 is the parser's word for a usage error
        sys.exit(1 if stop.code == 2 else stop.code)
    except _Incomplete:
        sys.exit(2)
    except LabInterpError as error:
        typer.echo(f"labinterp: {error}", err=True)
        sys.exit(1)
    except OSError as error:  # a full disk, a closed pipe
        typer.echo(f"labinterp: the output cannot be written: {error.strerror}", err=True)
        sys.exit(1)
    sys.exit(0)
