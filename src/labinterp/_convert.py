"""One quantity in another unit of its analyte."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

from labinterp._catalog import Catalog
from labinterp._quantity import Quantity, Unreadable, read_value
from labinterp._units import from_pint
from labinterp.errors import IncompatibleUnitError, InputError, UnknownUnitError

_DIGITS = Context(prec=28)


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
    return _converted(catalog or Catalog.default(), value, unit, analyte, decimal)


def _converted(catalog: Catalog, value: Any, unit: str, analyte: str, decimal: str | None) -> Quantity:
    id = catalog.analyte_id(analyte)
    entry = catalog.table["analytes"][id]
    quantity = value if isinstance(value, Quantity) else _read(catalog, value, entry, decimal)
    source, target = (_unit(catalog, text, entry) for text in (quantity.unit, unit))
    factor = catalog.factor(id, source, target)
    if factor is None:
        wrong = source if source not in entry["factors"] else target
        kind = catalog.units.kinds[wrong]
        because = entry["refused"].get(kind) or catalog.units.refused.get(wrong) or f"there is no exact way from {source} to {target}"
        raise IncompatibleUnitError(id, wrong, because, entry["usual"])
    moved = _times(quantity.value, factor)
    return Quantity(moved, target, quantity.comparator, None if quantity.high is None else _times(quantity.high, factor))


def _read(catalog: Catalog, value: Any, entry: Any, decimal: str | None) -> Quantity:
    pint_value = from_pint(value)
    if pint_value is not None:
        number, unit = pint_value
        read = read_value(number, ".")
    else:
        read, unit = read_value(value, decimal), ""
    if isinstance(read, Unreadable):
        raise InputError(f"no value could be read: {read.message}")
    unit = unit or read.rest
    if not unit:
        raise InputError(f'the value has no unit; write it as "20 {entry["usual"][0]}"')
    return Quantity(read.value, unit, read.comparator, read.high)


def _unit(catalog: Catalog, text: str, entry: Any) -> str:
    code = catalog.units.read(text)
    if code is None:
        raise UnknownUnitError(entry["id"], text, entry["usual"], catalog.units.closest(text, entry["usual"]))
    return code


def _times(value: Decimal, factor: Fraction) -> Decimal:
    exact = Fraction(value) * factor
    number = _DIGITS.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    return number if number != number.to_integral_value() else Decimal(int(number))
