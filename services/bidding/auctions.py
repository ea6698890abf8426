"""How an ascending auction stands: read and written under its listing's exclusive lock, so that a bid costs the same whether it is
the second or the ten-thousandth. `adjudicating` decides; the fold over the log says the same as the row."""

from datetime import datetime

from sqlalchemy import text

from services.bidding import adjudicating, queries
from services.bidding.adjudicating import Lead, Rules, State
from services.bidding.models import LIVE, Auction
from services.kernel.ids import ListingId
from services.kernel.unit_of_work import UnitOfWork
from services.listings import facts
from services.listings.events import ListingExtended
from services.listings.models import Listing

WAKE_CHANNEL = "backhaul_auctions"
"""Told the listing's id whenever how it stands has changed."""

_WRITE = text(
    "INSERT INTO auction"
    " (listing_id, leader_bid_id, leader_id, price_minor, limit_minor, ends_at, count, received_at, livemode, created_at)"
    " VALUES (:listing, :bid, :bidder, :price, :limit, :ends_at, :count, :received_at, :livemode, :now)"
    " ON CONFLICT (listing_id) DO UPDATE SET leader_bid_id = excluded.leader_bid_id, leader_id = excluded.leader_id,"
    " price_minor = excluded.price_minor, limit_minor = excluded.limit_minor, ends_at = excluded.ends_at,"
    " count = excluded.count, received_at = excluded.received_at RETURNING pg_notify(:channel, :listing)"
)
_EXTEND = text(
    "UPDATE listing SET effective_end_at = :ends_at, version = version + 1 WHERE id = :listing AND status = 'open'"
)
_TELL = text("SELECT pg_notify(:channel, :listing)")
_SETTLE = text(
    "UPDATE bid SET standing_price_minor = CASE WHEN bid.id = auction.leader_bid_id THEN auction.price_minor"
    " ELSE bid.limit_minor END, version = bid.version + 1 FROM auction"
    " WHERE auction.listing_id = :listing AND bid.listing_id = :listing AND bid.status = ANY (:live)"
    " AND (bid.limit_minor IS NOT NULL OR bid.id = auction.leader_bid_id AND bid.price_minor <> auction.price_minor)"
)


def rules_of(listing: Listing) -> Rules:
    assert listing.closes_at is not None, "a timed listing has an end"
    reserve = listing.reserve_price
    return Rules(
        closes_at=listing.closes_at,
        opens_at=listing.opens_at,
        hard_cap_at=listing.hard_cap_at,
        increment_minor=listing.increment_minor,
        reserve_minor=None if reserve is None else reserve.minor,
    )


async def standing(work: UnitOfWork, listing: Listing) -> State:
    return await state_of(work, listing, await work.session.get(Auction, listing.id))


async def state_of(work: UnitOfWork, listing: Listing, row: Auction | None) -> State:
    """Before the first bid, and where only the log knows, the fold over it."""
    if row is None:
        return adjudicating.fold(await queries.log(work, listing.id), rules_of(listing))
    lead = Lead(row.leader_bid_id, row.leader_id, row.price_minor, row.limit_minor)
    return State(row.ends_at, lead, row.count)


async def write(work: UnitOfWork, listing: Listing, state: State, received_at: datetime) -> None:
    """After the bid was flushed that was received then; wakes whoever watches. An end that moved is the listing's too."""
    assert state.lead is not None, "somebody has bid"
    values = {
        "listing": listing.id,
        "bid": state.lead.bid_id,
        "bidder": state.lead.bidder_id,
        "price": state.lead.price_minor,
        "limit": state.lead.limit_minor,
        "ends_at": state.ends_at,
        "count": state.count,
        "received_at": received_at,
        "livemode": work.livemode,
        "now": work.now,
        "channel": WAKE_CHANNEL,
    }
    await work.session.execute(_WRITE, values)
    before = listing.effective_end_at
    if before is not None and state.ends_at != before:
        await work.session.execute(_EXTEND, {"ends_at": state.ends_at, "listing": listing.id})
        await work.session.refresh(listing)
        audience = facts.audience(listing, await queries.live_bidders(work, listing.id))
        work.emit(facts.of(ListingExtended, listing, ended_at=before), subject=listing.id, audience=audience)


async def tell(work: UnitOfWork, listing_id: ListingId) -> None:
    """Wakes whoever watches, once this unit of work has committed."""
    await work.session.execute(_TELL, {"channel": WAKE_CHANNEL, "listing": listing_id})


async def settle(work: UnitOfWork, listing: Listing) -> None:
    """At the close: the leader stands at the price of the auction, whoever was outbid at its limit."""
    await work.session.execute(_SETTLE, {"listing": listing.id, "live": list(LIVE)})
