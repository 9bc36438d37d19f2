"""Signs and words before a number -> its comparator. Written so that the regular expressions of other engines read them, too."""

from __future__ import annotations

from typing import Final

COMPARATOR_WORDS: Final = (
    # at most / at least come before less / greater: they contain them
    (
        "<=",
        (
            r"less than or equal to|at most|no more than|up to|kleiner (?:oder )?gleich|höchstens|inf(?:\.|[ée]rieure?)? ou [ée]gale? à|au plus|como máximo|"
            r"al massimo|≤|=<|<=|<\s+=|<\s*o[ru]\s*="
        ),
    ),
    (
        ">=",
        (
            r"greater than or equal to|more than or equal to|at least|no less than|größer (?:oder )?gleich|mindestens|sup(?:\.|[ée]rieure?)? ou [ée]gale? à|"
            r"au moins|al menos|almeno|≥|=>|>=|>\s+=|>\s*o[ru]\s*="
        ),
    ),
    (
        "<",
        (
            r"less than|lower than|below|under|kleiner(?: als)?|weniger als|unter|inf(?:[ée]rieure? à|\.? [àa]\s)|moins de|kleiner dan|minder dan|onder|"
            r"menor (?:de|que)|inferior a|inferiore a|minore di|mindre (?:än|enn|end)|<"
        ),
    ),
    (
        ">",
        (
            r"greater than|more than|higher than|above|over|größer(?: als)?|mehr als|über|sup(?:[ée]rieure? à|\.? [àa]\s)|plus de|groter dan|meer dan|boven|"
            r"mayor (?:de|que)|superior a|superiore a|maggiore di|st(?:ö|ø)rre (?:än|enn|end)|>"
        ),
    ),
)
