"""A run in other threads: what it lets be seen of it, how it is stopped, and how it reads ahead."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Full, Queue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_BLINK = 0.05  # seconds
_AHEAD = 2  # frames that are read before they are asked for


class StoppedError(Exception):
    """The run is to end; what it has written does not count."""


class Watch:
    """What a run in another thread lets be seen of it, and how it is stopped.

    Attributes:
        total: Bytes or rows there are; None where that is not known.
        done: How many of them have been read.
        rows: Rows that were read from text, or that Parquet files say they have.
        failure: The first error, as it was raised.
    """

    def __init__(self) -> None:
        self.total: int | None = 0
        self.done = self.rows = 0
        self.failure: BaseException | None = None
        self._stop = threading.Event()
        self._lock, self._busy = threading.Lock(), 0

    def stop(self) -> None:
        """End the run at the next batch."""
        self._stop.set()

    def check(self) -> None:
        """Raise if the run is to end."""
        if self._stop.is_set():
            raise StoppedError

    @contextmanager
    def busy(self, number: int = 1) -> Iterator[None]:
        """Python works in a thread of the engine; with -1 it waits there for a file."""
        with self._lock:
            self._busy += number
        try:
            yield
        finally:
            with self._lock:
                self._busy -= number

    def ended(self, patience: float) -> None:
        """Wait until no thread of the engine works in Python any more: an interpreter that ends under one takes the process down."""
        quiet = 0
        for _ in range(round(patience / _BLINK)):
            quiet = 0 if self._busy else quiet + 1
            if quiet > 2:
                return
            time.sleep(_BLINK)

    def failed(self, error: BaseException) -> None:
        """Keep the first error: engines wrap what passes through them."""
        self.failure = self.failure or error


def ahead(frames: Iterator[pl.DataFrame], watch: Watch) -> Iterator[pl.DataFrame]:
    """The same frames, read in a thread of their own while those before are worked on."""
    ready: Queue[pl.DataFrame | BaseException | None] = Queue(_AHEAD)
    left = threading.Event()  # whoever takes the frames has gone

    def put(one: pl.DataFrame | BaseException | None) -> bool:
        while not left.is_set():
            try:
                ready.put(one, timeout=_BLINK)
            except Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            with watch.busy():
                for frame in frames:
                    if not put(frame):
                        return
            put(None)
        except BaseException as error:  # it is raised again where the frames are taken
            put(error)

    thread = threading.Thread(target=read, name="labinterp: reading", daemon=True)
    thread.start()
    try:
        while (one := ready.get()) is not None:
            if isinstance(one, BaseException):
                raise one
            yield one
    finally:
        left.set()
