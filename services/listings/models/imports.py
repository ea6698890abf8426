"""The reading of one manifest, and the mappings that an organization keeps for the next."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary, UniqueConstraint
from sqlmodel import Field

from services.kernel.ids import ImportId, ImportProfileId, ListingId, OrgId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Versioned, json_field

IMPORT_STATUSES = ("received", "reading", "landing", "completed", "failed")
IMPORTS_UNDER_WAY = ("received", "reading", "landing")


class Import(Versioned, table=True):
    """`content` is the file as it came, `refused_file` what went back in the same `file_format` (csv, xlsx or jsonl, None until
    it has been opened). `problems` names the first refused rows as [{row, pointer, code, detail}]; `failure` says why nothing
    could be read. rows = imported + refused; imported = added + updated + unchanged.

    A trial lands nothing, and needs no listing. `rows_total` is known once the file has been read; `rows_read` and
    `rows_landed` tell how far the job is."""

    __tablename__ = "import"
    __table_args__ = (
        CheckConstraint("status IN ('received', 'reading', 'landing', 'completed', 'failed')", name="status"),
        CheckConstraint("rows = imported + refused", name="rows_accounted"),
        CheckConstraint("imported = added + updated + unchanged", name="imported_accounted"),
        CheckConstraint("(status = 'failed') = (failure_code IS NOT NULL)", name="failure"),
        CheckConstraint("listing_id IS NOT NULL OR is_trial", name="listed"),
        CheckConstraint("file_format IN ('csv', 'xlsx', 'jsonl')", name="file_format"),
        CheckConstraint("rows_read >= 0 AND rows_landed >= 0", name="progress"),
    )

    id: ImportId = Field(default_factory=ImportId.new, primary_key=True)
    seller_id: OrgId = Field(foreign_key="organization.id", index=True)
    listing_id: ListingId | None = Field(default=None, foreign_key="listing.id", index=True)
    status: str = "received"
    is_trial: bool = False
    file_name: str
    file_format: str | None = None
    size_bytes: int = Field(sa_type=BigInteger)
    sha256: str
    content: bytes
    profile: str | None = None
    mapping: dict[str, Any] = json_field()
    rows_total: int | None = None
    rows_read: int = 0
    rows_landed: int = 0
    rows: int = 0
    imported: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    problems: list[dict[str, Any]] = json_field(default_factory=list)
    notes: list[str] = json_field(default_factory=list)
    refused_file: bytes | None = Field(default=None, sa_column=Column("refused_csv", LargeBinary, nullable=True))
    failure_code: str | None = None
    failure: str | None = None
    completed_at: datetime | None = Field(default=None, sa_type=Instant)


class ImportProfile(Versioned, table=True):
    """A mapping under a name that the organization gives it; `mapping` is the document that `manifests.mapping` parses."""

    __tablename__ = "import_profile"
    __table_args__ = (UniqueConstraint("org_id", "livemode", "name"),)

    id: ImportProfileId = Field(default_factory=ImportProfileId.new, primary_key=True)
    org_id: OrgId = Field(foreign_key="organization.id")
    name: str
    mapping: dict[str, Any] = json_field()


IMPORT = Machine(
    "import",
    Transition("read", IMPORTS_UNDER_WAY, "reading", ("time",), endpoint=False),
    Transition("land", ("reading", "landing"), "landing", ("time",), endpoint=False),
    Transition("complete", ("reading", "landing"), "completed", ("time",), endpoint=False),
    Transition("fail", IMPORTS_UNDER_WAY, "failed", ("time",), endpoint=False),
)
"""A job that died is run again from the start: a reading begins anew whatever the last one came to."""
