"""One immutable version of the data: read once, asked often, never changed.

A wheel carries the compiled table as `catalog.json`. A source checkout compiles `reference_ranges/` at first
use, unless a compiled file with the same digest lies beside the code.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from os.path import abspath, basename, dirname, isdir, isfile, join
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from labinterp._analyte import Analyte
from labinterp._rules import LimitSet
from labinterp._units import UnitTable
from labinterp.errors import CatalogError, InputError, UnknownAnalyteError, UnknownAuthorityError

if TYPE_CHECKING:
    from datetime import date
    from fractions import Fraction
    from pathlib import Path

_HERE = dirname(abspath(__file__))  # pathlib would cost a tenth of a first answer
_LEARNED = 24  # questions about frames
_MEMO = 4096  # entries; memos are bounded so that a stream of odd people cannot fill the memory


class Silence(NamedTuple):
    """Nobody draws a line here: the id of the record, where there is one, and the reason."""

    id: str | None
    because: str


class Catalog:
    """All limits, names, links and sources of one data version. Immutable; make a new one with `with_files`.

    Args:
        table: A compiled table.
        root: The directory of the data files it came from, for `with_files`.
        added: A site's own files that were added to them.

    Example:
        >>> catalog = Catalog.default()
        >>> "vitamin_d" in catalog.analytes
        True
    """

    _default: ClassVar[Catalog | None] = None

    def __init__(self, table: Mapping[str, Any], root: Path | None = None, added: tuple[Path, ...] = ()) -> None:
        self.table = table
        self.root = root
        self.added = added
        self.version: str = table["version"]
        self.as_of: str = table["as_of"]
        self.digest: str = table["digest"]
        self.units = UnitTable(table["units"])
        self._sets: dict[str, LimitSet] = {}
        self.memo: dict[Any, Any] = {}
        self.learned: dict[Any, Any] = {}
        self.standing: tuple[str, ...] = tuple(table["policy"]["standing"])

    def __repr__(self) -> str:
        return (
            f"<Catalog {self.version}, {len(self.table['analytes'])} analytes, {len(self.table['limits'])} limit sets, as of {self.as_of}>"
        )

    def __dir__(self) -> list[str]:
        return [name for name in object.__dir__(self) if name not in ("memo", "learned", "remember", "learn")]

    def _repr_html_(self) -> str | None:
        from labinterp._pages.glance import glance

        return glance(self)

    def to_frame(self, engine: str | None = None) -> Any:
        """A tidy table: one row for each band of each limit set. Arguments and errors as for `Report.to_frame`.

        Example:
            >>> frame = Catalog.default().to_frame("polars")
            >>> [band for limits, band in frame.select("limits", "band").rows() if limits == "vitamin_d/nam-2011"]
            ['deficient', 'inadequate', 'adequate', 'high']
        """
        from labinterp._pages.tidy import catalog_frame

        return catalog_frame(self, engine)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Catalog) and (self.digest, self.version) == (other.digest, other.version)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[Any, ...]:
        """The catalog that ships is found again, not copied: a pickled finding stays small."""
        return (Catalog.default, ()) if self is Catalog._default else (Catalog, (self.table, self.root, self.added))

    @classmethod
    def default(cls) -> Catalog:
        """The catalog that ships with this version of the library.

        Returns:
            Catalog: the same object at every call.

        Raises:
            CatalogError: In a source checkout whose data files have problems.

        Example:
            >>> Catalog.default() is Catalog.default()
            True
        """
        if cls._default is None:
            cls._default = _load()
        return cls._default

    @classmethod
    def from_directory(cls, root: str | Path) -> Catalog:
        """A catalog compiled from a whole directory of data files, such as a changed copy of `reference_ranges/`.

        Raises:
            CatalogError: With every problem found.
        """
        from pathlib import Path

        from labinterp._checks import checked_files
        from labinterp._compile import compile_table
        from labinterp._digest import digest

        path = Path(root)
        return cls(compile_table(checked_files(path), digest(path)), path)

    def with_files(self, path: str | Path) -> Catalog:
        """A new catalog with a site's own limits added.

        Args:
            path: A TOML file or a directory of them: whole analytes, or files that start with
                `extends = "ferritin"` and add limit sets to an analyte of this catalog.

        Returns:
            Catalog: this one stays as it is.

        Raises:
            CatalogError: With every problem found.
        """
        from pathlib import Path

        from labinterp._checks import checked_files, merged_files
        from labinterp._compile import compile_table

        added = (*self.added, Path(path))
        files = checked_files(self.root or data_root())
        for one in added:
            files = merged_files(files, one)
        return Catalog(compile_table(files, "+".join([self.digest.split("+")[0], *(p.name for p in added)])), self.root, added)

    # --- what is in it ------------------------------------------------------------------------------------

    @property
    def analytes(self) -> dict[str, Analyte]:
        """Every analyte, by id."""
        return {
            key: Analyte(key, a["name"], tuple(a["usual"]), tuple(a["loinc"]), tuple(a["limits"]), tuple(a["no_limit"]))
            for key, a in self.table["analytes"].items()
        }

    def analyte_id(self, name: str) -> str:
        """The id of an analyte from its id, a name or a LOINC code.

        Raises:
            UnknownAnalyteError: With the closest ids, or why a look-alike is refused.
        """
        if name in self.table["analytes"]:
            return name
        from labinterp._identify import Identified, identify, simply_not_here

        found = identify(self, name)
        if isinstance(found, Identified):
            return found.analyte
        because = found.message.partition(" Closest: ")[0]  # the error names what is close itself
        raise UnknownAnalyteError(name, found.closest, "" if simply_not_here(because) else because)

    def limit_set(self, id: str) -> LimitSet:
        """A limit set by id.

        Raises:
            UnknownAuthorityError: No set has this id.
        """
        try:
            return self._sets[id]
        except KeyError:
            data = self.table["limits"].get(id)
            if data is None:
                raise UnknownAuthorityError(id, sorted(self.table["limits"])) from None
            factors = self.table["analytes"][data["analyte"]]["factors"]
            made = self._sets[id] = LimitSet(data, factors, self.units.kinds)
            return made

    def authorities(self, analyte: str) -> list[dict[str, Any]]:
        """Who draws a line for an analyte, who was read and draws none, since when, and where it is printed.

        Args:
            analyte: Id, name or LOINC code.

        Returns:
            list of dict: id, authority, name, kind, purpose, from, until, superseded_by, default, citations;
            `because` where the authority gives no limit.

        Raises:
            UnknownAnalyteError: No analyte has this name.

        Example:
            >>> [a["id"] for a in Catalog.default().authorities("vitamin_d")][0]
            'vitamin_d/nam-2011'
        """
        entry = self.table["analytes"][self.analyte_id(analyte)]
        rows = []
        for id in entry["limits"]:
            data = self.table["limits"][id]
            rows.append({k: data[k] for k in ("id", "authority", "kind", "purpose", "from", "until", "superseded_by")})
        for id in entry["no_limit"]:
            data = self.table["no_limit"][id]
            rows.append({"id": id, "authority": data["authority"], "kind": None, "purpose": None, "from": data["from"],
                         "until": data["until"], "superseded_by": None, "because": data["because"]})  # fmt: skip
        for row in rows:
            row["name"] = self.table["authorities"][row["authority"]]["name"]
            row["default"] = row["id"] == entry["default"]
            row["citations"] = self.citations(row["id"])
        return rows

    def citations(self, id: str) -> list[dict[str, Any]]:
        """The citations of a limit set or a record of silence, with the sources written out."""
        data = self.table["limits"].get(id) or self.table["no_limit"].get(id)
        return self.written_out(data["cite"]) if data else []

    def written_out(self, cites: list[dict[str, str]]) -> list[dict[str, Any]]:
        """Citations with the title, year and address of their sources."""
        key = ("written", id(cites))
        found = self.memo.get(key)  # asked once: another thread may empty the memo between two questions
        if found is None:
            found = self.remember(key, [{**cite, **_address(self.table["sources"][cite["source"]])} for cite in cites])
        return [dict(cite) for cite in found]  # copies: what a caller does to them stays with the caller

    def drawn_by(self, analyte: str, authority: str | None, as_of: str) -> list[LimitSet] | Silence:
        """The limit sets that may answer for an analyte on a day, the first choice first; several only of one authority.

        Args:
            analyte: Id.
            authority: An authority's key, a limit set's id, or None for the analyte's default.
            as_of: ISO day.
        """
        entry = self.table["analytes"][analyte]
        wanted = authority or entry["default"]
        if wanted is None:
            return Silence(None, "The catalog has no limit set for this analyte.")
        for id in (wanted, f"{analyte}/{wanted}"):
            if id in entry["limits"]:
                chosen = self.limit_set(id)
                if chosen.in_force(as_of):
                    return [chosen]
                newer = chosen.data["superseded_by"]
                more = f" It was superseded by {newer}." if newer else ""
                return Silence(id, f"{id} is not in force on {as_of}.{more}")
            if id in entry["no_limit"]:
                return Silence(id, self.table["no_limit"][id]["because"])
        sets = [s for s in map(self.limit_set, entry["limits"]) if s.authority == wanted and s.in_force(as_of)]
        plain = [s for s in sets if not s.data["aspect"] or s.id == entry["default"]]
        plain.sort(key=lambda s: s.id != entry["default"])
        if plain:
            return plain
        if len(sets) == 1:
            return sets
        if sets:
            listed = ", ".join(f"{s.id} ({s.data['aspect']})" for s in sets)
            return Silence(None, f"{wanted} draws several lines; ask for one by its id: {listed}.")
        for id in entry["no_limit"]:
            data = self.table["no_limit"][id]
            if data["authority"] == wanted and (data["from"] or "") <= as_of < (data["until"] or "9999"):
                return Silence(id, data["because"])
        return Silence(None, f"This catalog has no limit set of {wanted!r} for {analyte} in force on {as_of}.")

    def check_authority(self, authority: str) -> None:
        """Refuse an authority that nobody has heard of.

        Raises:
            UnknownAuthorityError: With the names that would do.
        """
        known = self.table["authorities"]
        if authority in known or authority in self.table["limits"] or authority in self.table["no_limit"]:
            return
        if any(id.split("/", 1)[1] == authority for id in (*self.table["limits"], *self.table["no_limit"])):
            return
        raise UnknownAuthorityError(authority, sorted(known))

    def factor(self, analyte: str, source: str, target: str) -> Fraction | None:
        """How many `target` are one `source` for this analyte, exactly; None where there is no exact way."""
        from fractions import Fraction

        factors = self.table["analytes"][analyte]["factors"]
        if source not in factors or target not in factors:
            return None
        return Fraction(factors[source]) / Fraction(factors[target])

    def si_factor(self, analyte: str, unit: str) -> tuple[float | None, str]:
        """How many of the SI unit are one of a unit, rounded once (None where they are the same), and the SI unit."""
        key = ("si", analyte, unit)
        found: tuple[float | None, str] | None = self.memo.get(key)
        if found is None:
            target = self.table["analytes"][analyte]["si"]
            exact = self.factor(analyte, unit, target)
            found = self.remember(key, (None if exact in (None, 1) else float(exact or 1), target))
        return found

    def remember(self, key: Any, value: Any) -> Any:
        """Keep a derived value; the memo is emptied when it is full."""
        if len(self.memo) >= _MEMO:
            self.memo.clear()
        self.memo[key] = value
        return value

    def learn(self, key: Any, make: Callable[[], Any]) -> Any:
        """What is learned of frames outlasts the memo. A word is the key of what all questions share; of many questions (tuples) the oldest goes."""
        found = self.learned.get(key)
        if found is None:
            found = self.learned.setdefault(key, make())
            questions = [key for key in list(self.learned) if isinstance(key, tuple)]
            for old in questions[:-_LEARNED]:
                self.learned.pop(old, None)
        return found


def iso(as_of: date | str | None, catalog: Catalog) -> str:
    """The day whose limits are asked for, as ISO text; default: the catalog's own day, never today.

    Raises:
        InputError: A text that is no day.
    """
    if as_of is None:
        return catalog.as_of
    from datetime import date

    try:
        return (date.fromisoformat(as_of) if isinstance(as_of, str) else as_of).isoformat()[:10]
    except (ValueError, AttributeError):
        raise InputError("as_of is a date, or a text such as '2024-06-03'") from None


def data_root() -> Path:
    """The directory of the data files: the repository's, or the copy inside an installed package."""
    from pathlib import Path

    checkout = join(dirname(dirname(_HERE)), "reference_ranges")
    return Path(checkout if _in_checkout() and isdir(checkout) else join(_HERE, "reference_ranges"))


def _in_checkout() -> bool:
    return basename(dirname(_HERE)) == "src" and isfile(join(dirname(dirname(_HERE)), "pyproject.toml"))


def _load() -> Catalog:
    compiled = join(_HERE, "catalog.json")
    if isfile(compiled):
        with open(compiled, "rb") as file:
            table = json.loads(file.read())
        if not _in_checkout():
            return Catalog(table)
        from labinterp._digest import digest

        if table.get("digest") == digest(data_root()):
            return Catalog(table)
    if not data_root().is_dir():
        raise CatalogError([f"{data_root().name}: the data files are missing; install the package again"])
    return Catalog.from_directory(data_root())


def _address(source: Mapping[str, Any]) -> dict[str, Any]:
    return {k: source[k] for k in ("organisation", "title", "year", "doi", "pmid", "url") if k in source}
