"""A program that uses the public names. mypy reads it (tests/test_public_api.py); nobody runs it.

A line with `type: ignore` must be wrong: `warn_unused_ignores` tells when it is not.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, assert_type

import labinterp as li
from labinterp.errors import CatalogError, InputError, LabInterpError, UnknownUnitError

patient = li.Patient(id="A", sex="female", age_years=71, pregnant=False, contexts=["ckd"])
born = li.Patient(birth_date=date(1980, 1, 1), sex=None)
result = li.LabResult("25(OH)D", "18", "ng/mL", loinc="62292-8", collected_at=date(2024, 1, 31), ref_low=Decimal(20), flag="L")

report = li.interpret({"vitamin D": "18 ng/mL", "B12": (210, "pg/mL"), "Mg": li.Quantity(Decimal("0.8"), "mmol/L")}, patient)
assert_type(report, li.Report)
assert_type(report.findings, tuple[li.Finding, ...])
assert_type(report.not_assessed, tuple[li.NotAssessed, ...])
assert_type(report.patterns, tuple[li.PatternMatch, ...])
assert_type(report.effects, tuple[li.Effect, ...])
assert_type(report.advice, tuple[li.Advice, ...])
assert_type(report.alerts, tuple[li.Alert, ...])
assert_type(report.to_dict(), dict[str, Any])
assert_type(report.to_json(indent=2), str)
assert_type(report.finding("vitamin_d"), li.Finding | None)
assert_type(report.to_html(language="de", day=date(2024, 1, 31)), str)

listed = li.interpret([result], born, authority={"vitamin_d": "endocrine-society"}, as_of=date(2020, 1, 1), decimal=".", rows=[7])
assert_type(listed.patient, li.Patient)

for finding in report.findings:
    assert_type(finding.value, Decimal)
    assert_type(finding.quantity, li.Quantity)
    assert_type(finding.si, tuple[float, str])
    assert_type(finding.code, str)
    assert_type(finding.band, str | None)
    assert_type(finding.notes, tuple[str, ...])

answer = li.assess({"ferritin": "12 ug/L"}, patient, authority="who", as_of="2024-01-01")
if isinstance(answer, li.NotAssessed):
    assert_type(answer.reason, str)
else:
    assert_type(answer, li.Finding)

assert_type(li.convert("20 ng/mL", "nmol/L", analyte="vitamin_d"), li.Quantity)
assert_type(li.authorities("vitamin_d"), list[dict[str, Any]])

catalog = li.Catalog.default()
assert_type(catalog.with_files(Path("our_limits")), li.Catalog)
assert_type(catalog.analytes["ferritin"], li.Analyte)
assert_type(catalog.analytes["ferritin"].units, tuple[str, ...])
assert_type(li.readers.read_file("labs.csv", columns={"value": "RESULT"}).panels[0].patient, li.Patient)
assert_type(li.__version__, str)

try:
    li.testing.run_cases("cases.toml", catalog)
except (CatalogError, UnknownUnitError, InputError) as error:
    assert_type(str(error), str)
    problem: LabInterpError = error

# --- wrong on purpose ----------------------------------------------------------------------------------------

_ = answer.band  # type: ignore[union-attr]
report.findings = ()  # type: ignore[misc]
li.Patient("female")  # type: ignore[call-arg]
li.Patient(age="34")  # type: ignore[call-arg]
li.interpret({"B12": "210 pg/mL"}, patient, autority="nam")  # type: ignore[call-arg]
li.convert("20 ng/mL", "nmol/L", "vitamin_d")  # type: ignore[call-arg]
