"""Checks of what refers to what: citations, names, ids, gates, and the words that may be printed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from labinterp._files import Files, Problem
from labinterp._names import sorted_key, squash, tokens
from labinterp._schema_parts import Cite, Gate
from labinterp._units import fold


def check_names(files: Files) -> Iterator[Problem]:
    """No name, LOINC code or unit spelling may mean two things."""
    owner: dict[str, str] = {}
    for analyte in files.analytes.values():
        file, identity = f"analytes/{analyte.id}.toml", analyte.identity
        names = {
            squash(n): n for n in (analyte.id.replace("_", " "), analyte.name, *(n for listed in identity.names.values() for n in listed))
        }
        ordered = {sorted_key(tokens(n)): n for n in names.values()}
        for key, name in [*names.items(), *((f"words {k}", n) for k, n in ordered.items())]:
            other = owner.setdefault(key, analyte.id)
            if other != analyte.id:
                yield Problem(
                    file,
                    "identity > names",
                    f"the name {name!r} already means {other}.",
                    "A name may lead to one analyte; make it ambiguous, or longer.",
                )
        for never in identity.never:
            for name in never.names:
                own = names.get(squash(name))
                if own is not None and not (len(tokens(own)) == 1 < len(tokens(name)) and sorted_key(tokens(name)) not in ordered):
                    yield Problem(file, "identity > never", f"{name!r} is also a name of this analyte.", "Take it out of one list.")
        for ambiguous in identity.ambiguous:
            if squash(ambiguous.name) in names:
                yield Problem(file, "identity > ambiguous", f"{ambiguous.name!r} is also a plain name.", "Take it out of one list.")
        codes: tuple[Any, ...] = (*identity.loinc, *identity.never_loinc)
        for code in codes:
            key, means = f"loinc {code.code}", analyte.id if code in identity.loinc else "another test"
            if owner.setdefault(key, means) != means and means != "another test":
                yield Problem(file, "identity > loinc", f"LOINC {code.code} already means {owner[key]}.", "A code means one analyte.")
        for specimen in (*identity.specimens, *identity.specimen_twins):
            if specimen not in files.policy.specimens:
                yield Problem(file, "identity > specimens", f"{specimen!r} is not a specimen of policy.toml.", "Use one of its keys.")
        for twin in identity.specimen_twins.values():
            if twin not in files.analytes:
                yield Problem(file, "identity > specimen_twins", f"{twin!r} is no analyte of this catalog.", "Correct the id.")
    meant: dict[str, str] = {}
    for key, context in files.policy.contexts.items():
        for name in (key, *context.names):
            if meant.setdefault(squash(name), key) != key:
                other = meant[squash(name)]
                yield Problem(
                    "policy.toml", f"contexts > {key}", f"the name {name!r} already means {other}.", "A name means one circumstance."
                )
    called: dict[str, str] = {}
    for key, effect in files.effects.effects.items():
        for name in (key.replace("_", " "), effect.name, *effect.words):
            if called.setdefault(squash(name), key) != key:
                other = called[squash(name)]
                yield Problem("effects.toml", f"{key} > words", f"{name!r} already leads to {other}.", "A word leads to one effect.")
    spelled: dict[str, str] = {}
    for unit in files.units.unit:
        for text in {fold(t) for t in (unit.ucum, *unit.spellings)}:
            other = spelled.setdefault(text, unit.ucum)
            if other != unit.ucum:
                yield Problem(
                    "units.toml", f"unit {unit.ucum!r}", f"the spelling {text!r} already means {other!r}.", "A spelling means one unit."
                )


def check_ids(files: Files, published: Iterable[str]) -> Iterator[Problem]:
    """Ids are unique, belong to their file, and never disappear."""
    seen: dict[str, str] = {}
    for analyte in files.analytes.values():
        file = f"analytes/{analyte.id}.toml"
        cautions = [caution for block in analyte.derive for caution in block.cautions]
        items: tuple[Any, ...] = (*analyte.limits, *analyte.no_limit, *analyte.critical, *analyte.alerts, *analyte.caveats, *analyte.derive)
        for item in (*items, *cautions):
            yield from _unique(seen, item.id, file)
            if item.id.split("/", 1)[0] != analyte.id:
                yield Problem(file, f"{item.id!r}", f"the id does not start with '{analyte.id}/'.", "Start it with the analyte's id.")
    for condition in files.conditions.values():
        file = f"conditions/{condition.id}.toml"
        entries: tuple[Any, ...] = (*condition.links, *condition.suppress)
        for entry in entries:
            yield from _unique(seen, entry.id, file)
    seen |= {f"pattern/{id}": f"patterns/{id}.toml" for id in files.patterns}
    for id in published:
        if id not in seen:
            yield Problem(
                "ids.txt", id, "this id was published and is gone.", "Never take an id out: end it with in_force.until and superseded_by."
            )


def _unique(seen: dict[str, str], id: str, file: str) -> Iterator[Problem]:
    if id in seen:
        yield Problem(file, repr(id), f"this id already stands in {seen[id]}.", "Give it another.")
    seen.setdefault(id, file)


def check_citations(files: Files) -> Iterator[Problem]:
    """Each citation's source exists; each source is cited; each authority is known."""
    used: set[str] = set()
    for file, model in _models(files):
        for place, cite in _find(model, Cite):
            used.add(cite.source)
            if cite.source not in files.sources.sources:
                yield Problem(file, place, f"{cite.source!r} is not among [sources].", "Add the source, or correct the key.")
            if not cite.locator.strip():
                yield Problem(file, place, "the citation says no place in its source.", "Give a page, table or section.")
    for key in sorted(set(files.sources.sources) - used):
        yield Problem("sources.toml", key, "nothing cites this source.", "Cite it, or take it out.")
    for analyte in files.analytes.values():
        items: tuple[Any, ...] = (*analyte.limits, *analyte.no_limit, *analyte.critical)
        for item in items:
            if item.authority not in files.sources.authorities:
                yield Problem(
                    f"analytes/{analyte.id}.toml",
                    repr(item.id),
                    f"{item.authority!r} is not among [authorities].",
                    "Add it to sources.toml.",
                )
            if not item.cite:
                yield Problem(f"analytes/{analyte.id}.toml", repr(item.id), "no citation.", "No limit loads without one.")


def check_gates(files: Files) -> Iterator[Problem]:
    """Gates, links and patterns name only what exists."""
    bands = {s.id: {b.key for p in s.populations for b in p.bands} for a in files.analytes.values() for s in a.limits}
    for file, model in _models(files):
        tests = set(getattr(model, "tests", ()))
        for place, gate in _find(model, Gate):
            for what, name, known in (
                ("limits", gate.limits, bands), ("analyte", gate.analyte, files.analytes), ("context", gate.context, files.policy.contexts),
                ("pattern", gate.pattern, files.patterns), ("test", gate.test, tests),
            ):  # fmt: skip
                if name is not None and name not in known:
                    yield Problem(file, place, f"{what} {name!r} does not exist.", "Correct the name.")
            for band in gate.bands:
                if gate.limits in bands and band not in bands[gate.limits]:
                    yield Problem(file, place, f"{gate.limits} has no band {band!r}.", f"It has: {', '.join(sorted(bands[gate.limits]))}.")
    for condition in files.conditions.values():
        for link in condition.links:
            place = f"links {link.id!r}"
            if link.effect not in files.effects.effects:
                yield Problem(
                    f"conditions/{condition.id}.toml", place, f"the effect {link.effect!r} is not in effects.toml.", "Correct the id."
                )
            for mechanism in link.mechanisms:
                if mechanism not in files.mechanisms.mechanisms:
                    yield Problem(
                        f"conditions/{condition.id}.toml",
                        place,
                        f"the mechanism {mechanism!r} is not in mechanisms.toml.",
                        "Correct the id.",
                    )
    said = {c.id for c in files.conditions.values()} | {link.id for c in files.conditions.values() for link in c.links}
    for pattern in files.patterns.values():
        for id in (*pattern.replaces, *(id for outcome in pattern.outcomes for id in outcome.replaces)):
            if id not in said:
                yield Problem(
                    f"patterns/{pattern.id}.toml", "replaces", f"{id!r} is no condition and no link of this catalog.", "Correct the id."
                )
        for analyte in (*pattern.inputs, *(s for o in pattern.outcomes for s in o.settled_by)):
            if analyte not in files.analytes:
                yield Problem(f"patterns/{pattern.id}.toml", "inputs", f"{analyte!r} is no analyte of this catalog.", "Correct the id.")
    for analyte_file in files.analytes.values():
        for limits in analyte_file.limits:
            for population in limits.populations:
                for context in set(population.requires) - set(files.policy.contexts):
                    place = f"{limits.id!r} > {population.who!r} > requires"
                    yield Problem(
                        f"analytes/{analyte_file.id}.toml", place, f"the context {context!r} is not in policy.toml.", "Correct it."
                    )
            for shift in limits.shifts:
                for context in set(shift.requires) - set(files.policy.contexts):
                    place = f"{limits.id!r} > shifts {' + '.join(shift.requires)} > requires"
                    yield Problem(
                        f"analytes/{analyte_file.id}.toml", place, f"the context {context!r} is not in policy.toml.", "Correct it."
                    )
        for alert in analyte_file.alerts:
            for context in alert.requires:
                if context not in files.policy.contexts:
                    yield Problem(
                        f"analytes/{analyte_file.id}.toml", repr(alert.id), f"the context {context!r} is not in policy.toml.", "Correct it."
                    )


# "Causes" as a verb needs "can" before it; as a noun ("other causes of ...") it is free, and so is the denial "one causes the other".
_CAUSES = re.compile(r"\bcauses\b")
_CAUSES_ALLOWED = re.compile(
    r"one causes the other|\b(?:the|other|common|commonest|many|possible|rare|their|its|these|different|underlying) causes\b|\bcauses of\b"
)


def check_words(files: Files) -> Iterator[Problem]:
    """Every sentence the catalog can print obeys the verb rules."""
    banned = [
        re.compile(rf"\b{re.escape(phrase.strip())}\b" if phrase.strip()[-1:].isalnum() else re.escape(phrase))
        for phrase in files.policy.banned
    ]
    for file, place, text in sentences(files):
        low = text.casefold()
        for pattern in banned:
            if pattern.search(low):
                yield Problem(
                    file,
                    place,
                    f"a printed sentence must not say {pattern.pattern.replace(chr(92), '').strip('b')!r}.",
                    "See the verb rules in policy.toml.",
                )
        if _CAUSES.search(_CAUSES_ALLOWED.sub(" ", low)):
            yield Problem(file, place, "'causes' is said without 'can'.", "Write 'can cause', or weaken the verb.")


def sentences(files: Files) -> Iterator[tuple[str, str, str]]:
    """(file, place, text) of everything a report can print in words."""
    policy = files.policy
    yield "policy.toml", "single_mild > note", policy.single_mild.note
    for n, text in enumerate((policy.disclaimer, *policy.standing)):
        yield "policy.toml", f"standing {n}", text
    for mapping in (policy.occasions, policy.verbs, policy.certainty_words, policy.treatment_words, policy.tier_words):
        for key, text in mapping.items():
            yield "policy.toml", key, text
    for analyte in files.analytes.values():
        file = f"analytes/{analyte.id}.toml"
        for limits in analyte.limits:
            yield file, limits.id, limits.caveat
            for population in limits.populations:
                yield from ((file, f"{limits.id} > {band.key}", band.label) for band in population.bands)
        told: tuple[Any, ...] = (*analyte.alerts, *analyte.caveats, *(c for block in analyte.derive for c in block.cautions))
        yield from ((file, item.id, item.text) for item in told)
        yield from ((file, block.id, block.note) for block in analyte.derive)
    for condition in files.conditions.values():
        file = f"conditions/{condition.id}.toml"
        for text in (condition.name, condition.about, condition.next_step, *condition.at_risk, *condition.usually_done):
            yield file, "text", text
        for link in condition.links:
            yield from ((file, link.id, text) for text in (link.note, link.reversibility, link.recovery, link.onset, link.through))
    for pattern in files.patterns.values():
        for outcome in pattern.outcomes:
            yield from ((f"patterns/{pattern.id}.toml", outcome.certainty, text) for text in (outcome.text, outcome.next_test))
    for key, effect in files.effects.effects.items():
        yield from (("effects.toml", key, text) for text in (effect.name, effect.in_sentence, effect.text))
    for key, mechanism in files.mechanisms.mechanisms.items():
        yield "mechanisms.toml", key, mechanism.text


def _models(files: Files) -> Iterator[tuple[str, BaseModel]]:
    yield from ((f"analytes/{key}.toml", model) for key, model in files.analytes.items())
    yield from ((f"conditions/{key}.toml", model) for key, model in files.conditions.items())
    yield from ((f"patterns/{key}.toml", model) for key, model in files.patterns.items())
    yield "policy.toml", files.policy


def _find(model: Any, wanted: type[Any], place: str = "") -> Iterator[tuple[str, Any]]:
    """Every model of one class inside another, with a path by id."""
    if isinstance(model, wanted):
        yield place, model
    if isinstance(model, BaseModel):
        for name in type(model).model_fields:
            yield from _find(getattr(model, name), wanted, f"{place} > {name}" if place else name)
    elif isinstance(model, dict):
        for key, value in model.items():
            yield from _find(value, wanted, f"{place} {key!r}")
    elif isinstance(model, tuple):
        for number, value in enumerate(model):
            label = getattr(value, "id", None) or getattr(value, "who", None) or number + 1
            yield from _find(value, wanted, f"{place} {label!r}")
