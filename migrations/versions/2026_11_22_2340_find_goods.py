"""Find goods: what published listings are found by."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018_finding"
down_revision = "0017_sealing"
branch_labels = None
depends_on = None

TRIGGERS = Path(__file__).with_suffix(".sql")
ME = "(SELECT asker_org())"
HOUSE = "(SELECT asker_is_house())"
IS_HERE = "livemode = ANY (CAST((SELECT asker_livemodes()) AS boolean[]))"
MINE = f"org_id = {ME}"
SEEN_BY = {
    "saved_search": MINE,
    "demand_order": MINE,
    "demand_match": MINE,
    "demand_cell": "false",
    "offer": f"{ME} IS NOT NULL AND (seen_by IS NULL OR {ME} = ANY (seen_by))",
}

RUNGS = "'reuse', 'repair', 'remanufacture', 'harvest', 'recycle', 'recover', 'dispose'"
PARTS = [f"offer_{part:02}" for part in range(16)]
FACETS = ["return_reason", "grade", "disposition_floor", "mode", "direction"]
CARRIED = ["materials", "country", "waste_code", "mass_g", "h3_res3", "latitude", "longitude", "seen_by"]
OF_ITEMS = "term = ''"
INDEXES = {
    "closing": (["term", "closes_at", "listing_id"], None),
    "newest": (["term", "listing_id"], None),
    "kind": (["term", *FACETS], None),
    "wide": (["term", "h3_res3", "closes_at", "listing_id"], None),
    "country": (["term", "country"], None),
    "waste_code": (["term", "waste_code"], None),
    "mass": (["term", "mass_g"], None),
    "near": (["h3_res5", "closes_at", "listing_id"], OF_ITEMS),
    "wide_newest": (["h3_res3", "listing_id"], OF_ITEMS),
}


def upgrade() -> None:
    _let_sellers_say_who_pays()
    _create_offer()
    _create_saved_search()
    _create_demand_order()
    _create_demand_cell()
    _create_demand_match()
    for statement in TRIGGERS.read_text().split("\n--\n"):
        op.execute(statement)
    _count_kinds()
    op.execute(
        "INSERT INTO timer (kind, subject_id, due_at, livemode)"
        " SELECT 'listing.offer', id, published_at, livemode FROM listing WHERE published_at IS NOT NULL"
    )
    for table, condition in (SEEN_BY | dict.fromkeys(PARTS, SEEN_BY["offer"])).items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY seen_by ON {table} USING ({IS_HERE} AND ({HOUSE} OR ({condition})))")


def _count_kinds() -> None:
    """The planner learns how many items there are of each kind, and which kinds there are none of."""
    for table in PARTS:
        op.execute(f"CREATE STATISTICS {table}_kinds (mcv) ON {', '.join(FACETS)} FROM {table}")
        op.execute(f"ALTER STATISTICS {table}_kinds SET STATISTICS 2000")
        op.execute(f"ALTER TABLE {table} ALTER term SET STATISTICS 1000, ALTER h3_res3 SET STATISTICS 1000")


def _let_sellers_say_who_pays() -> None:
    op.add_column("listing", sa.Column("price_direction", sa.String))
    op.create_check_constraint(
        op.f("ck_listing_price_direction"), "listing", "price_direction IN ('buyer_pays', 'seller_pays')"
    )


def _create_offer() -> None:
    op.create_table(
        "offer",
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("term", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(facet, sa.SmallInteger, nullable=False) for facet in FACETS),
        sa.Column("materials", sa.String),
        sa.Column("country", sa.String, nullable=False),
        sa.Column("waste_code", sa.String),
        sa.Column("mass_g", sa.BigInteger),
        sa.Column("h3_res3", sa.BigInteger, nullable=False),
        sa.Column("h3_res5", sa.BigInteger, nullable=False),
        sa.Column("latitude", sa.REAL, nullable=False),
        sa.Column("longitude", sa.REAL, nullable=False),
        sa.Column("seen_by", postgresql.ARRAY(sa.Text)),
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("waste_code <> ''", name=op.f("ck_offer_waste_code")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_offer_listing_id")),
        sa.PrimaryKeyConstraint("listing_id", "place", "term", name=op.f("pk_offer")),
        postgresql_partition_by="HASH (term)",
    )
    for part, table in enumerate(PARTS):
        op.execute(f"CREATE TABLE {table} PARTITION OF offer FOR VALUES WITH (MODULUS {len(PARTS)}, REMAINDER {part})")
    for name, (keys, only) in INDEXES.items():
        op.create_index(f"ix_offer_{name}", "offer", **_index(keys), postgresql_where=only and sa.text(only))


def _index(keys: list[str]) -> dict[str, Any]:
    """What a filter and the policy ask is carried along, so that the index answers alone."""
    whole = ["livemode", "status", *keys]
    more = [name for name in [*FACETS, *CARRIED, "closes_at", "listing_id"] if name not in whole]
    return {"columns": whole, "postgresql_include": more}


def _create_saved_search() -> None:
    op.create_table(
        "saved_search",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("org_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("criteria", postgresql.JSONB, nullable=False),
        sa.Column("material", sa.String),
        sa.Column("country", sa.String),
        sa.Column("version", sa.Integer, nullable=False),
        *_shared_columns(),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_saved_search_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_search")),
    )
    op.create_index("ix_saved_search_material", "saved_search", ["livemode", "material", "country"])
    op.create_index("ix_saved_search_org_id", "saved_search", ["org_id", "id"])


def _create_demand_order() -> None:
    op.create_table(
        "demand_order",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("org_id", sa.String, nullable=False),
        sa.Column("site_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("material", sa.String, nullable=False),
        sa.Column("least_share_bps", sa.Integer, nullable=False),
        sa.Column("condition_floor", sa.String),
        sa.Column("waste_codes", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("weekly_g", sa.BigInteger, nullable=False),
        sa.Column("radius_km", sa.Float, nullable=False),
        sa.Column("latitude", sa.Float, nullable=False),
        sa.Column("longitude", sa.Float, nullable=False),
        sa.Column("price_limit_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("disposition", sa.String, nullable=False),
        sa.Column("operation", sa.String),
        sa.Column("valid_until", sa.DateTime(timezone=True)),
        sa.Column("bids_by_itself", sa.Boolean, nullable=False),
        sa.Column("bid_price_minor", sa.BigInteger),
        sa.Column("haulage_ceiling_minor", sa.BigInteger),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        *_shared_columns(),
        sa.CheckConstraint(
            "status IN ('active', 'paused', 'cancelled', 'expired')", name=op.f("ck_demand_order_status")
        ),
        sa.CheckConstraint(f"disposition IN ({RUNGS})", name=op.f("ck_demand_order_disposition")),
        sa.CheckConstraint("weekly_g >= 1", name=op.f("ck_demand_order_weekly")),
        sa.CheckConstraint("radius_km > 0", name=op.f("ck_demand_order_radius")),
        sa.CheckConstraint("least_share_bps BETWEEN 1 AND 10000", name=op.f("ck_demand_order_least_share")),
        sa.CheckConstraint("bid_price_minor <= price_limit_minor", name=op.f("ck_demand_order_limit")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_demand_order_org_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_demand_order_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demand_order")),
    )
    op.create_index("ix_demand_order_org_id", "demand_order", ["org_id", "id"])


def _create_demand_cell() -> None:
    op.create_table(
        "demand_cell",
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("material", sa.String, nullable=False),
        sa.Column("cell", sa.BigInteger, nullable=False),
        sa.Column("demand_order_id", sa.String, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["demand_order_id"], ["demand_order.id"], name=op.f("fk_demand_cell_demand_order_id")),
        sa.PrimaryKeyConstraint("livemode", "material", "cell", "demand_order_id", name=op.f("pk_demand_cell")),
    )
    op.create_index("ix_demand_cell_demand_order_id", "demand_cell", ["demand_order_id"])


def _create_demand_match() -> None:
    op.create_table(
        "demand_match",
        sa.Column("demand_order_id", sa.String, nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("org_id", sa.String, nullable=False),
        sa.Column("is_match", sa.Boolean, nullable=False),
        sa.Column("misses", postgresql.JSONB, nullable=False),
        sa.Column("distance_km", sa.Float, nullable=False),
        sa.Column("mass_g", sa.BigInteger),
        sa.Column("bid_id", sa.String),
        sa.Column("week_on", sa.Date),
        sa.Column("reserved_g", sa.BigInteger, nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True)),
        sa.Column("refused_code", sa.String),
        sa.Column("refused_detail", sa.String),
        *_shared_columns(),
        sa.CheckConstraint("reserved_g >= 0", name=op.f("ck_demand_match_reserved")),
        sa.CheckConstraint("(bid_id IS NULL) = (week_on IS NULL)", name=op.f("ck_demand_match_week")),
        sa.ForeignKeyConstraint(["demand_order_id"], ["demand_order.id"], name=op.f("fk_demand_match_demand_order_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_demand_match_listing_id")),
        sa.ForeignKeyConstraint(["bid_id"], ["bid.id"], name=op.f("fk_demand_match_bid_id")),
        sa.PrimaryKeyConstraint("demand_order_id", "listing_id", name=op.f("pk_demand_match")),
    )
    op.create_index("ix_demand_match_week", "demand_match", ["demand_order_id", "week_on"])
    op.create_index("ix_demand_match_listing_id", "demand_match", ["listing_id"])
    op.create_index("ix_demand_match_bid_id", "demand_match", ["bid_id"])


def _shared_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]


def downgrade() -> None:
    for table in ("demand_match", "demand_cell", "demand_order", "saved_search"):
        op.drop_table(table)
    op.execute("DELETE FROM timer WHERE kind IN ('listing.offer', 'demand_order.expire')")
    op.execute("DROP TRIGGER offers_follow ON listing")
    op.execute("DROP FUNCTION offers_follow()")
    op.drop_table("offer")
    op.drop_constraint(op.f("ck_listing_price_direction"), "listing")
    op.drop_column("listing", "price_direction")
