"""Negotiate, sell at a fixed price, award by rule, and look at who bids together.

Counters are rows that nobody changes; what was agreed over them is written beside the bid's own promise, which stays.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016_negotiating"
down_revision = "0015_lots"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
ME = "(SELECT asker_org())"
HOUSE = "(SELECT asker_is_house())"
IS_HERE = "livemode = ANY (CAST((SELECT asker_livemodes()) AS boolean[]))"
OF_BID = "EXISTS (SELECT FROM bid WHERE bid.id = bid_id)"

STATUSES = "'submitted', 'active', {}'awarded', 'confirmed', 'timed_out', 'lost', 'withdrawn', 'expired'"
HAS_A_CLOCK = "status NOT IN ('open', 'closed') OR mode {} OR effective_end_at IS NOT NULL"


def upgrade() -> None:
    _listing()
    _bid()
    _counter()
    _finding()
    for table, condition in {"bid_counter": OF_BID, "integrity_finding": "false"}.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY seen_by ON {table} USING ({IS_HERE} AND ({HOUSE} OR {condition}))")


def _listing() -> None:
    op.add_column("listing", sa.Column("price_minor", sa.BigInteger))
    op.add_column("listing", sa.Column("reserve_price_minor", sa.BigInteger))
    op.add_column("listing", sa.Column("award_rule", sa.String, nullable=False, server_default="by_hand"))
    op.add_column("listing", sa.Column("recovers_vat", sa.Boolean, nullable=False, server_default=sa.true()))
    _replace("listing", "mode", "mode IN ('sealed', 'timed', 'negotiated', 'instant')")
    _replace("listing", "clock", HAS_A_CLOCK.format("IN ('negotiated', 'instant')"))
    op.create_check_constraint(
        op.f("ck_listing_price"), "listing", "published_at IS NULL OR (mode = 'instant') = (price_minor IS NOT NULL)"
    )
    op.create_check_constraint(op.f("ck_listing_award_rule"), "listing", "award_rule IN ('by_hand', 'best_landed')")


def _bid() -> None:
    op.add_column("bid", sa.Column("co2e_g", sa.BigInteger))
    op.add_column("bid", sa.Column("agreed_price_minor", sa.BigInteger))
    op.add_column("bid", sa.Column("agreed_haulage_minor", sa.BigInteger))
    op.create_check_constraint(op.f("ck_bid_co2e"), "bid", "co2e_g >= 0")
    op.create_check_constraint(op.f("ck_bid_agreed_haulage"), "bid", "agreed_haulage_minor >= 0")
    _replace("bid", "status", f"status IN ({STATUSES.format(repr('countered') + ', ')})")
    _one_live_bid("'submitted', 'active', 'countered'")
    op.execute("GRANT UPDATE (agreed_price_minor, agreed_haulage_minor) ON bid TO backhaul_app")


def _counter() -> None:
    op.create_table(
        "bid_counter",
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("bid_id", sa.String, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("side", sa.String, nullable=False),
        sa.Column("made_by", sa.String, nullable=False),
        sa.Column("price_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("haulage_minor", sa.BigInteger),
        sa.Column("note", sa.String),
        sa.Column("expires_at", INSTANT),
        sa.CheckConstraint("side IN ('seller', 'buyer')", name=op.f("ck_bid_counter_side")),
        sa.CheckConstraint("number > 0", name=op.f("ck_bid_counter_number")),
        sa.CheckConstraint("haulage_minor >= 0", name=op.f("ck_bid_counter_haulage")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_bid_counter_validity")),
        sa.ForeignKeyConstraint(["bid_id"], ["bid.id"], name=op.f("fk_bid_counter_bid_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bid_counter")),
        sa.UniqueConstraint("bid_id", "number", name=op.f("uq_bid_counter_bid_id_number")),
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON bid_counter FROM backhaul_app")


def _finding() -> None:
    op.create_table(
        "integrity_finding",
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("org_ids", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("evidence", postgresql.JSONB, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("decided_at", INSTANT),
        sa.Column("decided_by", sa.String),
        sa.Column("note", sa.String),
        sa.CheckConstraint(
            "kind IN ('same_vat_root', 'same_bank_account', 'same_people', 'withdrawn_leader', 'bidding_ring')",
            name=op.f("ck_integrity_finding_kind"),
        ),
        sa.CheckConstraint("status IN ('open', 'cleared', 'upheld')", name=op.f("ck_integrity_finding_status")),
        sa.CheckConstraint(
            "(status = 'open') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)",
            name=op.f("ck_integrity_finding_decision"),
        ),
        sa.CheckConstraint("cardinality(org_ids) > 0", name=op.f("ck_integrity_finding_orgs")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_integrity_finding_listing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integrity_finding")),
        sa.UniqueConstraint("listing_id", "kind", "org_ids", name=op.f("uq_integrity_finding_listing_id_kind_org_ids")),
    )
    op.create_index("ix_integrity_finding_status", "integrity_finding", ["livemode", "status", "id"])


def _replace(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def _one_live_bid(statuses: str) -> None:
    op.drop_index("uq_bid_live", "bid")
    where = sa.text(f"status IN ({statuses})")
    op.create_index("uq_bid_live", "bid", ["listing_id", "bidder_id"], unique=True, postgresql_where=where)


def downgrade() -> None:
    op.drop_table("integrity_finding")
    op.drop_table("bid_counter")
    _one_live_bid("'submitted', 'active'")
    _replace("bid", "status", f"status IN ({STATUSES.format('')})")
    for column in ("co2e_g", "agreed_price_minor", "agreed_haulage_minor"):
        op.drop_column("bid", column)
    for name in ("price", "award_rule"):
        op.drop_constraint(op.f(f"ck_listing_{name}"), "listing", type_="check")
    _replace("listing", "clock", HAS_A_CLOCK.format("= 'negotiated'"))
    _replace("listing", "mode", "mode IN ('sealed', 'timed', 'negotiated')")
    for column in ("price_minor", "reserve_price_minor", "award_rule", "recovers_vat"):
        op.drop_column("listing", column)
