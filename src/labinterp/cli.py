"""The command line: interpret, report, explain, effects, plot, convert, analytes, limits, schema, check, serve."""

from __future__ import annotations

import io
import sys
from contextlib import nullcontext
from typing import Annotated, NoReturn

import typer

from labinterp import __version__
from labinterp._catalog import Catalog
from labinterp._commands.explaining import effects, explain
from labinterp._commands.looking_up import analytes, check, convert, limits_command, schema
from labinterp._commands.output import Incomplete
from labinterp._commands.plotting import plot
from labinterp._commands.quiet import without_panics
from labinterp._commands.reading import interpret
from labinterp._commands.reporting import report
from labinterp._commands.serving import serve
from labinterp.errors import LabInterpError

_app = typer.Typer(
    name="labinterp",
    help="Check blood results against cited, dated limits. Not a diagnosis; no clinician has reviewed the catalog.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"labinterp {__version__}, catalog {Catalog.default().version}")
        raise typer.Exit


@_app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", metavar="", callback=_version, is_eager=True, help="Show the versions and stop.")
    ] = False,
) -> None:
    pass


for command in (interpret, report, explain, effects, plot, convert, analytes):
    _app.command()(command)
_app.command("limits")(limits_command)
_app.command()(schema)
_app.command()(check)
_app.command()(serve)


def app() -> NoReturn:
    """Run the command line; exit codes: 0 done, 1 usage or file error, 2 some rows not assessed (--strict)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        with nullcontext() if sys.argv[1:2] == ["serve"] else without_panics():  # a service runs on: what is written there is its log
            _app()
    except SystemExit as stop:  # 2 is the parser's word for a usage error
        sys.exit(1 if stop.code == 2 else stop.code)
    except Incomplete:
        sys.exit(2)
    except LabInterpError as error:
        typer.echo(f"labinterp: {error}", err=True)
        sys.exit(1)
    except OSError as error:  # a full disk, a closed pipe
        typer.echo(f"labinterp: the output cannot be written: {error.strerror}", err=True)
        sys.exit(1)
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # how polars ends on a damaged Parquet file; it is no Exception
            raise
        typer.echo("labinterp: a file is damaged and cannot be read; get it again", err=True)
        sys.exit(1)
    sys.exit(0)
