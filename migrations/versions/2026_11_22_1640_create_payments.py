"""Create payments: deals and what moves through the provider, the outbox and inbox, and the ledger.

The app's role may read the ledger and call `ledger_post`, which runs as the owner with a fixed search_path; nobody may
change it.
"""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005_payments"
down_revision = "0004_pickups"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_deal()
    _create_payment()
    _create_transfer()
    _create_refund()
    _create_payout_account()
    _create_stripe_operation()
    _create_stripe_event()
    _create_ledger_account()
    _create_ledger_posting()
    _create_ledger_entry()
    for statement in Path(__file__).with_suffix(".sql").read_text().split("\n--\n"):
        op.execute(statement)


def _shared_columns(*, is_versioned: bool = True) -> list[sa.Column[Any]]:
    shared: list[sa.Column[Any]] = [
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]
    return [*shared, sa.Column("version", sa.Integer, nullable=False)] if is_versioned else shared


def _create_deal() -> None:
    op.create_table(
        "deal",
        *_shared_columns(),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("order_id", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("seller_id", sa.String, nullable=False),
        sa.Column("buyer_id", sa.String, nullable=False),
        sa.Column("goods_payer_id", sa.String, nullable=False),
        sa.Column("haulage_payer_id", sa.String),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("goods_minor", sa.BigInteger, nullable=False),
        sa.Column("goods_vat_bps", sa.Integer, nullable=False),
        sa.Column("haulage_ceiling_minor", sa.BigInteger),
        sa.Column("haulage_vat_bps", sa.Integer, nullable=False),
        sa.Column("commission_bps", sa.Integer, nullable=False),
        sa.Column("commission_vat_bps", sa.Integer, nullable=False),
        sa.Column("vat_country", sa.String, nullable=False),
        sa.Column("goods_part_minor", sa.BigInteger, nullable=False),
        sa.Column("haulage_part_minor", sa.BigInteger, nullable=False),
        sa.Column("haulage_released_minor", sa.BigInteger, nullable=False),
        sa.Column("haulage_gross_minor", sa.BigInteger, nullable=False),
        sa.Column("withheld_minor", sa.BigInteger, nullable=False),
        sa.Column("contested_minor", sa.BigInteger, nullable=False),
        sa.Column("accepted_minor", sa.BigInteger, nullable=False),
        sa.Column("settlements", sa.Integer, nullable=False),
        sa.CheckConstraint(
            "status IN ('agreed', 'collecting', 'collect_failed', 'held', 'settling', 'settled', 'closed', 'cancelling', 'cancelled')",
            name=op.f("ck_deal_status_known"),
        ),
        sa.CheckConstraint("contested_minor >= 0 AND withheld_minor >= 0", name=op.f("ck_deal_amounts_not_negative")),
        sa.CheckConstraint(
            "goods_part_minor >= 0 AND haulage_part_minor >= 0", name=op.f("ck_deal_exposure_not_negative")
        ),
        sa.CheckConstraint(
            "haulage_released_minor BETWEEN 0 AND COALESCE(haulage_ceiling_minor, 0)",
            name=op.f("ck_deal_haulage_within_ceiling"),
        ),
        sa.CheckConstraint("seller_id <> buyer_id", name=op.f("ck_deal_two_parties")),
        sa.ForeignKeyConstraint(["buyer_id"], ["organization.id"], name=op.f("fk_deal_buyer_id")),
        sa.ForeignKeyConstraint(["goods_payer_id"], ["organization.id"], name=op.f("fk_deal_goods_payer_id")),
        sa.ForeignKeyConstraint(["haulage_payer_id"], ["organization.id"], name=op.f("fk_deal_haulage_payer_id")),
        sa.ForeignKeyConstraint(["seller_id"], ["organization.id"], name=op.f("fk_deal_seller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal")),
    )
    op.create_index("ix_deal_buyer_id", "deal", ["buyer_id"])
    op.create_index("ix_deal_seller_id", "deal", ["seller_id"])
    op.create_index("uq_deal_order_id_currency", "deal", ["order_id", "currency"], unique=True)


def _create_payment() -> None:
    op.create_table(
        "payment",
        *_shared_columns(),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("deal_id", sa.String, nullable=False),
        sa.Column("payer_id", sa.String, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("transferred_minor", sa.BigInteger, nullable=False),
        sa.Column("refunded_minor", sa.BigInteger, nullable=False),
        sa.Column("intent_id", sa.String),
        sa.Column("charge_id", sa.String),
        sa.Column("collected_at", sa.DateTime(timezone=True)),
        sa.Column("instructions", postgresql.JSONB),
        sa.CheckConstraint(
            "status IN ('planned', 'requires_payment_method', 'requires_confirmation', 'requires_action', 'processing', 'succeeded', 'canceled', 'failed')",
            name=op.f("ck_payment_status_known"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_amount_positive")),
        sa.CheckConstraint(
            "transferred_minor BETWEEN 0 AND amount_minor", name=op.f("ck_payment_transferred_within_amount")
        ),
        sa.CheckConstraint("refunded_minor BETWEEN 0 AND amount_minor", name=op.f("ck_payment_refunded_within_amount")),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_payment_deal_id")),
        sa.ForeignKeyConstraint(["payer_id"], ["organization.id"], name=op.f("fk_payment_payer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("charge_id", name=op.f("uq_payment_charge_id")),
        sa.UniqueConstraint("intent_id", name=op.f("uq_payment_intent_id")),
    )
    op.create_index("ix_payment_deal_id", "payment", ["deal_id"])


def _create_transfer() -> None:
    op.create_table(
        "transfer",
        *_shared_columns(),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("deal_id", sa.String, nullable=False),
        sa.Column("payment_id", sa.String),
        sa.Column("payee_id", sa.String, nullable=False),
        sa.Column("leg", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("blocked_reason", sa.String),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("stripe_id", sa.String),
        sa.Column("paid_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("status IN ('planned', 'blocked', 'paid')", name=op.f("ck_transfer_status_known")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_transfer_amount_positive")),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_transfer_deal_id")),
        sa.ForeignKeyConstraint(["payee_id"], ["organization.id"], name=op.f("fk_transfer_payee_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_transfer_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("stripe_id", name=op.f("uq_transfer_stripe_id")),
    )
    op.create_index("ix_transfer_deal_id", "transfer", ["deal_id"])
    op.create_index("ix_transfer_payee_id", "transfer", ["payee_id"])


def _create_refund() -> None:
    op.create_table(
        "refund",
        *_shared_columns(),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("deal_id", sa.String, nullable=False),
        sa.Column("payment_id", sa.String, nullable=False),
        sa.Column("payer_id", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("stripe_id", sa.String),
        sa.Column("paid_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "status IN ('planned', 'pending', 'requires_action', 'succeeded', 'failed', 'canceled')",
            name=op.f("ck_refund_status_known"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refund_amount_positive")),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_refund_deal_id")),
        sa.ForeignKeyConstraint(["payer_id"], ["organization.id"], name=op.f("fk_refund_payer_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_refund_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("stripe_id", name=op.f("uq_refund_stripe_id")),
    )
    op.create_index("ix_refund_deal_id", "refund", ["deal_id"])
    op.create_index("ix_refund_payer_id", "refund", ["payer_id"])


def _create_payout_account() -> None:
    op.create_table(
        "payout_account",
        *_shared_columns(),
        sa.Column("org_id", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("stripe_id", sa.String),
        sa.Column("requirements", postgresql.JSONB, nullable=False),
        sa.CheckConstraint(
            "status IN ('requested', 'created', 'link_issued', 'pending_requirements', 'active', 'restricted', 'closed')",
            name=op.f("ck_payout_account_status_known"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_payout_account_org_id")),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_payout_account")),
        sa.UniqueConstraint("stripe_id", name=op.f("uq_payout_account_stripe_id")),
    )


def _create_stripe_operation() -> None:
    op.create_table(
        "stripe_operation",
        *_shared_columns(),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("deal_id", sa.String),
        sa.Column("org_id", sa.String, nullable=False),
        sa.Column("subject_id", sa.String, nullable=False),
        sa.Column("params", postgresql.JSONB, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("is_key_spent", sa.Boolean, nullable=False),
        sa.Column("first_attempt_at", sa.DateTime(timezone=True)),
        sa.Column("not_before", sa.DateTime(timezone=True)),
        sa.Column("stripe_id", sa.String),
        sa.Column("blocked_reason", sa.String),
        sa.Column("last_error", sa.String),
        sa.CheckConstraint(
            "(status = 'blocked') = (blocked_reason IS NOT NULL)", name=op.f("ck_stripe_operation_blocked_has_reason")
        ),
        sa.CheckConstraint(
            "kind IN ('open_account', 'collect', 'call_off', 'transfer', 'refund')",
            name=op.f("ck_stripe_operation_kind_known"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'sending', 'blocked', 'done', 'failed_permanent', 'withdrawn')",
            name=op.f("ck_stripe_operation_status_known"),
        ),
        sa.CheckConstraint("generation > 0 AND attempts >= 0", name=op.f("ck_stripe_operation_counters_not_negative")),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_stripe_operation_deal_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_stripe_operation_org_id")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_stripe_operation")),
    )
    op.create_index(
        "ix_stripe_operation_blocked", "stripe_operation", ["org_id"], postgresql_where=sa.text("status = 'blocked'")
    )
    op.create_index("ix_stripe_operation_deal_id", "stripe_operation", ["deal_id"])
    op.create_index("ix_stripe_operation_subject_id", "stripe_operation", ["subject_id"])


def _create_stripe_event() -> None:
    op.create_table(
        "stripe_event",
        *_shared_columns(is_versioned=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("api_version", sa.String),
        sa.Column("account", sa.String),
        sa.Column("object_id", sa.String),
        sa.Column("object_kind", sa.String),
        sa.Column("is_thin", sa.Boolean, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("status IN ('received', 'handled', 'ignored')", name=op.f("ck_stripe_event_status_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_event")),
    )


def _create_ledger_account() -> None:
    op.create_table(
        "ledger_account",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("hot", sa.Boolean, nullable=False),
        sa.Column("overdraft", sa.Boolean, nullable=False),
        sa.Column("balance", sa.BigInteger, nullable=False),
        sa.CheckConstraint(
            "hot OR overdraft OR CASE WHEN kind IN ('asset', 'expense') THEN balance >= 0 ELSE balance <= 0 END",
            name=op.f("ck_ledger_account_not_overdrawn"),
        ),
        sa.CheckConstraint(
            "kind IN ('asset', 'liability', 'income', 'expense')", name=op.f("ck_ledger_account_kind_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_account")),
        sa.UniqueConstraint("id", "livemode", "currency", name=op.f("uq_ledger_account_id_livemode_currency")),
        sa.UniqueConstraint(
            "livemode", "code", "owner", "currency", name=op.f("uq_ledger_account_livemode_code_owner_currency")
        ),
    )
    op.create_index("ix_ledger_account_owner", "ledger_account", ["owner"])


def _create_ledger_posting() -> None:
    op.create_table(
        "ledger_posting",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("posting_key", sa.String, nullable=False),
        sa.Column("body_hash", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("order_id", sa.String),
        sa.Column("stripe_ref", sa.String),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("xid", sa.BigInteger, server_default=sa.text("(pg_current_xact_id()::text)::bigint"), nullable=False),
        sa.Column("reverses", sa.BigInteger),
        sa.ForeignKeyConstraint(["reverses"], ["ledger_posting.id"], name=op.f("fk_ledger_posting_reverses")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_posting")),
        sa.UniqueConstraint("id", "livemode", name=op.f("uq_ledger_posting_id_livemode")),
        sa.UniqueConstraint("posting_key", name=op.f("uq_ledger_posting_posting_key")),
    )
    op.create_index("ix_ledger_posting_order_id", "ledger_posting", ["order_id"])
    op.create_index(
        "uq_ledger_posting_stripe_ref",
        "ledger_posting",
        ["stripe_ref"],
        unique=True,
        postgresql_where=sa.text("stripe_ref IS NOT NULL"),
    )


def _create_ledger_entry() -> None:
    op.create_table(
        "ledger_entry",
        sa.Column("posting_id", sa.BigInteger, nullable=False),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("account_id", sa.BigInteger, nullable=False),
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_ledger_entry_amount_not_zero")),
        sa.ForeignKeyConstraint(
            ["account_id", "livemode", "currency"],
            ["ledger_account.id", "ledger_account.livemode", "ledger_account.currency"],
            name=op.f("fk_ledger_entry_account_id_livemode_currency"),
        ),
        sa.ForeignKeyConstraint(
            ["posting_id", "livemode"],
            ["ledger_posting.id", "ledger_posting.livemode"],
            name=op.f("fk_ledger_entry_posting_id_livemode"),
        ),
        sa.PrimaryKeyConstraint("posting_id", "line", name=op.f("pk_ledger_entry")),
    )
    op.create_index("ix_ledger_entry_account_id", "ledger_entry", ["account_id"])


def downgrade() -> None:
    op.execute("DROP FUNCTION ledger_post")
    op.drop_table("ledger_entry")
    op.drop_table("ledger_posting")
    op.drop_table("ledger_account")
    op.drop_table("stripe_event")
    op.drop_table("stripe_operation")
    op.drop_table("payout_account")
    op.drop_table("refund")
    op.drop_table("transfer")
    op.drop_table("payment")
    op.drop_table("deal")
    for function in ("ledger_is_balanced", "ledger_entry_is_in_time", "ledger_is_unchangeable", "ledger_check"):
        op.execute(f"DROP FUNCTION {function}")
