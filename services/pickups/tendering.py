"""Asking carriers: one after the other (waterfall) or all at once (broadcast), until one accepts or none is left.

Everything here happens under the job's lock, so accept, decline and expiry queue and exactly one carrier wins. Whether an
offer is still open is judged by `work.now`, read once, not by whether its timer has run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.kernel import states, stops, timers
from services.kernel.actors import Actor
from services.kernel.errors import Detail, Invalid
from services.kernel.ids import OfferId, OrgId, PickupId
from services.kernel.money import Money
from services.kernel.tables import CheckVersion, any_version
from services.kernel.timers import timer
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries as parties
from services.pickups import eligibility, events, policy, queries, telling
from services.pickups.errors import OfferNotOpen
from services.pickups.models import OFFER, PICKUP, Offer, OfferFacts, PickupFacts, PickupJob

EXPIRE = "offer.expire"
UNANSWERED = ("queued", "offered")


@dataclass(frozen=True)
class Asked:
    carrier_id: OrgId
    price: Money


@dataclass(frozen=True)
class Tender:
    """`strategy` is waterfall or broadcast; `offers` stand in the order in which a waterfall asks."""

    strategy: str
    offers: Sequence[Asked]
    respond_within_minutes: int


async def tender(
    work: UnitOfWork, pickup_id: PickupId, wanted: Tender, *, by: Actor, check_version: CheckVersion = any_version
) -> PickupJob:
    """Refused as a whole if any carrier asked is not eligible; every reason names its carrier."""
    job = await queries.taken(work, pickup_id, by=by, check_version=check_version)
    role = policy.acting(PICKUP, "tender", policy.roles_of(by, job))
    PICKUP.find("tender", job.status)
    prices = {asked.carrier_id: asked.price for asked in wanted.offers}
    known = await parties.organizations(work, list(prices))
    _refuse_impossible(wanted, job, set(known))
    async with work.as_house():
        reasons = await eligibility.of_carriers(work, job, prices, known)
        moved = states.move(PICKUP, job, "tender", by=role, facts=PickupFacts(work.now, tender=reasons))
        job.tender_strategy, job.respond_within_minutes = wanted.strategy, wanted.respond_within_minutes
        await _queue(work, job, wanted.offers)
        tendered = events.PickupTendered(**telling.about(job), strategy=wanted.strategy, carrier_ids=list(prices))
        telling.tell_owner(work, job, tendered, moved)
        await _proceed(work, job)
        return job


def _refuse_impossible(wanted: Tender, job: PickupJob, known: set[str]) -> None:
    errors, seen = [], set()
    for index, asked in enumerate(wanted.offers):
        if asked.carrier_id not in known:
            errors.append(Detail(f"/offers/{index}/carrier_id", "carrier_unknown", "There is no such organization."))
        if asked.carrier_id in seen:
            errors.append(Detail(f"/offers/{index}/carrier_id", "carrier_twice", "A carrier is asked once."))
        if asked.price.currency != job.currency:
            errors.append(Detail(f"/offers/{index}/price", "currency_differs", f"The job is paid in {job.currency}."))
        if asked.price.minor < 0:
            errors.append(Detail(f"/offers/{index}/price", "negative", "A carrier is paid, or asked to drive for nil."))
        seen.add(asked.carrier_id)
    if errors:
        raise Invalid(*errors)


async def _queue(work: UnitOfWork, job: PickupJob, wanted: Sequence[Asked]) -> None:
    last = await queries.last_position(work, job.id)
    for position, asked in enumerate(wanted, start=last + 1):
        offer = Offer(
            pickup_id=job.id,
            owner_id=job.owner_id,
            carrier_id=asked.carrier_id,
            position=position,
            price_minor=asked.price.minor,
            currency=asked.price.currency,
            livemode=work.livemode,
            created_at=work.now,
        )
        work.add(offer)
    await work.session.flush()


async def _proceed(work: UnitOfWork, job: PickupJob) -> None:
    """Asks whose turn it is; tells the owner when nobody is left."""
    waiting = await queries.offers_of_for_update(work, job.id, UNANSWERED)
    if not waiting:
        moved = states.move(PICKUP, job, "exhaust", by="time", facts=PickupFacts(work.now))
        telling.tell_owner(work, job, events.PickupTenderExhausted(**telling.about(job)), moved)
        return
    at_once = len(waiting) if job.tender_strategy == "broadcast" else 1
    for offer in waiting[:at_once]:
        if offer.status == "queued":
            await _make(work, job, offer)


async def _make(work: UnitOfWork, job: PickupJob, offer: Offer) -> None:
    assert job.respond_within_minutes is not None, "a tendered job says how long its carriers have"
    offer.offered_at = work.now
    offer.expires_at = work.now + timedelta(minutes=job.respond_within_minutes)
    moved = states.move(OFFER, offer, "offer", by="time", facts=OfferFacts(work.now))
    made = events.OfferMade(**telling.offered(offer), expires_at=offer.expires_at)
    telling.tell_of_offer(work, job, offer, made, moved)
    await timers.schedule(work, EXPIRE, offer.id, offer.expires_at)


async def accept(work: UnitOfWork, offer_id: OfferId, *, by: Actor, check_version: CheckVersion = any_version) -> Offer:
    """OfferNotOpen for everybody but the one who was first and in time."""
    job, offer = await _answerable(work, offer_id, "accept", by, check_version)
    async with work.as_house():
        against = (*stops.against(job), *await eligibility.of_carrier(work, job, offer.carrier_id))
        moved = states.move(OFFER, offer, "accept", by="carrier", facts=OfferFacts(work.now, against))
        offer.answered_at = work.now
        await timers.cancel(work, EXPIRE, offer.id)
        telling.tell_of_offer(work, job, offer, events.OfferAccepted(**telling.offered(offer)), moved)
        job.carrier_id, job.price_minor = offer.carrier_id, offer.price_minor
        won = states.move(PICKUP, job, "accept", by="carrier", facts=PickupFacts(work.now))
        accepted = events.PickupAccepted(**telling.carried(job), price=job.price, is_self_hauled=False)
        telling.tell(work, job, accepted, won)
        await _supersede_others(work, job)
        return offer


async def decline(
    work: UnitOfWork,
    offer_id: OfferId,
    *,
    reason: str,
    note: str | None = None,
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Offer:
    """The next carrier is asked at once."""
    job, offer = await _answerable(work, offer_id, "decline", by, check_version)
    async with work.as_house():
        moved = states.move(OFFER, offer, "decline", by="carrier", facts=OfferFacts(work.now))
        offer.answered_at, offer.decline_reason, offer.decline_note = work.now, reason, note
        await timers.cancel(work, EXPIRE, offer.id)
        declined = events.OfferDeclined(**telling.offered(offer), reason=reason, note=note)
        telling.tell_of_offer(work, job, offer, declined, moved)
        await _proceed(work, job)
        return offer


async def _answerable(
    work: UnitOfWork, offer_id: OfferId, answer: str, by: Actor, check_version: CheckVersion
) -> tuple[PickupJob, Offer]:
    seen = await queries.visible_offer(work, offer_id, by)
    policy.acting(OFFER, answer, frozenset({"carrier"} if seen.carrier_id == by.org_id else {"owner"}))
    async with work.as_house():
        job, offer = await queries.job_and_offer_for_update(work, offer_id)
    if not offer.is_open(work.now):
        raise OfferNotOpen(offer.id, "expired" if offer.status == "offered" else offer.status)
    check_version(offer.version)
    return job, offer


@timer(EXPIRE)
async def expire(work: UnitOfWork, offer_id: str) -> None:
    """Who does not answer in time has declined: the next carrier is asked."""
    job, offer = await queries.job_and_offer_for_update(work, OfferId(offer_id))
    if offer.status != "offered" or offer.is_open(work.now):
        return
    moved = states.move(OFFER, offer, "expire", by="time", facts=OfferFacts(work.now))
    telling.tell_of_offer(work, job, offer, events.OfferExpired(**telling.offered(offer)), moved)
    await _proceed(work, job)


async def _supersede_others(work: UnitOfWork, job: PickupJob) -> None:
    for offer in await queries.offers_of_for_update(work, job.id, UNANSWERED):
        moved = states.move(OFFER, offer, "supersede", by="time", facts=OfferFacts(work.now))
        await timers.cancel(work, EXPIRE, offer.id)
        telling.tell_of_offer(work, job, offer, events.OfferSuperseded(**telling.offered(offer)), moved)


async def withdraw_offers(work: UnitOfWork, job: PickupJob) -> None:
    """Takes back what nobody has answered; the caller holds the job's lock."""
    for offer in await queries.offers_of_for_update(work, job.id, UNANSWERED):
        moved = states.move(OFFER, offer, "withdraw", by="time", facts=OfferFacts(work.now))
        await timers.cancel(work, EXPIRE, offer.id)
        telling.tell_of_offer(work, job, offer, events.OfferWithdrawn(**telling.offered(offer)), moved)
