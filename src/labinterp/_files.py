"""Read the data files: TOML -> models, with every problem kept, none raised at the first.

Only the compiler, the checks and `with_files` come here; a question answered from a built wheel does not.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from labinterp._schema_analyte import Analyte, AnalyteAddition
from labinterp._schema_links import Condition, Effects, Mechanisms, Pattern, Policy
from labinterp._schema_parts import Sources, Units

Model = TypeVar("Model", bound=BaseModel)


class Problem(NamedTuple):
    """One thing that is wrong in the data files.

    Attributes:
        file: File name below the directory.
        path: Place in the file, such as `limits 'ferritin/who-2020' > cite`.
        text: What is wrong.
        next_step: What to do.
    """

    file: str
    path: str
    text: str
    next_step: str = ""

    def __str__(self) -> str:
        place = f"{self.file} > {self.path}" if self.path else self.file
        return f"{place}: {self.text}" + (f" {self.next_step}" if self.next_step else "")


class Files(NamedTuple):
    """All data files of one catalog, as models."""

    version: str
    as_of: date
    units: Units
    sources: Sources
    policy: Policy
    effects: Effects
    mechanisms: Mechanisms
    analytes: dict[str, Analyte]
    conditions: dict[str, Condition]
    patterns: dict[str, Pattern]
    origin: Mapping[str, str] = MappingProxyType({})  # id of a limit set or alert -> the site's file it came from


class Unusable(Exception):
    """A whole file is missing or does not have its form, so that nothing can be built on it."""


def read_files(root: Path, problems: list[Problem]) -> Files:
    """Read a whole `reference_ranges` directory.

    Args:
        root: The directory.
        problems: Every problem is appended here.

    Returns:
        Files.

    Raises:
        Unusable: A file that the rest depends on could not be read; the problems say which.
    """
    version, as_of = _version(root, problems)
    whole = {
        name: _read(root, f"{name}.toml", model, problems)
        for name, model in (
            ("units", Units), ("sources", Sources), ("policy", Policy), ("effects", Effects), ("mechanisms", Mechanisms),
        )
    }  # fmt: skip
    folders: dict[str, dict[str, Any]] = {}
    for name, model in (("analytes", Analyte), ("conditions", Condition), ("patterns", Pattern)):
        folders[name] = {}
        for path in sorted((root / name).glob("*.toml")):
            read = _read(root, f"{name}/{path.name}", model, problems)
            if read is None:
                continue
            identity = read.id  # type: ignore[attr-defined]
            if identity != path.stem:
                problems.append(Problem(f"{name}/{path.name}", "id", f"the id {identity!r} is not the file's name.", "Rename one of them."))
            folders[name][identity] = read
    if any(value is None for value in whole.values()) or version is None or as_of is None:
        raise Unusable
    return Files(version, as_of, **whole, **folders)  # type: ignore[arg-type]


def read_additions(root: Path, problems: list[Problem]) -> Iterator[tuple[str, Analyte | AnalyteAddition]]:
    """A site's own files: whole analytes, or limits that `extends` an analyte of the catalog.

    Args:
        root: A directory of TOML files, or one file.
        problems: Every problem is appended here.
    """
    paths = [root] if root.is_file() else sorted(root.rglob("*.toml"))
    if not paths:
        problems.append(Problem(str(root.name), "", "no .toml file was found here.", "Give a folder with at least one analyte file."))
    base = root.parent if root.is_file() else root
    for path in paths:
        name = str(path.relative_to(base))
        raw = _toml(base, name, problems)
        if raw is None:
            continue
        model: type[BaseModel] = AnalyteAddition if "extends" in raw else Analyte
        read = _validate(name, raw, model, problems)
        if read is not None:
            yield name, read  # type: ignore[misc]


def _version(root: Path, problems: list[Problem]) -> tuple[str | None, date | None]:
    try:
        lines = dict(
            line.split(" ", 1) for line in (root / "VERSION").read_text("utf-8").split("\n") if line.strip() and not line.startswith("#")
        )
        return lines["version"].strip(), date.fromisoformat(lines["as_of"].strip())
    except (OSError, KeyError, ValueError):
        problems.append(Problem("VERSION", "", "is missing or not of its form.", "Two lines: 'version 2026.1' and 'as_of 2026-11-01'."))
        return None, None


def _read(root: Path, name: str, model: type[Model], problems: list[Problem]) -> Model | None:
    raw = _toml(root, name, problems)
    return None if raw is None else _validate(name, raw, model, problems)


def _toml(root: Path, name: str, problems: list[Problem]) -> dict[str, Any] | None:
    try:
        return tomllib.loads((root / name).read_text("utf-8"), parse_float=Decimal)
    except FileNotFoundError:
        problems.append(Problem(name, "", "the file is missing.", "Restore it, or copy it from the catalog that ships."))
    except UnicodeDecodeError:
        problems.append(Problem(name, "", "the file is not UTF-8 text.", "Save it as UTF-8."))
    except OSError as error:
        problems.append(Problem(name, "", f"the file cannot be read: {error.strerror}.", ""))
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(name, "", f"this is not TOML: {error}.", "A key twice, a missing quote or bracket is the usual cause."))
    except InvalidOperation:
        problems.append(Problem(name, "", "a number has an exponent that no number can have.", "Write the number out."))
    return None


def _validate(name: str, raw: dict[str, Any], model: type[Model], problems: list[Problem]) -> Model | None:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        for detail in error.errors():
            problems.append(Problem(name, _place(raw, detail["loc"]), detail["msg"].removeprefix("Value error, ") + ".", _hint(detail)))
        return None


def _place(raw: Any, location: tuple[int | str, ...]) -> str:
    """`limits 'ferritin/who-2020' > bands 2 > code`: a path a reader can follow, by id where there is one."""
    words: list[str] = []
    for part in location:
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            raw = None
        if isinstance(part, int):
            label = raw.get("id") or raw.get("key") or raw.get("who") if isinstance(raw, dict) else None
            words[-1:] = [f"{words[-1]} {label!r}" if label else f"{words[-1]} {part + 1}"] if words else [str(part + 1)]
        else:
            words.append(str(part))
    return " > ".join(words)


def _hint(detail: Any) -> str:
    if detail["type"] == "extra_forbidden":
        return "Check the spelling of the key, or take it out."
    if detail["type"] == "missing":
        return "Add it."
    return ""
