"""Counter-offers to a bid for a negotiated listing, in strict turns. What was said stays; the last word is on the table.

They queue under the listing's exclusive lock as its bids do: of two that move at once, one finds that it is not its turn.
`bid.counter_lapse` is a timer.
"""

from dataclasses import replace
from datetime import datetime

from services.bidding import events, intent_log, policy, queries
from services.bidding.errors import BidDoesNotFit
from services.bidding.models import BID, Bid, Counter, NewCounter
from services.bidding.models.counters import TO_ANSWER
from services.bidding.telling import about, tell
from services.kernel import states, timers
from services.kernel.actors import Actor
from services.kernel.errors import Detail, Forbidden
from services.kernel.ids import BidId
from services.kernel.money import Money
from services.kernel.tables import CheckVersion, any_version
from services.kernel.timers import timer
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.listings.models import Listing

LAPSE = "bid.counter_lapse"


async def counter(
    work: UnitOfWork, bid_id: BidId, said: NewCounter, *, by: Actor, check_version: CheckVersion = any_version
) -> Bid:
    """Raises Blocked (`not_your_turn`, `not_negotiated`, `bidding_has_closed`), and BidDoesNotFit for figures that do not fit."""
    seen = await queries.visible_bid(work, bid_id, by)
    listing = await listings.listing(work, seen.listing_id)
    part = part_in(seen, listing, by)
    async with work.as_house():
        received_at = await intent_log.receive(work, listing, by.org)
        bid = await queries.bid_for_update(work, bid_id)
        check_version(bid.version)
        facts = replace(await queries.facts(work, bid, now=received_at), part=part)
        moved = states.move(BID, bid, "counter", by=part, facts=facts)
        _must_fit(said, listing, received_at)
        row = await _say(work, bid, said, part, facts.counter, received_at)
        tell(work, bid, listing, _countered(bid, row), moved)
        return bid


def part_in(bid: Bid, listing: Listing, actor: Actor) -> str:
    """seller or buyer; nobody else has a word in it."""
    part = policy.part_of(actor, bid, listing)
    if part == "operator":
        raise Forbidden("Seller and bidder negotiate; nobody else does.")
    return part


def _must_fit(said: NewCounter, listing: Listing, now: datetime) -> None:
    wrong = []
    for name in ("price", "haulage"):
        amount: Money | None = getattr(said, name)
        if amount is not None and amount.currency != listing.currency:
            told = f"The listing is priced in {listing.currency}."
            wrong.append(Detail(f"/{name}/currency", "currency_differs", told))
    if said.haulage is not None and said.haulage.minor < 0:
        wrong.append(Detail("/haulage", "negative", "Haulage costs something, or nothing."))
    if said.expires_at is not None and said.expires_at <= now:
        wrong.append(Detail("/expires_at", "in_the_past", "The other side has time to answer."))
    if wrong:
        raise BidDoesNotFit(*wrong)


async def _say(work: UnitOfWork, bid: Bid, said: NewCounter, part: str, last: Counter | None, at: datetime) -> Counter:
    before = last.haulage if last is not None else bid.haulage_now
    haulage = before if said.haulage is None else said.haulage
    row = Counter(
        bid_id=bid.id,
        number=await queries.next_counter_number(work, bid.id),
        side=part,
        made_by=work.actor.label,
        price_minor=said.price.minor,
        currency=bid.currency,
        haulage_minor=haulage.minor if haulage is not None else None,
        note=said.note,
        expires_at=said.expires_at or at + TO_ANSWER,
        livemode=work.livemode,
        created_at=at,
    )
    work.add(row)
    await work.session.flush()
    assert row.expires_at is not None, "what is said now has an end"
    await timers.schedule(work, LAPSE, bid.id, row.expires_at)
    return row


def _countered(bid: Bid, row: Counter) -> events.BidCountered:
    return events.BidCountered(
        **about(bid),
        counter_id=row.id,
        number=row.number,
        side=row.side,
        offered=row.price,
        haulage=row.haulage,
        note=row.note,
        expires_at=row.expires_at,
    )


@timer(LAPSE)
async def lapse(work: UnitOfWork, bid_id: str) -> None:
    """The bid stands as it was placed, if nobody has answered the counter meanwhile."""
    bid = await queries.bid_for_update(work, bid_id)
    last = (await queries.counters_on_the_table(work, [bid.id])).get(bid.id)
    if last is None or last.expires_at is None or last.expires_at > work.now:
        return
    moved = states.move(BID, bid, "lapse", by="time")
    listing = await listings.listing(work, bid.listing_id)
    tell(work, bid, listing, events.CounterLapsed(**about(bid), counter_id=last.id), moved)


async def agree(work: UnitOfWork, bid: Bid) -> None:
    """Writes the counter on the table beside the bid's own promise: from now on these are its figures. The caller's award
    decides whether they stay."""
    last = (await queries.counters_on_the_table(work, [bid.id])).get(bid.id)
    if last is not None:
        bid.agreed_price_minor, bid.agreed_haulage_minor = last.price_minor, last.haulage_minor


async def mark_accepted(work: UnitOfWork, bid: Bid, *, by: str) -> None:
    """As `closing.mark_awarded`, for whoever accepts the counter on the table. Tells bid.awarded."""
    facts = replace(await queries.facts(work, bid, now=work.now), part=by)
    moved = states.move(BID, bid, "accept_counter", by=by, facts=facts)
    await timers.cancel(work, LAPSE, bid.id)
    tell(work, bid, await listings.listing(work, bid.listing_id), events.BidAwarded(**about(bid)), moved)
