"""A listing: goods offered to processors, with a mode, a clock and terms."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
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
    "partially_awarded",
    "awarded",
    "fulfilled",
    "expired",
    "withdrawn",
    "cancelled",
)
SEARCHABLE = ("scheduled", "open", "closed", "partially_awarded", "awarded", "fulfilled", "expired")
NOT_BEGUN = frozenset({"draft", "in_review", "scheduled"})
BEFORE_THE_CLOSE = NOT_BEGUN | {"open"}
ENDED_WITHOUT_AWARD = frozenset({"expired", "withdrawn", "cancelled"})
"""The goods are still with the seller and may be listed again."""
LOT_RULES = ("whole", "by_item", "by_fraction")

AWARDED_WHILE_OPEN = frozenset({"negotiated", "instant"})
"""Modes that need no close before an award."""


def listed(values: tuple[str, ...]) -> str:
    """For a CHECK: `'draft', 'open'`."""
    return ", ".join(f"'{value}'" for value in values)


class Listing(Versioned, table=True):
    """`item_count`, `total_mass_g` (None as soon as one item has no mass) and `materials` ([{material, mass_g}], heaviest
    first) are summed over the items whenever these change. `published_at` says since when others may see it.

    `lot_rule` says what a bid may be for: the whole lot, items of it, or pieces of an item, then at least `min_quantity` of it.
    `stops` are the reasons that forbid deciding about it, for the sake of what is in it.

    `admitted` are those whom `invited_capability` has let in and `invited` does not name. Nobody is told who they are: from
    listing to listing a seller would read off which permits everybody holds."""

    __tablename__ = "listing"
    __audit_hidden__: ClassVar[frozenset[str]] = frozenset({"admitted"})
    __table_args__ = (
        CheckConstraint(f"status IN ({listed(STATUSES)})", name="status"),
        CheckConstraint("mode IN ('sealed', 'timed', 'negotiated', 'instant')", name="mode"),
        CheckConstraint("price_unit IN ('tonne', 'piece', 'lot')", name="price_unit"),
        CheckConstraint(
            "disposition_floor IN ('reuse', 'repair', 'remanufacture', 'harvest', 'recycle', 'recover', 'dispose')",
            name="disposition_floor",
        ),
        CheckConstraint("price_direction IN ('buyer_pays', 'seller_pays')", name="price_direction"),
        CheckConstraint("visibility IN ('public', 'invited')", name="visibility"),
        CheckConstraint("effective_end_at <= hard_cap_at", name="end_within_cap"),
        CheckConstraint(
            "status NOT IN ('open', 'closed') OR mode IN ('negotiated', 'instant') OR effective_end_at IS NOT NULL",
            name="clock",
        ),
        CheckConstraint("origin_remainder_id IS NULL OR origin_listing_id IS NOT NULL", name="origin"),
        CheckConstraint(f"lot_rule IN ({listed(LOT_RULES)})", name="lot_rule"),
        CheckConstraint(
            "min_quantity IS NULL OR (min_quantity >= 1 AND lot_rule = 'by_fraction')", name="min_quantity"
        ),
        CheckConstraint("published_at IS NULL OR (mode = 'instant') = (price_minor IS NOT NULL)", name="price"),
        CheckConstraint("award_rule IN ('by_hand', 'best_landed')", name="award_rule"),
        CheckConstraint("increment_minor > 0 OR published_at IS NULL", name="increment"),
        CheckConstraint("deposit_minor > 0 OR published_at IS NULL", name="deposit"),
        Index(
            "ix_listing_admitting",
            "livemode",
            "id",
            postgresql_where=text("invited_capability IS NOT NULL AND status IN ('scheduled', 'open')"),
        ),
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
    price_direction: str | None = None
    status: str = "draft"
    opens_at: datetime | None = Field(default=None, sa_type=Instant)
    closes_at: datetime | None = Field(default=None, sa_type=Instant)
    effective_end_at: datetime | None = Field(default=None, sa_type=Instant)
    hard_cap_at: datetime | None = Field(default=None, sa_type=Instant)
    published_at: datetime | None = Field(default=None, sa_type=Instant)
    visibility: str = "public"
    invited: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    invited_capability: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    admitted: list[str] = Field(
        default_factory=list, sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))
    )
    lot_rule: str = Field(default="whole", sa_column_kwargs={"server_default": text("'whole'")})
    min_quantity: int | None = None
    tolerance_bps: int = 500
    inspection_days: int = 3
    dispute_days: int = 5
    goods_vat_bps: int = 0
    gate_fee_vat_bps: int = 1900
    haulage_vat_bps: int = 1900
    price_minor: int | None = Field(default=None, sa_type=BigInteger)
    reserve_price_minor: int | None = Field(default=None, sa_type=BigInteger)
    award_rule: str = "by_hand"
    recovers_vat: bool = True
    increment_minor: int | None = Field(default=None, sa_type=BigInteger)
    deposit_minor: int | None = Field(default=None, sa_type=BigInteger)
    origin_listing_id: ListingId | None = Field(default=None, foreign_key="listing.id")
    origin_remainder_id: RemainderId | None = None
    country: str
    latitude: float
    longitude: float
    item_count: int = 0
    total_mass_g: int | None = Field(default=None, sa_type=BigInteger)
    materials: list[dict[str, Any]] = json_field(default_factory=list)
    stops: list[str] = Field(
        default_factory=list, sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))
    )

    @property
    def guests(self) -> list[str]:
        """Who sees it once it is published, where not everybody does; its seller does anyway."""
        return [*self.invited, *self.admitted]

    @property
    def price(self) -> Money | None:
        """What an instant listing is sold at, signed and per `price_unit`."""
        return None if self.price_minor is None else Money(self.price_minor, self.currency)

    @property
    def reserve_price(self) -> Money | None:
        """The least that a rule awards at, per `price_unit` of landed net value. The seller's secret."""
        return None if self.reserve_price_minor is None else Money(self.reserve_price_minor, self.currency)

    @property
    def increment(self) -> Money | None:
        """What a better bid for a timed listing is better by, if the seller has said so."""
        return None if self.increment_minor is None else Money(self.increment_minor, self.currency)

    @property
    def deposit(self) -> Money | None:
        """What a bidder who has brought nothing to its end here leaves with us before its bid is taken."""
        return None if self.deposit_minor is None else Money(self.deposit_minor, self.currency)
