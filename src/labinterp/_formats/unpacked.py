"""Packed files -> their bytes, within bounds: a small file that unpacks to a huge one is refused before it fills the memory."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Any, Final

from labinterp.errors import InputError, MissingExtraError

MOST: Final = 2 << 30  # bytes; what is larger is read row by row, as it streams by
_PIECE: Final = 1 << 20
_SMALL: Final = 1 << 14  # of a file that breaks off, as much as can be is kept
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
        >>> unpacked(gzip.compress(b"test,value,unit"))
        b'test,value,unit'
    """
    content, whole = unpacked_part(data, name, most)
    if not whole:
        raise InputError(f"{name}: {_BROKEN}" if name else _BROKEN)
    return content


def unpacked_part(data: bytes, name: str = "", most: int = MOST) -> tuple[bytes, bool]:
    """The same, and whether it is all of it: of a file that breaks off, what came before that.

    Raises:
        InputError: Nothing of it can be read, or it unpacks to more than `most`.
    """
    if data[:2] == _GZIP:
        return _read(gzip.GzipFile(fileobj=io.BytesIO(data)), name, most)
    if data[:4] == _ZSTD:
        try:
            import zstandard
        except ImportError:
            raise MissingExtraError("tables") from None
        stream = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True)
        content, whole = _read(stream, name, most)
        return content, whole and _ends(data, zstandard)
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


def _read(stream: Any, name: str, most: int) -> tuple[bytes, bool]:
    pieces, size, called, whole = [], 0, f"{name}: " if name else "", True
    try:
        while piece := stream.read(_SMALL):
            size += len(piece)
            if size > most:
                raise InputError(f"{called}the file unpacks to more than {most >> 20:,} MB; unpack it and read it row by row: --stream")
            pieces.append(piece)
    except (OSError, EOFError, zlib.error, ValueError):
        whole = False
    except Exception as error:
        if type(error).__name__ != "ZstdError":
            raise
        whole = False
    if not whole and not pieces:
        raise InputError(f"{called}{_BROKEN}")
    return b"".join(pieces), whole
