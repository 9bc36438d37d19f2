"""Results -> what the gates of patterns, links and alerts see of them.

A gate asks one question of every result of an analyte: does it lie in these bands, has it one of these codes, does it lie in
this span? Two results for which every question has the same answer are one sight. There are few sights, so what is said of
results together is worked out once for each combination of them, by the gates themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from math import inf, isfinite, nextafter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labinterp._book import Book
from labinterp._frames.classes import Numbered
from labinterp._inputs import Patient
from labinterp._lanes import gate_sets, gate_spans, gates
from labinterp._measure import Measured
from labinterp._patterns import Panel, evaluate
from labinterp._quantity import Quantity
from labinterp._results import Basis, Finding, Memo
from labinterp._spans import holds, span_edges
from labinterp._worlds import worlds

if TYPE_CHECKING:
    from labinterp._catalog import Catalog

SAME_ROW = 0  # the row of a result that is looked at alone
_NOTHING = Measured(SAME_ROW, "", "", "", "", Quantity(Decimal(0), ""), 0.0, None, None, ())


class Cell(NamedTuple):
    """Results that no gate tells apart, for people with the same lines.

    Attributes:
        analyte: Id.
        unit: UCUM code.
        comparator: As in `Quantity`.
        number: One number of the stretch.
        value: The number as printed, where that has more digits than a float keeps and lies on a line.
        high: Upper end of a value that is a range.
        code: The result's interpretation code, where a gate asks for it.
        undecided: Whether it has several possible bands.
    """

    analyte: str
    unit: str
    comparator: str
    number: float
    value: Decimal | None = None
    high: float | None = None
    code: str | None = None
    undecided: bool = False


class Sights:
    """The sights of one catalog.

    Args:
        catalog: The data.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        table = catalog.table
        self.analytes = list(table["analytes"])
        # each question once, with the ids of all gates that ask it
        self.questions: dict[str, list[tuple[Mapping[str, Any], list[int]]]] = {}
        for gate in gates(catalog):
            for analyte in asked_of(catalog, gate):
                listed = self.questions.setdefault(analyte, [])
                same = next((ids for one, ids in listed if one == gate), None)
                if same is None:
                    listed.append((gate, [id(gate)]))
                else:
                    same.append(id(gate))
        self.asks_codes = [any("codes" in gate for gate, _ in self.questions.get(analyte, ())) for analyte in self.analytes]
        self._years = table["policy"]["pregnancy_possible_years"]
        self._edges: dict[tuple[str, str, int], npt.NDArray[np.float64]] = {}
        moving = [[(shift, c) for id in gate_sets(catalog).get(one, ()) for shift in catalog.limit_set(id).data["shifts"] for c in shift["requires"]]
                  for one in self.analytes]  # fmt: skip
        self._moving = [frozenset(context for _, context in each) for each in moving]
        self._moves: Numbered[frozenset[str]] = Numbered()
        self._moves.number(frozenset(), frozenset())
        self._lines: Numbered[None] = Numbered()
        self._lines_of: dict[Any, npt.NDArray[np.int64]] = {}
        self._answers: Numbered[tuple[str, tuple[bool | None, ...]]] = Numbered()
        self._together: dict[tuple[int, ...], int] = {}
        self._book = Book(catalog, Patient(), None, catalog.as_of)
        self._sight_of: dict[tuple[int, int], int] = {}
        self._alerts: dict[int, list[Mapping[str, Any]]] = {}

    @property
    def size(self) -> int:
        """How many cells are remembered."""
        return len(self._sight_of) + len(self._together)

    def moves(self, patient: Patient) -> npt.NDArray[np.int64]:
        """For each analyte the number of the circumstances that move the lines gates ask about; 0 where none does."""
        found = [moving & patient.contexts for moving in self._moving]
        return np.array([self._moves.number(one, one) for one in found], np.int64)

    def edges(self, analyte: str, unit: str, moved: int = 0) -> npt.NDArray[np.float64]:
        """Where what is seen of a number may change, whoever it belongs to: `searchsorted(edges, number, "right")` is its stretch.

        Args:
            analyte: Id.
            unit: UCUM code.
            moved: From `moves`, for the person.
        """
        found = self._edges.get((analyte, unit, moved))
        if found is None:
            marks: set[float] = set()
            for id in gate_sets(self.catalog).get(analyte, ()):
                limits = self.catalog.limit_set(id).moved(self._moves.things[moved])
                for population in range(len(limits.populations)):
                    marks |= set(limits.edges_in(population, unit))
            for span in (*gate_spans(self.catalog).get(analyte, ()), *self.catalog.table["analytes"][analyte]["alerts"]):
                marks |= set(span_edges(self.catalog, analyte, span, unit)[0])
            # a comparator may count a mark with the number below or above it
            near = {x for mark in marks if isfinite(mark) for x in (nextafter(mark, -inf), mark, nextafter(mark, inf))}
            found = self._edges[analyte, unit, moved] = np.array(sorted(near))
        return found

    def lines(self, patient: Patient) -> npt.NDArray[np.int64]:
        """For each analyte the number of what of a person decides the lines that gates ask about."""
        found = self._lines_of.get(patient.facts)
        if found is None:
            sets = gate_sets(self.catalog)
            asked = [[worlds(self.catalog.limit_set(id), patient.facts, self._years) for id in sets.get(one, ())] for one in self.analytes]
            moved = [patient.contexts & moving for moving in self._moving]
            keys = [(analyte, tuple(map(tuple, each)), by) for analyte, each, by in zip(self.analytes, asked, moved, strict=True)]
            found = self._lines_of[patient.facts] = np.array([self._lines.number(key, None) for key in keys])
        return found

    def known(self, cell: int, lines: int) -> int:
        """The number of what is seen of a cell by its number, from 1; 0 where it was not learned yet.

        Args:
            cell: Its number.
            lines: From `lines`, for the person.
        """
        return self._sight_of.get((cell, lines), 0)

    def learned(self, number: int, cell: Cell, lines: int, book: Book) -> int:
        """The number of what is seen of a cell, asked of the gates.

        Args:
            number: Of the cell.
            cell: A result of it.
            lines: From `lines`, for the person of the book.
            book: The person's rules.
        """
        measured, answer = _measured(cell), _answer(book, cell)
        panel = Panel(book, [measured], {SAME_ROW: answer} if answer else {})
        answers = tuple(evaluate(gate, panel).value for gate, _ in self.questions.get(cell.analyte, ()))
        found = self._sight_of[number, lines] = self._answers.number((cell.analyte, answers), (cell.analyte, answers)) + 1
        alerts = self.catalog.table["analytes"][cell.analyte]["alerts"]
        self._alerts[number] = [alert for alert in alerts if holds(self.catalog, measured, alert) is True]
        return found

    def alerts(self, cell: int) -> list[Mapping[str, Any]]:
        """The alerts in whose span a learned cell lies, whatever else they require."""
        return self._alerts[cell]

    def together(self, sights: Sequence[int]) -> int:
        """What is seen of several results of one analyte in a panel: a question on which they do not agree has no answer."""
        if len(sights) == 1:
            return sights[0]
        found = self._together.get(tuple(sights))
        if found is None:
            answers = [self._answers.things[sight - 1] for sight in sights]
            analyte = answers[0][0]
            panel = Panel(self._book, [_NOTHING._replace(row=row, analyte=analyte) for row in range(len(answers))], {})
            asked = range(len(self.questions.get(analyte, ())))
            agreed = tuple(panel.ask(analyte, lambda one, n=n: answers[one.row][1][n]).value for n in asked)  # type: ignore[misc]
            found = self._together[tuple(sights)] = self._answers.number((analyte, agreed), (analyte, agreed)) + 1
        return found

    def panel(self, book: Book, views: Mapping[int, int]) -> Panel:
        """A panel of sights, with what every gate makes of them; its rows are the places of the analytes.

        Args:
            book: The rules for the person.
            views: Place of an analyte -> what is seen of its results, 0 where there are none.
        """
        there = {at: self._answers.things[view - 1][1] for at, view in views.items() if view}
        panel = Panel(book, [_NOTHING._replace(row=at, analyte=self.analytes[at]) for at in there], {})
        for at in views:
            for number, (_, ids) in enumerate(self.questions.get(self.analytes[at], ())):
                truth = panel.ask(self.analytes[at], lambda one, number=number: there[one.row][number])  # type: ignore[misc]
                panel.known.update(dict.fromkeys(ids, truth))
        return panel


def asked_of(catalog: Catalog, gate: Mapping[str, Any]) -> Iterable[str]:
    """The analyte whose results a gate asks directly."""
    if "limits" in gate and "bands" in gate:
        yield catalog.table["limits"][gate["limits"]]["analyte"]
    elif "analyte" in gate and ("codes" in gate or "span" in gate):
        yield gate["analyte"]


def _measured(cell: Cell) -> Measured:
    high = None if cell.high is None else Decimal(repr(cell.high))
    value = Decimal(repr(cell.number)) if cell.value is None else cell.value
    quantity = Quantity(value, cell.unit, cell.comparator, high)
    return Measured(SAME_ROW, cell.analyte, "", "", "", quantity, cell.number, cell.high, None, ())


def _answer(book: Book, cell: Cell) -> Finding | None:
    """A finding as far as gates look at one: its code, and whether it is decided. The code itself was found in the row's own way."""
    if cell.code is None:
        return None
    basis = Basis(book.catalog, book.patient, None, None, book.as_of, None, ("",) if cell.undecided else (), Memo())
    measured = _measured(cell)
    return Finding(SAME_ROW, cell.analyte, "", "", measured.quantity, cell.code, None, "", "", "", None, (), basis)
