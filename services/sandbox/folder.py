"""Where a sandbox keeps its data, and the one file that says who is in it: secrets cannot be read from the market again."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.kernel.embedded_postgres.locks import FileLock

MARK = "sandbox.lock"
CAST = "cast.json"


class FolderNotUsable(RuntimeError):
    """It is somebody's who is not a sandbox, or another one runs in it."""


@dataclass(frozen=True)
class Folder:
    path: Path
    is_kept: bool

    def known_cast(self) -> dict[str, Any] | None:
        """What `remember` was told last; None when no cast was ever complete."""
        file = self.path / CAST
        found: dict[str, Any] | None = json.loads(file.read_text("utf-8")) if file.exists() else None
        return found

    def remember(self, cast: dict[str, Any]) -> None:
        write_privately(self.path / CAST, cast)

    def forget_simulator(self) -> None:
        """Its accounts belong to a cast that is gone."""
        for file in self.path.glob("stripe.sqlite*"):
            file.unlink()


@contextmanager
def opened(data_dir: Path | None, *, keep: bool) -> Iterator[Folder]:
    """For this process alone, and removed at the end unless it is to be kept. Without `data_dir` a temporary one.

    Raises FolderNotUsable.
    """
    path = data_dir if data_dir is not None else _temporary()
    path.mkdir(parents=True, exist_ok=True, mode=0o711)
    if any(path.iterdir()) and not (path / MARK).exists():
        raise FolderNotUsable(f"{path} holds something that no sandbox made; name an empty folder")
    with FileLock(path / MARK) as lock:
        if not lock.try_exclusive():
            raise FolderNotUsable(f"another sandbox runs in {path}")
        try:
            yield Folder(path, is_kept=keep)
        finally:
            if not keep:
                shutil.rmtree(path, ignore_errors=True)


def _temporary() -> Path:
    """PostgreSQL's own account may pass through it; nobody may look into it."""
    path = Path(tempfile.mkdtemp(prefix="backhaul-sandbox-"))
    path.chmod(0o711)
    return path


def write_privately(file: Path, content: dict[str, Any]) -> None:
    """As JSON that its owner alone reads, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    with os.fdopen(draft, "w", encoding="utf-8") as written:
        written.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    Path(name).replace(file)
