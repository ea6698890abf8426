"""Row-level security as the second wall: what the database shows follows from who asks, whatever a query forgot to ask.

A transaction names who asks; policies read it (migrations, `second_wall.sql`). Whoever is not named is nobody and sees what is
public. The house sees every row of the environment it works in: system actors, operators, and a verb once it has decided
(`UnitOfWork.as_house`). What is flushed was decided already, so the house writes it; the wall is about reads.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from services.kernel import clock
from services.kernel.actors import Actor
from services.kernel.database import Sessions

_SETTINGS = (
    "set_config('app.org_id', :org_id, true), set_config('app.livemode', :livemode, true),"
    " set_config('app.house', :house, true)"
)
_NAME = text(f"SELECT {_SETTINGS}")
_NAME_AND_NOW = text(f"SELECT {_SETTINGS}, {clock.NOW} AS now")
_ASKER = "asker"


@dataclass(frozen=True)
class Asker:
    """Who asks. `livemode` None: both environments, for the house alone; to anybody else nothing is in them then."""

    org_id: str | None = None
    livemode: bool | None = None
    is_house: bool = False

    @property
    def settings(self) -> dict[str, str]:
        livemode = "" if self.livemode is None else str(self.livemode).lower()
        return {"org_id": self.org_id or "", "livemode": livemode, "house": "on" if self.is_house else ""}

    def as_house(self, *, of_both: bool = False) -> "Asker":
        return replace(self, is_house=True, livemode=None if of_both else self.livemode)


HOUSE = Asker(is_house=True)


def asker_of(actor: Actor) -> Asker:
    """The door finds out who calls, so it reads credentials of both environments."""
    if actor.kind == "door":
        return HOUSE
    return Asker(actor.org_id, actor.livemode, actor.is_operator)


def current(session: AsyncSession) -> Asker:
    asker: Asker = session.info[_ASKER]
    return asker


async def name(session: AsyncSession, asker: Asker) -> None:
    """For the rest of the transaction, or until somebody else is named."""
    session.info[_ASKER] = asker
    await session.execute(_NAME, asker.settings)


async def name_and_read_clock(session: AsyncSession, asker: Asker, *, livemode: bool) -> datetime:
    """The same, and market time, in one round trip."""
    session.info[_ASKER] = asker
    now: datetime = (await session.execute(_NAME_AND_NOW, {**asker.settings, "mode": livemode})).one().now
    return now


@asynccontextmanager
async def house(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """A session of the house, of both environments, for one transaction: for jobs that read outside of a unit of work."""
    async with sessions() as session:
        await name(session, HOUSE)
        yield session


@event.listens_for(Session, "before_flush")
def _house_writes(session: Session, *_: Any) -> None:
    asker = session.info.get(_ASKER)
    if asker is not None and not asker.is_house:
        session.connection().execute(_NAME, asker.as_house().settings)


@event.listens_for(Session, "after_flush")
def _wall_again(session: Session, *_: Any) -> None:
    asker = session.info.get(_ASKER)
    if asker is not None and not asker.is_house:
        session.connection().execute(_NAME, asker.settings)
