"""Create listings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003_listings"
down_revision = "0002_parties"
branch_labels = None
depends_on = None

STATUSES = (
    "'draft', 'in_review', 'scheduled', 'open', 'closed', 'awarded', 'fulfilled', 'expired', 'withdrawn', 'cancelled'"
)
FLOORS = "'reuse', 'repair', 'remanufacture', 'harvest', 'recycle', 'recover', 'dispose'"


def upgrade() -> None:
    _create_listing()
    _create_item()
    _create_unit()
    _create_import()


def _create_listing() -> None:
    op.create_table(
        "listing",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("seller_id", sa.String, nullable=False),
        sa.Column("site_id", sa.String, nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("description", sa.String),
        sa.Column("mode", sa.String, nullable=False),
        sa.Column("price_unit", sa.String, nullable=False),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("disposition_floor", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True)),
        sa.Column("closes_at", sa.DateTime(timezone=True)),
        sa.Column("effective_end_at", sa.DateTime(timezone=True)),
        sa.Column("hard_cap_at", sa.DateTime(timezone=True)),
        sa.Column("published_at", sa.DateTime(timezone=True)),
        sa.Column("visibility", sa.String, nullable=False),
        sa.Column("invited", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("tolerance_bps", sa.Integer, nullable=False),
        sa.Column("inspection_days", sa.Integer, nullable=False),
        sa.Column("dispute_days", sa.Integer, nullable=False),
        sa.Column("goods_vat_bps", sa.Integer, nullable=False),
        sa.Column("gate_fee_vat_bps", sa.Integer, nullable=False),
        sa.Column("haulage_vat_bps", sa.Integer, nullable=False),
        sa.Column("origin_listing_id", sa.String),
        sa.Column("origin_remainder_id", sa.String),
        sa.Column("country", sa.String, nullable=False),
        sa.Column("latitude", sa.Float, nullable=False),
        sa.Column("longitude", sa.Float, nullable=False),
        sa.Column("item_count", sa.Integer, nullable=False),
        sa.Column("total_mass_g", sa.BigInteger),
        sa.Column("materials", postgresql.JSONB, nullable=False),
        *_shared_columns(),
        sa.CheckConstraint(f"status IN ({STATUSES})", name=op.f("ck_listing_status")),
        sa.CheckConstraint("mode IN ('sealed', 'timed', 'negotiated')", name=op.f("ck_listing_mode")),
        sa.CheckConstraint("price_unit IN ('tonne', 'piece', 'lot')", name=op.f("ck_listing_price_unit")),
        sa.CheckConstraint(f"disposition_floor IN ({FLOORS})", name=op.f("ck_listing_disposition_floor")),
        sa.CheckConstraint("visibility IN ('public', 'invited')", name=op.f("ck_listing_visibility")),
        sa.CheckConstraint("effective_end_at <= hard_cap_at", name=op.f("ck_listing_end_within_cap")),
        sa.CheckConstraint(
            "status NOT IN ('open', 'closed') OR mode = 'negotiated' OR effective_end_at IS NOT NULL",
            name=op.f("ck_listing_clock"),
        ),
        sa.CheckConstraint(
            "(origin_listing_id IS NULL) = (origin_remainder_id IS NULL)", name=op.f("ck_listing_origin")
        ),
        sa.ForeignKeyConstraint(["seller_id"], ["organization.id"], name=op.f("fk_listing_seller_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_listing_site_id")),
        sa.ForeignKeyConstraint(["origin_listing_id"], ["listing.id"], name=op.f("fk_listing_origin_listing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing")),
    )
    op.create_index("ix_listing_seller_id", "listing", ["seller_id"])
    op.create_index("ix_listing_place", "listing", ["latitude", "longitude"])
    op.create_index("ix_listing_status", "listing", ["livemode", "status", "id"])


def _create_item() -> None:
    op.create_table(
        "item",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("mass_g", sa.BigInteger),
        sa.Column("mass_method", sa.String, nullable=False),
        sa.Column("condition_grade", sa.String),
        sa.Column("return_reason", sa.String),
        sa.Column("reason_detail", sa.String),
        sa.Column("waste_code", sa.String),
        sa.Column("is_hazardous", sa.Boolean, nullable=False),
        sa.Column("hp_codes", postgresql.JSONB, nullable=False),
        sa.Column("un_number", sa.String),
        sa.Column("packaging", postgresql.JSONB),
        sa.Column("composition", postgresql.JSONB),
        sa.Column("is_data_bearing", sa.Boolean),
        sa.Column("photos", postgresql.JSONB, nullable=False),
        *_shared_columns(is_versioned=False),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_item_quantity")),
        sa.CheckConstraint("mass_g >= 1", name=op.f("ck_item_mass")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_item_listing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sa.UniqueConstraint("listing_id", "key", name=op.f("uq_item_listing_id_key")),
    )
    op.create_index(
        "ix_item_composition",
        "item",
        ["composition"],
        postgresql_using="gin",
        postgresql_ops={"composition": "jsonb_path_ops"},
    )


def _create_unit() -> None:
    op.create_table(
        "unit",
        sa.Column("seller_id", sa.String, nullable=False),
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("external_id", sa.String, nullable=False),
        sa.Column("item_id", sa.String, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("serial", sa.String),
        sa.Column("mass_g", sa.BigInteger),
        sa.Column("fault", sa.String),
        sa.Column("details", postgresql.JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_unit_quantity")),
        sa.ForeignKeyConstraint(["seller_id"], ["organization.id"], name=op.f("fk_unit_seller_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_unit_item_id")),
        sa.PrimaryKeyConstraint("seller_id", "livemode", "external_id", name=op.f("pk_unit")),
    )
    op.create_index("ix_unit_item_id", "unit", ["item_id"])


def _create_import() -> None:
    op.create_table(
        "import",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("seller_id", sa.String, nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("file_name", sa.String, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("profile", sa.String),
        sa.Column("mapping", postgresql.JSONB, nullable=False),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("rows", "imported", "added", "updated", "unchanged", "refused")
        ),
        sa.Column("problems", postgresql.JSONB, nullable=False),
        sa.Column("notes", postgresql.JSONB, nullable=False),
        sa.Column("refused_csv", sa.LargeBinary),
        sa.Column("failure_code", sa.String),
        sa.Column("failure", sa.String),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        *_shared_columns(),
        sa.CheckConstraint("status IN ('received', 'completed', 'failed')", name=op.f("ck_import_status")),
        sa.CheckConstraint("rows = imported + refused", name=op.f("ck_import_rows_accounted")),
        sa.CheckConstraint("imported = added + updated + unchanged", name=op.f("ck_import_imported_accounted")),
        sa.CheckConstraint("(status = 'failed') = (failure_code IS NOT NULL)", name=op.f("ck_import_failure")),
        sa.ForeignKeyConstraint(["seller_id"], ["organization.id"], name=op.f("fk_import_seller_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_import_listing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import")),
    )
    op.create_index("ix_import_seller_id", "import", ["seller_id"])
    op.create_index("ix_import_listing_id", "import", ["listing_id"])


def _shared_columns(*, is_versioned: bool = True) -> list["sa.Column[object]"]:
    columns: list[sa.Column[object]] = [
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]
    return [*columns, sa.Column("version", sa.Integer, nullable=False)] if is_versioned else columns


def downgrade() -> None:
    for table in ("import", "unit", "item", "listing"):
        op.drop_table(table)
