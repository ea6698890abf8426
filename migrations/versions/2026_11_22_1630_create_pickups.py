"""Create pickups."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004_pickups"
down_revision = "0003_listings"
branch_labels = None
depends_on = None

JOB_STATUSES = (
    "'draft', 'planned', 'tendering', 'exhausted', 'accepted', 'scheduled', 'dispatched', 'en_route', 'at_pickup',"
    " 'loaded', 'in_transit', 'at_delivery', 'delivered', 'closed', 'cancelled'"
)
OFFER_STATUSES = "'queued', 'offered', 'accepted', 'declined', 'expired', 'superseded', 'withdrawn'"
DECLINE_REASONS = "'no_capacity', 'no_adr_vehicle', 'price_too_low', 'window_unsuitable', 'equipment_missing', 'other'"

WHAT_IS_SIGNED_STAYS = """
CREATE FUNCTION handover_keeps_its_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.pickup_id, OLD.place, OLD.lines, OLD.measurement, OLD.seals, OLD.photos, OLD.reservations, OLD.content_hash,
        OLD.occurred_at) IS DISTINCT FROM (NEW.pickup_id, NEW.place, NEW.lines, NEW.measurement, NEW.seals, NEW.photos,
        NEW.reservations, NEW.content_hash, NEW.occurred_at)
        OR OLD.signed_at IS NOT NULL OR OLD.superseded_at IS NOT NULL
    THEN
        RAISE EXCEPTION 'what was signed at handover % stays as it is', OLD.id;
    END IF;
    RETURN NEW;
END $$
"""


def _market_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]


def _reference(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    _create_pickup_job()
    _create_carrier_offer()
    _create_dock_slot()
    _create_pickup_movement()
    _create_handover()


def _create_pickup_job() -> None:
    parties = ("owner_id", "seller_id", "receiver_id", "custodian_id", "carrier_id")
    op.create_table(
        "pickup_job",
        *_market_columns(),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("order_id", sa.String, nullable=False),
        sa.Column("owner_id", sa.String, nullable=False),
        sa.Column("seller_id", sa.String, nullable=False),
        sa.Column("receiver_id", sa.String, nullable=False),
        sa.Column("custodian_id", sa.String, nullable=False),
        sa.Column("from_site_id", sa.String, nullable=False),
        sa.Column("to_site_id", sa.String, nullable=False),
        sa.Column("goods", postgresql.JSONB, nullable=False),
        sa.Column("ceiling_minor", sa.BigInteger),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("window_from", sa.DateTime(timezone=True)),
        sa.Column("window_until", sa.DateTime(timezone=True)),
        sa.Column("window_timezone", sa.String),
        sa.Column("contacts", postgresql.JSONB, nullable=False),
        sa.Column("equipment", sa.String),
        sa.Column("tender_strategy", sa.String),
        sa.Column("respond_within_minutes", sa.Integer),
        sa.Column("carrier_id", sa.String),
        sa.Column("price_minor", sa.BigInteger),
        sa.Column("is_self_hauled", sa.Boolean, nullable=False),
        sa.Column("clearance_id", sa.String),
        sa.Column("cleared_at", sa.DateTime(timezone=True)),
        sa.Column("clearance_withdrawn_at", sa.DateTime(timezone=True)),
        sa.Column("vehicle", sa.String),
        sa.Column("driver_name", sa.String),
        sa.Column("driver_member_id", sa.String),
        sa.Column("dispatched_at", sa.DateTime(timezone=True)),
        sa.Column("cancel_reason", sa.String),
        sa.CheckConstraint(f"status IN ({JOB_STATUSES})", name=op.f("ck_pickup_job_status")),
        sa.CheckConstraint(
            "dispatched_at IS NULL OR clearance_id IS NOT NULL", name=op.f("ck_pickup_job_dispatched_when_cleared")
        ),
        sa.CheckConstraint("window_from < window_until", name=op.f("ck_pickup_job_window")),
        sa.CheckConstraint(
            "window_from IS NULL OR window_timezone IS NOT NULL", name=op.f("ck_pickup_job_window_has_a_zone")
        ),
        sa.CheckConstraint("price_minor >= 0 AND ceiling_minor >= 0", name=op.f("ck_pickup_job_amounts")),
        sa.CheckConstraint(
            "carrier_id IS NOT NULL OR price_minor IS NULL", name=op.f("ck_pickup_job_price_of_a_carrier")
        ),
        sa.CheckConstraint("tender_strategy IN ('waterfall', 'broadcast')", name=op.f("ck_pickup_job_tender_strategy")),
        *(_reference("pickup_job", party, "organization") for party in parties),
        _reference("pickup_job", "from_site_id", "site"),
        _reference("pickup_job", "to_site_id", "site"),
        _reference("pickup_job", "driver_member_id", "member"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pickup_job")),
    )
    for column in ("order_id", *parties):
        op.create_index(op.f(f"ix_pickup_job_{column}"), "pickup_job", [column])


def _create_carrier_offer() -> None:
    op.create_table(
        "carrier_offer",
        *_market_columns(),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("pickup_id", sa.String, nullable=False),
        sa.Column("carrier_id", sa.String, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("price_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True)),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.Column("decline_reason", sa.String),
        sa.Column("decline_note", sa.String),
        sa.CheckConstraint(f"status IN ({OFFER_STATUSES})", name=op.f("ck_carrier_offer_status")),
        sa.CheckConstraint(f"decline_reason IN ({DECLINE_REASONS})", name=op.f("ck_carrier_offer_decline_reason")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_carrier_offer_price")),
        sa.CheckConstraint(
            "status NOT IN ('offered', 'accepted') OR expires_at IS NOT NULL",
            name=op.f("ck_carrier_offer_offered_until"),
        ),
        sa.CheckConstraint(
            "status <> 'accepted' OR answered_at < expires_at", name=op.f("ck_carrier_offer_accepted_in_time")
        ),
        _reference("carrier_offer", "pickup_id", "pickup_job"),
        _reference("carrier_offer", "carrier_id", "organization"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_offer")),
        sa.UniqueConstraint("pickup_id", "position", name=op.f("uq_carrier_offer_pickup_id_position")),
    )
    op.create_index(op.f("ix_carrier_offer_carrier_id"), "carrier_offer", ["carrier_id"])
    op.create_index(
        "uq_carrier_offer_accepted",
        "carrier_offer",
        ["pickup_id"],
        unique=True,
        postgresql_where=sa.text("status = 'accepted'"),
    )


def _create_dock_slot() -> None:
    op.create_table(
        "dock_slot",
        *_market_columns(),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("site_id", sa.String, nullable=False),
        sa.Column("dock", sa.Integer, nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pickup_id", sa.String, nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True)),
        sa.Column("cancel_reason", sa.String),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_dock_slot_window")),
        sa.CheckConstraint("dock >= 1", name=op.f("ck_dock_slot_dock")),
        postgresql.ExcludeConstraint(
            (sa.column("site_id"), "="),
            (sa.column("dock"), "="),
            (sa.func.tstzrange(sa.column("starts_at"), sa.column("ends_at")), "&&"),
            using="gist",
            where=sa.text("cancelled_at IS NULL"),
            name="ex_dock_slot_window",
        ),
        _reference("dock_slot", "site_id", "site"),
        _reference("dock_slot", "pickup_id", "pickup_job"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dock_slot")),
    )
    op.create_index(
        "uq_dock_slot_pickup_id",
        "dock_slot",
        ["pickup_id"],
        unique=True,
        postgresql_where=sa.text("cancelled_at IS NULL"),
    )


def _create_pickup_movement() -> None:
    op.create_table(
        "pickup_movement",
        *_market_columns(),
        sa.Column("pickup_id", sa.String, nullable=False),
        sa.Column("job_version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("new_status", sa.String, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
        sa.Column("reason", sa.String),
        sa.Column("flags", postgresql.JSONB, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.CheckConstraint("kind IN ('departed', 'arrived')", name=op.f("ck_pickup_movement_kind")),
        sa.CheckConstraint(
            "occurred_at <= created_at + interval '5 minutes'", name=op.f("ck_pickup_movement_not_in_the_future")
        ),
        sa.CheckConstraint(
            "latitude IS NOT NULL OR reason IS NOT NULL", name=op.f("ck_pickup_movement_place_or_reason")
        ),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_pickup_movement_place")),
        sa.CheckConstraint(
            "latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name=op.f("ck_pickup_movement_on_earth")
        ),
        _reference("pickup_movement", "pickup_id", "pickup_job"),
        sa.PrimaryKeyConstraint("pickup_id", "job_version", name=op.f("pk_pickup_movement")),
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON pickup_movement FROM backhaul_app")


def _create_handover() -> None:
    op.create_table(
        "handover",
        *_market_columns(),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("pickup_id", sa.String, nullable=False),
        sa.Column("place", sa.String, nullable=False),
        sa.Column("lines", postgresql.JSONB, nullable=False),
        sa.Column("measurement", postgresql.JSONB, nullable=False),
        sa.Column("seals", postgresql.JSONB, nullable=False),
        sa.Column("photos", postgresql.JSONB, nullable=False),
        sa.Column("reservations", sa.String),
        sa.Column("content_hash", sa.String, nullable=False),
        sa.Column("signatures", postgresql.JSONB, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True)),
        sa.Column("superseded_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("place IN ('pickup', 'delivery')", name=op.f("ck_handover_place")),
        sa.CheckConstraint("content_hash ~ '^[0-9a-f]{64}$'", name=op.f("ck_handover_content_hash")),
        sa.CheckConstraint(
            "occurred_at <= created_at + interval '5 minutes'", name=op.f("ck_handover_not_in_the_future")
        ),
        sa.CheckConstraint("signed_at IS NULL OR superseded_at IS NULL", name=op.f("ck_handover_signed_or_superseded")),
        _reference("handover", "pickup_id", "pickup_job"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    op.create_index(
        "uq_handover_place",
        "handover",
        ["pickup_id", "place"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.execute(WHAT_IS_SIGNED_STAYS)
    op.execute(
        "CREATE TRIGGER handover_keeps_its_content BEFORE UPDATE ON handover"
        " FOR EACH ROW EXECUTE FUNCTION handover_keeps_its_content()"
    )
    op.execute("REVOKE DELETE, TRUNCATE ON handover FROM backhaul_app")


def downgrade() -> None:
    for table in ("handover", "pickup_movement", "dock_slot", "carrier_offer", "pickup_job"):
        op.drop_table(table)
    op.execute("DROP FUNCTION handover_keeps_its_content()")
