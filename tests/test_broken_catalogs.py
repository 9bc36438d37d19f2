"""Data files with something wrong in them: every problem is told, with its file and place, and all of them at once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from labinterp import Catalog, Patient, assess
from labinterp._checks import check_directory
from labinterp._files import Problem
from labinterp.errors import CatalogError

DATA = Path(__file__).resolve().parents[1] / "reference_ranges"
D, C, P = "analytes/vitamin_d.toml", "conditions/vitamin_d_deficiency.toml", "patterns/iron_deficiency.toml"
E, CREATININE = "analytes/egfr.toml", "analytes/creatinine.toml"
SACN = "limits 'vitamin_d/sacn-2016'"


class Break(NamedTuple):
    """One edit, the copy it is made in, and where and how it must be told."""

    copy: str
    name: str
    file: str
    old: str
    new: str
    told_in: str
    place: str
    text: str


CIRCLE = """[[derive]]
id       = "creatinine/circle"
function = "egfr_ckd_epi_2021"
inputs   = { creatinine = "mg/dL" }
decimals = 1
note     = "Made for a test."
cite     = [{ source = "hilderink-meat", locator = "abstract", checked = "primary" }]

[[variation]]"""

SHIFT = """[[limits.shifts]]
requires = ["altitude_9000"]
add      = 0
cite     = [{ source = "nos-2013", locator = "made for a test", checked = "primary" }]
"""

# A check takes about a second, so edits that do not hide each other share a copy.
# fmt: off
BREAKS = [
    Break("A", "gap", D, 'code = "L", below = 25, ', 'code = "L", below = 24, ', D, f"{SACN} > 'population of the United Kingdom' > bands", "belong to no band"),
    Break("A", "order of codes", D, 'key = "below_protective", code = "L"', 'key = "below_protective", code = "H"', D, f"{SACN} > 'population", "has a lower code"),
    Break("A", "unknown citation", D, 'source = "sacn-2016"', 'source = "sacn-2061"', D, "'vitamin_d/sacn-2016'", "'sacn-2061' is not among [sources]"),
    Break("A", "unknown authority", D, 'authority = "sacn"', 'authority = "sacm"', D, "'vitamin_d/sacn-2016'", "'sacm' is not among [authorities]"),
    Break("A", "unused source", "sources.toml", "[sources.sacn-2016]", '[sources.nobody]\norganisation = "N"\ntitle = "N"\ntype = "page"\nseen = "page"\n\n[sources.sacn-2016]', "sources.toml", "nobody", "nothing cites this source"),
    Break("A", "name of two analytes", D, 'other = ["D-vitamin"', 'other = ["Ferritin", "D-vitamin"', D, "identity > names", "'Ferritin' already means ferritin"),
    Break("A", "slip in a pair", D, "[125, 50]] }   # the source", "[125, 5]] }   # the source", D, "limits 'vitamin_d/nam-2011' > also_in > 'ng/mL'", "by the molar mass, not 5"),
    Break("A", "unknown default", D, 'default = "vitamin_d/nam-2011"', 'default = "vitamin_d/nam-2012"', D, "default", "'vitamin_d/nam-2012' is no limit set"),
    Break("A", "unknown successor", D, 'superseded_by = "vitamin_d/ros-2018"', 'superseded_by = "vitamin_d/ros-2019"', D, "limits 'vitamin_d/nos-2013' > superseded_by", "is no limit set"),
    Break("A", "ends before it starts", D, "from = 2013-01-01, until = 2018-01-01", "from = 2018-01-01, until = 2013-01-01", D, "limits 'vitamin_d/nos-2013' > in_force", "ends before it starts"),
    Break("A", "populations overlap", D, '"under 18 years"\nage_years = { below = 18 }', '"under 18 years"\nage_years = { below = 19 }', D, "limits 'vitamin_d/arup'", "'under 18 years' and '18 years and over' overlap"),
    Break("A", "unknown band in a gate", C, 'limits = "vitamin_d/ros-2018", bands = ["deficient"]', 'limits = "vitamin_d/ros-2018", bands = ["very_low"]', C, "vitamin_d_deficiency/", "vitamin_d/ros-2018 has no band 'very_low'"),
    Break("A", "unknown effect", C, 'effect        = "muscle_weakness"', 'effect        = "weak_muscles"', C, "links 'vitamin_d_deficiency/muscle-weakness'", "the effect 'weak_muscles' is not in effects.toml"),
    Break("A", "unknown input of a pattern", P, 'inputs = ["ferritin"', 'inputs = ["ferritine"', P, "inputs", "'ferritine' is no analyte"),
    Break("A", "you have", "effects.toml", "Less force than expected", "You have less force than expected", "effects.toml", "muscle_weakness", "must not say 'you have'"),
    Break("A", "published id gone", "ids.txt", "vitamin_d/sacn-2016\n", "vitamin_d/sacn-2015\nvitamin_d/sacn-2016\n", "ids.txt", "vitamin_d/sacn-2015", "was published and is gone"),
    Break("A", "unknown function", E, 'function = "egfr_ckd_epi_2021"', 'function = "egfr_mdrd"', E, "derive 'egfr/ckd-epi-2021' > function", "'egfr_mdrd' is no function of labinterp"),
    Break("B", "unit a function does not take", E, 'inputs   = { creatinine = "mg/dL" }', 'inputs   = { creatinine = "umol/L" }', E, "derive 'egfr/ckd-epi-2021' > inputs", "takes creatinine in mg/dL, not 'umol/L'"),
    Break("A", "shift in an unknown circumstance", D, '[[limits]]\nid        = "vitamin_d/ros-2018"', SHIFT + '\n[[limits]]\nid        = "vitamin_d/ros-2018"', D, "'vitamin_d/nos-2013' > shifts altitude_9000 > requires", "the context 'altitude_9000' is not in policy.toml"),
    Break("A", "shift that moves nothing", D, "vitamin_d/ros-2018", "vitamin_d/ros-2018", D, "limits 'vitamin_d/nos-2013' > shifts altitude_9000", "it moves nothing"),
    Break("A", "name of two circumstances", "policy.toml", 'names = ["smoker"', 'names = ["inflamed", "smoker"', "policy.toml", "contexts > smoking", "the name 'inflamed' already means inflammation"),
    Break("A", "word of two effects", "effects.toml", 'words       = ["tiredness"', 'words       = ["cramps", "tiredness"', "effects.toml", "fatigue > words", "'cramps' already leads to muscle_cramp"),
    Break("B", "replaces what is not there", P, 'inputs = ["ferritin"', 'replaces = ["iron_shortage"]\ninputs = ["ferritin"', P, "replaces", "'iron_shortage' is no condition and no link"),
    Break("B", "exception in an unknown band", "policy.toml", '{ limits = "ferritin/who-2020", bands = ["deficient"] }', '{ limits = "ferritin/who-2020", bands = ["empty"] }', "policy.toml", "single_mild > unless", "ferritin/who-2020 has no band 'empty'"),
    Break("B", "overlap", D, 'code = "L", below = 25, ', 'code = "L", below = 26, ', D, f"{SACN} > 'population of the United Kingdom' > bands", "overlap"),
    Break("B", "no upper end", D, 'code = "N", at_least = 25, ', 'code = "N", at_least = 25, below = 90, ', D, SACN, "nothing covers the values above 'protective'"),
    Break("B", "empty locator", D, 'locator = "p. 115, paragraphs 6.374-6.376"', 'locator = " "', D, "'vitamin_d/sacn-2016'", "says no place"),
    Break("B", "line without its pair", D, ", [125, 50]] }   # the source", "] }   # the source", D, "limits 'vitamin_d/nam-2011' > also_in > 'ng/mL'", "the line 125 nmol/L has no pair"),
    Break("B", "two sets at one time", D, "from = 2013-01-01, until = 2018-01-01", "from = 2013-01-01", D, "limits 'vitamin_d/nos-2013'", "'vitamin_d/ros-2018' is of the same authority, at the same time"),
    Break("B", "unknown set in a gate", C, 'limits = "vitamin_d/ros-2018"', 'limits = "vitamin_d/ros-2019"', C, "vitamin_d_deficiency/", "limits 'vitamin_d/ros-2019' does not exist"),
    Break("B", "unknown mechanism", C, '"vdr_signalling"', '"vdr_singing"', C, "links 'vitamin_d_deficiency/", "the mechanism 'vdr_singing' is not in mechanisms.toml"),
    Break("B", "sarcopenia", "effects.toml", "Less force than expected", "Sarcopenia: less force than expected", "effects.toml", "muscle_weakness", "must not say 'sarcopenia'"),
    Break("C", "input a function does not take", E, 'inputs   = { creatinine = "mg/dL" }', 'inputs   = { cystatin_c = "mg/L" }', E, "derive 'egfr/ckd-epi-2021' > inputs", "egfr_ckd_epi_2021 takes creatinine in mg/dL"),
    Break("C", "derived from itself", CREATININE, "[[variation]]", CIRCLE, CREATININE, "derive 'creatinine/circle'", "creatinine is derived from creatinine: a circle"),
    Break("C", "value that does not convert", CREATININE, "[[caveats]]", "[[caveats]]", CREATININE, "derive 'creatinine/circle' > function", "gives 'mL/min/{1.73_m2}', which does not convert to 'umol/L'"),
    Break("C", "unit typo", D, 'in_force  = { from = 2016-01-01 }\nunit      = "nmol/L"', 'in_force  = { from = 2016-01-01 }\nunit      = "nmol/l"', D, f"{SACN} > unit", "'nmol/l' is not in units.toml"),
    Break("C", "unit that does not convert", D, 'in_force  = { from = 2018-01-01 }\nunit      = "nmol/L"', 'in_force  = { from = 2018-01-01 }\nunit      = "%"', D, "limits 'vitamin_d/ros-2018' > unit", "does not convert"),
    Break("C", "code of two analytes", D, 'code    = "62292-8"', 'code    = "2276-4"', D, "identity > loinc", "LOINC 2276-4 already means"),
    Break("C", "id twice", D, 'id        = "vitamin_d/mayo"', 'id        = "vitamin_d/arup"', D, "'vitamin_d/arup'", f"already stands in {D}"),
    Break("C", "id of another analyte", D, 'id        = "vitamin_d/wvu"', 'id        = "vitamin_e/wvu"', D, "'vitamin_e/wvu'", "does not start with 'vitamin_d/'"),
    Break("C", "causes", "effects.toml", "Less force than expected", "Age causes less force than expected", "effects.toml", "muscle_weakness", "'causes' is said without 'can'"),
    Break("form", "two words for one end", D, 'code = "L", below = 25, ', 'code = "L", below = 25, at_most = 25, ', D, SACN, "'below' and 'at_most' are both given"),
    Break("form", "missing locator", D, 'source = "sacn-2016", locator = "p. 115, paragraphs 6.374-6.376"', 'source = "sacn-2016"', D, f"{SACN} > cite 1 > locator", "Field required"),
    Break("form", "silence about pregnancy", D, 'who      = "population of the United Kingdom"\npregnant = "no"', 'who      = "population of the United Kingdom"', D, f"{SACN} > populations 'population of the United Kingdom' > pregnant", "Field required"),
    Break("form", "unknown key", D, 'id        = "vitamin_d/sacn-2016"', 'id        = "vitamin_d/sacn-2016"\njudgment  = "x"', D, f"{SACN} > judgment", "Extra inputs are not permitted"),
    Break("form", "gate of no form", P, 'inflammation       = { context = "inflammation" }', 'inflammation       = { certainty = ["likely"] }', P, "tests > inflammation", "a gate has one form"),
    Break("form", "shift without circumstances", D, '[[limits]]\nid        = "vitamin_d/ros-2018"', SHIFT.replace('"altitude_9000"', "") + '\n[[limits]]\nid        = "vitamin_d/ros-2018"', D, "limits 'vitamin_d/nos-2013' > shifts 1 > requires", "at least 1 item"),
    Break("form", "too many decimals", E, "decimals = 1", "decimals = 5", E, "derive 'egfr/ckd-epi-2021' > decimals", "less than or equal to 4"),
    Break("form", "no version", "VERSION", "\nas_of 2", "\nasof 2", "VERSION", "", "missing or not of its form"),
    Break("files", "TOML syntax", "analytes/crp.toml", "[identity.names]", "[identity.names", "analytes/crp.toml", "", "this is not TOML"),
    Break("files", "key twice", "analytes/agp.toml", "\nname ", '\nid = "agp"\nname ', "analytes/agp.toml", "", "this is not TOML"),
    Break("files", "id not the file's name", D, 'id      = "vitamin_d"', 'id      = "vitamin_e"', D, "id", "'vitamin_e' is not the file's name"),
]
# fmt: on
COPIES = sorted({one.copy for one in BREAKS})


def tells(problems: list[Problem], one: Break) -> bool:
    return any(p.file == one.told_in and one.place in p.path and one.text in p.text and p.next_step is not None for p in problems)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The broken copies of the data, by name."""
    made = {name: Path(shutil.copytree(DATA, tmp_path_factory.mktemp("broken") / name)) for name in COPIES}
    for one in BREAKS:
        path = made[one.copy] / one.file
        text = path.read_text("utf-8")
        assert one.old in text, f"nothing to break: {one.old!r} is not in {one.file} any more"
        path.write_text(text.replace(one.old, one.new, 1), "utf-8")
    (made["files"] / "effects.toml").unlink()
    (made["files"] / "analytes" / "ferritin.toml").write_bytes(b"\xff\xfe\x00")
    return made


@pytest.fixture(scope="module")
def problems(copies: dict[str, Path]) -> dict[str, list[Problem]]:
    """Every problem of every copy."""
    return {name: check_directory(path) for name, path in copies.items()}


@pytest.mark.parametrize("one", BREAKS, ids=lambda b: b.name.replace(" ", "-"))
def test_a_break_is_told_with_its_file_and_place(problems: dict[str, list[Problem]], one: Break) -> None:
    """One edit to good data is a problem that names the file, the place in it and what is wrong, beside all the others."""
    assert tells(problems[one.copy], one), [str(p) for p in problems[one.copy]]


@pytest.mark.parametrize(("name", "text"), [("effects.toml", "the file is missing"), ("analytes/ferritin.toml", "is not UTF-8 text")])
def test_a_file_that_cannot_be_read_is_told(problems: dict[str, list[Problem]], name: str, text: str) -> None:
    """A missing file, and one that is not text, are problems of that file, beside those of other files."""
    assert [p for p in problems["files"] if p.file == name and text in p.text]


@pytest.mark.parametrize("name", ["A", "form"])
def test_the_loader_tells_every_problem_of_the_check(copies: dict[str, Path], problems: dict[str, list[Problem]], name: str) -> None:
    """Loading a broken copy raises one error with every problem in it."""
    with pytest.raises(CatalogError) as caught:
        Catalog.from_directory(copies[name])
    assert [str(p) for p in caught.value.problems] == [str(p) for p in problems[name]]
    assert str(caught.value).startswith(f"the catalog has {len(problems[name])} problems\n")


def test_one_edit_is_one_problem(tmp_path: Path) -> None:
    """A single slip is told once, with the next step, and nothing else is said."""
    copy = Path(shutil.copytree(DATA, tmp_path / "data"))
    path = copy / D
    path.write_text(path.read_text("utf-8").replace('code = "L", below = 25, ', 'code = "L", below = 24, ', 1), "utf-8")
    (problem,) = check_directory(copy)
    assert str(problem) == (
        f"{D} > {SACN} > 'population of the United Kingdom' > bands: values between 'below_protective' (below 24) and 'protective' "
        "(at_least 25) belong to no band. Let one end where the next starts. If the source prints a gap, say in `judgement` how you read it."
    )


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


# Each edit is made in a file of its own, and one check reads them all.
SITE_BREAKS = {
    "gap": ("at_least = 20, at_most", "at_least = 25, at_most", "belong to no band"),
    "cite": ('source = "our-sop", loc', 'source = "our-sob", loc', "'our-sob' is not among [sources]"),
    "unit": ('unit      = "ug/L"', 'unit      = "ug/l"', "is not in units.toml"),
    "authority": ('authority = "our-lab"', 'authority = "our-lap"', "is not among [authorities]"),
    "twice": ('id        = "ferritin/twice"', 'id        = "ferritin/who-2020"', "already stands in"),
    "words": ("below our interval", "you have too little", "must not say 'you have'"),
    "extends": ('extends = "ferritin"', 'extends = "ferritine"', "is no analyte of the catalog"),
    "printed": ('printed   = "20-300"', "", "Field required"),
    "syntax": ("[authorities.our-lab]", "[authorities.our-lab", "this is not TOML"),
    "exponent": ("[authorities.our-lab]", "far = 1e99999999999999999999\n[authorities.our-lab]", "has an exponent that no number can have"),
}


@pytest.fixture(scope="module")
def site_problems(tmp_path_factory: pytest.TempPathFactory) -> list[Problem]:
    """The problems of a folder with one broken file for each edit."""
    folder = tmp_path_factory.mktemp("our_limits")
    for name, (old, new, _) in SITE_BREAKS.items():
        own = SITE.replace("ferritin/our-lab", f"ferritin/{name}").replace("\nkind ", f'\naspect    = "{name}"\nkind ')
        assert old in own
        (folder / f"{name}.toml").write_text(own.replace(old, new, 1), "utf-8")
    return check_directory(folder, DATA)


@pytest.mark.parametrize("name", SITE_BREAKS)
def test_a_problem_in_a_sites_file_is_told(site_problems: list[Problem], name: str) -> None:
    """What is wrong in a site's own file is told."""
    assert [p for p in site_problems if SITE_BREAKS[name][2] in p.text], [str(p) for p in site_problems]


@pytest.mark.parametrize("name", SITE_BREAKS)
def test_a_problem_in_a_sites_file_names_that_file(site_problems: list[Problem], name: str) -> None:
    """It is told under the name of the site's file, not under a file of ours."""
    assert {p.file for p in site_problems if SITE_BREAKS[name][2] in p.text} == {f"{name}.toml"}


def test_a_folder_without_files_is_told(tmp_path: Path) -> None:
    """A folder that is not there, and one without files, are problems, not catalogs."""
    with pytest.raises(CatalogError, match="nothing"):
        Catalog.default().with_files(tmp_path / "nothing")
    assert [str(p) for p in check_directory(tmp_path, DATA)]
