"""Concepts of FHIR -> what the library calls them: a test's name and LOINC code, a specimen, a flag."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from labinterp._catalog import Catalog
from labinterp._formats.fhir_json import dict_of, dicts_of, text_of
from labinterp._formats.fhir_terms import ANALYTES, RANGE_ORIGIN
from labinterp._identify import Identified, specimen_key, which

_LOINC: Final = ("loinc.org", "2.16.840.1.113883.6.1")
_SPECIMEN_CODES: Final = ("v2-0487", "v2/0487", "2.16.840.1.113883.12.487", "v3-SpecimenType")
# SNOMED CT concepts of specimens and of what they are made of, where a file gives the code alone; the words are the catalog's. Most are of the
# IPS free set. A code that is not here is a specimen that is not known: it may be a fluid or a swab.
_SNOMED_WORDS: Final = {
    "serum": "119364003 67922002",
    "plasma": "119361006 50863008",
    "EDTA plasma": "708049000",
    "citrate plasma": "708048008",
    "venous blood": "122555007",
    "blood": "119297000 445295009 446272009 122554006 122552005 87612001",
    "whole blood": "258580003 420135007",
    "dried blood spot": "440500007 119294007",
    "red cells": "119351004",
    "cord blood": "122556008",
    "urine": "122575003 698276005 446846006 278020009 258574006 122880004 122565001 78014005",
    "cerebrospinal fluid": "258450006 446861007 65216001",
    "stool": "119339001 39477002",
    "saliva": "119342007 256897009",
    "bone marrow": "119359002",
    "body fluid": "309051001 258442002 168139001 119332005 258459007 258440005 258441009 258455001 258453008 119345009",
    "dialysate": "119360007",
    "bile": "119341000",
    "nail": "119327009",
    "tissue": "119376003",
}
_SNOMED_SPECIMENS: Final = {code: word for word, codes in _SNOMED_WORDS.items() for code in codes.split()}
_ANY_SPECIMEN: Final = "123038009"  # "specimen": nothing is said of it
# HL7 ObservationInterpretation and its forerunner table 0078: the codes that say on which side of the range a value lies.
_SIDES: Final = ("LL", "L", "LU", "N", "H", "HH", "HU", "L*", "H*")


class Named(NamedTuple):
    """What a result is called.

    Attributes:
        test: As printed; the code where there is no name.
        loinc: LOINC code, where there is one.
        conflict: A sentence where its names and codes mean different tests.
    """

    test: str
    loinc: str | None
    conflict: str = ""


def named(concept: Any, catalog: Catalog) -> Named:
    """Name and LOINC code of a test.

    Args:
        concept: A CodeableConcept as it stands.
        catalog: To tell which of several LOINC codes is known.

    Example:
        >>> named({"coding": [{"system": "http://loinc.org", "code": "2276-4"}], "text": "Ferritine"}, Catalog.default())
        Named(test='Ferritine', loinc='2276-4', conflict='')
    """
    concept = dict_of(concept)
    codings = [one for one in dicts_of(concept.get("coding")) if one.get("system") != ANALYTES]  # this library's own word is no print
    loinc = [text_of(one.get("code")) for one in codings if _is(one, _LOINC) and text_of(one.get("code"))]
    displays = [text_of(one.get("display")) for one in codings]
    own = text_of(concept.get("text"))
    codes = [text_of(one.get("code")) for one in codings if not _is(one, _LOINC)]
    test = next((name for name in (own, *displays) if name), "") or ("" if loinc else next((code for code in codes if code), ""))
    code, conflict = _chosen(list(dict.fromkeys(loinc)), catalog)
    if not conflict and own:
        others = [text_of(one.get("display")) for one in codings if not _is(one, _LOINC)]
        conflict = _contradicted(own, [name for name in others if name and name != own], catalog)
    return Named(test, code, conflict)


def _is(coding: Mapping[str, Any], systems: tuple[str, ...]) -> bool:
    system = text_of(coding.get("system"))
    return any(part in system for part in systems) or (systems is _LOINC and system.casefold() in ("loinc", "ln"))


def _chosen(codes: list[str], catalog: Catalog) -> tuple[str | None, str]:
    """One of several LOINC codes: one that is refused here comes first; known ones must mean the same."""
    refused = [code for code in codes if code in catalog.table["never_loinc"]]
    known = [code for code in codes if code in catalog.table["loinc"]]
    if refused and known:
        return refused[0], f"The result has the codes {known[0]} and {refused[0]}, which mean different tests."
    if len({catalog.table["loinc"][code][0] for code in known}) > 1:
        return known[0], f"The result has the codes {' and '.join(known)}, which mean different tests."
    return next(iter((*refused, *known, *codes)), None), ""


def _contradicted(name: str, displays: list[str], catalog: Catalog) -> str:
    """A sentence where a local code's words name another test than the text beside them."""
    own = which(catalog, name) if displays else None
    if not isinstance(own, Identified):
        return ""
    for display in displays:
        other = which(catalog, display)
        if isinstance(other, Identified) and other.analyte != own.analyte:
            return f"Its text means {own.analyte}, the words of its code mean {other.analyte}."
        if not isinstance(other, Identified) and (other.look_alike or other.reason == "wrong_specimen"):
            return f"Its text means {own.analyte}, the words of its code do not: {other.message}"
    return ""


def specimen(concept: Any, catalog: Catalog) -> str | None:
    """A specimen as printed, in words the catalog knows where it can; None where nothing is said.

    Args:
        concept: `Specimen.type` as it stands.
        catalog: Whose words.

    Example:
        >>> specimen({"coding": [{"system": "http://snomed.info/sct", "code": "445295009"}], "text": "EDTA (paars)"}, Catalog.default())
        'blood'
    """
    concept = dict_of(concept)
    said = list(_specimen_words(concept))
    keys = {word: specimen_key(catalog, word) for word in said}
    found = {key for key in keys.values() if key}
    if len(found) > 1:  # "blood" says less than what was made of it
        found -= {"blood"}
    if len(found) > 1:  # of several, the one that is no blood is told first
        return ", ".join(word for word in said if keys[word] in found)
    return next((word for word in said if keys[word] in found), said[0] if said else None)


def _specimen_words(concept: Mapping[str, Any]) -> Iterator[str]:
    codings = dicts_of(concept.get("coding"))
    yield from (word for word in (text_of(concept.get("text")), *(text_of(one.get("display")) for one in codings)) if word)
    for one in codings:
        code = text_of(one.get("code"))
        if "snomed" in text_of(one.get("system")) and code not in ("", _ANY_SPECIMEN):
            yield _SNOMED_SPECIMENS.get(code, f"SNOMED CT {code}")
        elif _is(one, _SPECIMEN_CODES) and code:
            yield code


def flag(interpretation: Any) -> str | None:
    """The laboratory's flag: the code of the side, where one is given; else what is printed.

    Args:
        interpretation: A list of CodeableConcepts (R4, R5), or one (STU3).

    Example:
        >>> flag([{"coding": [{"code": "H"}]}, {"coding": [{"code": "U"}]}]), flag({"text": "High"})
        ('H', 'High')
    """
    said: list[str] = []
    for concept in dicts_of(interpretation):
        if any(e.get("url") == RANGE_ORIGIN and e.get("valueCode") == "labinterp" for e in dicts_of(concept.get("extension"))):
            continue  # written by this library beside the laboratory's
        codes = [text_of(one.get("code")) for one in dicts_of(concept.get("coding"))]
        shown = [text_of(concept.get("text")), *(text_of(one.get("display")) for one in dicts_of(concept.get("coding")))]
        words = [code for code in codes if code in _SIDES] or [word for word in (*codes, *shown) if word][:1]
        said += [word for word in words if word not in said]
    sides = [word for word in said if word in _SIDES]
    return (sides[0] if len(sides) == 1 else ", ".join(said)) or None


def worded(concept: Any) -> str:
    """A concept in words: its text, a display, or a code.

    Example:
        >>> worded({"coding": [{"code": "unknown", "display": "Unknown"}]})
        'Unknown'
    """
    concept = dict_of(concept)
    codings = dicts_of(concept.get("coding"))
    words = (text_of(concept.get("text")), *(text_of(one.get(part)) for part in ("display", "code") for one in codings))
    return next((word for word in words if word), "")
