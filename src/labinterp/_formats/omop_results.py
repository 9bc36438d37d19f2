"""One row of MEASUREMENT -> one result: which test, which unit, which number. Where a concept and the source's own words contradict, neither is used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._formats.omop_concepts import Concepts, Meant, whole
from labinterp._identify import Identified, identify
from labinterp._inputs import LabResult
from labinterp._lazy import pattern
from labinterp._names import LOINC
from labinterp._quantity import ReadValue, Unreadable, read_value

if TYPE_CHECKING:
    from labinterp._catalog import Catalog

_IS_LOINC = pattern(LOINC).fullmatch
_LARGEST = 50  # digits before or behind the point
_SAME = Decimal("1e-6")  # of the number; a database may hold it as a float of 32 bits


class _Test(NamedTuple):
    """What a result is called, and why it cannot be one test, if so."""

    test: str
    loinc: str | None
    specimen: str | None
    conflict: str = ""


class _Unit(NamedTuple):
    text: str | None
    conflict: str = ""


class Reader:
    """Rows -> results, with what was told of a test or unit once kept: exports have few of them and many rows.

    Args:
        catalog: To see whether two names mean one analyte, and two units one size.
        concepts: What ids mean.
    """

    def __init__(self, catalog: Catalog, concepts: Concepts) -> None:
        self._catalog, self._concepts = catalog, concepts
        self._tests: dict[tuple[int, int, str], _Test] = {}
        self._units: dict[tuple[int, str], _Unit] = {}

    def result(self, row: Mapping[str, str], day: date | None) -> LabResult:
        """The result of one row.

        Args:
            row: By column name in lower case.
            day: Of sampling.

        Example:
            >>> from labinterp import Catalog
            >>> row = {"measurement_concept_id": "3001122", "value_as_number": "12.5", "unit_concept_id": "8842"}
            >>> Reader(Catalog.default(), Concepts()).result(row, None)[:4]
            ('2276-4', Decimal('12.5'), 'ng/mL', '2276-4')
        """
        named = row.get("measurement_source_value", "").strip()
        key = (whole(row.get("measurement_concept_id", "")), whole(row.get("measurement_source_concept_id", "")), named)
        if key not in self._tests:
            self._tests[key] = self._test(*key)
        test = self._tests[key]
        measured_in = (whole(row.get("unit_concept_id", "")), row.get("unit_source_value", "").strip())
        if measured_in not in self._units:
            self._units[measured_in] = self._unit(*measured_in)
        unit = self._units[measured_in]
        value = _value(row)
        if test.conflict or unit.conflict:
            value = Unreadable("conflicting_code", test.conflict or unit.conflict, _shown(row))
        operator = whole(row.get("operator_concept_id", ""))
        sign = self._concepts.operator(operator) if operator else None
        if operator and sign is None and not isinstance(value, Unreadable):
            value = Unreadable("unreadable_value", f"The comparator is concept {operator}, which is not known here.", _shown(row))
        return LabResult(
            test.test, value, unit.text, loinc=test.loinc, specimen=test.specimen, collected_at=day,
            comparator=None if sign in (None, "=") else sign, ref_low=_number(row.get("range_low", "")), ref_high=_number(row.get("range_high", "")),
        )  # fmt: skip

    # --- which test ---------------------------------------------------------------------------------------------

    def _test(self, concept: int, source_concept: int, named: str) -> _Test:
        """The source's own words first, the standard concept beside them; what contradicts is said."""
        standard = self._concepts.measurement(concept) or Meant()
        own = self._concepts.measurement(source_concept) or Meant()
        label, fluid, code = named, None, ""
        if _IS_LOINC(named):
            label, code = "", named
        elif named.count("|") == 2:
            label, fluid, _ = (part.strip() for part in named.split("|"))
        codes = list(dict.fromkeys(one for one in (code, own.loinc, standard.loinc) if one))
        known = {self._catalog.table["loinc"][one][0] for one in codes if one in self._catalog.table["loinc"]}
        refused = [one for one in codes if one in self._catalog.table["never_loinc"]]
        loinc = next((one for one in codes if one in self._catalog.table["loinc"]), codes[0] if codes else None)
        conflict = ""
        if len(known) > 1 or (known and refused):
            conflict = f"The concepts and the code of the source mean different tests: LOINC {', '.join(codes)}."
        elif (
            known and codes[0] not in self._catalog.table["loinc"]
        ):  # the source's own code is the evidence, the concept what was made of it
            conflict = f"LOINC {codes[0]} of the source is not known here, so it cannot be shown to mean what the concept does ({loinc})."
        elif refused:
            loinc = refused[0]
        if codes:  # a code says more than the label and fluid of one hospital that were mapped to the concept
            standard, own = (Meant(one.loinc, "" if one.specimen else one.test) for one in (standard, own))
        test = label or standard.test or own.test or code or loinc or (f"concept {concept}" if concept else "")
        specimen = fluid or standard.specimen or None
        if not conflict and loinc is None and label and standard.test:
            mapped = identify(self._catalog, standard.test, None, standard.specimen or None)
            plain = identify(self._catalog, label, None, fluid)
            if isinstance(mapped, Identified) and isinstance(plain, Identified) and mapped.analyte != plain.analyte:
                conflict = f"The concept means {mapped.analyte}, the words of the source mean {plain.analyte}."
            elif (
                isinstance(mapped, Identified)
                and not isinstance(plain, Identified)
                and plain.reason == "unknown_analyte"
                and not plain.look_alike
            ):
                test = standard.test  # a number or abbreviation of one hospital: the concept tells what it is
        return _Test(test, loinc, specimen, conflict)

    # --- which unit ---------------------------------------------------------------------------------------------

    def _unit(self, concept: int, printed: str) -> _Unit:
        meant = self._concepts.unit(concept) if concept else None
        units = self._catalog.units
        read = units.read(printed) if printed else None
        if meant is None:  # no concept, or one that is not known: the laboratory's own text
            return _Unit(printed or (f"concept {concept}" if concept else None))
        told = units.read(meant) if meant else None
        if read is None or not meant:
            return _Unit(printed if read is not None and not meant else meant or None)
        if told is not None and not self._one_size(told, read):
            return _Unit(printed, f"The unit's concept means {told}, the unit's text says {read}.")
        return _Unit(printed)

    def _one_size(self, one: str, other: str) -> bool:
        """Whether two units are the same wherever an analyte is measured in both (pg/mL is ng/L)."""
        if one == other:
            return True
        factors = [entry["factors"] for entry in self._catalog.table["analytes"].values()]
        both = [(Fraction(found[one]), Fraction(found[other])) for found in factors if one in found and other in found]
        return bool(both) and all(a == b for a, b in both)


# --- which number -----------------------------------------------------------------------------------------------


def _value(row: Mapping[str, str]) -> Any:
    """The number as printed where it was kept and agrees with the stored one; else the stored one, exactly."""
    printed = row.get("value_source_value", "").strip()
    stored_text = row.get("value_as_number", "").strip()
    stored = _number(stored_text)
    if stored_text and not isinstance(stored, Decimal):
        return printed or stored_text
    if stored is None:
        if printed:
            return printed
        concept = whole(row.get("value_as_concept_id", ""))
        return Unreadable("unreadable_value", f"The result is a concept ({concept}), no number.") if concept else None
    if not printed:
        return stored
    read = read_value(printed)
    if isinstance(read, ReadValue):
        if read.high is None and _agree(read.value, stored):
            return printed
        return Unreadable("conflicting_code", "The stored number and the number as printed are not the same.", printed)
    if read.reason == "ambiguous_number" and any(
        isinstance(other := read_value(printed, mark), ReadValue) and _agree(other.value, stored) for mark in ".,"
    ):
        return stored
    return Unreadable("conflicting_code", "There is a stored number, and the value as printed is not that number.", printed)


def _agree(one: Decimal, other: Decimal) -> bool:
    if max(abs(one.adjusted()), abs(other.adjusted())) > _LARGEST:  # no laboratory's number, and too large to reckon with
        return one == other
    return abs(one - other) <= _SAME * max(abs(one), abs(other))


def _number(text: str) -> Any:
    """A number of a database, with no digits but its own: its text may end in zeros that nobody printed."""
    text = text.strip()
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite():
        return None if number.is_nan() else text
    return Decimal(format(number.normalize(), "f")) if abs(number.adjusted()) <= _LARGEST else number


def _shown(row: Mapping[str, str]) -> str:
    return row.get("value_source_value", "").strip() or row.get("value_as_number", "").strip()
