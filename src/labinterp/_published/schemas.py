"""The published forms -> JSON Schema, for programs in any language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pydantic import TypeAdapter

from labinterp._border import PanelModel
from labinterp._published.answers import Document, Report
from labinterp._published.lookups import Analyte, LimitSet
from labinterp.errors import InputError

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# What each schema is of: its title, and the type.
_FORMS: Final[dict[str, tuple[str, Any]]] = {
    "report": ("One report", Report),
    "document": ("What `labinterp interpret --to json` prints", Document),
    "panel": ("One panel, as `labinterp interpret` takes it", PanelModel),
    "analytes": ("What `labinterp analytes --to json` prints", list[Analyte]),
    "limits": ("What `labinterp limits ANALYTE --to json` prints", list[LimitSet]),
}
NAMES: Final = tuple(_FORMS)


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a published form.

    Args:
        name: One of `NAMES`.

    Returns:
        dict: a schema of its own, which refers to nothing outside.

    Raises:
        InputError: There is no form of that name.

    Example:
        >>> schema_of("report")["title"], "findings" in schema_of("report")["required"]
        ('One report', True)
    """
    if name not in _FORMS:
        raise InputError(f"there is no schema {name!r}; accepted: {', '.join(NAMES)}")
    title, form = _FORMS[name]
    made: Callable[..., dict[str, Any]] = TypeAdapter(form).json_schema
    return {"$schema": _DIALECT, **made(mode="validation" if name == "panel" else "serialization"), "title": title}
