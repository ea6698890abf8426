"""The market in which the races are run: PostgreSQL, two API processes and a worker, all thrown away at the end."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import httpx
from sqlalchemy import text

from services.hosting import TOP, migrate_database
from services.kernel import database
from services.kernel.database import Sessions
from services.kernel.embedded_postgres import EmbeddedPostgres
from tests.factories.parties import Party

DATABASE = "backhaul_races"
API_PROCESSES = 2
CONNECTIONS = 64
PATIENCE = 60.0
"""Seconds a process has to come up."""
IDLE_SECONDS = 3.0
"""A connection is not used again after this pause: the server hangs up after five seconds."""


class DidNotStart(RuntimeError):
    """A process is not there; the end of its log says why."""


class NothingCame(RuntimeError):
    """What the worker should have done did not happen in time."""


@dataclass(frozen=True)
class Answer:
    """`status` 0: no answer came, and `code` names the failure. `ms` from the call, the wait for a connection included."""

    status: int
    code: str | None
    body: dict[str, Any]
    ms: float

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def told(self) -> str:
        return str(self.status) if self.is_success else f"{self.status} {self.code}"


@dataclass
class Round:
    """What one round has shown. A violation is a sentence; `latencies` are the ms of the racing requests."""

    note: str = ""
    latencies: list[float] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def expect(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            self.violations.append(f"{what}: {found!r} instead of {wanted!r}")


@dataclass(frozen=True)
class Place:
    """Where the processes are. `root_url` is for reading what happened, whatever row policies the app has."""

    bases: tuple[str, ...]
    app_url: str
    root_url: str
    processes: Mapping[str, subprocess.Popen[bytes]]
    postmaster: int

    def dead(self) -> list[str]:
        return [name for name, process in self.processes.items() if process.poll() is not None]


@dataclass(frozen=True)
class Market:
    """`calm` prepares, request by request; `crowd` races over 64 connections."""

    place: Place
    sessions: Sessions
    witness: Sessions
    calm: httpx.AsyncClient
    crowd: aiohttp.ClientSession

    async def post(self, number: int, path: str, by: Party, body: Mapping[str, Any] | None = None) -> Answer:
        """Request `number` goes to the API processes in turn."""
        url = self.place.bases[number % len(self.place.bases)] + path
        started = time.perf_counter()
        try:
            async with self.crowd.post(url, json=body, headers=by.headers) as response:
                told = await response.json(content_type=None)
                return Answer(response.status, told.get("code"), told, _ms_since(started))
        except (aiohttp.ClientError, TimeoutError) as failure:
            return Answer(0, type(failure).__name__, {}, _ms_since(started))

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        async with self.witness() as session:
            return list((await session.execute(text(sql), values)).all())

    async def value(self, sql: str, **values: Any) -> Any:
        ((found,),) = await self.rows(sql, **values)
        return found

    async def until(self, sql: str, *, within: float, **values: Any) -> None:
        """Until the query answers true; NothingCame otherwise."""
        deadline = time.monotonic() + within
        while not await self.value(sql, **values):
            if time.monotonic() > deadline:
                raise NothingCame(f"not within {within:g} s: {sql} {values}")
            await asyncio.sleep(0.02)


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


@contextmanager
def running(*, api_processes: int = API_PROCESSES, worker: bool = True) -> Iterator[Place]:
    """PostgreSQL with its usual durability, migrated; the processes on it. Whatever ends the block stops and removes all."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backhaul-races-")))
        folder.chmod(0o711)
        server = EmbeddedPostgres.start(folder)
        stack.callback(server.discard)
        server.create_database(DATABASE)
        migrate_database(server.url(DATABASE, role="backhaul_owner"))
        ports = [_free_port() for _ in range(api_processes)]
        bases = tuple(f"http://127.0.0.1:{port}" for port in ports)
        environment = _environment(folder, server.url(DATABASE), bases[0])
        commands = {f"api {port}": ["serve", "--host", "127.0.0.1", "--port", str(port)] for port in ports}
        processes = {
            name: stack.enter_context(_process(arguments, environment, folder / f"{name}.log"))
            for name, arguments in {**commands, **({"worker": ["work"]} if worker else {})}.items()
        }
        place = Place(
            bases, server.url(DATABASE), server.url(DATABASE, role="postgres"), processes, _postmaster(folder)
        )
        _wait_until_up(place, folder)
        stack.callback(signal.signal, signal.SIGINT, signal.SIG_IGN)
        yield place


def _postmaster(folder: Path) -> int:
    (file,) = folder.rglob("postmaster.pid")
    return int(file.read_text().split()[0])


def _environment(folder: Path, url: str, public_url: str) -> dict[str, str]:
    """Nothing of the caller's own market; a payment provider that is not there, for nothing here is paid."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BACKHAUL_", "DATABASE_"))}
    return kept | {
        "DATABASE_URL": url,
        "BACKHAUL_DATA_DIR": str(folder),
        "BACKHAUL_PUBLIC_URL": public_url,
        "BACKHAUL_STRIPE_SECRET_KEY": "sk_test_races",
        "BACKHAUL_STRIPE_API_BASE": "http://127.0.0.1:9",
        "BACKHAUL_POOL_SIZE": str(CONNECTIONS // API_PROCESSES),
        "BACKHAUL_RATE_LIMIT": "",
    }


@contextmanager
def _process(arguments: list[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """In a session of its own, so that Ctrl-C reaches us alone and we stop it in order."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.cli", *arguments],
            env=environment,
            cwd=TOP,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _wait_until_up(place: Place, folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not _is_up(place, folder):
        silent = place.dead() or (list(place.processes) if time.monotonic() > deadline else [])
        if silent:
            ends = [f"{name}: {(folder / f'{name}.log').read_text(errors='replace')[-2_000:]}" for name in silent]
            raise DidNotStart("\n".join(ends))
        time.sleep(0.05)


def _is_up(place: Place, folder: Path) -> bool:
    try:
        for base in place.bases:
            httpx.get(base, timeout=2, trust_env=False)
    except httpx.TransportError:
        return False
    log = folder / "worker.log"
    return not log.exists() or "worker is ready" in log.read_text(errors="replace")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@asynccontextmanager
async def visited(place: Place) -> AsyncIterator[Market]:
    """The market as a client on the loopback sees it, and the database as a witness sees it."""
    async with AsyncExitStack() as stack:
        app, root = (database.connect(url, pool_size=4) for url in (place.app_url, place.root_url))
        for engine in (app, root):
            stack.push_async_callback(engine.dispose)
        connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=IDLE_SECONDS)
        crowd = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30))
        calm = httpx.AsyncClient(
            base_url=place.bases[0],
            trust_env=False,
            timeout=30,
            limits=httpx.Limits(keepalive_expiry=IDLE_SECONDS),
        )
        await stack.enter_async_context(crowd)
        await stack.enter_async_context(calm)
        yield Market(place, database.sessions_of(app), database.sessions_of(root), calm, crowd)
