"""From results over states and mechanisms to muscle effects, in four columns; the kind of line says how strong a link is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path as Outline

from labinterp._catalog import Catalog
from labinterp._codes import CERTAINTIES, RELATIONS
from labinterp._pictures.figures import LARGE, PLAIN, SMALL, page, write
from labinterp._pictures.panel import person_words
from labinterp._pictures.paths import COLUMNS, SOUNDS, Node, Path, ordered, path_of
from labinterp._pictures.said import describe
from labinterp._pictures.shades import FAINT, INK, PAPER, QUIET, shades
from labinterp._pictures.texts import paragraph, words
from labinterp._report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _MARGIN = 12.0, 0.3  # inches
_LEFT = (0.3, 3.05, 5.75, 9.25)
_WIDE = (2.1, 2.05, 2.65, 2.45)
_LETTERS = (29, 28, 35, 34)
_LINE, _AIR, _TOP = 0.155, 0.17, 1.35
STYLES: dict[str, Any] = {"": "-", "causes": "-", "contributes_to": (0, (7, 2)), "associated_with": (0, (3, 2)), "proposed": (0, (1, 1.6))}
WEIGHTS = {"": 0.8, "very_low": 0.8, "low": 1.3, "moderate": 2.0, "high": 2.9}


def draw(report: Report, catalog: Catalog | None, ax: Axes | None) -> Figure:
    """See `plots.story`."""
    path = path_of(report, catalog)
    columns = ordered(path)
    tall = max((sum(map(_height, column)) + _AIR * max(len(column) - 1, 0) for column in columns), default=0.0)
    tall = max(tall, 0.5)
    small = paragraph([*report.standing, report.disclaimer], 190)
    height = _TOP + tall + (0.75 if path.edges else 0.3) + _LINE * 0.86 * (small.count("\n") + 1) + 0.25
    figure, ax = page(_WIDTH, height, ax)
    write(ax, _MARGIN, 0.38, "What these results may have to do with muscle", LARGE * 1.1, fontweight="bold")
    write(ax, _MARGIN, 0.63, person_words(report), PLAIN, color=QUIET)
    if path.nodes:
        _graph(ax, path, columns, tall)
    else:
        write(ax, _MARGIN, _TOP - 0.2, "The catalog links nothing in these results to muscle.", PLAIN, va="top")
    bottom = _TOP + tall + 0.3
    if path.edges:
        _legend(ax, path, bottom)
        bottom += 0.45
    write(ax, _MARGIN, bottom, small, SMALL, va="top", color=QUIET, linespacing=1.3)
    describe(ax, _said(report, path))
    return figure


def _height(node: Node) -> float:
    if not node.text:
        return 0.06
    lines = paragraph([node.text], _LETTERS[node.column]).count("\n") + 1
    quiet = paragraph([node.quiet], _LETTERS[node.column] + 5).count("\n") + 1 if node.quiet else 0
    return _LINE * (lines + 0.9 * quiet) + 0.14


def _graph(ax: Axes, path: Path, columns: list[list[Node]], tall: float) -> None:
    middles: dict[str, float] = {}
    for number, column in enumerate(columns):
        if any(node.text for node in column):
            write(ax, _LEFT[number], _TOP - 0.28, COLUMNS[number], PLAIN, fontweight="bold")
            ax.plot([_LEFT[number], _LEFT[number] + _WIDE[number]], [_TOP - 0.19] * 2, color=FAINT, linewidth=0.8)
        needed = sum(map(_height, column))
        air = (tall - needed) / (len(column) + 1)
        air = min(air, 0.6)
        used = needed + air * max(len(column) - 1, 0)
        y = _TOP + (tall - used) / 2
        for node in column:
            height = _height(node)
            if node.text:
                _box(ax, node, y, height)
            middles[node.id] = y + height / 2
            y += height + air
    home = {node.id: node.column for node in path.nodes}
    lanes = {node.id for node in path.nodes if not node.text}
    for edge in path.edges:
        start, end = home[edge.start], home[edge.end]
        x0, x1 = _LEFT[start] + _WIDE[start] + 0.03, _LEFT[end] - 0.03
        if edge.end in lanes:
            x1 += 0.03
        if edge.start in lanes:  # its line crosses the column first
            x0 = _LEFT[start]
        y0, y1 = middles[edge.start], middles[edge.end]
        bend = 0.4
        flat = x0 + (_WIDE[start] if edge.start in lanes else 0.0)
        outline = Outline(
            [(x0, y0), (flat, y0), (flat + bend, y0), (x1 - bend, y1), (x1, y1)],
            [Outline.MOVETO, Outline.LINETO, Outline.CURVE4, Outline.CURVE4, Outline.CURVE4],
        )
        ax.add_patch(
            PathPatch(
                outline, facecolor="none", edgecolor=INK if edge.relation else "#9aa0a6", linewidth=WEIGHTS[edge.certainty],
                linestyle=STYLES[edge.relation], zorder=1, capstyle="butt", gid=f"link {edge.relation or 'read as'} {edge.certainty}".strip(),
            )
        )  # fmt: skip


def _box(ax: Axes, node: Node, y: float, height: float) -> None:
    fill = shades([node.code])[0].fill if node.code else PAPER
    ink = shades([node.code])[0].ink if node.code else INK
    ax.add_patch(
        FancyBboxPatch(
            (_LEFT[node.column], y), _WIDE[node.column], height, boxstyle="round,pad=0,rounding_size=0.06", facecolor=fill, edgecolor=QUIET,
            linewidth=0.8, zorder=2, gid=node.id,
        )
    )  # fmt: skip
    text = paragraph([node.text], _LETTERS[node.column])
    lines = text.count("\n") + 1
    write(ax, _LEFT[node.column] + 0.09, y + 0.07, text, PLAIN, va="top", linespacing=1.15, zorder=3, color=ink)
    if node.quiet:
        quiet = paragraph([node.quiet], _LETTERS[node.column] + 5)
        write(
            ax,
            _LEFT[node.column] + 0.09,
            y + 0.08 + _LINE * lines,
            quiet,
            SMALL,
            va="top",
            linespacing=1.15,
            zorder=3,
            color=ink if node.code else QUIET,
        )


def _legend(ax: Axes, path: Path, y: float) -> None:
    """The kinds of line that are there: how strong the link, how sure it is."""
    x = _MARGIN
    for relation in reversed(RELATIONS):
        if any(edge.relation == relation for edge in path.edges):
            ax.plot([x, x + 0.5], [y, y], color=INK, linewidth=1.6, linestyle=STYLES[relation], solid_capstyle="butt")
            write(ax, x + 0.58, y, SOUNDS[relation], SMALL, va="center")
            x += 0.85 + 0.058 * len(SOUNDS[relation])
    x = _MARGIN
    y += 0.22
    for certainty in reversed(CERTAINTIES):
        if any(edge.certainty == certainty for edge in path.edges):
            ax.plot([x, x + 0.5], [y, y], color=INK, linewidth=WEIGHTS[certainty], solid_capstyle="butt")
            text = f"certainty {words(certainty)}"
            write(ax, x + 0.58, y, text, SMALL, va="center")
            x += 0.85 + 0.058 * len(text)


def _said(report: Report, path: Path) -> str:
    if not path.nodes:
        return f"The catalog links nothing in these results to muscle. {report.disclaimer}"
    names = {node.id: node for node in path.nodes}
    read = [
        f"{names[edge.start].text} {names[edge.start].quiet} is read as: {names[edge.end].text}."
        for edge in path.edges
        if edge.start.startswith("row ")
    ]
    return " ".join(["What these results may have to do with muscle.", *read, *path.sentences, *report.standing, report.disclaimer])
