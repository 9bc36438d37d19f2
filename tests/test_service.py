"""The web service: the same answers as the library, within bounds, with manners, and without a word about a patient where none belongs."""

from __future__ import annotations

import asyncio
import base64
import csv
import hashlib
import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

pytest.importorskip("fastapi")
httpx = pytest.importorskip("httpx")

from tests.test_docs import blocks, matches, shown  # noqa: E402

import labinterp as li  # noqa: E402
from labinterp import _catalog, readers  # noqa: E402
from labinterp._published import answers, lookups  # noqa: E402
from labinterp._service import routes, work  # noqa: E402
from labinterp._service.bodies import too_deep  # noqa: E402
from labinterp._service.gate import WithoutData, cut  # noqa: E402
from labinterp._service.settings import DEEPEST, Settings, settings_from, token_from  # noqa: E402
from labinterp.errors import InputError  # noqa: E402
from labinterp.service import app, from_environment  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
PERSON = "Zebulon Quartermain"  # a name that stands nowhere else
TOKEN = "a-token-for-tests-0123456789"
PANEL = {
    "patient": {"id": "17", "sex": "female", "age_years": 71},
    "results": [
        {"test": "25(OH)D", "value": "18", "unit": "ng/mL", "loinc": "62292-8", "collected_at": "2026-03-14"},
        {"test": "B12", "value": 210, "unit": "pg/mL", "ref_low": 180, "flag": "N"},
        {"test": "MMA", "value": "0.52 umol/L"},
        {"test": "CRP", "value": "0.6", "comparator": "<", "unit": "mg/L"},
        {"test": "ferritin", "value": "1,060", "unit": "ug/L"},
        {"test": "magnesium", "value": 0.42, "unit": "mmol/L"},
        {"test": "creatinine", "value": "0.9", "unit": "mg/dL"},
        {"test": "nonsense", "value": "pending"},
    ],
}
FORMS = {
    "panel": PANEL,
    "panels": [PANEL, {"results": {"B12": "<150 pg/mL"}}, {"id": 3, "patient": {"sex": "m", "age_years": "six"}, "results": {}}],
    "under panels": {"panels": [PANEL, PANEL]},
    "rows": [
        {"patient_id": "a", "test": "Ferritin", "value": "12", "unit": "ug/L", "sex": "F", "age": "34"},
        {"patient_id": "b", "test": "Mg", "value": 1.6, "unit": "mg/dL", "sex": "M", "age": "44", "pregnant": "perhaps"},
        {"patient_id": "a", "test": "Haemoglobin", "value": "11.0", "unit": "g/dL"},
        {"patient_id": "b", "test": "Folsäure", "value": None, "unit": None},
    ],
    "one row": {"test": "Ferritin", "value": "12", "unit": "ug/L"},
    "a mapping": {"25(OH)D": "18 ng/mL", "B12": "210 pg/mL", "homocysteine": "19 umol/L"},
    "nobody": {},
}


class Got(NamedTuple):
    status: int
    headers: Any
    text: str

    @property
    def data(self) -> Any:
        return json.loads(self.text)


def ask(served: Any, method: str, path: str, **more: Any) -> Got:
    """One request to an application, in this process."""

    async def asked() -> Got:
        transport = httpx.ASGITransport(app=served)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            got = await client.request(method, path, **more)
        return Got(got.status_code, got.headers, got.text)

    return asyncio.run(asked())


def send(served: Any, body: Any, path: str = "/interpret", kind: str = "application/json", **more: Any) -> Got:
    """A body, as JSON unless it is bytes already."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ask(served, "POST", path, content=content, headers={"Content-Type": kind, **more.pop("headers", {})}, **more)


@pytest.fixture(scope="module")
def served() -> Any:
    return app()


def told(got: Got, status: int) -> str:
    """The paragraph of a problem document of some status."""
    assert got.status == status, got.text
    assert got.headers["content-type"] == "application/problem+json"
    data = got.data
    assert (data["type"], data["status"]) == ("about:blank", status)
    assert set(data) - {"id"} == {"type", "title", "status", "code", "detail"}
    assert "\n" not in data["detail"]
    assert data["detail"].endswith((".", "?"))
    assert "--" not in data["detail"]
    return str(data["detail"])


# --- the same answers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_the_answer_is_that_of_the_command_line(form: str, served: Any, cli: Callable[..., Any]) -> None:
    """Every form of input gets the document that `labinterp interpret --to json` prints."""
    body = json.dumps(FORMS[form]).encode()
    got = send(served, body)
    assert (got.status, got.headers["content-type"]) == (200, "application/json")
    assert got.data == json.loads(cli("interpret", "-", "--to", "json", stdin=body).out)


@pytest.mark.parametrize("form", FORMS)
def test_the_answer_is_that_of_the_library(form: str, served: Any) -> None:
    """Each report is what `labinterp.interpret` gives for its panel."""
    panels = readers.read_json(json.dumps(FORMS[form]))
    reports = [(p.notes, li.interpret(p.results, p.patient, rows=p.rows).to_dict()) for p in panels]
    expected = [{**report, "notes": [*notes, *report["notes"]]} for notes, report in reports]
    assert send(served, FORMS[form]).data["reports"] == json.loads(json.dumps(expected))


def test_json_lines_and_a_mark_of_byte_order(served: Any, cli: Callable[..., Any]) -> None:
    """Rows one a line, and bytes that start with a byte order mark or blanks, are read."""
    lines = b"\n".join(json.dumps(row).encode() for row in FORMS["rows"])
    expected = json.loads(cli("interpret", "-", "--to", "json", stdin=json.dumps(FORMS["rows"]).encode()).out)
    assert send(served, lines).data == expected
    assert send(served, b"\xef\xbb\xbf" + lines).data == expected
    assert send(served, b" " * 100 + json.dumps(FORMS["rows"]).encode()).data == expected


@pytest.mark.parametrize(
    "options",
    [
        {"authority": "endocrine-society"},
        {"authority": ["vitamin_d=endocrine-society", "ferritin=who"]},
        {"as_of": "2020-01-01", "authority": "vitamin_d/endocrine-2011"},
        {"decimal": ","},
        {"decimal": "."},
        {"research": "true"},
    ],
    ids=str,
)
def test_options_are_those_of_the_command_line(options: dict[str, Any], served: Any, cli: Callable[..., Any]) -> None:
    """`authority`, `as_of`, `decimal` and `research` do what they do elsewhere."""
    args: list[str] = []
    for name, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            args += [f"--{name.replace('_', '-')}"] + ([] if name == "research" else [one])
    expected = cli("interpret", "-", "--to", "json", *args, stdin=json.dumps(PANEL).encode())
    got = send(served, PANEL, params=options)
    assert got.status == 200, got.text
    assert got.data == json.loads(expected.out)


def test_a_survey_is_answered_as_on_the_command_line(served: Any, cli: Callable[..., Any]) -> None:
    """1,622 real results of a national survey, as rows of JSON; only a file has places to tell."""
    path = ROOT / "docs" / "examples" / "nhanes_2001.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    document = json.loads(cli("interpret", str(path), "--to", "json").out)
    for answer in (one for report in document["reports"] for key in ("findings", "not_assessed") for one in report[key]):
        assert answer.pop("source").startswith("nhanes_2001.csv, row ")
    assert send(served, rows).data == document


def whole(model: Any, data: Any) -> None:
    """Data has the form of a model, and no key that the model does not name."""
    assert model.model_validate(data).model_dump(mode="json", by_alias=True, exclude_unset=True) == data


@pytest.mark.parametrize("form", FORMS)
def test_the_published_form_is_true_of_answers(form: str, served: Any) -> None:
    """The typed model in OpenAPI names every key of an answer, and nothing is of another type."""
    whole(answers.Document, send(served, FORMS[form], params={"research": "true"}).data)


def test_the_published_form_is_true_of_what_is_looked_up(served: Any, cli: Callable[..., Any]) -> None:
    """Analytes and limits are those of the command line, for every analyte, and have the form that is published."""
    analytes = ask(served, "GET", "/analytes").data
    assert analytes == json.loads(cli("analytes", "--to", "json").out)
    for analyte in analytes:
        whole(lookups.Analyte, analyte)
        limits = ask(served, "GET", f"/limits/{analyte['id']}").data
        for one in limits:
            whole(lookups.LimitSet, one)
    assert limits == json.loads(cli("limits", analyte["id"], "--to", "json").out)


def test_an_analyte_has_an_id_names_and_codes(served: Any) -> None:
    """`vitamin_d`, `25(OH)D` and `62292-8` are one; another name is told."""
    by_id, by_name, by_code = (ask(served, "GET", f"/limits/{name}").data for name in ("vitamin_d", "25(OH)D", "62292-8"))
    assert by_id == by_name == by_code != []
    assert "vitamin_d" not in told(ask(served, "GET", "/limits/tooth%20fairy"), 404)
    assert told(ask(served, "GET", "/limits/1,25-dihydroxyvitamin%20D"), 404)
    assert told(ask(served, "GET", "/limits/"), 404)
    assert told(ask(served, "GET", f"/limits/{'x' * 5000}"), 404)


def test_a_value_is_converted(served: Any) -> None:
    """Both ways to ask give the exact number; the comparator and a range are kept."""
    question = {"analyte": "vitamin_d", "value": "20 ng/mL", "unit": "nmol/L"}
    got = ask(served, "GET", "/convert", params=question).data
    exact = li.convert("20 ng/mL", "nmol/L", analyte="vitamin_d").value
    assert got == {
        "analyte": "vitamin_d",
        "comparator": None,
        "value": float(exact),
        "value_high": None,
        "unit": "nmol/L",
        "exact": str(exact),
    }
    assert send(served, question, "/convert").data == got
    below = send(served, {"analyte": "B12", "value": "<150 pg/mL", "unit": "pg/mL"}, "/convert").data
    assert (below["comparator"], below["value"], below["exact"]) == ("<", 150, "150")
    whole(lookups.Converted, got)


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"analyte": PERSON, "value": "1 ng/mL", "unit": "nmol/L"}, "unknown_analyte"),
        ({"analyte": "vitamin_d", "value": f"{PERSON} ng/mL", "unit": "nmol/L"}, "unreadable_value"),
        ({"analyte": "vitamin_d", "value": "20", "unit": "nmol/L"}, "unreadable_value"),
        ({"analyte": "vitamin_d", "value": "20 ng/mL", "unit": PERSON}, "unknown_unit"),
        ({"analyte": "vitamin_d", "value": f"20 {PERSON}", "unit": "nmol/L"}, "unknown_unit"),
        ({"analyte": "holotranscobalamin", "value": "50 ng/L", "unit": "pmol/L"}, "incompatible_unit"),
        ({"analyte": "vitamin_d", "value": "1,060 ng/mL", "unit": "nmol/L"}, "unreadable_value"),
        ({"analyte": "vitamin_d", "value": 20, "unit": "nmol/L"}, "form"),
        ({PERSON: 1}, "form"),
        ([PERSON], "form"),
    ],
    ids=str,
)
def test_a_conversion_that_cannot_be_made_says_why(question: Any, code: str, served: Any) -> None:
    """422 with the next step, without the value."""
    got = send(served, question, "/convert")
    assert PERSON not in told(got, 422)
    assert got.data["code"] == code


def test_health_and_versions(served: Any) -> None:
    """The service says that it is there, and which program and data answer."""
    assert ask(served, "GET", "/health").data == {"status": "ok"}
    catalog = li.Catalog.default()
    assert ask(served, "GET", "/version").data == {"labinterp": li.__version__, "catalog": catalog.version, "as_of": catalog.as_of}


def test_a_sites_own_limits_answer() -> None:
    """`app(catalog=...)` answers with other data."""
    catalog = li.Catalog.default().with_files(ROOT / "docs" / "examples" / "our_limits")
    more = set(catalog.table["limits"]) - set(li.Catalog.default().table["limits"])
    analyte = next(iter(more)).split("/")[0]
    assert more & {one["id"] for one in ask(app(catalog=catalog), "GET", f"/limits/{analyte}").data}


# --- what is refused -----------------------------------------------------------------------------------------------


def nested(depth: int) -> bytes:
    return b'{"results": ' + b"[" * depth + b"]" * depth + b"}"


HOSTILE = {
    "nothing": (b"", 400),
    "blanks": (b" \n ", 400),
    "a number": (b"17", 400),
    "a text": (b'"ferritin"', 400),
    "broken": (b'{"results": {"ferritin": "12 ug/L"', 400),
    "a table": (b"test,value,unit\nferritin,12,ug/L\n", 400),
    "as deep as a stack": (nested(100_000), 400),
    "a little too deep": (nested(DEEPEST), 400),
    "deep objects": (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400),
    "open for ever": (b"[" * 500_000, 400),
    "utf-16": (json.dumps(PANEL).encode("utf-16"), 400),
    "latin-1": ('{"results": {"Folsäure": "1 ug/L"}}'.encode("latin-1"), 400),
    "a raw nul": (b'{"results": {"fer\x00ritin": "12 ug/L"}}', 400),
    "not a number": (b'{"results": {"ferritin": NaN}}', 400),
    "a key twice": (b'{"results": {"ferritin": "12 ug/L", "ferritin": "90 ug/L"}}', 422),
    "a list of nothing": (b"[]", 422),
    "lists in lists": (b"[[[]]]", 422),
    "mixed": (b'[{"results": {}}, 7]', 422),
    "an unknown key": (json.dumps({"results": {}, PERSON: 1}).encode(), 422),
    "an unknown key of a result": (json.dumps({"results": [{"test": "ferritin", PERSON: 1}]}).encode(), 422),
    "a result that is a list": (json.dumps({"results": {PERSON: ["12"]}}).encode(), 422),
    "a day that is a number": (b'{"results": [{"test": "ferritin", "value": "12 ug/L", "collected_at": 86400}]}', 422),
    "a birth date that is a number": (b'{"patient": {"birth_date": 0}, "results": {}}', 422),
    "an unknown circumstance": (json.dumps({"patient": {"contexts": [PERSON]}, "results": {}}).encode(), 422),
    "columns of no meaning": (json.dumps([{PERSON: "a", "b": {"c": 1}}]).encode(), 422),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_body_that_cannot_be_read_is_told(name: str, served: Any, caplog: pytest.LogCaptureFixture) -> None:
    """400 where it is not JSON, 422 where it is; a paragraph, and neither it nor the log holds the body."""
    caplog.set_level(logging.DEBUG)
    body, status = HOSTILE[name]
    assert PERSON not in told(send(served, body), status)
    assert PERSON not in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        b'{"results": {"ferritin": 1e400}}',
        b'{"results": {"ferritin": "1e999999999 ug/L"}}',
        b'{"results": {"ferritin": ' + b"9" * 100_000 + b"}}",
        b'{"results": [{"test": "ferritin", "value": -0.0, "unit": "ug/L", "ref_low": 1e308, "ref_high": 1e309}]}',
        b'{"patient": {"age_years": 1e400, "id": "\\ud800\\u0000"}, "results": {"\\u0000": "\\ud83d", "\\u202e": "\\u0000"}}',
        b'{"results": {"ferritin": "' + b"1" * 1_000_000 + b'"}}',
        b'{"results": {"' + b"ferritin " * 100_000 + b'": "1"}}',
        b'[{"test": "ferritin", "value": {"a": [1]}, "unit": ["ug/L"], "sex": {}, "age_years": [1], "collected_at": 20240101}]',
    ],
    ids=["1e400", "1e999999999", "digits", "ends", "surrogates", "long value", "long name", "objects in a row"],
)
def test_odd_data_is_an_answer(body: bytes, served: Any) -> None:
    """What is odd in a result comes back with its reason, as everywhere, in JSON that any program can read."""
    got = send(served, body)
    assert got.status == 200, got.text

    def refuse(word: str) -> None:
        raise AssertionError(word)

    data = json.loads(got.text, parse_constant=refuse)
    whole(answers.Document, data)
    assert data["summary"]["not_assessed"] == data["summary"]["rows"] > 0


def test_no_more_bytes_are_read_than_allowed(served: Any) -> None:
    """The bound holds with a length, with a false one, and without one; a field of 10 MB is over it."""
    small = app(max_bytes=1000)
    assert send(small, b'{"results": {}}' + b" " * 985).status == 200
    assert "1000 bytes" in told(send(small, b'{"results": {}}' + b" " * 986), 413)
    assert told(send(served, {"results": {"ferritin": "1" * 10_000_000}}), 413)
    taken = 0

    async def for_ever() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 1000

    got = ask(small, "POST", "/interpret", content=for_ever(), headers={"Content-Type": "application/json"})
    assert told(got, 413)
    assert got.headers["connection"] == "close"
    assert taken <= 20
    assert told(ask(small, "POST", "/convert", content=for_ever(), headers={"Content-Type": "application/json"}), 413)


def test_no_more_results_are_read_than_allowed() -> None:
    """The bound counts results, and panels without any."""
    small = app(max_results=3)
    assert send(small, {"results": {"a": 1, "b": 2, "c": 3}}).status == 200
    for body in ({"results": {"a": 1, "b": 2, "c": 3, "d": 4}}, [{"results": {}}] * 4, [{"test": "a", "value": 1}] * 4):
        assert "3 results" in told(send(small, body), 413)


def test_depth_is_told_before_parsing() -> None:
    """Brackets within texts are no depth."""
    assert not too_deep(b'["' + b"[" * 500 + b'"]')
    assert not too_deep(b'["\\"' + b"[{" * 500 + b'\\\\"]')
    assert not too_deep(b"[" + b"[{}]," * 200)
    assert too_deep(b"[" * (DEEPEST + 1))
    assert not too_deep(b"[" * DEEPEST)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json; charset=iso-8859-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": ""},
    ],
    ids=str,
)
def test_another_content_type_is_refused(headers: dict[str, str], served: Any) -> None:
    """415 names what is read."""
    for path in ("/interpret", "/convert"):
        assert "application/json" in told(ask(served, "POST", path, content=b"{}", headers=headers), 415)
    assert send(served, PANEL, kind='Application/JSON; charset="UTF-8"').status == 200


@pytest.mark.parametrize(
    "query",
    [
        {"authority": PERSON},
        {"authority": ["nam", PERSON]},
        {"authority": f"{PERSON}=nam"},
        {"as_of": PERSON},
        {"as_of": "2026-02-30"},
        {"as_of": "20240603"},
        {"as_of": "1717372800"},
        {"decimal": ";"},
        {"research": PERSON},
        {"athority": "nam"},
        {PERSON: PERSON},
        {"authority": ["nam"] * 51},
    ],
    ids=lambda query: str(query)[:40],
)
def test_an_option_that_cannot_be_used_is_told(query: dict[str, Any], served: Any) -> None:
    """422; an option of another name is refused, not passed over, for the answer would be another than was asked for."""
    assert PERSON not in told(send(served, PANEL, params=query), 422)


def test_other_paths_and_methods_are_told(served: Any) -> None:
    """404 and 405 as problem documents; there is no page that needs a network, no redirect, and no CORS."""
    for path in ("/docs", "/redoc", f"/{PERSON}", "/interpret/", "/limits"):
        assert PERSON not in told(ask(served, "GET", path), 404)
    wrong = ask(served, "GET", "/interpret")
    assert told(wrong, 405)
    assert wrong.headers["allow"] == "POST"
    asked = ask(served, "OPTIONS", "/interpret", headers={"Origin": "https://example.org", "Access-Control-Request-Method": "POST"})
    got = send(served, PANEL, headers={"Origin": "https://example.org"})
    assert not [name for one in (asked, got) for name in one.headers if name.startswith("access-control")]


# --- the token -----------------------------------------------------------------------------------------------------

GUARDED = [
    ("POST", "/interpret"),
    ("GET", "/analytes"),
    ("GET", "/limits/ferritin"),
    ("GET", "/convert"),
    ("POST", "/convert"),
    ("GET", "/version"),
]


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_without_the_token_there_is_no_answer(method: str, path: str) -> None:
    """401 with WWW-Authenticate, before anything else is looked at; with the token the same request goes through."""
    guarded = app(token=TOKEN)
    for sent in (None, "", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer \xe4".encode("latin-1")):
        got = ask(guarded, method, path, headers={} if sent is None else {"Authorization": sent})
        assert "Bearer" in told(got, 401)
        assert got.headers["www-authenticate"].startswith('Bearer realm="labinterp"')
        assert ("invalid_token" in got.headers["www-authenticate"]) == bool(sent)
    for sent in (f"Bearer {TOKEN}", f"bearer  {TOKEN}"):
        assert ask(guarded, method, path, headers={"Authorization": sent}).status not in (401, 500)


def test_health_the_page_and_the_description_need_no_token() -> None:
    """What tells nothing but that the service is there is open; the description says what needs the token."""
    guarded = app(token=TOKEN)
    assert [ask(guarded, "GET", path).status for path in ("/health", "/", "/openapi.json")] == [200] * 3
    described = guarded.openapi()
    assert described["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}
    assert described["paths"]["/interpret"]["post"]["security"] == [{"token": []}]
    assert "401" in described["paths"]["/interpret"]["post"]["responses"]
    assert described["paths"]["/health"]["get"]["security"] == []
    assert "securitySchemes" not in app().openapi()["components"]


def test_settings_that_cannot_be_used_stop_the_service(tmp_path: Path) -> None:
    """A token that is easy to guess, a bound that is none, a file that is not there: told at the start, without the token."""
    for wrong in (
        {"token": "secret"},
        {"token": "a b" * 20},
        {"token": ""},
        {"max_bytes": 0},
        {"max_results": -1},
        {"timeout": 0},
        {"timeout": 1e9},
    ):
        with pytest.raises(InputError) as error:
            app(**wrong)  # type: ignore[arg-type]
        assert "secret" not in str(error.value)
    file = tmp_path / "token.txt"
    with pytest.raises(InputError):
        token_from(file)
    file.write_text(f"{TOKEN}\n", "utf-8")
    assert token_from(file) == TOKEN
    assert settings_from({}) == Settings()
    given = {"LABINTERP_TOKEN_FILE": str(file), "LABINTERP_MAX_BYTES": "17", "LABINTERP_TIMEOUT": "0.5"}
    assert settings_from(given) == Settings(token=TOKEN, max_bytes=17, timeout=0.5)
    with pytest.raises(InputError, match="numbers"):
        settings_from({"LABINTERP_MAX_RESULTS": "many"})


def test_the_environment_sets_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that starts the service by its name gets it as the environment says."""
    monkeypatch.setenv("LABINTERP_TOKEN", TOKEN)
    monkeypatch.setenv("LABINTERP_LIMITS", str(ROOT / "docs" / "examples" / "our_limits"))
    guarded = from_environment()
    assert ask(guarded, "GET", "/version").status == 401
    assert ask(guarded, "GET", "/version", headers={"Authorization": f"Bearer {TOKEN}"}).status == 200


# --- manners -------------------------------------------------------------------------------------------------------


def test_every_answer_has_the_headers(served: Any) -> None:
    """No sniffing, nothing kept, no content from anywhere; on answers as on problems."""
    for got in (
        send(served, PANEL),
        ask(served, "GET", "/analytes"),
        send(served, b"x"),
        ask(served, "GET", "/nowhere"),
        ask(served, "GET", "/"),
    ):
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["cache-control"] == "no-store"
        assert got.headers["referrer-policy"] == "no-referrer"
        assert got.headers["content-security-policy"].startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in got.headers["content-security-policy"]


def test_the_page_needs_no_network_and_shows_texts_as_texts(served: Any) -> None:
    """Its one script and style are those of its policy, it loads nothing, and what comes from an answer is never read as markup."""
    got = ask(served, "GET", "/")
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    policy, page = got.headers["content-security-policy"], got.text
    for tag in ("script", "style"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert len(re.findall(rf"<{tag}\b", page)) == 1
        assert f"{tag}-src 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy
    assert "unsafe" not in policy
    assert not re.findall(r"https?://|@import|url\(|\bsrc=|\bstyle=|\bon[a-z]+=", page)
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(|localStorage|sessionStorage|cookie", page)
    assert "textContent" in page
    assert 'lang="en"' in page
    assert 'name="viewport"' in page
    body = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert body
    assert send(served, body[1].encode()).data["summary"]["rows"] == 6


@pytest.mark.parametrize("error", [ValueError(PERSON), KeyError(PERSON), RuntimeError(PERSON), RecursionError(PERSON)], ids=repr)
def test_a_fault_says_nothing_of_the_data(
    error: Exception, served: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 with an id; the log has the id, the kind of error and the place, and nothing else."""

    def broken(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(routes, "answered", broken)
    caplog.set_level(logging.DEBUG)
    got = send(served, PANEL)
    assert told(got, 500)
    assert got.data["id"] in caplog.text
    assert got.data["id"] in got.data["detail"]
    assert re.search(rf"fault {got.data['id']}: {type(error).__name__} in _service/routes\.py:\d+", caplog.text)
    assert PERSON not in caplog.text + got.text


def test_the_log_holds_no_data(served: Any, caplog: pytest.LogCaptureFixture) -> None:
    """One line a request: method, path of the route, status, time."""
    caplog.set_level(logging.DEBUG, "labinterp")
    patient = {"patient": {"id": PERSON}, "results": {PERSON: PERSON}}
    assert PERSON in send(served, patient).text
    ask(served, "GET", "/convert", params={"analyte": PERSON, "value": PERSON, "unit": PERSON})
    ask(served, "GET", f"/limits/{PERSON}")
    ask(served, "GET", f"/{PERSON}")
    ask(served, "Q", f"/{PERSON}")
    lines = [re.sub(r"[\d.]+ ms", "T ms", record.getMessage()) for record in caplog.records if record.name == "labinterp.service"]
    assert lines == [
        "POST /interpret 200 T ms",
        "GET /convert 422 T ms",
        "GET /limits/{analyte} 404 T ms",
        "GET (no such path) 404 T ms",
        "other (no such path) 404 T ms",
    ]
    assert PERSON not in caplog.text


def test_the_access_log_of_another_server_is_cut() -> None:
    """Where somebody runs the service in a server of their own, its access log loses the query and what follows the first step."""
    record = logging.LogRecord(
        "uvicorn.access",
        logging.INFO,
        "",
        0,
        '%s - "%s %s HTTP/%s" %d',
        ("127.0.0.1:1", "GET", f"/limits/{PERSON}?{PERSON}", "1.1", 404),
        None,
    )
    assert WithoutData().filter(record)
    assert record.getMessage() == '127.0.0.1:1 - "GET /limits/... HTTP/1.1" 404'
    assert [cut(path) for path in ("/interpret?authority=nam", "/", "/Zebulon", "/health")] == ["/interpret", "/", "/...", "/health"]


# --- time and crowds -----------------------------------------------------------------------------------------------


class Held:
    """Stands in for the interpretation, and does not end before it is let go.

    Attributes:
        go: Lets all of them go.
        begun: Panels that were begun.
        first: So many panels begin before the clock of any request runs, however busy the machine is; where they are let go, none runs.
    """

    def __init__(self) -> None:
        self.go, self.begun, self.first = threading.Event(), list[Any](), 0

    def __call__(self, panel: Any, patient: Any, options: Any) -> li.Report:
        self.begun.append(panel)
        assert self.go.wait(30)
        return li.interpret(panel.results, patient)

    async def all_begun(self) -> None:
        """Wait for the first panels."""
        async with asyncio.timeout(30):
            while len(self.begun) < self.first:
                await asyncio.sleep(0.01)

    async def clock(self, awaited: Any, *, timeout: float) -> Any:
        """As `asyncio.wait`."""
        await self.all_begun()
        return await asyncio.wait(awaited, timeout=None if self.go.is_set() else timeout)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    stand_in = Held()
    monkeypatch.setattr(routes, "answered", stand_in)
    monkeypatch.setattr(work, "asyncio", SimpleNamespace(wait=stand_in.clock, wrap_future=asyncio.wrap_future))
    yield stand_in
    stand_in.go.set()


def test_an_answer_that_takes_too_long_is_given_up(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """504; the work ends at the next panel, for nobody waits."""
    monkeypatch.setattr("labinterp.service.Settings", lambda **given: Settings(**given, threads=1))
    slow, held.first = app(timeout=0.2), 1
    assert "0.2 seconds" in told(send(slow, [{"results": {}}, {"results": {}}]), 504)
    held.go.set()
    assert send(slow, {"results": {}}).status == 200  # in the only thread, so that by now the work before has ended
    assert len(held.begun) == 2  # the first panel was begun, the second never


def test_when_all_threads_are_taken_others_wait_and_are_told(held: Held) -> None:
    """The loop stays free: health answers while four requests are computed; a fifth that finds no thread gets 503 and when to come back."""
    slow, held.first = app(timeout=0.5), 4

    async def crowd() -> tuple[list[Any], Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=slow), base_url="http://service") as client:
            asked = [asyncio.create_task(client.post("/interpret", json={"results": {}})) for _ in range(5)]
            await held.all_begun()
            health = await client.get("/health")
            return await asyncio.gather(*asked), health

    got, health = asyncio.run(crowd())
    assert health.json() == {"status": "ok"}
    assert sorted(one.status_code for one in got) == [503, 504, 504, 504, 504]
    (busy,) = [one for one in got if one.status_code == 503]
    assert busy.headers["retry-after"] == "1"


def test_there_are_only_so_many_places(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the places a request is refused at once, before its body is read."""
    monkeypatch.setattr("labinterp.service.Settings", lambda **given: Settings(**given, places=2))
    small, held.first = app(timeout=5), 2

    async def crowd() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=small), base_url="http://service") as client:
            asked = [asyncio.create_task(client.post("/interpret", json={"results": {}})) for _ in range(2)]
            await held.all_begun()
            third = await client.post("/interpret", json={"results": {}})
            held.go.set()
            return [one.status_code for one in await asyncio.gather(*asked)], third

    first, third = asyncio.run(crowd())
    assert (first, third.status_code, third.headers["retry-after"]) == ([200, 200], 503, "1")


def test_many_threads_at_once_get_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's memos are shared by threads, and one may empty them while another reads."""
    monkeypatch.setattr(_catalog, "_MEMO", 3)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    panels = [
        ({"25(OH)D": f"{n} ng/mL", "B12": "210 pg/mL", f"odd {n}": "1"}, li.Patient(sex="female", age_years=20 + n)) for n in range(12)
    ]
    expected = [li.interpret(*panel).to_json() for panel in panels]
    wrong: list[Any] = []

    def answer() -> None:
        try:
            wrong.extend(n for n, panel in enumerate(panels) if li.interpret(*panel).to_json() != expected[n])
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=answer) for _ in range(8)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []


# --- a real process ------------------------------------------------------------------------------------------------


class Process:
    """`labinterp serve` in a process of its own."""

    def __init__(self, *args: str) -> None:
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])}
        self.run = subprocess.Popen(
            [sys.executable, "-m", "labinterp", "serve", "--port", "0", *args],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=env,
        )
        self.lines: list[str] = []
        workers = int(args[args.index("--workers") + 1]) if "--workers" in args else 1
        assert self.run.stderr
        for line in self.run.stderr:
            self.lines.append(line)
            workers -= "Application startup complete" in line
            if not workers:
                break
        found = re.search(r"serves on http://([\d.]+):(\d+)/", "".join(self.lines))
        assert found, self.lines
        self.host, self.port = found[1], int(found[2])
        self.url = f"http://127.0.0.1:{self.port}"

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code and all it wrote to standard error, after a signal."""
        self.run.send_signal(how)
        _, rest = self.run.communicate(timeout=30)
        return self.run.returncode, "".join(self.lines) + rest

    def kill(self) -> None:
        """End it, however the test went."""
        if self.run.poll() is None:
            self.run.kill()
            self.run.communicate()


@pytest.fixture
def process() -> Iterator[Callable[..., Process]]:
    begun: list[Process] = []

    def start(*args: str) -> Process:
        begun.append(Process(*args))
        return begun[-1]

    yield start
    for one in begun:
        one.kill()


def head(length: int) -> bytes:
    return f"POST /interpret HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()


def read_all(line: socket.socket) -> bytes:
    line.settimeout(20)
    got = b""
    while piece := line.recv(65536):
        got += piece
    return got


def closed(port: int) -> None:
    """Wait until nobody listens any more."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            return


def test_a_process_answers_and_ends_with_its_last_request(process: Callable[..., Process]) -> None:
    """Loopback only, no warning; a request that is under way when SIGTERM comes still gets its answer; the log holds no data."""
    one = process()
    assert one.host == "127.0.0.1"
    assert "can be reached" not in "".join(one.lines)
    body = json.dumps({"patient": {"id": PERSON}, "results": {"ferritin": "12 ug/L"}}).encode()
    got = httpx.post(f"{one.url}/interpret", content=body, headers={"Content-Type": "application/json"}, params={"authority": "who"})
    assert got.json()["reports"][0]["patient"]["id"] == PERSON
    assert "server" not in got.headers
    httpx.get(f"{one.url}/limits/{PERSON}", params={"q": PERSON})
    httpx.post(f"{one.url}/interpret", content=PERSON.encode(), headers={"Content-Type": "application/json"})
    with socket.create_connection(("127.0.0.1", one.port)) as odd:
        odd.sendall(f"{PERSON}\r\n\r\n".encode())
        read_all(odd)
    with socket.create_connection(("127.0.0.1", one.port)) as line:
        line.sendall(head(len(body)) + body[:10])
        httpx.get(f"{one.url}/health")  # by then the first bytes have been seen
        one.run.send_signal(signal.SIGTERM)
        closed(one.port)
        line.sendall(body[10:])
        answer = read_all(line)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert PERSON.encode() in answer
    _, rest = one.run.communicate(timeout=30)
    log = "".join(one.lines) + rest
    assert one.run.returncode == 0
    assert "POST /interpret 200" in log
    assert PERSON not in log
    assert "Traceback" not in log
    assert "?" not in log


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_requests_in_the_document_are_answered_as_shown(process: Callable[..., Process]) -> None:
    """Each curl line of docs/service.md prints what is shown below it."""
    one = process()
    shown_there = [pair for block in blocks(ROOT / "docs" / "service.md", "console") for pair in shown(block)]
    assert len(shown_there) >= 7
    for command, lines in shown_there:
        done = subprocess.run(
            ["sh", "-c", command.replace("localhost:8377", f"127.0.0.1:{one.port}")], capture_output=True, text=True, check=True
        )
        assert matches(lines, done.stdout.rstrip("\n").split("\n")), command + done.stdout


def test_a_slow_sender_and_a_long_one(process: Callable[..., Process]) -> None:
    """A body that does not come in time gets 408; one that is too long is answered although its sender still sends; Ctrl-C ends the service."""
    one = process("--timeout", "0.5", "--max-bytes", "1000")
    with socket.create_connection(("127.0.0.1", one.port)) as line:
        line.sendall(head(100) + b"{")
        assert read_all(line).startswith(b"HTTP/1.1 408")
    got = httpx.post(f"{one.url}/interpret", content=b"x" * 15_000, headers={"Content-Type": "application/json"})
    assert (got.status_code, got.json()["code"]) == (413, "too_large")
    code, log = one.end(signal.SIGINT)
    assert code == 0
    assert "Traceback" not in log


def test_processes_with_a_token(process: Callable[..., Process], tmp_path: Path) -> None:
    """Two workers share the settings; bound elsewhere with a token there is no warning; all of them end."""
    file = tmp_path / "token"
    file.write_text(TOKEN, "utf-8")
    one = process("--host", "0.0.0.0", "--token-file", str(file), "--workers", "2")
    with httpx.Client(transport=httpx.HTTPTransport(retries=20)) as client:
        refused = [client.post(f"{one.url}/interpret", json=PANEL).status_code for _ in range(4)]
        got = [client.post(f"{one.url}/interpret", json=PANEL, headers={"Authorization": f"Bearer {TOKEN}"}).status_code for _ in range(4)]
    assert (refused, got) == ([401] * 4, [200] * 4)
    code, log = one.end()
    assert code == 0
    assert "can be reached" not in log
    assert TOKEN not in log
    assert log.count("Application shutdown complete") == 2


def test_bound_elsewhere_without_a_token_it_warns(process: Callable[..., Process]) -> None:
    """One line on standard error says who may ask."""
    one = process("--host", "0.0.0.0")
    assert "0.0.0.0 can be reached from other machines, and no token is set" in "".join(one.lines)
    assert one.end()[0] == 0


def test_the_command_says_what_it_cannot_do(cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is taken, a file without a token, limits with a problem: one paragraph, and no service."""
    for name in ("LABINTERP_TOKEN", "LABINTERP_TOKEN_FILE", "LABINTERP_MAX_BYTES", "LABINTERP_MAX_RESULTS", "LABINTERP_TIMEOUT"):
        monkeypatch.setenv(name, "x")  # so that what the command sets is taken back
        monkeypatch.delenv(name)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = cli("serve", "--port", str(port))
    assert (done.code, done.err) == (
        1,
        f"labinterp: cannot listen on 127.0.0.1, port {port}: Address already in use. Choose another with --host or --port\n",
    )
    file = tmp_path / "token"
    file.write_text("short", "utf-8")
    done = cli("serve", "--token-file", str(file))
    assert done.code == 1
    assert "16 to 512" in done.err
    assert "short" not in done.err


def test_without_the_extra_one_line_says_so() -> None:
    """`labinterp serve` and `import labinterp.service` name the extra."""
    hint = "this needs the extra 'service':  pip install \"labinterp[service]\""
    for missing in ("fastapi", "uvicorn"):
        code = (
            f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['labinterp', 'serve']; from labinterp.__main__ import main; main()"
        )
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=env)
        assert (done.returncode, done.stderr.strip()) == (1, f"labinterp: {hint}")


def test_the_rest_of_the_command_line_does_without_the_extra() -> None:
    """No other command loads a web framework."""
    code = "import sys; from labinterp.cli import app; print(sorted({'fastapi', 'starlette', 'uvicorn'} & set(sys.modules)))"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])}
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env).stdout == "[]\n"
