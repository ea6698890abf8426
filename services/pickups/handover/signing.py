"""Two signatures on one content. The first writes it, the second confirms its hash; then custody has changed.

Where both sides are one organization, one signature is enough. At the pickup signing is a decision and may be refused; at the
delivery it is a fact, and what a rule has against it is written beside it.
"""

from dataclasses import dataclass
from datetime import datetime

from services.kernel import states
from services.kernel.actors import Actor
from services.kernel.errors import Reason
from services.kernel.events import Event
from services.kernel.ids import PickupId
from services.kernel.states import Moved
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.pickups import events, policy, queries, telling
from services.pickups.errors import AlreadySigned, ContentDiffers, NothingToCountersign
from services.pickups.handover import contents
from services.pickups.handover.contents import Content
from services.pickups.handover.times import refuse_the_future
from services.pickups.models import PICKUP, Handover, PickupFacts, PickupJob, Signature


@dataclass(frozen=True)
class Signing:
    """`content` by whoever signs first; `content_hash` by whoever confirms it. `occurred_at` None means now."""

    signed_by: str
    content: Content | None = None
    content_hash: str | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True)
class Place:
    """Where a handover happens: whose signature it needs beside the carrier's, and which transitions it makes."""

    name: str
    begin: str
    finish: str


PICKUP_PLACE = Place("pickup", "begin_handover", "sign_handover")
DELIVERY_PLACE = Place("delivery", "begin_delivery", "sign_delivery")


async def sign_handover(
    work: UnitOfWork, pickup_id: PickupId, signing: Signing, *, by: Actor, check_version: CheckVersion = any_version
) -> PickupJob:
    """By the custodian and the carrier, in either order; both signed: loaded."""
    job, handover, moved = await _sign(work, PICKUP_PLACE, pickup_id, signing, by, check_version)
    if handover.signed_at is not None:
        loaded = events.PickupLoaded(**_handed(job, handover, moved), seals=handover.seals)
        telling.tell(work, job, loaded, moved, occurred_at=handover.occurred_at)
    return job


async def sign_delivery(
    work: UnitOfWork, pickup_id: PickupId, signing: Signing, *, by: Actor, check_version: CheckVersion = any_version
) -> PickupJob:
    """By the receiver and the carrier, in either order; both signed: delivered, and closed if no document is missing."""
    job, handover, moved = await _sign(work, DELIVERY_PLACE, pickup_id, signing, by, check_version)
    if handover.signed_at is not None:
        delivered = events.PickupDelivered(**_handed(job, handover, moved), reservations=handover.reservations)
        telling.tell(work, job, delivered, moved, occurred_at=handover.occurred_at)
        await close(work, job)
    return job


async def close(work: UnitOfWork, job: PickupJob) -> None:
    """By rule, once both handovers are signed and every scale has its ticket; otherwise the job stays delivered."""
    missing = await missing_documents(work, job)
    if not missing:
        facts = PickupFacts(work.now, documents=tuple(missing))
        closed: Event = events.PickupClosed(**telling.carried(job))
        telling.tell(work, job, closed, states.move(PICKUP, job, "close", by="time", facts=facts))


async def missing_documents(work: UnitOfWork, job: PickupJob) -> list[Reason]:
    missing = []
    for place in (PICKUP_PLACE, DELIVERY_PLACE):
        handover = await queries.handover(work, job.id, place.name)
        if handover is None or handover.signed_at is None:
            missing.append(Reason("handover_missing", f"The handover at the {place.name} is not signed."))
        elif handover.measurement["method"] in ("floor_scale", "weighbridge") and not handover.measurement["ticket"]:
            missing.append(Reason("ticket_missing", f"The scale's ticket of the {place.name} is missing."))
    return missing


async def _sign(
    work: UnitOfWork, place: Place, pickup_id: PickupId, signing: Signing, by: Actor, check_version: CheckVersion
) -> tuple[PickupJob, Handover, Moved]:
    job = await queries.taken(work, pickup_id, by=by, check_version=check_version)
    role = policy.acting(PICKUP, place.finish, policy.roles_of(by, job))
    PICKUP.find(place.finish, job.status)
    occurred_at = refuse_the_future(signing.occurred_at, work.now)
    async with work.as_house():
        current = await queries.handover(work, job.id, place.name)
        if current is None or _is_correction(job, place, current, signing, by):
            handover = await _write(work, job, place, signing, occurred_at, replacing=current)
        else:
            handover = _countersigned(job, place, current, signing, by)
        signature = _signature(work, role, signing, occurred_at, by)
        handover.signatures = [*handover.signatures, signature.model_dump(mode="json")]
        is_complete = all(handover.has_signed(org_id) for org_id in _who_must_sign(job, place))
        handover.signed_at = work.now if is_complete else None
        moved = _move(work, job, place.finish if is_complete else place.begin, role, handover)
        await work.session.flush()
        return job, handover, moved


def _who_must_sign(job: PickupJob, place: Place) -> set[str]:
    assert job.carrier_id is not None, "whoever signs has a carrier opposite"
    return {job.carrier_id, job.custodian_id if place is PICKUP_PLACE else job.receiver_id}


def _is_correction(job: PickupJob, place: Place, current: Handover, signing: Signing, by: Actor) -> bool:
    """Whoever signed alone may replace what nobody else has signed."""
    if signing.content is None or not current.has_signed(by.org):
        return False
    return contents.content_hash(job, place.name, signing.content) != current.content_hash


async def _write(
    work: UnitOfWork,
    job: PickupJob,
    place: Place,
    signing: Signing,
    occurred_at: datetime,
    *,
    replacing: Handover | None,
) -> Handover:
    if signing.content is None:
        raise NothingToCountersign()
    contents.refuse_impossible(job, signing.content)
    if replacing is not None:
        replacing.superseded_at = work.now
        await work.session.flush()
    handover = Handover(
        pickup_id=job.id,
        place=place.name,
        **contents.as_columns(signing.content),
        content_hash=contents.content_hash(job, place.name, signing.content),
        signatures=[],
        occurred_at=occurred_at,
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(handover)
    return handover


def _countersigned(job: PickupJob, place: Place, current: Handover, signing: Signing, by: Actor) -> Handover:
    meant = signing.content_hash
    if signing.content is not None:
        meant = contents.content_hash(job, place.name, signing.content)
    if meant != current.content_hash:
        raise ContentDiffers(current.content_hash)
    if current.has_signed(by.org):
        raise AlreadySigned()
    return current


def _signature(work: UnitOfWork, role: str, signing: Signing, occurred_at: datetime, by: Actor) -> Signature:
    return Signature(
        org_id=by.org,
        role=role,
        signed_by=signing.signed_by,
        actor=by.label,
        occurred_at=occurred_at,
        recorded_at=work.now,
    )


def _move(work: UnitOfWork, job: PickupJob, transition: str, role: str, handover: Handover) -> Moved:
    content = Content(
        lines=handover.content_lines(),
        measurement=handover.measured(),
        photos=handover.pictures(),
    )
    facts = PickupFacts(work.now, content=tuple(contents.reasons_against(job, content)))
    return states.move(PICKUP, job, transition, by=role, facts=facts)


def _handed(job: PickupJob, handover: Handover, moved: Moved) -> dict[str, object]:
    lines = [line.model_dump(exclude={"reason"}) for line in handover.content_lines()]
    return {
        **telling.carried(job),
        "lines": lines,
        "measurement": handover.measured().model_dump(),
        "occurred_at": handover.occurred_at,
        "price": job.price,
        "flags": telling.flags(moved.flags),
    }
