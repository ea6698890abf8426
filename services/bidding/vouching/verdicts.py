"""What becomes of a deposit, by what its bidder did. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.bidding.models import LIVE
from services.bidding.models.bids import Bid
from services.kernel.ids import BidId
from services.listings.models import BEFORE_THE_CLOSE, ENDED_WITHOUT_AWARD

NOBODY_WINS_ANY_MORE = ENDED_WITHOUT_AWARD | {"fulfilled"}
STILL_BOUND = frozenset({*LIVE, "awarded"})


@dataclass(frozen=True)
class Verdict:
    """`keep`, `release`, `call_off` or `forfeit`, the last for the bid that was not confirmed."""

    what: str
    bid_id: BidId | None = None


def of(listing_status: str, bids: Iterable[Bid], secured_at: datetime | None) -> Verdict:
    """It stands for every bid placed since it was secured, as long as one of them may still be placed, win or be confirmed.

    A bid that was placed under an earlier deposit has forfeited that one already."""
    if secured_at is None:
        return Verdict("keep" if listing_status in BEFORE_THE_CLOSE else "call_off")
    placed = sorted(bids, key=lambda bid: bid.id)
    broken = [bid.id for bid in placed if bid.status == "timed_out" and bid.received_at >= secured_at]
    if broken:
        return Verdict("forfeit", broken[0])
    if listing_status in BEFORE_THE_CLOSE:
        return Verdict("keep")
    is_bound = any(bid.status in STILL_BOUND for bid in placed)
    return Verdict("keep" if is_bound and listing_status not in NOBODY_WINS_ANY_MORE else "release")
