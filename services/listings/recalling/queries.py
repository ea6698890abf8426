"""Every SELECT of recalls: campaigns, stops, and the goods a predicate may mean."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.errors import NotFound
from services.kernel.ids import CampaignId
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import Item, Listing, RecallCampaign, Stop, Unit
from services.listings.recalling.predicates import Predicate, words_of

Goods = tuple[Item, Listing, Unit | None]
"""A unit where it stands, or an item without units."""


def campaigns_visible_to(actor: Actor) -> Select[RecallCampaign]:
    """The manufacturer's own, and those under which goods of the actor are stopped."""
    here = select(RecallCampaign).where(col(RecallCampaign.livemode) == actor.livemode)
    if actor.is_operator:
        return here
    of_mine = select(col(Stop.campaign_id)).where(col(Stop.seller_id) == actor.org_id)
    return here.where(or_(col(RecallCampaign.manufacturer_id) == actor.org_id, col(RecallCampaign.id).in_(of_mine)))


async def visible_campaign(work: UnitOfWork, campaign_id: CampaignId, actor: Actor) -> RecallCampaign:
    return _found(
        await _one(work, campaigns_visible_to(actor).where(col(RecallCampaign.id) == campaign_id)), campaign_id
    )


async def visible_campaign_for_update(work: UnitOfWork, campaign_id: CampaignId, actor: Actor) -> RecallCampaign:
    query = campaigns_visible_to(actor).where(col(RecallCampaign.id) == campaign_id)
    locked = query.with_for_update().execution_options(populate_existing=True)
    return _found(await _one(work, locked), campaign_id)


async def _one(work: UnitOfWork, query: Select[Any]) -> Any:
    return (await work.session.execute(query)).scalar_one_or_none()


def _found(row: RecallCampaign | None, campaign_id: str) -> RecallCampaign:
    if row is None:
        raise NotFound("recall campaign", campaign_id)
    return row


async def campaigns(work: UnitOfWork, ids: Collection[str]) -> dict[str, RecallCampaign]:
    """By id; ids that are not here are left out."""
    query = select(RecallCampaign).where(
        col(RecallCampaign.id).in_(set(ids)), col(RecallCampaign.livemode) == work.livemode
    )
    return {row.id: row for row in (await work.session.execute(query)).scalars()}


async def open_campaigns(work: UnitOfWork) -> Sequence[RecallCampaign]:
    query = select(RecallCampaign).where(
        col(RecallCampaign.status) == "open", col(RecallCampaign.livemode) == work.livemode
    )
    return (await work.session.execute(query.order_by(col(RecallCampaign.id)))).scalars().all()


def stops_visible_to(actor: Actor, campaign_id: CampaignId) -> Select[Stop]:
    is_theirs = or_(col(Stop.manufacturer_id) == actor.org_id, col(Stop.seller_id) == actor.org_id)
    return select(Stop).where(
        col(Stop.campaign_id) == campaign_id,
        col(Stop.livemode) == actor.livemode,
        true() if actor.is_operator else is_theirs,
    )


async def candidates(work: UnitOfWork, predicate: Predicate, *, listing_id: str | None = None) -> list[Goods]:
    """All goods that the predicate may mean, whoever's, or those in one listing; what is fulfilled has gone. More than it means,
    never less: `predicates.matched_on` judges."""
    here = col(Listing.status) != "fulfilled" if listing_id is None else col(Listing.id) == listing_id
    return await _goods(work, here, or_(*_of_units(predicate), *_of_titles(predicate), *_of_items(predicate)))


def _plainly(written: Any) -> Any:
    return func.lower(func.btrim(written))


def _of_units(predicate: Predicate) -> Iterator[ColumnElement[bool]]:
    details = col(Unit.details)
    named = {"mpn": predicate.mpns, "model": predicate.mpns, "batch": predicate.batches, "lot": predicate.batches}
    for detail, values in named.items():
        if values:
            yield _plainly(details[detail].astext).in_({value.casefold() for value in values})
    if predicate.gtins:
        yield func.ltrim(details["gtin"].astext, "0").in_({gtin.lstrip("0") for gtin in predicate.gtins})
    if predicate.serials:
        yield _plainly(col(Unit.serial)).in_({serial.casefold() for serial in predicate.serials})
    for one in predicate.serial_ranges:
        yield _plainly(col(Unit.serial)).startswith(one.prefix, autoescape=True)


def _of_titles(predicate: Predicate) -> Iterator[ColumnElement[bool]]:
    if predicate.title_words:
        title = col(Item.title).concat(" ").concat(func.coalesce(col(Unit.details)["description"].astext, ""))
        yield and_(*(title.icontains(word, autoescape=True) for word in sorted(words_of(*predicate.title_words))))


def _of_items(predicate: Predicate) -> Iterator[ColumnElement[bool]]:
    """Where items say such things themselves."""
    for name, values in {"mpn": predicate.mpns, "batch": predicate.batches}.items():
        if values and name in Item.model_fields:
            yield _plainly(getattr(Item, name)).in_({value.casefold() for value in values})
    if predicate.gtins and "gtin" in Item.model_fields:
        yield func.ltrim(getattr(Item, "gtin"), "0").in_({gtin.lstrip("0") for gtin in predicate.gtins})  # noqa: B009


async def _goods(work: UnitOfWork, *wanted: ColumnElement[bool]) -> list[Goods]:
    query = (
        select(Item, Listing, Unit)
        .join(Listing, col(Listing.id) == col(Item.listing_id))
        .outerjoin(Unit, col(Unit.item_id) == col(Item.id))
        .where(col(Item.livemode) == work.livemode, *wanted)
    )
    rows = (await work.session.execute(query.order_by(col(Item.id), col(Unit.external_id)))).all()
    return [(row[0], row[1], row[2]) for row in rows]


async def active(work: UnitOfWork, listing_ids: Collection[str]) -> list[tuple[Stop, Item]]:
    """The stops on what is in these listings, with the item each bears on now."""
    here = and_(
        col(Stop.lifted_at).is_(None), col(Stop.livemode) == work.livemode, col(Item.listing_id).in_(set(listing_ids))
    )
    of_items = (
        select(Stop, Item).join(Item, col(Item.id) == col(Stop.item_id)).where(here, col(Stop.external_id).is_(None))
    )
    of_units = (
        select(Stop, Item)
        .join(
            Unit,
            and_(
                col(Unit.seller_id) == col(Stop.seller_id),
                col(Unit.livemode) == col(Stop.livemode),
                col(Unit.external_id) == col(Stop.external_id),
            ),
        )
        .join(Item, col(Item.id) == col(Unit.item_id))
        .where(here)
    )
    rows = [*(await work.session.execute(of_items)).all(), *(await work.session.execute(of_units)).all()]
    return [(row[0], row[1]) for row in rows]


async def active_of_campaign(work: UnitOfWork, campaign_id: str) -> Sequence[Stop]:
    query = select(Stop).where(col(Stop.campaign_id) == campaign_id, col(Stop.lifted_at).is_(None))
    return (await work.session.execute(query.order_by(col(Stop.id)).with_for_update())).scalars().all()


async def active_of_item(work: UnitOfWork, item_id: str) -> Sequence[Stop]:
    """On the item itself, not on units."""
    query = select(Stop).where(
        col(Stop.item_id) == item_id, col(Stop.external_id).is_(None), col(Stop.lifted_at).is_(None)
    )
    return (await work.session.execute(query.order_by(col(Stop.id)))).scalars().all()


async def listings_of(work: UnitOfWork, stops: Sequence[Stop]) -> dict[str, str]:
    """The listing of each stop's goods now, by stop; goods that are in none are left out."""
    ids = {stop.id for stop in stops}
    of_items = (
        select(col(Stop.id), col(Item.listing_id))
        .join(Item, col(Item.id) == col(Stop.item_id))
        .where(col(Stop.id).in_(ids), col(Stop.external_id).is_(None))
    )
    of_units = (
        select(col(Stop.id), col(Item.listing_id))
        .join(
            Unit,
            and_(
                col(Unit.seller_id) == col(Stop.seller_id),
                col(Unit.livemode) == col(Stop.livemode),
                col(Unit.external_id) == col(Stop.external_id),
            ),
        )
        .join(Item, col(Item.id) == col(Unit.item_id))
        .where(col(Stop.id).in_(ids))
    )
    rows = [*(await work.session.execute(of_items)).all(), *(await work.session.execute(of_units)).all()]
    return {row[0]: row[1] for row in rows}


async def counted(work: UnitOfWork, campaign_id: str) -> tuple[int, int]:
    """Pieces that matched, and those of them that were remedied. What was lifted for another reason does not count."""
    counts = or_(col(Stop.lifted_at).is_(None), col(Stop.lift_reason) == "remedied")
    query = select(
        func.coalesce(func.sum(col(Stop.quantity)), 0), func.coalesce(func.sum(col(Stop.remedied_quantity)), 0)
    ).where(col(Stop.campaign_id) == campaign_id, counts)
    row = (await work.session.execute(query)).one()
    return int(row[0]), int(row[1])
