"""The data files: no problem, every line and band under test, every figure cited, generated files current."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from labinterp import Catalog
from labinterp._checks import check_directory
from labinterp._results import Finding
from labinterp._rules import LimitSet
from labinterp._spans import span_edges
from labinterp.testing import read_cases

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "reference_ranges"
FILES = sorted(DATA.rglob("*.toml"))
ANALYTES = sorted((DATA / "analytes").glob("*.toml"))
CASES = sorted(p for p in (ROOT / "tests" / "cases").glob("*.toml") if p.stem != "units")

# IUPAC abridged standard atomic weights
WEIGHTS = {
    "H": "1.008", "C": "12.011", "N": "14.007", "O": "15.999", "P": "30.974", "S": "32.06", "Co": "58.933", "Mg": "24.305", "Fe": "55.845", "Ca": "40.078", "K": "39.098",
}  # fmt: skip
NEAR = Fraction(3, 100)  # a case stands beside a line up to this share of it away, or one step of the printed figure (0.9 beside 1.0)


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)


# --- the checks, and what lies behind a figure ---------------------------------------------------------------


def test_the_data_files_have_no_problem() -> None:
    """Every load-time check passes on the data that ships."""
    assert not [str(problem) for problem in check_directory(DATA)]


@pytest.mark.parametrize("path", ANALYTES, ids=lambda p: p.stem)
def test_a_molar_mass_is_the_mass_of_its_formula(path: Path) -> None:
    """The molar mass in a file is what its chemical formula weighs, to 0.001 g/mol."""
    moiety = read(path)["units"]["moiety"]
    if "formula" not in moiety:
        assert "molar_mass" not in moiety or moiety.get("because"), "a mass without a formula says where it is from"
        return
    parts = re.findall(r"([A-Z][a-z]?)(\d*)", moiety["formula"])
    assert "".join(element + count for element, count in parts) == moiety["formula"]
    mass = sum(Decimal(WEIGHTS[element]) * int(count or 1) for element, count in parts)
    assert abs(mass - moiety["molar_mass"]) <= Decimal("0.001")


def cites(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every citation in a file, with its place."""
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key == "cite":
            yield from ((f"{place} cite {n + 1}", cite) for n, cite in enumerate(part))
        else:
            yield from cites(part, f"{place} {part.get('id', key) if isinstance(part, dict) else key}")


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_citation_says_where_and_how_it_was_checked(path: Path) -> None:
    """A citation is a source, a place in it, and "primary" or "secondary"; nothing less, nothing else."""
    for place, cite in cites(read(path)):
        assert sorted(cite) == ["checked", "locator", "source"], place
        assert cite["locator"].strip(), place
        assert cite["checked"] in ("primary", "secondary"), place


@pytest.mark.parametrize("path", ANALYTES, ids=lambda p: p.stem)
def test_every_figure_and_link_has_a_citation(path: Path) -> None:
    """No limit set, record of silence, critical value, alert or caveat stands without a source."""
    data = read(path)
    for kind in ("limits", "no_limit", "critical", "alerts", "caveats", "derive"):
        assert all(item["cite"] for item in data.get(kind, ())), kind


def test_every_link_and_suppression_has_a_citation() -> None:
    """No link from a state to a muscle effect, and no pattern, stands without a source."""
    for path in (DATA / "conditions").glob("*.toml"):
        data = read(path)
        assert all(item["cite"] for kind in ("links", "suppress") for item in data.get(kind, ())), path.name
    assert all(read(path)["cite"] for path in (DATA / "patterns").glob("*.toml"))


# --- what is generated ---------------------------------------------------------------------------------------


def test_schemas_and_ids_are_current() -> None:
    """The JSON Schemas are those of the models, and `ids.txt` lists every id of the data."""
    done = subprocess.run([sys.executable, str(ROOT / "tests" / "schemas.py")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_published_id_is_still_there() -> None:
    """An id that was published never disappears from the data."""
    published = [line for line in (DATA / "ids.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert published == sorted(set(published))
    table = Catalog.default().table
    there = {*table["limits"], *table["no_limit"], *(f"pattern/{id}" for id in table["patterns"])}
    for analyte in table["analytes"].values():
        there |= {item["id"] for kind in ("critical", "alerts", "caveats") for item in analyte[kind]}
    for block in (block for derive in table["derive"] for block in derive["blocks"]):
        there |= {block["id"], *(caution["id"] for caution in block["cautions"])}
    for condition in table["conditions"].values():
        there |= {item["id"] for kind in ("links", "suppress") for item in condition.get(kind, ())}
    assert not set(published) - there


def test_every_schema_named_in_a_data_file_exists() -> None:
    """The schema that a data file names in its first line is there, so that an editor can use it."""
    named = {path: re.match(r"#:schema (\S+)", path.read_text("utf-8")) for path in FILES}
    assert all((path.parent / found[1]).is_file() for path, found in named.items() if found)
    assert sum(found is not None for found in named.values()) > len(ANALYTES)


# --- every band and line is under test -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def asked() -> list[tuple[Finding, set[str]]]:
    """The findings whose band or code a case asserts, with the alerts the case asserts."""
    from labinterp import interpret

    catalog, found = Catalog.default(), []
    for path in CASES:
        for case in read_cases(path, catalog):
            if not {"band", "code", "alerts"} & set(case.expect):
                continue
            report = interpret(case.results, case.patient, **case.options)
            found += [(f, set(case.expect)) for f in report.findings if f.row == 1]
    return found


def side(value: Fraction, line: Fraction, word: str, near: Fraction) -> set[str]:
    """The side of a line that a value near it takes: the line itself lies above the word "at_least" and below the word "above"."""
    if abs(value - line) > near * line:
        return set()
    return {"above" if value > line or (value == line and word == "at_least") else "below"}


def test_every_band_and_every_line_is_under_test(asked: list[tuple[Finding, set[str]]]) -> None:
    """Each band of each population of each limit set is the answer of a case, and each line has a case on both sides."""
    hits: dict[tuple[str, int], list[Finding]] = {}
    for finding, keys in asked:
        basis = finding.basis
        if {"band", "code"} & keys and basis.limit_set is not None and basis.population is not None and not finding.comparator:
            hits.setdefault((basis.limit_set.id, basis.population), []).append(finding)
    catalog, missing = Catalog.default(), []
    for id in catalog.table["limits"]:
        limit_set: LimitSet = catalog.limit_set(id)
        for number, population in enumerate(limit_set.populations):
            found = hits.get((id, number), [])
            bands = {band[0] for band in population["bands"]}
            missing += [f"{id}, {population['who']}: no case answers {band!r}" for band in bands - {f.band for f in found}]
            for at, (line, word) in enumerate(population["lines"]):
                step = Fraction(10) ** int(Decimal(line).as_tuple().exponent) / Fraction(line)
                sides = set[str]()
                for finding in found:
                    exact = limit_set.exact_lines(number, finding.unit)[at]
                    sides |= side(Fraction(finding.value), exact, word, max(NEAR, step))
                missing += [f"{id}, {population['who']}: no case just {s} {line}" for s in sorted({"above", "below"} - sides)]
    assert not missing, "\n" + "\n".join(missing)


def test_every_shift_is_under_test(asked: list[tuple[Finding, set[str]]]) -> None:
    """Each circumstance that moves the lines of a set has a case on both sides of a line that it moved."""
    catalog, missing = Catalog.default(), []
    for id in catalog.table["limits"]:
        for shift in catalog.limit_set(id).data["shifts"]:
            sides = set[str]()
            for finding, keys in asked:
                limit_set, population = finding.basis.limit_set, finding.basis.population
                if not ({"band", "code"} & keys) or finding.comparator or limit_set is None or population is None:
                    continue
                if limit_set.id == id and shift in limit_set.moved_by:
                    words = [word for _, word in limit_set.populations[population]["lines"]]
                    for line, word in zip(limit_set.exact_lines(population, finding.unit), words, strict=True):
                        sides |= side(Fraction(finding.value), line, word, NEAR)
            missing += [f"{id} in {shift['requires']}: no case just {s} a moved line" for s in sorted({"above", "below"} - sides)]
    assert not missing, "\n" + "\n".join(missing)


def test_every_critical_value_and_alert_is_under_test(asked: list[tuple[Finding, set[str]]]) -> None:
    """Each line of each critical value and alert has a case on both sides that asserts the code or the alerts."""
    catalog, missing = Catalog.default(), []
    for analyte, entry in catalog.table["analytes"].items():
        for kind, key in (("critical", "code"), ("alerts", "alerts")):
            for item in entry[kind]:
                for at in range(len(span_edges(catalog, analyte, item, item["unit"])[0])):
                    sides = set[str]()
                    for finding, keys in asked:
                        if finding.analyte == analyte and key in keys and not finding.comparator:
                            edge = span_edges(catalog, analyte, item, finding.unit)[0][at]  # the first float of the stretch above
                            sides |= side(Fraction(float(finding.value)), Fraction(edge), "at_least", NEAR)
                    missing += [f"{item['id']}: no case just {s} line {at + 1}" for s in sorted({"above", "below"} - sides)]
    assert not missing, "\n" + "\n".join(missing)


def test_every_no_limit_record_is_under_test() -> None:
    """Each authority that draws no line is asked in a case, and the answer says that it gives none."""
    catalog, seen = Catalog.default(), set()
    for path in CASES:
        for case in read_cases(path, catalog):
            if case.expect.get("reason") == "authority_gives_no_limit" and path.stem in catalog.table["analytes"]:
                asked = case.options["authority"]
                seen |= {asked, f"{path.stem}/{asked}"} if asked else {catalog.table["analytes"][path.stem]["default"]}
    authorities = {id: f"{none['analyte']}/{none['authority']}" for id, none in catalog.table["no_limit"].items()}
    assert not [id for id, name in authorities.items() if not {id, name} & seen]


def test_no_analyte_is_without_cases() -> None:
    """Each analyte has a file of cases with the same stem."""
    assert {p.stem for p in ANALYTES} <= {p.stem for p in CASES}
