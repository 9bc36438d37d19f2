"""Whether a value lies in a span of the data: a critical value, an alert, a gate."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from labinterp._measure import Measured
from labinterp._rules import beside, edge_floats, line_in, place

if TYPE_CHECKING:
    from fractions import Fraction

    from labinterp._catalog import Catalog


def holds(catalog: Catalog, measured: Measured, span: Mapping[str, Any]) -> bool | None:
    """Whether a value lies in a span of the data (critical value, alert, gate); None when it may or may not.

    Args:
        catalog: For the units.
        measured: The value.
        span: `unit` and one or two of below, at_most, at_least, above; `also_in` with printed pairs.
    """
    edges = span_edges(catalog, measured.analyte, span, measured.quantity.unit)
    number = measured.number
    if len(measured.quantity.value.as_tuple().digits) > 15:
        number = beside(measured.quantity.value, _exact_ends(catalog, measured.analyte, span, measured.quantity.unit))
    low, high = place(edges[0], number, measured.quantity.comparator, measured.high)
    inside = edges[1]
    if low == high:
        return low == inside
    return None if low <= inside <= high else False


def _exact_ends(catalog: Catalog, analyte: str, span: Mapping[str, Any], unit: str) -> list[Fraction]:
    data = {"unit": span["unit"], "also_in": span.get("also_in", {})}
    factors = catalog.table["analytes"][analyte]["factors"]
    ends = [span[word] for word in ("at_least", "above", "below", "at_most") if word in span]
    return [line_in(data, Decimal(end), unit, factors, catalog.units.kinds) for end in ends]


def span_edges(catalog: Catalog, analyte: str, span: Mapping[str, Any], unit: str) -> tuple[list[float], int]:
    """The edges of a span in a unit, and which of the stretches between them is the span."""
    key = ("span", analyte, unit, id(span))
    found: tuple[list[float], int] | None = catalog.memo.get(key)
    if found is None:
        lower = next((w for w in ("at_least", "above") if w in span), None)
        upper = next((w for w in ("below", "at_most") if w in span), None)
        # above an upper end lies the next stretch: "below x" ends where "at_least x" begins, "at_most x" where "above x" does
        lines = ([[span[lower], lower]] if lower else []) + ([[span[upper], "at_least" if upper == "below" else "above"]] if upper else [])
        data = {"unit": span["unit"], "also_in": span.get("also_in", {})}
        factors = catalog.table["analytes"][analyte]["factors"]
        found = catalog.remember(key, (edge_floats(data, {"lines": lines}, unit, factors, catalog.units.kinds), 1 if lower else 0))
    return found
