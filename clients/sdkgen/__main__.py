"""`python -m clients.sdkgen` writes the generated package; `--check` exits 1 when the committed one differs."""

import argparse
import sys
from pathlib import Path

from .document import DocumentError, load
from .package import stale, write

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "openapi" / "backhaul.v1.json"
TARGET = ROOT / "clients" / "python" / "backhaul_client" / "_generated"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m clients.sdkgen", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the files differ")
    parser.add_argument("--document", type=Path, default=DOCUMENT)
    parser.add_argument("--target", type=Path, default=TARGET)
    chosen = parser.parse_args(arguments)
    try:
        document = load(chosen.document)
        return _check(stale(document, chosen.target)) if chosen.check else _write(chosen.document, chosen.target)
    except DocumentError as error:
        print(f"{chosen.document.name}: {error}", file=sys.stderr)
        return 2


def _check(names: list[str]) -> int:
    for name in names:
        print(f"{name} is not what the document says; run python -m clients.sdkgen", file=sys.stderr)
    return 1 if names else 0


def _write(document: Path, target: Path) -> int:
    write(load(document), target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
