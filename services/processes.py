"""The market's processes, supervised: what dies is started again, and nothing is left running."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from services import hosting
from services.hosting import TOP
from services.kernel.settings import Settings

PATIENCE = 60.0
UNHINDERED = "1000000/minute"
"""What everybody on this machine may ask of it: a load test measures the market, not its limits."""


class DidNotStart(RuntimeError):
    """A process of the market is not there; the end of its log says why."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def sandbox_settings(folder: Path, *, port: int) -> Settings:
    """A market on this machine alone, its files in `folder`, with a simulator on a free port in Stripe's place."""
    return hosting.completed(
        Settings(
            data_dir=folder,
            public_url=f"http://localhost:{port}",
            stripe_secret_key=None,
            stripe_api_base=f"http://127.0.0.1:{free_port()}",
            stripe_webhook_secrets=[],
            allow_loopback_webhooks=True,
            is_live=False,
        )
    )


class Process:
    """`python -m <module> <arguments>` in a session of its own, started again when it dies (SIGKILL included)."""

    def __init__(self, name: str, arguments: list[str], *, environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.restarts = 0
        self._arguments = [sys.executable, "-m", *arguments]
        self._environment = {**os.environ, **environment}
        self._log = log
        self._is_wanted = True
        self._changing = threading.Lock()
        self._process = self._start()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._arguments, env=self._environment, cwd=TOP, stdout=log, stderr=log, start_new_session=True
            )

    def _watch(self) -> None:
        while self._is_wanted:
            self._process.wait()
            time.sleep(0.2)
            with self._changing:
                if self._is_wanted:
                    self.restarts += 1
                    self._process = self._start()

    def ask_to_stop(self) -> None:
        with self._changing:
            self._is_wanted = False
            self._process.terminate()

    def wait_for_the_end(self) -> None:
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)

    def last_words(self) -> str:
        return "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-15:])


class Processes:
    """All of them; `with Processes() as market:` stops every one at the end, whatever happens: a second Ctrl-C, or the
    one that a wrapper passes on beside the terminal's, must not interrupt the stopping."""

    def __init__(self) -> None:
        self._all: list[Process] = []

    def start(self, name: str, arguments: list[str], *, environment: Mapping[str, str], log: Path) -> Process:
        with _undisturbed():
            self._all.append(Process(name, arguments, environment=environment, log=log))
        return self._all[-1]

    def __enter__(self) -> Self:
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _stop)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, signal.SIG_IGN)
        for process in reversed(self._all):
            process.ask_to_stop()
        for process in self._all:
            process.wait_for_the_end()


def _stop(signum: int, frame: object) -> None:
    raise SystemExit(128 + signum)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A signal that comes meanwhile is handled afterwards: half started, a process would be nobody's."""
    came: list[int] = []
    wanted = (signal.SIGINT, signal.SIGTERM)
    handlers = {signum: signal.signal(signum, lambda number, _: came.append(number)) for signum in wanted}
    try:
        yield
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
        for one in came:
            signal.raise_signal(one)


def wait_until_up(process: Process, url: str) -> None:
    """Until `url` answers anything at all; DidNotStart with the log's end otherwise."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            httpx.get(url, timeout=2)
            return
        except httpx.TransportError:
            time.sleep(0.05)
        if process.restarts > 3:
            break
    raise DidNotStart(f"{process.name} does not start:\n{process.last_words()}")


def start_market(market: Processes, settings: Settings, url: str) -> dict[str, Process]:
    """Simulator, API and worker on the database at `url`, by name, when the first two answer. Logs lie in the data folder."""
    simulated, served = str(settings.stripe_api_base), settings.public_url
    simulator = ["services.payments.simulator", "--port", _port_of(simulated)]
    simulator += ["--state", str(settings.data_dir / "stripe.sqlite"), "--deliver-to", served]
    simulator += ["--secret", settings.stripe_webhook_secrets[0]]
    commands = {
        "simulator": simulator,
        "api": ["services.cli", "serve", "--host", "127.0.0.1", "--port", _port_of(served)],
        "worker": ["services.cli", "work"],
    }
    environment = _environment(settings, url)
    started = {
        name: market.start(name, arguments, environment=environment, log=settings.data_dir / f"{name}.log")
        for name, arguments in commands.items()
    }
    wait_until_up(started["simulator"], f"{simulated}/_simulator/state")
    wait_until_up(started["api"], f"{served}/.well-known/did.json")
    return started


def _port_of(url: str) -> str:
    return url.rpartition(":")[2]


def _environment(settings: Settings, url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": url,
        "BACKHAUL_DATA_DIR": str(settings.data_dir),
        "BACKHAUL_PUBLIC_URL": settings.public_url,
        "BACKHAUL_STRIPE_SECRET_KEY": str(settings.stripe_secret_key),
        "BACKHAUL_STRIPE_API_BASE": str(settings.stripe_api_base),
        "BACKHAUL_STRIPE_WEBHOOK_SECRETS": json.dumps(settings.stripe_webhook_secrets),
        "BACKHAUL_ALLOW_LOOPBACK_WEBHOOKS": "true",
        "BACKHAUL_IS_LIVE": "false",
        "BACKHAUL_RATE_LIMIT": UNHINDERED,
        "BACKHAUL_ANONYMOUS_RATE_LIMIT": UNHINDERED,
    }
