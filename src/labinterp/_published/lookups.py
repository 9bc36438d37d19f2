"""The published form of what is looked up: analytes, limit sets, conversions, versions. As in `answers`, answers are not made of these."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from labinterp._published.answers import Citation, Code, Comparator, Kind, left_out


class Analyte(BaseModel):
    """What is measured."""

    id: str
    name: str
    units: list[str]
    loinc: list[str]
    limits: list[str]
    no_limit: list[str]


class Population(BaseModel):
    """For whom a set draws its lines, and the lines."""

    who: str
    sex: str
    age: tuple[str, float | None, float | None] | None = Field(description="Unit, from, below.")
    pregnant: str
    trimester: list[int]
    requires: list[str]
    judgement: str
    bands: list[tuple[str, Code, str]] = Field(description="Key, code, label; lowest first.")
    lines: list[tuple[str, str]] = Field(description="Number and word of the lower end of each band but the first.")
    edges: dict[str, list[float]] = Field(description="For each usual unit the first number of each band but the first.")


class LimitSet(BaseModel):
    """A limit set, or the record that an authority draws no line (then `kind` is null and `because` says why)."""

    id: str
    authority: str
    name: str
    kind: Kind | None
    purpose: str | None
    from_: str | None = Field(alias="from")
    until: str | None
    superseded_by: str | None
    default: bool
    citations: list[Citation]
    because: str = left_out("Only in a record of silence.")
    aspect: str = left_out("Only in a set.")
    unit: str = left_out("Only in a set.")
    also_in: dict[str, list[list[str]]] = left_out("Only in a set: printed pairs.")
    printed: str = left_out("Only in a set.")
    judgement: str = left_out("Only in a set.")
    caveat: str = left_out("Only in a set.")
    populations: list[Population] = left_out("Only in a set.")


class Converted(BaseModel):
    """One quantity in another unit of its analyte."""

    analyte: str
    comparator: Comparator | None
    value: float
    value_high: float | None
    unit: str = Field(description="UCUM code.")
    exact: str = Field(description="The number as text: exact where the factor terminates, else to 28 digits.")


class Versions(BaseModel):
    """What answers: the program and the data."""

    labinterp: str
    catalog: str
    as_of: str = Field(description="The catalog's own day: whose limits are used where a request names no day.")


class Health(BaseModel):
    """The service answers."""

    status: Literal["ok"]
