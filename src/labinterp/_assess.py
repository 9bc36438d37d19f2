"""Place a measured result among the bands of an authority, for the person it belongs to.

The value is compared in the unit it was reported in. What is not known about the person is tried in every
possible way: the same answer each time is an answer, else the missing fact is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from labinterp._book import Book, Rule
from labinterp._codes import direction
from labinterp._laboratory import in_this_unit, with_laboratory
from labinterp._measure import Measured
from labinterp._reported import Reported
from labinterp._results import Basis, Finding, Memo, NotAssessed
from labinterp._rules import Band, beside, place
from labinterp._spans import holds
from labinterp._worlds import World, deciding_fact, in_span

_Answer = tuple[str | None, str, tuple[str, ...]]  # band, code, and the bands that come into question where it is none of them alone
_PREGNANCY_NOTE = "Pregnancy was not stated; the line for people who are not pregnant answered."


def assess_measured(book: Book, measured: Measured) -> Finding | NotAssessed:
    """Place one measured result.

    Args:
        book: The rules for this person.
        measured: From `measure`.

    Returns:
        Finding: code, band, limit set, and what they rest on.
        NotAssessed: no line for this person, or a fact is missing.
    """
    entry = book.catalog.table["analytes"][measured.analyte]
    found = book.find(measured.analyte, measured.quantity.unit)
    result: Finding | NotAssessed
    if isinstance(found, Rule):
        measured = _with_believable_range(book, measured, [found])
        notes = (*measured.notes, _PREGNANCY_NOTE) if silent_on_pregnancy(book, found) else measured.notes
        result = _finding(book, measured, found, notes, *_answer(found, measured))
    elif isinstance(found, list):
        measured = _with_believable_range(book, measured, [rule for _, rule in found if rule is not None])
        result = _every_way(book, measured, found)
    else:
        result = _refuse(measured, "authority_gives_no_limit", _silence(book, found, entry))
    if measured.reported is not None:
        result = with_laboratory(book, measured, entry, result)
    if entry["critical"] and isinstance(result, Finding):
        result = _with_critical(book, measured, entry, result)
    return result


def _with_believable_range(book: Book, measured: Measured, rules: Sequence[Rule]) -> Measured:
    """The laboratory's range as text where it cannot be in the unit of the value, whoever of those the rules are for the person is.

    It is of one person, and need not fit the rules of all of them: "40 - 130" U/L is no child's. But where it fits some only, it must not
    fit any of them in another unit either: "2.5 - 4.5" may be an adult's phosphate in mg/dL, or a newborn's in mmol/L.
    """
    reported = measured.reported
    if reported is None or (reported.low is None and reported.high is None):
        return measured
    fits = [in_this_unit(reported, rule.edges, [band.code for band in rule.bands]) for rule in rules]
    if all(fits) or (any(fits) and not any(_elsewhere(book, measured, reported, rule) for rule in rules)):
        return measured
    said = f"The laboratory's range does not seem to be in {measured.quantity.unit}; it was kept as text and not used."
    return measured._replace(reported=reported.as_text(), notes=(*measured.notes, said))


def _elsewhere(book: Book, measured: Measured, reported: Reported, rule: Rule) -> bool:
    """Whether the ends would fit a rule in another unit of another size that the analyte is usually reported in."""
    from fractions import Fraction  # seldom needed

    entry = book.catalog.table["analytes"][measured.analyte]
    factors, codes = entry["factors"], [band.code for band in rule.bands]
    own = Fraction(factors[measured.quantity.unit])
    sizes = {Fraction(factors[unit]) / own for unit in entry["usual"]} - {Fraction(1)}
    ends = [None if end is None else Fraction(end) for end in (reported.low, reported.high)]
    moved = ([None if end is None else Decimal(float(end * size)) for end in ends] for size in sizes)
    return any(in_this_unit(reported._replace(low=low, high=high), rule.edges, codes) for low, high in moved)


def _answer(rule: Rule, measured: Measured) -> _Answer:
    """Band, code and, where the value straddles, the possible bands."""
    quantity, number = measured.quantity, measured.number
    if len(quantity.value.as_tuple().digits) > 15:
        number = beside(quantity.value, rule.limit_set.exact_lines(rule.population, quantity.unit))
    low, high = place(rule.edges, number, quantity.comparator, measured.high)
    return _straddle(rule.bands[low : high + 1])


def _finding(
    book: Book, measured: Measured, rule: Rule, notes: tuple[str, ...], band: str | None, code: str, possible: tuple[str, ...]
) -> Finding:
    limit_set = rule.limit_set
    return Finding(
        measured.row, measured.analyte, measured.source_name, measured.value_text, measured.quantity, code, band,
        limit_set.id, limit_set.kind, limit_set.authority, measured.reported, notes,
        Basis(book.catalog, book.patient, limit_set, rule.population, book.as_of, None, possible, Memo()),
    )  # fmt: skip


def _straddle(bands: Sequence[Band]) -> _Answer:
    """A value that may lie in several bands: no band, and IND unless the bands are one by name."""
    keys = tuple(dict.fromkeys(b.key for b in bands))
    if len(keys) == 1:
        return bands[0].key, bands[0].code, ()
    return None, "IND", keys


def silent_on_pregnancy(book: Book, rule: Rule) -> bool:
    """Whether pregnancy was not stated, is possible, and the population that answered does not cover it."""
    patient = book.patient
    if patient.pregnant is not None or patient.sex != "female":
        return False
    years = book.catalog.table["policy"]["pregnancy_possible_years"]
    possible = patient.age is None or in_span(patient.age, ("years", *years)) is not False
    return possible and rule.limit_set.populations[rule.population]["pregnant"] == "no"


def _every_way(book: Book, measured: Measured, found: list[tuple[World, Rule | None]]) -> Finding | NotAssessed:
    """Answer in every possible world; one answer, or the fact that decides."""
    said = {id(rule): _answer(rule, measured) for _, rule in found if rule is not None}  # many worlds have one rule
    answers = [(world, None if rule is None else said[id(rule)]) for world, rule in _speaking(book, said, found)]
    rule = next((r for _, r in found if r is not None), None)
    if rule is None:
        return _refuse(measured, "no_limit_for_population", _no_population(book, measured))
    shared = _shared([answer for _, answer in answers])
    if shared is not None:
        notes = (*measured.notes, _PREGNANCY_NOTE) if silent_on_pregnancy(book, rule) else measured.notes
        return _finding(book, measured, rule, notes, *shared)
    fact, patient = deciding_fact(answers), book.patient
    if fact == "age" and patient.age is not None:
        message = "The age is not known exactly enough; give a birth date and the day of sampling, or the age as a fraction of a year."
    elif fact == "pregnancy" and patient.pregnant:
        message = f"{rule.limit_set.id} depends on the trimester; declare it (contexts: trimester_1, trimester_2 or trimester_3)."
    else:
        message = f"The answer depends on {fact}: {_ways(answers)}. Give the {'state of pregnancy' if fact == 'pregnancy' else fact}."
    return _refuse(measured, f"{fact}_unknown", message)


def _shared(answers: Sequence[_Answer | None]) -> _Answer | None:
    """The answer that all worlds give; where none of them can tell the band, all bands that come into question. None where they differ."""
    first = answers[0]
    if first is None or all(answer == first for answer in answers):
        return first
    told = [answer for answer in answers if answer is not None and answer[0] is None]
    if len(told) < len(answers):
        return None
    return None, "IND", tuple(dict.fromkeys(key for _, _, possible in told for key in possible))


def _speaking(book: Book, said: Mapping[int, _Answer], found: list[tuple[World, Rule | None]]) -> list[tuple[World, Rule | None]]:
    """Without the populations drawn for pregnancy that are silent on the side in question.

    Where pregnancy was not stated and a line for pregnancy exists only on the other side (a ferritin line for
    deficiency, none for overload), it cannot contradict the general line.
    """
    if book.patient.pregnant is not None:
        return found
    general = {(w.age, w.sex): r for w, r in found if w.pregnancy == "no" and r is not None}

    def silent(world: World, rule: Rule | None) -> bool:
        plain = general.get((world.age, world.sex))
        if world.pregnancy == "no" or plain is None or rule is None:
            return False
        side = direction(said[id(plain)][1])
        return side in ("low", "high") and all(direction(band.code) != side for band in rule.bands)

    return [(world, rule) for world, rule in found if not silent(world, rule)]


def _ways(answers: Sequence[tuple[World, Any]]) -> str:
    """The different answers, in words."""
    return ", or ".join(
        dict.fromkeys("no line is drawn" if a is None else (a[0] or "cannot be told").replace("_", " ") for _, a in answers)
    )


def _no_population(book: Book, measured: Measured) -> str:
    """Which other sets of the catalog cover this person, by name; found once for each analyte and unit."""
    key = (measured.analyte, measured.quantity.unit)
    if key not in book.silences:
        book.silences[key] = _others(book, measured)
    return book.silences[key]


def _others(book: Book, measured: Measured) -> str:
    entry = book.catalog.table["analytes"][measured.analyte]
    others = []
    for id in entry["limits"]:
        other = book.catalog.limit_set(id)
        if other.in_force(book.as_of) and isinstance(book.rules_of(other, measured.quantity.unit), Rule):
            others.append(id)
    wanted = book.wanted(measured.analyte)
    message = f"{wanted or entry['default']} draws no line for this person."
    drawn = book.catalog.drawn_by(measured.analyte, wanted, book.as_of)
    for limit_set in drawn if isinstance(drawn, list) else ():
        both = limit_set.contradiction(book.patient.contexts)
        if both:
            texts = [book.catalog.table["policy"]["contexts"][name]["text"] for name in both]
            return f"The lines of {limit_set.id} move with {' and with '.join(texts)}, and only one of them can be true. Declare one."
    return f"{message} Limit sets that do: {', '.join(others[:6])}." if others else message


def _silence(book: Book, silence: Any, entry: Mapping[str, Any]) -> str:
    message = str(silence.because)
    others = [id for id in entry["limits"] if book.catalog.limit_set(id).in_force(book.as_of)]
    if others:
        message += f" Limit sets in force: {', '.join(others[:6])}."
    elif entry["lab_range"]["first"]:
        message += " Where the laboratory's own range is given with the result, it is used."
    return message


def _refuse(measured: Measured, reason: str, message: str) -> NotAssessed:
    return NotAssessed(
        measured.row, measured.analyte, measured.source_name, measured.value_text, measured.unit_text, reason, message, measured.quantity,
        reported=measured.reported,
    )  # fmt: skip


def _with_critical(book: Book, measured: Measured, entry: Mapping[str, Any], finding: Finding) -> Finding:
    """A published critical value turns the code into LL or HH; the band stays."""
    for critical in entry["critical"]:
        if (critical["from"] or "") <= book.as_of < (critical["until"] or "9999") and holds(book.catalog, measured, critical) is True:
            return finding._replace(code=critical["code"], basis=finding.basis._replace(critical=critical, memo=Memo()))
    return finding
