"""What stands beside a bid's value: how far the goods would travel, and whether its bidder may take them today."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from services.bidding import eligibility
from services.bidding.models import LIVE, Bid
from services.kernel.errors import Reason
from services.kernel.ids import BidId
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.listings.dividing import selling
from services.listings.models import Listing
from services.listings.searching import Place, distance_km
from services.parties import permits
from services.parties import queries as parties
from services.parties.models import Site

DETOUR = 1.3
"""Road over great circle, where nobody has measured the way."""

STEP_KM = 10
"""Coarse enough that it does not tell the seller where the bidder's yard is."""


@dataclass(frozen=True)
class Circumstances:
    """`against` are the reasons why no permit covers the goods today; None for a bid that can win no more."""

    estimated_distance_km: int
    against: tuple[Reason, ...] | None


async def size_up(work: UnitOfWork, listing: Listing, bids: Sequence[Bid]) -> dict[BidId, Circumstances]:
    """For the seller, who reads the answers and not the sites and permits they come from."""
    async with work.as_house():
        sites = await parties.sites(work, {bid.site_id for bid in bids})
        masses = eligibility.masses(listing, selling.portions(await listings.items(work, listing.id), None))
        return {
            bid.id: Circumstances(
                estimated_km(listing, sites[bid.site_id]), await _against(work, bid, sites[bid.site_id], masses)
            )
            for bid in bids
        }


def estimated_km(listing: Listing, site: Site) -> int:
    """By road, estimated from the great circle, rounded up to `STEP_KM`."""
    here, there = Place(listing.latitude, listing.longitude), Place(site.latitude, site.longitude)
    return math.ceil(distance_km(here, there) * DETOUR / STEP_KM) * STEP_KM


async def _against(work: UnitOfWork, bid: Bid, site: Site, masses: dict[str, int]) -> tuple[Reason, ...] | None:
    if bid.status not in LIVE:
        return None
    reasons = await permits.against(
        work,
        bid.bidder_id,
        kind="treatment",
        masses=masses,
        on=work.now.astimezone(ZoneInfo(site.timezone)).date(),
        country=site.country,
        operation=bid.operation,
        site_id=site.id,
    )
    return tuple(reasons)
