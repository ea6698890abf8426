"""Keep an audit trail: append-only by trigger and by grant; only an entry's place in its chain is filled in later, once."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012_audit"
down_revision = "0011_credentials"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
INSERTED = (
    "id, livemode, created_at, org_id, acting_org_id, delegation_id, actor_kind, member_id, key_id, session_id, operation,"
    " request_id, changes, subject_ids"
)
KEEPS = """
    CREATE FUNCTION audit_entry_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND OLD.seq IS NULL
            AND to_jsonb(NEW) - ARRAY['seq', 'prev_hash', 'hash'] = to_jsonb(OLD) - ARRAY['seq', 'prev_hash', 'hash']
        THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'audit_entry is append-only'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'audit_entry_append_only';
    END $$
"""


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("ordinal", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("org_id", sa.String, nullable=False),
        sa.Column("acting_org_id", sa.String),
        sa.Column("delegation_id", sa.String),
        sa.Column("actor_kind", sa.String, nullable=False),
        sa.Column("member_id", sa.String),
        sa.Column("key_id", sa.String),
        sa.Column("session_id", sa.String),
        sa.Column("operation", sa.String),
        sa.Column("request_id", sa.String),
        sa.Column("changes", postgresql.JSONB, nullable=False),
        sa.Column("subject_ids", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("seq", sa.BigInteger),
        sa.Column("prev_hash", sa.LargeBinary),
        sa.Column("hash", sa.LargeBinary),
        sa.CheckConstraint(
            "(seq IS NULL) = (hash IS NULL) AND (seq IS NULL) = (prev_hash IS NULL)",
            name=op.f("ck_audit_entry_chained_whole"),
        ),
        sa.CheckConstraint("seq > 0", name=op.f("ck_audit_entry_seq")),
        sa.CheckConstraint(
            "octet_length(hash) = 32 AND octet_length(prev_hash) = 32", name=op.f("ck_audit_entry_hashes")
        ),
        sa.CheckConstraint("(acting_org_id IS NULL) = (delegation_id IS NULL)", name=op.f("ck_audit_entry_delegated")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_audit_entry_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("org_id", "seq", name=op.f("uq_audit_entry_org_id_seq")),
    )
    op.create_index("ix_audit_entry_newest", "audit_entry", ["org_id", "id"])
    op.create_index("ix_audit_entry_unchained", "audit_entry", ["ordinal"], postgresql_where=sa.text("seq IS NULL"))
    op.create_index(
        "ix_audit_entry_acting",
        "audit_entry",
        ["acting_org_id", "id"],
        postgresql_where=sa.text("acting_org_id IS NOT NULL"),
    )
    op.create_index("ix_audit_entry_subjects", "audit_entry", ["subject_ids"], postgresql_using="gin")
    _close_it()


def _close_it() -> None:
    op.execute("REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON audit_entry FROM backhaul_app")
    op.execute(f"GRANT INSERT ({INSERTED}) ON audit_entry TO backhaul_app")
    op.execute("GRANT UPDATE (seq, prev_hash, hash) ON audit_entry TO backhaul_app")
    op.execute(KEEPS)
    op.execute(
        "CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW"
        " EXECUTE FUNCTION audit_entry_keeps()"
    )
    op.execute(
        "CREATE TRIGGER audit_entry_not_emptied BEFORE TRUNCATE ON audit_entry EXECUTE FUNCTION audit_entry_keeps()"
    )


def downgrade() -> None:
    op.drop_table("audit_entry")
    op.execute("DROP FUNCTION audit_entry_keeps()")
