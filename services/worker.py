"""The process behind the API: sequencer, audit chains, reactions, jobs and timers. Many may run; each may be killed at any time."""

import asyncio
import contextlib
import signal

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from sqlalchemy import make_url

from services import reactions
from services.kernel import events, idempotency, jobs, second_wall, timers
from services.kernel.actors import system
from services.kernel.audit import chaining
from services.kernel.database import Sessions
from services.kernel.jobs import Tools
from services.kernel.unit_of_work import UnitOfWork
from services.parties import delegating, inviting

log = structlog.get_logger(__name__)
TIMERS = (delegating, inviting)
"""Modules with timers that no reaction leads to."""
SEQUENCER_POLL = 0.25
TIMER_POLL = 0.1
FORGET_EVERY = 3600.0
CHAIN_POLL = 1.0


async def sequence(sessions: Sessions) -> int:
    """Gives one batch of committed events its order and enqueues what follows, in one transaction; how many it was."""
    async with second_wall.house(sessions) as session:
        told = await events.assign_seq(session)
        await jobs.enqueue_many(session, reactions.jobs_for(told))
        await session.commit()
    return len(told)


async def _sequence_for_ever(tools: Tools, url: str) -> None:
    wake = asyncio.Event()
    connection = await _plain_connection(url)
    await connection.add_listener(events.WAKE_CHANNEL, lambda *_: wake.set())
    while True:
        wake.clear()
        if not await sequence(tools.sessions):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), SEQUENCER_POLL)


async def chain(sessions: Sessions) -> int:
    """Gives one batch of committed audit entries their place in the chains; how many it was."""
    async with second_wall.house(sessions) as session:
        chained = await chaining.chain(session)
        await session.commit()
    return chained


async def _chain_for_ever(tools: Tools) -> None:
    while True:
        if not await chain(tools.sessions):
            await asyncio.sleep(CHAIN_POLL)


async def _forget_for_ever(tools: Tools) -> None:
    """Answers kept for retries go when nobody will retry any more."""
    while True:
        async with UnitOfWork(tools.sessions, system(livemode=False), cause="worker") as work:
            await idempotency.forget_old(work)
        await asyncio.sleep(FORGET_EVERY)


async def _fire_for_ever(tools: Tools) -> None:
    modes = [False, True] if tools.settings.is_live else [False]
    while True:
        fired = [await timers.fire_next(tools.sessions, livemode=livemode) for livemode in modes]
        if not any(fired):
            await asyncio.sleep(TIMER_POLL)


async def _plain_connection(url: str) -> asyncpg.Connection:
    """A connection outside the pool: it listens for the process's whole life."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return await asyncpg.connect(plain)


async def run(tools: Tools, url: str) -> None:
    """Works until SIGTERM or SIGINT; any loop that fails ends the process, and the supervisor starts it again."""
    queue = jobs.build_queue(AsyncpgDriver(await _plain_connection(url)), tools)
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, queue.shutdown.set)
    loops = (_sequence_for_ever(tools, url), _chain_for_ever(tools), _fire_for_ever(tools), _forget_for_ever(tools))
    endless = [asyncio.create_task(one) for one in loops]
    work = asyncio.create_task(jobs.run_queue(queue))
    log.info("worker is ready")
    done, _ = await asyncio.wait([work, *endless], return_when=asyncio.FIRST_COMPLETED)
    for task in endless:
        task.cancel()
    queue.shutdown.set()
    await asyncio.gather(work, return_exceptions=True)
    for task in done:
        task.result()
