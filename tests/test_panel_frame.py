"""Draws in a frame: every statement is the one that `interpret` gives on that panel."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from tests import rows

from labinterp import Report, assess, interpret
from labinterp._summary import cells
from labinterp.dataframes import panel_frame
from labinterp.readers import read_rows

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


def statements(report: Report, numbers: Sequence[int], records: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """What one report says, in the words of the columns."""

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
    for note in report.notes:
        if note.startswith("The panel itself shows"):
            of = [[f for f in report.findings if f.analyte == analyte] for analyte in ("crp", "agp")]
            raised = sorted(f.row for group in of if all(one.band == "raised" for one in group) for f in group)
            yield "context", "inflammation", None, None, because(raised), None, None, None, note
    for answer in report.rows():
        one, other = (cells(a)[6:] for a in (assess(*rows.asked(records[answer.row - 1])), answer))
        if one != other and answer.analyte:
            text = f"Alone: {words(*one)}. In this draw: {words(*other)}."
            yield "finding", answer.analyte, None, None, str(answer.row), None, None, None, text


def words(code: str, band: str, limits: str, reason: str) -> str:
    return f"{code}, {band.replace('_', ' ') or 'cannot be told'} ({limits})" if code else f"not assessed, {reason}"


def expected(records: Sequence[Mapping[str, Any]], drawn: Sequence[Mapping[str, Any]] | None = None) -> list[tuple[Any, ...]]:
    """What `interpret` says of the panels that files make of the same rows; the texts of a frame stay as they are, with the space around them.

    Args:
        records: The rows.
        drawn: The same rows with the facts that hold in their draw, where those are others.
    """
    found = []
    for panel in read_rows(drawn or records):
        results = [rows.asked(records[number - 1])[0] for number in panel.rows]
        report = interpret(results, panel.patient, rows=panel.rows)
        first = records[panel.rows[0] - 1]
        found += [(first["patient_id"], *said) for said in statements(report, panel.rows, records)]
    return found


def given(said: pl.DataFrame) -> list[tuple[Any, ...]]:
    return said.select("patient_id", *ANSWERS).rows()


@pytest.mark.parametrize(("seed", "untidy"), [(1, 0.0), (2, 0.3), (3, 1.0)])
def test_every_statement_is_that_of_the_panel(seed: int, untidy: float) -> None:
    """All analytes, missing and contradicting facts, dirty values, results twice, circumstances shown and declared."""
    records = export(420, seed, untidy)
    want, got = expected(records), given(panel_frame(frame_of(records)))
    assert got == want
    kinds = {row[1] for row in want}
    assert kinds == {"pattern", "open_question", "effect", "alert", "context", "finding"}


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
    return (
        date.fromisoformat(text[:10])
        if text[:2] == "20" and "window" not in row
        else date.fromisoformat(text[:10])
        if "window" in row
        else None
    )


@pytest.mark.parametrize("reach", [0, 3, 7, 30])
def test_a_window_reads_later_draws_with_the_first(reach: int) -> None:
    """Draws up to the last day of the window are one panel, with the facts of its first day; the next draw begins a window."""
    records = [row for row in export(120, 17 + reach) if row["age_years"] not in ("x", "130+") and "." not in (row["collected_at"] or "")]
    assert given(panel_frame(frame_of(records), within=f"{reach}d")) == expected(records, windowed(records, reach))
