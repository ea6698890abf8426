"""Papers, contacts and the verification of organizations."""

revision = "0010_verification"
down_revision = "0009_certification"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
