"""A unit that the panel itself betrays: results that do not go together as printed, and would if one were in another usual unit.

Where a derived quantity was measured beside its inputs (a saturation beside iron and its binding capacity), it is computed from them and
compared. What a laboratory computed from the same tube agrees to a rounding; a wrong unit is off by a factor. A result whose unit is
doubted so is not assessed. No number is ever corrected.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from labinterp._computed import Block, Days, Person, factor_to, unrounded, unusable
from labinterp._measure import Measured, believed
from labinterp._quantity import Quantity
from labinterp._results import NotAssessed

if TYPE_CHECKING:
    from labinterp._catalog import Catalog

EXACT = 1e-9  # room for the last bits of floats on the tolerance itself


class Betrayal(NamedTuple):
    """What a panel says against its own units.

    Attributes:
        refused: By row, why a result is not assessed.
        notes: What a reader of the report should know.
        considered: Whether there was anything to compare; then the numbers themselves decided, not the stretches they lie in.
    """

    refused: dict[int, NotAssessed]
    notes: list[str]
    considered: bool


class Check(NamedTuple):
    """One block of the data on one draw: the inputs, and the measured quantity where there is one."""

    block: Block
    analyte: str
    inputs: tuple[Measured, ...]
    measured: Measured | None

    @property
    def all(self) -> tuple[Measured, ...]:
        """Everything it looks at."""
        return self.inputs if self.measured is None else (*self.inputs, self.measured)

    def with_unit(self, of: Measured, unit: str) -> Check:
        """The same, with one result read in another unit."""

        def read(one: Measured) -> Measured:
            return one._replace(quantity=one.quantity._replace(unit=unit)) if one.row == of.row else one

        return self._replace(inputs=tuple(map(read, self.inputs)), measured=self.measured and read(self.measured))


class Change(NamedTuple):
    """One result in another unit, and which checks it mends."""

    result: Measured
    unit: str
    mends: tuple[int, ...]
    left: int


def betrayed(catalog: Catalog, measured: Iterable[Measured], person: Person, days: Days) -> Betrayal:
    """What results of one draw say against each other's units.

    Args:
        catalog: The data.
        measured: What could be read.
        person: The facts functions may ask for.
        days: The days of sampling, where they are known.

    Returns:
        Betrayal: every result whose unit alone would explain the contradiction is refused; where no unit explains one that is far
            beyond any tolerance, there is a note and all results are kept.
    """
    checks = _checks(catalog, measured, days)
    apart = [how_far(catalog, check, person) for check in checks]
    failing = [n for n, check in enumerate(checks) if beyond(check.block, apart[n])]
    found = Betrayal({}, [], bool(checks))
    if not failing:
        return found
    changes = _changes(catalog, checks, failing, person)
    for n in failing:
        mending = [change for change in changes if n in change.mends]
        if mending:
            said = f"{_together(catalog, checks[n], person)}; they would if {_or(catalog, mending)}."
            found.notes.append(f"The panel contradicts a unit, and what may be wrong was not used: {said}")
            for result in (change.result for change in mending):
                message = f"The panel contradicts this unit: {said} Check the unit."
                found.refused.setdefault(result.row, _refusal(result, message))
        elif checks[n].measured is not None and _is_far(checks[n].block, apart[n]) and not found.refused:
            found.notes.append(f"{_together(catalog, checks[n], person)}, and no unit explains it; all were kept. Check them.")
    return found


def _checks(catalog: Catalog, measured: Iterable[Measured], days: Days) -> list[Check]:
    """The blocks of the data that this draw lets one check; one plain number each, of one day as far as days are known."""
    by_analyte: dict[str, list[Measured]] = {}
    for one in measured:
        by_analyte.setdefault(one.analyte, []).append(one)
    checks = []
    for derive in catalog.table["derive"]:
        own = by_analyte.get(derive["analyte"])
        for block in derive["blocks"]:
            if block["measured"] is None or (own is None and block["measured"]["at_most"] is None):
                continue
            inputs = [by_analyte.get(name) or [] for name, _ in block["inputs"]]
            if all(inputs) and not unusable(catalog, [*inputs, *([own] if own else [])], days):
                checks.append(Check(block, derive["analyte"], tuple(one[0] for one in inputs), own[0] if own else None))
    return checks


# --- how far apart ------------------------------------------------------------------------------------------------


def how_far(catalog: Catalog, check: Check, person: Person) -> float | None:
    """By how many percent the measured quantity and the computed one are apart, the smaller being 100; None where it cannot be told.

    Where the quantity was not measured: by how many percent the computed one is above what can be.

    Args:
        catalog: The data.
        check: The results.
        person: The facts functions may ask for.
    """
    rule, value = check.block["measured"], unrounded(catalog, check.block, check.inputs, person)
    if isinstance(value, str) or value <= 0:
        return None
    if check.measured is None:
        return max(0.0, 100 * (value / float(rule["at_most"]) - 1))
    number = check.measured.number * factor_to(catalog, check.measured, check.block["unit"])
    if not (isfinite(number) and number > 0):
        return None
    return max(0.0, 100 * (abs(number - value) - float(rule["rounding"])) / min(number, value))


def beyond(block: Block, apart: float | None) -> bool:
    """Whether results do not go together."""
    return apart is not None and apart > block["measured"]["agree_percent"] + EXACT


def _is_far(block: Block, apart: float | None) -> bool:
    return apart is not None and apart > block["measured"]["far_percent"] + EXACT


# --- which unit would explain it ------------------------------------------------------------------------------------


def _changes(catalog: Catalog, checks: Sequence[Check], failing: Sequence[int], person: Person) -> list[Change]:
    """Every change of one unit that mends a contradiction and makes none; of these, those that leave the fewest.

    The number must be an ordinary one in the other unit. Where there is no such unit, one in which it is believed at all will do.
    """
    results = list(dict.fromkeys(one for n in failing for one in checks[n].all))
    for ordinary in (True, False):
        found = [
            change
            for result in results
            for unit in _other_units(catalog, result, ordinary)
            if (change := _change(catalog, checks, failing, result, unit, person)) is not None
        ]
        if found:
            least = min(change.left for change in found)
            return [change for change in found if change.left == least]
    return []


def _change(
    catalog: Catalog, checks: Sequence[Check], failing: Sequence[int], result: Measured, unit: str, person: Person
) -> Change | None:
    changed = [check.with_unit(result, unit) for check in checks]
    apart = [how_far(catalog, check, person) for check in changed]
    # a check that cannot be told with the new unit is not mended by it
    still = {n for n, check in enumerate(changed) if beyond(check.block, apart[n]) or (n in failing and apart[n] is None)}
    # without a measured quantity the number must be unusual in its unit, too: more iron than can be bound does occur
    odd = not _lies(catalog, result, result.quantity.unit, ordinary=True)
    mends = tuple(n for n in failing if n not in still and (odd or checks[n].measured is not None))
    return Change(result, unit, mends, len(still)) if mends and still <= set(failing) else None


def _other_units(catalog: Catalog, one: Measured, ordinary: bool) -> list[str]:
    """Units of another size in which an analyte is usually reported, and the number is ordinary or at least believed."""
    entry = catalog.table["analytes"][one.analyte]
    factors, own = entry["factors"], entry["factors"][one.quantity.unit]
    return [unit for unit in entry["usual"] if factors[unit] != own and _lies(catalog, one, unit, ordinary)]


def _lies(catalog: Catalog, one: Measured, unit: str, ordinary: bool) -> bool:
    span = believed(catalog, catalog.table["analytes"][one.analyte], unit)
    low, high = (span.ordinary_low, span.ordinary_high) if ordinary else (span.low, span.high)
    return low <= one.number <= high


# --- words ----------------------------------------------------------------------------------------------------------


def _refusal(one: Measured, message: str) -> NotAssessed:
    return NotAssessed(
        one.row, one.analyte, one.source_name, one.value_text, one.unit_text, "implausible", message, one.quantity, reported=one.reported
    )


def _together(catalog: Catalog, check: Check, person: Person) -> str:
    """What does not go together, as printed, and what the inputs would give."""
    names = catalog.table["analytes"]
    listed = [f"{names[one.analyte]['name']} {_plain(one.quantity)}" for one in check.all]
    value = unrounded(catalog, check.block, check.inputs, person)
    shown = f"{value:.3g} {check.block['unit']}" if isinstance(value, float) else "nothing"
    derived = names[check.analyte]["name"]
    return f"{', '.join(listed[:-1])} and {listed[-1]} do not go together (computed: {derived} {shown})"


def _plain(quantity: Quantity) -> str:
    return f"{quantity.value.normalize():f} {quantity.unit}"


def _or(catalog: Catalog, changes: Sequence[Change]) -> str:
    """ "Iron were in ug/dL", or several of that kind."""
    names = catalog.table["analytes"]
    units: dict[str, list[str]] = {}
    for change in changes:
        units.setdefault(names[change.result.analyte]["name"], []).append(change.unit)
    return ", or ".join(f"{name} were in {' or '.join(listed)}" for name, listed in units.items())
