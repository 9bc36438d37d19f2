"""Flags as laboratories print them -> what they say: below, within, above, or abnormal without a side.

"<" and ">" are in HL7's table "off the scale of the instrument", which says nothing of the range: a CRP of "<0.6" is normal. Changes since
the last time (U, D, B, W) and words for germs say nothing of it either.
"""

from __future__ import annotations

import re

from labinterp._lazy import pattern

ABNORMAL = "A"
_SAID = {
    "H": "h hh hu h> hi + ++ +++ ↑ ↑↑ ↑↑↑ ▲ ⇑ high above hoch erhöht haut élevé élevée augmenté hoog verhoogd alto alta elevado elevada elevato elevata "
    "elevé eleve augmentée aumentado aumentato hög högt förhöjd høj højt høy høyt forhøjet forhøyet|above high normal|above normal|above range|above upper panic limits|"
    "critical high|281302008|critically high|significantly high|very high|panic high|higher than normal|zu hoch|stark erhöht|leicht erhöht|trop élevé|"
    "trop haut|légèrement élevé|très élevé|te hoog|sterk verhoogd|licht verhoogd|above reference range|ligeramente elevado|leggermente aumentato",
    "L": "l ll lu l< lo - -- --- ↓ ↓↓ ↓↓↓ ▼ ⇓ low below niedrig tief erniedrigt vermindert bas basse abaissé diminué diminuée laag verlaagd bajo baja "
    "disminuido disminuida basso bassa diminuito ridotto låg lågt sänkt lav lavt nedsat|below low normal|below normal|below range|"
    "below reference range|te laag|sterk verlaagd|licht verlaagd|stark erniedrigt|leicht erniedrigt|légèrement diminué|leggermente diminuito|"
    "below lower panic limits|281300000|critical low|critically low|significantly low|very low|panic low|lower than normal|zu niedrig|zu tief|trop bas",
    "N": "n normal norm ok normaal normale unauffällig normalt|within range|in range|within normal limits|within reference range|281301001|"
    "im normbereich|im referenzbereich|dans la norme|dans les normes|nella norma|nei limiti|dentro del rango|dentro de la normalidad|binnen de norm|"
    "normal (applies to non-numeric results)",
    ABNORMAL: "a aa * ** *** ! !! abnormal critical panic anormal anormale pathologisch auffällig afwijkend abnormaal patologico anomalo avvikande unormal|"
    "outside reference range|ausserhalb des referenzbereichs|hors norme|hors normes|fuori norma|fuera de rango|buiten de norm|"
    "very abnormal|critical abnormal|critically abnormal|abnormal (applies to non-numeric results)|"
    "very abnormal (applies to non-numeric units, analogous to panic limits for numeric units)",
}  # fmt: skip
_CODES = {
    word: code for code, said in _SAID.items() for n, part in enumerate(said.split("|")) for word in (part.split() if n == 0 else [part])
}
_MARKS = pattern(r"^[*!]+\s*|\s*[*!]+$")  # "H*", "*L": the letter says the side
_PARTS = pattern(r"[^\W\d_]+[<>]?|\++|-+|[*!]+|[()\s]+|.")  # "H+", "↑ H", "High Critical": words and marks that say one thing
_LONGEST = 100


def flag_code(flag: str | None) -> str | None:
    """What a printed flag says, where it is one that is known.

    Args:
        flag: As printed; of HL7 v2 fields the first component of each repeat counts ("H~A" is H).

    Returns:
        str | None: "L", "N", "H", or "A" for abnormal without a side; None for any other flag, and where repeats name two sides.

    Example:
        >>> [flag_code(flag) for flag in ("(H)", "LL", "*", "Above high normal", "<", "H~A", "H~L")]
        ['H', 'L', 'A', 'H', None, 'H', None]

    Source:
        HL7 v2 table 0078 and HL7 v3 ObservationInterpretation; SNOMED CT 281302008, 281300000 and 281301001 (above, below and
        within the reference range), as Dutch results carry them; words of six languages besides.
    """
    if not flag or len(flag) > _LONGEST:
        return None
    said = {code for part in re.split("~", flag) if (code := _one(part.split("^", 1)[0]))}
    return _together(said)


def _together(said: set[str]) -> str | None:
    if len(said) == 2:
        said.discard(ABNORMAL)
    return said.pop() if len(said) == 1 else None


def _one(flag: str) -> str | None:
    text = " ".join(flag.split()).casefold()
    bare = text.strip("()[] ")
    found = _CODES.get(text) or _CODES.get(bare) or _CODES.get(_MARKS.sub("", bare))
    if found or not bare:
        return found
    parts = {_CODES.get(part, "") for part in _PARTS.findall(text) if part.strip("() ")}
    return None if "" in parts or "N" in parts else _together(parts)


def agrees(flag: str | None, code: str | None) -> bool:
    """Whether a flag says what a range says of the value; a flag or a range that says nothing disagrees with nothing.

    Args:
        flag: From `flag_code`.
        code: "L", "N", "H" or None.
    """
    if flag is None or code is None:
        return True
    return code != "N" if flag == ABNORMAL else flag == code
