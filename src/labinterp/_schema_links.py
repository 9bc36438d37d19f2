"""The form of the files that give results a meaning: conditions, mechanisms, effects, patterns, and the policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from labinterp._schema_parts import Ages, Certainty, Cite, Code, Gate, Id, Key, Relation, Strict


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
    recovery: str = ""
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
    """A muscle effect. `kind = "measurement"` is never said as something a person feels. `words`: what people call it when they ask."""

    name: str
    in_sentence: str
    words: tuple[str, ...] = ()
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
    """One answer a pattern can give; the first whose gate is true is given.

    `replaces`: conditions or links that are not said of single results where this outcome is given, whatever its certainty.
    """

    certainty: Literal["likely", "possible", "cannot_tell", "not_supported"]
    when: Gate
    text: str
    settled_by: tuple[Key, ...] = ()
    next_test: str = ""
    replaces: tuple[str, ...] = ()


class Pattern(Strict):
    """One file of `patterns/`: a combination of results with a meaning.

    `replaces`: conditions or links that are not said of single results where the pattern is likely or possible.
    """

    schema_: Literal[1] = Field(alias="schema")
    id: Key
    name: str
    order: int
    about: str
    inputs: tuple[Key, ...]
    replaces: tuple[str, ...] = ()
    tests: Mapping[Key, Gate] = {}
    outcomes: tuple[Outcome, ...]
    cite: tuple[Cite, ...]


# --- policy and wording -----------------------------------------------------------------------------------


class Context(Strict):
    """A circumstance a person may declare. Of those with the same `one_of` only one can be true of a person."""

    text: str
    one_of: Key | None = None
    names: tuple[str, ...] = ()


class DerivedContext(Strict):
    """A circumstance the panel itself shows."""

    context: Key
    when: Gate
    cite: tuple[Cite, ...]


class SingleMild(Strict):
    """When one mildly abnormal value is not enough to name links that rest on little evidence.

    `out`: findings in a band with one of these codes count as out; `mild`: and are mild with these. A panel with at most one finding out, and that one
    mild, gives no link whose certainty is among `held_back`, but for links that rest on a pattern, unless one of the gates of `unless`
    is true (a declared symptom, a band that is not mild).
    """

    out: tuple[Code, ...]
    mild: tuple[Code, ...]
    held_back: tuple[Certainty, ...]
    unless: tuple[Gate, ...] = ()
    note: str
    cite: tuple[Cite, ...] = ()


class Policy(Strict):
    """`policy.toml`: the rules of use a clinician could disagree with."""

    pregnancy_possible_years: Ages
    muscle_text_years: Ages
    single_mild: SingleMild
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
