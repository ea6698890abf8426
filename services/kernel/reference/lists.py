"""The format of every list: a CSV file in `data/` and its title, version, source and SHA-256 in `data/lists.json`."""

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from services.kernel.reference.errors import ReferenceDataIsDamaged

_DATA = files("services.kernel.reference") / "data"


@dataclass(frozen=True)
class CodeList:
    """`rows` are dictionaries by column; an empty cell is an empty string."""

    name: str
    title: str
    version: str
    source: str
    sha256: str
    rows: tuple[dict[str, str], ...]


@cache
def read(name: str) -> CodeList:
    """Read once. Raises ReferenceDataIsDamaged where the bytes do not match the hash."""
    described: dict[str, str] = json.loads((_DATA / "lists.json").read_text(encoding="utf-8"))[name]
    content = (_DATA / f"{name}.csv").read_bytes()
    if hashlib.sha256(content).hexdigest() != described["sha256"]:
        raise ReferenceDataIsDamaged(name)
    rows = tuple(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
    return CodeList(name, described["title"], described["version"], described["source"], described["sha256"], rows)
