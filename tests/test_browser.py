"""The page in a real browser: no barrier, nothing wider than a phone, nothing fetched, all of it by keyboard, whole on paper.

Needs playwright and the system's chromium; without them the tests are skipped, and fail if LABINTERP_ENGINES=required is set.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from tests.chromium import AXE, CHROMIUM, FLAGS, MISSING, SCHEMES, WIDTHS
from tests.test_html import DRAWS, GOLDEN, HOSTILE, golden, reports_of

from labinterp import interpret
from labinterp.html import page
from labinterp.readers import read_file

ROOT = Path(__file__).resolve().parents[1]
if MISSING and os.environ.get("LABINTERP_ENGINES") != "required":
    pytest.skip(f"no browser: {', '.join(MISSING)} not installed", allow_module_level=True)


def hostile() -> str:
    rows = [f'"{text.replace(chr(34), chr(34) * 2)}"' for text in HOSTILE]
    data = "patient_id,test,value,unit,ref_text,flag\n" + "".join(f"{r},Ferritin,22,ug/L,{r},{r}\n{r},{r},{r},{r},,\n" for r in rows)
    return page(reports_of(data.encode()))


def example() -> str:
    (panel,) = read_file(ROOT / "docs" / "examples" / "panel.csv").panels
    return page([interpret(panel.results, panel.patient, rows=panel.rows)])


def long_words() -> str:
    """Names, values and labels without a space in them, longer than a phone is wide."""
    data = f"patient_id,test,value,unit,ref_text\n{'I' * 90},Ferritin,22,ug/L,{'9' * 90}\n{'I' * 90},{'W' * 200},{'x' * 70},{'u' * 90},\n"
    return page(reports_of(data.encode()), language="fr")


def refused() -> str:
    """Nothing could be assessed; the reasons are far longer than the names."""
    data = 'test,value,unit\nVitamin D,"1,060",nmol/L\nB12,210,\nFerritin,pending,ug/L\nSelenium,90,ug/L\nCreatinine,0.9,mg/dL\nCRP,haemolysed,mg/L\n'
    return page(reports_of(data.encode()))


def critical(language: str) -> str:
    """Codes with the longest words."""
    data = b"test,value,unit,sex,age,ref_text\nPotassium,6.9,mmol/L,M,58,3.5-5.1\nMagnesium,0.38,mmol/L,M,58,0.7-1.0\nMethylmalons\xc3\xa4ure,0.52,umol/L,M,58,\n"
    return page(reports_of(data), language=language)


PAGES: dict[str, Callable[[], str]] = {
    "example": example,
    "index": lambda: page([golden(GOLDEN[3]), golden(GOLDEN[2]), *reports_of(DRAWS)]),
    "draws": lambda: page(reports_of(DRAWS), language="de"),
    "hostile": hostile,
    "long words": long_words,
    "refused": refused,
    "critical": lambda: critical("de"),
    "critique": lambda: critical("fr"),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every page, as a file."""
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, make in PAGES.items():
        path = folder / f"{name.replace(' ', '_')}.html"
        path.write_text(make(), "utf-8")
        found[name] = path.as_uri()
    return found


@pytest.fixture
def shown(browser: Any, addresses: dict[str, str]) -> Iterator[Callable[..., Any]]:
    """Opens a page at a width; what it asks the network for, and what its scripts say, is kept in `asked` and `said`."""
    contexts = []

    def show(name: str, width: int = 1280, scheme: str = "light", height: int = 900, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        contexts.append(context)
        opened = context.new_page()
        opened.asked, opened.said = [], []
        opened.on("request", lambda request: opened.asked.append(request.url))
        opened.on("dialog", lambda dialog: (opened.said.append(dialog.message), dialog.dismiss()))
        opened.on("pageerror", lambda error: opened.said.append(str(error)))
        opened.on("console", lambda message: opened.said.append(message.text))
        opened.goto(addresses[name])
        return opened

    yield show
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("name", "width", "scheme"), [*product(("example", "index"), WIDTHS, SCHEMES), ("draws", 390, "light")], ids=lambda one: str(one)
)
def test_axe_finds_no_barrier(shown: Callable[..., Any], name: str, width: int, scheme: str) -> None:
    """No violation of any rule, with the first lines opened; contrast is measured in light and dark."""
    opened = shown(name, width, scheme, bypass_csp=True)
    opened.evaluate("[...document.querySelectorAll('details')].slice(0, 6).forEach(d => { d.open = true })")
    opened.add_script_tag(content=AXE.read_text("utf-8"))
    found = opened.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found["violations"]] == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_scrolls_sideways(shown: Callable[..., Any], name: str) -> None:
    """No element is wider than the window, with every line opened."""
    opened = shown(name)
    opened.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    for width in (1280, 720, *WIDTHS, 320):
        opened.set_viewport_size({"width": width, "height": 900})
        assert opened.evaluate("document.documentElement.scrollWidth") <= width


BROKEN = """() => {
  const broken = [];
  for (const cell of document.querySelectorAll("th, td, .tally li, .facts li")) {
    if (cell.closest("thead")?.clientWidth === 1) continue;  // for screen readers only
    const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      for (const word of node.data.matchAll(/[\\p{L}\\p{N}]{2,18}/gu)) {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        if (new Set([...range.getClientRects()].map(one => Math.round(one.top))).size > 1) broken.push(word[0]);
      }
    }
  }
  return broken;
}"""


@pytest.mark.parametrize("name", ["example", "refused", "critical", "critique"])
def test_no_word_is_broken(shown: Callable[..., Any], name: str) -> None:
    """A word of a table stands on one line, at every width and on paper; only what is longer than any word is parted."""
    opened = shown(name)
    for width in (1280, 1024, 768, *WIDTHS):
        opened.set_viewport_size({"width": width, "height": 900})
        assert opened.evaluate(BROKEN) == [], width
    opened.set_viewport_size({"width": 794, "height": 900})
    opened.emulate_media(media="print")
    opened.add_style_tag(content="body { width: 182mm }")  # A4 less its margins
    assert opened.evaluate(BROKEN) == []


@pytest.mark.parametrize("name", ["example", "critical", "critique"])
def test_a_code_stays_in_its_column(shown: Callable[..., Any], name: str) -> None:
    """No code reaches into the meaning beside it, on paper neither."""
    opened = shown(name)
    reaches = """[...document.querySelectorAll('td .chip')].filter(
        c => c.getBoundingClientRect().right > c.closest('td').getBoundingClientRect().right).length"""
    for width in (1280, 1024, *WIDTHS, 320):
        opened.set_viewport_size({"width": width, "height": 900})
        assert opened.evaluate(reaches) == 0, width
    opened.set_viewport_size({"width": 794, "height": 900})
    opened.emulate_media(media="print")
    opened.add_style_tag(content="body { width: 182mm }")
    assert opened.evaluate(reaches) == 0


def test_numbers_of_sources_can_be_tapped(shown: Callable[..., Any]) -> None:
    """Each is at least 24 by 24 points, as WCAG 2.2 asks (2.5.8)."""
    opened = shown("example", 390)
    sizes = opened.evaluate(
        "[...document.querySelectorAll('.cite a')].map(a => a.getBoundingClientRect()).filter(r => r.width).map(r => [r.width, r.height])"
    )
    assert len(sizes) > 20
    assert min(map(min, sizes)) >= 24


def test_the_repeated_head_of_a_table_covers_nothing_on_paper(shown: Callable[..., Any]) -> None:
    """What is opened in print has one column: text in columns is set over the head that each sheet repeats."""
    opened = shown("example", 794)
    opened.emulate_media(media="print")
    assert opened.evaluate("[...new Set([...document.querySelectorAll('.open')].map(o => getComputedStyle(o).columnCount))]") == ["auto"]


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_fetched_and_nothing_runs(shown: Callable[..., Any], addresses: dict[str, str], name: str) -> None:
    """The file itself is all that is asked for; no dialog, no script error, no refused script."""
    opened = shown(name)
    opened.wait_for_timeout(100)
    assert opened.asked == [addresses[name]]
    assert opened.said == []


def test_every_line_is_opened_by_keyboard(shown: Callable[..., Any]) -> None:
    """Tab reaches the skip link first, then every line that opens, with a focus that can be seen; Enter opens."""
    opened = shown("example", height=500)
    lines = opened.evaluate("document.querySelectorAll('summary').length")
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.className") == "skip"
    assert opened.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    reached = set()
    for _ in range(opened.evaluate("document.querySelectorAll('a, summary').length")):
        opened.keyboard.press("Tab")
        at = opened.evaluate(
            "document.activeElement.tagName == 'SUMMARY' ? [...document.querySelectorAll('summary')].indexOf(document.activeElement) : -1"
        )
        if at >= 0 and at not in reached:
            reached.add(at)
            assert opened.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
            if at < 3:
                opened.keyboard.press("Enter")
                assert opened.evaluate("document.activeElement.parentElement.open")
                opened.keyboard.press("Enter")
        if len(reached) == lines:
            break
    assert len(reached) == lines >= 8


@pytest.mark.parametrize("name", ["example", "index", "draws"])
def test_on_paper_everything_is_there(shown: Callable[..., Any], name: str) -> None:
    """In print every line is opened, rows and cards are kept whole, colours are those of paper."""
    opened = shown(name, 794, "dark")
    opened.emulate_media(media="print")
    assert (
        opened.evaluate(
            "[...document.querySelectorAll('details')].filter(d => d.lastElementChild.getBoundingClientRect().height < 10).length"
        )
        == 0
    )
    whole = "[...document.querySelectorAll('tr.result, .cards > li, .alerts > li, .strip')].every(e => getComputedStyle(e).breakInside == 'avoid')"
    assert opened.evaluate(whole)
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert opened.evaluate("document.documentElement.scrollWidth") <= 794


@pytest.mark.parametrize("name", ["example", "draws"])
@pytest.mark.parametrize("form", ["A4", "Letter"])
def test_it_prints(shown: Callable[..., Any], tmp_path: Path, name: str, form: str) -> None:
    """A PDF of a few sheets, none of them empty of what the page says, on both sizes of paper."""
    opened = shown(name)
    data = opened.pdf(path=str(tmp_path / "page.pdf"), format=form, print_background=True)
    sheets = len(re.findall(rb"/Type\s*/Page\b", data))
    assert data.startswith(b"%PDF")
    assert 4 <= sheets <= 24


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_picture_of_it_is_not_blank(shown: Callable[..., Any], tmp_path: Path, width: int, scheme: str) -> None:
    """A screenshot is made at phone and desktop width, in light and dark; the background follows the reader's choice."""
    opened = shown("example", width, scheme)
    opened.screenshot(path=str(tmp_path / "page.png"))
    assert (tmp_path / "page.png").stat().st_size > 20_000
    shade = [int(part) for part in re.findall(r"\d+", opened.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]]
    assert (sum(shade) > 600) == (scheme == "light")


def test_the_notebook_display_has_no_barrier(browser: Any) -> None:
    """What a notebook shows, set into a page of its own in light and dark."""
    report = golden(GOLDEN[0])
    parts = [report, report.findings[0], interpret({"x": "y"}).not_assessed[0], report.findings[0].basis.catalog]
    for scheme in SCHEMES:
        context = browser.new_context(color_scheme=scheme, viewport={"width": 800, "height": 600})
        opened = context.new_page()
        body = "".join(part._repr_html_() or "" for part in parts)
        opened.set_content(
            f'<!DOCTYPE html><html lang="en"><meta name="color-scheme" content="light dark"><title>x</title><body style="background: Canvas; color: CanvasText"><main><h1>x</h1>{body}</main>'
        )
        opened.add_script_tag(content=AXE.read_text("utf-8"))
        found = opened.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        assert [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found["violations"]] == []
        context.close()
