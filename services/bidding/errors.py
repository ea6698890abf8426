"""What can go wrong with a bid."""

from datetime import UTC, datetime

from services.kernel.errors import Conflict, Detail, Forbidden, Invalid


def _told(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


class NotAProcessor(Forbidden):
    """Who bids commits to what becomes of the goods."""

    code = "not_a_processor"

    def __init__(self) -> None:
        super().__init__("Only a verified repairer, remanufacturer or recycler bids.")


class NotTheSeller(Forbidden):
    code = "not_the_seller"

    def __init__(self) -> None:
        super().__init__("Only the seller of the listing reads how its bids rank.")


class OwnListing(Conflict):
    code = "own_listing"

    def __init__(self) -> None:
        super().__init__("Nobody bids for its own goods.")


class BiddingNotOpen(Conflict):
    code = "bidding_not_open"

    def __init__(self, listing_id: str) -> None:
        super().__init__(f"Bidding for {listing_id} has not begun.")


class BiddingHasClosed(Conflict):
    """`errors` hold both instants, so that a bidder can see by how much it came late."""

    code = "bidding_has_closed"

    def __init__(self, listing_id: str, *, received_at: datetime, ended_at: datetime | None) -> None:
        told = [Detail("", "received_at", _told(received_at))]
        if ended_at is not None:
            told.append(Detail("", "ended_at", _told(ended_at)))
        super().__init__(f"Bidding for {listing_id} was over when the bid was received.", errors=told)


class BidTooLow(Conflict):
    code = "bid_too_low"

    def __init__(self, leading: str) -> None:
        super().__init__(f"The leading price is {leading}; a bid must be better for the seller.")


class StillOpen(Conflict):
    code = "still_open"

    def __init__(self) -> None:
        super().__init__("Bids are ranked after the close; only those of a negotiated listing before.")


class BidDoesNotFit(Invalid):
    """The bid is not one for this listing; where just one thing is wrong, its code is the problem's."""

    def __init__(self, *errors: Detail) -> None:
        super().__init__(*errors)
        if len({error.code for error in errors}) == 1:
            self.code = errors[0].code
