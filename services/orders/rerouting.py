"""What was refused finds its one route: back, to another processor, or onto the market again.

`order.acknowledge_refusal` is a timer: silence gives the payer its money back, the route stays open."""

from dataclasses import dataclass

from services.kernel import states, timers
from services.kernel.actors import Actor
from services.kernel.errors import invalid
from services.kernel.ids import LineId, ListingId, OrderId, RemainderId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.timers import timer
from services.kernel.unit_of_work import UnitOfWork
from services.orders import events, movements, policy, queries, reoffering, settlement, telling
from services.orders.errors import NothingToRoute
from services.orders.models import ORDER, REMAINDER, Order, OrderFacts, OrderLine, Remainder
from services.orders.reoffering import Offering
from services.payments import settling

ACKNOWLEDGE = "order.acknowledge_refusal"
ACKNOWLEDGE_DAYS = 2
"""Business days of the seller's site, after the day of the inspection."""


@dataclass(frozen=True)
class Route:
    """Where what was refused of a line goes. `offering` is asked for by redirect, dispose and relist."""

    line_id: LineId
    route: str
    offering: Offering | None = None


async def route_remainder(
    work: UnitOfWork, order_id: OrderId, wish: Route, *, by: Actor, check_version: CheckVersion = any_version
) -> Order:
    """Routes the whole of what was refused of the line in one receipt (the oldest without a route), and acknowledges
    the refusal: its money goes back.

    Raises NothingToRoute, and Invalid with a pointer per thing the offer to the next processor lacks."""
    order = await queries.visible_order_for_update(work, order_id, by, check_version)
    role = policy.acting(ORDER, "route_remainder", policy.roles_of(by, order))
    async with work.as_house():
        line = await _line(work, order, wish.line_id)
        open_ones = [one for one in (await queries.remainders_of(work, [order.id]))[order.id] if one.status == "open"]
        ORDER.find("route_remainder", order.status)
        remainder = next((one for one in open_ones if one.line_id == line.id), None)
        if remainder is None:
            raise NothingToRoute(line.id)
        facts = OrderFacts(work.now, open_remainders=len(open_ones))
        moved = states.move(ORDER, order, "route_remainder", by=role, facts=facts)
        await _lead(work, order, remainder, line, wish, by=by)
        routed = events.OrderRemainderRouted(
            **telling.about(order),
            remainder_id=remainder.id,
            line_id=line.id,
            route=wish.route,
            mass_g=remainder.mass_g,
            quantity=remainder.quantity,
            offered_as=remainder.listing_id,
            pickup_id=remainder.pickup_id,
        )
        telling.tell(work, order, routed, moved)
        await acknowledge(work, remainder)
        if wish.route == "relist":
            await _end(work, order.id, remainder)
        return order


async def _line(work: UnitOfWork, order: Order, line_id: LineId) -> OrderLine:
    for line in await queries.lines(work, order.id):
        if line.id == line_id:
            return line
    raise invalid("/line_id", "line_not_found", f"The order has no line {line_id}.")


async def _lead(
    work: UnitOfWork, order: Order, remainder: Remainder, line: OrderLine, wish: Route, *, by: Actor
) -> None:
    """Where it leads is there before the remainder says so: a route that leads nowhere is refused by the database."""
    pickup_id, listing_id = None, None
    if wish.route == "return":
        pickup_id = await movements.request_return(work, order, remainder, line)
    else:
        assert wish.offering is not None, "a route to another processor says what is offered"
        listing_id = await reoffering.offer(work, order, remainder, line, wish.offering, by=by)
    states.move(REMAINDER, remainder, "route", by="seller")
    remainder.route, remainder.pickup_id, remainder.listing_id = wish.route, pickup_id, listing_id


async def acknowledge(work: UnitOfWork, remainder: Remainder) -> None:
    """The refusal stands, so its money goes back to the payer; once. The order is locked by the caller."""
    if remainder.acknowledged_at is not None:
        return
    remainder.acknowledged_at = work.now
    await timers.cancel(work, ACKNOWLEDGE, remainder.id)
    if remainder.value:
        await settling.return_refused(work, order_id=remainder.order_id, refused=remainder.value)


@timer(ACKNOWLEDGE)
async def _acknowledge_by_silence(work: UnitOfWork, remainder_id: str) -> None:
    await _order_of(work, RemainderId(remainder_id))
    await acknowledge(work, await queries.remainder_for_update(work, remainder_id))


async def taken_over(work: UnitOfWork, *, remainder_id: RemainderId) -> None:
    """A child order for the remainder is confirmed: its route has ended."""
    order = await _order_of(work, remainder_id)
    await _end(work, order.id, await queries.remainder_for_update(work, remainder_id))


async def given_back(work: UnitOfWork, *, remainder_id: RemainderId) -> None:
    """The child order was called off: its listing looks for another winner. What has closed since stays closed."""
    order = await _order_of(work, remainder_id)
    remainder = await queries.remainder_for_update(work, remainder_id)
    if order.status != "closed" and remainder.status == "ended":
        states.move(REMAINDER, remainder, "give_back", by="time")


async def brought_back(work: UnitOfWork, *, remainder_id: RemainderId) -> None:
    """The return is delivered: its route has ended. Saying it twice is harmless."""
    order = await _order_of(work, remainder_id)
    remainder = await queries.remainder_for_update(work, remainder_id)
    if remainder.status == "routed":
        await _end(work, order.id, remainder)


async def fell_through(work: UnitOfWork, *, listing_id: ListingId) -> None:
    """The listing that was to place a remainder ended without an order: it looks for a route again. Any other
    listing is no news."""
    found = await queries.remainder_offered_as(work, listing_id)
    if found is None:
        return
    await _order_of(work, found.id)
    remainder = await queries.remainder_for_update(work, found.id)
    if remainder.status == "routed":
        states.move(REMAINDER, remainder, "fall_through", by="time")
        remainder.route = remainder.listing_id = None


async def _order_of(work: UnitOfWork, remainder_id: RemainderId) -> Order:
    """Locked before its remainder, as whoever routes locks them."""
    return await queries.order_for_update(work, (await queries.remainder(work, remainder_id)).order_id)


async def _end(work: UnitOfWork, order_id: OrderId, remainder: Remainder) -> None:
    states.move(REMAINDER, remainder, "end", by="time")
    await work.session.flush()
    await settlement.try_close(work, order_id=order_id)
