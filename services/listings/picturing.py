"""Pictures of an item: sent while its listing is a draft, shown to whoever may see the listing."""

from services.kernel import objects
from services.kernel.actors import Actor
from services.kernel.errors import NotFound
from services.kernel.ids import ItemId, ListingId
from services.kernel.objects import ObjectStore, StoredFile
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.listings import policy, queries
from services.listings.errors import TooManyPhotos
from services.listings.models import Listing

PICTURES = ("image/jpeg", "image/png", "image/webp")
MOST_PHOTOS = 50


async def add(
    work: UnitOfWork,
    listing_id: ListingId,
    item_id: ItemId,
    content: bytes,
    *,
    name: str,
    store: ObjectStore,
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Listing:
    """The same picture twice is one. Raises ListingIsNotADraft, TooManyPhotos, and what `objects.keep` raises; what is no picture
    is refused before anything is asked of the listing."""
    objects.sniff(content, PICTURES)
    listing = await queries.visible_listing_for_update(work, listing_id, by)
    policy.must_be_the_seller(by, listing)
    check_version(listing.version)
    policy.must_be_a_draft(listing)
    item = await queries.item(work, listing.id, item_id)
    stored = await objects.keep(work, store, content, name=name, org_id=listing.seller_id, allowed=PICTURES)
    others = [photo for photo in item.photos if photo["sha256"] != stored.sha256]
    if len(others) >= MOST_PHOTOS:
        raise TooManyPhotos(MOST_PHOTOS)
    item.photos = [*others, {"sha256": stored.sha256, "name": name, "url": None}]
    listing.version += 1
    return listing


async def find(work: UnitOfWork, listing_id: ListingId, item_id: ItemId, sha256: str, *, by: Actor) -> StoredFile:
    """A picture that the seller has sent and that the item names. NotFound for whoever may not see the listing."""
    listing = await queries.visible_listing(work, listing_id, by)
    item = await queries.item(work, listing.id, item_id)
    async with work.as_house():
        stored = await queries.stored_picture(work, listing.seller_id, sha256, PICTURES)
    if stored is None or sha256 not in {photo["sha256"] for photo in item.photos}:
        raise NotFound("photo", sha256)
    return stored
