"""The web service beside a bare FastAPI echo of the same body, taking turns in one run.

Run: `python -m benchmarks.service [SECONDS]`. Two worker processes each; the load comes from this process, so on two cores all three share them.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fastapi import FastAPI, Request, Response

from benchmarks.scalar import CROWD, DOCUMENT
from labinterp._commands.serving import _listen

WORKERS, CONNECTIONS, ROUNDS = 2, 16, 5


def echo_app() -> FastAPI:
    """The least FastAPI can do with a body: give it back; or give back as many bytes as the service does."""
    made = FastAPI()
    long = b" " * 52_000

    @made.post("/echo")
    async def echo(request: Request) -> Response:
        return Response(await request.body(), media_type="application/json")

    @made.post("/long")
    async def long_echo(request: Request) -> Response:
        await request.body()
        return Response(long, media_type="application/json")

    return made


def serve_echo() -> None:
    """Run the echo until it is ended."""
    import uvicorn

    listening = _listen("127.0.0.1", 0)  # as `labinterp serve` does: else the echo alone would wait 40 ms for receipts
    print(f"serves on http://127.0.0.1:{listening.getsockname()[1]}/", file=sys.stderr)
    uvicorn.run("benchmarks.service:echo_app", factory=True, fd=listening.fileno(), workers=WORKERS, access_log=False)


def start(*args: str) -> tuple[subprocess.Popen[bytes], int]:
    """A server and its port, once its workers answer; its log goes to a file, as in use."""
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as log:
        begun = subprocess.Popen([sys.executable, "-m", *args], stderr=log)
        while True:
            text = Path(log.name).read_text("utf-8")
            found = re.search(r"serves on http://[\d.]+:(\d+)", text)
            if found and text.count("startup complete") == WORKERS:
                return begun, int(found[1])
            assert begun.poll() is None, text
            time.sleep(0.1)


class Line:
    """One connection that is kept."""

    def __init__(self, port: int, path: str) -> None:
        self.port, self.path = port, path

    async def open(self) -> None:
        self.read, self.write = await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, body: bytes) -> int:
        """One request; the length of its answer."""
        head = f"POST {self.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.write.write(head.encode() + body)
        answer = await self.read.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer
        found = re.search(rb"content-length: (\d+)", answer)
        assert found
        return len(await self.read.readexactly(int(found[1])))


async def load(port: int, path: str, bodies: list[bytes], seconds: float, connections: int) -> tuple[float, list[float]]:
    """Requests a second over some connections, and the seconds each took."""
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def one(first: int) -> None:
        line = Line(port, path)
        await line.open()
        at = first
        while time.perf_counter() < end:
            began = time.perf_counter()
            await line.ask(bodies[at % len(bodies)])
            took.append(time.perf_counter() - began)
            at += 1
        line.write.close()

    began = time.perf_counter()
    await asyncio.gather(*(one(7 * n) for n in range(connections)))
    return len(took) / (time.perf_counter() - began), took


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    ours, our_port = start("labinterp", "serve", "--port", "0", "--workers", str(WORKERS))
    echo, echo_port = start("benchmarks.service", "echo")
    panel, crowd = [DOCUMENT.encode()], [text.encode() for text in CROWD]
    cases = {
        "panel": (our_port, "/interpret", panel),
        "60 people in turn": (our_port, "/interpret", crowd),
        "echo": (echo_port, "/echo", panel),
        "echo of 52 kB": (echo_port, "/long", panel),
    }
    rates: dict[str, list[float]] = {name: [] for name in cases}
    alone: dict[str, list[float]] = {name: [] for name in cases}
    try:
        for port, path, bodies in cases.values():
            asyncio.run(load(port, path, bodies, 1, CONNECTIONS))
        for _ in range(ROUNDS):
            for name, (port, path, bodies) in cases.items():
                rates[name].append(asyncio.run(load(port, path, bodies, seconds, CONNECTIONS))[0])
                alone[name] += asyncio.run(load(port, path, bodies, seconds / 2, 1))[1]
    finally:
        for server in (ours, echo):
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    figures = {}
    for name in cases:
        took = sorted(alone[name])
        figures[name] = {
            "requests a second": round(statistics.median(rates[name])),
            "one at a time, median ms": round(1000 * statistics.median(took), 2),
            "one at a time, 99 of 100 below ms": round(1000 * took[int(len(took) * 0.99)], 2),
        }
    for name in ("panel", "60 people in turn"):
        for beside in ("echo", "echo of 52 kB"):
            figures[name][f"of the rate of the {beside}"] = round(
                figures[name]["requests a second"] / figures[beside]["requests a second"], 2
            )
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    serve_echo() if sys.argv[1:2] == ["echo"] else main()
