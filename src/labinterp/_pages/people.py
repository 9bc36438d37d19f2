"""Reports -> people with their sets of results: who they are, what of theirs needs attention, who comes first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from labinterp._inputs import Patient
from labinterp._report import Alert, Report
from labinterp._results import Finding

if TYPE_CHECKING:
    from datetime import date

# From the most to the least far outside; what is not clear stands before what is within its lines.
URGENCY = ("LL", "HH", "LU", "HU", "L", "H", "IND", "N")


class Draw(NamedTuple):
    """One set of results.

    Attributes:
        anchor: Where it stands on the page. Made of numbers: nothing of a person's text is in an address.
        number: Of this person's sets, from 1.
        report: What is said of it.
        day: When the sample was taken, where it is known.
    """

    anchor: str
    number: int
    report: Report
    day: date | None

    def answers(self) -> Iterator[Finding]:
        """Measured and computed findings."""
        return iter((*self.report.findings, *self.report.derived))

    def standing_out(self) -> list[Finding]:
        """What is not within its lines, the farthest outside first."""
        return sorted((f for f in self.answers() if f.code != "N"), key=lambda f: (URGENCY.index(f.code), f.row))

    def tally(self) -> Counter[str]:
        """As `tally` counts."""
        return tally([self.report])

    def of_row(self, row: int) -> Finding | None:
        """The finding of a row of the input."""
        return next((f for f in self.report.findings if f.row == row), None)

    def place(self, finding: Finding) -> str:
        """The anchor of a finding: by its row, or by how it was computed."""
        if finding.derived_from is None:
            return f"{self.anchor}-r{finding.row}"
        return f"{self.anchor}-c{finding.row}-{finding.derived_from.id.replace('/', '-')}"


class Person(NamedTuple):
    """Somebody with their sets of results, in the order of the input.

    Attributes:
        anchor: Where they stand on the page.
        number: From 1, in the order of the input.
        patient: The facts of their last set.
        draws: Their sets.
    """

    anchor: str
    number: int
    patient: Patient
    draws: tuple[Draw, ...]

    @property
    def alerts(self) -> list[Alert]:
        """Red flags of all sets, most urgent first."""
        return sorted((alert for draw in self.draws for alert in draw.report.alerts), key=lambda a: a.tier)

    def over_time(self) -> list[tuple[str, list[tuple[Draw, Finding]]]]:
        """What was found in more than one set: the analyte, and each finding with its set, in the order of the input."""
        found: dict[str, list[tuple[Draw, Finding]]] = {}
        for draw in self.draws:
            for finding in draw.answers():
                found.setdefault(finding.analyte, []).append((draw, finding))
        return [(analyte, seen) for analyte, seen in found.items() if len({draw.number for draw, _ in seen}) > 1]

    def tally(self) -> Counter[str]:
        """How many results are `outside`, `unclear`, `within` their lines, and `refused`."""
        return tally(draw.report for draw in self.draws)


def tally(reports: Iterable[Report]) -> Counter[str]:
    """How many results of reports are `outside`, `unclear`, `within` their lines, and `refused`; computed ones are not counted."""
    found: Counter[str] = Counter()
    for report in reports:
        found["refused"] += len(report.not_assessed)
        for finding in report.findings:
            found["within" if finding.code == "N" else "unclear" if finding.code == "IND" else "outside"] += 1
    return found


def people(reports: Sequence[Report], days: Sequence[date | None] = ()) -> list[Person]:
    """Who the reports are about. Only a label makes two reports one person's, and only if they agree on the sex.

    Args:
        reports: In the order of the input.
        days: When each sample was taken; empty where nobody knows.
    """
    groups: dict[object, list[int]] = {}
    for n, report in enumerate(reports):
        label = report.patient.id
        groups.setdefault((label, report.patient.sex) if label else n, []).append(n)
    found = []
    for number, members in enumerate(groups.values(), 1):
        draws = tuple(
            Draw(f"p{number}-{k}", k, reports[n], days[n] if n < len(days) else None)
            for k, n in enumerate(members, 1)
        )  # fmt: skip
        found.append(Person(f"p{number}", number, reports[members[-1]].patient, draws))
    return found


def most_urgent_first(listed: Iterable[Person]) -> list[Person]:
    """Red flags first, by tier; then by how far results lie outside their lines; the rest in the order of the input."""

    def rank(person: Person) -> tuple[str, list[int], int]:
        tiers = [alert.tier for alert in person.alerts]
        codes = Counter(f.code for draw in person.draws for f in draw.answers())
        return (min(tiers, default="T9"), [-codes[code] for code in URGENCY[:-1]], person.number)

    return sorted(listed, key=rank)
