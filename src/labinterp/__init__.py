"""Blood results checked against cited, dated limits: flags that say who drew the line, or why there is no answer.

Example:
    >>> import labinterp as li
    >>> report = li.interpret({"vitamin D": "18 ng/mL"}, patient=li.Patient(sex="female", age_years=71))
    >>> report.findings[0].band
    'inadequate'

Not a medical device and not a diagnosis. No clinician has reviewed the catalog.
"""

TYPE_CHECKING = False  # not imported: typing alone costs as much as the rest of a first answer

__version__ = "0.1.0"

# Where each public name lives. Loaded on first use: `import labinterp` itself loads nothing.
_HOMES = {
    "interpret": "_interpret",
    "assess": "_interpret",
    "convert": "_convert",
    "authorities": "_interpret",
    "Catalog": "_catalog",
    "Analyte": "_analyte",
    "Patient": "_inputs",
    "LabResult": "_inputs",
    "Quantity": "_quantity",
    "Report": "_report",
    "Finding": "_results",
    "NotAssessed": "_results",
    "PatternMatch": "_report",
    "Effect": "_report",
    "Advice": "_report",
    "Alert": "_report",
}
_MODULES = ("errors", "fhir", "hl7v2", "omop", "readers", "testing")

__all__ = [  # noqa: RUF022 - in the order of the documentation
    "interpret", "assess", "convert", "authorities", "Catalog", "Analyte", "Patient", "LabResult", "Quantity", "Report", "Finding",
    "NotAssessed", "PatternMatch", "Effect", "Advice", "Alert", "errors", "fhir", "hl7v2", "omop", "readers", "testing", "__version__",
]  # fmt: skip

if TYPE_CHECKING:
    from typing import Any

    from labinterp import errors as errors
    from labinterp import fhir as fhir
    from labinterp import hl7v2 as hl7v2
    from labinterp import omop as omop
    from labinterp import readers as readers
    from labinterp import testing as testing
    from labinterp._analyte import Analyte as Analyte
    from labinterp._catalog import Catalog as Catalog
    from labinterp._convert import convert as convert
    from labinterp._inputs import LabResult as LabResult
    from labinterp._inputs import Patient as Patient
    from labinterp._interpret import assess as assess
    from labinterp._interpret import authorities as authorities
    from labinterp._interpret import interpret as interpret
    from labinterp._quantity import Quantity as Quantity
    from labinterp._report import Advice as Advice
    from labinterp._report import Alert as Alert
    from labinterp._report import Effect as Effect
    from labinterp._report import PatternMatch as PatternMatch
    from labinterp._report import Report as Report
    from labinterp._results import Finding as Finding
    from labinterp._results import NotAssessed as NotAssessed


def _find(name: str) -> "Any":
    """The public name, loaded; kept in the module from then on."""
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"labinterp.{name}")
    if name in _HOMES:
        value = getattr(import_module(f"labinterp.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'labinterp' has no attribute {name!r}")


if not TYPE_CHECKING:  # to a type checker it would make every misspelt name exist
    __getattr__ = _find


def __dir__() -> "list[str]":
    return sorted(__all__)
