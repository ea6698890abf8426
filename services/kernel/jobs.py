"""Background work: a small port over PgQueuer, so that another engine could take its place.

`enqueue` writes the job in this unit of work; `@job("payments.operate")` registers its handler, which gets `Tools` and the payload.
A handler makes its own units of work, must be safe to run twice, and may call the outside between them. A domain failure is
retried with jitter and held for an operator after `MOST_ATTEMPTS`; a database that is gone ends the process, and the heartbeat
gives the job to another worker.
"""

import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.executors import EntrypointExecutor
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Context, Job
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel import tracing
from services.kernel.database import Sessions
from services.kernel.settings import Settings
from services.kernel.unit_of_work import UnitOfWork

MOST_ATTEMPTS = 12
log = structlog.get_logger(__name__)


@dataclass
class Tools:
    """What a job may use: sessions, settings, and what the worker has opened for its lifetime, by name (`gateway`, `sender`)."""

    sessions: Sessions
    settings: Settings
    resources: dict[str, Any] = field(default_factory=dict)


Handler = Callable[[Tools, dict[str, Any]], Awaitable[None]]
HANDLERS: dict[str, Handler] = {}


class TryAgain(Exception):
    """A handler asks to be called again after a pause."""

    def __init__(self, after: timedelta, why: str) -> None:
        super().__init__(why)
        self.after = after


def job(name: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        if name in HANDLERS:
            raise TypeError(f"two jobs are called {name}")
        HANDLERS[name] = handler
        return handler

    return register


async def enqueue(work: UnitOfWork, name: str, payload: dict[str, Any], *, after: timedelta | None = None) -> None:
    """Runs `name` once this unit of work has committed, `after` a pause of real time at the earliest."""
    await work.session.flush()
    await enqueue_many(work.session, [(name, payload)], after=after)


async def enqueue_many(
    session: AsyncSession,
    jobs: list[tuple[str, dict[str, Any]]],
    *,
    after: timedelta | None = None,
    unique: str | None = None,
) -> None:
    """`unique`: skipped while a job with this key is waiting or running. Never in a business transaction: publishers would
    wait for each other."""
    if not jobs:
        return
    unknown = {name for name, _ in jobs} - HANDLERS.keys()
    assert not unknown, f"no handler is registered for {unknown}"
    connection = await session.connection()
    assert connection.in_transaction(), "a job must be enqueued in the transaction of its fact"
    raw = await connection.get_raw_connection()
    await Queries(AsyncpgDriver(raw.driver_connection)).enqueue(
        [name for name, _ in jobs],
        [json.dumps(payload).encode() for _, payload in jobs],
        [0] * len(jobs),
        [after] * len(jobs),
        [unique] * len(jobs),
        [tracing.carrier()] * len(jobs),
        on_conflict="skip",
    )


_OPEN = text(
    "SELECT count(*) FROM pgqueuer WHERE status = 'picked'"
    " OR (status = 'queued' AND execute_after <= clock_timestamp())"
)


async def count_open(session: AsyncSession) -> int:
    """Jobs that run or could run now."""
    return int((await session.execute(_OPEN)).scalar_one())


class _Executor(EntrypointExecutor):
    async def execute(self, job: Job, context: Context) -> None:
        try:
            await super().execute(job, context)
        except TryAgain as again:
            raise RetryRequested(delay=again.after, reason=str(again)) from again
        except DBAPIError as error:
            if error.connection_invalidated:
                raise SystemExit("the database is gone") from error
            raise _retry(job, error) from error
        except Exception as error:
            raise _retry(job, error) from error


def _retry(job: Job, error: Exception) -> Exception:
    if job.attempts >= MOST_ATTEMPTS:
        return error
    log.warning("job failed and is tried again", job=job.entrypoint, attempts=job.attempts, error=repr(error))
    pause = min(0.2 * 2**job.attempts, 300) * random.uniform(0.8, 1.2)
    return RetryRequested(delay=timedelta(seconds=pause), reason=repr(error))


def build_queue(driver: AsyncpgDriver, tools: Tools) -> PgQueuer:
    """The engine with every registered handler; `run_queue` runs it until `queue.shutdown` is set."""
    queue = PgQueuer(driver)
    for name, handler in HANDLERS.items():
        queue.entrypoint(name, on_failure="hold", executor_factory=_Executor)(_entry(handler, tools))
    return queue


def _entry(handler: Handler, tools: Tools) -> Callable[[Job], Awaitable[None]]:
    async def run(job: Job) -> None:
        await call(handler, tools, job.entrypoint, job.payload, job.headers)

    return run


async def call(
    handler: Handler, tools: Tools, name: str, payload: bytes | None, headers: Mapping[str, object] | None
) -> None:
    """Runs the job in the trace of what enqueued it."""
    with tracing.job_span(name, headers):
        await handler(tools, json.loads(payload or b"{}"))


async def run_queue(queue: PgQueuer) -> None:
    await queue.run(
        dequeue_timeout=timedelta(seconds=1),
        batch_size=20,
        heartbeat_timeout=timedelta(seconds=8),
        max_concurrent_tasks=60,
    )
