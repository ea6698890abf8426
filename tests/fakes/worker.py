"""The worker's work, done inline: deterministic, and on the test's own sessions."""

from sqlalchemy import text

from services.kernel import timers
from services.kernel.jobs import HANDLERS, Tools, TryAgain, call
from services.worker import chain, sequence

MOST_ROUNDS = 2_000
_NEXT = text(
    "DELETE FROM pgqueuer WHERE id = (SELECT id FROM pgqueuer WHERE status = 'queued'"
    " AND execute_after <= clock_timestamp() ORDER BY id LIMIT 1) RETURNING entrypoint, payload,"
    " headers ->> 'traceparent' AS traceparent"
)


async def drain(tools: Tools) -> None:
    """Until no event is unsequenced, no job could run, no timer is due and every audit entry is in its chain; a failing job
    fails the test."""
    for _ in range(MOST_ROUNDS):
        busy = await sequence(tools.sessions)
        busy += await _run_next_job(tools)
        if not busy and not await timers.fire_next(tools.sessions, livemode=False):
            await _chain_all(tools)
            return
    raise AssertionError("the market does not come to rest")


async def _chain_all(tools: Tools) -> None:
    while await chain(tools.sessions):
        pass


async def _run_next_job(tools: Tools) -> int:
    async with tools.sessions() as session:
        job = (await session.execute(_NEXT)).one_or_none()
        await session.commit()
    if job is None:
        return 0
    try:
        carried = {"traceparent": job.traceparent}
        await call(HANDLERS[job.entrypoint], tools, job.entrypoint, job.payload, carried)
    except TryAgain:
        return 0
    return 1
