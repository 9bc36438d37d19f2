"""Everything that is checked before data is believed; every problem at once, each with file, path and next step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labinterp._check_derive import check_derive
from labinterp._check_limits import check_limits
from labinterp._check_links import check_citations, check_gates, check_ids, check_names, check_words
from labinterp._files import Files, Problem, Unusable, read_additions, read_files
from labinterp._schema_analyte import Analyte, AnalyteAddition
from labinterp.errors import CatalogError


def problems_of(files: Files, published: tuple[str, ...] = ()) -> list[Problem]:
    """Every problem in files that could be read.

    Args:
        files: The models.
        published: Ids that were published before and must still be there.
    """
    found = [
        *check_limits(files),
        *check_derive(files),
        *check_names(files),
        *check_ids(files, published),
        *check_citations(files),
        *check_gates(files),
        *check_words(files),
    ]
    return [_at_home(problem, files.origin) for problem in found]


def _at_home(problem: Problem, origin: Mapping[str, str]) -> Problem:
    """The problem under the site's own file, where the part it names came from one."""
    own = [id for id in origin if id in problem.path]
    return problem._replace(file=origin[max(own, key=len)]) if own else problem


def published_ids(root: Path) -> tuple[str, ...]:
    """The ids of `ids.txt`: every limit set, alert, link and pattern ever published."""
    path = root / "ids.txt"
    if not path.is_file():
        return ()
    return tuple(line.strip() for line in path.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#"))


def check_directory(root: Path, base: Path | None = None) -> list[Problem]:
    """Every problem of a directory: a whole catalog, or a site's own files on top of the catalog that ships.

    Args:
        root: The directory (or one file).
        base: The catalog the site's files are added to; None where `root` is a whole catalog.
    """
    problems: list[Problem] = []
    if not root.exists():
        return [Problem(root.name, "", "there is no such file or directory.", "Check the path.")]
    try:
        if base is None:
            files = read_files(root, problems)
        else:
            files = _merge(read_files(base, problems), root, problems)
    except Unusable:
        return problems
    return problems + problems_of(files, published_ids(base or root))


def checked_files(root: Path) -> Files:
    """The files of a whole catalog.

    Raises:
        CatalogError: With every problem found.
    """
    problems: list[Problem] = []
    try:
        files = read_files(root, problems)
    except Unusable:
        raise CatalogError(problems) from None
    problems += problems_of(files, published_ids(root))
    if problems:
        raise CatalogError(problems)
    return files


def merged_files(base: Files, path: Path) -> Files:
    """A catalog's files with a site's own added.

    Raises:
        CatalogError: With every problem found.
    """
    problems: list[Problem] = []
    if not path.exists():
        raise CatalogError([Problem(path.name, "", "there is no such file or directory.", "Check the path.")])
    files = _merge(base, path, problems)
    problems += problems_of(files)
    if problems:
        raise CatalogError(problems)
    return files


def _merge(base: Files, path: Path, problems: list[Problem]) -> Files:
    analytes, sources, origin = dict(base.analytes), base.sources, dict(base.origin)
    for name, addition in read_additions(path, problems):
        items: tuple[Any, ...] = (*addition.limits, *addition.no_limit, *addition.critical, *addition.alerts)
        origin.update({item.id: name for item in items})
        more = {
            "authorities": {**sources.authorities, **addition.authorities},
            "sources": {**sources.sources, **addition.sources},
        }
        sources = sources.model_copy(update=more)
        if isinstance(addition, Analyte):
            if addition.id in analytes:
                problems.append(
                    Problem(
                        name,
                        "id",
                        f"{addition.id!r} is already in the catalog.",
                        f'To add limits to it, start the file with: extends = "{addition.id}"',
                    )
                )
            analytes.setdefault(addition.id, addition)
            continue
        known = analytes.get(addition.extends)
        if known is None:
            problems.append(
                Problem(name, "extends", f"{addition.extends!r} is no analyte of the catalog.", f"It has: {', '.join(sorted(analytes))}.")
            )
            continue
        analytes[addition.extends] = _extended(known, addition)
    return base._replace(analytes=analytes, sources=sources, origin=origin)


def _extended(known: Analyte, addition: AnalyteAddition) -> Analyte:
    more = {name: (*getattr(known, name), *getattr(addition, name)) for name in ("limits", "no_limit", "critical", "alerts")}
    return known.model_copy(
        update={**more, "default": addition.default or known.default, "lab_range": addition.lab_range or known.lab_range}
    )
