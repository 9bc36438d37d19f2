"""The published form of reports, as types: docs/json.md in OpenAPI. Answers are not made of these; tests hold them to it.

A key with `None` among its types is always there. A key with a default may be left out.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

Code = Literal["L", "N", "H", "LU", "HU", "LL", "HH", "IND"]
Kind = Literal["decision_limit", "reference_interval"]
Checked = Literal["primary", "secondary"]
Reason = Literal[
    "unknown_analyte", "ambiguous_analyte", "conflicting_code", "wrong_specimen", "unreadable_value", "ambiguous_number", "missing_unit",
    "unknown_unit", "incompatible_unit", "implausible", "no_limit_for_population", "authority_gives_no_limit", "sex_unknown", "age_unknown",
    "pregnancy_unknown",
]  # fmt: skip
Comparator = Literal["<", "<=", ">", ">=", "~"]


def _no_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


def left_out(description: str = "Left out where there is none.") -> Any:
    """A key that is not there where there is nothing to say."""
    return Field(default=None, description=description, json_schema_extra=_no_default)


class Citation(BaseModel):
    """Where something is printed, and how that was checked."""

    source: str
    locator: str
    checked: Checked
    organisation: str
    title: str
    year: int = left_out()
    doi: str = left_out()
    pmid: int = left_out()
    url: str = left_out()


class ReportPatient(BaseModel):
    """The person as given; the age is that at sampling."""

    id: str | None
    sex: Literal["female", "male"] | None
    age_years: float | None
    pregnant: bool | None
    contexts: list[str]


class Amount(BaseModel):
    """The number in the analyte's SI unit, for display."""

    value: float
    unit: str


class ReportedRange(BaseModel):
    """The laboratory's own range and flag."""

    low: float | None
    high: float | None
    text: str | None
    flag: str | None
    code: Literal["L", "N", "H"] | None = Field(description="What that range says of the value; null where it is not plain.")


class Caveat(BaseModel):
    """What can move a number without the body having changed."""

    id: str
    text: str
    citations: list[Citation]


class Finding(BaseModel):
    """The answer for one result."""

    row: int = Field(description="Number of the result in its input, from 1.")
    source_name: str
    value_text: str
    comparator: Comparator | None
    value: float
    value_high: float | None
    unit: str = Field(description="UCUM code of the reported unit.")
    si: Amount
    near_limit: bool
    reported: ReportedRange | None
    notes: list[str]
    analyte: str
    code: Code = Field(description="HL7 ObservationInterpretation.")
    band: str | None
    label: str
    limits: str = Field(description="Id of the set that answered; `reported` for the laboratory's own range.")
    kind: Kind
    authority: str
    possible_bands: list[str]
    caveats: list[Caveat]
    citations: list[Citation]
    source: str = left_out("Where the result stood in its file; left out where it came from none.")


class DerivedInput(BaseModel):
    """A quantity that another was computed from."""

    analyte: str
    rows: list[int]
    value: float
    unit: str


class DerivedFrom(BaseModel):
    """How a quantity was computed."""

    id: str
    function: str
    rows: list[int]
    inputs: list[DerivedInput]
    note: str
    citations: list[Citation]


class DerivedFinding(Finding):
    """A quantity that was computed from others of the draw."""

    derived_from: DerivedFrom


class NotAssessed(BaseModel):
    """Why there is no answer for one result."""

    row: int
    analyte: str | None
    source_name: str
    value_text: str
    unit_text: str
    reason: Reason
    message: str
    reported: ReportedRange = left_out("The laboratory's own range and flag; left out where it printed neither.")
    source: str = left_out("Where the result stood in its file; left out where it came from none.")


class PatternMatch(BaseModel):
    """A combination of results with a meaning."""

    id: str
    name: str
    certainty: Literal["likely", "possible", "cannot_tell"]
    because: list[int]
    missing: list[str]
    settled_by: list[str]
    text: str
    next_test: str
    citations: list[Citation]


class Effect(BaseModel):
    """A muscle effect the findings are linked to."""

    id: str
    name: str
    hpo: str | None
    conditions: list[str]
    relation: Literal["causes", "contributes_to", "associated_with", "proposed"]
    certainty: Literal["high", "moderate", "low", "very_low"]
    reversibility: str
    recovery: str
    treatment: Literal["improves", "mixed", "no_effect", "harm_signal", "unknown"]
    mechanisms: list[str]
    because: list[int]
    text: str
    citations: list[Citation]


class Advice(BaseModel):
    """A condition the findings point to."""

    condition: str
    name: str
    about: str
    at_risk: list[str]
    usually_done: list[str]
    next_step: str
    because: list[int]


class Alert(BaseModel):
    """A red flag."""

    id: str
    tier: Literal["T1", "T2", "T3", "T4"]
    row: int
    text: str
    citations: list[Citation]


class Report(BaseModel):
    """Everything that can be said of one panel, and everything that cannot, with the reason."""

    patient: ReportPatient
    findings: list[Finding]
    not_assessed: list[NotAssessed]
    derived: list[DerivedFinding]
    patterns: list[PatternMatch]
    open_questions: list[PatternMatch]
    effects: list[Effect]
    advice: list[Advice]
    alerts: list[Alert]
    notes: list[str]
    catalog: str
    disclaimer: str
    standing: list[str]


class Summary(BaseModel):
    """Counts over all reports."""

    rows: int
    flagged: int
    normal: int
    indeterminate: int
    not_assessed: int
    reasons: dict[Reason, int]


class Document(BaseModel):
    """One report for each person and day of sampling, as `labinterp interpret --to json` prints it."""

    labinterp: str
    catalog: str
    reports: list[Report]
    summary: Summary
