"""Unit texts from reports -> UCUM codes, and exact factors between units.

Raw text goes through a closed table, never to pint (to pint `PG/ML` is petagauss per megalitre). pint is asked
for factors when the catalog is compiled and for nothing else; this is the only module that imports it, late.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from labinterp._lazy import pattern
from labinterp._quantity import Quantity

if TYPE_CHECKING:
    from fractions import Fraction

# "Âµ" and its kin are UTF-8 read as Latin-1; U+FFFD hides one non-ASCII character, and micro is the only unit prefix that is one.
_MICRO = pattern("Âµ|Âμ|Î¼|ï¿½|\ufffd|µ|μ|\\\\Z(?:03BC|00B5)\\\\|&(?:micro|mu);|\\\\X(?:00B5|03BC|C2B5|CEBC|B5)\\\\", re.IGNORECASE)
_HL7_PARTS = pattern(r"\^(?!-?[0-9]).*$", re.DOTALL)
# A note behind a unit is dropped only if it is known to change nothing: "(calc)", a method. "(as PO4)" and "(RBC)" change everything.
_NOTE_WORDS = (
    r"calc(?:ulated|\.)?|berechnet|calcul[eé]e?|est(?:imated|\.)?|e?clia|cmia|cleia|elisa|ria|fpia|lc-?ms(?:[-/]?ms)?|lc/ms(?:/ms)?|hplc|icp-?ms|"
    r"immunoassay|immuno|roche|abbott|siemens|beckman|diasorin|si|si units?|conv(?:entional)?|us|ser(?:um)?|plas(?:ma)?|ser/plas"
)
_NOTE = pattern(rf"(?<=\S)(?:\s*\(\s*(?:{_NOTE_WORDS})\s*\)|\s*\[\s*(?:{_NOTE_WORDS})\s*\]|\s+calc(?:ulated|\.)?)\s*$", re.IGNORECASE)
_WRAPPED = pattern(r"[\[(]([^\[\]()]*/[^\[\]()]*)[\])]")  # "[ng/mL]" as a whole; "[IU]/L" is not wrapped
_INVERSE = pattern(r"[\s.·⋅∙•*]*(?<![a-z])(dl|ml|l)\s*(?:\^|\*\*)?\s*\(?-1\)?$")
_LITRE = pattern(r"\b(micro|milli|deci|centi)?lit(?:er|re|ro)s?\b")
_HUNDRED_ML = pattern(r"/\s*100\s*m(?:l|illiliter)s?\b")
_MASS_WORD = {"nanograms": "ng", "nanogram": "ng", "picograms": "pg", "picogram": "pg", "micrograms": "ug", "microgram": "ug",
              "milligrams": "mg", "milligram": "mg", "grams": "g", "gram": "g", "gms": "g", "gm": "g", "gr": "g"}  # fmt: skip
_MASS_WORDS = pattern(r"^(?:" + "|".join(sorted(_MASS_WORD, key=len, reverse=True)) + r")(?=\s*/|\s+l\b)")
# what `fold` reads in other words, or drops
_WORDS = ("per", "mcg", "mcmol", "calc", "calculated", "100 ml", "m^2", "m**2", "-1",
          *(prefix + word + end for prefix in ("", "micro", "milli", "deci", "centi") for word in ("liter", "litre", "litro") for end in ("", "s")))  # fmt: skip
_RUNS = pattern(r"[a-z]+|[0-9]+")
_LITRE_PREFIX = {None: "l", "micro": "ul", "milli": "ml", "deci": "dl", "centi": "cl"}


def fold(text: str) -> str:
    """One written form of a unit text, for looking it up; not a UCUM code.

    Args:
        text: As printed on a report.

    Returns:
        str: lower case, ASCII micro, "/" for every way to write "per".

    Example:
        >>> [fold(t) for t in ("MCG / L", "nmol·L⁻¹", "ng/mL (calc)", "g/l^^L", "ug/100 ml")]
        ['ug/l', 'nmol/l', 'ng/ml', 'g/l', 'ug/dl']
    """
    text = _MICRO.sub("u", text.strip())
    text = _HL7_PARTS.sub("", text)
    text = unicodedata.normalize("NFKC", text).replace("\u2212", "-").replace("\u2044", "/").replace("∕", "/").replace("\\", "/")
    text = " ".join(text.strip().strip("\"'").casefold().split()).rstrip(".")
    text = _NOTE.sub("", text)
    wrapped = _WRAPPED.fullmatch(text)
    text = wrapped[1] if wrapped else text
    text = _LITRE.sub(lambda m: _LITRE_PREFIX[m[1]], text)
    text = re.sub(r"\s*/\s*|\s+per\s+", "/", text)
    text = _HUNDRED_ML.sub("/dl", text)
    text = _INVERSE.sub(r"/\1", text)
    text = _MASS_WORDS.sub(lambda m: _MASS_WORD[m[0]], text)
    text = re.sub(r"\bmcg\b", "ug", text)
    text = re.sub(r"m\s*(?:\^|\*{1,2})2$", "m2", text)
    return text.replace("mcmol", "umol").replace(" ", "")


class UnitTable:
    """The closed list of spellings of one catalog.

    Args:
        table: `{"kinds": {ucum: kind}, "exact": {...}, "folded": {...}, "refused": {ucum: reason}}`.
    """

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.kinds: dict[str, str] = table["kinds"]
        self.refused: dict[str, str] = table["refused"]
        self._exact: dict[str, str] = table["exact"]
        self._folded: dict[str, str] = table["folded"]
        self._seen: dict[str, str | None] = dict(self._exact)

    def read(self, text: str) -> str | None:
        """The UCUM code of a unit text, or None.

        Args:
            text: As printed.

        Returns:
            str | None: the UCUM code; `refused` says whether it is one that is never used for a result here.

        Example:
            >>> from labinterp import Catalog
            >>> Catalog.default().units.read("MCG/L")
            'ug/L'
        """
        try:
            return self._seen[text]
        except KeyError:
            code = None
            if len(text) <= 64:
                bare = _HL7_PARTS.sub("", text).strip()
                code = self._exact.get(bare) or self._folded.get(fold(text))
            if len(self._seen) < 20_000:  # a memo, bounded: hostile columns must not fill the memory
                self._seen[text] = code
            return code

    def pieces(self, marks: Iterable[str] = ()) -> frozenset[str]:
        """All stretches of up to four characters in the words that a unit text may hold, brackets and other alphabets apart.

        Args:
            marks: Further texts that mean something in place of a unit.
        """
        words = {word for key in (*self._exact, *self._folded, *_MASS_WORD, *_WORDS, *marks) for word in (key.casefold(), fold(key))}
        runs = {run for word in words for run in _RUNS.findall(word)} | {"".join(_RUNS.findall(word)) for word in words}
        return frozenset(run[at : at + size] for run in runs for at in range(len(run)) for size in range(1, 5))

    def closest(self, text: str, among: Iterable[str]) -> str | None:
        """The unit of `among` that looks most like a text that could not be read."""
        from difflib import get_close_matches

        by_fold = {fold(code): code for code in among}
        near = get_close_matches(fold(text[:64]), list(by_fold), n=1, cutoff=0.6)
        return by_fold[near[0]] if near else None


# --- exact factors: asked once, when a catalog is compiled --------------------------------------------------


class Physics:
    """pint, with exact rationals: what a unit is, and how many of one are one of another.

    Args:
        names: UCUM code -> pint expression, from `units.toml`.
        kinds: UCUM code -> kind.
    """

    def __init__(self, names: Mapping[str, str | None], kinds: Mapping[str, str]) -> None:
        from fractions import Fraction

        self._registry: Any = _registry()
        self._one = Fraction(1)
        self._names, self._kinds = names, kinds

    def factor(self, source: str, target: str, molar_mass: Decimal | None = None, valence: int | None = None) -> Fraction | None:
        """How many `target` are one `source`, exactly; None where there is no exact way.

        Args:
            source: UCUM code.
            target: UCUM code.
            molar_mass: Of the reported moiety. [g/mol]
            valence: Charges per entity, for equivalents.

        Returns:
            Fraction | None.

        Source:
            The units' definitions are pint's; mass and amount of substance meet in pint's chemistry context.
        """
        if source == target:
            return self._one
        if not self._names.get(source) or not self._names.get(target):
            return None
        equivalents = (self._kinds[source] == "equivalent") - (self._kinds[target] == "equivalent")
        if equivalents and not valence:
            return None
        quantity = self._registry.Quantity(self._one, self._names[source])
        kinds = {"substance" if kind == "equivalent" else kind for kind in (self._kinds[source], self._kinds[target])}
        if self._kinds[target] == "activity":  # an international unit of an enzyme is its unit: 1 umol a minute
            kinds -= {"arbitrary"}
        if len(kinds) == 1:
            converted = quantity.to(self._names[target])
        elif kinds == {"mass", "substance"} and molar_mass:
            from fractions import Fraction

            mass = self._registry.Quantity(Fraction(molar_mass), "gram / mole")
            converted = quantity.to(self._names[target], "chemistry", mw=mass)
        else:
            return None
        # one equivalent is 1/valence of the amount
        factor: Fraction = converted.magnitude * (self._one * (valence or 1)) ** (-int(equivalents))
        return factor


@cache
def _kept() -> Any:
    """Where each thread keeps its own."""
    import threading

    return threading.local()


def _registry() -> Any:
    """A registry of pint, with exact rationals. Reading its definitions takes longest of all that is checked and compiled: once in a thread.

    Not once for all: a molar mass that one thread gives to pint's chemistry context would be there for the others, too.
    """
    from fractions import Fraction

    import pint

    own = _kept()
    if not hasattr(own, "registry"):
        own.registry = pint.UnitRegistry(non_int_type=Fraction)
    return own.registry


def to_pint(quantity: Quantity, registry: Any = None) -> Any:
    """A `pint.Quantity` of an uncensored quantity; see `Quantity.to_pint`."""
    from labinterp._catalog import Catalog

    if quantity.comparator:
        raise ValueError(f"a censored value or a range has no single number: {quantity.number}")
    units = Catalog.default().units
    name = Catalog.default().table["units"]["pint"].get(quantity.unit)
    # an equivalent needs the valence, a filtration rate its body surface: pint knows neither
    if name is None or units.kinds[quantity.unit] not in ("mass", "substance", "volume", "fraction", "activity"):
        raise ValueError(f"pint has no exact word for the unit {quantity.unit!r}")
    if registry is None:
        import pint

        registry = pint.get_application_registry()  # type: ignore[no-untyped-call]
    return registry.Quantity(float(quantity.value), name)


def from_pint(value: Any) -> tuple[str, str] | None:
    """Number text and unit text of a `pint.Quantity`; None for anything else.

    The unit is written in pint's short form ("ng/mL"), which the spelling table reads like any report.
    """
    if type(value).__name__ != "Quantity" or not hasattr(value, "magnitude"):
        return None
    magnitude = value.magnitude
    number = str(magnitude) if isinstance(magnitude, (int, Decimal)) else repr(float(magnitude))
    return number, f"{value.units:~C}".replace("µ", "u").replace("**", "^").replace("*", ".")
