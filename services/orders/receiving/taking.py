"""The receipt: what arrived, measured per line. It is a fact; what is off tolerance is flagged, never refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.kernel import states
from services.kernel.actors import Actor
from services.kernel.errors import Detail, Invalid
from services.kernel.ids import LineId, OrderId, PickupId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.orders import events, policy, queries, telling
from services.orders.errors import NothingDelivered
from services.orders.models import ORDER, ExpectedDelivery, Order, OrderFacts, OrderLine, Receipt, ReceiptLine
from services.orders.pricing import Measured
from services.orders.receiving import quantities
from services.orders.receiving.expecting import expect_of
from services.orders.terms import Terms
from services.orders.windows import end_of_business_day
from services.parties import queries as parties
from services.pickups.models import PickupJob

UNLOADED = ("delivered", "closed")


@dataclass(frozen=True)
class Arrived:
    """What the receiver measured of a line; None stays as both sides signed it at delivery."""

    line_id: LineId
    quantity: int | None = None
    mass_g: int | None = None


async def receive(
    work: UnitOfWork,
    order_id: OrderId,
    *,
    by: Actor,
    pickup_id: PickupId | None = None,
    lines: Sequence[Arrived] = (),
    measurement: Mapping[str, Any] | None = None,
    check_version: CheckVersion = any_version,
) -> Receipt:
    """The oldest delivery that has no receipt, or that of `pickup_id`. Lines that are not given stay as signed at
    delivery.

    Raises NothingDelivered, and Invalid for a line that is not the order's or is named twice."""
    order = await queries.visible_order_for_update(work, order_id, by, check_version)
    role = policy.acting(ORDER, "receive", policy.roles_of(by, order))
    async with work.as_house():
        delivery = await _delivery(work, order, pickup_id)
        return await take(work, order, delivery, role=role, lines=lines, measurement=measurement)


async def _delivery(work: UnitOfWork, order: Order, pickup_id: PickupId | None) -> ExpectedDelivery:
    """Asks the jobs themselves: news of a delivery may still be on its way."""
    receipts = (await queries.receipts_of(work, [order.id]))[order.id]
    received = {receipt.pickup_id for receipt in receipts}
    for job in await queries.deliveries_of(work, order):
        is_asked_for = pickup_id is None or job.id == pickup_id
        if is_asked_for and job.status in UNLOADED and job.id not in received:
            return await expect_of(work, order, job)
    raise NothingDelivered(order.id)


async def take(
    work: UnitOfWork,
    order: Order,
    delivery: ExpectedDelivery,
    *,
    role: str,
    lines: Sequence[Arrived] = (),
    measurement: Mapping[str, Any] | None = None,
) -> Receipt:
    """The order is locked by the caller."""
    known = await queries.lines_for_update(work, order.id)
    arrived = _arrived(known, delivery, lines)
    receipt = await _receipt(work, order, delivery, dict(measurement or delivery.measurement))
    await _add_lines(work, receipt, arrived)
    await _move(work, order, receipt, arrived, role)
    return receipt


def _arrived(
    known: Sequence[OrderLine], delivery: ExpectedDelivery, given: Sequence[Arrived]
) -> dict[LineId, Measured]:
    signed = {LineId(one["line_id"]): Measured(one["quantity"], one["mass_g"]) for one in delivery.lines}
    of_order = {line.id for line in known}
    wrong = [
        Detail(
            f"/lines/{position}/line_id", "line_not_found", f"{one.line_id} is not of this order, or is named twice."
        )
        for position, one in enumerate(given)
        if one.line_id not in of_order or one.line_id in {earlier.line_id for earlier in given[:position]}
    ]
    if wrong:
        raise Invalid(*wrong)
    for one in given:
        before = signed.get(one.line_id, Measured())
        quantity = before.quantity if one.quantity is None else one.quantity
        signed[one.line_id] = Measured(quantity, before.mass_g if one.mass_g is None else one.mass_g)
    return {line.id: signed[line.id] for line in known if line.id in signed}


async def _receipt(work: UnitOfWork, order: Order, delivery: ExpectedDelivery, measurement: dict[str, Any]) -> Receipt:
    terms = Terms.model_validate(order.terms)
    site = await parties.site(work, order.to_site_id)
    receipt = Receipt(
        order_id=order.id,
        pickup_id=delivery.pickup_id,
        site_id=site.id,
        measurement=measurement,
        received_by=work.actor.label,
        inspect_by=end_of_business_day(delivery.delivered_at, terms.inspection_days, site.timezone),
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(receipt)
    await work.session.flush()
    return receipt


async def _add_lines(work: UnitOfWork, receipt: Receipt, arrived: Mapping[LineId, Measured]) -> None:
    for line_id, measured in arrived.items():
        line = ReceiptLine(
            receipt_id=receipt.id,
            line_id=line_id,
            received_g=measured.mass_g,
            received_quantity=measured.quantity,
            livemode=work.livemode,
            created_at=work.now,
        )
        work.add(line)
    await work.session.flush()


async def _move(
    work: UnitOfWork, order: Order, receipt: Receipt, arrived: Mapping[LineId, Measured], role: str
) -> None:
    lines = await queries.lines(work, order.id)
    is_last = await all_are_in(work, order)
    of_lines = await queries.receipt_lines_of_order(work, [order.id])
    sums = {line.id: quantities.total(of_lines[line.id]).received for line in lines}
    tolerance_bps = Terms.model_validate(order.terms).tolerance_bps
    off = tuple(quantities.off_tolerance(lines, sums, tolerance_bps, is_last=is_last))
    name = "receive_last" if is_last else "receive"
    moved = states.move(ORDER, order, name, by=role, facts=OrderFacts(work.now, off_tolerance=off))
    receipt.flags = [{"code": reason.code, "detail": reason.detail} for reason in moved.flags]
    event_class = events.OrderReceived if is_last else events.OrderPartiallyReceived
    told = event_class(
        **telling.about(order),
        receipt_id=receipt.id,
        pickup_id=receipt.pickup_id,
        inspect_by=receipt.inspect_by,
        lines=[_told(line, arrived[line.id]) for line in lines if line.id in arrived],
        flags=telling.flags(moved.flags),
    )
    telling.tell(work, order, told, moved)


def _told(line: OrderLine, measured: Measured) -> events.ReceivedLine:
    return events.ReceivedLine(
        line_id=line.id,
        title=line.title,
        declared_g=line.mass_g,
        received_g=measured.mass_g,
        quantity=measured.quantity,
    )


async def all_are_in(work: UnitOfWork, order: Order) -> bool:
    """Every movement to the buyer has its receipt."""
    receipts = (await queries.receipts_of(work, [order.id]))[order.id]
    received = {receipt.pickup_id for receipt in receipts}
    deliveries: list[PickupJob] = await queries.deliveries_of(work, order)
    return all(job.id in received for job in deliveries)
