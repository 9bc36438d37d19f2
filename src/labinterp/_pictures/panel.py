"""A whole panel on one page: each result on its own scale, what was not assessed below it with its reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from labinterp._catalog import Catalog
from labinterp._pictures.bands import Ground, draw_strip, draw_value
from labinterp._pictures.figures import LARGE, PLAIN, SMALL, page, write
from labinterp._pictures.said import describe
from labinterp._pictures.scales import scale_of
from labinterp._pictures.shades import FAINT, INK, QUIET
from labinterp._pictures.strips import Strip, answering_strip, numbers_of
from labinterp._pictures.texts import paragraph, quantity_words, shown, words
from labinterp._report import Report
from labinterp._results import Finding, NotAssessed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The page in inches, from its upper left corner.
_WIDTH, _MARGIN, _VALUE, _STRIP, _STRIP_END, _ANSWER = 9.6, 0.3, 3.55, 3.8, 7.2, 7.42
_ROW, _LINE = 0.52, 0.155


def draw(report: Report, ax: Axes | None) -> Figure:
    """See `plots.panel`."""
    parts = _parts(report)
    height = _height(parts)
    figure, ax = page(_WIDTH, height, ax)
    write(ax, _MARGIN, 0.36, "Blood results", LARGE * 1.15, fontweight="bold")
    write(ax, _MARGIN, 0.6, person_words(report), PLAIN, color=QUIET)
    y = 0.98
    for part in parts:
        y = _row(ax, part, y) if isinstance(part, Finding) else _text(ax, part, y)
    describe(ax, _said(report))
    return figure


class _Text(str):
    """A paragraph of the page."""

    __slots__ = ()


class _Flag(_Text):
    """A red flag."""

    __slots__ = ()


class _Head(_Text):
    """The title of a part of the page."""

    __slots__ = ()


def _parts(report: Report) -> list[Finding | _Text]:
    """What stands on the page, from the top."""
    page: list[Finding | _Text] = []
    if report.alerts:  # a red flag stands first
        tiers = _tiers(report)
        flags = _paragraphs(f"{a.tier}, {tiers.get(a.tier, '')} (row {a.row}): {a.text}" for a in report.alerts)
        page += [_Head("Needs attention"), *map(_Flag, flags), _Text("")]
    page += report.findings
    if report.derived:
        page += [_Head("Computed from these results"), *report.derived]
    if report.not_assessed:
        page += [_Head("Not assessed"), *_paragraphs(map(refusal, report.not_assessed))]
    notes = [*report.notes, *(f"{f.name}: {note}" for f in (*report.findings, *report.derived) for note in f.notes)]
    if notes:
        page += [_Head("Notes"), *_paragraphs(shown(note, 400) for note in dict.fromkeys(notes))]
    return [*page, _Text(""), *_paragraphs([report.disclaimer])]


def _paragraphs(texts: Iterable[str]) -> list[_Text]:
    return [_Text(paragraph([text], 150)) for text in texts]


def _tiers(report: Report) -> dict[str, str]:
    catalog = next((f.basis.catalog for f in (*report.findings, *report.derived)), None) or Catalog.default()
    return dict(catalog.table["policy"]["tier_words"])


def refusal(refused: NotAssessed) -> str:
    """One result without an answer, in words."""
    what = " ".join(shown(part, 40) for part in (refused.source_name or "(no name)", refused.value_text, refused.unit_text) if part)
    return f"Row {refused.row}, {what}: {words(refused.reason)}. {shown(refused.message, 400)}"


def person_words(report: Report) -> str:
    """The person, as far as the report says."""
    patient = report.patient
    said = [f"Patient {shown(patient.id, 40)}" if patient.id else "", patient.sex or "sex not stated"]
    said.append("age not stated" if patient.age_years is None else f"{patient.age_years:g} years")
    if patient.pregnant is not None:
        said.append("pregnant" if patient.pregnant else "not pregnant")
    return ", ".join([part for part in said if part] + [words(context) for context in sorted(patient.contexts)])


# --- drawing --------------------------------------------------------------------------------------------------


def _space(part: Finding | _Text) -> float:
    if isinstance(part, Finding):
        return _ROW
    return 0.36 if isinstance(part, _Head) else _LINE * (part.count("\n") + 1) + 0.05


def _height(page: list[Finding | _Text]) -> float:
    return 0.95 + sum(map(_space, page)) + 0.35


def _text(ax: Axes, text: _Text, y: float) -> float:
    if isinstance(text, _Head):
        write(ax, _MARGIN, y + 0.14, text, PLAIN, fontweight="bold", va="center")
        ax.plot([_MARGIN, _WIDTH - _MARGIN], [y + 0.27] * 2, color=FAINT, linewidth=0.8)
    else:
        write(ax, _MARGIN, y + 0.03, text, SMALL, va="top", color=INK if isinstance(text, _Flag) else QUIET, linespacing=1.3)
    return y + _space(text)


def _row(ax: Axes, finding: Finding, y: float) -> float:
    middle = y + 0.24
    computed = finding.derived_from is not None
    name = paragraph([shown(finding.name, 44)], 27) + ("\n(computed)" if computed else "")
    write(ax, _MARGIN, middle, name, PLAIN, va="center", fontstyle="italic" if computed else "normal", linespacing=1.1)
    write(ax, _VALUE, middle, quantity_words(finding.quantity), PLAIN, va="center", ha="right", fontweight="bold")
    strip = answering_strip(finding, finding.unit)
    if strip is None or not strip.stretches:
        write(ax, _STRIP, middle, "no line to draw", SMALL, va="center", color=QUIET)
    else:
        _strip(ax, finding, strip, middle)
    code = "" if finding.band is None else finding.code
    write(
        ax,
        _ANSWER,
        middle - 0.075,
        f"{code}  {words(finding.band or 'cannot be told')}".strip(),
        PLAIN,
        va="center",
        fontweight="bold" if finding.code != "N" else "normal",
    )
    write(
        ax,
        _ANSWER,
        middle + 0.085,
        shown(finding.limits if finding.limits != "reported" else "the laboratory's own range", 34),
        SMALL,
        va="center",
        color=QUIET,
    )
    return y + _ROW


def _strip(ax: Axes, finding: Finding, strip: Strip, middle: float) -> None:
    scale = scale_of(numbers_of([strip], [finding.quantity]))
    ground = Ground(ax, scale, _STRIP_END - _STRIP, lambda share: _STRIP + share * (_STRIP_END - _STRIP))
    draw_strip(ground, strip, middle, 0.2, finding.quantity)
    draw_value(ground, finding.quantity, middle, 7.5)
    if scale.log:
        write(ax, _STRIP_END, middle + 0.12, "logarithmic", SMALL * 0.85, ha="right", va="top", color=QUIET)


def _said(report: Report) -> str:
    rows = []
    for finding in (*report.findings, *report.derived):
        strip = answering_strip(finding, finding.unit)
        bands = f" Bands: {strip.words.replace(' · ', ', ')}." if strip else ""
        computed = ", computed" if finding.derived_from is not None else ""
        rows.append(
            f"{finding.name} {quantity_words(finding.quantity)}{computed}: {words(finding.band or 'cannot be told')} ({finding.code}, {finding.limits}).{bands}"
        )
    refused = [refusal(one) for one in report.not_assessed]
    alerts = [f"{alert.tier}: {alert.text}" for alert in report.alerts]
    parts = [f"Blood results of a person: {person_words(report)}.", *rows]
    parts += ["Needs attention.", *alerts] if alerts else []
    parts += ["Not assessed.", *refused] if refused else []
    return " ".join([*parts, report.disclaimer])
