"""What goes through the provider: payments in, transfers out, refunds back. Amounts are positive minor units."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field

from services.kernel.ids import DealId, OrgId, PaymentId, RefundId, TransferId
from services.kernel.money import Money
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Versioned, json_field

_PROVIDER = ("provider",)


def _ranked(thing: str, *ranks: tuple[str, ...], ends: dict[str, tuple[str, ...]]) -> Machine:
    """A mirror of the provider's status: each transition is named as its target and comes from any lower rank, so that
    late news never moves it back. `ends` are reached from the statuses they name.
    """
    forward = [
        Transition(
            target, tuple(s for below in ranks[:rank] for s in below), target, _PROVIDER, is_fact=True, endpoint=False
        )
        for rank, targets in enumerate(ranks)
        for target in targets
        if rank
    ]
    closing = [
        Transition(name, sources, name, _PROVIDER, is_fact=True, endpoint=False) for name, sources in ends.items()
    ]
    return Machine(thing, *forward, *closing)


_BEFORE_SUCCESS = (
    "planned",
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "processing",
)
PAYMENT = _ranked(
    "payment",
    *((status,) for status in _BEFORE_SUCCESS),
    ("succeeded",),
    ends={"canceled": _BEFORE_SUCCESS, "failed": _BEFORE_SUCCESS},
)
REFUND = _ranked(
    "refund",
    ("planned",),
    ("pending",),
    ("requires_action",),
    ("succeeded",),
    ends={
        "failed": ("planned", "pending", "requires_action", "succeeded"),
        "canceled": ("planned", "pending", "requires_action"),
    },
)
TRANSFER = Machine(
    "transfer",
    Transition("block", ("planned", "blocked"), "blocked", ("provider", "time"), is_fact=True, endpoint=False),
    Transition("pay", ("planned", "blocked"), "paid", _PROVIDER, is_fact=True, endpoint=False),
)


class Payment(Versioned, table=True):
    """One attempt to collect one payer's part. `instructions` are where the payer sends the money, as the provider gave
    them.
    """

    __tablename__ = "payment"
    __audit_hidden__: ClassVar[frozenset[str]] = frozenset({"instructions"})
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("transferred_minor BETWEEN 0 AND amount_minor", name="transferred_within_amount"),
        CheckConstraint("refunded_minor BETWEEN 0 AND amount_minor", name="refunded_within_amount"),
        CheckConstraint(
            f"status IN ({', '.join(repr(s) for s in (*_BEFORE_SUCCESS, 'succeeded', 'canceled', 'failed'))})",
            name="status_known",
        ),
        Index("ix_payment_deal_id", "deal_id"),
    )

    id: PaymentId = Field(default_factory=PaymentId.new, primary_key=True)
    deal_id: DealId = Field(foreign_key="deal.id")
    payer_id: OrgId = Field(foreign_key="organization.id")
    position: int
    status: str = "planned"
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str
    transferred_minor: int = Field(default=0, sa_type=BigInteger)
    refunded_minor: int = Field(default=0, sa_type=BigInteger)
    """What has been allotted to this charge. Each alone is within it, for that is the provider's limit; both together
    exceed it where a payer gets everything back although haulage was paid."""
    intent_id: str | None = Field(default=None, unique=True)
    charge_id: str | None = Field(default=None, unique=True)
    collected_at: datetime | None = Field(default=None, sa_type=Instant)
    instructions: dict[str, Any] | None = json_field(default=None, nullable=True)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class Transfer(Versioned, table=True):
    """One payout to one payee out of one charge. `leg` is haulage, goods or fee."""

    __tablename__ = "transfer"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("status IN ('planned', 'blocked', 'paid')", name="status_known"),
        Index("ix_transfer_deal_id", "deal_id"),
        Index("ix_transfer_payee_id", "payee_id"),
    )

    id: TransferId = Field(default_factory=TransferId.new, primary_key=True)
    deal_id: DealId = Field(foreign_key="deal.id")
    payment_id: PaymentId | None = Field(default=None, foreign_key="payment.id")
    payee_id: OrgId = Field(foreign_key="organization.id")
    leg: str
    status: str = "planned"
    blocked_reason: str | None = None
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str
    stripe_id: str | None = Field(default=None, unique=True)
    paid_at: datetime | None = Field(default=None, sa_type=Instant)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class Refund(Versioned, table=True):
    """One return to one payer from one charge; done only when it succeeded."""

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint(
            "status IN ('planned', 'pending', 'requires_action', 'succeeded', 'failed', 'canceled')",
            name="status_known",
        ),
        Index("ix_refund_deal_id", "deal_id"),
        Index("ix_refund_payer_id", "payer_id"),
    )

    id: RefundId = Field(default_factory=RefundId.new, primary_key=True)
    deal_id: DealId = Field(foreign_key="deal.id")
    payment_id: PaymentId = Field(foreign_key="payment.id")
    payer_id: OrgId = Field(foreign_key="organization.id")
    status: str = "planned"
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str
    stripe_id: str | None = Field(default=None, unique=True)
    paid_at: datetime | None = Field(default=None, sa_type=Instant)

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
