"""How an answer came about, step by step, as data: for a reviewer who wants to follow a flag back to its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labinterp._worlds import World, why_not, worlds

if TYPE_CHECKING:
    from labinterp._catalog import Catalog
    from labinterp._results import Finding
    from labinterp._rules import LimitSet


def trace(finding: Finding) -> list[dict[str, str]]:
    """The steps from printed text to code.

    Returns:
        list of dict: `step` (read, unit, limits, population, considered, lines, answer, source) and `text`.
    """
    catalog, entry = finding.basis.catalog, finding.basis.catalog.table["analytes"][finding.analyte]
    number, si = finding.si
    steps = [
        (
            "read",
            _computed(catalog, finding)
            or f"{finding.source_name!r} is {entry['name']}; {finding.value_text!r} reads as {finding.quantity}.",
        ),
        ("unit", f"Compared in {finding.unit}, as reported" + (f" (that is {number:.6g} {si})." if si != finding.unit else ".")),
        ("limits", f"{finding.limits}: {finding.kind.replace('_', ' ')} of {finding.authority}, as of {finding.basis.as_of}."),
    ]
    limit_set, population = finding.basis.limit_set, finding.basis.population
    if limit_set is not None and population is not None:
        steps += _populations(catalog, finding, limit_set, population)
    steps += [("considered", text) for text in _others(catalog, finding)]
    steps += [("answer", f"{finding.code}: {finding.label}.")]
    steps += [("note", note) for note in finding.notes]
    steps += [("source", cited(c)) for c in (*finding.citations, *(finding.derived_from.cite if finding.derived_from else ()))]
    return [{"step": step, "text": text} for step, text in steps]


def _computed(catalog: Catalog, finding: Finding) -> str:
    """How a quantity was computed; an empty text for a measured one."""
    derivation = finding.derived_from
    if derivation is None:
        return ""
    names = catalog.table["analytes"]
    said = [(one, "row" if len(one.rows) == 1 else "rows", ", ".join(map(str, one.rows))) for one in derivation.inputs]
    inputs = " and ".join(f"{names[one.analyte]['name']} {one.quantity} ({word} {rows})" for one, word, rows in said)
    return f"{finding.name} {finding.quantity}, computed from {inputs} by {derivation.function} ({derivation.id}). {derivation.note}"


def _populations(catalog: Catalog, finding: Finding, limit_set: LimitSet, chosen: int) -> list[tuple[str, str]]:
    patient, data = finding.basis.patient, limit_set.data
    own = limit_set.populations[chosen]
    steps = [("population", f"{own['who']}." + (f" {own['judgement']}" if own["judgement"] else ""))]
    years = catalog.table["policy"]["pregnancy_possible_years"]
    world = worlds(limit_set, patient.facts, years)[0][0] if patient.facts else World(0, "female", "no")
    for number, population in enumerate(limit_set.populations):
        if number == chosen:
            continue
        because = why_not(population, patient.sex or world.sex, patient.age, world.pregnancy, patient.contexts)
        steps.append(("rejected", f"{population['who']}: {because or 'a more specific population holds'}."))
    lines = ", ".join(
        f"{band[0].replace('_', ' ')} {text}" for band, text in zip(own["bands"], spans(limit_set, chosen, finding.unit), strict=True)
    )
    steps += [("moved", text) for _, text, _ in finding.moves()]
    steps.append(("lines", f"In {finding.unit}: {lines}. The source prints: {data['printed']}."))
    if data["judgement"]:
        steps.append(("judgement", data["judgement"]))
    if data["caveat"]:
        steps.append(("caveat", data["caveat"]))
    return steps


def _others(catalog: Catalog, finding: Finding) -> list[str]:
    """The limit sets of other authorities, and whether they are in force."""
    texts = []
    for id in catalog.table["analytes"][finding.analyte]["limits"]:
        if id == finding.limits:
            continue
        other = catalog.limit_set(id)
        state = "in force, not asked for" if other.in_force(finding.basis.as_of) else "not in force on that day"
        texts.append(f"{id}: {state}.")
    return texts


def spans(limit_set: LimitSet, population: int, unit: str) -> list[str]:
    """Each band's stretch in a unit, in words: "<30", "30 to <50", ">125".

    Args:
        limit_set: The limits.
        population: Which of its populations.
        unit: UCUM code.

    Returns:
        list[str]: one text for each band, lowest first.
    """
    lines = limit_set.populations[population]["lines"]
    numbers = [f"{float(exact):.6g}" for exact in limit_set.exact_lines(population, unit)]
    texts = []
    for i in range(len(lines) + 1):
        lower = (numbers[i - 1], lines[i - 1][1]) if i else None
        upper = (numbers[i], lines[i][1]) if i < len(lines) else None
        if lower and upper:
            texts.append(f"{'>' if lower[1] == 'above' else ''}{lower[0]} to {'<' if upper[1] == 'at_least' else ''}{upper[0]}")
        elif upper:
            texts.append(f"{'<' if upper[1] == 'at_least' else '≤'}{upper[0]}")
        elif lower:
            texts.append(f"{'>' if lower[1] == 'above' else '≥'}{lower[0]}")
        else:
            texts.append("any value")
    return texts


def cited(cite: dict[str, Any] | Any) -> str:
    """One citation as a line of text."""
    year = f" {cite['year']}" if cite.get("year") else ""
    address = f" doi:{cite['doi']}" if cite.get("doi") else f" {cite['url']}" if cite.get("url") else ""
    return f"{cite['organisation']}{year}, {cite['title']}; {cite['locator']}.{address} Checked: {cite['checked']}."
