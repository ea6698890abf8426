"""HTTP of offers to carriers."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.http.routing import DryRun, Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.ids import OfferId, PickupId
from services.kernel.pagination import Paging, rows_of
from services.kernel.unit_of_work import UnitOfWork
from services.pickups import choosing, queries, tendering
from services.pickups.models import Offer
from services.pickups.schemas import requests
from services.pickups.schemas.answers import OfferAnswer, OfferPage

offers = APIRouter(prefix="/v1", tags=["offers"], route_class=UnitOfWorkRoute)

Reader = Annotated[Actor, holding("pickups:read")]
Answerer = Annotated[Actor, holding("offers:write")]


async def _told_offer(work: UnitOfWork, offer: Offer, actor: Actor, answer: Response) -> OfferAnswer:
    tag(answer, offer.version)
    return OfferAnswer.of(offer, await choosing.of_offer(work, offer, actor))


@offers.get("/offers", summary="List offers")
async def list_(
    work: Work,
    actor: Reader,
    paging: Paging,
    pickup_id: Annotated[PickupId | None, Query(description="Only of this job; its owner sees all of them")] = None,
    status: Annotated[str | None, Query(max_length=20, description="Only in this state")] = None,
) -> OfferPage:
    """The jobs your organization was offered as a carrier, newest first."""
    query = queries.offers(actor, pickup_id=pickup_id)
    if status is not None:
        query = query.where(col(Offer.status) == status)
    rows, cursor = await rows_of(work, query, col(Offer.id), paging)
    data = [OfferAnswer.of(offer, await choosing.of_offer(work, offer, actor)) for offer in rows]
    return OfferPage(data=data, has_more=cursor is not None, next_cursor=cursor)


@offers.get("/offers/{offer_id}", summary="Get an offer")
async def get(offer_id: OfferId, work: Work, actor: Reader, answer: Response) -> OfferAnswer:
    """One offer, for the carrier it was made to and the owner of the job."""
    return await _told_offer(work, await queries.visible_offer(work, offer_id, actor), actor, answer)


@offers.post("/offers/{offer_id}/accept", summary="Accept an offer", dependencies=[DryRun])
async def accept(offer_id: OfferId, work: Work, actor: Answerer, matching: Matching, answer: Response) -> OfferAnswer:
    """The carrier takes the job. Exactly one can: everybody else, and whoever is late, is told `offer_not_open`. Refused
    when the transport permit does not cover the goods that day (`permit_scope`, `permit_expired`, `permit_tonnage`), when
    they are recalled (`recall_quarantine`), and while you may begin nothing new (`not_verified`,
    `organization_suspended`, `organization_closed`, `document_missing`, `document_under_review`, `document_expired`
    (409)). Causes `offer.accepted`, `pickup.accepted` and `offer.superseded`."""
    offer = await tendering.accept(work, offer_id, by=actor, check_version=matching.matches)
    return await _told_offer(work, offer, actor, answer)


@offers.post("/offers/{offer_id}/decline", summary="Decline an offer", dependencies=[DryRun])
async def decline(
    offer_id: OfferId, body: requests.DeclineOffer, work: Work, actor: Answerer, matching: Matching, answer: Response
) -> OfferAnswer:
    """The carrier does not want the job; the next one is asked at once. Causes `offer.declined`, and `offer.made`
    to the next or `pickup.tender_exhausted`. A late answer is `offer_not_open`."""
    offer = await tendering.decline(
        work, offer_id, reason=body.reason, note=body.note, by=actor, check_version=matching.matches
    )
    return await _told_offer(work, offer, actor, answer)
