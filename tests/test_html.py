"""The page of HTML as text: nothing is lost, nothing is added, everything from a file is escaped, the markup is sound, the words are whole."""

from __future__ import annotations

import csv
import doctest
import importlib
import io
import itertools
import re
import string
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from labinterp import Catalog, LabResult, Patient, Report, interpret
from labinterp._codes import CERTAINTIES, CODES, REASONS, RELATIONS
from labinterp._pages.people import people
from labinterp._pages.strip import EDGE, WIDTH, Strip, strip
from labinterp.errors import InputError, MissingExtraError
from labinterp.html import languages, page
from labinterp.readers import read_bytes, read_file

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = sorted(p.parent for p in (ROOT / "tests" / "golden").glob("*/input.json"))
VOID = {"meta", "br", "link", "img", "input", "hr"}
WOMAN = Patient(id="A", sex="female", age_years=71)

DRAWS = b"""patient_id,date,test,value,unit,sex,age,ref_text,flag
A-17,2024-03-01,Ferritin,8,ug/L,F,34,15-150,L
A-17,2024-03-01,Haemoglobin,101,g/L,F,34,120-160,L
A-17,2024-03-01,Vitamin B12,<100,ng/L,F,34,,
A-17,2024-09-01,Ferritin,31,ug/L,F,34,15-150,
A-17,2024-09-01,Creatine kinase,5000,U/L,F,34,26-140,H
A-17,2024-09-01,Vitamin D,20~30,ng/mL,F,34,,
"""


def reports_of(data: bytes) -> list[Report]:
    return [interpret(panel.results, panel.patient, rows=panel.rows) for panel in read_bytes(data).panels]


def golden(folder: Path) -> Report:
    (panel,) = read_file(folder / "input.json").panels
    return interpret(panel.results, panel.patient, rows=panel.rows)


class Parsed(HTMLParser):
    """A page taken apart: its elements, its ids, its links, its text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.pieces: list[str] = []
        self.english: list[str] = []
        self._langs: list[str | None] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self._langs.append(dict(attrs).get("lang"))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._langs.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.pieces.append(data)
            if any(lang == "en" for lang in self._langs):
                self.english.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.elements if tag in tags]


def plain(text: str) -> str:
    return " ".join(text.split())


ALL: dict[str, Callable[[], list[Report]]] = {
    **{folder.name: lambda folder=folder: [golden(folder)] for folder in GOLDEN},  # type: ignore[misc]
    "several draws": lambda: reports_of(DRAWS),
    "many": lambda: [*map(golden, GOLDEN), *reports_of(DRAWS)],
}


# --- what stands on it -----------------------------------------------------------------------------------------


def said(report: Report) -> Iterator[str]:
    """Every sentence of a report."""
    for finding in (*report.findings, *report.derived):
        yield from (finding.label, finding.code, *finding.notes)
        yield from (step["text"] for step in finding.trace() if step["step"] != "source")
        for caveat in finding.caveats:
            yield caveat["text"]
        for cite in finding.citations:
            yield from (cite["organisation"], cite["title"], cite["locator"])
    yield from (finding.source_name for finding in report.findings)
    for refused in report.not_assessed:
        yield from (refused.source_name, refused.value_text, refused.unit_text, refused.message)
    for alert in report.alerts:
        yield from (alert.text, alert.tier)
    for match in (*report.patterns, *report.open_questions):
        yield from (match.name, match.text, match.next_test)
    for effect in report.effects:
        yield from (effect.name, effect.text, effect.reversibility, effect.recovery)
    for advice in report.advice:
        yield from (advice.about, *advice.at_risk, *advice.usually_done, advice.next_step)
    yield from (*report.notes, report.disclaimer, *report.standing, report.catalog)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("language", ["en", "de"])
def test_nothing_of_a_report_is_lost(name: str, language: str) -> None:
    """Every sentence, value and source of every report is on its page; in another language, its translation."""
    reports = ALL[name]()
    text = Parsed(page(reports, language=language)).text
    words = tomllib.loads((files("labinterp") / "messages" / f"{language}.toml").read_text("utf-8")).get("catalog", {})
    for report in reports:
        names = {answer.source_name for answer in report.rows()}  # as printed, in every language
        assert not [one for one in said(report) if plain(one if one in names else words.get(one, one)) not in text]


@pytest.mark.parametrize("name", ALL)
def test_the_page_is_sound(name: str) -> None:
    """One main part and one first heading, headings in order, ids once, links that lead somewhere, tables with captions and headers."""
    found = Parsed(page(ALL[name]()))
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    ids = [attrs["id"] for _, attrs in found.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [str(attrs["href"]) for attrs in found.all("a")]
    assert not {link[1:] for link in links if link.startswith("#")} - set(ids)
    assert all(link.startswith(("#", "https://", "http://")) for link in links)
    for tag in ("main", "header", "footer", "title"):
        assert len(found.all(tag)) == 1
    assert len(found.all("caption")) == len(found.all("table"))
    assert all(attrs.get("scope") in ("col", "row") for attrs in found.all("th"))
    assert all(attrs.get("role") == "img" and attrs.get("aria-label") for attrs in found.all("svg") if attrs.get("aria-hidden") != "true")
    assert len(found.all("details")) == len(found.all("summary"))
    assert found.all("html") == [{"lang": "en"}]


@pytest.mark.parametrize("name", ALL)
def test_nothing_comes_from_elsewhere(name: str) -> None:
    """No script, frame, form, picture, font or style sheet; addresses only in links that a reader follows."""
    text = page(ALL[name]())
    found = Parsed(text)
    assert not found.all("script", "iframe", "object", "embed", "form", "link", "img", "base", "video", "audio", "input", "button")
    assert not [attrs for _, attrs in found.elements for key in attrs if key.startswith("on") or key in ("src", "srcset", "action")]
    style = "".join(re.findall(r"<style>.*?</style>", text, re.DOTALL))
    assert "@import" not in style
    assert not re.findall(r"url\((?!#)", text)
    assert {attrs.get("http-equiv"): attrs.get("content") for attrs in found.all("meta")}["Content-Security-Policy"].startswith(
        "default-src 'none'"
    )  # type: ignore[union-attr]


def test_a_code_is_told_by_shape_and_word() -> None:
    """Beside every colour stand a shape, the code and its word."""
    text = page(
        [
            interpret(
                {"Mg": "0.35 mmol/L", "ferritin": "22 ug/L", "vitamin D": "18 ng/mL", "B12": "210 pg/mL", "homocysteine": "19 umol/L"},
                WOMAN,
            )
        ]
    )
    for shape, code, word in (
        ("▼▼▼", "LL", "critically low"),
        ("●", "N", "normal"),
        ("▼", "L", "low"),
        ("◆", "IND", "indeterminate"),
        ("▲", "H", "high"),
    ):
        assert re.search(rf'aria-hidden="true">{shape}</span><span>{code}</span><span>{word}</span>', text)


def test_what_cannot_be_assessed_reassures_nobody() -> None:
    """Where no result could be assessed, nothing is said of red flags; where some could, only of those."""
    assert "nothing can be said of red flags" in page([interpret({"vitamin D": "pending"})])
    assert "applies to the results that could be assessed" in page([interpret({"vitamin D": "60 nmol/L", "B12": "pending"})])


def test_who_needs_attention_comes_first() -> None:
    """Red flags by tier, then how far results lie outside, then the order of the input."""
    panels = [("well", "60"), ("low", "40"), ("flagged", "400"), ("very low", "20"), ("also well", "70")]
    reports = [interpret({"vitamin D": f"{value} nmol/L"}, Patient(id=id, sex="female", age_years=40)) for id, value in panels]
    assert [bool(r.alerts) for r in reports] == [False, False, True, False, False]
    found = re.findall(r"<h2>Patient (.*?)</h2>", page(reports))
    assert found == ["flagged", "very low", "low", "well", "also well"]


def test_only_a_label_makes_two_reports_one_persons() -> None:
    """Two sets without a label are two people's; one label with two sexes is, too."""
    one = interpret({"ferritin": "22 ug/L"}, Patient(id="A", sex="female", age_years=40))
    assert [len(p.draws) for p in people([one, one])] == [2]
    nameless = interpret({"ferritin": "22 ug/L"}, Patient(sex="female", age_years=40))
    assert [len(p.draws) for p in people([nameless, nameless])] == [1, 1]
    other = interpret({"ferritin": "22 ug/L"}, Patient(id="A", sex="male", age_years=40))
    assert [len(p.draws) for p in people([one, other])] == [1, 1]


def test_several_draws_of_one_person() -> None:
    """Each set has its day; a test that was measured twice is shown over time."""
    panels = read_bytes(DRAWS).panels
    days = [panel.results[0].collected_at for panel in panels]
    made = page(reports_of(DRAWS), days=days)
    text = Parsed(made).text
    assert days == [date(2024, 3, 1), date(2024, 9, 1)]
    assert "Over time" in text
    assert "2024-03-01 8 µg/L" in text
    assert re.findall(r"<h2>Results of (.*?)</h2>", made) == ["2024-03-01", "2024-09-01"]


def test_the_day_is_said_only_where_it_is_known() -> None:
    report = interpret({"ferritin": "22 ug/L"}, WOMAN)
    assert "Day of sampling" not in Parsed(page([report])).text
    assert "Day of sampling not stated" in Parsed(page([report], days=[None])).text
    assert "Day of sampling: 2024-05-02" in Parsed(report.to_html(day=date(2024, 5, 2))).text


def test_a_page_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="at least one report"):
        page([])
    with pytest.raises(InputError, match="days"):
        page([interpret({"ferritin": "22 ug/L"})], days=[])
    with pytest.raises(InputError, match="at most 2000 sets of results, and these are 2001"):
        page([interpret({"ferritin": "22 ug/L"})] * 2001)
    with pytest.raises(InputError, match="accepted: en, de, fr"):
        page([interpret({"ferritin": "22 ug/L"})], language="../en")


# --- hostile text ----------------------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "--><svg onload=alert(1)>",
    "&lt;b&gt; {0} {id.__class__}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_a_file_stays_text(text: str) -> None:
    """In a label, a test's name, a value, a unit, a range and a flag: shown as it is printed, never markup."""
    rows = [
        {"patient_id": text, "test": "Ferritin", "value": "22", "unit": "ug/L", "ref_text": text, "flag": text},
        {"patient_id": text, "test": text, "value": "12", "unit": "ug/L"},
        {"patient_id": text, "test": "Magnesium", "value": text, "unit": "mmol/L"},
        {"patient_id": text, "test": "Vitamin B12", "value": "300", "unit": text, "specimen": text},
        {"patient_id": text, "test": "Calcium", "value": "2.3", "unit": "mmol/L", "context": text, "collected_at": text},
        {"patient_id": f"2{text}", "test": "Folate", "value": text, "unit": text},
    ]
    out = io.StringIO()
    table = csv.DictWriter(out, ["patient_id", "test", "value", "unit", "ref_text", "flag", "specimen", "context", "collected_at"])
    table.writeheader()
    table.writerows(rows)
    reports = reports_of(out.getvalue().encode())
    for made in (page(reports), page(reports, language="fr"), *(page([one]) for one in reports)):
        found = Parsed(made)
        assert not found.all("script", "img", "iframe")
        assert not [attrs for _, attrs in found.elements for key in attrs if key.startswith("on")]
        assert not [attrs for attrs in found.all("a") if not str(attrs["href"]).startswith(("#", "https://", "http://"))]
        assert plain(text) in found.text
        assert "49" not in found.text or "49" in page([interpret({"Folate": "x"})])
    for report in reports:
        for item in (report, *report.findings, *report.not_assessed):
            shown = Parsed(item._repr_html_() or "")
            assert not shown.all("script", "img", "svg", "a")
            assert not [attrs for _, attrs in shown.elements for key in attrs if key.startswith("on")]


# --- the strip -------------------------------------------------------------------------------------------------


def drawn(test: str, value: str, **more: Any) -> Strip:
    """The strip of one result."""
    (finding,) = interpret([LabResult(test, value, **more)], WOMAN).findings
    found = strip(finding)
    assert found is not None
    return found


def number(found: Strip, x: float) -> float:
    """What a place on the strip stands for."""
    return found.start + (x - EDGE) / (WIDTH - 2 * EDGE) * (found.end - found.start)


@pytest.mark.parametrize(
    ("test", "value", "lines"),
    [("vitamin D", "18 ng/mL", [12, 20, 50]), ("vitamin D", "49.9 nmol/L", [30, 50, 125]), ("B12", "210 pg/mL", [180, 350]), ("ferritin", "22 ug/L", [15, 150])],
)  # fmt: skip
def test_the_strip_is_to_scale(test: str, value: str, lines: list[float]) -> None:
    """Lines and value lie where they belong, to the hundredth of a unit of the drawing."""
    found = drawn(test, value)
    unit = (found.end - found.start) / (WIDTH - 2 * EDGE)
    assert [tick.number for tick in found.ticks] == lines
    assert [number(found, tick.x) for tick in found.ticks] == pytest.approx(lines, abs=unit / 100)
    assert found.point is not None
    assert number(found, found.point) == pytest.approx(float(value.split()[0]), abs=unit / 100)
    (band,) = (band for band in found.bands if band.holds)
    assert band.x <= found.point <= band.x + band.width
    assert next(band.text for band in found.bands).startswith("<")


def test_a_censored_value_is_an_interval() -> None:
    """It is drawn from its end to where the drawing ends, and its other side is open unless it is zero."""
    found = drawn("vitamin D", "<25 ng/mL")
    assert found.point is None
    assert found.stretch is not None
    assert (number(found, found.stretch.low), found.stretch.low_open) == (0, False)
    assert number(found, found.stretch.high) == pytest.approx(25, abs=0.01)
    assert [band.holds for band in found.bands] == [True, True, True, False]
    found = drawn("vitamin D", ">60 ng/mL")
    assert found.stretch is not None
    assert (found.stretch.high, found.stretch.high_open) == (WIDTH - EDGE, True)
    found = drawn("vitamin D", "22~30 ng/mL")
    assert found.stretch is not None
    assert [number(found, found.stretch.low), number(found, found.stretch.high)] == pytest.approx([22, 30], abs=0.01)
    assert (found.stretch.low_open, found.stretch.high_open) == (False, False)


def test_a_value_far_away_is_an_arrow() -> None:
    """It does not squeeze the bands, and the text alternative says that it lies beyond."""
    assert drawn("vitamin D", "200 ng/mL").beyond == "high"
    assert "The value lies beyond the drawing." in page([interpret({"vitamin D": "200 ng/mL"}, WOMAN)])


def test_the_laboratorys_range_is_drawn_above() -> None:
    found = drawn("B12", "210", unit="pg/mL", ref_text="187 - 883")
    assert found.own is not None
    assert number(found, found.own.low) == pytest.approx(187, abs=0.01)
    assert found.own.high_open
    # where the laboratory's range is what answered, its ends are the lines
    found = drawn("homocysteine", "19.4", unit="umol/L", ref_text="< 15")
    assert [tick.number for tick in found.ticks] == [15]
    assert found.own is None


def test_numbers_under_the_strip_do_not_touch() -> None:
    """Lines that lie close together have their numbers on two rows."""
    (finding,) = interpret({"potassium": "2.8 mmol/L"}, WOMAN).findings
    found = strip(finding)
    assert found is not None
    assert {tick.row for tick in found.ticks} == {0, 1}
    for row in (0, 1):
        ticks = [tick for tick in found.ticks if tick.row == row]
        for left, right in itertools.pairwise(ticks):
            ends = left.x + (0 if left.anchor == "end" else len(left.text) * 3)
            starts = right.x - len(right.text) * (6 if right.anchor == "end" else 3)
            assert ends < starts


# --- words -----------------------------------------------------------------------------------------------------

WORDS = {
    language: tomllib.loads((files("labinterp") / "messages" / f"{language}.toml").read_text("utf-8")) for language in ("en", "de", "fr")
}
# What the verb rules forbid in English, in the other languages: nothing is told as somebody's own, nothing causes, nothing is promised.
BANNED = {
    "de": ["sie haben", "du hast", "sie leiden", "ihr mangel", "verursacht", "führt zu", "sarkopenie", "heilt", "garantiert", "keine sorge", "unbedenklich", "mg täglich", "nehmen sie"],
    "fr": ["vous avez", "vous souffrez", "votre carence", "provoque", "entraîne ", "cause la", "sarcopénie", "guérit", "garanti", "rien à craindre", "sans danger", "mg par jour", "prenez"],
}  # fmt: skip


def flat(table: dict[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        elif isinstance(value, str):
            found[f"{prefix}{key}"] = value
    return found


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("module", ["messages", "strip", "people", "shown", "page", "glance", "tidy"])
def test_the_examples_of_the_pages_run(module: str) -> None:
    """Each example in a module gives what it shows."""
    failed, _ = doctest.testmod(importlib.import_module(f"labinterp._pages.{module}"), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


@pytest.mark.parametrize(("language", "word"), [("en", "to"), ("de", "bis"), ("fr", "à")])
def test_a_band_between_two_lines_is_said_in_the_language_of_the_page(language: str, word: str) -> None:
    """What a band holds, in the list of bands and in what a screen reader hears of the strip."""
    made = page([interpret({"potassium": "2.7 mmol/L"}, WOMAN)], language=language)
    assert f'<span class="span">2.5 {word} &lt;3</span>' in made
    (alt,) = [one["aria-label"] for one in Parsed(made).all("svg") if one.get("role") == "img"]
    assert alt
    assert f"2.5 {word} <3" in alt


def test_there_are_three_languages() -> None:
    assert languages() == ["en", "de", "fr"]
    assert "catalog" not in WORDS["en"]


@pytest.mark.parametrize("language", ["de", "fr"])
def test_a_language_says_what_english_says(language: str) -> None:
    """Every message of a language exists in English, with the same names to fill in; and none is missing."""
    own, english = ({k: v for k, v in flat(WORDS[one]).items() if not k.startswith("catalog.")} for one in (language, "en"))
    assert set(own) == set(english)
    assert {key for key in own if names(own[key]) != names(english[key])} == set()


@pytest.mark.parametrize("language", ["de", "fr"])
def test_a_translation_is_of_a_sentence_that_is_there(language: str) -> None:
    """What stands in [catalog] is a sentence, band, name or tier of the catalog, or a word the library gives a band."""
    table = Catalog.default().table
    there = {band[2] for one in table["limits"].values() for population in one["populations"] for band in population["bands"]}
    there |= {one["name"] for part in ("analytes", "effects", "patterns", "authorities") for one in table[part].values()}
    policy = table["policy"]
    there |= {one["text"] for one in policy["contexts"].values()}
    there |= {
        policy["disclaimer"],
        *policy["standing"],
        *policy["tier_words"].values(),
        "cannot be told: the value may lie in more than one band",
    }
    assert set(WORDS[language]["catalog"]) - there == set()
    assert {policy["disclaimer"], *policy["standing"], *policy["tier_words"].values()} <= set(WORDS[language]["catalog"])


def test_every_word_that_is_looked_up_is_there() -> None:
    """Closed lists of the library have their words, and every message a template asks for exists."""
    english = WORDS["en"]
    assert set(english["codes"]) == set(CODES)
    assert set(english["reasons"]) == set(REASONS)
    assert set(english["relations"]) == set(RELATIONS)
    assert set(CERTAINTIES) | {"likely", "possible", "cannot_tell"} == set(english["certainties"])
    assert {one["status"] for one in Catalog.default().table["mechanisms"].values()} <= set(english["mechanism"])
    source = ROOT / "src" / "labinterp" / "_pages"
    texts = [path.read_text("utf-8") for path in [*source.glob("*.py"), *(source / "templates").glob("*.html")]]
    asked = {key for text in texts for key in re.findall(r"""(?:\bt|\bplain|message)\(f?["']([a-z_]+\.[a-z_]+)["'][,)]""", text)}
    assert len(asked) > 50
    assert not asked - set(flat(english))


def test_every_word_is_used() -> None:
    """No message is left over."""
    source = ROOT / "src" / "labinterp" / "_pages"
    everything = "\n".join(path.read_text("utf-8") for path in [*source.glob("*.py"), *(source / "templates").glob("*.html")])
    looked_up = {"person", "codes", "reasons", "relations", "certainties", "mechanism", "checked", "steps", "drawn"}
    left = {key for key in flat(WORDS["en"]) if key.split(".")[0] not in looked_up and key.split(".")[1] not in everything}
    assert left - {f"{noun}.{form}" for noun in ("people", "draws", "red_flags") for form in ("one", "other")} == set()


def test_the_words_of_the_page_keep_the_verb_rules() -> None:
    """The page's own sentences are measured as the catalog's are; the other languages by the same rules in their words."""
    banned = Catalog.default().table["policy"]["banned"]
    for key, text in flat(WORDS["en"]).items():
        assert not [one for one in banned if one in f" {text.casefold()} "], key
    for language, rules in BANNED.items():
        for key, text in flat(WORDS[language]).items():
            assert not [one for one in rules if one in text.casefold()], (language, key)


@pytest.mark.parametrize("language", ["de", "fr"])
def test_what_has_no_translation_is_english_and_marked(language: str) -> None:
    """Sentences of the catalog without a translation stand in `lang="en"`; translated ones do not."""
    report = golden(ROOT / "tests" / "golden" / "refeeding")
    made = page([report], language=language)
    found = Parsed(made)
    english = plain(" ".join(found.english))
    assert found.all("html") == [{"lang": language}]
    for text in (report.alerts[0].text, report.effects[0].text, report.not_assessed[0].message, report.findings[0].caveats[0]["text"]):
        assert plain(text) in english
    for sentence in report.standing:
        assert WORDS[language]["catalog"][sentence] in found.text
        assert sentence not in found.text
    for key, text in flat(WORDS[language]).items():
        if key.startswith("heads.") and text in found.text:
            assert text not in english, key


def test_a_message_that_is_missing_falls_back_openly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A language without a heading shows it in English, marked as English; the page is made all the same."""
    from labinterp._pages import messages

    less = {**WORDS["de"], "heads": {}, "red_flags": {}, "one_is": [1]}
    del less["red_flags"]
    monkeypatch.setattr(messages, "words", lambda language: less if language == "de" else WORDS[language])
    made = page([golden(GOLDEN[0])], language="de")
    assert '<h2><span lang="en">Results</span></h2>' in made
    assert messages.Messages("de").count("red_flags", 2) == '<span lang="en">2 red flags</span>'


# --- command line ----------------------------------------------------------------------------------------------


def test_report_writes_a_page(tmp_path: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    done = cli("report", "docs/examples/panel.csv", "-o", str(tmp_path / "page.html"), "--language", "de")
    assert (done.code, done.out) == (0, "")
    assert "9 rows" in done.err
    text = (tmp_path / "page.html").read_text("utf-8")
    assert text.startswith('<!DOCTYPE html>\n<html lang="de">')
    assert text.endswith("</html>\n")


def test_report_takes_what_interpret_takes(cli: Callable[..., Any]) -> None:
    """Facts, authority, day, columns, decimal mark and standard input, as for `interpret`."""
    data = b"probe;ergebnis;einheit;d\nFerritin;22;ug/L;2024-02-03\n25-OH-D;18,5;ng/mL;2024-02-03\n"
    done = cli(
        "report", "-", "--column", "test=probe", "--column", "value=ergebnis", "--column", "unit=einheit", "--column", "collected_at=d",
        "--decimal", ",", "--sex", "female", "--age", "71", "--authority", "vitamin_d=endocrine-society", "--as-of", "2020-01-01", stdin=data,
    )  # fmt: skip
    assert done.code == 0, done.err
    text = Parsed(done.out).text
    for one in ("female", "71 years", "18.5 ng/mL", "Day of sampling: 2024-02-03", "Endocrine Society", "limits as of 2020-01-01"):
        assert one in text


def test_report_says_what_is_wrong(tmp_path: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown language, an empty file, a file that is not there; nothing is written then."""
    out = tmp_path / "page.html"
    monkeypatch.chdir(ROOT)
    done = cli("report", "docs/examples/panel.csv", "-o", str(out), "--language", "xx")
    assert (done.code, out.exists()) == (1, False)
    assert "accepted: en, de, fr" in done.err
    assert cli("report", str(tmp_path / "none.csv"), "-o", str(out)).code == 1
    done = cli("report", "-", "-o", str(out), stdin=b"test,value,unit\n")
    assert (done.code, out.exists()) == (1, False)
    assert "no results" in done.err
    assert cli("report", "-", "-o", str(out), "--strict", stdin=b"test,value,unit\nFerritin,pending,ug/L\n").code == 2
    assert out.exists()


def test_without_jinja_the_hint_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says which extra it needs, and a notebook shows the plain form."""
    report = interpret({"ferritin": "22 ug/L"})
    for name in ("labinterp.html", "labinterp._pages.page"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r'pip install "labinterp\[html\]"'):
        report.to_html()
    assert report._repr_html_() is None
    assert report.findings[0]._repr_html_() is None
