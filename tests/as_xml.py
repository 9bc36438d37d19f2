"""FHIR as JSON -> FHIR as XML, by the rules the standard gives (https://hl7.org/fhir/R4/xml.html); it knows nothing of the reader."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

FHIR = "http://hl7.org/fhir"


class Written(str):
    """A number of JSON, as it is written."""


class NoXml(Exception):
    """What JSON may hold and XML may not: control characters, or parts that are no FHIR, such as a truth value for a quantity."""


_NEVER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def as_xml(text: str | bytes, prefix: str = "") -> bytes:
    """The XML of one resource, given as JSON."""
    parsed = json.loads(text, parse_float=Written, parse_int=Written, parse_constant=Written)
    if not isinstance(parsed, dict) or not isinstance(parsed.get("resourceType"), str):
        raise NoXml
    colon = f"{prefix}:" if prefix else ""
    declared = f' xmlns:{prefix}="{FHIR}"' if prefix else f' xmlns="{FHIR}"'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{"".join(resource(parsed, colon, declared))}\n'.encode()


def resource(one: dict[str, Any], colon: str, declared: str = "") -> Iterator[str]:
    kind = one["resourceType"]
    if not _NAME.fullmatch(kind):
        raise NoXml
    yield f"<{colon}{kind}{declared}>"
    yield from children({key: value for key, value in one.items() if key != "resourceType"}, colon)
    yield f"</{colon}{kind}>\n"


def children(one: dict[str, Any], colon: str, attributes: tuple[str, ...] = ()) -> Iterator[str]:
    names = dict.fromkeys(key.removeprefix("_") for key in one)
    for name in names:
        if name in attributes:
            continue
        if not _NAME.fullmatch(name):
            raise NoXml
        value, beside = one.get(name), one.get(f"_{name}")
        if name == "valueQuantity" and value is not None and not isinstance(value, dict):
            raise NoXml
        if isinstance(value, list) or isinstance(beside, list):
            values = value if isinstance(value, list) else []
            besides = beside if isinstance(beside, list) else []
            for at in range(max(len(values), len(besides))):
                yield from element(name, values[at] if at < len(values) else None, besides[at] if at < len(besides) else None, colon)
        elif value is not None or beside is not None:
            yield from element(name, value, beside, colon)


def element(name: str, value: Any, beside: Any, colon: str) -> Iterator[str]:
    if isinstance(value, dict) and "resourceType" in value:
        yield f"<{colon}{name}>"
        yield from resource(value, colon)
        yield f"</{colon}{name}>"
        return
    if name == "div" and isinstance(value, str):
        try:
            ET.fromstring(value)
        except ET.ParseError:
            raise NoXml from None
        yield value
        return
    parts = value if isinstance(value, dict) else beside if isinstance(beside, dict) else {}
    held = tuple(
        key for key in ("id", "url") if isinstance(parts.get(key), str) and (key == "id" or name in ("extension", "modifierExtension"))
    )
    written = "".join(f" {key}={attribute(parts[key])}" for key in held)
    if value is not None and not isinstance(value, (dict, list)):
        written += f" value={attribute(value)}"
    elif isinstance(value, list):
        raise NoXml
    inner = "".join(children(parts, colon, held))
    yield f"<{colon}{name}{written}>{inner}</{colon}{name}>" if inner else f"<{colon}{name}{written}/>"


def attribute(value: Any) -> str:
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    if _NEVER.search(text):
        raise NoXml
    return quoteattr(text)
