"""Receipts: what arrived in one delivery, and the receiver's word on it."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.http.expanding import Expand, expanding
from services.kernel.http.routing import DryRun, MustMatch, UnitOfWorkRoute, Work, holding, tag
from services.kernel.ids import OrderId, ReceiptId
from services.kernel.pagination import Paging, rows_of
from services.kernel.unit_of_work import UnitOfWork
from services.orders import policy, queries, receiving
from services.orders.models import Receipt
from services.orders.schemas import Inspection, ReceiptAnswer, ReceiptPage

receipts = APIRouter(prefix="/v1", tags=["receipts"], route_class=UnitOfWorkRoute)

Reads = Annotated[Actor, holding("orders:read")]
Receives = Annotated[Actor, holding("receipts:write")]


async def shown(work: UnitOfWork, receipt: Receipt, actor: Actor, answer: Response) -> ReceiptAnswer:
    tag(answer, receipt.version)
    order = await queries.order(work, receipt.order_id)
    lines = list(await queries.receipt_lines(work, receipt.id))
    return ReceiptAnswer.of(receipt, lines, policy.roles_of(actor, order))


@receipts.get("/receipts", summary="List receipts")
async def list_(
    work: Work,
    actor: Reads,
    paging: Paging,
    expand: Annotated[Expand, expanding(ReceiptAnswer)],
    order_id: Annotated[OrderId | None, Query(description="Only of this order")] = None,
) -> ReceiptPage:
    """Of orders the caller sells or buys in, newest first."""
    query = queries.receipts_visible_to(actor)
    if order_id is not None:
        query = query.where(col(Receipt.order_id) == order_id)
    rows, cursor = await rows_of(work, query, col(Receipt.id), paging)
    lines = await queries.receipt_lines_of(work, [row.id for row in rows])
    known = await queries.orders_of(work, {row.order_id for row in rows})
    found = [ReceiptAnswer.of(row, lines[row.id], policy.roles_of(actor, known[row.order_id])) for row in rows]
    await expand.into(work, actor, found)
    return ReceiptPage(data=found, has_more=cursor is not None, next_cursor=cursor)


@receipts.get("/receipts/{receipt_id}", summary="Read a receipt")
async def get(
    receipt_id: ReceiptId,
    work: Work,
    actor: Reads,
    expand: Annotated[Expand, expanding(ReceiptAnswer)],
    answer: Response,
) -> ReceiptAnswer:
    """With its lines; accepted and refused are null until it is inspected."""
    told = await shown(work, await queries.visible_receipt(work, receipt_id, actor), actor, answer)
    await expand.into(work, actor, [told])
    return told


@receipts.post("/receipts/{receipt_id}/inspect", summary="Inspect a receipt", dependencies=[DryRun])
async def inspect(
    receipt_id: ReceiptId, body: Inspection, work: Work, actor: Receives, matching: MustMatch, answer: Response
) -> ReceiptAnswer:
    """The buyer accepts and refuses per line, in mass and in pieces; a refusal has a reason and evidence. No line's
    outcome waits for another's: what is accepted is paid, what is refused stays held until the seller acknowledges
    it.

    Refused: `acceptance_exceeds_receipt`, `sum_differs`, `reason_required`, `evidence_required`,
    `line_not_found`, `line_without_outcome` (422, with pointers), and where no permit covers what would be accepted
    (`permit_scope`, `permit_expired`, `permit_tonnage`). Causes
    `receipt.inspected`, `deal.settling` and, with the last receipt, `order.accepted`, `order.partially_accepted` or
    `order.refused`; `obligation.waived` where nothing is left to certify."""
    verdicts = [line.verdict() for line in body.lines]
    receipt = await receiving.inspect(work, receipt_id, verdicts, by=actor, check_version=matching.matches)
    return await shown(work, receipt, actor, answer)
