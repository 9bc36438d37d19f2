"""Answers -> a table of a terminal in which nothing is cut off: what has no room in one line takes several."""

from __future__ import annotations

from rich import box
from rich.cells import cell_len
from rich.console import Console  # noqa: TC002
from rich.table import Table
from rich.text import Text

from labinterp._render_plain import PlainConsole

WIDE = 100  # columns of a terminal; on a narrower one a table has no lines between its columns, and long ids are parted
_WORD = 20  # letters of a word that is kept whole, and of a result that stays on one line
_ID = 40  # the same of an id of a limit set, where the terminal is wide
_KEPT = ("row", "rows", "code")  # columns that are never made narrower


def answers(console: Console | PlainConsole, names: tuple[str, ...], rows: list[list[Text]]) -> None:
    """Print a table of answers.

    No word of up to 20 letters and no usual id is parted as long as there is room; the last column is parted at the "/" of its ids where the terminal is narrow.

    Args:
        console: Where to.
        names: The heads of the columns.
        rows: The cells of each row.
    """
    if isinstance(console, PlainConsole) and console.width >= WIDE and console.table(names, rows):
        return
    table = Table(box=box.HEAVY_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    between = 3
    if console.width < WIDE:
        table.box, table.padding, between = box.SIMPLE_HEAD, (0, 1, 0, 0), 2
        rows = [[*row[:-1], Text(row[-1].plain.replace("/", "/\n", 1), row[-1].style)] for row in rows]
    room = console.width - between * (len(names) - 1)
    columns = [[name, *(row[number].plain for row in rows)] for number, name in enumerate(names)]
    for name, width in zip(names, _widths(names, columns, room, _ID if console.width >= WIDE else _WORD), strict=True):
        table.add_column(name, overflow="fold", width=width, justify="right" if name.startswith("row") else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _widths(names: tuple[str, ...], columns: list[list[str]], room: int, id: int) -> list[int]:
    """How wide each column is: whole words first, then the rest of the room in equal parts.

    Example:
        >>> _widths(("row", "test", "meaning"), [["row", "1"], ["test", "Ferritin"], ["meaning", "below the line for it"]], 30, 20)
        [3, 8, 19]
    """
    whole = [max(cell_len(line) for cell in cells for line in cell.splitlines() or [""]) for cells in columns]
    least = []
    for name, cells, width in zip(names, columns, whole, strict=True):
        pieces = cells if name in ("result", "value") else [word for cell in cells for word in cell.split()]
        most = id if name == "drawn by" else _WORD
        least.append(width if name in _KEPT else min(width, max(min(cell_len(piece), most) for piece in pieces)))
    may = [number for number, name in enumerate(names) if name not in _KEPT]
    while sum(least) > room and max(least[number] for number in may) > 1:
        least[max(may, key=lambda number: least[number])] -= 1
    given = dict.fromkeys(may, 0)  # the rest in equal parts: what misses little is whole first
    for _ in range(room - sum(least)):
        short = [number for number in may if least[number] < whole[number]]
        if not short:
            break
        next_ = min(short, key=lambda number: given[number])
        given[next_] += 1
        least[next_] += 1
    return least
