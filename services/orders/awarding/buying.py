"""Taking an instant listing at its price: bid, award and confirmation in one, for both sides have said all they had to say."""

from services.bidding import placing
from services.bidding import queries as bids
from services.bidding.models import NewBid
from services.kernel.actors import Actor
from services.kernel.ids import BidId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.orders.awarding.choosing import against, conclude
from services.orders.awarding.confirming import bind
from services.orders.errors import NotForSale, TermsDiffer
from services.orders.models import Order


async def buy(
    work: UnitOfWork,
    new: NewBid,
    *,
    by: Actor,
    terms_hash: str | None = None,
    check_version: CheckVersion = any_version,
) -> Order:
    """`check_version` is asked for the listing's version; buyers queue at its lock, and the first has it.

    Raises NotForSale, BiddingHasClosed once it is sold, whatever refuses a bid or an award, and TermsDiffer."""
    listing = await listings.visible_listing(work, new.listing_id, by)
    if listing.mode != "instant":
        raise NotForSale(listing.id)
    bid = await placing.place(work, new, by=by)
    check_version(listing.version)
    async with work.as_house():
        order = await conclude(work, listing, bid)
        if terms_hash not in (None, order.terms_hash):
            raise TermsDiffer(order.terms_hash)
        return await bind(work, bid, order)


async def sell(work: UnitOfWork, *, bid_id: BidId) -> Order | None:
    """What follows from a bid at the price that was not placed by buying: it wins if nobody was faster and nothing stands against
    the award. Otherwise it stays, and the seller may still award it."""
    seen = await bids.bid(work, bid_id)
    listing = await listings.listing_for_update(work, seen.listing_id)
    bid = await bids.bid_for_update(work, bid_id)
    if listing.mode != "instant" or listing.status != "open" or bid.status != "active":
        return None
    if await against(work, listing, bid, await listings.items(work, listing.id), by="time"):
        return None
    return await bind(work, bid, await conclude(work, listing, bid, by="time"))
