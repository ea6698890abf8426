"""Row-level security: the second wall."""

revision = "0013_policies"
down_revision = "0012_audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
