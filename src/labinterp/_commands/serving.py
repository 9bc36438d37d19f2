"""`labinterp serve`: the web service, on this machine's own address unless told otherwise."""

from __future__ import annotations

import copy
import ipaddress
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from labinterp._commands.options import LimitsOption, catalog_of
from labinterp._service.settings import MAX_BYTES, MAX_RESULTS, TIMEOUT, environment_of, settings_from
from labinterp.errors import InputError, MissingExtraError

_LAST = 5  # seconds beyond the time limit for requests that run when the service is stopped
_MOST = 1024  # connections and tasks at once, in one process


def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = 8377,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="A file whose only line is the token callers must send. Or set LABINTERP_TOKEN.")
    ] = None,
    max_bytes: Annotated[int, typer.Option("--max-bytes", min=1, help="The longest body.")] = MAX_BYTES,
    max_results: Annotated[int, typer.Option("--max-results", min=1, help="The most results of one request.")] = MAX_RESULTS,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.1, max=3600, help="Seconds for reading a body, and again for its answer.")
    ] = TIMEOUT,
    workers: Annotated[int, typer.Option("--workers", min=1, max=256, help="Processes; one a core is enough.")] = 1,
    limits: LimitsOption = None,
) -> None:
    """Serve answers to other programs over HTTP, on this machine only unless told otherwise. Nothing is stored.

    \b
    labinterp serve
    labinterp serve --port 9000 --workers 2
    labinterp serve --host 0.0.0.0 --token-file token.txt
    """
    try:
        import uvicorn

        from labinterp import service as service
    except ImportError:
        raise MissingExtraError("service") from None
    stated = environment_of(token_file=token_file, limits=limits, max_bytes=max_bytes, max_results=max_results, timeout=timeout)
    os.environ.update(stated)
    token = settings_from(os.environ).token  # refused here, not in each process
    catalog_of(limits)
    if not _own(host) and token is None:
        typer.echo(
            f"labinterp: {host} can be reached from other machines, and no token is set: anybody there may ask. See --token-file.", err=True
        )
    listening = _listen(host, port)
    port = listening.getsockname()[1]
    where: dict[str, Any] = {"fd": listening.fileno()}  # one socket for all processes; who comes early waits in it
    if sys.platform == "win32":
        listening.close()
        where = {"host": host, "port": port}
    typer.echo(f"labinterp serves on http://{f'[{host}]' if ':' in host else host}:{port}/ until Ctrl-C.", err=True)
    signal.signal(signal.SIGTERM, _asked_to_stop)
    uvicorn.run(
        "labinterp.service:from_environment", factory=True, **where, workers=workers, log_config=_logs(), access_log=False,
        server_header=False, timeout_graceful_shutdown=int(timeout) + _LAST, limit_concurrency=_MOST, ws="none",
    )  # fmt: skip


def _asked_to_stop(*_: Any) -> None:
    """A service that was asked to stop, and did, has not failed."""
    sys.exit(0)


def _own(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens; 0 takes a free port.

    What is accepted from it sends at once: else the second part of an answer waits for a receipt of the first, up to 40 ms.

    Raises:
        InputError: The address is taken, or is none of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise InputError(f"cannot listen on {host}, port {port}: {why}. Choose another with --host or --port") from None
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.set_inheritable(True)
    return made


def _logs() -> dict[str, Any]:
    """Where the log goes: all of it to standard error, our own lines among it."""
    from uvicorn.config import LOGGING_CONFIG

    made: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    made["loggers"]["labinterp.service"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return made
