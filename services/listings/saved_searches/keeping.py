"""Keeping a search, changing it and letting it go, and telling what it finds."""

from typing import Any

from services.kernel.actors import Actor
from services.kernel.ids import ListingId, OrgId, SavedSearchId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.listings.admitting.queries import let_in_later
from services.listings.models import Criteria, Listing, NewSearch, SavedSearch
from services.listings.saved_searches import queries
from services.listings.saved_searches.events import SavedSearchMatched
from services.listings.searching import Wanted, place
from services.listings.searching.fitting import fits


def wanted(criteria: Criteria) -> Wanted:
    """Raises Invalid where the place is none."""
    plain = criteria.model_dump(exclude={"near", "mass_min_kg", "mass_max_kg"})
    return Wanted(
        **plain,
        near=place(criteria.near) if criteria.near is not None else None,
        least_g=None if criteria.mass_min_kg is None else criteria.mass_min_kg * 1_000,
        most_g=None if criteria.mass_max_kg is None else criteria.mass_max_kg * 1_000,
    )


async def create(work: UnitOfWork, new: NewSearch, *, by: Actor) -> SavedSearch:
    """Raises Invalid where the place is none."""
    search = SavedSearch(org_id=by.org, name=new.name, **_kept(new), livemode=work.livemode, created_at=work.now)
    work.add(search)
    await work.session.flush()
    return search


async def change(
    work: UnitOfWork, search_id: SavedSearchId, new: NewSearch, *, by: Actor, check_version: CheckVersion = any_version
) -> SavedSearch:
    search = await queries.search_of(work, search_id, by, for_update=True)
    check_version(search.version)
    search.name = new.name
    for name, value in _kept(new).items():
        setattr(search, name, value)
    search.version += 1
    return search


def _kept(new: NewSearch) -> dict[str, Any]:
    wanted(new.criteria)
    told = new.criteria.model_dump(mode="json", exclude_unset=True)
    return {"criteria": told, "material": new.criteria.material, "country": new.criteria.country}


async def remove(
    work: UnitOfWork, search_id: SavedSearchId, *, by: Actor, check_version: CheckVersion = any_version
) -> None:
    search = await queries.search_of(work, search_id, by, for_update=True)
    check_version(search.version)
    await work.session.delete(search)


async def tell_those_who_look(work: UnitOfWork, listing_id: ListingId, org_id: OrgId | None = None) -> None:
    """A published listing's, in the unit of work of its reaction: each search is told once. `org_id`: who was let in just now."""
    listing = await listings.listing(work, listing_id)
    told_apart = await let_in_later(work, listing_id) if org_id is None and listing.admitted else set[str]()
    searches = [one for one in await queries.candidates(work, listing, org_id) if one.org_id not in told_apart]
    if not searches:
        return
    items = await listings.items(work, listing.id)
    for search in searches:
        if fits(wanted(Criteria.model_validate(search.criteria)), listing, items):
            _tell(work, search, listing)


def _tell(work: UnitOfWork, search: SavedSearch, listing: Listing) -> None:
    told = SavedSearchMatched(
        saved_search_id=search.id, org_id=search.org_id, name=search.name, listing_id=listing.id, title=listing.title
    )
    work.emit(told, subject=search.id, audience={search.org_id: "processor"})
