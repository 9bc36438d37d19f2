"""Run a file of cases against a catalog: how this catalog is tested, and how a hospital tests its own limits.

A cases file is TOML. `[[lines]]` are tables of values beside the lines of one limit set; `[[case]]` is one result
with its person; `[[panel]]` is several results and what must be said of them together.

Example:
    >>> from pathlib import Path
    >>> cases = Path("tests/cases/agp.toml")
    >>> [str(f) for f in run_cases(cases)] if cases.exists() else []
    []
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

from labinterp._catalog import Catalog
from labinterp._inputs import LabResult, Patient
from labinterp._interpret import interpret
from labinterp._report import Report
from labinterp._results import Finding, NotAssessed
from labinterp.errors import InputError


class Failure(NamedTuple):
    """A case whose answer is another than the source says.

    Attributes:
        place: File and number of the case.
        why: What the case is about.
        expected: From the file.
        got: From the catalog.
    """

    place: str
    why: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.place}: {self.why}\n  expected {self.expected}\n  got      {self.got}"


class Case(NamedTuple):
    """One result with its person, and the answer the source gives."""

    place: str
    why: str
    results: list[LabResult]
    patient: Patient
    options: dict[str, Any]
    expect: Mapping[str, Any]


def run_cases(path: str | Path, catalog: Catalog | None = None) -> list[Failure]:
    """Run every case of a file.

    Args:
        path: A cases file. Its stem is the analyte, where a case does not name one.
        catalog: Whose limits; default: the catalog that ships.

    Returns:
        list of Failure: empty when all answers are as the file says.

    Raises:
        InputError: The file is not of its form.
    """
    catalog = catalog or Catalog.default()
    failures = []
    for case in read_cases(path, catalog):
        got = answer(case, catalog)
        for name, value in case.expect.items():
            if got.get(name) != value:
                failures.append(Failure(case.place, case.why, str(dict(case.expect)), str({k: got.get(k) for k in case.expect})))
                break
    return failures


def read_cases(path: str | Path, catalog: Catalog) -> Iterator[Case]:
    """The cases of a file, lines written out one by one."""
    file = Path(path)
    try:
        data = tomllib.loads(file.read_text("utf-8"), parse_float=Decimal)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{file.name} cannot be read as cases: {error}") from None
    except InvalidOperation:
        raise InputError(f"{file.name} cannot be read as cases: a number has an exponent that no number can have") from None
    for number, block in enumerate(data.get("lines", ()), 1):
        yield from _lines(file, number, block, catalog)
    for number, case in enumerate(data.get("case", ()), 1):
        yield _case(file, number, case, catalog)
    for number, panel in enumerate(data.get("panel", ()), 1):
        results = [LabResult(name, value) for name, value in panel["results"].items()]
        expect = {name.removeprefix("expect_"): panel[name] for name in panel if name.startswith("expect_")}
        yield Case(f"{file.stem} panel {number}", panel.get("why", ""), results, _patient(panel), _options(panel, catalog), expect)


def _lines(file: Path, number: int, block: Mapping[str, Any], catalog: Catalog) -> Iterator[Case]:
    limits = block["limits"]
    analyte = limits.split("/", 1)[0]
    until = catalog.limit_set(limits).data["until"]
    asked = {"authority": limits, "as_of": block.get("as_of") or (_day_before(until) if until else None)}
    name = catalog.table["analytes"][analyte]["name"]
    for unit, rows in block.items():
        if unit in ("limits", "patient", "as_of", "why"):
            continue
        for value, band, code in rows:
            expect = {"code": code, "band": band, "limits": limits}
            yield Case(
                f"{file.stem} lines {number} {unit}", f"{value} {unit} by {limits}", [LabResult(name, str(value), unit)], _patient(block),
                _options({"ask": asked}, catalog), expect,
            )  # fmt: skip


def _case(file: Path, number: int, case: Mapping[str, Any], catalog: Catalog) -> Case:
    analyte = file.stem
    name = case.get("test") or (catalog.table["analytes"][analyte]["name"] if analyte in catalog.table["analytes"] else "")
    own = LabResult(
        name, case["result"], **{k: case[k] for k in ("unit", "loinc", "specimen", "comparator") if k in case}, **case.get("report", {})
    )
    others = [LabResult(o.get("test", ""), o["result"], o.get("unit")) for o in case.get("with", ())]
    return Case(f"{file.stem} case {number}", case.get("why", ""), [own, *others], _patient(case), _options(case, catalog), case["expect"])


def _patient(case: Mapping[str, Any]) -> Patient:
    facts = dict(case.get("patient", {}))
    if isinstance(facts.get("age_years"), Decimal):
        facts["age_years"] = float(facts["age_years"])
    return Patient(**facts)


def _options(case: Mapping[str, Any], catalog: Catalog) -> dict[str, Any]:
    asked = case.get("ask", {})
    return {
        "authority": asked.get("authority"),
        "as_of": asked.get("as_of"),
        "decimal": asked.get("decimal"),
        "catalog": catalog,
        "research": asked.get("research", False),
    }


def _day_before(day: str) -> str:
    from datetime import date, timedelta

    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def answer(case: Case, catalog: Catalog) -> dict[str, Any]:
    """Everything a case may expect: the first result's answer, and what is said of the panel."""
    report = interpret(case.results, case.patient, **case.options)
    first = next(row for row in report.rows() if row.row == 1) if report.findings or report.not_assessed else None
    got = panel_answer(report)
    if isinstance(first, Finding):
        reported = first.reported
        got |= {
            "code": first.code, "band": first.band, "limits": first.limits, "analyte": first.analyte, "kind": first.kind,
            "authority": first.authority, "unit": first.unit, "reported_code": reported.code if reported else None, "reason": None,
        }  # fmt: skip
    elif isinstance(first, NotAssessed):
        got |= {"reason": first.reason, "analyte": first.analyte, "code": None, "band": None}
    got["alerts"] = sorted(alert.id for alert in report.alerts)
    for name in ("effects", "not_effects"):
        wanted = set(case.expect.get(name, ()))
        present = wanted & {effect.id for effect in report.effects}
        got[name] = (
            case.expect.get(name) if (present == wanted if name == "effects" else not present) else sorted(e.id for e in report.effects)
        )
    if "reasons" in case.expect:  # the source leaves open which of several true reasons is told
        got["reasons"] = case.expect["reasons"] if got.get("reason") in case.expect["reasons"] else [got.get("reason")]
    if "alerts" in case.expect:
        got["alerts"] = case.expect["alerts"] if sorted(case.expect["alerts"]) == got["alerts"] else got["alerts"]
    return got


def panel_answer(report: Report) -> dict[str, Any]:
    """What is said of the panel as a whole."""
    return {
        "patterns": [{"id": m.id, "certainty": m.certainty} for m in report.patterns],
        "open": [m.id for m in report.open_questions],
        "missing": {m.id: list(m.missing) for m in (*report.patterns, *report.open_questions)},
        "refused": {a.analyte: a.reason for a in report.not_assessed if a.analyte},
        "derived": {f.analyte: f"{f.quantity}, {f.code}, {f.band}" for f in report.derived},
    }
