"""Packed files -> their bytes, within bounds: a small file that unpacks to a huge one is refused before it fills the memory."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import Any, Final

from labinterp.errors import InputError, MissingExtraError

MOST: Final = 2 << 30  # bytes; what is larger is read row by row, as it streams by
AT_ONCE: Final = 256 << 20  # bytes of a pipe, whose end nobody knows
_RATIO: Final = 300  # a table packs to a tenth or a fiftieth; a bomb to a thousandth
_BELIEVED: Final = 64 << 20  # what unpacks to less than this may be packed as tightly as it likes
_PIECE: Final = 1 << 20
_SMALL: Final = 1 << 14
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def unpacked(data: bytes, name: str = "", most: int = MOST) -> bytes:
    """The content of a file that may be packed with gzip or zstd.

    Args:
        data: The file.
        name: For messages.
        most: Bytes that are unpacked at most.

    Raises:
        InputError: It breaks off, is damaged, or unpacks to more than that.

    Example:
        >>> import gzip
        >>> unpacked(gzip.compress(b"test,value,unit"))
        b'test,value,unit'
    """
    content, whole = unpacked_part(data, name, most)
    if not whole:
        raise InputError(f"{name}: {_BROKEN}" if name else _BROKEN)
    return content


def taken(stream: Any, name: str = "", most: int = AT_ONCE) -> bytes:
    """What a pipe or standard input gives until its end.

    Raises:
        InputError: It gives more than `most` bytes, as one does that has no end.

    Example:
        >>> taken(io.BytesIO(b"test,value,unit"))
        b'test,value,unit'
    """
    data = bytearray()
    while piece := stream.read(_PIECE):
        data += piece
        if len(data) > most:
            called = f"{name}: " if name else ""
            raise InputError(
                f"{called}it gives more than {most >> 20:,} MB and has not ended; save it as a file, or read it row by row: --stream"
            )
    return bytes(data)


def unpacked_part(data: bytes, name: str = "", most: int = MOST) -> tuple[bytes, bool]:
    """The same, and whether it is all of it: of a file that breaks off, what came before that.

    Raises:
        InputError: Nothing of it can be read, or it unpacks to more than `most`.
    """
    if data[:2] == _GZIP:
        return _gunzipped(data, name, most)
    if data[:4] == _ZSTD:
        try:
            import zstandard
        except ImportError:
            raise MissingExtraError("tables") from None
        packed = io.BytesIO(data)
        stream = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True, read_size=_SMALL)
        content, whole = _bounded(_read(stream, name, packed), name, most), _ends(data, zstandard)
        if not whole and not content:
            raise InputError(f"{name}: {_BROKEN}" if name else _BROKEN)
        return content, whole
    return data, True


def _ends(data: bytes, zstandard: Any) -> bool:
    """Whether the last frame of zstd has its end; a stream of it says nothing of that."""
    unpacking = zstandard.ZstdDecompressor().decompressobj()
    left = data
    while left[:4] == _ZSTD:
        for at in range(0, len(left), _SMALL):
            unpacking.decompress(left[at : at + _SMALL])
            if unpacking.eof:
                break
        if not unpacking.eof:
            return False
        left, unpacking = unpacking.unused_data + left[at + _SMALL :], zstandard.ZstdDecompressor().decompressobj()
    return True


_BROKEN: Final = "the packed file breaks off or is damaged; get it again, or unpack what is there"


def _gunzipped(data: bytes, name: str, most: int) -> tuple[bytes, bool]:
    """Every member of a gzip file, and whether the last of them has its end. What is damaged is not half-read."""
    whole = True

    def pieces() -> Iterator[tuple[bytes, int]]:
        nonlocal whole
        left, before = data, 0
        while left[:2] == _GZIP:
            unpacking, at = zlib.decompressobj(31), 0
            try:
                while not unpacking.eof and (unpacking.unconsumed_tail or at < len(left)):
                    packed = unpacking.unconsumed_tail or left[at : at + _PIECE]
                    at += 0 if unpacking.unconsumed_tail else _PIECE
                    piece = unpacking.decompress(packed, _PIECE)
                    yield piece, before + at - len(unpacking.unconsumed_tail)
            except zlib.error:
                raise InputError(f"{name}: {_BROKEN}" if name else _BROKEN) from None
            whole = unpacking.eof
            before += at
            left = unpacking.unused_data + left[at:] if whole else b""

    content = _bounded(pieces(), name, most)
    if not whole and not content:
        raise InputError(f"{name}: {_BROKEN}" if name else _BROKEN)
    return content, whole


def _read(stream: Any, name: str, packed: io.BytesIO) -> Iterator[tuple[bytes, int]]:
    try:
        while piece := stream.read(_PIECE):
            yield piece, packed.tell()
    except Exception as error:
        if type(error).__name__ != "ZstdError":
            raise
        raise InputError(f"{name}: {_BROKEN}" if name else _BROKEN) from None


def _bounded(pieces: Iterator[tuple[bytes, int]], name: str, most: int) -> bytes:
    """Pieces together, each with the packed bytes it took up to there; a bomb is left before it fills the memory."""
    kept, size = [], 0
    for piece, packed in pieces:
        size += len(piece)
        if size > most:
            called = f"{name}: " if name else ""
            raise InputError(f"{called}the file unpacks to more than {most >> 20:,} MB; unpack it and read it row by row: --stream")
        if size > _BELIEVED and size > _RATIO * packed:
            called = f"{name}: " if name else ""
            raise InputError(
                f"{called}the file unpacks to {_RATIO} times its size and more, as harmful files do; unpack it and name what is in it"
            )
        kept.append(piece)
    return b"".join(kept)
