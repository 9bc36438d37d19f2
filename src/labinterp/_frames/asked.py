"""What a caller asks of a frame: which column plays which role, whose limits, which columns come back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._book import chosen
from labinterp._catalog import Catalog, iso
from labinterp._frames.rows import RowReader
from labinterp._summary import ADDED
from labinterp.errors import InputError

if TYPE_CHECKING:
    from datetime import date

ROLES = (
    "test", "value", "unit", "sex", "age_years", "loinc", "specimen", "pregnant", "birth_date", "collected_at", "patient_id", "comparator",
    "ref_low", "ref_high", "ref_text", "flag", "context",
)  # fmt: skip
# What an answer depends on. The laboratory's flag is kept, and no answer rests on it.
READ = tuple(role for role in ROLES if role not in ("patient_id", "flag"))
KEYS = ("patient_id", "collected_at", "test")
ALL, RESULTS = "all", "results"


class Asked(NamedTuple):
    """The arguments of a call, checked.

    Attributes:
        columns: Role -> name of the column, for the roles that are there.
        catalog: Whose limits.
        authority: Whose limits, by the catalog's names.
        as_of: ISO day.
        decimal: The decimal mark of the source, if known.
        prefix: Before the names of the answer columns.
        kept: "all" or "results".
        near: Whether near_limit is asked for.
    """

    columns: Mapping[str, Any]
    catalog: Catalog
    authority: Any
    as_of: str
    decimal: str | None
    prefix: str
    kept: str
    near: bool

    def reader(self) -> RowReader:
        """Where rows are read; the same question gets the same reader, with all it has learned."""
        authority = tuple(sorted(self.authority.items())) if isinstance(self.authority, Mapping) else self.authority
        key = ("rows", authority, self.as_of, self.decimal, self.near)
        made: RowReader = self.catalog.learn(key, lambda: RowReader(self.catalog, self.authority, self.as_of, self.decimal, self.near))
        return made

    def added(self) -> list[str]:
        """The names of the answer columns."""
        return [f"{self.prefix}{name}" for name in (*ADDED, *(("near_limit",) if self.near else ()))]

    def kept_columns(self, names: Sequence[Any]) -> list[Any]:
        """The caller's own columns that come back."""
        if self.kept == ALL:
            return list(names)
        return [self.columns[role] for role in KEYS if role in self.columns]


def asked(
    names: Iterable[Any],
    roles: Mapping[str, Any],
    *,
    authority: str | Mapping[str, str] | None = None,
    as_of: date | str | None = None,
    catalog: Catalog | None = None,
    decimal: str | None = None,
    prefix: str = "li_",
    columns: str = ALL,
    near_limit: bool = False,
) -> Asked:
    """Check what was asked for against the columns of a frame.

    Args:
        names: The frame's column names.
        roles: Role -> column name as the caller gave it; None where there is none.
        authority: As for `interpret`.
        as_of: As for `interpret`.
        catalog: As for `interpret`.
        decimal: As for `interpret`.
        prefix: Before the names of the answer columns.
        columns: "all" or "results".
        near_limit: Whether that column is asked for.

    Raises:
        InputError: A column that is not there or stands twice, or a name that an answer column would take.
        UnknownAuthorityError: Nobody of that name draws lines in the catalog.
    """
    listed = list(names)
    catalog = catalog or Catalog.default()
    if decimal not in (None, ".", ","):
        raise InputError(f"decimal is '.' or ',', not {decimal!r}")
    if columns not in (ALL, RESULTS):
        raise InputError(f"columns is 'all' or 'results', not {columns!r}")
    found = _found(listed, roles)
    made = Asked(found, catalog, chosen(catalog, authority), iso(as_of, catalog), decimal, prefix, columns, near_limit)
    clash = [name for name in made.added() if name in made.kept_columns(listed)]
    if clash:
        raise InputError(f"the frame already has the column {clash[0]!r}; rename it, or give another prefix (prefix='labinterp_')")
    return made


def _found(names: list[Any], roles: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for role, name in roles.items():
        if name is None:
            continue
        count = names.count(name)
        if count > 1:
            raise InputError(f"the column {name!r} stands {count} times in the frame; the {role} must be one column")
        if count:
            found[role] = name
        elif name != role:  # it was named, so it is meant
            raise InputError(f"there is no column {name!r} for {role}{_near(name, names)}; this frame has: {_listed(names)}")
    if "value" not in found or not {"test", "loinc"} & set(found):
        missing = "value" if "value" not in found else "test"
        raise InputError(
            f"no column {missing!r}{_near(missing, names)}; name it, such as {missing}='RESULT'. This frame has: {_listed(names)}"
        )
    return found


def _near(name: Any, names: list[Any]) -> str:
    if name in names:  # it is there, and the caller said that it is not meant
        return ""
    close = get_close_matches(str(name).casefold(), [str(n).casefold() for n in names], n=1)
    exact = [n for n in names if close and str(n).casefold() == close[0]]
    return f" (did you mean {exact[0]!r}?)" if exact else ""


def _listed(names: list[Any]) -> str:
    shown = ["".join(c for c in str(name) if c.isprintable())[:30] for name in names[:12]]
    return ", ".join(shown) + (", ..." if len(names) > 12 else "")
