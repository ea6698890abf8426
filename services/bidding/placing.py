"""Placing a bid, and taking it back. A bid never changes: a new one of the same bidder takes the place of the old."""

from datetime import datetime

from services.bidding import adjudicating, closing, eligibility, events, intent_log, policy, queries, sealing
from services.bidding.adjudicating import Entry
from services.bidding.errors import BiddingHasClosed, BiddingNotOpen, BidTooLow
from services.bidding.integrity import kinship
from services.bidding.models import BID, Bid, NewBid
from services.bidding.telling import about, tell
from services.kernel import states, stops, timers
from services.kernel.actors import Actor
from services.kernel.errors import Blocked, Forbidden
from services.kernel.ids import BidId, OrgId
from services.kernel.money import Money
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.listings.models import Listing
from services.parties import standing
from services.parties.models import PROCESSORS


async def place(work: UnitOfWork, new: NewBid, *, by: Actor) -> Bid:
    """The bid stands at once. Nothing is written of one that is refused: it came too late, it does not fit the listing, no
    permit covers the goods, or the price does not beat the leading one of a timed listing."""
    policy.must_process(by)
    await standing.must_be_good(work, by.org, PROCESSORS, thing="bid", step="place")
    listing = await listings.visible_listing(work, new.listing_id, by)
    policy.must_not_sell(by, listing)
    await kinship.must_not_be_the_seller(work, by.org, listing.seller_id)
    received_at = await intent_log.receive(work, listing, by.org)
    _must_be_open(listing, received_at)
    _must_not_be_stopped(listing)
    await eligibility.check(work, new, listing, by=by, at=received_at)
    async with work.as_house():
        bid = _bid(work, new, listing, by.org, received_at)
        if listing.mode == "timed":
            await _take_the_lead(work, bid, listing)
        if listing.mode != "sealed":
            bid.sequence = await queries.next_sequence(work, listing.id)
        await _supersede_own(work, listing, by.org)
        await _admit(work, bid, listing)
        if listing.mode == "sealed":
            await sealing.lay_down(work, bid, new.amounts)
        return bid


def _must_be_open(listing: Listing, received_at: datetime) -> None:
    if listing.status in ("draft", "in_review", "scheduled"):
        raise BiddingNotOpen(listing.id)
    if queries.is_over(listing, received_at):
        raise BiddingHasClosed(listing.id, received_at=received_at, ended_at=listing.effective_end_at)


def _must_not_be_stopped(listing: Listing) -> None:
    reasons = stops.against(listing)
    if reasons:
        raise Blocked("bid", "place", reasons)


def _bid(work: UnitOfWork, new: NewBid, listing: Listing, bidder_id: OrgId, received_at: datetime) -> Bid:
    return Bid(
        listing_id=listing.id,
        bidder_id=bidder_id,
        site_id=new.site_id,
        price_minor=_minor(new.price, listing),
        currency=listing.currency,
        price_unit=listing.price_unit,
        haulage_basis=new.haulage_basis,
        haulage_ceiling_minor=_minor(new.haulage_ceiling, listing),
        haulage_quote_minor=_minor(new.haulage_quote, listing),
        disposition=new.disposition,
        operation=new.operation,
        parts=None if new.parts is None else [part.model_dump() for part in new.parts],
        valid_until=new.valid_until,
        co2e_g=new.co2e.grams if new.co2e else None,
        received_at=received_at,
        livemode=work.livemode,
        created_at=received_at,
    )


def _minor(money: Money | None, listing: Listing) -> int | None:
    """Nothing of a sealed bid: `sealing` keeps it."""
    return None if money is None or listing.mode == "sealed" else money.minor


async def _take_the_lead(work: UnitOfWork, bid: Bid, listing: Listing) -> None:
    """The same fold that anybody can replay later; its end becomes the listing's."""
    assert listing.closes_at is not None, "a timed listing has an end"
    log = [
        *await queries.log(work, listing.id),
        Entry(bid.received_at, bid.id, bid.bidder_id, bid.price.minor),
    ]
    outcome = adjudicating.fold(
        log, opens_at=listing.opens_at, closes_at=listing.closes_at, hard_cap_at=listing.hard_cap_at
    )
    leader = outcome.leader
    if leader is not None and leader.id != bid.id:
        raise BidTooLow(str(Money(leader.price_minor, listing.currency)))
    if outcome.ends_at != listing.effective_end_at:
        listing.effective_end_at = outcome.ends_at
        listing.version += 1


async def _supersede_own(work: UnitOfWork, listing: Listing, bidder_id: OrgId) -> None:
    for old in await queries.live_bids_for_update(work, listing.id, bidder_id=bidder_id):
        _end(work, old, listing, states.move(BID, old, "supersede", by="buyer"), "superseded")
    await work.session.flush()


async def _admit(work: UnitOfWork, bid: Bid, listing: Listing) -> None:
    """No deposit is asked for, so a bid that was placed stands."""
    work.add(bid)
    await work.session.flush()
    tell(work, bid, listing, events.BidPlaced(**about(bid), received_at=bid.received_at))
    moved = states.move(BID, bid, "admit", by="time")
    tell(work, bid, listing, events.BidAdmitted(**about(bid)), moved)
    if listing.mode == "instant":
        tell(work, bid, listing, events.BidMetPrice(**about(bid)))
    if bid.valid_until is not None:
        await timers.schedule(work, closing.EXPIRE, bid.id, bid.valid_until)


async def withdraw(work: UnitOfWork, bid_id: BidId, *, by: Actor, check_version: CheckVersion = any_version) -> Bid:
    """While bidding is on; of a timed listing any bid but the leading one. Raises Blocked with the reasons."""
    seen = await queries.visible_bid(work, bid_id, by)
    if seen.bidder_id != by.org_id:
        raise Forbidden("A bid is withdrawn by whoever placed it.")
    listing = await listings.listing(work, seen.listing_id)
    async with work.as_house():
        received_at = await intent_log.receive(work, listing, by.org)
        bid = await queries.bid_for_update(work, bid_id)
        check_version(bid.version)
        facts = await queries.facts(work, bid, now=received_at)
        _end(work, bid, listing, states.move(BID, bid, "withdraw", by="buyer", facts=facts), "withdrawn")
        return bid


def _end(work: UnitOfWork, bid: Bid, listing: Listing, moved: states.Moved, reason: str) -> None:
    bid.ended_reason = reason
    tell(work, bid, listing, events.BidWithdrawn(**about(bid), reason=reason), moved)
