"""Timers, the sandbox's clock, and the order of events."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from services import reactions, worker
from services.kernel import clock, timers
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.errors import Conflict
from services.kernel.events import EventRow
from services.kernel.ids import EndpointId
from services.kernel.unit_of_work import UnitOfWork
from services.webhooks.events import SecretRotated
from tests.conftest import Advance, Race

FIRED: list[tuple[str, datetime]] = []


@timers.timer("test.note")
async def _note(work: UnitOfWork, subject_id: str) -> None:
    FIRED.append((subject_id, work.now))


@timers.timer("test.chain")
async def _chain(work: UnitOfWork, subject_id: str) -> None:
    FIRED.append((subject_id, work.now))
    if len(FIRED) < 3:
        await timers.schedule(work, "test.chain", subject_id, work.now + timedelta(hours=2))


@timers.timer("test.lose")
async def _lose(work: UnitOfWork, subject_id: str) -> None:
    FIRED.append((subject_id, work.now))
    raise Conflict("The state has moved.")


@pytest.fixture(autouse=True)
def _forget() -> None:
    FIRED.clear()


async def _in(sessions: Sessions, kind: str, subject: str, after: timedelta) -> datetime:
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        await timers.schedule(work, kind, subject, work.now + after)
        return work.now + after


async def test_timers_fire_in_order_of_their_due_time(sessions: Sessions, advance: Advance) -> None:
    later = await _in(sessions, "test.note", "b", timedelta(hours=2))
    sooner = await _in(sessions, "test.note", "a", timedelta(hours=1))
    await _in(sessions, "test.note", "c", timedelta(days=2))
    await advance(timedelta(days=1))
    assert [("a", sooner), ("b", later)] == FIRED


async def test_a_chain_of_timers_unfolds_as_it_would_have(sessions: Sessions, advance: Advance) -> None:
    first = await _in(sessions, "test.chain", "x", timedelta(hours=1))
    await advance(timedelta(days=1))
    assert [at for _, at in FIRED] == [first, first + timedelta(hours=2), first + timedelta(hours=4)]


async def test_a_cancelled_timer_stays_silent(sessions: Sessions, advance: Advance) -> None:
    await _in(sessions, "test.note", "a", timedelta(hours=1))
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        await timers.cancel(work, "test.note", "a")
    await advance(timedelta(days=1))
    assert FIRED == []


async def test_a_timer_that_comes_too_late_loses_quietly(sessions: Sessions, advance: Advance) -> None:
    await _in(sessions, "test.lose", "a", timedelta(hours=1))
    await advance(timedelta(days=1))
    await advance(timedelta(days=1))
    assert len(FIRED) == 1


async def test_live_time_is_the_time(sessions: Sessions, advance: Advance) -> None:
    await advance(timedelta(days=40))
    async with sessions() as session:
        live = await clock.market_now(session, livemode=True)
        sandbox = await clock.market_now(session, livemode=False)
    assert abs(live - datetime.now(UTC)) < timedelta(seconds=5)
    assert timedelta(days=39, hours=23) < sandbox - live < timedelta(days=40, hours=1)


@pytest.mark.race
async def test_the_sequencer_misses_nothing_and_keeps_each_subjects_order(race: Race) -> None:
    subjects = [EndpointId.new() for _ in range(5)]

    async def write(subject: EndpointId) -> None:
        for _ in range(20):
            async with UnitOfWork(race.sessions, system(livemode=False)) as work:
                work.emit(SecretRotated(endpoint_id=subject), subject=subject, audience={})

    async def read() -> None:
        for _ in range(60):
            await worker.sequence(race.sessions)
            await asyncio.sleep(0.01)

    await asyncio.gather(*(write(subject) for subject in subjects), read(), read())
    while await worker.sequence(race.sessions):
        pass
    async with race.sessions() as session:
        rows = (await session.execute(select(EventRow).order_by(col(EventRow.seq)))).scalars().all()
    assert [row.seq for row in rows] == list(range(1, 101))
    for subject in subjects:
        own = [row for row in rows if row.subject_id == subject]
        assert [row.subject_seq for row in own] == list(range(1, 21))
        assert [row.id for row in own] == [row.id for row in sorted(own, key=lambda row: row.ordinal or 0)]


async def test_a_reaction_has_its_effect_once(race: Race) -> None:
    async with UnitOfWork(race.sessions, system(livemode=False)) as work:
        row = work.emit(SecretRotated(endpoint_id=EndpointId.new()), subject="whk_1", audience={})
    await worker.sequence(race.sessions)
    payload = {"event": row.id, "reaction": reactions.FAN_OUT}
    await asyncio.gather(*(reactions.react(race.tools, payload) for _ in range(10)))
    assert await race.value("SELECT count(*) FROM reaction_done") == 1
