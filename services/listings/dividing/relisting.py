"""What nobody has won of a listing sold in parts becomes a draft of its own."""

from services.kernel.states import Moved
from services.kernel.unit_of_work import UnitOfWork
from services.listings import facts, queries
from services.listings.dividing.items import copy_of, descent, keep, stock_of, told
from services.listings.dividing.splitting import begin, draft_like
from services.listings.events import ListingRemainderRelisted
from services.listings.models import Item, Lineage, Listing
from services.listings.recalling import quarantine


async def relist(work: UnitOfWork, listing: Listing, moved: Moved) -> Listing:
    """The draft, without the clock of its origin. The listing is locked and moved by the caller."""
    draft = await draft_like(work, listing)
    draft.opens_at = draft.closes_at = draft.hard_cap_at = None
    free = [item for item in await queries.items(work, listing.id) if stock_of(item).free]
    rows = [await _move_rest(work, listing, draft, item) for item in free]
    await begin(work, draft)
    event = facts.of(ListingRemainderRelisted, listing, into_listing_id=draft.id, moved=told(rows))
    work.emit(event, subject=listing.id, audience=facts.audience(listing), moved=moved)
    await quarantine.watch(work, listing)
    return draft


async def _move_rest(work: UnitOfWork, listing: Listing, draft: Listing, item: Item) -> Lineage:
    stock, rest = stock_of(item).relist()
    is_all = rest == stock.whole
    keep(item, stock)
    again = copy_of(work, item, rest, draft.id)
    work.add(again)
    await quarantine.follow(work, item, again)
    if is_all:
        await queries.move_units(work, item.id, again.id)
    return descent(work, "relist", listing, item.id, draft, again, rest)
