"""What goes in: the facts of a person that limits depend on, and one reported result.

Light and frozen. Unknown facts stay None; nothing is assumed.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp.errors import InputError

if TYPE_CHECKING:
    from datetime import date

_SEX = {
    "female": "female", "f": "female", "woman": "female", "w": "female", "weiblich": "female", "frau": "female", "v": "female",
    "vrouw": "female", "femme": "female", "féminin": "female", "mujer": "female", "femenino": "female", "donna": "female",
    "femmina": "female", "girl": "female", "male": "male", "m": "male", "man": "male", "männlich": "male", "maennlich": "male",
    "mann": "male", "homme": "male", "masculin": "male", "hombre": "male", "masculino": "male", "uomo": "male", "maschio": "male",
    "boy": "male",
}  # fmt: skip
# "Other" and "unknown" are honest answers: they leave the sex for reference purposes unknown.
_SEX_UNKNOWN = {"", "u", "unknown", "unk", "o", "other", "x", "d", "divers", "diverse", "intersex", "undifferentiated", "not stated", "n/a", "na", "none", "null"}  # fmt: skip
_OLDEST = 130  # years
_YES = {"yes", "y", "true", "1", "pregnant", "ja", "j", "oui", "si", "sí", "schwanger", "positive", "t"}
_NO = {"no", "n", "false", "0", "not pregnant", "nein", "nee", "non", "negative", "f"}


class Age(NamedTuple):
    """An age as known: each unit a pair (at least, below); equal ends mean exactly that."""

    years: tuple[float, float]
    months: tuple[float, float]
    days: tuple[float, float]


class Patient:
    """The facts reference limits may depend on.

    Args:
        id: Your own label of the person; only carried through.
        sex: Sex for reference purposes: "female", "male", or None for unknown, other or not stated.
        age_years: Age at sampling. A whole number means completed years; 0.5 means half a year. [years]
        birth_date: Used with `collected_at` of a result (or `at`) when `age_years` is not given.
        pregnant: True, False or None for not stated.
        contexts: Declared circumstances, from the catalog's closed list ("ckd", "inflammation", "trimester_1", ...).

    Raises:
        InputError: A fact that cannot be read (a negative age, an unknown sex word).

    Example:
        >>> Patient(sex="female", age_years=71)
        Patient(sex='female', age_years=71)

    Source:
        "Sex for reference purposes" and age at sampling: HL7 FHIR ObservationDefinition.qualifiedValue.
    """

    __slots__ = ("age", "age_years", "birth_date", "contexts", "facts", "id", "memo", "pregnant", "sex")
    id: str | None
    sex: str | None
    age_years: float | int | None
    birth_date: date | None
    pregnant: bool | None
    contexts: frozenset[str]
    age: Age | None
    facts: tuple[Any, ...]
    memo: dict[Any, Any]  # rules looked up for this person, by catalog; never part of what the person is

    def __init__(
        self,
        *,
        id: str | None = None,
        sex: str | None = None,
        age_years: float | int | Decimal | None = None,
        birth_date: date | None = None,
        pregnant: bool | None = None,
        contexts: Iterable[str] = (),
        at: date | None = None,
    ) -> None:
        put = object.__setattr__
        sex = read_sex(sex)
        if pregnant is not None and not isinstance(pregnant, bool):
            raise InputError(f"pregnant is True, False or None, not {pregnant!r}")
        if isinstance(contexts, str):
            contexts = (contexts,)
        elif not hasattr(contexts, "__iter__"):
            raise InputError("contexts are names such as 'ckd', in a list or set")
        if birth_date is not None or at is not None:
            birth_date, at = _day(birth_date, "birth_date"), _day(at, "the day of sampling")
        age = None
        if age_years is not None:
            age_years = whole_years(age_years)
            age = age_from_years(age_years)
            if birth_date is not None and at is not None:
                by_date = age_from_dates(birth_date, at)
                if by_date.years[0] > age.years[1] or age.years[0] > by_date.years[1]:
                    raise InputError("age_years and birth_date do not agree")
        elif birth_date is not None and at is not None:
            age = age_from_dates(birth_date, at)
            age_years = int(age.years[0])
        contexts = frozenset(contexts)
        put(self, "id", id)
        put(self, "sex", sex)
        put(self, "age_years", age_years)
        put(self, "birth_date", birth_date)
        put(self, "pregnant", pregnant)
        put(self, "contexts", contexts)
        put(self, "age", age)
        put(self, "facts", (sex, age, pregnant, contexts))
        put(self, "memo", {})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Patient is frozen; make a new one")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a Patient is frozen; make a new one")

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.id, self.sex, self.age_years, self.birth_date, self.pregnant, self.contexts, self.age))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Patient) and (self.id, self.birth_date, self.facts) == (other.id, other.birth_date, other.facts)

    def __hash__(self) -> int:
        return hash((self.id, self.birth_date, self.facts))

    def __repr__(self) -> str:
        shown = {name: getattr(self, name) for name in ("id", "sex", "age_years", "birth_date", "pregnant")}
        words = [f"{name}={value!r}" for name, value in shown.items() if value is not None]
        if self.contexts:
            words.append(f"contexts={sorted(self.contexts)!r}")
        return f"Patient({', '.join(words)})"

    def at(self, day: date | None) -> Patient:
        """The same person with the age they had on a day, where the birth date is what is known."""
        if self.age is not None or self.birth_date is None or day is None:
            return self
        try:
            age_from_dates(self.birth_date, _day(day, "collected_at") or self.birth_date)
        except InputError:  # sampled before birth: the age stays unknown
            return self
        return Patient(id=self.id, sex=self.sex, birth_date=self.birth_date, pregnant=self.pregnant, contexts=self.contexts, at=day)

    @classmethod
    def of_facts(cls, sex: str | None, age: Age | None, pregnant: bool | None, contexts: frozenset[str], id: Any = None) -> Patient:
        """Somebody of whom only the facts limits depend on are known; an age between bounds that are more than a year apart has no number."""
        return _rebuild(id, sex, None if age is None or age.years[1] - age.years[0] > 1 else age.years[0], None, pregnant, contexts, age)

    def nameless(self) -> Patient:
        """Only the facts limits depend on: no id, no birth date."""
        return _rebuild(None, self.sex, self.age_years, None, self.pregnant, self.contexts, self.age)

    def replace(self, *, contexts: Iterable[str]) -> Patient:
        """The same person with other circumstances."""
        return _rebuild(self.id, self.sex, self.age_years, self.birth_date, self.pregnant, frozenset(contexts), self.age)

    def with_contexts(self, more: Iterable[str]) -> Patient:
        """The same person with further circumstances."""
        return self.replace(contexts=self.contexts | set(more))

    def to_dict(self) -> dict[str, Any]:
        """Plain data: id, sex, age_years, pregnant, contexts."""
        return {
            "id": self.id,
            "sex": self.sex,
            "age_years": self.age_years,
            "pregnant": self.pregnant,
            "contexts": sorted(self.contexts),
        }


def _rebuild(id: Any, sex: Any, age_years: Any, birth_date: Any, pregnant: Any, contexts: Any, age: Any) -> Patient:
    patient = object.__new__(Patient)
    values: tuple[Any, ...] = (age, age_years, birth_date, contexts, (sex, age, pregnant, contexts), id, {}, pregnant, sex)
    for name, value in zip(Patient.__slots__, values, strict=True):
        object.__setattr__(patient, name, value)
    return patient


def _day(value: Any, name: str) -> Any:
    """A date from a date, a datetime or ISO text."""
    if value is None or not isinstance(value, str):
        if value is not None and not hasattr(value, "isoformat"):
            raise InputError(f"{name} is a date, or a text such as '1990-01-31'")
        return value
    from datetime import date

    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        raise InputError(f"{name} is a date, or a text such as '1990-01-31'") from None


def whole_years(age: float | int | Decimal) -> float | int:
    if type(age) is int and 0 <= age <= _OLDEST:
        return age
    if hasattr(age, "item"):  # a number of numpy
        age = age.item()
    if isinstance(age, bool) or not isinstance(age, (int, float, Decimal)):
        raise InputError(f"age_years is a number of years, not {type(age).__name__}")
    if not 0 <= age <= _OLDEST:
        raise InputError("age_years lies between 0 and 130; give days or months as a fraction of a year")
    return int(age) if age == int(age) and isinstance(age, (int, float, Decimal)) else float(age)


@lru_cache(maxsize=1024, typed=True)  # a whole number and the same fraction are two ages
def age_from_years(years: float | int) -> Age:
    """An age from years: a whole number is an interval of one year, a fraction is taken as exact."""
    top = years + 1 if isinstance(years, int) else years
    months, days = ((round(years * n, 6), round(top * n, 6)) for n in (12, 365.25))  # 14 days stay 14 days
    return Age((years, top), months, days)


def age_from_dates(born: date, at: date) -> Age:
    """Completed years, months and days between two dates.

    Raises:
        InputError: The day of sampling lies before birth, or more than 130 years after it.
    """
    born, at = (day.date() if hasattr(day, "date") else day for day in (born, at))  # a datetime is a date, too
    if not 0 <= (at - born).days <= _OLDEST * 366:
        raise InputError("the birth date and the day of sampling do not belong to one life")
    months = (at.year - born.year) * 12 + at.month - born.month - (at.day < born.day)
    years, days = months // 12, (at - born).days
    return Age((years, years + 1), (months, months + 1), (days, days + 1))


def read_sex(text: str | None) -> str | None:
    """ "female", "male" or None, from the words reports use.

    Raises:
        InputError: A word that is not among them. Codes such as 1 and 2 are refused: files disagree on them.
    """
    if text is None or text in ("female", "male"):
        return text
    word = str(text).strip().casefold().rstrip(".")
    if word in _SEX:
        return _SEX[word]
    if word in _SEX_UNKNOWN:
        return None
    raise InputError(
        "this word for sex is not known; accepted: female, male, F, M, W, unknown, other (numbers mean different things in different files)"
    )


def read_yes_no(text: str) -> bool | None:
    """True, False or None for an empty or unknown text.

    Raises:
        InputError: A word that is none of them.
    """
    word = text.strip().casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    if word in ("", "unknown", "u", "na", "n/a", "not stated", "none", "null", "?"):
        return None
    raise InputError("accepted: yes, no, true, false, 1, 0, or empty for not stated")


class LabResult(NamedTuple):
    """One reported result, as it stands on the report.

    Attributes:
        test: Name, abbreviation or LOINC code as printed.
        value: Text or number as printed; a `pint.Quantity` is accepted.
        unit: Unit text as printed; None where there is none (it may stand in `value`: "18 ng/mL").
        loinc: LOINC code, if the report has one.
        specimen: Specimen as printed, if the report has one.
        collected_at: Day of sampling: with a birth date it gives the age.
        comparator: "<", ">", ... where the source keeps it apart from the value.
        ref_low: Lower end of the laboratory's own range, in the unit of the value.
        ref_high: Upper end of it.
        ref_text: The laboratory's range as text.
        flag: The laboratory's flag as printed.
        source: Where the result stood (file, and row, segment or path within it); carried through to its finding.

    Example:
        >>> LabResult("25(OH)D", "18", "ng/mL").unit
        'ng/mL'
    """

    test: str
    value: Any = None
    unit: str | None = None
    loinc: str | None = None
    specimen: str | None = None
    collected_at: date | None = None
    comparator: str | None = None
    ref_low: Any = None
    ref_high: Any = None
    ref_text: str | None = None
    flag: str | None = None
    source: Any = None
