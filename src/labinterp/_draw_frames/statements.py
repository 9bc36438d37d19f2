"""What the sights of a draw say together -> statements: patterns, open questions, effects, alerts, circumstances.

Nothing is decided here. Each pattern and each condition looks at few analytes; what it makes of their sights is asked once of
the functions that read a single panel (`match_patterns`, `active_links`, `effects`) and remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._book import Book, book_for
from labinterp._draw_frames.sights import Sights, asked_of
from labinterp._explain import ActiveLink, active_links, effects, firm, muscle_text_applies
from labinterp._frames.classes import Numbered
from labinterp._inputs import Patient
from labinterp._patterns import Panel, Truth, derived_contexts, evaluate, match_patterns
from labinterp._together import seen_together, shown_by, shown_text, told, with_shown

if TYPE_CHECKING:
    from labinterp._catalog import Catalog

PATTERN, OPEN, EFFECT, ALERT, CONTEXT, FINDING, DERIVED = KINDS = (
    "pattern", "open_question", "effect", "alert", "context", "finding", "derived",
)  # fmt: skip
_OF_A_PERSON = ("context", "age_years", "sex")  # gates that ask about the person, not about a result


class Statement(NamedTuple):
    """What one row says, but for the draw and the rows it rests on.

    Attributes:
        kind: One of `KINDS`.
        id: Of the pattern, effect, alert, circumstance or analyte.
        certainty: Of patterns and effects.
        relation: Of effects.
        missing: Analytes that would settle it.
        next: What would be the next test.
        tier: Of alerts.
        text: The sentence.
        analytes: Places of the analytes whose results it rests on.
    """

    kind: str
    id: str
    certainty: str | None = None
    relation: str | None = None
    missing: str | None = None
    next: str | None = None
    tier: str | None = None
    text: str | None = None
    analytes: tuple[int, ...] = ()


class Unit(NamedTuple):
    """A pattern, a condition or the circumstances a panel shows: which analytes and which facts of the person it looks at."""

    data: Mapping[str, Any]
    analytes: tuple[int, ...]
    facts: tuple[Mapping[str, Any], ...]
    patterns: frozenset[str]


class World(NamedTuple):
    """A kind of person in the circumstances that a panel shows.

    Attributes:
        book: Their rules.
        contexts: What the panel says of circumstances that were not declared.
        shown: The statements about those it shows.
        muscle: Whether the links to muscle are for this person.
        facts: What each unit sees of all this: the patterns, the conditions, what makes an exception for a single mild value.
    """

    book: Book
    contexts: dict[str, Truth]
    shown: tuple[int, ...]
    muscle: bool
    facts: tuple[int, ...] = ()


Views = Sequence[int]  # for each analyte of a unit, what is seen of its results; 0 where there are none


class Statements:
    """The statements of one catalog, one choice of authority and one day.

    Args:
        catalog: The data.
        authority: Whose limits, by the catalog's names.
        as_of: ISO day.
    """

    def __init__(self, catalog: Catalog, authority: Any, as_of: str) -> None:
        self.catalog, self.authority, self.as_of = catalog, authority, as_of
        self.sights = Sights(catalog)
        self.analytes = self.sights.analytes
        self._at = {analyte: at for at, analyte in enumerate(self.analytes)}
        table = catalog.table
        ordered = sorted(table["patterns"].values(), key=lambda p: p["order"])
        self.patterns = [self._unit(p, _pattern_gates(p), (p["id"],)) for p in ordered]
        conditions = [c for c in table["conditions"].values() if c.get("links")]
        self.conditions = [self._unit(c, _condition_gates(c), _replacing(c, ordered)) for c in conditions]
        self.derived = self._unit({}, [d["when"] for d in table["policy"]["derived"]])
        self.excepted = self._unit({"id": "single mild"}, table["policy"]["single_mild"]["unless"])
        alerted = {at for at, analyte in enumerate(self.analytes) if table["analytes"][analyte]["alerts"]}
        units = [self.derived, *self.patterns, *self.conditions, self.excepted]
        asked = alerted.union(*(unit.analytes for unit in units))
        blocks = [(derive["analyte"], block) for derive in table["derive"] for block in derive["blocks"]]
        computed = {name for analyte, block in blocks for name in (analyte, *(taken for taken, _ in block["inputs"]))}
        self.relevant = sorted(asked | {self._at[name] for name in computed})
        self.all: Numbered[Statement] = Numbered()
        self.made: dict[Any, Any] = {}  # what was computed of results, by what it was computed from
        self.links: Numbered[tuple[tuple[int, int, frozenset[int], bool], ...]] = Numbered()
        self.no_links = self.links.number((), ())
        self._facts: Numbered[None] = Numbered()
        self._worlds: dict[Any, World] = {}
        self._matches: dict[Any, tuple[str | None, frozenset[str], int]] = {}
        self._known: dict[Any, int] = {}
        self._effects: dict[tuple[tuple[int, ...], bool], tuple[int, ...]] = {}

    @property
    def size(self) -> int:
        """How many combinations are remembered."""
        return len(self._matches) + len(self._known) + len(self._worlds) + len(self._effects) + len(self.made) + self.sights.size

    def number(self, statement: Statement) -> int:
        """The number of a statement."""
        return self.all.number(statement, statement)

    # --- whose results, in what circumstances ------------------------------------------------------------------

    def book(self, patient: Patient) -> Book:
        """The rules for a person as given."""
        return book_for(self.catalog, patient, self.authority, self.as_of)

    def world(self, patient: Patient, views: Views) -> World:
        """A person in the circumstances that the results of `derived` show."""
        key = (patient.facts, *views)
        found = self._worlds.get(key)
        if found is None:
            policy, book = self.catalog.table["policy"], self.book(patient)
            panel = self._panel(book, self.derived, views, {})
            contexts = derived_contexts(panel, policy)
            shown, truths = shown_by(contexts, patient), told(contexts, patient)
            said = [Statement(CONTEXT, n, text=shown_text(policy, [n]), analytes=tuple(sorted(truths[n].rows))) for n in shown]
            book = with_shown(book, shown) if shown else book
            panel = seen_together(book, (), {}, truths)
            found = World(book, truths, tuple(map(self.number, said)), muscle_text_applies(panel))
            units = (*self.patterns, *self.conditions, self.excepted)
            facts = [tuple(evaluate(gate, panel) for gate in unit.facts) for unit in units]
            found = found._replace(facts=tuple(self._facts.number((found.muscle, one), None) for one in facts))
            self._worlds[key] = found
        return found

    # --- what is said ------------------------------------------------------------------------------------------

    def pattern(self, unit: Unit, world: World, facts: int, views: Views) -> int:
        """The number of what a pattern says; -1 where it says nothing."""
        return self._matched(unit, world, facts, views)[2]

    def _matched(self, unit: Unit, world: World, facts: int, views: Views) -> tuple[str | None, frozenset[str], int]:
        """How certain a pattern is, if it was decided at all, what it replaces, and the number of what it says."""
        key = (PATTERN, unit.data["id"], facts, *views)
        found = self._matches.get(key)
        if found is None:
            panel = self._panel(world.book, unit, views, world.contexts)
            match = next((m for m in match_patterns(panel, unit.patterns) if m.id == unit.data["id"]), None)
            number = -1
            if match is not None:
                kind = OPEN if match.certainty == "cannot_tell" else PATTERN
                said = match.next_test or ";".join(match.settled_by)
                missing = ";".join(match.missing) or None
                number = self.number(
                    Statement(kind, match.id, match.certainty, None, missing, said or None, text=match.text, analytes=match.because)
                )
            id = unit.data["id"]
            found = self._matches[key] = panel.matches.get(id), panel.replaced.get(id, frozenset()), number
        return found

    def condition(self, unit: Unit, world: World, facts: int, views: Views) -> int:
        """The number of the links of a condition that hold."""
        if not world.muscle:
            return self.no_links
        key = (EFFECT, unit.data["id"], facts, *views)
        found = self._known.get(key)
        if found is None:
            panel, seen = self._panel(world.book, unit, views, world.contexts), dict(zip(unit.analytes, views, strict=True))
            for number, pattern in enumerate(self.patterns):
                if pattern.data["id"] in unit.patterns:
                    certainty, replaced, _ = self._matched(pattern, world, world.facts[number], [seen[at] for at in pattern.analytes])
                    panel.matches |= {} if certainty is None else {pattern.data["id"]: certainty}
                    panel.replaced[pattern.data["id"]] = replaced
            places = {id(link): at for at, link in enumerate(unit.data["links"])}
            active = active_links(panel, [unit.data])
            at = next(n for n, one in enumerate(self.conditions) if one is unit)
            links = tuple((at, places[id(one.link)], one.rows, one.read_together) for one in active)
            found = self._known[key] = self.links.number(links, links)
        return found

    def makes_exception(self, unit: Unit, world: World, facts: int, views: Views) -> int:
        """Whether links are given also of a single mild value: 1 or 0."""
        panel = self._panel(world.book, unit, views, world.contexts)
        return int(any(evaluate(gate, panel).value is True for gate in self.catalog.table["policy"]["single_mild"]["unless"]))

    def effects(self, links: tuple[int, ...], single: bool) -> tuple[int, ...]:
        """The statements of all links together, strongest first.

        Args:
            links: For each condition, from `condition`.
            single: Whether a single mild value is all there is, so that links with little evidence are held back.
        """
        found = self._effects.get((links, single))
        if found is None:
            active, policy = [], self.catalog.table["policy"]
            for condition, place, analytes, together in (one for number in links for one in self.links.things[number]):
                data = self.conditions[condition].data
                active.append(ActiveLink(data, data["links"][place], analytes, together))
            active = [one for one in active if firm(policy, one)] if single else active
            made = effects(Panel(self.book(Patient()), (), {}), active)
            said = [Statement(EFFECT, e.id, e.certainty, e.relation, text=e.text, analytes=tuple(e.because)) for e in made]
            found = self._effects[links, single] = tuple(map(self.number, said))
        return found

    def alerts(self, cell: int, contexts: frozenset[str]) -> list[int]:
        """The alerts for one result of a person in these circumstances.

        Args:
            cell: Number of a cell whose sight was learned.
            contexts: Declared and shown.
        """
        held = [a for a in self.sights.alerts(cell) if set(a["requires"]) <= contexts]
        return [self.number(Statement(ALERT, alert["id"], tier=alert["tier"], text=alert["text"])) for alert in held]

    # --- panels made of sights ---------------------------------------------------------------------------------

    def _panel(self, book: Book, unit: Unit, views: Views, contexts: Mapping[str, Truth]) -> Panel:
        """The panel that a unit sees; its rows are the places of the analytes."""
        panel = self.sights.panel(book, dict(zip(unit.analytes, views, strict=True)))
        panel.context_truth = dict(contexts)
        return panel

    # --- what a unit looks at ----------------------------------------------------------------------------------

    def _unit(self, data: Mapping[str, Any], gates: Iterable[Mapping[str, Any]], patterns: Iterable[str] = ()) -> Unit:
        analytes, facts, asked, left = set[str](), list[Mapping[str, Any]](), set(patterns), list(gates)
        table = self.catalog.table
        for id in asked:
            analytes |= set(table["patterns"][id]["inputs"])
            left.extend(_pattern_gates(table["patterns"][id]))
        while left:
            for gate in _inside(left.pop()):
                analytes |= set(asked_of(self.catalog, gate))
                if any(word in gate for word in _OF_A_PERSON) and gate not in facts:
                    facts.append(gate)
                pattern = table["patterns"].get(gate.get("pattern"))
                if pattern is not None and pattern["id"] not in asked:
                    asked.add(pattern["id"])
                    analytes |= set(pattern["inputs"])
                    left.extend(_pattern_gates(pattern))
        return Unit(data, tuple(sorted(self._at[a] for a in analytes)), tuple(facts), frozenset(asked))


def _pattern_gates(pattern: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*pattern.get("tests", {}).values(), *(outcome["when"] for outcome in pattern["outcomes"])]


def _condition_gates(condition: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [part["when"] for part in (*condition.get("links", ()), *condition.get("suppress", ()))]


def _replacing(condition: Mapping[str, Any], patterns: Iterable[Mapping[str, Any]]) -> list[str]:
    """The patterns that may speak in place of a condition or one of its links."""
    own = {condition["id"], *(link["id"] for link in condition["links"])}
    return [p["id"] for p in patterns if own & {*p.get("replaces", ()), *(id for o in p["outcomes"] for id in o.get("replaces", ()))}]


def _inside(gate: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield gate
    for word in ("all_of", "any_of", "none_of", "of"):
        for inner in gate.get(word, ()):
            yield from _inside(inner)
