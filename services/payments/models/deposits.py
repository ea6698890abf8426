"""A deposit: what a bidder leaves with us for one listing, until it is seen that its word holds."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field

from services.kernel.ids import BidId, DepositId, ListingId, OrgId
from services.kernel.money import Money
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Versioned, json_field

_TIME = ("time",)
_PROVIDER = ("provider",)
UNDER_WAY = ("pending", "calling_off", "secured")
"""A bidder has one of these at a time for a listing."""

DEPOSIT = Machine(
    "deposit",
    # What is being called off may have been paid in the same moment.
    Transition("secure", ("pending", "calling_off"), "secured", _PROVIDER, is_fact=True, endpoint=False),
    Transition("fail", ("pending",), "failed", _PROVIDER, is_fact=True, endpoint=False),
    Transition("call_off", ("pending",), "calling_off", _TIME, endpoint=False),
    Transition("end_unpaid", ("calling_off",), "called_off", _PROVIDER, is_fact=True, endpoint=False),
    Transition("release", ("secured",), "released", _TIME, endpoint=False),
    Transition("forfeit", ("secured",), "forfeited", _TIME, endpoint=False),
)
STATUSES = ("pending", "calling_off", "secured", "failed", "called_off", "released", "forfeited")


class Deposit(Versioned, table=True):
    """`released` and `forfeited` say what was decided, once; `paid_id` is the provider's refund or transfer that carries it out,
    and `paid_at` when that was done. `problem` is why it is not done, or why the money could not be collected."""

    __tablename__ = "deposit"
    __audit_hidden__: ClassVar[frozenset[str]] = frozenset({"instructions"})
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint(f"status IN ({', '.join(repr(status) for status in STATUSES)})", name="status_known"),
        CheckConstraint(
            "(status IN ('secured', 'released', 'forfeited')) = (secured_at IS NOT NULL)", name="secured_with_money"
        ),
        CheckConstraint("(status = 'forfeited') = (broken_bid_id IS NOT NULL)", name="forfeited_for_a_bid"),
        Index(
            "uq_deposit_under_way",
            "listing_id",
            "bidder_id",
            unique=True,
            postgresql_where=text(f"status IN ({', '.join(repr(status) for status in UNDER_WAY)})"),
        ),
        Index("ix_deposit_bidder_id", "bidder_id", "id"),
        Index("ix_deposit_seller_id", "seller_id", postgresql_where=text("status = 'forfeited'")),
    )

    id: DepositId = Field(default_factory=DepositId.new, primary_key=True)
    listing_id: ListingId
    seller_id: OrgId = Field(foreign_key="organization.id")
    bidder_id: OrgId = Field(foreign_key="organization.id")
    status: str = "pending"
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str
    intent_id: str | None = Field(default=None, unique=True)
    charge_id: str | None = Field(default=None, unique=True)
    instructions: dict[str, Any] | None = json_field(default=None, nullable=True)
    secured_at: datetime | None = Field(default=None, sa_type=Instant)
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
    broken_bid_id: BidId | None = None
    paid_id: str | None = Field(default=None, unique=True)
    paid_at: datetime | None = Field(default=None, sa_type=Instant)
    problem: str | None = None

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
