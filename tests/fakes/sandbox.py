"""`backhaul sandbox` as a process of its own, for tests that need a whole market to talk to."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from backhaul_client import Backhaul

from services.hosting import TOP
from services.kernel.embedded_postgres.locks import FileLock

MOST_SECONDS = 180


@dataclass(frozen=True)
class Sandbox:
    """What was reported, and how to get in."""

    file: Path
    report: dict[str, Any]
    http: httpx.Client

    def organizations(self, role: str) -> list[dict[str, Any]]:
        return [one for one in self.report["organizations"] if role in one["roles"]]

    def client(self, organization: dict[str, Any], role: str = "owner") -> Backhaul:
        return Backhaul(organization["keys"][role], base_url=self.report["base_url"], http_client=self.http)


def launched(report: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "services.cli", "sandbox", "--port", "0", "--report", str(report), *options]
    with report.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(command, cwd=TOP, stdout=log, stderr=log)


def wait_for(file: Path, process: subprocess.Popen[bytes]) -> None:
    """Until the file is there; the process must not end before."""
    deadline = time.monotonic() + MOST_SECONDS
    while not file.exists():
        assert process.poll() is None, f"it ended with {process.returncode} before {file.name} was there"
        assert time.monotonic() < deadline, f"{file.name} never came"
        time.sleep(0.1)


@contextmanager
def sandboxed(report: Path, *options: str) -> Iterator[tuple[Sandbox, subprocess.Popen[bytes]]]:
    """From the report on until the end of the block, whether it was stopped in it or not."""
    report.unlink(missing_ok=True)
    process = launched(report, *options)
    try:
        wait_for(report, process)
        with opened(report) as sandbox:
            yield sandbox, process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> int:
    """Its exit code."""
    process.terminate()
    return process.wait(MOST_SECONDS)


@contextmanager
def opened(report: Path) -> Iterator[Sandbox]:
    with httpx.Client() as http:
        yield Sandbox(report, json.loads(report.read_text("utf-8")), http)


def processes_that_name(text: str) -> list[str]:
    """Command lines of the processes of this machine that have `text` in their arguments or environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments, environment = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        if text.encode() in arguments + environment:
            found.append(arguments.replace(b"\0", b" ").decode())
    return found


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One for the whole run: whichever xdist worker comes first starts it, the last to leave stops it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "sandbox"
    folder.mkdir(exist_ok=True)
    report = folder / "report.json"
    with _alone(folder):
        _joined(report)
    with opened(report) as sandbox:
        yield sandbox
    with _alone(folder):
        _left(report)


def _alone(folder: Path) -> FileLock:
    return FileLock(folder / "lock").exclusive(within=MOST_SECONDS)


def _joined(report: Path) -> None:
    users, pid = report.with_suffix(".users"), report.with_suffix(".pid")
    if not report.exists():
        process = launched(report)
        pid.write_text(str(process.pid))
        wait_for(report, process)
        users.write_text("0")
    users.write_text(str(int(users.read_text()) + 1))


def _left(report: Path) -> None:
    users, pid = report.with_suffix(".users"), report.with_suffix(".pid")
    users.write_text(str(int(users.read_text()) - 1))
    if users.read_text() == "0":
        os.kill(int(pid.read_text()), signal.SIGTERM)
        deadline = time.monotonic() + MOST_SECONDS
        while processes_that_name(str(report)) and time.monotonic() < deadline:
            time.sleep(0.1)
        report.unlink()
