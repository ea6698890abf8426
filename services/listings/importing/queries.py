"""The statements of a landing: narrow columns in portions, because a manifest may touch a hundred thousand units. And those of the
mappings that are kept."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Integer, Select, Text, any_, cast, func, literal, select, true, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.ids import ImportProfileId, ItemId, OrgId
from services.kernel.unit_of_work import UnitOfWork
from services.listings.errors import ProfileNotFound
from services.listings.models import IMPORTS_UNDER_WAY, Import, ImportProfile, Item, Listing, Unit

PORTION = 2_000
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


async def units_named(work: UnitOfWork, seller_id: str, external_ids: Collection[str]) -> Sequence[Any]:
    """Those of the seller's units that bear one of these ids, with `item_id`."""
    query = _named(work, seller_id, external_ids, *_COLUMNS, col(Unit.item_id))
    return list((await work.session.execute(query)).all())


async def items_named(work: UnitOfWork, seller_id: str, external_ids: Collection[str]) -> set[ItemId]:
    """The items in which these units stand."""
    return set((await work.session.execute(_named(work, seller_id, external_ids, col(Unit.item_id)))).scalars())


def _named(work: UnitOfWork, seller_id: str, external_ids: Collection[str], *columns: Any) -> Select[Any]:
    """Each id is looked up by the primary key, whatever the planner thinks of a table that nobody has analysed yet."""
    named = func.unnest(literal(list(external_ids), ARRAY(Text))).table_valued("external_id").render_derived("named")
    unit = (
        select(*columns)
        .where(
            col(Unit.seller_id) == seller_id,
            col(Unit.livemode) == work.livemode,
            col(Unit.external_id) == named.c.external_id,
        )
        .limit(1)
        .lateral()
    )
    return select(unit).select_from(named).join(unit, true())


async def places_of(work: UnitOfWork, item_ids: Collection[str]) -> Sequence[Any]:
    """(id, listing_id, key) of these items."""
    query = select(col(Item.id), col(Item.listing_id), col(Item.key)).where(
        col(Item.id) == any_(literal(list(item_ids), ARRAY(Text))), col(Item.livemode) == work.livemode
    )
    return (await work.session.execute(query)).all()


async def statuses(work: UnitOfWork, listing_ids: Collection[str]) -> dict[str, str]:
    query = select(col(Listing.id), col(Listing.status)).where(
        col(Listing.id).in_(listing_ids), col(Listing.livemode) == work.livemode
    )
    return {row.id: row.status for row in (await work.session.execute(query)).all()}


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
    async for portion in found.partitions():
        for row in portion:
            yield row


CONTENT: dict[str, Any] = {
    "external_id": Text,
    "item_id": Text,
    "quantity": Integer,
    "serial": Text,
    "mass_g": BigInteger,
    "fault": Text,
    "details": Text,
}
"""What a unit takes from its row, with the type it is sent in."""


async def upsert_units(work: UnitOfWork, seller_id: str, units: Sequence[dict[str, Any]]) -> None:
    """By the seller's external id, in one statement; each unit brings `CONTENT`, its `details` as JSON."""
    columns = [literal([unit[name] for unit in units], ARRAY(kind)) for name, kind in CONTENT.items()]
    sent = func.unnest(*columns).table_valued(*CONTENT).render_derived("sent")
    told = [cast(sent.c[name], JSONB) if name == "details" else sent.c[name] for name in CONTENT]
    constants = (literal(seller_id), literal(work.livemode), literal(work.now))
    statement = insert(Unit).from_select(
        ["seller_id", "livemode", "created_at", *CONTENT], select(*constants, *told), include_defaults=False
    )
    statement = statement.on_conflict_do_update(
        index_elements=["seller_id", "livemode", "external_id"],
        set_={name: statement.excluded[name] for name in CONTENT if name != "external_id"},
    )
    await work.session.execute(statement)


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


def profiles_visible_to(actor: Actor) -> Select[ImportProfile]:
    here = select(ImportProfile).where(col(ImportProfile.livemode) == actor.livemode)
    return here if actor.is_operator else here.where(col(ImportProfile.org_id) == actor.org_id)


async def visible_profile(work: UnitOfWork, profile_id: ImportProfileId, actor: Actor) -> ImportProfile:
    return await _profile(work, profiles_visible_to(actor), profile_id)


async def profile_for_update(work: UnitOfWork, profile_id: ImportProfileId, actor: Actor) -> ImportProfile:
    return await _profile(work, profiles_visible_to(actor).with_for_update(), profile_id)


async def _profile(work: UnitOfWork, query: Select[ImportProfile], profile_id: ImportProfileId) -> ImportProfile:
    row = (await work.session.execute(query.where(col(ImportProfile.id) == profile_id))).scalar_one_or_none()
    if row is None:
        raise ProfileNotFound(profile_id)
    return row


async def profile_named(work: UnitOfWork, name: str, actor: Actor) -> ImportProfile | None:
    """Of the actor's own."""
    own = profiles_visible_to(actor).where(col(ImportProfile.name) == name, col(ImportProfile.org_id) == actor.org_id)
    return (await work.session.execute(own)).scalar_one_or_none()


async def is_profile_name_taken(work: UnitOfWork, name: str, org_id: OrgId) -> bool:
    query = select(col(ImportProfile.id)).where(
        col(ImportProfile.org_id) == org_id,
        col(ImportProfile.livemode) == work.livemode,
        col(ImportProfile.name) == name,
    )
    return (await work.session.execute(query)).first() is not None
