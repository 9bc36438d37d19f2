"""Columns of NHANES cycles that were not at hand: the analyte and unit of each, by its label; without a label never a unit that nothing proves."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from labinterp import Catalog, Finding, NotAssessed, interpret
from labinterp._formats.nhanes import Survey, known_columns, look_alikes, panels_of_surveys
from labinterp._identify import Identified, identify
from labinterp.errors import InputError
from labinterp.readers import Source, read_bytes, read_files

pyreadstat = pytest.importorskip("pyreadstat")

# file | column | label | value | analyte, or - where it is another test | UCUM
COLUMNS = """
VID_G | LBXVIDMS | 25OHD2+25OHD3 (nmol/L) | 40 | vitamin_d | nmol/L
VID_D | LBDVIDMS | 25OHD2+25OHD3 (nmol/L) | 40 | vitamin_d | nmol/L
VID_B | LBXVID | Vitamin D (ng/mL) | 20 | vitamin_d | ng/mL
VID_G | LBXVD2MS | 25OHD2 (nmol/L) | 1.45 | - | -
VID_G | LBXVD3MS | 25OHD3 (nmol/L) | 40 | - | -
VID_G | LBXVE3MS | epi-25OHD3 (nmol/L) | 2 | - | -
VITB12_G | LBXB12 | Vitamin B12(pg/mL) | 300 | vitamin_b12 | pg/mL
VITB12_H | LBDB12 | Vitamin B12(pg/mL) | 300 | vitamin_b12 | pg/mL
VITB12_H | LBDB12SI | Vitamin B12 (pmol/L) | 220 | vitamin_b12 | pmol/L
MMA_H | LBXMMASI | Methylmalonic acid (nmol/L) | 150 | mma | nmol/L
LAB06 | LBXMMA | Methylmalonic acid (umol/L) | 0.15 | mma | umol/L
FERTIN_J | LBXFER | Ferritin (ng/mL) | 20 | ferritin | ng/mL
FERTIN_J | LBDFERSI | Ferritin (ug/L) | 20 | ferritin | ug/L
FETIB_J | LBXIRN | Iron frozen, Serum (ug/dL) | 80 | iron | ug/dL
FETIB_J | LBDIRNSI | Iron frozen, Serum (umol/L) | 14 | iron | umol/L
FETIB_J | LBDTIB | Tot Iron Binding Capacity, Serum (ug/dL) | 300 | tibc | ug/dL
LAB06 | LBXTIB | Total iron binding capacity (ug/dL) | 300 | tibc | ug/dL
FETIB_J | LBXUIB | UIBC, Serum (ug/dL) | 220 | uibc | ug/dL
LAB06 | LBXPCT | Transferrin saturation (%) | 25 | transferrin_saturation | %
FETIB_J | LBDPCT | Transferrin Saturation (%) | 25 | transferrin_saturation | %
BIOPRO_J | LBXSAL | Albumin, refrigerated serum (g/dL) | 4 | albumin | g/dL
BIOPRO_J | LBXSCA | Total Calcium (mg/dL) | 9 | calcium | mg/dL
BIOPRO_J | LBXSPH | Phosphorus (mg/dL) | 3 | phosphate | mg/dL
BIOPRO_J | LBXSCR | Creatinine, refrigerated serum (mg/dL) | 0.8 | creatinine | mg/dL
BIOPRO_J | LBDSCRSI | Creatinine, refrigerated serum (umol/L) | 70 | creatinine | umol/L
BIOPRO_J | LBXSKSI | Potassium (mmol/L) | 4 | potassium | mmol/L
BIOPRO_J | LBXSCK | Creatine Phosphokinase (CPK) (IU/L) | 90 | creatine_kinase | [IU]/L
BIOPRO_J | LBXSAPSI | Alkaline Phosphatase (ALP) (IU/L) | 80 | alkaline_phosphatase | U/L
BIOPRO_J | LBXSIR | Iron, refrigerated serum (ug/dL) | 80 | iron | ug/dL
BIOPRO_J | LBXSCH | Cholesterol, refrigerated serum (mg/dL) | 180 | cholesterol | mg/dL
BIOPRO_J | LBXSTR | Triglycerides, refrig serum (mg/dL) | 100 | triglycerides | mg/dL
BIOPRO_J | LBXSNASI | Sodium (mmol/L) | 140 | - | -
CBC_J | LBXHGB | Hemoglobin (g/dL) | 13 | hemoglobin | g/dL
CBC_J | LBXMCVSI | Mean cell volume (fL) | 90 | mcv | fL
CBC_J | LBXRDW | Red cell distribution width (%) | 13 | - | -
HSCRP_J | LBXHSCRP | HS C-Reactive Protein (mg/L) | 2 | crp | mg/L
CRP_F | LBXCRP | C-reactive protein(mg/dL) | 0.3 | crp | mg/dL
VIC_J | LBXVIC | Vitamin C (mg/dL) | 0.8 | vitamin_c | mg/dL
VIC_J | LBDVICSI | Vitamin C (umol/L) | 45 | vitamin_c | umol/L
VITAEC_J | LBXVIE | Alpha-tocopherol(ug/dL) | 900 | vitamin_e | ug/dL
VITAEC_J | LBXGTC | Gamma-tocopherol (ug/dL) | 200 | - | -
FOLATE_G | LBDRFO | RBC folate (ng/mL) | 400 | rbc_folate | ng/mL
FOLATE_G | LBDRFOSI | RBC folate (nmol/L) | 900 | rbc_folate | nmol/L
FOLATE_E | LBXRBF | Folate, RBC (ng/mL RBC) | 300 | rbc_folate | ng/mL
FOLFMS_J | LBDFOTSI | Serum total folate (nmol/L) | 30 | folate | nmol/L
FOLFMS_J | LBDFOT | Serum total folate (ng/mL) | 13 | folate | ng/mL
FOLFMS_J | LBXSF1SI | 5-Methyl-tetrahydrofolate (nmol/L) | 30 | - | -
FOLATE_E | LBXFOL | Folate, serum (ng/mL) | 12 | folate | ng/mL
HCY_D | LBXHCY | Homocysteine (umol/L) | 9 | homocysteine | umol/L
LAB06 | LBXHCY | Homocysteine (umol/L) | 9 | homocysteine | umol/L
TFR_J | LBXTFR | Transferrin receptor (mg/L) | 3 | - | -
AGP_L | LBXAGP | alpha-1-acid glycoprotein (g/L) | 0.7 | agp | g/L
THYROD_G | LBXTSH1 | Thyroid stimulating hormone (uIU/mL) | 2 | tsh | u[IU]/mL
ALB_CR_J | URXUMA | Albumin, urine (ug/mL) | 10 | - | -
ALB_CR_J | URXUCR | Creatinine, urine (mg/dL) | 100 | - | -
TRIGLY_J | LBXTR | Triglyceride (mg/dL) | 100 | triglycerides | mg/dL
TCHOL_J | LBXTC | Total Cholesterol (mg/dL) | 180 | cholesterol | mg/dL
TCHOL_J | LBDTCSI | Total Cholesterol (mmol/L) | 4.6 | cholesterol | mmol/L
"""
ROWS = [tuple(part.strip() for part in line.split("|")) for line in COLUMNS.strip().splitlines()]


def answer(folder: Path, file: str, column: str, label: str, value: str) -> Finding | NotAssessed:
    import pandas as pd

    path = folder / f"{file}.XPT"
    frame = pd.DataFrame({"SEQN": [1.0], column: [float(value)]})
    labels = {column: label[:40]} if label else {}  # as long as the form takes
    pyreadstat.write_xport(frame, str(path), column_labels=labels, table_name=file[:8], file_format_version=5)
    panels = read_files([path]).panels
    (found,) = [one for panel in panels for one in interpret(panel.results, panel.patient, rows=panel.rows).rows()]
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_a_column_with_its_label(tmp_path: Path, row: tuple[str, ...]) -> None:
    found = answer(tmp_path, *row[:4])
    assert (found.analyte or "-", found.quantity.unit if found.quantity else "-") == row[4:]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_a_column_without_its_label(tmp_path: Path, row: tuple[str, ...]) -> None:
    """Either the codebook of its name says the unit, and it is the same, or there is no answer."""
    found = answer(tmp_path, *row[:2], "", row[3])
    if found.quantity is None:
        assert isinstance(found, NotAssessed)
        assert found.reason in ("unknown_analyte", "missing_unit")
    else:
        assert (found.analyte, found.quantity.unit) == row[4:]


def test_a_label_with_another_unit_is_no_slip_of_ours(tmp_path: Path) -> None:
    """IU/L of an enzyme is U/L; ng/mL of vitamin D is not nmol/L."""
    enzyme = answer(tmp_path, "BIOPRO_J", "LBXSAPSI", "Alkaline Phosphatase (ALP) (IU/L)", "80")
    assert enzyme.quantity is not None
    found = answer(tmp_path, "VID_X", "LBXVIDMS", "25OHD2+25OHD3 (ng/mL)", "40")
    assert isinstance(found, NotAssessed)
    assert found.reason == "conflicting_code"


# --- every codebook from 1999 to March 2020 ---------------------------------------------------------------------

LABELS = list(csv.DictReader((Path(__file__).parent / "data" / "nhanes_labels.csv").read_text("utf-8").splitlines()))
MEANT = {
    name: analyte
    for analyte, names in {
        "vitamin_b12": "LBXB12 LBDB12 LBDB12SI",
        "vitamin_d": "LBXVIDMS",
        "vitamin_c": "LBXVIC LBDVICSI",
        "vitamin_e": "LBXVIE LBDVIESI LBXATC LBDATCSI",
        "folate": "LBXFOL LBDFOLSI LBXFOLSI LBDFOL LBDFOTSI LBDFOT",
        "rbc_folate": "LBXRBF LBDRBFSI LBXRBFSI LBDRBF LBDRFO LBDRFOSI",
        "homocysteine": "LBXHCY LBDHCY",
        "mma": "LBXMMA LBXMMASI",
        "ferritin": "LBXFER LBDFER LBDFERSI",
        "iron": "LBXIRN LBDIRNSI LBXSIR LBDSIRSI",
        "tibc": "LBXTIB LBDTIB LBDTIBSI",
        "uibc": "LBXUIB LBDUIBSI",
        "transferrin_saturation": "LBXPCT LBDPCT",
        "calcium": "LBXSCA LBDSCASI",
        "phosphate": "LBXSPH LBDSPH LBDSPHSI",
        "potassium": "LBXSKSI",
        "albumin": "LBXSAL LBDSALSI",
        "alkaline_phosphatase": "LBXSAPSI LBDSAPSI",
        "creatine_kinase": "LBXSCK",
        "creatinine": "LBXSCR LBDSCR LBDSCRSI",
        "crp": "LBXCRP LBXHSCRP",
        "agp": "SSAGP",
        "hemoglobin": "LBXHGB",
        "mcv": "LBXMCVSI",
        "pth": "LBXPT21",
        "tsh": "LBXTSH LBXTSH1 LBDTSH1S",
        "cholesterol": "LBXSCH LBDSCHSI LBXTC LBDTCSI",
        "triglycerides": "LBXSTR LBDSTRSI LBXTR LBDTRSI",
    }.items()
    for name in names.split()
}
READ = [
    row for row in LABELS if not row["variable"].startswith(("LB2", "UR2")) and (row["variable"][:2] != "SS" or row["variable"] == "SSAGP")
]


def source_of(columns: Mapping[str, Any], labels: Mapping[str, str], dataset: str = "X") -> Source:
    """A file of one participant, 1 in each column where nothing else is said."""
    return panels_of_surveys(
        [
            Survey(
                "x",
                dataset,
                {"SEQN": ["1"], **{name: [value] for name, value in columns.items()}},
                labels,
                {name: name for name in columns},
            )
        ]
    )


def meaning(test: str, unit: str | None) -> tuple[str | None, str | None]:
    """Analyte and unit of a result; nothing for one that is no test of the catalog, or of another specimen."""
    catalog = Catalog.default()
    found = identify(catalog, test)
    return (found.analyte, catalog.units.read(unit or "")) if isinstance(found, Identified) else (None, None)


def printed(label: str) -> str | None:
    """The unit a label ends in."""
    return Catalog.default().units.read(
        label.rsplit("(", 1)[-1].rstrip(") ").removesuffix(" RBC") if label.endswith(")") else label.split()[-1]
    )


@pytest.mark.parametrize("row", READ, ids=lambda row: f"{row['variable']}-{row['label']}")
@pytest.mark.parametrize("labelled", [True, False], ids=["labelled", "bare"])
def test_a_column_of_a_codebook(row: dict[str, str], labelled: bool) -> None:
    """With its label each is the analyte and unit it is in the codebook; without it too, or there is no answer; a look-alike is never one."""
    name, label = row["variable"], row["label"]
    (result,) = source_of({name: "1"}, {name: label} if labelled else {}).panels[0].results
    found = meaning(result.test, result.unit)
    if name not in MEANT:
        assert found[0] is None
    elif labelled or found[0] is not None:
        catalog = Catalog.default()
        unit = printed(label)
        assert found[0] == MEANT[name]
        assert found[1] is not None
        assert unit is not None
        assert found[1] == unit or catalog.factor(MEANT[name], found[1], unit) == 1


@pytest.mark.parametrize("name", sorted({row["variable"] for row in READ} & set(MEANT)))
def test_a_known_column_needs_no_label(name: str) -> None:
    """A cut as CSV has no labels: what a codebook says is known by the name."""
    (result,) = source_of({name: "1"}, {}).panels[0].results
    assert meaning(result.test, result.unit)[0] == MEANT[name]


@pytest.mark.parametrize("codebook", sorted({one for row in READ for one in row["codebooks"].split()}))
def test_a_file_has_each_result_once(codebook: str) -> None:
    """Both units of a result, also where eight characters leave no room for SI, are one."""
    own = {row["variable"]: row["label"] for row in READ if codebook in row["codebooks"].split()}
    counted = Counter(meaning(one.test, one.unit)[0] for one in source_of(dict.fromkeys(own, "1"), own).panels[0].results)
    del counted[None]
    assert counted == Counter({MEANT[name]: 1 for name in own if name in MEANT})


def test_what_ships_stands_in_the_codebooks() -> None:
    """Each column and its other unit, in each codebook that is named for it."""
    catalog = Catalog.default()
    stands = {(row["variable"], book): row["label"] for row in LABELS for book in row["codebooks"].split()}
    for name, one in known_columns().items():
        for book in one["codebooks"]:
            label = stands.get((name, book))
            assert label is not None, (name, book)
            unit = printed(label)
            assert unit == one["unit"] or catalog.factor(MEANT[name], str(unit), one["unit"]) == 1, (book, label)
            twin = stands.get((one.get("twin", ""), book))
            assert (
                twin is None or printed(twin) == one["twin_unit"] or catalog.factor(MEANT[name], str(printed(twin)), one["twin_unit"]) == 1
            )
        assert "twin" not in one or any((one["twin"], book) in stands for book in one["codebooks"]), name
    for name, one in look_alikes().items():
        assert all((name, book) in stands for book in one["codebooks"])


def test_one_form_of_folate_is_not_folate() -> None:
    """ "Folic acid (nmol/L)" of the files of folate forms is about 1 nmol/L beside a total of 40: no lack of folate."""
    found = source_of(
        {"LBDFOTSI": "40.2", "LBDFOT": "17.7", "LBXSF1SI": "37.1", "LBXSF2SI": "0.82"},
        {"LBDFOTSI": "Serum total folate (nmol/L)", "LBXSF1SI": "5-Methyl-tetrahydrofolate (nmol/L)", "LBXSF2SI": "Folic acid (nmol/L)"},
    )
    (panel,) = found.panels
    answers = list(interpret(panel.results, panel.patient, rows=panel.rows).rows())
    assert [one.analyte for one in answers if isinstance(one, Finding)] == ["folate"]
    form = next(one for one in answers if isinstance(one, NotAssessed) and one.value_text == "0.82")
    assert form.reason == "unknown_analyte"
    assert "one form of folate" in form.message


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"LBXB12": "", "LBDB12": "300", "LBDB12SI": "221.4"}, [("300", "pg/mL")]),
        ({"LBXB12": "300", "LBDB12": "", "LBDB12SI": "221.4"}, [("300", "pg/mL")]),
        ({"LBXB12": "", "LBDB12": "", "LBDB12SI": "221.4"}, [("221.4", "pmol/L")]),
        ({"LBXTIB": "", "LBDTIB": "301", "LBDTIBSI": "53.91"}, [("301", "ug/dL")]),
        ({"LBXFOL": "", "LBDFOLSI": "", "LBXFOLSI": "30", "LBDFOL": "13.2"}, [("30", "nmol/L")]),
        ({"LBXRBF": "", "LBDRBFSI": "", "LBDRFO": "400", "LBDRFOSI": "906"}, [("400", "ng/mL")]),
    ],
)
def test_cycles_stacked_in_one_table_have_each_result_once(cells: dict[str, str], expected: list[tuple[str, str]]) -> None:
    """A table of several cycles has the names of all of them, and those of other cycles empty."""
    assert [(str(one.value), one.unit) for one in source_of(cells, {}).panels[0].results] == expected


@pytest.mark.parametrize(
    ("file", "column", "value", "shown"),
    [
        ("L06TFR_C", "LBDFER", "2", "3.54"),  # 2: below detection limit fill value
        ("L06MH_C", "LBXMMA", "0.035", "0.0503"),  # 0.035: below limit of detection; at most 0.0355 times the root of 2
        ("L11_C", "LBXCRP", "0.01", "0.0213"),
        ("L11_C", "LBXPT21", "6", "9.20"),  # at most 6.5 times the root of 2
        ("PTH_D", "LBXPT21", "6.36", "9.01"),  # at most 6.365 times the root of 2
        ("L45VIT_C", "LBXATC", "7", "10.7"),
    ],
)
def test_a_value_that_stands_for_below_detection(file: str, column: str, value: str, shown: str) -> None:
    """As the codebook of the file lists it beside the range of values."""
    (result,) = source_of({column: value}, {}, file).panels[0].results
    assert (result.comparator, str(result.value)) == ("<", shown)
    (elsewhere,) = source_of({column: value}, {}, "ANOTHER").panels[0].results
    assert elsewhere.comparator is None


def test_columns_that_are_not_read_are_named() -> None:
    """A second examination is another draw, and the files of surplus sera have names of their own: neither is lost silently."""
    source = source_of({"LBXFER": "20", "LB2FER": "22", "LB2FERSI": "22", "SSTFR": "3.1", "SSFER": "21"}, {})
    assert [str(one.value) for one in source.panels[0].results] == ["20"]
    assert any("LB2FER, LB2FERSI, SSTFR, SSFER" in note for note in source.notes)
    with pytest.raises(InputError, match="LB2FER"):
        source_of({"LB2FER": "22"}, {})


def test_the_zero_of_another_reader_is_zero() -> None:
    """pandas writes a zero of a transport file as 16 to the power of -65; a table that was made with it holds that number."""
    zero = "5.397605346934028e-79"
    source = read_bytes(f"SEQN,RIAGENDR,RIDAGEYR,LBXHSCRP,LBDHRPLC\n1.0,1.0,{zero},2.5,{zero}\n".encode(), name="merged.csv")
    (panel,) = source.panels
    assert (panel.results[0].comparator, str(panel.results[0].value)) == (None, "2.5")
    assert panel.patient.age is not None
    assert panel.patient.age.years == (0, 1)
