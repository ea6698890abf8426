"""The buyer does not confirm in time: the award ends and the runner-up is alive."""

from services.bidding import closing
from services.bidding import queries as bids
from services.kernel import states
from services.kernel.ids import OrderId
from services.kernel.timers import timer
from services.kernel.unit_of_work import UnitOfWork
from services.listings import publishing
from services.listings import queries as listings
from services.listings.dividing import selling
from services.listings.dividing.goods import Goods
from services.orders import events, queries, telling
from services.orders.models import ORDER, Order, OrderFacts
from services.parties import permits

CONFIRM_WINDOW = "order.confirm_window"
CONFIRM_DAYS = 2
"""Business days of the receiving site, after the day of the award."""

NOT_CONFIRMED = "not_confirmed"


@timer(CONFIRM_WINDOW)
async def _lapse(work: UnitOfWork, order_id: str) -> None:
    await time_out(work, order_id=OrderId(order_id))


async def time_out(work: UnitOfWork, *, order_id: OrderId) -> Order:
    """Raises TransitionNotPossible once it is confirmed, and Blocked while there still is time."""
    known = await queries.order(work, order_id)
    await listings.listing_for_update(work, known.listing_id)
    bid = await bids.bid_for_update(work, known.bid_id)
    order = await queries.order_for_update(work, order_id)
    moved = states.move(ORDER, order, "lapse", by="time", facts=OrderFacts(work.now))
    order.cancel_reason = NOT_CONFIRMED
    await permits.free(work, subject_id=order.id)
    await closing.mark_timed_out(work, bid)
    await end_award(work, order, reason=NOT_CONFIRMED)
    cancelled = events.OrderCancelled(**telling.about(order), bid_id=order.bid_id, reason=NOT_CONFIRMED)
    telling.tell(work, order, cancelled, moved)
    return order


async def end_award(work: UnitOfWork, order: Order, *, reason: str) -> None:
    """The lot may be awarded again. The listing is locked by the caller."""
    award = await queries.award_for_update(work, order.award_id)
    award.ended_at, award.end_reason = work.now, reason
    await work.session.flush()
    listing = await listings.listing(work, order.listing_id)
    if not award.is_whole:
        await _give_back(work, order)
    is_part = not award.is_whole and await queries.has_live_award(work, listing.id)
    bidders = [order.buyer_id, *(bid.bidder_id for bid in await bids.live_bids(work, listing.id))]
    await publishing.reopen_award(work, listing, bidders=bidders, is_part=is_part)


async def _give_back(work: UnitOfWork, order: Order) -> None:
    """What the order had won of a listing sold in parts is free again."""
    items = {item.id: item for item in await listings.items(work, order.listing_id)}
    for line in await queries.lines(work, order.id):
        selling.give_back(items[line.item_id], Goods(line.quantity, line.mass_g))
