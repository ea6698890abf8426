"""What follows from an inspected receipt: remainders, the money's settlement, and the order's own conclusion."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.kernel import states, timers
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.orders import events, fulfilment, pricing, queries, telling
from services.orders.models import ORDER, Order, OrderFacts, OrderLine, Receipt, ReceiptLine, Remainder
from services.orders.pricing import Measured
from services.orders.receiving.quantities import Totals, total
from services.orders.rerouting import ACKNOWLEDGE, ACKNOWLEDGE_DAYS
from services.orders.terms import Terms
from services.orders.windows import end_of_business_day
from services.parties import queries as parties
from services.payments import settling

CONCLUSIONS: dict[str, type[events.OrderAccepted | events.OrderPartiallyAccepted | events.OrderRefused]] = {
    "accept": events.OrderAccepted,
    "accept_in_part": events.OrderPartiallyAccepted,
    "refuse": events.OrderRefused,
}


@dataclass(frozen=True)
class Value:
    """What one receipt is worth, net and signed as the price: the part accepted, and the part refused."""

    accepted: Money
    contested: Money


async def value_of(work: UnitOfWork, order: Order, receipt: Receipt, terms: Terms) -> Value:
    """By what the sums over all inspected receipts are worth with and without this one: the tolerance is cumulative."""
    now = await _totals(work, order)
    before = await _totals(work, order, without=receipt)
    return Value(
        accepted=_accepted(terms, now) - _accepted(terms, before),
        contested=_contested(terms, now) - _contested(terms, before),
    )


async def _totals(work: UnitOfWork, order: Order, *, without: Receipt | None = None) -> list[Totals]:
    """Line by line in the order of the terms."""
    of_lines = await queries.receipt_lines_of_order(work, [order.id])
    skipped = without.id if without is not None else None
    return [
        total(one for one in of_lines[line.id] if one.receipt_id != skipped)
        for line in await queries.lines(work, order.id)
    ]


def _accepted(terms: Terms, totals: Sequence[Totals]) -> Money:
    return pricing.worth(terms, [one.accepted for one in totals])


def _contested(terms: Terms, totals: Sequence[Totals]) -> Money:
    return pricing.worth(terms, [one.inspected for one in totals]) - _accepted(terms, totals)


async def conclude(work: UnitOfWork, order: Order, receipt: Receipt, terms: Terms, value: Value) -> None:
    """The order first, so that a deal that settles at once finds it concluded."""
    await _add_remainders(work, order, receipt, terms, value)
    is_complete = await _is_complete(work, order)
    if is_complete:
        await _conclude_order(work, order)
    await settling.settle(
        work, order_id=order.id, accepted=value.accepted, contested=await _open(work, order, terms, is_complete)
    )


async def _add_remainders(work: UnitOfWork, order: Order, receipt: Receipt, terms: Terms, value: Value) -> None:
    refused = [one for one in await queries.receipt_lines(work, receipt.id) if one.refused_g or one.refused_quantity]
    lines = await queries.lines(work, order.id)
    values = pricing.shares(value.contested, [_alone(terms, lines, one) for one in refused])
    seller_site = await parties.site(work, order.from_site_id)
    acknowledge_by = end_of_business_day(work.now, ACKNOWLEDGE_DAYS, seller_site.timezone)
    for line, worth in zip(refused, values, strict=True):
        remainder = Remainder(
            order_id=order.id,
            receipt_id=receipt.id,
            line_id=line.line_id,
            mass_g=line.refused_g or 0,
            quantity=line.refused_quantity or 0,
            value_minor=worth.minor,
            currency=worth.currency,
            acknowledge_by=acknowledge_by,
            livemode=work.livemode,
            created_at=work.now,
        )
        work.add(remainder)
        await work.session.flush()
        await timers.schedule(work, ACKNOWLEDGE, remainder.id, acknowledge_by)


def _alone(terms: Terms, lines: Sequence[OrderLine], refused: ReceiptLine) -> Money:
    """What this refusal would be worth by itself."""
    measured = Measured(refused.refused_quantity or 0, refused.refused_g or 0)
    return pricing.worth(terms, [measured if line.id == refused.line_id else Measured() for line in lines])


async def _is_complete(work: UnitOfWork, order: Order) -> bool:
    receipts = (await queries.receipts_of(work, [order.id]))[order.id]
    return order.status == "received" and all(receipt.status == "inspected" for receipt in receipts)


async def _open(work: UnitOfWork, order: Order, terms: Terms, is_complete: bool) -> Money:
    """What stays held: refusals nobody has acknowledged yet, and what is still to arrive or to be inspected."""
    held = Money.zero(terms.price.currency)
    for remainder in (await queries.remainders_of(work, [order.id]))[order.id]:
        if remainder.acknowledged_at is None:
            held = held + remainder.value
    if not is_complete:
        seen = [one.inspected for one in await _totals(work, order)]
        held = held + (pricing.goods(terms) - pricing.worth(terms, seen))
    return held


async def _conclude_order(work: UnitOfWork, order: Order) -> None:
    lines = await queries.lines(work, order.id)
    totals = await _totals(work, order)
    name = _conclusion(totals)
    moved = states.move(ORDER, order, name, by="time", facts=OrderFacts(work.now))
    outcomes = [_told(line, found) for line, found in zip(lines, totals, strict=True)]
    telling.tell(work, order, CONCLUSIONS[name](**telling.about(order), lines=outcomes), moved)
    if name == "refuse":
        await fulfilment.waive_obligations(work, order)


def _conclusion(totals: Sequence[Totals]) -> str:
    if all(one.accepted == Measured() for one in totals):
        return "refuse"
    return "accept" if all(one.refused == Measured() for one in totals) else "accept_in_part"


def _told(line: OrderLine, found: Totals) -> events.OutcomeLine:
    return events.OutcomeLine(
        line_id=line.id,
        title=line.title,
        received_g=found.received.mass_g,
        accepted_g=found.accepted.mass_g,
        refused_g=found.refused.mass_g,
        accepted_quantity=found.accepted.quantity,
        refused_quantity=found.refused.quantity,
    )
