"""Who may move a bid from where to where, and what forbids it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.bidding.models.bids import LIVE, Bid
from services.bidding.models.counters import Counter
from services.kernel.errors import Reason
from services.kernel.money import Money
from services.kernel.states import Machine, Transition
from services.listings.models.listings import AWARDED_WHILE_OPEN, ENDED_WITHOUT_AWARD


@dataclass(frozen=True)
class BidFacts:
    """What a verb has looked up for a decision at `now`. `is_over`: bids for the listing are no longer taken. `is_leading` and
    `leading_price` are told of timed listings only. `has_other_award`: what the bid is for is awarded to another, all or in
    part. `counter` is the one on the table, of a countered bid alone; `part` who would move, where that is known."""

    now: datetime
    mode: str
    listing_status: str
    is_over: bool
    is_leading: bool = False
    has_other_award: bool = False
    leading_price: Money | None = None
    counter: Counter | None = None
    part: str = ""

    @property
    def moved_last(self) -> str:
        """Whose word is on the table: a bid as it was placed is the buyer's."""
        return self.counter.side if self.counter is not None else "buyer"


def _is_revocable(bid: Bid, facts: BidFacts) -> Iterable[Reason]:
    if facts.mode != "timed" and facts.is_over:
        yield Reason("bidding_has_closed", "A bid stands once bidding is over.")
    if facts.mode == "timed" and facts.is_leading:
        yield Reason("bid_is_leading", "The leading bid of a timed listing stands.")


def _bidding_is_over(bid: Bid, facts: BidFacts) -> Iterable[Reason]:
    if facts.mode not in AWARDED_WHILE_OPEN and facts.listing_status in ("scheduled", "open"):
        yield Reason("still_open", "Bids are awarded after the close; only a negotiated listing is awarded while open.")
    if facts.listing_status in ENDED_WITHOUT_AWARD:
        yield Reason("listing_has_ended", f"The listing is {facts.listing_status}.")


def _is_the_only_award(bid: Bid, facts: BidFacts) -> Iterable[Reason]:
    if facts.has_other_award:
        yield Reason("already_awarded", "What the bid is for is awarded to another, all or in part.")


def _is_negotiated(bid: Bid, facts: BidFacts) -> Iterable[Reason]:
    if facts.mode != "negotiated":
        yield Reason("not_negotiated", "Only bids for a negotiated listing are answered by counter-offers.")
    elif facts.is_over:
        yield Reason("bidding_has_closed", "Bidding is over; what is on the table may still be accepted.")


def _is_their_turn(bid: Bid, facts: BidFacts) -> Iterable[Reason]:
    if facts.part == facts.moved_last:
        yield Reason("not_your_turn", "The last word is yours; the other side answers.")


def _counter_is_valid(bid: Bid, facts: BidFacts) -> Iterable[Reason]:
    ends_at = facts.counter.expires_at if facts.counter is not None else None
    if ends_at is not None and ends_at < facts.now:
        yield Reason("counter_has_expired", "The other side is no longer bound by its counter-offer.")


def _is_valid(bid: Bid, facts: BidFacts) -> Iterable[Reason]:
    if bid.valid_until is not None and bid.valid_until < facts.now:
        yield Reason("bid_has_expired", "The bidder is no longer bound.")


BID = Machine(
    "bid",
    Transition("admit", ("submitted",), "active", ("time",), endpoint=False),
    Transition("award", ("active",), "awarded", ("seller", "time"), (_bidding_is_over, _is_the_only_award, _is_valid)),
    Transition("counter", ("active", "countered"), "countered", ("seller", "buyer"), (_is_negotiated, _is_their_turn)),
    Transition(
        "accept_counter",
        ("countered",),
        "awarded",
        ("seller", "buyer"),
        (_is_their_turn, _counter_is_valid, _bidding_is_over, _is_the_only_award, _is_valid),
    ),
    Transition("lapse", ("countered",), "active", ("time",), endpoint=False, despite_stops=True),
    Transition("confirm", ("awarded",), "confirmed", ("buyer",)),
    Transition("time_out", ("awarded",), "timed_out", ("time",), endpoint=False, despite_stops=True),
    Transition("withdraw", LIVE, "withdrawn", ("buyer",), (_is_revocable,), despite_stops=True),
    Transition("supersede", LIVE, "withdrawn", ("buyer",), endpoint=False, despite_stops=True),
    Transition("lose", LIVE, "lost", ("time",), endpoint=False, despite_stops=True),
    Transition("expire", LIVE, "expired", ("time",), endpoint=False, despite_stops=True),
)
"""Raising, shortlisting, disqualifying and defaulting come with their own rows. `award`, `accept_counter` and `confirm` are called
by the orders; who accepts a counter confirms in the same breath. A counter that lapses leaves the bid as it was placed."""
