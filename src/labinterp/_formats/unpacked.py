"""Packed files -> their bytes, within bounds: a small file that unpacks to a huge one is refused before it fills the memory."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Any, Final

from labinterp.errors import InputError, MissingExtraError

MOST: Final = 2 << 30  # bytes; what is larger is read row by row, as it streams by
_PIECE: Final = 1 << 20
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
    if data[:2] == _GZIP:
        return _read(gzip.GzipFile(fileobj=io.BytesIO(data)), name, most)
    if data[:4] == _ZSTD:
        try:
            import zstandard
        except ImportError:
            raise MissingExtraError("tables") from None
        return _read(zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True), name, most)
    return data


def _read(stream: Any, name: str, most: int) -> bytes:
    pieces, size, called = [], 0, f"{name}: " if name else ""
    try:
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > most:
                raise InputError(f"{called}the file unpacks to more than {most >> 20:,} MB; unpack it and read it row by row: --stream")
            pieces.append(piece)
    except (OSError, EOFError, zlib.error, ValueError):
        raise InputError(f"{called}the packed file breaks off or is damaged; get it again, or unpack what is there") from None
    except Exception as error:
        if type(error).__name__ != "ZstdError":
            raise
        raise InputError(f"{called}the packed file breaks off or is damaged; get it again, or unpack what is there") from None
    return b"".join(pieces)
