"""One written form of a test's name, so that case, accents, spaces and punctuation do not matter.

Example:
    >>> squash("25(OH)D"), squash("Ácido fólico"), tokens("Vitamin D, 25-OH")
    ('25ohd', 'acidofolico', ['vitamin', 'd', '25', 'oh'])
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

from labinterp._lazy import pattern

LOINC = r"\d{1,6}-\d"  # the form of a LOINC code
_GREEK = str.maketrans({"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta"})
_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "æ": "ae", "Æ": "Ae", "ø": "oe", "å": "aa"})
_UNIT_BEHIND = pattern(r"(.*[^\s,;:/])[\s,;:]+(?:in\s+)?([^\s,;:/()\[\]]+/[^\s()\[\]]+)")
_PARTS = pattern(r"[^\W_]+")
_CHARGE = pattern(r"(?<=[a-z0-9])\++(?=[\s,;)\]]|$)")
_EDGE = pattern(r"(?<=[a-z])(?=[0-9])|(?<=[0-9])(?=[a-z])")


def plain(text: str) -> str:
    """Lower case, no accents, Greek letters spelled out."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", text.casefold().translate(_GREEK))
    return "".join(c for c in text if not unicodedata.combining(c))


def spellings(text: str) -> set[str]:
    """A name as it is, and with its umlauts and ligatures as two letters, as laboratories without them print it.

    Example:
        >>> sorted(spellings("Transferrinsättigung")), spellings("Eisen")
        (['Transferrinsaettigung', 'Transferrinsättigung'], {'Eisen'})
    """
    return {text, text.translate(_TWO_LETTERS)}


def tokens(text: str) -> list[str]:
    """The words of a name, in order. A charge counts: "Mg++" is not "Mg"."""
    return _PARTS.findall(_CHARGE.sub(" plus", plain(text)))


def squash(text: str) -> str:
    """All letters and digits of a name, in order."""
    return "".join(tokens(text))


def sorted_key(words: Iterable[str]) -> str:
    """The words in alphabetical order, letters apart from digits: "Vitamin D 25-OH" and "25OH vitamin D" are one."""
    parts = [part for word in words for part in _EDGE.split(word)]
    return " ".join(sorted(parts))


def without_specimen(qualifiers: Mapping[str, str], words: list[str]) -> tuple[list[str], str | None]:
    """The words without those that show a specimen ("in red blood cells", "Harn"), and that specimen.

    Example:
        >>> without_specimen({"harn": "urine"}, ["kalium", "harn"])
        (['kalium'], 'urine')
    """
    text, specimen = f" {' '.join(words)} ", None
    for phrase in sorted((q for q in qualifiers if f" {q} " in text), key=len, reverse=True):
        if f" {phrase} " in text:
            text, specimen = text.replace(f" {phrase} ", " "), specimen or qualifiers[phrase]
    return text.split(), specimen


def unit_behind(name: str) -> tuple[str, str]:
    """A name and what may be a unit behind it; empty where there is none.

    Example:
        >>> unit_behind("Ferritin, ug/l"), unit_behind("Ferritin")
        (('Ferritin', 'ug/l'), ('Ferritin', ''))
    """
    found = _UNIT_BEHIND.fullmatch(name.strip())
    return (found[1], found[2]) if found else (name, "")


def closest_keys(names: Iterable[str], key: str) -> list[str]:
    """Up to three names that look most like one, all of them squashed.

    Only names of the same first letter and about the same length: comparing with all of them costs milliseconds.

    Example:
        >>> closest_keys(["ferritin", "folate"], "feritine")
        ['ferritin']
    """
    from difflib import get_close_matches

    candidates = [n for n in names if n[:1] == key[:1] and abs(len(n) - len(key)) <= 4]
    return get_close_matches(key, candidates, n=3, cutoff=0.75)
