"""Looking at a listing once its bids may be read, and deciding what was found."""

from datetime import timedelta

from services.bidding.integrity import kinship, patterns, queries
from services.bidding.models.findings import FINDING, Finding
from services.bidding.policy import is_secret
from services.kernel import states
from services.kernel.actors import Actor
from services.kernel.ids import FindingId, ListingId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.parties.queries.kinship import identities

WINDOW = timedelta(days=180)
"""How far back conduct is looked at."""


async def look(work: UnitOfWork, listing_id: ListingId) -> None:
    """A reaction to `listing.closed` and `listing.awarded`; what was found before is not found twice. Nothing is read of a
    listing whose bids are still secret."""
    listing = await listings.listing(work, listing_id)
    if is_secret(listing):
        return
    bidders = await queries.bidders(work, listing_id)
    known = await identities(work, [listing.seller_id, *bidders])
    conduct = await queries.conduct(work, bidders, since=work.now - WINDOW)
    found = [
        *kinship.affiliates(known, listing.seller_id),
        *patterns.withdrawn_leaders(conduct, listing_id),
        *patterns.rings(conduct, listing_id),
    ]
    for one in found:
        await queries.write(work, listing_id, one)


async def decide(
    work: UnitOfWork,
    finding_id: FindingId,
    transition: str,
    *,
    note: str,
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Finding:
    """`clear` or `uphold`, with the reason; either may be thought better of."""
    finding = await queries.finding(work, finding_id, by, lock=True)
    check_version(finding.version)
    states.move(FINDING, finding, transition, by="operator")
    finding.decided_at, finding.decided_by, finding.note = work.now, by.label, note
    return finding
