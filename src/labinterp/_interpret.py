"""The pipeline: results and a person in, one report out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from labinterp._book import Book, book_for, chosen
from labinterp._catalog import Catalog, iso
from labinterp._inputs import LabResult, Patient
from labinterp._lanes import Cell, answer, quick, read
from labinterp._measure import Measured
from labinterp._names import squash
from labinterp._quantity import Quantity
from labinterp._report import Report, Whole
from labinterp._results import Finding, NotAssessed
from labinterp.errors import InputError

if TYPE_CHECKING:
    from datetime import date

Parts = tuple[tuple[Finding, ...], tuple[NotAssessed, ...], tuple[Finding, ...], Whole]  # findings, refused, derived, whole

NOBODY = Patient()
_make = tuple.__new__  # past the constructors of NamedTuples: a file has a place for every result
MOST_WHOLES, LARGEST_WHOLE = 500, 100  # panels remembered for one kind of person, and results in each


def interpret(
    results: Mapping[str, Any] | Iterable[LabResult],
    patient: Patient | None = None,
    *,
    authority: str | Mapping[str, str] | None = None,
    as_of: date | str | None = None,
    catalog: Catalog | None = None,
    decimal: str | None = None,
    rows: Iterable[int] | None = None,
    research: bool = False,
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
        research: Also give links that rest on little evidence where one mildly abnormal value is all there is.

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
    listed, decimal = as_results(results), _mark(decimal)
    patient = _person(patient)
    day = None
    if patient.age is None and patient.birth_date is not None:
        day = next((r.collected_at for r in listed if r.collected_at is not None), None)
        patient = patient.at(day)
    numbers = tuple(rows) if rows is not None else tuple(range(1, len(listed) + 1))
    if rows is not None and len(set(numbers)) != len(listed):
        raise InputError("rows are as many different numbers as there are results")
    book = _book(catalog, patient, day, authority, as_of)
    short = _short(book, listed, numbers, research) if decimal != "," else None
    findings, refused, derived, whole = short or _long(book, listed, numbers, decimal, research)
    if any(result.source is not None for result in listed):
        findings, refused = _placed(findings, refused, dict(zip(numbers, listed, strict=True)))
    notes = whole.notes
    if patient.pregnant and patient.sex == "male":
        notes = (*notes, "The patient is given as male and pregnant; pregnancy was not used.")
    policy = catalog.table["policy"]
    return Report(
        known_contexts(catalog, patient), findings, refused, derived, whole, notes, catalog.version, policy["disclaimer"], catalog.standing
    )


def _placed(
    findings: tuple[Finding, ...], refused: tuple[NotAssessed, ...], results: Mapping[int, LabResult]
) -> tuple[tuple[Finding, ...], tuple[NotAssessed, ...]]:
    """Each answer with the place its result stood at."""
    stood = {row: None if result.source is None else str(result.source) for row, result in results.items()}
    return (
        tuple([_make(Finding, (*finding[:-1], stood[finding[0]])) for finding in findings]),
        tuple([_make(NotAssessed, (*one[:-1], stood[one[0]])) for one in refused]),
    )


def _short(book: Book, listed: list[LabResult], numbers: tuple[int, ...], research: bool) -> Parts | None:
    """The short way: every result is plain and known, and a panel between the same lines was read before."""
    answered = []
    for row, result in zip(numbers, listed, strict=True):
        if (found := quick(book, result, row)) is None or found[1] is None:
            return None
        answered.append(found)
    findings, cells = zip(*answered, strict=True) if answered else ((), ())
    whole: Whole | None = book.wholes.get((cells, research))
    return None if whole is None else (findings, (), (), whole.moved(numbers))


def _long(book: Book, listed: list[LabResult], numbers: tuple[int, ...], decimal: str | None, research: bool) -> Parts:
    """The long way: measure, see what the panel shows of the person, assess, read together."""
    from labinterp._together import read_together  # a single value does without patterns and effects

    measured: list[Measured] = []
    answers: dict[int, Finding | NotAssessed] = {}
    for row, result in zip(numbers, listed, strict=True):
        one = read(book.catalog, result, row, decimal)
        if isinstance(one, NotAssessed):
            answers[row] = one
        else:
            measured.append(one)
    collected = {row: result.collected_at for row, result in zip(numbers, listed, strict=True) if result.collected_at is not None}
    results = dict(zip(numbers, listed, strict=True))
    derived, whole = read_together(
        book, measured, answers, collected, bool(research), lambda rules, one: answer(rules, results[one.row], one, decimal)
    )
    whole = whole._replace(rows=numbers)
    ordered = [answers[row] for row in sorted(answers)]
    if not whole.memo.pop("own") and decimal != ",":
        _remember(book, listed, numbers, whole, bool(research))
    findings = tuple(a for a in ordered if isinstance(a, Finding))
    return findings, tuple(a for a in ordered if isinstance(a, NotAssessed)), derived, whole


def _remember(book: Book, listed: list[LabResult], numbers: tuple[int, ...], whole: Whole, research: bool) -> None:
    """Remember the whole where nothing but the stretches decided it."""
    if len(book.wholes) >= MOST_WHOLES or len(listed) > LARGEST_WHOLE:
        return
    cells: list[Cell] = []
    for row, result in zip(numbers, listed, strict=True):
        if (found := quick(book, result, row)) is None or found[1] is None:
            return
        cells.append(found[1])
    book.wholes[tuple(cells), research] = whole


def as_results(results: Mapping[str, Any] | Iterable[LabResult]) -> list[LabResult]:
    """A list of results from what a caller may pass.

    Raises:
        InputError: Something that is neither.
    """
    if isinstance(results, LabResult):
        return [results]
    if type(results) is not list and isinstance(results, Mapping):  # asking a list whether it is a mapping takes its time
        return [_result(name, value) for name, value in results.items()]
    if not hasattr(results, "__iter__") or isinstance(results, (str, bytes)):  # type: ignore[unreachable]
        raise InputError('results are a mapping such as {"vitamin D": "18 ng/mL"} or LabResult objects')
    listed = list(results)
    for result in listed:
        if not isinstance(result, LabResult):
            raise InputError(f"a result is a LabResult, not {type(result).__name__}")
    return listed


def _result(name: str, value: Any) -> LabResult:
    """One entry of a mapping: a text such as "18 ng/mL", (18, "ng/mL"), a Quantity, a pint.Quantity or a LabResult."""
    if isinstance(value, LabResult):
        return value._replace(test=name)
    if isinstance(value, Quantity):  # the number itself, not its text: it reads one way only
        if value.high is not None:
            return LabResult(name, value.number, value.unit)
        return LabResult(name, value.value, value.unit, comparator=value.comparator or None)
    if isinstance(value, tuple) and len(value) == 2:
        return LabResult(name, value[0], value[1])
    return LabResult(name, value)


def known_contexts(catalog: Catalog, patient: Patient) -> Patient:
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


def assess(
    result: LabResult | Mapping[str, Any],
    patient: Patient | None = None,
    *,
    authority: str | Mapping[str, str] | None = None,
    as_of: date | str | None = None,
    catalog: Catalog | None = None,
    decimal: str | None = None,
) -> Finding | NotAssessed:
    """Assess one result on its own.

    Args:
        result: A `LabResult`, or a mapping with one entry such as `{"ferritin": "12 ug/L"}`.
        patient: As for `interpret`.
        authority: As for `interpret`.
        as_of: As for `interpret`.
        catalog: As for `interpret`.
        decimal: As for `interpret`.

    Returns:
        Finding: code, band, limit set, citations.
        NotAssessed: the reason, and what would have to be known.

    Raises:
        UnknownAuthorityError: Nobody of that name draws lines in the catalog.
        InputError: Not exactly one result, or an argument that cannot be used.

    Example:
        >>> assess({"25(OH)D": "29.9 nmol/L"}).code
        'LU'
    """
    catalog = catalog or Catalog.default()
    if type(result) is LabResult:
        one = result
    else:
        listed = as_results(result) if isinstance(result, Mapping) else []
        if len(listed) != 1:
            raise InputError('one result is a LabResult or a mapping with one entry, such as {"ferritin": "12 ug/L"}')
        one = listed[0]
    if type(patient) is not Patient:
        patient = _person(patient)
    book = _book(catalog, patient, one.collected_at, authority, as_of)
    decimal = _mark(decimal)
    if decimal != ",":
        found = quick(book, one, 1, decimal)
        if found is not None:
            return found[0]
    measured = read(catalog, one, 1, decimal)
    return measured if isinstance(measured, NotAssessed) else answer(book, one, measured, decimal)


def _book(
    catalog: Catalog, patient: Patient, day: date | None, authority: str | Mapping[str, str] | None, as_of: date | str | None
) -> Book:
    """The rules for a person; kept with the person, and with the facts, where nothing else decides."""
    if authority is not None or as_of is not None:
        authority = chosen(catalog, authority)
        return book_for(catalog, known_contexts(catalog, patient.at(day)), authority, iso(as_of, catalog))
    key = id(catalog)  # quicker than asking the catalog for its hash; the book keeps the catalog alive
    book: Book | None = patient.memo.get(key)
    if book is None:
        dated = patient.at(day)
        book = catalog.memo.get(dated.facts)
        book = book or catalog.remember(dated.facts, book_for(catalog, known_contexts(catalog, dated), None, catalog.as_of))
        if patient.age is not None or patient.birth_date is None:  # else the next day of sampling may tell another age
            patient.memo[key] = book
    return book


def _person(patient: Patient | Mapping[str, Any] | None) -> Patient:
    """The person; a mapping of the same facts will do.

    Raises:
        InputError: Something that is neither.
    """
    if patient is None:
        return NOBODY
    if isinstance(patient, Patient):
        return patient
    try:
        return Patient(**patient)
    except TypeError:
        raise InputError("patient is a Patient, such as Patient(sex='female', age_years=34)") from None


def _mark(decimal: str | None) -> str | None:
    if decimal not in (None, ".", ","):
        raise InputError(f"decimal is '.' or ',', not {decimal!r}")
    return decimal


def authorities(analyte: str, *, catalog: Catalog | None = None) -> list[dict[str, Any]]:
    """Who draws a line for an analyte; see `Catalog.authorities`.

    Example:
        >>> [a["authority"] for a in authorities("vitamin_d") if a["default"]]
        ['nam']
    """
    return (catalog or Catalog.default()).authorities(analyte)
