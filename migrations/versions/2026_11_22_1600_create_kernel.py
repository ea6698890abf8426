"""Create the kernel's tables, the job queue's, and what the app's role may do with every table to come."""

import sqlalchemy as sa
from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from sqlalchemy.dialects import postgresql

revision = "0001_kernel"
down_revision = None
branch_labels = None
depends_on = None

APP_ROLE_MAY = (
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO backhaul_app",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO backhaul_app",
    "GRANT USAGE ON SCHEMA public TO backhaul_app",
)


def upgrade() -> None:
    for grant in APP_ROLE_MAY:
        op.execute(grant)
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    _create_queue()
    op.create_table(
        "test_clock",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("offset_seconds", sa.Float, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_test_clock_single")),
        sa.CheckConstraint("offset_seconds >= 0", name=op.f("ck_test_clock_forward")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_test_clock")),
    )
    op.execute("INSERT INTO test_clock VALUES (1, 0)")
    op.create_table(
        "timer",
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("subject_id", sa.String, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("fired_at", sa.DateTime(timezone=True)),
        sa.Column("cancelled_at", sa.DateTime(timezone=True)),
        sa.Column("not_before", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("kind", "subject_id", name=op.f("pk_timer")),
    )
    op.create_index(
        "ix_timer_due",
        "timer",
        ["livemode", "due_at"],
        postgresql_where=sa.text("fired_at IS NULL AND cancelled_at IS NULL"),
    )
    op.create_table(
        "idempotency_record",
        sa.Column("key_hash", sa.LargeBinary, nullable=False),
        sa.Column("request_hash", sa.LargeBinary, nullable=False),
        sa.Column("status_code", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_idempotency_record")),
    )
    op.create_index("ix_idempotency_record_kept_until", "idempotency_record", ["kept_until"])
    _create_log()


def _create_queue() -> None:
    """asyncpg takes one statement at a time; the library's script is cut at its blank lines."""
    script = QueryBuilderEnvironment().build_install_query()
    head, _, functions = script.partition("CREATE FUNCTION")
    for statement in head.split(";"):
        if statement.strip():
            op.execute(statement)
    function, _, rest = ("CREATE FUNCTION" + functions).partition("LANGUAGE plpgsql;")
    op.execute(function + "LANGUAGE plpgsql")
    for statement in rest.split(";"):
        if statement.strip():
            op.execute(statement)


def _create_log() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("ordinal", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("seq", sa.BigInteger),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("schema_version", sa.Integer, nullable=False),
        sa.Column("subject_id", sa.String, nullable=False),
        sa.Column("subject_seq", sa.BigInteger),
        sa.Column("cause", sa.String),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("org_id", sa.String),
        sa.Column("transition", sa.String),
        sa.Column("old_status", sa.String),
        sa.Column("new_status", sa.String),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB, nullable=False),
        sa.Column("audience", postgresql.JSONB, nullable=False),
        sa.Column("audience_orgs", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("seq", name=op.f("uq_event_seq")),
    )
    op.create_index("ix_event_unsequenced", "event", ["ordinal"], postgresql_where=sa.text("seq IS NULL"))
    op.create_index("ix_event_audience", "event", ["audience_orgs"], postgresql_using="gin")
    op.create_index("uq_event_subject_seq", "event", ["subject_id", "subject_seq"], unique=True)
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON event FROM backhaul_app")
    op.execute("GRANT UPDATE (seq, subject_seq) ON event TO backhaul_app")
    op.create_table(
        "reaction_done",
        sa.Column("event_id", sa.String, nullable=False),
        sa.Column("reaction", sa.String, nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_reaction_done_event_id")),
        sa.PrimaryKeyConstraint("event_id", "reaction", name=op.f("pk_reaction_done")),
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON reaction_done FROM backhaul_app")


def downgrade() -> None:
    for table in ("reaction_done", "event", "idempotency_record", "timer", "test_clock"):
        op.drop_table(table)
    for statement in QueryBuilderEnvironment().build_uninstall_query().split(";"):
        if statement.strip():
            op.execute(statement)
