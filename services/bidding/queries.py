"""Every SELECT of bids. A sealed bid is read by its bidder alone until the close, by nobody else's query before."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, text, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col

from services.bidding.adjudicating import Entry
from services.bidding.models import LIVE, STOOD, Auction, Bid, BidFacts, Counter, ReceiptBook, SealedBid, SealingKey
from services.bidding.policy import OPENED
from services.bidding.ranking import SELLER_COMMISSION_BPS, Ranked, rank
from services.kernel.actors import Actor
from services.kernel.errors import NotFound
from services.kernel.events import EventRow
from services.kernel.ids import BidId, ListingId, OrgId
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.listings.dividing import selling
from services.listings.models import Listing

T = TypeVar("T")

IN_PARTS = ("closed", "partially_awarded", "awarded")
"""Some of a listing sold in parts may be awarded, or relisted."""


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """One's own; those for one's own listing, and for any to an operator, unless they are sealed: what was withdrawn from a
    sealed listing is never opened."""
    if actor.org_id is None and not actor.is_operator:
        return false()
    is_opened = and_(col(Listing.status).in_(OPENED), col(Bid.price_minor).is_not(None))
    is_readable = or_(col(Listing.mode) != "sealed", is_opened)
    is_theirs = true() if actor.is_operator else col(Listing.seller_id) == actor.org_id
    of_listing = select(col(Listing.id)).where(col(Listing.id) == col(Bid.listing_id), is_readable, is_theirs).exists()
    return or_(col(Bid.bidder_id) == actor.org_id, of_listing)


def bids(actor: Actor, *, listing_id: ListingId | None = None) -> Select[Bid]:
    """The actor's own; with a listing, all of it that the actor may see. Unordered."""
    query = select(Bid).where(col(Bid.livemode) == actor.livemode)
    if listing_id is None:
        return query.where(col(Bid.bidder_id) == actor.org_id)
    return query.where(col(Bid.listing_id) == listing_id, visible_to(actor))


async def visible_bid(work: UnitOfWork, bid_id: BidId, actor: Actor) -> Bid:
    """NotFound for whoever may not see it."""
    query = select(Bid).where(col(Bid.id) == bid_id, col(Bid.livemode) == actor.livemode, visible_to(actor))
    return _found((await work.session.execute(query)).scalar_one_or_none(), bid_id)


async def visible_bids(work: UnitOfWork, ids: Collection[str], actor: Actor) -> Sequence[Bid]:
    """Those of them that the actor may see."""
    query = select(Bid).where(col(Bid.id).in_(ids), col(Bid.livemode) == actor.livemode, visible_to(actor))
    return (await work.session.execute(query)).scalars().all()


async def bid(work: UnitOfWork, bid_id: str) -> Bid:
    """For verbs of other contexts: nobody's view in particular."""
    return _found((await work.session.execute(_bids(work).where(col(Bid.id) == bid_id))).scalar_one_or_none(), bid_id)


async def bid_for_update(work: UnitOfWork, bid_id: str) -> Bid:
    query = _locked(_bids(work).where(col(Bid.id) == bid_id))
    return _found((await work.session.execute(query)).scalar_one_or_none(), bid_id)


def standing(listing_id: str, *also: Any) -> Select[Any]:
    """`also`, the listing, and how its auction stands: None before the first bid."""
    query = select(*also, Listing, Auction).outerjoin(Auction, col(Auction.listing_id) == col(Listing.id))
    return query.where(col(Listing.id) == listing_id)


async def moves(work: UnitOfWork, bid_ids: Collection[str]) -> Sequence[EventRow]:
    """Every transition that these bids have made, in the order in which they were told."""
    query = select(EventRow).where(col(EventRow.subject_id).in_(bid_ids), col(EventRow.transition).is_not(None))
    return (await work.session.execute(query.order_by(col(EventRow.ordinal)))).scalars().all()


async def live_bids(work: UnitOfWork, listing_id: str) -> Sequence[Bid]:
    """Those that could still win, in the order in which they were received."""
    query = _bids(work).where(col(Bid.listing_id) == listing_id, col(Bid.status).in_(LIVE))
    return (await work.session.execute(query.order_by(col(Bid.received_at), col(Bid.id)))).scalars().all()


async def live_bidders(work: UnitOfWork, listing_id: str) -> list[OrgId]:
    return sorted({bid.bidder_id for bid in await live_bids(work, listing_id)})


async def live_bids_for_update(work: UnitOfWork, listing_id: str, *, bidder_id: OrgId | None = None) -> Sequence[Bid]:
    """Locked in the order of their ids; of one bidder only, if given."""
    query = _bids(work).where(col(Bid.listing_id) == listing_id, col(Bid.status).in_(LIVE))
    if bidder_id is not None:
        query = query.where(col(Bid.bidder_id) == bidder_id)
    return (await work.session.execute(_locked(query.order_by(col(Bid.id))))).scalars().all()


async def last_stamp(work: UnitOfWork, listing_id: str, bidder_id: OrgId) -> datetime | None:
    """Of the bidder's bid that stands."""
    query = select(col(Bid.received_at)).where(
        col(Bid.listing_id) == listing_id, col(Bid.bidder_id) == bidder_id, col(Bid.status).in_(LIVE)
    )
    return (await work.session.execute(query)).scalar_one_or_none()


async def log(work: UnitOfWork, listing_id: str) -> list[Entry]:
    """Every bid the listing ever had, whatever became of it."""
    amounts = (col(Bid.price_minor), col(Bid.limit_minor))
    columns = (col(Bid.received_at), col(Bid.id), col(Bid.bidder_id), *amounts)
    rows = await work.session.execute(select(*columns).where(col(Bid.listing_id) == listing_id))
    return [Entry(at, BidId(bid), OrgId(bidder), price or 0, limit) for at, bid, bidder, price, limit in rows.all()]


async def next_sequence(work: UnitOfWork, listing_id: str) -> int:
    """For bids that queue: exact under the listing's exclusive lock alone."""
    query = select(func.coalesce(func.max(col(Bid.sequence)), 0) + 1).where(col(Bid.listing_id) == listing_id)
    return (await work.session.execute(query)).scalar_one() or 1


_NUMBER = text(
    'UPDATE bid SET sequence = numbered.place FROM (SELECT id, row_number() OVER (ORDER BY received_at, id COLLATE "C")'
    " AS place FROM bid WHERE listing_id = :listing) numbered WHERE bid.id = numbered.id AND bid.sequence IS NULL"
)


async def number(work: UnitOfWork, listing_id: str) -> None:
    """Gives the bids of a listing that was sealed their places, under its exclusive lock."""
    await work.session.execute(_NUMBER, {"listing": listing_id})


async def bids_in(work: UnitOfWork, listing_id: str, *statuses: str) -> Sequence[Bid]:
    """Of the listing, in these states."""
    query = _bids(work).where(col(Bid.listing_id) == listing_id, col(Bid.status).in_(statuses))
    return (await work.session.execute(query.order_by(col(Bid.id)))).scalars().all()


async def ranking(work: UnitOfWork, listing: Listing, *, commission_bps: int = SELLER_COMMISSION_BPS) -> list[Ranked]:
    """Of all bids that stood when bidding ended, or stand while the listing negotiates; best first."""
    return rank(await stood(work, listing), listing, await listings.items(work, listing.id), commission_bps)


async def stood(work: UnitOfWork, listing: Listing) -> Sequence[Bid]:
    """Those that could be opened. Unordered."""
    is_opened = col(Bid.price_minor).is_not(None)
    query = _bids(work).where(col(Bid.listing_id) == listing.id, col(Bid.status).in_(STOOD), is_opened)
    return (await work.session.execute(query)).scalars().all()


async def facts(work: UnitOfWork, bid: Bid, *, now: datetime) -> BidFacts:
    return (await facts_of(work, [bid], now=now))[bid.id]


async def facts_of(work: UnitOfWork, bids: Collection[Bid], *, now: datetime) -> dict[BidId, BidFacts]:
    """What may be decided about each of them at `now`."""
    of_bids = await listings.listings(work, {bid.listing_id for bid in bids})
    leading = await _leading(work, [found for found in of_bids.values() if found.mode == "timed"])
    whole = [found.id for found in of_bids.values() if found.status == "awarded" and found.lot_rule == "whole"]
    awarded = await _awarded(work, whole)
    in_parts = [found.id for found in of_bids.values() if found.status in IN_PARTS and found.lot_rule != "whole"]
    items = {listing_id: await listings.items(work, listing_id) for listing_id in in_parts}
    on_the_table = await counters_on_the_table(work, [bid.id for bid in bids if bid.status == "countered"])
    return {
        bid.id: BidFacts(
            now=now,
            mode=of_bids[bid.listing_id].mode,
            listing_status=of_bids[bid.listing_id].status,
            is_over=is_over(of_bids[bid.listing_id], now),
            is_leading=leading.get(bid.listing_id, _NOBODY)[0] == bid.id,
            leading_price=leading.get(bid.listing_id, _NOBODY)[1],
            has_other_award=bool(awarded.get(bid.listing_id, set()) - {bid.id})
            or (bid.listing_id in items and not selling.is_free(items[bid.listing_id], bid.parts)),
            counter=on_the_table.get(bid.id),
        )
        for bid in bids
    }


def is_over(listing: Listing, now: datetime) -> bool:
    """A bid counts up to the end, the end included."""
    return listing.status != "open" or (listing.effective_end_at is not None and now > listing.effective_end_at)


_NOBODY: tuple[str, None] = ("", None)


async def _leading(work: UnitOfWork, timed: Collection[Listing]) -> dict[str, tuple[str, Money | None]]:
    """Who leads at what price, by listing: as the auction stands while bidding is on, the best of the live bids after it."""
    open_ids = [listing.id for listing in timed if listing.status == "open"]
    ended_ids = [listing.id for listing in timed if listing.status != "open"]
    currencies = {listing.id: listing.currency for listing in timed}
    columns = (col(Auction.listing_id), col(Auction.leader_bid_id), col(Auction.price_minor))
    standing = select(*columns).where(col(Auction.listing_id).in_(open_ids))
    price = func.coalesce(col(Bid.standing_price_minor), col(Bid.price_minor))
    best_first = (col(Bid.listing_id), price.desc(), col(Bid.received_at), col(Bid.id))
    of_ended = select(col(Bid.listing_id), col(Bid.id), price).where(
        col(Bid.listing_id).in_(ended_ids), col(Bid.status).in_(LIVE)
    )
    best = of_ended.ext(distinct_on(col(Bid.listing_id))).order_by(*best_first)
    async with work.as_house():
        rows = [*(await work.session.execute(standing)).all()] if open_ids else []
        rows += (await work.session.execute(best)).all() if ended_ids else []
    return {listing_id: (bid_id, Money(minor, currencies[listing_id])) for listing_id, bid_id, minor in rows}


async def _awarded(work: UnitOfWork, listing_ids: Collection[str]) -> dict[str, set[str]]:
    if not listing_ids:
        return {}
    query = select(col(Bid.listing_id), col(Bid.id)).where(
        col(Bid.listing_id).in_(listing_ids), col(Bid.status).in_(("awarded", "confirmed"))
    )
    async with work.as_house():
        rows = (await work.session.execute(query)).all()
    found: dict[str, set[str]] = {}
    for listing_id, bid_id in rows:
        found.setdefault(listing_id, set()).add(bid_id)
    return found


def counters_of(bid_id: BidId) -> Select[Counter]:
    """Unordered; for callers who have found the bid. Who sees the bid sees what was said about it."""
    return select(Counter).where(col(Counter.bid_id) == bid_id)


async def counters_on_the_table(work: UnitOfWork, bid_ids: Collection[BidId]) -> dict[BidId, Counter]:
    """The last counter of each; bids without one are left out."""
    if not bid_ids:
        return {}
    query = select(Counter).where(col(Counter.bid_id).in_(bid_ids)).ext(distinct_on(col(Counter.bid_id)))
    rows = await work.session.execute(query.order_by(col(Counter.bid_id), col(Counter.number).desc()))
    return {row.bid_id: row for row in rows.scalars()}


async def next_counter_number(work: UnitOfWork, bid_id: BidId) -> int:
    """Exact under the bid's lock."""
    query = select(func.coalesce(func.max(col(Counter.number)), 0) + 1).where(col(Counter.bid_id) == bid_id)
    return (await work.session.execute(query)).scalar_one() or 1


async def counters_said(work: UnitOfWork, bid_ids: Collection[BidId]) -> Sequence[Counter]:
    """In the order in which they were said."""
    query = select(Counter).where(col(Counter.bid_id).in_(bid_ids))
    ordered = query.order_by(col(Counter.created_at), col(Counter.id))
    return (await work.session.execute(ordered)).scalars().all()


async def public_key(work: UnitOfWork, listing_id: ListingId) -> bytes | None:
    """With which bids for a sealed listing are sealed; None before its first bid."""
    query = select(col(SealingKey.public_key)).where(col(SealingKey.listing_id) == listing_id)
    return (await work.session.execute(query.order_by(col(SealingKey.public_key)).limit(1))).scalar_one_or_none()


async def sealing_keys(work: UnitOfWork, listing_id: ListingId) -> Sequence[SealingKey]:
    query = select(SealingKey).where(col(SealingKey.listing_id) == listing_id)
    return (await work.session.execute(query)).scalars().all()


async def sealed_bid(work: UnitOfWork, bid_id: BidId) -> SealedBid | None:
    return await work.session.get(SealedBid, bid_id)


async def sealed_bids(work: UnitOfWork, bid_ids: Collection[str]) -> Sequence[SealedBid]:
    query = select(SealedBid).where(col(SealedBid.bid_id).in_(list(bid_ids)))
    return (await work.session.execute(query)).scalars().all()


async def boxes_of(work: UnitOfWork, listing_id: ListingId) -> Sequence[Any]:
    """What opening asks of each sealed bid, in the order in which they were received."""
    of_seal = (col(SealedBid.bid_id), col(SealedBid.sealed), col(SealedBid.public_key), col(SealedBid.commitment))
    of_bid = (col(Bid.status), col(Bid.haulage_basis), col(SealedBid.receipt))
    query = (
        select(*of_seal, *of_bid)
        .join(Bid, col(Bid.id) == col(SealedBid.bid_id))
        .where(col(SealedBid.listing_id) == listing_id)
        .order_by(col(Bid.received_at), col(Bid.id).collate("C"))
    )
    return (await work.session.execute(query)).all()


async def book(work: UnitOfWork, listing_id: ListingId) -> tuple[ReceiptBook | None, Sequence[SealedBid]]:
    """The signed end of the listing's chain of receipts, and its links in order; the caller has asked the policy."""
    query = select(SealedBid).where(col(SealedBid.listing_id) == listing_id, col(SealedBid.position).is_not(None))
    links = (await work.session.execute(query.order_by(col(SealedBid.position)))).scalars().all()
    return await work.session.get(ReceiptBook, listing_id), links


def _bids(work: UnitOfWork) -> Select[Bid]:
    return select(Bid).where(col(Bid.livemode) == work.livemode)


def _locked(query: Select[T]) -> Select[T]:
    return query.with_for_update().execution_options(populate_existing=True)


def _found(row: Bid | None, bid_id: str) -> Bid:
    if row is None:
        raise NotFound("bid", bid_id)
    return row
