"""HTTP of listings."""

from typing import Annotated

from fastapi import APIRouter, File, Path, Query, Response, UploadFile

from services.kernel.actors import Actor
from services.kernel.http.expanding import tells
from services.kernel.http.files import Objects, download, name_of
from services.kernel.http.routing import DryRun, Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.http.schemas import Country
from services.kernel.ids import ItemId, ListingId
from services.kernel.pagination import Paging
from services.kernel.unit_of_work import UnitOfWork
from services.listings import drafting, picturing, publishing, queries, searching
from services.listings.importing import router as importing
from services.listings.models import Listing
from services.listings.models.drafts import ConditionGrade, Material, ReturnReason
from services.listings.schemas import (
    ChangedItem,
    ChangedListing,
    FoundListing,
    FoundPage,
    ListingAnswer,
    ListingPage,
    ListingSummary,
    NewItem,
    NewListing,
    PublishedStatus,
    Status,
    Withdrawal,
)

listings = APIRouter(prefix="/v1", tags=["listings"], route_class=UnitOfWorkRoute)
routers = [listings, *importing.routers]

Reads = Annotated[Actor, holding("listings:read")]
Writes = Annotated[Actor, holding("listings:write")]


async def _told(work: UnitOfWork, listing: Listing, actor: Actor, answer: Response) -> ListingAnswer:
    tag(answer, listing.version)
    known = await publishing.facts_for(work, listing, actor)
    return ListingAnswer.told_to(actor, listing, await queries.items(work, listing.id), known)


@listings.post("/listings", status_code=201, summary="Draft a listing")
async def create(body: NewListing, work: Work, actor: Writes, answer: Response) -> ListingAnswer:
    """Makes a draft that only you see, with or without items.

    Open to verified manufacturers and holders (403 `may_not_list`). Refused with 422 `site_not_found`,
    `organization_not_found` among those invited, or `item_key_taken`; and while you may begin nothing new:
    `not_verified`, `organization_suspended`, `organization_closed`, `document_missing`, `document_under_review`,
    `document_expired` (409). What is unknown may be left out; `publish` under `blocked_transitions` says what is still
    missing. Causes `listing.created`.
    """
    return await _told(work, await drafting.draft(work, body.draft(), by=actor), actor, answer)


@listings.get("/listings", summary="List listings")
async def list_(
    work: Work,
    actor: Reads,
    paging: Paging,
    mine: Annotated[bool, Query(description="Only your own; false also lists what others offer to you")] = True,
    status: Annotated[Status | None, Query(description="Only listings in this state")] = None,
) -> ListingPage:
    """Newest first, without items."""
    rows, after = await searching.own(work, paging, by=actor, is_mine=mine, status=status)
    data = [ListingSummary.of(row) for row in rows]
    return ListingPage(data=data, has_more=after is not None, next_cursor=after)


@listings.get("/listings/search", summary="Search what is offered")
async def search(
    work: Work,
    actor: Reads,
    paging: Paging,
    material: Annotated[Material | None, Query(description="A material's code that an item is made of")] = None,
    status: Annotated[PublishedStatus, Query(description="What has become of it")] = "open",
    return_reason: Annotated[ReturnReason | None, Query(description="Why an item goes back")] = None,
    condition: Annotated[ConditionGrade | None, Query(description="The item's condition grade")] = None,
    country: Annotated[Country | None, Query(description="Where it lies: ISO 3166-1 alpha-2")] = None,
    near: Annotated[
        str | None, Query(max_length=60, description="latitude,longitude in degrees", examples=["51.3127,9.4797"])
    ] = None,
    radius_km: Annotated[
        float, Query(gt=0, le=searching.MOST_KM, description="Around `near`, as the crow flies")
    ] = searching.USUAL_KM,
) -> FoundPage:
    """Published listings that are open to everybody or to you, newest first. Material, return reason and condition must
    meet in one item; `near` with `radius_km` keeps what lies within a circle (422 `place_malformed`).
    """
    place = searching.place(near) if near is not None else None
    wanted = searching.Wanted(status, material, return_reason, condition, country, place, radius_km)
    rows, after = await searching.search(work, wanted, paging, by=actor)
    data = [_found(row, place) for row in rows]
    return FoundPage(data=data, has_more=after is not None, next_cursor=after)


def _found(listing: Listing, near: searching.Place | None) -> FoundListing:
    found = FoundListing.of(listing)
    if near is not None:
        here = searching.Place(listing.latitude, listing.longitude)
        found.distance_km = round(searching.distance_km(near, here), 1)
    return found


@listings.get("/listings/{listing_id}", summary="Read a listing")
async def get(listing_id: ListingId, work: Work, actor: Reads, answer: Response) -> ListingAnswer:
    """With its items. Your own always; another's once it is published, to all or to you: its drafts are 404."""
    return await _told(work, await queries.visible_listing(work, listing_id, actor), actor, answer)


@tells("listing", ListingSummary, holding="listings:read")
async def tell(work: UnitOfWork, actor: Actor, ids: set[str]) -> dict[str, ListingSummary]:
    return {row.id: ListingSummary.of(row) for row in await queries.visible_listings(work, ids, actor)}


@listings.patch("/listings/{listing_id}", summary="Change a draft")
async def update(
    listing_id: ListingId, body: ChangedListing, work: Work, actor: Writes, matching: Matching, answer: Response
) -> ListingAnswer:
    """Refused with 409 `listing_not_draft` once it is published: bidders rely on what they read; 422 `site_not_found` and
    `organization_not_found` as for a new one."""
    changed = await drafting.change(work, listing_id, body, by=actor, check_version=matching.matches)
    return await _told(work, changed, actor, answer)


@listings.post("/listings/{listing_id}/items", status_code=201, summary="Add an item to a draft")
async def add_item(
    listing_id: ListingId, body: NewItem, work: Work, actor: Writes, matching: Matching, answer: Response
) -> ListingAnswer:
    """Answers the listing. Refused with `listing_not_draft`, and with 409 `item_key_taken` when another item has the key."""
    await drafting.add_item(work, listing_id, body, by=actor, check_version=matching.matches)
    return await _told(work, await queries.listing(work, listing_id), actor, answer)


@listings.patch("/listings/{listing_id}/items/{item_id}", summary="Change an item of a draft")
async def update_item(
    listing_id: ListingId,
    item_id: ItemId,
    body: ChangedItem,
    work: Work,
    actor: Writes,
    matching: Matching,
    answer: Response,
) -> ListingAnswer:
    """Answers the listing. Quantity, grade and return reason of an imported item follow from its rows (409
    `stated_by_manifest`); what the rows are silent about, such as packaging and hazardous properties, is yours to say.
    Refused with `listing_not_draft`, and with 409 `item_key_taken`.
    """
    await drafting.change_item(work, listing_id, item_id, body, by=actor, check_version=matching.matches)
    return await _told(work, await queries.listing(work, listing_id), actor, answer)


@listings.delete("/listings/{listing_id}/items/{item_id}", summary="Remove an item from a draft")
async def remove_item(
    listing_id: ListingId, item_id: ItemId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> ListingAnswer:
    """Answers the listing. External ids of an imported item may be imported anew. Refused with `listing_not_draft`."""
    changed = await drafting.remove_item(work, listing_id, item_id, by=actor, check_version=matching.matches)
    return await _told(work, changed, actor, answer)


@listings.post("/listings/{listing_id}/items/{item_id}/photos", status_code=201, summary="Add a photo to an item")
async def add_photo(
    listing_id: ListingId,
    item_id: ItemId,
    work: Work,
    actor: Writes,
    store: Objects,
    matching: Matching,
    answer: Response,
    file: Annotated[UploadFile, File(description="JPEG, PNG or WebP, up to 10 MiB")],
) -> ListingAnswer:
    """Answers the listing; the item's `photos` name the picture by its SHA-256, and `listings.photo` shows it. The same picture
    twice is one; listings.update_item takes one away.

    Refused with `listing_not_draft`, with 409 `too_many_photos`, for a content that is none of these types whatever its name says
    (422 `file_type_not_allowed`), empty (`file_empty`), with a name that is `text_unstorable`, or above 10 MiB (413
    `file_too_large`).
    """
    content, name = await file.read(), name_of(file)
    changed = await picturing.add(
        work, listing_id, item_id, content, name=name, store=store, by=actor, check_version=matching.matches
    )
    return await _told(work, changed, actor, answer)


@listings.get(
    "/listings/{listing_id}/items/{item_id}/photos/{sha256}",
    summary="Download a photo",
    response_class=Response,
    responses={
        200: {
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in picturing.PICTURES},
            "description": "The picture",
        }
    },
)
async def photo(
    listing_id: ListingId,
    item_id: ItemId,
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="As the item's `photos` name it")],
    work: Work,
    actor: Reads,
    store: Objects,
) -> Response:
    """For whoever may read the listing. 404 for photos that were only named, by hash or URL, and never sent."""
    stored = await picturing.find(work, listing_id, item_id, sha256, by=actor)
    return download(stored, await store.get(stored.sha256))


@listings.post("/listings/{listing_id}/publish", summary="Publish a draft", dependencies=[DryRun])
async def publish(
    listing_id: ListingId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> ListingAnswer:
    """A rule approves what is complete; it opens for bids now, or at `opens_at`.

    Refused with 422 and every shortcoming by pointer: no items (`listing_without_items`) or nobody to offer them to
    (`nobody_invited`); a missing reason, grade or composition (`return_reason_required`, `condition_grade_required`,
    `composition_required`: "unknown" is an answer) or an unknown material (`material_unknown`); goods priced by the tonne
    without a mass (`mass_required`); a waste code that does not hold where and when the goods are offered
    (`code_not_valid` (422)) or that makes them hazardous (`hazard_not_declared`); hazardous goods without waste code,
    hazardous properties, UN number, packaging or, below like_new, photos (`waste_code_required`, `hp_codes_required`,
    `un_number_required`, `un_number_unknown`, `packaging_required`, `photo_required`; for others a notice says that photos
    are missing); a recall without its campaign or a destruction without its reason (`campaign_required`,
    `destruction_not_justified`); an end that is missing or past (`closes_at_required`, `in_the_past`,
    `closes_before_opening`, `hard_cap_needs_timed`, `hard_cap_before_close`).
    Refused with `may_not_list`, and while you may begin nothing new: `not_verified`, `organization_suspended`,
    `organization_closed`, `document_missing`, `document_under_review`, `document_expired` (409).
    Causes `listing.submitted`, `listing.published` and `listing.opened`, the last at `opens_at`.
    """
    published = await publishing.publish(work, listing_id, by=actor, check_version=matching.matches)
    return await _told(work, published, actor, answer)


@listings.post("/listings/{listing_id}/withdraw", summary="Withdraw a listing", dependencies=[DryRun])
async def withdraw(
    listing_id: ListingId,
    work: Work,
    actor: Writes,
    matching: Matching,
    answer: Response,
    body: Withdrawal | None = None,
) -> ListingAnswer:
    """Until a bid is awarded, by its seller (`not_the_seller`). Bids on it are released, and external ids may be listed anew.
    Causes `listing.withdrawn`."""
    reason = body.reason if body else None
    withdrawn = await publishing.withdraw(work, listing_id, by=actor, reason=reason, check_version=matching.matches)
    return await _told(work, withdrawn, actor, answer)
