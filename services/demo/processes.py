"""The market's processes, supervised: what dies is started again, and nothing is left running."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from services.hosting import TOP

PATIENCE = 60.0


class DidNotStart(RuntimeError):
    """A process of the market is not there; the end of its log says why."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


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

    def start(self, process: Process) -> Process:
        self._all.append(process)
        return process

    def __enter__(self) -> Self:
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
