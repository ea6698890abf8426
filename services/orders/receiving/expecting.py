"""A lorry was unloaded and both sides have signed: a receipt is expected, haulage is due, and two windows begin to
run."""

from services.kernel import timers
from services.kernel.ids import PickupId
from services.kernel.unit_of_work import UnitOfWork
from services.orders import fulfilment, queries, rerouting, settlement
from services.orders.models import ExpectedDelivery, Order
from services.orders.receiving.inspecting import INSPECTION_WINDOW
from services.orders.terms import Terms
from services.orders.windows import end_of_business_day
from services.parties import queries as parties
from services.payments import paying_out
from services.pickups import queries as pickups
from services.pickups.models import Handover, PickupJob


async def expect(work: UnitOfWork, *, pickup_id: PickupId) -> ExpectedDelivery | None:
    """Told by pickup.delivered; harmless when said twice. A movement that brings a remainder back ends its route
    instead: None."""
    returned = await queries.returned_by(work, pickup_id)
    if returned is not None:
        await rerouting.brought_back(work, remainder_id=returned.id)
        return None
    job = await pickups.pickup(work, pickup_id)
    order = await queries.order_for_update(work, job.order_id)
    return await expect_of(work, order, job)


async def expect_of(work: UnitOfWork, order: Order, job: PickupJob) -> ExpectedDelivery:
    """The order is locked by the caller."""
    known = await queries.expected(work, job.id)
    if known is not None:
        return known
    handover = await pickups.handover(work, job.id, "delivery")
    assert handover is not None, "a delivered job has a signed delivery"
    fulfilment.begin(work, order, job.id)
    expected = _expected(work, order, job, handover)
    work.add(expected)
    await work.session.flush()
    await _release_haulage(work, order, job)
    await _run_windows(work, order, expected)
    return expected


def _expected(work: UnitOfWork, order: Order, job: PickupJob, handover: Handover) -> ExpectedDelivery:
    lines = [
        {"line_id": line.line_id, "quantity": line.quantity, "mass_g": line.mass_g} for line in handover.content_lines()
    ]
    return ExpectedDelivery(
        pickup_id=job.id,
        order_id=order.id,
        lines=lines,
        measurement=handover.measurement,
        delivered_at=handover.occurred_at,
        livemode=work.livemode,
        created_at=work.now,
    )


async def _release_haulage(work: UnitOfWork, order: Order, job: PickupJob) -> None:
    """Due on delivery, before anybody has accepted anything. Who hauled itself is not paid."""
    if job.price is None or job.carrier_id is None or job.is_self_hauled:
        return
    await paying_out.release_haulage(
        work, order_id=order.id, carrier_id=job.carrier_id, price=job.price, pickup_id=job.id
    )


async def _run_windows(work: UnitOfWork, order: Order, expected: ExpectedDelivery) -> None:
    """Inspection per delivery, disputes from the last delivery on; business days of the receiving site."""
    terms = Terms.model_validate(order.terms)
    zone = (await parties.site(work, order.to_site_id)).timezone
    inspect_by = end_of_business_day(expected.delivered_at, terms.inspection_days, zone)
    await timers.schedule(work, INSPECTION_WINDOW, expected.pickup_id, inspect_by)
    dispute_ends_at = end_of_business_day(expected.delivered_at, terms.dispute_days, zone)
    order.dispute_ends_at = max(order.dispute_ends_at or dispute_ends_at, dispute_ends_at)
    await timers.schedule(work, settlement.DISPUTE_WINDOW, order.id, order.dispute_ends_at)
