"""Patterns that are compiled when they are first used: compiling them all would double the time to a first answer."""

from __future__ import annotations

import re
from typing import Any, cast


class _Pattern:
    def __init__(self, source: str, flags: int) -> None:
        self._source, self._flags = source, flags

    def __getattr__(self, name: str) -> Any:
        value = self.__dict__[name] = getattr(re.compile(self._source, self._flags), name)
        return value


def pattern(source: str, flags: int = 0) -> re.Pattern[str]:
    """Like `re.compile`, later.

    Args:
        source: The regular expression.
        flags: As for `re.compile`.

    Returns:
        re.Pattern: an object with its methods.

    Example:
        >>> pattern("[0-9]+").match("12a")[0]
        '12'
    """
    return cast("re.Pattern[str]", _Pattern(source, flags))
