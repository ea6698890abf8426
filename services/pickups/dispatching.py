"""The go-ahead: money held (written from outside), permits valid, lorry and driver named; then the lorry may leave."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from services.kernel import states
from services.kernel.actors import Actor
from services.kernel.errors import NotFound, Reason, invalid
from services.kernel.ids import MemberId, OrgId, PickupId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.parties import permits
from services.parties import queries as parties
from services.pickups import eligibility, events, policy, queries, telling
from services.pickups.models import PICKUP, PickupFacts, PickupJob, Slot
from services.pickups.models.jobs import ENDED

STEP = "dispatch"


@dataclass(frozen=True)
class Crew:
    """`vehicle` is the number plate. `member_id` names the driver among the carrier's members, where it is one."""

    vehicle: str
    driver_name: str
    driver_member_id: MemberId | None = None


async def clear(work: UnitOfWork, *, order_id: str, clearance_id: str) -> Sequence[PickupJob]:
    """The order's money is held: its jobs may be dispatched. `clearance_id` names what holds it. Saying it twice is harmless."""
    jobs = [job for job in await queries.pickups_of_for_update(work, order_id) if job.status not in ENDED]
    for job in jobs:
        if job.is_cleared and job.clearance_id == clearance_id:
            continue
        states.move(PICKUP, job, "clear", by="time", facts=PickupFacts(work.now))
        job.clearance_id, job.cleared_at, job.clearance_withdrawn_at = clearance_id, work.now, None
    return jobs


async def withdraw_clearance(work: UnitOfWork, *, order_id: str) -> Sequence[PickupJob]:
    """The money is not held any more. What is dispatched already goes on, and keeps the clearance it left with."""
    jobs = [job for job in await queries.pickups_of_for_update(work, order_id) if job.status not in ENDED]
    for job in jobs:
        if not job.is_cleared:
            continue
        states.move(PICKUP, job, "withdraw_clearance", by="time", facts=PickupFacts(work.now))
        job.clearance_withdrawn_at = work.now
        if job.dispatched_at is None:
            job.clearance_id = None
    return jobs


async def dispatch(
    work: UnitOfWork, pickup_id: PickupId, crew: Crew, *, by: Actor, check_version: CheckVersion = any_version
) -> PickupJob:
    """Refused with every reason: money_not_held, slot_not_booked, and what stands against the permits on that day."""
    job = await queries.taken(work, pickup_id, by=by, check_version=check_version)
    role = policy.acting(PICKUP, "dispatch", policy.roles_of(by, job))
    PICKUP.find("dispatch", job.status)
    async with work.as_house():
        await _refuse_foreign_driver(work, job, crew)
        on = await transport_day(work, job, await queries.slot_of(work, job.id))
        facts = PickupFacts(work.now, permits=await against_permits(work, job, on=on))
        moved = states.move(PICKUP, job, "dispatch", by=role, facts=facts)
        await _record_check(work, job, on)
        job.vehicle, job.driver_name, job.driver_member_id = crew.vehicle, crew.driver_name, crew.driver_member_id
        job.dispatched_at = work.now
        dispatched = events.PickupDispatched(**telling.carried(job), vehicle=crew.vehicle, driver_name=crew.driver_name)
        telling.tell(work, job, dispatched, moved)
        return job


async def _refuse_foreign_driver(work: UnitOfWork, job: PickupJob, crew: Crew) -> None:
    if crew.driver_member_id is None:
        return
    try:
        await parties.member(work, crew.driver_member_id, _carrier_of(job))
    except NotFound as error:
        raise invalid("/driver/member_id", "member_unknown", "The carrier has no such member.") from error


async def transport_day(work: UnitOfWork, job: PickupJob, slot: Slot | None) -> date:
    """The slot's day at the site; without a slot today, there."""
    site = await parties.site(work, job.from_site_id)
    moment = slot.starts_at if slot is not None else work.now
    return moment.astimezone(ZoneInfo(site.timezone)).date()


async def against_permits(work: UnitOfWork, job: PickupJob, *, on: date) -> tuple[Reason, ...]:
    carrier_id = _carrier_of(job)
    of_carrier = await eligibility.of_transport(work, job, carrier_id, on=on)
    return (*of_carrier, *await eligibility.of_treatment(work, job, on=on))


async def _record_check(work: UnitOfWork, job: PickupJob, on: date) -> None:
    await permits.record(
        work,
        _carrier_of(job),
        step=STEP,
        subject_id=job.id,
        masses=job.masses,
        on=on,
        country=await eligibility.origin_country(work, job),
        operation=None,
        kind=eligibility.TRANSPORT,
    )


def _carrier_of(job: PickupJob) -> OrgId:
    assert job.carrier_id is not None, "an accepted job has a carrier"
    return job.carrier_id
