"""HL7 v2 as laboratories of Europe send it: every name and unit of a table that was written by hand, in two encodings.

The messages are made here. A name means one analyte or none, a unit text one UCUM code or none, and the laboratory's own range is read
whether or not we know the test.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from labinterp import Finding, LabResult, NotAssessed, Patient, assess, interpret
from labinterp._quantity import Unreadable, read_value
from labinterp.readers import read_bytes

# name | unit | value | range as printed | analyte, or - where the name is not one of ours | UCUM, or - where nothing was or could be read
STYLES = {
    "Swiss": """
        Holotranscobalamin (aktives Vit. B12) | pmol/l | 60 | >50 | holotranscobalamin | pmol/L
        Holotranscobalamin, aktives Vit. B12 | pmol/l | 60 | >50 | holotranscobalamin | pmol/L
        Vitamin D3 25-OH | nmol/l | 40 | 50-125 | - | -
        Ferritin | µg/l | 9 | 15-150 | ferritin | ug/L
        Vitamin B12 | pmol/l | 120 | 145-637 | vitamin_b12 | pmol/L
        Vitamin B12 gesamt | pmol/l | 120 | 145-637 | vitamin_b12 | pmol/L
        Holotranscobalamin | pmol/l | 30 | >50 | holotranscobalamin | pmol/L
        25-OH-Vitamin D | nmol/l | 40 | 50-125 | vitamin_d | nmol/L
        25-OH Vitamin D3 | nmol/l | 40 | 50-125 | - | -
        Magnesium | mmol/l | 0.6 | 0.66-1.07 | magnesium | mmol/L
        Calcium total | mmol/l | 2.3 | 2.1-2.6 | calcium | mmol/L
        Phosphat | mmol/l | 1.0 | 0.8-1.5 | phosphate | mmol/L
        Kalium | mmol/l | 4 | 3.5-5.1 | potassium | mmol/L
        CRP | mg/l | 3 | <5 | crp | mg/L
        Kreatinin | µmol/l | 80 | 44-80 | creatinine | umol/L
        eGFR CKD-EPI | ml/min/1.73m2 | 80 | >60 | egfr | mL/min/{1.73_m2}
        Hämoglobin | g/l | 130 | 117-153 | hemoglobin | g/L
        MCV | fl | 90 | 80-100 | mcv | fL
        TSH | mU/l | 2 | 0.27-4.2 | tsh | m[IU]/L
        Parathormon intakt | pmol/l | 4 | 1.6-6.9 | pth | pmol/L
        Homocystein | µmol/l | 11 | <15 | homocysteine | umol/L
        Folsäure | nmol/l | 12 | 8.8-42 | folate | nmol/L
        Alkalische Phosphatase | U/l | 80 | 35-105 | alkaline_phosphatase | U/L
        Creatinkinase | U/l | 80 | <170 | creatine_kinase | U/L
        Albumin | g/l | 40 | 35-52 | albumin | g/L
        Transferrin | g/l | 2.5 | 2-3.6 | transferrin | g/L
        Transferrinsättigung | % | 15 | 16-45 | transferrin_saturation | %
        Eisen | µmol/l | 12 | 6-35 | iron | umol/L
    """,
    "Austrian": """
        Ferritin | ng/ml | 9 | 15-150 | ferritin | ng/mL
        Vitamin B12 i.S. | pg/ml | 250 | 197-771 | vitamin_b12 | pg/mL
        25-Hydroxy-Vitamin D | nmol/l | 40 | 75-250 | vitamin_d | nmol/L
        Ges. Calcium | mmol/L | 2.3 | 2.2-2.65 | calcium | mmol/L
        Folsäure i.S. | ng/ml | 4 | 3.9-26.8 | folate | ng/mL
        Magnesium i.S. | mmol/l | 0.8 | 0.66-1.07 | magnesium | mmol/L
        Parathormon | pg/ml | 40 | 15-65 | pth | pg/mL
        C-reaktives Protein | mg/dl | 0.3 | <0.5 | crp | mg/dL
        Alk. Phosphatase | U/l | 80 | 35-105 | alkaline_phosphatase | U/L
        CK | U/l | 80 | <170 | creatine_kinase | U/L
        Hämoglobin | g/dl | 13 | 12-16 | hemoglobin | g/dL
        TSH basal | µU/ml | 2 | 0.27-4.2 | tsh | u[IU]/mL
        Kreatinin | mg/dl | 0.8 | 0.5-0.9 | creatinine | mg/dL
        Gesamtcholesterin | mg/dl | 180 | <200 | cholesterol | mg/dL
        Triglyceride | mg/dl | 100 | <150 | triglycerides | mg/dL
        GFR (CKD-EPI) | ml/min/1,73m² | 80 | >60 | egfr | mL/min/{1.73_m2}
    """,
    "German": """
        Transferrinsaettigung | % | 20 | 16-45 | transferrin_saturation | %
        Transferrinsättigung (berechnet) | % | 20 | 16-45 | transferrin_saturation | %
        Folsaeure | ng/ml | 4 | 3.9-26.8 | folate | ng/mL
        Methylmalonsaeure | nmol/l | 200 | <271 | mma | nmol/L
        Haemoglobin | g/dl | 13 | 12-16 | hemoglobin | g/dL
        Eisenbindungskapazitaet | µmol/l | 60 | 45-80 | tibc | umol/L
        Kreatinin (enz.) | mg/dl | 0.8 | 0.5-0.9 | creatinine | mg/dL
        Kreatinin (Jaffé) | mg/dl | 0.8 | 0.5-0.9 | creatinine | mg/dL
        Eisen | gamma/dl | 80 | 37-145 | iron | ug/dL
        25-OH-Cholecalciferol | ng/ml | 32 | 30-70 | vitamin_d | ng/mL
        Vitamin D (25-OH) | ng/ml | 12 | 30-70 | vitamin_d | ng/mL
        Vitamin D3 (25-OH) | ng/ml | 12 | 30-70 | - | -
        Methylmalonsäure | µg/l | 20 | 9-32 | mma | ug/L
        Methylmalonsäure i.S. | nmol/l | 200 | <271 | mma | nmol/L
        Holo-TC | pmol/l | 30 | >50 | holotranscobalamin | pmol/L
        Magnesium im Serum | mmol/l | 0.8 | 0.7-1.1 | magnesium | mmol/L
        Magnesium im Vollblut | mmol/l | 1.4 | 1.3-1.7 | - | -
        Vitamin C | mg/l | 5 | 4-15 | vitamin_c | mg/L
        Vitamin E | mg/l | 9 | 5-18 | vitamin_e | mg/L
        Anorg. Phosphat | mmol/l | 1 | 0.8-1.5 | phosphate | mmol/L
        Eisen i.S. | µg/dl | 80 | 37-145 | iron | ug/dL
        Kalium i.S. | mmol/l | 4 | 3.5-5.1 | potassium | mmol/L
        ionis. Calcium | mmol/l | 1.2 | 1.15-1.3 | ionized_calcium | mmol/L
        AP | U/l | 80 | 35-105 | - | -
        Creatinin | mg/dl | 0.8 | 0.5-0.9 | creatinine | mg/dL
        HbA1c | % | 5 | <6 | - | -
        Albumin im Urin | mg/l | 10 | <20 | - | -
        hs-CRP | mg/l | 1 | <3 | crp | mg/L
        Hb | g/dl | 13 | 12-16 | hemoglobin | g/dL
        Transferrin-Sättigung | % | 20 | 16-45 | transferrin_saturation | %
        Selen | µg/l | 80 | 70-140 | - | -
        Zink | µg/dl | 80 | 60-120 | - | -
    """,
    "Belgian": """
        Ferritine | µg/L | 9 | 15-150 | ferritin | ug/L
        Vitamine B12 | ng/L | 250 | 200-900 | vitamin_b12 | ng/L
        25-OH-vitamine D | µg/L | 20 | 30-80 | vitamin_d | ug/L
        Foliumzuur | µg/L | 4 | 3-17 | folate | ug/L
        Hemoglobine | g/dL | 13 | 12-16 | hemoglobin | g/dL
        Kalium | mmol/L | 4 | 3.5-5.1 | potassium | mmol/L
        Calcium | mmol/L | 2.3 | 2.2-2.6 | calcium | mmol/L
        Fosfor | mg/dL | 3 | 2.5-4.5 | phosphate | mg/dL
        Creatinine | mg/dL | 0.8 | 0.5-0.9 | creatinine | mg/dL
        IJzer | µg/dL | 80 | 37-145 | iron | ug/dL
        Transferrine | g/L | 2.5 | 2-3.6 | transferrin | g/L
        Transferrinesaturatie | % | 20 | 16-45 | transferrin_saturation | %
        Alkalische fosfatase | U/L | 80 | 35-105 | alkaline_phosphatase | U/L
        Homocysteïne | µmol/L | 10 | <15 | homocysteine | umol/L
        Albumine | g/L | 40 | 35-52 | albumin | g/L
        Parathormoon (PTH) | ng/L | 40 | 15-65 | pth | ng/L
        Methylmalonzuur | nmol/L | 200 | <300 | mma | nmol/L
    """,
    "Dutch": """
        Actief vitamine B12 | pmol/l | 30 | >35 | holotranscobalamin | pmol/L
        Vitamine B12 | pmol/l | 130 | 140-640 | vitamin_b12 | pmol/L
        Hemoglobine | mmol/l | 8 | 7.5-10 | hemoglobin | mmol/L
        25-OH Vitamine D | nmol/l | 40 | >50 | vitamin_d | nmol/L
        Kreatinine | umol/l | 70 | 50-100 | creatinine | umol/L
        Foliumzuur | nmol/l | 10 | >10 | folate | nmol/L
        Methylmalonzuur | umol/l | 0.3 | <0.43 | mma | umol/L
        Magnesium | mmol/l | 0.8 | 0.7-1 | magnesium | mmol/L
        Fosfaat | mmol/l | 1 | 0.8-1.5 | phosphate | mmol/L
        Alk. fosfatase | U/l | 80 | <120 | alkaline_phosphatase | U/L
        CK | U/l | 80 | <145 | creatine_kinase | U/L
        Cholesterol | mmol/l | 5 | <6.5 | cholesterol | mmol/L
        Triglyceriden | mmol/l | 1 | <2 | triglycerides | mmol/L
    """,
    "French": """
        Ferritine (Chimiluminescence) | µg/l | 9 | 15-150 | ferritin | ug/L
        Fer sérique (colorimétrie) | µmol/l | 12 | 9-30 | iron | umol/L
        Coeff. de saturation | % | 20 | 16-45 | transferrin_saturation | %
        25-hydroxy-vitamine D (D2 + D3) | nmol/l | 40 | 75-250 | vitamin_d | nmol/L
        Acide folique intra-érythrocytaire | nmol/l | 900 | 545-2366 | rbc_folate | nmol/L
        Phosphore minéral | mmol/l | 1 | 0.8-1.5 | phosphate | mmol/L
        Ferritine | µg/l | 9 | 15-150 | ferritin | ug/L
        Vitamine B12 | pmol/l | 130 | 140-640 | vitamin_b12 | pmol/L
        Vitamine B12 | pg/ml | 230 | 197-771 | vitamin_b12 | pg/mL
        25-OH Vitamine D (D2+D3) | ng/ml | 20 | 30-60 | vitamin_d | ng/mL
        Vitamine D 25-OH | nmol/l | 40 | 75-250 | vitamin_d | nmol/L
        Folates sériques | nmol/l | 12 | 8-45 | folate | nmol/L
        Folates | µg/l | 5 | 3-17 | folate | ug/L
        Folates érythrocytaires | nmol/l | 900 | 545-2366 | rbc_folate | nmol/L
        Hémoglobine | g/dl | 13 | 12-16 | hemoglobin | g/dL
        V.G.M. | fl | 90 | 80-100 | mcv | fL
        VGM | µ3 | 90 | 80-100 | mcv | fL
        Calcium | mmol/l | 2.3 | 2.2-2.6 | calcium | mmol/L
        Calcium | mg/l | 92 | 86-102 | calcium | mg/L
        Calcium ionisé | mmol/l | 1.2 | 1.15-1.3 | ionized_calcium | mmol/L
        Magnésium plasmatique | mmol/l | 0.8 | 0.7-1 | magnesium | mmol/L
        Phosphore | mmol/l | 1 | 0.8-1.5 | phosphate | mmol/L
        Potassium | mmol/l | 4 | 3.5-5 | potassium | mmol/L
        Créatinine | µmol/l | 70 | 45-84 | creatinine | umol/L
        Créatinine | mg/l | 8 | 5-9 | creatinine | mg/L
        Protéine C réactive | mg/l | 3 | <5 | crp | mg/L
        C.R.P. | mg/l | 3 | <5 | crp | mg/L
        Phosphatases alcalines | UI/L | 80 | 35-105 | alkaline_phosphatase | [IU]/L
        CPK | UI/l | 80 | <170 | creatine_kinase | [IU]/L
        T.S.H. | mUI/l | 2 | 0.27-4.2 | tsh | m[IU]/L
        TSH ultra-sensible | µUI/ml | 2 | 0.27-4.2 | tsh | u[IU]/mL
        Parathormone (PTH) | ng/l | 40 | 15-65 | pth | ng/L
        Fer sérique | µmol/l | 12 | 9-30 | iron | umol/L
        Transferrine | g/l | 2.5 | 2-3.6 | transferrin | g/L
        Coefficient de saturation | % | 20 | 16-45 | transferrin_saturation | %
        Homocystéine | µmol/l | 10 | <15 | homocysteine | umol/L
        Albumine | g/l | 40 | 35-50 | albumin | g/L
        Cholestérol total | g/l | 2 | <2 | cholesterol | g/L
        Triglycérides | g/l | 1 | <1.5 | triglycerides | g/L
        DFG (CKD-EPI) | ml/min/1,73m2 | 80 | >60 | egfr | mL/min/{1.73_m2}
        Vitamine C | µmol/l | 40 | 26-84 | vitamin_c | umol/L
        Vitamine E | µmol/l | 25 | 18-40 | vitamin_e | umol/L
    """,
    "Italian": """
        Transferrinemia | mg/dL | 250 | 200-360 | transferrin | mg/dL
        Folatemia | ng/mL | 5 | 4-20 | folate | ng/mL
        VFG stimata (CKD-EPI) | mL/min/1,73m2 | 80 | >60 | egfr | mL/min/{1.73_m2}
        Ferritina | ng/mL | 9 | 15-150 | ferritin | ng/mL
        S-Ferritina | mcg/L | 9 | 15-150 | ferritin | ug/L
        Vitamina B12 | pg/mL | 250 | 197-771 | vitamin_b12 | pg/mL
        25-OH Vitamina D | ng/mL | 20 | 30-100 | vitamin_d | ng/mL
        Vitamina D (25-OH) | nmol/L | 40 | 75-250 | vitamin_d | nmol/L
        Folati | ng/mL | 5 | 4-20 | folate | ng/mL
        Acido folico | nmol/L | 12 | 8-45 | folate | nmol/L
        Emoglobina | g/dL | 13 | 12-16 | hemoglobin | g/dL
        Calcio | mg/dL | 9 | 8.5-10.5 | calcium | mg/dL
        Calcio ionizzato | mmol/L | 1.2 | 1.15-1.3 | ionized_calcium | mmol/L
        Magnesio | mg/dL | 2 | 1.6-2.6 | magnesium | mg/dL
        Magnesio | mE/L | 1.6 | 1.3-2.1 | magnesium | -
        Fosforo | mg/dL | 3 | 2.5-4.5 | phosphate | mg/dL
        Potassio | mE/L | 4 | 3.5-5 | potassium | -
        Potassio | mEq/L | 4 | 3.5-5 | potassium | meq/L
        Creatinina | mcmol/L | 70 | 45-84 | creatinine | umol/L
        Proteina C reattiva | mg/L | 3 | <5 | crp | mg/L
        PCR | mg/dL | 0.3 | <0.5 | crp | mg/dL
        Fosfatasi alcalina | U/L | 80 | 35-105 | alkaline_phosphatase | U/L
        Creatinchinasi (CK) | U/L | 80 | <170 | creatine_kinase | U/L
        TSH | mcUI/mL | 2 | 0.27-4.2 | tsh | u[IU]/mL
        TSH reflex | µUI/mL | 2 | 0.27-4.2 | tsh | u[IU]/mL
        Paratormone | pg/mL | 40 | 15-65 | pth | pg/mL
        Sideremia | mcg/dL | 80 | 37-145 | iron | ug/dL
        Transferrina | mg/dL | 250 | 200-360 | transferrin | mg/dL
        Saturazione transferrina | % | 20 | 16-45 | transferrin_saturation | %
        Omocisteina | mcmol/L | 10 | <15 | homocysteine | umol/L
        Albumina | g/dL | 4 | 3.5-5 | albumin | g/dL
        Colesterolo totale | mg/dL | 180 | <200 | cholesterol | mg/dL
        Trigliceridi | mg/dL | 100 | <150 | triglycerides | mg/dL
    """,
    "Spanish": """
        Ferritina | ng/mL | 9 | 15-150 | ferritin | ng/mL
        Vitamina B12 | pg/mL | 250 | 197-771 | vitamin_b12 | pg/mL
        25-OH Vitamina D | ng/mL | 20 | 30-100 | vitamin_d | ng/mL
        25-Hidroxivitamina D | nmol/L | 40 | 75-250 | vitamin_d | nmol/L
        Ácido fólico | ng/mL | 5 | 4-20 | folate | ng/mL
        Folato sérico | ng/mL | 5 | 4-20 | folate | ng/mL
        Hemoglobina | g/dL | 13 | 12-16 | hemoglobin | g/dL
        Calcio | mg/dL | 9 | 8.5-10.5 | calcium | mg/dL
        Magnesio | mg/dL | 2 | 1.6-2.6 | magnesium | mg/dL
        Fósforo | mg/dL | 3 | 2.5-4.5 | phosphate | mg/dL
        Potasio | mEq/L | 4 | 3.5-5 | potassium | meq/L
        Creatinina | mg/dL | 0.8 | 0.5-0.9 | creatinine | mg/dL
        Proteína C reactiva | mg/L | 3 | <5 | crp | mg/L
        Fosfatasa alcalina | U/L | 80 | 35-105 | alkaline_phosphatase | U/L
        Creatina quinasa (CK) | UI/L | 80 | <170 | creatine_kinase | [IU]/L
        Tirotropina (TSH) | mUI/L | 2 | 0.27-4.2 | tsh | m[IU]/L
        Parathormona (PTH) | pg/mL | 40 | 15-65 | pth | pg/mL
        Hierro | µg/dL | 80 | 37-145 | iron | ug/dL
        Transferrina | mg/dL | 250 | 200-360 | transferrin | mg/dL
        Índice de saturación de transferrina | % | 20 | 16-45 | transferrin_saturation | %
        Homocisteína | µmol/L | 10 | <15 | homocysteine | umol/L
        Albúmina | g/dL | 4 | 3.5-5 | albumin | g/dL
        Colesterol total | mg/dL | 180 | <200 | cholesterol | mg/dL
        Triglicéridos | mg/dL | 100 | <150 | triglycerides | mg/dL
        V.C.M. | fL | 90 | 80-100 | mcv | fL
        VCM | fl | 90 | 80-100 | mcv | fL
    """,
    "Swedish": """
        P-Järnmättnad | % | 20 | 15-50 | transferrin_saturation | %
        P-25-Hydroxy-Vitamin D(D3+D2) | nmol/L | 40 | 50-125 | vitamin_d | nmol/L
        eGFR / 1,73 m² (CKD-EPI) | mL/min/1,73 m2 | 80 | >60 | egfr | mL/min/{1.73_m2}
        Pt-eGFR(Krea)relativ | mL/min/1,73 m2 | 80 | >60 | egfr | mL/min/{1.73_m2}
        P-Ferritin | µg/L | 9 | 15-150 | ferritin | ug/L
        S-Kobalamin | pmol/L | 130 | 150-650 | vitamin_b12 | pmol/L
        P-Kobalaminer | pmol/L | 130 | 150-650 | vitamin_b12 | pmol/L
        S-25-OH-Vitamin D | nmol/L | 40 | 50-125 | vitamin_d | nmol/L
        P-Folat | nmol/L | 12 | 7-40 | folate | nmol/L
        B-Hemoglobin | g/L | 130 | 117-153 | hemoglobin | g/L
        P-Calcium | mmol/L | 2.3 | 2.15-2.5 | calcium | mmol/L
        P-Kalcium | mmol/L | 2.3 | 2.15-2.5 | calcium | mmol/L
        P-Magnesium | mmol/L | 0.8 | 0.7-0.95 | magnesium | mmol/L
        P-Fosfat | mmol/L | 1 | 0.8-1.5 | phosphate | mmol/L
        P-Kalium | mmol/L | 4 | 3.5-4.4 | potassium | mmol/L
        P-Kreatinin | µmol/L | 70 | 45-90 | creatinine | umol/L
        P-CRP | mg/L | 3 | <5 | crp | mg/L
        P-ALP | µkat/L | 1.2 | 0.7-1.9 | alkaline_phosphatase | ukat/L
        P-CK | µkat/L | 2 | 0.6-3.5 | creatine_kinase | ukat/L
        P-TSH | mU/L | 2 | 0.3-4.2 | tsh | m[IU]/L
        P-PTH | pmol/L | 4 | 1.6-6.9 | pth | pmol/L
        P-Järn | µmol/L | 12 | 9-34 | iron | umol/L
        P-Homocystein | µmol/L | 10 | <15 | homocysteine | umol/L
        S-Metylmalonat | µmol/L | 0.2 | <0.4 | mma | umol/L
        P-Albumin | g/L | 40 | 36-48 | albumin | g/L
        P-Transferrin | g/L | 2.5 | 1.9-3.3 | transferrin | g/L
        P-Kolesterol | mmol/L | 5 | 3.9-7.8 | cholesterol | mmol/L
        P-Triglycerid | mmol/L | 1 | 0.45-2.6 | triglycerides | mmol/L
        Erc(B)-MCV | fL | 90 | 82-98 | mcv | fL
    """,
    "Danish and Norwegian": """
        25-Hydroxy-vitamin D(D3+D2);P | nmol/L | 40 | 50-125 | vitamin_d | nmol/L
        Calcium-ion frit;P | mmol/L | 1.2 | 1.18-1.32 | ionized_calcium | mmol/L
        Kreatininium;P | µmol/L | 70 | 45-90 | creatinine | umol/L
        Kalium-ion;P | mmol/L | 4 | 3.5-4.4 | potassium | mmol/L
        Jernmætning | % | 20 | 15-50 | transferrin_saturation | %
        Alkalisk fosfatase | U/L | 80 | 35-105 | alkaline_phosphatase | U/L
        Ferritin;P | µg/L | 9 | 15-150 | ferritin | ug/L
        P-Ferritin | µg/L | 9 | 15-150 | ferritin | ug/L
        Vitamin B12 | pmol/L | 130 | 150-650 | vitamin_b12 | pmol/L
        25-OH-Vitamin D | nmol/L | 40 | 50-125 | vitamin_d | nmol/L
        Vitamin D | nmol/L | 40 | 50-125 | vitamin_d | nmol/L
        Hæmoglobin | mmol/L | 8 | 7.3-9.5 | hemoglobin | mmol/L
        Hemoglobin | g/dL | 13 | 11.7-15.3 | hemoglobin | g/dL
        Folat | nmol/L | 12 | 7-40 | folate | nmol/L
        Kreatinin | µmol/L | 70 | 45-90 | creatinine | umol/L
        Jern | µmol/L | 12 | 9-34 | iron | umol/L
        Metylmalonsyre | µmol/L | 0.2 | <0.26 | mma | umol/L
        Homocystein | µmol/L | 10 | <15 | homocysteine | umol/L
        Basisk fosfatase | U/L | 80 | 35-105 | alkaline_phosphatase | U/L
        Kreatinkinase | U/L | 80 | 35-210 | creatine_kinase | U/L
        Kalsium | mmol/L | 2.3 | 2.15-2.51 | calcium | mmol/L
    """,
    "British": """
        Serum ferritin | ug/L | 9 | 15-150 | ferritin | ug/L
        Serum vitamin B12 | ng/L | 250 | 197-771 | vitamin_b12 | ng/L
        Serum total 25-hydroxy vitamin D level | nmol/L | 40 | >50 | vitamin_d | nmol/L
        Serum folate | ug/L | 4 | 3.9-26.8 | folate | ug/L
        Haemoglobin estimation | g/L | 130 | 115-165 | hemoglobin | g/L
        Haemoglobin | g/L | 130 | 115-165 | hemoglobin | g/L
        Mean corpuscular volume (MCV) | fL | 90 | 80-100 | mcv | fL
        Serum adjusted calcium | mmol/L | 2.3 | 2.2-2.6 | adjusted_calcium | mmol/L
        Corrected calcium | mmol/L | 2.3 | 2.2-2.6 | adjusted_calcium | mmol/L
        Serum magnesium | mmol/L | 0.8 | 0.7-1 | magnesium | mmol/L
        Inorganic phosphate | mmol/L | 1 | 0.8-1.5 | phosphate | mmol/L
        Serum potassium | mmol/L | 4 | 3.5-5.3 | potassium | mmol/L
        Serum creatinine | umol/L | 70 | 45-84 | creatinine | umol/L
        Serum C reactive protein level | mg/L | 3 | <5 | crp | mg/L
        Serum alkaline phosphatase | IU/L | 80 | 30-130 | alkaline_phosphatase | [IU]/L
        Serum TSH level | mU/L | 2 | 0.27-4.2 | tsh | m[IU]/L
        Plasma parathyroid hormone level | pmol/L | 4 | 1.6-6.9 | pth | pmol/L
        Serum iron level | umol/L | 12 | 9-30 | iron | umol/L
        Transferrin saturation index | % | 20 | 16-45 | transferrin_saturation | %
        Serum albumin | g/L | 40 | 35-50 | albumin | g/L
        eGFRcreat (CKD-EPI)/1.73 m*2 | mL/min/1.73m2 | 80 | >60 | egfr | mL/min/{1.73_m2}
        Creatine kinase level | U/L | 80 | 25-200 | creatine_kinase | U/L
        Serum cholesterol | mmol/L | 5 | <5 | cholesterol | mmol/L
        Serum triglycerides | mmol/L | 1 | <1.7 | triglycerides | mmol/L
    """,
    "Czech and Slovak": """
        S_Železo | µmol/l | 15 | 9-30 | iron | umol/L
        S_Hořčík | mmol/l | 0.8 | 0.7-1 | magnesium | mmol/L
        S_Kreatinin | µmol/l | 70 | 45-90 | creatinine | umol/L
        Kyselina listová | nmol/l | 12 | 7-40 | folate | nmol/L
        Foláty | nmol/l | 12 | 7-40 | folate | nmol/L
        Vitamin D celkový | nmol/l | 40 | 50-125 | vitamin_d | nmol/L
        C-reaktivní protein | mg/l | 3 | <5 | crp | mg/L
        Saturace transferrinu | % | 20 | 15-50 | transferrin_saturation | %
        Fosfor anorganický | mmol/l | 1 | 0.8-1.5 | phosphate | mmol/L
        Triacylglyceroly | mmol/l | 1 | 0.45-1.7 | triglycerides | mmol/L
        Střední objem erytrocytů | fl | 90 | 82-98 | mcv | fL
    """,
    "Portuguese and Finnish": """
        P-Ferrit | ug/l | 9 | 15-150 | ferritin | ug/L
        S-B12-TC2 | pmol/l | 60 | >35 | holotranscobalamin | pmol/L
        P-AFOS | U/l | 80 | 35-105 | alkaline_phosphatase | U/L
        Ferritina | ng/mL | 9 | 15-150 | ferritin | ng/mL
        Ácido fólico | ng/mL | 5 | 4-20 | folate | ng/mL
        Fósforo | mg/dL | 3 | 2.5-4.5 | phosphate | mg/dL
        S -Ferrit | ug/l | 9 | 15-150 | ferritin | ug/L
        P -Krea | umol/l | 70 | 50-90 | creatinine | umol/L
    """,
}
PRINTED = [(style, *(part.strip() for part in line.split("|"))) for style, lines in STYLES.items() for line in lines.strip().splitlines()]
ENCODINGS = {"utf-8": "UNICODE UTF-8", "latin-1": "8859/1", "cp1252": ""}


def answers(style: str, encoding: str) -> list[Finding | NotAssessed]:
    """The answers to one message with all results of a style."""
    rows = [row for row in PRINTED if row[0] == style]
    obx = [f"OBX|{n}|NM|L{n}^{row[1]}^L||{row[3]}|{row[2]}|{row[4]}||||F" for n, row in enumerate(rows, 1)]
    head = [
        f"MSH|^~\\&|LAB|{style}|KIS|X|20240102080000||ORU^R01|1|P|2.3||||||{ENCODINGS[encoding]}",
        "PID|1||17||Muster^Änne||19790101|F",
        "OBR|1|||LAB^Labor|||20240102080000",
    ]
    source = read_bytes(("\r".join([*head, *obx]) + "\r").encode(encoding, "replace"), name="labor.hl7")
    found = [one for panel in source.panels for one in interpret(panel.results, panel.patient, rows=panel.rows).rows()]
    return sorted(found, key=lambda one: one.row)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("style", [style for style in STYLES if style != "Czech and Slovak"])  # which no western set can write
def test_names_and_units_of_a_laboratory(style: str, encoding: str) -> None:
    rows = [row for row in PRINTED if row[0] == style]
    found = answers(style, encoding)
    assert len(found) == len(rows)
    for row, one in zip(rows, found, strict=True):
        assert (one.analyte or "-", one.quantity.unit if one.quantity else "-") == row[5:7], row
        assert one.value_text == row[3]


def test_names_and_units_that_only_utf_8_can_write() -> None:
    test_names_and_units_of_a_laboratory("Czech and Slovak", "utf-8")


@pytest.mark.parametrize("style", STYLES)
def test_the_range_of_a_laboratory_is_read_whether_or_not_the_test_is_known(style: str) -> None:
    for row, one in zip([row for row in PRINTED if row[0] == style], answers(style, "utf-8"), strict=True):
        assert one.reported is not None, row
        assert one.reported.code == expected(Decimal(row[3]), row[4]), row


def expected(value: Decimal, text: str) -> str:
    """What a range of this table says: two numbers that both belong to it, or a sign and a number that does not."""
    if text[0] == "<":
        return "N" if value < Decimal(text[1:]) else "H"
    if text[0] == ">":
        return "N" if value > Decimal(text[1:]) else "L"
    low, high = map(Decimal, text.split("-"))
    return "L" if value < low else "H" if value > high else "N"


def test_reasons_are_true() -> None:
    """A unit of an enzyme or of a charge ("mE/L") is not guessed; a form, a specimen or an abbreviation of two tests is told as such."""
    elsewhere = ("authority_gives_no_limit", "pregnancy_unknown", "unknown_analyte")
    reasons = {}
    for style in STYLES:
        for row, one in zip([row for row in PRINTED if row[0] == style], answers(style, "utf-8"), strict=True):
            if isinstance(one, NotAssessed) and one.reason not in elsewhere:
                reasons[row[1], row[2]] = one.reason
    assert reasons == {
        ("25-OH Vitamin D3", "nmol/l"): "ambiguous_analyte",
        ("Vitamin D3 25-OH", "nmol/l"): "ambiguous_analyte",
        ("Vitamin D3 (25-OH)", "ng/ml"): "ambiguous_analyte",
        ("AP", "U/l"): "ambiguous_analyte",
        ("Albumin im Urin", "mg/l"): "wrong_specimen",
        ("Magnesium im Vollblut", "mmol/l"): "wrong_specimen",
        ("Magnesio", "mE/L"): "unknown_unit",
        ("Potassio", "mE/L"): "unknown_unit",
    }


# --- values that are words, or have words ------------------------------------------------------------------------

VALUES = {
    "inf. à 5": "<5", "Inf à 5": "<5", "inf a 5": "<5", "inférieur à 5": "<5", "inférieur ou égal à 5": "<=5", "inf. ou égal à 5": "<=5", "sup. à 2000": ">2000",
    "Sup à 2000": ">2000", "supérieure ou égale à 2000": ">=2000", "mindre än 5": "<5", "mindre enn 5": "<5", "større end 2000": ">2000", "1\u00b4234": "1234",
    "> OR = 60": ">=60", "<ou= 5": "<=5", "250 000": "250000", "1 250 300": "1250300",
}  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
def test_a_comparator_in_words(text: str) -> None:
    assert str(read_value(text)) == VALUES[text]


HAEMOLYSED, NOT_READY, TOO_LITTLE = ("specimen was haemolysed", "not ready", "too little specimen")
NOT_ONE, NONE = "not one plain number", "No number was found"
WORDS = {
    "HEMOLYZED": HAEMOLYSED, "hämolytisch": HAEMOLYSED, "Material hämolysiert": HAEMOLYSED, "Probe stark hämolytisch": HAEMOLYSED, "échantillon hémolysé": HAEMOLYSED,
    "campione emolizzato": HAEMOLYSED, "gehemolyseerd": HAEMOLYSED, "HEMOLYSIS": HAEMOLYSED, "muestra hemolizada": HAEMOLYSED, "Hämolyse": HAEMOLYSED,
    "nicht hämolytisch": NONE, "keine Hämolyse": NONE, "no hemolysis": NONE, "beta-hämolytische Streptokokken": NONE, "Streptococcus haemolyticus": NONE,
    "Hämolyse-Index 12": NOT_ONE, "folgt": NOT_READY, "Resultat folgt": NOT_READY, "pending": NOT_READY, "in Arbeit": NOT_READY, "Bestimmung erfolgt extern": NONE,
    "depending on age": NONE, "QNS": TOO_LITTLE, "insufficient sample": TOO_LITTLE, "Material nicht ausreichend": TOO_LITTLE, "insufficient": NONE,
    "Nicht nachweisbar": "Not detected", "nicht nachweisbar (NWG 5)": NOT_ONE, "infekt": NONE, "siehe Info": NONE, "Inf": "not a finite number", "NaN": "not a finite number",
    "siehe Bericht 12": NOT_ONE, "s. Bem.": NONE, "Kontrolle in 3 Monaten": NOT_ONE, "120 080": "one number or two", "135 145": "one number or two",
}  # fmt: skip


@pytest.mark.parametrize("text", WORDS)
def test_the_reason_of_a_text_is_true_of_it(text: str) -> None:
    found = read_value(text)
    assert isinstance(found, Unreadable)
    assert WORDS[text] in found.message


# --- names that show another specimen -----------------------------------------------------------------------------

URINE = [
    "U-Kalium",
    "dU-Kalium",
    "dU_Draslík",
    "dU-Calcium",
    "Kalium (U)",
    "Kalium, Urin",
    "Kalium i.U.",
    "Kalium (24h-Urin)",
    "dU-Potassio",
]


@pytest.mark.parametrize("name", URINE)
def test_a_day_of_urine_is_no_serum(name: str) -> None:
    """ "dU-" is what Nordic, Italian and Czech laboratories print for the urine of a day; "du" between words is a French article."""
    found = assess(LabResult(name, "4.1", "mmol/L"))
    assert isinstance(found, NotAssessed)
    assert found.reason == "wrong_specimen"
    assert "urine" in found.message
    assert isinstance(assess(LabResult("Dosage du potassium", "4.1", "mmol/L"), Patient(sex="male", age_years=40)), Finding)


def test_a_u_beside_an_enzyme_is_not_taken_for_urine() -> None:
    """Nor for its unit: "CK (U)" may be either, and its column says which."""
    found = assess(LabResult("CK (U/l)", "80", "U/L"), Patient(sex="male", age_years=40))
    assert found.analyte == "creatine_kinase"
    assert isinstance(found, Finding)


@pytest.mark.parametrize(
    ("specimen", "reason"),
    [("Sang EDTA", "wrong_specimen"), ("EDTA-Blut", "wrong_specimen"), ("Sang", None), ("Venenblut", None), ("blod", None), ("krev", None), ("Röhrchen 4", "wrong_specimen")],
)  # fmt: skip
def test_blood_with_edta_is_no_serum(specimen: str, reason: str | None) -> None:
    """EDTA binds calcium: a calcium from such a tube says nothing, whatever the language."""
    found = assess(LabResult("Calcium", "2.3", "mmol/L", specimen=specimen), Patient(sex="male", age_years=40))
    assert (found.reason if isinstance(found, NotAssessed) else None) == reason


@pytest.mark.parametrize(
    ("name", "analyte", "unit"),
    [
        ("Ferritin ug/l", "ferritin", "ug/L"), ("Ferritin, µg/l", "ferritin", "ug/L"), ("Ferritin in ng/ml", "ferritin", "ng/mL"), ("S-Fe: µmol/L", "iron", "umol/L"),
        ("Vitamin B12 pmol/l", "vitamin_b12", "pmol/L"), ("Ferritin ug/furlong", None, None), ("Kalium im Urin mmol/l", None, None), ("HbA1c mmol/mol", None, None),
        ("Albumin/Kreatinin mg/g", None, None), ("Ferritin (ng/ml) ug/l", None, None),
    ],
)  # fmt: skip
def test_a_unit_behind_a_name(name: str, analyte: str | None, unit: str | None) -> None:
    """It stands for a unit that is sent nowhere else; a unit in its own column that is another one contradicts it."""
    found = assess(LabResult(name, "50"), Patient(sex="male", age_years=40))
    assert (found.analyte if isinstance(found, Finding) else None, found.quantity.unit if found.quantity else None) == (analyte, unit)
    if analyte:
        other = assess(LabResult(name, "50", "mmol/L"))
        assert isinstance(other, NotAssessed)
        assert other.reason == "conflicting_code"


@pytest.mark.parametrize(
    ("text", "flag"), [("6.2 ++", "++"), ("6,2 +++", "+++"), ("6.2 --", "--"), ("6.2 -", "-"), ("6.2 (H)", "H"), ("6,2 mmol/l +", "+"), ("6,2 mmol/l ++", "++")]
)  # fmt: skip
def test_a_flag_behind_a_value(text: str, flag: str) -> None:
    read = read_value(text)
    assert not isinstance(read, Unreadable)
    assert (str(read), read.flag) == (text[:3].replace(",", "."), flag)


@pytest.mark.parametrize("text", ["6.2+", "6.2-", "6.2++", "6.2 +-", "6.2 ++++"])
def test_what_may_be_a_grade_or_half_a_range_is_no_flag(text: str) -> None:
    assert isinstance(read_value(text), Unreadable)
