"""Demographics of NHANES -> who the participants are. An age that CDC cut off at the top is "that or more"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from labinterp._inputs import Age, Patient, age_from_years

_SEX: Final = {"1": "male", "2": "female"}  # RIAGENDR
_PREGNANT: Final = {"1": True, "2": False}  # RIDEXPRG; 3: could not be ascertained
_TOP: Final = (80, 85)  # RIDAGEYR, since 2007-2008 and before
_OLDEST: Final = 130
_ODD: Final = object()


class Participant(NamedTuple):
    """One participant.

    Attributes:
        sex: "female", "male" or None.
        years: Completed years, or None.
        months: Completed months of a child, where they are given.
        or_more: Whether the age is the top of the scale.
        pregnant: True, False or None.
    """

    sex: str | None = None
    years: int | None = None
    months: int | None = None
    or_more: bool = False
    pregnant: bool | None = None

    def patient(self, id: str) -> tuple[Patient, list[str]]:
        """The person, and what must be known of the age.

        Example:
            >>> Participant("female", 85, or_more=True).patient("7")[0].age.years
            (85, 131)
        """
        return Patient.of_facts(self.sex, self._age(), self.pregnant, frozenset(), id or None), (
            [f"CDC cuts ages off at the top; this one is {self.years} years or more."] if self.or_more else []
        )

    def _age(self) -> Age | None:
        if self.months is not None:
            years = self.months // 12
            return Age((years, years + 1), (self.months, self.months + 1), (self.months * 30.4, (self.months + 1) * 30.5 + 1))
        if self.years is None:
            return None
        low = age_from_years(self.years)
        if not self.or_more:
            return low
        top = age_from_years(_OLDEST)
        return Age((low.years[0], top.years[1]), (low.months[0], top.months[1]), (low.days[0], top.days[1]))


def participants_of(tables: Sequence[Mapping[str, list[str]]]) -> tuple[dict[str, Participant], list[str]]:
    """Participants by SEQN, and what could not be believed.

    Args:
        tables: Columns of the files, each with SEQN; those without demographics do no harm.

    Example:
        >>> participants_of([{"SEQN": ["1"], "RIAGENDR": ["2"], "RIDAGEYR": ["39"], "RIDEXPRG": ["2"]}])[0]["1"].sex
        'female'
    """
    found: dict[str, dict[str, object]] = {}
    twisted: set[str] = set()
    for table in tables:
        ages = [_whole(text) for text in table.get("RIDAGEYR", ())]
        exact = any(age is not None and _TOP[0] < age < _TOP[1] for age in ages)  # a file that knows 81 cuts off at 85
        for at, id in enumerate(table["SEQN"]):
            told = _told(table, at, exact)
            if not told:
                continue
            known = found.setdefault(id, {})
            for name, fact in told.items():
                if known.setdefault(name, fact) != fact:
                    known[name] = _ODD
                    twisted.add(id)
    people = {id: Participant(**{name: fact for name, fact in known.items() if fact is not _ODD}) for id, known in found.items()}  # type: ignore[arg-type]
    notes = [f"The files contradict each other on {len(twisted)} participants; what they contradict is unknown."] if twisted else []
    return people, notes


def _told(table: Mapping[str, list[str]], at: int, exact: bool) -> dict[str, object]:
    def cell(name: str) -> str:
        column = table.get(name)
        return "" if column is None else column[at].removesuffix(".0")

    told: dict[str, object] = {}
    if sex := _SEX.get(cell("RIAGENDR")):
        told["sex"] = sex
    years, months = _whole(cell("RIDAGEYR")), _whole(cell("RIDAGEMN"))
    if years is not None and years <= _OLDEST:
        told["years"] = years
        told["or_more"] = years == _TOP[1] or (years == _TOP[0] and not exact)
        if months is not None and months // 12 == years and years < 18:
            told["months"] = months
    if (pregnant := _PREGNANT.get(cell("RIDEXPRG"))) is not None and told.get("sex") != "male":
        told["pregnant"] = pregnant
    return told


def _whole(text: str) -> int | None:
    head = text.removesuffix(".0")
    return int(head) if head.isascii() and head.isdigit() and len(head) < 6 else None
