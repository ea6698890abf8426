"""Who is let in, when.

Publishing resolves the capability into `admitted`. Whoever becomes capable while bidding is ahead or on is let in by a reaction;
nobody is sent away: what an organization has read and bid for it goes on seeing, and its bids are held against its permits.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time

from services.kernel import timers
from services.kernel.errors import invalid
from services.kernel.ids import ListingId, OrgId, PermitId
from services.kernel.timers import timer
from services.kernel.unit_of_work import UnitOfWork
from services.listings import facts
from services.listings import queries as listings
from services.listings.admitting import queries
from services.listings.events import ListingAdmitted
from services.listings.models import MOST_ADMITTED, Listing
from services.parties import queries as parties

FURTHER = "listing.admit_further"
PERMIT_BEGINS = "listing.admit_by_permit"
AT_ONCE = 200
"""Listings that one unit of work opens to an organization; the next follows by a timer."""
STILL_TO_BID_FOR = ("scheduled", "open")


async def resolve(work: UnitOfWork, listing: Listing) -> None:
    """For its publication. Raises Invalid (`capability_too_wide`)."""
    if listing.visibility != "invited" or listing.invited_capability is None:
        return
    async with work.as_house():
        await work.session.flush()
        listing.admitted = []
        await work.session.flush()
        found = await queries.organizations_that_can(work, listing.id, MOST_ADMITTED + 1)
    if len(found) > MOST_ADMITTED:
        sentence = f"More than {MOST_ADMITTED} organizations have it; ask for more, or offer it to all."
        raise invalid("/invited_capability", "capability_too_wide", sentence)
    listing.admitted = list(found)


async def let_in_whoever_can(work: UnitOfWork, listing_id: ListingId) -> None:
    """Once it is published: those whose papers arrived while it was."""
    listing = await listings.listing_for_update(work, listing_id)
    if listing.status not in STILL_TO_BID_FOR:
        return
    room = MOST_ADMITTED - len(listing.admitted)
    await _let_in(work, [listing], await queries.organizations_that_can(work, listing.id, room))


async def let_in(work: UnitOfWork, org_id: OrgId) -> None:
    """Into what asks for what it can do today."""
    found = await queries.listings_asking_for(work, org_id, AT_ONCE)
    locked = (await listings.listings_for_update(work, found)).values()
    await _let_in(work, [listing for listing in locked if _is_waiting_for(listing, org_id)], [org_id])
    if len(found) == AT_ONCE:
        await timers.schedule(work, FURTHER, org_id, work.now)


async def let_in_by_permit(work: UnitOfWork, permit_id: PermitId, org_id: OrgId, valid_from: date) -> None:
    """Now, or on the day (UTC) from which the permit is in force."""
    if valid_from > work.now.date():
        await timers.schedule(work, PERMIT_BEGINS, permit_id, datetime.combine(valid_from, time(), UTC))
    else:
        await let_in(work, org_id)


@timer(FURTHER)
async def _let_in_further(work: UnitOfWork, org_id: str) -> None:
    await let_in(work, OrgId(org_id))


@timer(PERMIT_BEGINS)
async def _let_in_by_permit(work: UnitOfWork, permit_id: str) -> None:
    await let_in(work, (await parties.any_permit_for_update(work, PermitId(permit_id))).org_id)


def _is_waiting_for(listing: Listing, org_id: OrgId) -> bool:
    """As it stands now that it is locked."""
    has_room = len(listing.admitted) < MOST_ADMITTED
    return listing.status in STILL_TO_BID_FOR and org_id not in listing.guests and has_room


async def _let_in(work: UnitOfWork, into: Sequence[Listing], org_ids: Collection[OrgId]) -> None:
    if not into or not org_ids:
        return
    for listing in into:
        listing.admitted = [*listing.admitted, *org_ids]
        for org_id in org_ids:
            told = facts.of(ListingAdmitted, listing, organization_id=org_id)
            work.emit(told, subject=listing.id, audience={org_id: "processor"})
    await queries.show_offers(work, [listing.id for listing in into], list(org_ids))
