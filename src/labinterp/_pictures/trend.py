"""Values over time with the bands behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from matplotlib import dates
from matplotlib.patches import Rectangle

from labinterp._catalog import Catalog
from labinterp._convert import convert
from labinterp._inputs import Patient
from labinterp._pictures.bands import Ground, draw_value
from labinterp._pictures.figures import SMALL, axes_on, bare, numbered, small_print, title
from labinterp._pictures.over_time import Point, Series, Step, series_of, steps
from labinterp._pictures.said import describe
from labinterp._pictures.scales import Scale, scale_of
from labinterp._pictures.shades import INK, QUIET, shades
from labinterp._pictures.strips import numbers_of, reasons
from labinterp._pictures.texts import literal, quantity_words, unit_words, words
from labinterp._quantity import Quantity
from labinterp._results import Finding, NotAssessed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT = 9.2, 4.6  # inches
_DATES: Any = dates  # its functions carry no types


def draw(
    results: Any,
    analyte: str,
    unit: str | None,
    patient: Patient | None,
    catalog: Catalog | None,
    options: Mapping[str, Any],
    ax: Axes | None,
) -> Figure:
    """See `plots.trend`."""
    series = series_of(results, analyte, patient, catalog, options)
    readable = [point for point in series.points if point.answer.quantity is not None]
    units = Counter(_quantity(point).unit for point in readable)
    wanted = unit or (units.most_common(1)[0][0] if units else series.catalog.table["analytes"][series.analyte]["usual"][0])
    values = [(point, convert(_quantity(point), wanted, analyte=series.analyte, catalog=series.catalog)) for point in readable]
    shown_unit = values[0][1].unit if values else wanted
    first, last = series.points[0].day, series.points[-1].day
    room = max(timedelta(days=7), (last - first) * 0.05)
    start, end = first - room, last + room
    pieces, certain = steps(series, shown_unit, start, end, options)
    scale = scale_of(numbers_of([step.strip for step in pieces if step.strip], [quantity for _, quantity in values]))
    figure, axes = axes_on(ax, _WIDTH, _HEIGHT)
    _bands(axes, pieces, scale)
    _points(axes, values, scale, series)
    _frame(axes, series, shown_unit, scale, (_at(start), _at(end)))
    notes = _notes(series, values, shown_unit, pieces, certain)
    small_print(axes, notes, 124, below=30)
    describe(axes, _said(series, values, pieces, notes))
    return figure


def _at(day: date) -> float:
    """Where a day lies on the axis."""
    return float(_DATES.date2num(day))


def _quantity(point: Point) -> Quantity:
    quantity = point.answer.quantity
    assert quantity is not None
    return quantity


# --- drawing --------------------------------------------------------------------------------------------------


def _bands(ax: Axes, pieces: list[Step], scale: Scale) -> None:
    for step in pieces:
        if step.strip is None:
            continue
        left, right = _at(step.start), _at(step.end)
        last = step is pieces[-1]
        for stretch, shade in zip(step.strip.stretches, shades(s.code for s in step.strip.stretches), strict=True):
            low = scale.low if stretch.low is None else stretch.low
            high = scale.high if stretch.high is None else stretch.high
            ax.add_patch(
                Rectangle(
                    (left, low), right - left, high - low, facecolor=shade.fill, edgecolor=shade.edge, hatch=shade.hatch or None, linewidth=0,
                    zorder=1, gid=f"band {stretch.key}",
                )
            )  # fmt: skip
            if stretch.high is not None:
                ax.plot([left, right], [high, high], color=INK, linewidth=0.9, zorder=2, solid_capstyle="butt", gid=f"line {high!r}")
            if last and scale.share(high) - scale.share(low) > 0.035:
                middle = scale.at((scale.share(low) + scale.share(high)) / 2)
                ax.annotate(
                    literal(f"{words(stretch.key)} {stretch.span}"), (1, middle), xytext=(6, 0), xycoords=("axes fraction", "data"),
                    textcoords="offset points", va="center", usetex=False, fontsize=SMALL, color=INK,
                )  # fmt: skip


def _points(ax: Axes, values: list[tuple[Point, Quantity]], scale: Scale, series: Series) -> None:
    ground = Ground(ax, scale, 3.0, upright=True)
    for point, quantity in values:
        converted = point.answer.quantity is not None and point.answer.quantity.unit != quantity.unit
        hollow = isinstance(point.answer, NotAssessed)
        draw_value(ground, quantity, _at(point.day), 7.5, "s" if converted else "D", hollow)
    for point in series.points:
        if point.answer.quantity is None:
            ax.plot([_at(point.day)], [scale.low], marker="x", markersize=7, color=INK, clip_on=False, zorder=6, gid="unread")


def _frame(ax: Axes, series: Series, unit: str, scale: Scale, ends: tuple[float, float]) -> None:
    ax.set_yscale("log" if scale.log else "linear")
    ax.set_xlim(*ends)
    ax.set_ylim(scale.low, scale.high)
    locator = _DATES.AutoDateLocator(minticks=3, maxticks=8)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(_DATES.ConciseDateFormatter(locator))
    numbered(ax.yaxis, unit_words(unit), scale.log)
    ax.tick_params(labelsize=SMALL, color=QUIET, labelcolor=QUIET)
    ax.xaxis.get_offset_text().set_fontsize(SMALL)
    bare(ax, ("top", "right"))
    for side in ("left", "bottom"):
        ax.spines[side].set_color(QUIET)
    title(ax, f"{series.catalog.table['analytes'][series.analyte]['name']} over time")


# --- words ----------------------------------------------------------------------------------------------------


def _notes(series: Series, values: list[tuple[Point, Quantity]], unit: str, pieces: list[Step], certain: bool) -> list[str]:
    drawn = [step.strip for step in pieces if step.strip]
    sets = list(dict.fromkeys(f"{strip.name} ({strip.id})" if strip.id != "reported" else strip.name for strip in drawn))
    notes = [f"Bands: {'; '.join(sets)}." if sets else "No bands are drawn: no line is known for this person."]
    if certain and len(drawn) > 1:
        notes.append("The bands change on the days on which the person reaches the age they are drawn for.")
    if not certain:
        notes.append("The bands of the results differ and the day of the change is not known; nothing is drawn between.")
    if any(step.strip is None for step in pieces):
        notes.append("Where no band is drawn there is no line for the person, or a fact is missing to choose one.")
    others = Counter(_quantity(point).unit for point, quantity in values if _quantity(point).unit != quantity.unit)
    if others:
        said = ", ".join(f"{count} reported in {unit_words(name)}" for name, count in others.items())
        notes.append(f"Squares: {said}, converted exactly to {unit_words(unit)} for display; each was judged in its own unit.")
    if any(quantity.comparator for _, quantity in values):
        notes.append("Bars with an arrow: values known only as above or below a number; a bar between two ends: a range.")
    refused = [point.answer for point in series.points if isinstance(point.answer, NotAssessed)]
    if refused:
        notes.append(f"Hollow or crossed: not assessed ({reasons(Counter(one.reason for one in refused))}).")
    if series.undated:
        notes.append(f"{series.undated} without a day of sampling: not drawn.")
    return [*notes, series.catalog.table["policy"]["disclaimer"]]


def _said(series: Series, values: list[tuple[Point, Quantity]], pieces: list[Step], notes: list[str]) -> str:
    name = series.catalog.table["analytes"][series.analyte]["name"]
    rows = []
    for point, quantity in values:
        answer = point.answer
        band = (
            f"{words(answer.band or 'cannot be told')} ({answer.code})"
            if isinstance(answer, Finding)
            else f"not assessed, {words(answer.reason)}"
        )
        rows.append(f"{point.day.isoformat()}: {quantity_words(quantity, 6)}, {band}.")
    rows += [
        f"{p.day.isoformat()}: not assessed, {words(p.answer.reason)}."
        for p in series.points
        if isinstance(p.answer, NotAssessed) and p.answer.quantity is None
    ]
    bands = [
        f"From {s.start.isoformat()} to {s.end.isoformat()}: {s.strip.words.replace(' · ', ', ')} {unit_words(s.strip.unit)}."
        for s in pieces
        if s.strip
    ]
    return " ".join([f"{name} over time, {len(series.points)} results.", *rows, *bands, *notes])
