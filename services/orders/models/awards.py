"""The fact that a bid won."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from services.kernel.ids import AwardId, BidId, ListingId, OrgId
from services.kernel.tables import Instant, Row, json_field


class Award(Row, table=True):
    """That a bid won a lot: who said so, and on which `ranking` ([{bid_id, rank, landed_net_value}],
    best first; `passed_over` are the codes against a better bid that a rule did not take). It is live until
    `ended_at`: the winner did not confirm, or the order was cancelled before loading. A listing sold as a whole has one live
    award; of one sold in parts each award says by its order's lines what it has won."""

    __tablename__ = "award"
    __table_args__ = (
        Index("uq_award_listing_id", "listing_id", unique=True, postgresql_where=text("ended_at IS NULL AND is_whole")),
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="end_has_a_reason"),
    )

    id: AwardId = Field(default_factory=AwardId.new, primary_key=True)
    listing_id: ListingId = Field(foreign_key="listing.id")
    bid_id: BidId = Field(foreign_key="bid.id", unique=True)
    seller_id: OrgId = Field(foreign_key="organization.id")
    buyer_id: OrgId = Field(foreign_key="organization.id")
    is_whole: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    awarded_by: str
    ranking: list[dict[str, Any]] = json_field(default_factory=list)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    end_reason: str | None = None
