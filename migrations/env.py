"""Runs migrations as the role that owns the schema. The URL comes from the caller (`config.attributes`) or the settings."""

import asyncio
import re
from typing import Any

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import services.app  # noqa: F401 - with every router comes every model
from services.kernel.settings import Settings
from services.kernel.tables import metadata

ONE_AT_A_TIME = text("SELECT pg_advisory_lock(hashtext('backhaul.migrations'))")
"""For the session: `serve` and `work` started together must not both create a table."""
LOCK_TIMEOUT = "SET lock_timeout = '5s'"
AS_HOUSE = "SET app.house = 'on'"
"""Row-level security binds the owner too: a migration that mends data sees the rows of everybody."""
GRANT = text("GRANT SELECT ON alembic_version TO backhaul_app")
"""Alembic makes its table before any migration can say who reads it; `/ready` does."""


def is_ours(name: str | None, kind: str, parents: Any) -> bool:
    """The queue's tables belong to its library; parts of a table are made with it."""
    return not (kind == "table" and name is not None and re.match(r"pgqueuer|offer_\d\d$", name))


def run(connection: Connection) -> None:
    connection.execute(ONE_AT_A_TIME)
    connection.execute(text(LOCK_TIMEOUT))
    connection.execute(text(AS_HOUSE))
    connection.commit()
    context.configure(connection=connection, target_metadata=metadata, include_name=is_ours, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()
        connection.execute(GRANT)


async def connect_and_run(url: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


url = context.config.attributes.get("url") or Settings().database_owner_url
if not url:
    raise SystemExit("DATABASE_OWNER_URL is not set: migrations run as the role that owns the schema")
asyncio.run(connect_and_run(url))
