"""A finding: something about who bids with whom that a person should look at. It forbids nothing by itself."""

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import ARRAY, CheckConstraint, Column, Index, Text, UniqueConstraint
from sqlmodel import Field

from services.kernel.ids import FindingId, ListingId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Versioned, json_field

Kind = Literal["same_vat_root", "same_bank_account", "same_people", "withdrawn_leader", "bidding_ring"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FindingStatus = Literal["open", "cleared", "upheld"]
FINDING_STATUSES: tuple[FindingStatus, ...] = get_args(FindingStatus)


class Finding(Versioned, table=True):
    """`org_ids` are those it is about, sorted; one of a kind about them per listing. `evidence` by kind: see `integrity`."""

    __tablename__ = "integrity_finding"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint(f"status IN {FINDING_STATUSES}", name="status"),
        CheckConstraint(
            "(status = 'open') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)", name="decision"
        ),
        CheckConstraint("cardinality(org_ids) > 0", name="orgs"),
        UniqueConstraint("listing_id", "kind", "org_ids"),
        Index("ix_integrity_finding_status", "livemode", "status", "id"),
    )

    id: FindingId = Field(default_factory=FindingId.new, primary_key=True)
    kind: str
    listing_id: ListingId = Field(foreign_key="listing.id")
    org_ids: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    evidence: dict[str, Any] = json_field()
    status: str = "open"
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
    decided_by: str | None = None
    note: str | None = None


FINDING = Machine(
    "finding",
    Transition("clear", ("open", "upheld"), "cleared", ("operator",)),
    Transition("uphold", ("open", "cleared"), "upheld", ("operator",)),
)
