"""Columns of NHANES cycles that were not at hand: the analyte and unit of each, by its label; without a label never a unit that nothing proves."""

from __future__ import annotations

from pathlib import Path

import pytest

from labinterp import Finding, NotAssessed, interpret
from labinterp.readers import read_files

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
