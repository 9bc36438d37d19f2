"""Parquet files that are damaged or odd: each way of reading one ends in one clear sentence, and none in the words of a library."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from labinterp import Catalog, omop
from labinterp._frames.rows import RowReader
from labinterp.dataframes import interpret_frame
from labinterp.errors import InputError
from labinterp.readers import read_bytes

Cli = Callable[..., Any]


def parquet(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


LABS = parquet(pl.DataFrame({"test": ["Ferritin"] * 50, "value": [12.0] * 50, "unit": ["ug/L"] * 50, "sex": ["F"] * 50, "age": [34] * 50}))
MEASUREMENT = parquet(pl.DataFrame({"person_id": [1], "measurement_concept_id": [3001122], "value_as_number": [12.0]}))
WHOLE = "not a whole Parquet file"


def with_footer(data: bytes, length: int) -> bytes:
    return data[:-8] + length.to_bytes(4, "little") + data[-4:]


DAMAGED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "half of it": (lambda data: data[: len(data) // 2], f"{WHOLE}: it does not end as one"),
    "its last byte gone": (lambda data: data[:-1], f"{WHOLE}: it does not end as one"),
    "its last mark gone": (lambda data: data[:-4], f"{WHOLE}: it does not end as one"),
    "a wrong mark at its end": (lambda data: data[:-4] + b"PARX", f"{WHOLE}: it does not end as one"),
    "one more line end": (lambda data: data + b"\n", f"{WHOLE}: it does not end as one"),
    "nothing but its mark": (lambda _: b"PAR1", f"{WHOLE}: it does not end as one"),
    "nothing between its marks": (lambda _: b"PAR1PAR1", f"{WHOLE}: it does not end as one"),
    "a footer of 4 GB": (lambda data: with_footer(data, 0xFFFFFFF0), f"{WHOLE}: its footer is damaged"),
    "a footer as long as the file": (lambda data: with_footer(data, len(data)), f"{WHOLE}: its footer is damaged"),
    "no footer": (lambda data: with_footer(data, 0), f"{WHOLE}: its footer is damaged"),
    "half a footer": (lambda data: with_footer(data, int.from_bytes(data[-8:-4], "little") // 2), WHOLE),
    "a footer of nothing": (lambda data: data[:-108] + bytes(100) + data[-8:], WHOLE),
    "an encrypted footer": (lambda data: data[:-4] + b"PARE", "encrypted, which is not read"),
}


@pytest.mark.parametrize("out", [("--to", "json"), ("-o", "out.csv"), ("-o", "out.parquet")], ids=["whole", "csv", "parquet"])
@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_told(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, out: tuple[str, ...]) -> None:
    change, says = DAMAGED[case]
    monkeypatch.chdir(tmp_path)
    Path("labs.parquet").write_bytes(change(LABS))
    done = cli("interpret", "labs.parquet", *out)
    assert (done.code, done.out) == (1, "")
    assert says in " ".join(done.err.split())
    assert "labs.parquet" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["labs.parquet"]


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_table_of_omop_is_told(case: str) -> None:
    change, says = DAMAGED[case]
    with pytest.raises(InputError, match=says):
        omop.read(change(MEASUREMENT))


def test_columns_with_several_values_in_a_cell(cli: Cli, tmp_path: Path) -> None:
    """Beside the results they are passed by; as the value they are no value."""
    path = tmp_path / "labs.parquet"
    frame = pl.DataFrame({"test": ["Ferritin"], "value": [12.0], "unit": ["ug/L"], "more": [{"a": [1, 2]}], "list": [[1, 2]]})
    frame.write_parquet(path)
    done = cli("interpret", str(path), "-o", str(tmp_path / "out.parquet"), "--sex", "female", "--age", "34")
    assert done.code == 0, done.err
    found = pl.read_parquet(tmp_path / "out.parquet")
    assert (found["li_code"].to_list(), found["more"].to_list()) == (["L"], [{"a": [1, 2]}])
    done = cli("interpret", str(path), "-o", str(tmp_path / "out.csv"))
    assert (done.code, "'more'" in done.err) == (1, True)
    frame.with_columns(value=pl.Series([[12.0, 13.0]])).write_parquet(path)
    done = cli("interpret", str(path), "-o", str(tmp_path / "two.parquet"))
    assert pl.read_parquet(tmp_path / "two.parquet")["li_reason"].to_list() == ["unreadable_value"]
    (panel,) = read_bytes(path.read_bytes()).panels
    assert panel.results[0].value.reason == "unreadable_value"


def test_floats_of_which_none_has_a_unit_are_answered() -> None:
    """No row has a line to lie on."""
    fresh = RowReader(Catalog.default(), None, "2026-01-01", None)  # one that has seen no line yet
    found = fresh.answer({"test": pl.Series(["Ferritin"]), "value": pl.Series([12.0])}, 1)
    assert found["reason"].to_list() == ["missing_unit"]
    frame = pl.DataFrame({"test": ["Ferritin"], "value": [12.0]})
    assert interpret_frame(frame)["li_reason"].to_list() == ["missing_unit"]


# --- what native code prints by itself ------------------------------------------------------------------------

WRITES = """
import os, sys
from labinterp._commands.quiet import without_panics
with without_panics():
    os.write(2, {native!r})
    print("of this program", file=sys.stderr)
print("behind it", file=sys.stderr)
os.write(2, b"and of others")
"""


@pytest.mark.parametrize(
    ("native", "told"),
    [
        (b"\nthread 'async-executor-0' (8339) panicked at crates/x.rs:329:9:\nassertion failed\nstack backtrace:\n", b""),
        (b"a word of a library\n", b"a word of a library\n"),
        (b"", b""),
    ],
)
def test_panics_of_native_code_are_kept_back(native: bytes, told: bytes) -> None:
    """What this program says itself is told at once, other words of a library at the end."""
    done = subprocess.run([sys.executable, "-c", WRITES.format(native=native)], capture_output=True, check=True)
    assert done.stderr == b"of this program\n" + told + b"behind it\nand of others"


def test_an_error_within_leaves_standard_error_as_it_was() -> None:
    program = (
        "import os, sys\nfrom labinterp._commands.quiet import without_panics\nbefore = sys.stderr\n"
        "try:\n    with without_panics():\n        raise SystemExit(3)\n"
        "finally:\n    os.write(2, b'here')\n    assert sys.stderr is before\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (3, b"here")
