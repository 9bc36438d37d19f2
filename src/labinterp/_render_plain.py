"""What is shown on a console, as plain text: the same characters, with what was laid out once remembered.

Many people share their sentences, and most tables have room for each cell on one line: laying them out anew for each person takes most of
the time of a long output. Whatever is not of these two kinds is laid out by rich.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

_KEPT = 5_000  # sentences
_LONGEST = 2_000  # characters of one


class PlainConsole:
    """Takes what a `rich.console.Console` takes to print, and gives it as text.

    Args:
        width: Columns.

    Example:
        >>> console = PlainConsole(20)
        >>> console.print(Text("a sentence that is longer than a line"))
        >>> console.taken()
        'a sentence that is \\nlonger than a line\\n'
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._parts: list[str] = []
        self._known: dict[tuple[str, Any], str] = {}
        self._file = io.StringIO()
        self._console = Console(file=self._file, width=width, color_system=None, force_terminal=False)

    def print(self, *shown: Any) -> None:
        """Add what would be printed."""
        key = _key(shown[0]) if len(shown) == 1 else None
        if key is None:
            self._parts.append(self._laid_out(*shown))
        else:
            self.print_known(key, lambda: shown[0])

    def print_known(self, key: tuple[str, Any], shown: Callable[[], Any]) -> None:
        """Add what would be printed, of which the key tells everything.

        Args:
            key: Its text, and what else tells it from others.
            shown: Makes it, where it is not remembered.
        """
        text = self._known.get(key)
        if text is None:
            text = self._laid_out(shown())
            if len(key[0]) <= _LONGEST and len(self._known) < _KEPT:
                self._known[key] = text
        self._parts.append(text)

    def write(self, text: str) -> None:
        """Add what is laid out already."""
        self._parts.append(text)

    def table(self, names: Sequence[str], rows: Sequence[Sequence[Text]]) -> bool:
        """Add a table with heavy lines below its head, if each cell has room on one line.

        Args:
            names: Of the columns; those that begin with "row" are aligned to the right.
            rows: Cells.

        Returns:
            bool: Whether it was added; else it is for rich to lay out.
        """
        lines = [[*names], *([cell.plain for cell in row] for row in rows)]
        for line in lines:
            for cell in line:
                if not cell.isprintable() or cell != cell.strip() or "  " in cell or (not cell.isascii() and cell_len(cell) != len(cell)):
                    return False
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        if sum(widths) + 3 * (len(widths) - 1) > self.width:
            return False
        right = [name.startswith("row") for name in names]
        padded = [
            [cell.rjust(width) if to else cell.ljust(width) for cell, width, to in zip(line, widths, right, strict=True)] for line in lines
        ]
        self._parts.append(f"{' ┃ '.join(padded[0])}\n{'━╇━'.join('━' * width for width in widths)}\n")
        self._parts.extend(f"{' │ '.join(line)}\n" for line in padded[1:])
        return True

    def taken(self) -> str:
        """All of it so far, which begins anew."""
        text = "".join(self._parts)
        self._parts.clear()
        return text

    def _laid_out(self, *shown: Any) -> str:
        self._console.print(*shown)
        text = self._file.getvalue()
        self._file.seek(0)
        self._file.truncate()
        return text


def _key(shown: Any) -> tuple[str, Any] | None:
    """What tells a sentence from another; None for what is none. Styles leave no trace in plain text."""
    if isinstance(shown, Text):
        return shown.plain, None
    if isinstance(shown, Padding) and isinstance(shown.renderable, Text):
        return shown.renderable.plain, (shown.top, shown.right, shown.bottom, shown.left)
    return None
