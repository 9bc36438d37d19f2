"""The first bytes of a file -> which form it has. Content decides, a name only where content leaves it open."""

from __future__ import annotations

import re
from typing import Final

from labinterp.errors import InputError

CSV: Final = "csv"  # any delimited table of text: long or wide
JSON: Final = "json"  # this library's own, or rows; JSON Lines, too
FHIR: Final = "fhir"
HL7V2: Final = "hl7v2"
OMOP: Final = "omop"
XLSX: Final = "xlsx"  # any workbook: .xlsx, .xls, .ods
PARQUET: Final = "parquet"
XPT: Final = "xpt"  # SAS transport, and surveys of NHANES cut from it as CSV
FORMATS: Final = (CSV, JSON, FHIR, HL7V2, OMOP, XLSX, PARQUET, XPT)

LOOK: Final = 1 << 16  # bytes that are looked at
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_XPT = b"HEADER RECORD*******LIB"  # LIBRARY in version 5, LIBV8 in version 8
_PICTURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")
_TYPED: Final = (
    "ask the laboratory for the results as a table, HL7 or FHIR, or type them into a table with the columns test, value and unit"
)
_URL = re.compile(r"^[a-z][a-z0-9+]*://", re.IGNORECASE)
_HL7 = re.compile(rb"^[\s\x0b\x1c]*(?:FHS|BHS|MSH)[^\w\s]")
_RESOURCE = re.compile(r'"resourceType"\s*:')
# Columns that only tables of the OMOP Common Data Model have: those that are read, and those that lie beside them in a folder.
_OMOP = re.compile(
    r"(?:^|[,;\t|\"])(?:measurement_concept_id|gender_concept_id|concept_id_1|cdm_source_name|[a-z_]+_type_concept_id|"
    r"concept_id[\",;\t|]+concept_name|vocabulary_version)(?:$|[,;\t|\"\r\n])",
    re.IGNORECASE,
)
# A survey of NHANES as CSV: its sequence number, and a column named as CDC names those of people or of the laboratory.
_NHANES = re.compile(
    r"(?=(?:.*[,;\t|\"])?SEQN(?:$|[,;\t|\"]))(?:.*[,;\t|\"])?(?:RIAGENDR|RIDAGEYR|RIDAGEMN|LB[XD][A-Z0-9]+)(?:$|[,;\t|\"])"
)


def kind_of(head: bytes, name: str = "", tail: bytes = b"") -> str:
    """The form of a file by its first bytes.

    Args:
        head: The first bytes, unpacked; `LOOK` of them are enough.
        name: Of the file; an address of a database has no bytes.
        tail: The last bytes, where Parquet keeps the names of its columns.

    Returns:
        str: one of `FORMATS`.

    Raises:
        InputError: A form that is known and not read, with the next step.

    Example:
        >>> kind_of(b"MSH|^~|LAB"), kind_of(b'{"resourceType": "Bundle"}'), kind_of(b"test,value,unit")
        ('hl7v2', 'fhir', 'csv')
    """
    if _URL.match(name) or head[8:12] == b"DUCK":
        return OMOP
    if head.startswith(b"PAR1"):
        return OMOP if b"measurement_concept_id" in tail.lower() else PARQUET
    if head.startswith((b"PK\x03\x04", _OLE)):
        return XLSX
    if head.startswith(_XPT):
        return XPT
    if head.startswith(b"%PDF"):
        raise InputError(f"this is a PDF; {_TYPED}")
    if head.startswith(_PICTURES) or head[4:8] == b"ftyp" or (head[:4], head[8:12]) == (b"RIFF", b"WEBP"):
        raise InputError(f"this is a picture, and nothing is read from pictures; {_TYPED}")
    text = decoded_head(head)
    bare = text.lstrip("\ufeff \t\r\n\x0b")
    if _HL7.match(bare[:200].encode("utf-8", "replace")):
        return HL7V2
    if bare[:1] in ("{", "["):
        return FHIR if _RESOURCE.search(text) else JSON
    if bare[:1] == "<" and re.match(r"<(?:\?xml|!DOCTYPE|[A-Za-z])", bare):
        if re.match(r"(?i)<(?:!DOCTYPE\s+html|html)\b", bare):
            raise InputError("this is a web page, which is not read; save the results as CSV, or type them into a table")
        raise InputError("this is XML, which is not read; FHIR is read as JSON: ask the server for application/fhir+json")
    first = next((line for line in bare.splitlines() if line.strip()), "")
    if _OMOP.search(first):
        return OMOP
    return XPT if _NHANES.match(first) else CSV


def decoded_head(head: bytes) -> str:
    """The first bytes as text, good enough to look at."""
    if head[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return head[: len(head) // 4 * 4].decode("utf-32", "ignore")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head[: len(head) // 2 * 2].decode("utf-16", "ignore")
    return head.decode("utf-8-sig", "replace")
