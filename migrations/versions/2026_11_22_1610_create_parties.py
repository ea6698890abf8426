"""Create parties."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_parties"
down_revision = "0001_kernel"
branch_labels = None
depends_on = None

ROLES = (
    "'manufacturer', 'holder', 'carrier', 'repairer', 'remanufacturer', 'recycler', 'broker', 'verifier', 'operator'"
)


def upgrade() -> None:
    _create_organization()
    _create_site()
    _create_member()
    _create_api_key()
    _create_permit()
    _create_permit_scope()
    _create_permit_check()


def _create_organization() -> None:
    op.create_table(
        "organization",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("legal_name", sa.String, nullable=False),
        sa.Column("country", sa.String, nullable=False),
        sa.Column("contact_email", sa.String, nullable=False),
        sa.Column("vat_id", sa.String),
        sa.Column("roles", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("verification_status", sa.String, nullable=False),
        *_shared_columns(),
        sa.CheckConstraint(
            "verification_status IN ('unverified', 'verified')", name=op.f("ck_organization_verification_status")
        ),
        sa.CheckConstraint(
            f"cardinality(roles) > 0 AND roles <@ ARRAY[{ROLES}]::text[]", name=op.f("ck_organization_roles")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
    )
    op.create_index("ix_organization_roles", "organization", ["roles"], postgresql_using="gin")


def _create_site() -> None:
    op.create_table(
        "site",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("org_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("street", sa.String, nullable=False),
        sa.Column("postal_code", sa.String, nullable=False),
        sa.Column("city", sa.String, nullable=False),
        sa.Column("country", sa.String, nullable=False),
        sa.Column("latitude", sa.Float, nullable=False),
        sa.Column("longitude", sa.Float, nullable=False),
        sa.Column("timezone", sa.String, nullable=False),
        sa.Column("docks", sa.Integer, nullable=False),
        sa.Column("opens", sa.String, nullable=False),
        sa.Column("closes", sa.String, nullable=False),
        *_shared_columns(),
        sa.CheckConstraint("docks BETWEEN 1 AND 500", name=op.f("ck_site_docks")),
        sa.CheckConstraint(
            "latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name=op.f("ck_site_place")
        ),
        sa.CheckConstraint("opens < closes", name=op.f("ck_site_hours")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_site_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
    )
    op.create_index("ix_site_org_id", "site", ["org_id"])


def _create_member() -> None:
    op.create_table(
        "member",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("org_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("email", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        *_shared_columns(),
        sa.CheckConstraint("role IN ('owner', 'manager', 'operator', 'driver', 'viewer')", name=op.f("ck_member_role")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_member_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("org_id", "email", name=op.f("uq_member_org_id_email")),
    )


def _create_api_key() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("org_id", sa.String, nullable=False),
        sa.Column("member_id", sa.String, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        *_shared_columns(is_versioned=False),
        sa.CheckConstraint("octet_length(secret_hash) = 32", name=op.f("ck_api_key_secret_hash")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_api_key_org_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_api_key_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
    )
    op.create_index("ix_api_key_org_id", "api_key", ["org_id"])
    op.create_index("ix_api_key_member_id", "api_key", ["member_id"])


def _create_permit() -> None:
    op.create_table(
        "permit",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("org_id", sa.String, nullable=False),
        sa.Column("site_id", sa.String),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("number", sa.String, nullable=False),
        sa.Column("authority", sa.String, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_until", sa.Date, nullable=False),
        sa.Column("evidence", sa.String),
        *_shared_columns(),
        sa.CheckConstraint("kind IN ('treatment', 'transport')", name=op.f("ck_permit_kind")),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_permit_validity")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_permit_org_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_permit_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permit")),
        sa.UniqueConstraint(
            "org_id", "authority", "number", "livemode", name=op.f("uq_permit_org_id_authority_number_livemode")
        ),
    )


def _create_permit_scope() -> None:
    op.create_table(
        "permit_scope",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("permit_id", sa.String, nullable=False),
        sa.Column("waste_codes", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("operations", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("territories", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("limit_g", sa.BigInteger),
        sa.Column("reserved_g", sa.BigInteger, nullable=False),
        sa.Column("used_g", sa.BigInteger, nullable=False),
        sa.CheckConstraint("cardinality(waste_codes) > 0", name=op.f("ck_permit_scope_waste_codes")),
        sa.CheckConstraint(
            "reserved_g >= 0 AND used_g >= 0 AND limit_g >= 0", name=op.f("ck_permit_scope_not_negative")
        ),
        sa.CheckConstraint("used_g + reserved_g <= limit_g", name=op.f("ck_permit_scope_tonnage")),
        sa.ForeignKeyConstraint(["permit_id"], ["permit.id"], name=op.f("fk_permit_scope_permit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permit_scope")),
    )
    op.create_index("ix_permit_scope_permit_id", "permit_scope", ["permit_id"])
    op.create_index("ix_permit_scope_waste_codes", "permit_scope", ["waste_codes"], postgresql_using="gin")


def _create_permit_check() -> None:
    op.create_table(
        "permit_check",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("org_id", sa.String, nullable=False),
        sa.Column("scope_id", sa.BigInteger),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("step", sa.String, nullable=False),
        sa.Column("subject_id", sa.String, nullable=False),
        sa.Column("waste_code", sa.String, nullable=False),
        sa.Column("mass_g", sa.BigInteger, nullable=False),
        sa.Column("checked_on", sa.Date, nullable=False),
        sa.Column("country", sa.String, nullable=False),
        sa.Column("operation", sa.String),
        sa.Column("why_none", sa.String),
        sa.Column("is_reservation", sa.Boolean, nullable=False),
        sa.Column("reserved_g", sa.BigInteger, nullable=False),
        sa.Column("used_g", sa.BigInteger, nullable=False),
        sa.Column("freed_at", sa.DateTime(timezone=True)),
        *_shared_columns(is_versioned=False),
        sa.CheckConstraint(
            "(scope_id IS NULL) = (why_none IS NOT NULL)", name=op.f("ck_permit_check_covered_or_why_none")
        ),
        sa.CheckConstraint(
            "mass_g >= 0 AND reserved_g >= 0 AND used_g >= 0", name=op.f("ck_permit_check_not_negative")
        ),
        sa.CheckConstraint("is_reservation OR reserved_g = 0 AND used_g = 0", name=op.f("ck_permit_check_reservation")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_permit_check_org_id")),
        sa.ForeignKeyConstraint(["scope_id"], ["permit_scope.id"], name=op.f("fk_permit_check_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permit_check")),
    )
    for column in ("org_id", "scope_id", "subject_id"):
        op.create_index(f"ix_permit_check_{column}", "permit_check", [column])


def _shared_columns(*, is_versioned: bool = True) -> list["sa.Column[object]"]:
    columns: list[sa.Column[object]] = [
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]
    return [*columns, sa.Column("version", sa.Integer, nullable=False)] if is_versioned else columns


def downgrade() -> None:
    for table in ("permit_check", "permit_scope", "permit", "api_key", "member", "site", "organization"):
        op.drop_table(table)
