"""What several test files share."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest


def pytest_configure() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would every process that is started here to be stopped by it."""
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
