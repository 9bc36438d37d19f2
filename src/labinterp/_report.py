"""What is said of a panel: patterns, effects, alerts, and the report that holds them beside the answers for each result."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._analyte import without_tuple
from labinterp._inputs import Patient
from labinterp._results import Finding, Memo, NotAssessed

if TYPE_CHECKING:
    from datetime import date


def _plain(item: Any) -> dict[str, Any]:
    """The fields of a result as plain data that belongs to the caller."""
    return {name: [dict(p) if isinstance(p, dict) else p for p in v] if isinstance(v, tuple) else v for name, v in item._asdict().items()}


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
        return _plain(self)


class Effect(NamedTuple):
    """A muscle effect that the findings are linked to, with the strongest relation and every condition behind it."""

    id: str
    name: str
    hpo: str | None
    conditions: tuple[str, ...]
    relation: str
    certainty: str
    reversibility: str
    recovery: str
    treatment: str
    mechanisms: tuple[str, ...]
    because: tuple[int, ...]
    text: str
    citations: tuple[Mapping[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the published form."""
        return _plain(self)


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
        return _plain(self)


class Alert(NamedTuple):
    """A red flag: T1 now, T2 the same day, T3 within days, T4 routine."""

    id: str
    tier: str
    row: int
    text: str
    citations: tuple[Mapping[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the published form."""
        return _plain(self)


class Whole(NamedTuple):
    """What is said of the results together. The same for every panel whose results lie between the same lines.

    `rows` are the numbers the parts refer to; `memo` keeps the rendered text, and the meaning and the rows of each analyte it is made of.
    """

    patterns: tuple[PatternMatch, ...]
    open_questions: tuple[PatternMatch, ...]
    effects: tuple[Effect, ...]
    advice: tuple[Advice, ...]
    alerts: tuple[Alert, ...]
    notes: tuple[str, ...]
    rows: tuple[int, ...]
    memo: Memo

    def moved(self, rows: tuple[int, ...]) -> Whole:
        """The same for results with other numbers, in the same order."""
        if rows == self.rows:
            return self
        new = dict(zip(self.rows, rows, strict=True))

        def because(items: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(item._replace(because=tuple(new[row] for row in item.because)) for item in items)

        behind = {analyte: [new[row] for row in old] for analyte, old in self.memo["rows"].items()}
        return Whole(
            because(self.patterns), because(self.open_questions), because(self.effects), because(self.advice),
            tuple(alert._replace(row=new[alert.row]) for alert in self.alerts), self.notes, rows, Memo(meaning=self.memo["meaning"], rows=behind),
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Plain data: patterns, open_questions, effects, advice, alerts."""
        return {name: [item.to_dict() for item in getattr(self, name)] for name in self._fields[:5]}


class Report(NamedTuple):
    """Everything that can be said of one panel, and everything that cannot, with the reason.

    Attributes:
        patient: As given, with the age at sampling.
        findings: In the order of the input.
        not_assessed: In the order of the input.
        derived: Quantities computed from others of the draw; never in `findings`.
        whole: What is said of the results together.
        notes: What a reader must know about the report as a whole.
        catalog: Version of the data.
        disclaimer: What this is not.
        standing: Sentences that belong on every rendered report.
    """

    patient: Patient
    findings: tuple[Finding, ...]
    not_assessed: tuple[NotAssessed, ...]
    derived: tuple[Finding, ...]
    whole: Whole
    notes: tuple[str, ...]
    catalog: str
    disclaimer: str
    standing: tuple[str, ...]

    @property
    def patterns(self) -> tuple[PatternMatch, ...]:
        """Combinations that are likely or possible."""
        return self.whole.patterns

    @property
    def open_questions(self) -> tuple[PatternMatch, ...]:
        """Combinations that cannot be told yet, with the test that would settle them."""
        return self.whole.open_questions

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Muscle effects, strongest link first."""
        return self.whole.effects

    @property
    def advice(self) -> tuple[Advice, ...]:
        """The conditions behind the effects."""
        return self.whole.advice

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Red flags, most urgent first."""
        return self.whole.alerts

    def rows(self) -> Iterator[Finding | NotAssessed]:
        """Findings and refusals together, in the order of the input."""
        answers: list[Finding | NotAssessed] = [*self.findings, *self.not_assessed]
        return iter(sorted(answers, key=lambda r: r.row))

    def finding(self, analyte: str) -> Finding | None:
        """The first finding of an analyte, or None."""
        return next((f for f in self.findings if f.analyte == analyte), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the published form."""
        return {
            "patient": self.patient.to_dict(),
            "findings": [finding.to_dict() for finding in self.findings],
            "not_assessed": [refused.to_dict() for refused in self.not_assessed],
            "derived": [finding.to_dict() for finding in self.derived],
            **self.whole.to_dict(),
            "notes": list(self.notes),
            "catalog": self.catalog,
            "disclaimer": self.disclaimer,
            "standing": list(self.standing),
        }

    def to_json(self, indent: int | None = None) -> str:
        """The published form as JSON text: `json.loads(report.to_json())` equals `report.to_dict()`."""
        if indent is not None:
            return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent)
        return _writer()(self)

    def to_html(self, *, language: str = "en", day: date | None = None) -> str:
        """One self-contained page for a browser, a phone or a printer. Needs the extra "html".

        Args:
            language: Of the page: "en", "de" or "fr".
            day: Day of sampling, which a report does not hold.

        Raises:
            MissingExtraError: The extra is not installed.
            InputError: There are no words in this language.

        Example:
            >>> from labinterp import interpret
            >>> interpret({"vitamin D": "18 ng/mL"}).to_html(language="de").splitlines()[1]
            '<html lang="de">'
        """
        from labinterp.html import page

        return page([self], language=language, days=None if day is None else [day])

    def to_frame(self, engine: str | None = None) -> Any:
        """A tidy table: one row for each result; `part` tells findings, those not assessed, and those that were derived.

        Args:
            engine: "polars", "pandas", or None for the first of them that is installed.

        Raises:
            MissingExtraError: The engine is not installed.
            InputError: Another engine.

        Example:
            >>> from labinterp import interpret
            >>> interpret({"vitamin D": "18 ng/mL"}).to_frame("polars").select("part", "analyte", "code").rows()
            [('finding', 'vitamin_d', 'L')]
        """
        from labinterp._pages.tidy import report_frame

        return report_frame(self, engine)

    def _repr_html_(self) -> str | None:
        from labinterp._pages.glance import glance

        return glance(self)

    def __repr__(self) -> str:
        flagged = sum(finding.code not in ("N", "IND") for finding in self.findings)
        parts = [f"{len(self.findings)} findings, {flagged} outside their lines", f"{len(self.not_assessed)} not assessed"]
        parts += [f"{len(self.alerts)} red flag{'' if len(self.alerts) == 1 else 's'}"] if self.alerts else []
        return f"<Report: {', '.join(parts)}; catalog {self.catalog}>"

    def __dir__(self) -> list[str]:
        return without_tuple(self)

    def __str__(self) -> str:
        lines = [str(item) for item in (*self.rows(), *self.derived)]
        lines += [f"{alert.tier}: {alert.text}" for alert in self.alerts]
        lines += [match.text for match in self.patterns]
        lines += [effect.text for effect in self.effects]
        return "\n".join([*lines, self.disclaimer])


@cache  # an import statement costs a microsecond each time it is met
def _writer() -> Callable[[Report], str]:
    from labinterp._json import report_json

    return report_json
