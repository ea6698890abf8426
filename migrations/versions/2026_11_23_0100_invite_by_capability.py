"""Invite by capability: a listing says what its bidders can do, and keeps whom that has let in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020_capability"
down_revision = "0019_stamping"
branch_labels = None
depends_on = None

ME = "(SELECT asker_org())"
HOUSE = "(SELECT asker_is_house())"
IS_HERE = "livemode = ANY (CAST((SELECT asker_livemodes()) AS boolean[]))"
SEEN_BY = (
    f"{IS_HERE} AND ({HOUSE} OR seller_id = {ME} OR ({ME} IS NOT NULL AND published_at IS NOT NULL"
    f" AND (visibility = 'public' OR {ME} = ANY ({{guests}}))))"
)


def upgrade() -> None:
    op.add_column("listing", sa.Column("invited_capability", postgresql.JSONB))
    op.add_column("listing", sa.Column("admitted", postgresql.ARRAY(sa.Text), nullable=False, server_default="{}"))
    op.create_index(
        "ix_listing_admitting",
        "listing",
        ["livemode", "id"],
        postgresql_where=sa.text("invited_capability IS NOT NULL AND status IN ('scheduled', 'open')"),
    )
    op.execute(f"ALTER POLICY seen_by ON listing USING ({SEEN_BY.format(guests='invited || admitted')})")


def downgrade() -> None:
    op.execute(f"ALTER POLICY seen_by ON listing USING ({SEEN_BY.format(guests='invited')})")
    op.drop_index("ix_listing_admitting", "listing")
    op.drop_column("listing", "admitted")
    op.drop_column("listing", "invited_capability")
