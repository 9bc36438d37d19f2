"""What a notebook and a prompt show: short reprs, rich displays, tidy frames, names for the tab key."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from tests.test_html import GOLDEN, Parsed, golden

import labinterp as li
from labinterp._pages.tidy import BANDS, RESULTS
from labinterp.errors import InputError, MissingExtraError

RESULTS_OF = {"vitamin D": "18 ng/mL", "B12": "<400 pg/mL", "odd one": "1", "Mg": "0.35 mmol/L", "creatinine": "0.9 mg/dL"}


@pytest.fixture(scope="module")
def report() -> li.Report:
    return li.interpret(RESULTS_OF, li.Patient(id="A", sex="female", age_years=71))


def test_a_repr_is_short_and_says_what_it_is(report: li.Report) -> None:
    """One line each; nothing of a person's text in it, which might end in a log."""
    assert repr(report) == f"<Report: 3 findings, 2 outside their lines, 2 not assessed, 1 red flag; catalog {report.catalog}>"
    assert repr(report.findings[0]) == "<Finding row 1: vitamin_d 18 ng/mL: L, inadequate (vitamin_d/nam-2011)>"
    assert repr(report.findings[1]) == "<Finding row 2: vitamin_b12 <400 pg/mL: IND, several bands (vitamin_b12/nice-ng239-2024)>"
    assert repr(report.not_assessed[0]) == "<NotAssessed row 3: no analyte: unknown_analyte>"
    assert repr(li.Catalog.default().analytes["iron"]).startswith("<Analyte iron: Iron; umol/L, ")
    assert "odd one" not in repr(report.not_assessed)


def test_the_tab_key_offers_what_a_reader_looks_for(report: li.Report) -> None:
    """The fields and methods, and not those of a tuple or of the inside."""
    analyte = li.Catalog.default().analytes["iron"]
    for item in (report, report.findings[0], report.not_assessed[0], analyte):
        assert {"to_dict", *type(item)._fields} <= set(dir(item))
        assert not {"count", "index"} & set(dir(item))
    assert {"alerts", "effects", "to_html", "to_frame", "finding"} <= set(dir(report))
    assert {"analytes", "authorities", "to_frame", "version"} <= set(dir(li.Catalog.default()))
    assert not {"memo", "learned", "remember", "learn"} & set(dir(li.Catalog.default()))


def test_a_report_is_shown_whole(report: li.Report) -> None:
    """Each result with code, word and meaning, each refusal with its reason, alerts, what they are linked to, the disclaimer."""
    found = Parsed(report._repr_html_() or "").text
    for answer in report.rows():
        assert answer.source_name in found
    for text in (
        "LL critically low",
        "some at risk of inadequacy",
        "The test was not recognised",
        report.alerts[0].text,
        report.disclaimer,
    ):
        assert text in found
    assert report.derived[0].name in found
    assert all(effect.name in found for effect in report.effects)


@pytest.mark.parametrize("folder", GOLDEN, ids=lambda p: p.name)
def test_a_display_is_sound(folder: Path) -> None:
    """Each part of each panel has a small display with closed elements and no identifier that could meet another's."""
    report = golden(folder)
    for item in (report, *report.findings, *report.not_assessed, *report.derived):
        text = item._repr_html_() or ""
        assert not [attrs for _, attrs in Parsed(text).elements if "id" in attrs]
        assert 500 < len(text) < 20_000


def test_a_long_report_is_cut_openly() -> None:
    """A notebook shows the first results and how many there are more."""
    report = li.interpret([li.LabResult("Ferritin", n, "ug/L") for n in range(20, 80)], li.Patient(sex="female", age_years=71))
    assert "20 more" in (report._repr_html_() or "")


def test_catalog_and_analyte_are_shown() -> None:
    """The catalog lists its analytes; an analyte its units, codes and limit sets."""
    catalog = li.Catalog.default()
    text = Parsed(catalog._repr_html_() or "").text
    assert all(analyte.name in text for analyte in catalog.analytes.values())
    one = catalog.analytes["vitamin_d"]
    text = Parsed(one._repr_html_() or "").text
    assert all(id in text for id in (*one.units, *one.loinc, *one.limits, *one.no_limit))


# --- frames ----------------------------------------------------------------------------------------------------


def rows(frame: Any) -> list[dict[str, Any]]:
    """The rows of a frame as plain data; what is missing is None."""
    listed = frame.to_dicts() if isinstance(frame, pl.DataFrame) else frame.astype(object).to_dict("records")
    return [{name: None if value is None or value is pd.NA or value != value else value for name, value in row.items()} for row in listed]


@pytest.mark.parametrize("engine", ["polars", "pandas"])
@pytest.mark.parametrize("folder", GOLDEN, ids=lambda p: p.name)
def test_a_frame_says_what_the_report_says(engine: str, folder: Path) -> None:
    """One row for each finding, refusal and derived quantity, with what `to_dict` says of it."""
    report = golden(folder)
    got = rows(report.to_frame(engine))
    assert [row["part"] for row in got].count("derived") == len(report.derived)
    assert len(got) == len(report.findings) + len(report.not_assessed) + len(report.derived)
    for answer, row in zip([*report.rows(), *report.derived], got, strict=True):
        said = answer.to_dict()
        assert row["part"] == ("not_assessed" if isinstance(answer, li.NotAssessed) else "derived" if answer.derived_from else "finding")
        for name in set(said) & set(RESULTS):
            assert row[name] == said[name], name
        if not isinstance(answer, li.NotAssessed):
            assert (row["si_value"], row["si_unit"]) == (said["si"]["value"], said["si"]["unit"])
            for name, value in (said["reported"] or {}).items():
                assert row[f"reported_{name}"] == value
            assert row["reason"] is None


@pytest.mark.parametrize("engine", ["polars", "pandas"])
def test_an_empty_report_has_the_same_columns(engine: str, report: li.Report) -> None:
    """Columns and their types do not depend on what was found."""
    full, empty = report.to_frame(engine), li.interpret({}).to_frame(engine)
    assert len(empty) == 0
    assert list(full.columns) == list(empty.columns) == list(RESULTS)
    assert list(full.dtypes) == list(empty.dtypes)


@pytest.mark.parametrize("engine", ["polars", "pandas"])
def test_the_catalog_as_a_frame(engine: str) -> None:
    """Every band of every population is a row; bands of a population meet, and a line belongs to one side of it."""
    catalog = li.Catalog.default()
    got = rows(catalog.to_frame(engine))
    assert list(got[0]) == list(BANDS)
    assert len(got) == sum(len(p["bands"]) for one in catalog.table["limits"].values() for p in one["populations"])
    for one, other in itertools.pairwise(got):
        if other["low"] is not None:
            assert (one["high"], one["high_inside"]) == (other["low"], not other["low_inside"])
    nam = [row for row in got if row["limits"] == "vitamin_d/nam-2011"]
    assert [(r["band"], r["low"], r["low_inside"], r["high"], r["high_inside"]) for r in nam] == [
        ("deficient", None, None, 30, False), ("inadequate", 30, True, 50, False), ("adequate", 50, True, 125, True), ("high", 125, False, None, None),
    ]  # fmt: skip
    assert all(row["default"] for row in nam)


def test_which_engine(report: li.Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """polars where it is installed, else pandas, else a hint; another name is refused."""
    assert isinstance(report.to_frame(), pl.DataFrame)
    with pytest.raises(InputError, match="'polars' or 'pandas'"):
        report.to_frame("spark")
    monkeypatch.setitem(sys.modules, "polars", None)
    assert isinstance(report.to_frame(), pd.DataFrame)
    with pytest.raises(MissingExtraError):
        report.to_frame("polars")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r'pip install "labinterp\[dataframes\]"'):
        report.to_frame()


def test_displays_load_nothing_before_they_are_asked(tmp_path: Path) -> None:
    """An answer, its JSON and its repr load no template engine and no frame library."""
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(li.Catalog.default().table), "utf-8")
    code = """
import json, sys, labinterp as li
report = li.interpret({"vitamin D": "18 ng/mL"}, catalog=li.Catalog(json.load(open(sys.argv[1], encoding="utf-8"))))
report.to_json(), repr(report), repr(report.findings), dir(report)
print(sorted({"jinja2", "markupsafe", "polars", "pandas"} & set(sys.modules)), [n for n in sys.modules if n.startswith("labinterp._pages")])
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "[] []\n"
