"""A real PostgreSQL for every test: one embedded server per run, one migrated template, one clone per xdist worker."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import ReleaseSavepointClause, RollbackToSavepointClause

from services.app import build_app
from services.hosting import migrate_database
from services.kernel import clock, database
from services.kernel.database import Sessions
from services.kernel.direct import Direct
from services.kernel.embedded_postgres import EmbeddedPostgres
from services.kernel.http.routing import Runtime
from services.kernel.jobs import Tools
from services.kernel.settings import Settings
from services.parties.authenticating import door
from services.parties.recognizing import Acquaintances
from tests.fakes.worker import drain
from tests.promises import keeps_promises

pytest_plugins = ("tests.fakes.sandbox", "tests.fakes.stripe_contract")

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
TEMPLATE = "backhaul_test_template"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """The run's server; the xdist workers of one run share it, the last to leave stops it."""
    shared = (
        tmp_path_factory.getbasetemp().parent
        if os.environ.get("PYTEST_XDIST_WORKER")
        else tmp_path_factory.getbasetemp()
    )
    server = EmbeddedPostgres.start(shared / "postgres", settings=FAST)
    yield server
    server.discard()


@pytest.fixture(scope="session")
def template(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated database to clone; whichever worker comes first migrates it, the others wait."""
    name = f"{TEMPLATE}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    postgres.create_database(name)
    migrate_database(postgres.url(name, role="backhaul_owner"))
    return name


def clone(postgres: EmbeddedPostgres, template: str, name: str) -> str:
    postgres.drop_database(name)
    postgres.create_database(name, template=template)
    return postgres.url(name)


@pytest.fixture(scope="session")
async def engine(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[AsyncEngine]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    engine = create_async_engine(clone(postgres, template, f"backhaul_test_{worker}"), poolclass=NullPool)
    engine.dialect.do_rollback_to_savepoint = _roll_back_and_release  # type: ignore[method-assign]
    yield engine
    await engine.dispose()


def _roll_back_and_release(connection: Connection, name: str) -> None:
    """A savepoint that is only rolled back stays open, and every look at a row walks through all that are open."""
    connection.execute(RollbackToSavepointClause(name))  # type: ignore[no-untyped-call]
    connection.execute(ReleaseSavepointClause(name))  # type: ignore[no-untyped-call]


class LookingSession(Session):
    """What a test reads by itself, outside of a unit of work, it reads as the house; a unit of work names who asks."""


@event.listens_for(LookingSession, "after_begin")
def _look_as_the_house(session: Session, transaction: object, connection: Connection) -> None:
    settings = "set_config('app.house', 'on', true), set_config('app.livemode', '', true)"
    connection.execute(text(f"SELECT {settings}"))


@pytest.fixture
async def sessions(engine: AsyncEngine, settings: Settings) -> AsyncIterator[Sessions]:
    """Sessions on one connection in an outer transaction that is rolled back: a commit is a savepoint."""
    async with engine.connect() as connection:
        outer = await connection.begin()
        yield async_sessionmaker(
            connection,
            class_=AsyncSession,
            sync_session_class=LookingSession,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
            info={database.SETTINGS: settings},
        )
        await outer.rollback()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Without rate limits: a test asks as often as it needs to."""
    return Settings(
        data_dir=tmp_path,
        public_url="http://testserver",
        allow_loopback_webhooks=True,
        is_live=True,
        rate_limit="",
        anonymous_rate_limit="",
    )


@pytest.fixture
def runtime(sessions: Sessions, settings: Settings) -> Runtime:
    return with_lane(Runtime(settings=settings, sessions=sessions, authenticate=door(settings)))


def with_lane(runtime: Runtime) -> Runtime:
    """The lane's statements run on the connection of the test, in its transaction."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[Any]:
        async with runtime.sessions() as session:
            raw = await (await session.connection()).get_raw_connection()
            yield raw.driver_connection
            await session.commit()

    serves_live = runtime.settings.is_live
    runtime.lane = Acquaintances(connect, runtime.sessions, runtime.authenticate, serves_live=serves_live)
    return runtime


@pytest.fixture
def tools(runtime: Runtime) -> Tools:
    """What jobs get; a test adds to `tools.resources` what its jobs need (`gateway`, `sender`)."""
    return Tools(sessions=runtime.sessions, settings=runtime.settings, resources=runtime.resources)


@asynccontextmanager
async def client_of(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    """What it answers, the app's document must name: see `tests/promises.py`."""
    app = build_app(runtime)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    hooks = keeps_promises(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver", event_hooks=hooks) as client:
        yield client


@pytest.fixture
async def client(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(runtime) as client:
        yield client


Settle = Callable[[], Awaitable[None]]
Advance = Callable[[timedelta | datetime], Awaitable[None]]


@pytest.fixture
def settle(tools: Tools) -> Settle:
    """Does inline what the worker would: sequencer, reactions, jobs and due timers, until nothing is left."""

    async def run() -> None:
        await drain(tools)

    return run


@pytest.fixture
def advance(tools: Tools) -> Advance:
    """Moves the sandbox's clock forward, by a timedelta or to an instant, and settles."""

    async def run(to: timedelta | datetime) -> None:
        async with tools.sessions() as session:
            now = await clock.market_now(session, livemode=False)
            await clock.advance(session, to if isinstance(to, timedelta) else to - now)
            await session.commit()
        await drain(tools)

    return run


def with_lane_to(runtime: Runtime, url: str) -> None:
    """The lane as it is served, on connections of its own."""
    direct = Direct(url, size=10)
    serves_live = runtime.settings.is_live
    runtime.lane = Acquaintances(direct.connect, runtime.sessions, runtime.authenticate, serves_live=serves_live)
    runtime.closers = [direct.close]


async def leave(runtime: Runtime) -> None:
    """A database with a connection to it can be neither cloned nor dropped."""
    for close in runtime.closers:
        await close()
    assert runtime.engine is not None
    await runtime.engine.dispose()


@dataclass
class Race:
    """A cloned database with real commits, a real pool, and the app on it."""

    sessions: Sessions
    runtime: Runtime
    tools: Tools
    client: httpx.AsyncClient
    url: str

    async def settle(self) -> None:
        await drain(self.tools)

    async def value(self, sql: str, **values: Any) -> Any:
        async with self.sessions() as session:
            return (await session.execute(text(sql), values)).scalar_one()


@pytest.fixture
async def race(postgres: EmbeddedPostgres, template: str, settings: Settings) -> AsyncIterator[Race]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"backhaul_race_{worker}"
    url = clone(postgres, template, name)
    engine = database.connect(url, pool_size=30)
    sessions = database.sessions_of(engine, settings=settings, sync_session_class=LookingSession)
    runtime = Runtime(settings=settings, sessions=sessions, authenticate=door(settings), engine=engine)
    with_lane_to(runtime, url)
    tools = Tools(sessions=sessions, settings=settings, resources=runtime.resources)
    async with client_of(runtime) as client:
        yield Race(sessions, runtime, tools, client, url)
    await leave(runtime)
    postgres.drop_database(name)
