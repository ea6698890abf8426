"""What bids tell. The bidder hears of its own; the seller of those it may read."""

from datetime import datetime

from pydantic import BaseModel

from services.kernel.events import Event
from services.kernel.ids import BidId, CounterId, ListingId, OrgId
from services.kernel.money import Money


class BidFact(BaseModel):
    """What every event of a bid carries. `price` is signed: below zero the seller pays; null while the bid is sealed."""

    bid_id: BidId
    listing_id: ListingId
    bidder_id: OrgId
    price: Money | None
    price_unit: str
    haulage_basis: str
    disposition: str


class BidPlaced(BidFact, Event, type="bid.placed"):
    """A processor has promised to take the lot; `received_at` is the instant by which it counts."""

    received_at: datetime


class BidAdmitted(BidFact, Event, type="bid.admitted"):
    """It stands, until it is withdrawn, lost or awarded."""


class BidMetPrice(BidFact, Event, type="bid.met_price"):
    """It takes an instant listing at its price; who came first has it."""


class BidCountered(BidFact, Event, type="bid.countered"):
    """One side would take it on other figures: `side` is seller or buyer, `offered` its signed price, `haulage` the ceiling of a
    bid FCA or the quote of one DAP. `price` is still what the bid promised. The other side accepts or counters."""

    counter_id: CounterId
    number: int
    side: str
    offered: Money
    haulage: Money | None
    note: str | None
    expires_at: datetime | None


class CounterLapsed(BidFact, Event, type="bid.counter_lapsed"):
    """Nobody accepted the counter in its time: the bid stands as it was placed."""

    counter_id: CounterId


class BidAwarded(BidFact, Event, type="bid.awarded"):
    """It has won; the bidder confirms the terms."""


class BidConfirmed(BidFact, Event, type="bid.confirmed"):
    """The winner has accepted the terms; every other bid is lost that nothing is left for."""


class BidTimedOut(BidFact, Event, type="bid.timed_out"):
    """The bidder did not confirm in time."""


class BidLost(BidFact, Event, type="bid.lost"):
    """`reason` is another_bid_confirmed, remainder_relisted (nothing of what it was for is left), listing_ended or unreadable: what
    was sealed could not be opened."""

    reason: str


class BidWithdrawn(BidFact, Event, type="bid.withdrawn"):
    """`reason` is withdrawn, or superseded by a new bid of the same bidder."""

    reason: str


class BidExpired(BidFact, Event, type="bid.expired"):
    """The bidder is no longer bound: `valid_until` is over."""
