"""`python -m clients.sdkgen` writes what is generated of both clients; `--check` exits 1 when what is committed differs."""

import argparse
import sys
from pathlib import Path

from . import package
from .document import Document, DocumentError, load
from .package import Files
from .typescript import package as typescript_package

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "openapi" / "backhaul.v1.json"
PYTHON = ROOT / "clients" / "python" / "backhaul_client" / "_generated"
TYPESCRIPT = ROOT / "clients" / "typescript" / "src" / "generated"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m clients.sdkgen", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the files differ")
    parser.add_argument("--document", type=Path, default=DOCUMENT)
    parser.add_argument("--target", type=Path, help="write only the Python client, into this folder")
    parser.add_argument("--typescript-target", type=Path, help="write only the TypeScript client, into this folder")
    chosen = parser.parse_args(arguments)
    try:
        document = load(chosen.document)
        targets = _targets(chosen.target, chosen.typescript_target)
        return _check(document, targets) if chosen.check else _write(document, targets)
    except DocumentError as error:
        print(f"{chosen.document.name}: {error}", file=sys.stderr)
        return 2


def _targets(python: Path | None, typescript: Path | None) -> list[tuple[Path, Files]]:
    """The folders that were named, or both clients of this checkout."""
    if python is None and typescript is None:
        python, typescript = PYTHON, TYPESCRIPT
    both = [(python, package.files), (typescript, typescript_package.files)]
    return [(folder, files) for folder, files in both if folder is not None]


def _check(document: Document, targets: list[tuple[Path, Files]]) -> int:
    names = [name for folder, files in targets for name in package.stale(document, folder, files)]
    for name in names:
        print(f"{name} is not what the document says; run python -m clients.sdkgen", file=sys.stderr)
    return 1 if names else 0


def _write(document: Document, targets: list[tuple[Path, Files]]) -> int:
    for folder, files in targets:
        package.write(document, folder, files)
    return 0


if __name__ == "__main__":
    sys.exit(main())
