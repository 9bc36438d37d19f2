"""A long laboratory export of any length, seeded: dirty in the measure of real ones, or hostile in one column.

Run: `python -m benchmarks.generate --rows 1000000 --out DIR [--kind adversarial-names]`. Writes `KIND-ROWS.csv` and `KIND-ROWS.parquet`
with the same rows. The text columns are the same in both; Parquet has numbers, truth values and times in the others. Rows are made
in chunks with their own seeds, so memory is constant and a short file is the beginning of a longer one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from benchmarks.files import paths
from labinterp import Catalog

ROWS_A_DRAW, DRAWS_A_PATIENT = 6, 2
CHUNK = 20_000 * ROWS_A_DRAW * DRAWS_A_PATIENT  # a patient never crosses a chunk
COLUMNS: dict[str, Any] = {
    "patient_id": pl.Int64,
    "collected_at": pl.Datetime("us"),
    "test": pl.String,
    "value": pl.String,
    "unit": pl.String,
    "sex": pl.String,
    "age_years": pl.Int32,
    "pregnant": pl.Boolean,
}


class Made(NamedTuple):
    """How rows of one analyte are made: `median` is in the analyte's SI unit, `spread` the sigma of the lognormal around it."""

    analyte: str
    share: int
    median: float
    spread: float
    names: tuple[str, ...]
    units: tuple[str, ...]


MADE = (
    Made("vitamin_d", 16, 55, 0.45,
         ("Vitamin D", "25(OH)D", "25-OH vitamin D", "25-hydroxyvitamin D", "VITAMIN D 25-OH", "Vitamine D", "25-Hydroxy-Vitamin D"),
         ("nmol/L", "ng/mL", "nmol/l", "ng/ml", "NG/ML", "µg/L", "NMOL/L")),
    Made("vitamin_b12", 14, 290, 0.45,
         ("Vitamin B12", "B12", "Vit. B12", "VITAMIN B12", "Cobalamin", "vitamine B12"),
         ("pg/mL", "pmol/L", "ng/L", "pg/ml", "pmol/l", "PG/ML", "ng/l")),
    Made("ferritin", 16, 60, 0.8,
         ("Ferritin", "FERRITIN", "Ferritine", "ferritina", "Ferritin, serum", "FERR"),
         ("ng/mL", "ug/L", "µg/L", "ng/ml", "mcg/L", "UG/L", "µg/l", "pmol/L")),
    Made("folate", 9, 18, 0.5,
         ("Folate", "Folic acid", "FOLATE", "Folsäure", "Acide folique"),
         ("ng/mL", "nmol/L", "ng/ml", "nmol/l", "µg/L")),
    Made("magnesium", 11, 0.83, 0.13,
         ("Magnesium", "MAGNESIUM", "Mg", "Magnésium", "Magnesium, total"),
         ("mmol/L", "mg/dL", "mEq/L", "mmol/l", "mg/dl", "MG/DL", "mval/L", "mg/100 mL")),
    Made("crp", 9, 2.5, 1.2,
         ("CRP", "C-reactive protein", "hs-CRP", "C-reaktives Protein", "C-Reactive Protein"),
         ("mg/L", "mg/dL", "mg/l", "MG/L")),
    Made("creatinine", 8, 78, 0.3,
         ("Creatinine", "CREATININE", "Kreatinin", "Créatinine", "creat"),
         ("mg/dL", "umol/L", "µmol/L", "mg/dl", "µmol/l", "mcmol/L", "UMOL/L")),
    Made("egfr", 6, 85, 0.25,
         ("eGFR", "eGFR CKD-EPI", "GFR, estimated"),
         ("mL/min/1.73m2", "mL/min/1.73 m2", "ml/min/1.73m2", "mL/min/{1.73_m2}", "ml/min/1,73m2")),
    Made("homocysteine", 4, 11, 0.4,
         ("Homocysteine", "Homocysteine, total", "HCY", "Homocystein"),
         ("umol/L", "µmol/L", "umol/l", "micromol/L", "mg/L")),
    Made("mma", 3, 0.21, 0.5,
         ("Methylmalonic acid", "MMA", "Methylmalonic Acid, serum"),
         ("nmol/L", "umol/L", "µmol/L", "nmol/mL", "nmol/ml")),
    Made("holotranscobalamin", 2, 70, 0.5,
         ("Holotranscobalamin", "Active B12", "Holo-TC"),
         ("pmol/L", "pmol/l", "PMOL/L")),
    Made("agp", 1, 0.8, 0.35,
         ("AGP", "Alpha-1-acid glycoprotein", "Orosomucoid"),
         ("g/L", "mg/dL", "g/l")),
    Made("rbc_magnesium", 1, 2.1, 0.12,
         ("Magnesium, RBC", "RBC magnesium", "Magnesium in Erythrozyten"),
         ("mg/dL", "mmol/L", "mg/L", "mmol/l")),
)  # fmt: skip
UNKNOWN_NAMES = ("Zonulin", "Troponin T", "Selenium", "Unlisted test 7", "Reverse T3")
UNKNOWN_UNITS = ("arb. units", "furlong/L", "mg/furlong", "ng/spot", "pg/well")
GARBAGE = ("hemolyzed", "see comment", None, "QNS")  # None: nothing at all, an empty field in CSV
SEXES = ("F", "M", "female", "male")


class Pairs(NamedTuple):
    """The makers' spellings laid flat: names and units one after the other, `scale` turns the SI value into the unit."""

    names: pl.Series
    units: pl.Series
    scale: np.ndarray
    first: dict[str, np.ndarray]
    many: dict[str, np.ndarray]


def flat() -> Pairs:
    """All spellings in two lists, with where each analyte's own begin; every one of them is known to the catalog."""
    catalog = Catalog.default()
    scale = []
    for made in MADE:
        si = catalog.table["analytes"][made.analyte]["si"]
        for spelling in made.units:
            factor = catalog.factor(made.analyte, si, catalog.units.read(spelling) or "")
            if factor is None:
                raise ValueError(f"{made.analyte} is not reported in {spelling}")
            scale.append(float(factor))
        for name in made.names:
            if catalog.analyte_id(name) != made.analyte:
                raise ValueError(f"{name} is not {made.analyte}")
    lists = {"names": [m.names for m in MADE], "units": [m.units for m in MADE]}
    many = {key: np.array([len(one) for one in of]) for key, of in lists.items()}
    first = {key: np.concatenate([[0], np.cumsum(n)[:-1]]) for key, n in many.items()}
    series = {key: pl.Series([*(s for one in of for s in one), *unknown])
              for (key, of), unknown in zip(lists.items(), (UNKNOWN_NAMES, UNKNOWN_UNITS), strict=True)}  # fmt: skip
    return Pairs(series["names"], series["units"], np.array(scale), first, many)


def chunk(number: int, seed: int, pairs: Pairs, kind: str) -> pl.DataFrame:
    """One chunk of rows; the same number, seed and kind give the same rows."""
    rng = np.random.default_rng([seed, number])
    analyte = rng.choice(len(MADE), CHUNK, p=np.array([m.share for m in MADE]) / sum(m.share for m in MADE))
    name = pairs.first["names"][analyte] + (rng.random(CHUNK) * pairs.many["names"][analyte]).astype(int)
    unit = pairs.first["units"][analyte] + (rng.random(CHUNK) * pairs.many["units"][analyte]).astype(int)
    value = readings(rng, analyte, pairs.scale[unit], number, kind)
    odd = rng.random(CHUNK)
    unit = np.where(odd < 0.003, len(pairs.units) - 1 - rng.integers(0, len(UNKNOWN_UNITS), CHUNK), unit)
    name = np.where((odd >= 0.003) & (odd < 0.008), len(pairs.names) - 1 - rng.integers(0, len(UNKNOWN_NAMES), CHUNK), name)
    test = unique("Nurse's note ", number) if kind == "adversarial-names" else pairs.names.gather(name)
    units = unique("zz", number) + "/L" if kind == "adversarial-units" else pairs.units.gather(unit)
    return (
        people(rng, number)
        .with_columns(test=test, value=value, unit=units)
        .select(pl.col(key).cast(dtype) for key, dtype in COLUMNS.items())
    )


def readings(rng: np.random.Generator, analyte: np.ndarray, scale: np.ndarray, number: int, kind: str) -> pl.Series:
    """The value column: numbers, 5 % with a decimal comma, 3 % censored, 1 % no number at all; or what the kind of file says."""
    part, at = rng.random(CHUNK), rng.standard_normal(CHUNK)
    censored = part < 0.03  # at a few fixed points, as the ends of a method's range are
    at[censored] = np.where(rng.random(int(censored.sum())) < 0.7, -2.2, 3.0)
    value = np.array([m.median for m in MADE])[analyte] * np.exp(np.array([m.spread for m in MADE])[analyte] * at) * scale
    places = np.select([value >= 100, value >= 10, value >= 1], [0, rng.integers(0, 2, CHUNK), rng.integers(1, 3, CHUNK)], 3)
    comma = (part >= 0.04) & (part < 0.09) | (kind == "adversarial-commas")
    places[comma] = np.maximum(places[comma], 1)
    text = numbers(value, places, comma)
    if kind in HOSTILE_VALUES:
        return HOSTILE_VALUES[kind](text, number)
    words = pl.Series(GARBAGE, dtype=pl.String).gather(rng.integers(0, len(GARBAGE), CHUNK))
    sign = pl.Series(np.where(censored, np.where(at < 0, "<", ">"), ""))
    return (sign + text).zip_with(pl.Series((part < 0.03) | (part >= 0.04)), words)


def people(rng: np.random.Generator, number: int) -> pl.DataFrame:
    """The columns that say who and when, each patient with two draws; 2 % without sex, 2 % without age, 10 % without the pregnancy flag."""
    count = CHUNK // ROWS_A_DRAW // DRAWS_A_PATIENT
    sex, age = rng.integers(0, len(SEXES), count), rng.integers(0, 96, count)
    pregnant = (sex % 2 == 0) & (age >= 16) & (age < 46) & (rng.random(count) < 0.06)
    known = {"sex": pl.Series(SEXES).gather(sex), "age_years": pl.Series(age), "pregnant": pl.Series(pregnant)}
    gone = {"sex": 0.02, "age_years": 0.02, "pregnant": 0.1}
    facts = {key: of.zip_with(pl.Series(rng.random(count) >= gone[key]), pl.Series([None], dtype=of.dtype)) for key, of in known.items()}
    minutes = rng.integers(0, 700 * 24 * 60, count * DRAWS_A_PATIENT).astype("timedelta64[m]")
    draws = pl.DataFrame({"patient_id": 1_000_001 + number * count + np.arange(count), **facts})
    draws = draws.select(pl.all().repeat_by(DRAWS_A_PATIENT).explode()).with_columns(
        collected_at=np.datetime64("2024-01-01T07:00", "us") + minutes
    )
    return draws.select(pl.all().repeat_by(ROWS_A_DRAW).explode())


def numbers(value: np.ndarray, places: np.ndarray, comma: np.ndarray) -> pl.Series:
    """Numbers as text with a fixed number of places, as laboratories print them."""
    tens = 10**places
    digits = np.maximum(np.rint(value * tens), 1).astype(np.int64)  # never a plain zero
    parts = pl.DataFrame({"whole": digits // tens, "part": digits % tens + tens, "places": places, "mark": np.where(comma, ",", ".")})
    behind = pl.col("mark") + pl.col("part").cast(pl.String).str.slice(1)
    return parts.select(pl.col("whole").cast(pl.String) + pl.when(pl.col("places") > 0).then(behind).otherwise(pl.lit(""))).to_series()


def unique(text: str, number: int) -> pl.Series:
    """A text that no other row of the file has."""
    rows = pl.Series(np.arange(CHUNK) + number * CHUNK)
    return rows.cast(pl.String).str.zfill(9).alias("text").to_frame().select(pl.lit(text) + pl.col("text")).to_series()


def longer(text: pl.Series, number: int) -> pl.Series:
    """Numbers that no other row has: the row's number stands behind the second decimal."""
    return text.str.replace(r"^(\d+)$", "$1.0") + unique("", number)


# What stands in the value column of a hostile file: every text once, or every number with a comma.
HOSTILE_VALUES: dict[str, Callable[[pl.Series, int], pl.Series]] = {
    "adversarial-values": longer,
    "adversarial-garbage": lambda text, number: unique("hemolyzed, see note ", number),
    "adversarial-censored": lambda text, number: pl.Series(np.where(np.arange(CHUNK) % 3 > 0, "<", ">")) + longer(text, number),
    "adversarial-commas": lambda text, number: text,
}
KINDS = ("normal", *HOSTILE_VALUES, "adversarial-names", "adversarial-units")


def make(rows: int, out: Path, kind: str = "normal", seed: int = 7) -> tuple[Path, Path]:
    """Write both files, unless they are there.

    Args:
        rows: How many.
        out: The folder; made if need be.
        kind: One of `KINDS`.
        seed: Of everything.

    Returns:
        tuple: the CSV and the Parquet file.
    """
    csv, parquet = paths(out, kind, rows)
    out.mkdir(parents=True, exist_ok=True)
    if not csv.exists():
        pairs = flat()
        half = csv.with_suffix(".csv.part")
        with half.open("wb") as file:
            for number in range(-(-rows // CHUNK)):
                frame = chunk(number, seed, pairs, kind).head(rows - number * CHUNK)
                frame.write_csv(file, include_header=number == 0, datetime_format="%Y-%m-%d %H:%M:%S")
        half.rename(csv)
    if not parquet.exists():
        half = parquet.with_suffix(".parquet.part")
        pl.scan_csv(csv, schema=COLUMNS).sink_parquet(half, row_group_size=CHUNK)
        half.rename(parquet)
    return csv, parquet


def main() -> None:
    """Write the files and say where."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generate", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kind", choices=KINDS, default="normal")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    for path in make(asked.rows, asked.out, asked.kind, asked.seed):
        print(f"{path}  {path.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
