"""Which names cannot be one of the catalog's: told in a microsecond, for columns in which every name is another.

What passes may still be unknown; what does not pass is unknown for every look-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labinterp._lazy import pattern
from labinterp._names import LOINC, squash

_RUNS = pattern(r"[a-z]+|[0-9]+")
_LOINC = pattern(LOINC).fullmatch


def may_be_known(pieces: frozenset[str], name: str) -> bool:
    """Whether a name is made of pieces that some name of the catalog has. Most foreign names are not: no look-up can find them.

    Every word that a look-up can find or drop holds, for each run of letters or digits of the name, its first (up to)
    four characters. A note in brackets may hold anything, and so may a name with other letters than these.

    Args:
        pieces: From `name_pieces`.
        name: As printed, without a code beside it.
    """
    if not name.isascii() or "(" in name or "[" in name or "{" in name or ("-" in name and _LOINC(name.strip())):
        return True
    return all(run[:4] in pieces for run in _RUNS.findall(name.lower()))


def name_pieces(table: Mapping[str, Any]) -> frozenset[str]:
    """All stretches of up to four characters in the words that a name of the catalog may hold."""
    policy = table["policy"]
    words = [*policy["name_qualifiers"], *policy["specimen_qualifiers"], *policy["foreign_names"], "plus"]
    texts = {"".join(key.split()) for keys in ("names", "ambiguous", "never", "sorted_names") for key in table[keys]}
    texts |= (
        {word for key in table["sorted_names"] for word in key.split()}
        | {squash(word) for word in words}
        | {w for word in words for w in word.split()}
    )
    return frozenset(text[at : at + size] for text in texts for at in range(len(text)) for size in range(1, 5))
