"""Laboratory files of NHANES -> panels, one for each participant: which column is which test is data, each from CDC's codebook of the file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from labinterp._catalog import Catalog
from labinterp._formats.nhanes_people import Participant, participants_of
from labinterp._inputs import LabResult
from labinterp._intake import PanelIn, Source, stood
from labinterp._quantity import Unreadable
from labinterp.errors import InputError

SEQN: Final = "SEQN"
_TABLE = Path(__file__).with_name("nhanes.toml")
_RESULT = re.compile(r"(?:LB|UR)[XD][A-Z0-9]+")
_NOT_READ = re.compile(
    r"(?:LB|UR)2(?!DAY)[A-Z0-9]+|SS[A-Z0-9]+"
)  # a second examination is another draw; surplus sera have names of their own
_SHOWN: Final = 12  # columns that are named in a note
_COMMENT = re.compile(r"(?:LB|UR)D[A-Z0-9]+LC")
_LABEL = re.compile(r"(.*?)\s*\(([^()]*)\)\s*")
_ROOT: Final = Decimal("1.41421356238")
_LONGEST: Final = 8  # characters of a name
_LARGEST: Final = 50  # digits before or behind the point: more are no laboratory's number
_NEAR: Final = Decimal("0.01")  # CDC's rounded factors differ from the exact ones by less than half of this


class Survey(NamedTuple):
    """One file.

    Attributes:
        file: Its name.
        dataset: CDC's name of it, such as L06_B.
        columns: Name in upper case -> cells as text; "" where there is nothing.
        labels: Name -> the label in the file; none in a CSV.
        names: Name in upper case -> as it stands.
    """

    file: str
    dataset: str
    columns: Mapping[str, list[str]]
    labels: Mapping[str, str]
    names: Mapping[str, str]


class _Column(NamedTuple):
    """How one column is read."""

    name: str
    test: str
    unit: str | None
    twin: str = ""
    twin_unit: str = ""
    factor: Decimal | None = None
    comment: str = ""
    llod: tuple[str, ...] = ()
    fill: str = ""
    conflict: str = ""
    rivals: tuple[str, ...] | None = ()  # columns of other cycles with the same twin; None where one before this has it


@cache
def known_columns() -> Mapping[str, Mapping[str, Any]]:
    """Column name -> what the codebooks say of it, as it stands in the file that ships."""
    return {one["name"]: one for one in tomllib.loads(_TABLE.read_text("utf-8"))["column"]}


@cache
def look_alikes() -> Mapping[str, Mapping[str, Any]]:
    """Columns whose label reads like a test of the catalog, and that are another."""
    return {one["name"]: one for one in tomllib.loads(_TABLE.read_text("utf-8"))["look_alike"]}


def panels_of_surveys(surveys: Sequence[Survey]) -> Source:
    """Panels of files of one survey or several, joined on SEQN.

    Args:
        surveys: Each with a column SEQN; demographics may be among them or in the same file.

    Raises:
        InputError: None of them has results of a laboratory.
    """
    people, notes = participants_of([survey.columns for survey in surveys])
    plans = [(survey, _plan(survey)) for survey in surveys]
    passed = _not_read(surveys)
    if not any(plan for _, plan in plans):
        raise InputError(
            passed or "there are no laboratory results: no column is named as CDC names them (LBX..., LBD...); name a laboratory file, too"
        )
    notes += [passed] if passed else []
    panels: dict[str, PanelIn] = {}
    row = 0
    for survey, plan in plans:
        for at, id in enumerate(survey.columns[SEQN]):
            for column in plan:
                read = _result(survey, column, at)
                if read is None:
                    continue
                row += 1
                panel = panels.get(id)
                if panel is None:
                    panel = panels[id] = _panel(id, people.get(id), row)
                result, note = read
                panel.results.append(result._replace(source=stood(survey.file, f"SEQN {id}, {survey.names[column.name]}")))
                panel.rows.append(row)
                if note:
                    panel.notes.append(f"Row {row}: {note}")
    if not people:
        notes.append(
            "There are no demographics: sex and age are unknown. Name the demographics file (RIAGENDR, RIDAGEYR) beside the laboratory file."
        )
    elif strangers := sum(id not in people for id in panels):
        notes.append(f"{strangers} of the participants are not in the demographics; their sex and age are unknown.")
    return Source(list(panels.values()), None, "xpt", tuple(notes))


def _not_read(surveys: Sequence[Survey]) -> str:
    """Columns of results that are passed over, in a sentence; nothing where there are none."""
    found = [name for survey in surveys for name in survey.columns if _NOT_READ.fullmatch(name) and name not in known_columns()]
    found = [name for name in dict.fromkeys(found) if not name.endswith("LC")]
    listed = ", ".join(found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
    return f"Columns of a second examination (LB2...) or of surplus sera (SS...) are not read: {listed}." if found else ""


def _panel(id: str, one: Participant | None, row: int) -> PanelIn:
    patient, said = (one or Participant()).patient(id)
    return PanelIn(patient, [], [], [f"Row {row}: {text}" for text in said])


# --- columns ----------------------------------------------------------------------------------------------------


def _plan(survey: Survey) -> list[_Column]:
    """The columns that are results: the known ones as their codebook says, the others by their label; of two units of one result, one."""
    known = {name: one for name, one in known_columns().items() if name in survey.columns}
    names = [name for name in survey.columns if name in known or (_RESULT.fullmatch(name) and not _COMMENT.fullmatch(name))]
    twins = {one["twin"] for one in known.values() if "twin" in one}
    alone = {one["twin"]: one for one in known_columns().values() if one.get("twin") in survey.columns and one["twin"] not in twins}
    plan, seen = [], set[str]()
    for name in names:
        one = known.get(name) or alone.get(name)
        if one is not None and one["name"] not in seen:
            seen.add(one["name"])
            plan.append(_known(survey, one))
        elif one is None and name in look_alikes():
            plan.append(_Column(name, look_alikes()[name]["test"], look_alikes()[name]["unit"]))
        elif one is None and name not in twins and not _is_twin(name, survey.columns):
            test, unit = _of_label(survey.labels.get(name, "") or survey.names[name])
            twin = _si(name)
            plan.append(_Column(name, test, unit, twin if twin in survey.columns else "", _of_label(survey.labels.get(twin, ""))[1] or ""))
    return [column._replace(rivals=_rivals(column, plan)) if column.twin else column for column in plan]


def _rivals(column: _Column, plan: Sequence[_Column]) -> tuple[str, ...] | None:
    """The other columns of a table of several cycles that have the same twin; None where an earlier one has it already."""
    same = [one.name for one in plan if one.twin == column.twin]
    return tuple(same[1:]) if same[0] == column.name else None


def _si(name: str) -> str:
    """What the SI form of a column is called, in the eight characters of a transport file: LBDSGLSI of LBXSGL, LBDTSH1S of LBXTSH1."""
    return f"{name[:2]}D{name[3:]}SI"[:_LONGEST]


def _is_twin(name: str, columns: Mapping[str, Any]) -> bool:
    """Whether a column that nobody knows is the SI form of another."""
    stem = name[3:-2]
    whole = name.endswith("SI") and any(f"{name[:2]}{kind}{stem}" in columns for kind in "XD")
    return whole or (len(name) == _LONGEST and any(len(one) == _LONGEST - 1 and _si(one) == name for one in columns))


def _known(survey: Survey, one: Mapping[str, Any]) -> _Column:
    catalog, conflict = Catalog.default(), ""
    for name, unit in ((one["name"], one["unit"]), (one.get("twin", ""), one.get("twin_unit", ""))):
        told = catalog.units.read(_of_label(survey.labels.get(name, ""))[1] or "")
        if told and told != unit and name in survey.columns and catalog.factor(catalog.analyte_id(one["test"]), told, unit) != 1:
            conflict = f"The label of {name} in the file says {told}, CDC's codebook says {unit}."
    if one["name"] not in survey.columns:  # only the other unit is there
        return _Column(one["twin"], one["test"], one["twin_unit"], conflict=conflict)
    factor = None
    if one.get("twin") in survey.columns:
        exact = catalog.factor(catalog.analyte_id(one["test"]), one["unit"], one["twin_unit"])
        factor = None if exact is None else Decimal(exact.numerator) / Decimal(exact.denominator)
    return _Column(
        one["name"], one["test"], one["unit"], one["twin"] if one.get("twin") in survey.columns else "", one.get("twin_unit", ""), factor,
        one.get("comment", ""), tuple(one.get("llod", ())), one.get("fill", {}).get(survey.dataset, ""), conflict,
    )  # fmt: skip


def _of_label(label: str) -> tuple[str, str | None]:
    """Name and unit of a label such as "Cadmium (ug/L)"; the whole of it and None where there is no unit."""
    found = _LABEL.fullmatch(label)
    return (found[1], found[2].strip()) if found and found[1] else (label, None)


# --- one cell ---------------------------------------------------------------------------------------------------


def _result(survey: Survey, column: _Column, at: int) -> tuple[LabResult, str] | None:
    """The result of one cell and a note, if one must be read; None where the cell is empty."""
    text = survey.columns[column.name][at]
    other = survey.columns[column.twin][at] if column.twin else ""
    if not text:
        alone = other and column.rivals is not None and not any(survey.columns[name][at] for name in column.rivals)
        return (LabResult(column.test, _number(other), column.twin_unit), "") if alone else None
    value: Any = _number(text)
    if column.conflict:
        return LabResult(column.test, Unreadable("conflicting_code", column.conflict, text), column.unit), ""
    code = survey.columns[column.comment][at] if column.comment in survey.columns else ""
    if code not in ("", "0", "1", "0.0", "1.0"):
        said = f"CDC's comment on this result is code {code[:8]}, which is not known here."
        return LabResult(column.test, Unreadable("unreadable_value", said, text), column.unit), ""
    if isinstance(value, Decimal) and (code in ("1", "1.0") or (column.fill and value == Decimal(column.fill))):
        bound = _below(value, column.llod)
        note = f"{column.name} lay below the limit of detection; CDC wrote {value}, which is that limit over the root of 2. It was read as <{bound}."
        return LabResult(column.test, bound, column.unit, comparator="<"), note
    if other and isinstance(value, Decimal) and column.factor is not None and not _same(value, _number(other), column.factor):
        said = f"{column.name} and {column.twin} are one result in two units, and they do not agree."
        return LabResult(column.test, Unreadable("conflicting_code", said, text), column.unit), ""
    return LabResult(column.test, value, column.unit), ""


def _below(filled: Decimal, llod: Sequence[str]) -> Decimal:
    """The limit of detection, of which LLOD / sqrt(2), rounded, was filled in: as a codebook names it, else the least number it surely lies below."""
    digit = Decimal(1).scaleb(int(filled.as_tuple().exponent))
    for one in map(Decimal, llod):
        if abs(one / _ROOT - filled) < digit:
            return one
    bound = (filled + digit / 2) * _ROOT
    return bound.quantize(Decimal(1).scaleb(bound.adjusted() - 2), ROUND_CEILING)


def _same(value: Decimal, other: Any, factor: Decimal) -> bool:
    """Whether two numbers are one result, as far as CDC rounded them."""
    if not isinstance(other, Decimal):
        return False
    return abs(value * factor - other) <= abs(other) * _NEAR + _digit(other) + _digit(value) * factor / 2


def _digit(number: Decimal) -> Decimal:
    """The last digit of a number; a tenth where it is whole, because a zero behind the point was not kept."""
    return Decimal(1).scaleb(min(0, int(number.as_tuple().exponent)))


def _number(text: str) -> Any:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST:
        return text
    return number.to_integral_value() if number == number.to_integral_value() and abs(number) < 10**15 else number.normalize()
