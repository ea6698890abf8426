"""Some of a listing's goods become a draft of their own, and a draft's goods go into another."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.kernel.actors import Actor
from services.kernel.errors import Detail, Invalid, invalid
from services.kernel.ids import ItemId, ListingId
from services.kernel.states import move
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.listings import facts, policy, pricing, queries
from services.listings.dividing import live_bids
from services.listings.dividing.goods import CannotDivide, Goods
from services.listings.dividing.items import (
    are_of_one_kind,
    copy_of,
    descent,
    keep,
    stock_of,
    told,
    weighed,
    whole_units,
)
from services.listings.errors import GoodsNotDivisible
from services.listings.events import ListingCreated, ListingMerged, ListingSplit
from services.listings.models import LISTING, Item, Lineage, Listing, ListingFacts, ListingTerms
from services.listings.recalling import quarantine
from services.listings.searching import offering


@dataclass(frozen=True)
class Taking:
    """What leaves an item: all of it, a quantity, or the units of these external ids."""

    item_id: ItemId
    quantity: int | None = None
    external_ids: tuple[str, ...] = ()


async def split(
    work: UnitOfWork,
    listing_id: ListingId,
    takings: Sequence[Taking],
    *,
    by: Actor,
    title: str | None = None,
    reason: str | None = None,
    check_version: CheckVersion = any_version,
) -> Listing:
    """The new draft: at the same terms, with the goods taken. Something stays behind.

    Raises Blocked (`has_live_bids`, `bids_are_sealed`, `remainder_stays_whole`), GoodsNotDivisible, UnitsMoveWhole, and
    Invalid with a pointer."""
    listing = await queries.visible_listing_for_update(work, listing_id, by)
    policy.must_be_the_seller(by, listing)
    is_bid_for = listing.status == "open" and await live_bids.are_there(work, listing_id)
    check_version(listing.version)
    moved = move(LISTING, listing, "split", by="seller", facts=ListingFacts(has_live_bids=is_bid_for))
    items = await queries.items(work, listing.id)
    _must_be_of(takings, items)
    draft = await draft_like(work, listing, title)
    rows = [await _take(work, listing, draft, items, taking, reason) for taking in takings]
    await _sum_up(work, listing)
    if not listing.item_count:
        raise GoodsNotDivisible("Nothing would be left in the listing.")
    await begin(work, draft)
    event = facts.of(ListingSplit, listing, into_listing_id=draft.id, moved=told(rows))
    work.emit(event, subject=listing.id, audience=_who_knows(listing), moved=moved)
    await quarantine.watch(work, listing)
    return draft


def _must_be_of(takings: Sequence[Taking], items: Sequence[Item]) -> None:
    known = {item.id for item in items}
    wrong = [
        Detail(
            f"/items/{place}/item_id", "item_not_found", f"The listing has no item {taking.item_id} left to take from."
        )
        for place, taking in enumerate(takings)
        if taking.item_id not in known or taking.item_id in {other.item_id for other in takings[:place]}
    ]
    if wrong:
        raise Invalid(*wrong)


async def draft_like(work: UnitOfWork, listing: Listing, title: str | None = None) -> Listing:
    """An empty draft at the listing's terms that names it as its origin."""
    terms = pricing.stored(listing, ListingTerms.model_fields)
    draft = Listing(
        **(terms | {"title": title or listing.title}),
        seller_id=listing.seller_id,
        origin_listing_id=listing.id,
        country=listing.country,
        latitude=listing.latitude,
        longitude=listing.longitude,
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(draft)
    await work.session.flush()
    return draft


async def _take(
    work: UnitOfWork, listing: Listing, draft: Listing, items: Sequence[Item], taking: Taking, reason: str | None
) -> Lineage:
    item = next(one for one in items if one.id == taking.item_id)
    if taking.quantity in (None, item.quantity) and not taking.external_ids:
        item.listing_id = draft.id
        return descent(work, "split", listing, item.id, draft, item, stock_of(item).whole, reason=reason)
    try:
        part, goods = await _part(work, draft, item, taking)
    except CannotDivide as impossible:
        raise GoodsNotDivisible(f"{item.title}: {impossible}.") from impossible
    return descent(work, "split", listing, item.id, draft, part, goods, reason=reason)


async def _part(work: UnitOfWork, draft: Listing, item: Item, taking: Taking) -> tuple[Item, Goods]:
    units = await queries.units(work, [item.id])
    _must_have({unit.external_id for unit in units}, taking)
    named = sum(unit.quantity for unit in units if unit.external_id in taking.external_ids)
    quantity = named if taking.quantity is None else taking.quantity
    chosen = whole_units(units, quantity, taking.external_ids) if units else []
    rest, goods = stock_of(item).split(quantity, weighing=weighed(item, units, chosen) if units else None)
    if not rest.whole:
        raise CannotDivide("all of it is a whole item; take that")
    keep(item, rest)
    part = copy_of(work, item, goods, draft.id)
    work.add(part)
    await quarantine.follow(work, item, part)
    if chosen:
        await queries.move_units(work, item.id, part.id, [unit.external_id for unit in chosen])
    return part, goods


def _must_have(external_ids: set[str], taking: Taking) -> None:
    for name in taking.external_ids:
        if name not in external_ids:
            raise invalid("/items", "unit_not_found", f"The item {taking.item_id} has no unit {name!r}.")


async def _sum_up(work: UnitOfWork, listing: Listing) -> None:
    """And what the listing is found by, once others may find it."""
    await work.session.flush()
    facts.sum_up(listing, await queries.items(work, listing.id))
    if listing.published_at is not None:
        await offering.put(work, listing)


async def begin(work: UnitOfWork, draft: Listing) -> None:
    """Sums up the new draft and tells of it."""
    await _sum_up(work, draft)
    event = facts.of(
        ListingCreated, draft, origin_listing_id=draft.origin_listing_id, origin_remainder_id=draft.origin_remainder_id
    )
    work.emit(event, subject=draft.id, audience={draft.seller_id: "seller"})
    await quarantine.watch(work, draft)


def _who_knows(listing: Listing) -> dict[str, str]:
    return facts.audience(listing) if listing.published_at is not None else {str(listing.seller_id): "seller"}


async def merge(
    work: UnitOfWork,
    listing_id: ListingId,
    *,
    into: ListingId,
    by: Actor,
    reason: str | None = None,
    check_version: CheckVersion = any_version,
) -> Listing:
    """The draft that has it all now; the other is withdrawn. Items of one key that nothing else tells apart are joined.

    Raises TransitionNotPossible or ListingIsNotADraft where one is no draft, and Invalid (`sites_differ`, `same_listing`)."""
    for one in (listing_id, into):
        policy.must_be_the_seller(by, await queries.visible_listing(work, one, by))
    if listing_id == into:
        raise invalid("/into_listing_id", "same_listing", "A draft is merged into another one.")
    both = await queries.listings_for_update(work, {listing_id, into})
    source, target = both[listing_id], both[into]
    check_version(source.version)
    moved = move(LISTING, source, "merge", by="seller", facts=ListingFacts())
    policy.must_be_a_draft(target)
    if source.site_id != target.site_id:
        raise invalid("/into_listing_id", "sites_differ", "Goods are merged where they lie.")
    rows = await _pour(work, source, target, reason)
    await _sum_up(work, target)
    target.version += 1
    event = facts.of(ListingMerged, source, into_listing_id=target.id, moved=told(rows))
    work.emit(event, subject=source.id, audience={source.seller_id: "seller"}, moved=moved)
    await _sum_up(work, source)
    await quarantine.watch(work, target)
    return target


async def _pour(work: UnitOfWork, source: Listing, target: Listing, reason: str | None) -> list[Lineage]:
    there = {item.key: item for item in await queries.items(work, target.id)}
    last = max((item.position for item in there.values()), default=-1)
    rows = []
    for item in await queries.items(work, source.id):
        goods = stock_of(item).whole
        known = there.get(item.key)
        if known is not None and are_of_one_kind(known, item):
            rows.append(descent(work, "merge", source, item.id, target, known, goods, reason=reason))
            await _join(work, known, item)
            continue
        last += 1
        item.listing_id, item.position = target.id, last
        item.key = item.id if known is not None else item.key
        rows.append(descent(work, "merge", source, item.id, target, item, goods, reason=reason))
    return rows


async def _join(work: UnitOfWork, known: Item, item: Item) -> None:
    keep(known, stock_of(known).merge(stock_of(item).whole))
    await quarantine.join(work, item, known)
    await queries.move_units(work, item.id, known.id)
    await work.session.delete(item)
    await work.session.flush()
