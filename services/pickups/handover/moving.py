"""The lorry departs and arrives. These are facts: a rule may flag them, never refuse them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.kernel import states
from services.kernel.actors import Actor
from services.kernel.events import Event
from services.kernel.ids import PickupId
from services.kernel.states import Moved
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.pickups import events, policy, queries, telling
from services.pickups.handover.times import refuse_the_future
from services.pickups.models import PICKUP, Movement, PickupFacts, PickupJob


@dataclass(frozen=True)
class Report:
    """Where the lorry was (degrees), or why that is not known; `occurred_at` None means now."""

    latitude: float | None = None
    longitude: float | None = None
    reason: str | None = None
    occurred_at: datetime | None = None


async def depart(
    work: UnitOfWork, pickup_id: PickupId, report: Report, *, by: Actor, check_version: CheckVersion = any_version
) -> PickupJob:
    """Towards the goods from `dispatched`, with them from `loaded`."""
    job, moved, told = await _record(work, pickup_id, "depart", report, by, check_version)
    is_loaded = job.status == "in_transit"
    event: Event = events.PickupInTransit(**told) if is_loaded else events.PickupDeparted(**told)
    telling.tell(work, job, event, moved, occurred_at=told["occurred_at"])
    return job


async def arrive(
    work: UnitOfWork, pickup_id: PickupId, report: Report, *, by: Actor, check_version: CheckVersion = any_version
) -> PickupJob:
    """At the goods from `en_route`, at their destination from `in_transit`."""
    job, moved, told = await _record(work, pickup_id, "arrive", report, by, check_version)
    at = "pickup" if job.status == "at_pickup" else "delivery"
    telling.tell(work, job, events.PickupArrived(**told, at=at), moved, occurred_at=told["occurred_at"])
    return job


async def _record(
    work: UnitOfWork, pickup_id: PickupId, transition: str, report: Report, by: Actor, check_version: CheckVersion
) -> tuple[PickupJob, Moved, dict[str, Any]]:
    job = await queries.taken(work, pickup_id, by=by, check_version=check_version)
    role = policy.acting(PICKUP, transition, policy.roles_of(by, job))
    occurred_at = refuse_the_future(report.occurred_at, work.now)
    slot = await queries.slot_of(work, job.id)
    facts = PickupFacts(
        work.now,
        occurred_at=occurred_at,
        slot_starts_at=slot.starts_at if slot is not None else None,
        slot_ends_at=slot.ends_at if slot is not None else None,
        has_late_reason=report.reason is not None,
    )
    moved = states.move(PICKUP, job, transition, by=role, facts=facts)
    flags = telling.flags(moved.flags)
    _write_movement(work, job, transition, report, occurred_at, flags)
    told = {
        **telling.carried(job),
        "occurred_at": occurred_at,
        "latitude": report.latitude,
        "longitude": report.longitude,
        "reason": report.reason,
        "flags": flags,
    }
    return job, moved, told


def _write_movement(
    work: UnitOfWork,
    job: PickupJob,
    transition: str,
    report: Report,
    occurred_at: datetime,
    flags: list[dict[str, str]],
) -> None:
    movement = Movement(
        pickup_id=job.id,
        job_version=job.version,
        kind="departed" if transition == "depart" else "arrived",
        new_status=job.status,
        occurred_at=occurred_at,
        latitude=report.latitude,
        longitude=report.longitude,
        reason=report.reason,
        flags=flags,
        actor=work.actor.label,
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(movement)
