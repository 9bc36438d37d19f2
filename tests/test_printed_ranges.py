"""Ranges and flags as laboratories print them: tests/cases_printed/ranges.toml, through single values and through frames."""

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from labinterp import Catalog, Finding, LabResult, assess
from labinterp._flag_words import agrees, flag_code
from labinterp._printed_ranges import LONGEST
from labinterp._quantity import Quantity, ReadValue, read_value
from labinterp._reported import Reported, read_reported
from labinterp.dataframes import interpret_frame

CASES = tomllib.loads((Path(__file__).parent / "cases_printed" / "ranges.toml").read_text("utf-8"))


def plain() -> Iterator[Any]:
    for block in CASES["plain"]:
        for form, *values in block["rows"]:
            yield pytest.param(form, dict(zip("LNH", values, strict=True)), block["unit"], block.get("decimal"), id=form)


def read(value: str, unit: str, low: Any = None, high: Any = None, text: str | None = None, decimal: str | None = None) -> Reported | None:
    return read_reported(Quantity(Decimal(value), unit), low, high, text, None, Catalog.default().units, decimal)


@pytest.mark.parametrize(("form", "values", "unit", "decimal"), list(plain()))
def test_a_plain_range_says_what_it_prints(form: str, values: dict[str, str], unit: str, decimal: str | None) -> None:
    for code, listed in values.items():
        for value in listed.split():
            reported = read(value, unit, text=form, decimal=decimal)
            assert reported is not None
            assert reported.code == code, value
            assert reported.text == form.strip()


@pytest.mark.parametrize(
    ("form", "unit", "decimal"),
    [pytest.param(form, b["unit"], b.get("decimal"), id=form.replace("\n", " ")) for b in CASES["text"] for form in b["forms"]],
)
def test_what_is_not_plain_is_kept_as_text(form: str, unit: str, decimal: str | None) -> None:
    """Never half-read: no end of it, and no code."""
    reported = read("4", unit, text=form, decimal=decimal)
    assert reported == Reported(None, None, form.strip(), None, None)


@pytest.mark.parametrize(("low", "high", "text", "value", "code"), CASES["ends"][0]["rows"])
def test_ends_in_columns(low: str, high: str, text: str, value: str, code: str) -> None:
    reported = read(value, CASES["ends"][0]["unit"], low, high, text)
    assert reported is not None
    assert (reported.code or "") == code
    if not code:  # nothing that was printed is lost
        assert reported.low is reported.high is None
        assert all(part in (reported.text or "") for part in (low, high, text))


@pytest.mark.parametrize(("flag", "says"), [(flag, block["says"]) for block in CASES["flag"] for flag in block["forms"]])
def test_a_flag_says_its_side(flag: str, says: str) -> None:
    assert (flag_code(flag) or "") == says


def test_hostile_texts() -> None:
    """A long text is no range and no flag, and costs nothing."""
    for text in (
        "5 - " * 2000,
        "1" * LONGEST + "-2",
        "(" * 5000,
        "1,1,1,1," * 9 + "-",
        "1 111 " * 13,
        "a" * 1_000_000,
        "<" * 79,
        "^" * 80,
        "1^" * 40,
    ):
        reported = read("4", "mmol/L", text=text)
        assert reported is not None
        assert reported.code is None
        assert flag_code(text) is None


@pytest.mark.parametrize(("value", "text", "code"), [
    ("<0.6", "0-5", "N"), ("<0.6", "<5", "N"), ("<0.6", "0.5-5", None), ("<5", "<5", "N"), ("<=5", "<5", None), ("<0.6", "1-5", "L"), (">90", ">60", "N"),
    (">90", "0-60", "H"), (">3", "0-60", None), ("3~4", "0-5", "N"), ("3~6", "0-5", None), ("6~7", "0-5", "H"),
])  # fmt: skip
def test_a_censored_value_beside_a_range(value: str, text: str, code: str | None) -> None:
    """It says something only where every value it may stand for says the same."""
    number = read_value(value.replace("~", " - "))
    assert isinstance(number, ReadValue)
    quantity = Quantity(number.value, "mg/L", number.comparator, number.high)
    reported = read_reported(quantity, None, None, text, None, Catalog.default().units, None)
    assert reported is not None
    assert reported.code == code


def test_a_flag_that_contradicts_its_range_is_told() -> None:
    """An abnormal flag without a side agrees with both sides, and not with "within"."""

    def notes(value: str, flag: str) -> str:
        return " ".join(assess(LabResult("CRP", value, "mg/L", ref_text="<5", flag=flag)).notes)  # type: ignore[union-attr]

    assert "do not agree" not in notes("7", "H") + notes("7", "*") + notes("7", "A") + notes("3", "<") + notes("3", "")
    assert "The laboratory's flag (A) and its printed range (N) do not agree." in notes("3", "*")
    assert "The laboratory's flag (N) and its printed range (H) do not agree." in notes("7", "N")
    assert agrees(None, "H")
    assert agrees("A", None)


@pytest.mark.parametrize("decimal", [None, ".", ","])
def test_a_frame_reads_them_as_single_values_do(decimal: str | None) -> None:
    """Every form of the file beside magnesium, for which the laboratory's range comes first; as text and as ends in columns."""
    forms = [(None, None, row[0]) for block in CASES["plain"] for row in block["rows"]]
    forms += [(None, None, form) for block in CASES["text"] for form in block["forms"]]
    forms += [(low, high, text) for low, high, text, _, _ in CASES["ends"][0]["rows"]]
    listed = [(*form, value) for form in forms for value in ("0.69", "0.9", "4", "<5")]
    columns = dict(zip(("ref_low", "ref_high", "ref_text", "value"), map(list, zip(*listed, strict=True)), strict=True))
    frame = pl.DataFrame({"test": ["Magnesium"] * len(listed), "unit": ["mmol/L"] * len(listed), **columns})
    got = interpret_frame(frame, decimal=decimal).select("li_code", "li_limits", "li_reason").rows()
    alone = [
        assess(LabResult("Magnesium", v, "mmol/L", ref_low=low, ref_high=high, ref_text=text), decimal=decimal)
        for low, high, text, v in listed
    ]
    want = [(a.code, a.limits, None) if isinstance(a, Finding) else (None, None, a.reason) for a in alone]
    assert got == want
    assert sum(limits == "reported" for _, limits, _ in want) > 100
