"""Outputs that appear under their name whole or not at all, and tables a spreadsheet will not run."""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from labinterp._table import harmless
from labinterp.errors import InputError

if TYPE_CHECKING:
    import polars as pl

Guard = Callable[[], AbstractContextManager[None]]
_RISKY = r"^[=+\-@\t\r]"


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Where to write what is to stand at `path` when all is done; a run that is broken off leaves nothing.

    Where the system can, the file has no name until it is whole: then not even a killed process leaves one. Pipes and devices are
    written to as they are.

    Args:
        path: The name; a link is followed.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        yield path
        return
    target = path.resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    nameless = _nameless(part)
    try:
        yield part if nameless is None else Path(f"/proc/self/fd/{nameless}")
        if nameless is not None:
            _name(nameless, part)
        part.replace(target)
    finally:
        if nameless is not None:
            os.close(nameless)
        part.unlink(missing_ok=True)


@contextmanager
def appearing_folder(path: Path) -> Iterator[Path]:
    """The same for a folder of files.

    Raises:
        InputError: There is such a folder, and it is not empty.
    """
    target = path.resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"the output folder {target.name!r} is there and not empty; name another, or remove it")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        yield part
        part.replace(target)
    finally:
        if part.exists():
            import shutil

            shutil.rmtree(part, ignore_errors=True)


def _nameless(part: Path) -> int | None:
    """A file without a name in a folder, if the system has such and can give them names later."""
    opened: list[int] = []
    try:
        for _ in range(2):
            opened.append(os.open(part.parent, os.O_TMPFILE | os.O_RDWR, 0o666))
        _name(opened[0], part)  # a file is named only once: this one tells whether it works
        part.unlink()
        return opened.pop()
    except (OSError, AttributeError, NotImplementedError):
        return None
    finally:
        for one in opened:
            os.close(one)


def _name(file: int, path: Path) -> None:
    os.link(f"/proc/self/fd/{file}", path, src_dir_fd=file, follow_symlinks=True)  # with src_dir_fd, links are really followed


# --- tables -------------------------------------------------------------------------------------------------


class _Guarded:
    """A file of Python's that an engine writes to from its threads.

    Args:
        file: Where the bytes go.
        guard: What each writing is done in.
    """

    def __init__(self, file: Any, guard: Guard) -> None:
        self._file, self._guard = file, guard

    def write(self, data: bytes) -> int:
        """Write some bytes."""
        with self._guard():
            return int(self._file.write(data))

    def flush(self) -> None:
        """Nothing waits here; the file is flushed by whoever closes it."""

    def close(self) -> None:
        """The file belongs to whoever opened it."""


def sink_csv(frame: pl.LazyFrame, header: Sequence[str], place: IO[bytes], delimiter: str, packed: str, guard: Guard) -> None:
    """Write a frame as delimited text, its formulas made harmless.

    Args:
        frame: What to write.
        header: The names as they are printed; some may stand twice.
        place: Open for writing.
        delimiter: Between cells.
        packed: "", ".gz" or ".zst".
        guard: What each writing is done in.
    """
    separator = delimiter if len(delimiter.encode()) == 1 else ","
    table = as_harmless(frame)
    if packed == ".zst":  # polars packs, and writes the header with it; names that stand twice have been told apart
        names = {name: harmless(name) for name in frame.collect_schema() if harmless(name) != name}
        try:
            to: Any = _Guarded(place, guard)
            table.rename(names).sink_csv(to, separator=separator, compression="zstd", check_extension=False)
        except TypeError:
            raise InputError("zstd needs a newer polars: pip install -U polars, or -o NAME.csv.gz") from None
        return
    to = gzip.GzipFile("", "wb", compresslevel=3, fileobj=place, mtime=0) if packed == ".gz" else place
    line = io.StringIO()
    csv.writer(line, delimiter=separator, lineterminator="\n").writerow([harmless(name) for name in header])
    to.write(line.getvalue().encode())
    guarded: Any = _Guarded(to, guard)
    table.sink_csv(guarded, include_header=False, separator=separator)
    if to is not place:
        to.close()  # writes the end of what was packed
    place.flush()


def as_harmless(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Cells that a spreadsheet would take for a formula get an apostrophe.

    Raises:
        InputError: A column of lists or bytes, which no cell can hold.
    """
    import polars as pl

    schema = frame.collect_schema()
    for name, dtype in schema.items():
        if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
            raise InputError(
                f"the column {name!r} has {dtype} in its cells, which CSV cannot hold: use -o NAME.parquet, or --columns results"
            )
    texts = [name for name, dtype in schema.items() if dtype in (pl.String, pl.Categorical)]
    texts += [name for name, dtype in schema.items() if isinstance(dtype, pl.Enum) and any(harmless(w) != w for w in dtype.categories)]
    return frame.with_columns(pl.col(texts).cast(pl.String).map_batches(_harmless, return_dtype=pl.String, is_elementwise=True))


def _harmless(column: pl.Series) -> pl.Series:
    import polars as pl

    risky = column.str.contains(_RISKY).fill_null(False)
    if not risky.any():
        return column
    distinct = column.filter(risky).unique()
    safe = pl.Series([harmless(text) for text in distinct], dtype=pl.String)
    return column.replace_strict(distinct, safe, default=column, return_dtype=pl.String)
