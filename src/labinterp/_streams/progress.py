"""How far a long run is: a line on the terminal that is gone when the run is over."""

from __future__ import annotations

import time
from typing import Any

_WAIT = 1.0  # seconds: a shorter run shows nothing


class Progress:
    """Draws on standard error if that is a terminal, from the second second on.

    Args:
        console: Where to draw; default: standard error.
    """

    def __init__(self, console: Any = None) -> None:
        from rich.console import Console

        self._console = console or Console(stderr=True)
        self._start = time.monotonic()
        self._bar: Any = None

    def show(self, done: int, total: int | None, rows: int) -> None:
        """Draw where the run is.

        Args:
            done: Bytes or rows that have been read.
            total: How many there are, where that is known.
            rows: Rows that have been answered.
        """
        seconds = time.monotonic() - self._start
        if not self._console.is_terminal or seconds < _WAIT:
            return
        if self._bar is None:
            from rich.progress import BarColumn
            from rich.progress import Progress as Bar

            self._bar = Bar("{task.description}", BarColumn(), console=self._console, transient=True, auto_refresh=False)
            self._bar.start()
            self._bar.add_task("")
        self._bar.update(self._bar.task_ids[0], description=told(done, total, rows, seconds), completed=done, total=total, refresh=True)

    def close(self) -> None:
        """Take the line away."""
        if self._bar is not None:
            self._bar.stop()


def told(done: int, total: int | None, rows: int, seconds: float) -> str:
    """Rows so far, rows per second, and the time that is left.

    Example:
        >>> told(25, 100, 5_000_000, 10.0)
        '5,000,000 rows, 500,000 a second, 0:30 left'
    """
    text = f"{rows:,} rows, {rows / max(seconds, 0.001):,.0f} a second"
    if not done or not total:
        return text
    left = round(seconds * (total - done) / done)
    hours, minutes = divmod(left // 60, 60)
    return f"{text}, {f'{hours}:{minutes:02}' if hours else minutes}:{left % 60:02} left"
