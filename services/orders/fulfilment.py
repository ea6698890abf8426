"""An order under way, and what is owed besides goods and money."""

from collections.abc import Collection

from services.kernel import states
from services.kernel.ids import CertificateId, OrderId, PickupId
from services.kernel.unit_of_work import UnitOfWork
from services.orders import events, policy, queries, settlement, telling
from services.orders.models import OBLIGATION, ORDER, Obligation, Order, OrderFacts


async def start(work: UnitOfWork, order_id: OrderId, *, pickup_id: PickupId | None = None) -> Order:
    """The first goods are loaded. Of an order that is further it is no news."""
    order = await queries.order_for_update(work, order_id)
    begin(work, order, pickup_id)
    return order


def begin(work: UnitOfWork, order: Order, pickup_id: PickupId | None) -> None:
    """The order is locked by the caller."""
    if order.status != "confirmed":
        return
    moved = states.move(ORDER, order, "start", by="time", facts=OrderFacts(work.now))
    telling.tell(work, order, events.OrderStarted(**telling.about(order), pickup_id=pickup_id), moved)


async def fulfil_obligations(
    work: UnitOfWork, *, order_ids: Collection[OrderId], kind: str, certificate_id: CertificateId
) -> None:
    """A certificate of this kind is issued over these orders; whichever now waits for nothing closes. Saying it
    twice is harmless."""
    for order_id in sorted(order_ids):
        order = await queries.order_for_update(work, order_id)
        for owed in (await queries.obligations_of(work, [order_id]))[order_id]:
            if owed.kind == kind and owed.status == "open":
                _fulfil(work, order, owed, certificate_id)
        await work.session.flush()
        await settlement.try_close(work, order_id=order_id)


def _fulfil(work: UnitOfWork, order: Order, owed: Obligation, certificate_id: CertificateId) -> None:
    moved = states.move(OBLIGATION, owed, "fulfil", by="time")
    owed.certificate_id, owed.ended_at = certificate_id, work.now
    told = events.ObligationFulfilled(
        order_id=order.id,
        kind=owed.kind,
        owed_by_id=owed.owed_by_id,
        owed_to_id=owed.owed_to_id,
        certificate_id=certificate_id,
    )
    work.emit(told, subject=order.id, audience=policy.audience(order), moved=moved)


async def waive_obligations(work: UnitOfWork, order: Order) -> None:
    """By rule, where nothing was accepted that a certificate could be about."""
    for owed in (await queries.obligations_of(work, [order.id]))[order.id]:
        if owed.status != "open":
            continue
        moved = states.move(OBLIGATION, owed, "waive", by="time")
        owed.ended_at = work.now
        told = events.ObligationWaived(
            order_id=order.id, kind=owed.kind, owed_by_id=owed.owed_by_id, owed_to_id=owed.owed_to_id
        )
        work.emit(told, subject=order.id, audience=policy.audience(order), moved=moved)
