"""Keep the amounts of sealed bids in boxes until the close, and sign what was received; keep how an ascending auction stands.

Bids that stand in an open sealed listing keep their amounts in plain: nothing that was written can be unwritten.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017_sealing"
down_revision = "0016_negotiating"
branch_labels = None
depends_on = None

ME = "(SELECT asker_org())"
HOUSE = "(SELECT asker_is_house())"
IS_HERE = "livemode = ANY (CAST((SELECT asker_livemodes()) AS boolean[]))"
READABLE = (
    "EXISTS (SELECT FROM listing WHERE listing.id = listing_id AND seller_id = {me} AND (mode <> 'sealed' OR"
    " (listing.status IN ('closed', 'partially_awarded', 'awarded', 'fulfilled', 'expired') AND {opened})))"
)
SEEN_BY = {
    "auction": "false",
    "sealing_key": "false",
    "sealed_bid": "EXISTS (SELECT FROM bid WHERE bid.id = bid_id)",
    "receipt_book": f"EXISTS (SELECT FROM listing WHERE listing.id = listing_id AND seller_id = {ME})",
}
WRITTEN_ONCE = ("price_minor", "haulage_ceiling_minor", "haulage_quote_minor")


def upgrade() -> None:
    _seal_amounts()
    _create_boxes()
    _raise_bids()
    for table, condition in SEEN_BY.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY seen_by ON {table} USING ({IS_HERE} AND ({HOUSE} OR {condition}))")
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM backhaul_app")
    op.execute("GRANT UPDATE (position, hash, salt) ON sealed_bid TO backhaul_app")
    op.execute("GRANT UPDATE ON auction TO backhaul_app")
    op.execute("GRANT UPDATE (standing_price_minor) ON bid TO backhaul_app")
    op.execute(f"GRANT UPDATE ({', '.join(WRITTEN_ONCE)}) ON bid TO backhaul_app")
    op.execute(
        "CREATE FUNCTION bid_amounts_are_written_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF OLD.price_minor IS NOT NULL THEN RAISE EXCEPTION 'what a bid promised never changes'; END IF;"
        " RETURN NEW; END $$"
    )
    op.execute(
        f"CREATE TRIGGER written_once BEFORE UPDATE OF {', '.join(WRITTEN_ONCE)} ON bid"
        " FOR EACH ROW EXECUTE FUNCTION bid_amounts_are_written_once()"
    )
    _see_bids_where("bid.price_minor IS NOT NULL")


def _seal_amounts() -> None:
    op.alter_column("bid", "price_minor", nullable=True)
    op.drop_constraint(op.f("ck_bid_quote_of_delivery"), "bid")
    op.create_check_constraint(
        op.f("ck_bid_quote_of_delivery"),
        "bid",
        "price_minor IS NULL OR (haulage_basis = 'DAP') = (haulage_quote_minor IS NOT NULL)",
    )
    op.create_check_constraint(
        op.f("ck_bid_sealed_whole"),
        "bid",
        "price_minor IS NOT NULL OR num_nonnulls(haulage_ceiling_minor, haulage_quote_minor) = 0",
    )


def _create_boxes() -> None:
    op.create_table(
        "sealing_key",
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_sealing_key_listing_id")),
        sa.PrimaryKeyConstraint("public_key", name=op.f("pk_sealing_key")),
    )
    op.create_index(op.f("ix_sealing_key_listing_id"), "sealing_key", ["listing_id"])
    op.create_table(
        "sealed_bid",
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bid_id", sa.String, nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("own", sa.LargeBinary, nullable=False),
        sa.Column("commitment", sa.LargeBinary, nullable=False),
        sa.Column("receipt", sa.String, nullable=False),
        sa.Column("salt", sa.String),
        sa.Column("position", sa.Integer),
        sa.Column("hash", sa.LargeBinary),
        sa.CheckConstraint("octet_length(commitment) = 32", name=op.f("ck_sealed_bid_commitment")),
        sa.CheckConstraint("(position IS NULL) = (hash IS NULL)", name=op.f("ck_sealed_bid_chained_whole")),
        sa.ForeignKeyConstraint(["bid_id"], ["bid.id"], name=op.f("fk_sealed_bid_bid_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_sealed_bid_listing_id")),
        sa.ForeignKeyConstraint(["public_key"], ["sealing_key.public_key"], name=op.f("fk_sealed_bid_public_key")),
        sa.PrimaryKeyConstraint("bid_id", name=op.f("pk_sealed_bid")),
        sa.UniqueConstraint("listing_id", "position", name=op.f("uq_sealed_bid_listing_id_position")),
    )
    op.create_table(
        "receipt_book",
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("head", sa.LargeBinary, nullable=False),
        sa.Column("statement", sa.String, nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_receipt_book_listing_id")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("pk_receipt_book")),
    )


def _raise_bids() -> None:
    op.add_column("listing", sa.Column("increment_minor", sa.BigInteger))
    op.create_check_constraint(op.f("ck_listing_increment"), "listing", "increment_minor > 0 OR published_at IS NULL")
    op.add_column("bid", sa.Column("limit_minor", sa.BigInteger))
    op.add_column("bid", sa.Column("standing_price_minor", sa.BigInteger))
    op.create_check_constraint(op.f("ck_bid_limit"), "bid", "limit_minor >= price_minor")
    op.create_table(
        "auction",
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("leader_bid_id", sa.String, nullable=False),
        sa.Column("leader_id", sa.String, nullable=False),
        sa.Column("price_minor", sa.BigInteger, nullable=False),
        sa.Column("limit_minor", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.CheckConstraint("limit_minor >= price_minor", name=op.f("ck_auction_limit")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_auction_listing_id")),
        sa.ForeignKeyConstraint(["leader_bid_id"], ["bid.id"], name=op.f("fk_auction_leader_bid_id")),
        sa.ForeignKeyConstraint(["leader_id"], ["organization.id"], name=op.f("fk_auction_leader_id")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("pk_auction")),
    )


def _see_bids_where(opened: str) -> None:
    theirs = READABLE.format(me=ME, opened=opened)
    op.execute("DROP POLICY seen_by ON bid")
    op.execute(f"CREATE POLICY seen_by ON bid USING ({IS_HERE} AND ({HOUSE} OR bidder_id = {ME} OR {theirs}))")


def downgrade() -> None:
    _see_bids_where("bid.status <> 'withdrawn'")
    op.execute("DROP TRIGGER written_once ON bid")
    op.execute("DROP FUNCTION bid_amounts_are_written_once()")
    op.execute(f"REVOKE UPDATE ({', '.join(WRITTEN_ONCE)}) ON bid FROM backhaul_app")
    for table in ("auction", "receipt_book", "sealed_bid", "sealing_key"):
        op.drop_table(table)
    op.drop_constraint(op.f("ck_bid_limit"), "bid")
    op.drop_column("bid", "standing_price_minor")
    op.drop_column("bid", "limit_minor")
    op.drop_column("listing", "increment_minor")
    op.drop_constraint(op.f("ck_bid_sealed_whole"), "bid")
    op.drop_constraint(op.f("ck_bid_quote_of_delivery"), "bid")
    op.create_check_constraint(
        op.f("ck_bid_quote_of_delivery"), "bid", "(haulage_basis = 'DAP') = (haulage_quote_minor IS NOT NULL)"
    )
    op.alter_column("bid", "price_minor", nullable=False)
