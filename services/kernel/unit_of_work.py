"""One unit of work is one transaction: rows, events, ledger entries and jobs commit together, once, or not at all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel import second_wall
from services.kernel.actors import Actor
from services.kernel.audit.recording import Trail
from services.kernel.database import SETTINGS, Sessions
from services.kernel.events import WAKE_CHANNEL, Event, EventRow, recorded
from services.kernel.settings import Settings
from services.kernel.states import Moved

_ASK_CONSTRAINTS = text("DO 'BEGIN SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; END'")


class UnitOfWork:
    """`async with UnitOfWork(sessions, actor) as work:` commits at the end; any error or a dry run rolls back.

    `work.now` is market time, read once. `cause` is the request or event that led here, `arrived` when this process received the
    request, by `clock.ticks`.
    """

    def __init__(
        self,
        sessions: Sessions,
        actor: Actor,
        *,
        cause: str | None = None,
        now: datetime | None = None,
        dry_run: bool = False,
        arrived: float | None = None,
    ) -> None:
        self._sessions = sessions
        self._now = now
        self._has_told = False
        self.actor = actor
        self.cause = cause
        self.dry_run = dry_run
        self.arrived = arrived
        self.operation: str | None = None
        self.trail = Trail()
        self.session: AsyncSession

    @property
    def now(self) -> datetime:
        assert self._now is not None, "the unit of work has not begun"
        return self._now

    @property
    def livemode(self) -> bool:
        return self.actor.livemode

    @property
    def settings(self) -> Settings:
        """Those of the process, for what signs and seals."""
        settings = self.session.info.get(SETTINGS)
        assert isinstance(settings, Settings), "the sessions were made without settings"
        return settings

    async def __aenter__(self) -> Self:
        self.session = self._sessions()
        if self.actor.kind != "system":
            self.trail.follow(self.session)
        await self.act_as(self.actor)
        return self

    async def act_as(self, actor: Actor) -> None:
        """Names the actor once it is known who calls: row-level policies and market time follow from it."""
        self.actor = actor
        asker = second_wall.asker_of(actor)
        if self._now is None or actor.kind != "system":
            self._now = await second_wall.name_and_read_clock(self.session, asker, livemode=actor.livemode)
        else:
            await second_wall.name(self.session, asker)

    @asynccontextmanager
    async def as_house(self, *, of_both: bool = False) -> AsyncIterator[None]:
        """Inside, rows are seen that are not the caller's: for what follows from a decision, after the subject was loaded
        and the policy asked; never around the load of what the caller has named. `of_both`: of both environments.
        """
        before = second_wall.current(self.session)
        inside = before.as_house(of_both=of_both)
        if inside == before:
            yield
            return
        await second_wall.name(self.session, inside)
        try:
            yield
            await self.session.flush()
        finally:
            with suppress(SQLAlchemyError):
                await second_wall.name(self.session, before)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None and not self.dry_run:
                await self._commit()
            else:
                await self.session.rollback()
        finally:
            await self.session.close()

    async def _commit(self) -> None:
        await self.check()
        if self.trail.is_of_a_stranger:
            await second_wall.name(self.session, second_wall.current(self.session).as_house())
        await self.trail.write(self.session, self.actor, operation=self.operation, request_id=self.cause, at=self.now)
        if self._has_told:
            await self.session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": WAKE_CHANNEL})
        await self.session.commit()

    async def check(self) -> None:
        """Flushes and asks the deferred constraints now: a dry run learns what a commit would. They judge as the house, and
        what is left of the unit of work is the house's."""
        await self.session.flush()
        if self._has_told or not self.trail.is_empty:
            await second_wall.name(self.session, second_wall.current(self.session).as_house())
        if self._has_told:
            await self.session.execute(_ASK_CONSTRAINTS)

    def note_change(self, table: str, id: str, **fields: tuple[Any, Any]) -> None:
        """For the audit trail, of a statement written by hand: columns with their old and new values, fit for the actor to see."""
        self.trail.note(table, id, fields)

    def add(self, row: Any) -> None:
        self.session.add(row)

    def emit(
        self,
        event: Event,
        *,
        subject: str,
        audience: dict[Any, str],
        moved: Moved | None = None,
        occurred_at: datetime | None = None,
    ) -> EventRow:
        """Writes the event into this transaction. `audience` maps organization ids to their role in the matter."""
        values = recorded(
            event,
            subject=subject,
            audience=audience,
            actor=self.actor,
            cause=self.cause,
            at=self.now,
            moved=moved,
            occurred_at=occurred_at,
        )
        row = EventRow(**values)
        self.session.add(row)
        self._has_told = True
        return row
