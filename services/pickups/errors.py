"""What can go wrong with a pickup."""

from services.kernel.errors import Conflict


class OfferNotOpen(Conflict):
    code = "offer_not_open"

    def __init__(self, offer_id: str, status: str) -> None:
        super().__init__(f"The offer {offer_id} is not open any more: it is {status}.")


class ContentDiffers(Conflict):
    code = "content_differs"

    def __init__(self, content_hash: str) -> None:
        super().__init__(f"The other side signed the content {content_hash}; read it and sign exactly that.")


class AlreadySigned(Conflict):
    code = "already_signed"

    def __init__(self) -> None:
        super().__init__("Your organization has signed this content; it waits for the other side.")


class NothingToCountersign(Conflict):
    code = "nothing_to_countersign"

    def __init__(self) -> None:
        super().__init__("Nobody has signed here yet; send lines and measurement, and the other side countersigns.")
