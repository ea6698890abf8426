"""A job offered to one carrier at a price until a time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from services.kernel.errors import Reason
from services.kernel.ids import OfferId, OrgId, PickupId
from services.kernel.money import Money
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Versioned
from services.pickups.models.jobs import listed

STATUSES = ("queued", "offered", "accepted", "declined", "expired", "superseded", "withdrawn")
DECLINE_REASONS = ("no_capacity", "no_adr_vehicle", "price_too_low", "window_unsuitable", "equipment_missing", "other")


class Offer(Versioned, table=True):
    """`owner_id` asks, as the job's owner. `position` orders a waterfall and rises over repeated tenders; `price_minor` is net
    of VAT."""

    __tablename__ = "carrier_offer"
    __table_args__ = (
        CheckConstraint(f"status IN ({listed(STATUSES)})", name="status"),
        CheckConstraint(f"decline_reason IN ({listed(DECLINE_REASONS)})", name="decline_reason"),
        CheckConstraint("price_minor >= 0", name="price"),
        CheckConstraint("status NOT IN ('offered', 'accepted') OR expires_at IS NOT NULL", name="offered_until"),
        CheckConstraint("status <> 'accepted' OR answered_at < expires_at", name="accepted_in_time"),
        UniqueConstraint("pickup_id", "position"),
        Index("uq_carrier_offer_accepted", "pickup_id", unique=True, postgresql_where=text("status = 'accepted'")),
    )

    id: OfferId = Field(default_factory=OfferId.new, primary_key=True)
    pickup_id: PickupId = Field(foreign_key="pickup_job.id")
    owner_id: OrgId = Field(foreign_key="organization.id")
    carrier_id: OrgId = Field(foreign_key="organization.id", index=True)
    position: int
    price_minor: int = Field(sa_type=BigInteger)
    currency: str
    status: str = "queued"
    offered_at: datetime | None = Field(default=None, sa_type=Instant)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    answered_at: datetime | None = Field(default=None, sa_type=Instant)
    decline_reason: str | None = None
    decline_note: str | None = None

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)

    def is_open(self, now: datetime) -> bool:
        """An offer is open before `expires_at`, not at it, whether or not its timer has run."""
        return self.status == "offered" and self.expires_at is not None and now < self.expires_at


@dataclass(frozen=True)
class OfferFacts:
    """`carrier` is what stands against its verification, its papers and its permits."""

    now: datetime
    carrier: tuple[Reason, ...] = ()


def _is_open(offer: Offer, facts: OfferFacts) -> Iterable[Reason]:
    if not offer.is_open(facts.now):
        yield Reason("offer_not_open", "The offer's time is over.")


def _carrier_may_take_it(offer: Offer, facts: OfferFacts) -> Iterable[Reason]:
    yield from facts.carrier


OFFER = Machine(
    "offer",
    Transition("offer", ("queued",), "offered", ("time",), endpoint=False),
    Transition("accept", ("offered",), "accepted", ("carrier",), (_is_open, _carrier_may_take_it)),
    Transition("decline", ("offered",), "declined", ("carrier",), (_is_open,)),
    Transition("expire", ("offered",), "expired", ("time",), endpoint=False),
    Transition("supersede", ("queued", "offered"), "superseded", ("time",), endpoint=False),
    Transition("withdraw", ("queued", "offered"), "withdrawn", ("time",), endpoint=False),
)
