"""Making a listing and filling it, as long as it is a draft."""

from collections.abc import Iterable, Sequence
from typing import Any

from services.kernel.actors import Actor
from services.kernel.errors import Detail, Invalid, NotFound, invalid
from services.kernel.ids import ItemId, ListingId, OrgId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.listings import facts, policy, pricing, queries, reviewing
from services.listings.admitting import asking
from services.listings.errors import KeyTaken, StatedByManifest
from services.listings.events import ListingCreated
from services.listings.models import (
    DraftItem,
    DraftListing,
    Item,
    ItemChanges,
    Listing,
    ListingChanges,
    ListingTerms,
)
from services.listings.recalling import quarantine
from services.parties import queries as parties
from services.parties import standing
from services.parties.models import Site
from services.parties.policy import must_reach

STATED_BY_ROWS = frozenset({"quantity", "condition_grade", "return_reason"})
"""What an item made of a manifest's rows takes from them; mass, codes and composition only where the rows state them."""


async def draft(work: UnitOfWork, details: DraftListing, *, by: Actor, seller_id: OrgId | None = None) -> Listing:
    """A draft, with or without items. Backhaul's own rules name the seller; everybody else lists for itself.

    Raises MayNotList, Blocked for papers that ran out, and Invalid for a site that is not the seller's, unknown guests, or two
    items of one key."""
    is_remainder = details.origin_remainder_id is not None
    policy.must_be_able_to_list(by, is_remainder=is_remainder)
    must_reach(by, details.site_id)
    if not is_remainder:
        await standing.must_be_good(work, seller_id or by.org, policy.SELLERS, thing="listing", step="create")
    await quarantine.must_be_known(work, (item.recall_campaign_id for item in details.items))
    listing = await _listing(work, details, seller_id or by.org)
    work.add(listing)
    await work.session.flush()
    items = _items(work, listing, details.items)
    work.session.add_all(items)
    facts.sum_up(listing, items)
    told = facts.of(
        ListingCreated,
        listing,
        origin_listing_id=listing.origin_listing_id,
        origin_remainder_id=listing.origin_remainder_id,
    )
    work.emit(told, subject=listing.id, audience={listing.seller_id: "seller"})
    await quarantine.watch(work, listing)
    return listing


async def change(
    work: UnitOfWork,
    listing_id: ListingId,
    changes: ListingChanges,
    *,
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Listing:
    """Raises ListingIsNotADraft, and Invalid as `draft` does."""
    listing = await _draft_of(work, listing_id, by, check_version)
    if "site_id" in changes.model_fields_set:
        assert changes.site_id is not None
        must_reach(by, changes.site_id)
        _move_to(listing, await _site(work, changes.site_id, listing))
    if changes.invited:
        await _must_exist(work, changes.invited)
    pricing.must_be_in(changes.currency or listing.currency, pricing.after(listing, changes))
    for column, value in _stored_terms(changes, changes.model_fields_set).items():
        setattr(listing, column, value)
    _must_be_sold_so(listing)
    listing.version += 1
    return listing


async def add_item(
    work: UnitOfWork,
    listing_id: ListingId,
    details: DraftItem,
    *,
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Item:
    """Raises ListingIsNotADraft and KeyTaken."""
    listing = await _draft_of(work, listing_id, by, check_version)
    await quarantine.must_be_known(work, [details.recall_campaign_id])
    items = await queries.items(work, listing.id)
    position = max((item.position for item in items), default=-1) + 1
    item = _item(work, listing, details, position)
    if item.key in {other.key for other in items}:
        raise KeyTaken(item.key)
    work.add(item)
    _has_changed(listing, [*items, item])
    await quarantine.watch(work, listing)
    return item


async def change_item(
    work: UnitOfWork,
    listing_id: ListingId,
    item_id: ItemId,
    changes: ItemChanges,
    *,
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Item:
    """Raises ListingIsNotADraft, and StatedByManifest for what follows from imported rows."""
    listing = await _draft_of(work, listing_id, by, check_version)
    await quarantine.must_be_known(work, [changes.recall_campaign_id])
    item = await queries.item(work, listing.id, item_id)
    stated = STATED_BY_ROWS & changes.model_fields_set
    if stated and await queries.has_units(work, item.id):
        raise StatedByManifest(sorted(stated))
    for name in changes.model_fields_set:
        setattr(item, *_stored(changes, name))
    if changes.model_fields_set & {"waste_code", "un_number"} and "is_hazardous" not in changes.model_fields_set:
        item.is_hazardous = item.is_hazardous or _follows_hazard(work, listing, item.waste_code, item.un_number)
    _has_changed(listing, await queries.items(work, listing.id))
    await quarantine.watch(work, listing)
    return item


async def remove_item(
    work: UnitOfWork, listing_id: ListingId, item_id: ItemId, *, by: Actor, check_version: CheckVersion = any_version
) -> Listing:
    """With its units, whose external ids are free again. Raises ListingIsNotADraft."""
    listing = await _draft_of(work, listing_id, by, check_version)
    item = await queries.item(work, listing.id, item_id)
    await queries.delete_units(work, [item.id])
    await work.session.delete(item)
    _has_changed(listing, await queries.items(work, listing.id))
    await quarantine.watch(work, listing)
    return listing


async def _draft_of(work: UnitOfWork, listing_id: ListingId, by: Actor, check_version: CheckVersion) -> Listing:
    listing = await queries.visible_listing_for_update(work, listing_id, by)
    policy.must_be_the_seller(by, listing)
    check_version(listing.version)
    policy.must_be_a_draft(listing)
    return listing


async def _listing(work: UnitOfWork, details: DraftListing, seller_id: OrgId) -> Listing:
    if details.invited:
        await _must_exist(work, details.invited)
    pricing.must_be_in(details.currency, {name: getattr(details, name) for name in pricing.PRICES})
    listing = Listing(
        **_stored_terms(details, ListingTerms.model_fields),
        seller_id=seller_id,
        origin_listing_id=details.origin_listing_id,
        origin_remainder_id=details.origin_remainder_id,
        country="",
        latitude=0.0,
        longitude=0.0,
        livemode=work.livemode,
        created_at=work.now,
    )
    _move_to(listing, await _site(work, details.site_id, listing))
    _must_be_sold_so(listing)
    return listing


def _stored_terms(said: ListingTerms | ListingChanges, names: Iterable[str]) -> dict[str, Any]:
    stored = pricing.stored(said, names)
    if "invited_capability" in stored:
        stored["invited_capability"] = asking.stored(said.invited_capability)
    return stored


def _must_be_sold_so(listing: Listing) -> None:
    if listing.min_quantity is not None and listing.lot_rule != "by_fraction":
        raise invalid("/min_quantity", "min_quantity_needs_fraction", "Only what is sold by fraction has one.")


async def _site(work: UnitOfWork, site_id: str, listing: Listing) -> Site:
    """The seller's own; a remainder lies where it was refused."""
    try:
        site = await parties.site(work, site_id)
    except NotFound:
        site = None
    if site is None or (site.org_id != listing.seller_id and listing.origin_remainder_id is None):
        raise invalid("/site_id", "site_not_found", f"You have no site {site_id}.")
    return site


def _move_to(listing: Listing, site: Site) -> None:
    listing.country, listing.latitude, listing.longitude = site.country, site.latitude, site.longitude


async def _must_exist(work: UnitOfWork, invited: Sequence[OrgId]) -> None:
    known = await parties.organizations(work, invited)
    unknown = [
        Detail(f"/invited/{position}", "organization_not_found", f"There is no organization {org_id}.")
        for position, org_id in enumerate(invited)
        if org_id not in known
    ]
    if unknown:
        raise Invalid(*unknown)


def _items(work: UnitOfWork, listing: Listing, drafts: Iterable[DraftItem]) -> list[Item]:
    items: dict[str, Item] = {}
    for position, details in enumerate(drafts):
        item = _item(work, listing, details, position)
        if item.key in items:
            raise invalid(f"/items/{position}/key", "item_key_taken", f"Another item has the key {item.key!r}.")
        items[item.key] = item
    return list(items.values())


def _item(work: UnitOfWork, listing: Listing, details: DraftItem, position: int) -> Item:
    item_id = ItemId.new()
    stored = dict(_stored(details, name) for name in DraftItem.model_fields)
    is_hazardous = details.is_hazardous
    if is_hazardous is None:
        is_hazardous = _follows_hazard(work, listing, details.waste_code, details.un_number)
    return Item(
        **(stored | {"key": details.key or item_id, "is_hazardous": is_hazardous}),
        id=item_id,
        listing_id=listing.id,
        position=position,
        livemode=work.livemode,
        created_at=work.now,
    )


def _stored(details: DraftItem | ItemChanges, name: str) -> tuple[str, Any]:
    """A field as its column: masses in grams, structures as JSON."""
    value = getattr(details, name)
    if name in ("mass", "mass_uncertainty"):
        return f"{name}_g", None if value is None else value.grams
    is_structure = name in ("packaging", "composition", "photos") and value is not None
    return name, details.model_dump(mode="json", include={name})[name] if is_structure else value


def _follows_hazard(work: UnitOfWork, listing: Listing, waste_code: str | None, un_number: str | None) -> bool:
    return reviewing.follows_hazard(waste_code, un_number, listing.country, work.now.date())


def _has_changed(listing: Listing, items: Sequence[Item]) -> None:
    facts.sum_up(listing, items)
    listing.version += 1
