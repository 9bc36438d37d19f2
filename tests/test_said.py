"""What is said of a report as a whole: effects merged, nothing twice, what patterns say in place of single results, and when nothing is said."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import polars as pl
import pytest
from tests import small

from labinterp import Catalog, LabResult, Patient, Report, interpret
from labinterp._compile import compile_table
from labinterp.dataframes import panel_frame

MAN = Patient(sex="male", age_years=50)


def link(condition: str, effect: str, when: str, relation: str = "contributes_to", certainty: str = "moderate", more: str = "") -> str:
    return f"""
[[links]]
id = "{condition}/{effect.replace("_", "-")}"
when = {when}
effect = "{effect}"
relation = "{relation}"
certainty = "{certainty}"
evidence = ["rct"]
treatment = {{ effect = "improves" }}
reversibility = "Good."
{more}
cite = {small.CITE.replace("made for a test", f"{condition} and {effect}")}
"""


def condition(id: str, *links: str) -> str:
    head = f'schema = 1\nid = "{id}"\nname = "{id.replace("_", " ")}"\nabout = "Made for a test."\nnext_step = "Repeat."\ncite = {small.CITE}\n'
    return head + "".join(links)


LOW_IRON, LOW_CALCIUM = '{ analyte = "iron", codes = ["L"] }', '{ analyte = "adjusted_calcium", codes = ["L"] }'
VERY_LOW_IRON = '{ analyte = "iron", span = { unit = "umol/L", below = 5 } }'
CONDITIONS = (
    condition(
        "short_of_iron",
        link("short_of_iron", "fatigue", LOW_IRON, certainty="low"),
        link("short_of_iron", "muscle_weakness", LOW_IRON, more='recovery = "Weeks."'),
        link("short_of_iron", "exercise_intolerance", '{ pattern = "both" }', certainty="low"),
    ),
    condition(
        "short_of_calcium",
        link("short_of_calcium", "fatigue", LOW_CALCIUM, "causes", "high"),
        link("short_of_calcium", "muscle_cramp", LOW_CALCIUM, "causes", "low"),
    ),
)
PATTERNS = (
    f"""
schema = 1
id = "both"
name = "Both low"
order = 10
about = "Made for a test."
inputs = ["iron", "adjusted_calcium"]
replaces = ["short_of_calcium"]
cite = {small.CITE}
[[outcomes]]
certainty = "likely"
when = {{ all_of = [{LOW_IRON}, {LOW_CALCIUM}] }}
text = "Both are low."
[[outcomes]]
certainty = "not_supported"
when = {VERY_LOW_IRON}
text = "Nothing."
replaces = ["short_of_iron/fatigue"]
""",
)


@cache
def catalog(replacing: bool = True) -> Catalog:
    patterns = PATTERNS if replacing else tuple(p.replace('replaces = ["short_of_calcium"]\n', "").replace('replaces = ["short_of_iron/fatigue"]\n', "") for p in PATTERNS)  # fmt: skip
    return Catalog(compile_table(small.files(conditions=CONDITIONS, patterns=patterns), f"said {replacing}"))


def read(replacing: bool, patient: Patient = MAN, research: bool = False, **results: str) -> Report:
    names = {"iron": "Iron", "calcium": "Adjusted calcium", "albumin": "Albumin"}
    units = {"iron": "umol/L", "calcium": "mmol/L", "albumin": "g/L"}
    panel = {names[name]: f"{value} {units[name]}" for name, value in results.items()}
    return interpret(panel, patient, catalog=catalog(replacing), research=research)


def said(report: Report) -> list[tuple[str, str, str, tuple[str, ...], tuple[int, ...]]]:
    return [(e.id, e.relation, e.certainty, e.conditions, e.because) for e in report.effects]


def test_effects_are_merged_and_the_strongest_speaks() -> None:
    """One entry for each effect: strongest relation and certainty first, every condition, row and source named once."""
    report = read(False, iron="8", calcium="2.1")
    assert said(report) == [
        ("fatigue", "causes", "high", ("short_of_calcium", "short_of_iron"), (1, 2)),
        ("muscle_cramp", "causes", "low", ("short_of_calcium",), (2,)),
        ("muscle_weakness", "contributes_to", "moderate", ("short_of_iron",), (1,)),
        ("exercise_intolerance", "contributes_to", "low", ("short_of_iron",), (1, 2)),
    ]
    fatigue = report.effects[0]
    assert [cite["locator"] for cite in fatigue.citations] == ["short_of_calcium and fatigue", "short_of_iron and fatigue"]
    assert fatigue.text.startswith("In this range, short of calcium can cause ")
    assert [advice.condition for advice in report.advice] == ["short_of_iron", "short_of_calcium"]
    assert report.effects[2].recovery == "Weeks."


def test_a_pattern_speaks_in_place_of_single_results() -> None:
    """The conditions it replaces give neither effect nor advice; a link that rests on a pattern stays."""
    report = read(True, iron="8", calcium="2.1")
    assert [(e.id, e.conditions) for e in report.effects] == [
        ("muscle_weakness", ("short_of_iron",)), ("fatigue", ("short_of_iron",)), ("exercise_intolerance", ("short_of_iron",)),
    ]  # fmt: skip
    assert [advice.condition for advice in report.advice] == ["short_of_iron"]
    # without the pattern the single result speaks for itself
    assert [e.id for e in read(True, calcium="2.1", iron="20", research=True).effects] == ["fatigue", "muscle_cramp"]


def test_one_outcome_may_replace_single_links() -> None:
    """Also where it says that the pattern is not supported; other links of the condition stay."""
    assert [e.id for e in read(True, iron="4", research=True).effects] == ["muscle_weakness"]
    assert [e.id for e in read(True, iron="6", research=True).effects] == ["muscle_weakness", "fatigue"]


def test_a_single_mild_value_says_only_what_is_firm() -> None:
    report = read(True, iron="8")
    assert [e.id for e in report.effects] == ["muscle_weakness"]
    assert len(report.notes) == 1
    assert "worth repeating" in report.notes[0]
    asked = read(True, iron="8", research=True)
    assert [e.id for e in asked.effects] == ["muscle_weakness", "fatigue"]
    assert asked.notes == ()
    assert [e.id for e in read(True, Patient(sex="male", age_years=50, contexts=["neurological_symptoms"]), iron="8").effects] == ["muscle_weakness", "fatigue"]  # fmt: skip
    # the other value out need not be linked to anything
    assert [e.id for e in read(True, iron="8", albumin="30").effects] == ["muscle_weakness", "fatigue"]


def test_what_is_remembered_knows_what_was_asked() -> None:
    """The same panel, with and without research links, in turn."""
    for _ in range(3):
        assert [e.id for e in read(True, iron="8").effects] == ["muscle_weakness"]
        assert [e.id for e in read(True, iron="8", research=True).effects] == ["muscle_weakness", "fatigue"]


def test_what_was_computed_is_no_second_value() -> None:
    """A saturation that is low because iron is low counts once."""
    panel = {"Iron": "8 umol/L", "TIBC": "60 umol/L"}
    report = interpret(panel, MAN, catalog=catalog())
    assert [f.code for f in report.derived] == ["L"]
    assert [e.id for e in report.effects] == ["muscle_weakness"]


def test_a_normal_panel_says_nothing_of_muscle() -> None:
    report = read(True, iron="20", calcium="2.4", albumin="42", research=True)
    assert (report.effects, report.advice, report.patterns, report.alerts, report.notes) == ((), (), (), (), ())


@pytest.mark.parametrize("replacing", [True, False])
@pytest.mark.parametrize("research", [True, False])
def test_frames_say_the_same(replacing: bool, research: bool) -> None:
    """Every combination of values, circumstances and repeats."""
    records: list[dict[str, Any]] = []
    panels = list(product((None, "4", "8", "20"), (None, "2.1", "2.4"), (None, "30", "42"), (None, "neurological_symptoms"), (False, True)))
    names = (("Iron", "umol/L"), ("Adjusted calcium", "mmol/L"), ("Albumin", "g/L"))
    for n, (*values, context, twice) in enumerate(panels):
        rows = [(name, value, unit) for (name, unit), value in zip(names, values, strict=True) if value]
        for name, value, unit in rows + (rows[:1] if twice else []):
            records.append(
                {"patient_id": str(n), "test": name, "value": value, "unit": unit, "sex": "M", "age_years": "50", "context": context}
            )
    made = panel_frame(pl.DataFrame(records), by="patient_id", catalog=catalog(replacing), research=research)
    got = made.filter(pl.col("li_kind") == "effect").select("patient_id", "li_id", "li_relation", "li_certainty", "li_text").rows()
    want = []
    for n, (*values, context, twice) in enumerate(panels):
        rows = [LabResult(name, value, unit) for (name, unit), value in zip(names, values, strict=True) if value]
        patient = Patient(sex="male", age_years=50, contexts=[context] if context else [])
        report = interpret(rows + (rows[:1] if twice else []), patient, catalog=catalog(replacing), research=research)
        want += [(str(n), e.id, e.relation, e.certainty, e.text) for e in report.effects]
    assert got == want
    assert len(want) > 100
