"""What pint and labunits take for their part of the job: the conversion of plain numbers, nothing else.

Names and unit spellings are resolved beforehand and not timed; rows whose value is no plain number are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from benchmarks.generate import MADE
from labinterp import Catalog

# LOINC codes under which labunits holds a factor for an analyte and a unit that it calls traditional
LABUNITS = {
    ("ferritin", "ng/mL"): "2276-4",
    ("magnesium", "mg/dL"): "19123-9",
    ("magnesium", "meq/L"): "2601-3",
    ("creatinine", "mg/dL"): "2160-0",
}


class Pair(NamedTuple):
    """One analyte in one unit: how pint writes both units, the molar mass, and what a number is divided by (the valence of mEq)."""

    analyte: str
    unit: str
    source: str
    target: str
    mass: str | None
    divisor: int


def plain_rows(parquet: Path) -> tuple[pl.DataFrame, list[Pair]]:
    """The rows that are a plain number in a known unit (`pair`, `number`), and the pairs their `pair` column counts."""
    catalog = Catalog.default()
    names = catalog.table["units"]["pint"]
    known: list[tuple[str, str, int]] = []
    pairs: list[Pair] = []
    for made in MADE:
        entry = catalog.table["analytes"][made.analyte]
        for spelling in made.units:
            unit = catalog.units.read(spelling) or ""
            mass = entry["moiety"].get("molar_mass")
            divisor = entry["moiety"].get("valence") if catalog.units.kinds[unit] == "equivalent" else 1
            pairs.append(Pair(made.analyte, unit, names[unit], names[entry["si"]], mass and f"{mass} gram / mole", divisor or 1))
            known.extend((name, spelling, len(pairs) - 1) for name in made.names)
    table = pl.DataFrame(known, schema={"test": pl.String, "unit": pl.String, "pair": pl.Int32}, orient="row")
    rows = pl.read_parquet(parquet, columns=["test", "unit", "value"]).join(table, on=["test", "unit"])
    number = pl.col("value").str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    return rows.select("pair", number=number).drop_nulls(), pairs


def pint_groups(parquet: Path) -> Callable[[], None]:
    """One pint call for each analyte and unit, on an array."""
    import numpy as np

    frame, pairs = plain_rows(parquet)
    convert = _converter(pairs)
    code, number = frame["pair"].to_numpy(), frame["number"].to_numpy()

    def run() -> None:
        order = np.argsort(code, kind="stable")
        ends = np.searchsorted(code[order], np.arange(len(pairs) + 1))
        out = np.empty(len(number))
        for pair, (start, end) in enumerate(pairwise(ends)):
            rows = order[start:end]
            out[rows] = convert(number[rows], pair).magnitude

    return run


def pint_rows(parquet: Path, count: int = 2_000) -> Callable[[], int]:
    """One pint call for each row; returns for how many rows, the rest is extrapolated."""
    frame, pairs = plain_rows(parquet)
    convert = _converter(pairs)
    rows = frame.sample(count, seed=1).rows()

    def run() -> int:
        for pair, number in rows:
            convert(number, pair)
        return count

    return run


def _converter(pairs: list[Pair]) -> Callable[[Any, int], Any]:
    """A number (or an array) and a pair's place to the SI quantity; the registry and the molar masses are made once."""
    import pint

    registry: Any = pint.UnitRegistry()
    masses = [registry.Quantity(pair.mass) if pair.mass else None for pair in pairs]

    def convert(number: Any, place: int) -> Any:
        pair = pairs[place]
        quantity = registry.Quantity(number / pair.divisor, pair.source)
        return quantity.to(pair.target) if masses[place] is None else quantity.to(pair.target, "chemistry", mw=masses[place])

    return convert


def labunits_rows(parquet: Path) -> Callable[[], int]:
    """labunits' own call, row by row, for the pairs it holds; returns how many rows that was."""
    from labunits.converters import to_si_unit  # type: ignore[import-not-found]

    frame, pairs = plain_rows(parquet)
    codes = {number: LABUNITS[pair.analyte, pair.unit] for number, pair in enumerate(pairs) if (pair.analyte, pair.unit) in LABUNITS}
    rows = [(number, codes[code]) for code, number in frame.filter(pl.col("pair").is_in(list(codes))).iter_rows()]

    def run() -> int:
        for number, code in rows:
            to_si_unit(number, code)
        return len(rows)

    return run
