"""What all middleware together costs: a no-op route with every manner around it against the same route on bare FastAPI.

    uv run python -m tests.benchmarks.middleware    # exits 1 above the bar

Two processes under uvicorn (uvloop, httptools) on loopback, loaded in turn over keep-alive connections. What counts is the
CPU time of the server's process per request, user and system, from /proc. The whole app logs every request at INFO into a file.
"""

import asyncio
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute

from services.kernel.actors import Actor
from services.kernel.http import problems
from services.kernel.http.limits import Limiter
from services.kernel.http.middleware import Manners
from services.kernel.http.tally import Tally
from services.kernel.ids import OrgId
from services.kernel.telemetry import configure_logs

BAR = 1.5
ROUNDS = 11
REQUESTS = 4_000
CONNECTIONS = 8
TICKS = 100
PATIENCE = 30.0
ASKED = (
    b"GET /v1/noop HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nUser-Agent: backhaul-python/0.1.0\r\n"
    b"Backhaul-Version: 2026-11-01\r\nAuthorization: Bearer bh_test_key_0123456789\r\n\r\n"
)


def bare() -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.add_api_route("/v1/noop", noop, methods=["GET"])
    return app


def whole() -> FastAPI:
    configure_logs("INFO")
    app = FastAPI(openapi_url=None)
    app.router.add_api_route("/v1/noop", noop, methods=["GET"], route_class_override=Limited)
    problems.install(app)
    app.add_middleware(Manners, tally=Tally())
    return app


async def noop() -> dict[str, bool]:
    return {"ok": True}


class Limited(APIRoute):
    """Counts against a quota where the market's own route does, once it knows who calls."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = super().get_route_handler()
        limiter, actor = Limiter("1000000000/minute", ""), Actor("key", False, org_id=OrgId.new())

        async def limited(request: Request) -> Response:
            limiter.take(request.scope, actor)
            return await endpoint(request)

        return limited


class Server:
    """One app in a process of its own."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], port: int) -> None:
        self.name, self.port = name, port
        self._process = process
        self.costs: list[float] = []

    def measure(self, requests: int) -> None:
        """Adds the microseconds of CPU per request."""
        before = self._ticks()
        asyncio.run(_load(self.port, requests))
        self.costs.append((self._ticks() - before) / TICKS / requests * 1e6)

    def _ticks(self) -> int:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    @property
    def cost(self) -> float:
        return statistics.median(self.costs)


@contextmanager
def served(name: str) -> Iterator[Server]:
    port = _free_port()
    with tempfile.TemporaryFile() as log:
        arguments = [sys.executable, "-m", "tests.benchmarks.middleware", name, str(port)]
        process = subprocess.Popen(arguments, stdout=log, stderr=log)
        try:
            _wait_until_up(port)
            yield Server(name, process, port)
        finally:
            process.terminate()
            process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_up(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            asyncio.run(_load(port, CONNECTIONS))
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


async def _load(port: int, requests: int) -> None:
    await asyncio.gather(*(_ask(port, requests // CONNECTIONS) for _ in range(CONNECTIONS)))


async def _ask(port: int, times: int) -> None:
    """One connection, one request after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(times):
        writer.write(ASKED)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
    writer.close()
    await writer.wait_closed()


def main() -> int:
    with served("bare") as one, served("whole") as other:
        for server in (one, other) * ROUNDS:
            server.measure(REQUESTS)
    for server in (one, other):
        each = " ".join(f"{cost:.0f}" for cost in server.costs)
        print(f"{server.name:6} {server.cost:6.1f} µs CPU per request (rounds: {each})")
    ratio = statistics.median(whole / bare for bare, whole in zip(one.costs, other.costs, strict=True))
    print(f"ratio  {ratio:6.2f} of {BAR} allowed (median of the rounds)")
    return int(ratio > BAR)


def serve(name: str, port: str) -> None:
    app = {"bare": bare, "whole": whole}[name]()
    uvicorn.run(app, port=int(port), loop="uvloop", http="httptools", log_config=None, access_log=False)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(*sys.argv[1:])
    else:
        sys.exit(main())
