"""What can go wrong between award and closing."""

from services.kernel.errors import Conflict
from services.kernel.ids import BidId, LineId, ListingId, OrderId
from services.kernel.problem_codes import explain


class AlreadyAwarded(Conflict):
    """The lot is awarded to another bid."""

    code = "already_awarded"

    def __init__(self, listing_id: ListingId) -> None:
        super().__init__(f"The lot {listing_id} is awarded already.")


class NotForSale(Conflict):
    """The listing asks for bids; only an instant one is bought at its price."""

    code = "not_for_sale"

    def __init__(self, listing_id: ListingId) -> None:
        super().__init__(f"{listing_id} asks for bids; only an instant listing is bought at its price.")


class NotAwarded(Conflict):
    """The bid is not awarded, so there is nothing to confirm."""

    code = "not_awarded"

    def __init__(self, bid_id: BidId) -> None:
        super().__init__(f"The bid {bid_id} is not awarded, so there is nothing to confirm.")


class TermsDiffer(Conflict):
    """The buyer confirms the hash of what it has read; these are not the terms it was awarded on."""

    code = "terms_differ"

    def __init__(self, terms_hash: str) -> None:
        super().__init__(f"The terms awarded on have the hash {terms_hash}; read the order and confirm that one.")


class NothingDelivered(Conflict):
    """No delivery of the order waits for a receipt."""

    code = "nothing_delivered"

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(f"No delivery of {order_id} waits for a receipt.")


class NothingToRoute(Conflict):
    """Nothing that was refused still looks for a route."""

    code = "nothing_to_route"

    def __init__(self, line_id: LineId) -> None:
        super().__init__(f"Nothing that was refused of {line_id} still looks for a route.")


explain(
    409,
    payouts_not_active="Whoever would be paid has no active payout account.",
    confirm_window_over="The time to confirm the award is over.",
    confirm_window_open="The award may still be confirmed.",
    already_loaded="Goods are loaded; what is wrong with them is settled at receipt.",
    remainder_without_route="What was refused has no route yet.",
    route_not_ended="What was refused is still on its way.",
    deal_not_settled="The money of the order is not settled.",
    obligation_open="A certificate is owed.",
    dispute_window_open="The dispute window is not over.",
)
explain(
    422,
    line_not_found="The line is not of this order or receipt, or is named twice.",
    line_without_outcome="Every line says what was accepted and what was refused of it.",
    acceptance_exceeds_receipt="More cannot be accepted than arrived.",
    sum_differs="Accepted and refused do not add up to what arrived.",
    reason_required="A refusal says why.",
    evidence_required="A refusal shows it: at least one photo.",
    redirect_required="The route names the next processor and its terms.",
    relist_required="The route relist says how the goods are offered.",
)
