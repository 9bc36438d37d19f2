"""Answers -> the messages they were made from, annotated: a comment (NTE) behind each result, and a flag and a range where there was none.

What the laboratory sent stays as it is, byte for byte: its own range (OBX-7) and flag (OBX-8) are never touched, and taking away what was
added gives the messages back (`hl7_marks.stripped`).
"""

from __future__ import annotations

from collections.abc import Sequence

from labinterp._catalog import Catalog
from labinterp._formats.hl7_marks import marked
from labinterp._formats.hl7_results import Heard
from labinterp._formats.hl7_segments import Message, Segment
from labinterp._formats.hl7_text import escaped, part
from labinterp._intake import Source
from labinterp._report import Report
from labinterp._results import Finding, NotAssessed
from labinterp.errors import InputError

_SPLIT_BYTES = ("gb18030", "big5")  # a separator may be half of a letter
_SIGNS = {
    0x2265: ">=",
    0x2264: "<=",
    0xB5: "u",
    0x3BC: "u",
    0x2013: "-",
    0x2014: "-",
    0x2019: "'",
    0x2212: "-",
    0xB7: ".",
    0xB2: "2",
    0xB3: "3",
}


def write(source: Source, reports: Sequence[Report], catalog: Catalog) -> bytes:
    """The messages of a source with the answers in them.

    Args:
        source: Read from one HL7 v2 file.
        reports: One for each of its panels, in order.
        catalog: The data they were made with.

    Raises:
        InputError: The source is no HL7 v2 file, or one whose bytes cannot be kept.
    """
    heard = source.original
    if source.format != "hl7v2" or not isinstance(heard, Heard):
        several = isinstance(heard, list)
        raise InputError(
            "--to hl7v2 annotates the messages of one file; give the files one by one"
            if several and source.format == "hl7v2"
            else f"--to hl7v2 annotates messages that came as HL7 v2, and this is {source.format}; accepted: an HL7 v2 file, or --to json, csv"
        )
    if not heard.plain:
        raise InputError("--to hl7v2 keeps the bytes of the messages, and these are UTF-16; save the file as UTF-8 first")
    if any(message.charset in _SPLIT_BYTES for message, _ in heard.rows):
        raise InputError(
            "--to hl7v2 is not written in the character set of these messages (MSH-18); accepted: UTF-8, 8859/1 to 8859/16, ASCII"
        )
    answers = {answer.row: answer for report in reports for answer in report.rows()}
    standing = " ".join(dict.fromkeys(text for report in reports[:1] for text in (report.disclaimer, *report.standing)))
    pieces: list[bytes] = []
    done, told = 0, -1
    for row, (message, at) in enumerate(heard.rows, 1):
        answer = answers.get(row)
        if answer is None:
            continue
        segment = message.segments[at]
        bare = heard.data[segment.start : segment.end]
        filled, added, more = _filled(segment, bare, message, answer)
        last, comments = _attached(message, at)
        line_end = message.line_end if message.line_end in (b"\n", b"\r\n") else b"\r"
        texts = [_text(answer, added, catalog)]
        if told != message.number:  # once in a message
            texts.append(standing)
        told = message.number
        pieces += [heard.data[done : segment.start], filled, heard.data[segment.end : last.end]]
        for number, text in enumerate(texts, comments + 1):
            mark = marked(added, more, message.marks.component) if number == comments + 1 else marked("", 0, message.marks.component)
            fields = ("NTE", str(number), "O", escaped(text.translate(_SIGNS), message.marks), mark)
            pieces.append(line_end + message.marks.field.join(fields).encode(_charset(message), "replace"))
        done = last.end
    return b"".join([*pieces, heard.data[done:]])


def _charset(message: Message) -> str:
    """A character set that whoever reads the message will use: the declared one, else ASCII."""
    return message.charset or "ascii"


def _attached(message: Message, at: int) -> tuple[Segment, int]:
    """The last of the segments that belong to a result (PRT, NTE), and how many comments there are."""
    last, comments = message.segments[at], 0
    for segment in message.segments[at + 1 :]:
        if segment.name not in ("PRT", "NTE"):
            break
        last, comments = segment, comments + (segment.name == "NTE")
    return last, comments


def _filled(segment: Segment, bare: bytes, message: Message, answer: Finding | NotAssessed) -> tuple[bytes, str, int]:
    """The bytes of an OBX with what was empty filled in, which fields that were, and how many separators were put behind it."""
    if not isinstance(answer, Finding) or any(end in bare for end in (b"\r", b"\n", b"\x0b", b"\x1c")):
        return bare, "", 0
    mark = message.marks.field.encode()
    fields = bare.split(mark)
    new = {}
    if not segment.raw(7).strip() and (text := range_text(answer)):
        new[7] = escaped(text, message.marks)
    if not segment.raw(8).strip() and (code := _code(answer, message)):
        new[8] = code
    new = {number: text for number, text in new.items() if number >= len(fields) or fields[number] == b""}
    if not new:
        return bare, "", 0
    more = max(0, max(new) + 1 - len(fields))
    fields += [b""] * more
    for number, text in new.items():
        fields[number] = text.encode("ascii", "replace")
    return mark.join(fields), "".join(map(str, sorted(new))), more


def _code(finding: Finding, message: Message) -> str:
    """The code as table 0078 of the message's version has it; empty where that has none."""
    version = part(message.segments[0].raw(12), 1, message.marks)
    if finding.code == "IND" and version < "2.7":
        return ""
    return {"LU": "L", "HU": "H"}.get(finding.code, finding.code)  # the table has no code for severe short of critical


def range_text(finding: Finding) -> str:
    """The normal band of the limits that answered, in the reported unit; empty where they draw none.

    Example:
        >>> from labinterp import Patient, assess
        >>> range_text(assess({"25(OH)D": "18 ng/mL"}, Patient(sex="female", age_years=71)))
        '20-50'
    """
    limits, population = finding.basis.limit_set, finding.basis.population
    if limits is None or population is None or finding.limits == "reported":
        return ""
    normal = [number for number, band in enumerate(limits.bands(population)) if band.code == "N"]
    if not normal or normal != list(range(normal[0], normal[-1] + 1)):
        return ""
    lines = [f"{float(line):.6g}" for line in limits.exact_lines(population, finding.unit)]
    words = [word for _, word in limits.populations[population]["lines"]]
    low, high = normal[0] - 1, normal[-1]
    below = "" if low < 0 else f"{'>' if words[low] == 'above' else '>='}{lines[low]}"
    above = "" if high >= len(lines) else f"{'<=' if words[high] == 'above' else '<'}{lines[high]}"
    if below.startswith(">=") and above.startswith("<="):
        return f"{lines[low]}-{lines[high]}"
    return f"{below} {above}".strip()


def _text(answer: Finding | NotAssessed, added: str, catalog: Catalog) -> str:
    """Whose limits, which band, which data; or why there is no answer."""
    if isinstance(answer, NotAssessed):
        return f"labinterp: not assessed ({answer.reason}): {answer.message} Catalog {catalog.version}."
    whose = "the laboratory's own range" if answer.limits == "reported" else f"limits of {answer.authority} ({answer.limits})"
    band = f"band {answer.band}, " if answer.band else ""
    fields = " and ".join(f"OBX-{number}" for number in added)
    filled = f" {fields} added by labinterp." if added else ""
    return f"labinterp: {answer.name} {answer.quantity}: {answer.label} ({band}code {answer.code}), by {whose}, catalog {catalog.version}.{filled}"
