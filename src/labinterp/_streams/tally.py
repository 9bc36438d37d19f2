"""Answers of a long run, batch by batch -> how many rows each analyte and band has, and which spellings were refused.

Memory is bounded: the answers are closed lists, and of the spellings only the frequent ones are kept.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from labinterp._frames.texts import as_text

# Which column a refusal is about. Only what a laboratory writes is shown: names of tests, units and values.
_ABOUT = {
    "unknown_unit": "unit", "incompatible_unit": "unit", "unreadable_value": "value", "ambiguous_number": "value", "implausible": "value",
}  # fmt: skip
_COUNTED = ("analyte", "band", "code")
_NO_WORD = 0xFFFF_FFFF
_SHOWN = 10
_MOST = 20_000  # spellings of one reason that are counted at a time
_GATHERED, _FRAMES = 200_000, 50  # refused rows that are counted in one go, and frames of them: each holds on to the text of its batch
_LONG = 60
_ONE_BY_ONE = "Rows were answered one by one: a raised CRP in one makes no ferritin in another inflamed, and facts of a person count where they stand."


class Spellings:
    """Counts texts, exactly up to a bound; beyond it the rare ones go, and a count may be too low by `short` at most."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.short = 0

    def add(self, texts: pl.DataFrame) -> None:
        """Add texts and their counts."""
        if texts.height > _MOST:
            texts = texts.sort("len", descending=True)
            self.short += int(texts["len"][_MOST])
        for text, count in texts.head(_MOST).iter_rows():
            self.counts[_printable(text)] += count
        if len(self.counts) > _MOST:
            kept = self.counts.most_common(_MOST // 2 + 1)
            self.short += kept[-1][1]
            self.counts = Counter(dict(kept[:-1]))


class Tally:
    """What came of the rows so far; batches may be added from several threads.

    Attributes:
        rows: How many were answered or are blank.
        blank: Lines with nothing in them.
    """

    def __init__(self) -> None:
        self.rows = self.blank = 0
        self._lock = threading.Lock()
        self._answers: Counter[tuple[str | None, str, str]] = Counter()
        self._refused: Counter[str] = Counter()
        self._spellings: dict[str, Spellings] = {}
        self._gathered: list[pl.DataFrame] = []

    def add(
        self, answers: pl.DataFrame | Mapping[str, pl.Series], columns: Mapping[str, pl.Series], blank: pl.Series | None = None
    ) -> None:
        """Count a batch.

        Args:
            answers: The answer columns, by their names without a prefix.
            columns: Role -> column, as they were read.
            blank: Which rows have nothing in them.
        """
        words = pl.DataFrame([answers[name].alias(name) for name in (*_COUNTED, "reason")])
        numbers = words.select_seq([pl.col(name).to_physical().cast(pl.UInt32).fill_null(_NO_WORD) for name in words.columns])
        found = _counted(words, numbers)
        refused = _refused(words["reason"], numbers["reason"].to_numpy(), columns)
        with self._lock:
            self.rows += len(answers["code"])
            self.blank += 0 if blank is None else int(blank.sum())
            self._gathered.extend(refused)
            if len(self._gathered) > _FRAMES or sum(frame.height for frame in self._gathered) > _GATHERED:
                self._count_gathered()
            for (analyte, band, code), count in found:
                self._answers[analyte, band or code, code] += count

    def _count_gathered(self) -> None:
        """Spellings are counted for many rows at a time."""
        if not self._gathered:
            return
        rows, self._gathered = pl.concat(self._gathered), []
        for (reason,), texts in rows.group_by("reason", "text").len().group_by("reason"):
            self._refused[reason] += int(texts["len"].sum())
            self._spellings.setdefault(str(reason), Spellings()).add(texts.select("text", "len"))

    def document(self) -> dict[str, Any]:
        """Everything counted, as plain data; the words and order of `_summary.counts`, and more."""
        with self._lock:
            self._count_gathered()
        normal = sum(count for (_, _, code), count in self._answers.items() if code == "N")
        indeterminate = sum(count for (_, _, code), count in self._answers.items() if code == "IND")
        bands: dict[str, dict[str, int]] = {}
        for (analyte, band, _), count in sorted(self._answers.items(), key=lambda item: (str(item[0][0]), -item[1], item[0][1])):
            of = bands.setdefault(str(analyte), {})
            of[band] = of.get(band, 0) + count
        return {
            "rows": self.rows - self.blank,
            "flagged": self._answers.total() - normal - indeterminate,
            "normal": normal,
            "indeterminate": indeterminate,
            "not_assessed": self._refused.total(),
            "reasons": dict(_ordered(self._refused)),
            "blank_lines": self.blank,
            "bands": bands,
            "spellings": {word: self._listed(word) for word, _ in _ordered(self._refused)},
        }

    def _listed(self, reason: str) -> dict[str, Any]:
        of = self._spellings[reason]
        listed = [{"text": text, "rows": count} for text, count in _ordered(of.counts)[:_SHOWN]]
        return {"of": _ABOUT.get(reason, "test"), "too_low_by_at_most": of.short, "most_frequent": listed}


def _counted(words: pl.DataFrame, numbers: pl.DataFrame) -> list[tuple[tuple[Any, ...], int]]:
    """How often each combination of closed words occurs, of those with a code."""
    known = [[*words[name].dtype.categories.to_list(), None] for name in _COUNTED]  # type: ignore[attr-defined]
    keys: Any = 0
    for name, listed in zip(_COUNTED, known, strict=True):
        keys = keys * len(listed) + np.minimum(numbers[name].to_numpy(), np.uint32(len(listed) - 1))
    counts = np.bincount(keys)
    found = []
    for key in np.flatnonzero(counts).tolist():
        parts = [listed[at] for listed, at in zip(known, np.unravel_index(key, [len(listed) for listed in known]), strict=True)]
        if parts[-1] is not None:
            found.append((tuple(parts), int(counts[key])))
    return found


def _refused(reason: pl.Series, numbers: Any, columns: Mapping[str, pl.Series]) -> list[pl.DataFrame]:
    """Reasons of the rows without an answer, and the spelling each is about."""
    places = np.flatnonzero(numbers != _NO_WORD)
    if not places.size:
        return []
    roles = ("test", "unit", "value")
    about = np.array([roles.index(_ABOUT.get(word, "test")) for word in reason.dtype.categories])  # type: ignore[attr-defined]
    each = about.take(numbers.take(places))
    found = []
    for number, role in enumerate(roles):
        here = pl.Series(places[each == number])
        if len(here):
            texts = as_text(columns[role].gather(here)) if role in columns else pl.repeat(None, len(here), dtype=pl.String, eager=True)
            found.append(pl.DataFrame({"reason": reason.gather(here), "text": texts}))
    return found


def _ordered(counts: Counter[str]) -> list[tuple[str, int]]:
    """The most frequent first; the same order on every run."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _printable(text: str | None) -> str:
    """A spelling as it can stand in a line of a terminal."""
    text = (text or "")[: _LONG + 1]
    shown = "".join(c if c.isprintable() else " " for c in text)
    return shown if len(shown) <= _LONG else shown[: _LONG - 1] + "…"


def lines(document: Mapping[str, Any]) -> list[str]:
    """What `Tally.document` says: the counts as `summary_line` has them, rows per analyte and band, refusals and their spellings.

    Example:
        >>> lines(Tally().document())[0]
        '0 rows: 0 flagged, 0 normal, 0 indeterminate, 0 not assessed'
    """
    reasons = ", ".join(f"{word} {count}" for word, count in document["reasons"].items())
    counted = ", ".join(f"{document[name]} {name.replace('_', ' ')}" for name in ("flagged", "normal", "indeterminate", "not_assessed"))
    said = [f"{document['rows']} rows: {counted}{f' ({reasons})' if reasons else ''}", _ONE_BY_ONE]
    if document["blank_lines"]:
        said.append(f"{document['blank_lines']:,} blank lines are kept as empty rows.")
    width = max(map(len, (*document["bands"], *document["reasons"])), default=0)
    for analyte, bands in document["bands"].items():
        said.append(f"  {analyte:{width}}  {', '.join(f'{band} {count:,}' for band, count in bands.items())}")
    if document["reasons"]:
        said.append("not assessed")
    for reason, count in document["reasons"].items():
        of = document["spellings"][reason]
        texts = ", ".join(f"'{one['text']}' {one['rows']:,}" for one in of["most_frequent"])
        short = f" (each perhaps up to {of['too_low_by_at_most']:,} more)" if of["too_low_by_at_most"] else ""
        said.append(f"  {reason:{width}}  {count:,}; {of['of']}: {texts}{short}")
    return said
