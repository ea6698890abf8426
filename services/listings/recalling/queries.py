"""Every SELECT of recalls: campaigns, stops, and the goods a predicate may mean."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    and_,
    any_,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.errors import NotFound
from services.kernel.ids import CampaignId
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import Item, Listing, RecallCampaign, Stop, Unit
from services.listings.models.goods import ITEMS, UNITS
from services.listings.recalling.predicates import Predicate

Goods = tuple[Item, Listing, Unit | None]
"""A unit where it stands, or an item without units."""
PORTION = 1_000
"""Goods that are looked at at a time."""


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
    """Whoever places a stop of it does not wait."""
    query = campaigns_visible_to(actor).where(col(RecallCampaign.id) == campaign_id)
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
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


async def candidates(
    work: UnitOfWork, campaign: RecallCampaign, predicate: Predicate, *, listing_id: str | None = None
) -> AsyncIterator[list[Goods]]:
    """All goods that the campaign may mean, whoever's, or those in one listing, a portion at a time; what is fulfilled has gone.
    More than it means, never less: `predicates.matched_on` judges."""
    here = [col(Listing.status) != "fulfilled" if listing_id is None else col(Listing.id) == listing_id]
    if predicate.names_words_alone:
        here.append(col(Listing.seller_id) == campaign.manufacturer_id)
    for named in (_products(predicate), _pieces(predicate)):
        if named.conditions:
            here.append(or_(*named.conditions))
        if named.conditions and listing_id is None and not named.of_both:
            here.append(col(Item.id).in_(named.item_ids))
    query = (
        select(Item, Listing, Unit)
        .join(Listing, col(Listing.id) == col(Item.listing_id))
        .outerjoin(Unit, col(Unit.item_id) == col(Item.id))
        .where(col(Item.livemode) == work.livemode, *here)
        .order_by(col(Item.id), col(Unit.external_id))
    )
    found = await work.session.stream(query, execution_options={"yield_per": PORTION})
    async for portion in found.partitions():
        yield [(row[0], row[1], row[2]) for row in portion]


@dataclass
class _Named:
    """What is asked of units, of items, and of both together. The first two are looked up by index, each by itself."""

    of_units: list[ColumnElement[bool]] = field(default_factory=list)
    of_items: list[ColumnElement[bool]] = field(default_factory=list)
    of_both: list[ColumnElement[bool]] = field(default_factory=list)

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        return [*self.of_units, *self.of_items, *self.of_both]

    @property
    def item_ids(self) -> CompoundSelect[Any]:
        of_units = select(UNITS.c.item_id).where(or_(false(), *self.of_units)).correlate(None)
        return of_units.union(select(ITEMS.c.id).where(or_(false(), *self.of_items)).correlate(None))


def _products(predicate: Predicate) -> _Named:
    meant, named = predicate.plainly, _Named()
    if meant.gtins:
        named.of_units.append(_one_of(UNITS.c.gtin_key, meant.gtins))
        named.of_items.append(_one_of(ITEMS.c.gtin_key, meant.gtins))
    if meant.mpns:
        named.of_units += [_one_of(key, meant.mpns) for key in (UNITS.c.mpn_key, UNITS.c.model_key)]
        named.of_items.append(_one_of(ITEMS.c.mpn_key, meant.mpns))
    if meant.words:
        title = col(Item.title).concat(" ").concat(func.coalesce(col(Unit.details)["description"].astext, ""))
        said = func.replace(func.lower(title), "ß", "ss")
        named.of_both.append(and_(*(said.contains(word, autoescape=True) for word in sorted(meant.words))))
    return named


def _pieces(predicate: Predicate) -> _Named:
    meant, named, key = predicate.plainly, _Named(), UNITS.c.serial_key
    if meant.serials:
        named.of_units.append(_one_of(key, meant.serials))
    for low, high in sorted({one.bounds for one in predicate.serial_ranges}):
        named.of_units.append(and_(key.is_not(None), key >= low, key <= high))
    if meant.batches:
        named.of_units.append(_one_of(UNITS.c.batch_key, meant.batches))
        named.of_items.append(_one_of(ITEMS.c.batch_key, meant.batches))
    return named


def _one_of(key: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
    """As one array: a predicate may name more values than a statement has places."""
    return and_(key.is_not(None), key == any_(literal(sorted(values), ARRAY(Text))))


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
    return (await work.session.execute(query.order_by(col(Stop.id)))).scalars().all()


async def active_for_update(work: UnitOfWork, stops: Sequence[Stop]) -> Sequence[Stop]:
    """Those of them that nobody has lifted meanwhile."""
    ids = literal([stop.id for stop in stops], ARRAY(Text))
    query = select(Stop).where(col(Stop.id) == any_(ids), col(Stop.lifted_at).is_(None)).order_by(col(Stop.id))
    locked = query.with_for_update().execution_options(populate_existing=True)
    return (await work.session.execute(locked)).scalars().all()


async def active_of_item(work: UnitOfWork, item_id: str) -> Sequence[Stop]:
    """On the item itself, not on units."""
    query = select(Stop).where(
        col(Stop.item_id) == item_id, col(Stop.external_id).is_(None), col(Stop.lifted_at).is_(None)
    )
    return (await work.session.execute(query.order_by(col(Stop.id)))).scalars().all()


async def listings_of(work: UnitOfWork, stops: Sequence[Stop]) -> dict[str, str]:
    """The listing of each stop's goods now, by stop; goods that are in none are left out."""
    ids = any_(literal([stop.id for stop in stops], ARRAY(Text)))
    of_items = (
        select(col(Stop.id), col(Item.listing_id))
        .join(Item, col(Item.id) == col(Stop.item_id))
        .where(col(Stop.id) == ids, col(Stop.external_id).is_(None))
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
        .where(col(Stop.id) == ids)
    )
    rows = [*(await work.session.execute(of_items)).all(), *(await work.session.execute(of_units)).all()]
    return {row[0]: row[1] for row in rows}


async def counted(work: UnitOfWork, campaign_ids: Collection[str]) -> dict[str, tuple[int, int]]:
    """By campaign: pieces that matched, and those of them that were remedied. What was lifted for another reason does not count."""
    counts = or_(col(Stop.lifted_at).is_(None), col(Stop.lift_reason) == "remedied")
    sums = (func.sum(col(Stop.quantity)), func.sum(col(Stop.remedied_quantity)))
    query = select(col(Stop.campaign_id), *sums).where(col(Stop.campaign_id).in_(set(campaign_ids)), counts)
    rows = (await work.session.execute(query.group_by(col(Stop.campaign_id)))).all()
    return {campaign_id: (int(matched), int(remedied)) for campaign_id, matched, remedied in rows}
