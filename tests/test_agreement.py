"""Every way through a frame says of a row what `interpret` says of it alone.

`scalar` is the measure: it knows nothing of frames, only `interpret` and the functions that read facts. `FRAMES` are the kinds of
frames that are asked; what is added there is asked everything here. The exact reference of `tests.reference` judges both.
"""

from __future__ import annotations

import os
import random
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import product
from math import inf, isfinite, nextafter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests import reference, rows

from labinterp import Catalog, LabResult, Patient, interpret
from labinterp._facts import read_age, read_contexts, read_date, read_pregnancy
from labinterp._frames.classes import NO_SUCH_NAME, Names, People, first_years
from labinterp._frames.numbers import ALONE, AMBIGUOUS, DIGITS, OPS, READ, UNREADABLE, ValueReader
from labinterp._frames.screen import may_be_known
from labinterp._frames.texts import Screen
from labinterp._identify import Refused, name_key, which
from labinterp._inputs import age_from_years, read_sex
from labinterp._measure import NO_UNIT, believed
from labinterp._quantity import Unreadable, read_value
from labinterp._spans import span_edges
from labinterp._summary import ADDED, cells
from labinterp.dataframes import interpret_frame
from labinterp.errors import InputError
from labinterp.testing import read_cases

FEW = bool(os.environ.get("CI"))
settings.register_profile("agreement", max_examples=30 if FEW else 60, derandomize=True, deadline=None, database=None)

CATALOG = Catalog.default()
TABLE = CATALOG.table
CASES = sorted(p for p in (Path(__file__).parent / "cases").glob("*.toml") if p.stem != "units")
Row = Mapping[str, Any]
Cells = tuple[Any, ...]


def parted(text: str) -> list[str]:
    """Texts from one text, which keeps long lists of them short."""
    return text.split("|")


# --- the measure: one row by the way of a single result ------------------------------------------------------


def scalar(row: Row, **options: Any) -> Cells:
    """The ten answer cells of a row, by `interpret` alone."""
    return answered(row, **options)[0]


def answered(row: Row, **options: Any) -> tuple[Cells, bool | None]:
    """The ten answer cells, and near_limit where there is a finding."""
    texts = {name: row.get(name) for name in ("loinc", "specimen", "comparator", "ref_low", "ref_high", "ref_text", "flag")}
    report = interpret([LabResult(row.get("test"), row.get("value"), row.get("unit"), **texts)], person(row), **options)  # type: ignore[arg-type]
    (answer,) = report.rows()
    found: list[Any] = [cell or None for cell in cells(answer)]
    if found[2] is not None:  # "5~9" is shown by its lower end
        found[2] = float(Decimal(found[2].partition("~")[0]))
    if found[4] is not None:
        found[4] = float(found[4])
    return tuple(found), report.findings[0].near_limit if report.findings else None


def person(row: Row) -> Patient:
    """The person a row describes; a fact that cannot be read is unknown."""
    stated, trimester = row.get("pregnant"), frozenset[str]()
    if isinstance(stated, str):
        stated, trimester = read(lambda text: read_pregnancy(text.strip()), stated) or (None, trimester)
    listed = row.get("context")
    if isinstance(listed, list):
        listed = ";".join(part for part in listed if part is not None)
    declared = read(lambda text: read_contexts(text, TABLE["policy"]["context_names"]), listed) or frozenset()
    facts: dict[str, Any] = {"sex": read(read_sex, row.get("sex")), "pregnant": stated, "contexts": declared | trimester}
    age = years(row.get("age_years"))
    if age is not None:
        return Patient(age_years=age, **facts)
    born, at = day(row.get("birth_date")), day(row.get("collected_at"))
    try:
        return Patient(birth_date=born, at=at, **facts)
    except InputError:  # sampled before birth
        return Patient(**facts)


def read(reader: Callable[[str], Any], text: str | None) -> Any:
    """What is read, or None."""
    try:
        return reader(text) if text else None
    except InputError:
        return None


def years(age: Any) -> Any:
    """An age as a number or as text; None where it is none."""
    if isinstance(age, str):
        age = read(read_age, age)
    return age if age is not None and not isinstance(age, bool) and age == age and 0 <= age <= 130 else None


def day(value: Any) -> date | None:
    """A day as a date, as the day its own time zone shows, or as text."""
    if isinstance(value, datetime):
        return value.date()
    return value if value is None or isinstance(value, date) else read(read_date, str(value))


# --- the frames that are asked ---------------------------------------------------------------------------------


class Kind(NamedTuple):
    """A kind of frame.

    Attributes:
        make: Columns of texts (and `n`, whole numbers, and `age_years`, floats) -> a frame.
        rows: A frame -> its rows as dicts, None for nothing; in any order, for rows are told by `n`.
        options: What `interpret_frame` needs to be told.
        most: How many different questions it is asked where there are many (each authority is one): engines are slow to start.
    """

    make: Callable[[dict[str, list[Any]]], Any]
    rows: Callable[[Any], list[dict[str, Any]]]
    options: Mapping[str, Any] = {}
    most: int = 1000


def pandas_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{name: None if pd.isna(v) else v for name, v in row.items()} for row in frame.to_dict("records")]


FRAMES: dict[str, Kind] = {
    "polars": Kind(pl.DataFrame, pl.DataFrame.to_dicts),
    "polars lazy": Kind(pl.LazyFrame, lambda frame: frame.collect(engine="streaming").to_dicts()),
    "pandas": Kind(pd.DataFrame, pandas_rows),
    "pyarrow": Kind(pa.table, pa.Table.to_pylist),
}


def ask(kind: Kind, listed: Sequence[Row], **options: Any) -> list[Cells]:
    """The answer cells of rows through one kind of frame, in the order of the rows."""
    names = [name for name in rows.COLUMNS if any(row.get(name) is not None for row in listed) or name in ("test", "value", "unit")]
    columns: dict[str, list[Any]] = {name: [row.get(name) for row in listed] for name in names}
    made = kind.make({"n": list(range(len(listed))), **columns})
    back = sorted(kind.rows(interpret_frame(made, **kind.options, **options)), key=lambda row: row["n"])
    assert [row["n"] for row in back] == list(range(len(listed))), "rows were lost or came twice"
    return [tuple(row[f"li_{name}"] for name in ADDED) for row in back]


def differences(listed: Sequence[Row], got: Iterable[Cells], expected: Iterable[Cells]) -> list[str]:
    """Rows that are answered in another way, one text each."""
    return [
        f"{ {name: value for name, value in row.items() if value is not None} }\n  frame  {frame}\n  single {single}"
        for row, frame, single in zip(listed, got, expected, strict=True)
        if frame != single
    ]


def agree(listed: Sequence[Row], kind: str = "polars", **options: Any) -> None:
    """The frame and the way of a single result say the same of every row."""
    expected = [scalar(row, **options) for row in listed]
    told(differences(listed, ask(FRAMES[kind], listed, **options), expected))


def told(found: list[str]) -> None:
    if found:
        pytest.fail(f"{len(found)} rows differ\n" + "\n".join(found[:5]), pytrace=False)


# --- the exact reference ---------------------------------------------------------------------------------------

RANDOM, VARIED, EACH = (2_000, 200, 40) if FEW else (10_000, 2_250, 40)  # 100,000 in all


def test_generated_rows_have_the_answer_of_the_exact_reference() -> None:
    """Random rows in any spelling, and many values for each of some: each has the answer that exact fractions give."""
    judged([*rows.random_rows(RANDOM, 3), *varied()])


def varied() -> Iterator[rows.Texts]:
    """Rows with many values each: random, and on or beside a line of any set."""
    chance = random.Random(4)
    for row in rows.random_rows(VARIED, 5):
        known: reference.Row = row[rows.KNOWN]
        own = dict.fromkeys(("value", "comparator"))
        marks = lines(known.analyte, known.unit) if known.unit in TABLE["analytes"][known.analyte]["factors"] else [1.0]
        for _ in range(EACH):
            number = chance.choice(near(chance.choice(marks))) if chance.random() < 0.5 else float(f"{chance.lognormvariate(3, 2):.4g}")
            value = rows.plain(Decimal(repr(number)))
            same = known._replace(value=value, comparator=chance.choice(["", "", *rows.COMPARATORS]), top="")
            yield {**row, **own, "value": f"{same.comparator}{value}", "unit": row["unit"] or known.unit, rows.KNOWN: same}


def test_rows_on_and_beside_every_line_have_the_answer_of_the_exact_reference() -> None:
    """Every line x every usual unit x on it, beside it, rounded x comparators x populations."""
    judged(rows.boundary_rows())


def judged(listed: list[rows.Texts]) -> None:
    frame = interpret_frame(pl.DataFrame(rows.texts(listed), schema=dict.fromkeys(rows.COLUMNS, pl.String)))
    got = frame.select("li_code", "li_band", "li_limits", "li_reason").rows()
    told(differences(listed, got, [tuple(reference.judge(row[rows.KNOWN])) for row in listed]))


# --- the case files --------------------------------------------------------------------------------------------


@cache
def cases() -> dict[tuple[Any, ...], list[tuple[str, Row, Mapping[str, Any] | None]]]:
    """Each result of each case as a row, by what is asked; with what its source says where the result stands alone."""
    found: dict[tuple[Any, ...], list[tuple[str, Row, Mapping[str, Any] | None]]] = {}
    for path in CASES:
        for case in read_cases(path, CATALOG):
            patient, asked = case.patient, (case.options["authority"], case.options["as_of"], case.options["decimal"])
            facts = {
                "sex": patient.sex,
                "age_years": None if patient.age_years is None or patient.birth_date else float(patient.age_years),
                "birth_date": patient.birth_date and patient.birth_date.isoformat(),
                "pregnant": {True: "yes", False: "no", None: None}[patient.pregnant],
                "context": "; ".join(sorted(patient.contexts)) or None,
            }
            for result in case.results:
                row = {**{k: v for k, v in result._asdict().items() if k != "source"}, **facts}
                found.setdefault(asked, []).append((case.place, row, case.expect if len(case.results) == 1 else None))
    return found


@pytest.mark.parametrize("kind", FRAMES)
def test_every_case_is_answered_as_by_interpret_and_as_its_source_says(kind: str) -> None:
    """All results of all case files, each alone, for the person and the authority of its case."""
    wrong = []
    for asked, listed in list(cases().items())[: FRAMES[kind].most]:
        results = [row for _, row, _ in listed]
        got = ask(FRAMES[kind], results, **dict(zip(("authority", "as_of", "decimal"), asked, strict=True)))
        wrong += differences(results, got, [single(number, asked) for number in range(len(listed))])
        for (place, _, expect), found in zip(listed, got, strict=True):
            answer = dict(zip(ADDED, found, strict=True))
            said = {name: value for name, value in (expect or {}).items() if name in answer and name not in ("value", "comparator")}
            wrong += [f"{place}: {name} is {answer[name]!r}, not {value!r}" for name, value in said.items() if answer[name] != value]
    told(wrong)


@cache
def single(number: int, asked: tuple[Any, ...]) -> Cells:
    """The cells of one case by the single way."""
    authority, as_of, decimal = asked
    return scalar(cases()[asked][number][1], authority=authority, as_of=as_of, decimal=decimal)


# --- values on and beside every line ---------------------------------------------------------------------------

PERSONS: list[dict[str, Any]] = [
    {"sex": "female", "age_years": "34", "pregnant": "no"},
    {"sex": "male", "age_years": "70", "context": "inflammation; ckd"},
    {"sex": "female", "age_years": "30", "pregnant": "second trimester"},
    {"sex": "F", "age_years": "4", "context": "inflammation"},
    {"sex": "M", "birth_date": "31.01.2024", "collected_at": "2024-02-28"},
    {"sex": "w", "age_years": "12"},
    {"sex": "m", "age_years": "44.5", "context": "anaemia"},
    {"sex": None, "age_years": "15"},
    {"sex": "female", "age_years": "n/a"},
    {},
]


@cache
def lines(analyte: str, unit: str) -> list[float]:
    """Every number that anything is compared with: lines of all sets, what is believed, critical values and alerts."""
    entry = TABLE["analytes"][analyte]
    found = {0.0, *believed(CATALOG, entry, unit)}
    for limits in map(CATALOG.limit_set, entry["limits"]):
        for population in range(len(limits.populations)):
            found |= {*limits.edges_in(population, unit), *map(float, limits.exact_lines(population, unit))}
    for span in (*entry["critical"], *entry["alerts"]):
        found |= set(span_edges(CATALOG, analyte, span, unit)[0])
    return sorted(line for line in found if isfinite(line) and (line == 0 or line > 1e-30))


def near(line: float) -> list[float]:
    """A line, the floats beside it, and its roundings."""
    return (
        [0.0, 0.01, 1e-9] if line == 0 else [line, nextafter(line, -inf), nextafter(line, inf), float(f"{line:.3g}"), float(f"{line:.5g}")]
    )


def plain(number: float) -> str:
    return format(Decimal(repr(number)), "f")


def numbers(chance: random.Random, units: str = "factors") -> Iterator[tuple[str, str, float]]:
    """Name, unit and a number on or beside each line of each analyte, in units usual or possible."""
    for analyte, entry in TABLE["analytes"].items():
        for unit in entry[units]:
            for line in lines(analyte, unit):
                yield entry["name"], unit, chance.choice(near(line))


@pytest.mark.parametrize("comparator", ["", "<", "<=", ">", ">="])
def test_values_on_and_beside_every_line_of_every_set(comparator: str) -> None:
    """As texts with all digits of a float, in every unit an analyte may be printed in; each row for somebody else."""
    chance = random.Random(f"lines{comparator}")
    listed = [{"test": t, "unit": u, "value": comparator + plain(n), **chance.choice(PERSONS)} for t, u, n in numbers(chance)]
    agree(chance.sample(listed, min(len(listed), 400 if FEW else 700)), decimal=".")


@pytest.mark.parametrize("limits", sorted(TABLE["limits"]))
def test_every_set_by_name(limits: str) -> None:
    """On and beside each line of one set, asked for by its id, for some kinds of persons."""
    analyte, data = limits.split("/")[0], TABLE["limits"][limits]
    as_of = (date.fromisoformat(data["until"]) - timedelta(days=1)).isoformat() if data["until"] else None
    one, entry, chance = CATALOG.limit_set(limits), TABLE["analytes"][analyte], random.Random(limits)
    listed = []
    for who, unit in product(chance.sample(PERSONS, 4), chance.sample(entry["usual"], 1)):
        for line in {float(line) for p in range(len(one.populations)) for line in one.exact_lines(p, unit)}:
            listed += [
                {"test": entry["name"], "unit": unit, "value": rows.plain(Decimal(repr(number))), **who} for number in near(line)[:4]
            ]
    agree(chance.sample(listed, min(len(listed), 40)), authority=limits, as_of=as_of)


@pytest.mark.parametrize("dtype", ["Float64", "Float32", "Decimal", "Int64", "Object"])
def test_columns_of_numbers(dtype: str) -> None:
    """Numbers with up to 17 digits, of one half the width, exact decimals, whole ones, and a mixture."""
    chance = random.Random(dtype)
    listed: list[dict[str, Any]] = [{"test": t, "unit": u, "value": n, **chance.choice(PERSONS)} for t, u, n in numbers(chance)]
    listed = chance.sample(listed, 300 if FEW else 800)
    listed += [{**listed[0], "value": odd} for odd in (0.0, -0.0, -1.5, inf, -inf, float("nan"), 5e-324, 1e300, None)]
    values = [row["value"] for row in listed]
    made, as_read = numbers_of(dtype, values, chance)
    for row, value in zip(listed, as_read, strict=True):
        row["value"] = value
    others = {name: pl.Series([row.get(name) for row in listed], dtype=pl.String) for name in rows.COLUMNS if name != "value"}
    frame = interpret_frame(pl.DataFrame({**others, "value": made}), near_limit=True)
    both = [answered(row) for row in listed]
    told(differences(listed, frame.select(f"li_{name}" for name in ADDED).rows(), [cell for cell, _ in both]))
    told(differences(listed, [(one,) for one in frame["li_near_limit"]], [(one,) for _, one in both]))


def numbers_of(dtype: str, values: list[Any], chance: random.Random) -> tuple[pl.Series, list[Any]]:
    """A column of a type, and each of its values as a single result would be given."""
    known = [v is not None and isfinite(v) for v in values]
    if dtype == "Float64":
        return pl.Series(values, dtype=pl.Float64), values
    if dtype == "Float32":
        column = pl.Series(values, dtype=pl.Float64).cast(pl.Float32)
        return column, [None if v is None else float(str(np.float32(v))) for v in column.to_list()]
    if dtype == "Decimal":
        exact = [Decimal(f"{v:.19f}") if ok and abs(v) < 1e15 else None for v, ok in zip(values, known, strict=True)]
        return pl.Series(exact, dtype=pl.Decimal(38, 19)), exact
    if dtype == "Int64":
        whole = [round(v) if ok and abs(v) < 1e18 else None for v, ok in zip(values, known, strict=True)]
        return pl.Series(whole, dtype=pl.Int64), whole
    exactly, whole_if = (lambda v: Decimal(repr(v))), (lambda v: int(v) if v < 1e15 else v)
    turned: list[Callable[[Any], Any]] = [float, np.float64, plain, exactly, whole_if, lambda v: f"<{plain(v)}"]
    mixed = [chance.choice(turned)(v) if ok else v for v, ok in zip(values, known, strict=True)]
    mixed = [v.replace(".", ",") if isinstance(v, str) and chance.random() < 0.3 else v for v in mixed]
    return pl.Series(mixed, dtype=pl.Object), mixed


# --- drawn rows ------------------------------------------------------------------------------------------------

ANALYTES = list(TABLE["analytes"])
SPELLINGS = sorted(TABLE["names"])
CODES = [*TABLE["loinc"], *TABLE["never_loinc"], "1234-5", "x", "LOINC:2132-9", "", " 2276–4 "]
CONTEXTS = [*TABLE["policy"]["context_names"], "nonsense", "", " ; ", "ckd, inflammation", "trimester 2"]
SPECIMENS = [*TABLE["policy"]["specimens"], "Serum, gel tube", "", " ", "moon dust", "urine 24h"]
ODD_UNITS = parted("| |mg|ng/ml |\u00b5g/l|[ng/mL]|mcg per dl|foo/L")
UNITS = [*TABLE["units"]["exact"], *TABLE["units"]["folded"], *NO_UNIT, *ODD_UNITS]
GARBAGE = parted("| |hemolyzed|QNS|see note|n/a|<|>|-|nan|inf|5 to|neg|++|1.2.3|12-|5-5|9-5|1/2|12:30")


@st.composite
def values(draw: st.DrawFn, analyte: str, unit: str) -> str | None:
    """A value as printed: on or beside a line, censored, a range, flagged, with a unit, or no number at all."""
    if draw(st.integers(0, 11)) == 0:
        return draw(st.sampled_from([None, *GARBAGE]) | st.text(max_size=12))
    number = draw(st.sampled_from(near(draw(st.sampled_from(lines(analyte, unit))))) | st.floats(0, 2000))
    text = draw(st.sampled_from([plain(number), *(format(number, form) for form in (".2f", ".4g", ".3e", ".1f", ".3f", ",.1f"))]))
    text = draw(st.sampled_from([text, text, text, text.replace(".", ","), f"{text}-{plain(abs(number) * 1.5 + 1)}", f"{text} - {text}0"]))
    before = draw(st.sampled_from(parted("||||<|<= |>|>=|< |≤|less than |H |*|+|-| |\u00a0|ca. |&lt;|~")))
    behind = draw(st.sampled_from(parted(f"|||| H| (L)|*| {unit}|{unit}| mg| x|\u00a0|.")))
    return f"{before}{text}{behind}"


@st.composite
def one_row(draw: st.DrawFn) -> dict[str, Any]:
    """A row of any analyte, more or less dirty, for anybody."""
    analyte = draw(st.sampled_from(ANALYTES))
    entry = TABLE["analytes"][analyte]
    unit = draw(st.sampled_from(list(entry["usual"])) | st.sampled_from(list(entry["factors"])))
    rare = st.integers(0, 9).map(lambda n: n == 0)
    spelled = [name for name, of in TABLE["names"].items() if of == analyte]
    row: dict[str, Any] = {
        "test": draw(st.sampled_from([entry["name"], *spelled])),
        "value": draw(values(analyte, unit)),
        "unit": draw(st.sampled_from(UNITS)) if draw(rare) else draw(st.sampled_from([unit, unit, unit, None])),
        "sex": draw(st.sampled_from([None, "F", "M", "female", "m", "w", "X", "1", "", " Frau "])),
        "age_years": draw(st.none() | st.sampled_from(parted("34|70|4|5|0|17.99|18|12 months|3 weeks|130|131|old||44,5"))),
        "pregnant": draw(st.sampled_from([None, "yes", "no", "true", "0", "T2", "3rd trimester", "maybe", "", " y "])),
        "context": draw(st.sampled_from([None, None, *CONTEXTS])),
    }
    if draw(rare):
        row["test"] = draw(st.none() | st.sampled_from(["", "Sodium", "25(OH)D (LC-MS)", "Vit. B12 level", "folate, RBC", *SPELLINGS]))
    if draw(rare):
        row["loinc"] = draw(st.sampled_from(CODES))
    if draw(rare):
        row["specimen"] = draw(st.sampled_from(SPECIMENS))
    if draw(rare):
        row["comparator"] = draw(st.sampled_from(parted("<|>|<=|≥|=|| |~|=<|x|< ")))
    if draw(rare):
        born = draw(st.sampled_from(["1990-02-29", "19900131", "2020-06-01", "01/02/2000", "x"]))
        row |= {"birth_date": born, "collected_at": "2024-05-31 10:00"}
    if entry["lab_range"]["first"] and draw(st.booleans()):
        row |= draw(printed_range(analyte, unit))
    return row


@st.composite
def printed_range(draw: st.DrawFn, analyte: str, unit: str) -> dict[str, Any]:
    """A laboratory's own range, beside the lines, as two columns or as text."""
    low, high = sorted(draw(st.sampled_from(near(draw(st.sampled_from(lines(analyte, unit)))))) for _ in "12")
    forms = [
        lambda end: None,
        plain,
        lambda end: f"{end:.3g}",
        lambda end: f"<{end:.2f}",
        lambda end: f"{end:.1f}".replace(".", ","),
        lambda end: "x",
    ]
    ends = [draw(st.sampled_from(forms))(end) for end in (low, high)]
    if draw(st.booleans()):
        return {"ref_low": ends[0], "ref_high": ends[1], "flag": draw(st.sampled_from([None, "H", "?"]))}
    texts = [f"{low:.4g} - {high:.4g}", f"{plain(low)}-{plain(high)} {unit}", f"<{high:.3g}", f">= {low:.3g}", "see note", "up to 5 mg", ""]
    return {"ref_text": draw(st.sampled_from(texts))}


MARKS = st.sampled_from([None, None, None, ".", ","])


@settings(settings.get_profile("agreement"))
@given(st.lists(one_row(), min_size=1, max_size=12), MARKS)
@example([{"test": "CRP", "value": "1e-400", "unit": "mg/L"}], None)
@example([{"test": "CRP", "value": "1e-0400", "unit": "mg/L"}], None)
@example([{"test": "CRP", "value": "1e+0001", "unit": "mg/L"}], ".")
@example([{"test": "CRP", "value": "less\u00a0than 5", "unit": "mg/L"}], None)
@example([{"test": "CRP", "value": "less\u200b than 5", "unit": "mg/L"}], None)
@example([{"test": "CRP", "value": "H\u0131gher than 5", "unit": "mg/L"}], None)
def test_drawn_rows(listed: list[dict[str, Any]], decimal: str | None) -> None:
    """Any row whatever."""
    agree(listed, decimal=decimal)


@pytest.mark.parametrize("kind", FRAMES)
def test_dirty_rows(kind: str) -> None:
    """Rows as hospitals export them, through each kind of frame."""
    listed = [{name: row[name] for name in rows.COLUMNS} for row in rows.dirty_rows(400 if FEW else 1000, 7)]
    agree(listed, kind)


# --- facts -----------------------------------------------------------------------------------------------------

# one result of each analyte near a line that its populations do not share
TELLING = [("Ferritin", "13", "ug/L"), ("MMA", "0.3", "umol/L"), ("Homocysteine", "14", "umol/L"), ("B12", "200", "ng/L")]


def telling(facts: Iterable[Row]) -> list[dict[str, Any]]:
    return [{"test": t, "value": v, "unit": u, "sex": s, **fact} for fact in facts for t, v, u in TELLING for s in ("female", "male")]


def test_ages_as_numbers() -> None:
    """Whole years; fractions on and beside every bound; and what is no age."""
    fractions = [near for mark in BOUNDS for near in (mark, nextafter(mark, 0), nextafter(mark, inf))]
    agree(telling({"age_years": age} for age in (4.0, 5.0, *fractions, float("nan"), 130.5, -0.0, -0.1, inf)))
    agree(telling({"age_years": age} for age in (*range(-1, 132, 3), 4, 5)))


def test_ages_as_texts() -> None:
    """Every way to write an age, and what is none."""
    texts = parted("34|34 y|6 months|10 d|85+|>85|0|0.5|34,5| 5 |131|-1|1e1|4.12345|abc|| |3 weeks|60 mo|59 mo|5.0")
    agree(telling({"age_years": age} for age in (*texts, None)))


@pytest.mark.parametrize("form", [None, "%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%Y-%m-%dT23:59:59Z", "%d/%m/%Y"])
def test_days_of_birth_and_of_sampling(form: str | None) -> None:
    """Around every bound of age, also on leap days and at the ends of months."""
    chance, born = random.Random(str(form)), [date(2000, 2, 29), date(2019, 12, 31), date(2000, 1, 31), date(1940, 3, 1)]
    lived = [round(bound) + off for bound in People(CATALOG).bounds for off in (-1, 0, 1)] + [-1, 130 * 366, 130 * 366 + 1]
    pairs = [(b, b + timedelta(days=n)) for b in born for n in chance.sample(lived, 20)]
    shown = [{"birth_date": d.strftime(form) if form else d, "collected_at": at.strftime(form) if form else at} for d, at in pairs]
    agree(telling(shown))


def test_days_that_are_none() -> None:
    """Dates of no calendar, and dates that read two ways, are unknown."""
    odd = parted("2024-02-30| 2024-01-05 |2024-01-05x|2024-01-05T|0000-01-01|9999-12-31|01/02/2024|13/01/2024|2024-1-5|| |20240105101010")
    agree(telling({"birth_date": text, "collected_at": "2024-06-01"} for text in odd))
    agree(telling({"birth_date": "2019-06-01", "collected_at": text} for text in odd))


def test_pregnancy_and_circumstances() -> None:
    """All words for them, and words that are none."""
    words = [True, False, None]
    agree(telling({"pregnant": word, "age_years": "30"} for word in words))
    texts = parted("yes|no|Ja|N|1|0|T1|t2|second trimester|trimester|unknown|?|| yes |maybe|schwanger")
    agree(telling({"pregnant": word, "age_years": "30"} for word in texts))
    agree(telling({"context": word, "age_years": "30"} for word in [*CONTEXTS, "ckd;inflammation|anaemia", "ckd;nonsense"]))


# --- the gates -------------------------------------------------------------------------------------------------

DIGITS_AND_MARKS = [*"0123456789.,' -+<>=~eE()*_\t\n\"", "0", "00", "000", "1", "12", "999", "e-", "e+0", "x10^", "mg/L", "%", "inf", "nan"]
WORDS_BEFORE = ["H", "L ", "less than ", "at most ", "\u00fcber ", "to", "bis", "&lt;", "&ge;"]
# other spaces, dashes, digits and letters than ASCII's
FOREIGN = parted("\u00a0|\u2009|\u200b|\u2212|\u2013|\u2264|\u00b710|\u207b\u2075|\u0663|\u017f|\u0130|\u0131|\u00b7|\ufeff|\uff15")
SHAPED = r"[<>]?=? ?[+-]?[0-9]{0,6}[.,]?[0-9]{0,6}([eE][+-]?[0-9]{1,4})?"
PIECES = st.lists(st.sampled_from([*DIGITS_AND_MARKS, *WORDS_BEFORE, *FOREIGN]), max_size=9).map("".join)
WRITTEN = PIECES | st.from_regex(SHAPED, fullmatch=True) | st.text(max_size=12)


@settings(settings.get_profile("agreement"), max_examples=60 if FEW else 100)
@given(st.lists(WRITTEN, min_size=1, max_size=40), st.sampled_from([None, ".", ","]))
@example(parted("1e-400|1e-0400|1e+0001|0e5|-0|+1.060|1.060e0|01.060|12345678901234567|0.1234567890123456|1e400"), None)
@example(["less\u00a0than 5", "less\u200b than 5", "h\u0131gher than 5", "h\u0130gher than 5", "le\u017f\u017f than 5"], None)
@example(parted(",5|5,|1,5e3|1,e5|<,5|< +5|<+,5|<-5|< 5|<  5|<= 5|> =5|<1,060|1,060"), ",")
def test_a_value_text_reads_as_read_value_reads_it(texts: list[str], decimal: str | None) -> None:
    """No short way of the value column reads a text in another way, or leaves one unread."""
    rests: list[str | None] = [None]

    def rest_class(text: str | None) -> int:
        if text not in rests:
            rests.append(text)
        return rests.index(text)

    found = ValueReader(decimal, rest_class).read(pl.Series(texts, dtype=pl.String))
    size = len(texts)
    ops, rest = (np.broadcast_to(np.asarray(part), (size,)) for part in (found.op, found.rest))
    states = np.full(size, READ) if found.state is None else found.state
    for n, text in enumerate(texts):
        by_one = read_value(text, decimal)
        if isinstance(by_one, Unreadable):
            assert states[n] == {"unreadable_value": UNREADABLE, "ambiguous_number": AMBIGUOUS}[by_one.reason], (text, by_one)
            continue
        assert states[n] in (READ, ALONE), (text, by_one)
        assert found.number[n] == float(by_one.value), (text, found.number[n], by_one)
        assert OPS[ops[n]] == by_one.comparator, (text, OPS[ops[n]], by_one)
        assert (rests[rest[n]] or "") == by_one.rest, (text, rests[rest[n]], by_one)
        short = len(by_one.value.as_tuple().digits) <= DIGITS and (by_one.value == 0 or 0 < abs(float(by_one.value)) < inf)
        assert states[n] == ALONE or (by_one.high is None and short), f"{text!r} says more than a float and must be read alone"


POLICY = TABLE["policy"]
NAMES = st.sampled_from([*SPELLINGS, *TABLE["ambiguous"], *TABLE["never"], *(entry["name"] for entry in TABLE["analytes"].values())])
WORDS = st.sampled_from(
    [*POLICY["name_qualifiers"], *POLICY["specimen_qualifiers"], *POLICY["foreign_names"], "plus", "x", "zz9", "sodium"]
)
JOINTS = st.sampled_from(["", " ", "-", ", ", "/", "+", "++ ", "_", ".", "'", "  ", "("])
MADE = st.lists(st.tuples(NAMES | WORDS, JOINTS), min_size=1, max_size=4).map(lambda parts: "".join(word + joint for word, joint in parts))


@st.composite
def misspelled(draw: st.DrawFn) -> str:
    """A name with a letter more, less or other, or in capitals."""
    name, at = draw(MADE), draw(st.integers(0, 40))
    name = name[:at] + draw(st.sampled_from(["", "x", " ", "1", "é", "+"])) + name[at + draw(st.integers(0, 1)) :]
    return draw(st.sampled_from([name, name.upper(), name.title(), f" {name} "]))


@settings(settings.get_profile("agreement"))
@given(st.lists(MADE | misspelled() | st.text(max_size=20), min_size=1, max_size=20))
def test_a_name_that_is_screened_out_is_unknown(names: list[str]) -> None:
    """What the engine or `may_be_known` leaves out, no look-up finds, with or without a code beside it."""
    known, by_engine = Names(CATALOG), screens()[0].strange(pl.Series(names, dtype=pl.String))
    for name, strange in zip(names, by_engine, strict=True):
        if not strange and (may_be_known(known.pieces, name) or len(name) > 200):
            continue
        if len(name.strip()) <= 200:
            assert name_key(CATALOG, name) == name_key(CATALOG, NO_SUCH_NAME), name
        for code in (None, "2276-4", "1234-5"):
            found, other = which(CATALOG, name, code), which(CATALOG, NO_SUCH_NAME, code)
            assert found[:1] == other[:1], (name, code, found)
            assert code is not None or (isinstance(found, Refused) and found.reason == "unknown_analyte"), (name, found)


MADE_UNITS = st.lists(st.sampled_from([*UNITS, "per", "x", "/", " ", "(calc)", "^^L", "100", "10*9", "."]), max_size=3).map("".join)


@settings(settings.get_profile("agreement"))
@given(st.lists(MADE_UNITS | st.text(max_size=10), min_size=1, max_size=20))
def test_a_unit_that_is_screened_out_is_unknown(units: list[str]) -> None:
    """What the engine leaves out is no unit, and no mark that says there is none."""
    assert not wrongly_screened(units)


def test_no_known_unit_is_screened_out() -> None:
    """Every spelling there is, and the marks that say there is no unit."""
    assert not wrongly_screened([form(unit) for unit in UNITS for form in (str, str.upper, str.lower, str.title, " {} ".format)])


def wrongly_screened(units: list[str]) -> list[str]:
    names, by_engine = Names(CATALOG), screens()[1].strange(pl.Series(units, dtype=pl.String))
    return [unit for unit, strange in zip(units, by_engine, strict=True) if strange and names.unit(unit) != names.unknown_unit()]


@cache
def screens() -> tuple[Screen, Screen]:
    names = Names(CATALOG)
    return Screen(names.pieces, names.unknown_test()), Screen(CATALOG.units.pieces(NO_UNIT), names.unknown_unit())


BOUNDS = [bound / 365.25 for bound in People(CATALOG).bounds]


@settings(settings.get_profile("agreement"))
@given(st.lists(st.floats(0, 130) | st.sampled_from(BOUNDS), min_size=1, max_size=50), st.integers(-40, 40))
def test_the_class_of_an_exact_age(ages: list[float], steps: int) -> None:
    """Counting the first ages of classes finds the class that a single age has; also some floats beside each bound."""
    people, starts, classes = exact_ages()
    for age in ages:
        beside = age
        for _ in range(abs(steps)):
            beside = nextafter(beside, inf if steps > 0 else 0.0)
        for one in (age, beside, age + steps * 1e-9):
            if 0 <= one <= 130:
                assert classes[bisect_right(starts, one) - 1] == people.age(age_from_years(float(one))), repr(one)


@cache
def exact_ages() -> tuple[People, list[float], list[int]]:
    people = People(CATALOG)
    return people, *first_years(people)


def test_the_plain_form_of_these_tests_reads_one_way() -> None:
    """What this file prints for a float is the float."""
    assert all(float(plain(n)) == n and not re.search("[eE]", plain(n)) for n in (1e-12, 0.1, 26.966292134831461, 1e17))
