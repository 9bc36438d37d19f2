"""What comes out: frozen, light, and able to say where every part of it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._inputs import Patient
from labinterp._quantity import Quantity
from labinterp._reported import Reported

if TYPE_CHECKING:
    from labinterp._catalog import Catalog
    from labinterp._rules import LimitSet


class Basis(NamedTuple):
    """What a finding rests on: enough to explain it later, at no cost now."""

    catalog: Catalog
    patient: Patient
    limit_set: LimitSet | None
    population: int | None
    as_of: str
    critical: Mapping[str, Any] | None = None
    possible: tuple[str, ...] = ()


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
        entry = self.basis.catalog.table["analytes"][self.analyte]
        unit, target = self.quantity.unit, entry["si"]
        number = float(self.quantity.value)
        return (number if unit == target else number * float(Fraction(entry["factors"][unit])), target)

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
        basis = self.basis
        if basis.limit_set is None or basis.population is None or self.quantity.comparator == "~":
            return False
        exponent = self.quantity.value.as_tuple().exponent
        half = Fraction(10) ** int(exponent) / 2
        value = Fraction(self.quantity.value)
        return any(abs(value - line) <= half for line in basis.limit_set.exact_lines(basis.population, self.unit))

    @property
    def citations(self) -> list[dict[str, Any]]:
        """Where the limits are printed, and how that was checked."""
        basis = self.basis
        if basis.limit_set is None:
            return []
        cites = basis.catalog.citations(basis.limit_set.id) if self.limits != "reported" else []
        if basis.critical is not None:
            cites = cites + basis.catalog.written_out(basis.critical["cite"])
        return cites

    @property
    def caveats(self) -> list[dict[str, Any]]:
        """What can move this number without the body having changed."""
        entry = self.basis.catalog.table["analytes"][self.analyte]
        return [
            {"id": c["id"], "text": c["text"], "citations": self.basis.catalog.written_out(c["cite"])}
            for c in entry["caveats"]
            if (not c["bands"] or self.band in c["bands"]) and (not c["codes"] or self.code in c["codes"])
        ]

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
            "analyte": self.analyte,
            "source_name": self.source_name,
            "value_text": self.value_text,
            "comparator": quantity.comparator or None,
            "value": plain_number(quantity.value),
            "value_high": None if quantity.high is None else plain_number(quantity.high),
            "unit": quantity.unit,
            "si": {"value": number, "unit": unit},
            "code": self.code,
            "band": self.band,
            "label": self.label,
            "limits": self.limits,
            "kind": self.kind,
            "authority": self.authority,
            "near_limit": self.near_limit,
            "possible_bands": list(self.basis.possible),
            "reported": self.reported.to_dict() if self.reported else None,
            "notes": list(self.notes),
            "caveats": self.caveats,
            "citations": self.citations,
        }

    def __str__(self) -> str:
        return f"{self.name} {self.quantity}: {self.code}, {self.label} ({self.limits})"


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
    """

    row: int
    analyte: str | None
    source_name: str
    value_text: str
    unit_text: str
    reason: str
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the published form."""
        return self._asdict()

    def __str__(self) -> str:
        return f"{self.source_name or '(no name)'} {self.value_text} {self.unit_text}: not assessed, {self.reason}. {self.message}"


class Citation(NamedTuple):
    """A source, the place in it, and how the figure was checked ("primary": seen in the source itself)."""

    source: str
    locator: str
    checked: str


class PatternMatch(NamedTuple):
    """A combination of results with a meaning: what supports it, what is missing, which test would settle it."""

    id: str
    name: str
    certainty: str
    because: tuple[int, ...]
    missing: tuple[str, ...]
    settled_by: tuple[str, ...]
    text: str
    next_test: str
    citations: tuple[Mapping[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the published form."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in self._asdict().items()}


class Effect(NamedTuple):
    """A muscle effect that the findings are linked to, with the strongest relation and every condition behind it."""

    id: str
    name: str
    hpo: str | None
    conditions: tuple[str, ...]
    relation: str
    certainty: str
    reversibility: str
    treatment: str
    mechanisms: tuple[str, ...]
    because: tuple[int, ...]
    text: str
    citations: tuple[Mapping[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the published form."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in self._asdict().items()}


class Advice(NamedTuple):
    """A condition the findings point to: who is at risk, what is usually done, what to discuss next."""

    condition: str
    name: str
    about: str
    at_risk: tuple[str, ...]
    usually_done: tuple[str, ...]
    next_step: str
    because: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in self._asdict().items()}


class Alert(NamedTuple):
    """A red flag: T1 now, T2 the same day, T3 within days, T4 routine."""

    id: str
    tier: str
    row: int
    text: str
    citations: tuple[Mapping[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the published form."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in self._asdict().items()}


class Report(NamedTuple):
    """Everything that can be said of one panel, and everything that cannot, with the reason.

    Attributes:
        patient: As given, with the age at sampling.
        findings: In the order of the input.
        not_assessed: In the order of the input.
        patterns: Combinations that are likely or possible.
        open_questions: Combinations that cannot be told yet, with the test that would settle them.
        effects: Muscle effects, strongest link first.
        advice: The conditions behind them.
        alerts: Most urgent first.
        notes: What a reader must know about the report as a whole.
        catalog: Version of the data.
        disclaimer: What this is not.
        standing: Sentences that belong on every rendered report.
    """

    patient: Patient
    findings: tuple[Finding, ...]
    not_assessed: tuple[NotAssessed, ...]
    patterns: tuple[PatternMatch, ...]
    open_questions: tuple[PatternMatch, ...]
    effects: tuple[Effect, ...]
    advice: tuple[Advice, ...]
    alerts: tuple[Alert, ...]
    notes: tuple[str, ...]
    catalog: str
    disclaimer: str
    standing: tuple[str, ...]

    def rows(self) -> Iterator[Finding | NotAssessed]:
        """Findings and refusals together, in the order of the input."""
        return iter(sorted((*self.findings, *self.not_assessed), key=lambda r: r.row))

    def finding(self, analyte: str) -> Finding | None:
        """The first finding of an analyte, or None."""
        return next((f for f in self.findings if f.analyte == analyte), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the published form."""
        return {
            "patient": self.patient.to_dict(),
            **{
                name: [item.to_dict() for item in getattr(self, name)]
                for name in ("findings", "not_assessed", "patterns", "open_questions", "effects", "advice", "alerts")
            },
            "notes": list(self.notes),
            "catalog": self.catalog,
            "disclaimer": self.disclaimer,
            "standing": list(self.standing),
        }

    def to_json(self, indent: int | None = None) -> str:
        """The published form as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent)

    def __str__(self) -> str:
        lines = [str(item) for item in self.rows()]
        lines += [f"{alert.tier}: {alert.text}" for alert in self.alerts]
        lines += [match.text for match in self.patterns]
        lines += [effect.text for effect in self.effects]
        return "\n".join([*lines, self.disclaimer])


def plain_number(value: Decimal) -> int | float:
    """A JSON number: whole where the text was whole."""
    exponent = value.as_tuple().exponent
    return int(value) if isinstance(exponent, int) and 0 <= exponent < 30 else float(value)
