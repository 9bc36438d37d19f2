"""Rows of results to judge lanes, engines and the single-value path by: on every line and beside it, random, and dirty.

Every row is a dict with the columns of `interpret_frame`, all text or None. Rows of which the meaning is known by design carry it
under `KNOWN`, for `tests.reference.judge`. The same seed gives the same rows.

No clean number stands here as "1.215" or "12,500": such a text reads two ways. A zero behind it says which is meant.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from itertools import product
from math import inf, isfinite, log10, nextafter
from typing import Any

from tests import reference
from tests.reference import Person, Row

from labinterp import LabResult, Patient
from labinterp._facts import read_age, read_date, read_pregnancy
from labinterp._inputs import read_sex
from labinterp.errors import InputError
from labinterp.readers import read_contexts

COLUMNS = (
    "test", "value", "unit", "sex", "age_years", "loinc", "specimen", "pregnant", "birth_date", "collected_at", "patient_id", "comparator",
    "ref_low", "ref_high", "ref_text", "flag", "context",
)  # fmt: skip
KNOWN = "known"
COMPARATORS = ("", "<", "<=", ">", ">=")
Texts = dict[str, Any]


def texts(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[str | None]]:
    """The columns of rows, for a frame of any kind."""
    listed = list(rows)
    return {name: [row[name] for row in listed] for name in COLUMNS}


# --- how the single-value path is asked ------------------------------------------------------------------------


def asked(row: Mapping[str, Any]) -> tuple[LabResult, Patient]:
    """The result and the person of a row, as `interpret` takes them. A fact that cannot be read is unknown."""
    result = LabResult(
        row["test"] or "", row["value"], row["unit"], loinc=row["loinc"], specimen=row["specimen"], comparator=row["comparator"],
        ref_low=row["ref_low"], ref_high=row["ref_high"], ref_text=row["ref_text"], flag=row["flag"],
    )  # fmt: skip
    return result, _person(*(row[name] for name in ("sex", "age_years", "birth_date", "collected_at", "pregnant", "context")))


@lru_cache(maxsize=20_000)
def _person(
    sex: str | None, age: str | None, born: str | None, collected: str | None, pregnant: str | None, context: str | None
) -> Patient:
    stated, trimester = _read(lambda text: read_pregnancy(text.strip()), pregnant) or (None, frozenset())
    facts = {"sex": _read(read_sex, sex), "pregnant": stated, "contexts": trimester | (_read(read_contexts, context) or frozenset())}
    years, born_on, at = _read(read_age, age), _read(read_date, born), _read(read_date, collected)
    if years is not None:
        return Patient(age_years=years, **facts)
    try:
        return Patient(birth_date=born_on, at=at, **facts)
    except InputError:  # sampled before birth
        return Patient(**facts)


def _read(reader: Callable[[str], Any], text: str | None) -> Any:
    try:
        return reader(text) if text else None
    except InputError:
        return None


# --- from what is known to a row ---------------------------------------------------------------------------------


def row_of(known: Row, **columns: str | None) -> Texts:
    """A row in the words of the data files; `columns` says it in others."""
    made: Texts = dict.fromkeys(COLUMNS)
    made |= {
        "test": reference.data_of(known.analyte)["name"],
        "value": f"{known.value}-{known.top}" if known.comparator == "~" else f"{known.comparator}{known.value}",
        "unit": known.unit,
        "sex": known.sex,
        "age_years": None if known.age is None else _age_text(known.age),
        "pregnant": {True: "yes", False: "no", None: None}[known.pregnant],
        "ref_low": known.low,
        "ref_high": known.high,
        "context": "; ".join(sorted(known.contexts)) or None,
        KNOWN: known,
    }
    return made | columns


def _age_text(age: int | Fraction) -> str:
    """An age as reports write it: years, or the months or days that a fraction of a year is."""
    for in_a_year, word in ((Fraction(1), ""), (Fraction(12), " months"), (Fraction(1461, 4), " d")):
        if (age * in_a_year).denominator == 1 and (word or isinstance(age, int)):
            return f"{int(age * in_a_year)}{word}"
    return str(float(age))


def plain(number: Decimal) -> str:
    """A number as text that reads one way."""
    text = format(number, "f")
    return text + "0" if re.fullmatch(r"[1-9][0-9]{0,2}\.[0-9]{3}", text) else text


def decimal(number: Fraction) -> Decimal | None:
    """A fraction as a decimal number; None where it does not end within 15 digits."""
    for places in range(15):
        if (number * 10**places).denominator == 1:
            digits = int(number * 10**places)
            return Decimal(digits).scaleb(-places) if digits < 10**15 else None
    return None


def rounded(number: Fraction, digits: int) -> tuple[Decimal, Decimal]:
    """A number rounded to some significant digits, and one step of the last of them."""
    places = digits - 1 - int(log10(float(number)) // 1)
    step = Decimal(1).scaleb(-places)
    return Decimal(round(number * Fraction(10) ** places)).scaleb(-places), step


def on_and_beside(line: Fraction) -> list[str]:
    """A line as printed and to 3 to 5 digits, each with one last digit under and over; and the three floats around it."""
    if line < Fraction(1, 10**9):
        return ["0", "0.01"]
    found, exact = [rounded(line, digits) for digits in (3, 4, 5)], decimal(line)
    if exact is not None:
        found.append((exact, Decimal(1).scaleb(min(0, int(exact.as_tuple().exponent)))))
    numbers = [number + n * step for number, step in found for n in (-1, 0, 1)]
    numbers += [Decimal(repr(near)) for near in (nextafter(float(line), -inf), float(line), nextafter(float(line), inf))]
    return list(dict.fromkeys(plain(number) for number in sorted(numbers) if number > 0))


# --- on every line ------------------------------------------------------------------------------------------------


@cache
def boundary_rows() -> list[Texts]:
    """Every line of every default limit set, in each usual unit, on it and beside it, for its population and unknown facts.

    So are the ends of what is believed, critical values and alerts, and the ends of laboratories' own ranges where those come first.
    They are many: made once, and left as they are by all who ask.
    """
    units = [(analyte, unit) for analyte in reference.analytes() for unit in reference.data_of(analyte)["units"]["usual"]]
    found = dict.fromkeys(row._replace(analyte=analyte, unit=unit) for analyte, unit in units for row in _boundaries(analyte, unit))
    return [_apart(row_of(known), number) for number, known in enumerate(found)]


def _apart(row: Texts, number: int) -> Texts:
    """Every second censored value has its comparator in the column for it."""
    known: Row = row[KNOWN]
    if known.comparator in COMPARATORS[1:] and number % 2:
        row |= {"value": known.value, "comparator": known.comparator}
    return row


def _boundaries(analyte: str, unit: str) -> Iterator[Row]:
    data, limits, drawn = reference.data_of(analyte), reference.default(analyte), set[Fraction]()
    for population in limits["populations"] if limits else ():
        lines = lines_in(analyte, limits or {}, population["bands"], unit)
        people = members(analyte, population)
        yield from _beside(lines, people)
        yield from _a_hair_beside(lines, people[0])
        drawn |= set(lines)
    yield from _beside(drawn, [NOBODY])
    alarming = [line for one in (*data.get("critical", ()), *data.get("alerts", ())) for line in lines_in(analyte, one, [one], unit)]
    believed = [Fraction(end) for span in reference.believed_in(analyte, unit) for end in span if isfinite(end)]
    yield from _beside([*alarming, *believed], [ADULT, NOBODY])
    for low, high in laboratory_ranges(analyte, unit):
        printed = [Fraction(end) for end in (low, high) if end is not None]
        both = low is not None and high is not None
        people = [one._replace(low=low, high=high) for one in ((ADULT, CHILD, NOBODY) if both else (ADULT,))]
        yield from _beside([*printed, *drawn, *alarming] if both else printed, people)


def _beside(lines: Iterable[Fraction], people: Iterable[Row]) -> Iterator[Row]:
    for line, comparator, person in product(sorted(lines), COMPARATORS, people):
        for value in on_and_beside(line):
            yield person._replace(value=value, comparator=comparator)


def _a_hair_beside(lines: Iterable[Fraction], person: Row) -> Iterator[Row]:
    """Numbers that only more digits than a float holds tell from a line."""
    for line, comparator in product(lines, COMPARATORS):
        number, step = rounded(line, 18)
        for value in (number - step, number, number + step):
            yield person._replace(value=plain(value), comparator=comparator)


def lines_in(analyte: str, drawn: dict[str, Any], spans: Iterable[dict[str, Any]], unit: str) -> list[Fraction]:
    """The lines of a limit set, a critical value or an alert, in a unit."""
    return [reference.line_in(analyte, drawn, line, unit) for line in reference.lines_of(spans)]


NOBODY = Row("", "", "")
ADULT = NOBODY._replace(sex="female", age=40, pregnant=False)
CHILD = NOBODY._replace(sex="male", age=8)


def members(analyte: str, population: dict[str, Any]) -> list[Row]:
    """Somebody of a population of the default set, and the same with one fact unknown."""
    limits = reference.default(analyte)
    assert limits is not None
    asked, contexts = population.get("age_years", {}), frozenset(population.get("requires", ()))
    first = asked.get("at_least", 0)
    for age, sex, trimester in product((34, 8, 2, first), ("female", "male"), (0, 1, 2, 3)):
        person = Person(Fraction(age), sex, trimester)
        if not (sex == "male" and trimester) and reference.population_of(limits, person, contexts) is population:
            known = NOBODY._replace(sex=sex, age=age, pregnant=trimester > 0, contexts=contexts)
            declared = known._replace(contexts=contexts | {f"trimester_{trimester}"}) if trimester else known
            return [declared, declared._replace(sex=None), declared._replace(age=None), known._replace(pregnant=None)]
    raise AssertionError(f"nobody belongs to {population['who']!r} of {limits['id']}")


_RANGES = {
    "homocysteine": ("umol/L", 5, 15), "mma": ("umol/L", Decimal("0.07"), Decimal("0.38")), "magnesium": ("mmol/L", Decimal("0.66"), Decimal("1.07")),
    "adjusted_calcium": ("mmol/L", Decimal("2.2"), Decimal("2.6")), "calcium": ("mmol/L", Decimal("2.15"), Decimal("2.55")),
    "ionized_calcium": ("mmol/L", Decimal("1.15"), Decimal("1.32")), "phosphate": ("mmol/L", Decimal("0.8"), Decimal("1.5")),
    "potassium": ("mmol/L", Decimal("3.5"), Decimal("5.3")), "albumin": ("g/L", 35, 50), "pth": ("pg/mL", 15, 65), "alkaline_phosphatase": ("U/L", 30, 130),
    "creatinine": ("umol/L", 45, 90), "rbc_magnesium": ("mg/dL", Decimal("4.2"), Decimal("6.8")),
    "creatine_kinase": ("U/L", 26, 140), "tsh": ("m[IU]/L", Decimal("0.4"), Decimal("4.2")),
    "iron": ("umol/L", 9, 30), "tibc": ("umol/L", 45, 75), "uibc": ("umol/L", 22, 62), "transferrin": ("g/L", 2, Decimal("3.6")), "mcv": ("fL", 80, 98),
    "cholesterol": ("mmol/L", 3, 5), "triglycerides": ("mmol/L", Decimal("0.5"), Decimal("1.7")),
}  # fmt: skip


def laboratory_ranges(analyte: str, unit: str) -> list[tuple[str | None, str | None]]:
    """Ranges such as laboratories print beside a test, where theirs come first: both ends, and one end alone."""
    if not reference.data_of(analyte).get("lab_range", {}).get("first"):
        return []
    printed_in, *ends = _RANGES[analyte]
    low, high = (plain(rounded(reference.converted(analyte, end, str(printed_in), unit), 3)[0]) for end in ends)
    return [(low, high), (None, high), (low, None)]


# --- at random -----------------------------------------------------------------------------------------------------


def random_rows(n: int, seed: int) -> Iterator[Texts]:
    """Rows of every analyte under known names and in known units, with numbers near the lines; facts are known or missing.

    Args:
        n: How many.
        seed: Of the random numbers.
    """
    rng = random.Random(seed)
    for _ in range(n):
        yield _random_row(rng)


def _random_row(rng: random.Random) -> Texts:
    analyte = rng.choice(reference.analytes())
    unit = rng.choice(_units_of(analyte)[0 if rng.random() < 0.93 else 1 if rng.random() < 0.7 else 2])
    person, words = _somebody(rng)
    known = person._replace(analyte=analyte, unit=unit, **_value(rng, analyte, unit))
    known, ranges = _with_range(rng, known)
    columns = {**words, **ranges, "test": _name(rng, analyte), "unit": _spelled(rng, unit)}
    columns |= {"specimen": _specimen(rng, analyte), "loinc": _code(rng, analyte, unit), "patient_id": str(rng.randrange(10_000))}
    row = row_of(known, **columns)
    if known.comparator in COMPARATORS[1:] and rng.random() < 0.4:
        row |= {"value": known.value, "comparator": rng.choice(_SIGNS[known.comparator])}
    if (
        rng.random() < 0.1 and reference.worth(analyte, unit) is not None and " " not in row["unit"] and unit != "1"
    ):  # nobody writes "0.25 1"
        row |= {"value": f"{row['value']} {row['unit']}", "unit": None}
    return row


_SIGNS = {"<": ("<",), ">": (">", " > "), "<=": ("<=", "≤", "=<"), ">=": (">=", "≥", "=>")}


@lru_cache
def _units_of(analyte: str) -> tuple[list[str], list[str], list[str]]:
    """The usual units of an analyte, all it can be converted to, and some it cannot."""
    known = [unit["ucum"] for unit in reference.read("units.toml")["unit"]]
    able = [unit for unit in known if reference.worth(analyte, unit) is not None]
    return reference.data_of(analyte)["units"]["usual"], able, sorted(set(known) - set(able))


@lru_cache
def _spellings(unit: str) -> list[str]:
    (found,) = [one for one in reference.read("units.toml")["unit"] if one["ucum"] == unit]
    spelled = [unit, unit, *found["spellings"], *found.get("exact", ())]
    if unit[0] == "u" and found["kind"] in ("mass", "substance"):
        spelled += ["µ" + unit[1:], "μ" + unit[1:], "mc" + unit[1:]]
    if found["kind"] in ("mass", "substance", "equivalent") and "/" in unit:
        spelled += [unit.upper(), unit.replace("/", " / "), unit.replace("/", " per "), unit.replace("/", "·") + "⁻¹"]
    return spelled


def _spelled(rng: random.Random, unit: str) -> str:
    return unit if rng.random() < 0.5 else rng.choice(_spellings(unit))


def _name(rng: random.Random, analyte: str) -> str:
    data = reference.data_of(analyte)
    # a name such as "Calcium [Moles/volume] in Serum" promises a kind of unit
    name = str(rng.choice([data["name"], *(name for listed in data["identity"]["names"].values() for name in listed if "[" not in name)]))
    return rng.choice((name, name, name.upper(), name.lower())) if name.isascii() else name


def _specimen(rng: random.Random, analyte: str) -> str | None:
    if rng.random() < 0.7:
        return None
    key = rng.choice(reference.data_of(analyte)["identity"]["specimens"])
    return str(rng.choice([key, *reference.read("policy.toml")["specimens"][key]]))


def _code(rng: random.Random, analyte: str, unit: str) -> str | None:
    """One of the analyte's codes that promises units such as this one."""
    codes = [code["code"] for code in reference.data_of(analyte)["identity"].get("loinc", ()) if code["kind"] == reference.family(unit)]
    return rng.choice(codes) if codes and rng.random() < 0.15 else None


def _value(rng: random.Random, analyte: str, unit: str) -> dict[str, Any]:
    """Value, comparator and the end of a range."""
    if reference.worth(analyte, unit) is None:
        return {"value": plain(rounded(Fraction(rng.randint(1, 9999), 100), 3)[0])}
    lines, (_, ordinary) = _lines(analyte, unit), reference.believed_in(analyte, unit)
    if lines and rng.random() < 0.1:
        return {"value": rng.choice(on_and_beside(rng.choice(lines))), "comparator": rng.choice(COMPARATORS)}
    if lines and rng.random() < 0.6:
        number = float(rng.choice(lines)) * 2 ** rng.gauss(0, 0.6)
    else:
        low = max(ordinary.first, ordinary.last / 3000)
        number = low * (ordinary.last / low) ** rng.uniform(-0.05, 1.05)
    number *= 1000 ** rng.choice((-1, 1)) if rng.random() < 0.02 else 1
    value = rounded(Fraction(number), rng.choice((2, 3, 3, 4)))[0]
    drawn = rng.random()
    if drawn < 0.03:
        return {"value": plain(value), "comparator": "~", "top": plain(value + rounded(Fraction(number) * rng.choice((1, 2, 5)) / 5, 2)[0])}
    return {"value": plain(value), "comparator": rng.choice(COMPARATORS[1:]) if drawn < 0.2 else ""}


@lru_cache
def _lines(analyte: str, unit: str) -> list[Fraction]:
    limits = reference.default(analyte)
    bands = [band for population in limits["populations"] for band in population["bands"]] if limits else []
    return lines_in(analyte, limits or {}, bands, unit)


# --- people -----------------------------------------------------------------------------------------------------------

_SEX_WORDS = {
    "female": ("female", "F", "f", "Woman", "weiblich", "Frau", "femme", "v"), "male": ("male", "M", "m", "man", "Mann", "homme"),
    None: (None, None, "unknown", "other", "x", ""),
}  # fmt: skip
_PREGNANCY_WORDS = {
    True: ("yes", "Y", "true", "1", "schwanger"), False: ("no", "N", "False", "0", "nein", "not pregnant"), None: (None, None, "", "unknown"),
}  # fmt: skip
_AGES = (0, 1, 4, 5, 9, 10, 11, 12, 15, 16, 17, 18, 19, 20, 59, 60, 64, 65, 66, 99)


def _somebody(rng: random.Random) -> tuple[Row, dict[str, str | None]]:
    """A person, and the columns that say so."""
    sex = rng.choice(("female", "female", "male", "male", None))
    age, words = _age(rng)
    pregnant = rng.choice((None, False, False, True)) if sex != "male" else None if rng.random() < 0.95 else True
    contexts, said = _contexts(rng, sex, pregnant)
    words |= {"sex": rng.choice(_SEX_WORDS[sex]), "context": said, "pregnant": rng.choice(_PREGNANCY_WORDS[pregnant])}
    if pregnant and rng.random() < 0.4:
        trimester = rng.randint(1, 3)
        words["pregnant"] = rng.choice((f"T{trimester}", f"trimester {trimester}", ("1st", "2nd", "3rd")[trimester - 1] + " trimester"))
        contexts = frozenset(c for c in contexts if c[:9] != "trimester") | {f"trimester_{trimester}"}
        words["context"] = "; ".join(sorted(contexts)) if said else None
    return NOBODY._replace(sex=sex, age=age, pregnant=pregnant, contexts=contexts), words


def _age(rng: random.Random) -> tuple[int | Fraction | None, dict[str, str | None]]:
    years = rng.choice(_AGES) if rng.random() < 0.4 else rng.randint(0, 100)
    drawn = rng.random()
    if drawn < 0.2:
        return None, {"age_years": rng.choice((None, None, "", "n/a"))}
    if drawn < 0.3:
        months = rng.choice([m for m in range(1, 240) if m % 12])
        return Fraction(months, 12), {"age_years": f"{months} {rng.choice(('months', 'mo', 'Monate', 'm'))}"}
    if drawn < 0.35:
        quarters = rng.randint(0, 99) * 4 + rng.randint(1, 3)
        return Fraction(quarters, 4), {"age_years": f"{quarters / 4}".replace(".", rng.choice(".,"))}
    if drawn < 0.5:
        collected = date(rng.randint(2012, 2025), rng.randint(1, 12), rng.randint(1, 28))
        born = date.fromordinal(max(1, collected.toordinal() - int(years * 365.25) - rng.randint(0, 364)))
        lived: int | Fraction = collected.year - born.year - ((collected.month, collected.day) < (born.month, born.day))
        if lived < 2:  # lines for small children are drawn by months, which the dates tell: the middle of the running one
            months = (collected.year - born.year) * 12 + collected.month - born.month - (collected.day < born.day)
            lived = Fraction(2 * months + 1, 24) if months else Fraction((collected - born).days * 4, 1461)  # and in the first one by days
        days = {"birth_date": _day(rng, born), "collected_at": _day(rng, collected)}
        return lived, {"age_years": rng.choice((None, None, "unknown")), **days}
    return years, {"age_years": rng.choice(("{}", "{}", "{} y", "{} Jahre", "{}+", "{} yrs")).format(years)}


def _day(rng: random.Random, day: date) -> str:
    return rng.choice((f"{day}", f"{day}", f"{day}T08:30:00", f"{day:%Y%m%d}", f"{day:%d.%m.%Y}", f"{day} 23:59"))


def _contexts(rng: random.Random, sex: str | None, pregnant: bool | None) -> tuple[frozenset[str], str | None]:
    if rng.random() < 0.75:
        return frozenset(), None
    listed = reference.read("policy.toml")["contexts"]
    can_be = [c for c in listed if c[:9] != "trimester"]
    found = {rng.choice(("inflammation", "inflammation", "ckd", rng.choice(can_be))) for _ in range(rng.choice((1, 1, 2)))}
    if sex == "female" and pregnant is not False and rng.random() < 0.3:
        found.add(f"trimester_{rng.randint(1, 3)}")
    words = [rng.choice([one, *(name for name in listed[one].get("names", ()) if not re.search("[;,|]", name))]) for one in sorted(found)]
    return frozenset(found), rng.choice(("; ", ";", ", ", " | ")).join(words)


# --- the laboratory's own range ---------------------------------------------------------------------------------------


def _with_range(rng: random.Random, known: Row) -> tuple[Row, dict[str, str | None]]:
    """A printed range around what is normal, in columns or as text; now and then one that is in another unit, for a person of known age."""
    first = reference.data_of(known.analyte).get("lab_range", {}).get("first")
    if rng.random() > (0.5 if first else 0.05) or reference.worth(known.analyte, known.unit) is None:
        return known, {}
    low, high = _around_normal(rng, known.analyte, known.unit)
    if known.age is not None and rng.random() < 0.1:
        factor = rng.choice((Fraction(1, 1000), Fraction(1, 10), Fraction("0.41"), Fraction("2.43"), 10, 1000))
        low, high = low * factor, high * factor
    bottom, top = (plain(rounded(end, rng.choice((2, 3)))[0]) for end in (low, high))
    sides = rng.random()
    if sides < 0.3:
        known, end, ends = (known._replace(high=top), top, "ref_high") if sides < 0.2 else (known._replace(low=bottom), bottom, "ref_low")
        words = ("<= {}", "≤{}", "bis {}", "up to {}") if sides < 0.2 else (">= {}", "≥{}", "at least {}")
        return known, {} if rng.random() < 0.5 else {ends: None, "ref_text": rng.choice(words).format(end)}
    known = known._replace(low=bottom, high=top)
    form = rng.choice((None, "{}-{}", "{} - {}", "{} – {}", "({} to {})", "[{}–{}]"))
    as_text = {"ref_low": None, "ref_high": None, "ref_text": form and form.format(bottom, top)}
    return known, as_text if form else {"flag": rng.choice((None, "H", "L", "*"))}


def _around_normal(rng: random.Random, analyte: str, unit: str) -> tuple[Fraction, Fraction]:
    """Ends on both sides of a number that everybody's lines call normal."""
    if analyte in _RANGES:
        printed_in, *ends = _RANGES[analyte]
        low, high = (reference.converted(analyte, end, str(printed_in), unit) for end in ends)
    else:
        _, ordinary = reference.believed_in(analyte, unit)
        low, high = Fraction(ordinary.last) / 10, Fraction(ordinary.last) / 2
    return low * Fraction(rng.uniform(0.6, 1.05)), high * Fraction(rng.uniform(0.95, 1.5))


# --- dirty -------------------------------------------------------------------------------------------------------------


def dirty_rows(n: int, seed: int) -> Iterator[Texts]:
    """Rows as exports really hold them, with one to four things odd or wrong in each; nobody says what they mean.

    Args:
        n: How many.
        seed: Of the random numbers.
    """
    rng = random.Random(seed)
    for _ in range(n):
        row = _random_row(rng)
        known = row.pop(KNOWN)
        for kind in rng.choices(_KINDS, k=rng.choice((1, 1, 2, 3, 4))):
            row |= _SOILS[kind](rng, known, row) if kind in _SOILS else {kind: rng.choice(_ODD[kind])}
        yield row


# Texts that stand in a column whatever the rest of the row says.
_ODD: dict[str, tuple[str | None, ...]] = {
    "value": (
        None, "", " ", "-", "--", "hemolyzed", "hämolysiert", "see comment", "QNS", "pending", "n/a", "NaN", "nan", "inf", "-inf", "1e400",
        "1e-400", "-1e400", "12d", "12f", "0x1p3", "1_000", "１２", "१२", "٣", "12..5", "1,2,3", "1.2.3", "negative", "not detected", "5+", "12-", "-3",
        "1/2", "3:4", "<", "> ", "<>5", "<-5", "12 34", "12 345", "123 456", "1'2", "1.234", "12,345", "1,060", "0,123", "0", "0.0", "00.5", "007",
        "0.40000000000000001", "0.69999999999999999", "30.0000000000000001", "9" * 30, "1" * 90, "12.5 mg 3", "12.5;13", "1E2", "1e+2",
        "12.5\t", "\ufeff12.5", "12.5\u200b", "true", "12 %", "1.060,5", "1,060.5", "1.060.500", "1 060,5", "12.50 H L", "H", "L 12", "**", "<0", "<=0",
        ">0", "> 1 500", "> 1\u00a0500", "±5", "≈ 5", "12.5 (ref 10-20)",
    ),
    "sex": ("?", "1", "2", "FEMALE ", " male", "Fem", "W", "w.", "Männlich", "NA", "null", "", " ", "divers", "f\u00a0", "Mädchen"),
    "age_years": (
        "", " ", "n/a", "-1", "131", "130", "130.5", "0", "0.0", "NaN", "inf", "thirty", "34,5", "34.0", " 34 ", "1e1", "85+", "≥90", ">89", "90 +",
        "6 months", "12 months", "24 mo", "216 m", "10 d", "0 d", "365 d", "366 days", "30 wk", "18y", "17.9999", "18.0001", "64.9999", "4.99",
        "10.9999", "11.5", "034", "34 years old", "19-29", "1985",
    ),
    "specimen": (
        "serum", "Plasma", "urine", "Harn", "Erys", "Erythrozyten", "red cells", "RBC", "whole blood", "Serum, gel tube", "blood", "EDTA", "mars rock",
        "", " ", "?", "CSF", "ser/plas", "S", "P", "U", "hair", "serum\u00a0", "plasma (urine)", "cord blood", "24h urine", "DBS",
    ),
    "pregnant": (
        "yes", " yes ", "YES", "T1", "t2", "T4", "2nd trimester", "trimester", "trimester 9", "first trimester", "Trimenon 3", "schwanger",
        "maybe", "2", "-1", "", " ", "n/a", "t", "f",
    ),
    "comparator": ("<", ">", "<=", ">=", "≤", "≥", "=<", "=>", "=", "", " ", " < ", "~", "?", "<<", "lt", "&lt;"),
    "flag": ("H", "L", "HH", "LL", "N", "*", "A", "(H)", "high", "↑", "", " ", "?", "normal", "within range"),
    "context": (
        "inflammation", "CKD", "Entzündung;ckd stage 4", "trimester 1", "T3, T1", "first trimester | on iron", "bogus", "ckd; bogus", "", " ", ";",
        "haemodialysis/ckd", "INFECTION", "acute  phase", "T2; inflammation",
    ),
}  # fmt: skip
_UNITS = (
    None, "", " ", "-", "n/a", "NULL", "units", "arb. units", "index", "ng/m", "ng / ml (calc)", "[ng/mL]", "(ng/mL)", "ng/mL (RBC)", "ug/100 ml",
    "mg/100mL", "IU/mL", "mU/L", "MU/L", "mM", "MM", "nM", "µM", "G/L", "T/L", "%", "1", "l/l", "mmol/mol creat", "mg/24h", "ng/ml^^L", "Âµg/L", "\ufffdg/L",
    "micrograms/liter", "ng mL-1", "nmol L^-1", "g%", "mg%", "meq", "mg", "/uL", "mval/l", "mL/min", "ml/min/1,73m²", "ppm", "x" * 70, "nmol/L nmol/L", "мкг/л",
    "ug/g", "ng/L.", "'ng/mL'",
)  # fmt: skip
_NAMES = (
    None, "", " ", "Zonulin", "Troponin T", "Selenium", "Unlisted test 7", "Ferritin/CRP", "vitamin D3", "25(OH)D3", "FER", "Mg++", "HTC", "1,25-dihydroxyvitamin D",
    "urine creatinine", "Folat im Erythrozyten", "Ferritin [Mass/volume] in Serum or Plasma", "Ferritin [ng/mL]", "Ferritin (pmol/L)", "Cobalamin (Vitamin B12)",
    "Magnesium [Moles/volume] in Serum or Plasma", "Magnesium [Mass/volume] in Red Blood Cells", "S-Ferritin", "Magnesium i plasma", "U-Magnesium",
    "ferritin\u00a0", "  B12 ", "B-12", "Vit. B12 (aktiv)", "vitamin b 12", "Ferritin Ferritin", "x" * 250, "2132-9", "2276-4", "12345-6", "1990-1", "2161-8",
    "Iron", "Eisen", "FERRITIN\t", "Homocysteine (fasting)", "MMA, urine", "葉酸", "CRP (hs) [mg/dL]", "eGFR (CKD-EPI)", "eGFR non-AA", "folate, RBC",
)  # fmt: skip
_AROUND_NAMES = (
    "{} serum", "{}, plasma", "S-{}", "{} (total)", "{} level", "{} im Urin", "{} [{}]", "{} in Erythrozyten", "{}*", "{} 2", "RBC {}", "hs-{}", "{}\u00a0",
)  # fmt: skip
_CODES = ("LOINC:{}", "http://loinc.org|{}", " {} ", "{}9", "12345-6", "99999-9", "n/a", "-", "L-1234", "")
_SIGNED = (
    "",
    "",
    "<",
    "< ",
    "<=",
    "≤",
    "> ",
    ">",
    "≥ ",
    "=<",
    "&lt;",
    "less than ",
    "kleiner als ",
    "> = ",
    ">^",
    "~",
    "ca. ",
    "Less Than ",
)
_FLAGGED = ("", "", " H", " L", "*", " (H)", " [L]", " HH", " +", "+", "↑", " ↓", " high", "!", " abnormal", " N")
_RANGED = (
    "{0}-{1}", "{0} - {1}", "{0}–{1}", "({0} - {1})", "[{0}-{1}]", "{0} to {1}", "{0} bis {1} {2}", "{0} - {1} {2}", "{0}-{1} mmol/L", "<{1}", "< {1} {2}",
    "<= {1}", "≤{1}", "> {0}", ">={0}", "up to {1}", "bis {1}", "at least {0}", "{1}-{0}", "0-0", "0 - {1}", "see note", "-", "", " ", "{0}", "{0}-", "-{1}",
    "{0} ~ {1}", "{0}..{1}", "m: {0}-{1}", "{0}-{1} ↑", "{0} - {1} - {1}", "<{1} or >{0}",
)  # fmt: skip
_DAYS = (
    "2024-02-29", "2000-02-29", "2006-02-28", "2018-03-01", "1958-11-30", "2023-11-30", "20240131", "31.01.2024", "31/01/2024", "01/31/2024", "01/02/2024",
    "2/2/2024", "2024/03/04", "2024-02-30", "13.13.2020", "", " ", "n/a", "1890-01-01", "0001-01-01", "9999-12-31", "2024-06-01T10:00:00Z",
    "2024-06-01T23:30:00-05:00", "2024-06-01 08:00", "202406010800", "20240601080000", "June 2024", "45321", "2024-6-1", "1959-06-01", "2008-06-02",
    "2008-05-31", "2024-06-01", "2019-06-01", "2013-06-02", "2023-06-02", "2012-06-01",
)  # fmt: skip


def _digits(rng: random.Random) -> str:
    """A number in one of the notations laboratories print, or nearly."""
    whole = str(rng.choice((rng.randint(0, 9), rng.randint(10, 999), rng.randint(1000, 2_000_000))))
    part = "".join(rng.choices("0123456789", k=rng.choice((1, 2, 3, 4, 7))))
    grouped = f"{int(whole):,}".replace(",", rng.choice((",", ".", " ", "'", "\u00a0", "\u202f", "\u2019")))
    point = rng.choice(".,")
    return rng.choice((
        whole, f"{whole}.{part}", f"{whole},{part}", grouped, f"{grouped}{point}{part}", f"{point}{part}", f"{whole}.", f"0{whole}{point}{part}",
        f"{whole}.{part}e{rng.randint(-3, 3)}", f"{whole}{point}{part} x 10^{rng.randint(-2, 3)}", f"{whole}·10²", f"+{whole}.{part}", f"-{whole}",
        f"0.{'0' * rng.randint(0, 6)}{part}{rng.randint(10**9, 10**12)}", f"{whole}{part}{rng.randint(10**9, 10**12)}",
    ))  # fmt: skip


def _spaced(rng: random.Random, text: str) -> str:
    space = rng.choice((" ", "  ", "\t", "\u00a0", "\u2009", "\u202f"))
    return rng.choice((text, text, text, f" {text}", f"{text} ", f"{space}{text}{space}", text.replace(" ", space), text.replace(" ", "")))


def _any_unit(rng: random.Random) -> str:
    return rng.choice(_spellings(rng.choice(reference.read("units.toml")["unit"])["ucum"]))


def _dirty_value(rng: random.Random, known: Row, row: Texts) -> Texts:
    """A number with a comparator, a flag or a unit around it, a range, or two numbers."""
    number = rng.choice((known.value, known.value.replace(".", ","), known.value.replace(".", ","), _digits(rng)))
    sign, flag, end = rng.choice(_SIGNED), rng.choice(_FLAGGED), rng.choice((known.top, _digits(rng), known.value, "1"))
    unit = rng.choice(
        ("", "", "", f" {known.unit}", known.unit, f" {_spelled(rng, known.unit)}", f" {_any_unit(rng)}", " mg/dL", " (calc)")
    )
    whole = (
        f"{sign}{number}{unit}{flag}",
        f"{sign}{number}{flag}{unit}",
        f"{flag.strip()} {sign}{number}{unit}",
        f"({sign}{number})",
        f'"{number}"',
    )
    parts = (f"{number}-{end}{unit}", f"{number} - {end}", f"{number} bis {end}", f"{number}/{end}", f"{number} {end}")
    return {"value": _spaced(rng, rng.choice((*whole, *parts)))}


def _dirty_unit(rng: random.Random, known: Row, row: Texts) -> Texts:
    spelled = _spelled(rng, known.unit)
    return {"unit": rng.choice((rng.choice(_UNITS), _any_unit(rng), _spaced(rng, spelled), f"{spelled} (calc)"))}


def _dirty_name(rng: random.Random, known: Row, row: Texts) -> Texts:
    """A name that is not known or means another test, or a known one with words around it."""
    identity = reference.data_of(rng.choice((known.analyte, known.analyte, rng.choice(reference.analytes()))))["identity"]
    odd = [one["name"] for one in identity.get("ambiguous", ())] + [name for one in identity.get("never", ()) for name in one["names"]]
    own = str(row["test"] or "")
    around = rng.choice(_AROUND_NAMES).format(own, known.unit)
    return {"test": rng.choice((rng.choice(_NAMES), around, around, rng.choice([*odd, own]), _spaced(rng, own)))}


def _dirty_code(rng: random.Random, known: Row, row: Texts) -> Texts:
    """A code of this test, of another or of none; now and then in place of the name."""
    identity = reference.data_of(rng.choice((known.analyte, rng.choice(reference.analytes()))))["identity"]
    code = rng.choice([code["code"] for name in ("loinc", "never_loinc") for code in identity.get(name, ())] or ["2276-4"])
    own = row["test"]
    return {
        "loinc": rng.choice((code, code, rng.choice(_CODES).format(code))),
        "test": rng.choice((own, own, own, None, "", code, "unlisted")),
    }


def _dirty_range(rng: random.Random, known: Row, row: Texts) -> Texts:
    """The laboratory's range in any form, in this unit or another."""
    low, high = "1", "5"
    if reference.worth(known.analyte, known.unit) is not None:
        unit = rng.choice((known.unit, known.unit, rng.choice(_units_of(known.analyte)[0])))
        low, high = (format(rounded(end, rng.choice((2, 3)))[0], "f") for end in _around_normal(rng, known.analyte, unit))
    if rng.random() < 0.25:
        low, high = low.replace(".", ","), high.replace(".", ",")
    text = rng.choice(_RANGED).format(low, high, known.unit)
    start = rng.choice((low, low, f">{low}", f">={low}", f"{low} ", "0", "", "-", None))
    end = rng.choice((high, high, f"<{high}", f"<={high}", f" {high} ", "0", "", "n/a", low, None))
    ends = {"ref_low": start, "ref_high": end, "ref_text": None}
    return rng.choice((ends, {"ref_low": None, "ref_high": None, "ref_text": text}, {**ends, "ref_text": text}))


def _dirty_days(rng: random.Random, known: Row, row: Texts) -> Texts:
    age = rng.choice((None, None, None, "", "unknown", row["age_years"]))
    return {"age_years": age, "birth_date": rng.choice(_DAYS), "collected_at": rng.choice(_DAYS)}


_SOILS: dict[str, Callable[[random.Random, Row, Texts], Texts]] = {
    "a number": _dirty_value, "a unit": _dirty_unit, "a name": _dirty_name, "a code": _dirty_code, "a range": _dirty_range, "days": _dirty_days,
}  # fmt: skip
_KINDS = (*_ODD, "value", *_SOILS, *_SOILS, *["a number"] * 4, "a range")
