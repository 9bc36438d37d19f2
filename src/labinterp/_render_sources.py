"""Citations -> numbers behind the sentences of a terminal, and the list of sources they lead to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console  # noqa: TC002
from rich.text import Text

from labinterp._render_lines import item
from labinterp._render_plain import PlainConsole
from labinterp._trace import cited


class Sources:
    """Citations as numbers, in the order in which they are met."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}

    def marks(self, cites: Iterable[Mapping[str, Any]]) -> str:
        """The numbers of some citations, as " [1, 4]"; empty where there is none."""
        numbers = sorted({self.lines.setdefault(cited(cite), len(self.lines) + 1) for cite in cites})
        return f" [{', '.join(map(str, numbers))}]" if numbers else ""

    def show(self, console: Console | PlainConsole) -> None:
        """Print the list, if there is one."""
        if self.lines:
            console.print(Text("\nSources", style="bold"))
        for line, number in self.lines.items():
            item(console, line, "dim", lead=f"[{number}] ")
