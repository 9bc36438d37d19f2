"""Values, names, ranges and sources as a page shows them; sources are numbered in the order in which they are met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labinterp._lazy import pattern
from labinterp._pages.messages import Messages
from labinterp._pages.people import Draw
from labinterp._pages.strip import Strip
from labinterp._report import Report
from labinterp._results import Finding

if TYPE_CHECKING:
    from datetime import date

    from markupsafe import Markup

    from labinterp._catalog import Catalog
    from labinterp._inputs import Patient
    from labinterp._quantity import Quantity
    from labinterp._reported import Reported

Cite = Mapping[str, Any]
_MICRO = pattern(r"(?<![A-Za-z])u(?=(?:mol|g|L|U|IU|kat)(?![A-Za-z]))")
_SIGN = {"LL": "▼▼▼", "LU": "▼▼", "L": "▼", "N": "●", "H": "▲", "HU": "▲▲", "HH": "▲▲▲", "IND": "◆"}
_TONE = {"LL": "far", "LU": "far", "L": "out", "N": "in", "H": "out", "HU": "far", "HH": "far", "IND": "unclear"}


class Shown:
    """What templates ask for how something is written.

    Args:
        catalog: For names.
        messages: For words.
    """

    def __init__(self, catalog: Catalog, messages: Messages) -> None:
        self.catalog, self.messages = catalog, messages
        self._numbers: dict[tuple[str, str], int] = {}
        self.sources: list[Cite] = []

    # --- people and values -----------------------------------------------------------------------------------

    def name(self, patient: Patient, number: int, alone: bool) -> Markup:
        """What somebody is called."""
        if patient.id:
            return self.messages.message("person.patient", id=patient.id)
        return self.messages.message("person.unnamed") if alone else self.messages.message("person.unnamed_number", number=number)

    def facts(self, patient: Patient) -> list[Markup]:
        """Sex, age, pregnancy and circumstances, as far as they were stated."""
        t = self.messages.message
        facts = [t(f"person.{patient.sex or 'sex_unknown'}")]
        facts.append(t("person.age_unknown") if patient.age_years is None else t("person.age", age=f"{patient.age_years:g}"))
        if patient.pregnant is not None:
            facts.append(t("person.pregnant" if patient.pregnant else "person.not_pregnant"))
        contexts = self.catalog.table["policy"]["contexts"]
        return facts + [self.messages.said(contexts[name]["text"]) for name in sorted(patient.contexts)]

    def unit(self, code: str) -> str:
        """A UCUM unit as people write it."""
        return _MICRO.sub("µ", code.replace("[IU]", "IU")).replace("{1.73_m2}", "1.73 m²").replace("10*", "10^")

    def value(self, quantity: Quantity) -> str:
        """A value with its unit, as reported."""
        number = (
            f"{quantity.value} – {quantity.high}" if quantity.comparator == "~" else quantity.number.replace("<=", "≤").replace(">=", "≥")
        )
        return f"{number} {self.unit(quantity.unit)}".rstrip()

    def si(self, finding: Finding) -> str:
        """The value in the SI unit; an empty text where it is reported in it, or is a range."""
        number, unit = finding.si
        if unit == finding.unit or finding.quantity.comparator == "~":
            return ""
        sign = finding.comparator.replace("<=", "≤").replace(">=", "≥")
        return f"{sign}{number:.4g} {self.unit(unit)}"

    def analyte(self, id: str) -> Markup:
        """An analyte's full name."""
        return self.messages.said(self.catalog.table["analytes"][id]["name"])

    def sign(self, code: str) -> str:
        """The shape that stands beside a code: never the colour alone."""
        return _SIGN[code]

    def tone(self, code: str) -> str:
        """How far from its lines a code is: in, unclear, out, far."""
        return _TONE[code]

    def word(self, code: str) -> Markup:
        """A code in words."""
        return self.messages.message(f"codes.{code}")

    def meaning(self, finding: Finding) -> Markup:
        """The band in words."""
        return self.messages.said(finding.label)

    def possible(self, finding: Finding) -> list[Markup]:
        """The names of the bands a censored value may lie in."""
        basis = finding.basis
        if finding.band is not None or basis.limit_set is None or basis.population is None:
            return []
        labels = {band.key: band.label for band in basis.limit_set.bands(basis.population)}
        return [self.messages.said(labels.get(key, key.replace("_", " "))) for key in basis.possible]

    def authority(self, finding: Finding) -> Markup:
        """Who drew the lines."""
        if finding.limits == "reported":
            return self.messages.message("drawn.laboratory")
        return self.messages.said(self.catalog.table["authorities"][finding.authority]["name"])

    def tier(self, tier: str) -> Markup:
        """What a red flag asks for, in calm words."""
        when = self.messages.said(self.catalog.table["policy"]["tier_words"][tier])
        return self.messages.message(f"tiers.{'now' if tier == 'T1' else 'discuss'}", when=when)

    def day(self, day: date) -> str:
        """A day, the same in every language."""
        return day.isoformat()[:10]

    def draw(self, draw: Draw) -> Markup:
        """What a set of results is called."""
        t = self.messages.message
        return t("person.draw", number=draw.number) if draw.day is None else t("person.draw_on", day=self.day(draw.day))

    def draw_day(self, draw: Draw) -> str:
        """The day of a set of results, or its number."""
        return f"{draw.number}." if draw.day is None else self.day(draw.day)

    def notes(self, report: Report) -> list[tuple[str, str]]:
        """What a reader should know: of a test, or of the report as a whole."""
        own = [(f.name if f.derived_from else f.source_name, note) for f in (*report.findings, *report.derived) for note in f.notes]
        return own + [("", note) for note in report.notes]

    # --- the laboratory's range, the strip -------------------------------------------------------------------

    def own_range(self, reported: Reported | None) -> str:
        """The laboratory's own range as it printed it; an empty text where it printed none."""
        if reported is None:
            return ""
        if reported.text:
            return reported.text
        low, high = reported.low, reported.high
        if low is not None and high is not None:
            return self.messages.plain("table.between", low=low, high=high)
        if high is not None:
            return self.messages.plain("table.up_to", high=high)
        return "" if low is None else self.messages.plain("table.from", low=low)

    def alt(self, finding: Finding, drawn: Strip) -> str:
        """The strip in words."""
        plain = self.messages.plain
        said = self.messages.said_plain
        bands = "; ".join(f"{said(band.label)} {self.span(band.text)}".strip() for band in drawn.bands)
        text = plain("strip.alt", value=self.value(finding.quantity), band=said(finding.label), unit=self.unit(finding.unit), bands=bands)
        own = self.own_range(finding.reported)
        more = [plain("strip.alt_beyond")] if drawn.beyond else []
        return " ".join([text, *more, *([plain("strip.alt_own", range=own)] if own else [])])

    def span(self, text: str) -> str:
        """What a band holds, "2.5 to <3", in the language of the page."""
        low, between, high = text.partition(" to ")
        return self.messages.plain("table.between", low=low, high=high) if between else text

    # --- traces, sources -------------------------------------------------------------------------------------

    def steps(self, finding: Finding) -> list[tuple[str, list[str]]]:
        """The trace with the texts of one step together, without the sources, which are listed on their own."""
        found: dict[str, list[str]] = {}
        for step in finding.trace():
            if step["step"] != "source":
                found.setdefault(step["step"], []).append(step["text"])
        return list(found.items())

    def cites(self, finding: Finding) -> list[Cite]:
        """Where the lines are printed, and where the way of computing is."""
        return [*finding.citations, *(finding.derived_from.cite if finding.derived_from else ())]

    def numbered(self, cites: Iterable[Cite]) -> list[tuple[int, Cite]]:
        """Citations with the numbers of their sources; a source keeps its number all over the page."""
        found = {}
        for cite in cites:
            key = (cite["source"], cite["locator"])
            if key not in self._numbers:
                self.sources.append({"year": None, "doi": None, "url": None, **cite})
                self._numbers[key] = len(self.sources)
            number = self._numbers[key]
            found[number] = self.sources[number - 1]
        return sorted(found.items())

    def address(self, cite: Cite) -> str:
        """Where a source can be opened; an empty text where that is not known, or is no web address."""
        if cite.get("doi"):
            return f"https://doi.org/{cite['doi']}"
        url = str(cite.get("url") or "")
        return url if url.startswith(("https://", "http://")) else ""

    def site(self, cite: Cite) -> str:
        """The name of the place a source can be opened at."""
        return self.address(cite).split("/")[2]

    def tests(self, report: Report, rows: Sequence[int]) -> list[tuple[int, str]]:
        """The rows behind a statement, with the tests' names as printed."""
        names = {answer.row: answer.source_name for answer in report.rows()}
        return [(row, names.get(row, "")) for row in rows]

    def conditions(self, ids: Iterable[str]) -> list[Markup]:
        """The names of states."""
        return [self.messages.said(self.catalog.table["conditions"][id]["name"]) for id in ids]

    def mechanisms(self, ids: Iterable[str]) -> list[Mapping[str, Any]]:
        """How an effect is thought to come about."""
        return [self.catalog.table["mechanisms"][id] for id in ids]
