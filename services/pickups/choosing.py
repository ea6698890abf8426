"""What somebody could do with a job or an offer now. Looks up what the guards ask for, and only where a guard would ask."""

from services.kernel import states, stops
from services.kernel.actors import Actor
from services.kernel.errors import Reason
from services.kernel.states import Choices
from services.kernel.unit_of_work import UnitOfWork
from services.pickups import dispatching, eligibility, policy, queries
from services.pickups.models import OFFER, PICKUP, Offer, OfferFacts, PickupFacts, PickupJob, Slot


async def of_job(work: UnitOfWork, job: PickupJob, slot: Slot | None, actor: Actor) -> Choices:
    roles = policy.roles_of(actor, job)
    facts = PickupFacts(
        work.now,
        slot_starts_at=slot.starts_at if slot is not None else None,
        slot_ends_at=slot.ends_at if slot is not None else None,
        permits=await _against_permits(work, job, slot, roles),
    )
    return states.choices(PICKUP, job, by=roles, facts=facts)


async def _against_permits(
    work: UnitOfWork, job: PickupJob, slot: Slot | None, roles: frozenset[str]
) -> tuple[Reason, ...]:
    if job.status == "planned" and "owner" in roles:
        return tuple(await eligibility.of_transport(work, job, job.owner_id, on=job.window_day()))
    if job.status in ("accepted", "scheduled") and "carrier" in roles:
        async with work.as_house():
            on = await dispatching.transport_day(work, job, slot)
            return await dispatching.against_permits(work, job, on=on)
    return ()


async def of_offer(work: UnitOfWork, offer: Offer, actor: Actor) -> Choices:
    if offer.carrier_id != actor.org_id or offer.status != "offered":
        return Choices([], [])
    job = await queries.pickup(work, offer.pickup_id)
    against = (*stops.against(job), *await eligibility.of_carrier(work, job, offer.carrier_id))
    return states.choices(OFFER, offer, by=("carrier",), facts=OfferFacts(work.now, against))
