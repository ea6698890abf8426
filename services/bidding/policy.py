"""Who may do what with a bid, and who hears of it: pure functions of an actor and models."""

from services.bidding.errors import NotAProcessor, NotTheSeller, OwnListing, StillOpen
from services.bidding.models import Bid
from services.kernel.actors import Actor
from services.kernel.ids import OrgId
from services.listings.models import Listing
from services.parties.models import PROCESSORS

OPENED = ("closed", "partially_awarded", "awarded", "fulfilled", "expired")
"""A sealed listing's bids have been opened."""


def is_secret(listing: Listing) -> bool:
    """Its bids are read by their bidders alone, operators included; for ever if it ends before its close."""
    return listing.mode == "sealed" and listing.status not in OPENED


def must_process(actor: Actor) -> None:
    if PROCESSORS.isdisjoint(actor.roles):
        raise NotAProcessor()


def must_not_sell(actor: Actor, listing: Listing) -> None:
    if actor.org_id == listing.seller_id:
        raise OwnListing()


def must_read_ranking(actor: Actor, listing: Listing) -> None:
    """The seller alone, and not before the close unless it negotiates."""
    if actor.org_id is None or actor.org_id != listing.seller_id:
        raise NotTheSeller()
    if listing.mode != "negotiated" and listing.status not in OPENED:
        raise StillOpen()


def part_of(actor: Actor, bid: Bid, listing: Listing) -> str:
    """The actor's part in the bid's state machine."""
    if actor.org_id is not None and actor.org_id == bid.bidder_id:
        return "buyer"
    return "seller" if actor.org_id is not None and actor.org_id == listing.seller_id else "operator"


def audience(bid: Bid, listing: Listing) -> dict[OrgId, str]:
    """The bidder, and the seller once it may read the bid."""
    to_bidder = {bid.bidder_id: "bidder"}
    return to_bidder if is_secret(listing) else {**to_bidder, listing.seller_id: "seller"}
