"""From the need of a movement to a dock: request, plan, self-haul, slots, cancel."""

from dataclasses import dataclass, field
from datetime import datetime

from services.kernel import states
from services.kernel.actors import Actor
from services.kernel.errors import Detail, Invalid, Reason
from services.kernel.ids import OrderId, OrgId, PickupId, SiteId
from services.kernel.money import Money
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries as parties
from services.parties import sites
from services.parties.models import Site
from services.pickups import eligibility, events, policy, queries, telling, tendering
from services.pickups.models import PICKUP, Goods, PickupFacts, PickupJob, Slot


@dataclass(frozen=True)
class PickupRequest:
    """A movement an order needs. `owner_id` pays the carrier, at most `ceiling` net; `custodian_id` has the goods now."""

    order_id: OrderId
    owner_id: OrgId
    seller_id: OrgId
    receiver_id: OrgId
    from_site_id: SiteId
    to_site_id: SiteId
    custodian_id: OrgId
    goods: list[Goods]
    ceiling: Money | None
    currency: str


@dataclass(frozen=True)
class Plan:
    """When the goods may be collected (an instant from, an instant until, the zone they are meant in), whom to call there,
    what the lorry must bring."""

    window_from: datetime
    window_until: datetime
    timezone: str
    contacts: list[dict[str, str]] = field(default_factory=list)
    equipment: str | None = None


@dataclass(frozen=True)
class SlotWish:
    site_id: SiteId
    dock: int
    starts_at: datetime
    ends_at: datetime


async def request(work: UnitOfWork, wanted: PickupRequest) -> PickupJob:
    """A draft job; it inherits the go-ahead the order's money has already given to a job before it."""
    job = PickupJob(
        order_id=wanted.order_id,
        owner_id=wanted.owner_id,
        seller_id=wanted.seller_id,
        receiver_id=wanted.receiver_id,
        custodian_id=wanted.custodian_id,
        from_site_id=wanted.from_site_id,
        to_site_id=wanted.to_site_id,
        goods=[goods.model_dump(mode="json") for goods in wanted.goods],
        ceiling_minor=wanted.ceiling.minor if wanted.ceiling is not None else None,
        currency=wanted.currency,
        livemode=work.livemode,
        created_at=work.now,
    )
    for sibling in await queries.pickups_of(work, wanted.order_id):
        if sibling.is_cleared:
            job.clearance_id, job.cleared_at = sibling.clearance_id, sibling.cleared_at
    work.add(job)
    await work.session.flush()
    telling.tell(work, job, events.PickupCreated(**telling.about(job), owner_id=job.owner_id))
    return job


async def plan(
    work: UnitOfWork, pickup_id: PickupId, wanted: Plan, *, by: Actor, check_version: CheckVersion = any_version
) -> PickupJob:
    job = await queries.taken(work, pickup_id, by=by, check_version=check_version)
    role = policy.acting(PICKUP, "plan", policy.roles_of(by, job))
    job.window_from, job.window_until = wanted.window_from, wanted.window_until
    job.window_timezone = wanted.timezone
    job.contacts, job.equipment = wanted.contacts, wanted.equipment
    moved = states.move(PICKUP, job, "plan", by=role, facts=PickupFacts(work.now))
    planned = events.PickupPlanned(
        **telling.about(job),
        window_from=wanted.window_from,
        window_until=wanted.window_until,
        timezone=wanted.timezone,
    )
    telling.tell(work, job, planned, moved)
    return job


async def self_haul(
    work: UnitOfWork, pickup_id: PickupId, *, by: Actor, check_version: CheckVersion = any_version
) -> PickupJob:
    """The owner moves the goods under its own transport permit, and nobody is paid for it."""
    job = await queries.taken(work, pickup_id, by=by, check_version=check_version)
    role = policy.acting(PICKUP, "self_haul", policy.roles_of(by, job))
    PICKUP.find("self_haul", job.status)
    async with work.as_house():
        reasons = await eligibility.of_transport(work, job, job.owner_id, on=job.window_day())
        moved = states.move(PICKUP, job, "self_haul", by=role, facts=PickupFacts(work.now, permits=tuple(reasons)))
        job.carrier_id, job.price_minor, job.is_self_hauled = job.owner_id, None, True
        accepted = events.PickupAccepted(**telling.carried(job), price=None, is_self_hauled=True)
        telling.tell(work, job, accepted, moved)
        return job


async def book_slot(
    work: UnitOfWork, pickup_id: PickupId, wish: SlotWish, *, by: Actor, check_version: CheckVersion = any_version
) -> PickupJob:
    """Locks the site's row, so that bookings of one dock queue and the later one is told `slot_taken`."""
    job = await queries.taken(work, pickup_id, by=by, check_version=check_version)
    role = policy.acting(PICKUP, "book_slot", policy.roles_of(by, job))
    async with work.as_house():
        site = await parties.site(work, job.from_site_id)
        _refuse_impossible(wish, job, site)
        await queries.lock_site(work, job.from_site_id)
        facts = PickupFacts(work.now, slot=tuple(await _against_slot(work, wish, site)))
        moved = states.move(PICKUP, job, "book_slot", by=role, facts=facts)
        slot = _slot(work, job, wish)
        scheduled = events.PickupScheduled(
            **telling.carried(job),
            slot_id=slot.id,
            site_id=slot.site_id,
            dock=slot.dock,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            timezone=site.timezone,
        )
        telling.tell(work, job, scheduled, moved)
        return job


def _refuse_impossible(wish: SlotWish, job: PickupJob, site: Site) -> None:
    errors = []
    if wish.site_id != job.from_site_id:
        errors.append(Detail("/site_id", "not_the_pickup_site", f"The goods lie at {job.from_site_id}."))
    if wish.dock > site.docks:
        errors.append(Detail("/dock", "dock_unknown", f"The site has docks 1 to {site.docks}."))
    if wish.ends_at <= wish.starts_at:
        errors.append(Detail("/ends_at", "ends_before_start", "A slot ends after it starts."))
    if errors:
        raise Invalid(*errors)


async def _against_slot(work: UnitOfWork, wish: SlotWish, site: Site) -> list[Reason]:
    reasons = []
    if wish.starts_at <= work.now:
        reasons.append(Reason("slot_in_the_past", "The slot has begun already."))
    reasons += sites.against_visit(site, wish.starts_at, wish.ends_at)
    if await queries.is_slot_taken(work, wish.site_id, wish.dock, wish.starts_at, wish.ends_at):
        reasons.append(Reason("slot_taken", f"Dock {wish.dock} is booked in that time."))
    return reasons


def _slot(work: UnitOfWork, job: PickupJob, wish: SlotWish) -> Slot:
    slot = Slot(
        site_id=wish.site_id,
        dock=wish.dock,
        starts_at=wish.starts_at,
        ends_at=wish.ends_at,
        pickup_id=job.id,
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(slot)
    return slot


async def cancel_slot(
    work: UnitOfWork, pickup_id: PickupId, *, reason: str, by: Actor, check_version: CheckVersion = any_version
) -> PickupJob:
    job = await queries.taken(work, pickup_id, by=by, check_version=check_version)
    role = policy.acting(PICKUP, "cancel_slot", policy.roles_of(by, job))
    async with work.as_house():
        PICKUP.find("cancel_slot", job.status)
        slot = await queries.slot_of(work, job.id)
        assert slot is not None, "a scheduled job has a slot"
        facts = PickupFacts(work.now, slot_starts_at=slot.starts_at)
        moved = states.move(PICKUP, job, "cancel_slot", by=role, facts=facts)
        _free(work, slot, reason)
        unscheduled = events.PickupUnscheduled(**telling.carried(job), slot_id=slot.id, reason=reason)
        telling.tell(work, job, unscheduled, moved)
        return job


def _free(work: UnitOfWork, slot: Slot, reason: str) -> None:
    slot.cancelled_at, slot.cancel_reason = work.now, reason


async def cancel(
    work: UnitOfWork, pickup_id: PickupId, *, reason: str, by: Actor, check_version: CheckVersion = any_version
) -> PickupJob:
    """Before loading only. Open offers are withdrawn, the dock is free again."""
    job = await queries.taken(work, pickup_id, by=by, check_version=check_version)
    role = policy.acting(PICKUP, "cancel", policy.roles_of(by, job))
    async with work.as_house():
        moved = states.move(PICKUP, job, "cancel", by=role, facts=PickupFacts(work.now))
        job.cancel_reason = reason
        await tendering.withdraw_offers(work, job)
        slot = await queries.slot_of(work, job.id)
        if slot is not None:
            _free(work, slot, reason)
        telling.tell(work, job, events.PickupCancelled(**telling.carried(job), reason=reason), moved)
        return job
