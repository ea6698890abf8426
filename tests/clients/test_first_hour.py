"""The snippets of a partner's first hour, run in their order against a sandbox, from a folder that has nothing else in it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from services.hosting import TOP
from tests.clients.typescript import node
from tests.fakes.sandbox import Sandbox

TOLD = TOP / "clients" / "README.md"
WITHIN = 90


def snippets(language: str) -> str:
    """One program."""
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```$", TOLD.read_text("utf-8"), re.MULTILINE | re.DOTALL))


def place(folder: Path, name: str, program: str, sandbox: Sandbox) -> Path:
    (folder / "sandbox.json").write_text(json.dumps(sandbox.report), "utf-8")
    (folder / name).write_text(program, "utf-8")
    return folder / name


def lines(told: str) -> dict[str, list[str]]:
    """What was printed, by the word before the colon."""
    found: dict[str, list[str]] = {}
    for line in told.splitlines():
        word, _, rest = line.partition(": ")
        found.setdefault(word, []).append(rest)
    return found


def check(told: dict[str, list[str]], sandbox: Sandbox) -> None:
    """Both languages tell the same story."""
    assert {line.split()[0] for line in told["for sale"]} >= set(sandbox.report["things"]["open_listings"])
    ((listing_id, _), (bid_id, _)) = (one.split() for one in (*told["listed"], *told["bid"]))
    assert [line.split()[:2] for line in told["refused"]] == [["/price/currency", "currency_differs"]]
    heard = {tuple(line.split()) for line in told["heard"]}
    assert heard == {("listing.published", listing_id, "12000"), ("bid.placed", bid_id, "120.00")}


def test_the_hour_in_python(sandbox: Sandbox, tmp_path: Path) -> None:
    program = place(tmp_path, "first_hour.py", snippets("python"), sandbox)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BACKHAUL_")}
    ran = subprocess.run(
        [sys.executable, program], cwd=tmp_path, env=clean, capture_output=True, text=True, timeout=WITHIN, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    check(lines(ran.stdout), sandbox)


def test_the_hour_in_typescript(sandbox: Sandbox, tmp_path: Path) -> None:
    project = node.new_project(tmp_path / "hour")
    node.install(project)
    ran = node.run(place(project, "first_hour.ts", snippets("ts"), sandbox), within=WITHIN)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    check(lines(ran.stdout), sandbox)
