"""The outbox to the provider and the inbox from it. The rows are the truth; a job only says "look at this one"."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from services.kernel.ids import DealId, OrgId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Row, Versioned, json_field

OF_DEPOSITS = ("deposit_collect", "deposit_call_off", "deposit_transfer", "deposit_refund")
KINDS = ("open_account", "collect", "call_off", "transfer", "refund", *OF_DEPOSITS)
STATUSES = ("pending", "sending", "blocked", "done", "failed_permanent", "withdrawn")
ENDED = ("done", "withdrawn")

_TIME = ("time",)
_PROVIDER = ("provider",)

OPERATION = Machine(
    "operation",
    # Claiming one that is `sending` takes over from a process that died in between.
    Transition("claim", ("pending", "sending"), "sending", _TIME, endpoint=False),
    Transition("finish", ("sending",), "done", _PROVIDER, is_fact=True, endpoint=False),
    Transition("postpone", ("sending",), "pending", _PROVIDER, is_fact=True, endpoint=False),
    Transition("reopen", ("done",), "pending", _PROVIDER, is_fact=True, endpoint=False),
    Transition("block", ("sending",), "blocked", ("provider", "time"), is_fact=True, endpoint=False),
    Transition("wake", ("blocked",), "pending", _TIME, endpoint=False),
    Transition("give_up", ("sending",), "failed_permanent", _PROVIDER, is_fact=True, endpoint=False),
    Transition("withdraw", ("pending", "blocked", "sending", "failed_permanent"), "withdrawn", _TIME, endpoint=False),
)


class StripeOperation(Versioned, table=True):
    """One intended effect at the provider. `name` is `{order}:{kind}:{n}`; the idempotency key is
    `{name}:{generation}`.

    `subject_id` is our payment, transfer, refund, deposit or organization: one attempt is in flight per subject. `not_before`
    and `first_attempt_at` are real time. `is_key_spent`: the provider has stored an answer for this key that is not a
    success.
    """

    __tablename__ = "stripe_operation"
    __audited__: ClassVar[bool] = False
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(repr(kind) for kind in KINDS)})", name="kind_known"),
        CheckConstraint(f"status IN ({', '.join(repr(s) for s in STATUSES)})", name="status_known"),
        CheckConstraint("(status = 'blocked') = (blocked_reason IS NOT NULL)", name="blocked_has_reason"),
        CheckConstraint("generation > 0 AND attempts >= 0", name="counters_not_negative"),
        Index("ix_stripe_operation_deal_id", "deal_id"),
        Index("ix_stripe_operation_subject_id", "subject_id"),
        Index("ix_stripe_operation_blocked", "org_id", postgresql_where=text("status = 'blocked'")),
    )

    name: str = Field(primary_key=True)
    kind: str
    status: str = "pending"
    deal_id: DealId | None = Field(default=None, foreign_key="deal.id")
    org_id: OrgId = Field(foreign_key="organization.id")
    subject_id: str
    params: dict[str, Any] = json_field()
    generation: int = 1
    attempts: int = 0
    is_key_spent: bool = False
    first_attempt_at: datetime | None = Field(default=None, sa_type=Instant)
    not_before: datetime | None = Field(default=None, sa_type=Instant)
    stripe_id: str | None = None
    blocked_reason: str | None = None
    last_error: str | None = None

    @property
    def key(self) -> str:
        return f"{self.name}:{self.generation}"


class StripeEvent(Row, table=True):
    """One message as it arrived: proven and stored before anything is done about it."""

    __tablename__ = "stripe_event"
    __table_args__ = (CheckConstraint("status IN ('received', 'handled', 'ignored')", name="status_known"),)

    id: str = Field(primary_key=True)
    type: str
    told_at: datetime = Field(sa_type=Instant)
    api_version: str | None = None
    account: str | None = None
    object_id: str | None = None
    object_kind: str | None = None
    is_thin: bool
    body: bytes
    status: str = "received"
    handled_at: datetime | None = Field(default=None, sa_type=Instant)
