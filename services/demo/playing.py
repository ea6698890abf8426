"""Starts the market, plays the story, tells the end, stops the market."""

import asyncio
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from backhaul_client import Backhaul
from rich.console import Console

from services import hosting
from services.demo import cast, ending, story
from services.demo.receivers import Receiver, receiving
from services.demo.stage import Stage, first_monday
from services.kernel.actors import system
from services.kernel.embedded_postgres import EmbeddedPostgres
from services.kernel.settings import Settings
from services.kernel.unit_of_work import UnitOfWork
from services.parties import onboarding
from services.processes import Process, Processes, free_port, sandbox_settings, start_market

DATABASE = "backhaul_demo"


def play(*, manifest: Path | None, report: Path | None, keep: bool) -> int:
    """The exit code: 0 when the story ended as it should."""
    started = time.monotonic()
    console = Console(highlight=False)
    console.rule("[bold]Backhaul: from a manifest of returned goods to a certificate anybody can verify")
    with ExitStack() as stack:
        stage = stack.enter_context(_market(console))
        receivers = [stack.enter_context(receiving(name)) for name in ("Nordwerk", "Rheinkreis")]
        players = cast.Cast()
        stack.callback(players.close)
        with console.status("Eight companies register"):
            cast.assemble(stage, players)
        _subscribe(stage, receivers)
        story.tell(stage, manifest)
        facts = ending.tell(stage, receivers, seconds=time.monotonic() - started)
        if report is not None:
            report.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
        if keep:
            _stay(console)
    return 0


@contextmanager
def _market(console: Console) -> Iterator[Stage]:
    """API, worker and Stripe simulator on a fresh database of the embedded PostgreSQL."""
    folder = Settings().data_dir / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    with console.status("Starting PostgreSQL, migrating"), ExitStack() as starting:
        server = starting.enter_context(EmbeddedPostgres.start(Settings().data_dir))
        server.drop_database(DATABASE)
        server.create_database(DATABASE)
        hosting.migrate_database(server.url(DATABASE, role="backhaul_owner"))
        running = starting.pop_all()
    with running, Processes() as market, ExitStack() as clients:
        settings = sandbox_settings(folder, port=free_port())
        url = server.url(DATABASE)
        key = asyncio.run(_operator_key(settings, url))
        _tell_where(console, start_market(market, settings, url), settings)
        operator = clients.enter_context(Backhaul(key, base_url=settings.public_url))
        simulator = str(settings.stripe_api_base)
        monday = first_monday(datetime.fromisoformat(operator.test_clock.get().now))
        yield Stage(console, settings.public_url, simulator, monday, operator)
        clients.callback(lambda: server.drop_database(DATABASE))


async def _operator_key(settings: Settings, url: str) -> str:
    runtime = hosting.runtime(settings, url)
    async with UnitOfWork(runtime.sessions, system(livemode=False), cause="demo") as work:
        secret = (await onboarding.create_operator(work, "Backhaul", livemode=False)).secret
    for close in runtime.closers:
        await close()
    return secret


def _tell_where(console: Console, started: dict[str, Process], settings: Settings) -> None:
    for name, process in started.items():
        console.print(f"  {name:<10} process {process.pid}")
    console.print(f"  API        {settings.public_url}   logs {settings.data_dir}")


def _subscribe(stage: Stage, receivers: list[Receiver]) -> None:
    for receiver in receivers:
        endpoint = stage[receiver.name].client.webhook_endpoints.create(url=receiver.url, description="demo")
        receiver.secret = endpoint.secret
        stage.say(receiver.name, "subscribes to every event", endpoint.id)


def _stay(console: Console) -> None:
    console.print("\nStill up until Ctrl-C.")
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("Stopped.")
