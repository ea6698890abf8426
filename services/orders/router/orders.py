"""Orders: what was agreed, what arrived, what became of it."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.http.expanding import Expand, expanding, tells
from services.kernel.http.routing import DryRun, Matching, MustMatch, UnitOfWorkRoute, Work, holding
from services.kernel.ids import ListingId, OrderId
from services.kernel.pagination import Paging, rows_of
from services.kernel.unit_of_work import UnitOfWork
from services.orders import cancellation, overview, policy, queries, receiving, rerouting
from services.orders.models import Order
from services.orders.router import receipts
from services.orders.router.answering import shown
from services.orders.schemas import Cancellation, NewReceipt, OrderAnswer, OrderPage, ReceiptAnswer, RemainderRoute

orders = APIRouter(prefix="/v1", tags=["orders"], route_class=UnitOfWorkRoute)

Reads = Annotated[Actor, holding("orders:read")]
Writes = Annotated[Actor, holding("orders:write")]
Receives = Annotated[Actor, holding("receipts:write")]


@orders.get("/orders", summary="List orders")
async def list_(
    work: Work,
    actor: Reads,
    paging: Paging,
    expand: Annotated[Expand, expanding(OrderAnswer)],
    status: Annotated[str | None, Query(pattern="^[a-z_]{1,30}$", description="Only in this status")] = None,
    listing_id: Annotated[ListingId | None, Query(description="Only of this listing")] = None,
) -> OrderPage:
    """Those the caller sells or buys in, newest first."""
    query = queries.orders_visible_to(actor)
    if status is not None:
        query = query.where(col(Order.status) == status)
    if listing_id is not None:
        query = query.where(col(Order.listing_id) == listing_id)
    rows, cursor = await rows_of(work, query, col(Order.id), paging)
    found = await _answers(work, rows, actor)
    await expand.into(work, actor, found)
    return OrderPage(data=found, has_more=cursor is not None, next_cursor=cursor)


async def _answers(work: UnitOfWork, rows: Sequence[Order], actor: Actor) -> list[OrderAnswer]:
    return [OrderAnswer.of(view, policy.roles_of(actor, view.order)) for view in await overview.overviews(work, rows)]


@tells("order", OrderAnswer, holding="orders:read")
async def tell(work: UnitOfWork, actor: Actor, ids: set[str]) -> dict[str, OrderAnswer]:
    found = await _answers(work, await queries.visible_orders(work, ids, actor), actor)
    return {order.id: order for order in found}


@orders.get("/orders/{order_id}", summary="Read an order")
async def get(
    order_id: OrderId, work: Work, actor: Reads, expand: Annotated[Expand, expanding(OrderAnswer)], answer: Response
) -> OrderAnswer:
    """With its frozen terms, what became of each line, what was refused and where it goes, and which certificates
    are owed. Seller and buyer see it; for a carrier there is nothing here."""
    told = await shown(work, await queries.visible_order(work, order_id, actor), actor, answer)
    await expand.into(work, actor, [told])
    return told


@orders.post("/orders/{order_id}/receive", summary="Receive a delivery", status_code=201, dependencies=[DryRun])
async def receive(
    order_id: OrderId, body: NewReceipt, work: Work, actor: Receives, matching: Matching, answer: Response
) -> ReceiptAnswer:
    """The buyer states what arrived. It is a fact: masses off the tolerance, missing and excess pieces are flagged,
    never refused; the tolerance counts over all receipts of a line.

    Refused only when no delivery waits for a receipt, `nothing_delivered`, or a line is not of the order,
    `line_not_found`. Causes `order.partially_received` or `order.received`."""
    receipt = await receiving.receive(
        work,
        order_id,
        by=actor,
        pickup_id=body.pickup_id,
        lines=[line.arrived() for line in body.lines],
        measurement=body.measurement.stored() if body.measurement else None,
        check_version=matching.matches,
    )
    return await receipts.shown(work, receipt, actor, answer)


@orders.post("/orders/{order_id}/cancel", summary="Cancel an order", dependencies=[DryRun])
async def cancel(
    order_id: OrderId, body: Cancellation, work: Work, actor: Writes, matching: MustMatch, answer: Response
) -> OrderAnswer:
    """Either side, as long as nothing is loaded: `already_loaded` afterwards. What was collected goes back, open
    pickups are cancelled, and the lot may be awarded again. Causes `order.cancelled`, `listing.award_reopened` and, once
    confirmed, `deal.cancelling`, `obligation.waived` and, for each pickup, `pickup.cancelled` with `offer.withdrawn`; before
    that, `bid.timed_out`."""
    order = await cancellation.cancel(work, order_id, reason=body.reason, by=actor, check_version=matching.matches)
    return await shown(work, order, actor, answer)


@orders.post("/orders/{order_id}/route_remainder", summary="Route what was refused", dependencies=[DryRun])
async def route_remainder(
    order_id: OrderId, body: RemainderRoute, work: Work, actor: Writes, matching: MustMatch, answer: Response
) -> OrderAnswer:
    """The seller acknowledges the refusal, so its money goes back, and says where the goods go: `return` to where
    they came from, `redirect` or `dispose` with another processor, `relist` to everybody. For the last three a
    listing is published at once, from where the goods lie. After two business days of silence the money goes back
    all the same; the route stays open.

    Refused: `nothing_to_route`, `line_not_found`, `redirect_required` or `relist_required` without the route's terms, and
    with a pointer per thing the new listing lacks, as `listings.publish` explains: `listing_without_items`,
    `nobody_invited`, `organization_not_found`, `site_not_found`, `item_key_taken` (422), `return_reason_required`,
    `condition_grade_required`, `composition_required`, `material_unknown`, `mass_required`, `code_not_valid` (422),
    `hazard_not_declared`, `waste_code_required`, `hp_codes_required`, `un_number_required`, `un_number_unknown`,
    `packaging_required`, `photo_required`, `campaign_required`, `destruction_not_justified`, `closes_at_required`,
    `in_the_past`, `closes_before_opening`, `hard_cap_needs_timed`, `hard_cap_before_close`. Causes
    `order.remainder_routed` and `deal.adjusted`; for a return `pickup.created`, otherwise `listing.created`,
    `listing.submitted`, `listing.published` and `listing.opened`."""
    order = await rerouting.route_remainder(work, order_id, body.wish(), by=actor, check_version=matching.matches)
    return await shown(work, order, actor, answer)
