"""What orders tell. Seller and buyer hear it; carriers hear nothing of orders. Masses are grams."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from services.kernel.events import Event
from services.kernel.ids import (
    BidId,
    CertificateId,
    ItemId,
    LineId,
    ListingId,
    OrderId,
    OrgId,
    PickupId,
    ReceiptId,
    RemainderId,
    SiteId,
)
from services.kernel.money import Money

_ORIGIN_IS_THE_SELLERS: dict[str, set[str]] = {"buyer": {"parent_order_id", "origin_remainder_id"}}
"""Who takes a remainder does not learn whose order it comes from."""


class Flag(BaseModel):
    """What the agreement has against a fact that happened all the same."""

    model_config = ConfigDict(frozen=True)

    code: str
    detail: str


class ReceivedLine(BaseModel):
    """What arrived of a line in this delivery, beside what was declared."""

    model_config = ConfigDict(frozen=True)

    line_id: LineId
    title: str
    declared_g: int | None
    received_g: int
    quantity: int


class OutcomeLine(BaseModel):
    """What became of a line over all receipts."""

    model_config = ConfigDict(frozen=True)

    line_id: LineId
    title: str
    received_g: int
    accepted_g: int
    refused_g: int
    accepted_quantity: int
    refused_quantity: int


class InspectedLine(BaseModel):
    """What was accepted and refused of a line in this receipt; `reason` only where something was refused."""

    model_config = ConfigDict(frozen=True)

    line_id: LineId
    item_id: ItemId
    title: str
    waste_code: str | None
    received_g: int
    accepted_g: int
    refused_g: int
    received_quantity: int
    accepted_quantity: int
    refused_quantity: int
    reason: str | None


class _OfOrder(BaseModel):
    order_id: OrderId
    listing_id: ListingId
    seller_id: OrgId
    buyer_id: OrgId


class _Agreed(_OfOrder):
    bid_id: BidId
    price: Money
    price_unit: str
    terms_hash: str
    parent_order_id: OrderId | None
    origin_remainder_id: RemainderId | None


class OrderCreated(_Agreed, Event, type="order.created", hidden=_ORIGIN_IS_THE_SELLERS):
    """A bid was awarded; the buyer confirms the terms before `confirm_by`."""

    confirm_by: datetime


class OrderConfirmed(_Agreed, Event, type="order.confirmed", hidden=_ORIGIN_IS_THE_SELLERS):
    """Both sides have accepted the same terms."""


class OrderStarted(_OfOrder, Event, type="order.started"):
    """The first goods are loaded."""

    pickup_id: PickupId | None


class _Arrived(_OfOrder):
    receipt_id: ReceiptId
    pickup_id: PickupId
    inspect_by: datetime
    lines: list[ReceivedLine]
    flags: list[Flag]


class OrderPartiallyReceived(_Arrived, Event, type="order.partially_received"):
    """A delivery has arrived; others are to come."""


class OrderReceived(_Arrived, Event, type="order.received"):
    """Every delivery has arrived."""


class ReceiptInspected(Event, type="receipt.inspected"):
    """Every line of a receipt has its outcome. `accepted` and `contested` are net and signed as the price."""

    receipt_id: ReceiptId
    order_id: OrderId
    pickup_id: PickupId
    seller_id: OrgId
    buyer_id: OrgId
    site_id: SiteId
    lines: list[InspectedLine]
    accepted: Money
    contested: Money


class _Concluded(_OfOrder):
    lines: list[OutcomeLine]


class OrderAccepted(_Concluded, Event, type="order.accepted"):
    """Everything that arrived was accepted."""


class OrderPartiallyAccepted(_Concluded, Event, type="order.partially_accepted"):
    """Part of what arrived was refused; each refused quantity looks for its route."""


class OrderRefused(_Concluded, Event, type="order.refused"):
    """Nothing of what arrived was accepted."""


class OrderRemainderRouted(_OfOrder, Event, type="order.remainder_routed"):
    """A refused quantity has its route: a listing for another processor, or the movement that takes it back."""

    remainder_id: RemainderId
    line_id: LineId
    route: str
    mass_g: int
    quantity: int
    offered_as: ListingId | None
    pickup_id: PickupId | None


class OrderSettled(_OfOrder, Event, type="order.settled"):
    """Its money has found its way."""


class OrderClosed(_OfOrder, Event, type="order.closed"):
    """Nothing is open any more."""


class OrderCancelled(_OfOrder, Event, type="order.cancelled"):
    """Nothing was loaded, and nothing will be. `reason` not_confirmed: the confirm window passed."""

    bid_id: BidId
    reason: str


class _OfObligation(BaseModel):
    order_id: OrderId
    kind: str
    owed_by_id: OrgId
    owed_to_id: OrgId


class ObligationFulfilled(_OfObligation, Event, type="obligation.fulfilled"):
    """The certificate that was owed is issued."""

    certificate_id: CertificateId


class ObligationWaived(_OfObligation, Event, type="obligation.waived"):
    """Nothing was accepted that a certificate could be about."""
