"""Who may move a bid from where to where, and what forbids it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.bidding.models.bids import LIVE, Bid
from services.kernel.errors import Reason
from services.kernel.money import Money
from services.kernel.states import Machine, Transition
from services.listings.models.listings import ENDED_WITHOUT_AWARD


@dataclass(frozen=True)
class BidFacts:
    """What a verb has looked up for a decision at `now`. `is_over`: bids for the listing are no longer taken. `is_leading` and
    `leading_price` are told of timed listings only. `has_other_award`: the listing is awarded to another bid."""

    now: datetime
    mode: str
    listing_status: str
    is_over: bool
    is_leading: bool = False
    has_other_award: bool = False
    leading_price: Money | None = None


def _is_revocable(bid: Bid, facts: BidFacts) -> Iterable[Reason]:
    if facts.mode != "timed" and facts.is_over:
        yield Reason("bidding_has_closed", "A bid stands once bidding is over.")
    if facts.mode == "timed" and facts.is_leading:
        yield Reason("bid_is_leading", "The leading bid of a timed listing stands.")


def _bidding_is_over(bid: Bid, facts: BidFacts) -> Iterable[Reason]:
    if facts.mode != "negotiated" and facts.listing_status in ("scheduled", "open"):
        yield Reason("still_open", "Bids are awarded after the close; only a negotiated listing is awarded while open.")
    if facts.listing_status in ENDED_WITHOUT_AWARD:
        yield Reason("listing_has_ended", f"The listing is {facts.listing_status}.")


def _is_the_only_award(bid: Bid, facts: BidFacts) -> Iterable[Reason]:
    if facts.has_other_award:
        yield Reason("already_awarded", "The lot is awarded to another bid.")


def _is_valid(bid: Bid, facts: BidFacts) -> Iterable[Reason]:
    if bid.valid_until is not None and bid.valid_until < facts.now:
        yield Reason("bid_has_expired", "The bidder is no longer bound.")


BID = Machine(
    "bid",
    Transition("admit", ("submitted",), "active", ("time",), endpoint=False),
    Transition("award", ("active",), "awarded", ("seller", "time"), (_bidding_is_over, _is_the_only_award, _is_valid)),
    Transition("confirm", ("awarded",), "confirmed", ("buyer",)),
    Transition("time_out", ("awarded",), "timed_out", ("time",), endpoint=False),
    Transition("withdraw", LIVE, "withdrawn", ("buyer",), (_is_revocable,)),
    Transition("supersede", LIVE, "withdrawn", ("buyer",), endpoint=False),
    Transition("lose", LIVE, "lost", ("time",), endpoint=False),
    Transition("expire", LIVE, "expired", ("time",), endpoint=False),
)
"""Raising, countering, shortlisting, disqualifying and defaulting come with their own rows. `award` and `confirm` are called
by the orders."""
