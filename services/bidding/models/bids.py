"""A bid: a processor's promise for a lot. What was promised never changes; a better promise is a new bid."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints
from pydantic import Field as Described
from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.kernel.ids import BidId, ItemId, ListingId, OrgId, SiteId
from services.kernel.money import Money
from services.kernel.quantities import Mass
from services.kernel.tables import Instant, Versioned
from services.listings.manifests.cells import MOST_PIECES
from services.listings.models.drafts import DISPOSITIONS, Disposition, PriceUnit

STATUSES = (
    "submitted",
    "active",
    "countered",
    "awarded",
    "confirmed",
    "timed_out",
    "lost",
    "withdrawn",
    "expired",
)
LIVE = ("submitted", "active", "countered")
"""Could still win."""
STOOD = ("active", "countered", "awarded", "confirmed", "timed_out", "lost")
"""Was there to be chosen when bidding ended."""

HaulageBasis = Literal["FCA", "DAP"]


def listed(values: tuple[str, ...]) -> str:
    """For a CHECK: `'submitted', 'active'`."""
    return ", ".join(f"'{value}'" for value in values)


def rung(disposition: str) -> int:
    """0 is the highest: reuse."""
    names: tuple[str, ...] = DISPOSITIONS
    return names.index(disposition)


@dataclass(frozen=True)
class Amounts:
    """Everything of a bid that is sealed where bids are sealed."""

    price: Money
    haulage_ceiling: Money | None = None
    haulage_quote: Money | None = None


class BidPart(BaseModel):
    """An item that is bid for; `quantity` None: all of it."""

    model_config = ConfigDict(extra="forbid")

    item_id: ItemId
    quantity: Annotated[int, Described(ge=1, le=MOST_PIECES)] | None = None


class NewBid(BaseModel):
    """A promise for the whole lot, or for parts of one that is sold so. The price is signed, as the seller sees it: above zero
    you pay, below zero you are paid."""

    model_config = ConfigDict(extra="forbid")

    listing_id: ListingId
    site_id: SiteId = Described(description="Your site to which the goods will go")
    price: Money = Described(description="Per unit as the listing asks, in its currency")
    price_unit: PriceUnit | None = Described(default=None, description="If sent, it must be the listing's")
    haulage_basis: HaulageBasis = Described(
        description="FCA: you collect and pay the carrier; DAP: the seller delivers and pays it (Incoterms 2020)"
    )
    haulage_ceiling: Money | None = Described(default=None, description="FCA: the most you will pay a carrier, net")
    haulage_quote: Money | None = Described(
        default=None, description="DAP: what delivering to your site costs the seller, net; part of the ranking"
    )
    disposition: Disposition = Described(description="What becomes of the goods: the listing's floor or a higher rung")
    operation: Annotated[str, StringConstraints(pattern="^[RDrd][0-9]{1,2}$", to_upper=True)] | None = Described(
        default=None, description="The recovery or disposal operation your permit must name", examples=["R4"]
    )
    parts: Annotated[list[BidPart], Described(min_length=1, max_length=200)] | None = Described(
        default=None,
        description="What the bid is for, all or nothing, where the listing is sold by item or fraction; null: the whole lot."
        " The price per tonne or piece counts for these; a price per lot is for all of them together.",
    )
    valid_until: AwareDatetime | None = Described(default=None, description="Until when you are bound; null: no end")
    co2e: Mass | None = Described(
        default=None, description="CO2e that haulage and treatment of the whole lot will emit, as you state it"
    )
    limit: Money | None = Described(
        default=None,
        description="Timed listings only: up to here your bid is raised for you when others bid, no further than needed; told"
        " to nobody",
    )

    @property
    def amounts(self) -> Amounts:
        return Amounts(self.price, self.haulage_ceiling, self.haulage_quote)


class Bid(Versioned, table=True):
    """`price_minor` is signed and per `price_unit`; it and what is said of haulage are null while the bid is sealed, and for ever
    if it was never opened. `received_at` is the stamp by which it counts. `sequence` numbers the
    listing's bids by (received_at, id), from 1; those of a sealed listing are numbered at the close. `agreed_…` is the counter
    that was accepted, if any; `co2e_g` None is missing, not nothing.

    `parts` are what it is for, as [{item_id, quantity}] with quantity None for all of the item; None is the whole lot. `stops` are
    those of its listing."""

    __tablename__ = "bid"
    __audit_hidden__: ClassVar[frozenset[str]] = frozenset(
        {
            "price_minor",
            "haulage_ceiling_minor",
            "haulage_quote_minor",
            "co2e_g",
            "limit_minor",
            "standing_price_minor",
        }
    )
    __table_args__ = (
        CheckConstraint(f"status IN ({listed(STATUSES)})", name="status"),
        CheckConstraint("price_unit IN ('tonne', 'piece', 'lot')", name="price_unit"),
        CheckConstraint(f"disposition IN ({listed(DISPOSITIONS)})", name="disposition"),
        CheckConstraint("haulage_basis IN ('FCA', 'DAP')", name="haulage_basis"),
        CheckConstraint(
            "price_minor IS NULL OR (haulage_basis = 'DAP') = (haulage_quote_minor IS NOT NULL)",
            name="quote_of_delivery",
        ),
        CheckConstraint(
            "price_minor IS NOT NULL OR num_nonnulls(haulage_ceiling_minor, haulage_quote_minor) = 0",
            name="sealed_whole",
        ),
        CheckConstraint("haulage_basis = 'FCA' OR haulage_ceiling_minor IS NULL", name="ceiling_of_collection"),
        CheckConstraint("haulage_quote_minor >= 0 AND haulage_ceiling_minor >= 0", name="haulage"),
        CheckConstraint("valid_until > received_at", name="validity"),
        CheckConstraint("co2e_g >= 0", name="co2e"),
        CheckConstraint("agreed_haulage_minor >= 0", name="agreed_haulage"),
        CheckConstraint("limit_minor >= price_minor", name="limit"),
        UniqueConstraint("listing_id", "sequence"),
        Index("ix_bid_listing_received", "listing_id", "received_at", "id"),
        Index(
            "uq_bid_live",
            "listing_id",
            "bidder_id",
            unique=True,
            postgresql_where=text("status IN ('submitted', 'active', 'countered')"),
        ),
    )

    id: BidId = Field(default_factory=BidId.new, primary_key=True)
    listing_id: ListingId = Field(foreign_key="listing.id")
    bidder_id: OrgId = Field(foreign_key="organization.id", index=True)
    site_id: SiteId = Field(foreign_key="site.id")
    price_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str
    price_unit: str
    haulage_basis: str
    haulage_ceiling_minor: int | None = Field(default=None, sa_type=BigInteger)
    haulage_quote_minor: int | None = Field(default=None, sa_type=BigInteger)
    disposition: str
    operation: str | None = None
    valid_until: datetime | None = Field(default=None, sa_type=Instant)
    received_at: datetime = Field(sa_type=Instant)
    limit_minor: int | None = Field(default=None, sa_type=BigInteger)
    standing_price_minor: int | None = Field(default=None, sa_type=BigInteger)
    sequence: int | None = None
    co2e_g: int | None = Field(default=None, sa_type=BigInteger)
    agreed_price_minor: int | None = Field(default=None, sa_type=BigInteger)
    agreed_haulage_minor: int | None = Field(default=None, sa_type=BigInteger)
    status: str = "submitted"
    ended_reason: str | None = None
    parts: list[dict[str, Any]] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    stops: list[str] = Field(
        default_factory=list, sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))
    )

    @property
    def is_opened(self) -> bool:
        """Whether its amounts are here to be read."""
        return self.price_minor is not None

    @property
    def amounts(self) -> Amounts | None:
        return Amounts(self.price, self.haulage_ceiling, self.haulage_quote) if self.is_opened else None

    @property
    def price(self) -> Money:
        assert self.price_minor is not None, "the bid is sealed"
        return Money(self.price_minor, self.currency)

    @property
    def limit(self) -> Money | None:
        """How far the house may raise it; the bidder's secret."""
        return self._money(self.limit_minor)

    @property
    def standing_price(self) -> Money | None:
        """Where its limit had brought it when bidding ended."""
        return self._money(self.standing_price_minor)

    @property
    def agreed_price(self) -> Money | None:
        return self._money(self.agreed_price_minor)

    @property
    def price_now(self) -> Money:
        """What was agreed over counters, where a limit had brought it when bidding ended, or else what was promised."""
        told = (self.agreed_price, self.standing_price)
        return next((price for price in told if price is not None), self.price)

    @property
    def haulage_now(self) -> Money | None:
        """Ceiling or quote, as the basis has it: agreed over counters, or else promised."""
        if self.agreed_price_minor is not None:
            return self._money(self.agreed_haulage_minor)
        return self.haulage_ceiling if self.haulage_basis == "FCA" else self.haulage_quote

    @property
    def co2e(self) -> Mass | None:
        return None if self.co2e_g is None else Mass(self.co2e_g)

    @property
    def haulage_ceiling(self) -> Money | None:
        return self._money(self.haulage_ceiling_minor)

    @property
    def haulage_quote(self) -> Money | None:
        return self._money(self.haulage_quote_minor)

    @property
    def rung(self) -> int:
        """0 is the highest: reuse."""
        return rung(self.disposition)

    def _money(self, minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, self.currency)
