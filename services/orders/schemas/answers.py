"""What orders and receipts answer."""

from typing import Annotated, Any

from pydantic import Field

from services.kernel import states
from services.kernel.http.expanding import Expandable
from services.kernel.http.schemas import Response, Transitions, UtcDatetime, told
from services.kernel.ids import (
    AwardId,
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
from services.kernel.pagination import Page
from services.kernel.quantities import Mass
from services.orders.models import (
    ORDER,
    RECEIPT,
    Obligation,
    OrderLine,
    Receipt,
    ReceiptFacts,
    ReceiptLine,
    Remainder,
)
from services.orders.overview import Overview
from services.orders.pricing import Measured
from services.orders.receiving import Totals
from services.orders.terms import Terms


class QuantityAnswer(Response):
    """Pieces, and mass where it was weighed."""

    quantity: int
    mass: Mass

    @classmethod
    def of(cls, measured: Measured) -> "QuantityAnswer":
        return cls(quantity=measured.quantity, mass=Mass(measured.mass_g))


class OrderLineAnswer(Response):
    """`quantity` and `mass` as declared; the rest is summed over receipts. `missing` and `excess` compare what was
    received with what was declared."""

    id: LineId
    item_id: ItemId
    title: str
    quantity: int
    mass: Mass | None
    waste_code: str | None
    un_number: str | None
    is_hazardous: bool
    received: QuantityAnswer
    accepted: QuantityAnswer
    refused: QuantityAnswer
    missing: QuantityAnswer
    excess: QuantityAnswer

    @classmethod
    def of(cls, line: OrderLine, totals: Totals) -> "OrderLineAnswer":
        declared, received = Measured(line.quantity, line.mass_g or 0), totals.received
        return cls(
            id=line.id,
            item_id=line.item_id,
            title=line.title,
            quantity=line.quantity,
            mass=None if line.mass_g is None else Mass(line.mass_g),
            waste_code=line.waste_code,
            un_number=line.un_number,
            is_hazardous=line.is_hazardous,
            received=QuantityAnswer.of(received),
            accepted=QuantityAnswer.of(totals.accepted),
            refused=QuantityAnswer.of(totals.refused),
            missing=QuantityAnswer.of(declared.beyond(received)),
            excess=QuantityAnswer.of(received.beyond(declared)),
        )


class RemainderAnswer(Response):
    """A refused quantity. `value` goes back to the payer when the refusal is acknowledged, at the latest at
    `acknowledge_by`."""

    id: RemainderId
    receipt_id: ReceiptId
    line_id: LineId
    quantity: int
    mass: Mass
    value: Money
    status: Annotated[str, Field(description="open, routed or ended")]
    acknowledge_by: UtcDatetime
    acknowledged_at: UtcDatetime | None
    route: Annotated[str | None, Field(description="return, redirect, relist or dispose")]
    listing_id: ListingId | None
    pickup_id: PickupId | None

    @classmethod
    def of(cls, remainder: Remainder) -> "RemainderAnswer":
        known = {name: getattr(remainder, name) for name in cls.model_fields if name != "mass"}
        return cls(**known, mass=Mass(remainder.mass_g))


class ObligationAnswer(Response):
    """A certificate owed by one side to the other."""

    kind: str
    owed_by_id: OrgId
    owed_to_id: OrgId
    status: Annotated[str, Field(description="open, fulfilled or waived")]
    certificate_id: CertificateId | None
    ended_at: UtcDatetime | None

    @classmethod
    def of(cls, owed: Obligation) -> "ObligationAnswer":
        return cls.model_validate(owed, from_attributes=True)


class OrderAnswer(Expandable, Transitions):
    """An order. `terms_hash` is the SHA-256 of the canonical JSON (RFC 8785) of `terms` as answered here, in
    hexadecimal."""

    expandable = ("listing", "bid")

    id: OrderId
    award_id: AwardId
    listing_id: ListingId
    bid_id: BidId
    seller_id: OrgId
    buyer_id: OrgId
    from_site_id: SiteId
    to_site_id: SiteId
    status: Annotated[
        str,
        Field(
            description="pending_confirmation, confirmed, in_fulfilment, partially_received, received, accepted,"
            " partially_accepted, refused, settled, closed or cancelled"
        ),
    ]
    terms: Terms
    terms_hash: str
    confirm_by: UtcDatetime
    confirmed_at: UtcDatetime | None
    dispute_ends_at: UtcDatetime | None
    closed_at: UtcDatetime | None
    cancel_reason: str | None
    parent_order_id: Annotated[
        OrderId | None, Field(description="Whose remainder this order moves; told to the seller")
    ]
    origin_remainder_id: RemainderId | None
    lines: list[OrderLineAnswer]
    receipt_ids: list[ReceiptId]
    remainders: list[RemainderAnswer]
    obligations: list[ObligationAnswer]
    livemode: bool
    created_at: UtcDatetime
    version: int

    @classmethod
    def of(cls, view: Overview, roles: frozenset[str]) -> "OrderAnswer":
        order = view.order
        sees_origin = bool(roles & {"seller", "operator"})
        derived = {
            "parent_order_id": order.parent_order_id if sees_origin else None,
            "origin_remainder_id": order.origin_remainder_id if sees_origin else None,
            "lines": [OrderLineAnswer.of(line, totals) for line, totals in view.lines],
            "receipt_ids": [receipt.id for receipt in view.receipts],
            "remainders": [RemainderAnswer.of(one) for one in view.remainders],
            "obligations": [ObligationAnswer.of(one) for one in view.obligations],
            "expanded": None,
            **told(states.choices(ORDER, order, by=roles, facts=view.facts)),
        }
        columns = {name: getattr(order, name) for name in cls.model_fields if name not in derived}
        return cls.model_validate(columns | derived)


class OrderPage(Page[OrderAnswer]):
    """Orders, newest first."""


class FlagAnswer(Response):
    """What is off the agreement; a receipt is a fact and never refused for it."""

    code: str
    detail: str


class ReceiptLineAnswer(Response):
    """`accepted` and `refused` are null until the receipt is inspected."""

    line_id: LineId
    received: QuantityAnswer
    accepted: QuantityAnswer | None
    refused: QuantityAnswer | None
    reason: str | None
    note: str | None
    evidence: list[dict[str, Any]]

    @classmethod
    def of(cls, line: ReceiptLine) -> "ReceiptLineAnswer":
        return cls(
            line_id=line.line_id,
            received=QuantityAnswer.of(Measured(line.received_quantity, line.received_g)),
            accepted=_judged(line.accepted_quantity, line.accepted_g),
            refused=_judged(line.refused_quantity, line.refused_g),
            reason=line.reason,
            note=line.note,
            evidence=line.evidence,
        )


def _judged(quantity: int | None, mass_g: int | None) -> QuantityAnswer | None:
    return None if quantity is None or mass_g is None else QuantityAnswer.of(Measured(quantity, mass_g))


class MeasurementAnswer(Response):
    """How the masses were found."""

    method: str
    instrument: str | None = None
    ticket: str | None = None
    gross: Mass | None = None
    tare: Mass | None = None
    packaging: Mass | None = None

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "MeasurementAnswer":
        masses = {name: stored.get(f"{name}_g") for name in ("gross", "tare", "packaging")}
        return cls(
            method=stored["method"],
            instrument=stored.get("instrument"),
            ticket=stored.get("ticket"),
            **{name: None if grams is None else Mass(grams) for name, grams in masses.items()},
        )


class ReceiptAnswer(Expandable, Transitions):
    """What arrived in one delivery. Without an inspection before `inspect_by` everything counts as accepted."""

    expandable = ("order",)

    id: ReceiptId
    order_id: OrderId
    pickup_id: PickupId
    site_id: SiteId
    status: Annotated[str, Field(description="received or inspected")]
    measurement: MeasurementAnswer
    flags: list[FlagAnswer]
    inspect_by: UtcDatetime
    inspected_at: UtcDatetime | None
    lines: list[ReceiptLineAnswer]
    livemode: bool
    created_at: UtcDatetime
    version: int

    @classmethod
    def of(cls, receipt: Receipt, lines: list[ReceiptLine], roles: frozenset[str]) -> "ReceiptAnswer":
        derived = {
            "measurement": MeasurementAnswer.of(receipt.measurement),
            "lines": [ReceiptLineAnswer.of(line) for line in lines],
            "expanded": None,
            **told(states.choices(RECEIPT, receipt, by=roles, facts=ReceiptFacts())),
        }
        columns = {name: getattr(receipt, name) for name in cls.model_fields if name not in derived}
        return cls.model_validate(columns | derived)


class ReceiptPage(Page[ReceiptAnswer]):
    """Receipts, newest first."""
