"""The wheel: what is in it, and that it works where there is no source tree."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import labinterp
from labinterp import Catalog

ROOT = Path(__file__).resolve().parents[1]
NEEDED = [name for name in ("build", "hatchling", "pip") if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(NEEDED), reason=f"the wheel cannot be built: {', '.join(NEEDED)} not installed")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a build needs, so that building changes nothing here."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("src", "reference_ranges"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "catalog.json"))
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheel installed, and nothing else of this repository on its way."""
    target = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--disable-pip-version-check",
        "--target",
        str(target),
    ]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True)
    return target


def run(installed: Path, code: str, *args: str) -> str:
    """What a program prints that sees the installed wheel first, from another directory."""
    env = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *args], cwd=installed.parent, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_the_code_the_table_and_the_data(wheel: Path) -> None:
    """Every module, `py.typed`, the compiled table and every data file are in the wheel; tests and the like are not."""
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {f"labinterp/{p.name}" for p in (ROOT / "src" / "labinterp").glob("*.py")}
    data = {f"labinterp/{p.relative_to(ROOT)}" for p in (ROOT / "reference_ranges").rglob("*") if p.suffix in (".toml", ".json", ".txt")}
    code = ROOT / "src" / "labinterp"
    data |= {f"labinterp/{p.relative_to(code)}" for part in ("messages", "_pages/templates") for p in (code / part).iterdir()}
    data |= {"labinterp/py.typed", "labinterp/catalog.json", "labinterp/_service/page.html", "labinterp/reference_ranges/VERSION"}
    assert not {*modules, *data} - names
    assert not [name for name in names if re.match(r"(tests|docs|benchmarks)/|.*(__pycache__|/test_)", name)]
    assert {name.split("/")[0] for name in names} == {"labinterp", f"labinterp-{labinterp.__version__}.dist-info"}


def test_the_table_in_the_wheel_is_that_of_its_data(wheel: Path) -> None:
    """The compiled table in the wheel was made from the data files beside it."""
    assert json.loads(zipfile.ZipFile(wheel).read("labinterp/catalog.json")) == json.loads(
        json.dumps(Catalog.from_directory(ROOT / "reference_ranges").table)
    )


def test_the_wheel_says_what_it_needs(wheel: Path) -> None:
    """Core dependencies are pint and pydantic alone; each extra has a name of its own; the licence is inside."""
    archive = zipfile.ZipFile(wheel)
    info = f"labinterp-{labinterp.__version__}.dist-info"
    metadata = archive.read(f"{info}/METADATA").decode()
    needs = re.findall(r"^Requires-Dist: ([\w-]+).*?(; extra.*)?$", metadata, re.MULTILINE)
    assert sorted(name for name, extra in needs if not extra) == ["pint", "pydantic"]
    assert {"cli", "html", "all", "dev"} <= set(re.findall(r"^Provides-Extra: (\w+)", metadata, re.MULTILINE))
    assert "Requires-Python: >=3.11" in metadata
    assert f"{info}/licenses/LICENSE" in archive.namelist()
    assert "labinterp = labinterp.__main__:main" in archive.read(f"{info}/entry_points.txt").decode()


def test_a_first_answer_from_the_wheel_needs_nothing_else(installed: Path) -> None:
    """From an installed wheel an answer comes from the compiled table: no TOML, no pydantic, no pint."""
    code = """
import sys
import labinterp as li
print(li.__file__)
print(li.assess({"ferritin": "12 ug/L"}, li.Patient(sex="female", age_years=34)).band)
print(len(li.interpret({"25(OH)D": "18 ng/mL", "B12": "210 pg/mL"}, li.Patient(sex="female", age_years=34)).findings))
print(sorted({"tomllib", "pydantic", "pint", "labinterp._schema", "labinterp._compile"} & set(sys.modules)))
"""
    file, band, count, loaded = run(installed, code).splitlines()
    assert Path(file).is_relative_to(installed)
    assert band == "deficient"
    assert count == "2"
    assert loaded == "[]"


def test_a_sites_limits_work_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """`with_files` and `check` read the data files inside the installed package."""
    shutil.copytree(ROOT / "docs" / "examples" / "our_limits", tmp_path / "our_limits")
    code = """
import sys
import labinterp as li
from labinterp._catalog import data_root
from labinterp._checks import check_directory
from pathlib import Path
catalog = li.Catalog.default().with_files(sys.argv[1])
print(len(catalog.table["limits"]) > len(li.Catalog.default().table["limits"]), check_directory(Path(sys.argv[1]), Path(data_root())))
"""
    assert run(installed, code, str(tmp_path / "our_limits")) == "True []\n"


def test_the_command_line_works_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """`python -m labinterp` of an installed wheel reads a file and checks nothing but what it was given."""
    shutil.copy(ROOT / "docs" / "examples" / "panel.csv", tmp_path / "panel.csv")
    code = "import runpy, sys; sys.argv = ['labinterp', 'interpret', sys.argv[1], '--to', 'json']; runpy.run_module('labinterp', run_name='__main__')"
    env_code = f"import sys\n{code}"
    document = json.loads(run(installed, env_code, str(tmp_path / "panel.csv")))
    assert document["labinterp"] == labinterp.__version__
    assert len(document["reports"][0]["findings"]) + len(document["reports"][0]["not_assessed"]) == 9


def test_the_page_is_made_from_the_wheel(installed: Path) -> None:
    """Templates and words are read from the installed package."""
    code = """
import labinterp as li
from labinterp.html import languages
report = li.interpret({"ferritin": "12 ug/L"}, li.Patient(sex="female", age_years=34))
print(li.__file__)
print(languages(), *(report.to_html(language=one).count("<h2>") for one in languages()), len(report._repr_html_()) > 500)
"""
    file, said = run(installed, code).splitlines()
    assert Path(file).is_relative_to(installed)
    assert said.startswith("['en', 'de', 'fr'] ")
    assert said.endswith("True")


def test_a_wheel_of_broken_data_is_not_built(source: Path, tmp_path: Path) -> None:
    """A problem in the data stops the build and is told."""
    broken = Path(shutil.copytree(source, tmp_path / "broken", ignore=shutil.ignore_patterns("catalog.json")))
    path = broken / "reference_ranges" / "analytes" / "ferritin.toml"
    path.write_text(path.read_text("utf-8").replace('default = "ferritin/', 'default = "ferritin/no-', 1), "utf-8")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "out"), str(broken)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "analytes/ferritin.toml > default" in done.stdout + done.stderr
