"""Wakes whoever waits in this process for a NOTIFY: one connection listens for all of them, for as long as somebody waits."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import structlog
from sqlalchemy import URL

log = structlog.get_logger(__name__)


class Ears:
    """Of one channel; the payload says who is meant. A notification that is missed while the connection is made anew is missed:
    who waits looks by itself now and then."""

    def __init__(self, url: URL, channel: str) -> None:
        self._url = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._channel = channel
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._connection: asyncpg.Connection | None = None
        self._connecting = asyncio.Lock()

    @contextmanager
    def waiting_for(self, payload: str) -> Iterator[asyncio.Event]:
        """An event that is set with every notification; whoever waits clears it."""
        heard = asyncio.Event()
        self._waiting[payload].add(heard)
        try:
            yield heard
        finally:
            self._waiting[payload].discard(heard)
            if not self._waiting[payload]:
                del self._waiting[payload]

    async def open(self) -> None:
        """Listens, if it does not already."""
        async with self._connecting:
            if self._connection is not None and not self._connection.is_closed():
                return
            connection = await asyncpg.connect(self._url)
            await connection.add_listener(self._channel, self._hear)
            self._connection = connection

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    def _hear(self, connection: Any, pid: int, channel: str, payload: object) -> None:
        for heard in self._waiting.get(str(payload), ()):
            heard.set()
