"""Panels -> reports, in order: in this process, or in several at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from labinterp._inputs import Patient
from labinterp._interpret import interpret as interpret_panel
from labinterp._report import Report
from labinterp._streams.progress import Progress
from labinterp.readers import PanelIn

_CHUNK = 250  # panels that a process is given at a time
_FEW = 2_000  # panels: starting processes takes longer than so many

Stated = Callable[[Patient], Patient]


def reports_of(panels: Sequence[PanelIn], stated: Stated, options: dict[str, Any], jobs: int | None = None) -> list[Report]:
    """A report for each panel, in order.

    Args:
        panels: As read.
        stated: A person with the facts that were given on the command line.
        options: For `interpret`.
        jobs: Processes; None or 1: this one. Few panels take one in any case.
    """
    work = [(panel, stated(panel.patient)) for panel in panels]
    progress, reports, rows = Progress(), list[Report](), 0
    made = _at_once(work, options, jobs) if jobs and jobs > 1 and len(work) >= _FEW else (_report(one, options) for one in work)
    try:
        for report in made:
            reports.append(report)
            rows += len(report.findings) + len(report.not_assessed)
            if len(reports) % 64 == 0:
                progress.show(len(reports), len(work), rows)
    finally:
        progress.close()
    return reports


def _report(work: tuple[PanelIn, Patient], options: dict[str, Any]) -> Report:
    panel, patient = work
    report = interpret_panel(panel.results, patient, rows=panel.rows, **options)
    return report._replace(notes=(*panel.notes, *report.notes)) if panel.notes else report


def _at_once(work: list[tuple[PanelIn, Patient]], options: dict[str, Any], jobs: int) -> Iterator[Report]:
    """The same in several processes; they end with this one, however it ends."""
    forked = "fork" in multiprocessing.get_all_start_methods() and "polars" not in sys.modules and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if forked else "spawn")
    chunks = (work[at : at + _CHUNK] for at in range(0, len(work), _CHUNK))
    with context.Pool(jobs, _started, (options,)) as pool:  # leaving it ends the processes
        for reports in pool.imap(_reports, chunks):
            yield from reports


_given: dict[str, Any] = {}  # of a process that works for another


def _started(options: dict[str, Any]) -> None:
    """In a process that works for another: Ctrl-C is for the other, and without it there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _given.update(options)
    parent = multiprocessing.parent_process()

    def ends() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=ends, daemon=True).start()


def _reports(chunk: list[tuple[PanelIn, Patient]]) -> list[Report]:
    return [_report(one, _given) for one in chunk]
