"""A standing demand order: what a processor always takes, and what became of each lot that was held against it."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints
from pydantic import Field as Described
from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Index, Text
from sqlmodel import Field

from services.bidding.models.bids import listed
from services.kernel.ids import BidId, DemandId, ListingId, OrgId, SiteId
from services.kernel.money import Money
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Row, Versioned, json_field
from services.listings.models.drafts import (
    DISPOSITIONS,
    ConditionGrade,
    Disposition,
    Material,
    PositiveMass,
    Title,
    WasteCode,
)

DEMAND_STATUSES = ("active", "paused", "cancelled", "expired")
MOST_KM = 500
NEAR = 1.5
"""How many times its radius an order still looks, to tell what it just missed."""


class NewDemand(BaseModel):
    """What is wanted, how much of it a week, and on which terms. Prices are signed as those of bids: below zero the seller pays."""

    model_config = ConfigDict(extra="forbid")

    name: Title
    site_id: SiteId = Described(description="Your site to which the goods will go; distances count from here")
    material: Material
    least_share_bps: Annotated[int, Described(ge=1, le=10_000)] = Described(
        default=5_000, description="The material's part of the lot's mass, at least, in basis points"
    )
    condition_floor: ConditionGrade | None = Described(
        default=None, description="This grade or better, of the worst piece"
    )
    waste_codes: Annotated[list[WasteCode], Described(max_length=100)] = Described(
        default_factory=list, description="Only these; empty: any, and goods that are no waste"
    )
    weekly: PositiveMass = Described(description="The most in a week, Monday to Sunday in UTC")
    radius_km: Annotated[float, Described(gt=0, le=MOST_KM)] = Described(
        description="Around the site, as the crow flies"
    )
    price_limit: Money = Described(description="The most you pay for a tonne; −15 EUR: the seller pays 15 or more")
    disposition: Disposition = Described(description="What becomes of the goods")
    operation: Annotated[str, StringConstraints(pattern="^[RDrd][0-9]{1,2}$", to_upper=True)] | None = Described(
        default=None, description="The operation your permit must name", examples=["R3"]
    )
    valid_until: AwareDatetime | None = Described(default=None, description="null: until it is cancelled")
    bids_by_itself: bool = Described(default=False, description="Whether it bids for what matches, within its limits")
    bid_price: Money | None = Described(
        default=None, description="What it bids for a tonne, not above `price_limit`; null: the limit itself"
    )
    haulage_ceiling: Money | None = Described(default=None, description="The most you pay a carrier for one lot, net")


class DemandOrder(Versioned, table=True):
    """Prices are signed and per tonne. `latitude` and `longitude` are the site's."""

    __tablename__ = "demand_order"
    __audit_hidden__: ClassVar[frozenset[str]] = frozenset(
        {"price_limit_minor", "bid_price_minor", "haulage_ceiling_minor"}
    )
    __table_args__ = (
        CheckConstraint(f"status IN ({listed(DEMAND_STATUSES)})", name="status"),
        CheckConstraint(f"disposition IN ({listed(DISPOSITIONS)})", name="disposition"),
        CheckConstraint("weekly_g >= 1", name="weekly"),
        CheckConstraint("radius_km > 0", name="radius"),
        CheckConstraint("least_share_bps BETWEEN 1 AND 10000", name="least_share"),
        CheckConstraint("bid_price_minor <= price_limit_minor", name="limit"),
        Index("ix_demand_order_org_id", "org_id", "id"),
    )

    id: DemandId = Field(default_factory=DemandId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id")
    site_id: SiteId = Field(foreign_key="site.id")
    name: str
    material: str
    least_share_bps: int
    condition_floor: str | None = None
    waste_codes: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    weekly_g: int = Field(sa_type=BigInteger)
    radius_km: float
    latitude: float
    longitude: float
    price_limit_minor: int = Field(sa_type=BigInteger)
    currency: str
    disposition: str
    operation: str | None = None
    valid_until: datetime | None = Field(default=None, sa_type=Instant)
    bids_by_itself: bool = False
    bid_price_minor: int | None = Field(default=None, sa_type=BigInteger)
    haulage_ceiling_minor: int | None = Field(default=None, sa_type=BigInteger)
    status: str = "active"

    @property
    def price_limit(self) -> Money:
        return Money(self.price_limit_minor, self.currency)

    @property
    def bid_price(self) -> Money | None:
        return None if self.bid_price_minor is None else Money(self.bid_price_minor, self.currency)

    @property
    def haulage_ceiling(self) -> Money | None:
        return None if self.haulage_ceiling_minor is None else Money(self.haulage_ceiling_minor, self.currency)


class DemandCell(Row, table=True):
    """Where an active order looks: H3 cells of resolution 3, or 2 for wide circles."""

    __tablename__ = "demand_cell"
    __audited__: ClassVar[bool] = False

    livemode: bool = Field(primary_key=True)
    material: str = Field(primary_key=True)
    cell: int = Field(primary_key=True, sa_type=BigInteger)
    demand_order_id: DemandId = Field(primary_key=True, foreign_key="demand_order.id", index=True)


class DemandMatch(Row, table=True):
    """A lot held against an order: `misses` is empty for a match, and says for a near miss by how much it missed. Where the
    order bid, `reserved_g` counts against the week that begins `week_on`, until `released_at`."""

    __tablename__ = "demand_match"
    __audited__: ClassVar[bool] = False
    __table_args__ = (
        CheckConstraint("reserved_g >= 0", name="reserved"),
        CheckConstraint("(bid_id IS NULL) = (week_on IS NULL)", name="week"),
        Index("ix_demand_match_week", "demand_order_id", "week_on"),
        Index("ix_demand_match_listing_id", "listing_id"),
        Index("ix_demand_match_bid_id", "bid_id"),
    )

    demand_order_id: DemandId = Field(primary_key=True, foreign_key="demand_order.id")
    listing_id: ListingId = Field(primary_key=True, foreign_key="listing.id")
    org_id: OrgId
    is_match: bool
    misses: list[dict[str, Any]] = json_field(default_factory=list)
    distance_km: float
    mass_g: int | None = Field(default=None, sa_type=BigInteger)
    bid_id: BidId | None = Field(default=None, foreign_key="bid.id")
    week_on: date | None = None
    reserved_g: int = Field(default=0, sa_type=BigInteger)
    released_at: datetime | None = Field(default=None, sa_type=Instant)
    refused_code: str | None = None
    refused_detail: str | None = None


DEMAND = Machine(
    "demand order",
    Transition("pause", ("active",), "paused", ("buyer",)),
    Transition("resume", ("paused",), "active", ("buyer",)),
    Transition("cancel", ("active", "paused"), "cancelled", ("buyer",)),
    Transition("expire", ("active", "paused"), "expired", ("time",), endpoint=False),
)
