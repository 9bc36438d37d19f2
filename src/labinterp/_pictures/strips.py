"""The bands of one authority for one person in one unit, as plain data: what a picture draws, before it is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from labinterp._book import Book, Rule
from labinterp._pictures.texts import shown
from labinterp._quantity import Quantity
from labinterp._results import Finding
from labinterp._rules import LimitSet, beside, place
from labinterp._trace import spans

if TYPE_CHECKING:
    from labinterp._catalog import Catalog

_OWN_WORDS = {"L": "below", "N": "within", "H": "above"}


class Stretch(NamedTuple):
    """One band between two lines; None where it has no end.

    Attributes:
        key: The band's key.
        code: HL7 code.
        label: Its name in words.
        span: Its ends in words: "30 to <50".
        low: The line below it.
        high: The line above it.
    """

    key: str
    code: str
    label: str
    span: str
    low: float | None
    high: float | None


class Strip(NamedTuple):
    """The bands one authority draws for one person, in one unit.

    Attributes:
        id: Id of the limit set; "reported" for the laboratory's own range.
        name: Who draws the lines.
        who: For whom, in the source's words.
        unit: UCUM code.
        stretches: The bands, lowest first; empty where no line is drawn.
        answer: Keys of the bands the value may lie in; one where it is certain.
        said: Why no line is drawn, or what moved the lines.
        certain: Whether the lines hold for the person; else only if the person is as `who` says.
    """

    id: str
    name: str
    who: str
    unit: str
    stretches: tuple[Stretch, ...]
    answer: tuple[str, ...] = ()
    said: str = ""
    certain: bool = True

    @property
    def lines(self) -> list[float]:
        """Where the lines lie, lowest first."""
        return [stretch.high for stretch in self.stretches if stretch.high is not None]

    @property
    def words(self) -> str:
        """Every band with its ends, in words."""
        return " · ".join(f"{stretch.key.replace('_', ' ')} {stretch.span}" for stretch in self.stretches)

    @property
    def answered(self) -> str:
        """The band the value lies in, in words; several where it may lie in any of them."""
        return " or ".join(key.replace("_", " ") for key in self.answer) + ("" if self.certain else " (if so)")


def strip_of(catalog: Catalog, limit_set: LimitSet, population: int, unit: str, answer: tuple[str, ...] = ()) -> Strip:
    """The bands of one population of a set in a unit: the lines are the printed ones in that unit, where the source prints them."""
    lines = [float(line) for line in limit_set.exact_lines(population, unit)]
    bands = limit_set.bands(population)
    ends = zip([None, *lines], [*lines, None], strict=True)
    stretches = tuple(
        Stretch(*band, span, low, high) for band, span, (low, high) in zip(bands, spans(limit_set, population, unit), ends, strict=True)
    )
    contexts = catalog.table["policy"]["contexts"]
    moved = "; ".join(
        f"every line moved by {shift['add']} {limit_set.data['unit']}: {' and '.join(contexts[name]['text'] for name in shift['requires'])}"
        for shift in limit_set.moved_by
    )
    name = catalog.table["authorities"][limit_set.authority]["name"]
    aspect = limit_set.data["aspect"]
    who = limit_set.populations[population]["who"]
    return Strip(limit_set.id, name, f"{aspect}; {who}" if aspect else who, unit, stretches, answer, moved)


def own_strip(finding: Finding, unit: str) -> Strip | None:
    """The range the laboratory printed beside the value, if it is plain."""
    reported = finding.reported
    if reported is None or (reported.low is None and reported.high is None):
        return None
    factor = finding.basis.catalog.factor(finding.analyte, finding.unit, unit) or Fraction(1)
    low, high = (None if end is None else float(Fraction(end) * factor) for end in (reported.low, reported.high))
    both = low is not None and high is not None
    # whether "15" itself belongs to a range with one end is a matter of how it is printed: then the print speaks
    printed = shown(reported.text, 30) if reported.text and unit == finding.unit and not both else ""
    stretches = []
    if low is not None:
        stretches.append(Stretch("below", "L", "below the laboratory's range", f"<{low:.6g}" if both else "under it", None, low))
    within = f"{low:.6g} to {high:.6g}" if both else printed or (f"up to {high:.6g}" if low is None else f"from {low:.6g}")
    stretches.append(Stretch("within", "N", "within the laboratory's range", within, low, high))
    if high is not None:
        stretches.append(Stretch("above", "H", "above the laboratory's range", f">{high:.6g}" if both else "over it", high, None))
    answer = (_OWN_WORDS[reported.code],) if reported.code in _OWN_WORDS else ()
    return Strip("reported", "The laboratory's own range", "as printed with the value", unit, tuple(stretches), answer)


def answering_strip(finding: Finding, unit: str) -> Strip | None:
    """The bands that answered: the limit set's, or the laboratory's own."""
    basis = finding.basis
    if finding.limits == "reported":
        return own_strip(finding, unit)
    if basis.limit_set is None or basis.population is None:
        return None
    answer = (finding.band,) if finding.band is not None else basis.possible
    return strip_of(basis.catalog, basis.limit_set, basis.population, unit, answer)


def rules_for(book: Book, limit_set: LimitSet, unit: str) -> tuple[list[Rule], bool]:
    """Every rule of a set that may hold for a person, and whether one of them is certain to; none where it draws no line for them."""
    found = book.rules_of(limit_set, unit)
    if isinstance(found, Rule):
        return [found], True
    return list({rule.population: rule for _, rule in found if rule is not None}.values()), False


def keys_of(rule: Rule, quantity: Quantity) -> tuple[str, ...]:
    """The bands of a rule in which a quantity may lie, decided in the unit it was reported in."""
    value = float(quantity.value)
    if len(quantity.value.as_tuple().digits) > 15:
        value = beside(quantity.value, rule.limit_set.exact_lines(rule.population, quantity.unit))
    low, high = place(rule.edges, value, quantity.comparator, None if quantity.high is None else float(quantity.high))
    return tuple(dict.fromkeys(band.key for band in rule.bands[low : high + 1]))


def possible_span(quantity: Quantity) -> tuple[float | None, float | None]:
    """Between which numbers a quantity lies; None where nothing is known of an end. Both are the same for a plain value.

    Example:
        >>> from decimal import Decimal
        >>> possible_span(Quantity(Decimal(4), "ng/mL", "<")), possible_span(Quantity(Decimal(4), "ng/mL"))
        ((None, 4.0), (4.0, 4.0))
    """
    value = float(quantity.value)
    if quantity.comparator == "~":
        return value, None if quantity.high is None else float(quantity.high)
    return {"": (value, value), "<": (None, value), "<=": (None, value)}.get(quantity.comparator, (value, None))


def numbers_of(strips: Sequence[Strip], quantities: Sequence[Quantity] = ()) -> Iterator[float]:
    """Every number a picture must have room for."""
    for strip in strips:
        yield from strip.lines
    for quantity in quantities:
        yield from (end for end in possible_span(quantity) if end is not None)


def reasons(counts: Mapping[str, Any]) -> str:
    """Reasons with their counts, in words."""
    return ", ".join(f"{reason.replace('_', ' ')} {count}" for reason, count in counts.items())
