"""HTTP of recalls."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.kernel.actors import Actor
from services.kernel.http.routing import DryRun, Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.ids import CampaignId
from services.kernel.pagination import Paging, rows_of
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import RecallCampaign, Stop
from services.listings.recalling import campaigns, queries
from services.listings.recalling.schemas import (
    Effectiveness,
    NewRecall,
    RecallAnswer,
    RecallEnd,
    RecallPage,
    StopAnswer,
    StopPage,
)

router = APIRouter(prefix="/v1", tags=["recall_campaigns"], route_class=UnitOfWorkRoute)

Reads = Annotated[Actor, holding("recalls:read")]
Writes = Annotated[Actor, holding("recalls:write")]


async def _told(work: UnitOfWork, campaign: RecallCampaign, actor: Actor, answer: Response) -> RecallAnswer:
    tag(answer, campaign.version)
    return _shown(campaign, actor, await queries.counted(work, [campaign.id]))


def _shown(campaign: RecallCampaign, actor: Actor, counted: dict[str, tuple[int, int]]) -> RecallAnswer:
    part = campaigns.part_of(actor, campaign)
    how_far = Effectiveness.of(campaign.units_sold, *counted.get(campaign.id, (0, 0)))
    return RecallAnswer.told_to(part, campaign, how_far if part != "seller" else None)


@router.post("/recall-campaigns", status_code=201, summary="Open a recall")
async def create(body: NewRecall, work: Work, actor: Writes, answer: Response) -> RecallAnswer:
    """Stops every matching unit and item at once, whoever offers it, and whatever is drafted or imported later: it is not
    published, awarded or confirmed but under the campaign, by a listing whose items have the return reason
    `product_recall` and name the campaign. By words of the title alone only your own goods are stopped.

    For manufacturers (403 `may_not_recall`) who may begin something new: `not_verified`, `organization_suspended`,
    `organization_closed`, `document_missing`, `document_under_review`, `document_expired` (409). Causes `recall.opened`,
    and `stop.placed` per item."""
    campaign = await campaigns.open_(
        work,
        by=actor,
        title=body.title,
        description=body.description,
        predicate=body.predicate,
        dispositions=list(dict.fromkeys(body.dispositions)),
        proofs=list(dict.fromkeys(body.proofs)),
        units_sold=body.units_sold,
    )
    return await _told(work, campaign, actor, answer)


@router.get("/recall-campaigns", summary="List recalls")
async def list_(work: Work, actor: Reads, paging: Paging) -> RecallPage:
    """Your own, and those under which goods of yours are stopped; newest first."""
    rows, after = await rows_of(work, queries.campaigns_visible_to(actor), RecallCampaign.id, paging)
    counted = await queries.counted(work, [row.id for row in rows])
    data = [_shown(row, actor, counted) for row in rows]
    return RecallPage(data=data, has_more=after is not None, next_cursor=after)


@router.get("/recall-campaigns/{campaign_id}", summary="Read a recall")
async def get(campaign_id: CampaignId, work: Work, actor: Reads, answer: Response) -> RecallAnswer:
    """With how far it has got, for its manufacturer. Whoever has goods that are stopped under it reads what is asked for."""
    return await _told(work, await queries.visible_campaign(work, campaign_id, actor), actor, answer)


@router.get("/recall-campaigns/{campaign_id}/stops", summary="List what a recall has stopped")
async def stops(campaign_id: CampaignId, work: Work, actor: Reads, paging: Paging) -> StopPage:
    """The manufacturer reads all, a seller those on its own goods; newest first. What was lifted is there too."""
    await queries.visible_campaign(work, campaign_id, actor)
    rows, after = await rows_of(work, queries.stops_visible_to(actor, campaign_id), Stop.id, paging)
    return StopPage(data=[StopAnswer.of(row) for row in rows], has_more=after is not None, next_cursor=after)


@router.post("/recall-campaigns/{campaign_id}/close", summary="Close a recall", dependencies=[DryRun])
async def close(
    campaign_id: CampaignId, body: RecallEnd, work: Work, actor: Writes, matching: Matching, answer: Response
) -> RecallAnswer:
    """Ends the search: nothing more is stopped. What is stopped stays so until a certificate proves what became of it.
    Causes `recall.closed`."""
    campaign = await campaigns.close(work, campaign_id, by=actor, reason=body.reason, check_version=matching.matches)
    return await _told(work, campaign, actor, answer)


@router.post("/recall-campaigns/{campaign_id}/lift", summary="Lift a recall", dependencies=[DryRun])
async def lift(
    campaign_id: CampaignId, body: RecallEnd, work: Work, actor: Writes, matching: Matching, answer: Response
) -> RecallAnswer:
    """Takes every stop away: the goods are as free as before. Causes `recall.closed`, and `stop.lifted` per item."""
    campaign = await campaigns.lift(work, campaign_id, by=actor, reason=body.reason, check_version=matching.matches)
    return await _told(work, campaign, actor, answer)
