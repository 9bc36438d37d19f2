"""Data files -> one plain table (JSON), from which every answer is given.

Names become keys, limits become edges in every usual unit (exact rationals, rounded once), spellings become
codes. pint is asked here for the factors, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from math import inf
from typing import Any

from labinterp._derived import FUNCTIONS
from labinterp._digest import FORMAT
from labinterp._files import Files
from labinterp._names import sorted_key, spellings, squash, tokens
from labinterp._rules import DAYS, edge_floats, span_ends
from labinterp._schema_analyte import Analyte, Derive, InForce, LimitSet, Population
from labinterp._schema_parts import Cite, Span, UnitSpan
from labinterp._units import Physics, fold


def compile_table(files: Files, source_digest: str) -> dict[str, Any]:
    """The compiled table of checked files.

    Args:
        files: Models that passed the checks.
        source_digest: From `digest`; kept in the table.

    Returns:
        dict: plain data, ready for JSON.
    """
    kinds = {u.ucum: u.kind for u in files.units.unit}
    names = {u.ucum: u.pint for u in files.units.unit}
    physics = Physics(names, kinds)
    analytes = {a.id: _analyte(a, physics, kinds) for a in files.analytes.values()}
    table: dict[str, Any] = {
        "format": FORMAT,
        "version": files.version,
        "as_of": files.as_of.isoformat(),
        "digest": source_digest,
        "units": _units(files),
        **_identity(files.analytes.values()),
        "analytes": analytes,
        "limits": {},
        "no_limit": {},
        "derive": derivations(files),
        "policy": _policy(files),
        "effects": {k: e.model_dump(mode="json") for k, e in files.effects.effects.items()},
        "hpo_release": files.effects.hpo_release,
        "mechanisms": {k: m.model_dump(mode="json") for k, m in files.mechanisms.mechanisms.items()},
        "conditions": {k: _lean(c.model_dump(mode="json", by_alias=True)) for k, c in files.conditions.items()},
        "patterns": {k: _lean(p.model_dump(mode="json", by_alias=True)) for k, p in files.patterns.items()},
        "authorities": {k: a.model_dump(mode="json") for k, a in files.sources.authorities.items()},
        "sources": {k: _lean(s.model_dump(mode="json")) for k, s in files.sources.sources.items()},
    }
    for analyte in files.analytes.values():
        compiled = analytes[analyte.id]
        for limits in analyte.limits:
            table["limits"][limits.id] = _limit_set(limits, analyte.id, compiled, kinds, files)
        for none in analyte.no_limit:
            table["no_limit"][none.id] = {"id": none.id, "analyte": analyte.id, "authority": none.authority,
                                          "because": none.because, "cite": _cites(none.cite), **_force(none.in_force)}  # fmt: skip
    return table


def _units(files: Files) -> dict[str, Any]:
    exact: dict[str, str] = {}
    folded: dict[str, str] = {}
    for unit in files.units.unit:
        for text in unit.exact:
            exact[text] = unit.ucum
        for text in (unit.ucum, *unit.spellings):
            folded.setdefault(fold(text), unit.ucum)
        exact.setdefault(unit.ucum, unit.ucum)
    return {
        "kinds": {u.ucum: u.kind for u in files.units.unit},
        "pint": {u.ucum: u.pint for u in files.units.unit if u.pint},
        "refused": {u.ucum: u.refused for u in files.units.unit if u.refused},
        "exact": exact,
        "folded": folded,
    }


def _identity(analytes: Iterable[Analyte]) -> dict[str, Any]:
    keys: dict[str, dict[str, Any]] = {"names": {}, "sorted_names": {}, "never": {}, "ambiguous": {}, "loinc": {}, "never_loinc": {}}
    reasons: list[list[str]] = []
    for analyte in analytes:
        identity = analyte.identity
        own = [analyte.id.replace("_", " "), analyte.name, *(n for listed in identity.names.values() for n in listed)]
        for name in (spelt for listed in own for spelt in sorted(spellings(listed))):
            keys["names"].setdefault(squash(name), analyte.id)
            keys["sorted_names"].setdefault(sorted_key(tokens(name)), analyte.id)
        for never in identity.never:
            reasons.append([analyte.id, never.reason, never.because])
            for name in (spelt for listed in never.names for spelt in sorted(spellings(listed))):
                keys["never"].setdefault(squash(name), len(reasons) - 1)
                keys["never"].setdefault(sorted_key(tokens(name)), len(reasons) - 1)
        for ambiguous in identity.ambiguous:
            for name in sorted(spellings(ambiguous.name)):
                keys["ambiguous"].setdefault(squash(name), [analyte.id, list(ambiguous.may_be)])
        for loinc in identity.loinc:
            keys["loinc"].setdefault(loinc.code, [analyte.id, loinc.kind])
        for code in identity.never_loinc:
            keys["never_loinc"].setdefault(code.code, [analyte.id, code.reason, code.means])
    return {**keys, "never_reasons": reasons}


def _analyte(analyte: Analyte, physics: Physics, kinds: Mapping[str, str]) -> dict[str, Any]:
    units, moiety = analyte.units, analyte.units.moiety
    refused = {r.kind: r.because for r in units.refuse}
    factors = {}
    for unit, kind in kinds.items():
        factor = None if kind in refused else physics.factor(unit, units.si, moiety.molar_mass, moiety.valence)
        if factor is not None:
            factors[unit] = f"{factor.numerator}/{factor.denominator}"
    return {
        "id": analyte.id,
        "name": analyte.name,
        "about": analyte.about,
        "si": units.si,
        "usual": list(units.usual),
        "moiety": _lean(moiety.model_dump(mode="json")),
        "factors": factors,
        "refused": refused,
        "unit_caveats": dict(units.caveats),
        "plausible": _unit_span(units.plausible),
        "ordinary": _unit_span(units.ordinary),
        "believed": {u: [*_ends(units.plausible, u, factors), *_ends(units.ordinary, u, factors)] for u in units.usual if u in factors},
        "default": analyte.default,
        "lab_range": analyte.lab_range.model_dump(),
        "specimens": list(analyte.identity.specimens),
        "twins": dict(analyte.identity.specimen_twins),
        "loinc": [c.code for c in analyte.identity.loinc],
        "names": {language: list(listed) for language, listed in analyte.identity.names.items()},
        "limits": [s.id for s in analyte.limits],
        "no_limit": [n.id for n in analyte.no_limit],
        "critical": [{"id": c.id, "authority": c.authority, "code": c.code, "cite": _cites(c.cite), **_force(c.in_force),
                      **_unit_span(c)} for c in analyte.critical],
        "alerts": [{"id": a.id, "tier": a.tier, "requires": list(a.requires), "text": a.text, "cite": _cites(a.cite),
                    **_unit_span(a), "also_in": _pairs(a.also_in)} for a in analyte.alerts],
        "caveats": [{"id": c.id, "bands": list(c.bands), "codes": list(c.codes), "text": c.text, "cite": _cites(c.cite)}
                    for c in analyte.caveats],
        "variation": [_lean(v.model_dump(mode="json")) for v in analyte.variation],
        "left_out": list(analyte.left_out),
    }  # fmt: skip


def _limit_set(limits: LimitSet, analyte: str, compiled: Mapping[str, Any], kinds: Mapping[str, str], files: Files) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": limits.id,
        "analyte": analyte,
        "authority": limits.authority,
        "kind": limits.kind,
        "purpose": limits.purpose,
        **_force(limits.in_force),
        "superseded_by": limits.superseded_by,
        "aspect": limits.aspect,
        "unit": limits.unit,
        "also_in": _pairs(limits.also_in),
        "printed": limits.printed,
        "judgement": limits.judgement,
        "caveat": limits.caveat,
        "shifts": [{"requires": list(s.requires), "add": str(s.add), "cite": _cites(s.cite)} for s in limits.shifts],
        "one_of": _alternatives(limits, files),
        "cite": _cites(limits.cite),
    }
    data["populations"] = [_population(p) for p in sorted(limits.populations, key=_specificity)]
    for population in data["populations"]:
        population["edges"] = {u: edge_floats(data, population, u, compiled["factors"], kinds) for u in compiled["usual"]}
    return data


def _alternatives(limits: LimitSet, files: Files) -> list[list[str]]:
    """The circumstances of which only one can be true, where the lines of a set move with them."""
    contexts = files.policy.contexts
    kinds = dict.fromkeys(contexts[name].one_of for shift in limits.shifts for name in shift.requires)
    return [[name for name, context in contexts.items() if context.one_of == kind] for kind in kinds if kind is not None]


def derivations(files: Files) -> list[dict[str, Any]]:
    """How quantities are derived, a quantity that feeds another first."""
    ordered: dict[str, Analyte] = {}

    def visit(id: str) -> None:
        for block in files.analytes[id].derive if id in files.analytes and id not in ordered else ():
            for name in block.inputs:
                visit(name)
        if id in files.analytes and files.analytes[id].derive:
            ordered.setdefault(id, files.analytes[id])

    for id in files.analytes:
        visit(id)
    return [{"analyte": id, "blocks": [_derive(block) for block in analyte.derive]} for id, analyte in ordered.items()]


def _derive(block: Derive) -> dict[str, Any]:
    function, beside = FUNCTIONS[block.function], block.measured
    return {
        "id": block.id,
        "function": block.function,
        "inputs": [list(one) for one in function.inputs.items()],
        "only_these_units": block.only_these_units,
        "within": {name: _unit_span(span) for name, span in block.within.items()},
        "unit": function.unit,
        "decimals": block.decimals,
        "note": block.note,
        "measured": beside and {**beside.model_dump(mode="json"), "cite": _cites(beside.cite)},
        "cautions": [_lean(caution.model_dump(mode="json", by_alias=True)) for caution in block.cautions],
        "cite": _cites(block.cite),
    }


def _population(population: Population) -> dict[str, Any]:
    return {
        "who": population.who,
        "sex": population.sex,
        "age": age_span(population),
        "pregnant": population.pregnant,
        "trimester": list(population.trimester),
        "requires": list(population.requires),
        "judgement": population.judgement,
        "bands": [[b.key, b.code, b.label] for b in population.bands],
        "lines": lines_of(population.bands),
    }


def age_span(population: Population) -> list[Any] | None:
    """[unit, at_least, below] of a population, or None for every age."""
    for unit in DAYS:
        ages = getattr(population, f"age_{unit}")
        if ages is not None:
            return [unit, *(None if end is None else float(end) for end in (ages.at_least, ages.below))]
    return None


def lines_of(bands: Iterable[Span]) -> list[list[str]]:
    """The lines between bands: the lower end of each band but the first, with its word."""
    lines = []
    for band in list(bands)[1:]:
        number, word = (band.at_least, "at_least") if band.at_least is not None else (band.above, "above")
        lines.append([str(number), word])
    return lines


def _specificity(population: Population) -> tuple[Any, ...]:
    """Most specific first: a declared circumstance, then pregnancy, then sex, then the narrower age."""
    span = age_span(population)
    width = 1e9 if span is None else ((1e6 if span[2] is None else span[2] * DAYS[span[0]]) - (span[1] or 0) * DAYS[span[0]])
    return (-len(population.requires), -len(population.trimester) or (population.pregnant != "yes"), population.sex == "any", width)


def _policy(files: Files) -> dict[str, Any]:
    policy = files.policy.model_dump(mode="json")
    spellings = {squash(text): key for key, texts in files.policy.specimens.items() for text in (key, *texts)}
    words = {" ".join(tokens(word)): key for key, listed in files.policy.specimen_qualifiers.items() for word in listed}
    contexts = {squash(text): key for key, context in files.policy.contexts.items() for text in (key, *context.names)}
    pregnancy, muscle = files.policy.pregnancy_possible_years, files.policy.muscle_text_years
    return {
        **policy,
        "specimens": spellings,
        "specimen_qualifiers": words,
        "name_qualifiers": sorted({squash(w) for w in files.policy.name_qualifiers}),
        "context_names": contexts,
        "foreign_names": {sorted_key(tokens(name)): name for name in files.policy.foreign_names},
        "pregnancy_possible_years": [None if a is None else float(a) for a in (pregnancy.at_least, pregnancy.below)],
        "muscle_text_years": [None if a is None else float(a) for a in (muscle.at_least, muscle.below)],
        "derived": [_lean(d) for d in policy["derived"]],
        "single_mild": {**policy["single_mild"], "unless": [_lean(gate) for gate in policy["single_mild"]["unless"]]},
    }


def _ends(span: UnitSpan, unit: str, factors: Mapping[str, str]) -> list[float | None]:
    return [None if abs(end) == inf else end for end in span_ends(_unit_span(span), unit, factors)]


def _unit_span(span: UnitSpan) -> dict[str, Any]:
    return {"unit": span.unit, **{w: str(v) for w in ("below", "at_most", "at_least", "above") if (v := getattr(span, w)) is not None}}


def _pairs(also_in: Mapping[str, Iterable[Iterable[Decimal]]]) -> dict[str, list[list[str]]]:
    return {unit: [[str(n) for n in pair] for pair in pairs] for unit, pairs in also_in.items()}


def _cites(cites: Iterable[Cite]) -> list[dict[str, str]]:
    return [c.model_dump() for c in cites]


def _force(in_force: InForce) -> dict[str, str | None]:
    ends = {"from": in_force.from_, "until": in_force.until}
    return {name: None if day is None else day.isoformat() for name, day in ends.items()}


def _lean(value: Any) -> Any:
    """The same data without empty and absent entries."""
    if isinstance(value, dict):
        return {k: _lean(v) for k, v in value.items() if v not in (None, "", [], {}, ())}
    return [_lean(v) for v in value] if isinstance(value, list) else value
