"""The documentation builds from a clean checkout, without a warning and without the network, and its notebooks run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from labinterp import Catalog

ROOT = Path(__file__).resolve().parents[1]
for package in ("mkdocs", "mkdocstrings", "mkdocs_jupyter", "ipykernel", "polars"):
    pytest.importorskip(package, reason="the documentation needs the extra 'docs'", exc_type=ImportError)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built with every warning an error; the notebooks are executed."""
    made = tmp_path_factory.mktemp("site")
    paths = [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(made)],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert not re.search(r"^WARNING|^ERROR", done.stderr, re.MULTILINE), done.stderr[-4000:]
    return made


def test_each_analyte_has_a_page(site: Path) -> None:
    """Every set of limits stands on the page of its analyte, by its id."""
    catalog = Catalog.default()
    for id, analyte in catalog.analytes.items():
        page = (site / "analytes" / f"{id}.html").read_text("utf-8")
        assert all(limits in page for limits in analyte.limits), id


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    """No page loads a script, style, font or picture from another host."""
    outside = re.compile(r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["']?(https?:)?//""")
    loads = {
        (page.name, found[0][:120])
        for page in site.rglob("*.html")
        for found in outside.finditer(page.read_text("utf-8"))
        if 'rel="canonical"' not in found[0]
    }
    assert not loads


def test_the_notebooks_were_executed(site: Path) -> None:
    """Their pages hold what the code printed."""
    assert "Functional vitamin B12 deficiency (likely, rows 2, 3, 8)" in (site / "notebooks" / "one_patient.html").read_text("utf-8")
    assert "8,892 people" in (site / "notebooks" / "nhanes.html").read_text("utf-8")


def test_the_links_between_the_pages_lead_somewhere(site: Path) -> None:
    """Each link to a page, and to a place in it, leads to something that is there."""
    ids = {page: set(re.findall(r"""\bid=["']?([^"'\s>]+)""", page.read_text("utf-8"))) for page in site.rglob("*.html")}
    broken = []
    for page in ids:
        for target in re.findall(r"""<a[^>]+href=["']?([^"'\s>]+)""", page.read_text("utf-8")):
            if re.match(r"[a-z]+:|//", target):
                continue
            path, _, anchor = target.partition("#")
            aim = (page.parent / path).resolve() if path else page
            if aim.is_dir():
                aim = aim / "index.html"
            if not aim.exists() or (anchor and aim in ids and anchor not in ids[aim] and anchor != "__codelineno"):
                broken.append((page.name, target))
    assert not [one for one in broken if one[0] != "404.html"]
