"""Puts a process together: where its database is, what the API and the worker run with, the Stripe simulator beside them."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from services.kernel import database
from services.kernel.direct import Direct
from services.kernel.embedded_postgres import EmbeddedPostgres
from services.kernel.http.routing import Runtime
from services.kernel.jobs import Tools
from services.kernel.kept import kept
from services.kernel.settings import Settings
from services.parties.authenticating import door
from services.parties.recognizing import Acquaintances
from services.payments.stripe_gateway import StripeGateway
from services.webhooks.delivering import build_sender

TOP = Path(__file__).resolve().parent.parent
SIMULATOR_PORT = 12111


class LiveWithoutStripe(RuntimeError):
    """Nobody should trade for real against a toy by forgetting a variable."""


@dataclass(frozen=True)
class Place:
    """Where the market's data lies: the URL of the app's role, and of the owner's where we know it."""

    url: str
    owner_url: str | None


def migrate_database(url: str) -> None:
    """Brings the database at `url` (role backhaul_owner) to the newest revision."""
    config = _migrations()
    config.attributes["url"] = url
    command.upgrade(config, "head")


def newest_revision() -> str:
    """The schema that this release needs; revisions are numbered, so a newer one compares as greater."""
    return ScriptDirectory.from_config(_migrations()).get_current_head() or ""


def _migrations() -> Config:
    return Config(toml_file=str(TOP / "pyproject.toml"))


@contextmanager
def place(settings: Settings, *, name: str = "backhaul") -> Iterator[Place]:
    """The configured database as it is, or the embedded one, migrated."""
    if settings.database_url is not None:
        yield Place(settings.database_url, settings.database_owner_url)
        return
    with EmbeddedPostgres.start(settings.data_dir) as server:
        server.create_database(name)
        found = Place(server.url(name), server.url(name, role="backhaul_owner"))
        migrate_database(server.url(name, role="backhaul_owner"))
        yield found


def completed(settings: Settings) -> Settings:
    """With the simulator in Stripe's place where there is no key: its address, and the secret it signs with."""
    if settings.stripe_secret_key is not None:
        return settings
    if settings.is_live:
        raise LiveWithoutStripe("live mode needs BACKHAUL_STRIPE_SECRET_KEY; the simulator is for the sandbox alone")
    return settings.model_copy(
        update={
            "stripe_secret_key": "sk_test_simulated",
            "stripe_api_base": settings.stripe_api_base or f"http://127.0.0.1:{SIMULATOR_PORT}",
            "stripe_webhook_secrets": settings.stripe_webhook_secrets or [_simulator_secret(settings.data_dir)],
        }
    )


def _simulator_secret(folder: Path) -> str:
    return kept(folder / "stripe-simulator.secret", lambda: "whsec_" + secrets.token_hex(24))


@contextmanager
def simulator(settings: Settings, *, port: int, state: Path) -> Iterator[str]:
    """The Stripe simulator as a process of its own; its address. It sends its events to `public_url`."""
    arguments = ["--port", str(port), "--state", str(state), "--deliver-to", settings.public_url]
    arguments += ["--secret", settings.stripe_webhook_secrets[0]]
    process = subprocess.Popen([sys.executable, "-m", "services.payments.simulator", *arguments], cwd=TOP)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def runtime(settings: Settings, url: str) -> Runtime:
    """What the API is built with; its lifespan closes it."""
    engine = database.connect(url, pool_size=settings.pool_size)
    made = Runtime(
        settings=settings,
        sessions=database.sessions_of(engine, settings=settings),
        authenticate=door(settings),
        engine=engine,
        revision=newest_revision(),
        closers=[engine.dispose],
    )
    direct = Direct(url, size=settings.pool_size)
    made.lane = Acquaintances(direct.connect, made.sessions, made.authenticate, serves_live=settings.is_live)
    made.closers.append(direct.close)
    if settings.stripe_secret_key is not None:
        gateway = StripeGateway(settings.stripe_secret_key, base_url=settings.stripe_api_base)
        made.resources["gateway"] = gateway
        made.closers.append(gateway.close)
    return made


async def tools(settings: Settings, url: str, stack: AsyncExitStack) -> Tools:
    """What jobs get; `stack` closes it."""
    engine = database.connect(url, pool_size=settings.pool_size)
    stack.push_async_callback(engine.dispose)
    await database.refuse_unfit_role(engine)
    assert settings.stripe_secret_key is not None, "completed settings name a key"
    gateway = StripeGateway(settings.stripe_secret_key, base_url=settings.stripe_api_base)
    stack.push_async_callback(gateway.close)
    sender = await stack.enter_async_context(build_sender(allow_loopback=settings.allow_loopback_webhooks))
    return Tools(
        sessions=database.sessions_of(engine, settings=settings),
        settings=settings,
        resources={"gateway": gateway, "sender": sender},
    )
