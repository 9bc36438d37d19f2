"""What results drawn together say: circumstances the panel shows, derived quantities, patterns, effects, alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from labinterp._assess import assess_measured
from labinterp._betrayed import betrayed
from labinterp._book import Book, book_for
from labinterp._computed import Computed, assessed, compute, days_of, person_of
from labinterp._inputs import Patient
from labinterp._meaning import Meaning
from labinterp._measure import Measured
from labinterp._patterns import Panel, Truth
from labinterp._remembered import meaning, shown_circumstances
from labinterp._report import Whole
from labinterp._results import Finding, Memo, NotAssessed


def read_together(
    book: Book,
    measured: list[Measured],
    answers: dict[int, Finding | NotAssessed],
    collected: Mapping[int, Any],
    research: bool,
    assess: Callable[[Book, Measured], Finding | NotAssessed] = assess_measured,
) -> tuple[tuple[Finding, ...], Whole]:
    """Assess each result in the light of the others, and say what they mean together.

    Args:
        book: The rules for the person as given.
        measured: What could be read.
        answers: Refusals by row; the findings are added here, and the results whose unit the panel contradicts.
        collected: When the sample of each row was taken, where it is known.
        research: Whether links with little evidence are asked for where a single mild value is all there is.
        assess: `assess_measured`, or what says the same sooner.

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
    circumstances = shown_circumstances(book, measured)
    for name in circumstances.undecided:
        notes.append(f"Results of this draw do not settle whether there is {policy['contexts'][name]['text']}; it was taken as not shown.")
    shown = circumstances.names
    if shown:
        book = with_shown(book, shown)
        notes.append(shown_text(policy, shown))
    for one in measured:
        answers[one.row] = assess(book, one)
    made = compute(catalog, measured, person, days)
    own = dict(assessed(book, made, measured))
    meant, rows, alerts = meaning(book, [*measured, *made.measured], {**answers, **own} if own else answers, circumstances, research)
    derived, unsaid = _derived(meant, made, own)
    whole = Whole(
        *meant.with_rows(rows),
        tuple(alerts),
        (*against.notes, *notes, *meant.notes, *made.notes, *unsaid),
        (),
        Memo(own=bool(shown or made.considered or against.considered), meaning=meant, rows=rows),
    )
    return derived, whole


def _derived(meant: Meaning, made: Computed, answers: Mapping[int, Finding | NotAssessed]) -> tuple[tuple[Finding, ...], list[str]]:
    """The findings of what was computed, with the cautions that hold; and a note on each quantity that nobody draws a line for."""
    findings, notes = list[Finding](), list[str]()
    for one in made.measured:
        answer = answers[one.row]
        if isinstance(answer, Finding):
            cautions = [c["text"] for c in made.blocks[one.row]["cautions"] if id(c["when"]) in meant.cautions]
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
