"""HL7 v2 as laboratories send it: what is read, what is refused and why, and that nothing is lost, run or told."""

from __future__ import annotations

import logging
import os
import random
import re
import time
from collections import Counter
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import hl7
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labinterp import Catalog, Finding, LabResult, NotAssessed, hl7v2, interpret, readers
from labinterp._formats.hl7_marks import stripped
from labinterp._formats.hl7_segments import read_messages
from labinterp._formats.hl7_text import Marks, escaped, plain
from labinterp._intake import PanelIn, Source
from labinterp._quantity import Unreadable
from labinterp.errors import InputError

SHARED = Path(__file__).parents[2] / "shared" / "data" / "hl7v2-fhir-converter"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is absent: messages of the FHIR converter not checked")
CANARY = "XQZCANARY"
HEAD = "MSH|^~\\&|LIS|LAB|APP|DOC|20260105120000||ORU^R01|1|P|2.5"
PID = "PID|1||4711^^^LAB||Test^Anna||19541002|F"
OBR = "OBR|1|A1|B1|CH^Chemie|||20260105081500"


def message(*segments: str, head: str = HEAD, pid: str = PID, obr: str = OBR, end: str = "\r") -> str:
    return end.join([head, pid, obr, *segments]) + end


def obx(value: str, kind: str = "NM", name: str = "FER^Ferritin^L", unit: str = "ug/L", more: str = "13-150||||F", number: int = 1) -> str:
    return f"OBX|{number}|{kind}|{name}||{value}|{unit}|{more}"


def read(text: str | bytes, **how: str) -> Source:
    data = text.encode() if isinstance(text, str) else text
    return readers.read_bytes(data, format="hl7v2", **how)


def results(text: str | bytes) -> list[LabResult]:
    """In the order of the file."""
    rows = {row: result for panel in read(text).panels for row, result in zip(panel.rows, panel.results, strict=True)}
    return [rows[row] for row in sorted(rows)]


def one(value: str, kind: str = "NM", **more: str) -> LabResult:
    return results(message(obx(value, kind, **more)))[0]


def answers(panel: PanelIn) -> list[Finding | NotAssessed]:
    return list(interpret(panel.results, panel.patient, rows=panel.rows).rows())


def why(result: LabResult) -> str:
    assert isinstance(result.value, Unreadable)
    return result.value.message


# --- one plain message ---------------------------------------------------------------------------------------


def test_a_plain_message() -> None:
    source = read(message(obx("12", unit="ug/L^microgram per liter^UCUM", more="13-150|L|||F"), "ZXX|passed over"))
    (panel,) = source.panels
    assert (panel.patient.id, panel.patient.sex, panel.patient.age_years, panel.patient.birth_date) == (
        "4711",
        "female",
        71,
        date(1954, 10, 2),
    )
    (result,) = panel.results
    assert result == LabResult(
        "Ferritin", "12", "ug/L", collected_at=date(2026, 1, 5), ref_text="13-150", flag="L", source="message 1, OBX 1"
    )
    assert (source.format, source.notes, panel.notes, panel.rows) == ("hl7v2", (), [], [1])
    (answer,) = answers(panel)
    assert isinstance(answer, Finding)
    assert (answer.band, answer.reported.code if answer.reported else None, answer.source) == ("deficient", "L", "message 1, OBX 1")


def test_the_name_of_a_file_stands_before_the_place(tmp_path: Path) -> None:
    path = tmp_path / "labs.hl7"
    path.write_text(message(obx("12")), "utf-8", newline="")
    assert readers.read_file(path).panels[0].results[0].source == "labs.hl7, message 1, OBX 1"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("framed", [False, True])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_frames_and_byte_order_marks(end: str, framed: bool, mark: bytes) -> None:
    body = message(obx("12"), end=end).encode()
    data = mark + (b"\x0b" + body + b"\x1c\r" if framed else body) * 2
    source = readers.read_bytes(data)  # by its content
    assert source.format == "hl7v2"
    assert [result.value for panel in source.panels for result in panel.results] == ["12", "12"]
    assert source.notes == ()


@pytest.mark.parametrize("marks", ["|^~\\&", "#*+!:", "|^~\\&#", "$%@/="])
def test_any_separators(marks: str) -> None:
    text = message(obx("12", unit="ug/L^microgram^UCUM", more="13-150|A~L|||F"))
    text = text.replace("MSH|^~\\&", "MSH\0").translate(str.maketrans("|^~", marks[:3])).replace("\0", marks)
    (result,) = results(text)
    assert (result.test, result.value, result.unit, result.flag) == ("Ferritin", "12", "ug/L", "L")


def test_separators_that_are_not_given_are_the_usual_ones() -> None:
    for head in ("MSH|^|LIS", "MSH|^~&|LIS", "MSH||LIS"):
        assert results(message(obx("12", more="13-150|A~L|||F"), head=head))[0].flag == "L"


def test_escapes() -> None:
    marks = Marks()
    for text, expected in {
        "5\\F\\6\\S\\7\\T\\8\\R\\9\\E\\0": "5|6^7&8~9\\0", "a\\.br\\b": "a\nb", "\\H\\x\\N\\": "x", "\\XB5\\g": "µg", "\\XC2B5\\g": "µg", "\\X00B5\\g": "µg",
        "mg\\dL": "mg\\dL", "\\.sp3\\": "\n", "\\.sp99999999999\\": "\\.sp99999999999\\", "\\Zxy\\": "\\Zxy\\", "\\": "\\", "a\\F": "a\\F", "\\\\": "\\\\",
    }.items():  # fmt: skip
        assert plain(text, marks) == expected
    assert one("12", unit="\\XB5\\g/L").unit == "µg/L"
    assert one("12", unit="\\Z03BC\\g/L").unit == "\\Z03BC\\g/L"  # the spelling table knows it
    assert plain(escaped("5|3^2~1\\0&9", marks), marks) == "5|3^2~1\\0&9"


# --- text ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("", "utf-8"), ("", "latin-1"), ("8859/1", "latin-1"), ("8859/1", "utf-8"), ("UNICODE UTF-8", "utf-8"), ("UNICODE UTF-8", "latin-1"),
     ("8859/15", "iso8859-15"), ("ASCII", "cp1252"), ("8859", "latin-1"), ("UNICODE", "utf-8"), ("rot13", "utf-8"), ("8859/1~UNICODE", "latin-1")],
)  # fmt: skip
def test_character_sets_as_declared_and_as_sent(declared: str, encoding: str) -> None:
    text = message(obx("12", name="F^Müller-Größe^L", unit="µg/L"), head=f"{HEAD}||||||{declared}")
    (result,) = results(text.encode(encoding))
    assert (result.test, result.unit) == ("Müller-Größe", "µg/L")


def test_messages_of_one_file_may_have_different_sets() -> None:
    text = message(obx("12", unit="µg/L"))
    assert [result.unit for result in results(text.encode("latin-1") + text.encode("utf-8"))] == ["µg/L", "µg/L"]


def test_utf_16_and_an_encoding_that_is_asked_for() -> None:
    text = message(obx("12", name="F^Größe^L"))
    assert results(text.encode("utf-16"))[0].test == "Größe"
    assert read(text.encode("cp850"), encoding="cp850").panels[0].results[0].test == "Größe"
    with pytest.raises(InputError, match="no such encoding"):
        read(text, encoding="no-such-set")


def test_a_set_that_is_declared_nowhere_and_proves_itself() -> None:
    """Bytes that are letters in code page 850 and quotes or nothing in the western set, within a word."""
    text = message(obx("12", name="FE^Eisen^L", unit="µmol/l"), obx("13", name="HB^Hämoglobin^L", unit="g/dl", number=2))
    source = read(text.encode("cp850"))
    assert [(result.test, result.unit) for result in source.panels[0].results] == [("Eisen", "µmol/l"), ("Hämoglobin", "g/dl")]
    assert any("code page 850" in note for note in source.notes)
    assert read(text.encode("cp1252")).notes == read(text).notes == ()
    declared = message(obx("12", name="F^Größe^L"), head=f"{HEAD}||||||8859/1")
    assert results(declared.encode("latin-1"))[0].test == "Größe"
    quoted = message(obx("12", name="F^\u201eFerritin\u201d^L"))  # German quotes around a word are none of its letters
    assert results(quoted.encode("cp1252"))[0].test == "\u201eFerritin\u201d"


# --- values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "raw", "value", "comparator"),
    [
        ("NM", "12", "12", None), ("NM", "<0.6", "<0.6", None), ("NM", "1.060", Decimal("1.060"), None), ("NM", "1,060", "1,060", None), ("NM", "5.3^", "5.3", None),
        ("SN", "<^5", "<5", None), ("SN", "^7.1", "7.1", None), ("SN", ">=^100", ">=100", None), ("SN", "=^5", "5", None), ("SN", "^10^-^20", "10-20", None),
        ("SN", "<10.0", "<10.0", None), ("SN", "0.83", "0.83", None), ("ST", "18 ng/mL", "18 ng/mL", None), ("ST", "<^5", "<^5", None), ("TX", "12~12", "12", None),
        ("TX", "12~", "12", None), ("CE", "^<5", "<5", None), ("CWE", "1^positiv", "positiv", None), ("", "12", "12", None), ("ST", "1.060", "1.060", None),
    ],
)  # fmt: skip
def test_values(kind: str, raw: str, value: object, comparator: str | None) -> None:
    result = one(raw, kind, more="||||F")
    assert (result.value, result.comparator) == (value, comparator)


@pytest.mark.parametrize(
    ("kind", "raw", "words"),
    [
        ("SN", "^1^:^128", "ratio or titre"), ("SN", "^2^+", "grade"), ("SN", "<^^-^5", "one number"), ("SN", "<>^5", "not equal"), ("SN", ">^", "no number"),
        ("NM", "60~120", "2 values"), ("NM", "~5", "2 values"), ("NM", "", "empty"), ("ST", "  ", "empty"), ("NM", '""', "no value"), ("TX", "12\\.br\\234", "several lines"),
        ("FT", "12\\.BR\\5", None), ("RP", "http://x^^image", "document"), ("ED", "^application^PDF^Base64^AAAA", "document"), ("DT", "20260105", "date"),
        ("CWE", "LA1-2^^LN", "code without"), ("CX", "12", "identifier"), ("NA", "1^2", "list of numbers"), ("TX", "x" * 10_000, "long text"),
    ],
)  # fmt: skip
def test_what_is_no_number_says_why(kind: str, raw: str, words: str | None) -> None:
    result = one(raw, kind)
    (answer,) = answers(read(message(obx(raw, kind))).panels[0])
    assert isinstance(answer, NotAssessed)
    assert answer.reason == "unreadable_value"
    if words:
        assert words in why(result)
        assert words in answer.message
        assert len(answer.value_text) <= 200


def test_a_ten_in_a_unit_is_no_component() -> None:
    units = {"10^9/L": "10^9/L", "mg/dL^milligram per deciliter^UCUM": "mg/dL", "^mg/dl": "mg/dl", "g/dl^^L": "g/dl", "10\\S\\9/l": "10^9/l",
             "MGDL^mg/dL^L": "mg/dL", "tera.l-1": "tera.l-1", "g/l-1": "g/l-1", "": None, '""': None, "^^L": None, "mL/min/1.73m^2": "mL/min/1.73m^2"}  # fmt: skip
    for raw, expected in units.items():
        assert one("5", unit=raw).unit == (expected or None), raw


def test_a_unit_that_is_said_twice_and_differently_is_not_used() -> None:
    (answer,) = answers(read(message(obx("12", unit="ug/L^mg/L^L"))).panels[0])
    assert isinstance(answer, NotAssessed)
    assert (answer.reason, "two units" in answer.message, answer.value_text) == ("conflicting_code", True, "12")


def test_the_decimal_mark_of_a_sender() -> None:
    """A number that reads two ways is read where the sender's other numbers prove the mark; two marks prove nothing."""
    tsh = {"kind": "ST", "name": "TSH^TSH^L", "unit": "mU/L"}
    point = results(message(obx("2.340", **tsh, more="0.332-4.490||||F")))[0]  # type: ignore[arg-type]
    assert (point.value, point.ref_low, point.ref_high) == (Decimal("2.340"), Decimal("0.332"), Decimal("4.490"))
    comma = results(message(obx("4,5"), obx("1.060", number=2), obx("<1,060", "ST", number=3)))
    assert [(result.value, result.comparator) for result in comma] == [("4,5", None), ("1.060", None), (Decimal("1.060"), "<")]
    both = results(message(obx("4,5"), obx("4.5", number=2), obx("1.060", number=3), obx("1,060", number=4)))
    assert [result.value for result in both] == ["4,5", "4.5", "1.060", "1,060"]
    other = HEAD.replace("|LAB|", "|OTHER|")
    apart = results(message(obx("4,5")) + message(obx("1.060"), head=other))
    assert [result.value for result in apart] == ["4,5", Decimal("1.060")]


def test_values_and_ranges_may_have_marks_of_their_own() -> None:
    """Numbers with a point, as HL7 wants them, beside ranges that were typed with commas: each kind of field is proved by its own kind."""
    german = results(message(
        obx("13.5", name="HB^Hämoglobin^L", unit="g/dl", more="12,0-16,0||||F"),
        obx("2.340", name="TSH^TSH^L", unit="mU/l", more="0,270 - 4,200||||F", number=2),
        obx("1.015", name="SG^Dichte^L", unit="", more="1,010 - 1,030||||F", number=3),
        obx("<0,05", "ST", name="TROP^Troponin^L", unit="ug/l", more="<0,05||||F", number=4),
        obx("1,060", "ST", name="X^X^L", unit="ug/l", more="<0,05||||F", number=5),
    ))  # fmt: skip
    assert [result.value for result in german] == ["13.5", Decimal("2.340"), Decimal("1.015"), "<0,05", Decimal("1.060")]
    assert [(german[n].ref_low, german[n].ref_high) for n in (1, 2)] == [
        (Decimal("0.270"), Decimal("4.200")),
        (Decimal("1.010"), Decimal("1.030")),
    ]
    # where numbers have commas, the points of typed ranges prove nothing for them
    mixed = results(message(obx("4,5", more="3.5-5.1||||F"), obx("1.060", more="0.5-2.0||||F", number=2)))
    assert mixed[1].value == "1.060"
    # where numbers have both marks, the range of the same result settles its number
    both = [
        obx("4,5"),
        obx("4.5", number=2),
        obx("5.200", more="0.270-4.200||||F", number=3),
        obx("5,200", more="0,270 - 4,200||||F", number=4),
    ]
    crossed = [obx("5.200", more="0,270-4,200||||F", number=5), obx("5.200", more="1.270-4.200||||F", number=6)]
    assert [result.value for result in results(message(*both, *crossed))[2:]] == [Decimal("5.200"), Decimal("5.200"), "5.200", "5.200"]


def test_flags() -> None:
    flags = {"H~A": "H", "A^Abnormal^HL70078~L^^": "L", "HH": "HH", "*": "*", "H~L": "H~L", "": None, '""': None, "1": "1", "N": "N"}
    for raw, expected in flags.items():
        assert one("12", more=f"|{raw}|||F").flag == expected
    below = one("4", more="|<|||F")  # table 0078: off the scale of the instrument
    assert (below.value, below.comparator) == ("4", "<")
    assert "off the scale" in read(message(obx("4", more="|<|||F"))).panels[0].notes[0]
    assert one("<4", more="|<|||F").comparator is None


def test_a_sign_for_a_flag_that_may_be_low_or_off_the_scale() -> None:
    """Some laboratories print "<" and ">" for low and high. Outside of its range a number is read so that both meanings hold."""
    low, high, within, edge = (
        {"value": "9", "more": "13-150|<|||F"}, {"value": "160", "more": "13-150|>|||F"}, {"value": "20", "more": "13-150|<|||F"}, {"value": "60", "more": ">60|>|||F"},
    )  # fmt: skip
    assert [one(**case).comparator for case in (low, high, within, edge)] == ["<=", ">=", "<", ">"]
    (note,) = read(message(obx(**low))).panels[0].notes
    assert "off the scale" in note
    assert "below its range" in note
    # a sender that prints letters for low and high does not mean that by a sign
    lettered = results(message(obx(**low), obx("8", more="13-150|L|||F", number=2)))
    assert [result.comparator for result in lettered] == ["<", None]


def test_names_and_codes() -> None:
    named = {
        "2276-4^Ferritin [Mass/volume]^LN": ("Ferritin [Mass/volume]", "2276-4"), "FER^Ferritin^L^2276-4^Ferritin SerPl^LN": ("Ferritin", "2276-4"),
        "2276-4^Ferritin": ("Ferritin", "2276-4"), "2276-5^Ferritin": ("Ferritin", None), "2276-4^Ferritin^L": ("Ferritin", None), "FERR^Ferritin^LN": ("Ferritin", None),
        "FERR": ("FERR", None), "2276-4^^LN": ("", "2276-4"), "FER^^^^Ferritine^L": ("Ferritine", None), "": ("", None),
    }  # fmt: skip
    for raw, expected in named.items():
        result = one("12", name=raw)
        assert (result.test, result.loinc) == expected, raw


# --- status --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["D", "I", "N", "O", "W", "X"])
def test_what_is_no_result_by_its_status(status: str) -> None:
    (answer,) = answers(read(message(obx("12", more=f"13-150||||{status}"))).panels[0])
    assert isinstance(answer, NotAssessed)
    assert (answer.reason, answer.value_text, f"OBX-11 {status}" in answer.message) == ("unreadable_value", "12", True)


@pytest.mark.parametrize(("status", "word"), [("P", "preliminary"), ("R", "not verified"), ("S", "part of")])
def test_what_is_not_final_is_read_and_said(status: str, word: str) -> None:
    (panel,) = read(message(obx("12", more=f"13-150||||{status}"))).panels
    assert word in panel.notes[0]
    assert isinstance(answers(panel)[0], Finding)


def test_a_correction_replaces_the_earlier_result() -> None:
    first, second = message(obx("12")), message(obx("112", more="13-150||||C"), head=HEAD.replace("20260105120000", "20260106120000"))
    for text, places in ((first + second, (0, 1)), (second + first, (1, 0))):  # by the time of the message, wherever it stands
        found = results(text)
        old, new = (found[place] for place in places)
        assert new.value == "112"
        assert why(old) == f"Replaced by a corrected result at message {places[1] + 1}, OBX 1."
        assert isinstance(old.value, Unreadable)
        assert old.value.text == "12"


@pytest.mark.parametrize(
    ("first", "second", "stands"),
    [
        ("F", "C", False), ("P", "F", False), ("F", "F", True), ("F", "P", True), ("F", "D", False), ("F", "W", False), ("F", "X", False), ("C", "C", False),
        ("", "C", False), ("P", "C", False), ("F", "", True),
    ],
)  # fmt: skip
def test_which_status_replaces_which(first: str, second: str, stands: bool) -> None:
    found = results(message(obx("12", more=f"||||{first}")) + message(obx("13", more=f"||||{second}")))
    assert isinstance(found[0].value, Unreadable) is not stands


def test_another_order_part_person_or_test_is_not_replaced() -> None:
    corrected = obx("13", more="||||C")
    for text in (
        message(corrected, obr=OBR.replace("B1", "B2")), message(corrected, pid=PID.replace("4711", "4712")), message(corrected.replace("|FER^", "|FEX^")),
        message(corrected.replace("^L||13", "^L|2|13")), message(corrected, pid=PID.replace("LAB", "XLAB")),
    ):  # fmt: skip
        assert [isinstance(result.value, Unreadable) for result in results(message(obx("12")) + text)] == [False, False]


def test_an_order_that_is_a_correction_as_a_whole() -> None:
    corrected = message(obx("13"), obr=OBR + "|" * 18 + "C")
    assert [isinstance(result.value, Unreadable) for result in results(message(obx("12")) + corrected)] == [True, False]


def test_lines_of_one_text_do_not_correct_each_other() -> None:
    lines = [obx(text, "TX", "C^Kommentar^L", "", "||||C", number) for number, text in enumerate(("first", "second"), 1)]
    assert [result.value for result in results(message(*lines))] == ["first", "second"]


# --- persons, days, specimens --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "sex"), [("F", "female"), ("M", "male"), ("W", "female"), ("V", "female"), ("m", "male"), ("A", None), ("O", None), ("N", None), ("U", None), ("", None), ("2", None)]
)  # fmt: skip
def test_the_sex(letter: str, sex: str | None) -> None:
    (panel,) = read(message(obx("12"), pid=f"PID|1||1||X||19541002|{letter}")).panels
    assert panel.patient.sex == sex
    assert any("PID-8" in note for note in panel.notes) is (letter == "2")


@pytest.mark.parametrize(
    ("raw", "born", "said"),
    [("19541002", date(1954, 10, 2), False), ("195410020815", date(1954, 10, 2), False), ("1954", None, True), ("195410", None, True), ("19540000", None, True),
     ("", None, False), ("00000000", None, False), ("nonsense", None, True), ("1954-10-02", date(1954, 10, 2), False), ('""', None, False)],
)  # fmt: skip
def test_the_birth_date(raw: str, born: date | None, said: bool) -> None:
    (panel,) = read(message(obx("12"), pid=f"PID|1||1||X||{raw}|F")).panels
    assert (panel.patient.birth_date, any("PID-7" in note for note in panel.notes)) == (born, said)


def test_persons_of_one_file_stay_apart() -> None:
    other = PID.replace("4711", "4712").replace("|F", "|M")
    source = read(message(obx("12")) + message(obx("13"), pid=other) + message(obx("14")))
    assert [(panel.patient.id, panel.rows) for panel in source.panels] == [("4711", [1, 3]), ("4712", [2])]
    two = read(message(obx("12"), other, OBR, obx("13"))).panels  # two groups of one message
    assert [(panel.patient.id, panel.patient.sex, panel.rows) for panel in two] == [("4711", "female", [1]), ("4712", "male", [2])]


def test_persons_without_a_number_and_numbers_of_two_laboratories_stay_apart() -> None:
    nameless = PID.replace("4711^^^LAB", "")
    assert len(read(message(obx("12"), pid=nameless) * 2).panels) == 2
    assert read(message(obx("12"), pid=nameless)).panels[0].patient.id is None
    assert len(read(message(obx("12")) + message(obx("13"), pid=PID.replace("LAB", "OTHER"))).panels) == 2
    bare = PID.replace("^^^LAB", "")
    assert len(read(message(obx("12"), pid=bare) + message(obx("13"), pid=bare, head=HEAD.replace("|LAB|", "|OTHER|"))).panels) == 2
    assert read(message(obx("12"), pid="PID|1|77|||X||19541002|F")).panels[0].patient.id == "77"


def test_a_contradicted_sex_is_said() -> None:
    source = read(message(obx("12")) + message(obx("13"), pid=PID.replace("|F", "|M")))
    assert len(source.panels) == 2
    assert "contradict" in source.panels[0].notes[0]


def test_the_day_of_sampling() -> None:
    own = "13-150||||F|||20260103"
    spm = "SPM|1|||SER^Serum^HL70487|||||||||||||20260102080000^20260102081500"
    empty = "OBR|1|A1|B1|CH^Chemie"
    for text, day in (
        (message(obx("12", more=own)), date(2026, 1, 3)), (message(obx("12")), date(2026, 1, 5)), (message(obx("12"), spm, obr=empty), date(2026, 1, 2)),
        (message(obx("12"), obr=empty), None), (message(obx("12"), obr=OBR.replace("20260105081500", "2026")), None),
    ):  # fmt: skip
        assert results(text)[0].collected_at == day
    assert "day of sampling" in read(message(obx("12"), obr=OBR.replace("20260105081500", "2026"))).panels[0].notes[0]


def test_the_specimen() -> None:
    oul = HEAD.replace("ORU^R01", "OUL^R22")
    ser, uri = "SPM|1|||SER^Serum^HL70487", "SPM|1|||UR^Urine^HL70487"
    second = OBR.replace("OBR|1", "OBR|2")
    assert [r.specimen for r in results(message(obx("1"), ser, second, obx("2"), uri))] == ["Serum", "Urine"]  # behind the order
    assert [r.specimen for r in results("\r".join([oul, PID, ser, OBR, obx("1"), uri, OBR, obx("2")]) + "\r")] == [
        "Serum",
        "Urine",
    ]  # before it
    for raw, words in {"SER": "SER", "119364003&Serum&SCT": "Serum", "03^Serum Gel": "Serum Gel", "01^Plasma": "Plasma", "uri&Urin^^^Mittelstrahl": "Urin",
                       "": None, "&^^^": None, "Tupfer": "Tupfer", "ASERU^Serum^^FUR^^^^^Blood": "Serum"}.items():  # fmt: skip
        assert results(message(obx("1"), obr=f"{OBR}||||||||{raw}"))[0].specimen == words, raw


def test_a_panel_of_urine_is_not_read_as_blood() -> None:
    """A laboratory sends "Magnesium" in mmol/l under the title "Urin"."""
    for obr in (OBR.replace("CH^Chemie", "42^Urin^MOLIS"), OBR.replace("CH^Chemie", "S^Sammelurin")):
        (answer,) = answers(read(message(obx("7.2", name="MGU^Magnesium^L", unit="mmol/l"), obr=obr)).panels[0])
        assert isinstance(answer, NotAssessed)
        assert answer.reason == "wrong_specimen"
    title, kidney = obx("", "TX", "U^URINSTATUS^L", "", ""), obx("5", name="H^Harnstoff^L", unit="mmol/l")
    found = results(message(kidney, title, obx("7.2"), obx("", "TX", "S^Serologie^L", "", ""), obx("8")))
    assert [result.specimen for result in found] == [None, "urine", "urine", None, None]


def test_pregnancy_where_a_code_makes_it_certain() -> None:
    def patient(*segments: str) -> tuple[bool | None, list[str]]:
        (panel,) = read(message(obx("12"), *segments)).panels
        return panel.patient.pregnant, sorted(panel.patient.contexts)

    status = "OBX|2|CWE|82810-3^Pregnancy status^LN||{}||||||F"
    assert patient(status.format("LA15173-0^Pregnant^LN")) == (True, [])
    assert patient(status.format("60001007^Not pregnant^SCT")) == (False, [])
    assert patient(status.format("LA4489-6^Unknown^LN")) == (None, [])
    assert patient("OBX|2|NM|18185-9^Gestational age^LN||30|wk|||||F") == (True, ["trimester_3"])
    assert patient("OBX|2|NM|18185-9^Gestational age^LN||30||||||F") == (None, [])
    assert patient("OBX|2|DT|11778-8^Delivery date Estimated^LN||20260601||||||F") == (True, [])
    assert patient("OBX|2|DT|11778-8^Delivery date Estimated^LN||20250601||||||F") == (None, [])
    assert patient("OBX|2|CWE|PREG^Pregnancy status^L||LA15173-0^Pregnant^LN||||||F") == (None, [])


def test_comments_are_kept_and_never_joined_to_a_number() -> None:
    (panel,) = read(message("NTE|1||of the order", obx("12"), "NTE|1|L|5 \\T\\ 6~seven", "NTE|2||eight", obx("13", number=2))).panels
    assert panel.notes == ["Row 1: the laboratory remarks: of the order 5 & 6 seven eight"]
    assert [result.value for result in panel.results] == ["12", "13"]
    lines = [obx("12", "TX", number=1), obx("34", "TX", number=2)]
    assert [result.value for result in results(message(*lines))] == ["12", "34"]


# --- files ---------------------------------------------------------------------------------------------------


def test_batches() -> None:
    inner = message(obx("12")) * 2
    source = read(f"FHS|^~\\&|LIS\rBHS|^~\\&|LIS\r{inner}BTS|2\rFTS|1\r")
    assert (len(source.panels[0].results), source.notes) == (2, ())
    assert "2 in BTS" not in " ".join(source.notes)
    assert "another number" in read(f"BHS|^~\\&\r{inner}BTS|3\r").notes[0]
    assert "no BTS" in read(f"BHS|^~\\&\r{inner}").notes[0]
    assert "no FTS" in read(f"FHS|^~\\&\r{inner}").notes[0]
    assert "not closed" in read(f"\x0b{inner}").notes[0]


def test_messages_without_results_and_lines_without_messages_are_counted() -> None:
    adt = "MSH|^~\\&|A|B|||20260101||ADT^A01|2|P|2.5\rPID|1||1\rNTE|1||x\r"
    source = read(message(obx("12")) + adt)
    assert source.notes == (
        "1 message holds no result (OBX): message 2 (ADT^A01).",
        "Comments (NTE) that belong to no result were passed over: 1.",
    )
    outside = read(f"--- {CANARY} ---\rPID|1||9\r{message(obx('12'))}")
    assert [panel.patient.id for panel in outside.panels] == ["4711"]
    assert "2 lines stand outside" in outside.notes[0]
    assert CANARY not in outside.notes[0]


def test_any_type_of_message_with_results() -> None:
    for kind in ("ORU^R30", "ORU^W01", "MDM^T02", "OUL^R22", "ORU^R01^ORU_R01", ""):
        assert results(message(obx("12"), head=HEAD.replace("ORU^R01", kind)))[0].value == "12"


def test_a_break_inside_a_field_does_not_move_the_fields_behind_it() -> None:
    source = read(message("OBX|1|TX|FER^Ferritin^L||12\n345|ug/L|13-150||||F", end="\r"))
    result = source.panels[0].results[0]
    assert (why(result).split(";")[0], result.unit, result.ref_text) == ("The value is a text of several lines", "ug/L", "13-150")
    assert "do not begin with the name of a segment" in source.notes[0]


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_file_that_stops_half_way(cut: int) -> None:
    """A number that may have lost its last digits is never read; what stands before it is."""
    whole = message(obx("12"), obx("138", more="13-150|N|||F", number=2)).rstrip("\r")
    found = read(whole[:-cut]).panels[0].results
    assert found[0].value == "12"
    if len(found) > 1 and len(whole[:-cut].split("\r")[-1].split("|")) <= 6:
        assert isinstance(found[1].value, Unreadable)
    if len(found) > 1 and not isinstance(found[1].value, Unreadable):
        assert found[1].value == "138"
        assert found[1].unit == "ug/L"
        assert found[1].ref_text == "13-150"


def test_the_end_of_a_file_is_said_where_it_breaks_off() -> None:
    source = read(message(obx("12"), obx("138", number=2))[:-25])
    assert why(source.panels[0].results[1]) == "The file ends in this result, without a line end: its value, unit or status may be cut."
    assert source.notes == (
        "The file ends in message 1, OBX 2, without a line end: it may break off there. What stands before it was read.",
    )
    assert results(message(obx("12")).rstrip("\r"))[0].value == "12"  # whole, only without a line end


# --- hostile -------------------------------------------------------------------------------------------------


HOSTILE = {
    "one field of ten megabytes": message(obx("9" * 10_000_000)).encode(),
    "a name of a megabyte": message(obx("12", name="x" * 1_000_000)).encode(),
    "a million separators": message(obx("12", more="|" * 1_000_000)).encode(),
    "a million components": message(obx("^" * 1_000_000, "SN")).encode(),
    "a million repeats": message(obx("1~" * 500_000)).encode(),
    "NUL": message(obx("1\0002")).encode(),
    "escapes that never end": message(obx("\\X" * 200_000, "TX")).encode(),
    "escapes of any length": message(obx("\\.sp999999999\\\\.in+9999\\" * 1000, "TX")).encode(),
    "separators that are all the same": message(obx("12"), head="MSH|||||LIS").encode() + message(obx("12"), head="MSH^^^^^LIS").encode(),
    "no separators": b"MSH|\rPID|1\rOBX|1|NM|X||5\r",
    "bytes": bytes(range(256)) * 100 + b"\r" + message(obx("12")).encode(),
    "ids that stand twice": message(obx("12"), obx("13")).encode() * 3,
    "a frame inside a frame": b"\x0b\x0b" + message(obx("12")).encode() + b"\x1c\x1c\r",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_read_or_refused_in_bounded_time(name: str) -> None:
    began = time.process_time()
    source = read(HOSTILE[name])
    for panel in source.panels:
        found = answers(panel)
        assert len(found) == len(panel.results)
    assert time.process_time() - began < 20


def test_what_is_no_message_is_refused() -> None:
    for data in (b"", b"hello", b"PID|1\rOBX|1|NM|X||5\r", b"MSH", b"MSHXabc", b"\x0b\x1c\r"):
        with pytest.raises(InputError, match="no HL7 v2 message"):
            read(data)


# --- speed, and the other parser -----------------------------------------------------------------------------


def test_two_thousand_messages() -> None:
    text = "".join(message(*(obx("12", number=n) for n in range(1, 6)), pid=PID.replace("4711", str(n))) for n in range(2_000))
    source = read(text)
    assert len(source.panels) == 2_000
    assert sum(len(panel.results) for panel in source.panels) == 10_000


def test_fields_are_those_of_another_parser() -> None:
    """python-hl7 splits the same messages into the same fields."""
    text = message(obx("12", unit="ug/L^x^UCUM", more="13-150|A~L|||F"), "NTE|1|L|a & b", "SPM|1|||SER&x^Serum")
    theirs = hl7.parse(text)
    (ours,), _ = read_messages(text.encode())
    assert [segment.name for segment in ours.segments] == [str(segment[0]) for segment in theirs]
    for mine, other in zip(ours.segments, theirs, strict=True):
        assert mine.fields == [str(field) for field in other]
    for raw in ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "\\X41\\", "plain"):
        assert plain(raw, Marks()) == theirs.unescape(raw)


# --- real messages -------------------------------------------------------------------------------------------


@needs_shared
def test_the_messages_of_the_converter() -> None:
    found = {path.name: readers.read_file(path) for path in sorted(SHARED.glob("*.hl7"))}
    assert {name: sum(len(panel.results) for panel in source.panels) for name, source in found.items()} == {
        "LRI_2.0-NG_CBC_Typ_Message.hl7": 28, "LAB-ORU-1.hl7": 10, "LAB-ORU-2.hl7": 10, "ORU-R01-01.hl7": 5, "OUL-R22-01.hl7": 7,
    }  # fmt: skip
    assert all(source.notes == () for source in found.values())
    (nist,) = found["LRI_2.0-NG_CBC_Typ_Message.hl7"].panels
    by_row = {answer.row: answer for answer in answers(nist)}
    blood, cell = by_row[2], by_row[6]
    assert isinstance(blood, NotAssessed)  # 12.5 g/mL
    assert (blood.reason, blood.analyte) == ("implausible", "hemoglobin")
    assert isinstance(cell, Finding)
    assert cell.reported is not None
    assert (cell.analyte, cell.value, cell.reported.code, cell.reported.flag) == ("mcv", 91, "N", "N")
    assert (nist.results[1].unit, nist.results[1].ref_text, nist.results[1].flag) == ("g/mL", "13 to 18", "L")
    assert {result.specimen for result in nist.results} == {"BLD"}
    first = {result.loinc: result for panel in found["LAB-ORU-1.hl7"].panels for result in panel.results}
    assert (first["11273-0"].unit, "OBX-11 I" in why(first["20509-6"])) == ("tera.l-1", True)
    second = [answer for panel in found["LAB-ORU-2.hl7"].panels for answer in answers(panel) if answer.analyte == "hemoglobin"]
    assert [(answer.reason, answer.unit_text) for answer in second if isinstance(answer, NotAssessed)] == [("unknown_unit", "g/l-1")]
    rest = [result for name in ("ORU-R01-01.hl7", "OUL-R22-01.hl7") for panel in found[name].panels for result in panel.results]
    said = Counter(why(result) for result in rest if isinstance(result.value, Unreadable))
    assert said["OBX-5 holds 2 values where one number is needed."] == 2
    assert sum(count for text, count in said.items() if "document or picture" in text) == 7  # an eighth describes an order


# --- annotated messages -------------------------------------------------------------------------------------


def answered(source: Source) -> bytes:
    return hl7v2.annotated(source, [interpret(panel.results, panel.patient, rows=panel.rows) for panel in source.panels])


def lines(data: bytes) -> list[str]:
    return re.split(r"[\r\n]+", data.decode())


def test_what_is_added() -> None:
    source = read(
        message(
            obx("12", more="||||F"), "NTE|1|L|of the laboratory", obx("12", number=2, more="13-150|N|||F"), obx("folgt", "ST", number=3)
        )
    )
    out = lines(answered(source))
    version = Catalog.default().version
    assert out[3] == "OBX|1|NM|FER^Ferritin^L||12|ug/L|15-150|L|||F"
    assert out[4] == "NTE|1|L|of the laboratory"
    assert out[5] == (
        f"NTE|2|O|labinterp: Ferritin 12 ug/L: iron deficiency (band deficient, code L), by limits of who (ferritin/who-2020), catalog {version}. "
        "OBX-7 and OBX-8 added by labinterp.|li78^labinterp^99LABINTERP"
    )
    assert out[6].startswith("NTE|3|O|labinterp ")  # once in a message: what this is not
    assert "clinician" in out[6]
    assert out[7] == "OBX|2|NM|FER^Ferritin^L||12|ug/L|13-150|N|||F"  # the laboratory's own range and flag, right or wrong
    assert out[8].endswith(f"catalog {version}.|li^labinterp^99LABINTERP")
    assert (
        out[10]
        == f"NTE|1|O|labinterp: not assessed (unreadable_value): The result was not ready. Catalog {version}.|li^labinterp^99LABINTERP"
    )


def test_a_short_obx_gets_the_fields_it_lacks() -> None:
    out = lines(answered(read(message("OBX|1|NM|Ferritin||12|ug/L"))))
    assert out[3] == "OBX|1|NM|Ferritin||12|ug/L|15-150|L"
    assert out[4].endswith("|li78+2^labinterp^99LABINTERP")


def test_codes_of_the_version_of_the_message() -> None:
    """Severe is no code of table 0078, and "indeterminate" came with version 2.7."""
    b12 = obx("200", name="B12^Vitamin B12^L", unit="pmol/L", more="||||F")
    severe = obx("20", name="D^25-OH-Vitamin D^L", unit="nmol/L", more="||||F", number=2)
    for version, code in (("2.5", ""), ("2.8", "IND")):
        out = lines(answered(read(message(b12, severe, head=HEAD.replace("2.5", version)))))
        flags = [line.split("|")[8] for line in out if line.startswith("OBX")]
        assert flags == [code, "L"]
        assert sum("code LU)" in line for line in out if line.startswith("NTE")) == 1


ODD = {
    "carriage returns": message(obx("12")).encode(), "new lines": message(obx("12"), end="\n").encode(), "both": message(obx("12"), end="\r\n").encode(),
    "no end": message(obx("12")).rstrip("\r").encode(), "framed": b"\x0b" + message(obx("12")).encode() + b"\x1c\r", "frame without an end": b"\x0b" + message(obx("12")).rstrip("\r").encode() + b"\x1c\r",
    "batch": f"FHS|^~\\&\rBHS|^~\\&\r{message(obx('12')) * 2}BTS|2\rFTS|1\r".encode(), "mark": b"\xef\xbb\xbf" + message(obx("12")).encode(),
    "Latin-1": message(obx("12", name="F^Größe^L", unit="µg/L")).encode("latin-1"), "empty lines": message(obx("12")).replace("\r", "\r\r\n").encode(),
    "segments around": message(obx("12"), "PRT|1|AD", "NTE|1||x", "ZXX|1|NTE", obx("13", number=2), "SPM|1|||SER").encode(), "short": message("OBX|1|NM|Ferritin||12|ug/L").encode(),
    "broken line": message("OBX|1|TX|Ferritin||12\n13|ug/L").encode(), "other separators": message(obx("12")).replace("|^~\\&", "\0").translate(str.maketrans("|^~", "#*+")).replace("\0", "#*+!:").encode(),
    "nothing": message().encode(), "indented": message(obx("12")).replace("\r", "\r  ").encode(), "no range": message(obx("12", more="||||F")).encode(), "two": (message(obx("12")) + message(obx("12", "ST"))).encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_without_what_was_added_the_messages_are_as_they_came(name: str) -> None:
    data = ODD[name]
    source = read(data)
    out = answered(source)
    assert stripped(out) == data
    assert (out == data) is (name == "nothing")
    again = read(out)
    assert [panel._replace(rows=[]) for panel in again.panels] == [
        panel._replace(rows=[]) for panel in source.panels
    ]  # ours is not the laboratory's
    assert answered(again) == out


@needs_shared
@pytest.mark.parametrize("path", sorted(SHARED.glob("*.hl7")), ids=lambda path: path.name)
def test_real_messages_are_given_back_as_they_came(path: Path) -> None:
    data = path.read_bytes()
    out = answered(readers.read_file(path))
    assert stripped(out) == data
    kept = [segment for message in hl7.parse_file("FHS|^~\\&\r" + out.decode("utf-8-sig").replace("\n", "\r"))[0] for segment in message]
    assert sum(str(segment[0]) == "OBX" for segment in kept) == data.count(b"OBX|")


def test_other_sources_and_several_files_are_refused(tmp_path: Path) -> None:
    rows = readers.read_bytes(b"test,value,unit\nferritin,12,ug/L\n")
    with pytest.raises(InputError, match="came as HL7 v2, and this is csv"):
        answered(rows)
    paths = [tmp_path / "a.hl7", tmp_path / "b.hl7"]
    for path in paths:
        path.write_text(message(obx("12")), "utf-8", newline="")
    with pytest.raises(InputError, match="one by one"):
        answered(readers.read_files(paths))
    with pytest.raises(InputError, match="UTF-16"):
        answered(read(message(obx("12")).encode("utf-16")))


def test_the_command_line_annotates(cli: Any, tmp_path: Path) -> None:
    path, out, table = tmp_path / "in.hl7", tmp_path / "out.hl7", tmp_path / "in.csv"
    path.write_bytes(message(obx("12", more="||||F")).encode())
    assert cli("interpret", str(path), "-o", str(out)).code == 0  # the ending says it
    assert b"|15-150|L|" in out.read_bytes()
    assert stripped(out.read_bytes()) == path.read_bytes()
    shown = cli("interpret", str(path)).out
    assert "Ferritin" in shown
    table.write_text("test,value,unit\nferritin,12,ug/L\n", "utf-8")
    refused = cli("interpret", str(table), "--to", "hl7v2")
    assert (refused.code, "came as HL7 v2, and this is csv" in " ".join(refused.err.split())) == (1, True)


def test_read_takes_text_bytes_and_a_path(tmp_path: Path) -> None:
    path = tmp_path / "in.hl7"
    path.write_bytes(message(obx("12")).encode())
    for data in (message(obx("12")), message(obx("12")).encode(), path):
        assert hl7v2.read(data).panels[0].results[0].value == "12"


# --- fuzz ----------------------------------------------------------------------------------------------------

_WORD = st.text(st.sampled_from("aä09.,<>=-+^~\\&|#\"'µ %/ST\x00\x0b\x1c\u2028"), max_size=12)
_FIELD = st.one_of(
    _WORD,
    st.sampled_from(
        ["12", "<^5", "60~120", '""', "ug/L^x^UCUM", "\\.br\\", "20260105", "C", "D", "13-150", "H~A", "2276-4^Ferritin^LN", CANARY]
    ),
)
_SEGMENT = st.builds(
    lambda name, fields: "|".join([name, *fields]),
    st.sampled_from(["PID", "OBR", "OBX", "NTE", "SPM", "ORC", "ZZZ", "BHS", "BTS", "obx", "MSH|^~\\&", "MSH", ""]), st.lists(_FIELD, max_size=16),
)  # fmt: skip
_MESSAGE = st.lists(_SEGMENT, max_size=12).flatmap(
    lambda lines: st.sampled_from(["\r", "\n", "\r\n"]).map(lambda end: end.join([HEAD, PID, *lines]))
)


def check(data: bytes) -> None:
    """Nothing but a clear refusal may be raised, every result gets an answer, and no text of the file is told."""
    source = read(b"MSH|^~\\&|\r" + data)
    with suppress(InputError):
        read(data)
    rows = [row for panel in source.panels for row in panel.rows]
    assert sorted(rows) == list(range(1, len(rows) + 1))
    assert CANARY not in "".join(source.notes)
    for panel in source.panels:
        found = answers(panel)
        assert [answer.row for answer in found] == panel.rows
    if source.original.plain:
        assert stripped(answered(source)) == source.original.data


@settings(max_examples=150, derandomize=True, deadline=None)
@given(text=_MESSAGE, encoding=st.sampled_from(["utf-8", "utf-16", "latin-1"]))
def test_any_message_is_read(text: str, encoding: str) -> None:
    data = text.encode(encoding, "replace")
    check(data)


def test_changed_bytes_are_read(caplog: pytest.LogCaptureFixture) -> None:
    """Samples with bytes changed, cut and doubled; for as long as LABINTERP_FUZZ_SECONDS says."""
    caplog.set_level(logging.DEBUG)
    samples = [
        message(obx(f"12 {CANARY}", "ST", name=f"X^{CANARY}^L"), obx("<^5", "SN", number=2), f"NTE|1||{CANARY}", "SPM|1|||UR^Urine", pid=PID.replace("Anna", CANARY)).encode(),
        ("BHS|^~\\&\r" + message(obx("12")) * 2 + "BTS|2\r").encode(), message(obx("1,5", unit="µg/L"), end="\n").encode("latin-1"),
        *(path.read_bytes() for path in sorted(SHARED.glob("*.hl7"))),
    ]  # fmt: skip
    chance = random.Random(7)
    seconds = float(os.environ.get("LABINTERP_FUZZ_SECONDS", "0"))
    began, count = time.monotonic(), 0
    while count < 150 or time.monotonic() - began < seconds:
        data = bytearray(chance.choice(samples))
        for _ in range(chance.randint(1, 12)):
            at = chance.randrange(len(data) or 1)
            kind = chance.randrange(4)
            if kind == 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            elif kind == 1:
                del data[at : at + chance.randrange(40)]
            elif kind == 2:
                data[at:at] = data[max(0, at - chance.randrange(60)) : at]
            else:
                data[at:at] = chance.choice(
                    [b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b"\x0b", b"\x1c", b"MSH|^~\\&|", b"OBX|", b"\xff", b"\0"]
                )
        check(bytes(data))  # seed 7: a failure is found again
        count += 1
    assert CANARY not in caplog.text
