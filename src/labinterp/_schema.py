"""The form of the data files: pydantic models of everything under `reference_ranges/`.

Frozen, and strict about unknown keys: a slip of the pen in a data file is an error with a path, never a
value that is silently left out. Nothing here is imported to answer a question from a built wheel.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Checked = Literal["primary", "secondary"]
Code = Literal["LL", "LU", "L", "N", "H", "HU", "HH", "IND"]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Id = Annotated[str, Field(pattern=r"^[a-z0-9_]+(/[a-z0-9.-]+)+$")]
Relation = Literal["proposed", "associated_with", "contributes_to", "causes"]
Certainty = Literal["very_low", "low", "moderate", "high"]
Language = Literal["en", "de", "fr", "nl", "es", "it", "other"]


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


# --- analytes ---------------------------------------------------------------------------------------------


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


class Ages(Strict):
    """Half-open age span: `at_least` counts, `below` does not."""

    at_least: Decimal | None = None
    below: Decimal | None = None


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


# --- conditions, mechanisms, effects, patterns ------------------------------------------------------------


class Treatment(Strict):
    """Whether correcting the state improves the effect: kept apart from whether the state is linked to it."""

    effect: Literal["improves", "no_effect", "mixed", "harm_signal", "unknown"]
    certainty: Certainty | None = None


class Link(Strict):
    """Condition -> mechanism -> effect, in one band, with what it rests on."""

    id: Id
    when: Gate
    mechanisms: tuple[Key, ...] = ()
    effect: Key
    directness: Literal["direct", "indirect"] = "direct"
    through: str = ""
    relation: Relation
    certainty: Certainty
    evidence: tuple[
        Literal[
            "guideline",
            "meta_analysis_rct",
            "rct",
            "cohort",
            "cross_sectional",
            "case_series",
            "physiology",
            "genetic",
            "animal",
            "cell",
            "expert_opinion",
        ],
        ...,
    ]
    treatment: Treatment
    reversibility: str
    onset: str = ""
    note: str = ""
    cite: tuple[Cite, ...]


class Suppression(Strict):
    """An effect that is deliberately not said, and why."""

    id: Id
    when: Gate
    effects: tuple[Key, ...] | Literal["all"]
    because: str
    cite: tuple[Cite, ...]


class Condition(Strict):
    """One file of `conditions/`: a state a band points to, and what it is linked to."""

    schema_: Literal[1] = Field(alias="schema")
    id: Key
    name: str
    hpo: str | None = None
    about: str
    at_risk: tuple[str, ...] = ()
    usually_done: tuple[str, ...] = ()
    next_step: str = ""
    links: tuple[Link, ...] = ()
    suppress: tuple[Suppression, ...] = ()
    cite: tuple[Cite, ...]


class Mechanism(Strict):
    """How a state is thought to reach an effect."""

    name: str
    text: str
    status: Literal["established", "supported", "mixed", "plausible", "proposed", "animal", "marker"]


class Mechanisms(Strict):
    """`mechanisms.toml`."""

    mechanisms: Mapping[Key, Mechanism]


class Effect(Strict):
    """A muscle effect. `kind = "measurement"` is never said as something a person feels."""

    name: str
    in_sentence: str
    text: str
    system: Literal["muscle", "nerve", "connective_tissue", "oxygen_delivery"]
    hpo: str | None
    hpo_label: str | None = None
    kind: Literal["symptom", "sign", "measurement"]


class Effects(Strict):
    """`effects.toml`."""

    hpo_release: str
    effects: Mapping[Key, Effect]


class Outcome(Strict):
    """One answer a pattern can give; the first whose gate is true is given."""

    certainty: Literal["likely", "possible", "cannot_tell", "not_supported"]
    when: Gate
    text: str
    settled_by: tuple[Key, ...] = ()
    next_test: str = ""


class Pattern(Strict):
    """One file of `patterns/`: a combination of results with a meaning."""

    schema_: Literal[1] = Field(alias="schema")
    id: Key
    name: str
    order: int
    about: str
    inputs: tuple[Key, ...]
    tests: Mapping[Key, Gate] = {}
    outcomes: tuple[Outcome, ...]
    cite: tuple[Cite, ...]


# --- policy and wording -----------------------------------------------------------------------------------


class Context(Strict):
    """A circumstance a person may declare."""

    text: str
    names: tuple[str, ...] = ()


class DerivedContext(Strict):
    """A circumstance the panel itself shows."""

    context: Key
    when: Gate
    cite: tuple[Cite, ...]


class Policy(Strict):
    """`policy.toml`: the rules of use a clinician could disagree with."""

    pregnancy_possible_years: Ages
    muscle_text_years: Ages
    contexts: Mapping[Key, Context]
    derived: tuple[DerivedContext, ...]
    specimens: Mapping[Key, tuple[str, ...]]
    name_qualifiers: tuple[str, ...]
    specimen_qualifiers: Mapping[Key, tuple[str, ...]]
    foreign_names: tuple[str, ...]
    disclaimer: str
    standing: tuple[str, ...]
    occasions: Mapping[Literal["band", "pattern"], str]
    verbs: Mapping[Relation, str]
    certainty_words: Mapping[Certainty, str]
    treatment_words: Mapping[str, str]
    tier_words: Mapping[Literal["T1", "T2", "T3", "T4"], str]
    banned: tuple[str, ...]
