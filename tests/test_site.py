"""The documentation builds from a clean checkout, without a warning and without the network, and its notebooks run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from html import escape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tests.chromium import AXE, CHROMIUM, FLAGS, MISSING, SCHEMES, WIDTHS

from labinterp import Catalog

ROOT = Path(__file__).resolve().parents[1]
for package in ("mkdocs", "mkdocstrings", "mkdocs_jupyter", "ipykernel", "polars"):
    pytest.importorskip(package, reason="the documentation needs the extra 'docs'", exc_type=ImportError)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built with every warning an error; the notebooks are executed."""
    made = tmp_path_factory.mktemp("site")
    paths = [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    # kernels that share one history file end in "ERROR! Session/line number was not unique"
    ipython, runtime = (str(tmp_path_factory.mktemp(name)) for name in ("ipython", "jupyter"))
    own = {"IPYTHONDIR": ipython, "JUPYTER_RUNTIME_DIR": runtime, "JUPYTER_NO_CONFIG": "1"}  # and nothing of the reader's home
    env = {**os.environ, **own, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": os.pathsep.join(filter(None, paths))}
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


def test_each_generated_page_says_what_it_is(site: Path) -> None:
    """A language, a title of its own, one heading of the first level, and a description that names the test."""
    titles = set()
    for id, analyte in Catalog.default().analytes.items():
        page = (site / "analytes" / f"{id}.html").read_text("utf-8")
        assert '<html lang="en"' in page
        found = re.search(r"<title>(.+?)</title>", page)
        assert found
        titles.add(found[1])
        described = re.search(r'<meta name="description" content="([^"]+)"', page)
        assert described
        assert described[1].startswith(escape(analyte.name, quote=False))
        assert len(re.findall(r"<h1[ >]", page)) == 1
    assert len(titles) == len(Catalog.default().analytes)


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where the site is served, on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(bool(MISSING) and os.environ.get("LABINTERP_ENGINES") != "required", reason=f"no browser: {', '.join(MISSING)}")
def test_the_pages_have_no_barrier_fit_a_phone_and_ask_nobody(address: str) -> None:
    """Home, tutorial, one analyte and a notebook, in light and dark, at phone and desktop width.

    No violation of serious or critical impact, no sideways scrolling, no script error, and no request to another host.
    """
    from playwright.sync_api import sync_playwright

    wrong = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name in ("index.html", "tutorial.html", "analytes/ferritin.html", "notebooks/one_patient.html"):
            for scheme in SCHEMES:
                context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme, bypass_csp=True)
                opened = context.new_page()
                asked: list[str] = []
                said: list[str] = []
                opened.on("request", lambda request, asked=asked: asked.append(request.url))
                opened.on("pageerror", lambda error, said=said: said.append(str(error)))
                for width in WIDTHS:
                    opened.set_viewport_size({"width": width, "height": 900})
                    opened.goto(f"{address}/{name}", wait_until="load")
                    opened.wait_for_selector("[data-md-component=search][aria-label]", state="attached")
                    opened.wait_for_function("document.getAnimations().every(one => one.playState != 'running')")  # colours fade in
                    opened.add_script_tag(content=AXE.read_text("utf-8"))
                    found = opened.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
                    wrong += [
                        (name, scheme, width, one["id"], one["nodes"][0]["html"][:200])
                        for one in found
                        if one["impact"] in ("serious", "critical")
                    ]
                    if opened.evaluate("document.documentElement.scrollWidth") > width:
                        wrong.append((name, scheme, width, "scrolls sideways", ""))
                wrong += [(name, scheme, 0, "asked for", url) for url in asked if not url.startswith((address, "data:", "blob:"))]
                wrong += [(name, scheme, 0, "script error", text) for text in said]
                context.close()
        browser.close()
    assert wrong == []
