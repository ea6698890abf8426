"""Listings are divided, sold in parts and stopped by recalls.

A listing's stops are carried to its live bids and unfinished orders by trigger: no verb can forget them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015_lots"
down_revision = "0014_imports"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TEXTS = postgresql.ARRAY(sa.Text)
STATUSES = (
    "'draft', 'in_review', 'scheduled', 'open', 'closed', {}'awarded', 'fulfilled', 'expired', 'withdrawn', 'cancelled'"
)
ME = "(SELECT asker_org())"
SEEN = "livemode = ANY (CAST((SELECT asker_livemodes()) AS boolean[])) AND ((SELECT asker_is_house()) OR {})"
SEALED_BIDS = (
    f"bidder_id = {ME} OR EXISTS (SELECT FROM listing WHERE listing.id = listing_id AND seller_id = {ME} AND (mode <> 'sealed'"
    " OR (listing.status IN ('closed', {}'awarded', 'fulfilled', 'expired') AND bid.status <> 'withdrawn')))"
)
SEEN_BY = {
    "lineage": f"seller_id = {ME}",
    "recall_campaign": f"manufacturer_id = {ME} OR EXISTS (SELECT FROM stop WHERE stop.campaign_id = recall_campaign.id)",
    "stop": f"{ME} IN (seller_id, manufacturer_id)",
}
CARRY = """
    CREATE FUNCTION listing_carries_stops() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE bid SET stops = NEW.stops
            WHERE listing_id = NEW.id AND status IN ('submitted', 'active', 'awarded', 'confirmed');
        UPDATE "order" SET stops = NEW.stops WHERE listing_id = NEW.id AND status NOT IN ('closed', 'cancelled');
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    _recalls()
    _listings()
    _lineage()
    _sold_in_parts()
    for table, condition in SEEN_BY.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY seen_by ON {table} USING ({SEEN.format(condition)})")
    op.execute(
        f"ALTER POLICY seen_by ON bid USING ({SEEN.format(SEALED_BIDS.format(repr('partially_awarded') + ', '))})"
    )
    op.execute("GRANT UPDATE (stops) ON bid TO backhaul_app")
    op.execute(CARRY)
    op.execute(
        "CREATE TRIGGER listing_carries_stops AFTER UPDATE OF stops ON listing FOR EACH ROW"
        " WHEN (OLD.stops IS DISTINCT FROM NEW.stops) EXECUTE FUNCTION listing_carries_stops()"
    )


def _recalls() -> None:
    op.create_table(
        "recall_campaign",
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("manufacturer_id", sa.String, nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("description", sa.String),
        sa.Column("predicate", postgresql.JSONB, nullable=False),
        sa.Column("dispositions", TEXTS, nullable=False),
        sa.Column("proofs", TEXTS, nullable=False),
        sa.Column("units_sold", sa.Integer),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("end_reason", sa.String),
        sa.CheckConstraint("status IN ('open', 'closed', 'lifted')", name=op.f("ck_recall_campaign_status")),
        sa.CheckConstraint("(status = 'open') = (ended_at IS NULL)", name=op.f("ck_recall_campaign_ended")),
        sa.CheckConstraint("units_sold >= 1", name=op.f("ck_recall_campaign_units_sold")),
        sa.CheckConstraint("cardinality(dispositions) >= 1", name=op.f("ck_recall_campaign_dispositions")),
        sa.ForeignKeyConstraint(
            ["manufacturer_id"], ["organization.id"], name=op.f("fk_recall_campaign_manufacturer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall_campaign")),
    )
    op.create_index(op.f("ix_recall_campaign_manufacturer_id"), "recall_campaign", ["manufacturer_id"])
    op.create_index(
        "ix_recall_campaign_open", "recall_campaign", ["livemode"], postgresql_where=sa.text("status = 'open'")
    )
    op.create_table(
        "stop",
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("campaign_id", sa.String, nullable=False),
        sa.Column("manufacturer_id", sa.String, nullable=False),
        sa.Column("seller_id", sa.String, nullable=False),
        sa.Column("item_id", sa.String, nullable=False),
        sa.Column("external_id", sa.String),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("matched_on", TEXTS, nullable=False),
        sa.Column("placed_by", sa.String, nullable=False),
        sa.Column("remedied_quantity", sa.Integer, nullable=False),
        sa.Column("certificate_id", sa.String),
        sa.Column("lifted_at", INSTANT),
        sa.Column("lifted_by", sa.String),
        sa.Column("lift_reason", sa.String),
        sa.CheckConstraint("reason IN ('recall_quarantine')", name=op.f("ck_stop_reason")),
        sa.CheckConstraint("(lifted_at IS NULL) = (lift_reason IS NULL)", name=op.f("ck_stop_lifted_for_a_reason")),
        sa.CheckConstraint("quantity >= 0 AND remedied_quantity BETWEEN 0 AND quantity", name=op.f("ck_stop_remedied")),
        sa.ForeignKeyConstraint(["manufacturer_id"], ["organization.id"], name=op.f("fk_stop_manufacturer_id")),
        sa.ForeignKeyConstraint(["campaign_id"], ["recall_campaign.id"], name=op.f("fk_stop_campaign_id")),
        sa.ForeignKeyConstraint(["seller_id"], ["organization.id"], name=op.f("fk_stop_seller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stop")),
    )
    op.create_index(op.f("ix_stop_seller_id"), "stop", ["seller_id"])
    op.create_index("ix_stop_item_id", "stop", ["item_id"], postgresql_where=sa.text("lifted_at IS NULL"))
    op.create_index(
        "uq_stop_unit",
        "stop",
        ["campaign_id", "seller_id", "external_id"],
        unique=True,
        postgresql_where=sa.text("external_id IS NOT NULL AND lifted_at IS NULL"),
    )
    op.create_index(
        "uq_stop_item",
        "stop",
        ["campaign_id", "item_id"],
        unique=True,
        postgresql_where=sa.text("external_id IS NULL AND lifted_at IS NULL"),
    )


def _listings() -> None:
    op.add_column("listing", sa.Column("lot_rule", sa.String, nullable=False, server_default="whole"))
    op.add_column("listing", sa.Column("min_quantity", sa.Integer))
    for table in ("listing", "bid", "order"):
        op.add_column(table, sa.Column("stops", TEXTS, nullable=False, server_default=sa.text("'{}'")))
    op.drop_constraint(op.f("ck_listing_status"), "listing")
    op.create_check_constraint(
        op.f("ck_listing_status"), "listing", f"status IN ({STATUSES.format(repr('partially_awarded') + ', ')})"
    )
    op.drop_constraint(op.f("ck_listing_origin"), "listing")
    op.create_check_constraint(
        op.f("ck_listing_origin"), "listing", "origin_remainder_id IS NULL OR origin_listing_id IS NOT NULL"
    )
    op.create_check_constraint(
        op.f("ck_listing_lot_rule"), "listing", "lot_rule IN ('whole', 'by_item', 'by_fraction')"
    )
    op.create_check_constraint(
        op.f("ck_listing_min_quantity"),
        "listing",
        "min_quantity IS NULL OR (min_quantity >= 1 AND lot_rule = 'by_fraction')",
    )


def _lineage() -> None:
    op.create_table(
        "lineage",
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("seller_id", sa.String, nullable=False),
        sa.Column("from_listing_id", sa.String, nullable=False),
        sa.Column("from_item_id", sa.String, nullable=False),
        sa.Column("to_listing_id", sa.String, nullable=False),
        sa.Column("to_item_id", sa.String, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("mass_g", sa.BigInteger),
        sa.Column("moved_by", sa.String, nullable=False),
        sa.Column("reason", sa.String),
        sa.CheckConstraint("kind IN ('split', 'merge', 'relist')", name=op.f("ck_lineage_kind")),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_lineage_quantity")),
        sa.CheckConstraint("mass_g >= 1", name=op.f("ck_lineage_mass")),
        sa.CheckConstraint("from_listing_id <> to_listing_id", name=op.f("ck_lineage_two_listings")),
        sa.ForeignKeyConstraint(["seller_id"], ["organization.id"], name=op.f("fk_lineage_seller_id")),
        sa.ForeignKeyConstraint(["from_listing_id"], ["listing.id"], name=op.f("fk_lineage_from_listing_id")),
        sa.ForeignKeyConstraint(["to_listing_id"], ["listing.id"], name=op.f("fk_lineage_to_listing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lineage")),
    )
    for column in ("from_listing_id", "to_listing_id"):
        op.create_index(op.f(f"ix_lineage_{column}"), "lineage", [column])


def _sold_in_parts() -> None:
    for name, kind in {
        "awarded_quantity": sa.Integer,
        "awarded_g": sa.BigInteger,
        "relisted_quantity": sa.Integer,
        "relisted_g": sa.BigInteger,
    }.items():
        op.add_column("item", sa.Column(name, kind, nullable=False, server_default=sa.text("0")))
    op.add_column("item", sa.Column("recall_campaign_id", sa.String))
    op.create_foreign_key(op.f("fk_item_recall_campaign_id"), "item", "recall_campaign", ["recall_campaign_id"], ["id"])
    op.create_check_constraint(
        op.f("ck_item_given_away_quantity"),
        "item",
        "awarded_quantity >= 0 AND relisted_quantity >= 0 AND awarded_quantity + relisted_quantity <= quantity",
    )
    op.create_check_constraint(
        op.f("ck_item_given_away_mass"),
        "item",
        "awarded_g >= 0 AND relisted_g >= 0 AND awarded_g + relisted_g <= COALESCE(mass_g, 0)",
    )
    op.create_index("ix_unit_serial", "unit", [sa.text("lower(btrim(serial))")])
    op.add_column("bid", sa.Column("parts", postgresql.JSONB))
    op.add_column("award", sa.Column("is_whole", sa.Boolean, nullable=False, server_default=sa.text("true")))
    op.drop_index("uq_award_listing_id", "award")
    op.create_index(
        "uq_award_listing_id",
        "award",
        ["listing_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL AND is_whole"),
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER listing_carries_stops ON listing")
    op.execute("DROP FUNCTION listing_carries_stops()")
    op.execute(f"ALTER POLICY seen_by ON bid USING ({SEEN.format(SEALED_BIDS.format(''))})")
    op.drop_index("uq_award_listing_id", "award")
    op.create_index(
        "uq_award_listing_id", "award", ["listing_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.drop_column("award", "is_whole")
    op.drop_column("bid", "parts")
    op.drop_index("ix_unit_serial", "unit")
    for name in ("awarded_quantity", "awarded_g", "relisted_quantity", "relisted_g", "recall_campaign_id"):
        op.drop_column("item", name)
    op.drop_table("lineage")
    op.drop_column("listing", "lot_rule")
    op.drop_column("listing", "min_quantity")
    for table in ("listing", "bid", "order"):
        op.drop_column(table, "stops")
    op.drop_constraint(op.f("ck_listing_status"), "listing")
    op.create_check_constraint(op.f("ck_listing_status"), "listing", f"status IN ({STATUSES.format('')})")
    op.drop_constraint(op.f("ck_listing_origin"), "listing")
    op.create_check_constraint(
        op.f("ck_listing_origin"), "listing", "(origin_listing_id IS NULL) = (origin_remainder_id IS NULL)"
    )
    op.execute("DROP POLICY seen_by ON recall_campaign")
    op.drop_table("stop")
    op.drop_table("recall_campaign")
