"""The end of a listing's bidding, and what becomes of each bid after it.

`bidding.close` and `bid.expire` are timers. The marks are called by the orders, under their locks.
"""

from collections import Counter

from services.bidding import auctions, events, intent_log, queries, sealing
from services.bidding.models import BID, Bid
from services.bidding.telling import about, tell, tell_bidder
from services.kernel import states, timers
from services.kernel.ids import ListingId
from services.kernel.timers import timer
from services.kernel.unit_of_work import UnitOfWork
from services.listings import publishing
from services.listings import queries as listings
from services.listings.dividing import live_bids, selling
from services.listings.models import Item, Listing

CLOSE = "bidding.close"
EXPIRE = "bid.expire"


async def watch(work: UnitOfWork, listing_id: ListingId) -> None:
    """Sets the timer for the end of an open listing; one that negotiates may have none."""
    listing = await listings.listing(work, listing_id)
    if listing.status == "open" and listing.effective_end_at is not None:
        await timers.schedule(work, CLOSE, listing.id, listing.effective_end_at)
    await auctions.tell(work, listing.id)


@timer(CLOSE)
async def close(work: UnitOfWork, listing_id: str) -> None:
    """Bids that move the end leave the timer alone: it finds here that it came too early, and sets itself again."""
    ending = await listings.listing(work, listing_id)
    if ending.status == "open" and ending.effective_end_at is not None:
        await intent_log.let_in(work, ending.effective_end_at)
    await intent_log.seal(work, listing_id)
    listing = await listings.listing_for_update(work, listing_id)
    if listing.status != "open" or listing.effective_end_at is None:
        return
    if work.now < listing.effective_end_at:
        await timers.schedule(work, CLOSE, listing.id, listing.effective_end_at)
        return
    if listing.mode == "sealed":
        await _open_the_sealed(work, listing)
    if listing.mode == "timed":
        await auctions.settle(work, listing)
    await queries.number(work, listing.id)
    await publishing.close(work, listing, bidders=await queries.live_bidders(work, listing.id))
    await auctions.tell(work, listing.id)


async def _open_the_sealed(work: UnitOfWork, listing: Listing) -> None:
    for bid_id in await sealing.open_all(work, listing):
        _lose(work, await queries.bid_for_update(work, bid_id), "unreadable")


@timer(EXPIRE)
async def expire(work: UnitOfWork, bid_id: str) -> None:
    """Nobody is bound longer than it said; a bid that has won or ended is past this."""
    bid = await queries.bid_for_update(work, bid_id)
    moved = states.move(BID, bid, "expire", by="time")
    bid.ended_reason = "expired"
    tell(work, bid, await listings.listing(work, bid.listing_id), events.BidExpired(**about(bid)), moved)


async def mark_awarded(work: UnitOfWork, bid: Bid, *, by: str = "seller") -> None:
    """Before the listing is marked: Blocked while bidding is on, once the lot is awarded to another bid, or when the bidder is
    no longer bound. Tells bid.awarded."""
    facts = await queries.facts(work, bid, now=work.now)
    moved = states.move(BID, bid, "award", by=by, facts=facts)
    tell(work, bid, await listings.listing(work, bid.listing_id), events.BidAwarded(**about(bid)), moved)


async def mark_confirmed(work: UnitOfWork, bid: Bid, *, by: str = "buyer") -> None:
    """Tells bid.confirmed; the others are lost by `lose_others`."""
    moved = states.move(BID, bid, "confirm", by=by)
    tell(work, bid, await listings.listing(work, bid.listing_id), events.BidConfirmed(**about(bid)), moved)


async def mark_timed_out(work: UnitOfWork, bid: Bid) -> None:
    """The bidder did not confirm in time; the others are still alive. Tells bid.timed_out."""
    moved = states.move(BID, bid, "time_out", by="time")
    bid.ended_reason = "not_confirmed"
    tell(work, bid, await listings.listing(work, bid.listing_id), events.BidTimedOut(**about(bid)), moved)


async def lose_others(work: UnitOfWork, listing_id: ListingId, winner: Bid) -> None:
    """Each loser is told once, of its own bid alone. Where the listing is sold in parts, who could still get something is no
    loser yet."""
    left = await _left(work, listing_id)
    for bid in await queries.live_bids_for_update(work, listing_id):
        if bid.id != winner.id and not _is_left(left, bid):
            _lose(work, bid, "another_bid_confirmed")


async def lose_what_is_gone(work: UnitOfWork, listing_id: ListingId) -> None:
    """What nobody had won is relisted: bids for nothing else are lost."""
    left = await _left(work, listing_id)
    for bid in await queries.live_bids_for_update(work, listing_id):
        if not _is_left(left, bid):
            _lose(work, bid, "remainder_relisted")


Left = tuple[list[Item], dict[str, int]]
"""Items, and how many pieces of each are neither confirmed to somebody nor relisted."""


async def _left(work: UnitOfWork, listing_id: ListingId) -> Left:
    listing = await listings.listing(work, listing_id)
    items = await listings.items(work, listing_id)
    if listing.lot_rule == "whole":
        return items, {}
    left = {item.id: item.quantity - item.relisted_quantity for item in items}
    confirmed: Counter[str] = Counter()
    for bid in await queries.bids_in(work, listing_id, "confirmed"):
        confirmed.update(selling.pieces_of(items, bid.parts))
    return items, {item.id: left[item.id] - min(confirmed[item.id], item.awarded_quantity) for item in items}


def _is_left(left: Left, bid: Bid) -> bool:
    items, pieces = left
    return any(pieces.get(item_id, 0) > 0 for item_id in selling.pieces_of(items, bid.parts))


async def lose_all(work: UnitOfWork, listing_id: ListingId) -> None:
    """The listing has ended without an award. Waits for bids under way, so it comes first in its unit of work."""
    await intent_log.seal(work, listing_id)
    for bid in await queries.live_bids_for_update(work, listing_id):
        _lose(work, bid, "listing_ended")
    await auctions.tell(work, listing_id)


@live_bids.answered_by
async def _could_be_won(work: UnitOfWork, listing_id: ListingId) -> bool:
    async with work.as_house():
        return bool(await queries.live_bids(work, listing_id))


def _lose(work: UnitOfWork, bid: Bid, reason: str) -> None:
    moved = states.move(BID, bid, "lose", by="time")
    bid.ended_reason = reason
    tell_bidder(work, bid, events.BidLost(**about(bid), reason=reason), moved)
