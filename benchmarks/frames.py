"""Millions of rows: every case in a fresh process, the cases taking turns, medians, and ratios of one run.

Run: `python -m benchmarks.frames [--rows 10000000] [--rounds 5] [--only ours-csv,duckdb] [--set spark=10000000] [--data DIR]`.
Missing files are made first. The clock starts after imports. A ratio compares times per row, so that cases of unequal length can
stand side by side.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from benchmarks.files import paths
from benchmarks.frame_cases import CASES, WARM, Job

TIMES_BIG = 5  # the big file has five times the rows: memory must not follow
SIZES = {"cluster": 2_000_000, "small": 1_000_000}
HEAD = ("case", "rows", "s", "ns a row", "peak MB", "beside", "ratio", "aim", "poor beyond", "peak ratio")
PACKAGES = ("polars", "pandas", "pyarrow", "duckdb", "pyspark", "dask", "pint", "labunits")


class Measured(NamedTuple):
    """Medians of one case over the rounds."""

    rows: int
    seconds: float
    megabytes: float

    @property
    def a_row(self) -> float:
        """Nanoseconds."""
        return self.seconds / self.rows * 1e9


def run_once(name: str, rows: int, data: Path, out: Path) -> tuple[float, float]:
    """Run one case in this process: seconds, and the peak in MB (of child processes where they did the work)."""
    case = CASES[name]
    run = case.prepare(Job(data, case.kind, rows, out))
    start = time.perf_counter()
    done = run()
    seconds = time.perf_counter() - start
    if isinstance(done, int):
        seconds *= rows / done
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return seconds, peak / 1024


def measure(name: str, rows: int, data: Path, limit: float) -> tuple[float, float]:
    """The same in a fresh process, which is ended with all that it started after `limit` seconds.

    Raises:
        RuntimeError: The case failed (with the last line it wrote), or took too long.
    """
    command = [sys.executable, "-m", "benchmarks.frames", "--case", name, "--rows", str(rows), "--data", str(data)]
    with tempfile.TemporaryDirectory(prefix="out-", dir=data, ignore_cleanup_errors=True) as folder:
        command += ["--out", str(Path(folder) / "out.parquet")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
            try:
                told, complaint = process.communicate(timeout=limit)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)  # its own session: whatever it started is in it
                process.wait()
                if isinstance(error, subprocess.TimeoutExpired):
                    raise RuntimeError(f"took longer than {limit:g} s") from None
                raise
    if process.returncode:
        raise RuntimeError("failed: " + (complaint.strip().splitlines() or ["no message"])[-1])
    seconds, megabytes = json.loads(told.strip().splitlines()[-1])
    return seconds, megabytes


def missing(needs: Iterable[str]) -> list[str]:
    """The modules that are not there."""
    return [module for module in needs if find_spec(module.split(".")[0]) is None or find_spec(module) is None]


def make_files(names: Iterable[str], rows: dict[str, int], data: Path) -> None:
    """Make what is missing, and read all of it once, so that every case finds it in the page cache."""
    wanted = {(CASES[name].kind, rows[name]) for name in names} | {("normal", WARM) for name in names if "spark" in name}
    for kind, count in sorted(wanted, key=lambda one: one[1]):
        if not all(path.exists() for path in paths(data, kind, count)):
            print(f"making {count:,} rows, {kind}", file=sys.stderr)
            command = [sys.executable, "-m", "benchmarks.generate", "--rows", str(count), "--out", str(data), "--kind", kind]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for path in paths(data, kind, count):
            with path.open("rb") as file:
                while file.read(1 << 24):
                    pass


def rounds_of(names: list[str], rows: dict[str, int], data: Path, rounds: int, limit: float) -> tuple[dict[str, Measured], dict[str, str]]:
    """Medians by case, and why the others have none."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    failed: dict[str, str] = {}
    for number in range(rounds):
        for name in names:
            if name in failed:
                continue
            try:
                taken[name].append(measure(name, rows[name], data, limit))
            except RuntimeError as error:
                failed[name] = str(error)
            last = failed.get(name) or "{:.2f} s, {:.0f} MB".format(*taken[name][-1])
            print(f"round {number + 1}: {name}: {last}", file=sys.stderr)
    found = {
        name: Measured(rows[name], *(statistics.median(column) for column in zip(*runs, strict=True)))
        for name, runs in taken.items()
        if runs and name not in failed
    }
    return found, failed


def table(found: dict[str, Measured], why_not: dict[str, str], names: Iterable[str]) -> str:
    """The Markdown table."""
    lines = [HEAD, ("---",) * len(HEAD)]
    for name in names:
        case = CASES[name]
        if name not in found:
            lines.append((case.label, "", why_not[name].replace("|", "/"), *[""] * (len(HEAD) - 3)))
            continue
        own, base = found[name], found.get(case.base or "")
        limits = tuple("" if limit is None else f"{limit:g}" for limit in (case.aim, case.poor))
        ratio = ("", "") if base is None else (f"{own.a_row / base.a_row:.2f}", f"{own.megabytes / base.megabytes:.2f}")
        beside = CASES[case.base].label if case.base else ""
        lines.append((case.label, f"{own.rows:,}", f"{own.seconds:.2f}", f"{own.a_row:,.0f}", f"{own.megabytes:.0f}", beside,
                      ratio[0], *limits, ratio[1]))  # fmt: skip
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """Where and with what, in one line."""
    there = []
    for package in PACKAGES:
        try:
            there.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    found = find_spec("labinterp")
    checkout = (
        "" if found is None or "site-packages" in str(found.origin) else ", labinterp from a source checkout (reads its data files first)"
    )
    return f"{date.today()}, {os.cpu_count()} cores, Python {platform.python_version()}, {', '.join(there)}{checkout}"


def asked_for(only: str) -> list[str]:
    """The cases named, each after the one it is set beside.

    Raises:
        SystemExit: A name that is no case.
    """
    wanted = [name.strip() for name in only.split(",")] if only else list(CASES)
    unknown = [name for name in wanted if name not in CASES]
    if unknown:
        raise SystemExit(f"no such case: {', '.join(unknown)}; there are {', '.join(CASES)}")
    with_bases = {*wanted, *(base for name in wanted if (base := CASES[name].base))}
    return [name for name in CASES if name in with_bases]


def main() -> None:
    """Measure and print; exit 1 if a case failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.frames", description="Ratios of one run, as a Markdown table.")
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the files most cases read")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="cases, with commas between; what they are set beside runs, too")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=ROWS", help="rows of one case, or of all small, cluster or big ones"
    )
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "labinterp-benchmarks")
    parser.add_argument("--limit", type=float, default=900, metavar="SECONDS", help="after which a case is given up")
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)  # what each process of its own runs
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.case:
        print(json.dumps(run_once(asked.case, asked.rows, asked.data, asked.out)), flush=True)
        return
    chosen = {name: int(rows.replace("_", "")) for name, _, rows in (one.partition("=") for one in asked.set)}
    sizes = {"full": asked.rows, "big": asked.rows * TIMES_BIG, **SIZES, **chosen}
    names = asked_for(asked.only)
    rows = {name: sizes.get(name, sizes[CASES[name].size]) for name in names}
    why_not = {name: f"not installed: {', '.join(gone)}" for name in names if (gone := missing(CASES[name].needs))}
    runnable = [name for name in names if name not in why_not]
    make_files(runnable, rows, asked.data)
    found, failed = rounds_of(runnable, rows, asked.data, asked.rounds, asked.limit)
    print(f"{machine()}; medians of {asked.rounds} rounds\n\n{table(found, why_not | failed, names)}")
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
