"""Files that can end the process that reads them -> what another process tells of them, within bounds of memory and time."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Final

from labinterp._formats.archives import called
from labinterp.errors import InputError

_MEMORY: Final = 2 << 30  # bytes
_SECONDS: Final = 20  # and one more for each 100 kB
_PROGRAM: Final = "import sys; sys.path = sys.argv[3:]; from labinterp._formats.apart import answer; answer(sys.argv[1], sys.argv[2])"


def told_by_another(module: str, function: str, data: bytes, name: str) -> Any:
    """What a function says of a file, called in a process of its own.

    Args:
        module: Where the function is.
        function: Takes the bytes of the file, gives plain data, and raises InputError.
        data: The file.
        name: For messages.

    Raises:
        InputError: As the function; or the process ended before it had an answer.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and our own words
            [sys.executable, "-I", "-S", "-c", _PROGRAM, module, function, *sys.path],
            input=data,
            capture_output=True,
            timeout=_SECONDS + len(data) // 100_000,
            check=False,
        )
        answer: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    except (subprocess.TimeoutExpired, ValueError):
        answer = {}
    if "told" in answer:
        return answer["told"]
    raise InputError(f"{called(name)}{answer.get('wrong', 'the file is damaged, or larger than can be read; save it again, or as CSV')}")


def answer(module: str, function: str) -> None:
    """In the other process: read the file, call the function, print what it says."""
    from importlib import import_module

    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    except (ImportError, ValueError, OSError):
        pass  # without bounds it still ends alone
    data = sys.stdin.buffer.read()
    try:
        said = {"told": getattr(import_module(module), function)(data)}
    except InputError as error:
        said = {"wrong": str(error)}
    sys.stdout.buffer.write(json.dumps(said).encode())
