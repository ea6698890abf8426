"""The keys we sign with, and the lists that say which version was revoked."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from services.certification.status_lists import SIZE
from services.kernel.ids import StatusListId
from services.kernel.tables import Instant, Row, json_field


class SigningKey(Row, table=True):
    """The public half; the private one lies in a file of the service and never here. `public` is a JWK (ES256) or
    {"multibase": …} (Ed25519). A retired key stays published, a compromised one does not."""

    __tablename__ = "signing_key"
    __table_args__ = (
        CheckConstraint("algorithm IN ('ES256', 'Ed25519')", name="algorithm"),
        CheckConstraint("NOT jsonb_exists(public, 'd')", name="public_only"),
    )

    kid: str = Field(primary_key=True)
    algorithm: str
    public: dict[str, Any] = json_field()
    retired_at: datetime | None = Field(default=None, sa_type=Instant)
    compromised_at: datetime | None = Field(default=None, sa_type=Instant)


class StatusList(Row, table=True):
    """Bits that are only ever set; `revision` rises with each. `token` is the list as last published, at `published_revision`."""

    __tablename__ = "status_list"
    __table_args__ = (
        CheckConstraint(f"octet_length(bits) = {SIZE // 8}", name="bits"),
        CheckConstraint("published_revision <= revision", name="revision"),
        UniqueConstraint("id", "livemode"),
        Index("uq_status_list_open", "livemode", unique=True, postgresql_where=text("is_open")),
    )

    id: StatusListId = Field(default_factory=StatusListId.new, primary_key=True)
    bits: bytes
    entries: int = 0
    is_open: bool = True
    revision: int = 0
    published_revision: int = 0
    token: str
    published_at: datetime = Field(sa_type=Instant)
