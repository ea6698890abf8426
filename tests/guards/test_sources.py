"""Rules of the house that a reader should not have to remember."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
SERVICES = sorted((TOP / "services").rglob("*.py"))
OURS = [
    path
    for folder in ("services", "tests", "clients", "migrations")
    for path in sorted((TOP / folder).rglob("*.py"))
    if "_generated" not in path.parts
]


def _lines_with(pattern: str, files: list[Path]) -> list[str]:
    found = re.compile(pattern)
    return [
        f"{path.relative_to(TOP)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if found.search(line)
    ]


def _except(*names: str) -> list[Path]:
    return [path for path in SERVICES if str(path.relative_to(TOP / "services")) not in names]


def test_no_file_has_grown_past_four_hundred_lines() -> None:
    assert [str(path.relative_to(TOP)) for path in OURS if len(path.read_text().splitlines()) > 400] == []


def test_only_the_kernel_clock_asks_this_machine_for_the_time() -> None:
    assert _lines_with(r"datetime\.(now|utcnow|today)\(|date\.today\(", _except("kernel/clock.py")) == []


def test_only_the_state_machine_writes_a_status() -> None:
    assert _lines_with(r"^\s*\w+\.status = ", _except("kernel/states.py")) == []


def test_nothing_catches_everything_and_stays_silent() -> None:
    assert _lines_with(r"except Exception: *pass|except: *$", SERVICES) == []


def test_nobody_calls_a_hold_by_another_name() -> None:
    """A provider's balance is not escrow in law: the word stays out of code, API and documents."""
    documents = [TOP / "README.md", TOP / "openapi" / "backhaul.v1.json"]
    assert _lines_with(r"(?i)escrow", SERVICES + documents) == []


def test_money_is_never_a_float() -> None:
    assert _lines_with(r"float\(.*(amount|price|money|minor)", SERVICES) == []


def test_stops_at_the_layers() -> None:
    """The import contracts of pyproject.toml, all of them."""
    lint = Path(sys.executable).parent / "lint-imports"
    ran = subprocess.run([lint, "--no-cache"], cwd=TOP, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-3_000:]


@pytest.mark.parametrize(
    "context", ["parties", "listings", "pickups", "payments", "webhooks", "bidding", "orders", "certification"]
)
def test_a_context_says_what_it_is(context: str) -> None:
    head = (TOP / "services" / context / "__init__.py").read_text()
    assert head.startswith('"""')
    assert "Owns" in head
