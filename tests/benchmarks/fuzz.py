"""Nonsense against a living sandbox: schemathesis with all its checks, then random bytes as bodies. Exits 1 on any finding.

    uv run --group fuzz python -m tests.benchmarks.fuzz [--cases 20000] [--bytes 1000000] [--seed 1]

Loopback only. Settings beside the defaults: 412, 422 and 428 count as an answer to data that fits the schema, because the rules
they stand for (another's version, a code list, money) are not the schema's to say; and 428 is what a missing If-Match is told.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

CONFIG = """[checks.positive_data_acceptance]
expected-statuses = ["2xx", 401, 403, 404, 409, 412, 422, 428, 429]

[checks.missing_required_header]
expected-statuses = [400, 401, 403, 404, 406, 415, 422, 428]
"""
MEDIA_TYPES = ("application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain")
MOST_SECONDS = 1800.0
PORT = 8791


@contextlib.contextmanager
def sandbox(folder: Path) -> Iterator[dict[str, Any]]:
    """A market with a cast; its report."""
    report = folder / "sandbox.json"
    command = [sys.executable, "-m", "services.cli", "sandbox", "--port", str(PORT), "--report", str(report)]
    with (folder / "sandbox.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "BACKHAUL_RATE_LIMIT": ""})
        try:
            deadline = time.monotonic() + 120
            while not report.exists() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.2)
            yield json.loads(report.read_text())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def schemathesis(folder: Path, base_url: str, key: str, *, phases: str, examples: int, seed: int) -> tuple[int, bool]:
    """How many cases were sent, and whether all checks passed."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG)
    document = folder / "openapi.json"
    document.write_text(Path("openapi/backhaul.v1.json").read_text())
    command = [str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(config), "run", str(document)]
    command += ["-u", base_url, "-H", f"Authorization: Bearer {key}", "--checks", "all", "--phases", phases]
    command += ["--max-examples", str(examples), "--seed", str(seed), "--continue-on-failure", "--warnings", "off"]
    command += ["--suppress-health-check", "all", "-w", "1", "--output-truncate", "false"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS, cwd=folder)
    found = re.search(r"(\d+) generated", done.stdout)
    if done.returncode != 0:
        print(done.stdout[-20_000:], done.stderr[-2_000:])
    return int(found.group(1)) if found else 0, done.returncode == 0


async def bodies(base_url: str, keys: list[str], total: int, chance: random.Random) -> tuple[int, int]:
    """Random bytes to every operation that takes a body: how many requests, how many server errors."""
    document = json.loads(Path("openapi/backhaul.v1.json").read_text())
    targets = [
        (method.upper(), re.sub(r"\{[^}]+\}", "x", path))
        for path, item in document["paths"].items()
        for method in item
        if method in ("post", "patch", "put", "delete")
    ]
    sent, requests, errors = 0, 0, 0
    async with httpx.AsyncClient(base_url=base_url, timeout=30) as client:
        while sent < total:
            method, path = targets[requests % len(targets)]
            body = chance.randbytes(int(chance.expovariate(1 / 400)) + 1)
            headers = {
                "Authorization": f"Bearer {chance.choice(keys)}",
                "Content-Type": chance.choice(MEDIA_TYPES),
                "Idempotency-Key": chance.randbytes(16).hex(),
            }
            answer = await client.request(method, path, content=body, headers=headers)
            if answer.status_code >= 500:
                errors += 1
                print(f"{answer.status_code} {method} {path} {body!r}")
            sent, requests = sent + len(body), requests + 1
    return requests, errors


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--bytes", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sandbox(Path(name)) as report:
        sound = _cases(Path(name), report, asked.cases, asked.seed)
        keys = [organization["keys"]["owner"] for organization in report["organizations"]]
        requests, errors = asyncio.run(bodies(report["base_url"], keys, asked.bytes, random.Random(asked.seed)))
        print(f"bodies: {asked.bytes:,} random bytes in {requests:,} requests, {errors} server errors")
        return 0 if sound and not errors else 1


def _cases(folder: Path, report: dict[str, Any], wanted: int, seed: int) -> bool:
    """One owner of each role after the other, until enough cases were sent."""
    cases, sound, started = 0, True, time.monotonic()
    owners = {organization["roles"][0]: organization["keys"]["owner"] for organization in report["organizations"]}
    for turn, (role, key) in enumerate(list(owners.items()) * 20):
        phases = "examples,coverage,fuzzing,stateful" if turn == 0 else "fuzzing,stateful"
        sent, passed = schemathesis(folder, report["base_url"], key, phases=phases, examples=25, seed=seed + turn)
        cases, sound = cases + sent, sound and passed
        print(f"schemathesis as {role}: {sent:,} cases, {'no finding' if passed else 'FINDINGS'}", flush=True)
        if cases >= wanted or time.monotonic() - started > MOST_SECONDS or not sent:
            break
    print(f"schemathesis: {cases:,} cases, all checks, {'0 findings' if sound else 'with findings'}")
    return sound and cases >= wanted


if __name__ == "__main__":
    sys.exit(main())
