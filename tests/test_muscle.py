"""The muscle graph and the patterns: vocabulary, wording, and that every gate and every outcome is under test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from labinterp import Catalog, _explain, _patterns, interpret
from labinterp.testing import read_cases

CASES = sorted(p for p in (Path(__file__).parent / "cases").glob("*.toml") if p.stem != "units")

# The controlled vocabulary of the evidence: 26 effects with the ids of HPO 2025-01-16, and one optional one; 31 mechanisms.
EFFECTS = {
    "muscle_weakness": "HP:0001324", "proximal_weakness": "HP:0003701", "distal_weakness": "HP:0002460", "respiratory_muscle_weakness": "HP:0002747",
    "flaccid_paralysis": "HP:0003470", "low_grip_strength": "HP:0033466", "muscle_atrophy": "HP:0003202", "low_muscle_mass": "HP:0003199",
    "muscle_cramp": "HP:0003394", "tetany": "HP:0001281", "fasciculation": "HP:0002380", "myalgia": "HP:0003326", "bone_pain": "HP:0002653",
    "rhabdomyolysis": "HP:0003201", "raised_ck": "HP:0003236", "paraesthesia": "HP:0003401", "peripheral_neuropathy": "HP:0009830",
    "myelopathy": "HP:0002196", "sensory_ataxia": "HP:0010871", "spinocerebellar_ataxia": "HP:0001251", "gait_disturbance": "HP:0001288",
    "falls": "HP:0002359", "fatigue": "HP:0012378", "exercise_intolerance": "HP:0003546", "muscle_bleeding": "HP:0040242",
    "impaired_tissue_repair": "HP:0001058", "restless_legs": "HP:0012452",
}  # fmt: skip
MECHANISMS = [
    "low_ionised_calcium", "excitation_contraction", "secondary_hyperpth", "phosphate_energy", "bone_pain_inhibition", "vdr_signalling",
    "protein_synthesis_down", "proteolysis_up", "oxidative_stress", "mitochondrial_dysfunction", "impaired_myelin", "dorsal_column_loss",
    "corticospinal_loss", "motor_denervation", "ineffective_erythropoiesis", "reduced_o2_delivery", "iron_enzyme_deficit",
    "collagen_hydroxylation", "vessel_fragility", "carnitine_synthesis", "lipid_peroxidation", "mg_excitability", "mg_atp_cofactor",
    "mg_pth_block", "mg_k_wasting", "nmj_blockade", "membrane_hypoexcitability", "homocysteine_toxicity", "mma_marker", "deconditioning",
    "iron_tissue_toxicity",
]  # fmt: skip
NEVER_LINKED = {"raised_ck"}  # a finding that vitamins do not explain: suppressed only
MARKER = {"mma_marker"}  # a marker, the way of no link

# The order in which the patterns are read: quality of the data, B12 and blood, magnesium, refeeding, bone, functional B12, iron, absorption,
# homocysteine, creatine kinase, then the rest.
ORDER = [
    "calcium_without_albumin", "sample_handling", "b12_deficiency_blood_count", "low_magnesium_with_low_calcium_or_potassium", "refeeding",
    "osteomalacia", "phosphate_losing", "functional_b12_deficiency", "iron_deficiency", "iron_deficiency_anaemia", "anaemia_of_inflammation",
    "iron_overload", "malabsorption", "raised_homocysteine_normal_mma", "raised_creatine_kinase", "vitamin_d_excess", "high_calcium_reason",
    "iron_infusion_low_phosphate", "nerve_signs_normal_b12",
]  # fmt: skip

Seen = dict[int, set[Any]]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """A catalog that remembers nothing of other tests."""
    return Catalog(Catalog.default().table, Catalog.default().root)


@pytest.fixture(scope="module")
def seen(catalog: Catalog) -> Seen:
    """What the gates of links, suppressions and outcomes said over all cases, by the id of the gate."""
    gates: Seen = {}
    evaluate = _patterns.evaluate

    def recorded(gate: Mapping[str, Any], panel: Any, tests: Any = None) -> Any:
        truth = evaluate(gate, panel, tests)
        gates.setdefault(id(gate), set()).add(truth.value)
        return truth

    with mock.patch.object(_explain, "evaluate", recorded), mock.patch.object(_patterns, "evaluate", recorded):
        for path in CASES:
            for case in read_cases(path, catalog):
                interpret(case.results, case.patient, **{**case.options, "catalog": catalog})
    return gates


def links(catalog: Catalog) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Every condition with each of its links."""
    for condition in catalog.table["conditions"].values():
        yield from ((condition, link) for link in condition.get("links", ()))


def test_the_vocabulary_is_whole(catalog: Catalog) -> None:
    """All effects with their HPO ids, all mechanisms; each is used by a link unless it is one that never is."""
    table = catalog.table
    assert {id: effect["hpo"] for id, effect in table["effects"].items()} == EFFECTS
    assert sorted(table["mechanisms"]) == sorted(MECHANISMS)
    assert set(EFFECTS) - {link["effect"] for _, link in links(catalog)} == NEVER_LINKED
    assert set(MECHANISMS) - {m for _, link in links(catalog) for m in link.get("mechanisms", ())} == MARKER


def test_the_patterns_are_read_in_the_stated_order(catalog: Catalog) -> None:
    """No pattern is read before one it depends on, and the order is the one the evidence asks for."""
    orders = {id: pattern["order"] for id, pattern in catalog.table["patterns"].items()}
    assert sorted(ORDER, key=orders.__getitem__) == ORDER
    assert len(set(orders.values())) == len(orders)


def test_a_cause_is_classical_and_a_suggestion_is_weak(catalog: Catalog) -> None:
    """ "Causes" needs at least moderate certainty, "proposed" has very low; cells and animals alone prove nothing in people."""
    for _, link in links(catalog):
        if link["relation"] == "causes":
            assert link["certainty"] in ("moderate", "high"), link["id"]
        if link["relation"] == "proposed" or set(link["evidence"]) <= {"animal", "cell"}:
            assert link["certainty"] == "very_low", link["id"]
        if link.get("directness") == "indirect":
            assert link["through"], link["id"]


def test_every_link_says_how_sure_and_whether_it_goes_back(catalog: Catalog) -> None:
    """Each link has a gate, a treatment with its own certainty where it is known, and a word on recovery; each condition says what to do."""
    for condition, link in links(catalog):
        assert link["when"], link["id"]
        assert link["reversibility"], link["id"]
        assert (link["treatment"]["effect"] == "unknown") == (link["treatment"].get("certainty") is None), link["id"]
        assert condition["at_risk"], condition["id"]
        assert condition["usually_done"], condition["id"]
        assert condition["next_step"], condition["id"]


def test_every_gate_of_a_link_has_a_case_on_both_sides(catalog: Catalog, seen: Seen) -> None:
    """Each link is said in some case and not said in another; so is each suppression."""
    gates, missing = seen, []
    for condition in catalog.table["conditions"].values():
        for kind in ("links", "suppress"):
            for item in condition.get(kind, ()):
                found = gates.get(id(item["when"]), set())
                missing += [
                    f"{item['id']}: never {word}"
                    for word, there in (("true", True in found), ("not true", bool(found - {True})))
                    if not there
                ]
    assert not missing, "\n" + "\n".join(missing)


def test_every_outcome_of_a_pattern_is_under_test(catalog: Catalog, seen: Seen) -> None:
    """Each outcome's gate is true in some case, and each pattern is unknown or false in some case."""
    gates, missing = seen, []
    for pattern in catalog.table["patterns"].values():
        for number, outcome in enumerate(pattern["outcomes"], 1):
            if True not in gates.get(id(outcome["when"]), set()):
                missing.append(f"{pattern['id']}, outcome {number} ({outcome['certainty']}): never given")
        said = set().union(*(gates.get(id(outcome["when"]), set()) for outcome in pattern["outcomes"]))
        missing += [f"{pattern['id']}: never {word}" for word in (True, False, None) if word not in said]
    assert not missing, "\n" + "\n".join(missing)


def test_a_pattern_that_is_not_settled_says_which_test_is_next(catalog: Catalog) -> None:
    """Likely, possible and open outcomes name a next test; an outcome that lacks a result names what would settle it."""
    for pattern in catalog.table["patterns"].values():
        for outcome in pattern["outcomes"]:
            if outcome["certainty"] != "not_supported":
                assert outcome.get("next_test"), (pattern["id"], outcome["text"])
            assert set(outcome.get("settled_by", ())) <= set(catalog.table["analytes"]), pattern["id"]


def test_no_sentence_names_a_dose_or_the_disease_of_old_muscle(catalog: Catalog) -> None:
    """No report can print a dose, or name loss of muscle in old age as a finding."""
    for text in _sentences(catalog.table):
        assert "sarcopen" not in text.casefold(), text
        assert not re.search(r"\d ?(?:mg|ug|µg|mcg|g|IU|units)\b(?!/)", text), text


def _sentences(table: Mapping[str, Any]) -> Iterator[str]:
    for condition in table["conditions"].values():
        yield from (condition["about"], condition["next_step"], *condition["at_risk"], *condition["usually_done"])
        yield from (link.get(key, "") for link in condition.get("links", ()) for key in ("note", "reversibility", "onset", "through"))
    for pattern in table["patterns"].values():
        yield from (outcome.get(key, "") for outcome in pattern["outcomes"] for key in ("text", "next_test"))


# --- wording ---------------------------------------------------------------------------------------------------

SAYS = {
    "causes": " can cause ",
    "contributes_to": " may contribute to ",
    "associated_with": " has been linked in studies with ",
    "proposed": " has been suggested from animal or cell studies only.",
}


def test_every_link_is_said_with_the_verb_of_its_relation(catalog: Catalog) -> None:
    """No link sounds stronger than its relation, and a treatment without effect is never encouraged."""
    for condition, link in links(catalog):
        said = _explain.sentence(catalog.table, condition, link)
        assert [relation for relation, words in SAYS.items() if words in said] == [link["relation"]], link["id"]
        assert (" one causes the other" in said) == (link["relation"] == "associated_with"), link["id"]
        hopeless = link["treatment"]["effect"] in ("no_effect", "harm_signal")
        assert ("Trials have not shown that supplements help" in said) == hopeless, link["id"]
        assert not hopeless or "often improves" not in said, link["id"]


def test_no_sentence_speaks_to_a_person_or_tells_them_to_stop_or_take_something(catalog: Catalog) -> None:
    """The catalog speaks of results, never to "you"; it stops no medicine and starts no supplement."""
    alerts = (alert["text"] for analyte in catalog.table["analytes"].values() for alert in analyte["alerts"])
    for text in (*_sentences(catalog.table), *alerts):
        low = f" {text.casefold()} "
        assert not re.search(r"\b(?:you|your|yours)\b", low), text
        assert not re.search(r"\b(?:must|should) (?:take|stop|start)\b", low), text
        assert not re.search(
            r"\b(?:stop|start|take) (?:the |any )?(?:metformin|statin|statins|ppi|iron|vitamin|folic|potassium|phosphate)", low
        ), text


def test_every_alert_tells_its_tier_calmly(catalog: Catalog) -> None:
    """A flag of the first tier says whom to contact; no flag shouts."""
    for analyte in catalog.table["analytes"].values():
        for alert in analyte["alerts"]:
            assert "!" not in alert["text"], alert["id"]
            if alert["tier"] == "T1":
                assert re.search(r"emergency (?:services|care)", alert["text"]), alert["id"]
            if alert["tier"] == "T2":
                assert "same day" in alert["text"] or "emergency" in alert["text"], alert["id"]
