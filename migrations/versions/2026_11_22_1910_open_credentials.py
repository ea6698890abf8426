"""Members who go, invitations, sessions, rotated keys and delegations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011_credentials"
down_revision = "0010_verification"
branch_labels = None
depends_on = None

IS_A_ROLE = "role IN ('owner', 'manager', 'operator', 'driver', 'viewer')"


def upgrade() -> None:
    _let_members_go()
    _rotate_keys()
    _create_invitation()
    _create_member_session()
    _create_sign_in_failure()
    _create_delegation()


def _let_members_go() -> None:
    op.add_column("member", sa.Column("status", sa.String, nullable=False, server_default="active"))
    op.add_column("member", sa.Column("removed_at", sa.DateTime(timezone=True)))
    op.add_column("member", sa.Column("password_hash", sa.String))
    op.add_column("member", sa.Column("password_set_at", sa.DateTime(timezone=True)))
    op.create_check_constraint(op.f("ck_member_status"), "member", "status IN ('active', 'removed')")
    op.create_check_constraint(
        op.f("ck_member_removed_at"), "member", "(status = 'removed') = (removed_at IS NOT NULL)"
    )
    op.drop_constraint(op.f("uq_member_org_id_email"), "member", type_="unique")
    op.create_index(
        "uq_member_org_id_email",
        "member",
        ["org_id", "email"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_index("ix_member_email", "member", ["email"])


def _rotate_keys() -> None:
    for column in ("replaces_id", "replaced_by_id"):
        op.add_column("api_key", sa.Column(column, sa.String))
        op.create_foreign_key(op.f(f"fk_api_key_{column}"), "api_key", "api_key", [column], ["id"])
        op.create_unique_constraint(op.f(f"uq_api_key_{column}"), "api_key", [column])


def _create_invitation() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("org_id", sa.String, nullable=False),
        sa.Column("email", sa.String, nullable=False),
        sa.Column("name", sa.String),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("invited_by", sa.String, nullable=False),
        sa.Column("member_id", sa.String),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        *_shared_columns(),
        sa.CheckConstraint(IS_A_ROLE, name=op.f("ck_invitation_role")),
        sa.CheckConstraint(
            "status IN ('pending', 'accepted', 'revoked', 'expired')", name=op.f("ck_invitation_status")
        ),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_invitation_token_hash")),
        sa.CheckConstraint("(status = 'accepted') = (member_id IS NOT NULL)", name=op.f("ck_invitation_member_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_invitation_org_id")),
        sa.ForeignKeyConstraint(["invited_by"], ["member.id"], name=op.f("fk_invitation_invited_by")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_invitation_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
    )
    op.create_index("ix_invitation_org_id", "invitation", ["org_id"])
    op.create_index(
        "uq_invitation_org_id_email",
        "invitation",
        ["org_id", "email"],
        unique=True,
        postgresql_where=sa.text("status = 'pending'"),
    )


def _create_member_session() -> None:
    op.create_table(
        "member_session",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("org_id", sa.String, nullable=False),
        sa.Column("member_id", sa.String, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        *_shared_columns(is_versioned=False),
        sa.CheckConstraint("octet_length(secret_hash) = 32", name=op.f("ck_member_session_secret_hash")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_member_session_org_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_member_session_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_session")),
    )
    op.create_index("ix_member_session_org_id", "member_session", ["org_id"])
    op.create_index("ix_member_session_member_id", "member_session", ["member_id"])


def _create_sign_in_failure() -> None:
    op.create_table(
        "sign_in_failure",
        sa.Column("address_hash", sa.LargeBinary, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        *_shared_columns(is_versioned=False),
        sa.CheckConstraint("octet_length(address_hash) = 32", name=op.f("ck_sign_in_failure_address_hash")),
        sa.PrimaryKeyConstraint("address_hash", "livemode", name=op.f("pk_sign_in_failure")),
    )
    op.create_index("ix_sign_in_failure_last_at", "sign_in_failure", ["last_at"])


def _create_delegation() -> None:
    op.create_table(
        "delegation",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("grantor_id", sa.String, nullable=False),
        sa.Column("grantee_id", sa.String, nullable=False),
        sa.Column("granted_by", sa.String, nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("site_ids", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_by", sa.String),
        *_shared_columns(),
        sa.CheckConstraint("status IN ('active', 'revoked', 'expired')", name=op.f("ck_delegation_status")),
        sa.CheckConstraint("(status = 'revoked') = (revoked_at IS NOT NULL)", name=op.f("ck_delegation_revoked_at")),
        sa.CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name=op.f("ck_delegation_revoked_by")),
        sa.CheckConstraint("grantor_id <> grantee_id", name=op.f("ck_delegation_two_parties")),
        sa.CheckConstraint("cardinality(scopes) > 0", name=op.f("ck_delegation_scopes")),
        sa.CheckConstraint("valid_from < valid_until", name=op.f("ck_delegation_validity")),
        sa.ForeignKeyConstraint(["grantor_id"], ["organization.id"], name=op.f("fk_delegation_grantor_id")),
        sa.ForeignKeyConstraint(["grantee_id"], ["organization.id"], name=op.f("fk_delegation_grantee_id")),
        sa.ForeignKeyConstraint(["granted_by"], ["member.id"], name=op.f("fk_delegation_granted_by")),
        sa.ForeignKeyConstraint(["revoked_by"], ["organization.id"], name=op.f("fk_delegation_revoked_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    op.create_index("ix_delegation_grantor_id", "delegation", ["grantor_id"])
    op.create_index("ix_delegation_grantee_id", "delegation", ["grantee_id"])


def _shared_columns(*, is_versioned: bool = True) -> list["sa.Column[object]"]:
    columns: list[sa.Column[object]] = [
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]
    return [*columns, sa.Column("version", sa.Integer, nullable=False)] if is_versioned else columns


def downgrade() -> None:
    for table in ("delegation", "sign_in_failure", "member_session", "invitation"):
        op.drop_table(table)
    for column in ("replaced_by_id", "replaces_id"):
        op.drop_column("api_key", column)
    op.drop_index("ix_member_email", "member")
    op.drop_index("uq_member_org_id_email", "member")
    op.create_unique_constraint(op.f("uq_member_org_id_email"), "member", ["org_id", "email"])
    for column in ("password_set_at", "password_hash", "removed_at", "status"):
        op.drop_column("member", column)
