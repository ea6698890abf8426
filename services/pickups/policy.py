"""Who is who in a pickup job, and who hears of it: pure functions of actor and model."""

from services.kernel.actors import Actor
from services.kernel.errors import Forbidden
from services.kernel.states import Machine
from services.pickups.models import Offer, PickupJob


def roles_of(actor: Actor, job: PickupJob) -> frozenset[str]:
    """The actor's parts in the job; its carrier's people are also its driver."""
    if actor.is_operator:
        return frozenset({"operator", "time"} if actor.kind == "system" else {"operator"})
    parts = {
        "owner": job.owner_id,
        "seller": job.seller_id,
        "receiver": job.receiver_id,
        "custodian": job.custodian_id,
        "carrier": job.carrier_id,
        "driver": job.carrier_id,
    }
    return frozenset(part for part, org_id in parts.items() if org_id is not None and org_id == actor.org_id)


def acting(machine: Machine, transition: str, roles: frozenset[str]) -> str:
    """The part in which somebody of these roles makes the transition; Forbidden if in none."""
    actors = [actor for known in machine.named(transition) for actor in known.actors]
    for actor in actors:
        if actor in roles:
            return actor
    raise Forbidden(f"{transition} of this {machine.thing} is for the {' or '.join(dict.fromkeys(actors))}.")


def may_see_price(roles: frozenset[str]) -> bool:
    return bool(roles & {"owner", "carrier", "operator"})


def told(job: PickupJob) -> dict[str | None, str]:
    """Everybody in the job. Who has several parts hears as the one that may know most: owner, then carrier."""
    return {
        job.custodian_id: "custodian",
        job.seller_id: "seller",
        job.receiver_id: "receiver",
        job.carrier_id: "carrier",
        job.owner_id: "owner",
    }


def told_of_offer(job: PickupJob, offer: Offer) -> dict[str | None, str]:
    """A carrier that was never asked does not hear what became of its place in the queue."""
    asked: dict[str | None, str] = {offer.carrier_id: "carrier"} if offer.offered_at is not None else {}
    return asked | {job.owner_id: "owner"}
