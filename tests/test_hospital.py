"""Exports of hospital laboratories: their columns are found, their flags follow from their printed ranges, every refusal says why.

The exports are look-alikes that are made here (`hospital.py`), in the published shapes of MIMIC, eICU, Epic, Cerner, Synthea and of
laboratory systems in five languages; the flags come from the numbers the ranges are made of.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

import pytest

from hospital import FORMS, Printed, results
from labinterp import Finding, LabResult, NotAssessed, Patient, assess, interpret, readers
from labinterp._flag_words import agrees, flag_code
from labinterp.errors import InputError

ANNE = Patient(sex="female", age_years=45, pregnant=False)


def answers(text: str, **how: str) -> dict[int, Finding | NotAssessed]:
    source = readers.read_bytes(text.encode(), name="export.csv", columns=how)
    return {one.row: one for panel in source.panels for one in interpret(panel.results, panel.patient, rows=panel.rows).rows()}


def said(one: Finding | NotAssessed) -> str | None:
    return one.reported.code if one.reported else None


# --- the laboratory's range and flag ---------------------------------------------------------------------------


def asked(one: Printed) -> LabResult:
    return LabResult(
        one.test.name, one.sign + one.value, one.test.unit or None, ref_low=one.low or None, ref_high=one.high or None, ref_text=one.text or None
    )  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_flag_follows_from_the_printed_range(form: str) -> None:
    """Of tests that are in the catalog and of such as are not; where the range says nothing, neither do we."""
    for one in results(len(form), 250, (form,)):
        found = assess(asked(one), ANNE)
        assert (said(found) or "") == one.code, (one, found.reported)


def test_a_test_is_found_where_it_is_in_the_catalog_and_only_there() -> None:
    reasons: Counter[str] = Counter()
    for one in results(3, 1500):
        found = assess(asked(one), ANNE)
        assert (found.analyte or "") == one.test.analyte
        if isinstance(found, NotAssessed):
            reasons[found.reason] += 1
    assert set(reasons) == {"unknown_analyte", "authority_gives_no_limit", "implausible"}  # creatinine and lipids have no line of their own
    assert reasons["implausible"] == 4  # an alkaline phosphatase of 3 U/L, triglycerides of 1 mg/dL


BESIDE: dict[str, tuple[LabResult, str | None, float | None, float | None]] = {
    "an unknown test": (LabResult("Zonulin", "78", "ng/ml", ref_text="<30"), "H", None, 30),
    "an unknown unit, the same in the range": (LabResult("Zonulin", "5,2", "Xyz", ref_text="3,0 - 5,0 Xyz"), "H", 3, 5),
    "another unit in the range": (LabResult("Zonulin", "5.2", "ng/mL", ref_text="3 - 5 mg/L"), None, None, None),
    "a note in place of a unit, on both sides": (LabResult("Chol/HDLC ratio", "5.2", "(calc)", ref_text="<5.0 (calc)"), "H", None, 5),
    "a unit in the range only": (LabResult("Zonulin", "5.2", None, ref_text="3 - 5 mg/L"), None, None, None),
    "the unit behind the number": (LabResult("Sodium", "130 mmol/L", None, ref_text="135 - 145 mmol/l"), "L", 135, 145),
    "two units": (LabResult("Sodium", "130 mmol/L", "mg/dL", ref_text="135 - 145"), None, 135, 145),
    "a known test without a unit": (LabResult("Ferritin", "5", None, ref_low="10", ref_high="30"), "L", 10, 30),
    "a word": (LabResult("HBsAg", "neg", None, ref_text="0 - 1", flag="N"), None, 0, 1),
    "a note behind the number": (LabResult("Zonulin", "5 see comment", "ng/mL", ref_text="1 - 2"), None, 1, 2),
    "a sign in a column of its own": (LabResult("Glucose", "1000", "mg/dL", comparator=">", ref_text="70 - 105"), "H", 70, 105),
    "below what may be below zero": (LabResult("Base excess", "<2", "mmol/L", ref_text="-2 - 3"), None, -2, 3),
    "two ways, the same answer": (LabResult("Specific gravity", "1.015", None, ref_text="1.001 - 1.035"), "N", None, None),
    "two ways, two answers": (LabResult("D-dimer", "1,060", "ng/mL", ref_text="0 - 500"), None, 0, 500),
    "over what is over the limit": (LabResult("Clearance", ">60", "mL/min", ref_text=">60"), "N", 60, None),
}  # fmt: skip


@pytest.mark.parametrize("case", BESIDE)
def test_what_a_laboratory_says_of_a_result_without_an_answer(case: str) -> None:
    result, code, low, high = BESIDE[case]
    found = assess(result)
    assert isinstance(found, NotAssessed)
    shown = found.to_dict()["reported"]
    assert (shown["code"], shown["low"], shown["high"]) == (code, low, high)


def test_a_result_without_a_printed_range_says_nothing_of_one() -> None:
    found = assess(LabResult("Zonulin", "78", "ng/ml"))
    assert isinstance(found, NotAssessed)
    assert found.reported is None
    assert "reported" not in found.to_dict()


def test_a_filtration_rate_over_60_lies_in_the_range_over_60() -> None:
    found = assess(LabResult("eGFR", ">60", "mL/min/1.73m2", ref_text=">60"), ANNE)
    assert found.reported is not None
    assert found.reported.code == "N"


def test_a_missing_fact_of_the_person_leaves_the_laboratory_its_word() -> None:
    found = assess(LabResult("Hemoglobin", "113", "g/L", ref_text="117-155", flag="L"), Patient(sex="female", age_years=30))
    assert isinstance(found, NotAssessed)
    assert (found.reason, said(found)) == ("pregnancy_unknown", "L")


# --- shapes of exports --------------------------------------------------------------------------------------------


class Shape:
    """Column names of an export, with the roles they have, and how it flags."""

    def __init__(self, names: Mapping[str, str], flags: Mapping[str, str], delimiter: str = ",", comma: bool = False) -> None:
        self.names, self.flags, self.delimiter, self.comma = names, flags, delimiter, comma

    def text(self, rows: list[Printed]) -> str:
        out = io.StringIO()
        writer = csv.DictWriter(out, [*self.names.values(), "sex", "age"], delimiter=self.delimiter, lineterminator="\n")
        writer.writeheader()
        for one in rows:
            low, high = (one.low or one.test.low, one.high or one.test.high) if "ref_text" not in self.names else (one.low, one.high)
            text = one.text or (f"{one.low} - {one.high}" if one.low and "ref_low" not in self.names else "")
            cells = {
                "patient": "17", "test": one.test.name, "value": one.sign + one.value, "number": one.value, "unit": one.test.unit,
                "ref_low": low, "ref_high": high, "ref_text": text, "flag": self.flags[one.code or "N"],
            }  # fmt: skip
            if self.comma:
                cells |= {name: cells[name].replace(".", ",") for name in ("value", "ref_low", "ref_high", "ref_text")}
            writer.writerow({"sex": "F", "age": "45", **{name: cells.get(role, "") for role, name in self.names.items()}})
        return out.getvalue()


_LETTERS = {"L": "L", "N": "", "H": "H"}
_ABNORMAL = {"L": "abnormal", "N": "", "H": "abnormal"}
_STAR = {"L": "*", "N": "", "H": "*"}
_ENDS = ("two columns",)
SHAPES: dict[str, tuple[Shape, tuple[str, ...]]] = {
    "MIMIC-IV": (
        Shape(
            {"patient": "subject_id", "h": "hadm_id", "s": "specimen_id", "i": "itemid", "test": "label", "fluid": "fluid", "c": "category",
             "t": "charttime", "st": "storetime", "value": "value", "number": "valuenum", "unit": "valueuom", "ref_low": "ref_range_lower",
             "ref_high": "ref_range_upper", "flag": "flag", "p": "priority", "comment": "comments"},
            _ABNORMAL,
        ),
        _ENDS,
    ),
    "Epic": (
        Shape(
            {"patient": "PAT_ID", "test": "COMPONENT_NAME", "value": "ORD_VALUE", "number": "ORD_NUM_VALUE", "ref_low": "REFERENCE_LOW",
             "ref_high": "REFERENCE_HIGH", "unit": "REFERENCE_UNIT", "flag": "RESULT_FLAG_C", "t": "RESULT_TIME"},
            {"L": "Low", "N": "(NONE)", "H": "High"},
        ),
        _ENDS,
    ),
    "Cerner": (
        Shape(
            {"patient": "PERSON_ID", "test": "EVENT_DISPLAY", "value": "RESULT_VAL", "unit": "RESULT_UNITS", "ref_low": "NORMAL_LOW",
             "ref_high": "NORMAL_HIGH", "flag": "NORMALCY"},
            {"L": "LOW", "N": "NORMAL", "H": "HIGH"}, "\t",
        ),
        _ENDS,
    ),
    "German": (
        Shape({"test": "Parameter", "value": "Ergebnis", "unit": "Einheit", "ref_text": "Referenzbereich", "flag": "Flag"},
              {"L": "-", "N": "", "H": "+"}, ";", True),
        ("dash", "dash and spaces", "en dash", "less", "sign", "bis", "more", "at least", "none"),
    ),
    "German, arrows": (
        Shape({"test": "Untersuchung", "value": "Messwert", "unit": "Einheit", "ref_text": "Normwert", "flag": "Bewertung"},
              {"L": "↓", "N": "", "H": "↑↑"}, "\t", True),
        ("dash", "less", "brackets"),
    ),
    "French": (
        Shape({"test": "Analyse", "value": "Résultat", "unit": "Unité", "ref_text": "Valeurs de référence", "flag": "Anomalie"}, _STAR, ";", True),
        ("dash", "parentheses", "less, space"),
    ),
    "Dutch": (
        Shape({"test": "Bepaling", "value": "Uitslag", "unit": "Eenheid", "ref_text": "Referentiewaarden", "flag": "Vlag"}, _LETTERS, ";", True),
        ("dash and spaces", "less", "more"),
    ),
    "Italian": (
        Shape({"test": "Esame", "value": "Risultato", "unit": "U.M.", "ref_text": "Valori di riferimento", "flag": "Flag"}, _STAR, ";", True),
        ("dash", "less"),
    ),
    "Spanish": (
        Shape({"test": "Determinación", "value": "Resultado", "unit": "Unidades", "ref_text": "Intervalo de referencia", "flag": "Alarma"}, _STAR, ";", True),
        ("dash", "brackets"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_an_export_is_read_and_its_flags_are_those_of_its_laboratory(name: str) -> None:
    shape, forms = SHAPES[name]
    rows = [one for one in results(len(name), 300, forms) if not (one.sign and "ref_text" not in shape.names)]
    found = answers(shape.text(rows))
    assert len(found) == len(rows)
    for number, one in enumerate(rows, 1):
        answer = found[number]
        assert (said(answer) or "") == one.code, (one, answer.reported)
        printed = answer.reported.flag if answer.reported else None
        assert agrees(flag_code(printed), one.code or None)
        assert (answer.analyte or "") == one.test.analyte
        if isinstance(answer, Finding):
            assert answer.value == Decimal(one.value)


MIMIC = "subject_id,label,fluid,charttime,value,valuenum,valueuom,ref_range_lower,ref_range_upper,flag,comments,sex,age\n"
VALUES: dict[str, tuple[str, str, str, str, str | None]] = {
    # value, valuenum -> reason or code, value as read, what the laboratory's range of 13 to 150 says
    "the same": ("8.0", "8", "L", "8.0", "L"),
    "a sign before the number": (">200", "200", "H", ">200", "H"),
    "in words": ("GREATER THAN 200", "200", "H", "GREATER THAN 200", "H"),
    "nothing but the number": ("", "8", "L", "8", "L"),
    "nothing but the text": ("8.0", "", "L", "8.0", "L"),
    "no number made of the text": ("8.0", "9999999", "L", "8.0", "L"),
    "two numbers": ("8.0", "80", "unreadable_value", "8.0", None),
    "a text that is hidden": ("___", "8", "unreadable_value", "___", None),
    "a word": ("SEE COMMENT", "9999999", "unreadable_value", "SEE COMMENT", None),
    "thousands": ("1,060", "1060", "H", "1060", "H"),
    "three decimals": ("1.060", "1.06", "L", "1.060", "L"),
    "neither": ("", "", "unreadable_value", "", None),
}


@pytest.mark.parametrize("case", VALUES)
def test_the_text_and_the_number_made_of_it(case: str) -> None:
    value, number, expected, shown, code = VALUES[case]
    found = answers(f'{MIMIC}1,Ferritin,Blood,2180-03-23 11:51:00,"{value}",{number},ug/L,13,150,,___,F,44\n')[1]
    got = found.reason if isinstance(found, NotAssessed) else found.code
    assert got == expected
    assert found.value_text == shown
    assert said(found) == code


def test_a_mark_that_the_number_proves_holds_for_the_ends_of_its_row() -> None:
    found = answers(f"{MIMIC}1,Specific Gravity,Urine,2180-03-23 11:51:00,1.015,1.015,,1.001,1.035,,,F,44\n")[1]
    assert found.reported is not None
    assert (found.reported.low, found.reported.high, found.reported.code) == (Decimal("1.001"), Decimal("1.035"), "N")


def test_two_texts_that_may_be_the_value_are_asked_about() -> None:
    with pytest.raises(InputError, match="two columns may be the value"):
        answers("test,value,result,unit\nFerritin,8,9,ng/mL\n")
    assert answers("test,value,result,unit\nFerritin,8,9,ng/mL\n", value="result")[1].value_text == "9"


def test_one_of_two_columns_that_is_asked_for_is_taken_alone() -> None:
    found = answers(f"{MIMIC}1,Ferritin,Blood,2180-03-23 11:51:00,8.0,80,ng/mL,13,150,,,F,44\n", value="valuenum")[1]
    assert found.value_text == "80"


EICU = """labid,patientunitstayid,labresultoffset,labname,labresult,labresulttext,labmeasurenamesystem
1,141168,2026,CRP,0.5,<0.5,mg/dL
2,141169,2026,ferritin,9,9,ng/mL
"""
SYNTHEA = """DATE,PATIENT,ENCOUNTER,CATEGORY,CODE,DESCRIPTION,VALUE,UNITS,TYPE
2020-01-02T10:00:00Z,p1,e1,laboratory,2276-4,Ferritin [Mass/volume] in Serum or Plasma,9.5,ug/L,numeric
2020-01-02T10:00:00Z,p1,e1,survey,72166-2,Tobacco smoking status,Never smoker,,text
"""
OPENMRS = """person_id,obs_datetime,concept_name,value_numeric,value_text,units
1,2020-01-02,Ferritin,9.5,,ng/mL
2,2020-01-02,Ferritin,,<10,ng/mL
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (EICU, {1: ("crp", "<0.5"), 2: ("ferritin", "9")}),
        (SYNTHEA, {1: ("ferritin", "9.5"), 2: (None, "Never smoker")}),
        (OPENMRS, {1: ("ferritin", "9.5"), 2: ("ferritin", "<10")}),
    ],
)
def test_other_exports(text: str, expected: Mapping[int, tuple[str | None, str]]) -> None:
    assert {row: (one.analyte, one.value_text) for row, one in answers(text).items()} == expected


def test_two_stays_are_two_people() -> None:
    assert len(readers.read_bytes(EICU.encode()).panels) == 2


def test_a_range_of_an_adult_is_used_where_the_age_is_not_stated() -> None:
    """It is no child's, and in no other unit anybody's."""
    found = assess(LabResult("Alkaline phosphatase", "160", "U/L", ref_text="40 - 130"))
    assert said(found) == "H"


def test_a_range_that_is_a_newborns_or_in_another_unit_is_not_used() -> None:
    found = assess(LabResult("Phosphate", "1.2", "mmol/L", ref_text="2.5 - 4.5"))
    assert said(found) is None
