"""Sentences -> lines of a terminal; what runs over hangs under its first word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console


def item(console: Console, text: str, style: str = "", lead: str = "- ") -> None:
    """Print one item of a list.

    Args:
        console: Where to.
        text: The item.
        style: Of all of it, as rich names styles.
        lead: What stands before its first line.
    """
    grid = Table.grid(padding=0)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(lead, style=style), Text(text, style=style))
    console.print(Padding(grid, (0, 0, 0, 2)))
