"""Holding a published listing against the standing orders."""

from collections.abc import Sequence

from services.bidding.demanding import judging, queries
from services.bidding.demanding.events import DemandMatched
from services.bidding.demanding.judging import MOST_MISSED, Lot, Miss
from services.bidding.models import DemandMatch, DemandOrder
from services.bidding.models.demands import NEAR
from services.kernel.ids import ListingId
from services.kernel.quantities import Mass
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.listings.models import Listing


async def match(work: UnitOfWork, listing_id: ListingId) -> None:
    """Keeps every match and near miss, once, and tells the matches."""
    listing = await listings.listing(work, listing_id)
    lot = judging.lot_of(listing, await listings.items(work, listing.id))
    orders = [order for order in await queries.candidates(work, listing) if _is_near(order, lot)]
    if not orders:
        return
    already = await queries.known(work, listing.id)
    left = await queries.left_g(work, orders)
    new = [order for order in orders if order.id not in already]
    missed = {order.id: judging.misses(order, lot, left[order.id]) for order in new}
    held = [order for order in new if len(missed[order.id]) <= MOST_MISSED]
    await queries.keep(work, [_match(work, order, listing, lot, missed[order.id]) for order in held])
    for order in held:
        if not missed[order.id]:
            _tell(work, order, listing, lot)


def _is_near(order: DemandOrder, lot: Lot) -> bool:
    return judging.away_km(order, lot) <= order.radius_km * NEAR


def _match(work: UnitOfWork, order: DemandOrder, listing: Listing, lot: Lot, missed: Sequence[Miss]) -> DemandMatch:
    return DemandMatch(
        demand_order_id=order.id,
        listing_id=listing.id,
        org_id=order.org_id,
        is_match=not missed,
        misses=[miss.as_json for miss in missed],
        distance_km=round(judging.away_km(order, lot), 1),
        mass_g=lot.mass_g,
        livemode=work.livemode,
        created_at=work.now,
    )


def _tell(work: UnitOfWork, order: DemandOrder, listing: Listing, lot: Lot) -> None:
    assert lot.mass_g is not None, "a lot without a mass is no match"
    told = DemandMatched(
        demand_order_id=order.id,
        org_id=order.org_id,
        name=order.name,
        material=order.material,
        listing_id=listing.id,
        mass=Mass(lot.mass_g),
        distance_km=round(judging.away_km(order, lot), 1),
    )
    work.emit(told, subject=order.id, audience={order.org_id: "bidder"})
