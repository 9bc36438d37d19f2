"""A web service for programs that are not written in Python: `labinterp serve`, or `app()` in a server of your own.

It keeps nothing and logs no data. Needs the extra `service`.

Example:
    >>> from labinterp.service import app
    >>> sorted(app().openapi()["paths"])
    ['/analytes', '/convert', '/health', '/interpret', '/limits/{analyte}', '/version']
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labinterp import __version__
from labinterp._catalog import Catalog
from labinterp._interpret import interpret
from labinterp.errors import MissingExtraError

try:
    from fastapi import FastAPI, Request
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException
except ImportError:
    raise MissingExtraError("service") from None

from labinterp._service.gate import Gate, WithoutData
from labinterp._service.problems import Refused, problem
from labinterp._service.routes import Served, data_paths, open_paths
from labinterp._service.schema import described
from labinterp._service.settings import MAX_BYTES, MAX_RESULTS, TIMEOUT, Settings, settings_from
from labinterp._service.work import Work

if TYPE_CHECKING:
    from starlette.responses import Response

_ABOUT = (
    "Blood results checked against cited, dated limits. Not a medical device and not a diagnosis; no clinician has reviewed the catalog. "
    "The service keeps nothing. A result that cannot be assessed comes back with its reason. Problems are answered with "
    "`application/problem+json`: 400 where a body is not JSON, 422 where it is JSON that cannot be used."
)


def app(
    *,
    token: str | None = None,
    max_bytes: int = MAX_BYTES,
    max_results: int = MAX_RESULTS,
    timeout: float = TIMEOUT,
    catalog: Catalog | None = None,
) -> FastAPI:
    """The service as an ASGI application.

    Args:
        token: What a caller must send as `Authorization: Bearer ...`; default: anybody may ask.
        max_bytes: The longest body. [bytes]
        max_results: The most results of one request.
        timeout: For reading a body, and again for its answer. [seconds]
        catalog: Other data, such as `Catalog.default().with_files("our_limits/")`.

    Returns:
        FastAPI: to be run by uvicorn or another ASGI server, alone or mounted in an application.

    Raises:
        MissingExtraError: At import, without the extra `service`.
        InputError: A bound or a token that cannot be used.

    Example:
        >>> app(max_results=100).title
        'labinterp'

    Source:
        Problem documents: RFC 9457. Bearer tokens: RFC 6750.
    """
    settings = Settings(token=token, max_bytes=max_bytes, max_results=max_results, timeout=timeout).checked()
    catalog = catalog or Catalog.default()
    work = Work(settings)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        access, quiet = logging.getLogger("uvicorn.access"), WithoutData()
        access.addFilter(quiet)
        interpret({"25(OH)D": "18 ng/mL", "B12": "210 pg/mL"}, catalog=catalog)  # what is made at a first answer is made before it
        try:
            yield
        finally:
            access.removeFilter(quiet)
            work.close()

    made = FastAPI(
        title="labinterp", version=__version__, summary="Blood results checked against cited, dated limits.", description=_ABOUT,
        license_info={"name": "MIT", "identifier": "MIT"}, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=life,
    )  # fmt: skip
    made.include_router(open_paths())
    made.include_router(data_paths(Served(catalog, settings, work), partial(_allowed, settings.token)))
    made.add_middleware(Gate)
    made.add_exception_handler(Refused, _refused)
    made.add_exception_handler(RequestValidationError, _not_an_option)
    made.add_exception_handler(HTTPException, _no_such_path)
    contexts = sorted(catalog.table["policy"]["contexts"])

    def openapi() -> dict[str, Any]:
        if not made.openapi_schema:
            made.openapi_schema = described(made, settings, contexts)
        return made.openapi_schema

    made.openapi = openapi  # type: ignore[method-assign]
    return made


def from_environment() -> FastAPI:
    """The service as the environment sets it, for servers that start one by name and for worker processes.

    LABINTERP_TOKEN or LABINTERP_TOKEN_FILE, LABINTERP_MAX_BYTES, LABINTERP_MAX_RESULTS, LABINTERP_TIMEOUT and
    LABINTERP_LIMITS (a site's own limits) are read; none is needed.

    Raises:
        InputError: A setting that cannot be used.
        CatalogError: A site's own limits with problems.

    Example:
        `uvicorn --factory labinterp.service:from_environment`
    """
    limits = os.environ.get("LABINTERP_LIMITS")
    catalog = Catalog.default().with_files(Path(limits)) if limits else None
    token, max_bytes, max_results, timeout, *_ = settings_from(os.environ)
    return app(token=token, max_bytes=max_bytes, max_results=max_results, timeout=timeout, catalog=catalog)


async def _allowed(token: str | None, request: Request) -> None:
    """Refuse a caller without the token; how long that takes tells nothing of it."""
    if token is None:
        return
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    same = hmac.compare_digest(*(hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in (shown.strip(), token)))
    if not same or scheme.lower() != "bearer":
        wrong = ', error="invalid_token"' if scheme else ""
        text = "This service asks for a token: send the header Authorization: Bearer TOKEN."
        raise Refused(401, "token", text, {"WWW-Authenticate": f'Bearer realm="labinterp"{wrong}'})


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return problem(error.status, error.code, error.detail, error.headers)


async def _not_an_option(_: Request, error: Exception) -> Response:
    """An option that is not known or cannot be used; it is named where the name is ours, and never with its text."""
    assert isinstance(error, RequestValidationError)
    ours = {"authority", "as_of", "decimal", "research", "analyte", "value", "unit"}
    wrong = sorted({str(part) for one in error.errors() for part in one["loc"] if part in ours})
    what = f"cannot be used: {', '.join(wrong)}" if wrong else "is not known here"
    return problem(422, "option", f"An option of this path {what}. See /openapi.json for what it takes.")


async def _no_such_path(request: Request, error: Exception) -> Response:
    """No such path, or none for this method; then with every method it takes, for a path may have several routes."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        paths = request.app.openapi()["paths"].items()
        methods = {
            method.upper() for path, there in paths if re.fullmatch(re.sub(r"\{\w+\}", ".+", path), request.url.path) for method in there
        }
        headers |= {"Allow": ", ".join(sorted(methods))} if methods else {}
    code, text = {
        404: ("no_such_path", "There is nothing under this path. See /openapi.json for the paths of this service."),
        405: ("method", "This path does not take this method. See /openapi.json for those it takes."),
    }.get(error.status_code, ("request", "The request cannot be used. See /openapi.json for what this service takes."))
    return problem(error.status_code, code, text, headers)
