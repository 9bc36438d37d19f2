"""The lines that answered and the laboratory's own range -> `referenceRange`, each marked with whose it is."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from labinterp._formats.fhir_terms import CITATION, RANGE_MEANING, RANGE_ORIGIN
from labinterp._formats.fhir_words import amount, coding, concept, extension, number, string, without_empty
from labinterp._inputs import LabResult
from labinterp._printed_ranges import NO_END
from labinterp._quantity import Quantity, ReadValue, read_value
from labinterp._reported import Reported
from labinterp._results import Finding
from labinterp._trace import cited, spans

LABORATORY_MARK: Final = {"url": RANGE_ORIGIN, "valueCode": "laboratory"}
OURS_MARK: Final = {"url": RANGE_ORIGIN, "valueCode": "labinterp"}


def our_range(finding: Finding) -> dict[str, Any]:
    """The lines that answered, for this person, in the unit of the value, with where they are printed."""
    limit_set, population, unit = finding.basis.limit_set, finding.basis.population, finding.unit
    if limit_set is None or population is None:
        return {}
    own = limit_set.populations[population]
    texts = [f"{band[0].replace('_', ' ')} {text}" for band, text in zip(own["bands"], spans(limit_set, population, unit), strict=True)]
    printed = [cited(cite) for cite in finding.citations]
    cites = [extension(CITATION, valueString=string(text)) for text in printed]
    ends = dict(_normal_ends(finding))
    source = f" Source: {printed[0]}" if printed else ""
    meaning = ("normal", "Normal Range") if finding.kind == "reference_interval" else ("recommended", "Recommended Range")
    return without_empty(
        {
            "extension": [OURS_MARK, *cites],
            **{end: amount(n, unit, unit) for end, n in ends.items()},
            "type": concept(None, [coding(RANGE_MEANING, *meaning)]),
            "text": string(f"{finding.limits}, {own['who']}, in {unit}: {'; '.join(texts)}.{source}"),
        }
    )


def _normal_ends(finding: Finding) -> Iterator[tuple[str, Decimal | int]]:
    """The ends of what our limits call normal, where each end belongs to it and is an exact number."""
    limit_set, population = finding.basis.limit_set, finding.basis.population
    if limit_set is None or population is None:
        return
    bands, lines = limit_set.bands(population), limit_set.populations[population]["lines"]
    exact = limit_set.exact_lines(population, finding.unit)
    normal = [n for n, band in enumerate(bands) if band.code == "N"]
    if not normal or normal != list(range(normal[0], normal[-1] + 1)):
        return
    first, last = normal[0], normal[-1]
    if first and lines[first - 1][1] == "at_least" and (low := number(exact[first - 1])) is not None:
        yield "low", low
    if last < len(lines) and lines[last][1] == "above" and (high := number(exact[last])) is not None:
        yield "high", high


def laboratory_range(
    reported: Reported | None, quantity: Quantity | None, unit: str | None, result: LabResult | None
) -> list[dict[str, Any]]:
    """The laboratory's own range, marked as its own: what was printed, not what was made of it."""
    if reported is None:
        return []
    low, high, text = reported.low, reported.high, reported.text
    if result is not None:
        said = [one for one in (result.ref_low, result.ref_high) if one is not None and str(one).strip().casefold() not in NO_END]
        if any(_end(one) is None for one in said):  # one end without the other would be read back as a range that is open on that side
            low, high, text = None, None, "; ".join(part for part in (" - ".join(map(str, said)), result.ref_text) if part)
        else:
            low, high = _end(result.ref_low), _end(result.ref_high)
            text = result.ref_text or " - ".join(one for one in said if isinstance(one, str) and one.strip()[:1] in "<>") or None
    code = quantity.unit if quantity else None
    shown = unit or code or ""
    ends = {name: amount(end, shown, code) for name, end in (("low", low), ("high", high)) if end is not None and number(end) is not None}
    if not ends and not text:
        return []
    return [{"extension": [LABORATORY_MARK], **ends, **({"text": string(text)} if text and string(text) else {})}]


def _end(raw: Any) -> Decimal | None:
    read = None if raw is None else read_value(raw)
    return read.value if isinstance(read, ReadValue) and not (read.rest or read.flag) and read.high is None else None
