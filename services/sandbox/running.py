"""Starts the market, lets the cast in, says where everything is, and stops cleanly."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from services import hosting
from services.kernel.actors import system
from services.kernel.embedded_postgres import EmbeddedPostgres
from services.kernel.settings import Settings
from services.kernel.unit_of_work import UnitOfWork
from services.parties import onboarding
from services.processes import Processes, free_port, sandbox_settings, start_market
from services.sandbox import cast, things
from services.sandbox.cast import Market, Organization
from services.sandbox.folder import Folder, opened, write_privately

DATABASE = "backhaul_sandbox"
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For data that nobody will keep."""


class PortTaken(RuntimeError):
    """Somebody else answers there."""


def run(*, port: int, report: Path, data_dir: Path | None, keep: bool) -> None:
    """Until SIGTERM or Ctrl-C, which end it with exit code 0. Port 0 chooses a free one.

    Raises FolderNotUsable and PortTaken.
    """
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, _stop)
    console, chosen = Console(highlight=False), _checked(port)
    with opened(data_dir, keep=keep) as folder, _database(folder) as server, Processes() as market:
        settings = sandbox_settings(folder.path, port=chosen)
        url = server.url(DATABASE)
        start_market(market, settings, url)
        base_url = settings.public_url.replace("localhost", "127.0.0.1")
        known = folder.known_cast() or _assembled(folder, base_url, settings, url)
        write_privately(report, {"base_url": base_url, **known})
        console.print(f"Sandbox at {base_url}, {len(known['organizations'])} organizations, keys in {report}")
        console.print(f"Data in {folder.path}, {'kept' if keep else 'discarded at the end'}. Ctrl-C stops it.")
        while True:
            signal.pause()


def _stop(signum: int, frame: object) -> None:
    raise SystemExit(0)


@contextmanager
def _database(folder: Folder) -> Iterator[EmbeddedPostgres]:
    """Migrated. Without a complete cast it begins anew: half a cast is none."""
    server = EmbeddedPostgres.start(folder.path, settings={} if folder.is_kept else CARELESS)
    try:
        if folder.known_cast() is None:
            server.drop_database(DATABASE)
            folder.forget_simulator()
        server.create_database(DATABASE)
        hosting.migrate_database(server.url(DATABASE, role="backhaul_owner"))
        yield server
    finally:
        (server.release if folder.is_kept else server.discard)()


def _checked(port: int) -> int:
    """Before anything starts there: what answers later must be ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as problem:
            raise PortTaken(f"port {port} of 127.0.0.1 cannot be had: {problem.strerror}") from problem
    return port or free_port()


def _assembled(folder: Folder, base_url: str, settings: Settings, url: str) -> dict[str, Any]:
    with httpx.Client() as http:
        market = Market(base_url, http)
        organizations = cast.assemble(market, asyncio.run(_house(settings, url)))
        offered = things.put_on_offer(market, organizations)
    known = {"organizations": [one.told() for one in organizations], "things": offered}
    folder.remember(known)
    return known


async def _house(settings: Settings, url: str) -> Organization:
    """Backhaul itself, which no request can register."""
    runtime = hosting.runtime(settings, url)
    async with UnitOfWork(runtime.sessions, system(livemode=False), cause="sandbox") as work:
        registered = await onboarding.create_operator(work, cast.HOUSE.name, livemode=False)
    for close in runtime.closers:
        await close()
    members, keys = {"owner": str(registered.owner.id)}, {"owner": registered.secret}
    return Organization(str(registered.organization.id), cast.HOUSE.name, [cast.HOUSE.role], [], members, keys)
