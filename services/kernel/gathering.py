"""What arrives while a batch is under way goes into the next one together, in the order of arrival; each is told what became of it.

Things of one key are never in two batches at a time. A batch that takes longer than `PATIENCE` holds up nobody but those of its
own keys: another begins beside it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
MOST = 128
"""Things of one batch."""
AT_ONCE = 4
"""Batches of one gathering."""
PATIENCE = 0.03
"""Seconds."""


class Gathering(Generic[T, R]):
    """`deal` answers a batch thing by thing, in its order; what it raises is raised to each."""

    def __init__(self, deal: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, key: Callable[[T], Hashable]) -> None:
        self._deal, self._key = deal, key
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._in_hand: dict[asyncio.Task[None], tuple[float, frozenset[Hashable]]] = {}
        self._is_called = False

    async def bring(self, thing: T) -> R:
        told: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((thing, told))
        self._call()
        return await told

    def _call(self) -> None:
        """Begins after whatever else this turn of the loop has to read."""
        if not self._is_called:
            self._is_called = True
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        self._is_called = False
        loop = asyncio.get_running_loop()
        if not self._waiting or len(self._in_hand) == AT_ONCE:
            return
        if any(loop.time() - started < PATIENCE for started, _ in self._in_hand.values()):
            return
        batch = self._take()
        if batch:
            task = loop.create_task(self._run(batch))
            self._in_hand[task] = (loop.time(), frozenset(self._key(thing) for thing, _ in batch))
            task.add_done_callback(self._done)
            loop.call_later(PATIENCE * 1.01, self._begin)

    def _take(self) -> list[tuple[T, "asyncio.Future[R]"]]:
        taken = {key for _, keys in self._in_hand.values() for key in keys}
        batch: list[tuple[T, asyncio.Future[R]]] = []
        left: list[tuple[T, asyncio.Future[R]]] = []
        for one in self._waiting:
            is_ours = len(batch) < MOST and self._key(one[0]) not in taken
            (batch if is_ours else left).append(one)
        self._waiting = left
        return batch

    async def _run(self, batch: Sequence[tuple[T, "asyncio.Future[R]"]]) -> None:
        try:
            answers = await self._deal([thing for thing, _ in batch])
        except Exception as error:
            for _, told in batch:
                if not told.done():
                    told.set_exception(error)
        else:
            for (_, told), answer in zip(batch, answers, strict=True):
                if not told.done():
                    told.set_result(answer)

    def _done(self, task: "asyncio.Task[None]") -> None:
        del self._in_hand[task]
        self._begin()
