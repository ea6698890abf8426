"""A manufacturer's recall, and the stops it puts on goods."""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, CheckConstraint, Column, Index, Text, text
from sqlmodel import Field

from services.kernel.ids import CampaignId, CertificateId, ItemId, OrgId, StopId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Instant, Row, Versioned, json_field

RECALL_QUARANTINE = "recall_quarantine"


def _texts() -> "Column[Any]":
    return Column(ARRAY(Text), nullable=False)


class RecallCampaign(Versioned, table=True):
    """`predicate` says which goods are meant, `dispositions` what may become of them, `proofs` which types of certificate count
    as having done so. `units_sold` is how many the manufacturer says it has put on the market."""

    __tablename__ = "recall_campaign"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'closed', 'lifted')", name="status"),
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
    dispositions: list[str] = Field(sa_column=_texts())
    proofs: list[str] = Field(sa_column=_texts())
    units_sold: int | None = None
    status: str = "open"
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    end_reason: str | None = None


class Stop(Row, table=True):
    """A fact that forbids decisions about goods: placed and lifted, never deleted. It is on one unit by the seller's external id,
    wherever that stands, or on an item without units. `matched_on` names what of the predicate was met; of `quantity` pieces
    `remedied_quantity` are proven to have gone as the campaign asks."""

    __tablename__ = "stop"
    __table_args__ = (
        CheckConstraint("reason IN ('recall_quarantine')", name="reason"),
        CheckConstraint("(lifted_at IS NULL) = (lift_reason IS NULL)", name="lifted_for_a_reason"),
        CheckConstraint("quantity >= 0 AND remedied_quantity BETWEEN 0 AND quantity", name="remedied"),
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
    manufacturer_id: OrgId = Field(foreign_key="organization.id")
    seller_id: OrgId = Field(foreign_key="organization.id", index=True)
    item_id: ItemId
    external_id: str | None = None
    quantity: int
    matched_on: list[str] = Field(sa_column=_texts())
    placed_by: str
    remedied_quantity: int = 0
    certificate_id: CertificateId | None = None
    lifted_at: datetime | None = Field(default=None, sa_type=Instant)
    lifted_by: str | None = None
    lift_reason: str | None = None


RECALL = Machine(
    "recall campaign",
    Transition("close", ("open",), "closed", ("manufacturer", "operator")),
    Transition("lift", ("open", "closed"), "lifted", ("manufacturer", "operator")),
)
"""Closing ends the search for matching goods, and what is stopped stays stopped; lifting takes every stop away."""
