"""What real laboratories, surveys and records print, against truths that are not ours.

The files in tests/data are always read. The larger ones, and those under other licences, lie in ../shared/data; where that folder is
absent their tests are skipped, and say how much is not checked.
"""

import csv
import importlib.util
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from labinterp import Catalog, Finding, LabResult, NotAssessed, Patient, Report, convert, interpret
from labinterp._codes import REASONS
from labinterp._identify import Identified, identify
from labinterp._measure import Measured, measure
from labinterp.readers import read_file

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests" / "data"
EXAMPLES = ROOT / "docs" / "examples"
SHARED = ROOT.parent / "shared" / "data"


def needs_shared(what: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not SHARED.is_dir(), reason=f"../shared/data is absent: {what} not checked")


def rows_of(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


@cache
def nhanes() -> Any:
    """The reader of transport files that the example's script brings along."""
    spec = importlib.util.spec_from_file_location("make_nhanes_2001", EXAMPLES / "make_nhanes_2001.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def catalog() -> Catalog:
    return Catalog.default()


# --- two units for one blood: CDC wrote both -----------------------------------------------------------------


class Pair(NamedTuple):
    """Two columns of CDC for one analyte; `factor` and the number of decimals of the SI column are CDC's."""

    analyte: str
    file: str
    column: str
    unit: str
    si_column: str
    si_unit: str
    factor: str
    digit: str
    pairs: int


PAIRS = (
    Pair("vitamin_b12", "L06_B.XPT", "LBXB12", "pg/mL", "LBDB12SI", "pmol/L", "0.738", "0.01", 8390),
    Pair("ferritin", "L06_B.XPT", "LBXFER", "ng/mL", "LBDFERSI", "ug/L", "1", "1", 8807),
    Pair("folate", "L06_B.XPT", "LBXFOL", "ng/mL", "LBDFOLSI", "nmol/L", "2.265", "0.1", 8386),
    Pair("creatinine", "L40_B.XPT", "LBDSCR", "mg/dL", "LBDSCRSI", "umol/L", "88.4", "0.01", 6891),
)
IDS = [pair.analyte for pair in PAIRS]
ALL_PAIRS = sum(pair.pairs for pair in PAIRS)


def values_of(pair: Pair, rows: Iterable[dict[str, str]]) -> Counter[tuple[Decimal, Decimal]]:
    return Counter((Decimal(row[pair.column]), Decimal(row[pair.si_column])) for row in rows if row[pair.column] and row[pair.si_column])


@cache
def survey(file: str) -> tuple[dict[str, str], ...]:
    """A transport file as text, empty where CDC gives no number."""
    plain = nhanes().plain
    return tuple(
        {k: "" if v is None else plain(v) for k, v in row.items()} for row in nhanes().read_xpt(SHARED / "nhanes-2001-2002" / file)
    )


def disagreements(pair: Pair, values: Iterable[tuple[Decimal, Decimal]]) -> tuple[list[str], Decimal]:
    """The pairs our conversion does not reproduce within CDC's rounding, and the largest relative deviation of those it does.

    CDC multiplied by a factor of three or four digits and rounded: half of the last digit, and the difference of the factors, are its own.
    """
    factor = catalog().factor(pair.analyte, pair.unit, pair.si_unit)
    assert factor is not None
    ours, theirs = Decimal(factor.numerator) / Decimal(factor.denominator), Decimal(pair.factor)
    assert abs(ours / theirs - 1) < Decimal("0.0005"), f"{pair.analyte}: our factor {ours} is not CDC's {theirs}"
    wrong, largest = [], Decimal(0)
    for value, si in values:
        quantity = convert(f"{value} {pair.unit}", pair.si_unit, analyte=pair.analyte)
        assert (quantity.unit, quantity.comparator) == (pair.si_unit, "")
        deviation = abs(quantity.value - si)
        largest = max(largest, deviation / si)
        if deviation > Decimal(pair.digit) / 2 + value * abs(ours - theirs):
            wrong.append(f"{value} {pair.unit} is {quantity.value} {pair.si_unit}, CDC has {si}")
    return wrong, largest


@pytest.mark.parametrize("pair", PAIRS, ids=IDS)
def test_300_people_in_two_units(pair: Pair) -> None:
    values = values_of(pair, rows_of(DATA / "nhanes_2001_dual_units.csv"))
    assert values.total() == 300
    assert disagreements(pair, values)[0] == []


@needs_shared(f"{ALL_PAIRS:,} pairs of units")
@pytest.mark.parametrize("pair", PAIRS, ids=IDS)
def test_every_pair_of_nhanes_2001_2002(pair: Pair) -> None:
    values = values_of(pair, survey(pair.file))
    assert values.total() == pair.pairs
    wrong, largest = disagreements(pair, values)
    assert wrong == [], f"{len(wrong)} of {len(values)} distinct pairs; largest relative deviation {largest:.5f}"


@needs_shared(f"{ALL_PAIRS:,} pairs of units")
@pytest.mark.parametrize("pair", PAIRS, ids=IDS)
def test_cdc_computed_its_own_column_as_it_says(pair: Pair) -> None:
    """The truth is what we think it is: CDC's factor, rounded to CDC's last digit (halves go either way)."""
    odd = [(v, si) for v, si in values_of(pair, survey(pair.file)) if abs(v * Decimal(pair.factor) - si) > Decimal(pair.digit) / 2]
    assert odd == []


# A value on a line of which the authority prints both figures (180 ng/L = 133 pmol/L, 350 = 258) lies on another side of it in CDC's pmol/L:
# 180 x 0.738 = 132.84 is below 133, and 350 x 0.738 = 258.30 is above 258. No other value of the survey changes its band.
MOVED = {
    ("vitamin_b12", Decimal(180)): ("indeterminate", "deficient", 7),
    ("vitamin_b12", Decimal(350)): ("indeterminate", "unlikely_deficient", 15),
}
ADULTS = (Patient(sex="female", age_years=40, pregnant=False), Patient(sex="male", age_years=40))


def band(analyte: str, value: Decimal, unit: str, person: Patient) -> str:
    """The band by the default limits; a value the plausibility limits refuse has none."""
    (answer,) = interpret([LabResult(catalog().analytes[analyte].name, str(value), unit)], person).rows()
    return str(answer.band if isinstance(answer, Finding) else answer.reason)


@needs_shared("the bands of 25,583 pairs of units")
@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair.analyte != "creatinine"], ids=IDS[:3])
def test_the_same_blood_has_the_same_band_in_both_units(pair: Pair) -> None:
    moved = {}
    for (value, si), count in values_of(pair, survey(pair.file)).items():
        for person in ADULTS:
            one, other = band(pair.analyte, value, pair.unit, person), band(pair.analyte, si, pair.si_unit, person)
            if one != other:
                moved[pair.analyte, value] = (one, other, count)
    expected = {key: how for key, how in MOVED.items() if key[0] == pair.analyte}
    assert set(moved) == set(expected), f"values that change their band with the unit: {moved}"
    assert moved == expected


# --- real people ---------------------------------------------------------------------------------------------
# The default lines once more, written by hand from the sources' own print and for the units of CDC; None: not settled here.


def b12(value: float, age: int) -> str | None:
    if age < 16:
        return None
    return "deficient" if value < 180 else "indeterminate" if value <= 350 else "unlikely_deficient"


def folate(value: float, age: int) -> str | None:
    return "deficient" if value < 3 else "not_deficient"


def homocysteine(value: float, age: int) -> str | None:
    if age < 18:
        return None
    return "normal" if value < 15 else "moderate" if value <= 30 else "intermediate" if value <= 100 else "severe"


def mma(value: float, age: int) -> str | None:
    tops = ((1, 1.25), (11, 0.30), (12, None), (18, 0.35), (65, 0.40), (200, 0.46))
    top = next(top for below, top in tops if age < below)
    return None if top is None else "elevated" if value > top else "normal"


def ferritin(value: float, age: int, sex: str) -> str | None:
    if value < (12 if age < 5 else 15):
        return "deficient"
    if 5 <= age < 20:
        return "adequate" if value <= 150 else None
    return "overload_risk" if age >= 20 and value > (150 if sex == "female" else 200) else "adequate"


def by_hand(test: str, value: float, person: Patient) -> str | None:
    age, sex = int(person.age_years or 0), str(person.sex)
    if person.pregnant:
        return None
    lines: dict[str, Callable[[], str | None]] = {
        "Vitamin B12, serum": lambda: b12(value, age),
        "Folate, serum": lambda: folate(value, age),
        "Homocysteine": lambda: homocysteine(value, age),
        "Methylmalonic acid": lambda: mma(value, age),
        "Ferritin": lambda: ferritin(value, age, sex),
    }
    return lines[test]()


def answered(panels: Iterable[tuple[Report, list[LabResult], Patient]]) -> tuple[Counter[str], list[str]]:
    """What came back, counted, and what is not as it should be."""
    seen: Counter[str] = Counter()
    wrong = []
    for report, results, person in panels:
        answers = list(report.rows())
        if len(answers) != len(results):
            wrong.append(f"{person}: {len(results)} rows in, {len(answers)} answers out")
        for result, answer in zip(results, answers, strict=False):
            expected = by_hand(result.test, float(result.value), person)
            got = answer.band if isinstance(answer, Finding) else answer.reason
            seen[f"{answer.analyte} {got}"] += 1
            maybe_pregnant = person.pregnant is None and person.sex == "female" and 10 <= int(person.age_years or 0) < 60
            if got == expected or (isinstance(answer, NotAssessed) and got == "pregnancy_unknown" and (maybe_pregnant or person.pregnant)):
                continue
            if expected is None and (isinstance(answer, Finding) or got == "no_limit_for_population"):
                continue
            wrong.append(f"{result.test} {result.value} of {person}: {got}, by hand {expected}")
    return seen, wrong


def told(seen: Counter[str]) -> str:
    return "\n".join(f"{count:6} {what}" for what, count in sorted(seen.items()))


def test_the_example_is_real_people_answered_as_by_hand() -> None:
    source = read_file(EXAMPLES / "nhanes_2001.csv")
    people = [panel.patient for panel in source.panels]
    assert len(people) >= 250
    assert {p.sex for p in people} == {"female", "male"}
    assert sum(p.pregnant is True for p in people) >= 30
    assert sum(int(p.age_years or 0) < 18 for p in people) >= 50
    assert sum(int(p.age_years or 0) >= 85 for p in people) >= 20
    assert [panel.notes for panel in source.panels if panel.notes] == []
    seen, wrong = answered((interpret(p.results, p.patient, rows=p.rows), p.results, p.patient) for p in source.panels)
    assert wrong == [], told(seen)
    assert seen.total() == len(rows_of(EXAMPLES / "nhanes_2001.csv")), told(seen)
    reasons = {what.split(" ")[1] for what in seen} & set(REASONS)
    assert reasons == {"no_limit_for_population", "pregnancy_unknown"}, told(seen)
    low = (
        seen["vitamin_b12 deficient"],
        seen["ferritin deficient"],
        seen["folate deficient"],
        seen["mma elevated"],
        seen["homocysteine moderate"],
    )
    assert min(low) >= 3, told(seen)


@needs_shared("that the example is what its script makes")
def test_the_example_is_what_its_script_makes(tmp_path: Path) -> None:
    made = tmp_path / "nhanes_2001.csv"
    folder = str(SHARED / "nhanes-2001-2002")
    subprocess.run([sys.executable, str(EXAMPLES / "make_nhanes_2001.py"), folder, "-o", str(made)], check=True, capture_output=True)
    assert made.read_bytes() == (EXAMPLES / "nhanes_2001.csv").read_bytes()


@needs_shared("the results of 1,000 participants of NHANES")
def test_nhanes_participants_are_answered_as_by_hand() -> None:
    tests = nhanes().TESTS
    people = {row["SEQN"]: row for row in rows_of(SHARED / "nhanes-2001-2002" / "demo_b_age_sex.csv")}

    def panels() -> Iterator[tuple[Report, list[LabResult], Patient]]:
        for row in survey("L06_B.XPT")[::10]:
            facts = people[row["SEQN"]]
            pregnant = {"1": True, "2": False}.get(facts["RIDEXPRG"])
            person = Patient(sex=nhanes().SEX[facts["RIAGENDR"]], age_years=int(facts["RIDAGEYR"]), pregnant=pregnant)
            results = [LabResult(name, row[column], unit) for column, (name, unit) in tests.items() if row[column]]
            yield interpret(results, person), results, person

    seen, wrong = answered(panels())
    assert wrong == [], told(seen)
    assert seen.total() > 4000, told(seen)
    assert {what.split(" ")[1] for what in seen} & set(REASONS) <= {"no_limit_for_population", "pregnancy_unknown"}, told(seen)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("0000000000000000", 0.0),
        ("4110000000000000", 1.0),
        ("C110000000000000", -1.0),
        ("4019999999999999", 0.0999999999999999),
        ("2E00000000000000", None),
        ("4100000000000000", None),
        ("5F00000000000000", None),
    ],
)
def test_ibm_floats(raw: str, value: float | None) -> None:
    read = nhanes().ibm_float(bytes.fromhex(raw))
    assert read == (value if value is None else pytest.approx(value, rel=1e-15, abs=0))
    assert raw != "0" * 16 or repr(read) == "0.0"


# --- units as they are printed -------------------------------------------------------------------------------
# By hand: what each text of the sources means. A text that is not here must not be read at all.

_UNITS = """
g/L        = g/L | g/l
g/dL       = g/dL | g/dl | G/DL | GM/DL | g/dl^^L
mg/L       = mg/L | MG/L
mg/dL      = mg/dL | mg/dl | MG/DL
ug/L       = ug/L | ug/l | \ufffdg/L
ug/dL      = ug/dL | uG/DL | mcg/dL | MCG/DL
ug/mL      = ug/mL | ug/ml | UG/ML | mcg/mL | MCG/ML
ng/dL      = ng/dL | ng/dl | NG/DL
ng/mL      = ng/mL | ng/ml | NG/ML | nG/mL | nG/ML
pg/mL      = pg/mL | PG/ML
mmol/L     = mmol/L | mmol/l | MMOL/L
umol/L     = umol/L | UMOL/L | \u00b5mol/L | mcmol/L
nmol/L     = nmol/L | nmol/l
pmol/L     = pmol/L
meq/L      = mEq/L | MEQ/L
U/L        = U/L | UNITS/L
U/mL       = U/mL
kU/L       = kU/L
[IU]/L     = IU/L
[IU]/mL    = IU/mL | IU/ML | [IU]/mL
m[IU]/L    = mIU/L | m[IU]/L | mU/L
m[IU]/mL   = mIU/mL
u[IU]/mL   = uIU/mL | uU/ML | MCU/ML | mcU/mL
[IU]       = I.U.
U          = U | units
mL/min     = ml/min | ML/MIN
mL/min/{1.73_m2} = ML/MIN/1.73M2
%          = %
fL         = fL
pg         = pg
10*3/uL    = 10*3/uL | 10*3/mm3 | K/uL | k/cumm
10*6/uL    = 10*6/uL | 10*6/mm3 | m/uL | million/mm3
/uL        = /uL | #/uL | /mm3 | #/mm3 | #/CU\u00a0MM
{ratio}    = Ratio | RATIO | {ratio}
{score}    = Score
mg/g       = mg/g | MG/G
mg/(24.h)  = mg/24hr
ug/g{creat}  = ug/g{Cre}
ug/mg{creat} = mcg/mg Cr
U/g{Hb}    = U/g/Hb
"""
UNITS = {
    text.strip(): code.strip() for line in _UNITS.strip().splitlines() for code, texts in [line.split(" = ")] for text in texts.split(" | ")
}


class Printed(NamedTuple):
    """One kind of row of a source: a test's name with its code, its unit, and what the source says of the specimen."""

    name: str
    loinc: str
    unit: str
    specimen: str = ""


def belgian() -> set[Printed]:
    return {Printed(row["name"], row["loinc"], row["unit"]) for row in rows_of(DATA / "belgian_names_units.csv")}


def vista() -> set[Printed]:
    return {Printed(row["name"], row["loinc"], row["unit"]) for row in rows_of(DATA / "vista_names_units.csv")}


def vista_short() -> set[Printed]:
    return {
        Printed(r["loinc_short_name"], r["loinc"], r["expected_unit"])
        for r in rows_of(SHARED / "unit-strings" / "vista_dss_loinc_units.csv")
    }


def smart_tsv() -> set[Printed]:
    return {Printed(row["NAME"], row["LOINC"], row["UNITS"]) for row in rows_of(SHARED / "smart-labs-tsv" / "labs_pid_even.tsv", "\t")}


def smart_fhir() -> set[Printed]:
    text = "".join(path.read_text("utf-8") for path in sorted((SHARED / "fhir-smart-stu3").glob("*.json")))
    coded = re.findall(r'"system": *"http://loinc.org",\s*"code": *"([^"]+)",\s*"display": *"([^"]+)"', text)
    units = set(re.findall(r'"unit": *"([^"]+)"', text)) | set(
        re.findall(r'"system": *"http://unitsofmeasure.org",\s*"code": *"([^"]+)"', text)
    )
    return {Printed(json.loads(f'"{name}"'), code, "") for code, name in coded} | {Printed("", "", unit) for unit in units}


def swiss() -> set[Printed]:
    return {Printed(r["name_as_printed"], "", r["unit_as_printed"]) for r in rows_of(SHARED / "unit-strings" / "swiss_lab_names_units.csv")}


def mimic_units() -> list[tuple[str, str]]:
    return [(row["concept_name"], row["target_concept_id"]) for row in rows_of(SHARED / "omop-mimic-mapping" / "gcpt_meas_unit.csv")]


def mimic_labs() -> list[tuple[str, str, str]]:
    """(label, fluid, OMOP concept) of every laboratory test of MIMIC-IV."""
    labs = []
    for row in rows_of(SHARED / "omop-mimic-mapping" / "gcpt_meas_lab_loinc_mod.csv"):
        label, _, rest = row["concept_name"].partition("|")
        labs.append((label, rest.partition("|")[0], row["target_concept_id"]))
    return labs


def misread(texts: Iterable[str]) -> list[str]:
    """Texts read as another unit than they mean, or read although nobody has said what they mean."""
    read = {text: catalog().units.read(text) for text in texts if text}
    return [
        f"{text!r} is read as {code}, it is {UNITS.get(text)}" for text, code in sorted(read.items()) if code not in (None, UNITS.get(text))
    ]


def test_units_of_belgian_and_vista_reports_are_never_misread() -> None:
    texts = {one.unit for one in belgian() | vista()}
    assert len(texts) > 40
    assert misread(texts) == []


@needs_shared("100 unit spellings of MIMIC, SMART and Swiss reports")
def test_units_of_the_other_sources_are_never_misread() -> None:
    texts = {one.unit for one in smart_tsv() | smart_fhir() | swiss()} | {text for text, _ in mimic_units()}
    assert len(texts) > 100
    assert misread(texts) == []


@needs_shared("89 unit spellings of MIMIC against their OMOP concepts")
def test_spellings_of_one_omop_unit_are_one_unit() -> None:
    """OMOP's own judgement, made by others: one concept, one unit; two concepts, two units, but for three it keeps apart by name only."""
    same_size = [{"8860", "9093"}, {"8784", "8785", "8888"}]  # uU/mL and uIU/mL; cells per uL, per mm3, per cubic mm
    concepts: dict[str, set[str]] = defaultdict(set)
    codes: dict[str, set[str]] = defaultdict(set)
    for text, concept in mimic_units():
        code = catalog().units.read(text)
        if code is not None:
            concepts[concept].add(code)
            codes[code].add(concept)
    assert len(concepts) > 35
    assert {concept: units for concept, units in concepts.items() if len(units) > 1} == {}
    assert {code: found for code, found in codes.items() if len(found) > 1 and not any(found <= one for one in same_size)} == {}


# --- names as they are printed -------------------------------------------------------------------------------
# By hand: every name of the sources that is one of our tests. A name that is not here must not be taken for one.

OURS = {
    "vitamin_d": ["25-OH Vitamin D", "25-Hydroxyvit. D"],
    "vitamin_b12": ["Vitamin B12", "Serum B12", "Vitamin B12 Level", "Vit B12 Ser-mCnc"],
    "folate": ["Folate", "Serum Folate", "Folic Acid/Folate"],
    "homocysteine": ["Homocysteine"],
    "ferritin": ["Ferritin", "Ferritin (serum/plasma) - in mass/volume [\u00b5g/L]"],
    "magnesium": ["Magnesium", "Magnesium SerPl-mCnc"],
    "rbc_magnesium": ["Magnesium erytrocytair"],
    "crp": [
        "CRP",
        "C-Reactive Protein",
        "C Reactive Protein",
        "C reactive protein",
        "C Reactive Protein HS",
        "High-Sensitivity CRP",
        "C-reaktives Protein",
    ],
    "creatinine": ["Creatinine", "Serum Creatinine", "Creatinine, Serum", "Creatinine, Blood", "Kreatinin"],
    "egfr": ["Creatinine eGFR"],
    # haemoglobin, MCV, iron and its carrier
    "hemoglobin": ["Hemoglobin", "Hemoglobin (blood)", "Hemoglobine", "Hämoglobin", "Hgb Bld-mCnc", "Absolute Hemoglobin"],
    "mcv": ["MCV", "MCV RBC", "Erythrocyte mean corpuscular volume", "Mean corpuscular volume (erythrocytes)"],
    "iron": ["Iron", "IJzer", "Iron (serum/plasma) - in mass/volume [µg/dl]"],
    "tibc": ["Iron Binding Capacity, Total"],
    "transferrin": ["Transferrin", "Transferrine", "Transferrin (serum/plasma) - in mass/volume [g/L]"],
    "transferrin_saturation": ["Transferrin Saturation", "IJzersaturatie"],
    # calcium, phosphate, potassium, albumin, parathyroid hormone, alkaline phosphatase
    "calcium": ["Calcium", "Calcium (Serum)", "Calcium, Total", "Total Calcium", "Calcium SerPl-mCnc"],
    "adjusted_calcium": ["Calcium korrigiert"],
    "ionized_calcium": ["Free Calcium"],
    "phosphate": ["Fosfor", "Phosphat", "Phosphate", "Phosphate (Serum)", "Phosphate SerPl-mCnc"],
    "potassium": [
        "Kalium",
        "Potassium",
        "Potassium (Serum)",
        "Potassium, Whole Blood",
        "Potassium SerPl-sCnc",
        "Potassium Bld-sCnc",
        "K (GREEN)",
    ],
    "albumin": ["Albumin", "Albumin (Serum)", "Albumin, Blood", "Albumin SerPl-mCnc"],
    "pth": ["Parathyroid Hormone"],
    "alkaline_phosphatase": ["Alkaline Phosphatase", "Alkalische fosfatase", "Phosphatase Alkaline (Serum)", "ALP SerPl-cCnc"],
    # creatine kinase, TSH, and the fats read beside vitamin E
    "creatine_kinase": ["CK SerPl-cCnc", "Creatine Kinase (CK)"],
    "tsh": ["TSH", "Thyroid Stimulating Hormone", "Thyroid Stimulating Hormone (TSH)", "TSH SerPl-aCnc"],
    "cholesterol": ["Total Cholesterol", "Cholesterol, Total", "Cholest SerPl-mCnc"],
    "triglycerides": ["Triglycerides", "Trigl SerPl-mCnc"],
}
# Ours too, in words that need not be understood: the answer is the right one or "unknown".
ALSO_OURS = {
    "vitamin_d": ["25(OH)D3 SerPl-mCnc"],
    "folate": ["Folate SerPl-mCnc"],
    "homocysteine": ["Homocysteine SerPl-sCnc"],
    "crp": ["CRP SerPl-mCnc", "CRP SerPl High Sens-mCnc"],
    "creatinine": ["Creat SerPl-mCnc", "Creat Bld-mCnc", "Creatinine Ser Qn (Clr)", "Creatinine, Whole Blood"],
    "hemoglobin": ["Hgb", "Hemoglobin, Calculated", "Hgb Pre Therap Phleb"],
    "egfr": ["Estimated GFR (MDRD equation)", "MDRDgfr", "Pred GFR SerPl MDRD-vRate"],
    # a share by its sign alone, which names do not keep: its unit % is refused
    "ionized_calcium": ["% Ionized Calcium"],
    "phosphate": ["Phosphate Ser-Pl-mCNC"],
    "albumin": ["(Albumin)", "<Albumin>", "Albumin SerPl Qn (Drug Monitor)"],
}
NAMES = {name: analyte for table in (OURS, ALSO_OURS) for analyte, names in table.items() for name in names}
MUST = {name for names in OURS.values() for name in names}
CODES = {
    "1989-3": "vitamin_d", "2132-9": "vitamin_b12", "2284-8": "folate", "13965-9": "homocysteine", "2276-4": "ferritin", "19123-9": "magnesium",
    "2601-3": "magnesium", "2593-2": "rbc_magnesium", "1988-5": "crp", "30522-7": "crp", "2160-0": "creatinine", "38483-4": "creatinine",
    "33914-3": "egfr",
    "718-7": "hemoglobin", "787-2": "mcv", "30428-7": "mcv", "2498-4": "iron", "2502-3": "transferrin_saturation", "3034-6": "transferrin",
    "17861-6": "calcium", "49765-1": "calcium", "2000-8": "calcium", "2777-1": "phosphate", "14879-1": "phosphate", "2823-3": "potassium", "6298-4": "potassium",
    "1751-7": "albumin", "6768-6": "alkaline_phosphatase", "2731-8": "pth",
    "2157-6": "creatine_kinase", "3016-3": "tsh", "11580-8": "tsh", "11579-0": "tsh", "2093-3": "cholesterol", "2571-8": "triglycerides",
}  # fmt: skip

UNREAD = {"38483-4"}  # creatinine in whole blood: need not be known


def named(name: str, loinc: str | None = None, specimen: str | None = None) -> str | None:
    found = identify(catalog(), name, loinc, specimen)
    return found.analyte if isinstance(found, Identified) else None


def misnamed(names: Iterable[str]) -> list[str]:
    """Names taken for a test they are not, and names of ours that are not known."""
    wrong = []
    for name in sorted(set(names) - {""}):
        got, right = named(name), NAMES.get(name)
        if got not in (None, right):
            wrong.append(f"{name!r} is taken for {got}, it is {right or 'another test'}")
        elif got is None and name in MUST:
            wrong.append(f"{name!r} is {right} and is not known")
    return wrong


def miscoded(rows: Iterable[Printed]) -> list[str]:
    """Name and LOINC code together: the code's test, or none; a code that is not in the catalog is refused, never overruled."""
    wrong = []
    for one in sorted(set(rows)):
        if one.loinc:
            got, right = named(one.name, one.loinc), CODES.get(one.loinc)
            if got != right and not (got is None and (one.loinc in UNREAD or one.loinc not in catalog().table["loinc"])):
                wrong.append(f"{one.name!r} with {one.loinc} is taken for {got}, it is {right or 'another test'}")
    return wrong


def test_names_of_belgian_and_vista_reports() -> None:
    rows = belgian() | vista()
    assert len({one.name for one in rows}) > 150
    assert misnamed(one.name for one in rows) == []
    assert miscoded(rows) == []


@needs_shared("190 names of SMART, Swiss and LOINC short names")
def test_names_of_the_other_reports() -> None:
    rows = smart_tsv() | smart_fhir() | vista_short()
    assert misnamed(one.name for one in rows | swiss()) == []
    assert miscoded(rows) == []


@needs_shared("1,402 laboratory tests of MIMIC-IV")
def test_names_of_every_laboratory_test_of_mimic() -> None:
    labs = mimic_labs()
    assert len(labs) == 1402
    assert misnamed(label for label, _, _ in labs) == []
    taken = [
        f"{label!r} in {fluid} is taken for {named(label, None, fluid)}"
        for label, fluid, _ in labs
        if fluid != "Blood" and named(label, None, fluid)
    ]
    assert taken == []


@needs_shared("the OMOP concepts of 1,402 laboratory tests of MIMIC-IV")
def test_names_agree_with_the_concepts_others_mapped_them_to() -> None:
    """Which tests share an OMOP concept with one of ours was decided by the people of OHDSI."""
    ours: dict[str, set[str]] = defaultdict(set)
    for label, fluid, concept in mimic_labs():
        analyte = named(label) and named(label, None, fluid)
        if analyte and concept:
            ours[concept].add(analyte)
    assert {concept: found for concept, found in ours.items() if len(found) > 1} == {}
    others = [(label, fluid) for label, fluid, concept in mimic_labs() if concept in ours and not named(label, None, fluid)]
    assert others == [
        ("Creatinine, Serum", "Urine"),  # MIMIC files this serum result under urine; two statements that contradict each other
        ("TurbHbI", "Blood"),  # an index of turbidity by its name; unknown is right
    ]


def test_a_result_of_ours_is_read_in_its_unit_or_refused_by_name() -> None:
    answers = Counter()
    for one in belgian() | vista():
        if CODES.get(one.loinc):
            answer = measure(catalog(), LabResult(one.name, "5", one.unit, loinc=one.loinc), 1)
            if isinstance(answer, Measured):
                assert (answer.analyte, answer.quantity.unit) == (CODES[one.loinc], UNITS[one.unit])
            else:
                accepted = {"missing_unit", "implausible"} | ({"conflicting_code"} if one.loinc not in catalog().table["loinc"] else set())
                accepted |= {"unknown_unit"} if " or " in one.unit else set()  # "MEQ/L or MMOL/L": never one of the two by guess
                assert answer.reason in accepted, f"{one}: {answer.reason}"
                assert answer.message
            answers[answer.reason if isinstance(answer, NotAssessed) else "read"] += 1
    assert answers["read"] >= 9, answers


# --- contradictions real systems make ------------------------------------------------------------------------


@needs_shared("the nine body fluids of MIMIC-IV")
def test_a_result_of_another_body_fluid_is_not_taken_for_blood() -> None:
    fluids = {fluid for _, fluid, _ in mimic_labs()} - {"Blood", ""}
    assert len(fluids) == 9
    assert [
        f"{name} in {fluid}" for name in ("Creatinine", "Magnesium", "Ferritin") for fluid in sorted(fluids) if named(name, None, fluid)
    ] == []


OTHER_CODES = (
    ("Magnesium", "2593-2", "magnesium in red cells (Belgian bundle)"),
    ("Creatinine", "2164-2", "creatinine clearance (VistA)"),
    ("Creatinine", "14959-1", "microalbumin per creatinine (VistA)"),
    ("Ferritin", "2498-4", "iron (Belgian bundle)"),
)


@pytest.mark.parametrize(("name", "loinc", "meaning"), OTHER_CODES)
def test_a_code_of_another_test_is_not_overruled_by_a_short_name(name: str, loinc: str, meaning: str) -> None:
    assert named(name, loinc) != NAMES[name], f"{loinc} is {meaning}"


def test_a_code_of_urine_is_not_overruled_by_a_short_name() -> None:
    """The Belgian bundle prints 2161-8, creatinine in urine, as plain "Creatinine"."""
    assert named("Creatinine", "2161-8") is None


@pytest.mark.parametrize("text", ["ng/mL (RBC)", "ng/mL [RBC]", "mg/dL (urine)", "ng/mL (nmol/L)", "pg/mL (x1000)"])
def test_a_note_of_another_specimen_unit_or_factor_is_not_dropped(text: str) -> None:
    """CDC's red-cell folate is in "ng/mL RBC", which is refused; in brackets it means the same."""
    assert catalog().units.read(text) is None


def test_the_unit_of_red_cell_folate_is_not_read_as_that_of_serum() -> None:
    assert catalog().units.read("ng/mL RBC") is None
    assert catalog().units.read("nmol/L RBC") is None
