"""One reported result -> a quantity of an analyte, or the reason why it cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._identify import Identified, Refused, identify
from labinterp._inputs import LabResult
from labinterp._quantity import Quantity, Unreadable, read_value
from labinterp._reported import Reported, beside_refusal, merge, read_reported
from labinterp._results import NotAssessed
from labinterp._rules import FAMILY, span_ends
from labinterp._units import from_pint

if TYPE_CHECKING:
    from labinterp._catalog import Catalog


class Measured(NamedTuple):
    """A result that was understood: ready to be compared. A quantity that was computed has the rows it was computed from."""

    row: int
    analyte: str
    source_name: str
    value_text: str
    unit_text: str
    quantity: Quantity
    number: float
    high: float | None
    reported: Reported | None
    notes: tuple[str, ...]
    computed_from: tuple[int, ...] = ()

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows of the input it rests on."""
        return self.computed_from or (self.row,)


class Believed(NamedTuple):
    """Numbers believed in one unit of one analyte: outside `low`..`high` the unit is doubted, outside the ordinary it is noted."""

    low: float
    high: float
    ordinary_low: float
    ordinary_high: float


def measure(catalog: Catalog, result: LabResult, row: int, decimal: str | None = None) -> Measured | NotAssessed:
    """Read one result.

    Args:
        catalog: Names, codes, units.
        result: As reported.
        row: Its number in the input, from 1.
        decimal: The decimal mark of the source, if known.

    Returns:
        Measured: analyte, quantity in its reported unit, the laboratory's own range.
        NotAssessed: with a reason of the closed list.
    """
    value, unit = result.value, _text(result.unit)
    if type(value) is not str:
        pint_value = from_pint(value)
        if pint_value is not None:
            value, stated = pint_value[0], unit
            unit, decimal = pint_value[1], "."
            if stated and catalog.units.read(stated) != catalog.units.read(unit):
                value = Unreadable("conflicting_code", "The quantity has one unit, the result says another.")
    name = _text(result.test) or ""
    value_text = value.text if isinstance(value, Unreadable) else "" if value is None else str(value)
    unit_text = unit or ""

    def refuse(reason: str, message: str, analyte: str | None = None) -> NotAssessed:
        printed = None
        if _has_printed(result):
            sign, said = _text(result.comparator) or "", (result.ref_low, result.ref_high, result.ref_text, result.flag)
            printed = beside_refusal(value, unit_text.strip(), sign, *said, catalog.units, decimal)
        return NotAssessed(row, analyte, str(name), value_text, unit_text, reason, message, reported=printed)

    found = identify(catalog, name, _text(result.loinc), _text(result.specimen))
    if isinstance(found, Refused):
        return refuse(found.reason, found.message, found.analyte)
    analyte = found.analyte
    read = read_value(value, decimal)
    if isinstance(read, Unreadable):
        return refuse(read.reason, read.message, analyte)
    if result.comparator:
        merged = merge(read, _text(result.comparator) or "")
        if merged is None:
            return refuse("unreadable_value", "The comparator column and the value do not agree, or the comparator is not known.", analyte)
        read = merged
    code = unit_of(catalog, found, unit, read.rest)
    if isinstance(code, tuple):
        return refuse(*code, analyte)
    names = AsPrinted(row, str(name), value_text, unit_text)
    return weigh(catalog, analyte, Quantity(read.value, code, read.comparator, read.high), names, result, read.flag, found.notes, decimal)


class AsPrinted(NamedTuple):
    """The texts of a result, carried through: its row, the test, value and unit as printed."""

    row: int
    source_name: str = ""
    value_text: str = ""
    unit_text: str = ""


def weigh(
    catalog: Catalog,
    analyte: str,
    quantity: Quantity,
    names: AsPrinted,
    result: LabResult,
    flag: str = "",
    notes: tuple[str, ...] = (),
    decimal: str | None = None,
) -> Measured | NotAssessed:
    """Whether a quantity of an analyte is believed, and what the laboratory printed beside it.

    Args:
        catalog: The data.
        analyte: Id.
        quantity: As read, in a unit of the analyte.
        names: The texts it was read from.
        result: For the laboratory's range and flag.
        flag: A flag printed with the value.
        notes: What identifying it gave.
        decimal: The decimal mark of the source.
    """
    entry, code = catalog.table["analytes"][analyte], quantity.unit
    number = float(quantity.value)
    if number in (0.0, inf, -inf) and quantity.value != number:  # smaller or larger than any number a laboratory prints
        message = "The number is too small or too large to be a laboratory value: check the decimal mark."
        return NotAssessed(
            names.row, analyte, *names[1:], "implausible", message, reported=_printed(catalog, quantity, result, flag, decimal)
        )
    high = None if quantity.high is None else float(quantity.high)
    doubt = _doubt(catalog, entry, code, number, quantity.comparator, high)
    if doubt is not None:
        if doubt[0]:
            printed = _printed(catalog, quantity, result, flag, decimal)
            return NotAssessed(names.row, analyte, *names[1:], "implausible", doubt[1], quantity, reported=printed)
        notes = (*notes, doubt[1])
    if code in entry["unit_caveats"]:
        notes = (*notes, entry["unit_caveats"][code])
    reported = _printed(catalog, quantity, result, flag, decimal)
    if reported is not None and not _fits(reported, believed(catalog, entry, code)):
        reported = reported.as_text()
        notes = (*notes, f"The laboratory's range does not fit the unit {code}; it was kept as text and not used.")
    return Measured(names.row, analyte, *names[1:], quantity, number, high, reported, notes)


def _printed(catalog: Catalog, quantity: Quantity, result: LabResult, flag: str, decimal: str | None) -> Reported | None:
    """The laboratory's range and flag, in the unit of the value."""
    if not (flag or _has_printed(result)):
        return None
    return read_reported(quantity, result.ref_low, result.ref_high, result.ref_text, result.flag or flag, catalog.units, decimal)


def _has_printed(result: LabResult) -> bool:
    return bool(result.ref_low is not None or result.ref_high is not None or result.ref_text or result.flag)


def _text(value: Any) -> str | None:
    """A text field that may hold anything a program put there: None and NaN are nothing, the rest is its text."""
    if value is None or type(value) is str:
        return value
    return None if value != value else str(value)


def _fits(reported: Reported, span: Believed) -> bool:
    """Whether a printed range can be in the unit of the value: "500 - 1500" is no range of MMA in umol/L."""
    ends = [float(end) for end in (reported.low, reported.high) if end is not None and end != 0]
    low_end = reported.low is None or float(reported.low) <= span.ordinary_high
    high_end = reported.high is None or float(reported.high) >= span.ordinary_low
    return low_end and high_end and all(span.low <= end <= span.high for end in ends)


# --- unit -------------------------------------------------------------------------------------------------


NO_UNIT = ("-", "--", "n/a", "N/A", "NA", "null", "None")  # marks that say there is none


def unit_of(catalog: Catalog, found: Identified, unit: str | None, rest: str) -> str | tuple[str, str]:
    """The UCUM code of a result, or (reason, message).

    Args:
        catalog: Whose units.
        found: What the result is of; its name or code may promise a unit.
        unit: The unit as printed.
        rest: The text behind the number.
    """
    entry, kind = catalog.table["analytes"][found.analyte], found.kind
    if found.unit and unit and catalog.units.read(unit) not in (found.unit, None):
        return "conflicting_code", f"The name is printed with the unit {found.unit}, the unit column says {unit}."
    unit = unit or found.unit
    units = catalog.units
    given = (unit or "").strip()
    code = units.read(given) if given else None
    accepted = ", ".join(entry["usual"])
    if rest:
        behind = units.read(rest)
        if behind is None and given:
            return "unreadable_value", "There is a text behind the number that is not its unit."
        if not given:
            given, code = rest, behind
        elif behind is not None and code is not None and behind != code:
            return "conflicting_code", f"The value is printed with the unit {behind}, the unit column says {code}."
    if not given or given in NO_UNIT:
        return "missing_unit", f"There is no unit, and the number does not tell it. Accepted here: {accepted}."
    if code is None:
        near = units.closest(given, entry["usual"])
        hint = f" Did you mean {near}?" if near else ""
        return "unknown_unit", f"The unit text is not known. Accepted here: {accepted}.{hint}"
    if code not in entry["factors"]:
        return _incompatible(catalog, entry, code, accepted)
    own = units.kinds[code]
    enzyme = kind == "activity" and own == "arbitrary"  # IU/L of an enzyme is U/L
    if kind is not None and not enzyme and FAMILY.get(kind, kind) != FAMILY.get(own, own):
        return "conflicting_code", f"The name or code promises a unit of {_kind(kind)}; {code} is {_kind(own)}."
    return code


def _incompatible(catalog: Catalog, entry: Mapping[str, Any], code: str, accepted: str) -> tuple[str, str]:
    kind = catalog.units.kinds[code]
    because = entry["refused"].get(kind) or catalog.units.refused.get(code)
    if not because:
        because = (
            "An equivalent needs a valence, and this analyte has none."
            if kind == "equivalent"
            else f"{code} is {_kind(kind)}; there is no exact way from it to {entry['si']} for this analyte."
        )
    return "incompatible_unit", f"{because} Accepted here: {accepted}."


def _kind(kind: str) -> str:
    return {
        "mass": "a mass concentration", "substance": "a substance concentration", "equivalent": "an equivalent concentration",
        "arbitrary": "an arbitrary unit", "gfr": "a filtration rate", "ratio": "a ratio", "count": "a cell count",
        "fraction": "a fraction", "volume": "a volume", "activity": "an enzyme activity",
    }[kind]  # fmt: skip


# --- plausibility: only ever "check the unit" ---------------------------------------------------------------


def believed(catalog: Catalog, entry: Mapping[str, Any], unit: str) -> Believed:
    """The numbers believed in a unit: a unit this analyte is seldom reported in is believed only where the number is ordinary."""
    key = ("believed", entry["id"], unit)
    found: Believed | None = catalog.memo.get(key)
    if found is None:
        compiled = entry["believed"].get(unit)
        if compiled is not None:
            found = Believed(*(end if end is not None else (-inf, inf)[n % 2] for n, end in enumerate(compiled)))
        else:
            ordinary = span_ends(entry["ordinary"], unit, entry["factors"])
            found = Believed(*ordinary, *ordinary)
        catalog.remember(key, found)
    return found


def _doubt(
    catalog: Catalog, entry: Mapping[str, Any], unit: str, number: float, comparator: str, high: float | None
) -> tuple[bool, str] | None:
    """(whether it is refused, sentence) for a number that does not fit its unit; None for an ordinary one."""
    span = catalog.memo.get(("believed", entry["id"], unit)) or believed(catalog, entry, unit)
    top = number if high is None else high
    if span.ordinary_low <= number and top <= span.ordinary_high:
        return None
    if comparator in ("<", "<="):  # the value lies below the number: only too large a number is odd
        refused, unusual = number <= 0 or number > span.high, number > span.ordinary_high
    elif comparator in (">", ">="):
        refused, unusual = number < span.low or number > span.high, number < span.ordinary_low
    else:
        refused, unusual = not (span.low <= number and top <= span.high), True
    if not refused and not unusual:
        return None
    hint = _ordinary_in(catalog, entry, unit, number)
    if refused:
        return True, f"Not believable in {unit}: check the unit and the decimal mark.{hint}"
    return False, f"An unusual number for this unit; it is worth checking the unit.{hint}"


def _ordinary_in(catalog: Catalog, entry: Mapping[str, Any], unit: str, number: float) -> str:
    """The unit in which the number would be ordinary, if there is exactly one (units of the same size count as one)."""
    fitting: dict[str, str] = {}
    for other in entry["usual"]:
        if entry["factors"][other] == entry["factors"][unit]:
            continue
        span = believed(catalog, entry, other)
        if span.ordinary_low <= number <= span.ordinary_high:
            fitting.setdefault(entry["factors"][other], other)
    return f" The number would be ordinary in {next(iter(fitting.values()))}." if len(fitting) == 1 else ""
