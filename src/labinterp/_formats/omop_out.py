"""Reports -> a MEASUREMENT table of the OMOP Common Data Model as CSV.

Rows that came from OMOP keep every column as it was; only an empty unit concept and an empty range are filled. Rows of other sources
get the columns of the table with what is known: a concept that is not known is 0, an id that is not known stays empty. Our reading
stands in columns of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from labinterp._formats.omop_concepts import measurement_ids, operator_ids, unit_ids, whole
from labinterp._quantity import Unreadable
from labinterp._results import Finding, NotAssessed
from labinterp._summary import ADDED, cells
from labinterp._table import Table, write_table
from labinterp.errors import InputError

if TYPE_CHECKING:
    from labinterp._catalog import Catalog
    from labinterp._inputs import LabResult
    from labinterp._intake import PanelIn, Source
    from labinterp._report import Report

RANGE_OF: Final = "li_range_of"  # whose lines stand in range_low and range_high, where we put them there
# The table of version 5.4, in its order.
COLUMNS: Final = (
    "measurement_id", "person_id", "measurement_concept_id", "measurement_date", "measurement_datetime", "measurement_time",
    "measurement_type_concept_id", "operator_concept_id", "value_as_number", "value_as_concept_id", "unit_concept_id", "range_low", "range_high",
    "provider_id", "visit_occurrence_id", "visit_detail_id", "measurement_source_value", "measurement_source_concept_id", "unit_source_value",
    "unit_source_concept_id", "value_source_value", "measurement_event_id", "meas_event_field_concept_id",
)  # fmt: skip
_LONGEST: Final = 50  # characters of a source value, as the table has it


def write(source: Source, reports: Sequence[Report], catalog: Catalog) -> bytes:
    """A MEASUREMENT table with the answers.

    Args:
        source: What was read.
        reports: One for each panel of the source, in order.
        catalog: The data they were made with.

    Returns:
        bytes: CSV in UTF-8; `li_patient` holds the id of the person where it is no whole number.

    Raises:
        InputError: The table has columns with the names of the answers.
    """
    answers = {answer.row: answer for report in reports for answer in report.rows()}
    ours = [f"li_{name}" for name in ADDED]
    if source.format == "omop" and source.table is not None:
        return _annotated(source.table, answers, ours).encode("utf-8", "replace")
    return _made(source.panels, answers, ours).encode("utf-8", "replace")


def _annotated(table: Table, answers: Mapping[int, Finding | NotAssessed], ours: list[str]) -> str:
    at = {name.strip().casefold(): number for number, name in enumerate(table.header)}
    clash = sorted({*ours, RANGE_OF} & set(at))
    if clash:
        raise InputError(f"the table already has the column {clash[0]!r}; rename it, or use --to json")
    missing = [name for name in ("unit_concept_id", "range_low", "range_high") if name not in at]
    header = [*table.header, *missing]
    at |= {name: len(table.header) + number for number, name in enumerate(missing)}
    rows, ranges = [], []
    for number, row in enumerate(table.rows, 1):
        filled = [*row, *[""] * (len(header) - len(row))]
        answer = answers.get(number)
        unit = _unit_concept(answer)
        if unit and not whole(filled[at["unit_concept_id"]]):
            filled[at["unit_concept_id"]] = str(unit)
        of = ""
        if not _given(filled[at["range_low"]], filled[at["range_high"]]):
            low, high, of = _range(answer)
            if of:
                filled[at["range_low"]], filled[at["range_high"]] = low, high
        rows.append(filled)
        ranges.append(of)
    added = ([*cells(answers.get(number)), of] for number, of in enumerate(ranges, 1))
    return write_table(table._replace(header=header, rows=rows), [*ours, RANGE_OF], added)


def _made(panels: Sequence[PanelIn], answers: Mapping[int, Finding | NotAssessed], ours: list[str]) -> str:
    numbered = sorted(
        ((row, str(panel.patient.id or ""), result) for panel in panels for row, result in zip(panel.rows, panel.results, strict=True)),
        key=lambda one: one[0],
    )
    made = [_row(row, id, result, answers.get(row)) for row, id, result in numbered]
    added = (
        [*cells(answers.get(row)), made[number][1], "" if _is_id(id) else id]
        for number, (row, id, _) in enumerate(numbered)
    )  # fmt: skip
    return write_table(Table(list(COLUMNS), [row for row, _ in made], {}, ",", "utf-8"), [*ours, RANGE_OF, "li_patient"], added)


def _row(row: int, id: str, result: LabResult, answer: Finding | NotAssessed | None) -> tuple[list[str], str]:
    """The cells of one row, and whose lines its range holds if they are ours."""
    quantity = None if answer is None else answer.quantity
    reported = answer.reported if isinstance(answer, Finding) else None
    low, high, of = _range(answer)
    if reported is not None and (reported.low is not None or reported.high is not None):
        low, high, of = _number(reported.low), _number(reported.high), ""
    exact = quantity is not None and quantity.high is None
    known = {
        "measurement_id": str(row),
        "person_id": id if _is_id(id) else "",
        "measurement_concept_id": str(measurement_ids().get((result.loinc or "").strip(), 0)),
        "measurement_date": result.collected_at.isoformat()[:10] if isinstance(result.collected_at, date) else "",
        "measurement_type_concept_id": "0",
        "operator_concept_id": str(operator_ids()[quantity.comparator]) if quantity and quantity.comparator in operator_ids() else "",
        "value_as_number": _number(quantity.value) if quantity is not None and exact else "",
        "unit_concept_id": str(_unit_concept(answer)),
        "range_low": low,
        "range_high": high,
        "measurement_source_value": str(result.test or result.loinc or "")[:_LONGEST],
        "measurement_source_concept_id": "0",
        "unit_source_value": str(result.unit or "")[:_LONGEST],
        "value_source_value": _printed(result.value)[:_LONGEST],
    }
    return [known.get(name, "") for name in COLUMNS], of


def _printed(value: object) -> str:
    if isinstance(value, Unreadable):
        return value.text
    return "" if value is None else str(value)


def _is_id(id: str) -> bool:
    return id.isascii() and id.isdigit() and len(id) <= 18


def _unit_concept(answer: Finding | NotAssessed | None) -> int:
    quantity = None if answer is None else answer.quantity
    return 0 if quantity is None else unit_ids().get(quantity.unit, 0)


def _given(low: str, high: str) -> bool:
    """Whether a row has a range of its own; no ends, or 0 to 0, mean that there is none."""
    ends = [end for cell in (low, high) if (end := cell.strip())]
    return any(end.strip("0.") for end in ends) or len(ends) == 1


def _range(answer: Finding | NotAssessed | None) -> tuple[str, str, str]:
    """The ends of what the limits that answered call normal, in the reported unit, and which limits they are; nothing where they call nothing so."""
    if not isinstance(answer, Finding) or answer.limits == "reported":
        return "", "", ""
    limit_set, population = answer.basis.limit_set, answer.basis.population
    if limit_set is None or population is None:
        return "", "", ""
    normal = [number for number, band in enumerate(limit_set.bands(population)) if band.code == "N"]
    lines = limit_set.exact_lines(population, answer.unit)
    if not normal or normal != list(range(normal[0], normal[-1] + 1)):
        return "", "", ""
    low = _decimal(lines[normal[0] - 1]) if normal[0] else ""
    high = _decimal(lines[normal[-1]]) if normal[-1] < len(lines) else ""
    return low, high, answer.limits if low or high else ""


def _decimal(line: Fraction) -> str:
    """A line as a decimal number: exactly where it has an end, else with ten digits.

    Example:
        >>> _decimal(Fraction(3, 4)), _decimal(Fraction(20, 3))
        ('0.75', '6.666666667')
    """
    number = Decimal(line.numerator) / Decimal(line.denominator)
    if Fraction(number) != line:
        number = Decimal(f"{number:.10g}")
    return _number(number)


def _number(number: Decimal | None) -> str:
    if number is None:
        return ""
    return format(number.normalize(), "f") if abs(number.adjusted()) < 30 else str(number)
