"""Columns that tell whose results these are, and when -> facts in columns, and the persons they describe.

Each distinct text is read once, by the function that reads the fact of a single row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from labinterp._catalog import Catalog
from labinterp._facts import read_age, read_contexts, read_pregnancy
from labinterp._frames.ages import AgeReader
from labinterp._frames.classes import Numbered, People
from labinterp._frames.texts import as_text
from labinterp._inputs import Patient, read_sex
from labinterp._lanes import gates
from labinterp.errors import InputError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
SEXES, STATES = (None, "female", "male"), (None, False, True)
NO_DAY = int(np.iinfo(np.int32).min)
YEAR = 365.25


class PersonFacts(NamedTuple):
    """Facts in columns, of rows or of panels: places in `SEXES` and `STATES`, years or NaN, days since 1970 or `NO_DAY`."""

    sex: Ints
    age: Floats
    born: Ints
    day: Ints
    pregnant: Ints
    contexts: Ints

    def at(self, places: Any) -> PersonFacts:
        """The facts at some places."""
        return PersonFacts(*(part[places] for part in self))


class _Ages(People):
    """Classes of ages that neither a limit nor a gate tells apart."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog)
        asked = [tuple(gate["age_years"].get(end) for end in ("at_least", "below")) for gate in gates(catalog) if "age_years" in gate]
        years = {
            tuple(None if end is None else float(end) for end in ends) for ends in (*asked, catalog.table["policy"]["muscle_text_years"])
        }
        self._spans = sorted({*self._spans, *(("years", *ends) for ends in years)}, key=str)
        self.bounds = sorted({*self.bounds, *(end * YEAR for ends in years for end in ends if end is not None)})


class PersonReader:
    """Reads the facts of rows and puts rows together.

    Args:
        catalog: Whose circumstances and ages.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._names = catalog.table["policy"]["context_names"]
        self.contexts: Numbered[frozenset[str]] = Numbered()
        self.contexts.number(frozenset(), frozenset())
        self._people = _Ages(catalog)
        self._ages = AgeReader(self._people)

    # --- rows ------------------------------------------------------------------------------------------------

    def read(self, columns: Mapping[str, pl.Series], height: int) -> PersonFacts:
        """The facts of rows as each row gives them."""

        def of(role: str, read: Callable[[str], int]) -> Ints:
            return each(columns[role], read) if role in columns else np.zeros(height, np.int64)

        stated, declared = of("pregnant", self._pregnancy), of("context", self._declared)
        width = int(declared.max(initial=0)) + 1
        both = stated * width + declared
        table = np.zeros((int(both.max(initial=0)) + 1, 2), np.int64)
        for one in np.unique(both).tolist():
            (state, trimester), kept = divmod(one // width, 4), self.contexts.things[one % width]
            kept |= {f"trimester_{trimester}"} if trimester else frozenset()
            table[one] = state, self.contexts.number(kept, kept)
        found = table.take(both, axis=0)
        days = [self._days(columns[role]) if role in columns else np.full(height, NO_DAY) for role in ("birth_date", "collected_at")]
        age = self._years(columns["age_years"]) if "age_years" in columns else np.full(height, np.nan)
        return PersonFacts(of("sex", _sex), age, days[0], days[1], found[:, 0], found[:, 1])

    def _declared(self, text: str) -> int:
        declared = understood(lambda t: read_contexts(t, self._names), text) or frozenset[str]()
        return self.contexts.number(declared, declared)

    def _pregnancy(self, text: str) -> int:
        """The state and the trimester in one number."""
        pregnant, trimester = understood(read_pregnancy, text) or (None, frozenset[str]())
        return STATES.index(pregnant) * 4 + next((n for n in (1, 2, 3) if f"trimester_{n}" in trimester), 0)

    def _days(self, column: pl.Series) -> Ints:
        return np.asarray(self._ages._ordinals(column), np.int64)

    def _years(self, column: pl.Series) -> Floats:
        if column.dtype.is_numeric():
            if column.dtype == pl.Float32 or column.dtype.is_decimal():
                column = column.cast(pl.String)
            years = column.cast(pl.Float64).fill_null(np.nan).to_numpy()
            return np.where((years >= 0) & (years <= 130), years, np.nan)
        read: list[float] = [np.nan]

        def number(text: str) -> int:
            years = understood(read_age, text)
            if years is None:
                return 0
            read.append(years)
            return len(read) - 1

        places = each(column, number)
        return np.array(read)[places]

    # --- panels to persons -----------------------------------------------------------------------------------

    def patients(self, facts: PersonFacts) -> tuple[Ints, list[Patient]]:
        """A person for each panel: those that neither limits nor gates tell apart are one."""
        known = self._ages.years(pl.Series(facts.age))
        age = np.asarray(self._ages.read(known, as_days(facts.born), as_days(facts.day)), np.int64)
        number, first = numbered([pl.Series(part) for part in (facts.sex, age, facts.pregnant, facts.contexts)])
        ages = self._people.ages.things
        made = [
            Patient.of_facts(SEXES[facts.sex[n]], ages[age[n]], STATES[facts.pregnant[n]], self.contexts.things[facts.contexts[n]])
            for n in first
        ]
        return number, made


def understood(read: Callable[[str], Any], text: str) -> Any:
    """What a text says; None where it cannot be read: the fact is unknown."""
    try:
        return read(text)
    except InputError:
        return None


def each(column: pl.Series, read: Callable[[str], int]) -> Ints:
    """The class of each text, read once; 0 for none."""
    texts = key(as_text(column))
    distinct = texts.drop_nulls().unique()
    if not len(distinct):
        return np.zeros(len(texts), np.int64)
    numbers = pl.Series([read(text) for text in distinct], dtype=pl.Int64)
    return texts.replace_strict(distinct, numbers, default=0, return_dtype=pl.Int64).fill_null(0).to_numpy()


def key(column: pl.Series) -> pl.Series:
    """A column as a key: texts without the space around them, nothing for an empty text or NaN."""
    dtype = column.dtype
    if dtype in (pl.Object, pl.Categorical, pl.Enum) or dtype.is_nested():
        column = as_text(column)
    if column.dtype == pl.String:
        stripped = column.str.strip_chars()
        return stripped.set(stripped == "", None)
    return column.fill_nan(None) if dtype.is_float() else column


def numbered(columns: Sequence[pl.Series]) -> tuple[Ints, Ints]:
    """The number of each row's combination, in the order in which they first appear, and the first row of each."""
    columns = [column for column in columns if not _constant(column)] or list(columns[:1])
    names = [str(n) for n in range(len(columns))]
    frame = pl.DataFrame([column.alias(name) for column, name in zip(columns, names, strict=True)])
    groups = frame.with_row_index("row").group_by(names, maintain_order=True).agg("row")["row"]
    sizes = groups.list.len().to_numpy()
    out = np.empty(frame.height, np.int64)
    if frame.height:
        out[groups.explode().to_numpy()] = np.repeat(np.arange(len(groups)), sizes)
    return out, groups.list.first().to_numpy().astype(np.int64)


def _constant(column: pl.Series) -> bool:
    nulls = column.null_count()
    return nulls == len(column) or (not nulls and bool(column.min() == column.max()))


def as_days(days: Ints) -> pl.Series:
    """Days since 1970 as dates."""
    return pl.select(pl.when(pl.Series(days) != NO_DAY).then(pl.Series(days).cast(pl.Int32))).to_series().cast(pl.Date)


def _sex(text: str) -> int:
    return SEXES.index(understood(read_sex, text))
