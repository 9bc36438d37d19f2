"""A catalog made for tests: the one that ships, with a few invented analytes in it that are derived from one another.

The lines are invented; only the functions, and what the engine does with them, are under test. Conditions and patterns are the tests' own.
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from functools import cache
from typing import Any

from tests.schemas import DATA

from labinterp import Catalog
from labinterp._compile import compile_table
from labinterp._files import Files, read_files
from labinterp._schema_analyte import Analyte
from labinterp._schema_links import Condition, Pattern
from labinterp._schema_parts import Gate

CITE = '[{ source = "nkf-ckd-epi-2021", locator = "made for a test", checked = "primary" }]'


def analyte(id: str, name: str, unit: str, usual: list[str], mass: str, more: str = "", lines: tuple[str, str] | None = None) -> str:
    """The file of an analyte with one set of limits, or none."""
    limits = ""
    if lines:
        low, high = lines
        limits = f"""
[[limits]]
id = "{id}/made-up"
authority = "kdigo"
kind = "reference_interval"
purpose = "research"
unit = "{unit}"
printed = "{low}-{high}"
cite = {CITE}
[[limits.populations]]
who = "everybody"
pregnant = "any"
bands = [
  {{ key = "low", code = "L", below = {low}, label = "low" }},
  {{ key = "normal", code = "N", at_least = {low}, at_most = {high}, label = "normal" }},
  {{ key = "high", code = "H", above = {high}, label = "high" }},
]
"""
    default = f"{id}/made-up" if lines else f"{id}/none"
    none = "" if lines else f'[[no_limit]]\nid = "{id}/none"\nauthority = "kdigo"\nbecause = "It feeds another quantity."\ncite = {CITE}\n'
    return f"""
schema = 1
id = "{id}"
name = "{name}"
about = "Made for a test."
default = "{default}"
[identity]
specimens = ["serum", "plasma"]
[identity.names]
en = ["{name}"]
[units]
si = "{unit}"
usual = {usual}
moiety = {{ reported_as = "{id}"{f", molar_mass = {mass}" if mass else ""} }}
plausible = {{ unit = "{unit}", at_least = 0.001, at_most = 500 }}
ordinary = {{ unit = "{unit}", at_least = 0.01, at_most = 400 }}
{limits}{none}{more}
"""


def derive(id: str, function: str, inputs: str, decimals: int, more: str = "") -> str:
    """One block."""
    return f'[[derive]]\nid = "{id}"\nfunction = "{function}"\ninputs = {inputs}\ndecimals = {decimals}\nnote = "Computed."\ncite = {CITE}\n{more}\n'


WITHIN = 'within = { albumin = { unit = "g/L", at_least = 20 } }\n'
CAUTION = f"""
[[derive.cautions]]
id = "adjusted_calcium/low-albumin"
when = {{ analyte = "albumin", span = {{ unit = "g/L", below = 30 }} }}
text = "Albumin under 30 g/L makes the estimate poor."
cite = {CITE}
"""
SATURATION = derive(
    "transferrin_saturation/from-tibc", "transferrin_saturation_from_tibc", '{ iron = "umol/L", tibc = "umol/L" }', 1
) + derive(
    "transferrin_saturation/from-transferrin", "transferrin_saturation_from_transferrin", '{ iron = "umol/L", transferrin = "g/L" }', 1
)
CALCIUM = derive(
    "adjusted_calcium/us",
    "adjusted_calcium_us",
    '{ calcium = "mg/dL", albumin = "g/dL" }',
    2,
    "only_these_units = true\n" + WITHIN + CAUTION,
) + derive(
    "adjusted_calcium/uk",
    "adjusted_calcium_uk",
    '{ calcium = "mmol/L", albumin = "g/L" }',
    3,
    WITHIN + CAUTION.replace("/low-albumin", "/poor-albumin"),
)
FILES = [
    analyte("iron", "Iron", "umol/L", ["umol/L", "ug/dL"], "55.845", lines=("10", "30")),
    analyte("uibc", "UIBC", "umol/L", ["umol/L", "ug/dL"], "55.845"),
    analyte("tibc", "TIBC", "umol/L", ["umol/L", "ug/dL"], "55.845",
            derive("tibc/from-uibc", "tibc_from_uibc", '{ iron = "umol/L", uibc = "umol/L" }', 1)),
    analyte("transferrin", "Transferrin", "g/L", ["g/L", "mg/dL"], "", lines=("2.0", "3.6")),
    analyte("transferrin_saturation", "Transferrin saturation", "%", ["%"], "", SATURATION, lines=("20", "45")),
    analyte("calcium", "Calcium", "mmol/L", ["mmol/L", "mg/dL"], "40.078", lines=("2.20", "2.60")),
    analyte("albumin", "Albumin", "g/L", ["g/L", "g/dL"], "", lines=("35", "50")),
    analyte("adjusted_calcium", "Adjusted calcium", "mmol/L", ["mmol/L", "mg/dL"], "40.078", CALCIUM, lines=("2.20", "2.60")),
    analyte("vitamin_e", "Vitamin E", "umol/L", ["umol/L", "mg/L"], "430.71", lines=("12", "46")),
    analyte("cholesterol", "Cholesterol", "mmol/L", ["mmol/L", "mg/dL"], "386.65"),
    analyte("vitamin_e_cholesterol_ratio", "Vitamin E to cholesterol ratio", "umol/mmol", ["umol/mmol"], "", derive(
        "vitamin_e_cholesterol_ratio/plain", "vitamin_e_cholesterol_ratio", '{ vitamin_e = "umol/L", cholesterol = "mmol/L" }', 2),
        lines=("2.2", "10")),
]  # fmt: skip
PATTERN = f"""
schema = 1
id = "iron_short"
name = "Short of iron"
order = 10
about = "Made for a test."
inputs = ["transferrin_saturation", "adjusted_calcium", "egfr"]
cite = {CITE}
[[outcomes]]
certainty = "likely"
when = {{ all_of = [{{ analyte = "transferrin_saturation", codes = ["L"] }}, {{ limits = "adjusted_calcium/made-up", bands = ["low"] }}] }}
text = "Both are low."
[[outcomes]]
certainty = "possible"
when = {{ any_of = [{{ analyte = "transferrin_saturation", codes = ["L"] }}, {{ analyte = "adjusted_calcium", codes = ["L"] }}, {{ limits = "egfr/kdigo", bands = ["g3a", "g3b", "g4", "g5"] }}] }}
text = "One of them is low."
"""
CONDITION = f"""
schema = 1
id = "short_of_iron"
name = "a shortage"
about = "Made for a test."
next_step = "Repeat."
cite = {CITE}
[[links]]
id = "short_of_iron/fatigue"
when = {{ analyte = "transferrin_saturation", span = {{ unit = "%", below = 15 }} }}
effect = "fatigue"
relation = "contributes_to"
certainty = "moderate"
evidence = ["rct"]
treatment = {{ effect = "improves" }}
reversibility = "Good."
cite = {CITE}
"""
ALERT = f"""
[[alerts]]
id = "adjusted_calcium/very-low"
tier = "T1"
unit = "mmol/L"
below = 2.1
text = "Very low."
cite = {CITE}
"""


def read(text: str) -> dict[str, Any]:
    return tomllib.loads(text, parse_float=Decimal)


def files(*more: str, conditions: tuple[str, ...] = (CONDITION,), patterns: tuple[str, ...] = (PATTERN,)) -> Files:
    """The files of this catalog.

    Args:
        more: Further analyte files; one with a known id takes the place of the one before.
        conditions: Its conditions.
        patterns: Its patterns.
    """
    shipped = read_files(DATA, [])
    own = {
        one.id: one
        for one in (Analyte.model_validate(read(text + (ALERT if 'id = "adjusted_calcium"' in text else ""))) for text in (*FILES, *more))
    }
    kept = {id: one if id == "egfr" else one.model_copy(update={"derive": ()}) for id, one in shipped.analytes.items() if id not in own}
    limits = {limit_set.id for one in (*own.values(), *kept.values()) for limit_set in one.limits}
    policy, single = shipped.policy, shipped.policy.single_mild
    derived = tuple(one for one in policy.derived if _limits(one.when) <= limits)
    single = single.model_copy(update={"unless": tuple(gate for gate in single.unless if _limits(gate) <= limits)})
    return shipped._replace(
        policy=policy.model_copy(update={"derived": derived, "single_mild": single}),
        analytes={**own, **kept},
        conditions={one.id: one for one in (Condition.model_validate(read(text)) for text in conditions)},
        patterns={one.id: one for one in (Pattern.model_validate(read(text)) for text in patterns)},
    )


def _limits(gate: Gate) -> set[str]:
    """The sets that a gate asks."""
    inner = (*gate.all_of, *gate.any_of, *gate.none_of, *gate.of)
    return ({gate.limits} if gate.limits else set()).union(*(_limits(one) for one in inner))


@cache
def catalog() -> Catalog:
    """The catalog; its files are not checked."""
    return Catalog(compile_table(files(), "small"))
