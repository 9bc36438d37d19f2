"""Data files with something wrong in them: every problem is told, with its file and place, and all of them at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from labinterp import Catalog, Patient, assess
from labinterp._checks import check_directory
from labinterp._files import Problem
from labinterp.errors import CatalogError

DATA = Path(__file__).resolve().parents[1] / "reference_ranges"
D, SACN = "analytes/vitamin_d.toml", "limits 'vitamin_d/sacn-2016'"


class Break(NamedTuple):
    """One edit, and where and how it must be told."""

    name: str
    file: str
    old: str
    new: str
    told_in: str
    place: str
    text: str


# fmt: off
BREAKS = [
    Break("gap", D, 'code = "L", below = 25, ', 'code = "L", below = 24, ', D, f"{SACN} > 'population of the United Kingdom' > bands", "belong to no band"),
    Break("overlap", D, 'code = "L", below = 25, ', 'code = "L", below = 26, ', D, f"{SACN} > 'population of the United Kingdom' > bands", "overlap"),
    Break("no upper end", D, 'code = "N", at_least = 25, ', 'code = "N", at_least = 25, below = 90, ', D, SACN, "nothing covers the values above 'protective'"),
    Break("order of codes", D, 'key = "below_protective", code = "L"', 'key = "below_protective", code = "H"', D, SACN, "has a lower code"),
    Break("two words for one end", D, 'code = "L", below = 25, ', 'code = "L", below = 25, at_most = 25, ', D, SACN, "'below' and 'at_most' are both given"),
    Break("unknown citation", D, 'source = "sacn-2016"', 'source = "sacn-2061"', D, "'vitamin_d/sacn-2016'", "'sacn-2061' is not among [sources]"),
    Break("missing locator", D, 'source = "sacn-2016", locator = "p. 115, paragraphs 6.374-6.376"', 'source = "sacn-2016"', D, f"{SACN} > cite 1 > locator", "Field required"),
    Break("empty locator", D, 'locator = "p. 115, paragraphs 6.374-6.376"', 'locator = " "', D, "'vitamin_d/sacn-2016'", "says no place"),
    Break("unused source", "sources.toml", "[sources.sacn-2016]", '[sources.nobody]\norganisation = "N"\ntitle = "N"\ntype = "page"\nseen = "page"\n\n[sources.sacn-2016]', "sources.toml", "nobody", "nothing cites this source"),
    Break("unknown authority", D, 'authority = "sacn"', 'authority = "sacm"', D, "'vitamin_d/sacn-2016'", "'sacm' is not among [authorities]"),
    Break("name of two analytes", D, 'other = ["D-vitamin"', 'other = ["Ferritin", "D-vitamin"', D, "identity > names", "'Ferritin' already means ferritin"),
    Break("code of two analytes", D, 'code    = "62292-8"', 'code    = "2276-4"', D, "identity > loinc", "LOINC 2276-4 already means"),
    Break("unit typo", D, 'in_force  = { from = 2016-01-01 }\nunit      = "nmol/L"', 'in_force  = { from = 2016-01-01 }\nunit      = "nmol/l"', D, f"{SACN} > unit", "'nmol/l' is not in units.toml"),
    Break("unit that does not convert", D, 'in_force  = { from = 2016-01-01 }\nunit      = "nmol/L"', 'in_force  = { from = 2016-01-01 }\nunit      = "%"', D, f"{SACN} > unit", "does not convert"),
    Break("slip in a pair", D, '[125, 50]] }   # the source', '[125, 5]] }   # the source', D, "limits 'vitamin_d/nam-2011' > also_in > 'ng/mL'", "by the molar mass, not 5"),
    Break("line without its pair", D, ', [125, 50]] }   # the source', '] }   # the source', D, "limits 'vitamin_d/nam-2011' > also_in > 'ng/mL'", "the line 125 nmol/L has no pair"),
    Break("id twice", D, '"vitamin_d/sacn-2016"', '"vitamin_d/nos-2013"', D, "'vitamin_d/nos-2013'", "already stands in analytes/vitamin_d.toml"),
    Break("id of another analyte", D, '"vitamin_d/sacn-2016"', '"vitamin_e/sacn-2016"', D, "'vitamin_e/sacn-2016'", "does not start with 'vitamin_d/'"),
    Break("unknown default", D, 'default = "vitamin_d/nam-2011"', 'default = "vitamin_d/nam-2012"', D, "default", "'vitamin_d/nam-2012' is no limit set"),
    Break("unknown successor", D, 'superseded_by = "vitamin_d/ros-2018"', 'superseded_by = "vitamin_d/ros-2019"', D, "limits 'vitamin_d/nos-2013' > superseded_by", "is no limit set"),
    Break("ends before it starts", D, "from = 2013-01-01, until = 2018-01-01", "from = 2018-01-01, until = 2013-01-01", D, "limits 'vitamin_d/nos-2013' > in_force", "ends before it starts"),
    Break("two sets at one time", D, "from = 2013-01-01, until = 2018-01-01", "from = 2013-01-01", D, "limits 'vitamin_d/nos-2013'", "'vitamin_d/ros-2018' is of the same authority, at the same time"),
    Break("populations overlap", D, "age_years = { below = 18 }", "age_years = { below = 19 }", D, "limits 'vitamin_d/arup'", "'under 18 years' and '18 years and over' overlap"),
    Break("silence about pregnancy", D, 'who      = "population of the United Kingdom"\npregnant = "no"', 'who      = "population of the United Kingdom"', D, f"{SACN} > populations 'population of the United Kingdom' > pregnant", "Field required"),
    Break("unknown key", D, 'id        = "vitamin_d/sacn-2016"', 'id        = "vitamin_d/sacn-2016"\njudgment  = "x"', D, f"{SACN} > judgment", "Extra inputs are not permitted"),
    Break("TOML syntax", D, "[identity.names]", "[identity.names", D, "", "this is not TOML"),
    Break("key twice", D, 'id      = "vitamin_d"', 'id      = "vitamin_d"\nid      = "vitamin_d"', D, "", "this is not TOML"),
    Break("id not the file's name", D, 'id      = "vitamin_d"', 'id      = "vitamin_e"', D, "id", "'vitamin_e' is not the file's name"),
    Break("unknown band in a gate", "conditions/vitamin_d_deficiency.toml", 'limits = "vitamin_d/ros-2018", bands = ["deficient"]', 'limits = "vitamin_d/ros-2018", bands = ["very_low"]', "conditions/vitamin_d_deficiency.toml", "vitamin_d_deficiency/", "vitamin_d/ros-2018 has no band 'very_low'"),
    Break("unknown set in a gate", "conditions/vitamin_d_deficiency.toml", 'limits = "vitamin_d/ros-2018"', 'limits = "vitamin_d/ros-2019"', "conditions/vitamin_d_deficiency.toml", "vitamin_d_deficiency/", "limits 'vitamin_d/ros-2019' does not exist"),
    Break("unknown effect", "conditions/vitamin_d_deficiency.toml", 'effect        = "muscle_weakness"', 'effect        = "weak_muscles"', "conditions/vitamin_d_deficiency.toml", "links 'vitamin_d_deficiency/muscle-weakness'", "the effect 'weak_muscles' is not in effects.toml"),
    Break("unknown mechanism", "conditions/vitamin_d_deficiency.toml", '"vdr_signalling"', '"vdr_singing"', "conditions/vitamin_d_deficiency.toml", "links 'vitamin_d_deficiency/", "the mechanism 'vdr_singing' is not in mechanisms.toml"),
    Break("unknown input of a pattern", "patterns/iron_deficiency.toml", 'inputs = ["ferritin"', 'inputs = ["ferritine"', "patterns/iron_deficiency.toml", "inputs", "'ferritine' is no analyte"),
    Break("gate of no form", "patterns/iron_deficiency.toml", 'inflammation       = { context = "inflammation" }', "inflammation       = { certainty = [\"likely\"] }", "patterns/iron_deficiency.toml", "tests > inflammation", "a gate has one form"),
    Break("you have", "effects.toml", "Less force than expected", "You have less force than expected", "effects.toml", "muscle_weakness", "must not say 'you have'"),
    Break("sarcopenia", "effects.toml", "Less force than expected", "Sarcopenia: less force than expected", "effects.toml", "muscle_weakness", "must not say 'sarcopenia'"),
    Break("causes", "effects.toml", "Less force than expected", "Age causes less force than expected", "effects.toml", "muscle_weakness", "'causes' is said without 'can'"),
    Break("no version", "VERSION", "as_of", "asof", "VERSION", "", "missing or not of its form"),
    Break("published id gone", "ids.txt", "vitamin_d/sacn-2016\n", "vitamin_d/sacn-2015\nvitamin_d/sacn-2016\n", "ids.txt", "vitamin_d/sacn-2015", "was published and is gone"),
]
# fmt: on
UNREADABLE = (
    "two words for one end",
    "missing locator",
    "silence about pregnancy",
    "unknown key",
    "TOML syntax",
    "key twice",
    "gate of no form",
    "no version",
)


def edit(root: Path, one: Break) -> None:
    text = (root / one.file).read_text("utf-8")
    assert one.old in text, f"nothing to break: {one.old!r} is not in {one.file} any more"
    (root / one.file).write_text(text.replace(one.old, one.new, 1), "utf-8")


def tells(problems: list[Problem], one: Break) -> bool:
    return any(p.file == one.told_in and p.path.find(one.place) >= 0 and one.text in p.text and p.next_step is not None for p in problems)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "data"))


@pytest.mark.parametrize("one", BREAKS, ids=lambda b: b.name.replace(" ", "-"))
def test_a_break_is_told_with_its_file_and_place(copy: Path, one: Break) -> None:
    """One edit to good data is a problem that names the file, the place in it, and what is wrong."""
    edit(copy, one)
    problems = check_directory(copy)
    assert tells(problems, one), [str(p) for p in problems]


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("effects.toml", lambda path: path.unlink()),
        ("analytes/ferritin.toml", lambda path: path.write_bytes(b"\xff\xfe\x00")),
    ],
    ids=["missing-file", "not-utf-8"],
)
def test_a_file_that_cannot_be_read_is_told(copy: Path, name: str, spoil: Callable[[Path], object]) -> None:
    """A missing file, and one that is not text, are problems of that file."""
    spoil(copy / name)
    assert name in {p.file for p in check_directory(copy)}


def test_all_problems_are_told_at_once(copy: Path) -> None:
    """Many edits in one copy are all told in one go, by the check and by the loader."""
    wanted, edited = [], set[str]()
    for one in BREAKS:
        if one.name in UNREADABLE or one.old in edited or one.text.startswith("'vitamin_e'"):
            continue
        if all(one.old not in other and other not in one.old for other in edited):
            edit(copy, one)
            wanted.append(one)
            edited.add(one.old)
    assert len(wanted) >= 18
    problems = check_directory(copy)
    assert not [one.name for one in wanted if not tells(problems, one)]
    with pytest.raises(CatalogError) as caught:
        Catalog.from_directory(copy)
    assert [str(p) for p in caught.value.problems] == [str(p) for p in problems]
    assert f"the catalog has {len(problems)} problems" in str(caught.value)


def test_problems_of_form_in_several_files_are_told_at_once(copy: Path) -> None:
    """Files that do not have their form do not hide each other."""
    several = [one for one in BREAKS if one.name in ("missing locator", "unknown key", "gate of no form", "no version")]
    for one in several:
        edit(copy, one)
    problems = check_directory(copy)
    assert not [one.name for one in several if not tells(problems, one)]


# --- a site's own limits -------------------------------------------------------------------------------------

SITE = """
schema  = 1
extends = "ferritin"
default = "ferritin/our-lab"

[[limits]]
id        = "ferritin/our-lab"
authority = "our-lab"
kind      = "reference_interval"
purpose   = "laboratory"
unit      = "ug/L"
printed   = "20-300"
cite      = [{ source = "our-sop", locator = "p. 1", checked = "primary" }]

[[limits.populations]]
who       = "adults"
age_years = { at_least = 18 }
pregnant  = "any"
bands     = [
  { key = "low",    code = "L", below = 20, label = "below our interval" },
  { key = "normal", code = "N", at_least = 20, at_most = 300, label = "within our interval" },
  { key = "high",   code = "H", above = 300, label = "above our interval" },
]

[authorities.our-lab]
name = "Our laboratory"

[sources.our-sop]
organisation = "Our laboratory"
title        = "SOP 12"
type         = "laboratory"
seen         = "the page"
"""
MAN = Patient(sex="male", age_years=40)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "our_limits"
    folder.mkdir()
    (folder / "our_ferritin.toml").write_text(SITE, "utf-8")
    return folder


def test_a_sites_limits_answer_and_leave_the_catalog_as_it_was(site: Path) -> None:
    """`with_files` adds a limit set and a default to a new catalog; the old one does not change."""
    ours = Catalog.default().with_files(site)
    with_ours, without = (assess({"ferritin": "19 ug/L"}, MAN, catalog=catalog) for catalog in (ours, Catalog.default()))
    assert (with_ours.limits, with_ours.band) == ("ferritin/our-lab", "low")
    assert (without.limits, without.band) == ("ferritin/who-2020", "adequate")
    assert "ferritin/our-lab" not in Catalog.default().table["limits"]
    assert not check_directory(site, DATA)


def test_a_site_may_add_a_second_folder(site: Path, tmp_path: Path) -> None:
    """Files added to a catalog that already has a site's files keep the first ones."""
    more = tmp_path / "more"
    more.mkdir()
    (more / "crp.toml").write_text(SITE.replace("ferritin", "crp").replace("ug/L", "mg/L").replace("our-sop", "our-sop-2"), "utf-8")
    both = Catalog.default().with_files(site).with_files(more)
    assert {"ferritin/our-lab", "crp/our-lab"} <= set(both.table["limits"])


SITE_BREAKS = [
    ("at_least = 20, at_most", "at_least = 25, at_most", "belong to no band"),
    ('source = "our-sop", loc', 'source = "our-sob", loc', "'our-sob' is not among [sources]"),
    ('unit      = "ug/L"', 'unit      = "ug/l"', "is not in units.toml"),
    ('authority = "our-lab"', 'authority = "our-lap"', "is not among [authorities]"),
    ('"ferritin/our-lab"\nauthority', '"ferritin/who-2020"\nauthority', "already stands in"),
    ('extends = "ferritin"', 'extends = "ferritine"', "is no analyte of the catalog"),
    ('printed   = "20-300"', "", "Field required"),
    ("[authorities.our-lab]", "[authorities.our-lab", "this is not TOML"),
]


@pytest.mark.parametrize(("old", "new", "text"), SITE_BREAKS, ids=[new or "nothing printed" for _, new, _ in SITE_BREAKS])
def test_a_problem_in_a_sites_file_names_that_file(site: Path, old: str, new: str, text: str) -> None:
    """What is wrong in a site's own file is told under that file's name, not under a file of ours."""
    path = site / "our_ferritin.toml"
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    problems = check_directory(site, DATA)
    assert [p for p in problems if text in p.text], [str(p) for p in problems]
    assert {p.file for p in problems if text in p.text} == {"our_ferritin.toml"}


def test_a_folder_without_files_is_told(tmp_path: Path) -> None:
    """An empty folder, and one that is not there, are errors, not catalogs."""
    (tmp_path / "empty").mkdir()
    for name in ("empty", "nothing"):
        with pytest.raises(CatalogError, match=name):
            Catalog.default().with_files(tmp_path / name)
