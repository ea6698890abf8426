"""The contract: an order, its lines, and what is owed besides goods and money."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Text, UniqueConstraint, text
from sqlmodel import Field

from services.kernel.ids import (
    AwardId,
    BidId,
    CertificateId,
    ItemId,
    LineId,
    ListingId,
    OrderId,
    OrgId,
    RemainderId,
    SiteId,
)
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Versioned, json_field

STATUSES = (
    "pending_confirmation",
    "confirmed",
    "in_fulfilment",
    "partially_received",
    "received",
    "accepted",
    "partially_accepted",
    "refused",
    "settled",
    "closed",
    "cancelled",
)
ENDED = ("closed", "cancelled")


def listed(values: tuple[str, ...]) -> str:
    """For a CHECK: `'open', 'closed'`."""
    return ", ".join(f"'{value}'" for value in values)


class Order(Versioned, table=True):
    """One award's contract. `terms` are the frozen terms and `terms_hash` the SHA-256 of their canonical JSON.

    The buyer confirms before `confirm_by`. `dispute_ends_at` is known once something is delivered. A child order
    moves a remainder of another: `parent_order_id` and `origin_remainder_id` name whose."""

    __tablename__ = "order"
    __audit_hidden__: ClassVar[frozenset[str]] = frozenset({"parent_order_id", "origin_remainder_id"})
    __table_args__ = (
        CheckConstraint(f"status IN ({listed(STATUSES)})", name="status"),
        CheckConstraint("terms_hash ~ '^[0-9a-f]{64}$'", name="terms_hash"),
        CheckConstraint("seller_id <> buyer_id", name="two_parties"),
        CheckConstraint("(parent_order_id IS NULL) = (origin_remainder_id IS NULL)", name="origin"),
        CheckConstraint("(status = 'cancelled') = (cancel_reason IS NOT NULL)", name="cancelled_for_a_reason"),
    )

    id: OrderId = Field(default_factory=OrderId.new, primary_key=True)
    award_id: AwardId = Field(foreign_key="award.id", unique=True)
    listing_id: ListingId = Field(foreign_key="listing.id", index=True)
    bid_id: BidId = Field(foreign_key="bid.id", index=True)
    seller_id: OrgId = Field(foreign_key="organization.id", index=True)
    buyer_id: OrgId = Field(foreign_key="organization.id", index=True)
    from_site_id: SiteId = Field(foreign_key="site.id")
    to_site_id: SiteId = Field(foreign_key="site.id")
    status: str = "pending_confirmation"
    terms: dict[str, Any] = json_field()
    terms_hash: str
    confirm_by: datetime = Field(sa_type=Instant)
    confirmed_at: datetime | None = Field(default=None, sa_type=Instant)
    dispute_ends_at: datetime | None = Field(default=None, sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
    cancel_reason: str | None = None
    parent_order_id: OrderId | None = Field(default=None, foreign_key="order.id", index=True)
    origin_remainder_id: RemainderId | None = Field(default=None, index=True)
    stops: list[str] = Field(
        default_factory=list, sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))
    )


class OrderLine(Versioned, table=True):
    """One item of the order as it was declared; what was received, accepted and refused of it is summed over its
    receipts."""

    __tablename__ = "order_line"
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        CheckConstraint("quantity >= 1", name="quantity"),
        CheckConstraint("mass_g >= 0", name="mass"),
    )

    id: LineId = Field(default_factory=LineId.new, primary_key=True)
    order_id: OrderId = Field(foreign_key="order.id")
    position: int
    item_id: ItemId = Field(foreign_key="item.id")
    title: str
    quantity: int
    mass_g: int | None = Field(default=None, sa_type=BigInteger)
    waste_code: str | None = None
    un_number: str | None = None
    is_hazardous: bool = False


class Obligation(Versioned, table=True):
    """A certificate owed: by whom, to whom. Fulfilled by a certificate, or waived: by whom it is owed to, or by rule
    where nothing was accepted that it could be about."""

    __tablename__ = "obligation"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'fulfilled', 'waived')", name="status"),
        CheckConstraint("(status = 'fulfilled') = (certificate_id IS NOT NULL)", name="fulfilled_by_a_certificate"),
    )

    order_id: OrderId = Field(foreign_key="order.id", primary_key=True)
    kind: str = Field(primary_key=True)
    owed_by_id: OrgId = Field(foreign_key="organization.id")
    owed_to_id: OrgId = Field(foreign_key="organization.id")
    status: str = "open"
    certificate_id: CertificateId | None = None
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


OBLIGATION = Machine(
    "obligation",
    Transition("fulfil", ("open",), "fulfilled", ("time",), endpoint=False),
    Transition("waive", ("open",), "waived", ("seller", "time"), endpoint=False),
)
