"""What the documents and docstrings show is what happens."""

from __future__ import annotations

import doctest
import importlib
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "labinterp"
MODULES = sorted(".".join(p.relative_to(SOURCE).with_suffix("").parts) for p in SOURCE.rglob("*.py") if p.stem != "__main__")
MODULES = [name.removesuffix(".__init__") for name in MODULES]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "reference_ranges").glob("*.md")])
DOCUMENTS = [p for p in DOCUMENTS if p.is_file()]
COMMANDS = ["interpret", "report", "explain", "effects", "plot", "convert", "analytes", "limits", "schema", "check", "serve"]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(path: Path, *languages: str) -> list[str]:
    """The fenced blocks of a document in some languages."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_in_docstrings_run(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each example in a module gives what it shows."""
    monkeypatch.chdir(ROOT)
    found = importlib.import_module("labinterp" if module == "__init__" else f"labinterp.{module}")
    failed, _ = doctest.testmod(found, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_the_python_in_a_document_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python blocks of a document run one after the other, and what they assert is true."""
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {"__name__": "document"}
    for number, block in enumerate(blocks(path, "python"), 1):
        exec(compile(block, f"{name(path)} block {number}", "exec"), names)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_the_links_in_a_document_lead_somewhere(path: Path) -> None:
    """A link to a file of this repository leads to a file that is there."""
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"[a-z]+:|#", link)]
    assert not [link for link in links if not (path.parent / link).exists()]


def shown(block: str) -> list[tuple[str, list[str]]]:
    """The commands of a console block, and the lines shown below each."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(lines[0], lines[1:]) for lines in (part.rstrip("\n").split("\n") for part in parts)]


def matches(expected: list[str], got: list[str]) -> bool:
    """Whether lines are those shown, where "..." stands for any number of lines."""
    pattern = "".join(r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line.rstrip()) + r"\n" for line in expected)
    return re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in got)) is not None


CONSOLE = [(path, command, lines) for path in DOCUMENTS for block in blocks(path, "console") for command, lines in shown(block)]
CONSOLE = [(path, command, lines) for path, command, lines in CONSOLE if command.startswith("labinterp ") and not set("|><") & set(command)]


@pytest.mark.parametrize(("path", "command", "lines"), CONSOLE, ids=[f"{name(p)}: {c}" for p, c, _ in CONSOLE])
def test_a_command_in_a_document_prints_what_is_shown(
    path: Path, command: str, lines: list[str], cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A console block shows what its command prints; "..." stands for what was left out."""
    monkeypatch.chdir(ROOT)
    done = cli(*shlex.split(command)[1:])
    assert matches(lines, (done.out.rstrip("\n") + "\n" + done.err).strip("\n").split("\n")), done.out + done.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, cli: Callable[..., Any]) -> None:
    """`labinterp COMMAND --help` says what it does and shows a line that could be typed."""
    done = cli(command, "--help")
    assert done.code == 0
    assert f"labinterp {command} " in done.out.replace(f"Usage: labinterp {command} ", "")


HELPS = """
import sys
from labinterp.cli import app
for command in sys.argv[1:]:
    sys.argv = ["labinterp", command, "--help"]
    try:
        app()
    except SystemExit as stop:
        print(stop.code, end="\\0")
"""


@pytest.fixture(scope="module")
def helps() -> dict[str, str]:
    """The help of each command as a process of its own writes it at 80 columns into a pipe: one process for all."""
    from tests.test_cli import piped

    texts = piped(*COMMANDS, start=("-c", HELPS), COLUMNS="80", NO_COLOR="1").split("\0")
    assert texts.pop() == ""
    return dict(zip(COMMANDS, texts, strict=True))


@pytest.mark.parametrize("command", COMMANDS)
def test_no_help_is_cut_at_80_columns(command: str, helps: dict[str, str]) -> None:
    """On a narrow terminal every word of the help can be read: nothing ends in three dots."""
    assert f" labinterp {command} " in helps[command]
    assert helps[command].endswith("\n0")
    assert max(map(len, helps[command].splitlines())) <= 80
    assert "…" not in helps[command]


def test_the_help_names_every_command(cli: Callable[..., Any]) -> None:
    """`labinterp --help` lists the commands, and there is no other."""
    listed = re.findall(r"^│ (\w+) {2,}", cli("--help").out.split("Commands")[1], re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)


def test_the_command_lines_of_the_readme_can_be_typed(cli: Callable[..., Any]) -> None:
    """Each command and option in the README exists, and each file it names that is ours is there."""
    lines = [line.split("#")[0] for block in blocks(ROOT / "README.md", "sh", "console", "bash") for line in block.splitlines()]
    found = [match for line in lines for match in re.finditer(r"\blabinterp (?P<command>[a-z]+)(?P<rest>[^&|]*)", line)]
    for match in found:
        assert match["command"] in COMMANDS, match[0]
        text = cli(match["command"], "--help").out
        assert not [option for option in re.findall(r"(?<= )--?[a-z-]+", match["rest"]) if option not in text], match[0]
        assert not [word for word in shlex.split(match["rest"]) if word.startswith("docs/") and not (ROOT / word).is_file()], match[0]
    assert len(found) >= 5
