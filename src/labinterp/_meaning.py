"""What a draw means, before it is known which rows it rests on: analytes stand in their place, and each draw puts its own rows in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from sys import intern  # draws that mean something else share most sentences
from typing import Any, NamedTuple, cast

from labinterp._report import Advice, Effect, PatternMatch, Whole

Rows = Mapping[str, Sequence[int]]  # analyte -> the rows its results rest on

_encode = json.JSONEncoder().encode


class Meaning(NamedTuple):
    """What is said of a draw. Each `because` is a set of analytes.

    Attributes:
        items: Patterns, open questions, effects, advice, as they stand in a `Whole`.
        notes: What a reader of the report must know of them.
        cautions: The gates of cautions that hold, by their ids.
        memo: The rendered text.
    """

    items: tuple[tuple[PatternMatch, ...], tuple[PatternMatch, ...], tuple[Effect, ...], tuple[Advice, ...]]
    notes: tuple[str, ...]
    cautions: frozenset[int]
    memo: dict[str, Any]

    def with_rows(self, rows: Rows) -> tuple[Any, Any, Any, Any]:
        """The items of one draw, each with the rows of its analytes."""
        found: dict[Any, tuple[int, ...]] = {}

        def put(item: Any) -> Any:
            because = found.get(item.because)
            if because is None:
                because = found[item.because] = rows_behind(item.because, rows)
            return item._replace(because=because)

        first, second, third, fourth = (tuple(map(put, items)) for items in self.items)
        return first, second, third, fourth

    def json(self, rows: Rows) -> str:
        """JSON text of the items of one draw, without the braces around it."""
        texts, holes = self.memo.get("json") or self.memo.setdefault("json", _pieces(self))
        pieces = [texts[0]]
        for hole, text in zip(holes, texts[1:], strict=True):
            pieces += (str(list(rows_behind(hole, rows))), text)
        return "".join(pieces)


def rows_behind(analytes: Iterable[str], rows: Rows) -> tuple[int, ...]:
    """The rows of some analytes, ascending; a row that two of them rest on stands once."""
    return tuple(sorted({row for analyte in analytes for row in rows[analyte]}))


def _pieces(meaning: Meaning) -> tuple[list[str], list[frozenset[str]]]:
    """The rendered text, cut where rows stand, and the analytes whose rows they are."""
    texts, holes, text = list[str](), list[frozenset[str]](), ""
    for name, items in zip(Whole._fields, meaning.items, strict=False):
        text += f'{", " if text or texts else ""}"{name}": ['
        for number, item in enumerate(cast("tuple[Advice, ...]", items)):
            plain = item.to_dict()
            names = list(plain)
            at = names.index("because")
            before = _encode({key: plain[key] for key in names[:at]})[:-1]
            texts.append(intern(f'{text}{", " if number else ""}{before}, "because": '))
            holes.append(plain["because"])
            behind = {key: plain[key] for key in names[at + 1 :]}
            text = f", {_encode(behind)[1:]}" if behind else "}"
        text += "]"
    texts.append(intern(text))
    return texts, holes
