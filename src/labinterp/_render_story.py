"""The muscle graph in the terminal: the story of one nutrient, the states behind an effect, the list of effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console  # noqa: TC002
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from labinterp._render_lines import item
from labinterp._render_sources import Sources

Data = Mapping[str, Any]
_LINKS = {
    "causes": "can cause",
    "contributes_to": "may contribute to",
    "associated_with": "linked in studies",
    "proposed": "suggested",
}
_HELPS = {
    "improves": "often",
    "no_effect": "not shown",
    "mixed": "studies disagree",
    "harm_signal": "not shown; some harm",
    "unknown": "not known",
}


def show_effects(console: Console, effects: Iterable[Data]) -> None:
    """Print every effect with the strongest link to it."""
    table = _table("id", "effect", "states", "strongest link, how sure")
    for one in effects:
        link = "none" if one["relation"] is None else f"{_LINKS[one['relation']]}, {one['certainty'].replace('_', ' ')}"
        table.add_row(one["id"], one["name"], str(one["states"]), link)
    console.print(table)
    console.print(Text("\nlabinterp effects ID shows the states behind one.", style="dim"))


def show_behind(console: Console, effect: Data) -> None:
    """Print the states that can lie behind an effect, the strongest link first, and what is deliberately not said."""
    hpo = f", {effect['hpo']}" if effect["hpo"] else ""
    console.print(Text(f"{effect['name']} ({effect['id']}{hpo})", style="bold"))
    console.print(Text(effect["text"]))
    if not effect["states"]:
        console.print(Text("\nNo state of this catalog is linked to it."))
    else:
        console.print(Text("\nStates that can lie behind it, the strongest link first. Most often something else does.\n"))
        table = _table("", "state", "link", "how sure", "correcting helps")
        for number, link in enumerate(effect["states"], 1):
            table.add_row(str(number), link["condition_name"], *_link(link))
        console.print(table)
    sources = Sources()
    for number, link in enumerate(effect["states"], 1):
        _head(console, f"{number}. {_capital(link['condition_name'])}")
        _told(console, link, sources)
    _silences(console, effect["not_said"], sources)
    sources.show(console)
    console.print(Text(f"\n{effect['disclaimer']}", style="bold"))


def show_story(console: Console, story: Data) -> None:
    """Print what the catalog says of one analyte and muscle."""
    console.print(Text(f"{story['name']} and muscle", style="bold"))
    console.print(Text(story["about"]))
    sources = Sources()
    if not story["states"]:
        console.print(Text("\nNo state of this analyte alone is linked to muscle in this catalog."))
    for state in story["states"]:
        _state(console, state, sources)
    if story["patterns"]:
        _head(console, "Read together with other results")
        for pattern in story["patterns"]:
            inputs = ", ".join(one.replace("_", " ") for one in pattern["inputs"])
            _line(console, f"{pattern['name']}: {pattern['about']} It looks at {inputs}.{sources.marks(pattern['citations'])}")
    sources.show(console)
    console.print(Text(f"\n{story['disclaimer']}", style="bold"))


def _state(console: Console, state: Data, sources: Sources) -> None:
    _head(console, f"{_capital(state['name'])}")
    console.print(Padding(Text(f"{state['about']}{sources.marks(state['citations'])}"), (0, 0, 0, 2)))
    seen = {link["when"] for link in state["links"]}
    if len(seen) == 1:
        _line(console, f"Seen as: {next(iter(seen))}.")
    if state["links"]:
        console.print()
        table = _table("effect", "link", "how sure", "correcting helps")
        for link in state["links"]:
            table.add_row(link["effect_name"], *_link(link))
        console.print(Padding(table, (0, 0, 0, 2)))
        console.print()
    for title, key in (("Who is at risk", "at_risk"), ("What is usually done", "usually_done")):
        if state[key]:
            _line(console, f"{title}: {'; '.join(state[key])}.")
    if state["next_step"]:
        _line(console, f"Next step: {state['next_step']}")
    mechanisms = {one["id"]: one for link in state["links"] for one in link["mechanisms"]}
    if mechanisms:
        console.print(Padding(Text("How it is thought to come about", style="bold"), (1, 0, 0, 2)))
        for one in mechanisms.values():
            _line(console, f"{one['name']} ({one['status']}): {one['text']}")
    for link in state["links"]:
        console.print(Padding(Text(link["effect_name"], style="bold"), (1, 0, 0, 2)))
        _told(console, link, sources, mechanisms=False, seen=len(seen) > 1)
    _silences(console, state["not_said"], sources)


def _told(console: Console, link: Data, sources: Sources, mechanisms: bool = True, seen: bool = True) -> None:
    """What is said of one link: the sentence, the way it takes, recovery, sources."""
    _line(console, f"{link['text']}{sources.marks(link['citations'])}")
    if seen:
        _line(console, f"Seen as: {link['when']}.")
    if link["through"]:
        _line(console, f"Through: {link['through']}.")
    if mechanisms and link["mechanisms"]:
        named = "; ".join(f"{one['name']} ({one['status']})" for one in link["mechanisms"])
        _line(console, f"How: {named}.")
    if link["onset"]:
        _line(console, f"Onset: {link['onset'].rstrip('.')}.")
    _line(console, f"Recovery: {link['reversibility']} {link['recovery']}".rstrip())


def _silences(console: Console, silences: Iterable[Data], sources: Sources) -> None:
    """What is deliberately not said, and why."""
    listed = list(silences)
    if not listed:
        return
    console.print(Padding(Text("Deliberately not said", style="bold"), (1, 0, 0, 2)))
    for one in listed:
        what = "any effect" if one["effects"] == "all" else ", ".join(effect.replace("_", " ") for effect in one["effects"])
        who = f"{one['condition_name']}: " if "condition_name" in one else ""
        _line(console, f"{who}{what}. {one['because']}{sources.marks(one['citations'])}")


def _link(link: Data) -> tuple[str, str, str]:
    return _LINKS[link["relation"]], link["certainty"].replace("_", " "), _HELPS[link["treatment"]]


def _table(*names: str) -> Table:
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for name in names:
        wraps = name in ("effect", "state", "strongest link, how sure")
        table.add_column(name, overflow="fold", no_wrap=not wraps, justify="right" if name in ("", "states") else "left")
    return table


def _head(console: Console, title: str) -> None:
    console.print(Text(f"\n{title}", style="bold"))


def _line(console: Console, text: str, style: str = "") -> None:
    item(console, text, style)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
