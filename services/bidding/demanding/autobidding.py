"""Orders that bid by themselves: as their organization would, through the same door, never beyond what they say.

The order's row is locked first, so that of two listings at once only as much is bid for as the week has left.
"""

from services.bidding import intent_log, placing
from services.bidding import queries as bids
from services.bidding.demanding import judging, queries
from services.bidding.demanding.judging import Lot
from services.bidding.models import Bid, DemandMatch, DemandOrder, NewBid
from services.kernel import jobs
from services.kernel.actors import Actor, system
from services.kernel.errors import Problem
from services.kernel.ids import BidId, ListingId
from services.kernel.jobs import Tools, job
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.parties import queries as parties
from services.parties.api_keys import verified_roles

BID = "demand_order.bid"


async def bid_when_open(work: UnitOfWork, listing_id: ListingId) -> None:
    """Each order's bid is a job of its own: what refuses one says nothing about the next."""
    for order_id in await queries.waiting_to_bid(work, listing_id):
        await jobs.enqueue(work, BID, {"order": order_id, "listing": listing_id, "livemode": work.livemode})


@job(BID)
async def _bid(tools: Tools, payload: dict[str, str | bool]) -> None:
    async with UnitOfWork(tools.sessions, system(bool(payload["livemode"])), cause=f"job:{BID}") as work:
        await bid(work, str(payload["order"]), str(payload["listing"]))


async def bid(work: UnitOfWork, order_id: str, listing_id: str) -> Bid | None:
    """Once for an order and a listing; what the market refuses is kept with the match. None: there was nothing to bid for."""
    order = await queries.order_for_update(work, order_id)
    match = await queries.match_for_update(work, order_id, listing_id)
    listing = await listings.listing(work, listing_id)
    if match is None or not _may_bid(order, match, work) or listing.status != "open":
        return None
    lot = judging.lot_of(listing, await listings.items(work, listing.id))
    missed = judging.misses(order, lot, (await queries.left_g(work, [order]))[order.id])
    if missed:
        _refuse(match, f"missed_{missed[0].criterion}", f"{missed[0].offered} of {missed[0].wanted} wanted")
        return None
    await intent_log.receive(work, listing, order.org_id)
    if await bids.live_bids_for_update(work, listing.id, bidder_id=order.org_id):
        _refuse(match, "already_bid", "A bid of yours stands, and the order's would take its place.")
        return None
    try:
        placed = await _place(work, order, listing.id, lot)
    except Problem as refused:
        _refuse(match, refused.code, refused.detail)
        return None
    work.note_change("demand_order", order.id, bid_id=(None, placed.id))
    match.bid_id, match.week_on, match.reserved_g = placed.id, queries.week_of(work.now), lot.mass_g or 0
    match.refused_code = match.refused_detail = None
    return placed


def _may_bid(order: DemandOrder, match: DemandMatch, work: UnitOfWork) -> bool:
    is_over = order.valid_until is not None and order.valid_until <= work.now
    return order.status == "active" and not is_over and order.bids_by_itself and match.is_match and match.bid_id is None


def _refuse(match: DemandMatch, code: str, detail: str) -> None:
    match.refused_code, match.refused_detail = code, detail


async def _place(work: UnitOfWork, order: DemandOrder, listing_id: ListingId, lot: Lot) -> Bid:
    """As the organization, behind both walls; nothing is left of what is refused. What was placed is of the organization's doing,
    so the unit of work ends as its, and its audit trail has it."""
    actor, before = await _actor(work, order), work.actor
    new = NewBid(
        listing_id=listing_id,
        site_id=order.site_id,
        price=judging.bid_for(order, lot),
        haulage_basis="FCA",
        haulage_ceiling=order.haulage_ceiling,
        disposition=order.disposition,
        operation=order.operation,
    )
    try:
        async with work.session.begin_nested():
            await work.act_as(actor)
            work.trail.follow(work.session)
            return await placing.place(work, new, by=actor)
    except Problem:
        await work.act_as(before)
        raise


async def _actor(work: UnitOfWork, order: DemandOrder) -> Actor:
    organization = await parties.organization(work, order.org_id)
    return Actor(
        kind="demand_order",
        livemode=order.livemode,
        org_id=order.org_id,
        roles=verified_roles(organization),
        permissions=frozenset({"bids:write"}),
    )


async def release(work: UnitOfWork, bid_id: BidId) -> None:
    """The bid came to nothing, and so did those of orders whose place it took: what they reserved is free again."""
    ended = await bids.bid(work, bid_id)
    for match in await queries.reserving_for_update(work, ended.listing_id, ended.bidder_id):
        match.released_at = work.now
