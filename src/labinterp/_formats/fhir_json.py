"""Bytes of FHIR -> its resources, each with its place: one JSON document, a list, NDJSON, or what is left of a document that breaks off.

Plain JSON walking, on purpose: a strict model would drop results that are dirty and readable. Numbers stay exact, and keep the digits they
were printed with. Nothing here recurses, so that no nesting of a file can use up the stack.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

from labinterp.errors import InputError

TWICE: Final = "\0twice"  # set in an object in which a key stands twice: which of the two is meant cannot be told
DEEPEST: Final = 16  # bundles within bundles, contained resources within resources
_LONGEST_NUMBER: Final = 80  # characters; a longer one stays a text, and is refused as one
_ENTRIES = re.compile(r'"entry"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")


class Place(NamedTuple):
    """A resource and where it stands.

    Attributes:
        path: "entry[3].resource", "line 7", "[2]"; the type of the resource where it is the whole document.
        resource: The parsed object.
        url: Its `fullUrl`, where its entry has one.
        scopes: Numbers of the bundles it lies in, innermost first.
        within: The resource that contains it, for `contained` ones.
        history: Whether its bundle is a history, in which several versions of a resource stand.
    """

    path: str
    resource: Mapping[str, Any]
    url: str = ""
    scopes: tuple[int, ...] = ()
    within: Place | None = None
    history: bool = False

    @property
    def type(self) -> str:
        """Its `resourceType`."""
        kind = self.resource.get("resourceType")
        return kind if isinstance(kind, str) else ""

    @property
    def id(self) -> str:
        """Its `id`, or nothing."""
        return text_of(self.resource.get("id"))

    @property
    def is_named(self) -> bool:
        """Whether it has a name that no other resource in the world has: an address, a UUID, or an identifier."""
        return (
            "://" in self.url
            or self.url.startswith("urn:")
            or any(text_of(one.get("value")) for one in dicts_of(self.resource.get("identifier")))
        )

    def at(self, path: str) -> str:
        """The path of something within it."""
        return f"{self.path}{':' if self.path.startswith('line ') else '.'}{path}"


def text_of(value: Any) -> str:
    """A text field that may hold anything: stripped, and nothing where it is no text."""
    if type(value) is str:
        return value.strip()
    return str(value) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else ""


def dict_of(value: Any) -> Mapping[str, Any]:
    """An object, or an empty one where something else stands."""
    return value if isinstance(value, dict) else {}


def one_of(value: Any) -> Mapping[str, Any]:
    """An object, also where it is the only one of a list: R5 lets the subjects of a document be several."""
    listed = dicts_of(value)
    return listed[0] if len(listed) == 1 else {}


def dicts_of(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; an object that stands alone, as STU3 writes some, is a list of one."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def documents(text: str) -> tuple[list[tuple[str, Any]], list[str]]:
    """The JSON of a file: (place, parsed) for each document in it, and what of it could not be read.

    Args:
        text: One JSON document, or one on each line.

    Raises:
        InputError: Nothing of it is JSON, or it is nested too deeply.

    Example:
        >>> documents('{"resourceType": "Patient"}\\n{"resourceType": "Observation"}')[0][1][0]
        'line 2'
    """
    text = text.lstrip("\ufeff")
    try:
        return [("", _DECODER.decode(text))], []
    except RecursionError:
        raise InputError("the JSON is nested too deeply; FHIR needs no more than some tens of levels") from None
    except json.JSONDecodeError as error:
        lines = list(_lines(text))
        if len(lines) > 1 and any(isinstance(line, dict) and "resourceType" in line for _, line in lines):
            broken = [str(number) for number, line in lines if line is None]
            said = (
                [f"Lines that are not JSON and were passed over: {', '.join(broken[:10])}{' and more' if len(broken) > 10 else ''}."]
                if broken
                else []
            )
            if broken and lines[-1][1] is None:
                said.append("The file breaks off in its last line; what stands before it was read.")
            return [(f"line {number}", line) for number, line in lines if line is not None], said
        left = _left_of(text)
        if left is None:
            raise InputError(f"this is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
        return [("", left)], [
            f"The file is truncated or damaged: its JSON ends at line {error.lineno}, column {error.colno}. What stands before was read."
        ]


def places(name: str, parsed: Any, file: int, numbers: Iterator[int]) -> Iterator[Place]:
    """Every resource of a document in the order it stands, bundles within bundles and contained resources included.

    Args:
        name: Place of the document in its file.
        parsed: A resource, or a list of resources.
        file: Number of the file, the outermost scope.
        numbers: Where the numbers of bundles come from.
    """
    if isinstance(parsed, list):
        roots = [Place(f"{name}[{n}]", one, "", (file,)) for n, one in enumerate(parsed) if isinstance(one, dict)]
    else:
        roots = [Place(name or text_of(parsed.get("resourceType")) or "resource", parsed, "", (file,))] if isinstance(parsed, dict) else []
    stack = roots[::-1]
    while stack:
        place = stack.pop()
        yield place
        if len(place.scopes) > DEEPEST:
            continue
        if isinstance(place.resource.get("entry"), list) and place.type in ("Bundle", ""):
            stack += list(_entries(place, (next(numbers), *place.scopes)))[::-1]
        elif place.type == "Parameters":
            stack += list(_parameters(place, (next(numbers), *place.scopes)))[::-1]
        elif isinstance(place.resource.get("contained"), list):
            scopes = (next(numbers), *place.scopes)
            listed = [(n, one) for n, one in enumerate(place.resource["contained"]) if isinstance(one, dict)]
            stack += [Place(place.at(f"contained[{n}]"), one, "", scopes, place, place.history) for n, one in listed][::-1]


def _entries(bundle: Place, scopes: tuple[int, ...]) -> Iterator[Place]:
    prefix = "" if bundle.path == "Bundle" else bundle.at("")
    history = bundle.resource.get("type") == "history"
    for number, entry in enumerate(bundle.resource["entry"]):
        if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
            yield Place(f"{prefix}entry[{number}].resource", entry["resource"], text_of(entry.get("fullUrl")), scopes, None, history)


def holds_resources(place: Place) -> bool:
    """Whether it is Parameters with a resource in them."""
    return place.type == "Parameters" and next(_parameters(place, ()), None) is not None


def _parameters(whole: Place, scopes: tuple[int, ...]) -> Iterator[Place]:
    """The resources that an operation answers with, also those in parts of a parameter."""
    prefix = "" if whole.path == "Parameters" else whole.at("")
    waiting = [(f"{prefix}parameter", whole.resource.get("parameter"), 0)]
    while waiting:
        path, listed, depth = waiting.pop(0)
        for number, one in enumerate(listed if isinstance(listed, list) else []):
            if isinstance(one, dict) and isinstance(one.get("resource"), dict):
                yield Place(f"{path}[{number}].resource", one["resource"], "", scopes, None, whole.history)
            elif isinstance(one, dict) and depth < DEEPEST:
                waiting.append((f"{path}[{number}].part", one.get("part"), depth + 1))


def _lines(text: str) -> Iterator[tuple[int, Any]]:
    """The lines of NDJSON; None for one that is no JSON object."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            parsed = _DECODER.decode(line)
        except (json.JSONDecodeError, RecursionError):
            parsed = None
        yield number, parsed if isinstance(parsed, dict) else None
        if number == 1 and parsed is None and len(line.strip()) < 3:  # "{" alone: one document over many lines
            return


def _left_of(text: str) -> Any:
    """What is left of a bundle or a list that breaks off: its whole entries, and those of a bundle within it; None where there is none."""
    levels: list[list[Any]] = []
    at = len(text) - len(text.lstrip()) + 1 if text.lstrip()[:1] == "[" else 0
    while len(levels) < DEEPEST:
        if levels or not at:
            start = _ENTRIES.search(text, at)
            if start is None:
                break
            at = start.end()
        items: list[Any] = []
        levels.append(items)
        while True:
            between = _BETWEEN.match(text, at)
            at = between.end() if between else at
            try:
                item, at = _DECODER.raw_decode(text, at)
            except (json.JSONDecodeError, RecursionError):
                break
            items.append(item)
        if text[at : at + 1] != "{":  # else the item that breaks off may hold whole entries
            break
    if not any(levels):
        return None
    listed = text.lstrip()[:1] == "["
    for outer, inner in zip(levels[-2::-1], levels[:0:-1], strict=True):
        bundle = {"resourceType": "Bundle", "entry": inner}
        outer.append(bundle if listed and outer is levels[0] else {"resource": bundle})
    return levels[0] if listed else {"resourceType": "Bundle", "entry": levels[0]}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        found[TWICE] = True
    return found


def exact(text: str) -> Decimal | int | str:
    """A number with all its digits; one that no laboratory prints stays a text.

    Example:
        >>> exact("1.10"), exact("12"), exact("9" * 81) == "9" * 81
        (Decimal('1.10'), 12, True)
    """
    if len(text) > _LONGEST_NUMBER:
        return text
    try:
        return int(text) if text.lstrip("-").isdigit() else Decimal(text)
    except (InvalidOperation, ValueError):
        return text


_DECODER = json.JSONDecoder(parse_float=exact, parse_int=exact, parse_constant=str, strict=False, object_pairs_hook=_once)
