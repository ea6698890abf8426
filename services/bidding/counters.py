"""SELECTs of counter-offers. Who sees the bid sees what was said about it."""

from collections.abc import Collection, Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col

from services.bidding.models import Counter
from services.kernel.ids import BidId
from services.kernel.unit_of_work import UnitOfWork


def of(bid_id: BidId) -> Select[Counter]:
    """Unordered; for callers who have found the bid."""
    return select(Counter).where(col(Counter.bid_id) == bid_id)


async def on_the_table(work: UnitOfWork, bid_ids: Collection[BidId]) -> dict[BidId, Counter]:
    """The last counter of each; bids without one are left out."""
    if not bid_ids:
        return {}
    query = select(Counter).where(col(Counter.bid_id).in_(bid_ids)).ext(distinct_on(col(Counter.bid_id)))
    rows = await work.session.execute(query.order_by(col(Counter.bid_id), col(Counter.number).desc()))
    return {row.bid_id: row for row in rows.scalars()}


async def next_number(work: UnitOfWork, bid_id: BidId) -> int:
    """Exact under the bid's lock."""
    query = select(func.coalesce(func.max(col(Counter.number)), 0) + 1).where(col(Counter.bid_id) == bid_id)
    return (await work.session.execute(query)).scalar_one() or 1


async def of_bids(work: UnitOfWork, bid_ids: Collection[BidId]) -> Sequence[Counter]:
    """In the order in which they were said."""
    query = select(Counter).where(col(Counter.bid_id).in_(bid_ids))
    ordered = query.order_by(col(Counter.created_at), col(Counter.id))
    return (await work.session.execute(ordered)).scalars().all()
