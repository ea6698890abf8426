"""How orders become events: the fields every event of theirs carries, and who hears them."""

from collections.abc import Iterable
from typing import Any

from services.kernel.errors import Reason
from services.kernel.events import Event
from services.kernel.states import Moved
from services.kernel.unit_of_work import UnitOfWork
from services.orders import policy
from services.orders.events import Flag
from services.orders.models import Order
from services.orders.terms import Terms


def about(order: Order) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "listing_id": order.listing_id,
        "seller_id": order.seller_id,
        "buyer_id": order.buyer_id,
    }


def agreed(order: Order, terms: Terms) -> dict[str, Any]:
    return {
        **about(order),
        "bid_id": order.bid_id,
        "price": terms.price,
        "price_unit": terms.price_unit,
        "terms_hash": order.terms_hash,
        "parent_order_id": order.parent_order_id,
        "origin_remainder_id": order.origin_remainder_id,
    }


def flags(reasons: Iterable[Reason]) -> list[Flag]:
    return [Flag(code=reason.code, detail=reason.detail) for reason in reasons]


def tell(
    work: UnitOfWork, order: Order, event: Event, moved: Moved | None = None, *, subject: str | None = None
) -> None:
    work.emit(event, subject=subject or order.id, audience=policy.audience(order), moved=moved)
