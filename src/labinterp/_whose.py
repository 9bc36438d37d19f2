"""Whose limits are asked for, from the texts of a caller that has no Python: the command line, the web service."""

from __future__ import annotations

from collections.abc import Sequence

from labinterp._catalog import Catalog
from labinterp.errors import InputError


def pairs(texts: Sequence[str], option: str, example: str) -> dict[str, str]:
    """NAME=NAME texts as a mapping.

    Raises:
        InputError: A text of another form.
    """
    found = {}
    for text in texts:
        left, mark, right = text.partition("=")
        if not mark or not left or not right:
            raise InputError(f"{option} takes NAME=NAME, such as {example}")
        found[left.strip()] = right.strip()
    return found


def authority_of(texts: Sequence[str] | None, catalog: Catalog, option: str = "--authority") -> str | dict[str, str] | None:
    """Whose limits are asked for: one name for all, or one for each analyte.

    Raises:
        InputError: Several texts, one of which names no analyte.
        UnknownAnalyteError: An analyte that nobody knows.
    """
    if not texts:
        return None
    if len(texts) == 1 and "=" not in texts[0]:
        return texts[0]
    named = pairs(texts, option, "vitamin_d=endocrine-society")
    return {catalog.analyte_id(name): who for name, who in named.items()}
