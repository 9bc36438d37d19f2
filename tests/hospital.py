"""Look-alikes of exports of hospital laboratories, made here: results with the flag a laboratory would print from its own range.

The flag is worked out with the numbers the range is made of, never from its text, and never by the library.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import NamedTuple


class Test(NamedTuple):
    """A test as laboratories print it: its name, unit, usual range; the id of the catalog, or "" where it is not there."""

    name: str
    unit: str
    low: str
    high: str
    analyte: str


IN_CATALOG = [
    Test("Ferritin", "ng/mL", "15", "150", "ferritin"),
    Test("Ferritin", "ug/L", "30", "400", "ferritin"),
    Test("Vitamin B12", "pg/mL", "232", "1245", "vitamin_b12"),
    Test("Vitamin B12", "pmol/L", "145", "637", "vitamin_b12"),
    Test("Folate", "ng/mL", "4.6", "18.7", "folate"),
    Test("25-OH Vitamin D", "ng/mL", "30", "100", "vitamin_d"),
    Test("25-OH Vitamin D", "nmol/L", "50", "125", "vitamin_d"),
    Test("Magnesium", "mg/dL", "1.6", "2.6", "magnesium"),
    Test("Magnesium", "mmol/L", "0.66", "1.07", "magnesium"),
    Test("Calcium, Total", "mg/dL", "8.4", "10.3", "calcium"),
    Test("Calcium", "mmol/L", "2.15", "2.55", "calcium"),
    Test("Phosphate", "mg/dL", "2.7", "4.5", "phosphate"),
    Test("Potassium", "mEq/L", "3.3", "5.1", "potassium"),
    Test("Potassium", "mmol/L", "3.5", "5.0", "potassium"),
    Test("Albumin", "g/dL", "3.5", "5.2", "albumin"),
    Test("Albumin", "g/L", "35", "52", "albumin"),
    Test("Hemoglobin", "g/dL", "12.0", "16.0", "hemoglobin"),
    Test("MCV", "fL", "82", "98", "mcv"),
    Test("Creatinine", "mg/dL", "0.5", "1.2", "creatinine"),
    Test("Creatinine", "umol/L", "44", "106", "creatinine"),
    Test("C-Reactive Protein", "mg/L", "0.0", "5.0", "crp"),
    Test("Alkaline Phosphatase", "IU/L", "40", "130", "alkaline_phosphatase"),
    Test("Creatine Kinase (CK)", "IU/L", "47", "322", "creatine_kinase"),
    Test("Thyroid Stimulating Hormone", "uIU/mL", "0.27", "4.2", "tsh"),
    Test("Parathyroid Hormone", "pg/mL", "15", "65", "pth"),
    Test("Homocysteine", "umol/L", "5.1", "13.9", "homocysteine"),
    Test("Iron", "ug/dL", "30", "160", "iron"),
    Test("Transferrin", "mg/dL", "200", "360", "transferrin"),
    Test("Cholesterol, Total", "mg/dL", "100", "199", "cholesterol"),
    Test("Triglycerides", "mg/dL", "10", "149", "triglycerides"),
]
ELSEWHERE = [
    Test("Sodium", "mEq/L", "133", "145", ""),
    Test("Chloride", "mmol/L", "96", "108", ""),
    Test("Glucose", "mg/dL", "70", "105", ""),
    Test("White Blood Cells", "K/uL", "4.0", "11.0", ""),
    Test("Platelet Count", "K/uL", "150", "440", ""),
    Test("Red Blood Cells", "m/uL", "4.2", "5.4", ""),
    Test("Bicarbonate", "mEq/L", "22", "32", ""),
    Test("Base Excess", "mEq/L", "-2", "3", ""),
    Test("INR(PT)", "", "0.9", "1.1", ""),
    Test("pH", "units", "7.35", "7.45", ""),
    Test("Lactate Dehydrogenase (LD)", "IU/L", "94", "250", ""),
    Test("Troponin T", "ng/mL", "0", "0.01", ""),
    Test("Zonulin", "ng/ml", "20", "48", ""),
    Test("Factor VIII", "%", "50", "150", ""),
    Test("Lipoprotein (a)", "nmol/L", "0", "75", ""),
    Test("Eosinophils", "%", "0", "6", ""),
]


class Printed(NamedTuple):
    """A result as printed, and what the laboratory's range says of it; `code` is "" where the range is none."""

    test: Test
    sign: str
    value: str
    low: str
    high: str
    text: str
    code: str


# A form: how a range is printed, which ends it has, and whether they belong to it.
FORMS: dict[str, tuple[Callable[[str, str], tuple[str, str, str]], bool, bool, bool, bool]] = {
    "two columns": (lambda low, high: (low, high, ""), True, True, True, True),
    "dash": (lambda low, high: ("", "", f"{low}-{high}"), True, True, True, True),
    "dash and spaces": (lambda low, high: ("", "", f"{low} - {high}"), True, True, True, True),
    "en dash": (lambda low, high: ("", "", f"{low}–{high}"), True, True, True, True),
    "brackets": (lambda low, high: ("", "", f"[{low} - {high}]"), True, True, True, True),
    "parentheses": (lambda low, high: ("", "", f"({low}-{high})"), True, True, True, True),
    "word": (lambda low, high: ("", "", f"{low} to {high}"), True, True, True, True),
    "less": (lambda low, high: ("", "", f"<{high}"), False, True, True, False),
    "less, space": (lambda low, high: ("", "", f"< {high}"), False, True, True, False),
    "at most": (lambda low, high: ("", "", f"<={high}"), False, True, True, True),
    "sign": (lambda low, high: ("", "", f"≤ {high}"), False, True, True, True),
    "up to": (lambda low, high: ("", "", f"up to {high}"), False, True, True, True),
    "bis": (lambda low, high: ("", "", f"bis {high}"), False, True, True, True),
    "more": (lambda low, high: ("", "", f">{low}"), True, False, False, True),
    "at least": (lambda low, high: ("", "", f">={low}"), True, False, True, True),
    "only a low end": (lambda low, high: (low, "", ""), True, False, True, True),
    "only a high end": (lambda low, high: ("", high, ""), False, True, True, True),
    "columns and text": (lambda low, high: (low, high, f"{low}-{high}"), True, True, True, True),
    "none": (lambda low, high: ("", "", ""), False, False, True, True),
    "zeros": (lambda low, high: ("0", "0", ""), False, False, True, True),
}  # fmt: skip


def _value(rng: random.Random, test: Test) -> Decimal:
    """A number below, at an end of, within or above a range, with as many digits as its ends; never zero or less unless the range is."""
    low, high = Decimal(test.low), Decimal(test.high)
    digits = -min(int(Decimal(end).as_tuple().exponent) for end in (test.low, test.high))
    step = Decimal(1).scaleb(-digits)
    span = high - low
    place = rng.choice(("below", "low", "within", "high", "above"))
    if place == "low":
        return low if low > 0 or test.name == "Base Excess" else step
    if place == "high":
        return high
    part = Decimal(str(round(rng.uniform(0.05, 0.6), 3)))
    raw = {"below": low - span * part, "within": low + span * part, "above": high + span * part}[place]
    made = raw.quantize(step)
    return made if made > 0 or low < 0 else max(low, step)


def results(seed: int, count: int, forms: tuple[str, ...] = tuple(FORMS), tests: list[Test] | None = None) -> Iterator[Printed]:
    """Results with their ranges, and what those say: "L", "N" or "H", or "" where that cannot be told."""
    rng = random.Random(seed)
    for _ in range(count):
        test = rng.choice(tests or [*IN_CATALOG, *ELSEWHERE])
        name = rng.choice(forms)
        write, has_low, has_high, low_counts, high_counts = FORMS[name]
        low, high = Decimal(test.low), Decimal(test.high)
        if (has_low and not has_high and low <= 0) or (has_low and low < 0 and name not in ("two columns", "dash and spaces", "word")):
            write, has_low, has_high, low_counts, high_counts = FORMS["two columns"]
        value, sign = _value(rng, test), ""
        below = has_low and (value < low or (value == low and not low_counts))
        above = has_high and (value > high or (value == high and not high_counts))
        code = "L" if below else "H" if above else "N" if has_low or has_high else ""
        if rng.random() < 0.06 and low >= 0 and value > 0:  # below or above what the assay can tell
            sign = rng.choice("<>")
            if sign == "<":  # every number under it
                settled = "L" if has_low and value <= low else "N" if not (has_low and low > 0) and has_high and value <= high else ""
            else:
                settled = "H" if has_high and value >= high else "N" if not has_high and has_low and value >= low else ""
            code = settled
        yield Printed(test, sign, f"{value}", *write(test.low, test.high), code)
