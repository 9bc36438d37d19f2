"""The OpenAPI document: what the framework finds, and what only we know of bodies, tokens and problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from labinterp._service.asks import Conversion, results_schemas
from labinterp._service.problems import Problem
from labinterp._service.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

_REF = "#/components/schemas/{model}"
_OPEN = {"/health"}


def described(app: FastAPI, settings: Settings, contexts: list[str]) -> dict[str, Any]:
    """The OpenAPI document of a service.

    Args:
        app: Whose paths.
        settings: Of the service: whether a token is needed.
        contexts: The closed list of declared circumstances.
    """
    made: dict[str, Any] = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        license_info=app.license_info,
    )
    parts = made.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        parts.pop(unused, None)
    parts |= results_schemas(contexts)
    for model in (Problem, Conversion):
        parts[model.__name__] = TypeAdapter(model).json_schema(ref_template=_REF)
    for path in made["paths"].values():
        for operation in path.values():
            for asked in operation.get("parameters", ()):
                schema = asked["schema"]
                if "anyOf" in schema:  # an option that is not given is not there: in an address there is no null
                    asked["schema"] = next(one for one in schema["anyOf"] if one["type"] != "null")
                if asked["name"] == "as_of":
                    asked["schema"] = {"type": "string", "format": "date"}
    if settings.token:
        made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for name, path in made["paths"].items():
            for operation in path.values():
                operation["security"] = [] if name in _OPEN else [{"token": []}]
    return made
