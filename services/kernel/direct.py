"""Connections of asyncpg without the ORM, for the lane's statements: whatever is done with one is over in its own transaction."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import make_url

from services.kernel.database import SHORT


class Direct:
    """A pool that opens with its first use. A connection is given back as it is: nothing is set that outlives a transaction."""

    def __init__(self, url: str, *, size: int) -> None:
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._size = size
        self._opening = asyncio.Lock()
        self._pool: Any = None

    def connect(self) -> AbstractAsyncContextManager[Any]:
        if self._pool is None:
            return self._opened()
        taken: AbstractAsyncContextManager[Any] = self._pool.acquire()
        return taken

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Any]:
        await self._open()
        async with self._pool.acquire() as connection:
            yield connection

    async def _open(self) -> None:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._dsn, min_size=1, max_size=self._size, reset=_as_it_is, server_settings=SHORT
                )

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()


async def _as_it_is(connection: Any) -> None:
    """The pool would ask the server to forget what nobody has set: a round trip per statement."""
