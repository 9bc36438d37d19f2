"""Results of one analyte with their days, and the lines a person had on each day: steps where the lines move with age."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from labinterp._book import Book, Rule, chosen
from labinterp._catalog import Catalog, iso
from labinterp._inputs import LabResult, Patient
from labinterp._interpret import assess, interpret, known_contexts
from labinterp._pictures.strips import Strip, answering_strip, strip_of
from labinterp._report import Report
from labinterp._results import Finding, NotAssessed
from labinterp._rules import DAYS
from labinterp.errors import InputError

Answer = Finding | NotAssessed


class Point(NamedTuple):
    """One result and its day."""

    day: date
    answer: Answer


class Series(NamedTuple):
    """What is known of one analyte over time.

    Attributes:
        analyte: Id.
        catalog: Whose lines.
        patient: The person of the last result.
        points: Oldest first.
        undated: Results without a day.
    """

    analyte: str
    catalog: Catalog
    patient: Patient
    points: tuple[Point, ...]
    undated: int


class Step(NamedTuple):
    """The lines of one stretch of time; None where they are not known or none are drawn."""

    start: date
    end: date
    strip: Strip | None


def series_of(results: Any, analyte: str, patient: Patient | None, catalog: Catalog | None, options: Mapping[str, Any]) -> Series:
    """One analyte over time, from what a user may have.

    Args:
        results: `LabResult`s with days, panels as `readers` gives them, or a mapping from day to `Report`, `Finding` or `NotAssessed`.
        analyte: Id, name or LOINC code.
        patient: Whose results; panels bring their own.
        catalog: Other data than the default.
        options: Further keywords of `interpret`.

    Raises:
        InputError: Something else was given, or nothing of the analyte is there.
    """
    catalog = catalog or Catalog.default()
    id = catalog.analyte_id(analyte)
    person, dated = known_contexts(catalog, patient or Patient()), []
    for day, answer, who in _answers(results, person, {**options, "catalog": catalog}):
        if answer.analyte == id:
            dated.append((day, answer))
            person = who or person
    points = [Point(day, answer) for day, answer in dated if day is not None]
    if not points:
        raise InputError(f"there is no result of {id} with a day of sampling (collected_at)")
    points.sort(key=lambda point: point.day)
    found = next((p.answer.basis.catalog for p in points if isinstance(p.answer, Finding)), catalog)
    return Series(id, found, person, tuple(points), len(dated) - len(points))


def _answers(results: Any, patient: Patient, options: Mapping[str, Any]) -> Iterable[tuple[date | None, Answer, Patient | None]]:
    if isinstance(results, Mapping):
        for day, item in results.items():
            when = _day(day)
            if isinstance(item, Report):
                yield from ((when, answer, item.patient) for answer in (*item.rows(), *item.derived))
            elif isinstance(item, (Finding, NotAssessed)):
                yield when, item, None
            else:
                raise InputError(f"a day leads to a Report, a Finding or a NotAssessed, not {type(item).__name__}")
        return
    if isinstance(results, (str, bytes, LabResult)) or not hasattr(results, "__iter__"):
        raise InputError("results are LabResult objects with collected_at, panels of labinterp.readers, or a mapping from day to Report")
    for item in results:
        if isinstance(item, LabResult):
            yield _day(item.collected_at), assess(item, patient, **options), None
        elif hasattr(item, "results") and hasattr(item, "patient"):
            report = interpret(item.results, item.patient, rows=item.rows, **options)
            days = {row: _day(result.collected_at) for row, result in zip(item.rows, item.results, strict=True)}
            drawn = next((day for day in days.values() if day is not None), None)
            yield from ((days[answer.row], answer, report.patient) for answer in report.rows())
            yield from ((drawn, answer, report.patient) for answer in report.derived)
        else:
            raise InputError(f"a result over time is a LabResult or a panel of labinterp.readers, not {type(item).__name__}")


def _day(value: Any) -> date | None:
    if value is None:
        return None
    if isinstance(value, str):
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            raise InputError("a day is a date, or a text such as '2024-06-03'") from None
    day = value.date() if hasattr(value, "date") else value
    if not isinstance(day, date):
        raise InputError(f"a day is a date, or a text such as '2024-06-03', not {type(value).__name__}")
    return day


# --- lines over time ------------------------------------------------------------------------------------------


def steps(series: Series, unit: str, start: date, end: date, options: Mapping[str, Any]) -> tuple[list[Step], bool]:
    """The lines between two days, and whether the days on which they change are known.

    With a birth date each change falls on its birthday. Without one only the days of the results are known: between two
    results with other lines nothing is drawn.
    """
    by_birth = _by_birth(series, unit, start, end, options)
    told = [(p.day, strip) for p in series.points if isinstance(p.answer, Finding) and (strip := answering_strip(p.answer, unit))]
    if by_birth and all(any(step.start <= day <= step.end and _same(step.strip, strip) for step in by_birth) for day, strip in told):
        return by_birth, True
    if not told:  # nothing answered: a birth date still tells the lines, an age that is given once does not
        return (by_birth if series.patient.birth_date is not None else []), True
    found: list[Step] = []
    for day, strip in told:
        if found and _same(found[-1].strip, strip):
            found[-1] = found[-1]._replace(end=day)
        else:
            found.append(Step(day, day, strip))
    found[0], found[-1] = found[0]._replace(start=start), found[-1]._replace(end=end)
    return found, len(found) == 1


def _same(one: Strip | None, other: Strip | None) -> bool:
    return one is not None and other is not None and (one.id, one.stretches) == (other.id, other.stretches)


def _by_birth(series: Series, unit: str, start: date, end: date, options: Mapping[str, Any]) -> list[Step]:
    """Steps from the birth date; from the facts as they are, where there is none."""
    catalog, patient = series.catalog, series.patient
    authority = chosen(catalog, options.get("authority"))
    wanted = authority.get(series.analyte) if isinstance(authority, Mapping) else authority
    first = next((p.answer for p in series.points if isinstance(p.answer, Finding)), None)
    as_of = first.basis.as_of if first else iso(options.get("as_of"), catalog)
    drawn = catalog.drawn_by(series.analyte, wanted, as_of)
    if not isinstance(drawn, list):
        return []
    born = patient.birth_date
    if born is not None:
        # facts without an age, so that each day gives its own
        patient = Patient(sex=patient.sex, birth_date=born, pregnant=patient.pregnant, contexts=patient.contexts)
    turns = sorted({day for one in drawn for p in one.populations for day in _turns(born, p["age"]) if start < day < end})
    found: list[Step] = []
    for begin, stop in zip([start, *turns], [*turns, end], strict=True):
        rule = Book(catalog, patient.at(max(begin, born)) if born else patient, authority, as_of).find(series.analyte, unit)
        strip = strip_of(catalog, rule.limit_set, rule.population, unit) if isinstance(rule, Rule) else None
        if found and (found[-1].strip == strip or _same(found[-1].strip, strip)):
            found[-1] = found[-1]._replace(end=stop)
        else:
            found.append(Step(begin, stop, strip))
    return found


def _turns(born: date | None, span: Any) -> Iterable[date]:
    """The days on which somebody reaches an end of an age span."""
    if born is None or span is None:
        return
    unit, *ends = span
    for end in ends:
        if end is None:
            continue
        months = (
            end * 12 if unit == "years" else end if unit == "months" else end / DAYS["years"] * 12 if end % DAYS["years"] == 0 else None
        )
        if months is None:
            yield born + timedelta(days=int(-(-end // 1)))
        elif months == int(months) and (day := _months_after(born, int(months))) is not None:
            yield day


def _months_after(born: date, months: int) -> date | None:
    """The first day on which so many months are complete."""
    year, month = divmod(born.year * 12 + born.month - 1 + months, 12)
    if year > date.max.year:
        return None
    try:
        return date(year, month + 1, born.day)
    except ValueError:  # the month has no such day: it is complete on the first of the next, as the age counts it
        return date(year + (month == 11), (month + 1) % 12 + 1, 1)
