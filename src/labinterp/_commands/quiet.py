"""Standard error while a command runs -> the words of this program; the panics that native code prints by itself are kept back.

polars ends on some damaged files with a panic, which it prints before anybody can catch it. What is wrong is said by this program.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PANIC = b" panicked at "


@contextmanager
def without_panics() -> Iterator[None]:
    """Within it, Python writes where it did; what native code writes itself is held, and told at the end if it is no panic.

    Nothing changes where standard error is no file of this process.
    """
    error = sys.stderr
    if os.name != "posix" or not _is_ours():
        yield
        return
    error.flush()
    held, pipe = os.pipe()
    os.set_blocking(pipe, False)  # whoever writes more than it holds loses the rest, and waits for nobody
    os.set_blocking(held, False)
    shown = os.dup(2)
    with open(shown, "w", encoding=error.encoding, errors=error.errors, buffering=1) as kept:  # noqa: PTH123 - no path
        sys.stderr = kept
        os.dup2(pipe, 2)
        os.close(pipe)
        try:
            yield
        finally:
            with suppress(OSError, ValueError):
                sys.stderr.flush()
            sys.stderr = error
            os.dup2(shown, 2)
            _tell(held)


def _is_ours() -> bool:
    try:
        return sys.stderr.fileno() == 2
    except (AttributeError, OSError, ValueError):
        return False


def _tell(held: int) -> None:
    words = b""
    with suppress(BlockingIOError):  # a child that lives on holds the other end
        while piece := os.read(held, 1 << 16):
            words += piece
    os.close(held)
    if words and _PANIC not in words:
        with suppress(OSError):
            os.write(2, words)
