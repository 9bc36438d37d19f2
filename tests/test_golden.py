"""Whole panels, printed: the text of the terminal and the JSON document are those that were read by eye.

python -m tests.test_golden --write     writes them anew; read the diff before it is kept
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from rich.console import Console

from labinterp import Catalog, Report, interpret
from labinterp._render import show_report
from labinterp.readers import read_file

GOLDEN = Path(__file__).resolve().parent / "golden"
PANELS = sorted(p.parent for p in GOLDEN.glob("*/input.json"))


def report_of(folder: Path) -> Report:
    """The report of the one panel in a folder."""
    (panel,) = read_file(folder / "input.json").panels
    return interpret(panel.results, panel.patient, rows=panel.rows)


def printed(report: Report) -> str:
    """What a terminal of 120 columns without colour shows."""
    out = io.StringIO()
    show_report(Console(file=out, width=120, no_color=True, highlight=False), report, Catalog.default())
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().rstrip().splitlines())


def document(report: Report) -> str:
    """The JSON of the report, indented, without the version of the data, which changes by itself."""
    data = report.to_dict()
    data.pop("catalog")
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


@pytest.mark.parametrize("folder", PANELS, ids=lambda p: p.name)
def test_the_printed_report_is_the_one_that_was_read(folder: Path) -> None:
    """Text and JSON of each panel are as they stand in its folder."""
    report = report_of(folder)
    assert printed(report) == (folder / "report.txt").read_text("utf-8")
    assert document(report) == (folder / "report.json").read_text("utf-8")


def test_there_are_at_least_twelve_panels() -> None:
    """The panels the catalog was read with."""
    assert len(PANELS) >= 12


@pytest.mark.parametrize("folder", PANELS, ids=lambda p: p.name)
def test_nobody_under_18_or_pregnant_gets_muscle_text(folder: Path) -> None:
    """No effect and no advice for a child or in pregnancy; none either where every result is in range."""
    report = report_of(folder)
    young = report.patient.age_years is not None and report.patient.age_years < 18
    well = all(finding.code == "N" for finding in report.findings) and not report.patient.contexts
    if young or report.patient.pregnant or well:
        assert not report.effects
        assert not report.advice


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("python -m tests.test_golden --write")
    for folder in PANELS:
        report = report_of(folder)
        (folder / "report.txt").write_text(printed(report), "utf-8")
        (folder / "report.json").write_text(document(report), "utf-8")
