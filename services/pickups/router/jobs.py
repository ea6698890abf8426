"""HTTP of pickup jobs."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.http.expanding import Expand, expanding
from services.kernel.http.routing import DryRun, Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.ids import OrderId, PickupId
from services.kernel.pagination import Paging, rows_of
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries as parties
from services.parties.models import Site
from services.pickups import choosing, dispatching, policy, queries, scheduling, tendering
from services.pickups import handover as handing
from services.pickups.models import PickupJob, Slot
from services.pickups.schemas import requests
from services.pickups.schemas.answers import HandoverAnswer, HandoverPage, PickupAnswer, PickupPage

pickups = APIRouter(prefix="/v1", tags=["pickups"], route_class=UnitOfWorkRoute)

Reader = Annotated[Actor, holding("pickups:read")]
Planner = Annotated[Actor, holding("pickups:write")]
Signer = Annotated[Actor, holding("handovers:write")]


async def _told(work: UnitOfWork, job: PickupJob, actor: Actor, answer: Response) -> PickupAnswer:
    tag(answer, job.version)
    return await _answer(work, job, await queries.slot_of(work, job.id), await _sites(work, [job]), actor)


async def _sites(work: UnitOfWork, jobs: Sequence[PickupJob]) -> dict[str, Site]:
    return await parties.sites(work, [site_id for job in jobs for site_id in (job.from_site_id, job.to_site_id)])


async def _answer(
    work: UnitOfWork, job: PickupJob, slot: Slot | None, sites: dict[str, Site], actor: Actor
) -> PickupAnswer:
    choices = await choosing.of_job(work, job, slot, actor)
    return PickupAnswer.of(job, slot, sites, choices, policy.roles_of(actor, job))


@pickups.get("/pickups", summary="List pickup jobs")
async def list_(
    work: Work,
    actor: Reader,
    paging: Paging,
    expand: Annotated[Expand, expanding(PickupAnswer)],
    order_id: Annotated[OrderId | None, Query(description="Only of this order")] = None,
    status: Annotated[str | None, Query(max_length=20, description="Only in this state")] = None,
) -> PickupPage:
    """The movements your organization owns, sends, receives, keeps, carries or is asked to carry; newest first."""
    query = queries.pickups(actor)
    if order_id is not None:
        query = query.where(col(PickupJob.order_id) == order_id)
    if status is not None:
        query = query.where(col(PickupJob.status) == status)
    rows, cursor = await rows_of(work, query, col(PickupJob.id), paging)
    slots = await queries.slots_of(work, [job.id for job in rows])
    sites = await _sites(work, rows)
    data = [await _answer(work, job, slots.get(job.id), sites, actor) for job in rows]
    await expand.into(work, actor, data)
    return PickupPage(data=data, has_more=cursor is not None, next_cursor=cursor)


@pickups.get("/pickups/{pickup_id}", summary="Get a pickup job")
async def get(
    pickup_id: PickupId,
    work: Work,
    actor: Reader,
    expand: Annotated[Expand, expanding(PickupAnswer)],
    answer: Response,
) -> PickupAnswer:
    """One movement, with what you could do now. Goods are described without prices; haulage prices are for owner and
    carrier."""
    told = await _told(work, await queries.visible_pickup(work, pickup_id, actor), actor, answer)
    await expand.into(work, actor, [told])
    return told


@pickups.get("/pickups/{pickup_id}/handovers", summary="List a job's handovers")
async def handover(pickup_id: PickupId, work: Work, actor: Reader) -> HandoverPage:
    """What was signed for at pickup and delivery. A handover without `signed_at` waits for the other side's signature under
    its `content_hash`."""
    job = await queries.visible_pickup(work, pickup_id, actor)
    data = [HandoverAnswer.of(handover) for handover in await queries.handovers(work, job.id)]
    return HandoverPage(data=data, has_more=False)


@pickups.post("/pickups/{pickup_id}/plan", summary="Plan a draft job", dependencies=[DryRun])
async def plan(
    pickup_id: PickupId, body: requests.PlanPickup, work: Work, actor: Planner, matching: Matching, answer: Response
) -> PickupAnswer:
    """The owner says when the goods may be collected. Refused with `window_is_past`, and with `recall_quarantine` for goods
    that are recalled. Causes `pickup.planned`."""
    job = await scheduling.plan(work, pickup_id, body.plan(), by=actor, check_version=matching.matches)
    return await _told(work, job, actor, answer)


@pickups.post("/pickups/{pickup_id}/tender", summary="Ask carriers", dependencies=[DryRun])
async def tender(
    pickup_id: PickupId, body: requests.TenderPickup, work: Work, actor: Planner, matching: Matching, answer: Response
) -> PickupAnswer:
    """The owner offers a planned job to carriers: one after the other, or to all at once, where the first to accept has
    it. Refused as a whole when a carrier is `not_a_carrier`, may begin nothing new (`not_verified`,
    `organization_suspended`, `organization_closed`, `document_missing`, `document_under_review`, `document_expired`
    (409)), is without a transport permit for the goods (`permit_scope`, `permit_expired`, `permit_tonnage`), offered
    more than the ceiling (`price_above_ceiling`), or owns the job itself (`carrier_is_owner`); as invalid for
    `carrier_unknown`, `carrier_twice`, `currency_differs` and `negative`; and with `recall_quarantine`. Causes
    `pickup.tendered` and `offer.made`; when nobody is left, `pickup.tender_exhausted`, and the owner may ask again."""
    job = await tendering.tender(work, pickup_id, body.tender(), by=actor, check_version=matching.matches)
    return await _told(work, job, actor, answer)


@pickups.post("/pickups/{pickup_id}/self_haul", summary="Haul it yourself", dependencies=[DryRun])
async def self_haul(
    pickup_id: PickupId, work: Work, actor: Planner, matching: Matching, answer: Response
) -> PickupAnswer:
    """The owner moves the goods under its own transport permit and is paid nothing for it. Refused without one
    (`permit_scope`, `permit_expired`, `permit_tonnage`), and with `recall_quarantine`. Causes `pickup.accepted`."""
    job = await scheduling.self_haul(work, pickup_id, by=actor, check_version=matching.matches)
    return await _told(work, job, actor, answer)


@pickups.post("/pickups/{pickup_id}/book_slot", summary="Book a dock", dependencies=[DryRun])
async def book_slot(
    pickup_id: PickupId, body: requests.BookSlot, work: Work, actor: Planner, matching: Matching, answer: Response
) -> PickupAnswer:
    """Carrier, seller or receiver book a dock where the goods lie. Refused with `slot_taken`, `site_closed`,
    `site_blackout`, `slot_in_the_past` or `recall_quarantine`, and as invalid for `not_the_pickup_site`, `dock_unknown` or
    `ends_before_start`. Causes `pickup.scheduled`."""
    job = await scheduling.book_slot(work, pickup_id, body.wish(), by=actor, check_version=matching.matches)
    return await _told(work, job, actor, answer)


@pickups.post("/pickups/{pickup_id}/cancel_slot", summary="Give a dock back", dependencies=[DryRun])
async def cancel_slot(
    pickup_id: PickupId,
    body: requests.GivePickupReason,
    work: Work,
    actor: Planner,
    matching: Matching,
    answer: Response,
) -> PickupAnswer:
    """Before the slot begins (`slot_has_begun`). Causes `pickup.unscheduled`."""
    job = await scheduling.cancel_slot(work, pickup_id, reason=body.reason, by=actor, check_version=matching.matches)
    return await _told(work, job, actor, answer)


@pickups.post("/pickups/{pickup_id}/dispatch", summary="Send the lorry", dependencies=[DryRun])
async def dispatch(
    pickup_id: PickupId, body: requests.DispatchPickup, work: Work, actor: Planner, matching: Matching, answer: Response
) -> PickupAnswer:
    """The carrier names lorry and driver. Refused with every reason: `money_not_held`, `slot_not_booked` (unless the owner
    hauls itself), and what the carrier's transport permit or the receiver's treatment permit does not cover that day
    (`permit_scope`, `permit_expired`, `permit_tonnage`), and with `recall_quarantine` for goods that are recalled. A
    driver is a member of the carrier (`member_unknown`). Causes `pickup.dispatched`."""
    job = await dispatching.dispatch(work, pickup_id, body.crew(), by=actor, check_version=matching.matches)
    return await _told(work, job, actor, answer)


@pickups.post("/pickups/{pickup_id}/depart", summary="The lorry departs", dependencies=[DryRun])
async def depart(
    pickup_id: PickupId, body: requests.ReportMovement, work: Work, actor: Signer, matching: Matching, answer: Response
) -> PickupAnswer:
    """The carrier's driver reports a fact: on the way to the goods, or with them; not one `in_the_future`. Causes
    `pickup.departed` or `pickup.in_transit`."""
    job = await handing.depart(work, pickup_id, body.report(), by=actor, check_version=matching.matches)
    return await _told(work, job, actor, answer)


@pickups.post("/pickups/{pickup_id}/arrive", summary="The lorry arrives", dependencies=[DryRun])
async def arrive(
    pickup_id: PickupId, body: requests.ReportMovement, work: Work, actor: Signer, matching: Matching, answer: Response
) -> PickupAnswer:
    """The carrier's driver reports a fact: at the goods, or at their destination. Outside the slot and without a reason the
    event is flagged `outside_slot`. Not `in_the_future`. Causes `pickup.arrived`."""
    job = await handing.arrive(work, pickup_id, body.report(), by=actor, check_version=matching.matches)
    return await _told(work, job, actor, answer)


@pickups.post("/pickups/{pickup_id}/sign_handover", summary="Sign for the goods at the pickup", dependencies=[DryRun])
async def sign_handover(
    pickup_id: PickupId, body: requests.SignHandover, work: Work, actor: Signer, matching: Matching, answer: Response
) -> PickupAnswer:
    """Custodian and carrier both sign, in either order; the second confirms the first's `content_hash` and otherwise is
    told `content_differs`. Who signed alone may sign a corrected content instead; the same again is `already_signed`,
    and where nobody has signed there is `nothing_to_countersign`. Refused with `photos_required` for hazardous goods,
    `quantity_reason_required` and `recall_quarantine`, and as invalid for `lines_differ`, `masses_do_not_sum` and
    `in_the_future`. When both have signed: `pickup.loaded`."""
    job = await handing.sign_handover(work, pickup_id, body.signing(), by=actor, check_version=matching.matches)
    return await _told(work, job, actor, answer)


@pickups.post("/pickups/{pickup_id}/sign_delivery", summary="Sign for the goods at the delivery", dependencies=[DryRun])
async def sign_delivery(
    pickup_id: PickupId, body: requests.SignDelivery, work: Work, actor: Signer, matching: Matching, answer: Response
) -> PickupAnswer:
    """Receiver and carrier both sign as at the pickup; one signature is enough where they are one organization. The lines'
    masses sum to the lorry's net weight (`masses_do_not_sum`, `lines_differ`). What a rule has against it is flagged, not
    refused; a signature is, with `content_differs`, `already_signed`, `nothing_to_countersign`, `in_the_future`. When both
    have signed:
    `pickup.delivered`, and `pickup.closed` once no document is missing."""
    job = await handing.sign_delivery(work, pickup_id, body.signed(), by=actor, check_version=matching.matches)
    return await _told(work, job, actor, answer)


@pickups.post("/pickups/{pickup_id}/cancel", summary="Cancel a job", dependencies=[DryRun])
async def cancel(
    pickup_id: PickupId,
    body: requests.GivePickupReason,
    work: Work,
    actor: Planner,
    matching: Matching,
    answer: Response,
) -> PickupAnswer:
    """By the owner, before the goods are loaded. Open offers are withdrawn, the dock is free again. Causes
    `pickup.cancelled` and `offer.withdrawn`."""
    job = await scheduling.cancel(work, pickup_id, reason=body.reason, by=actor, check_version=matching.matches)
    return await _told(work, job, actor, answer)
