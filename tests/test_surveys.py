"""NHANES 2003-2008: one blood in two units as CDC wrote it, and saturations that CDC computed itself.

The raw files lie beside the project (`../shared`) and are not part of it; without them these tests are skipped.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from functools import cache
from typing import NamedTuple

import pytest
from tests.test_real_data import SHARED, catalog, needs_shared, nhanes, rows_of

from labinterp import Finding, LabResult, Patient, assess, convert, interpret


class Pair(NamedTuple):
    """Two columns of CDC for one analyte. CDC multiplied by `factor` and rounded to `digit`."""

    analyte: str
    files: tuple[str, ...]
    column: str
    unit: str
    si_column: str
    si_unit: str
    factor: str
    digit: str
    pairs: int


STANDARD, FERRITIN = ("nhanes-2003-2004/L40_C.XPT",), ("nhanes-2005-2008-iron/FERTIN_D.XPT", "nhanes-2005-2008-iron/FERTIN_E.XPT")
PAIRS = (
    Pair("calcium", STANDARD, "LBXSCA", "mg/dL", "LBDSCASI", "mmol/L", "0.25", "0.001", 6492),
    Pair("phosphate", STANDARD, "LBXSPH", "mg/dL", "LBDSPHSI", "mmol/L", "0.323", "0.001", 6491),
    Pair("creatinine", STANDARD, "LBXSCR", "mg/dL", "LBDSCRSI", "umol/L", "88.4", "0.01", 6492),
    Pair("albumin", STANDARD, "LBXSAL", "g/dL", "LBDSALSI", "g/L", "10", "1", 6492),
    Pair("iron", STANDARD, "LBXSIR", "ug/dL", "LBDSIRSI", "umol/L", "0.1791", "0.1", 6486),
    Pair("ferritin", FERRITIN, "LBXFER", "ng/mL", "LBDFERSI", "ug/L", "1", "1", 5522),
)
IDS = [pair.analyte for pair in PAIRS]
ALL_PAIRS = sum(pair.pairs for pair in PAIRS)


@cache
def values(pair: Pair) -> Counter[tuple[Decimal, Decimal]]:
    """Value and SI value of everybody who has both."""
    plain, found = nhanes().plain, Counter[tuple[Decimal, Decimal]]()
    for file in pair.files:
        for row in nhanes().read_xpt(SHARED / file):
            if row[pair.column] is not None and row[pair.si_column] is not None:
                found[Decimal(plain(row[pair.column])), Decimal(plain(row[pair.si_column]))] += 1
    return found


@needs_shared(f"{ALL_PAIRS:,} pairs of units")
@pytest.mark.parametrize("pair", PAIRS, ids=IDS)
def test_every_pair(pair: Pair) -> None:
    """Our conversion is CDC's within its own rounding and the last digits of its factor (CDC takes a calcium of 40 g/mol)."""
    factor = catalog().factor(pair.analyte, pair.unit, pair.si_unit)
    assert factor is not None
    ours, theirs = Decimal(factor.numerator) / Decimal(factor.denominator), Decimal(pair.factor)
    assert abs(ours / theirs - 1) < Decimal("0.0025"), f"our factor {ours} is not CDC's {theirs}"
    assert values(pair).total() == pair.pairs
    wrong = []
    for value, si in values(pair):
        quantity = convert(f"{value} {pair.unit}", pair.si_unit, analyte=pair.analyte)
        if abs(quantity.value - si) > Decimal(pair.digit) + value * abs(ours - theirs):
            wrong.append(f"{value} {pair.unit} is {quantity.value} {pair.si_unit}, CDC has {si}")
    assert wrong == []


# Values whose band depends on the unit, because CDC's factor or rounding carries them over a line that the source prints in one unit only:
# 8.4 mg/dL of calcium is 2.096 mmol/L by the molar mass and 2.1 by CDC's factor (the Australasian line is 2.10 mmol/L); an iron of 145 or
# 150 ug/dL, the upper lines for women and men, is 25.96 or 26.86 umol/L and was rounded up to 26 and 26.9.
MOVED = {("calcium", Decimal("8.4")), ("iron", Decimal(145)), ("iron", Decimal(150))}
ADULTS = (Patient(sex="female", age_years=40, pregnant=False), Patient(sex="male", age_years=40))


def band(analyte: str, value: Decimal, unit: str, person: Patient) -> str:
    """The band by the default limits, or the reason why there is none; CDC writes a decimal point."""
    answer = assess(LabResult(catalog().analytes[analyte].name, str(value), unit), person, decimal=".")
    return str(answer.band if isinstance(answer, Finding) else answer.reason)


@needs_shared(f"the bands of {ALL_PAIRS:,} pairs of units")
@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair.analyte != "creatinine"], ids=[i for i in IDS if i != "creatinine"])
def test_the_same_blood_has_the_same_band_in_both_units(pair: Pair) -> None:
    """Only a value that CDC's own rounding carries over a line may change its band, and each is within that rounding of a line."""
    moved = {
        (pair.analyte, value)
        for value, si in values(pair)
        for person in ADULTS
        if band(pair.analyte, value, pair.unit, person) != band(pair.analyte, si, pair.si_unit, person)
    }
    assert moved == {one for one in MOVED if one[0] == pair.analyte}


@needs_shared("1,134 women with iron, TIBC and the saturation that CDC computed")
def test_a_computed_saturation_is_that_of_cdc() -> None:
    """Iron over TIBC, to one decimal; measured values of the same draw are left alone."""
    rows = rows_of(SHARED / "nhanes-2005-2008-iron" / "women_18_45_2005_2006_iron_hb.csv")
    assert len(rows) == 1134
    for row in rows:
        results = {"iron": f"{row['LBXIRN']} ug/dL", "TIBC": f"{row['LBXTIB']} ug/dL"}
        woman = Patient(sex="female", age_years=int(row["RIDAGEYR"]), pregnant=False)
        (found,) = [f for f in interpret(results, woman).derived if f.analyte == "transferrin_saturation"]
        assert abs(found.quantity.value - Decimal(row["LBDPCT"])) <= Decimal("0.1"), row
        assert found.derived_from is not None
        assert found.derived_from.rows == (1, 2)
    measured = [LabResult("TSAT", "30", "%"), LabResult("iron", "52", "ug/dL"), LabResult("TIBC", "310", "ug/dL")]
    assert not [f for f in interpret(measured, ADULTS[0]).derived if f.analyte == "transferrin_saturation"]
