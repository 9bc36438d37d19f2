"""Archives -> what is in them, in memory and within bounds. Nothing is written to the disk, so the paths in them lead nowhere."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from labinterp.errors import InputError

MOST: Final = 512 << 20  # bytes of all members, unpacked
_MEMBERS: Final = 10_000
_RATIO: Final = 300  # a sheet packs to a twentieth; a bomb to a thousandth
_SMALL: Final = 4 << 20  # what is smaller than this may be packed as tightly as it likes
_PIECE: Final = 1 << 20
_ZIP: Final = b"PK\x03\x04"


def is_zip(data: bytes) -> bool:
    """Whether the bytes are a zip archive; workbooks are, too."""
    return data[:4] == _ZIP


def no_tar(data: bytes, name: str) -> None:
    """Refuse an archive of tar.

    Raises:
        InputError: It is one.
    """
    if data[257:262] == b"ustar":
        raise InputError(f"{called(name)}this is a tar archive, which is not read; unpack it (tar -xf) and name its files")


def opened_zip(data: bytes, name: str) -> zipfile.ZipFile:
    """A zip archive that is no bomb by what it declares; what it holds is checked again when it is read.

    Raises:
        InputError: It is damaged, encrypted, or declares too much.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, zlib.error):
        raise InputError(f"{called(name)}the file breaks off or is damaged; get it again") from None
    if any(one.filename.startswith(("word/", "ppt/")) for one in members):
        raise InputError(
            f"{called(name)}this is a document of text or slides, which is not read; copy its table into a workbook or a CSV file"
        )
    if len(members) > _MEMBERS:
        raise InputError(f"{called(name)}the file holds {len(members):,} members; at most {_MEMBERS:,} are read")
    if sum(one.file_size for one in members) > MOST:
        raise InputError(f"{called(name)}the file unpacks to more than {MOST >> 20:,} MB; save what is needed as CSV")
    if any(one.file_size > _SMALL and one.file_size > _RATIO * max(one.compress_size, 1) for one in members):
        raise InputError(
            f"{called(name)}the file unpacks to {_RATIO} times its size and more, as harmful files do; save it again, or as CSV"
        )
    if any(one.flag_bits & 1 for one in members):
        raise InputError(f"{called(name)}the file is encrypted; save it without a password")
    return archive


def unpacked_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    """The content of one member.

    Raises:
        InputError: It is damaged, or holds more than it declares.
    """
    pieces, size = [], 0
    try:
        with archive.open(member) as stream:
            while piece := stream.read(_PIECE):
                size += len(piece)
                if size > member.file_size:
                    raise InputError(f"{called(name)}the file holds more than it declares; get it again")
                pieces.append(piece)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zlib.error):
        raise InputError(f"{called(name)}the file breaks off or is damaged; get it again") from None
    return b"".join(pieces)


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """Whether an archive is a workbook or another document of an office program, and no folder of files."""
    names = set(archive.namelist())
    return "[Content_Types].xml" in names or ("content.xml" in names and "mimetype" in names)


def members_of(data: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """The files of a plain zip archive: their names without folders, and their bytes.

    Raises:
        InputError: As `opened_zip`; or there is an archive in it, or nothing.
    """
    archive = opened_zip(data, name)
    files = [one for one in archive.infolist() if not one.is_dir() and not _hidden(one.filename)]
    if not files:
        raise InputError(f"{called(name)}the archive holds no file")
    for one in files:
        content = unpacked_member(archive, one, name)
        short = PurePosixPath(one.filename.replace("\\", "/")).name
        if content[257:262] == b"ustar" or (is_zip(content) and not is_workbook(opened_zip(content, name))):
            raise InputError(f"{called(name)}there is an archive within the archive; unpack it and name its files")
        yield short, content


def called(name: str) -> str:
    """The name of a file before a message."""
    return f"{name}: " if name else ""


def _hidden(path: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) and part not in (".", "..") for part in path.replace("\\", "/").split("/"))
