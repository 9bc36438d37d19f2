"""The cases in `tests/cases`: results with the answers their sources give."""

from __future__ import annotations

from pathlib import Path

import pytest

from labinterp import Catalog
from labinterp.errors import InputError
from labinterp.testing import Case, answer, read_cases, run_cases

FILES = sorted(p for p in (Path(__file__).parent / "cases").glob("*.toml") if p.stem != "units")


def wrong(case: Case, catalog: Catalog) -> list[str]:
    """What a case expects and does not get, one line each."""
    got = answer(case, catalog)
    return [f"{case.place} ({case.why}): {k} is {got.get(k)!r}, not {v!r}" for k, v in case.expect.items() if got.get(k) != v]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_case_has_the_answer_of_its_source(path: Path) -> None:
    """Each case of a file is answered as its source says; all failures of the file are listed."""
    catalog = Catalog.default()
    failures = [line for case in read_cases(path, catalog) for line in wrong(case, catalog)]
    assert not failures, "\n" + "\n".join(failures)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_case_asked_again_has_the_same_answer(path: Path) -> None:
    """What a catalog remembers changes no answer: the second reading of a file agrees with its source too."""
    catalog = Catalog(Catalog.default().table, Catalog.default().root)
    cases = list(read_cases(path, catalog))
    for case in cases:
        answer(case, catalog)
    failures = [line for case in cases for line in wrong(case, catalog)]
    assert not failures, "\n" + "\n".join(failures)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_case_expects_something(path: Path) -> None:
    """No case passes because it asks for nothing."""
    assert all(case.expect for case in read_cases(path, Catalog.default()))


def test_run_cases_tells_a_wrong_answer_with_its_place(tmp_path: Path) -> None:
    """A hospital that runs its own cases is told which one fails, what was expected and what came."""
    path = tmp_path / "ferritin.toml"
    path.write_text(
        '[[case]]\nwhy = "wrong on purpose"\nresult = "5 ug/L"\npatient = { sex = "male", age_years = 40 }\nexpect = { code = "H" }\n'
    )
    (failure,) = run_cases(path)
    assert str(failure) == "ferritin case 1: wrong on purpose\n  expected {'code': 'H'}\n  got      {'code': 'L'}"


def test_run_cases_refuses_a_file_that_is_not_toml(tmp_path: Path) -> None:
    """A cases file that cannot be read is an InputError that names the file."""
    path = tmp_path / "ferritin.toml"
    path.write_text("[[case]\n")
    with pytest.raises(InputError, match=r"ferritin\.toml"):
        run_cases(path)
