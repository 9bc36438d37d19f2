"""Pictures: what is drawn is what the data says, for every eye, and whole.

python -m tests.test_plots --write     writes the golden images anew; look at each before it is kept
"""

from __future__ import annotations

import doctest
import importlib
import io
import pickle
import re
import runpy
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imread

import labinterp as li
from labinterp import Catalog, LabResult, Patient, assess, interpret, plots, readers
from labinterp._pictures.paths import path_of
from labinterp._pictures.shades import APART, lightness, shades
from labinterp.errors import InputError, UnknownAuthorityError

ROOT = Path(__file__).resolve().parents[1]
IMAGES = Path(__file__).resolve().parent / "golden_images"
WOMAN = Patient(sex="female", age_years=71)
BORN = Patient(sex="male", birth_date=date(2012, 6, 15))
HAEMOGLOBIN = [
    LabResult("Hb", "105", "g/L", collected_at=date(2015, 3, 1)),
    LabResult("Hb", "11.4", "g/dL", collected_at=date(2017, 9, 12)),
    LabResult("Hb", "pending", "g/L", collected_at=date(2019, 8, 1)),
    LabResult("Hb", "<110", "g/L", collected_at=date(2021, 5, 1)),
    LabResult("Hb", "118", "g/L", collected_at=date(2024, 8, 1)),
    LabResult("Hb", "124", "g/L"),
]
COHORT = [f"{n / 2} ng/mL" for n in range(10, 140)] + ["<4 ng/mL"] * 9 + ["n/a"] * 3 + ["30 nmol/L"] * 4


def example() -> li.Report:
    """The panel in docs/examples."""
    (panel,) = readers.read_file(ROOT / "docs" / "examples" / "panel.csv").panels
    return interpret(panel.results, panel.patient, rows=panel.rows)


def marks(figure: Figure, start: str) -> list[Any]:
    """What was drawn under a name."""
    found = [*figure.axes[0].lines, *figure.axes[0].patches]
    return [one for one in found if (one.get_gid() or "").startswith(start)]


def lines(figure: Figure, row: int | None = None) -> list[float]:
    """Where the lines of a value's picture lie on its x axis, from the left; of one row, counted from 1."""
    drawn = [(float(one.get_xdata()[0]), float(np.mean(one.get_ydata()))) for one in marks(figure, "line ")]
    return sorted(x for x, y in drawn if row is None or round(y) == row)


def words(figure: Figure) -> str:
    """Every text of a figure, in one."""
    from matplotlib.text import Text

    return "\n".join(text.get_text() for text in figure.findobj(Text))


# --- one value ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("ng/mL", [12, 20, 50]),  # NAM 2011 prints both units
        ("nmol/L", [30, 50, 125]),
        ("ug/L", [12, 20, 50]),  # the same size as ng/mL
    ],
)
def test_the_lines_are_the_printed_ones_in_the_unit_shown(unit: str, expected: list[float]) -> None:
    """20 ng/mL and 50 nmol/L are one line, although 20 times 2.496 is 49.92."""
    figure = plots.value(assess({"25(OH)D": "18 ng/mL"}, WOMAN), authorities="nam", unit=unit)
    assert lines(figure) == expected
    assert figure.axes[0].get_xlabel() == unit


def test_a_value_is_converted_exactly_and_its_band_stays_the_one_of_the_reported_unit() -> None:
    """20 ng/mL is adequate; drawn as 49.92 nmol/L it lies left of the printed 50, and the picture says which holds."""
    figure = plots.value(assess({"25(OH)D": "20 ng/mL"}, WOMAN), authorities="nam", unit="nmol/L")
    (value,) = marks(figure, "value")
    exact = li.convert("20 ng/mL", "nmol/L", analyte="vitamin_d")
    assert value.get_xdata()[0] == pytest.approx(float(exact.value), rel=1e-12)
    assert value.get_xdata()[0] < 50
    said = plots.alt_text(figure)
    assert "the value is adequate" in said
    assert "lies on the other side of a line of vitamin_d/nam-2011" in said


def test_every_authority_in_force_for_the_person_has_a_row() -> None:
    """By default each limit set that draws a line for this person is a row, with its lines, and no other is."""
    finding = assess({"vitamin D": "18 ng/mL"}, WOMAN)
    figure = plots.value(finding)
    shown = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    catalog = Catalog.default()
    for row in catalog.authorities("vitamin_d"):
        answered = assess({"vitamin D": "18 ng/mL"}, WOMAN, authority=row["id"])
        assert any(text.endswith("\n" + row["id"].split("/")[1]) for text in shown) == (not hasattr(answered, "reason")), row["id"]
        if not hasattr(answered, "reason"):
            assert f"({row['id']})" in plots.alt_text(figure)


def test_the_band_at_the_right_is_what_the_engine_says() -> None:
    """For each set, the band named is that of an assessment by that set alone."""
    for text in ("8 ug/L", "150 ug/L", "220 ug/L", "<20 ug/L", ">100 ug/L"):
        figure = plots.value(assess({"ferritin": text}, WOMAN))
        for id, said in re.findall(r"\((ferritin/[\w-]+)\): [^;]+; the value is ([^.]+)\.", plots.alt_text(figure)):
            answered = assess({"ferritin": text}, WOMAN, authority=id)
            bands = [answered.band] if answered.band else answered.basis.possible  # type: ignore[union-attr]
            assert said == " or ".join(band.replace("_", " ") for band in bands), (text, id)


def test_the_laboratorys_own_range_is_a_row_in_the_unit_shown() -> None:
    """The printed range stands beside the others, and moves with the unit."""
    result = LabResult("ferritin", "12", "ug/L", ref_low=13, ref_high=150)
    figure = plots.value(assess(result, WOMAN), authorities="who")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()][1:] == [
        "The laboratory's own range",
        "World Health Organization\nwho-2020",
    ]
    assert lines(figure, 1) == [13, 150]
    factor = float(Catalog.default().factor("ferritin", "ug/L", "pmol/L") or 0)
    assert lines(plots.value(assess(result, WOMAN), authorities="who", unit="pmol/L"), 1) == pytest.approx([13 * factor, 150 * factor])


def test_a_range_with_one_end_is_told_as_it_is_printed() -> None:
    """ "< 15" says that 15 is over it; "up to 15" would not."""
    for text, band in (("< 15", "above"), ("<= 15", "within")):
        said = plots.alt_text(plots.value(assess(LabResult("homocysteine", "15", "umol/L", ref_text=text), WOMAN), authorities="arup-2021"))
        assert f"within {text}, above over it umol/L; the value is {band}." in said


def test_a_band_without_an_end_runs_out_in_a_point() -> None:
    """The outer bands have five corners; a band between two lines is a box, exactly between them."""
    figure = plots.value(assess({"25(OH)D": "18 ng/mL"}, WOMAN), authorities="nam")
    corners = {one.get_gid(): one.get_xy()[:-1] for one in marks(figure, "band ")}
    assert {key: len(xy) for key, xy in corners.items()} == {"band deficient": 5, "band inadequate": 4, "band adequate": 4, "band high": 5}
    assert sorted({float(x) for x, _ in corners["band inadequate"]}) == [12, 20]
    low, high = figure.axes[0].get_xlim()
    assert min(x for x, _ in corners["band deficient"]) == low
    assert max(x for x, _ in corners["band high"]) == pytest.approx(high)


@pytest.mark.parametrize(
    ("text", "known", "open_ends", "filled"),
    [
        ("<12 ug/L", [12], ["<"], False),
        ("<=12 ug/L", [12], ["<"], True),
        (">150 ug/L", [150], [">"], False),
        ("40-60 ug/L", [40, 60], [], True),
    ],
)
def test_a_censored_value_is_an_interval(text: str, known: list[float], open_ends: list[str], filled: bool) -> None:
    """ "<12" reaches from 12 to the open end, with an arrow; a ring says that 12 itself is not in it. No point is drawn."""
    figure = plots.value(assess({"ferritin": text}, WOMAN), authorities="who")
    assert not marks(figure, "value")
    (bar,) = marks(figure, "interval")
    ends = [float(one.get_xdata()[0]) for one in marks(figure, "end")]
    assert ends == pytest.approx(known)
    assert [one.get_marker() for one in marks(figure, "open end")] == open_ends
    assert all((one.get_markerfacecolor() == one.get_color()) == filled for one in marks(figure, "end"))
    low, high = figure.axes[0].get_xlim()
    assert list(bar.get_xdata()) == pytest.approx({"<": [low, *known], ">": [*known, high]}.get(text[0], known))


def test_a_logarithmic_scale_says_so() -> None:
    """Ferritin's lines from 15 to 500 need one, a magnesium's do not."""
    far = plots.value(assess({"ferritin": "2000 ug/L"}, WOMAN)).axes[0]
    assert (far.get_xscale(), far.get_xlabel()) == ("log", "ug/L, logarithmic scale")
    assert plots.value(assess({"Mg": "0.7 mmol/L"}, WOMAN)).axes[0].get_xscale() == "linear"


def test_a_refusal_is_drawn_where_there_is_a_quantity() -> None:
    """Without the sex, haemoglobin has the lines of both; without a number there is nothing to draw."""
    refused = assess({"Hb": "125 g/L"}, Patient(age_years=40, pregnant=False))
    assert refused.reason == "sex_unknown"  # type: ignore[union-attr]
    figure = plots.value(refused, authorities="hemoglobin/who-2024", patient=Patient(age_years=40, pregnant=False))
    assert (lines(figure, 1), lines(figure, 2)) == ([80, 110, 120], [80, 110, 130])
    assert "not assessed: sex unknown" in words(figure)
    assert words(figure).count("(if so)") == 2
    with pytest.raises(InputError, match="unknown context"):
        plots.value(refused, patient=Patient(contexts=["moonstruck"]))
    with pytest.raises(InputError, match="no quantity to draw"):
        plots.value(assess({"ferritin": "pending"}))


def test_who_draws_no_line_says_so() -> None:
    """Silence that was asked for is a row of its own."""
    catalog = Catalog.default()
    silent = [id for analyte in catalog.analytes.values() for id in analyte.no_limit if analyte.limits]
    id = next(id for id in silent if id.startswith("vitamin_d/"))
    figure = plots.value(assess({"25(OH)D": "18 ng/mL"}, WOMAN), authorities=["nam", id])
    assert "no line" in words(figure)
    assert len(figure.axes[0].get_yticklabels()) == 3
    with pytest.raises(UnknownAuthorityError):
        plots.value(assess({"25(OH)D": "18 ng/mL"}, WOMAN), authorities="nobody")


# --- a panel --------------------------------------------------------------------------------------------------


def test_a_panel_shows_every_result_and_every_refusal() -> None:
    """Each finding with code and limit set, the derived apart, the refused with their reason, the red flag, the disclaimer."""
    report = example()
    figure = plots.panel(report)
    said = words(figure)
    for finding in report.findings:
        assert finding.limits == "reported" or finding.limits in said
    assert "Computed from these results" in said
    assert "(computed)" in said
    for refused in report.not_assessed:
        assert f"Row {refused.row}" in said
        assert refused.reason.replace("_", " ") in said
    assert report.alerts
    assert "Needs attention" in said
    assert report.disclaimer in said.replace("\n", " ")


def test_a_strip_of_a_panel_is_normalised() -> None:
    """Every strip takes the same width; its lines lie between its ends in their order, its numbers above them."""
    figure = plots.panel(interpret({"25(OH)D": "18 ng/mL", "Mg": "0.46 mmol/L"}, WOMAN))
    ends = {one.get_gid(): (min(x for x, _ in one.get_xy()), max(x for x, _ in one.get_xy())) for one in marks(figure, "band ")}
    assert ends["band deficient"][0] == ends["band severe"][0]
    assert [text for text in ("12", "20", "50", "0.5", "0.7", "1") if text in words(figure).split("\n")] == [
        "12",
        "20",
        "50",
        "0.5",
        "0.7",
        "1",
    ]


# --- over time ------------------------------------------------------------------------------------------------


def test_bands_move_on_the_birthday() -> None:
    """WHO 2024 draws haemoglobin's line at 110 under 5, 115 from 5 to 11, 120 from 12 to 14 years."""
    figure = plots.trend(HAEMOGLOBIN, "hemoglobin", patient=BORN)
    from matplotlib import dates

    at: Any = dates.date2num
    top = sorted((float(one.get_xdata()[0]), float(one.get_ydata()[0])) for one in marks(figure, "line ") if one.get_ydata()[0] >= 110)
    by_start: dict[float, float] = {}
    for start, line in top:
        by_start[start] = max(line, by_start.get(start, 0))
    assert list(by_start.values()) == [110, 115, 120]
    assert list(by_start)[1:] == [at(date(2017, 6, 15)), at(date(2024, 6, 15))]


@pytest.mark.parametrize("born", [date(2012, 6, 15), date(2012, 2, 29), date(2011, 8, 31), date(2012, 12, 31), date(2012, 1, 1)])
def test_a_step_falls_on_the_day_on_which_the_engine_changes(born: date) -> None:
    """The day before a step the engine still answers by the old line, on the day by the new one."""
    series = [LabResult("Hb", "112", "g/L", collected_at=date(year, 1, 15)) for year in (2016, 2026)]
    figure = plots.trend(series, "hemoglobin", patient=Patient(sex="male", birth_date=born))
    turns = [date.fromisoformat(day) for day in re.findall(r"From (\d{4}-\d\d-\d\d) to", plots.alt_text(figure))[1:]]
    assert len(turns) == 2
    for turn in turns:
        by_day = [
            assess(LabResult("Hb", "112", "g/L", collected_at=turn + timedelta(days=n)), Patient(sex="male", birth_date=born))
            for n in (-1, 0)
        ]
        populations = [answer.basis.population for answer in by_day]  # type: ignore[union-attr]
        assert populations[0] != populations[1], turn


def test_points_over_time_are_what_was_reported() -> None:
    """A plain value, one converted exactly (a square), a censored one as a bar with an arrow, an unread one as a cross."""
    figure = plots.trend(HAEMOGLOBIN, "hemoglobin", patient=BORN)
    assert [(one.get_marker(), float(one.get_ydata()[0])) for one in marks(figure, "value")] == [("D", 105), ("s", 114), ("D", 118)]
    (bar,) = marks(figure, "interval")
    assert list(bar.get_ydata()) == pytest.approx([figure.axes[0].get_ylim()[0], 110])
    assert [one.get_marker() for one in marks(figure, "open end")] == ["v"]
    assert len(marks(figure, "unread")) == 1
    said = plots.alt_text(figure)
    assert "1 reported in g/dL, converted exactly to g/L" in said
    assert "1 without a day of sampling" in said
    assert not [one for one in figure.axes[0].lines if len(one.get_xdata()) > 2]  # nothing joins the values


def test_where_the_day_of_a_change_is_not_known_nothing_is_drawn() -> None:
    """Ages without a birth date: between two reports with other lines there is a gap, and a sentence."""
    reports = {
        "2020-01-01": interpret({"Hb": "100 g/L"}, Patient(sex="female", age_years=4)),
        "2022-01-01": interpret({"Hb": "100 g/L"}, Patient(sex="female", age_years=6)),
    }
    figure = plots.trend(reports, "hemoglobin")
    spans = sorted((one.get_x(), one.get_x() + one.get_width()) for one in marks(figure, "band "))
    from matplotlib import dates

    at: Any = dates.date2num
    assert all(end <= at(date(2020, 1, 1)) or start >= at(date(2022, 1, 1)) for start, end in spans)
    assert "the day of the change is not known" in plots.alt_text(figure)


def test_a_file_with_several_draws_is_a_trend() -> None:
    """Panels of the reader bring their own person and days."""
    rows = [
        {"patient": "A", "test": "ferritin", "value": v, "unit": "ug/L", "sex": "F", "age": "34", "pregnant": "no", "date": d}
        for v, d in (("8", "2024-01-05"), ("22", "2024-06-01"))
    ]
    figure = plots.trend(readers.read_rows(rows), "ferritin")
    assert [float(one.get_ydata()[0]) for one in marks(figure, "value")] == [8, 22]
    for wrong in ({"2024-01-01": "12"}, ["12 ug/L"], "12", {"no day": interpret({"ferritin": "12 ug/L"})}):
        with pytest.raises(InputError):
            plots.trend(wrong, "ferritin")  # type: ignore[arg-type]


# --- a cohort -------------------------------------------------------------------------------------------------


def test_the_shares_of_a_cohort_are_those_of_its_answers() -> None:
    """Each answer counts once; what was not assessed is counted with its reason; censored values are named, not drawn."""
    figure = plots.distribution(COHORT, "vitamin_d", unit="nmol/L")
    answers = [assess({"25(OH)D": text}) for text in COHORT]
    bands = [answer.band for answer in answers if not hasattr(answer, "reason")]
    said = plots.alt_text(figure)
    for band in ("deficient", "inadequate", "adequate", "high"):
        count = bands.count(band)
        assert f"{band} {count / len(bands):.1%} ({count})" in said
    assert "Not assessed: 3 (unreadable value 3)" in said
    assert "9 known only as intervals" in said
    assert "<4 ng/mL (9)" in said
    assert "20 to 30 ng/mL (1)" in plots.alt_text(plots.distribution(["18 ng/mL", "20-30 ng/mL"], "vitamin_d"))
    bars = marks(figure, "bars")
    assert sum(bar.get_height() for bar in bars) == 134
    assert len({round(bar.get_width(), 6) for bar in bars}) == 1
    assert lines(figure) == [30, 50, 125]


def test_a_frame_gives_the_picture_its_rows_give() -> None:
    """What interpret_frame returns, in polars and pandas, says the same as the answers one by one."""
    pl = pytest.importorskip("polars")
    pytest.importorskip("pandas")
    from labinterp.dataframes import interpret_frame

    rows = [{"test": "25(OH)D", "value": text, "unit": None, "sex": "F", "age_years": 40} for text in COHORT]
    frame = interpret_frame(pl.DataFrame([*rows, {"test": "??", "value": "1", "unit": None, "sex": "F", "age_years": 40}]))
    said = plots.alt_text(plots.distribution(COHORT, "vitamin_d"))
    for one in (frame, frame.lazy(), frame.to_pandas()):
        drawn = plots.alt_text(plots.distribution(one, "vitamin_d"))
        assert drawn.replace(" 1 rows name no analyte that is known; they are not counted here.", "") == said
    with pytest.raises(InputError, match="interpret_frame"):
        plots.distribution(pl.DataFrame(rows), "vitamin_d")


def test_steps_of_shares_are_the_values() -> None:
    """The steps rise by one share at each plain value, and nowhere else."""
    figure = plots.distribution([18, 25, 25, 60], "vitamin_d", unit="ng/mL", kind="ecdf")
    (steps,) = marks(figure, "steps")
    assert list(zip(steps.get_xdata(), steps.get_ydata(), strict=True))[:-1] == [(18, 0), (18, 0.25), (25, 0.5), (25, 0.75), (60, 1)]


def test_where_people_have_other_lines_each_kind_has_its_own() -> None:
    """Ferritin of a woman and a man: two kinds of lines, told apart by their style; more than four kinds are not drawn."""
    people = [Patient(sex="female", age_years=40, pregnant=False), Patient(sex="male", age_years=40)]
    figure = plots.distribution([assess({"ferritin": "20 ug/L"}, person) for person in people], "ferritin")
    assert sorted(set(lines(figure))) == [15, 150, 200]
    assert not marks(figure, "band ")
    assert len({str(one.get_linestyle()) for one in marks(figure, "line ")}) == 2
    many = [
        assess({"Hb": "100 g/L"}, Patient(sex=sex, age_years=age, pregnant=False))
        for sex in ("female", "male")
        for age in (1, 4, 8, 13, 40)
    ]
    assert "are not drawn" in plots.alt_text(plots.distribution(many, "hemoglobin"))


# --- the way to muscle ----------------------------------------------------------------------------------------


def test_the_story_is_the_graph_of_the_report() -> None:
    """Every effect, every state behind it, and no other; each line as strong and as sure as its link in the catalog."""
    report = example()
    path, catalog = path_of(report, None), Catalog.default()
    assert {node.text for node in path.nodes if node.column == 3} == {effect.name for effect in report.effects}
    behind = {f"state {condition}" for effect in report.effects for condition in effect.conditions}
    assert {node.id for node in path.nodes if node.column == 1} == behind
    strength = {
        (condition["id"], link["effect"]): (link["relation"], link["certainty"])
        for condition in catalog.table["conditions"].values()
        for link in condition.get("links", ())
    }
    into = [edge for edge in path.edges if edge.end.startswith("effect ")]
    for edge in into:
        condition = edge.start.split(" ")[1]
        assert (edge.relation, edge.certainty) == strength[condition, edge.end.removeprefix("effect ")]
    assert {edge.end.removeprefix("effect ") for edge in into} == {effect.id for effect in report.effects}


def test_the_kind_of_line_says_the_relation() -> None:
    """Four relations, four line styles; four certainties, four weights: no colour is needed."""
    from labinterp._codes import CERTAINTIES, RELATIONS
    from labinterp._pictures.story import STYLES, WEIGHTS

    assert len({str(STYLES[relation]) for relation in RELATIONS}) == len(RELATIONS)
    assert [WEIGHTS[c] for c in CERTAINTIES] == sorted({WEIGHTS[c] for c in CERTAINTIES})
    figure = plots.story(example())
    drawn = {one.get_gid().removeprefix("link ") for one in marks(figure, "link ")}
    assert drawn >= {"causes moderate", "read as"}


def test_the_story_keeps_the_words_of_the_rules() -> None:
    """Only the verbs of the design, the standing sentences, and never "you have"; where there is nothing, one sentence says so."""
    said = words(plots.story(example()))
    assert not re.search(r"\byou have\b|sarcopenia|\bcauses\b", said, re.IGNORECASE)
    assert "No clinician has reviewed this catalog." in said.replace("\n", " ")
    assert "links nothing in these results to muscle" in words(plots.story(interpret({"ferritin": "80 ug/L"}, WOMAN)))


# --- for every eye --------------------------------------------------------------------------------------------


def test_neighbouring_bands_differ_in_grey() -> None:
    """In every limit set of the catalog, two bands side by side differ in lightness; of two low bands the lower is the darker."""
    catalog = Catalog.default()
    for id in catalog.table["limits"]:
        limit_set = catalog.limit_set(id)
        for number in range(len(limit_set.populations)):
            bands = limit_set.bands(number)
            grey = [lightness(shade.fill) for shade in shades(band.code for band in bands)]
            for here, there, first, second in zip(grey, grey[1:], bands, bands[1:], strict=False):
                assert abs(here - there) >= APART, (id, first.key, second.key)
                if first.code == second.code == "L":
                    assert here < there, id
                    if first.code == second.code == "H":
                        assert here > there, id


# How colours look with each kind of colour-vision deficiency, complete (Machado, Oliveira and Fernandes 2009); rows act on linear light.
DEFICIENCIES = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.mark.parametrize("kind", DEFICIENCIES)
def test_low_and_high_are_two_hues_for_every_eye(kind: str) -> None:
    """The shades of low and high stay apart in colour, too, with each kind of colour-vision deficiency."""
    for low, high in (("L", "H"), ("LU", "HU"), ("LL", "HH")):
        seen = []
        for code in (low, high):
            colour = shades([code])[0].fill
            parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
            linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
            mixed = np.clip(np.array(DEFICIENCIES[kind]) @ linear, 0, 1)
            seen.append(np.where(mixed <= 0.0031308, mixed * 12.92, 1.055 * mixed ** (1 / 2.4) - 0.055))
        assert float(np.abs(seen[0] - seen[1]).max()) > 0.15, (low, high)


def test_text_on_a_band_can_be_read() -> None:
    """WCAG's contrast of 4.5 between a name and its band."""

    def luminance(colour: str) -> float:
        lit = lightness(colour)
        return float(((lit + 16) / 116) ** 3 if lit > 8 else lit / 903.3)

    for code in ("N", "IND", "L", "LU", "LL", "H", "HU", "HH"):
        for shade in shades([code, code]):
            dark, light = sorted((luminance(shade.ink), luminance(shade.fill)))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (code, shade)


def pictures() -> dict[str, Callable[[], Figure]]:
    """One of each kind, and the odd ones."""
    return {
        "value": lambda: plots.value(assess({"25(OH)D": "18 ng/mL"}, WOMAN), authorities=["nam", "ros-2018", "mayo"]),
        "value_censored": lambda: plots.value(
            assess(LabResult("ferritin", "<12", "ug/L", ref_low=13, ref_high=150), WOMAN), authorities=["who", "bsh"], unit="pmol/L"
        ),
        "panel": lambda: plots.panel(example()),
        "trend": lambda: plots.trend(HAEMOGLOBIN, "hemoglobin", patient=BORN),
        "distribution": lambda: plots.distribution(COHORT, "vitamin_d", unit="nmol/L"),
        "distribution_ecdf": lambda: plots.distribution(
            [assess({"ferritin": f"{3 + n * n} ug/L"}, Patient(sex=sex, age_years=40, pregnant=False)) for n in range(25) for sex in ("female", "male")],
            "ferritin", kind="ecdf",
        ),
        "story": lambda: plots.story(example()),
    }  # fmt: skip


@pytest.mark.parametrize("name", pictures())
def test_every_picture_says_what_it_shows(name: str) -> None:
    """The alt text names the analyte or the panel, a band and the disclaimer; it goes with the figure through a pickle."""
    figure = pictures()[name]()
    said = plots.alt_text(figure)
    assert len(said) > 150
    assert said.endswith("No clinician has reviewed this catalog.")
    assert plots.alt_text(pickle.loads(pickle.dumps(figure))) == said
    with pytest.raises(InputError, match="no alt text"):
        plots.alt_text(Figure())


# --- files ----------------------------------------------------------------------------------------------------


def test_an_svg_is_the_same_each_time_and_carries_its_words(tmp_path: Path) -> None:
    """Title, description and role for a screen reader, text as text, no date; the same bytes for the same picture."""
    first, second = (plots.save(plots.panel(example()), tmp_path / name).read_bytes() for name in ("a.svg", "b.svg"))
    assert first == second
    root = ET.fromstring(first)
    svg = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    named = [root.find(f"{svg}{part}") for part in ("title", "desc")]
    assert root.get("aria-labelledby", "").split() == [part.get("id") for part in named if part is not None]
    assert root.findtext(f"{svg}title") == "Blood results of a person: female, 71 years."
    assert root.findtext(f"{svg}desc") == plots.alt_text(plots.panel(example()))
    assert "inadequate" in {"".join(text.itertext()).strip().removeprefix("L  ") for text in root.iter(f"{svg}text")}
    assert not re.search(rb"\d{4}-\d\d-\d\dT|dc:date|Matplotlib v", first)


def test_a_png_carries_its_words(tmp_path: Path) -> None:
    """Title and Description, and no date."""
    pil = pytest.importorskip("PIL.Image")
    figure = plots.panel(example())
    with pil.open(plots.save(figure, tmp_path / "p.png", dpi=60)) as image:
        assert image.text["Description"] == plots.alt_text(figure)
        assert image.size == (576, int(figure.get_figheight() * 60))
        assert set(image.text) == {"Title", "Description", "Software"}


def test_a_picture_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that breaks off leaves the old file; another ending, another figure and a folder that is not there are refused."""
    there = tmp_path / "there.svg"
    there.write_text("old", "utf-8")
    figure = plots.panel(example())

    def broken(self: Path, data: bytes) -> None:
        with self.open("wb") as file:
            file.write(data[:100])
        raise RuntimeError("broken off")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", broken)
        with pytest.raises(RuntimeError):
            plots.save(figure, there)
    assert there.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [there]
    for path in (tmp_path / "p.pdf", tmp_path / "none" / "p.svg"):
        with pytest.raises(InputError):
            plots.save(figure, path)
    with pytest.raises(InputError, match="dpi"):
        plots.save(figure, tmp_path / "p.png", dpi=0)


ODD = [
    "$\\frac{1}{2}$ $",
    "\x00\x07\x1b[31m\u202e\ufeff",
    "<script>alert(1)</script> & \"'",
    "x" * 5000,
    "^_{}%#~\\",
    "ferritin $x^2$",
    "铁蛋白 フェリチン",
]


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_of_a_report_are_only_texts(text: str, tmp_path: Path) -> None:
    """Formulas, control characters, markup and endless names stay text, in the picture and in the file."""
    report = interpret([LabResult(text, text, text), LabResult("ferritin", "12", "ug/L")], Patient(id=text, sex="female", age_years=71))
    root = ET.fromstring(plots.save(plots.panel(report), tmp_path / "odd.svg").read_bytes())
    plots.save(plots.panel(report), tmp_path / "odd.png", dpi=30)
    written = ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert not [one for one in root.iter() if one.tag.endswith("script")]
    assert max(map(len, written)) < 200
    if text.startswith(("$", "<")):
        assert any(text[:12].strip() in one for one in written)


def test_the_pictures_of_the_documents_are_those_of_their_script() -> None:
    """Each picture in docs/examples says what the script makes of today's catalog, and none is left over."""
    found: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "examples" / "make_pictures.py"))
    folder = ROOT / "docs" / "examples" / "pictures"
    made = found["pictures"]()
    assert sorted(made) == sorted(path.name for path in folder.iterdir())
    for name, figure in made.items():
        assert ET.parse(folder / name).findtext("{http://www.w3.org/2000/svg}desc") == plots.alt_text(figure), name


@pytest.mark.parametrize("module", sorted(path.stem for path in (ROOT / "src" / "labinterp" / "_pictures").glob("[a-z]*.py")))
def test_the_examples_in_the_parts_run(module: str) -> None:
    """Each example in a docstring gives what it shows."""
    assert doctest.testmod(importlib.import_module(f"labinterp._pictures.{module}")).failed == 0


def test_nothing_leaves_the_page() -> None:
    """Endless names, units and digits stay within the page, and a value beside its strip."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    long = [LabResult("x" * 300, "9" * 60, "u" * 100), LabResult("ferritin", "12." + "1" * 60, "ug/L"), LabResult("Mg", "0.8", "mmol/L")]
    for figure in (
        plots.panel(interpret(long, Patient(id="P" * 400, sex="male", age_years=34))),
        plots.panel(example()),
        plots.story(example()),
    ):
        canvas: Any = FigureCanvasAgg(figure)
        canvas.draw()
        boxes = [text.get_window_extent(canvas.get_renderer()) for text in figure.findobj(Text) if text.get_text()]
        assert min(box.x0 for box in boxes) >= 0
        assert max(box.x1 for box in boxes) <= figure.bbox.width
        assert min(box.y0 for box in boxes) >= 0
        assert max(box.y1 for box in boxes) <= figure.bbox.height
    assert "12.1111111111… ug/L" in words(plots.panel(interpret(long, Patient(sex="male", age_years=34))))


# --- a good guest ---------------------------------------------------------------------------------------------


def test_nothing_shared_is_changed() -> None:
    """No setting of matplotlib changes, and pyplot is not even loaded."""
    code = """
import sys, matplotlib as mpl, labinterp as li
before, backend = dict(mpl.rcParams.copy()), None
from labinterp import plots
figure = plots.panel(li.interpret({"ferritin": "12 ug/L"}))
assert figure._repr_svg_().startswith("<?xml")
assert dict(mpl.rcParams.copy()) == before
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_style_does_not_change_what_is_seen() -> None:
    """Under a dark style with a grid the pictures are the same; where TeX is on, none of their own texts goes through it."""
    from matplotlib.text import Text

    for name in ("panel", "value", "trend", "distribution_ecdf"):
        draw = pictures()[name]
        plain = rendered(draw)
        with mpl.rc_context({"font.family": "DejaVu Sans"}):
            mpl.style.use("dark_background")
            mpl.rcParams["axes.grid"] = True
            out = io.BytesIO()
            draw().savefig(out, format="png", dpi=60)
        out.seek(0)
        assert float(np.sqrt(np.mean((imread(out)[..., :3] - plain) ** 2))) < 0.02, name
        with mpl.rc_context({"text.usetex": True}):
            texts = [text for text in draw().findobj(Text) if re.search("[A-Za-z]", text.get_text())]
        assert texts
        assert not [text.get_text() for text in texts if text.get_usetex()], name


def test_the_users_axes_are_drawn_on() -> None:
    """`ax=` takes any axes, one of several, and what is drawn can be changed."""
    figure = Figure(figsize=(14, 12))
    (first, second), (third, fourth) = figure.subplots(2, 2)
    assert plots.value(assess({"25(OH)D": "18 ng/mL"}, WOMAN), authorities="nam", ax=first) is figure
    plots.trend(HAEMOGLOBIN, "hemoglobin", patient=BORN, ax=second)
    plots.distribution(COHORT, "vitamin_d", ax=third)
    plots.panel(example(), ax=fourth)
    first.set_title("mine", loc="left")
    assert first.get_title(loc="left") == "mine"
    assert plots.alt_text(first) in plots.alt_text(figure)
    assert plots.alt_text(figure).count("labinterp explains results for education.") == 4
    sub = Figure().subfigures(1, 2)
    plots.story(example(), ax=sub[0].subplots())
    figure.savefig(io.BytesIO(), dpi=30)
    with pytest.raises(InputError, match="ax is a matplotlib Axes"):
        plots.panel(example(), ax=figure)  # type: ignore[arg-type]


def test_without_matplotlib_one_line_says_what_to_install() -> None:
    """The extra is named after the module."""
    code = """
import sys
sys.modules["matplotlib"] = None
try:
    import labinterp.plots
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "this needs the extra 'plots':  pip install \"labinterp[plots]\""


# --- the command ----------------------------------------------------------------------------------------------


def test_the_command_draws_each_kind(cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`labinterp plot FILE -o PICTURE`, a panel by default, a value where an analyte is named."""
    monkeypatch.chdir(ROOT)
    for name, args, title in (
        ("panel.svg", (), "Blood results of a person"),
        ("value.svg", ("--analyte", "ferritin"), "Ferritin 22 ug/L, adequate (N)"),
        ("story.svg", ("--kind", "story"), "What these results may have to do with muscle"),
    ):
        done = cli("plot", "docs/examples/panel.csv", "-o", str(tmp_path / name), *args)
        assert done.code == 0, done.err
        root = ET.fromstring((tmp_path / name).read_bytes())
        assert (root.findtext("{http://www.w3.org/2000/svg}title") or "").startswith(title)
    trend = tmp_path / "draws.csv"
    trend.write_text(
        "id,test,value,unit,sex,age,date\nA,Hb,100,g/L,M,40,2024-01-01\nA,Hb,120,g/L,M,40,2024-03-01\nB,Hb,120,g/L,M,40,2024-03-01\n",
        "utf-8",
    )
    out = str(tmp_path / "trend.png")
    assert cli("plot", str(trend), "-o", out, "--kind", "trend", "--analyte", "Hb", "--patient", "A", "--dpi", "40").code == 0
    for args, said in (
        (("--patient", "A"), "2 draws of this person; name one with --day"),
        ((), "the results of 2 people"),
        (("--patient", "Z"), "no patient of that name"),
        (("--kind", "trend", "--patient", "A"), "name it, for example --analyte ferritin"),
        (("--analyte", "ferritin", "--patient", "B"), "the results have no ferritin"),
    ):
        done = cli("plot", str(trend), "-o", str(tmp_path / "none.svg"), *args)
        assert (done.code, (tmp_path / "none.svg").exists()) == (1, False)
        assert said in done.err.replace("\n", " ")
    assert cli("plot", str(trend), "-o", str(tmp_path / "none.svg"), "--patient", "A", "--day", "2024-03-01").code == 0
    assert cli("plot", str(trend), "-o", str(tmp_path / "none.pdf"), "--patient", "B").code == 1
    given = b"test,value,unit\n25(OH)D,18,ng/mL\n"
    assert cli("plot", "-", "-o", str(tmp_path / "given.svg"), "--sex", "F", "--age", "34", stdin=given).code == 0
    assert "female, 34 years" in (tmp_path / "given.svg").read_text("utf-8")


# --- looked at ------------------------------------------------------------------------------------------------


def rendered(draw: Callable[[], Figure]) -> Any:
    """A picture as grey and colour levels, in matplotlib's own font whatever the machine has."""
    out = io.BytesIO()
    with mpl.rc_context({**mpl.rcParamsDefault, "font.family": "DejaVu Sans", "backend": mpl.rcParams["backend"]}):
        draw().savefig(out, format="png", dpi=60)
    out.seek(0)
    return imread(out)[..., :3]


def smoothed(picture: Any, side: int = 8) -> Any:
    """The mean of each square of pixels: what is left of letters is their weight."""
    height, width = (picture.shape[n] // side for n in (0, 1))
    return picture[: height * side, : width * side].reshape(height, side, width, side, 3).mean(axis=(1, 3))


MADE_BY = (IMAGES / "VERSION").read_text("utf-8").strip() if (IMAGES / "VERSION").is_file() else ""
NOW = ".".join(mpl.__version__.split(".")[:2])


@pytest.mark.skipif(
    MADE_BY != NOW, reason=f"the images were made by matplotlib {MADE_BY}; others draw letters, hatching and margins otherwise"
)
@pytest.mark.parametrize("name", pictures())
def test_a_picture_looks_as_it_did_when_it_was_looked_at(name: str) -> None:
    """The same size, on average within two levels of a hundred, and no small square differs as it does where a marker is gone."""
    kept, drawn = imread(IMAGES / f"{name}.png")[..., :3], rendered(pictures()[name])
    assert drawn.shape == kept.shape
    assert float(np.sqrt(np.mean((drawn - kept) ** 2))) < 0.02
    assert float(np.abs(smoothed(drawn) - smoothed(kept)).max()) < 0.15


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("python -m tests.test_plots --write")
    from matplotlib.image import imsave

    (IMAGES / "VERSION").write_text(f"{NOW}\n", "utf-8")
    for name, draw in pictures().items():
        imsave(IMAGES / f"{name}.png", rendered(draw), metadata={"Software": None})
