"""The border for JSON: pydantic models of what a program may send, and their way into the library's own types."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Strict, StrictBool, StrictInt, TypeAdapter, ValidationError

from labinterp._facts import read_age, read_date
from labinterp._inputs import LabResult, Patient, read_sex, read_yes_no
from labinterp.errors import InputError

# Text first: a number printed as text keeps its text, and with it the question of how it reads ("1,060").
Number = str | Annotated[Decimal, Strict()] | StrictBool | StrictInt | None  # a truth value is told as unreadable


def _text_only(day: Any) -> Any:
    """A day as text or date; a number would be taken for seconds since 1970, and the person be given the age of another."""
    if isinstance(day, (bool, int, float, Decimal)):
        raise ValueError("a day is a text such as 2026-03-14, never a number")
    return day


Day = Annotated[date, BeforeValidator(_text_only)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ResultModel(_Strict):
    """One result, as JSON."""

    test: str = ""
    value: Number = None
    unit: str | None = None
    loinc: str | None = None
    specimen: str | None = None
    collected_at: Day | None = None
    comparator: str | None = None
    ref_low: Number = None
    ref_high: Number = None
    ref_text: str | None = None
    flag: str | None = None
    source: str | None = None


class PatientModel(_Strict):
    """A person, as JSON."""

    id: str | StrictInt | None = None  # a truth value is no label
    sex: str | None = None
    age_years: Number = None
    birth_date: Day | str | None = None
    pregnant: bool | str | None = None
    contexts: tuple[str, ...] = ()


class PanelModel(_Strict):
    """A panel, as JSON: results as a list, or as a mapping from name to "18 ng/mL"."""

    id: str | StrictInt | None = None  # a truth value is no label
    patient: PatientModel = PatientModel()
    results: tuple[ResultModel, ...] | dict[str, Number]


PANELS = TypeAdapter(tuple[PanelModel, ...])


KEYS = {*ResultModel.model_fields, *PatientModel.model_fields, *PanelModel.model_fields}
_fields = itemgetter(*LabResult._fields)


def read_panels(items: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Patient, list[LabResult], list[str]]]:
    """Patients, results and notes on facts that could not be read, from parsed JSON.

    Raises:
        InputError: Where the data does not have the form; with the place, never with the data.
    """
    try:
        panels = PANELS.validate_python(items)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"panel {place}: {first['msg']} ({error.error_count()} problem(s) in all)") from None
    for panel in panels:
        try:
            yield (*to_inputs(panel), [])
        except InputError:
            patient, notes = _readable(panel)
            yield patient, _results(panel), notes


def to_inputs(panel: PanelModel) -> tuple[Patient, list[LabResult]]:
    """One validated panel in the library's own types.

    Raises:
        InputError: A fact of the person that cannot be read.
    """
    who, results = panel.patient, _results(panel)
    if isinstance(who.age_years, str) or isinstance(who.birth_date, str) or isinstance(who.pregnant, str):
        raise InputError("a fact is a text")
    if who.birth_date is None:
        return Patient(id=_label(panel), sex=who.sex, age_years=who.age_years, pregnant=who.pregnant, contexts=who.contexts), results
    at = next((r.collected_at for r in results if r.collected_at is not None), None)
    patient = Patient(
        id=_label(panel), sex=who.sex, age_years=who.age_years, birth_date=who.birth_date,
        pregnant=who.pregnant, contexts=who.contexts, at=at,
    )  # fmt: skip
    return patient, results


def _label(panel: PanelModel) -> str | None:
    """The person's label, or the panel's own where the person has none."""
    label = panel.id if panel.patient.id is None else panel.patient.id
    return None if label is None else str(label)


def _results(panel: PanelModel) -> list[LabResult]:
    listed = panel.results
    if isinstance(listed, dict):
        return [LabResult(name, value) for name, value in listed.items()]
    return [tuple.__new__(LabResult, _fields(r.__dict__)) for r in listed]  # a quarter of the time of naming twelve fields


def _readable(panel: PanelModel) -> tuple[Patient, list[str]]:
    """The person as far as the facts can be read; what cannot be read is unknown, and a note says so."""
    who, notes = panel.patient, []
    facts: dict[str, Any] = {"id": _label(panel), "contexts": who.contexts}
    readers: dict[str, Callable[[Any], Any]] = {
        "sex": read_sex,
        "age_years": lambda age: read_age(str(age)),
        "birth_date": lambda day: read_date(str(day)),
        "pregnant": lambda state: state if isinstance(state, bool) else read_yes_no(state),
    }
    for name, reader in readers.items():
        value = getattr(who, name)
        try:
            facts[name] = None if value is None else reader(value)
        except InputError as error:
            notes.append(f"The {name.replace('_', ' ')} could not be read and counts as unknown: {error}.")
    at = next((r.collected_at for r in _results(panel) if r.collected_at is not None), None)
    try:
        return Patient(at=at, **facts), notes
    except InputError as error:
        return Patient(**{**facts, "birth_date": None, "age_years": None}), [*notes, f"The age is unknown: {error}."]
