"""Stops on goods that a recall means: placed on what is there and on what comes, following the goods wherever they go.

A listing's `stops` are those of what is in it, without what is offered under its own campaign; they are written whenever goods or
stops change, and the database carries them to its bids and orders."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from services.kernel import timers
from services.kernel.errors import invalid
from services.kernel.ids import CampaignId, CertificateId, ItemId, ListingId, StopId
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.listings.events import StopLifted, StopPlaced
from services.listings.models import OPEN, Item, Listing, RecallCampaign, Stop, Unit
from services.listings.recalling import queries
from services.listings.recalling.predicates import Predicate, Thing, matched_on

AT_ONCE = 1_000
"""Rows per INSERT."""


async def must_be_known(work: UnitOfWork, campaign_ids: Iterable[CampaignId | None]) -> None:
    """Raises Invalid (`campaign_not_found`)."""
    named = {one for one in campaign_ids if one is not None}
    if not named:
        return
    async with work.as_house():
        unknown = named - (await queries.campaigns(work, named)).keys()
    if unknown:
        raise invalid("/recall_campaign_id", "campaign_not_found", f"There is no recall campaign {min(unknown)}.")


async def watch(work: UnitOfWork, listing: Listing) -> None:
    """What is in the listing is held against every open campaign. The listing is locked by the caller, or new."""
    await work.session.flush()
    async with work.as_house():
        for campaign in await queries.open_campaigns(work):
            await place(work, campaign, listing_id=listing.id)
        await refresh(work, [listing])


async def watch_listing(work: UnitOfWork, listing_id: ListingId) -> None:
    await watch(work, await listings.listing_for_update(work, listing_id))


async def place(work: UnitOfWork, campaign: RecallCampaign, *, listing_id: ListingId | None = None) -> set[str]:
    """Stops on all goods that match and have none of the campaign yet, or on those of one listing; the listings they are in."""
    predicate = Predicate.model_validate(campaign.predicate)
    of_items: dict[ItemId, Listing] = {}
    rows = []
    async for portion in queries.candidates(work, campaign, predicate, listing_id=listing_id):
        for item, listing, unit in portion:
            met = matched_on(predicate, _thing(item, unit, is_own=listing.seller_id == campaign.manufacturer_id))
            if met and _pieces(item, unit):
                of_items[item.id] = listing
                rows.append(_row(work, campaign, item, listing, unit, met))
        await asyncio.sleep(0)
    placed = await _insert(work, rows)
    for item_id, stops in placed.items():
        _tell_placed(work, campaign, of_items[item_id], item_id, stops)
    return {of_items[item_id].id for item_id in placed}


def _pieces(item: Item, unit: Unit | None = None) -> int:
    """That are still where the item is."""
    return unit.quantity if unit is not None else item.quantity - item.relisted_quantity


def _thing(item: Item, unit: Unit | None, *, is_own: bool) -> Thing:
    details = unit.details if unit is not None else {}
    gtin = details.get("gtin") or getattr(item, "gtin", None)
    batches = (details.get("batch"), details.get("lot"), getattr(item, "batch", None))
    mpns = (details.get("mpn"), details.get("model"), getattr(item, "mpn", None))
    return Thing(
        title=f"{item.title} {details.get('description') or ''}",
        is_own=is_own,
        serial=unit.serial if unit is not None else None,
        batches=tuple(str(one) for one in batches if one),
        gtin=str(gtin) if gtin else None,
        mpns=tuple(str(one) for one in mpns if one),
    )


def _row(
    work: UnitOfWork, campaign: RecallCampaign, item: Item, listing: Listing, unit: Unit | None, met: list[str]
) -> dict[str, object]:
    return {
        "id": StopId.new(),
        "reason": "recall_quarantine",
        "campaign_id": campaign.id,
        "manufacturer_id": campaign.manufacturer_id,
        "seller_id": listing.seller_id,
        "item_id": item.id,
        "external_id": unit.external_id if unit is not None else None,
        "quantity": _pieces(item, unit),
        "matched_on": met,
        "placed_by": work.actor.label,
        "remedied_quantity": 0,
        "livemode": work.livemode,
        "created_at": work.now,
    }


async def _insert(work: UnitOfWork, rows: Sequence[dict[str, object]]) -> dict[ItemId, list[tuple[str | None, int]]]:
    """(external id, quantity) of those that were not there yet, by item."""
    placed: defaultdict[ItemId, list[tuple[str | None, int]]] = defaultdict(list)
    of_stop = (col(Stop.item_id), col(Stop.external_id), col(Stop.quantity))
    for start in range(0, len(rows), AT_ONCE):
        statement = insert(Stop).values(list(rows[start : start + AT_ONCE])).on_conflict_do_nothing()
        done = await work.session.execute(statement.returning(*of_stop))
        for item_id, external_id, quantity in done.all():
            placed[item_id].append((external_id, quantity))
    return placed


def _tell_placed(
    work: UnitOfWork, campaign: RecallCampaign, listing: Listing, item_id: ItemId, stops: list[tuple[str | None, int]]
) -> None:
    event = StopPlaced(
        campaign_id=campaign.id,
        manufacturer_id=campaign.manufacturer_id,
        reason="recall_quarantine",
        seller_id=listing.seller_id,
        listing_id=listing.id,
        item_id=item_id,
        external_ids=sorted(external_id for external_id, _ in stops if external_id is not None),
        quantity=sum(quantity for _, quantity in stops),
    )
    audience = {campaign.manufacturer_id: "manufacturer", listing.seller_id: "seller"}
    work.emit(event, subject=listing.id, audience=audience)


async def refresh(work: UnitOfWork, changed: Collection[Listing]) -> None:
    """Writes what stops each of them; the listings are locked by the caller."""
    await work.session.flush()
    stopped: defaultdict[str, set[str]] = defaultdict(set)
    for stop, item in await queries.active(work, [listing.id for listing in changed]):
        if not _is_offered_under(item, stop):
            stopped[item.listing_id].add(stop.reason)
    for listing in changed:
        codes = sorted(stopped[listing.id])
        if codes != list(listing.stops):
            listing.stops = codes
            await _open_late(work, listing)
    await work.session.flush()


async def _open_late(work: UnitOfWork, listing: Listing) -> None:
    """The time to open may have come while it was stopped."""
    if listing.status == "scheduled" and not listing.stops and listing.opens_at is not None:
        await timers.schedule(work, OPEN, listing.id, listing.opens_at)


def _is_offered_under(item: Item, stop: Stop) -> bool:
    return item.return_reason == "product_recall" and item.recall_campaign_id == stop.campaign_id


async def follow(work: UnitOfWork, item: Item, part: Item) -> None:
    """Pieces have left an item: its own stops are on what they have become too, and on the item no more where nothing is left that
    is not remedied. Stops on units go with these by themselves."""
    await work.session.flush()
    async with work.as_house():
        for stop in await queries.active_of_item(work, item.id):
            taken = min(part.quantity, stop.quantity - stop.remedied_quantity)
            stop.quantity -= taken
            await work.session.flush()
            await _insert(work, [_carried(stop, part, taken)])
            if stop.quantity == stop.remedied_quantity and (stop.remedied_quantity or not _pieces(item)):
                _end(work, stop, "remedied" if stop.remedied_quantity else "moved")


def _end(work: UnitOfWork, stop: Stop, reason: str) -> None:
    stop.lifted_at, stop.lifted_by, stop.lift_reason = work.now, work.actor.label, reason


async def join(work: UnitOfWork, item: Item, into: Item) -> None:
    """All of an item has gone into another of its kind, and so have its own stops."""
    await work.session.flush()
    async with work.as_house():
        there = {stop.campaign_id: stop for stop in await queries.active_of_item(work, into.id)}
        for stop in await queries.active_of_item(work, item.id):
            _end(work, stop, "joined")
            await work.session.flush()
            if stop.campaign_id in there:
                there[stop.campaign_id].quantity += stop.quantity
            else:
                await _insert(work, [_carried(stop, into, stop.quantity)])


def _carried(stop: Stop, item: Item, quantity: int) -> dict[str, object]:
    """The same stop on other goods."""
    news = {
        "id": StopId.new(),
        "item_id": item.id,
        "quantity": quantity,
        "remedied_quantity": 0,
        "certificate_id": None,
    }
    return stop.model_dump() | news | {"lifted_at": None, "lifted_by": None, "lift_reason": None}


async def lift(work: UnitOfWork, stops: Sequence[Stop], reason: str) -> None:
    """Takes them away and tells so, once per item. The listings are locked first, as whoever moves goods does."""
    async with work.as_house():
        where = await queries.listings_of(work, stops)
        locked = await listings.listings_for_update(work, set(where.values()))
        lifted = await queries.active_for_update(work, stops)
        for stop in lifted:
            _end(work, stop, reason)
        of_stops = await queries.listings_of(work, lifted)
        _tell_lifted(work, lifted, of_stops, reason)
        moved = set(of_stops.values()) - locked.keys()
        await refresh(work, [*locked.values(), *(await listings.listings_for_update(work, moved)).values()])


def _tell_lifted(work: UnitOfWork, stops: Sequence[Stop], of_stops: dict[str, str], reason: str) -> None:
    by_item: defaultdict[ItemId, list[Stop]] = defaultdict(list)
    for stop in stops:
        by_item[stop.item_id].append(stop)
    for item_id, of_item in by_item.items():
        one, listing_id = of_item[0], of_stops.get(of_item[0].id)
        event = StopLifted(
            campaign_id=one.campaign_id,
            manufacturer_id=one.manufacturer_id,
            reason=one.reason,
            seller_id=one.seller_id,
            listing_id=ListingId(listing_id) if listing_id is not None else None,
            item_id=item_id,
            external_ids=sorted(stop.external_id for stop in of_item if stop.external_id is not None),
            quantity=sum(stop.quantity for stop in of_item),
            lift_reason=reason,
        )
        audience = {one.manufacturer_id: "manufacturer", one.seller_id: "seller"}
        work.emit(event, subject=listing_id or item_id, audience=audience)


async def remedied(
    work: UnitOfWork, item_id: ItemId, quantity: int, *, listing_id: ListingId, kind: str, certificate_id: CertificateId
) -> None:
    """A certificate of this kind proves what became of so many pieces of the item; stops whose campaigns ask for it count them,
    and those that are through are lifted."""
    async with work.as_house():
        await listings.listing_for_update(work, listing_id)
        there = [stop for stop, item in await queries.active(work, [listing_id]) if item.id == item_id]
        here = await queries.active_for_update(work, there)
        known = await queries.campaigns(work, {stop.campaign_id for stop in here})
        through = []
        open_quantity: dict[CampaignId, int] = defaultdict(lambda: quantity)
        for stop in here:
            if kind not in known[stop.campaign_id].proofs:
                continue
            counted = min(open_quantity[stop.campaign_id], stop.quantity - stop.remedied_quantity)
            open_quantity[stop.campaign_id] -= counted
            stop.remedied_quantity += counted
            stop.certificate_id = certificate_id
            through += [stop] if stop.remedied_quantity == stop.quantity else []
        await work.session.flush()
        await lift(work, through, "remedied")
