"""Widen imports: progress, trials, formats, kept mappings, and what a manifest may say of an item.

The file of refused rows stays in `refused_csv`, whatever its format, so that the previous release keeps running.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014_imports"
down_revision = "0013_policies"
branch_labels = None
depends_on = None

SEEN_BY = (
    "livemode = ANY (CAST((SELECT asker_livemodes()) AS boolean[])) AND"
    " ((SELECT asker_is_house()) OR org_id = (SELECT asker_org()))"
)
CHECKS = {
    "listed": "listing_id IS NOT NULL OR is_trial",
    "file_format": "file_format IN ('csv', 'xlsx', 'jsonl')",
    "progress": "rows_read >= 0 AND rows_landed >= 0",
}


def upgrade() -> None:
    _tell_progress()
    _keep_mappings()
    _say_more_of_items()


def _tell_progress() -> None:
    op.add_column("import", sa.Column("is_trial", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("import", sa.Column("file_format", sa.String))
    op.add_column("import", sa.Column("rows_total", sa.Integer))
    for name in ("rows_read", "rows_landed"):
        op.add_column("import", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    op.alter_column("import", "listing_id", nullable=True)
    op.execute("UPDATE import SET file_format = 'csv' WHERE status = 'completed'")
    op.drop_constraint(op.f("ck_import_status"), "import")
    statuses = "'received', 'reading', 'landing', 'completed', 'failed'"
    op.create_check_constraint(op.f("ck_import_status"), "import", f"status IN ({statuses})")
    for name, condition in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_import_{name}"), "import", condition)


def _keep_mappings() -> None:
    op.create_table(
        "import_profile",
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("org_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("mapping", postgresql.JSONB, nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_import_profile_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_profile")),
        sa.UniqueConstraint("org_id", "livemode", "name", name=op.f("uq_import_profile_org_id_livemode_name")),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON import_profile TO backhaul_app")
    op.execute("ALTER TABLE import_profile ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE import_profile FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY seen_by ON import_profile USING ({SEEN_BY})")


def _say_more_of_items() -> None:
    for name in ("gtin", "mpn", "batch"):
        op.add_column("item", sa.Column(name, sa.String))
    op.add_column("item", sa.Column("mass_uncertainty_g", sa.BigInteger))
    op.create_check_constraint(op.f("ck_item_mass_uncertainty"), "item", "mass_uncertainty_g >= 0")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_item_mass_uncertainty"), "item")
    for name in ("mass_uncertainty_g", "batch", "mpn", "gtin"):
        op.drop_column("item", name)
    op.drop_table("import_profile")
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_import_{name}"), "import")
    op.execute("DELETE FROM import WHERE status IN ('reading', 'landing') OR listing_id IS NULL")
    op.drop_constraint(op.f("ck_import_status"), "import")
    op.create_check_constraint(op.f("ck_import_status"), "import", "status IN ('received', 'completed', 'failed')")
    op.alter_column("import", "listing_id", nullable=False)
    for name in ("rows_landed", "rows_read", "rows_total", "file_format", "is_trial"):
        op.drop_column("import", name)
