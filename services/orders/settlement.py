"""The end of an order: its money is settled, the dispute window over, nothing is open, and it closes.

`order.dispute_window` is a timer."""

from collections.abc import Iterator

from services.kernel import states
from services.kernel.errors import NotFound, Reason
from services.kernel.ids import ListingId, OrderId
from services.kernel.timers import timer
from services.kernel.unit_of_work import UnitOfWork
from services.listings import publishing
from services.listings import queries as listings
from services.orders import events, queries, telling
from services.orders.models import ORDER, Obligation, Order, OrderFacts, Remainder
from services.orders.models.contracts import ENDED
from services.payments import queries as payments

DISPUTE_WINDOW = "order.dispute_window"


async def settled(work: UnitOfWork, *, order_id: OrderId) -> Order:
    """Told by deal.settled. A deal that settles while deliveries are outstanding changes nothing here yet."""
    order = await queries.order_for_update(work, order_id)
    if order.status in ("accepted", "partially_accepted", "refused"):
        moved = states.move(ORDER, order, "settle", by="time", facts=OrderFacts(work.now))
        telling.tell(work, order, events.OrderSettled(**telling.about(order)), moved)
        await try_close(work, order_id=order_id)
    return order


@timer(DISPUTE_WINDOW)
async def _window_is_over(work: UnitOfWork, order_id: str) -> None:
    await try_close(work, order_id=OrderId(order_id))


async def try_close(work: UnitOfWork, *, order_id: OrderId) -> Order:
    """Closes the order if the closing rule holds; quietly not yet otherwise. With its last order the listing is
    fulfilled."""
    order = await queries.order_for_update(work, order_id)
    if order.status != "settled":
        return order
    facts = OrderFacts(work.now, closing=await against_closing(work, order))
    if states.check(ORDER, order, "close", by="time", facts=facts)[1]:
        return order
    moved = states.move(ORDER, order, "close", by="time", facts=facts)
    order.closed_at = work.now
    telling.tell(work, order, events.OrderClosed(**telling.about(order)), moved)
    await _fulfil_listing(work, order)
    return order


async def against_closing(work: UnitOfWork, order: Order) -> tuple[Reason, ...]:
    """The closing rule: what the order still waits for."""
    remainders = (await queries.remainders_of(work, [order.id]))[order.id]
    obligations = (await queries.obligations_of(work, [order.id]))[order.id]
    return (
        *_of_remainders(remainders),
        *await _of_money(work, order),
        *_of_obligations(obligations),
        *_of_disputes(work, order),
    )


def _of_remainders(remainders: list[Remainder]) -> Iterator[Reason]:
    for remainder in remainders:
        if remainder.status == "open":
            yield Reason("remainder_without_route", f"What was refused of {remainder.line_id} has no route yet.")
        elif remainder.status == "routed":
            yield Reason(
                "route_not_ended", f"The {remainder.route} of what was refused of {remainder.line_id} goes on."
            )


async def _of_money(work: UnitOfWork, order: Order) -> list[Reason]:
    try:
        deal = await payments.deal_of(work, order.id)
    except NotFound:
        return [Reason("deal_not_settled", "There is no deal.")]
    if deal.status in ("settled", "closed"):
        return []
    return [Reason("deal_not_settled", f"The money is {deal.status}.")]


def _of_obligations(obligations: list[Obligation]) -> Iterator[Reason]:
    for owed in obligations:
        if owed.status == "open":
            yield Reason("obligation_open", f"A {owed.kind} certificate is owed.")


def _of_disputes(work: UnitOfWork, order: Order) -> Iterator[Reason]:
    if order.dispute_ends_at is None or work.now < order.dispute_ends_at:
        yield Reason("dispute_window_open", "The dispute window is not over.")


async def _fulfil_listing(work: UnitOfWork, order: Order) -> None:
    listing = await listings.listing_for_update(work, order.listing_id)
    await work.session.flush()
    orders = await queries.orders_of_listing(work, listing.id)
    if listing.status == "awarded" and all(one.status in ENDED for one in orders):
        await publishing.fulfil(work, listing, bidders=[order.buyer_id])


async def try_fulfil(work: UnitOfWork, *, listing_id: ListingId) -> None:
    """The rest of a listing sold in parts was relisted: if its orders have ended already, so has the listing."""
    orders = await queries.orders_of_listing(work, listing_id)
    closed = next((one for one in orders if one.status == "closed"), None)
    if closed is not None:
        await _fulfil_listing(work, closed)
