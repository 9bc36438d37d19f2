"""The answer for one result: frozen, light, and able to say where every part of it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._analyte import without_tuple
from labinterp._inputs import Patient
from labinterp._origins import Derivation
from labinterp._plain import plain_number
from labinterp._quantity import Quantity
from labinterp._reported import Reported

if TYPE_CHECKING:
    from labinterp._catalog import Catalog
    from labinterp._rules import LimitSet


class Memo(dict[str, Any]):
    """What was derived from the rest: never part of what two findings have in common."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Memo)

    def __hash__(self) -> int:  # type: ignore[override]
        return 0


class Basis(NamedTuple):
    """What a finding rests on: enough to explain it later, at no cost now.

    `patient` holds the facts only, never a name or a birth date. `memo` keeps what was derived from the rest.
    """

    catalog: Catalog
    patient: Patient
    limit_set: LimitSet | None
    population: int | None
    as_of: str
    critical: Mapping[str, Any] | None
    possible: tuple[str, ...]
    memo: Memo


class Finding(NamedTuple):
    """The answer for one result.

    Attributes:
        row: Number of the result in its input, from 1.
        analyte: Id of the analyte.
        source_name: The test's name as printed.
        value_text: The value as printed.
        quantity: Value, UCUM unit and comparator, as reported.
        code: HL7 interpretation code.
        band: The band's key in its limit set; None where a censored value straddles lines.
        limits: Id of the limit set that spoke; "reported" for the laboratory's own range.
        kind: "decision_limit" or "reference_interval".
        authority: Whose limits; "laboratory" for the laboratory's own range.
        reported: The laboratory's own range and flag, where printed.
        notes: What a reader should know about this reading.
        basis: What the answer rests on.
        derived_from: How the quantity was computed from others of the draw; None for a measured one.
        source: Where the result stood, as its reader says: file, and row, segment or path within it.
    """

    row: int
    analyte: str
    source_name: str
    value_text: str
    quantity: Quantity
    code: str
    band: str | None
    limits: str
    kind: str
    authority: str
    reported: Reported | None
    notes: tuple[str, ...]
    basis: Basis
    derived_from: Derivation | None = None
    source: str | None = None

    @property
    def value(self) -> Decimal:
        """The reported number, exactly."""
        return self.quantity.value

    @property
    def unit(self) -> str:
        """UCUM code of the reported unit."""
        return self.quantity.unit

    @property
    def comparator(self) -> str:
        """ "", "<", "<=", ">", ">=" or "~"."""
        return self.quantity.comparator

    @property
    def name(self) -> str:
        """The analyte's full name."""
        return str(self.basis.catalog.table["analytes"][self.analyte]["name"])

    @property
    def si(self) -> tuple[float, str]:
        """The number in the analyte's SI unit, and that unit. For display only; nothing is decided with it."""
        memo = self.basis.memo
        found = memo.get("si")
        if found is None:
            found = memo["si"] = self.basis.catalog.si_factor(self.analyte, self.quantity.unit)
        factor, unit = found
        number = float(self.quantity.value)
        return (number if factor is None else number * factor, unit)

    @property
    def label(self) -> str:
        """The band's name in words."""
        basis = self.basis
        if self.band is None:
            return "cannot be told: the value may lie in more than one band"
        if basis.limit_set is None or basis.population is None or self.limits == "reported":
            words = {"L": "below the laboratory's range", "N": "within the laboratory's range", "H": "above the laboratory's range"}
            return words.get(self.code, self.band.replace("_", " "))
        return next(band.label for band in basis.limit_set.bands(basis.population) if band.key == self.band)

    @property
    def near_limit(self) -> bool:
        """Whether the value lies within half of its last printed digit of a line of its limit set."""
        lines = self.lines()
        if not lines or self.quantity.comparator == "~":
            return False
        number = float(self.quantity.value)
        half = reach(-int(self.quantity.value.as_tuple()[2]))
        return any(-half <= number - line <= half for line in lines)

    def lines(self) -> list[float]:
        """The lines of the limit set that answered, in the reported unit."""
        basis = self.basis
        if basis.limit_set is None or basis.population is None:
            return []
        return list(basis.limit_set.lines_in(basis.population, self.unit))

    @property
    def citations(self) -> list[dict[str, Any]]:
        """Where the limits are printed, and how that was checked."""
        basis = self.basis
        if basis.limit_set is None:
            return []
        cites = basis.catalog.citations(basis.limit_set.id) if self.limits != "reported" else []
        for shift in basis.limit_set.moved_by if self.limits != "reported" else ():
            cites = cites + basis.catalog.written_out(shift["cite"])
        if basis.critical is not None:
            cites = cites + basis.catalog.written_out(basis.critical["cite"])
        return cites

    @property
    def caveats(self) -> list[dict[str, Any]]:
        """What can move this number without the body having changed, and what moved the lines it was compared with."""
        entry = self.basis.catalog.table["analytes"][self.analyte]
        moved = [{"id": id, "text": text, "citations": cites} for id, text, cites in self.moves()]
        return moved + [
            {"id": c["id"], "text": c["text"], "citations": self.basis.catalog.written_out(c["cite"])}
            for c in entry["caveats"]
            if (not c["bands"] or self.band in c["bands"]) and (not c["codes"] or self.code in c["codes"])
        ]

    def moves(self) -> list[tuple[str, str, list[dict[str, Any]]]]:
        """What moved the lines that answered: an id, a sentence, and where the amount is printed."""
        basis = self.basis
        if basis.limit_set is None or self.limits == "reported":
            return []
        found, contexts, unit = [], basis.catalog.table["policy"]["contexts"], basis.limit_set.data["unit"]
        for shift in basis.limit_set.moved_by:
            why = " and ".join(contexts[name]["text"] for name in shift["requires"])
            up, amount = ("down", shift["add"][1:]) if shift["add"].startswith("-") else ("up", shift["add"])
            text = f"Every line of {self.limits} was moved {up} by {amount} {unit}: {why}. The reported number was not changed."
            found.append((f"{self.limits}/{'+'.join(shift['requires'])}", text, basis.catalog.written_out(shift["cite"])))
        return found

    def trace(self) -> list[dict[str, str]]:
        """How the answer came about: what was read, which limits were considered, and why each did or did not apply."""
        from labinterp._trace import trace

        return trace(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the published form."""
        number, unit = self.si
        quantity = self.quantity
        return {
            "row": self.row,
            "source_name": self.source_name,
            "value_text": self.value_text,
            "comparator": quantity.comparator or None,
            "value": plain_number(quantity.value),
            "value_high": None if quantity.high is None else plain_number(quantity.high),
            "unit": quantity.unit,
            "si": {"value": number, "unit": unit},
            "near_limit": self.near_limit,
            "reported": self.reported.to_dict() if self.reported else None,
            "notes": list(self.notes),
            **self.settled(),
            **({} if self.derived_from is None else {"derived_from": self.derived_from.to_dict()}),
            **({} if self.source is None else {"source": self.source}),
        }

    def settled(self) -> dict[str, Any]:
        """The part that is the same for every number of the same band, person and unit."""
        return {
            "analyte": self.analyte,
            "code": self.code,
            "band": self.band,
            "label": self.label,
            "limits": self.limits,
            "kind": self.kind,
            "authority": self.authority,
            "possible_bands": list(self.basis.possible),
            "caveats": self.caveats,
            "citations": self.citations,
        }

    def _repr_html_(self) -> str | None:
        return _glance(self)

    def __repr__(self) -> str:
        return f"<Finding row {self.row}: {self.analyte} {self.quantity}: {self.code}, {self.band or 'several bands'} ({self.limits})>"

    def __dir__(self) -> list[str]:
        return without_tuple(self)

    def __str__(self) -> str:
        said = f"{self.name} {self.quantity}: {self.code}, {self.label} ({self.limits})"
        if self.derived_from is None:
            return said
        analytes = self.basis.catalog.table["analytes"]
        return f"{said}; computed from {' and '.join(analytes[one.analyte]['name'] for one in self.derived_from.inputs)}"


class NotAssessed(NamedTuple):
    """Why there is no answer for one result: a value, not an exception, and never silence.

    Attributes:
        row: Number of the result in its input, from 1.
        analyte: Id, where it could be told.
        source_name: The test's name as printed.
        value_text: The value as printed.
        unit_text: The unit as printed.
        reason: One of the closed list.
        message: One or two sentences, with the next step.
        quantity: Value and unit, where they could be read.
        reported: The laboratory's own range and flag, where printed: its own range is held against its own number, as both stand.
        source: Where the result stood, as its reader says.
    """

    row: int
    analyte: str | None
    source_name: str
    value_text: str
    unit_text: str
    reason: str
    message: str
    quantity: Quantity | None = None
    reported: Reported | None = None
    source: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the published form."""
        made = {name: getattr(self, name) for name in self._fields[:7]}
        if self.reported is not None:
            made["reported"] = self.reported.to_dict()
        return made if self.source is None else made | {"source": self.source}

    def _repr_html_(self) -> str | None:
        return _glance(self)

    def __repr__(self) -> str:
        return f"<NotAssessed row {self.row}: {self.analyte or 'no analyte'}: {self.reason}>"

    def __dir__(self) -> list[str]:
        return without_tuple(self)

    def __str__(self) -> str:
        return f"{self.source_name or '(no name)'} {self.value_text} {self.unit_text}: not assessed, {self.reason}. {self.message}"


def _glance(item: Finding | NotAssessed) -> str | None:
    from labinterp._pages.glance import glance

    return glance(item)


def reach(decimals: int) -> float:
    """Half of the last printed digit, with room for the last bit of a float."""
    return float(10.0**-decimals * (0.5 + 5e-10))
