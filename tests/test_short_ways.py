"""What was answered before is answered sooner, and the same: panels with printed ranges, flags, codes, specimens and places."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labinterp import Catalog, Finding, LabResult, NotAssessed, Patient, interpret
from labinterp import _interpret as engine
from labinterp import _lanes as lanes
from labinterp import _parts as parts
from labinterp import _remembered as remembered
from labinterp._assess import assess_measured
from labinterp._book import book_for
from labinterp._measure import measure

NAMES = {
    "Ferritin": ("ug/L", "2276-4"), "25(OH)D": ("nmol/L", None), "Vitamin B12": ("pg/mL", "2132-9"), "MMA": ("umol/L", None),
    "Homocysteine": ("umol/L", None), "Magnesium": ("mmol/L", None), "CRP": ("mg/L", None), "Haemoglobin": ("g/L", None),
    "Creatinine": ("mg/dL", None), "Iron": ("umol/L", None), "TIBC": ("umol/L", None), "Transferrin saturation": ("%", None),
    "Calcium": ("mmol/L", None), "Albumin": ("g/L", None), "Potassium": ("mmol/L", None), "Serum rhubarb": ("mg/L", None),
}  # fmt: skip
NUMBERS = [
    "0.3",
    "0.45",
    "0.70",
    "0.9",
    "1.1",
    "2.4",
    "4",
    "8",
    "11",
    "13",
    "14.9",
    "15",
    "15.0",
    "22",
    "30",
    "38",
    "60",
    "110",
    "150",
    "151",
    "210",
    "500",
]
VALUES = [
    *NUMBERS * 2,
    "<4",
    ">150",
    "<=15",
    "12 L",
    "15-30",
    "see comment",
    "1,060",
    "",
    15,
    Decimal("15.0"),
    0.3,
    "15.000000000000000001",
]
RANGES: list[dict[str, Any]] = [
    {}, {}, {"ref_text": "15 - 150"}, {"ref_text": "0.7-1.0"}, {"ref_text": "<0.40"}, {"ref_text": "> 15 ug/L"}, {"ref_text": "see note"},
    {"ref_low": "15", "ref_high": "150"}, {"ref_low": Decimal("0.70"), "ref_high": Decimal("1.00")}, {"ref_low": 13, "ref_high": None},
    {"ref_low": 15.0, "ref_high": 38.5, "ref_text": "15 - 38.5"}, {"ref_high": "15"}, {"ref_low": True}, {"ref_text": "1.060 - 2"},
]  # fmt: skip


@st.composite
def result(draw: st.DrawFn) -> LabResult:
    name = draw(st.sampled_from(sorted(NAMES)))
    unit, loinc = NAMES[name]
    return LabResult(
        name, draw(st.sampled_from(VALUES)), draw(st.sampled_from([unit, unit, unit, "mg/dL", None])),
        loinc=draw(st.sampled_from([None, None, loinc, "2345-7"])), specimen=draw(st.sampled_from([None, None, "Serum", "Urine"])),
        comparator=draw(st.sampled_from([None, None, None, "", "<", "?"])), flag=draw(st.sampled_from([None, None, "", "L", "N", "H", "A", "odd"])),
        source=draw(st.sampled_from([None, 'labs.hl7, message 1, "OBX" 2'])), collected_at=draw(st.sampled_from([None, None, date(2026, 3, 1)])),
        **draw(st.sampled_from(RANGES)),
    )  # fmt: skip


PEOPLE = st.builds(
    Patient,
    id=st.sampled_from([None, "P1"]),
    sex=st.sampled_from(["female", "male", None]),
    age_years=st.sampled_from([None, 8, 34, 71]),
    pregnant=st.sampled_from([None, False, True]),
    contexts=st.sampled_from([(), (), ("ckd",), ("inflammation",), ("bone_pain",)]),
)
PANELS = st.lists(result(), max_size=6)


@cache
def warm() -> Catalog:
    """A catalog that has answered all panels of this module before."""
    return Catalog(Catalog.default().table, Catalog.default().root)


def same(results: Sequence[LabResult], patient: Patient, rows: Sequence[int] | None = None, **how: Any) -> dict[str, Any]:
    """The report as plain data, of which the JSON text is the same."""
    report = interpret(results, patient, rows=rows, **how)
    plain: dict[str, Any] = json.loads(json.dumps(report.to_dict()))
    assert json.loads(report.to_json()) == plain
    assert json.loads(report.to_json()) == plain  # from the parts that were rendered
    return plain


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(PANELS, PEOPLE, st.booleans(), st.sampled_from([None, None, ".", ","]), st.randoms(use_true_random=False))
def test_a_panel_is_answered_the_same_way_first_and_again(
    results: list[LabResult], patient: Patient, research: bool, decimal: str | None, chance: random.Random
) -> None:
    """A fresh catalog, one that answered other numbers of the same texts before, and one that answered this very panel agree."""
    rows = chance.sample(range(1, 100), len(results))
    how: dict[str, Any] = {"research": research, "decimal": decimal}
    first = same(results, patient, rows, catalog=Catalog(Catalog.default().table, Catalog.default().root), **how)
    for _ in range(2):
        interpret([one._replace(value=chance.choice(NUMBERS)) for one in results], patient, catalog=warm(), **how)
    assert same(results, patient, rows, catalog=warm(), **how) == first
    assert same(results, patient, rows, catalog=warm(), **how) == first
    other = interpret(results, patient, catalog=warm(), **how)
    assert [one.row for one in other.rows()] == list(range(1, len(results) + 1))
    behind = dict(zip(range(1, len(results) + 1), rows, strict=True))
    assert [sorted(behind[row] for row in effect.because) for effect in other.effects] == [effect["because"] for effect in first["effects"]]


@pytest.mark.parametrize("printed", [one for one in RANGES if one and one != {"ref_low": True}])
@pytest.mark.parametrize("flag", [None, "L", "N"])
def test_a_printed_range_goes_the_short_way(printed: dict[str, Any], flag: str | None) -> None:
    """On and beside the ends of a printed range and every line: what other numbers taught says what the long way says."""
    catalog, short = Catalog(Catalog.default().table, Catalog.default().root), 0
    people = [Patient(sex="female", age_years=34), Patient(sex="male", age_years=71, contexts=["inflammation"]), Patient()]
    numbers = [0.3, 0.4, 0.46, 0.7, 1.0, 13, 15, 30, 38.5, 70, 100, 150, 200]
    texts = [text for n in numbers for text in (f"{n - 0.0001:.4f}", f"{n:g}", f"{n:.1f}", f"{n:.4f}", f"{n + 0.0001:.4f}")]
    for name, patient, text in product(("Ferritin", "MMA", "Homocysteine", "Magnesium"), people, texts):
        one = LabResult(name, text, NAMES[name][0], specimen="Serum", flag=flag, source="a place", **printed)
        book = book_for(catalog, patient, None, catalog.as_of)
        read = measure(catalog, one, 7)
        assert lanes.read(catalog, one, 7, None) == read
        if isinstance(read, NotAssessed):
            continue
        found = lanes.quick(book, one, 7)
        long = assess_measured(book, read)
        assert found is None or found[0] == long
        assert lanes.answer(book, one, read, None) == long
        assert lanes.read(catalog, one, 7, None) == read
        short += found is not None
    assert short > 100


def test_results_with_a_place_are_written_from_rendered_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file's findings, printed ranges and all, and what is not assessed need no plain data on their way to text."""
    panel = [LabResult("Ferritin", "12", "ug/L", ref_text="15 - 150", flag="L", source=f'{"ö" * n}"x"\n') for n in range(3)]
    panel.append(LabResult("Rhubarb", "5", "mg/L", source="here"))
    first = interpret(panel, catalog=warm())
    first.to_json()
    plain = [json.loads(json.dumps(finding.to_dict())) for finding in first.findings]
    monkeypatch.setattr(Finding, "to_dict", lambda _: pytest.fail("plain data were made"))
    monkeypatch.setattr(NotAssessed, "to_dict", lambda _: pytest.fail("plain data were made"))
    assert json.loads(interpret(panel, catalog=warm()).to_json())["findings"] == plain


def test_hostile_texts_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times as many texts, places and people as are remembered: no memo grows beyond its bound, and no answer changes."""
    for module, name in ((lanes, "_MOST"), (lanes, "_MOST_WITH_MORE"), (parts, "MOST"), (remembered, "MOST"), (engine, "MOST_WHOLES")):
        monkeypatch.setattr(module, name, 30)
    catalog = Catalog(Catalog.default().table, Catalog.default().root)
    chance, patient = random.Random(5), Patient(sex="female", age_years=40)
    for n in range(300):
        panel = [
            LabResult(
                chance.choice(["Ferritin", "ferritin ", "FERRITIN"]) + " " * n,
                str(chance.randint(1, 200)),
                "ug/L",
                ref_text=f"{n + 1} - {n + 300}",
            ),
            LabResult("MMA", f"{chance.random():.2f}", "umol/L", specimen=f"serum {'x' * n}", flag=chance.choice("HLN")),
            LabResult(
                chance.choice(["CRP", "Iron", "B12"]), str(chance.randint(1, 40)), "mg/L", ref_text="y" * 5000 if n % 9 == 0 else None
            ),
        ]
        assert interpret(panel, patient, catalog=catalog).to_dict() == interpret(panel, patient).to_dict()
        book = book_for(catalog, patient, None, catalog.as_of)
        sizes = [len(catalog.learned[name]) for name in ("readings", "lanes", "parts", "meanings")]
        assert max(*sizes, len(book.lanes), len(book.wholes), len(book.shown)) <= 30
    assert all(len(text) <= 200 for key in catalog.learned["readings"] for text in key if isinstance(text, str))


def test_threads_share_what_was_learned() -> None:
    """Many threads on a fresh catalog say what one says alone."""
    chance = random.Random(11)
    panels = [
        [LabResult(name, chance.choice(NUMBERS), NAMES[name][0], source=f"row {n}", **chance.choice(RANGES)) for name in chance.sample(sorted(NAMES), 5)]
        for n in range(60)
    ]  # fmt: skip
    alone = [interpret(panel).to_json() for panel in panels]
    catalog = Catalog(Catalog.default().table, Catalog.default().root)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda panel: interpret(panel, catalog=catalog).to_json(), panels * 3)) == alone * 3
