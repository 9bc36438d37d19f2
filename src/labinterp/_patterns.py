"""Combinations of results with a meaning, in three-valued logic: true, false, or unknown for want of a result.

A gate is data (`limits` + `bands`, `analyte` + `codes`, ...). Evaluating one tells its value, the rows it rests
on, and the analytes that would have settled it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._book import Book, Rule
from labinterp._inputs import Patient
from labinterp._measure import Measured
from labinterp._report import PatternMatch
from labinterp._results import Finding, NotAssessed
from labinterp._rules import place
from labinterp._spans import holds
from labinterp._worlds import in_span

if TYPE_CHECKING:
    from labinterp._catalog import Catalog


class Truth(NamedTuple):
    """True, False or None; the rows it rests on; the analytes that are missing where it is None."""

    value: bool | None
    rows: frozenset[int] = frozenset()
    missing: frozenset[str] = frozenset()


UNKNOWN = Truth(None)


class Panel:
    """Results drawn together, ready for gates.

    Args:
        book: Rules for the person, with the circumstances the panel shows.
        measured: What could be read.
        answers: Findings and refusals by row.
    """

    def __init__(self, book: Book, measured: Iterable[Measured], answers: Mapping[int, Finding | NotAssessed]) -> None:
        self.book, self.answers = book, answers
        self.by_analyte: dict[str, list[Measured]] = {}
        for one in measured:
            self.by_analyte.setdefault(one.analyte, []).append(one)
        self.context_truth: dict[str, Truth] = {}
        self.known: dict[int, Truth] = {}  # what gates were found to say before, by the id of the gate
        self.matches: dict[str, str] = {}
        self.replaced: dict[str, frozenset[str]] = {}  # pattern -> the conditions and links it speaks in place of

    @property
    def patient(self) -> Patient:
        """The person, with derived circumstances."""
        return self.book.patient

    def ask(self, analyte: str, question: Callable[[Measured], bool | None]) -> Truth:
        """One question to every result of an analyte: they must agree."""
        results = self.by_analyte.get(analyte)
        if not results:
            return Truth(None, missing=frozenset((analyte,)))
        values = {question(one) for one in results}
        if len(values) > 1:
            return UNKNOWN
        return Truth(values.pop(), frozenset(row for one in results for row in one.rows))


def evaluate(gate: Mapping[str, Any], panel: Panel, tests: Mapping[str, Any] | None = None) -> Truth:
    """The truth of a gate for a panel.

    Args:
        gate: From the data, one form of `Gate`.
        panel: The results.
        tests: Named gates of the pattern, for gates that refer to one.
    """
    if panel.known and id(gate) in panel.known:
        return panel.known[id(gate)]
    if "limits" in gate:
        return _in_bands(panel, gate["limits"], gate["bands"])
    if "codes" in gate:
        return panel.ask(gate["analyte"], lambda one: _has_code(panel, one, gate["codes"]))
    if "span" in gate:
        return panel.ask(gate["analyte"], lambda one: holds(panel.book.catalog, one, gate["span"]))
    if "test" in gate:
        named = (tests or {})[gate["test"]]  # asked in several outcomes, answered once
        return panel.known.get(id(named)) or panel.known.setdefault(id(named), evaluate(named, panel, tests))
    if "context" in gate:
        return panel.context_truth.get(gate["context"]) or Truth(gate["context"] in panel.patient.contexts)
    if "age_years" in gate:
        ends = [None if gate["age_years"].get(e) is None else float(gate["age_years"][e]) for e in ("at_least", "below")]
        age = panel.patient.age
        return Truth(None if age is None else in_span(age, ("years", *ends)))
    if "sex" in gate:
        return Truth(None if panel.patient.sex is None else panel.patient.sex == gate["sex"])
    if "pattern" in gate:
        certainty = panel.matches.get(gate["pattern"])
        return Truth(certainty in gate.get("certainty", ("likely", "possible")))
    return _combined(gate, panel, tests)


def _combined(gate: Mapping[str, Any], panel: Panel, tests: Mapping[str, Any] | None) -> Truth:
    for word in ("all_of", "any_of", "none_of"):
        if word in gate:
            parts = [evaluate(inner, panel, tests) for inner in gate[word]]
            need = len(parts) if word == "all_of" else 1
            truth = _at_least(need, parts)
            return truth._replace(value=None if truth.value is None else not truth.value) if word == "none_of" else truth
    return _at_least(gate["at_least"], [evaluate(inner, panel, tests) for inner in gate["of"]])


def _at_least(need: int, parts: list[Truth]) -> Truth:
    true = [p for p in parts if p.value is True]
    unknown = [p for p in parts if p.value is None]
    if len(true) >= need:
        return Truth(True, frozenset().union(*(p.rows for p in true)))
    if len(true) + len(unknown) < need:
        return Truth(False, frozenset().union(*(p.rows for p in parts if p.value is False)))
    return Truth(None, frozenset().union(*(p.rows for p in true)), frozenset().union(*(p.missing for p in unknown)))


def _in_bands(panel: Panel, limits: str, bands: Iterable[str]) -> Truth:
    limit_set = panel.book.catalog.limit_set(limits)
    wanted = set(bands)

    def question(one: Measured) -> bool | None:
        found = panel.book.rules_of(limit_set, one.quantity.unit)
        values = {_lies_in(rule, one, wanted) for rule in ([found] if isinstance(found, Rule) else [r for _, r in found])}
        return values.pop() if len(values) == 1 else None

    return panel.ask(limit_set.data["analyte"], question)


def _lies_in(rule: Rule | None, one: Measured, wanted: set[str]) -> bool | None:
    if rule is None:
        return None
    low, high = place(rule.edges, one.number, one.quantity.comparator, one.high)
    inside = {band.key in wanted for band in rule.bands[low : high + 1]}
    return inside.pop() if len(inside) == 1 else None


def _has_code(panel: Panel, one: Measured, codes: Iterable[str]) -> bool | None:
    answer = panel.answers.get(one.row)
    if not isinstance(answer, Finding) or (answer.code == "IND" and answer.basis.possible):
        return None
    return answer.code in codes


def derived_contexts(panel: Panel, policy: Mapping[str, Any]) -> list[tuple[str, Truth]]:
    """The circumstances the panel itself shows or rules out, such as inflammation from CRP or AGP."""
    return [(derived["context"], evaluate(derived["when"], panel)) for derived in policy["derived"]]


def in_order(catalog: Catalog) -> list[Mapping[str, Any]]:
    """The patterns of the data, each behind those it refers to."""
    found: list[Mapping[str, Any]] = catalog.memo.get("patterns") or catalog.remember(
        "patterns", sorted(catalog.table["patterns"].values(), key=lambda p: p["order"])
    )
    return found


def match_patterns(panel: Panel, wanted: Collection[str] | None = None) -> list[PatternMatch]:
    """Every pattern whose first true outcome says something, in the order of the data.

    Args:
        panel: The results.
        wanted: Ids of the patterns to look for; default all.

    Returns:
        list of PatternMatch: certainty "likely", "possible" or "cannot_tell".
    """
    catalog = panel.book.catalog
    found = []
    for pattern in in_order(catalog):
        if wanted is not None and pattern["id"] not in wanted:
            continue
        tests, missing = pattern.get("tests", {}), frozenset[str]()
        for outcome in pattern["outcomes"]:
            truth = evaluate(outcome["when"], panel, tests)
            if truth.value is not True:
                # what is missing is what would have given a stronger answer, not what would have ruled it out
                if truth.value is None and outcome["certainty"] in ("likely", "possible"):
                    missing |= truth.missing
                continue
            panel.matches[pattern["id"]] = outcome["certainty"]
            general = pattern.get("replaces", ()) if outcome["certainty"] in ("likely", "possible") else ()
            panel.replaced[pattern["id"]] = frozenset((*general, *outcome.get("replaces", ())))
            if outcome["certainty"] != "not_supported":
                found.append(_match(catalog, pattern, outcome, truth, missing))
            break
    return found


def _match(catalog: Any, pattern: Mapping[str, Any], outcome: Mapping[str, Any], truth: Truth, missing: frozenset[str]) -> PatternMatch:
    settled_by = tuple(outcome.get("settled_by", ()))
    ordered = [a for a in (*settled_by, *pattern["inputs"]) if a in missing]
    return PatternMatch(
        pattern["id"], pattern["name"], outcome["certainty"], tuple(sorted(truth.rows)), tuple(dict.fromkeys(ordered)),
        settled_by, outcome["text"], outcome.get("next_test", ""), tuple(catalog.written_out(pattern["cite"])),
    )  # fmt: skip
