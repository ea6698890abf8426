"""One cluster on disk and its server process: made, configured, started, stopped."""

import os
import pwd
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from services.kernel.embedded_postgres.account import Account, bare_environment
from services.kernel.embedded_postgres.errors import EmbeddedPostgresError
from services.kernel.embedded_postgres.locks import POLL_SECONDS, FileLock
from services.kernel.embedded_postgres.places import PORT, Binaries, server_folder

START_SECONDS = 60.0
STOP_SECONDS = 10.0
LOG_BYTES_KEPT = 5_000_000
DEFAULT_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True)
class Cluster:
    """What lies in `home`. Everything the server may write is below `data` and `socket`."""

    home: Path
    socket: Path
    binaries: Binaries
    account: Account

    @property
    def data(self) -> Path:
        return self.home / "cluster"

    def initialise(self, *, is_durable: bool) -> None:
        """Makes the cluster if there is none; one of another major version is refused."""
        if self.data.is_dir():
            self._require_our_version()
            return
        draft = self.home / "cluster.new"
        with self._server_lock().exclusive(within=START_SECONDS) as lock:
            shutil.rmtree(draft, ignore_errors=True)
            self._initdb(server_folder(draft, self.account), lock, is_durable)
            draft.rename(self.data)

    def ensure_running(self, settings: Mapping[str, str]) -> None:
        """Returns when the server takes connections. What a killed server left behind is waited out or cleared away."""
        deadline = time.monotonic() + START_SECONDS
        is_launched = False
        while not self._is_ready():
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL was not ready after {START_SECONDS:g} s.\n{self._log_tail()}")
            with self._server_lock() as lock:
                if not lock.try_exclusive():
                    time.sleep(POLL_SECONDS)
                elif is_launched:
                    raise EmbeddedPostgresError(f"PostgreSQL ended while starting.\n{self._log_tail()}")
                else:
                    self._launch(lock, settings)
                    is_launched = True

    def socket_in_use(self) -> Path:
        """The running server's socket folder, which another temporary directory may have led elsewhere."""
        return Path(self._pid_file()[4])

    def stop(self) -> None:
        """A fast shutdown, then an immediate one, each given ten seconds."""
        for mode in ("fast", "immediate"):
            if self._has_ended(within=0):
                return
            self._pg_ctl("stop", "--no-wait", "--mode", mode)
            if self._has_ended(within=STOP_SECONDS):
                return
        raise EmbeddedPostgresError(f"PostgreSQL would not stop.\n{self._log_tail()}")

    def remove(self) -> None:
        """Deletes the stopped cluster and, if it lies elsewhere, the folder of its socket."""
        shutil.rmtree(self.home)
        if not self.socket.is_relative_to(self.home):
            shutil.rmtree(self.socket.parent)

    def psql(self, sql: str, *, database: str, variables: Mapping[str, str] | None = None) -> str:
        """Runs `sql` as the superuser; answers unaligned tuples, one line each."""
        assignments = [f"--set={name}={value}" for name, value in (variables or {}).items()]
        options = ["-X", "-q", "-A", "-t", "--set=ON_ERROR_STOP=1", *assignments]
        address = ["-h", str(self.socket_in_use()), "-p", str(PORT), "-U", "postgres", "-d", database]
        finished = subprocess.run(
            [str(self.binaries.program("psql")), *options, *address],
            check=False,
            env=bare_environment() | {"PGCLIENTENCODING": "UTF8"},
            input=sql.encode(),
            capture_output=True,
        )
        if finished.returncode != 0:
            raise EmbeddedPostgresError(finished.stderr.decode(errors="replace").strip())
        return finished.stdout.decode()

    def _require_our_version(self) -> None:
        theirs = (self.data / "PG_VERSION").read_text().strip()
        if theirs != self.binaries.major:
            raise EmbeddedPostgresError(
                f"{self.data} was written by PostgreSQL {theirs}, but the installed binaries are PostgreSQL "
                f"{self.binaries.version}. Dump it with version {theirs}, or choose another BACKHAUL_DATA_DIR."
            )

    def _initdb(self, draft: Path, lock: FileLock, is_durable: bool) -> None:
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-instructions"]
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        sync = [] if is_durable else ["--no-sync"]
        command = [str(self.binaries.program("initdb")), "-D", str(draft), *options, *locale, *sync]
        with self._log() as log:
            finished = self.account.run(command, cwd=self.home, output=log, pass_fds=[lock.fileno])
        if finished.returncode != 0:
            raise EmbeddedPostgresError(f"initdb failed.\n{self._log_tail()}")

    def _launch(self, lock: FileLock, settings: Mapping[str, str]) -> None:
        """The server inherits `lock`: whoever gets it knows that no process of the server is left."""
        for left_over in (self.data / "postmaster.pid", *self.socket.glob(".s.PGSQL.*")):
            left_over.unlink(missing_ok=True)
        config = self._write_configuration(settings)
        if self._pg_ctl("start", "--no-wait", "-o", shlex.join(["-c", f"config_file={config}"]), lock=lock) != 0:
            raise EmbeddedPostgresError(f"PostgreSQL could not be started.\n{self._log_tail()}")

    def _write_configuration(self, settings: Mapping[str, str]) -> Path:
        user_name = _name_of_uid(os.geteuid())
        is_peer = self.account.is_borrowed and user_name is not None
        method = "peer map=backhaul" if is_peer else "trust"
        places = {
            "unix_socket_directories": str(self.socket),
            "port": str(PORT),
            "hba_file": str(self._write("pg_hba.conf", f"local all all {method}\n")),
            "ident_file": str(self._write("pg_ident.conf", f'backhaul "{user_name}" all\n' if is_peer else "")),
        }
        lines = [f"{name} = {_quoted(value)}" for name, value in (DEFAULT_SETTINGS | dict(settings) | places).items()]
        return self._write(
            "postgresql.conf", "\n".join([f"include = {_quoted(f'{self.data}/postgresql.conf')}", *lines, ""])
        )

    def _write(self, name: str, text: str) -> Path:
        path = self.home / name
        path.write_text(text)
        if self.account.is_borrowed:
            os.chown(path, -1, self.account.gid)
        path.chmod(0o640)
        return path

    def _pg_ctl(self, *arguments: str, lock: FileLock | None = None) -> int:
        command = [str(self.binaries.program("pg_ctl")), "-D", str(self.data), *arguments]
        with self._log() as log:
            inherited = [] if lock is None else [lock.fileno]
            return self.account.run(command, cwd=self.home, output=log, pass_fds=inherited).returncode

    def _is_ready(self) -> bool:
        lines = self._pid_file()
        if len(lines) < 8 or lines[7].strip() != "ready":
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(f"{lines[4]}/.s.PGSQL.{PORT}") == 0

    def _pid_file(self) -> list[str]:
        """Lines: pid, data folder, start time, port, socket folder, address, shared memory key, status."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _has_ended(self, *, within: float) -> bool:
        deadline = time.monotonic() + within
        with self._server_lock() as lock:
            while not lock.try_exclusive():
                if time.monotonic() > deadline:
                    return False
                time.sleep(POLL_SECONDS)
        return True

    def _server_lock(self) -> FileLock:
        return FileLock(self.home / "server.lock")

    def _log(self) -> IO[bytes]:
        path = self.home / "postgres.log"
        if path.exists() and path.stat().st_size > LOG_BYTES_KEPT:
            path.replace(path.with_suffix(".log.1"))
        return path.open("ab")

    def _log_tail(self) -> str:
        path = self.home / "postgres.log"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        return "\n".join([f"The end of {path}:", *lines[-15:]])


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _name_of_uid(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
