"""`kill -9` of the worker in the middle of the demo, several times: the story ends the same, nobody is paid or told twice.

    uv run python -m tests.benchmarks.kill_the_worker [--runs 3] [--kills 4] [--seed 1]

The demo's own supervisor starts the worker again. Loopback only; every run is bounded in time.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from services.kernel.embedded_postgres import EmbeddedPostgres

MOST_SECONDS = 420.0


def worker_of(demo: int) -> int | None:
    """The process id of the demo's worker, read from /proc."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if parent == demo and b"services.cli" in words and b"work" in words:
            return int(entry.name)
    return None


def play(folder: Path, kills: int, chance: random.Random) -> tuple[dict[str, Any], int, float]:
    """One demo; its report, how often its worker was killed, its seconds."""
    report = folder / "report.json"
    environment = {**os.environ, "BACKHAUL_DATA_DIR": str(folder / "data")}
    started = time.monotonic()
    with (folder / "demo.log").open("wb") as log:
        demo = subprocess.Popen(
            [sys.executable, "-m", "services.cli", "demo", "--report", str(report)],
            env=environment,
            stdout=log,
            stderr=log,
        )
        killed = 0
        try:
            while demo.poll() is None and time.monotonic() - started < MOST_SECONDS:
                time.sleep(chance.uniform(3, 6))
                victim = worker_of(demo.pid) if killed < kills else None
                if victim is not None:
                    os.kill(victim, signal.SIGKILL)
                    killed += 1
        finally:
            if demo.poll() is None:
                demo.terminate()
        code = demo.wait(60)
    if code:
        raise SystemExit(f"the demo ended with {code}:\n{(folder / 'demo.log').read_text()[-3_000:]}")
    return json.loads(report.read_text()), killed, time.monotonic() - started


def essence(report: dict[str, Any]) -> dict[str, Any]:
    """What must not depend on how often the worker died."""
    balances = Counter((account["code"], account["amount"]) for account in report["ledger"]["accounts"])
    return {
        "transactions": report["ledger"]["transactions"],
        "unbalanced": report["ledger"]["unbalanced"],
        "balances": sorted(balances.items()),
        "simulator": report["simulator_balance"],
        "deals": sorted((deal["status"], deal["goods"]["amount"]) for deal in report["deals"]),
        "webhooks told": report["webhooks"]["verified"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    failures = 0
    with tempfile.TemporaryDirectory() as top:
        calm = _run(Path(top), "calm", 0, chance)
        for number in range(given.runs):
            failures += _run(Path(top), f"run{number}", given.kills, chance) != calm
    print(f"{given.runs} runs with kills, {failures} ended differently")
    return int(failures > 0)


def _run(top: Path, name: str, kills: int, chance: random.Random) -> dict[str, Any]:
    folder = top / name
    folder.mkdir()
    try:
        report, killed, seconds = play(folder, kills, chance)
    finally:
        EmbeddedPostgres.start(folder / "data").discard()
    print(f"{name}: worker killed {killed} times, {seconds:.1f} s, webhooks {report['webhooks']}", flush=True)
    return essence(report)


if __name__ == "__main__":
    sys.exit(main())
