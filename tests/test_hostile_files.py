"""Hostile files of every form, through the real command: each ends in a clear reason, soon, in little memory, and tells nobody's text.

One process that has loaded the library makes a child for each file, so that time and memory are those of that file.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests import test_same_blood as blood

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here: time and memory of hostile files not checked")

CANARY = "XQZCANARY"
SECONDS = 60  # of the processor; a bound on hangs, not a speed
MEMORY = 500 << 20  # bytes above what the command takes for an ordinary file

# Reads one line of JSON (arguments, standard input, folder), runs the command in a child, tells how it ended.
_PROGRAM = """
import json, os, resource, sys, time
import labinterp.cli, labinterp._catalog, labinterp.readers
labinterp._catalog.Catalog.default()
for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if child == 0:
        os.chdir(asked["folder"])
        resource.setrlimit(resource.RLIMIT_CPU, (asked["seconds"], asked["seconds"] + 5))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(asked[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.dup2(os.open(asked["stdin"] or os.devnull, os.O_RDONLY), 0)
        sys.stdin = open(0)
        sys.argv = ["labinterp", *asked["args"]]
        code = 99
        try:
            labinterp.cli.app()
        except SystemExit as stop:
            code = int(stop.code or 0)
        except BaseException:
            import traceback
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(code)
    _, status, used = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    print(json.dumps({"code": code, "seconds": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)}), flush=True)
"""


class Ended(NamedTuple):
    """How a run of the command ended."""

    code: int
    out: str
    err: str
    seconds: float
    memory: int


class Runner:
    """Runs the command in children of one process."""

    def __init__(self, folder: Path) -> None:
        source = Path(__file__).parents[1] / "src"
        env = {**os.environ, "PYTHONPATH": str(source), "COLUMNS": "120", "NO_COLOR": "1", "RUST_BACKTRACE": "0"}
        self.folder, self.count = folder, 0
        self.process = subprocess.Popen([sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def run(self, folder: Path, *args: str, stdin: str = "") -> Ended:
        """One run, in a folder."""
        self.count += 1
        out, err = self.folder / f"{self.count}.out", self.folder / f"{self.count}.err"
        assert self.process.stdin
        assert self.process.stdout
        asked = {"args": args, "stdin": stdin, "folder": str(folder), "out": str(out), "err": str(err), "seconds": SECONDS}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        said = json.loads(self.process.stdout.readline())
        return Ended(said["code"], out.read_text("utf-8", "replace"), err.read_text("utf-8", "replace"), said["seconds"], said["memory"])


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    made = Runner(tmp_path_factory.mktemp("said"))
    yield made
    made.process.communicate(timeout=30)


@pytest.fixture(scope="module")
def ordinary(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> int:
    """Memory for an ordinary file."""
    folder = tmp_path_factory.mktemp("ordinary")
    blood.long_table(folder)
    done = runner.run(folder, "interpret", "labs.csv", "--to", "json")
    assert done.code == 0, done.err
    return done.memory


def held(done: Ended, ordinary: int, folder: Path, before: set[Path]) -> None:
    """What must be true of every end: a told one, in bounds, and nothing left behind."""
    assert done.code in (0, 1), f"{done.code}: {done.err[-1500:]}"
    assert "Traceback" not in done.err
    assert CANARY not in done.err
    assert done.memory - ordinary < MEMORY, f"{(done.memory - ordinary) >> 20} MB"
    if done.code:
        assert done.err.startswith("labinterp: "), done.err[:300]
        assert "\n\n" not in done.err.strip(), "more than one paragraph"
        assert len(done.err) < 700, done.err
        assert done.out == ""
    assert set(folder.rglob("*")) - before == set(), "a file was written"


# --- hostile files, form by form --------------------------------------------------------------------------------


class Hostile(NamedTuple):
    """A file, how it is given, and what is said of it.

    Attributes:
        name: Of the file.
        make: Its bytes.
        says: A pattern in what is said: the error, or the notes and the summary where it is read.
        args: More of the command line.
    """

    name: str
    make: Callable[[], bytes]
    says: str
    args: Sequence[str] = ()


def made_by(form: str, number: int = 0) -> bytes:
    """A file of the same blood in a form."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return (blood.FORMS.get(form) or blood.wide)(Path(folder))[number].read_bytes()


def zipped(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def gzip_bomb() -> bytes:
    """A gigabyte of one row in about a megabyte."""
    import zlib

    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = b"Ferritin,12,ug/L\n" * (1 << 16)
    return b"".join([packing.compress(b"test,value,unit\n"), *(packing.compress(piece) for _ in range(1000)), packing.flush()])


def sheet(change: Callable[[bytes], bytes]) -> bytes:
    """A workbook whose sheet is another text."""
    with zipfile.ZipFile(io.BytesIO(made_by("workbook"))) as archive:
        parts = {one: archive.read(one) for one in archive.namelist()}
    at = next(name for name in parts if name.endswith("sheet1.xml"))
    return zipped(*{**parts, at: change(parts[at])}.items())


def open_document(content: bytes) -> bytes:
    return zipped(("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", content))


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "'
    + CANARY.encode()
    + b'"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]><x>&c;</x>'
)
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
LONG = "9" * 10_000_000
MESSAGE = "MSH|^~\\&|LAB|H|||20240506||ORU^R01|1|P|2.5\rPID|1||7||XQZCANARY^A||19530304|F\r"
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "a",
    "status": "final",
    "code": {"text": "Ferritin"},
    "valueQuantity": {"value": 12, "unit": "ug/L"},
}


def observation(**parts: Any) -> bytes:
    return json.dumps({**OBSERVATION, **parts}).encode()


def bundle(*resources: dict[str, Any]) -> bytes:
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}).encode()


XML = b'<Bundle xmlns="http://hl7.org/fhir">'


def observation_xml(text: str) -> bytes:
    made = '<Observation xmlns="http://hl7.org/fhir"><code><text value="Ferritin"/></code><valueString value="{}"/></Observation>'
    return made.format(text).encode()


def circle() -> bytes:
    """Panels that are members of each other, and of themselves."""
    return bundle(
        {**OBSERVATION, "id": "a", "hasMember": [{"reference": "Observation/b"}, {"reference": "Observation/a"}]},
        {**OBSERVATION, "id": "b", "hasMember": [{"reference": "Observation/a"}], "derivedFrom": [{"reference": "Observation/b"}]},
        {"resourceType": "DiagnosticReport", "id": "d", "result": [{"reference": "Observation/a"}, {"reference": "DiagnosticReport/d"}]},
    )


HEAD = "patient_id,test,value,unit\n"
ROW = f"{CANARY},Ferritin,12,ug/L\n"
MEASUREMENT = "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,unit_concept_id,measurement_source_value\n"
CASES: dict[str, Hostile] = {
    # bombs
    "gzip bomb": Hostile("labs.csv.gz", gzip_bomb, "300 times its size"),
    "zip bomb": Hostile("labs.zip", lambda: zipped(("a.csv", b"\0" * (64 << 20))), "times its size"),
    "workbook bomb": Hostile("labs.xlsx", lambda: sheet(lambda _: b" " * (80 << 20)), "times its size"),
    "zip in zip": Hostile("labs.zip", lambda: zipped(("a.zip", zipped(("b.csv", b"x")))), "archive within the archive"),
    "ten thousand members": Hostile("labs.zip", lambda: zipped(*((f"{n}.csv", b"") for n in range(10_001))), "10,001 members"),
    "entities in xlsx": Hostile("labs.xlsx", lambda: sheet(lambda _: LAUGHS), "declares entities"),
    "external entity in xlsx": Hostile("labs.xlsx", lambda: sheet(lambda _: OUTSIDE), "declares entities"),
    "entities in ods": Hostile("labs.ods", lambda: open_document(LAUGHS), "declares entities"),
    "external entity in ods": Hostile("labs.ods", lambda: open_document(OUTSIDE), "declares entities"),
    "entities in XML": Hostile("labs.xml", lambda: LAUGHS, "declares a document type or entities"),
    "external entity in XML": Hostile("labs.xml", lambda: OUTSIDE, "declares a document type or entities"),
    "entities in FHIR as XML": Hostile("labs.xml", lambda: LAUGHS.replace(b"<x>&c;</x>", b'<Patient xmlns="http://hl7.org/fhir"><id value="&c;"/></Patient>'), "declares a document type"),
    "other XML": Hostile("labs.xml", lambda: b"<labs>XQZCANARY</labs>", "XML, which is not read unless it is FHIR"),
    # nesting and circles
    "deep JSON": Hostile("labs.json", lambda: b"[" * 200_000, "nested|breaks off|not JSON"),
    "deep JSON that ends": Hostile("labs.json", lambda: b'{"results":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
    "deep value in JSON": Hostile("labs.json", lambda: b'[{"test":"Ferritin","value":' + b"[" * 500 + b"]" * 500 + b"}]", "unreadable_value"),
    "deep FHIR": Hostile("labs.json", lambda: b'{"resourceType":"Bundle","entry":[{"resource":' * 20_000, "nested|breaks off"),
    "deep extension in FHIR": Hostile("labs.json", lambda: observation()[:-1] + b',"extension":' + b'[{"extension":' * 5000 + b"[]" + b"}]" * 5000 + b"}", "nested"),
    "deep FHIR as XML": Hostile("labs.xml", lambda: XML + b"<entry><resource><Bundle>" * 100_000, "nested"),
    "circles in FHIR": Hostile("labs.json", circle, "2 rows"),
    "contained in itself": Hostile("labs.json", lambda: observation(contained=[{**OBSERVATION, "id": "a", "hasMember": [{"reference": "#a"}]}], hasMember=[{"reference": "#a"}]), "rows?"),
    # long and wide
    "10 MB field in CSV": Hostile("labs.csv", lambda: f"{HEAD}{ROW}a,Ferritin,{LONG},ug/L\n".encode(), "unreadable_value 1"),
    "10 MB name in CSV": Hostile("labs.csv", lambda: f"{HEAD}{ROW}a,{LONG},12,ug/L\n".encode(), "unknown_analyte 1"),
    "10 MB field in JSON": Hostile("labs.json", lambda: json.dumps([{"test": "Ferritin", "value": LONG, "unit": "ug/L"}]).encode(), "unreadable_value 1"),
    "10 MB number in JSON": Hostile("labs.json", lambda: b'[{"test":"Ferritin","value":' + LONG.encode() + b',"unit":"ug/L"}]', "implausible 1|unreadable_value 1"),
    "10 MB field in HL7": Hostile("labs.hl7", lambda: f"{MESSAGE}OBX|1|NM|Ferritin||{LONG}|ug/L\r".encode(), "unreadable_value 1"),
    "10 MB name in HL7": Hostile("labs.hl7", lambda: f"{MESSAGE}OBX|1|NM|{LONG}||12|ug/L\r".encode(), "unknown_analyte 1"),
    "10 MB field in FHIR": Hostile("labs.json", lambda: observation(valueQuantity=None, valueString=LONG), "unreadable_value 1"),
    "10 MB attribute in FHIR as XML": Hostile("labs.xml", lambda: observation_xml(LONG), "unreadable_value 1"),
    "an attribute without an end in FHIR as XML": Hostile("labs.xml", lambda: XML + b'<id value="' + b"9" * (100 << 20), "longer than 64 MB"),
    "a million elements in FHIR as XML": Hostile("labs.xml", lambda: XML + b"<entry/>" * 1_000_000 + b"</Bundle>", "0 rows|no results"),
    "a million attributes in FHIR as XML": Hostile("labs.xml", lambda: XML + b"<id " + b" ".join(b'a%d="1"' % n for n in range(1_000_000)) + b"/></Bundle>", "0 rows|no results"),
    "10 MB field in OMOP": Hostile("m.csv", lambda: f"{MEASUREMENT}1,1,3001122,2024-01-01,{LONG},8842,x\n".encode(), "implausible 1|unreadable_value 1"),
    "10 MB cell of NHANES": Hostile("l.csv", lambda: f"SEQN,LBXFER\n1,{LONG}\n".encode(), "unreadable_value 1"),
    "a million columns": Hostile("labs.csv", lambda: ",".join(f"c{n}" for n in range(1_000_000)).encode() + b"\n1,2\n", "columns"),
    "a million columns with a table among them": Hostile("labs.csv", lambda: ("test,value,unit," + ",".join(f"c{n}" for n in range(1_000_000)) + "\nFerritin,12,ug/L\n").encode(), "columns"),
    "a million fields in HL7": Hostile("labs.hl7", lambda: f"{MESSAGE}OBX|1|NM|Ferritin||12|ug/L{'|x' * 1_000_000}\r".encode(), "rows?"),
    "a million keys in JSON": Hostile("labs.json", lambda: ('[{"test":"Ferritin","value":"x",' + ",".join(f'"k{n}":1' for n in range(1_000_000)) + "}]").encode(), "columns"),
    "a million empty lines": Hostile("labs.csv", lambda: HEAD.encode() + b"\n" * 1_000_000, "0 rows|no rows|no result|empty"),
    # NUL, encodings
    "NUL in CSV": Hostile("labs.csv", lambda: f"{HEAD}{CANARY}\0,Ferritin,1\0002,ug/L\n".encode(), "binary file"),
    "NUL in JSON": Hostile("labs.json", lambda: b'[{"test":"Ferritin","value":"1\0002"}]', "not JSON|NUL|rows?|control"),
    "NUL in HL7": Hostile("labs.hl7", lambda: f"{MESSAGE}OBX|1|NM|Ferritin||1\0002|ug/L\r".encode(), "unreadable_value 1"),
    "NUL in FHIR as XML": Hostile("labs.xml", lambda: observation_xml("1\0002"), "not XML to its end, or damaged"),
    "NUL in FHIR": Hostile("labs.json", lambda: observation(note="x\0").replace(b"\\u0000", b"\0"), "JSON|rows?"),
    "NULs alone": Hostile("labs.csv", lambda: b"\0" * 1_000_000, "binary file"),
    **{
        f"{form} in UTF-16 without a mark": Hostile(name, lambda form=form: made_by(form).decode().encode("utf-16-le"), "rows|encoding|UTF-16|JSON|column")  # type: ignore[misc]
        for form, name in (("csv", "labs.csv"), ("json", "labs.json"), ("fhir", "labs.json"), ("fhir xml", "labs.xml"), ("hl7 v2", "labs.hl7"), ("omop", "m.csv"))
    },
    **{
        f"{form} in Latin-1": Hostile(name, lambda form=form: made_by(form).decode().replace("p1", "Müller").encode("latin-1"), "8 rows")  # type: ignore[misc]
        for form, name in (("csv", "labs.csv"), ("json", "labs.json"), ("fhir", "labs.json"), ("hl7 v2", "labs.hl7"))
    },
    **{
        f"{form} with bytes that are no UTF-8": Hostile(name, lambda form=form: made_by(form).replace(b"p1", b"\xff\xfe\xc3\x28"), "8 rows|encoding|JSON")  # type: ignore[misc]
        for form, name in (("csv", "labs.csv"), ("json", "labs.json"), ("fhir", "labs.json"), ("hl7 v2", "labs.hl7"))
    },
    **{
        f"FHIR as XML {how}": Hostile("labs.xml", lambda put=put: made_by("fhir xml").replace(b"p1", put), "the XML is not UTF-8 text.*save it as UTF-8, or give --encoding")  # type: ignore[misc]
        for how, put in (("in Latin-1", "Müller".encode("latin-1")), ("with bytes that are no UTF-8", b"\xff\xfe\xc3\x28"))
    },
    # ids that stand twice
    "one id twice in FHIR": Hostile("labs.json", lambda: bundle(OBSERVATION, {**OBSERVATION, "valueQuantity": {"value": 300, "unit": "ug/L"}}), "2 rows"),
    "one key twice in FHIR": Hostile("labs.json", lambda: observation().replace(b'"status"', b'"valueQuantity":{"value":1},"status"'), "1 not assessed"),
    "one message twice": Hostile("labs.hl7", lambda: f"{MESSAGE}OBX|1|NM|Ferritin||12|ug/L\r".encode() * 2, "rows?"),
    "one measurement twice": Hostile("m.csv", lambda: f"{MEASUREMENT}{'1,1,3001122,2024-01-01,12,8842,x' + chr(10)}".encode() + b"1,1,3001122,2024-01-01,300,8842,x\n", "2 rows"),
    "one column twice": Hostile("labs.csv", lambda: b"test,value,value,unit\nFerritin,12,300,ug/L\n", "twice|two columns|rows?"),
    # no file
    "an empty archive": Hostile("labs.zip", lambda: zipped(("folder/", b"")), "holds no file"),
    "a tar archive": Hostile("labs.tar", lambda: b"labs.csv" + b"\0" * 249 + b"ustar  \0" + b"\0" * 1000, "tar archive"),
    "a PDF": Hostile("labs.pdf", lambda: b"%PDF-1.7 XQZCANARY", "this is a PDF"),
    "an old workbook that is none": Hostile("labs.xls", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000, "workbook"),
    "a Parquet file that is none": Hostile("labs.parquet", lambda: b"PAR1" + b"\0" * 100 + b"PAR1", "Parquet", ("--to", "json")),
    **{
        f"an empty file as {form}": Hostile(f"empty.{form}", lambda: b"", "empty|no |not |breaks off|damaged|accepted JSON", ("--from", form))
        for form in ("csv", "json", "fhir", "hl7v2", "omop", "xlsx", "parquet", "xpt")
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_ends_in_a_clear_reason(name: str, runner: Runner, ordinary: int, tmp_path: Path) -> None:
    """Code 0 with every row answered, or code 1 with one calm paragraph; in bounds, nothing written, nobody's text told."""
    case = CASES[name]
    (tmp_path / case.name).write_bytes(case.make())
    before = set(tmp_path.rglob("*"))
    done = runner.run(tmp_path, "interpret", case.name, *(case.args or ()), *(() if "--to" in case.args else ("--to", "json")))
    held(done, ordinary, tmp_path, before)
    assert re.search(case.says, done.err), done.err[:600]


def half(form: str) -> tuple[str, bytes]:
    from tests.test_nhanes_files import sample

    names = {"workbook": "labs.xlsx", "parquet": "labs.parquet", "gzip": "labs.csv.gz", "hl7 v2": "labs.hl7", "xpt": "L06_B.XPT"}
    data = sample() if form == "xpt" else made_by(form)
    return names.get(form, "labs.json" if form in ("json", "fhir") else "labs.csv"), data[: len(data) // 2]


@pytest.mark.parametrize("form", [*blood.FORMS, "wide", "xpt"])
def test_half_a_file_is_told(form: str, runner: Runner, ordinary: int, tmp_path: Path) -> None:
    """Half of the bytes: what was read is answered and the file is said to break off, or it is refused. A cut row is never a result."""
    name, data = half(form)
    (tmp_path / name).write_bytes(data)
    before = set(tmp_path.rglob("*"))
    done = runner.run(tmp_path, "interpret", name, "--to", "json")
    held(done, ordinary, tmp_path, before)
    if done.code == 0:
        found = [one for report in json.loads(done.out)["reports"] for one in report["findings"]]
        whole = {(one[0], float(one[2].lstrip("<"))) for one in blood.BLOOD}
        assert {(one["source_name"], one["value"]) for one in found} <= whole | {
            (one["source_name"], one["value"]) for one in found if form not in ("csv", "tsv")
        }
    assert re.search(r"breaks off|truncated|damaged|not JSON|cells|cut|no table|whole|rows?", done.err), done.err[:500]


# --- what is no plain file ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["../../evil.csv", "/tmp/evil.csv", "..\\..\\evil.csv", "C:\\evil.csv", "a/../../evil.csv", "con", "x\0y.csv"]
)
def test_paths_in_an_archive_lead_nowhere(path: str, runner: Runner, ordinary: int, tmp_path: Path) -> None:
    """Members are read in memory under their last name; nothing is written anywhere."""
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "labs.zip").write_bytes(zipped((path, made_by("csv"))))
    before = set(tmp_path.rglob("*"))
    done = runner.run(deep, "interpret", "labs.zip", "--to", "json")
    held(done, ordinary, tmp_path, before)
    assert not Path("/tmp/evil.csv").exists()
    assert done.code == 0, done.err
    places = {one["source"] for report in json.loads(done.out)["reports"] for one in report["findings"]}
    assert all("/evil" not in place.replace("labs.zip/evil", "") and ".." not in place for place in places)


def test_a_directory_a_missing_file_and_one_that_may_not_be_read(runner: Runner, ordinary: int, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    before = set(tmp_path.rglob("*"))
    for name in ("empty", "missing.csv", "empty/missing"):
        done = runner.run(tmp_path, "interpret", name, "--to", "json")
        held(done, ordinary, tmp_path, before)
        assert done.code == 1


def test_a_pipe_is_read_to_its_end(runner: Runner, ordinary: int, tmp_path: Path) -> None:
    """A FIFO gives what is written into it; one that is closed at once gives nothing, and says so."""
    for number, data in enumerate((made_by("csv"), b"")):
        pipe = tmp_path / f"pipe{number}"
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_bytes, args=(data,))
        writer.start()
        before = set(tmp_path.rglob("*"))
        done = runner.run(tmp_path, "interpret", pipe.name, "--to", "json")
        writer.join(timeout=30)
        held(done, ordinary, tmp_path, before)
        assert done.code == (0 if data else 1), done.err


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no file without an end here")
@pytest.mark.parametrize("args", [("-",), ("/dev/zero",), ("-", "--from", "fhir"), ("-", "--from", "hl7v2")])
def test_an_input_without_an_end_is_left(args: tuple[str, ...], runner: Runner, ordinary: int, tmp_path: Path) -> None:
    done = runner.run(tmp_path, "interpret", *args, "--to", "json", stdin="/dev/zero")
    held(done, ordinary + (300 << 20), tmp_path, set())  # as much as is read before it is left
    assert done.code == 1
    assert "has not ended" in done.err


def test_a_file_larger_than_is_read_whole_is_told(runner: Runner, ordinary: int, tmp_path: Path) -> None:
    """A file with a hole in it: 3 GB that lie nowhere."""
    with (tmp_path / "big.json").open("wb") as file:
        file.write(b"[")
        file.truncate(3 << 30)
    done = runner.run(tmp_path, "interpret", "big.json", "--to", "json")
    held(done, ordinary, tmp_path, {tmp_path / "big.json"})
    assert "row by row" in done.err


@pytest.mark.parametrize("out", ["out.csv", "out.parquet", "-"])
def test_damaged_pages_of_parquet_end_in_a_reason(out: str, runner: Runner, ordinary: int, tmp_path: Path) -> None:
    """Bytes within the pages are changed: polars may panic, in a thread that prints of its own, and no output is left."""
    import random

    data, dice = made_by("parquet"), random.Random(3)
    told = 0
    for _ in range(12):
        changed = bytearray(data)
        for _ in range(12):
            at = dice.randrange(4, len(data) // 2)
            changed[at : at + 8] = bytes(8)
        (tmp_path / "labs.parquet").write_bytes(changed)
        done = runner.run(tmp_path, "interpret", "labs.parquet", *(("--to", "json") if out == "-" else ("-o", out)))
        assert done.code in (0, 1), done.err[-1500:]
        assert "Traceback" not in done.err
        assert "panicked" not in done.err
        if done.code:
            told += 1
            assert "labinterp: " in done.err
            assert [path.name for path in tmp_path.iterdir()] == ["labs.parquet"]
        (tmp_path / out).unlink(missing_ok=True)
    assert told


# --- what goes out ----------------------------------------------------------------------------------------------

FORMULAS = ['=HYPERLINK("http://x","y")', "+1+1", "-2+3", "@SUM(1)", "=cmd|' /C calc'!A0", "\t=1+1"]


@pytest.mark.parametrize("form", ["csv", "xlsx", "omop"])
def test_formulas_of_a_file_run_nowhere(form: str, runner: Runner, ordinary: int, tmp_path: Path) -> None:
    """Whatever a cell holds, no cell of the output starts a formula, and no cell of a workbook is one."""
    import csv

    with (tmp_path / "labs.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["patient_id", "test", "value", "unit", "flag"])
        rows.writerows([[text, text, text, text, text] for text in FORMULAS])
    done = runner.run(tmp_path, "interpret", "labs.csv", "--to", form, "-o", f"out.{form}")
    assert done.code == 0, done.err
    data = (tmp_path / f"out.{form}").read_bytes()
    if form == "xlsx":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert not any(b"<f>" in archive.read(name) or b"<f " in archive.read(name) for name in archive.namelist() if "sheet" in name)
    else:
        cells = [cell for row in csv.reader(io.StringIO(data.decode())) for cell in row]
        assert [cell for cell in cells if re.match(r"[=@+\t]|-[^0-9]|-\d.*[+*/=]", cell)] == []


SOON = [0.05, 0.4, 0.9]


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "parquet", "xlsx", "fhir", "hl7v2", "omop"])
def test_ctrl_c_leaves_no_half_written_output(form: str, tmp_path: Path) -> None:
    """A real process, stopped at three moments: no output or a whole one, no part of one beside it, and no word of a traceback.

    A run that was stopped at its last moment, when its output had its name already, may leave it: then it is compared with a run in peace.
    """
    rows = "".join(f"p{n},Ferritin,{n % 300},ug/L,F,34\n" for n in range(40_000))
    if form == "hl7v2":
        (tmp_path / "labs.in").write_text(
            MESSAGE + "".join(f"OBX|{n}|NM|Ferritin||{n % 300}|ug/L\r" for n in range(15_000)), "utf-8", newline=""
        )
    else:
        (tmp_path / "labs.in").write_text("patient_id,test,value,unit,sex,age\n" + rows, "utf-8")
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src"), "NO_COLOR": "1"}
    names = {"parquet": "out.parquet", "xlsx": "out.xlsx"}
    out = tmp_path / names.get(form, "out.x")
    command = [sys.executable, "-m", "labinterp", "interpret", "labs.in", "--to", form, "-o"]
    for wait in SOON:
        process = subprocess.Popen(
            [*command, out.name], cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        time.sleep(0.6 + wait)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
        left = sorted(path.name for path in tmp_path.iterdir() if path.name != "labs.in")
        assert left == [out.name] if process.returncode == 0 else left in ([], [out.name]), (wait, left, process.returncode)
        assert b"Traceback" not in said or b"__main__.py" not in said, said[-1500:]  # before that, Python itself is starting
        if left:
            whole = tmp_path / f"whole.{out.name}"
            subprocess.run([*command, whole.name], cwd=tmp_path, env=env, check=True, capture_output=True)
            assert _dateless(out) == _dateless(whole)
            out.unlink()
            whole.unlink()


STARTING = """
import os, runpy, sys
name = sys.argv.pop(1)
sys.modules.pop(name, None)
class Stopping:
    def find_spec(self, asked, *_):
        if asked == name:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), 2)
sys.meta_path.insert(0, Stopping())
runpy.run_module("labinterp", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("module", ["signal", "rich", "labinterp.cli"])
def test_ctrl_c_while_modules_are_loaded_is_told_as_such(module: str, tmp_path: Path) -> None:
    """From the first module that takes time."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
    command = [sys.executable, "-c", STARTING, module, "interpret", "labs.csv"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


CLOSING = """
import atexit, os, signal, sys
def stopped():
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(1000):
        pass
atexit.register(stopped)
sys.argv = ["labinterp", "interpret", "labs.csv", "-o", "out.json"]
from labinterp.__main__ import main
main()
"""


def test_ctrl_c_while_python_closes_down_changes_nothing(tmp_path: Path) -> None:
    """The output has its name: the run ends as one that is whole."""
    (tmp_path / "labs.csv").write_text("test,value,unit\nFerritin,12,ug/L\n", "utf-8")
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
    done = subprocess.run([sys.executable, "-c", CLOSING], cwd=tmp_path, env=env, capture_output=True, check=False)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
    assert json.loads((tmp_path / "out.json").read_text("utf-8"))["reports"]


def _dateless(path: Path) -> dict[str, bytes]:
    """What a file holds; of a workbook, without the day it was made."""
    if path.suffix != ".xlsx":
        return {"": path.read_bytes()}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != "docProps/core.xml"}


def test_packed_and_whole_files_are_the_same_within_the_bounds(tmp_path: Path) -> None:
    """A tightly packed file of ordinary size is no bomb: a thousand equal rows."""
    from labinterp.readers import read_bytes

    data = b"test,value,unit\n" + b"Ferritin,12,ug/L\n" * 200_000
    packed = gzip.compress(data)
    assert len(data) > 300 * len(packed)
    assert sum(len(panel.results) for panel in read_bytes(packed).panels) == 200_000
