"""Reports -> a file in a form that other programs read. One module a form, loaded at first use."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Final

from labinterp._catalog import Catalog
from labinterp._intake import Source
from labinterp._report import Report
from labinterp.errors import InputError

# Where the writer of each form lives: `write(source, reports, catalog) -> bytes`; reports in the order of the source's panels.
_WRITERS: Final[dict[str, str]] = {
    "fhir": "fhir_out",
    "hl7v2": "hl7_out",
    "html": "html_out",
    "omop": "omop_out",
    "jsonl": "json_lines_out",
    "xlsx": "workbook_out",
    "parquet": "parquet_out",
}
FORMS: Final = tuple(_WRITERS)


def written(form: str, source: Source, reports: Sequence[Report], catalog: Catalog) -> bytes:
    """A file with the answers.

    Args:
        form: One of `FORMS`.
        source: What was read.
        reports: One for each panel of the source, in order.
        catalog: The data they were made with.

    Raises:
        InputError: There is no such form, or the source does not go into it.
    """
    if form not in _WRITERS:
        raise InputError(f"there is no form {form!r} to write; accepted: {', '.join(FORMS)}")
    data: bytes = import_module(f"labinterp._formats.{_WRITERS[form]}").write(source, reports, catalog)
    return data
