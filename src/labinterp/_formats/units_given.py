"""Units that the caller gives for tests, for results that have none."""

from __future__ import annotations

from collections.abc import Mapping

from labinterp._catalog import Catalog
from labinterp._formats.headers import read_header
from labinterp._inputs import LabResult
from labinterp._intake import Source
from labinterp._names import squash
from labinterp._quantity import Unreadable, read_value
from labinterp.errors import InputError


def with_units(source: Source, units: Mapping[str, str]) -> Source:
    """The source with these units for results that have none; the file goes first.

    Args:
        source: As read.
        units: Test, analyte or column -> unit.

    Raises:
        InputError: A unit is not known, or no result is of such a test.
    """
    catalog = Catalog.default()
    for unit in units.values():
        if catalog.units.read(unit) is None:
            raise InputError(f"the unit {unit!r} of --unit is not known; write it as on a report, such as ug/L or nmol/L")
    by_name = {squash(key): unit for key, unit in units.items()}
    by_analyte = {one: unit for key, unit in units.items() if (one := read_header(catalog, key).analyte)}
    used: set[str] = set()
    known: dict[str, str | None] = {}

    def of(test: str) -> str | None:
        if test not in known:
            analyte = read_header(catalog, test).analyte
            known[test] = by_name.get(squash(test)) or (by_analyte.get(analyte) if analyte else None)
            used.update(key for key in units if squash(key) == squash(test) or (analyte and read_header(catalog, key).analyte == analyte))
        return known[test]

    def filled(result: LabResult) -> LabResult:
        unit = of(str(result.test or "")) or (of(result.loinc) if result.loinc else None)
        return result if unit is None or result.unit or _carries_unit(result.value) else result._replace(unit=unit)

    panels = [panel._replace(results=[filled(result) for result in panel.results]) for panel in source.panels]
    missed = [key for key in units if key not in used and not _is_column(source, key)]
    if missed:
        raise InputError(
            f"no result is called {missed[0][:30]!r}, so its unit has no use; where it is the name of a column, say what is in it, "
            "for example --column ferritin=NAME"
        )
    return source._replace(panels=panels)


def _carries_unit(value: object) -> bool:
    """Whether a value is printed with its unit, as in "12 mg/L", or is none that a unit could belong to."""
    read = read_value(value)
    return isinstance(read, Unreadable) or bool(read.rest)


def _is_column(source: Source, key: str) -> bool:
    """Whether a wide table has such a column of results."""
    columns = getattr(source.original, "results", [])
    return any(squash(one.header) == squash(key) for one in columns)
