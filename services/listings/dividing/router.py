"""HTTP of splitting, merging and offering the rest again."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.kernel.actors import Actor
from services.kernel.http.routing import DryRun, Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.ids import ListingId
from services.kernel.unit_of_work import UnitOfWork
from services.listings import policy, publishing, queries
from services.listings.dividing import splitting
from services.listings.dividing.schemas import LineageAnswer, LineageEntry, Merge, Split
from services.listings.models import Listing
from services.listings.schemas import ListingAnswer

router = APIRouter(prefix="/v1", tags=["listings"], route_class=UnitOfWorkRoute)

Reads = Annotated[Actor, holding("listings:read")]
Writes = Annotated[Actor, holding("listings:write")]


async def _told(work: UnitOfWork, listing: Listing, actor: Actor, answer: Response) -> ListingAnswer:
    tag(answer, listing.version)
    known = await publishing.facts_for(work, listing, actor)
    return ListingAnswer.told_to(actor, listing, await queries.items(work, listing.id), known)


@router.post("/listings/{listing_id}/split", summary="Split a listing", dependencies=[DryRun])
async def split(
    listing_id: ListingId, body: Split, work: Work, actor: Writes, matching: Matching, answer: Response
) -> ListingAnswer:
    """Moves items, or part of their quantity, into a new draft at the same terms, and answers that draft: it names its
    origin. Of a draft, or of a published listing that nobody has bid for. Pieces and grams are kept exactly: a part's mass
    follows its pieces, or its units where these were weighed.

    Refused with `has_live_bids`, `bids_are_sealed`, `remainder_stays_whole`, `goods_not_divisible` (more than there is,
    nothing left behind, or a part that would weigh nothing), `units_move_whole`, `not_the_seller`, and as invalid:
    `item_not_found`, `unit_not_found`. Causes `listing.split`, `listing.created` and, for recalled goods,
    `stop.placed`."""
    takings = [one.taking() for one in body.items]
    draft = await splitting.split(
        work,
        listing_id,
        takings,
        by=actor,
        title=body.title,
        reason=body.reason,
        check_version=matching.matches,
    )
    return await _told(work, draft, actor, answer)


@router.post("/listings/{listing_id}/merge", summary="Merge a draft into another", dependencies=[DryRun])
async def merge(
    listing_id: ListingId, body: Merge, work: Work, actor: Writes, matching: Matching, answer: Response
) -> ListingAnswer:
    """Puts all goods of the draft into another draft of yours at the same site and answers that one; the emptied draft is
    withdrawn. Items of one key that nothing but quantity and mass tells apart are joined.

    Refused with `listing_not_draft`, `remainder_stays_whole`, `not_the_seller`, and as invalid: `sites_differ`,
    `same_listing`. Causes `listing.merged` and, for recalled goods, `stop.placed`."""
    target = await splitting.merge(
        work,
        listing_id,
        into=body.into_listing_id,
        by=actor,
        reason=body.reason,
        check_version=matching.matches,
    )
    return await _told(work, target, actor, answer)


@router.post("/listings/{listing_id}/relist_remainder", summary="Offer the rest again", dependencies=[DryRun])
async def relist_remainder(
    listing_id: ListingId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> ListingAnswer:
    """What nobody has won of a listing sold in parts goes into a new draft, which is answered and names its origin; the
    listing counts as awarded. Bids for what is gone are lost. Without this call it happens when the award window ends.

    Refused with `not_the_seller`. Causes `listing.remainder_relisted`, `listing.created`
    and, for recalled goods, `stop.placed`."""
    draft = await publishing.relist_remainder(work, listing_id, by=actor, check_version=matching.matches)
    return await _told(work, draft, actor, answer)


@router.get("/listings/{listing_id}/lineage", summary="Read where goods came from and went")
async def lineage(listing_id: ListingId, work: Work, actor: Reads) -> LineageAnswer:
    """For the seller: every split, merge and relisting that put goods into the listing or took them out. Refused with
    `not_the_seller`."""
    listing = await queries.visible_listing(work, listing_id, actor)
    policy.must_see_all_of(actor, listing)
    rows = await queries.lineage(work, listing.id)
    return LineageAnswer(listing_id=listing.id, data=[LineageEntry.of(row) for row in rows])
