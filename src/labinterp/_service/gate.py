"""What every request passes: headers of the answer, one log line without data, and no exception that leaves with its text."""

from __future__ import annotations

import logging
import secrets
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from labinterp._service.problems import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = logging.getLogger("labinterp.service")
_METHODS = {"GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"}
_OURS = Path(__file__).resolve().parents[1]
_POLICY = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", _POLICY),
)


class Gate:
    """ASGI middleware around the whole service."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back with the headers; log method, path of the route, status and time."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message["headers"])
                set_there = {name for name, _ in headers}
                message = {**message, "headers": headers + [pair for pair in _HEADERS if pair[0] not in set_there]}
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            id = secrets.token_hex(6)
            LOG.error("fault %s: %s in %s", id, type(error).__name__, place_of(error.__traceback__))
            if not status:
                text = f"A fault of the service. Its log names the place under the id {id}, without your data. Report it with this id."
                await problem(500, "internal", text, id=id)(scope, receive, answer)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            path = getattr(scope.get("route"), "path_format", "(no such path)")
            LOG.info("%s %s %d %.1f ms", method, path, status, 1000 * (time.perf_counter() - began))


def place_of(trace: TracebackType | None) -> str:
    """The last place of a traceback in our own code: a file and a line, never a text."""
    found = "(outside labinterp)"
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_relative_to(_OURS):
            found = f"{path.relative_to(_OURS)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


class WithoutData(logging.Filter):
    """For the access log of a server: the first step of a path stays, the rest and the query go."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Cut the path of an access record; keep the record."""
        if isinstance(record.args, tuple) and len(record.args) == 5:  # client, method, path, version, status: as uvicorn writes them
            client, method, path, version, status = record.args
            record.args = (client, method, cut(str(path)), version, status)
        return True


def cut(path: str) -> str:
    """A path without what may say something of a person.

    Example:
        >>> cut("/convert?value=18"), cut("/limits/vitamin_d"), cut("/Jane")
        ('/convert', '/limits/...', '/...')
    """
    first, more, _ = path.partition("?")[0].removeprefix("/").partition("/")
    known = first in ("", "interpret", "analytes", "limits", "convert", "health", "version", "openapi.json")
    return f"/{first}{'/...' if more else ''}" if known else "/..."
