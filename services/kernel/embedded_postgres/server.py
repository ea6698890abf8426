"""The embedded PostgreSQL as the rest of Backhaul sees it."""

import atexit
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from platformdirs import user_data_path

from services.kernel.embedded_postgres.account import Account
from services.kernel.embedded_postgres.cluster import START_SECONDS, Cluster
from services.kernel.embedded_postgres.locks import FileLock
from services.kernel.embedded_postgres.places import (
    PORT,
    Binaries,
    fallback_bases,
    home_for,
    reachable_binaries,
    socket_folder_for,
)

# The flags are set at every start, so that a role changed by hand is put right again.
ROLES = """
SELECT 'CREATE ROLE ' || name FROM unnest(ARRAY['backhaul_owner', 'backhaul_app']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \\gexec
ALTER ROLE backhaul_owner LOGIN NOSUPERUSER CREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE backhaul_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
"""

# One at a time, so that two processes that want the same database both find it.
CREATE_DATABASE = """
SELECT pg_advisory_lock(hashtext('backhaul create database')) \\g /dev/null
SELECT format('CREATE DATABASE %I OWNER backhaul_owner TEMPLATE %I', :'name', :'template')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \\gexec
"""


class EmbeddedPostgres:
    """One user of a data folder's server. The server runs while at least one user, in any process, is left."""

    def __init__(self, cluster: Cluster, users: FileLock) -> None:
        self.folder = cluster.home
        self._cluster = cluster
        self._users = users
        self._process = os.getpid()
        self._is_released = False
        atexit.register(self.release)

    @classmethod
    def start(cls, data_dir: Path | None = None, *, settings: Mapping[str, str] | None = None) -> "EmbeddedPostgres":
        """Attaches to the server of `data_dir` (by default the user's data directory), starting it if need be.

        `settings` are server settings such as `fsync`; a server that already runs keeps those it was started with.
        Raises `EmbeddedPostgresError`.
        """
        cluster = _cluster_of(data_dir or user_data_path("backhaul"))
        with _start_lock(cluster):
            users = FileLock(cluster.home / "users.lock")
            try:
                users.shared(within=START_SECONDS)
                _bring_up(cluster, settings or {})
            except BaseException:
                _leave(cluster, users)
                raise
        return cls(cluster, users)

    def url(self, database: str, role: str = "backhaul_app") -> str:
        """For SQLAlchemy's `create_async_engine`. The port names the socket, whatever PGPORT says."""
        host = quote(str(self._cluster.socket_in_use()))
        return f"postgresql+asyncpg://{role}@/{quote(database, safe='')}?host={host}&port={PORT}"

    def create_database(self, name: str, *, template: str | None = None) -> None:
        """Makes a database owned by `backhaul_owner`, unless it is there. Nobody may be connected to `template`."""
        variables = {"name": name, "template": template or "template1"}
        self._cluster.psql(CREATE_DATABASE, database="postgres", variables=variables)

    def drop_database(self, name: str) -> None:
        """Drops the database if it is there, and whoever is connected to it."""
        self._cluster.psql(
            'DROP DATABASE IF EXISTS :"name" WITH (FORCE)', database="postgres", variables={"name": name}
        )

    def run_sql(self, sql: str, *, database: str = "postgres") -> str:
        """Runs statements as the superuser, each committed by itself; one line a row, `|` between columns."""
        return self._cluster.psql(sql, database=database)

    def release(self) -> None:
        """This user is done; the last one stops the server. Also called at exit, and harmless when repeated."""
        if not self._is_released:
            self._end(is_discarding=False)

    def discard(self) -> None:
        """Releases; the last user also removes the data from disk for ever. For throw-away servers."""
        self._end(is_discarding=True)

    def _end(self, *, is_discarding: bool) -> None:
        if self._process != os.getpid():
            return
        self._is_released = True
        atexit.unregister(self.release)
        if self.folder.is_dir():
            with _start_lock(self._cluster):
                _leave(self._cluster, self._users, is_discarding=is_discarding)
        self._users.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def _cluster_of(data_dir: Path) -> Cluster:
    account = Account.for_the_server()
    home = home_for(data_dir, account)
    binaries = reachable_binaries(Binaries.of_the_wheel(), account, fallback_bases(data_dir))
    return Cluster(home, socket_folder_for(home, account), binaries, account)


def _start_lock(cluster: Cluster) -> FileLock:
    """Held by whoever starts or stops the server."""
    lock = FileLock(cluster.home / "start.lock")
    try:
        return lock.exclusive(within=START_SECONDS)
    except BaseException:
        lock.close()
        raise


def _bring_up(cluster: Cluster, settings: Mapping[str, str]) -> None:
    cluster.initialise(is_durable=settings.get("fsync", "on") != "off")
    cluster.ensure_running(settings)
    cluster.psql(ROLES, database="postgres")


def _leave(cluster: Cluster, users: FileLock, *, is_discarding: bool = False) -> None:
    """Under the start lock nobody can join, so whoever gets the users' lock alone is the last."""
    users.close()
    with FileLock(cluster.home / "users.lock") as last:
        if last.try_exclusive():
            cluster.stop()
            if is_discarding:
                cluster.remove()
