"""Leave deposits: a listing may ask new bidders for one, and the ledger holds it."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021_deposits"
down_revision = "0020_capability"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
LEDGER = Path(__file__).with_name("2026_11_22_1640_create_payments.sql")
ME = "(SELECT asker_org())"
HOUSE = "(SELECT asker_is_house())"
IS_HERE = "livemode = ANY (CAST((SELECT asker_livemodes()) AS boolean[]))"
SEEN_BY = {
    "deposit": f"bidder_id = {ME} OR (seller_id = {ME} AND status = 'forfeited')",
    "proven_bidder": f"org_id = {ME}",
}
KINDS = "'open_account', 'collect', 'call_off', 'transfer', 'refund'"
OF_DEPOSITS = "'deposit_collect', 'deposit_call_off', 'deposit_transfer', 'deposit_refund'"


def upgrade() -> None:
    op.add_column("listing", sa.Column("deposit_minor", sa.BigInteger))
    op.create_check_constraint(op.f("ck_listing_deposit"), "listing", "deposit_minor > 0 OR published_at IS NULL")
    _create_deposit()
    _create_proven_bidder()
    _know_kinds(f"{KINDS}, {OF_DEPOSITS}")
    op.execute(_ledger_post().replace("'deal_hold', ", "'deal_hold', 'deposit_hold', "))
    for table, condition in SEEN_BY.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY seen_by ON {table} USING ({IS_HERE} AND ({HOUSE} OR ({condition})))")


def _create_deposit() -> None:
    op.create_table(
        "deposit",
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("seller_id", sa.String, nullable=False),
        sa.Column("bidder_id", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("intent_id", sa.String),
        sa.Column("charge_id", sa.String),
        sa.Column("instructions", postgresql.JSONB),
        sa.Column("secured_at", INSTANT),
        sa.Column("decided_at", INSTANT),
        sa.Column("broken_bid_id", sa.String),
        sa.Column("paid_id", sa.String),
        sa.Column("paid_at", INSTANT),
        sa.Column("problem", sa.String),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_deposit_amount_positive")),
        sa.CheckConstraint(
            "status IN ('pending', 'calling_off', 'secured', 'failed', 'called_off', 'released', 'forfeited')",
            name=op.f("ck_deposit_status_known"),
        ),
        sa.CheckConstraint(
            "(status IN ('secured', 'released', 'forfeited')) = (secured_at IS NOT NULL)",
            name=op.f("ck_deposit_secured_with_money"),
        ),
        sa.CheckConstraint(
            "(status = 'forfeited') = (broken_bid_id IS NOT NULL)", name=op.f("ck_deposit_forfeited_for_a_bid")
        ),
        sa.ForeignKeyConstraint(["seller_id"], ["organization.id"], name=op.f("fk_deposit_seller_id")),
        sa.ForeignKeyConstraint(["bidder_id"], ["organization.id"], name=op.f("fk_deposit_bidder_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deposit")),
        *(sa.UniqueConstraint(name, name=op.f(f"uq_deposit_{name}")) for name in ("intent_id", "charge_id", "paid_id")),
    )
    op.create_index(
        "uq_deposit_under_way",
        "deposit",
        ["listing_id", "bidder_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('pending', 'calling_off', 'secured')"),
    )
    op.create_index("ix_deposit_bidder_id", "deposit", ["bidder_id", "id"])
    op.create_index("ix_deposit_seller_id", "deposit", ["seller_id"], postgresql_where=sa.text("status = 'forfeited'"))


def _create_proven_bidder() -> None:
    op.create_table(
        "proven_bidder",
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("org_id", sa.String, nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_proven_bidder_org_id")),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_proven_bidder")),
    )
    op.execute(
        "INSERT INTO proven_bidder (org_id, livemode, created_at) SELECT buyer_id, livemode, min(created_at)"
        " FROM \"order\" WHERE status IN ('settled', 'closed') GROUP BY 1, 2"
    )


def _know_kinds(kinds: str) -> None:
    op.drop_constraint(op.f("ck_stripe_operation_kind_known"), "stripe_operation", type_="check")
    op.create_check_constraint(op.f("ck_stripe_operation_kind_known"), "stripe_operation", f"kind IN ({kinds})")


def _ledger_post() -> str:
    """As payments made it. Replacing keeps its owner and its grants."""
    statements = LEDGER.read_text().split("\n--\n")
    [made] = [one for one in statements if "CREATE FUNCTION ledger_post(" in one]
    return made.replace("CREATE FUNCTION ledger_post(", "CREATE OR REPLACE FUNCTION ledger_post(")


def downgrade() -> None:
    op.execute(_ledger_post())
    op.execute(f"DELETE FROM stripe_operation WHERE kind IN ({OF_DEPOSITS})")
    _know_kinds(KINDS)
    op.drop_table("proven_bidder")
    op.drop_table("deposit")
    op.drop_constraint(op.f("ck_listing_deposit"), "listing", type_="check")
    op.drop_column("listing", "deposit_minor")
