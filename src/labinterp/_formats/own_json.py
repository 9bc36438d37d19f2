"""This library's own JSON, and plain records -> panels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from labinterp._formats.tables import read_rows
from labinterp._intake import PanelIn, Piece, Source, Wanted, stood
from labinterp._table import decode, roles_of
from labinterp.errors import InputError


def read(pieces: Sequence[Piece], wanted: Wanted) -> list[Source]:
    """JSON files of the forms in docs/json.md.

    Args:
        pieces: The files.
        wanted: Columns of rows; encoding.

    Returns:
        list: one source for each file.

    Raises:
        InputError: It is not JSON, or not of one of these forms.
    """
    return [_source(piece, wanted) for piece in pieces]


def _source(piece: Piece, wanted: Wanted) -> Source:
    text = decode(piece.data, wanted.encoding)[0]
    try:
        panels = read_json(text, wanted.columns)
    except InputError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 3 or not all(map(_is_json, lines[:-1])) or _is_json(lines[-1]):
            raise
        note = f"{piece.name or 'the file'}: its last line breaks off and was not read; the file may be cut off there."
        return Source(_placed(read_json("\n".join(lines[:-1]), wanted.columns), piece.name), None, "json", (note,))
    return Source(_placed(panels, piece.name), None, "json")


def _is_json(line: str) -> bool:
    try:
        _loads(line)
    except (InputError, ValueError, RecursionError):
        return False
    return True


def _placed(panels: list[PanelIn], name: str) -> list[PanelIn]:
    """The panels with the place each result stood at, where the file has a name."""
    if not name:
        return panels
    return [
        panel._replace(
            results=[
                result if result.source is not None else result._replace(source=stood(name, f"result {row}"))
                for row, result in zip(panel.rows, panel.results, strict=True)
            ]
        )
        for panel in panels
    ]


def read_json(text: str, columns: Mapping[str, str] | None = None) -> list[PanelIn]:
    """Panels from JSON: one panel, a list of panels, a list of rows, a plain mapping, or JSON Lines of rows.

    Raises:
        InputError: It is not JSON, or not of one of these forms.

    Example:
        >>> read_json('{"patient": {"sex": "female", "age_years": 71}, "results": {"B12": "210 pg/mL"}}')[0].results[0].test
        'B12'
    """
    try:
        data = _loads(text)
    except RecursionError:
        raise InputError("the JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            data = [_loads(line) for line in lines]
        except (json.JSONDecodeError, RecursionError):
            raise InputError(f"this is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    if isinstance(data, Mapping) and "resourceType" in data:
        raise InputError("this is FHIR; say so: --from fhir, or format='fhir'")
    if isinstance(data, Mapping):
        data = data.get("panels", [data]) if "results" not in data else [data]
    if not data or not isinstance(data, list) or not all(isinstance(item, Mapping) for item in data):
        raise InputError(
            'accepted JSON: {"patient": {...}, "results": [...]}, a list of these, or a list of rows with test, value and unit'
        )
    if all("results" in item for item in data) and data:
        return _json_panels(data)
    if len(data) == 1 and not {"test", "value"} & roles_of(data[0]) and all(not isinstance(v, (list, Mapping)) for v in data[0].values()):
        return _json_panels([{"results": data[0]}])
    return read_rows(data, columns)


def _loads(text: str) -> Any:
    """JSON with exact numbers, and no key twice: of two results under one name the first would be lost."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise InputError("a key stands twice in one object; give repeated results as a list")
        return found

    return json.loads(text, parse_float=_with_point, parse_int=_whole_number, object_pairs_hook=once)


def _with_point(text: str) -> Decimal | str:
    """A number with all its digits; one whose exponent no decimal has stays a text, and is told as a value that cannot be read."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _whole_number(text: str) -> int | Decimal:
    return int(text) if len(text) < 30 else Decimal(text)


def _json_panels(items: Sequence[Mapping[str, Any]]) -> list[PanelIn]:
    from labinterp._border import read_panels

    panels, row = [], 0
    for patient, results, notes in read_panels(items):
        panels.append(PanelIn(patient, results, list(range(row + 1, row + 1 + len(results))), notes))
        row += len(results)
    return panels
