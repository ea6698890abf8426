"""Create certification. Triggers and grants stand in the .sql file beside this one."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009_certification"
down_revision = "0008_orders"
branch_labels = None
depends_on = None

TABLES = """
    signing_key, status_list, custody_event, material_batch, custody_line, batch_code, certificate, certificate_batch,
    certificate_event, impact_statement, certificate_version, evidence, batch_claim, claim_allocation
"""
FUNCTIONS = """
    certification_append_only, custody_chain_goes_on, custody_event_balances, batch_books_close, batch_keeps_its_birth
"""
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_publishing()
    _create_custody()
    _create_certificates()
    _create_claims()
    for statement in Path(__file__).with_suffix(".sql").read_text().split("\n--\n"):
        op.execute(statement)


def _table(name: str, key: tuple[str, ...], *items: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        *_required(sa.Boolean, "livemode"),
        *_required(INSTANT, "created_at"),
        *items,
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")),
    )


def _required(kind: Any, *names: str) -> list["sa.Column[Any]"]:
    return [sa.Column(name, kind, nullable=False) for name in names]


def _optional(kind: Any, *names: str) -> list["sa.Column[Any]"]:
    return [sa.Column(name, kind) for name in names]


def _checks(table: str, **conditions: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}")) for name, condition in conditions.items()]


def _to(table: str, target: str, *columns: str) -> list[sa.ForeignKeyConstraint]:
    return [sa.ForeignKeyConstraint([name], [f"{target}.id"], name=op.f(f"fk_{table}_{name}")) for name in columns]


def _in_its_mode(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    """Keeps sandbox and live apart."""
    name = op.f(f"fk_{table}_{column}_livemode")
    return sa.ForeignKeyConstraint([column, "livemode"], [f"{target}.id", f"{target}.livemode"], name=name)


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _unique_where(name: str, table: str, condition: str, column: str) -> None:
    op.create_index(name, table, [column], unique=True, postgresql_where=sa.text(condition))


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def _create_publishing() -> None:
    _table(
        "signing_key",
        ("kid",),
        *_required(sa.String, "kid", "algorithm"),
        *_required(postgresql.JSONB, "public"),
        *_optional(INSTANT, "retired_at", "compromised_at"),
        *_checks(
            "signing_key", algorithm="algorithm IN ('ES256', 'Ed25519')", public_only="NOT jsonb_exists(public, 'd')"
        ),
    )
    _table(
        "status_list",
        ("id",),
        *_required(sa.Boolean, "is_open"),
        *_required(INSTANT, "published_at"),
        *_required(sa.String, "id", "token"),
        *_required(sa.LargeBinary, "bits"),
        *_required(sa.Integer, "entries", "revision", "published_revision"),
        *_checks("status_list", bits="octet_length(bits) = 16384", revision="published_revision <= revision"),
        _unique("status_list", "id", "livemode"),
    )
    _unique_where("uq_status_list_open", "status_list", "is_open", "livemode")


def _create_custody() -> None:
    _table(
        "custody_event",
        ("id",),
        *_required(INSTANT, "occurred_at"),
        *_required(sa.String, "id", "type", "timezone", "site_id", "reported_by", "mass_method"),
        *_optional(
            sa.String,
            "from_site_id",
            "to_site_id",
            "sender_id",
            "receiver_id",
            "operation",
            "activity",
            "loss_reason",
            "reason",
            "source",
            "order_id",
            "pickup_id",
        ),
        *_optional(sa.BigInteger, "announced_g", "received_g", "accepted_g", "refused_g", "packaging_g", "adjusted_g"),
        *_required(sa.BigInteger, "loss_g"),
        *_required(sa.Integer, "position"),
        *_required(sa.LargeBinary, "prev_hash", "hash"),
        *_checks(
            "custody_event",
            adjusted="(type = 'adjust') = (adjusted_g IS NOT NULL)",
            adjusted_for_a_reason="type <> 'adjust' OR reason IS NOT NULL",
            chain_begins_once="(position = 1) = (prev_hash = decode(repeat('00', 32), 'hex')) AND position >= 1",
            figures_of_a_move="type = 'move' OR num_nonnulls(announced_g, received_g, packaging_g) = 0",
            hashes="octet_length(hash) = 32 AND octet_length(prev_hash) = 32",
            loss="loss_g BETWEEN 0 AND 1000000000000 AND (type = 'make' OR loss_g = 0)",
            loss_has_a_reason="(loss_g > 0) = (loss_reason IS NOT NULL)",
            loss_reason="loss_reason IN ('moisture', 'dust', 'evaporation', 'process', 'unexplained')",
            made_by_an_operation="type <> 'make' OR operation IS NOT NULL",
            mass_method="mass_method IN ('weighbridge', 'floor_scale', 'counted', 'declared', 'estimated')",
            move_has_two_sites="(type = 'move') = (from_site_id IS NOT NULL AND to_site_id IS NOT NULL)",
            not_in_the_future="occurred_at <= created_at + interval '5 minutes'",
            not_negative="announced_g >= 0 AND accepted_g >= 0 AND refused_g >= 0 AND packaging_g >= 0",
            operation="operation ~ '^(R([1-9]|1[0-3])|D([1-9]|1[0-5]))$'",
            received_has_an_outcome="accepted_g + refused_g = received_g",
            received_whole="num_nulls(received_g, accepted_g, refused_g) IN (0, 3)",
            type="type IN ('make', 'move', 'modify', 'adjust')",
        ),
        *_to("custody_event", "site", "from_site_id", "site_id", "to_site_id"),
        *_to("custody_event", "organization", "receiver_id", "reported_by", "sender_id"),
        _unique("custody_event", "id", "livemode"),
        _unique("custody_event", "site_id", "position"),
        _unique("custody_event", "site_id", "prev_hash"),
        _unique("custody_event", "source"),
    )
    _index("custody_event", "order_id", "pickup_id", "receiver_id", "reported_by", "sender_id")
    _table(
        "material_batch",
        ("id",),
        *_required(sa.Boolean, "is_settled"),
        *_required(sa.Integer, "version"),
        *_required(
            sa.String,
            "id",
            "owner_id",
            "custodian_id",
            "status",
            "born_in",
            "title",
            "material",
            "mass_method",
            "custody_model",
            "origin",
        ),
        *_optional(sa.String, "site_id", "un_number", "order_id", "line_id"),
        *_required(postgresql.JSONB, "composition"),
        *_required(sa.BigInteger, "mass_g", "remaining_g"),
        *_required(postgresql.ARRAY(sa.Text), "hp_codes"),
        *_checks(
            "material_batch",
            custody_model="custody_model IN ('identity_preserved', 'segregated', 'controlled_blending', 'mass_balance', 'book_and_claim')",
            mass="mass_g BETWEEN 0 AND 1000000000000 AND remaining_g BETWEEN 0 AND mass_g",
            mass_method="mass_method IN ('weighbridge', 'floor_scale', 'counted', 'declared', 'estimated')",
            origin="origin IN ('pre_consumer', 'post_consumer', 'mixed', 'unknown')",
            status="status IN ('awaiting_processing', 'processed', 'awaiting_grouping', 'downstream', 'traceability_broken')",
        ),
        *_to("material_batch", "organization", "custodian_id", "owner_id"),
        *_to("material_batch", "site", "site_id"),
        _in_its_mode("material_batch", "born_in", "custody_event"),
        _unique("material_batch", "id", "livemode"),
        _unique("material_batch", "id", "mass_g"),
    )
    _index("material_batch", "born_in", "custodian_id", "order_id", "owner_id", "site_id")
    _table(
        "custody_line",
        ("id",),
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        *_required(sa.String, "event_id", "batch_id", "direction"),
        *_required(sa.BigInteger, "mass_g"),
        *_optional(sa.String, "disposition"),
        *_checks(
            "custody_line",
            direction="direction IN ('in', 'out')",
            disposition="disposition IN ('loaded', 'accepted', 'refused', 'product', 'downstream', 'residue')",
            disposition_of_what_is_borne="(direction = 'out') = (disposition IS NOT NULL)",
            mass="mass_g > 0 AND mass_g BETWEEN 0 AND 1000000000000",
        ),
        _in_its_mode("custody_line", "batch_id", "material_batch"),
        _in_its_mode("custody_line", "event_id", "custody_event"),
        _unique("custody_line", "event_id", "batch_id"),
    )
    _unique_where("uq_custody_line_birth", "custody_line", "direction = 'out'", "batch_id")
    _index("custody_line", "batch_id")
    _table(
        "batch_code",
        ("id",),
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        *_required(sa.String, "batch_id", "scheme", "jurisdiction", "code"),
        *_required(sa.Date, "valid_on"),
        *_optional(sa.String, "list_version"),
        *_optional(sa.Boolean, "is_hazardous"),
        _in_its_mode("batch_code", "batch_id", "material_batch"),
        _unique("batch_code", "batch_id", "scheme", "jurisdiction"),
    )


def _create_certificates() -> None:
    _table(
        "certificate",
        ("id",),
        *_required(sa.Boolean, "names_facility"),
        *_required(sa.Integer, "version"),
        *_required(sa.String, "id", "type", "status", "holder_id", "site_id", "scheme_name", "scheme_version", "goods"),
        *_optional(sa.String, "verifier_id", "operation", "reason", "suspended_by"),
        *_required(sa.Date, "period_from", "period_until"),
        *_required(sa.BigInteger, "input_g", "certified_g"),
        *_optional(sa.BigInteger, "distance_m"),
        *_required(sa.LargeBinary, "secret"),
        *_required(postgresql.ARRAY(sa.Text), "upstream_ids"),
        *_optional(sa.Integer, "number"),
        *_optional(INSTANT, "submitted_at", "issued_at"),
        *_checks(
            "certificate",
            distance="distance_m > 0",
            for_a_reason="status NOT IN ('suspended', 'revoked', 'refused') OR reason IS NOT NULL",
            mass="input_g BETWEEN 0 AND 1000000000000 AND certified_g BETWEEN 0 AND input_g",
            not_its_own_verifier="status IN ('draft', 'withdrawn') OR verifier_id <> holder_id",
            period="period_from <= period_until",
            secret="octet_length(secret) = 32",
            signed_when_issued="(number IS NOT NULL) = (status IN ('issued', 'suspended', 'revoked', 'superseded', 'expired'))",
            status="status IN ('draft', 'submitted', 'verifying', 'issued', 'refused', 'suspended', 'revoked', 'superseded', 'expired', 'withdrawn')",
            submitted_to_somebody="status IN ('draft', 'withdrawn') OR verifier_id IS NOT NULL",
            type="type IN ('reuse', 'repair', 'remanufacture', 'recycling', 'destruction', 'recycled_content')",
        ),
        *_to("certificate", "organization", "holder_id", "verifier_id"),
        *_to("certificate", "site", "site_id"),
        _unique("certificate", "id", "livemode"),
    )
    op.create_index("ix_certificate_upstream_ids", "certificate", ["upstream_ids"], postgresql_using="gin")
    _index("certificate", "holder_id", "verifier_id")
    _table(
        "certificate_batch",
        (
            "certificate_id",
            "batch_id",
        ),
        *_required(sa.String, "certificate_id", "batch_id"),
        *_required(sa.BigInteger, "mass_g"),
        *_checks("certificate_batch", mass="mass_g > 0"),
        _in_its_mode("certificate_batch", "batch_id", "material_batch"),
        _in_its_mode("certificate_batch", "certificate_id", "certificate"),
    )
    _index("certificate_batch", "batch_id")
    _table(
        "certificate_event",
        (
            "certificate_id",
            "event_id",
        ),
        *_required(sa.Boolean, "is_held"),
        *_required(sa.String, "certificate_id", "event_id", "role"),
        *_required(sa.LargeBinary, "salt"),
        *_checks(
            "certificate_event",
            held_operation="NOT is_held OR role = 'operation'",
            role="role IN ('operation', 'evidence')",
            salt="octet_length(salt) >= 16",
        ),
        _in_its_mode("certificate_event", "certificate_id", "certificate"),
        _in_its_mode("certificate_event", "event_id", "custody_event"),
    )
    _unique_where("uq_certificate_event_held", "certificate_event", "is_held", "event_id")
    _index("certificate_event", "event_id")
    _table(
        "impact_statement",
        ("id",),
        *_required(sa.String, "id", "certificate_id", "factor_set", "factor_set_sha256"),
        *_required(postgresql.JSONB, "document"),
        *_required(sa.LargeBinary, "sha256"),
        *_checks("impact_statement", sha256="octet_length(sha256) = 32"),
        _in_its_mode("impact_statement", "certificate_id", "certificate"),
        _unique("impact_statement", "id", "livemode"),
    )
    _index("impact_statement", "certificate_id")
    _table(
        "certificate_version",
        (
            "certificate_id",
            "number",
        ),
        *_required(INSTANT, "valid_from", "valid_until"),
        *_required(
            sa.String,
            "certificate_id",
            "validated_by",
            "vc_jwt",
            "jcs",
            "kid",
            "status_list_id",
            "statement_id",
            "evidence_root",
        ),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        *_required(sa.LargeBinary, "document", "document_sha256"),
        *_required(postgresql.JSONB, "contexts"),
        *_required(sa.Integer, "status_index", "event_count"),
        *_checks(
            "certificate_version",
            number="number >= 1",
            status_index="status_index BETWEEN 0 AND 131071",
            validity="valid_from < valid_until",
        ),
        _in_its_mode("certificate_version", "certificate_id", "certificate"),
        sa.ForeignKeyConstraint(["kid"], ["signing_key.kid"], name=op.f("fk_certificate_version_kid")),
        _in_its_mode("certificate_version", "statement_id", "impact_statement"),
        _in_its_mode("certificate_version", "status_list_id", "status_list"),
        _unique("certificate_version", "status_list_id", "status_index"),
    )
    _table(
        "evidence",
        ("id",),
        *_required(sa.String, "id", "org_id", "subject_id", "name", "media_type"),
        *_required(sa.LargeBinary, "sha256", "salt"),
        *_required(sa.BigInteger, "size"),
        *_checks("evidence", hashes="octet_length(sha256) = 32 AND octet_length(salt) >= 16", size="size > 0"),
        *_to("evidence", "organization", "org_id"),
        _unique("evidence", "subject_id", "sha256"),
    )
    _index("evidence", "org_id")


def _create_claims() -> None:
    _table(
        "batch_claim",
        (
            "batch_id",
            "pool",
        ),
        *_required(sa.String, "batch_id", "pool"),
        *_required(sa.BigInteger, "mass_g", "reserved_g", "certified_g"),
        *_checks(
            "batch_claim",
            no_gram_twice="reserved_g + certified_g <= mass_g",
            not_negative="reserved_g >= 0 AND certified_g >= 0",
            pool="pool IN ('fate', 'content')",
        ),
        _in_its_mode("batch_claim", "batch_id", "material_batch"),
        sa.ForeignKeyConstraint(
            ["batch_id", "mass_g"],
            ["material_batch.id", "material_batch.mass_g"],
            name="fk_batch_claim_mass",
            onupdate="CASCADE",
        ),
    )
    _table(
        "claim_allocation",
        (
            "certificate_id",
            "batch_id",
        ),
        *_required(sa.String, "certificate_id", "batch_id", "pool", "kind", "state"),
        *_required(sa.BigInteger, "mass_g"),
        *_checks(
            "claim_allocation",
            kind="kind IN ('end_of_life', 'next_life', 'content')",
            mass="mass_g > 0",
            state="state IN ('reserved', 'certified', 'released', 'parked')",
        ),
        _in_its_mode("claim_allocation", "batch_id", "material_batch"),
        sa.ForeignKeyConstraint(
            ["batch_id", "pool"],
            ["batch_claim.batch_id", "batch_claim.pool"],
            name=op.f("fk_claim_allocation_batch_id_pool"),
        ),
        _in_its_mode("claim_allocation", "certificate_id", "certificate"),
    )


def downgrade() -> None:
    op.execute(f"DROP TABLE {TABLES} CASCADE")
    op.execute(f"DROP FUNCTION {FUNCTIONS}")
