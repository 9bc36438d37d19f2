"""A column of values and a column of the numbers that were made of them -> one column of values, as `one_value` reads a single row.

Every pair that is not plainly the same number twice is asked of `one_value`; nothing is decided here. What it proves is written so that
it reads in one way, whatever the decimal mark of the source.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from labinterp._formats.cell_texts import cell_of
from labinterp._formats.numbers_beside import end_of, one_value
from labinterp._frames.numbers import written
from labinterp._quantity import ReadValue, Unreadable, read_value
from labinterp._table import NUMBER

_MEMO = 50_000  # pairs that are remembered
_SIMPLE = r"^(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{1,2})?$"  # reads in one way, and a float keeps all its digits
_NO_VALUE = "[several values]"  # a text that is no number, for cells that hold more than one
_Said = tuple[str | None, str | None]  # the value as text, and the decimal mark that its number proved


class Paired:
    """Makes one column of two; what it learns from one batch serves the next.

    Args:
        decimal: The decimal mark of the source, if known.

    Example:
        >>> columns = {"value": pl.Series(["<5", "", "1,060"]), "value number": pl.Series(["5", "7.2", "1.06"])}
        >>> Paired(None).of(columns)["value"].to_list()
        ['<5', '7.2', '1060e-3']
    """

    def __init__(self, decimal: str | None) -> None:
        self._decimal = decimal
        self._memo: dict[tuple[Any, Any], _Said] = {}

    def of(self, columns: dict[str, pl.Series]) -> dict[str, pl.Series]:
        """The columns with the value alone, and the ends of the range as the mark reads that it proved.

        Args:
            columns: Role -> column, the value among them; without a column of numbers they come back as they are.
        """
        if NUMBER not in columns:
            return columns
        found = dict(columns)
        value, number = _cells(found["value"]), _cells(found.pop(NUMBER))
        places = np.flatnonzero(~_plainly_one(value, number))
        if not places.size and value.dtype == pl.String:
            return {**found, "value": value}
        pairs = zip(value.gather(places).to_list(), number.gather(places).to_list(), strict=True)
        said = [self._said(*pair) for pair in pairs]
        texts = value if value.dtype == pl.String else pl.repeat(None, len(value), dtype=pl.String, eager=True)
        found["value"] = texts.scatter(places, pl.Series([text for text, _ in said], dtype=pl.String)) if places.size else texts
        proved = [(int(at), mark) for at, (_, mark) in zip(places, said, strict=True) if mark is not None]
        for role in ("ref_low", "ref_high"):
            if proved and role in found:
                found[role] = _ends(_cells(found[role]), proved)
        return found

    def _said(self, value: Any, number: Any) -> _Said:
        key = value, number
        said = self._memo.get(key)
        if said is None:
            said = self._read(value, number)
            if len(self._memo) < _MEMO:
                self._memo[key] = said
        return said

    def _read(self, value: Any, number: Any) -> _Said:
        found, mark = one_value(_cell(value), _cell(number))
        if not isinstance(found, ReadValue):
            return None if isinstance(found, Unreadable) else written(found), mark
        text = f"{found.comparator}{written(found.value)}"
        if found.high is not None:
            text = f"{written(found.value)}~{written(found.high)}"
        text = f"{text} {found.rest}".rstrip()
        again = read_value(text, self._decimal)
        same = isinstance(again, ReadValue) and again._replace(flag="") == found._replace(flag="")
        return text if same else None, mark  # what cannot be written so that it reads the same is no value


def _cells(column: pl.Series) -> pl.Series:
    """A column whose values are texts, or numbers as they are meant."""
    if column.dtype in (pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    if column.dtype == pl.Float32:  # its own shortest text, not that of the double beside it
        return column.cast(pl.String).cast(pl.Float64)
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        return pl.Series(column.name, [None if empty else _NO_VALUE for empty in column.is_null()], dtype=pl.String)
    return column


def _cell(value: Any) -> Any:
    """A cell as the reader of whole files has it: a number, why it is none, or its text."""
    text, plain = cell_of(value)
    return plain if plain is not None else text.strip() or None


def _plainly_one(value: pl.Series, number: pl.Series) -> Any:
    """Where the text is the value without more ado: there is no number beside it, or the very same one."""
    if value.dtype != pl.String:
        return np.zeros(len(value), bool)
    none = number.is_null()
    if number.dtype == pl.String:
        same = value == number
    elif number.dtype == pl.Float64 or number.dtype.is_integer():
        same = value.cast(pl.Float64, strict=False) == number.cast(pl.Float64)
    else:
        return none.to_numpy()
    return (none | (same & value.str.contains(_SIMPLE)).fill_null(False)).to_numpy()


def _ends(column: pl.Series, proved: list[tuple[int, str]]) -> pl.Series:
    """A column of ends of ranges, where it is text: some of them as a decimal mark reads them."""
    if column.dtype != pl.String:
        return column
    texts = []
    for at, mark in proved:
        end = end_of((column[at] or "").strip(), mark)
        texts.append(written(end) if isinstance(end, Decimal) else column[at])
    return column.scatter([at for at, _ in proved], pl.Series(texts, dtype=pl.String))
