"""How a job and its offers become events: the fields every event of theirs carries, and who hears them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.kernel.errors import Reason
from services.kernel.events import Event
from services.kernel.states import Moved
from services.kernel.unit_of_work import UnitOfWork
from services.pickups import policy
from services.pickups.models import Offer, PickupJob


def about(job: PickupJob) -> dict[str, Any]:
    return {
        "pickup_id": job.id,
        "order_id": job.order_id,
        "from_site_id": job.from_site_id,
        "to_site_id": job.to_site_id,
    }


def carried(job: PickupJob) -> dict[str, Any]:
    return {**about(job), "carrier_id": job.carrier_id}


def offered(offer: Offer) -> dict[str, Any]:
    return {"offer_id": offer.id, "pickup_id": offer.pickup_id, "carrier_id": offer.carrier_id, "price": offer.price}


def flags(reasons: Iterable[Reason]) -> list[dict[str, str]]:
    return [{"code": reason.code, "detail": reason.detail} for reason in reasons]


def tell(
    work: UnitOfWork, job: PickupJob, event: Event, moved: Moved | None = None, *, occurred_at: datetime | None = None
) -> None:
    work.emit(event, subject=job.id, audience=policy.told(job), moved=moved, occurred_at=occurred_at)


def tell_owner(work: UnitOfWork, job: PickupJob, event: Event, moved: Moved | None = None) -> None:
    work.emit(event, subject=job.id, audience={job.owner_id: "owner"}, moved=moved)


def tell_of_offer(work: UnitOfWork, job: PickupJob, offer: Offer, event: Event, moved: Moved) -> None:
    work.emit(event, subject=offer.id, audience=policy.told_of_offer(job, offer), moved=moved)
