"""What a draw means, remembered: draws whose results say the same to every gate of the data mean the same.

What a result says to the gates depends only on where it lies between their lines and on its code, so it is asked once for each such
place. A meaning is worked out for analytes in place of rows, and each draw puts its own rows back: every gate rests on all results of
an analyte, or on none. Both memos are bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from labinterp._explain import advice, effects, firm
from labinterp._meaning import Meaning
from labinterp._measure import Measured
from labinterp._parts import Draw, Shown, Told, answered_panel, person_of_gates
from labinterp._patterns import Panel, derived_contexts, evaluate, in_order
from labinterp._questions import NO_ANSWERS, Said, Truths, questions, said
from labinterp._report import Alert
from labinterp._results import Finding, NotAssessed

if TYPE_CHECKING:
    from labinterp._book import Book
    from labinterp._catalog import Catalog

MOST = 2000  # meanings of one catalog, and circumstances of one book


class Group:
    """The results of one analyte in a draw: what they say together, and the rows they rest on."""

    __slots__ = ("rows", "truths")

    def __init__(self, truths: Truths, rows: list[int]) -> None:
        self.truths, self.rows = truths, rows

    def add(self, truths: Truths, rows: Iterable[int]) -> None:
        """One more result: results that do not agree say nothing."""
        if truths != self.truths:
            self.truths = tuple(a if a == b else None for a, b in zip(self.truths, truths, strict=True))
        self.rows += rows


# --- the draw -----------------------------------------------------------------------------------------------------


def shown_circumstances(book: Book, measured: Iterable[Measured]) -> Shown:
    """What results show of circumstances, before they are assessed."""
    groups: dict[str, Group] = {}
    asked = questions(book.catalog).circumstances
    for one in measured:
        if one.analyte in asked:
            _add(groups, one, said(book, one, None))
    told = _told(groups)
    found: Shown | None = book.shown.get(told)
    if found is None:
        found = _shown(book, told)
        if len(book.shown) < MOST:
            book.shown[told] = found
    return found


def _shown(book: Book, told: Told) -> Shown:
    panel, declared = answered_panel(book, told), book.patient.contexts
    policy, names = book.catalog.table["policy"], [analyte for analyte, _ in told]
    found = [(name, truth) for name, truth in derived_contexts(panel, policy) if name not in declared]
    return Shown(
        tuple((name, truth.value, frozenset(names[row] for row in truth.rows), truth.missing) for name, truth in found),
        tuple(name for name, truth in found if truth.value is True),
        tuple(one["context"] for one in policy["derived"] if one["context"] not in declared and undecided(one, panel)),
    )


def undecided(derived: Mapping[str, Any], panel: Panel) -> bool:
    """Whether a result is there and does not settle it ("<10" beside a line at 5, or two that disagree), and no other does."""
    parts = [evaluate(gate, panel) for gate in derived["when"].get("any_of", [derived["when"]])]
    return not any(part.value for part in parts) and any(part.value is None and not part.missing for part in parts)


def _add(groups: dict[str, Group], one: Measured, found: Said) -> None:
    group = groups.get(one.analyte)
    if group is None:
        groups[one.analyte] = Group(found.truths, list(one.rows))
    else:
        group.add(found.truths, one.rows)


def _told(groups: Mapping[str, Group]) -> Told:
    return tuple(sorted([(analyte, group.truths) for analyte, group in groups.items()], key=_first))


def _first(pair: tuple[str, Truths]) -> str:
    return pair[0]


def meaning(
    book: Book, measured: Iterable[Measured], answers: Mapping[int, Finding | NotAssessed], shown: Shown, research: bool
) -> tuple[Meaning, dict[str, list[int]], list[Alert]]:
    """What assessed results mean together.

    Args:
        book: The rules for the person in the circumstances that the draw shows.
        measured: What could be read, and what was computed.
        answers: By row.
        shown: From `shown_circumstances`.
        research: Whether links with little evidence are asked for where a single mild value is all there is.

    Returns:
        tuple: the meaning; analyte -> rows; red flags, most urgent first.
    """
    catalog = book.catalog
    policy = catalog.table["policy"]["single_mild"]
    groups, flags, out = dict[str, Group](), list[tuple[int, Mapping[str, Any]]](), list[str]()
    for one in measured:
        answer = answers.get(one.row)
        found = said(book, one, answer)
        _add(groups, one, found)
        flags += [(one.rows[0], alert) for alert in found.alerts]
        if not one.computed_from and isinstance(answer, Finding) and answer.band is not None and answer.code in policy["out"]:
            out.append(answer.code)
    mild = not research and len(out) < 2 and set(out) <= set(policy["mild"])
    key = (person_of_gates(book), _told(groups), shown.contexts, mild)
    known: dict[Any, Meaning] = catalog.learn("meanings", dict)
    meant = known.get(key)
    if meant is None:
        meant = _worked_out(book, key[1], shown, mild)
        if len(known) >= MOST:
            known.clear()
        known[key] = meant
    flags.sort(key=_urgency)  # of one row: as they stand in the data
    return meant, {analyte: group.rows for analyte, group in groups.items()}, [_alert(catalog, row, alert) for row, alert in flags]


def _urgency(flag: tuple[int, Mapping[str, Any]]) -> tuple[str, int]:
    return flag[1]["tier"], flag[0]


def _alert(catalog: Catalog, row: int, alert: Mapping[str, Any]) -> Alert:
    return Alert(alert["id"], alert["tier"], row, alert["text"], tuple(catalog.written_out(alert["cite"])))


def _worked_out(book: Book, told: Told, shown: Shown, mild: bool) -> Meaning:
    """The meaning of a draw that was not met before; of its parts most were."""
    table, draw, notes = book.catalog.table, Draw(book, told, shown), list[str]()
    policy = table["policy"]
    cautions = frozenset(id(gate) for gate in questions(book.catalog).cautions if draw.holds("caution", [gate]))
    matches = [match for pattern in in_order(book.catalog) if (match := draw.match(pattern)) is not None]
    links = [link for condition in table["conditions"].values() for link in draw.links(condition)]
    if links and not person_of_gates(book)[2]:
        links = []
        notes.append("The links to muscle are for adults who are not pregnant; none is given here.")
    if mild and not all(firm(policy, one) for one in links) and not draw.holds("unless", policy["single_mild"]["unless"]):
        links = [one for one in links if firm(policy, one)]
        notes.append(policy["single_mild"]["note"])
    items = (
        tuple(m for m in matches if m.certainty in ("likely", "possible")),
        tuple(m for m in matches if m.certainty == "cannot_tell"),
        _on_sets(effects(Panel(book, (), NO_ANSWERS), links)),
        _on_sets(advice(links)),
    )
    return Meaning(items, tuple(notes), cautions, {})


def _on_sets(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(item._replace(because=frozenset(item.because)) for item in items)
