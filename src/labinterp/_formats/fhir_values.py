"""An Observation or one of its components -> value, unit and comparator, or the reason why it has none that can be used."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from labinterp._catalog import Catalog
from labinterp._codes import REASONS
from labinterp._formats.fhir_concepts import worded
from labinterp._formats.fhir_json import TWICE, dict_of, dicts_of, text_of
from labinterp._formats.fhir_remarks import MODIFIED
from labinterp._formats.fhir_terms import REASON, REASON_TEXT, UNIT_TEXT, VALUE_TEXT
from labinterp._quantity import ReadValue, Unreadable

_UCUM: Final = ("unitsofmeasure.org", "2.16.840.1.113883.6.8")
_PURE: Final = {"1", "{ratio}"}  # what stands in braces is a comment to the unit 1
_NO_NUMBER: Final = {
    "valueCodeableConcept": "a coded answer", "valueBoolean": "yes or no", "valueRatio": "a ratio of two quantities",
    "valueSampledData": "a series of samples", "valueTime": "a time", "valueDateTime": "a date", "valuePeriod": "a period of time",
    "valueAttachment": "a document", "valueReference": "a reference to another resource",
}  # fmt: skip
_WITHDRAWN: Final = {
    "entered-in-error": "The result was withdrawn: its status is entered-in-error.",
    "cancelled": "The test was cancelled: there is no result.",
}
# Refusals for want of a fact of the person or of a limit, and of tests that the catalog does not know: their values are as good as any, and are read
# like any, with the laboratory's range beside them. The person may be known by then, and the test by a later catalog.
_READ_ANEW: Final = (
    "unknown_analyte",
    "sex_unknown",
    "age_unknown",
    "pregnancy_unknown",
    "no_limit_for_population",
    "authority_gives_no_limit",
)
NOT_READY: Final = "The result is not there yet: its status is registered."


class Valued(NamedTuple):
    """What stands for `LabResult.value`, `.unit` and `.comparator`."""

    value: Any
    unit: str | None = None
    comparator: str | None = None


def valued(node: Mapping[str, Any], status: str, catalog: Catalog) -> Valued:
    """The value of an Observation or a component.

    Args:
        node: The object.
        status: Of the Observation.
        catalog: To read units.

    Returns:
        Valued: with an `Unreadable` where there is no value that can be used, its text kept.

    Example:
        >>> valued({"valueQuantity": {"value": Decimal("18.0"), "unit": "ng/mL"}}, "final", Catalog.default())
        Valued(value=Decimal('18.0'), unit='ng/mL', comparator=None)
    """
    keys = [key for key in node if key.startswith("value") and node[key] is not None]
    if TWICE in node or len(keys) > 1:
        return Valued(Unreadable("unreadable_value", "There is more than one value, and which one counts is not said.", _shown(node, keys)))
    found = _of_key(node, keys[0], catalog) if keys else None
    absent = _absent(node)
    refused = _own(node, REASON)
    if refused in REASONS and refused not in _READ_ANEW:  # an answer of this library stays what it was
        kept = Unreadable(refused or "", _own(node, REASON_TEXT) or "", _own(node, VALUE_TEXT) or _shown(node, keys, unit=False))
        return Valued(kept, (found.unit if found else None) or _own(node, UNIT_TEXT))
    shown = _shown(node, keys, unit=found is None or found.unit is None)
    if status in _WITHDRAWN:
        return Valued(Unreadable("unreadable_value", _WITHDRAWN[status], shown), found.unit if found else None)
    if dicts_of(node.get("modifierExtension")):
        return Valued(Unreadable("unreadable_value", MODIFIED, shown), found.unit if found else None)
    if absent is not None:
        if found is not None and not isinstance(found.value, Unreadable):
            message = f"It has a value and a reason why it has none, so neither was used. {absent.message}"
            return Valued(Unreadable(absent.reason, message, shown), found.unit)
        return Valued(absent._replace(text=absent.text or shown), found.unit if found else None)
    if found is not None:
        return found
    return Valued(Unreadable("unreadable_value", NOT_READY if status == "registered" else "There is no value."))


def _of_key(node: Mapping[str, Any], key: str, catalog: Catalog) -> Valued:
    value = node[key]
    if key == "valueQuantity" and not isinstance(value, dict):
        return Valued(Unreadable("unreadable_value", "The value is not written as a quantity.", _shown(node, [key])))
    if key == "valueQuantity":
        return _quantity(dict_of(value), catalog)
    if key in ("valueString", "valueInteger", "valueDecimal", "valueInteger64") and isinstance(value, (str, int, Decimal)):
        return Valued(value, _own(node, UNIT_TEXT))
    if key == "valueRange":
        return _range(dict_of(value), catalog)
    said = _NO_NUMBER.get(key, "of a kind that is not known here")
    return Valued(Unreadable("unreadable_value", f"The value is {said}, and no quantity.", _shown(node, [key])))


def _quantity(quantity: Mapping[str, Any], catalog: Catalog) -> Valued:
    value, unit = quantity.get("value"), unit_of(quantity, catalog)
    comparator = text_of(quantity.get("comparator")) or None
    if TWICE in quantity:
        return Valued(Unreadable("unreadable_value", "A part of the quantity stands twice, and which one counts is not said."))
    if isinstance(unit, Unreadable):
        return Valued(unit._replace(text=f"{comparator or ''}{_number(value)} {unit.text}"))
    if value is None:
        return Valued(Unreadable("unreadable_value", "The value is empty."), unit)
    if isinstance(value, (dict, list)):
        return Valued(Unreadable("unreadable_value", "The value is not written as a number."), unit)
    return Valued(value, unit, comparator)


def unit_of(quantity: Mapping[str, Any], catalog: Catalog) -> str | Unreadable | None:
    """The unit of a Quantity: its UCUM code, its text where there is no code, and neither where the two contradict each other.

    Args:
        quantity: As it stands.
        catalog: To read units.

    Returns:
        A text for `LabResult.unit`; None where there is none; Unreadable (`conflicting_code`) where code and text are different units.

    Example:
        >>> unit_of({"unit": "mg/dL", "code": "mmol/L", "system": "http://unitsofmeasure.org"}, Catalog.default()).reason
        'conflicting_code'
    """
    code, text, system = (text_of(quantity.get(name)) for name in ("code", "unit", "system"))
    if not code or not text or code == text:
        return code or text or None
    said, coded = catalog.units.read(text), catalog.units.read(code)
    ucum = any(part in system for part in _UCUM)
    if system and not ucum and said is not None:  # a code of another system
        return text
    if said is None or coded is None or said == coded or {said, coded} <= _PURE or _same_size(catalog, said, coded):
        return code if coded is not None or ucum or said is None else text
    return Unreadable("conflicting_code", f"The unit is written as {said} and coded as {coded}.", f"{text} [{code}]")


def _same_size(catalog: Catalog, one: str, other: str) -> bool:
    """Whether two units are the same amount for every analyte that has both: ng/mL and ug/L."""
    key = ("same size", one, other)
    if key not in catalog.memo:
        both = [a["factors"] for a in catalog.table["analytes"].values() if one in a["factors"] and other in a["factors"]]
        catalog.remember(key, bool(both) and all(factors[one] == factors[other] for factors in both))
    return bool(catalog.memo[key])


def same_unit(one: Mapping[str, Any], other: Mapping[str, Any], catalog: Catalog) -> bool:
    """Whether two Quantities are in one unit; one without a unit is in that of the other."""
    if one.get("code") == other.get("code") and one.get("unit") == other.get("unit") and one.get("system") == other.get("system"):
        return not isinstance(unit_of(one, catalog), Unreadable)
    first, second = unit_of(one, catalog), unit_of(other, catalog)
    if isinstance(first, Unreadable) or isinstance(second, Unreadable):
        return False
    if first is None or first == second:
        return True
    if second is None:
        return False
    read = catalog.units.read(first), catalog.units.read(second)
    return read[0] is not None and read[1] is not None and (read[0] == read[1] or _same_size(catalog, read[0], read[1]))


def _range(value: Mapping[str, Any], catalog: Catalog) -> Valued:
    ends = [dict_of(value.get(name)) for name in ("low", "high")]
    shown = f"{_number(ends[0].get('value'))}~{_number(ends[1].get('value'))}"
    units = [unit_of(end, catalog) for end in ends if end]
    unit = next((one for one in units if one is not None), None)
    if isinstance(unit, Unreadable) or (
        all(ends) and not same_unit(ends[0], ends[1], catalog) and not same_unit(ends[1], ends[0], catalog)
    ):
        return Valued(Unreadable("conflicting_code", "The ends of the range are not in one unit.", shown))
    low, high = (end.get("value") for end in ends)
    numbers = [end for end in (low, high) if isinstance(end, (int, Decimal)) and not isinstance(end, bool)]
    if len(numbers) != sum(end is not None for end in (low, high)) or not numbers or any("comparator" in end for end in ends):
        return Valued(Unreadable("unreadable_value", "The range has no plain ends.", shown), unit)
    if len(numbers) == 1:
        return Valued(numbers[0], unit, ">=" if high is None else "<=")
    if not numbers[0] < numbers[1]:
        return Valued(Unreadable("unreadable_value", "The first end of the range is not the smaller one.", shown), unit)
    return Valued(ReadValue(Decimal(numbers[0]), "~", Decimal(numbers[1])), unit)


def _absent(node: Mapping[str, Any]) -> Unreadable | None:
    """Why there is no value, as the file says."""
    concept = node.get("dataAbsentReason")
    reason = worded(concept)
    values = [dict_of(node[key]) for key in node if key.startswith(("_value", "value"))]  # XML has no mark for the former
    hidden = [e for one in values for part in (one, dict_of(one.get("_value"))) for e in dicts_of(part.get("extension"))]
    reason = reason or next((text_of(e.get("valueCode")) for e in hidden if text_of(e.get("url")).endswith("data-absent-reason")), "")
    if not reason and not dict_of(concept):
        return None
    return Unreadable("unreadable_value", f"There is no value; the reason given is: {reason[:80] or 'none in words'}.")


def _own(node: Mapping[str, Any], url: str) -> str | None:
    for extension in dicts_of(node.get("extension")):
        if extension.get("url") == url:
            return next((text_of(value) for key, value in extension.items() if key.startswith("value")), None)
    return None


def _number(value: Any) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def _shown(node: Mapping[str, Any], keys: list[str], *, unit: bool = True) -> str:
    """A value that is not used, as text: nothing of it is lost."""
    texts = []
    for key in keys:
        value = node[key]
        if isinstance(value, dict):
            part = dict_of(value.get("numerator")), dict_of(value.get("denominator"))
            if part[0] or part[1]:
                texts.append(f"{_shown_quantity(part[0])}:{_shown_quantity(part[1])}")
            elif dict_of(value.get("low")) or dict_of(value.get("high")):
                texts.append(f"{_shown_quantity(dict_of(value.get('low')))}~{_shown_quantity(dict_of(value.get('high')))}")
            else:
                texts.append(
                    _shown_quantity(value, unit=unit) or worded(value) or text_of(value.get("data")) or text_of(value.get("start"))
                )
        else:
            texts.append("" if isinstance(value, list) else str(value))
    return "; ".join(text for text in texts if text)


def _shown_quantity(quantity: Mapping[str, Any], *, unit: bool = True) -> str:
    shown = text_of(quantity.get("unit")) or text_of(quantity.get("code")) if unit and "value" in quantity else ""
    return f"{text_of(quantity.get('comparator'))}{_number(quantity.get('value'))} {shown}".strip()
