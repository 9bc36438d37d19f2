"""The parts of what a draw means, each remembered by the results it looks at: a draw that is new as a whole has few new parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._explain import ActiveLink, active_links, muscle_text_applies
from labinterp._lanes import within
from labinterp._measure import Measured
from labinterp._patterns import Panel, Truth, evaluate, match_patterns
from labinterp._quantity import Quantity
from labinterp._questions import NO_ANSWERS, Truths, asked_of, questions
from labinterp._report import PatternMatch

if TYPE_CHECKING:
    from labinterp._book import Book
    from labinterp._catalog import Catalog

MOST = 8192  # parts of one catalog
Told = tuple[tuple[str, Truths], ...]  # analyte, what its results say to each of its gates
Analytes = frozenset[str]


class Shown(NamedTuple):
    """What the results of a draw show of the person's circumstances.

    Attributes:
        contexts: Each that nobody declared: name, truth, the analytes it rests on, the analytes that are missing.
        names: The circumstances that hold.
        undecided: The circumstances that a result leaves open.
    """

    contexts: tuple[tuple[str, bool | None, frozenset[str], frozenset[str]], ...]
    names: tuple[str, ...]
    undecided: tuple[str, ...]


class Asks(NamedTuple):
    """All that a part of the data looks at, beside the person."""

    analytes: tuple[str, ...]
    contexts: tuple[str, ...]
    patterns: tuple[str, ...]


class Draw:
    """One draw on its way to its meaning, with an analyte in place of each row.

    Args:
        book: The rules for the person in the circumstances that the draw shows.
        told: What the results of each analyte say.
        shown: What the draw shows of circumstances.
    """

    def __init__(self, book: Book, told: Told, shown: Shown) -> None:
        self.book, self.catalog, self.told, self.shown = book, book.catalog, told, shown
        self.truths, self.contexts = dict(told), {one[0]: one for one in shown.contexts}
        self.matches: dict[str, str] = {}
        self.replaced: dict[str, frozenset[str]] = {}
        self._made: Panel | None = None
        self._known: dict[Any, Any] = book.catalog.learn("parts", dict)

    def _remembered(self, name: str, asks: Asks, more: Any, work: Callable[[], Any]) -> Any:
        key = (
            name, person_of_gates(self.book), tuple(map(self.truths.get, asks.analytes)), tuple(map(self.contexts.get, asks.contexts)),
            tuple(map(self.matches.get, asks.patterns)), more,
        )  # fmt: skip
        found = self._known.get(key)
        if found is None:
            found = work()
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = found
        return found

    def _panel(self) -> Panel:
        if self._made is None:
            panel = self._made = answered_panel(self.book, self.told)
            rows = {analyte: row for row, (analyte, _) in enumerate(self.told)}
            panel.context_truth = {
                name: Truth(value, frozenset(rows[a] for a in on), missing) for name, value, on, missing in self.shown.contexts
            }
        self._made.matches, self._made.replaced = self.matches, self.replaced
        return self._made

    def _analytes(self, rows: Iterable[int]) -> Analytes:
        return frozenset(self.told[row][0] for row in rows)

    def holds(self, name: str, gates: list[Mapping[str, Any]]) -> bool:
        """Whether one of some gates of the data holds."""
        asks = _asks(self.catalog, id(gates[0]), gates) if gates else Asks((), (), ())
        found: tuple[bool] = self._remembered(
            f"{name} {id(gates[0]) if gates else 0}",
            asks,
            None,
            lambda: (any(evaluate(gate, self._panel()).value is True for gate in gates),),
        )
        return found[0]

    def match(self, pattern: Mapping[str, Any]) -> PatternMatch | None:
        """What a pattern says of the draw; `because` is a set of analytes. The patterns it refers to come before it."""
        id = pattern["id"]
        certainty, replaced, match = self._remembered(id, _asks(self.catalog, f"pattern {id}", pattern), None, lambda: self._match(id))
        if certainty is not None:
            self.matches[id], self.replaced[id] = certainty, replaced
        return match  # type: ignore[no-any-return]

    def _match(self, id: str) -> tuple[str | None, frozenset[str] | None, PatternMatch | None]:
        panel = self._panel()
        found = match_patterns(panel, (id,))
        match: Any = found[0]._replace(because=self._analytes(found[0].because)) if found else None  # type: ignore[arg-type]
        return panel.matches.pop(id, None), panel.replaced.pop(id, None), match

    def links(self, condition: Mapping[str, Any]) -> list[ActiveLink]:
        """The links of a condition that hold for the draw; their `rows` are sets of analytes. To be asked behind all patterns."""
        own = {condition["id"], *(link["id"] for link in condition.get("links", ()))}
        silenced = frozenset(own & frozenset[str]().union(*self.replaced.values()))
        asks = _asks(self.catalog, f"condition {condition['id']}", condition)
        found: list[ActiveLink] = self._remembered(f"links {condition['id']}", asks, silenced, lambda: self._links(condition))
        return found

    def _links(self, condition: Mapping[str, Any]) -> list[ActiveLink]:
        found: list[Any] = active_links(self._panel(), [condition])
        return [one._replace(rows=self._analytes(one.rows)) for one in found]


def _asks(catalog: Catalog, name: Any, part: Any) -> Asks:
    """What a part of the data looks at; a pattern that it refers to is looked at with all of its inputs and circumstances."""
    key = ("asks", name)
    found: Asks | None = catalog.memo.get(key)
    if found is None:
        inside = questions(catalog).inside
        gates = inside.get(id(part)) or within(part)
        analytes = {a for gate in gates if (a := asked_of(catalog, gate)) is not None}
        contexts = {gate["context"] for gate in gates if "context" in gate}
        patterns = {gate["pattern"] for gate in gates if "pattern" in gate}
        for named in patterns:
            inner = catalog.table["patterns"][named]
            analytes |= set(inner["inputs"])
            contexts |= {gate["context"] for gate in inside[id(inner)] if "context" in gate}
        found = catalog.remember(key, Asks(tuple(sorted(analytes)), tuple(sorted(contexts)), tuple(sorted(patterns))))
    return found


def person_of_gates(book: Book) -> tuple[Any, ...]:
    """All of a person that gates and the links to muscle depend on."""
    if book.person is None:
        panel = Panel(book, (), NO_ANSWERS)
        ages = tuple(evaluate(gate, panel).value for gate in questions(book.catalog).ages)
        book.person = (book.patient.sex, book.patient.contexts, muscle_text_applies(panel), ages)
    return book.person


def answered_panel(book: Book, told: Told) -> Panel:
    """A panel with one row for each analyte, whose gates are answered before they are asked."""
    nothing = Quantity(Decimal(0), "")
    panel = Panel(book, [Measured(row, name, "", "", "", nothing, 0.0, None, None, ()) for row, (name, _) in enumerate(told)], NO_ANSWERS)
    asked, unanswered = questions(book.catalog).of, questions(book.catalog).unanswered
    panel.known = dict(unanswered)
    for row, (name, truths) in enumerate(told):
        rows = frozenset((row,))
        panel.known.update((id(gate), Truth(value, rows)) for gate, value in zip(asked.get(name, ()), truths, strict=True))
    return panel
