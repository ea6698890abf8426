"""Small secrets that the processes of one machine share through a file that only its owner reads."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path


def kept(file: Path, make: Callable[[], str]) -> str:
    """The file's content. Whoever comes first makes it whole under another name and links it, so nobody reads a half."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        with open(fresh, "w", opener=lambda path, flags: os.open(path, flags | os.O_EXCL, 0o600)) as new:
            new.write(make())
        try:
            os.link(fresh, file)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return file.read_text().strip()
