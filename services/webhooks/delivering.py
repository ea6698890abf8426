"""One lane per endpoint works off what is due there, some in flight at once, or one by one where order is asked for.

Between transactions: read what is due and commit, send, record and commit. A lane killed after sending sends again under the same
`webhook-id`. A slow or dead endpoint holds up its own lane and nobody else's.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel import clock, jobs, second_wall, states
from services.kernel.actors import system
from services.kernel.events import EventRow
from services.kernel.ids import EndpointId
from services.kernel.jobs import Tools, job
from services.kernel.unit_of_work import UnitOfWork
from services.webhooks import destinations, queries, rendering, signing, subscribing
from services.webhooks.models import DELIVERY, Attempt, Delivery, Endpoint
from services.webhooks.subscribing import LANE

IN_FLIGHT = 8
TIMEOUT = 15.0
KEPT_OF_ANSWER = 1_000
PAUSES = [timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30)] + [
    timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)
]
DISABLED_AFTER = timedelta(days=5)
MOST_ROUNDS = 50

_HOLD_LANE = text("SELECT pg_try_advisory_xact_lock(hashtext('webhooks.lane'), hashtext(:endpoint))")


@asynccontextmanager
async def build_sender(*, allow_loopback: bool) -> AsyncIterator[aiohttp.ClientSession]:
    """The session every delivery goes through; `tools.resources["sender"]`."""
    connector = destinations.connector(allow_loopback=allow_loopback)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as sender:
        yield sender


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt."""

    at: datetime
    milliseconds: int
    status_code: int | None
    error: str | None
    answer: str
    retry_after: timedelta | None = None

    @property
    def is_success(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300


@job(LANE)
async def run_lane(tools: Tools, payload: dict[str, str]) -> None:
    """Works until nothing is due, then comes back when something will be. A second lane for the endpoint steps aside:
    the first looks once more after it has let go of the lane, so what came meanwhile is not forgotten."""
    endpoint_id = EndpointId(payload["endpoint"])
    async with second_wall.house(tools.sessions) as holder:
        if not (await holder.execute(_HOLD_LANE, {"endpoint": endpoint_id})).scalar_one():
            return
        for _ in range(MOST_ROUNDS):
            if not await _round(tools, endpoint_id):
                break
        await holder.commit()
    await _come_back(tools, endpoint_id)


async def _round(tools: Tools, endpoint_id: EndpointId) -> bool:
    async with second_wall.house(tools.sessions) as session:
        endpoint = await session.get_one(Endpoint, endpoint_id)
        batch = await _batch(session, endpoint) if endpoint.is_enabled else []
    sender: aiohttp.ClientSession = tools.resources["sender"]
    outcomes = await asyncio.gather(*(send(sender, endpoint, delivery, row) for delivery, row in batch))
    for (delivery, _), outcome in zip(batch, outcomes, strict=True):
        await _record(tools, endpoint, delivery, outcome)
    return bool(batch)


async def _batch(session: AsyncSession, endpoint: Endpoint) -> list[tuple[Delivery, EventRow]]:
    if not endpoint.is_ordered:
        return await queries.due(session, endpoint.id, limit=IN_FLIGHT)
    first = await queries.first_pending(session, endpoint.id)
    found = await queries.due(session, endpoint.id, limit=1)
    return [pair for pair in found if first is not None and pair[0].id == first.id]


async def send(sender: aiohttp.ClientSession, endpoint: Endpoint, delivery: Delivery, row: EventRow) -> Outcome:
    """One POST; every failure is an outcome, never an exception."""
    body = rendering.body(row, endpoint.org_id)
    at = clock.wall_now()
    secrets = subscribing.secrets_in_force(endpoint)
    headers = signing.headers(secrets, message_id=row.id, timestamp=int(at.timestamp()), body=body)
    headers |= {"backhaul-delivery": delivery.id, "user-agent": "Backhaul-Webhooks/1"}
    started = time.perf_counter()

    def outcome(status: int | None, error: str | None, answer: str, retry_after: timedelta | None = None) -> Outcome:
        return Outcome(at, round((time.perf_counter() - started) * 1_000), status, error, answer, retry_after)

    try:
        async with sender.post(endpoint.url, data=body, headers=headers, allow_redirects=False) as response:
            answer = (await response.content.read(KEPT_OF_ANSWER)).decode("utf-8", "replace").replace("\0", "")
            return outcome(response.status, None, answer, _retry_after(response.headers.get("retry-after"), at))
    except TimeoutError:
        return outcome(None, "no answer in time", "")
    except (aiohttp.ClientError, OSError, ValueError):
        return outcome(None, destinations.REFUSAL, "")


def _retry_after(value: str | None, now: datetime) -> timedelta | None:
    if value is None:
        return None
    if value.isdigit():
        return timedelta(seconds=min(int(value), 86_400))
    try:
        return min(max(parsedate_to_datetime(value) - now, timedelta(0)), timedelta(days=1))
    except (TypeError, ValueError):
        return None


def pause_after(attempts: int, retry_after: timedelta | None) -> timedelta | None:
    """How long to wait after that many attempts, ±20 %; None when there is no further one."""
    if attempts > len(PAUSES):
        return None
    if retry_after is not None:
        return max(PAUSES[attempts - 1], retry_after * random.uniform(1, 2))
    return PAUSES[attempts - 1] * random.uniform(0.8, 1.2)


async def _record(tools: Tools, endpoint: Endpoint, delivery: Delivery, outcome: Outcome) -> None:
    async with UnitOfWork(tools.sessions, system(endpoint.livemode), cause=delivery.id) as work:
        current = await work.session.get_one(Delivery, delivery.id, with_for_update=True)
        current.attempts += 1
        work.add(
            Attempt(
                delivery_id=current.id,
                number=current.attempts,
                at=outcome.at,
                milliseconds=outcome.milliseconds,
                status_code=outcome.status_code,
                error=outcome.error,
                answer=outcome.answer,
            )
        )
        if outcome.is_success:
            await _succeeded(work, current, outcome)
        else:
            await _failed(work, current, outcome)


async def _succeeded(work: UnitOfWork, delivery: Delivery, outcome: Outcome) -> None:
    if delivery.status == "pending":
        states.move(DELIVERY, delivery, "deliver", by="time")
    delivery.delivered_at = outcome.at
    healthy = text("UPDATE webhook_endpoint SET failing_since = NULL WHERE id = :id AND failing_since IS NOT NULL")
    await work.session.execute(healthy, {"id": delivery.endpoint_id})


async def _failed(work: UnitOfWork, delivery: Delivery, outcome: Outcome) -> None:
    pause = pause_after(delivery.attempts, outcome.retry_after)
    if pause is None:
        states.move(DELIVERY, delivery, "give_up", by="time")
    else:
        delivery.next_attempt_at = outcome.at + pause
    endpoint = await work.session.get_one(Endpoint, delivery.endpoint_id, with_for_update=True)
    endpoint.failing_since = endpoint.failing_since or outcome.at
    if endpoint.is_enabled and outcome.status_code == 410:
        subscribing.disable(work, endpoint, "it answered 410 Gone")
    elif endpoint.is_enabled and outcome.at - endpoint.failing_since > DISABLED_AFTER:
        subscribing.disable(work, endpoint, "nothing but failures for five days")


async def _come_back(tools: Tools, endpoint_id: EndpointId) -> None:
    async with second_wall.house(tools.sessions) as session:
        endpoint = await session.get_one(Endpoint, endpoint_id)
        due_at = await queries.next_due_at(session, endpoint_id)
        if due_at is not None and endpoint.is_enabled:
            pause = max(due_at - clock.wall_now(), timedelta(milliseconds=50))
            unique = f"{endpoint_id}:{due_at.isoformat()}"
            await jobs.enqueue_many(session, [(LANE, {"endpoint": endpoint_id})], after=pause, unique=unique)
            await session.commit()
