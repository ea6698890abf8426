"""What can go wrong between award and closing."""

from services.kernel.errors import Conflict
from services.kernel.ids import BidId, LineId, ListingId, OrderId


class AlreadyAwarded(Conflict):
    code = "already_awarded"

    def __init__(self, listing_id: ListingId) -> None:
        super().__init__(f"The lot {listing_id} is awarded already.")


class NotAwarded(Conflict):
    code = "not_awarded"

    def __init__(self, bid_id: BidId) -> None:
        super().__init__(f"The bid {bid_id} is not awarded, so there is nothing to confirm.")


class TermsDiffer(Conflict):
    """The buyer confirms the hash of what it has read; these are not the terms it was awarded on."""

    code = "terms_differ"

    def __init__(self, terms_hash: str) -> None:
        super().__init__(f"The terms awarded on have the hash {terms_hash}; read the order and confirm that one.")


class NothingDelivered(Conflict):
    code = "nothing_delivered"

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(f"No delivery of {order_id} waits for a receipt.")


class NothingToRoute(Conflict):
    code = "nothing_to_route"

    def __init__(self, line_id: LineId) -> None:
        super().__init__(f"Nothing that was refused of {line_id} still looks for a route.")
