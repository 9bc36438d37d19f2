"""Files of every form, damaged and made up: each ends in answers or in a clear reason, and tells nobody's text.

`python -m tests.fuzz --minutes 10` runs through all forms, `--form fhir` through one. What breaks an invariant is kept with `--keep FOLDER`.
A short slice, always the same, runs in the suite (`test_fuzz.py`).
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import logging
import random
import re
import signal
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests import test_same_blood as blood
from tests.as_xml import NoXml, as_xml
from tests.test_fhir_out import same_answers
from tests.test_real_data import SHARED

from labinterp import Catalog, Report, fhir, html, interpret
from labinterp._documents import document
from labinterp._flagged import flagged
from labinterp._formats.forms_out import FORMS as WRITTEN
from labinterp._formats.forms_out import written
from labinterp._formats.hl7_marks import stripped
from labinterp._formats.unpacked import unpacked
from labinterp._intake import Piece, Source, Wanted
from labinterp.errors import LabInterpError
from labinterp.readers import FORMATS, read_pieces

CANARY = "XQZCANARY"
SECONDS = 10  # that one input may take
Files = list[bytes]


class Broken(Exception):
    """An invariant does not hold."""


class Form(NamedTuple):
    """A form of files.

    Attributes:
        name: As `--from` takes it.
        samples: Sets of files that belong together.
        grammar: Makes files up by the words and marks of the form.
        words: What is put into files of it.
    """

    name: str
    samples: Callable[[], list[Files]]
    grammar: Callable[[random.Random], Files]
    words: tuple[bytes, ...]


# --- what is changed -------------------------------------------------------------------------------------------

_ODD = (
    b"<script>alert(1)</script>",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"9" * 90,
    b"1e999",
    b"-0",
    b"nan",
    b"\xc2\xb5",
    b"\x1a",
    b"=1+1",
    b"\r",
    b"\n",
    b'"',
    b"<",
    b"1,060",
)
_TABLE = (*_ODD, b",", b";", b"\t", b'""', b"\n\n", b"value", b"unit", b"test", b"ng/mL")
_BRACES = (
    *_ODD,
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"null",
    b"true",
    b"[" * 300,
    b'{"a":' * 300,
    b'"#"',
    b'"value":',
    b'"unit":',
    b'"results":',
)
_BUNDLE = (
    *_BRACES,
    b'"resourceType":',
    b'"reference":"#p"',
    b'"hasMember":',
    b'"component":',
    b'"contained":[',
    b'"valueQuantity":{',
    b'"entered-in-error"',
)
_TAGS = (
    *_ODD,
    b">",
    b"/>",
    b"</",
    b"&",
    b"&lt;",
    b"&#0;",
    b"<!--",
    b"<![CDATA[",
    b"<!DOCTYPE a [",
    b'<value value="',
    b' xmlns="urn:x"',
    b"<entry>",
    b"</entry>",
    b"<resource>",
    b"<Patient>",
    b"<extension>" * 300,
    b'<status value="entered-in-error"/>',
)
_BARS = (
    *_ODD,
    b"|",
    b"^",
    b"~",
    b"\\",
    b"&",
    b"\x0b",
    b"\x1c",
    b"MSH|^~\\&|",
    b"OBX|",
    b"PID|",
    b"NTE|",
    b"SN",
    b"OBX|1|NM|",
    b"\\X0D\\",
    b"|C|",
    b"|D|",
)


def mutated(data: bytes, words: Sequence[bytes], chance: random.Random) -> bytes:
    """Bytes cut, doubled, replaced and put in at some places."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 6, 12))):
        at = chance.randrange(len(changed) + 1)
        size = chance.choice((1, 2, 8, 60, 400))
        kind = chance.randrange(7)
        if kind == 0:
            changed[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            del changed[at : at + size]
        elif kind == 2:
            changed[at:at] = changed[max(0, at - size) : at]
        elif kind == 3:
            changed[at:at] = chance.choice(words)
        elif kind == 4:
            changed[at : at + size] = chance.choice(words)
        elif kind == 5 and chance.random() < 0.2:
            del changed[at:]
        else:  # one part in the place of another
            other = chance.randrange(len(changed) + 1)
            changed[at : at + size] = changed[other : other + size]
    return bytes(changed)


_HOSTILE: tuple[Any, ...] = (
    None,
    True,
    [],
    {},
    "",
    "0",
    0,
    -1,
    1e308,
    "9" * 400,
    CANARY,
    [[[[]]]],
    {"value": {"value": 1}},
    "\0",
    "2021-13-45",
    "<5",
    {"reference": "#p"},
    {"reference": "Observation/o0"},
)


def rearranged(data: bytes, chance: random.Random) -> bytes:
    """JSON with some of its parts replaced, doubled, renamed or taken out."""
    try:
        whole = json.loads(data)
    except ValueError:
        return data
    for _ in range(chance.choice((1, 1, 2, 4))):
        spots: list[tuple[Any, Any]] = []
        waiting: list[Any] = [whole]
        while waiting:
            part = waiting.pop()
            inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
            for key, value in inner:
                spots.append((part, key))
                waiting.append(value)
        if not spots:
            break
        part, key = chance.choice(spots)
        kind = chance.randrange(5)
        if kind == 0:
            del part[key]
        elif kind == 1 and isinstance(part, list):
            part.insert(chance.randrange(len(part) + 1), copy.deepcopy(part[key]))
        elif kind == 2:
            other, where = chance.choice(spots)
            with contextlib.suppress(KeyError, IndexError):
                part[key] = copy.deepcopy(other[where])  # a circle is no JSON
        elif kind == 3 and isinstance(part, dict):
            part[chance.choice(("value", "code", "status", "resourceType", "id", "unit", "subject", "test"))] = part.pop(key)
        else:
            part[key] = copy.deepcopy(chance.choice(_HOSTILE))
    return json.dumps(whole).encode()


def repacked(data: bytes, chance: random.Random) -> bytes:
    """A workbook with one of its parts changed within."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except (OSError, ValueError, zipfile.BadZipFile):
        return data
    at = chance.randrange(len(members))
    words = (
        *_ODD,
        b"<c>",
        b"</row>",
        b"<v>",
        b'r="A1048576"',
        b"&amp;",
        b"<!DOCTYPE a [",
        b'table:number-columns-repeated="99999"',
        b't="s"',
    )
    members[at] = (members[at][0], mutated(members[at][1], words, chance))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


# --- samples -----------------------------------------------------------------------------------------------------

_LARGEST = 30_000  # bytes of a sample; larger files are cut to whole lines, bundles to some of their entries


def _marked(files: Files) -> Files:
    """The person's own texts are those that must not be told."""
    return [data.replace(b"p1", CANARY.encode()).replace(b"Doe^Jane", CANARY.encode()) for data in files]


def _ours(*forms: str) -> list[Files]:
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for form in forms:
            maker = blood.FORMS.get(form) or (blood.wide if form == "wide" else None)
            if maker:
                place = Path(folder, form)
                place.mkdir()
                files = [path.read_bytes() for path in maker(place)]
                found.append(files if form in ("workbook", "parquet", "gzip") else _marked(files))
    return found


def _shared(*patterns: str) -> list[Files]:
    if not SHARED.is_dir():
        return []
    return [[_short(path.read_bytes())] for pattern in patterns for path in sorted(SHARED.glob(pattern))]


def _short(data: bytes) -> bytes:
    if len(data) <= _LARGEST:
        return data
    if data[:1] == b"{":
        whole = json.loads(data)
        entries = whole.get("entry", [])
        whole["entry"] = entries[:: max(1, len(entries) // 12)]
        return json.dumps(whole).encode()
    return b"".join(data.splitlines(keepends=True)[:40])


@cache
def _transport() -> list[Files]:
    from tests.test_nhanes_files import sample

    return [[sample()]]


def _omop() -> list[Files]:
    people = _shared("omop-synthea27nj/PERSON.csv")
    return [[measurement, *people[0]] for (measurement,) in _shared("omop-synthea27nj/MEASUREMENT.csv")]


# --- made up ----------------------------------------------------------------------------------------------------

_NAMES = (
    "Ferritin",
    "25-OH vitamin D",
    "Vitamin B12",
    "Magnesium",
    "Hb",
    "Hämoglobin",
    "Ferritine",
    "Sodium",
    "Kreatinin im Urin",
    "",
    CANARY,
    "2276-4",
    "MMA",
    "Calcium",
    "Albumin",
    "CRP",
    "iron",
    "TIBC",
)
_VALUES = (
    "12",
    "12.5",
    "12,5",
    "<5",
    "> 1000",
    "5-8",
    "1,060",
    "",
    "neg",
    "NaN",
    "1e400",
    "-3",
    "12 H",
    "12 ug/L",
    "<1.0e-2",
    "0",
    "9" * 60,
    "=1+1",
    CANARY,
    "see note",
    "½",
    "٣",
    "10^3",
    "60~120",
)
_UNITS = ("ug/L", "ng/mL", "µg/l", "mg/dL", "mmol/L", "nmol/l", "g/dL", "umol/L", "%", "", "qq", "NG/ML", "pg/mL", "g/l-1", "mEq/L", CANARY)
_RANGES = ("", "10-33", "<20", "(0.70-1.10)", "0-0", "adults: 5", "13 to 18", "1,060-2", "≥ 3", "10 - ", CANARY)
_FLAGS = ("", "H", "L", "N", "*", "LL", "A", "hoch", CANARY)
_DAYS = ("2024-05-06", "20240506", "", "6.5.2024", "05/06/2024", "2024-02-30", "nope", CANARY)
_SEXES = ("F", "M", "female", "", "1", "x", CANARY)


def _long(chance: random.Random) -> Files:
    columns: dict[str, tuple[str, ...]] = {
        "test": _NAMES, "value": _VALUES, "unit": _UNITS, "ref range": _RANGES, "ref low": _VALUES, "ref high": _VALUES, "flag": _FLAGS, "date": _DAYS,
        "sex": _SEXES, "age": ("34", "6 months", "0", "200", "x", ""), "patient_id": ("a", "b", CANARY), "loinc": ("2276-4", "2951-2", "", "x"), "comparator": ("", "<", "?"),
        "specimen": ("", "Serum", "urine", CANARY), "birth date": _DAYS, "pregnant": ("", "yes", "?"), "context": ("", "ckd", CANARY),
    }  # fmt: skip
    chosen = ["test", "value", *chance.sample(sorted(set(columns) - {"test", "value"}), chance.randrange(len(columns) - 2))]
    chance.shuffle(chosen)
    rows = [[chance.choice(columns[name]) for name in chosen] for _ in range(chance.randrange(8))]
    mark = chance.choice(",;\t|")

    def cell(text: str) -> str:
        return f'"{text}"' if chance.random() < 0.1 or mark in text else text

    lines = [mark.join(chosen), *(mark.join(map(cell, row)) for row in rows)]
    return [chance.choice(("\n", "\r\n")).join(lines).encode(chance.choice(("utf-8", "utf-8-sig", "utf-16", "latin-1")), "replace")]


def _wide(chance: random.Random) -> Files:
    heads = chance.sample(
        [
            "id",
            "sex",
            "age",
            "date",
            "Ferritin (ug/L)",
            "Ferritin",
            "Hb [g/dL]",
            "B12 pg/mL",
            "CRP",
            "Note",
            "Magnesium unit",
            "Magnesium",
            "25(OH)D_nmol_L",
        ],
        chance.randrange(2, 9),
    )
    kinds = {"id": ("a", CANARY), "sex": _SEXES, "age": ("34", ""), "date": _DAYS, "Note": (CANARY, "")}
    rows = [[chance.choice(kinds.get(head, _UNITS if "unit" in head else _VALUES)) for head in heads] for _ in range(chance.randrange(5))]
    if chance.random() < 0.2:
        rows.insert(0, [chance.choice(_UNITS[:8]) if head not in kinds else "" for head in heads])
    mark = chance.choice(";\t")
    return ["\n".join(mark.join(row) for row in [heads, *rows]).encode()]


def _records(chance: random.Random) -> Files:
    def value() -> Any:
        return chance.choice((*_VALUES, 12, 12.5, Decimal("1"), True, None, [], {}, 1e300, -0.0))

    def one() -> dict[str, Any]:
        made = {
            "test": chance.choice(_NAMES), "value": value(), "unit": chance.choice((*_UNITS, None)), "ref_low": value(), "ref_text": chance.choice(_RANGES),
            "flag": chance.choice(_FLAGS), "loinc": chance.choice(("2276-4", None, 5)), "collected_at": chance.choice((*_DAYS, None, 5)), "source": chance.choice((None, "x", {}, CANARY)),
        }  # fmt: skip
        return {key: made[key] for key in made if chance.random() < 0.7 or key in ("test", "value")}

    panel = {
        "patient": {"id": CANARY, "sex": chance.choice(_SEXES), "age_years": value()},
        "results": [one() for _ in range(chance.randrange(5))],
    }
    if chance.random() < 0.3:
        panel["results"] = {chance.choice(_NAMES): value() for _ in range(3)}
    whole = chance.choice(([panel, panel], panel, [one(), one()], {"panels": [panel]}, one()))
    text = json.dumps(whole, default=float)
    return [("\n".join(json.dumps(one(), default=float) for _ in range(4)) if chance.random() < 0.2 else text).encode()]


def _resources(chance: random.Random) -> Files:
    person = {
        "resourceType": "Patient",
        "id": CANARY,
        "gender": chance.choice(("female", "male", "x", None)),
        "birthDate": chance.choice(_DAYS),
        "name": [{"text": CANARY}],
    }

    def concept(text: Any, code: Any) -> dict[str, Any]:
        return {"text": text, "coding": [{"system": chance.choice(("http://loinc.org", "urn:local", None)), "code": code}]}

    def quantity() -> dict[str, Any]:
        unit = chance.choice(_UNITS)
        return {
            "value": chance.choice((12, 12.5, "12", None, -1, 1e300, 0)),
            "unit": unit,
            "code": chance.choice((unit, None, "ug/L")),
            "comparator": chance.choice(("<", ">=", None, "?")),
        }

    def observation(number: int) -> dict[str, Any]:
        made: dict[str, Any] = {
            "resourceType": "Observation", "id": f"o{chance.randrange(4)}", "status": chance.choice(("final", "corrected", "entered-in-error", "registered", "")),
            "code": concept(chance.choice(_NAMES), chance.choice(("2276-4", "2951-2", "82810-3", None))), "subject": {"reference": f"Patient/{CANARY}"},
            "effectiveDateTime": chance.choice((*_DAYS, None)), "issued": chance.choice((*_DAYS, None)),
        }  # fmt: skip
        values: dict[str, Any] = {
            "valueQuantity": quantity(), "valueString": chance.choice(_VALUES), "valueInteger": 3, "valueRange": {"low": quantity(), "high": quantity()},
            "valueRatio": {"numerator": quantity()}, "dataAbsentReason": concept(CANARY, "error"), "valueCodeableConcept": concept("Positive", None), "valueBoolean": True,
        }  # fmt: skip
        for key in chance.sample(sorted(values), chance.choice((0, 1, 1, 1, 2))):
            made[key] = values[key]
        if chance.random() < 0.5:
            made["referenceRange"] = [
                {
                    "low": quantity(),
                    "high": quantity(),
                    "text": chance.choice(_RANGES),
                    "appliesTo": [concept("men", "M")],
                    "age": {"low": quantity()},
                }
            ]
        if chance.random() < 0.4:
            made["interpretation"] = [concept(None, chance.choice(("H", "L", "N", "LL", "?")))]
        if chance.random() < 0.3:
            made["hasMember"] = [{"reference": f"Observation/o{chance.randrange(4)}"}]
        if chance.random() < 0.3:
            made["component"] = [{"code": concept("CRP", "1988-5"), "valueQuantity": quantity()}]
        if chance.random() < 0.2:
            made["contained"] = [{"resourceType": "Specimen", "id": "s", "type": concept(chance.choice(("Urine", CANARY)), None)}]
            made["specimen"] = {"reference": "#s"}
        if number and chance.random() < 0.1:
            made["contained"] = [observation(number - 1)]
        return made

    listed = [person, *(observation(2) for _ in range(chance.randrange(6)))]
    if chance.random() < 0.3:
        listed.append(
            {
                "resourceType": "DiagnosticReport",
                "id": "d",
                "status": chance.choice(("final", "cancelled")),
                "result": [{"reference": "Observation/o1"}],
                "subject": {"reference": f"Patient/{CANARY}"},
            }
        )
    if chance.random() < 0.2:
        return ["\n".join(json.dumps(one) for one in listed).encode()]
    entries = [{"fullUrl": f"http://x/{one['resourceType']}/{one['id']}", "resource": one} for one in listed]
    inner: dict[str, Any] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return [
        json.dumps({"resourceType": "Bundle", "entry": [{"resource": inner}, *entries[:1]]} if chance.random() < 0.2 else inner).encode()
    ]


def _resources_in_xml(chance: random.Random) -> Files:
    files = _resources(chance)
    try:
        return [as_xml(data, chance.choice(("", "f"))) for data in files]
    except (NoXml, ValueError):  # a list of lines has no XML
        return files


def _message(chance: random.Random) -> Files:
    words = (
        *_VALUES,
        *_UNITS,
        *_RANGES,
        *_FLAGS,
        *_DAYS,
        '""',
        "2276-4^Ferritin^LN",
        "ug/L^x^UCUM",
        "\\.br\\",
        "<^5",
        "^5^-^8",
        "F",
        "C",
        "X",
    )

    def segment(name: str, size: int) -> str:
        return "|".join([name, *(chance.choice(words) if chance.random() < 0.5 else "" for _ in range(chance.randrange(size)))])

    def result() -> str:
        kind = chance.choice(("NM", "SN", "ST", "CE", "TX", "", "ED"))
        name = chance.choice(_NAMES)
        return f"OBX|{chance.randrange(3)}|{kind}|{chance.choice(('', '2276-4'))}^{name}^{chance.choice(('LN', 'L', ''))}||{chance.choice(words)}|{chance.choice(_UNITS)}|{chance.choice(_RANGES)}|{chance.choice(_FLAGS)}|||{chance.choice('FCDXPR')}"

    lines = []
    for _ in range(chance.choice((1, 1, 2))):
        lines += [
            f"MSH|^~\\&|LAB|H|||{chance.choice(_DAYS)}||ORU^R01|1|P|2.5|||||||{chance.choice(('', 'UNICODE UTF-8', '8859/1', 'x'))}",
            f"PID|1||{CANARY}||{CANARY}^A||{chance.choice(_DAYS)}|{chance.choice(_SEXES)}",
        ]
        for _ in range(chance.randrange(7)):
            lines.append(
                result() if chance.random() < 0.6 else segment(chance.choice(("OBR", "NTE", "SPM", "ORC", "ZZZ", "PID", "OBX", "PV1")), 30)
            )
    return [(chance.choice(("\r", "\n", "\r\n")).join(lines) + "\r").encode(chance.choice(("utf-8", "latin-1")), "replace")]


def _rows_of(chance: random.Random, header: str, words: Sequence[str]) -> bytes:
    names = header.split(",")
    if chance.random() < 0.3:
        names = chance.sample(names, chance.randrange(1, len(names) + 1))
    rows = [",".join(chance.choice(words) for _ in names) for _ in range(chance.randrange(6))]
    return "\n".join([",".join(names), *rows]).encode()


def _measurements(chance: random.Random) -> Files:
    words = (
        "",
        "",
        "0",
        "1",
        "2",
        "8507",
        "8532",
        "8840",
        "8842",
        "3001122",
        "3016723",
        "12",
        "12.5",
        "nan",
        "<5",
        "2024-01-31",
        "ng/mL",
        "Ferritin",
        "2276-4",
        "4171756",
        CANARY,
        "1953",
        "x",
    )
    return [
        _rows_of(chance, "measurement_id,person_id,measurement_concept_id,measurement_date,operator_concept_id,value_as_number,unit_concept_id,range_low,range_high,measurement_source_value,unit_source_value,value_source_value", words),
        _rows_of(chance, "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth", words),
    ]  # fmt: skip


def _survey(chance: random.Random) -> Files:
    words = ("", "0", "1", "2", "34", "85", "12", "0.5", "-1", "nan", "1e999999", "<5", CANARY, "=1+1", "9" * 300)
    return [_rows_of(chance, "SEQN,RIAGENDR,RIDAGEYR,RIDEXPRG,LBXFER,LBDFERSI,LBXVIC,LBDVICLC,LBXB12,LBXODD", words)]


def _frame(chance: random.Random) -> Files:
    """The cells of a made-up table as Parquet, with the types that columns come to have."""
    import polars as pl

    rows = _long(chance)[0].decode("utf-8", "replace").lstrip("\ufeff").splitlines()
    mark = next((one for one in ";\t|," if one in rows[0]), ",")
    cells = [row.split(mark) for row in rows]
    columns = {head: [row[at] if at < len(row) else None for row in cells[1:]] for at, head in enumerate(cells[0])}
    if chance.random() < 0.5 and "value" in columns:
        columns["value"] = [float(chance.randrange(300)) for _ in cells[1:]]  # type: ignore[misc]
    out = io.BytesIO()
    pl.DataFrame(columns).write_parquet(out)
    return [out.getvalue()]


def _book(chance: random.Random) -> Files:
    import xlsxwriter

    rows = [
        line.split("\t")
        for line in (_wide if chance.random() < 0.4 else _long)(chance)[0].decode("utf-8", "replace").replace(";", "\t").splitlines()
    ]
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet(chance.choice(("Labor", "a b", "Ä")))
        for row, line in enumerate(rows):
            for column, text in enumerate(line):
                kind = chance.randrange(8)
                if kind == 0 and row:
                    sheet.write_number(row, column, chance.choice((12.5, 0, -1, 45000)))
                elif kind == 1 and row:
                    sheet.write_formula(
                        row, column, chance.choice(("=1+1", '=HYPERLINK("http://x","y")')), None, chance.choice((12, "x", ""))
                    )
                else:
                    sheet.write_string(row, column, text.replace("\0", ""))
    return [out.getvalue()]


def _packed(chance: random.Random) -> Files:
    import gzip

    return [gzip.compress(_long(chance)[0])]


FORMS: dict[str, Form] = {
    "csv": Form("csv", lambda: _ours("csv", "tsv") + _shared("smart-labs-tsv/labs*.tsv"), _long, _TABLE),
    "wide": Form("csv", lambda: _ours("wide") + _shared("brinda-sample/*.csv", "nhanes-1971*/*.csv", "nhanes-2009*/*.csv"), _wide, _TABLE),
    "json": Form("json", lambda: _ours("json", "json lines"), _records, _BRACES),
    "fhir": Form("fhir", lambda: _ours("fhir", "fhir bulk") + _shared("fhir-*/*.json"), _resources, _BUNDLE),
    "fhir xml": Form("fhir", lambda: _ours("fhir xml"), _resources_in_xml, _TAGS),
    "hl7v2": Form("hl7v2", lambda: _ours("hl7 v2") + _shared("hl7v2-*/*.hl7"), _message, _BARS),
    "omop": Form("omop", lambda: _ours("omop") + _omop(), _measurements, _TABLE),
    "nhanes": Form("xpt", lambda: _shared("nhanes-2005*/women*.csv"), _survey, _TABLE),
    "xpt": Form("xpt", _transport, _survey, _ODD),
    "xlsx": Form("xlsx", lambda: _ours("workbook"), _book, _ODD),
    "parquet": Form("parquet", lambda: _ours("parquet"), _frame, _ODD),
    "gzip": Form("csv", lambda: _ours("gzip"), _packed, _ODD),
}


_CONTROL = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")  # FHIR has no place for them: a name goes out without


# --- what must be true --------------------------------------------------------------------------------------------


def _tell(condition: bool, said: str) -> None:
    if not condition:
        raise Broken(said)


@contextlib.contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Breaks off what takes longer, in time of the processor, where the system can."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def late(*_: object) -> None:
        raise Broken(f"an input took longer than {seconds} s")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _is_header(pieces: Sequence[Piece]) -> bool:
    """Whether the text that must not be told stands in what may be a header line: names of columns are told."""
    for piece in pieces:
        lines = piece.data.translate(None, bytes({*range(32), 127} - {10, 13})).replace(b"\r", b"\n").split(b"\n")  # none of them is told
        if any(CANARY.encode() in line for line in [one for one in lines if one.strip()][:3]):
            return True
    return False


def check(form: Form, files: Files, chance: random.Random) -> str:
    """Read, answer and write one set of files.

    Args:
        form: Theirs.
        files: Their bytes.
        chance: Decides whether the form is said or found.

    Returns:
        str: "read", "refused" or "empty".

    Raises:
        Broken: An invariant does not hold.
    """
    named = chance.random() < 0.6
    try:
        pieces = [Piece(f"f{number}", unpacked(data)) for number, data in enumerate(files)]
        source = read_pieces(pieces, Wanted(), form.name if named else None)
    except LabInterpError as error:
        header = form.name in ("csv", "xpt", "omop", "json") and _is_header([Piece("", _bare(data)) for data in files])
        _tell(CANARY not in str(error) or header, f"the message tells a text of the file: {error}")
        return "refused"
    rows = sorted(row for panel in source.panels for row in panel.rows)
    _tell(len(set(rows)) == len(rows), "two results have one number")
    reports = []
    for panel in source.panels:
        report = interpret(panel.results, panel.patient, rows=panel.rows)
        _tell([answer.row for answer in report.rows()] == panel.rows, "a result has no answer")
        reports.append(report._replace(notes=(*panel.notes, *report.notes)))
    if not _is_header(pieces) and "passed over" not in " ".join(source.notes):  # then a later line is the header
        _tell(CANARY not in " ".join(source.notes), "a note of the file tells a text of it")
    _written(source, reports, chance.random() < 0.15)
    return "read" if rows else "empty"


def _bare(data: bytes) -> bytes:
    try:
        return unpacked(data)
    except LabInterpError:
        return data


def _written(source: Source, reports: list[Report], paged: bool) -> None:
    """Every form of output takes the answers, or says why it does not; ways back lead back."""
    catalog = Catalog.default()
    for form in WRITTEN:
        with contextlib.suppress(LabInterpError):
            written(form, source, reports, catalog)
    with contextlib.suppress(LabInterpError):
        flagged(source, reports)
    json.dumps(document(catalog, reports))
    made = fhir.to_json(fhir.bundle(reports, source))
    again = fhir.read(made)
    if source.format == "fhir" and not _CONTROL.search("".join(str(result.test) for panel in source.panels for result in panel.results)):
        bare = [interpret(panel.results, panel.patient, rows=panel.rows) for panel in source.panels]
        same_answers(bare, [interpret(panel.results, panel.patient, rows=panel.rows) for panel in again.panels])
    if source.format == "hl7v2" and getattr(source.original, "plain", False):
        _tell(stripped(written("hl7v2", source, reports, catalog)) == source.original.data, "what was added does not come off again")
    if paged and 0 < len(reports) < 4:
        _tell("<script>alert" not in html.page(reports), "a text of the file runs on the page")


class Tally:
    """What came of the inputs of one form."""

    def __init__(self) -> None:
        self.ends: Counter[str] = Counter()
        self.broken: dict[str, tuple[Files, str]] = {}
        self.slowest = 0.0

    @property
    def runs(self) -> int:
        """Inputs so far."""
        return sum(self.ends.values())


def run(name: str, seed: int, *, seconds: float = 0.0, count: int = 0) -> Tally:
    """Inputs of one form, for some seconds or some number; the same seed gives the same inputs.

    Args:
        name: One of `FORMS`.
        seed: Of the inputs.
        seconds: How long at least.
        count: How many at least.
    """
    form, chance, tally = FORMS[name], random.Random(f"{name} {seed}"), Tally()
    samples = form.samples()
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    until = time.monotonic() + seconds
    try:
        while tally.runs < count or time.monotonic() < until:
            files = _made(form, samples, chance)
            begun, said = time.process_time(), io.StringIO()
            try:
                with bounded(SECONDS), contextlib.redirect_stderr(said):
                    end = check(form, files, chance)
                _tell(CANARY not in said.getvalue() + log.getvalue(), "a text of the file is told on standard error or in a log")
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                end = "broken"
                where = traceback.extract_tb(error.__traceback__)
                ours = next((f"{Path(one.filename).name}:{one.lineno}" for one in reversed(where) if "labinterp" in one.filename), "")
                key = f"{type(error).__name__} {ours or error}"
                tally.broken.setdefault(key, (files, "".join(traceback.format_exception(error))[-3000:]))
            tally.ends[end] += 1
            tally.slowest = max(tally.slowest, time.process_time() - begun)
            log.seek(0)
            log.truncate()
    finally:
        logging.getLogger().removeHandler(handler)
    return tally


def _made(form: Form, samples: list[Files], chance: random.Random) -> Files:
    """A set of files: made up, or a sample, changed in one way or another."""
    if not samples or chance.random() < 0.4:
        files = form.grammar(chance)
        if chance.random() < 0.5:
            return files
    else:
        files = list(chance.choice(samples))
    at = chance.randrange(len(files))
    if form.name in ("json", "fhir") and files[at][:1] != b"<" and chance.random() < 0.5:
        files[at] = rearranged(files[at], chance)
    elif files[at][:2] == b"PK" and chance.random() < 0.7:
        files[at] = repacked(files[at], chance)
    else:
        files[at] = mutated(files[at], form.words, chance)
    if chance.random() < 0.05:
        files.pop(at)
    return files or [b""]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="in total, spread over the forms")
    parser.add_argument("--form", choices=sorted(FORMS), action="append")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", type=Path, help="folder for what breaks an invariant")
    given = parser.parse_args()
    names = given.form or list(FORMS)
    found = 0
    for name in names:
        tally = run(name, given.seed, seconds=given.minutes * 60 / len(names))
        found += len(tally.broken)
        sys.stdout.write(f"{name}: {tally.runs} inputs, {dict(tally.ends)}, slowest {tally.slowest:.1f} s, seed {given.seed}\n")
        sys.stdout.flush()
        for number, (key, (files, text)) in enumerate(tally.broken.items()):
            sys.stdout.write(f"  {key}\n{text}\n")
            if given.keep:
                given.keep.mkdir(parents=True, exist_ok=True)
                for part, data in enumerate(files):
                    (given.keep / f"{name}-{number}-{part}").write_bytes(data)
    return 1 if found else 0


assert {form.name for form in FORMS.values()} <= set(FORMATS)

if __name__ == "__main__":
    sys.exit(main())
