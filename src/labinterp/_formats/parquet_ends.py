"""The last bytes of a Parquet file -> what is wrong with it, before a library opens it; and whatever one says of a damaged file as one error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from labinterp.errors import InputError

_MAGIC: Final = b"PAR1"
_LEAST: Final = 12  # bytes: its mark at both ends, and the length of the footer
END: Final = 8  # bytes that are looked at
_AGAIN: Final = "get it again"


def whole(end: bytes, size: int, name: str = "") -> None:
    """Check that a file ends as a Parquet file does.

    Args:
        end: The last bytes, `END` of them at least.
        size: Of the file.
        name: For the message.

    Raises:
        InputError: It breaks off, its footer cannot be in it, or it is encrypted.

    Example:
        >>> whole(b"\\x10\\0\\0\\0PAR1", 1000)
        >>> whole(b"\\x10\\0\\0\\0PAR1", 20)
        Traceback (most recent call last):
        labinterp.errors.InputError: this is not a whole Parquet file: its footer is damaged; get it again
    """
    called = f"{name}: " if name else ""
    if end[-4:] == b"PARE":
        raise InputError(f"{called}this Parquet file is encrypted, which is not read; write it without encryption")
    if size < _LEAST or end[-4:] != _MAGIC:
        raise InputError(f"{called}this is not a whole Parquet file: it does not end as one; {_AGAIN}")
    footer = int.from_bytes(end[-8:-4], "little")
    if not 0 < footer <= size - _LEAST:
        raise InputError(f"{called}this is not a whole Parquet file: its footer is damaged; {_AGAIN}")


def whole_file(path: Path, name: str = "") -> None:
    """The same of a file on the disk.

    Raises:
        InputError: As for `whole`, or it cannot be read.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size - END))
            end = file.read(END)
    except OSError as error:
        raise InputError(f"{name}: the file cannot be read: {error.strerror}" if name else "the file cannot be read") from None
    whole(end, size, name)


@contextmanager
def damaged(name: str = "") -> Iterator[None]:
    """Whatever polars ends with on a damaged file, as one error. What it says may hold text of the file.

    Raises:
        InputError: The file is damaged.
    """
    import polars as pl

    said = f"{f'{name}: ' if name else ''}this is not a whole Parquet file; {_AGAIN}"
    try:
        yield
    except InputError:
        raise
    except (pl.exceptions.PolarsError, OSError, ValueError, OverflowError):
        raise InputError(said) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # how polars ends on some of them; it is no Exception
            raise
        raise InputError(said) from None
