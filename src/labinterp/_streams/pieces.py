"""Files as they are named on the command line -> what they are, and their bytes piece by piece, as UTF-8."""

from __future__ import annotations

import codecs
import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from labinterp._formats.kinds import CSV, LOOK, kind_of
from labinterp.errors import InputError

TEXT, GZIP, ZSTD, PARQUET, ADDRESS = "text", "gzip", "zstd", "parquet", "address"
PIECE = 4 << 20
_MAGIC = {b"\x1f\x8b": GZIP, b"\x28\xb5\x2f\xfd": ZSTD, b"PAR1": PARQUET}
_TABLES = (".csv", ".tsv", ".tab", ".txt")
_ENDINGS = (*_TABLES, *(f"{table}{packed}" for table in _TABLES for packed in (".gz", ".zst")), ".parquet", ".pq", ".xpt")
# What is taken of a folder that has no table: messages, resources, workbooks.
_TEXTS = (".hl7", ".json", ".ndjson", ".jsonl", ".xml")
_OTHERS = (*_TEXTS, *(f"{text}{packed}" for text in _TEXTS for packed in (".gz", ".zst")), ".xlsx", ".xls", ".ods", ".zip")


class Given:
    """One file as it was given: a plain one, a pipe, or standard input.

    Attributes:
        name: For messages and for the column that says where a row is from.
        path: None for standard input.
        kind: "text", "gzip", "zstd" or "parquet", by its first bytes; "address" for a database.
        size: Bytes on the disk; None for what is no plain file.
        address: Of a database; "" for a file.
        looked: What was made of its beginning, where it cannot be read twice.
    """

    def __init__(self, name: str) -> None:
        self.address = name if "://" in name else ""
        self.path = None if name == "-" or self.address else Path(name)
        self.name = "the database" if self.address else "standard input" if self.path is None else self.path.name
        self.size = self.path.stat().st_size if self.path is not None and self.path.is_file() else None
        self.looked: Any = None
        self._stream: BinaryIO | None = None
        self._head: bytes | None = None

    @property
    def kind(self) -> str:
        """What the first bytes say; a pipe is opened for it, and read on from there."""
        if self.address:
            return ADDRESS
        if self._head is None:
            with _reading(self.name):
                stream = sys.stdin.buffer if self.path is None else self.path.open("rb")
                self._head = stream.read(4)
                if self.size is None:
                    self._stream = stream
                else:
                    stream.close()
        return next((kind for magic, kind in _MAGIC.items() if self._head.startswith(magic)), TEXT)

    @property
    def form(self) -> str:
        """Which form the content has, where it can be looked at beforehand; a pipe counts as a table."""
        if self.address:
            return kind_of(b"", self.address)
        if self.path is None or self.size is None:
            return CSV
        with _reading(self.name), self.path.open("rb") as file:
            head = file.read(LOOK)
            file.seek(max(0, self.size - LOOK))
            tail = file.read()
        if head[:2] == b"\x1f\x8b":
            with suppress(zlib.error):
                head = zlib.decompressobj(31).decompress(head, LOOK)
        return CSV if head[:4] == b"\x28\xb5\x2f\xfd" else kind_of(head, self.name, tail)

    @property
    def stem(self) -> str:
        """The name without the endings that say how it is written."""
        ending = next((e for e in sorted(_ENDINGS, key=len, reverse=True) if self.name.casefold().endswith(e)), "")
        return self.name[: len(self.name) - len(ending)] or self.name

    def pieces(self, moved: Callable[[int], None] = lambda _: None, size: int | None = None) -> Iterator[bytes]:
        """The bytes, unpacked.

        Args:
            moved: Is told how many bytes of the file have been read.
            size: Of a piece, about; default: 4 MB.

        Raises:
            InputError: The file cannot be read, or breaks off.
        """
        kind = self.kind
        if kind == ZSTD:
            yield from self._by_lines(moved)
            return
        with _reading(self.name):
            raw: Any = (
                io.BufferedReader(_ReadOn(self._head or b"", self._stream), 1 << 18)
                if self._stream is not None
                else (self.path or Path()).open("rb", buffering=1 << 18)
            )
            stream = gzip.GzipFile(fileobj=raw) if kind == GZIP else raw
            try:
                while piece := stream.read(size or PIECE):
                    moved(raw.tell() if self.size is not None else 0)
                    yield piece
            finally:
                raw.close()

    def _by_lines(self, moved: Callable[[int], None]) -> Iterator[bytes]:
        """Zstandard is unpacked by polars, which gives lines."""
        import polars as pl

        if self.size is None:
            raise InputError(f"{self.name}: zstd is read from files; unpack it on the way: zstd -dc | labinterp interpret -")
        if not hasattr(pl, "scan_lines") or not hasattr(pl.LazyFrame, "collect_batches"):
            raise InputError(f"{self.name}: zstd needs a newer polars: pip install -U polars, or unpack the file: zstd -d")
        try:
            for batch in pl.scan_lines(self.path or "", glob=False).collect_batches(chunk_size=50_000):
                yield ("\n".join(batch.to_series().fill_null("").to_list()) + "\n").encode()
        except pl.exceptions.ComputeError:
            raise InputError(f"{self.name}: the text is not UTF-8; unpack the file first: zstd -d") from None
        except OSError:
            raise InputError(_BROKEN.format(self.name)) from None
        moved(self.size)


_BROKEN = "{}: the file breaks off or is damaged; nothing of it was kept. Get it again, or unpack what is there with gzip or zstd"


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Errors of reading a file, as one message."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(_BROKEN.format(name)) from None
    except OSError as error:
        raise InputError(f"{name}: the file cannot be read: {error.strerror or error}") from None


class _ReadOn(io.RawIOBase):
    """A stream whose first bytes have been looked at. It is left open: it belongs to whoever opened it."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, room: Any) -> int:
        """Fill a buffer as far as there is something."""
        piece = self._head or self._stream.read(len(room))
        taken, self._head = piece[: len(room)], self._head and piece[len(room) :]
        room[: len(taken)] = taken
        return len(taken)


def given(names: Sequence[str]) -> list[Given]:
    """The files that are meant: each as named, those of a folder or a pattern in the order of their names.

    Raises:
        InputError: There is no such file, or a folder has none that can be read.
    """
    return [Given(name) for name in chain.from_iterable(map(_meant, names))]


def _meant(name: str) -> list[str]:
    path = Path(name)
    if "://" in name:  # an address of a database: it may hold a password, and no message shows it
        return [name]
    if name == "-" or (path.exists() and not path.is_dir()):
        return [name]
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.is_file() and p.name[0] not in "._")
        listed = next(filter(None, ([p for p in files if p.name.casefold().endswith(ends)] for ends in (_ENDINGS, _OTHERS))), [])
        if not listed:
            inside = any(p.is_dir() for p in path.iterdir())
            more = f" It has folders: name what is in them, such as '{path.name}/**/*.csv'." if inside else ""
            raise InputError(
                f"the folder {path.name!r} has no file that ends in {', '.join((*_TABLES, *_TEXTS))} (.gz, .zst), .xlsx or .parquet.{more}"
            )
        return [str(p) for p in listed]
    if any(mark in name for mark in "*?["):
        listed = sorted(_matching(name))
        if listed:
            return [str(p) for p in listed]
        raise InputError(f"no file matches {name!r}")
    raise InputError(f"there is no file {name!r}; check its name and the folder you are in")


def _matching(pattern: str) -> Iterator[Path]:
    import glob

    for name in glob.iglob(pattern, recursive=True):  # noqa: PTH207 - a pattern may start at the root
        if Path(name).is_file():
            yield Path(name)


def as_utf8(pieces: Iterator[bytes], encoding: str | None) -> Iterator[bytes]:
    """Pieces of text in any encoding as UTF-8; where none is named, what has no mark of UTF-16 or UTF-32 stays as it is.

    Raises:
        InputError: There is no such encoding, or the text is of another.
    """
    first = next(pieces, b"")
    if encoding is None and first[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        encoding = "utf-32"
    elif encoding is None and first[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    if encoding is None:
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from pieces
        return
    try:
        decoder = codecs.getincrementaldecoder(encoding)("replace" if encoding == "cp1252" else "strict")
        for piece in chain([first], pieces):
            yield decoder.decode(piece).encode("utf-8", "replace")
        yield decoder.decode(b"", final=True).encode("utf-8", "replace")
    except (UnicodeError, LookupError):
        raise InputError(f"the file is not {encoding} text; give --encoding") from None


def lines_of(text: str) -> list[str]:
    """Lines with their ends: a return, a new line, or both."""
    return list(io.StringIO(text, newline=""))


def decoded(data: bytes) -> str:
    """UTF-8; where it is not, the lines that are not are read as Windows-1252."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(map(_line, data.splitlines(keepends=True)))


def _line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def cut_line(data: bytes) -> int:
    """Where the last line ends; in a file without new lines, a return ends it (the last byte may be the first half of an end)."""
    return data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, len(data) - 1) + 1
