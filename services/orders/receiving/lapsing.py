"""The inspection window is over: what was delivered counts as received and accepted, except what no permit covers."""

from services.kernel.ids import LineId, PickupId
from services.kernel.timers import timer
from services.kernel.unit_of_work import UnitOfWork
from services.orders import permitting, queries
from services.orders.models import Order, OrderLine, Receipt, ReceiptLine
from services.orders.pricing import Measured
from services.orders.receiving.inspecting import INSPECTION_WINDOW, decide
from services.orders.receiving.quantities import Outcome
from services.orders.receiving.taking import take
from services.orders.terms import Terms
from services.pickups import queries as pickups

NOT_PERMITTED = "not_permitted"


@timer(INSPECTION_WINDOW)
async def _lapse(work: UnitOfWork, pickup_id: str) -> None:
    job = await pickups.pickup(work, PickupId(pickup_id))
    order = await queries.order_for_update(work, job.order_id)
    receipt = await _receipt(work, order, job.id)
    if receipt.status == "received":
        await decide(work, order, receipt, await _by_rule(work, order, receipt), role="time")


async def _receipt(work: UnitOfWork, order: Order, pickup_id: PickupId) -> Receipt:
    """As both sides signed it at delivery, where the receiver has not said otherwise."""
    for receipt in (await queries.receipts_of(work, [order.id]))[order.id]:
        if receipt.pickup_id == pickup_id:
            return await queries.receipt_for_update(work, receipt.id)
    delivery = await queries.expected(work, pickup_id)
    assert delivery is not None, "the window runs from the delivery"
    return await take(work, order, delivery, role="time")


async def _by_rule(work: UnitOfWork, order: Order, receipt: Receipt) -> dict[LineId, Outcome]:
    terms = Terms.model_validate(order.terms)
    lines = {line.id: line for line in await queries.lines(work, order.id)}
    received = await queries.receipt_lines(work, receipt.id)
    return {one.line_id: await _outcome(work, order, terms, lines[one.line_id], one) for one in received}


async def _outcome(work: UnitOfWork, order: Order, terms: Terms, line: OrderLine, received: ReceiptLine) -> Outcome:
    """A lapsed permit forbids the acceptance, and the goods are routed like any refusal."""
    measured = Measured(received.received_quantity, received.received_g)
    asked = await permitting.accepted(work, terms, [(line, received.received_g)])
    reasons = await permitting.against(work, order, asked)
    if not reasons or measured == Measured():
        return Outcome(measured)
    said = " ".join(reason.detail for reason in reasons)
    return Outcome(Measured(), measured, NOT_PERMITTED, said, evidence=({"rule": reasons[0].code, "name": said[:200]},))
