"""Calling an order off, as long as nothing is loaded."""

from services.bidding import closing
from services.bidding import queries as bids
from services.kernel import states, timers
from services.kernel.actors import Actor, system
from services.kernel.ids import OrderId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.orders import events, fulfilment, policy, queries, rerouting, telling
from services.orders.awarding.lapsing import CONFIRM_WINDOW, end_award
from services.orders.models import ORDER, Order, OrderFacts
from services.parties import permits
from services.payments import collecting
from services.pickups import queries as pickups
from services.pickups import scheduling
from services.pickups.models.jobs import BEFORE_LOADING


async def cancel(
    work: UnitOfWork, order_id: OrderId, *, reason: str, by: Actor, check_version: CheckVersion = any_version
) -> Order:
    """Either side, before loading; `already_loaded` afterwards. What was collected goes back, the lot may be awarded
    again."""
    order = await _taken(work, order_id, by, check_version)
    role = policy.acting(ORDER, "cancel", policy.roles_of(by, order))
    async with work.as_house():
        statuses = [job.status for job in await pickups.pickups_of_for_update(work, order.id)]
        facts = OrderFacts(work.now, is_loaded=has_left(statuses))
        moved = states.move(ORDER, order, "cancel", by=role, facts=facts)
        order.cancel_reason = reason
        cancelled = events.OrderCancelled(**telling.about(order), bid_id=order.bid_id, reason=reason)
        telling.tell(work, order, cancelled, moved)
        await permits.free(work, subject_id=order.id)
        if moved.old == "confirmed":
            await _undo_contract(work, order, reason)
        else:
            await timers.cancel(work, CONFIRM_WINDOW, order.id)
            await closing.mark_timed_out(work, await bids.bid_for_update(work, order.bid_id))
        await end_award(work, order, reason=reason)
        return order


def has_left(pickup_statuses: list[str]) -> bool:
    """Whether goods are on a lorry, or were."""
    return any(status not in (*BEFORE_LOADING, "cancelled") for status in pickup_statuses)


async def _taken(work: UnitOfWork, order_id: OrderId, by: Actor, check_version: CheckVersion) -> Order:
    """Locked after its listing and its bid, as awards and confirmations lock them."""
    seen = await queries.visible_order(work, order_id, by)
    await listings.listing_for_update(work, seen.listing_id)
    await bids.bid_for_update(work, seen.bid_id)
    return await queries.visible_order_for_update(work, order_id, by, check_version)


async def _undo_contract(work: UnitOfWork, order: Order, reason: str) -> None:
    await collecting.cancel(work, order_id=order.id)
    for job in await pickups.pickups_of(work, order.id):
        if job.status in BEFORE_LOADING:
            await scheduling.cancel(work, job.id, reason=reason, by=system(work.livemode))
    await fulfilment.waive_obligations(work, order)
    if order.origin_remainder_id is not None:
        await rerouting.given_back(work, remainder_id=order.origin_remainder_id)
