"""The header of a column -> the test in it and the unit, where one is written in it: `Ferritin (ug/L)`, `ferritin_ug_l`, `25(OH)D nmol/L`."""

from __future__ import annotations

from typing import NamedTuple

from labinterp._catalog import Catalog
from labinterp._identify import LONGEST, Identified, Refused, which
from labinterp._lazy import pattern
from labinterp._names import squash, unit_behind
from labinterp._table import COLUMN_NAMES

_PARTS = pattern(r"[\s_,;:|.\-\[(]+")
_NOTE = pattern(r"(?P<name>.*\S)\s*[\[(](?P<unit>[^()\[\]]*/[^()\[\]]*)[\])]")
_BRACKETS = pattern(r"\s*[\[(][^()\[\]]*[\])]\s*$")
_UNIT_WORDS = frozenset(squash(word) for word in ("unit", *COLUMN_NAMES["unit"]))


class Named(NamedTuple):
    """What a header says.

    Attributes:
        test: The name of the test as printed, without its unit.
        unit: The unit as printed, or None.
        analyte: Id, where the name means one.
        refused: Whether the name is near an analyte and none: it may mean two, or is another test.
    """

    test: str
    unit: str | None = None
    analyte: str | None = None
    refused: bool = False

    @property
    def known(self) -> bool:
        """Whether the name means one analyte."""
        return self.analyte is not None


def read_header(catalog: Catalog, text: str) -> Named:
    """What a header says of its column.

    Args:
        catalog: Whose names and units.
        text: The header as printed.

    Example:
        >>> read_header(Catalog.default(), "Ferritin ng/mL")[:3], read_header(Catalog.default(), "vitamin_d_nmol_l")[:3]
        (('Ferritin', 'ng/mL', 'ferritin'), ('vitamin_d', 'nmol/l', 'vitamin_d'))
    """
    text = " ".join(text.split())
    if not text or len(text) > LONGEST:
        return Named(text)
    whole = which(catalog, text)
    if isinstance(whole, Identified):
        name, unit = unit_behind(text)
        return (
            Named(name, unit, whole.analyte) if unit and catalog.units.read(unit) == whole.unit else Named(text, whole.unit, whole.analyte)
        )
    for name, unit, _ in _splits(catalog, text):
        found = which(catalog, name)
        if isinstance(found, Identified):
            return Named(name, unit, found.analyte)
        if _near(found):
            return Named(name, unit, None, True)
    noted = _NOTE.fullmatch(text)
    if noted:
        found = which(catalog, noted["name"])
        if isinstance(found, Identified):
            return Named(noted["name"], noted["unit"].strip(), found.analyte)
    return Named(text, None, None, _near(whole))


def unit_in(catalog: Catalog, text: str) -> str | None:
    """The unit at the end of a header whose name means nothing here."""
    return next((unit for _, _, unit in _splits(catalog, " ".join(text.split())[:LONGEST])), None)


def without_notes(text: str) -> str:
    """A header without what stands in brackets at its end.

    Example:
        >>> without_notes("Ferritin (ug/L)")
        'Ferritin'
    """
    return _BRACKETS.sub("", text).strip() or text


def unit_column_of(text: str) -> str | None:
    """The header, squashed, of the column whose units a column holds; "" where it only says that it holds units; else None.

    Example:
        >>> unit_column_of("Ferritin unit"), unit_column_of("Units"), unit_column_of("Ferritin")
        ('ferritin', '', None)
    """
    if squash(text) in _UNIT_WORDS or (_PARTS.split(text.strip())[0].casefold() in _UNIT_WORDS and text.strip()[-1:].isdigit()):
        return ""
    words = [word for word in _PARTS.split(text.strip(" )]")) if word]
    return squash("".join(words[:-1])) if len(words) > 1 and squash(words[-1]) in _UNIT_WORDS else None


def _near(found: Identified | Refused) -> bool:
    return isinstance(found, Refused) and (found.look_alike or found.reason != "unknown_analyte")


def _splits(catalog: Catalog, text: str) -> list[tuple[str, str, str]]:
    """The ways to part a header into a name and a unit at its end, the longest unit first: name, unit, UCUM code."""
    found = []
    for mark in _PARTS.finditer(text):
        name, unit = text[: mark.start()], text[mark.end() :].strip(" )]")
        if not name or not unit or unit[0].isdigit():
            continue
        for spelling in (unit, unit.replace("_", "/"), unit.replace("_", " ")):
            code = catalog.units.read(spelling)
            if code is not None and ("/" in code or code in ("%", "fL", "[pH]")):
                found.append((name, spelling, code))
                break
    return found
