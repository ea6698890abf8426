"""A manufacturer opens a recall, ends its search, or lifts it."""

from services.kernel.actors import Actor
from services.kernel.ids import CampaignId
from services.kernel.states import move
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.listings.errors import MayNotRecall
from services.listings.events import RecallClosed, RecallOpened
from services.listings.models import RECALL, RecallCampaign
from services.listings.recalling import quarantine, queries
from services.listings.recalling.predicates import Predicate
from services.parties import standing

MANUFACTURER = "manufacturer"


async def open_(
    work: UnitOfWork,
    *,
    by: Actor,
    title: str,
    predicate: Predicate,
    dispositions: list[str],
    proofs: list[str],
    units_sold: int | None = None,
    description: str | None = None,
) -> RecallCampaign:
    """What matches already is stopped in the same breath. Raises MayNotRecall, and Blocked as for a listing."""
    if MANUFACTURER not in by.roles:
        raise MayNotRecall()
    await standing.must_be_good(work, by.org, {MANUFACTURER}, thing="recall campaign", step="create")
    campaign = RecallCampaign(
        manufacturer_id=by.org,
        title=title,
        description=description,
        predicate=predicate.model_dump(mode="json"),
        dispositions=dispositions,
        proofs=proofs,
        units_sold=units_sold,
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(campaign)
    await work.session.flush()
    event = RecallOpened(
        campaign_id=campaign.id, manufacturer_id=campaign.manufacturer_id, title=title, dispositions=dispositions
    )
    work.emit(event, subject=campaign.id, audience={campaign.manufacturer_id: MANUFACTURER})
    await _look_everywhere(work, campaign)
    return campaign


async def look_again(work: UnitOfWork, campaign_id: CampaignId) -> None:
    """A reaction to `recall.opened`: what others wrote while it was being opened knew nothing of it, nor it of them."""
    campaign = (await queries.campaigns(work, [campaign_id]))[campaign_id]
    if campaign.status == "open":
        await _look_everywhere(work, campaign)


async def _look_everywhere(work: UnitOfWork, campaign: RecallCampaign) -> None:
    async with work.as_house():
        stopped = await quarantine.place(work, campaign)
        await quarantine.refresh(work, list((await listings.listings_for_update(work, stopped)).values()))


async def close(
    work: UnitOfWork, campaign_id: CampaignId, *, by: Actor, reason: str, check_version: CheckVersion = any_version
) -> RecallCampaign:
    """Nothing more is looked for; what is stopped stays so until it is remedied."""
    return await _end(work, campaign_id, "close", by, reason, check_version)


async def lift(
    work: UnitOfWork, campaign_id: CampaignId, *, by: Actor, reason: str, check_version: CheckVersion = any_version
) -> RecallCampaign:
    """The recall was an error, or is over: every stop is taken away."""
    campaign = await _end(work, campaign_id, "lift", by, reason, check_version)
    async with work.as_house():
        await quarantine.lift(work, await queries.active_of_campaign(work, campaign.id), "lifted")
    return campaign


async def _end(
    work: UnitOfWork, campaign_id: CampaignId, name: str, by: Actor, reason: str, check_version: CheckVersion
) -> RecallCampaign:
    campaign = await queries.visible_campaign_for_update(work, campaign_id, by)
    check_version(campaign.version)
    moved = move(RECALL, campaign, name, by=part_of(by, campaign))
    campaign.ended_at, campaign.end_reason = work.now, reason
    event = RecallClosed(
        campaign_id=campaign.id, manufacturer_id=campaign.manufacturer_id, status=campaign.status, reason=reason
    )
    work.emit(event, subject=campaign.id, audience={campaign.manufacturer_id: MANUFACTURER}, moved=moved)
    return campaign


def part_of(actor: Actor, campaign: RecallCampaign) -> str:
    """Sellers whose goods are stopped read the campaign, and do nothing with it."""
    if actor.org_id == campaign.manufacturer_id:
        return MANUFACTURER
    return "operator" if actor.is_operator else "seller"
