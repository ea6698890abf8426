"""The statements of a landing: narrow columns in portions, because a manifest may touch a hundred thousand units."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

from sqlalchemy import ARRAY, Text, any_, literal, select, update
from sqlmodel import col

from services.kernel.ids import OrgId
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import IMPORTS_UNDER_WAY, Import, Item, Listing, Unit

PORTION = 5_000
"""Rows that are looked up or written at a time."""
_COLUMNS = tuple(
    col(column) for column in (Unit.external_id, Unit.quantity, Unit.serial, Unit.mass_g, Unit.fault, Unit.details)
)


async def seller_of(work: UnitOfWork, import_id: str) -> OrgId:
    query = select(col(Import.seller_id)).where(col(Import.id) == import_id, col(Import.livemode) == work.livemode)
    return (await work.session.execute(query)).scalar_one()


async def unlocked(work: UnitOfWork, import_id: str) -> Any:
    """What a landing needs to know of its import. Not locked, so that its progress can be noted meanwhile."""
    query = select(col(Import.status), col(Import.seller_id), col(Import.listing_id), col(Import.is_trial)).where(
        col(Import.id) == import_id, col(Import.livemode) == work.livemode
    )
    return (await work.session.execute(query)).one()


async def standing(work: UnitOfWork, seller_id: str, external_ids: Collection[str]) -> Sequence[Any]:
    """The seller's units that bear one of these ids, with `listing_id`, `key` and `status` of where they stand."""
    query = (
        select(*_COLUMNS, col(Item.listing_id), col(Item.key), col(Listing.status))
        .join(Item, col(Item.id) == col(Unit.item_id))
        .join(Listing, col(Listing.id) == col(Item.listing_id))
        .where(
            col(Unit.seller_id) == seller_id,
            col(Unit.livemode) == work.livemode,
            col(Unit.external_id) == any_(literal(list(external_ids), ARRAY(Text))),
        )
    )
    return (await work.session.execute(query)).all()


async def places(work: UnitOfWork, listing_ids: Collection[str]) -> Sequence[Any]:
    """(id, listing_id, key, position) of every item of these listings."""
    query = select(col(Item.id), col(Item.listing_id), col(Item.key), col(Item.position)).where(
        col(Item.listing_id).in_(listing_ids), col(Item.livemode) == work.livemode
    )
    return (await work.session.execute(query)).all()


async def units_of(work: UnitOfWork, item_ids: Collection[str]) -> AsyncIterator[Any]:
    """A unit's columns and `item_id`, in the order of the external ids, a portion at a time."""
    query = (
        select(*_COLUMNS, col(Unit.item_id))
        .where(col(Unit.item_id) == any_(literal(list(item_ids), ARRAY(Text))), col(Unit.livemode) == work.livemode)
        .order_by(col(Unit.external_id))
    )
    found = await work.session.stream(query, execution_options={"yield_per": PORTION})
    async for row in found:
        yield row


async def items(work: UnitOfWork, item_ids: Collection[str]) -> Sequence[Item]:
    query = select(Item).where(col(Item.id).in_(item_ids), col(Item.livemode) == work.livemode)
    return (await work.session.execute(query.execution_options(populate_existing=True))).scalars().all()


async def masses(work: UnitOfWork, listing_id: str) -> Sequence[Any]:
    """(mass_g, composition) of every item of the listing."""
    query = select(col(Item.mass_g), col(Item.composition)).where(
        col(Item.listing_id) == listing_id, col(Item.livemode) == work.livemode
    )
    return (await work.session.execute(query)).all()


async def note(work: UnitOfWork, import_id: str, **counts: int) -> None:
    """How far the reading of a manifest is, unless it has ended."""
    statement = update(Import).where(
        col(Import.id) == import_id, col(Import.livemode) == work.livemode, col(Import.status).in_(IMPORTS_UNDER_WAY)
    )
    await work.session.execute(
        statement.values(version=col(Import.version) + 1, **counts).execution_options(synchronize_session=False)
    )
