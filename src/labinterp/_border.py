"""The border for JSON: pydantic models of what a program may send, and their way into the library's own types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from labinterp._inputs import LabResult, Patient
from labinterp.errors import InputError

# Text first: a number printed as text keeps its text, and with it the question of how it reads ("1,060").
Number = str | Decimal | int | None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ResultModel(_Strict):
    """One result, as JSON."""

    test: str = ""
    value: Number = None
    unit: str | None = None
    loinc: str | None = None
    specimen: str | None = None
    collected_at: date | None = None
    comparator: str | None = None
    ref_low: Number = None
    ref_high: Number = None
    ref_text: str | None = None
    flag: str | None = None
    source: str | None = None


class PatientModel(_Strict):
    """A person, as JSON."""

    id: str | int | None = None
    sex: str | None = None
    age_years: Decimal | None = None
    birth_date: date | None = None
    pregnant: bool | None = None
    contexts: tuple[str, ...] = ()


class PanelModel(_Strict):
    """A panel, as JSON: results as a list, or as a mapping from name to "18 ng/mL"."""

    patient: PatientModel = PatientModel()
    results: tuple[ResultModel, ...] | dict[str, Number]


PANELS = TypeAdapter(tuple[PanelModel, ...])


_fields, _make = attrgetter(*LabResult._fields), LabResult._make


def read_panels(items: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Patient, list[LabResult]]]:
    """Patients and results from parsed JSON.

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
        yield to_inputs(panel)


def to_inputs(panel: PanelModel) -> tuple[Patient, list[LabResult]]:
    """One validated panel in the library's own types."""
    who = panel.patient
    listed = panel.results
    results = (
        [LabResult(name, value) for name, value in listed.items()] if isinstance(listed, dict) else [_make(_fields(r)) for r in listed]
    )
    at = next((r.collected_at for r in results if r.collected_at is not None), None)
    patient = Patient(
        id=None if who.id is None else str(who.id), sex=who.sex, age_years=who.age_years, birth_date=who.birth_date,
        pregnant=who.pregnant, contexts=who.contexts, at=at,
    )  # fmt: skip
    return patient, results
