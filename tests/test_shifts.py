"""Lines that move in declared circumstances: by the printed amount, in every unit, in single values and in frames."""

from __future__ import annotations

import json
import pickle
from functools import cache
from itertools import product
from math import inf, nextafter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests import small

from labinterp import Catalog, Finding, NotAssessed, Patient, assess, interpret
from labinterp._check_limits import check_limits
from labinterp._compile import compile_table
from labinterp.dataframes import interpret_frame, panel_frame

# An invented haemoglobin of adults, g/L, with its printed pairs in g/dL and no molar mass: WHO's form, nobody's figures.
HB = f"""
schema = 1
id = "blood_pigment"
name = "Blood pigment"
about = "Made for a test."
default = "blood_pigment/made-up"
[identity]
specimens = ["whole_blood"]
[identity.names]
en = ["Blood pigment"]
[units]
si = "g/L"
usual = ["g/L", "g/dL", "mmol/L"]
moiety = {{ reported_as = "one monomer", molar_mass = 16114.5 }}
plausible = {{ unit = "g/L", at_least = 10, at_most = 280 }}
ordinary = {{ unit = "g/L", at_least = 40, at_most = 220 }}
[[limits]]
id = "blood_pigment/made-up"
authority = "kdigo"
kind = "decision_limit"
purpose = "clinical"
unit = "g/L"
also_in = {{ "g/dL" = [[80, 8.0], [120, 12.0], [130, 13.0]] }}
printed = "<80; 80-119; >=120"
cite = {small.CITE}
[[limits.populations]]
who = "women"
sex = "female"
pregnant = "any"
bands = [
  {{ key = "severe", code = "LU", below = 80, label = "severe" }},
  {{ key = "low", code = "L", at_least = 80, below = 120, label = "low" }},
  {{ key = "normal", code = "N", at_least = 120, label = "normal" }},
]
[[limits.populations]]
who = "men"
sex = "male"
pregnant = "any"
bands = [
  {{ key = "severe", code = "LU", below = 80, label = "severe" }},
  {{ key = "low", code = "L", at_least = 80, below = 130, label = "low" }},
  {{ key = "normal", code = "N", at_least = 130, label = "normal" }},
]
[[limits.shifts]]
requires = ["altitude_1000_1499"]
add = 8
cite = {small.CITE}
[[limits.shifts]]
requires = ["altitude_3500_3999"]
add = 25
cite = {small.CITE}
[[limits.shifts]]
requires = ["smoking_under_10"]
add = 3
cite = {small.CITE}
[[limits.shifts]]
requires = ["smoking"]
add = 3
cite = {small.CITE}
[[limits.shifts]]
requires = ["iron_treatment", "restless_legs"]
add = -2.5
cite = {small.CITE}
"""
PATTERN = f"""
schema = 1
id = "pale"
name = "Pale"
order = 10
about = "Made for a test."
inputs = ["blood_pigment"]
cite = {small.CITE}
[[outcomes]]
certainty = "likely"
when = {{ limits = "blood_pigment/made-up", bands = ["severe", "low"] }}
text = "Low."
"""
MOVES: dict[tuple[str, ...], float] = {
    (): 0, ("altitude_1000_1499",): 8, ("altitude_3500_3999",): 25, ("smoking_under_10",): 3, ("altitude_1000_1499", "smoking"): 11,
    ("iron_treatment",): 0, ("iron_treatment", "restless_legs"): -2.5, ("smoking_under_10", "iron_treatment", "restless_legs"): 0.5,
    ("altitude_500_999",): 0,
}  # fmt: skip
TWO = ("altitude_1000_1499", "altitude_3500_3999")


@cache
def catalog() -> Catalog:
    return Catalog(compile_table(small.files(HB, patterns=(PATTERN,), conditions=()), "shifts"))


def one(value: str, contexts: tuple[str, ...], sex: str | None = "female", unit: str = "g/L") -> Finding | NotAssessed:
    return assess({"Blood pigment": f"{value} {unit}"}, Patient(sex=sex, age_years=40, contexts=contexts), catalog=catalog())


@pytest.mark.parametrize("contexts", list(MOVES))
def test_the_line_moves_by_the_printed_amount(contexts: tuple[str, ...]) -> None:
    """On the moved line, one step under and over it, in each unit; several circumstances add up, one that is not complete adds nothing."""
    for line, below, above in ((80, "severe", "low"), (120, "low", "normal")):
        moved = line + MOVES[contexts]
        for value, band in ((moved - 0.1, below), (moved, above), (moved + 0.1, above)):
            assert one(f"{value:.1f}", contexts).band == band
            assert one(f"{value / 10:.2f}", contexts, unit="g/dL").band == band
        for value, band in ((moved / 16.1145 - 0.001, below), (moved / 16.1145 + 0.001, above)):
            assert one(f"{value:.4f}", contexts, unit="mmol/L").band == band
    assert one("130", contexts, "male").band == ("normal" if MOVES[contexts] <= 0 else "low")


def test_the_number_is_not_moved_and_the_move_is_told() -> None:
    """Trace, caveats and citations say so; the reported number stays, and it is near the moved line."""
    finding = one("127.9", ("altitude_1000_1499",))
    assert isinstance(finding, Finding)
    assert (str(finding.quantity), finding.band, finding.limits) == ("127.9 g/L", "low", "blood_pigment/made-up")
    (caveat,) = finding.caveats
    assert caveat["id"] == "blood_pigment/made-up/altitude_1000_1499"
    assert caveat["text"] == (
        "Every line of blood_pigment/made-up was moved up by 8 g/L: living at 1000 to 1499 m above sea level. The reported number was not changed."
    )
    assert caveat["citations"] == finding.citations[1:]
    steps = {step["step"]: step["text"] for step in finding.trace()}
    assert steps["moved"] == caveat["text"]
    assert steps["lines"].startswith("In g/L: severe <88, low 88 to <128, normal ≥128.")
    plain = one("127.9", ())
    assert isinstance(plain, Finding)
    assert (plain.caveats, "moved" in {step["step"] for step in plain.trace()}) == ([], False)
    down = one("127.9", ("iron_treatment", "restless_legs"))
    assert isinstance(down, Finding)
    assert "moved down by 2.5 g/L: treatment with iron and restless legs" in down.caveats[0]["text"]


def test_near_limit_and_json_know_the_moved_line() -> None:
    """People with the same number in other circumstances do not share what was rendered."""
    for contexts, near in (((), False), (("altitude_1000_1499",), True), (("smoking",), False), (("altitude_1000_1499", "smoking"), False)):
        for _ in range(2):
            report = interpret({"Blood pigment": "128 g/L"}, Patient(sex="female", age_years=40, contexts=contexts), catalog=catalog())
            assert report.findings[0].near_limit is near
            assert json.loads(report.to_json()) == json.loads(json.dumps(report.to_dict()))
    finding = one("127.9", ("smoking",))
    assert pickle.loads(pickle.dumps(finding)) == finding


def test_two_altitudes_at_once_are_not_assessed() -> None:
    """Nothing is guessed; the message names both. Other results are not touched."""
    answer = one("125", TWO)
    assert isinstance(answer, NotAssessed)
    assert answer.reason == "no_limit_for_population"
    assert answer.message == (
        "The lines of blood_pigment/made-up move with living at 1000 to 1499 m above sea level and with living at 3500 to 3999 m above sea level, "
        "and only one of them can be true. Declare one."
    )
    assert isinstance(one("125", ("smoking", "smoking_10_19")), NotAssessed)
    # also where one of the two moves nothing in this set
    assert isinstance(one("125", ("altitude_500_999", "altitude_1000_1499")), NotAssessed)
    both = Patient(sex="female", age_years=40, contexts=TWO)
    report = interpret({"Blood pigment": "125 g/L", "ferritin": "10 ug/L"}, both, catalog=catalog())
    assert report.finding("ferritin") is not None
    assert report.patterns == ()


def test_a_pattern_asks_the_moved_line() -> None:
    for contexts, found in (((), 0), (("altitude_1000_1499",), 1), (TWO, 0)):
        for _ in range(2):
            patient = Patient(sex="female", age_years=40, contexts=contexts)
            assert len(interpret({"Blood pigment": "125 g/L"}, patient, catalog=catalog()).patterns) == found


def rows() -> list[dict[str, Any]]:
    """Values on every moved line and beside it, for each circumstance, sex and unit."""
    made = []
    for contexts, sex, unit in product([*MOVES, TWO], ("F", "M", None), ("g/L", "g/dL", "mmol/L")):
        limits = catalog().limit_set("blood_pigment/made-up").moved(frozenset(contexts))
        for line in sorted({edge for at in (0, 1) for edge in limits.edges_in(at, unit)}):
            for value in (repr(line), repr(nextafter(line, -inf)), repr(nextafter(line, inf)), f"<{line!r}", f">{line!r}"):
                made.append({"test": "Blood pigment", "value": value, "unit": unit, "sex": sex, "age_years": "40", "context": ";".join(contexts)})  # fmt: skip
    return made


@pytest.mark.parametrize("lane", ["local", "engine"])
def test_frames_answer_as_single_values(lane: str) -> None:
    records = rows()
    got = interpret_frame(pl.DataFrame(records), catalog=catalog(), lane=lane).select("li_code", "li_band", "li_reason").rows()
    for row, answer in zip(records, got, strict=True):
        contexts = tuple(c for c in row["context"].split(";") if c)
        single = assess({"Blood pigment": f"{row['value']} {row['unit']}"}, Patient(sex={"F": "female", "M": "male"}.get(row["sex"]), age_years=40, contexts=contexts), catalog=catalog())  # fmt: skip
        want = (single.code, single.band, None) if isinstance(single, Finding) else (None, None, single.reason)
        assert answer == want, row
    assert {answer[2] for answer in got} == {None, "sex_unknown", "no_limit_for_population"}


def test_draws_in_frames_see_the_moved_line() -> None:
    records = [{**row, "patient_id": str(n), "collected_at": "2026-03-01"} for n, row in enumerate(rows())]
    said = panel_frame(pl.DataFrame(records), catalog=catalog()).filter(pl.col("li_kind") == "pattern")["patient_id"].to_list()
    want = []
    for row in records:
        contexts = tuple(c for c in row["context"].split(";") if c)
        patient = Patient(sex={"F": "female", "M": "male"}.get(row["sex"]), age_years=40, contexts=contexts)
        if interpret({"Blood pigment": f"{row['value']} {row['unit']}"}, patient, catalog=catalog()).patterns:
            want.append(row["patient_id"])
    assert said == want
    assert 100 < len(want) < len(records)


def test_a_site_may_move_its_own_lines(tmp_path: Path) -> None:
    """The form is that of every limit set."""
    path = tmp_path / "ferritin.toml"
    path.write_text(
        f"""
schema = 1
extends = "ferritin"
default = "ferritin/high-up"
[[limits]]
id = "ferritin/high-up"
authority = "kdigo"
kind = "decision_limit"
purpose = "laboratory"
unit = "ug/L"
printed = "<20"
cite = {small.CITE}
[[limits.populations]]
who = "everybody"
pregnant = "any"
bands = [{{ key = "low", code = "L", below = 20, label = "low" }}, {{ key = "fine", code = "N", at_least = 20, label = "fine" }}]
[[limits.shifts]]
requires = ["altitude_4500_4999"]
add = 5
cite = {small.CITE}
""",
        "utf-8",
    )
    ours = Catalog.default().with_files(path)
    man = Patient(sex="male", age_years=40)
    assert assess({"ferritin": "24 ug/L"}, man, catalog=ours).band == "fine"
    assert assess({"ferritin": "24 ug/L"}, man.with_contexts(["altitude_4500_4999"]), catalog=ours).band == "low"


@pytest.mark.parametrize(
    ("old", "new", "place", "text"),
    [
        ("add = 8\n", "add = 0\n", "limits 'blood_pigment/made-up' > shifts altitude_1000_1499", "it moves nothing"),
        ("add = 8\n", "add = -80\n", "limits 'blood_pigment/made-up' > shifts altitude_1000_1499", "moves the line 80 to zero or below"),
        ('requires = ["altitude_3500_3999"]', 'requires = ["altitude_1000_1499"]', "limits 'blood_pigment/made-up' > shifts altitude_1000_1499", "already move the lines"),
        (f"add = 8\ncite = {small.CITE}", "add = 8\ncite = []", "limits 'blood_pigment/made-up' > shifts altitude_1000_1499", "no citation"),
    ],
)  # fmt: skip
def test_a_slip_in_a_shift_is_told(old: str, new: str, place: str, text: str) -> None:
    assert not list(check_limits(small.files(HB)))
    told = [str(problem) for problem in check_limits(small.files(HB.replace(old, new, 1)))]
    assert [one for one in told if place in one and text in one], told
