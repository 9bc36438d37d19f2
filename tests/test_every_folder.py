"""Every folder of real data is read whole, and docs/real-data.md says what came of it.

Where ../shared/data is absent this is skipped. `python -m tests.folders --write` writes the page anew.
"""

from __future__ import annotations

from functools import cache

import pytest
from tests import folders
from tests.test_real_data import SHARED, needs_shared


@cache
def lines() -> list[str]:
    return folders.PAGE.read_text("utf-8").splitlines()


@cache
def read(folder: str) -> folders.Read:
    return folders.read(folder)


@needs_shared("that every folder has its place")
def test_no_folder_is_left_out() -> None:
    assert {path.name for path in SHARED.iterdir() if path.is_dir()} == {*folders.FOLDERS, *folders.NO_RESULTS}


@needs_shared("624,000 results in 13 folders")
@pytest.mark.parametrize("folder", folders.FOLDERS)
def test_a_folder_is_read_as_the_page_says(folder: str) -> None:
    """Files, results, recognised, assessed and each reason; every result has one answer."""
    one = read(folder)
    assert one.results == one.assessed + one.reasons.total()
    assert folders.counted(one) in lines()


@needs_shared("printed flags of five folders")
@pytest.mark.parametrize("folder", [folder for folder in folders.FOLDERS if not folder.startswith(("nhanes", "brinda", "omop"))])
def test_printed_flags_are_reproduced_as_the_page_says(folder: str) -> None:
    """At least 98 in 100 rows with a plain range, and each difference stands on the page by name."""
    one = read(folder)
    if one.plain:
        assert folders.compared(one) in lines()
    assert one.reproduced >= 0.98 * one.flagged
    assert [line for line in folders.differing(one) if line not in lines()] == []


@needs_shared("four folders of units, names and codebooks")
@pytest.mark.parametrize("folder", folders.NO_RESULTS)
def test_a_folder_without_results_is_told(folder: str) -> None:
    assert f"- **{folder}**: {folders.LISTS[folder]()}" in lines()


def test_the_totals_are_those_of_the_rows() -> None:
    """The page as it is committed adds up, wherever it is read."""
    first = lines()[: lines().index("## Printed ranges and printed flags")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in first if line.count("|") == 7]
    table = [row for row in rows if row[0] in folders.FOLDERS]
    (total,) = [row for row in rows if row[0] == "all"]
    assert len(table) == len(folders.FOLDERS)
    assert [sum(int(row[at].replace(",", "")) for row in table) for at in range(1, 5)] == [
        int(cell.replace(",", "")) for cell in total[1:5]
    ]
