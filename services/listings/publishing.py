"""A listing's way from draft to award and end. Who closes and awards calls from above; the clock is bidding's."""

from collections.abc import Iterable
from datetime import timedelta

from services.kernel import timers
from services.kernel.actors import Actor
from services.kernel.errors import Forbidden, Invalid
from services.kernel.ids import ListingId
from services.kernel.states import move
from services.kernel.tables import CheckVersion, any_version
from services.kernel.timers import timer
from services.kernel.unit_of_work import UnitOfWork
from services.listings import facts, policy, queries, reviewing
from services.listings.admitting import letting_in
from services.listings.dividing import live_bids, relisting
from services.listings.events import (
    ListingAwarded,
    ListingAwardReopened,
    ListingCancelled,
    ListingClosed,
    ListingExpired,
    ListingFulfilled,
    ListingOpened,
    ListingPartiallyAwarded,
    ListingPublished,
    ListingSubmitted,
    ListingWithdrawn,
)
from services.listings.models import LISTING, OPEN, Listing, ListingFacts
from services.listings.recalling import quarantine
from services.listings.searching import offering
from services.parties import standing

EXPIRE = "listing.expire"
AWARD_WINDOW = timedelta(days=10)
"""From the close, or a reopened award, until a listing without an award expires."""


async def publish(
    work: UnitOfWork, listing_id: ListingId, *, by: Actor, check_version: CheckVersion = any_version
) -> Listing:
    """Submits the draft; a rule approves what is complete, and it opens now or at `opens_at`.

    Raises Invalid with every shortcoming by pointer, Blocked, NotTheSeller and TransitionNotPossible."""
    listing = await queries.visible_listing_for_update(work, listing_id, by)
    policy.must_be_the_seller(by, listing)
    check_version(listing.version)
    LISTING.find("publish", listing.status)
    await quarantine.watch(work, listing)
    known = await facts_for(work, listing, by)
    if known.shortcomings:
        raise Invalid(*known.shortcomings)
    moved = move(LISTING, listing, "publish", by="seller", facts=known)
    await letting_in.resolve(work, listing)
    told = facts.of(ListingSubmitted, listing)
    work.emit(told, subject=listing.id, audience={listing.seller_id: "seller"}, moved=moved)
    _approve(work, listing)
    if listing.opens_at is None or listing.opens_at <= work.now:
        listing.opens_at = work.now
        open_(work, listing)
    else:
        await timers.schedule(work, OPEN, listing.id, listing.opens_at)
    await offering.put(work, listing)
    return listing


async def facts_for(work: UnitOfWork, listing: Listing, actor: Actor) -> ListingFacts:
    """What stands against publishing a draft; nothing is asked of a listing that is further."""
    is_remainder = listing.origin_remainder_id is not None
    may_list = policy.may_list(actor, is_remainder=is_remainder)
    if listing.status != "draft":
        is_asked = listing.status == "open" and listing.mode != "sealed" and actor.org_id == listing.seller_id
        return ListingFacts(may_list, has_live_bids=is_asked and await live_bids.are_there(work, listing.id))
    shortcomings = reviewing.shortcomings(listing, await queries.items(work, listing.id), work.now)
    reasons = [] if is_remainder else await standing.against(work, listing.seller_id, policy.SELLERS)
    return ListingFacts(may_list, shortcomings, tuple(reasons))


def _approve(work: UnitOfWork, listing: Listing) -> None:
    moved = move(LISTING, listing, "approve", by="time")
    listing.published_at = work.now
    listing.effective_end_at = listing.closes_at
    listing.hard_cap_at = reviewing.hard_cap(listing)
    told = facts.of(ListingPublished, listing)
    work.emit(told, subject=listing.id, audience=facts.audience(listing), moved=moved)


def open_(work: UnitOfWork, listing: Listing) -> Listing:
    """Bids are taken from now on. The listing is locked by the caller, here and below."""
    moved = move(LISTING, listing, "open", by="time")
    told = facts.of(ListingOpened, listing)
    work.emit(told, subject=listing.id, audience=facts.audience(listing), moved=moved)
    return listing


@timer(OPEN)
async def _open_at_its_time(work: UnitOfWork, listing_id: str) -> None:
    open_(work, await queries.listing_for_update(work, listing_id))


async def close(work: UnitOfWork, listing: Listing, *, bidders: Iterable[str] = ()) -> Listing:
    """Bidding has ended; the award window begins. `bidders` are told too, here and below."""
    moved = move(LISTING, listing, "close", by="time")
    told = facts.of(ListingClosed, listing)
    work.emit(told, subject=listing.id, audience=facts.audience(listing, bidders), moved=moved)
    await timers.schedule(work, EXPIRE, listing.id, work.now + AWARD_WINDOW)
    return listing


async def mark_awarded(
    work: UnitOfWork, listing: Listing, *, by: str = "seller", bidders: Iterable[str] = ()
) -> Listing:
    """A bid has won the whole lot. Raises Blocked (`still_open`) before the close unless it is negotiated."""
    moved = move(LISTING, listing, "award", by=by, facts=ListingFacts())
    await timers.cancel(work, EXPIRE, listing.id)
    told = facts.of(ListingAwarded, listing)
    work.emit(told, subject=listing.id, audience=facts.audience(listing, bidders), moved=moved)
    return listing


async def mark_partly_awarded(
    work: UnitOfWork, listing: Listing, *, by: str = "seller", bidders: Iterable[str] = ()
) -> Listing:
    """A bid has won part of it, and something is left. What nobody wins in the award window is relisted."""
    moved = move(LISTING, listing, "award_part", by=by, facts=ListingFacts())
    await timers.schedule(work, EXPIRE, listing.id, work.now + AWARD_WINDOW)
    told = facts.of(ListingPartiallyAwarded, listing)
    work.emit(told, subject=listing.id, audience=facts.audience(listing, bidders), moved=moved)
    return listing


async def reopen_award(
    work: UnitOfWork, listing: Listing, *, bidders: Iterable[str] = (), is_part: bool = False
) -> Listing:
    """The winner stepped back, or the order was cancelled before loading: another bid may be awarded. `is_part`: other awards
    of the listing stand."""
    moved = move(LISTING, listing, "reopen_part" if is_part else "reopen_award", by="time")
    await timers.schedule(work, EXPIRE, listing.id, work.now + AWARD_WINDOW)
    told = facts.of(ListingAwardReopened, listing)
    work.emit(told, subject=listing.id, audience=facts.audience(listing, bidders), moved=moved)
    return listing


async def relist_remainder(
    work: UnitOfWork, listing_id: ListingId, *, by: Actor, check_version: CheckVersion = any_version
) -> Listing:
    """The new draft, with all that is free of a listing sold in parts; the listing is awarded as far as it goes."""
    listing = await queries.visible_listing_for_update(work, listing_id, by)
    policy.must_be_the_seller(by, listing)
    check_version(listing.version)
    moved = move(LISTING, listing, "relist_remainder", by="seller")
    await timers.cancel(work, EXPIRE, listing.id)
    return await relisting.relist(work, listing, moved)


async def expire(work: UnitOfWork, listing: Listing, *, bidders: Iterable[str] = ()) -> Listing:
    """Nobody bid, or nobody was awarded in time."""
    moved = move(LISTING, listing, "expire", by="time")
    await timers.cancel(work, EXPIRE, listing.id)
    told = facts.of(ListingExpired, listing)
    work.emit(told, subject=listing.id, audience=facts.audience(listing, bidders), moved=moved)
    return listing


@timer(EXPIRE)
async def _expire_after_the_award_window(work: UnitOfWork, listing_id: str) -> None:
    listing = await queries.listing_for_update(work, listing_id)
    if listing.status == "partially_awarded":
        await relisting.relist(work, listing, move(LISTING, listing, "relist_remainder", by="time"))
    else:
        await expire(work, listing)


async def fulfil(work: UnitOfWork, listing: Listing, *, bidders: Iterable[str] = ()) -> Listing:
    """Every order of the listing has ended."""
    moved = move(LISTING, listing, "fulfil", by="time")
    told = facts.of(ListingFulfilled, listing)
    work.emit(told, subject=listing.id, audience=facts.audience(listing, bidders), moved=moved)
    return listing


async def withdraw(
    work: UnitOfWork,
    listing_id: ListingId,
    *,
    by: Actor,
    reason: str | None = None,
    check_version: CheckVersion = any_version,
) -> Listing:
    """Before an award; afterwards the order is cancelled instead. Bids are released by who hears of it."""
    listing = await queries.visible_listing_for_update(work, listing_id, by)
    policy.must_be_the_seller(by, listing)
    check_version(listing.version)
    moved = move(LISTING, listing, "withdraw", by="seller")
    await _stop_clocks(work, listing)
    told = facts.of(ListingWithdrawn, listing, reason=reason)
    work.emit(told, subject=listing.id, audience=_who_knows(listing), moved=moved)
    return listing


async def cancel(work: UnitOfWork, listing_id: ListingId, *, by: Actor, reason: str) -> Listing:
    """Backhaul takes the listing off the market."""
    if not by.is_operator:
        raise Forbidden("Only Backhaul cancels a listing; its seller withdraws it.")
    listing = await queries.listing_for_update(work, listing_id)
    moved = move(LISTING, listing, "cancel", by="operator")
    await _stop_clocks(work, listing)
    told = facts.of(ListingCancelled, listing, reason=reason)
    work.emit(told, subject=listing.id, audience=_who_knows(listing), moved=moved)
    return listing


def _who_knows(listing: Listing) -> dict[str, str]:
    """Of a listing never published, the invited know nothing yet."""
    return facts.audience(listing) if listing.published_at is not None else {str(listing.seller_id): "seller"}


async def _stop_clocks(work: UnitOfWork, listing: Listing) -> None:
    for kind in (OPEN, EXPIRE):
        await timers.cancel(work, kind, listing.id)
