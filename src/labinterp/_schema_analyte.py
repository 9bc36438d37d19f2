"""The form of the files of `analytes/`: pydantic models of an analyte, its limits, and a site's additions to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from labinterp._schema_parts import Ages, Authority, Checked, Cite, Code, Gate, Id, Key, Source, Span, Strict, UnitSpan

Language = Literal["en", "de", "fr", "nl", "es", "it", "other"]


class Never(Strict):
    """A look-alike name: another test, with the reason to give for it."""

    names: tuple[str, ...]
    because: str
    reason: Literal["unknown_analyte", "wrong_specimen"] = "unknown_analyte"


class Ambiguous(Strict):
    """A name that may mean this analyte or another thing."""

    name: str
    may_be: tuple[str, ...]


class Loinc(Strict):
    """A LOINC code that means this analyte."""

    code: Annotated[str, Field(pattern=r"^\d{1,6}-\d$")]
    kind: Literal["mass", "substance", "equivalent", "arbitrary", "gfr", "ratio", "count", "fraction", "volume", "activity"]
    system: str
    checked: Checked


class NeverLoinc(Strict):
    """A LOINC code that is easily taken for this analyte and is another test."""

    code: Annotated[str, Field(pattern=r"^\d{1,6}-\d$")]
    means: str
    reason: Literal["unknown_analyte", "wrong_specimen"] = "unknown_analyte"


class Identity(Strict):
    """Names, codes and specimens by which an analyte is recognised."""

    names: Mapping[Language, tuple[str, ...]]
    ambiguous: tuple[Ambiguous, ...] = ()
    never: tuple[Never, ...] = ()
    loinc: tuple[Loinc, ...] = ()
    never_loinc: tuple[NeverLoinc, ...] = ()
    specimens: tuple[Key, ...]
    specimen_twins: Mapping[Key, str] = {}


class RefusedKind(Strict):
    """A kind of unit in which this analyte has no exact meaning."""

    kind: str
    because: str


class Moiety(Strict):
    """What the reported number counts, and its mass."""

    reported_as: str
    formula: str | None = None
    molar_mass: Decimal | None = None
    valence: int | None = None
    because: str = ""


class AnalyteUnits(Strict):
    """Units in which an analyte is reported; `ordinary` and `plausible` are ours, never clinical limits."""

    si: str
    usual: tuple[str, ...]
    moiety: Moiety
    refuse: tuple[RefusedKind, ...] = ()
    caveats: Mapping[str, str] = {}
    plausible: UnitSpan
    ordinary: UnitSpan


class Band(Span):
    """A named stretch between two lines. `label` is the short name the source gives it, in our words."""

    key: Key
    code: Literal["LU", "L", "N", "H", "HU", "IND"]  # critical codes come from a published critical value only
    label: str


class Population(Strict):
    """Whom the bands are for. `pregnant` has no default: silence about pregnancy must be a decision."""

    who: str
    sex: Literal["any", "female", "male"] = "any"
    age_years: Ages | None = None
    age_months: Ages | None = None
    age_days: Ages | None = None
    pregnant: Literal["any", "no", "yes"]
    trimester: tuple[Literal[1, 2, 3], ...] = ()
    requires: tuple[Key, ...] = ()
    bands: tuple[Band, ...]
    judgement: str = ""

    @model_validator(mode="after")
    def _one_age(self) -> Population:
        if sum(a is not None for a in (self.age_years, self.age_months, self.age_days)) > 1:
            raise ValueError("give the age in one unit: age_years, age_months or age_days")
        if self.trimester and self.pregnant != "yes":
            raise ValueError('a trimester needs pregnant = "yes"')
        return self


class InForce(Strict):
    """Days on which a limit is in force; `until` is the first day on which it is not."""

    from_: date | None = Field(default=None, alias="from")
    until: date | None = None


class Shift(Strict):
    """A declared circumstance that moves every line of a set, by a printed amount in the set's unit."""

    requires: Annotated[tuple[Key, ...], Field(min_length=1)]
    add: Decimal
    cite: tuple[Cite, ...]


class LimitSet(Strict):
    """The lines one authority draws for one analyte from one day on.

    `aspect` tells apart several sets one authority draws at one time (another assay, another question): such a
    set answers only when it is asked for by its id. `pairs_differ` says why printed pairs do not agree with the
    molar mass, where the source really prints them so.
    """

    id: Id
    authority: str
    kind: Literal["reference_interval", "decision_limit"]
    purpose: Literal["clinical", "population_survey", "dietary_reference", "laboratory", "research", "proposal"]
    in_force: InForce = InForce()
    superseded_by: str | None = None
    aspect: str = ""
    unit: str
    also_in: Mapping[str, tuple[tuple[Decimal, Decimal], ...]] = {}
    pairs_differ: str = ""
    printed: str
    judgement: str = ""
    caveat: str = ""
    populations: tuple[Population, ...]
    shifts: tuple[Shift, ...] = ()
    cite: tuple[Cite, ...]


class NoLimit(Strict):
    """An authority that was read and draws no line: silence is data too."""

    id: Id
    authority: str
    in_force: InForce = InForce()
    because: str
    cite: tuple[Cite, ...]


class Critical(UnitSpan):
    """A published critical value; the only source of the codes LL and HH."""

    id: Id
    authority: str
    code: Literal["LL", "HH"]
    in_force: InForce = InForce()
    judgement: str = ""
    cite: tuple[Cite, ...]


class Alert(UnitSpan):
    """A red flag. `also_in` holds pairs as the source prints them."""

    id: Id
    tier: Literal["T1", "T2", "T3", "T4"]
    requires: tuple[Key, ...] = ()
    also_in: Mapping[str, tuple[tuple[Decimal, Decimal], ...]] = {}
    text: str
    cite: tuple[Cite, ...]


class LabRange(Strict):
    """How the laboratory's own printed range is used."""

    first: bool = False
    low: Key = "low"
    normal: Key = "normal"
    high: Key = "high"


class Caveat(Strict):
    """Something that moves the number without moving the body; shown beside a finding."""

    id: Id
    bands: tuple[Key, ...] = ()
    codes: tuple[Code, ...] = ()
    text: str
    cite: tuple[Cite, ...]


class Variation(Strict):
    """Within- and between-person variation in percent, from one study."""

    within: Decimal
    between: Decimal | None = None
    analytical: Decimal | None = None
    people: str
    cite: tuple[Cite, ...]


class Caution(Strict):
    """A sentence beside a derived value where a gate is true."""

    id: Id
    when: Gate
    text: str
    cite: tuple[Cite, ...]


class BesideMeasured(Strict):
    """What may be concluded where the quantity was measured beside its inputs. The tolerances are ours, and say so."""

    agree_percent: Annotated[int, Field(ge=1, le=100)]
    far_percent: Annotated[int, Field(ge=1, le=10_000)]
    rounding: Annotated[Decimal, Field(ge=0)]
    at_most: Annotated[int, Field(ge=1)] | None = None
    judgement: str
    cite: tuple[Cite, ...] = ()


class Derive(Strict):
    """One way to compute this quantity from others of the same draw, where it was not measured itself.

    `inputs` repeats what the function takes, so that a reader sees the units; `decimals` is the place to which the
    value is rounded: what is shown is what is assessed.
    """

    id: Id
    function: Key
    inputs: Mapping[Key, str]
    only_these_units: bool = False
    within: Mapping[Key, UnitSpan] = {}
    decimals: Annotated[int, Field(ge=0, le=4)]
    note: str
    cautions: tuple[Caution, ...] = ()
    measured: BesideMeasured | None = None
    cite: tuple[Cite, ...]


class Analyte(Strict):
    """One file of `analytes/`."""

    schema_: Literal[1] = Field(alias="schema")
    id: Key
    name: str
    about: str
    identity: Identity
    units: AnalyteUnits
    default: Id | None
    lab_range: LabRange = LabRange()
    limits: tuple[LimitSet, ...] = ()
    no_limit: tuple[NoLimit, ...] = ()
    critical: tuple[Critical, ...] = ()
    alerts: tuple[Alert, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    variation: tuple[Variation, ...] = ()
    derive: tuple[Derive, ...] = ()
    left_out: tuple[str, ...] = ()
    authorities: Mapping[str, Authority] = {}
    sources: Mapping[str, Source] = {}


class AnalyteAddition(Strict):
    """A site's file: limits added to an analyte that is already in the catalog."""

    schema_: Literal[1] = Field(alias="schema")
    extends: Key
    default: Id | None = None
    lab_range: LabRange | None = None
    limits: tuple[LimitSet, ...] = ()
    no_limit: tuple[NoLimit, ...] = ()
    critical: tuple[Critical, ...] = ()
    alerts: tuple[Alert, ...] = ()
    authorities: Mapping[str, Authority] = {}
    sources: Mapping[str, Source] = {}
