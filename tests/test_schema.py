"""The published JSON Schemas: what the program prints is of their form, and they change only on purpose."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import labinterp as li
from labinterp._published.schemas import NAMES, schema_of
from labinterp.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*/input.json"))
jsonschema = pytest.importorskip("jsonschema", reason="the schemas are held against answers with jsonschema")


def closed(schema: Any) -> Any:
    """The schema with no room for keys that it does not name."""
    if isinstance(schema, dict):
        made = {key: closed(value) for key, value in schema.items()}
        return {**made, "additionalProperties": False} if made.get("type") == "object" and "properties" in made else made
    return [closed(one) for one in schema] if isinstance(schema, list) else schema


def validator(name: str) -> Any:
    schema = schema_of(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(closed(schema))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_golden_reports_are_of_the_published_form(path: Path) -> None:
    """Every key that is printed is named in the schema, and every key it requires is printed."""
    for panel in li.readers.read_file(path).panels:
        validator("report").validate(json.loads(li.interpret(panel.results, panel.patient).to_json()))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_panels_that_are_read_are_of_the_published_form(path: Path) -> None:
    """What the golden panels look like is what the schema of a panel takes."""
    panels = json.loads(path.read_text("utf-8"))
    for panel in panels if isinstance(panels, list) else [panels]:
        validator("panel").validate(panel)


def test_the_document_of_the_command_line_is_of_the_published_form() -> None:
    """The example that ships, with the place of each result."""
    done = subprocess.run(
        [sys.executable, "-m", "labinterp", "interpret", str(ROOT / "docs" / "examples" / "panel.csv"), "--to", "json"],
        capture_output=True,
        check=True,
    )
    validator("document").validate(json.loads(done.stdout))


def test_lookups_are_of_the_published_form() -> None:
    """Analytes, and the limits of each of them."""
    from labinterp._documents import limits_document

    catalog = li.Catalog.default()
    validator("analytes").validate([one.to_dict() for one in catalog.analytes.values()])
    limits = validator("limits")
    for id in catalog.analytes:
        limits.validate(json.loads(json.dumps(limits_document(catalog, id))))


@pytest.mark.parametrize(
    "spoil", [lambda r: r.pop("disclaimer"), lambda r: r.update(mood="good"), lambda r: r["findings"][0].update(code="LOW")]
)
def test_a_report_of_another_form_is_refused(spoil: Callable[[dict[str, Any]], Any]) -> None:
    """The schema can fail."""
    report = li.interpret({"ferritin": "12 ug/L"}, li.Patient(sex="female", age_years=40)).to_dict()
    validator("report").validate(report)
    spoil(report)
    with pytest.raises(jsonschema.ValidationError):
        validator("report").validate(report)


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_in_the_documentation_is_the_schema(name: str) -> None:
    """A copy of each schema stands in docs/schema; `labinterp schema NAME > docs/schema/NAME.schema.json` renews it after a change that was meant."""
    assert json.loads((ROOT / "docs" / "schema" / f"{name}.schema.json").read_text("utf-8")) == schema_of(name)


def test_an_unknown_schema_names_those_there_are() -> None:
    """The error says what is accepted."""
    with pytest.raises(InputError, match="accepted: report, document"):
        schema_of("raport")
