"""Processors that have brought a deal to its end."""

from typing import ClassVar

from sqlmodel import Field

from services.kernel.ids import OrgId
from services.kernel.tables import Row


class ProvenBidder(Row, table=True):
    """Kept by a reaction to `order.settled`: orders are above bidding, and are not asked."""

    __tablename__ = "proven_bidder"
    __audited__: ClassVar[bool] = False

    org_id: OrgId = Field(primary_key=True, foreign_key="organization.id")
