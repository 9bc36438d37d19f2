"""The same job as an analyst writes it in pandas on one afternoon: vectorised, no loops, and less of everything.

Names and units are lower-cased and looked up, values are `to_numeric` after the decimal comma, the lines of the default
authorities are merged in by analyte, sex, pregnancy and age class, and the band is the number of lines passed.
Left out: censored values, thousands marks, units behind the value, LOINC, plausibility, unknown facts, laboratory ranges,
the other authorities, and any reason why a row has no answer.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

NAMES = {
    "vitamin_d": [
        "vitamin d",
        "25(oh)d",
        "25-oh vitamin d",
        "25-hydroxyvitamin d",
        "vitamin d 25-oh",
        "vitamine d",
        "25-hydroxy-vitamin d",
    ],
    "vitamin_b12": ["vitamin b12", "b12", "vit. b12", "cobalamin", "vitamine b12"],
    "ferritin": ["ferritin", "ferritine", "ferritina", "ferritin, serum", "ferr"],
    "folate": ["folate", "folic acid", "folsäure", "acide folique"],
    "magnesium": ["magnesium", "mg", "magnésium", "magnesium, total"],
    "crp": ["crp", "c-reactive protein", "hs-crp", "c-reaktives protein"],
    "creatinine": ["creatinine", "kreatinin", "créatinine", "creat"],
    "egfr": ["egfr", "egfr ckd-epi", "gfr, estimated"],
    "homocysteine": ["homocysteine", "homocysteine, total", "hcy", "homocystein"],
    "mma": ["methylmalonic acid", "mma", "methylmalonic acid, serum"],
    "holotranscobalamin": ["holotranscobalamin", "active b12", "holo-tc"],
    "agp": ["agp", "alpha-1-acid glycoprotein", "orosomucoid"],
    "rbc_magnesium": ["magnesium, rbc", "rbc magnesium", "magnesium in erythrozyten"],
}
# analyte -> its SI unit, then spelling -> how many of the SI unit are one of it
GFR = "mL/min/{1.73_m2}"
UNITS: dict[tuple[str, str], dict[str, float]] = {
    ("vitamin_d", "nmol/L"): {"nmol/l": 1, "ng/ml": 1e6 / 400647, "µg/l": 1e6 / 400647},
    ("vitamin_b12", "pmol/L"): {"pmol/l": 1, "pg/ml": 1e6 / 1355388, "ng/l": 1e6 / 1355388},
    ("ferritin", "ug/L"): {"ug/l": 1, "µg/l": 1, "mcg/l": 1, "ng/ml": 1, "pmol/l": 0.445},
    ("folate", "nmol/L"): {"nmol/l": 1, "ng/ml": 1e6 / 441404, "µg/l": 1e6 / 441404},
    ("magnesium", "mmol/L"): {"mmol/l": 1, "mg/dl": 10 / 24.305, "mg/100 ml": 10 / 24.305, "meq/l": 0.5, "mval/l": 0.5},
    ("crp", "mg/L"): {"mg/l": 1, "mg/dl": 10},
    ("creatinine", "umol/L"): {"umol/l": 1, "µmol/l": 1, "mcmol/l": 1, "mg/dl": 1e4 / 113.12},
    ("egfr", GFR): {"ml/min/1.73m2": 1, "ml/min/1.73 m2": 1, "ml/min/1,73m2": 1, "ml/min/{1.73_m2}": 1},
    ("homocysteine", "umol/L"): {"umol/l": 1, "µmol/l": 1, "micromol/l": 1, "mg/l": 1e3 / 135.181},
    ("mma", "umol/L"): {"umol/l": 1, "µmol/l": 1, "nmol/ml": 1, "nmol/l": 0.001},
    ("holotranscobalamin", "pmol/L"): {"pmol/l": 1},
    ("agp", "g/L"): {"g/l": 1, "mg/dl": 0.01},
    ("rbc_magnesium", "mmol/L"): {"mmol/l": 1, "mg/dl": 10 / 24.305, "mg/l": 1 / 24.305},
}
ANY, BOTH, NOT, YES = ("female", "male"), (False, True), (False,), (True,)
UP = np.nextafter  # "above 125" begins with the next number after 125
# analyte, limit set, sexes, pregnant, ages [from, to), the lines, the bands between them
LINES = [
    ("vitamin_d", "nam-2011", ANY, BOTH, 0, 131, [30, 50, UP(125, 126)], ["deficient", "inadequate", "adequate", "high"]),
    ("vitamin_b12", "nice-ng239-2024", ANY, NOT, 16, 131, [133, UP(258, 259)], ["deficient", "indeterminate", "unlikely_deficient"]),
    ("ferritin", "who-2020", ("female",), NOT, 5, 131, [15, UP(150, 151)], ["deficient", "adequate", "overload_risk"]),
    ("ferritin", "who-2020", ("male",), NOT, 5, 131, [15, UP(200, 201)], ["deficient", "adequate", "overload_risk"]),
    ("ferritin", "who-2020", ANY, NOT, 0, 5, [12], ["deficient", "adequate"]),
    ("folate", "who-2012", ANY, NOT, 0, 131, [6.8], ["deficient", "not_deficient"]),
    ("magnesium", "uk-harmony", ANY, NOT, 18, 131, [0.5, 0.7, UP(1, 2)], ["severe", "low", "normal", "high"]),
    ("crp", "brinda-inflammation", ANY, BOTH, 0, 131, [UP(5, 6)], ["not_raised", "raised"]),
    ("egfr", "kdigo", ANY, NOT, 18, 131, [15, 30, 45, 60, 90], ["g5", "g4", "g3b", "g3a", "g2", "g1"]),
    ("homocysteine", "adults-2004", ANY, NOT, 18, 131, [15, UP(30, 31), UP(100, 101)], ["normal", "moderate", "intermediate", "severe"]),
    ("mma", "denmark-age", ANY, NOT, 0, 1, [UP(1.25, 2)], ["normal", "elevated"]),
    ("mma", "denmark-age", ANY, NOT, 1, 11, [UP(0.3, 1)], ["normal", "elevated"]),
    ("mma", "denmark-age", ANY, NOT, 12, 18, [UP(0.35, 1)], ["normal", "elevated"]),
    ("mma", "denmark-age", ANY, NOT, 18, 65, [UP(0.4, 1)], ["normal", "elevated"]),
    ("mma", "denmark-age", ANY, NOT, 65, 131, [UP(0.46, 1)], ["normal", "elevated"]),
    ("holotranscobalamin", "nice-ng239-2024", ANY, BOTH, 16, 131, [25, UP(70, 71)], ["deficient", "indeterminate", "unlikely_deficient"]),
    ("agp", "brinda-inflammation", ANY, BOTH, 0, 131, [UP(1, 2)], ["not_raised", "raised"]),
]  # fmt: skip
AGES = sorted({age for *_, start, end, _, _ in LINES for age in (start, end)})
SEXES = {"f": "female", "m": "male", "female": "female", "male": "male"}
MOST = max(len(lines) for *_, lines, _ in LINES)
KEYS = ["li_analyte", "_sex", "_pregnant", "_age"]

BY_NAME = {name: analyte for analyte, names in NAMES.items() for name in names}
BY_UNIT = pd.DataFrame(
    [(analyte, text, si, factor) for (analyte, si), texts in UNITS.items() for text, factor in texts.items()],
    columns=["li_analyte", "_unit", "li_si_unit", "_factor"],
)
BY_PERSON = pd.DataFrame(
    [
        (analyte, sex, pregnant, age, f"{analyte}/{made}", number, *lines, *[np.inf] * (MOST - len(lines)))
        for number, (analyte, made, sexes, states, start, end, lines, _) in enumerate(LINES)
        for sex, pregnant, age in product(sexes, states, range(len(AGES)))
        if start <= AGES[age] < end
    ],
    columns=[*KEYS, "li_limits", "_line", *(f"_edge{k}" for k in range(MOST))],
)
BANDS = np.array([[*bands, *[None] * (MOST + 1 - len(bands))] for *_, bands in LINES], dtype=object)


def interpret(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with `li_analyte`, `li_value`, `li_si_value`, `li_si_unit`, `li_band` and `li_limits` added."""
    out = frame.copy(deep=False)
    out["li_analyte"] = frame["test"].str.strip().str.lower().map(BY_NAME)
    out["_unit"] = frame["unit"].str.strip().str.lower()
    out["li_value"] = pd.to_numeric(frame["value"].str.replace(",", ".", regex=False), errors="coerce")
    out["_sex"] = frame["sex"].str.strip().str.lower().map(SEXES)
    out["_pregnant"] = frame["pregnant"].astype("string").str.lower().eq("true").fillna(False).astype(bool)
    out["_age"] = np.digitize(pd.to_numeric(frame["age_years"], errors="coerce").fillna(-1), AGES) - 1
    out = out.merge(BY_UNIT, how="left", on=["li_analyte", "_unit"])
    out["li_si_value"] = out["li_value"] * out["_factor"]
    out = out.merge(BY_PERSON, how="left", on=KEYS)
    value = out["li_si_value"].to_numpy()
    passed = sum((value >= out[f"_edge{k}"].to_numpy()).astype(np.int8) for k in range(MOST))
    known = out["_line"].notna().to_numpy() & ~np.isnan(value)
    out["li_band"] = np.where(known, BANDS[out["_line"].fillna(0).astype(int).to_numpy(), passed], None)
    return out.drop(columns=[column for column in out.columns if column.startswith("_")])


def file_to_file(source: Path, target: Path) -> None:
    """CSV in, Parquet out."""
    interpret(pd.read_csv(source, dtype=str)).to_parquet(target, compression="zstd", index=False)
