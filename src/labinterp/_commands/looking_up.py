"""Commands that look something up: `convert`, `analytes`, `limits`, `schema`, and `check` for data files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labinterp._commands.options import DecimalOption, LimitsOption, ToPlain, ToPlainOption, catalog_of
from labinterp._commands.output import console, write_json
from labinterp._convert import convert as convert_quantity
from labinterp._documents import limits_document


def convert(
    analyte: Annotated[str, typer.Argument(metavar="ANALYTE", help="Id, name or LOINC code: the factor depends on it.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help='Value with its unit, such as "20 ng/mL".')],
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="Target unit.")],
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


def analytes(to: ToPlainOption = ToPlain.table, limits: LimitsOption = None) -> None:
    """List the analytes with their units, LOINC codes and limit sets.

    \b
    labinterp analytes --to json
    """
    catalog = catalog_of(limits)
    if to is ToPlain.json:
        write_json(None, [a.to_dict() for a in catalog.analytes.values()])
        return
    from labinterp._render import show_analytes

    show_analytes(console(), catalog)


def limits_command(
    analyte: Annotated[str, typer.Argument(metavar="ANALYTE", help="Id, name or LOINC code.")],
    to: ToPlainOption = ToPlain.table,
    limits: LimitsOption = None,
) -> None:
    """Show who draws which line for an analyte, since when, for whom, and where it is printed.

    \b
    labinterp limits vitamin_d
    """
    catalog = catalog_of(limits)
    id = catalog.analyte_id(analyte)
    if to is ToPlain.json:
        write_json(None, limits_document(catalog, id))
        return
    from labinterp._render import show_limits

    show_limits(console(), catalog, id)


def schema(
    name: Annotated[str, typer.Argument(metavar="NAME", help="report, document, panel, analytes or limits.")] = "report",
) -> None:
    """Print the JSON Schema of what the program prints or takes, for programs in any language.

    \b
    labinterp schema report
    labinterp schema panel > panel.schema.json
    """
    from labinterp._published.schemas import schema_of

    write_json(None, schema_of(name))


def check(
    directory: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder of your own limits, or a whole copy of reference_ranges/.")],
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
