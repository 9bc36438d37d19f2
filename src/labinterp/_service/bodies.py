"""The body of a request: its type, its bytes within the bounds, and the panels in it."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from starlette.requests import ClientDisconnect, Request

from labinterp._border import KEYS
from labinterp._service.problems import Refused
from labinterp._service.settings import DEEPEST, Settings
from labinterp.errors import InputError
from labinterp.readers import PanelIn, read_bytes

JSON_TYPES = ("application/json", "application/fhir+json")
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_DRAINED = 16  # times the bound: what is still taken from a sender who is over it, so that the answer reaches it
_SHORT = 3  # characters; shorter texts are withheld only in quotes, or every "a" of a sentence would go
_FORMS = (
    "The JSON has none of the forms that are read: a panel with patient and results, a list of panels, or rows with test, value and unit. "
    "See /openapi.json for each of them."
)


def of_type(request: Request, accepted: tuple[str, ...]) -> None:
    """Refuse a body of another type, or in another encoding than UTF-8.

    Raises:
        Refused: 415.
    """
    kind, *parameters = request.headers.get("content-type", "").lower().split(";")
    charsets = [text.partition("=")[2].strip().strip('"') for text in parameters if text.strip().startswith("charset=")]
    coded = request.headers.get("content-encoding", "identity").lower()
    if kind.strip() not in accepted or any(charset not in ("utf-8", "utf8") for charset in charsets) or coded != "identity":
        raise Refused(
            415,
            "content_type",
            f"This path reads {', '.join(accepted)} in UTF-8, not compressed. Set the header Content-Type to one of them.",
        )


async def read_body(request: Request, settings: Settings) -> bytes:
    """The bytes of a body, counted as they come; no more than the bound are kept, whatever the headers say.

    Raises:
        Refused: 413 where they are more than the bound, 408 where they come too slowly.
    """
    pieces: list[bytes] = []
    size, bound = 0, settings.max_bytes
    try:
        async with asyncio.timeout(settings.timeout):
            async for piece in request.stream():
                size += len(piece)
                if size <= bound:
                    pieces.append(piece)
                elif size > bound * _DRAINED:
                    break
                else:
                    pieces.clear()
    except TimeoutError:
        late = f"The body did not arrive within {settings.timeout:g} seconds. Send it again."
        raise Refused(408, "too_slow", late, {"Connection": "close"}) from None
    except ClientDisconnect:
        raise Refused(400, "broken_off", "The body broke off. Send it again.") from None
    if size > bound:
        more = {"Connection": "close"} if size > bound * _DRAINED else None
        raise Refused(
            413, "too_large", f"The body has more than {bound} bytes, the bound of this service. Send fewer results at once.", more
        )
    return b"".join(pieces)


def panels_of(body: bytes, settings: Settings) -> list[PanelIn]:
    """The panels of a body: our own JSON in all its forms, or FHIR, as `readers.read_bytes` reads them.

    Raises:
        Refused: 400 where it is not JSON, 422 where it is JSON of no known form, 413 where it holds too many results.
    """
    body = body.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(400, "not_utf8", "The body is not UTF-8. Save it as UTF-8 and send it again.") from None
    if body[:1] not in (b"{", b"["):
        raise Refused(400, "not_json", "The body is not a JSON object or list. See /openapi.json for the forms that are read.")
    if too_deep(body):
        raise Refused(400, "too_deep", f"The JSON is nested more than {DEEPEST} deep. Results need no such depth.")
    try:
        panels = read_bytes(body).panels
    except InputError as error:
        if not well_formed(text):
            raise Refused(400, "not_json", paragraph(error, text)) from None
        raise Refused(422, "form", _FORMS if "--" in str(error) else paragraph(error, text)) from None  # no options of a command line here
    count = sum(max(1, len(panel.results)) for panel in panels)
    if count > settings.max_results:
        raise Refused(413, "too_many", f"More than {settings.max_results} results, the bound of this service. Send fewer at once.")
    return panels


def too_deep(body: bytes) -> bool:
    """Whether JSON is nested deeper than is read; told before it is parsed, for a parser may run out of stack on the way."""
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for mark in re.findall(rb"[\[\]{}]", _TEXT.sub(b"", body)):
        depth += 1 if mark in b"[{" else -1
        if depth > DEEPEST:
            return True
    return False


def well_formed(text: str) -> bool:
    """Whether a text that could not be used is JSON (or JSON Lines) at all."""

    def no(word: str) -> Any:
        raise ValueError(word)  # NaN and Infinity are not JSON

    for tried in ([text], text.splitlines()):
        try:
            for part in tried:
                if part.strip():
                    json.loads(part, parse_constant=no, parse_int=str, parse_float=str)
        except (ValueError, RecursionError):
            continue
        return True
    return False


def paragraph(error: Exception, body: str = "") -> str:
    """What an error says, in one paragraph, without any text that stands in the body as a key or value."""
    said = " ".join(str(error).split())
    ours = bytearray(b"\1" * len(said))
    for text in _texts(body):
        shown = repr(text)[1:-1]
        for form in {text, shown} if len(text) >= _SHORT else {f"'{shown}'"}:
            at = said.find(form)
            while at >= 0:
                ours[at : at + len(form)] = bytes(len(form))
                at = said.find(form, at + 1)
    kept = "".join(letter if mark else "\0" for letter, mark in zip(said, ours, strict=True))
    kept = re.sub("\0+", "(withheld)", kept)
    return kept[:1].upper() + kept[1:] + ("" if kept.endswith((".", "?", "!")) else ".")


def _texts(body: str) -> set[str]:
    """The texts of a JSON body, but for the words that are ours."""
    found = set()
    for text in re.findall(r'"(?:[^"\\]|\\.)*"', body):
        try:
            found.add(" ".join(json.loads(text, strict=False).split()))
        except ValueError:
            continue
    return found - KEYS - {"", "panels", "resourceType", "Bundle", "Observation", "DiagnosticReport"}
