"""Processors who may take goods, and bids placed as partners place them."""

from collections.abc import Sequence

from services.bidding import placing
from services.bidding.models import Bid, NewBid
from services.kernel.database import Sessions
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import Listing
from tests.factories.parties import Party, organization, permit

STORY_CODES = ("160214", "160216", "160607")


async def processor(
    sessions: Sessions,
    name: str = "Rheinkreis Metall GmbH",
    *,
    roles: Sequence[str] = ("recycler",),
    waste_codes: Sequence[str] = STORY_CODES,
) -> Party:
    """A recycler whose permit names these codes for R4."""
    party = await organization(sessions, roles=roles, name=name)
    await permit(sessions, party, waste_codes=waste_codes)
    return party


def new_bid(listing: Listing, bidder: Party, price: str = "120.00", **given: object) -> NewBid:
    """FCA, to the bidder's site, for recycling by R4."""
    promise: dict[str, object] = {
        "listing_id": listing.id,
        "site_id": bidder.site.id,
        "price": Money.of(price, listing.currency),
        "haulage_basis": "FCA",
        "disposition": "recycle",
        "operation": "R4",
    }
    return NewBid.model_validate(promise | given)


async def placed_bid(
    sessions: Sessions, listing: Listing, bidder: Party, price: str = "120.00", **given: object
) -> Bid:
    async with UnitOfWork(sessions, bidder.actor) as work:
        return await placing.place(work, new_bid(listing, bidder, price, **given), by=bidder.actor)
