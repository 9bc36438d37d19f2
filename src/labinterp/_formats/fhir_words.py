"""Parts that the resources of FHIR share: texts, quantities, extensions, and JSON with exact numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from labinterp._formats.fhir_terms import UCUM
from labinterp._quantity import Quantity

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[\ud800-\udfff]")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:E[+-]?[0-9]+)?", re.IGNORECASE)
_CODE: Final = re.compile(r"[^\s]+(?:[\s][^\s]+)*")


def string(text: Any) -> str:
    """A text as FHIR takes it: no control characters, no blank ends.

    Example:
        >>> string(" 12\\0 ")
        '12\ufffd'
    """
    return _CONTROL.sub("\ufffd", str(text)).strip()


def is_code(text: str | None) -> bool:
    """Whether a text can stand as a code."""
    return bool(text) and len(text or "") <= 64 and _CODE.fullmatch(text or "") is not None and _CONTROL.search(text or "") is None


def number(value: Decimal | int | float | Fraction | None) -> Decimal | int | None:
    """An exact number of JSON: an integer where it is written as one; None for one that no decimal writes exactly.

    Example:
        >>> number(Decimal("18.0")), number(Fraction(1, 3)), number(Fraction(1, 4))
        (Decimal('18.0'), None, Decimal('0.25'))
    """
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, Fraction):
        rest = value.denominator
        for prime in (2, 5):
            while rest % prime == 0:
                rest //= prime
        if rest != 1 or value.denominator > 10**12:
            return None
        value = Decimal(value.numerator) / Decimal(value.denominator)
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not exact.is_finite() or _NUMBER.fullmatch(str(exact)) is None:
        return None
    return int(exact) if str(exact).lstrip("-").isdigit() and len(str(exact)) < 19 else exact


def amount(value: Any, unit: str, code: str | None, comparator: str = "") -> dict[str, Any]:
    """A Quantity.

    Args:
        value: The number.
        unit: As printed, or the code.
        code: Of UCUM; None where the unit is not known.
        comparator: "<", "<=", ">=", ">" or nothing.
    """
    made: dict[str, Any] = {"value": number(value)}
    if comparator:
        made["comparator"] = comparator
    if string(unit):
        made["unit"] = string(unit)
    if code and is_code(code):
        made |= {"system": UCUM, "code": code}
    return made


def value_of(quantity: Quantity, unit: str | None = None) -> dict[str, Any]:
    """`value[x]` of a quantity: valueQuantity, or valueRange for a range.

    Args:
        quantity: As read.
        unit: As printed.

    Example:
        >>> value_of(Quantity(Decimal("5.0"), "ug/L", "<"))["valueQuantity"]["comparator"]
        '<'
    """
    shown = unit or quantity.unit
    if quantity.high is not None:
        return {"valueRange": {end: amount(n, shown, quantity.unit) for end, n in (("low", quantity.value), ("high", quantity.high))}}
    return {"valueQuantity": amount(quantity.value, shown, quantity.unit, quantity.comparator)}


def extension(url: str, **value: Any) -> dict[str, Any]:
    """An Extension with one value, such as `valueString`."""
    return {"url": url, **value}


def concept(text: str | None, codings: Iterable[Mapping[str, Any] | None] = ()) -> dict[str, Any]:
    """A CodeableConcept; codings that are None are left out."""
    made: dict[str, Any] = {"coding": [dict(one) for one in codings if one is not None]}
    if not made["coding"]:
        del made["coding"]
    return {**made, **({"text": string(text)} if text and string(text) else {})}


def coding(system: str, code: str | None, display: str | None = None) -> dict[str, Any] | None:
    """A Coding; None where the code cannot stand as one."""
    if not is_code(code):
        return None
    return {"system": system, "code": code, **({"display": string(display)} if display and string(display) else {})}


def notes_of(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Notes, each once."""
    return [{"text": string(text)} for text in dict.fromkeys(texts) if string(text)]


def without_empty(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A resource without parts that hold nothing: FHIR has no empty lists or texts."""
    return {key: value for key, value in resource.items() if value is not None and value != [] and value != {} and value != ""}


def exact_json(value: Any, indent: str = "\n") -> str:
    """JSON text in which numbers keep their digits.

    Example:
        >>> exact_json({"value": Decimal("18.0")}, "")
        '{"value": 18.0}'
    """
    deeper = f"{indent}  " if indent else ""
    if isinstance(value, Mapping):
        inner = [f"{json.dumps(key)}: {exact_json(part, deeper)}" for key, part in value.items()]
        brackets = "{}"
    elif isinstance(value, (list, tuple)):
        inner = [exact_json(part, deeper) for part in value]
        brackets = "[]"
    else:
        return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
    if not inner:
        return brackets
    return f"{brackets[0]}{deeper}{(',' + deeper if deeper else ', ').join(inner)}{indent}{brackets[1]}"
