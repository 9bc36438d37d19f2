"""Numbers of answers -> the columns of words and numbers that a frame gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from labinterp._catalog import Catalog
from labinterp._codes import CODES, REASONS
from labinterp._frames.cases import Cases, Tables
from labinterp._frames.classes import Names
from labinterp._frames.numbers import OPS, Numbers, written
from labinterp._frames.texts import LOCK, Ints
from labinterp._quantity import Unreadable, read_value
from labinterp._results import reach


class Vocabulary:
    """The closed lists the answer columns take their words from."""

    def __init__(self, catalog: Catalog) -> None:
        table = catalog.table
        bands = [band[0] for limits in table["limits"].values() for p in limits["populations"] for band in p["bands"]]
        own = [band for entry in table["analytes"].values() for name, band in entry["lab_range"].items() if name != "first"]
        units = dict.fromkeys(unit for entry in table["analytes"].values() for unit in (entry["si"], *entry["factors"]))
        self.words: dict[str, list[str]] = {
            "analyte": list(table["analytes"]),
            "comparator": list(OPS[1:]),
            "unit": list(units),
            "si_unit": list(units),
            "code": list(CODES),
            "band": list(dict.fromkeys([*bands, *own])),
            "limits": ["reported", *table["limits"]],
            "reason": list(REASONS),
        }
        self.types: dict[str, Any] = {name: pl.Enum(words) for name, words in self.words.items()}
        # each word at its number, and nothing at the end
        self.series = {name: pl.Series([*words, None], dtype=self.types[name]) for name, words in self.words.items()}
        self._at = {name: {word: number for number, word in enumerate(words)} for name, words in self.words.items()}

    def number(self, name: str, word: str | None) -> int:
        """Where a word stands; the end for None."""
        return len(self.words[name]) if word is None else self._at[name][word]


class Writer:
    """Writes the answer columns of batches.

    Args:
        catalog: The data.
        names: Classes of names and units.
        cases: Kinds of rows and their answers.
        near: Whether to tell which values lie near a line.
        decimal: The decimal mark of the source.
    """

    def __init__(self, catalog: Catalog, names: Names, cases: Cases, near: bool, decimal: str | None) -> None:
        self._catalog, self._names, self._cases, self._near, self._decimal = catalog, names, cases, near, decimal
        self._vocabulary = Vocabulary(catalog)
        self._written = [
            *(pl.lit(words).gather(pl.col(name)).alias(name) for name, words in self._vocabulary.series.items()),
            *(pl.col(name).fill_nan(None) for name in ("value", "si_value")),
        ]
        self._words: tuple[tuple[int, int], dict[str, Any]] = ((0, 0), {})

    def schema(self) -> dict[str, Any]:
        """Names and types of the answer columns."""
        types, number = self._vocabulary.types, pl.Float64()
        order = {
            "analyte": types["analyte"], "comparator": types["comparator"], "value": number, "unit": types["unit"], "si_value": number,
            "si_unit": types["si_unit"], "code": types["code"], "band": types["band"], "limits": types["limits"], "reason": types["reason"],
        }  # fmt: skip
        return {**order, "near_limit": pl.Boolean()} if self._near else order

    def written(self, values: Numbers, pair: Ints, answers: Ints) -> dict[str, pl.Series]:
        """Answers and numbers as columns of words and numbers."""
        words, of = self._vocabulary, self._words_of()
        read, found = of["read"].take(answers), of["found"].take(answers)
        no_unit, no_op = np.uint32(len(words.words["unit"])), np.uint32(len(OPS) - 1)
        numbers = {
            "analyte": of["analyte"].take(pair),
            "unit": np.where(read, of["unit"].take(pair), no_unit),
            "si_unit": np.where(found, of["si_unit"].take(pair), no_unit),
            **{name: of[name].take(answers) for name in ("code", "band", "limits", "reason")},
        }
        if isinstance(values.op, np.ndarray):
            numbers["comparator"] = np.where(read & (values.op > 0), (values.op - 1).astype(np.uint32), no_op)
        else:
            numbers["comparator"] = np.full(len(answers), no_op)
        value = {
            "value": np.where(read, values.number, np.nan),
            "si_value": np.where(found, values.number * of["factor"].take(pair), np.nan),
        }
        out = pl.DataFrame({**numbers, **value}).select_seq(self._written)
        return {name: out[name] for name in self.schema() if name in numbers or name in value}

    def _words_of(self) -> dict[str, Any]:
        """For each pair and each answer, which words it is written with; made anew only after something was learned."""
        pairs, answers = self._names.pairs.things, self._cases.answers.things
        known, made = self._words
        if known != (len(pairs), len(answers)):
            with LOCK:
                number, entries = self._vocabulary.number, self._catalog.table["analytes"]
                made = {
                    "analyte": np.array([number("analyte", p.analyte) for p in pairs], np.uint32),
                    "unit": np.array([number("unit", p.unit) for p in pairs], np.uint32),
                    "si_unit": np.array([number("si_unit", p.analyte and entries[p.analyte]["si"]) for p in pairs], np.uint32),
                    "factor": np.array([self._factor(p.analyte, p.unit) for p in pairs]),
                    "read": np.array([a.read for a in answers], bool),
                    "found": np.array([a.code is not None for a in answers], bool),
                    **{
                        name: np.array([number(name, getattr(a, name)) for a in answers], np.uint32)
                        for name in ("code", "band", "limits", "reason")
                    },
                }
                self._words = ((len(pairs), len(answers)), made)
        return made

    def _factor(self, analyte: str | None, unit: str | None) -> float:
        if analyte is None or unit is None:
            return 1.0
        return self._catalog.si_factor(analyte, unit)[0] or 1.0

    def near_limit(
        self, column: pl.Series, values: Numbers, stretch: Ints, answers: Ints, tables: Tables, alone: Mapping[int, bool]
    ) -> pl.Series:
        """Whether each value lies within half of its last printed digit of a line; nothing where there is no answer."""
        found = np.array([a.code is not None for a in self._cases.answers.things]).take(answers)
        half = np.array([reach(decimals) for decimals in range(-30, 330)]).take(self._decimals(column) + 30)
        number = values.number
        with np.errstate(invalid="ignore"):  # an infinite number is near nothing
            near = (number - tables.below.take(stretch) <= half) | (tables.above.take(stretch) - number <= half)
        near &= np.broadcast_to(values.op, near.shape) != OPS.index("~")
        near[list(alone)] = list(alone.values())
        return pl.Series("near_limit", near).set(pl.Series(~found), None)

    def _decimals(self, column: pl.Series) -> Any:
        """How many decimals each value was printed with."""
        if column.dtype == pl.Float32:  # 0.7, not the double nearest to it
            column = column.cast(pl.String).cast(pl.Float64)
        texts = column if column.dtype == pl.String else pl.Series([written(v) for v in column.to_list()], dtype=pl.String)
        distinct = texts.unique()
        counted = [self._decimals_of(text) for text in distinct]
        return texts.replace_strict(distinct, pl.Series(counted, dtype=pl.Int32), return_dtype=pl.Int32).fill_null(0).to_numpy()

    def _decimals_of(self, text: str | None) -> int:
        read = Unreadable("", "") if text is None else read_value(text, self._decimal)
        if isinstance(read, Unreadable):
            return 0
        exponent = read.value.as_tuple().exponent
        return max(-30, min(329, -exponent)) if isinstance(exponent, int) else 0
