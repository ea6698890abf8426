"""An order with all that is derived from its events: what a page shows, read for many orders at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.kernel.unit_of_work import UnitOfWork
from services.orders import queries
from services.orders.cancellation import has_left
from services.orders.models import Obligation, Order, OrderFacts, OrderLine, Receipt, Remainder
from services.orders.receiving.quantities import Totals, total


@dataclass(frozen=True)
class Overview:
    order: Order
    lines: Sequence[tuple[OrderLine, Totals]]
    receipts: Sequence[Receipt]
    remainders: Sequence[Remainder]
    obligations: Sequence[Obligation]
    facts: OrderFacts


async def of(work: UnitOfWork, order: Order) -> Overview:
    return (await overviews(work, [order]))[0]


async def overviews(work: UnitOfWork, orders: Sequence[Order]) -> list[Overview]:
    """In the order given; the number of queries does not grow with the number of orders."""
    ids = [order.id for order in orders]
    lines = await queries.lines_of(work, ids)
    received = await queries.receipt_lines_of_order(work, ids)
    receipts = await queries.receipts_of(work, ids)
    remainders = await queries.remainders_of(work, ids)
    obligations = await queries.obligations_of(work, ids)
    pickups = await queries.pickup_statuses(work, ids)
    return [
        Overview(
            order=order,
            lines=[(line, total(received[line.id])) for line in lines[order.id]],
            receipts=receipts[order.id],
            remainders=remainders[order.id],
            obligations=obligations[order.id],
            facts=OrderFacts(
                work.now,
                is_loaded=has_left(pickups[order.id]),
                open_remainders=sum(one.status == "open" for one in remainders[order.id]),
            ),
        )
        for order in orders
    ]
