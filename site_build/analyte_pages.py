"""The catalog -> one page for each analyte: what it is, every authority's lines side by side, effects and sources."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from labinterp import Catalog
from labinterp._story import story
from labinterp._trace import cited, spans

WIDTH, LEFT, ROW = 760, 230, 30
# Told apart by lightness and by a letter, not by colour alone.
FILLS = {
    "LL": "#7b3f00",
    "LU": "#c46a1b",
    "L": "#f0b775",
    "N": "#e8f1ee",
    "IND": "#d9d9d9",
    "H": "#9dc3e6",
    "HU": "#3f7fbf",
    "HH": "#123f73",
}
DARK = {"LL", "LU", "HU", "HH"}


def analytes_page(catalog: Catalog) -> str:
    """The list of all analytes."""
    rows = []
    for analyte in catalog.analytes.values():
        default = (catalog.table["analytes"][analyte.id]["default"] or "none").split("/")[-1]  # the id stands two columns before
        rows.append(
            f"| [{analyte.name}]({analyte.id}.md) | `{analyte.id}` | {', '.join(analyte.units)} | {len(analyte.limits)} | `{default}` |"
        )
    head = "| test | id | units | sets of limits | default |\n|---|---|---|---|---|\n"
    about = front_matter(f"{len(catalog.analytes)} blood tests with their units, their sets of limits and the set that answers by default")
    return (
        f"{about}\n# Analytes\n\nEvery test the catalog {catalog.version} knows, as of {catalog.as_of}.\n\n{head}" + "\n".join(rows) + "\n"
    )


def front_matter(description: str) -> str:
    """What search engines and link previews show of a page."""
    return f"---\ndescription: {json.dumps(description, ensure_ascii=False)}\n---\n"


def analyte_page(catalog: Catalog, id: str) -> str:
    """One analyte."""
    entry = catalog.table["analytes"][id]
    told = story(catalog, id)
    sets = len(catalog.analytes[id].limits)
    parts = [
        front_matter(
            f"{entry['name']}: {sets} set{'' if sets == 1 else 's'} of limits with dates and sources, what moves the number, and what it is linked to in muscle"
        ),
        f"# {entry['name']}",
        cell(entry["about"]),
        f"Id `{id}`. Units: {', '.join(f'`{u}`' for u in entry['usual'])}. LOINC: {', '.join(f'`{c}`' for c in catalog.analytes[id].loinc) or 'none'}.",
        '!!! warning "Not a diagnosis"\n    ' + catalog.table["policy"]["disclaimer"],
        "## Who draws which line",
        *_limits(catalog, id),
        "## What moves the number",
        "\n".join(f"- {cell(c['text'])}" for c in entry["caveats"]) or "Nothing is recorded.",
        "## Effects on muscle",
        *_effects(catalog, told),
        "## Patterns it takes part in",
        "\n".join(f"- **{p['name']}**: {cell(p['about'])}" for p in told["patterns"]) or "None.",
        "## Left out",
        "\n".join(f"- {cell(_left_out(one))}" for one in entry["left_out"]) or "Nothing that is known was left out.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _left_out(one: Any) -> str:
    return " ".join(str(v) for v in one.values()) if isinstance(one, dict) else str(one)


def _limits(catalog: Catalog, id: str) -> Iterator[str]:
    drawn = [row for row in catalog.authorities(id) if row["kind"]]
    if drawn:
        yield _picture(catalog, id, drawn)
    for row in catalog.authorities(id):
        mark = " (default)" if row["default"] else ""
        dates = f"in force {row['from'] or 'since an unknown day'} to {row['until'] or 'now'}"
        yield f"### `{row['id']}`{mark}"
        if row["kind"] is None:
            yield f"{cell(row['name'])} gives no limit; {dates}. {cell(row['because'])}"
        else:
            limit_set = catalog.limit_set(row["id"])
            kind = f"{row['kind']}, {row['purpose']}".replace("_", " ")
            yield f"{cell(row['name'])}; {kind}; {dates}."
            lines = [f"| for whom | lines, in {limit_set.data['unit']} |", "|---|---|"]
            for number, population in enumerate(limit_set.populations):
                stretches = spans(limit_set, number, limit_set.data["unit"])
                bands = "; ".join(f"{b[0].replace('_', ' ')} **{b[1]}** {s}" for b, s in zip(population["bands"], stretches, strict=True))
                lines.append(f"| {cell(population['who'])} | {cell(bands)} |")
            yield "\n".join(lines)
            for word in ("aspect", "caveat", "judgement"):
                if limit_set.data[word]:
                    yield f"*{word.capitalize()}:* {cell(limit_set.data[word])}"
        yield "\n".join(f"- {_source(cite)}" for cite in row["citations"])


def _source(cite: dict[str, Any]) -> str:
    text = cell(cited(cite))
    return f"{text} [Open the source]({cite['url']})." if cite.get("url") else text


def _effects(catalog: Catalog, told: dict[str, Any]) -> Iterator[str]:
    if not any(state["links"] for state in told["states"]):
        yield "The catalog links no state of this test to an effect on muscle."
        return
    for state in told["states"]:
        if not state["links"]:
            continue
        yield f"### {state['name'][:1].upper()}{state['name'][1:]}"
        rows = ["| effect | link | how sure | correcting helps |", "|---|---|---|---|"]
        for link in state["links"]:
            name = link["effect_name"]
            rows.append(
                f"| {cell(name)} | {link['relation'].replace('_', ' ')} | {link['certainty'].replace('_', ' ')} | {cell(link.get('treatment', ''))} |"
            )
        yield "\n".join(rows)
        cites = {cited(cite): cite for link in state["links"] for cite in link.get("citations", [])}
        yield "\n".join(f"- {_source(cite)}" for cite in cites.values())


# --- the picture ----------------------------------------------------------------------------------------------


def _picture(catalog: Catalog, id: str, drawn: list[dict[str, Any]]) -> str:
    """Each authority's lines for the first population it names, side by side, with the same words below as a table."""
    entry = catalog.table["analytes"][id]
    first = next((row for row in drawn if row["default"]), drawn[0])
    unit = catalog.limit_set(first["id"]).data["unit"]
    rows = []
    for row in sorted(drawn, key=lambda row: not row["default"]):
        limit_set = catalog.limit_set(row["id"])
        lines = [float(line) for line in limit_set.exact_lines(0, unit)]
        if lines:
            rows.append((row["id"].split("/", 1)[1], limit_set.populations[0], lines))
    if not rows:
        return ""
    low, high = min(min(lines) for *_, lines in rows), max(max(lines) for *_, lines in rows)
    logarithmic = low > 0 and high / low > 30
    pad = (high - low) * 0.2 or high * 0.3 or 1

    def along(number: float) -> float:
        from math import log

        if logarithmic:
            a, b, x = log(low / 1.6), log(high * 1.6), log(number)
        else:
            a, b, x = max(0.0, low - pad) if low >= 0 else low - pad, high + pad, number
        return LEFT + (WIDTH - LEFT - 10) * (x - a) / (b - a)

    height = ROW * len(rows) + 44
    out = [
        (
            f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="t-{id}" xmlns="http://www.w3.org/2000/svg" class="limits-svg" '
            'font-family="sans-serif" font-size="11">'
        ),
        f'<title id="t-{id}">Lines of {len(rows)} sets of limits for {escape(entry["name"])} in {escape(unit)}; the tables below say the same in words.</title>',
    ]
    for number, (name, population, lines) in enumerate(rows):
        top = number * ROW + 6
        out.append(f'<text x="{LEFT - 8}" y="{top + 14}" text-anchor="end" fill="currentColor">{escape(name[:38])}</text>')
        edges = [LEFT, *(along(line) for line in lines), WIDTH - 10]
        for (key, code, _label), left, right in zip(population["bands"], edges, edges[1:], strict=False):
            tip = escape(f"{key.replace('_', ' ')} ({code})")
            out.append(
                f'<rect x="{left:.1f}" y="{top}" width="{max(right - left, 0):.1f}" height="20" fill="{FILLS[code]}" stroke="#555" stroke-width="0.6"><title>{tip}</title></rect>'
            )
            if right - left > 24:
                colour = "#fff" if code in DARK else "#111"
                out.append(f'<text x="{(left + right) / 2:.1f}" y="{top + 14}" text-anchor="middle" fill="{colour}">{code}</text>')
    placed: list[float] = []
    for mark in dict.fromkeys(line for *_, lines in rows for line in lines):  # the lines of the default first: they are always named
        x = along(mark)
        if all(abs(x - other) > 38 for other in placed):
            out.append(f'<text x="{x:.1f}" y="{height - 22}" text-anchor="middle" fill="currentColor">{mark:.4g}</text>')
            placed.append(x)
    scale = "; logarithmic scale" if logarithmic else ""
    out.append(
        f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{height - 6}" text-anchor="middle" fill="currentColor">{escape(unit)}{scale}</text></svg>'
    )
    return (
        '<div class="limits-picture" tabindex="0" role="group" aria-label="Lines side by side">\n'
        + "".join(out)
        + "\n</div>\n\nEach row shows the first group of people its set names; other groups stand in the tables."
    )


def cell(text: Any) -> str:
    """Text that is safe in a table and in Markdown."""
    plain = escape(str(text), quote=False).replace("|", "\\|").replace("\n", " ")
    for mark in ("*", "_", "[", "]"):
        plain = plain.replace(mark, "\\" + mark) if mark != "*" else plain
    return plain
