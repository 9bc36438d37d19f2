"""A report in the terminal: calm, complete, readable without colour."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rich import box
from rich.console import Console  # noqa: TC002
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from labinterp._catalog import Catalog
from labinterp._identify import simply_not_here
from labinterp._quantity import Quantity
from labinterp._render_lines import item
from labinterp._render_plain import PlainConsole
from labinterp._render_sources import Sources
from labinterp._render_tables import WIDE, answers
from labinterp._report import Advice, PatternMatch, Report
from labinterp._results import Finding, NotAssessed
from labinterp._trace import cited, spans

Marks = Callable[[Iterable[Any]], str]  # citations -> their numbers behind a sentence, or nothing
_WORDS = {
    "LL": "critically low", "LU": "very low", "L": "low", "N": "normal", "H": "high", "HU": "very high", "HH": "critically high",
    "IND": "indeterminate",
}  # fmt: skip
_STYLE = {
    "LL": "bold red",
    "HH": "bold red",
    "LU": "bold yellow",
    "HU": "bold yellow",
    "L": "yellow",
    "H": "yellow",
    "IND": "cyan",
    "N": "green",
}


def show_report(console: Console | PlainConsole, report: Report, catalog: Catalog, sources: Sources | None = None) -> None:
    """Print one report: person, results, what could not be assessed, red flags, patterns, muscle, standing sentences.

    Args:
        console: Where to.
        report: What is shown.
        catalog: Whose words.
        sources: Gathers the sources, for the caller to show below; sentences and limit sets then end with their numbers.
    """
    tiers = catalog.table["policy"]["tier_words"]

    def marks(cites: Iterable[Any]) -> str:
        return "" if sources is None else sources.marks(cites)

    console.print(Text(_person(report, catalog), style="bold"))
    aside = _aside(report)
    answers(
        console,
        ("row", "test", "result", "code", "meaning", "drawn by"),
        [_row(answer, marks) for answer in report.rows() if answer.row not in aside],
    )
    _derived(console, report, marks)
    notes = [(f"Row {f.row}", note) for f in report.findings for note in f.notes]
    notes += [(f.name, note) for f in report.derived for note in f.notes]
    if any(f.near_limit for f in (*report.findings, *report.derived)):
        console.print(Text("* within half of its last printed digit of a line", style="dim"))
    _section(
        console,
        "Needs attention",
        [f"{a.tier}, {tiers[a.tier]} (row {a.row}): {a.text}{marks(a.citations)}" for a in report.alerts],
        "bold red",
    )
    _section(console, "Notes", [f"{what}: {note}" for what, note in notes] + list(report.notes))
    _section(console, "Not assessed", _reasons(one for one in report.not_assessed if one.row not in aside))
    _section(console, "Not in the catalog", [f"Rows {_rows(aside)}: {'; '.join(aside.values())}"] if aside else [])
    for title, patterns in (("Read together", report.patterns), ("Not settled yet", report.open_questions)):
        _section(console, title, [f"{_pattern(p, catalog)}{marks(p.citations)}" for p in patterns])
    linked = [(f"{e.name}: {e.text} Recovery: {e.reversibility} {e.recovery}".rstrip(), e.citations) for e in report.effects]
    _section(console, "Linked to muscle", [f"{text}{marks(cites)}" for text, cites in linked])
    _section(console, "What is usually done", [_advice(a) for a in report.advice])
    console.print(Text("\n" + report.disclaimer, style="bold"))
    if report.effects or report.patterns or report.alerts:
        for sentence in report.standing:
            item(console, sentence, "dim")
    console.print()


_MANY = 4  # tests that the catalog does not know; so many of them would hide the rows that have an answer


def _aside(report: Report) -> dict[int, str]:
    """Row -> what it shows, of the tests that the catalog does not know, where there are many: they are told in one line."""
    unknown = {
        one.row: f"{one.source_name or '(no name)'} {one.value_text} {one.unit_text}".strip() + _by_laboratory(one)
        for one in report.not_assessed
        if one.reason == "unknown_analyte" and simply_not_here(one.message)
    }
    return unknown if len(unknown) >= _MANY else {}


def _reasons(refused: Iterable[NotAssessed]) -> list[str]:
    """One line for each message, with the rows it is about."""
    told: dict[str, list[int]] = {}
    for one in refused:
        told.setdefault(one.message, []).append(one.row)
    return [f"Row{'s' if len(rows) > 1 else ''} {_rows(rows)}: {message}" for message, rows in told.items()]


def _rows(rows: Iterable[int]) -> str:
    """Numbers of rows, with stretches.

    Example:
        >>> _rows([1, 2, 3, 7, 9, 10])
        '1-3, 7, 9, 10'
    """
    parts: list[list[int]] = []
    for row in sorted(rows):
        if parts and row == parts[-1][-1] + 1:
            parts[-1].append(row)
        else:
            parts.append([row])
    return ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 2 else ", ".join(map(str, part)) for part in parts)


def _person(report: Report, catalog: Catalog) -> str:
    patient = report.patient
    words = [f"Patient {patient.id}" if patient.id else "Patient"]
    words.append(patient.sex or "sex not stated")
    words.append("age not stated" if patient.age_years is None else f"{patient.age_years:g} years")
    if patient.pregnant is not None:
        words.append("pregnant" if patient.pregnant else "not pregnant")
    words += [catalog.table["policy"]["contexts"][context]["text"] for context in sorted(patient.contexts)]
    return ", ".join(words)


def _by_laboratory(refused: NotAssessed) -> str:
    """What the laboratory's own range says of a result that has no answer here, in small print."""
    code = refused.reported.code if refused.reported else None
    return "" if code is None else f" (the laboratory's own range says {code})"


def _row(answer: Finding | NotAssessed, marks: Marks) -> list[Text]:
    if isinstance(answer, NotAssessed):
        shown = f"{answer.value_text} {answer.unit_text}".strip()
        said = Text(f"not assessed: {answer.reason.replace('_', ' ')}")
        said.append(_by_laboratory(answer), style="dim")
        return [*map(Text, (str(answer.row), answer.source_name, shown, "-")), said, Text("")]
    return [Text(str(answer.row)), Text(answer.source_name), *_answer(answer, marks)]


def _answer(finding: Finding, marks: Marks) -> list[Text]:
    """Value, code, meaning and limit set of a finding."""
    style = _STYLE[finding.code]
    meaning = Text(finding.label, style=style)
    if _WORDS[finding.code] not in finding.label:
        meaning.append(f" ({_WORDS[finding.code]})")
    near = " *" if finding.near_limit else ""
    drawn = f"{finding.limits}{marks(_cites(finding))}"
    return [Text(f"{_shown(finding.quantity)}{near}"), Text(finding.code, style=style), meaning, Text(drawn)]


def _cites(finding: Finding) -> list[Any]:
    """Where the lines are printed, and the formula, if the value was computed."""
    return [*finding.citations, *(finding.derived_from.cite if finding.derived_from else ())]


def _derived(console: Console | PlainConsole, report: Report, marks: Marks) -> None:
    """What was computed from the results, in a small table of its own."""
    if not report.derived:
        return
    console.print(Text("\nComputed from these results", style="bold"))
    rows = []
    for finding in report.derived:
        based = ", ".join(map(str, finding.derived_from.rows if finding.derived_from else ()))
        rows.append([Text(based), Text(finding.name), *_answer(finding, marks)])
    answers(console, ("rows", "quantity", "value", "code", "meaning", "drawn by"), rows)
    for finding in report.derived:
        if finding.derived_from:
            console.print(Padding(Text(f"{finding.name}: {finding.derived_from.note}", style="dim"), (0, 0, 0, 2)))


def _pattern(match: PatternMatch, catalog: Catalog) -> str:
    rows = ", ".join(map(str, match.because))
    text = f"{match.name} ({match.certainty.replace('_', ' ')}, row{'s' if len(match.because) != 1 else ''} {rows}): {match.text}"
    if match.missing:
        text += f" Not known: {'; '.join(catalog.table['analytes'][analyte]['name'] for analyte in match.missing)}."
    return f"{text} {match.next_test}".strip()


def _advice(advice: Advice) -> str:
    """One condition: what is usually done, then the next step; commas inside an entry stay readable behind semicolons."""
    done = "; ".join(advice.usually_done)
    return f"{advice.name[:1].upper()}{advice.name[1:]}. Usually: {done}. Next: {advice.next_step}"


def _shown(quantity: Quantity) -> str:
    """A quantity as people write it; UCUM's own form stays in the JSON."""
    return f"{quantity.number} {quantity.unit.replace('{1.73_m2}', '1.73 m2')}"


def _section(console: Console | PlainConsole, title: str, lines: Iterable[str], style: str = "bold") -> None:
    listed = list(lines)
    if not listed:
        return
    console.print(Text(f"\n{title}", style=style))
    for line in listed:
        item(console, line)


def show_trace(console: Console, finding: Finding) -> None:
    """Print how an answer came about."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(justify="right", no_wrap=True, min_width=11, style="bold")
    grid.add_column(overflow="fold")
    for step in finding.trace():
        grid.add_row(Text(step["step"]), Text(step["text"]))
    console.print(grid)


def show_candidates(console: Console, catalog: Catalog, analyte: str) -> None:
    """Print which limit sets there are, for a result that got no answer."""
    console.print(Text("Limit sets that were there to choose from:", style="bold"))
    for row in catalog.authorities(analyte):
        if row["kind"] is None:
            console.print(Padding(Text(f"{row['id']}: no limit. {row['because']}"), (0, 0, 0, 2)))
            continue
        people = "; ".join(population["who"] for population in catalog.limit_set(row["id"]).populations)
        until = f", until {row['until']}" if row["until"] else ""
        console.print(Padding(Text(f"{row['id']}{' (default)' if row['default'] else ''}: {people}{until}"), (0, 0, 0, 2)))
    console.print()


def show_analytes(console: Console, catalog: Catalog) -> None:
    """Print the catalog's analytes; a narrow terminal has no room for their LOINC codes."""
    names = ("id", "name", "units", "LOINC", "sets", "default")
    shown = [at for at, name in enumerate(names) if name != "LOINC" or console.width >= WIDE]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False, header_style="bold")
    for at in shown:  # an id is never cut: it is what the other commands take
        name = names[at]
        table.add_column(name, overflow="fold", no_wrap=name in ("id", "sets"), justify="right" if name == "sets" else "left")
    for id, analyte in catalog.analytes.items():
        default = (catalog.table["analytes"][id]["default"] or "").split("/")[-1]
        cells = (id, analyte.name, ", ".join(analyte.units), ", ".join(analyte.loinc), str(len(analyte.limits)), default)
        table.add_row(*(cells[at] for at in shown))
    console.print(table)


def show_limits(console: Console, catalog: Catalog, analyte: str) -> None:
    """Print who draws which line for an analyte, since when, for whom, and where it is printed."""
    entry = catalog.table["analytes"][analyte]
    console.print(Text(f"{entry['name']}: {entry['about']}", style="bold"))
    for row in catalog.authorities(analyte):
        dates = f"{row['from'] or 'date not known'} to {row['until'] or 'now'}"
        head = Text(f"\n{row['id']}", style="bold")
        head.append("  default" if row["default"] else "", style="green")
        console.print(head)
        kind = f"{row['kind']}, {row['purpose']}".replace("_", " ") if row["kind"] else "gives no limit"
        after = f"; superseded by {row['superseded_by']}" if row["superseded_by"] else ""
        console.print(Padding(Text(f"{row['name']}; {kind}; in force {dates}{after}"), (0, 0, 0, 2)))
        if row["kind"] is None:
            console.print(Padding(Text(row["because"]), (0, 0, 0, 2)))
        else:
            limit_set = catalog.limit_set(row["id"])
            unit = limit_set.data["unit"]
            for number, population in enumerate(limit_set.populations):
                bands = "; ".join(f"{b[0]} {b[1]} {s}" for b, s in zip(population["bands"], spans(limit_set, number, unit), strict=True))
                console.print(Padding(Text(f"{population['who']}: {bands} {unit}"), (0, 0, 0, 2)))
            for word in ("aspect", "caveat"):
                if limit_set.data[word]:
                    console.print(Padding(Text(f"{word}: {limit_set.data[word]}"), (0, 0, 0, 2)))
            if limit_set.data["judgement"]:
                console.print(Padding(Text(f"judgement: {limit_set.data['judgement']}", style="dim"), (0, 0, 0, 2)))
        for cite in row["citations"]:
            console.print(Padding(Text(cited(cite), style="dim"), (0, 0, 0, 2)))
