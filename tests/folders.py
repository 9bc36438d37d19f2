"""Every folder of real data read whole, as a user would -> what was recognised, assessed and refused, and whose flags are reproduced.

`python -m tests.folders --write` writes docs/real-data.md. The data lie beside the project (`../shared/data`) and are not part of it.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from labinterp import Catalog, LabResult, NotAssessed, interpret
from labinterp._codes import REASONS
from labinterp._flag_words import agrees, flag_code
from labinterp._identify import Identified, identify
from labinterp._quantity import Quantity, ReadValue, read_value
from labinterp._reported import read_reported
from labinterp.errors import LabInterpError
from labinterp.readers import Source, read_files

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "real-data.md"


class Set(NamedTuple):
    """Files that are read together, and how.

    Attributes:
        files: Patterns within the folder; each file alone unless `together`.
        together: Whether they belong together.
        how: Options of `read_files`.
        decimal: The decimal mark, where a user has to give it.
    """

    files: tuple[str, ...]
    together: bool = False
    how: Mapping[str, Any] = {}
    decimal: str | None = None


# Folder -> what of it holds results. The options are those the provenance of the folder gives a reason for.
FOLDERS: dict[str, tuple[Set, ...]] = {
    "brinda-sample": (
        Set(("sample_data.csv",), how={"columns": {"ferritin": "sf"}, "units": {"ferritin": "ug/L", "crp": "mg/L", "agp": "g/L", "stfr": "mg/L"}}),
    ),
    "fhir-hl7be-lab": (Set(("*.json",)),),
    "fhir-smart-stu3": (Set(("*.json",)),),
    "fhir-spec-r4": (Set(("Bundle-*.json", "Observation-*.json")),),
    "fhir-synthea-r4": (Set(("*.json",)),),
    "hl7v2-fhir-converter": (Set(("*.hl7",)), Set(("*-expected.json",))),
    "nhanes-1971-1975-magnesium": (
        Set(("*.csv",), how={"units": {"Serum Albumin": "g/dL", "Serum Iron": "ug/dL", "TIBC": "ug/dL", "TS": "%", "Serum Cholesterol": "mg/dL"}}),
    ),
    "nhanes-2001-2002": (Set(("L06_B.XPT", "L40_B.XPT", "demo_b_age_sex.csv"), together=True),),
    "nhanes-2003-2004": (Set(("L25_C.XPT", "L40_C.XPT", "demo_c_age_sex.csv"), together=True),),
    "nhanes-2005-2008-iron": (
        Set(("FERTIN_D.XPT", "TFR_D.XPT", "demo_d_age_sex.csv"), together=True),
        Set(("FERTIN_E.XPT", "demo_e_age_sex.csv"), together=True),
        Set(("women_18_45_2005_2006_iron_hb.csv",)),
    ),
    "nhanes-2009-2010-vitd": (Set(("*.csv",), how={"units": {"vit_d": "nmol/L", "calcium": "mg/dL"}}),),
    "omop-synthea27nj": (Set(("MEASUREMENT.csv", "PERSON.csv", "CONCEPT_used.csv"), together=True),),
    "smart-labs-tsv": (Set(("labs_pid_even.tsv",), decimal="."),),
}  # fmt: skip
NO_RESULTS = ("nhanes-codebooks", "omop-mimic-mapping", "ucum", "unit-strings")


class Difference(NamedTuple):
    """A flag of a laboratory that our reading of its own range does not give."""

    file: str
    place: str
    test: str
    value: str
    printed: str
    flag: str
    ours: str


class Read(NamedTuple):
    """What came of a folder."""

    folder: str
    files: int
    results: int
    recognised: int
    assessed: int
    reasons: Counter[str]
    plain: int  # rows with a printed range that is plain, and a value to hold against it
    flagged: int  # of these, rows with a flag that says a side or normal
    reproduced: int
    silent: int  # rows without a flag in files that print flags
    inside: int  # of these, in their range
    differences: list[Difference]
    notes: list[str]


# --- folders with results --------------------------------------------------------------------------------------


def sources(folder: str) -> Iterator[tuple[Set, int, Source]]:
    """Each set of files as it is read, with the number of its files.

    Raises:
        FileNotFoundError: A pattern matches nothing.
    """
    for one in FOLDERS[folder]:
        paths = [path for pattern in one.files for path in sorted((SHARED / folder).glob(pattern))]
        if not paths:
            raise FileNotFoundError(f"{folder}: {one.files}")
        for group in [paths] if one.together else [[path] for path in paths]:
            yield one, len(group), read_files(group, **one.how)


def read(folder: str) -> Read:
    """Read a folder whole and count.

    Args:
        folder: One of `FOLDERS`.
    """
    files = results = recognised = assessed = plain = flagged = reproduced = silent = inside = 0
    reasons: Counter[str] = Counter()
    differences: list[Difference] = []
    notes: list[str] = []
    for one, count, source in sources(folder):
        files += count
        notes += source.notes
        listed: list[tuple[LabResult, str]] = []
        for panel in source.panels:
            report = interpret(panel.results, panel.patient, rows=panel.rows, decimal=one.decimal)
            for result, answer in zip(panel.results, report.rows(), strict=True):
                results += 1
                recognised += answer.analyte is not None
                if isinstance(answer, NotAssessed):
                    reasons[answer.reason] += 1
                else:
                    assessed += 1
                code = printed_code(result, one.decimal)
                if code:
                    listed.append((result, code))
        flagging = any(flag_code(result.flag) for result, _ in listed)
        for result, code in listed:
            plain += 1
            flag = flag_code(result.flag)
            if flag:
                flagged += 1
                reproduced += agrees(flag, code)
            elif flagging and not result.flag:
                silent += 1
                inside += code == "N"
            if (flag and not agrees(flag, code)) or (flagging and not result.flag and code != "N"):
                file, _, place = str(result.source).partition(", ")
                differences.append(Difference(file, place, result.test, _shown(result), _range(result), result.flag or "none", code))
    return Read(folder, files, results, recognised, assessed, reasons, plain, flagged, reproduced, silent, inside, differences, notes)


def printed_code(result: LabResult, decimal: str | None) -> str | None:
    """What the laboratory's own range says of its value, whatever the test: L, N, H, or None where that is not plain."""
    units = Catalog.default().units
    value = read_value(result.value, decimal=decimal or ".") if isinstance(result.value, (str, int, float, Decimal)) else None
    if not isinstance(value, ReadValue) or value.rest:
        return None
    comparator = value.comparator or result.comparator or ""
    quantity = Quantity(value.value, units.read(result.unit or "") or result.unit or "", comparator, value.high)
    reported = read_reported(quantity, result.ref_low, result.ref_high, result.ref_text, result.flag, units, decimal or ".")
    return reported and reported.code


def _shown(result: LabResult) -> str:
    return f"{result.comparator or ''}{result.value} {result.unit or ''}".strip()


def _range(result: LabResult) -> str:
    ends = " - ".join("" if end is None else str(end) for end in (result.ref_low, result.ref_high))
    return "; ".join(part for part in (ends if ends.strip(" -") else "", result.ref_text or "") if part)


# --- folders without results -------------------------------------------------------------------------------------


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,}"


def _named(name: str, loinc: str | None = None, specimen: str | None = None) -> str | None:
    found = identify(Catalog.default(), name, loinc, specimen)
    return found.analyte if isinstance(found, Identified) else None


def unit_strings() -> str:
    """Names and units as laboratories print them."""
    units = Catalog.default().units
    vista, swiss = _rows(SHARED / "unit-strings/vista_dss_loinc_units.csv"), _rows(SHARED / "unit-strings/swiss_lab_names_units.csv")
    texts = {row["expected_unit"] for row in vista} | {row["unit_as_printed"] for row in swiss}
    texts.discard("")
    read_ = {text for text in texts if units.read(text)}
    names = {(row["dss_test_name"], row["loinc"]) for row in vista} | {(row["name_as_printed"], "") for row in swiss}
    known = {name for name in names if _named(name[0], name[1] or None)}
    left = ", ".join(f"`{text}`" for text in sorted(texts - read_))
    return (
        f"no results: a list of names and units as laboratories print them. Units read: {_share(len(read_), len(texts))}; not read: {left}. "
        f"Names that are an analyte of the catalog: {_share(len(known), len(names))}; the others are other tests, or refused by name."
    )


def mimic() -> str:
    """Units and tests of MIMIC-IV, mapped to OMOP concepts by hand."""
    units = Catalog.default().units
    texts = [row["concept_code"] for row in _rows(SHARED / "omop-mimic-mapping/gcpt_meas_unit.csv")]
    labels = [row["concept_name"].split("|") for row in _rows(SHARED / "omop-mimic-mapping/gcpt_meas_lab_loinc_mod.csv")]
    blood = [one[0] for one in labels if len(one) > 1 and one[1] == "Blood"]
    others = [one for one in labels if len(one) > 1 and one[1] != "Blood"]
    taken = sum(bool(_named(one[0], None, one[1])) for one in others)
    return (
        f"no results: two tables of unit strings and of test labels. Units read: {_share(sum(bool(units.read(text)) for text in texts), len(texts))}. "
        f"Labels of blood that are an analyte of the catalog: {_share(sum(bool(_named(name)) for name in blood), len(blood))}; "
        f"labels of other fluids taken for one: {_share(taken, len(others))}."
    )


def ucum() -> str:
    """The functional tests of UCUM that concern units this library reads."""
    units, whole = Catalog.default().units, ET.parse(SHARED / "ucum/UcumFunctionalTests.xml").getroot()
    cases = [(case.get("unit", ""), case.get("valid") == "true") for case in whole.iterfind("validation/case") if case.get("unit")]
    valid = [unit for unit, right in cases if right]
    wrong = [unit for unit, right in cases if not right]
    odd = sorted({unit for unit in wrong if units.read(unit)})
    pairs = [
        case for case in whole.iterfind("conversion/case") if units.read(case.get("srcUnit", "")) and units.read(case.get("dstUnit", ""))
    ]
    return (
        f"no results: tests of a parser for all of UCUM, of which this library reads the units of laboratories. Valid codes read: "
        f"{_share(sum(bool(units.read(unit)) for unit in valid), len(valid))}, the others are `unknown_unit`. Invalid codes read: {_share(len(odd), len(wrong))}"
        f"{': ' + ', '.join(f'`{unit}`' for unit in odd) + ' (a spelling laboratories print)' if odd else ''}. "
        f"Of its {len(whole.findall('conversion/case'))} conversions {len(pairs) or 'none'} is between two units of the catalog."
    )


def codebooks() -> str:
    """CDC's codebooks, and the factors in them."""
    folder = SHARED / "nhanes-codebooks"
    seen = agreed = 0
    for row in _rows(folder / "cdc_conversion_statements.csv"):
        said = _STATEMENT.search(row["statement_verbatim"])
        analyte = said and _named(said["name"].strip())
        factor = said and analyte and _factor(analyte, said["unit"], said["to"])
        if not factor:
            continue
        seen += 1
        theirs = 1 / float(row["factor"]) if row["operation"].startswith("div") else float(row["factor"])
        agreed += abs(factor / theirs - 1) < 0.005
    books = len(list(folder.glob("*.md"))) - 1
    return (
        f"no results: {books} codebooks and CDC's own sentences on how it converted. Conversions of an analyte of the catalog: {seen:,}, of which "
        f"{agreed:,} agree with ours within CDC's own rounding of the factor (0.5 %)."
    )


_STATEMENT = re.compile(r"(?:^|\s)[Tt]he (?P<name>[A-Za-z0-9 -]+?) in (?P<unit>\S+) (?:\(\w+\) )?was converted to (?P<to>\S+)")


def _factor(analyte: str, unit: str, to: str) -> float | None:
    units = Catalog.default().units
    one, other = units.read(unit), units.read(to.rstrip(".,"))
    try:
        found = Catalog.default().factor(analyte, one, other) if one and other else None
    except LabInterpError:
        return None
    return found.numerator / found.denominator if found else None


LISTS: dict[str, Callable[[], str]] = {
    "nhanes-codebooks": codebooks,
    "omop-mimic-mapping": mimic,
    "ucum": ucum,
    "unit-strings": unit_strings,
}


# --- the page ------------------------------------------------------------------------------------------------------

_HEAD = """# Real data

What the readers make of real files: surveys, laboratories' own test messages, sample patients. Each folder is read whole, each file as a user
would read it. The table is computed by `python -m tests.folders --write`, and `tests/test_every_folder.py` computes it again wherever the data
are at hand (they lie beside the project, with their provenance and licences, and are not part of it).

"Recognised" is a result whose test is an analyte of the catalog. Most of what is not recognised is another test: the catalog has {analytes} analytes, and a blood
count alone has twenty lines. Every result has an answer or a reason; none is dropped.
"""

# Reasons that were looked at row by row, and why they are true where that is not plain.
REMARKS: dict[str, str] = {
    "brinda-sample": "Nobody's age is given, so a ferritin between the lines for young children and others is `age_unknown`. The soluble transferrin receptor is no transferrin. `--column ferritin=sf`, units from its description.",
    "fhir-hl7be-lab": "Magnesium in red cells stands under LOINC 2593-2, which is not in our list of its codes (`conflicting_code`); creatinine of urine is `wrong_specimen`; five results have no value or are not there yet.",
    "fhir-smart-stu3": "Ranges of 0 to 0 are none. Creatinine and lipids have no limit here.",
    "fhir-spec-r4": "Everything in the nested bundles is counted once.",
    "fhir-synthea-r4": "LOINC 38483-4 is creatinine of whole blood under the bare name (`conflicting_code`); an eGFR in mL/min is not set against body surface (`incompatible_unit`).",
    "hl7v2-fhir-converter": "Haemoglobin 12.5 g/mL is a slip of the message, and of the FHIR made of it, by a factor of 100 (`implausible`); `g/l-1` is no unit (`unknown_unit`); one haemoglobin was not ready.",
    "nhanes-1971-1975-magnesium": "The file codes sex as 1 and 2, which are not guessed. Magnesium has no unit in any codebook that was found (`missing_unit`). `TS` alone may be another test.",
    "nhanes-2001-2002": "What is not recognised: metals, cotinine, hormones, enzymes, salts and proteins that are not in the catalog. Creatinine, cholesterol and triglycerides have no limit here (`authority_gives_no_limit`); most lines are not drawn for young children or in pregnancy (`no_limit_for_population`).",
    "nhanes-2003-2004": "What is not recognised: the rest of the blood count, enzymes, salts and proteins.",
    "nhanes-2005-2008-iron": "What is not recognised: the soluble transferrin receptor.",
    "smart-labs-tsv": "Sex and birth date stand in another file that these rows do not carry, so children's lines cannot be excluded. Read with `--decimal .`: 1.002 alone reads two ways.",
    "omop-synthea27nj": "Most rows are vital signs, scores and tests the catalog does not have. Creatinine of whole blood under LOINC 38483-4, as above; microalbumin beside creatinine is of urine.",
}  # fmt: skip


def page(reads: Sequence[Read]) -> str:
    """The page, as Markdown."""
    lines = [_HEAD.format(analytes=len(Catalog.default().analytes)), "## What was read", ""]
    lines += ["| Folder | Files | Results | Recognised | Assessed | Not assessed |", "|---|---:|---:|---:|---:|---|"]
    lines += [counted(one) for one in reads]
    total = [sum(getattr(one, name) for one in reads) for name in ("files", "results", "recognised", "assessed")]
    lines += [f"| all | {' | '.join(f'{number:,}' for number in total)} | {sum(one.reasons.total() for one in reads):,} |", ""]
    lines += ["What is behind the reasons:", "", *(f"- **{folder}**: {text}" for folder, text in REMARKS.items()), ""]
    lines += ["Folders that hold no results:", "", *(f"- **{folder}**: {LISTS[folder]()}" for folder in NO_RESULTS), ""]
    lines += [
        "## Printed ranges and printed flags",
        "",
        "A row counts where the laboratory's own range is plain and there is a value to hold against it, whatever the test. Where a file prints flags, a row",
        "without one is taken as normal.",
        "",
        "| Folder | Rows with a plain range | With a flag | Flag reproduced | Without a flag, in a file with flags | In range |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [compared(one) for one in reads if one.plain]
    lines += ["", "Every difference:", ""]
    lines += ["| File | Place | Test | Value | Printed range | Printed flag | By that range |", "|---|---|---|---|---|---|---|"]
    lines += [line for one in reads for line in differing(one)]
    return "\n".join(lines) + "\n"


def counted(one: Read) -> str:
    """The row of a folder in the first table."""
    why = ", ".join(f"`{reason}` {one.reasons[reason]:,}" for reason in REASONS if one.reasons[reason])
    return f"| {one.folder} | {one.files} | {one.results:,} | {one.recognised:,} | {one.assessed:,} | {why} |"


def compared(one: Read) -> str:
    """The row of a folder in the table of flags."""
    share = f"{one.reproduced:,} ({one.reproduced / one.flagged:.1%})" if one.flagged else "-"
    return f"| {one.folder} | {one.plain:,} | {one.flagged:,} | {share} | {one.silent:,} | {one.inside:,} |"


def differing(one: Read) -> list[str]:
    """The rows of a folder in the table of differences."""
    return ["| " + " | ".join(_cell(text) for text in difference) + " |" for difference in one.differences]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").split())


def everything() -> list[Read]:
    """Every folder that holds results, in order."""
    return [read(folder) for folder in FOLDERS]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/real-data.md instead of showing it")
    given = parser.parse_args()
    text = page(everything())
    if given.write:
        PAGE.write_text(text, "utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
