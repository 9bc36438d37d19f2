"""How a service is set: its bounds, its token, whose limits it answers with; checked once, at the start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from labinterp.errors import InputError

MAX_BYTES = 2 * 1024 * 1024
MAX_RESULTS = 5000
TIMEOUT = 10.0
DEEPEST = 64  # a FHIR bundle nests about fifteen deep

_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]{16,512}=*")  # what RFC 6750 lets stand behind "Bearer"
_FORM = "the token is 16 to 512 letters, digits or - . _ ~ + / without blanks; make one with: openssl rand -hex 32"
_ENV = {"max_bytes": "LABINTERP_MAX_BYTES", "max_results": "LABINTERP_MAX_RESULTS", "timeout": "LABINTERP_TIMEOUT"}


class Settings(NamedTuple):
    """The bounds of a service.

    Attributes:
        token: What a caller must show, or None where anybody may ask.
        max_bytes: The longest body. [bytes]
        max_results: The most results of one request; an empty panel counts as one.
        timeout: For reading a body, and again for the answer. [seconds]
        threads: Requests that are computed at once.
        places: Requests that are read, wait or are computed at once; who comes on top is asked to come back.
    """

    token: str | None = None
    max_bytes: int = MAX_BYTES
    max_results: int = MAX_RESULTS
    timeout: float = TIMEOUT
    threads: int = 4
    places: int = 64

    def checked(self) -> Settings:
        """The same, where it can be used.

        Raises:
            InputError: A bound that is none, or a token that is easy to guess or cannot be sent.
        """
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            raise InputError(_FORM)
        if min(self.max_bytes, self.max_results, self.threads, self.places) < 1 or not 0 < self.timeout <= 3600:
            raise InputError("the bounds of a service are positive numbers; the time limit is at most 3600 seconds")
        return self


def token_from(path: Path) -> str:
    """The token a file holds: its first line.

    Raises:
        InputError: The file cannot be read, or there is no usable token in it.
    """
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise InputError("the token file cannot be read; give a text file with the token on its only line") from None
    if not _TOKEN.fullmatch(text):
        raise InputError(_FORM)
    return text


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Settings as the environment states them: LABINTERP_TOKEN or LABINTERP_TOKEN_FILE, LABINTERP_MAX_BYTES and so on.

    Raises:
        InputError: A text that is no number, or a setting that cannot be used.
    """
    given: dict[str, str] = {field: environment[name] for field, name in _ENV.items() if environment.get(name)}
    try:
        numbers = {field: (float if field == "timeout" else int)(text) for field, text in given.items()}
    except ValueError:
        raise InputError(f"{', '.join(_ENV.values())} are numbers") from None
    file = environment.get("LABINTERP_TOKEN_FILE")
    token = token_from(Path(file)) if file else environment.get("LABINTERP_TOKEN") or None
    return Settings(token=token, **numbers).checked()  # type: ignore[arg-type]


def environment_of(*, token_file: Path | None, limits: Path | None, max_bytes: int, max_results: int, timeout: float) -> dict[str, str]:
    """What `settings_from` reads, from options; so that worker processes of a service are set alike."""
    stated = {"LABINTERP_MAX_BYTES": str(max_bytes), "LABINTERP_MAX_RESULTS": str(max_results), "LABINTERP_TIMEOUT": str(timeout)}
    if token_file is not None:
        stated["LABINTERP_TOKEN_FILE"] = str(token_file.resolve())
    if limits is not None:
        stated["LABINTERP_LIMITS"] = str(limits.resolve())
    return stated
