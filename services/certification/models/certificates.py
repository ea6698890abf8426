"""A signed, verifiable, revocable claim on batches, its versions and what supports it."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.certification.models.shared import grams, in_its_mode, listed
from services.kernel.ids import (
    BatchId,
    CertificateId,
    CustodyEventId,
    EvidenceId,
    OrgId,
    SiteId,
    StatementId,
    StatusListId,
)
from services.kernel.tables import Instant, Row, Versioned, json_field

TYPES = ("reuse", "repair", "remanufacture", "recycling", "destruction", "recycled_content")
STATUSES = (
    "draft",
    "submitted",
    "verifying",
    "issued",
    "refused",
    "suspended",
    "revoked",
    "superseded",
    "expired",
    "withdrawn",
)
HELD = ("submitted", "verifying", "issued", "suspended", "revoked", "superseded", "expired")
"""States in which the mass is reserved or certified, so its events support no other certificate."""
PUBLIC = ("issued", "suspended", "revoked", "superseded", "expired")
"""States in which a signed version exists."""


class Certificate(Versioned, table=True):
    """`input_g` went in, `certified_g` is claimed. `number` is the newest version's, None before the first. `secret` makes the
    names that batches have in this certificate alone. `upstream_ids` are those whose goods it is about; they hear of it once it is
    issued. `suspended_by` is the person who suspended it: another one reinstates."""

    __tablename__ = "certificate"
    __table_args__ = (
        CheckConstraint(f"type IN ({listed(TYPES)})", name="type"),
        CheckConstraint(f"status IN ({listed(STATUSES)})", name="status"),
        CheckConstraint(f"{grams('input_g')} AND certified_g BETWEEN 0 AND input_g", name="mass"),
        CheckConstraint("period_from <= period_until", name="period"),
        CheckConstraint("distance_m > 0", name="distance"),
        CheckConstraint("octet_length(secret) = 32", name="secret"),
        CheckConstraint("status IN ('draft', 'withdrawn') OR verifier_id <> holder_id", name="not_its_own_verifier"),
        CheckConstraint("status IN ('draft', 'withdrawn') OR verifier_id IS NOT NULL", name="submitted_to_somebody"),
        CheckConstraint(f"(number IS NOT NULL) = (status IN ({listed(PUBLIC)}))", name="signed_when_issued"),
        CheckConstraint("status NOT IN ('suspended', 'revoked', 'refused') OR reason IS NOT NULL", name="for_a_reason"),
        UniqueConstraint("id", "livemode"),
        Index("ix_certificate_upstream_ids", "upstream_ids", postgresql_using="gin"),
    )

    id: CertificateId = Field(default_factory=CertificateId.new, primary_key=True)
    type: str
    status: str = "draft"
    holder_id: OrgId = Field(foreign_key="organization.id", index=True)
    site_id: SiteId = Field(foreign_key="site.id")
    verifier_id: OrgId | None = Field(default=None, foreign_key="organization.id", index=True)
    scheme_name: str
    scheme_version: str
    period_from: date
    period_until: date
    goods: str
    operation: str | None = None
    input_g: int = Field(sa_type=BigInteger)
    certified_g: int = Field(sa_type=BigInteger)
    distance_m: int | None = Field(default=None, sa_type=BigInteger)
    names_facility: bool = False
    secret: bytes
    upstream_ids: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    number: int | None = None
    reason: str | None = None
    suspended_by: str | None = None
    submitted_at: datetime | None = Field(default=None, sa_type=Instant)
    issued_at: datetime | None = Field(default=None, sa_type=Instant)


class CertificateBatch(Row, table=True):
    """An input batch, and how much of it this certificate is about."""

    __tablename__ = "certificate_batch"
    __table_args__ = (
        CheckConstraint("mass_g > 0", name="mass"),
        in_its_mode("certificate_id", "certificate"),
        in_its_mode("batch_id", "material_batch"),
    )

    certificate_id: CertificateId = Field(primary_key=True)
    batch_id: BatchId = Field(primary_key=True, index=True)
    mass_g: int = Field(sa_type=BigInteger)


class CertificateEvent(Row, table=True):
    """A custody event behind a certificate: the operation it certifies, or evidence of how the goods came there. `salt` hides the
    event's hash in the evidence root. An operation supports one certificate at a time: `is_held` from its submission on."""

    __tablename__ = "certificate_event"
    __table_args__ = (
        CheckConstraint("role IN ('operation', 'evidence')", name="role"),
        CheckConstraint("octet_length(salt) >= 16", name="salt"),
        CheckConstraint("NOT is_held OR role = 'operation'", name="held_operation"),
        Index("uq_certificate_event_held", "event_id", unique=True, postgresql_where=text("is_held")),
        in_its_mode("certificate_id", "certificate"),
        in_its_mode("event_id", "custody_event"),
    )

    certificate_id: CertificateId = Field(primary_key=True)
    event_id: CustodyEventId = Field(primary_key=True, index=True)
    role: str
    is_held: bool = False
    salt: bytes


class CertificateVersion(Row, table=True):
    """What was signed, never updated. `document` is the canonical JSON inside `vc_jwt`; `jcs` the same content with its Data
    Integrity proof. `validated_by` says against what it was checked, `contexts` holds the SHA-256 of every context of ours."""

    __tablename__ = "certificate_version"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("valid_from < valid_until", name="validity"),
        CheckConstraint("status_index BETWEEN 0 AND 131071", name="status_index"),
        UniqueConstraint("status_list_id", "status_index"),
        ForeignKeyConstraint(["kid"], ["signing_key.kid"]),
        in_its_mode("certificate_id", "certificate"),
        in_its_mode("status_list_id", "status_list"),
        in_its_mode("statement_id", "impact_statement"),
    )

    certificate_id: CertificateId = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    document: bytes
    document_sha256: bytes
    validated_by: str
    contexts: dict[str, Any] = json_field()
    vc_jwt: str
    jcs: str
    kid: str
    status_list_id: StatusListId
    status_index: int
    valid_from: datetime = Field(sa_type=Instant)
    valid_until: datetime = Field(sa_type=Instant)
    statement_id: StatementId
    evidence_root: str
    event_count: int


class ImpactStatement(Row, table=True):
    """As it was computed and frozen; every figure follows again from `factor_set`. `sha256` is of the canonical document."""

    __tablename__ = "impact_statement"
    __table_args__ = (
        CheckConstraint("octet_length(sha256) = 32", name="sha256"),
        UniqueConstraint("id", "livemode"),
        in_its_mode("certificate_id", "certificate"),
    )

    id: StatementId = Field(default_factory=StatementId.new, primary_key=True)
    certificate_id: CertificateId = Field(index=True)
    factor_set: str
    factor_set_sha256: str
    document: dict[str, Any] = json_field()
    sha256: bytes


class EvidenceFile(Row, table=True):
    """A document that supports a certificate or a custody event. Its owner keeps the file; the hash proves later which it was."""

    __tablename__ = "evidence"
    __table_args__ = (
        CheckConstraint("octet_length(sha256) = 32 AND octet_length(salt) >= 16", name="hashes"),
        CheckConstraint("size > 0", name="size"),
        UniqueConstraint("subject_id", "sha256"),
    )

    id: EvidenceId = Field(default_factory=EvidenceId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id", index=True)
    subject_id: str
    sha256: bytes
    salt: bytes
    name: str
    media_type: str
    size: int = Field(sa_type=BigInteger)
