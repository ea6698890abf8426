"""How a bid becomes an event: the fields every event of its carries."""

from typing import Any

from services.bidding import policy
from services.bidding.models import Bid
from services.kernel.events import Event
from services.kernel.states import Moved
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import Listing


def about(bid: Bid) -> dict[str, Any]:
    return {
        "bid_id": bid.id,
        "listing_id": bid.listing_id,
        "bidder_id": bid.bidder_id,
        "price": bid.price_now if bid.is_opened else None,
        "price_unit": bid.price_unit,
        "haulage_basis": bid.haulage_basis,
        "disposition": bid.disposition,
    }


def tell(work: UnitOfWork, bid: Bid, listing: Listing, event: Event, moved: Moved | None = None) -> None:
    """The bidder, and the seller where the bid is no secret to it."""
    work.emit(event, subject=bid.id, audience=policy.audience(bid, listing), moved=moved)


def tell_bidder(work: UnitOfWork, bid: Bid, event: Event, moved: Moved) -> None:
    work.emit(event, subject=bid.id, audience={bid.bidder_id: "bidder"}, moved=moved)
