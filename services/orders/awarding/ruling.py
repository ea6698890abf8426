"""Awarding by the seller's rule: at the close, and again when a winner lets its time pass.

A reaction to `listing.closed` and `listing.award_reopened`; the listing's state makes it do nothing the second time.
"""

from collections.abc import Sequence

from services.bidding import queries as bids
from services.bidding.models import Bid
from services.bidding.ranking import Ranked, reserve_of
from services.kernel.ids import BidId, ListingId
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.listings.models import Item, Listing
from services.orders import queries
from services.orders import terms as agreements
from services.orders.awarding.choosing import against, conclude
from services.orders.awarding.lapsing import NOT_CONFIRMED
from services.orders.models import Order

BELOW_RESERVE = "below_reserve"


async def award_best(work: UnitOfWork, *, listing_id: ListingId) -> Order | None:
    """The best bid that meets the reserve and passes every guard of an award, or nothing: the listing then waits for its seller,
    as it does after an order that somebody called off. Award.ranking says why better ones were passed over."""
    listing = await listings.listing_for_update(work, listing_id)
    if not await _is_for_the_rule(work, listing):
        return None
    items = await listings.items(work, listing.id)
    reserve = reserve_of(listing, items)
    passed_over: dict[BidId, list[str]] = {}
    for ranked in await bids.ranking(work, listing, commission_bps=agreements.COMMISSION_BPS):
        bid = await bids.bid_for_update(work, ranked.bid.id)
        if bid.status != "active":
            continue
        passed_over[bid.id] = await _codes_against(work, listing, items, bid, ranked, reserve)
        if not passed_over[bid.id]:
            return await conclude(work, listing, bid, by="time", passed_over=passed_over)
    return None


async def _is_for_the_rule(work: UnitOfWork, listing: Listing) -> bool:
    if listing.award_rule != "best_landed" or listing.status != "closed":
        return False
    last = await queries.last_award(work, listing.id)
    return last is None or last.end_reason == NOT_CONFIRMED


async def _codes_against(
    work: UnitOfWork, listing: Listing, items: Sequence[Item], bid: Bid, ranked: Ranked, reserve: Money | None
) -> list[str]:
    if reserve is not None and ranked.landed_net_value < reserve:
        return [BELOW_RESERVE]
    return [reason.code for reason in await against(work, listing, bid, items, by="time")]
