"""The muscle graph read in both directions, as plain data: the story of one nutrient, and the states that can lie behind an effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from labinterp._codes import CERTAINTIES, RELATIONS
from labinterp._explain import sentence
from labinterp._gate_words import gate_words, looked_at
from labinterp._names import squash, tokens
from labinterp.errors import UnknownEffectError

if TYPE_CHECKING:
    from labinterp._catalog import Catalog


# --- one nutrient ------------------------------------------------------------------------------------------------


def story(catalog: Catalog, analyte: str) -> dict[str, Any]:
    """What the catalog says of one analyte and muscle: states, effects, mechanisms, who is at risk, what is done, patterns, sources.

    Args:
        catalog: The data.
        analyte: Id.

    Returns:
        dict: plain data; `states` strongest link first.

    Example:
        >>> from labinterp import Catalog
        >>> story(Catalog.default(), "vitamin_b12")["states"][0]["condition"]
        'b12_deficiency'
    """
    table = catalog.table
    states = [_state(catalog, condition, analyte) for condition in table["conditions"].values()]
    kept = [state for state in states if state["links"] or state["not_said"]]
    kept.sort(key=lambda state: max((_strength(link) for link in state["links"]), default=(-1, -1)), reverse=True)
    return {
        "analyte": analyte,
        "name": table["analytes"][analyte]["name"],
        "about": table["analytes"][analyte]["about"],
        "states": kept,
        "patterns": [
            {
                "id": p["id"],
                "name": p["name"],
                "about": p["about"],
                "inputs": list(p["inputs"]),
                "citations": catalog.written_out(p["cite"]),
            }
            for p in sorted(table["patterns"].values(), key=lambda p: p["order"])
            if analyte in p["inputs"]
        ],
        **_edition(catalog),
    }


def _state(catalog: Catalog, condition: Mapping[str, Any], analyte: str) -> dict[str, Any]:
    """A condition with the links and silences that look at an analyte, directly or through a pattern."""
    links = [_link(catalog, condition, link) for link in condition.get("links", ()) if _touches(catalog, link["when"], analyte)]
    links.sort(key=_strength, reverse=True)
    silences = [_silence(catalog, one) for one in condition.get("suppress", ()) if _touches(catalog, one["when"], analyte)]
    return {
        "condition": condition["id"],
        "name": condition["name"],
        "hpo": condition.get("hpo"),
        "about": condition["about"],
        "at_risk": list(condition.get("at_risk", ())),
        "usually_done": list(condition.get("usually_done", ())),
        "next_step": condition.get("next_step", ""),
        "links": links,
        "not_said": silences,
        "citations": catalog.written_out(condition["cite"]),
    }


def _touches(catalog: Catalog, gate: Mapping[str, Any], analyte: str) -> bool:
    analytes, patterns, _ = looked_at(catalog, gate)
    return analyte in analytes or any(analyte in catalog.table["patterns"][id]["inputs"] for id in patterns)


def _silence(catalog: Catalog, one: Mapping[str, Any]) -> dict[str, Any]:
    effects = one["effects"]
    return {
        "id": one["id"],
        "effects": effects if effects == "all" else list(effects),
        "when": gate_words(catalog, one["when"]),
        "because": one["because"],
        "citations": catalog.written_out(one["cite"]),
    }


def _edition(catalog: Catalog) -> dict[str, str]:
    """What belongs on every document: the version of the data, and what this is not."""
    return {"catalog": catalog.version, "disclaimer": catalog.table["policy"]["disclaimer"]}


# --- one link ----------------------------------------------------------------------------------------------------


def _link(catalog: Catalog, condition: Mapping[str, Any], link: Mapping[str, Any]) -> dict[str, Any]:
    table = catalog.table
    analytes, patterns, contexts = looked_at(catalog, link["when"])
    mechanisms = [{"id": id, **{k: table["mechanisms"][id][k] for k in ("name", "status", "text")}} for id in link.get("mechanisms", ())]
    return {
        "id": link["id"],
        "condition": condition["id"],
        "condition_name": condition["name"],
        "effect": link["effect"],
        "effect_name": table["effects"][link["effect"]]["name"],
        "when": gate_words(catalog, link["when"]),
        "analytes": analytes,
        "patterns": patterns,
        "contexts": contexts,
        "relation": link["relation"],
        "certainty": link["certainty"],
        "directness": link["directness"],
        "through": link.get("through", ""),
        "evidence": list(link["evidence"]),
        "mechanisms": mechanisms,
        "treatment": link["treatment"]["effect"],
        "reversibility": link["reversibility"],
        "recovery": link.get("recovery", ""),
        "onset": link.get("onset", ""),
        "text": sentence(table, condition, link),
        "citations": catalog.written_out(link["cite"]),
    }


def _strength(link: Mapping[str, Any]) -> tuple[int, int]:
    return RELATIONS.index(link["relation"]), CERTAINTIES.index(link["certainty"])


# --- one effect --------------------------------------------------------------------------------------------------


def effect_list(catalog: Catalog) -> list[dict[str, Any]]:
    """Every effect, with how many states are linked to it and the strongest link."""
    found = []
    for id, effect in catalog.table["effects"].items():
        links = sorted((link for _, link in _links_to(catalog, id)), key=_strength, reverse=True)
        found.append(
            {
                "id": id,
                "name": effect["name"],
                "kind": effect["kind"],
                "system": effect["system"],
                "hpo": effect["hpo"],
                "text": effect["text"],
                "words": list(effect["words"]),
                "states": len({condition["id"] for condition, _ in _links_to(catalog, id)}),
                "relation": links[0]["relation"] if links else None,
                "certainty": links[0]["certainty"] if links else None,
            }
        )
    return found


def behind(catalog: Catalog, effect: str) -> dict[str, Any]:
    """Which measured states can lie behind an effect, strongest relation and certainty first, and what is deliberately not said.

    Args:
        catalog: The data.
        effect: Id, from `effect_id`.

    Returns:
        dict: plain data.

    Example:
        >>> from labinterp import Catalog
        >>> behind(Catalog.default(), "muscle_cramp")["states"][0]["relation"]
        'causes'
    """
    own = catalog.table["effects"][effect]
    states = [_link(catalog, condition, link) for condition, link in _links_to(catalog, effect)]
    states.sort(key=_strength, reverse=True)
    not_said = [
        {"condition": condition["id"], "condition_name": condition["name"], **_silence(catalog, one)}
        for condition in catalog.table["conditions"].values()
        for one in condition.get("suppress", ())
        if effect in one["effects"] or (one["effects"] == "all" and any(link["effect"] == effect for link in condition.get("links", ())))
    ]
    return {
        "id": effect,
        "name": own["name"],
        "kind": own["kind"],
        "system": own["system"],
        "hpo": own["hpo"],
        "hpo_label": own["hpo_label"],
        "text": own["text"],
        "words": list(own["words"]),
        "states": states,
        "not_said": not_said,
        **_edition(catalog),
    }


def _links_to(catalog: Catalog, effect: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for condition in catalog.table["conditions"].values():
        yield from ((condition, link) for link in condition.get("links", ()) if link["effect"] == effect)


def effect_id(catalog: Catalog, text: str) -> str:
    """The id of an effect from its id, its name or an everyday word.

    Args:
        catalog: The data.
        text: As somebody types it.

    Raises:
        UnknownEffectError: With the closest effects.

    Example:
        >>> from labinterp import Catalog
        >>> effect_id(Catalog.default(), "leg cramps"), effect_id(Catalog.default(), "HP:0003394")
        ('muscle_cramp', 'muscle_cramp')
    """
    effects: Mapping[str, Any] = catalog.table["effects"]
    said = {id: _said(id, effect) for id, effect in effects.items()}
    for id, phrases in said.items():
        if squash(text) in {squash(phrase) for phrase in phrases}:
            return id
    asked = _stems(text)
    covered = {
        id: max((len(asked) / len(stems) for p in phrases if asked <= (stems := _stems(p))), default=0.0) for id, phrases in said.items()
    }
    best = max(covered.values(), default=0.0) if asked else 0.0
    chosen = [id for id, share in covered.items() if share == best]
    if best and len(chosen) == 1:
        return chosen[0]
    by_phrase = {" ".join(tokens(phrase)): id for id, phrases in said.items() for phrase in phrases}
    near = get_close_matches(" ".join(tokens(text)), list(by_phrase), n=5, cutoff=0.8)
    closest = chosen if best else [by_phrase[phrase] for phrase in near]
    raise UnknownEffectError(text, [f"{id} ({effects[id]['name']})" for id in dict.fromkeys(closest)])


def _said(id: str, effect: Mapping[str, Any]) -> list[str]:
    """Every way an effect is called."""
    return [id.replace("_", " "), effect["name"], effect["in_sentence"], *effect["words"], effect["hpo"] or "", effect["hpo_label"] or ""]


def _stems(text: str) -> frozenset[str]:
    """The words of a text without the endings that people vary."""
    small = {"a", "an", "and", "in", "of", "or", "the", "to", "my", "when", "with", "from"}
    return frozenset(_stem(word) for word in tokens(text) if word not in small)


def _stem(word: str) -> str:
    for ending in ("ness", "ing", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word.removesuffix(ending)
            return f"{word[:-1]}y" if word.endswith("i") else word
    return word
