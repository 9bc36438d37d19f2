"""A gate in words, and what it looks at: for people who ask which measured state is behind a link."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labinterp._catalog import Catalog

Gate = Mapping[str, Any]
_ENDS = {"at_least": "at least", "above": "above", "at_most": "at most", "below": "below"}
_CODES = {
    "LL": "critically low", "LU": "very low", "L": "low", "N": "normal", "H": "high", "HU": "very high", "HH": "critically high",
    "IND": "indeterminate",
}  # fmt: skip


def gate_words(catalog: Catalog, gate: Gate) -> str:
    """A gate of a link in words.

    Args:
        catalog: For names and bands.
        gate: One form of `Gate`; gates of a pattern's own tests are not among them.

    Example:
        >>> from labinterp import Catalog
        >>> gate_words(Catalog.default(), {"analyte": "magnesium", "codes": ["L"]})
        'Magnesium, total low'
    """
    table = catalog.table
    if "limits" in gate:
        limit_set = catalog.limit_set(gate["limits"])
        bands = [band for p in limit_set.populations for band in p["bands"] if band[0] in gate["bands"]]
        labels = " or ".join(dict.fromkeys(band[2] for band in bands))
        return f"{table['analytes'][limit_set.data['analyte']]['name']}: {labels} ({limit_set.id})"
    if "codes" in gate:
        return f"{table['analytes'][gate['analyte']]['name']} {' or '.join(_CODES[code] for code in gate['codes'])}"
    if "span" in gate:
        span = gate["span"]
        ends = " and ".join(f"{_ENDS[word]} {span[word]}" for word in _ENDS if word in span)
        return f"{table['analytes'][gate['analyte']]['name']} {ends} {span['unit']}"
    if "context" in gate:
        return str(table["policy"]["contexts"][gate["context"]]["text"])
    if "age_years" in gate:
        ages = gate["age_years"]
        ends = " and ".join(f"{word} {ages[end]}" for end, word in (("at_least", "from"), ("below", "under")) if ages.get(end) is not None)
        return f"age {ends} years"
    if "sex" in gate:
        return f"{gate['sex']} sex"
    if "pattern" in gate:
        certainty = " or ".join(gate.get("certainty") or ("likely", "possible"))
        return f"pattern “{table['patterns'][gate['pattern']]['name']}” {certainty}"
    for word, between in (("all_of", "; and "), ("any_of", "; or ")):
        if word in gate:
            return between.join(_part(catalog, inner) for inner in gate[word])
    if "none_of" in gate:
        return "not: " + "; nor ".join(_part(catalog, inner) for inner in gate["none_of"])
    return f"at least {gate['at_least']} of: " + "; ".join(_part(catalog, inner) for inner in gate["of"])


def _part(catalog: Catalog, gate: Gate) -> str:
    """A gate inside another, in brackets where it has parts of its own."""
    words = gate_words(catalog, gate)
    return f"({words})" if {"all_of", "any_of", "of"} & set(gate) else words


def looked_at(catalog: Catalog, gate: Gate) -> tuple[list[str], list[str], list[str]]:
    """The analytes a gate asks directly, the patterns it asks, and the circumstances; what it rules out does not count."""
    analytes: dict[str, None] = {}
    patterns: dict[str, None] = {}
    contexts: dict[str, None] = {}
    for one in _parts(gate):
        if "limits" in one:
            analytes[catalog.table["limits"][one["limits"]]["analyte"]] = None
        elif "analyte" in one:
            analytes[one["analyte"]] = None
        elif "pattern" in one:
            patterns[one["pattern"]] = None
        elif "context" in one:
            contexts[one["context"]] = None
    return list(analytes), list(patterns), list(contexts)


def _parts(gate: Gate) -> Iterator[Gate]:
    yield gate
    for word in ("all_of", "any_of", "of"):
        for inner in gate.get(word, ()):
            yield from _parts(inner)
