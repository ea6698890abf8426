"""One unit of work is one transaction: rows, events, ledger entries and jobs commit together, once, or not at all."""

from datetime import datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.kernel import clock
from services.kernel.actors import Actor
from services.kernel.database import Sessions
from services.kernel.events import WAKE_CHANNEL, Event, EventRow
from services.kernel.states import Moved


class UnitOfWork:
    """`async with UnitOfWork(sessions, actor) as work:` commits at the end; any error or a dry run rolls back.

    `work.now` is market time, read once. `cause` is the request or event that led here.
    """

    def __init__(
        self,
        sessions: Sessions,
        actor: Actor,
        *,
        cause: str | None = None,
        now: datetime | None = None,
        dry_run: bool = False,
    ) -> None:
        self._sessions = sessions
        self._now = now
        self._has_told = False
        self.actor = actor
        self.cause = cause
        self.dry_run = dry_run
        self.session: AsyncSession

    @property
    def now(self) -> datetime:
        assert self._now is not None, "the unit of work has not begun"
        return self._now

    @property
    def livemode(self) -> bool:
        return self.actor.livemode

    async def __aenter__(self) -> Self:
        self.session = self._sessions()
        await self.act_as(self.actor)
        return self

    async def act_as(self, actor: Actor) -> None:
        """Names the actor once it is known who calls: row-level policies and market time follow from it."""
        self.actor = actor
        await self.session.execute(text("SELECT set_config('app.org_id', :org, true)"), {"org": actor.org_id or ""})
        if self._now is None or actor.kind != "system":
            self._now = await clock.market_now(self.session, livemode=actor.livemode)

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
        if self._has_told:
            await self.session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": WAKE_CHANNEL})
        await self.session.commit()

    async def check(self) -> None:
        """Flushes and asks the deferred constraints now: a dry run learns what a commit would."""
        await self.session.flush()
        if self._has_told:
            await self.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            await self.session.execute(text("SET CONSTRAINTS ALL DEFERRED"))

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
        row = EventRow(
            type=event.type,
            schema_version=event.version,
            subject_id=subject,
            cause=self.cause,
            actor=self.actor.label,
            org_id=self.actor.org_id,
            transition=moved.transition if moved else None,
            old_status=moved.old if moved else None,
            new_status=moved.new if moved else None,
            occurred_at=occurred_at or self.now,
            recorded_at=self.now,
            data=event.model_dump(mode="json"),
            audience={str(org): role for org, role in audience.items() if org},
            audience_orgs=[str(org) for org in audience if org],
            livemode=self.livemode,
        )
        self.session.add(row)
        self._has_told = True
        return row
