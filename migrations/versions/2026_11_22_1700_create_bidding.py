"""Create bids. What was promised never changes: the app may only write what became of it."""

import sqlalchemy as sa
from alembic import op

revision = "0007_bidding"
down_revision = "0006_webhooks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bid",
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("bidder_id", sa.String, nullable=False),
        sa.Column("site_id", sa.String, nullable=False),
        sa.Column("price_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("price_unit", sa.String, nullable=False),
        sa.Column("haulage_basis", sa.String, nullable=False),
        sa.Column("haulage_ceiling_minor", sa.BigInteger),
        sa.Column("haulage_quote_minor", sa.BigInteger),
        sa.Column("disposition", sa.String, nullable=False),
        sa.Column("operation", sa.String),
        sa.Column("valid_until", sa.DateTime(timezone=True)),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sequence", sa.Integer),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("ended_reason", sa.String),
        sa.CheckConstraint(
            "status IN ('submitted', 'active', 'awarded', 'confirmed', 'timed_out', 'lost', 'withdrawn', 'expired')",
            name=op.f("ck_bid_status"),
        ),
        sa.CheckConstraint("price_unit IN ('tonne', 'piece', 'lot')", name=op.f("ck_bid_price_unit")),
        sa.CheckConstraint(
            "disposition IN ('reuse', 'repair', 'remanufacture', 'harvest', 'recycle', 'recover', 'dispose')",
            name=op.f("ck_bid_disposition"),
        ),
        sa.CheckConstraint("haulage_basis IN ('FCA', 'DAP')", name=op.f("ck_bid_haulage_basis")),
        sa.CheckConstraint(
            "(haulage_basis = 'DAP') = (haulage_quote_minor IS NOT NULL)", name=op.f("ck_bid_quote_of_delivery")
        ),
        sa.CheckConstraint(
            "haulage_basis = 'FCA' OR haulage_ceiling_minor IS NULL", name=op.f("ck_bid_ceiling_of_collection")
        ),
        sa.CheckConstraint("haulage_quote_minor >= 0 AND haulage_ceiling_minor >= 0", name=op.f("ck_bid_haulage")),
        sa.CheckConstraint("valid_until > received_at", name=op.f("ck_bid_validity")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_bid_listing_id")),
        sa.ForeignKeyConstraint(["bidder_id"], ["organization.id"], name=op.f("fk_bid_bidder_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_bid_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bid")),
        sa.UniqueConstraint("listing_id", "sequence", name=op.f("uq_bid_listing_id_sequence")),
    )
    op.create_index("ix_bid_bidder_id", "bid", ["bidder_id"])
    op.create_index("ix_bid_listing_received", "bid", ["listing_id", "received_at", "id"])
    op.create_index(
        "uq_bid_live",
        "bid",
        ["listing_id", "bidder_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('submitted', 'active')"),
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON bid FROM backhaul_app")
    op.execute("GRANT UPDATE (status, version, sequence, ended_reason) ON bid TO backhaul_app")


def downgrade() -> None:
    op.drop_table("bid")
