"""A refused quantity and the one route it takes."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field

from services.kernel.ids import LineId, ListingId, OrderId, PickupId, ReceiptId, RemainderId
from services.kernel.money import Money
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Versioned

ROUTES = ("return", "redirect", "relist", "dispose")


class Remainder(Versioned, table=True):
    """What was refused of one receipt line, whole: the foreign key pins mass and pieces to the refusal, so each
    refused gram has one remainder and each remainder one route. `value_minor` is what is contested for it, signed as
    the price; it goes back to the payer when `acknowledged_at` is set. `listing_id` or `pickup_id` is where the
    route leads."""

    __tablename__ = "remainder"
    __table_args__ = (
        ForeignKeyConstraint(
            ["receipt_id", "line_id", "mass_g", "quantity"],
            [
                "receipt_line.receipt_id",
                "receipt_line.line_id",
                "receipt_line.refused_g",
                "receipt_line.refused_quantity",
            ],
            name="fk_remainder_refused",
        ),
        UniqueConstraint("receipt_id", "line_id"),
        CheckConstraint("status IN ('open', 'routed', 'ended')", name="status"),
        CheckConstraint(f"route IN ({', '.join(repr(route) for route in ROUTES)})", name="route"),
        CheckConstraint("(status = 'open') = (route IS NULL)", name="routed_somewhere"),
        CheckConstraint("(route IS NULL) = (num_nonnulls(listing_id, pickup_id) = 0)", name="leads_somewhere"),
    )

    id: RemainderId = Field(default_factory=RemainderId.new, primary_key=True)
    order_id: OrderId = Field(foreign_key="order.id", index=True)
    receipt_id: ReceiptId
    line_id: LineId
    mass_g: int = Field(sa_type=BigInteger)
    quantity: int
    value_minor: int = Field(sa_type=BigInteger)
    currency: str
    status: str = "open"
    acknowledge_by: datetime = Field(sa_type=Instant)
    acknowledged_at: datetime | None = Field(default=None, sa_type=Instant)
    route: str | None = None
    listing_id: ListingId | None = Field(default=None, foreign_key="listing.id", index=True)
    pickup_id: PickupId | None = Field(default=None, foreign_key="pickup_job.id", index=True)

    @property
    def value(self) -> Money:
        return Money(self.value_minor, self.currency)


REMAINDER = Machine(
    "remainder",
    Transition("route", ("open",), "routed", ("seller", "time"), endpoint=False),
    Transition("end", ("routed",), "ended", ("time",), endpoint=False),
    Transition("fall_through", ("routed",), "open", ("time",), endpoint=False),
    Transition("give_back", ("ended",), "routed", ("time",), endpoint=False),
)
