"""The parts of a workbook, looked at before a library opens them: bombs are refused, and cells with errors are found."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from html import unescape
from typing import Final, NamedTuple

from labinterp._formats.archives import called, opened_zip, unpacked_member
from labinterp._formats.xml_elements import declares_entities
from labinterp._lazy import pattern
from labinterp.errors import InputError

MOST_CELLS: Final = 20_000_000  # of a sheet, from its first cell to its last, the empty ones too
NO_VALUE: Final = "(formula)"  # shown for a formula whose value is not in the file
_MACROS = ("vbaproject.bin",)
_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
_ROW = re.compile(rb'<(?:\w+:)?row\s[^>]*?\br="([0-9]{1,9})"')
_ERROR_CELL = re.compile(
    rb'<(?:\w+:)?c\s(?=[^>]*?\bt="e")[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*>(?:(?!</(?:\w+:)?c>).){0,2000}?<(?:\w+:)?v>([^<]{0,40})<',
    re.DOTALL,
)
_LEFT_OPEN = re.compile(
    rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*>\s*<(?:\w+:)?f\b(?:[^<]{0,4000}</(?:\w+:)?f>|[^>]*/>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>'
)
_REPEATED = re.compile(rb"<table:table-(row|cell)\b([^>]*?)(/?)>")
_TIMES = re.compile(rb'table:number-(?:rows|columns)-repeated="([0-9]{1,9})"')
_OPEN_PART = re.compile(rb"<table:(table|table-row|table-cell|covered-table-cell)\b(?!-)([^>]*?)(/?)>")
_OPEN_NAME = re.compile(rb'table:name="([^"]*)"')
_FORMAT = re.compile(rb'<(?:\w+:)?numFmt\s(?=[^>]*?\bnumFmtId="([0-9]+)")[^>]*>')
_FORMAT_ID = re.compile(rb'\bnumFmtId="([0-9]+)"')
_STYLE = re.compile(rb"<(?:\w+:)?xf\b[^>]*>")
_CELL_STYLE = re.compile(rb'\bs="([0-9]+)"')
_SHEET = pattern(r"<(?:\w+:)?sheet\s[^>]*>")
_ATTRIBUTE = pattern(r'([\w:]+)="([^"]*)"')
_TARGET = pattern(r"<(?:\w+:)?Relationship\s[^>]*>")


class Parts(NamedTuple):
    """What was seen.

    Attributes:
        errors: Sheet -> (row, column) from 0 -> the error a cell shows.
        percent: Sheet -> cells that show a hundred times their number, and a percent sign.
        notes: What is to be said of the file.
    """

    errors: Mapping[str, Mapping[tuple[int, int], str]]
    percent: Mapping[str, frozenset[tuple[int, int]]]
    notes: tuple[str, ...]


def parts_of(data: bytes, name: str) -> Parts:
    """Look through the parts of a workbook that is a zip archive.

    Args:
        data: The file.
        name: For messages.

    Raises:
        InputError: It is damaged or encrypted, declares entities, or unpacks to more than can be read.
    """
    archive = opened_zip(data, name)
    pages: dict[str, bytes] = {}
    styles, open_percent = b"", dict[str, frozenset[tuple[int, int]]]()
    for member in archive.infolist():
        if member.filename.lower() == "xl/workbook.bin":
            raise InputError(f"{called(name)}this is a binary workbook (.xlsb), which is not read; save it as .xlsx")
        if not member.filename.lower().endswith((".xml", ".rels")):
            continue
        content = unpacked_member(archive, member, name)
        plain = content.replace(b"\0", b"") if b"\0" in content[:400] else content  # XML in UTF-16
        if declares_entities(content):
            raise InputError(f"{called(name)}the workbook declares entities in its XML, as harmful files do; save it again, or as CSV")
        if member.filename.lower().startswith("xl/worksheets/"):
            _bounded(plain, name)
            pages[member.filename.lower()] = plain
        elif member.filename == "content.xml":
            _bounded_open(plain, name)
            open_percent = _open_percent(plain)
        elif member.filename.lower() == "xl/styles.xml":
            styles = plain
    notes = [f"{called(name)}the macros of the workbook were not run."] if _has_macros(archive) else []
    paths = {sheet: pages[path] for sheet, path in _paths(archive, name).items() if path in pages}
    shown = _percent_styles(styles)
    percent = {sheet: _percent(page, shown) for sheet, page in paths.items()} or open_percent
    return Parts({sheet: _errors(page) for sheet, page in paths.items()}, percent, tuple(notes))


def _percent_styles(styles: bytes) -> set[bytes]:
    """Numbers of the cell styles that show a percentage."""
    own = {found[1] for found in _FORMAT.finditer(styles) if b"%" in found[0]} | {b"9", b"10"}
    used = styles.partition(b"<cellXfs")[2].partition(b"</cellXfs>")[0]
    return {
        b"%d" % number for number, found in enumerate(_STYLE.finditer(used)) if (said := _FORMAT_ID.search(found[0])) and said[1] in own
    }


def _percent(page: bytes, styles: set[bytes]) -> frozenset[tuple[int, int]]:
    found = set()
    for cell in _CELL.finditer(page) if styles else ():
        said = _CELL_STYLE.search(page[cell.start() : page.find(b">", cell.end())])
        if said and said[1] in styles:
            found.add((int(cell[2]) - 1, _number(cell[1]) - 1))
    return frozenset(found)


def _open_percent(page: bytes) -> dict[str, frozenset[tuple[int, int]]]:
    """The same for OpenDocument, which says it of each cell; rows and cells may stand there many times."""
    found: dict[str, set[tuple[int, int]]] = {}
    if b'"percentage"' not in page:
        return {}
    sheet, row, column, rows = "", 0, 0, 0
    for part in _OPEN_PART.finditer(page):
        said = _TIMES.search(part[2])
        repeated = int(said[1]) if said else 1
        if part[1] == b"table":
            called = _OPEN_NAME.search(part[2])
            sheet, row, rows = unescape(called[1].decode("utf-8", "replace")) if called else "", 0, 0
        elif part[1] == b"table-row":
            row, column, rows = row + rows, 0, repeated
        else:
            if b'office:value-type="percentage"' in part[2]:
                cells = {(r, c) for r in range(row, row + min(rows, 1000)) for c in range(column, column + min(repeated, 1000))}
                found.setdefault(sheet, set()).update(cells)
            column += repeated
    return {name: frozenset(cells) for name, cells in found.items()}


def _has_macros(archive: zipfile.ZipFile) -> bool:
    return any(path.lower().endswith(_MACROS) for path in archive.namelist())


def _bounded(page: bytes, name: str) -> None:
    """A sheet with one cell far out is an area of cells, all of which a library makes room for."""
    rows = [int(found[1]) for found in _ROW.finditer(page)]
    columns, lines = set(), [0]
    for found in _CELL.finditer(page):
        columns.add(found[1])
        lines.append(int(found[2]))
    width = max((_number(letters) for letters in columns), default=1)
    if max(*rows, *lines, 1) * width > MOST_CELLS:
        raise InputError(
            f"{called(name)}a sheet reaches to row {max(*rows, *lines):,} and column {width:,}; delete what lies far out, or save it as CSV"
        )


def _bounded_open(page: bytes, name: str) -> None:
    """The same for OpenDocument, where a row or a cell may say that it stands there many times."""
    height = width = widest = cells = 0
    times = 1
    for found in _REPEATED.finditer(page):
        said = _TIMES.search(found[2])
        repeated = int(said[1]) if said else 1
        if found[1] == b"row":
            widest, width = max(widest, width), 0
            times = repeated
            height += repeated if not found[3] else 0
        elif b"office:value" in found[2] or not found[3]:
            width += repeated
            cells += repeated * times
        else:
            width += repeated if repeated <= 256 else 0  # empty cells to the edge of the sheet
    if cells > MOST_CELLS or (height if height < 1_040_000 else 0) * max(widest, width) > MOST_CELLS * 4:
        raise InputError(f"{called(name)}a sheet repeats its cells more often than can be read; save it as CSV")


def _paths(archive: zipfile.ZipFile, name: str) -> dict[str, str]:
    """Sheet -> the part that holds it, in small letters."""
    texts = {}
    for part in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
        if part not in archive.namelist():
            return {}
        texts[part] = unpacked_member(archive, archive.getinfo(part), name).decode("utf-8", "replace")
    targets = {}
    for one in _TARGET.finditer(texts["xl/_rels/workbook.xml.rels"]):
        said = dict(_ATTRIBUTE.findall(one[0]))
        target = said.get("Target", "")
        targets[said.get("Id", "")] = (target.lstrip("/") if target.startswith("/") else f"xl/{target}").lower()
    found = {}
    for one in _SHEET.finditer(texts["xl/workbook.xml"]):
        said = dict(_ATTRIBUTE.findall(one[0]))
        relation = next((value for key, value in said.items() if key.endswith(":id")), "")
        found[unescape(said.get("name", ""))] = targets.get(relation, "")
    return found


def _errors(page: bytes) -> dict[tuple[int, int], str]:
    """Cells with an error, and formulas whose value is not in the file: libraries give both as empty cells."""
    found = {}
    if b't="e"' in page:
        for cell in _ERROR_CELL.finditer(page):
            found[int(cell[2]) - 1, _number(cell[1]) - 1] = unescape(cell[3].decode("utf-8", "replace"))
    for cell in _LEFT_OPEN.finditer(page):
        found[int(cell[2]) - 1, _number(cell[1]) - 1] = NO_VALUE
    return found


def _number(letters: bytes) -> int:
    """The number of a column: A is 1.

    Example:
        >>> _number(b"A"), _number(b"AA"), _number(b"XFD")
        (1, 27, 16384)
    """
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
