"""Frames of results -> frames of statements: one row for each draw and each thing that is said of its results together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import narwhals
import numpy as np
import polars as pl

from labinterp._draw_frames.asked_draws import Drawn, drawn_by
from labinterp._draw_frames.panel_rows import PanelReader
from labinterp._draw_frames.persons import key
from labinterp._draw_frames.row_panels import By
from labinterp._frames import local
from labinterp._frames.asked import Asked, asked

if TYPE_CHECKING:
    from datetime import date, timedelta

    from labinterp._catalog import Catalog

Frame = TypeVar("Frame")
BATCH = 2_000_000  # rows that are read together; of more, whole persons are read one part after the other


def panel_frame(
    frame: Frame,
    *,
    by: Sequence[str] = ("patient_id", "collected_at"),
    within: str | timedelta | None = None,
    row_id: str | None = None,
    test: str | None = "test",
    value: str | None = "value",
    unit: str | None = "unit",
    sex: str | None = "sex",
    age_years: str | None = "age_years",
    loinc: str | None = "loinc",
    specimen: str | None = "specimen",
    pregnant: str | None = "pregnant",
    birth_date: str | None = "birth_date",
    collected_at: str | None = "collected_at",
    patient_id: str | None = "patient_id",
    comparator: str | None = "comparator",
    ref_low: str | None = "ref_low",
    ref_high: str | None = "ref_high",
    ref_text: str | None = "ref_text",
    flag: str | None = "flag",
    context: str | None = "context",
    authority: str | Mapping[str, str] | None = None,
    as_of: date | str | None = None,
    catalog: Catalog | None = None,
    decimal: str | None = None,
    research: bool = False,
    prefix: str = "li_",
) -> Frame:
    """Read whole draws of a long frame: what is said of results together, one statement a row.

    The rows of one draw are a panel, and every statement is one that `interpret` gives on that panel. A draw of which there is
    nothing to say has no row. How rows become panels is the same as for files: a fact of a person that one row of a draw gives
    holds for all its rows (sex and birth date: for all rows of the person); rows that contradict each other are read as different
    people; a day that cannot be read parts draws by its text, a missing day is a draw of its own. Rows without a patient are
    read together only where day and all facts are the same.

    Args:
        frame: As for `interpret_frame`. The frame of an engine is fetched, whole persons at a time, and the statements are put
            back into it.
        by: What makes a draw: "patient_id", "collected_at", or names of other columns such as an order number. Of times, the day counts.
        within: Also read later draws of the same person together with the first, up to this time after it: "7d" (the 7th day
            after it counts), "36h" (by the clock, where the column holds times; else in whole days), or a timedelta. The next draw
            begins a new window. Ages, like all limits, are those of the first day. Two results of one analyte must agree where a
            pattern asks.
        row_id: Column with your own label of each row, for `li_because`; default: rows are numbered from 1 in the order in which
            they come. Engines promise no order, so name a column there.
        test: As for `interpret_frame`.
        value: As for `interpret_frame`.
        unit: As for `interpret_frame`.
        sex: As for `interpret_frame`.
        age_years: As for `interpret_frame`.
        loinc: As for `interpret_frame`.
        specimen: As for `interpret_frame`.
        pregnant: As for `interpret_frame`.
        birth_date: As for `interpret_frame`.
        collected_at: Column with the day of sampling.
        patient_id: Column with your own label of the person.
        comparator: As for `interpret_frame`.
        ref_low: As for `interpret_frame`.
        ref_high: As for `interpret_frame`.
        ref_text: As for `interpret_frame`.
        flag: As for `interpret_frame`.
        context: As for `interpret_frame`.
        authority: As for `interpret`.
        as_of: As for `interpret`.
        catalog: As for `interpret`.
        decimal: As for `interpret`.
        research: As for `interpret`.
        prefix: Before the names of the answer columns.

    Returns:
        The same type of frame, one row for each draw and statement, draws in the order of their first rows, with the columns of
        `by` (the first day of the draw) and:

        - li_kind: "pattern", "open_question" (a pattern that cannot be told yet), "effect", "alert", "context" (a circumstance that the
            results show), "finding" (a result whose answer in the draw is another one than on its own, or whose unit the draw
            contradicts), "derived" (a quantity computed from results of the draw);
        - li_id: of the pattern, effect, alert or context; the analyte of a finding or a derived quantity;
        - li_certainty, li_relation: of patterns and effects;
        - li_because: the rows it rests on, "3;7";
        - li_missing: analytes that would settle it, "mma;homocysteine";
        - li_next: what would be the next test;
        - li_tier: of alerts, T1 (now) to T4;
        - li_text: the sentence.

    Raises:
        InputError: A column that is not there, or an argument that cannot be used.
        UnknownAuthorityError: Nobody of that name draws lines in the catalog.

    Example:
        >>> import polars as pl
        >>> draw = {"patient_id": [1, 1], "collected_at": ["2026-03-01"] * 2, "test": ["Ferritin", "CRP"], "value": ["40", "12"]}
        >>> said = panel_frame(pl.DataFrame({**draw, "unit": ["ug/L", "mg/L"], "sex": ["F", "F"], "age_years": [34, 34]}))
        >>> said.filter(pl.col("li_kind") != "effect").select("li_kind", "li_id", "li_because").rows()
        [('pattern', 'iron_deficiency', '1;2'), ('context', 'inflammation', '2'), ('finding', 'ferritin', '1')]

    Source:
        Each pattern, effect and alert names its sources: `interpret(...).patterns[0].citations` on the same panel.
    """
    roles = {
        "test": test, "value": value, "unit": unit, "sex": sex, "age_years": age_years, "loinc": loinc, "specimen": specimen,
        "pregnant": pregnant, "birth_date": birth_date, "collected_at": collected_at, "patient_id": patient_id, "comparator": comparator,
        "ref_low": ref_low, "ref_high": ref_high, "ref_text": ref_text, "flag": flag, "context": context,
    }  # fmt: skip
    native: Any = narwhals.to_native(frame, pass_through=True)
    options: dict[str, Any] = {
        "authority": authority,
        "as_of": as_of,
        "catalog": catalog,
        "decimal": decimal,
        "prefix": prefix,
        "columns": "results",
    }

    def drawn(names: Sequence[Any]) -> Drawn:
        return drawn_by(list(names), asked(names, roles, **options), by, within, row_id, research)

    said = _said(native, drawn)
    return cast("Frame", said if native is frame else narwhals.from_native(said))


def said(columns: Mapping[str, pl.Series], keys: Sequence[pl.Series], labels: pl.Series | None, drawn: Drawn) -> tuple[Any, pl.DataFrame]:
    """The statements about the draws of some rows.

    Args:
        columns: Role -> column that answers depend on.
        keys: The columns that tell draws apart, but for the day.
        labels: Labels of the rows; default: numbers from 1.
        drawn: What is asked.

    Returns:
        tuple: for each statement a row of the first day of its draw, and the statements.
    """
    height = len(columns["value"])
    labels = pl.Series(np.arange(1, height + 1)) if labels is None else labels
    parts = -(-height // BATCH) if keys else 1
    if parts <= 1:
        at, made = _read(columns, keys, labels, drawn)[1:]
    else:
        part = (key(keys[0]).hash() % parts).to_numpy()
        found = []
        for one in range(parts):
            rows = np.flatnonzero(part == one)
            first, at, made = _read(
                {r: c.gather(rows) for r, c in columns.items()}, [k.gather(rows) for k in keys], labels.gather(rows), drawn
            )
            found.append((rows[first], rows[at], made))
        order = np.argsort(np.concatenate([first for first, _, _ in found]), kind="stable")
        at, made = np.concatenate([at for _, at, _ in found])[order], pl.concat([made for _, _, made in found])[order]
    return at, made.rename(lambda name: f"{drawn.asked.prefix}{name}")


def _read(columns: Mapping[str, pl.Series], keys: Sequence[pl.Series], labels: pl.Series, drawn: Drawn) -> tuple[Any, Any, pl.DataFrame]:
    person = None if drawn.person is None else drawn.labels.index(drawn.person)
    others = [column for at, column in enumerate(keys) if at != person]
    by = By(None if person is None else keys[person], others, drawn.by_day, drawn.within, drawn.by_clock)
    return _reader(drawn.asked).read(columns, by, labels, drawn.asked, drawn.research)


def _reader(asked: Asked) -> PanelReader:
    """Where draws are read; the same question gets the same reader, with all it has learned."""
    authority = tuple(sorted(asked.authority.items())) if isinstance(asked.authority, Mapping) else asked.authority
    name = ("panels", authority, asked.as_of, asked.decimal)
    found: PanelReader = asked.catalog.learn(name, lambda: PanelReader(asked))
    if found.full:
        asked.catalog.learned.pop(name, None)
        found = asked.catalog.learn(name, lambda: PanelReader(asked))
    return found


# --- kinds of frames ---------------------------------------------------------------------------------------------


def _said(frame: Any, drawn: Callable[[Sequence[Any]], Drawn]) -> Any:
    kind = type(frame).__module__.split(".")[0]
    if isinstance(frame, pl.LazyFrame):
        return of_polars(frame.collect(), drawn(frame.collect_schema().names())).lazy()
    if isinstance(frame, pl.DataFrame):
        return of_polars(frame, drawn(frame.columns))
    if kind == "pyarrow" and hasattr(frame, "append_column"):
        return _arrow(frame, drawn(frame.column_names))
    if kind == "pandas" and hasattr(frame, "columns"):
        return _pandas(frame, drawn(list(frame.columns)))
    if kind == "dask" and hasattr(frame, "map_partitions"):
        import dask.dataframe

        return dask.dataframe.from_pandas(_pandas(frame.compute(), drawn(list(frame.columns))), npartitions=1)
    from labinterp._draw_frames import panel_engine

    return panel_engine.said(frame, drawn, of_polars, BATCH)


def of_polars(frame: pl.DataFrame, drawn: Drawn) -> pl.DataFrame:
    """The statements about a polars frame."""
    columns = {role: frame[name] for role, name in drawn.needed.items()}
    at, made = said(columns, [frame[name] for name in drawn.labels], None if drawn.row_id is None else frame[drawn.row_id], drawn)
    own: pl.DataFrame = frame.select(drawn.by)[at]
    return pl.concat([own, made], how="horizontal")


def _arrow(table: Any, drawn: Drawn) -> Any:
    import pyarrow as pa

    def series(name: str) -> pl.Series:
        return pl.Series(name, table.column(name))

    columns = {role: series(name) for role, name in drawn.needed.items()}
    at, made = said(columns, [series(name) for name in drawn.labels], None if drawn.row_id is None else series(drawn.row_id), drawn)
    out = table.select(drawn.by).take(at)
    for name in made.columns:
        out = out.append_column(name, made[name].to_arrow().cast(pa.string()))
    return out


def _pandas(frame: Any, drawn: Drawn) -> Any:
    import pandas as pd

    def series(name: Any) -> pl.Series:
        return local._from_pandas(frame[name], str(name))

    columns = {role: series(name) for role, name in drawn.needed.items()}
    at, made = said(columns, [series(name) for name in drawn.labels], None if drawn.row_id is None else series(drawn.row_id), drawn)
    out, like = frame[drawn.by].iloc[at].reset_index(drop=True), frame[drawn.asked.columns.get("test", drawn.asked.columns["value"])].dtype
    return pd.concat([out, pd.DataFrame({name: _text(made[name], like) for name in made.columns}, index=out.index)], axis=1)


def _text(column: pl.Series, like: Any) -> Any:
    """A text column in the kind of type the caller's text has."""
    import pandas as pd
    import pyarrow as pa

    if isinstance(like, pd.ArrowDtype):
        return pd.array(column.to_arrow().cast(pa.string()), dtype=pd.ArrowDtype(pa.string()))
    return pd.array(np.array(column.to_list(), dtype=object), dtype=like if isinstance(like, pd.StringDtype) else object)
