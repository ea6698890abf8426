"""The job itself, its dock slot, and where its lorry was seen."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Index, Text, column, func, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlmodel import Field

from services.kernel.ids import LineId, MemberId, OrderId, OrgId, PickupId, SiteId, SlotId
from services.kernel.money import Money
from services.kernel.tables import Instant, Row, Versioned, json_field

BEFORE_LOADING = (
    "draft",
    "planned",
    "tendering",
    "exhausted",
    "accepted",
    "scheduled",
    "dispatched",
    "en_route",
    "at_pickup",
)
LOADED = ("loaded", "in_transit", "at_delivery", "delivered")
ENDED = ("closed", "cancelled")
STATUSES = (*BEFORE_LOADING, *LOADED, *ENDED)


def listed(values: Sequence[str]) -> str:
    """For a CHECK: `'draft', 'planned'`."""
    return ", ".join(f"'{value}'" for value in values)


class Goods(BaseModel):
    """One line of an order as the carrier knows it: what, how much, which hazards; never its price."""

    model_config = ConfigDict(frozen=True)

    line_id: LineId
    title: str
    quantity: int
    mass_g: int
    waste_code: str | None = None
    un_number: str | None = None
    is_hazardous: bool = False


class PickupJob(Versioned, table=True):
    """One movement from site to site. `owner_id` pays the haulage, `custodian_id` has the goods; `price_minor` is the
    haulage net of VAT, and None when the owner hauls itself. `clearance_id` is a go-ahead from outside: money is held.
    `stops` are those of its order, written by the database."""

    __tablename__ = "pickup_job"
    __audit_hidden__: ClassVar[frozenset[str]] = frozenset({"ceiling_minor", "price_minor"})
    __table_args__ = (
        CheckConstraint(f"status IN ({listed(STATUSES)})", name="status"),
        CheckConstraint("dispatched_at IS NULL OR clearance_id IS NOT NULL", name="dispatched_when_cleared"),
        CheckConstraint("window_from < window_until", name="window"),
        CheckConstraint("window_from IS NULL OR window_timezone IS NOT NULL", name="window_has_a_zone"),
        CheckConstraint("price_minor >= 0 AND ceiling_minor >= 0", name="amounts"),
        CheckConstraint("carrier_id IS NOT NULL OR price_minor IS NULL", name="price_of_a_carrier"),
        CheckConstraint("tender_strategy IN ('waterfall', 'broadcast')", name="tender_strategy"),
    )

    id: PickupId = Field(default_factory=PickupId.new, primary_key=True)
    order_id: OrderId = Field(index=True)
    owner_id: OrgId = Field(foreign_key="organization.id", index=True)
    seller_id: OrgId = Field(foreign_key="organization.id", index=True)
    receiver_id: OrgId = Field(foreign_key="organization.id", index=True)
    custodian_id: OrgId = Field(foreign_key="organization.id", index=True)
    from_site_id: SiteId = Field(foreign_key="site.id", index=True)
    to_site_id: SiteId = Field(foreign_key="site.id", index=True)
    goods: list[dict[str, Any]] = json_field()
    ceiling_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str
    status: str = "draft"
    window_from: datetime | None = Field(default=None, sa_type=Instant)
    window_until: datetime | None = Field(default=None, sa_type=Instant)
    window_timezone: str | None = None
    contacts: list[dict[str, Any]] = json_field(default_factory=list)
    equipment: str | None = None
    tender_strategy: str | None = None
    respond_within_minutes: int | None = None
    carrier_id: OrgId | None = Field(default=None, foreign_key="organization.id", index=True)
    price_minor: int | None = Field(default=None, sa_type=BigInteger)
    is_self_hauled: bool = False
    clearance_id: str | None = None
    cleared_at: datetime | None = Field(default=None, sa_type=Instant)
    clearance_withdrawn_at: datetime | None = Field(default=None, sa_type=Instant)
    vehicle: str | None = None
    driver_name: str | None = None
    driver_member_id: MemberId | None = Field(default=None, foreign_key="member.id")
    dispatched_at: datetime | None = Field(default=None, sa_type=Instant)
    cancel_reason: str | None = None
    stops: list[str] = Field(
        default_factory=list, sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))
    )

    @property
    def lines(self) -> list[Goods]:
        return [Goods.model_validate(goods) for goods in self.goods]

    @property
    def masses(self) -> dict[str, int]:
        """Declared grams per waste code; what is not waste stands under the empty code."""
        sums: defaultdict[str, int] = defaultdict(int)
        for goods in self.lines:
            sums[goods.waste_code or ""] += goods.mass_g
        return dict(sums)

    @property
    def is_hazardous(self) -> bool:
        return any(goods.is_hazardous for goods in self.lines)

    @property
    def is_cleared(self) -> bool:
        return self.clearance_id is not None and self.clearance_withdrawn_at is None

    @property
    def price(self) -> Money | None:
        return None if self.price_minor is None else Money(self.price_minor, self.currency)

    @property
    def ceiling(self) -> Money | None:
        return None if self.ceiling_minor is None else Money(self.ceiling_minor, self.currency)

    def window_day(self) -> date:
        """The first day of the access window, where the goods are."""
        assert self.window_from is not None, "the job is not planned"
        assert self.window_timezone is not None, "a window has a zone"
        return self.window_from.astimezone(ZoneInfo(self.window_timezone)).date()


class Slot(Row, table=True):
    """A dock at a site for a window. One that is cancelled keeps its row and frees its dock."""

    __tablename__ = "dock_slot"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="window"),
        CheckConstraint("dock >= 1", name="dock"),
        ExcludeConstraint(
            (column("site_id"), "="),
            (column("dock"), "="),
            (func.tstzrange(column("starts_at"), column("ends_at")), "&&"),
            using="gist",
            where=text("cancelled_at IS NULL"),
            name="ex_dock_slot_window",
        ),
        Index("uq_dock_slot_pickup_id", "pickup_id", unique=True, postgresql_where=text("cancelled_at IS NULL")),
    )

    id: SlotId = Field(default_factory=SlotId.new, primary_key=True)
    site_id: SiteId = Field(foreign_key="site.id")
    dock: int
    starts_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    pickup_id: PickupId = Field(foreign_key="pickup_job.id")
    cancelled_at: datetime | None = Field(default=None, sa_type=Instant)
    cancel_reason: str | None = None


class Movement(Row, table=True):
    """A lorry departed or arrived: `occurred_at` is the driver's word, `created_at` when it reached us."""

    __tablename__ = "pickup_movement"
    __table_args__ = (
        CheckConstraint("kind IN ('departed', 'arrived')", name="kind"),
        CheckConstraint("occurred_at <= created_at + interval '5 minutes'", name="not_in_the_future"),
        CheckConstraint("latitude IS NOT NULL OR reason IS NOT NULL", name="place_or_reason"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="place"),
        CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="on_earth"),
    )

    pickup_id: PickupId = Field(foreign_key="pickup_job.id", primary_key=True)
    job_version: int = Field(primary_key=True)
    kind: str
    new_status: str
    occurred_at: datetime = Field(sa_type=Instant)
    latitude: float | None = None
    longitude: float | None = None
    reason: str | None = None
    flags: list[dict[str, str]] = json_field(default_factory=list)
    actor: str
