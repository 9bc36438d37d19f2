"""Plain files of text are read by polars itself: the same answers, and another reading where they turn out not to be plain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from labinterp._streams import plain
from labinterp._streams.blocks import Blocks
from labinterp._streams.plain import plain_rows
from labinterp.dataframes import interpret_frame

Cli = Callable[..., Any]
HEADER = "id,test,value,unit,sex,age_years\n"
ROWS = "1,Ferritin,12,ug/L,F,34\n2,25(OH)D,<12,ng/mL,M,70\n3,Mg,,mmol/L,F,\n4,nonsense,1,x,,\n"


@pytest.fixture
def read_by_rules(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often files are read by the rules of `Blocks`."""
    calls: list[int] = []
    frames = Blocks.frames

    def counted(self: Blocks, pieces: Any) -> Iterator[pl.DataFrame]:
        calls.append(1)
        return frames(self, pieces)

    monkeypatch.setattr(Blocks, "frames", counted)
    return calls


def answered(text: str) -> pl.DataFrame:
    rows = [[cell or None for cell in line.split(",")] for line in text.splitlines()[1:]]
    return interpret_frame(pl.DataFrame(rows, schema=dict.fromkeys(HEADER.strip().split(","), pl.String), orient="row"))


@pytest.mark.parametrize("end", ["", "5,CRP,12,mg/L,M,50"])
def test_a_plain_file_is_read_by_polars(cli: Cli, tmp_path: Path, read_by_rules: list[int], end: str) -> None:
    """Row by row the same, whether or not the last line ends."""
    (tmp_path / "in.csv").write_text(HEADER + ROWS * 50 + end, "utf-8")
    done = cli("interpret", str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.parquet"))
    assert (done.code, read_by_rules) == (0, [])
    assert pl.read_parquet(tmp_path / "out.parquet").equals(answered(HEADER + ROWS * 50 + end))
    assert f"{200 + bool(end)} rows" in done.err


def test_several_plain_files_are_one(cli: Cli, tmp_path: Path, read_by_rules: list[int]) -> None:
    """In the order of their names, each row with its file."""
    for number in range(3):
        (tmp_path / f"{number}.csv").write_text(HEADER + ROWS, "utf-8")
    cli("interpret", str(tmp_path / "*.csv"), "-o", str(tmp_path / "out.parquet"), "--source-column", "file")
    found = pl.read_parquet(tmp_path / "out.parquet")
    assert read_by_rules == []
    assert found["file"].to_list() == [f"{n}.csv" for n in range(3) for _ in range(4)]
    assert found.drop("file").equals(answered(HEADER + ROWS * 3))


@pytest.mark.parametrize("shape", ["too long", "not UTF-8", "blank line", "quotes", "returns"])
@pytest.mark.parametrize("before", [0, 3_000])
def test_a_file_that_is_not_plain_is_read_by_the_rules(cli: Cli, tmp_path: Path, read_by_rules: list[int], shape: str, before: int) -> None:
    """What polars could not be trusted with is told before or while it reads; nothing of that reading is kept."""
    odd = {
        "too long": b"9,Ferritin,12,ug/L,F,34,more\n", "not UTF-8": "9,Ferritin,12,µg/L,F,34\n".encode("cp1252"), "blank line": b"\n",
        "quotes": b'9,"Ferritin",12,ug/L,F,34\n', "returns": b"9,Ferritin,12,ug/L,F,34\r\n",
    }[shape]  # fmt: skip
    text = HEADER.encode() + ROWS.encode() * before + odd + ROWS.encode()
    (tmp_path / "in.csv").write_bytes(text)
    done = cli("interpret", str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.parquet"))
    assert (done.code, read_by_rules) == (0, [1])
    found = pl.read_parquet(tmp_path / "out.parquet")
    assert found.height == 4 * before + 5
    row = found.row(4 * before, named=True)
    expected: dict[str, Any] = {
        "too long": (None, "unreadable_value"), "not UTF-8": ("deficient", None), "blank line": (None, None),
        "quotes": ("deficient", None), "returns": ("deficient", None),
    }  # fmt: skip
    assert (row["li_band"], row["li_reason"]) == expected[shape]
    assert found.drop("id")[4 * before + 1 :].equals(answered(HEADER + ROWS).drop("id"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", "out.parquet"]
    assert f"{4 * before + 5 - (shape == 'blank line')} rows" in done.err


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_rows_of_a_plain_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    """Rows are counted, and what is not plain is told, in pieces of any size."""
    monkeypatch.setattr(plain, "_PIECE", max(piece, len(HEADER)))
    header = HEADER.strip().split(",")

    def rows(data: str) -> int | None:
        (tmp_path / "x.csv").write_bytes(data.encode())
        return plain_rows(tmp_path / "x.csv", header, ",")

    assert rows(HEADER) == 0
    assert rows(HEADER + ROWS) == 4
    assert rows((HEADER + ROWS).removesuffix("\n")) == 4
    assert rows(HEADER + ROWS + "\n") is None
    assert rows(HEADER + "\n" + ROWS) is None
    assert rows("\n" + HEADER + ROWS) is None
    assert rows(HEADER.replace("test", '"test"') + ROWS) is None
    assert rows("﻿" + HEADER + ROWS) is None
    assert rows(HEADER + ROWS.replace("12", "1\r2")) is None
