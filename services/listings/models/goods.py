"""What is offered: items, and the units a manifest named one by one."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Computed, Index, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.kernel.ids import CampaignId, ItemId, LineageId, ListingId, OrgId
from services.kernel.tables import Row, json_field


def _json_or_null() -> "Column[Any]":
    return Column(JSONB(none_as_null=True), nullable=True)


class Item(Row, table=True):
    """One kind of thing in one condition. `mass_g` is that of all pieces, `mass_uncertainty_g` the half-width around it;
    `waste_code` six digits, None for no waste; `un_number` such as UN3480; `gtin` has its check digit; `composition` is
    [{material, ppm}] summing to 1,000,000, None is silence.

    Where the listing is sold in parts, `awarded_…` is what live awards have won of it; `relisted_…` is what has gone into another
    listing after that. `recall_campaign_id` names the recall under which it is offered."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("listing_id", "key"),
        CheckConstraint("quantity >= 1", name="quantity"),
        CheckConstraint("mass_g >= 1", name="mass"),
        CheckConstraint(
            "awarded_quantity >= 0 AND relisted_quantity >= 0 AND awarded_quantity + relisted_quantity <= quantity",
            name="given_away_quantity",
        ),
        CheckConstraint(
            "awarded_g >= 0 AND relisted_g >= 0 AND awarded_g + relisted_g <= COALESCE(mass_g, 0)",
            name="given_away_mass",
        ),
        CheckConstraint("mass_uncertainty_g >= 0", name="mass_uncertainty"),
        Index(
            "ix_item_composition",
            "composition",
            postgresql_using="gin",
            postgresql_ops={"composition": "jsonb_path_ops"},
        ),
    )

    id: ItemId = Field(default_factory=ItemId.new, primary_key=True)
    listing_id: ListingId = Field(foreign_key="listing.id")
    position: int
    key: str
    title: str
    quantity: int
    mass_g: int | None = Field(default=None, sa_type=BigInteger)
    mass_method: str = "declared"
    mass_uncertainty_g: int | None = Field(default=None, sa_type=BigInteger)
    condition_grade: str | None = None
    return_reason: str | None = None
    reason_detail: str | None = None
    waste_code: str | None = None
    is_hazardous: bool = False
    hp_codes: list[str] = json_field(default_factory=list)
    un_number: str | None = None
    packaging: dict[str, Any] | None = Field(default=None, sa_column=_json_or_null())
    composition: list[dict[str, Any]] | None = Field(default=None, sa_column=_json_or_null())
    is_data_bearing: bool | None = None
    photos: list[dict[str, Any]] = json_field(default_factory=list)
    awarded_quantity: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    awarded_g: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    relisted_quantity: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    relisted_g: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    recall_campaign_id: CampaignId | None = Field(default=None, foreign_key="recall_campaign.id")
    gtin: str | None = None
    mpn: str | None = None
    batch: str | None = None


class Unit(Row, table=True):
    """A row of a manifest: one piece, or several that nobody tells apart. Its external id is the seller's own and stands
    once among all of the seller's goods. `details` holds the rest of the row as it was read."""

    __tablename__ = "unit"
    __table_args__ = (CheckConstraint("quantity >= 1", name="quantity"),)

    seller_id: OrgId = Field(foreign_key="organization.id", primary_key=True)
    livemode: bool = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    item_id: ItemId = Field(foreign_key="item.id", index=True)
    quantity: int = 1
    serial: str | None = None
    mass_g: int | None = Field(default=None, sa_type=BigInteger)
    fault: str | None = None
    details: dict[str, Any] = json_field()


class Lineage(Row, table=True):
    """That pieces and grams of one item went into another, or with all of it into another listing: when, by whom, why. Written
    once; the items themselves may be gone since."""

    __tablename__ = "lineage"
    __table_args__ = (
        CheckConstraint("kind IN ('split', 'merge', 'relist')", name="kind"),
        CheckConstraint("quantity >= 1", name="quantity"),
        CheckConstraint("mass_g >= 1", name="mass"),
        CheckConstraint("from_listing_id <> to_listing_id", name="two_listings"),
    )

    id: LineageId = Field(default_factory=LineageId.new, primary_key=True)
    kind: str
    seller_id: OrgId = Field(foreign_key="organization.id")
    from_listing_id: ListingId = Field(foreign_key="listing.id", index=True)
    from_item_id: ItemId
    to_listing_id: ListingId = Field(foreign_key="listing.id", index=True)
    to_item_id: ItemId
    quantity: int
    mass_g: int | None = Field(default=None, sa_type=BigInteger)
    moved_by: str
    reason: str | None = None


PLAIN = "replace(lower(btrim({})), 'ß'::text, 'ss'::text)"
"""As `recalling.predicates` compares what somebody has written: case does not matter."""


def _looked_up(table: Table, **expressions: str) -> None:
    """Columns that the database fills, for what a recall names. Behind a policy an index answers only for a plain column; no model
    maps them, for nothing but a search asks for them."""
    for name, expression in expressions.items():
        column = Column(name, Text(collation="C"), Computed(expression, persisted=True))
        table.append_column(column)
        Index(f"ix_{table.name}_{name}", column, postgresql_where=column.is_not(None))


UNITS: Table = Unit.__table__  # type: ignore[attr-defined]
ITEMS: Table = Item.__table__  # type: ignore[attr-defined]
_looked_up(
    UNITS,
    serial_key=PLAIN.format("(serial)::text"),
    gtin_key="ltrim((details ->> 'gtin'::text), '0'::text)",
    mpn_key=PLAIN.format("(details ->> 'mpn'::text)"),
    model_key=PLAIN.format("(details ->> 'model'::text)"),
    batch_key=PLAIN.format("(details ->> 'batch'::text)"),
)
_looked_up(
    ITEMS,
    gtin_key="ltrim((gtin)::text, '0'::text)",
    mpn_key=PLAIN.format("(mpn)::text"),
    batch_key=PLAIN.format("(batch)::text"),
)
