"""The page on the 86 claims the project started from: each is there once, and says where it stands or why not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labinterp import Catalog

PAGE = Path(__file__).resolve().parents[1] / "docs" / "claims.md"
CLAIMS = [f"A{n:02}" for n in range(1, 45)] + [f"N{n:02}" for n in range(1, 43)]
ROW = re.compile(r"^\| ([AN]\d\d) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
ID = re.compile(r"`([a-z0-9_]+/[a-z0-9._-]+)`")
STANDS = ("said", "said weaker", "not said")


@pytest.fixture(scope="module")
def rows() -> list[tuple[str, str, str, str]]:
    """The rows of the page's tables."""
    return ROW.findall(PAGE.read_text("utf-8"))


@pytest.fixture(scope="module")
def ids() -> set[str]:
    """Every id the page may refer to."""
    table = Catalog.default().table
    links = {item["id"] for c in table["conditions"].values() for kind in ("links", "suppress") for item in c.get(kind, ())}
    kinds = {"condition": "conditions", "pattern": "patterns", "effect": "effects", "mechanism": "mechanisms"}
    named = {f"{kind}/{id}" for kind, key in kinds.items() for id in table[key]}
    policy = {f"policy/{key}" for key in ("standing", "disclaimer", "treatment_words", "certainty_words", "verbs")}
    return links | named | policy


def test_every_claim_is_there_once_and_in_order(rows: list[tuple[str, str, str, str]]) -> None:
    """All 86 claims, none twice."""
    assert [row[0] for row in rows] == CLAIMS


def test_every_claim_says_how_it_stands(rows: list[tuple[str, str, str, str]]) -> None:
    """A claim that a report makes names where; one that no report makes says why."""
    for claim, _, stands, where in rows:
        assert stands in STANDS, claim
        if stands == "not said":
            assert len(ID.sub("", where).split()) >= 6, f"{claim}: the reason is missing"
        else:
            assert ID.search(where), f"{claim}: where it stands is missing"


def test_every_id_of_the_page_exists(ids: set[str]) -> None:
    """No id on the page names something that is not in the catalog."""
    assert not sorted(set(ID.findall(PAGE.read_text("utf-8"))) - ids)
