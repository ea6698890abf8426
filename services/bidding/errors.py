"""What can go wrong with a bid."""

from datetime import UTC, datetime

from services.kernel.errors import Conflict, Detail, Forbidden, Invalid, Problem
from services.kernel.money import Money
from services.kernel.problem_codes import explain


def _told(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


class NotAProcessor(Forbidden):
    """Only a verified repairer, remanufacturer or recycler bids: who bids commits to what becomes of the goods."""

    code = "not_a_processor"

    def __init__(self) -> None:
        super().__init__("Only a verified repairer, remanufacturer or recycler bids.")


class NotTheSeller(Forbidden):
    """How bids rank is the seller's to read."""

    code = "not_the_seller"

    def __init__(self) -> None:
        super().__init__("Only the seller of the listing reads how its bids rank.")


class OwnListing(Conflict):
    """Nobody bids for its own goods, nor under another name with the same VAT id or bank account."""

    code = "own_listing"

    def __init__(self) -> None:
        super().__init__("Nobody bids for its own goods.")


class BiddingNotOpen(Conflict):
    """Bidding for this listing has not begun."""

    code = "bidding_not_open"

    def __init__(self, listing_id: str) -> None:
        super().__init__(f"Bidding for {listing_id} has not begun.")


class BiddingHasClosed(Conflict):
    """Bidding was over when the bid was received. `errors` hold both instants, so that a bidder can see by how much it came
    late."""

    code = "bidding_has_closed"

    def __init__(self, listing_id: str, *, received_at: datetime, ended_at: datetime | None) -> None:
        told = [Detail("", "received_at", _told(received_at))]
        if ended_at is not None:
            told.append(Detail("", "ended_at", _told(ended_at)))
        super().__init__(f"Bidding for {listing_id} was over when the bid was received.", errors=told)


class BidTooLow(Conflict):
    """In a timed listing a bid must beat the price that stands by the increment, and the leader's own must raise its limit; an
    instant one is sold at its price."""

    code = "bid_too_low"

    def __init__(self, leading: str, least: str | None = None) -> None:
        told = f"The leading price is {leading}; a bid names {least} or better, and whoever leads a higher limit."
        super().__init__(told if least is not None else f"The listing is sold at {leading}.")


class DepositRequired(Conflict):
    """The listing asks processors that are new here for a deposit before it takes their bids."""

    code = "deposit_required"

    def __init__(self, amount: Money) -> None:
        super().__init__(f"Leave a deposit of {amount} for this listing first: POST /v1/deposits.")


class DepositNotAsked(Conflict):
    """The listing asks nobody for a deposit."""

    code = "deposit_not_asked"

    def __init__(self, listing_id: str) -> None:
        super().__init__(f"{listing_id} asks nobody for a deposit.")


class DepositNotNeeded(Conflict):
    """The processor has bought an order that was settled: its word is enough."""

    code = "deposit_not_needed"

    def __init__(self) -> None:
        super().__init__("An order of yours has been settled: your bids are taken without a deposit.")


class TooManyStreams(Problem):
    """The organization watches as many listings as one may at a time; end one of the streams."""

    status = 429
    code = "too_many_streams"
    title = "Too many streams"

    def __init__(self, most: int) -> None:
        super().__init__(f"An organization has {most} streams at a time.", headers={"Retry-After": "15"})


class StillOpen(Conflict):
    """Bids are ranked and awarded after the close; only those of a negotiated listing before."""

    code = "still_open"

    def __init__(self) -> None:
        super().__init__("Bids are ranked after the close; only those of a negotiated listing before.")


class BidDoesNotFit(Invalid):
    """The bid is not one for this listing; where just one thing is wrong, its code is the problem's."""

    def __init__(self, *errors: Detail) -> None:
        super().__init__(*errors)
        if len({error.code for error in errors}) == 1:
            self.code = errors[0].code


explain(
    409,
    bid_is_leading="The leading bid of a timed listing stands.",
    listing_has_ended="The listing is not offered any more.",
    received_at="Beside `bidding_has_closed`: the instant at which our clock received the bid.",
    ended_at="Beside `bidding_has_closed`: the instant at which bidding ended.",
    not_negotiated="Only bids for a negotiated listing are answered by counter-offers.",
    not_your_turn="The last word is the caller's own; the other side answers.",
    counter_has_expired="The other side is no longer bound by its counter-offer.",
    bid_has_expired="The bidder is no longer bound: `valid_until` is over.",
)
explain(
    422,
    disposition_not_in_recall="Recalled goods go where their campaign says.",
    sold_as_a_whole="The listing is sold as a whole.",
    sold_by_item="The listing is sold by item: each as a whole.",
    more_than_offered="More is bid for than is offered.",
    below_min_quantity="Less is bid for than the seller parts with.",
    units_sold_whole="Goods with serial numbers or rows of their own are sold as a whole item.",
    goods_not_divisible="A part would weigh nothing.",
    site_not_yours="The goods go to a site of the bidder's.",
    price_differs="An instant listing is sold at its price, and not above it.",
    price_unit_differs="The bid is priced in another unit than the listing.",
    disposition_below_floor="The holder asks for a higher rung of the waste hierarchy than this bid promises.",
    haulage_does_not_fit="The field belongs to a bid on the other haulage basis.",
    bid_above_limit="The price it bids by itself is not above the order's own limit.",
    limit_needs_timed="Only bids for a timed listing are raised, so only they have a limit.",
    limit_below_price="The limit is worse for the seller than the price.",
    ends_too_early="A bid binds beyond the end of the bidding.",
)
