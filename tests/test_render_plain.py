"""Reports as plain text: laid out by short ways, and character by character what rich lays out."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from labinterp import Catalog, LabResult, Patient, interpret
from labinterp._render import show_report
from labinterp._render_lines import item
from labinterp._render_plain import PlainConsole
from labinterp._render_sources import Sources
from labinterp._render_tables import answers as table_of
from labinterp.readers import answers, read_file

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
WIDTHS = [40, 79, 99, 100, 101, 120, 200]


def by_rich(width: int) -> Console:
    return Console(file=io.StringIO(), record=True, width=width)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("sources", [False, True])
def test_reports_are_laid_out_as_by_rich(width: int, sources: bool) -> None:
    """One person with much to say, and one after another: what is remembered of the first is right for the others."""
    catalog = Catalog.default()
    people = [*answers(read_file(EXAMPLES / "panel.csv")), *answers(read_file(EXAMPLES / "wide.csv"))]
    people.append(
        interpret(
            [LabResult("Methylmalonsäure", "0.52", "umol/L"), LabResult("血清铁", "5", "umol/L"), LabResult("a  b ", "x\ty", "")], Patient()
        )
    )
    rich, plain = by_rich(width), PlainConsole(width)
    for console in (rich, plain):
        gathered = Sources() if sources else None
        for report in people:
            show_report(console, report, catalog, gathered)
        if gathered:
            gathered.show(console)
        console.print("[bold]Where[/bold] each line is printed: add --sources.")
    assert plain.taken() == rich.export_text()
    assert plain.taken() == ""


TEXTS = st.one_of(
    st.sampled_from(["", "-", "Ferritin", "25(OH)D (LC-MS/MS)", "Methylmalonsäure", "µg/L", "≥ 5", "a  b", " a", "a ", "a\nb", "a\tb", "血清", "e\u0301", "\u200b",
                     "[bold]x[/bold]", ":smile:", "x" * 60, "two words", "nam/2011", "\u00a0", "☺️", "\x1b[1m"]),
    st.text(max_size=8),
)  # fmt: skip
NAMES = ("row", "test", "result", "code", "meaning", "drawn by")


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(st.lists(st.tuples(*[TEXTS] * len(NAMES)), max_size=4), st.sampled_from([100, 110, 120, 160]))
def test_tables_of_any_text_are_laid_out_as_by_rich(rows: list[tuple[str, ...]], width: int) -> None:
    rich, plain = by_rich(width), PlainConsole(width)
    for console in (rich, plain):
        table_of(console, NAMES, [[Text(cell, style="red") for cell in row] for row in rows])
    assert plain.taken() == rich.export_text()


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(st.lists(st.one_of(TEXTS, st.text(max_size=200)), max_size=4), st.sampled_from([10, 80, 120]))
def test_sentences_are_laid_out_as_by_rich_and_remembered(texts: list[str], width: int) -> None:
    rich, plain = by_rich(width), PlainConsole(width)
    for console in (rich, plain):
        for text in [*texts, *texts]:
            console.print(Text(text, style="bold"))
            console.print(Padding(Text(text), (0, 0, 0, 2)))
            item(console, text, "dim")
            item(console, text, lead="[12] ")
            console.print()
    assert plain.taken() == rich.export_text()
