"""Closed vocabularies: the words that files, functions and results share.

Plain string constants and tuples, not enums: they are compared millions of times, written to JSON and
columns as they are, and need no import.
"""

from __future__ import annotations

# HL7 v3 ObservationInterpretation. LL and HH mean *critical* and only a published critical value gives them.
CODES = ("LL", "LU", "L", "N", "H", "HU", "HH", "IND")
LOW_CODES = frozenset({"LL", "LU", "L"})
HIGH_CODES = frozenset({"HH", "HU", "H"})

COMPARATORS = ("<", "<=", ">", ">=", "~")

# Why a result has no answer. Closed: a new reason is a new version of the JSON.
REASONS = (
    "unknown_analyte",
    "ambiguous_analyte",
    "unknown_unit",
    "missing_unit",
    "incompatible_unit",
    "unreadable_value",
    "ambiguous_number",
    "implausible",
    "wrong_specimen",
    "no_limit_for_population",
    "authority_gives_no_limit",
    "sex_unknown",
    "age_unknown",
    "pregnancy_unknown",
    "conflicting_code",
)

SEXES = ("female", "male")

# Strength of a link between a state and an effect, weakest first.
RELATIONS = ("proposed", "associated_with", "contributes_to", "causes")
CERTAINTIES = ("very_low", "low", "moderate", "high")


def direction(code: str | None) -> str | None:
    """The side of normal a code lies on.

    Args:
        code: An HL7 interpretation code, or None.

    Returns:
        "low", "normal", "high", or None for `IND` and for no code.

    Example:
        >>> direction("LU")
        'low'

    Source:
        HL7 v3 ObservationInterpretation.
    """
    if code in LOW_CODES:
        return "low"
    if code in HIGH_CODES:
        return "high"
    return "normal" if code == "N" else None
