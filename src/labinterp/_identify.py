"""Which analyte a printed name, a LOINC code and a specimen mean: one, or a reason why none.

Full names first; then the words in any order; then without words that change nothing ("serum", "level"), and
with a note in brackets only where the note means the same analyte. Look-alikes are refused by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._lazy import pattern
from labinterp._names import LOINC, closest_keys, sorted_key, squash, tokens, unit_behind, without_specimen

if TYPE_CHECKING:
    from labinterp._catalog import Catalog

LONGEST = 200  # characters of a name
_LOINC = pattern(LOINC).fullmatch
# LOINC's own names say the property: "[Mass/volume]" promises a mass unit
_PROPERTY = {"massvolume": "mass", "molesvolume": "substance"}
_LOINC_INSIDE = pattern(r"(?<![\d-])\d{1,6}-\d(?![\d-])")
_BRACKETS = pattern(r"\(([^()]*)\)|\[([^\[\]]*)\]|\{([^{}]*)\}")


class Identified(NamedTuple):
    """The analyte, the kind of unit its name or code promises, notes for the reader, and a unit printed in the name."""

    analyte: str
    kind: str | None = None
    notes: tuple[str, ...] = ()
    unit: str | None = None


class Refused(NamedTuple):
    """Why a name or code is no analyte here."""

    reason: str
    message: str
    analyte: str | None = None
    closest: tuple[str, ...] = ()
    look_alike: bool = False


_NO_NAME = Refused("unknown_analyte", "No analyte of the catalog has this name.")
_NO_CODE = " is not in the catalog."


def identify(catalog: Catalog, test: str, loinc: str | None = None, specimen: str | None = None) -> Identified | Refused:
    """The analyte a result is of.

    Args:
        catalog: Whose names.
        test: Name, abbreviation or LOINC code as printed.
        loinc: LOINC code, if the report has one.
        specimen: Specimen as printed, if the report has one.

    Returns:
        Identified: the analyte's id.
        Refused: `unknown_analyte`, `ambiguous_analyte`, `conflicting_code` or `wrong_specimen`, with one sentence.

    Example:
        >>> from labinterp import Catalog
        >>> identify(Catalog.default(), "25(OH)D").analyte
        'vitamin_d'
    """
    key = ("identify", test, loinc, specimen)
    try:
        found: Identified | Refused = catalog.memo[key]
    except KeyError:
        named = which(catalog, test, loinc)
        found = of_specimen(catalog, named, specimen)
        if found == _NO_NAME:
            found = _with_closest(catalog, found, test)
        found = catalog.remember(key, found)
    return found


def which(catalog: Catalog, test: str, loinc: str | None = None) -> Identified | Refused:
    """What a name and a code mean, before the specimen is looked at; without the closest names of an unknown one."""
    test = str(test or "").strip()
    if len(test) > LONGEST:
        return Refused("unknown_analyte", f"The name is longer than {LONGEST} characters; it is no test name.")
    notes: tuple[str, ...] = ()
    code = (loinc or "").strip().replace("\u2013", "-")
    if code and not _LOINC(code):
        inside = _LOINC_INSIDE.search(code)  # "LOINC:2132-9", "http://loinc.org|2132-9"
        code, notes = (inside[0], ()) if inside else ("", ("The code is not a LOINC code; it was not used.",))
    if not code and _LOINC(test):
        code, test = test, ""
    named = _by_name(catalog, test) if test else None
    found = _with_code(catalog, named, code, test) if code else named
    if found is None:
        return Refused("unknown_analyte", "There is no test name and no code.")
    return found._replace(notes=(*found.notes, *notes)) if notes and isinstance(found, Identified) else found


def simply_not_here(message: str) -> bool:
    """Whether the message of a refusal says no more than that the catalog does not have the test: no look-alike, no contradiction."""
    return message == _NO_NAME.message or message.endswith(_NO_CODE)


def name_key(catalog: Catalog, test: str) -> Any:
    """All of a name that `which` can depend on, whatever code stands beside it."""
    test = test.strip()
    if not test or len(test) > LONGEST:
        return bool(test)
    if _LOINC(test):
        return test if test in catalog.table["loinc"] or test in catalog.table["never_loinc"] else "a code"
    return _by_name(catalog, test), catalog.table["policy"]["foreign_names"].get(sorted_key(_bare(catalog.table, test)))


def code_key(catalog: Catalog, loinc: str) -> str:
    """All of a code that `which` can depend on, but for its notes."""
    code = loinc.strip().replace("\u2013", "-")
    if code and not _LOINC(code):
        inside = _LOINC_INSIDE.search(code)
        code = inside[0] if inside else ""
    return code if code in catalog.table["loinc"] or code in catalog.table["never_loinc"] else "a code" if code else ""


def of_specimen(catalog: Catalog, found: Identified | Refused, specimen: str | None) -> Identified | Refused:
    """What a name and a code mean in a specimen, as printed; None where the report has none."""
    return _with_specimen(catalog, found, specimen) if isinstance(found, Identified) and specimen else found


# --- by name ----------------------------------------------------------------------------------------------


def _by_name(catalog: Catalog, name: str) -> Identified | Refused:
    table = catalog.table
    bracketed = _without_notes(catalog, name) if _BRACKETS.search(name) else None
    # a note may hold a unit or a property, which must not be lost
    if isinstance(bracketed, Identified) and (bracketed.unit or bracketed.kind):
        return bracketed
    direct = _lookup(table, name)
    if direct is not None:
        return direct
    if isinstance(bracketed, Identified):  # "Fer sérique (colorimétrie)": without its note, and not without "sérique"
        return bracketed
    words = tokens(name)
    if words[:1] == ["du"]:  # "dU-Kalium" is of a day's urine; the French article stands before no name
        words[0] = "u"
    rest, specimen = without_specimen(table["policy"]["specimen_qualifiers"], words)
    kept = [w for w in words if w not in table["policy"]["name_qualifiers"]]
    if specimen is None and kept and kept != words:
        shorter = _lookup(table, " ".join(kept))
        if shorter is not None:
            return shorter
    if specimen is not None:
        inner = _lookup(table, " ".join(w for w in rest if w not in table["policy"]["name_qualifiers"])) or _lookup(table, " ".join(rest))
        if isinstance(inner, Identified):
            return _of_specimen(catalog, inner, specimen)
    return bracketed or _without_unit(catalog, name) or _NO_NAME


def _lookup(table: dict[str, Any] | Any, name: str) -> Identified | Refused | None:
    key, ordered = squash(name), sorted_key(tokens(name))
    if key in table["ambiguous"]:
        analyte, may_be = table["ambiguous"][key]
        return Refused(
            "ambiguous_analyte", f"The name may mean {' or '.join(may_be)}. Give the full name or a LOINC code.", None, (analyte,)
        )
    ours = key in table["names"]
    apart = " " in ordered and ordered not in table["sorted_names"]  # word for word "hemoglobin A" is not the Spanish "hemoglobina"
    for never, known in ((table["never"].get(key), ours), (table["never"].get(ordered), ours and not apart)):
        if never is not None and not known:
            _, reason, because = table["never_reasons"][never]
            return Refused(reason, because, look_alike=True)
    found = table["names"].get(key) or table["sorted_names"].get(ordered)
    return Identified(found) if found else None


def _without_notes(catalog: Catalog, name: str) -> Identified | Refused | None:
    """ "Cobalamin (Vitamin B12)", "Ferritin [ng/mL]": a note counts only if it means the same, a unit, or nothing."""
    notes = [next(filter(None, m.groups()), "").strip() for m in _BRACKETS.finditer(name)]
    bare = _BRACKETS.sub(" ", name)
    if not notes or not bare.strip():
        return None
    inner = _by_name(catalog, bare)
    if not isinstance(inner, Identified):
        return inner if inner.reason == "wrong_specimen" or inner.look_alike else None
    for note in notes:
        said = _lookup(catalog.table, note)
        if isinstance(said, Identified) and said.analyte == inner.analyte:
            continue
        specimen = catalog.table["policy"]["specimens"].get(squash(note))
        unit = catalog.units.read(note)
        # "Kalium (U)" is of urine; of an enzyme "U" may be the unit
        if unit is not None and (specimen is None or "U/L" in catalog.table["analytes"][inner.analyte]["factors"]):
            if inner.unit not in (None, unit):
                return None
            inner = inner._replace(unit=unit)
            continue
        if squash(note) in _PROPERTY:
            inner = inner._replace(kind=_PROPERTY[squash(note)])
            continue
        if all(w in catalog.table["policy"]["name_qualifiers"] for w in tokens(note)):
            continue
        if specimen:
            checked = _of_specimen(catalog, inner, specimen)
            if isinstance(checked, Refused):
                return checked
            inner = checked
        else:
            return None
    return inner


def _without_unit(catalog: Catalog, name: str) -> Identified | Refused | None:
    """ "Ferritin, ug/l": a name with a unit that is known behind it."""
    bare, behind = unit_behind(name)
    unit = catalog.units.read(behind) if behind else None
    if unit is None:
        return None
    inner = _by_name(catalog, bare)
    if isinstance(inner, Identified):
        return inner._replace(unit=unit) if inner.unit in (None, unit) else None
    return None if inner == _NO_NAME else inner


def _with_closest(catalog: Catalog, found: Refused, name: str) -> Refused:
    near = closest_keys(catalog.table["names"], squash(name)[:64])
    closest = tuple(dict.fromkeys(catalog.table["names"][n] for n in near))
    return found._replace(message=f"{found.message} Closest: {', '.join(closest)}.", closest=closest) if closest else found


# --- by code ----------------------------------------------------------------------------------------------


def _with_code(catalog: Catalog, named: Identified | Refused | None, code: str, test: str) -> Identified | Refused:
    table = catalog.table
    never = table["never_loinc"].get(code)
    if never:
        analyte, reason, means = never
        if isinstance(named, Identified) and named.analyte == analyte and reason != "wrong_specimen":
            return Refused("conflicting_code", f"LOINC {code} means {means}; the name means {analyte}.", analyte)
        return Refused(reason, f"LOINC {code} means {means}: another test.")
    known = table["loinc"].get(code)
    if known is None:
        if isinstance(named, Identified):  # it may be a variant of this test, or the same substance in another specimen
            listed = ", ".join(table["analytes"][named.analyte]["loinc"])
            said = (
                f"LOINC {code[:12]} is not among the codes of {named.analyte} here ({listed}), so name and code cannot be shown to agree."
            )
            return Refused("conflicting_code", f"{said} Leave the code out to go by the name alone.", named.analyte)
        return named or Refused("unknown_analyte", f"LOINC {code[:12]}{_NO_CODE}")
    analyte, kind = known
    foreign = table["policy"]["foreign_names"].get(sorted_key(_bare(table, test)))
    if foreign is not None:
        return Refused("conflicting_code", f"LOINC {code} means {analyte}; the name means {foreign}.", analyte)
    if isinstance(named, Refused) and named.reason == "unknown_analyte" and not named.look_alike:
        return Identified(analyte, kind, (f"The name is not known here; LOINC {code} alone decided.",))
    if isinstance(named, Identified) and named.analyte != analyte:
        if analyte in table["analytes"][named.analyte]["twins"].values():
            return Identified(analyte, kind)
        return Refused("conflicting_code", f"The name means {named.analyte}; LOINC {code} means {analyte}.")
    if isinstance(named, Refused) and (named.look_alike or named.reason == "wrong_specimen"):
        return Refused("conflicting_code", f"LOINC {code} means {analyte}; the name does not: {named.message}")
    return Identified(analyte, kind)


def _bare(table: Any, name: str) -> list[str]:
    """The words of a name without those that change nothing."""
    return [w for w in tokens(name) if w not in table["policy"]["name_qualifiers"]]


# --- by specimen ------------------------------------------------------------------------------------------


def _with_specimen(catalog: Catalog, found: Identified, specimen: str) -> Identified | Refused:
    key = specimen_key(catalog, specimen)
    if key is None:
        wanted = " or ".join(s.replace("_", " ") for s in catalog.table["analytes"][found.analyte]["specimens"])
        return Refused("wrong_specimen", f"The specimen's name is not known here; the limits are for {wanted}.", found.analyte)
    return _of_specimen(catalog, found, key)


def specimen_key(catalog: Catalog, specimen: str) -> str | None:
    """The catalog's word for a specimen as printed, or None."""
    known: dict[str, str] = catalog.table["policy"]["specimens"]
    key = known.get(squash(specimen))
    if key is None:  # "Serum, gel tube": one known word, and none of another specimen
        keys = {known[w] for w in tokens(specimen) if w in known}
        odd = keys - {"serum", "plasma", "blood"}
        key = sorted(odd)[0] if odd else sorted(keys)[0] if keys else None
    return key


def _of_specimen(catalog: Catalog, found: Identified, specimen: str) -> Identified | Refused:
    entry = catalog.table["analytes"][found.analyte]
    if specimen in entry["specimens"] or (specimen == "blood" and "red_cells" not in entry["specimens"]):
        return found
    twin = entry["twins"].get(specimen)
    if twin:
        return found._replace(analyte=twin)
    wanted = " or ".join(s.replace("_", " ") for s in entry["specimens"])
    return Refused(
        "wrong_specimen", f"This result is of {specimen.replace('_', ' ')}; the limits of {found.analyte} are for {wanted}.", found.analyte
    )
