"""What results drawn together say: circumstances the panel shows, derived quantities, patterns, effects, alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from labinterp import _derived
from labinterp._assess import Book, assess_measured, book_for
from labinterp._explain import active_links, advice, alerts, effects, muscle_text_applies
from labinterp._measure import Measured
from labinterp._patterns import Panel, Truth, derived_contexts, evaluate, match_patterns
from labinterp._quantity import Quantity
from labinterp._report import Whole
from labinterp._results import Finding, Memo, NotAssessed
from labinterp.errors import InputError

if TYPE_CHECKING:
    from labinterp._catalog import Catalog
    from labinterp._inputs import Patient


def read_together(book: Book, measured: list[Measured], answers: dict[int, Finding | NotAssessed]) -> Whole:
    """Assess each result in the light of the others, and say what they mean together.

    Args:
        book: The rules for the person as given.
        measured: What could be read.
        answers: Refusals by row; the findings are added here.

    Returns:
        Whole: without the numbers of the rows; `memo["own"]` is set where more than the stretches between lines decided it.
    """
    catalog, patient = book.catalog, book.patient
    policy = catalog.table["policy"]
    notes: list[str] = []
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
    extra, said = _derive(book, measured)
    panel = seen_together(book, [*measured, *extra], answers, told(contexts, patient))
    matches = match_patterns(panel)
    links = active_links(panel)
    if links and not muscle_text_applies(panel):
        links = []
        notes.append("The links to muscle are for adults who are not pregnant; none is given here.")
    return Whole(
        tuple(m for m in matches if m.certainty in ("likely", "possible")),
        tuple(m for m in matches if m.certainty == "cannot_tell"),
        tuple(effects(panel, links)),
        tuple(advice(links)),
        tuple(alerts(panel)),
        (*notes, *said),
        (),
        Memo(own=True) if shown or extra else Memo(),
    )


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


def _derive(book: Book, measured: list[Measured]) -> tuple[list[Measured], list[str]]:
    """EGFR from a creatinine of the same panel, where none was measured and the person is in the equation's domain."""
    catalog, patient = book.catalog, book.patient
    by_analyte = {one.analyte: one for one in measured}
    creatinine = by_analyte.get("creatinine")
    if sum(one.analyte == "creatinine" for one in measured) > 1:
        return [], ["No eGFR was computed: this draw has more than one creatinine."]
    if creatinine is None or "egfr" in by_analyte or "egfr" not in catalog.table["analytes"]:
        return [], []
    if creatinine.quantity.comparator:
        return [], []
    number = estimated_gfr(catalog, creatinine.number, creatinine.quantity.unit, patient, patient.age and patient.age.years[0])
    if number is None:
        return [], []
    unit = catalog.table["analytes"]["egfr"]["si"]
    quantity = Quantity(Decimal(round(number)), unit)
    made = Measured(
        creatinine.row, "egfr", creatinine.source_name, creatinine.value_text, creatinine.unit_text, quantity, number, None, None, ()
    )
    return [made], [f"An eGFR of {round(number)} mL/min/1.73 m2 was computed from the creatinine in row {creatinine.row} (CKD-EPI 2021)."]


def estimated_gfr(catalog: Catalog, creatinine: float, unit: str, patient: Patient, years: float | None) -> float | None:
    """The eGFR of a creatinine; None where the person is outside the equation's domain or not known well enough.

    Args:
        catalog: For the units.
        creatinine: The number.
        unit: Its unit.
        patient: Sex and pregnancy count.
        years: Completed years.
    """
    if patient.sex is None or years is None or patient.pregnant:
        return None
    key = ("mg/dL of creatinine", unit)
    if key not in catalog.memo:
        exact = catalog.factor("creatinine", unit, "mg/dL")
        catalog.remember(key, None if exact is None else float(exact))
    factor: float | None = catalog.memo[key]
    if factor is None:
        return None
    try:
        return _derived.egfr_ckd_epi_2021(creatinine * factor, years, patient.sex)
    except InputError:  # outside the equation's domain
        return None
