"""The results of panels as columns: what each says in its panel, and the sight it is.

A row's answer comes from the row-by-row way: once for the person its row describes and, where the panel knows more of the
person or shows a circumstance, once more for the person of the panel.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from labinterp._codes import CODES, REASONS
from labinterp._draw_frames.derived_results import MEASURED, Results
from labinterp._draw_frames.persons import SEXES, STATES, Ints, PersonFacts, as_days
from labinterp._draw_frames.sights import Cell
from labinterp._frames import local
from labinterp._frames.numbers import DIGITS, OPS, written
from labinterp._frames.texts import as_text
from labinterp._frames.words import Vocabulary
from labinterp._quantity import Unreadable, read_value

if TYPE_CHECKING:
    from labinterp._draw_frames.row_panels import Panels
    from labinterp._draw_frames.statements import Statements, World
    from labinterp._frames.asked import Asked

RANGE = len(OPS) - 1
TOLD = ("code", "band", "limits", "reason")  # what may be different in a panel
# Refused only after the quantity was read and believed: such a result still speaks in a panel.
AFTER_READING = ("no_limit_for_population", "authority_gives_no_limit", "sex_unknown", "age_unknown", "pregnancy_unknown")


def places_of(answers: pl.DataFrame, name: str) -> Ints:
    """A column of closed words as their places from 1, 0 for none."""
    return answers[name].to_physical().cast(pl.Int64).fill_null(-1).to_numpy() + 1


def results(answers: pl.DataFrame, panel: Ints, days: Ints, relevant: list[int]) -> Results:
    """The results that were read, of analytes that anything is said of."""
    analyte, reason = places_of(answers, "analyte") - 1, places_of(answers, "reason")
    counts = np.zeros(len(REASONS) + 1, bool)
    counts[[0, *(REASONS.index(name) + 1 for name in AFTER_READING)]] = True
    speaks = np.zeros(int(analyte.max(initial=-1)) + 2, bool)
    speaks[[at for at in relevant if at + 1 < len(speaks)]] = True
    row = np.flatnonzero(counts[reason] & speaks[analyte])
    chosen = answers[row] if len(row) < answers.height else answers
    return Results(
        row, panel[row], analyte[row], places_of(chosen, "unit") - 1, places_of(chosen, "comparator"),
        chosen["value"].to_numpy(), places_of(chosen, "code"), places_of(chosen, "band"), days[row], np.full(len(row), MEASURED),
    )  # fmt: skip


def answered(columns: Mapping[str, pl.Series], asked: Asked) -> pl.DataFrame:
    """The row-by-row answers, without a prefix."""
    alone = asked._replace(columns={role: role for role in columns}, prefix="li_", kept="results", near=False)
    made = local.answers(pl.DataFrame([column.alias(role) for role, column in columns.items()]), alone)
    return made.rename(lambda name: name.removeprefix("li_"))


def refused(answers: pl.DataFrame, rows: Ints) -> pl.DataFrame:
    """The answers, but for rows whose unit their panel contradicts.

    Args:
        answers: From `answered`.
        rows: Their places.
    """
    if not rows.size:
        return answers
    doubted = np.zeros(answers.height, bool)
    doubted[rows] = True
    at, reason = pl.lit(pl.Series(doubted)), pl.lit("implausible").cast(answers.schema["reason"])
    nothing = [pl.when(~at).then(pl.col(name)).alias(name) for name in TOLD if name != "reason"]
    return answers.with_columns(*nothing, reason=pl.when(at).then(reason).otherwise(pl.col("reason")))


def answered_anew(
    columns: Mapping[str, pl.Series], asked: Asked, answers: pl.DataFrame, panels: Panels, worlds: list[World], world: Ints, doubted: Ints
) -> tuple[pl.DataFrame, Ints, pl.DataFrame]:
    """The answers in the panels, the rows that were asked again, and their answers on their own.

    Args:
        columns: Role -> column.
        asked: What was asked for.
        answers: From `answered`.
        panels: Rows in panels.
        worlds: Kinds of persons in their circumstances.
        world: That of each panel.
        doubted: Rows whose unit their panel contradicts.
    """
    shows = np.array([bool(one.shown) for one in worlds], bool)[world]
    other = panels.changed | shows[panels.of_row]
    other[doubted] = True
    row = np.flatnonzero(other)
    if not row.size:
        return answers, row, answers.clear()
    panel = panels.of_row[row]
    again = {role: column.gather(row) for role, column in columns.items()} | _person_columns(panels.facts.at(panel), worlds, world[panel])
    alone, anew = answers[row], refused(answered(again, asked), np.searchsorted(row, doubted))
    places = pl.Series(np.arange(answers.height)).scatter(row, np.arange(len(row)) + answers.height)
    return (
        pl.concat([answers, anew])[places.to_numpy()],
        row,
        pl.concat([alone, anew.select(pl.all().name.suffix(" anew"))], how="horizontal"),
    )


def _person_columns(facts: PersonFacts, worlds: list[World], world: Ints) -> dict[str, pl.Series]:
    """The facts of rows as columns that read back to them."""
    contexts = [";".join(sorted(one.book.patient.contexts)) or None for one in worlds]
    yes_no = [None if state is None else "yes" if state else "no" for state in STATES]
    return {
        "sex": pl.Series(SEXES, dtype=pl.String).gather(facts.sex),
        "age_years": pl.Series(facts.age, nan_to_null=True, dtype=pl.Float64),
        "birth_date": as_days(facts.born),
        "collected_at": as_days(facts.day),
        "pregnant": pl.Series(yes_no, dtype=pl.String).gather(facts.pregnant),
        "context": pl.Series(contexts, dtype=pl.String).gather(world),
    }


class Cells:
    """Numbers the cells of results: stretches between the edges that gates know, with what else gates ask.

    Args:
        statements: For the edges.
        decimal: The decimal mark of the source.
    """

    def __init__(self, statements: Statements, decimal: str | None) -> None:
        self._sights, self._decimal = statements.sights, decimal
        self._units, self._codes = Vocabulary(statements.catalog).words["unit"], (None, *CODES)
        self._asks = np.array(self._sights.asks_codes)
        self._first: dict[Any, int] = {}
        self._next = 0

    def of(self, found: Results, values: pl.Series, moved: Ints) -> tuple[Ints, Any]:
        """The cell of each result, and whether it is one of its own.

        Args:
            found: The results.
            values: The values as printed, of the frame's rows.
            moved: From `Sights.moves`, for each result.
        """
        pair = (moved * len(self._sights.analytes) + found.analyte) * len(self._units) + found.unit
        stretch, on_mark = np.zeros(len(pair), np.int64), found.op == RANGE
        for one in np.unique(pair).tolist():
            here = np.flatnonzero(pair == one)
            edges, number = self._edges(found, moved, here[0]), found.number[here]
            at = np.searchsorted(edges, number, side="right")
            stretch[here] = self._room(one, len(edges) + 1) + at
            if len(edges):
                on_mark[here] |= (at > 0) & (edges[at - 1] == number)
        alone = np.zeros(len(pair), bool)
        for n in self._alone(found, values, on_mark):
            value, high = self._exact(found, values, n)
            if value is not None:
                top = -1 if high is None else int(np.searchsorted(self._edges(found, moved, n), high, side="right"))
                shown = value if len(value.as_tuple().digits) > DIGITS else None
                stretch[n], alone[n] = self._room((int(stretch[n]), shown, top), 1), True
        asks = self._asks[found.analyte]
        code = np.where(asks, found.code, 0)
        undecided = asks & (found.band == 0)
        cell: Ints = ((stretch * len(OPS) + found.op) * len(self._codes) + code) * 2 + undecided
        return cell, alone

    def _edges(self, found: Results, moved: Ints, n: int) -> Any:
        return self._sights.edges(self._sights.analytes[found.analyte[n]], self._units[found.unit[n]], int(moved[n]))

    def _alone(self, found: Results, values: pl.Series, on_mark: Any) -> list[int]:
        """Ranges, and numbers that end on a line and were printed with more digits than a float keeps."""
        places = np.flatnonzero(on_mark & (found.made == MEASURED))
        long = as_text(values.gather(found.row[places])).str.len_bytes().fill_null(0).to_numpy() > DIGITS
        return list(places[long | (found.op[places] == RANGE)].tolist())

    def _exact(self, found: Results, values: pl.Series, n: int) -> tuple[Decimal | None, float | None]:
        """The number as printed, where that is another one than the float, and the upper end of a range."""
        raw = values[int(found.row[n])]
        read = read_value(written(raw) if isinstance(raw, Decimal) else raw, self._decimal)
        if isinstance(read, Unreadable) or float(read.value) != found.number[n]:
            return None, None
        return read.value, None if read.high is None else float(read.high)

    def cell(self, found: Results, values: pl.Series, n: int, alone: bool) -> Cell:
        """The cell of one result."""
        asks = bool(self._asks[found.analyte[n]])
        value, high = self._exact(found, values, n) if alone else (None, None)
        return Cell(
            self._sights.analytes[found.analyte[n]],
            self._units[found.unit[n]],
            OPS[found.op[n]],
            float(found.number[n]),
            value,
            high,
            self._codes[found.code[n]] if asks else None,
            asks and found.band[n] == 0,
        )

    def _room(self, key: Any, size: int) -> int:
        found = self._first.get(key)
        if found is None:
            found = self._first[key] = self._next
            self._next += size
        return found
