"""What is measured, as the catalog names it."""

from __future__ import annotations

from typing import Any, NamedTuple


class Analyte(NamedTuple):
    """What is measured: identity, units and limit sets of one analyte.

    Attributes:
        id: The catalog's id.
        name: Full name.
        units: UCUM codes in which it is usually reported.
        loinc: LOINC codes that mean it.
        limits: Ids of the limit sets in the catalog.
        no_limit: Ids of the records that an authority draws no line.
    """

    id: str
    name: str
    units: tuple[str, ...]
    loinc: tuple[str, ...]
    limits: tuple[str, ...]
    no_limit: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as `labinterp analytes --to json` prints it."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in self._asdict().items()}

    def __repr__(self) -> str:
        return f"<Analyte {self.id}: {self.name}; {', '.join(self.units)}; {len(self.limits)} limit sets>"

    def _repr_html_(self) -> str | None:
        from labinterp._pages.glance import glance

        return glance(self)

    def __dir__(self) -> list[str]:
        return without_tuple(self)


def without_tuple(item: object) -> list[str]:
    """The names of a result that a reader looks for: not those it has from being a tuple.

    Args:
        item: A named tuple.

    Example:
        >>> {"count", "index"} & set(without_tuple((1, 2)))
        set()
    """
    return [name for name in object.__dir__(item) if name not in ("count", "index")]
