"""The moment custody changes: what was there, how it was measured, who signed for it."""

import hashlib
from datetime import datetime
from typing import Any

import rfc8785
from pydantic import BaseModel, ConfigDict
from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from services.kernel.ids import HandoverId, LineId, OrgId, PickupId
from services.kernel.tables import Instant, Row, json_field

PLACES = ("pickup", "delivery")
METHODS = ("floor_scale", "weighbridge", "counted", "declared")


class HandoverLine(BaseModel):
    """One line of goods as it changed hands; `reason` where its quantity is not the announced one."""

    model_config = ConfigDict(frozen=True)

    line_id: LineId
    quantity: int
    mass_g: int
    reason: str | None = None


class Measurement(BaseModel):
    """How the masses were found. `gross_g` is the lorry with the goods, `tare_g` without; both or neither."""

    model_config = ConfigDict(frozen=True)

    method: str
    instrument: str | None = None
    ticket: str | None = None
    gross_g: int | None = None
    tare_g: int | None = None
    packaging_g: int | None = None

    @property
    def net_g(self) -> int | None:
        """Gross less tare less packaging; None where no lorry was weighed."""
        if self.gross_g is None or self.tare_g is None:
            return None
        return self.gross_g - self.tare_g - (self.packaging_g or 0)


class Photo(BaseModel):
    """A picture somebody keeps: `sha256` in 64 hexadecimal digits proves which."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    name: str


class Signature(BaseModel):
    """Who signed for whom: `occurred_at` is the act, `recorded_at` when it reached us."""

    model_config = ConfigDict(frozen=True)

    org_id: OrgId
    role: str
    signed_by: str
    actor: str
    occurred_at: datetime
    recorded_at: datetime


class Handover(Row, table=True):
    """What was signed. The content never changes: whoever corrects what nobody else has signed yet makes a new row, and the
    old one is superseded. `signed_at` is when everyone who must sign had signed."""

    __tablename__ = "handover"
    __table_args__ = (
        CheckConstraint("place IN ('pickup', 'delivery')", name="place"),
        CheckConstraint("content_hash ~ '^[0-9a-f]{64}$'", name="content_hash"),
        CheckConstraint("occurred_at <= created_at + interval '5 minutes'", name="not_in_the_future"),
        CheckConstraint("signed_at IS NULL OR superseded_at IS NULL", name="signed_or_superseded"),
        Index("uq_handover_place", "pickup_id", "place", unique=True, postgresql_where=text("superseded_at IS NULL")),
    )

    id: HandoverId = Field(default_factory=HandoverId.new, primary_key=True)
    pickup_id: PickupId = Field(foreign_key="pickup_job.id")
    place: str
    lines: list[dict[str, Any]] = json_field()
    measurement: dict[str, Any] = json_field()
    seals: list[str] = json_field()
    photos: list[dict[str, Any]] = json_field()
    reservations: str | None = None
    content_hash: str
    signatures: list[dict[str, Any]] = json_field()
    occurred_at: datetime = Field(sa_type=Instant)
    signed_at: datetime | None = Field(default=None, sa_type=Instant)
    superseded_at: datetime | None = Field(default=None, sa_type=Instant)

    def has_signed(self, org_id: str) -> bool:
        return any(signature["org_id"] == org_id for signature in self.signatures)

    def content_lines(self) -> list[HandoverLine]:
        return [HandoverLine.model_validate(line) for line in self.lines]

    def measured(self) -> Measurement:
        return Measurement.model_validate(self.measurement)

    def pictures(self) -> list[Photo]:
        return [Photo.model_validate(photo) for photo in self.photos]


def hash_of(content: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON (RFC 8785) of the content, in hexadecimal."""
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()
