"""Every SELECT of vouching."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from services.bidding.models import Bid, ProvenBidder
from services.kernel.ids import OrgId
from services.kernel.unit_of_work import UnitOfWork


async def is_proven(work: UnitOfWork, org_id: OrgId) -> bool:
    query = select(col(ProvenBidder.org_id)).where(
        col(ProvenBidder.org_id) == org_id, col(ProvenBidder.livemode) == work.livemode
    )
    return (await work.session.execute(query)).first() is not None


async def remember(work: UnitOfWork, org_id: OrgId) -> None:
    """Once, however often it is told."""
    row = {"org_id": org_id, "livemode": work.livemode, "created_at": work.now}
    await work.session.execute(insert(ProvenBidder).values(row).on_conflict_do_nothing())


async def bids_of(work: UnitOfWork, listing_id: str, bidder_ids: Sequence[str]) -> Sequence[Bid]:
    """All they ever placed for it."""
    query = select(Bid).where(
        col(Bid.listing_id) == listing_id, col(Bid.bidder_id).in_(bidder_ids), col(Bid.livemode) == work.livemode
    )
    return (await work.session.execute(query.execution_options(populate_existing=True))).scalars().all()
