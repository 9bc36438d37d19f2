"""`referenceRange` of a result -> the laboratory's own range for this person where it is plain, else its text.

Only the normal range is a range: critical, therapeutic and other lines are kept as text. A range for other people is not this person's, and of
several that may be theirs none is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from labinterp._catalog import Catalog
from labinterp._formats.fhir_concepts import worded
from labinterp._formats.fhir_json import TWICE, dict_of, dicts_of, text_of
from labinterp._formats.fhir_range_people import includes
from labinterp._formats.fhir_terms import RANGE_ORIGIN
from labinterp._formats.fhir_values import same_unit, unit_of
from labinterp._inputs import Age, read_sex
from labinterp._names import plain, squash
from labinterp._printed_ranges import LONGEST, printed_range
from labinterp._quantity import ReadValue, Unreadable, read_value
from labinterp.errors import InputError

_SEX_CODES: Final = {"248152002": "female", "248153007": "male", "M": "male", "F": "female", "male": "male", "female": "female"}
_PREGNANT: Final = "77386006"  # SNOMED CT
_AGE_WORDS: Final = {
    "years": "a y yr yrs year years jahr jahre an ans annee annees jaar jaren anno anni ano anos ar",
    "months": "mo month months monat monate mois maand maanden mese mesi mes meses",
    "weeks": "wk week weeks woche wochen semaine semaines weken settimana settimane semana semanas",
    "days": "d day days tag tage jour jours dag dagen giorno giorni dia dias",
}
_AGE_UNITS: Final = {word: unit for unit, words in _AGE_WORDS.items() for word in words.split()}
# What the normal range is called; HL7's own codes are normal, recommended, treatment and others.
_NORMAL: Final = ("norm", "refer", "valeursderef", "intervallederef", "valoresderef", "intervaloderef", "valoridirif", "intervallodirif", "valeursnorm",
                  "valoresnorm", "valorinorm")  # fmt: skip


class Ranges(NamedTuple):
    """What stands for `LabResult.ref_low`, `.ref_high` and `.ref_text`, and a note where something of it was not used."""

    low: Any = None
    high: Any = None
    text: str | None = None
    note: str = ""


class _One(NamedTuple):
    """One range: its ends, its words, and whether it is for the person (None: that cannot be told)."""

    low: Any
    high: Any
    text: str
    applies: bool | None
    plain: bool
    note: str = ""
    printed: str = ""  # its own text, where that stands beside its ends


def ranges(node: Mapping[str, Any], sex: str | None, age: Age | None, catalog: Catalog, pregnant: bool | None = None) -> Ranges:
    """The laboratory's range of an Observation or a component.

    Args:
        node: The object.
        sex: Of the person, where known.
        age: At sampling, where known.
        catalog: To read units.
        pregnant: At sampling, where known.

    Returns:
        Ranges: ends where there is one plain normal range for the person; else text alone.

    Example:
        >>> ranges({"referenceRange": [{"low": {"value": 10}, "high": {"value": 33}}]}, None, None, Catalog.default())
        Ranges(low=10, high=33, text=None, note='')
    """
    printed = [one for one in dicts_of(node.get("referenceRange")) if not _is_ours(one)]
    value = _measured_in(node)
    read = [_read(one, value, (sex, age, pregnant), catalog) for one in printed]
    told = _each_once([one for one in read if one.text or _has_ends(one)])
    if not told:
        return Ranges()
    may_be = [one for one in told if one.applies is not False]
    if len(may_be) == 1 and may_be[0].applies and may_be[0].plain:
        only = may_be[0]
        return Ranges(only.low, only.high, (only.printed if _has_ends(only) else only.text) or None, only.note)
    words = "; ".join(dict.fromkeys(one.text for one in (may_be or told) if one.text))
    said = next((one.note for one in may_be if one.note), "")
    if len(may_be) > 1 and not said:
        said = "Several ranges are printed, and which one is this person's cannot be told; they were kept as text and not used."
    elif may_be and may_be[0].applies is None and not said:
        said = "The laboratory's range is for particular people, and whether this person is one cannot be told; it was kept as text and not used."
    if printed_range(None, None, words, _ucum(value, catalog), catalog.units, None) is not None:
        words += " (not used)"  # else the text alone would be read as this person's range
    return Ranges(None, None, words, said)


def _each_once(read: Sequence[_One]) -> list[_One]:
    """Ranges that are the same for this person are one, with or without a text beside their ends."""
    told: dict[Any, _One] = {}
    for one in dict.fromkeys(read):
        key = _alike(one) if _has_ends(one) else one
        if not told.setdefault(key, one).printed:
            told[key] = one
    return list(told.values())


def _alike(one: _One) -> tuple[Any, ...]:
    return one.low, one.high, one.applies is True, one.plain, one.note, (one.applies is True and one.plain) or one.text


def _is_ours(one: Mapping[str, Any]) -> bool:
    """A range this library wrote beside the laboratory's."""
    return any(e.get("url") == RANGE_ORIGIN and e.get("valueCode") == "labinterp" for e in dicts_of(one.get("extension")))


def _measured_in(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """A Quantity in whose unit the ends have to be: the value, the end of a range, or a text that ends in a unit."""
    for quantity in (node.get("valueQuantity"), *(dict_of(node.get("valueRange")).get(end) for end in ("low", "high"))):
        if dict_of(quantity):
            return dict_of(quantity)
    read = read_value(node["valueString"]) if isinstance(node.get("valueString"), str) else None
    return {"unit": read.rest} if isinstance(read, ReadValue) else {}


def _has_ends(one: _One) -> bool:
    return one.low is not None or one.high is not None


def _read(one: Mapping[str, Any], value: Mapping[str, Any], person: tuple[str | None, Age | None, bool | None], catalog: Catalog) -> _One:
    low, high = dict_of(one.get("low")), dict_of(one.get("high"))
    bottom, top = _end(low), _end(high)
    text = text_of(one.get("text"))
    kind = _kind(one)
    conditions = list(_conditions(one, *person))
    labels = ", ".join([kind] * bool(kind) + [worded(concept) for concept in dicts_of(one.get("appliesTo"))] + _age_words(one))
    empty = all(end is None or end == 0 for end in (bottom, top))  # 0 to 0 means that there is none
    if text and not empty and len(text) <= LONGEST:  # beside plain ends a text may say whose they are; a longer one is a comment
        conditions.append(includes(text, *person))
    applies: bool | None = False if False in conditions else None if None in conditions else True
    bare = text and not any(letter.isdigit() for letter in text)
    shown = text if empty else f"{text}: {_shown(low, high)}" if bare else text or _shown(low, high)
    words = f"{labels}: {shown}" if labels and shown else shown
    if kind:  # critical, therapeutic: lines of another kind, which speak beside the normal range
        return _One(None, None, words, False, False)
    if dicts_of(one.get("modifierExtension")):
        modified = "A modifier that is not known here may change the meaning of the laboratory's range; it was kept as text and not used."
        return _One(bottom, top, words, applies, False, modified)
    if empty:
        return _One(None, None, words, applies, bool(text))
    wrong = _doubt(one, low, high, value, catalog)
    if wrong:
        return _One(bottom, top, words, applies, False, wrong)
    said = printed_range(None, None, text, _ucum(value, catalog), catalog.units, None) if text else None
    if said is not None and [end or None for end in (said.low, said.high)] != [_decimal(end) or None for end in (bottom, top)]:
        differ = "The laboratory's range and its own text differ; it was kept as text and not used."
        return _One(bottom, top, f"{_shown(low, high)}; {text}", applies, False, differ)
    if said is not None and bottom is not None and not said.low_counts:  # ">10" leaves 10 out, its bare end does not say so
        bottom = f">{bottom}"
    if said is not None and top is not None and not said.high_counts:
        top = f"<{top}"
    return _One(bottom, top, words, applies, True, "", text)


def _kind(one: Mapping[str, Any]) -> str:
    """What a range is of, in words; nothing for a normal one, and where nothing is said."""
    concept = dict_of(one.get("type")) or dict_of(one.get("meaning"))
    codes = [text_of(c.get("code")) for c in dicts_of(concept.get("coding"))]
    words = [word for word in (*codes, worded(concept)) if word]
    return "" if not words or any(squash(word).startswith(_NORMAL) for word in words) else worded(concept)


def _conditions(one: Mapping[str, Any], sex: str | None, age: Age | None, pregnant: bool | None) -> Iterator[bool | None]:
    """Whether each condition of a range holds for the person; None where that cannot be told."""
    for concept in dicts_of(one.get("appliesTo")):
        codings = dicts_of(concept.get("coding"))
        meant = {_SEX_CODES[text_of(c.get("code"))] for c in codings if text_of(c.get("code")) in _SEX_CODES}
        words = worded(concept)
        try:
            meant |= {word for word in (read_sex(words),) if word} if not meant else set()
        except InputError:
            meant = set()
        if len(meant) == 1:
            yield None if sex is None else sex in meant
        elif any(text_of(c.get("code")) == _PREGNANT for c in codings):
            yield False if sex == "male" else pregnant
        else:  # words that name nobody we know are somebody in particular all the same
            yield None if includes(words, None, None, None) is True else includes(words, sex, age, pregnant)
    span = dict_of(one.get("age"))
    if span:
        yield _age_holds(span, age)


def _age_holds(span: Mapping[str, Any], age: Age | None) -> bool | None:
    holds: bool | None = True
    for name in ("low", "high"):
        end = dict_of(span.get(name))
        number = end.get("value")
        if number is None:
            continue
        unit = _AGE_UNITS.get(plain(text_of(end.get("code")) or text_of(end.get("unit"))))
        if age is None or unit is None or isinstance(number, bool) or not isinstance(number, (int, Decimal)):
            return None
        lowest, highest = age.days if unit == "weeks" else getattr(age, unit)
        number = float(number) * (7 if unit == "weeks" else 1)
        if name == "low":
            now: bool | None = True if lowest >= number else False if highest <= number else None
        else:  # whether the end's own year belongs to it is not said
            now = True if highest <= number else False if lowest > number else None
        if now is False:
            return False
        holds = None if now is None else holds
    return holds


def _doubt(one: Mapping[str, Any], low: Mapping[str, Any], high: Mapping[str, Any], value: Mapping[str, Any], catalog: Catalog) -> str:
    """Why the ends of a range cannot be compared with the value; nothing where they can."""
    if any(TWICE in part for part in (one, low, high)) or any("comparator" in part for part in (low, high)):
        return "The ends of the laboratory's range are not plain; it was kept as text and not used."
    if any(not same_unit(end, value, catalog) for end in (low, high) if end):
        return "The laboratory's range is in another unit than the value; it was kept as text and not used."
    return ""


def _ucum(value: Mapping[str, Any], catalog: Catalog) -> str:
    unit = unit_of(value, catalog)
    return "" if unit is None or isinstance(unit, Unreadable) else catalog.units.read(unit) or ""


def _end(part: Mapping[str, Any]) -> Any:
    number = part.get("value")
    return number if isinstance(number, (int, Decimal, str)) and not isinstance(number, bool) else None


def _decimal(number: Any) -> Decimal | None:
    return Decimal(number) if isinstance(number, (int, Decimal)) and not isinstance(number, bool) else None


def _age_words(one: Mapping[str, Any]) -> list[str]:
    span = dict_of(one.get("age"))
    return [f"age {_shown(dict_of(span.get('low')), dict_of(span.get('high')))}"] if span else []


def _shown(low: Mapping[str, Any], high: Mapping[str, Any]) -> str:
    """Both ends as text, each with its unit."""

    def end(part: Mapping[str, Any]) -> str:
        number = part.get("value")
        unit = text_of(part.get("unit")) or text_of(part.get("code"))
        said = "" if number is None or isinstance(number, (dict, list)) else str(number)
        return f"{text_of(part.get('comparator'))}{said} {unit}".strip()

    return " - ".join((end(low), end(high))).strip()
