"""HTTP of demand orders."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlmodel import col

from services.bidding.demanding import ordering, queries
from services.bidding.demanding.schemas import (
    DemandMatchAnswer,
    DemandMatchPage,
    DemandOrderAnswer,
    DemandOrderPage,
    NewDemandOrder,
)
from services.bidding.models import DemandMatch, DemandOrder
from services.kernel.actors import Actor
from services.kernel.http.routing import DryRun, Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.ids import DemandId
from services.kernel.pagination import Paging, rows_of
from services.kernel.unit_of_work import UnitOfWork

demand_orders = APIRouter(prefix="/v1", tags=["demand_orders"], route_class=UnitOfWorkRoute)

Reads = Annotated[Actor, holding("demand_orders:read")]
Writes = Annotated[Actor, holding("demand_orders:write")]


async def _told(work: UnitOfWork, order: DemandOrder, answer: Response) -> DemandOrderAnswer:
    tag(answer, order.version)
    return DemandOrderAnswer.of(order, (await queries.left_g(work, [order]))[order.id])


@demand_orders.post("/demand-orders", status_code=201, summary="Give a standing order")
async def create(body: NewDemandOrder, work: Work, actor: Writes, answer: Response) -> DemandOrderAnswer:
    """Every listing published from now on is held against it: a match is told as `demand_order.matched`, what misses one or two
    criteria is kept with figures. With `bids_by_itself` (your credential also holds bids:write) it bids for what matches as
    you would, FCA, at `bid_price`; never above `price_limit`, never for more than the week has left, and not where a bid of
    yours stands already.

    Refused with `not_a_processor`, and as invalid: `site_not_yours`, `currency_differs`, `bid_above_limit`, `negative`,
    `operation_unknown`, `in_the_past`. Causes `demand_order.created`.
    """
    return await _told(work, await ordering.create(work, body, by=actor), answer)


@demand_orders.get("/demand-orders", name="list", summary="List standing orders")
async def list_(
    work: Work,
    actor: Reads,
    paging: Paging,
    status: Annotated[str | None, Query(pattern="^[a-z]{1,20}$", description="Only in this state")] = None,
) -> DemandOrderPage:
    """Your own, newest first."""
    query = queries.orders_of(actor)
    if status is not None:
        query = query.where(col(DemandOrder.status) == status)
    rows, cursor = await rows_of(work, query, col(DemandOrder.id), paging)
    left = await queries.left_g(work, rows)
    found = [DemandOrderAnswer.of(row, left[row.id]) for row in rows]
    return DemandOrderPage(data=found, has_more=cursor is not None, next_cursor=cursor)


@demand_orders.get("/demand-orders/{demand_order_id}", summary="Read a standing order")
async def get(demand_order_id: DemandId, work: Work, actor: Reads, answer: Response) -> DemandOrderAnswer:
    """Your own alone; nobody else learns what you would pay."""
    return await _told(work, await queries.order_of(work, demand_order_id, actor), answer)


@demand_orders.get("/demand-orders/{demand_order_id}/matches", summary="List what was held against it")
async def matches(
    demand_order_id: DemandId,
    work: Work,
    actor: Reads,
    paging: Paging,
    is_match: Annotated[bool | None, Query(description="Only matches, or only near misses")] = None,
) -> DemandMatchPage:
    """Matches, and near misses with the reason for each; by the newest listing."""
    order = await queries.order_of(work, demand_order_id, actor)
    query = queries.matches_of(actor, order.id)
    if is_match is not None:
        query = query.where(col(DemandMatch.is_match) == is_match)
    rows, cursor = await rows_of(work, query, col(DemandMatch.listing_id), paging)
    found = [DemandMatchAnswer.of(row) for row in rows]
    return DemandMatchPage(data=found, has_more=cursor is not None, next_cursor=cursor)


@demand_orders.post("/demand-orders/{demand_order_id}/pause", summary="Pause a standing order", dependencies=[DryRun])
async def pause(
    demand_order_id: DemandId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> DemandOrderAnswer:
    """It is held against nothing until it is resumed; its bids stand. Causes `demand_order.paused`."""
    order = await ordering.change_state(work, demand_order_id, "pause", by=actor, check_version=matching.matches)
    return await _told(work, order, answer)


@demand_orders.post("/demand-orders/{demand_order_id}/resume", summary="Resume a standing order", dependencies=[DryRun])
async def resume(
    demand_order_id: DemandId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> DemandOrderAnswer:
    """What is published from now on is held against it again. Causes `demand_order.resumed`."""
    order = await ordering.change_state(work, demand_order_id, "resume", by=actor, check_version=matching.matches)
    return await _told(work, order, answer)


@demand_orders.post("/demand-orders/{demand_order_id}/cancel", summary="Cancel a standing order", dependencies=[DryRun])
async def cancel(
    demand_order_id: DemandId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> DemandOrderAnswer:
    """For good; its bids stand. Causes `demand_order.cancelled`."""
    order = await ordering.change_state(work, demand_order_id, "cancel", by=actor, check_version=matching.matches)
    return await _told(work, order, answer)
