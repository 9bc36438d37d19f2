"""What results drawn together say: circumstances the panel shows, derived quantities, patterns, effects, alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labinterp._assess import assess_measured
from labinterp._betrayed import betrayed
from labinterp._book import Book, book_for
from labinterp._computed import Computed, assessed, compute, days_of, person_of
from labinterp._explain import active_links, advice, alerts, effects, firm, muscle_text_applies, single_mild
from labinterp._inputs import Patient
from labinterp._measure import Measured
from labinterp._patterns import Panel, Truth, derived_contexts, evaluate, match_patterns
from labinterp._report import Whole
from labinterp._results import Finding, Memo, NotAssessed


def read_together(
    book: Book, measured: list[Measured], answers: dict[int, Finding | NotAssessed], collected: Mapping[int, Any], research: bool
) -> tuple[tuple[Finding, ...], Whole]:
    """Assess each result in the light of the others, and say what they mean together.

    Args:
        book: The rules for the person as given.
        measured: What could be read.
        answers: Refusals by row; the findings are added here, and the results whose unit the panel contradicts.
        collected: When the sample of each row was taken, where it is known.
        research: Whether links with little evidence are asked for where a single mild value is all there is.

    Returns:
        tuple: what could be computed; and the whole, without the numbers of the rows. `memo["own"]` of the whole is set where more
            than the stretches between lines decided it.
    """
    catalog, patient = book.catalog, book.patient
    policy = catalog.table["policy"]
    notes: list[str] = []
    person, days = person_of(patient), days_of(collected)
    against = betrayed(catalog, measured, person, days)
    if against.refused:
        answers |= against.refused
        measured = [one for one in measured if one.row not in against.refused]
    bare = Panel(book, measured, answers)
    contexts = derived_contexts(bare, policy)
    for derived in policy["derived"]:
        if _undecided(derived, bare) and derived["context"] not in patient.contexts:
            words = policy["contexts"][derived["context"]]["text"]
            notes.append(f"Results of this draw do not settle whether there is {words}; it was taken as not shown.")
    shown = shown_by(contexts, patient)
    if shown:
        book = with_shown(book, shown)
        notes.append(shown_text(policy, shown))
    for one in measured:
        answers[one.row] = assess_measured(book, one)
    made = compute(catalog, measured, person, days)
    own = dict(assessed(book, made, measured))
    panel = seen_together(book, [*measured, *made.measured], {**answers, **own}, told(contexts, patient))
    derived, unsaid = _derived(panel, made, own)
    matches = match_patterns(panel)
    links = active_links(panel)
    if links and not muscle_text_applies(panel):
        links = []
        notes.append("The links to muscle are for adults who are not pregnant; none is given here.")
    if not research and not all(firm(policy, one) for one in links) and single_mild(panel):
        links = [one for one in links if firm(policy, one)]
        notes.append(policy["single_mild"]["note"])
    whole = Whole(
        tuple(m for m in matches if m.certainty in ("likely", "possible")),
        tuple(m for m in matches if m.certainty == "cannot_tell"),
        tuple(effects(panel, links)),
        tuple(advice(links)),
        tuple(alerts(panel)),
        (*against.notes, *notes, *made.notes, *unsaid),
        (),
        Memo(own=True) if shown or made.considered or against.considered else Memo(),
    )
    return derived, whole


def _derived(panel: Panel, made: Computed, answers: Mapping[int, Finding | NotAssessed]) -> tuple[tuple[Finding, ...], list[str]]:
    """The findings of what was computed, with the cautions that hold; and a note on each quantity that nobody draws a line for."""
    findings, notes = list[Finding](), list[str]()
    for one in made.measured:
        answer = answers[one.row]
        if isinstance(answer, Finding):
            cautions = [c["text"] for c in made.blocks[one.row]["cautions"] if evaluate(c["when"], panel).value is True]
            findings.append(answer._replace(notes=(*answer.notes, *cautions)) if cautions else answer)
        else:
            notes.append(f"{one.source_name} of {one.quantity} was computed and could not be assessed: {answer.message}")
    return tuple(findings), notes


def shown_by(contexts: Iterable[tuple[str, Truth]], patient: Patient) -> list[str]:
    """The circumstances that a panel shows and nobody declared."""
    return [name for name, truth in contexts if truth.value is True and name not in patient.contexts]


def told(contexts: Iterable[tuple[str, Truth]], patient: Patient) -> dict[str, Truth]:
    """What a panel says of the circumstances that nobody declared."""
    return {name: truth for name, truth in contexts if name not in patient.contexts}


def with_shown(book: Book, shown: Iterable[str]) -> Book:
    """The rules for the same person in the circumstances that the panel shows."""
    return book_for(book.catalog, book.patient.with_contexts(shown), book.authority, book.as_of)


def shown_text(policy: Mapping[str, Any], shown: Iterable[str]) -> str:
    """The sentence about circumstances that a panel shows."""
    return f"The panel itself shows: {', '.join(policy['contexts'][name]['text'] for name in shown)}."


def seen_together(
    book: Book, measured: Iterable[Measured], answers: Mapping[int, Finding | NotAssessed], contexts: Mapping[str, Truth]
) -> Panel:
    """Results ready for gates, with what the panel says of circumstances."""
    panel = Panel(book, measured, answers)
    panel.context_truth = dict(contexts)
    return panel


def _undecided(derived: Mapping[str, Any], panel: Panel) -> bool:
    """Whether a result is there and does not settle it ("<10" beside a line at 5, or two that disagree), and no other does."""
    parts = [evaluate(gate, panel) for gate in derived["when"].get("any_of", [derived["when"]])]
    return not any(part.value for part in parts) and any(part.value is None and not part.missing for part in parts)
