"""Narrow searches: which words a listing says, cells of a middle size, and countries and waste codes by cell.

The table and its indexes are written anew under a lock, for minutes where there are a million listings: what it holds can be
made again from the listings, and the previous release goes on where it waited. Its rows have their cells by themselves and no
signs, which a search takes for "ask"; the timers sign what was published before.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0022_narrowing"
down_revision = "0021_deposits"
branch_labels = None
depends_on = None

FACETS = ["return_reason", "grade", "disposition_floor", "mode", "direction"]
CARRIED = ["materials", "country", "waste_code", "mass_g", "h3_res3", "latitude", "longitude", "seen_by"]
OF_ITEMS = "term = ''"
INDEXES = {
    "closing": (["term", "closes_at", "listing_id"], None),
    "newest": (["term", "listing_id"], None),
    "kind": (["term", *FACETS], None),
    "wide": (["term", "h3_res3", "closes_at", "listing_id"], None),
    "country": (["term", "country", "h3_res3"], None),
    "waste_code": (["term", "waste_code", "h3_res3"], None),
    "mass": (["term", "mass_g"], None),
    "near": (["h3_res4", "closes_at", "listing_id"], OF_ITEMS),
    "wide_newest": (["h3_res3", "listing_id"], OF_ITEMS),
}
BEFORE = INDEXES | {
    "country": (["term", "country"], None),
    "waste_code": (["term", "waste_code"], None),
    "near": (["h3_res5", "closes_at", "listing_id"], OF_ITEMS),
}
PARENT = f"(h3_res5 & ~{1 << 52}::bigint) | {7 << 30}::bigint"


def upgrade() -> None:
    _drop_indexes()
    op.execute(
        f"ALTER TABLE offer ADD COLUMN h3_res4 bigint NOT NULL GENERATED ALWAYS AS ({PARENT}) STORED,"
        " ADD COLUMN said character varying"
    )
    _create_indexes(INDEXES, [*CARRIED, "said"])
    op.execute(
        "INSERT INTO timer (kind, subject_id, due_at, livemode)"
        " SELECT 'listing.offer', id, published_at, livemode FROM listing WHERE published_at IS NOT NULL"
        " ON CONFLICT (kind, subject_id) DO UPDATE"
        " SET due_at = excluded.due_at, fired_at = NULL, cancelled_at = NULL, not_before = NULL"
    )


def _drop_indexes() -> None:
    for name in INDEXES:
        op.drop_index(f"ix_offer_{name}", "offer")


def _create_indexes(indexes: dict[str, tuple[list[str], str | None]], carried: list[str]) -> None:
    for name, (keys, only) in indexes.items():
        op.create_index(f"ix_offer_{name}", "offer", **_index(keys, carried), postgresql_where=only and sa.text(only))


def _index(keys: list[str], carried: list[str]) -> dict[str, Any]:
    """What a filter and the policy ask is carried along, so that the index answers alone."""
    whole = ["livemode", "status", *keys]
    more = [name for name in [*FACETS, *carried, "closes_at", "listing_id"] if name not in whole]
    return {"columns": whole, "postgresql_include": more}


def downgrade() -> None:
    _drop_indexes()
    op.drop_column("offer", "said")
    op.drop_column("offer", "h3_res4")
    _create_indexes(BEFORE, CARRIED)
