"""A text that is no plain number -> why, in one sentence that is true of it.

What a text says is told only where its words leave no doubt: "haemolytic streptococci" are not a haemolysed specimen, "insufficient" beside a
vitamin may be a band, and "nicht hämolytisch" says the contrary.
"""

from __future__ import annotations

import re

from labinterp._lazy import pattern

_NOT = r"\b(?:no|not|non|none|kein\w*|nicht|ohne|pas|sans|aucune?|geen|niet|zonder|sin|senza|assente|neg\w*)\b"
_SAID = (
    (
        r"\bh(?:ae|e|ä|é)mol[yi](?:[sz](?:ed|iert\w*|e|is|é\w*|ato|ada|ado)|tisch\w*)\b|\bgehemoly\w+|\bemoli(?:zzat[oa]|si)\b|\bhem[óo]lisis\b",
        "The laboratory says that the specimen was haemolysed.",
    ),
    (r"\bpending\b|\bto follow\b|\bausstehend\b|\bfolgt\b|\ben cours\b|\bvolgt\b|\bin arbeit\b|\bin corso\b", "The result was not ready."),
    (r"\bcancel|\bstorniert|\bannul", "The test was cancelled."),
    (
        (
            r"\bqns\b|\bnot enough\b|\binsufficient (?:sample|specimen|quantity|volume|material|amount|blood|serum|plasma)|"
            r"\b(?:quantity|sample|specimen|volume) (?:is |was )?(?:not sufficient|insufficient)|\bzu wenig material|\bmaterial (?:nicht ausreichend|reicht nicht)"
        ),
        "There was too little specimen.",
    ),
    (
        r"\bnot detected\b|\bnicht nachweisbar|\bnon détecté|\bundetect|\bniet aantoonbaar|\bnon rilevabile",
        "Not detected, and the limit of the assay is not given.",
    ),
    (r"\A[+-]?(?:nan|inf|infinity)\Z", "This is not a finite number."),
)
_WORDS = [(pattern(words), message) for words, message in _SAID]
_DENIED = pattern(_NOT)
_GERM = pattern(r"strep|stre?ptoc|an(?:ae|ä|e|é)mi|index")  # haemolytic germs and anaemias, and an index of haemolysis


def why_no_number(text: str) -> str:
    """Why a text is no number.

    Args:
        text: Without outer spaces.

    Example:
        >>> why_no_number("HEMOLYZED"), why_no_number("s. Bem."), why_no_number("Bestimmung erfolgt extern, siehe 12")
        ('The laboratory says that the specimen was haemolysed.', 'No number was found in the text.', 'The text is not one plain number.')
    """
    low = text.casefold()
    digits = re.search("[0-9]", low) is not None
    for words, message in _WORDS:
        if not words.search(low):
            continue
        if message == _SAID[0][1] and (_DENIED.search(low) or _GERM.search(low)):
            continue
        if digits and message == _SAID[4][1]:
            continue
        return message
    return "The text is not one plain number." if digits else "No number was found in the text."
