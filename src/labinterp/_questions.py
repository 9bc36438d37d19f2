"""What results say to the gates of the data: asked once for each place between their lines, and remembered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._lanes import edges_of, rules_in, within
from labinterp._measure import Measured
from labinterp._patterns import Panel, Truth, evaluate
from labinterp._results import Finding, NotAssessed
from labinterp._rules import place
from labinterp._spans import holds, span_edges

if TYPE_CHECKING:
    from labinterp._book import Book
    from labinterp._catalog import Catalog

MOST = 2000  # scales of one catalog, and places of one scale
Truths = tuple[bool | None, ...]
Gate = Mapping[str, Any]
Answers = Mapping[int, Finding | NotAssessed]

NO_ANSWERS: Answers = {}


class Questions(NamedTuple):
    """The gates of the data that ask something of a result or of a person.

    Attributes:
        of: Analyte -> its gates.
        circumstances: The analytes that circumstances are told by.
        ages: Gates on the age.
        cautions: Gates of what is said beside derived quantities.
        unanswered: What a gate says without a result, by its id.
        inside: The gates in each condition, each pattern and each list of gates, by its id.
    """

    of: Mapping[str, list[Gate]]
    circumstances: frozenset[str]
    ages: list[Gate]
    cautions: list[Gate]
    unanswered: Mapping[int, Truth]
    inside: Mapping[int, list[Gate]]


class Said(NamedTuple):
    """What one result says: its truth for every gate of its analyte, and the red flags it raises."""

    truths: Truths
    alerts: tuple[Mapping[str, Any], ...]


def questions(catalog: Catalog) -> Questions:
    """The gates of a catalog, found once."""
    found: Questions | None = catalog.memo.get("questions")
    if found is None:
        table = catalog.table
        blocks = [block for derive in table["derive"] for block in derive["blocks"]]
        cautions = [caution["when"] for block in blocks for caution in block["cautions"]]
        policy = table["policy"]
        parts = [*table["conditions"].values(), *table["patterns"].values(), policy["derived"], policy["single_mild"], cautions]
        inside = {id(part): within(part) for part in parts}
        every = [gate for gates in inside.values() for gate in gates]
        of: dict[str, list[Gate]] = {}
        for gate in every:
            if (analyte := asked_of(catalog, gate)) is not None:
                of.setdefault(analyte, []).append(gate)
        shown = frozenset(a for gate in inside[id(policy["derived"])] if (a := asked_of(catalog, gate)) is not None)
        ages = [gate for gate in every if "age_years" in gate]
        unanswered = {id(gate): Truth(None, missing=frozenset((analyte,))) for analyte, asked in of.items() for gate in asked}
        found = catalog.remember("questions", Questions(of, shown, ages, cautions, unanswered, inside))
    return found


def asked_of(catalog: Catalog, gate: Gate) -> str | None:
    """The analyte whose results a gate asks, in the order in which `evaluate` looks; None where it asks none."""
    if "limits" in gate:
        return str(catalog.table["limits"][gate["limits"]]["analyte"])
    return str(gate["analyte"]) if "codes" in gate or "span" in gate else None


def said(book: Book, one: Measured, answer: Finding | NotAssessed | None) -> Said:
    """What a result says to the gates of its analyte, with its answer, and the red flags it raises.

    Args:
        book: The rules for the person.
        one: The result.
        answer: Its finding; None where it is not assessed, or not yet.
    """
    code = answer.code if isinstance(answer, Finding) and not (answer.code == "IND" and answer.basis.possible) else None
    quantity = one.quantity
    if len(quantity.value.as_tuple()[1]) > 15:  # compared exactly, number by number
        return _said(book, one, answer)
    scale: Scale | None = book.scales.get((one.analyte, quantity.unit))
    if scale is None:
        scale = book.scales[one.analyte, quantity.unit] = _scale(book, one.analyte, quantity.unit)
    key = (place(scale.edges, one.number, quantity.comparator, one.high), code)
    found = scale.said.get(key)
    if found is None:
        found = _said(book, one, answer)
        if len(scale.said) < MOST:
            scale.said[key] = found
    return found


class Scale:
    """The lines of gates and red flags for one analyte in one unit, and what was said between them: for all people with the same lines."""

    __slots__ = ("edges", "said")

    def __init__(self, edges: list[float]) -> None:
        self.edges = edges
        self.said: dict[Any, Said] = {}


def _scale(book: Book, analyte: str, unit: str) -> Scale:
    catalog = book.catalog
    sets = [catalog.limit_set(gate["limits"]) for gate in questions(catalog).of.get(analyte, ()) if "limits" in gate]
    drawn = tuple((rule.limit_set.key, rule.population) if rule else None for one in sets for rule in rules_in(book.rules_of(one, unit)))
    key = (analyte, unit, book.patient.contexts, drawn)
    known: dict[Any, Scale] = catalog.learn("scales", dict)
    scale = known.get(key)
    if scale is None:
        if len(known) >= MOST:
            known.clear()
        scale = known[key] = Scale(_edges(book, analyte, unit))
    return scale


def _edges(book: Book, analyte: str, unit: str) -> list[float]:
    """The lines of gates and red flags in one unit: between two of them a result says the same."""
    catalog, found = book.catalog, set[float]()
    for span in catalog.table["analytes"][analyte]["alerts"]:
        found.update(span_edges(catalog, analyte, span, unit)[0])
    for gate in questions(catalog).of.get(analyte, ()):
        if "limits" in gate:
            found.update(edges_of(book.rules_of(catalog.limit_set(gate["limits"]), unit)))
        elif "span" in gate:
            found.update(span_edges(catalog, analyte, gate["span"], unit)[0])
    return sorted(found)


def _said(book: Book, one: Measured, answer: Finding | NotAssessed | None) -> Said:
    panel = Panel(book, [one], NO_ANSWERS if answer is None else {one.row: answer})
    asked = questions(book.catalog).of.get(one.analyte, ())
    return Said(tuple(evaluate(gate, panel).value for gate in asked), tuple(raised(panel, one)))


def raised(panel: Panel, one: Measured) -> Iterator[Mapping[str, Any]]:
    """The red flags of the data that a result raises."""
    catalog = panel.book.catalog
    for alert in catalog.table["analytes"][one.analyte]["alerts"]:
        if set(alert["requires"]) <= panel.patient.contexts and holds(catalog, one, alert) is True:
            yield alert
