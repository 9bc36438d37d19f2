"""Make the small files of this directory from the scouted data: public domain and CC0 only. See PROVENANCE.md.

    python tests/data/make_extracts.py ../shared/data

Standard library only; the same input gives the same files, byte for byte.
"""

import csv
import importlib.util
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

_spec = importlib.util.spec_from_file_location("make_nhanes_2001", HERE.parents[1] / "docs" / "examples" / "make_nhanes_2001.py")
assert _spec is not None
assert _spec.loader is not None
nhanes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(nhanes)

COLUMNS = ("LBXB12", "LBDB12SI", "LBXFER", "LBDFERSI", "LBXFOL", "LBDFOLSI", "LBDHCY", "LBXMMA", "LBDSCR", "LBDSCRSI")
# Values on the lines of the default limits, where a conversion may move a result into another band.
ON_A_LINE = {"LBXB12": (180, 350), "LBXFER": (15, 150, 200), "LBXFOL": (3,), "LBXMMA": (0.4, 0.46)}
ROWS = 300


def write(name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def dual_units(folder: Path) -> Iterator[tuple[str, ...]]:
    """People with every pair: the ends of each column, up to four on each line, then evenly spaced ones up to 300."""
    people = nhanes.everyone(folder)
    standard = {int(row["SEQN"]): row for row in nhanes.read_xpt(folder / "L40_B.XPT")}
    rows = {seqn: row | standard[seqn] for seqn, (_, row) in people.items() if seqn in standard}
    whole = [seqn for seqn, row in rows.items() if all(row[column] is not None for column in COLUMNS)]
    chosen = {end(whole, key=lambda s, c=column: rows[s][c]) for column in COLUMNS for end in (min, max)}
    for column, lines in ON_A_LINE.items():
        for line in lines:
            chosen |= set([seqn for seqn in whole if rows[seqn][column] == line][:4])
    rest = [seqn for seqn in whole if seqn not in chosen]
    chosen |= set(rest[:: len(rest) // (ROWS - len(chosen))][: ROWS - len(chosen)])
    for seqn in sorted(chosen):
        person = people[seqn][0]
        facts = (person["RIAGENDR"], person["RIDAGEYR"], person["RIDEXPRG"])
        yield (str(seqn), *facts, *(nhanes.plain(rows[seqn][column]) for column in COLUMNS))


def observations(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("resourceType") == "Observation":
            yield node
        for value in node.values():
            yield from observations(value)
    elif isinstance(node, list):
        for value in node:
            yield from observations(value)


def belgian(folder: Path) -> Iterator[tuple[str, ...]]:
    """Every distinct name, LOINC code and unit of the quantities in the bundles."""
    seen = set()
    for path in sorted(folder.glob("*.json")):
        for one in observations(json.loads(path.read_text("utf-8"))):
            codings = one["code"].get("coding", [])
            loinc = next((c["code"] for c in codings if c.get("system") == "http://loinc.org"), "")
            quantity = one.get("valueQuantity", {})
            names = {one["code"].get("text")} | {c.get("display") for c in codings}
            seen |= {(name, loinc, quantity.get("unit") or quantity.get("code") or "") for name in names if name}
    yield from sorted(seen)


def vista(folder: Path) -> Iterator[tuple[str, ...]]:
    with (folder / "vista_dss_loinc_units.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["dss_test_name"], row["loinc"], row["expected_unit"]


def main() -> None:
    shared = Path(sys.argv[1])
    write("nhanes_2001_dual_units.csv", ("SEQN", "RIAGENDR", "RIDAGEYR", "RIDEXPRG", *COLUMNS), dual_units(shared / "nhanes-2001-2002"))
    write("belgian_names_units.csv", ("name", "loinc", "unit"), belgian(shared / "fhir-hl7be-lab"))
    write("vista_names_units.csv", ("name", "loinc", "unit"), vista(shared / "unit-strings"))


if __name__ == "__main__":
    main()
