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
    "_service",
    "_pages",
    "_pictures",
    "_published",
}  # folders of modules; their own __init__ holds a docstring and nothing else

# Lowest first. A module imports only from layers below its own.
LAYERS = [
    {"_analyte", "_codes", "_comparator_words", "_digest", "_formats.fhir_terms", "_formats.hl7_marks", "_formats.hl7_text", "_frames.texts", "_lazy", "_pictures.scales", "_published.answers", "_render_plain", "_schema_parts", "_streams.progress", "errors"},
    {"_delimited", "_flag_words", "_formats.archives", "_formats.fhir_json", "_formats.hl7_segments", "_formats.parquet_ends", "_formats.xml_elements", "_no_number", "_pages.messages", "_pictures.said", "_pictures.shades", "_published.lookups", "_range_words", "_render_lines", "_render_tables", "_schema_analyte", "_schema_links"},
    {"_derived", "_files", "_formats.apart", "_formats.fhir_elements", "_formats.fhir_references", "_formats.fhir_repeats", "_formats.kinds", "_formats.unpacked", "_frames.carried", "_frames.recognised", "_inputs", "_names", "_pictures.rendered", "_quantity", "_streams.plain", "_streams.quoting", "_streams.tally", "_streams.watch"},
    {"_draws", "_facts", "_formats.cell_texts", "_formats.fhir_people", "_formats.fhir_words", "_formats.fhir_xml", "_formats.hl7_decimals", "_formats.nhanes_people", "_formats.numbers_beside", "_formats.omop_concepts", "_frames.numbers", "_pictures.texts", "_plain", "_rules", "_streams.pieces", "_table", "_units"},
    {"_formats.fhir_pregnancy", "_formats.fhir_range_people", "_formats.omop_persons", "_formats.sheets", "_pictures.figures", "_printed_ranges", "_streams.ways"},
    {"_border", "_compile", "_frames.screen", "_identify", "_intake", "_reported", "_streams.blocks", "_streams.heads", "_streams.paired", "_streams.written", "_worlds"},
    {"_check_derive", "_check_limits", "_check_links", "_formats.omop_databases", "_formats.omop_results", "_origins", "_pictures.saved", "_published.schemas", "_streams.scans", "_trace"},
    {"_checks", "_formats.omop_tables", "_results"},
    {"_formats.fhir_ranges_out", "_pages.strip", "_pages.tidy", "_report"},
    {"_formats.answer_rows", "_formats.fhir_reports", "_json", "_meaning", "_pages.people"},
    {"_catalog", "_measure", "_pages.shown"},
    {"_convert", "_formats.fhir_concepts", "_formats.fhir_observations", "_formats.headers", "_formats.hl7_people", "_formats.hl7_values", "_formats.json_lines_out", "_formats.nhanes", "_formats.omop_in", "_formats.workbook_out", "_frames.classes", "_pages.page", "_pictures.paths", "_spans", "_whose"},
    {"_book", "_formats.fhir_out", "_formats.fhir_remarks", "_formats.hl7_orders", "_formats.units_given", "_frames.ages", "_laboratory", "_pages.glance", "html"},
    {"_assess", "_formats.fhir_values", "_formats.hl7_results", "_formats.html_out", "_formats.workbook_parts", "_pictures.strips"},
    {"_formats.fhir_ranges", "_formats.hl7_out", "_frames.stretches", "_lanes", "_patterns", "_pictures.bands", "_streams.stated"},
    {"_computed", "_draw_frames.persons", "_draw_frames.sights", "_explain", "_formats.fhir_in", "_frames.words", "_gate_words", "_pictures.panel", "_questions"},
    {"_betrayed", "_draw_frames.panel_engine", "_draw_frames.row_panels", "_frames.cases", "_parts", "_pictures.story"},
    {"_remembered"},
    {"_frames.columns", "_frames.ranges", "_story", "_together"},
    {"_draw_frames.statements", "_frames.rows", "_interpret", "_render_sources", "_summary"},
    {"_documents", "_formats.forms_out", "_formats.omop_out", "_formats.parquet_out", "_formats.tables", "_frames.asked", "_pictures.cohort", "_pictures.over_time", "_pictures.value", "_render", "_render_story", "testing"},
    {"_formats.wide_tables"},
    {"_flagged", "_formats.grids", "_formats.own_json", "_formats.xpt", "_frames.local", "_frames.row_keys", "_pictures.distribution", "_pictures.trend", "_streams.streams", "omop"},
    {"_formats.parquet_files", "_formats.text_tables", "_formats.workbooks", "plots", "readers"},
    {"_draw_frames.derived_results", "_frames.text_codes", "fhir", "hl7v2"},
    {"_draw_frames.betrayed_rows", "_draw_frames.panel_results", "_draw_frames.said"},
    {"_draw_frames.panel_rows", "_frames.code_answers"},
    {"_draw_frames.asked_draws", "_frames.engine"},
    {"_draw_frames.panels"},
    {"_service.asks", "_service.page", "_service.problems", "_service.settings"},
    {"_service.bodies", "_service.gate", "_service.schema", "_service.work"},
    {"_service.routes"},
    {"_commands.options", "_commands.output", "_commands.quiet", "dataframes", "service"},
    {"_commands.reports"},
    {"_commands.piecewise"},
    {"_commands.explaining", "_commands.looking_up", "_commands.plotting", "_commands.reading", "_commands.reporting", "_commands.serving"},
    {"cli"},
    {"__init__", "__main__"},
]  # fmt: skip
LEVEL = {module: level for level, layer in enumerate(LAYERS) for module in layer}

# Methods of a type that hand the work to a later layer, at first use. This list may only shrink.
UPWARD = {
    ("_quantity", "_units"), ("_units", "_catalog"), ("_report", "_json"),
    ("_report", "html"), ("_report", "_pages.tidy"), ("_catalog", "_pages.tidy"),
    ("_report", "_pages.glance"), ("_results", "_pages.glance"), ("_catalog", "_pages.glance"), ("_analyte", "_pages.glance"),
}  # fmt: skip

# Millions of rows at once; nothing below them needs these packages.
FRAMES = {name for name in LEVEL if name.startswith(("_frames.", "_draw_frames."))} | {
    "_streams.blocks", "_streams.paired", "_streams.pieces", "_streams.plain", "_streams.watch", "_streams.scans", "_streams.stated", "_streams.streams", "_streams.tally", "_streams.written",
    "dataframes",
}  # fmt: skip

PICTURES = {"plots", *(name for name in LEVEL if name.startswith("_pictures."))}

COMMANDS = {name for name in LEVEL if name.startswith("_commands.")}
PUBLISHED = {name for name in LEVEL if name.startswith("_published.")}

SERVICE = {"service"} | {name for name in LEVEL if name.startswith("_service.")}

ALLOWED = {
    "pint": {"_units"},
    "pydantic": {
        "_schema_parts",
        "_schema_analyte",
        "_schema_links",
        "_files",
        "_checks",
        "_check_limits",
        "_check_links",
        "_border",
        *PUBLISHED,
        *SERVICE,
    },
    "jinja2": {"_pages.page", "html"},
    "markupsafe": {"_pages.messages"},  # comes with jinja2
    "typer": {"cli", "__main__", *COMMANDS},
    "rich": {
        "_render",
        "_render_lines",
        "_render_plain",
        "_render_sources",
        "_render_story",
        "_render_tables",
        "_streams.progress",
        "__main__",
        *COMMANDS,
    },
    "fastapi": SERVICE,
    "starlette": SERVICE,
    "uvicorn": {"_commands.serving"},
    "matplotlib": PICTURES,
    "numpy": FRAMES,
    "polars": FRAMES | {"_formats.omop_tables", "_formats.parquet_ends", "_formats.parquet_files", "_formats.parquet_out"},
    "pandas": {"_frames.local", "_draw_frames.panels"},
    "pyarrow": {"_frames.local", "_draw_frames.panels"},
    "narwhals": {
        "_frames.engine",
        "_frames.row_keys",
        "_frames.carried",
        "_draw_frames.panel_engine",
        "_draw_frames.panels",
        "_streams.streams",
        "_pictures.cohort",
        "dataframes",
    },
    "zstandard": {"_formats.unpacked", "_streams.ways", "_commands.output"},
    "python_calamine": {"_formats.sheets"},
    "xlsxwriter": {"_formats.workbook_out"},
    "duckdb": {"_formats.omop_databases"},
    "sqlalchemy": {"_formats.omop_databases"},
    "pyreadstat": {"_formats.xpt"},
    "dask": {"_frames.carried", "_draw_frames.panels"},
    "ibis": {"_frames.carried", "_draw_frames.panel_engine"},
    "pyspark": {"_frames.carried", "_draw_frames.panel_engine"},
}

# What reads files, by design; nothing else below the edges does.
READS_FILES = {"_catalog", "_files", "_checks", "_digest"}
EDGES = {
    *(name for name in LEVEL if name.startswith("_formats.")),
    "_delimited", "readers", "testing", "_render", "cli", "__main__", "__init__", "_border", "_table", "_streams.pieces", "_streams.plain", "_streams.watch", "_streams.blocks", "_streams.heads", "_streams.scans", "_streams.streams", "_streams.progress",
    "_streams.written", "_streams.ways", "_flagged", "_render_plain", "_render_sources", "_render_story", "_documents",
    "_pages.messages", "_pages.page", "_pages.glance", "html", "fhir", "hl7v2", "omop",
    "_pictures.rendered", "_pictures.saved", "plots",
    *COMMANDS, *SERVICE,
}  # fmt: skip
ENGINE = sorted(set(LEVEL) - EDGES)

# About 300 lines is enough. The exceptions may only shrink.
LONGEST = 300
LONGER = {"_catalog": 380, "_quantity": 303}


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
    """Pint is asked in one module, pydantic guards the borders, the terminal and the web have their folders; there is no other package."""
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
        "_render_lines",
        "_render_sources",
        "_render_story",
        "_render_tables",
        "_story",
        "cli",
        "html",
        "_pages.glance",
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
import fastapi, jinja2, narwhals, pint, polars, pydantic, rich.console, typer
before = state()
for name in {names!r}:
    importlib.import_module(name)
assert state() == before
"""
    subprocess.run([sys.executable, "-c", code], check=True)
