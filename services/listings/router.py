"""HTTP of listings."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, File, Path, Query, Response, UploadFile
from pydantic import ValidationError

from services.kernel.actors import Actor
from services.kernel.errors import Invalid
from services.kernel.http.expanding import tells
from services.kernel.http.files import Objects, download, name_of
from services.kernel.http.handing import Told
from services.kernel.http.lane import Asked, Shortcut, Statement, by_lane, model_of
from services.kernel.http.routing import DryRun, Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.http.schemas import AskedInstant, Country, is_storable
from services.kernel.ids import ItemId, ListingId
from services.kernel.pagination import PageRequest, Paging, key_of, page_request
from services.kernel.unit_of_work import UnitOfWork
from services.listings import drafting, picturing, publishing, queries, reading, searching
from services.listings.dividing import router as dividing
from services.listings.importing import router as importing
from services.listings.models import Listing
from services.listings.models.drafts import (
    ConditionGrade,
    Disposition,
    Material,
    Mode,
    PriceDirection,
    ReturnReason,
    WasteCode,
)
from services.listings.models.searches import MOST_KG
from services.listings.recalling import router as recalling
from services.listings.saved_searches.router import saved_searches
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
routers = [listings, *importing.routers, dividing.router, recalling.router, saved_searches]

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
    `organization_not_found` among those invited, `capability_empty`, `operation_unknown` or `operation_needs_permit` of the
    capability that is invited, `campaign_not_found`, `item_key_taken`, `min_quantity_needs_fraction`, or
    `currency_differs` of a price; and while you may begin nothing new: `not_verified`, `organization_suspended`,
    `organization_closed`, `document_missing`, `document_under_review`, `document_expired` (409). What is unknown may be
    left out; `publish` under `blocked_transitions` says what is still missing. Causes `listing.created`, and
    `stop.placed` for recalled goods.
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


def _ask_search(asked: Asked) -> Statement | None:
    """Any search the route would take; what it refuses it says itself."""
    said = _said(asked.query)
    if said is None:
        return None
    wanted, limit, after = said
    return reading.page(wanted, searching.Seeker.of(asked.actor), limit=limit, after=after)


def _tell_found(asked: Asked, rows: Sequence[Any]) -> Told | None:
    said = _said(asked.query)
    assert said is not None, "it was asked"
    return reading.tell_page(said[0], rows)


def _said(query: bytes) -> tuple[searching.Wanted, int, searching.After | None] | None:
    """None for what the route refuses. A cursor that stands at the end as we have written it is read by itself: the rest is the
    same for all pages of a search."""
    rest, given, cursor = query.rpartition(b"&cursor=")
    if not given or not _OURS.fullmatch(cursor):
        return _said_alike(query)
    said = _said_alike(rest)
    if said is None or said[2] is not None:
        return None
    try:
        paging = PageRequest(limit=said[1], cursor=cursor.decode())
        return said[0], said[1], searching.after_of(said[0].sort, key_of(paging))
    except Invalid:
        return None


@lru_cache(maxsize=1_000)
def _said_alike(query: bytes) -> tuple[searching.Wanted, int, searching.After | None] | None:
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    if len(dict(pairs)) < len(pairs) or not all(is_storable(value) for _, value in pairs):
        return None
    try:
        asked = dict(_SearchQuery.model_validate(dict(pairs)))
        if asked["sort"] == "distance" and asked["near"] is None:
            return None
        wanted, paging = _wanted(asked), PageRequest(limit=asked["limit"], cursor=asked["cursor"])
        return wanted, paging.limit, searching.after_of(wanted.sort, key_of(paging))
    except (ValidationError, Invalid):
        return None


@listings.get("/listings/search", summary="Search what is offered")
@by_lane(Shortcut(_ask_search, _tell_found))
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
    condition_floor: Annotated[ConditionGrade | None, Query(description="This condition grade or a better one")] = None,
    disposition_floor: Annotated[Disposition | None, Query(description="The lowest rung the holder accepts")] = None,
    mode: Annotated[Mode | None, Query(description="How it is sold")] = None,
    price_direction: Annotated[PriceDirection | None, Query(description="Who the holder expects to pay")] = None,
    waste_code: Annotated[WasteCode | None, Query(description="The item's waste code")] = None,
    mass_min_kg: Annotated[int | None, Query(ge=0, le=MOST_KG, description="Of the whole listing, at least")] = None,
    mass_max_kg: Annotated[int | None, Query(ge=0, le=MOST_KG, description="Of the whole listing, at most")] = None,
    closes_from: Annotated[AskedInstant | None, Query(description="Bidding ends then or later")] = None,
    closes_until: Annotated[AskedInstant | None, Query(description="Bidding ends then or earlier")] = None,
    text: Annotated[
        str | None,
        Query(min_length=2, max_length=200, description="Whole words of titles and descriptions, in any order"),
    ] = None,
    sort: Annotated[
        searching.Sort, Query(description="Newest first, or what closes first, or what is nearest to `near`")
    ] = "newest",
) -> FoundPage:
    """Published listings that are open to everybody or to you. Material, waste code, return reason and condition must meet
    in one item; `near` with `radius_km` keeps what lies within a circle (422 `place_malformed`), and is required to sort by
    distance (`place_required`). Of a `text` every word must be there; case and accents make no difference.
    """
    wanted = _wanted(locals())
    rows, after = await searching.search(work, wanted, paging, by=actor)
    data = [_found(row, wanted.near) for row in rows]
    return FoundPage(data=data, has_more=after is not None, next_cursor=after)


def _wanted(asked: Mapping[str, Any]) -> searching.Wanted:
    """Of the parameters of a search."""
    grams: dict[str, Any] = {
        f"{which}_g": None if asked[f"mass_{name}_kg"] is None else asked[f"mass_{name}_kg"] * 1_000
        for which, name in (("least", "min"), ("most", "max"))
    }
    near = searching.place(asked["near"]) if asked["near"] is not None else None
    same = {name: asked[name] for name in asked.keys() & searching.Wanted.__dataclass_fields__.keys() - {"near"}}
    return searching.Wanted(**same, **grams, near=near)


_SearchQuery = model_of(search, page_request)
"""What the route takes in its query."""
_OURS = re.compile(rb"[A-Za-z0-9_-]{1,200}")


def _found(listing: Listing, near: searching.Place | None) -> FoundListing:
    found = FoundListing.of(listing)
    found.distance_km = None if near is None else reading.away_km(near, listing)
    return found


@listings.get("/listings/{listing_id}", summary="Read a listing")
@by_lane(Shortcut(reading.detail, reading.tell_detail))
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
    `organization_not_found`, `capability_empty`, `operation_unknown`, `operation_needs_permit`,
    `min_quantity_needs_fraction` as for a new one, and `currency_differs` for a price in another
    currency than the listing's."""
    changed = await drafting.change(work, listing_id, body, by=actor, check_version=matching.matches)
    return await _told(work, changed, actor, answer)


@listings.post("/listings/{listing_id}/items", status_code=201, summary="Add an item to a draft")
async def add_item(
    listing_id: ListingId, body: NewItem, work: Work, actor: Writes, matching: Matching, answer: Response
) -> ListingAnswer:
    """Answers the listing. Refused with `listing_not_draft`, with 409 `item_key_taken` when another item has the key, and as
    invalid: `campaign_not_found`. Causes `stop.placed` for recalled goods."""
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
    Refused with `listing_not_draft`, with 409 `item_key_taken`, and as invalid: `campaign_not_found`. Causes `stop.placed`
    for recalled goods.
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
    (`nobody_invited`), or a capability that picks nobody out (`capability_needs_invited`, `permit_needs_waste_code`,
    `capability_too_wide`); a missing reason, grade or composition (`return_reason_required`, `condition_grade_required`,
    `composition_required`: "unknown" is an answer) or an unknown material (`material_unknown`); goods priced by the tonne
    without a mass (`mass_required`); a waste code that does not hold where and when the goods are offered
    (`code_not_valid` (422)) or that makes them hazardous (`hazard_not_declared`); hazardous goods without waste code,
    hazardous properties, UN number, packaging or, below like_new, photos (`waste_code_required`, `hp_codes_required`,
    `un_number_required`, `un_number_unknown`, `packaging_required`, `photo_required`; for others a notice says that photos
    are missing); a recall without its campaign or a destruction without its reason (`campaign_required`,
    `campaign_needs_recall`, `destruction_not_justified`); an end that is missing or past (`closes_at_required`, `in_the_past`,
    `closes_before_opening`, `hard_cap_needs_timed`, `hard_cap_before_close`, `rule_needs_close`); a price that is
    missing or out of place (`price_required`, `price_needs_instant`, `increment_needs_timed`, `increment_not_positive`,
    `deposit_out_of_range`); an ascending auction for parts (`timed_sold_whole`).
    Refused with `may_not_list`, and while you may begin nothing new: `not_verified`, `organization_suspended`,
    `organization_closed`, `document_missing`, `document_under_review`, `document_expired` (409).
    Refused with `recall_quarantine` where recalled goods are not offered under their campaign. Causes `listing.submitted`,
    `listing.published` and `listing.opened`, the last at `opens_at`; and `stop.placed` for recalled goods.
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
