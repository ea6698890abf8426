"""Create orders: awards, orders and their lines, deliveries, receipts, remainders and obligations."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008_orders"
down_revision = "0007_bidding"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
STATUSES = (
    "'pending_confirmation', 'confirmed', 'in_fulfilment', 'partially_received', 'received', 'accepted',"
    " 'partially_accepted', 'refused', 'settled', 'closed', 'cancelled'"
)


def upgrade() -> None:
    _create_award()
    _create_order()
    _create_order_line()
    _create_obligation()
    _create_expected_delivery()
    _create_receipt()
    _create_receipt_line()
    _create_remainder()


def downgrade() -> None:
    for table in (
        "remainder",
        "receipt_line",
        "receipt",
        "expected_delivery",
        "obligation",
        "order_line",
        "order",
        "award",
    ):
        op.drop_table(table)


def _row() -> list[sa.Column[Any]]:
    return [sa.Column("livemode", sa.Boolean, nullable=False), sa.Column("created_at", INSTANT, nullable=False)]


def _versioned() -> list[sa.Column[Any]]:
    return [*_row(), sa.Column("version", sa.Integer, nullable=False)]


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _create_award() -> None:
    op.create_table(
        "award",
        *_row(),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("bid_id", sa.String, nullable=False),
        sa.Column("seller_id", sa.String, nullable=False),
        sa.Column("buyer_id", sa.String, nullable=False),
        sa.Column("awarded_by", sa.String, nullable=False),
        sa.Column("ranking", postgresql.JSONB, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("end_reason", sa.String),
        _check("award", "end_has_a_reason", "(ended_at IS NULL) = (end_reason IS NULL)"),
        _key("award", "listing_id", "listing.id"),
        _key("award", "bid_id", "bid.id"),
        _key("award", "seller_id", "organization.id"),
        _key("award", "buyer_id", "organization.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_award")),
        sa.UniqueConstraint("bid_id", name=op.f("uq_award_bid_id")),
    )
    op.create_index(
        "uq_award_listing_id", "award", ["listing_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )


def _create_order() -> None:
    op.create_table(
        "order",
        *_versioned(),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("award_id", sa.String, nullable=False),
        sa.Column("listing_id", sa.String, nullable=False),
        sa.Column("bid_id", sa.String, nullable=False),
        sa.Column("seller_id", sa.String, nullable=False),
        sa.Column("buyer_id", sa.String, nullable=False),
        sa.Column("from_site_id", sa.String, nullable=False),
        sa.Column("to_site_id", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("terms", postgresql.JSONB, nullable=False),
        sa.Column("terms_hash", sa.String, nullable=False),
        sa.Column("confirm_by", INSTANT, nullable=False),
        sa.Column("confirmed_at", INSTANT),
        sa.Column("dispute_ends_at", INSTANT),
        sa.Column("closed_at", INSTANT),
        sa.Column("cancel_reason", sa.String),
        sa.Column("parent_order_id", sa.String),
        sa.Column("origin_remainder_id", sa.String),
        _check("order", "status", f"status IN ({STATUSES})"),
        _check("order", "terms_hash", "terms_hash ~ '^[0-9a-f]{64}$'"),
        _check("order", "two_parties", "seller_id <> buyer_id"),
        _check("order", "origin", "(parent_order_id IS NULL) = (origin_remainder_id IS NULL)"),
        _check("order", "cancelled_for_a_reason", "(status = 'cancelled') = (cancel_reason IS NOT NULL)"),
        _key("order", "award_id", "award.id"),
        _key("order", "listing_id", "listing.id"),
        _key("order", "bid_id", "bid.id"),
        _key("order", "seller_id", "organization.id"),
        _key("order", "buyer_id", "organization.id"),
        _key("order", "from_site_id", "site.id"),
        _key("order", "to_site_id", "site.id"),
        _key("order", "parent_order_id", "order.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order")),
        sa.UniqueConstraint("award_id", name=op.f("uq_order_award_id")),
    )
    for column in ("listing_id", "bid_id", "seller_id", "buyer_id", "parent_order_id", "origin_remainder_id"):
        op.create_index(op.f(f"ix_order_{column}"), "order", [column])


def _create_order_line() -> None:
    op.create_table(
        "order_line",
        *_versioned(),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("order_id", sa.String, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("item_id", sa.String, nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("mass_g", sa.BigInteger),
        sa.Column("waste_code", sa.String),
        sa.Column("un_number", sa.String),
        sa.Column("is_hazardous", sa.Boolean, nullable=False),
        _check("order_line", "quantity", "quantity >= 1"),
        _check("order_line", "mass", "mass_g >= 0"),
        _key("order_line", "order_id", "order.id"),
        _key("order_line", "item_id", "item.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
        sa.UniqueConstraint("order_id", "position", name=op.f("uq_order_line_order_id_position")),
    )


def _create_obligation() -> None:
    op.create_table(
        "obligation",
        *_versioned(),
        sa.Column("order_id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("owed_by_id", sa.String, nullable=False),
        sa.Column("owed_to_id", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("certificate_id", sa.String),
        sa.Column("ended_at", INSTANT),
        _check("obligation", "status", "status IN ('open', 'fulfilled', 'waived')"),
        _check("obligation", "fulfilled_by_a_certificate", "(status = 'fulfilled') = (certificate_id IS NOT NULL)"),
        _key("obligation", "order_id", "order.id"),
        _key("obligation", "owed_by_id", "organization.id"),
        _key("obligation", "owed_to_id", "organization.id"),
        sa.PrimaryKeyConstraint("order_id", "kind", name=op.f("pk_obligation")),
    )


def _create_expected_delivery() -> None:
    op.create_table(
        "expected_delivery",
        *_row(),
        sa.Column("pickup_id", sa.String, nullable=False),
        sa.Column("order_id", sa.String, nullable=False),
        sa.Column("lines", postgresql.JSONB, nullable=False),
        sa.Column("measurement", postgresql.JSONB, nullable=False),
        sa.Column("delivered_at", INSTANT, nullable=False),
        _key("expected_delivery", "pickup_id", "pickup_job.id"),
        _key("expected_delivery", "order_id", "order.id"),
        sa.PrimaryKeyConstraint("pickup_id", name=op.f("pk_expected_delivery")),
    )
    op.create_index(op.f("ix_expected_delivery_order_id"), "expected_delivery", ["order_id"])


def _create_receipt() -> None:
    op.create_table(
        "receipt",
        *_versioned(),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("order_id", sa.String, nullable=False),
        sa.Column("pickup_id", sa.String, nullable=False),
        sa.Column("site_id", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("measurement", postgresql.JSONB, nullable=False),
        sa.Column("flags", postgresql.JSONB, nullable=False),
        sa.Column("received_by", sa.String, nullable=False),
        sa.Column("inspect_by", INSTANT, nullable=False),
        sa.Column("inspected_at", INSTANT),
        sa.Column("inspected_by", sa.String),
        _check("receipt", "status", "status IN ('received', 'inspected')"),
        _check("receipt", "inspected_at", "(status = 'inspected') = (inspected_at IS NOT NULL)"),
        _check("receipt", "inspected_by", "(inspected_at IS NULL) = (inspected_by IS NULL)"),
        _key("receipt", "order_id", "order.id"),
        _key("receipt", "pickup_id", "pickup_job.id"),
        _key("receipt", "site_id", "site.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("pickup_id", name=op.f("uq_receipt_pickup_id")),
    )
    op.create_index(op.f("ix_receipt_order_id"), "receipt", ["order_id"])


def _create_receipt_line() -> None:
    op.create_table(
        "receipt_line",
        *_row(),
        sa.Column("receipt_id", sa.String, nullable=False),
        sa.Column("line_id", sa.String, nullable=False),
        sa.Column("received_g", sa.BigInteger, nullable=False),
        sa.Column("received_quantity", sa.Integer, nullable=False),
        sa.Column("accepted_g", sa.BigInteger),
        sa.Column("accepted_quantity", sa.Integer),
        sa.Column("refused_g", sa.BigInteger),
        sa.Column("refused_quantity", sa.Integer),
        sa.Column("reason", sa.String),
        sa.Column("note", sa.String),
        sa.Column("evidence", postgresql.JSONB, nullable=False),
        _check("receipt_line", "mass", "received_g >= 0 AND accepted_g >= 0 AND refused_g >= 0"),
        _check(
            "receipt_line",
            "quantity",
            "received_quantity >= 0 AND accepted_quantity >= 0 AND refused_quantity >= 0",
        ),
        _check("receipt_line", "mass_has_an_outcome", "accepted_g + refused_g = received_g"),
        _check("receipt_line", "quantity_has_an_outcome", "accepted_quantity + refused_quantity = received_quantity"),
        _check(
            "receipt_line",
            "inspected_whole",
            "num_nulls(accepted_g, refused_g, accepted_quantity, refused_quantity) IN (0, 4)",
        ),
        _check(
            "receipt_line",
            "refused_for_a_reason",
            "COALESCE(refused_g, 0) + COALESCE(refused_quantity, 0) = 0"
            " OR reason IS NOT NULL AND jsonb_array_length(evidence) > 0",
        ),
        _key("receipt_line", "receipt_id", "receipt.id"),
        _key("receipt_line", "line_id", "order_line.id"),
        sa.PrimaryKeyConstraint("receipt_id", "line_id", name=op.f("pk_receipt_line")),
        sa.UniqueConstraint(
            "receipt_id", "line_id", "refused_g", "refused_quantity", name=op.f("uq_receipt_line_refused")
        ),
    )
    op.create_index(op.f("ix_receipt_line_line_id"), "receipt_line", ["line_id"])


def _create_remainder() -> None:
    op.create_table(
        "remainder",
        *_versioned(),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("order_id", sa.String, nullable=False),
        sa.Column("receipt_id", sa.String, nullable=False),
        sa.Column("line_id", sa.String, nullable=False),
        sa.Column("mass_g", sa.BigInteger, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("value_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("acknowledge_by", INSTANT, nullable=False),
        sa.Column("acknowledged_at", INSTANT),
        sa.Column("route", sa.String),
        sa.Column("listing_id", sa.String),
        sa.Column("pickup_id", sa.String),
        _check("remainder", "status", "status IN ('open', 'routed', 'ended')"),
        _check("remainder", "route", "route IN ('return', 'redirect', 'relist', 'dispose')"),
        _check("remainder", "routed_somewhere", "(status = 'open') = (route IS NULL)"),
        _check("remainder", "leads_somewhere", "(route IS NULL) = (num_nonnulls(listing_id, pickup_id) = 0)"),
        sa.ForeignKeyConstraint(
            ["receipt_id", "line_id", "mass_g", "quantity"],
            [
                "receipt_line.receipt_id",
                "receipt_line.line_id",
                "receipt_line.refused_g",
                "receipt_line.refused_quantity",
            ],
            name=op.f("fk_remainder_refused"),
        ),
        _key("remainder", "order_id", "order.id"),
        _key("remainder", "listing_id", "listing.id"),
        _key("remainder", "pickup_id", "pickup_job.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remainder")),
        sa.UniqueConstraint("receipt_id", "line_id", name=op.f("uq_remainder_receipt_id_line_id")),
    )
    for column in ("order_id", "listing_id", "pickup_id"):
        op.create_index(op.f(f"ix_remainder_{column}"), "remainder", [column])
