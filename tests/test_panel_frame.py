"""Draws in a frame: every statement is the one that `interpret` gives on that panel."""

from __future__ import annotations

import random
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import product
from math import inf, nextafter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests import engines, rows, small

from labinterp import Catalog, LabResult, Patient, Report, assess, interpret
from labinterp._book import book_for
from labinterp._draw_frames import panels as _panels
from labinterp._draw_frames.sights import Sights
from labinterp._facts import read_date
from labinterp._measure import Measured, measure
from labinterp._patterns import Panel, derived_contexts
from labinterp._summary import cells
from labinterp.dataframes import panel_frame
from labinterp.errors import InputError, UnknownAuthorityError
from labinterp.readers import read_rows

POLICY = Catalog.default().table["policy"]
ANSWERS = ("li_kind", "li_id", "li_certainty", "li_relation", "li_because", "li_missing", "li_next", "li_tier", "li_text")
Row = dict[str, Any]

# Values on both sides of the lines that patterns, links, alerts and circumstances ask about.
TELLING = {
    "Vitamin B12": ("pg/mL", ("100", "179", "180", "210", "350", "351", "<150", ">400", "150-300")),
    "Holotranscobalamin": ("pmol/L", ("20", "25", "40", "70", "71", "<20")),
    "MMA": ("nmol/L", ("150", "271", "400", "900", "<280", "200-500")),
    "Homocysteine": ("umol/L", ("8", "15", "16", "40", "101", ">100", "<20")),
    "Folate": ("ng/mL", ("2", "3", "4", "10", "<4")),
    "eGFR": ("mL/min/1.73m2", ("25", "59", "60", "90", ">60")),
    "Creatinine": ("mg/dL", ("0.7", "0.9", "1.4", "2.5", "<0.9")),
    "Ferritin": ("ug/L", ("8", "11.9", "14", "30", "44", "69", "70", "99", "150", "400", "1500", "<15", "<100")),
    "CRP": ("mg/L", ("1", "4.9", "5", "5.1", "30", "<5", "<10", ">4")),
    "AGP": ("g/L", ("0.5", "1", "1.01", "2", "<1.5")),
    "Magnesium": ("mmol/L", ("0.3", "0.45", "0.6", "0.8", "1.2", "2.1", "3.5", "<0.5")),
    "Vitamin D": ("nmol/L", ("10", "25", "29.9", "45", "80", "300", "<30")),
    "RBC magnesium": ("mmol/L", ("1.5", "2.2")),
}  # fmt: skip
CONTEXTS = ("ckd", "inflammation", "heart failure", "anaemia; ckd", "N2O", "T1", "haemochromatosis treatment", "what?")


def person(rng: random.Random) -> Row:
    """Somebody, with each fact known or not."""
    return {
        "sex": rng.choice(("F", "female", "M", "m", None, "1")),
        "age_years": rng.choice(("34", "71", "64.5", "15", "6 months", "4", None, None, "130+", "x")),
        "birth_date": rng.choice((None, None, "1980-05-01", "1958-03-15", "2020-02-29", "2026-03-02")),
        "pregnant": rng.choice((None, None, "no", "yes", "T2", "perhaps")),
        "context": rng.choice((None, None, None, *CONTEXTS)),
    }


def result(rng: random.Random) -> Row:
    """A result, printed well or badly."""
    row = dict.fromkeys(rows.COLUMNS)
    kind = rng.random()
    if kind < 0.75:
        test = rng.choice(list(TELLING))
        unit, values = TELLING[test]
        row |= {"test": test, "value": rng.choice(values), "unit": unit}
        if row["value"][0] == "<" and rng.random() < 0.5:
            row |= {"value": row["value"][1:], "comparator": "<"}
    elif kind < 0.93:
        row |= next(rows.random_rows(1, rng.randrange(10**9)))
    else:
        row |= next(rows.dirty_rows(1, rng.randrange(10**9)))
    if rng.random() < 0.08:
        row |= {"ref_low": rng.choice((None, "0.7", "5")), "ref_high": rng.choice(("12", "300", "1.1", None))}
    return row


def export(patients: int, seed: int, untidy: float = 0.3) -> list[Row]:
    """A laboratory's export: several draws of each person; some rows say less than others, or something else."""
    rng, made = random.Random(seed), []
    for number in range(patients):
        facts, tidy = person(rng), rng.random() >= untidy
        id = None if rng.random() < 0.02 else f"P{number}"
        first = date(2026, 3, 1) + timedelta(days=rng.randrange(30))
        for draw in range(rng.choice((1, 1, 2, 3))):
            day: Any = (first + timedelta(days=draw * rng.choice((0, 3, 7, 8)))).isoformat()
            day = rng.choice((day, day + " 07:30", f"{day[8:]}.{day[5:7]}.{day[:4]}", day, day, day, None, "01/02/2026", "soon"))
            for _ in range(rng.choice((1, 2, 3, 5, 8))):
                said = facts if tidy else facts | {name: rng.choice((None, facts[name], other)) for name, other in person(rng).items()}
                said |= {"collected_at": day} if tidy or rng.random() < 0.9 else {}
                made.append(result(rng) | {"collected_at": None} | said | {"patient_id": id})
    if untidy:
        rng.shuffle(made)
    return [{name: row[name] for name in rows.COLUMNS} for row in made]


def frame_of(records: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(records), schema=dict.fromkeys(rows.COLUMNS, pl.String))


def statements(
    report: Report, shown: Sequence[tuple[str, list[int]]], records: Sequence[Mapping[str, Any]], **how: Any
) -> Iterator[tuple[Any, ...]]:
    """What one report says, in the words of the columns; `shown` are the circumstances the panel itself shows, with their rows."""

    def because(of: Sequence[int]) -> str:
        return ";".join(map(str, of))

    for match in (*report.patterns, *report.open_questions):
        kind = "open_question" if match.certainty == "cannot_tell" else "pattern"
        next_ = match.next_test or ";".join(match.settled_by) or None
        yield kind, match.id, match.certainty, None, because(match.because), ";".join(match.missing) or None, next_, None, match.text
    for effect in report.effects:
        yield "effect", effect.id, effect.certainty, effect.relation, because(effect.because), None, None, None, effect.text
    for alert in report.alerts:
        yield "alert", alert.id, None, None, str(alert.row), None, None, alert.tier, alert.text
    for name, rows_ in shown:
        text = f"The panel itself shows: {POLICY['contexts'][name]['text']}."
        yield "context", name, None, None, because(rows_), None, None, None, text
    for answer in report.rows():
        one, other = (cells(a)[6:] for a in (assess(*rows.asked(records[answer.row - 1]), **how), answer))
        if one != other and answer.analyte:
            text = f"Alone: {words(*one)}. In this draw: {words(*other)}."
            yield "finding", answer.analyte, None, None, str(answer.row), None, None, None, text
    for finding in report.derived:
        assert finding.derived_from is not None
        yield "derived", finding.analyte, None, None, because(sorted(finding.derived_from.rows)), None, None, None, str(finding)


def words(code: str, band: str, limits: str, reason: str) -> str:
    return f"{code}, {band.replace('_', ' ') or 'cannot be told'} ({limits})" if code else f"not assessed, {reason}"


def expected(
    records: Sequence[Mapping[str, Any]], drawn: Sequence[Mapping[str, Any]] | None = None, research: bool = False, **how: Any
) -> list[tuple[Any, ...]]:
    """What `interpret` says of the panels that files make of the same rows; the texts of a frame stay as they are, with the space around them.

    Args:
        records: The rows.
        drawn: The same rows with the facts that hold in their draw, where those are others.
        research: As for `interpret`.
        how: Further arguments of `interpret`.
    """
    found = []
    for panel in read_rows(drawn or records):
        results = [rows.asked(records[number - 1])[0]._replace(collected_at=day_read(records[number - 1])) for number in panel.rows]
        report = interpret(results, panel.patient, rows=panel.rows, research=research, **how)
        first = records[panel.rows[0] - 1]
        shown = shown_by(results, panel, how.get("catalog") or Catalog.default())
        assert any("The panel itself shows" in note for note in report.notes) is bool(shown)
        found += [(first["patient_id"], *said) for said in statements(report, shown, records, **how)]
    return found


def shown_by(results: Sequence[LabResult], panel: Any, catalog: Catalog) -> list[tuple[str, list[int]]]:
    """The circumstances that a panel shows and nobody declared, with the rows behind them."""
    measured = [measure(catalog, result, row) for row, result in zip(panel.rows, results, strict=True)]
    book = book_for(catalog, panel.patient, None, catalog.as_of)
    truths = derived_contexts(Panel(book, [one for one in measured if isinstance(one, Measured)], {}), catalog.table["policy"])
    return [(name, sorted(truth.rows)) for name, truth in truths if truth.value is True and name not in panel.patient.contexts]


def day_read(row: Mapping[str, Any]) -> Any:
    """The day of sampling as files read it; a text that is no day stays as it is."""
    try:
        return read_date(row["collected_at"]) if row["collected_at"] else None
    except InputError:
        return row["collected_at"]


def given(said: pl.DataFrame) -> list[tuple[Any, ...]]:
    return said.select("patient_id", *ANSWERS).rows()


@pytest.mark.parametrize(("seed", "untidy", "research"), [(1, 0.0, False), (2, 0.3, False), (3, 1.0, False), (4, 0.3, True)])
def test_every_statement_is_that_of_the_panel(seed: int, untidy: float, research: bool) -> None:
    """All analytes, missing and contradicting facts, dirty values, results twice, circumstances shown and declared."""
    records = export(380, seed, untidy)
    want, got = expected(records, research=research), given(panel_frame(frame_of(records), research=research))
    assert got == want
    kinds = {row[1] for row in want}
    assert kinds == {"pattern", "open_question", "effect", "alert", "context", "finding", "derived"}


# Values around the lines of the invented analytes, and of those they are computed from.
COMPUTED = {
    "Iron": (("umol/L", ("8", "12", "12.0", "25", "<12", "10-12")), ("ug/dL", ("50", "67", "140"))),
    "TIBC": (("umol/L", ("40", "60", ">60")), ("ug/dL", ("250", "335"))),
    "UIBC": (("umol/L", ("20", "48")),),
    "Transferrin": (("g/L", ("2.5", "3.0")), ("mg/dL", ("250",))),
    "Transferrin saturation": (("%", ("12", "20", "<20", "pending")),),
    "Calcium": (("mmol/L", ("1.6", "1.85", "2.10", "2.20", "2.3", "2.7")), ("mg/dL", ("8.4", "8.817"))),
    "Albumin": (("g/L", ("19", "20", "29", "32", "40")), ("g/dL", ("3.0", "4.0", "1.9"))),
    "Adjusted calcium": (("mmol/L", ("2.1", "2.3")),),
    "Creatinine": (("mg/dL", ("0.7", "1.3", "2.5", "<0.9")), ("umol/L", ("70", "120"))),
    "eGFR": (("mL/min/1.73m2", ("44", "61")),),
    "Vitamin E": (("umol/L", ("10", "11", "22")),), "Cholesterol": (("mmol/L", ("5.0", "4.5")),),
}  # fmt: skip


def computing(patients: int, seed: int) -> list[Row]:
    """Draws from which quantities can be computed: inputs twice, censored, of other days, in other units, with the quantity measured."""
    rng, made = random.Random(seed), []
    for number in range(patients):
        facts, first = person(rng), date(2026, 3, 1)
        for test in rng.sample(list(COMPUTED), rng.choice((2, 4, 6, 8))) + rng.choice(([], [rng.choice(list(COMPUTED))])):
            unit, values = rng.choice(COMPUTED[test])
            day = rng.choice((first, first, first, first + timedelta(days=1)))
            made.append(
                facts
                | {"test": test, "value": rng.choice(values), "unit": unit, "patient_id": f"P{number}", "collected_at": day.isoformat()}
            )
    return [{name: row.get(name) for name in rows.COLUMNS} for row in made]


@pytest.mark.parametrize(("seed", "within"), [(1, None), (2, None), (3, "7d")])
def test_what_is_computed_is_that_of_the_panel(seed: int, within: str | None) -> None:
    """Saturation, adjusted calcium, eGFR, TIBC and the vitamin E ratio; the patterns, effects and alerts that rest on them."""
    how: dict[str, Any] = {"catalog": small.catalog()}
    records = computing(500, seed)
    drawn = None if within is None else windowed(records, 7)
    want, got = expected(records, drawn, **how), given(panel_frame(frame_of(records), within=within, **how))
    assert got == want
    kinds = Counter((row[1], row[2]) for row in want)
    for analyte in ("transferrin_saturation", "adjusted_calcium", "egfr", "vitamin_e_cholesterol_ratio"):
        assert kinds["derived", analyte] >= 5
    assert min(kinds["pattern", "iron_short"], kinds["effect", "fatigue"], kinds["alert", "adjusted_calcium/very-low"]) >= 3


# --- what makes a draw ---------------------------------------------------------------------------------------------


def windowed(records: Sequence[Row], reach: int) -> list[Row]:
    """The same rows with the first day of their window, and without ages of later days where the first day or a birth date tells it."""
    out = [dict(row) for row in records]
    for patient in {row["patient_id"] for row in records} - {None}:
        own = [row for row in out if row["patient_id"] == patient and day_of(row)]
        start: date | None = None
        for day in sorted({day for row in own if (day := day_of(row))}):
            if start is None or (day - start).days > reach:
                start = day
                first = [row for row in own if day_of(row) == day]
            tells = any(row["age_years"] for row in first) or any(row["birth_date"] for row in out if row["patient_id"] == patient)
            for row in own:
                if day_of(row) == day and "window" not in row:
                    row["window"] = start.isoformat()
                    row["age_years"] = None if day != start and tells else row["age_years"]
    return [{**row, "collected_at": row.get("window", row["collected_at"])} for row in out]


def day_of(row: Row) -> date | None:
    text = row["collected_at"] or ""
    return date.fromisoformat(text[:10]) if text.startswith("20") else None


@pytest.mark.parametrize("reach", [0, 3, 7, 30])
def test_a_window_reads_later_draws_with_the_first(reach: int) -> None:
    """Draws up to the last day of the window are one panel, with the facts of its first day; the next draw begins a window."""
    records = [row for row in export(120, 17 + reach) if row["age_years"] not in ("x", "130+") and "." not in (row["collected_at"] or "")]
    assert given(panel_frame(frame_of(records), within=f"{reach}d")) == expected(records, windowed(records, reach))


DRAW = {"test": "Ferritin", "unit": "ug/L", "sex": "F", "age_years": "34", "pregnant": "no"}
WOMAN: dict[str, Any] = {"sex": "female", "age_years": 34, "pregnant": False}
CRP = {**DRAW, "test": "CRP", "value": "12", "unit": "mg/L"}


def draws(*rows_: Mapping[str, Any]) -> pl.DataFrame:
    """Rows of one person; what is not said is missing."""
    names = dict.fromkeys(name for row in rows_ for name in ("patient_id", "collected_at", *row))
    return pl.DataFrame([{name: ({"patient_id": "a"} | dict(row)).get(name) for name in names} for row in rows_])


def said(frame: Any, *columns: str, kind: str | None = None, **how: Any) -> list[tuple[Any, ...]]:
    made = panel_frame(frame, **how)
    made = made if kind is None else made.filter(pl.col("li_kind") == kind)
    return made.select(columns or ("li_kind", "li_id", "li_because")).rows()


FIRST = datetime(2026, 3, 1, 7, 30)


@pytest.mark.parametrize(
    ("within", "later", "together"),
    [
        ("7d", timedelta(days=7), True),
        ("7d", timedelta(days=7, hours=12), True),  # the day counts
        ("7d", timedelta(days=8), False),
        ("1 week", timedelta(days=7), True),
        (timedelta(days=7), timedelta(days=7, hours=12), True),
        ("0d", timedelta(hours=16), True),
        ("0d", timedelta(hours=17), False),
        ("36h", timedelta(hours=36), True),
        ("36h", timedelta(hours=36, seconds=1), False),
        (timedelta(hours=36), timedelta(hours=36, microseconds=1), False),
        (None, timedelta(hours=16), True),
        (None, timedelta(hours=17), False),
    ],
)
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_windows_on_the_line(within: Any, later: timedelta, together: bool, zone: str | None) -> None:
    frame = draws({**DRAW, "value": "40", "collected_at": FIRST}, {**CRP, "collected_at": FIRST + later})
    if zone:
        frame = frame.with_columns(pl.col("collected_at").dt.replace_time_zone(zone))
    assert (("pattern", "iron_deficiency", "1;2") in said(frame, within=within)) is together
    assert set(panel_frame(frame, within=within)["collected_at"]) <= set(frame["collected_at"])


@pytest.mark.parametrize(("days", "together"), [(1, True), (2, False)])
@pytest.mark.parametrize("kind", [pl.Date, pl.String])
def test_hours_count_whole_days_where_there_are_no_times(days: int, together: bool, kind: Any) -> None:
    later = FIRST.date() + timedelta(days=days)
    frame = draws({**DRAW, "value": "40", "collected_at": FIRST.date()}, {**CRP, "collected_at": later})
    frame = frame.with_columns(pl.col("collected_at").cast(kind))
    assert (("pattern", "iron_deficiency", "1;2") in said(frame, within="36h")) is together


def test_a_window_is_measured_from_its_first_draw() -> None:
    """Draws five days apart do not make one long chain."""
    rows_ = [{**DRAW, "value": "40", "collected_at": FIRST.date() + timedelta(days=5 * n)} for n in range(5)]
    rows_[2] |= {"test": "CRP", "unit": "mg/L", "value": "12"}
    assert said(draws(*rows_), "collected_at", "li_because", kind="pattern", within="7d") == [(FIRST.date() + timedelta(days=10), "3;4")]
    assert said(draws(*reversed(rows_)), "collected_at", "li_because", kind="pattern", within="7d") == [
        (FIRST.date() + timedelta(days=10), "2;3")
    ]


def test_the_age_is_that_of_the_first_day() -> None:
    """Somebody who turns 18 within the window is read as 17; so is somebody whose later row says 18."""
    born = date(2008, 3, 4)
    one = {**DRAW, "age_years": None, "birth_date": born, "value": "5", "collected_at": date(2026, 3, 1)}
    other = {**CRP, "age_years": None, "birth_date": born, "collected_at": date(2026, 3, 5)}
    for frame in (
        draws(one, other),
        draws({**one, "age_years": "17", "birth_date": None}, {**other, "age_years": "18", "birth_date": None}),
        draws({**one, "age_years": None}, {**other, "age_years": "18", "birth_date": None}),
    ):
        assert {row[0] for row in said(frame, "li_kind", within="7d")} == {"pattern", "context"}  # no effects: not for minors
    assert "effect" in {row[0] for row in said(draws({**one, "collected_at": date(2026, 3, 4)}, other), "li_kind", within="7d")}


def test_missing_inputs_are_named() -> None:
    frame = draws(
        {**DRAW, "test": "B12", "value": "210", "unit": "pg/mL"}, {**DRAW, "test": "Homocysteine", "value": "20", "unit": "umol/L"}
    )
    (row,) = (
        said(frame, "li_id", "li_certainty", "li_missing", "li_next", kind="pattern")
        or said(frame, "li_id", "li_certainty", "li_missing", "li_next", kind="open_question")[:1]
    )
    match = interpret({"B12": "210 pg/mL", "homocysteine": "20 umol/L"}, Patient(sex="female", age_years=34, pregnant=False))
    first = (match.patterns or match.open_questions)[0]
    assert row == (first.id, first.certainty, ";".join(first.missing), first.next_test)
    assert "mma" in first.missing


def test_draws_come_in_the_order_of_their_first_rows() -> None:
    low = {**DRAW, "value": "8"}
    frame = draws(
        {**low, "patient_id": "b", "collected_at": "2026-03-02"},
        {**low, "patient_id": "a", "collected_at": "2026-03-09"},
        {**low, "patient_id": "b", "collected_at": "2026-03-01"},
        {**low, "patient_id": "a", "collected_at": "2026-03-09"},
        {**DRAW, "value": "60", "patient_id": "c", "collected_at": "2026-03-09"},  # nothing to say
    )
    got = said(frame, "patient_id", "collected_at", "li_because", kind="pattern")
    assert got == [("b", "2026-03-02", "1"), ("a", "2026-03-09", "2;4"), ("b", "2026-03-01", "3")]
    assert panel_frame(frame, row_id="patient_id").filter(pl.col("li_kind") == "pattern")["li_because"].to_list() == ["b", "a;a", "b"]


def test_other_columns_can_make_a_draw() -> None:
    """An order number in place of the day, or beside it; the roles' own names stand for the columns they name."""
    rows_ = [{**DRAW, "value": "40", "order": 7, "collected_at": "2026-03-01"}, {**CRP, "order": 7, "collected_at": "2026-03-02"}]
    together, apart = [("iron_deficiency", "1;2")], []
    for by, want in (
        (["order"], together), (("patient_id", "order"), together), ("patient_id", together), (["patient_id", "collected_at"], apart),
        (["collected_at"], apart),
    ):  # fmt: skip
        made = panel_frame(draws(*rows_), by=by)
        assert made.filter(pl.col("li_kind") == "pattern").select("li_id", "li_because").rows() == want
        assert made.columns[: -len(ANSWERS)] == ([by] if isinstance(by, str) else list(by))
    renamed = draws(*rows_).rename({"patient_id": "PAT", "collected_at": "DAY"})
    made = panel_frame(renamed, by=["patient_id", "order"], patient_id="PAT", collected_at="DAY", prefix="x_")
    assert made.columns[:3] == ["PAT", "order", "x_kind"]
    assert panel_frame(renamed, patient_id="PAT", collected_at="DAY").columns[:2] == ["PAT", "DAY"]


def test_facts_given_once_hold_for_the_draw() -> None:
    """And what changes an answer is told; contradictions are read apart."""
    bare = {"sex": None, "age_years": None, "pregnant": None}
    frame = draws({**DRAW, "value": "160", "collected_at": "2026-03-01"} | bare, {**CRP, "value": "1", "collected_at": "2026-03-01"})
    assert said(frame, "li_id", "li_text", kind="finding") == [
        ("ferritin", "Alone: not assessed, age_unknown. In this draw: H, overload risk (ferritin/who-2020).")
    ]
    apart = draws({**DRAW, "value": "40", "collected_at": "2026-03-01"}, {**CRP, "age_years": "71", "collected_at": "2026-03-01"})
    assert said(apart, kind="pattern") == []


def test_rows_without_a_patient_are_together_only_where_all_is_the_same() -> None:
    one, other = {**DRAW, "value": "40", "collected_at": "2026-03-01", "patient_id": None}, {**CRP, "collected_at": "2026-03-01"}
    assert said(draws(one, {**other, "patient_id": " "}), kind="pattern") == [("pattern", "iron_deficiency", "1;2")]
    assert said(draws(one, {**other, "patient_id": None, "age_years": "35"}), kind="pattern") == []
    assert said(draws(one, {**other, "patient_id": None, "age_years": None}), kind="pattern") == []
    assert said(draws(one, {**other, "patient_id": None, "collected_at": "2026-03-02"}), kind="pattern", within="7d") == []


# --- on every line -------------------------------------------------------------------------------------------------


def test_on_and_beside_every_line() -> None:
    """Every line that a gate or an alert asks about, in each usual unit: on it, one float beside it, and with more digits than a float."""
    sights, records = Sights(Catalog.default()), []
    for analyte in sights.analytes:
        entry = Catalog.default().table["analytes"][analyte]
        for unit in entry["usual"]:
            for mark in sights.edges(analyte, unit).tolist()[1::3]:  # each with a float on both sides
                exact = Decimal(repr(mark))
                numbers = [
                    repr(nextafter(mark, -inf)),
                    repr(mark),
                    repr(nextafter(mark, inf)),
                    f"{exact:f}000000000000000001",
                    f"{Decimal(mark):f}",
                ]
                for sign, number in product(("", "<", ">=", ">"), numbers):
                    row = {"test": entry["name"], "value": f"{sign}{number}", "unit": unit, "sex": "M", "age_years": "50"}
                    records.append(dict.fromkeys(rows.COLUMNS) | row | {"patient_id": str(len(records)), "collected_at": "2026-03-01"})
    assert len(records) >= 2000
    assert given(panel_frame(frame_of(records))) == expected(records)


# --- kinds of frames -----------------------------------------------------------------------------------------------


def a_frame() -> pl.DataFrame:
    days = [FIRST.date(), FIRST.date(), FIRST.date() + timedelta(days=1), None, FIRST.date()]
    return pl.DataFrame(
        {
            "row": [11, 12, 13, 14, 15], "patient_id": ["a", "a", "b", None, "c"], "collected_at": days,
            "test": ["Ferritin", "CRP", "Vitamin B12", "Ferritin", "Magnesium"], "value": ["40", "12", "100", "8", "0.3"],
            "unit": ["ug/L", "mg/L", "pg/mL", "ug/L", "mmol/L"], "sex": ["F", None, "M", "F", "M"], "age_years": [34, 34, None, 50, 60],
        }
    )  # fmt: skip


def plainly(made: Any) -> list[tuple[Any, ...]]:
    """The rows of any frame, days as days."""
    if isinstance(made, pl.LazyFrame):
        made = made.collect()
    if hasattr(made, "compute"):
        made = made.compute()
    if hasattr(made, "to_pyarrow"):
        made = made.to_pyarrow()
    if hasattr(made, "pl"):
        made = made.pl()
    if not isinstance(made, pl.DataFrame):
        made = pl.from_arrow(made) if hasattr(made, "column_names") else pl.from_pandas(made)
    found = made.with_columns(pl.col("collected_at").cast(pl.Date)).rows()
    return [tuple("" if value is None and place != 1 else value for place, value in enumerate(row)) for row in found]


def test_every_kind_of_frame_on_this_machine() -> None:
    """The same rows, in the caller's own type."""
    import dask.dataframe
    import narwhals
    import pandas as pd
    import pyarrow as pa

    frame = a_frame()
    want = plainly(panel_frame(frame))
    assert len(want) > 10
    table = frame.to_arrow().cast(
        pa.schema([f.with_type(pa.string()) if pa.types.is_large_string(f.type) else f for f in frame.to_arrow().schema])
    )
    kinds = [
        frame.lazy(), table, frame.to_pandas(), frame.to_pandas(use_pyarrow_extension_array=True), frame.to_pandas().astype(object),
        dask.dataframe.from_pandas(frame.to_pandas(), npartitions=3),
    ]  # fmt: skip
    for one in kinds:
        made = panel_frame(one)
        assert type(made) is type(one)
        if type(one) is pd.DataFrame and one["test"].dtype == object:
            made = made.convert_dtypes(dtype_backend="pyarrow")
        assert plainly(made) == want
    wrapped = panel_frame(narwhals.from_native(frame))
    assert isinstance(wrapped, narwhals.DataFrame)
    assert plainly(wrapped.to_native()) == want
    made = panel_frame(table)
    assert made.schema.field("li_text").type == pa.string()
    indexed = frame.to_pandas().set_index(pd.Index([5, 5, 6, 7, 8]))
    assert list(panel_frame(indexed).index) == list(range(len(want)))
    assert panel_frame(frame.to_pandas())["li_text"].dtype == frame.to_pandas()["test"].dtype
    assert panel_frame(frame.to_pandas(use_pyarrow_extension_array=True))["li_text"].dtype == pd.ArrowDtype(pa.string())


def test_engines_that_live_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB and Ibis: fetched at once or person by person, and put back."""
    import duckdb
    import ibis

    frame = a_frame()
    want, labelled = plainly(panel_frame(frame)), plainly(panel_frame(frame, row_id="row"))
    connection = duckdb.connect()
    connection.register("results", frame.to_arrow())
    relation = connection.sql("select * from results")
    made = panel_frame(relation)
    assert isinstance(made, duckdb.DuckDBPyRelation)
    assert plainly(made) == want
    assert plainly(made.filter("li_kind = 'alert'")) == [row for row in want if row[2] == "alert"]
    table = ibis.memtable(frame.to_arrow())
    assert isinstance(panel_frame(table), ibis.Table)
    assert plainly(panel_frame(table)) == want
    monkeypatch.setattr(_panels, "BATCH", 2)
    for one in (relation, table):
        assert sorted(plainly(panel_frame(one, row_id="row")), key=str) == sorted(labelled, key=str)
    assert plainly(panel_frame(relation)) == want  # rows are numbered as they come
    spaced = frame.with_columns(patient_id=pl.Series(["a", "a ", "b", None, "c"]))
    connection.register("spaced", spaced.to_arrow())
    assert sorted(plainly(panel_frame(connection.sql("select * from spaced"), row_id="row")), key=str) == sorted(labelled, key=str)


@pytest.mark.parametrize("name", [name for name in engines.ENGINES if name != "polars"])
def test_every_engine(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The statements of an engine's frame, in a frame of the engine; rows in any order, so they have labels."""
    engine, want = engines.engine(name), sorted(plainly(panel_frame(a_frame(), row_id="row")), key=str)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the engines about themselves
        frame = engine.frame(a_frame())
        made = panel_frame(frame, row_id="row")
        assert type(made) is type(frame)
        assert sorted(plainly(engine.table(made)), key=str) == want
        one = engine.table(panel_frame(engine.frame(a_frame().filter(pl.col("value") == "0.3")), row_id="row", by="patient_id"))
        assert set(one["li_because"]) == {"15"}
        monkeypatch.setattr(_panels, "BATCH", 2)
        assert sorted(plainly(engine.table(panel_frame(frame, row_id="row"))), key=str) == want


@pytest.mark.parametrize("frame", [a_frame().clear(), a_frame()[4:], a_frame().with_columns(value=None), a_frame().with_columns(test=None)])
def test_little_and_nothing(frame: pl.DataFrame) -> None:
    made = panel_frame(frame)
    assert made.columns == ["patient_id", "collected_at", *ANSWERS]
    assert made.select("patient_id", "collected_at").schema == frame.select("patient_id", "collected_at").schema
    assert set(made.select(ANSWERS).dtypes) == {pl.String}
    assert made["li_kind"].to_list().count("alert") == (1 if frame.height == 1 else 0)
    assert panel_frame(frame.to_pandas()).columns.tolist() == made.columns


def test_columns_of_every_type() -> None:
    """Numbers, decimals, categories, times, truth values and mixed objects mean what their texts mean."""
    texts = a_frame().with_columns(pregnant=pl.Series(["no", "no", "no", None, "no"]), birth_date=pl.Series(["1990-01-31"] * 5))
    want = plainly(panel_frame(texts))
    born, day = pl.col("birth_date").str.to_date(), pl.col("collected_at").cast(pl.Datetime)
    for change in (
        {"value": pl.col("value").cast(pl.Float64)},
        {"value": pl.col("value").cast(pl.Float32)},
        {"value": pl.col("value").cast(pl.Decimal(10, 2))},
        {"test": pl.col("test").cast(pl.Categorical), "sex": pl.col("sex").cast(pl.Enum(["F", "M"])), "unit": pl.col("unit").cast(pl.Categorical)},
        {"pregnant": pl.col("pregnant").ne("no"), "birth_date": born},
        {"age_years": pl.col("age_years").cast(pl.Float32), "birth_date": born.cast(pl.Datetime)},
        {"age_years": pl.col("age_years").cast(pl.String), "collected_at": day},
        {"collected_at": (day + pl.duration(hours=13)).dt.replace_time_zone("Asia/Tokyo")},
        {"collected_at": pl.col("collected_at").dt.strftime("%d.%m.%Y")},
    ):  # fmt: skip
        made = panel_frame(texts.with_columns(**change))
        if made["collected_at"].dtype == pl.String:
            made = made.with_columns(pl.col("collected_at").str.to_date("%d.%m.%Y"))
        assert plainly(made) == want
    objects = texts.to_pandas().astype(object)
    objects["value"] = ["40", 12, 100.0, Decimal(8), 0.3]
    objects["patient_id"] = objects["patient_id"].where(texts.to_pandas()["patient_id"].notna(), float("nan"))
    assert panel_frame(objects)["li_text"].tolist() == [row[-1] for row in want]


def test_persons_in_parts_are_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = frame_of(export(60, 5))
    want = panel_frame(frame)
    monkeypatch.setattr(_panels, "BATCH", 50)
    assert panel_frame(frame).equals(want)
    assert panel_frame(frame, within="7d", by=["patient_id", "collected_at"]).height
    assert panel_frame(frame, by="collected_at").height


def test_other_limits() -> None:
    """`authority`, `as_of`, `catalog` and `decimal` are those of `interpret`."""
    frame = draws({**DRAW, "value": "40", "collected_at": "2026-03-01", "sex": None}, {**CRP, "collected_at": "2026-03-01"})
    for how in ({"authority": "who"}, {"as_of": "2010-01-01"}, {"authority": {"ferritin": "ferritin/aga-2020"}}, {"decimal": ","}):
        report = interpret([LabResult("Ferritin", "40", "ug/L"), LabResult("CRP", "12", "mg/L")], Patient(**WOMAN), **how)
        got = said(frame, "li_id", kind="pattern", **how)
        assert got == [(match.id,) for match in report.patterns]
        changed = dict(said(frame, "li_because", "li_text", kind="finding", **how))
        alone = assess(LabResult("Ferritin", "40", "ug/L"), Patient(age_years=34, pregnant=False), **how)
        one, other = (words(*cells(answer)[6:]) for answer in (alone, next(report.rows())))
        assert changed == ({"1": f"Alone: {one}. In this draw: {other}."} if one != other else {})
    with pytest.raises(UnknownAuthorityError):
        panel_frame(frame, authority="nobody")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"by": ["order"]}, "no column 'order'"),
        ({"by": []}, "at least one column"),
        ({"patient_id": None}, "no column 'patient_id' to part draws by; name it"),
        ({"within": "7 moons"}, "such as '7d' or '36h'"),
        ({"within": 7}, "such as '7d' or '36h'"),
        ({"within": timedelta(days=-1)}, "cannot be negative"),
        ({"within": "7d", "by": ["patient_id"]}, "needs the day of sampling"),
        ({"row_id": "number"}, "row_id is the name"),
        ({"value": "result"}, "no column 'result'"),
        ({"decimal": ";"}, "decimal is"),
    ],
)
def test_what_cannot_be_is_told(how: dict[str, Any], message: str) -> None:
    frame = a_frame().drop("patient_id") if "patient_id" in how else a_frame()
    with pytest.raises(InputError, match=message):
        panel_frame(frame, **how)


def test_columns_that_clash_or_stand_twice() -> None:
    import pandas as pd

    with pytest.raises(InputError, match="answer column would be called 'li_id'"):
        panel_frame(a_frame().rename({"patient_id": "li_id"}), by=["li_id"])
    assert panel_frame(a_frame().with_columns(li_text=pl.lit("x"))).columns == ["patient_id", "collected_at", *ANSWERS]
    twice = pd.concat([a_frame().to_pandas(), pd.DataFrame({"order": [1] * 5}), pd.DataFrame({"order": [1] * 5})], axis=1)
    with pytest.raises(InputError, match="stands 2 times"):
        panel_frame(twice, by=["order"])
    with pytest.raises(InputError, match="is not read here"):
        panel_frame({"test": ["Ferritin"]})


def test_two_threads_learn_at_once() -> None:
    from concurrent.futures import ThreadPoolExecutor

    frames = [frame_of(export(40, seed)) for seed in (31, 32, 33, 34)]
    catalog = Catalog.from_directory(Path(__file__).resolve().parents[1] / "reference_ranges")
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda frame: panel_frame(frame, catalog=catalog), frames))
    for frame, one in zip(frames, made, strict=True):
        assert one.equals(panel_frame(frame))
