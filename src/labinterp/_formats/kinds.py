"""The first bytes of a file -> which form it has. Content decides, a name only where content leaves it open."""

from __future__ import annotations

import re
from typing import Final

from labinterp._formats.fhir_terms import TYPES
from labinterp._formats.xml_elements import Root, root_of
from labinterp.errors import InputError

CSV: Final = "csv"  # any delimited table of text: long or wide
JSON: Final = "json"  # this library's own, or rows; JSON Lines, too
FHIR: Final = "fhir"  # as JSON or XML
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
FHIR_NAMESPACE: Final = "http://hl7.org/fhir"
XHTML: Final = "http://www.w3.org/1999/xhtml"
_ASK: Final = "ask the sender for the results as FHIR, HL7 v2 or a table"
_WEB_PAGE: Final = "this is a web page, which is not read; save the results as CSV, or type them into a table"
_OTHER_XML: Final = {
    "urn:hl7-org:v3": f"this is a CDA document or another message of HL7 version 3, which is not read; {_ASK}",
    "urn:hl7-org:v2xml": "this is HL7 v2 written as XML, which is not read; ask the sender for HL7 v2 with bars, as it is usually sent",
    "urn:schemas-microsoft-com:office:spreadsheet": "this is a workbook saved as XML (Excel 2003), which is not read; save it as .xlsx",
    "urn:oasis:names:tc:opendocument:xmlns:office:1.0": "this is a document saved as flat XML, which is not read; save it as .ods or .xlsx",
    XHTML: _WEB_PAGE,
}
_PAGE = re.compile(r"(?:<\?xml[^<>]*>\s*)?<(?:!DOCTYPE\s+html|html)\b", re.IGNORECASE)
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
    if is_xml(head):
        if _PAGE.match(bare):
            raise InputError(_WEB_PAGE)
        root = root_of(head)
        if root is None:
            raise InputError(f"this is XML whose first element cannot be read; {_ASK}")
        if root.namespace != FHIR_NAMESPACE:
            raise other_xml(root)
        return FHIR
    first = next((line for line in bare.splitlines() if line.strip()), "")
    if _OMOP.search(first):
        return OMOP
    return XPT if _NHANES.match(first) else CSV


def is_xml(head: bytes) -> bool:
    """Whether a file begins like XML.

    Example:
        >>> is_xml(b'<Bundle xmlns="http://hl7.org/fhir">'), is_xml(b"<5,12")
        (True, False)
    """
    return re.match(r"<(?:\?xml|!DOCTYPE|!--|[A-Za-z_])", decoded_head(head[:400]).lstrip("\ufeff \t\r\n\x0b")) is not None


def other_xml(root: Root) -> InputError:
    """What XML is that is not FHIR, and the next step.

    Args:
        root: Its first element.

    Example:
        >>> str(other_xml(Root("", "Bundle")))[:49]
        'this XML has no namespace; that of FHIR is http:/'
    """
    if not root.namespace and root.name in TYPES:
        return InputError(
            f"this XML has no namespace; that of FHIR is {FHIR_NAMESPACE}: ask the sender for XML as the standard of FHIR has it"
        )
    if root.name.casefold() == "html":
        return InputError(_WEB_PAGE)
    return InputError(
        _OTHER_XML.get(root.namespace, f"this is XML, which is not read unless it is FHIR (namespace {FHIR_NAMESPACE}); {_ASK}")
    )


def decoded_head(head: bytes) -> str:
    """The first bytes as text, good enough to look at."""
    if b"\0" in head[:4] and head[:4].replace(b"\0", b"")[:1] == b"<":  # XML in UTF-16 or UTF-32 without a mark
        return head.replace(b"\0", b"").decode("latin-1")
    if head[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return head[: len(head) // 4 * 4].decode("utf-32", "ignore")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head[: len(head) // 2 * 2].decode("utf-16", "ignore")
    return head.decode("utf-8-sig", "replace")
