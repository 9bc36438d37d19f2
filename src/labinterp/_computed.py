"""Quantities that a draw lets one compute: by the data's blocks, never in place of a measured one, never across two draws."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._assess import assess_measured
from labinterp._book import Book
from labinterp._derived import FUNCTIONS
from labinterp._inputs import LabResult, Patient
from labinterp._measure import AsPrinted, Measured, weigh
from labinterp._origins import Derivation, Input
from labinterp._quantity import Quantity
from labinterp._results import Finding, NotAssessed
from labinterp._spans import holds
from labinterp.errors import InputError

if TYPE_CHECKING:
    from labinterp._catalog import Catalog

Block = Mapping[str, Any]
Days = Mapping[int, Hashable]  # row -> the day of sampling, where it is known


class Person(NamedTuple):
    """What functions may ask of a person."""

    sex: str | None
    age_years: float | None
    pregnant: bool | None


class Computed(NamedTuple):
    """What could be computed from a draw, and why something could not.

    Attributes:
        measured: The quantities, each under a row number of its own below all rows of the input.
        blocks: By that number, the block of the data it was computed by.
        notes: Why a quantity was not computed although its inputs are there.
        considered: Whether there was anything to compute at all.
    """

    measured: list[Measured]
    blocks: dict[int, Block]
    notes: list[str]
    considered: bool


def person_of(patient: Patient) -> Person:
    """What functions may ask of a patient; of an age that is an interval its lower end, the completed years."""
    return Person(patient.sex, None if patient.age is None else patient.age.years[0], patient.pregnant)


def compute(catalog: Catalog, measured: Iterable[Measured], person: Person, days: Days) -> Computed:
    """Every quantity of the data that these results let one compute, each at most once.

    Args:
        catalog: The data.
        measured: What could be read.
        person: The facts functions may ask for.
        days: The days of sampling, where they are known.
    """
    by_analyte: dict[str, list[Measured]] = {}
    for one in measured:
        by_analyte.setdefault(one.analyte, []).append(one)
    made = Computed([], {}, [], False)
    row = min((0, *(one.row for results in by_analyte.values() for one in results)))
    for derive in catalog.table["derive"]:
        if derive["analyte"] in by_analyte:
            continue
        found, why = None, ""
        for block in derive["blocks"]:
            inputs = [by_analyte.get(name) or [] for name, _ in block["inputs"]]
            if not all(inputs) or not _in_these_units(block, inputs):
                continue
            made = made._replace(considered=True)
            refused = unusable(catalog, inputs, days)
            found = refused or computed(catalog, derive["analyte"], block, [results[0] for results in inputs], person)
            if isinstance(found, Measured):
                row -= 1
                by_analyte[found.analyte] = [found := found._replace(row=row)]
                made.measured.append(found)
                made.blocks[row] = block
                break
            why = why or found
        if why and not isinstance(found, Measured):
            made.notes.append(f"{catalog.table['analytes'][derive['analyte']]['name']} was not computed: {why}.")
    return made


def days_of(collected: Mapping[int, Any]) -> dict[int, Hashable]:
    """The day of each row's sample; of times the day counts, a text that is no day is its own day, nothing is not known."""
    found: dict[int, Hashable] = {}
    for row, at in collected.items():
        if hasattr(at, "isoformat"):
            found[row] = at.isoformat()[:10]
        elif str(at or "").strip():
            text = str(at).strip()
            found[row] = text[:10] if text[:10].replace("-", "").isdigit() else text
    return found


def _in_these_units(block: Block, inputs: Sequence[Sequence[Measured]]) -> bool:
    """Whether a block that is for its own units only meets them."""
    units = [unit for _, unit in block["inputs"]]
    return not block["only_these_units"] or all(
        one.quantity.unit == unit for results, unit in zip(inputs, units, strict=True) for one in results
    )


def unusable(catalog: Catalog, inputs: Sequence[Sequence[Measured]], days: Days) -> str:
    """Why results cannot be put into a function; an empty text where they can."""
    for results in inputs:
        name = catalog.table["analytes"][results[0].analyte]["name"]
        if len(results) > 1:
            return f"this draw has more than one result for {name}"
        if results[0].quantity.comparator or results[0].high is not None:
            return f"the result for {name} is not one plain number"
    known = {days[row] for results in inputs for one in results for row in one.rows if days.get(row) is not None}
    return "the samples are of different days" if len(known) > 1 else ""


def computed(catalog: Catalog, analyte: str, block: Block, inputs: Sequence[Measured], person: Person) -> Measured | str:
    """One quantity from usable inputs; where it cannot be, why, without a full stop.

    Args:
        catalog: The data.
        analyte: What is computed.
        block: How.
        inputs: In the order of the block.
        person: The facts functions may ask for.
    """
    value = unrounded(catalog, block, inputs, person)
    if isinstance(value, str):
        return value
    shown = Decimal(repr(value)).quantize(Decimal(1).scaleb(-block["decimals"]), ROUND_HALF_UP)
    rows = tuple(dict.fromkeys(row for one in inputs for row in one.rows))
    quantity, name = Quantity(shown, block["unit"]), str(catalog.table["analytes"][analyte]["name"])
    found = weigh(catalog, analyte, quantity, AsPrinted(rows[0], name, str(quantity.number), block["unit"]), LabResult(name))
    if isinstance(found, NotAssessed):
        return f"the results do not go together, they would give {quantity}"
    return found._replace(computed_from=rows)


def unrounded(catalog: Catalog, block: Block, inputs: Sequence[Measured], person: Person) -> float | str:
    """The value of a block's function, in the block's unit; where it cannot be, why, without a full stop.

    Args:
        catalog: The data.
        block: How.
        inputs: In the order of the block.
        person: The facts functions may ask for.
    """
    function = FUNCTIONS[block["function"]]
    for one in inputs:
        span = block["within"].get(one.analyte)
        if span is not None and holds(catalog, one, span) is not True:
            name = catalog.table["analytes"][one.analyte]["name"]
            return f"{name} of {one.quantity} is outside the values for which it may be ({_stretch(span)})"
    numbers = {one.analyte: one.number * factor_to(catalog, one, unit) for one, (_, unit) in zip(inputs, block["inputs"], strict=True)}
    try:
        value = function.compute(**numbers, **{fact: getattr(person, fact) for fact in function.person})
    except (InputError, OverflowError) as error:
        return str(error)
    return value if isfinite(value) else "the results do not go together"


def factor_to(catalog: Catalog, one: Measured, unit: str) -> float:
    """How many of the unit that a function takes are one of the reported unit, rounded once."""
    key = ("input", one.analyte, one.quantity.unit, unit)
    found: float | None = catalog.memo.get(key)
    if found is None:
        exact = catalog.factor(one.analyte, one.quantity.unit, unit)
        found = catalog.remember(key, float("nan") if exact is None else float(exact))
    return found


def _stretch(span: Mapping[str, str]) -> str:
    words = {"at_least": "at least", "above": "above", "at_most": "at most", "below": "below"}
    return f"{' and '.join(f'{text} {span[word]}' for word, text in words.items() if word in span)} {span['unit']}"


# --- the answers ----------------------------------------------------------------------------------------------


def assessed(book: Book, made: Computed, all_measured: Iterable[Measured]) -> Iterator[tuple[int, Finding | NotAssessed]]:
    """The answer for each computed quantity, under its own row number; a finding's row is that of its first input.

    Args:
        book: The rules for the person.
        made: From `compute`.
        all_measured: Everything that was read.
    """
    results = {one.analyte: one for one in (*all_measured, *made.measured)}
    for one in made.measured:
        answer, block = assess_measured(book, one), made.blocks[one.row]
        if isinstance(answer, Finding):
            inputs = tuple(Input(name, results[name].rows, results[name].quantity) for name, _ in block["inputs"])
            cite = tuple(book.catalog.written_out(block["cite"]))
            derivation = Derivation(block["id"], block["function"], one.rows, inputs, block["note"], cite)
            answer = answer._replace(row=one.rows[0], derived_from=derivation)
        yield one.row, answer
