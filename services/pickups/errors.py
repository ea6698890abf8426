"""What can go wrong with a pickup."""

from services.kernel.errors import Conflict
from services.kernel.problem_codes import explain


class OfferNotOpen(Conflict):
    """The offer is not open any more: somebody else has the job, it was withdrawn, or its time is over."""

    code = "offer_not_open"

    def __init__(self, offer_id: str, status: str) -> None:
        super().__init__(f"The offer {offer_id} is not open any more: it is {status}.")


class ContentDiffers(Conflict):
    """The other side signed another content; read it and sign exactly that."""

    code = "content_differs"

    def __init__(self, content_hash: str) -> None:
        super().__init__(f"The other side signed the content {content_hash}; read it and sign exactly that.")


class AlreadySigned(Conflict):
    """Your organization has signed this content; it waits for the other side."""

    code = "already_signed"

    def __init__(self) -> None:
        super().__init__("Your organization has signed this content; it waits for the other side.")


class NothingToCountersign(Conflict):
    """Nobody has signed here yet; whoever signs first sends lines and measurement."""

    code = "nothing_to_countersign"

    def __init__(self) -> None:
        super().__init__("Nobody has signed here yet; send lines and measurement, and the other side countersigns.")


explain(
    409,
    photos_required="Hazardous goods change hands with a photo.",
    quantity_reason_required="A quantity that differs from the agreed one has a reason.",
    carrier_is_owner="The owner of the job hauls it itself without an offer.",
    not_a_carrier="The organization is not a carrier.",
    price_above_ceiling="The price is more than was agreed for the haulage.",
    window_is_past="The access window is over before it is planned.",
    slot_has_begun="The slot has begun and cannot be given back.",
    money_not_held="The order's money is not held yet.",
    slot_not_booked="No dock slot is booked.",
    slot_in_the_past="The slot has begun already.",
    slot_taken="The dock is booked in that time.",
    handover_missing="A handover is not signed by both sides.",
    ticket_missing="A ticket of the scale is missing.",
)
explain(
    422,
    lines_differ="Every line of the job is named once.",
    masses_do_not_sum="The masses of the lines add up to the net weight.",
    carrier_unknown="There is no such organization.",
    carrier_twice="A carrier is asked once.",
    member_unknown="The carrier has no such member.",
    not_the_pickup_site="The goods lie at another site.",
    dock_unknown="The site has fewer docks.",
    ends_before_start="What ends has begun before.",
)
