"""What results drawn together say: circumstances the panel shows, derived quantities, patterns, effects, alerts."""

from __future__ import annotations

from decimal import Decimal

from labinterp import _derived
from labinterp._assess import Book, assess_measured, book_for
from labinterp._explain import active_links, advice, alerts, effects, muscle_text_applies
from labinterp._measure import Measured
from labinterp._patterns import Panel, derived_contexts, match_patterns
from labinterp._quantity import Quantity
from labinterp._results import Finding, NotAssessed, Whole


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
    contexts = derived_contexts(Panel(book, measured, answers), policy)
    shown = [name for name, truth in contexts if truth.value is True and name not in patient.contexts]
    if shown:
        book = book_for(catalog, patient.with_contexts(shown), book.authority, book.as_of)
        notes.append(f"The panel itself shows: {', '.join(policy['contexts'][name]['text'] for name in shown)}.")
    for one in measured:
        answers[one.row] = assess_measured(book, one)
    extra, said = _derive(book, measured)
    panel = Panel(book, [*measured, *extra], answers)
    panel.context_truth = {name: truth for name, truth in contexts if name not in patient.contexts}
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
        {"own": True} if shown or extra else {},
    )


def _derive(book: Book, measured: list[Measured]) -> tuple[list[Measured], list[str]]:
    """EGFR from a creatinine of the same panel, where none was measured and the person is in the equation's domain."""
    catalog, patient = book.catalog, book.patient
    by_analyte = {one.analyte: one for one in measured}
    creatinine = by_analyte.get("creatinine")
    if creatinine is None or "egfr" in by_analyte or "egfr" not in catalog.table["analytes"]:
        return [], []
    if creatinine.quantity.comparator or patient.sex is None or patient.age is None or patient.pregnant or patient.age.years[0] < 18:
        return [], []
    factor = catalog.factor("creatinine", creatinine.quantity.unit, "mg/dL")
    if factor is None:
        return [], []
    number = _derived.egfr_ckd_epi_2021(creatinine.number * float(factor), patient.age.years[0], patient.sex)
    unit = catalog.table["analytes"]["egfr"]["si"]
    quantity = Quantity(Decimal(round(number)), unit)
    made = Measured(
        creatinine.row, "egfr", creatinine.source_name, creatinine.value_text, creatinine.unit_text, quantity, number, None, None, ()
    )
    return [made], [f"An eGFR of {round(number)} mL/min/1.73 m2 was computed from the creatinine in row {creatinine.row} (CKD-EPI 2021)."]
