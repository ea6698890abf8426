"""Endpoints, deliveries, attempts. A delivery is one event on its way to one endpoint."""

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from services.kernel.ids import DeliveryId, EndpointId, EventId, OrgId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Versioned

DELIVERY = Machine(
    "delivery",
    Transition("deliver", ("pending", "failed"), "delivered", ("time",), endpoint=False, is_fact=True),
    Transition("give_up", ("pending",), "failed", ("time",), endpoint=False),
    Transition("resend", ("delivered", "failed", "pending"), "pending", ("owner",)),
)


class Endpoint(Versioned, table=True):
    """Where an organization wants to hear. `event_types` empty means all; `order.*` is a family.

    `failing_since` is the first failure since the last success (real time); `previous_secret` still signs until
    `previous_secret_until`.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = (Index("ix_webhook_endpoint_org", "org_id"),)

    id: EndpointId = Field(default_factory=EndpointId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id")
    url: str
    description: str = ""
    event_types: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    is_ordered: bool = False
    secret: str
    previous_secret: str | None = None
    previous_secret_until: datetime | None = Field(default=None, sa_type=Instant)
    is_enabled: bool = True
    disabled_reason: str | None = None
    failing_since: datetime | None = Field(default=None, sa_type=Instant)
    deleted_at: datetime | None = Field(default=None, sa_type=Instant)

    def wants(self, event_type: str) -> bool:
        family = event_type.split(".", 1)[0] + ".*"
        return not self.event_types or event_type in self.event_types or family in self.event_types


class Delivery(SQLModel, table=True):
    """`next_attempt_at` is real time: endpoints do not live in market time."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id"),
        Index("ix_webhook_delivery_due", "endpoint_id", "next_attempt_at", postgresql_where=text("status = 'pending'")),
        CheckConstraint("status IN ('pending', 'delivered', 'failed')", name="status"),
    )

    id: DeliveryId = Field(default_factory=DeliveryId.new, primary_key=True)
    endpoint_id: EndpointId = Field(foreign_key="webhook_endpoint.id")
    event_id: EventId = Field(foreign_key="event.id")
    event_type: str
    seq: int = Field(sa_type=BigInteger)
    status: str = "pending"
    version: int = 1
    attempts: int = 0
    next_attempt_at: datetime = Field(sa_type=Instant)
    delivered_at: datetime | None = Field(default=None, sa_type=Instant)


class Attempt(SQLModel, table=True):
    """One try: what was answered, or why there was no answer."""

    __tablename__ = "webhook_attempt"

    delivery_id: DeliveryId = Field(primary_key=True, foreign_key="webhook_delivery.id")
    number: int = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    milliseconds: int
    status_code: int | None = None
    error: str | None = None
    answer: str = ""
