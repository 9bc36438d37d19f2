"""Bytes of XML -> its elements, one by one, in bounds. A document type, entities, endless nesting and endless names are refused.

The parser is the standard library's Expat. It never sees a declaration of an entity, so nothing in a file can grow, and no address in it is
opened.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple, NoReturn
from xml.parsers import expat

from labinterp.errors import InputError

DEEPEST: Final = 500  # elements within elements
MOST: Final = 10_000_000  # elements: some 400 MB of ordinary FHIR
LONGEST: Final = 64 << 20  # bytes of one tag: Expat looks at one from its start again for each piece of it
_NAMESPACE: Final = 1000  # characters: it stands before the name of every element
_PIECE: Final = 1 << 20
_DECLARES: Final = (b"<!DOCTYPE", b"<!ENTITY")
_DECLARED: Final = re.compile(rb"<\?xml\s[^<>]{0,200}?\bencoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._-]{0,40})[\"']")
_TEXT_CODECS: Final = re.compile(r"ascii|utf-8|iso8859-\d+|cp125\d|koi8-[ru]|mac-roman|gbk|gb2312|gb18030|big5|shift_jis|euc_(?:jp|kr)")
_MARKS: Final = (
    (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"),
)  # fmt: skip
_ENTITY: Final = expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]
HARMFUL: Final = "the XML declares a document type or entities, as harmful files do, and is not read; save it without <!DOCTYPE>"


class Root(NamedTuple):
    """The first element of a document: its namespace ("" for none) and its name."""

    namespace: str
    name: str


class Break(NamedTuple):
    """Where XML ends before it should, or is none: line and column, from 1, and what the parser says of it."""

    line: int
    column: int
    said: str


class _Enough(Exception):
    """What was looked for was found."""


def declares_entities(content: bytes) -> bool:
    """Whether XML declares a document type or entities anywhere, in UTF-8, or in UTF-16 by its zeros.

    Args:
        content: The whole of it.

    Example:
        >>> declares_entities(b'<!DOCTYPE x [<!ENTITY a "ha">]><x>&a;</x>'), declares_entities(b"<x/>")
        (True, False)
    """
    plain = content.replace(b"\0", b"") if b"\0" in content[:400] else content
    return any(word in plain for word in _DECLARES)


def xml_text(data: bytes) -> str:
    """XML as text: by its mark, by the zeros of UTF-16 and UTF-32, by the encoding it declares, else as UTF-8.

    A declared UTF-16 in single bytes is a slip of the program that wrote it; such XML is UTF-8. A character that breaks off at the end is left out.

    Args:
        data: Of the file, or its beginning.

    Raises:
        InputError: The bytes are not of that encoding, or it is not known here.

    Example:
        >>> xml_text('<?xml version="1.0" encoding="ISO-8859-1"?><a b="\xb5g/L"/>'.encode("latin-1"))[-13:]
        '<a b="\xb5g/L"/>'
    """
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    if not encoding:
        declared = _DECLARED.match(data[:400].lstrip())
        said = declared[1].decode("ascii").lower() if declared else "utf-8"
        encoding = "utf-8" if said.startswith(("utf-16", "utf-32", "ucs-2", "iso-10646-ucs")) else said
        try:
            encoding = codecs.lookup(encoding).name
        except LookupError:
            encoding = ""
        if not _TEXT_CODECS.fullmatch(encoding):
            raise InputError("the XML declares an encoding that is not known here; save it as UTF-8, or give --encoding")
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data, False)
    except UnicodeError:
        shown = encoding.removesuffix("-sig").upper()
        raise InputError(
            f"the XML is not {shown} text, as it declares or as XML is by default; save it as UTF-8, or give --encoding"
        ) from None


def root_of(head: bytes) -> Root | None:
    """The first element of a document.

    Args:
        head: The first bytes.

    Returns:
        Root: None where there is no element within them. An encoding that is not theirs is no matter here.

    Raises:
        InputError: It declares a document type.

    Example:
        >>> root_of(b'<f:Patient xmlns:f="http://hl7.org/fhir">')
        Root(namespace='http://hl7.org/fhir', name='Patient')
    """
    found: list[str] = []

    def first(name: str, attributes: dict[str, str]) -> NoReturn:
        found.append(name)
        raise _Enough

    try:
        text = xml_text(head)
    except InputError:
        text = head.decode("latin-1")
    with suppress(_Enough):
        Walk(first, lambda name: None, lambda text: None).through(text)
    return Root(*found[0].rpartition(" ")[::2]) if found else None


class Walk:
    """A way through XML, element by element.

    Args:
        start: Is told each element where it begins: its namespace, a space and its name, and its attributes.
        end: Is told each element where it ends.
        text: Is told what stands between them.
    """

    def __init__(self, start: Callable[[str, dict[str, str]], Any], end: Callable[[str], Any], text: Callable[[str], Any]) -> None:
        self._start, self._end, self._depth = start, end, 0
        self._count = 0
        self._parser = expat.ParserCreate("utf-8", " ")
        self._parser.buffer_text = True
        getattr(self._parser, "SetReparseDeferralEnabled", lambda on: None)(False)  # long tags are bounded here, and others not put off
        self._parser.StartElementHandler = self._begun
        self._parser.EndElementHandler = self._ended
        self._parser.CharacterDataHandler = text
        self._parser.StartNamespaceDeclHandler = _bounded_namespace
        self._parser.StartDoctypeDeclHandler = _no_doctype

    @property
    def line(self) -> int:
        """The line it has come to."""
        return self._parser.CurrentLineNumber

    def through(self, text: str) -> Break | None:
        """Go through a text to its end, or to where it breaks off.

        Raises:
            InputError: It declares a document type or uses an entity, is nested too deeply, or has too many elements or a tag that is too long.
        """
        data = text.lstrip("\ufeff \t\r\n").encode("utf-8", "replace")
        try:
            for at in range(0, len(data), _PIECE):
                self._parser.Parse(data[at : at + _PIECE], False)
                if min(at + _PIECE, len(data)) - max(self._parser.CurrentByteIndex, 0) > LONGEST:
                    raise InputError(f"a tag or a text of the XML is longer than {LONGEST >> 20} MB, as no result is")
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            if error.code == _ENTITY:
                raise InputError(
                    f"the XML uses an entity that XML does not define, in line {error.lineno}; save it with the character itself"
                ) from None
            return Break(error.lineno, error.offset + 1, expat.ErrorString(error.code) or "damaged")
        return None

    def _begun(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._count += 1
        if self._count > MOST:
            raise InputError(f"the XML has more than {MOST:,} elements; split it, or ask the sender for NDJSON")
        if self._depth > DEEPEST:
            raise InputError("the XML is nested too deeply; FHIR needs no more than some tens of levels")
        self._start(name, attributes)

    def _ended(self, name: str) -> None:
        self._depth -= 1
        self._end(name)


def _bounded_namespace(prefix: str | None, address: str | None) -> None:
    if len(address or "") > _NAMESPACE:
        raise InputError(f"the XML has a namespace of more than {_NAMESPACE:,} characters, as harmful files do")


def _no_doctype(*declared: Any) -> NoReturn:
    raise InputError(HARMFUL)
