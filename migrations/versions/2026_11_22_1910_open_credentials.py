"""Members, invitations, credentials and delegations."""

revision = "0011_credentials"
down_revision = "0010_verification"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
