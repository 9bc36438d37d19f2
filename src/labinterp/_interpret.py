"""The pipeline: results and a person in, one report out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from labinterp import _derived
from labinterp._assess import Book, assess_measured, book_for
from labinterp._catalog import Catalog, iso
from labinterp._explain import active_links, advice, alerts, effects, muscle_text_applies
from labinterp._inputs import LabResult, Patient
from labinterp._measure import Measured, measure
from labinterp._names import squash
from labinterp._patterns import Panel, derived_contexts, match_patterns
from labinterp._quantity import Quantity
from labinterp._results import Finding, NotAssessed, Report
from labinterp.errors import InputError

NOBODY = Patient()


def interpret(
    results: Mapping[str, Any] | Iterable[LabResult],
    patient: Patient | None = None,
    *,
    authority: str | Mapping[str, str] | None = None,
    as_of: date | str | None = None,
    catalog: Catalog | None = None,
    decimal: str | None = None,
    rows: Iterable[int] | None = None,
) -> Report:
    """Interpret results that were drawn together.

    Args:
        results: `{"vitamin D": "18 ng/mL", ...}`, or `LabResult`s. Odd entries come back as `NotAssessed`.
        patient: The facts limits depend on; unknown facts stay unknown.
        authority: Whose limits: an authority ("nam"), a limit set ("vitamin_d/ros-2018"), or one for each analyte
            (`{"vitamin_d": "endocrine-society"}`). Default: each analyte's default.
        as_of: Day whose limits are used. Default: the catalog's own day, so that one version gives one answer.
        catalog: Other data, such as `Catalog.default().with_files("our_limits/")`.
        decimal: The decimal mark of the source, "." or ",", where numbers such as "1,060" read two ways.
        rows: Numbers of the results in their source; default 1, 2, 3, ...

    Returns:
        Report: findings, refusals with reasons, patterns, effects, alerts; all frozen.

    Raises:
        UnknownAuthorityError: Nobody of that name draws lines in the catalog.
        InputError: An argument that cannot be used.

    Example:
        >>> report = interpret({"25(OH)D": "18 ng/mL", "B12": "350 ng/L"}, Patient(sex="female", age_years=71))
        >>> [(f.analyte, f.code, f.band) for f in report.findings]
        [('vitamin_d', 'L', 'inadequate'), ('vitamin_b12', 'IND', 'indeterminate')]

    Source:
        Each finding names its limit set; `finding.citations` says where it is printed and how that was checked.
    """
    catalog = catalog or Catalog.default()
    if decimal not in (None, ".", ","):
        raise InputError(f"decimal is '.' or ',', not {decimal!r}")
    if authority is not None:
        for one in authority.values() if isinstance(authority, Mapping) else (authority,):
            catalog.check_authority(one)
    listed = as_results(results)
    patient = patient or NOBODY
    if patient.age is None and patient.birth_date is not None:
        patient = patient.at(next((r.collected_at for r in listed if r.collected_at is not None), None))
    patient = _known_contexts(catalog, patient)
    numbers = list(rows) if rows is not None else range(1, len(listed) + 1)
    day = iso(as_of, catalog)
    measured: list[Measured] = []
    answers: dict[int, Finding | NotAssessed] = {}
    for row, result in zip(numbers, listed, strict=True):
        read = measure(catalog, result, row, decimal)
        if isinstance(read, NotAssessed):
            answers[row] = read
        else:
            measured.append(read)
    return _report(catalog, patient, authority, day, measured, answers)


def _report(
    catalog: Catalog,
    patient: Patient,
    authority: str | Mapping[str, str] | None,
    day: str,
    measured: list[Measured],
    answers: dict[int, Finding | NotAssessed],
) -> Report:
    notes: list[str] = []
    book = book_for(catalog, patient, authority, day)
    contexts = derived_contexts(Panel(book, measured, answers), catalog.table["policy"])
    shown = [name for name, truth in contexts if truth.value is True and name not in patient.contexts]
    if shown:
        book = book_for(catalog, patient.with_contexts(shown), authority, day)
        words = ", ".join(catalog.table["policy"]["contexts"][name]["text"] for name in shown)
        notes.append(f"The panel itself shows: {words}.")
    seen = book.patient if book.patient.id == patient.id else patient.with_contexts(shown)
    for one in measured:
        answers[one.row] = assess_measured(book, one, seen)
    extra, derived_notes = _derive(catalog, patient, measured)
    panel = Panel(book, [*measured, *extra], answers)
    panel.context_truth = {name: truth for name, truth in contexts if name not in patient.contexts}
    matches = match_patterns(panel)
    links = active_links(panel)
    if links and not muscle_text_applies(panel):
        links = []
        notes.append("The links to muscle are for adults who are not pregnant; none is given here.")
    if patient.pregnant and patient.sex == "male":
        notes.append("The patient is given as male and pregnant; pregnancy was not used.")
    ordered = [answers[row] for row in sorted(answers)]
    return Report(
        patient,
        tuple(a for a in ordered if isinstance(a, Finding)),
        tuple(a for a in ordered if isinstance(a, NotAssessed)),
        tuple(m for m in matches if m.certainty in ("likely", "possible")),
        tuple(m for m in matches if m.certainty == "cannot_tell"),
        tuple(effects(panel, links)),
        tuple(advice(links)),
        tuple(alerts(panel)),
        tuple([*notes, *derived_notes]),
        catalog.version,
        catalog.table["policy"]["disclaimer"],
        tuple(catalog.table["policy"]["standing"]),
    )


def as_results(results: Mapping[str, Any] | Iterable[LabResult]) -> list[LabResult]:
    """A list of results from what a caller may pass.

    Raises:
        InputError: Something that is neither.
    """
    if isinstance(results, Mapping):
        return [value._replace(test=name) if isinstance(value, LabResult) else LabResult(name, *_pair(value)) for name, value in results.items()]
    if isinstance(results, (str, bytes)) or not hasattr(results, "__iter__"):
        raise InputError('results are a mapping such as {"vitamin D": "18 ng/mL"} or LabResult objects')
    listed = list(results)
    for result in listed:
        if not isinstance(result, LabResult):
            raise InputError(f"a result is a LabResult, not {type(result).__name__}")
    return listed


def _pair(value: Any) -> tuple[Any, str | None]:
    """ "18 ng/mL", (18, "ng/mL"), a Quantity or a pint.Quantity as value and unit."""
    if isinstance(value, Quantity):
        return value.number, value.unit
    if isinstance(value, tuple) and len(value) == 2:
        return value[0], value[1]
    return value, None


def _known_contexts(catalog: Catalog, patient: Patient) -> Patient:
    """Declared circumstances by their catalog names.

    Raises:
        InputError: One that is not on the closed list.
    """
    if not patient.contexts:
        return patient
    names = catalog.table["policy"]["context_names"]
    unknown = sorted(c for c in patient.contexts if squash(c) not in names)
    if unknown:
        accepted = ", ".join(sorted(catalog.table["policy"]["contexts"]))
        raise InputError(f"unknown context {unknown[0]!r}; accepted: {accepted}")
    known = frozenset(names[squash(c)] for c in patient.contexts)
    return patient if known == patient.contexts else patient.replace(contexts=known)


def _derive(catalog: Catalog, patient: Patient, measured: list[Measured]) -> tuple[list[Measured], list[str]]:
    """eGFR from a creatinine of the same panel, where none was measured and the person is in the equation's domain."""
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
    made = Measured(creatinine.row, "egfr", creatinine.source_name, creatinine.value_text, quantity, number, None, None, ())
    return [made], [f"An eGFR of {round(number)} {unit} was computed from the creatinine in row {creatinine.row} (CKD-EPI 2021)."]


def assess(result: LabResult | Mapping[str, Any], patient: Patient | None = None, **options: Any) -> Finding | NotAssessed:
    """Assess one result on its own.

    Args:
        result: A `LabResult`, or a mapping with one entry such as `{"ferritin": "12 ug/L"}`.
        patient: As for `interpret`.
        **options: authority, as_of, catalog, decimal, as for `interpret`.

    Returns:
        Finding: code, band, limit set, citations.
        NotAssessed: the reason, and what would have to be known.

    Raises:
        InputError: Not exactly one result.

    Example:
        >>> assess({"25(OH)D": "29.9 nmol/L"}).code
        'LU'
    """
    catalog: Catalog = options.get("catalog") or Catalog.default()
    authority, decimal = options.get("authority"), options.get("decimal")
    unknown = set(options) - {"authority", "as_of", "catalog", "decimal"}
    if unknown:
        raise InputError(f"assess does not take {sorted(unknown)[0]!r}; accepted: authority, as_of, catalog, decimal")
    one = result if isinstance(result, LabResult) else as_results(result)[0] if isinstance(result, Mapping) and len(result) == 1 else None
    if one is None:
        raise InputError('one result is a LabResult or a mapping with one entry, such as {"ferritin": "12 ug/L"}')
    if authority is not None and not isinstance(authority, Mapping):
        catalog.check_authority(authority)
    patient = patient or NOBODY
    if patient.age is None and patient.birth_date is not None:
        patient = patient.at(one.collected_at)
    if patient.contexts:
        patient = _known_contexts(catalog, patient)
    read = measure(catalog, one, 1, decimal)
    if type(read) is NotAssessed:
        return read
    as_of = options.get("as_of")
    return assess_measured(book_for(catalog, patient, authority, catalog.as_of if as_of is None else iso(as_of, catalog)), read, patient)  # type: ignore[arg-type]


def convert(value: Any, unit: str, *, analyte: str, catalog: Catalog | None = None, decimal: str | None = None) -> Quantity:
    """The same quantity in another unit of the analyte.

    Args:
        value: "20 ng/mL", a `Quantity`, or a `pint.Quantity`.
        unit: Target unit, in any known spelling.
        analyte: Id, name or LOINC code.
        catalog: Other data than the default.
        decimal: The decimal mark of the source.

    Returns:
        Quantity: exact where the factor terminates, else to 28 digits; the comparator is kept.

    Raises:
        UnknownAnalyteError: No analyte has this name.
        UnknownUnitError: A unit text that is not known.
        IncompatibleUnitError: No exact way between the two for this analyte.
        InputError: No number in the value.

    Example:
        >>> print(convert("20 ng/mL", "ug/L", analyte="vitamin_d"))
        20 ug/L

    Source:
        Factors from pint with the analyte's molar mass and valence, as exact rationals.
    """
    from labinterp._convert import convert_value

    return convert_value(catalog or Catalog.default(), value, unit, analyte, decimal)


def authorities(analyte: str, *, catalog: Catalog | None = None) -> list[dict[str, Any]]:
    """Who draws a line for an analyte; see `Catalog.authorities`.

    Example:
        >>> [a["authority"] for a in authorities("vitamin_d") if a["default"]]
        ['nam']
    """
    return (catalog or Catalog.default()).authorities(analyte)
