"""FHIR in and out: results of FHIR R4, R4B, R5 and most of STU3, as JSON or XML -> panels; reports -> a Bundle of FHIR R4.

What is read and what is not, and what comes out, stands in docs/fhir.md.

Example:
    >>> import labinterp as li
    >>> source = read({"resourceType": "Observation", "status": "final", "code": {"text": "Ferritin"},
    ...                "valueQuantity": {"value": 12, "unit": "ug/L"}, "subject": {"reference": "Patient/7"}})
    >>> reports = li.readers.answers(source)
    >>> [entry["resource"]["resourceType"] for entry in bundle(reports, source)["entry"]]
    ['Patient', 'Observation', 'DiagnosticReport']
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labinterp._catalog import Catalog
from labinterp._formats.fhir_out import bundle_of
from labinterp._formats.fhir_words import exact_json
from labinterp._intake import Source
from labinterp._report import Report
from labinterp.errors import InputError
from labinterp.readers import read_bytes


def read(resource: Mapping[str, Any] | Sequence[Mapping[str, Any]] | str | bytes) -> Source:
    """Read FHIR: what each person had drawn on each day.

    Args:
        resource: A resource or a list of them as plain data, or JSON, NDJSON or XML as text or bytes. In plain data use `Decimal` for numbers
            whose printed digits matter: a float has lost them.

    Returns:
        Source: `panels` (patient, results, row numbers and notes; `LabResult.source` is a path such as "entry[3].resource"), `notes` on what
            was passed over, and what `bundle` needs for the way back.

    Raises:
        InputError: It is neither JSON nor XML of FHIR, or holds no resource.

    Example:
        >>> source = read('{"resourceType": "Observation", "code": {"text": "CRP"}, "valueQuantity": {"value": 8.0, "unit": "mg/L"}}')
        >>> source.panels[0].results[0].value
        Decimal('8.0')
        >>> read([{"resourceType": "Practitioner"}]).notes
        ('Passed over, as they hold no results: 1 Practitioner.',)

    Source:
        HL7 FHIR R4 (4.0.1), R4B (4.3.0), R5 (5.0.0) and STU3 (3.0.2), Observation and DiagnosticReport.
    """
    if not isinstance(resource, (str, bytes)):
        try:
            resource = exact_json(resource, "")
        except (TypeError, ValueError, RecursionError):
            raise InputError("FHIR as plain data holds dicts, lists, texts, numbers, truth values and None, and no circle") from None
    if isinstance(resource, str):  # whatever encoding its XML declares, it is text already
        return read_bytes(resource.encode("utf-8", "replace"), format="fhir", encoding="utf-8")
    return read_bytes(resource, format="fhir")


def bundle(reports: Iterable[Report], source: Source | None = None, *, catalog: Catalog | None = None) -> dict[str, Any]:
    """A Bundle (type collection) of FHIR R4, valid as R4B and R5, too.

    For each report: a Patient where anything is known of the person, an Observation for every result (assessed or not) and for every
    quantity that was computed, and a DiagnosticReport with the conclusion, HPO codes of effects, and each statement with its citations.

    Args:
        reports: As `interpret` gives them.
        source: What they were made of, from `read` or `readers.read_file`, one panel for each report: with it days of sampling,
            specimens, LOINC codes, statuses and ranges stand as they were reported.
        catalog: The data they were made with. Default: the one that ships.

    Returns:
        dict: numbers are `int` or `Decimal`, with the digits of the report; `to_json` writes them. Ids depend on the content alone.

    Raises:
        InputError: There are not as many reports as the source has panels.

    Example:
        >>> import labinterp as li
        >>> made = bundle([li.interpret({"25(OH)D": "18.0 ng/mL"})])
        >>> made["entry"][0]["resource"]["interpretation"][0]["coding"][0]["code"], made["entry"][0]["resource"]["valueQuantity"]["value"]
        ('L', Decimal('18.0'))

    Source:
        HL7 FHIR R4: Observation, DiagnosticReport; HL7 v3 ObservationInterpretation; UCUM; LOINC; Human Phenotype Ontology.
    """
    return bundle_of(list(reports), source, catalog or Catalog.default())


def to_json(resource: Mapping[str, Any], *, indent: bool = True) -> str:
    """JSON of a resource in which numbers keep their digits.

    Args:
        resource: As `bundle` gives it.
        indent: On several lines.

    Example:
        >>> from decimal import Decimal
        >>> to_json({"value": Decimal("18.0")}, indent=False)
        '{"value": 18.0}'
    """
    return exact_json(resource, "\n" if indent else "")


__all__ = ["bundle", "read", "to_json"]
