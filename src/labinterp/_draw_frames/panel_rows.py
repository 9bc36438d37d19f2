"""Rows of results -> rows of statements: what each draw says that no row says alone.

Results become sights, the sights of a draw become the statements that a single panel gets (`statements`), each combination
worked out once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from labinterp._codes import CODES
from labinterp._draw_frames.betrayed_rows import People, betrayed_rows
from labinterp._draw_frames.derived_results import AGAIN, Results, days_of, with_derived
from labinterp._draw_frames.panel_results import TOLD, Cells, answered, answered_anew, places_of, refused, results
from labinterp._draw_frames.persons import Ints, PersonReader, numbered
from labinterp._draw_frames.row_panels import By, Panels, panels
from labinterp._draw_frames.said import Said, Slots, flat, nothing, slots_of
from labinterp._draw_frames.statements import FINDING, KINDS, Statement, Statements, Unit, World
from labinterp._frames.texts import LOCK

if TYPE_CHECKING:
    from labinterp._frames.asked import Asked
    from labinterp._inputs import Patient

ADDED = ("kind", "id", "certainty", "relation", "because", "missing", "next", "tier", "text")
_MOST = 200_000  # combinations remembered; a reader that knows more is replaced


class PanelReader:
    """Reads draws; what it learns from one frame serves the next.

    Args:
        asked: Whose limits, on which day.
    """

    def __init__(self, asked: Asked) -> None:
        self._statements = Statements(asked.catalog, asked.authority, asked.as_of)
        self._persons = PersonReader(asked.catalog)
        self._cells = Cells(self._statements, asked.decimal)

    @property
    def full(self) -> bool:
        """Whether it has learned more than is kept."""
        return self._statements.size > _MOST

    def read(
        self, columns: Mapping[str, pl.Series], by: By, labels: pl.Series, asked: Asked, research: bool
    ) -> tuple[Ints, Ints, pl.DataFrame]:
        """The statements of all panels, in the order of the panels' first rows.

        Args:
            columns: Role -> column, those that answers depend on.
            by: What makes a draw.
            labels: What each row is called in "because".
            asked: What was asked for.
            research: Whether links with little evidence are asked for where a single mild value is all there is.

        Returns:
            tuple: for each statement the first row of its panel, a row of the first day of its draw, and a frame of the columns `ADDED`.
        """
        height = len(labels)
        if not height:
            return *np.zeros((2, 0), np.int64), pl.DataFrame(schema=dict.fromkeys(ADDED, pl.String))
        answers = answered(columns, asked)
        with LOCK:
            own = self._persons.read(columns, height)
            grouped, days = panels(own, columns, by), days_of(own.day, columns)
            who, patients = self._persons.patients(grouped.facts)
            values, shown_by = columns["value"], list(self._statements.derived.analytes)
            read, people = results(answers, grouped.of_row, days, self._statements.relevant), People(grouped.facts, patients, who)
            doubted = betrayed_rows(read, self._statements, people)
            worlds, world = self._worlds(results(refused(answers, doubted), grouped.of_row, days, shown_by), values, patients, who)
        answers, row, anew = answered_anew(columns, asked, answers, grouped, worlds, world, doubted)
        with LOCK:
            found = results(answers, grouped.of_row, days, self._statements.relevant)
            found, derived = with_derived(found, self._statements, grouped.facts, worlds, world)
            sight, alerts = self._sights(found, values, [one.book.patient for one in worlds], world)
            slots = slots_of(found, sight, len(grouped.first), self._statements.sights)
            single = np.zeros(len(world), bool) if research else self._single(answers, grouped, slots, worlds, world)
            said = [
                *self._patterns(slots, worlds, world),
                self._effects(slots, worlds, world, single),
                alerts,
                self._shown(worlds, world),
                self._findings(anew, row, grouped),
                *(Said(panel, np.full(len(panel), at), said, np.full(len(panel), -1)) for at, panel, said in derived),
            ]
            return self._written(said, slots, grouped, labels)

    # --- sights ------------------------------------------------------------------------------------------------

    def _worlds(self, found: Results, values: pl.Series, patients: list[Patient], who: Ints) -> tuple[list[World], Ints]:
        """The kinds of persons in the circumstances their panels show, and that of each panel."""
        sight, _ = self._sights(found, values, patients, who, with_codes=False)
        slots = slots_of(found, sight, len(who), self._statements.sights)
        unit = self._statements.derived
        number, first = numbered([pl.Series(who), *(pl.Series(slots.views[:, at]) for at in unit.analytes)])
        made = [self._statements.world(patients[who[n]], slots.views[n, list(unit.analytes)].tolist()) for n in first]
        return made, number

    def _sights(
        self, found: Results, values: pl.Series, people: Sequence[Patient], who: Ints, with_codes: bool = True
    ) -> tuple[Ints, Said]:
        """The sight of each result, and the alerts about single results.

        Args:
            found: The results.
            values: The values as printed, of the frame's rows.
            people: The persons met.
            who: That of each panel.
            with_codes: Whether the results' own codes are known.
        """
        if not with_codes:
            found = found._replace(code=np.zeros_like(found.code), band=np.ones_like(found.band))
        statements, sights = self._statements, self._statements.sights
        lines, moves = (np.array([of(one) for one in people]) for of in (sights.lines, sights.moves))
        person = who[found.panel]
        (cell, alone), line = self._cells.of(found, values, moves[person, found.analyte]), lines[person, found.analyte]
        kind, first = numbered([pl.Series(cell), pl.Series(line)])
        learned, alerted = np.zeros(len(first), np.int64), np.zeros(len(first), bool)
        for at, n in enumerate(first.tolist()):
            key = int(cell[n]), int(line[n])
            learned[at] = sights.known(*key) or sights.learned(
                key[0], self._cells.cell(found, values, n, bool(alone[n])), key[1], statements.book(people[person[n]])
            )
            alerted[at] = with_codes and bool(sights.alerts(key[0]))
        places = np.flatnonzero(alerted[kind] & (found.made != AGAIN))
        number, shown = numbered([pl.Series(cell[places]), pl.Series(person[places])])
        alerts = [statements.alerts(int(cell[n]), people[person[n]].contexts) for n in places[shown]]
        tiers = {s: int(str(statements.all.things[s].tier)[1:]) for s in {s for one in alerts for s in one}}
        place, statement = flat(number, alerts)
        about = found.at(places[place])
        order = np.array([tiers[one] for one in statement.tolist()], np.int64)
        return learned[kind], Said(about.panel, order, statement, about.row)

    # --- statements --------------------------------------------------------------------------------------------

    def _of_unit(
        self,
        number: int,
        unit: Unit,
        ask: Callable[[Unit, World, int, list[int]], int],
        slots: Slots,
        worlds: list[World],
        world: Ints,
    ) -> Ints:
        """What a unit makes of each panel."""
        facts = np.array([one.facts[number] for one in worlds], np.int64)
        kind, first = numbered([pl.Series(facts[world]), *(pl.Series(slots.views[:, at]) for at in unit.analytes)])
        made = [ask(unit, worlds[world[n]], int(facts[world[n]]), slots.views[n, list(unit.analytes)].tolist()) for n in first.tolist()]
        return np.array(made, np.int64)[kind]

    def _patterns(self, slots: Slots, worlds: list[World], world: Ints) -> list[Said]:
        out = []
        for order, unit in enumerate(self._statements.patterns):
            statement = self._of_unit(order, unit, self._statements.pattern, slots, worlds, world)
            panel = np.flatnonzero(statement >= 0)
            out.append(Said(panel, np.full(len(panel), order), statement[panel], np.full(len(panel), -1)))
        return out

    def _single(self, answers: pl.DataFrame, grouped: Panels, slots: Slots, worlds: list[World], world: Ints) -> Any:
        """Whether a single mild value is all there is in a panel, as `single_mild` tells it of one."""
        statements = self._statements
        policy, code = statements.catalog.table["policy"]["single_mild"], places_of(answers, "code")
        out, mild = (np.isin(code, [CODES.index(one) + 1 for one in policy[word]]) for word in ("out", "mild"))
        out &= places_of(answers, "band") > 0
        count, grave = (np.bincount(grouped.of_row[rows], minlength=len(world)) for rows in (out, out & ~mild))
        number = len(statements.patterns) + len(statements.conditions)
        excepted = self._of_unit(number, statements.excepted, statements.makes_exception, slots, worlds, world)
        return (count <= 1) & (grave == 0) & (excepted == 0)

    def _effects(self, slots: Slots, worlds: list[World], world: Ints, single: Any) -> Said:
        statements = self._statements
        links = [
            self._of_unit(number, unit, statements.condition, slots, worlds, world)
            for number, unit in enumerate(statements.conditions, len(statements.patterns))
        ]
        active = np.zeros(len(world), bool)
        for one in links:
            active |= one != statements.no_links
        panel = np.flatnonzero(active)
        if not panel.size:
            return nothing()
        kind, first = numbered([*(pl.Series(one[panel]) for one in links), pl.Series(single[panel])])
        made = [statements.effects(tuple(int(one[panel[n]]) for one in links), bool(single[panel[n]])) for n in first]
        place, statement = flat(kind, made)
        _, order = flat(kind, [range(len(one)) for one in made])
        return Said(panel[place], order, statement, np.full(len(place), -1))

    def _shown(self, worlds: list[World], world: Ints) -> Said:
        panel, statement = flat(world, [one.shown for one in worlds])
        return Said(panel, np.zeros(len(panel), np.int64), statement, np.full(len(panel), -1))

    def _findings(self, anew: pl.DataFrame, row: Ints, grouped: Panels) -> Said:
        """Results whose answer in the panel is another one than on their own."""
        if not anew.height:
            return nothing()
        names = [*TOLD, *(f"{name} anew" for name in TOLD)]
        columns = {name: places_of(anew, name) for name in ("analyte", *names)}
        differ = np.zeros(len(row), bool)
        for name in TOLD:
            differ |= columns[name] != columns[f"{name} anew"]
        places = np.flatnonzero(differ & (columns["analyte"] > 0))
        kind, first = numbered([pl.Series(columns[name][places]) for name in ("analyte", *names)])
        made = []
        for one in anew[places[first]].iter_rows(named=True):
            alone, together = (_words(*(one[f"{name}{end}"] for name in TOLD)) for end in ("", " anew"))
            made.append(self._statements.number(Statement(FINDING, one["analyte"], text=f"Alone: {alone}. In this draw: {together}.")))
        panel = grouped.of_row[row[places]]
        return Said(panel, np.zeros(len(places), np.int64), np.array(made, np.int64)[kind], row[places])

    # --- written -----------------------------------------------------------------------------------------------

    def _written(self, said: Sequence[Said], slots: Slots, grouped: Panels, labels: pl.Series) -> tuple[Ints, Ints, pl.DataFrame]:
        panel, order, statement, row = (np.concatenate(parts) for parts in zip(*said, strict=True))
        known = self._statements.all.things
        rank = np.array([KINDS.index(one.kind) for one in known], np.int64)
        sorted_ = np.lexsort((row, order, rank[statement], panel))
        panel, statement, row = panel[sorted_], statement[sorted_], row[sorted_]
        # the rows behind each: its own, or those of its analytes
        at, analyte = flat(statement, [one.analytes for one in known])
        place = slots.place[panel[at], analyte]
        at, place = at[place >= 0], place[place >= 0]
        size = slots.size[place]
        begin = np.repeat(slots.start[place] - np.concatenate([[0], np.cumsum(size)[:-1]]) if len(size) else size, size)
        rows = slots.row[begin + np.arange(len(begin))]
        own = np.flatnonzero(row >= 0)
        pairs = pl.DataFrame({"at": np.concatenate([np.repeat(at, size), own]), "row": np.concatenate([rows, row[own]])})
        pairs = pairs.unique().sort("at", "row")
        pairs = pairs.with_columns(because=labels.gather(pairs["row"]).cast(pl.String))
        because = pairs.group_by("at", maintain_order=True).agg(pl.col("because").str.join(";"))
        out = pl.DataFrame({"at": np.arange(len(statement)), "statement": statement}).join(
            because, on="at", how="left", maintain_order="left"
        )
        words = pl.DataFrame([one[:-1] for one in known], schema=dict.fromkeys(Statement._fields[:-1], pl.String), orient="row")
        frame = words[out["statement"].to_numpy()].with_columns(out["because"]).select(ADDED)
        return grouped.first[panel], grouped.day_row[panel], frame


def _words(code: str | None, band: str | None, limits: str | None, reason: str | None) -> str:
    """One answer in words."""
    if code is None:
        return f"not assessed, {reason}"
    return f"{code}, {'cannot be told' if band is None else band.replace('_', ' ')} ({limits})"
