"""Papers, contacts and the verification of organizations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010_verification"
down_revision = "0009_certification"
branch_labels = None
depends_on = None

STATUSES = "'unverified', 'in_review', 'verified', 'rejected', 'suspended', 'closed'"
KINDS = (
    "'trade_register', 'vat_certificate', 'insurance', 'carrier_licence', 'treatment_permit', 'broker_registration',"
    " 'verifier_accreditation', 'bank_statement'"
)
EMPTY = sa.text("'[]'::jsonb")


def upgrade() -> None:
    _verify_organizations()
    _keep_files()
    _keep_documents()
    _close_sites()
    _withdraw_permits()


def _verify_organizations() -> None:
    op.add_column("organization", sa.Column("lei", sa.String))
    op.add_column("organization", sa.Column("iban_masked", sa.String))
    op.add_column("organization", sa.Column("iban_fingerprint", sa.String))
    op.add_column("organization", sa.Column("submitted_at", sa.DateTime(timezone=True)))
    op.add_column("organization", sa.Column("verified_at", sa.DateTime(timezone=True)))
    _add_list("organization", "contacts")
    _add_list("organization", "reasons")
    op.drop_constraint(op.f("ck_organization_verification_status"), "organization", type_="check")
    op.create_check_constraint(
        op.f("ck_organization_verification_status"), "organization", f"verification_status IN ({STATUSES})"
    )
    op.create_check_constraint(
        op.f("ck_organization_iban"), "organization", "(iban_masked IS NULL) = (iban_fingerprint IS NULL)"
    )
    op.create_index("ix_organization_iban_fingerprint", "organization", ["iban_fingerprint"])


def _add_list(table: str, name: str) -> None:
    """The default stays: the previous release writes rows without it."""
    op.add_column(table, sa.Column(name, postgresql.JSONB, nullable=False, server_default=EMPTY))


def _keep_files() -> None:
    op.create_table(
        "stored_file",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("org_id", sa.String, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("media_type", sa.String, nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_stored_file_sha256")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_stored_file_size")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_file")),
    )
    op.create_index("ix_stored_file_org_id", "stored_file", ["org_id"])


def _keep_documents() -> None:
    op.create_table(
        "organization_document",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("org_id", sa.String, nullable=False),
        sa.Column("file_id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("number", sa.String),
        sa.Column("issuer", sa.String),
        sa.Column("issued_on", sa.Date, nullable=False),
        sa.Column("valid_until", sa.Date),
        sa.Column("replaces_id", sa.String),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("reasons", postgresql.JSONB, nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True)),
        sa.Column("reviewed_by", sa.String),
        sa.Column("livemode", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_organization_document_kind")),
        sa.CheckConstraint(
            "status IN ('submitted', 'accepted', 'refused', 'replaced', 'expired', 'withdrawn')",
            name=op.f("ck_organization_document_status"),
        ),
        sa.CheckConstraint("issued_on <= valid_until", name=op.f("ck_organization_document_validity")),
        sa.ForeignKeyConstraint(["org_id"], ["organization.id"], name=op.f("fk_organization_document_org_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_organization_document_file_id")),
        sa.ForeignKeyConstraint(
            ["replaces_id"], ["organization_document.id"], name=op.f("fk_organization_document_replaces_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization_document")),
    )
    op.create_index("ix_organization_document_org_id", "organization_document", ["org_id", "kind"])
    op.create_index(
        "uq_organization_document_successor",
        "organization_document",
        ["replaces_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('submitted', 'accepted')"),
    )


def _close_sites() -> None:
    _add_list("site", "hours")
    _add_list("site", "blackouts")


def _withdraw_permits() -> None:
    op.add_column("permit", sa.Column("document_id", sa.String))
    op.add_column("permit", sa.Column("status", sa.String, nullable=False, server_default="active"))
    op.add_column("permit", sa.Column("withdrawn_on", sa.Date))
    op.create_foreign_key(op.f("fk_permit_document_id"), "permit", "organization_document", ["document_id"], ["id"])
    op.create_check_constraint(op.f("ck_permit_status"), "permit", "status IN ('active', 'expired', 'withdrawn')")
    op.create_check_constraint(
        op.f("ck_permit_withdrawal"), "permit", "(status = 'withdrawn') = (withdrawn_on IS NOT NULL)"
    )
    op.drop_constraint(op.f("uq_permit_org_id_authority_number_livemode"), "permit", type_="unique")
    op.create_index(
        "uq_permit_number",
        "permit",
        ["org_id", "authority", "number", "livemode"],
        unique=True,
        postgresql_where=sa.text("status <> 'withdrawn'"),
    )


def downgrade() -> None:
    _restore_permits()
    op.drop_column("site", "blackouts")
    op.drop_column("site", "hours")
    op.drop_table("organization_document")
    op.drop_table("stored_file")
    _restore_organizations()


def _restore_permits() -> None:
    op.drop_index("uq_permit_number", "permit")
    op.create_unique_constraint(
        op.f("uq_permit_org_id_authority_number_livemode"), "permit", ["org_id", "authority", "number", "livemode"]
    )
    op.drop_constraint(op.f("fk_permit_document_id"), "permit", type_="foreignkey")
    for name in ("ck_permit_withdrawal", "ck_permit_status"):
        op.drop_constraint(op.f(name), "permit", type_="check")
    for name in ("withdrawn_on", "status", "document_id"):
        op.drop_column("permit", name)


def _restore_organizations() -> None:
    op.drop_index("ix_organization_iban_fingerprint", "organization")
    for name in ("ck_organization_iban", "ck_organization_verification_status"):
        op.drop_constraint(op.f(name), "organization", type_="check")
    op.create_check_constraint(
        op.f("ck_organization_verification_status"),
        "organization",
        "verification_status IN ('unverified', 'verified')",
    )
    for name in ("reasons", "contacts", "verified_at", "submitted_at", "iban_fingerprint", "iban_masked", "lei"):
        op.drop_column("organization", name)
