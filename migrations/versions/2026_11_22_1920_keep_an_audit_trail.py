"""The audit trail."""

revision = "0012_audit"
down_revision = "0011_credentials"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
