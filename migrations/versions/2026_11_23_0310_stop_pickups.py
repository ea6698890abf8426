"""What stops an order stops the pickups of it.

Carried by trigger like those of bids and orders; a job that is made later begins with the stops of its order.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024_stopped_pickups"
down_revision = "0023_recalls"
branch_labels = None
depends_on = None

CARRY = """
    CREATE FUNCTION order_carries_stops() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE pickup_job SET stops = NEW.stops WHERE order_id = NEW.id AND status NOT IN ('closed', 'cancelled');
        RETURN NULL;
    END $$
"""
BEGIN = """
    CREATE FUNCTION pickup_begins_with_stops() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.stops := COALESCE((SELECT stops FROM "order" WHERE id = NEW.order_id), NEW.stops);
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    stops = sa.Column("stops", postgresql.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'"))
    op.add_column("pickup_job", stops)
    op.execute('UPDATE pickup_job SET stops = "order".stops FROM "order" WHERE "order".id = order_id')
    op.execute(CARRY)
    op.execute(BEGIN)
    op.execute(
        'CREATE TRIGGER order_carries_stops AFTER UPDATE OF stops ON "order" FOR EACH ROW'
        " WHEN (OLD.stops IS DISTINCT FROM NEW.stops) EXECUTE FUNCTION order_carries_stops()"
    )
    op.execute(
        "CREATE TRIGGER pickup_begins_with_stops BEFORE INSERT ON pickup_job FOR EACH ROW"
        " EXECUTE FUNCTION pickup_begins_with_stops()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER pickup_begins_with_stops ON pickup_job")
    op.execute('DROP TRIGGER order_carries_stops ON "order"')
    op.execute("DROP FUNCTION pickup_begins_with_stops()")
    op.execute("DROP FUNCTION order_carries_stops()")
    op.drop_column("pickup_job", "stops")
