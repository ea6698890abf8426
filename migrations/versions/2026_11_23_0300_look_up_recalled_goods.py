"""What a recall names is looked up by index.

Row policies keep an index on an expression from being used: what it is made of is not leakproof. The old index on serial numbers
was never asked. A listing's stops are carried to bids that are being negotiated, too.
"""

from alembic import op

revision = "0023_recalls"
down_revision = "0022_narrowing"
branch_labels = None
depends_on = None

PLAIN = "replace(lower(btrim({})), 'ß', 'ss')"
KEYS = {
    "unit": {
        "serial_key": PLAIN.format("serial"),
        "gtin_key": "ltrim(details ->> 'gtin', '0')",
        "mpn_key": PLAIN.format("details ->> 'mpn'"),
        "model_key": PLAIN.format("details ->> 'model'"),
        "batch_key": PLAIN.format("details ->> 'batch'"),
    },
    "item": {
        "gtin_key": "ltrim(gtin, '0')",
        "mpn_key": PLAIN.format("mpn"),
        "batch_key": PLAIN.format("batch"),
    },
}
CARRY = """
    CREATE OR REPLACE FUNCTION listing_carries_stops() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE bid SET stops = NEW.stops
            WHERE listing_id = NEW.id AND status IN ('submitted', 'active', {}'awarded', 'confirmed');
        UPDATE "order" SET stops = NEW.stops WHERE listing_id = NEW.id AND status NOT IN ('closed', 'cancelled');
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    for table, keys in KEYS.items():
        added = (
            f'ADD COLUMN {name} text COLLATE "C" GENERATED ALWAYS AS ({said}) STORED' for name, said in keys.items()
        )
        op.execute(f"ALTER TABLE {table} {', '.join(added)}")
        for name in keys:
            op.execute(f"CREATE INDEX ix_{table}_{name} ON {table} ({name}) WHERE {name} IS NOT NULL")
    op.execute("DROP INDEX ix_unit_serial")
    op.execute(CARRY.format("'countered', "))


def downgrade() -> None:
    op.execute(CARRY.format(""))
    op.execute("CREATE INDEX ix_unit_serial ON unit (lower(btrim(serial)))")
    for table, keys in KEYS.items():
        op.execute(f"ALTER TABLE {table} {', '.join(f'DROP COLUMN {name}' for name in keys)}")
