"""A short slice of the fuzzing of every form, always the same. `python -m tests.fuzz` runs longer."""

from __future__ import annotations

import pytest
from tests import fuzz

# Inputs of each form: about a second of each.
COUNTS = {
    "csv": 60,
    "wide": 25,
    "json": 250,
    "fhir": 60,
    "fhir xml": 60,
    "hl7v2": 90,
    "omop": 40,
    "nhanes": 8,
    "xpt": 120,
    "xlsx": 10,
    "parquet": 60,
    "gzip": 300,
}


@pytest.mark.parametrize("form", fuzz.FORMS)
def test_files_of_a_form_end_in_answers_or_in_a_reason(form: str) -> None:
    """Made up, damaged and rearranged: no exception but ours, an answer for each result, ways back that lead back, nobody's text told."""
    for package in {"xlsx": ("xlsxwriter", "python_calamine"), "parquet": ("polars",), "xpt": ("pyreadstat",)}.get(form, ()):
        pytest.importorskip(package)
    tally = fuzz.run(form, 7, count=COUNTS[form])
    assert tally.runs == COUNTS[form]
    assert {key: text for key, (_, text) in tally.broken.items()} == {}


def test_the_fuzzing_finds_what_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that raises another error, or tells a cell in its own, is found."""
    from labinterp.errors import InputError

    def failing(*_: object) -> None:
        raise KeyError("x")

    def telling(*_: object) -> None:
        raise InputError(f"the row of {fuzz.CANARY} is odd")

    for reader, said in ((failing, "KeyError"), (telling, "tells a text")):
        monkeypatch.setattr(fuzz, "read_pieces", reader)
        tally = fuzz.run("hl7v2", 1, count=3)
        assert tally.ends["broken"] == 3
        assert said in "".join(text for _, text in tally.broken.values())
