"""Placing a bid, and taking it back. A bid never changes: a new one of the same bidder takes the place of the old."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from services.bidding import adjudicating, auctions, closing, eligibility, events, intent_log, policy, queries, sealing
from services.bidding.adjudicating import Entry, Lead, Rules, State
from services.bidding.errors import BiddingHasClosed, BiddingNotOpen, BidTooLow
from services.bidding.integrity import kinship
from services.bidding.intent_log import Received
from services.bidding.models import BID, Bid, BidFacts, NewBid
from services.bidding.telling import about, tell
from services.bidding.vouching import deciding
from services.kernel import states, stops, timers
from services.kernel.actors import Actor
from services.kernel.errors import Blocked, Forbidden
from services.kernel.events import Event
from services.kernel.ids import BidId, OrgId
from services.kernel.money import Money
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.listings.models import NOT_BEGUN, Listing
from services.parties import standing
from services.parties.models import PROCESSORS


@dataclass(frozen=True)
class Placed:
    """A bid, with what may be told of it at once."""

    bid: Bid
    listing: Listing
    facts: BidFacts


async def place(work: UnitOfWork, new: NewBid, *, by: Actor) -> Bid:
    """The bid stands at once. Nothing is written of one that is refused: it came too late, it does not fit the listing, no
    permit covers the goods, or the price does not beat the leading one of a timed listing."""
    return (await receive(work, new, by=by)).bid


async def receive(work: UnitOfWork, new: NewBid, *, by: Actor) -> Placed:
    """As `place`. What can be asked without the listing's lock is asked before it, for others wait for it; and again
    after it where the listing has changed meanwhile."""
    policy.must_process(by)
    await standing.must_be_good(work, by.org, PROCESSORS, thing="bid", step="place")
    listing = await listings.visible_listing(work, new.listing_id, by)
    policy.must_not_sell(by, listing)
    await kinship.must_not_be_the_seller(work, by.org, listing.seller_id)
    await deciding.must_be_vouched_for(work, listing, by)
    await eligibility.check(work, new, listing, by=by, at=work.now)
    seen = listing.version
    async with work.as_house():
        received = await intent_log.take(work, listing, by.org)
        _must_be_open(listing, received.at)
        _must_not_be_stopped(listing)
        if listing.version != seen:
            await eligibility.check(work, new, listing, by=by, at=work.now)
        eligibility.must_outlast(new, listing, received.at)
        bid = bid_of(new, listing, by.org, received.at)
        lead = await _admitted(work, bid, listing, new, received)
        return Placed(bid, listing, _facts(bid, listing, lead, received.at))


async def _admitted(work: UnitOfWork, bid: Bid, listing: Listing, new: NewBid, received: Received) -> Lead | None:
    """Who leads now, where bids outbid each other."""
    if listing.mode == "timed":
        return await _admit_timed(work, bid, listing, await auctions.state_of(work, listing, received.auction))
    if listing.mode != "sealed":
        bid.sequence = await queries.next_sequence(work, listing.id)
    await _supersede_own(work, listing, bid.bidder_id)
    await _admit(work, bid, listing)
    if listing.mode == "sealed":
        await sealing.lay_down(work, bid, new.amounts)
    return None


def _facts(bid: Bid, listing: Listing, lead: Lead | None, now: datetime) -> BidFacts:
    is_leading = lead is not None and lead.bid_id == bid.id
    price = None if lead is None else Money(lead.price_minor, listing.currency)
    over = queries.is_over(listing, now)
    return BidFacts(now, listing.mode, listing.status, over, is_leading=is_leading, leading_price=price)


def _must_be_open(listing: Listing, received_at: datetime) -> None:
    if listing.status in NOT_BEGUN:
        raise BiddingNotOpen(listing.id)
    if listing.status == "open" and listing.opens_at is not None and received_at < listing.opens_at:
        raise BiddingNotOpen(listing.id)
    if queries.is_over(listing, received_at):
        raise BiddingHasClosed(listing.id, received_at=received_at, ended_at=listing.effective_end_at)


def _must_not_be_stopped(listing: Listing) -> None:
    reasons = stops.against(listing)
    if reasons:
        raise Blocked("bid", "place", reasons)


def bid_of(new: NewBid, listing: Listing, bidder_id: OrgId, received_at: datetime) -> Bid:
    return Bid(
        id=BidId.new(),
        stops=[],
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
        limit_minor=_minor(new.limit, listing),
        received_at=received_at,
        livemode=listing.livemode,
        created_at=received_at,
    )


def _minor(money: Money | None, listing: Listing) -> int | None:
    """Nothing of a sealed bid: `sealing` keeps it."""
    return None if money is None or listing.mode == "sealed" else money.minor


async def _admit_timed(work: UnitOfWork, bid: Bid, listing: Listing, before: State) -> Lead | None:
    """Raises BidTooLow."""
    rules = auctions.rules_of(listing)
    entry = Entry(bid.received_at, bid.id, bid.bidder_id, bid.price.minor, bid.limit_minor)
    after, verdict = adjudicating.step(before, entry, rules)
    if verdict not in adjudicating.COUNTS:
        raise too_low(before, bid, listing, rules)
    bid.sequence = after.count
    await _supersede_own(work, listing, bid.bidder_id)
    await _admit(work, bid, listing)
    await auctions.write(work, listing, after, bid.received_at)
    return after.lead


def too_low(state: State, bid: Bid, listing: Listing, rules: Rules) -> BidTooLow:
    assert state.lead is not None, "bidding is on, so only a better bid refuses this one"
    least = adjudicating.least(state.lead, rules, bidder_id=bid.bidder_id) or 0
    return BidTooLow(str(Money(state.lead.price_minor, listing.currency)), str(Money(least, listing.currency)))


async def _supersede_own(work: UnitOfWork, listing: Listing, bidder_id: OrgId) -> None:
    for old in await queries.live_bids_for_update(work, listing.id, bidder_id=bidder_id):
        tell(work, old, listing, *superseded(old))
    await work.session.flush()


Happened = tuple[Event, states.Moved | None]


def superseded(old: Bid) -> Happened:
    """Another bid of its bidder takes its place."""
    moved = states.move(BID, old, "supersede", by="buyer")
    old.ended_reason = "superseded"
    return events.BidWithdrawn(**about(old), reason="superseded"), moved


def admitted(bid: Bid) -> Iterator[Happened]:
    """What could have stood in its way was asked before, so a bid that was placed stands."""
    yield events.BidPlaced(**about(bid), received_at=bid.received_at), None
    moved = states.move(BID, bid, "admit", by="time")
    yield events.BidAdmitted(**about(bid)), moved


async def _admit(work: UnitOfWork, bid: Bid, listing: Listing) -> None:
    for event, moved in admitted(bid):
        tell(work, bid, listing, event, moved)
    work.add(bid)
    await work.session.flush()
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
        moved = states.move(BID, bid, "withdraw", by="buyer", facts=facts)
        bid.ended_reason = "withdrawn"
        tell(work, bid, listing, events.BidWithdrawn(**about(bid), reason="withdrawn"), moved)
        return bid
