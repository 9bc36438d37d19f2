"""A report, or the limits of a catalog, as a tidy table: one row for each result, or for each band of each limit set.

Example:
    >>> from labinterp import Patient, interpret
    >>> report = interpret({"ferritin": "12 ug/L", "vitamin C": "pending"}, Patient(sex="male", age_years=50))
    >>> report.to_frame("polars").select("part", "analyte", "code", "reason").rows()
    [('finding', 'ferritin', 'L', None), ('not_assessed', 'vitamin_c', None, 'unreadable_value')]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from labinterp._results import Finding, NotAssessed
from labinterp.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from labinterp._catalog import Catalog
    from labinterp._report import Report

ENGINES = ("polars", "pandas")
TEXT, NUMBER, WHOLE, TRUTH = "text", "number", "whole", "truth"
_POLARS = {TEXT: "String", NUMBER: "Float64", WHOLE: "Int64", TRUTH: "Boolean"}
_PANDAS = {TEXT: "string", NUMBER: "float64", WHOLE: "Int64", TRUTH: "boolean"}

RESULTS = {
    "row": WHOLE, "part": TEXT, "source_name": TEXT, "value_text": TEXT, "unit_text": TEXT, "analyte": TEXT, "comparator": TEXT, "value": NUMBER,
    "value_high": NUMBER, "unit": TEXT, "si_value": NUMBER, "si_unit": TEXT, "code": TEXT, "band": TEXT, "label": TEXT, "limits": TEXT,
    "kind": TEXT, "authority": TEXT, "near_limit": TRUTH, "reported_low": NUMBER, "reported_high": NUMBER, "reported_text": TEXT,
    "reported_flag": TEXT, "reported_code": TEXT, "reason": TEXT, "message": TEXT,
}  # fmt: skip
BANDS = {
    "analyte": TEXT, "limits": TEXT, "authority": TEXT, "kind": TEXT, "default": TRUTH, "from": TEXT, "until": TEXT, "population": TEXT,
    "band": TEXT, "code": TEXT, "label": TEXT, "low": NUMBER, "low_inside": TRUTH, "high": NUMBER, "high_inside": TRUTH, "unit": TEXT,
    "checked": TEXT,
}  # fmt: skip


def report_frame(report: Report, engine: str | None) -> Any:
    """One row for each result, computed ones and those not assessed among them.

    Args:
        report: Any.
        engine: "polars", "pandas", or None for the first of them that is installed.

    Raises:
        MissingExtraError: The engine is not installed.
        InputError: Another engine.
    """
    return _table([*map(_answer, report.rows()), *map(_answer, report.derived)], RESULTS, engine)


def catalog_frame(catalog: Catalog, engine: str | None) -> Any:
    """One row for each band of each population of each limit set; arguments and errors as for `report_frame`."""
    return _table(_bands(catalog), BANDS, engine)


def _answer(answer: Finding | NotAssessed) -> dict[str, Any]:
    if isinstance(answer, NotAssessed):
        return {"part": "not_assessed", **answer.to_dict(), **_number(answer.quantity)}
    number, unit = answer.si
    reported = answer.reported.to_dict() if answer.reported else {}
    return {
        "part": "derived" if answer.derived_from else "finding", **{name: getattr(answer, name) for name in (
            "row", "source_name", "value_text", "analyte", "code", "band", "label", "limits", "kind", "authority", "near_limit",
        )}, **_number(answer.quantity), "si_value": number, "si_unit": unit, **{f"reported_{name}": value for name, value in reported.items()},
    }  # fmt: skip


def _number(quantity: Any) -> dict[str, Any]:
    if quantity is None:
        return {}
    high = None if quantity.high is None else float(quantity.high)
    return {"comparator": quantity.comparator or None, "value": float(quantity.value), "value_high": high, "unit": quantity.unit}


def _bands(catalog: Catalog) -> Iterator[dict[str, Any]]:
    for data in catalog.table["limits"].values():
        whose = {name: data[name] for name in ("analyte", "authority", "kind", "from", "until", "unit")}
        default = catalog.table["analytes"][data["analyte"]]["default"] == data["id"]
        checked = "primary" if any(cite["checked"] == "primary" for cite in data["cite"]) else "secondary"
        for population in data["populations"]:
            lines: Sequence[Sequence[str]] = population["lines"]
            for n, (key, code, label) in enumerate(population["bands"]):
                low, high = lines[n - 1] if n else None, lines[n] if n < len(lines) else None
                yield {
                    **whose, "limits": data["id"], "default": default, "population": population["who"], "checked": checked,
                    "band": key, "code": code, "label": label,
                    "low": None if low is None else float(low[0]), "low_inside": None if low is None else low[1] == "at_least",
                    "high": None if high is None else float(high[0]), "high_inside": None if high is None else high[1] == "above",
                }  # fmt: skip


def _table(rows: Iterable[Mapping[str, Any]], types: Mapping[str, str], engine: str | None) -> Any:
    module = _engine(engine)
    listed = list(rows)
    columns = {name: [row.get(name) for row in listed] for name in types}
    if module.__name__ == "polars":
        return module.DataFrame(columns, schema={name: getattr(module, _POLARS[kind]) for name, kind in types.items()})
    return module.DataFrame({name: module.array(values, dtype=_PANDAS[types[name]]) for name, values in columns.items()})


def _engine(engine: str | None) -> Any:
    if engine is not None and engine not in ENGINES:
        raise InputError(f"engine is {' or '.join(map(repr, ENGINES))}, or None for the first that is installed")
    for name in (engine,) if engine else ENGINES:
        try:
            return import_module(name)
        except ImportError:
            continue
    raise MissingExtraError("dataframes")
