"""The table. A worker gives `seq`, `prev_hash` and `hash` after the commit; nothing else of a row ever changes."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from services.kernel.ids import AuditEntryId, DelegationId, KeyId, MemberId, OrgId, SessionId
from services.kernel.tables import Row, json_field


class AuditEntry(Row, table=True):
    """`created_at` is the market time of the unit of work. `org_id` is for whom it was done and whose chain it stands in;
    `acting_org_id` who did it under a delegation. `ordinal` is drawn at the insert and decides the order inside a batch."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        CheckConstraint("(seq IS NULL) = (hash IS NULL) AND (seq IS NULL) = (prev_hash IS NULL)", name="chained_whole"),
        CheckConstraint("seq > 0", name="seq"),
        CheckConstraint("octet_length(hash) = 32 AND octet_length(prev_hash) = 32", name="hashes"),
        CheckConstraint("(acting_org_id IS NULL) = (delegation_id IS NULL)", name="delegated"),
        UniqueConstraint("org_id", "seq"),
        Index("ix_audit_entry_newest", "org_id", "id"),
        Index("ix_audit_entry_unchained", "ordinal", postgresql_where=text("seq IS NULL")),
        Index("ix_audit_entry_acting", "acting_org_id", "id", postgresql_where=text("acting_org_id IS NOT NULL")),
        Index("ix_audit_entry_subjects", "subject_ids", postgresql_using="gin"),
    )

    id: AuditEntryId = Field(default_factory=AuditEntryId.new, primary_key=True)
    ordinal: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), nullable=False))
    org_id: OrgId = Field(foreign_key="organization.id")
    acting_org_id: OrgId | None = None
    delegation_id: DelegationId | None = None
    actor_kind: str
    member_id: MemberId | None = None
    key_id: KeyId | None = None
    session_id: SessionId | None = None
    operation: str | None = None
    request_id: str | None = None
    changes: list[dict[str, Any]] = json_field()
    subject_ids: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    seq: int | None = Field(default=None, sa_type=BigInteger)
    prev_hash: bytes | None = None
    hash: bytes | None = None
