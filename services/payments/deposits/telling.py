"""What deposits tell: to their bidder alone, for a seller of sealed lots must not learn who means to bid. A forfeited one is
the seller's."""

from collections.abc import Callable
from typing import Any

from services.kernel.events import Event
from services.kernel.states import Moved
from services.kernel.unit_of_work import UnitOfWork
from services.payments.models import Deposit


def tell(
    work: UnitOfWork, deposit: Deposit, event: Callable[..., Event], moved: Moved | None = None, **more: Any
) -> None:
    told = event(
        deposit_id=deposit.id,
        listing_id=deposit.listing_id,
        bidder_id=deposit.bidder_id,
        amount=deposit.amount,
        **more,
    )
    audience = {deposit.bidder_id: "bidder"}
    if deposit.status == "forfeited":
        audience[deposit.seller_id] = "seller"
    work.emit(told, subject=deposit.id, audience=audience, moved=moved)
