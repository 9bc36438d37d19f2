"""A plain interpreter of one result, in exact rationals, from the data files alone: what the library has to agree with.

It is slow and simple on purpose, and shares no code with the library: `judge` tries every person that somebody may be, and asks
of every band whether the value may lie in it. It knows the default limit set of each analyte and structured rows; names,
spellings and dirty numbers are not its subject.

Numbers are exact until they are compared. A line is where its source prints it, else where the molar mass puts it, and is kept
as the nearest float; so is a value. A value with more digits than a float holds stays on its own side of the line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import inf, nextafter
from pathlib import Path
from typing import Any, NamedTuple

DATA = Path(__file__).resolve().parents[1] / "reference_ranges"
LOW, HIGH = {"LL", "LU", "L"}, {"HH", "HU", "H"}
SURE_DIGITS = 15  # so many digits of a decimal number are kept apart by a float


class Row(NamedTuple):
    """One result of an analyte in a UCUM unit, and what is known of the person.

    `value` is the text of a plain decimal number; for a range (`comparator == "~"`) its lower end, and `top` the upper one. A whole `age`
    is in completed years, a fraction is exact, None is unknown. `low` and `high` are the laboratory's own range.
    """

    analyte: str
    unit: str
    value: str
    comparator: str = ""
    top: str = ""
    sex: str | None = None
    age: int | Fraction | None = None
    pregnant: bool | None = None
    contexts: frozenset[str] = frozenset()
    low: str | None = None
    high: str | None = None


class Answer(NamedTuple):
    """What has to be said of a row; None where there is nothing to say."""

    code: str | None = None
    band: str | None = None
    limits: str | None = None
    reason: str | None = None


class Person(NamedTuple):
    """Somebody a row may be about; the state of pregnancy is a trimester, or 0."""

    age: Fraction
    sex: str
    trimester: int


@cache
def judge(row: Row) -> Answer:
    """The answer to a row by the default limits. Several tests ask for the same rows: worked out once."""
    data = data_of(row.analyte)
    if worth(row.analyte, row.unit) is None:
        return Answer(reason="incompatible_unit")
    if not believable(row):
        return Answer(reason="implausible")
    limits = moved(row.analyte, row.contexts)
    own = Answer(reason="authority_gives_no_limit") if limits is None else by_limits(row, limits)
    answer = with_laboratory(row, own) if data.get("lab_range", {}).get("first") else own
    if answer.reason is None:
        for critical in data.get("critical", ()):
            if in_force(critical) and surely_in(row, critical):
                answer = answer._replace(code=critical["code"])
    return answer


# --- the files ------------------------------------------------------------------------------------------------


@cache
def read(name: str) -> dict[str, Any]:
    """One file of the data, its numbers exact."""
    return tomllib.loads((DATA / name).read_text("utf-8"), parse_float=Decimal)


def data_of(analyte: str) -> dict[str, Any]:
    """The file of an analyte."""
    return read(f"analytes/{analyte}.toml")


@cache
def analytes() -> list[str]:
    """The ids of all analytes."""
    return sorted(path.stem for path in (DATA / "analytes").glob("*.toml"))


@cache
def default(analyte: str) -> dict[str, Any] | None:
    """The limit set that answers when nobody asks for another; None where the catalog draws no line."""
    data = data_of(analyte)
    (found,) = [s for s in (*data.get("limits", ()), *data.get("no_limit", ())) if s["id"] == data["default"]]
    assert in_force(found), f"{found['id']} is not in force on the day of the catalog"
    for population in found.get("populations", ()):
        for part, in_a_year in (("age_months", Fraction(12)), ("age_days", Fraction(1461, 4))):
            if part in population:
                population["age_years"] = {word: Fraction(lived) / in_a_year for word, lived in population.pop(part).items()}
    return found if "populations" in found else None


@cache
def moved(analyte: str, contexts: frozenset[str]) -> dict[str, Any] | None:
    """The default set with the amount by which declared circumstances move its lines; without populations where they contradict each other."""
    limits = default(analyte)
    if limits is None or "shifts" not in limits:
        return limits
    kinds = {name: context["one_of"] for name, context in read("policy.toml")["contexts"].items() if "one_of" in context}
    asked = {kinds[name] for shift in limits["shifts"] for name in shift["requires"] if name in kinds}
    declared = [kinds[name] for name in contexts if kinds.get(name) in asked]
    if len(declared) > len(set(declared)):
        return {**limits, "contradicted": True}
    return {**limits, "moved": sum(shift["add"] for shift in limits["shifts"] if set(shift["requires"]) <= contexts)}


@cache
def today() -> date:
    """The day whose limits are used."""
    words = dict(line.split() for line in (DATA / "VERSION").read_text("utf-8").splitlines() if line and line[0] != "#")
    return date.fromisoformat(words["as_of"])


def in_force(entry: dict[str, Any]) -> bool:
    """Whether a set or a critical value is in force on that day."""
    days = entry.get("in_force", {})
    return bool(days.get("from", date.min) <= today() < days.get("until", date.max))


# --- units ------------------------------------------------------------------------------------------------------

_CONCENTRATION = re.compile(r"([munp]?)(g|mol|eq)/([dm]?)L")
_POWER = {"": 0, "d": -1, "m": -3, "u": -6, "n": -9, "p": -12}
_KIND = {"g": "mass", "mol": "substance", "eq": "equivalent"}
# units that are no mass, amount or charge in a volume: how much one is of the others in its row; rows never meet
_ROWS: tuple[dict[str, Fraction], ...] = (
    {"mL/min/{1.73_m2}": Fraction(1), "mL/s/{1.73_m2}": Fraction(60)},
    {"U/L": Fraction(1), "U/dL": Fraction(10), "U/mL": Fraction(1000), "kU/L": Fraction(1000), "ukat/L": Fraction(60), "nkat/L": Fraction(6, 100)},
    {"m[IU]/L": Fraction(1), "u[IU]/mL": Fraction(1), "m[IU]/mL": Fraction(1000), "[IU]/L": Fraction(1000), "[IU]/dL": Fraction(10**4),
     "[IU]/mL": Fraction(10**6), "k[IU]/L": Fraction(10**6)},
    {"umol/mmol": Fraction(1), "mmol/mol": Fraction(1)},
    {"mg/g": Fraction(1)},
    {"%": Fraction(1), "1": Fraction(100)},
    {"fL": Fraction(1)},
)  # fmt: skip

# parts of an international unit of an enzyme, in U/L; a whole one reads as U/L in the row above
_SMALL = {"m[IU]/L": Fraction(1, 1000), "m[IU]/mL": Fraction(1), "u[IU]/mL": Fraction(1, 1000), "k[IU]/L": Fraction(1000)}


@cache
def kind(unit: str) -> str:
    """What a unit counts."""
    (found,) = [u["kind"] for u in read("units.toml")["unit"] if u["ucum"] == unit]
    return str(found)


def family(unit: str) -> str:
    """Units in which a line is the same line: an equivalent is an amount times a whole number."""
    return {"equivalent": "substance"}.get(kind(unit), kind(unit))


@cache
def worth(analyte: str, unit: str) -> Fraction | None:
    """How much one of a unit is, in one measure for all units of an analyte; None for a unit it is not reported in."""
    units = data_of(analyte)["units"]
    if kind(unit) in {refused["kind"] for refused in units.get("refuse", ())}:
        return None
    for row in _ROWS:
        if units["si"] in row:
            # of an enzyme, an international unit is a unit: 1 umol a minute
            return row.get(
                unit.replace("[IU]", "U") if kind(units["si"]) == "activity" else unit,
                _SMALL.get(unit) if kind(units["si"]) == "activity" else None,
            )
    parts = _CONCENTRATION.fullmatch(unit)
    if parts is None:
        return None
    assert kind(unit) == _KIND[parts[2]]
    size, moiety = Fraction(10) ** (_POWER[parts[1]] - _POWER[parts[3]]), units["moiety"]
    if kind(unit) == "equivalent":
        if "valence" not in moiety:
            return None
        size /= moiety["valence"]
    if family(unit) != family(units["si"]):
        if "molar_mass" not in moiety or {family(unit), family(units["si"])} != {"mass", "substance"}:
            return None
        mass = Fraction(moiety["molar_mass"])
        size = size / mass if family(unit) == "mass" else size * mass
    return size


def converted(analyte: str, number: Any, source: str, target: str) -> Fraction:
    """A number of one unit in another unit of the analyte."""
    one, other = worth(analyte, source), worth(analyte, target)
    assert one is not None
    assert other is not None
    return Fraction(number) * one / other


def in_si(row: Row) -> tuple[Fraction, str]:
    """The exact value of a row in the SI unit of its analyte, and that unit."""
    si = data_of(row.analyte)["units"]["si"]
    return converted(row.analyte, row.value, row.unit, si), si


def line_in(analyte: str, drawn: dict[str, Any], line: Any, unit: str) -> Fraction:
    """Where a line lies in a unit: where the source prints it for this unit or another of its family, else by conversion."""
    if drawn.get("moved"):
        return line_in(analyte, {**drawn, "moved": 0}, line, unit) + converted(analyte, drawn["moved"], drawn["unit"], unit)
    printed = {drawn["unit"]: line}
    for other, pairs in drawn.get("also_in", {}).items():
        for here, there in pairs:
            if here == line:
                printed[other] = there
    for other in (unit, drawn["unit"], *printed):
        if other in printed and family(other) == family(unit):
            return converted(analyte, printed[other], other, unit)
    return converted(analyte, line, drawn["unit"], unit)


# --- where a value lies ---------------------------------------------------------------------------------------------


class Stretch(NamedTuple):
    """All floats from one to another, both counted."""

    first: float = -inf
    last: float = inf

    def meets(self, other: Stretch) -> bool:
        return self.first <= other.last and other.first <= self.last

    def lies_in(self, other: Stretch) -> bool:
        return other.first <= self.first and self.last <= other.last


WORDS = ("below", "at_most", "at_least", "above")


_KNOWN: dict[tuple[int, int, str], Stretch] = {}  # the files are read once, so that a table in them is told by its place in memory


def stretch_of(analyte: str, drawn: dict[str, Any], span: dict[str, Any], unit: str) -> Stretch:
    """The floats inside a span of the data (a band, a critical value, an alert), in a unit."""
    key = (id(drawn), id(span), unit)
    if key not in _KNOWN:
        ends = {word: float(line_in(analyte, drawn, span[word], unit)) for word in WORDS if word in span}
        first = ends["at_least"] if "at_least" in ends else nextafter(ends["above"], inf) if "above" in ends else -inf
        last = ends["at_most"] if "at_most" in ends else nextafter(ends["below"], -inf) if "below" in ends else inf
        _KNOWN[key] = Stretch(first, last)
    return _KNOWN[key]


def lines_of(spans: Iterable[dict[str, Any]]) -> list[Any]:
    """The numbers at which spans begin or end, as printed."""
    return sorted({span[word] for span in spans for word in WORDS if word in span})


def number_of(row: Row, drawn: dict[str, Any], spans: Iterable[dict[str, Any]]) -> float:
    """The float of a value; beside a line that only its last digits tell it from."""
    number = float(row.value)
    if len(row.value.replace(".", "").lstrip("0")) <= SURE_DIGITS:
        return number
    exact = Fraction(row.value)
    for line in lines_of(spans):
        there = line_in(row.analyte, drawn, line, row.unit)
        if float(there) == number and there != exact:
            return nextafter(number, inf if exact > there else -inf)
    return number


def possible(row: Row, number: float) -> Stretch:
    """The floats a value may stand for."""
    if row.comparator == "<":
        return Stretch(last=nextafter(number, -inf))
    if row.comparator == "<=":
        return Stretch(last=number)
    if row.comparator == ">":
        return Stretch(first=nextafter(number, inf))
    if row.comparator == ">=":
        return Stretch(first=number)
    return Stretch(number, float(row.top) if row.comparator == "~" else number)


def surely_in(row: Row, drawn: dict[str, Any]) -> bool:
    """Whether a value lies in a critical value's or an alert's stretch, whatever it stands for."""
    return possible(row, number_of(row, drawn, [drawn])).lies_in(stretch_of(row.analyte, drawn, drawn, row.unit))


def believable(row: Row) -> bool:
    """Whether the number can be a level of this analyte in this unit; in a unit it is seldom reported in only an ordinary number can."""
    plausible, ordinary = believed_in(row.analyte, row.unit)
    number, top = float(row.value), float(row.top or row.value)
    if ordinary.first <= number and top <= ordinary.last:
        return True
    if row.comparator[:1] == "<":
        return 0 < number <= plausible.last
    return plausible.first <= number and top <= plausible.last


def believed_in(analyte: str, unit: str) -> tuple[Stretch, Stretch]:
    """The plausible and the ordinary numbers in a unit."""
    units = data_of(analyte)["units"]
    plausible, ordinary = (stretch_of(analyte, units[name], units[name], unit) for name in ("plausible", "ordinary"))
    return (plausible if unit in units["usual"] else ordinary), ordinary


# --- whom the lines are for -------------------------------------------------------------------------------------------


@cache
def people(analyte: str, sex: str | None, age: int | Fraction | None, pregnant: bool | None, contexts: frozenset[str]) -> list[Person]:
    """Everybody a row may be about, as far as the default set tells people apart. Each age stands for those up to the next."""
    limits, years = default(analyte), read("policy.toml")["pregnancy_possible_years"]
    assert limits is not None
    spans = [years, *(p["age_years"] for p in limits["populations"] if "age_years" in p)]
    ends = sorted({Fraction(span[end]) for span in spans for end in ("at_least", "below") if end in span})
    first = Fraction(0) if age is None else Fraction(age)
    last = inf if age is None else first + 1 if isinstance(age, int) else first
    found = []
    declared = [n for n in (1, 2, 3) if f"trimester_{n}" in contexts]
    expecting = pregnant or (pregnant is None and len(declared) == 1)
    for one_age in (first, *(end for end in ends if first < end < last)):
        fertile = years["at_least"] <= one_age < years["below"]
        for one_sex in (sex,) if sex else ("female",) if expecting else ("female", "male"):
            if one_sex == "male" or pregnant is False or not (expecting or fertile):
                states = [0]
            else:
                states = [*(() if expecting else (0,)), *(declared or (1, 2, 3))]
            found += [Person(one_age, one_sex, state) for state in states]
    return found


def belongs(population: dict[str, Any], person: Person, contexts: frozenset[str]) -> bool:
    """Whether a population is for a person."""
    years = population.get("age_years", {})
    return (
        population.get("sex", "any") in ("any", person.sex)
        and years.get("at_least", 0) <= person.age < years.get("below", inf)
        and population["pregnant"] in ("any", "yes" if person.trimester else "no")
        and person.trimester in population.get("trimester", (person.trimester,))
        and set(population.get("requires", ())) <= contexts
    )


def population_of(limits: dict[str, Any], person: Person, contexts: frozenset[str]) -> dict[str, Any] | None:
    """The most specific population for a person; nobody in a circumstance the set knows falls back on its general lines."""
    asked = {c for population in limits["populations"] for c in population.get("requires", ())} & contexts
    fitting = [p for p in limits["populations"] if belongs(p, person, contexts) and asked <= set(p.get("requires", ()))]

    def rank(population: dict[str, Any]) -> tuple[Any, ...]:
        years = population.get("age_years", {})
        width = years.get("below", 1000) - years.get("at_least", 0)
        sex = population.get("sex", "any") != "any"
        return len(population.get("requires", ())), "trimester" in population, population["pregnant"] == "yes", sex, -width

    return max(fitting, key=rank, default=None)


@cache
def asked_of(
    analyte: str, sex: str | None, age: int | Fraction | None, pregnant: bool | None, contexts: frozenset[str]
) -> list[tuple[Person, dict[str, Any] | None]]:
    """Everybody a row may be about, with the population that speaks for each."""
    limits = default(analyte)
    assert limits is not None
    found = [(one, population_of(limits, one, contexts)) for one in people(analyte, sex, age, pregnant, contexts)]
    covered = [one.age for one, population in found if population is not None]
    if age is None and covered:  # a year that the print skips contradicts nothing where the age is not known
        found = [(one, p) for one, p in found if p is not None or not min(covered) < one.age < max(covered)]
    if pregnant is None:  # where the authority draws no line for pregnancy, its general line answers
        found = [(one, p) for one, p in found if not one.trimester or p is not None] or found
    return found


def by_limits(row: Row, limits: dict[str, Any]) -> Answer:
    """The answer of a limit set, if it is the same for everybody the row may be about."""
    found = asked_of(row.analyte, row.sex, row.age, row.pregnant, row.contexts)
    if limits.get("contradicted") or all(population is None for _, population in found):
        return Answer(reason="no_limit_for_population")
    speaking = {id(population): population for _, population in found}
    met = {key: None if population is None else bands_met(row, limits, population) for key, population in speaking.items()}
    said = {one: met[id(population)] for one, population in found}
    if row.pregnant is None:
        for one, population in found:
            general = said.get(one._replace(trimester=0))
            if one.trimester and population is not None and general is not None and silent(population, code_of(general)):
                del said[one]
    answers = set(said.values())
    if all(bands is not None and len(bands) > 1 for bands in answers):  # whoever it is, the band cannot be told
        return Answer("IND", None, limits["id"])
    if len(answers) > 1:
        return Answer(reason=f"{deciding_fact(said)}_unknown")
    (bands,) = answers
    assert bands is not None
    return Answer(code_of(bands), bands[0][0] if len(bands) == 1 else None, limits["id"])


Bands = tuple[tuple[str, str], ...]


def bands_met(row: Row, limits: dict[str, Any], population: dict[str, Any]) -> Bands:
    """Key and code of each band in which the value may lie, lowest first."""
    value = possible(row, number_of(row, limits, population["bands"]))
    bands = [band for band in population["bands"] if value.meets(stretch_of(row.analyte, limits, band, row.unit))]
    return tuple((band["key"], band["code"]) for band in bands)


def code_of(bands: Bands) -> str:
    """The code of the one band, or indeterminate."""
    return bands[0][1] if len(bands) == 1 else "IND"


def side_of(code: str | None) -> str | None:
    """The side of normal a code lies on; None for an indeterminate one."""
    return "low" if code in LOW else "high" if code in HIGH else "normal" if code == "N" else None


def silent(population: dict[str, Any], code: str) -> bool:
    """Whether lines for pregnancy say nothing on the side in question, so that they cannot contradict the general ones."""
    return side_of(code) in ("low", "high") and side_of(code) not in {side_of(band["code"]) for band in population["bands"]}


def deciding_fact(said: dict[Person, Bands | None]) -> str:
    """The first fact of age, sex and pregnancy by which two people differ who differ in nothing else and get different answers."""
    for at, fact in enumerate(("age", "sex", "pregnancy")):
        groups: dict[Any, set[Any]] = {}
        for one, bands in said.items():
            groups.setdefault((one[:at], one[at + 1 :]), set()).add(bands)
        if any(len(answers) > 1 for answers in groups.values()):
            return fact
    raise AssertionError(said)


# --- the laboratory's own range -----------------------------------------------------------------------------------------


def with_laboratory(row: Row, own: Answer) -> Answer:
    """The laboratory's own range first; but a severe band stays severe, and stays beside its "normal" where an alert is raised."""
    code = laboratory_code(row)
    if code is None:
        return own
    same_side = side_of(own.code) == side_of(code)
    if own.code in ("LU", "HU") and (same_side or alerted(row)):
        return own
    return Answer(code, data_of(row.analyte)["lab_range"][side_of(code)], "reported")


def alerted(row: Row) -> bool:
    """Whether a critical value or an alert holds for the value."""
    data = data_of(row.analyte)
    alerts = [alert for alert in data.get("alerts", ()) if set(alert.get("requires", ())) <= row.contexts]
    return any(surely_in(row, one) for one in (*data.get("critical", ()), *alerts))


def laboratory_code(row: Row) -> str | None:
    """What the laboratory's range says of everything the value may stand for; None where it cannot tell or is not used."""
    low, high = (None if end is None else Fraction(end) for end in (row.low, row.high))
    if (low is None and high is None) or (high is not None and (high <= 0 or (low is not None and low >= high))):
        return None
    if not in_this_unit(row, low, high):
        return None
    value, top = Fraction(row.value), Fraction(row.top or row.value)
    if row.comparator[:1] == "<":
        if low is not None:  # of everything below, a part lies below the low end
            return "L" if value < low or (value == low and row.comparator == "<") else None
        return "N" if high is not None and value <= high else None
    if row.comparator[:1] == ">":
        if high is not None:
            return "H" if value > high or (value == high and row.comparator == ">") else None
        return "N" if low is not None and value >= low else None
    if low is not None and top < low:
        return "L"
    if high is not None and value > high:
        return "H"
    return "N" if (low is None or low <= value) and (high is None or top <= high) else None


def in_this_unit(row: Row, low: Fraction | None, high: Fraction | None) -> bool:
    """Whether a printed range can be in the unit of the value: believable, and meeting what our own lines call normal, whoever of them the row is about."""
    plausible, ordinary = believed_in(row.analyte, row.unit)
    first, last = (0.0 if low is None else float(low)), (inf if high is None else float(high))
    if any(end not in (0, inf) and not plausible.first <= end <= plausible.last for end in (first, last)):
        return False
    if (low is not None and first > ordinary.last) or (high is not None and last < ordinary.first):
        return False
    limits = moved(row.analyte, row.contexts)
    normal = [stretch for stretch in normals(row, limits) if stretch is not None] if limits else []
    meets = [first <= one.last and last > max(one.first, 0.0) for one in normal]
    if all(meets) or not any(meets):
        return all(meets)
    # it meets the lines of some people only: then it must not meet anybody's in another unit
    others = {converted(row.analyte, 1, unit, row.unit) for unit in data_of(row.analyte)["units"]["usual"]} - {1}
    moved_ends = [(float(Fraction(low or 0) * size), inf if high is None else float(high * size)) for size in others]
    return not any(bottom <= one.last and top > max(one.first, 0.0) for bottom, top in moved_ends for one in normal)


def normals(row: Row, limits: dict[str, Any]) -> Iterator[Stretch | None]:
    """What the lines call normal, for everybody the row may be about; None where they call nothing so."""
    for _, population in asked_of(row.analyte, row.sex, row.age, row.pregnant, row.contexts):
        if population is not None:
            bands = [stretch_of(row.analyte, limits, b, row.unit) for b in population["bands"] if b["code"] == "N"]
            yield Stretch(bands[0].first, bands[-1].last) if bands else None
