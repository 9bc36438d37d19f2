"""Where a computed quantity comes from: the function, what it took, and the rows of the input behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from labinterp._plain import plain_number
from labinterp._quantity import Quantity


class Input(NamedTuple):
    """A quantity that another was computed from: a result of one row, or itself computed from several."""

    analyte: str
    rows: tuple[int, ...]
    quantity: Quantity

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the published form."""
        return {"analyte": self.analyte, "rows": list(self.rows), "value": plain_number(self.quantity.value), "unit": self.quantity.unit}


class Derivation(NamedTuple):
    """How a quantity was computed.

    Attributes:
        id: Of the block in the data.
        function: Name of the function.
        rows: Every row of the input it rests on.
        inputs: What the function took, as reported.
        note: What belongs beside the value.
        cite: Where it comes from.
    """

    id: str
    function: str
    rows: tuple[int, ...]
    inputs: tuple[Input, ...]
    note: str
    cite: tuple[Mapping[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the published form."""
        return {
            "id": self.id,
            "function": self.function,
            "rows": list(self.rows),
            "inputs": [one.to_dict() for one in self.inputs],
            "note": self.note,
            "citations": [dict(cite) for cite in self.cite],
        }
