"""How an ascending auction stands."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import BigInteger, CheckConstraint
from sqlmodel import Field

from services.kernel.ids import BidId, ListingId, OrgId
from services.kernel.tables import Instant, Row


class Auction(Row, table=True):
    """What the next bid is judged by, written under the listing's exclusive lock with each bid; the fold over the log says the
    same. `limit_minor` is the leader's secret. `count` is how many bids have counted, `received_at` the stamp of the last."""

    __tablename__ = "auction"
    __audited__: ClassVar[bool] = False
    __table_args__ = (CheckConstraint("limit_minor >= price_minor", name="limit"),)

    listing_id: ListingId = Field(primary_key=True, foreign_key="listing.id")
    leader_bid_id: BidId = Field(foreign_key="bid.id")
    leader_id: OrgId = Field(foreign_key="organization.id")
    price_minor: int = Field(sa_type=BigInteger)
    limit_minor: int = Field(sa_type=BigInteger)
    ends_at: datetime = Field(sa_type=Instant)
    count: int
    received_at: datetime = Field(sa_type=Instant)
