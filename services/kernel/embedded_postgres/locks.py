"""Advisory locks on files (`flock`): they end with the last process that holds the file open, however it ended."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from services.kernel.embedded_postgres.errors import EmbeddedPostgresError

POLL_SECONDS = 0.005


class FileLock:
    """One open file that may carry a lock. Closed, never unlocked: a child that inherited the file keeps the lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.fileno = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._is_open = True

    def try_exclusive(self) -> bool:
        return self._try(fcntl.LOCK_EX)

    def exclusive(self, *, within: float) -> Self:
        """Waits for the exclusive lock for at most `within` seconds."""
        return self._wait(fcntl.LOCK_EX, within)

    def shared(self, *, within: float) -> Self:
        """Waits for a shared lock for at most `within` seconds."""
        return self._wait(fcntl.LOCK_SH, within)

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            os.close(self.fileno)

    def _wait(self, operation: int, within: float) -> Self:
        deadline = time.monotonic() + within
        while not self._try(operation):
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"{self._path} was still locked by another process after {within:g} s.")
            time.sleep(POLL_SECONDS)
        return self

    def _try(self, operation: int) -> bool:
        try:
            fcntl.flock(self.fileno, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
