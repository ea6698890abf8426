"""Every SELECT of webhooks and the feed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.errors import NotFound
from services.kernel.events import EventRow
from services.kernel.ids import DeliveryId, EndpointId, EventId
from services.kernel.unit_of_work import UnitOfWork
from services.webhooks.models import Attempt, Delivery, Endpoint


def endpoints_of(actor: Actor) -> Select[Endpoint]:
    return select(Endpoint).where(
        col(Endpoint.org_id) == actor.org_id,
        col(Endpoint.livemode) == actor.livemode,
        col(Endpoint.deleted_at).is_(None),
    )


async def endpoint(work: UnitOfWork, endpoint_id: EndpointId, *, by: Actor, lock: bool = False) -> Endpoint:
    query = endpoints_of(by).where(col(Endpoint.id) == endpoint_id)
    found = (await work.session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()
    if found is None:
        raise NotFound("webhook endpoint", endpoint_id)
    return found


def deliveries_of(actor: Actor) -> Select[Delivery]:
    return (
        select(Delivery)
        .join(Endpoint)
        .where(col(Endpoint.org_id) == actor.org_id, col(Endpoint.livemode) == actor.livemode)
    )


async def delivery_for_update(work: UnitOfWork, delivery_id: DeliveryId, *, by: Actor) -> Delivery:
    query = deliveries_of(by).where(col(Delivery.id) == delivery_id).with_for_update(of=Delivery)
    found = (await work.session.execute(query)).scalar_one_or_none()
    if found is None:
        raise NotFound("delivery", delivery_id)
    return found


async def attempts(work: UnitOfWork, delivery_ids: Sequence[DeliveryId]) -> dict[str, list[Attempt]]:
    """By delivery, in their order."""
    query = select(Attempt).where(col(Attempt.delivery_id).in_(delivery_ids)).order_by(col(Attempt.number))
    found: dict[str, list[Attempt]] = {id: [] for id in delivery_ids}
    for attempt in (await work.session.execute(query)).scalars():
        found[attempt.delivery_id].append(attempt)
    return found


async def interested(work: UnitOfWork, row: EventRow) -> list[Endpoint]:
    query = select(Endpoint).where(
        col(Endpoint.org_id).in_(row.audience_orgs),
        col(Endpoint.livemode) == row.livemode,
        col(Endpoint.is_enabled),
        col(Endpoint.deleted_at).is_(None),
    )
    return [endpoint for endpoint in (await work.session.execute(query)).scalars() if endpoint.wants(row.type)]


async def due(session: AsyncSession, endpoint_id: EndpointId, *, limit: int) -> list[tuple[Delivery, EventRow]]:
    """What may be sent now, oldest event first."""
    query = (
        select(Delivery, EventRow)
        .join(EventRow, col(EventRow.id) == col(Delivery.event_id))
        .where(
            col(Delivery.endpoint_id) == endpoint_id,
            col(Delivery.status) == "pending",
            col(Delivery.next_attempt_at) <= text("clock_timestamp()"),
        )
        .order_by(col(Delivery.seq))
        .limit(limit)
    )
    return [(row[0], row[1]) for row in (await session.execute(query)).all()]


async def first_pending(session: AsyncSession, endpoint_id: EndpointId) -> Delivery | None:
    query = select(Delivery).where(col(Delivery.endpoint_id) == endpoint_id, col(Delivery.status) == "pending")
    return (await session.execute(query.order_by(col(Delivery.seq)).limit(1))).scalar_one_or_none()


async def next_due_at(session: AsyncSession, endpoint_id: EndpointId) -> datetime | None:
    query = select(col(Delivery.next_attempt_at)).where(
        col(Delivery.endpoint_id) == endpoint_id, col(Delivery.status) == "pending"
    )
    return (await session.execute(query.order_by(col(Delivery.next_attempt_at)).limit(1))).scalar_one_or_none()


async def feed(work: UnitOfWork, *, by: Actor, after: int, types: list[str], limit: int) -> Sequence[EventRow]:
    """Events the caller may know, by `seq`."""
    query = select(EventRow).where(
        col(EventRow.seq) > after,
        col(EventRow.livemode) == by.livemode,
        _hears(by),
    )
    if types:
        query = query.where(col(EventRow.type).in_(types))
    return (await work.session.execute(query.order_by(col(EventRow.seq)).limit(limit))).scalars().all()


async def event(work: UnitOfWork, event_id: EventId, *, by: Actor) -> EventRow:
    query = select(EventRow).where(
        col(EventRow.id) == event_id, col(EventRow.livemode) == by.livemode, _hears(by), col(EventRow.seq).is_not(None)
    )
    found = (await work.session.execute(query)).scalar_one_or_none()
    if found is None:
        raise NotFound("event", event_id)
    return found


def _hears(by: Actor) -> Any:
    return col(EventRow.audience_orgs).contains([str(by.org)])


async def database_now(work: UnitOfWork) -> datetime:
    """Real time: endpoints do not live in market time."""
    now: datetime = (await work.session.execute(text("SELECT clock_timestamp()"))).scalar_one()
    return now
