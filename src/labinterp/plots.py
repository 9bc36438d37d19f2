"""Pictures of answers: one value on its bands, a panel, a trend, a cohort, the way to muscle effects.

Needs the extra "plots". Every function gives a matplotlib `Figure` that can be changed and saved like any other, and draws on the
axes given as `ax`. Nothing of matplotlib's shared state is used or changed. Bands differ in lightness and hatching, not in hue
alone; every figure carries an alt text. Nothing is smoothed, and no end is drawn that the data does not have.

Example:
    >>> import labinterp as li
    >>> finding = li.assess({"25(OH)D": "18 ng/mL"}, li.Patient(sex="female", age_years=71))
    >>> figure = value(finding, authorities=["nam", "ros-2018"])
    >>> print(alt_text(figure)[:53])
    25-hydroxyvitamin D, total 18 ng/mL, inadequate (L).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labinterp.errors import MissingExtraError

try:
    import matplotlib as mpl  # noqa: F401 - said here, so that what is missing is said once
except ImportError:
    raise MissingExtraError("plots") from None

from labinterp._pictures import distribution as _distribution
from labinterp._pictures import panel as _panel
from labinterp._pictures import story as _story
from labinterp._pictures import trend as _trend
from labinterp._pictures import value as _value
from labinterp._pictures.said import alt_text
from labinterp._pictures.saved import save as _save

if TYPE_CHECKING:
    from datetime import date

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from labinterp._catalog import Catalog
    from labinterp._inputs import LabResult, Patient
    from labinterp._report import Report
    from labinterp._results import Finding, NotAssessed
    from labinterp.readers import PanelIn


def value(
    finding: Finding | NotAssessed,
    *,
    authorities: str | Iterable[str] | None = None,
    unit: str | None = None,
    patient: Patient | None = None,
    catalog: Catalog | None = None,
    ax: Axes | None = None,
) -> Figure:
    """One value beside the lines of everybody who draws some for this person, the laboratory's own range among them.

    Each row is one set of limits, from the top: the one that answered, the laboratory's own range, the others. A band without an
    end runs out in a point. A value such as "<4" is a bar with an arrow. At the right stands the band the value lies in, decided
    in the unit it was reported in.

    Args:
        finding: The answer. A `NotAssessed` is drawn where a quantity could be read.
        authorities: Whose lines: authorities ("nam"), limit sets ("vitamin_d/ros-2018", "ros-2018"); default: all that are in
            force for this person.
        unit: Another unit of the analyte to show. Lines are then the printed ones where the source prints that unit.
        patient: The person behind a `NotAssessed`; a finding brings its own.
        catalog: The data behind a `NotAssessed`; a finding brings its own.
        ax: Axes to draw on; default: a new figure.

    Returns:
        Figure: one axes; its x axis is in the unit shown, logarithmic (and labelled so) where the lines are far apart.

    Raises:
        InputError: There is no quantity, or nobody draws a line.
        UnknownAuthorityError: Nobody of that name draws lines in the catalog.
        UnknownUnitError, IncompatibleUnitError: A unit that is not known, or not one of the analyte.

    Example:
        >>> import labinterp as li
        >>> figure = value(li.assess({"ferritin": "<12 ug/L"}, li.Patient(sex="female", age_years=30, pregnant=False)), unit="pmol/L")
        >>> figure.axes[0].get_xlabel()
        'pmol/L'

    Source:
        Each row names its limit set; `labinterp.Catalog.citations(id)` says where the lines are printed.
    """
    return _value.draw(finding, authorities, unit, patient, catalog, ax)


def panel(report: Report, *, ax: Axes | None = None) -> Figure:
    """A whole panel on one page: each result on the lines that answered, red flags first, refusals with their reasons last.

    Every strip has its own scale, in the reported unit; the numbers above it are its lines. What was computed from other results
    stands apart.

    Args:
        report: From `interpret`.
        ax: Axes to draw on; default: a new figure.

    Returns:
        Figure: one axes in inches from the upper left corner.

    Example:
        >>> import labinterp as li
        >>> figure = panel(li.interpret({"25(OH)D": "18 ng/mL", "folate": "pending"}))
        >>> "Not assessed. Row 2, folate pending" in alt_text(figure)
        True

    Source:
        Each row names the limit set that answered.
    """
    return _panel.draw(report, ax)


def trend(
    results: Iterable[LabResult | PanelIn] | Mapping[Any, Report | Finding | NotAssessed],
    analyte: str,
    *,
    patient: Patient | None = None,
    unit: str | None = None,
    authority: str | Mapping[str, str] | None = None,
    as_of: date | str | None = None,
    decimal: str | None = None,
    catalog: Catalog | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Values over time with the bands behind them.

    With a birth date, bands that depend on age move on the birthday, in steps. Without one, nothing is drawn between two results
    with other bands, because the day of the change is not known. Values are not joined: nothing is known between them.

    Args:
        results: `LabResult`s with `collected_at`; panels as `readers.read_file` gives them; or a mapping from day to `Report`,
            `Finding` or `NotAssessed`.
        analyte: Id, name or LOINC code.
        patient: Whose results, for `LabResult`s; a birth date lets the bands move with age.
        unit: To show; default: the one reported most often. Others are converted exactly, drawn as squares and said so.
        authority: As for `interpret`.
        as_of: As for `interpret`.
        decimal: As for `interpret`.
        catalog: As for `interpret`.
        ax: Axes to draw on; default: a new figure.

    Returns:
        Figure: one axes, days along x.

    Raises:
        InputError: Something else was given, or no result of the analyte has a day.
        UnknownAnalyteError: No analyte has this name.

    Example:
        >>> import labinterp as li
        >>> from datetime import date
        >>> drawn = [li.LabResult("Hb", text, "g/L", collected_at=date(year, 3, 1)) for text, year in (("105", 2016), ("118", 2024))]
        >>> figure = trend(drawn, "hemoglobin", patient=li.Patient(sex="male", birth_date=date(2012, 6, 15)))
        >>> "From 2017-06-15 to" in alt_text(figure)
        True

    Source:
        The small print names the limit sets.
    """
    options = {"authority": authority, "as_of": as_of, "decimal": decimal}
    return _trend.draw(results, analyte, unit, patient, catalog, options, ax)


def distribution(
    values: Any,
    analyte: str,
    *,
    kind: str = "histogram",
    unit: str | None = None,
    patient: Patient | None = None,
    authority: str | Mapping[str, str] | None = None,
    as_of: date | str | None = None,
    decimal: str | None = None,
    catalog: Catalog | None = None,
    prefix: str = "li_",
    ax: Axes | None = None,
) -> Figure:
    """How the results of many people are spread against the lines, with the share in each band and who got no answer.

    Shares come from each result's own answer. The lines are those of the people in it: as bands where they are the same for all,
    else each kind of person in its own line style, or none where there are more than four kinds.

    Args:
        values: A frame that `interpret_frame` gave; or findings, refusals, reports, `LabResult`s, texts such as "18 ng/mL", or
            numbers with `unit`.
        analyte: Id, name or LOINC code.
        kind: "histogram", with bins of one width on the scale, or "ecdf", the share of the plain values at or below each number.
        unit: To show, and the unit of plain numbers; default: the one reported most often.
        patient: Whose lines to draw; also the person of texts and numbers.
        authority: As for `interpret`, for values that are not answers yet.
        as_of: As for `interpret`.
        decimal: As for `interpret`.
        catalog: As for `interpret`.
        prefix: Of the columns that `interpret_frame` added.
        ax: Axes to draw on; default: a new figure.

    Returns:
        Figure: one axes; values known only as intervals are in the shares and named below, not in the drawing.

    Raises:
        InputError: Something else was given, or nothing of the analyte is there.
        MissingExtraError: A frame, and the extra "dataframes" is not installed.

    Example:
        >>> figure = distribution(["18 ng/mL", "31 ng/mL", "<4 ng/mL", "n/a"], "vitamin_d")
        >>> "deficient 33.3% (1)" in alt_text(figure), "Not assessed: 1 (unreadable value 1)" in alt_text(figure)
        (True, True)

    Source:
        The small print names the limit sets.
    """
    options = {key: given for key, given in (("authority", authority), ("as_of", as_of), ("decimal", decimal)) if given is not None}
    return _distribution.draw(values, analyte, kind, unit, patient, catalog, options, prefix, ax)


def story(report: Report, *, catalog: Catalog | None = None, ax: Axes | None = None) -> Figure:
    """The way from results over states and mechanisms to muscle effects, in four columns.

    The kind of line says how strong a link may sound ("can cause", "may contribute to", "has been linked in studies with", "has
    been suggested from animal or cell studies"), its weight how sure it is.

    Args:
        report: From `interpret`.
        catalog: Whose words; default: those of the report.
        ax: Axes to draw on; default: a new figure.

    Returns:
        Figure: one axes in inches from the upper left corner; one sentence where nothing is linked to muscle.

    Example:
        >>> import labinterp as li
        >>> figure = story(li.interpret({"magnesium": "0.42 mmol/L"}, li.Patient(sex="male", age_years=49)))
        >>> "can cause" in alt_text(figure)
        True

    Source:
        The links are those of `report.effects`, with their citations.
    """
    return _story.draw(report, catalog, ax)


def save(figure: Figure, path: str | Path, *, dpi: float = 150) -> Path:
    """Write a figure as SVG or PNG, whole or not at all; the same figure gives the same bytes.

    An SVG keeps text as text and carries the alt text as title and description; a PNG carries it as Description.

    Args:
        figure: From one of the functions above.
        path: Ends in .svg or .png.
        dpi: Dots an inch, for PNG.

    Returns:
        Path: the file.

    Raises:
        InputError: Another ending, a figure that is not one of these, or the file cannot be written.

    Example:
        >>> import tempfile
        >>> import labinterp as li
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print(save(panel(li.interpret({"ferritin": "12 ug/L"})), Path(folder, "panel.svg")).name)
        panel.svg
    """
    return _save(figure, path, dpi)


__all__ = ["alt_text", "distribution", "panel", "save", "story", "trend", "value"]
