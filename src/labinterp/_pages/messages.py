"""The words of a page in a language, from `messages/*.toml`: what a language leaves out is English, and is marked as English.

Needs the extra "html".
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from labinterp.errors import InputError, MissingExtraError

try:
    from markupsafe import Markup, escape
except ImportError:
    raise MissingExtraError("html") from None

ENGLISH = "en"
_FILES = files("labinterp") / "messages"


def languages() -> list[str]:
    """The languages there are words for.

    Returns:
        list[str]: codes of languages, English first.

    Example:
        >>> languages()[0]
        'en'
    """
    found = sorted(file.name.removesuffix(".toml") for file in _FILES.iterdir() if file.name.endswith(".toml"))
    return sorted(found, key=lambda language: language != ENGLISH)


@cache
def words(language: str) -> Mapping[str, Any]:
    """The file of one language."""
    return tomllib.loads((_FILES / f"{language}.toml").read_text("utf-8"))


def _find(table: Mapping[str, Any], key: str) -> Any:
    part, _, name = key.partition(".")
    return table.get(part, {}).get(name)


class Messages:
    """The words of one language, ready for a page: escaped, filled in, and marked where they are English in another language's page.

    Args:
        language: One of `languages()`.

    Raises:
        InputError: There are no words in this language.
    """

    def __init__(self, language: str = ENGLISH) -> None:
        known = languages()
        if language not in known:
            raise InputError(f"there are no words for the language {language!r}; accepted: {', '.join(known)}")
        self.language = language
        self._own, self._english = words(language), words(ENGLISH)
        self._said: Mapping[str, str] = self._own.get("catalog", {})

    def plain(self, key: str, /, **values: Any) -> str:
        """A message as plain text, for places that hold no markup.

        Args:
            key: Table and name, such as "heads.results".
            values: For its names in braces.
        """
        return str(self._text(key)[0]).format(**values)

    def message(self, key: str, /, **values: Any) -> Markup:
        """A message as markup; what is filled in is escaped."""
        text, own = self._text(key)
        return self._marked(escape(text).format(**values), own)

    def count(self, noun: str, count: int) -> Markup:
        """A counted noun, such as "3 results"."""
        own = noun in self._own
        table = self._own if own else self._english
        form = "one" if count in table["one_is"] else "other"
        return self._marked(escape(table[noun][form]).format(count=count), own)

    def counted(self, noun: str, count: int) -> str:
        """The same as plain text."""
        return str(self.count(noun, count).striptags())

    def said(self, text: str) -> Markup:
        """A sentence of the catalog: translated where the language has it, else as it is."""
        own = self._said.get(text)
        return escape(own) if own is not None else self.english(text)

    def said_plain(self, text: str) -> str:
        """The same as plain text."""
        return self._said.get(text, text)

    def english(self, text: str) -> Markup:
        """A text that is English whatever the page's language is."""
        return self._marked(escape(text), self.language == ENGLISH)

    def _text(self, key: str) -> tuple[str, bool]:
        own = _find(self._own, key)
        if own is not None:
            return own, True
        english = _find(self._english, key)  # a new word of a closed list is shown as it is, not lost
        return (key.partition(".")[2].replace("_", " ") if english is None else english), False

    def _marked(self, text: Markup, own: bool) -> Markup:
        return text if own or self.language == ENGLISH else Markup('<span lang="en">{}</span>').format(text)
