"""Timers: rows with `due_at` in market time. A timer tries its transition like anybody and loses quietly if the state has moved.

`schedule` writes one in this unit of work, `@timer("bidding.close")` registers its handler `(work, subject_id)`. The worker fires
what is due in order of `due_at`, each in a unit of work of its own that also marks it fired: at most one effect. In the sandbox,
where the clock jumps, the handler's `work.now` is the due instant, so a chain of timers unfolds as it would have; in live mode
it is the market's time, so nobody loses an hour to an outage of ours.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Index, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from services.kernel import clock, second_wall
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.errors import Problem
from services.kernel.tables import Instant
from services.kernel.unit_of_work import UnitOfWork

Handler = Callable[[UnitOfWork, str], Awaitable[None]]
HANDLERS: dict[str, Handler] = {}
PAUSE_AFTER_FAILURE = timedelta(seconds=5)
log = structlog.get_logger(__name__)


class Timer(SQLModel, table=True):
    """One per (kind, subject): scheduling again moves it. `not_before` (real time) delays one whose handler failed."""

    __tablename__ = "timer"
    __table_args__ = (
        Index("ix_timer_due", "livemode", "due_at", postgresql_where=text("fired_at IS NULL AND cancelled_at IS NULL")),
    )

    kind: str = Field(primary_key=True)
    subject_id: str = Field(primary_key=True)
    due_at: datetime = Field(sa_type=Instant)
    livemode: bool
    fired_at: datetime | None = Field(default=None, sa_type=Instant)
    cancelled_at: datetime | None = Field(default=None, sa_type=Instant)
    not_before: datetime | None = Field(default=None, sa_type=Instant)


def timer(kind: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        if kind in HANDLERS:
            raise TypeError(f"two timers are called {kind}")
        HANDLERS[kind] = handler
        return handler

    return register


async def schedule(work: UnitOfWork, kind: str, subject_id: str, due_at: datetime) -> None:
    """Sets or moves the timer; it is then neither fired nor cancelled."""
    assert kind in HANDLERS, f"no handler is registered for {kind}"
    statement = text(
        "INSERT INTO timer (kind, subject_id, due_at, livemode) VALUES (:kind, :subject, :due, :livemode)"
        " ON CONFLICT (kind, subject_id) DO UPDATE SET due_at = excluded.due_at, fired_at = NULL, cancelled_at = NULL,"
        " not_before = NULL"
    )
    values = {"kind": kind, "subject": subject_id, "due": due_at, "livemode": work.livemode}
    await work.session.execute(statement, values)


async def cancel(work: UnitOfWork, kind: str, subject_id: str) -> None:
    statement = text(
        "UPDATE timer SET cancelled_at = :now WHERE kind = :kind AND subject_id = :subject AND fired_at IS NULL"
    )
    await work.session.execute(statement, {"now": work.now, "kind": kind, "subject": subject_id})


_IS_DUE = "fired_at IS NULL AND cancelled_at IS NULL AND livemode = :livemode AND due_at <= :now"
_NEXT = text(
    f"SELECT kind, subject_id, due_at FROM timer WHERE {_IS_DUE} AND (not_before IS NULL OR not_before <= clock_timestamp())"
    " ORDER BY due_at, kind, subject_id LIMIT 1"
)
_FIRED = text(
    "UPDATE timer SET fired_at = :now WHERE kind = :kind AND subject_id = :subject AND due_at = :due"
    " AND fired_at IS NULL AND cancelled_at IS NULL RETURNING 1"
)
_LATER = text("UPDATE timer SET not_before = clock_timestamp() + :pause WHERE kind = :kind AND subject_id = :subject")


async def count_due(session: AsyncSession, *, livemode: bool) -> int:
    now = await clock.market_now(session, livemode=livemode)
    return int(
        (
            await session.execute(
                text(f"SELECT count(*) FROM timer WHERE {_IS_DUE}"), {"livemode": livemode, "now": now}
            )
        ).scalar_one()
    )


async def fire_next(sessions: Sessions, *, livemode: bool) -> bool:
    """Fires the earliest due timer; False if none is due."""
    async with second_wall.house(sessions) as session:
        now = await clock.market_now(session, livemode=livemode)
        due = (await session.execute(_NEXT, {"livemode": livemode, "now": now})).one_or_none()
        if due is None:
            return False
        key = {"kind": due.kind, "subject": due.subject_id, "due": due.due_at}
        moment = now if livemode else due.due_at
        await session.rollback()
    try:
        await _fire(sessions, key, livemode=livemode, moment=moment)
    except Exception:
        log.exception("timer failed and is tried again", kind=key["kind"], subject=key["subject"])
        async with second_wall.house(sessions) as session:
            await session.execute(
                _LATER, {"pause": PAUSE_AFTER_FAILURE, "kind": key["kind"], "subject": key["subject"]}
            )
            await session.commit()
    return True


async def _fire(sessions: Sessions, key: dict[str, object], *, livemode: bool, moment: datetime) -> None:
    cause = f"timer:{key['kind']}"
    async with UnitOfWork(sessions, system(livemode), cause=cause, now=moment) as work:
        if (await work.session.execute(_FIRED, {**key, "now": moment})).one_or_none() is None:
            return
        try:
            async with work.session.begin_nested():
                await HANDLERS[str(key["kind"])](work, str(key["subject"]))
        except Problem as lost:
            log.info("timer lost", kind=key["kind"], subject=key["subject"], why=lost.detail)
