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
SEEN_BY = {
    "offer": f"{ME} IS NOT NULL AND (seen_by IS NULL OR {ME} = ANY (seen_by))",
}

FACETS = ["return_reason", "grade", "disposition_floor", "mode", "direction"]
CARRIED = ["materials", "country", "waste_code", "mass_g", "h3_res3", "latitude", "longitude", "seen_by"]
OF_ITEMS = "term = ''"
OF_ITEMS_AND_MATERIALS = "term < 'w:'"
INDEXES = {
    "closing": (["term", "closes_at", "listing_id"], None),
    "newest": (["term", "listing_id"], None),
    "kind": (["term", *FACETS], None),
    "wide": (["term", "h3_res3", "closes_at", "listing_id"], None),
    "country": (["term", "country"], OF_ITEMS_AND_MATERIALS),
    "waste_code": (["term", "waste_code"], OF_ITEMS_AND_MATERIALS),
    "mass": (["term", "mass_g"], OF_ITEMS_AND_MATERIALS),
    "near": (["h3_res5", "closes_at", "listing_id"], OF_ITEMS),
    "wide_newest": (["h3_res3", "listing_id"], OF_ITEMS),
}


def upgrade() -> None:
    _let_sellers_say_who_pays()
    _create_offer()
    for statement in TRIGGERS.read_text().split("\n--\n"):
        op.execute(statement)
    for table, condition in SEEN_BY.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY seen_by ON {table} USING ({IS_HERE} AND ({HOUSE} OR ({condition})))")


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
        sa.Column("materials", sa.String, nullable=False),
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
        sa.PrimaryKeyConstraint("listing_id", "place", name=op.f("pk_offer")),
    )
    for name, (keys, only) in INDEXES.items():
        op.create_index(f"ix_offer_{name}", "offer", **_index(keys), postgresql_where=only and sa.text(only))


def _index(keys: list[str]) -> dict[str, Any]:
    """What a filter and the policy ask is carried along, so that the index answers alone."""
    whole = ["livemode", "status", *keys]
    more = [name for name in [*FACETS, *CARRIED, "closes_at", "listing_id"] if name not in whole]
    return {"columns": whole, "postgresql_include": more}


def downgrade() -> None:
    op.execute("DROP TRIGGER offers_follow ON listing")
    op.execute("DROP FUNCTION offers_follow()")
    op.drop_table("offer")
    op.drop_constraint(op.f("ck_listing_price_direction"), "listing")
    op.drop_column("listing", "price_direction")
