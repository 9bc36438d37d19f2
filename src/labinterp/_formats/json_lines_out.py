"""Reports -> JSON Lines: one report a line, in the published form."""

from __future__ import annotations

from collections.abc import Sequence

from labinterp._catalog import Catalog
from labinterp._intake import Source
from labinterp._report import Report


def write(source: Source, reports: Sequence[Report], catalog: Catalog) -> bytes:
    """One line for each panel, in the order of the source.

    Args:
        source: What was read.
        reports: One for each of its panels.
        catalog: The data they were made with.
    """
    return "".join(f"{report.to_json()}\n" for report in reports).encode("utf-8", "replace")
