"""Everything here runs as the owner of the tables: FORCE binds it like the app's role, and it can take a wall down in the test's
own transaction."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

from services.kernel import database
from services.kernel.database import Sessions
from services.kernel.settings import Settings
from tests.conftest import LookingSession


@pytest.fixture
async def sessions(engine: AsyncEngine, settings: Settings) -> AsyncIterator[Sessions]:
    owner = create_async_engine(engine.url.set(username="backhaul_owner"), poolclass=NullPool)
    async with owner.connect() as connection:
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
    await owner.dispose()
