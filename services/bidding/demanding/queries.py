"""Every SELECT of demand orders. An order is read by its organization alone; what it would pay is nobody else's."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ARRAY, Select, Text, any_, bindparam, delete, func, insert, literal, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col

from services.bidding.models import DemandCell, DemandMatch, DemandOrder
from services.bidding.models.demands import NEAR
from services.kernel.actors import Actor
from services.kernel.errors import NotFound
from services.kernel.ids import DemandId
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import Listing
from services.listings.searching.places import KM_PER_DEGREE, Place, cell

CELLS = (3, 2)
"""Resolutions of H3 in which orders look."""


def week_of(now: datetime) -> date:
    """The Monday, in UTC."""
    return now.date() - timedelta(days=now.weekday())


def orders_of(actor: Actor) -> Select[DemandOrder]:
    return select(DemandOrder).where(
        col(DemandOrder.livemode) == actor.livemode, col(DemandOrder.org_id) == actor.org_id
    )


def matches_of(actor: Actor, order_id: DemandId) -> Select[DemandMatch]:
    return select(DemandMatch).where(
        col(DemandMatch.livemode) == actor.livemode,
        col(DemandMatch.org_id) == actor.org_id,
        col(DemandMatch.demand_order_id) == order_id,
    )


async def order_of(work: UnitOfWork, order_id: DemandId, actor: Actor, *, for_update: bool = False) -> DemandOrder:
    """NotFound for everybody else."""
    query = orders_of(actor).where(col(DemandOrder.id) == order_id)
    return await _one(work, query, order_id, for_update=for_update)


async def order_for_update(work: UnitOfWork, order_id: str) -> DemandOrder:
    query = select(DemandOrder).where(col(DemandOrder.id) == order_id, col(DemandOrder.livemode) == work.livemode)
    return await _one(work, query, order_id, for_update=True)


async def _one(work: UnitOfWork, query: Select[DemandOrder], order_id: str, *, for_update: bool) -> DemandOrder:
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    row = (await work.session.execute(query)).scalar_one_or_none()
    if row is None:
        raise NotFound("demand order", order_id)
    return row


async def candidates(work: UnitOfWork, listing: Listing) -> Sequence[DemandOrder]:
    """Active orders for one of its materials that look where it lies, of whoever may see it and does not sell it."""
    where = Place(listing.latitude, listing.longitude)
    looking = select(col(DemandCell.demand_order_id)).where(
        col(DemandCell.livemode) == listing.livemode,
        col(DemandCell.material).in_([one["material"] for one in listing.materials]),
        col(DemandCell.cell).in_([cell(where, resolution) for resolution in CELLS]),
    )
    query = select(DemandOrder).where(
        col(DemandOrder.id).in_(looking),
        col(DemandOrder.status) == "active",
        func.abs(col(DemandOrder.latitude) - listing.latitude) <= col(DemandOrder.radius_km) * (NEAR / KM_PER_DEGREE),
        col(DemandOrder.org_id) != listing.seller_id,
        or_(col(DemandOrder.valid_until).is_(None), col(DemandOrder.valid_until) > work.now),
    )
    if listing.visibility != "public":
        query = query.where(col(DemandOrder.org_id).in_(listing.guests))
    return (await work.session.execute(query.order_by(col(DemandOrder.id)))).scalars().all()


async def reserved_g(work: UnitOfWork, order_ids: Collection[str], week_on: date) -> dict[str, int]:
    """By order: what its bids of that week would bring, and those it had to let go of left out."""
    query = (
        select(col(DemandMatch.demand_order_id), func.sum(col(DemandMatch.reserved_g)))
        .where(
            col(DemandMatch.demand_order_id) == any_(literal(list(order_ids), ARRAY(Text))),
            col(DemandMatch.week_on) == week_on,
            col(DemandMatch.released_at).is_(None),
        )
        .group_by(col(DemandMatch.demand_order_id))
    )
    return {order_id: int(grams) for order_id, grams in (await work.session.execute(query)).all()}


async def left_g(work: UnitOfWork, orders: Sequence[DemandOrder]) -> dict[str, int]:
    """By order: what it still takes this week."""
    reserved = await reserved_g(work, [order.id for order in orders], week_of(work.now))
    return {order.id: max(0, order.weekly_g - reserved.get(order.id, 0)) for order in orders}


async def match_for_update(work: UnitOfWork, order_id: str, listing_id: str) -> DemandMatch | None:
    query = select(DemandMatch).where(
        col(DemandMatch.demand_order_id) == order_id, col(DemandMatch.listing_id) == listing_id
    )
    locked = query.with_for_update().execution_options(populate_existing=True)
    return (await work.session.execute(locked)).scalar_one_or_none()


async def known(work: UnitOfWork, listing_id: str) -> set[str]:
    """The orders that the listing has been held against."""
    query = select(col(DemandMatch.demand_order_id)).where(col(DemandMatch.listing_id) == listing_id)
    return set((await work.session.execute(query)).scalars())


async def waiting_to_bid(work: UnitOfWork, listing_id: str) -> list[DemandId]:
    """The orders that matched the listing, bid by themselves and have not yet."""
    query = (
        select(col(DemandMatch.demand_order_id))
        .join(DemandOrder, col(DemandOrder.id) == col(DemandMatch.demand_order_id))
        .where(
            col(DemandMatch.listing_id) == listing_id,
            col(DemandMatch.is_match),
            col(DemandMatch.bid_id).is_(None),
            col(DemandOrder.bids_by_itself),
        )
        .order_by(col(DemandMatch.demand_order_id))
    )
    return list((await work.session.execute(query)).scalars())


async def reserving_for_update(work: UnitOfWork, listing_id: str, org_id: str) -> Sequence[DemandMatch]:
    """The organization's that have bid for the listing and still count against their week."""
    query = select(DemandMatch).where(
        col(DemandMatch.listing_id) == listing_id,
        col(DemandMatch.org_id) == org_id,
        col(DemandMatch.bid_id).is_not(None),
        col(DemandMatch.released_at).is_(None),
    )
    locked = query.order_by(col(DemandMatch.demand_order_id)).with_for_update()
    return (await work.session.execute(locked.execution_options(populate_existing=True))).scalars().all()


_KEEP = text("INSERT INTO demand_match SELECT * FROM jsonb_populate_recordset(CAST(NULL AS demand_match), :rows)")


async def keep(work: UnitOfWork, matches: Sequence[DemandMatch]) -> None:
    """In one statement: a common material has hundreds of near misses."""
    if matches:
        rows = [match.model_dump(mode="json") for match in matches]
        await work.session.execute(_KEEP.bindparams(bindparam("rows", rows, JSONB)))


async def put_cells(work: UnitOfWork, order: DemandOrder, cells: Collection[int]) -> None:
    """In place of those that were there; none: the order looks nowhere."""
    async with work.as_house():
        await work.session.execute(delete(DemandCell).where(col(DemandCell.demand_order_id) == order.id))
        here = {"livemode": order.livemode, "created_at": work.now, "material": order.material}
        rows = [here | {"cell": one, "demand_order_id": order.id} for one in cells]
        if rows:
            await work.session.execute(insert(DemandCell), rows)
