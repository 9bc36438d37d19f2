"""What can go wrong in a *call*. Odd data of a patient is never an exception: it comes back as `NotAssessed`.

Each class builds its message from typed fields, so that an error survives pickling and a program can read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

_MANY = 12  # names that are listed; more are no help


class LabInterpError(Exception):
    """Base of every exception this library raises.

    Example:
        >>> issubclass(UnknownAnalyteError, LabInterpError)
        True
    """


class UnknownAnalyteError(LabInterpError, KeyError):
    """No analyte has this name or code.

    Args:
        name: What was asked for.
        closest: Ids or names that are near it.
        because: Why a look-alike was refused, where it was one.

    Example:
        >>> print(UnknownAnalyteError("vitamin q", ["vitamin_d"]))
        no analyte called 'vitamin q'
          closest: vitamin_d
    """

    def __init__(self, name: str, closest: Sequence[str] = (), because: str = "") -> None:
        super().__init__(name, tuple(closest), because)
        self.name, self.closest, self.because = name, tuple(closest), because

    def __str__(self) -> str:
        text = f"no analyte called {self.name!r}"
        if self.because:
            text += f"\n  {self.because}"
        return text + ("\n  " + (f"closest: {', '.join(self.closest)}" if self.closest else "`labinterp analytes` lists them all"))


class UnknownEffectError(LabInterpError, KeyError):
    """No muscle effect has this name.

    Args:
        name: What was asked for.
        closest: Effects that are near it.

    Example:
        >>> print(UnknownEffectError("cramp in the calves", ["muscle_cramp (Cramp or spasm)"]))
        no effect called 'cramp in the calves'
          closest: muscle_cramp (Cramp or spasm)
    """

    def __init__(self, name: str, closest: Sequence[str] = ()) -> None:
        super().__init__(name, tuple(closest))
        self.name, self.closest = name, tuple(closest)

    def __str__(self) -> str:
        hint = f"closest: {', '.join(self.closest)}" if self.closest else "`labinterp effects` lists them all"
        return f"no effect called {self.name!r}\n  {hint}"


class UnknownAuthorityError(LabInterpError, KeyError):
    """No authority or limit set has this name.

    Args:
        name: What was asked for.
        accepted: Names that would do.
    """

    def __init__(self, name: str, accepted: Sequence[str] = ()) -> None:
        super().__init__(name, tuple(accepted))
        self.name, self.accepted = name, tuple(accepted)

    def __str__(self) -> str:
        told = f"no authority or limit set called {self.name!r}\n  "
        if len(self.accepted) <= _MANY:
            return f"{told}accepted here: {', '.join(self.accepted)}"
        near = get_close_matches(self.name.casefold(), self.accepted, 5)
        closest = f"closest: {', '.join(near)}. " if near else ""
        return f"{told}{closest}`labinterp limits ANALYTE` lists those of one test"


class UnknownUnitError(LabInterpError, ValueError):
    """A unit text that cannot be read.

    Args:
        analyte: The analyte's id, or an empty text.
        unit: The text that was read.
        accepted: Units in which this analyte is usually reported.
        closest: The accepted unit that looks most like it, or None.

    Example:
        >>> print(UnknownUnitError("vitamin_d", "NG/M", ["nmol/L", "ng/mL"], "ng/mL"))
        vitamin_d: cannot read the unit 'NG/M'
          accepted here: nmol/L, ng/mL. Did you mean 'ng/mL'?
    """

    def __init__(self, analyte: str, unit: str, accepted: Sequence[str] = (), closest: str | None = None) -> None:
        super().__init__(analyte, unit, tuple(accepted), closest)
        self.analyte, self.unit, self.accepted, self.closest = analyte, unit, tuple(accepted), closest

    def __str__(self) -> str:
        where = f"{self.analyte}: " if self.analyte else ""
        hint = f" Did you mean {self.closest!r}?" if self.closest else ""
        return f"{where}cannot read the unit {self.unit!r}\n  accepted here: {', '.join(self.accepted)}.{hint}"


class IncompatibleUnitError(LabInterpError, ValueError):
    """A unit that exists and has no exact meaning for this analyte.

    Args:
        analyte: The analyte's id.
        unit: The UCUM code.
        because: The reason, one sentence.
        accepted: Units in which this analyte is usually reported.
    """

    def __init__(self, analyte: str, unit: str, because: str, accepted: Sequence[str] = ()) -> None:
        super().__init__(analyte, unit, because, tuple(accepted))
        self.analyte, self.unit, self.because, self.accepted = analyte, unit, because, tuple(accepted)

    def __str__(self) -> str:
        return f"{self.analyte}: {self.because}\n  accepted here: {', '.join(self.accepted)}"


class InputError(LabInterpError, ValueError):
    """A file, column or argument that cannot be used, with what is accepted and one next step.

    The text of a patient's row is never part of it.
    """


class CatalogError(LabInterpError, ValueError):
    """Data files with problems; all of them at once.

    Args:
        problems: One line each: file, path, what is wrong, next step.
    """

    def __init__(self, problems: Sequence[object]) -> None:
        super().__init__(tuple(problems))
        self.problems = tuple(problems)

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"the catalog has {count} problem{'s' if count != 1 else ''}"
        return head + "".join(f"\n  {problem}" for problem in self.problems)


class MissingExtraError(LabInterpError, ImportError):
    """A part of the library that needs an extra which is not installed.

    Args:
        extra: The extra's name.

    Example:
        >>> print(MissingExtraError("cli"))
        this needs the extra 'cli':  pip install "labinterp[cli]"
    """

    def __init__(self, extra: str) -> None:
        super().__init__(extra)
        self.extra = extra

    def __str__(self) -> str:
        return f"this needs the extra '{self.extra}':  pip install \"labinterp[{self.extra}]\""
