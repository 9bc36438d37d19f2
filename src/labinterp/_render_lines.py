"""Sentences -> lines of a terminal; what runs over hangs under its first word."""

from __future__ import annotations

from rich.console import Console  # noqa: TC002
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from labinterp._render_plain import PlainConsole


def item(console: Console | PlainConsole, text: str, style: str = "", lead: str = "- ") -> None:
    """Print one item of a list.

    Args:
        console: Where to.
        text: The item.
        style: Of all of it, as rich names styles.
        lead: What stands before its first line.
    """

    def hanging() -> Padding:
        grid = Table.grid(padding=0)
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(Text(lead, style=style), Text(text, style=style))
        return Padding(grid, (0, 0, 0, 2))

    if isinstance(console, PlainConsole):
        console.print_known((text, lead), hanging)
    else:
        console.print(hanging())
