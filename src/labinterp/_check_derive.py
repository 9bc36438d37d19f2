"""Checks of how quantities are derived: known functions, their inputs in their units, values that convert, and no cycles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from labinterp._derived import FUNCTIONS, Function
from labinterp._files import Files, Problem
from labinterp._schema_analyte import Analyte, Derive
from labinterp._units import Physics


def check_derive(files: Files) -> Iterator[Problem]:
    """Every problem in the `[[derive]]` blocks of every analyte."""
    kinds: dict[str, str] = {u.ucum: u.kind for u in files.units.unit}
    physics = Physics({u.ucum: u.pint for u in files.units.unit}, kinds)
    for analyte in files.analytes.values():
        file = f"analytes/{analyte.id}.toml"
        for block in analyte.derive:
            place = f"derive {block.id!r}"
            function = FUNCTIONS.get(block.function)
            if function is None:
                listed = ", ".join(sorted(FUNCTIONS))
                yield Problem(file, f"{place} > function", f"{block.function!r} is no function of labinterp.", f"It has: {listed}.")
                continue
            yield from _inputs(files, file, place, block, function, kinds, physics)
            if not _converts(analyte, function.unit, kinds, physics):
                yield Problem(
                    file, f"{place} > function", f"{block.function} gives {function.unit!r}, which does not convert to {analyte.units.si!r}.",
                    "Name another function, or correct the unit of the analyte.",
                )  # fmt: skip
            yield from _beside_measured(file, place, block)
            if not block.cite:
                yield Problem(file, place, "no citation.", "Say where the formula stands.")
    yield from _cycles(files.analytes)


def _inputs(
    files: Files, file: str, place: str, block: Derive, function: Function, kinds: Mapping[str, str], physics: Physics
) -> Iterator[Problem]:
    takes = " and ".join(f"{name} in {unit}" for name, unit in function.inputs.items())
    if set(block.inputs) != set(function.inputs):
        yield Problem(file, f"{place} > inputs", f"{block.function} takes {takes}.", "Name these inputs, and no others.")
        return
    for name, unit in block.inputs.items():
        if unit != function.inputs[name]:
            yield Problem(
                file, f"{place} > inputs", f"{block.function} takes {name} in {function.inputs[name]}, not {unit!r}.",
                "Name the unit that the function takes; reported units are converted.",
            )  # fmt: skip
        if name not in files.analytes:
            yield Problem(file, f"{place} > inputs", f"{name!r} is no analyte of this catalog.", "Add its file, or take the block out.")
        elif not _converts(files.analytes[name], function.inputs[name], kinds, physics):
            si = files.analytes[name].units.si
            yield Problem(
                file, f"{place} > inputs", f"{function.inputs[name]!r} does not convert to {si!r} of {name}.",
                "Correct the units of that analyte, or take the block out.",
            )  # fmt: skip
    for name, span in block.within.items():
        if name not in block.inputs:
            yield Problem(file, f"{place} > within", f"{name!r} is no input of this block.", "Correct the name, or take it out.")
        elif name in files.analytes and not _converts(files.analytes[name], span.unit, kinds, physics):
            yield Problem(
                file,
                f"{place} > within",
                f"{span.unit!r} does not convert to {files.analytes[name].units.si!r}.",
                "Use a unit of that analyte.",
            )
    for name in function.within:
        if name not in block.within:
            yield Problem(
                file, f"{place} > within", f"{block.function} needs the values of {name} for which it may be used.",
                f'Add: within = {{ {name} = {{ unit = "{function.inputs[name]}", at_least = ... }} }}',
            )  # fmt: skip


def _beside_measured(file: str, place: str, block: Derive) -> Iterator[Problem]:
    beside = block.measured
    if beside is None:
        return
    if beside.far_percent < beside.agree_percent:
        yield Problem(
            file, f"{place} > measured", "far_percent is smaller than agree_percent: what agrees would be called far apart.",
            "Make far_percent the larger one.",
        )  # fmt: skip
    if block.only_these_units:
        yield Problem(
            file, f"{place} > measured", "a block for its own units only cannot tell what another unit would make of the results.",
            "Put it into a block without only_these_units.",
        )  # fmt: skip


def _converts(analyte: Analyte, unit: str, kinds: Mapping[str, str], physics: Physics) -> bool:
    if unit not in kinds or kinds[unit] in {refused.kind for refused in analyte.units.refuse}:
        return False
    return physics.factor(unit, analyte.units.si, analyte.units.moiety.molar_mass, analyte.units.moiety.valence) is not None


def _cycles(analytes: Mapping[str, Analyte]) -> Iterator[Problem]:
    """A quantity that is derived from itself, directly or through others, is told once for each block on the way."""

    def leads_back(start: str, id: str, way: tuple[str, ...]) -> tuple[str, ...]:
        for block in analytes[id].derive if id in analytes else ():
            for name in block.inputs:
                if name == start:
                    return (*way, name)
                found = leads_back(start, name, (*way, name)) if name not in way else ()
                if found:
                    return found
        return ()

    for id, analyte in analytes.items():
        way = leads_back(id, id, (id,))
        if way:
            yield Problem(
                f"analytes/{id}.toml", f"derive {analyte.derive[0].id!r}", f"{' is derived from '.join(way)}: a circle.",
                "Take one of the blocks out.",
            )  # fmt: skip
