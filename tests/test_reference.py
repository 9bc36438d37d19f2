"""The single-value path against an exact interpreter of its own: on and beside every line, and on random rows.

`tests.reference` judges from the data files alone. What the library says otherwise is listed, row by row.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import ulp
from typing import Any

import pytest
from tests import reference, rows
from tests.reference import Answer, Row

from labinterp import Finding, NotAssessed, assess, interpret
from labinterp._codes import CODES

RANDOM, SEED = 20_000, 20260
Path = Callable[[dict[str, Any]], "Finding | NotAssessed"]


def by_assess(row: dict[str, Any]) -> Finding | NotAssessed:
    """The answer of `assess`."""
    return assess(*rows.asked(row))


def by_interpret(row: dict[str, Any]) -> Finding | NotAssessed:
    """The only answer of `interpret`."""
    result, patient = rows.asked(row)
    (answer,) = interpret([result], patient).rows()
    return answer


def said(answer: Finding | NotAssessed) -> Answer:
    """An answer of the library in the words of the reference."""
    return Answer(answer.code, answer.band, answer.limits) if isinstance(answer, Finding) else Answer(reason=answer.reason)


def differences(listed: Iterable[dict[str, Any]], path: Path = by_assess) -> list[str]:
    """Where the library says something else, one line each."""
    found = []
    for row in listed:
        known: Row = row[rows.KNOWN]
        answer, expected = path(row), reference.judge(known)
        got = said(answer)
        if got != expected or answer.analyte != known.analyte:
            found.append(f"{ {k: v for k, v in row.items() if v is not None} }\n  expected {expected}\n  got      {answer.analyte} {got}")
        elif isinstance(answer, Finding):
            quantity = (answer.value, answer.unit, answer.comparator)
            if quantity != (Decimal(known.value), known.unit, known.comparator) or not si_is_right(answer, known):
                found.append(f"{known}\n  was read as {answer.quantity}, {answer.si}")
    return found


def si_is_right(answer: Finding, known: Row) -> bool:
    """The number shown in the SI unit: two roundings, of the factor and of the product, are all that may be between it and the exact one."""
    number, unit = answer.si
    exact, si = reference.in_si(known)
    return unit == si and abs(Fraction(number) - exact) <= 2 * Fraction(ulp(number))


def told(found: list[str]) -> str:
    return f"{len(found)} differences\n" + "\n".join(found[:10])


@cache
def boundaries() -> dict[str, list[dict[str, Any]]]:
    """The rows on and beside the lines of each analyte."""
    found: dict[str, list[dict[str, Any]]] = {analyte: [] for analyte in reference.analytes()}
    for row in rows.boundary_rows():
        found[row[rows.KNOWN].analyte].append(row)
    return found


@cache
def drawn() -> list[dict[str, Any]]:
    return list(rows.random_rows(RANDOM, SEED))


@pytest.mark.parametrize("analyte", reference.analytes())
def test_on_and_beside_every_line(analyte: str) -> None:
    """Each line of the default limits, in each usual unit, for each population and for unknown facts."""
    found = differences(boundaries()[analyte])
    assert not found, told(found)


@pytest.mark.parametrize("part", range(4))
def test_random_rows(part: int) -> None:
    """Realistic rows under any known name, in any known unit, of anybody."""
    found = differences(drawn()[part::4])
    assert not found, told(found)


def test_interpret_says_the_same() -> None:
    """The pipeline for panels answers a single result as `assess` does."""
    found = differences([*rows.boundary_rows()[::300], *drawn()[::50]], by_interpret)
    assert not found, told(found)


# --- rows that the library once answered otherwise, and why that was wrong ------------------------------------------

ADULT: dict[str, Any] = {"sex": "female", "pregnant": False}
ONCE_WRONG = {
    # The range is one in mmol/L. Beside a value of an adult it is kept as text; of somebody of unknown age it is used, and says "high".
    "a range in another unit, age not known": rows.row_of(Row("magnesium", "mg/dL", "1.9", **ADULT, low="0.70", high="1.00")),
    # A declared trimester says that the person is pregnant; the line for men answers where the sex is not stated.
    "a declared trimester, sex not known": rows.row_of(Row("ferritin", "ug/L", "250", age=30, contexts=frozenset({"trimester_2"}))),
    # More digits than a float holds keep a value on its side of a line, but not of a critical value.
    "a hair above a critical value": rows.row_of(Row("magnesium", "mmol/L", "0.40000000000000001", age=40, **ADULT)),
    # In its own column this unit is read; behind the number its last letter is taken for the flag "L".
    "a unit with spaces behind the number": rows.row_of(
        Row("homocysteine", "umol/L", "34.4", age=40, **ADULT), value="34.4 umol / L", unit=None
    ),
}


@pytest.mark.parametrize("row", ONCE_WRONG.values(), ids=ONCE_WRONG)
def test_rows_that_were_once_answered_wrongly(row: dict[str, Any]) -> None:
    assert not differences([row])


def test_a_mark_for_about_is_no_comparator() -> None:
    """ "~" beside one number says "about": it is not known what it leaves open, so there is no answer."""
    row = rows.row_of(Row("homocysteine", "umol/L", "26.7", age=40, **ADULT), comparator="~")
    assert said(by_assess(row)) == Answer(reason="unreadable_value")


# --- the rows and the reference themselves ---------------------------------------------------------------------------


def test_the_reference_shares_no_code_with_the_library() -> None:
    """It imports the standard library and nothing else."""
    tree = ast.parse((reference.DATA.parent / "tests" / "reference.py").read_text("utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not {module for module in modules if module and module.split(".")[0] in ("labinterp", "tests", "pint")}


def test_the_reference_against_lines_read_in_the_sources() -> None:
    """A few answers written down by hand: printed pairs, the word on the line, severe bands, a critical value, unknown facts."""
    woman: dict[str, Any] = {**ADULT, "age": 40}
    for row, answer in (
        (Row("vitamin_d", "ng/mL", "20", **woman), Answer("N", "adequate", "vitamin_d/nam-2011")),
        (Row("vitamin_d", "nmol/L", "49.92", **woman), Answer("L", "inadequate", "vitamin_d/nam-2011")),
        (Row("vitamin_d", "ug/L", "50", **woman), Answer("N", "adequate", "vitamin_d/nam-2011")),
        (Row("vitamin_b12", "pmol/L", "258", **woman), Answer("IND", "indeterminate", "vitamin_b12/nice-ng239-2024")),
        (Row("vitamin_b12", "pg/mL", "350.01", **woman), Answer("N", "unlikely_deficient", "vitamin_b12/nice-ng239-2024")),
        (Row("magnesium", "meq/L", "0.8", **woman), Answer("LL", "severe", "magnesium/uk-harmony")),
        (Row("magnesium", "mmol/L", "0.45", **woman, low="0.4", high="1.0"), Answer("LU", "severe", "magnesium/uk-harmony")),
        (Row("homocysteine", "umol/L", "13", **woman, high="12"), Answer("H", "high", "reported")),
        (Row("crp", "mg/L", "10", "<", **woman), Answer("IND", None, "crp/brinda-inflammation")),
        (Row("ferritin", "ug/L", "40", **woman, contexts=frozenset({"inflammation"})), Answer("L", "deficient", "ferritin/who-2020")),
        (Row("ferritin", "ug/L", "160", age=40), Answer(reason="sex_unknown")),
        (Row("ferritin", "ug/L", "180", sex="female", age=34), Answer("H", "overload_risk", "ferritin/who-2020")),
        (Row("ferritin", "ug/L", "10"), Answer("L", "deficient", "ferritin/who-2020")),
        (Row("mma", "umol/L", "0.42"), Answer(reason="age_unknown")),
        (Row("mma", "umol/L", "0.32", sex="male", age=11), Answer(reason="no_limit_for_population")),
        (Row("mma", "umol/L", "271", **woman), Answer(reason="implausible")),
        (Row("creatinine", "mg/dL", "0.9", **woman), Answer(reason="authority_gives_no_limit")),
        (Row("vitamin_d", "[IU]/mL", "40", **woman), Answer(reason="incompatible_unit")),
    ):
        assert reference.judge(row) == answer, row


def test_rows_are_the_same_for_the_same_seed() -> None:
    assert list(rows.random_rows(200, 7)) == list(rows.random_rows(200, 7)) != list(rows.random_rows(200, 8))
    assert list(rows.dirty_rows(200, 7)) == list(rows.dirty_rows(200, 7)) != list(rows.dirty_rows(200, 8))


def test_every_row_has_every_column_as_text() -> None:
    for row in (*rows.boundary_rows()[::97], *drawn()[::97], *rows.dirty_rows(500, 1)):
        assert set(rows.COLUMNS) == set(row) - {rows.KNOWN}
        assert all(row[name] is None or type(row[name]) is str for name in rows.COLUMNS)


def test_rows_reach_every_answer() -> None:
    """No code and no reason of the default limits is left out by the rows that are judged."""
    answers = Counter(reference.judge(row[rows.KNOWN]) for row in (*rows.boundary_rows()[::7], *drawn()))
    assert {answer.code for answer in answers if answer.code} == set(CODES)
    assert {answer.reason for answer in answers if answer.reason} == {
        "incompatible_unit", "implausible", "authority_gives_no_limit", "no_limit_for_population", "age_unknown", "sex_unknown", "pregnancy_unknown",
    }  # fmt: skip
    bands = {(answer.limits, answer.band) for answer in answers if answer.band}
    for analyte in reference.analytes():
        limits = reference.default(analyte)
        for population in limits["populations"] if limits else ():
            assert {(limits["id"], band["key"]) for band in population["bands"]} <= bands if limits else True


def test_dirty_rows_are_answered_without_an_exception() -> None:
    """Nothing that stands in a dirty export raises, and enough of it can be read to be worth comparing."""
    answers = Counter(type(by_assess(row)).__name__ for row in rows.dirty_rows(2000, 5))
    assert min(answers.values()) > 200
