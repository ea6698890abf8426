"""The `backhaul` command. App and worker are imported by the commands that run them: they take seconds."""

import asyncio
import json
import subprocess
import sys
from contextlib import AsyncExitStack, nullcontext
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from services import hosting
from services.hosting import TOP
from services.kernel.actors import system
from services.kernel.audit import verifying
from services.kernel.http.openapi import endpoint_lines
from services.kernel.settings import Settings
from services.kernel.telemetry import configure_logs
from services.kernel.tracing import configure_traces
from services.kernel.unit_of_work import UnitOfWork
from services.parties import onboarding

main = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The open marketplace for what travels backwards.",
)
audit = typer.Typer(no_args_is_help=True, help="The audit trail.")
main.add_typer(audit, name="audit")
DOCUMENT = TOP / "openapi" / "backhaul.v1.json"
ENDPOINTS = TOP / "openapi" / "endpoints.txt"


def _settings() -> Settings:
    settings = hosting.completed(Settings())
    configure_logs(settings.log_level)
    return settings


@main.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on")] = 8000,
) -> None:
    """Serve the API."""
    from services.app import build_app

    settings = _settings()
    configure_traces("backhaul-api")
    with hosting.place(settings) as place:
        app = build_app(hosting.runtime(settings, place.url))
        uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=5)


@main.command()
def work() -> None:
    """Run sequencer, reactions, jobs and timers; with the Stripe simulator beside it where there is no Stripe key."""
    given = Settings()
    settings = _settings()
    configure_traces("backhaul-worker")
    needs_simulator = given.stripe_secret_key is None and given.stripe_api_base is None
    state = settings.data_dir / "stripe-simulator.sqlite"
    beside = hosting.simulator(settings, port=hosting.SIMULATOR_PORT, state=state) if needs_simulator else nullcontext()
    with hosting.place(settings) as place, beside:
        asyncio.run(_work(settings, place.url))


async def _work(settings: Settings, url: str) -> None:
    from services import worker

    async with AsyncExitStack() as stack:
        await worker.run(await hosting.tools(settings, url, stack), url)


@main.command()
def migrate() -> None:
    """Bring the database to the newest revision (DATABASE_OWNER_URL, or the embedded one)."""
    settings = Settings()
    if settings.database_url is None:
        with hosting.place(settings):
            return
    if settings.database_owner_url is None:
        raise typer.BadParameter("DATABASE_OWNER_URL is not set: migrations run as the role that owns the schema")
    hosting.migrate_database(settings.database_owner_url)


@main.command()
def openapi(check: Annotated[bool, typer.Option(help="Only compare with the committed files")] = False) -> None:
    """Write the OpenAPI document and the list of endpoints."""
    from services.app import build_app, openapi_document

    document = openapi_document(build_app(hosting.runtime(Settings(), "postgresql+asyncpg://nobody@localhost/none")))
    files = {DOCUMENT: json.dumps(document, indent=2, ensure_ascii=False) + "\n", ENDPOINTS: endpoint_lines(document)}
    stale = [file.name for file, content in files.items() if not file.exists() or file.read_text() != content]
    if check and stale:
        raise typer.Exit(_complain(f"{', '.join(stale)}: not what the app says; run ./backhaul openapi"))
    for file, content in files.items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)


def _complain(text: str) -> int:
    typer.echo(text, err=True)
    return 1


@main.command()
def operator(name: Annotated[str, typer.Argument(help="Who operates")], live: bool = False) -> None:
    """Make an organization of Backhaul's own staff and print its key, once."""
    settings = Settings()
    with hosting.place(settings) as place:
        typer.echo(asyncio.run(_operator(settings, place.url, name, live)))


async def _operator(settings: Settings, url: str, name: str, live: bool) -> str:
    runtime = hosting.runtime(settings, url)
    async with UnitOfWork(runtime.sessions, system(live), cause="cli") as work:
        return (await onboarding.create_operator(work, name=name, livemode=live)).secret


@main.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(context: typer.Context) -> None:
    """Run the tests; what follows goes to pytest."""
    raise typer.Exit(subprocess.call([sys.executable, "-m", "pytest", *context.args], cwd=TOP))


@main.command()
def demo(
    manifest: Annotated[Path | None, typer.Option(help="Also import this CSV", exists=True, dir_okay=False)] = None,
    report: Annotated[Path | None, typer.Option(help="Write the story's facts as JSON")] = None,
    keep: Annotated[bool, typer.Option(help="Stay up after the story until Ctrl-C")] = False,
) -> None:
    """Play the main job: from a manifest of returned goods to a certificate anybody can verify."""
    from services.demo import play

    raise typer.Exit(play(manifest=manifest, report=report, keep=keep))


@main.command()
def sandbox(
    report: Annotated[Path, typer.Option(help="Where to write who is there, as JSON, once it can be used")],
    port: Annotated[int, typer.Option(help="The port of 127.0.0.1 to listen on; 0 chooses a free one")] = 8000,
    data_dir: Annotated[Path | None, typer.Option(help="Where its data lies; without it a temporary folder")] = None,
    keep: Annotated[
        bool | None, typer.Option("--keep/--discard", help="What becomes of the data; kept where --data-dir says")
    ] = None,
) -> None:
    """Run API, worker and Stripe simulator with a ready-made cast, until SIGTERM or Ctrl-C."""
    from services.sandbox import FolderNotUsable, PortTaken, run

    try:
        run(port=port, report=report, data_dir=data_dir, keep=data_dir is not None if keep is None else keep)
    except (FolderNotUsable, PortTaken) as problem:
        raise typer.Exit(_complain(str(problem))) from None


@audit.command()
def verify(
    files: Annotated[list[Path], typer.Argument(help="An export, or its pieces in order", exists=True, dir_okay=False)],
    holds: Annotated[str | None, typer.Option(help="A hash kept from an earlier export, which must be there")] = None,
) -> None:
    """Check an export of the audit trail offline: that nothing was changed, removed, added or moved."""
    try:
        verdict = verifying.verify((file.read_bytes() for file in files), known_hash=holds)
    except verifying.Broken as broken:
        raise typer.Exit(_complain(f"{files[broken.file - 1]}:{broken.line}: {broken.reason}")) from None
    typer.echo(
        f"{verdict.entries} entries of {verdict.org_id}, unbroken from {verdict.first_seq} to {verdict.last_seq},"
        f" head {verdict.last_hash}"
    )
    if not verdict.is_complete:
        typer.echo(f"the chain goes on to {verdict.head_seq}: export again with after_seq={verdict.last_seq}")


if __name__ == "__main__":
    main()
