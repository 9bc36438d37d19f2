"""From states to what they are linked to in muscle: conditions, effects; each sentence with its source.

Sentences are made of the data's own words by the verb rules of `policy.toml`: how strong a link may sound is
decided by its relation, never by the writer of one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from labinterp._codes import CERTAINTIES, RELATIONS
from labinterp._patterns import Panel, Truth, evaluate
from labinterp._report import Advice, Effect
from labinterp._worlds import in_span


class ActiveLink(NamedTuple):
    """A link whose gate is true, the rows that make it so, and whether a pattern is behind it that saw more than one value alone."""

    condition: Mapping[str, Any]
    link: Mapping[str, Any]
    rows: frozenset[int]
    read_together: bool


def active_links(panel: Panel, conditions: Iterable[Mapping[str, Any]] | None = None) -> list[ActiveLink]:
    """Every link from a condition to an effect that holds for the panel, is not suppressed, and is not said by a pattern in its place.

    Args:
        panel: The results, with the patterns that were found.
        conditions: Of the data; default: all.
    """
    found, replaced = [], frozenset[str]().union(*panel.replaced.values())
    for condition in panel.book.catalog.table["conditions"].values() if conditions is None else conditions:
        silent = _suppressed(condition, panel)
        for link in condition.get("links", ()):
            if "all" in silent or link["effect"] in silent:
                continue
            if replaced & {condition["id"], link["id"]} and not _patterns_asked(link["when"]):
                continue
            truth: Truth = evaluate(link["when"], panel)
            if truth.value is True:
                together = any(_sees_more(panel, id) for id in _patterns_asked(link["when"]))
                found.append(ActiveLink(condition, link, truth.rows or _all_rows(link["when"], panel), together))
    return found


def _all_rows(gate: Mapping[str, Any], panel: Panel) -> frozenset[int]:
    """The rows behind a gate on a pattern: those of the pattern's inputs."""
    if "pattern" not in gate:
        return frozenset().union(*(_all_rows(inner, panel) for word in ("all_of", "any_of") for inner in gate.get(word, ())))
    inputs = panel.book.catalog.table["patterns"][gate["pattern"]]["inputs"]
    return frozenset(row for analyte in inputs for one in panel.by_analyte.get(analyte, ()) for row in one.rows)


def _suppressed(condition: Mapping[str, Any], panel: Panel) -> set[str]:
    silent: set[str] = set()
    for suppression in condition.get("suppress", ()):
        if evaluate(suppression["when"], panel).value is True:
            effects = suppression["effects"]
            silent.update(["all"] if effects == "all" else effects)
    return silent


def firm(policy: Mapping[str, Any], one: ActiveLink) -> bool:
    """Whether a link is said of a single mild value, too: it rests on enough evidence, or on tests that were read together."""
    return one.read_together or one.link["certainty"] not in policy["single_mild"]["held_back"]


def muscle_text_applies(panel: Panel) -> bool:
    """Whether the links are for this person: adults who are not pregnant (an age that is not given is taken as adult)."""
    patient = panel.patient
    if patient.pregnant:
        return False
    years = panel.book.catalog.table["policy"]["muscle_text_years"]
    return patient.age is None or in_span(patient.age, ("years", *years)) is not False


def effects(panel: Panel, links: Iterable[ActiveLink]) -> list[Effect]:
    """Effects, merged across findings: the strongest link speaks, every condition and row is named, nothing counts twice."""
    grouped: dict[str, list[ActiveLink]] = {}
    for one in links:
        grouped.setdefault(one.link["effect"], []).append(one)
    made = []
    for id, group in grouped.items():
        group.sort(key=_strength, reverse=True)
        made.append((_strength(group[0]), _effect(panel, id, group)))
    return [effect for _, effect in sorted(made, key=lambda pair: pair[0], reverse=True)]


def _strength(one: ActiveLink) -> tuple[int, int]:
    return RELATIONS.index(one.link["relation"]), CERTAINTIES.index(one.link["certainty"])


def _effect(panel: Panel, id: str, group: list[ActiveLink]) -> Effect:
    catalog = panel.book.catalog
    effect, strongest = catalog.table["effects"][id], group[0]
    cites: dict[tuple[str, str], Mapping[str, Any]] = {}
    for one in group:
        for cite in catalog.written_out(one.link["cite"]):
            cites.setdefault((cite["source"], cite["locator"]), cite)
    return Effect(
        id, effect["name"], effect.get("hpo"), tuple(dict.fromkeys(one.condition["id"] for one in group)),
        strongest.link["relation"], strongest.link["certainty"], strongest.link["reversibility"], strongest.link.get("recovery", ""),
        strongest.link["treatment"]["effect"], tuple(dict.fromkeys(m for one in group for m in one.link.get("mechanisms", ()))),
        tuple(sorted(frozenset().union(*(one.rows for one in group)))), sentence(catalog.table, strongest.condition, strongest.link),
        tuple(cites.values()),
    )  # fmt: skip


def _patterns_asked(gate: Mapping[str, Any]) -> list[str]:
    """The patterns that a gate rests on."""
    own = [gate["pattern"]] if "pattern" in gate else []
    return own + [id for word in ("all_of", "any_of") for inner in gate.get(word, ()) for id in _patterns_asked(inner)]


def _sees_more(panel: Panel, id: str) -> bool:
    """Whether a pattern sees results of more than one test, or one of them in a circumstance that it asks for."""
    pattern = panel.book.catalog.table["patterns"][id]
    if sum(analyte in panel.by_analyte for analyte in pattern["inputs"]) > 1:
        return True
    gates = [*pattern.get("tests", {}).values(), *(outcome["when"] for outcome in pattern["outcomes"])]
    return any(evaluate(gate, panel).value is True for gate in _contexts_asked(gates))


def _contexts_asked(gates: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for gate in gates:
        if "context" in gate:
            yield gate
        for word in ("all_of", "any_of", "of"):
            yield from _contexts_asked(gate.get(word, ()))


def sentence(table: Mapping[str, Any], condition: Mapping[str, Any], link: Mapping[str, Any]) -> str:
    """What may be said of one link: verb by relation, certainty, treatment, note.

    Args:
        table: The compiled table.
        condition: Of the data.
        link: One of its links.
    """
    policy, effect = table["policy"], table["effects"][link["effect"]]
    occasion = policy["occasions"]["pattern" if _patterns_asked(link["when"]) else "band"]
    said = policy["verbs"][link["relation"]].format(occasion=occasion, condition=condition["name"], effect=effect["in_sentence"])
    treatment = policy["treatment_words"].get(link["treatment"]["effect"], "")
    parts = [said, policy["certainty_words"][link["certainty"]], link.get("note", ""), treatment]
    return " ".join(part.strip() for part in parts if part.strip())


def advice(links: Iterable[ActiveLink]) -> list[Advice]:
    """What belongs to each condition behind the effects: who is at risk, what is usually done, the next step."""
    rows: dict[str, frozenset[int]] = {}
    conditions: dict[str, Mapping[str, Any]] = {}
    for one in links:
        id = one.condition["id"]
        conditions[id] = one.condition
        rows[id] = rows.get(id, frozenset()) | one.rows
    return [
        Advice(
            id,
            c["name"],
            c["about"],
            tuple(c.get("at_risk", ())),
            tuple(c.get("usually_done", ())),
            c.get("next_step", ""),
            tuple(sorted(rows[id])),
        )
        for id, c in conditions.items()
    ]
