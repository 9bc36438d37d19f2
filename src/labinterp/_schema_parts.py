"""The parts that every kind of data file may hold: citations, spans, ages, gates; and the lists of sources and units.

Frozen, and strict about unknown keys: a slip of the pen in a data file is an error with a path, never a
value that is silently left out. Nothing here is imported to answer a question from a built wheel.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Checked = Literal["primary", "secondary"]
Code = Literal["LL", "LU", "L", "N", "H", "HU", "HH", "IND"]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Id = Annotated[str, Field(pattern=r"^[a-z0-9_]+(/[a-z0-9.-]+)+$")]
Relation = Literal["proposed", "associated_with", "contributes_to", "causes"]
Certainty = Literal["very_low", "low", "moderate", "high"]


class Strict(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# --- sources ----------------------------------------------------------------------------------------------


class Source(Strict):
    """One publication or page. `seen` says what was really read: never more than that."""

    organisation: str
    title: str
    year: int | None = None
    type: Literal["guideline", "study", "review", "laboratory", "database", "survey", "page"]
    doi: str | None = None
    pmid: int | None = None
    url: str | None = None
    seen: str
    superseded_by: str | None = None
    withdrawn: bool = False


class Cite(Strict):
    """A source, the place in it, and how the figure was checked."""

    source: str
    locator: str
    checked: Checked


class Authority(Strict):
    """Who draws a line."""

    name: str
    country: str = "international"


class Sources(Strict):
    """`sources.toml`."""

    authorities: Mapping[str, Authority]
    sources: Mapping[str, Source]


# --- units ------------------------------------------------------------------------------------------------


class Unit(Strict):
    """One UCUM code, what pint calls it, and how reports spell it."""

    ucum: str
    pint: str | None = None
    kind: Literal["mass", "substance", "equivalent", "arbitrary", "gfr", "ratio", "count", "fraction", "volume", "activity"]
    spellings: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    refused: str | None = None


class Units(Strict):
    """`units.toml`."""

    unit: tuple[Unit, ...]


# --- stretches and ages ------------------------------------------------------------------------------------


class Span(Strict):
    """A stretch of a line, each end with its own word, so that no reader has to guess what happens on it."""

    below: Decimal | None = None
    at_most: Decimal | None = None
    at_least: Decimal | None = None
    above: Decimal | None = None

    @model_validator(mode="after")
    def _one_word_per_end(self) -> Span:
        if self.below is not None and self.at_most is not None:
            raise ValueError("'below' and 'at_most' are both given: an upper end has one word")
        if self.at_least is not None and self.above is not None:
            raise ValueError("'at_least' and 'above' are both given: a lower end has one word")
        return self


class UnitSpan(Span):
    """A span with its unit."""

    unit: str


class Ages(Strict):
    """Half-open age span: `at_least` counts, `below` does not."""

    at_least: Decimal | None = None
    below: Decimal | None = None


# --- gates: three-valued tests over a panel ---------------------------------------------------------------


class Gate(Strict):
    """One three-valued test. Exactly one of the forms below; no expressions."""

    limits: Id | None = None
    bands: tuple[Key, ...] = ()
    analyte: Key | None = None
    codes: tuple[Code, ...] = ()
    span: UnitSpan | None = None
    context: Key | None = None
    age_years: Ages | None = None
    sex: Literal["female", "male"] | None = None
    pattern: Key | None = None
    certainty: tuple[Literal["likely", "possible"], ...] = ()
    test: Key | None = None
    all_of: tuple[Gate, ...] = ()
    any_of: tuple[Gate, ...] = ()
    none_of: tuple[Gate, ...] = ()
    at_least: int | None = None
    of: tuple[Gate, ...] = ()

    @model_validator(mode="after")
    def _one_form(self) -> Gate:
        forms = [
            self.limits is not None and bool(self.bands),
            self.analyte is not None and (bool(self.codes) != (self.span is not None)),
            self.context is not None,
            self.age_years is not None,
            self.sex is not None,
            self.pattern is not None,
            self.test is not None,
            bool(self.all_of),
            bool(self.any_of),
            bool(self.none_of),
            self.at_least is not None and bool(self.of),
        ]
        if sum(forms) != 1:
            raise ValueError(
                "a gate has one form: limits+bands, analyte+codes, analyte+span, context, age_years, sex, "
                "pattern, test, all_of, any_of, none_of, or at_least+of"
            )
        return self
