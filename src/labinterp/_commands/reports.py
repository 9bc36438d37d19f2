"""Panels -> reports, in order: in this process, or in several at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from labinterp._commands.output import report_text
from labinterp._documents import answered
from labinterp._inputs import Patient
from labinterp._render_plain import PlainConsole
from labinterp._report import Report
from labinterp._streams.progress import Progress
from labinterp._summary import counts, summed
from labinterp.readers import PanelIn

_CHUNK = 250  # panels that a process is given at a time
_FEW = 1_000  # panels: starting processes takes longer than so many

Stated = Callable[[Patient], Patient]


def reports_of(panels: Sequence[PanelIn], stated: Stated, options: dict[str, Any]) -> list[Report]:
    """A report for each panel, in order, made in this process.

    Args:
        panels: As read.
        stated: A person with the facts that were given on the command line.
        options: For `interpret`.
    """
    reports, rows = list[Report](), 0
    with _shown(len(panels)) as show:
        for panel in panels:
            reports.append(answered(panel, stated(panel.patient), options))
            rows += len(panel.results)
            if len(reports) % 64 == 0:
                show(len(reports), rows)
    return reports


def worth_it(panels: Sequence[PanelIn], form: str, jobs: int | None) -> bool:
    """Whether several processes are asked for and are faster: what they make must be text, for reports are slow to hand over."""
    return jobs is not None and jobs > 1 and form in ("json", "jsonl", "table") and len(panels) >= _FEW


def texts_of(
    panels: Sequence[PanelIn], stated: Stated, options: dict[str, Any], form: str, jobs: int, width: int = 0
) -> tuple[list[str], dict[str, Any]]:
    """The text of each panel's report, in order, and what came of all rows; made in several processes that end with this one.

    Args:
        panels: As read.
        stated: As for `reports_of`.
        options: For `interpret`.
        form: "json", "jsonl" or "table".
        jobs: How many processes.
        width: Columns of a table.
    """
    work = [(panel, stated(panel.patient)) for panel in panels]
    forked = "fork" in multiprocessing.get_all_start_methods() and "polars" not in sys.modules and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if forked else "spawn")
    chunks = (work[at : at + _CHUNK] for at in range(0, len(work), _CHUNK))
    texts: list[str] = []
    counted: list[dict[str, Any]] = []
    with context.Pool(jobs, _started, (options, form, width)) as pool, _shown(len(panels)) as show:  # leaving the pool ends the processes
        for some, of_some in pool.imap(_texts, chunks):
            texts += some
            counted.append(of_some)
            show(len(texts), sum(one["rows"] for one in counted))
    return texts, summed(counted)


@contextmanager
def _shown(total: int) -> Iterator[Callable[[int, int], None]]:
    """A line on the terminal while reports are made: called with the panels and the rows that are done."""
    progress = Progress()
    try:
        yield lambda done, rows: progress.show(done, total, rows)
    finally:
        progress.close()


# --- in a process that works for another ----------------------------------------------------------------------------

_given: dict[str, Any] = {}


def _started(options: dict[str, Any], form: str, width: int) -> None:
    """Ctrl-C is for the other process, and without that there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _given.update(options=options, form=form, console=PlainConsole(width) if form == "table" else None)
    parent = multiprocessing.parent_process()

    def ends() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=ends, daemon=True).start()


def _texts(chunk: list[tuple[PanelIn, Patient]]) -> tuple[list[str], dict[str, Any]]:
    reports = [answered(panel, patient, _given["options"]) for panel, patient in chunk]
    forms: dict[str, Callable[[Report], str]] = {"json": report_text, "jsonl": Report.to_json, "table": _shown_text}
    written = forms[_given["form"]]
    return [written(report) for report in reports], counts(reports)


def _shown_text(report: Report) -> str:
    from labinterp._render import show_report

    console: PlainConsole = _given["console"]
    show_report(console, report, _given["options"]["catalog"])
    return console.taken()
