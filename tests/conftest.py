"""What several test files share."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

# Of the terminal, or of the machine for tests, that the tests run on: colours and widths are asked for by the tests themselves, and so
# is what a service is set by.
OTHERS = (
    "COLUMNS", "LINES", "FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "GITHUB_ACTIONS", "TERMINAL_WIDTH", "TTY_COMPATIBLE", "TTY_INTERACTIVE",
    "LABINTERP_TOKEN", "LABINTERP_TOKEN_FILE", "LABINTERP_MAX_BYTES", "LABINTERP_MAX_RESULTS", "LABINTERP_TIMEOUT",
    "LABINTERP_LIMITS",
)  # fmt: skip


def pytest_configure() -> None:
    """Where the tests are run makes no difference.

    What a shell starts in the background ignores Ctrl-C, and so would every process that is started here to be stopped by it.
    """
    for name in OTHERS:
        os.environ.pop(name, None)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Done(NamedTuple):
    """What a run of the command line left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run `labinterp` with arguments and standard input, in this process; the terminal is 120 columns wide and has no colour."""
    from labinterp.cli import app

    def run(*args: str, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "argv", ["labinterp", *args])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.setenv("NO_COLOR", "1")
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            app()
        return Done(int(stop.value.code or 0), *capsys.readouterr())

    return run
