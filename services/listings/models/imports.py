"""The reading of one manifest."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint
from sqlmodel import Field

from services.kernel.ids import ImportId, ListingId, OrgId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Versioned, json_field

IMPORT_STATUSES = ("received", "completed", "failed")


class Import(Versioned, table=True):
    """`content` is the file as it came, `refused_csv` what went back. `problems` names the first refused rows as
    [{row, pointer, code, detail}]; `failure` says why nothing could be read. rows = imported + refused;
    imported = added + updated + unchanged."""

    __tablename__ = "import"
    __table_args__ = (
        CheckConstraint("status IN ('received', 'completed', 'failed')", name="status"),
        CheckConstraint("rows = imported + refused", name="rows_accounted"),
        CheckConstraint("imported = added + updated + unchanged", name="imported_accounted"),
        CheckConstraint("(status = 'failed') = (failure_code IS NOT NULL)", name="failure"),
    )

    id: ImportId = Field(default_factory=ImportId.new, primary_key=True)
    seller_id: OrgId = Field(foreign_key="organization.id", index=True)
    listing_id: ListingId = Field(foreign_key="listing.id", index=True)
    status: str = "received"
    file_name: str
    size_bytes: int = Field(sa_type=BigInteger)
    sha256: str
    content: bytes
    profile: str | None = None
    mapping: dict[str, Any] = json_field()
    rows: int = 0
    imported: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    problems: list[dict[str, Any]] = json_field(default_factory=list)
    notes: list[str] = json_field(default_factory=list)
    refused_csv: bytes | None = None
    failure_code: str | None = None
    failure: str | None = None
    completed_at: datetime | None = Field(default=None, sa_type=Instant)


IMPORT = Machine(
    "import",
    Transition("complete", ("received",), "completed", ("time",), endpoint=False),
    Transition("fail", ("received",), "failed", ("time",), endpoint=False),
)
