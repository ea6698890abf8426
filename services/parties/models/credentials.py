"""What machines call with."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from services.kernel.ids import KeyId, MemberId, OrgId
from services.kernel.tables import Instant, Row
from services.parties.models.fields import texts


class ApiKey(Row, table=True):
    """`secret_hash` is the SHA-256 of a 256-bit secret that is shown once and kept nowhere.

    A rotated key and its successor name each other in `replaced_by_id` and `replaces_id`.
    """

    __tablename__ = "api_key"
    __table_args__ = (CheckConstraint("octet_length(secret_hash) = 32", name="secret_hash"),)

    id: KeyId = Field(default_factory=KeyId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id", index=True)
    member_id: MemberId = Field(foreign_key="member.id", index=True)
    name: str = Field(max_length=200)
    secret_hash: bytes
    scopes: list[str] = Field(sa_column=texts())
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    last_used_at: datetime | None = Field(default=None, sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    replaces_id: KeyId | None = Field(default=None, foreign_key="api_key.id", unique=True)
    replaced_by_id: KeyId | None = Field(default=None, foreign_key="api_key.id", unique=True)
