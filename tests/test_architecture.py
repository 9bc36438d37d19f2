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
MODULES = sorted(SOURCE.glob("*.py"))

# Lowest first. A module imports only from layers below its own.
LAYERS = [
    {"errors", "_codes", "_lazy", "_digest", "_schema", "_texts", "_progress", "_quoting"},
    {"_quantity", "_inputs", "_names", "_derived", "_files", "_pieces", "_carried", "_tally"},
    {"_units", "_rules", "_table", "_facts", "_numbers", "_plain", "_draws", "_ways"},
    {"_reported", "_trace", "_identify", "_screen", "_compile", "_border", "_blocks", "_heads", "_written"},
    {"_results", "_check_limits", "_check_links", "_scans"},
    {"_checks", "_json"},
    {"_catalog", "_measure"},
    {"_spans", "_convert", "_classes"},
    {"_laboratory", "_ages"},
    {"_assess"},
    {"_patterns", "_lanes", "_stretches", "_stated"},
    {"_explain", "_cases", "_persons", "_sights"},
    {"_columns", "_row_panels", "_panel_engine"},
    {"_together", "_rows"},
    {"_interpret", "_summary", "_statements"},
    {"_asked", "readers", "testing", "_render"},
    {"_local", "_row_keys", "_streams", "_flagged"},
    {"_panel_results", "_text_codes"},
    {"_panel_rows", "_code_answers"},
    {"_asked_draws", "_engine"},
    {"_panels"},
    {"dataframes", "cli"},
    {"__main__", "__init__"},
]
LEVEL = {module: level for level, layer in enumerate(LAYERS) for module in layer}

# Methods of a type that hand the work to a later layer, at first use. This list may only shrink.
UPWARD = {("_quantity", "_units"), ("_units", "_catalog"), ("_results", "_json")}

# Millions of rows at once; nothing below them needs these packages.
FRAMES = {
    "_texts", "_numbers", "_ages", "_cases", "_columns", "_rows", "_asked", "_local", "_engine", "_row_keys", "_text_codes", "_code_answers",
    "_carried", "_persons", "_row_panels", "_sights", "_panel_results", "_panel_rows", "_panel_engine", "_panels", "_blocks", "_pieces",
    "_scans", "_stated", "_streams", "_tally", "_written", "dataframes",
}  # fmt: skip

ALLOWED = {
    "pint": {"_units"},
    "pydantic": {"_schema", "_files", "_checks", "_check_limits", "_check_links", "_border"},
    "typer": {"cli", "__main__"},
    "rich": {"cli", "_render", "_progress", "__main__"},
    "numpy": FRAMES,
    "polars": FRAMES,
    "pandas": {"_local", "_panels"},
    "pyarrow": {"_local", "_panels"},
    "narwhals": {"_engine", "_row_keys", "_carried", "_panel_engine", "_panels", "_streams", "dataframes"},
    "dask": {"_carried", "_panels"},
    "ibis": {"_carried", "_panel_engine"},
    "pyspark": {"_carried", "_panel_engine"},
}

# What reads files, by design; nothing else below the edges does.
READS_FILES = {"_catalog", "_files", "_checks", "_digest"}
EDGES = {
    "readers", "testing", "_render", "cli", "__main__", "__init__", "_border", "_table", "_pieces", "_blocks", "_heads", "_scans", "_streams", "_progress",
    "_written", "_ways", "_flagged",
}  # fmt: skip
ENGINE = sorted(set(LEVEL) - EDGES)

# About 300 lines is enough. The exceptions may only shrink.
LONGEST = 300
LONGER = {"_schema": 570, "_results": 445, "cli": 390, "_catalog": 380, "_quantity": 325}


def imports(module: str) -> Iterator[str]:
    """What a module imports, anywhere in it, but not for types alone: "labinterp._units", "pint", "os.path"."""

    def visit(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "labinterp":
            yield from (f"labinterp.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        for child in ast.iter_child_nodes(node):
            yield from visit(child)

    yield from visit(ast.parse((SOURCE / f"{module}.py").read_text("utf-8")))


def test_every_module_has_a_layer() -> None:
    """The layers name every module once, and no module that is not there."""
    assert sorted(LEVEL) == [p.stem for p in MODULES]
    assert sum(map(len, LAYERS)) == len(LEVEL)


@pytest.mark.parametrize("module", sorted(LEVEL))
def test_a_module_imports_only_from_layers_below(module: str) -> None:
    """Data flows one way: no module reaches into its own layer or one above."""
    own = {name.split(".")[1] for name in imports(module) if name.startswith("labinterp.")} & set(LEVEL)
    assert not {other for other in own if LEVEL[other] >= LEVEL[module]} - {above for here, above in UPWARD if here == module}


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
    for node in ast.walk(ast.parse((SOURCE / f"{module}.py").read_text("utf-8"))):
        assert not (isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow", "environ", "getenv"}), ast.dump(node)
        assert not (isinstance(node, ast.Name) and node.id in {"print", "input", "eval", "exec"}), ast.dump(node)
        assert not isinstance(node, ast.Global), ast.dump(node)
        if module not in READS_FILES:
            assert not (isinstance(node, ast.Name) and node.id == "open")
            assert not (isinstance(node, ast.Attribute) and node.attr in {"read_text", "read_bytes", "write_text", "write_bytes"})


@pytest.mark.parametrize("module", sorted(LEVEL))
def test_a_module_is_short(module: str) -> None:
    """A module fits in the head of a reader."""
    lines = len((SOURCE / f"{module}.py").read_text("utf-8").splitlines())
    assert lines <= LONGER.get(module, LONGEST)
    assert module not in LONGER or lines > LONGEST, "short again: take it off the list"


def test_modules_are_named_for_what_flows_out_of_them() -> None:
    """There is no drawer for odds and ends."""
    assert not {"utils", "helpers", "common", "manager", "misc", "tools"} & {p.stem.strip("_") for p in MODULES}


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
        "_schema",
        "_files",
        "_compile",
        "_checks",
        "_check_limits",
        "_check_links",
        "_border",
        "_render",
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
    names = [f"labinterp.{p.stem}" for p in MODULES if p.stem not in ("__main__", "__init__")]
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
