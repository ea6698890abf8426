"""Domain events: what happened, written in the transaction in which it happened, and never changed.

A context declares its events in `events.py` as subclasses of `Event`; `type` is what partners hear. `seq` is assigned after the
commit by one elected sequencer, so that a reader by `seq` misses nothing and reorders nothing (an id drawn before the commit
would: in a trial a cursor on it missed 57 %).

One event, several views: `hidden` names, per role in the deal, the fields that role does not see. Feed and webhook use `render`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy import BigInteger, Column, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from services.kernel.actors import Actor
from services.kernel.ids import EventId, OrgId
from services.kernel.states import Moved
from services.kernel.tables import Instant, json_field

CATALOGUE: dict[str, type["Event"]] = {}
"""Every event by its type."""

WAKE_CHANNEL = "backhaul_events"


class Event(BaseModel):
    """Base of all events. `audience` maps each organization that may know to its role in the matter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: ClassVar[str]
    version: ClassVar[int] = 1
    hidden: ClassVar[dict[str, frozenset[str]]] = {}

    def __init_subclass__(cls, *, type: str, hidden: dict[str, set[str]] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.type = type
        cls.hidden = {role: frozenset(fields) for role, fields in (hidden or {}).items()}
        if type in CATALOGUE:
            raise TypeError(f"two events are called {type}")
        CATALOGUE[type] = cls


class EventRow(SQLModel, table=True):
    """The log. `ordinal` is drawn at the insert and decides the order inside one sequencer's batch."""

    __tablename__ = "event"
    __audited__: ClassVar[bool] = False
    __table_args__ = (
        Index("ix_event_unsequenced", "ordinal", postgresql_where=text("seq IS NULL")),
        Index("ix_event_audience", "audience_orgs", postgresql_using="gin"),
        Index("uq_event_subject_seq", "subject_id", "subject_seq", unique=True),
    )

    id: EventId = Field(primary_key=True, default_factory=EventId.new)
    ordinal: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), nullable=False))
    seq: int | None = Field(default=None, sa_type=BigInteger, unique=True)
    type: str
    schema_version: int = 1
    subject_id: str
    subject_seq: int | None = Field(default=None, sa_type=BigInteger)
    cause: str | None = None
    actor: str
    org_id: OrgId | None = None
    transition: str | None = None
    old_status: str | None = None
    new_status: str | None = None
    occurred_at: datetime = Field(sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)
    data: dict[str, Any] = json_field()
    audience: dict[str, str] = json_field()
    audience_orgs: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    livemode: bool


def recorded(
    event: Event,
    *,
    subject: str,
    audience: Mapping[Any, str],
    actor: Actor,
    cause: str | None,
    at: datetime,
    moved: Moved | None = None,
    occurred_at: datetime | None = None,
) -> dict[str, Any]:
    """The event's row, as values by column. `audience` maps organization ids to their role in the matter; `at` is market time."""
    return {
        "id": EventId.new(),
        "type": event.type,
        "schema_version": event.version,
        "subject_id": subject,
        "cause": cause,
        "actor": actor.label,
        "org_id": actor.org_id,
        "transition": moved.transition if moved else None,
        "old_status": moved.old if moved else None,
        "new_status": moved.new if moved else None,
        "occurred_at": occurred_at or at,
        "recorded_at": at,
        "data": event.model_dump(mode="json"),
        "audience": {str(org): role for org, role in audience.items() if org},
        "audience_orgs": [str(org) for org in audience if org],
        "livemode": actor.livemode,
    }


class ReactionDone(SQLModel, table=True):
    """That a reaction to an event has had its effect: written in the same transaction, so it has it once."""

    __tablename__ = "reaction_done"
    __audited__: ClassVar[bool] = False

    event_id: EventId = Field(primary_key=True, foreign_key="event.id")
    reaction: str = Field(primary_key=True)


def parse(row: EventRow) -> Event:
    """The event as its class, for reactions."""
    return CATALOGUE[row.type].model_validate(row.data)


def _view(row: EventRow, role: str) -> dict[str, Any]:
    hidden = CATALOGUE[row.type].hidden.get(role, frozenset())
    return {name: value for name, value in row.data.items() if name not in hidden}


def render(row: EventRow, org_id: str) -> dict[str, Any]:
    """What `org_id` hears: the same bytes in the feed and in a webhook. KeyError for an organization outside the audience."""
    return {
        "id": row.id,
        "type": row.type,
        "schema_version": row.schema_version,
        "timestamp": row.occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "recorded_at": row.recorded_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "livemode": row.livemode,
        "seq": row.seq,
        "subject": {"id": row.subject_id, "sequence": row.subject_seq},
        "transition": {"name": row.transition, "from": row.old_status, "to": row.new_status},
        "data": _view(row, row.audience[org_id]),
    }


_ASSIGN = text(
    """
    WITH pending AS (
        SELECT id, subject_id, ordinal FROM event WHERE seq IS NULL ORDER BY ordinal LIMIT :batch
    ), numbered AS (
        SELECT pending.id,
               (SELECT COALESCE(MAX(seq), 0) FROM event) + row_number() OVER (ORDER BY ordinal) AS seq,
               COALESCE((SELECT MAX(known.subject_seq) FROM event known WHERE known.subject_id = pending.subject_id), 0)
                   + row_number() OVER (PARTITION BY subject_id ORDER BY ordinal) AS subject_seq
        FROM pending
    )
    UPDATE event SET seq = numbered.seq, subject_seq = numbered.subject_seq
    FROM numbered WHERE event.id = numbered.id RETURNING event.id, event.type, event.seq
    """
)
_ELECT = text("SELECT pg_try_advisory_xact_lock(hashtext('backhaul.sequencer'))")


async def assign_seq(session: AsyncSession, *, batch: int = 500) -> list[tuple[str, str]]:
    """One batch of committed events gets its `seq`; answers (id, type) in that order, or nothing if another process is at it."""
    if not (await session.execute(_ELECT)).scalar_one():
        return []
    rows = (await session.execute(_ASSIGN, {"batch": batch})).all()
    return [(row.id, row.type) for row in sorted(rows, key=lambda row: row.seq)]


_FIRST_CAUSE = text(
    """
    WITH RECURSIVE chain AS (
        SELECT cause FROM event WHERE id = :id
        UNION SELECT event.cause FROM event JOIN chain ON event.id = chain.cause
    )
    SELECT cause FROM chain WHERE NOT EXISTS (SELECT FROM event WHERE event.id = chain.cause)
    """
)


async def first_cause(session: AsyncSession, id: str) -> str | None:
    """What began the chain of events that led to this one: the id of a request, a timer or a job."""
    return (await session.execute(_FIRST_CAUSE, {"id": id})).scalar_one_or_none()
