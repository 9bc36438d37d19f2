"""Where the generated files stand; imports nothing, so that a process that only starts others stays small."""

from __future__ import annotations

from pathlib import Path


def paths(out: Path, kind: str, rows: int) -> tuple[Path, Path]:
    """The CSV and the Parquet file of a kind and length."""
    return out / f"{kind}-{rows}.csv", out / f"{kind}-{rows}.parquet"
