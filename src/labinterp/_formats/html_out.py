"""Reports -> one page of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from labinterp._catalog import Catalog
from labinterp._intake import PanelIn, Source
from labinterp._report import Report
from labinterp.errors import InputError
from labinterp.html import page


def write(source: Source, reports: Sequence[Report], catalog: Catalog, language: str = "en") -> bytes:
    """A page about all people of a source, each draw with its day.

    Args:
        source: What was read.
        reports: One for each panel, in order.
        catalog: The data they were made with.
        language: Of the page.

    Raises:
        InputError: There are no results, or no words of that language.
    """
    if not reports:
        raise InputError("the file holds no results; a page needs at least one")
    return page(list(reports), catalog, language=language, days=[_day(panel) for panel in source.panels]).encode()


def _day(panel: PanelIn) -> date | None:
    return next((one.collected_at for one in panel.results if one.collected_at is not None), None)
