"""What an answer says of a result -> the words and factors that are written into a row.

Few things are ever written: each combination of words has a number and one line in a small table. A row of a frame is a
number, and a batch is written by picking lines of the table.
"""

from __future__ import annotations

from math import nan
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from labinterp._catalog import Catalog
from labinterp._codes import CODES, REASONS
from labinterp._frames.classes import Numbered, Pair
from labinterp._frames.numbers import OPS
from labinterp._frames.stretches import Answer
from labinterp._frames.texts import LOCK

WORDS = ("analyte", "comparator", "unit", "si_unit", "code", "band", "limits", "reason")


class Vocabulary:
    """The closed lists the answer columns take their words from."""

    def __init__(self, catalog: Catalog) -> None:
        table = catalog.table
        bands = [band[0] for limits in table["limits"].values() for p in limits["populations"] for band in p["bands"]]
        own = [band for entry in table["analytes"].values() for name, band in entry["lab_range"].items() if name != "first"]
        units = list(dict.fromkeys(unit for entry in table["analytes"].values() for unit in (entry["si"], *entry["factors"])))
        self.words: dict[str, list[str]] = {
            "analyte": list(table["analytes"]),
            "comparator": list(OPS[1:]),
            "unit": units,
            "si_unit": units,
            "code": list(CODES),
            "band": list(dict.fromkeys([*bands, *own])),
            "limits": ["reported", *table["limits"]],
            "reason": list(REASONS),
        }
        self.types: dict[str, Any] = {name: pl.Enum(words) for name, words in self.words.items()}


class Line(NamedTuple):
    """What is written into a row.

    Attributes:
        words: In the order of `WORDS`.
        read: 1 where the quantity is shown, else NaN.
        factor: To the SI unit where there is a finding, else NaN.
    """

    words: tuple[str | None, ...]
    read: float
    factor: float


class Lines(NamedTuple):
    """All lines known so far, as columns.

    Attributes:
        picked: The words of the lines whose numbers stand in a column "line", as a struct.
        read: 1 or NaN.
        factor: A number or NaN.
    """

    picked: pl.Expr
    read: npt.NDArray[np.float64]
    factor: npt.NDArray[np.float64]


class Written:
    """The lines of one catalog.

    Args:
        catalog: The data.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.vocabulary = Vocabulary(catalog)
        self._lines: Numbered[Line] = Numbered()
        self._table: tuple[int, Lines] | None = None

    def number(self, pair: Pair, op: int, answer: Answer) -> int:
        """The number of the line that is written."""
        line = self.line(pair, op, answer)
        return self._lines.number((line.words, answer.read, None if answer.code is None else line.factor), line)

    def line(self, pair: Pair, op: int, answer: Answer) -> Line:
        """What is written into a row.

        Args:
            pair: What name and unit of the row mean.
            op: Place of its comparator in `OPS`.
            answer: What is said of it.
        """
        read, found = answer.read, answer.code is not None
        si = self._catalog.table["analytes"][pair.analyte]["si"] if pair.analyte and found else None
        words = (
            pair.analyte, OPS[op] or None if read else None, pair.unit if read else None, si,
            answer.code, answer.band, answer.limits, answer.reason,
        )  # fmt: skip
        factor = self._catalog.si_factor(pair.analyte, pair.unit)[0] or 1.0 if found and pair.analyte and pair.unit else 1.0
        return Line(words, 1.0 if read else nan, factor if found else nan)

    def lines(self) -> Lines:
        """Every line as columns; made anew only after something was learned."""
        known, table = self._lines.things, self._table
        if table is None or table[0] != len(known):
            with LOCK:
                listed = list(known)
                types = self.vocabulary.types
                columns = {name: pl.Series(name, [line.words[at] for line in listed], dtype=types[name]) for at, name in enumerate(WORDS)}
                words = pl.lit(pl.DataFrame(columns).to_struct()).gather(pl.col("line")).alias("words")
                made = Lines(words, np.array([line.read for line in listed]), np.array([line.factor for line in listed]))
                table = self._table = (len(listed), made)
        return table[1]
