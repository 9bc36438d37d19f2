"""Many results against the lines: how they are spread, the share in each band, and who got no answer."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

from matplotlib.patches import Rectangle

from labinterp._catalog import Catalog
from labinterp._inputs import Patient
from labinterp._pictures.cohort import Cohort, cohort_of
from labinterp._pictures.figures import SMALL, axes_on, bare, numbered, small_print, title
from labinterp._pictures.said import describe
from labinterp._pictures.scales import Scale, scale_of
from labinterp._pictures.shades import INK, PAPER, QUIET, shades
from labinterp._pictures.strips import Strip, numbers_of, reasons
from labinterp._pictures.texts import literal, number, unit_words, words
from labinterp.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = ("histogram", "ecdf")
_WIDTH, _HEIGHT = 9.2, 5.0  # inches
_STYLES = ("-", (0, (6, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
_BARS = "#6b7177"


def draw(
    values: Any, analyte: str, kind: str, unit: str | None, patient: Patient | None, catalog: Catalog | None, options: Mapping[str, Any],
    prefix: str, ax: Axes | None,
) -> Figure:  # fmt: skip
    """See `plots.distribution`."""
    if kind not in KINDS:
        raise InputError(f"kind is {' or '.join(map(repr, KINDS))}, not {kind!r}")
    cohort = cohort_of(values, analyte, unit, patient, catalog, options, prefix)
    scale = scale_of([*numbers_of(cohort.strips), *cohort.numbers], room=0.06)
    figure, axes = axes_on(ax, _WIDTH, _HEIGHT)
    axes.set_xscale("log" if scale.log else "linear")
    axes.set_xlim(scale.low, scale.high)
    _ground(axes, cohort.strips, scale)
    bins = _steps(axes, cohort) if kind == "ecdf" else _bars(axes, cohort, scale)
    numbered(axes.yaxis, "share of the plain values at or below" if kind == "ecdf" else "results", False)
    numbered(axes.xaxis, unit_words(cohort.unit), scale.log)
    bare(axes, ("top", "right"))
    for side in ("left", "bottom"):
        axes.spines[side].set_color(QUIET)
    name = cohort.catalog.table["analytes"][cohort.analyte]["name"]
    total = cohort.assessed + sum(cohort.refused.values())
    title(axes, f"{name} of {total} result{'' if total == 1 else 's'}", _shares(cohort), away=16)
    notes = _notes(cohort, bins, scale.log)
    small_print(axes, notes, 128)
    describe(
        axes,
        " ".join(
            [
                f"{name}, {total} results, as {'steps of shares' if kind == 'ecdf' else 'a histogram'}.",
                f"{_shares(cohort)}.",
                _spread(cohort),
                *notes,
            ]
        ),
    )
    return figure


# --- drawing --------------------------------------------------------------------------------------------------


def _ground(ax: Axes, strips: tuple[Strip, ...], scale: Scale) -> None:
    """Bands where everybody has the same lines; else the lines alone, each in its own style."""
    across = ax.get_xaxis_transform()
    if len(strips) == 1:
        (strip,) = strips
        for stretch, shade in zip(strip.stretches, shades(s.code for s in strip.stretches), strict=True):
            low, high = scale.low if stretch.low is None else stretch.low, scale.high if stretch.high is None else stretch.high
            ax.add_patch(
                Rectangle(
                    (low, 0), high - low, 1, transform=across, facecolor=shade.fill, edgecolor=shade.edge, hatch=shade.hatch or None, linewidth=0,
                    zorder=1, gid=f"band {stretch.key}",
                )
            )  # fmt: skip
            shares = scale.share(low), scale.share(high)
            if len(stretch.key) * 0.0095 < shares[1] - shares[0]:
                ax.annotate(
                    words(stretch.key), (scale.at(sum(shares) / 2), 0.965), xycoords=across, ha="center", va="top", usetex=False, fontsize=SMALL, color=shade.ink,
                    bbox={"boxstyle": "square,pad=0.2", "facecolor": shade.fill, "edgecolor": "none"}, zorder=5,
                )  # fmt: skip
    for strip, style in zip(strips, _STYLES, strict=False):
        for n, line in enumerate(strip.lines):
            label = literal(words(strip.who)[:80]) if n == 0 and len(strips) > 1 else None
            ax.plot(
                [line, line],
                [0, 1],
                transform=across,
                color=INK,
                linewidth=1.1,
                linestyle=style,
                zorder=4,
                label=label,
                gid=f"line {line!r}",
            )
            if len(strips) == 1:
                ax.annotate(
                    number(float(f"{line:.4g}")),
                    (line, 1),
                    color=INK,
                    usetex=False,
                    xytext=(0, 2),
                    xycoords=across,
                    textcoords="offset points",
                    ha="center",
                    fontsize=SMALL,
                )
    if len(strips) > 1:
        legend = ax.legend(loc="best", fontsize=SMALL, framealpha=1.0, facecolor=PAPER, title="Lines for", title_fontsize=SMALL)
        for text in (legend.get_title(), *legend.get_texts()):
            text.set(color=INK, usetex=False)


def _bars(ax: Axes, cohort: Cohort, scale: Scale) -> int:
    """A histogram with bins of one width on the scale; returns how many."""
    count = min(48, max(8, ceil(sqrt(len(cohort.numbers) or 1) * 1.4)))
    edges = [scale.at(n / count) for n in range(count + 1)]
    ax.hist(cohort.numbers, bins=edges, color=_BARS, edgecolor="white", linewidth=0.7, zorder=3, gid="bars")
    top = ax.get_ylim()[1]
    ax.set_ylim(0, top * 1.12)  # room for the names of the bands
    return count


def _steps(ax: Axes, cohort: Cohort) -> int:
    """The share of the values at or below each number."""
    listed = sorted(cohort.numbers)
    if listed:
        ax.step(
            [listed[0], *listed, ax.get_xlim()[1]], [0.0, *((n + 1) / len(listed) for n in range(len(listed))), 1.0], where="post", color=INK,
            linewidth=1.8, zorder=3.5, gid="steps",
        )  # fmt: skip
    ax.set_ylim(0, 1.1)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1])
    return 0


# --- words ----------------------------------------------------------------------------------------------------


def _shares(cohort: Cohort) -> str:
    """The share of each band among those who got an answer, in the order of the lines."""
    order = {stretch.key: n for strip in cohort.strips for n, stretch in enumerate(strip.stretches)}
    listed = sorted(cohort.bands.items(), key=lambda pair: (pair[0][0] is None, order.get(pair[0][0] or "", 99), str(pair[0][0])))
    if not listed:
        return "none was assessed"
    said = [f"{words(key or 'cannot be told')} {count / cohort.assessed:.1%} ({count})" for (key, _), count in _merged(listed)]
    return " · ".join(said)


def _merged(listed: list[tuple[tuple[str | None, str], int]]) -> list[tuple[tuple[str | None, str], int]]:
    """One count for each band: a critical value has a code of its own within a band."""
    found: dict[str | None, tuple[str, int]] = {}
    for (key, code), count in listed:
        found[key] = (code, found.get(key, (code, 0))[1] + count)
    return [((key, code), count) for key, (code, count) in found.items()]


def _spread(cohort: Cohort) -> str:
    if not cohort.numbers:
        return "There is no plain value to draw."
    listed = sorted(cohort.numbers)
    middle = (listed[(len(listed) - 1) // 2] + listed[len(listed) // 2]) / 2
    return f"The {len(listed)} plain values run from {number(listed[0])} to {number(listed[-1])} {unit_words(cohort.unit)}, median {number(middle)}."


def _notes(cohort: Cohort, bins: int, log: bool) -> list[str]:
    refused = sum(cohort.refused.values())
    notes = [
        f"Shares are of the {cohort.assessed} results that were assessed. Not assessed: {refused}"
        + (f" ({reasons(dict(cohort.refused.most_common()))})." if refused else ".")
    ]
    sets = list(dict.fromkeys(f"{strip.name} ({strip.id}): {strip.words} {unit_words(strip.unit)}" for strip in cohort.strips))
    notes += [f"Lines of {one}." for one in sets]
    notes += [cohort.said] if cohort.said else []
    notes.append(f"Drawn: the {len(cohort.numbers)} plain values that were read, assessed or not.")
    if bins:
        notes.append(f"{bins} bins of one width{' on the logarithmic scale' if log else ''}; nothing is smoothed.")
    if cohort.censored:
        shown = ", ".join(f"{text} ({count})" for text, count in cohort.censored.most_common(6))
        more = " and others" if len(cohort.censored) > 6 else ""
        notes.append(f"{sum(cohort.censored.values())} known only as intervals are in the shares and not in the drawing: {shown}{more}.")
    if cohort.converted:
        notes.append(
            f"{cohort.converted} were reported in another unit and converted exactly for display; each was judged in its own unit."
        )
    if cohort.unnamed:
        notes.append(f"{cohort.unnamed} rows name no analyte that is known; they are not counted here.")
    return [*notes, cohort.catalog.table["policy"]["disclaimer"]]
