"""What users may rely on: the names, their signatures, that results are frozen, and that they can be sent to another process."""

from __future__ import annotations

import copy
import importlib.util
import inspect
import multiprocessing
import pickle
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import labinterp as li
from labinterp import errors

ROOT = Path(__file__).resolve().parents[1]

NAMES = [
    "Advice", "Alert", "Analyte", "Catalog", "Effect", "Finding", "LabResult", "NotAssessed", "Patient", "PatternMatch", "Quantity", "Report",
    "__version__", "assess", "authorities", "convert", "errors", "fhir", "hl7v2", "interpret", "omop", "readers", "testing",
]  # fmt: skip

SIGNATURES = {
    "interpret": "(results, patient=None, *, authority=None, as_of=None, catalog=None, decimal=None, rows=None, research=False)",
    "assess": "(result, patient=None, *, authority=None, as_of=None, catalog=None, decimal=None)",
    "convert": "(value, unit, *, analyte, catalog=None, decimal=None)",
    "authorities": "(analyte, *, catalog=None)",
    "Patient": "(*, id=None, sex=None, age_years=None, birth_date=None, pregnant=None, contexts=(), at=None)",
    "LabResult": "(test, value=None, unit=None, loinc=None, specimen=None, collected_at=None, comparator=None, ref_low=None, ref_high=None, "
    "ref_text=None, flag=None, source=None)",
    "Quantity": "(value, unit, comparator='', high=None)",
    "Catalog.default": "()",
    "Catalog.from_directory": "(root)",
    "Catalog.with_files": "(self, path)",
    "Catalog.authorities": "(self, analyte)",
    "Catalog.analyte_id": "(self, name)",
    "Quantity.to_pint": "(self, registry=None)",
    "Finding.to_dict": "(self)",
    "Finding.trace": "(self)",
    "NotAssessed.to_dict": "(self)",
    "Report.to_dict": "(self)",
    "Report.to_json": "(self, indent=None)",
    "Report.to_html": "(self, *, language='en', day=None)",
    "Report.to_frame": "(self, engine=None)",
    "Catalog.to_frame": "(self, engine=None)",
    "Report.rows": "(self)",
    "Report.finding": "(self, analyte)",
    "omop.read": "(source, *, schema=None, delimiter=None, encoding=None)",
    "readers.answers": "(source, **options)",
    "omop.write": "(source, reports, *, catalog=None)",
    "readers.read_file": "(path, *, format=None, columns=None, delimiter=None, encoding=None, units=None, sheet=None)",
    "readers.read_files": "(paths, *, format=None, **how)",
    "readers.read_bytes": "(data, *, format=None, name='', **how)",
    "readers.read_rows": "(rows, columns=None)",
    "readers.read_json": "(text, columns=None)",
    "hl7v2.read": "(data, *, encoding=None, name='')",
    "hl7v2.annotated": "(source, reports, *, catalog=None)",
    "testing.run_cases": "(path, catalog=None)",
}

# Fields a user may read. New ones may come; none of these may go.
FIELDS = {
    "Finding": ["row", "analyte", "source_name", "value_text", "quantity", "value", "unit", "comparator", "si", "code", "band", "label", "limits",
                "kind", "authority", "reported", "notes", "near_limit", "citations", "caveats", "name"],
    "NotAssessed": ["row", "analyte", "source_name", "value_text", "unit_text", "reason", "message"],
    "Report": ["patient", "findings", "not_assessed", "patterns", "open_questions", "effects", "advice", "alerts", "notes", "catalog",
               "disclaimer", "standing"],
    "PatternMatch": ["id", "name", "certainty", "because", "missing", "settled_by", "text", "next_test", "citations"],
    "Effect": ["id", "name", "hpo", "conditions", "relation", "certainty", "reversibility", "treatment", "mechanisms", "because", "text",
               "citations"],
    "Advice": ["condition", "name", "about", "at_risk", "usually_done", "next_step", "because"],
    "Alert": ["id", "tier", "row", "text", "citations"],
}  # fmt: skip

ERRORS = [
    errors.LabInterpError("odd"),
    errors.UnknownAnalyteError("vitamin q", ["vitamin_d"], "another test"),
    errors.UnknownAuthorityError("nobody", ["nam"]),
    errors.UnknownEffectError("toothache", ["myalgia"]),
    errors.UnknownUnitError("vitamin_d", "NG/M", ["nmol/L"], "ng/mL"),
    errors.IncompatibleUnitError("vitamin_d", "[IU]/L", "a dose", ["nmol/L"]),
    errors.InputError("a column is missing"),
    errors.CatalogError(["one", "two"]),
    errors.MissingExtraError("cli"),
]


def home(path: str) -> Any:
    found: Any = li
    for part in path.split("."):
        found = getattr(found, part)
    return found


def plain(signature: inspect.Signature) -> str:
    """A signature without its types."""
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty))


@pytest.fixture(scope="module")
def report() -> li.Report:
    """A report with something in every part."""
    return li.interpret(
        {"vitamin D": "18 ng/mL", "B12": "210 pg/mL", "homocysteine": "19 umol/L", "Mg": "0.35 mmol/L", "ferritin": "22 ug/L",
         "MMA": "0.52 umol/L", "vitamin C": "pending"},
        li.Patient(id="A", sex="female", age_years=71),
    )  # fmt: skip


def test_the_public_names_are_exactly_these() -> None:
    """Nothing becomes public by accident, and nothing public disappears."""
    assert sorted(dir(li)) == NAMES
    assert sorted(li.__all__) == NAMES
    assert all(home(name) is not None for name in NAMES)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """`labinterp.nothing` fails as in any module."""
    with pytest.raises(AttributeError, match="nothing"):
        _ = li.nothing  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", SIGNATURES)
def test_a_signature_stays(path: str) -> None:
    """Parameters keep their names, order and defaults."""
    assert plain(inspect.signature(home(path))) == SIGNATURES[path]


@pytest.mark.parametrize("name", [n for n in NAMES if n != "__version__"])
def test_everything_public_is_explained(name: str) -> None:
    """Each public class, function and module has a docstring, and so has each public method and property."""
    thing = home(name)
    assert (thing.__doc__ or "").strip()
    if inspect.ismodule(thing):
        own = [
            getattr(thing, n)
            for n in dir(thing)
            if not n.startswith("_") and getattr(getattr(thing, n), "__module__", "") == thing.__name__
        ]
        assert all((inspect.getdoc(one) or "").strip() for one in own if inspect.isclass(one) or inspect.isfunction(one))
    if inspect.isclass(thing):
        members = {
            n: m
            for n, m in vars(thing).items()
            if not n.startswith("_") and (inspect.isfunction(m) or isinstance(m, (property, classmethod)))
        }
        assert not [n for n, m in members.items() if not (inspect.getdoc(m) or "").strip()]


@pytest.mark.parametrize("name", ["interpret", "assess", "convert", "authorities", "Patient", "LabResult", "Catalog", "Quantity"])
def test_the_main_names_have_an_example(name: str) -> None:
    """What people use first shows how."""
    assert ">>>" in home(name).__doc__


def parts(report: li.Report) -> list[Any]:
    return [report, report.patient, report.findings[0], report.not_assessed[0], report.patterns[0], report.effects[0], report.advice[0],
            report.alerts[0], report.findings[0].quantity]  # fmt: skip


def test_every_part_of_a_report_is_frozen(report: li.Report) -> None:
    """No field of a result can be set."""
    for part in parts(report):
        for name in FIELDS.get(type(part).__name__, ["id", "sex"] if isinstance(part, li.Patient) else ["value"]):
            with pytest.raises(AttributeError):
                setattr(part, name, None)


def test_no_part_of_a_report_is_a_list(report: li.Report) -> None:
    """What is many is a tuple, which nobody can change."""
    for part in parts(report):
        lists = [name for name in FIELDS.get(type(part).__name__, ()) if isinstance(getattr(part, name), list)]
        assert not lists or (type(part).__name__, lists) == ("Finding", ["citations", "caveats"])  # made anew at each asking


def test_every_part_of_a_report_has_its_fields(report: li.Report) -> None:
    """The fields a user may read are there."""
    for part in parts(report):
        assert not [name for name in FIELDS.get(type(part).__name__, ()) if not hasattr(part, name)]


def spoil(value: Any) -> None:
    """Empty every list and mapping inside plain data."""
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        spoil(part)
    if isinstance(value, (dict, list)):
        value.clear()


def test_changing_plain_data_changes_no_later_report() -> None:
    """What `to_dict` gives belongs to the caller: emptying it changes neither this report nor the next person's."""
    catalog = li.Catalog(copy.deepcopy(li.Catalog.default().table), li.Catalog.default().root)
    results = [li.LabResult(*r) for r in (("B12", "210", "pg/mL"), ("MMA", "0.52", "umol/L"), ("Mg", "0.35", "mmol/L"), ("B12", "odd"))]
    first, kept = (li.interpret(results, li.Patient(sex="female", age_years=71), catalog=catalog) for _ in range(2))
    expected = copy.deepcopy(kept.to_dict())
    spoil(first.to_dict())
    spoil(first.findings[0].trace())
    spoil(catalog.authorities("vitamin_b12"))
    assert first.to_dict() == expected
    assert li.interpret(results, li.Patient(sex="female", age_years=71), catalog=catalog).to_dict() == expected


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_an_error_survives_pickling(error: errors.LabInterpError) -> None:
    """An error that crosses a process keeps its type, its fields and its text."""
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
    assert isinstance(again, errors.LabInterpError)


def test_every_error_class_is_in_the_pickling_test() -> None:
    """A new class of error is tested too."""
    classes = {c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, errors.LabInterpError)}
    assert classes == {type(error) for error in ERRORS}


def test_a_report_survives_pickling(report: li.Report) -> None:
    """A report that crosses a process says the same."""
    again = pickle.loads(pickle.dumps(report))
    assert again.to_dict() == report.to_dict()
    assert (again.patient, again.not_assessed, str(again)) == (report.patient, report.not_assessed, str(report))


def answer_of(text: str) -> dict[str, Any]:
    return li.assess({"ferritin": text}, li.Patient(sex="male", age_years=40)).to_dict()


def test_results_come_back_from_another_process() -> None:
    """A finding made in a worker process, and the patient sent to it, arrive whole."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(li.assess, ({"ferritin": "5 ug/L"}, li.Patient(sex="male", age_years=40))).to_dict() == answer_of("5 ug/L")


def test_a_pickled_finding_is_small() -> None:
    """A finding is sent without the whole catalog."""
    assert len(pickle.dumps(li.assess({"ferritin": "5 ug/L"}, li.Patient(sex="male", age_years=40)))) < 20_000


@pytest.mark.parametrize("code", ["copy.copy", "copy.deepcopy", "pickle"])
def test_equal_inputs_are_equal(code: str) -> None:
    """Patients, results and quantities are values: a copy is equal and has the same hash."""
    again = {"copy.copy": copy.copy, "copy.deepcopy": copy.deepcopy, "pickle": lambda x: pickle.loads(pickle.dumps(x))}[code]
    for one in (
        li.Patient(sex="f", age_years=34, contexts=["ckd"]),
        li.LabResult("B12", "210", "pg/mL"),
        li.Quantity(Decimal(4), "ng/mL", "<"),
    ):
        assert again(one) == one
        assert hash(again(one)) == hash(one)


def test_the_default_catalog_is_one_object() -> None:
    """Asked twice, the default catalog is the same object, and its description says what is in it."""
    assert li.Catalog.default() is li.Catalog.default()
    assert f"{len(li.Catalog.default().analytes)} analytes" in repr(li.Catalog.default())


def mypy(*args: str) -> subprocess.CompletedProcess[str]:
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(ROOT / "pyproject.toml"), *args]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_public_api_type_checks() -> None:
    """A program that uses the public names passes mypy --strict, and the lines in it that are wrong on purpose do not."""
    done = mypy(str(ROOT / "tests" / "typing" / "api.py"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_misspelt_public_name_does_not_type_check(tmp_path: Path) -> None:
    """mypy tells that `labinterp.interpet` does not exist."""
    (tmp_path / "program.py").write_text("import labinterp as li\n\nli.interpet({})\n", "utf-8")
    assert "has no attribute" in mypy(str(tmp_path / "program.py")).stdout
