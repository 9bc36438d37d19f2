"""What must hold for every value, text and person, not only for those somebody thought of.

The reference in this file works with fractions, from the TOML files alone: it shares no code with the library.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labinterp import Catalog, Finding, LabResult, NotAssessed, Patient, Quantity, assess, interpret
from labinterp._assess import assess_measured
from labinterp._book import book_for
from labinterp._lanes import quick
from labinterp._measure import measure
from labinterp._quantity import ReadValue, Unreadable, read_value

settings.register_profile("labinterp", max_examples=50 if os.environ.get("CI") else 150, derandomize=True, deadline=None, database=None)
settings.load_profile("labinterp")

DATA = Path(__file__).resolve().parents[1] / "reference_ranges"

# --- an exact reference of its own ---------------------------------------------------------------------------

# g/L, mol/L, or mol of charges per litre
SIZES = {
    "g/L": ("mass", 0), "mg/dL": ("mass", -2), "mg/L": ("mass", -3), "ug/L": ("mass", -6), "ng/mL": ("mass", -6), "ng/L": ("mass", -9),
    "pg/mL": ("mass", -9), "mmol/L": ("amount", -3), "umol/L": ("amount", -6), "nmol/mL": ("amount", -6), "nmol/L": ("amount", -9),
    "pmol/L": ("amount", -12), "meq/L": ("charge", -3), "mL/min/{1.73_m2}": ("rate", 0),
    "g/dL": ("mass", 1), "ug/mL": ("mass", -3), "ug/dL": ("mass", -5), "U/L": ("activity", 0), "ukat/L": ("katal", 0), "m[IU]/L": ("arbitrary", -3),
    "u[IU]/mL": ("arbitrary", -3), "umol/mmol": ("molar ratio", 0), "mg/g": ("mass ratio", 0),
    "%": ("share", -2), "1": ("share", 0), "fL": ("volume", -15),
}  # fmt: skip
FAMILIES = {"charge": "amount", "katal": "activity"}  # kinds in which a line is the same line


class Place(NamedTuple):
    """One population of one limit set, one unit, and a person who belongs to this population and to no other."""

    analyte: str
    name: str
    limits: str
    bands: list[dict[str, Any]]
    unit: str
    lines: dict[Decimal, Fraction]
    patient: Patient
    as_of: Any

    def ask(self, value: str) -> Finding | NotAssessed:
        return assess(LabResult(self.name, value, self.unit), self.patient, authority=self.limits, as_of=self.as_of, decimal=".")

    def band(self, value: Fraction) -> dict[str, Any]:
        """The one band whose words hold for a value."""
        (found,) = [band for band in self.bands if self._holds(band, value)]
        return found

    def _holds(self, band: dict[str, Any], value: Fraction) -> bool:
        at = {word: self.lines[band[word]] for word in ("below", "at_most", "at_least", "above") if word in band}
        return (
            ("below" not in at or value < at["below"])
            and ("at_most" not in at or value <= at["at_most"])
            and ("at_least" not in at or value >= at["at_least"])
            and ("above" not in at or value > at["above"])
        )


def amount(unit: str, kind: str, moiety: dict[str, Any]) -> Fraction:
    """How much one of a unit is, in g/L or mol/L."""
    own, power = SIZES[unit]
    size = Fraction(10) ** power
    if own == "katal":  # one mole a second; one unit is one micromole a minute
        own, size = "activity", size * 60
    if own == "charge":
        own, size = "amount", size / moiety["valence"]
    if own == kind:
        return size
    mass = Fraction(moiety["molar_mass"])
    return size / mass if kind == "amount" else size * mass


def line_in(line: Decimal, limits: dict[str, Any], unit: str, moiety: dict[str, Any]) -> Fraction:
    """A line in a unit: as printed in that unit or one of its kind, else by the molar mass."""
    kind = FAMILIES.get(SIZES[unit][0], SIZES[unit][0])
    kinds = {u: FAMILIES.get(SIZES[u][0], SIZES[u][0]) for u in (limits["unit"], *limits.get("also_in", {}))}
    printed = {u: dict(pairs)[line] for u, pairs in limits.get("also_in", {}).items()}
    if unit in printed:
        return Fraction(printed[unit])
    if kinds[limits["unit"]] != kind:
        for other, figure in printed.items():
            if kinds[other] == kind:
                return Fraction(figure) * amount(other, kind, moiety) / amount(unit, kind, moiety)
    return Fraction(line) * amount(limits["unit"], kind, moiety) / amount(unit, kind, moiety)


DAYS = {"years": 365.25, "months": 365.25 / 12, "days": 1.0}


def span(population: dict[str, Any], unit: str) -> tuple[float, float] | None:
    """The ages of a population in days, where they are given in a unit."""
    ages = population.get(f"age_{unit}")
    return ages and (float(ages.get("at_least", 0)) * DAYS[unit], float(ages.get("below", "inf")) * DAYS[unit])


def belongs(population: dict[str, Any], sex: str, age: float, trimester: int, contexts: list[str]) -> bool:
    """Whether a person belongs to a population: a whole age stands for the year that begins with it."""
    last = age + 1 if age == int(age) else age
    for ends in filter(None, (span(population, unit) for unit in DAYS)):
        if not (ends[0] <= age * 365.25 and last * 365.25 <= ends[1]):
            return False
    return (
        population.get("sex", "any") in ("any", sex)
        and {"any": True, "yes": trimester > 0, "no": trimester == 0}[population["pregnant"]]
        and (not population.get("trimester") or trimester in population["trimester"])
        and set(population.get("requires", ())) <= set(contexts)
    )


def member(population: dict[str, Any], others: list[dict[str, Any]]) -> Patient | None:
    """A person for whom this population, and no other that asks for as many circumstances, speaks."""
    contexts = list(population.get("requires", ()))
    spans = [ends for p in others for ends in filter(None, (span(p, unit) for unit in DAYS))]
    ages: list[float] = [40, *((low + min(high, low + 700)) / 2 / 365.25 for low, high in spans)]
    for sex, age, trimester in product(("female", "male"), ages, (0, 1, 2, 3)):
        if trimester and (sex == "male" or not 12 <= age <= 50):
            continue
        found = [p for p in others if belongs(p, sex, age, trimester, contexts)]
        most = max((len(p.get("requires", ())) for p in found), default=0)
        if [p for p in found if len(p.get("requires", ())) == most] == [population]:
            declared = [*contexts, *([f"trimester_{trimester}"] if trimester else [])]
            return Patient(sex=sex, age_years=age, pregnant=trimester > 0, contexts=declared)
    return None


def places() -> Iterator[Place]:
    """Every population of every limit set in every usual unit."""
    for path in sorted((DATA / "analytes").glob("*.toml")):
        data = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
        for limits in data.get("limits", ()):
            until = limits.get("in_force", {}).get("until")
            for population in limits["populations"]:
                patient = member(population, limits["populations"])
                assert patient is not None, f"nobody belongs to {limits['id']} {population['who']!r} alone"
                ends = {band[word] for band in population["bands"] for word in ("below", "at_most", "at_least", "above") if word in band}
                for unit in data["units"]["usual"]:
                    lines = {end: line_in(Decimal(end), limits, unit, data["units"]["moiety"]) for end in ends}
                    yield Place(
                        data["id"],
                        data["name"],
                        limits["id"],
                        population["bands"],
                        unit,
                        lines,
                        patient,
                        until and until - timedelta(days=1),
                    )


PLACES = list(places())


def steps(line: Fraction, digits: int) -> tuple[Decimal, Decimal]:
    """A line rounded down to a number of digits, and one step of its last digit."""
    power = 0
    while line * Fraction(10) ** power < 10 ** (digits - 1):
        power += 1
    while (
        power > 0 and (shorter := line * Fraction(10) ** (power - 1)).denominator == 1 and shorter >= 10
    ):  # a short figure is printed short
        power -= 1
    return Decimal(int(line * 10**power)).scaleb(-power), Decimal(1).scaleb(-power)


@pytest.mark.parametrize("limits", sorted({p.limits for p in PLACES}))
def test_an_exact_reference_agrees_beside_every_line(limits: str) -> None:
    """On each line and one step beside it, in each usual unit, the answer is that of the words in the TOML file."""
    for place in [p for p in PLACES if p.limits == limits]:
        for line in place.lines.values():
            for start, step in {steps(line, 4), steps(line, 12), steps(line, 18)}:
                for value in (start - step, start, start + step, start + 2 * step):
                    answer, band = place.ask(format(value, "f")), place.band(Fraction(value))
                    assert isinstance(answer, Finding), (str(answer), value)
                    assert (answer.band, answer.limits) == (band["key"], limits), (place.patient, str(answer), band)
                    assert answer.code == band["code"] or answer.basis.critical is not None, str(answer)


def touched(place: Place, comparator: str, value: Fraction) -> set[str]:
    """The bands that hold at least one of the numbers a censored value may stand for."""
    found = set()
    for band in place.bands:
        at = {word: place.lines[band[word]] for word in ("below", "at_most", "at_least", "above") if word in band}
        bottom, top = at.get("at_least", at.get("above")), at.get("below", at.get("at_most"))
        if comparator[0] == "<":  # the band must begin below the value, or on it where both ends count
            inside = bottom is None or bottom < value or (bottom == value and comparator == "<=" and "above" not in at)
        else:
            inside = top is None or top > value or (top == value and comparator == ">=" and "below" not in at)
        if inside:
            found.add(band["key"])
    return found


@pytest.mark.parametrize("limits", sorted({p.limits for p in PLACES}))
def test_an_exact_reference_agrees_on_censored_values(limits: str) -> None:
    """ "<x" and the like, on each line and one step beside it: a band where all its numbers share one, else IND and the bands they touch."""
    for place in [p for p in PLACES if p.limits == limits]:
        for start, step in {steps(line, 4) for line in place.lines.values()}:
            for value, comparator in product((start - step, start, start + step), ("<", "<=", ">", ">=")):
                answer, bands = place.ask(f"{comparator}{value:f}"), touched(place, comparator, Fraction(value))
                if isinstance(answer, NotAssessed):  # far above every line, a number is not believed
                    assert answer.reason == "implausible", str(answer)
                elif len(bands) == 1:
                    assert {answer.band} == bands, (str(answer), bands)
                else:
                    assert (answer.band, set(answer.basis.possible)) == (None, bands), (str(answer), bands)
                    assert answer.code == "IND" or answer.basis.critical is not None


# --- one blood, one answer -----------------------------------------------------------------------------------


def numbers(place: Place) -> st.SearchStrategy[Decimal]:
    """Numbers on, beside and far from the lines of a place."""
    near = [
        start + n * step for line in place.lines.values() for start, step in (steps(line, 3), steps(line, 5)) for n in (-2, -1, 0, 1, 2)
    ]
    top = max(place.lines.values(), default=Fraction(10)) * 3
    far = st.integers(1, 9999).map(lambda n: (Decimal(n) * Decimal(float(top)) / 9999).quantize(Decimal("1e-6")).normalize())
    return (st.sampled_from([n for n in near if n > 0]) | far) if near else far


@st.composite
def place_and_numbers(draw: st.DrawFn, count: int = 1) -> tuple[Place, list[Decimal]]:
    place = draw(st.sampled_from(PLACES))
    return place, [draw(numbers(place)) for _ in range(count)]


@given(place_and_numbers())
def test_the_same_blood_in_another_unit_of_its_kind_has_the_same_band(drawn: tuple[Place, list[Decimal]]) -> None:
    """A value moved by an exact power of ten into another unit of its kind gets the same band and code."""
    place, (value,) = drawn
    answer = place.ask(format(value, "f"))
    for other in PLACES:
        same = (other.limits, other.bands, SIZES[other.unit][0]) == (place.limits, place.bands, SIZES[place.unit][0])
        if same and other.patient == place.patient:
            moved = other.ask(format(value.scaleb(SIZES[place.unit][1] - SIZES[other.unit][1]), "f"))
            assert type(moved) is type(answer), (str(answer), str(moved))
            if isinstance(answer, Finding) and isinstance(moved, Finding):
                assert (moved.band, moved.code, moved.limits) == (answer.band, answer.code, answer.limits), (str(answer), str(moved))


@given(place_and_numbers(count=2))
def test_a_higher_value_never_has_a_lower_band(drawn: tuple[Place, list[Decimal]]) -> None:
    """Bands follow the values: more is never placed below less."""
    place, values = drawn
    less, more = (place.ask(format(value, "f")) for value in sorted(values))
    if isinstance(less, Finding) and isinstance(more, Finding):
        order = [band["key"] for band in place.bands]
        assert order.index(str(less.band)) <= order.index(str(more.band)), (str(less), str(more))


@given(place_and_numbers(), st.sampled_from(["<", "<=", ">", ">="]), st.lists(st.fractions(0, 1), min_size=1, max_size=8))
def test_a_censored_value_has_a_band_only_if_all_its_values_have_it(
    drawn: tuple[Place, list[Decimal]], comparator: str, shares: list[Fraction]
) -> None:
    """Where "<x" or ">x" has a band, each plain value it may stand for has that band."""
    place, (end,) = drawn
    answer = place.ask(f"{comparator}{format(end, 'f')}")
    if not isinstance(answer, Finding) or answer.band is None:
        return
    for share in [*shares, Fraction(1) if "=" in comparator else Fraction(9999, 10000)]:
        exact = Fraction(end) * (share if comparator[0] == "<" else 1 + (1 - share) * 20)
        value = Decimal(int(exact * 10**7)).scaleb(-7)
        inside = {"<": value < end, "<=": value <= end, ">": value > end, ">=": value >= end}[comparator]
        plain = place.ask(format(value, "f"))
        if inside and isinstance(plain, Finding):
            assert plain.band == answer.band, (str(answer), str(plain))


@given(place_and_numbers(count=2), st.lists(st.fractions(0, 1), min_size=1, max_size=6))
def test_a_range_has_a_band_only_if_all_its_values_have_it(drawn: tuple[Place, list[Decimal]], shares: list[Fraction]) -> None:
    """Where "a~b" has a band, both ends and each value between them have that band."""
    place, values = drawn
    low, high = sorted(values)
    answer = place.ask(f"{format(low, 'f')}~{format(high, 'f')}")
    if low == high or not isinstance(answer, Finding) or answer.band is None:
        return
    between = [Decimal(int((Fraction(low) + share * Fraction(high - low)) * 10**7)).scaleb(-7) for share in shares]
    for value in (low, high, *(v for v in between if low <= v <= high)):
        plain = place.ask(format(value, "f"))
        assert isinstance(plain, Finding), str(plain)
        assert plain.band == answer.band, (str(answer), str(plain))


AGES = [0, 0.01, 0.1, 0.5, 1, 3, 5, 11, 12, 15, 16, 17, 18, 19, 20, 30, 31, 40, 41, 49, 50, 59, 60, 64, 65, 70, 80, 90, 110]


@given(place_and_numbers(), st.sampled_from(["sex", "age", "both"]))
def test_an_answer_without_a_fact_holds_for_every_value_of_it(drawn: tuple[Place, list[Decimal]], fact: str) -> None:
    """Where sex or age is unknown and a band is given, everybody it may be has that band; else the missing fact is named."""
    place, (value,) = drawn
    known = place.patient
    if known.pregnant:
        return
    someone = Patient(
        sex=known.sex if fact == "age" else None,
        age_years=known.age_years if fact == "sex" else None,
        pregnant=False,
        contexts=known.contexts,
    )
    answer = place._replace(patient=someone).ask(format(value, "f"))
    each: list[Finding | NotAssessed] = []
    for sex in (known.sex,) if fact == "age" else ("female", "male"):
        people = [
            Patient(sex=sex, age_years=a, pregnant=False, contexts=known.contexts) for a in ((known.age_years,) if fact == "sex" else AGES)
        ]
        each += covered([place._replace(patient=who).ask(format(value, "f")) for who in people])
    said = {(a.band, a.code) if isinstance(a, Finding) else (a.reason, "") for a in each}
    if isinstance(answer, Finding):
        assert said == {(answer.band, answer.code)}, (str(answer), said)
    elif answer.reason in ("sex_unknown", "age_unknown"):
        assert len(said) > 1, str(answer)
    else:
        assert said == {(answer.reason, "")}, (str(answer), said)


def covered(by_age: list[Finding | NotAssessed]) -> list[Finding | NotAssessed]:
    """Answers by age, without the ages a print skips between two that it covers ("1 to 10" and "12 to 17"): those contradict nothing."""
    numbers = [n for n, a in enumerate(by_age) if isinstance(a, Finding)]
    return [a for n, a in enumerate(by_age) if isinstance(a, Finding) or not numbers or not numbers[0] < n < numbers[-1]]


# --- results beside each other -------------------------------------------------------------------------------

TESTS = {
    "vitamin_d": ["12 ng/mL", "<4 ng/mL", "60 nmol/L", "500 nmol/L"],
    "vitamin_b12": ["120 pg/mL", "210 pg/mL", "500 ng/L", ">2000 pg/mL"],
    "holotranscobalamin": ["20 pmol/L", "50 pmol/L"],
    "homocysteine": ["12 umol/L", "19 umol/L", "120 umol/L"],
    "mma": ["0.20 umol/L", "0.52 umol/L", "1.234 umol/L"],
    "folate": ["3 ng/mL", "12 ng/mL", "pending"],
    "ferritin": ["9 ug/L", "40 ug/L", "400 ug/L"],
    "magnesium": ["0.35 mmol/L", "0.46 mmol/L", "1.6 mg/dL", "2.6 mmol/L"],
    "rbc_magnesium": ["5 mg/dL"],
    "crp": ["1 mg/L", "12 mg/L"],
    "agp": ["0.8 g/L", "1.4 g/L"],
    "creatinine": ["0.9 mg/dL", "2.4 mg/dL"],
    "egfr": ["95 mL/min/1.73 m2", "40 mL/min/1.73 m2"],
}
PAIRS = [(analyte, text) for analyte, texts in TESTS.items() for text in texts]
PEOPLE = st.builds(
    Patient,
    sex=st.sampled_from(["female", "male", None]),
    age_years=st.sampled_from([None, 0.5, 8, 17, 34, 71]),
    pregnant=st.sampled_from([None, False]),
    contexts=st.sampled_from([(), ("ckd",), ("inflammation",)]),
)


def results(pairs: list[tuple[str, str]]) -> list[LabResult]:
    """Results with the unit in a column of its own, as most files have it."""
    names = {analyte: entry["name"] for analyte, entry in Catalog.default().table["analytes"].items()}
    return [LabResult(names[analyte], *text.split(" ", 1)) for analyte, text in pairs]


def answers(pairs: list[tuple[str, str]], patient: Patient, catalog: Catalog | None = None) -> list[dict[str, Any]]:
    return [{**row.to_dict(), "row": None} for row in interpret(results(pairs), patient, catalog=catalog).rows()]


@given(st.lists(st.sampled_from(PAIRS), max_size=5, unique_by=lambda p: p[0]), st.sampled_from(PAIRS), PEOPLE)
def test_an_unrelated_result_changes_no_other_answer(pairs: list[tuple[str, str]], more: tuple[str, str], patient: Patient) -> None:
    """One more result changes no finding of the others; but CRP and AGP show inflammation, in which ferritin has other lines."""
    without, beside = answers(pairs, patient), answers([*pairs, more], patient)[: len(pairs)]
    for (analyte, _), one, other in zip(pairs, without, beside, strict=True):
        if not (analyte == "ferritin" and more[0] in ("crp", "agp")):
            assert one == other


@given(st.lists(st.sampled_from(PAIRS), max_size=6, unique_by=lambda p: p[0]), PEOPLE, st.randoms(use_true_random=False))
def test_the_order_of_results_changes_no_answer(pairs: list[tuple[str, str]], patient: Patient, chance: Any) -> None:
    """The same results in another order have the same answers, patterns, effects and alerts."""
    mixed = list(pairs)
    chance.shuffle(mixed)
    one, other = interpret(results(pairs), patient), interpret(results(mixed), patient)
    by_test = [{a.source_name: {**a.to_dict(), "row": None} for a in report.rows()} for report in (one, other)]
    assert by_test[0] == by_test[1]
    assert {(m.id, m.certainty, m.missing) for m in one.patterns} == {(m.id, m.certainty, m.missing) for m in other.patterns}
    assert {(e.id, e.relation, e.text) for e in one.effects} == {(e.id, e.relation, e.text) for e in other.effects}
    assert sorted(a.id for a in one.alerts) == sorted(a.id for a in other.alerts)


def test_inflammation_changes_the_lines_of_ferritin() -> None:
    """The exception is meant: 40 ug/L is enough without inflammation and too little with it."""
    man = Patient(sex="male", age_years=40)
    assert [answers([("ferritin", "40 ug/L"), ("crp", crp)], man)[0]["band"] for crp in ("1 mg/L", "12 mg/L")] == ["adequate", "deficient"]


@given(st.lists(st.tuples(st.lists(st.sampled_from(PAIRS), max_size=4), PEOPLE), min_size=1, max_size=4))
def test_what_was_asked_before_changes_no_answer(asked: list[tuple[list[tuple[str, str]], Patient]]) -> None:
    """A catalog that remembers earlier panels gives the report that a new one gives, and a second asking gives the first again."""
    default = Catalog.default()
    used = Catalog(default.table, default.root)
    for pairs, patient in [*asked, *asked]:
        again = interpret(results(pairs), patient, catalog=used).to_dict()
        same = Patient(sex=patient.sex, age_years=patient.age_years, pregnant=patient.pregnant, contexts=patient.contexts)
        assert again == interpret(results(pairs), same, catalog=Catalog(default.table, default.root)).to_dict()


@pytest.mark.parametrize("analyte", sorted(TESTS))
def test_the_short_way_says_what_the_long_way_says(analyte: str) -> None:
    """On and beside every line, in every unit, for people of whom little or much is known."""
    catalog = Catalog(Catalog.default().table, Catalog.default().root)
    people = [
        Patient(sex=sex, age_years=age, pregnant=pregnant)
        for sex, age, pregnant in [("female", 34, None), ("female", 34, True), ("female", 71, None), ("male", 34, None),
                                   (None, 34, None), ("female", None, None), (None, None, None), (None, 0.5, None)]
    ]  # fmt: skip
    short = 0
    for unit in {p.unit for p in PLACES if p.analyte == analyte}:
        name = catalog.analytes[analyte].name
        lines = {float(line) for p in PLACES if (p.analyte, p.unit) == (analyte, unit) for line in p.lines.values()}
        texts = [f"{line + step:.4f}" for line in lines for step in (-0.0001, 0, 0.0001) if 0 < line + step < 10**8]
        for patient, text in product(people, texts):
            result = LabResult(name, text, unit)
            read = measure(catalog, result, 1, None)
            book = book_for(catalog, patient, None, catalog.as_of)
            long = read if isinstance(read, NotAssessed) else assess_measured(book, read)
            assert assess(result, patient, catalog=catalog) == long  # learns the first time
            found = quick(book, result, 1)
            assert found is None or found[0] == long
            short += found is not None
    assert short or catalog.table["analytes"][analyte]["default"] not in catalog.table["limits"]  # an authority that draws no line


@given(st.lists(st.sampled_from(PAIRS), max_size=5), PEOPLE)
def test_the_json_text_is_the_plain_data(pairs: list[tuple[str, str]], patient: Patient) -> None:
    """`to_json` is the text of `to_dict`, first time and again."""
    for decimal in (None, None, ",", "."):  # "1.234" is another number where the comma is the mark
        report = interpret(results(pairs), patient, decimal=decimal)
        assert json.loads(report.to_json()) == json.loads(json.dumps(report.to_dict()))


@given(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=5), PEOPLE, st.randoms(use_true_random=False))
def test_row_numbers_are_carried_through(pairs: list[tuple[str, str]], patient: Patient, chance: Any) -> None:
    """Numbers given for the results, in any order, stand on their answers and in what is said of them together."""
    rows = list(range(10, 10 + len(pairs)))
    chance.shuffle(rows)
    catalog, listed = Catalog(Catalog.default().table, Catalog.default().root), results(pairs)
    numbered = [interpret(listed, patient, rows=rows, catalog=catalog)]
    plain = interpret(listed, patient, catalog=catalog)
    numbered.append(interpret(listed, patient, rows=rows, catalog=catalog))
    for report in numbered:
        assert [(a.row, a.source_name) for a in report.rows()] == sorted(zip(rows, (r.test for r in listed), strict=True))
        for one, other in zip(plain.effects, report.effects, strict=True):
            assert {rows[n - 1] for n in one.because} == set(other.because)
        assert {(a.id, rows[a.row - 1]) for a in plain.alerts} == {(a.id, a.row) for a in report.alerts}


# --- text of every kind --------------------------------------------------------------------------------------

NUMBERISH = st.text(st.sampled_from("0123456789.,' -+<>=≤≥~eExX*^()/HLN↑²⁻·−–_%\u00a0\u202f\u2009µgmolL"), max_size=30)
WORDS = st.sampled_from(
    ["", "ferritin", "25(OH)D", "B12", "Mg", "2276-4", "urine", "ng/mL", "µg/L", "nmol/L", "12", "<4", "1,060", "1.234", "0", "H", "13-150", "< 15", "nan"]
)  # fmt: skip
TEXTS = st.text(max_size=100) | NUMBERISH | WORDS


@given(NUMBERISH | st.text(max_size=90), st.sampled_from([None, ".", ","]))
@example("<", None)
@example("1e-999", None)
@example("10⁻³", None)
@example("٣", None)
@example("½", None)
def test_a_value_is_read_or_refused_and_never_becomes_zero(text: str, decimal: str | None) -> None:
    """Any text is a value or a reason why it is none, and no text without the digit 0 is zero."""
    read = read_value(text, decimal)
    if isinstance(read, Unreadable):
        assert read.reason in ("unreadable_value", "ambiguous_number")
        assert read.message
        return
    for value in (read.value, read.high):
        assert value is None or (value.is_finite() and (value != 0 or "0" in text))


@given(st.lists(st.tuples(TEXTS, *[TEXTS | st.none()] * 9), max_size=4), PEOPLE, st.sampled_from([None, ".", ","]))
def test_any_text_gives_one_answer_per_row_in_order(rows: list[tuple[Any, ...]], patient: Patient, decimal: str | None) -> None:
    """Whatever stands in the fields of a result, it has exactly one answer, at its place, that can be written as JSON."""
    listed = [
        LabResult(test, value, unit, loinc=loinc, specimen=specimen, comparator=comparator, ref_low=low, ref_high=high, ref_text=text, flag=flag)
        for test, value, unit, loinc, specimen, comparator, low, high, text, flag in rows
    ]  # fmt: skip
    report = interpret(listed, patient, decimal=decimal)
    found = list(report.rows())
    assert [a.row for a in found] == list(range(1, len(rows) + 1))
    assert [a.source_name for a in found] == [r.test for r in listed]
    assert json.loads(report.to_json())
    assert str(report)


@given(st.dictionaries(TEXTS, TEXTS | st.none() | st.integers() | st.floats() | st.decimals() | st.booleans(), max_size=4))
def test_any_mapping_gives_one_answer_per_entry(mapping: dict[str, Any]) -> None:
    """Numbers, missing values, NaN and text in a mapping have one answer each."""
    assert len(list(interpret(mapping).rows())) == len(mapping)


DECIMALS = st.decimals(min_value=0, max_value=Decimal("1e9"), allow_nan=False, allow_infinity=False).filter(lambda d: len(str(d)) < 30)


@given(DECIMALS, DECIMALS, st.sampled_from(["", "<", "<=", ">", ">=", "~"]), st.sampled_from(sorted(set(SIZES) - {"1"})))
def test_a_printed_quantity_reads_back_the_same(one: Decimal, other: Decimal, comparator: str, unit: str) -> None:
    """What a Quantity prints is read as the same value, comparator, range end and unit."""
    low, high = min(one, other), max(one, other)
    if comparator == "~" and low == high:
        return
    quantity = Quantity(low, unit, comparator, high if comparator == "~" else None)
    read = read_value(str(quantity), ".")
    assert isinstance(read, ReadValue), (str(quantity), read)
    assert (read.value, read.comparator, read.high, read.rest) == (quantity.value, comparator, quantity.high, unit)


def test_a_quantity_is_never_ambiguous() -> None:
    """An exact number given as a Quantity is used as it is, whatever its digits."""
    assert isinstance(assess({"MMA": Quantity(Decimal("1.234"), "umol/L")}, Patient(age_years=40)), Finding)
