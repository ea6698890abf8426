"""A listing: goods offered to processors, with a mode, a clock and terms."""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Index, Text
from sqlmodel import Field

from services.kernel.ids import ListingId, OrgId, RemainderId, SiteId
from services.kernel.money import Money
from services.kernel.tables import Instant, Versioned, json_field

STATUSES = (
    "draft",
    "in_review",
    "scheduled",
    "open",
    "closed",
    "awarded",
    "fulfilled",
    "expired",
    "withdrawn",
    "cancelled",
)
SEARCHABLE = ("scheduled", "open", "closed", "awarded", "fulfilled", "expired")
ENDED_WITHOUT_AWARD = frozenset({"expired", "withdrawn", "cancelled"})
"""The goods are still with the seller and may be listed again."""


def listed(values: tuple[str, ...]) -> str:
    """For a CHECK: `'draft', 'open'`."""
    return ", ".join(f"'{value}'" for value in values)


class Listing(Versioned, table=True):
    """`item_count`, `total_mass_g` (None as soon as one item has no mass) and `materials` ([{material, mass_g}], heaviest
    first) are summed over the items whenever these change. `published_at` says since when others may see it."""

    __tablename__ = "listing"
    __table_args__ = (
        CheckConstraint(f"status IN ({listed(STATUSES)})", name="status"),
        CheckConstraint("mode IN ('sealed', 'timed', 'negotiated')", name="mode"),
        CheckConstraint("price_unit IN ('tonne', 'piece', 'lot')", name="price_unit"),
        CheckConstraint(
            "disposition_floor IN ('reuse', 'repair', 'remanufacture', 'harvest', 'recycle', 'recover', 'dispose')",
            name="disposition_floor",
        ),
        CheckConstraint("visibility IN ('public', 'invited')", name="visibility"),
        CheckConstraint("effective_end_at <= hard_cap_at", name="end_within_cap"),
        CheckConstraint(
            "status NOT IN ('open', 'closed') OR mode = 'negotiated' OR effective_end_at IS NOT NULL", name="clock"
        ),
        CheckConstraint("increment_minor > 0 OR published_at IS NULL", name="increment"),
        CheckConstraint("(origin_listing_id IS NULL) = (origin_remainder_id IS NULL)", name="origin"),
        Index("ix_listing_place", "latitude", "longitude"),
        Index("ix_listing_status", "livemode", "status", "id"),
    )

    id: ListingId = Field(default_factory=ListingId.new, primary_key=True)
    seller_id: OrgId = Field(foreign_key="organization.id", index=True)
    site_id: SiteId = Field(foreign_key="site.id")
    title: str
    description: str | None = None
    mode: str
    price_unit: str
    currency: str
    disposition_floor: str
    status: str = "draft"
    opens_at: datetime | None = Field(default=None, sa_type=Instant)
    closes_at: datetime | None = Field(default=None, sa_type=Instant)
    effective_end_at: datetime | None = Field(default=None, sa_type=Instant)
    hard_cap_at: datetime | None = Field(default=None, sa_type=Instant)
    published_at: datetime | None = Field(default=None, sa_type=Instant)
    visibility: str = "public"
    invited: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    tolerance_bps: int = 500
    inspection_days: int = 3
    dispute_days: int = 5
    goods_vat_bps: int = 0
    gate_fee_vat_bps: int = 1900
    haulage_vat_bps: int = 1900
    increment_minor: int | None = Field(default=None, sa_type=BigInteger)
    origin_listing_id: ListingId | None = Field(default=None, foreign_key="listing.id")
    origin_remainder_id: RemainderId | None = None
    country: str
    latitude: float
    longitude: float
    item_count: int = 0
    total_mass_g: int | None = Field(default=None, sa_type=BigInteger)
    materials: list[dict[str, Any]] = json_field(default_factory=list)

    @property
    def increment(self) -> Money | None:
        """What a better bid for a timed listing is better by, if the seller has said so."""
        return None if self.increment_minor is None else Money(self.increment_minor, self.currency)
