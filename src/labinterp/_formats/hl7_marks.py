"""Messages that this library annotated -> the messages as they were before.

What it adds is marked in field 4 of its comments (NTE), so that it can be told from what the laboratory sent: read again, our own
limits never pass for the laboratory's range.
"""

from __future__ import annotations

import re
from typing import Final

SYSTEM: Final = "99LABINTERP"
_OURS = re.compile(
    rb"NTE(?P<mark>[^\w\s])[^\r\n]*(?P=mark)li(?P<added>7?8?)(?:\+(?P<more>[0-9]{1,2}))?[^\w\s]labinterp[^\w\s]" + SYSTEM.encode() + rb"\Z"
)
_LINES = re.compile(rb"[\r\n\x0b\x1c]+|[^\r\n\x0b\x1c]+")


def marked(added: str, more: int, component: str) -> str:
    """Field 4 of a comment of ours.

    Args:
        added: Which fields of the OBX were filled: "", "7", "8" or "78".
        more: How many field separators were put behind it.
        component: The component separator.

    Example:
        >>> marked("78", 2, "^")
        'li78+2^labinterp^99LABINTERP'
    """
    return component.join((f"li{added}+{more}" if more else f"li{added}", "labinterp", SYSTEM))


def stripped(data: bytes) -> bytes:
    """Without our comments and what we filled in; as it is where there is nothing of ours.

    Example:
        >>> stripped(b"OBX|1|NM|X||5|g/L|1-2|H\\rNTE|1|O|text|li78+1^labinterp^99LABINTERP\\r")
        b'OBX|1|NM|X||5|g/L|\\r'
    """
    if SYSTEM.encode() not in data:
        return data
    kept: list[bytes] = []
    last = -1  # where the OBX stands that comments belong to
    for piece in _LINES.findall(data):
        ours = _OURS.match(piece)
        if ours is None:
            bare = piece.lstrip(b"\xef\xbb\xbf \t\0")
            if bare.startswith(b"OBX"):
                last = len(kept)
            elif bare.startswith((b"OBR", b"ORC", b"PID", b"MSH")):
                last = -1
            kept.append(piece)
            continue
        if kept and len(kept) - 1 != last:
            kept.pop()  # the line end before it
        if last >= 0 and (ours["added"] or ours["more"]):
            fields = kept[last].split(ours["mark"])
            for number in (7, 8):
                if str(number).encode() in ours["added"] and len(fields) > number:
                    fields[number] = b""
            more = int(ours["more"] or 0)
            while more and fields[-1] == b"":
                fields.pop()
                more -= 1
            kept[last] = ours["mark"].join(fields)
    return b"".join(kept)
