"""What arrived, and what the receiver said to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlmodel import Field

from services.kernel.errors import Reason
from services.kernel.ids import LineId, OrderId, PickupId, ReceiptId, SiteId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Row, Versioned, json_field


class ExpectedDelivery(Row, table=True):
    """A pickup was delivered: its receipt is expected. `lines` are [{line_id, quantity, mass_g}] as both sides
    signed them."""

    __tablename__ = "expected_delivery"

    pickup_id: PickupId = Field(foreign_key="pickup_job.id", primary_key=True)
    order_id: OrderId = Field(foreign_key="order.id", index=True)
    lines: list[dict[str, Any]] = json_field()
    measurement: dict[str, Any] = json_field()
    delivered_at: datetime = Field(sa_type=Instant)


class Receipt(Versioned, table=True):
    """What arrived in one delivery: a fact, not an approval. Without an inspection before `inspect_by` everything
    counts as accepted. `measurement` says how the masses were found, `flags` [{code, detail}] what was off the
    agreement by then."""

    __tablename__ = "receipt"
    __table_args__ = (
        CheckConstraint("status IN ('received', 'inspected')", name="status"),
        CheckConstraint("(status = 'inspected') = (inspected_at IS NOT NULL)", name="inspected_at"),
        CheckConstraint("(inspected_at IS NULL) = (inspected_by IS NULL)", name="inspected_by"),
    )

    id: ReceiptId = Field(default_factory=ReceiptId.new, primary_key=True)
    order_id: OrderId = Field(foreign_key="order.id", index=True)
    pickup_id: PickupId = Field(foreign_key="pickup_job.id", unique=True)
    site_id: SiteId = Field(foreign_key="site.id")
    status: str = "received"
    measurement: dict[str, Any] = json_field()
    flags: list[dict[str, str]] = json_field(default_factory=list)
    received_by: str
    inspect_by: datetime = Field(sa_type=Instant)
    inspected_at: datetime | None = Field(default=None, sa_type=Instant)
    inspected_by: str | None = None


class ReceiptLine(Row, table=True):
    """One line of a receipt, in pieces and grams. Accepted and refused are empty until inspected, and then sum to
    what was received; `evidence` is [{sha256, name}]."""

    __tablename__ = "receipt_line"
    __table_args__ = (
        CheckConstraint("received_g >= 0 AND accepted_g >= 0 AND refused_g >= 0", name="mass"),
        CheckConstraint("received_quantity >= 0 AND accepted_quantity >= 0 AND refused_quantity >= 0", name="quantity"),
        CheckConstraint("accepted_g + refused_g = received_g", name="mass_has_an_outcome"),
        CheckConstraint("accepted_quantity + refused_quantity = received_quantity", name="quantity_has_an_outcome"),
        CheckConstraint(
            "num_nulls(accepted_g, refused_g, accepted_quantity, refused_quantity) IN (0, 4)", name="inspected_whole"
        ),
        CheckConstraint(
            "COALESCE(refused_g, 0) + COALESCE(refused_quantity, 0) = 0"
            " OR reason IS NOT NULL AND jsonb_array_length(evidence) > 0",
            name="refused_for_a_reason",
        ),
        UniqueConstraint("receipt_id", "line_id", "refused_g", "refused_quantity", name="uq_receipt_line_refused"),
    )

    receipt_id: ReceiptId = Field(foreign_key="receipt.id", primary_key=True)
    line_id: LineId = Field(foreign_key="order_line.id", primary_key=True, index=True)
    received_g: int = Field(sa_type=BigInteger)
    received_quantity: int
    accepted_g: int | None = Field(default=None, sa_type=BigInteger)
    accepted_quantity: int | None = None
    refused_g: int | None = Field(default=None, sa_type=BigInteger)
    refused_quantity: int | None = None
    reason: str | None = None
    note: str | None = None
    evidence: list[dict[str, Any]] = json_field(default_factory=list)


@dataclass(frozen=True)
class ReceiptFacts:
    """`permits` is what stands against the permits for what is accepted."""

    permits: tuple[Reason, ...] = ()


def _permits_cover(receipt: Receipt, facts: ReceiptFacts) -> Iterable[Reason]:
    yield from facts.permits


RECEIPT = Machine(
    "receipt",
    Transition("inspect", ("received",), "inspected", ("receiver", "time"), (_permits_cover,)),
)
