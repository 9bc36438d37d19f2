"""Where a laboratory printed a range and a flag, our reading of its range gives its own flag, or the difference is named here.

The files are walked with the little that this takes; what the readers of these formats make of them is tested elsewhere. Where
../shared/data is absent this is skipped.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from labinterp import Catalog
from labinterp._flag_words import agrees, flag_code
from labinterp._quantity import Quantity, ReadValue, read_value
from labinterp._reported import Reported, read_reported

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is absent: printed flags of five folders not checked")


class Row(NamedTuple):
    file: str
    name: str
    value: str
    unit: str
    low: Any
    high: Any
    text: str | None
    flag: str | None


def observations(part: Any) -> Iterator[dict[str, Any]]:
    """Every Observation in a bundle, wherever it stands."""
    if isinstance(part, dict):
        if part.get("resourceType") == "Observation":
            yield part
        part = list(part.values())
    for inner in part if isinstance(part, list) else ():
        yield from observations(inner)


def of_fhir(path: Path) -> Iterator[Row]:
    seen = set()  # a bundle may hold a result twice
    for whole in observations(json.loads(path.read_text("utf-8-sig"))):
        for one in (whole, *whole.get("component", ())):
            quantity, said = one.get("valueQuantity") or {}, one.get("interpretation") or []
            said = said if isinstance(said, list) else [said]
            flag = next((c["code"] for s in said for c in s.get("coding", ()) if "code" in c), None)
            code = one.get("code", {})
            name = code.get("text") or next((c.get("display") for c in code.get("coding", ())), "") or ""
            for printed in one.get("referenceRange", ())[:1]:
                low, high = ((printed.get(end) or {}).get("value") for end in ("low", "high"))
                value = f"{quantity.get('comparator', '')}{quantity['value']}" if "value" in quantity else ""
                row = Row(path.name, name, value, quantity.get("code") or quantity.get("unit") or "", low, high, printed.get("text"), flag)
                if (whole.get("id"), row) not in seen:
                    seen.add((whole.get("id"), row))
                    yield row


def of_hl7(path: Path) -> Iterator[Row]:
    for segment in path.read_bytes().decode("utf-8-sig").splitlines():
        field = [*segment.split("|"), *[""] * 12]
        if field[0] == "OBX" and field[2] == "NM" and "~" not in field[5]:
            yield Row(path.name, field[3].split("^")[1], field[5], field[6].split("^")[0], None, None, field[7], field[8])


def of_smart(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file, delimiter="\t"):
            yield Row(path.name, line["NAME"], line["VALUE"], line["UNITS"] or "", line["LOW"], line["HIGH"], None, None)


def printed() -> Iterator[tuple[Row, Reported]]:
    """Every row with a number and a range, and our reading of it. A unit that is not in the catalog stands for itself here."""
    units = Catalog.default().units
    found = [row for path in sorted(SHARED.glob("fhir-*/*.json")) for row in of_fhir(path)]
    found += [row for path in sorted(SHARED.glob("hl7v2-*/*.hl7")) for row in of_hl7(path)]
    found += [row for path in sorted(SHARED.glob("smart-labs-tsv/labs*.tsv")) for row in of_smart(path)]
    for row in found:
        value = read_value(row.value)
        if isinstance(value, ReadValue) and not value.rest and any(end not in (None, "") for end in row[4:7]):
            quantity = Quantity(value.value, units.read(row.unit) or row.unit, value.comparator, value.high)
            reported = read_reported(quantity, row.low, row.high, row.text, row.flag, units, ".")
            assert reported is not None
            yield row, reported


def test_the_printed_range_gives_the_printed_flag() -> None:
    """Every one of the 148 rows with a plain range and a flag that says a side or normal; a difference would be named here."""
    flagged = [(row, reported) for row, reported in printed() if reported.code and flag_code(row.flag)]
    differ = {(row.file, row.name, row.value, r.low, r.high, row.flag) for row, r in flagged if not agrees(flag_code(row.flag), r.code)}
    assert differ == set()
    assert len(flagged) == 148
    assert len({row.file for row, _ in flagged}) == 12


def test_a_row_without_a_flag_lies_in_its_range() -> None:
    """The systems that print some flags print none where the value is in the range; two rows are slips of their own."""
    listed = [(row, reported) for row, reported in printed() if reported.code]
    flagging = {row.file for row, _ in listed if row.flag}
    silent = [(row, reported) for row, reported in listed if row.file in flagging and not row.flag]
    out = {(row.file, row.name, row.value, str(r.high)) for row, r in silent if r.code != "N"}
    assert out == {
        ("molis_1A.json", "SSA/Ro", "239.1", "10"),  # more than twenty times its limit, and no interpretation at all
        ("Bundle-101.json", "Basophils", "0.92", "0.21"),  # the line above it in this example of HL7, with the same figure, has a flag
    }
    assert len(silent) == 310


def test_what_is_kept_as_text() -> None:
    """No range, a condition, or a table by age and sex: 240 rows, and none of them gets an end or a code."""
    kept = [reported for _, reported in printed() if reported.code is None]
    assert {(reported.low, reported.high) for reported in kept} == {(None, None)}
    texts = Counter(reported.text for reported in kept)
    assert texts.pop("0 - 0") == 237
    assert sorted(text[:12] for text in texts if text) == ["12-14 y Male", "Bij blootste", "Voor evaluat"]
