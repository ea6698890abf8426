"""When a bid was received: the lock, then the stamp, then whatever decides.

A bid for a sealed listing takes a *shared* advisory lock on it, so bids do not wait for each other; the closer takes it
*exclusively*, and from then on no stamp from before the close can still arrive. The end of a timed listing moves with its bids,
and whoever negotiates acts on the last word: their bids take the lock exclusively and queue.

The stamp is the database's clock, read once in a statement after the lock, less the time that the request had waited in this
process when that statement was sent: nobody comes late because others were served first, and nothing is stamped before it came.
It is both what is checked and what is recorded. Where bids outbid each other it comes after the stamp of the last that counted,
and always after that of the bidder's own last one, so that stamps rise in the order of the commits. The closer lets `GRACE` pass
after the end, for what has arrived before it and still waits.

The advisory lock comes first, then rows. Nobody who holds a listing's row may ask for it.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from services.bidding import queries
from services.bidding.models import Auction
from services.kernel import clock
from services.kernel.ids import OrgId
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.listings.models import Listing

GRACE = timedelta(seconds=1)
"""In real time. Longer than any bid should wait in a process."""
STEP = timedelta(microseconds=1)
_SHARE = text("SELECT pg_advisory_xact_lock_shared(hashtext(:listing))")
_SEAL = text("SELECT pg_advisory_xact_lock(hashtext(:listing))")
_ONE_BY_ONE = text("SELECT pg_advisory_xact_lock(hashtext(:listing), hashtext(:bidder))")


@dataclass(frozen=True)
class Received:
    """The stamp of what the bidder does now, and how the auction stood then, of a timed listing that has bids."""

    at: datetime
    auction: Auction | None = None


async def receive(work: UnitOfWork, listing: Listing, bidder_id: OrgId) -> datetime:
    """The stamp of what the bidder does now; `listing` is read afresh after the lock."""
    return (await take(work, listing, bidder_id)).at


async def take(work: UnitOfWork, listing: Listing, bidder_id: OrgId) -> Received:
    """The same, as the house, for whoever must know how the auction stands."""
    if listing.mode == "sealed":
        await work.session.execute(_SHARE, {"listing": listing.id})
        await work.session.execute(_ONE_BY_ONE, {"listing": listing.id, "bidder": bidder_id})
    else:
        await seal(work, listing.id)
    if listing.mode in ("sealed", "timed"):
        await listings.hold(work, listing.id)
    if listing.mode == "timed":
        return await _look(work, listing)
    waited = clock.age_of(work.arrived)
    stamp = await clock.market_now(work.session, livemode=work.livemode)
    if listing.mode == "sealed":
        await work.session.refresh(listing)
        return Received(stamped(stamp - waited, await queries.last_stamp(work, listing.id, bidder_id)))
    await listings.listing_for_update(work, listing.id)
    return Received(stamp)


def stamped(arrived_at: datetime, last: datetime | None) -> datetime:
    """`last` is a stamp that this one comes after."""
    return arrived_at if last is None or last < arrived_at else last + STEP


async def _look(work: UnitOfWork, listing: Listing) -> Received:
    """Everything in one statement: others wait."""
    now = clock.now_column(livemode=work.livemode)
    found = queries.standing(listing.id, now).execution_options(populate_existing=True)
    waited = clock.age_of(work.arrived)
    stamp, _, auction = (await work.session.execute(found)).one()
    return Received(stamped(stamp - waited, None if auction is None else auction.received_at), auction)


async def let_in(work: UnitOfWork, ended_at: datetime) -> None:
    """Before `seal`, by the closer."""
    now = await clock.market_now(work.session, livemode=work.livemode)
    left = ended_at + GRACE - now
    if timedelta() < left <= GRACE:
        await asyncio.sleep(left.total_seconds())


async def seal(work: UnitOfWork, listing_id: str) -> None:
    """Waits for every bid under way; no other begins before this unit of work ends."""
    await work.session.execute(_SEAL, {"listing": listing_id})
