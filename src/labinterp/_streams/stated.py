"""Facts of a person beside the columns of a frame: what the caller states for rows that say nothing, and trimesters.

What a row states itself goes first; what it states in words nobody can read counts as nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

from labinterp._catalog import Catalog
from labinterp._facts import read_age, read_pregnancy, read_trimester
from labinterp._frames.ages import AgeReader
from labinterp._frames.classes import People
from labinterp._frames.texts import as_text
from labinterp._inputs import read_sex
from labinterp.errors import InputError

Columns = dict[str, pl.Series]


class Stated:
    """Fills the facts of rows.

    Args:
        catalog: Whose ages.
        sex: For rows without one.
        age: For rows whose age is neither given nor follows from their dates.
        pregnant: For rows that do not say.

    Raises:
        InputError: A sex or an age that cannot be read.

    Example:
        >>> stated = Stated(Catalog.default(), sex="female")
        >>> stated.filled({"sex": pl.Series(["M", None])}, 2)["sex"].to_list()
        ['M', 'female']
    """

    def __init__(self, catalog: Catalog, sex: str | None = None, age: str | None = None, pregnant: bool | None = None) -> None:
        self._sex, self._age, self._pregnant = read_sex(sex), age, pregnant
        self._years = None if age is None else read_age(age)
        people = People.of(catalog)
        self._ages, self._age_of = AgeReader.of(people), people.age_text

    def filled(self, columns: Mapping[str, pl.Series], height: int) -> Columns:
        """The columns of the roles that answers depend on.

        Args:
            columns: Role -> column, "trimester" among them where there is one.
            height: How many rows there are.
        """
        found = dict(columns)
        if "trimester" in found:
            _with_trimester(found, found.pop("trimester"), height)
        if self._sex is not None:
            found["sex"] = _where_silent(found.get("sex"), height, self._sex, read_sex)
        if self._pregnant is not None:
            found["pregnant"] = _where_silent(found.get("pregnant"), height, "yes" if self._pregnant else "no", _pregnancy)
        if self._age is not None:
            found["age_years"] = self._with_age(found, height)
        return found

    def _with_age(self, columns: Columns, height: int) -> pl.Series:
        given = columns.get("age_years")
        numbers = given is not None and given.dtype.is_numeric()
        known: Any = 0 if given is None else self._ages.years(given) if numbers else self._of_texts(as_text(given))
        known = self._ages.read(known, columns.get("birth_date"), columns.get("collected_at"))
        silent = pl.Series(np.broadcast_to(known == 0, height))
        if given is None or not numbers:
            texts = pl.repeat(None, height, dtype=pl.String, eager=True) if given is None else as_text(given)
            return texts.zip_with(~silent, pl.Series([self._age], dtype=pl.String))
        if given.dtype == pl.Float32 or given.dtype.is_decimal():
            given = given.cast(pl.String)  # as it is printed
        return given.cast(pl.Float64).zip_with(~silent, pl.Series([float(self._years or 0)]))

    def _of_texts(self, texts: pl.Series) -> Any:
        distinct = texts.unique()
        classes = pl.Series([self._age_of(text) for text in distinct], dtype=pl.Int64)
        return texts.replace_strict(distinct, classes, return_dtype=pl.Int64).to_numpy()


def _where_silent(column: pl.Series | None, height: int, word: str, read: Callable[[str], Any]) -> pl.Series:
    if column is None:
        return pl.repeat(word, height, dtype=pl.String, eager=True)
    texts = as_text(column)
    silent = [text for text in texts.unique() if text is not None and _read(text, read) is None]
    return texts.zip_with(texts.is_not_null() & ~texts.is_in(silent), pl.Series([word]))


def _read(text: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(text.strip()) if text.strip() else None
    except InputError:
        return None


def _pregnancy(text: str) -> bool | None:
    return read_pregnancy(text)[0]


def _with_trimester(columns: Columns, trimesters: pl.Series, height: int) -> None:
    """A trimester that can be read says that there is a pregnancy, and is one more declared circumstance."""
    nothing = pl.repeat(None, height, dtype=pl.String, eager=True)
    roles = {role: as_text(columns.get(role, nothing)) for role in ("pregnant", "context")}
    rows = pl.DataFrame({"trimester": as_text(trimesters), **roles})
    distinct = rows.unique()
    said = [_said(*row) for row in distinct.iter_rows()]
    joined = rows.join(
        distinct.with_columns(pl.DataFrame(said, schema={"_pregnant": pl.String, "_context": pl.String}, orient="row")),
        on=rows.columns, how="left", nulls_equal=True, maintain_order="left",
    )  # fmt: skip
    columns["pregnant"], columns["context"] = joined["_pregnant"], joined["_context"]


def _said(trimester: str | None, pregnant: str | None, context: str | None) -> tuple[str | None, str | None]:
    named = _read(trimester or "", read_trimester)
    if named is None:
        return pregnant, context
    also = _read(pregnant or "", read_pregnancy)
    own = [*(also[1] if also else ()), *named]
    return f"trimester {own[-1][-1]}", context if len(own) < 2 or own[0] == own[1] else f"{context or ''};{own[0]}"
