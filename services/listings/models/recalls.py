"""A manufacturer's recall, and the stops it puts on goods."""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, CheckConstraint, Column, Index, Text, text
from sqlmodel import Field

from services.kernel.ids import CampaignId, CertificateId, ItemId, OrgId, StopId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Row, Versioned, json_field
from services.listings.models.drafts import DISPOSITIONS

CAMPAIGN_STATUSES = ("open", "closed", "lifted")
PROOFS = ("certificate", "none")
RECALL_QUARANTINE = "recall_quarantine"


class RecallCampaign(Versioned, table=True):
    """`predicate` says which goods are meant, `dispositions` what may become of them. `units_sold` is how many the manufacturer
    says it has put on the market. `proof`: a certificate counts what was treated, or nothing is asked for."""

    __tablename__ = "recall_campaign"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'closed', 'lifted')", name="status"),
        CheckConstraint("proof IN ('certificate', 'none')", name="proof"),
        CheckConstraint("(status = 'open') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("units_sold >= 1", name="units_sold"),
        CheckConstraint("cardinality(dispositions) >= 1", name="dispositions"),
        Index("ix_recall_campaign_open", "livemode", postgresql_where=text("status = 'open'")),
    )

    id: CampaignId = Field(default_factory=CampaignId.new, primary_key=True)
    manufacturer_id: OrgId = Field(foreign_key="organization.id", index=True)
    title: str
    description: str | None = None
    predicate: dict[str, Any] = json_field()
    dispositions: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    proof: str = "certificate"
    units_sold: int | None = None
    status: str = "open"
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    end_reason: str | None = None


class Stop(Row, table=True):
    """A fact that forbids decisions about goods: placed and lifted, never deleted. It is on one unit by the seller's external id,
    wherever that stands, or on an item without units. `matched_on` names what of the predicate it met; `remedied_at` is when a
    certificate proved that the goods were treated as the campaign asks."""

    __tablename__ = "stop"
    __table_args__ = (
        CheckConstraint("reason IN ('recall_quarantine')", name="reason"),
        CheckConstraint("(lifted_at IS NULL) = (lift_reason IS NULL)", name="lifted_for_a_reason"),
        CheckConstraint("(remedied_at IS NULL) = (certificate_id IS NULL)", name="remedied_by_a_certificate"),
        Index("ix_stop_item_id", "item_id", postgresql_where=text("lifted_at IS NULL")),
        Index(
            "uq_stop_unit",
            "campaign_id",
            "seller_id",
            "external_id",
            unique=True,
            postgresql_where=text("external_id IS NOT NULL AND lifted_at IS NULL"),
        ),
        Index(
            "uq_stop_item",
            "campaign_id",
            "item_id",
            unique=True,
            postgresql_where=text("external_id IS NULL AND lifted_at IS NULL"),
        ),
    )

    id: StopId = Field(default_factory=StopId.new, primary_key=True)
    reason: str = RECALL_QUARANTINE
    campaign_id: CampaignId = Field(foreign_key="recall_campaign.id")
    seller_id: OrgId = Field(foreign_key="organization.id", index=True)
    item_id: ItemId
    external_id: str | None = None
    quantity: int
    matched_on: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    placed_by: str
    lifted_at: datetime | None = Field(default=None, sa_type=Instant)
    lifted_by: str | None = None
    lift_reason: str | None = None
    remedied_at: datetime | None = Field(default=None, sa_type=Instant)
    certificate_id: CertificateId | None = None


RECALL = Machine(
    "recall campaign",
    Transition("close", ("open",), "closed", ("manufacturer", "operator")),
    Transition("lift", ("open", "closed"), "lifted", ("manufacturer", "operator")),
)
"""Closing ends the search for matching goods, and what is stopped stays stopped; lifting takes every stop away."""

__all__ = ["CAMPAIGN_STATUSES", "DISPOSITIONS", "PROOFS", "RECALL", "RECALL_QUARANTINE", "RecallCampaign", "Stop"]
