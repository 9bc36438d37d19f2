"""The shape of the code, held as data: who may import whom, what stays pure, and what an import loads."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labinterp import Catalog

SOURCE = Path(__file__).resolve().parents[1] / "src" / "labinterp"
MODULES = {
    ".".join(
        (path.parent if path.name == "__init__.py" and path.parent != SOURCE else path.with_suffix("")).relative_to(SOURCE).parts
    ): path
    for path in sorted(SOURCE.rglob("*.py"))
}
PARTS = {
    "_frames",
    "_draw_frames",
    "_formats",
    "_streams",
    "_commands",
}  # folders of modules; their own __init__ holds a docstring and nothing else

# Lowest first. A module imports only from layers below its own.
LAYERS = [
    {
        "errors",
        "_codes",
        "_lazy",
        "_digest",
        "_schema_parts",
        "_frames.texts",
        "_streams.progress",
        "_streams.quoting",
    },
    {"_schema_analyte", "_schema_links"},
    {
        "_quantity",
        "_inputs",
        "_names",
        "_derived",
        "_files",
        "_streams.pieces",
        "_streams.plain",
        "_streams.watch",
        "_frames.carried",
        "_frames.recognised",
        "_streams.tally",
        "_formats.kinds",
        "_formats.unpacked",
        "_formats.archives",
        "_delimited",
    },
    {"_formats.cell_texts", "_units", "_rules", "_table", "_facts", "_frames.numbers", "_plain", "_draws", "_streams.ways"},
    {
        "_intake",
        "_reported",
        "_worlds",
        "_identify",
        "_frames.screen",
        "_compile",
        "_border",
        "_streams.blocks",
        "_streams.heads",
        "_streams.written",
    },
    {"_trace", "_origins", "_check_derive", "_check_limits", "_check_links", "_streams.scans"},
    {"_results", "_checks"},
    {"_report"},
    {"_json"},
    {"_catalog", "_measure"},
    {"_spans", "_convert", "_frames.classes"},
    {"_book", "_laboratory", "_frames.ages"},
    {"_assess"},
    {"_patterns", "_lanes", "_frames.stretches", "_streams.stated"},
    {"_computed", "_explain", "_gate_words", "_frames.words", "_draw_frames.persons", "_draw_frames.sights"},
    {"_frames.cases", "_draw_frames.row_panels", "_draw_frames.panel_engine"},
    {"_together", "_story", "_frames.columns", "_frames.ranges"},
    {"_interpret", "_summary", "_draw_frames.statements", "_frames.rows"},
    {
        "_frames.asked",
        "testing",
        "_render",
        "_render_story",
        "_formats.tables",
        "_formats.forms_out",
        "_formats.headers",
        "_formats.answer_rows",
        "_formats.workbook_parts",
        "_formats.apart",
        "_formats.sheets",
        "_formats.json_lines_out",
    },
    {"_formats.wide_tables", "_formats.units_given", "_formats.parquet_out", "_formats.workbook_out"},
    {"_frames.local", "_frames.row_keys", "_streams.streams", "_flagged", "_formats.own_json", "_formats.grids"},
    {"_formats.text_tables", "_formats.parquet_files"},
    {"_formats.workbooks"},
    {"readers"},
    {"_draw_frames.derived_results", "_frames.text_codes"},
    {"_draw_frames.panel_results", "_draw_frames.said"},
    {"_draw_frames.panel_rows", "_frames.code_answers"},
    {"_draw_frames.asked_draws", "_frames.engine"},
    {"_draw_frames.panels"},
    {"dataframes", "_commands.options", "_commands.output"},
    {"_commands.reports"},
    {"_commands.reading", "_commands.explaining", "_commands.looking_up"},
    {"cli"},
    {"__main__", "__init__"},
]
LEVEL = {module: level for level, layer in enumerate(LAYERS) for module in layer}

# Methods of a type that hand the work to a later layer, at first use. This list may only shrink.
UPWARD = {("_quantity", "_units"), ("_units", "_catalog"), ("_report", "_json")}

# Millions of rows at once; nothing below them needs these packages.
FRAMES = {name for name in LEVEL if name.startswith(("_frames.", "_draw_frames."))} | {
    "_streams.blocks", "_streams.pieces", "_streams.plain", "_streams.watch", "_streams.scans", "_streams.stated", "_streams.streams", "_streams.tally", "_streams.written",
    "dataframes",
}  # fmt: skip

COMMANDS = {name for name in LEVEL if name.startswith("_commands.")}

ALLOWED = {
    "pint": {"_units"},
    "pydantic": {"_schema_parts", "_schema_analyte", "_schema_links", "_files", "_checks", "_check_limits", "_check_links", "_border"},
    "typer": {"cli", "__main__", *COMMANDS},
    "rich": {"_render", "_render_story", "_streams.progress", "__main__", *COMMANDS},
    "numpy": FRAMES,
    "polars": FRAMES | {"_formats.parquet_files", "_formats.parquet_out"},
    "pandas": {"_frames.local", "_draw_frames.panels"},
    "pyarrow": {"_frames.local", "_draw_frames.panels"},
    "narwhals": {
        "_frames.engine",
        "_frames.row_keys",
        "_frames.carried",
        "_draw_frames.panel_engine",
        "_draw_frames.panels",
        "_streams.streams",
        "dataframes",
    },
    "zstandard": {"_formats.unpacked", "_streams.ways", "_commands.output"},
    "python_calamine": {"_formats.sheets"},
    "xlsxwriter": {"_formats.workbook_out"},
    "dask": {"_frames.carried", "_draw_frames.panels"},
    "ibis": {"_frames.carried", "_draw_frames.panel_engine"},
    "pyspark": {"_frames.carried", "_draw_frames.panel_engine"},
}

# What reads files, by design; nothing else below the edges does.
READS_FILES = {"_catalog", "_files", "_checks", "_digest"}
EDGES = {
    *(name for name in LEVEL if name.startswith("_formats.")),
    "_delimited", "readers", "testing", "_render", "cli", "__main__", "__init__", "_border", "_table", "_streams.pieces", "_streams.plain", "_streams.watch", "_streams.blocks", "_streams.heads", "_streams.scans", "_streams.streams", "_streams.progress",
    "_streams.written", "_streams.ways", "_flagged", "_render_story", *COMMANDS,
}  # fmt: skip
ENGINE = sorted(set(LEVEL) - EDGES)

# About 300 lines is enough. The exceptions may only shrink.
LONGEST = 300
LONGER = {"_catalog": 380, "_quantity": 325}


def imports(module: str) -> Iterator[str]:
    """What a module imports, anywhere in it, but not for types alone: "labinterp._units", "pint", "os.path"."""
    within = {"labinterp", *(f"labinterp.{part}" for part in PARTS)}

    def visit(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module in within:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        for child in ast.iter_child_nodes(node):
            yield from visit(child)

    yield from visit(ast.parse(MODULES[module].read_text("utf-8")))


def test_every_module_has_a_layer() -> None:
    """The layers name every module once, and no module that is not there."""
    assert sorted(LEVEL) == sorted(set(MODULES) - PARTS)
    assert sum(map(len, LAYERS)) == len(LEVEL)


@pytest.mark.parametrize("module", sorted(LEVEL))
def test_a_module_imports_only_from_layers_below(module: str) -> None:
    """Data flows one way: no module reaches into its own layer or one above."""
    own = {name.removeprefix("labinterp.") for name in imports(module)} & set(LEVEL)
    assert not {other for other in own if LEVEL[other] >= LEVEL[module]} - {above for here, above in UPWARD if here == module}


@pytest.mark.parametrize("part", sorted(PARTS))
def test_a_folder_of_modules_adds_nothing_of_its_own(part: str) -> None:
    """What a folder is for stands in its docstring; what it holds is imported from its modules."""
    assert [type(node) for node in ast.parse(MODULES[part].read_text("utf-8")).body] == [ast.Expr]


def test_the_exceptions_are_still_needed() -> None:
    """An upward import that is gone is taken off the list."""
    assert all(f"labinterp.{above}" in set(imports(here)) for here, above in UPWARD)


@pytest.mark.parametrize("module", sorted(LEVEL))
def test_other_peoples_packages_are_imported_only_where_allowed(module: str) -> None:
    """Pint is asked in one module, pydantic guards the borders, the terminal is for the command line; there is no fifth package."""
    others = {name.split(".")[0] for name in imports(module)} - {"labinterp", "__future__"} - sys.stdlib_module_names
    assert not {name for name in others if module not in ALLOWED.get(name, ())}


@pytest.mark.parametrize("module", ENGINE)
def test_the_engine_is_pure(module: str) -> None:
    """No clock, chance, network, environment, printing or file in the engine; four modules read the data files."""
    banned = {"time", "random", "secrets", "socket", "ssl", "urllib", "http", "subprocess", "logging", "uuid", "tempfile", "warnings"}
    assert not banned & {name.split(".")[0] for name in imports(module)}
    assert not {name for name in imports(module) if name == "os" or (name.startswith("os.") and module not in READS_FILES)}
    for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8"))):
        assert not (isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow", "environ", "getenv"}), ast.dump(node)
        assert not (isinstance(node, ast.Name) and node.id in {"print", "input", "eval", "exec"}), ast.dump(node)
        assert not isinstance(node, ast.Global), ast.dump(node)
        if module not in READS_FILES:
            assert not (isinstance(node, ast.Name) and node.id == "open")
            assert not (isinstance(node, ast.Attribute) and node.attr in {"read_text", "read_bytes", "write_text", "write_bytes"})


@pytest.mark.parametrize("module", sorted(LEVEL))
def test_a_module_is_short(module: str) -> None:
    """A module fits in the head of a reader."""
    lines = len(MODULES[module].read_text("utf-8").splitlines())
    assert lines <= LONGER.get(module, LONGEST)
    assert module not in LONGER or lines > LONGEST, "short again: take it off the list"


def test_modules_are_named_for_what_flows_out_of_them() -> None:
    """There is no drawer for odds and ends."""
    assert not {"utils", "helpers", "common", "manager", "misc", "tools"} & {
        part.strip("_") for name in MODULES for part in name.split(".")
    }


# --- what an import loads ------------------------------------------------------------------------------------


def loaded(code: str, *args: str) -> set[str]:
    """The modules a piece of code adds to a fresh interpreter."""
    program = f"import sys; before = set(sys.modules)\n{code}\nprint(' '.join(sorted(set(sys.modules) - before)))"
    env = {name: value for name, value in os.environ.items() if name not in ("COVERAGE_PROCESS_START", "PYTHONSTARTUP")}
    done = subprocess.run([sys.executable, "-c", program, *args], capture_output=True, text=True, check=True, env=env)
    return set(done.stdout.split())


def test_import_labinterp_loads_nothing() -> None:
    """`import labinterp` loads no other module of its own, nothing of other people, and no json, re, decimal or dataclasses."""
    assert loaded("import labinterp") <= {"labinterp"}


def test_a_first_answer_from_the_compiled_table_loads_no_other_package(tmp_path: Path) -> None:
    """Reading the compiled JSON and giving an answer needs neither pint, pydantic, TOML nor the compiler."""
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(Catalog.default().table), "utf-8")
    code = """
import json, labinterp as li
catalog = li.Catalog(json.load(open(sys.argv[1], encoding="utf-8")))
person = li.Patient(sex="female", age_years=71)
assert li.assess({"ferritin": "12 ug/L"}, person, catalog=catalog).band == "deficient"
report = li.interpret({"25(OH)D": "18 ng/mL", "B12": "210 pg/mL", "MMA": "0.52 umol/L", "Mg": "<0.4 mmol/L"}, person, catalog=catalog)
assert len(report.findings) == 4 and report.to_json() and report.patterns
"""
    found = loaded(code, str(path))
    assert not {name.split(".")[0] for name in found} - sys.stdlib_module_names - {"labinterp"}
    assert not {"tomllib", "dataclasses", "inspect", "logging", "asyncio"} & found
    compiler = {
        "_schema_parts",
        "_schema_analyte",
        "_schema_links",
        "_files",
        "_compile",
        "_checks",
        "_check_derive",
        "_check_limits",
        "_check_links",
        "_border",
        "_render",
        "_render_story",
        "_story",
        "cli",
        "readers",
        "testing",
    }
    assert not {f"labinterp.{name}" for name in compiler} & found


def test_reading_a_file_loads_no_other_package(tmp_path: Path) -> None:
    """A CSV file is read without pint, pydantic or a dataframe library."""
    path = tmp_path / "labs.csv"
    path.write_text("test,value,unit\nferritin,12,ug/L\n", "utf-8")
    modules = {name.split(".")[0] for name in loaded("import labinterp as li; assert li.readers.read_file(sys.argv[1]).panels", str(path))}
    assert not modules - sys.stdlib_module_names - {"labinterp"}


def test_importing_any_module_changes_nothing_outside() -> None:
    """No module sets an environment variable, a warnings filter, a logger or the decimal context when it is imported."""
    names = [f"labinterp.{name}" for name in MODULES if name not in ("__main__", "__init__")]
    code = f"""
import decimal, importlib, logging, os, sys, warnings
def state():
    context = decimal.getcontext()
    return dict(os.environ), list(warnings.filters), logging.root.handlers[:], context.prec, context.rounding, dict(context.traps)
import narwhals, pint, polars, pydantic, rich.console, typer
before = state()
for name in {names!r}:
    importlib.import_module(name)
assert state() == before
"""
    subprocess.run([sys.executable, "-c", code], check=True)
