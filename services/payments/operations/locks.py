"""One attempt in flight per subject: a session advisory lock, held over the call to the provider on a connection of its
own.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, async_sessionmaker

from services.kernel.database import Sessions
from services.kernel.jobs import TryAgain

BUSY_PAUSE = timedelta(seconds=3)
_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended('payments:' || :subject, 0))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtextextended('payments:' || :subject, 0))")


@asynccontextmanager
async def alone(sessions: Sessions, subject_id: str) -> AsyncIterator[Sessions]:
    """Sessions on the one connection that holds the lock; no transaction is open in between. TryAgain if somebody else
    has it.

    A lease could run out while its holder still waits for an answer; this lock ends with the connection, and the result
    is recorded through that same connection or not at all. Needs a direct connection: a pooler by transaction would
    break it.
    """
    bind = sessions.kw["bind"]
    if isinstance(bind, AsyncConnection):
        async with _locked(bind, subject_id):
            yield sessions
        return
    assert isinstance(bind, AsyncEngine), "sessions are bound to an engine"
    async with bind.connect() as connection:
        async with _locked(connection, subject_id):
            yield async_sessionmaker(connection, expire_on_commit=False)


@asynccontextmanager
async def _locked(connection: AsyncConnection, subject_id: str) -> AsyncIterator[None]:
    is_nested = connection.in_transaction()
    got = (await connection.execute(_LOCK, {"subject": subject_id})).scalar_one()
    if not is_nested:
        await connection.commit()
    if not got:
        raise TryAgain(BUSY_PAUSE, f"{subject_id} is being worked on")
    try:
        yield
    except BaseException:
        if not is_nested:
            await connection.invalidate()
        raise
    await connection.execute(_UNLOCK, {"subject": subject_id})
    if not is_nested:
        await connection.commit()
