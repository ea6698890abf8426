"""Every SELECT of listings. Locks are taken listings first, in the order of their ids, then units."""

from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    any_,
    delete,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.errors import NotFound
from services.kernel.ids import ImportId, ItemId, ListingId
from services.kernel.objects import StoredFile
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import IMPORTS_UNDER_WAY, Import, Item, Lineage, Listing, Unit
from services.parties.policy import within_its_sites

T = TypeVar("T")


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The seller sees everything of its own; others what was published, to all or to them."""
    if actor.is_operator:
        return true()
    if actor.org_id is None:
        return false()
    is_guest = literal(str(actor.org_id)) == any_(func.array_cat(col(Listing.invited), col(Listing.admitted)))
    is_offered = or_(col(Listing.visibility) == "public", is_guest)
    is_mine = and_(col(Listing.seller_id) == actor.org_id, *within_its_sites(actor, col(Listing.site_id)))
    return or_(is_mine, and_(col(Listing.published_at).is_not(None), is_offered, *_of_others(actor)))


def _of_others(actor: Actor) -> list[ColumnElement[bool]]:
    """What a delegate limited to sites finds on the market is not the rest of the seller's own."""
    return [] if actor.site_ids is None else [col(Listing.seller_id) != actor.org_id]


def listings_visible_to(actor: Actor) -> Select[Listing]:
    return select(Listing).where(col(Listing.livemode) == actor.livemode, visible_to(actor))


def published(actor: Actor) -> Select[Listing]:
    """What the market shows the actor: its own included once it is published."""
    return listings_visible_to(actor).where(col(Listing.published_at).is_not(None))


async def visible_listing(work: UnitOfWork, listing_id: ListingId, actor: Actor) -> Listing:
    """NotFound for whoever may not see it."""
    query = listings_visible_to(actor).where(col(Listing.id) == listing_id)
    return _found((await work.session.execute(query)).scalar_one_or_none(), listing_id)


async def visible_listings(work: UnitOfWork, ids: Collection[str], actor: Actor) -> Sequence[Listing]:
    """Those of them that the actor may see."""
    return (await work.session.execute(listings_visible_to(actor).where(col(Listing.id).in_(ids)))).scalars().all()


async def visible_listing_for_update(work: UnitOfWork, listing_id: ListingId, actor: Actor) -> Listing:
    query = listings_visible_to(actor).where(col(Listing.id) == listing_id)
    return _found((await work.session.execute(_locked(query))).scalar_one_or_none(), listing_id)


async def listing(work: UnitOfWork, listing_id: str) -> Listing:
    """For verbs of other contexts: nobody's view in particular."""
    query = _listings(work).where(col(Listing.id) == listing_id)
    return _found((await work.session.execute(query)).scalar_one_or_none(), listing_id)


async def listing_for_update(work: UnitOfWork, listing_id: str) -> Listing:
    query = _listings(work).where(col(Listing.id) == listing_id)
    return _found((await work.session.execute(_locked(query))).scalar_one_or_none(), listing_id)


async def listings(work: UnitOfWork, ids: Collection[str]) -> dict[str, Listing]:
    """By id; ids that are not here are left out."""
    query = _listings(work).where(col(Listing.id).in_(set(ids)))
    return {row.id: row for row in (await work.session.execute(query)).scalars()}


async def hold(work: UnitOfWork, listing_id: str) -> None:
    """Until this unit of work ends nobody moves or divides the listing; many may hold it."""
    query = select(col(Listing.id)).where(col(Listing.id) == listing_id).with_for_update(key_share=True, read=True)
    await work.session.execute(query)


async def listings_for_update(work: UnitOfWork, ids: Collection[str]) -> dict[str, Listing]:
    """Locked in the order of their ids, so that two imports lock alike."""
    query = _listings(work).where(col(Listing.id).in_(set(ids))).order_by(col(Listing.id))
    return {row.id: row for row in (await work.session.execute(_locked(query))).scalars()}


async def items(work: UnitOfWork, listing_id: str) -> list[Item]:
    """In the order in which the seller put them."""
    query = select(Item).where(col(Item.listing_id) == listing_id, col(Item.livemode) == work.livemode)
    ordered = query.order_by(col(Item.position), col(Item.id)).execution_options(populate_existing=True)
    return list((await work.session.execute(ordered)).scalars())


async def item(work: UnitOfWork, listing_id: ListingId, item_id: ItemId) -> Item:
    query = select(Item).where(
        col(Item.id) == item_id, col(Item.listing_id) == listing_id, col(Item.livemode) == work.livemode
    )
    row = (await work.session.execute(query)).scalar_one_or_none()
    if row is None:
        raise NotFound("item", item_id)
    return row


async def stored_picture(
    work: UnitOfWork, seller_id: str, sha256: str, media_types: Collection[str]
) -> StoredFile | None:
    """The seller's file of this content; the first of several alike."""
    query = select(StoredFile).where(
        col(StoredFile.org_id) == seller_id,
        col(StoredFile.livemode) == work.livemode,
        col(StoredFile.sha256) == sha256,
        col(StoredFile.media_type).in_(media_types),
    )
    return (await work.session.execute(query.order_by(col(StoredFile.id)).limit(1))).scalar_one_or_none()


async def has_units(work: UnitOfWork, item_id: ItemId) -> bool:
    query = select(col(Unit.external_id)).where(col(Unit.item_id) == item_id).limit(1)
    return (await work.session.execute(query)).first() is not None


async def items_with_units(work: UnitOfWork, listing_id: str) -> frozenset[str]:
    """Those of the listing's items that are made of a manifest's rows."""
    query = select(col(Item.id)).where(
        col(Item.listing_id) == listing_id, select(col(Unit.item_id)).where(col(Unit.item_id) == col(Item.id)).exists()
    )
    return frozenset((await work.session.execute(query)).scalars())


async def delete_units(work: UnitOfWork, item_ids: Collection[str]) -> None:
    await work.session.execute(delete(Unit).where(col(Unit.item_id).in_(item_ids)))


async def units(work: UnitOfWork, item_ids: Collection[str]) -> Sequence[Unit]:
    """Of these items, in the order of their external ids."""
    query = select(Unit).where(col(Unit.item_id).in_(item_ids), col(Unit.livemode) == work.livemode)
    return (await work.session.execute(query.order_by(col(Unit.external_id)))).scalars().all()


async def lineage(work: UnitOfWork, listing_id: str) -> Sequence[Lineage]:
    """What went into the listing and out of it, in the order in which it did."""
    query = select(Lineage).where(
        or_(col(Lineage.from_listing_id) == listing_id, col(Lineage.to_listing_id) == listing_id),
        col(Lineage.livemode) == work.livemode,
    )
    return (await work.session.execute(query.order_by(col(Lineage.id)))).scalars().all()


async def move_units(
    work: UnitOfWork, item_id: ItemId, to: ItemId, external_ids: Collection[str] | None = None
) -> None:
    """All of an item's units into another, or those of these ids."""
    query = update(Unit).where(col(Unit.item_id) == item_id, col(Unit.livemode) == work.livemode)
    if external_ids is not None:
        query = query.where(col(Unit.external_id).in_(external_ids))
    await work.session.execute(query.values(item_id=to))


_LIGHT = (defer(Import.content, raiseload=True), defer(Import.refused_file, raiseload=True))  # type: ignore[arg-type]


def imports_visible_to(actor: Actor) -> Select[Import]:
    """Without the files themselves."""
    here = select(Import).where(col(Import.livemode) == actor.livemode).options(*_LIGHT)
    return here if actor.is_operator else here.where(col(Import.seller_id) == actor.org_id)


async def visible_import(work: UnitOfWork, import_id: ImportId, actor: Actor) -> Import:
    query = imports_visible_to(actor).where(col(Import.id) == import_id)
    row = (await work.session.execute(query)).scalar_one_or_none()
    if row is None:
        raise NotFound("import", import_id)
    return row


async def one_import_of_a_seller_at_a_time(work: UnitOfWork, seller_id: str) -> None:
    """Two files may name the same external ids; their readings queue."""
    await work.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('listings.import'), hashtext(:seller))"), {"seller": seller_id}
    )


async def import_for_update(work: UnitOfWork, import_id: ImportId) -> Import:
    """Without the files themselves."""
    query = select(Import).where(col(Import.id) == import_id, col(Import.livemode) == work.livemode).options(*_LIGHT)
    return (await work.session.execute(_locked(query))).scalar_one()


async def waiting_import(session: AsyncSession, import_id: ImportId) -> bool | None:
    """The livemode of an import that nobody has read to the end; None for any other."""
    query = select(col(Import.livemode)).where(col(Import.id) == import_id, col(Import.status).in_(IMPORTS_UNDER_WAY))
    return (await session.execute(query)).scalar_one_or_none()


async def manifest(work: UnitOfWork, import_id: ImportId) -> tuple[bytes, dict[str, Any]]:
    """(content, mapping) of an import."""
    query = select(col(Import.content), col(Import.mapping)).where(
        col(Import.id) == import_id, col(Import.livemode) == work.livemode
    )
    row = (await work.session.execute(query)).one()
    return row[0], row[1]


async def refused_file(work: UnitOfWork, import_id: ImportId) -> bytes | None:
    query = select(col(Import.refused_file)).where(col(Import.id) == import_id, col(Import.livemode) == work.livemode)
    return (await work.session.execute(query)).scalar_one_or_none()


def _listings(work: UnitOfWork) -> Select[Listing]:
    return select(Listing).where(col(Listing.livemode) == work.livemode)


def _locked(query: Select[T]) -> Select[T]:
    return query.with_for_update().execution_options(populate_existing=True)


def _found(row: Listing | None, listing_id: str) -> Listing:
    if row is None:
        raise NotFound("listing", listing_id)
    return row
