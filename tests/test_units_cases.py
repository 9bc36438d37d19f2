"""tests/cases/units.toml: each unit text reads as the UCUM code beside it, or is refused for the reason beside it."""

import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from labinterp import Catalog, LabResult, NotAssessed
from labinterp._measure import Measured, measure
from labinterp._units import Physics

CASES: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "cases" / "units.toml").read_text("utf-8"))["unit"]
REASONS = {"unknown_unit", "incompatible_unit"}


def test_every_case_says_one_thing() -> None:
    texts = [case["text"] for case in CASES]
    assert [t for t in texts if texts.count(t) > 1] == []
    assert [case for case in CASES if set(case) - {"text", "ucum", "reason", "why"} or ("ucum" in case) == ("reason" in case)] == []
    assert {case["reason"] for case in CASES if "reason" in case} == REASONS
    assert {case["ucum"] for case in CASES if "ucum" in case} <= set(Catalog.default().units.kinds)


@pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case["text"]))
def test_unit_text(case: dict[str, Any]) -> None:
    units = Catalog.default().units
    code = units.read(case["text"])
    if "ucum" in case:
        assert code == case["ucum"]
        assert code not in units.refused
    elif case["reason"] == "unknown_unit":
        assert code is None
    else:
        assert code in units.refused


@pytest.mark.parametrize("case", [case for case in CASES if "reason" in case], ids=lambda case: repr(case["text"]))
def test_a_refused_unit_never_lets_a_result_through(case: dict[str, Any]) -> None:
    for analyte in Catalog.default().analytes.values():
        answer = measure(Catalog.default(), LabResult(analyte.name, "5", case["text"]), 1)
        assert isinstance(answer, NotAssessed), f"{analyte.id} took {case['text']!r}"
        assert answer.reason in REASONS | {"missing_unit"}
        assert answer.message


@pytest.mark.parametrize("case", [case for case in CASES if "ucum" in case], ids=lambda case: repr(case["text"]))
def test_a_unit_is_read_alike_behind_the_number_and_in_its_column(case: dict[str, Any]) -> None:
    """Text in the unit column or behind the number: the same unit of the analyte, or the same reason why it is none."""
    catalog = Catalog.default()
    for analyte in ("vitamin_d", "ferritin", "magnesium", "crp", "egfr"):
        name = catalog.analytes[analyte].name
        apart = measure(catalog, LabResult(name, "20", case["text"]), 1)
        if isinstance(apart, Measured):
            assert (apart.analyte, apart.quantity.unit) == (analyte, case["ucum"])
        else:
            assert apart.reason in {"incompatible_unit", "implausible"}
        if case["text"][:1].isalpha() and not case["text"].startswith("x10"):  # "20 x10^9/L" is a power of ten
            together = measure(catalog, LabResult(name, f"20 {case['text']}"), 1)
            assert type(together) is type(apart)
            assert getattr(together, "quantity", None) == getattr(apart, "quantity", None)
            assert getattr(together, "reason", None) == getattr(apart, "reason", None)


def test_factors_of_threads_that_compile_at_once_are_their_own() -> None:
    """A nanogram of what weighs M grams a mole is 1/M nanomoles; the molar mass that one thread gives is nobody else's, nor that of the question before."""
    names, kinds = {"ng": "nanogram", "nmol": "nanomole"}, {"ng": "mass", "nmol": "substance"}
    masses = [Decimal(mass) for mass in ("400.64", "1355.37", "24.305")]

    def asked(mass: Decimal) -> list[bool]:
        physics = Physics(names, kinds)
        turns = (mass, mass, *masses)
        return [physics.factor("ng", "nmol", one) == 1 / Fraction(one) for _ in range(20) for one in turns]

    assert all(asked(masses[0]))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(3) as pool:
            assert all(all(right) for right in pool.map(asked, masses))
    finally:
        sys.setswitchinterval(interval)
