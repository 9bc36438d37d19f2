"""The way from results to muscle effects as plain data: what leads to what, how strong the link may sound, how sure it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from labinterp._catalog import Catalog
from labinterp._codes import CERTAINTIES, RELATIONS
from labinterp._pictures.texts import quantity_words, shown, words
from labinterp._report import Report

# How a link may sound: the verbs of the policy, without their sentence.
SOUNDS = {
    "causes": "can cause",
    "contributes_to": "may contribute to",
    "associated_with": "has been linked in studies with",
    "proposed": "has been suggested from animal or cell studies",
}
_STATUS = {"animal": "seen in animal studies", "mixed": "studies disagree"}
COLUMNS = ("Results", "States they are read as", "How it is thought to come about", "Effects on muscle")


class Node(NamedTuple):
    """One box: its column, its text, a quieter text, and the HL7 code of a result."""

    id: str
    column: int
    text: str
    quiet: str
    code: str = ""


class Edge(NamedTuple):
    """One line between two boxes; without a relation it only says what was read together."""

    start: str
    end: str
    relation: str = ""
    certainty: str = ""


class Path(NamedTuple):
    """All boxes and lines of a report, and the sentences behind them."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    sentences: tuple[str, ...]


def path_of(report: Report, catalog: Catalog | None) -> Path:
    """The boxes and lines of a report: nothing that the report does not say.

    Args:
        report: With effects, or without any.
        catalog: Whose words; default: that of the findings.
    """
    answers = [*report.findings, *report.derived]
    catalog = catalog or next((finding.basis.catalog for finding in answers), None) or Catalog.default()
    conditions = {effect_condition for effect in report.effects for effect_condition in effect.conditions}
    states = [advice for advice in report.advice if advice.condition in conditions]
    rows = {row for advice in states for row in advice.because}
    nodes: list[Node] = [
        Node(f"row {f.row}", 0, shown(f.name, 44), f"{quantity_words(f.quantity)}, {words(f.band or 'cannot be told')} ({f.code})", f.code)
        for f in report.findings
        if f.row in rows
    ]
    nodes += [Node(f"state {advice.condition}", 1, _capital(advice.name), "") for advice in states]
    known = {node.id for node in nodes}
    edges = [Edge(f"row {row}", f"state {advice.condition}") for advice in states for row in advice.because if f"row {row}" in known]
    for effect in report.effects:
        end = f"effect {effect.id}"
        nodes.append(Node(end, 3, effect.name, f"{SOUNDS[effect.relation]}; certainty {words(effect.certainty)}"))
        for condition in effect.conditions:
            link = _link(catalog, condition, effect.id)
            start = f"state {condition}"
            relation, certainty = (link["relation"], link["certainty"]) if link else (effect.relation, effect.certainty)
            through = [m for m in (link.get("mechanisms", ()) if link else ()) if m in effect.mechanisms]
            for mechanism in through:
                one = catalog.table["mechanisms"][mechanism]
                # one box for each state: a shared box would not say which way belongs to whom
                middle = f"mechanism {condition} {mechanism}"
                if middle not in {node.id for node in nodes}:
                    nodes.append(Node(middle, 2, _capital(one["name"]), _STATUS.get(one["status"], words(one["status"]))))
                    edges.append(Edge(start, middle))
                edges.append(Edge(middle, end, relation, certainty))
            if not through:  # a lane of its own between the boxes, so that the line seems to enter none of them
                lane = f"lane {condition} {effect.id}"
                nodes.append(Node(lane, 2, "", ""))
                edges += [Edge(start, lane, relation, certainty), Edge(lane, end, relation, certainty)]
    return Path(tuple(nodes), tuple(dict.fromkeys(edges)), tuple(effect.text for effect in report.effects))


def _link(catalog: Catalog, condition: str, effect: str) -> Mapping[str, Any] | None:
    """The link between a state and an effect; of several the most careful one."""
    links = [link for link in catalog.table["conditions"].get(condition, {}).get("links", ()) if link["effect"] == effect]
    return min(links, key=lambda link: (RELATIONS.index(link["relation"]), CERTAINTIES.index(link["certainty"])), default=None)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def ordered(path: Path) -> list[list[Node]]:
    """The boxes of each column from the top, so that few lines cross: each box stands beside those it is joined to."""
    columns = [[node for node in path.nodes if node.column == n] for n in range(len(COLUMNS))]
    place = {node.id: float(n) / max(len(column), 1) for column in columns for n, node in enumerate(column)}
    for _ in range(4):
        for column in (columns[1], columns[2], columns[3], columns[2], columns[1], columns[0]):
            column.sort(key=lambda node: _middle(path, node, place))
            place.update({node.id: n / max(len(column), 1) for n, node in enumerate(column)})
    return columns


def _middle(path: Path, node: Node, place: Mapping[str, float]) -> float:
    near = [place[other] for other in _beside(path, node.id)]
    return sum(near) / len(near) if near else place[node.id]


def _beside(path: Path, id: str) -> Iterator[str]:
    for edge in path.edges:
        if edge.start == id:
            yield edge.end
        elif edge.end == id:
            yield edge.start
