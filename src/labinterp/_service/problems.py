"""What a caller is told when there is no answer: a problem document of RFC 9457, one calm paragraph with the next step.

No document holds what the caller sent as a body.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


def _left_out(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class Problem(BaseModel):
    """Why there is no answer."""

    type: Literal["about:blank"] = Field(description="Always `about:blank`: `status` and `code` say what is wrong.")
    title: str = Field(description="The name of the status.")
    status: int
    code: str = Field(description="A short key for programs, such as `too_large`.")
    detail: str = Field(description="What is wrong and what to do next, for people. Never holds the body of the request.")
    id: str = Field(default="", description="Only with `internal`: name it when you report the problem.", json_schema_extra=_left_out)


class Refused(Exception):
    """A request that gets a problem document for an answer.

    Args:
        status: HTTP status.
        code: Key for programs.
        detail: For people.
        headers: More headers of the answer.
    """

    def __init__(self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, code, detail, headers)
        self.status, self.code, self.detail, self.headers = status, code, detail, dict(headers or {})


def problem(status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **more: str) -> Response:
    """A problem document as a response."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": detail, **more}
    return Response(json.dumps(body), status, headers, MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How OpenAPI tells of the problems a path may answer with."""
    says = {
        400: "The body is not JSON: not UTF-8, broken, or nested too deeply.",
        401: "A bearer token is needed, and none or another was sent.",
        404: "No analyte has this name or code.",
        408: "The body did not arrive in time.",
        413: "The body is too long, or holds too many results.",
        415: "The body is not of a content type that is read here.",
        422: "The JSON or an option was read and cannot be used: the form, a name, a unit, a day.",
        500: "A fault of the service. The `id` stands in its log, without any data.",
        503: "Busy. Ask again after the seconds in `Retry-After`.",
        504: "The answer took too long. Send fewer results at once.",
    }
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": says[status], "content": content} for status in statuses}
