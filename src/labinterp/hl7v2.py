"""HL7 v2 messages in, panels out; and the same messages back, annotated.

Whatever the type of a message, each of its OBX is one result. No other package is needed.

Example:
    >>> import labinterp as li
    >>> text = "MSH|^~\\\\&|LIS\\rPID|1||77||||19541002|F\\rOBR|1||||||20260105\\rOBX|1|NM|FER^Ferritin||12|ug/L|||||F\\r"
    >>> source = read(text)
    >>> panel = source.panels[0]
    >>> report = li.interpret(panel.results, panel.patient, rows=panel.rows)
    >>> report.findings[0].band, report.findings[0].source
    ('deficient', 'message 1, OBX 1')
    >>> annotated(source, [report]).decode().splitlines()[3][:44]
    'OBX|1|NM|FER^Ferritin||12|ug/L|15-150|L|||F'
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labinterp._catalog import Catalog
from labinterp._formats import hl7_results
from labinterp._formats.hl7_out import write
from labinterp._intake import PanelIn, Piece, Source, Wanted

if TYPE_CHECKING:
    from labinterp._report import Report


def read(data: str | bytes | Path, *, encoding: str | None = None, name: str = "") -> Source:
    """Read messages: one, several, framed (MLLP) or in batches.

    Args:
        data: The text or the bytes of the messages, or a file of them.
        encoding: Of the bytes. Default: as each message declares (MSH-18) and as its bytes prove.
        name: For where each result stood.

    Returns:
        Source: `panels` (who, results, rows, notes), and `notes` on the file as a whole.

    Raises:
        InputError: There is no message, or the file cannot be read.

    Example:
        >>> read("MSH|^~\\\\&|LIS\\rOBX|1|SN|TSH||<^0.1|mU/L\\r").panels[0].results[0].value
        '<0.1'

    Source:
        HL7 v2.5.1, chapters 2, 3 and 7.
    """
    if isinstance(data, Path):
        from labinterp.readers import read_file

        return read_file(data, format="hl7v2", encoding=encoding)
    piece = Piece(name, data.encode("utf-8", "replace") if isinstance(data, str) else data)
    return hl7_results.read([piece], Wanted(encoding=encoding))[0]


def annotated(source: Source, reports: Sequence[Report], *, catalog: Catalog | None = None) -> bytes:
    """The messages with the answers in them: a comment behind each result, OBX-7 and OBX-8 filled where the laboratory left them empty.

    What the laboratory sent is kept byte for byte; what is added is marked, and is taken off again when the messages are read.

    Args:
        source: What `read` gave, for one file.
        reports: One for each of `source.panels`, in order.
        catalog: The data they were made with. Default: the catalog that ships.

    Returns:
        bytes: HL7 v2, in the character set and with the line ends of the messages.

    Raises:
        InputError: The source is no HL7 v2 file.

    Example:
        >>> from labinterp import interpret
        >>> source = read("MSH|^~\\\\&|LIS\\rOBX|1|NM|Ferritin||abc|ug/L\\r")
        >>> reports = [interpret(panel.results, panel.patient, rows=panel.rows) for panel in source.panels]
        >>> b"NTE|1|O|labinterp: not assessed (unreadable_value)" in annotated(source, reports)
        True
    """
    return write(source, reports, catalog or Catalog.default())


__all__ = ["PanelIn", "Source", "annotated", "read"]
