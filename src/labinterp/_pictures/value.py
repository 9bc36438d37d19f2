"""One value beside the lines of everybody who draws some for this person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from labinterp._book import Book, book_for
from labinterp._catalog import Catalog
from labinterp._convert import convert
from labinterp._inputs import Patient
from labinterp._interpret import known_contexts
from labinterp._pictures.bands import Ground, draw_strip, draw_value, guide
from labinterp._pictures.figures import PLAIN, SMALL, axes_on, bare, numbered, small_print, title, write
from labinterp._pictures.said import describe
from labinterp._pictures.scales import Scale, scale_of
from labinterp._pictures.shades import INK, PAPER, QUIET
from labinterp._pictures.strips import Strip, answering_strip, keys_of, numbers_of, own_strip, rules_for, strip_of
from labinterp._pictures.texts import literal, paragraph, quantity_words, shown, unit_words, words
from labinterp._quantity import Quantity
from labinterp._results import Finding, NotAssessed
from labinterp.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from labinterp._rules import LimitSet

_MOST_WAYS = 4  # of one set, where a fact of the person is not known
_WIDTH, _ROW = 9.2, 0.74  # inches
_BEHIND = {"boxstyle": "square,pad=0.05", "facecolor": PAPER, "edgecolor": "none"}


class Asked(NamedTuple):
    """One value and the person it belongs to, whether it got an answer or not."""

    catalog: Catalog
    patient: Patient
    analyte: str
    quantity: Quantity
    as_of: str
    heading: str

    @property
    def book(self) -> Book:
        """The rules for the person."""
        return book_for(self.catalog, self.patient, None, self.as_of)


def draw(
    finding: Finding | NotAssessed, authorities: str | Iterable[str] | None, unit: str | None, patient: Patient | None, catalog: Catalog | None,
    ax: Axes | None,
) -> Figure:  # fmt: skip
    """See `plots.value`."""
    asked = _asked(finding, patient, catalog)
    converted = asked.quantity if unit is None else convert(asked.quantity, unit, analyte=asked.analyte, catalog=asked.catalog)
    strips, left_out = _strips(finding, asked, converted.unit, authorities)
    if not strips:
        raise InputError(f"nobody in the catalog draws a line for {asked.analyte} and this person{_because(left_out)}")
    scale = scale_of(numbers_of(strips, [converted]))
    figure, axes = axes_on(ax, _WIDTH, 1.75 + _ROW * len(strips) + 0.15 * len(left_out))
    _draw(axes, asked, converted, strips, scale, finding.limits if isinstance(finding, Finding) else None)
    sentences = [*_notes(finding, asked, converted, strips), *left_out, asked.catalog.table["policy"]["disclaimer"]]
    small_print(axes, sentences, 118)
    describe(axes, _said(asked, converted, strips, sentences))
    return figure


def _because(left_out: list[str]) -> str:
    return ": " + "; ".join(left_out) if left_out else ""


def _asked(finding: Finding | NotAssessed, patient: Patient | None, catalog: Catalog | None) -> Asked:
    if isinstance(finding, Finding):
        basis = finding.basis
        return Asked(
            basis.catalog,
            basis.patient,
            finding.analyte,
            finding.quantity,
            basis.as_of,
            f"{words(finding.band or 'not certain')} ({finding.code})",
        )
    if not isinstance(finding, NotAssessed):
        raise InputError(f"value takes a Finding or a NotAssessed, not {type(finding).__name__}")
    if finding.quantity is None or finding.analyte is None:
        raise InputError(
            f"there is no quantity to draw: the result was not assessed ({finding.reason}); give value and unit so that they can be read"
        )
    catalog = catalog or Catalog.default()
    person = known_contexts(catalog, patient or Patient())
    return Asked(catalog, person, finding.analyte, finding.quantity, catalog.as_of, f"not assessed: {words(finding.reason)}")


# --- which strips ---------------------------------------------------------------------------------------------


def _strips(
    finding: Finding | NotAssessed, asked: Asked, unit: str, authorities: str | Iterable[str] | None
) -> tuple[list[Strip], list[str]]:
    """The strips from the top, and sentences on the sets that are not drawn."""
    found: list[Strip] = []
    answering = None
    if isinstance(finding, Finding):
        own, answering = own_strip(finding, unit), answering_strip(finding, unit)
        found += [
            strip for strip in dict.fromkeys((answering, own)) if strip is not None and (authorities is None or strip.id == "reported")
        ]
    left_out: list[str] = []
    entry = asked.catalog.table["analytes"][asked.analyte]
    for id in _ids(asked, authorities):
        if any(strip.id == id for strip in found):
            continue
        if answering is not None and answering.id == id:  # of several populations the one that answered
            found.append(answering)
            continue
        if id in entry["no_limit"]:
            found += _silent(asked, id, unit, asked.catalog.table["no_limit"][id]["because"])
            continue
        made = _of_set(asked, asked.catalog.limit_set(id), unit)
        if made is None:
            left_out.append(f"Not drawn: {id}, whose lines depend on facts of the person that are not known.")
        elif made:
            found += made
        elif authorities is not None:
            found += _silent(asked, id, unit, "draws no line for this person")
    return found, left_out


def _silent(asked: Asked, id: str, unit: str, because: str) -> list[Strip]:
    table = asked.catalog.table
    record = table["limits"].get(id) or table["no_limit"][id]
    return [Strip(id, table["authorities"][record["authority"]]["name"], "", unit, (), (), because)]


def _ids(asked: Asked, authorities: str | Iterable[str] | None) -> list[str]:
    """The sets that are asked for, each once; by default all that are in force."""
    catalog, analyte = asked.catalog, asked.analyte
    rows = catalog.authorities(analyte)
    if authorities is None:
        return [row["id"] for row in rows if row["kind"] is not None and catalog.limit_set(row["id"]).in_force(asked.as_of)]
    ids: list[str] = []
    for who in [authorities] if isinstance(authorities, str) else authorities:
        catalog.check_authority(who)
        own = [row["id"] for row in rows if who in (row["id"], row["id"].split("/", 1)[1])]
        own = own or [row["id"] for row in rows if row["authority"] == who and _current(asked, row["id"])]
        if not own:
            raise InputError(f"{who} draws no line for {analyte} in this catalog; see labinterp.authorities({analyte!r})")
        ids += own
    return list(dict.fromkeys(ids))


def _current(asked: Asked, id: str) -> bool:
    return id not in asked.catalog.table["limits"] or asked.catalog.limit_set(id).in_force(asked.as_of)


def _of_set(asked: Asked, limit_set: LimitSet, unit: str) -> list[Strip] | None:
    """A strip for each population that may hold; None where there are too many to be told apart."""
    rules, certain = rules_for(asked.book, limit_set, asked.quantity.unit)
    if len(rules) > _MOST_WAYS:
        return None
    return [
        strip_of(asked.catalog, rule.limit_set, rule.population, unit, keys_of(rule, asked.quantity))._replace(certain=certain)
        for rule in rules
    ]


# --- drawing --------------------------------------------------------------------------------------------------


def _draw(ax: Axes, asked: Asked, quantity: Quantity, strips: list[Strip], scale: Scale, answering: str | None) -> None:
    ground = Ground(ax, scale, 5.2)
    heights = [float(n) for n in range(1, len(strips) + 1)]
    ax.set_xscale("log" if scale.log else "linear")
    ax.set_xlim(scale.low, scale.high)
    ax.set_ylim(heights[-1] + 0.62, 0.05)
    guide(
        ground,
        quantity,
        0.36,
        [(y - 0.18, y + 0.18) for y, strip in zip(heights, strips, strict=True) if strip.stretches] or [(0.36, 0.36)],
    )
    for y, strip in zip(heights, strips, strict=True):
        if strip.stretches:
            draw_strip(ground, strip, y, 0.36)
        below = paragraph([" · ".join(part for part in (strip.words, strip.who, strip.said) if part)], 106)
        write(ax, scale.at(0.0), y + 0.22, below, SMALL * 0.92, va="top", color=QUIET, linespacing=1.15, bbox=_BEHIND, zorder=3)
        ax.annotate(
            literal(strip.answered or ("no line" if not strip.stretches else "not told")), (1, y), xytext=(6, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="center", usetex=False, fontsize=PLAIN, color=INK if strip.answer and strip.certain else QUIET,
        )  # fmt: skip
    draw_value(ground, quantity, 0.36)
    bold = {0.36, *(y for y, strip in zip(heights, strips, strict=True) if strip.id == answering)}
    ax.set_yticks([0.36, *heights], ["This result", *(literal(_label(strip)) for strip in strips)], fontsize=PLAIN, color=INK, usetex=False)
    ax.tick_params(axis="y", length=0, pad=9)
    for y, label in zip([0.36, *heights], ax.get_yticklabels(), strict=True):
        label.set_fontweight("bold" if y in bold else "normal")
    numbered(ax.xaxis, unit_words(quantity.unit), scale.log)
    bare(ax, ("top", "right", "left"))
    ax.spines["bottom"].set_color(QUIET)
    name = asked.catalog.table["analytes"][asked.analyte]["name"]
    title(ax, f"{shown(name)}  {_value(asked, quantity)}", f"{asked.heading}, and what others say of the same value")


def _label(strip: Strip) -> str:
    key = strip.id.split("/", 1)[-1]
    return paragraph([shown(strip.name, 72)], 34) + (f"\n{key}" if strip.id != "reported" else "")


def _value(asked: Asked, quantity: Quantity) -> str:
    reported = quantity_words(asked.quantity)
    return reported if quantity.unit == asked.quantity.unit else f"{quantity_words(quantity, 4)}  (reported as {reported})"


# --- words ----------------------------------------------------------------------------------------------------


def _notes(finding: Finding | NotAssessed, asked: Asked, quantity: Quantity, strips: list[Strip]) -> list[str]:
    notes = []
    if isinstance(finding, NotAssessed):
        notes.append(f"Not assessed: {finding.message}")
    elif finding.basis.critical is not None:
        notes.append(f"The code {finding.code} comes from a published critical value, which is not one of the lines above.")
    if quantity.unit != asked.quantity.unit:
        notes.append(
            f"Converted for display, exactly. The lines are those printed in {unit_words(quantity.unit)} where the source prints them; "
            f"every band was decided in {unit_words(asked.quantity.unit)}, as reported."
        )
        odd = [strip.id for strip in strips if _beyond(strip, quantity)]
        if odd:
            notes.append(
                f"By rounding in print the converted value lies on the other side of a line of {', '.join(odd)}; the band named at the right holds."
            )
    if not all(strip.certain for strip in strips):
        notes.append('"If so": the lines hold only for such a person, and whether this person is one is not known.')
    if asked.quantity.comparator:
        notes.append("The value is known only as an interval; a band is named alone only if the whole interval lies in it.")
    return notes


def _beyond(strip: Strip, quantity: Quantity) -> bool:
    """Whether a converted plain value lies outside the stretch that its reported form belongs to."""
    if quantity.comparator or len(strip.answer) != 1:
        return False
    value = float(quantity.value)
    own = [s for s in strip.stretches if s.key == strip.answer[0]]
    return not any((s.low is None or s.low <= value) and (s.high is None or value <= s.high) for s in own)


def _said(asked: Asked, quantity: Quantity, strips: list[Strip], sentences: list[str]) -> str:
    name = asked.catalog.table["analytes"][asked.analyte]["name"]
    rows = [
        f"{strip.name} ({strip.id}): {strip.words.replace(' · ', ', ')} {unit_words(strip.unit)}{'' if strip.certain else f', for {strip.who}'}; the value is {strip.answered or 'not told'}."
        if strip.stretches
        else f"{strip.name} ({strip.id}): no line, {strip.said}."
        for strip in strips
    ]
    return " ".join([f"{name} {_value(asked, quantity)}, {asked.heading}.", "Bands from the top:", *rows, *sentences])
