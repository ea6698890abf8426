"""Keep with an auction when its last bid was received: the next one is stamped after it."""

import sqlalchemy as sa
from alembic import op

revision = "0019_stamping"
down_revision = "0018_finding"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("auction", sa.Column("received_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE auction SET received_at = last.received_at FROM"
        " (SELECT listing_id, max(received_at) AS received_at FROM bid GROUP BY listing_id) last"
        " WHERE last.listing_id = auction.listing_id"
    )
    op.alter_column("auction", "received_at", nullable=False)


def downgrade() -> None:
    op.drop_column("auction", "received_at")
