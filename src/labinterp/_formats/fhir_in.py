"""FHIR R4, R4B and R5, and as much of STU3 as reads the same -> panels of results.

A Bundle of any type and bundles within it, a single Observation, a DiagnosticReport with contained or referenced Observations, a list of
resources, NDJSON of a bulk export; JSON or XML. Read by plain walking, not through strict models: those drop results that are dirty and readable. Every
Observation with a value, and every component, is a result; a panel's heading is none. `issued` is no day of sampling: without `effective[x]`
the specimen's collection counts, then the report's `effective[x]`, else no day is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import date
from itertools import count, islice
from typing import Any, Final, NamedTuple

from labinterp._catalog import Catalog
from labinterp._formats.archives import called
from labinterp._formats.fhir_concepts import flag, named, specimen
from labinterp._formats.fhir_json import Place, dict_of, dicts_of, documents, holds_resources, one_of, places, text_of
from labinterp._formats.fhir_people import NEVER, Drawn, Facts, drawn, label_of, own_facts, person, who_is
from labinterp._formats.fhir_pregnancy import Pregnancies, is_pregnancy
from labinterp._formats.fhir_ranges import ranges
from labinterp._formats.fhir_references import References, has_members
from labinterp._formats.fhir_remarks import remarks_of, turned
from labinterp._formats.fhir_repeats import Repeats, Told, superseded
from labinterp._formats.fhir_terms import DERIVATIONS, TYPES, AsRead
from labinterp._formats.fhir_values import valued
from labinterp._formats.fhir_xml import xml_documents
from labinterp._formats.kinds import is_xml
from labinterp._inputs import LabResult, Patient
from labinterp._intake import PanelIn, Piece, Source, Wanted, stood
from labinterp._names import squash
from labinterp._quantity import Unreadable
from labinterp._table import decode
from labinterp.errors import InputError

_HOLDERS: Final = 64  # panels within panels that are looked through for what a result leaves out
_NOTES: Final = {
    "repeated": "Results that stand more than once, counted once",
    "reissued": "Results that another report with the same identifier has, too, of the same moment and content, counted once",
    "shared id": "Results whose id another, different result has, too, all kept",
    "headings": "Panel headings without a value of their own, which are no results",
    "missing": "Results that panels or reports name and that are not here",
    "pregnancy": "Observations of pregnancy, read as facts of the person",
    "computed": "Quantities that this library computed before, computed anew",
    "ambiguous": "Results of a person of whom different resources are given, so that sex and age are unknown",
    "not here": "Results of a person whose resource is not here, so that sex and age are unknown",
    "nobody": "Results that name no person, so that sex and age are unknown",
}
_SUPERSEDED: Final = "A later version of this result is here, too."
_OLD_VERSION: Final = "A later version of this result stands in the same history."


class _Found(NamedTuple):
    """One Observation with what is known of its draw."""

    name: str
    place: Place
    patient: Place | None
    label: str | None
    person: Hashable
    known: str
    when: Drawn
    facts: Facts
    specimen: str | None
    status: str
    reports: list[Place]
    encounter: str
    remarks: list[str]


def read(pieces: Sequence[Piece], wanted: Wanted) -> list[Source]:
    """Files of FHIR; files that are read together complete each other.

    Args:
        pieces: The files.
        wanted: Encoding; units where the files do not say them.

    Returns:
        list: one source.

    Raises:
        InputError: A file is neither JSON nor XML of FHIR, or holds no resource.
    """
    catalog, notes, listed = Catalog.default(), [], list[tuple[str, Place]]()
    numbers = count()
    for piece in pieces:
        try:
            if is_xml(piece.data):
                parsed, said = xml_documents(piece.data, wanted.encoding)
            else:
                parsed, said = documents(decode(piece.data, wanted.encoding)[0])
        except InputError as error:
            raise InputError(f"{called(piece.name)}{error}") from None
        notes += [stood(piece.name, note) if piece.name else note for note in said]
        file = next(numbers)
        found = [(piece.name, place) for name, one in parsed for place in places(name, one, file, numbers)]
        if not any(place.type for _, place in found):
            raise InputError(
                f"{called(piece.name)}this is JSON and no FHIR: there is no resourceType; accepted: a Bundle, Observation, DiagnosticReport or NDJSON of them"
            )
        listed += found
    reading = _Reading(listed, catalog, wanted)
    panels = reading.panels()
    return [Source(panels, None, "fhir", (*notes, *reading.notes()), AsRead(reading.statuses, reading.births))]


class _Reading:
    """All that was read together, on its way to panels."""

    def __init__(self, listed: Sequence[tuple[str, Place]], catalog: Catalog, wanted: Wanted) -> None:
        self.listed, self.catalog, self.wanted = listed, catalog, wanted
        self.references = References([place for _, place in listed])
        self.older: set[int] = set()
        self.repeats = Repeats()
        self.counts: Counter[str] = Counter()
        self.statuses: dict[str, str] = {}
        self.births: dict[str, str] = {}
        self._specimens: dict[int, str | None] = {}
        self._versions: dict[int, Place | None] = {}

    def panels(self) -> list[PanelIn]:
        """What each person had drawn on each day, in the order of the first row."""
        found = [self._found(name, place) for name, place in self.listed if place.type == "Observation"]
        self.older = superseded((one.place, one.person) for one in found)
        pregnancies = Pregnancies()
        told = []
        for one in found:
            if is_pregnancy(one.place.resource):
                self.counts["pregnancy"] += 1
                pregnancies.add(one.person, one.encounter, one.when, one.place.resource, one.status)
            else:
                told.append(one)
        groups: dict[Hashable, PanelIn] = {}
        row = 0
        for one in told:
            if self._is_computed(one.place.resource):
                self.counts["computed"] += 1
                continue
            pregnant, said = pregnancies.at(one.person, one.encounter, one.when.day)
            apart = id(one.reports[0].resource) if one.reports and one.when is NEVER else None  # without a day, each report is a draw
            key = (one.person, one.when.day or one.when.text, apart, one.facts, pregnant)
            panel = groups.get(key)
            if panel is None:
                patient, wrong = self._person(one, pregnant)
                panel = PanelIn(patient, [], [], [*wrong, *said])
            results, remarks = self._results(one, panel.patient)
            content = tuple(result._replace(source=None) for result in results)
            older = id(one.place.resource) in self.older
            read = Told(one.place, one.person, one.patient is not None, one.when.text, content, one.reports, older)
            if not results or self.repeats.again(read):
                continue
            self.counts[one.known] += len(results)
            if key not in groups:
                groups[key] = panel
                if one.patient is not None and panel.patient.birth_date is None:
                    self.births[str(results[0].source)] = text_of(one.patient.resource.get("birthDate"))
            for result, remark in zip(results, remarks, strict=True):
                row += 1
                panel.results.append(result)
                panel.rows.append(row)
                panel.notes.extend(f"Row {row}: {text}" for text in remark)
                if one.status not in ("final", "unknown", ""):
                    self.statuses[str(result.source)] = one.status
        return list(groups.values())

    def notes(self) -> Iterator[str]:
        """What a reader must know of the files as a whole."""
        others = [place.type for _, place in self.listed if not holds_resources(place)]
        kinds = Counter(kind if kind in TYPES else "of another type" for kind in others)
        for used in ("Observation", "Patient", "Specimen", "DiagnosticReport", "Bundle"):
            kinds.pop(used, None)
        if kinds:
            yield f"Passed over, as they hold no results: {', '.join(f'{n} {kind}' for kind, n in sorted(kinds.items()))}."
        counts = self.counts + self.repeats.counts + Counter(missing=self.references.missing)
        yield from (f"{text}: {counts[name]}." for name, text in _NOTES.items() if counts[name])

    # --- one Observation ------------------------------------------------------------------------------------

    def _found(self, name: str, place: Place) -> _Found:
        """An Observation with what it leaves out taken from its specimen, its panel and its report."""
        above = list(islice(self.references.above(place), _HOLDERS))
        reports = [holder for holder in above if holder.type == "DiagnosticReport"]
        origin = next((one for one in (place, *above) if one_of(one.resource.get("subject"))), place)
        reference = one_of(origin.resource.get("subject"))
        candidates = self.references.all(reference, origin)
        patient = self.references.one(reference, origin)
        if patient is None and len(candidates) > 1:
            patient = self._agreed(candidates)
        if patient is not None and patient.type != "Patient":
            patient = None
        label = label_of(patient, reference)
        who: Hashable = (label, *who_is(patient)) if patient else label
        export = (patient or place).path.startswith("line ")  # in a bulk export an id is one person's in all files
        if not export and not (patient and patient.is_named):
            who = (who, place.scopes[-1])  # in other files the same id may be somebody else's
        known = "known" if patient else "ambiguous" if len(candidates) > 1 else "not here"
        if label is None:  # results of one report, or else of one bundle, are of one person
            who, known = (id(above[-1].resource) if above else place.scopes), "nobody"
        drawn_from = self._specimen_of(place, reports)
        when = drawn(place.resource)
        if when is NEVER and drawn_from is not None:
            when = drawn(dict_of(drawn_from.resource.get("collection")))
        if when is NEVER:
            when = next((found for found in map(drawn, (holder.resource for holder in above)) if found is not NEVER), NEVER)
        status = text_of(place.resource.get("status")).casefold()
        if reports and all(report.resource.get("status") == "entered-in-error" for report in reports):
            status = "entered-in-error"
        facts = next((found for found in map(own_facts, (report.resource for report in reports)) if found != Facts()), Facts())
        encounter = dict_of(place.resource.get("encounter")) or dict_of(place.resource.get("context"))
        return _Found(
            name, place, patient, label, who, known, when, facts, self._specimen_words(place, drawn_from), status, reports,
            text_of(encounter.get("reference")), remarks_of(status, drawn_from),
        )  # fmt: skip

    def _agreed(self, candidates: list[Place]) -> Place | None:
        """One of several versions of a person that agree on who it is; the list is the one that the references keep."""
        key = id(candidates)
        if key not in self._versions:
            self._versions[key] = candidates[0] if len({(one.type, *who_is(one)) for one in candidates}) == 1 else None
        return self._versions[key]

    def _specimen_of(self, place: Place, reports: Sequence[Place]) -> Place | None:
        reference = dict_of(place.resource.get("specimen"))
        if reference:
            return self.references.one(reference, place)
        for report in reports[:1]:  # a report of one specimen: its results are of that one
            listed = dicts_of(report.resource.get("specimen"))
            return self.references.one(listed[0], report) if len(listed) == 1 else None
        return None

    def _specimen_words(self, place: Place, drawn_from: Place | None) -> str | None:
        if drawn_from is None:
            return text_of(dict_of(place.resource.get("specimen")).get("display")) or None
        key = id(drawn_from.resource)
        if key not in self._specimens:
            self._specimens[key] = specimen(drawn_from.resource.get("type"), self.catalog)
        return self._specimens[key]

    def _person(self, one: _Found, pregnant: bool | None) -> tuple[Patient, list[str]]:
        names = self.catalog.table["policy"]["context_names"]
        contexts = [names[squash(context)] for context in one.facts.contexts if squash(context) in names]
        return person(one.patient, one.label, one.when, one.facts, pregnant, contexts)

    def _is_computed(self, resource: Mapping[str, Any]) -> bool:
        return any(coding.get("system") == DERIVATIONS for coding in dicts_of(dict_of(resource.get("method")).get("coding")))

    def _results(self, one: _Found, patient: Patient) -> tuple[list[LabResult], list[list[str]]]:
        """The results of an Observation: its own, unless it is a heading only, and one for each component."""
        resource = one.place.resource
        components = dicts_of(resource.get("component"))
        results, remarks = [], []
        own = any(key.startswith("value") and resource[key] is not None for key in resource)
        if own or not has_members(resource):
            result, said = self._result(one, resource, one.place.path, patient)
            results.append(result)
            remarks.append(said)
        else:
            self.counts["headings"] += 1
        modified = {key: resource[key] for key in ("modifierExtension",) if dicts_of(resource.get(key))}  # it holds for its parts, too
        for number, component in enumerate(components):
            result, said = self._result(one, {**component, **modified}, one.place.at(f"component[{number}]"), patient)
            results.append(result)
            remarks.append(said)
        return results, remarks

    def _result(self, one: _Found, node: Mapping[str, Any], path: str, patient: Patient) -> tuple[LabResult, list[str]]:
        name = named(node.get("code"), self.catalog)
        read = valued(node, one.status, self.catalog)
        value, unit = read.value, read.unit
        shown = f"{read.comparator or ''}{_text(value)}"
        if id(one.place.resource) in self.older:
            value = Unreadable("unreadable_value", _OLD_VERSION if one.place.history else _SUPERSEDED, shown)
        elif (odd := turned(one.place.resource)) and not isinstance(value, Unreadable):
            value = Unreadable("unreadable_value", odd, shown)
        elif name.conflict and not isinstance(value, Unreadable):
            value = Unreadable("conflicting_code", name.conflict, shown)
        printed = ranges(node, patient.sex, patient.age, self.catalog, patient.pregnant)
        day: date | None = one.when.day
        result = LabResult(
            name.test, value, unit, loinc=name.loinc, specimen=one.specimen, collected_at=day,
            comparator=None if isinstance(value, Unreadable) else read.comparator,
            ref_low=printed.low, ref_high=printed.high, ref_text=printed.text, flag=flag(node.get("interpretation")),
            source=stood(one.name, path),
        )  # fmt: skip
        remarks = one.remarks if not isinstance(value, Unreadable) else []
        measured = printed.note and not isinstance(value, (Unreadable, str))
        return result, [*remarks, *([printed.note] if measured else [])]


def _text(value: Any) -> str:
    return value.text if isinstance(value, Unreadable) else "" if value is None else str(value)
