"""Many results of one analyte: numbers, shares and refusals, counted from answers that were given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from labinterp._book import Rule, book_for, chosen
from labinterp._catalog import Catalog, iso
from labinterp._convert import convert
from labinterp._inputs import LabResult, Patient
from labinterp._interpret import assess, known_contexts
from labinterp._pictures.strips import Strip, answering_strip, strip_of
from labinterp._pictures.texts import number as plain
from labinterp._quantity import Quantity
from labinterp._report import Report
from labinterp._results import Finding, NotAssessed
from labinterp.errors import InputError

_MOST_PEOPLE = 4  # sets of lines that can still be told apart
_COLUMNS = ("analyte", "comparator", "value", "unit", "code", "band", "limits", "reason")


class Cohort(NamedTuple):
    """What a picture of many results says.

    Attributes:
        analyte: Id.
        catalog: Whose lines.
        unit: In which the numbers are.
        numbers: Plain values that were read, assessed or not.
        censored: Values known only as intervals, as text, with their counts.
        bands: (key, code) with counts; the key is None where a value may lie in several bands.
        refused: Reasons with counts.
        unnamed: Rows of which the analyte is not known.
        converted: How many numbers were reported in another unit.
        strips: The lines, one strip for each kind of person.
        said: What belongs beside the lines.
    """

    analyte: str
    catalog: Catalog
    unit: str
    numbers: list[float]
    censored: Counter[str]
    bands: Counter[tuple[str | None, str]]
    refused: Counter[str]
    unnamed: int
    converted: int
    strips: tuple[Strip, ...]
    said: str

    @property
    def assessed(self) -> int:
        """How many got an answer."""
        return sum(self.bands.values())


class _Counts(NamedTuple):
    """The same before the units are made one: quantities as reported with their counts."""

    quantities: Counter[tuple[str, str, str]]  # number as text, comparator, unit
    bands: Counter[tuple[str | None, str]]
    refused: Counter[str]
    unnamed: int


def cohort_of(
    values: Any, analyte: str, unit: str | None, patient: Patient | None, catalog: Catalog | None, options: Mapping[str, Any], prefix: str
) -> Cohort:
    """Count a cohort.

    Args:
        values: What `interpret_frame` gave, or findings, refusals, reports, results, texts with units, or numbers with `unit`.
        analyte: Id, name or LOINC code.
        unit: To show, and of plain numbers.
        patient: Whose lines; needed where `values` are not answers yet and the lines depend on the person.
        catalog: Other data than the default.
        options: Further keywords of `assess`.
        prefix: Of the columns in a frame.

    Raises:
        InputError: Something else was given, or nothing of the analyte is there.
    """
    catalog = catalog or Catalog.default()
    id = catalog.analyte_id(analyte)
    found: list[Finding] = []
    limits: list[str] = []
    if any(
        hasattr(type(values), name) for name in ("columns", "collect_schema", "column_names")
    ):  # the type is asked: a lazy frame would look
        counts, limits = _from_frame(values, id, prefix)
    else:
        counts, found = _from_answers(_answers(values, catalog, id, unit, patient, options), id)
        catalog = found[0].basis.catalog if found else catalog
    units: Counter[str] = Counter()
    for (_, _, reported), count in counts.quantities.items():
        units[reported] += count
    if not units and not counts.refused:
        raise InputError(f"there is no result of {id} among the values")
    wanted = unit or (units.most_common(1)[0][0] if units else catalog.table["analytes"][id]["usual"][0])
    wanted = convert(Quantity(_decimal("1"), wanted), wanted, analyte=id, catalog=catalog).unit
    numbers: list[float] = []
    censored: Counter[str] = Counter()
    converted = 0
    for (number, comparator, reported), count in counts.quantities.items():
        factor = catalog.factor(id, reported, wanted)
        if factor is None:
            convert(Quantity(_decimal(number), reported), wanted, analyte=id, catalog=catalog)  # says why there is no way
            continue
        converted += count * (reported != wanted)
        if comparator:
            low, _, high = number.partition("~")
            ends = (
                f"{plain(float(low))} to {plain(float(high))}" if high else f"a range from {plain(float(low))}"
            )  # a frame has the lower end
            shown = ends if comparator == "~" else f"{comparator}{plain(float(number))}"
            censored[f"{shown} {reported}"] += count
        else:
            numbers += [float(number) if factor == 1 else float(number) * float(factor)] * count
    strips, said = _lines(catalog, id, wanted, found, limits, patient, options)
    return Cohort(id, catalog, wanted, numbers, censored, counts.bands, counts.refused, counts.unnamed, converted, strips, said)


def _decimal(text: str) -> Any:
    from decimal import Decimal

    return Decimal(text)


# --- answers one by one ---------------------------------------------------------------------------------------


def _answers(
    values: Any, catalog: Catalog, analyte: str, unit: str | None, patient: Patient | None, options: Mapping[str, Any]
) -> Iterable[Finding | NotAssessed]:
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__iter__"):
        raise InputError("values are answers, results, texts with units, or numbers with unit=; or a frame that interpret_frame gave")
    name = catalog.table["analytes"][analyte]["name"]
    for item in values:
        if isinstance(item, Report):  # a NamedTuple, too
            yield from (*item.rows(), *item.derived)
        elif isinstance(item, (Finding, NotAssessed)):
            yield item
        elif isinstance(item, LabResult):
            yield assess(item, patient, catalog=catalog, **options)
        else:
            plain = None if isinstance(item, (str, Quantity)) else unit
            yield assess(
                {name: item if isinstance(item, (str, Quantity)) else LabResult(name, item, plain)}, patient, catalog=catalog, **options
            )


def _from_answers(answers: Iterable[Finding | NotAssessed], analyte: str) -> tuple[_Counts, list[Finding]]:
    counts = _Counts(Counter(), Counter(), Counter(), 0)
    found, unnamed = [], 0
    for answer in answers:
        if answer.analyte is None:
            unnamed += 1
        if answer.analyte != analyte:
            continue
        quantity = answer.quantity
        if quantity is not None:
            number = quantity.number if quantity.comparator == "~" else str(quantity.value)
            counts.quantities[number, quantity.comparator, quantity.unit] += 1
        if isinstance(answer, Finding):
            counts.bands[answer.band, answer.code] += 1
            found.append(answer)
        else:
            counts.refused[answer.reason] += 1
    return counts._replace(unnamed=unnamed), found


# --- frames ---------------------------------------------------------------------------------------------------


def _from_frame(frame: Any, analyte: str, prefix: str) -> tuple[_Counts, list[str]]:
    """Counted by the frame's own engine; and the limit sets that spoke."""
    try:
        import narwhals as nw
    except ImportError:
        from labinterp.errors import MissingExtraError

        raise MissingExtraError("dataframes") from None
    try:
        wrapped: Any = nw.from_native(frame)
    except TypeError:
        raise InputError("a frame of this kind is not read here; give what interpret_frame gave") from None
    names = {role: f"{prefix}{role}" for role in _COLUMNS}
    missing = [name for name in names.values() if name not in wrapped.collect_schema().names()]
    if missing:
        raise InputError(f"the frame has no column {missing[0]!r}; give what labinterp.dataframes.interpret_frame returns")
    counted = wrapped.group_by(*names.values(), drop_null_keys=False).agg(nw.len().alias("li count"))
    counts = _Counts(Counter(), Counter(), Counter(), 0)
    limits: Counter[str] = Counter()
    unnamed = 0
    for row in (counted.collect() if hasattr(counted, "collect") else counted).iter_rows(named=True):
        count = int(row["li count"])
        of, comparator, value, reported, code, band, limit, reason = (_text(row[names[role]]) for role in _COLUMNS)
        if of is None:
            unnamed += count
        if of != analyte:
            continue
        if value is not None and reported is not None:
            counts.quantities[value, comparator or "", reported] += count
        if code is not None:
            counts.bands[band, code] += count
        if limit is not None:
            limits[limit] += count
        if reason is not None:
            counts.refused[reason] += count
    return counts._replace(unnamed=unnamed), list(limits)


def _text(value: Any) -> str | None:
    """A cell; the marks that engines have for nothing are nothing."""
    return None if value is None or value != value or value == "" else str(value)


# --- lines ----------------------------------------------------------------------------------------------------


def _lines(
    catalog: Catalog, analyte: str, unit: str, found: list[Finding], limits: list[str], patient: Patient | None, options: Mapping[str, Any]
) -> tuple[tuple[Strip, ...], str]:
    """The strips to draw, and why there are none or several."""
    if patient is not None:
        authority = chosen(catalog, options.get("authority"))
        rule = book_for(catalog, known_contexts(catalog, patient), authority, iso(options.get("as_of"), catalog)).find(analyte, unit)
        if isinstance(rule, Rule):
            return (strip_of(catalog, rule.limit_set, rule.population, unit),), "The lines are those of the person that was given."
        return (), "No single line holds for the person that was given; none is drawn."
    strips = [strip for finding in found if finding.limits != "reported" and (strip := answering_strip(finding, unit))]
    for id in limits:
        if id in catalog.table["limits"]:
            limit_set = catalog.limit_set(id)
            general = [n for n, p in enumerate(limit_set.populations) if not p["requires"] and p["pregnant"] != "yes"]
            strips += [strip_of(catalog, limit_set, n, unit) for n in general or range(len(limit_set.populations))]
    kinds: dict[Any, Strip] = {}
    for strip in strips:
        same = (strip.id, strip.stretches)
        known = kinds.get(same)
        kinds[same] = (
            strip._replace(answer=()) if known is None or strip.who in known.who else known._replace(who=f"{known.who}; {strip.who}")
        )
    if len(kinds) > _MOST_PEOPLE:
        return (
            (),
            f"The lines differ between {len(kinds)} kinds of people and are not drawn; the shares below are right for each. Give patient= for the lines of one.",
        )
    if len(kinds) > 1:
        return tuple(kinds.values()), "The lines differ by person; each answer was given by the person's own."
    return tuple(kinds.values()), "" if kinds else "No line is drawn."
