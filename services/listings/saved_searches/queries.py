"""Every SELECT of saved searches."""

from collections.abc import Sequence

from sqlalchemy import Select, or_, select
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.errors import NotFound
from services.kernel.ids import SavedSearchId
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import Listing, SavedSearch


def searches_of(actor: Actor) -> Select[SavedSearch]:
    return select(SavedSearch).where(
        col(SavedSearch.livemode) == actor.livemode, col(SavedSearch.org_id) == actor.org_id
    )


async def search_of(
    work: UnitOfWork, search_id: SavedSearchId, actor: Actor, *, for_update: bool = False
) -> SavedSearch:
    """NotFound for everybody else."""
    query = searches_of(actor).where(col(SavedSearch.id) == search_id)
    if for_update:
        query = query.with_for_update().execution_options(populate_existing=True)
    row = (await work.session.execute(query)).scalar_one_or_none()
    if row is None:
        raise NotFound("saved search", search_id)
    return row


async def candidates(work: UnitOfWork, listing: Listing, org_id: str | None = None) -> Sequence[SavedSearch]:
    """Those that ask for one of its materials or none, where it lies or anywhere, of whoever may see it and does not sell it;
    of `org_id` alone if it is named."""
    materials = [one["material"] for one in listing.materials]
    query = select(SavedSearch).where(
        col(SavedSearch.livemode) == listing.livemode,
        or_(col(SavedSearch.material).is_(None), col(SavedSearch.material).in_(materials)),
        or_(col(SavedSearch.country).is_(None), col(SavedSearch.country) == listing.country),
        col(SavedSearch.org_id) != listing.seller_id,
    )
    if listing.visibility != "public":
        query = query.where(col(SavedSearch.org_id).in_(listing.guests if org_id is None else [org_id]))
    return (await work.session.execute(query.order_by(col(SavedSearch.id)))).scalars().all()
