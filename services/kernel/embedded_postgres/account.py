"""The operating-system account that the server's processes run as."""

import os
import pwd
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from services.kernel.embedded_postgres.errors import EmbeddedPostgresError


@dataclass(frozen=True)
class Account:
    """Our own account, or, for root, an unprivileged one: PostgreSQL refuses to run as root."""

    uid: int
    gid: int
    is_borrowed: bool

    @classmethod
    def for_the_server(cls) -> "Account":
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), is_borrowed=False)
        entry = _unprivileged_entry()
        return cls(entry.pw_uid, entry.pw_gid, is_borrowed=True)

    def can_pass(self, folder: Path) -> bool:
        """Whether the account may traverse `folder` and every folder above it, judged by their mode bits."""
        resolved = folder.resolve()
        return all(self._may_enter(above.stat()) for above in (resolved, *resolved.parents))

    def can_run(self, program: Path) -> bool:
        try:
            return self.run([str(program), "--version"], cwd=Path("/"), output=subprocess.DEVNULL).returncode == 0
        except OSError:
            return False

    def run(
        self, command: Sequence[str], *, cwd: Path, output: int | IO[bytes], pass_fds: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[bytes]:
        """Runs a program of the server as this account, out of reach of the terminal's Ctrl-C."""
        return subprocess.run(
            command,
            check=False,
            cwd=cwd,
            env=bare_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=pass_fds,
            start_new_session=True,
            umask=0o077,
            **self._identity(),
        )

    def _identity(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_borrowed else {}

    def _may_enter(self, folder: os.stat_result) -> bool:
        if folder.st_uid == self.uid:
            return bool(folder.st_mode & stat.S_IXUSR)
        if folder.st_gid == self.gid:
            return bool(folder.st_mode & stat.S_IXGRP)
        return bool(folder.st_mode & stat.S_IXOTH)


def bare_environment() -> dict[str, str]:
    """Without PGPORT, PGOPTIONS and their like. A known TZ spares initdb the search for the machine's zone."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _unprivileged_entry() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        others = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    if not others:
        raise EmbeddedPostgresError("PostgreSQL refuses to run as root, and this system has no other account to use.")
    return min(others, key=lambda entry: entry.pw_uid)
