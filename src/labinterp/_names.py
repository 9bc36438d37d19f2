"""One written form of a test's name, so that case, accents, spaces and punctuation do not matter.

Example:
    >>> squash("25(OH)D"), squash("Ácido fólico"), tokens("Vitamin D, 25-OH")
    ('25ohd', 'acidofolico', ['vitamin', 'd', '25', 'oh'])
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from labinterp._lazy import pattern

LOINC = r"\d{1,6}-\d"  # the form of a LOINC code
_GREEK = str.maketrans({"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta"})
_PARTS = pattern(r"[^\W_]+")
_CHARGE = pattern(r"(?<=[a-z0-9])\++(?=[\s,;)\]]|$)")
_EDGE = pattern(r"(?<=[a-z])(?=[0-9])|(?<=[0-9])(?=[a-z])")


def plain(text: str) -> str:
    """Lower case, no accents, Greek letters spelled out."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", text.casefold().translate(_GREEK))
    return "".join(c for c in text if not unicodedata.combining(c))


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
