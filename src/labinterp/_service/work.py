"""Where answers are computed: in a few threads, so that the loop stays free, with bounds on how many and how long.

A thread cannot be killed. What it does is bounded beforehand, by the length of a body and the number of results, and it looks between two
panels whether somebody still waits. A request that was given up keeps its thread until then.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from labinterp._service.problems import Refused
from labinterp._service.settings import Settings

Outcome = TypeVar("Outcome")
_COME_BACK = {"Retry-After": "1"}


class Work:
    """The places and threads of one service process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads: ThreadPoolExecutor | None = None
        self._inside = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place for one request, from the first byte of its body to its answer.

        Raises:
            Refused: 503 where all are taken.
        """
        if self._inside >= self._settings.places:
            raise Refused(503, "busy", "The service is busy. Ask again in a moment.", _COME_BACK)
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def run(self, make: Callable[[threading.Event], Outcome]) -> Outcome:
        """What a function makes, in a thread.

        Args:
            make: Takes an event that is set when nobody waits any more.

        Raises:
            Refused: 503 where no thread was free in time, 504 where the answer was not ready in time.
            Exception: What the function raised.
        """
        gone = threading.Event()
        made: list[Outcome] = []
        failed: list[Exception] = []

        def kept() -> None:
            try:
                made.append(make(gone))
            except Exception as error:  # kept here: an exception that nobody fetches is printed with its text
                failed.append(error)

        if self._threads is None:  # a server may start the same application again after it was closed
            self._threads = ThreadPoolExecutor(self._settings.threads, thread_name_prefix="labinterp")
        started = self._threads.submit(kept)
        try:
            done, _ = await asyncio.wait({asyncio.wrap_future(started)}, timeout=self._settings.timeout)
        finally:
            gone.set()
        if not done:
            if started.cancel():
                raise Refused(503, "busy", "The service is busy. Ask again in a moment.", _COME_BACK)
            raise Refused(
                504, "took_too_long", f"The answer took more than {self._settings.timeout:g} seconds. Send fewer results at once."
            )
        if failed:
            raise failed[0]
        return made[0]

    def close(self) -> None:
        """Let the threads end; what waits for one is given up."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None
