"""Every SELECT of pickups. Locks are taken job first, then offer or site."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.errors import NotFound
from services.kernel.ids import OfferId, PickupId, SiteId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.parties.models import Site
from services.parties.policy import within_its_sites
from services.pickups.models import Handover, Movement, Offer, PickupJob, Slot

T = TypeVar("T")


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The parties to the job, its carrier, and whoever holds an open offer of it."""
    if actor.is_operator:
        return true()
    if actor.org_id is None:
        return false()
    parties = (
        PickupJob.owner_id,
        PickupJob.seller_id,
        PickupJob.receiver_id,
        PickupJob.custodian_id,
        PickupJob.carrier_id,
    )
    is_asked = (
        select(col(Offer.id))
        .where(
            col(Offer.pickup_id) == col(PickupJob.id),
            col(Offer.carrier_id) == actor.org_id,
            col(Offer.status) == "offered",
        )
        .exists()
    )
    is_party = or_(*(col(party) == actor.org_id for party in parties), is_asked)
    return and_(is_party, *within_its_sites(actor, col(PickupJob.from_site_id), col(PickupJob.to_site_id)))


def pickups(actor: Actor) -> Select[PickupJob]:
    """What the actor may see, unordered."""
    return select(PickupJob).where(col(PickupJob.livemode) == actor.livemode, visible_to(actor))


async def visible_pickup(work: UnitOfWork, pickup_id: PickupId, actor: Actor) -> PickupJob:
    """NotFound for whoever may not see it."""
    query = pickups(actor).where(col(PickupJob.id) == pickup_id)
    return _found((await work.session.execute(query)).scalar_one_or_none(), "pickup job", pickup_id)


async def pickup(work: UnitOfWork, pickup_id: PickupId) -> PickupJob:
    """For reactions of other contexts: nobody's view in particular."""
    query = _jobs(work).where(col(PickupJob.id) == pickup_id)
    return _found((await work.session.execute(query)).scalar_one_or_none(), "pickup job", pickup_id)


async def pickups_of(work: UnitOfWork, order_id: str) -> Sequence[PickupJob]:
    """The order's jobs, oldest first."""
    query = _jobs(work).where(col(PickupJob.order_id) == order_id).order_by(col(PickupJob.id))
    return (await work.session.execute(query)).scalars().all()


async def pickups_of_for_update(work: UnitOfWork, order_id: str) -> Sequence[PickupJob]:
    query = _jobs(work).where(col(PickupJob.order_id) == order_id).order_by(col(PickupJob.id))
    return (await work.session.execute(_locked(query))).scalars().all()


async def pickup_for_update(work: UnitOfWork, pickup_id: PickupId) -> PickupJob:
    query = _locked(_jobs(work).where(col(PickupJob.id) == pickup_id))
    return _found((await work.session.execute(query)).scalar_one_or_none(), "pickup job", pickup_id)


async def taken(
    work: UnitOfWork, pickup_id: PickupId, *, by: Actor, check_version: CheckVersion = any_version
) -> PickupJob:
    """The job, locked, if the actor may see it and has read this version of it."""
    query = _locked(pickups(by).where(col(PickupJob.id) == pickup_id))
    job = _found((await work.session.execute(query)).scalar_one_or_none(), "pickup job", pickup_id)
    check_version(job.version)
    return job


def offers(actor: Actor, *, pickup_id: PickupId | None = None) -> Select[Offer]:
    """Offers that were made to the actor; those of one job also for its owner."""
    is_mine = and_(col(Offer.carrier_id) == actor.org_id, col(Offer.offered_at).is_not(None))
    query = select(Offer).where(col(Offer.livemode) == actor.livemode, *_of_its_sites(actor))
    if pickup_id is None:
        return query.where(is_mine)
    return query.where(col(Offer.pickup_id) == pickup_id, or_(is_mine, _is_owned_by(actor)))


def _of_its_sites(actor: Actor) -> list[ColumnElement[bool]]:
    """A delegate limited to sites sees the offers of jobs there."""
    if actor.site_ids is None:
        return []
    return [col(Offer.pickup_id).in_(select(col(PickupJob.id)).where(visible_to(actor)))]


def _is_owned_by(actor: Actor) -> ColumnElement[bool]:
    if actor.is_operator:
        return true()
    owned = select(col(PickupJob.id)).where(
        col(PickupJob.id) == col(Offer.pickup_id), col(PickupJob.owner_id) == actor.org_id
    )
    return owned.exists()


async def visible_offer(work: UnitOfWork, offer_id: OfferId, actor: Actor) -> Offer:
    is_mine = and_(col(Offer.carrier_id) == actor.org_id, col(Offer.offered_at).is_not(None))
    query = select(Offer).where(
        col(Offer.id) == offer_id,
        col(Offer.livemode) == actor.livemode,
        or_(is_mine, _is_owned_by(actor)),
        *_of_its_sites(actor),
    )
    return _found((await work.session.execute(query)).scalar_one_or_none(), "offer", offer_id)


async def job_and_offer_for_update(work: UnitOfWork, offer_id: OfferId) -> tuple[PickupJob, Offer]:
    """Both locked, the job first. Reads the offer's job without loading the offer, so that the lock reads it afresh."""
    query = select(col(Offer.pickup_id)).where(col(Offer.id) == offer_id, col(Offer.livemode) == work.livemode)
    pickup_id = _found((await work.session.execute(query)).scalar_one_or_none(), "offer", offer_id)
    job = await pickup_for_update(work, pickup_id)
    offer = (await work.session.execute(_locked(select(Offer).where(col(Offer.id) == offer_id)))).scalar_one()
    return job, offer


async def offers_of_for_update(work: UnitOfWork, pickup_id: PickupId, statuses: Sequence[str]) -> Sequence[Offer]:
    """The job's offers in these states by position; the caller holds the job's lock."""
    query = select(Offer).where(col(Offer.pickup_id) == pickup_id, col(Offer.status).in_(statuses))
    return (await work.session.execute(_locked(query.order_by(col(Offer.position))))).scalars().all()


async def last_position(work: UnitOfWork, pickup_id: PickupId) -> int:
    query = select(func.coalesce(func.max(col(Offer.position)), 0)).where(col(Offer.pickup_id) == pickup_id)
    return int((await work.session.execute(query)).scalar_one())


async def lock_site(work: UnitOfWork, site_id: SiteId) -> None:
    """Bookings of a site queue here; the exclusion constraint alone would deadlock."""
    await work.session.execute(select(col(Site.id)).where(col(Site.id) == site_id).with_for_update())


async def is_slot_taken(work: UnitOfWork, site_id: SiteId, dock: int, starts_at: datetime, ends_at: datetime) -> bool:
    query = select(col(Slot.id)).where(
        col(Slot.site_id) == site_id,
        col(Slot.dock) == dock,
        col(Slot.cancelled_at).is_(None),
        col(Slot.starts_at) < ends_at,
        col(Slot.ends_at) > starts_at,
    )
    return (await work.session.execute(query.limit(1))).scalar_one_or_none() is not None


async def slot_of(work: UnitOfWork, pickup_id: PickupId) -> Slot | None:
    query = select(Slot).where(col(Slot.pickup_id) == pickup_id, col(Slot.cancelled_at).is_(None))
    return (await work.session.execute(query)).scalar_one_or_none()


async def slots_of(work: UnitOfWork, pickup_ids: Sequence[str]) -> dict[str, Slot]:
    query = select(Slot).where(col(Slot.pickup_id).in_(pickup_ids), col(Slot.cancelled_at).is_(None))
    return {slot.pickup_id: slot for slot in (await work.session.execute(query)).scalars()}


async def handover(work: UnitOfWork, pickup_id: PickupId, place: str) -> Handover | None:
    """The one that counts at this place (`pickup` or `delivery`), signed by one side or by all."""
    query = select(Handover).where(
        col(Handover.pickup_id) == pickup_id,
        col(Handover.place) == place,
        col(Handover.superseded_at).is_(None),
        col(Handover.livemode) == work.livemode,
    )
    return (await work.session.execute(query)).scalar_one_or_none()


async def handovers(work: UnitOfWork, pickup_id: PickupId) -> Sequence[Handover]:
    """All of the job, the superseded ones included, in the order they were written."""
    query = select(Handover).where(col(Handover.pickup_id) == pickup_id).order_by(col(Handover.id))
    return (await work.session.execute(query)).scalars().all()


async def movements(work: UnitOfWork, pickup_id: PickupId) -> Sequence[Movement]:
    query = select(Movement).where(col(Movement.pickup_id) == pickup_id).order_by(col(Movement.job_version))
    return (await work.session.execute(query)).scalars().all()


def _jobs(work: UnitOfWork) -> Select[PickupJob]:
    return select(PickupJob).where(col(PickupJob.livemode) == work.livemode)


def _locked(query: Select[T]) -> Select[T]:
    return query.with_for_update().execution_options(populate_existing=True)


def _found(row: T | None, thing: str, id: str) -> T:
    if row is None:
        raise NotFound(thing, id)
    return row
